"""Many windows at once against the test of each alone, limits by simulation, and what chance names."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import linked_returns

from pairwatch.lead import lead_test, windows
from pairwatch.lead.windows import Rolling, rolling_leads, window_leads


def led(n, by, share, rho, seed):
    x, e = np.random.default_rng(seed).standard_normal((2, n + by))
    y = rho * x + e * math.sqrt(1 - rho**2)
    y[by:] += share * x[:-by]
    return x[by:], y[by:]


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9, -0.7])
def test_each_windows_candidate_is_that_of_the_lead_test(rho):
    a, b = (x.reshape(20, 50) for x in linked_returns(1000, rho, 1))
    found = window_leads(a, b, 5)
    assert found.lag.tolist() == [lead_test(x, y, 5, 0, permutations=1).lag for x, y in zip(a, b, strict=True)]


@pytest.mark.parametrize("rho", [0.0, 0.6, 0.9])
def test_a_windows_p_is_near_the_one_of_its_own_permutations(rho):
    """999 permutations and a pool of some 4,000: together a standard error of .02 at the most."""
    a, b = linked_returns(1500, rho, 2)
    found = rolling_leads(a, b, Rolling(60, 60, 5))
    alone = [lead_test(a[s : s + 60], b[s : s + 60], 5, 0, permutations=999).p_value for s in found.starts]
    differences = found.p_value - alone
    assert abs(differences.mean()) < 0.03
    assert np.abs(differences).max() < 0.12


def test_windows_without_a_lead_are_named_as_often_as_chance_says():
    """4,000 days, 65 windows that do not overlap: three standard errors of .05 are .08 for one pair, .03 for eight."""
    named = [(rolling_leads(*linked_returns(4000, 0.8, s), Rolling(61, 15, 10), s).named != 0).mean() for s in range(8)]
    assert np.mean(named) == pytest.approx(0.05, abs=0.03)


def test_the_pool_itself_is_named_at_its_level():
    found = rolling_leads(*linked_returns(3000, 0.5, 3), Rolling(61, 15, 10))
    assert (found.chance != 0).mean() == pytest.approx(0.05, abs=0.002)
    assert found.chance.size >= windows.POOL * 0.5


def test_a_lead_that_came_and_went_is_named_where_it_was():
    calm = [linked_returns(600, 0.5, seed) for seed in (4, 5)]
    a, b = (np.concatenate(parts) for parts in zip(calm[0], led(600, 2, 0.8, 0.0, 6), calm[1], strict=True))
    found = rolling_leads(a, b, Rolling(60, 20, 5))
    inside = (found.starts >= 600) & (found.starts <= 1140)
    outside = (found.starts <= 540) | (found.starts >= 1200)
    assert (found.named[inside] == 2).mean() > 0.9
    assert (found.named[outside] != 0).mean() < 0.2


def test_windows_stay_where_they_are_and_keep_what_they_say_while_the_history_grows():
    """Of 20 more days one window is new; a window is judged by days up to its own end alone."""
    a, b = linked_returns(6000, 0.5, 7)
    asked = Rolling(50, 20, 3)
    whole = rolling_leads(a, b, asked)
    assert whole.starts.tolist() == list(range(0, 5951, 20))
    for days in range(5980, 5999, 6):
        early = rolling_leads(a[:days], b[:days], asked)
        held = len(early.starts)
        assert early.starts.tolist() == whole.starts[:held].tolist()
        assert early.found.lag.tolist() == whole.found.lag[:held].tolist()
        np.testing.assert_array_equal(early.found.highest, whole.found.highest[:held])
        np.testing.assert_array_equal(early.p_value, whole.p_value[:held])
        assert (early.chance[:, : held - 3] != whole.chance[:, : held - 3]).mean() < 0.002


@pytest.mark.parametrize("days", [60, 75, 200, 615, 2400])
def test_what_comes_after_a_window_never_changes_its_verdict(days):
    """Whatever comes, as much of it as has come: other days, wild ones, or many that do not move at all."""
    a, b = linked_returns(3000, 0.5, 17)
    asked = Rolling(60, 15, 5)
    early = rolling_leads(a[:days], b[:days], asked)
    wild = np.concatenate([a[:days], 50 * a[days:]]), np.concatenate([b[:days], -9 * a[days:] + b[days:]])
    still = np.concatenate([a[:days], np.zeros(500)]), np.concatenate([b[:days], np.zeros(500)])
    for x, y in ((a, b), wild, still):
        later = rolling_leads(x, y, asked)
        np.testing.assert_array_equal(later.p_value[: len(early.starts)], early.p_value)
        np.testing.assert_array_equal(later.named[: len(early.starts)], early.named)


def test_the_first_windows_are_named_as_often_as_chance_says():
    """300 pairs, the first three windows of each: the standard error of their mean is .01."""
    named = [
        (rolling_leads(*linked_returns(180, 0.7, s), Rolling(60, 15, 5), s).named[:3] != 0).mean() for s in range(300)
    ]
    assert np.mean(named) == pytest.approx(0.05, abs=0.03)


def test_a_history_that_begins_with_a_leg_standing_still_is_judged_from_its_first_move_on():
    a, b = linked_returns(1500, 0.5, 18)
    b[:900] = 0.0
    found = rolling_leads(a, b, Rolling(60, 15, 5))
    assert np.isfinite(found.p_value[found.starts >= 900]).all()
    assert found.p_value[np.isfinite(found.p_value)].min() > 0.0005
    assert (found.p_value[found.starts >= 900] < 0.5).any()


@settings(max_examples=20)
@given(seed=st.integers(0, 999), rho=st.sampled_from([0.0, 0.5, -0.8]))
def test_swapping_the_legs_turns_every_lag_round_and_keeps_p(seed, rho):
    a, b = linked_returns(300, rho, seed)
    one, other = (rolling_leads(x, y, Rolling(50, 50, 4), seed) for x, y in ((a, b), (b, a)))
    np.testing.assert_array_equal(one.found.lag, -other.found.lag)
    np.testing.assert_allclose(one.found.strength, other.found.strength, atol=1e-12)
    np.testing.assert_array_equal(one.chance, -other.chance)
    np.testing.assert_allclose(one.p_value, other.p_value, atol=1e-12)


def test_a_window_in_which_a_leg_does_not_move_has_no_candidate():
    a, b = linked_returns(200, 0.5, 8)
    a[60:140] = 0.0
    found = rolling_leads(a, b, Rolling(40, 20, 3))
    still = [s >= 60 and s + 40 <= 140 for s in found.starts]
    assert any(still)
    assert (np.isnan(found.p_value) == still).all()
    assert (found.named[still] == 0).all()


def test_windows_that_move_as_one_have_no_candidate():
    a, _ = linked_returns(60, 0.5, 9)
    found = window_leads(a[None], 2 * a[None], 3)
    assert found.lag.tolist() == [0]
    assert np.isnan(found.highest).all()


@pytest.mark.parametrize("share", [0.0, 0.25, 0.7225, 1.0])
def test_the_limiting_5_percent_point_is_that_of_normal_draws(share):
    """200,000 draws: the 95 % point's standard error is below .005."""
    u, v = np.random.default_rng(10).standard_normal((2, 200_000, 4))
    together = -(3 * share + share**3) / (1 + 3 * share**2)
    v = together * u + math.sqrt(1 - together**2) * v
    expected = np.quantile(np.maximum(np.abs(u), np.abs(v)).max(axis=1), 0.95)
    assert windows._limit_point(share, 4) == pytest.approx(expected, abs=0.015)


def test_the_range_of_shares_is_the_binomials_where_windows_do_not_overlap():
    hits = np.random.default_rng(11).random((200, 400)) < 0.05
    mean, low, high = windows.chance_shares(hits[:, :100], hits[:, :100] > -1, 1)
    assert mean == pytest.approx(0.05, abs=0.005)
    assert (low, high) == (pytest.approx(0.01, abs=0.011), pytest.approx(0.1, abs=0.011))


def test_the_range_of_shares_is_wider_where_windows_overlap():
    once = np.random.default_rng(12).random((200, 100)) < 0.05
    overlapping = np.repeat(once, 4, axis=1)[:, :100]
    _, low, high = windows.chance_shares(overlapping, np.ones_like(overlapping), 4)
    _, narrow_low, narrow_high = windows.chance_shares(once, np.ones_like(once), 1)
    assert high - low > 1.5 * (narrow_high - narrow_low)


def test_windows_of_which_nothing_can_be_said_do_not_count_in_a_share():
    """Half of the windows are silent: the share is of the others, and its range as wide as that of half as many."""
    hits = np.random.default_rng(14).random((200, 200)) < 0.1
    sayable = np.broadcast_to(np.arange(200) % 2 == 0, hits.shape)
    mean, low, high = windows.chance_shares(hits & sayable, sayable, 1)
    _, half_low, half_high = windows.chance_shares(hits[:, :100], np.ones((200, 100), dtype=bool), 1)
    assert mean == pytest.approx(0.1, abs=0.006)
    assert (low, high) == (pytest.approx(half_low, abs=0.011), pytest.approx(half_high, abs=0.011))


def test_what_both_legs_share_names_neither_more_often_than_the_other():
    """Series with a memory of .8 name either in more windows than chance; forty at .05 are at most six."""
    more = leaning = 0
    for seed in range(40):
        noise = np.random.default_rng(seed).standard_normal((3, 2500))
        for t in range(1, 2500):
            noise[:, t] += 0.8 * noise[:, t - 1]
        f, u, v = noise
        tests = rolling_leads(2 * f + u, 2 * f + v, Rolling(61, 15, 5), seed)
        more += (tests.named > 0).mean() > windows.chance_shares(tests.chance > 0, tests.sayable, 5)[2]
        leaning += windows.one_sided(tests.named, 5) < 0.05
    assert more > 20
    assert leaning <= 6


def test_a_leader_is_named_more_often_than_the_other():
    for seed, side in ((1, 1), (2, -1)):
        x, y = led(2500, 1, 0.4, 0.5, seed)
        named = rolling_leads(*(x, y)[::side], Rolling(61, 15, 5)).named
        assert windows.one_sided(named, 5) < 0.01
    assert math.isnan(windows.one_sided(np.zeros(40, dtype=int), 5))


def test_the_same_seed_names_the_same_windows():
    a, b = linked_returns(400, 0.5, 13)
    one, other = (rolling_leads(a, b, Rolling(50, 10, 4), 3) for _ in range(2))
    assert one.p_value.tolist() == other.p_value.tolist()
