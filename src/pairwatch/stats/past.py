"""How statistics are told of the past: the same number of every window of the same length, up to today's.

A function registered by `past_of` returns one value for each common bar at which its window, or its span, can end, the
last one today's. Each value knows nothing of what came after it: a window ends where it is dated.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

import numpy as np

from pairwatch.catalogue import LONGEST_PAUSE, MONTHLY, LegView
from pairwatch.kernels import past as kernel
from pairwatch.kernels import simple_returns
from pairwatch.model import NAN, Days, Floats, Positions

F = TypeVar("F", bound=Callable[..., Floats])

_DAY = np.timedelta64(1, "D")


class Past(NamedTuple):
    """How a statistic is told of the past.

    Attributes:
        function: of a `LegPast` or a `PairPast`.
        days: the span that it looks back on, where this is not the window.
        strided: whether it has a value for one bar in `PairPast.step` alone.
    """

    function: Callable[[Any], Floats]
    days: int
    strided: bool


_PASTS: dict[str, Past] = {}


def past_of(statistic: Callable[..., float], *, days: int = 0, strided: bool = False) -> Callable[[F], F]:
    """Register how a statistic is told of the past: by a function of a `LegPast`, or of a `PairPast`."""

    def register(function: F) -> F:
        _PASTS[statistic.__name__] = Past(function, days, strided)
        return function

    return register


def pasts() -> dict[str, Past]:
    """Every statistic that has a past, by its key."""
    return dict(_PASTS)


def step_of(window: int) -> int:
    """Every how many bars what is dear is looked at: neighbouring windows are nearly the same."""
    return max(1, window // 4)


class LegPast:
    """One leg on all common bars up to today's; what several statistics need is computed once.

    Args:
        leg: the leg as of today.
        at: the places of the bars in `leg.own_dates`; shape (N + 1,).
        quoted: its closes of the bars, as quoted.
        window: how many returns a window holds.
    """

    def __init__(self, leg: LegView, at: Positions, quoted: Floats, window: int) -> None:
        self.leg, self.window = leg, window
        self._at = at
        self.quoted = quoted
        levels = leg.own_levels[at]
        # Long ago, before the window, a close from which no percentage can be made may stand.
        self.levels = levels if leg.by_differences else np.where(quoted > 0, levels, NAN)
        self.returns = np.diff(quoted) * leg.scale if leg.by_differences else simple_returns(self.levels)

    # ---------------------------------------------------------------- windows

    @cached_property
    def _moments(self) -> tuple[Floats, Floats, Floats]:
        return kernel.third_moments(self.returns, self.window)

    @property
    def mean(self) -> Floats:
        """The mean return."""
        return self._moments[0]

    @property
    def squares(self) -> Floats:
        """The sum of the returns' squared deviations."""
        return self._moments[1]

    @property
    def cubes(self) -> Floats:
        """The sum of the returns' cubed deviations."""
        return self._moments[2]

    @cached_property
    def sd(self) -> Floats:
        """The standard deviation of the returns."""
        return kernel.deviations(self.squares, np.maximum(self.best, -self.worst), self.window)

    @cached_property
    def best(self) -> Floats:
        """The largest return."""
        return kernel.highest(self.returns, self.window)

    @cached_property
    def worst(self) -> Floats:
        """The smallest return."""
        return kernel.lowest(self.returns, self.window)

    @cached_property
    def total_return(self) -> Floats:
        """The return from a window's base to its end."""
        return np.asarray(self.levels[self.window :] / self.levels[: -self.window] - 1)

    @property
    def downside(self) -> Floats:
        """The root mean square of the negative returns, over all."""
        return np.asarray(np.sqrt(kernel.sums(np.minimum(self.returns, 0) ** 2, self.window) / self.window))

    @property
    def up(self) -> Floats:
        """How many returns are positive."""
        return kernel.sums(np.where(self.returns > 0, 1.0, 0 * self.returns), self.window)

    # ---------------------------------------------------------------- spans of the calendar

    @cached_property
    def days(self) -> Days:
        """The leg's own days of the bars."""
        return self.leg.own_dates[self._at]

    def change_1_day(self) -> Floats:
        """The change from the leg's own close before; of the first one NaN."""
        return self._change_from(self._at - 1)

    def change_since(self, days: Days) -> Floats:
        """The change to each bar from the leg's own last close on or before a day, unless that is too old."""
        own = self.leg.own_dates
        at = own.searchsorted(days, side="right") - 1
        return self._change_from(np.where(days - own[at] > LONGEST_PAUSE, -1, at))

    def _change_from(self, at: Positions) -> Floats:
        """The changes from the closes at these places; NaN for places before the first."""
        leg = self.leg
        own = leg.own_levels if leg.by_differences else np.where(leg.own_levels > 0, leg.own_levels, NAN)
        before, after = own[at], own[self._at]
        change = (after - before) * leg.scale if leg.by_differences else after / before - 1
        return np.where(at >= 0, change, NAN)

    @cached_property
    def calendar(self) -> "Calendar":
        """Of the days; of two legs with the same days, the same one."""
        return Calendar(self.days)

    def months_ago(self, count: int) -> Days:
        """As `LegView.months_ago`, of every bar."""
        ends, same_day = self.calendar.months_ago(count)
        return np.where(self.calendar.ends_a_month, ends, same_day) if self.leg.own_gap >= MONTHLY else same_day


class Calendar:
    """Months before many days."""

    def __init__(self, days: Days) -> None:
        self._days = days
        self._months: Any = days.astype("M8[M]")
        self._into: Any = days - self._months.astype("M8[D]")
        self._known: dict[int, tuple[Days, Days]] = {}

    def months_ago(self, count: int) -> tuple[Days, Days]:
        """The end of the month so many months before each day, and the same day of that month."""
        if count not in self._known:
            month = self._months - count
            end = (month + 1).astype("M8[D]") - _DAY
            self._known[count] = end, np.minimum(month.astype("M8[D]") + self._into, end)
        return self._known[count]

    @cached_property
    def ends_a_month(self) -> Any:
        """Whether no weekday of its month comes after a day."""
        return np.busday_count(self._days + _DAY, (self._months + 1).astype("M8[D]")) == 0


class PairPast:
    """Both legs on all common bars up to today's."""

    def __init__(self, a: LegPast, b: LegPast) -> None:
        self.a, self.b, self.window = a, b, a.window
        self.bars_per_year = a.leg.bars_per_year
        if np.array_equal(a.days, b.days):
            b.calendar = a.calendar

    @property
    def returns(self) -> int:
        """How many common returns there are."""
        return len(self.a.returns)

    @property
    def step(self) -> int:
        """Every how many bars a statistic that is strided has a value."""
        return step_of(self.window)

    @cached_property
    def gap(self) -> Floats:
        """The mean difference of the returns."""
        return self._gap_moments[0]

    @cached_property
    def gap_sd(self) -> Floats:
        """The standard deviation of the difference of the returns."""
        difference = np.abs(self.a.returns - self.b.returns)
        return kernel.deviations(self._gap_moments[1], kernel.highest(difference, self.window), self.window)

    @cached_property
    def _gap_moments(self) -> tuple[Floats, Floats]:
        return kernel.moments(self.a.returns - self.b.returns, self.window)

    @cached_property
    def correlation(self) -> Floats:
        """Pearson's r of the returns."""
        products = kernel.comoments(self.a.returns, self.b.returns, self.window) / (self.window - 1)
        return np.asarray(kernel.quotients(products, self.a.sd * self.b.sd).clip(-1, 1))

    @cached_property
    def beta(self) -> Floats:
        """The slope of A's returns on B's."""
        return self.correlation * kernel.quotients(self.a.sd, self.b.sd)

    # ---------------------------------------------------------------- the spread

    @cached_property
    def spread(self) -> Floats:
        """Ln A - ln B; A - B of legs that change by differences; shape (N + 1,)."""
        a, b = self.a.levels, self.b.levels
        return a - b if self.a.leg.by_differences else np.asarray(np.log(a) - np.log(b))

    @cached_property
    def spread_z(self) -> Floats:
        """How many standard deviations the spread stands from its mean, the base included."""
        return kernel.z_scores(self.spread, self.window + 1)

    @cached_property
    def reversion(self) -> tuple[Floats, Floats]:
        """The slope of the spread's changes on the spread before them, and its standard error; NaN where it is flat."""
        before, change = self.spread[:-1], np.diff(self.spread)
        _, squares = kernel.moments(before, self.window)
        flat = kernel.deviations(squares, kernel.highest(np.abs(before), self.window), self.window) == 0
        products = kernel.comoments(before, change, self.window)
        slope = kernel.quotients(products, np.where(flat, 0.0, squares))
        left = kernel.moments(change, self.window)[1] - slope * products
        error = np.sqrt(kernel.quotients(np.maximum(left, 0) / (self.window - 2), squares))
        return slope, error

    # ---------------------------------------------------------------- some of the bars

    def _where_b(self, sign: int, columns: Sequence[Floats]) -> list[Floats]:
        """How many bars B rose on (sign 1) or fell (-1), and the sums of the columns over them."""
        some = np.where(np.sign(self.b.returns) == sign, 1.0, 0.0 * self.b.returns)
        return [kernel.sums(column, self.window) for column in (some, *(some * column for column in columns))]

    @cached_property
    def _logs(self) -> tuple[Floats, Floats]:
        return np.log1p(self.a.returns), np.log1p(self.b.returns)

    def beta_where_b(self, sign: int) -> Floats:
        """Beta of A on B over the bars on which B rose or fell; NaN from two bars or fewer."""
        a, b = self.a.returns, self.b.returns
        n, sum_a, sum_b, products, squares = self._where_b(sign, (a, b, a * b, b * b))
        n = np.where(n > 2, n, NAN)
        left = squares - sum_b * sum_b / n
        return kernel.quotients(products - sum_a * sum_b / n, np.where(left > 1e-12 * squares, left, NAN))

    def capture_where_b(self, sign: int) -> Floats:
        """A's geometric mean return over B's, over the bars on which B rose or fell."""
        n, sum_a, sum_b = self._where_b(sign, self._logs)
        n = np.where(n > 0, n, NAN)
        return kernel.quotients(np.expm1(sum_a / n), np.expm1(sum_b / n))
