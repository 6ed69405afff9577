"""Chosen bars beside any, against loops and against chance."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pairwatch.kernels import analogs

light = settings(max_examples=50)


@light
@given(st.sets(st.integers(0, 200)), st.integers(1, 40))
def test_spaced_takes_the_first_and_then_the_next_that_is_far_enough(places, spacing):
    expected = []
    for place in sorted(places):
        if not expected or place - expected[-1] >= spacing:
            expected.append(place)
    assert analogs.spaced(np.array(sorted(places), dtype=np.intp), spacing).tolist() == expected


@light
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30))
def test_the_median_is_numpys(values):
    assert analogs.median(np.array(values)) == pytest.approx(float(np.median(values)))


def test_there_is_no_median_and_no_p_of_nothing():
    assert math.isnan(analogs.median(np.zeros(0)))
    assert math.isnan(analogs.shift_test(np.arange(9.0), np.zeros(0, dtype=np.intp)))


@light
@given(st.integers(0, 2**31), st.integers(1, 9))
def test_p_is_the_share_of_shifts_that_are_as_far_out(seed, k):
    rng = np.random.default_rng(seed)
    outcomes, at = rng.standard_normal(60), np.sort(rng.choice(60, k, replace=False))
    centred = outcomes - np.median(outcomes)

    def statistic(shift):
        chosen = centred[(at + shift) % 60]
        return abs(np.median(chosen)) / np.abs(chosen).mean()

    every = [statistic(shift) for shift in range(60)]
    expected = np.mean([one >= every[0] * (1 - 1e-9) for one in every])
    assert analogs.shift_test(outcomes, at) == pytest.approx(expected)
    assert analogs.shift_test(-outcomes, at) == pytest.approx(expected)


def test_outcomes_that_never_move_are_no_difference():
    assert analogs.shift_test(np.zeros(50), np.array([3, 20, 40])) == 1


def test_bars_that_were_followed_by_gains_are_found():
    rng = np.random.default_rng(1)
    outcomes, at = rng.standard_normal(2000), np.sort(rng.choice(2000, 20, replace=False))
    outcomes[at] += 1.5
    assert analogs.shift_test(outcomes, at) < 0.01


def test_a_long_history_is_shifted_in_steps():
    outcomes, at = np.random.default_rng(2).standard_normal(30_000), np.arange(100, 29_000, 2000)
    assert (analogs.shift_test(outcomes, at) * 3750) % 1 == pytest.approx(0, abs=1e-6)
