"""How statistics enter the catalogue, what they are handed, and how they become readings.

The statistics themselves are in `pairwatch.stats`.
"""

from collections.abc import Callable, Collection
from datetime import date
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np

from pairwatch.model import NAN, Days, Floats, Leadership, Quote, Reading, Scope, Statistic, StatisticUnit

# The longest that exchanges stay closed, around new year in Asia; an older close does not stand for a day.
LONGEST_PAUSE = np.timedelta64(10, "D")
# Neighbours of a daily series are usually no farther apart, in days.
DAILY = 4


class LegView(NamedTuple):
    """One leg as the statistics see it.

    Attributes:
        quoted: closes as quoted, on the common days of the window, base included; shape (n + 1,).
        levels: the same, adjusted; shape (n + 1,).
        returns: shape (n,): fractions, or differences times `scale`.
        own_dates: all the leg's own days up to the end of the window.
        own_levels: its adjusted closes on them.
        own_last: its own last finished close as quoted, also where the other leg has none yet, less what has been
            distributed since.
        own_gap: the usual distance of its days.
        bars_per_year: P.
        by_differences: whether the leg changes by differences, as rates and yields do, and not by fractions.
        scale: what a difference is multiplied with: 100 makes basis points of percent.
        level_unit, change_unit: what its values and its differences are counted in.
    """

    quoted: Floats
    levels: Floats
    returns: Floats
    own_dates: Days
    own_levels: Floats
    own_last: float
    own_gap: int
    bars_per_year: int
    quote: Quote | None = None
    by_differences: bool = False
    scale: float = 1.0
    level_unit: str = ""
    change_unit: str = "fraction"

    def change_since(self, day: date) -> float:
        """The change to the last close from the leg's own last close on or before `day`.

        NaN where that close is too old to stand for the day.
        """
        at = int(self.own_dates.searchsorted(np.datetime64(day), side="right")) - 1
        if at < 0 or np.datetime64(day) - self.own_dates[at] > LONGEST_PAUSE:
            return NAN
        return self.change(float(self.own_levels[at]), float(self.own_levels[-1]))

    def change(self, before: float, after: float) -> float:
        """A fraction, NaN from zero or below; or the difference in `change_unit`."""
        if self.by_differences:
            return (after - before) * self.scale
        return after / before - 1 if before > 0 else NAN

    @property
    def end(self) -> date:
        """The day of the last close."""
        day: date = self.own_dates[-1].item()
        return day


class PairView(NamedTuple):
    """Both legs, lined up.

    Attributes:
        spread: ln A - ln B of the adjusted closes; shape (n + 1,), NaN where a leg changes by differences.
    """

    a: LegView
    b: LegView
    spread: Floats


LegFunction = Callable[[LegView], float]
PairFunction = Callable[[PairView], float]
LeadFunction = Callable[[Leadership], float]
F = TypeVar("F", bound=Callable[..., float])

_LEG: list[tuple[Statistic, LegFunction]] = []
_PAIR: list[tuple[Statistic, PairFunction]] = []
_LEADERSHIP: list[tuple[Statistic, LeadFunction]] = []


def _entry(
    function: Callable[..., float],
    scope: Literal["leg", "pair", "leadership"],
    label: str,
    unit: StatisticUnit,
    **more: Any,
) -> Statistic:
    """The catalogue's line for a function, its docstring taken apart."""
    meaning, _, rest = (function.__doc__ or "").partition("\n\n")
    formula, _, source = rest.partition("Source:")
    meaning, formula, source = (" ".join(part.split()).rstrip(".") for part in (meaning, formula, source))
    return Statistic(
        function.__name__, scope, label, unit, meaning, formula.removeprefix("Formula: ").rstrip("."), source, **more
    )


def leg_statistic(
    label: str, unit: StatisticUnit, *, difference: bool = False, of_rates: bool = True, of_now: bool = False
) -> Callable[[F], F]:
    """Register a statistic of each leg; with `difference`, A's less B's is reported too.

    Without `of_rates` it is left out for a rate or a yield, which changes by differences and not by percentages; with
    `of_now` it is of the latest price, and not of finished closes.
    """

    def register(function: F) -> F:
        more = {"has_difference": difference, "of_rates": of_rates, "of_now": of_now}
        _LEG.append((_entry(function, "leg", label, unit, **more), function))
        return function

    return register


def pair_statistic(label: str, unit: StatisticUnit, *, interval: str = "", of_rates: bool = True) -> Callable[[F], F]:
    """Register a statistic of the pair; `interval` names what it is an end of, for outputs that show both together.

    Without `of_rates` it is left out where either leg is a rate.
    """

    def register(function: F) -> F:
        _PAIR.append((_entry(function, "pair", label, unit, interval=interval, of_rates=of_rates), function))
        return function

    return register


def leadership_statistic(label: str, unit: StatisticUnit) -> Callable[[F], F]:
    """Register a statistic of the leadership."""

    def register(function: F) -> F:
        _LEADERSHIP.append((_entry(function, "leadership", label, unit), function))
        return function

    return register


def entries() -> tuple[Statistic, ...]:
    """Every registered statistic, in the order of every output."""
    return tuple(entry for entry, _ in (*_LEG, *_PAIR, *_LEADERSHIP))


def readings(
    pair: PairView, leadership: Leadership | None, currencies: tuple[str, str], keys: Collection[str] | None = None
) -> tuple[Reading, ...]:
    """The value of every statistic, or of those in `keys`: of A, of B, of A minus B, of the pair, of the leadership.

    Without a leadership its statistics are left out.
    """
    of_leg = [one for one in _LEG if keys is None or one[0].key in keys]
    of_pair = [one for one in _PAIR if keys is None or one[0].key in keys]
    of_lead = [one for one in _LEADERSHIP if keys is None or one[0].key in keys]
    a = [_of_leg(entry, function, pair.a, "a", currencies[0]) for entry, function in of_leg]
    b = [_of_leg(entry, function, pair.b, "b", currencies[1]) for entry, function in of_leg]
    return (
        *a,
        *b,
        *(_difference(x, y) for x, y in zip(a, b, strict=True) if x.statistic.has_difference),
        *(_of_pair(entry, function, pair) for entry, function in of_pair),
        *(Reading(entry, "leadership", f(leadership), entry.unit) for entry, f in of_lead if leadership),
    )


def _of_leg(entry: Statistic, function: LegFunction, view: LegView, scope: Scope, currency: str) -> Reading:
    value = function(view) if entry.of_rates or not view.by_differences else NAN
    return Reading(entry, scope, value, _leg_unit(entry, view, currency))


def _difference(a: Reading, b: Reading) -> Reading:
    return Reading(a.statistic, "difference", a.value - b.value if a.unit == b.unit else NAN, a.unit)


def _of_pair(entry: Statistic, function: PairFunction, pair: PairView) -> Reading:
    value = function(pair) if entry.of_rates or not (pair.a.by_differences or pair.b.by_differences) else NAN
    return Reading(entry, "pair", value, _pair_unit(entry, pair))


def _pair_unit(entry: Statistic, pair: PairView) -> str:
    """The unit of the pair's value: basis points for the changes of two rates."""
    if entry.unit in ("return", "deviation"):
        return pair.a.change_unit if pair.a.change_unit == pair.b.change_unit else "fraction"
    return entry.unit


def _leg_unit(entry: Statistic, view: LegView, currency: str) -> str:
    """The unit of one leg's value: its currency, and basis points for the changes of a rate."""
    if entry.unit == "currency":
        return view.level_unit or currency
    if entry.unit in ("return", "deviation"):
        return view.change_unit
    return entry.unit
