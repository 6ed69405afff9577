"""How well one series hedges another, against statsmodels, pandas, empyrical, arch and plain loops."""

import math
from itertools import pairwise

import empyrical
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from arch.bootstrap import CircularBlockBootstrap
from hypothesis import given, settings
from hypothesis import strategies as st

from pairwatch.kernels import correlation
from pairwatch.kernels.effectiveness import (
    block_slopes,
    block_starts,
    deepest_drawdowns,
    deepest_fall,
    effectiveness,
    equal_variances,
    expanding_slope,
    explained,
    held,
    jackknifed,
    residual_range,
    robust_slope,
)

light = settings(max_examples=40)
seeds = st.integers(0, 2**31)


def linked(n, rho=0.8, seed=0):
    x, e = np.random.default_rng(seed).standard_normal((2, n)) * 0.01
    return x, rho * x + math.sqrt(1 - rho**2) * e


def clustered(n, rho, rng):
    """A common factor and two rests, each a GARCH(1,1) of unit variance with t5 shocks of its own."""
    z = rng.standard_t(5, (n + 100, 3)) * math.sqrt(3 / 5)
    found, h = np.empty_like(z), np.ones(3)
    for t, shocks in enumerate(z):
        found[t] = np.sqrt(h) * shocks
        h = 0.05 + 0.1 * found[t] ** 2 + 0.85 * h
    f, u, v = found[100:].T
    return math.sqrt(rho) * f + math.sqrt(1 - rho) * u, math.sqrt(rho) * f + math.sqrt(1 - rho) * v


def without_blocks(n, blocks):
    """The places left when each block has been left out."""
    edges = [i * n // blocks for i in range(blocks + 1)]
    return [np.r_[0:low, high:n] for low, high in pairwise(edges)]


def student(p, df):
    from scipy.stats import t

    return t.ppf(p, df)


# ---------------------------------------------------------------- intervals


@pytest.mark.parametrize(("n", "blocks"), [(12, 4), (61, 4), (1999, 4), (2000, 6), (3001, 6)])
def test_a_slope_and_its_error_are_those_of_regressions_without_each_block(n, blocks):
    x, y = linked(n)
    found = robust_slope(x, y)
    without = np.array([np.polyfit(x[at], y[at], 1)[0] for at in without_blocks(n, blocks)])
    error = math.sqrt((blocks - 1) / blocks * np.square(without - without.mean()).sum())
    assert found.value == pytest.approx(sm.OLS(y, sm.add_constant(x)).fit().params[1], rel=1e-10)
    assert found.reach == pytest.approx(student(0.975, blocks - 1) * error, rel=1e-8)
    assert (found.low + found.high) / 2 == pytest.approx(found.value)


@pytest.mark.parametrize(("n", "blocks"), [(403, 4), (2003, 6)])
def test_the_slope_of_each_block_is_that_of_its_bars_alone(n, blocks):
    y, x = linked(n)
    found = block_slopes(x, y)
    assert [end - begin for begin, end in found.ends] == [len(part) for part in np.split(x, block_starts(n)[1:])]
    assert found.ends[0][0] == 0
    assert found.ends[-1][1] == n
    assert len(found.ends) == blocks
    for (begin, end), slope in zip(found.ends, found.slopes, strict=True):
        assert slope == pytest.approx(np.polyfit(x[begin:end], y[begin:end], 1)[0], rel=1e-9)


def test_a_block_is_decisive_that_makes_more_than_half_of_the_error():
    x, y = linked(400)
    assert block_slopes(x, np.r_[y[:300], 9 * x[300:]]).decisive == 3
    even = np.tile(x[:100], 4)
    assert block_slopes(even, even * np.repeat([1.0, 2.0, 1.0, 2.0], 100)).decisive is None


def test_a_block_in_which_nothing_varies_has_no_slope():
    x, y = linked(400)
    assert math.isnan(block_slopes(np.r_[np.zeros(100), x[100:]], y).slopes[0])


def test_a_slope_through_the_origin_is_that_of_statsmodels_without_a_constant():
    x, y = linked(300)
    assert robust_slope(x, y, centred=False).value == pytest.approx(sm.OLS(y, x).fit().params[0], rel=1e-12)


def test_the_error_of_a_slope_agrees_with_newey_and_wests_in_long_series():
    errors = []
    for seed in range(40):
        x, y = linked(3000, seed=seed)
        theirs = sm.OLS(y, sm.add_constant(x)).fit(cov_type="HAC", cov_kwds={"maxlags": 8}).bse[1]
        errors.append(robust_slope(x, y).reach / student(0.975, 5) / theirs)
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(1, abs=0.15)


def test_effectiveness_is_the_share_of_the_variance_that_is_gone():
    b, a = linked(400)
    found = effectiveness(a - 0.7 * b, a)
    assert found.value == pytest.approx(1 - np.var(a - 0.7 * b) / np.var(a), rel=1e-10)
    assert found.low < found.value < found.high < 1


def test_the_interval_of_effectiveness_is_the_block_bootstraps_for_independent_bars():
    b, a = linked(3000, seed=4)
    hedged = a - 0.8 * b
    bootstrap = CircularBlockBootstrap(20, hedged, a, seed=1)
    low, high = bootstrap.conf_int(lambda h, u: 1 - h.var() / u.var(), 500, method="percentile").ravel()
    found = effectiveness(hedged, a)
    assert (found.low, found.high) == (pytest.approx(low, abs=0.025), pytest.approx(high, abs=0.025))


def test_in_sample_effectiveness_is_r_squared_either_way_round_and_never_below_zero():
    x, y = linked(500, 0.6)
    assert explained(x, y).value == pytest.approx(correlation(x, y) ** 2, rel=1e-10)
    assert explained(x, y) == pytest.approx(explained(y, x))
    assert explained(x, np.roll(x, 250)).low == 0


@given(seeds, st.floats(0.2, 5), st.floats(-3, 3))
@light
def test_scale_and_origin_of_a_series_do_not_matter(seed, scale, origin):
    x, y = linked(100, seed=seed)
    assert effectiveness(scale * y + origin, scale * x) == pytest.approx(effectiveness(y, x), abs=1e-9)
    assert explained(scale * y + origin, x) == pytest.approx(explained(y, x), abs=1e-9)
    assert robust_slope(x, scale * y) == pytest.approx([scale * end for end in robust_slope(x, y)])
    assert robust_slope(scale * x + origin, y) == pytest.approx([end / scale for end in robust_slope(x, y)], rel=1e-6)


@given(seeds, st.floats(0.05, 1.5))
@light
def test_a_p_below_5_percent_is_an_interval_without_zero(seed, ratio):
    b, a = linked(80, seed=seed)
    found, p = effectiveness(a - ratio * b, a), equal_variances(a - ratio * b, a)
    assert (p < 0.05) == (not found.low < 0 < found.high)
    assert equal_variances(a, a - ratio * b) == pytest.approx(p)


@pytest.mark.parametrize("n", [500, 1000])
def test_intervals_cover_the_truth_under_clustered_volatility_and_fat_tails(n):
    rng, rho, runs = np.random.default_rng(n), 0.85, 120
    covered = np.zeros(4)
    for _ in range(runs):
        a, b = clustered(n, rho, rng)
        slope, kept, common = robust_slope(b, a), effectiveness(a - rho * b, a), explained(a, b)
        covered += [
            slope.low <= rho <= slope.high,
            kept.low <= rho**2 <= kept.high,
            common.low <= rho**2 <= common.high,
            equal_variances(a, b) >= 0.05,
        ]
    assert (covered / runs > 0.88).all()
    assert (covered / runs < 1).all()


def test_textbook_intervals_do_not_cover_there():
    rng, rho = np.random.default_rng(5), 0.85
    covered = 0
    for _ in range(60):
        a, b = clustered(500, rho, rng)
        low, high = sm.OLS(a, sm.add_constant(b)).fit().conf_int()[1]
        covered += low <= rho <= high
    assert covered < 50


@pytest.mark.parametrize("n", [0, 1, 11])
def test_too_few_values_say_nothing(n):
    x, y = linked(n)
    for found in (robust_slope(x, y), effectiveness(x, y), explained(x, y)):
        assert np.isnan(found).all()
    assert math.isnan(equal_variances(x, y))


def test_what_does_not_vary_says_nothing():
    x, _ = linked(50)
    still = np.full(50, 0.1)
    for found in (robust_slope(still, x), effectiveness(x, still), explained(x, still)):
        assert np.isnan(found).all()
    assert effectiveness(np.zeros(50), x) == (1, 1, 1)
    assert np.isnan(robust_slope(np.zeros(50), x, centred=False)).all()


@pytest.mark.parametrize("scale", [1.0, -3.0, 1e-9])
def test_what_follows_exactly_is_explained_whole(scale):
    x, _ = linked(200)
    assert explained(x, scale * x) == (1, 1, 1)
    assert effectiveness(x * (1 + 1e-15) - x, x) == (1, 1, 1)


def test_an_end_of_what_is_explained_that_cannot_be_said_is_not_zero():
    moves = np.zeros(80)
    moves[3] = 1.0  # all that moves is in the first of four blocks
    other = moves + 0.1 * np.sin(np.arange(80))
    for found in (explained(moves, other), robust_slope(moves, other), effectiveness(other, moves)):
        assert math.isfinite(found.value)
        assert math.isnan(found.low)
        assert math.isnan(found.high)


def test_a_mean_is_jackknifed_as_one_of_its_blocks_means():
    x, _ = linked(40)
    found = jackknifed(np.array([x, np.ones(40)]), lambda sums: sums[0] / sums[1])
    means = x.reshape(4, 10).mean(axis=1)
    assert (found.value, found.freedom) == (pytest.approx(x.mean()), 3)
    assert found.error == pytest.approx(means.std(ddof=1) / 2)


# ---------------------------------------------------------------- ratios over time


def test_an_expanding_slope_is_that_of_pandas():
    x, y = linked(300)
    x, y = x + 5, y - 3
    found = expanding_slope(x, y, 20)
    reference = pd.Series(x).expanding(20).cov(pd.Series(y)) / pd.Series(x).expanding(20).var()
    assert np.isnan(found[:20]).all()
    assert found[20:] == pytest.approx(reference.to_numpy()[19:], rel=1e-9)


def test_an_expanding_slope_of_what_does_not_move_yet_is_unknown():
    x = np.r_[np.full(30, 2.0), 3.0, 4.0]
    found = expanding_slope(x, x, 5)
    assert np.isnan(found[:31]).all()
    assert found[31:] == pytest.approx(1)


@given(seeds, st.integers(1, 30), st.integers(1, 12))
@light
def test_a_position_left_alone_grows_until_it_is_set_again(seed, n, every):
    rng = np.random.default_rng(seed)
    growth, starts = np.exp(rng.normal(0, 0.1, n)), np.arange(0, n, every)
    estimates = rng.normal(0, 2, len(starts))
    positions, trades = held(estimates, starts, growth)
    now, bought = 0.0, []
    for t in range(n):
        if t % every == 0:
            bought.append(estimates[t // every] - now)
            now = estimates[t // every]
        assert positions[t] == pytest.approx(now)
        now *= growth[t]
    assert trades == pytest.approx(bought)


# ---------------------------------------------------------------- drawdowns


def slow_drawdowns(levels):
    """Every fall from a peak and back, in a loop."""
    found, peak, trough = [], 0, None
    for t in range(1, len(levels)):
        if levels[t] >= levels[peak]:
            if trough is not None:
                found.append((peak, trough, t, levels[trough] / levels[peak] - 1))
            peak, trough = t, None
        elif trough is None or levels[t] < levels[trough]:
            trough = t
    if trough is not None:
        found.append((peak, trough, None, levels[trough] / levels[peak] - 1))
    return sorted(found, key=lambda one: one[3])


@given(st.lists(st.integers(1, 9), min_size=1, max_size=40), st.integers(1, 6))
def test_the_deepest_drawdowns_are_those_of_a_loop(levels, count):
    levels = np.array(levels, dtype="f8")
    found = deepest_drawdowns(levels, count)
    expected = slow_drawdowns(levels)
    assert [one.depth for one in found] == pytest.approx([one[3] for one in expected[:count]])
    assert {tuple(one)[:3] for one in found} <= {one[:3] for one in expected}


@given(seeds)
@light
def test_the_deepest_is_the_one_of_empyrical(seed):
    returns = np.random.default_rng(seed).normal(0, 0.02, 200)
    levels = np.r_[1.0, np.cumprod(1 + returns)]
    theirs = empyrical.max_drawdown(returns)
    assert deepest_fall(returns) == pytest.approx(theirs)
    assert deepest_drawdowns(levels, 1)[0].depth == pytest.approx(theirs)


def test_what_only_rises_has_no_drawdown():
    assert deepest_drawdowns(np.array([1.0, 2, 2, 3]), 5) == []
    assert deepest_fall(np.array([0.1, 0.0])) == 0


def test_what_is_lost_stays_lost():
    assert deepest_fall(np.array([0.1, -1.5, -2.0, 3.0])) == -1


# ---------------------------------------------------------------- one more bar


@pytest.mark.parametrize("n", [39, 40, 60, 79, 80, 500])
def test_of_n_and_one_values_in_any_order_95_percent_lie_within_the_range_of_the_others(n):
    values = np.random.default_rng(n).standard_t(3, n + 1)
    inside = 0
    for at in range(n + 1):
        low, high = residual_range(np.delete(values, at))
        inside += low <= values[at] <= high
    assert 0.95 <= inside / (n + 1) < 0.99


def test_fewer_than_39_have_no_such_range():
    assert np.isnan(residual_range(np.arange(38.0))).all()
