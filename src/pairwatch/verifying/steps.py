"""Two sources' values on common dates: how far apart, over which stretches by the same ratio, and dated otherwise.

A *gap* is ln(there / here) of prices and levels, there - here of rates; a *band* is how large a gap may be by the
tolerance and the rounding of the values.
"""

import math
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from pairwatch.model import NAN, Days, Floats, Positions

Flags: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]

# Yahoo computes in single precision; two roundings of it.
FLOAT32 = 2.0**-23
_MOST_DIGITS = 6
# So many values have no more digits than a series is printed with: a few bad ones may.
_PRINTED = 0.9
# A stretch of one ratio shows in so many of so many neighbouring dates, and ends where so many in a row leave it.
_STEADY, _WINDOW, _LEAVES = 4, 5, 3
# A stretch at a level so near to zero that so many of its dates agree is at zero.
_SETTLED = 0.9
# A stretch that is dated otherwise shows in so many moves that fit a neighbouring date and not their own ...
_FEWEST_MOVES = 6
# ... over dates of which so many fit, broken by no more than one bad date at a time.
_DENSE, _BREAK = 0.7, 2
# Where prices hardly move, many moves fit any date: so many must fit no other.
_TELLING = 0.4
# A date stands alone if so many of so many dates on either side agree.
_AGREE, _BESIDE = 2, 3


class Lined(NamedTuple):
    """Two legs on their common dates.

    Attributes:
        days: the common dates, shape (n,).
        here, there: all closes of each leg.
        at_here, at_there: where in them the common dates are, shape (n,).
        rounding: half a unit of the last digit that each is printed with.
        tolerance: the gap that is allowed beside rounding.
        rate: whether gaps are differences.
        scale: what a difference of rates is multiplied with to be in basis points.
    """

    days: Days
    here: Floats
    there: Floats
    at_here: Positions
    at_there: Positions
    rounding: tuple[float, float]
    tolerance: float
    rate: bool
    scale: float = 100.0

    @property
    def x(self) -> Floats:
        """Here, on the common dates."""
        return self.here[self.at_here]

    @property
    def y(self) -> Floats:
        """There, on the common dates."""
        return self.there[self.at_there]


class Plateau(NamedTuple):
    """A stretch of dates, from `start` to before `stop`, whose gaps are mostly at one level, up to `band`."""

    start: int
    stop: int
    level: float
    band: float


class Shift(NamedTuple):
    """Dates, from `start` to before `stop`, on which there has the value of here's date `by` sessions on."""

    start: int
    stop: int
    by: int


def rounding(values: Floats) -> float:
    """Half a unit of the last decimal that values are printed with; 0 for more than six.

    Whole numbers count as printed with one: where half of one would matter, they are rather exact.
    """
    for digits in range(1, _MOST_DIGITS + 1):
        left = np.abs(values - np.round(values, digits))
        if (left <= FLOAT32 * np.abs(values) + 1e-12).mean() >= _PRINTED:
            return 0.5 * 10.0**-digits
    return 0.0


def gaps(x: Floats, y: Floats, *, rate: bool) -> Floats:
    """How far there is from here; infinite where one is zero or below and the other is not."""
    if rate:
        return np.asarray(y - x)
    found = np.full(len(x), np.inf)
    alike = (np.sign(x) == np.sign(y)) & (x != 0)
    found[alike] = np.log(np.abs(y[alike])) - np.log(np.abs(x[alike]))
    found[(x == 0) & (y == 0)] = 0.0
    return found


def bands(lined: Lined) -> tuple[Floats, Floats]:
    """How large a gap may be on each date, and how much of that is rounding."""
    x, y = np.abs(lined.x), np.abs(lined.y)
    by_rounding = FLOAT32 * (np.maximum(x, y) if lined.rate else np.ones(len(x)))
    if lined.rate:
        by_rounding += max(lined.rounding) * (1 + 1e-6)
    else:
        whole = (x > 0) & (y > 0)
        with np.errstate(over="ignore"):
            coarser = np.maximum(lined.rounding[0] / x[whole], lined.rounding[1] / y[whole]).clip(max=1)
        by_rounding[whole] += coarser * (1 + coarser)  # the logarithm of a ratio is larger than its distance from one
    return np.maximum(lined.tolerance * (1 + 1e-9), by_rounding), by_rounding


# ---------------------------------------------------------------- stretches of one ratio


def plateaus(gap: Floats, band: Floats) -> list[Plateau]:
    """Stretches of one level, oldest first; together they cover all dates from the first one that shows on.

    Dates within a stretch that are not at its level are bad ticks, or no matter of a ratio.
    """
    width = min(_WINDOW, len(gap))
    windows = np.sort(sliding_window_view(gap, width), axis=1)
    middles = windows[:, width // 2]
    near = np.abs(sliding_window_view(gap, width) - _finite(middles)[:, None]) <= sliding_window_view(band, width)
    steady = np.flatnonzero((near.sum(axis=1) >= min(_STEADY, width)) & np.isfinite(middles))
    found: list[Plateau] = []
    stop = len(gap)
    while stop > 0:
        at = int(steady.searchsorted(stop - width, side="right")) - 1
        if at < 0:
            break
        one = _plateau(gap, band, int(steady[at]), width, stop)
        found.append(one)
        stop = one.start
    return found[::-1]


def _finite(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, 0.0)


def _plateau(gap: Floats, band: Floats, start: int, width: int, stop: int) -> Plateau:
    """The stretch that a steady window of so many dates from `start` on belongs to, back from `stop`."""
    sure = start + width
    level = _middle(gap[start:sure])
    for _ in range(2):
        left = _leaves(gap, band, start + 1, level)
        level = _settled(gap[left:sure], band[left:sure], level)
    left = _leaves(gap, band, start + 1, level)
    return Plateau(left, stop, level, _middle(band[left:sure]))


def _settled(gap: Floats, band: Floats, level: float) -> float:
    """The median of what is near a level; zero where nearly all of that agrees as it is."""
    near = np.abs(gap - level) <= band
    if not near.any():
        return level
    agree = np.abs(gap[near]) <= band[near]
    return 0.0 if agree.mean() >= _SETTLED else _middle(gap[near])


def _middle(values: Floats) -> float:
    return float(np.sort(values)[len(values) // 2])


def _leaves(gap: Floats, band: Floats, before: int, level: float) -> int:
    """Where a stretch that reaches back from `before` begins: after the last dates in a row that leave its level."""
    reach = 64
    while True:
        low = max(0, before - reach)
        off = ~(np.abs(gap[low:before] - level) <= band[low:before])
        run = off.copy()
        for step in range(1, _LEAVES):
            run[step:] &= off[:-step]
            run[:step] = False
        ends = np.flatnonzero(run)
        if len(ends):
            return low + int(ends[-1]) + 1
        if low == 0:
            return 0
        reach *= 4


# ---------------------------------------------------------------- dated otherwise


def shifts(lined: Lined, rounded: Floats) -> list[Shift]:
    """Stretches in which moves fit those of a neighbouring date here, and not their own; oldest first."""
    moves = ~still(gaps(lined.x, lined.y, rate=lined.rate), rounded, lined.tolerance)
    found: list[Shift] = []
    for by in (-1, 1):
        at = lined.at_here + by
        inside = (at >= 0) & (at < len(lined.here))
        gap = gaps(lined.here[at.clip(0, len(lined.here) - 1)], lined.y, rate=lined.rate)
        gap[~inside] = np.inf
        fits = still(gap, rounded, lined.tolerance)
        stretches = [one for one in _stretches(fits, fits & moves, by) if not any(_overlap(one, x) for x in found)]
        found += [_with_edge(one, inside) for one in stretches]
    return sorted(found)


def shifted(lined: Lined, found: list[Shift]) -> Positions:
    """Where in here's closes the value is that each common date has there."""
    at = lined.at_here.copy()
    for one in found:
        moved = at[one.start : one.stop] + one.by
        at[one.start : one.stop] = moved.clip(0, len(lined.here) - 1)
    return at


def still(gap: Floats, rounded: Floats, tolerance: float) -> Flags:
    """For each two neighbouring dates, whether both sides moved alike."""
    with np.errstate(invalid="ignore"):  # infinite less infinite
        return np.asarray(np.abs(np.diff(gap)) <= tolerance + rounded[1:] + rounded[:-1])


def _stretches(
    fits: Flags,
    telling: Flags,
    by: int,
) -> list[Shift]:
    """Runs of moves that fit, over breaks of a date, with enough among them that fit nothing else."""
    at = np.flatnonzero(_in_rows(fits))
    if not len(at):
        return []
    cuts = np.flatnonzero(np.diff(at) > _BREAK + 1) + 1
    starts, stops = at[np.append(0, cuts)], at[np.append(cuts, len(at)) - 1] + 1
    told = np.append(0, telling.cumsum())
    fitting = np.append(0, fits.cumsum())
    moves = told[stops] - told[starts]
    fine = (moves >= _FEWEST_MOVES) & (fitting[stops] - fitting[starts] >= _DENSE * (stops - starts))
    fine &= moves >= _TELLING * (stops - starts)
    return [Shift(int(a), int(b) + 1, by) for a, b in zip(starts[fine], stops[fine], strict=True)]


def _in_rows(fits: Flags) -> Flags:
    """The moves that fit in rows of three or more: a lone one is chance."""
    inner = fits.copy()
    inner[1:] &= fits[:-1]
    inner[:-1] &= fits[1:]
    inner[:1] = inner[-1:] = False
    rows = inner.copy()
    rows[1:] |= inner[:-1]
    rows[:-1] |= inner[1:]
    return rows


def _overlap(a: Shift, b: Shift) -> bool:
    return a.start < b.stop - 1 and b.start < a.stop - 1


def _with_edge(one: Shift, inside: Flags) -> Shift:
    """The stretch with the date beside it for whose value here has no date."""
    start = one.start - 1 if one.start and not inside[one.start - 1] else one.start
    return one._replace(start=start, stop=one.stop + int(one.stop < len(inside) and not inside[one.stop]))


# ---------------------------------------------------------------- one side alone


def stands_alone(fine: Flags, start: int, stop: int) -> bool:
    """Whether the dates on either side of some agree."""
    sides = fine[max(0, start - _BESIDE) : start], fine[stop : stop + _BESIDE]
    return all(side.sum() >= min(_AGREE, len(side)) for side in sides) and any(len(side) for side in sides)


def farness(values: Floats, start: int, stop: int, *, rate: bool) -> float:
    """How far dates are from the value between those before and after them."""
    beside = values[[at for at in (start - 1, stop) if 0 <= at < len(values)]]
    run = values[start:stop]
    if rate:
        return float(np.abs(run - beside.mean()).max())
    if (run <= 0).any() or (beside <= 0).any():
        return math.inf if (run <= 0).any() else NAN
    return float(np.abs(np.log(run) - np.log(beside).mean()).max())


def usual_move(values: Floats, *, rate: bool) -> float:
    """The median size of a move."""
    moves = np.abs(gaps(values[:-1], values[1:], rate=rate))
    return float(np.sort(moves)[len(moves) // 2]) if len(moves) else NAN


def jump(values: Floats, at: int) -> float:
    """The size of the move at a position, by the middle of a few values on either side; NaN where it has none."""
    beside = values[max(0, at - _BESIDE) : at + _BESIDE]
    return abs(drop(np.log(beside), min(at, _BESIDE))) if (beside > 0).all() else NAN


def drop(values: Floats, at: int) -> float:
    """How much more there is before a position than from it on, by the middle of a few values on either side."""
    return _middle(values[max(0, at - _BESIDE) : at]) - _middle(values[at : at + _BESIDE])
