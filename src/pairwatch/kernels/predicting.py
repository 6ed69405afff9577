"""Whether the past of one series predicts another beyond its own past: in sample, and where it was not fitted."""

import math
from typing import NamedTuple

import numpy as np

from pairwatch.kernels.bands import mean_above_zero
from pairwatch.kernels.cointegration import granger
from pairwatch.kernels.regression import lagged, least_squares
from pairwatch.kernels.tails import f_tail
from pairwatch.model import NAN, Floats


def autoregression_order(a: Floats, b: Floats, most: int) -> int:
    """The order from 1 to `most` of the vector autoregression of a and b that the BIC prefers.

    BIC = ln det(residual covariance) + ln(n) 2 (2 p + 1) / n, all orders on the same n days. Source: Schwarz (1978);
    Lütkepohl (2005), New Introduction to Multiple Time Series Analysis, 4.3; statsmodels VAR.select_order.
    """
    y = np.column_stack([_scaled(a), _scaled(b)])
    n = len(y) - most
    past = np.stack([lagged(y[:, i], most)[:n] for i in (0, 1)], axis=2).reshape(n, 2 * most)
    q, _ = np.linalg.qr(np.column_stack([np.ones(n), past]))
    y = y[most:]
    explained, total = q.T @ y, y.T @ y
    costs = []
    for p in range(1, most + 1):
        known = explained[: 1 + 2 * p]
        left = (total - known.T @ known) / n
        determinant = float(left[0, 0] * left[1, 1] - left[0, 1] ** 2)
        costs.append((math.log(determinant) if determinant > 0 else -math.inf) + math.log(n) * 2 * (2 * p + 1) / n)
    return 1 + int(np.argmin(costs))


class Predicts(NamedTuple):
    """Whether x's past tells of y beyond y's own.

    Attributes:
        f, f_p_value: the plain F and its p, for shocks of one size.
        robust_f: Wald's statistic over the lags, whatever the sizes of the shocks (HC3).
        p_value: of that, by F with the same degrees of freedom.
        rows: of the regression.
    """

    f: float
    f_p_value: float
    robust_f: float
    p_value: float
    rows: int


def predicts(y: Floats, x: Floats, lags: int) -> Predicts:
    """The Granger test of y on its own `lags` past values and those of x, plain and robust to changing volatility.

    Source: Granger (1969), Econometrica 37(3); MacKinnon and White (1985), J. Econometrics 29(3), HC3; statsmodels
    OLS(..).fit(cov_type="HC3").f_test.
    """
    y, x = _scaled(y), _scaled(x)
    plain = granger(y, x, lags)
    design = np.column_stack([np.ones(len(y) - lags), lagged(y, lags)[: len(y) - lags], lagged(x, lags)])
    rows, columns = design.shape
    q, r = np.linalg.qr(design)
    diagonal = np.abs(np.diagonal(r))
    if rows <= columns or not diagonal.min() > 1e-10 * diagonal.max():
        return Predicts(NAN, NAN, NAN, NAN, rows)
    projected = q.T @ y[lags:]
    residuals = y[lags:] - q @ projected
    weighted = q * (residuals / (1 - np.square(q).sum(axis=1)))[:, None]
    inverse = np.linalg.inv(r)
    covariance = inverse @ (weighted.T @ weighted) @ inverse.T
    tested = slice(1 + lags, None)
    theirs = (inverse @ projected)[tested]
    wald = float(theirs @ np.linalg.solve(covariance[tested, tested], theirs)) / lags
    return Predicts(plain.f, f_tail(plain.f, *plain.degrees), wald, f_tail(wald, lags, rows - columns), rows)


class Gain(NamedTuple):
    """What x's past adds to a forecast of y, on days that it was not fitted to.

    Attributes:
        r_squared: 1 - squared errors / those without x; negative where x makes the forecast worse.
        p_value: one-sided, of no gain in the population.
    """

    r_squared: float
    p_value: float


def forecast_gain(fitted: tuple[Floats, Floats], tested: tuple[Floats, Floats], lag: int) -> Gain:
    """Forecasts of y[t] from y[t-1] and x[t-lag], fitted to one stretch of (y, x), on another.

    Source: Campbell and Thompson (2008), Review of Financial Studies 21(4), R^2 out of sample; Clark and West (2007),
    J. Econometrics 138(1), the test, with the standard error of block sums.
    """
    (y, design), (actual, held_out) = _regression(*fitted, lag), _regression(*tested, lag)
    without = least_squares(y, design[:, :2]).coefficients
    with_x = least_squares(y, design).coefficients
    first, second = held_out[:, :2] @ without, held_out @ with_x
    error, better = actual - first, actual - second
    rss = float(error @ error)
    if not rss > 0 or not math.isfinite(float(better.sum())):
        return Gain(NAN, NAN)
    adjusted = error * error - better * better + np.square(first - second)
    return Gain(1 - float(better @ better) / rss, mean_above_zero(adjusted))


def _regression(y: Floats, x: Floats, lag: int) -> tuple[Floats, Floats]:
    """What is forecast, and what from: a constant, y the bar before, x `lag` bars before."""
    start = max(1, lag)
    rows = len(y) - start
    design = np.column_stack([np.ones(rows), y[start - 1 : -1], x[start - lag : len(x) - lag]])
    return y[start:], design


def _scaled(x: Floats) -> Floats:
    """Mean 0 and deviation 1, so that legs of different units are weighed alike."""
    centred = x - x.mean()
    deviation = math.sqrt(float(np.mean(centred * centred)))
    return np.asarray(centred / deviation) if deviation > 0 else centred
