"""Whether a correlation was the same throughout, and when it changed most: the test of a structural break.

It is one of what is measured: where the volatilities of what two legs share and of what each has of its own part
company for years, their correlation has truly changed, though nothing that links them has.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pairwatch import kernels
from pairwatch.kernels.dependence import LEAST_PAIRS, SAME, long_run_variance
from pairwatch.kernels.smoothing import DAILY, FIRST, volatility_before
from pairwatch.kernels.tails import chi2_tail
from pairwatch.model import NAN, Floats

BOUND = 2.5
"""Standardised returns are bounded by so many deviations."""
LEAST_RETURNS = 100
"""Fewer returns show no break."""
# Lags of the test's long-run variance: as many as clusters of volatility last, but more than a twelfth of the history
# would take a break itself for one. With the usual few, of histories in which clusters of what is shared and of what is
# not come and go each by themselves, 56 to 66 % pass for broken.
_LAGS, _SHARE = 125, 12
# Over more lags, or more than a third of a stretch, the stretches would make the variance by which they are judged.
_LAGS_OF_PARTS = 80
_OVERSHOOT = 0.5826  # E of a random walk's overshoot, -zeta(1/2) / sqrt(2 pi): Chernoff (1965), Siegmund (1985)
_DATED = 11.03  # the 97.5 % point of the arg max of W(v) - |v| / 2: Bai (1997), Rev. Economics and Statistics 79(4)


class Break(NamedTuple):
    """The strongest change of a correlation.

    Attributes:
        p_value: of a change so strong where there is none.
        at: the place of the first return after it.
        low, high: between which places it lies, at 95 %, if there is one.
        before, after: the correlations of what is tested: of standardised, bounded returns.
        statistic: sup |Q|.
    """

    p_value: float
    at: int
    low: int
    high: int
    before: float
    after: float
    statistic: float


NO_BREAK = Break(NAN, 0, 0, 0, NAN, NAN, NAN)


def kolmogorov_tail(q: float) -> float:
    """P(sup |Brownian bridge| > q) = 2 sum (-1)^(k+1) exp(-2 k^2 q^2) (Kolmogorov 1933)."""
    if math.isnan(q):
        return NAN
    if q < 0.3:
        return 1.0  # to 1e-5
    return 2 * math.fsum((1 if k % 2 else -1) * math.exp(-2 * k * k * q * q) for k in range(1, 20))


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


def correlation_break(a: Floats, b: Floats, decay: float = DAILY) -> Break:
    """Whether, and when, the correlation of two legs' returns changed.

    Q(j) = sum of the first j influences / sqrt(n v), v their long-run variance (Bartlett's weights, n / 12
    lags, at most 125), of returns over the volatility known a bar before, bounded at `BOUND` deviations: neither a
    turbulent stretch nor a single day passes for a break. sup |Q| is that of a Brownian bridge.

    Source: Wied, Kraemer and Dehling (2012), Econometric Theory 28(3), in the form of influences; Bai (1997) for the
    interval of the date. `NO_BREAK` of too few returns, of a leg that does not move, and of one series twice.
    """
    if len(a) < LEAST_RETURNS:
        return NO_BREAK
    x, y = (_bounded(standardised(leg, decay)) for leg in (a, b))
    if not 1 - kernels.correlation(x, y) ** 2 >= SAME:
        return NO_BREAK  # what is left is rounding, and that has a day on which it is worst
    shifts = influences(x, y)
    n, variance = len(shifts), _wide(shifts)
    path = shifts.cumsum() / math.sqrt(n * variance)
    at = int(np.abs(path[:-1]).argmax()) + 1
    highest = float(abs(path[at - 1]))
    step = float(shifts[at:].mean() - shifts[:at].mean())
    reach = int(min(n, _DATED * long_run_variance(shifts) / step**2)) + 1 if step else n
    p = kolmogorov_tail(highest + _OVERSHOOT / math.sqrt(n))
    values = kernels.correlation(x[:at], y[:at]), kernels.correlation(x[at:], y[at:])
    return Break(p, FIRST + at, FIRST + max(0, at - reach), FIRST + min(n - 1, at + reach), *values, highest)


def equal_in_parts_p(a: Floats, b: Floats, parts: Sequence[tuple[int, int]], decay: float = DAILY) -> float:
    """The probability of correlations so unlike in stretches of a history, if the correlation is always the same.

    Chi-squared of k - 1 degrees: sum n(i) (mean of the influences of stretch i - mean)^2 / v, all as in
    `correlation_break`, but v over a third of a stretch, at most 80 lags. Errors out of each stretch alone, as of
    Welch's test, are blind to what lasts as long as the stretch: where volatilities cluster each by itself, they find
    years unlike in 49 to 100 % of histories, this one in 9 to 20 %.

    Args:
        parts: from where to before where each one reaches, by places among the returns.
    """
    x, y = (_bounded(standardised(leg, decay)) for leg in (a, b)) if len(a) >= LEAST_RETURNS else (a[:0], b[:0])
    within = [(max(0, i - FIRST), j - FIRST) for i, j in parts if j - FIRST >= LEAST_PAIRS]
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
