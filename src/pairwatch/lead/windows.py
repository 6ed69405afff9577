"""The test of a lead in many windows at once, judged against a pool of windows whose days are in another order.

The statistic is that of `pairwatch.lead`. Permuting each window anew would cost seconds; here the days of the whole
history are put into another order that only reaches as far as a window is long, some dozen times, and all windows that
result are one pool. What a window's own correlation does to the statistic's chance distribution is taken out first: in
units of the 5 % point that it has in the limit for that correlation.

A window is judged by what of the pool lies before its own end, so that what comes later never changes what is said of
it; the first windows, which have little before them, by orders of their own days besides.
"""

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from pairwatch.kernels.bands import Flags, block_length, block_sums, leaning, scores
from pairwatch.kernels.draws import Draws
from pairwatch.lead import BLOCK, SAME, SIZE
from pairwatch.lead.estimates import estimated, lagged_sums, sides
from pairwatch.model import Floats, Positions

POOL = 4000
"""Windows without a lead that the share by chance is counted among, at least."""
REORDERED = 12
"""Histories in another order, at least, that these come from: one alone has windows of a few days only. So many are the
same however long the history is, and windows are judged by them."""
OWN, OWN_NUMBERS = (199, 400), 25_000
"""Orders of the first window's own days, as many as have so many returns together; of the second's half, and so on."""
FIRST = 40
"""So many windows are the first ones; from there on the pool has some hundred others."""
OTHERS = 1 << 32
"""What is added to a seed for draws that are not to be those of the seed itself."""
NUMBERS = 500_000
"""Returns of all those windows together, at most, as long as there are so many histories."""
SHARES = 999
"""Draws of the share of windows that chance names."""


class Rolling(NamedTuple):
    """Windows that roll: how many returns each has, how many bars lie between them, and the largest lag."""

    length: int
    step: int
    max_lag: int


class WindowLeads(NamedTuple):
    """The best candidate of each window; shape (windows,).

    Attributes:
        lag: bars by which A leads B (negative: B leads A); 0 where it cannot be said.
        strength: the estimate of that lead, in units of r.
        highest: the statistic, in units of its limiting 5 % point; NaN where it cannot be said.
    """

    lag: Positions
    strength: Floats
    highest: Floats


class WindowTests(NamedTuple):
    """Who leads in windows that roll.

    Attributes:
        starts: where each window begins.
        found: each window's best candidate.
        p_value: of each window's, all lags considered, by days up to its end alone; NaN where it cannot be said; shape
            (windows,).
        chance: the lags that are named in windows of reordered days, 0 where none is; shape (histories, windows).
        sayable: in which of those windows anything can be said.
    """

    starts: Positions
    found: WindowLeads
    p_value: Floats
    chance: Positions
    sayable: Flags

    @property
    def said(self) -> Flags:
        """The windows of which anything can be said: both legs move, and not as one."""
        return np.isfinite(self.p_value)

    @property
    def named(self) -> Positions:
        """The lag of each window with a verdict, else 0."""
        return np.asarray(np.where(self.p_value < SIZE, self.found.lag, 0))


def rolling_leads(a: Floats, b: Floats, rolling: Rolling, seed: int = 0) -> WindowTests:
    """The test of a lead in every window, the first one beginning with the history.

    So a window stays where it is while the history grows, and keeps its p, for that is made of days up to its end. What
    chance names is of the whole history.
    """
    n, window = len(a), rolling.length
    starts = np.arange(0, n - window + 1, rolling.step)
    found = window_leads(_cut(a, starts, window), _cut(b, starts, window), rolling.max_lag)
    size = window * len(starts)
    histories = max(REORDERED, min(-(-POOL // len(starts)), NUMBERS // size))
    same, more = Draws(seed).uniform(n, REORDERED), Draws(seed + OTHERS).uniform(n, histories - REORDERED)
    uniform, at_once = np.concatenate([same, more], axis=1).T, max(1, BLOCK // size)
    pool = [_reordered(a, b, uniform[done : done + at_once], starts, rolling) for done in range(0, histories, at_once)]
    lags, highest = (np.concatenate(part) for part in zip(*pool, strict=True))
    chance = np.where(_p_values(highest, _sorted(highest)) < SIZE, lags, 0)
    said = np.flatnonzero(np.isfinite(found.highest))
    owners, own = _own_orders(a, b, starts[said], rolling, seed)
    p_value = np.full(len(starts), np.nan)
    for first, last in _growing(len(said)):
        # No day of a reordered window has come from a window's length or more beyond it.
        before = starts.searchsorted(starts[said[first]] - window, side="right")
        known = _sorted(np.concatenate([own[owners <= first], highest[:REORDERED, :before].ravel()]))
        p_value[said[first:last]] = _p_values(found.highest[said[first:last]], known)
    return WindowTests(starts, found, p_value, chance, np.isfinite(highest))


def _growing(windows: int) -> Iterator[tuple[int, int]]:
    """Runs of windows, each a quarter as long as what lies before it: those of one are judged by what its first has."""
    first = 0
    while first < windows:
        last = first + 1 + first // 4
        yield first, min(last, windows)
        first = last


def _own_orders(a: Floats, b: Floats, starts: Positions, rolling: Rolling, seed: int) -> tuple[Positions, Floats]:
    """Whose the orders of the first windows' own days are, and the statistics of these."""
    window = rolling.length
    most = min(max(OWN_NUMBERS // window, OWN[0]), OWN[1])
    owners = np.repeat(np.arange(len(starts[:FIRST])), most // np.arange(1, len(starts[:FIRST]) + 1))
    days = starts[owners, None] + Draws(seed + 2 * OTHERS).uniform(len(owners), window).argsort(axis=1, kind="stable")
    rows = max(1, BLOCK // window)
    blocks = [days[done : done + rows] for done in range(0, len(days), rows)]
    found = [window_leads(a[block], b[block], rolling.max_lag).highest for block in blocks]
    return owners, np.concatenate([np.empty(0), *found])


def _sorted(highest: Floats) -> Floats:
    """Those that can be said, the lowest first."""
    return np.sort(highest[np.isfinite(highest)])


def _cut(values: Floats, starts: Positions, window: int) -> Floats:
    """The windows of each row, one after the other; shape (rows x starts, window)."""
    windows = np.lib.stride_tricks.sliding_window_view(values, window, axis=-1)[..., starts, :]
    return np.asarray(windows.reshape(-1, window))


def _reordered(a: Floats, b: Floats, uniform: Floats, starts: Positions, rolling: Rolling) -> tuple[Positions, Floats]:
    """Lags and statistics of all windows of histories whose days have moved by up to a window's length, a row each."""
    orders = np.argsort(np.arange(len(a)) + rolling.length * uniform, axis=1, kind="stable")
    x, y = (_cut(leg[orders], starts, rolling.length) for leg in (a, b))
    found = window_leads(x, y, rolling.max_lag)
    return found.lag.reshape(-1, len(starts)), found.highest.reshape(-1, len(starts))


def _p_values(highest: Floats, pool: Floats) -> Floats:
    """(1 + those of the pool as high) / (1 + pool)."""
    above = len(pool) - pool.searchsorted(highest * (1 - 1e-12))
    return np.asarray(np.where(np.isfinite(highest), (1 + above) / (1 + len(pool)), np.nan))


def window_leads(a: Floats, b: Floats, max_lag: int) -> WindowLeads:
    """The best candidate of each row of a and b, shape (windows, n), as `lead_test` has it."""
    n = a.shape[1]
    with np.errstate(invalid="ignore", divide="ignore"):
        x, y = scores(a), scores(b)
        rho = np.mean(x * y, axis=1)
        share = rho * rho
        ahead, behind = estimated(x, y, rho, max_lag)
        news_x, news_y = x - rho[:, None] * y, y - rho[:, None] * x
        noise = np.sqrt(lagged_sums(x * x + y * y, news_x * news_x + news_y * news_y, max_lag).mean(axis=0))
        best = np.maximum(np.abs(ahead), np.abs(behind))
        k, rows = best.argmax(axis=0), np.arange(len(a))
        u, v = ahead[k, rows], behind[k, rows]
        side = sides(u, v, rho, n)
        said = (1 - share > SAME) & np.isfinite(noise)
        z = best[k, rows] / noise * 2 * n * (1 + share * share) / np.sqrt(1 + 3 * share * share)
        lag = ((k + 1) * np.where(said, side, 0)).astype(np.intp)
        highest = np.where(said, z / _limit_points(share, max_lag), np.nan)
    return WindowLeads(lag, np.where(side > 0, u, v), highest)


# ---------------------------------------------------------------- the statistic's distribution in the limit

_GRID = 9


def _limit_points(share: Floats, max_lag: int) -> Floats:
    """The 5 % point of the largest of `max_lag` independent pairs |U|, |V|, for each r^2 of the legs."""
    return np.asarray(np.interp(share, np.linspace(0, 1, _GRID), _grid(max_lag)))


@lru_cache(maxsize=4)  # one history after the other asks for the same
def _grid(max_lag: int) -> tuple[float, ...]:
    return tuple(_limit_point(at / (_GRID - 1), max_lag) for at in range(_GRID))


def _limit_point(share: float, max_lag: int) -> float:
    """As `_limit_points`; the two estimates of a lag correlate by -(3 s + s^3) / (1 + 3 s^2), s the legs' r^2."""
    together = -(3 * share + share**3) / (1 + 3 * share * share)
    wanted = (1 - SIZE) ** (1 / max_lag)
    low, high = 0.0, 10.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if _both_within(middle, together) < wanted else (low, middle)
    return high


def _both_within(z: float, correlation: float, steps: int = 40) -> float:
    """P(|U| < z and |V| < z) of two normal values, by Simpson's rule over U."""
    rest = math.sqrt(2 * max(0.0, 1 - correlation * correlation))
    if rest < 1e-6:
        return math.erf(z / math.sqrt(2))
    total = 0.0
    for i in range(steps + 1):
        u = z * i / steps  # |U| < z is twice 0 < U < z
        inside = (math.erf((z - correlation * u) / rest) + math.erf((z + correlation * u) / rest)) / 2
        total += (1 if i in (0, steps) else 4 if i % 2 else 2) * inside * math.exp(-u * u / 2)
    return total * z / steps / 3 * 2 / math.sqrt(2 * math.pi)


# ---------------------------------------------------------------- what chance would name


def chance_shares(hits: Flags, sayable: Flags, overlap: int, seed: int = 0) -> tuple[float, float, float]:
    """The mean share of windows that chance names, and its central 95 % range for a history of so many windows.

    Args:
        hits: which windows of reordered days are named; shape (histories, windows).
        sayable: in which of them anything can be said; the others do not count.
        overlap: how many windows in a row share days: histories are put together of runs longer than that.
    """
    windows = hits.shape[1]
    run = max(1, min(windows, 4 * overlap))
    runs, rest = divmod(windows, run)
    draws, named, counted = Draws(seed), np.zeros(SHARES), np.zeros(SHARES)
    for length, times in ((run, runs), (rest, 1 if rest else 0)):
        of_hits, of_counts = _run_sums(hits, length), _run_sums(sayable, length)
        drawn = draws.integers(len(of_hits), SHARES, times)
        named, counted = named + of_hits[drawn].sum(axis=1), counted + of_counts[drawn].sum(axis=1)
    ordered = np.sort(named / np.maximum(counted, 1))
    mean = float(hits.sum() / max(1, sayable.sum()))
    return mean, float(ordered[round(0.025 * (SHARES - 1))]), float(ordered[round(0.975 * (SHARES - 1))])


def _run_sums(flags: Flags, length: int) -> Floats:
    """How many are true of each run of so many columns, of all rows."""
    sums = np.concatenate([np.zeros((len(flags), 1)), np.cumsum(flags, axis=1)], axis=1)
    return np.asarray((sums[:, length:] - sums[:, : sums.shape[1] - length]).ravel())


def one_sided(named: Positions, overlap: int, seed: int = 0) -> float:
    """The p of the windows that name A being as many as those that name B but for chance; NaN where none is named.

    What both legs share, a factor with a memory too, makes either as often the leader. The differences are added up in
    runs of windows at least twice as long as windows overlap, and judged as `kernels.bands` does.

    Args:
        named: each window's lag, 0 where none is named.
    """
    return leaning(block_sums(np.sign(named).astype("f8"), max(block_length(len(named)), 2 * overlap)), seed)
