"""The lead over a long history and its lag's interval: plain loops, swapped legs, and pairs whose truth is known."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import linked_returns

from pairwatch.kernels.bands import asymmetry_band, block_length
from pairwatch.kernels.draws import Draws
from pairwatch.lead import lead_test
from pairwatch.lead.resampling import RESAMPLES, lag_interval, long_lead, resampled_lags, strength_at
from pairwatch.lead.windows import window_leads


def led(n, by, share, rho, seed):
    x, e = np.random.default_rng(seed).standard_normal((2, n + by))
    y = rho * x + e * math.sqrt(1 - rho**2)
    y[by:] += share * x[:-by]
    return x[by:], y[by:]


def whole(a, b, lags=5, seed=0):
    band = asymmetry_band(a, b, lags, seed)
    found = long_lead(a, b, band)
    return found, lag_interval(resampled_lags(a, b, lags, band.errors, seed), found.lag)


@pytest.mark.parametrize(("rho", "share"), [(0.0, 0.2), (0.85, 0.15), (0.5, -0.2), (-0.8, 0.2)])
def test_a_lead_of_a_long_history_is_named_with_its_lag(rho, share):
    found, interval = whole(*led(2000, 2, share, rho, 1))
    assert found.p_value < 0.01
    assert (found.lag, interval.low, interval.high) == (2, 2, 2)
    assert interval.share > 0.95


def test_a_shared_factor_with_a_memory_is_no_leader_of_a_long_history():
    """What `lead_test` would name in a third of such histories; forty at .05 are at most six."""
    named = 0
    for seed in range(40):
        f, u, v = np.random.default_rng(seed).standard_normal((3, 2500))
        for t in range(1, 2500):
            f[t] += 0.2 * f[t - 1]
        named += long_lead(f + u, f + v, asymmetry_band(f + u, f + v, 5, seed)).p_value < 0.05
    assert named <= 6


@settings(max_examples=25)
@given(seed=st.integers(0, 999), rho=st.sampled_from([0.0, 0.6, -0.9]))
def test_swapping_the_legs_negates_the_lead_and_its_interval(seed, rho):
    a, b = linked_returns(200, rho, seed)
    (one, first), (other, second) = whole(a, b, seed=seed), whole(b, a, seed=seed)
    assert (one.lag, one.p_value) == (-other.lag, other.p_value)
    assert one.asymmetry == pytest.approx(-other.asymmetry, abs=1e-13)
    assert one.detectable == pytest.approx(other.detectable, rel=1e-9)
    assert (first.low, first.high, first.share) == (-second.high, -second.low, second.share)


def test_a_resample_is_the_lag_of_the_blocks_that_were_drawn():
    """Products stay with their day: the lead estimated from sums over the drawn days, in plain loops."""
    n, lags = 90, 3
    a, b = led(n, 1, 0.3, 0.4, 2)
    x, y = (a - a.mean()) / a.std(), (b - b.mean()) / b.std()
    length = block_length(n)
    count = -(-n // length)
    drawn = Draws(5).integers(count, RESAMPLES, count)
    found = resampled_lags(a, b, lags, seed=5)
    for row in range(0, RESAMPLES, 200):
        days = [t for block in drawn[row] for t in range(block * length, min(n, (block + 1) * length))]

        def total(p, q, k, days=days):
            return math.fsum(p[t] * q[t + k] for t in days if t + k < n)

        xx, yy = total(x, x, 0), total(y, y, 0)
        size = math.sqrt(xx * yy)
        rho = total(x, y, 0) / size
        estimates = []
        for k in range(1, lags + 1):
            plus = total(x, y, k) / size - rho * total(x, x, k) / xx
            minus = total(y, x, k) / size - rho * total(y, y, k) / yy
            estimates.append((plus - rho**2 * minus, minus - rho**2 * plus))
        sizes = [max(abs(u), abs(v)) for u, v in estimates]
        assert abs(found[row]) == 1 + sizes.index(max(sizes))


def test_the_interval_of_an_uncertain_lag_is_wide():
    _, interval = whole(*linked_returns(1000, 0.5, 3))
    assert interval.low < 0 < interval.high
    assert interval.share < 0.6


def test_the_interval_holds_the_true_lag():
    held = 0
    for seed in range(60):
        a, b = led(150, 2, 0.25, 0.3, seed)
        lag = lead_test(a, b, 5, 0, permutations=1).lag
        interval = lag_interval(resampled_lags(a, b, 5, seed=seed), lag)
        held += interval.low <= 2 <= interval.high
    assert held >= 54


@pytest.mark.parametrize("n", [61, 130, 500, 1000])
def test_detectable_is_a_lead_that_is_found_four_times_in_five(n):
    """150 pairs: the standard error of a share of .8 is .033."""
    claimed = float(np.median([whole(*linked_returns(n, 0.3, s))[0].detectable for s in range(30)]))
    found = []
    for seed in range(150):
        x, e = np.random.default_rng(500 + seed).standard_normal((2, n + 1))
        y = 0.3 * x[1:] + claimed * x[:-1] + math.sqrt(1 - 0.09 - claimed**2) * e[1:]
        found.append(long_lead(x[1:], y, asymmetry_band(x[1:], y, 5, seed)).p_value < 0.05)
    assert 0.71 <= np.mean(found) <= 0.93


@pytest.mark.parametrize("n", [20, 25])
def test_blocks_that_can_never_be_surely_of_one_sign_have_no_verdict(n):
    """Five signs are all alike in one of sixteen cases, whatever leads."""
    a, b = led(n, 1, 20.0, 0.0, 6)
    assert math.isnan(long_lead(a, b, asymmetry_band(a, b, 3)).p_value)


def test_the_strength_is_that_of_the_tests_own_estimate():
    for seed in range(6):
        a, b = led(80, 2, 0.4, -0.6, seed)
        best = window_leads(a[None], b[None], 5)
        assert strength_at(a, b, int(best.lag[0])) == pytest.approx(best.strength[0], rel=1e-9)


@pytest.mark.parametrize("b", [np.zeros(100), 2 * linked_returns(100, 0.5, 4)[0]])
def test_no_lead_is_said_of_legs_that_are_still_or_the_same(b):
    a = linked_returns(100, 0.5, 4)[0]
    found = long_lead(a, b, asymmetry_band(a, b, 4))
    assert found.lag == 0
    assert math.isnan(found.p_value)
