"""What was found of a lead within days, by either way, before it is put into words."""

import math
from typing import NamedTuple

import numpy as np

from pairwatch.kernels import sessions as kernel
from pairwatch.kernels.asynchronous import lead_lag_ratios
from pairwatch.model import NAN, Floats, Positions

RESAMPLES = 999


class Later(NamedTuple):
    """The lag of the first half of the sessions, judged in the second: D, its p-value, and whether both agree."""

    lag: float
    asymmetry: float
    p_value: float
    holds: bool = False


class Found(NamedTuple):
    """Everything either way finds.

    Attributes:
        step: what a lag of 1 is, in nanoseconds.
        r: by lag, -L..L.
        band: what |r| exceeds by chance at any lag but 0; same shape, NaN where it cannot be said.
        pairs: how many pairs of returns each is made of; empty for ticks.
        judged: of the asymmetries, k = 1..L.
        lag: in steps; 0 where no direction can be told.
        lag_interval, ratio_interval: 95 %; of the lag a step more on either side, for between steps nothing is seen.
        share: of the resamples, how many have the lag on the same side.
        contrast: the shift of the largest |r|.
        ratio: the lead-lag ratio.
        blocks: the sessions, or parts of them, that were taken for independent.
        blur: a lag no longer than this, in nanoseconds, may be the clocks'.
    """

    step: int
    r: Floats
    band: Floats
    pairs: Floats
    judged: kernel.Judged
    lag: int
    lag_interval: tuple[float, float]
    share: float
    contrast: int
    ratio: float
    ratio_interval: tuple[float, float]
    later: Later
    blocks: int
    blur: int = 0

    @property
    def max_lag(self) -> int:
        """L."""
        return len(self.r) // 2

    @property
    def asymmetry(self) -> float:
        """The D that stands out most."""
        return float(self.judged.totals[self.judged.largest])

    @property
    def at(self) -> int:
        """Its k."""
        return self.judged.largest + 1

    @property
    def p_value(self) -> float:
        """The chance of one so far out; NaN where it cannot be said."""
        return self.judged.p_value

    @property
    def shows(self) -> bool:
        """Whether there is a lead, of whichever leg."""
        return bool(self.p_value < 0.05 and self.lag) and not self.blurred

    @property
    def decided(self) -> bool:
        """Whether a leader is named."""
        return self.shows and not self.sideless

    @property
    def blurred(self) -> bool:
        """Whether the lag may be the clocks'."""
        return bool(self.blur) and abs(self.lag) * self.step <= self.blur

    @property
    def sideless(self) -> bool:
        """Whether resamples have lags on both sides, or r at the lag is the reverse of what they share."""
        low, high = self.lag_interval
        return low + 1 < 0 < high - 1 or _reversed(self.r, self.lag)


class Sums(NamedTuple):
    """Sums of products of returns by block, for lags -L..L.

    Attributes:
        products: shape (blocks, 2L + 1).
        sizes: what their sums are divided by to be correlations, a share of it by block; same shape.
        step: what a lag of 1 is, in nanoseconds.
        pairs: how many pairs of returns there are at each lag; empty where that means nothing.
    """

    products: Floats
    sizes: Floats
    step: int
    pairs: Floats


def found(sums: Sums, seed: int, *, by_contrast: bool) -> Found:
    """What sums of products say.

    Args:
        by_contrast: whether the lag is the shift of the largest |r|, where that has the leader's sign.
    """
    products, sizes = sums.products, sums.sizes
    total = sizes.sum(axis=0)
    r = kernel.mean(products.sum(axis=0), total)
    shares = kernel.mean(products, np.broadcast_to(total, products.shape))
    asymmetries = kernel.antisymmetric(np.nan_to_num(shares))
    judged = kernel.judge(asymmetries, seed)
    contrast = _contrast(r[None, :])
    lag = _lags(judged, r[None, :], by_contrast=by_contrast)
    resampled = kernel.resampled(products, sizes, seed, RESAMPLES)
    lags = _lags(judged, resampled, by_contrast=by_contrast)
    low, high = kernel.interval(lags.astype("f8"))
    return Found(
        step=sums.step,
        r=r,
        band=_band(shares, seed),
        pairs=sums.pairs,
        judged=judged,
        lag=int(lag[0]),
        lag_interval=(low - 1, high + 1),
        share=float(np.mean(np.sign(lags) == np.sign(lag))),
        contrast=int(contrast[0]),
        ratio=float(lead_lag_ratios(r)),
        ratio_interval=kernel.interval(lead_lag_ratios(resampled)),
        later=_later(products, sizes, seed),
        blocks=len(products),
    )


def _contrast(r: Floats) -> Positions:
    """The lag of the largest |r| of each row; of two as large the nearer one to 0, the positive one last."""
    middle = r.shape[1] // 2
    order = sorted(range(r.shape[1]), key=lambda at: (abs(at - middle), at))
    size = np.nan_to_num(np.abs(r))[:, order]
    return np.asarray(np.array(order)[np.argmax(size, axis=1)] - middle)


def _lags(judged: kernel.Judged, r: Floats, *, by_contrast: bool) -> Positions:
    """The lag of each row, with the sign of who leads.

    A leads by k where |r(k)| is the larger one, unless it is the reverse of a larger correlation without a lag: of legs
    that move alike D is above 0 where A is the earlier one, which a reversal at -k that is larger by chance hides.
    """
    lags = kernel.largest_lags(kernel.antisymmetric(r), judged.noise, r)
    lags = np.where(_against(r, lags), -lags, lags)
    if not by_contrast:
        return lags
    contrast = _contrast(r)
    return np.asarray(np.where(contrast * lags > 0, contrast, lags))


def _against(r: Floats, lags: Positions) -> Positions:
    """Whether the correlation of each row at its lag is the reverse of a larger one without a lag."""
    middle = r.shape[1] // 2
    at, without = r[np.arange(len(r)), middle + lags], r[:, middle]
    return np.asarray((at * without < 0) & (np.abs(at) < np.abs(without)))


def _reversed(r: Floats, lag: int) -> bool:
    return bool(_against(r[None, :], np.array([lag]))[0])


def _band(shares: Floats, seed: int) -> Floats:
    """What |r| exceeds by chance at any lag but 0."""
    middle = shares.shape[1] // 2
    beside = np.delete(np.nan_to_num(shares), middle, axis=1)
    return np.insert(kernel.judge(beside, seed).band, middle, NAN)


def _later(products: Floats, sizes: Floats, seed: int) -> Later:
    """The lag found in the first half, judged alone in the second."""
    half = len(products) // 2
    parts = [
        kernel.antisymmetric(np.nan_to_num(kernel.mean(p, np.broadcast_to(s.sum(axis=0), p.shape))))
        for p, s in ((products[:half], sizes[:half]), (products[half:], sizes[half:]))
    ]
    if half < kernel.FEWEST:
        return Later(0, NAN, NAN)
    first = kernel.judge(parts[0], seed, 1)
    r = kernel.mean(products[:half].sum(axis=0), sizes[:half].sum(axis=0))
    lag = int(_lags(first, r[None, :], by_contrast=False)[0])
    if not lag or math.isnan(first.p_value) or _reversed(r, lag):
        return Later(0, NAN, NAN)
    at = first.largest
    second = kernel.judge(parts[1][:, at : at + 1], seed)
    holds = second.p_value < 0.05 and second.totals[0] * first.totals[at] > 0
    return Later(lag, float(second.totals[0]), second.p_value, bool(holds))
