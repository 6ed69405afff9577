"""Unit roots, cointegration and Granger causality against statsmodels."""

import warnings

import numpy as np
import pytest
import statsmodels.tsa.stattools as reference
from statsmodels.tsa.adfvalues import mackinnoncrit, mackinnonp
from statsmodels.tsa.vector_ar.vecm import coint_johansen

from pairwatch.kernels.cointegration import critical_t, dickey_fuller_p, engle_granger, granger, johansen
from pairwatch.kernels.regression import dickey_fuller, lagged, least_squares, nested_rss

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
@pytest.mark.parametrize("lags", [0, 1, 3])
def test_johansens_trace_is_that_of_statsmodels(n, lags):
    levels = np.column_stack(walks(n))
    found, expected = johansen(levels, lags), coint_johansen(levels, 0, lags)
    assert found.trace == pytest.approx(tuple(expected.lr1), rel=1e-9)
    assert found.eigenvalues == pytest.approx(tuple(expected.eig), rel=1e-9)
    assert found.vector == pytest.approx(tuple(expected.evec[:, 0] / expected.evec[0, 0]), rel=1e-9)
    assert found.rank == sum(np.cumprod(expected.lr1 > expected.cvt[:, 1]))


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
