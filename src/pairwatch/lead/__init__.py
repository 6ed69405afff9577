"""Who leads: the cross-correlation function and a test of it.

Whether yesterday's A says something about today's B that today's A does
not already say is the partial sum S+(k) = sum a[t] * (b[t+k] - rho * a[t+k]) / n, with a, b
standardised and rho their correlation; S-(k) is the same with the legs exchanged. A lead of A of
size c moves S+ by c and S- by -rho^2 * c, so (S+ - rho^2 * S-) / (1 + rho^4) estimates c. What the
legs share (a little autocorrelation of a common factor) moves S+ and S- alike and nearly cancels.

The largest estimate over both directions and all lags, in units of its own noise, is judged against
the same number on jointly permuted dates. Size and power are measured by `benchmarks/lead_test.py`; why not the
highest correlation is told in `docs/decisions.md`. Numpy only, as in `pairwatch.kernels`.
"""

import random
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from pairwatch.kernels import NOISE, quantile
from pairwatch.model import NAN, Floats, Positions

SIZE = 0.05
"""The level at which a leader is named; `detectable` refers to it."""
Z_POWER = 0.8416212335729143
"""The normal quantile of .80: `detectable` is what would have shown four times in five."""
SAME = 1e-9
"""Legs with 1 - rho^2 below this are one series twice: there is nothing left to lead with."""

PERMUTATIONS = 1999
BLOCK = 1 << 15
"""Numbers worked on at a time: few enough for the processor's cache, a third faster than all at once."""


class Lead(NamedTuple):
    """The verdict on one pair; every field is nan (lag: 0) where it cannot be said."""

    lag: int
    """k > 0: A leads B by k bars; k < 0: B leads A by -k; the best candidate, significant or not."""
    asymmetry: float
    """D = r(|lag|) - r(-|lag|), plain correlations; negated when the legs are swapped."""
    p_value: float
    """Chance of a best candidate this strong when dates do not matter."""
    detectable: float
    """The lead, in units of r, that a test at 5 % finds in four windows out of five."""


NO_LEAD = Lead(0, NAN, NAN, NAN)


def cross_correlations(a: Floats, b: Floats, max_lag: int) -> Floats:
    """r(k) = corr(a[t], b[t+k]) for k = -max_lag..max_lag; k > 0 means a leads.

    Full-sample means and deviations, sums divided by n at every lag (Box and Jenkins; what R's ccf
    and statsmodels' adjusted=False print). All nan if a leg is constant or holds a nan.
    """
    x, y = _standardised(a), _standardised(b)
    ahead = [_lagged(x, y, k) for k in range(max_lag + 1)]
    behind = [_lagged(y, x, k) for k in range(max_lag, 0, -1)]
    return np.array(behind + ahead) / len(x)


def lead_test(a: Floats, b: Floats, max_lag: int, seed: int, permutations: int = PERMUTATIONS) -> Lead:
    """Does either leg lead the other by 1..max_lag bars?  Same inputs and seed, same bits.

    Swapping the legs negates lag and asymmetry and leaves p_value and detectable as they are, to the
    bit; scale and origin of a leg do not matter. p = (1 + count) / (1 + permutations).
    """
    if len(a) < max_lag + 3:
        return NO_LEAD
    x, y = _standardised(a), _standardised(b)
    rho = float(np.mean(x * y))
    if not 1.0 - rho * rho > SAME:
        return NO_LEAD
    parts = [_strengths(x, y, rho, max_lag, block) for block in _orders(len(x), seed, permutations)]
    ahead, behind, noise = (np.concatenate(part, axis=-1) for part in zip(*parts, strict=True))
    best = np.maximum(np.abs(ahead), np.abs(behind))
    k = int(best[:, 0].argmax())
    highest = best.max(axis=0) / noise
    count = int(np.count_nonzero(highest[1:] >= highest[0] * (1.0 - 1e-12)))
    spread = np.sqrt(np.mean((ahead[0, 1:] ** 2 + behind[0, 1:] ** 2) / noise[1:] ** 2) / 2.0)
    return Lead(
        lag=(k + 1) * _direction(float(ahead[k, 0]), float(behind[k, 0]), rho, len(x)),
        asymmetry=float(_lagged(x, y, k + 1) - _lagged(y, x, k + 1)) / len(x),
        p_value=(1 + count) / (1 + permutations),
        detectable=float(noise[0] * (quantile(highest[1:], 1.0 - SIZE) + Z_POWER * spread)),
    )


def _standardised(x: Floats) -> Floats:
    """Mean 0, population deviation 1; all nan for a constant leg."""
    centred = x - x.mean()
    deviation = np.sqrt(np.mean(centred * centred))
    if not deviation > NOISE * np.abs(x).max():
        return np.full(len(x), np.nan)
    return np.asarray(centred / deviation, dtype=np.float64)


def _lagged(x: Floats, y: Floats, k: int) -> Floats:
    """Sum of x[t] * y[t+k] over the last axis: a number for series, one a row for matrices."""
    earlier, later = x[..., : max(x.shape[-1] - k, 0)], y[..., k:]
    return np.asarray(np.einsum("...t,...t->...", earlier, later), dtype=np.float64)


def _orders(n: int, seed: int, permutations: int) -> Iterator[Positions]:
    """Orders of n dates, one a row, in blocks; the first of all is the order as it is.

    Each date draws 32 bits from Python's own generator and the dates are sorted by them (by themselves, where two
    draw the same). Unlike numpy.random this is the same in every version of numpy, and costs no import.
    """
    draw = random.Random(seed).randbytes  # noqa: S311 - to be repeated, not to be secret
    dates = np.arange(n, dtype="u8")
    yield np.arange(n)[None, :]
    rows = max(1, BLOCK // n)
    for done in range(0, permutations, rows):
        count = min(rows, permutations - done)
        keys = np.frombuffer(draw(4 * count * n), "<u4").reshape(count, n).astype("u8") << 32 | dates
        keys.sort(axis=1)
        yield (keys & 0xFFFFFFFF).astype(np.intp)


def _strengths(x: Floats, y: Floats, rho: float, max_lag: int, orders: Positions) -> tuple[Floats, Floats, Floats]:
    """Estimated lead of x, of y (each max_lag x orders), and their common noise (one an order)."""
    news_x, news_y = x - rho * y, y - rho * x
    turmoil, surprise = x * x + y * y, news_x * news_x + news_y * news_y
    plus = _lagged_sums(x[orders], news_y[orders], max_lag)
    minus = _lagged_sums(y[orders], news_x[orders], max_lag)
    # Large where turbulent days are neighbours, which permuting dates undoes: dividing by it keeps
    # volatility clustering from passing for a lead.
    squares = _lagged_sums(turmoil[orders], surprise[orders], max_lag).mean(axis=0)
    share = rho * rho
    unit = len(x) * (1.0 + share * share)
    return (plus - share * minus) / unit, (minus - share * plus) / unit, np.sqrt(squares)


def _lagged_sums(x: Floats, y: Floats, max_lag: int) -> Floats:
    """The lagged sums for k = 1..max_lag, max_lag x rows."""
    return np.array([_lagged(x, y, k) for k in range(1, max_lag + 1)])


def _direction(ahead: float, behind: float, rho: float, n: int) -> int:
    """1 if a leads, -1 if b does: the stronger one, with a lean towards a lead with the sign of rho.

    For tightly related legs "a leads" and "b leads with the opposite sign" look nearly alike: only
    the sum of the two estimates tells them apart. Its standard error, times rho, is the lean.
    """
    share = rho * rho
    error = (1.0 - share) ** 2 / (1.0 + share * share) * np.sqrt(2.0 / n)
    return int(np.sign((ahead - behind) * (ahead + behind + rho * error)))
