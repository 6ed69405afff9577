"""Two histories, lined up and compared."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import NamedTuple

import numpy as np

from pairwatch import kernels, receipts, stats, verdicts
from pairwatch import lead as leads
from pairwatch.catalogue import LegView, PairView
from pairwatch.errors import NotEnoughData, UsageError
from pairwatch.histories import History, adjusted
from pairwatch.model import (
    NAN,
    Adjustment,
    Align,
    Comparison,
    Days,
    Facts,
    Floats,
    Leadership,
    Positions,
    Reading,
    Receipt,
    Series,
    Window,
)
from pairwatch.text import clean, plural

FEWEST_RETURNS = 20
# A lag of L bars is judged from 3 L returns or more.
LAGS_NEED = 3
EXCHANGE_DAYS, EVERY_DAY = 252, 365
# Legs that close at least this many hours apart are not asked who leads by one bar.
CLOCK_TOLERANCE = 0.5


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a pair.

    Attributes:
        as_of: the last day that may count.
        max_lag: L, the largest lag in bars.
        seed: of the permutations; the same inputs give the same bytes.
        currency: into which the legs are converted before they come here; empty for each in its own.
        align: which closes are taken for the same moment: of one `date`, the `nearest` in time, or of every second day.

    Raises:
        UsageError: a lag, an adjustment or a seed that there is not.
    """

    as_of: date
    window: Window
    max_lag: int = 10
    adjustment: Adjustment = "total"
    seed: int = 0
    currency: str = ""
    align: Align = "date"

    def __post_init__(self) -> None:
        _check_whole("largest lag", self.max_lag, 1)
        _check_whole("seed", self.seed, 0)
        if self.adjustment not in ("total", "price"):
            raise UsageError(f"no adjustment is called {clean(self.adjustment)!r}", "it is total or price")


def _check_whole(what: str, given: object, least: int) -> None:
    if not isinstance(given, (int, np.integer)) or isinstance(given, bool) or given < least:
        raise UsageError(f"the {what} cannot be {clean(given)!r}", f"a whole number from {least} on")


class Alignment(NamedTuple):
    """Which of each leg's closes make up the window.

    Attributes:
        dates: the common days, base included; shape (n + 1,).
        at_a, at_b: their positions in each leg's own series.
        start: the calendar day on which the window starts.
    """

    dates: Days
    at_a: Positions
    at_b: Positions
    start: date


class _Staged(NamedTuple):
    """A pair as it is before anything is computed: both histories as of the day, their common days, their views."""

    sides: tuple[History, History]
    lined_up: Alignment
    pair: PairView
    bars: int

    @property
    def currencies(self) -> tuple[str, str]:
        return self.sides[0].series.facts.currency, self.sides[1].series.facts.currency


def _staged(a: History, b: History, question: Question) -> _Staged:
    sides = receipts.as_of(a, question.as_of), receipts.as_of(b, question.as_of)
    first, second = (side.series for side in sides)
    lined_up = align(first, second, question.window)
    bars = _bars_per_year(lined_up.dates, first.facts, second.facts)
    view_a = _leg_view(sides[0], lined_up.at_a, bars, question.adjustment)
    view_b = _leg_view(sides[1], lined_up.at_b, bars, question.adjustment)
    return _Staged(sides, lined_up, PairView(view_a, view_b, _spread(view_a, view_b)), bars)


def compare(a: History, b: History, question: Question, *, trouble: str = "") -> Comparison:
    """Everything there is to say about the pair A, B; `trouble` is one more warning, of the cache.

    Raises:
        NotEnoughData: fewer than `FEWEST_RETURNS` common returns, or closes that no return can be made of.
    """
    staged = _staged(a, b, question)
    (first, second), dates, returns = staged.sides, staged.lined_up.dates, len(staged.pair.a.returns)
    apart = hours_apart(first.series.facts, second.series.facts, dates)
    lead = _lead(staged, question)
    lead = replace(lead, hours_apart=0.0 if abs(apart) < CLOCK_TOLERANCE else apart)
    lead = verdicts.with_verdict(lead, str(first.series.leg), str(second.series.leg))
    readings = stats.readings(staged.pair, lead, staged.currencies)
    receipt = Receipt(
        a=receipts.leg_receipt(first, dates, staged.lined_up.at_a, question.as_of),
        b=receipts.leg_receipt(second, dates, staged.lined_up.at_b, question.as_of),
        start=staged.lined_up.start,
        base=dates[0].item(),
        end=dates[-1].item(),
        matched=len(dates),
        bars_per_year=staged.bars,
        adjustment=question.adjustment,
        max_lag=lead.max_lag,
        seed=question.seed,
    )
    remarks = (*receipts.warnings(receipt, lead, dates), *_shortened(question, returns, lead.max_lag))
    return Comparison(
        a=first.series.leg,
        b=second.series.leg,
        as_of=receipt.end,
        window=question.window,
        readings=readings,
        leadership=lead,
        claims=verdicts.claims(
            first.series.leg, second.series.leg, {(r.scope, r.statistic.key): r.value for r in readings}
        ),
        receipt=receipt,
        warnings=tuple(text for text in (trouble, *remarks) if text),
    )


def some_readings(a: History, b: History, question: Question, keys: Collection[str]) -> tuple[Reading, ...]:
    """The readings of a few statistics alone; the lead test is made only where one of its numbers is among them.

    Raises:
        NotEnoughData: as `compare` does.
    """
    staged = _staged(a, b, question)
    lead = _lead(staged, question) if any(e.scope == "leadership" and e.key in keys for e in stats.entries()) else None
    return stats.readings(staged.pair, lead, staged.currencies, keys)


def _lead(staged: _Staged, question: Question) -> Leadership:
    a, b = staged.pair.a.returns, staged.pair.b.returns
    return _measured(a, b, min(question.max_lag, len(a) // LAGS_NEED), question.seed)


def _shortened(question: Question, returns: int, max_lag: int) -> list[str]:
    """What was asked for and could not be had in full."""
    found = []
    if question.window.unit == "b" and returns < question.window.count:
        found.append(f"the window holds {plural(returns, 'return')}, not {question.window.count}: there are no more")
    if max_lag < question.max_lag:
        found.append(f"lags to {max_lag} only, not {question.max_lag}: {plural(returns, 'return')} carry no more")
    return found


def align(a: Series, b: Series, window: Window) -> Alignment:
    """The common days of two series inside a window that ends at the last of them.

    The base is the last common day at or before the window's start, so that the returns inside are exactly those
    dated after it; the first common day, if there is none so early.

    Raises:
        NotEnoughData: too few common days.
    """
    dates, at_a, at_b = np.intersect1d(a.dates, b.dates, assume_unique=True, return_indices=True)
    if not len(dates):
        raise NotEnoughData(
            f"{a.leg} and {b.leg} have no day in common: {_days_of(a)}; {_days_of(b)}",
            "compare legs that trade at the same time",
        )
    end: date = dates[-1].item()
    start = window.start(end)
    if window.unit == "b":
        base = max(0, len(dates) - 1 - window.count)
        start = dates[base].item()
    else:
        base = max(0, int(dates.searchsorted(np.datetime64(start), side="right")) - 1)
    n = len(dates) - 1 - base
    if n < FEWEST_RETURNS:
        raise NotEnoughData(
            f"{a.leg} and {b.leg} have {plural(n, 'common return')} from {dates[base]} to {end}, "
            f"{FEWEST_RETURNS} are needed: {_days_of(a)}; {_days_of(b)}"
        )
    return Alignment(dates[base:], at_a[base:], at_b[base:], start)


def _days_of(series: Series) -> str:
    if not len(series):
        return f"{series.leg} has none"
    return f"{series.leg} has {plural(len(series), 'close')}, {series.dates[0]} to {series.dates[-1]}"


def _bars_per_year(dates: Days, a: Facts, b: Facts) -> int:
    """P: by the usual distance of the common days, and by whether both legs trade every day."""
    gap = kernels.usual_gap(dates)
    for least, bars, _ in receipts.FREQUENCIES:
        if gap >= least:
            return bars
    return EVERY_DAY if a.every_day and b.every_day else EXCHANGE_DAYS


def _leg_view(history: History, at: Positions, bars: int, adjustment: Adjustment) -> LegView:
    """One leg, cut at the end of the window; its adjusted closes meet the quoted ones there."""
    series = history.series
    end = int(at[-1]) + 1
    known = replace(series, dates=series.dates[:end], closes=series.closes[:end])
    levels = adjusted(known, adjustment)
    quoted = series.closes[at]
    by_differences = series.facts.by_differences
    scale = series.facts.scale
    if not by_differences and (quoted <= 0).any():
        first = int(np.argmax(quoted <= 0))
        raise NotEnoughData(
            f"{series.leg}: a close of {quoted[first]:g} on {series.dates[at[first]]}; "
            "percentages and logarithms mean nothing from zero or below",
            f"take differences instead, --unit {series.leg}=points, or a window without it: --window, --as-of",
        )
    return LegView(
        quoted=quoted,
        levels=levels[at],
        returns=np.diff(quoted) * scale if by_differences else kernels.simple_returns(levels[at]),
        own_dates=known.dates,
        own_levels=levels,
        own_last=float(series.closes[-1]) - _distributed_since(series, adjustment),
        own_gap=kernels.usual_gap(known.dates[-61:]),
        bars_per_year=bars,
        quote=series.quote,
        by_differences=by_differences,
        scale=scale,
        level_unit=series.facts.unit,
        change_unit=series.facts.change_unit if by_differences else "fraction",
    )


def _distributed_since(series: Series, adjustment: Adjustment) -> float:
    """The cash that has left the price since the last finished close: on the day of a session still unfinished."""
    if adjustment == "price":
        return 0.0
    return sum(e.value for e in series.events if e.kind != "split" and e.day > series.dates[-1])


def _spread(a: LegView, b: LegView) -> Floats:
    """The log ratio ln A - ln B of the adjusted closes; NaN where a leg changes by differences."""
    if a.by_differences or b.by_differences:
        return np.full(len(a.levels), NAN)
    return np.asarray(np.log(a.levels) - np.log(b.levels))


# ---------------------------------------------------------------- leadership


def leadership(a: Floats, b: Floats, max_lag: int = 10, seed: int = 0) -> Leadership:
    """Who leads whom, of two equally long arrays of returns; see `pairwatch.lead`.

    Raises:
        UsageError: not two equally long vectors of finite numbers, or too short for `max_lag`.
    """
    _check_whole("largest lag", max_lag, 1)
    _check_whole("seed", seed, 0)
    try:
        a, b = np.asarray(a, dtype="f8"), np.asarray(b, dtype="f8")
    except (TypeError, ValueError):
        raise UsageError("leadership takes two arrays of returns, and these are not numbers") from None
    if a.ndim != 1 or a.shape != b.shape or not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise UsageError(
            "leadership takes two equally long arrays of finite returns", "drop the missing days of both first"
        )
    longest = len(a) // LAGS_NEED
    if max_lag > longest:
        raise UsageError(
            f"a lag of up to {max_lag} bars cannot be judged from {plural(len(a), 'return')}",
            f"use a largest lag from 1 to {longest}" if longest else "use a longer window",
        )
    return verdicts.with_verdict(_measured(a, b, max_lag, seed), "A", "B")


def _measured(a: Floats, b: Floats, max_lag: int, seed: int) -> Leadership:
    """The leadership without its verdict."""
    found = leads.lead_test(a, b, max_lag, seed)
    correlations = leads.cross_correlations(a, b, max_lag)
    return Leadership(found.lag, found.asymmetry, found.p_value, found.detectable, correlations)


def hours_apart(a: Facts, b: Facts, dates: Days) -> float:
    """How many hours after B's session A's closes, on the day of the window where they are farthest apart.

    NaN where either close is not known. The distance changes within a window when clocks are put forward or back.
    """
    if a.closes_at is None or b.closes_at is None:
        return NAN
    if a.timezone == b.timezone:
        return (a.closes_at - b.closes_at) / 60
    closes = [_close_instants(facts, dates) for facts in (a, b)]
    apart = (closes[0] - closes[1]) / 3600
    return float(apart[np.abs(apart).argmax()])


def _close_instants(facts: Facts, dates: Days) -> Floats:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # noqa: PLC0415 - legs of one zone do without it

    try:
        zone = ZoneInfo(facts.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder of zones
        return np.full(len(dates), NAN)
    midnights = [datetime(d.year, d.month, d.day, tzinfo=zone).timestamp() for d in dates.tolist()]
    return np.array(midnights) + 60.0 * (facts.closes_at or 0)
