"""Unit roots, cointegration and Granger causality against statsmodels."""

import warnings

import numpy as np
import pytest
import statsmodels.tsa.stattools as reference
from statsmodels.regression.linear_model import OLS
from statsmodels.tsa.adfvalues import mackinnoncrit, mackinnonp
from statsmodels.tsa.vector_ar.vecm import coint_johansen

from pairwatch.kernels.cointegration import (
    CRITICAL_TRACE,
    critical_t,
    dickey_fuller_p,
    engle_granger,
    exceedance,
    granger,
    johansen,
    johansen_lags,
    johansen_p,
    null_traces,
    traces,
    traces_beside,
)
from pairwatch.kernels.draws import Draws
from pairwatch.kernels.regression import dickey_fuller, lagged, least_squares, nested_rss, triangle

LENGTHS = (61, 250, 2500)


@pytest.fixture(autouse=True)
def _quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # statsmodels announces changes of its results' types
        yield


def walks(n, seed=1):
    x = np.random.default_rng(seed).standard_normal(n).cumsum() + 100
    return 0.5 * x + np.random.default_rng(seed + 1).standard_normal(n) + 3, x


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("constant", [True, False])
def test_the_augmented_dickey_fuller_t_and_its_lags_are_those_of_statsmodels(n, constant):
    for seed in range(5):
        series = walks(n, seed)[1] - 100 * (not constant)
        found = dickey_fuller(series, constant=constant)
        t, _, lags, nobs, *_ = reference.adfuller(series, regression="c" if constant else "n", autolag="AIC")
        assert found.t == pytest.approx(t, abs=1e-8)
        assert (found.lags, found.nobs) == (lags, nobs)


@pytest.mark.parametrize("series", [1, 2])
def test_p_values_and_critical_values_are_mackinnons(series):
    for t in (-25, -18.8, -5, -3.2, -2.62, -2.6, -1.61, -1, 0, 0.9, 1, 2.8):
        assert dickey_fuller_p(t, series) == pytest.approx(mackinnonp(t, "c", series), abs=1e-12)
    assert np.isnan(dickey_fuller_p(np.nan))
    for n in LENGTHS:
        assert critical_t(n, series) == pytest.approx(mackinnoncrit(series, "c", n)[1], abs=1e-12)


@pytest.mark.parametrize("n", LENGTHS)
def test_engle_grangers_test_is_that_of_statsmodels(n):
    for y, x in (walks(n), walks(n)[::-1], (walks(n, 7)[1], walks(n, 8)[1])):
        found = engle_granger(y, x)
        t, p, _ = reference.coint(y, x)
        assert found.test.t == pytest.approx(t, abs=1e-8)
        assert found.p_value == pytest.approx(p, abs=1e-8)
        slope, intercept = np.polyfit(x, y, 1)
        assert (found.slope, found.intercept) == pytest.approx((slope, intercept), rel=1e-8)


def test_a_leg_that_does_not_move_has_no_test():
    assert np.isnan(engle_granger(walks(100)[0], np.full(100, 5.0)).p_value)


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("lags", [1, 3])
def test_johansens_trace_is_that_of_statsmodels(n, lags):
    levels = np.column_stack(walks(n))
    found, expected = johansen(levels, lags), coint_johansen(levels, 0, lags)
    assert found.trace == pytest.approx(tuple(expected.lr1), rel=1e-9)
    assert found.eigenvalues == pytest.approx(tuple(expected.eig), rel=1e-9)
    assert found.vector == pytest.approx(tuple(expected.evec[:, 0] / expected.evec[0, 0]), rel=1e-9)
    assert found.rank == sum(np.cumprod(expected.lr1 > CRITICAL_TRACE))


def test_without_lags_the_trace_is_of_the_levels_before_the_changes():
    levels = np.column_stack(walks(250))
    raw, before = np.diff(levels, axis=0), levels[:-1]
    dx, before = raw - raw.mean(axis=0), before - before.mean(axis=0)
    s00, s0k, skk = dx.T @ dx, dx.T @ before, before.T @ before
    values = np.linalg.eigvals(np.linalg.inv(skk) @ s0k.T @ np.linalg.inv(s00) @ s0k).real
    expected = -249 * np.log1p(-values).sum()
    assert johansen(levels, 0).trace[0] == pytest.approx(expected, rel=1e-9)
    assert traces(raw.T[None], np.ones(249), raw.T @ raw)[0] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("n", [120, 600, 2500])
def test_the_trace_takes_the_lags_of_the_aic_of_the_changes(n):
    levels = np.column_stack(walks(n))
    levels[2:] += 0.6 * levels[:-2]
    most = int(np.ceil(4 * ((n - 1) / 100) ** 0.25))
    dx = np.diff(levels, axis=0)
    aic = []
    for lags in range(most + 1):
        past = [np.ones(n - 1 - most), *(dx[most - k : n - 1 - k, i] for k in range(1, lags + 1) for i in (0, 1))]
        left = np.column_stack([least_squares(dx[most:, i], np.column_stack(past)).residuals for i in (0, 1)])
        aic.append(len(left) * np.linalg.slogdet(left.T @ left / len(left))[1] + 8 * lags)
    assert johansen_lags(levels) == int(np.argmin(aic))


def test_the_trace_is_the_same_for_both_orders_of_the_legs():
    levels = np.column_stack(walks(400))
    assert johansen(levels, 2).trace == pytest.approx(johansen(levels[:, ::-1], 2).trace, rel=1e-9)
    long = np.random.default_rng(6).standard_t(4, (2500, 2)).cumsum(axis=0)
    for these in (levels, long):
        here, there = (null_traces(one, 2, Draws(1)) for one in (these, these[:, ::-1]))
        assert here == pytest.approx(there, rel=1e-3)


@pytest.mark.parametrize("lags", [0, 2])
def test_what_a_leg_alone_loses_is_the_squared_correlation_of_its_level_with_both_changes(lags):
    levels = np.column_stack(walks(400))
    found, dx = johansen(levels, lags), np.diff(levels, axis=0)
    past = [dx[lags - k : len(dx) - k] for k in range(1, lags + 1)]
    design = np.column_stack([np.ones(len(dx) - lags), *past])
    changes, before = (OLS(y, design).fit().resid for y in (dx[lags:], levels[lags:-1]))
    for leg in (0, 1):
        alone = OLS(before[:, leg], changes).fit().rsquared
        expected = len(changes) * np.log((1 - alone) / (1 - found.eigenvalues[0]))
        assert found.lone[leg] == pytest.approx(expected, rel=1e-8)
    assert johansen(levels[:, ::-1], lags).lone == pytest.approx(found.lone[::-1], rel=1e-8)


def test_johansens_vector_tells_a_leg_that_returns_from_one_that_keeps_to_another():
    rng = np.random.default_rng(8)
    noise, walk = 2 * rng.standard_normal(1000), rng.standard_normal(1000).cumsum()
    for t in range(1, 1000):
        noise[t] += 0.9 * noise[t - 1]
    returns, keeps = (johansen(np.column_stack([leg, walk]), 1).lone for leg in (noise, noise + walk))
    assert returns[0] < 4
    assert returns[1] > 10
    assert min(keeps) > 10


def test_the_bootstrap_of_steady_walks_has_the_points_of_the_table():
    levels = np.random.default_rng(2).standard_normal((3000, 2)).cumsum(axis=0)
    drawn = null_traces(levels, 0, Draws(3), 4000)
    assert np.quantile(drawn, 0.95) == pytest.approx(CRITICAL_TRACE[0], abs=1.5)


def test_long_and_short_steps_make_nearly_the_same_bootstrap(monkeypatch):
    rng = np.random.default_rng(4)
    levels = (np.exp(np.linspace(1.5, -1.5, 2000))[:, None] * rng.standard_normal((2000, 2))).cumsum(axis=0)
    coarse = np.quantile(null_traces(levels, 1, Draws(1), 2000), [0.5, 0.9])
    monkeypatch.setattr("pairwatch.kernels.cointegration._STEPS", 5000)
    assert coarse == pytest.approx(np.quantile(null_traces(levels, 1, Draws(1), 2000), [0.5, 0.9]), rel=0.15)


def test_a_p_value_near_the_level_is_of_more_draws_and_hardly_depends_on_the_seed():
    levels = np.random.default_rng(2).standard_normal((800, 2)).cumsum(axis=0)
    points = np.quantile(null_traces(levels, 0, Draws(9), 8000), [0.5, 0.95])
    assert len(traces_beside(points[0], levels, 0, Draws(1))) == 399
    found = [traces_beside(points[1], levels, 0, Draws(seed)) for seed in range(6)]
    assert {len(drawn) for drawn in found} == {1999}
    assert all(exceedance(points[1], drawn) == pytest.approx(0.05, abs=0.018) for drawn in found)


def test_the_bootstrap_of_legs_that_hardly_part_is_that_of_any_others():
    rng = np.random.default_rng(3)
    first, own = rng.standard_normal((2, 700)).cumsum(axis=1)
    apart, close = (null_traces(np.column_stack([first, 1e3 * (first + by * own)]), 0, Draws(0)) for by in (1, 1e-4))
    assert close == pytest.approx(apart, rel=1e-3)


def test_what_a_line_leaves_of_one_series_twice_is_not_tested():
    x = walks(300)[1]
    found = engle_granger(2 * x + 3, x, robust=True)
    assert found.is_exact
    assert found.slope == pytest.approx(2)
    assert np.isnan([found.test.t, found.p_value]).all()
    near = engle_granger(*walks(300))
    assert near.unexplained == pytest.approx(1 - np.corrcoef(walks(300))[0, 1] ** 2, rel=1e-9)
    assert not near.is_exact


def test_a_pair_that_keeps_together_is_told_from_one_that_does_not():
    together, apart = np.column_stack(walks(400)), np.column_stack([walks(400, 7)[1], walks(400, 8)[1]])
    assert johansen_p(together, 1, Draws(0)) < 0.01
    assert johansen_p(apart, 1, Draws(0)) > 0.1


def test_a_leg_that_does_not_move_has_no_trace():
    levels = np.column_stack([walks(100)[0], np.full(100, 5.0)])
    found = johansen(levels, 1)
    assert np.isnan([*found.trace, *found.vector, *found.lone]).all()
    assert found.rank == 0
    assert np.isnan(johansen_p(levels, 1, Draws(0)))
    assert np.isnan(exceedance(np.nan, np.ones(3)))


@pytest.mark.parametrize("constant", [True, False])
def test_robust_errors_are_hc3_of_statsmodels(constant):
    series = walks(250)[1] - 100 * (not constant)
    found = dickey_fuller(series, constant=constant, robust=True)
    lags, dx = found.lags, np.diff(series)
    head = [np.ones(len(dx) - lags)] if constant else []
    design = np.column_stack([*head, series[lags:-1], *(dx[lags - k : len(dx) - k] for k in range(1, lags + 1))])
    fit = OLS(dx[lags:], design).fit(cov_type="HC3")
    assert found.t == pytest.approx(fit.tvalues[int(constant)], rel=1e-8)
    assert found.error == pytest.approx(fit.bse[int(constant)], rel=1e-8)
    assert found.plain_t == pytest.approx(OLS(dx[lags:], design).fit().tvalues[int(constant)], rel=1e-8)
    assert found.share == pytest.approx(1 - fit.params[1 + constant :].sum(), rel=1e-8)


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("lags", [1, 5])
def test_grangers_f_is_that_of_statsmodels(n, lags):
    y, x = (np.diff(series) for series in walks(n))
    found = granger(y, x, lags)
    f, _, free, used = reference.grangercausalitytests(np.column_stack([y, x]), [lags])[lags][0]["ssr_ftest"]
    assert found.f == pytest.approx(f, rel=1e-9)
    assert found.degrees == (used, free)


def test_least_squares_of_columns_that_depend_on_each_other_cannot_be_said():
    x = np.column_stack([np.ones(20), np.arange(20.0), 2 * np.arange(20.0)])
    assert np.isnan(least_squares(np.arange(20.0), x).rss)


def test_nested_sums_are_those_of_each_model_alone():
    rng = np.random.default_rng(5)
    x, y = rng.standard_normal((50, 4)), rng.standard_normal(50)
    expected = [least_squares(y, x[:, : k + 1]).rss for k in range(4)]
    assert nested_rss(y, x) == pytest.approx(expected, rel=1e-10)


def test_lags_are_the_values_before_the_nearest_first():
    assert lagged(np.arange(5.0), 2).tolist() == [[1, 0], [2, 1], [3, 2]]
    assert lagged(np.arange(5.0), 0).shape == (5, 0)


def test_a_triangle_has_the_products_of_its_columns_also_where_they_nearly_depend_on_each_other():
    rng = np.random.default_rng(1)
    plain = rng.standard_normal((200, 4)) * [1, 1e-6, 1e6, 1]
    close = np.column_stack([plain[:, 0], plain[:, 0] + 1e-7 * plain[:, 3], plain[:, 3]])
    for columns in (plain, close):
        upper = triangle(columns)
        assert np.abs(np.tril(upper, -1)).max() == 0
        assert upper.T @ upper == pytest.approx(columns.T @ columns, rel=1e-10)
    slope, _ = least_squares(close[:, 1], np.column_stack([close[:, 0], np.ones(200)])).coefficients
    assert slope == pytest.approx(1, abs=1e-7)


def test_nested_sums_of_as_many_columns_as_rows_end_at_zero():
    x = np.random.default_rng(3).standard_normal((5, 5))
    assert nested_rss(np.arange(5.0), x)[-1] == pytest.approx(0, abs=1e-20)
