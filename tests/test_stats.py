"""Every number of the catalogue against an independent reference on the same days.

Relative tolerance 1e-10, with an absolute one of 1e-12 for numbers near zero (differences of nearly equal ones).
The references share no code with pairwatch: pandas lines the legs up and adjusts them, and the numbers come from
scipy, statsmodels, empyrical, quantstats, or plain counting.
"""

import math
from dataclasses import dataclass
from datetime import date
from functools import cache

import empyrical
import numpy as np
import pandas as pd
import pytest
import scipy.stats
import statsmodels.api
import statsmodels.tsa.stattools as tsa
from tests.builders import (
    calendar_days,
    compared,
    event,
    history,
    linked_returns,
    naive_lead,
    prices,
    shuffled_orders,
    weekdays,
)

from pairwatch import stats
from pairwatch.catalogue import LegView, PairView
from pairwatch.histories import History
from pairwatch.model import Comparison, Quote
from pairwatch.stats.legs import change_1d
from pairwatch.stats.pair import tightness_high, tightness_low

CLOSE = {"rel": 1e-10, "abs": 1e-12, "nan_ok": True}
MAX_LAG = 3

KEYS = {
    "leg": [
        "now",
        "now_change",
        "last",
        "change_1d",
        "change_1w",
        "change_1m",
        "change_3m",
        "change_ytd",
        "change_1y",
        "high",
        "low",
        "average",
        "range_position",
        "total_return",
        "volatility",
        "sharpe",
        "sortino",
        "max_drawdown",
        "best_day",
        "worst_day",
        "skew",
        "up_days",
    ],
    "pair": [
        "observations",
        "correlation",
        "correlation_low",
        "correlation_high",
        "rank_correlation",
        "beta",
        "beta_low",
        "beta_high",
        "beta_inverse",
        "alpha",
        "r_squared",
        "idiosyncratic_share",
        "return_gap",
        "relative_strength",
        "volatility_ratio",
        "tracking_error",
        "information_ratio",
        "tightness",
        "tightness_low",
        "tightness_high",
        "ratio",
        "ratio_high",
        "ratio_low",
        "ratio_zscore",
        "half_life",
        "reversion_t",
        "up_beta",
        "down_beta",
        "up_capture",
        "down_capture",
        "correlation_fragility_low",
        "correlation_fragility_high",
    ],
    "leadership": ["lead_lag", "lead_asymmetry", "lead_correlation", "lead_p_value", "lead_detectable"],
}

# ---------------------------------------------------------------- the pairs


def from_returns(a, b, dates=None, **more):
    return history(prices(a), dates, symbol="AAA", **more), history(prices(b, 40.0), dates, symbol="BBB")


def heavy_tailed():
    rng = np.random.default_rng(11)
    common, own_a, own_b = np.clip(rng.standard_t(2.5, (3, 300)) * 0.008, -0.3, 0.3)
    return from_returns(common + own_a, common + 0.5 * own_b)


def with_ties():
    """Closes out of four values, so that returns tie to the bit."""
    levels = np.array([10.0, 10.1, 10.2, 10.4])
    rng = np.random.default_rng(12)
    return tuple(history(levels[rng.integers(0, 4, 200)], symbol=s) for s in ("AAA", "BBB"))


def with_events_and_gaps():
    """Dividends on, before and off a bar, a split, a holiday of each leg, and B one day behind."""
    a, b = linked_returns(400, 0.7, 13)
    days = weekdays(401)
    without_a, without_b = np.isin(np.arange(401), [200, 350]), np.isin(np.arange(401), [370, 390, 400])
    saturday = np.datetime64("2026-10-10")
    paid = (event(days[0], 1.0), event(days[150], 0.8), event(days[380], 1.2), event(days[350], 0.7))
    return (
        history(
            prices(a)[~without_a],
            days[~without_a],
            symbol="AAA",
            events=tuple(sorted(paid, key=lambda e: e.day)),
            quote=Quote(123.25, 0.0, open=True),
        ),
        history(
            prices(b, 40.0)[~without_b],
            days[~without_b],
            symbol="BBB",
            events=(event(days[100], 2.0, "split"), event(saturday, 0.3), event(days[385], 0.2, "capital_gain")),
            quote=Quote(41.5, 0.0, open=False),
        ),
    )


def weekly():
    return from_returns(*linked_returns(60, 0.5, 14), calendar_days(61, step=7))


CASES = {
    "alike": (lambda: from_returns(*linked_returns(300, 0.85, 1)), "90d"),
    "unrelated": (lambda: from_returns(*linked_returns(300, 0.0, 2)), "90d"),
    "opposed": (lambda: from_returns(*linked_returns(300, -0.7, 3)), "90d"),
    "twenty returns": (lambda: from_returns(*linked_returns(20, 0.4, 4)), "90d"),
    "nearly collinear": (lambda: from_returns(*linked_returns(300, 0.9999999, 5)), "90d"),
    "heavy tails": (heavy_tailed, "90d"),
    "ties": (with_ties, "90d"),
    "events and gaps": (with_events_and_gaps, "90d"),
    "weekly": (weekly, "1y"),
}

# ---------------------------------------------------------------- the reference's own view of them


@dataclass
class Side:
    """One leg, as pandas sees it."""

    quoted: pd.Series
    levels: pd.Series
    returns: pd.Series
    own: pd.Series
    own_last: float
    quote: Quote | None
    periods: int

    def since(self, **offset):
        """The change since the last own close on or before so long ago, unless that one is too old."""
        day = self.own.index[-1] - pd.DateOffset(**offset)
        before = self.own[:day]
        is_near = len(before) and day - before.index[-1] <= pd.Timedelta(days=10)
        return self.own.iloc[-1] / before.iloc[-1] - 1 if is_near else math.nan

    @property
    def is_daily(self):
        """Whether its days are usually less than a week apart."""
        return self.own.index.to_series().diff().tail(60).median() < pd.Timedelta(days=5)


@dataclass
class Both:
    a: Side
    b: Side

    @property
    def gap(self):
        return self.a.returns - self.b.returns

    @property
    def spread(self):
        return np.log(self.a.levels) - np.log(self.b.levels)

    @property
    def fit(self):
        return statsmodels.api.OLS(self.a.returns, statsmodels.api.add_constant(self.b.returns.to_numpy())).fit()

    def correlation_at(self, side):
        def z(a, b):
            return math.atanh(scipy.stats.pearsonr(a, b).statistic)

        a, b = self.a.returns.to_numpy(), self.b.returns.to_numpy()
        return math.tanh(z(a, b) + side * reach_of(z, a, b))

    def beta_at(self, side):
        def slope(a, b):
            return scipy.stats.linregress(b, a).slope

        a, b = self.a.returns.to_numpy(), self.b.returns.to_numpy()
        return slope(a, b) + side * reach_of(slope, a, b)

    @property
    def without_a_day(self):
        a, b = self.a.returns.to_numpy(), self.b.returns.to_numpy()
        return [np.corrcoef(np.delete(a, i), np.delete(b, i))[0, 1] for i in range(len(a))]

    def tightness_at(self, side):
        def log_ratio(a, b):
            return math.log(np.std(a, ddof=1) / np.std(b, ddof=1))

        gap, calmer = self.gap.to_numpy(), min(self.a.returns, self.b.returns, key=lambda x: x.std()).to_numpy()
        return math.exp(log_ratio(gap, calmer) + side * reach_of(log_ratio, gap, calmer))

    @property
    def half_life(self):
        s = self.spread.to_numpy()
        lam = scipy.stats.linregress(s[:-1], np.diff(s)).slope
        return -math.log(2) / math.log1p(lam) if -1 < lam < 0 else math.nan


def reach_of(statistic, a, b):
    """Half the interval: the jackknife, by Bartlett's weights on neighbours, with Satterthwaite's t."""
    n = len(a)
    without = [statistic(np.delete(a, i), np.delete(b, i)) for i in range(n)]
    d = [value - math.fsum(without) / n for value in without]
    total = math.fsum(x**2 for x in d)
    lags = max(1, int(4 * (n / 100) ** (2 / 9)))
    neighbours = 1.0
    for k in range(1, lags + 1):
        neighbours += 2 * (1 - k / (lags + 1)) * math.fsum(d[i] * d[i + k] for i in range(n - k)) / total
    error = math.sqrt((n - 1) / n * total * max(1.0, neighbours))
    excess = n * math.fsum(x**4 for x in d) / total**2 - 1
    return t_point(min(n - 2, max(10, int(4 * n / max(excess, 0.5))))) * error


def t_point(freedom):
    """Abramowitz and Stegun 26.7.5, to the fourth power: within 1e-5 of the 97.5 % point of Student's t."""
    z = scipy.stats.norm.ppf(0.975)
    terms = (
        np.poly1d([1, 0, 1, 0]) / 4,
        np.poly1d([5, 0, 16, 0, 3, 0]) / 96,
        np.poly1d([3, 0, 19, 0, 17, 0, -15, 0]) / 384,
        np.poly1d([79, 0, 776, 0, 1482, 0, -1920, 0, -945, 0]) / 92160,
    )
    point = z + sum(float(term(z)) / freedom**power for power, term in enumerate(terms, 1))
    assert point == pytest.approx(scipy.stats.t.ppf(0.975, freedom), abs=1e-5)
    return point


def pandas_closes(side: History, end: pd.Timestamp | None = None):
    closes = pd.Series(side.series.closes, index=pd.DatetimeIndex(side.series.dates))
    return closes.loc[:end]


def pandas_adjusted(side: History, end: pd.Timestamp):
    """The chain of 1 - payment / close before, from the end of the window back."""
    closes = pandas_closes(side, end)
    paid = pd.Series(0.0, index=closes.index)
    for one in side.series.events:
        following = closes.index[closes.index >= pd.Timestamp(one.day)]
        if one.kind != "split" and len(following):
            paid[following[0]] += one.value
    factor = (1 - paid / closes.shift()).fillna(1.0)
    return closes * factor[::-1].cumprod()[::-1].shift(-1, fill_value=1.0)


def reference(a: History, b: History, window: str, periods: int) -> Both:
    common = pd.concat([pandas_closes(a), pandas_closes(b)], axis=1, join="inner").index
    start = common[-1] - {"90d": pd.Timedelta(days=90), "1y": pd.DateOffset(years=1)}[window]
    base = max([day for day in common if day <= start], default=common[0])
    inside = common[common >= base]
    sides = []
    for side in (a, b):
        own = pandas_adjusted(side, common[-1])
        levels = own[inside]
        closes = pandas_closes(side)
        sides.append(
            Side(
                closes[inside],
                levels,
                levels.pct_change().iloc[1:],
                own,
                closes.iloc[-1],
                side.series.quote,
                periods,
            )
        )
    return Both(*sides)


# ---------------------------------------------------------------- the references


def geometric(side, days):
    return scipy.stats.gmean(1 + side.returns[days]) - 1


LEG = {
    "now": lambda leg: leg.quote.price if leg.quote else math.nan,
    "now_change": lambda leg: leg.quote.price / leg.own_last - 1 if leg.quote and leg.quote.open else math.nan,
    "last": lambda leg: leg.quoted.iloc[-1],
    "change_1d": lambda leg: leg.own.pct_change().iloc[-1] if leg.is_daily else math.nan,
    "change_1w": lambda leg: leg.since(days=7),
    "change_1m": lambda leg: leg.since(months=1),
    "change_3m": lambda leg: leg.since(months=3),
    "change_ytd": lambda leg: leg.own.iloc[-1] / leg.own.asof(pd.Timestamp(leg.own.index[-1].year - 1, 12, 31)) - 1,
    "change_1y": lambda leg: leg.since(years=1),
    "high": lambda leg: leg.quoted.cummax().iloc[-1],
    "low": lambda leg: leg.quoted.cummin().iloc[-1],
    "average": lambda leg: leg.quoted.mean(),
    "range_position": lambda leg: np.interp(leg.quoted.iloc[-1], [leg.quoted.min(), leg.quoted.max()], [0, 1]),
    "total_return": lambda leg: empyrical.cum_returns_final(leg.returns),
    "volatility": lambda leg: empyrical.annual_volatility(leg.returns, annualization=leg.periods),
    "sharpe": lambda leg: empyrical.sharpe_ratio(leg.returns, annualization=leg.periods),
    "sortino": lambda leg: empyrical.sortino_ratio(leg.returns, annualization=leg.periods),
    "max_drawdown": lambda leg: empyrical.max_drawdown(leg.returns),
    "best_day": lambda leg: leg.returns.nlargest(1).iloc[0],
    "worst_day": lambda leg: leg.returns.nsmallest(1).iloc[0],
    "skew": lambda leg: leg.returns.skew(),
    "up_days": lambda leg: sum(r > 0 for r in leg.returns) / len(leg.returns),
}

PAIR = {
    "observations": lambda p: len(p.a.returns),
    "correlation": lambda p: scipy.stats.pearsonr(p.a.returns, p.b.returns).statistic,
    "correlation_low": lambda p: p.correlation_at(-1),
    "correlation_high": lambda p: p.correlation_at(1),
    "rank_correlation": lambda p: scipy.stats.spearmanr(p.a.returns, p.b.returns).statistic,
    "beta": lambda p: empyrical.beta(p.a.returns, p.b.returns),
    "beta_low": lambda p: p.beta_at(-1),
    "beta_high": lambda p: p.beta_at(1),
    "beta_inverse": lambda p: scipy.stats.linregress(p.a.returns, p.b.returns).slope,
    "alpha": lambda p: p.fit.params.iloc[0] * p.a.periods,
    "r_squared": lambda p: p.fit.rsquared,
    "idiosyncratic_share": lambda p: p.fit.ssr / p.fit.centered_tss,
    "return_gap": lambda p: empyrical.cum_returns_final(p.a.returns) - empyrical.cum_returns_final(p.b.returns),
    "relative_strength": lambda p: (p.a.levels / p.b.levels).iloc[[0, -1]].pct_change().iloc[-1],
    "volatility_ratio": lambda p: p.a.returns.std() / p.b.returns.std(),
    "tracking_error": lambda p: empyrical.annual_volatility(p.gap, annualization=p.a.periods),
    "information_ratio": lambda p: empyrical.excess_sharpe(p.a.returns, p.b.returns) * math.sqrt(p.a.periods),
    "tightness": lambda p: p.gap.std() / min(p.a.returns.std(), p.b.returns.std()),
    "tightness_low": lambda p: p.tightness_at(-1),
    "tightness_high": lambda p: p.tightness_at(1),
    "ratio": lambda p: p.a.quoted.iloc[-1] / p.b.quoted.iloc[-1],
    "ratio_high": lambda p: (p.a.levels / p.b.levels).max(),
    "ratio_low": lambda p: (p.a.levels / p.b.levels).min(),
    "ratio_zscore": lambda p: scipy.stats.zscore(p.spread, ddof=1)[-1],
    "half_life": lambda p: p.half_life,
    # Its constant takes up the mean; without it the reference keeps more digits of tiny spreads.
    "reversion_t": lambda p: tsa.adfuller(
        p.spread - p.spread.mean(), maxlag=0, autolag=None, regression="c", result_object=False
    )[0],
    "up_beta": lambda p: empyrical.up_alpha_beta(p.a.returns, p.b.returns)[1],
    "down_beta": lambda p: empyrical.down_alpha_beta(p.a.returns, p.b.returns)[1],
    "up_capture": lambda p: empyrical.up_capture(p.a.returns, p.b.returns, period="yearly"),
    "down_capture": lambda p: empyrical.down_capture(p.a.returns, p.b.returns, period="yearly"),
    "correlation_fragility_low": lambda p: min(p.without_a_day),
    "correlation_fragility_high": lambda p: max(p.without_a_day),
}


def ccf(p, k):
    """statsmodels' r(k), k > 0: A leads."""
    later, earlier = (p.b, p.a) if k >= 0 else (p.a, p.b)
    return tsa.ccf(later.returns.to_numpy(), earlier.returns.to_numpy(), adjusted=False)[abs(k)]


# Of the pair, and of what the loops of `naive_lead` say of it: lag, p and detectable lead.
LEADERSHIP = {
    "lead_lag": lambda p, naive: naive[0],
    "lead_asymmetry": lambda p, naive: ccf(p, abs(naive[0])) - ccf(p, -abs(naive[0])),
    "lead_correlation": lambda p, naive: ccf(p, naive[0]),
    "lead_p_value": lambda p, naive: naive[1],
    "lead_detectable": lambda p, naive: naive[2],
}


@cache
def said_and_expected(name: str) -> tuple[Comparison, Both]:
    build, window = CASES[name]
    a, b = build()
    said = compared(a, b, window, max_lag=MAX_LAG)
    return said, reference(a, b, window, 52 if name == "weekly" else 252)


every_case = pytest.mark.parametrize("case", CASES)


def wrong(said: dict, expected: dict) -> dict:
    """What disagrees, by key: said, expected."""
    assert said.keys() == expected.keys()
    return {key: (said[key], expected[key]) for key in said if said[key] != pytest.approx(expected[key], **CLOSE)}


# ---------------------------------------------------------------- the tests


def test_the_keys_and_their_order_are_a_promise():
    found = {scope: [e.key for e in stats.entries() if e.scope == scope] for scope in KEYS}
    assert found == KEYS
    assert [e.key for e in stats.entries()] == [*KEYS["leg"], *KEYS["pair"], *KEYS["leadership"]]


def test_every_key_has_a_reference_in_this_file():
    assert [*LEG, *PAIR, *LEADERSHIP] == [e.key for e in stats.entries()]


@every_case
@pytest.mark.parametrize("scope", ["a", "b"])
def test_numbers_of_a_leg_agree_with_the_reference(case, scope):
    said, both = said_and_expected(case)
    side = getattr(both, scope)
    assert wrong({key: said[scope, key] for key in LEG}, {key: of(side) for key, of in LEG.items()}) == {}


@every_case
def test_differences_are_those_of_the_references(case):
    said, both = said_and_expected(case)
    keys = [e.key for e in stats.entries() if e.has_difference]
    expected = {key: LEG[key](both.a) - LEG[key](both.b) for key in keys}
    assert wrong({key: said["difference", key] for key in keys}, expected) == {}


@every_case
def test_numbers_of_the_pair_agree_with_the_reference(case):
    said, both = said_and_expected(case)
    assert wrong({key: said[key] for key in PAIR}, {key: of(both) for key, of in PAIR.items()}) == {}


@pytest.mark.parametrize("case", ["alike", "twenty returns", "ties"])
def test_numbers_of_the_leadership_agree_with_the_reference(case):
    said, both = said_and_expected(case)
    a, b = both.a.returns.to_numpy(), both.b.returns.to_numpy()
    naive = naive_lead(a, b, MAX_LAG, shuffled_orders(len(a), 0, 1999))
    expected = {key: of(both, naive) for key, of in LEADERSHIP.items()}
    assert wrong({key: said[key] for key in LEADERSHIP}, expected) == {}


@every_case
def test_alpha_and_beta_are_those_of_quantstats(case):
    quantstats = pytest.importorskip("quantstats.stats")
    said, both = said_and_expected(case)
    greeks = quantstats.greeks(both.a.returns, both.b.returns, periods=both.a.periods, prepare_returns=False)
    assert (said["alpha"], said["beta"]) == pytest.approx((greeks["alpha"], greeks["beta"]), **CLOSE)


@every_case
def test_the_slope_of_numpy_agrees_less_closely(case):
    """Least squares by another road: rel 1e-8, as far as polyfit's own rounding goes."""
    said, both = said_and_expected(case)
    assert said["beta"] == pytest.approx(np.polyfit(both.b.returns, both.a.returns, 1)[0], rel=1e-8)


@every_case
def test_rolling_windows_of_pandas_end_in_the_same_numbers(case):
    said, both = said_and_expected(case)
    n = len(both.a.returns)
    rolling = both.a.returns.rolling(n)
    assert said["correlation"] == pytest.approx(rolling.corr(both.b.returns).iloc[-1], rel=1e-8)
    assert said["a", "best_day"] == rolling.max().iloc[-1]
    assert said["a", "average"] == pytest.approx(both.a.quoted.rolling(n + 1).mean().iloc[-1], **CLOSE)


@every_case
def test_the_captures_are_ratios_of_geometric_means(case):
    said, both = said_and_expected(case)
    for key, days in (("up_capture", both.b.returns > 0), ("down_capture", both.b.returns < 0)):
        assert said[key] == pytest.approx(geometric(both.a, days) / geometric(both.b, days), **CLOSE)


def test_what_a_leg_earned_is_its_dividends_too():
    closes = np.full(61, 100.0)
    a = history(closes, symbol="AAA", events=(event(weekdays(61)[40], 1.0),))
    b = history(prices(linked_returns(60)[0]), symbol="BBB")
    assert compared(a, b)["a", "total_return"] == pytest.approx(100 / 99 - 1, rel=1e-12)
    assert compared(a, b, adjustment="price")["a", "total_return"] == 0.0


# ---------------------------------------------------------------- legs that do not move

STILL = [
    "sharpe",
    "sortino",
    "skew",
    "range_position",
    "correlation",
    "correlation_low",
    "correlation_high",
    "rank_correlation",
    "r_squared",
    "idiosyncratic_share",
    "correlation_fragility_low",
    "correlation_fragility_high",
    "lead_lag",
    "lead_asymmetry",
    "lead_correlation",
    "lead_p_value",
    "lead_detectable",
    "beta_inverse",
    "tightness",
    "tightness_low",
    "tightness_high",
]


@pytest.mark.parametrize("value", [1.0, 99.99, 1e-7])
def test_a_leg_that_does_not_move_gives_nan_and_no_warning(value):
    still = history(np.full(70, value), symbol="AAA")
    moving = history(prices(linked_returns(69)[0]), symbol="BBB")
    said = compared(still, moving)
    found = {r.statistic.key: r.value for r in said if r.scope not in {"b", "difference"}}
    assert [key for key in STILL if not math.isnan(found[key])] == []
    assert found["volatility"] == found["beta"] == found["up_beta"] == found["max_drawdown"] == 0.0
    assert said.leadership.verdict == "no verdict: a leg does not move"


def test_against_a_leg_that_does_not_move_there_is_no_beta():
    still = history(np.full(70, 5.0), symbol="BBB")
    moving = history(prices(linked_returns(69)[0]), symbol="AAA")
    said = compared(moving, still)
    keys = [
        "beta",
        "beta_low",
        "beta_high",
        "alpha",
        "up_beta",
        "down_beta",
        "up_capture",
        "down_capture",
        "volatility_ratio",
    ]
    assert [key for key in keys if not math.isnan(said[key])] == []
    assert said["beta_inverse"] == 0.0


def test_two_legs_that_do_not_move_give_no_warning():
    legs = [history(np.full(70, 5.0), symbol=s) for s in ("AAA", "BBB")]
    said = compared(*legs)
    assert said["tracking_error"] == said["return_gap"] == 0.0
    assert math.isnan(said["half_life"])
    assert math.isnan(said["reversion_t"])
    assert math.isnan(said["ratio_zscore"])


def test_the_same_prices_twice_have_a_spread_of_nothing():
    closes = prices(linked_returns(69)[0])
    said = compared(history(closes, symbol="AAA"), history(closes, symbol="BBB"))
    assert said["tightness"] == said["tightness_low"] == said["tightness_high"] == 0.0
    assert said["tracking_error"] == said["return_gap"] == 0.0
    assert said["correlation"] == said["correlation_low"] == said["ratio"] == 1.0
    assert said["beta"] == said["volatility_ratio"] == pytest.approx(1.0, rel=1e-12)
    for key in ("ratio_zscore", "information_ratio", "half_life", "reversion_t", "lead_p_value"):
        assert math.isnan(said[key])


# ---------------------------------------------------------------- changes over time


def test_changes_reach_back_to_the_last_close_on_or_before_the_day():
    """Counted on the calendar: one week before Friday 20 November is Friday the 13th, which is missing here."""
    days = weekdays(300)
    closes = np.arange(1.0, 301.0)
    kept = days != np.datetime64("2026-11-13")
    said = compared(history(closes[kept], days[kept], symbol="AAA"), history(closes, days, symbol="BBB"))
    last, thursday, friday = 300.0, closes[days == np.datetime64("2026-11-12")][0], 295.0
    assert said["a", "change_1w"] == pytest.approx(last / thursday - 1, rel=1e-12)
    assert said["b", "change_1w"] == pytest.approx(last / friday - 1, rel=1e-12)
    assert said["b", "change_1d"] == pytest.approx(300 / 299 - 1, rel=1e-12)
    new_year = closes[days == np.datetime64("2025-12-31")][0]
    assert said["b", "change_ytd"] == pytest.approx(last / new_year - 1, rel=1e-12)


MONTHS = pd.date_range(end="2026-10-31", periods=120, freq="ME")


@pytest.mark.parametrize("months", [MONTHS, MONTHS.to_series().map(pd.offsets.BMonthEnd().rollback)])
@pytest.mark.parametrize("end", range(60, 120))
def test_the_changes_of_a_monthly_series_are_those_of_its_periods_as_pandas_counts_them(months, end):
    dates = np.asarray(months).astype("M8[D]")[: end + 1]
    closes = np.random.default_rng(1).uniform(50, 150, len(dates))
    said = compared(*(history(closes, dates, symbol=symbol) for symbol in ("AAA", "BBB")), "3y")
    column = pd.Series(closes)
    for key, periods in (("change_1m", 1), ("change_3m", 3), ("change_1y", 12)):
        assert said["a", key] == pytest.approx(column.pct_change(periods).iloc[-1], rel=1e-12)


def test_from_a_leap_days_month_a_year_is_twelve_months():
    months = pd.date_range(end="2025-02-28", periods=40, freq="ME")
    closes = np.arange(40.0) + 1
    said = compared(*(history(closes, months.to_numpy().astype("M8[D]"), symbol=s) for s in ("AAA", "BBB")), "3y")
    assert said["a", "change_1y"] == pytest.approx(40 / 28 - 1, rel=1e-12)


def test_quarters_have_no_month_and_fortnights_no_week():
    quarters = pd.date_range(end="2026-09-30", periods=40, freq="QE").to_numpy().astype("M8[D]")
    fortnights = calendar_days(40, step=14)
    for dates, unsaid, said_key in ((quarters, "change_1m", "change_3m"), (fortnights, "change_1w", "volatility")):
        said = compared(*(history(np.arange(40.0) + 1, dates, symbol=s) for s in ("AAA", "BBB")), "9y")
        assert math.isnan(said["a", unsaid])
        assert math.isfinite(said["a", said_key])


def test_a_weekly_or_daily_series_at_the_end_of_a_month_counts_from_the_same_day():
    end = date(2026, 6, 30)
    for step in (1, 7):
        dates = calendar_days(500, end, step)
        closes = np.arange(500.0) + 1
        said = compared(*(history(closes, dates, symbol=s) for s in ("AAA", "BBB")), "3mo" if step == 1 else "1y", end)
        before = closes[dates <= np.datetime64("2026-05-30")][-1]
        assert said["a", "change_1m"] == pytest.approx(500 / before - 1, rel=1e-12)


def test_a_change_from_before_the_first_close_cannot_be_said():
    said = compared(*from_returns(*linked_returns(60)))
    assert math.isnan(said["a", "change_1y"])
    assert math.isnan(said["difference", "change_ytd"])


def test_a_change_from_a_leg_with_one_close_cannot_be_said():
    one = np.array([5.0])
    leg = LegView(one, one, one[:0], np.array(["2026-11-20"], "M8[D]"), one, 5.0, 1, 252)
    assert math.isnan(change_1d(leg))
    assert leg.end == date(2026, 11, 20)


@pytest.mark.parametrize("rises", [0, 1, 2, 3])
def test_beta_on_two_days_or_fewer_cannot_be_said(rises):
    returns = np.where(np.arange(39) % 2, -0.01, -0.02)
    returns[:rises] = 0.01 * (1 + np.arange(rises))
    said = compared(*from_returns(linked_returns(39)[0], returns))
    assert math.isfinite(said["up_beta"]) == (rises > 2)
    assert math.isfinite(said["up_capture"]) == (rises > 0)
    assert math.isfinite(said["down_beta"])


# ---------------------------------------------------------------- how tight


@pytest.mark.parametrize(("rho", "times"), [(0.85, 1.0), (0.85, 1.5)])
def test_the_interval_of_tightness_holds_the_true_one_in_95_of_100_normal_samples(rho, times):
    """Also where chance decides which leg is the calmer; 2,000 runs, a standard error of .5 points."""
    truth, day = math.sqrt(times**2 + 1 - 2 * rho * times), np.array(["2026-11-20"], "M8[D]")
    inside = 0
    for seed in range(2000):
        a, b = linked_returns(61, rho, seed)
        legs = [LegView(x, x, x, day, x, 1.0, 1, 252) for x in (times * a, b)]
        pair = PairView(*legs, spread=a)
        inside += tightness_low(pair) < truth < tightness_high(pair)
    assert 0.935 < inside / 2000 < 0.965


def test_of_a_rate_and_a_price_there_is_no_tightness_and_no_reversion():
    a, b = linked_returns(69)
    rate = history(4 + np.cumsum(a), symbol="RATE", measure="rate", unit="percent")
    said = compared(rate, history(prices(b)[1:], symbol="BBB"))
    for key in ("tightness", "tightness_low", "tightness_high", "half_life", "reversion_t"):
        assert math.isnan(said[key])


def test_two_rates_have_a_tightness_and_its_interval():
    rates = [
        history(4 + np.cumsum(x), symbol=s, measure="rate", unit="percent")
        for x, s in zip(linked_returns(69), "AB", strict=True)
    ]
    said = compared(*rates)
    assert said["tightness_low"] < said["tightness"] < said["tightness_high"]
