"""How quickly a spread returns to its mean, with an interval that holds also where it hardly does."""

import math
from typing import NamedTuple

import numpy as np

from pairwatch.kernels.regression import UnitRoot, dickey_fuller, few_lags
from pairwatch.kernels.reversion_tables import POWER, QUANTILES
from pairwatch.model import NAN, Floats

# The interval's ends and its middle among the quantiles of the tables.
_LOW, _MIDDLE, _HIGH = range(3)
_LIMITS = (-1.959963984540054, 0.0, 1.959963984540054)


class HalfLife(NamedTuple):
    """The bars in which a deviation halves.

    Attributes:
        bars: median-unbiased; infinite where the middle of the estimates does not revert at all.
        low, high: the 95 % interval; infinite where nothing says that it reverts. NaN where all are.
    """

    bars: float
    low: float
    high: float

    @property
    def is_bounded(self) -> bool:
        """Whether the interval says that the spread reverts."""
        return math.isfinite(self.high)


def half_life(test: UnitRoot, series: int = 1) -> HalfLife:
    """The half-life of the largest root of an augmented Dickey-Fuller regression, -ln 2 / ln rho.

    Least squares put a root near one too low (Kendall 1954), and the usual interval around it covers too little. So
    each rho is held against the distribution that its t has where it is the true one, which depends on c = n ln rho:
    the interval holds those that are not refused at 2.5 % on either side, the estimate is the one whose median it is.
    The level's coefficient is share * (rho - 1): lagged differences take their share of the pull, and the error of that
    share is counted, too: without it the interval covers up to 2 points less.

    Args:
        test: of the spread itself, with a constant.
        series: 2 if of the residuals of a least-squares line between two series, without one.

    Source: Stock (1991), J. Monetary Economics 28; Andrews (1993), Econometrica 61(1); Mikusheva (2007), Econometrica
    75(5), for why the t is taken at each rho, and not at one.
    """
    if not (math.isfinite(test.t) and test.share > 0):
        return HalfLife(NAN, NAN, NAN)
    longest, middle, shortest = (_life(test, series, which) for which in (_LOW, _MIDDLE, _HIGH))
    return HalfLife(middle, shortest, longest)


def spread_half_life(spread: Floats, series: int = 1) -> HalfLife:
    """The half-life of a spread, by a regression with few lags and HC3 errors, which its interval covers best by.

    Args:
        series: 2 if the spread is what a least-squares line between two series leaves.
    """
    values = spread - spread.mean() if series > 1 else spread
    return half_life(
        dickey_fuller(values, constant=series == 1, max_lags=few_lags(len(spread) - 1), robust=True), series
    )


def _life(test: UnitRoot, series: int, which: int) -> float:
    """The half-life whose t stands at a quantile of its own distribution: infinite where that of a unit root does."""

    def beyond(c: float) -> float:
        pull = -math.expm1(-c / test.nobs)
        variance = test.error**2 + 2 * pull * test.together + (pull * test.share_error) ** 2
        return (test.t * test.error + pull * test.share) / math.sqrt(variance) - quantile(c, which, series)

    if beyond(0.0) >= 0:
        return math.inf
    low, high = 0.0, 1.0
    while beyond(high) < 0:
        low, high = high, 2 * high
        if high > 50 * test.nobs:  # a root of zero: what is left tomorrow of a deviation is nothing
            return 0.0
    for _ in range(60):
        centre = (low + high) / 2
        low, high = (low, centre) if beyond(centre) >= 0 else (centre, high)
    return math.log(2) * test.nobs / high


def _place(c: float) -> float:
    """Where a pull c = -n ln rho stands in the tables: from 1 at a unit root to 0 far from it."""
    return 1 / (1 + math.sqrt(c))


_PLACES = np.array([0.0, *(_place(row[0]) for row in reversed(QUANTILES))])


def _tabled() -> dict[tuple[int, int], Floats]:
    """The quantiles at the places, by how many series there are and by which quantile it is."""
    found = {}
    for series in (1, 2):
        rows = [(one, two)[series - 1] for _, one, two in reversed(QUANTILES)]
        for which, limit in enumerate(_LIMITS):
            found[series, which] = np.array([limit, *(row[which] for row in rows)])
    return found


_T = _tabled()
_POWERS = {series: np.array([1.0, *(row[series] for row in reversed(POWER))]) for series in (1, 2)}


def quantile(c: float, which: int, series: int = 1) -> float:
    """The 2.5, 50 or 97.5 % quantile (`which` 0, 1, 2) of t at the true rho, c = -n ln rho."""
    return float(np.interp(_place(c), _PLACES, _T[series, which]))


def power(bars: float, n: int, series: int = 1) -> float:
    """How often a Dickey-Fuller test of n bars finds at 5 % that a deviation halves in so many bars."""
    return float(np.interp(_place(math.log(2) * n / bars), _PLACES, _POWERS[series]))
