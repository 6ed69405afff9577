"""Two prices that are made at different moments: their covariance without a common clock, and its contrast over shifts.

Hayashi and Yoshida's (2005, Bernoulli 11) estimator adds up the products of all pairs of returns whose intervals
overlap. Beside a return of A from s to s' stand all returns of B that overlap it, and they telescope: they add up to
B's price at its first moment at or after s', less its price at its last moment at or before s. So a search in a sorted
list replaces the double sum, and nothing is lost by cancellation; where it would reach out of a session it stops at the
session's first or last price.

Shifting B's clock back by theta gives U(theta), large where B follows A by theta: its largest |U| estimates who leads
by how much (Hoffmann, Rosenbaum and Yoshida 2013, Bernoulli 19).
"""

from typing import NamedTuple, TypeAlias

import numpy as np

from pairwatch.model import NAN, Floats, Positions

FEW = 12
"""Places that are gone one by one before a search is quicker."""

Instants: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.int64]]


class Ticks(NamedTuple):
    """Prices by moment.

    Attributes:
        times: shape (n,), strictly increasing, whole numbers of any unit.
        values: prices or their logarithms; shape (n,).
        starts: where each session begins; shape (sessions,), the first 0. No session is empty.
    """

    times: Instants
    values: Floats
    starts: Positions


def covariances(a: Ticks, b: Ticks, shifts: Instants) -> Floats:
    """U(theta) by session, shape (sessions, shifts): of A's returns and of B's told theta earlier.

    Both legs have the same sessions, in the same order. O(n log n) for each shift.
    """
    lows, highs = b.starts, np.append(b.starts[1:], len(b.times)) - 1
    sessions_of_a = np.repeat(np.arange(len(a.starts)), np.diff(np.append(a.starts, len(a.times))))
    low, high = lows[sessions_of_a], highs[sessions_of_a]
    steps = np.append(np.diff(a.values), 0.0)  # from each moment to the next one
    steps[np.append(a.starts[1:], len(a.times)) - 1] = 0.0  # of the session
    times = np.append(b.times, np.iinfo(np.int64).max)
    found = np.empty((len(a.starts), len(shifts)))
    last = np.iinfo(np.int64).max
    after: Positions = np.zeros(len(a.times), dtype=np.intp)
    for column, shift in enumerate(shifts):
        moments = a.times + shift
        after = _first_not_before(times, moments, after) if shift > last else times.searchsorted(moments)
        last = shift
        before = np.minimum(np.maximum(after - (times[after] != moments), low), high)
        beyond = np.maximum(np.minimum(after, high), low)
        # A return ends where the next moment stands.
        beside = np.append(b.values[beyond[1:]], 0.0) - b.values[before]
        found[:, column] = np.add.reduceat(steps * beside, a.starts)
    return found


def _first_not_before(times: Instants, moments: Instants, near: Positions) -> Positions:
    """The first place in `times` at or after each moment.

    Args:
        times: increasing; the last one is later than all moments.
        near: places at or before those, which is quick where they are few.
    """
    places = near.copy()
    moving = np.flatnonzero(times[places] < moments)
    for _ in range(FEW):
        places[moving] += 1
        moving = moving[times[places[moving]] < moments[moving]]
        if not len(moving):
            return places
    return np.asarray(times.searchsorted(moments))


def variances(a: Ticks) -> Floats:
    """The sum of squared returns of each session; shape (sessions,)."""
    steps = np.diff(a.values, append=a.values[-1:])
    steps[np.append(a.starts[1:], len(a.times)) - 1] = 0.0
    return np.asarray(np.add.reduceat(steps * steps, a.starts))


def lead_lag_ratios(contrast: Floats) -> Floats:
    """The sum of squares over shifts in which A leads, over that in which B does; the last axis is -L..L.

    Huth and Abergel (2014, J. Empirical Finance 26); NaN where nothing stands below.
    """
    middle = contrast.shape[-1] // 2
    ahead = np.square(contrast[..., middle + 1 :]).sum(axis=-1)
    behind = np.square(contrast[..., :middle]).sum(axis=-1)
    return np.asarray(np.divide(ahead, behind, out=np.full(np.shape(behind), NAN), where=behind > 0))
