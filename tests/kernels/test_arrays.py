"""Kernels against scipy, statsmodels, pandas, empyrical or brute force.

Relative tolerance 1e-10 where nothing else is said, with an absolute one of 1e-13 for values near zero.
"""

import math

import empyrical
import numpy as np
import pandas as pd
import pytest
import scipy.special
import scipy.stats
import statsmodels.api
import statsmodels.tsa.stattools
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from tests.builders import linked_returns, prices

from pairwatch import kernels

CLOSE = {"rel": 1e-10, "abs": 1e-13}

DEGREES = [*range(1, 31), 40, 59, 61, 100, 249, 250, 499, 1000, 1001, 2500, 4999, 5000]


def heavy(n=61, seed=0):
    """Two legs with t(3) tails that share a factor."""
    rng = np.random.default_rng(seed)
    common, own_a, own_b = rng.standard_t(3, (3, n)) * 0.01
    return common + 0.5 * own_a, common + own_b


def pairs_of_returns():
    tied = np.random.default_rng(7).integers(-2, 3, (2, 40)) / 100
    outlier = linked_returns(61, 0.2, 3)
    outlier[0][30], outlier[1][30] = 0.4, 0.3
    return {
        "normal": linked_returns(61, 0.85, 1),
        "few": linked_returns(20, 0.3, 2),
        "heavy": heavy(),
        "collinear": linked_returns(61, 0.999999, 4),
        "opposed": linked_returns(61, -0.9, 5),
        "tied": tuple(tied),
        "one day": outlier,
    }


PAIRS = pairs_of_returns()
every_pair = pytest.mark.parametrize(("x", "y"), PAIRS.values(), ids=PAIRS.keys())


def test_a_quotient_by_zero_or_of_something_infinite_is_nan():
    assert kernels.quotient(1.0, 4.0) == 0.25
    assert kernels.quotient(0.0, 4.0) == 0.0
    for top, bottom in ((1.0, 0.0), (math.inf, 1.0), (1.0, math.inf), (math.nan, 1.0), (1.0, math.nan)):
        assert math.isnan(kernels.quotient(top, bottom))


# ---------------------------------------------------------------- prices


@st.composite
def distributions(draw):
    """Closes, positions (each once, some outside) and amounts, some larger than the price."""
    closes = np.array(draw(st.lists(st.floats(0.5, 500.0), min_size=1, max_size=25)))
    at = np.array(draw(st.lists(st.integers(0, len(closes) + 3), max_size=6, unique=True)), dtype=int)
    amounts = np.array(draw(st.lists(st.floats(0.01, 600.0), min_size=len(at), max_size=len(at))), dtype=float)
    return closes, at, amounts


def factor_by_hand(closes, events, t):
    """Yahoo's: the product of 1 - amount / (close before the ex-date), over the later ex-dates."""
    product = 1.0
    for at, amount in events:
        if t < at < len(closes) and at > 0 and amount < closes[at - 1]:
            product *= 1 - amount / closes[at - 1]
    return product


@given(distributions())
def test_adjusted_closes_are_yahoos_by_brute_force(given_):
    closes, at, amounts = given_
    found = kernels.adjust_for_distributions(closes, at, amounts)
    events = list(zip(at.tolist(), amounts.tolist(), strict=True))
    expected = [close * factor_by_hand(closes, events, t) for t, close in enumerate(closes)]
    # A payment of nearly the whole price leaves a factor that is a difference of nearly equal numbers.
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-13)


def test_adjusted_closes_are_the_chain_that_pandas_makes():
    rng = np.random.default_rng(3)
    closes = pd.Series(prices(0.01 * rng.standard_normal(300)))
    paid = pd.Series(0.0, index=closes.index)
    paid[[1, 63, 126, 189, 252, 300]] = [0.4, 0.5, 0.5, 9.0, 0.6, 0.7]
    factor = (1 - paid / closes.shift()).fillna(1.0)
    expected = closes * factor[::-1].cumprod()[::-1].shift(-1, fill_value=1.0)
    at = np.flatnonzero(paid.to_numpy())
    found = kernels.adjust_for_distributions(closes.to_numpy(), at, paid.to_numpy()[at])
    assert found == pytest.approx(expected.to_numpy(), rel=1e-12)


def test_the_return_over_an_ex_date_is_that_of_the_price_without_the_payment():
    adjusted = kernels.adjust_for_distributions(np.array([100.0, 99.0]), np.array([1]), np.array([2.0]))
    assert kernels.simple_returns(adjusted) == pytest.approx([99 / 98 - 1], rel=1e-12)


def test_the_last_close_stays_as_quoted_to_the_bit():
    closes = prices(linked_returns(50, seed=1)[0])
    found = kernels.adjust_for_distributions(closes, np.array([10, 40]), np.array([1.0, 2.0]))
    assert found[-1] == closes[-1]
    assert (found[40:] == closes[40:]).all()
    assert (found[:40] < closes[:40]).all()


@pytest.mark.parametrize(("at", "amount"), [(0, 1.0), (3, 1.0), (99, 1.0), (1, 10.0), (2, 11.5)])
def test_payments_before_the_first_bar_after_the_last_or_of_the_whole_price_change_nothing(at, amount):
    closes = np.array([10.0, 11.0, 12.0])
    assert (kernels.adjust_for_distributions(closes, np.array([at]), np.array([amount])) == closes).all()


def test_a_payment_after_a_close_of_zero_changes_nothing_and_warns_of_nothing():
    closes = np.array([1.0, 0.0, 2.0, 3.0])
    found = kernels.adjust_for_distributions(closes, np.array([2]), np.array([0.5]))
    assert found.tolist() == closes.tolist()


def test_returns_are_those_of_pandas():
    closes = prices(heavy()[0])
    assert kernels.simple_returns(closes) == pytest.approx(
        pd.Series(closes).pct_change().dropna().to_numpy(), rel=1e-10, abs=1e-15
    )


@every_pair
def test_drawdown_is_that_of_empyrical(x, y):
    assert kernels.max_drawdown(prices(x)) == pytest.approx(empyrical.max_drawdown(x), **CLOSE)


def test_a_series_that_only_rises_has_no_drawdown():
    assert kernels.max_drawdown(np.arange(1.0, 9.0)) == 0.0


# ---------------------------------------------------------------- one leg


@every_pair
def test_moments_are_those_of_pandas_scipy_and_empyrical(x, y):
    assert kernels.sd(x) == pytest.approx(pd.Series(x).std(), **CLOSE)
    assert kernels.skewness(x) == pytest.approx(pd.Series(x).skew(), **CLOSE)
    assert kernels.skewness(x) == pytest.approx(scipy.stats.skew(x, bias=False), **CLOSE)
    assert kernels.downside_deviation(x) == pytest.approx(empyrical.downside_risk(x, annualization=1), **CLOSE)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e-9, 123456.789])
def test_a_leg_that_does_not_move_has_no_deviation_and_what_divides_by_it_is_nan(value):
    still, moving = np.full(30, value), linked_returns(30)[0]
    assert kernels.sd(still) == 0.0
    cannot = [
        kernels.skewness(still),
        kernels.half_life(still),
        kernels.reversion_t(still),
        kernels.slope(still, moving),
        kernels.slope_error(still, moving),
        kernels.correlation(still, moving),
        kernels.correlation(moving, still),
        kernels.correlation(kernels.ranks(still), kernels.ranks(moving)),
        *kernels.leave_one_out_correlations(still, moving),
        *kernels.leave_one_out_correlations(moving, still),
    ]
    assert all(math.isnan(x) for x in cannot)


def test_too_few_values_are_nan():
    one, two = np.array([0.01]), np.array([0.01, 0.02])
    cannot = [
        kernels.sd(one),
        kernels.skewness(two),
        kernels.half_life(np.array([1.0, 2.0, 1.0])),
        kernels.reversion_t(np.array([1.0, 2.0, 1.0])),
        kernels.slope(one, one),
        kernels.slope_error(two, two),
        kernels.correlation(one, one),
        *kernels.leave_one_out_correlations(two, two),
        kernels.geometric_capture(one[:0], one[:0]),
    ]
    assert all(math.isnan(x) for x in cannot)


@pytest.mark.parametrize("half", [0.5, 1.0, 2.0, 10.0, 60.0])
def test_the_half_life_of_a_noiseless_decay_is_its_own(half):
    spread = 0.3 + 0.1 * 0.5 ** (np.arange(40) / half)
    # A slow decay moves by little: differences of nearly equal numbers lose digits.
    assert kernels.half_life(spread) == pytest.approx(half, rel=1e-9)


def test_the_half_life_is_that_of_the_regression():
    for seed in range(20):
        a, b = linked_returns(61, 0.85, seed)
        spread = a.cumsum() - b.cumsum()
        fit = statsmodels.api.OLS(np.diff(spread), statsmodels.api.add_constant(spread[:-1])).fit()
        lam = fit.params[1]
        expected = -math.log(2) / math.log1p(lam) if -1 < lam < 0 else math.nan
        assert kernels.half_life(spread) == pytest.approx(expected, nan_ok=True, rel=1e-9)


@pytest.mark.parametrize(
    "spread", [np.exp(np.arange(30) / 10), np.where(np.arange(30) % 2, 1.0, -1.0), 1.1 * (-1.0) ** np.arange(30)]
)
def test_a_spread_that_runs_away_or_overshoots_has_no_half_life(spread):
    assert math.isnan(kernels.half_life(spread))


@pytest.mark.parametrize("n", [20, 61, 250])
@pytest.mark.parametrize("decay", [0.0, 0.5, 0.9, 1.0])
def test_the_t_of_reversion_is_that_of_statsmodels(n, decay):
    for seed in range(5):
        spread = first_order(n, decay, seed)
        expected = statsmodels.tsa.stattools.adfuller(
            spread, maxlag=0, autolag=None, regression="c", result_object=False
        )[0]
        assert kernels.reversion_t(0.9 + 0.01 * spread) == pytest.approx(expected, rel=1e-9)


def test_nearly_every_random_walk_has_a_half_life_in_61_bars():
    found = [kernels.half_life(first_order(61, 1.0, seed)) for seed in range(500)]
    assert 0.93 < np.isfinite(found).mean() < 0.97


def first_order(n, decay, seed):
    """A series of n changes with s[t] = decay s[t-1] + e[t]; a random walk at 1."""
    spread = np.random.default_rng(seed).standard_normal(n + 1)
    for t in range(1, n + 1):
        spread[t] += decay * spread[t - 1]
    return spread


# ---------------------------------------------------------------- two legs


@every_pair
def test_the_slope_is_that_of_scipy_numpy_and_empyrical(x, y):
    found = kernels.slope(x, y)
    assert found == pytest.approx(scipy.stats.linregress(x, y).slope, **CLOSE)
    assert found == pytest.approx(empyrical.beta(y, x), **CLOSE)
    assert found == pytest.approx(np.polyfit(x, y, 1)[0], rel=1e-8)


@every_pair
def test_the_slopes_error_is_that_of_statsmodels(x, y):
    fit = statsmodels.api.OLS(y, statsmodels.api.add_constant(x)).fit()
    assert kernels.slope_error(x, y) == pytest.approx(fit.bse[1], **CLOSE)


@every_pair
def test_correlation_is_that_of_scipy(x, y):
    assert kernels.correlation(x, y) == pytest.approx(scipy.stats.pearsonr(x, y).statistic, **CLOSE)


@every_pair
def test_correlation_takes_its_legs_in_either_order_to_the_bit(x, y):
    assert kernels.correlation(x, y) == kernels.correlation(y, x)


def test_perfect_correlation_is_one():
    x = linked_returns(30)[0]
    assert kernels.correlation(x, 2 * x) == 1.0
    assert kernels.correlation(x, -2 * x) == -1.0


@given(arrays.arrays("f8", st.integers(1, 40), elements=st.integers(-4, 4).map(lambda k: k / 100)))
def test_ranks_are_those_of_scipy_ties_and_all(x):
    assert kernels.ranks(x).tolist() == scipy.stats.rankdata(x).tolist()


@every_pair
def test_the_correlation_of_ranks_is_spearmans(x, y):
    found = kernels.correlation(kernels.ranks(x), kernels.ranks(y))
    assert found == pytest.approx(scipy.stats.spearmanr(x, y).statistic, **CLOSE)


@every_pair
def test_correlations_without_one_day_are_those_of_brute_force(x, y):
    expected = [scipy.stats.pearsonr(np.delete(x, i), np.delete(y, i)).statistic for i in range(len(x))]
    assert kernels.leave_one_out_correlations(x, y) == pytest.approx(expected, **CLOSE)


@pytest.mark.parametrize("n", range(20, 70, 7))
@pytest.mark.parametrize("move", [0.05, -0.1, 1 / 3, 1e-6])
def test_without_the_only_day_on_which_a_leg_moves_there_is_no_correlation(n, move):
    x, y = np.zeros(n), linked_returns(n)[0]
    x[12] = move
    for legs in ((x, y), (y, x)):
        assert np.flatnonzero(np.isnan(kernels.leave_one_out_correlations(*legs))).tolist() == [12]


@every_pair
def test_captures_are_those_of_empyrical(x, y):
    for days, reference in ((y > 0, empyrical.up_capture), (y < 0, empyrical.down_capture)):
        expected = reference(pd.Series(x), pd.Series(y), period="yearly")
        assert kernels.geometric_capture(x[days], y[days]) == pytest.approx(expected, rel=1e-9)


def test_a_wiped_out_leg_or_a_flat_one_captures_nothing():
    assert math.isnan(kernels.geometric_capture(np.array([-1.0, 0.5]), np.array([0.1, 0.1])))
    assert math.isnan(kernels.geometric_capture(np.array([0.1, 0.1]), np.array([-1.0, 0.5])))
    assert math.isnan(kernels.geometric_capture(np.array([0.1, 0.1]), np.array([0.0, 0.0])))


# ---------------------------------------------------------------- distributions


def test_the_normal_quantile_is_scipys():
    assert scipy.special.ndtri(0.975) == kernels.Z95


@pytest.mark.parametrize("p", [0.6, 0.9, 0.975, 0.995, 0.99999])
def test_quantiles_of_student_are_scipys_to_1e_10(p):
    found = [kernels.student_t_quantile(p, df) for df in DEGREES]
    assert found == pytest.approx(list(scipy.stats.t.ppf(p, DEGREES)), rel=1e-10)


@pytest.mark.parametrize("t", [0.0, 1e-6, 0.3, 1.0, 2.0, 8.0, 50.0])
def test_tails_of_student_are_scipys_to_1e_10(t):
    found = [kernels.student_t_tail(t, df) for df in DEGREES]
    assert found == pytest.approx(list(scipy.stats.t.sf(t, DEGREES)), rel=1e-10, abs=1e-300)


@settings(max_examples=300)
@given(st.floats(0.5, 2500), st.floats(0.5, 50), st.floats(0, 1 - 1e-6) | st.just(1.0))
def test_the_incomplete_beta_function_is_scipys_to_1e_10(a, b, x):
    # Nearer to one than 1e-6 it is scipy that loses digits: I_x(1/2, 1/2) = 2/pi asin(sqrt(x)) is known.
    for shape in ((a, b), (b, a)):
        assert kernels.incomplete_beta(*shape, x) == pytest.approx(
            scipy.special.betainc(*shape, x), rel=1e-10, abs=1e-14
        )


@given(st.floats(0, 1))
def test_the_incomplete_beta_function_of_one_half_is_the_arc_sine_law(x):
    # asin has no digits to spare near one, the cosine of the complement has.
    expected = 2 / math.pi * (math.asin(math.sqrt(x)) if x < 0.5 else math.acos(math.sqrt(1 - x)))
    assert kernels.incomplete_beta(0.5, 0.5, x) == pytest.approx(expected, rel=1e-13, abs=1e-300)


def test_the_quantile_is_numpys() -> None:
    x = np.random.default_rng(3).standard_normal(101)
    for p in (0.0, 0.05, 0.5, 0.95, 1.0):
        assert kernels.quantile(x, p) == pytest.approx(float(np.quantile(x, p)), rel=1e-15)
