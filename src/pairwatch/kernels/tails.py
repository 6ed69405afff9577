"""Tails and quantiles of the distributions that tests are judged by, without scipy's import."""

import math

from pairwatch.kernels import incomplete_beta, student_t_tail
from pairwatch.model import NAN


def normal_tail(z: float) -> float:
    """P(Z > z)."""
    return 0.5 * math.erfc(z / math.sqrt(2))


def normal_quantile(p: float) -> float:
    """The z with P(Z <= z) = p, for p in (0, 1); relative error below 1e-12.

    Newton's steps on the logarithm of the tail, which is concave: from a point beyond the root they never pass it.
    """
    if p > 0.5:
        return -normal_quantile(1 - p)
    z = math.sqrt(max(0.0, -2 * math.log(2 * p)))  # the tail of z is below exp(-z * z / 2) / 2
    for _ in range(50):
        tail = normal_tail(z)
        step = math.log(tail / p) * tail * math.sqrt(2 * math.pi) * math.exp(z * z / 2)
        z += step
        if step >= -1e-15 * z:
            break
    return -z


def chi2_tail(x: float, df: int) -> float:
    """P(X > x) for chi-squared X with df >= 1 degrees of freedom (Abramowitz and Stegun 26.4.4, 26.4.5)."""
    if not x > 0:
        return NAN if math.isnan(x) else 1.0
    if math.isinf(x):
        return 0.0
    half, odd = x / 2, df % 2
    # Each term by its logarithm: the powers overflow, and what they are multiplied with vanishes.
    powers = (i + odd / 2 for i in range(df // 2))
    total = sum(math.exp(power * math.log(half) - math.lgamma(power + 1) - half) for power in powers)
    return total + (math.erfc(math.sqrt(half)) if odd else 0.0)


def f_tail(x: float, df: int, df2: int) -> float:
    """P(F > x) with df and df2 degrees of freedom (Abramowitz and Stegun 26.6.2)."""
    if not x > 0:
        return NAN if math.isnan(x) else 1.0
    if x < 1:  # df2 / (df2 + df * x) is too near to one to hold a small x
        return 1 - incomplete_beta(df / 2, df2 / 2, df * x / (df2 + df * x))
    return incomplete_beta(df2 / 2, df / 2, df2 / (df2 + df * x))


def two_sided_t(t: float, df: int) -> float:
    """P(|T| > |t|)."""
    return NAN if math.isnan(t) else 2 * student_t_tail(abs(t), df)
