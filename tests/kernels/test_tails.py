"""Tails and quantiles against scipy.stats, to a relative 1e-10 however far out."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pairwatch.kernels.tails import chi2_tail, f_tail, normal_quantile, normal_tail, two_sided_t

CLOSE = {"rel": 1e-10, "abs": 1e-300}
many = settings(max_examples=300)
# Probabilities of every order of magnitude, down to those of thirty deviations.
small = st.floats(-200, math.log10(0.5)).map(lambda power: 10.0**power)
# What a statistic may be: of every order of magnitude.
sizes = st.floats(-12, 3).map(lambda power: 10.0**power)
degrees = st.integers(1, 400)


@many
@given(st.floats(-37, 37))
def test_the_normal_tail_is_scipys(z):
    assert normal_tail(z) == pytest.approx(stats.norm.sf(z), **CLOSE)


@many
@given(small)
def test_the_normal_quantile_is_scipys_on_both_sides(p):
    assert normal_quantile(p) == pytest.approx(stats.norm.ppf(p), rel=1e-12, abs=1e-15)
    if p > 1e-16:  # nearer to one there are no numbers
        assert normal_quantile(1 - p) == -normal_quantile(1 - (1 - p))


@many
@given(small)
def test_the_normal_quantile_undoes_the_tail(p):
    assert normal_tail(-normal_quantile(p)) == pytest.approx(p, rel=1e-10)


def test_the_quantile_of_a_half_is_zero():
    assert normal_quantile(0.5) == 0


@many
@given(sizes, degrees)
def test_the_chi_squared_tail_is_scipys(x, df):
    assert chi2_tail(x, df) == pytest.approx(stats.chi2.sf(x, df), **CLOSE)


@pytest.mark.parametrize(("x", "df"), [(2000.0, 1000), (3000.0, 999), (900.0, 1000), (1500.0, 2), (1400.0, 1)])
def test_the_chi_squared_tail_neither_overflows_nor_vanishes_far_out(x, df):
    assert chi2_tail(x, df) == pytest.approx(stats.chi2.sf(x, df), rel=1e-10, abs=5e-324)


@many
@given(sizes, st.integers(1, 60), st.integers(1, 7000))
def test_the_f_tail_is_scipys(x, df, df2):
    expected = stats.f.sf(x, df, df2) if x > 1 else 1 - stats.f.cdf(x, df, df2)  # its tail is crude near zero
    assert f_tail(x, df, df2) == pytest.approx(expected, rel=1e-10, abs=1e-290)


@many
@given(st.floats(-12, 3).map(lambda power: 10.0**power), st.integers(1, 7000))
def test_the_two_sided_t_is_scipys(t, df):
    expected = 2 * stats.t.sf(t, df) if t > 1 else 1 - stats.f.cdf(t * t, 1, df)  # its tail is crude near zero
    assert two_sided_t(t, df) == pytest.approx(expected, rel=1e-10, abs=1e-290)
    assert two_sided_t(-t, df) == two_sided_t(t, df)


@pytest.mark.parametrize("tail", [lambda x: chi2_tail(x, 3), lambda x: f_tail(x, 3, 9)])
def test_a_statistic_of_zero_or_below_is_exceeded_for_sure_and_one_that_cannot_be_said_has_no_tail(tail):
    assert tail(0.0) == tail(-1.0) == 1.0
    assert math.isnan(tail(math.nan))


def test_what_cannot_be_said_has_no_tail():
    assert math.isnan(two_sided_t(math.nan, 5))
    assert math.isnan(normal_tail(math.nan))


@pytest.mark.parametrize(("tail", "limit"), [(lambda x: chi2_tail(x, 4), 0), (lambda x: f_tail(x, 4, 50), 0)])
def test_nothing_exceeds_infinity(tail, limit):
    assert tail(math.inf) == limit
