"""How well one series hedges another, with intervals that hold where volatility comes in clusters and tails are fat.

Each number is made of sums over the bars, and its noise is measured by leaving out one block of neighbours after the
other. What makes the intervals hold is that there are few blocks, so that each is longer than the clusters, and that
Student's t knows that few blocks are few.
"""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from pairwatch.kernels import quotient, sd, student_t_quantile
from pairwatch.kernels.tails import two_sided_t
from pairwatch.model import NAN, Floats, Positions

# Fewer values than this make no blocks.
LEAST = 12
# What leaves less than this share of a variance leaves rounding.
NEARLY_NOTHING = 1e-12
# So many blocks; six from LONG values on, where four would be wider than they need to be.
BLOCKS, MORE_BLOCKS, LONG = 4, 6, 2000


class Estimate(NamedTuple):
    """A number with its 95 % interval; an end is NaN where it cannot be said."""

    value: float
    low: float
    high: float

    @property
    def reach(self) -> float:
        """Half the interval."""
        return (self.high - self.low) / 2


NOTHING = Estimate(NAN, NAN, NAN)
EVERYTHING = Estimate(1.0, 1.0, 1.0)
# Sums over bars, shape (k, ...), to numbers.
Statistic = Callable[[Floats], Floats]


class Jackknifed(NamedTuple):
    """A number, its standard error, and the degrees of freedom of their quotient."""

    value: float
    error: float
    freedom: int

    @property
    def interval(self) -> Estimate:
        """The 95 % interval by Student's t."""
        reach = _quantile(self.freedom) * self.error
        return Estimate(self.value, self.value - reach, self.value + reach)


@lru_cache(maxsize=4)
def _quantile(freedom: int) -> float:
    return student_t_quantile(0.975, freedom)


def jackknifed(terms: Floats, statistic: Statistic) -> Jackknifed:
    """A statistic of sums over serially dependent bars, by leaving out one block of neighbours after the other.

    Args:
        terms: what is added up, shape (k, n).
        statistic: of the sums, for all blocks at once.

    Source: Kuensch (1989), Annals of Statistics 17(3), the delete-a-block jackknife; Ibragimov and Mueller (2010), J.
    Business & Economic Statistics 28(4), Student's t of few blocks.
    """
    n = terms.shape[1]
    starts = block_starts(n)
    blocks = len(starts)
    if n < LEAST:
        return Jackknifed(NAN, NAN, blocks - 1)
    sums = np.add.reduceat(terms, starts, axis=1)
    whole = sums.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        value, without = statistic(whole), statistic(whole[:, None] - sums)
        # Not to be said where all that moves is in one block.
        error = math.sqrt((blocks - 1) * float(np.square(without - without.mean()).mean()))
    return Jackknifed(float(value), error, blocks - 1)


def block_starts(n: int) -> Positions:
    """Where the blocks of n values begin."""
    blocks = MORE_BLOCKS if n >= LONG else BLOCKS
    return np.arange(blocks) * n // blocks


class Blocks(NamedTuple):
    """What the blocks of `robust_slope` say one by one.

    Attributes:
        ends: of each block, the first place and the one after the last.
        slopes: of each block alone; NaN where x does not vary in it.
        decisive: the place, among them, of the one that makes more than half of the squared error, or None.
    """

    ends: list[tuple[int, int]]
    slopes: Floats
    decisive: int | None


def block_slopes(x: Floats, y: Floats) -> Blocks:
    """The least-squares slopes of y on x in each block of neighbours, and which block makes the interval wide."""
    n = len(x)
    starts = block_starts(n)
    x, y = x - x.mean(), y - y.mean()
    sums = np.add.reduceat(np.array([x * y, x * x, x, y, np.ones(n)]), starts, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        alone, without = _slope(sums), _slope(sums.sum(axis=1)[:, None] - sums)
    squares = np.square(without - without.mean())
    widest = int(np.argmax(squares))
    ends = list(zip(starts.tolist(), [*starts[1:].tolist(), n], strict=True))
    return Blocks(ends, alone, widest if squares[widest] > squares.sum() / 2 else None)


def robust_slope(x: Floats, y: Floats, *, centred: bool = True) -> Estimate:
    """The least-squares slope of y on x with its interval, through the origin unless `centred`.

    NaN where x does not vary.
    """
    n = len(x)
    if n < LEAST or not (sd(x) if centred else x.any()):
        return NOTHING
    if not centred:
        return jackknifed(np.array([x * y, x * x]), lambda sums: np.asarray(sums[0] / sums[1])).interval
    x, y = x - x.mean(), y - y.mean()
    return jackknifed(np.array([x * y, x * x, x, y, np.ones(n)]), _slope).interval


def _slope(sums: Floats) -> Floats:
    xy, xx, x, y, n = sums
    return np.asarray((xy - x * y / n) / _about_mean(xx, x, n))


def _about_mean(squares: Floats, values: Floats, n: Floats) -> Floats:
    """The sum of squares about the mean; NaN where no more than rounding is left of it."""
    found = squares - values * values / n
    return np.asarray(np.where(found > NEARLY_NOTHING * squares, found, NAN))


def _log_variance_ratio(x: Floats, y: Floats) -> Jackknifed:
    """Ln var(x) - ln var(y) of dependent series of one time."""
    x, y = x - x.mean(), y - y.mean()
    return jackknifed(np.array([x * x, y * y, x, y, np.ones(len(x))]), _log_variances)


def _log_variances(sums: Floats) -> Floats:
    xx, yy, x, y, n = sums
    return np.asarray(np.log(_about_mean(xx, x, n) / _about_mean(yy, y, n)))


def effectiveness(hedged: Floats, unhedged: Floats) -> Estimate:
    """The share of the variance that a hedge takes away, 1 - var(hedged) / var(unhedged); negative where it adds to it.

    The interval is that of the logarithm of the ratio. NaN where what is hedged does not vary.
    Source: Ederington (1979), J. Finance 34(1).
    """
    if len(hedged) < LEAST or not sd(unhedged):
        return NOTHING
    if is_rounding(hedged, unhedged):
        return EVERYTHING
    value, low, high = (1 - math.exp(end) for end in _log_variance_ratio(hedged, unhedged).interval)
    return Estimate(value, high, low)


def is_rounding(hedged: Floats, unhedged: Floats) -> bool:
    """Whether a hedge leaves no more of what varies than rounding does."""
    return bool(hedged.var() < NEARLY_NOTHING * unhedged.var())


def equal_variances(x: Floats, y: Floats) -> float:
    """The two-sided p of dependent x and y varying alike.

    Too small where each has clusters of volatility of its own: of 250 bars it is below .05 in 15 of 100 such pairs that
    do vary alike.
    """
    if len(x) < LEAST or not sd(x) or not sd(y):
        return NAN
    found = _log_variance_ratio(x, y)
    return two_sided_t(quotient(found.value, found.error), found.freedom)


def explained(x: Floats, y: Floats) -> Estimate:
    """R squared of x and y: the effectiveness, in sample, of either as a hedge of the other.

    The interval is that of ln(1 - r^2), which may end below zero: at zero then. NaN where either is constant, and an
    end that cannot be said.
    """
    if len(x) < LEAST or not sd(x) or not sd(y):
        return NOTHING
    x, y = x - x.mean(), y - y.mean()
    if 1 - float(x @ y) ** 2 / float(x @ x) / float(y @ y) < NEARLY_NOTHING:
        return EVERYTHING
    found = jackknifed(np.array([x * y, x * x, y * y, x, y, np.ones(len(x))]), _log_unexplained).interval
    value, low, high = (max(1 - math.exp(end), 0.0) for end in found)  # in this order a NaN stays one
    return Estimate(value, high, low)


def _log_unexplained(sums: Floats) -> Floats:
    xy, xx, yy, x, y, n = sums
    return np.asarray(np.log1p(-np.square(xy - x * y / n) / (_about_mean(xx, x, n) * _about_mean(yy, y, n))))


# ---------------------------------------------------------------- ratios over time


def expanding_slope(x: Floats, y: Floats, least: int) -> Floats:
    """At place t the least-squares slope of y on x over the first t values; shape (n + 1,), NaN before `least`."""
    n = len(x)
    found = np.full(n + 1, NAN)
    if n < max(least, 2):
        return found
    # Less the first value, known from the start: what is far from zero loses nothing to its own size.
    x, y = x - x[0], y - y[0]
    count = np.arange(1, n + 1)
    sum_x, squares = np.cumsum(x), np.cumsum(x * x)
    xy = np.cumsum(x * y) - sum_x * np.cumsum(y) / count
    xx = squares - sum_x * sum_x / count
    varies = (xx > 1e-14 * squares) & (count >= max(least, 2))
    found[1:][varies] = xy[varies] / xx[varies]
    return found


def held(estimates: Floats, starts: Positions, growth: Floats) -> tuple[Floats, Floats]:
    """What is held from bar to bar of a position that is set to `estimates` at `starts` and left alone between them.

    Args:
        estimates: shape (m,), of the m places `starts`, of which the first is 0.
        growth: by what the position has been multiplied at the end of each bar, beside what it is measured in: shape
            (n,).

    Returns:
        positions: what is held during each bar; shape (n,).
        trades: what is bought (negative: sold) at each of the starts; the first from nothing; shape (m,).
    """
    n = len(growth)
    log = np.concatenate([[0.0], np.cumsum(np.log(growth))])
    lengths = np.diff(np.append(starts, n))
    positions = np.repeat(estimates, lengths) * np.exp(log[:-1] - np.repeat(log[starts], lengths))
    before = np.zeros(len(estimates))
    before[1:] = estimates[:-1] * np.exp(log[starts[1:]] - log[starts[:-1]])
    return positions, estimates - before


# ---------------------------------------------------------------- drawdowns


class Drawdown(NamedTuple):
    """A fall from a peak, by places.

    Attributes:
        recovery: the first place after the trough at which the peak's level is reached again; None where none is.
        depth: a fraction, negative.
    """

    peak: int
    trough: int
    recovery: int | None
    depth: float


def deepest_drawdowns(levels: Floats, count: int) -> list[Drawdown]:
    """The deepest falls from a peak until its level is reached again, none within another, the deepest first."""
    highest = np.maximum.accumulate(levels)
    under = levels / highest - 1
    below = under < 0
    edges = np.diff(np.concatenate([[False], below, [False]]).astype(np.int8))
    begins, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    if not len(begins):
        return []
    depths = np.minimum.reduceat(under, begins)  # what follows a recovery is 0 until the next fall begins
    found = []
    for at in np.argsort(depths, kind="stable")[:count].tolist():
        begin, end = int(begins[at]), int(ends[at])
        trough = begin + int(np.argmin(under[begin:end]))
        found.append(Drawdown(begin - 1, trough, end if end < len(levels) else None, float(depths[at])))
    return found


def deepest_fall(returns: Floats) -> float:
    """The deepest fall of what earns these returns, as a fraction from -1 to 0; once all is lost it stays lost."""
    if (returns <= -1).any():
        return -1.0
    wealth = np.concatenate([[1.0], np.cumprod(1 + returns)])
    return float((wealth / np.maximum.accumulate(wealth) - 1).min())


# ---------------------------------------------------------------- what one bar may bring


def residual_range(residuals: Floats) -> tuple[float, float]:
    """Between which values a further residual lies with a probability of 95 % or more, whatever its distribution.

    The order statistics that leave (n + 1) / 40 at either side; NaN for fewer than 39, which have none. It takes the
    next residual for one like these.
    Source: Vovk, Gammerman and Shafer (2005), Algorithmic learning in a random world.
    """
    n = len(residuals)
    place = math.floor((n + 1) / 40 + 1e-9)
    if place < 1:
        return NAN, NAN
    ordered = np.sort(residuals)
    return float(ordered[place - 1]), float(ordered[n - place])
