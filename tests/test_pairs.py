"""How two histories are lined up, and the laws that every comparison keeps.

Where a law holds to the bit it is compared so; otherwise to rel 1e-9 with an absolute 1e-12 near zero.
"""

import math
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import (
    FRIDAY,
    NEW_YORK,
    calendar_days,
    compared,
    event,
    history,
    linked_pair,
    linked_returns,
    prices,
    series,
    weekdays,
)

from pairwatch import alignment, pairs, stats
from pairwatch.errors import NotEnoughData, UsageError
from pairwatch.model import Leg, Provenance, Quote, Window, months_before
from pairwatch.staging import Question

CLOSE = {"rel": 1e-9, "abs": 1e-12, "nan_ok": True}
seeds = st.integers(0, 2**31)
light = settings(max_examples=15)


def numbers(said):
    """Every number, by scope and key; r(k) among them."""
    return {(scope, key): value for scope, key, value, _ in said.rows()}


def assert_same(one, other):
    """The same comparison to the bit."""
    assert np.array_equal(list(numbers(one).values()), list(numbers(other).values()), equal_nan=True)
    for name in ("receipt", "claims", "warnings", "as_of"):
        assert getattr(one, name) == getattr(other, name)
    assert one.leadership.verdict == other.leadership.verdict


def window_of(a, b, window):
    return alignment.align(a, b, Window.parse(window))


# ---------------------------------------------------------------- the window


def test_the_window_ends_at_the_last_common_close_on_or_before_the_day():
    a, b = linked_pair(100)
    b = replace(b, series=series(b.series.closes[:-2], weekdays(101)[:-2], symbol="BBB"))
    said = compared(a, b)
    assert said.as_of == said.receipt.end == date(2026, 11, 18)
    assert said.receipt.a.last_bar == np.datetime64(FRIDAY)
    assert said.receipt.b.last_bar == np.datetime64("2026-11-18")
    assert compared(a, b, as_of=date(2026, 11, 15)).receipt.end == date(2026, 11, 13)


def test_ninety_days_reach_back_from_that_close_to_the_common_close_at_or_before_the_start():
    said = compared(*linked_pair(100))
    assert said.receipt.start == FRIDAY - timedelta(days=90) == date(2026, 8, 22)  # a Saturday
    assert said.receipt.base == date(2026, 8, 21)
    assert said.receipt.matched == said["observations"] + 1 == 66


def test_a_start_on_a_common_close_is_the_base():
    said = compared(*linked_pair(100), window="91d")
    assert said.receipt.start == said.receipt.base == date(2026, 8, 21)


@light
@given(seeds, st.integers(60, 120), st.floats(0, 0.2))
def test_the_returns_inside_are_exactly_those_dated_after_the_base(seed, days, missing):
    rng = np.random.default_rng(seed)
    a, b = (series(np.ones(keep.sum()), weekdays(300)[keep]) for keep in rng.random((2, 300)) >= missing)
    found = window_of(a, b, f"{days}d")
    common = sorted(set(a.dates.tolist()) & set(b.dates.tolist()))
    start = common[-1] - timedelta(days=days)
    before = [day for day in common if day <= start]
    assert found.start == start
    assert found.dates.tolist() == before[-1:] + [day for day in common if day > start]
    assert (a.dates[found.at_a] == found.dates).all()
    assert (b.dates[found.at_b] == found.dates).all()


@pytest.mark.parametrize("count", [20, 61, 99])
def test_a_window_of_bars_counts_returns(count):
    said = compared(*linked_pair(99), window=f"{count}b")
    assert said["observations"] == count
    assert said.receipt.start == said.receipt.base


@pytest.mark.parametrize(
    ("window", "start"),
    [
        ("90d", date(2026, 8, 22)),
        ("12w", date(2026, 8, 28)),
        ("6mo", date(2026, 5, 20)),
        ("1y", date(2025, 11, 20)),
    ],
)
def test_windows_of_days_weeks_months_and_years_start_on_the_calendar(window, start):
    assert compared(*linked_pair(300), window=window).receipt.start == start


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 3, 31), 1, date(2026, 2, 28)),
        (date(2024, 3, 31), 1, date(2024, 2, 29)),
        (date(2024, 2, 29), 12, date(2023, 2, 28)),
        (date(2026, 1, 15), 1, date(2025, 12, 15)),
        (date(2026, 12, 31), 6, date(2026, 6, 30)),
        (date(1, 1, 31), 1, date.min),
    ],
)
def test_months_before_keep_the_day_or_take_the_months_last(day, months, expected):
    assert months_before(day, months) == expected


@light
@given(st.dates(date(1950, 1, 1), date(2100, 1, 1)), st.integers(0, 400))
def test_months_before_are_those_of_pandas(day, months):
    import pandas as pd

    assert months_before(day, months) == (pd.Timestamp(day) - pd.DateOffset(months=months)).date()


def test_a_window_longer_than_the_history_begins_at_the_first_common_close_and_says_so():
    said = compared(*linked_pair(40))
    assert said.receipt.base == date(2026, 9, 25) > said.receipt.start
    assert "the window begins on 2026-09-25, the first common close, not on 2026-08-22" in said.warnings


# ---------------------------------------------------------------- lining up


def test_legs_are_lined_up_first_and_then_differenced_never_filled_forward():
    """Seven days against five: the weekdays' return of the first is from Friday's close to Monday's."""
    days = calendar_days(100)
    every = prices(linked_returns(99)[0])
    on_weekdays = np.is_busday(days)
    daily = history(every, days, symbol="AAA", every_day=True)
    weekday = history(prices(linked_returns(99)[1])[on_weekdays], days[on_weekdays], symbol="BBB")
    said = compared(daily, weekday)
    inside = every[on_weekdays & (days >= np.datetime64(said.receipt.base))]
    returns = inside[1:] / inside[:-1] - 1
    assert said["observations"] == len(returns)
    assert said["a", "volatility"] == pytest.approx(returns.std(ddof=1) * math.sqrt(252), rel=1e-12)
    assert said["a", "worst_day"] == returns.min()


def test_days_on_which_only_one_leg_closed_are_counted_as_lost():
    days = calendar_days(100)
    on_weekdays = np.is_busday(days)
    a = history(prices(linked_returns(99)[0]), days, symbol="AAA")
    keep = on_weekdays & (days != np.datetime64("2026-10-05"))
    b = history(prices(linked_returns(99)[1])[keep], days[keep], symbol="BBB")
    receipt = compared(a, b).receipt
    within = (days >= np.datetime64(receipt.base)) & (days <= np.datetime64(receipt.end))
    assert receipt.a.lost == (within & ~keep).sum()
    assert receipt.b.lost == 0
    assert compared(b, a).receipt.b.lost == receipt.a.lost


def test_sundays_run_is_fridays():
    a, b = linked_pair(100)
    assert_same(compared(a, b, as_of=FRIDAY), compared(a, b, as_of=FRIDAY + timedelta(days=2)))


@pytest.mark.parametrize(
    ("dates", "every_day", "expected"),
    [
        (weekdays(100), (False, False), 252),
        (weekdays(100), (True, False), 252),
        (calendar_days(100), (True, True), 365),
        (calendar_days(100), (True, False), 252),
        (calendar_days(100, step=7), (False, False), 52),
        (calendar_days(100, step=7), (True, True), 52),
        (calendar_days(100, step=30), (False, False), 12),
    ],
)
def test_bars_a_year_follow_from_the_common_days_and_the_legs(dates, every_day, expected):
    legs = [
        history(prices(r), dates, symbol=s, every_day=e)
        for r, s, e in zip(linked_returns(99), ("AAA", "BBB"), every_day, strict=True)
    ]
    said = compared(*legs, window="9y")
    assert said.receipt.bars_per_year == expected
    returns = linked_returns(99)[0]
    assert said["a", "volatility"] == pytest.approx(returns.std(ddof=1) * math.sqrt(expected), rel=1e-10)


# ---------------------------------------------------------------- rates


def test_changes_of_rates_are_differences_in_basis_points_also_through_zero():
    levels = np.resize([-0.02, 0.0, 0.03, 0.01, -0.01], 70)
    rate = history(levels, symbol="AAA", measure="rate", unit="percent")
    said = compared(rate, history(prices(linked_returns(69)[0]), symbol="BBB"), window="60b")
    steps = np.diff(levels[-61:]) * 100
    assert said["a", "best_day"] == pytest.approx(3.0, rel=1e-12)
    assert said["a", "change_1d"] == pytest.approx(steps[-1], rel=1e-12)
    assert said["a", "volatility"] == pytest.approx(steps.std(ddof=1) * math.sqrt(252), rel=1e-12)
    for key in ("total_return", "sharpe", "sortino", "max_drawdown"):
        assert math.isnan(said["a", key])
    for key in ("ratio", "ratio_zscore", "return_gap", "alpha", "tightness", "half_life", "up_capture"):
        assert math.isnan(said[key])
    assert math.isfinite(said["correlation"])
    assert any("basis points" in text for text in said.warnings)


@pytest.mark.parametrize("adjustment", ["total", "price"])
def test_differences_are_those_of_quoted_closes_whatever_was_distributed(adjustment):
    """Also where they reach back before the window: one footing for the bar, the year and the spread."""
    (a, b), days = (100 + np.cumsum(r * 100) for r in linked_returns(300)), weekdays(300)
    monday = FRIDAY + timedelta(days=3)
    paid = tuple(event(day, 3.0) for day in (*days[10::60], monday))
    quote = Quote(float(a[-1]) + 2, 1.79e9, open=True)
    points = {"changes": "points", "unit": "dollars"}
    plain, payer = (history(a, symbol="AAA", events=e, quote=quote, **points) for e in ((), paid))
    other = history(b, symbol="BBB", **points)
    said, unpaid = (compared(leg, other, "9mo", monday, adjustment=adjustment) for leg in (payer, plain))
    assert [r.value for r in said] == pytest.approx([r.value for r in unpaid], nan_ok=True)
    assert said["a", "change_1m"] == pytest.approx(a[-1] - a[days.searchsorted(np.datetime64("2026-10-20"))])
    assert said["a", "now_change"] == pytest.approx(2.0)


def test_two_rates_have_a_gap_in_basis_points():
    a, b = (4 + np.cumsum(r) for r in linked_returns(70))
    said = compared(
        history(a, symbol="AAA", measure="rate", unit="percent"),
        history(b, symbol="BBB", measure="rate", unit="percent"),
        window="60b",
    )
    gap = np.diff(a[-61:] - b[-61:]) * 100
    assert said["tracking_error"] == pytest.approx(gap.std(ddof=1) * math.sqrt(252), rel=1e-9)


@pytest.mark.parametrize("bad", [0.0, -37.63])
@pytest.mark.parametrize("first", [True, False])
def test_a_close_of_zero_or_below_in_the_window_is_refused_with_its_day(bad, first):
    closes = prices(linked_returns(69)[0])
    closes[50] = bad
    broken, whole = history(closes, symbol="CL=F"), history(prices(linked_returns(69)[1]), symbol="BBB")
    with pytest.raises(NotEnoughData, match=rf"CL=F: a close of {bad:g} on {weekdays(70)[50]}") as caught:
        compared(*((broken, whole) if first else (whole, broken)))
    assert caught.value.exit_code == 4
    assert "--window" in caught.value.hint


def test_a_close_of_zero_before_the_window_harms_only_what_reaches_back_to_it():
    closes = prices(linked_returns(299)[0])
    closes[0] = closes[10] = 0.0
    paid = (event(weekdays(300)[11], 0.5), event(weekdays(300)[280], 0.5))
    said = compared(history(closes, symbol="AAA", events=paid), history(prices(linked_returns(299)[1]), symbol="BBB"))
    assert math.isfinite(said["a", "total_return"])
    assert math.isfinite(said["a", "change_1y"])


# ---------------------------------------------------------------- too little


@pytest.mark.parametrize("n", [1, 19])
def test_fewer_than_twenty_returns_are_refused_and_what_there_is_is_said(n):
    with pytest.raises(NotEnoughData) as caught:
        compared(*linked_pair(n), max_lag=3)
    assert caught.value.exit_code == 4
    first = weekdays(n + 1)[0]
    returns = "1 common return" if n == 1 else f"{n} common returns"
    assert caught.value.message == (
        f"AAA and BBB have {returns} from {first} to 2026-11-20, 20 are needed: "
        f"AAA has {n + 1} closes, {first} to 2026-11-20; BBB has {n + 1} closes, {first} to 2026-11-20"
    )
    assert compared(*linked_pair(20), max_lag=3)["observations"] == 20


def test_legs_without_a_common_day_are_refused_and_what_there_is_is_said():
    a, b = history([1.0, 2.0], symbol="AAA"), history([1.0], np.array(["2020-02-01"], "M8[D]"), symbol="BBB")
    with pytest.raises(NotEnoughData, match=r"no day in common: AAA has 2 closes, .*; BBB has 1 close, 2020-02-01 to"):
        compared(a, b)
    with pytest.raises(NotEnoughData, match="AAA has none; BBB has none"):
        compared(a, b, as_of=date(2019, 1, 1))


@pytest.mark.parametrize("max_lag", [21, 1000])
def test_lags_beyond_a_third_of_the_returns_are_cut_and_said(max_lag):
    cut = compared(*linked_pair(61), window="61b", max_lag=max_lag)
    assert cut.leadership.max_lag == cut.receipt.max_lag == 20
    assert cut.warnings == (f"lags to 20 only, not {max_lag}: 61 returns carry no more",)
    asked = compared(*linked_pair(61), window="61b", max_lag=20)
    assert cut["lead_p_value"] == asked["lead_p_value"]


def test_a_window_of_more_bars_than_there_are_is_said():
    short = compared(*linked_pair(61), window="500b")
    assert short["observations"] == 61
    assert short.warnings == ("the window holds 61 returns, not 500: there are no more",)


@pytest.mark.parametrize("max_lag", [0, -1, 2.5, "5", None, True])
def test_a_largest_lag_that_is_no_positive_whole_number_is_a_usage_error(max_lag):
    with pytest.raises(UsageError, match="the largest lag cannot be") as caught:
        compared(*linked_pair(61), window="61b", max_lag=max_lag)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("max_lag", [21, 1000])
def test_arrays_too_short_for_a_lag_are_a_usage_error(max_lag):
    a, b = np.random.default_rng(0).standard_normal((2, 61))
    with pytest.raises(UsageError, match="cannot be judged from 61 returns") as caught:
        pairs.leadership(a, b, max_lag)
    assert "1 to 20" in caught.value.hint


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (np.ones(30), np.ones(31)),
        (np.ones((3, 10)), np.ones((3, 10))),
        (np.append(np.ones(29), np.nan), np.ones(30)),
        (np.ones(30), np.append(np.ones(29), np.inf)),
    ],
)
def test_leadership_of_arrays_takes_two_equally_long_vectors_of_finite_numbers(a, b):
    with pytest.raises(UsageError, match="two equally long arrays"):
        pairs.leadership(a, b, 3)


def test_leadership_of_arrays_is_that_of_the_comparison():
    said = compared(*linked_pair(61, seed=3), window="61b")
    a, b = (np.diff(h.series.closes) / h.series.closes[:-1] for h in linked_pair(61, seed=3))
    found = pairs.leadership(a, b, 5)
    assert (found.lag, found.p_value) == (said.leadership.lag, said.leadership.p_value)
    assert found.correlations == pytest.approx(said.leadership.correlations, **CLOSE)
    assert pairs.leadership([*a[:2]] * 20, [*b[:2]] * 20, 3).max_lag == 3


# ---------------------------------------------------------------- clocks


def test_a_lead_of_one_bar_is_doubtful_where_a_close_is_not_known():
    x = np.random.default_rng(0).standard_normal((2, 251))
    late = 0.9 * np.roll(x[0], 1) + 0.4 * x[1]
    a, b = history(prices(x[0] / 100), symbol="AAA"), history(prices(late / 100), symbol="BBB")
    said = compared(a, b, window="250b")
    assert (said.leadership.lag, said.leadership.decided) == (1, True)
    assert any("is not known: a lead of one bar may be the clock's" in text for text in said.warnings)
    known = [replace(h, series=replace(h.series, facts=NEW_YORK)) for h in (a, b)]
    assert not any("closing time" in text for text in compared(*known, window="250b").warnings)


def test_a_leg_that_ended_long_ago_is_stale_and_said():
    a, b = linked_pair(200)
    short = replace(b, series=replace(b.series, dates=b.series.dates[:-30], closes=b.series.closes[:-30]))
    said = compared(a, short, as_of=a.series.dates[-1].item())
    assert said.stale
    assert said.receipt.a.lost == 30
    assert any("days old" in text for text in said.warnings)
    assert any("the window ends on" in text for text in said.warnings)
    assert not compared(a, b, as_of=a.series.dates[-1].item()).stale


def test_a_gap_between_common_closes_is_said():
    a, b = linked_pair(200)
    cut = np.r_[0:120, 150:200]
    gapped = [
        replace(h, series=replace(h.series, dates=h.series.dates[cut], closes=h.series.closes[cut])) for h in (a, b)
    ]
    assert any("no common close between" in text for text in compared(*gapped, window="1y").warnings)
    assert not any("no common close" in text for text in compared(a, b, window="1y").warnings)


def test_legs_whose_clocks_differ_are_warned_of():
    zone = {"timezone": "America/New_York"}
    a, b = linked_returns(69)
    late, early = (
        history(prices(a), symbol="AAA", closes_at=17 * 60, **zone),
        history(prices(b), symbol="BBB", closes_at=16 * 60, **zone),
    )
    for said in (compared(late, early), compared(early, late)):
        assert abs(said.leadership.hours_apart) == 1.0
        assert any(text.startswith("AAA closes 1 h after BBB: ") for text in said.warnings)
    nearly = history(prices(a), symbol="AAA", closes_at=16 * 60 + 15, **zone)
    assert compared(nearly, early).leadership.hours_apart == 0.0
    assert compared(nearly, early).warnings == ()


# ---------------------------------------------------------------- as of a day


@st.composite
def then_and_later(draw):
    """A leg as a provider gave it on a day, and as it gives it later: more bars, dividends, and splits undone."""
    n, more = draw(st.integers(60, 90)), draw(st.integers(0, 30))
    split = draw(st.sampled_from([1.0, 2.0, 4.0, 0.5, 3.0, 1.5, 0.1]))
    rng = np.random.default_rng(draw(seeds))
    days = weekdays(n + more, date(2026, 12, 31))
    as_of = days[n - 1]
    closes = prices(0.01 * rng.standard_normal(n + more - 1))
    paid = [event(days[i], 0.5) for i in sorted(draw(st.sets(st.integers(0, n - 1), max_size=3)))]
    then = history(closes[:n], days[:n], symbol="AAA", events=tuple(paid))
    events = [
        *[replace(e, value=e.value / split) for e in paid],
        *([event(as_of + 1, 0.25)] if draw(st.booleans()) else []),
        *([event(as_of + 2, split, "split")] if split != 1 else []),
    ]
    quote = Quote(123.0, 0.0, open=True)
    later = history(closes / split, days, symbol="AAA", events=tuple(events), quote=quote if more else None)
    other = prices(0.01 * rng.standard_normal(n + more - 1), 70.0)
    return then, later, history(other, days, symbol="BBB"), as_of.item(), split


@settings(max_examples=40)
@given(then_and_later())
def test_what_came_after_the_day_changes_nothing(legs):
    """To the bit; where a later split has to be undone by a factor that is no power of two, to rounding."""
    then, later, other, as_of, split = legs
    one, two = (compared(leg, other, as_of=as_of) for leg in (then, later))
    assert one.receipt == two.receipt
    if math.log2(split).is_integer():
        assert_same(one, two)
    else:
        assert numbers(two) == pytest.approx(numbers(one), **CLOSE)
        assert two.leadership.p_value == one.leadership.p_value
    assert math.isnan(two["a", "now"])


def test_a_later_split_is_undone_in_the_closes_and_the_dividends():
    days = weekdays(4)
    events = (event(days[1], 0.5), event(days[2], 4.0, "split"), event(days[3], 10.0, "split"))
    now = series([10.0, 11.0, 12.0, 13.0], days, events=events)
    before = now.as_of(days[1].item())
    assert before.closes.tolist() == [400.0, 440.0]
    assert before.events == (event(days[1], 20.0),)
    between = now.as_of(days[2].item())
    assert between.closes.tolist() == [100.0, 110.0, 120.0]
    assert between.events == (event(days[1], 5.0), event(days[2], 4.0, "split"))
    assert now.as_of(days[3].item()) is now


# ---------------------------------------------------------------- exchanging the legs

same, negated, inverted, own = "same", "negated", "inverted", "its own"
SWAP = {
    "observations": same,
    "correlation": same,
    "correlation_low": same,
    "correlation_high": same,
    "rank_correlation": same,
    "beta": "beta_inverse",
    "beta_low": own,
    "beta_high": own,
    "beta_inverse": "beta",
    "alpha": own,
    "r_squared": same,
    "idiosyncratic_share": same,
    "return_gap": negated,
    "relative_strength": own,
    "volatility_ratio": inverted,
    "tracking_error": same,
    "information_ratio": negated,
    "tightness": same,
    "tightness_low": same,
    "tightness_high": same,
    "ratio": inverted,
    "ratio_high": "one over ratio_low",
    "ratio_low": "one over ratio_high",
    "ratio_zscore": negated,
    "half_life": same,
    "reversion_t": same,
    "up_beta": own,
    "down_beta": own,
    "up_capture": own,
    "down_capture": own,
    "correlation_fragility_low": same,
    "correlation_fragility_high": same,
    "lead_lag": negated,
    "lead_asymmetry": negated,
    "lead_correlation": same,
    "lead_p_value": same,
    "lead_detectable": same,
}


def test_every_statistic_of_the_pair_has_its_law_of_exchange():
    assert list(SWAP) == [e.key for e in stats.entries() if e.scope != "leg"]


def law(key, said):
    """What the statistic must be once the legs are exchanged."""
    rule = SWAP[key]
    if rule == inverted:
        return pytest.approx(1 / said[key], rel=1e-12)
    if rule.startswith("one over "):
        return pytest.approx(1 / said[rule.removeprefix("one over ")], rel=1e-12)
    return -said[key] if rule == negated else said[key if rule == same else rule]


@light
@given(seeds, st.sampled_from([0.0, 0.85, -0.6]))
def test_exchanging_the_legs_keeps_every_law(seed, rho):
    a, b = linked_pair(80, rho, seed)
    one, other = compared(a, b), compared(b, a)
    broken = [
        key
        for key, rule in SWAP.items()
        if rule != own and other[key] != law(key, one) and not (math.isnan(other[key]) and math.isnan(one[key]))
    ]
    assert broken == []
    assert 1 + other["relative_strength"] == pytest.approx(1 / (1 + one["relative_strength"]), rel=1e-12)
    here, there = numbers(one), numbers(other)
    for entry in (e for e in stats.entries() if e.scope == "leg"):
        swapped = [there[scope, entry.key] for scope in ("b", "a")]
        assert np.array_equal(swapped, [here[scope, entry.key] for scope in ("a", "b")], equal_nan=True)
        if entry.has_difference:
            gap = here["difference", entry.key]
            assert there["difference", entry.key] == -gap or math.isnan(gap)
    assert other.leadership.correlations.tolist() == one.leadership.correlations[::-1].tolist()
    assert other.leadership.verdict == one.leadership.verdict
    assert other.warnings == one.warnings


# ---------------------------------------------------------------- the scale of prices


@light
@given(seeds, st.sampled_from([2.0, 0.25, 1024.0]) | st.floats(1e-3, 1e3))
def test_prices_in_another_money_change_prices_and_ratios_alone(seed, scale):
    (a, b), days = linked_pair(80, 0.7, seed), weekdays(81)
    a = replace(a, series=series(a.series.closes, days, events=(event(days[40], 0.5),)))
    scaled = replace(a, series=series(scale * a.series.closes, days, events=(event(days[40], 0.5 * scale),)))
    one, other = numbers(compared(a, b)), numbers(compared(scaled, b))
    money = {e.key for e in stats.entries() if e.unit == "currency"}
    moved = {("pair", "ratio"), ("pair", "ratio_high"), ("pair", "ratio_low"), *(("a", key) for key in money)}
    assert moved <= one.keys()
    expected = {key: value * (scale if key in moved else 1) for key, value in one.items()}
    assert other == pytest.approx(expected, **CLOSE)
    assert other["leadership", "lead_p_value"] == one["leadership", "lead_p_value"]


# ---------------------------------------------------------------- what else has to be known


def test_two_currencies_are_said_and_one_is_not():
    (a, b), days = linked_returns(69), weekdays(70)
    pounds = history(prices(b), days, symbol="BBB", currency="GBp")
    said = compared(history(prices(a), days, symbol="AAA", currency="USD"), pounds)
    assert len(said.warnings) == 1
    assert said.warnings[0].startswith("AAA is in USD, BBB in GBp: ")
    assert said.warnings[0].endswith("; --currency USD converts")
    for currency in ("GBp", ""):
        assert compared(history(prices(a), days, symbol="AAA", currency=currency), pounds).warnings == ()


def in_currency(source, symbol, which, **facts):
    leg = history(prices(linked_returns(69)[which]), **facts)
    return replace(leg, series=replace(leg.series, leg=Leg(source, symbol)))


@pytest.mark.parametrize(
    ("ours", "theirs", "said"),
    [
        (("yahoo", "QQQ", "USD"), ("yahoo", "SAP.DE", "EUR"), "include the exchange rate; --currency USD converts"),
        (("yahoo", "QQQ", "USD"), ("fred", "PRICE", "JPY"), "include the exchange rate; --currency USD converts"),
        (("yahoo", "QQQ", "USD"), ("fred", "PRICE", "XXX"), "include the exchange rate; --currency XXX converts"),
        (("coingecko", "bitcoin/eur", "EUR"), ("coingecko", "ethereum", "USD"), "; ask for coingecko:bitcoin/usd"),
        (("coingecko", "ethereum", "USD"), ("coingecko", "bitcoin/eur", "EUR"), "; ask for coingecko:bitcoin/usd"),
        (("yahoo", "QQQ", "USD"), ("coingecko", "bitcoin/eur", "EUR"), "; --currency EUR converts"),
        (("csv", "a.csv", "USD"), ("coingecko", "bitcoin/eur", "EUR"), "; ask for coingecko:bitcoin/usd"),
        (("csv", "a.csv", "USD"), ("csv", "b.csv", "EUR"), "include the exchange rate"),
        (("csv", "a.csv", "GBP"), ("csv", "b.csv", "GBp"), "so is their ratio; --currency GBP converts"),
        (("gone", "A", "USD"), ("gone", "B", "EUR"), "include the exchange rate"),
    ],
)
def test_a_conversion_is_promised_only_where_there_are_rates(ours, theirs, said):
    legs = [in_currency(*side[:2], which, currency=side[2]) for which, side in enumerate((ours, theirs))]
    (told,) = (text for text in compared(*legs).warnings if " is in " in text)
    assert told.endswith(said)


def test_no_index_is_promised_to_be_converted():
    dax = in_currency("yahoo", "^GDAXI", 1, currency="EUR", measure="index")
    (told,) = (text for text in compared(in_currency("yahoo", "QQQ", 0, currency="USD"), dax).warnings)
    assert told.endswith("include the exchange rate; --currency EUR converts")
    spx = in_currency("yahoo", "^GSPC", 0, currency="USD", measure="index")
    (told,) = (text for text in compared(spx, dax).warnings)
    assert told.endswith("include the exchange rate")


def test_of_what_is_simulated_no_exchange_rate_is_told():
    drawn = in_currency("demo", "LEADER", 1, currency="simulated", simulated=True)
    assert compared(in_currency("yahoo", "QQQ", 0, currency="USD"), drawn).warnings == ()


def test_trouble_stale_legs_revisions_remarks_and_holes_are_said_in_order():
    hole, early, late = (np.datetime64(d) for d in ("2026-10-05", "2026-01-05", "2026-11-23"))
    (a, b) = linked_returns(69)
    quote = Quote(99.0, 0.0, open=True)
    first = history(
        prices(a),
        symbol="AAA",
        quote=quote,
        provenance=Provenance("cache", stale="AAA: old", revised=2, holes=(early, hole, late)),
    )
    second = history(prices(b), symbol="BBB", provenance=Provenance("network", remarks=("BBB: odd",), holes=(hole,)))
    said = pairs.compare(first, second, Question(FRIDAY, Window.parse("90d"), 5), trouble="cache: broken")
    assert said.warnings[:4] == ("cache: broken", "AAA: old", "AAA: 2 known closes revised by yahoo", "BBB: odd")
    assert "AAA and BBB: 1 finished session without a close, not filled: 2026-10-05" in said.warnings
    assert len(said.warnings) == 5
    assert said.stale
    assert math.isnan(said["a", "now"])
    alone = compared(first, replace(second, provenance=Provenance("network")))
    assert any(text.startswith("AAA: 1 finished session without a close") for text in alone.warnings)


def test_the_price_of_an_open_session_is_told_and_counts_nowhere_else():
    a, b = linked_pair(80)
    quoted = replace(a, series=replace(a.series, quote=Quote(a.series.closes[-1] * 1.1, 0.0, open=True)))
    with_quote, without = numbers(compared(quoted, b)), numbers(compared(a, b))
    assert with_quote.pop(("a", "now_change")) == pytest.approx(0.1, rel=1e-12)
    assert with_quote.pop(("a", "now")) == quoted.series.quote.price
    assert np.array_equal(list(with_quote.values()), [without[key] for key in with_quote], equal_nan=True)


def test_the_change_now_is_counted_from_the_close_less_what_has_been_distributed_since():
    a, b = linked_pair(61)
    last = a.series.closes[-1]
    quote = Quote(last - 2, 0.0, open=True)
    paid = event(a.series.dates[-1] + 3, 2.0)
    now = replace(a, series=replace(a.series, quote=quote, events=(paid,)))
    monday = a.series.dates[-1].item() + timedelta(days=3)
    assert compared(now, b, as_of=monday)["a", "now_change"] == pytest.approx(0, abs=1e-15)
    assert compared(now, b, as_of=monday, adjustment="price")["a", "now_change"] == pytest.approx(-2 / last)


def test_news_of_later_days_is_not_said_of_an_earlier_one():
    a, b = linked_pair(100)
    news = replace(a, provenance=Provenance("network", revised=2, refetched=True, remarks=("a split was added",)))
    assert "a split was added" in " ".join(compared(news, b).warnings)
    earlier = compared(news, b, as_of=a.series.dates[-10].item())
    assert not earlier.warnings
    assert not earlier.receipt.a.provenance.refetched


@pytest.mark.parametrize(
    ("step", "bars", "name"),
    [
        *[(7, 52, "week"), (14, 26, "fortnight"), (30, 12, "month")],
        *[(91, 4, "quarter"), (181, 2, "half-year"), (365, 1, "year")],
    ],
)
def test_a_rarer_series_says_what_a_bar_is_and_has_no_change_of_a_day(step, bars, name):
    days = calendar_days(41, step=step)
    a, b = linked_returns(40)
    said = compared(history(prices(a), days), history(prices(b), days, symbol="BBB"), window="40b")
    assert said.receipt.bars_per_year == bars
    assert any(f"a bar is a {name}" in text for text in said.warnings)
    assert np.isnan(said["a", "change_1d"])


def test_a_change_from_a_close_that_is_too_old_cannot_be_said():
    a, b = linked_pair(200)
    cut = np.r_[0:60, 150:201]
    gapped = [
        replace(h, series=replace(h.series, dates=h.series.dates[cut], closes=h.series.closes[cut])) for h in (a, b)
    ]
    said = compared(*gapped, window="45b")
    assert np.isnan(said["a", "change_3m"])
    assert np.isfinite(said["a", "change_1m"])


def test_pence_and_pounds_are_said_to_be_a_factor():
    a, b = linked_pair(61)
    pence = replace(a, series=replace(a.series, facts=replace(a.series.facts, currency="GBp")))
    pounds = replace(b, series=replace(b.series, facts=replace(b.series.facts, currency="GBP")))
    (text,) = (text for text in compared(pence, pounds).warnings if "a hundredth" in text)
    assert text.endswith("; --currency GBP converts")


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        (
            {"measure": "rate"},
            {},
            "AAA changes in basis points, BBB in percent: beta and its inverse are in basis points",
        ),
        (
            {},
            {"changes": "points", "unit": "barrels"},
            "BBB changes in barrels, AAA in percent: beta and its inverse are",
        ),
        ({"measure": "rate"}, {"changes": "points"}, "beta is in basis points of AAA for 1 in USD of BBB"),
        ({"measure": "rate"}, {"measure": "rate"}, ""),
        ({"measure": "index"}, {}, ""),
    ],
)
def test_what_beta_is_counted_in_is_said_where_the_legs_changes_are_not_counted_alike(ours, theirs, expected):
    a, b = linked_returns(69)
    found = compared(history(prices(a), symbol="AAA", **ours), history(prices(b), symbol="BBB", **theirs)).warnings
    assert [text for text in found if "beta" in text] == [text for text in found if expected and expected in text]
    assert len(found) == bool(expected)


def test_the_receipt_holds_what_is_not_said_of_these_units():
    a, b = linked_returns(69)
    rate = history(prices(a), symbol="AAA", measure="rate")
    assert any("ratio" in one.keys for one in compared(rate, history(prices(b), symbol="BBB")).receipt.absent)
    level = history(prices(a), symbol="AAA", measure="level")
    assert any("held" in one.because for one in compared(level, history(prices(b), symbol="BBB")).receipt.absent)
    assert compared(*linked_pair(300)).receipt.absent == ()


@pytest.mark.parametrize(
    ("n", "expected"),
    [
        (262, ()),
        (261, ("change_1y",)),
        (233, ("change_1y",)),
        (232, ("change_ytd", "change_1y")),
        (24, ("change_3m", "change_ytd", "change_1y")),
        (23, ("change_1m", "change_3m", "change_ytd", "change_1y")),
    ],
)
def test_the_changes_for_which_a_history_begins_too_late_are_told_with_its_beginning(n, expected):
    a, b = linked_returns(400)
    young = history(prices(a[-n + 1 :]), symbol="AAA")
    said = compared(young, history(prices(b), symbol="BBB"), "20b")
    told = {one.scope: (one.keys, one.because) for one in said.receipt.absent}
    assert told == ({"a": (expected, f"AAA begins on {young.series.dates[0]}")} if expected else {})
    changes = ("change_1m", "change_3m", "change_ytd", "change_1y")
    assert tuple(key for key in changes if math.isnan(said["a", key])) == expected


def test_a_way_to_line_up_that_there_is_not_is_a_usage_error():
    with pytest.raises(UsageError, match="cannot be lined up by 'week'"):
        compared(*linked_pair(61), align="week")


def test_a_slow_leg_that_is_published_late_ends_the_window_without_a_word():
    months = np.arange("2023-01", "2026-11", dtype="M8[M]").astype("M8[D]") - 1
    slow = history(prices(linked_returns(len(months) - 1)[0]), months, symbol="SLOW")
    fast = history(prices(linked_returns(1299)[1]), weekdays(1300), symbol="FAST")
    early = compared(slow, fast, "3y").warnings
    assert not any("the window ends on" in text for text in early)
    stopped = replace(slow, series=replace(slow.series, dates=months[:-4], closes=slow.series.closes[:-4]))
    assert any("the window ends on" in text for text in compared(stopped, fast, "3y").warnings)
