"""Half-lives and their intervals."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from pairwatch.kernels.regression import UnitRoot, dickey_fuller, least_squares
from pairwatch.kernels.reversion import HalfLife, half_life, power, quantile
from pairwatch.kernels.reversion_tables import POWER, QUANTILES

light = settings(max_examples=60)


def series(n, bars, seed):
    """A deviation that halves in so many bars, begun where it lives."""
    rho = 0.5 ** (1 / bars)
    e = np.random.default_rng(seed).standard_normal(n)
    e[0] /= math.sqrt(1 - rho * rho)
    found = [e[0]]
    for shock in e[1:]:
        found.append(rho * found[-1] + shock)
    return np.array(found)


def test_the_interval_of_a_half_life_covers_it_and_its_middle_is_above_as_often_as_below():
    found = [half_life(dickey_fuller(series(400, 15, seed), max_lags=0)) for seed in range(300)]
    assert 0.92 <= np.mean([one.low <= 15 <= one.high for one in found]) <= 0.98
    assert 0.43 <= np.mean([one.bars < 15 for one in found]) <= 0.57


def test_a_walk_has_no_end_in_nearly_all_cases():
    walks = [np.random.default_rng(seed).standard_normal(400).cumsum() for seed in range(300)]
    found = [half_life(dickey_fuller(walk, max_lags=0)) for walk in walks]
    assert np.mean([one.is_bounded for one in found]) < 0.06
    assert 0.4 <= np.mean([math.isinf(one.bars) for one in found]) <= 0.6


def test_lags_take_their_share_of_the_pull():
    """u = .3 u[-1] + e on top of an AR(1): the half-life is of the larger root."""
    rng = np.random.default_rng(5)
    rho, n = 0.5 ** (1 / 10), 40_000
    y = np.zeros(n)
    e = rng.standard_normal(n)
    for t in range(2, n):
        y[t] = (rho + 0.3) * y[t - 1] - 0.3 * rho * y[t - 2] + e[t]
    found = half_life(dickey_fuller(y, max_lags=1))
    assert found.bars == pytest.approx(10, rel=0.1)
    assert found.low < 10 < found.high


def test_the_error_of_the_lags_share_widens_the_interval():
    sure = UnitRoot(-6.0, 3, 1000, 0.01, 1.0)
    unsure = sure._replace(share_error=0.2)
    assert half_life(unsure).low < half_life(sure).low
    assert half_life(unsure).high > half_life(sure).high


def test_errors_of_the_level_and_the_share_are_those_of_statsmodels():
    x = series(500, 12, 3)
    found = dickey_fuller(x, max_lags=0)
    assert (found.share, found.share_error, found.together) == (1, 0, 0)
    dx = np.diff(x)
    design = np.column_stack([np.ones(497), x[2:-1], dx[1:-1], dx[:-2]])
    fit = sm.OLS(dx[2:], design).fit(cov_type="HC3")
    covariance = least_squares(dx[2:], design, robust=True).covariance
    np.testing.assert_allclose(covariance, fit.cov_params(), rtol=1e-8)


@light
@given(st.floats(-12, 1), st.floats(1e-3, 0.1), st.integers(50, 7000), st.sampled_from([1, 2]))
def test_the_interval_holds_its_middle(t, error, n, of):
    found = half_life(UnitRoot(t, 0, n, error, 1.0), of)
    assert 0 <= found.low <= found.bars <= found.high
    # An end is where t stands at the quantile of the rho that it names.
    for bars, which in ((found.low, 2), (found.bars, 1), (found.high, 0)):
        if math.isfinite(bars) and bars > 1e-2:
            c = math.log(2) * n / bars
            assert t - math.expm1(-c / n) / error == pytest.approx(quantile(c, which, of), abs=1e-6)


@light
@given(st.floats(-12, 1), st.floats(0.1, 2), st.sampled_from([1, 2]))
def test_a_stronger_pull_is_a_shorter_life(t, more, of):
    slow, quick = (half_life(UnitRoot(value, 0, 1000, 0.01, 1.0), of) for value in (t, t - more))
    assert quick.low <= slow.low
    assert quick.bars <= slow.bars
    assert quick.high <= slow.high


def test_what_cannot_be_estimated_has_no_half_life():
    assert all(math.isnan(x) for x in half_life(UnitRoot(math.nan, 0, 0)))
    assert all(math.isnan(x) for x in half_life(UnitRoot(-5.0, 3, 100, 0.01, -0.2)))
    assert not HalfLife(math.inf, 10, math.inf).is_bounded
    assert half_life(UnitRoot(-60.0, 0, 100, 0.1, 1.0)).bars == 0


def test_every_quantile_rises_with_the_distance_from_the_unit_root():
    for which in range(3):
        for of in (1, 2):
            column = [row[of][which] for row in QUANTILES]
            assert column == sorted(column)
    assert [row[0] for row in QUANTILES] == [row[0] for row in POWER]
    # The unit root's own quantiles are Dickey and Fuller's (1979): -3.12, -1.57, .23 in the limit.
    assert QUANTILES[0][1] == pytest.approx((-3.12, -1.57, 0.23), abs=0.02)


def test_a_test_finds_quick_returns_and_misses_slow_ones():
    assert power(1e9, 100) == pytest.approx(0.05, abs=0.003)
    assert power(10, 62, 2) < 0.1
    assert power(10, 2500, 2) > 0.99
    found = [dickey_fuller(series(150, 10, seed), max_lags=0).t < -2.88 for seed in range(400)]
    assert np.mean(found) == pytest.approx(power(10, 150), abs=0.07)
