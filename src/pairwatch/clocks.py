"""When closes are made: how far apart those of two legs are, and which are nearest in time."""

import math
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np

from pairwatch.errors import UsageError
from pairwatch.kernels import usual_gap
from pairwatch.model import NAN, Days, Facts, Floats, Leadership, Positions, Series

# Legs that close at least this many hours apart are not asked who leads by one bar.
CLOCK_TOLERANCE = 0.5
# In hours: closes farther apart than half a day are not of one moment. Another session lies nearer, or is missing.
FARTHEST = 12.0
# In days: beside bars as long as these, the hours between two closes that are not known are few.
LONG_BARS = 5


def with_clocks(lead: Leadership, a: Series, b: Series, days_a: Days, days_b: Days) -> Leadership:
    """The leadership with what is known of the clocks by which the legs closed, on the days that were paired."""
    apart = hours_apart(a.facts, b.facts, days_a, days_b, lead.lag)
    return replace(
        lead,
        hours_apart=0.0 if abs(apart) < CLOCK_TOLERANCE else apart,
        unclocked=unclocked(a, b, days_a, days_b) if math.isnan(apart) else (),
    )


def unclocked(a: Series, b: Series, days_a: Days, days_b: Days) -> tuple[str, ...]:
    """The legs of which it is not known when they close, where a lead of one bar may be the clocks' for that.

    None where both are known, or where nothing is known of either that tells them apart, as of two columns of a file;
    where a leg was drawn, not recorded; and of bars so long that hours hardly count.
    """
    unknown = [
        str(one.leg)
        for one, days in ((a, days_a), (b, days_b))
        if one.facts.closes_at is None or np.isnan(_close_instants(one.facts, days[:1])).any()
    ]
    are_alike = len(unknown) == 2 and a.facts.timezone == b.facts.timezone
    if are_alike or a.facts.simulated or b.facts.simulated or usual_gap(days_a) >= LONG_BARS:
        return ()
    return tuple(sorted(unknown))


def hours_apart(a: Facts, b: Facts, days_a: Days, days_b: Days | None = None, towards: int = 0) -> float:
    """How many hours after B's close A's is, on the day of the window where they are farthest apart.

    NaN where either close is not known. The distance changes within a window when clocks are put forward or back; with
    `towards`, the farthest on the side of its sign is taken, where any are.
    """
    if a.closes_at is None or b.closes_at is None:
        return NAN
    closes_a, closes_b = _instants(a, b, days_a, days_a if days_b is None else days_b)
    apart: Floats = (closes_a - closes_b) / 3600
    on_side = apart[apart * towards >= CLOCK_TOLERANCE]
    apart = on_side if len(on_side) else apart
    return float(apart[np.abs(apart).argmax()])


def _instants(a: Facts, b: Facts, days_a: Days, days_b: Days) -> tuple[Floats, Floats]:
    """The closes as Unix seconds, or by the zone's own clock where both legs have the same; NaN where not known."""
    if a.timezone == b.timezone:
        return _on_the_clock(a, days_a), _on_the_clock(b, days_b)
    return _close_instants(a, days_a), _close_instants(b, days_b)


def _on_the_clock(facts: Facts, days: Days) -> Floats:
    closes_at = NAN if facts.closes_at is None else facts.closes_at
    return np.asarray(86400.0 * days.astype("i8") + 60.0 * closes_at)


def _close_instants(facts: Facts, days: Days) -> Floats:
    if facts.closes_at is None:
        return np.full(len(days), NAN)
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # noqa: PLC0415 - legs of one zone do without it

    try:
        zone = ZoneInfo(facts.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder of zones
        return np.full(len(days), NAN)
    # By the clock on the wall: on a day on which it is put forward or back, noon is not twelve hours after midnight.
    after = timedelta(minutes=facts.closes_at)
    return np.array([(datetime(d.year, d.month, d.day, tzinfo=zone) + after).timestamp() for d in days.tolist()])


def nearest(a: Series, b: Series) -> tuple[Positions, Positions]:
    """Where the closes are that are each the other's nearest in time, no more than half a day apart: in A, in B.

    Raises:
        UsageError: the moment of a close is not known.
    """
    closes_a, closes_b = _instants(a.facts, b.facts, a.dates, b.dates)
    _check_known((a, closes_a), (b, closes_b))
    of_a = _nearest_of(closes_a, a.dates, closes_b, b.dates)
    of_b = _nearest_of(closes_b, b.dates, closes_a, a.dates)
    mutual = (of_b[of_a] == np.arange(len(a))) & (np.abs(closes_a - closes_b[of_a]) <= 3600 * FARTHEST)
    return np.flatnonzero(mutual), of_a[mutual]


def _check_known(*sides: tuple[Series, Floats]) -> None:
    unknown = [str(series.leg) for series, closes in sides if np.isnan(closes).any()]
    if unknown:
        raise UsageError(
            f"--align nearest: the closing time of {' and '.join(unknown)} is not known",
            "--align two-day needs none: it halves what different clocks do",
        )


def _nearest_of(closes: Floats, days: Days, others: Floats, days_of_others: Days) -> Positions:
    """The place of the nearest of the others, for each close; of two as near, the one of the same day."""
    after = others.searchsorted(closes).clip(0, len(others) - 1)
    before = (after - 1).clip(0)
    to_before, to_after = (np.abs(others[at] - closes) - (days_of_others[at] == days) for at in (before, after))
    return np.asarray(np.where(to_after < to_before, after, before))
