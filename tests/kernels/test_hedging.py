"""Slopes against numpy, scipy, statsmodels, and a filter written in matrices."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from statsmodels.regression.linear_model import OLS
from statsmodels.regression.rolling import RollingOLS

from pairwatch.kernels import hedging
from pairwatch.kernels.hedging import (
    expanding_moments,
    kalman_slope,
    minimum_variance_ratio,
    orthogonal_slope,
    rolling_line,
    rolling_slope,
    total_least_squares,
)

light = settings(max_examples=40)


def walks(n=300, seed=0, slope=0.8):
    rng = np.random.default_rng(seed)
    x = 4 + 0.01 * rng.standard_normal(n).cumsum()
    return x, slope * x + 0.3 + 0.005 * rng.standard_normal(n)


@pytest.mark.parametrize("slope", [-2.5, -0.3, 0.4, 1.0, 3.0])
def test_perpendicular_distances_are_least_at_the_line_of_total_least_squares(slope):
    x, y = walks(slope=slope)

    def distances(angle):
        return float((((y - y.mean()) * np.cos(angle) - (x - x.mean()) * np.sin(angle)) ** 2).sum())

    found = np.arctan(total_least_squares(x, y)[0])
    best = minimize_scalar(distances, bounds=(found - 0.5, found + 0.5), method="bounded", options={"xatol": 1e-12})
    assert found == pytest.approx(best.x, abs=1e-6)


@pytest.mark.parametrize("slope", [-2.5, 0.4, 1.0, 3.0])
def test_total_least_squares_is_the_first_principal_axis(slope):
    x, y = walks(slope=slope)
    _, vectors = np.linalg.eigh(np.cov(x, y))
    found, intercept = total_least_squares(x, y)
    assert found == pytest.approx(vectors[1, 1] / vectors[0, 1], rel=1e-10)
    assert intercept == pytest.approx(y.mean() - found * x.mean(), rel=1e-12)


@light
@given(st.integers(0, 1000))
def test_exchanging_the_legs_inverts_the_slope(seed):
    x, y = walks(60, seed)
    assert total_least_squares(x, y)[0] * total_least_squares(y, x)[0] == pytest.approx(1, rel=1e-10)


def test_no_axis_stands_out_of_a_circle_or_is_upright():
    angle = np.linspace(0, 2 * np.pi, 5)[:-1]
    assert np.isnan(total_least_squares(np.round(np.cos(angle)), np.round(np.sin(angle)))[0])
    assert np.isnan(total_least_squares(np.ones(5), np.arange(5.0))[0])
    assert total_least_squares(np.arange(5.0), np.ones(5)) == (0, 1)
    assert np.isnan(orthogonal_slope(0.0, 0.0, 0.0))


def test_the_least_variance_is_that_of_the_least_squares_slope():
    x, y = (np.diff(leg) for leg in walks())
    h = minimum_variance_ratio(y, x)
    assert h == pytest.approx(np.cov(y, x)[0, 1] / x.var(ddof=1), rel=1e-12)
    assert all((y - h * x).var() < (y - (h + off) * x).var() for off in (-0.01, 0.01))


@pytest.mark.parametrize("window", [20, 61, 300])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_rolling_slopes_and_what_they_leave_are_those_of_statsmodels(window, offset):
    x, y = walks()
    model = RollingOLS(y, np.column_stack([np.ones(len(x)), x]), window=window).fit().params[window - 1 :]
    slopes, left = rolling_line(x + offset, y, window)
    tolerance = 1e-8 if not offset else 1e-4  # x + 1e6 itself has lost ten digits
    assert slopes == pytest.approx(model[:, 1], rel=tolerance, abs=tolerance)
    assert left == pytest.approx(y[window - 1 :] - model[:, 0] - model[:, 1] * x[window - 1 :], abs=tolerance)
    assert rolling_slope(x, y, window).shape == (len(x) - window + 1,)


def test_the_shortest_windows_keep_their_digits():
    x, y = walks()
    exact = [Fraction(float(v)) for v in x], [Fraction(float(v)) for v in y]
    for at, found in enumerate(rolling_slope(x, y, 3)[:100].tolist()):
        (u, v) = (one[at : at + 3] for one in exact)
        du, dv = ([value - sum(one) / 3 for value in one] for one in (u, v))
        expected = sum(p * q for p, q in zip(du, dv, strict=True)) / sum(p * p for p in du)
        assert found == pytest.approx(float(expected), rel=1e-9)


def test_a_window_longer_than_the_series_has_no_slope_and_one_that_does_not_move_cannot_be_said():
    x, y = walks(50)
    assert len(rolling_slope(x, y, 51)) == 0
    x[10:20] = 4.0
    slopes = rolling_slope(x, y, 10)
    assert np.isnan(slopes[10])
    assert np.count_nonzero(np.isnan(slopes)) == 1


def test_expanding_moments_are_those_of_every_beginning():
    x, y = walks(200)
    mean_x, mean_y, xx, yy, xy = expanding_moments(x, y)
    for n in (1, 2, 50, 200):
        first = np.array([x[:n], y[:n]])
        assert (mean_x[n - 1], mean_y[n - 1]) == pytest.approx(tuple(first.mean(axis=1)), rel=1e-12)
        expected = np.cov(first, ddof=0) * n if n > 1 else np.zeros((2, 2))
        assert (xx[n - 1], yy[n - 1], xy[n - 1]) == pytest.approx(
            (expected[0, 0], expected[1, 1], expected[0, 1]), rel=1e-8, abs=1e-14
        )


def in_matrices(x, y, delta, noise):
    """The filter as textbooks write it."""
    state, spread = np.zeros(2), 1e6 * max(noise, delta) * np.eye(2)
    found = []
    for xt, yt in zip(x, y, strict=True):
        spread = spread + delta * np.eye(2)
        row = np.array([xt, 1.0])
        variance = row @ spread @ row + noise
        innovation = yt - row @ state
        gain = spread @ row / variance
        state = state + gain * innovation
        spread = spread - np.outer(gain, row @ spread)
        found.append((*state, innovation, variance))
    return np.array(found).T


@pytest.mark.parametrize("delta", [0.0, 1e-8, 1e-4])
def test_the_kalman_filter_is_that_of_the_textbooks(delta):
    x, y = walks()
    for found, expected in zip(kalman_slope(x, y, delta, 1e-4), in_matrices(x, y, delta, 1e-4), strict=True):
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_coefficients_that_do_not_walk_are_those_of_least_squares():
    x, y = walks()
    slopes, intercepts, _, _ = kalman_slope(x - 4, y, 0.0, 25e-6)
    expected = OLS(y, np.column_stack([x - 4, np.ones(len(x))])).fit().params
    assert (slopes[-1], intercepts[-1]) == pytest.approx(tuple(expected), rel=1e-3)


def test_nothing_is_looked_at_before_its_day():
    x, y = walks()
    later = y.copy()
    later[200:] += 1
    for found, other in zip(kalman_slope(x, y, 1e-6, 1e-4), kalman_slope(x, later, 1e-6, 1e-4), strict=True):
        assert found[:200].tolist() == other[:200].tolist()
    for found, other in zip(rolling_line(x, y, 30), rolling_line(x, later, 30), strict=True):
        assert found[:171] == pytest.approx(other[:171], rel=1e-9)


def test_the_innovations_of_a_true_model_are_as_large_as_they_say():
    rng = np.random.default_rng(3)
    x = rng.standard_normal(4000)
    slopes = 1 + (0.01 * rng.standard_normal(4000)).cumsum()
    y = slopes * x + 0.1 * rng.standard_normal(4000)
    found, _, innovations, variances = kalman_slope(x, y, 1e-4, 1e-2)
    assert (innovations / np.sqrt(variances))[50:].std() == pytest.approx(1, abs=0.06)
    assert np.abs(found - slopes)[50:].mean() < 0.1


def test_an_empty_series_has_no_coefficients():
    assert [len(one) for one in kalman_slope(np.empty(0), np.empty(0), 1e-4, 1e-3)] == [0, 0, 0, 0]
    assert hedging.rolling_slope(np.empty(0), np.empty(0), 3).size == 0
