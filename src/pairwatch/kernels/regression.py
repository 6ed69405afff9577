"""Least squares for nested models, and the tests that are made of it: unit roots, cointegration, Granger causality."""

import math
from typing import NamedTuple

import numpy as np

from pairwatch.model import NAN, Floats


class Fitted(NamedTuple):
    """A least-squares fit: k coefficients, their standard errors, residuals, and the residual sum of squares."""

    coefficients: Floats
    errors: Floats
    residuals: Floats
    rss: float


def least_squares(y: Floats, x: Floats) -> Fitted:
    """Y on the columns of x, by QR; NaN throughout where a column depends on the others."""
    n, k = x.shape
    q, r = np.linalg.qr(x)
    diagonal = np.abs(np.diagonal(r))
    if n <= k or not diagonal.min() > 1e-10 * diagonal.max():
        return Fitted(np.full(k, NAN), np.full(k, NAN), np.full(n, NAN), NAN)
    projected = q.T @ y
    inverse = np.linalg.inv(r)
    coefficients = inverse @ projected
    residuals = y - x @ coefficients
    rss = float(residuals @ residuals)
    errors = np.sqrt(rss / (n - k) * np.square(inverse).sum(axis=1))
    return Fitted(coefficients, errors, residuals, rss)


def nested_rss(y: Floats, x: Floats) -> Floats:
    """The residual sums of squares of y on the first 1, 2, .. k columns of x, from one QR; shape (k,)."""
    q, _ = np.linalg.qr(x)
    explained = np.square(q.T @ y).cumsum()
    return np.asarray(np.maximum(float(y @ y) - explained, 0.0))


def lagged(values: Floats, lags: int) -> Floats:
    """Columns of the 1, 2, .. `lags` values before, for each value that has them all; shape (n - lags, lags)."""
    n = len(values) - lags
    return np.lib.stride_tricks.sliding_window_view(values, lags)[:n, ::-1] if lags else np.empty((n, 0))


def schwert(n: int, deterministic: int) -> int:
    """The most lagged differences that are looked at: ceil(12 (n / 100)^(1/4)), Schwert (1989), as far as n allows."""
    most: int = min(math.ceil(12 * (n / 100) ** 0.25), n // 2 - deterministic - 1)
    return max(0, most)


class UnitRoot(NamedTuple):
    """An augmented Dickey-Fuller regression.

    Attributes:
        t: of the level's coefficient.
        lags: how many lagged differences the AIC chose.
        nobs: how many rows the regression has.
    """

    t: float
    lags: int
    nobs: int


def dickey_fuller(x: Floats, *, constant: bool = True, max_lags: int | None = None) -> UnitRoot:
    """The t of lam in dx[t] = (c +) lam x[t-1] + sum g[i] dx[t-i] + e[t], the number of lags by the AIC.

    Source: Said and Dickey (1984), Biometrika 71; statsmodels adfuller(autolag="AIC").
    """
    most = schwert(len(x), int(constant)) if max_lags is None else max_lags
    y, design, fixed = _augmented(x, most, constant=constant)
    n = len(y)
    rss = nested_rss(y, design)[fixed - 1 :]
    with np.errstate(divide="ignore"):
        aic = n * np.log(rss / n) + 2 * np.arange(fixed, fixed + most + 1)
    best = int(np.argmin(aic))
    y, design, fixed = _augmented(x, best, constant=constant)
    fit = least_squares(y, design)
    at = fixed - 1
    return UnitRoot(float(fit.coefficients[at] / fit.errors[at]), best, len(y))


def _augmented(x: Floats, lags: int, *, constant: bool) -> tuple[Floats, Floats, int]:
    """The differences, the design with what every model has first, and how many columns that is."""
    dx = np.diff(x)
    y = dx[lags:]
    level = x[lags:-1]
    head = [np.ones(len(y)), level] if constant else [level]
    return y, np.column_stack([*head, lagged(dx, lags)]), len(head)
