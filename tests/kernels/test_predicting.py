"""Granger's test, its order and forecasts against statsmodels and plain least squares."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from statsmodels.tsa.api import VAR
from statsmodels.tsa.stattools import grangercausalitytests
from tests.builders import linked_returns

from pairwatch.kernels import predicting


def autoregressive_pair(n, seed, own=0.3, theirs=0.0, lag=1):
    """Y[t] = own y[t-1] + theirs x[t-lag] + e."""
    x, e = np.random.default_rng(seed).standard_normal((2, n))
    y = e.copy()
    for t in range(lag, n):
        y[t] += own * y[t - 1] + theirs * x[t - lag]
    return y, x


@pytest.mark.parametrize(("lag", "seed"), [(1, 0), (2, 1), (3, 2), (4, 3)])
def test_the_order_is_that_of_statsmodels(lag, seed):
    y, x = autoregressive_pair(400, seed, theirs=0.5, lag=lag)
    chosen = VAR(np.column_stack([y, x])).select_order(8, trend="c").bic
    assert predicting.autoregression_order(y, x, 8) == max(1, chosen) == lag


def test_the_order_is_one_at_least_and_the_same_for_exchanged_legs():
    a, b = linked_returns(300, 0.5, 1)
    assert predicting.autoregression_order(a, b, 6) == predicting.autoregression_order(b, a, 6) == 1


@pytest.mark.parametrize("lags", [1, 2, 5])
def test_the_plain_f_is_that_of_statsmodels_and_the_robust_one_its_hc3(lags):
    y, x = autoregressive_pair(300, 4, theirs=0.1)
    found = predicting.predicts(1e-4 * y + 3e-4, 100 * x, lags)
    f, p, _, _ = grangercausalitytests(np.column_stack([y, x]), [lags])[lags][0]["ssr_ftest"]
    assert (found.f, found.f_p_value) == pytest.approx((f, p), rel=1e-8)
    columns = [s[lags - k : len(y) - k] for s in (y, x) for k in range(1, lags + 1)]
    fit = sm.OLS(y[lags:], sm.add_constant(np.column_stack(columns))).fit(cov_type="HC3", use_t=True)
    test = fit.f_test(np.eye(1 + 2 * lags)[1 + lags :])
    assert (found.robust_f, found.p_value) == pytest.approx((float(test.fvalue), float(test.pvalue)), rel=1e-8)
    assert found.rows == 300 - lags


def test_granger_says_nothing_of_a_leg_that_does_not_move():
    y, _ = autoregressive_pair(100, 5)
    assert math.isnan(predicting.predicts(y, np.zeros(100), 2).p_value)


def test_the_robust_test_holds_where_both_legs_share_their_volatility():
    """200 pairs at .05: three standard errors are .046; the plain F is far off, as it is to be."""
    robust, plain = [], []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        turmoil = np.exp(np.repeat(rng.standard_normal(40), 10))
        found = predicting.predicts(*(turmoil * rng.standard_normal((2, 400))), 2)
        robust.append(found.p_value <= 0.05)
        plain.append(found.f_p_value <= 0.05)
    assert np.mean(robust) <= 0.05 + 0.046
    assert np.mean(plain) > np.mean(robust) + 0.05


def gain_by_hand(fitted, tested, lag):
    def rows(y, x):
        start = max(1, lag)
        at = np.arange(start, len(y))
        return y[at], np.column_stack([np.ones(len(at)), y[at - 1], x[at - lag]])

    (y, design), (actual, held_out) = rows(*fitted), rows(*tested)
    errors = []
    for columns in (2, 3):
        coefficients = np.linalg.lstsq(design[:, :columns], y, rcond=None)[0]
        errors.append(actual - held_out[:, :columns] @ coefficients)
    return 1 - (errors[1] ** 2).sum() / (errors[0] ** 2).sum()


@pytest.mark.parametrize("lag", [1, 3])
def test_a_gain_is_that_of_plain_least_squares(lag):
    y, x = autoregressive_pair(400, 6, theirs=0.3, lag=lag)
    fitted, tested = (y[:200], x[:200]), (y[200:], x[200:])
    found = predicting.forecast_gain(fitted, tested, lag)
    assert found.r_squared == pytest.approx(gain_by_hand(fitted, tested, lag), rel=1e-9)
    assert found.r_squared > 0
    assert found.p_value < 0.01


def test_forecasts_that_are_no_better_are_said_to_be_none():
    """200 pairs at .05 without any gain: at most three standard errors more."""
    found = []
    for seed in range(200):
        y, x = autoregressive_pair(300, 1000 + seed)
        found.append(predicting.forecast_gain((y[:150], x[:150]), (y[150:], x[150:]), 1))
    assert np.mean([one.p_value <= 0.05 for one in found]) <= 0.1
    assert np.mean([one.r_squared < 0 for one in found]) > 0.5


def test_no_gain_is_said_of_a_leg_that_does_not_move():
    y, _ = autoregressive_pair(100, 7)
    found = predicting.forecast_gain((y[:50], np.zeros(50)), (y[50:], np.zeros(50)), 1)
    assert math.isnan(found.r_squared)
    assert math.isnan(found.p_value)
