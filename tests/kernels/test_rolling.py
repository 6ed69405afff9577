"""Rolling windows against exact arithmetic and pandas."""

from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairwatch.kernels.rolling import rolling_correlation, rolling_lead_lag, window_sums


def walks(n, offset, seed=0):
    """Two linked price-like series far from zero."""
    x, y = np.random.default_rng(seed).standard_normal((2, n))
    return offset + 0.01 * x.cumsum(), offset / 2 + 0.01 * (0.6 * x + 0.8 * y).cumsum()


def exact(a, b):
    """Pearson's r in exact arithmetic, rounded once."""
    x, y = [Fraction(v) for v in a], [Fraction(v) for v in b]
    x, y = [v - sum(x) / len(x) for v in x], [v - sum(y) / len(y) for v in y]
    sums = [sum(u * v for u, v in zip(*pair, strict=True)) for pair in ((x, y), (x, x), (y, y))]
    with localcontext() as context:
        context.prec = 50
        xy, xx, yy = (Decimal(s.numerator) / Decimal(s.denominator) for s in sums)
        return float(xy / (xx * yy).sqrt())


@pytest.mark.parametrize("offset", [0.0, 1e3, 1e6])
@pytest.mark.parametrize("window", [2, 30, 90, 252])
def test_a_rolling_correlation_is_exact_to_1e_12_whatever_the_offset(window, offset):
    a, b = walks(3000, offset)
    found = rolling_correlation(a, b, window)
    for at in np.random.default_rng(1).integers(0, len(found), 12):
        assert found[at] == pytest.approx(exact(a[at : at + window], b[at : at + window]), abs=1e-12)


def test_what_stands_outside_a_window_does_not_touch_it():
    a, b = walks(2000, 100.0)
    plain = rolling_correlation(a, b, 50)
    a[1000] = 1e9
    found = rolling_correlation(a, b, 50)
    touched = slice(1000 - 49, 1001)
    found[touched] = plain[touched] = 0
    np.testing.assert_array_less(np.abs(found - plain), 1e-12)


def test_a_window_that_does_not_move_has_no_correlation():
    a, b = walks(200, 10.0)
    a[50:120] = 7.0
    found = rolling_correlation(a, b, 30)
    assert np.isnan(found[50:91]).all()
    assert not np.isnan(found[:50]).any()


@given(n=st.integers(0, 300), window=st.integers(2, 120))
def test_there_is_a_correlation_for_every_whole_window(n, window):
    a, b = walks(n, 5.0)
    assert rolling_correlation(a, b, window).shape == (max(0, n - window + 1),)


@given(window=st.integers(1, 130), seed=st.integers(0, 99))
def test_a_window_sum_is_the_sum_over_the_window(window, seed):
    values = np.random.default_rng(seed).standard_normal(130)
    expected = np.lib.stride_tricks.sliding_window_view(values, window).sum(axis=1)
    np.testing.assert_allclose(window_sums(values, window), expected, atol=1e-12)


@pytest.mark.parametrize("n", [120, 40_000])
def test_rolling_lead_and_lag_are_those_of_pandas(n):
    a, e = np.random.default_rng(3).standard_normal((2, n))
    b = 0.6 * np.roll(a, 2) + 0.8 * e
    found = rolling_lead_lag(a, b, 61, 20)
    first, second = pd.Series(a), pd.Series(b)
    for k in range(-20, 21):
        expected = first.rolling(61).corr(second.shift(-k)).to_numpy()[60:]
        np.testing.assert_allclose(found[k + 20], expected, atol=1e-10)
    assert np.nanmean(found, axis=1).argmax() == 22  # a leads b by two


def test_a_leg_that_stands_still_has_no_rolling_lead():
    a, b = np.random.default_rng(5).standard_normal((2, 400))
    a[100:250] = 0.1
    found = rolling_lead_lag(a, b, 50, 2)
    assert np.isnan(found[2, 100:201]).all()
    assert not np.isnan(found[2, :99]).any()
    assert np.isnan(rolling_lead_lag(np.full(400, 0.1), b, 50, 2)).all()


def test_a_value_that_is_none_touches_its_windows_only():
    a, b = np.random.default_rng(6).standard_normal((2, 400))
    plain = rolling_lead_lag(a, b, 50, 2)
    a[200] = np.nan
    found = rolling_lead_lag(a, b, 50, 2)
    assert np.flatnonzero(np.isnan(found[2])).tolist() == list(range(151, 201))
    touched = np.isnan(found)
    np.testing.assert_allclose(found[~touched], plain[~touched], atol=1e-12)


def test_swapping_the_legs_turns_the_lags_round():
    a, b = np.random.default_rng(4).standard_normal((2, 400))
    one, other = rolling_lead_lag(a, b, 50, 5), rolling_lead_lag(b, a, 50, 5)
    for k in range(1, 6):  # the windows of the other leg begin k later
        np.testing.assert_allclose(one[5 + k, : -k or None][: 351 - k], other[5 - k, k:], atol=1e-12)
