"""The correlogram, the asymmetry, and the verdicts that rest on them."""

import math
from dataclasses import replace
from typing import Literal, NamedTuple

from pairwatch import verdicts
from pairwatch.clocks import CLOCK_TOLERANCE, hours_apart, unclocked, with_clocks
from pairwatch.kernels.bands import Band, asymmetry_band, correlogram_band
from pairwatch.lead import SIZE, Lead, cross_correlations, lead_test
from pairwatch.lead.resampling import LagInterval, lag_interval, long_lead, resampled_lags, strength_at
from pairwatch.model import NAN, Cell, Floats, Leadership, Positions, Section
from pairwatch.studies.lead.headings import ASYMMETRY, CORRELOGRAM, VERDICT
from pairwatch.studies.paired import Paired
from pairwatch.text import plural

# A lag of L bars is judged from 3 L returns or more.
LAGS_NEED = 3


HISTORY, WINDOW = "history", "window"


class Span(NamedTuple):
    """Some of the returns, by name."""

    name: str
    a: Floats
    b: Floats


class Judged(NamedTuple):
    """The verdict over some of the returns.

    Attributes:
        interval: of the lag; None where no lag can be said.
        strength: estimated at the lag, in units of r.
    """

    span: str
    n: int
    lead: Leadership
    interval: LagInterval | None
    strength: float

    @property
    def sideless(self) -> bool:
        """Whether there is a lead whose lag's interval holds both sides."""
        return self.lead.decided and self.interval is not None and self.interval.low < 0 < self.interval.high

    @property
    def named(self) -> bool:
        """Whether a leader is named: in a window as `compare` does, over the history where its side can be said."""
        return self.lead.decided and (self.span == WINDOW or not self.sideless)


def lags_for(pair: Paired, n: int) -> int:
    """The largest lag that is asked for, as far as so many returns carry it."""
    return max(1, min(pair.question.max_lag, n // LAGS_NEED))


def apart(pair: Paired, towards: int = 0) -> float:
    """How many hours after B's close A's is; 0 for as good as at once, NaN where that is not known."""
    (a, b), lined_up = (side.series for side in pair.staged.sides), pair.staged.lined_up
    hours = hours_apart(a.facts, b.facts, a.dates[lined_up.at_a], b.dates[lined_up.at_b], towards)
    return 0.0 if abs(hours) < CLOCK_TOLERANCE else hours


def suspects(pair: Paired) -> frozenset[int]:
    """The lags at which what looks like a lead may be the clocks' doing, or that of averages."""
    sides: tuple[Literal[1, -1], ...] = (1, -1)
    of_clocks = set(sides) if _unclocked(pair) else {side for side in sides if side * apart(pair, side) > 0}
    average = pair.staged.lined_up.average
    return frozenset(of_clocks | ({average} if average else set()))


def _unclocked(pair: Paired) -> bool:
    """Whether it is not known how far apart the closes are, and that alone can make a lead of one bar."""
    (a, b), lined_up = (side.series for side in pair.staged.sides), pair.staged.lined_up
    return math.isnan(apart(pair)) and bool(unclocked(a, b, a.dates[lined_up.at_a], b.dates[lined_up.at_b]))


def over_history(pair: Paired, asymmetry: Band, *, shortly: bool = False) -> Judged:
    """The verdict over the whole history, by the asymmetry.

    Args:
        shortly: whether the lag's interval is wanted of a leader only.
    """
    a, b = pair.pair.a.returns, pair.pair.b.returns
    lags, seed = len(asymmetry.values), pair.question.seed
    found = long_lead(a, b, asymmetry)
    wanted = found.p_value < SIZE if shortly else bool(found.lag)
    resampled = resampled_lags(a, b, lags, asymmetry.errors, seed) if wanted else None
    return _judged(pair, Span(HISTORY, a, b), found, lags, resampled)


def over_window(pair: Paired) -> Judged:
    """The verdict over the window, as `compare` has it."""
    a, b = (leg.returns[-pair.bars :] for leg in (pair.pair.a, pair.pair.b))
    lags, seed = min(pair.question.max_lag, len(a) // LAGS_NEED), pair.question.seed
    found = lead_test(a, b, lags, seed)
    resampled = resampled_lags(a, b, lags, seed=seed) if found.lag else None
    return _judged(pair, Span(WINDOW, a, b), found, lags, resampled)


def _judged(pair: Paired, span: Span, found: Lead, lags: int, resampled: Positions | None) -> Judged:
    r = cross_correlations(span.a, span.b, lags)
    lead = Leadership(found.lag, found.asymmetry, found.p_value, found.detectable, r)
    (one, other), lined_up = (side.series for side in pair.staged.sides), pair.staged.lined_up
    lead = with_clocks(lead, one, other, one.dates[lined_up.at_a], other.dates[lined_up.at_b])
    lead = replace(lead, average=lined_up.average)
    a, b = map(str, pair.legs)
    interval = None if resampled is None else lag_interval(resampled, found.lag)
    strength = strength_at(span.a, span.b, found.lag) if found.lag else NAN
    return Judged(span.name, len(span.a), verdicts.with_verdict(lead, a, b), interval, strength)


def section(pair: Paired, judged: tuple[Judged, ...]) -> Section:
    """The verdicts, a row each."""
    return Section(VERDICT, tuple(_row(pair, one) for one in judged))


def _row(pair: Paired, one: Judged) -> tuple[Cell, ...]:
    lead, nowhere = one.lead, (None, None, None)
    found = (lead.lag, *one.interval[:2]) if one.named and one.interval else nowhere
    candidate = (lead.lag, *one.interval) if one.interval else (None, *nowhere)
    told = one.strength, lead.asymmetry, lead.p_value, _leader(pair, one)
    return (one.span, one.n, *found, *told, *candidate, lead.detectable, in_words(pair, one))


def in_words(pair: Paired, one: Judged) -> str:
    """The answer; over the history no lag and no side where resamples have it on both sides."""
    lead = one.lead
    if one.named or not one.sideless or not one.interval:
        return lead.verdict
    low, high, share = one.interval
    ahead, behind = pair.legs[:: 1 if lead.lag > 0 else -1]
    likely = f"{ahead} leads {behind} by {plural(abs(lead.lag), 'bar')} in {share:.0%} of resamples"
    reach = f"95% from {low:+d} to {high:+d}"
    return f"a lead shows ({verdicts.p_text(lead.p_value)}), whose lag and side cannot be said ({likely}, {reach})"


def _leader(pair: Paired, one: Judged) -> str:
    if one.named:
        return str(pair.legs[one.lead.lag < 0])
    return "none" if one.lead.p_value >= SIZE else "no verdict"


# ---------------------------------------------------------------- bands


class Bands(NamedTuple):
    """What r(k) and D(k) are, and how far chance takes them."""

    correlogram: Band
    asymmetry: Band
    at_zero: float

    @property
    def lags(self) -> int:
        """L."""
        return len(self.asymmetry.values)

    @property
    def outside(self) -> list[int]:
        """The lags at which r(k) leaves its band."""
        ks = [*range(-self.lags, 0), *range(1, self.lags + 1)]
        return [k for k, out in zip(ks, self.correlogram.outside, strict=True) if out]

    @property
    def unlike(self) -> list[int]:
        """The lags at which D(k) leaves its band."""
        return [k for k, out in enumerate(self.asymmetry.outside, 1) if out]


def bands(pair: Paired) -> Bands:
    """The bands of the whole history."""
    a, b = pair.pair.a.returns, pair.pair.b.returns
    at_zero = float(cross_correlations(a, b, 0)[0])
    return Bands(correlogram_band(a, b, lags_for(pair, pair.n), pair.question.seed), asymmetry(pair), at_zero)


def asymmetry(pair: Paired) -> Band:
    """D(k) of the whole history with its band."""
    lags = lags_for(pair, pair.n)
    return asymmetry_band(pair.pair.a.returns, pair.pair.b.returns, lags, pair.question.seed)


def correlogram_section(found: Bands) -> Section:
    """r(k) with its band."""
    band, lags = found.correlogram, found.lags
    rows = _rows(band)
    numbers = [*rows[:lags], (found.at_zero, None, None), *rows[lags:]]
    return Section(CORRELOGRAM, tuple((k, *one) for k, one in enumerate(numbers, -lags)), _together(band))


def asymmetry_section(found: Bands) -> Section:
    """D(k) with its band."""
    band = found.asymmetry
    return Section(ASYMMETRY, tuple((k, *one) for k, one in enumerate(_rows(band), 1)), _together(band))


def _rows(band: Band) -> list[tuple[Cell, ...]]:
    """What is, its band, and whether it leaves it: `yes`, or nothing."""
    marks = ["yes" if out else None for out in band.outside]
    return list(zip(band.values.tolist(), band.reach.tolist(), marks, strict=True))


def _together(band: Band) -> tuple[str]:
    p = band.p_value
    return (f"all lags together: {verdicts.p_text(p)}" if math.isfinite(p) else "no band: a leg does not move",)
