"""Least squares for nested models, and the tests that are made of it: unit roots, cointegration, Granger causality."""

import math
from typing import NamedTuple

import numpy as np

from pairwatch.model import NAN, Floats


class Fitted(NamedTuple):
    """A least-squares fit: k coefficients, their standard errors, residuals, and the residual sum of squares.

    Attributes:
        covariance: of the coefficients; shape (k, k).
        plain_errors: those that hold where the variance is steady; `errors` are the same where they are not robust.
    """

    coefficients: Floats
    errors: Floats
    residuals: Floats
    rss: float
    covariance: Floats
    plain_errors: Floats


# Below this part of a column of unit length the others leave so little of it that its square loses too many digits.
_NEARLY_DEPENDENT = 1e-3


def triangle(columns: Floats) -> Floats:
    """The upper triangular factor R of the columns, whose signs are free: R'R are their sums of products.

    From the sums of products themselves, which is twenty times quicker than from the columns; from the columns where
    one of them nearly depends on those before it.
    """
    lengths = np.sqrt(np.einsum("ij,ij->j", columns, columns))
    with np.errstate(divide="ignore", invalid="ignore"):
        products = (columns.T @ columns) / lengths / lengths[:, None]
    try:
        found = np.linalg.cholesky(products).T
    except np.linalg.LinAlgError:
        found = np.zeros((1, 1))
    if np.diagonal(found).min() > _NEARLY_DEPENDENT:
        return np.asarray(found * lengths)
    return np.asarray(np.linalg.qr(columns, mode="r"), dtype="f8")


def least_squares(y: Floats, x: Floats, *, robust: bool = False) -> Fitted:
    """Y on the columns of x; NaN throughout where a column depends on the others.

    Args:
        robust: whether the errors hold under changing variance, too: MacKinnon and White's (1985) HC3, J. Econometrics
            29; statsmodels cov_type="HC3".
    """
    n, k = x.shape
    r = triangle(np.column_stack([x, y]))[:k] if n > k else np.zeros((k, k + 1))
    diagonal = np.abs(np.diagonal(r))
    if not diagonal.min() > 1e-10 * diagonal.max():
        return Fitted(np.full(k, NAN), np.full(k, NAN), np.full(n, NAN), NAN, np.full((k, k), NAN), np.full(k, NAN))
    inverse = np.linalg.inv(r[:, :k])
    coefficients = inverse @ r[:, k]
    residuals = y - x @ coefficients
    rss = float(residuals @ residuals)
    plain = rss / (n - k) * (inverse @ inverse.T)
    if robust:
        orthogonal = x @ inverse
        kept = 1 - np.einsum("ij,ij->i", orthogonal, orthogonal)
        scores = orthogonal * (residuals / np.maximum(kept, 1e-12))[:, None]
        covariance = inverse @ (scores.T @ scores) @ inverse.T
    else:
        covariance = plain
    errors, plain_errors = (np.sqrt(np.diagonal(one)) for one in (covariance, plain))
    return Fitted(coefficients, errors, residuals, rss, covariance, plain_errors)


def nested_rss(y: Floats, x: Floats) -> Floats:
    """The residual sums of squares of y on the first 1, 2, .. k columns of x, from one triangle; shape (k,)."""
    last = triangle(np.column_stack([x, y]))[:, -1]
    left = np.zeros(x.shape[1] + 1)
    left[: len(last)] = np.square(last)
    return np.asarray(left[::-1].cumsum()[::-1][1:])


def lagged(values: Floats, lags: int) -> Floats:
    """Columns of the 1, 2, .. `lags` values before, for each value that has them all; shape (n - lags, lags)."""
    n = len(values) - lags
    return np.lib.stride_tricks.sliding_window_view(values, lags)[:n, ::-1] if lags else np.empty((n, 0))


def schwert(n: int, deterministic: int) -> int:
    """The most lagged differences that are looked at: ceil(12 (n / 100)^(1/4)), Schwert (1989), as far as n allows."""
    most: int = min(math.ceil(12 * (n / 100) ** 0.25), n // 2 - deterministic - 1)
    return max(0, most)


def few_lags(n: int) -> int:
    """ceil(4 (n / 100)^(1/4)), the lesser bound of Schwert (1989), as far as n allows."""
    most: int = min(math.ceil(4 * (n / 100) ** 0.25), n // 8 - 1)
    return max(0, most)


class UnitRoot(NamedTuple):
    """An augmented Dickey-Fuller regression.

    Attributes:
        t: of the level's coefficient.
        lags: how many lagged differences the AIC chose.
        nobs: how many rows the regression has.
        error: of the level's coefficient.
        share: one less the sum of the lags' coefficients: so much of a pull towards the mean shows in the next bar.
        share_error: of that.
        together: the covariance of the level's coefficient and the share.
        plain_t: the t without robust errors.
    """

    t: float
    lags: int
    nobs: int
    error: float = NAN
    share: float = NAN
    share_error: float = 0.0
    together: float = 0.0
    plain_t: float = NAN


def dickey_fuller(x: Floats, *, constant: bool = True, max_lags: int | None = None, robust: bool = False) -> UnitRoot:
    """The t of lam in dx[t] = (c +) lam x[t-1] + sum g[i] dx[t-i] + e[t], the number of lags by the AIC.

    With `robust` errors its distribution is the same, and also nearly so where volatility clusters, which makes the
    plain t reject up to twice as often as it says (Rodrigues and Rubia 2005, Economics Letters 89(3)).

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
    fit = least_squares(y, design, robust=robust)
    at, lagging = fixed - 1, fit.covariance[fixed:, fixed:]
    error, plain = float(fit.errors[at]), float(fit.plain_errors[at])
    return UnitRoot(
        float(fit.coefficients[at]) / error if error else NAN,
        best,
        len(y),
        error,
        1 - float(fit.coefficients[fixed:].sum()),
        math.sqrt(max(0.0, float(lagging.sum()))),
        -float(fit.covariance[at, fixed:].sum()),
        float(fit.coefficients[at]) / plain if plain else NAN,
    )


def _augmented(x: Floats, lags: int, *, constant: bool) -> tuple[Floats, Floats, int]:
    """The differences, the design with what every model has first, and how many columns that is."""
    dx = np.diff(x)
    y = dx[lags:]
    level = x[lags:-1]
    head = [np.ones(len(y)), level] if constant else [level]
    return y, np.column_stack([*head, lagged(dx, lags)]), len(head)
