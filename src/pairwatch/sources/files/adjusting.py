"""What adjusted closes tell of distributions, as far as the printed digits go."""

from typing import Final

import numpy as np

from pairwatch.model import Floats

_FLOAT32: Final = 2.0**-24  # Yahoo computes in single precision
_MOST_DIGITS: Final = 9
_CENT: Final = 0.01
_LARGEST: Final = 0.3  # of the price: beyond it rather a split that the closes were not adjusted for
_ROWS_JUDGED: Final = 250
_FEWEST_ROWS: Final = 5
_SPLIT_DIGITS: Final = 4


def distributions(closes: Floats, adjusted: Floats) -> Floats | None:
    """The distribution a share on each day that takes `closes` to `adjusted`; None if none would.

    The factor f = adjusted / close stays the same between distributions, and a distribution D on day t multiplies
    all factors before by 1 - D / close[t-1] (the method of CRSP, which Yahoo follows), so
    D = close[t-1] (1 - f[t-1] / f[t]). Steps within the rounding of the printed digits are noise. None is returned
    where that does not explain the factors to within this rounding: a factor that falls or drifts, a step of more than
    three tenths (a split), or values at or below zero.
    """
    if np.array_equal(closes, adjusted):
        return np.zeros(len(closes))
    if (closes <= 0).any() or (adjusted <= 0).any():
        return None
    factors = adjusted / closes
    noise = _rounding(closes) + _rounding(adjusted)
    steps = np.abs(np.diff(factors)) > factors[1:] * (noise[1:] + noise[:-1])
    starts = np.concatenate(([0], np.flatnonzero(steps) + 1))
    levels = np.add.reduceat(factors, starts) / np.diff(np.append(starts, len(factors)))
    level = np.repeat(levels, np.diff(np.append(starts, len(factors))))
    drifts = bool((np.abs(factors / level - 1) > 2 * noise).any())
    cuts = 1 - levels[:-1] / levels[1:]
    if drifts or (cuts < 0).any() or (cuts > _LARGEST).any():
        return None
    paid = np.zeros(len(closes))
    paid[starts[1:]] = closes[starts[1:] - 1] * cuts
    return paid


def are_adjusted(closes: Floats, dividends: Floats, splits: Floats) -> bool:
    """Whether closes that stand beside dividends are adjusted for them already, as yfinance writes them by default.

    Shares trade in whole cents: once the splits after a day are undone, a raw close before the last dividend is a
    whole number of cents, and an adjusted one only by chance. `splits` is 0 where there is none.
    """
    paid = np.flatnonzero(dividends)
    if not paid.size or not _finer_than(closes, _SPLIT_DIGITS):
        return False
    later = np.append(np.cumprod(np.where(splits > 0, splits, 1.0)[::-1])[::-1][1:], 1.0)
    traded = (closes * later)[: paid[-1]][-_ROWS_JUDGED:] / _CENT
    blur = np.maximum(0.02, 4 * _FLOAT32 * np.abs(traded))
    sharp = blur < 0.2  # beyond, a float32 does not tell cents from fractions of them
    whole = np.abs(traded - np.round(traded)) <= blur
    return bool(sharp.sum() >= _FEWEST_ROWS and whole[sharp].mean() < 0.5)


def _rounding(values: Floats) -> Floats:
    """The largest relative error that printing and single precision leave in each value."""
    digits = next((d for d in range(_MOST_DIGITS) if not _finer_than(values, d)), None)
    printed = 0.0 if digits is None else 0.5 * 10.0**-digits
    return printed / np.abs(values) + _FLOAT32


def _finer_than(values: Floats, digits: int) -> bool:
    """Whether some value has more decimals than `digits`."""
    return not np.allclose(values, np.round(values, digits), rtol=1e-14, atol=0)
