"""Arrays in, numbers out: no dates, no names, no policy.

All vectors are float64 of shape (n,). NaN means "cannot say": where a formula divides by a spread of zero, the
result is NaN and no warning is raised.
"""

import math
from typing import Any

import numpy as np

from pairwatch.model import NAN, Days, Floats

# The two-sided 95 % quantile of the normal distribution.
Z95 = 1.959963984540054
# A standard deviation below this fraction of the values' size is rounding noise around zero.
NOISE = 1e-14


def quotient(top: float, bottom: float) -> float:
    """`top / bottom`, or NaN where `bottom` is zero or either is not finite."""
    return top / bottom if bottom and math.isfinite(bottom) and math.isfinite(top) else NAN


# ---------------------------------------------------------------- prices


def adjust_for_distributions(closes: Floats, at: Any, amounts: Floats) -> Floats:
    """Closes as if each cash amount had been reinvested at the close before it left the price.

    Every close before position t is multiplied by 1 - amount[t] / closes[t - 1], the amounts of one position added
    up, so that the last close stays as quoted. This is the CRSP factor that Yahoo's adjusted close is made with.
    Amounts at position 0, past the end, or not smaller than the close before them leave the closes alone.
    """
    paid = np.zeros(len(closes))
    inside = (at > 0) & (at < len(closes))
    np.add.at(paid, at[inside], amounts[inside])
    before = closes[:-1]
    counts = (paid[1:] != 0) & (paid[1:] < before)
    log_factors = np.zeros(len(closes))
    log_factors[:-1][counts] = np.log1p(-paid[1:][counts] / before[counts])
    return np.asarray(closes * np.exp(log_factors[::-1].cumsum()[::-1]))


def usual_gap(days: Days) -> int:
    """The median distance between neighbours, in days; 1 for fewer than two."""
    if len(days) < 2:
        return 1
    gaps = np.sort(np.diff(days).astype("i8"))
    return int(gaps[len(gaps) // 2])


def is_every_day(days: Days) -> bool:
    """Whether trading goes on over weekends: on a tenth of the days or more (two sevenths, where it does)."""
    # Day 0, 1970-01-01, was a Thursday.
    return bool(len(days) and ((days.astype("i8") + 3) % 7 >= 5).mean() >= 0.1)


def simple_returns(levels: Floats) -> Floats:
    """p[t] / p[t-1] - 1, shape (n - 1,)."""
    return np.asarray(levels[1:] / levels[:-1] - 1)


def max_drawdown(levels: Floats) -> float:
    """The deepest fall from an earlier peak, as a fraction: 0 or negative."""
    return float((levels / np.maximum.accumulate(levels) - 1).min())


# ---------------------------------------------------------------- one leg


def sd(x: Floats) -> float:
    """Sample standard deviation (ddof 1); 0 where all values are equal up to rounding."""
    if len(x) < 2:
        return NAN
    value = float(x.std(ddof=1))
    return 0.0 if value <= NOISE * float(np.abs(x).max()) else value


def downside_deviation(x: Floats) -> float:
    """Root mean square of the negative values, over all n (Sortino and Price 1994)."""
    return math.sqrt(float(np.mean(np.minimum(x, 0) ** 2)))


def skewness(x: Floats) -> float:
    """The adjusted Fisher-Pearson coefficient G1, as pandas and spreadsheets give it."""
    n, spread = len(x), sd(x)
    if n < 3 or not spread:
        return NAN
    d = x - x.mean()
    m2, m3 = float(np.mean(d**2)), float(np.mean(d**3))
    return m3 / (m2 * math.sqrt(m2)) * math.sqrt(n * (n - 1)) / (n - 2)


def half_life(spread: Floats) -> float:
    """Bars in which a deviation halves, from ds[t] = c + lam s[t-1]; NaN if it does not revert.

    -ln 2 / ln(1 + lam), exact for a discrete AR(1).
    """
    before, change = spread[:-1], np.diff(spread)
    if len(change) < 3 or not sd(before):
        return NAN
    lam = slope(before, change)
    return -math.log(2) / math.log1p(lam) if -1 < lam < 0 else NAN


def reversion_t(spread: Floats) -> float:
    """The Dickey-Fuller t: that of lam in ds[t] = c + lam s[t-1] + e, no lags; NaN if the spread does not vary."""
    before, change = spread[:-1], np.diff(spread)
    return quotient(slope(before, change), slope_error(before, change))


def quantile(x: Floats, p: float) -> float:
    """The p-quantile by linear interpolation between order statistics (Hyndman and Fan's type 7)."""
    # Not np.quantile, which imports numpy.ma.
    ordered = np.sort(x)
    place = p * (len(x) - 1)
    below = int(place)
    above = min(below + 1, len(x) - 1)
    return float(ordered[below] + (place - below) * (ordered[above] - ordered[below]))


# ---------------------------------------------------------------- two legs


def slope(x: Floats, y: Floats) -> float:
    """The least-squares slope of y on x; NaN if x does not vary."""
    if len(x) < 2 or not sd(x):
        return NAN
    dx = x - x.mean()
    return float(dx @ (y - y.mean())) / float(dx @ dx)


def slope_error(x: Floats, y: Floats) -> float:
    """The standard error of the slope of y on x: its square is sum e^2 / (n - 2) / sum (x - mean x)^2."""
    b, n = slope(x, y), len(x)
    if n < 3 or math.isnan(b):
        return NAN
    dx, dy = x - x.mean(), y - y.mean()
    residuals = dy - b * dx
    return math.sqrt(float(residuals @ residuals) / (n - 2) / float(dx @ dx))


def correlation(x: Floats, y: Floats) -> float:
    """Pearson's r; NaN if either does not vary."""
    if len(x) < 2 or not sd(x) or not sd(y):
        return NAN
    dx, dy = x - x.mean(), y - y.mean()
    r = float(dx @ dy) / math.sqrt(float(dx @ dx) * float(dy @ dy))
    return max(-1.0, min(1.0, r))


def ranks(x: Floats) -> Floats:
    """Ranks from 1, equal values sharing the mean of theirs."""
    # Not np.unique, which imports numpy.ma: a twentieth of a whole run.
    ordered = np.sort(x)
    return np.asarray((ordered.searchsorted(x, "left") + ordered.searchsorted(x, "right") + 1) / 2)


def leave_one_out_correlations(x: Floats, y: Floats) -> Floats:
    """Pearson's r without observation i, for each i; shape (n,).

    Removing one observation from centred sums takes away d d' n / (n - 1).
    """
    n = len(x)
    if n < 3 or not sd(x) or not sd(y):
        return np.full(n, NAN)
    dx, dy, w = x - x.mean(), y - y.mean(), n / (n - 1)
    xx, yy = float(dx @ dx) - w * dx**2, float(dy @ dy) - w * dy**2
    xy = float(dx @ dy) - w * (dx * dy)
    # What is left of a leg that moves on one day alone is rounding noise.
    moves = (xx > NOISE * float(dx @ dx)) & (yy > NOISE * float(dy @ dy))
    r = np.full(n, NAN)
    r[moves] = xy[moves] / np.sqrt(xx[moves] * yy[moves])
    return np.asarray(r.clip(-1, 1))


def geometric_capture(x: Floats, y: Floats) -> float:
    """The geometric mean of x over that of y, a bar; NaN if y's is zero or either is wiped out."""
    if not len(x) or (x <= -1).any() or (y <= -1).any():
        return NAN
    return quotient(float(np.expm1(np.log1p(x).mean())), float(np.expm1(np.log1p(y).mean())))


# ---------------------------------------------------------------- distributions


def student_t_quantile(p: float, df: int) -> float:
    """The t with P(T <= t) = p, for p in (0.5, 1) and df >= 1; relative error below 1e-10.

    Newton's steps on the tail, which is convex for t > 0, so that from zero they never pass the root; scipy.stats
    would cost several times the whole run.
    """
    t, log_scale = 0.0, math.lgamma((df + 1) / 2) - math.lgamma(df / 2) - 0.5 * math.log(df * math.pi)
    for _ in range(1000):
        density = math.exp(log_scale - (df + 1) / 2 * math.log1p(t * t / df))
        step = (student_t_tail(t, df) - (1 - p)) / density
        t += step
        if step <= 1e-14 * t:
            break
    return t


def student_t_tail(t: float, df: int) -> float:
    """P(T > t) for t >= 0 (Abramowitz and Stegun 26.7.1)."""
    if t < 1:  # df / (df + t * t) is too near to one to hold a small t
        return 0.5 - 0.5 * incomplete_beta(0.5, df / 2, t * t / (df + t * t))
    return 0.5 * incomplete_beta(df / 2, 0.5, df / (df + t * t))


def incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function I_x(a, b), by Lentz's continued fraction (DLMF 8.17.22)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(b, a, 1 - x)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)) / a
    c, d = 1.0, 1 / _apart_from_zero(1 - (a + b) * x / (a + 1))
    fraction = d
    for m in range(1, 500):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _apart_from_zero(1 + term * d)
            c = _apart_from_zero(1 + term / c)
            fraction *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return front * fraction


def _apart_from_zero(x: float) -> float:
    return x if abs(x) > 1e-300 else 1e-300
