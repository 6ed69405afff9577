"""Statistics over every window of a long series at once: one number for each place at which a window can end.

A window is put together of windows of 1, 2, 4, .. values, each of two of half the length. Whatever can be said of two
neighbouring stretches from what is known of either costs a dozen passes that way, however long the window, and never
takes one large sum from another. NaN stays in the windows that hold it.

Time runs along the last axis. A result has a value for each window: n - window + 1 of them, in the order of their ends.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from pairwatch.kernels import NOISE
from pairwatch.model import NAN, Floats

Flags = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
State = tuple[Floats, ...]
# What is known of two stretches and how long either is, to what is known of both.
Join = Callable[[State, int, State, int], State]


def over_windows(values: State, window: int, join: Join) -> State:
    """What `join` says of every window, from what is known of single values."""
    part, size = values, 1
    total, done = values, 0
    while True:
        if window & size:
            total = _joined(total, done, part, size, join) if done else part
            done += size
        if 2 * size > window:
            return total
        part = _joined(part, size, part, size, join)
        size *= 2


def _joined(first: State, done: int, second: State, size: int, join: Join) -> State:
    """Every window of `done` values with that of `size` which begins where it ends."""
    later = tuple(x[..., done:] for x in second)
    count = later[0].shape[-1]
    return join(tuple(x[..., :count] for x in first), done, later, size)


def sums(x: Floats, window: int) -> Floats:
    """The sum of each window."""
    return over_windows((x,), window, lambda a, _, b, __: (a[0] + b[0],))[0]


def highest(x: Floats, window: int) -> Floats:
    """The largest value of each window."""
    return over_windows((x,), window, lambda a, _, b, __: (np.maximum(a[0], b[0]),))[0]


def lowest(x: Floats, window: int) -> Floats:
    """The smallest value of each window."""
    return over_windows((x,), window, lambda a, _, b, __: (np.minimum(a[0], b[0]),))[0]


def drawdowns(levels: Floats, window: int) -> Floats:
    """The deepest fall from an earlier peak within each window, as a fraction: 0 or negative."""
    return over_windows((levels, levels, 0 * levels), window, _falls)[2]


def _falls(first: State, _: int, second: State, __: int) -> State:
    """The peak, the trough and the deepest fall of two stretches, one after the other."""
    peak, trough, fall = first
    later_peak, later_trough, later_fall = second
    across = later_trough / peak - 1
    return (
        np.maximum(peak, later_peak),
        np.minimum(trough, later_trough),
        np.minimum(np.minimum(fall, later_fall), across),
    )


def moments(x: Floats, window: int) -> tuple[Floats, Floats]:
    """Each window's mean, and the sum of its squared deviations from it."""
    mean, squares = over_windows((x, 0 * x), window, _moments)
    return mean, squares


def _moments(first: State, m: int, second: State, n: int) -> State:
    """The mean and the squares of two stretches together. Source: Chan, Golub and LeVeque (1979)."""
    apart = second[0] - first[0]
    between = apart * apart
    between *= m * n / (m + n)
    between += first[1]
    between += second[1]
    apart *= n / (m + n)
    apart += first[0]
    return apart, between


def third_moments(x: Floats, window: int) -> tuple[Floats, Floats, Floats]:
    """As `moments`, and the sum of the cubed deviations."""
    nothing = 0 * x
    mean, squares, cubes = over_windows((x, nothing, nothing), window, _third_moments)
    return mean, squares, cubes


def _third_moments(first: State, m: int, second: State, n: int) -> State:
    """The same with the cubes. Source: Pebay (2008), Sandia report SAND2008-6212, equation 1.2."""
    mean, squares = _moments(first, m, second, n)
    apart = second[0] - first[0]
    skewed = apart * apart * (m * n * (m - n) / (m + n) ** 2) + (second[1] * m - first[1] * n) * (3 / (m + n))
    return mean, squares, first[2] + second[2] + apart * skewed


def comoments(x: Floats, y: Floats, window: int) -> Floats:
    """The sum of each window's products of deviations from its means."""
    return over_windows((x, y, 0 * x), window, _comoments)[2]


def _comoments(first: State, m: int, second: State, n: int) -> State:
    x, y, products = first
    later_x, later_y, later_products = second
    dx, dy = later_x - x, later_y - y
    share = n / (m + n)
    return x + dx * share, y + dy * share, products + later_products + dx * dy * (m * share)


def deviations(squares: Floats, largest: Floats, window: int) -> Floats:
    """Sample standard deviations from sums of squared deviations; 0 where these are rounding noise, as `kernels.sd`.

    Args:
        largest: the largest |x| of each window.
    """
    found = np.sqrt(squares / (window - 1))
    found[found <= NOISE * largest] = 0.0
    return np.asarray(found)


def quotients(top: Floats, bottom: Floats) -> Floats:
    """`top / bottom`, NaN where `bottom` is zero or either is NaN."""
    found = np.full(len(bottom), NAN)
    np.divide(top, bottom, out=found, where=bottom != 0)
    return found


def range_positions(closes: Floats, window: int) -> Floats:
    """Where each window's last value stands between its lowest (0) and its highest (1)."""
    low = lowest(closes, window)
    return quotients(closes[window - 1 :] - low, highest(closes, window) - low)


def z_scores(levels: Floats, window: int) -> Floats:
    """How many standard deviations each window's last value stands from the window's mean, itself included."""
    mean, squares = moments(levels, window)
    return quotients(levels[window - 1 :] - mean, deviations(squares, highest(np.abs(levels), window), window))


def skewness(squares: Floats, cubes: Floats, sd: Floats, window: int) -> Floats:
    """G1, as `kernels.skewness`, from the sums of squared and cubed deviations; NaN where `sd` is zero."""
    unit = math.sqrt(window * (window - 1)) / (window - 2)
    mean_square = np.where(sd > 0, squares / window, 0.0)
    return quotients(cubes / window, mean_square * np.sqrt(mean_square)) * unit


def half_lives(slope: Floats) -> Floats:
    """-ln 2 / ln(1 + slope) for slopes between -1 and 0, else NaN."""
    reverts = (slope > -1) & (slope < 0)
    return np.asarray(-math.log(2) / np.log1p(np.where(reverts, slope, NAN)))


# ---------------------------------------------------------------- ranks


def mean_ranks(rows: Floats) -> Floats:
    """Ranks from 1 within each row, equal values sharing the mean of theirs; NaN ranks last."""
    order = rows.argsort(axis=1) + rows.shape[1] * np.arange(rows.shape[0])[:, None]
    ordered = rows.reshape(-1)[order]
    same = np.equal(ordered[:, 1:], ordered[:, :-1])
    places = np.tile(np.arange(1.0, rows.shape[1] + 1), (rows.shape[0], 1))
    tied = same.any(axis=1)
    if tied.any():
        places[tied] = _shared(same[tied])
    found = np.empty(rows.shape)
    found.reshape(-1)[order] = places
    return found


def _shared(same: Flags) -> Floats:
    """The mean place of each run of equal values; `same`: whether each is as the one before."""
    n = same.shape[1] + 1
    places = np.arange(n)
    edge = np.zeros((len(same), 1), dtype=bool)
    first = np.maximum.accumulate(np.where(np.hstack([edge, same]), 0, places), axis=1)
    last = np.minimum.accumulate(np.where(np.hstack([same, edge]), n, places)[:, ::-1], axis=1)[:, ::-1]
    return np.asarray((first + last) / 2 + 1)


def rank_correlations(x: Floats, y: Floats, window: int, step: int) -> Floats:
    """Spearman's r of every `step`-th window, counted back from the last; NaN where one side does not move."""
    first = (len(x) - window) % step
    windows = [sliding_window_view(each, window)[first::step] for each in (x, y)]
    known = np.isfinite(windows[0] + windows[1]).all(axis=1)
    dx, dy = (mean_ranks(each[known]) - (window + 1) / 2 for each in windows)
    found = np.full(known.shape[0], NAN)
    size = np.sqrt((dx * dx).sum(axis=1) * (dy * dy).sum(axis=1))
    found[known] = quotients((dx * dy).sum(axis=1), size)
    return found


def middle_ranks(rows: Floats) -> Floats:
    """The share of each row's values that are below each one, plus half of those that are as large; NaN for NaN."""
    known = np.isfinite(rows)
    shares = (mean_ranks(rows) - 0.5) / np.count_nonzero(known, axis=1, keepdims=True)
    return np.where(known, shares, NAN)


def middle_rank(values: Floats, value: float) -> float:
    """The share of the values that are below one, plus half of those that are as large; NaN does not count.

    NaN for a value that is none, and where no other is known.
    """
    known = int(np.count_nonzero(np.isfinite(values)))
    if not (known and np.isfinite(value)):
        return NAN
    below, equal = np.count_nonzero(values < value), np.count_nonzero(values == value)
    return float((below + equal / 2) / known)
