import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pairwatch.kernels import episodes
from pairwatch.kernels.draws import Draws
from pairwatch.kernels.rolling import rolling_correlation

WINDOW = 10


def pair(n, rho, seed=0):
    x, e = np.random.default_rng(seed).standard_normal((2, n))
    return 0.01 * x, 0.01 * (rho * x + np.sqrt(1 - np.square(rho)) * e)


def one_by_one(rolling, window):
    """The rule as it is stated, value after value: begin, end and depth of each episode."""
    z, found, begin, depth = np.arctanh(rolling), [], None, 0.0
    for i in range(episodes.PAST * window + 1, len(z)):
        past = z[:i]
        mean, deviation = float(past.mean()), float(past.std())
        distance = math.copysign(1, mean) * (z[i] - mean) / deviation
        related = abs(mean) > 2 * deviation * math.sqrt(window / i)
        if begin is None and distance < -episodes.FAR and related:
            begin, depth = i, distance
        elif begin is not None and distance >= 0:
            found.append((begin, i, depth))
            begin = None
        elif begin is not None and related:
            depth = min(depth, distance)
    return found if begin is None else [*found, (begin, len(z), depth)]


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.sampled_from([-0.7, 0.1, 0.8]))
def test_episodes_follow_the_rule_value_after_value(seed, rho):
    changing = np.where(np.arange(400) % 200 < 150, rho, 0.0)
    rolling = rolling_correlation(*pair(400, changing, seed), WINDOW)
    found = episodes.episodes(episodes.past_of(rolling, WINDOW))
    expected = one_by_one(rolling, WINDOW)
    assert list(zip(found.begins.tolist(), found.ends.tolist(), strict=True)) == [(i, j) for i, j, _ in expected]
    np.testing.assert_allclose(found.depth, [depth for *_, depth in expected], rtol=1e-6)


def test_a_correlation_that_gives_way_is_an_episode_and_one_that_stays_is_none():
    rho = np.where((np.arange(1000) >= 600) & (np.arange(1000) < 700), -0.5, 0.9)
    found = episodes.episodes(episodes.past_of(rolling_correlation(*pair(1000, rho), 30), 30))
    longest = int(found.lengths.argmax())
    assert 570 <= found.begins[longest] <= 600
    assert 670 <= found.ends[longest] <= 720
    assert found.depth[longest] < -5


def test_what_comes_later_changes_no_episode_that_is_over():
    rolling = rolling_correlation(*pair(600, np.where(np.arange(600) % 200 < 150, 0.8, 0.0)), WINDOW)
    whole = episodes.episodes(episodes.past_of(rolling, WINDOW))
    for cut in (200, 350, 500):
        part = episodes.episodes(episodes.past_of(rolling[:cut], WINDOW))
        over = part.ends < cut
        known = whole.ends < cut
        np.testing.assert_array_equal(part.begins[over], whole.begins[known])
        np.testing.assert_array_equal(part.ends[over], whole.ends[known])


def test_several_histories_are_each_as_it_is_alone():
    rolling = np.stack([rolling_correlation(*pair(500, 0.6, seed), WINDOW) for seed in range(8)])
    together = episodes.episodes(episodes.past_of(rolling, WINDOW))
    assert len(together.rows) > 3
    for row, history in enumerate(rolling):
        alone = episodes.episodes(episodes.past_of(history, WINDOW))
        mine = together.rows == row
        np.testing.assert_array_equal(together.begins[mine], alone.begins)
        np.testing.assert_array_equal(together.ends[mine], alone.ends)
        np.testing.assert_array_equal(together.depth[mine], alone.depth)


def test_windows_without_a_correlation_are_no_part_of_a_past_and_no_episode():
    rolling = rolling_correlation(*pair(600, 0.8), WINDOW)
    holed = rolling.copy()
    holed[300:340] = np.nan
    past = episodes.past_of(holed, WINDOW)
    assert not past.signal[300:340].any()
    assert np.isnan(past.distance[300:340]).all()
    z = np.arctanh(holed)
    assert past.mean[400] == pytest.approx(np.nanmean(z[:400]), rel=1e-12)
    expected = (z[400] - np.nanmean(z[:400])) / np.nanstd(z[:400])
    assert past.distance[400] == pytest.approx(expected, rel=1e-9)


def test_windows_with_a_bar_of_a_halt_are_not_moving():
    a, b = pair(100, 0.5)
    b[40:50] = 0
    moving = episodes.moving(a, b, 30)
    np.testing.assert_array_equal(np.flatnonzero(~moving), np.arange(11, 50))
    b[45] = 0.01
    assert episodes.moving(a, b, 30).all()


def test_sums_over_windows_do_not_remember_what_has_left_them():
    x, y = pair(200, 0.5)
    x[50] = 1e9
    found = episodes._rolling(np.stack([x, y]), np.stack([y, x]), 20)
    expected = [
        (x[i : i + 20] @ y[i : i + 20]) / np.sqrt((x[i : i + 20] @ x[i : i + 20]) * (y[i : i + 20] @ y[i : i + 20]))
        for i in range(181)
    ]
    np.testing.assert_allclose(found[0], expected, rtol=1e-9)
    np.testing.assert_allclose(found[1], expected, rtol=1e-9)


def test_unrelated_legs_have_no_correlation_that_could_give_way():
    counts = [
        len(episodes.episodes(episodes.past_of(rolling_correlation(*pair(800, 0.0, s), 30), 30)).rows)
        for s in range(20)
    ]
    assert sum(counts) < 10


def test_chance_gives_as_many_as_histories_of_constant_correlation_have():
    counts, by_chance = [], []
    for seed in range(20):
        a, b = pair(1000, 0.7, seed)
        counts.append(len(episodes.episodes(episodes.past_of(rolling_correlation(a, b, 30), 30)).rows))
        by_chance.append(episodes.chance_episodes(a, b, 30, Draws(seed), 19).counts.mean())
    assert np.mean(counts) == pytest.approx(np.mean(by_chance), abs=0.6)
    assert np.mean(by_chance) > 0.3


def test_chance_is_the_same_for_the_same_seed_and_for_the_legs_swapped():
    a, b = pair(500, 0.7)
    first, again, swapped = (episodes.chance_episodes(*legs, 30, Draws(4), 9) for legs in ((a, b), (a, b), (b, a)))
    for one, two in ((first, again), (first, swapped)):
        np.testing.assert_array_equal(one.counts, two.counts)
        np.testing.assert_array_equal(one.longest, two.longest)
        np.testing.assert_allclose(one.deepest, two.deepest, rtol=1e-9)
    other = episodes.chance_episodes(a, b, 30, Draws(5), 9)
    assert first.deepest.tolist() != other.deepest.tolist()


def test_a_history_without_an_episode_has_no_depth_and_no_length():
    a, b = pair(400, 0.0)
    found = episodes.chance_episodes(a, b, 30, Draws(0), 9)
    none = found.counts == 0
    assert none.any()
    assert not found.deepest[none].any()
    assert not found.longest[none].any()
