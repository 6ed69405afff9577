import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from pairwatch.kernels import breaks
from pairwatch.kernels.smoothing import FIRST


def pair(n, rho, seed=0, tail=0):
    """`rho` may change from return to return."""
    rng = np.random.default_rng(seed)
    x, e = rng.standard_normal((2, n))
    scale = 0.01 / np.sqrt(rng.chisquare(tail, n) / tail) if tail else 0.01
    return scale * x, scale * (rho * x + np.sqrt(1 - np.square(rho)) * e)


def stepped(n, at, before, after):
    return np.where(np.arange(n) < at, before, after)


@pytest.mark.parametrize("q", [0.1, 0.31, 0.5, 0.8276, 1.3581, 2.5])
def test_the_tail_is_kolmogorovs(q):
    assert breaks.kolmogorov_tail(q) == pytest.approx(special.kolmogorov(q), abs=1e-5)


def test_the_tail_of_nothing_is_not_known():
    assert math.isnan(breaks.kolmogorov_tail(math.nan))


def test_a_break_is_found_and_dated():
    a, b = pair(1000, stepped(1000, 600, 0.2, 0.8))
    found = breaks.correlation_break(a, b)
    assert found.p_value < 0.01
    assert abs(found.at - 600) < 30
    assert found.low <= 600 <= found.high
    assert found.before == pytest.approx(0.2, abs=0.1)
    assert found.after == pytest.approx(0.8, abs=0.1)


def test_the_interval_of_the_date_holds_most_of_the_time():
    inside, width = 0, []
    for seed in range(100):
        found = breaks.correlation_break(*pair(800, stepped(800, 400, 0.3, 0.7), seed, 5))
        inside += found.low <= 400 <= found.high
        width.append(found.high - found.low)
    assert inside >= 88
    assert np.median(width) < 400


@pytest.mark.parametrize("tail", [0, 3])
def test_a_constant_correlation_shows_a_break_as_often_as_it_says(tail):
    ps = [breaks.correlation_break(*pair(500, 0.85, seed, tail)).p_value for seed in range(300)]
    assert 0.003 <= np.mean(np.array(ps) < 0.05) <= 0.08


def test_a_stretch_of_turbulence_is_no_break():
    a, b = pair(1000, 0.5, seed=3)
    wild = np.where((np.arange(1000) > 400) & (np.arange(1000) < 600), 6.0, 1.0)
    assert breaks.correlation_break(a * wild, b * wild).p_value > 0.05


def test_the_statistic_is_the_highest_of_the_influences_sums():
    a, b = pair(300, 0.4)
    x, y = ((v := breaks.standardised(leg)).clip(-2.5 * (r := np.sqrt(np.mean(v**2))), 2.5 * r) for leg in (a, b))
    psi = breaks.influences(x, y)
    n, lags = len(psi), len(psi) // 12
    variance = sum(
        (1 - abs(k) / (lags + 1)) * sum(psi[t] * psi[t + k] for t in range(max(0, -k), min(n, n - k))) / n
        for k in range(-lags, lags + 1)
    )
    sums = [abs(sum(psi[: j + 1])) / math.sqrt(n * variance) for j in range(n)]
    found = breaks.correlation_break(a, b)
    assert found.statistic == pytest.approx(max(sums), rel=1e-10)
    assert found.at == FIRST + sums.index(max(sums)) + 1


def test_influences_are_what_one_more_pair_does_to_the_correlation():
    a, b = pair(4000, 0.6)
    psi = breaks.influences(a, b)
    assert psi.mean() == pytest.approx(0, abs=1e-12)
    without = np.corrcoef(a[1:], b[1:])[0, 1]
    assert np.corrcoef(a, b)[0, 1] - without == pytest.approx(psi[0] / 4000, abs=1e-6)


@settings(max_examples=25, deadline=None)
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
    assert np.mean(np.array(ps) < 0.05) <= 0.15


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


def test_too_few_returns_and_legs_that_do_not_move_have_no_break():
    assert math.isnan(breaks.correlation_break(*pair(breaks.LEAST_RETURNS - 1, 0.5)).p_value)
    assert math.isnan(breaks.correlation_break(np.zeros(200), pair(200, 0.5)[0]).p_value)
    assert math.isfinite(breaks.correlation_break(*pair(breaks.LEAST_RETURNS, 0.5)).p_value)
