"""What the hedge did when it was needed: on each leg's worst days, and from the peaks to the troughs."""

from typing import NamedTuple

import numpy as np

from pairwatch.kernels import sd, slope
from pairwatch.kernels.effectiveness import deepest_drawdowns
from pairwatch.model import NAN, Cell, Column, Floats, Heading, Positions, Section
from pairwatch.studies.hedge.held import LEAST_HELD, Ratios
from pairwatch.studies.hedge.legs import Sides

DAYS, FALLS = 10, 5

_A = Column("a", "A", "return", "What A did.")
_B = Column("b", "B", "return", "What B did.")
_RATIO = Column("ratio", "ratio", "number", "The ratio known at the close before.", wide=True)

DAYS_HEADING = Heading(
    "worst_days",
    "the ten worst days of each leg",
    "The days, or longer bars, of the lowest changes of A, and of B, for which a ratio was known; and their means "
    "beside what the usual relation gives for such days. Of what nobody holds they are its largest falls.",
    (
        Column(
            "which",
            "",
            "text",
            "Whose worst day it is, counted from the worst. Mean: of these days. Usual: their mean, had the other leg "
            "moved as on all days: by its beta over the whole history.",
        ),
        Column("day", "day", "date", "The day of the change."),
        _A,
        _B,
        Column("hedged", "hedged", "return", "a - h b, with the ratio h known at the close before."),
        _RATIO._replace(wide=False),
    ),
)
FALLS_HEADING = Heading(
    "drawdowns",
    "the five deepest falls of each leg",
    "From each peak to its trough, none within another; known as such in hindsight only.",
    (
        Column("which", "", "text", "Whose fall it is, counted from the deepest."),
        Column("peak", "peak", "date", "The day of the close before the fall."),
        Column("trough", "trough", "date", "The day of its lowest close."),
        Column("recovered", "recovered", "date", "The first day at or above the peak again; empty where none is yet."),
        _A,
        _B,
        Column(
            "hedged",
            "hedged",
            "return",
            "A's change from peak to trough less h times B's: units bought and sold at the peak and left alone, by the "
            "ratio h known at the peak's close.",
        ),
        _RATIO._replace(meaning="The ratio known at the peak's close; nothing where there were too few bars before."),
    ),
)


class Worst(NamedTuple):
    """The means of a leg's worst days.

    Attributes:
        bars: how many.
        a, b, hedged: as they were.
        usual: the hedged position, had the other leg moved as on all days.
    """

    bars: int
    a: float
    b: float
    hedged: float
    usual: float


NO_DAYS = Worst(0, NAN, NAN, NAN, NAN)


def days(sides: Sides, ratios: Ratios) -> tuple[Section, tuple[Worst, Worst]]:
    """Both legs' worst days, and their means."""
    a, b = sides.changes
    known = ratios.known[:-1]
    hedged = a - known * b
    at = np.flatnonzero(np.isfinite(known))
    too_few = len(at) < LEAST_HELD
    if too_few:
        at = np.arange(len(a))
    rows: list[tuple[Cell, ...]] = []
    means = []
    for side, name in enumerate(sides.short):
        own = sides.changes[side]
        if not sd(own):
            means.append(NO_DAYS)
            continue
        worst = at[np.argsort(own[at], kind="stable")[:DAYS]]
        rows += [
            (f"{name} {rank}", sides.pair.day(t + 1), float(a[t]), float(b[t]), float(hedged[t]), float(known[t]))
            for rank, t in enumerate(worst.tolist(), 1)
        ]
        mean = _means(sides, side, worst, hedged, known)
        other = slope(own, sides.changes[1 - side]) * float(own[worst].mean())
        usual = (mean.a, other) if side == 0 else (other, mean.b)
        rows.append((f"{name} mean", None, mean.a, mean.b, mean.hedged, float(known[worst].mean())))
        rows.append((f"{name} usual", None, *usual, mean.usual, NAN))
        means.append(mean)
    few = (f"too few bars for a ratio that was known before these {sides.bar}s",) if too_few else ()
    notes = (sides.still,) if sides.still else few
    title = ", and ".join(sides.worst(side, DAYS, named=False) for side in (0, 1))
    return Section(sides.labelled(DAYS_HEADING)._replace(title=title), tuple(rows), notes), (means[0], means[1])


def _means(sides: Sides, side: int, at: Positions, hedged: Floats, known: Floats) -> Worst:
    a, b = sides.changes
    beta = slope(sides.changes[side], sides.changes[1 - side])
    usual = a[at] - known[at] * beta * a[at] if side == 0 else beta * b[at] - known[at] * b[at]
    return Worst(len(at), float(a[at].mean()), float(b[at].mean()), float(hedged[at].mean()), float(usual.mean()))


def falls(sides: Sides, ratios: Ratios) -> Section:
    """Both legs' deepest falls, and what the other leg and the hedged position did meanwhile."""
    rows: list[tuple[Cell, ...]] = []
    notes = []
    for view, name in zip(sides.views, sides.short, strict=True):
        if view.by_differences:
            notes.append(f"{name} changes by differences, and has no fall in percent")
            continue
        for rank, fall in enumerate(deepest_drawdowns(view.levels, FALLS), 1):
            changes = [v.change(float(v.levels[fall.peak]), float(v.levels[fall.trough])) for v in sides.views]
            ratio = float(ratios.known[fall.peak])
            recovered = None if fall.recovery is None else sides.pair.day(fall.recovery)
            ends = (sides.pair.day(fall.peak), sides.pair.day(fall.trough), recovered)
            rows.append((f"{name} {rank}", *ends, *changes, changes[0] - ratio * changes[1], ratio))
    title = f"the {FALLS} deepest falls of {sides.short[0]}, and of {sides.short[1]}"
    return Section(sides.labelled(FALLS_HEADING)._replace(title=title), tuple(rows), tuple(notes))
