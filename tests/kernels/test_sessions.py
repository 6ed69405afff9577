"""Lagged sums within sessions, against pandas; the test of a lead, against all sign patterns."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pairwatch.kernels import sessions as kernel


def drawn(seed, sessions=30, slots=20, lead=0.0):
    x, noise = np.random.default_rng(seed).standard_normal((2, sessions, slots))
    y = 0.8 * x + 0.6 * noise
    y[:, 2:] += lead * x[:, :-2]
    return x, y


def correlations(sums):
    return kernel.mean(sums.products.sum(axis=0), sums.pairs.sum(axis=0))


def test_r_is_the_mean_product_of_pairs_of_one_session_as_pandas_shifts_them():
    x, y = drawn(0)
    x[3, 4] = y[7, 1] = np.nan
    known = np.isfinite(x) & np.isfinite(y)
    frame = pd.DataFrame(
        {
            "s": np.repeat(np.arange(30), 20),
            **{
                k: np.where(known, (v - v[known].mean()) / v[known].std(), np.nan).ravel()
                for k, v in (("x", x), ("y", y))
            },
        }
    )
    sums = kernel.lagged_sums(x, y, 5)
    for k in range(-5, 6):
        expected = frame["x"] * frame.groupby("s")["y"].shift(-k)
        assert correlations(sums)[5 + k] == pytest.approx(expected.mean(), abs=1e-13)
        assert sums.pairs[:, 5 + k].sum() == expected.count()


def test_lags_do_not_bridge_sessions():
    x = np.array([[0.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    y = np.array([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    sums = kernel.lagged_sums(x, y, 1)
    assert sums.pairs.sum(axis=0).tolist() == [4, 6, 4]
    assert sums.products[:, 2].tolist() == pytest.approx([1.0, 1.0])  # not of the last bar and the next first


def test_lags_longer_than_a_session_have_no_pairs():
    sums = kernel.lagged_sums(*drawn(1, slots=3), 4)
    assert sums.pairs.sum(axis=0)[[0, 1, 7, 8]].tolist() == [0, 0, 0, 0]
    assert np.isnan(correlations(sums)[[0, 1, 7, 8]]).all()


def test_of_few_sessions_all_sign_patterns_are_taken():
    parts = np.random.default_rng(2).standard_normal((8, 3))
    patterns = np.array(list(product((-1, 1), repeat=8)))
    noise = np.sqrt((parts**2).sum(axis=0))
    highest = np.abs(patterns @ parts / noise).max(axis=1)
    expected = np.mean(highest >= np.abs(parts.sum(axis=0) / noise).max() * (1 - 1e-12))
    assert kernel.judge(parts, 0).p_value == expected


@pytest.mark.parametrize("sessions", [8, 40])
def test_a_total_is_beyond_its_band_where_the_p_value_is_small(sessions):
    said = []
    for seed in range(60):
        judged = kernel.judge(np.random.default_rng(seed).standard_normal((sessions, 4)) + 0.25, 0)
        if abs(judged.p_value - 0.05) > 0.01:  # a quantile lies between two patterns
            said.append(bool((np.abs(judged.totals) > judged.band).any()) == (judged.p_value < 0.05))
    assert len(said) > 40
    assert all(said)


def test_drawn_patterns_say_about_what_all_say():
    parts = np.random.default_rng(3).standard_normal((11, 2)) + 0.5
    whole = kernel.judge(parts, 0).p_value
    padded = np.vstack([parts, np.full((1, 2), 1e-9)])  # one more: too many for all
    assert kernel.judge(padded, 0).p_value == pytest.approx(whole, abs=0.02)


@given(st.integers(0, 200), st.integers(0, 3))
@settings(max_examples=30)
def test_swapping_the_legs_negates_d_and_leaves_p_and_noise_as_they_are(seed, max_lag):
    x, y = drawn(seed)
    one, other = (kernel.lagged_sums(*legs, max_lag + 1) for legs in ((x, y), (y, x)))
    assert np.array_equal(correlations(one), correlations(other)[::-1])
    a, b = kernel.judge(one.asymmetries, 7), kernel.judge(other.asymmetries, 7)
    assert np.array_equal(a.totals, -b.totals)
    assert np.array_equal(a.noise, b.noise)
    assert (a.p_value, a.critical) == (b.p_value, b.critical)


def test_a_lead_is_found_and_its_absence_is_not():
    led = kernel.judge(kernel.lagged_sums(*drawn(5, lead=0.4), 5).asymmetries, 0)
    assert (led.p_value, led.largest) == (1 / (1 + kernel.PATTERNS), 1)
    assert led.totals[1] > led.detectable > 0
    assert kernel.judge(kernel.lagged_sums(*drawn(5), 5).asymmetries, 0).p_value > 0.05


def test_the_size_holds_under_a_shared_factor_with_memory_and_a_loud_opening():
    rng = np.random.default_rng(6)
    loud = 1 + 4 * np.exp(-np.arange(30) / 3)
    rejected = 0
    for _ in range(300):
        factor = rng.standard_t(5, 25 * 30)
        for t in range(1, len(factor)):
            factor[t] += 0.3 * factor[t - 1]
        own = rng.standard_t(5, (2, 25, 30)) * np.array([0.4, 0.8])[:, None, None]
        x, y = (factor.reshape(25, 30) + one for one in own)
        found = kernel.judge(kernel.lagged_sums(x * loud, y * loud, 6).asymmetries, 0, 499)
        rejected += found.p_value < 0.05
    assert 0.02 < rejected / 300 < 0.085  # 5 %, with three standard errors


def test_few_sessions_and_constant_legs_cannot_be_judged():
    parts = np.random.default_rng(8).standard_normal((5, 3))
    assert np.isnan(kernel.judge(parts, 0).p_value)
    x, y = drawn(9)
    flat = kernel.judge(kernel.lagged_sums(np.ones_like(x), y, 2).asymmetries, 0)
    assert np.isnan([flat.p_value, *flat.band]).all()


def test_resamples_scatter_as_the_standard_error_says():
    values = np.random.default_rng(10).standard_normal((400, 1))
    drawn_means = kernel.resampled(values, np.ones((400, 1)), 0, 999)[:, 0]
    assert drawn_means.std() == pytest.approx(values.std() / 20, rel=0.1)
    assert drawn_means.mean() == pytest.approx(values.mean(), abs=0.01)
    low, high = kernel.interval(drawn_means)
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.12)


def test_the_same_seed_gives_the_same_bits():
    sums = kernel.lagged_sums(*drawn(11), 4)
    one, two = (kernel.judge(sums.asymmetries, 3) for _ in range(2))
    assert (one.p_value, one.critical) == (two.p_value, two.critical)
    assert np.array_equal(*(kernel.resampled(sums.products, sums.pairs, 3, 99) for _ in range(2)))
