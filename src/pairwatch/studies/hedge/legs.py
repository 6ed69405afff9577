"""What the parts of the study have in common: the legs' names and units, and how a finding writes a number."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from pairwatch.catalogue import LegView
from pairwatch.kernels import sd
from pairwatch.kernels.effectiveness import Estimate
from pairwatch.model import NAN, ColumnUnit, Floats, Heading, Positions
from pairwatch.studies.paired import Paired
from pairwatch.text import plural

# A longer symbol does not stand over a column, nor in a row's name.
LONGEST = 10
# From so many bars a year on, bars are days.
DAILY = 200
# A ratio that is smaller is zero.
ROUNDING = 1e-12


class Sides(NamedTuple):
    """A pair for this study.

    Attributes:
        a, b: changes; shape (n,).
        names: the legs as findings name them.
        short: as rows and columns do: symbols, or A and B where these are long or the same.
    """

    pair: Paired
    a: Floats
    b: Floats
    names: tuple[str, str]
    short: tuple[str, str]

    @property
    def views(self) -> tuple[LegView, LegView]:
        """A and B as statistics see them."""
        return self.pair.pair.a, self.pair.pair.b

    @property
    def changes(self) -> tuple[Floats, Floats]:
        """Those of A and of B."""
        return self.a, self.b

    @property
    def still(self) -> str:
        """Which leg never moves, and over how many bars, or nothing: beside such a leg there is no hedge."""
        for name, changes in zip(self.names, self.changes, strict=True):
            if not sd(changes):
                bars = plural(len(changes), "bar")
                return (
                    f"{name} changes by the same in all {bars}"
                    if changes.any()
                    else (f"{name} does not move in {bars}")
                )
        return ""

    @property
    def bar(self) -> str:
        """What a bar is called: `day`, or `bar` where it is longer."""
        return "day" if self.pair.bars_per_year >= DAILY else "bar"

    def worst(self, side: int, count: int, *, named: bool = True) -> str:
        """`QQQ's 10 worst days`; the largest falls of what nobody holds, whose fall is no loss."""
        name = (self.names if named else self.short)[side]
        return f"{name}'s {count} {f'worst {self.bar}s' if self.views[side].can_be_held else 'largest falls'}"

    @property
    def can_be_traded(self) -> bool:
        """Whether both legs can be held."""
        return all(view.can_be_held for view in self.views)

    def labelled(self, heading: Heading) -> Heading:
        """The heading of this pair: with the legs' names, and in the units of their changes.

        Columns `a` and `b` are of the legs, `hedged` and `return` are counted as A is.
        """
        units = [column_unit(view) for view in self.views]
        labels = {"a": self.short[0], "b": self.short[1]}
        by_key = {"a": units[0], "hedged": units[0], "return": units[0], "b": units[1]}
        if units[0] != "return":
            by_key["volatility"] = units[0]
        columns = tuple(
            column._replace(label=labels.get(column.key, column.label), unit=by_key.get(column.key, column.unit))
            for column in heading.columns
        )
        return heading._replace(columns=columns)


def sides(pair: Paired) -> Sides:
    """The pair with names for its legs."""
    names = str(pair.legs[0]), str(pair.legs[1])
    symbols = pair.legs[0].symbol, pair.legs[1].symbol
    fits = symbols[0] != symbols[1] and all(len(symbol) <= LONGEST for symbol in symbols)
    return Sides(pair, pair.pair.a.returns, pair.pair.b.returns, names, symbols if fits else ("A", "B"))


def column_unit(view: LegView) -> ColumnUnit:
    """What the leg's changes are counted in, as columns have it."""
    return {"fraction": "return", "bp": "bp"}.get(view.change_unit, "number")  # type: ignore[return-value]


def growth(sides: Sides) -> Floats:
    """By what a position in B grows each bar beside one of A, left alone; 1 where that means nothing."""
    if not sides.can_be_traded:
        return np.ones(len(sides.a))
    parts = [np.ones(len(x)) if v.by_differences else 1 + x for v, x in zip(sides.views, sides.changes, strict=True)]
    return np.asarray(parts[1] / parts[0])


def per_unit(view: LegView, at: Positions) -> Floats:
    """By what a leg changes when its value doubles, in what its changes are counted in: 1 of what changes by fractions.

    NaN where the leg is at zero or below, of which nothing is a share.
    """
    if not view.by_differences:
        return np.ones(len(at))
    return np.asarray(np.where(view.levels[at] > 0, view.levels[at] * view.scale, NAN))


# ---------------------------------------------------------------- numbers in findings


def amount(value: float, view: LegView) -> str:
    """A change of a leg: `-7.9%`, `+12.0 bp`."""
    if not math.isfinite(value):
        return "unknown"
    if view.change_unit == "fraction":
        return f"{100 * value:+z.1f}%"
    return f"{value:+z.1f} bp" if view.change_unit == "bp" else f"{value:+z.3g} {view.change_unit}"


def each(view: LegView) -> tuple[float, str]:
    """What a slope on a leg is told for: 1% of it, or one of what its changes are counted in."""
    if view.change_unit == "fraction":
        return 0.01, "1%"
    return 1.0, f"1 {view.change_unit}"


def size(value: float, view: LegView) -> str:
    """What has no direction, as a volatility, in what the leg's changes are counted in: `7.9%`, `12.0 bp`."""
    return amount(value, view).removeprefix("+")


def share(value: float) -> str:
    """A share: `48%`."""
    return f"{100 * value:z.0f}%" if math.isfinite(value) else "unknown"


def shares(found: Estimate) -> str:
    """An interval of shares: `[40%, 55%]`."""
    return between(found, share)


def between(found: Estimate, written: Callable[[float], str]) -> str:
    """An interval: `[40%, 55%]`, or that there is none."""
    known = math.isfinite(found.low) and math.isfinite(found.high)
    return f"[{written(found.low)}, {written(found.high)}]" if known else "(no interval can be said)"


def alike(value: float) -> Callable[[float], str]:
    """A writer of a number and of the ends of its interval: two decimals, or as many as show two of its own digits."""
    whole = not math.isfinite(value) or abs(value) >= 0.1 or abs(value) < ROUNDING
    digits = 2 if whole else 1 - math.floor(math.log10(abs(value)))

    def written(each: float) -> str:
        return f"{each:z.{digits}f}" if math.isfinite(each) else "unknown"

    return written


def plain(value: float) -> str:
    """A ratio: two decimals, or three significant digits where those would hide it."""
    if not math.isfinite(value):
        return "unknown"
    return f"{value:z.2f}" if abs(value) >= 0.1 or abs(value) < ROUNDING else f"{value:.3g}"
