"""Episodes in which a rolling correlation gave way, and how many of them chance alone makes."""

from typing import Any, NamedTuple

import numpy as np

from pairwatch.kernels.breaks import standardised
from pairwatch.kernels.dependence import SAME
from pairwatch.kernels.draws import Draws
from pairwatch.kernels.rolling import window_sums
from pairwatch.kernels.smoothing import DAILY, FIRST, volatility_before
from pairwatch.model import NAN, Floats, Positions

FAR = 2.5
"""An episode begins so many deviations from the mean of the past."""
PAST = 8
"""Of what is past there must be so many windows that do not overlap."""
BLOCK = 10
"""Bars that are drawn together in a resampled history."""
HALT = 10
"""A leg that stands still for so many bars in a row is halted: no correlation of windows with such bars gives way."""
# So many values are worked on at a time: what they need stays in the processor's cache.
_AT_ONCE = 1 << 14


class Past(NamedTuple):
    """What the earlier values of a rolling correlation say of each, in Fisher's z; shapes of the values.

    Attributes:
        mean: of all earlier values that are known; NaN while there are too few windows.
        distance: from the mean in deviations of the past, negative where weaker; NaN where the value is.
        signal: 1 where it is far weaker than its past, -1 where as strong as that or stronger, 0 between and where
            there is no value.
    """

    mean: Floats
    distance: Floats
    signal: Any


class Episodes(NamedTuple):
    """Stretches from a first place to before the one where the correlation was back, or to the end; shapes (k,).

    Attributes:
        rows: of several histories, the one.
        depth: the least distance on the way.
    """

    rows: Positions
    begins: Positions
    ends: Positions
    depth: Floats

    @property
    def lengths(self) -> Positions:
        """In bars."""
        return np.asarray(self.ends - self.begins)


class Chance(NamedTuple):
    """What histories of a correlation that never changes have; shapes (histories,).

    Attributes:
        counts: of episodes.
        deepest: the least distance of any episode; 0 of a history without one.
        longest: in bars.
    """

    counts: Positions
    deepest: Floats
    longest: Positions


def moving(a: Floats, b: Floats, window: int) -> Any:
    """The windows without a bar on which a leg is halted; shape (n - window + 1,)."""
    begun = np.zeros(len(a) + HALT - 1)  # by the last bar that a run of so many could have
    for leg in (a, b):
        begun[HALT - 1 : len(a)] += window_sums(np.where(leg == 0, 1.0, 0.0), HALT) >= HALT
    halted = np.where(window_sums(begun, HALT) > 0, 1.0, 0.0)
    return np.equal(window_sums(halted, window), 0)


def past_of(rolling: Floats, window: int) -> Past:
    """How each rolling correlation stands to all earlier ones; windows of `window`, shape (.., n).

    NaN among them are neither part of a past nor far from it.

    Weaker is nearer to zero, or beyond it, than the mean of the past: below a positive mean, above a negative one. A
    past whose mean is not two standard errors from zero has no correlation that could give way.
    """
    z = np.arctanh(np.clip(rolling, -1 + SAME, 1 - SAME))
    count = np.arange(1.0, z.shape[-1])
    unknown = np.isnan(z)
    some = bool(unknown.any())
    if some:
        z[unknown] = 0.0
        count = np.maximum((~unknown).cumsum(axis=-1)[..., :-1], 1.0)
    mean = z.cumsum(axis=-1)[..., :-1]
    mean /= count
    variance = np.square(z).cumsum(axis=-1)[..., :-1]
    variance /= count
    square = mean * mean
    variance -= square
    np.maximum(variance, 1e-24, out=variance)
    related = square > variance * (4 * window / count)
    gap = z[..., 1:] - mean
    gap *= np.where(mean < 0, -1.0, 1.0)
    gap /= np.sqrt(variance, out=variance)
    if some:
        gap[unknown[..., 1:]] = NAN
    signal = np.zeros(z.shape, np.int8)
    signal[..., 1:] = (gap < -FAR) & related
    signal[..., 1:][gap >= 0] = -1
    early = min(PAST * window, z.shape[-1] - 1) + 1
    signal[..., :early] = -1
    mean[..., : early - 1] = NAN
    first = np.full((*z.shape[:-1], 1), NAN)
    return Past(np.concatenate([first, mean], axis=-1), np.concatenate([first, gap], axis=-1), signal)


def episodes(past: Past) -> Episodes:
    """Where the correlation gave way: from where it is far weaker than its past until it is as strong again.

    Of one history, or of several, shape (rows, n).
    """
    signal = np.atleast_2d(past.signal)
    rows, places = np.nonzero(signal)
    n, kinds, flat = signal.shape[1], signal[rows, places], rows * signal.shape[1] + places
    first = np.flatnonzero((kinds[1:] == 1) & (kinds[:-1] == -1)) + 1  # every row begins with -1
    back = np.append(flat[kinds == -1], signal.size)
    begins, row = flat[first], rows[first]
    ends = np.minimum(back[back.searchsorted(begins)], (row + 1) * n)
    # The deepest place of an episode is one that is far, and those between two begins are of the first of them.
    far = flat[kinds == 1]
    distance = np.ravel(past.distance)[far]
    depth = np.minimum.reduceat(distance, far.searchsorted(begins)) if len(begins) else np.empty(0)
    return Episodes(row, begins - row * n, ends - row * n, depth)


def chance_episodes(  # noqa: PLR0913, PLR0917 - two legs, a window, and how many are drawn of what
    a: Floats, b: Floats, window: int, draws: Draws, histories: int, decay: float = DAILY
) -> Chance:
    """The episodes of `histories` like the pair's own, but with a correlation that never changes.

    Both legs' returns over the volatility known a bar before are drawn together, in blocks of `BLOCK`, and given the
    volatility that each leg really had: filtered historical simulation, Barone-Adesi et al. (1999). Windows in which a
    leg really stood still are none of theirs either.
    """
    legs = [(standardised(leg, decay), volatility_before(leg - leg.mean(), decay)) for leg in (a, b)]
    stands = ~moving(a[FIRST:], b[FIRST:], window)
    n = len(a) - FIRST
    rows = max(1, _AT_ONCE // n)
    found = []
    for start in range(0, histories, rows):
        places = draws.blocks(n, BLOCK, min(rows, histories - start))
        x, y = (values[places] * volatility for values, volatility in legs)
        rolling = _rolling(x, y, window)
        if stands.any():
            rolling[:, stands] = NAN
        found.append(_extremes(episodes(past_of(rolling, window)), len(places)))
    return Chance(*(np.concatenate(part) for part in zip(*found, strict=True)))


def _extremes(found: Episodes, rows: int) -> Chance:
    deepest, longest = np.zeros(rows), np.zeros(rows, np.intp)
    np.minimum.at(deepest, found.rows, found.depth)
    np.maximum.at(longest, found.rows, found.lengths)
    return Chance(np.bincount(found.rows, minlength=rows), deepest, longest)


def _rolling(a: Floats, b: Floats, window: int) -> Floats:
    """Rolling correlations along the last axis, of returns whose mean is known to be zero."""
    found, aa, bb = (_sums(values, window) for values in (a * b, a * a, b * b))
    flat = (aa <= 0) | (bb <= 0)
    aa *= bb
    np.sqrt(aa, out=aa)
    aa[flat] = NAN
    found /= aa
    return found


def _sums(values: Floats, window: int) -> Floats:
    """Over the windows of each row: of all rows as one, without those that reach from one into the next."""
    rows, n = values.shape
    found = np.empty(rows * n)
    found[: rows * n - window + 1] = window_sums(values.ravel(), window)
    return found.reshape(rows, n)[:, : n - window + 1]
