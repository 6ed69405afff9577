"""How one pair moved between two of its snapshots, and how unusual that is for it.

TO is the pair's latest snapshot, FROM its last one of a session on or before a day, or its oldest where all are later;
P common closes lie after FROM, up to TO. Everything the move is held against was known at FROM.

- A's and B's change, and the gap A - B: total return (as the question's adjustment has it) from FROM's session to TO's,
  by the closes and events that TO was computed from. What the store holds as `last` is as quoted: a dividend or a split
  would pass for a move. Rates change by differences, in basis points, and what was
  declared points in its own unit; there is a gap only where both are counted in the same.
- The gap's sigmas: |gap| / (s sqrt(P)), s the standard deviation of a bar's gap over the window that ended with FROM's
  session, which is FROM's tracking error over the root of the bars a year, but for what was revised since.
- The correlation's sigmas: |c - median| / (q / 1.96), c the change of the correlation from FROM to TO, and q the 95 %
  quantile of the distances from the median among the pair's own earlier changes over P common closes too, of which 20
  are needed: evenings without a snapshot make a change longer, and it is not held against shorter ones. The tail sets
  the scale because such changes have fat tails: with the median absolute deviation for a scale 14 to 20 % of quiet
  evenings are beyond 2 sigma, with this one 5 to 8 %. Changes over k closes overlap, so that n of them are worth about
  n / k: over five sessions, with 30 evenings to judge by, 18 % of quiet ones are beyond 2 sigma.
- A move's score is the larger of the two. It ranks, and is no probability: of 200 pairs some are beyond 2 sigma on any
  evening.
"""

import math
from dataclasses import replace
from datetime import date
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pairwatch import kernels
from pairwatch.alignment import align, frequency_of, matches
from pairwatch.catalogue import counted_alike
from pairwatch.errors import NotEnoughData
from pairwatch.histories import History, adjusted
from pairwatch.model import NAN, Adjustment, Align, Days, Facts, Floats, Leg, Series, Window
from pairwatch.snapshots import Record, Snapshot

FEWEST_CHANGES = 20
# The share of earlier changes that is within so many sigmas, as of a normal distribution.
WITHIN, SIGMAS = 0.95, 1.96
_NO_DAYS: Days = np.array([], dtype="M8[D]")


class Known(NamedTuple):
    """What the store knows of a pair.

    Attributes:
        record: its snapshots by session, at least one; the last of them is TO.
        a, b: what TO was computed from.
        own: the day that FROM is of, or before, where it is not the digest's.
    """

    record: Record
    a: History
    b: History
    own: date | None = None

    @property
    def end(self) -> Snapshot:
        """TO."""
        return self.record.snapshots[-1]

    @property
    def is_slow(self) -> bool:
        """Whether a leg has no value a day, but one a week or a month: published late, and on days of its own."""
        return any(frequency_of(side.series) != "day" for side in (self.a, self.b))

    def at(self, since: date) -> int | None:
        """The place of FROM in the record: the oldest where all are later; None for a single snapshot that is later."""
        day = self.own or since
        count = sum(snapshot.session <= day for snapshot in self.record.snapshots)
        if count:
            return count - 1
        return 0 if len(self.record.snapshots) > 1 else None

    def numbers(self, key: str) -> Floats:
        """A number of the pair or of its leadership in every snapshot; NaN where it is not said."""
        names = self.record.names
        at = next((i for i, name in enumerate(names) if name.key == key and name.scope in ("pair", "leadership")), None)
        return np.full(len(self.record.snapshots), NAN) if at is None else self.record.values[:, at]


class Move(NamedTuple):
    """How a pair moved; NaN is "cannot say".

    Attributes:
        start, end: the sessions of FROM and TO.
        sessions: P, the common closes after FROM, up to TO.
        changes: A's and B's; fractions, or differences for a rate and for what was declared points.
        units: of these two: `fraction`, `bp`, or that of the leg.
        gap: A's change less B's; NaN where the units differ.
        correlations: at FROM and at TO.
        ratio_zscore: at TO.
    """

    a: Leg
    b: Leg
    start: date
    end: date
    sessions: int
    changes: tuple[float, float]
    units: tuple[str, str]
    gap: float
    gap_sigmas: float
    correlations: tuple[float, float]
    correlation_sigmas: float
    ratio_zscore: float

    @property
    def score(self) -> float:
        """How unusual it is, in sigmas; NaN where neither number can be said."""
        return max((s for s in (self.gap_sigmas, self.correlation_sigmas) if not math.isnan(s)), default=NAN)


def moved(known: Known, since: date) -> Move | None:
    """How the pair moved since FROM; None where it has no FROM, or no later session."""
    at = known.at(since)
    if at is None or at == len(known.record.snapshots) - 1:
        return None
    end, start = known.end, known.record.snapshots[at].session
    way = _way(known, start)
    correlation = known.numbers("correlation")
    return Move(
        a=end.a,
        b=end.b,
        start=start,
        end=end.session,
        sessions=way.sessions,
        changes=way.changes,
        units=way.units,
        gap=way.gap,
        gap_sigmas=kernels.quotient(abs(way.gap), way.deviation * math.sqrt(way.sessions)),
        correlations=(float(correlation[at]), float(correlation[-1])),
        correlation_sigmas=_unlikeness_by(known, correlation, at, way.days),
        ratio_zscore=float(known.numbers("ratio_zscore")[-1]),
    )


def _unlikeness_by(known: Known, values: Floats, at: int, days: Days) -> float:
    """`unlikeness` by common closes; NaN where FROM's or TO's is none any more."""
    sessions = np.array([snapshot.session for snapshot in known.record.snapshots], dtype=days.dtype)
    there = np.isin(sessions, days)
    if not (there[at] and there[-1]):
        return NAN
    return unlikeness(values[there], days.searchsorted(sessions[there]), int(there[:at].sum()))


def unlikeness(values: Floats, closes: npt.NDArray[np.intp], at: int) -> float:
    """How far the change from place `at` to the end is from earlier ones over as many closes, in sigmas.

    `closes` numbers the close that each value is of, rising. Only changes that had ended at `at` count, and 20 of them
    are needed; NaN otherwise.
    """
    known = closes[: at + 1]
    steps = closes[-1] - closes[at]
    _, ends, starts = np.intersect1d(known, known + steps, assume_unique=True, return_indices=True)
    past = values[ends] - values[starts]
    past = past[np.isfinite(past)]
    if len(past) < FEWEST_CHANGES:
        return NAN
    middle = float(np.median(past))
    spread = float(np.quantile(np.abs(past - middle), WITHIN)) / SIGMAS
    return kernels.quotient(abs(float(values[-1] - values[at]) - middle), spread)


# ---------------------------------------------------------------- the closes between


class _Way(NamedTuple):
    """What lies between two sessions; `deviation` is a bar's gap's over the window before; `days`: all closes."""

    sessions: int
    changes: tuple[float, float] = (NAN, NAN)
    units: tuple[str, str] = ("fraction", "fraction")
    gap: float = NAN
    deviation: float = NAN
    days: Days = _NO_DAYS


def _way(known: Known, start: date) -> _Way:
    """From the session `start` to TO's, by what TO was computed from."""
    question, first = known.end.question, np.datetime64(start)
    a, b = (_cut(side.series, np.datetime64(known.end.session)) for side in (known.a, known.b))
    # Which are every second closes depends on the last of them: a move is told by every close.
    how: Align = "date" if question.align == "two-day" else question.align
    days, *places = matches(a, b, how)[:3]
    at = int(days.searchsorted(first))
    units = _unit(a.facts), _unit(b.facts)
    if at == len(days) or days[at] != first:  # the provider has taken that close back
        return _Way(max(1, len(days) - at), units=units, days=days)
    levels = [_levels(side, question.adjustment)[own] for side, own in zip((a, b), places, strict=True)]
    changes = [_change(x[at], x[-1], side.facts) for x, side in zip(levels, (a, b), strict=True)]
    gap = deviation = NAN
    if a.facts.by_differences == b.facts.by_differences and counted_alike(*units):
        base = _base(_cut(a, first), _cut(b, first), question.window, how, days)
        window = slice(base, at + 1)
        bars = [_bars(x[window], side.facts) for x, side in zip(levels, (a, b), strict=True)]
        gap, deviation = changes[0] - changes[1], kernels.sd(bars[0] - bars[1]) if base is not None else NAN
    return _Way(len(days) - 1 - at, (changes[0], changes[1]), units, gap, deviation, days)


def _levels(series: Series, adjustment: Adjustment) -> Floats:
    """Its closes as changes are made of them: differences are those of the quoted ones."""
    return adjusted(series, "price" if series.facts.by_differences else adjustment)


def _cut(series: Series, last: np.datetime64) -> Series:
    keep = int(series.dates.searchsorted(last, side="right"))
    return replace(series, dates=series.dates[:keep], closes=series.closes[:keep])


def _base(a: Series, b: Series, window: Window, how: Align, days: Days) -> int | None:
    """The place among the common days of the base of the window that ends two series; None where it is too short."""
    try:
        return int(days.searchsorted(align(a, b, window, how).dates[0]))
    except NotEnoughData:
        return None


def _unit(facts: Facts) -> str:
    """What a leg's changes are counted in."""
    return facts.change_unit


def _change(before: float, after: float, facts: Facts) -> float:
    if facts.by_differences:
        return float(after - before) * facts.scale
    return float(after / before) - 1 if before > 0 else NAN


def _bars(levels: Floats, facts: Facts) -> Floats:
    return np.asarray(np.diff(levels) * facts.scale if facts.by_differences else kernels.simple_returns(levels))
