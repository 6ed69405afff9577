"""Whether two series keep together: Engle-Granger's test and Johansen's; and whether one's past tells of the other.

The tables are asymptotic: in short windows the tests are looser than they say.
"""

import math
from typing import NamedTuple

import numpy as np

from pairwatch.kernels.regression import UnitRoot, dickey_fuller, lagged, least_squares, nested_rss
from pairwatch.model import NAN, Floats

# MacKinnon (1994), J. Business & Economic Statistics 12(2), tables 3 and 4: the t of a Dickey-Fuller regression with a
# constant, for one series and for the residuals of two. The t's range, the border of the two polynomials, and these.
_TAU = (
    (-18.83, 2.74, -1.61, (2.1659, 1.4412, 0.038269), (1.7339, 0.93202, -0.12745, -0.010368)),
    (-18.86, 0.92, -2.62, (2.92, 1.5012, 0.039796), (2.1945, 0.64695, -0.29198, -0.042377)),
)
# MacKinnon (2010), Critical values for cointegration tests, table 2, 5 %: for one series, and for two.
_CRITICAL_T = ((-2.86154, -2.8903, -4.234, -40.040), (-3.33613, -6.1101, -6.823, 0.0))
# MacKinnon, Haug and Michelis (1999), J. Applied Econometrics 14(5), a constant: 90, 95 and 99 % points of the trace
# for no cointegrating vector among two series, and for at most one.
_TRACE = ((13.4294, 15.4943, 19.9349), (2.7055, 3.8415, 6.6349))


def dickey_fuller_p(t: float, series: int = 1) -> float:
    """The probability of so low a t where there is a unit root, of one series or of the residuals of two."""
    low, high, border, left, right = _TAU[series - 1]
    if not math.isfinite(t):
        return NAN
    if t > high:
        return 1.0
    if t < low:
        return 0.0
    z = sum(c * t**i for i, c in enumerate(left if t <= border else right))
    return 0.5 * math.erfc(-z / math.sqrt(2))


def critical_t(n: float, series: int = 1) -> float:
    """The t that 5 % of random walks of n changes fall below."""
    return sum(c / n**i for i, c in enumerate(_CRITICAL_T[series - 1]))


class EngleGranger(NamedTuple):
    """A regression of y on x, and the Dickey-Fuller test of its residuals.

    Attributes:
        slope, intercept: of y on x.
        test: of the residuals.
        p_value: of no cointegration.
    """

    slope: float
    intercept: float
    test: UnitRoot
    p_value: float


def engle_granger(y: Floats, x: Floats) -> EngleGranger:
    """Whether y less its least-squares line on x returns to its mean.

    Source: Engle and Granger (1987), Econometrica 55(2); statsmodels coint(trend="c", autolag="aic").
    """
    shift = float(x.mean())
    fit = least_squares(y, np.column_stack([np.ones(len(x)), x - shift]))
    intercept, slope = fit.coefficients.tolist()
    if not math.isfinite(slope):
        return EngleGranger(NAN, NAN, UnitRoot(NAN, 0, 0), NAN)
    test = dickey_fuller(fit.residuals, constant=False)
    return EngleGranger(slope, intercept - slope * shift, test, dickey_fuller_p(test.t, 2))


class Johansen(NamedTuple):
    """Johansen's trace statistics of two series.

    Attributes:
        trace: for no cointegrating vector, and for at most one.
        eigenvalues: the larger first.
        vector: the cointegrating vector, its first component 1.
    """

    trace: tuple[float, float]
    eigenvalues: tuple[float, float]
    vector: tuple[float, float]

    @property
    def rank(self) -> int:
        """How many cointegrating vectors there are at 5 %."""
        for rank, (statistic, points) in enumerate(zip(self.trace, _TRACE, strict=True)):
            if not statistic > points[1]:
                return rank
        return 2


def johansen(levels: Floats, lags: int = 1) -> Johansen:
    """Johansen's test with a constant and `lags` lagged differences, of two series; `levels` has shape (n, 2).

    Source: Johansen (1991), Econometrica 59(6); statsmodels coint_johansen(det_order=0, k_ar_diff=lags).
    """
    levels = levels - levels.mean(axis=0)
    dx = np.diff(levels, axis=0)
    past = np.column_stack([lagged(dx[:, i], lags) for i in (0, 1)])[: len(dx) - lags]
    # The levels go through the same rows as the differences; statsmodels takes them at the end of the lags.
    rows = np.column_stack([np.ones(len(past)), past, dx[lags:], levels[1 : len(levels) - lags]])
    # What the constant and the past leave of both, as far as sums of products go: the last rows of one R.
    upper = np.asarray(np.linalg.qr(rows, mode="r"), dtype="f8")
    left = upper[1 + 2 * lags :, 1 + 2 * lags :]
    moments = left.T @ left
    s00, sk0, skk = moments[:2, :2], moments[2:, :2], moments[2:, 2:]
    values, vectors = np.linalg.eig(np.linalg.solve(skk, sk0 @ np.linalg.solve(s00, sk0.T)))
    order = np.argsort(values.real)[::-1]
    values, vectors = values.real[order], vectors.real[:, order]
    logs = -len(rows) * np.log1p(-values)
    first = vectors[:, 0] / vectors[0, 0]
    return Johansen((float(logs.sum()), float(logs[1])), tuple(values.tolist()), tuple(first.tolist()))


class Granger(NamedTuple):
    """Whether x's past tells of y beyond y's own.

    Attributes:
        f: of the joint test that all coefficients of x's past are zero.
        degrees: of freedom of its numerator and denominator.
    """

    f: float
    degrees: tuple[int, int]


def granger(y: Floats, x: Floats, lags: int) -> Granger:
    """The F test of y on its own `lags` past values against those and x's.

    Source: Granger (1969), Econometrica 37(3); statsmodels grangercausalitytests, ssr_ftest.
    """
    own = np.column_stack([np.ones(len(y) - lags), lagged(y, lags)])
    design = np.column_stack([own, lagged(x, lags)])
    rss = nested_rss(y[lags:] - y.mean(), design)
    free = len(design) - design.shape[1]
    restricted, full = float(rss[own.shape[1] - 1]), float(rss[-1])
    return Granger((restricted - full) / lags / (full / free), (lags, free))
