"""Who leads over a long history, and how surely at which lag.

Over thousands of days the statistic of `lead_test` finds what the legs share: a little autocorrelation of a common
factor, which over two months is nothing beside the noise, makes a leader of either leg in a third of histories of ten
years. The asymmetry D(k) = r(k) - r(-k) is zero there, for any factor and however long: it judges long histories.
"""

import math
from typing import NamedTuple

import numpy as np

from pairwatch.kernels import quantile
from pairwatch.kernels.bands import Band, block_length, block_sums, cross_terms, scores
from pairwatch.kernels.draws import Draws
from pairwatch.lead import NO_LEAD, SAME, SIZE, Z_POWER, Lead
from pairwatch.lead.estimates import apart, estimated, sides
from pairwatch.model import NAN, Floats, Positions

RESAMPLES = 999


def long_lead(a: Floats, b: Floats, asymmetry: Band) -> Lead:
    """The lead over a long history, judged by its asymmetry; none where so few blocks can never be surely of one sign.

    Args:
        asymmetry: D(k), k = 1..L, of these legs: `kernels.bands.asymmetry_band`.
    """
    rho = float(np.mean(scores(a) * scores(b)))
    few = 2.0 ** (1 - asymmetry.blocks) >= SIZE
    if few or not 1.0 - rho * rho > SAME or not np.isfinite(asymmetry.p_value):
        return NO_LEAD
    at = asymmetry.most
    ahead, behind = _estimated(a, b, at + 1)
    return Lead(
        lag=(at + 1) * int(sides(ahead, behind, np.array(rho), len(a))),
        asymmetry=float(asymmetry.values[at]),
        p_value=asymmetry.p_value,
        detectable=detectable(asymmetry, a, b),
    )


def detectable(asymmetry: Band, a: Floats, b: Floats) -> float:
    """The lead, in units of r, that leaves the band four times in five; NaN where none can, however strong.

    The t that is judged has the lead itself in its error: the squares of B block sums are summed as they are, and
    however strong a lead is, t does not exceed sqrt(B). Student's t, of what the sums are apart from their mean, is
    t sqrt((B - 1) / (B - t^2)); its power is that of the noncentral t, by the normal approximation of Johnson and
    Welch (1940), Biometrika 31(3/4). A lead c adds the leader's squares, c times, to the blocks' sums, whose variance
    is large where tails are fat, and takes c^2 of the other leg's own variance away.

    Args:
        a, b: the legs that D is of.
    """
    blocks, critical = asymmetry.blocks, float(asymmetry.reach[0] / asymmetry.errors[0])
    left = blocks - critical * critical
    if not left > 1e-9 * blocks:
        return NAN
    apart = np.square(asymmetry.errors) - np.square(asymmetry.values) / blocks
    error = quantile(np.sqrt(np.maximum(apart, 0) * blocks / (blocks - 1)), 0.5)
    student = critical * math.sqrt((blocks - 1) / left)
    needed = student + Z_POWER * math.sqrt(1 + student * student / (2 * (blocks - 1)))
    more = _variance_of_squares(a, b) - 1 / len(a)
    room = 1 - needed * needed * more
    return error * needed / math.sqrt(room) if room > 0 else NAN


def _variance_of_squares(a: Floats, b: Floats) -> float:
    """Of the mean square of a leg as its blocks have it: the mean of both legs'; 2 / n where they are normal."""
    squares = np.square(np.array([scores(a), scores(b)])) - 1
    sums = block_sums(squares, block_length(len(a))) / len(a)
    return float(np.square(sums).sum() / 2)


def strength_at(a: Floats, b: Floats, lag: int) -> float:
    """The lead estimated at a lag, not zero, in units of r: of A over B where it is positive, else of B over A."""
    ahead, behind = _estimated(a, b, abs(lag))
    return float(ahead if lag > 0 else behind)


def _estimated(a: Floats, b: Floats, lag: int) -> tuple[Floats, Floats]:
    """The lead of A over B by so many bars, and that of B over A."""
    x, y = scores(a)[None, :], scores(b)[None, :]
    ahead, behind = estimated(x, y, np.mean(x * y, axis=1), lag)
    return ahead[-1, 0], behind[-1, 0]


class LagInterval(NamedTuple):
    """Where the lag lies in resampled histories: its central 95 %, and the share in which it is the lag found."""

    low: int
    high: int
    share: float


def resampled_lags(a: Floats, b: Floats, max_lag: int, errors: Floats | None = None, seed: int = 0) -> Positions:
    """The lag in each of 999 histories made of blocks of days that are drawn at random.

    A day brings all its products with the days after it along, so that no pair of days is torn apart or made up, and a
    resample is a sum of block sums. Source: Künsch (1989), Annals of Statistics 17(3); blocks that do not overlap, as
    Carlstein (1986) has them.

    Args:
        errors: of D(k), k = 1..L, where the lag is the one at which D stands out most; by default it is the one of the
            strongest estimate, as `lead_test` has it.
    """
    x, y = scores(a), scores(b)
    pairs = ((x, y), (y, x), (x, x), (y, y))
    together = np.array([x * y, x * x, y * y])
    rows = np.concatenate([*(cross_terms(one, other, max_lag) for one, other in pairs), together])
    sums = block_sums(rows, block_length(len(x)))
    drawn = (_counts(sums.shape[1], seed) @ sums.T).T
    return _lags(drawn, max_lag, len(x), errors)


def lag_interval(resampled: Positions, lag: int) -> LagInterval:
    """The 95 % interval of the lag that was found."""
    ordered = np.sort(resampled)
    edge = round(0.025 * (len(ordered) - 1))
    return LagInterval(int(ordered[edge]), int(ordered[-1 - edge]), float(np.mean(ordered == lag)))


def _counts(blocks: int, seed: int) -> Floats:
    """How often each block is drawn, in each resample; shape (resamples, blocks)."""
    drawn = Draws(seed).integers(blocks, RESAMPLES, blocks) + blocks * np.arange(RESAMPLES)[:, None]
    return np.bincount(drawn.ravel(), minlength=RESAMPLES * blocks).reshape(RESAMPLES, blocks).astype("f8")


def _lags(drawn: Floats, max_lag: int, n: int, errors: Floats | None) -> Positions:
    """The lag of each resample, from its sums of products."""
    xy, yx, xx, yy = drawn[: 4 * max_lag].reshape(4, max_lag, -1)
    both, x2, y2 = drawn[4 * max_lag :]
    size = np.sqrt(x2 * y2)
    rho = both / size
    ahead, behind = apart(xy / size - rho * xx / x2, yx / size - rho * yy / y2, rho)
    most = np.abs(xy - yx) / size / errors[:, None] if errors is not None else np.maximum(abs(ahead), abs(behind))
    k, columns = most.argmax(axis=0), np.arange(len(rho))
    return np.asarray((k + 1) * sides(ahead[k, columns], behind[k, columns], rho, n), dtype=np.intp)
