"""Averages whose weights fall off exponentially: correlation and volatility as of each day."""

import math

import numpy as np

from pairwatch import kernels
from pairwatch.kernels.dependence import SAME, Estimate, neighbours, t_point, unknown
from pairwatch.model import NAN, Floats

# So many first values make the variance with which one that is known a bar before begins.
FIRST = 20
DAILY, MONTHLY = 0.94, 0.97
"""RiskMetrics' decays: of daily and weekly returns, and of monthly ones."""


def usual_decay(bars_per_year: int) -> float:
    """RiskMetrics' decay for bars of which a year has so many."""
    return DAILY if bars_per_year > 12 else MONTHLY


def smoothed_sums(values: Floats, decay: float) -> Floats:
    """s[t] = x[t] + decay x[t-1] + decay^2 x[t-2] + ..; shape of `values`, along the last axis.

    By doubling: sums over 1, 2, 4, .. values, until the weights are below rounding.
    """
    total, reach, weight = np.array(values, dtype="f8"), 1, decay
    n = total.shape[-1]
    while reach < n and weight > 1e-18:
        total[..., reach:] += weight * total[..., :-reach].copy()
        reach, weight = 2 * reach, weight * weight
    return total


def smoothed_correlation(a: Floats, b: Floats, decay: float) -> Floats:
    """Sum w a b / sqrt(sum w a^2 sum w b^2) as of each bar, w = decay^age; shape (n,), NaN where a side has not moved.

    Source: RiskMetrics (1996), technical document, 4th edition, 5.2: returns are taken as they are, not centred.
    """
    ab, aa, bb = smoothed_sums(np.stack([a * b, a * a, b * b]), decay)
    flat = (aa <= 0) | (bb <= 0)
    found = ab / np.sqrt(np.where(flat, 1.0, aa)) / np.sqrt(np.where(flat, 1.0, bb))
    found[flat] = NAN
    return np.asarray(found.clip(-1, 1))


def effective_number(decay: float) -> float:
    """How many equally weighted values are as sure as these weights: (1 + decay) / (1 - decay)."""
    return (1 + decay) / (1 - decay)


def estimated_smoothed_correlation(a: Floats, b: Floats, decay: float) -> Estimate:
    """The last smoothed correlation, with an interval made as `dependence.estimated_correlation` makes it.

    Its n is that of equally weighted returns that are as sure.
    """
    weights = decay ** np.arange(len(a) - 1, -1.0, -1)
    weights /= weights.sum()
    many = 1 / float(weights @ weights)
    ab, aa, bb = weights * a * b, weights * a * a, weights * b * b
    xy, xx, yy = float(ab.sum()), float(aa.sum()), float(bb.sum())
    if many < 4 or not xx * yy > 0:
        return unknown(round(many))
    r = max(-1.0, min(1.0, xy / math.sqrt(xx * yy)))
    if 1 - r * r < SAME:
        return Estimate(r, r, r, 0.0, int(many) - 2, round(many))
    left = np.maximum((xx - aa) * (yy - bb), kernels.NOISE**2 * xx * yy)
    bound = 1 - SAME
    shifts = np.arctanh(((xy - ab) / np.sqrt(left)).clip(-bound, bound)) - math.atanh(r)
    squares = float(shifts @ shifts)
    excess = float(np.square(shifts * shifts).sum()) / squares**2 - 1 / many if squares > 0 else 0.0
    freedom = int(min(many - 2, max(10.0, 4 / max(excess, 0.5 / many))))
    error = math.sqrt(squares * neighbours(shifts))
    z, reach = math.atanh(r), t_point(max(1, freedom)) * error
    return Estimate(r, math.tanh(z - reach), math.tanh(z + reach), error, freedom, round(many))


def volatility_before(returns: Floats, decay: float) -> Floats:
    """The deviation of each bar as it was known a bar before: s2[t] = decay s2[t-1] + (1 - decay) x[t-1]^2.

    Shape (n - `FIRST`,), of the bars from `FIRST` on; the first is the mean square of those before. Zero where nothing
    has moved yet.
    """
    squares = np.square(returns)
    inputs = np.concatenate([[float(squares[:FIRST].mean())], (1 - decay) * squares[FIRST:-1]])
    return np.asarray(np.sqrt(smoothed_sums(inputs, decay)[: len(returns) - FIRST]))
