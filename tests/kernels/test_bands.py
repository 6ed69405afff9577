"""Bands against statsmodels' correlations, plain loops, and pairs whose truth is known."""

import math

import numpy as np
import pytest
import scipy.stats
import statsmodels.tsa.stattools as tsa
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import linked_returns

from pairwatch.kernels import bands

LAGS = 6


def factor_pair(n, seed, phi=0.2, rho=0.5):
    """Legs that share an AR(1) factor at the same time; neither leads."""
    f, u, v = np.random.default_rng(seed).standard_normal((3, n))
    for t in range(1, n):
        f[t] = phi * f[t - 1] + math.sqrt(1 - phi**2) * f[t]
    return (math.sqrt(rho) * f + math.sqrt(1 - rho) * own for own in (u, v))


def led(n, share, seed, lag=1):
    x, e = np.random.default_rng(seed).standard_normal((2, n + lag))
    e[lag:] += share * x[:-lag]
    return x[lag:], e[lag:]


def share_of(test, runs=200):
    return np.mean([test(seed) <= 0.05 for seed in range(runs)])


def test_the_values_are_the_correlations_of_statsmodels():
    a, b = linked_returns(300, 0.6, 1)
    found = bands.correlogram_band(a, b, LAGS).values
    expected = [*tsa.ccf(a, b, adjusted=False)[LAGS:0:-1], *tsa.ccf(b, a, adjusted=False)[1 : LAGS + 1]]
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(
        bands.asymmetry_band(a, b, LAGS).values, found[LAGS:] - found[LAGS - 1 :: -1], atol=1e-14
    )


def test_errors_are_the_roots_of_squared_block_sums():
    a, b = linked_returns(100, 0.3, 2)
    x, y = (a - a.mean()) / a.std(), (b - b.mean()) / b.std()
    length = bands.block_length(100)
    assert length == math.ceil(1.5 * 100 ** (1 / 3))
    terms = [x[t] * y[t + 2] - y[t] * x[t + 2] for t in range(98)] + [0, 0]
    blocks = [math.fsum(terms[at : at + length]) for at in range(0, 100, length)]
    expected = math.sqrt(math.fsum(s * s for s in blocks)) / 100
    assert bands.asymmetry_band(a, b, 3).errors[1] == pytest.approx(expected, rel=1e-12)


def test_a_few_blocks_are_judged_as_all_their_signs_would_judge_them():
    a, b = led(30, 0.8, 3)
    x, y = (a - a.mean()) / a.std(), (b - b.mean()) / b.std()
    sums = bands.block_sums(bands.cross_terms(x, y, 3) - bands.cross_terms(y, x, 3), bands.block_length(30))
    errors = np.sqrt((sums**2).sum(axis=1))
    every = np.array(np.meshgrid(*[[-1, 1]] * sums.shape[1])).reshape(sums.shape[1], -1)
    highest = np.abs(sums @ every / errors[:, None]).max(axis=0)
    expected = np.mean(highest >= np.abs(sums.sum(axis=1) / errors).max() - 1e-12)
    assert bands.asymmetry_band(a, b, 3).p_value == pytest.approx(expected, abs=4 * math.sqrt(expected / 999) + 0.002)


@settings(max_examples=20)
@given(seed=st.integers(0, 999), n=st.integers(30, 120), lags=st.integers(1, 8))
def test_swapping_the_legs_turns_r_round_negates_d_and_keeps_p(seed, n, lags):
    a, b = linked_returns(n, 0.4, seed)
    one, other = bands.correlogram_band(a, b, lags, seed), bands.correlogram_band(b, a, lags, seed)
    np.testing.assert_allclose(one.values, other.values[::-1], atol=1e-14)
    assert one.p_value == other.p_value
    np.testing.assert_allclose(one.reach, other.reach[::-1], rtol=1e-10)
    first, second = bands.asymmetry_band(a, b, lags, seed), bands.asymmetry_band(b, a, lags, seed)
    np.testing.assert_allclose(first.values, -second.values, atol=1e-14)
    assert (first.p_value, first.most) == (second.p_value, second.most)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_scale_and_origin_of_a_leg_do_not_matter(scale):
    a, b = linked_returns(200, 0.4, 4)
    one, other = bands.correlogram_band(a, b, LAGS), bands.correlogram_band(scale * a + 3 * scale, b, LAGS)
    np.testing.assert_allclose(one.reach, other.reach, rtol=1e-7)
    assert one.p_value == other.p_value


def test_the_bands_hold_their_size_without_a_lead():
    """200 pairs a band: the standard error of a share of .05 is .015."""
    assert 0.01 <= share_of(lambda s: bands.correlogram_band(*linked_returns(200, 0.0, s), 10, s).p_value) <= 0.09
    assert 0.01 <= share_of(lambda s: bands.asymmetry_band(*linked_returns(200, 0.8, s), 10, s).p_value) <= 0.09


def test_a_shared_factor_with_a_memory_leaves_the_band_of_r_and_not_that_of_d():
    assert share_of(lambda s: bands.correlogram_band(*factor_pair(800, s, phi=0.4), 5, s).p_value, 60) > 0.9
    assert share_of(lambda s: bands.asymmetry_band(*factor_pair(800, s, phi=0.4), 5, s).p_value, 200) <= 0.09


def test_a_lead_leaves_both_bands_at_its_lag():
    a, b = led(1000, 0.3, 8, lag=2)
    r, d = bands.correlogram_band(a, b, 5), bands.asymmetry_band(a, b, 5)
    assert (np.abs(r.values) > r.reach).tolist() == [k == 6 for k in range(10)]
    assert (np.abs(d.values) > d.reach).tolist() == [k == 1 for k in range(5)]
    assert d.most == 1


def test_one_lag_alone_is_judged_by_students_t_of_its_block_sums():
    a, b = led(400, 0.1, 6)
    x, y = (a - a.mean()) / a.std(), (b - b.mean()) / b.std()
    terms = np.append(x[:-1] * y[1:] - y[:-1] * x[1:], 0)
    length = bands.block_length(400)
    sums = [terms[at : at + length].sum() for at in range(0, 400, length)]
    expected = scipy.stats.ttest_1samp(sums, 0, alternative="greater").pvalue
    assert bands.asymmetry_at(a, b, 1).p_value == pytest.approx(expected, rel=1e-9)
    assert bands.asymmetry_at(a, b, 1, -1.0).p_value == pytest.approx(1 - expected, rel=1e-9)
    assert bands.asymmetry_at(b, a, 1, -1.0).p_value == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("leg", [np.zeros(60), np.full(60, 0.1)])
def test_a_leg_that_does_not_move_has_no_band(leg):
    moving = linked_returns(60)[0]
    for found in (bands.correlogram_band(leg, moving, 3), bands.asymmetry_band(moving, leg, 3)):
        assert math.isnan(found.p_value)
        assert np.isnan(found.reach).all()
    assert math.isnan(bands.asymmetry_at(leg, moving, 1).p_value)


@settings(max_examples=60)
@given(
    seed=st.integers(0, 9999), n=st.integers(20, 60), share=st.sampled_from([0.0, 0.5, 20.0]), lags=st.integers(1, 6)
)
def test_a_value_is_outside_just_where_p_is_below_5_percent(seed, n, share, lags):
    """With few blocks all of one sign are as far out as chance goes, and chance goes there more often than 5 %."""
    found = bands.asymmetry_band(*led(n, share, seed), lags, seed)
    assert found.outside.any() == (found.p_value < 0.05)


def test_sums_that_lean_to_one_side_are_told():
    rng = np.random.default_rng(9)
    assert bands.leaning(rng.standard_normal(20) + 1) < 0.01
    assert bands.leaning(np.ones(5)) > 0.05
    assert np.mean([bands.leaning(rng.standard_normal(15), seed) < 0.05 for seed in range(200)]) <= 0.09
    assert math.isnan(bands.leaning(np.zeros(5)))


def test_a_mean_above_zero_is_one_sided():
    values = np.random.default_rng(7).standard_normal(200) + 0.5
    assert bands.mean_above_zero(values) < 1e-4
    assert bands.mean_above_zero(-values) > 1 - 1e-4
    assert math.isnan(bands.mean_above_zero(np.zeros(50)))
