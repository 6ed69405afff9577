"""What the ratio is, how surely it is known, and what it takes away of the changes that it is made of."""

from typing import NamedTuple

import numpy as np

from pairwatch.kernels import correlation
from pairwatch.kernels.effectiveness import Estimate, block_starts, explained, robust_slope
from pairwatch.model import NAN, Cell, Column, Floats, Heading, Positions, Section
from pairwatch.studies.hedge.held import ENOUGH, FEW_BARS
from pairwatch.studies.hedge.legs import Sides
from pairwatch.text import plural

# The bars of a leg's largest moves, of which the tail's beta is made.
TAIL = 0.05
LEAST_TAIL = 20

HEADING = Heading(
    "ratios",
    "ratios, in sample",
    "How much of one leg to hold against one of the other so that their difference varies least.",
    (
        Column(
            "hedge",
            "",
            "text",
            "Which leg hedges which, and the changes that the ratio is made of: all, those of the window, or those of "
            "the 5 % of bars on which the hedging leg fell most.",
        ),
        Column(
            "ratio",
            "ratio",
            "number",
            "The minimum-variance ratio of one bar's changes, which is the beta of the hedged leg on the other: "
            "cov(a, b) / var(b); of the lowest bars sum a b / sum b^2. Source: Ederington (1979), J. Finance 34(1).",
        ),
        Column(
            "ratio_low",
            "95% low",
            "number",
            "The lower end of its 95 % interval: its error by leaving out one of four blocks of neighbours after the "
            "other (six from 2,000 bars on), Student's t with 3 (5) degrees of freedom. Where each leg has clusters of "
            "volatility of its own it covers 88 to 93 % of 1,000 bars or more, and less of fewer. It is wider than the "
            "interval of `compare`'s beta: that is of what held in the window's own bars, by their scatter, this one "
            "of what holds in the long run, by how far the blocks differ. Source: Kuensch (1989), Annals of Statistics "
            "17(3); Ibragimov and Mueller (2010), J. Business & Economic Statistics 28(4).",
        ),
        Column("ratio_high", "95% high", "number", "The upper end."),
        Column(
            "effectiveness",
            "effect",
            "fraction",
            "The share of the variance that it takes away of the same changes that it is made of: "
            "1 - var(a - h b) / var(a) = r^2, the same either way round.",
        ),
        Column(
            "effectiveness_low", "95% low", "fraction", "The lower end of its 95 % interval, made alike.", wide=True
        ),
        Column("effectiveness_high", "95% high", "fraction", "The upper end.", wide=True),
        Column("correlation", "r", "number", "Pearson's r of the changes.", wide=True),
        Column("n", "bars", "count", "How many changes.", wide=True),
    ),
)


class Beta(NamedTuple):
    """How one leg moved with the other.

    Attributes:
        basis: of which bars: `all bars`, `61 bars`, `lowest 330`.
        slope: of the one on the other, with its interval.
        residuals: what it leaves of each bar.
        bars: how many.
        blocks: by how many blocks of them its interval is made.
        extreme: whether these are the bars of the largest moves.
    """

    basis: str
    slope: Estimate
    residuals: Floats
    bars: int
    blocks: int
    extreme: bool = False


def beta_of(y: Floats, x: Floats, basis: str) -> Beta:
    """The beta of y on x."""
    slope = robust_slope(x, y)
    residuals = y - y.mean() - slope.value * (x - x.mean())
    return Beta(basis, slope, residuals, len(x), len(block_starts(len(x))))


def tail(x: Floats, *, up: bool = False) -> Positions:
    """The bars of the lowest 5 % of x, or of the highest; in their order."""
    count = round(len(x) * TAIL)
    order = np.argsort(-x if up else x, kind="stable")
    return np.sort(order[:count])


def tail_beta(y: Floats, x: Floats, *, up: bool = False) -> Beta | None:
    """How y moved with x on the bars of x's largest moves, through the origin; None where these are too few."""
    at = tail(x, up=up)
    if len(at) < LEAST_TAIL:
        return None
    slope = robust_slope(x[at], y[at], centred=False)
    residuals, count = y[at] - slope.value * x[at], len(at)
    return Beta(
        f"{'highest' if up else 'lowest'} {count}", slope, residuals, count, len(block_starts(count)), extreme=True
    )


def section(sides: Sides) -> Section:
    """The ratios of A with B, and of B with A."""
    a, b = sides.changes
    rows = [*_rows(sides, a, b, (0, 1)), *_rows(sides, b, a, (1, 0))]
    notes = []
    units = [view.change_unit for view in sides.views]
    if not sides.pair.pair.counted_alike:
        notes.append(f"changes of {sides.short[0]} are in {_said(units[0])}, of {sides.short[1]} in {_said(units[1])}")
    if sides.still:
        notes.append(sides.still)
    elif min(sides.pair.bars, len(a)) < ENOUGH:
        notes.append(FEW_BARS)
    return Section(HEADING, tuple(rows), tuple(notes))


def _said(unit: str) -> str:
    return "fractions" if unit == "fraction" else unit


def _rows(sides: Sides, y: Floats, x: Floats, which: tuple[int, int]) -> list[tuple[Cell, ...]]:
    hedged, hedging = (sides.short[at] for at in which)
    name, bars = f"{hedging} for {hedged}", sides.pair.bars
    rows = [_row(f"{name}, all bars", y, x)]
    if bars < len(x):
        rows.append(_row(f"{name}, {plural(bars, 'bar')}", y[-bars:], x[-bars:]))
    lowest = tail_beta(y, x)
    if lowest:
        rows.append((f"{name}, lowest 5%", *lowest.slope, NAN, NAN, NAN, NAN, lowest.bars))
    return rows


def _row(label: str, y: Floats, x: Floats) -> tuple[Cell, ...]:
    return (label, *robust_slope(x, y), *explained(x, y), correlation(x, y), len(x))
