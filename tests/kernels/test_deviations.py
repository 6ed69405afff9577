"""The ratio of two standard deviations, with its interval, against brute force and against what it claims."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pairwatch.kernels import dependence
from pairwatch.kernels.deviations import estimated_deviation_ratio


def linked(n, rho=0.5, seed=0, tail=0):
    """Two series that share a factor, with the tails of Student's t with so many degrees of freedom."""
    rng = np.random.default_rng(seed)
    common, x, y = rng.standard_t(tail, (3, n)) if tail else rng.standard_normal((3, n))
    w, v = math.sqrt(rho), math.sqrt(1 - rho)
    return w * common + v * x, w * common + v * y


seeds = st.integers(0, 10_000)


def interval(x, y):
    found = estimated_deviation_ratio(x, y)
    return found.low, found.high


@pytest.mark.parametrize("tail", [0, 3])
@pytest.mark.parametrize("n", [8, 60])
def test_the_error_is_the_jackknifes_of_the_logarithm_times_what_neighbours_add(n, tail):
    x, y = linked(n, 0.6, 2, tail)
    logs = np.array([math.log(np.delete(x, i).std() / np.delete(y, i).std()) for i in range(n)])
    shifts = logs - logs.mean()
    expected = math.sqrt((n - 1) / n * float(shifts @ shifts) * dependence.neighbours(shifts))
    found = estimated_deviation_ratio(x, y)
    assert found.value == pytest.approx(x.std() / y.std(), rel=1e-12)
    assert found.error == pytest.approx(expected, rel=1e-10)
    reach = stats.t.ppf(0.975, found.freedom) * found.error
    ends = found.value * math.exp(-reach), found.value * math.exp(reach)
    assert (found.low, found.high) == pytest.approx(ends, rel=1e-4 if n == 60 else 1e-10)


def missed(rho, times, tail, runs=400):
    """The share of runs of 61 whose interval leaves the truth out."""
    legs = (linked(61, rho, seed, tail) for seed in range(runs))
    found = np.array([interval(times * x, y) for x, y in legs])
    return 1 - ((found[:, 0] < times) & (times < found[:, 1])).mean()


@pytest.mark.parametrize(("rho", "times"), [(0.0, 1.0), (0.85, 1.5)])
@pytest.mark.parametrize("tail", [0, 3])
def test_the_interval_misses_the_truth_in_5_of_100_samples_also_of_fat_tails(rho, times, tail):
    """1,000 runs: a standard error of .7 points."""
    assert 0.025 < missed(rho, times, tail, 1000) < 0.075


def test_where_volatility_changes_within_the_window_the_interval_is_of_what_held_in_it():
    """X moves three times as far in the second half: over the window its deviation is the root of 5."""
    path = np.where(np.arange(60) < 30, 1.0, 3.0)
    legs = ((path * x, y) for x, y in (linked(60, 0.3, seed) for seed in range(1000)))
    found = np.array([interval(x, y) for x, y in legs])
    truth = math.sqrt(5)
    assert 0.925 < ((found[:, 0] < truth) & (truth < found[:, 1])).mean() < 0.985


@given(seeds)
def test_the_interval_of_a_ratio_inverts_with_the_ratio(seed):
    x, y = linked(40, 0.4, seed, 5)
    low, high = interval(x, y)
    assert interval(y, x) == pytest.approx((1 / high, 1 / low), rel=1e-12)
    assert low < estimated_deviation_ratio(x, y).value < high


@given(seeds, st.floats(0.01, 100), st.floats(-5, 5))
def test_scaling_multiplies_the_interval_and_turning_over_or_shifting_leaves_it(seed, scale, shift):
    x, y = linked(40, 0.4, seed, 5)
    low, high = interval(x, y)
    assert interval(shift - scale * x, y) == pytest.approx((scale * low, scale * high), rel=1e-7)


def test_the_ratio_of_series_in_lockstep_is_known_exactly_and_that_of_nothing_is_zero():
    x, _ = linked(30)
    assert interval(-2 * x, x) == pytest.approx((2.0, 2.0), rel=1e-12)
    assert interval(0 * x, x) == (0.0, 0.0)


def test_few_pairs_and_a_divisor_that_does_not_move_have_no_ratio():
    few = dependence.LEAST_PAIRS - 1
    assert math.isnan(estimated_deviation_ratio(*linked(few)).value)
    assert all(map(math.isnan, interval(linked(30)[0], np.full(30, 0.1))))
    assert all(map(math.isfinite, interval(*linked(few + 1))))


@pytest.mark.parametrize("move", [0.05, 1 / 3, 1e-6])
def test_what_moves_on_one_bar_alone_leaves_the_ratio_open(move):
    x, y = np.zeros(30), linked(30)[0]
    x[12] = move
    low, high = interval(x, y)
    assert low < 1e-6 * x.std() / y.std() < x.std() / y.std() < high < math.inf
