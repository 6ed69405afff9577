"""Sums of lagged products within sessions, and tests that take sessions for what is independent.

Bars of a session stand in a row of a matrix, (sessions, slots), and only products within a row are ever made: nothing
bridges a night. Every sum is kept by session, so that a resample of sessions costs a product of small matrices.

The lead test asks of D(k), the difference of the correlations at k and at -k: whatever the legs share, and whatever
autocorrelation or pattern of the day either has of its own, moves both alike. Under "nobody leads" a session and the
same session told backwards are equally likely, which turns the sign of its part of every D(k): the p-value is the
share of sign patterns under which the largest |D(k)|, in units of its own noise, is as large. It holds for any
volatility of any session, and exactly for any number of them (Fisher's randomisation test; Romano 1990, JASA 85).
"""

import math
import random
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from pairwatch.kernels import quantile
from pairwatch.model import NAN, Floats, Positions

PATTERNS = 1999
"""Sign patterns that are drawn where there are too many to take all."""
ALL_PATTERNS = 11
"""With so many sessions or fewer, all 2^n patterns are taken."""
FEWEST = 6
"""With fewer sessions no sign pattern can be rare: 2 / 2^5 is above 5 %."""
SAME = 1e-12
BLOCK = 1 << 17
"""Numbers worked on at a time: few enough for the processor's cache."""
Z_POWER = 0.8416212335729143
"""The normal quantile of .80."""


class LaggedSums(NamedTuple):
    """Sums by session of x[t] * y[t + k], for k = -max_lag..max_lag.

    Attributes:
        products: shape (sessions, 2 max_lag + 1), of legs with mean 0 and deviation 1.
        pairs: how many products each sum has; same shape.
    """

    products: Floats
    pairs: Floats

    @property
    def asymmetries(self) -> Floats:
        """The part of each session in D(k) = r(k) - r(-k), k = 1..L; shape (sessions, L); its columns add up to D."""
        total = self.pairs.sum(axis=0)
        parts = mean(self.products, np.broadcast_to(total, self.products.shape))
        return antisymmetric(parts)


def antisymmetric(parts: Floats) -> Floats:
    """f(k) - f(-k), k = 1..L, of columns k = -L..L."""
    middle = parts.shape[1] // 2
    return np.ascontiguousarray(parts[:, middle + 1 :] - parts[:, :middle][:, ::-1])


def mean(sums: Floats, counts: Floats) -> Floats:
    """The quotients, NaN where nothing was counted."""
    return np.asarray(np.divide(sums, counts, out=np.full(np.shape(sums), NAN), where=counts > 0))


def standardised(returns: Floats) -> Floats:
    """Mean 0 and deviation 1 over all sessions, 0 where there is no return (NaN); all NaN for what does not vary."""
    known = np.isfinite(returns)
    count = max(int(known.sum()), 1)
    filled = np.where(known, returns, 0.0)
    centred = np.where(known, filled - filled.sum() / count, 0.0)
    deviation = np.sqrt((centred * centred).sum() / count)
    if not deviation > 1e-14 * np.abs(filled).max(initial=0.0):
        return np.full(returns.shape, NAN)
    return np.asarray(centred / deviation)


def lagged_sums(a: Floats, b: Floats, max_lag: int) -> LaggedSums:
    """Sums of lagged products within sessions.

    Args:
        a, b: returns, shape (sessions, slots), NaN where there is none; a return counts where both legs have one.
    """
    known = np.isfinite(a) & np.isfinite(b)
    x, y = (standardised(np.where(known, leg, NAN)) for leg in (a, b))
    there = None if known.all() else known.astype("f8")
    sessions, slots = known.shape
    products, pairs = np.zeros((2, sessions, 2 * max_lag + 1))
    for k in range(min(max_lag, slots - 1) + 1):
        products[:, max_lag + k] = _row_sums(x[:, : slots - k], y[:, k:])
        products[:, max_lag - k] = _row_sums(x[:, k:], y[:, : slots - k])
        count = float(slots - k) if there is None else _row_sums(there[:, : slots - k], there[:, k:])
        pairs[:, max_lag + k] = pairs[:, max_lag - k] = count
    return LaggedSums(products, pairs)


def _row_sums(x: Floats, y: Floats) -> Floats:
    return np.asarray(np.einsum("st,st->s", x, y))


# ---------------------------------------------------------------- tests


class Judged(NamedTuple):
    """Sums of parts, judged together by sign patterns.

    Attributes:
        totals: the sums of the columns.
        noise: the root of the sum of squares of each column: what a total varies by when signs are chance.
        spread: the same without what the parts have in common, their mean: the standard error of a total.
        p_value: of the largest |total| / noise; NaN where it cannot be said.
        critical: what |total| / spread of no column exceeds but in 5 % of the patterns; NaN where nothing is so rare.
        rows: how many sessions have any part in them.
    """

    totals: Floats
    noise: Floats
    spread: Floats
    p_value: float
    critical: float
    rows: int

    @property
    def band(self) -> Floats:
        """What a total has to exceed for any of them to count, at 5 % for all together."""
        return np.asarray(self.critical * self.spread)

    @property
    def detectable(self) -> float:
        """The total that such a test finds four times in five, at the column of the largest; NaN where none could."""
        return float((self.critical + Z_POWER) * self.spread[self.largest])

    @property
    def largest(self) -> int:
        """The column of the largest |total| / noise; of several, the first."""
        return int(np.argmax(_in_noise(self.totals, self.noise)))


def judge(parts: Floats, seed: int, patterns: int = PATTERNS) -> Judged:
    """Whether the totals of any columns are further from zero than signs by chance would take them.

    The same inputs and seed give the same bits; parts with all their signs turned give the same p-value.

    Args:
        parts: shape (sessions, columns): what each session adds to each total. Under the hypothesis the row of a
            session is as likely as the same row with all its signs turned, and sessions are independent.
    """
    parts = parts[np.any(parts != 0, axis=1)]
    totals, noise = parts.sum(axis=0), np.sqrt((parts * parts).sum(axis=0))
    count = len(parts)
    spread = np.sqrt(np.square(parts - totals / max(count, 1)).sum(axis=0) * count / max(count - 1, 1))
    if count < FEWEST or not np.isfinite(totals).all() or not noise.any():
        return Judged(totals, noise, spread, NAN, NAN, count)
    # Turned signs and ends of a column that are equal but for rounding are equal.
    highest = np.concatenate([_in_noise(signs @ parts, noise).max(axis=1) for signs in _signs(count, seed, patterns)])
    reached = int(np.count_nonzero(highest >= _in_noise(totals, noise).max() * (1.0 - SAME)))
    is_whole = count <= ALL_PATTERNS
    p_value = reached / len(highest) if is_whole else (1 + reached) / (1 + len(highest))
    return Judged(totals, noise, spread, p_value, _studentised(quantile(highest, 0.95), count), count)


def _studentised(ratio: float, count: int) -> float:
    """The |total| / spread of a |total| / noise: one says what the other says, as t^2 = T^2 (n - 1) / (n - T^2)."""
    left = count - ratio * ratio
    return ratio * math.sqrt((count - 1) / left) if left > SAME * count else NAN


def _in_noise(totals: Floats, noise: Floats) -> Floats:
    return np.asarray(np.divide(np.abs(totals), noise, out=np.zeros(np.shape(totals)), where=noise > 0))


def _signs(count: int, seed: int, patterns: int) -> Iterator[Floats]:
    """Sign patterns, one a row, in blocks; all there are, where they are few."""
    if count <= ALL_PATTERNS:
        every = (np.arange(2**count)[:, None] >> np.arange(count)) & 1
        yield np.asarray(1.0 - 2.0 * every)
        return
    draw, width = random.Random(seed).randbytes, -(-count // 8)  # noqa: S311 - to be repeated, not to be secret
    for rows in _rows(count, patterns):
        drawn = np.frombuffer(draw(rows * width), np.uint8).reshape(rows, width)
        yield np.asarray(1.0 - 2.0 * np.unpackbits(drawn, axis=1)[:, :count], dtype=np.float64)


def _rows(count: int, rows: int) -> Iterator[int]:
    """How many rows of so many numbers are worked on at a time."""
    most = max(1, BLOCK // count)
    for done in range(0, rows, most):
        yield min(most, rows - done)


def resampled(sums: Floats, counts: Floats, seed: int, resamples: int) -> Floats:
    """The mean of each column in resamples of rows, one a row: the Bayesian bootstrap (Rubin 1981, Ann. Stat. 9).

    Each row weighs what a standard exponential draw says.

    Args:
        sums, counts: of one shape, (sessions, columns); the means are the quotients of their weighted totals.
    """
    draw, found = random.Random(seed).randbytes, []  # noqa: S311 - to be repeated, not to be secret
    for rows in _rows(len(sums), resamples):
        drawn = np.frombuffer(draw(4 * rows * len(sums)), "<u4").reshape(rows, len(sums))
        weights = -np.log((drawn + 0.5) / 2.0**32)
        found.append(mean(weights @ sums, weights @ counts))
    return np.concatenate(found)


def interval(drawn: Floats) -> tuple[float, float]:
    """The middle 95 % of what resamples give; NaN where too few give anything."""
    drawn = drawn[np.isfinite(drawn)]
    return (NAN, NAN) if len(drawn) < 40 else (quantile(drawn, 0.025), quantile(drawn, 0.975))


def largest_lags(totals: Floats, noise: Floats, correlations: Floats) -> Positions:
    """The lag of the largest |D| / noise of each row, with the sign of who leads; shapes (m, L), (L,), (m, 2L + 1).

    A leads by k where |r(k)| > |r(-k)|.
    """
    middle = correlations.shape[1] // 2
    k = np.argmax(_in_noise(totals, noise), axis=1) + 1
    rows = np.arange(len(k))
    ahead, behind = np.abs(correlations[rows, middle + k]), np.abs(correlations[rows, middle - k])
    return np.asarray(np.where(ahead > behind, k, np.where(ahead < behind, -k, 0)))
