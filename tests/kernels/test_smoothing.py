import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairwatch.kernels import smoothing
from pairwatch.kernels.smoothing import FIRST


def pair(n=300, rho=0.6, seed=0):
    x, e = np.random.default_rng(seed).standard_normal((2, n))
    return 0.01 * x, 0.02 * (rho * x + np.sqrt(1 - rho**2) * e)


@given(st.integers(1, 70), st.floats(0.1, 0.999))
def test_the_sums_are_those_of_the_recursion(n, decay):
    x = np.random.default_rng(n).standard_normal(n)
    total, expected = 0.0, []
    for value in x:
        total = decay * total + value
        expected.append(total)
    np.testing.assert_allclose(smoothing.smoothed_sums(x, decay), expected, rtol=1e-10, atol=1e-12)


def test_the_correlation_is_made_of_pandas_weighted_means():
    a, b = pair()
    means = [pd.Series(x).ewm(alpha=0.06).mean() for x in (a * b, a * a, b * b)]
    expected = means[0] / np.sqrt(means[1] * means[2])
    np.testing.assert_allclose(smoothing.smoothed_correlation(a, b, 0.94), expected, atol=1e-12)


def test_the_correlation_of_a_leg_that_has_not_moved_is_not_known():
    a, b = pair(20)
    a[:5] = 0
    found = smoothing.smoothed_correlation(a, b, 0.94)
    assert np.isnan(found[:5]).all()
    assert np.isfinite(found[5:]).all()


def test_the_effective_number_is_what_the_weights_squared_come_to():
    w = 0.94 ** np.arange(2000) * 0.06
    assert smoothing.effective_number(0.94) == pytest.approx(1 / (w @ w), rel=1e-12)


def test_the_last_correlation_has_an_interval_that_holds():
    missed = 0
    for seed in range(300):
        e = smoothing.estimated_smoothed_correlation(*pair(300, 0.6, seed), 0.94)
        missed += not e.low <= 0.6 <= e.high
    assert 0.02 <= missed / 300 <= 0.08


def test_the_estimate_is_the_last_of_the_smoothed_correlations():
    a, b = pair()
    e = smoothing.estimated_smoothed_correlation(a, b, 0.94)
    assert e.value == pytest.approx(smoothing.smoothed_correlation(a, b, 0.94)[-1], abs=1e-12)
    assert e.n == 32
    assert e.low < e.value < e.high


def test_a_leg_that_does_not_move_has_no_estimate_and_one_series_twice_no_error():
    a, _ = pair()
    assert math.isnan(smoothing.estimated_smoothed_correlation(a, 0 * a, 0.94).value)
    assert smoothing.estimated_smoothed_correlation(a, -a, 0.94)[:4] == (-1, -1, -1, 0)


def test_the_volatility_of_a_bar_was_known_before_it():
    a, _ = pair()
    variance, expected = float(np.mean(a[:FIRST] ** 2)), []
    for value in a[FIRST:]:
        expected.append(math.sqrt(variance))
        variance = 0.94 * variance + 0.06 * value**2
    np.testing.assert_allclose(smoothing.volatility_before(a, 0.94), expected, rtol=1e-12)
    later = a.copy()
    later[200:] *= 10
    same = smoothing.volatility_before(later, 0.94)[: 200 - FIRST + 1]
    np.testing.assert_array_equal(same, smoothing.volatility_before(a, 0.94)[: 200 - FIRST + 1])
