"""The same statistic of every window: today's is today's, and each earlier one is what was said then.

Relative tolerance 1e-9, with an absolute one of 1e-11 near zero.
"""

import math
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import (
    FRIDAY,
    calendar_days,
    event,
    history,
    linked_pair,
    linked_returns,
    prices,
    weekdays,
)

from pairwatch import pairs, staging, stats
from pairwatch.errors import NotEnoughData
from pairwatch.model import Window
from pairwatch.model.results import Percentiles, is_unusual
from pairwatch.staging import Question
from pairwatch.stats.past import pasts
from pairwatch.stats.percentiles import shown

CLOSE = {"rel": 1e-9, "abs": 1e-11, "nan_ok": True}
ENTRIES = {e.key: e for e in stats.entries()}
KEYS = set(pasts())


def compared(a, b, window, as_of=FRIDAY, *, with_past=True):
    return pairs.compare(a, b, Question(as_of, Window.parse(window), 1), with_past=with_past)


# ---------------------------------------------------------------- pairs of all sorts


def plain(seed):
    return linked_pair(260, 0.7, seed)


def with_dividends_and_holidays(seed):
    a, b = linked_returns(300, 0.8, seed)
    days, rng = weekdays(301), np.random.default_rng(seed)
    kept = [np.sort(rng.choice(300, 280, replace=False)) for _ in "ab"]
    kept = [np.append(each, 300) for each in kept]
    paid = tuple(event(day, 0.5) for day in days[40::60])
    return tuple(
        history(prices(x)[at], days[at], symbol=name, events=paid)
        for x, at, name in zip((a, b), kept, ("AAA", "BBB"), strict=True)
    )


def with_ties(seed):
    levels, rng = np.array([10.0, 10.1, 10.2, 10.4]), np.random.default_rng(seed)
    return tuple(history(levels[rng.integers(0, 4, 200)], symbol=name) for name in ("AAA", "BBB"))


def twins(seed):
    a, e = linked_returns(200, 0.0, seed)
    return history(prices(a), symbol="AAA"), history(prices(a + e / 100), symbol="BBB")


def rates(seed):
    moves = linked_returns(220, 0.8, seed, volatility=0.05)
    facts = {"measure": "rate", "unit": "percent", "currency": ""}
    return tuple(history(4 + x.cumsum(), symbol=n, **facts) for x, n in zip(moves, ("AAA", "BBB"), strict=True))


def rate_and_price(seed):
    a, b = linked_returns(220, -0.4, seed)
    rate = history(4 + 5 * np.append(0, a).cumsum(), symbol="AAA", measure="rate", unit="percent", currency="")
    return rate, history(prices(b), symbol="BBB")


def weekly(seed):
    days = calendar_days(151, step=7)
    return tuple(history(prices(x), days, symbol=n) for x, n in zip(linked_returns(150, 0.5, seed), "AB", strict=True))


def monthly_and_daily(seed):
    a, b = linked_returns(3000, 0.5, seed)
    days = weekdays(3001, date(2026, 10, 30))
    last = np.flatnonzero(np.diff(days.astype("M8[M]").astype("i8"), append=1 << 20))
    return history(prices(a)[last], days[last], symbol="AAA"), history(prices(b), days, symbol="BBB")


def points_that_were_below_zero(seed):
    a, b = linked_returns(200, 0.5, seed)
    falls = prices(a)
    falls[20] = -3.0
    return history(falls, symbol="AAA"), history(prices(b), symbol="BBB")


PAIRS = {
    f.__name__: f
    for f in (
        plain,
        with_dividends_and_holidays,
        with_ties,
        twins,
        rates,
        rate_and_price,
        weekly,
        monthly_and_daily,
        points_that_were_below_zero,
    )
}


def told(a, b, bars):
    """Every past by scope and key, with the days of the bars, and today's readings."""
    question = Question(FRIDAY, Window(bars, "b"), 1)
    staged = staging.staged(a, b, question)
    past = pairs.past_of(staged)
    found = {}
    for r in stats.readings(staged.pair, None, staged.currencies, KEYS):
        if math.isfinite(r.value):
            if r.scope == "difference":
                values = found["a", r.statistic.key] - found["b", r.statistic.key]
            else:
                values = pasts()[r.statistic.key].function({"a": past.a, "b": past.b}.get(r.scope, past))
            found[r.scope, r.statistic.key] = values
    return found, staged.lined_up.every.dates, past.step


def said_then(a, b, bars, day):
    question = Question(day, Window(bars, "b"), 1)
    return {(r.scope, r.statistic.key): r.value for r in pairs.some_readings(a, b, question, KEYS)}


@pytest.mark.parametrize("name", PAIRS)
@settings(max_examples=4)
@given(seed=st.integers(0, 2**31), bars=st.integers(20, 45), places=st.lists(st.integers(0, 100), max_size=5))
def test_each_value_is_the_statistic_as_of_its_bar(name, seed, bars, places):
    a, b = PAIRS[name](seed)
    found, days, step = told(a, b, bars)
    assert found
    for back in [0, *(step * place for place in places[:2]), *places[2:]]:
        if back + bars >= len(days):
            continue
        try:
            then = said_then(a, b, bars, days[-1 - back].item())
        except NotEnoughData:  # a close below zero in the window
            assert name == "points_that_were_below_zero"
            continue
        wrong = {}
        for (scope, key), values in found.items():
            strided = pasts()[key].strided
            if strided and back % step:
                continue
            at = back // step if strided else back
            if values[-1 - at] != pytest.approx(then[scope, key], **CLOSE):
                wrong[scope, key] = values[-1 - at], then[scope, key]
        assert wrong == {}


def test_every_statistic_with_a_past_was_tried():
    tried = {key for _, key in told(*linked_pair(400), 40)[0]}
    assert tried == KEYS


def test_what_has_no_past_is_a_price_a_count_a_span_that_grows_an_end_of_an_interval_or_the_lead():
    without = {key for key, e in ENTRIES.items() if key not in KEYS and not e.interval and e.scope != "leadership"}
    assert without == {"now", "now_change", "last", "change_ytd", "high", "low", "average", "observations"}


# ---------------------------------------------------------------- percentiles


def of(a, b, window="40b", **asked):
    return compared(a, b, window, **asked).percentiles


def test_a_percentile_is_what_pandas_makes_of_rolling_windows():
    a, b = plain(3)
    frame = pd.DataFrame({"a": a.series.closes, "b": b.series.closes}, index=a.series.dates).pct_change().dropna()
    rolling = frame.a.rolling(40)
    expected = {
        ("a", "volatility"): rolling.std(),
        ("pair", "correlation"): rolling.corr(frame.b),
        ("a", "best_day"): rolling.max(),
        ("a", "up_days"): (frame.a > 0).rolling(40).mean().round(9),
        ("difference", "worst_day"): rolling.min() - frame.b.rolling(40).min(),
        ("pair", "beta"): rolling.cov(frame.b) / frame.b.rolling(40).var(),
    }
    found = of(a, b)
    for name, series in expected.items():
        known = series.dropna()
        middle = ((known < known.iloc[-1]).sum() + (known == known.iloc[-1]).sum() / 2) / len(known)
        assert found.of[name] == pytest.approx(middle), name


def test_three_windows_are_needed_and_what_they_are_is_said():
    a, b = linked_pair(120)
    assert of(a, b, "41b") is None
    found = of(a, b, "40b")
    assert (found.windows, found.independent, found.since) == (81, 3, a.series.dates[0].item())
    assert 0 < min(found.of.values()) < max(found.of.values()) < 1


def test_a_change_needs_three_spans_of_its_own():
    names = set(of(*linked_pair(270)).of)
    assert ("a", "change_3m") in names
    assert ("a", "change_1y") not in names
    assert ("difference", "change_1y") in set(of(*linked_pair(800)).of)


def test_without_being_asked_for_there_are_none():
    assert compared(*linked_pair(300), "40b", with_past=False).percentiles is None


def test_the_future_changes_no_percentile():
    a, b = plain(4)
    day = a.series.dates[-30].item()
    cut = [
        replace(x, series=replace(x.series, dates=x.series.dates[:-29], closes=x.series.closes[:-29])) for x in (a, b)
    ]
    assert of(a, b, as_of=day) == of(*cut, as_of=day)


@settings(max_examples=10)
@given(st.integers(0, 2**31))
def test_swapped_legs_are_as_unusual(seed):
    a, b = plain(seed)
    one, other = of(a, b), of(b, a)
    for name in ("correlation", "rank_correlation", "r_squared", "tightness", "tracking_error"):
        assert other.of["pair", name] == pytest.approx(one.of["pair", name], abs=0.006)
    for name in ("return_gap", "information_ratio", "ratio", "ratio_zscore", "volatility_ratio"):
        assert other.of["pair", name] == pytest.approx(1 - one.of["pair", name], abs=0.006)
    for (scope, key), share in one.of.items():
        swapped = {"a": "b", "b": "a", "difference": "difference"}.get(scope)
        if swapped:
            expected = 1 - share if swapped == "difference" else share
            assert other.of[swapped, key] == pytest.approx(expected, abs=1e-12), (scope, key)


def test_the_mean_share_of_unusual_days_is_what_the_claim_calls_chance():
    """On white noise the count of unusual numbers is unusual itself on about one day in twenty, and no more."""
    shares = [of(*linked_pair(600, 0.6, seed), "20b").as_many for seed in range(60)]
    assert 0.0 < np.mean(np.array(shares) <= 0.05) < 0.15
    assert 0.35 < np.mean(shares) < 0.7


def test_a_number_at_either_end_is_unusual_and_the_farthest_comes_first():
    shares = {("pair", "beta"): 0.96, ("pair", "alpha"): 0.5, ("a", "skew"): 0.01, ("b", "skew"): 0.05}
    found = Percentiles(shares, FRIDAY, 100, 10, 0.5)
    assert found.unusual == (("a", "skew"), ("pair", "beta"), ("b", "skew"))
    assert [is_unusual(x) for x in (0.05, 0.051, 0.949, 0.95)] == [True, False, False, True]


def test_percentiles_are_whole_numbers_and_never_0_or_100():
    assert [shown(x) for x in (0.001, 0.01, 0.5, 0.987, 0.99, 0.999)] == ["<1", "1", "50", "99", "99", ">99"]


# ---------------------------------------------------------------- the claim


def claim(a, b, window="20b"):
    found = [c for c in compared(a, b, window).claims if c.text.startswith("today is unusual")]
    return found[0] if found else None


def burst(n=500):
    """A pair that is calm until its last month, in which it is wild."""
    a, b = linked_returns(n, 0.8, 2)
    a[-18:] *= 8
    return history(prices(a), symbol="AAA"), history(prices(b), symbol="BBB")


def test_a_burst_is_unusual_and_the_numbers_that_make_it_so_are_named():
    found = claim(*burst())
    assert found.verdict == "TRUE"
    assert "of 62 numbers at or beyond the 5th or 95th percentile of the past, by chance about 6; " in found.because
    assert "(>99)" in found.because


def test_few_windows_leave_it_open():
    found = claim(*burst(), window="40b")
    assert found.verdict == "INCONCLUSIVE"
    assert found.because.endswith("12 windows without a common bar cannot show more")


def test_the_claim_is_not_made_without_a_past():
    assert claim(*linked_pair(50)) is None
    a, b = burst()
    assert not [c for c in compared(a, b, "20b", with_past=False).claims if "unusual" in c.text]
