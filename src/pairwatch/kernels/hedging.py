"""How much of one series stands against another: slopes over a whole, over windows, and as they drift."""

import numpy as np

from pairwatch.kernels import slope
from pairwatch.kernels.rolling import sums_over_blocks, window_blocks
from pairwatch.model import NAN, Floats


def total_least_squares(x: Floats, y: Floats) -> tuple[float, float]:
    """The slope and intercept of the line whose perpendicular distances have the least squares.

    The first principal axis of the covariance: exchanging x and y inverts the slope. It depends on the units of both.
    NaN where no axis stands out, or the line is upright.

    Source: Pearson (1901), Philosophical Magazine 2(11); scipy.odr.
    """
    mean_x, mean_y = float(x.mean()), float(y.mean())
    dx, dy = x - mean_x, y - mean_y
    found = float(orthogonal_slope(float(dx @ dx), float(dy @ dy), float(dx @ dy)))
    return found, mean_y - found * mean_x


def orthogonal_slope(xx: Floats | float, yy: Floats | float, xy: Floats | float) -> Floats:
    """The slope of the first principal axis of second moments, of numbers or of arrays; NaN where there is none."""
    xx, yy, xy = np.asarray(xx), np.asarray(yy), np.asarray(xy)
    apart = yy - xx
    root = np.hypot(apart, 2 * xy)
    with np.errstate(divide="ignore", invalid="ignore"):
        # Of two equal formulas, the one that adds and does not subtract what is nearly equal.
        found = np.where(apart > 0, (apart + root) / (2 * xy), 2 * xy / (root - apart))
    return np.where(np.isfinite(found), found, NAN)


def minimum_variance_ratio(a: Floats, b: Floats) -> float:
    """The h for which a - h b varies least, of returns: cov(a, b) / var(b); NaN if b does not vary.

    Source: Ederington (1979), J. Finance 34(1).
    """
    return slope(b, a)


def rolling_slope(x: Floats, y: Floats, window: int) -> Floats:
    """The least-squares slope of y on x over each `window` values in a row; shape (n - window + 1,).

    NaN where x does not move. Each window is centred at a value that lies in it, as in `rolling_correlation`.
    """
    return rolling_line(x, y, window)[0]


def rolling_line(x: Floats, y: Floats, window: int) -> tuple[Floats, Floats]:
    """The slope over each window, and what the line leaves of the window's last y; both of shape (n - window + 1,)."""
    n = max(len(x) - window + 1, 0)
    if not n:
        return np.empty(0), np.empty(0)
    (x1, x2), (y1, y2) = window_blocks(x, window), window_blocks(y, window)
    sum_x, sum_y = sums_over_blocks(x1, x2), sums_over_blocks(y1, y2)
    xy = sums_over_blocks(x1 * y1, x2 * y2) - sum_x * sum_y / window
    squares = sums_over_blocks(x1 * x1, x2 * x2)
    xx = squares - sum_x * sum_x / window
    slopes = np.full_like(xx, NAN)
    np.divide(xy, xx, out=slopes, where=xx > 1e-14 * squares)
    # The last value of a window that begins at place j of a block is at place j - 1 of the next, or at this one's end.
    last_x, last_y = (np.column_stack([one[:, -1:], two[:, :-1]]) for one, two in ((x1, x2), (y1, y2)))
    left = (last_y - sum_y / window) - slopes * (last_x - sum_x / window)
    return slopes.ravel()[:n], left.ravel()[:n]


def expanding_moments(x: Floats, y: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """The means of x and of y, and the second moments xx, yy and xy about them, of the first 1, 2, .. n values."""
    n = np.arange(1.0, len(x) + 1)
    shift_x, shift_y = x.mean(), y.mean()  # what is subtracted bears upon nothing but the digits that are left
    dx, dy = x - shift_x, y - shift_y
    sum_x, sum_y = dx.cumsum(), dy.cumsum()
    xx = np.maximum((dx * dx).cumsum() - sum_x * sum_x / n, 0.0)
    yy = np.maximum((dy * dy).cumsum() - sum_y * sum_y / n, 0.0)
    xy = (dx * dy).cumsum() - sum_x * sum_y / n
    return sum_x / n + shift_x, sum_y / n + shift_y, xx, yy, xy


def kalman_slope(x: Floats, y: Floats, delta: float, noise: float) -> tuple[Floats, Floats, Floats, Floats]:
    """The line y = intercept + slope x + e whose coefficients walk at random, as it is known from day to day.

    Args:
        delta: the variance by which each coefficient moves from one bar to the next.
        noise: the variance of e. Only delta / noise bears upon the coefficients.

    Returns:
        slopes, intercepts: after the bar's y is known. innovations, variances: of y less what the line of the bar
        before says of it: one step ahead, so that nothing is looked at before its day. All of shape (n,). Before the
        first bar nothing is known of either: the first innovations say little and have vast variances.

    Source: Kalman (1960); Harvey (1989), Forecasting, structural time series models and the Kalman filter, ch. 3.
    """
    found = []
    slope_now = intercept_now = 0.0
    # The variances of slope and intercept, and their covariance: vast beside the noise, as nothing is known.
    ss = ii = 1e6 * max(noise, delta)
    si = 0.0
    # Plain numbers: the recursion has no vectors, and an array's items cost more than what is done with them.
    for xt, yt in zip(x.tolist(), y.tolist(), strict=True):
        ss += delta
        ii += delta
        with_slope, with_intercept = ss * xt + si, si * xt + ii
        variance = with_slope * xt + with_intercept + noise
        innovation = yt - slope_now * xt - intercept_now
        gain_slope, gain_intercept = with_slope / variance, with_intercept / variance
        slope_now += gain_slope * innovation
        intercept_now += gain_intercept * innovation
        ss -= gain_slope * with_slope
        si -= gain_slope * with_intercept
        ii -= gain_intercept * with_intercept
        found.append((slope_now, intercept_now, innovation, variance))
    slopes, intercepts, innovations, variances = np.array(found).reshape(-1, 4).T
    return slopes, intercepts, innovations, variances
