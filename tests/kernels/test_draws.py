"""Random numbers from a seed, and the positions of a block bootstrap."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pairwatch.kernels.draws import Draws

light = settings(max_examples=60)
MANY = 200_000


def test_the_same_seed_gives_the_same_numbers_and_another_one_others():
    one, same, other = Draws(7), Draws(7), Draws(8)
    first = one.uniform(5, 3)
    assert np.array_equal(first, same.uniform(5, 3))
    assert not np.array_equal(first, other.uniform(5, 3))
    assert not np.array_equal(first, one.uniform(5, 3))


def test_the_numbers_are_pinned_for_every_version_of_python_and_numpy():
    assert Draws(0).integers(1000, 6).tolist() == [844, 385, 757, 890, 420, 40]


def test_uniform_numbers_are_uniform():
    x = Draws(1).uniform(MANY)
    assert 0 <= x.min() < x.max() < 1
    assert stats.kstest(x, "uniform").pvalue > 1e-3


@pytest.mark.parametrize("below", [1, 2, 7, 6600, 10**6])
def test_whole_numbers_are_all_there_and_equally_often(below):
    x = Draws(2).integers(below, MANY)
    assert x.dtype == np.intp
    assert 0 <= x.min() <= x.max() < below
    if below <= 7:
        assert np.bincount(x, minlength=below) / MANY == pytest.approx(1 / below, abs=0.01)


def test_signs_are_plus_and_minus_one_equally_often():
    x = Draws(3).signs(MANY)
    assert set(x.tolist()) == {-1.0, 1.0}
    assert abs(x.mean()) < 0.01


def test_normal_numbers_have_the_moments_of_the_normal_distribution():
    x = Draws(4).normal(MANY)
    assert stats.kstest(x, "norm").pvalue > 1e-3
    assert (x.mean(), x.std(), stats.skew(x), stats.kurtosis(x)) == pytest.approx((0, 1, 0, 0), abs=0.03)
    assert abs(np.corrcoef(x[1:], x[:-1])[0, 1]) < 0.01


@light
@given(st.lists(st.integers(0, 5), min_size=1, max_size=3), st.integers(0, 99))
def test_numbers_come_in_the_shape_that_is_asked_for(shape, seed):
    draws = Draws(seed)
    found = [draws.uniform(*shape), draws.integers(9, *shape), draws.signs(*shape), draws.normal(*shape)]
    assert {x.shape for x in found} == {tuple(shape)}


@light
@given(n=st.integers(1, 60), length=st.integers(1, 90), count=st.integers(1, 20), seed=st.integers(0, 99))
def test_a_resample_has_as_many_places_in_blocks_that_run_on_and_around(n, length, count, seed):
    places = Draws(seed).blocks(n, length, count)
    assert places.shape == (count, n)
    assert places.min() >= 0
    assert places.max() < n
    inside = np.arange(1, n) % length != 0
    steps = (places[:, 1:] - places[:, :-1]) % n
    assert (steps[:, inside] == 1 % n).all()


def test_a_block_longer_than_the_series_is_the_series_turned_round():
    places = Draws(5).blocks(10, 40, 200)
    assert (np.sort(places, axis=1) == np.arange(10)).all()
    assert set(places[:, 0].tolist()) == set(range(10))


def test_every_place_is_drawn_equally_often_the_ends_too():
    places = Draws(6).blocks(25, 7, 20_000)
    shares = np.bincount(places.ravel(), minlength=25) / places.size
    assert shares == pytest.approx(1 / 25, rel=0.05)
    assert np.bincount(places[:, -1], minlength=25) / 20_000 == pytest.approx(1 / 25, rel=0.2)
