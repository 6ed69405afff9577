"""Two histories as of a day, lined up: what every question about a pair begins with."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, NamedTuple, Self, TypeAlias, get_args

import numpy as np

from pairwatch import kernels, receipts
from pairwatch.alignment import Alignment, align
from pairwatch.catalogue import LegView, PairView
from pairwatch.errors import NotEnoughData, UsageError
from pairwatch.histories import History, adjusted
from pairwatch.model import NAN, Absent, Adjustment, Align, Floats, Leg, Positions, Receipt, Series, Window
from pairwatch.text import clean, listing

# The windows that pairs have of their own.
Windows: TypeAlias = Mapping[tuple[Leg, Leg], Window]


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
        check_whole("largest lag", self.max_lag, 1)
        check_whole("seed", self.seed, 0)
        if self.adjustment not in ("total", "price"):
            raise UsageError(f"no adjustment is called {clean(self.adjustment)!r}", "it is total or price")
        if self.align not in get_args(Align):
            raise UsageError(f"closes cannot be lined up by {clean(self.align)!r}", f"it is {listing(get_args(Align))}")

    def of(self, a: Leg, b: Leg, windows: Windows) -> Self:
        """The same, asked of a pair that may have a window of its own."""
        own = windows.get((a, b))
        return replace(self, window=own) if own else self


def check_whole(what: str, given: object, least: int) -> None:
    """Raise `UsageError` unless it is a whole number from `least` on."""
    if not isinstance(given, (int, np.integer)) or isinstance(given, bool) or given < least:
        raise UsageError(f"the {what} cannot be {clean(given)!r}", f"a whole number from {least} on")


class Staged(NamedTuple):
    """A pair as it is before anything is computed: both histories as of the day, their common days, their views."""

    sides: tuple[History, History]
    lined_up: Alignment
    pair: PairView

    @property
    def currencies(self) -> tuple[str, str]:
        """What either leg's closes are in."""
        return self.sides[0].series.facts.currency, self.sides[1].series.facts.currency


def staged(a: History, b: History, question: Question, *, without: str = "--window, --as-of") -> Staged:
    """Both legs as they stood on a day, with the bars of the window.

    Args:
        without: the options that leave out bars of which no return can be made.

    Raises:
        NotEnoughData: too few common returns, or closes that no return can be made of.
        UsageError: legs that cannot be lined up in the way that is asked for.
    """
    sides = receipts.as_of(a, question.as_of), receipts.as_of(b, question.as_of)
    first, second = (side.series for side in sides)
    lined_up = align(first, second, question.window, question.align)
    view_a = _leg_view(sides[0], lined_up, 0, question.adjustment, without)
    view_b = _leg_view(sides[1], lined_up, 1, question.adjustment, without)
    return Staged(sides, lined_up, PairView(view_a, view_b, _spread(view_a, view_b)))


def receipt(staged: Staged, question: Question, max_lag: int, absent: tuple[Absent, ...] = ()) -> Receipt:
    """What is said of a staged pair rests on this."""
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
        absent=absent,
    )


def _leg_view(
    history: History, lined_up: Alignment, side: Literal[0, 1], adjustment: Adjustment, without: str
) -> LegView:
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
        _check_positive(series, at, without)
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


def _check_positive(series: Series, at: Positions, without: str) -> None:
    quoted = series.closes[at]
    if (quoted <= 0).any():
        first = int(np.argmax(quoted <= 0))
        raise NotEnoughData(
            f"{series.leg}: a close of {quoted[first]:g} on {series.dates[at[first]]}; "
            "percentages and logarithms mean nothing from zero or below",
            f"take differences instead, --unit {series.leg}=points, or leave it out: {without}",
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
