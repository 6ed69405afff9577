"""Which closes belong together, against pandas, brute force, and pairs whose truth is known.

Positions and dates are compared exactly.
"""

import math
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import (
    CRYPTO,
    FRIDAY,
    LONDON,
    NEW_YORK,
    TOKYO,
    calendar_days,
    closing_instants,
    compared,
    history,
    linked_pair,
    prices,
    series,
    told_at_two_clocks,
    weekdays,
)

from pairwatch import alignment, clocks, pairs, verdicts
from pairwatch.errors import NotEnoughData, UsageError
from pairwatch.model import Facts, Leg, Window
from pairwatch.staging import Question

seeds = st.integers(0, 2**31)
light = settings(max_examples=25)
EVERYTHING = Window.parse("90y")
CRYPTO_FACTS = {"timezone": "UTC", "closes_at": 1440, "every_day": True}


def days(text):
    return np.array(text.split(), dtype="datetime64[D]")


def ends(period, n, last=FRIDAY):
    """The last calendar days of the `n` periods up to one that has ended."""
    codes = {"week": "W-SAT", "fortnight": "2W-SAT", "month": "ME", "quarter": "QE", "half-year": "2QE", "year": "YE"}
    found = pd.date_range(end=last - timedelta(days=150) * (period == "half-year"), periods=n, freq=codes[period])
    return found.to_numpy().astype("datetime64[D]")


def on(dates, symbol="AAA", seed=0, **facts):
    """Closes that are all different, on these days."""
    closes = np.random.default_rng(seed).permutation(len(dates)) + 1.0
    return series(closes, dates, symbol=symbol, **facts)


def thinned(dates, share, seed):
    """The days without some of them, the last kept."""
    keep = np.random.default_rng(seed).random(len(dates)) >= share
    keep[-1] = True
    return dates[keep]


def paired(a, b, how="date"):
    """The bars' days with the days of the closes in them."""
    found = alignment.matches(a, b, how)
    return list(zip(found.dates.tolist(), a.dates[found.at_a].tolist(), b.dates[found.at_b].tolist(), strict=True))


# ---------------------------------------------------------------- a slower leg and a faster one


@light
@given(seeds, st.sampled_from(["week", "month", "quarter"]), st.booleans(), st.floats(0, 0.4))
def test_a_periods_close_is_the_faster_legs_last_one_in_it_as_pandas_resamples_it(seed, period, every_day, missing):
    own = calendar_days(1500) if every_day else weekdays(1000)
    fast = on(thinned(own, missing, seed), "FAST", seed)
    slow = on(ends(period, {"week": 180, "month": 45, "quarter": 14}[period]), "SLOW")
    found = alignment.matches(slow, fast)
    rule = {"week": "W-SAT", "month": "ME", "quarter": "QE"}[period]
    closes = pd.Series(fast.closes, pd.DatetimeIndex(fast.dates)).resample(rule).last().dropna()
    expected = closes[closes.index.isin(pd.DatetimeIndex(slow.dates))]
    assert found.period == period
    assert found.dates.tolist() == [day.date() for day in expected.index]
    assert fast.closes[found.at_b].tolist() == expected.tolist()
    assert (slow.dates[found.at_a] == found.dates).all()


@light
@given(seeds, st.sampled_from(["week", "month"]), st.floats(0, 0.6), st.floats(0, 0.3))
def test_with_periods_missing_a_close_is_what_merge_asof_finds_in_the_same_period(seed, period, missing, fewer):
    fast = on(thinned(weekdays(1000), missing, seed), "FAST", seed)
    slow = on(thinned(ends(period, 40), fewer, seed + 1), "SLOW", frequency=period)
    left = pd.DataFrame({"end": pd.DatetimeIndex(slow.dates)})
    right = pd.DataFrame({"day": pd.DatetimeIndex(fast.dates)})
    joined = pd.merge_asof(left, right, left_on="end", right_on="day").dropna(subset="day")
    code = {"week": "W-SAT", "month": "M"}[period]
    joined = joined[joined["end"].dt.to_period(code) == joined["day"].dt.to_period(code)]
    expected = [(x.date(), x.date(), y.date()) for x, y in zip(joined["end"], joined["day"], strict=True)]
    assert paired(slow, fast) == expected


def test_a_faster_legs_close_in_no_later_period_stands_for_none():
    """It is silent from 5 March to 7 May: April has no close, March has that of the 5th, nothing is carried."""
    own = weekdays(300)
    silent = (own > np.datetime64("2026-03-05")) & (own < np.datetime64("2026-05-07"))
    found = paired(on(ends("month", 13)), on(own[~silent], "BBB"))
    by_end = {end: close for end, _, close in found}
    assert by_end[date(2026, 3, 31)] == date(2026, 3, 5)
    assert date(2026, 4, 30) not in by_end
    assert by_end[date(2026, 5, 31)] == date(2026, 5, 29)


@pytest.mark.parametrize("end", ["2026-03-30", "2026-03-31", "2024-02-29", "2026-02-15", "2026-12-31", "2026-06-30"])
@pytest.mark.parametrize(("period", "months"), [("month", 1), ("quarter", 3), ("half-year", 6), ("year", 12)])
def test_a_period_without_one_before_it_begins_where_the_calendar_has_it(end, period, months):
    """At the end of a month if it ends at one; else on the same day of the month, as pandas counts back."""
    last = pd.Timestamp(end)
    start = (last - (pd.offsets.MonthEnd(months) if last.is_month_end else pd.DateOffset(months=months))).date()
    slow = on(days(end), frequency=period)
    for day, is_in in ((start, False), (start + timedelta(days=1), True)):
        fast = on(np.array([day, last.date() + timedelta(days=1)], "M8[D]"), "BBB", frequency="day")
        assert paired(slow, fast) == ([(last.date(), last.date(), day)] if is_in else [])


def test_no_close_is_of_two_periods():
    """Trading ends on 29 April, a month after the 29th of March, when March's was still to come."""
    slow = on(days("2026-03-31 2026-04-29 2026-05-29"), frequency="month")
    fast = on(days("2026-03-30 2026-05-28 2026-06-01"), "BBB", frequency="day")
    assert [close for *_, close in paired(slow, fast)] == [date(2026, 3, 30), date(2026, 5, 28)]


@pytest.mark.parametrize(
    ("last", "is_final"),
    [
        ("2026-05-29", True),  # the Friday before month's end, a Sunday
        ("2026-05-28", False),  # the Thursday: Friday's close is owed
        ("2026-05-11", False),  # it has stopped in the middle of the month
        ("2026-06-01", True),
    ],
)
def test_the_last_period_counts_only_once_its_close_is_final(last, is_final):
    fast = on(weekdays(300, date.fromisoformat(last)), "BBB")
    found = paired(on(ends("month", 12, date(2026, 5, 31))), fast)
    assert (found[-1][0] == date(2026, 5, 31)) is is_final
    assert found[-1][0] in (date(2026, 5, 31), date(2026, 4, 30))


@pytest.mark.parametrize(("last", "is_final"), [("2026-05-30", False), ("2026-05-31", True)])
def test_a_leg_of_every_day_owes_a_sundays_close_too(last, is_final):
    fast = on(calendar_days(300, date.fromisoformat(last)), "BBB")
    assert (paired(on(ends("month", 12, date(2026, 5, 31))), fast)[-1][0] == date(2026, 5, 31)) is is_final


def test_a_leg_owes_closes_on_the_days_of_the_week_that_it_trades_on():
    """From Sunday to Thursday, and once on a Friday: on the Friday that ends a month nothing is owed."""
    own = calendar_days(400, date(2026, 7, 30))
    of_week = (own.astype("i8") + 3) % 7
    fast = on(own[(of_week == 6) | (of_week < 4) | (own == np.datetime64("2026-07-03"))], "BBB")
    assert paired(on(ends("month", 12, date(2026, 7, 31))), fast)[-1][0] == date(2026, 7, 31)


@pytest.mark.parametrize(
    ("frequency", "own", "is_final"),
    [
        ("week", "2026-06-12 2026-06-19 2026-06-26", True),
        ("week", "2026-06-05 2026-06-12 2026-06-19", False),
        ("month", "2026-04-30 2026-05-31 2026-06-30", True),
        ("month", "2026-03-31 2026-04-30 2026-05-31", False),
    ],
)
def test_weeks_and_months_are_owed_to_a_quarter_as_days_are_to_a_month(frequency, own, is_final):
    slow = on(ends("quarter", 2, date(2026, 6, 30)), frequency="quarter")
    fast = on(days(own), "BBB", frequency=frequency)
    assert (date(2026, 6, 30) in [end for end, *_ in paired(slow, fast)]) is is_final


def test_the_source_says_the_frequency_and_else_the_days_do():
    steps = {1: "day", 3: "day", 7: "week", 14: "fortnight", 30: "month", 91: "quarter", 181: "half-year", 365: "year"}
    for step, expected in steps.items():
        assert alignment.frequency_of(on(calendar_days(70, step=step))) == expected
    assert alignment.frequency_of(on(calendar_days(70), frequency="month")) == "month"
    assert alignment.frequency_of(on(days(""))) == "day"


@pytest.mark.parametrize(
    ("period", "bars", "n"),
    [
        *[("week", 52, 60), ("fortnight", 26, 50), ("month", 12, 40)],
        *[("quarter", 4, 40), ("half-year", 2, 40), ("year", 1, 30)],
    ],
)
def test_a_mixed_pair_has_the_slower_legs_bars_a_year_and_says_how_it_is_lined_up(period, bars, n):
    slow_days = ends(period, n)
    fast_days = weekdays(n * 262 // bars + 300)
    steps = np.random.default_rng(1).standard_normal((2, 20_000)) * 0.01
    slow = history(prices(steps[0])[:n], slow_days, symbol="SLOW")
    fast = history(prices(steps[1])[: len(fast_days)], fast_days, symbol="FAST")
    said = compared(fast, slow, "90y")
    told = f"by the {period}s of SLOW: FAST's last close in each"
    assert said.receipt.lined_up == compared(slow, fast, "90y").receipt.lined_up == told
    assert said.receipt.bars_per_year == bars
    assert said["observations"] == n - 1
    closes = fast.series.closes[fast_days.searchsorted(slow_days, side="right") - 1]
    returns = closes[1:] / closes[:-1] - 1
    assert said["a", "volatility"] == pytest.approx(returns.std(ddof=1) * math.sqrt(bars), rel=1e-12)
    assert np.isnan(said["a", "change_1d"])


@light
@given(seeds, st.sampled_from(["month", "quarter", "year"]), st.integers(0, 3), st.booleans())
def test_a_faster_legs_changes_are_those_of_its_bars_as_pandas_resamples_them(seed, period, missing, is_first):
    slow_days = ends(period, 60, date(2026, 10, 31))
    fast_days = thinned(weekdays(60 * 262, slow_days[-1].item()), 0.04, seed)
    rng = np.random.default_rng(seed)
    slow = history(prices(0.05 * rng.standard_normal(59)), slow_days, symbol="SLOW", frequency=period)
    later = weekdays(missing, date(2026, 11, 6))  # closes that no bar has
    dates = np.unique(np.append(fast_days, later))
    fast = history(prices(0.01 * rng.standard_normal(len(dates) - 1)), dates, symbol="FAST")
    said = compared(*((fast, slow) if is_first else (slow, fast)), "40y")
    closes = pd.Series(fast.series.closes, pd.DatetimeIndex(fast.series.dates))
    at_ends = closes.resample({"month": "ME", "quarter": "QE", "year": "YE"}[period]).last()[: slow_days[-1]]
    values = pd.Series(slow.series.closes, pd.DatetimeIndex(slow_days))
    step = {"month": 1, "quarter": 3, "year": 12}[period]
    for scope, column in zip("ab" if is_first else "ba", (at_ends, values), strict=True):
        for key, months in (("change_1m", 1), ("change_3m", 3), ("change_1y", 12)):
            expected = column.pct_change(months // step).iloc[-1] if months >= step else np.nan
            assert said[scope, key] == pytest.approx(expected, rel=1e-12, nan_ok=True)
        new_year = column[f"{slow_days[-1].item().year - 1}-12-31"]
        assert said[scope, "change_ytd"] == pytest.approx(column.iloc[-1] / new_year - 1, rel=1e-12)
        assert all(math.isnan(said[scope, key]) for key in ("change_1d", "change_1w"))


def test_what_a_faster_leg_did_between_the_bars_counts_for_a_leg_that_changes_by_differences_neither():
    month_ends = ends("month", 30, date(2026, 10, 31))
    days_of_fast = weekdays(700, date(2026, 10, 30))
    rate = history(np.arange(700.0) ** 1.5 / 1e4, days_of_fast, symbol="RATE", measure="rate", frequency="day")
    slow = history(prices(np.full(29, 0.01)), month_ends, symbol="SLOW", frequency="month")
    said = compared(rate, slow, "2y")
    by_month = pd.Series(rate.series.closes, pd.DatetimeIndex(days_of_fast)).resample("ME").last()
    assert said["a", "change_3m"] == pytest.approx(100 * by_month.diff(3).iloc[-1], rel=1e-12)


def test_closes_between_the_ends_of_periods_are_not_lost_and_those_of_a_missing_period_are():
    slow_days = ends("month", 40)
    gone = slow_days != np.datetime64("2026-03-31")
    rng = np.random.default_rng(2)
    fast = history(prices(0.01 * rng.standard_normal(1299)), weekdays(1300), symbol="FAST")
    whole, holed = (history(prices(0.01 * rng.standard_normal(k.sum() - 1)), slow_days[k]) for k in (gone | True, gone))
    assert [side.lost for side in compared(fast, whole, "3y").receipt[:2]] == [0, 0]
    assert [side.lost for side in compared(fast, holed, "3y").receipt[:2]] == [22, 0]  # March's weekdays
    assert [side.lost for side in compared(holed, fast, "3y").receipt[:2]] == [0, 22]
    silent = fast.series.dates.astype("M8[M]") == np.datetime64("2026-02")
    quiet = replace(
        fast, series=replace(fast.series, dates=fast.series.dates[~silent], closes=fast.series.closes[~silent])
    )
    assert [side.lost for side in compared(quiet, whole, "3y").receipt[:2]] == [0, 1]


def test_a_window_that_holds_too_few_periods_names_one_that_holds_enough():
    hints = {}
    counts = {"week": 60, "fortnight": 60, "month": 40, "quarter": 50, "half-year": 50, "year": 40}
    for period, n in counts.items():
        slow = on(ends(period, n), "SLOW", frequency=period)
        with pytest.raises(NotEnoughData, match="20 are needed") as caught:
            alignment.align(on(weekdays(12000)), slow, Window.parse("90d"))
        hints[period] = caught.value.hint.removeprefix("use a longer window: --window ")
        assert len(alignment.align(on(weekdays(12000)), slow, Window.parse(hints[period])).dates) > 20
    assert hints == dict(zip(counts, ("1y", "2y", "3y", "10y", "20y", "30y"), strict=True))


def test_where_the_usual_window_holds_too_few_the_hint_counts_bars_and_where_all_are_too_few_it_names_none():
    sparse = on(thinned(weekdays(300), 0.8, 1), frequency="day")
    with pytest.raises(NotEnoughData) as caught:
        alignment.align(sparse, on(weekdays(300), "BBB"), Window.parse("90d"))
    bars = int(caught.value.hint.removeprefix("use a longer window: --window ").removesuffix("b"))
    assert len(alignment.align(sparse, on(weekdays(300), "BBB"), Window(bars, "b")).dates) == bars + 1 >= 21
    with pytest.raises(NotEnoughData) as caught:
        alignment.align(on(weekdays(10)), on(weekdays(10), "BBB"), Window.parse("90d"))
    assert caught.value.hint == "no window is long enough for 10 common closes: name legs with 21 or more"


# ---------------------------------------------------------------- one frequency


@light
@given(seeds, st.sampled_from([1, 7, 28, 30, 91, 365]), st.floats(0, 0.5))
def test_legs_of_one_frequency_on_the_same_days_are_joined_by_date(seed, step, missing):
    own = calendar_days(120, step=step)
    name = alignment.frequency_of(on(own))
    a, b = (on(thinned(own, missing, seed + k), symbol, frequency=name) for k, symbol in ((0, "AAA"), (1, "BBB")))
    found = alignment.matches(a, b)
    dates, at_a, at_b = np.intersect1d(a.dates, b.dates, return_indices=True)
    assert found.dates.tolist() == dates.tolist()
    assert found.at_a.tolist() == at_a.tolist()
    assert found.at_b.tolist() == at_b.tolist()
    assert (found.lined_up, found.average) == ("", 0)


def test_values_of_fortnights_meet_in_one_week_whichever_weeks_these_are():
    for shift in (0, 7):
        wednesdays = calendar_days(30, date(2026, 11, 18) - timedelta(days=shift), 14)
        found = paired(on(wednesdays), on(wednesdays + 2, "BBB"))
        assert [(late - x).days for late, x, _ in found] == [2] * 30
        assert paired(on(wednesdays), on(wednesdays + 7, "BBB")) == []


def test_half_years_whose_days_differ_meet_in_their_half():
    last = ends("half-year", 30)
    found = paired(on(last), on(np.busday_offset(last, 0, roll="backward") - 20, "BBB"))
    assert [end for end, *_ in found] == last.tolist()


@pytest.mark.parametrize(
    ("own", "is_final"),
    [("2026-06-10 2026-06-24", True), ("2026-06-03 2026-06-17", True), ("2026-05-20 2026-06-03", False)],
)
def test_a_month_is_owed_a_value_each_fortnight(own, is_final):
    slow, fast = on(ends("month", 2, date(2026, 6, 30)), frequency="month"), on(days(own), "BBB", frequency="fortnight")
    assert (date(2026, 6, 30) in [end for end, *_ in paired(slow, fast)]) is is_final


@pytest.mark.parametrize("period", ["week", "month", "quarter", "year"])
def test_slow_legs_whose_days_differ_are_joined_by_period_as_pandas_joins_them(period):
    by_calendar = thinned(ends(period, 40), 0.2, 3)
    by_trading = np.busday_offset(thinned(ends(period, 40), 0.2, 4), 0, roll="backward")
    a, b = on(by_calendar, "AAA", frequency=period), on(by_trading, "BBB", frequency=period)
    code = {"week": "W-SUN", "month": "M", "quarter": "Q", "year": "Y"}[period]
    frames = [
        pd.DataFrame({name: leg.dates, "period": pd.DatetimeIndex(leg.dates).to_period(code)})
        for name, leg in (("a", a), ("b", b))
    ]
    joined = frames[0].merge(frames[1], on="period")
    expected = zip(joined[["a", "b"]].max(axis=1), joined["a"], joined["b"], strict=True)
    assert paired(a, b) == [tuple(day.date() for day in row) for row in expected]
    assert alignment.matches(a, b).lined_up == f"by {period}s: the days of AAA and BBB in them differ"


def test_weeks_begin_on_mondays():
    wednesdays, saturdays = calendar_days(30, date(2026, 11, 18), 7), calendar_days(30, date(2026, 11, 21), 7)
    found = paired(on(wednesdays), on(saturdays, "BBB"))
    assert len(found) == 30
    assert found[-1] == (date(2026, 11, 21), date(2026, 11, 18), date(2026, 11, 21))


def test_values_dated_half_a_period_apart_are_not_of_one():
    """One leg dated by the first day of a month, the other by the last: whether they belong together is not known."""
    last = ends("month", 40)
    first = on(last.astype("M8[M]").astype("M8[D]"), "BBB", frequency="month")
    with pytest.raises(NotEnoughData, match="no month in common"):
        alignment.align(on(last, frequency="month"), first, EVERYTHING)


def test_where_a_leg_has_two_values_in_a_period_dates_decide():
    a = on(days("2026-01-01 2026-01-31 2026-02-28 2026-03-31"), frequency="month")
    b = on(days("2026-01-31 2026-02-27 2026-03-31"), "BBB", frequency="month")
    assert [day for day, *_ in paired(a, b)] == [date(2026, 1, 31), date(2026, 3, 31)]


# ---------------------------------------------------------------- laws of every way

ways = st.sampled_from(
    [
        ("date", {}, {}),
        ("date", {"frequency": "month"}, {}),
        ("date", {}, {"frequency": "week"}),
        ("date", {"frequency": "month"}, {"frequency": "week"}),
        ("date", {"frequency": "month"}, {"frequency": "month"}),
        ("two-day", {}, {}),
        ("nearest", {"timezone": "Asia/Tokyo", "closes_at": 930}, {"timezone": "America/New_York", "closes_at": 960}),
        ("nearest", CRYPTO_FACTS, {"timezone": "Europe/London", "closes_at": 990}),
        ("nearest", {"timezone": "Asia/Tokyo", "closes_at": 1020}, {"timezone": "America/New_York", "closes_at": 960}),
    ]
)


def drawn(facts, missing, seed, symbol):
    period = facts.get("frequency")
    own = calendar_days(500) if facts.get("every_day") else weekdays(500) if period is None else ends(period, 60)
    return on(thinned(own, missing, seed), symbol, seed, **{"frequency": "day", **facts})


@settings(max_examples=60)
@given(seeds, ways, st.floats(0, 0.6))
def test_bars_follow_each_other_look_ahead_of_nothing_use_no_close_twice_and_do_not_care_which_leg_is_first(
    seed, way, missing
):
    how, *facts = way
    a, b = drawn(facts[0], missing, seed, "AAA"), drawn(facts[1], missing / 2, seed + 1, "BBB")
    found, swapped = alignment.matches(a, b, how), alignment.matches(b, a, how)
    for leg, at in ((a, found.at_a), (b, found.at_b)):
        assert (np.diff(at) > 0).all()
        assert ((at >= 0) & (at < len(leg))).all()
        assert (leg.dates[at] <= found.dates).all()
    assert (np.diff(found.dates.astype("i8")) > 0).all()
    assert (np.maximum(a.dates[found.at_a], b.dates[found.at_b]) == found.dates).all()
    assert found.dates.tolist() == swapped.dates.tolist()
    assert (found.at_a.tolist(), found.at_b.tolist()) == (swapped.at_b.tolist(), swapped.at_a.tolist())
    assert (found.period, found.average) == (swapped.period, -swapped.average)


@light
@given(seeds, ways, st.floats(0, 0.5))
def test_what_comes_later_changes_no_bar_that_has_been_seen_but_the_last(seed, way, missing):
    """What is known on a day is a beginning of what is known later; of two days, the bars are counted from the end."""
    how, *facts = way
    if how == "two-day":
        return
    a, b = drawn(facts[0], missing, seed, "AAA"), drawn(facts[1], missing / 2, seed + 1, "BBB")
    then = date(2026, 6, 17)
    early, late = paired(a.as_of(then), b.as_of(then), how), paired(a, b, how)
    assert set(early[:-1]) <= set(late)
    assert [bar for bar in late if bar[0] < early[-1][0]] == early[:-1]


@pytest.mark.parametrize("nothing", ["A", "B", "both"])
@pytest.mark.parametrize("how", ["date", "two-day", "nearest"])
def test_legs_without_a_close_have_nothing_in_common(nothing, how):
    facts = {"timezone": "UTC", "closes_at": 960}
    a, b = (on(days("") if nothing in (leg, "both") else weekdays(30), leg * 3, **facts) for leg in "AB")
    with pytest.raises(NotEnoughData, match="in common"):
        alignment.align(a, b, EVERYTHING, how)
    with pytest.raises(NotEnoughData, match="no month in common"):
        alignment.align(on(days(""), frequency="month"), b, EVERYTHING)


# ---------------------------------------------------------------- two-day


@pytest.mark.parametrize("n", [100, 101])
def test_two_day_takes_every_second_common_close_back_from_the_last(n):
    a, b = linked_pair(n)
    holed = replace(b, series=replace(b.series, dates=b.series.dates[5:], closes=b.series.closes[5:]))
    common = a.series.dates[5:].tolist()
    found = alignment.align(a.series, holed.series, Window.parse("60d"), "two-day")
    assert found.dates[::-1].tolist() == common[::-2][: len(found.dates)]
    said = compared(a, holed, "60d", align="two-day", max_lag=3)
    closes = a.series.closes[found.at_a]
    assert said.receipt.bars_per_year == 126
    assert said["a", "volatility"] == pytest.approx((closes[1:] / closes[:-1] - 1).std(ddof=1) * math.sqrt(126))
    assert (said.receipt.align, said.receipt.a.lost, said.receipt.b.lost) == ("two-day", 0, 0)
    assert said.receipt.lined_up == "by every second common close, counted from the last"


def test_a_close_that_one_leg_lacks_is_lost_in_two_day_bars_too():
    a, b = linked_pair(100)
    keep = b.series.dates != np.datetime64("2026-11-05")
    holed = replace(b, series=replace(b.series, dates=b.series.dates[keep], closes=b.series.closes[keep]))
    assert compared(a, holed, align="two-day").receipt.a.lost == 1


# ---------------------------------------------------------------- nearest in time


@light
@given(
    seeds,
    st.sampled_from([(TOKYO, NEW_YORK), (LONDON, TOKYO), (CRYPTO, NEW_YORK), (NEW_YORK, LONDON), (CRYPTO, TOKYO)]),
    st.floats(0, 0.4),
    st.sampled_from([date(2026, 3, 20), date(2026, 4, 10), FRIDAY]),
)
def test_closes_are_paired_that_are_each_the_others_nearest_of_all(seed, facts, missing, end):
    sides = [
        on(thinned(calendar_days(80, end) if f.every_day else weekdays(57, end), missing, seed + k), symbol)
        for k, (f, symbol) in enumerate(zip(facts, ("AAA", "BBB"), strict=True))
    ]
    a, b = (replace(side, facts=replace(f, frequency="day")) for side, f in zip(sides, facts, strict=True))
    apart = np.abs(closing_instants(a.facts, a.dates)[:, None] - closing_instants(b.facts, b.dates))
    expected = [
        (i, j)
        for i, j in np.ndindex(apart.shape)
        if apart[i, j] == apart[i].min() == apart[:, j].min() and apart[i, j] <= 12 * 3600
    ]
    found = alignment.matches(a, b, "nearest")
    assert list(zip(found.at_a.tolist(), found.at_b.tolist(), strict=True)) == expected


def test_tokyos_close_meets_new_yorks_of_the_day_before_but_on_mondays():
    a, b = (series(np.ones(10), weekdays(10), symbol=s) for s in ("AAA", "BBB"))
    a, b = replace(a, facts=TOKYO), replace(b, facts=NEW_YORK)
    friday_before = date(2026, 11, 13)
    assert paired(a, b, "nearest")[-5:] == [
        (friday_before, friday_before, date(2026, 11, 12)),
        *[(date(2026, 11, day), date(2026, 11, day), date(2026, 11, day - 1)) for day in (17, 18, 19, 20)],
    ]


def test_of_two_closes_as_near_the_one_of_the_same_day_is_taken():
    noon, midnight = {"timezone": "UTC", "closes_at": 720}, {"timezone": "UTC", "closes_at": 1440}
    a, b = on(calendar_days(30), every_day=True, **noon), on(calendar_days(30), "BBB", every_day=True, **midnight)
    assert all(x == y == z for x, y, z in paired(a, b, "nearest"))
    assert len(paired(a, b, "nearest")) == 30


def test_a_missing_session_does_not_make_far_closes_meet():
    a, b = (on(weekdays(40), s) for s in ("AAA", "BBB"))
    gone = b.dates != np.datetime64("2026-11-18")
    b = replace(b, dates=b.dates[gone], closes=b.closes[gone], facts=NEW_YORK)
    assert date(2026, 11, 19) not in [day for day, *_ in paired(replace(a, facts=TOKYO), b, "nearest")]


@pytest.mark.parametrize(
    ("facts", "other", "named"),
    [
        (Facts(timezone="Asia/Tokyo"), NEW_YORK, "AAA"),
        (NEW_YORK, Facts(timezone="America/New_York"), "BBB"),
        (Facts(), Facts(), "AAA and BBB"),
        (Facts(timezone="Mars/Base", closes_at=900), NEW_YORK, "AAA"),
    ],
)
def test_nearest_is_refused_where_a_close_is_not_known_with_what_to_do(facts, other, named):
    a, b = (replace(on(weekdays(60), s), facts=f) for s, f in (("AAA", facts), ("BBB", other)))
    with pytest.raises(UsageError, match=f"--align nearest: the closing time of {named} is not known") as caught:
        alignment.align(a, b, EVERYTHING, "nearest")
    assert "--align two-day" in caught.value.hint


@pytest.mark.parametrize("how", ["nearest", "two-day"])
def test_other_ways_than_by_date_are_for_daily_closes(how):
    with pytest.raises(UsageError, match=f"--align {how} is for daily closes: BBB has one a month"):
        alignment.align(on(weekdays(1000)), on(ends("month", 40), "BBB"), EVERYTHING, how)


def test_there_is_no_other_way():
    with pytest.raises(UsageError, match="cannot be lined up by 'week'") as caught:
        alignment.matches(on(weekdays(30)), on(weekdays(30)), "week")
    assert caught.value.hint == "it is date, nearest, two-day"


def test_bars_nearest_in_time_are_counted_where_many_closes_have_no_partner():
    """The true variance a year is that of all half hours, however the bars lie."""
    found = [compared(*told_at_two_clocks(TOKYO, NEW_YORK, 1100, seed), "4y", align="nearest") for seed in range(4)]
    assert {said.receipt.bars_per_year for said in found} == {209}
    truth = 0.0015 * math.sqrt(48 * 365.25)
    assert np.mean([said["b", "volatility"] for said in found]) == pytest.approx(truth, rel=0.04)
    assert found[0].receipt.a.lost == pytest.approx(found[0].receipt.matched / 4, abs=2)
    same_day = compared(*told_at_two_clocks(LONDON, NEW_YORK, 400, 0), "1y", align="nearest")
    assert same_day.receipt.bars_per_year == 252


def test_a_long_silence_of_a_leg_is_no_time_in_which_bars_could_have_been():
    a, b = told_at_two_clocks(TOKYO, NEW_YORK, 900, 1)
    keep = (b.series.dates < np.datetime64("2024-06-01")) | (b.series.dates > np.datetime64("2025-06-01"))
    silent = replace(b, series=replace(b.series, dates=b.series.dates[keep], closes=b.series.closes[keep]))
    whole, holed = (compared(a, leg, "90d", align="nearest").receipt.bars_per_year for leg in (b, silent))
    assert whole == pytest.approx(209, abs=1)
    assert holed == pytest.approx(whole, abs=1)


# ---------------------------------------------------------------- hours apart


def test_hours_apart_within_a_zone_are_those_of_the_clock():
    futures = replace(NEW_YORK, closes_at=17 * 60)
    assert clocks.hours_apart(futures, NEW_YORK, weekdays(5)) == 1.0
    assert clocks.hours_apart(NEW_YORK, futures, weekdays(5)) == -1.0
    assert clocks.hours_apart(NEW_YORK, NEW_YORK, weekdays(5)) == 0.0


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (date(2026, 7, 31), -13.5),  # summer in New York, none in Tokyo
        (date(2026, 12, 31), -14.5),
        (date(2026, 11, 4), -14.5),  # clocks went back on 1 November: the farther of the two
    ],
)
def test_hours_apart_between_zones_follow_summer_time_and_take_the_farthest_day(end, expected):
    assert clocks.hours_apart(TOKYO, NEW_YORK, weekdays(10, end)) == expected
    assert clocks.hours_apart(NEW_YORK, TOKYO, weekdays(10, end)) == -expected


@pytest.mark.parametrize(
    ("day", "expected"),
    [("2026-03-06", -4.5), ("2026-03-09", -3.5), ("2026-03-30", -4.5), ("2026-10-26", -3.5), ("2026-11-02", -4.5)],
)
def test_london_and_new_york_are_an_hour_nearer_while_only_one_has_changed_its_clock(day, expected):
    assert clocks.hours_apart(LONDON, NEW_YORK, days(day)) == expected


def test_on_the_day_of_a_change_a_close_is_by_the_clock_on_the_wall():
    sunday = days("2026-11-01")
    local = replace(NEW_YORK, every_day=True)
    assert clocks.hours_apart(local, Facts(timezone="UTC", closes_at=21 * 60), sunday) == 0.0


def test_a_close_at_the_midnight_after_is_hours_after_new_yorks():
    assert clocks.hours_apart(CRYPTO, NEW_YORK, weekdays(5, date(2026, 1, 9))) == 3.0


def test_hours_apart_are_those_of_the_closes_that_were_paired():
    a, b = told_at_two_clocks(TOKYO, NEW_YORK, 100, 0)
    assert compared(a, b).leadership.hours_apart == -14.5
    assert compared(a, b, align="nearest").leadership.hours_apart == 10.5
    assert compared(b, a, align="nearest").leadership.hours_apart == -10.5


def test_where_the_sign_changes_within_a_window_it_is_that_of_the_lead_in_question():
    """Athens closes before the other in summer and after it in winter."""
    athens, fixed = Facts(timezone="Europe/Athens", closes_at=17 * 60), Facts(timezone="UTC", closes_at=14 * 60 + 40)
    days_of_both = days("2026-07-01 2026-12-01")  # 14:00 and 15:00 by UTC
    assert clocks.hours_apart(athens, fixed, days_of_both) == pytest.approx(-2 / 3)
    assert clocks.hours_apart(athens, fixed, days_of_both, towards=-1) == pytest.approx(-2 / 3)
    fixed = replace(fixed, closes_at=14 * 60 + 29)
    assert clocks.hours_apart(athens, fixed, days_of_both) == pytest.approx(31 / 60)
    assert clocks.hours_apart(athens, fixed, days_of_both, towards=-1) == pytest.approx(31 / 60)
    fixed = replace(fixed, closes_at=14 * 60 + 30)
    assert clocks.hours_apart(athens, fixed, days_of_both, towards=1) == 0.5
    assert clocks.hours_apart(athens, fixed, days_of_both, towards=-1) == -0.5


@pytest.mark.parametrize(
    "unknown",
    [
        Facts(timezone="Asia/Tokyo"),
        Facts(timezone="Mars/Base", closes_at=900),
        Facts(timezone="America", closes_at=900),
        Facts(timezone="", closes_at=900),
        Facts(timezone="../etc", closes_at=900),
    ],
    ids=["no close", "no such zone", "a folder", "no zone", "a path"],
)
def test_how_far_apart_closes_are_that_are_not_known_cannot_be_said(unknown):
    assert np.isnan(clocks.hours_apart(unknown, NEW_YORK, weekdays(5)))
    assert np.isnan(clocks.hours_apart(NEW_YORK, unknown, weekdays(5)))


# ---------------------------------------------------------------- the clock and the average are no leaders

RUNS = 12


@pytest.mark.parametrize("first", [True, False])
def test_where_each_leg_is_the_later_one_for_a_part_of_the_year_neither_is_called_a_leader_by_one_bar(first):
    athens, fixed = Facts(timezone="Europe/Athens", closes_at=17 * 60), Facts(timezone="UTC", closes_at=14 * 60 + 30)
    x, e = np.random.default_rng(0).standard_normal((2, 251)) * 0.01
    early, late = history(prices(x), symbol="AAA"), history(prices(0.9 * np.roll(x, 1) + 0.4 * e), symbol="BBB")
    assert compared(early, late, "1y").leadership.decided
    of = (athens, fixed) if first else (fixed, athens)
    a, b = (replace(h, series=replace(h.series, facts=f)) for h, f in zip((early, late), of, strict=True))
    for said in (compared(a, b, "1y"), compared(b, a, "1y")):
        assert said.leadership.verdict.startswith("no verdict: AAA closes 0.5 h after BBB")


def unguarded(said):
    """The verdict as it would be if nothing were known of clocks and averages."""
    return verdicts.with_verdict(replace(said.leadership, hours_apart=0.0, average=0), "AAA", "BBB")


def upside_down(leg):
    """The same news with the other sign."""
    return replace(leg, series=replace(leg.series, closes=1e4 / leg.series.closes))


@pytest.mark.parametrize(
    ("facts", "end", "window", "later", "inverse"),
    [
        ((TOKYO, NEW_YORK), FRIDAY, "6mo", -1, False),  # New York's clock goes back in the window, Tokyo's never
        ((replace(TOKYO, closes_at=15 * 60), NEW_YORK), date(2026, 4, 10), "6mo", -1, False),
        ((NEW_YORK, TOKYO), date(2026, 4, 10), "6mo", 1, True),
        ((LONDON, NEW_YORK), FRIDAY, "3y", -1, False),  # both change, weeks apart, in spring and in autumn
        ((CRYPTO, NEW_YORK), date(2026, 3, 27), "3y", 1, False),
    ],
    ids=["Tokyo, autumn", "Tokyo, spring", "upside down", "London", "crypto"],
)
def test_news_told_at_two_clocks_look_like_a_lead_and_are_never_called_one(facts, end, window, later, inverse):
    found = 0
    for seed in range(RUNS):
        a, b = told_at_two_clocks(*facts, 1100, seed, 0.95, end)
        said = compared(a, upside_down(b) if inverse else b, window, end, max_lag=5)
        would_be = unguarded(said)
        named_by_the_clock = would_be.decided and would_be.lag == later
        assert not (would_be.decided and would_be.lag == -later)
        assert not (said.leadership.decided and abs(said.leadership.lag) == 1)
        assert said.leadership.verdict.startswith("no verdict: ") or not named_by_the_clock
        found += named_by_the_clock
    assert found > RUNS / 3


def mean_correlation(facts, how, inverse=False):
    found = []
    for seed in range(RUNS):
        a, b = told_at_two_clocks(*facts, 300, seed, 0.9)
        asked = Question(FRIDAY, Window.parse("1y"), align=how)
        found += [r.value for r in pairs.some_readings(a, upside_down(b) if inverse else b, asked, {"correlation"})]
    return np.mean(found)


@pytest.mark.parametrize("inverse", [False, True])
def test_nearest_and_two_day_closes_come_closer_to_the_true_correlation(inverse):
    by_date, nearest, two_day = (
        abs(mean_correlation((TOKYO, NEW_YORK), how, inverse)) for how in ("date", "nearest", "two-day")
    )
    assert by_date < 0.6
    assert 0.65 < nearest < 0.9
    assert 0.65 < two_day < 0.9


def test_two_day_closes_help_legs_that_have_no_nearer_ones():
    by_date, two_day = (mean_correlation((LONDON, NEW_YORK), how) for how in ("date", "two-day"))
    assert by_date + 0.03 < two_day < 0.9


def monthly_average(seed, n=100, share=0.8):
    """A leg that shares its news with a daily one, told once a month as the average of its days."""
    own = weekdays(22 * n)
    common, *noise = np.random.default_rng(seed).standard_normal((3, len(own))) * 0.01
    fast, slow = (np.exp(np.cumsum(math.sqrt(share) * common + math.sqrt(1 - share) * x)) * 50 for x in noise)
    means = pd.Series(slow, pd.DatetimeIndex(own)).resample("ME").mean()[:-1]
    return (
        history(fast, own, symbol="FAST"),
        history(means.to_numpy(), means.index.to_numpy().astype("M8[D]"), symbol="MEAN", frequency="month"),
    )


def test_beside_a_periods_average_a_close_looks_ahead_and_is_never_called_a_leader():
    """Working (1960), Note on the correlation of first differences of averages in a random chain, Econometrica 28."""
    found = 0
    for seed in range(RUNS):
        fast, mean = monthly_average(seed)
        for said, later in ((compared(fast, mean, "5y"), 1), (compared(mean, fast, "5y"), -1)):
            would_be = unguarded(said)
            assert not (would_be.decided and would_be.lag == -later)
            assert not (said.leadership.decided and said.leadership.lag == later)
            found += would_be.decided and would_be.lag == later
    assert found > RUNS  # of twice as many
    assert said.leadership.verdict.startswith(
        "no verdict: MEAN's values may be averages of their periods, beside which FAST's closes look ahead (p "
    )


def test_a_slower_leg_that_leads_a_faster_one_is_called_a_leader():
    fast, _ = monthly_average(1)
    month_ends = ends("month", 90)
    closes = fast.series.closes[fast.series.dates.searchsorted(month_ends, side="right") - 1]
    early = history(closes[1:], month_ends[:-1], symbol="EARLY", frequency="month")  # it knows the month that follows
    said = compared(early, fast, "5y")
    assert (said.leadership.lag, said.leadership.decided) == (1, True)
    assert not any("average" in text for text in said.warnings)


def test_a_lead_of_one_bar_between_slow_legs_is_said_to_be_perhaps_an_averages():
    fast, mean = monthly_average(1)
    month_ends = mean.series.dates
    closes = fast.series.closes[fast.series.dates.searchsorted(month_ends, side="right") - 1]
    said = compared(history(closes, month_ends, symbol="ENDS"), mean, "7y")
    assert (said.leadership.lag, said.leadership.decided) == (1, True)
    assert any(text.startswith("a lead of one bar may be an average's") for text in said.warnings)


def test_a_period_dated_by_its_first_day_is_said_to_be_early():
    starts = np.arange("2022-11", "2026-11", dtype="M8[M]").astype("M8[D]")
    leg = history(prices(0.01 * np.random.default_rng(0).standard_normal(47)), starts, symbol="SLOW")
    fast, _ = monthly_average(0)
    (said,) = (text for text in compared(leg, fast, "3y").warnings if "values dated so are a period early" in text)
    assert said.endswith("a period early; date them by the ends of their periods")
    file = replace(leg, series=replace(leg.series, leg=Leg("csv", "slow.csv")))
    for pair in ((file, fast), (fast, file)):
        (said,) = (text for text in compared(*pair, "3y").warnings if "a period early" in text)
        assert "; call its columns observation_date,NAME, as FRED does, or date them by" in said
    assert not any("early" in text for text in compared(monthly_average(0)[1], fast, "3y").warnings)
    assert not any("early" in text for text in compared(leg, leg, "3y").warnings)


# ---------------------------------------------------------------- exchanging the legs

NEGATED = ("return_gap", "ratio_zscore", "lead_lag", "lead_asymmetry", "information_ratio")
SAME = ("correlation", "observations", "lead_p_value", "lead_detectable", "tracking_error", "rank_correlation")


@pytest.mark.parametrize(
    ("how", "window", "legs"),
    [
        ("nearest", "6mo", told_at_two_clocks(TOKYO, NEW_YORK, 300, 1)),
        ("two-day", "6mo", told_at_two_clocks(CRYPTO, LONDON, 300, 2)),
        ("date", "6mo", told_at_two_clocks(TOKYO, LONDON, 300, 3)),
        ("date", "5y", monthly_average(4)),
    ],
    ids=["nearest", "two-day", "clocks", "months"],
)
def test_exchanging_the_legs_keeps_every_law_however_they_are_lined_up(how, window, legs):
    a, b = legs
    one, other = compared(a, b, window, align=how), compared(b, a, window, align=how)
    assert [other[key] for key in NEGATED] == [-one[key] for key in NEGATED]
    assert [other[key] for key in SAME] == [one[key] for key in SAME]
    assert other["ratio"] == pytest.approx(1 / one["ratio"], rel=1e-12)
    assert (other["beta"], other["beta_inverse"]) == (one["beta_inverse"], one["beta"])
    assert other.leadership.correlations.tolist() == one.leadership.correlations[::-1].tolist()
    assert other.leadership.verdict == one.leadership.verdict
    assert other.leadership.hours_apart == -one.leadership.hours_apart or math.isnan(one.leadership.hours_apart)
    assert (other.receipt.a.lost, other.receipt.b.lost) == (one.receipt.b.lost, one.receipt.a.lost)
    assert other.receipt.bars_per_year == one.receipt.bars_per_year
    assert sorted(other.warnings) == sorted(one.warnings)
