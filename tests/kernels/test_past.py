"""What is said of every window at once is what is said of each alone; relative 1e-10 unless another is given."""

import math
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from pairwatch import kernels
from pairwatch.kernels import past

light = settings(max_examples=40)
windows = st.integers(2, 70)
seeds = st.integers(0, 2**31)
NOWHERE = float("nan")


def returns(seed, n=150, offset=0.0):
    return offset + np.random.default_rng(seed).standard_t(4, n) * 0.01


def each(function, window, *series):
    """The function of every window, one at a time."""
    count = len(series[0]) - window + 1
    return np.array([function(*(x[i : i + window] for x in series)) for i in range(count)])


def close(found, expected, rel=1e-10, absolute=1e-15):
    np.testing.assert_allclose(found, expected, rel, absolute)


@light
@given(seeds, windows)
def test_sums_extremes_and_drawdowns_are_those_of_each_window(seed, window):
    x = returns(seed)
    close(past.sums(x, window), each(math.fsum, window, x), absolute=1e-14)
    assert np.array_equal(past.highest(x, window), each(np.max, window, x))
    assert np.array_equal(past.lowest(x, window), each(np.min, window, x))
    levels = np.cumprod(1 + x)
    assert np.array_equal(past.drawdowns(levels, window), each(kernels.max_drawdown, window, levels))


@light
@given(seeds, windows, st.sampled_from([0.0, 1.0, 1e4]))
def test_moments_lose_nothing_to_an_offset(seed, window, offset):
    x, y = returns(seed, offset=offset), returns(seed + 1, offset=offset)
    mean, squares, cubes = past.third_moments(x, window)
    close(mean, each(np.mean, window, x), absolute=1e-12)
    assert np.array_equal(past.moments(x, window), (mean, squares))
    close(squares, each(lambda w: float(((w - w.mean()) ** 2).sum()), window, x), 1e-9)
    close(cubes, each(lambda w: float(((w - w.mean()) ** 3).sum()), window, x), 1e-7, 1e-3 * squares.max() ** 1.5)
    products = each(lambda v, w: float((v - v.mean()) @ (w - w.mean())), window, x, y)
    close(past.comoments(x, y, window), products, 1e-9, 1e-9 * squares.max())


def test_squares_of_prices_with_an_offset_agree_with_exact_arithmetic():
    x = 1e6 + returns(3, 40)
    exact = [Fraction(v) for v in x.tolist()]
    mean = sum(exact) / 40
    assert past.moments(x, 40)[1][0] == pytest.approx(float(sum((v - mean) ** 2 for v in exact)), rel=1e-9)


@light
@given(seeds, st.integers(3, 70))
def test_skewness_is_that_of_pandas(seed, window):
    x = returns(seed)
    _, squares, cubes = past.third_moments(x, window)
    sd = past.deviations(squares, past.highest(np.abs(x), window), window)
    expected = pd.Series(x).rolling(window).skew().to_numpy()[window - 1 :]
    close(past.skewness(squares, cubes, sd, window), expected, 1e-7, 1e-9)


@light
@given(seeds, st.integers(2, 40), st.integers(1, 9), st.booleans())
def test_rank_correlations_are_those_of_scipy_ties_or_not(seed, window, step, ties):
    x, y = (np.round(returns(s, 90), 2 if ties else 15) for s in (seed, seed + 1))
    with np.errstate(invalid="ignore"):
        every = each(lambda v, w: kernels.correlation(kernels.ranks(v), kernels.ranks(w)), window, x, y)
    found = past.rank_correlations(x, y, window, step)
    close(found, every[::-step][::-1], absolute=1e-12)
    expected = scipy.stats.spearmanr(x[-window:], y[-window:])[0] if np.isfinite(every[-1]) else NOWHERE
    assert found[-1] == pytest.approx(expected, nan_ok=True, abs=1e-12)


def test_ranks_share_the_mean_of_their_places_row_by_row():
    rows = np.array([[3.0, 1.0, 3.0, 2.0], [1.0, 2.0, 3.0, 4.0], [5.0, 5.0, 5.0, 5.0]])
    assert past.mean_ranks(rows).tolist() == [[3.5, 1, 3.5, 2], [1, 2, 3, 4], [2.5, 2.5, 2.5, 2.5]]


def test_nan_stays_in_the_windows_that_hold_it():
    x = returns(5, 60)
    x[30] = NOWHERE
    y, held = returns(6, 60), np.arange(51) >= 21
    held &= np.arange(51) <= 30
    for found in (
        past.sums(x, 10),
        past.highest(x, 10),
        past.moments(x, 10)[1],
        past.comoments(y, x, 10),
        past.drawdowns(1 + x, 10),
        past.rank_correlations(x, y, 10, 1),
    ):
        assert np.array_equal(np.isnan(found), held)


def test_a_series_that_does_not_move_has_no_deviation():
    x = np.full(30, 0.1)
    assert not past.deviations(past.moments(x, 7)[1], x[:24], 7).any()
    assert np.isnan(past.range_positions(x, 7)).all()
    assert np.isnan(past.rank_correlations(x, returns(1, 30), 7, 1)).all()


def test_a_range_position_is_zero_at_the_low_and_one_at_the_high():
    assert past.range_positions(np.array([1.0, 3.0, 2.0, 0.0, 5.0]), 3).tolist() == [0.5, 0.0, 1.0]


def test_z_scores_are_those_of_scipy_in_each_window():
    x = returns(8).cumsum()
    expected = each(lambda w: scipy.stats.zscore(w, ddof=1)[-1], 20, x)
    close(past.z_scores(x, 20), expected, absolute=1e-12)


def test_a_half_life_is_said_of_slopes_between_minus_one_and_zero():
    found = past.half_lives(np.array([-1.5, -1.0, -0.5, 0.0, 0.5, NOWHERE]))
    assert np.isfinite(found).tolist() == [False, False, True, False, False, False]
    assert found[2] == pytest.approx(1.0)


@light
@given(st.lists(st.sampled_from([1.0, 2.0, 3.0, NOWHERE]), min_size=1, max_size=12).filter(lambda x: x[-1] == x[-1]))
def test_a_middle_rank_is_scipys_and_between_zero_and_one(values):
    x = np.array(values)
    known = x[np.isfinite(x)]
    expected = scipy.stats.percentileofscore(known, x[-1], kind="mean") / 100
    assert past.middle_rank(x, x[-1]) == pytest.approx(expected)
    assert 0 < expected < 1
    rows = past.middle_ranks(np.stack([x, x]))
    assert rows[0, -1] == pytest.approx(expected)
    assert np.array_equal(np.isnan(rows[1]), np.isnan(x))


@pytest.mark.parametrize(("values", "value"), [([1.0, 2.0], np.nan), ([np.nan, np.nan], 1.0), ([], 1.0)])
def test_what_cannot_be_said_has_no_place_in_its_past(values, value):
    assert np.isnan(past.middle_rank(np.array(values), value))
