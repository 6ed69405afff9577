import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.oneway import anova_generic

from pairwatch.kernels import dependence
from pairwatch.kernels.dependence import Estimate, estimated_correlation, estimated_slope


def linked(n, rho=0.5, seed=0, tail=0):
    """A normal pair, or one with the tails of Student's t."""
    rng = np.random.default_rng(seed)
    x, e = rng.standard_normal((2, n))
    scale = 1 / np.sqrt(rng.chisquare(tail, n) / tail) if tail else 1.0
    return scale * x, scale * (rho * x + np.sqrt(1 - rho**2) * e)


seeds = st.integers(0, 10_000)


# ---------------------------------------------------------------- estimates


def left_out_one_by_one(statistic, x, y):
    keep = ~np.eye(len(x), dtype=bool)
    return np.array([statistic(x[k], y[k]) for k in keep])


@pytest.mark.parametrize("tail", [0, 3])
def test_the_error_of_a_correlation_is_the_jackknifes_times_what_neighbours_add(tail):
    x, y = linked(60, 0.6, seed=2, tail=tail)
    z = np.arctanh(left_out_one_by_one(lambda u, v: np.corrcoef(u, v)[0, 1], x, y))
    shifts = z - z.mean()
    expected = math.sqrt(59 / 60 * float(shifts @ shifts) * dependence.neighbours(shifts))
    found = estimated_correlation(x, y)
    assert found.value == pytest.approx(np.corrcoef(x, y)[0, 1], abs=1e-14)
    assert found.error == pytest.approx(expected, rel=1e-10)
    reach = stats.t.ppf(0.975, found.freedom) * found.error
    assert found.high == pytest.approx(math.tanh(math.atanh(found.value) + reach), rel=1e-6)
    assert found.low == pytest.approx(math.tanh(math.atanh(found.value) - reach), rel=1e-6)


def test_the_error_of_a_slope_is_the_jackknifes_times_what_neighbours_add():
    x, y = linked(60, 0.6, seed=2, tail=5)
    b = left_out_one_by_one(lambda u, v: np.polyfit(u, v, 1)[0], x, y)
    shifts = b - b.mean()
    expected = math.sqrt(59 / 60 * float(shifts @ shifts) * dependence.neighbours(shifts))
    found = estimated_slope(x, y)
    assert found.value == pytest.approx(np.polyfit(x, y, 1)[0], rel=1e-12)
    assert found.error == pytest.approx(expected, rel=1e-8)
    assert found.low < found.value < found.high


@pytest.mark.parametrize("phi", [0.3, 0.7])
def test_neighbours_add_what_neweys_and_wests_variance_has_beyond_the_plain_one(phi):
    e = np.random.default_rng(1).standard_normal(300)
    x = np.zeros(300)
    for t in range(1, 300):
        x[t] = phi * x[t - 1] + e[t]
    x -= x.mean()
    fit = OLS(x, np.ones(300)).fit(cov_type="HAC", cov_kwds={"maxlags": 5, "use_correction": False})
    assert dependence.neighbours(x) == pytest.approx(float(fit.bse[0]) ** 2 * 300**2 / float(x @ x), rel=1e-10)


def test_neighbours_never_make_an_error_smaller():
    assert dependence.neighbours(np.tile([1.0, -1.0], 50)) == 1


def test_of_many_normal_pairs_the_error_is_fishers():
    x, y = linked(4000, 0.8)
    assert estimated_correlation(x, y).error == pytest.approx(1 / math.sqrt(3997), rel=0.05)


@pytest.mark.parametrize("freedom", [1, 4, 9, 10, 11, 30, 1000])
def test_the_point_of_t_is_scipys(freedom):
    assert dependence.t_point(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), abs=1e-5)


@pytest.mark.parametrize(("tail", "fishers"), [(0, 0.08), (3, 0.5)])
def test_the_interval_holds_for_tails_for_which_fishers_does_not(tail, fishers):
    missed, missed_by_fisher = 0, 0
    for seed in range(400):
        x, y = linked(90, 0.85, seed, tail)
        e = estimated_correlation(x, y)
        missed += not e.low <= 0.85 <= e.high
        low, high = stats.pearsonr(x, y).confidence_interval()
        missed_by_fisher += not low <= 0.85 <= high
    assert 0.02 <= missed / 400 <= 0.08
    assert missed_by_fisher / 400 <= fishers
    assert tail == 0 or missed_by_fisher / 400 > 0.2


@given(seeds, st.floats(0.01, 100), st.floats(-5, 5))
def test_swapping_scaling_and_shifting_the_legs_leaves_the_estimate(seed, scale, shift):
    x, y = linked(40, 0.4, seed, tail=5)
    first, second = estimated_correlation(x, y), estimated_correlation(scale * y + shift, x)
    assert second == pytest.approx(first, rel=1e-7, abs=1e-9)


@given(seeds)
def test_turning_a_leg_over_turns_the_interval_over(seed):
    x, y = linked(40, 0.4, seed, tail=5)
    first, second = estimated_correlation(x, y), estimated_correlation(x, -y)
    assert (second.value, second.low, second.high) == pytest.approx((-first.value, -first.high, -first.low), abs=1e-9)


def test_few_pairs_and_legs_that_do_not_move_have_no_estimate():
    assert math.isnan(estimated_correlation(*linked(dependence.LEAST_PAIRS - 1)).value)
    assert math.isnan(estimated_correlation(np.zeros(30), linked(30)[0]).value)
    assert math.isnan(estimated_slope(np.zeros(30), linked(30)[0]).value)
    assert math.isfinite(estimated_correlation(*linked(dependence.LEAST_PAIRS)).low)


def test_one_series_twice_has_no_error():
    x, _ = linked(30)
    assert estimated_correlation(x, 2 * x) == (1, 1, 1, 0, 28, 30)


def test_a_pair_of_returns_that_makes_all_of_the_correlation_leaves_an_interval():
    x, y = linked(30, 0.0)
    x[7] = y[7] = 1e3
    found = estimated_correlation(x, y)
    assert found.value == pytest.approx(1, abs=1e-3)
    assert found.low < 0.9


# ---------------------------------------------------------------- equality


def test_equality_is_welchs_test_of_means():
    values, errors, freedoms = [0.5, 0.6, 0.4], [0.1, 0.05, 0.08], [20, 30, 14]
    groups = [
        Estimate(math.tanh(z), 0, 0, error, f, f + 1) for z, error, f in zip(values, errors, freedoms, strict=True)
    ]
    nobs = np.array(freedoms) + 1.0
    test = anova_generic(np.array(values), np.square(errors) * nobs, nobs, use_var="unequal", welch_correction=True)
    assert dependence.equal_correlations_p(groups) == pytest.approx(test.pvalue, rel=1e-10)


def test_two_groups_are_welchs_t_test():
    one, other = Estimate(math.tanh(0.3), 0, 0, 0.1, 12, 13), Estimate(math.tanh(0.7), 0, 0, 0.2, 25, 26)
    expected = stats.ttest_ind_from_stats(0.3, 0.1 * 13**0.5, 13, 0.7, 0.2 * 26**0.5, 26, equal_var=False).pvalue
    assert dependence.equal_correlations_p([one, other]) == pytest.approx(expected, rel=1e-10)
    assert dependence.equal_correlations_p([other, one]) == pytest.approx(expected, rel=1e-10)


def test_one_group_cannot_be_equal_to_any():
    assert math.isnan(dependence.equal_correlations_p([estimated_correlation(*linked(30)), dependence.unknown(3)]))


def test_unlike_correlations_are_found_and_equal_ones_are_not():
    strong, weak = estimated_correlation(*linked(300, 0.9)), estimated_correlation(*linked(300, 0.3, 1))
    assert dependence.equal_correlations_p([strong, weak]) < 1e-6
    ps = [
        dependence.equal_correlations_p([estimated_correlation(*linked(80, 0.7, 3 * i + k, 5)) for k in range(3)])
        for i in range(300)
    ]
    assert 0.01 <= np.mean(np.array(ps) < 0.05) <= 0.08


# ---------------------------------------------------------------- conditioning


@pytest.mark.parametrize("share", [0.1, 0.5, 0.7])
def test_the_variance_of_the_highest_share_is_a_truncated_normals(share):
    assert dependence.half_normal_ratio(share) == pytest.approx(
        stats.truncnorm(stats.norm.isf(share), np.inf).var(), rel=1e-8
    )


@pytest.mark.parametrize(("rho", "p", "q"), [(0.8, 1.0, 0.8), (0.8, 0.9, 0.85), (-0.4, 0.7, -0.5)])
def test_a_normal_pair_has_the_conditional_correlation_on_up_days(rho, p, q):
    rng = np.random.default_rng(3)
    corr = np.array([[1, p, q], [p, 1, rho], [q, rho, 1]])
    values, vectors = np.linalg.eigh(corr)
    x, a, b = vectors @ (np.sqrt(values.clip(0))[:, None] * rng.standard_normal((3, 400_000)))
    up = x > 0
    expected = dependence.conditional_correlation(rho, (p, q), dependence.half_normal_ratio(0.5))
    assert np.corrcoef(a[up], b[up])[0, 1] == pytest.approx(expected, abs=0.01)


def test_up_days_of_a_leg_follow_boyer_gibson_and_loretan():
    v = 1 - 2 / math.pi
    assert dependence.half_normal_ratio(0.5) == pytest.approx(v, rel=1e-12)
    expected = 0.6 / math.sqrt(0.36 + 0.64 / v)
    assert dependence.conditional_correlation(0.6, (1, 0.6), v) == pytest.approx(expected, rel=1e-12)


@given(st.floats(-0.99, 0.99), st.floats(0.05, 20))
def test_forbes_and_rigobon_undo_what_a_leg_of_another_variance_does(r, ratio):
    there = dependence.conditional_correlation(r, (1, r), ratio)
    assert dependence.at_usual_variance(there, ratio) == pytest.approx(r, abs=1e-9)


def test_the_usual_variance_changes_nothing():
    assert dependence.conditional_correlation(0.4, (0.7, 0.2), 1) == pytest.approx(0.4)
    assert dependence.at_usual_variance(0.4, 1) == pytest.approx(0.4)
