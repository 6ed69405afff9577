"""How wide the spread has been, and how long it has been on this side of its mean."""

import math
from typing import NamedTuple

import numpy as np

from pairwatch import kernels
from pairwatch.kernels.cointegration import EXACT
from pairwatch.model import Cell, Column, Heading, Section
from pairwatch.studies.paired import Paired

HEADING = Heading(
    "extremes",
    "extremes of the spread",
    "The plain spread, ln A - ln B or A - B, over the whole history: its ends, and when it last crossed its mean.",
    (
        Column("what", "", "text", "The highest and lowest, the last close, the last one beyond the mean."),
        Column("day", "day", "date", "Its day."),
        Column("value", "value", "unit", "The ratio A / B, adjusted so that the last is as quoted; or A - B."),
        Column("z", "z all", "number", "Its distance from the mean of the whole history in standard deviations."),
        Column("bars", "bars ago", "count", "How many bars have passed since."),
        Column("unit", "", "text", "What the value is counted in."),
    ),
)


class Extremes(NamedTuple):
    """Places of closes.

    Attributes:
        beyond: the last close on the other side of the mean, or exactly there; -1 if there is none.
        crossings: how many times the spread has changed sides.
    """

    highest: int
    lowest: int
    beyond: int
    crossings: int


def extremes(pair: Paired) -> Extremes | None:
    """The plain spread's; None where there is none."""
    spread = pair.spread
    if not np.isfinite(spread).all() or not kernels.sd(spread):
        return None
    # What is left of two legs that are one series twice are the digits of rounding.
    if float(spread.var()) < EXACT * max(float(leg.var()) for leg in pair.log_levels):
        return None
    sides = np.sign(spread - spread.mean())
    others = np.flatnonzero(sides != sides[-1])
    crossings = int(np.count_nonzero(sides[1:] * sides[:-1] < 0))
    return Extremes(int(spread.argmax()), int(spread.argmin()), int(others[-1]) if len(others) else -1, crossings)


def section(pair: Paired, found: Extremes) -> Section:
    """A row an extreme."""
    spread, last = pair.spread, len(pair.days) - 1
    mean, sd = float(spread.mean()), kernels.sd(spread)
    by_differences = pair.pair.a.by_differences
    unit = pair.pair.a.level_unit or "number" if by_differences else "number"

    def row(what: str, at: int) -> tuple[Cell, ...]:
        value = float(spread[at])
        shown = value if by_differences else math.exp(value)
        return what, pair.day(at), shown, (value - mean) / sd, last - at, unit

    places = [("highest", found.highest), ("lowest", found.lowest), ("now", last)]
    if found.beyond >= 0:
        places.append(("last beyond its mean", found.beyond))
    return Section(HEADING, tuple(row(*place) for place in places))
