"""The spreads of a pair: how much of B stands against A, and what is left."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from pairwatch import kernels
from pairwatch.kernels import hedging
from pairwatch.model import NAN, Floats
from pairwatch.studies.paired import Paired


class Made(NamedTuple):
    """A spread.

    Attributes:
        ratio: how much of B stands against one of A, as is known at the last close.
        values: the spread with that line all along; of lines that move, what is left by each day's own. They end at
            the last close.
        known: each day's spread by the line as it was known on that day, ending at the last close: what a percentile
            may be taken of.
        series: of how many series the unit-root test of the values is: 2 where their line was fitted to the levels; 0
            where there is no test.
    """

    key: str
    name: str
    ratio: float
    values: Floats
    known: Floats
    series: int = 0


_UNKNOWN = Made("kalman", "Kalman", NAN, np.full(1, NAN), np.full(1, NAN))


def alike(pair: Paired) -> bool:
    """Whether A less B, in logs or in one unit, means something."""
    return pair.pair.counted_alike


def changes(pair: Paired) -> tuple[Floats, Floats]:
    """What the ratio of least variance is made of: the returns, or for legs that change unlike, those of the levels."""
    if alike(pair):
        return pair.pair.a.returns, pair.pair.b.returns
    a, b = pair.log_levels
    return np.diff(a), np.diff(b)


def spreads(pair: Paired) -> Iterator[Made]:
    """Every spread that the pair has, the plainest first."""
    if alike(pair):
        plain = pair.spread
        by_differences = pair.pair.a.by_differences
        yield Made(
            "difference" if by_differences else "ratio", "A - B" if by_differences else "A / B", 1.0, plain, plain, 1
        )
    y, x = pair.log_levels
    mean_x, mean_y, xx, yy, xy = hedging.expanding_moments(x, y)
    begin = min(pair.bars, pair.n)

    def with_line(key: str, name: str, slopes: Floats, series: int) -> Made:
        left = (y - mean_y) - slopes * (x - mean_x)
        ratio = float(slopes[-1])
        if key == "tls":
            left = _perpendicular(left, slopes)
        return Made(key, name, ratio, y - ratio * x, left[begin:], series)

    with np.errstate(divide="ignore", invalid="ignore"):
        yield with_line("ols", "least squares", np.where(xx > 0, xy / xx, NAN), 2)
        if alike(pair):
            yield with_line("tls", "total least squares", hedging.orthogonal_slope(xx, yy, xy), 0)
        yield with_line("minimum_variance", "minimum variance", _least_variance(pair), 1)
    yield _rolling(x, y, pair.bars + 1)
    yield _kalman(x, y, pair.bars + 1)


def _perpendicular(left: Floats, slopes: Floats) -> Floats:
    """The distances from each day's line, the same for either leg but for the sign.

    None of days whose line falls where today's rises: with the legs exchanged these distances alone would keep theirs.
    """
    return np.where(slopes * slopes[-1] > 0, left / np.sqrt(1 + slopes * slopes), NAN)


def _least_variance(pair: Paired) -> Floats:
    """The ratio of least variance of the returns up to each close; shape (n + 1,), NaN at the first."""
    a, b = changes(pair)
    *_, bb, _, ab = hedging.expanding_moments(b, a)
    return np.concatenate([[NAN], np.where(bb > 0, ab / bb, NAN)])


def _rolling(x: Floats, y: Floats, window: int) -> Made:
    slopes, left = hedging.rolling_line(x, y, window)
    ratio = float(slopes[-1]) if len(slopes) else NAN
    return Made("rolling", "rolling", ratio, left, left)


def _kalman(x: Floats, y: Floats, window: int) -> Made:
    """A line whose coefficients walk so far in a bar that it remembers about a window.

    The noise is what the line through the first window leaves, so that nothing is looked at before its day. The gain
    of a level that walks by sd(noise) / window a bar is one in `window`. Slope and level walk as far as each other
    where B is counted in its standard deviations over the first window: what it is quoted in bears upon nothing.
    """
    first_y, mean, unit = y[:window], float(x[:window].mean()), kernels.sd(x[:window])
    if not unit > 0:
        return _UNKNOWN
    counted = (x - mean) / unit
    first_x = counted[:window]
    left = first_y - first_y.mean() - kernels.slope(first_x, first_y) * (first_x - first_x.mean())
    noise = float(left @ left) / max(1, window - 2)
    if not (math.isfinite(noise) and noise > 0):
        return _UNKNOWN
    slopes, _, innovations, _ = hedging.kalman_slope(counted, y, noise / window**2, noise)
    return Made("kalman", "Kalman", float(slopes[-1]) / unit, innovations[window:], innovations[window:])
