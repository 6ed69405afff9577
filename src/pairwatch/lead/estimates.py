"""The estimate of `pairwatch.lead` for many windows or resamples at once: arrays of lags x columns, in units of r.

`lead_test` has its own, for its bits are kept from version to version; the tests hold the two together.
"""

import numpy as np

from pairwatch.model import Floats


def lagged_sums(x: Floats, y: Floats, max_lag: int) -> Floats:
    """Sum of x[t] y[t+k] of each row, k = 1..max_lag; shape (max_lag, rows)."""
    n = x.shape[1]
    return np.array([np.einsum("wt,wt->w", x[:, : n - k], y[:, k:]) for k in range(1, max_lag + 1)])


def estimated(x: Floats, y: Floats, rho: Floats, max_lag: int) -> tuple[Floats, Floats]:
    """The lead of x over y and that of y over x, of each row; x, y standardised, rho their correlations."""
    n = x.shape[1]
    plus = lagged_sums(x, y - rho[:, None] * x, max_lag) / n
    minus = lagged_sums(y, x - rho[:, None] * y, max_lag) / n
    return apart(plus, minus, rho)


def apart(plus: Floats, minus: Floats, rho: Floats) -> tuple[Floats, Floats]:
    """What of S+ and S- is the lead of A, and what that of B."""
    share = rho * rho
    unit = 1 + share * share
    return (plus - share * minus) / unit, (minus - share * plus) / unit


def sides(ahead: Floats, behind: Floats, rho: Floats, n: int) -> Floats:
    """1 where A leads, -1 where B does: the stronger one, with a lean towards a lead with the sign of rho."""
    share = rho * rho
    error = (1 - share) ** 2 / (1 + share * share) * np.sqrt(2 / n)
    return np.asarray(np.sign((ahead - behind) * (ahead + behind + rho * error)))
