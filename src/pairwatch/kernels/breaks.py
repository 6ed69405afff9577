"""Whether a correlation was the same throughout, and when it changed most: the test of a structural break.

It is one of what is measured: where the volatilities of what two legs share and of what each has of its own part
company for years, their correlation has truly changed, though nothing that links them has.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pairwatch import kernels
from pairwatch.kernels.break_tables import QUANTILES, TAILS
from pairwatch.kernels.dependence import LEAST_PAIRS, SAME, long_run_variance
from pairwatch.kernels.smoothing import DAILY, FIRST, volatility_before
from pairwatch.kernels.tails import chi2_tail
from pairwatch.model import NAN, Floats

BOUND = 2.5
"""Standardised returns are bounded by so many deviations."""
LEAST_RETURNS = 100
"""Fewer returns show no break."""
MARGIN = 60
"""A change so near to either end is not looked for; of a short history, nearer than a quarter of it."""
# Lags of the test's long-run variance: as many as clusters of volatility last, but more than a twelfth of the history
# would not fit into it. With the usual few, more than half of the histories in which clusters of what is shared and of
# what is not come and go each by themselves pass for broken.
_LAGS, _SHARE = 125, 12
# Over more lags, or more than a third of a stretch, the stretches would make the variance by which they are judged.
_LAGS_OF_PARTS = 80
_SURE = 0.95


class Break(NamedTuple):
    """The strongest change of a correlation.

    Attributes:
        p_value: of a change so strong where there is none.
        at: the place of the first return after it.
        low, high: between which places it lies, at 95 %, if there is one.
        before, after: the correlations of what is tested: of standardised, bounded returns.
        statistic: sup T.
        unseen: a change among so many last returns is not dated there; a large one may show, dated before them.
    """

    p_value: float
    at: int
    low: int
    high: int
    before: float
    after: float
    statistic: float
    unseen: int


NO_BREAK = Break(NAN, 0, 0, 0, NAN, NAN, NAN, 0)


class Step(NamedTuple):
    """Where a series' mean changed most, by least squares.

    Attributes:
        at: the place of the first value after it.
        low, high: between which places it lies, at 95 %.
        statistic: sup T.
    """

    at: int
    low: int
    high: int
    statistic: float


def standardised(returns: Floats, decay: float = DAILY) -> Floats:
    """Returns over the volatility that was known a bar before; shape (n - `FIRST`,), 0 where there was none."""
    centred = returns - returns.mean()
    before = volatility_before(centred, decay)
    found: Floats = np.divide(centred[FIRST:], before, out=np.zeros(len(before)), where=before > 0)
    return found


def influences(a: Floats, b: Floats) -> Floats:
    """What each pair of values adds to the correlation of both, which is their mean's excess over zero; shape (n,).

    x y - r (x^2 + y^2) / 2 with x and y in deviations; NaN if one does not move.
    """
    x, y = a - a.mean(), b - b.mean()
    scale = float(x @ x), float(y @ y)
    if min(scale) <= 0:
        return np.full(len(a), NAN)
    n = len(a)
    x, y = x * math.sqrt(n / scale[0]), y * math.sqrt(n / scale[1])
    r = float(x @ y) / n
    return np.asarray(x * y - r * (x * x + y * y) / 2)


def margin(n: int) -> int:
    """How far from either end of n values a change is looked for."""
    return min(MARGIN, n // 4)


def strongest_step(values: Floats) -> Step:
    """The change of their mean, zero over all, that leaves the least squares, at least `margin` from either end.

    T(j)^2 = what a change at j takes off the sum of squares, n S(j)^2 / (j (n - j)), over the long-run variance of what
    the strongest one leaves (Bartlett's weights, n / 12 lags, at most 125). Without the step in it: a step that counts
    as noise hides itself. NaN of values that do not vary.

    Its place is one of all that take off nearly as much: what the true one lacks is at most the larger of two
    exponential variables, each side's of its own variance (Eo and Morley 2015, Quantitative Economics 6(2)). Bai's
    (1997) interval, with one variance for both sides, holds 54 to 84 % of late changes from a high correlation.
    """
    n, edge = len(values), margin(len(values))
    places = np.arange(1.0, n)
    gains = np.square(values.cumsum()[:-1]) * (n / (places * (n - places)))
    at = edge + int(gains[edge - 1 : n - edge].argmax())
    best = float(gains[at - 1])
    before, after = (part - part.mean() for part in (values[:at], values[at:]))
    variance = _wide(np.concatenate([before, after]))
    short = _short_of_best(long_run_variance(before), long_run_variance(after))
    near = np.flatnonzero(gains >= best - short) + 1
    return Step(at, int(near[0]), int(near[-1]), math.sqrt(best / variance) if variance > 0 else NAN)


def _short_of_best(first: float, second: float) -> float:
    """The 95 % point of the larger of two exponential variables with twice these means: 7.35 of two of 1."""
    low, high = 0.0, -2 * math.log(1 - math.sqrt(_SURE)) * max(first, second)
    for _ in range(40):
        middle = (low + high) / 2
        held = math.prod(-math.expm1(-middle / (2 * v)) for v in (first, second) if v > 0)
        low, high = (middle, high) if held < _SURE else (low, middle)
    return high


def step_tail(statistic: float, n: int) -> float:
    """P(sup T > statistic) of n values whose mean is the same throughout, as simulated: `break_tables.QUANTILES`.

    Not the limit's (Andrews 1993): over so many lags, and so near to the ends, 17 % of 1,000 values' exceed its 5 %
    point. Beyond the last simulated quantile its logit goes on as a straight line.
    """
    if math.isnan(statistic):
        return NAN
    sizes, quantiles = np.log([size for size, _ in QUANTILES]), np.array([row for _, row in QUANTILES])
    place = float(np.clip(math.log(n), sizes[0], sizes[-1]))
    above = min(len(sizes) - 1, max(1, int(sizes.searchsorted(place))))
    weight = (place - sizes[above - 1]) / (sizes[above] - sizes[above - 1])
    points = (1 - weight) * quantiles[above - 1] + weight * quantiles[above]
    logits = np.log(np.divide(TAILS, 1 - np.array(TAILS)))
    i = min(len(points) - 1, max(1, int(points.searchsorted(statistic))))
    slope = (logits[i] - logits[i - 1]) / (points[i] - points[i - 1])
    return 1 / (1 + math.exp(min(700.0, -float(logits[i] + slope * (statistic - points[i])))))


def correlation_break(a: Floats, b: Floats, decay: float = DAILY) -> Break:
    """Whether, and when, the correlation of two legs' returns changed.

    The strongest step of the influences on it (`strongest_step`), of returns over the volatility known a bar before,
    bounded at `BOUND` deviations: neither a turbulent stretch nor a single day passes for a break.

    Source: Andrews (1993), Econometrica 61(4), in the form of influences as Wied, Kraemer and Dehling (2012) have it;
    Eo and Morley (2015) for the date. `NO_BREAK` of too few returns, of a leg that does not move, of one series twice.
    """
    if len(a) < LEAST_RETURNS:
        return NO_BREAK
    x, y = (_bounded(standardised(leg, decay)) for leg in (a, b))
    if not 1 - kernels.correlation(x, y) ** 2 >= SAME:
        return NO_BREAK  # what is left is rounding, and that has a day on which it is worst
    at, low, high, statistic = strongest_step(influences(x, y))
    values = kernels.correlation(x[:at], y[:at]), kernels.correlation(x[at:], y[at:])
    p = step_tail(statistic, len(x))
    return Break(p, FIRST + at, FIRST + low, FIRST + high, *values, statistic, margin(len(x)))


def equal_in_parts_p(a: Floats, b: Floats, parts: Sequence[tuple[int, int]], decay: float = DAILY) -> float:
    """The probability of correlations so unlike in stretches of a history, if the correlation is always the same.

    Chi-squared of k - 1 degrees: sum n(i) (mean of the influences of stretch i - mean)^2 / v, of returns as in
    `correlation_break`, v their long-run variance over a third of a stretch, at most 80 lags. Errors out of each
    stretch alone, as of Welch's test, are blind to what lasts as long as the stretch: where volatilities cluster each
    by itself, they find years unlike in 49 to 100 % of histories, this one in 9 to 20 %.

    Args:
        parts: from where to before where each one reaches, by places among the returns.
    """
    x, y = (_bounded(standardised(leg, decay)) for leg in (a, b)) if len(a) >= LEAST_RETURNS else (a[:0], b[:0])
    within = [(max(0, i - FIRST), j - FIRST) for i, j in parts if j - max(i, FIRST) >= LEAST_PAIRS]
    if len(within) < 2 or not 1 - kernels.correlation(x, y) ** 2 >= SAME:
        return NAN
    shifts = influences(x, y)
    sizes = np.array([j - i for i, j in within], dtype="f8")
    means = np.array([float(shifts[i:j].mean()) for i, j in within])
    apart = means - float(sizes @ means) / float(sizes.sum())
    variance = _wide(shifts, min(_LAGS_OF_PARTS, int(sizes.mean() / 3)))
    return chi2_tail(float(sizes @ (apart * apart)) / variance, len(within) - 1)


def _wide(shifts: Floats, most: int = _LAGS) -> float:
    """Their long-run variance, over as many lags as clusters of volatility last."""
    return long_run_variance(shifts, min(most, len(shifts) // _SHARE))


def _bounded(values: Floats) -> Floats:
    deviation = math.sqrt(float(values @ values) / len(values))
    return np.asarray(values.clip(-BOUND * deviation, BOUND * deviation))
