"""Bands that all lags of a cross-correlogram keep together, and a test at one of them.

What a lag's correlation is the mean of, a[t] b[t+k], is added up in blocks of days. Where nothing is to be found the
block sums are as likely to be negative as positive, whatever their sizes: a turbulent block stays one, whichever way it
points. So the largest of all lags' t, sum / root of the sum of squared block sums, is judged against the same number
with the blocks' signs drawn anew, all lags at once. Changing signs leaves the root as it is.
"""

import math
from typing import NamedTuple, TypeAlias

import numpy as np

from pairwatch.kernels import NOISE, student_t_tail
from pairwatch.kernels.draws import Draws
from pairwatch.model import NAN, Floats

Flags: TypeAlias = "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]"

FLIPS = 999
# Of so many, as many as chance may have at or above what leaves the band: p = (1 + 48) / (1 + 999) < 5 %.
_MAY_REACH = 48
# A block of fewer days would cut through what a little autocorrelation links.
BLOCK_FACTOR = 1.5


class Band(NamedTuple):
    """Values, one a lag, and how far from zero chance alone takes them.

    Attributes:
        values: shape (lags,).
        errors: the standard error of each where its true value is zero.
        reach: half the width of the 95 % band, which in 95 % of cases none of them leaves where all are zero.
        p_value: of the value that stands out most, all lags considered; below 5 % where one leaves the band, only.
        blocks: how many sums of blocks it is judged by.
    """

    values: Floats
    errors: Floats
    reach: Floats
    p_value: float
    blocks: int

    @property
    def outside(self) -> Flags:
        """Which values leave the band; what lies on its edge, as with few blocks all of one sign do, does not."""
        return np.asarray(np.abs(self.values) > self.reach * (1 + 1e-12))

    @property
    def most(self) -> int:
        """The place of the value that stands out most, in units of its error."""
        place: int = (np.abs(self.values) / self.errors).argmax().item()
        return place


def block_length(n: int) -> int:
    """The days of a block: 1.5 n^(1/3), rounded up."""
    return max(1, math.ceil(BLOCK_FACTOR * math.cbrt(n)))


def block_sums(terms: Floats, length: int) -> Floats:
    """The sums over blocks of the last axis, the last block perhaps shorter; shape (.., blocks)."""
    return np.asarray(np.add.reduceat(terms, np.arange(0, terms.shape[-1], length), axis=-1))


def cross_terms(x: Floats, y: Floats, lags: int) -> Floats:
    """x[t] y[t+k] for k = 1..lags, zero where there is no such day; shape (lags, n)."""
    ahead = np.zeros((lags, len(x)))
    for k in range(1, lags + 1):
        np.multiply(x[:-k], y[k:], out=ahead[k - 1, : len(x) - k])
    return ahead


def correlogram_band(a: Floats, b: Floats, lags: int, seed: int = 0) -> Band:
    """r(k) for k = -L..-1, 1..L, under the hypothesis that all of these are zero; see `lead.cross_correlations`."""
    x, y = scores(a), scores(b)
    return _band(np.concatenate([cross_terms(y, x, lags)[::-1], cross_terms(x, y, lags)]), seed)


def asymmetry_band(a: Floats, b: Floats, lags: int, seed: int = 0) -> Band:
    """D(k) = r(k) - r(-k) for k = 1..L, under the hypothesis that all are zero.

    They are where the legs share something that is autocorrelated, too: that makes r(k) and r(-k) alike.
    """
    x, y = scores(a), scores(b)
    return _band(cross_terms(x, y, lags) - cross_terms(y, x, lags), seed)


class Single(NamedTuple):
    """One value, its standard error, and the one-sided p of zero against its having the sign that was expected."""

    value: float
    error: float
    p_value: float


def asymmetry_at(a: Floats, b: Floats, lag: int, sign: float = 1.0) -> Single:
    """D(lag) alone, lag >= 1, expected to have a sign; Student's t of its block sums, one degree fewer than blocks."""
    x, y = scores(a), scores(b)
    terms = np.zeros(len(x))
    terms[:-lag] = x[:-lag] * y[lag:] - y[:-lag] * x[lag:]
    return _single(terms, sign)


def mean_above_zero(values: Floats) -> float:
    """The one-sided p of a mean of zero against one above it, in the same way."""
    return _single(values, 1.0).p_value


def _single(terms: Floats, sign: float) -> Single:
    sums = block_sums(terms, block_length(len(terms)))
    blocks = len(sums)
    apart = sums - sums.mean()
    error = math.sqrt(float(apart @ apart) * blocks / (blocks - 1)) if blocks > 1 else NAN
    value = float(sums.sum())
    if not error > 0:
        return Single(value / len(terms), NAN, NAN)
    t = sign * value / error
    tail = student_t_tail(abs(t), blocks - 1)
    return Single(value / len(terms), error / len(terms), tail if t > 0 else 1 - tail)


def scores(x: Floats) -> Floats:
    """Mean 0, population deviation 1 over the last axis; NaN for what does not move."""
    centred = x - x.mean(axis=-1, keepdims=True)
    deviation = np.sqrt(np.mean(centred * centred, axis=-1, keepdims=True))
    still = ~(deviation > NOISE * np.abs(x).max(axis=-1, keepdims=True))
    return np.asarray(centred / np.where(still, NAN, deviation))


def leaning(sums: Floats, seed: int = 0) -> float:
    """The two-sided p of sums of blocks that are as likely to be negative as positive; NaN where all are zero."""
    total = abs(float(sums.sum()))
    if not np.abs(sums).max(initial=0.0) > 0:
        return NAN
    count = int(np.count_nonzero(np.abs(_signs(seed, len(sums)) @ sums) >= total * (1 - 1e-12)))
    return (1 + count) / (1 + FLIPS)


def _signs(seed: int, blocks: int) -> Floats:
    """Random signs, a bit each; shape (flips, blocks)."""
    words = (Draws(seed).uniform(FLIPS, -(-blocks // 32)) * 2.0**32).astype("<u4")
    return np.asarray(2.0 * np.unpackbits(words.view("u1"), axis=1)[:, :blocks] - 1.0)


def _band(terms: Floats, seed: int) -> Band:
    n = terms.shape[-1]
    sums = block_sums(terms, block_length(n))
    errors = np.sqrt(np.square(sums).sum(axis=-1))
    if not (errors > 0).all():
        nothing = np.full(len(terms), NAN)
        return Band(nothing, nothing, nothing, NAN, sums.shape[-1])
    totals = sums.sum(axis=-1)
    flipped = np.abs(_signs(seed, sums.shape[-1]) @ (sums / errors[:, None]).T).max(axis=-1)
    highest = float((np.abs(totals) / errors).max())
    count = int(np.count_nonzero(flipped >= highest * (1 - 1e-12)))
    reach = float(np.sort(flipped)[-1 - _MAY_REACH]) * errors / n
    return Band(totals / n, errors / n, reach, (1 + count) / (1 + FLIPS), sums.shape[-1])
