"""The lead test against loops over Python's numbers, statsmodels, and pairs whose truth is known.

Lag and p are compared exactly, the detectable lead to rel 1e-10; r(k) to rel 1e-10.
"""

import math

import numpy as np
import pytest
import scipy.stats
import statsmodels.tsa.stattools as tsa
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import linked_returns, naive_lead, shuffled_orders

from pairwatch import lead
from pairwatch.kernels import simple_returns
from pairwatch.model import Leg
from pairwatch.sources import Request
from pairwatch.sources.demo import LEAD_BARS, Demo

NOON = 1_795_176_000.0  # 20 November 2026, 12:00 UTC
FEW = 99

seeds = st.integers(0, 2**31)


def led(n, by, share, rho, seed):
    """White legs of which the first leads the second by so many bars, beside a correlation on the same day."""
    x, e = np.random.default_rng(seed).standard_normal((2, n + by))
    y = rho * x + e * math.sqrt(1 - rho**2)
    y[by:] += share * x[:-by]
    return x[by:], y[by:]


def demo_returns(*symbols):
    request = [Request(Leg("demo", symbol), NOON) for symbol in symbols]
    return [simple_returns(Demo().fetch(one).series.closes) for one in request]


# ---------------------------------------------------------------- r(k)


@pytest.mark.parametrize("rho", [0.0, 0.85, -0.6, 0.99999])
@pytest.mark.parametrize("n", [20, 61, 251])
def test_correlations_across_time_are_those_of_statsmodels_in_both_directions(rho, n):
    a, b = linked_returns(n, rho, seed=n)
    found = lead.cross_correlations(a, b, 6)
    assert found[6:] == pytest.approx(tsa.ccf(b, a, adjusted=False)[:7], rel=1e-10, abs=1e-13)
    assert found[6::-1] == pytest.approx(tsa.ccf(a, b, adjusted=False)[:7], rel=1e-10, abs=1e-13)


def test_a_positive_lag_means_that_a_leads():
    a, b = led(500, by=3, share=0.9, rho=0.0, seed=1)
    found = lead.cross_correlations(a, b, 5)
    assert found.argmax() == 5 + 3
    assert found.shape == (11,)


def test_exchanging_the_legs_turns_the_correlations_round_to_the_bit():
    a, b = linked_returns(61, 0.5, 3)
    assert lead.cross_correlations(a, b, 5).tolist() == lead.cross_correlations(b, a, 5)[::-1].tolist()


@pytest.mark.parametrize("broken", [np.full(30, 0.1), np.append(np.arange(29.0), np.nan)])
def test_a_constant_leg_or_a_nan_makes_every_correlation_nan(broken):
    assert np.isnan(lead.cross_correlations(broken, linked_returns(30)[0], 4)).all()


# ---------------------------------------------------------------- the test of a lead


@settings(max_examples=25)
@given(seeds, st.sampled_from([0.0, 0.3, 0.85, -0.7]), st.integers(12, 25), st.integers(1, 4))
def test_lag_p_and_detectable_lead_are_those_of_plain_loops(seed, rho, n, max_lag):
    a, b = linked_returns(n, rho, seed)
    found = lead.lead_test(a, b, max_lag, seed, permutations=FEW)
    lag, p, detectable = naive_lead(a, b, max_lag, shuffled_orders(n, seed, FEW))
    assert (found.lag, found.p_value) == (lag, p)
    assert found.detectable == pytest.approx(detectable, rel=1e-10)
    r = lead.cross_correlations(a, b, max_lag)
    assert found.asymmetry == pytest.approx(r[max_lag + abs(lag)] - r[max_lag - abs(lag)], rel=1e-10, abs=1e-13)


@settings(max_examples=25)
@given(seeds, st.sampled_from([0.0, 0.85, -0.5]))
def test_exchanging_the_legs_negates_lag_and_asymmetry_and_keeps_the_rest_to_the_bit(seed, rho):
    a, b = linked_returns(61, rho, seed)
    one, other = (lead.lead_test(*legs, 5, seed, permutations=FEW) for legs in ((a, b), (b, a)))
    assert one == (-other.lag, -other.asymmetry, other.p_value, other.detectable)


@settings(max_examples=25)
@given(seeds, st.floats(1e-6, 1e6), st.floats(-100, 100))
def test_scale_and_origin_of_a_leg_do_not_matter(seed, scale, origin):
    a, b = linked_returns(61, 0.5, seed, volatility=1.0)
    one = lead.lead_test(a, b, 5, 0, permutations=FEW)
    other = lead.lead_test(scale * (a + origin), b - origin, 5, 0, permutations=FEW)
    assert (other.lag, other.p_value) == (one.lag, one.p_value)
    assert other[1:] == pytest.approx(one[1:], rel=1e-9, abs=1e-11)


def test_turning_one_leg_upside_down_keeps_the_lag_and_negates_the_asymmetry():
    a, b = linked_returns(61, 0.5, 6)
    one, other = lead.lead_test(a, b, 5, 0), lead.lead_test(a, -b, 5, 0)
    assert (other.lag, other.p_value, other.asymmetry) == (one.lag, one.p_value, -one.asymmetry)


def test_the_same_seed_gives_the_same_bits_and_another_seed_another_p():
    a, b = linked_returns(61, 0.5, 7)
    assert lead.lead_test(a, b, 5, 1) == lead.lead_test(a, b, 5, 1)
    others = {lead.lead_test(a, b, 5, seed).p_value for seed in range(5)}
    assert len(others) > 1
    assert max(others) - min(others) < 0.06


def test_the_legs_themselves_are_left_alone():
    a, b = linked_returns(61, 0.5, 8)
    before = a.copy(), b.copy()
    lead.lead_test(a, b, 5, 0, permutations=FEW)
    lead.cross_correlations(a, b, 5)
    assert (a == before[0]).all()
    assert (b == before[1]).all()


@pytest.mark.parametrize("block", [1, 61, 1000, 1 << 20])
def test_how_many_numbers_are_worked_on_at_a_time_does_not_change_the_answer(monkeypatch, block):
    a, b = linked_returns(61, 0.5, 9)
    usual = lead.lead_test(a, b, 5, 3, permutations=300)
    monkeypatch.setattr(lead, "BLOCK", block)
    assert lead.lead_test(a, b, 5, 3, permutations=300) == usual


def test_p_counts_the_order_as_it_is_among_the_permutations():
    a, b = led(61, by=1, share=5.0, rho=0.0, seed=2)
    assert lead.lead_test(a, b, 5, 0, permutations=19).p_value == 1 / 20
    unrelated = [lead.lead_test(*linked_returns(20, 0.0, s), 3, 0, permutations=19).p_value * 20 for s in range(20)]
    assert unrelated == pytest.approx([round(p) for p in unrelated], rel=1e-12)


# ---------------------------------------------------------------- where nothing can be said

moving = linked_returns(30)[0]


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (np.zeros(30), moving),
        (moving, np.full(30, 0.1)),
        (np.full(30, 1.0), np.full(30, 2.0)),
        (0.1 + np.spacing(0.1) * (np.arange(30) % 3), moving),
        (np.append(moving[:29], np.nan), moving),
        (moving, moving),
        (moving, -3 * moving + 1),
        (moving[:7], linked_returns(30)[1][:7]),
        (moving[:1], moving[1:2]),
        (moving[:0], moving[:0]),
    ],
    ids=[
        "still",
        "still b",
        "both still",
        "still up to rounding",
        "nan",
        "same",
        "mirrored",
        "too short",
        "one return",
        "none",
    ],
)
def test_no_lead_can_be_said_of_legs_that_are_still_broken_the_same_or_too_short(a, b):
    found = lead.lead_test(a, b, 5, 0, permutations=FEW)
    assert found.lag == 0
    assert all(math.isnan(x) for x in found[1:])


# ---------------------------------------------------------------- truth and error


def test_the_lead_of_the_demos_leader_is_found_in_most_windows():
    leader, follower = demo_returns("LEADER", "FOLLOWER")
    starts = range(0, 61 * 40, 61)
    found = [lead.lead_test(leader[s : s + 61], follower[s : s + 61], 10, 0, permutations=399) for s in starts]
    named = [one.lag for one in found if one.p_value < lead.SIZE]
    assert len(named) >= 0.9 * len(found)
    assert named.count(LEAD_BARS) >= 0.95 * len(named)


def test_a_lead_beside_a_strong_correlation_is_found_with_its_direction():
    """Power measured for the design: a one-day lead of .5 at rho .85 in nine windows of ten."""
    found = [lead.lead_test(*led(61, 1, 0.5, 0.85, s), 5, 0, permutations=199) for s in range(40)]
    named = [one.lag for one in found if one.p_value < lead.SIZE]
    assert len(named) >= 30
    assert named.count(1) >= len(named) - 2


@pytest.mark.parametrize("rho", [0.0, 0.85])
def test_p_is_about_uniform_where_neither_leads(rho):
    """Two hundred pairs: a share's standard error is at most .035; the bounds are three of them."""
    found = [lead.lead_test(*linked_returns(61, rho, 1000 + s), 5, s, permutations=FEW).p_value for s in range(200)]
    for level in (0.05, 0.25, 0.5, 0.75):
        error = math.sqrt(level * (1 - level) / len(found))
        assert np.mean(np.array(found) <= level) == pytest.approx(level, abs=3 * error)


def test_neither_direction_is_favoured_where_neither_leads():
    found = [lead.lead_test(*linked_returns(61, 0.5, s), 5, 0, permutations=1).lag > 0 for s in range(200)]
    assert np.mean(found) == pytest.approx(0.5, abs=0.11)


def test_a_lead_of_the_detectable_size_is_called_in_about_four_windows_of_five():
    limits = [lead.lead_test(*linked_returns(121, 0.0, s), 5, 0, permutations=199).detectable for s in range(10)]
    size = float(np.median(limits))
    share = size / math.sqrt(1 - size**2)  # of x into y = share x + e, whose deviation is not one
    found = [lead.lead_test(*led(121, 1, share, 0.0, 50 + s), 5, 0, permutations=199).p_value for s in range(100)]
    assert np.mean(np.array(found) < lead.SIZE) == pytest.approx(0.8, abs=0.12)


def test_every_order_of_the_dates_is_as_likely_as_any_other():
    orders = np.concatenate(list(lead._orders(4, 3, 24_000)))[1:]
    _, counts = np.unique(orders, axis=0, return_counts=True)
    assert len(counts) == 24
    assert scipy.stats.chisquare(counts).pvalue > 0.001
