"""Hayashi and Yoshida's estimator, against the double sum that defines it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pairwatch.kernels.asynchronous import Ticks, covariances, lead_lag_ratios, variances


def double_sum(a, b, shift):
    """All pairs of returns of one session whose intervals overlap, one by one."""
    found = np.zeros(len(a.starts))
    ends_a, ends_b = np.append(a.starts[1:], len(a.times)), np.append(b.starts[1:], len(b.times))
    for s, (i0, i1, j0, j1) in enumerate(zip(a.starts, ends_a, b.starts, ends_b, strict=True)):
        for i in range(i0 + 1, i1):
            for j in range(j0 + 1, j1):
                if b.times[j] - shift > a.times[i - 1] and b.times[j - 1] - shift < a.times[i]:
                    found[s] += (a.values[i] - a.values[i - 1]) * (b.values[j] - b.values[j - 1])
    return found


def ticks(sessions):
    """Sessions of (time, value) pairs, each a thousand after the one before."""
    times = [1000 * s + t for s, session in enumerate(sessions) for t, _ in session]
    values = [value for session in sessions for _, value in session]
    starts = np.cumsum([0, *map(len, sessions[:-1])])
    return Ticks(np.array(times, dtype="i8"), np.array(values, dtype="f8"), starts)


def sessions(count):
    moment = st.integers(0, 60)
    one = st.dictionaries(moment, st.integers(-9, 9), min_size=1, max_size=9).map(lambda d: sorted(d.items()))
    return st.lists(one, min_size=count, max_size=count)


@settings(max_examples=150)
@given(st.integers(1, 3).flatmap(lambda n: st.tuples(sessions(n), sessions(n))), st.integers(-70, 70))
def test_it_is_the_double_sum_over_overlapping_returns_session_by_session(pair, shift):
    a, b = map(ticks, pair)
    assert np.array_equal(covariances(a, b, np.array([shift]))[:, 0], double_sum(a, b, shift))  # of whole numbers


@settings(max_examples=100)
@given(st.integers(1, 3).flatmap(lambda n: st.tuples(sessions(n), sessions(n))))
def test_swapping_the_legs_turns_the_shifts_round(pair):
    a, b = map(ticks, pair)
    shifts = np.arange(-20, 21, 5)
    assert np.array_equal(covariances(a, b, shifts), covariances(b, a, shifts)[:, ::-1])


@settings(max_examples=50)
@given(sessions(2), sessions(2), st.permutations(range(-40, 41, 8)))
def test_the_order_of_the_shifts_does_not_matter(one, two, order):
    a, b = ticks(one), ticks(two)
    shifts = np.array(order)
    alone = [covariances(a, b, shifts[i : i + 1])[:, 0] for i in range(len(shifts))]
    assert np.array_equal(covariances(a, b, shifts), np.array(alone).T)


def test_many_ticks_between_two_shifts_are_searched_for():
    rng = np.random.default_rng(0)
    times = [np.unique(rng.integers(0, 9_000, 900)) for _ in range(2)]
    a, b = (Ticks(own, rng.integers(-9, 9, len(own)).cumsum().astype("f8"), np.array([0])) for own in times)
    shifts = np.array([-3000, 0, 3000])
    assert np.array_equal(covariances(a, b, shifts)[0], [double_sum(a, b, shift)[0] for shift in shifts])


def test_on_one_grid_it_is_the_sum_of_products():
    rng = np.random.default_rng(1)
    x, y = rng.integers(-9, 9, (2, 50)).cumsum(axis=1).astype("f8")
    a, b = (Ticks(np.arange(50), leg, np.array([0])) for leg in (x, y))
    assert covariances(a, b, np.array([0]))[0, 0] == np.diff(x) @ np.diff(y)
    assert variances(a)[0] == np.diff(x) @ np.diff(x)


def test_a_session_is_never_bridged():
    a = ticks([[(0, 0.0), (1, 1.0)], [(0, 100.0), (1, 101.0)]])
    assert variances(a).tolist() == [1.0, 1.0]
    assert covariances(a, a, np.array([0]))[:, 0].tolist() == [1.0, 1.0]


def test_a_large_offset_costs_nothing():
    rng = np.random.default_rng(2)
    x, y = rng.integers(-9, 9, (2, 400)).cumsum(axis=1).astype("f8")
    times = np.arange(400) * 3
    near = [Ticks(times + at, leg, np.array([0])) for at, leg in enumerate((x, y))]
    far = [leg._replace(values=leg.values + 2.0**40) for leg in near]
    shifts = np.arange(-9, 10)
    assert np.array_equal(covariances(*near, shifts), covariances(*far, shifts))


def test_ratios_cannot_be_said_where_nothing_stands_below():
    assert np.isnan(lead_lag_ratios(np.array([0.0, 1.0, 1.0])))


def test_the_ratio_is_of_squares_ahead_over_squares_behind():
    assert lead_lag_ratios(np.array([1.0, 1.0, 9.0, 2.0, 2.0])) == pytest.approx(4.0)
