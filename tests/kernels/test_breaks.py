import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pairwatch.kernels import breaks
from pairwatch.kernels.break_tables import QUANTILES, TAILS
from pairwatch.kernels.smoothing import FIRST


def pair(n, rho, seed=0, tail=0):
    """`rho` may change from return to return."""
    rng = np.random.default_rng(seed)
    x, e = rng.standard_normal((2, n))
    scale = 0.01 / np.sqrt(rng.chisquare(tail, n) / tail) if tail else 0.01
    return scale * x, scale * (rho * x + np.sqrt(1 - np.square(rho)) * e)


def stepped(n, at, before, after):
    return np.where(np.arange(n) < at, before, after)


@pytest.mark.parametrize("n", [80, 240, 1000, 10_000])
def test_the_tail_is_that_of_the_table_and_never_rises(n):
    quantiles = dict(QUANTILES)[n]
    assert [breaks.step_tail(q, n) for q in quantiles] == pytest.approx(TAILS, rel=1e-12)
    tails = [breaks.step_tail(t, n) for t in np.linspace(0, 60, 400)]
    assert tails == sorted(tails, reverse=True)
    assert 0 < tails[-1] < 1e-9
    assert tails[0] > 0.99


def test_between_two_lengths_the_tail_lies_between_theirs():
    tails = [breaks.step_tail(4, n) for n in (240, 280, 340)]
    assert tails == sorted(tails)
    assert breaks.step_tail(4, 50_000) == breaks.step_tail(4, 10_000)


def test_the_tail_of_nothing_is_not_known():
    assert math.isnan(breaks.step_tail(math.nan, 300))


@pytest.mark.parametrize("n", [150, 900])
def test_the_table_is_that_of_values_without_a_step(n):
    rng = np.random.default_rng(n)
    drawn = rng.standard_normal((400, n))
    ps = np.array([breaks.step_tail(breaks.strongest_step(x - x.mean()).statistic, n) for x in drawn])
    for level in (0.05, 0.25, 0.75):
        assert np.mean(ps <= level) == pytest.approx(level, abs=3 * math.sqrt(level * (1 - level) / 400))


def test_a_break_is_found_and_dated():
    a, b = pair(1000, stepped(1000, 600, 0.2, 0.8))
    found = breaks.correlation_break(a, b)
    assert found.p_value < 0.01
    assert abs(found.at - 600) < 30
    assert found.low <= 600 <= found.high
    assert found.before == pytest.approx(0.2, abs=0.1)
    assert found.after == pytest.approx(0.8, abs=0.1)


@pytest.mark.parametrize(("before", "after"), [(0.85, 0.0), (0.3, 0.7)])
@pytest.mark.parametrize("share", [0.5, 0.86, 0.94])
def test_the_interval_of_the_date_holds_wherever_the_break_is(before, after, share):
    n, at = 1600, round(1600 * share)
    drawn = [breaks.correlation_break(*pair(n, stepped(n, at, before, after), seed, 5)) for seed in range(60)]
    told = [found for found in drawn if found.p_value < 0.05]
    assert len(told) >= (60 if before > 0.5 else 30)
    assert np.mean([found.low <= at <= found.high for found in told]) >= 0.93
    assert np.median([found.high - found.low for found in told]) < (60 if before > 0.5 else 250)


@pytest.mark.parametrize(("n", "after"), [(2839, 167), (6600, 250), (1000, 90)])
def test_a_break_near_the_end_is_found_and_dated(n, after):
    for seed in range(10):
        found = breaks.correlation_break(*pair(n, stepped(n, n - after, 0.85, 0.0), seed))
        assert found.p_value < 0.001
        assert abs(found.at - (n - after)) < 30
        assert found.low <= n - after <= found.high


@pytest.mark.parametrize(("n", "edge"), [(100, 20), (180, 40), (260, 60), (3000, 60)])
def test_no_change_is_looked_for_nearer_to_an_end_than_it_is_said(n, edge):
    for seed in range(20):
        found = breaks.correlation_break(*pair(n, stepped(n, n - 5, 0.9, -0.9), seed))
        assert found.unseen == edge
        assert FIRST + edge <= found.at <= n - edge


def test_the_interval_is_that_of_all_places_that_leave_nearly_as_few_squares():
    values = np.random.default_rng(3).standard_normal(300) * np.where(np.arange(300) < 200, 1, 3)
    values += stepped(300, 200, 0, 2.5)
    values -= values.mean()
    found = breaks.strongest_step(values)
    left = np.array([j * values[:j].var() + (300 - j) * values[j:].var() for j in range(1, 300)])
    assert found.at == int(left[59:240].argmin()) + 60
    sides = [breaks.long_run_variance(part - part.mean()) for part in np.split(values, [found.at])]
    assert sides[1] > 3 * sides[0]
    drawn = np.random.default_rng(0).exponential(2 * np.array(sides), (400_000, 2)).max(axis=1)
    near = np.flatnonzero(left <= left.min() + np.quantile(drawn, 0.95)) + 1
    assert (found.low, found.high) == (near[0], near[-1])


def test_of_two_equal_sides_the_true_place_lacks_at_most_what_eo_and_morley_say():
    assert breaks._short_of_best(1, 1) == pytest.approx(7.35, abs=0.005)
    assert breaks._short_of_best(3, 0) == pytest.approx(-6 * math.log(0.05), rel=1e-9)
    assert breaks._short_of_best(0, 0) == 0


@pytest.mark.parametrize("tail", [0, 3])
def test_a_constant_correlation_shows_a_break_as_often_as_it_says(tail):
    ps = [breaks.correlation_break(*pair(500, 0.85, seed, tail)).p_value for seed in range(300)]
    assert 0.003 <= np.mean(np.array(ps) < 0.05) <= 0.08


def test_a_stretch_of_turbulence_is_no_break():
    a, b = pair(1000, 0.5, seed=3)
    wild = np.where((np.arange(1000) > 400) & (np.arange(1000) < 600), 6.0, 1.0)
    assert breaks.correlation_break(a * wild, b * wild).p_value > 0.05


def test_the_statistic_is_the_step_over_the_long_run_deviation_of_what_it_leaves():
    a, b = pair(300, 0.4)
    x, y = ((v := breaks.standardised(leg)).clip(-2.5 * (r := np.sqrt(np.mean(v**2))), 2.5 * r) for leg in (a, b))
    psi = breaks.influences(x, y)
    n, lags = len(psi), len(psi) // 12
    gains = {j: psi[:j].sum() ** 2 * n / (j * (n - j)) for j in range(60, n - 59)}
    at = max(gains, key=gains.__getitem__)
    rest = np.concatenate([part - part.mean() for part in np.split(psi, [at])])
    variance = sum(
        (1 - abs(k) / (lags + 1)) * sum(rest[t] * rest[t + k] for t in range(max(0, -k), min(n, n - k))) / n
        for k in range(-lags, lags + 1)
    )
    found = breaks.correlation_break(a, b)
    assert found.statistic == pytest.approx(math.sqrt(gains[at] / variance), rel=1e-10)
    assert found.at == FIRST + at


def test_influences_are_what_one_more_pair_does_to_the_correlation():
    a, b = pair(4000, 0.6)
    psi = breaks.influences(a, b)
    assert psi.mean() == pytest.approx(0, abs=1e-12)
    without = np.corrcoef(a[1:], b[1:])[0, 1]
    assert np.corrcoef(a, b)[0, 1] - without == pytest.approx(psi[0] / 4000, abs=1e-6)


@settings(max_examples=25)
@given(st.integers(0, 1000), st.floats(0.01, 100))
def test_swapping_and_scaling_the_legs_leaves_the_break(seed, scale):
    a, b = pair(150, 0.5, seed)
    first, second = breaks.correlation_break(a, b), breaks.correlation_break(scale * b, a)
    assert second == pytest.approx(first, rel=1e-8)


def test_one_series_twice_has_no_break_though_rounding_has():
    a = pair(2840, 0.5, 1)[0]
    for other in (a, 2 * a, -a / 3):
        assert breaks.correlation_break(a, other) == pytest.approx(breaks.NO_BREAK, nan_ok=True)


def each_its_own(n, rho, rng):
    """A pair whose common and own parts have volatilities of their own: GARCH(1,1), alpha .1, beta .88, t5."""
    z = rng.standard_t(5, (n + 200, 3)) * math.sqrt(3 / 5)
    x, h = np.empty_like(z), np.ones(3)
    for t in range(n + 200):
        x[t] = np.sqrt(h) * z[t]
        h = 0.02 + 0.1 * x[t] ** 2 + 0.88 * h
    common, a, b = x[200:].T
    return math.sqrt(rho) * common + math.sqrt(1 - rho) * a, math.sqrt(rho) * common + math.sqrt(1 - rho) * b


def test_volatilities_that_cluster_each_by_itself_seldom_pass_for_a_break():
    rng = np.random.default_rng(0)
    ps = [breaks.correlation_break(*each_its_own(1000, 0.85, rng)).p_value for _ in range(60)]
    assert np.mean(np.array(ps) < 0.05) <= 0.25


def test_stretches_of_a_constant_correlation_are_as_unlike_as_they_say():
    rng = np.random.default_rng(1)
    parts = [(200 * i, 200 * (i + 1)) for i in range(5)]
    for drawn in (lambda seed: pair(1000, 0.85, seed, 3), lambda _: each_its_own(1000, 0.85, rng)):
        ps = [breaks.equal_in_parts_p(*drawn(seed), parts) for seed in range(60)]
        assert np.mean(np.array(ps) < 0.05) <= 0.17


def test_a_stretch_of_another_correlation_is_found():
    legs = pair(1000, np.where(np.arange(1000) // 200 == 2, 0.1, 0.8))
    assert breaks.equal_in_parts_p(*legs, [(200 * i, 200 * (i + 1)) for i in range(5)]) < 0.01


def test_short_stretches_that_differ_are_found_too():
    legs = pair(384, np.where(np.arange(384) < 192, 0.1, 0.8))
    assert breaks.equal_in_parts_p(*legs, [(12 * i, 12 * (i + 1)) for i in range(32)]) < 0.1


def test_what_cannot_be_compared_has_no_p():
    a, b = pair(300, 0.5)
    assert math.isnan(breaks.equal_in_parts_p(a, b, [(0, 300)]))
    assert math.isnan(breaks.equal_in_parts_p(a, 2 * a, [(0, 150), (150, 300)]))
    assert math.isnan(breaks.equal_in_parts_p(a[:90], b[:90], [(0, 45), (45, 90)]))
    assert math.isfinite(breaks.equal_in_parts_p(a, b, [(0, 150), (150, 300)]))


@pytest.mark.filterwarnings("error")
def test_a_stretch_without_returns_is_none_of_those_that_are_compared():
    a, b = pair(300, 0.5)
    parts = [(0, 150), (150, 300)]
    for empty in ((300, 300), (200, 200), (293, 300), (0, FIRST + 5)):
        assert breaks.equal_in_parts_p(a, b, [*parts, empty]) == breaks.equal_in_parts_p(a, b, parts)
    assert breaks.equal_in_parts_p(a, b, [*parts, (292, 300)]) != breaks.equal_in_parts_p(a, b, parts)


def test_too_few_returns_and_legs_that_do_not_move_have_no_break():
    assert math.isnan(breaks.correlation_break(*pair(breaks.LEAST_RETURNS - 1, 0.5)).p_value)
    assert math.isnan(breaks.correlation_break(np.zeros(200), pair(200, 0.5)[0]).p_value)
    assert math.isfinite(breaks.correlation_break(*pair(breaks.LEAST_RETURNS, 0.5)).p_value)
