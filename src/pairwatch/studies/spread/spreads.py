"""Where each spread is, and whether it returns."""

import math
from typing import NamedTuple

from pairwatch import kernels
from pairwatch.kernels.cointegration import EXACT, dickey_fuller_p
from pairwatch.kernels.past import middle_rank
from pairwatch.kernels.regression import UnitRoot, dickey_fuller
from pairwatch.kernels.reversion import HalfLife, power, spread_half_life
from pairwatch.model import NAN, Column, Floats, Heading, Section
from pairwatch.studies.paired import WINDOWS_NEED, Paired
from pairwatch.studies.spread.made import Made, alike, spreads
from pairwatch.text import listing

# A test is said of a history in which it finds a half-life of so many bars in every second case.
BARS, POWER = 10, 0.5

HEADING = Heading(
    "spreads",
    "spreads: how far, and whether they return",
    "ln A - h ln B for each way to choose h (levels, not logarithms, of legs that change by differences): how far it "
    "is now, and in how many bars a deviation halves, if it does.",
    (
        Column(
            "spread",
            "",
            "text",
            "How h is chosen. A / B: h = 1. Least squares: of ln A on ln B (Engle and Granger 1987). Total least "
            "squares: the first principal axis (Pearson 1901), the same for either leg. Minimum variance: cov(a, b) / "
            "var(b) of the returns (Ederington 1979); another spread where the legs are exchanged. Rolling: least "
            "squares over each window. Kalman: coefficients that walk at random and remember about a window (Harvey "
            "1989), one step ahead; B in its standard deviations over the first window.",
        ),
        Column("hedge_ratio", "ratio h", "number", "h: so much of B stands against one of A, known at the last close."),
        Column(
            "z_window",
            "z window",
            "number",
            "(s[n] - mean) / sd over the closes of the window, ddof 1; in sample, as the next.",
        ),
        Column(
            "z_history",
            "in sample",
            "number",
            "The same over the whole history, in sample: h is known from all of it.",
            wide=True,
        ),
        Column(
            "percentile",
            "own past",
            "percentile",
            "Where today's is among those of all days, each by the line that was known on its day; half of equals. "
            "From three windows' worth on. Of total least squares: the distances from the lines, of days whose line "
            "rises, or falls, as today's does.",
        ),
        Column(
            "half_life",
            "half-life",
            "bars",
            "-ln 2 / ln rho, rho median-unbiased: the one whose median the t of the augmented Dickey-Fuller "
            "regression is (Andrews 1993; Stock 1991), HC3 errors, lags by the AIC up to 4 (n / 100)^(1/4). None, and "
            "no ends, where that is 1 or more.",
        ),
        Column(
            "half_life_low",
            "95 % from",
            "bars",
            "The lower end of its 95 % interval, by inversion, the error of the lags' share of the pull counted: of "
            "simulated spreads it covers 93 to 96 %, of those left by a fitted line, too.",
            wide=True,
        ),
        Column(
            "half_life_high",
            "to",
            "bars",
            "The upper end; none where a spread that never returns is not refused at 2.5 %.",
            wide=True,
        ),
        Column(
            "p",
            "p",
            "probability",
            "Of no return: MacKinnon's (1994) of the Dickey-Fuller t with HC3 errors, lags by the AIC. Of a line "
            "fitted to the levels it is that of two series (Engle and Granger): the fit alone makes two walks look as "
            "if they returned.",
        ),
    ),
)


class Told(NamedTuple):
    """A spread with what is said of it; nothing of one that stands still."""

    made: Made
    z_window: float
    z_history: float
    percentile: float
    life: HalfLife
    p: float
    still: bool = False

    @property
    def reverts(self) -> bool:
        """Whether it is told from a walk at 5 %."""
        return self.p < 0.05


_NO_LIFE = HalfLife(NAN, NAN, NAN)


def told(pair: Paired, line: UnitRoot) -> tuple[Told, ...]:
    """Every spread of the pair.

    Args:
        line: the test of what the least-squares line through the whole history leaves.
    """
    return tuple(_told(pair, made, line) for made in spreads(pair))


def plainest(pair: Paired, line: UnitRoot) -> Told:
    """The first of those that `told` has, alone."""
    return _told(pair, next(spreads(pair)), line)


def _told(pair: Paired, made: Made, line: UnitRoot) -> Told:
    if _is_still(pair, made):
        return Told(made, NAN, NAN, NAN, _NO_LIFE, NAN, still=True)
    test = _test(pair, made, line)
    life = spread_half_life(made.values, made.series) if test else _NO_LIFE
    return Told(
        made,
        z(made.values[-pair.bars - 1 :]),
        z(made.values),
        _percentile(made.known, pair.bars),
        life,
        dickey_fuller_p(test.t, made.series) if test else NAN,
    )


def _is_still(pair: Paired, made: Made) -> bool:
    """Whether a spread of legs that move does not: what is left of them are the digits of rounding."""
    moves = max(float(leg.var()) for leg in pair.log_levels)
    return float(made.values.var()) < EXACT * moves if len(made.values) else False


def _test(pair: Paired, made: Made, line: UnitRoot) -> UnitRoot | None:
    """The test that fits how the spread was made; None where there is none, or the history is too short for it."""
    if not made.series or too_short(len(pair.days), made.series) or not math.isfinite(made.ratio):
        return None
    return line if made.series == 2 else dickey_fuller(made.values, robust=True)


def too_short(closes: int, series: int = 2) -> bool:
    """Whether a test of so many closes would rather miss a quick return than find it."""
    return power(BARS, closes, series) < POWER


def z(values: Floats) -> float:
    """How many standard deviations the last value stands from the mean."""
    return kernels.quotient(float(values[-1] - values.mean()), kernels.sd(values)) if len(values) > 2 else NAN


def _percentile(known: Floats, bars: int) -> float:
    if len(known) < WINDOWS_NEED * bars or not math.isfinite(known[-1]):
        return NAN
    return middle_rank(known, float(known[-1]))


def section(pair: Paired, found: tuple[Told, ...]) -> Section:
    """The rows, and what has to be said beside them."""
    rows = tuple(
        (
            one.made.name,
            one.made.ratio,
            one.z_window,
            one.z_history,
            one.percentile,
            *_half_life(one.life),
            one.p,
        )
        for one in found
    )
    return Section(HEADING, rows, tuple(_notes(pair, found)))


def _half_life(life: HalfLife) -> tuple[float, float, float]:
    """With its ends; an open end is none, and without a half-life there are no ends."""
    if not math.isfinite(life.bars):
        return NAN, NAN, NAN
    return life.bars, life.low, life.high if life.is_bounded else NAN


def _notes(pair: Paired, found: tuple[Told, ...]) -> list[str]:
    notes = []
    if not alike(pair):
        notes.append(
            "no A / B and no total least squares: the legs do not change in one unit, and either depends on it"
        )
    if too_short(len(pair.days)):
        notes.append(
            f"too short to tell whether anything returns: of spreads that halve in {BARS} bars, a test of "
            f"{len(pair.days)} closes finds {power(BARS, len(pair.days), 2):.0%}"
        )
    still = [one.made.name for one in found if one.still]
    if still:
        notes.append(f"nothing but rounding is left of the legs, so that nothing is said of it: {listing(still)}")
    tested = [one for one in found if math.isfinite(one.p)]
    endless = [one.made.name for one in tested if not math.isfinite(one.life.bars)]
    if endless:
        notes.append(f"no half-life, as the median-unbiased estimate does not return at all: {listing(endless)}")
    open_ended = [one.made.name for one in tested if math.isfinite(one.life.bars) and not one.life.is_bounded]
    if open_ended:
        notes.append(f"the half-life's interval has no upper end, so that it may never return: {listing(open_ended)}")
    if any(math.isfinite(one.life.bars) for one in found):
        notes.append(
            "the 95% interval of a half-life covers 93 to 96% of simulated spreads, of what a fitted line leaves, too"
        )
    if len(found) == 1:
        return notes
    notes.append(
        f"both z: in sample, h is known from all closes{'' if pair.since is None else f' {pair.span}'}; own past: each "
        "day by the line known on it; "
        "minimum variance is another spread where the legs are exchanged"
    )
    notes.append(
        "no half-life and no p: rolling and Kalman, which return by construction, and total least squares, which has "
        "no tables"
    )
    return notes
