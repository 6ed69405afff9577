"""Who leads over a long history, and how surely at which lag.

Over thousands of days the statistic of `lead_test` finds what the legs share: a little autocorrelation of a common
factor, which over two months is nothing beside the noise, makes a leader of either leg in a third of histories of ten
years. The asymmetry D(k) = r(k) - r(-k) is zero there, for any factor and however long: it judges long histories.
"""

from typing import NamedTuple

import numpy as np

from pairwatch.kernels import quantile
from pairwatch.kernels.bands import Band, block_length, block_sums, cross_terms
from pairwatch.kernels.draws import Draws
from pairwatch.lead import NO_LEAD, SAME, Z_POWER, Lead, _direction, _standardised, _strengths
from pairwatch.model import Floats, Positions

RESAMPLES = 999


def long_lead(a: Floats, b: Floats, asymmetry: Band) -> Lead:
    """The lead over a long history, judged by its asymmetry.

    Args:
        asymmetry: D(k), k = 1..L, of these legs: `kernels.bands.asymmetry_band`.
    """
    n = len(a)
    x, y = _standardised(a), _standardised(b)
    rho = float(np.mean(x * y))
    if not 1.0 - rho * rho > SAME or not np.isfinite(asymmetry.p_value):
        return NO_LEAD
    at, lags = asymmetry.most, len(asymmetry.values)
    ahead, behind, _ = _strengths(x, y, rho, lags, np.arange(n)[None, :])
    critical = float(asymmetry.reach[at] / asymmetry.errors[at])
    return Lead(
        lag=(at + 1) * _direction(float(ahead[at, 0]), float(behind[at, 0]), rho, n),
        asymmetry=float(asymmetry.values[at]),
        p_value=asymmetry.p_value,
        detectable=(critical + Z_POWER) * quantile(asymmetry.errors, 0.5),
    )


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
    x, y = _standardised(a), _standardised(b)
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
    share = rho * rho
    plus, minus = xy / size - rho * xx / x2, yx / size - rho * yy / y2
    ahead, behind = (plus - share * minus) / (1 + share * share), (minus - share * plus) / (1 + share * share)
    most = np.abs(xy - yx) / size / errors[:, None] if errors is not None else np.maximum(abs(ahead), abs(behind))
    k, columns = most.argmax(axis=0), np.arange(len(rho))
    u, v = ahead[k, columns], behind[k, columns]
    lean = rho * (1 - share) ** 2 / (1 + share * share) * np.sqrt(2 / n)
    return np.asarray((k + 1) * np.sign((u - v) * (u + v + lean)), dtype=np.intp)
