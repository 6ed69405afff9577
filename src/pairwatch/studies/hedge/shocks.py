"""What a move of one leg would bring, by the betas of the past, and how wide of that one bar may go."""

import math
import re
from typing import NamedTuple

import numpy as np

from pairwatch.errors import UsageError
from pairwatch.kernels.dependence import estimated_slope
from pairwatch.kernels.effectiveness import Estimate, block_slopes, residual_range
from pairwatch.model import NAN, Cell, Column, Heading, Leg, Section
from pairwatch.studies.hedge.held import Ratios
from pairwatch.studies.hedge.legs import Sides, amount, column_unit, plain
from pairwatch.studies.hedge.ratios import Beta, beta_of, tail_beta
from pairwatch.text import clean, listing, plural

_AMOUNT = re.compile(r"([+-]?[0-9]+(?:\.[0-9]*)?|[+-]?\.[0-9]+)\s*(%|bp|)\Z")

HEADING = Heading(
    "shocks",
    "shocks: what a move of one leg would bring",
    "The other leg's move within the same bar, by its beta on the leg that moves, and that of A less the ratio of B "
    "known now.",
    (
        Column("shock", "", "text", "The leg that moves, and by how much."),
        Column(
            "by",
            "beta of",
            "text",
            "The bars that the beta is made of: all, the window's, or the 5 % of bars on which the leg moved farthest "
            "in that direction.",
        ),
        Column("what", "", "text", "The other leg, or the hedged position."),
        Column("expected", "expected", "unit", "Beta times the shock; hedged: A less the ratio times B."),
        Column(
            "low",
            "95% low",
            "unit",
            "By the lower end of beta's 95 % interval, which is of how far blocks of its bars differ: what is not "
            "known of the beta that holds in the long run. See `hedge.ratios`.",
            wide=True,
        ),
        Column("high", "95% high", "unit", "By the upper end.", wide=True),
        Column(
            "bar_low",
            "bar low",
            "unit",
            "The lower end for one bar: with what beta leaves of a bar, too, in 95 of 100 such bars, as the residuals' "
            "order statistics have it. Residuals of all bars are those of quiet times mostly.",
        ),
        Column("bar_high", "bar high", "unit", "The upper end for one bar."),
        Column("unit", "", "text", "What these are counted in."),
    ),
)


class Shock(NamedTuple):
    """A move of a leg, as it was typed.

    Attributes:
        name: the leg: A, B, or its name.
        unit: `%`, `bp`, or empty for the leg's own.
    """

    name: str
    value: float
    unit: str

    def __str__(self) -> str:
        return f"{self.name}={self.value:+g}{self.unit}"


class Met(NamedTuple):
    """A shock that one of the legs takes.

    Attributes:
        side: 0 for A, 1 for B.
        size: in the leg's unit of changes.
    """

    side: int
    size: float


class Outlook(NamedTuple):
    """What a shock would bring.

    Attributes:
        other, hedged: what is expected, with beta's interval.
        other_bar, hedged_bar: with what beta leaves of one bar.
    """

    beta: Beta
    other: Estimate
    hedged: Estimate
    other_bar: Estimate
    hedged_bar: Estimate


def read(text: str) -> Shock:
    """Read `B=-10%`, `QQQ=+5%`, `A=-50bp`, or a bare number in a leg's own unit.

    Raises:
        UsageError: anything else.
    """
    name, _, amount_text = text.rpartition("=")  # a symbol may have the sign in it
    found = _AMOUNT.match(amount_text.strip())
    value = float(found[1]) if found else 0.0
    if not name.strip() or not found or not value or not math.isfinite(value):
        raise UsageError(f"--shock cannot be {clean(text)!r}", "write it as B=-10%, QQQ=-10% or A=-50bp")
    return Shock(clean(name.strip()), value, found[2])


def met(shock: Shock, sides: Sides) -> Met:
    """Which leg it is, and by how much it moves in its own unit.

    Raises:
        UsageError: no such leg, or both, or an amount that is none of this leg.
    """
    side = _side(shock, sides.pair.legs)
    view, name = sides.views[side], sides.names[side]
    if not view.by_differences:
        if not shock.unit:
            raise UsageError(f"--shock {shock} has no unit", f"{name} changes in percent: {shock}%")
        size = shock.value / (100 if shock.unit == "%" else 10_000)
        if size <= -1:
            raise UsageError(f"--shock {shock}: {name} cannot lose more than all of it", f"{shock.name}=-50%")
        return Met(side, size)
    unit = "bp" if view.change_unit == "bp" else ""
    if shock.unit not in ("", unit):
        raise UsageError(
            f"--shock {shock}: {name} changes in {view.change_unit}", f"{shock.name}={shock.value:+g}{unit}"
        )
    return Met(side, shock.value)


def _side(shock: Shock, legs: tuple[Leg, Leg]) -> int:
    name = shock.name.casefold()
    letters = [at for at, letter in enumerate("ab") if name == letter]
    symbols = [at for at, leg in enumerate(legs) if name in (str(leg).casefold(), leg.symbol.casefold())]
    meant = set(letters + symbols)
    if len(meant) == 1:
        return meant.pop()
    named = [f"{leg.source}:{leg.symbol}" for leg in legs]
    exact = [at for at, leg in enumerate(named) if name == leg.casefold()]
    if len(exact) == 1:
        return exact[0]
    found = "both legs" if meant else "no leg of this pair"
    raise UsageError(f"--shock {shock} names {found}", f"the legs are A and B, or {listing(named)}")


def outlooks(sides: Sides, ratio: float, one: Met) -> list[Outlook]:
    """By the betas of all bars, of the window's, and of the bars of the largest such moves."""
    x, y = sides.changes[one.side], sides.changes[1 - one.side]
    bars = sides.pair.bars
    betas = [beta_of(y, x, "all bars")]
    if bars < len(x):
        betas.append(beta_of(y[-bars:], x[-bars:], plural(bars, "bar")))
    extreme = tail_beta(y, x, up=one.size > 0)
    return [_outlook(beta, ratio, one) for beta in (*betas, *([extreme] if extreme else []))]


def _outlook(beta: Beta, ratio: float, one: Met) -> Outlook:
    ends = sorted((beta.slope.low * one.size, beta.slope.high * one.size))
    other = Estimate(beta.slope.value * one.size, *ends)
    below, above = residual_range(beta.residuals)
    bar = Estimate(
        other.value,
        other.value - math.hypot(other.reach, min(below, 0.0) if below == below else NAN),  # noqa: PLR0124 - a NaN
        other.value + math.hypot(other.reach, max(above, 0.0) if above == above else NAN),  # noqa: PLR0124 - a NaN
    )
    return Outlook(beta, other, _hedged(other, ratio, one), bar, _hedged(bar, ratio, one))


def doubt(sides: Sides, one: Met, found: Outlook) -> str:
    """Why the interval of all bars' beta holds 0, where each block, and the scatter of the bars, leaves 0 out; else "".

    A block of large moves and a beta of its own does that: without it the beta is another one.
    """
    x, y = sides.changes[one.side], sides.changes[1 - one.side]
    if not found.other.low < 0 < found.other.high:
        return ""
    blocks, scatter = block_slopes(x, y), estimated_slope(x, y)
    signs = np.sign([*blocks.slopes, scatter.low, scatter.high])
    if not (signs == signs[0]).all():
        return ""
    view = sides.views[1 - one.side]
    lowest, highest = (amount(value, view) for value in sorted(one.size * blocks.slopes)[:: len(blocks.slopes) - 1])
    low, high = (amount(value, view) for value in sorted((one.size * scatter.low, one.size * scatter.high)))
    widest = ""
    if blocks.decisive is not None:
        begin, end = blocks.ends[blocks.decisive]
        own = amount(one.size * float(blocks.slopes[blocks.decisive]), view)
        widest = f", and {sides.pair.day(begin + 1)} to {sides.pair.day(end)} ({own}) makes most of the width"
    return (
        f"; 0 lies within only because blocks differ: each alone gives from {lowest} to {highest}{widest}; by the "
        f"scatter of the bars alone it is [{low}, {high}]"
    )


def _hedged(other: Estimate, ratio: float, one: Met) -> Estimate:
    """A less the ratio of B, where one of them moves by the shock and the other as estimated."""
    if one.side == 1:
        return Estimate(*(value - ratio * one.size for value in other))
    value, *ends = (one.size - ratio * value for value in other)
    return Estimate(value, min(ends), max(ends))


def section(sides: Sides, ratios: Ratios, shocks: list[tuple[Met, list[Outlook]]]) -> Section:
    """The shocks, by each beta; a row for the other leg and one for the hedged position."""
    rows: list[tuple[Cell, ...]] = []
    notes = [f"each shock alone, within one bar; hedged with the ratio known now, {plain(ratios.latest)}"]
    for one, found in shocks:
        view, name = sides.views[one.side], sides.short[one.side]
        text = f"{name} {amount(one.size, view)}"
        other, a = sides.views[1 - one.side], sides.views[0]
        for outlook in found:
            rows.append(
                (
                    text,
                    outlook.beta.basis,
                    sides.short[1 - one.side],
                    *_cells(outlook.other, outlook.other_bar),
                    column_unit(other),
                )
            )
            rows.append(
                (text, outlook.beta.basis, "hedged", *_cells(outlook.hedged, outlook.hedged_bar), column_unit(a))
            )
        own = sides.changes[one.side]
        worst = float(own.max() if one.size > 0 else own.min())
        if abs(one.size) > abs(worst):
            notes.append(
                f"{name} has never moved so far in a bar: {amount(worst, view)} at most; beyond that nothing is known"
            )
    return Section(HEADING, tuple(rows), tuple(dict.fromkeys(notes)))


def _cells(expected: Estimate, bar: Estimate) -> tuple[float, ...]:
    return (*expected, bar.low, bar.high)
