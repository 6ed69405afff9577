"""How statistics enter the catalogue, what they are handed, and how they become readings.

The statistics themselves are in `pairwatch.stats`. What can be said of which leg is decided here, by what a statistic
is registered with, and not in the statistics:

- without `of_differences` it takes returns, or logarithms: it is left out for a leg that changes by differences, as a
  rate does in basis points and a leg declared `points` in its own unit;
- without `of_levels` it is of something that is held: it is left out for a level (payrolls, a price index) and for a
  rate, which nobody can hold. Growth, drawdown, ratio and relative strength need no holder, and are said of a level;
- without `of_two_units` it takes A's changes less B's: it is left out where these are not counted in the same thing.
  So is A minus B of every statistic that is counted as the changes are.

`absent` says what is left out, and why.
"""

from collections.abc import Callable, Collection
from datetime import date, timedelta
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np

from pairwatch.model import (
    NAN,
    Absent,
    Days,
    Floats,
    Leadership,
    Measure,
    Quote,
    Reading,
    Scope,
    Statistic,
    StatisticUnit,
    months_before,
)

# The longest that exchanges stay closed, around new year in Asia; an older close does not stand for a day.
LONGEST_PAUSE = np.timedelta64(10, "D")
# The unit of what has none of its own.
POINTS = "points"
# Neighbours of a daily series are usually no farther apart, in days.
DAILY = 4
# Those of a fortnightly one, and of a monthly one, no nearer than this.
FORTNIGHTLY, MONTHLY = 10, 20


class LegView(NamedTuple):
    """One leg as the statistics see it.

    Attributes:
        quoted: closes as quoted, on the common days of the window, base included; shape (n + 1,).
        levels: the same, adjusted, where the leg changes by fractions; shape (n + 1,).
        returns: shape (n,): fractions, or differences times `scale`.
        own_dates: all the leg's own days up to the end of the window; of the faster of two legs of different
            frequencies, the days of all bars: closes between them do not count.
        own_levels: its closes on them, as `levels`.
        own_last: its own last finished close as quoted, also where the other leg has none yet, less what has been
            distributed since, where the leg changes by fractions.
        own_gap: the usual distance of its days.
        bars_per_year: P.
        by_differences: whether the leg changes by differences, as rates and yields do, and not by fractions.
        scale: what a difference is multiplied with: 100 makes basis points of percent.
        level_unit: what its values are counted in; empty for the currency.
        change_unit: what `returns` are counted in: `fraction`, `bp`, or the unit of its values, else `points`.
        measure: a level or a rate cannot be held, a price or an index can.
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
    measure: Measure = "price"

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

    def months_ago(self, months: int) -> date:
        """The day from which a change over so many months is counted: the same day of the month.

        Months and longer periods that are dated by their ends are counted as periods: from the end of a month.
        """
        day = months_before(self.end, months)
        return _end_of_month(day) if self.own_gap >= MONTHLY and _ends_a_month(self.end) else day

    @property
    def can_be_held(self) -> bool:
        """Whether somebody could own or follow it, and earn its changes."""
        return self.measure in ("price", "index")

    @property
    def end(self) -> date:
        """The day of the last close."""
        day: date = self.own_dates[-1].item()
        return day


def _end_of_month(day: date) -> date:
    in_the_next = day.replace(day=28) + timedelta(days=4)
    return in_the_next - timedelta(days=in_the_next.day)


def _ends_a_month(day: date) -> bool:
    """Whether no weekday of its month comes after it."""
    rest = range(day.day + 1, _end_of_month(day).day + 1)
    return all(day.replace(day=later).weekday() > 4 for later in rest)


class PairView(NamedTuple):
    """Both legs, lined up.

    Attributes:
        spread: ln A - ln B of the adjusted closes; shape (n + 1,), NaN where a leg changes by differences.
    """

    a: LegView
    b: LegView
    spread: Floats

    @property
    def counted_alike(self) -> bool:
        """Whether A's changes less B's mean something: both fractions, or differences counted in the same thing."""
        return self.a.by_differences == self.b.by_differences and counted_alike(self.a.change_unit, self.b.change_unit)


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


def leg_statistic(label: str, unit: StatisticUnit, *, difference: bool = False, **rules: bool) -> Callable[[F], F]:
    """Register a statistic of each leg; with `difference`, A's less B's is reported too.

    The rules are `of_differences`, `of_levels` and `of_now` of `Statistic`; the first two say of which legs it can be
    said, as told above.
    """

    def register(function: F) -> F:
        _LEG.append((_entry(function, "leg", label, unit, has_difference=difference, **rules), function))
        return function

    return register


def pair_statistic(
    label: str, unit: StatisticUnit, *, interval: str = "", slope: Literal["", "a/b", "b/a"] = "", **rules: bool
) -> Callable[[F], F]:
    """Register a statistic of the pair; `interval` names what it is an end of, for outputs that show both together.

    `slope` says of which leg's changes by the other's it is, for its unit.

    The rules are `of_differences`, `of_levels` and `of_two_units` of `Statistic`: of which pairs it can be said, as is
    told above; one leg that it cannot be said of is enough.
    """

    def register(function: F) -> F:
        _PAIR.append((_entry(function, "pair", label, unit, interval=interval, slope=slope, **rules), function))
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
    alike = pair.counted_alike
    return (
        *a,
        *b,
        *(_difference(x, y, alike=alike) for x, y in zip(a, b, strict=True) if x.statistic.has_difference),
        *(_of_pair(entry, function, pair) for entry, function in of_pair),
        *(Reading(entry, "leadership", f(leadership), entry.unit) for entry, f in of_lead if leadership),
    )


def _of_leg(entry: Statistic, function: LegFunction, view: LegView, scope: Scope, currency: str) -> Reading:
    value = NAN if _obstacle_of_leg(entry, view) else function(view)
    return Reading(entry, scope, value, _leg_unit(entry, view, currency))


def _difference(a: Reading, b: Reading, *, alike: bool) -> Reading:
    can_be_said = alike or not _is_counted_as_changes(a.statistic)
    return Reading(a.statistic, "difference", a.value - b.value if can_be_said else NAN, a.unit)


def _of_pair(entry: Statistic, function: PairFunction, pair: PairView) -> Reading:
    value = NAN if _obstacle_of_pair(entry, pair) else function(pair)
    return Reading(entry, "pair", value, _pair_unit(entry, pair))


def _pair_unit(entry: Statistic, pair: PairView) -> str:
    """The unit of the pair's value: basis points for the changes of two rates, both for a slope of two units."""
    units = pair.a.change_unit, pair.b.change_unit
    if _is_counted_as_changes(entry):
        return units[0] if units[0] == units[1] else "fraction"
    if entry.slope and units[0] != units[1]:
        of, by = ("100 %" if unit == "fraction" else unit for unit in units[:: 1 if entry.slope == "a/b" else -1])
        return f"{of} per {by}"
    return entry.unit


def _leg_unit(entry: Statistic, view: LegView, currency: str) -> str:
    """The unit of one leg's value: its currency, and basis points for the changes of a rate."""
    if entry.unit == "currency":
        return view.level_unit or currency
    return view.change_unit if _is_counted_as_changes(entry) else entry.unit


def _is_counted_as_changes(entry: Statistic) -> bool:
    return entry.unit in ("return", "deviation")


# ---------------------------------------------------------------- what cannot be said


def counted_alike(one: str, other: str) -> bool:
    """Whether two units of changes are the same and mean the same: points of one thing are not those of another."""
    return one == other != POINTS


def absent(pair: PairView) -> tuple[Absent, ...]:
    """What the catalogue leaves out for these legs, by its rules and not for want of data: keys in its order, and why.

    For each scope (`a`, `b`, `difference`, `pair`) one `Absent` a reason; nothing where both legs change in percent and
    can be held. A minus B is left out where the statistic is left out for either leg, too.
    """
    a, b = pair.a, pair.b
    if not any(leg.by_differences or not leg.can_be_held for leg in (a, b)):
        return ()
    both = [entry for entry, _ in _LEG if entry.has_difference]
    found: list[tuple[Scope, str, str]] = [
        *(("a", entry.key, _obstacle_of_leg(entry, a)) for entry, _ in _LEG),
        *(("b", entry.key, _obstacle_of_leg(entry, b)) for entry, _ in _LEG),
        *(("difference", entry.key, _obstacle_of_difference(entry, pair)) for entry in both),
        *(("pair", entry.key, _obstacle_of_pair(entry, pair)) for entry, _ in _PAIR),
    ]
    grouped: dict[tuple[Scope, str], list[str]] = {}
    for scope, key, because in found:
        if because:
            grouped.setdefault((scope, because), []).append(key)
    return tuple(Absent(scope, tuple(keys), because) for (scope, because), keys in grouped.items())


def _obstacle_of_leg(entry: Statistic, leg: LegView) -> str:
    """Why it cannot be said of the leg; empty where it can."""
    if leg.by_differences and not entry.of_differences:
        what = "a rate" if leg.measure == "rate" else f"a leg in {leg.change_unit}"
        how = f"in {_unit_in_words(leg)}" if leg.measure == "rate" else "by differences"
        return f"{what} changes {how}, not in percent"
    return "" if entry.of_levels or leg.can_be_held else f"a {leg.measure} cannot be held"


def _obstacle_of_difference(entry: Statistic, pair: PairView) -> str:
    unlike = _unlike(pair) if _is_counted_as_changes(entry) else ""
    return _obstacle_of_leg(entry, pair.a) or _obstacle_of_leg(entry, pair.b) or unlike


def _obstacle_of_pair(entry: Statistic, pair: PairView) -> str:
    unlike = "" if entry.of_two_units else _unlike(pair)
    return _obstacle_of_leg(entry, pair.a) or _obstacle_of_leg(entry, pair.b) or unlike


def _unlike(pair: PairView) -> str:
    """Why A's changes less B's mean nothing; empty where they do."""
    if pair.counted_alike:
        return ""
    a, b = _unit_in_words(pair.a), _unit_in_words(pair.b)
    if a == b:
        return f"both legs change in {a}, which need not be the same"
    return f"one leg changes in {a}, the other in {b}"


def _unit_in_words(leg: LegView) -> str:
    if not leg.by_differences:
        return "percent"
    return "basis points" if leg.change_unit == "bp" else leg.change_unit
