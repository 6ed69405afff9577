"""The hedge as it would have been held: with ratios of bars that were over, left alone from one setting to the next."""

import math
from typing import NamedTuple

import numpy as np

from pairwatch.kernels import sd
from pairwatch.kernels.effectiveness import (
    NOTHING,
    Estimate,
    deepest_fall,
    effectiveness,
    equal_variances,
    expanding_slope,
    held,
    is_rounding,
)
from pairwatch.kernels.hedging import rolling_slope
from pairwatch.model import NAN, Cell, Column, Floats, Heading, Section
from pairwatch.studies.hedge.legs import Sides, growth, per_unit
from pairwatch.text import plural

# A ratio of fewer bars is chance, and so is the effect of a hedge over fewer.
LEAST_RATIO, LEAST_HELD = 20, 20
# Of fewer bars, intervals miss the truth far too often where either leg has clusters of volatility of its own, and the
# test of equal variances finds what is not there: `benchmarks/calibration.py`, "GARCH each".
ENOUGH = 1000
FEW_BARS = (
    f"fewer than {ENOUGH:,} bars: where each leg has clusters of volatility of its own, intervals of 95% cover as "
    "little as 74% (60 bars), 78% (250), 88% (1,000)"
)


HEADING = Heading(
    "out_of_sample",
    "out of sample: hold A, short the ratio of B known before",
    "What a hedge would have done with ratios of the past alone, each set after a close and left alone to the next "
    "setting: the numbers of units stay, so that the ratio of values drifts.",
    (
        Column(
            "hedge",
            "",
            "text",
            "The ratio: the minimum-variance ratio cov(a, b) / var(b) of so many bars before, or of all of them; one "
            "for one; none. The other way round: A hedges B, with its own ratio of as many bars. All over one time.",
        ),
        Column(
            "effectiveness",
            "effect",
            "fraction",
            "The share of A's variance that the hedge takes away: 1 - var(a - h b) / var(a), before costs; negative "
            "where it adds to it. Source: Ederington (1979), J. Finance 34(1), out of sample.",
        ),
        Column(
            "effectiveness_low",
            "95% low",
            "fraction",
            "The lower end of its 95 % interval: of ln(var(a - h b) / var(a)), its error by leaving out one of four "
            "blocks of neighbours after the other (six from 2,000 bars on), Student's t with 3 (5) degrees of freedom, "
            "so that it holds under volatility in clusters that the legs share; where each has its own it covers 88 to "
            "92 % of 1,000 bars or more, and less of fewer. Source: Kuensch (1989), Annals of Statistics 17(3); "
            "Ibragimov and Mueller (2010), J. Business & Economic Statistics 28(4).",
        ),
        Column("effectiveness_high", "95% high", "fraction", "The upper end."),
        Column(
            "volatility",
            "vol",
            "fraction",
            "Volatility of the hedged position, a year, which is the tracking error of A against h B: sd(a - h b) "
            "sqrt(P), before costs.",
        ),
        Column(
            "drawdown",
            "max drawdown",
            "fraction",
            "The deepest fall of what earns a - h b less costs bar for bar, compounded. Not of changes in basis "
            "points.",
        ),
        Column(
            "turnover",
            "turnover",
            "number",
            "The value of what is traded of B a year, in units of A's value at that close, the opening of the position "
            "included: the sum of |h new - h drifted| over the settings, over years; for a leg that changes in points "
            "times B's close, and over A's. Not of a leg that cannot be held, nor of one at zero or below.",
            wide=True,
        ),
        Column("cost", "cost", "fraction", "What that costs a year: turnover times --cost.", wide=True),
        Column("ratio", "avg ratio", "number", "The mean of the ratio held.", wide=True),
        Column(
            "return",
            "return",
            "return",
            "The mean change of the hedged position less costs, times P, not compounded; what the short leg earns or "
            "costs in financing is left out.",
            wide=True,
        ),
    ),
)


class Terms(NamedTuple):
    """How a hedge is kept.

    Attributes:
        cost: of a unit of B traded, as a fraction; NaN where none is asked for.
        every: the ratio is set every so many bars; None for once a month.
    """

    cost: float = NAN
    every: int | None = None


class Ratios(NamedTuple):
    """Minimum-variance ratios as they became known.

    Attributes:
        bars: of how many bars each is made; 0 for all before.
        known: at place t, of changes up to place t - 1: the ratio known when the change at t began; shape (n + 1,).
    """

    bars: int
    known: Floats

    @property
    def first(self) -> int:
        """The first place at which there is one."""
        there = np.flatnonzero(np.isfinite(self.known))
        return int(there[0]) if len(there) else len(self.known)

    @property
    def label(self) -> str:
        """`61 bars`."""
        return plural(self.bars, "bar") if self.bars else "all bars before"

    @property
    def latest(self) -> float:
        """The one known now."""
        return float(self.known[-1])


class Kept(NamedTuple):
    """A hedge that was kept over the bars of the trial.

    Attributes:
        hedged: a - h b, before costs; shape (m,).
        paid: what each bar's trade cost, in what `hedged` is counted in; shape (m,).
        ratios: h, drifting; shape (m,).
        turnover: a year, in values of what is hedged.
        effect: of the hedge.
    """

    label: str
    hedged: Floats
    paid: Floats
    ratios: Floats
    turnover: float
    effect: Estimate


class Trial(NamedTuple):
    """What came of every hedge over the same bars.

    Attributes:
        first: the place of the first of these bars.
        every: the ratio was set every so many bars.
        kept: by the ratio that `main` names, other ratios, one for one; without a hedge; the other way round.
        against_one: the p of the first ratio's and one for one's variances being equal; NaN where it cannot be said,
            as of fewer than `ENOUGH` bars, of which it is too small.
    """

    first: int
    every: int
    unhedged: Floats
    kept: tuple[Kept, ...]
    naive: Kept | None
    reverse: Kept
    against_one: float

    @property
    def main(self) -> Kept:
        """By the first ratio."""
        return self.kept[0]


def ratios_of(a: Floats, b: Floats, bars: int) -> Ratios:
    """The minimum-variance ratios of A with B, of so many bars each, or of all before with 0."""
    if not bars:
        return Ratios(0, expanding_slope(b, a, LEAST_RATIO))
    known = np.full(len(a) + 1, NAN)
    if len(a) >= bars:
        known[bars:] = rolling_slope(b, a, bars)
    return Ratios(bars, known)


def candidates(sides: Sides) -> tuple[Ratios, ...]:
    """The ratios that there is history for: of the window's bars, of a year or 60 bars, of all; the main one first."""
    n, window = len(sides.a), sides.pair.bars
    long = max(sides.pair.bars_per_year, 60)
    kept = [bars for bars in dict.fromkeys((window, long)) if bars >= LEAST_RATIO and n >= bars + LEAST_HELD]
    # A trial as long as the estimate at least, or the longer ratio costs the others more bars than it is worth.
    kept = [bars for bars in kept if bars == window or n >= 2 * bars]
    return tuple(ratios_of(sides.a, sides.b, bars) for bars in (*kept, 0))


def monthly(bars_per_year: int) -> int:
    """The bars of a month: 21 of 252 a year."""
    return max(1, round(bars_per_year / 12))


def trial(sides: Sides, every_ratio: tuple[Ratios, ...], terms: Terms) -> Trial | None:
    """Every hedge over the bars for which every ratio is known; None where these are too few, or a leg never moves."""
    first, n = max(ratios.first for ratios in every_ratio), len(sides.a)
    if n - first < LEAST_HELD or sides.still:
        return None
    every = terms.every or monthly(sides.pair.bars_per_year)
    starts, grown = np.arange(0, n - first, every), growth(sides)[first:]
    cost = terms.cost if math.isfinite(terms.cost) and sides.can_be_traded else 0.0
    a, b = sides.a[first:], sides.b[first:]
    per_year = sides.pair.bars_per_year / len(a) if sides.can_be_traded else NAN
    units = [per_unit(view, first + starts) for view in sides.views]

    def kept(label: str, known: Floats, *, turned: bool = False) -> Kept:
        ours, theirs = (b, a) if turned else (a, b)
        # Where the other leg did not move there is no ratio, and nothing is held.
        estimates = np.nan_to_num(known[first + starts], nan=0.0)
        ratios, trades = held(estimates, starts, 1 / grown if turned else grown)
        paid = np.zeros(len(a))
        of_ours, of_theirs = units[::-1] if turned else units
        traded = np.abs(trades) * of_theirs  # in what our changes are counted in
        if cost:
            paid[starts] = traded * cost
        hedged = ours - ratios * theirs
        turnover = float((traded / of_ours).sum()) * per_year
        return Kept(label, hedged, paid, ratios, turnover, effectiveness(hedged, ours))

    own = tuple(kept(one.label, one.known) for one in every_ratio)
    naive = kept("one for one", np.ones(n + 1)) if sides.pair.pair.counted_alike else None
    other = ratios_of(sides.b, sides.a, every_ratio[0].bars)
    reverse = kept("the other way round", other.known, turned=True)
    return Trial(first, every, a, own, naive, reverse, _against(a, own[0], naive))


def _against(unhedged: Floats, own: Kept, naive: Kept | None) -> float:
    """The p of both hedges leaving the same variance."""
    if not naive or len(unhedged) < ENOUGH or any(is_rounding(one.hedged, unhedged) for one in (own, naive)):
        return NAN
    return equal_variances(own.hedged, naive.hedged)


def too_few(sides: Sides, every_ratio: tuple[Ratios, ...]) -> str:
    """Why there is no trial."""
    if sides.still:
        return f"{sides.still}: there is nothing to hedge with, or nothing to hedge"
    n = len(sides.a)
    known = max(0, n - max(ratios.first for ratios in every_ratio))
    return f"too few bars, a ratio was known for {known} of {n:,} and {LEAST_HELD} are needed"


def section(sides: Sides, found: Trial | None, every_ratio: tuple[Ratios, ...], terms: Terms) -> Section:
    """The trial, a row a hedge."""
    heading = sides.labelled(HEADING)
    heading = heading._replace(
        title=f"out of sample: hold {sides.short[0]}, short the ratio of {sides.short[1]} known before"
    )
    if found is None:
        return Section(heading, (), (too_few(sides, every_ratio),))
    none = Kept("no hedge", found.unhedged, np.zeros(len(found.unhedged)), np.zeros(1), NAN, NOTHING)
    rows = [_row(sides, one, terms) for one in (*found.kept, *([found.naive] if found.naive else []), none)]
    rows.append(_row(sides, found.reverse, terms, turned=True))
    return Section(heading, tuple(rows), _notes(sides, found, terms))


def _row(sides: Sides, kept: Kept, terms: Terms, *, turned: bool = False) -> tuple[Cell, ...]:
    per_year, net = sides.pair.bars_per_year, kept.hedged - kept.paid
    in_fractions = not sides.views[turned].by_differences
    # The other way round the position is counted as B is, which need not be as the column is.
    counted = not turned or sides.pair.pair.counted_alike
    return (
        kept.label,
        *kept.effect,
        sd(kept.hedged) * math.sqrt(per_year) if counted else NAN,
        deepest_fall(net) if in_fractions else NAN,
        kept.turnover,
        kept.turnover * terms.cost,
        float(kept.ratios.mean()),
        float(net.mean()) * per_year if counted else NAN,
    )


def _notes(sides: Sides, found: Trial, terms: Terms) -> tuple[str, ...]:
    m, pair = len(found.unhedged), sides.pair
    often = f"ratios set every {plural(found.every, 'bar')}, {plural(-(-m // found.every), 'time')}"
    notes = [
        f"{plural(m, 'bar')} from {pair.day(found.first + 1)} to {pair.day(-1)}; {often}",
    ]
    if math.isfinite(terms.cost) and not sides.can_be_traded:
        notes.append("no costs: a leg cannot be held")
    if sides.can_be_traded and not math.isfinite(found.main.turnover):
        notes.append("no turnover and no costs: a leg is at zero or below when a ratio is set")
    if not found.naive:
        notes.append("no one for one: the legs are not counted in the same thing")
    if m < ENOUGH:
        notes.append(FEW_BARS)
    return tuple(notes)
