"""Two histories, lined up and compared."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, NamedTuple, get_args

import numpy as np

from pairwatch import catalogue, kernels, receipts, stats, verdicts
from pairwatch import lead as leads
from pairwatch.alignment import Alignment, align
from pairwatch.catalogue import LegView, PairView
from pairwatch.clocks import CLOCK_TOLERANCE, hours_apart
from pairwatch.errors import NotEnoughData, UsageError
from pairwatch.histories import History, adjusted
from pairwatch.model import (
    NAN,
    Absent,
    Adjustment,
    Align,
    Comparison,
    Floats,
    Leadership,
    Positions,
    Reading,
    Receipt,
    Scope,
    Series,
    Window,
)
from pairwatch.stats import legs
from pairwatch.text import clean, listing, plural

# A lag of L bars is judged from 3 L returns or more.
LAGS_NEED = 3


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
        UsageError: a lag, an adjustment, a seed or a way to line up that there is not.
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
        if self.align not in get_args(Align):
            raise UsageError(f"closes cannot be lined up by {clean(self.align)!r}", f"it is {listing(get_args(Align))}")


def _check_whole(what: str, given: object, least: int) -> None:
    if not isinstance(given, (int, np.integer)) or isinstance(given, bool) or given < least:
        raise UsageError(f"the {what} cannot be {clean(given)!r}", f"a whole number from {least} on")


class _Staged(NamedTuple):
    """A pair as it is before anything is computed: both histories as of the day, their common days, their views."""

    sides: tuple[History, History]
    lined_up: Alignment
    pair: PairView

    @property
    def currencies(self) -> tuple[str, str]:
        return self.sides[0].series.facts.currency, self.sides[1].series.facts.currency


def _staged(a: History, b: History, question: Question) -> _Staged:
    sides = receipts.as_of(a, question.as_of), receipts.as_of(b, question.as_of)
    first, second = (side.series for side in sides)
    lined_up = align(first, second, question.window, question.align)
    view_a = _leg_view(sides[0], lined_up, 0, question.adjustment)
    view_b = _leg_view(sides[1], lined_up, 1, question.adjustment)
    return _Staged(sides, lined_up, PairView(view_a, view_b, _spread(view_a, view_b)))


def compare(a: History, b: History, question: Question, *, trouble: str = "") -> Comparison:
    """Everything there is to say about the pair A, B; `trouble` is one more warning, of the cache.

    Raises:
        NotEnoughData: fewer than `FEWEST_RETURNS` common returns, or closes that no return can be made of.
        UsageError: legs that cannot be lined up in the way that is asked for.
    """
    staged = _staged(a, b, question)
    first, second = staged.sides
    lead = _judged(_lead(staged, question), staged)
    readings = stats.readings(staged.pair, lead, staged.currencies)
    receipt = _receipt(staged, question, lead.max_lag)
    shortened = _shortened(question, receipt.matched - 1, lead.max_lag)
    remarks = (*receipts.warnings(receipt, lead, staged.lined_up), *shortened)
    return Comparison(
        a=first.series.leg,
        b=second.series.leg,
        as_of=receipt.end,
        window=question.window,
        readings=readings,
        leadership=lead,
        claims=verdicts.claims(
            first.series.leg,
            second.series.leg,
            {(r.scope, r.statistic.key): r.value for r in readings},
            (first.series.facts, second.series.facts),
            receipt.bars_per_year,
        ),
        receipt=receipt,
        warnings=tuple(text for text in (trouble, *remarks) if text),
    )


def _receipt(staged: _Staged, question: Question, max_lag: int) -> Receipt:
    (first, second), lined_up = staged.sides, staged.lined_up
    return Receipt(
        a=receipts.leg_receipt(first, lined_up.dates, lined_up.lost[0], question.as_of),
        b=receipts.leg_receipt(second, lined_up.dates, lined_up.lost[1], question.as_of),
        start=lined_up.start,
        base=lined_up.dates[0].item(),
        end=lined_up.dates[-1].item(),
        matched=len(lined_up.dates),
        bars_per_year=lined_up.bars_per_year,
        adjustment=question.adjustment,
        max_lag=max_lag,
        seed=question.seed,
        align=question.align,
        lined_up=lined_up.lined_up,
        absent=(*catalogue.absent(staged.pair), *_too_early(staged)),
    )


def some_readings(a: History, b: History, question: Question, keys: Collection[str]) -> tuple[Reading, ...]:
    """The readings of a few statistics alone; the lead test is made only where one of its numbers is among them.

    Raises:
        NotEnoughData, UsageError: as `compare` does.
    """
    staged = _staged(a, b, question)
    lead = _lead(staged, question) if any(e.scope == "leadership" and e.key in keys for e in stats.entries()) else None
    return stats.readings(staged.pair, lead, staged.currencies, keys)


def _lead(staged: _Staged, question: Question) -> Leadership:
    a, b = staged.pair.a.returns, staged.pair.b.returns
    return _measured(a, b, min(question.max_lag, len(a) // LAGS_NEED), question.seed)


def _judged(lead: Leadership, staged: _Staged) -> Leadership:
    """The leadership with its verdict; neither the legs' clocks nor a period's average are called a leader."""
    (a, b), lined_up = (side.series for side in staged.sides), staged.lined_up
    apart = hours_apart(a.facts, b.facts, a.dates[lined_up.at_a], b.dates[lined_up.at_b], lead.lag)
    lead = replace(lead, hours_apart=0.0 if abs(apart) < CLOCK_TOLERANCE else apart, average=lined_up.average)
    return verdicts.with_verdict(lead, str(a.leg), str(b.leg))


def _shortened(question: Question, returns: int, max_lag: int) -> list[str]:
    """What was asked for and could not be had in full."""
    found = []
    if question.window.unit == "b" and returns < question.window.count:
        found.append(f"the window holds {plural(returns, 'return')}, not {question.window.count}: there are no more")
    if max_lag < question.max_lag:
        found.append(f"lags to {max_lag} only, not {question.max_lag}: {plural(returns, 'return')} carry no more")
    return found


def _too_early(staged: _Staged) -> tuple[Absent, ...]:
    """The changes for which a leg's history begins too late."""
    (a, b), pair = (side.series for side in staged.sides), staged.pair
    found: list[tuple[Scope, Series, LegView]] = [("a", a, pair.a), ("b", b, pair.b)]
    return tuple(
        Absent(scope, keys, f"{series.leg} begins on {series.dates[0]}")
        for scope, series, view in found
        if (keys := legs.before(view, series.dates[0].item()))
    )


def _leg_view(history: History, lined_up: Alignment, side: Literal[0, 1], adjustment: Adjustment) -> LegView:
    """One leg, cut at the end of the window; its adjusted closes meet the quoted ones there.

    A leg that changes by differences has no others than the quoted: a difference of closes with distributions
    reinvested is counted in nothing. Of the faster of two legs, the closes of the bars are all that count.
    """
    series, every = history.series, lined_up.every
    at = (lined_up.at_a, lined_up.at_b)[side]
    end = int(at[-1]) + 1
    known = replace(series, dates=series.dates[:end], closes=series.closes[:end])
    quoted = series.closes[at]
    by_differences = series.facts.by_differences
    adjustment = "price" if by_differences else adjustment
    levels = adjusted(known, adjustment)
    scale = series.facts.scale
    if not by_differences:
        _check_positive(series, at)
    own_dates, own_levels = known.dates, levels
    if lined_up.average == (1, -1)[side]:
        own_dates, own_levels = every.dates, levels[(every.at_a, every.at_b)[side]]
    return LegView(
        quoted=quoted,
        levels=levels[at],
        returns=np.diff(quoted) * scale if by_differences else kernels.simple_returns(levels[at]),
        own_dates=own_dates,
        own_levels=own_levels,
        own_last=float(series.closes[-1]) - _distributed_since(series, adjustment),
        own_gap=kernels.usual_gap(own_dates[-61:]),
        bars_per_year=lined_up.bars_per_year,
        quote=series.quote,
        by_differences=by_differences,
        scale=scale,
        level_unit=series.facts.unit,
        change_unit=series.facts.change_unit,
        measure=series.facts.measure,
    )


def _check_positive(series: Series, at: Positions) -> None:
    quoted = series.closes[at]
    if (quoted <= 0).any():
        first = int(np.argmax(quoted <= 0))
        raise NotEnoughData(
            f"{series.leg}: a close of {quoted[first]:g} on {series.dates[at[first]]}; "
            "percentages and logarithms mean nothing from zero or below",
            f"take differences instead, --unit {series.leg}=points, or a window without it: --window, --as-of",
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
