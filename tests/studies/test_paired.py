"""A pair over its whole history, and other legs on its days."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import (
    CRYPTO,
    FRIDAY,
    LONDON,
    NEW_YORK,
    calendar_days,
    event,
    history,
    linked_pair,
    linked_returns,
    prices,
    told_at_two_clocks,
    weekdays,
)

from pairwatch.errors import NotEnoughData, UsageError
from pairwatch.model import Provenance, Window
from pairwatch.staging import Question
from pairwatch.studies.paired import beside, paired

light = settings(max_examples=40)


def pair_of(a, b, window="90d", since=None, as_of=FRIDAY, **question):
    """Both legs on all their days."""
    return paired(a, b, Question(as_of, Window.parse(window), **question), since)


def without(leg, *places):
    """The leg without its closes at these places."""
    kept = np.delete(np.arange(len(leg.series)), places)
    return replace(leg, series=replace(leg.series, dates=leg.series.dates[kept], closes=leg.series.closes[kept]))


def third(levels, days=None, **facts):
    return history(levels, days, symbol="CCC", **facts)


# ---------------------------------------------------------------- the whole history


def test_a_history_says_whether_it_was_taken_whole():
    a, b = linked_pair(300)
    day = a.series.dates[100].item()
    assert pair_of(a, b).span == "whole history"
    assert pair_of(a, b, since=day).span == f"since {day}"
    assert pair_of(a, b, since=date(1990, 1, 1)).span == "whole history"


def test_a_pair_holds_every_common_close_and_the_window_only_rolls():
    a, b = linked_pair(300)
    pair = pair_of(a, b)
    assert pair.n == 300
    assert pair.days.tolist() == a.series.dates.tolist()
    assert (pair.day(0), pair.day(-1)) == (a.series.dates[0].item(), FRIDAY)
    assert len(pair.pair.a.returns) == pair.n
    assert len(pair.pair.a.levels) == len(pair.spread) == len(pair.days) == pair.n + 1
    assert [str(leg) for leg in pair.legs] == ["AAA", "BBB"]
    assert [facts.currency for facts in pair.facts] == ["USD", "USD"]
    assert pair.bars_per_year == 252


@pytest.mark.parametrize(("window", "bars"), [("90d", 65), ("61b", 61), ("1y", 261), ("300b", 300), ("9y", 300)])
def test_the_bars_of_the_window_are_those_it_holds_today_and_no_more_than_there_are(window, bars):
    assert pair_of(*linked_pair(300), window=window).bars == bars


def test_the_window_of_a_short_pair_is_cut_at_its_history_not_refused():
    pair = pair_of(*linked_pair(40), window="90d")
    assert (pair.n, pair.bars) == (40, 40)


def test_closes_of_one_leg_alone_are_left_out_before_returns_are_made():
    a, b = linked_pair(100)
    pair = pair_of(a, without(b, 50))
    assert pair.n == 99
    held = prices(linked_returns(100)[0])
    assert pair.pair.a.returns[49] == pytest.approx(held[51] / held[49] - 1, rel=1e-12)


@light
@given(st.integers(0, 479), st.integers(0, 3))
def test_since_is_a_day_and_the_first_return_begins_at_the_common_close_on_or_before_it(back, missing):
    a, b = linked_pair(360)
    b = without(b, *range(20, 20 + missing))
    since = FRIDAY - timedelta(days=back)
    common = np.intersect1d(a.series.dates, b.series.dates)
    expected = [day for day in common.tolist() if day <= since][-1:] + [d for d in common.tolist() if d > since]
    if len(expected) < 21:
        with pytest.raises(NotEnoughData):
            pair_of(a, b, since=since)
    else:
        assert pair_of(a, b, since=since).days.tolist() == expected


def test_since_before_the_first_close_is_the_whole_history():
    a, b = linked_pair(100)
    assert pair_of(a, b, since=date(1990, 1, 1)).days.tolist() == pair_of(a, b).days.tolist()


@pytest.mark.parametrize("since", [FRIDAY, FRIDAY + timedelta(days=400)])
def test_since_the_last_close_or_later_leaves_nothing_and_says_so(since):
    with pytest.raises(NotEnoughData) as caught:
        pair_of(*linked_pair(100), since=since)
    assert "--window" not in caught.value.hint  # a longer window would not help
    assert "--since" in caught.value.hint


def test_a_window_longer_than_what_is_left_since_a_day_is_cut_there():
    pair = pair_of(*linked_pair(300), since=FRIDAY - timedelta(days=60), window="1y")
    assert pair.bars == pair.n


def test_what_came_after_the_day_changes_nothing():
    a, b = linked_pair(300)
    day = a.series.dates[200].item()
    early = pair_of(a, b, as_of=day)
    cut = [replace(leg, series=leg.series.as_of(day)) for leg in (a, b)]
    alone = pair_of(*cut, as_of=day)
    assert early.days.tolist() == alone.days.tolist()
    assert np.array_equal(early.pair.a.returns, alone.pair.a.returns)
    assert np.array_equal(early.spread, alone.spread)
    assert early.bars == alone.bars


def test_distributions_are_in_the_returns_unless_prices_alone_are_asked_for():
    a, b = linked_pair(100)
    paid = replace(a, series=replace(a.series, events=(event(a.series.dates[50], 2.0),)))
    plain, total, price = pair_of(a, b), pair_of(paid, b), pair_of(paid, b, adjustment="price")
    assert np.array_equal(price.pair.a.returns, plain.pair.a.returns)
    assert np.flatnonzero(~np.isclose(total.pair.a.returns, plain.pair.a.returns, rtol=0, atol=1e-12)).tolist() == [49]


def test_a_pair_of_too_few_returns_for_something_is_refused_with_what_there_is():
    pair = pair_of(*linked_pair(61))
    pair.need(61, "a test")
    with pytest.raises(
        NotEnoughData, match=r"AAA and BBB have 61 common returns from .* to 2026-11-20, a test needs 62"
    ):
        pair.need(62, "a test")


@light
@given(st.integers(0, 9), st.integers(0, 40))
def test_swapping_the_legs_negates_the_spread_and_leaves_the_days(seed, lost):
    a, b = linked_pair(120, seed=seed)
    b = without(b, *range(lost))
    one, other = pair_of(a, b), pair_of(b, a)
    assert one.days.tolist() == other.days.tolist()
    assert one.bars == other.bars
    assert np.array_equal(one.spread, -other.spread)
    assert np.array_equal(one.pair.a.returns, other.pair.b.returns)
    assert all(np.array_equal(x, y) for x, y in zip(one.log_levels, other.log_levels[::-1], strict=True))


# ---------------------------------------------------------------- units


def rates(n=60, **facts):
    a, b = linked_returns(n)
    ours, theirs = 2 + a.cumsum(), 1 + b.cumsum()
    return history(ours, measure="rate", **facts), history(theirs, symbol="BBB", measure="rate")


def test_the_spread_of_prices_is_that_of_their_logarithms():
    a, b = linked_pair(60)
    pair = pair_of(a, b)
    assert pair.spread == pytest.approx(np.log(a.series.closes / b.series.closes), abs=1e-12)
    assert pair.log_levels[0] == pytest.approx(np.log(a.series.closes), abs=1e-12)


def test_the_spread_of_rates_is_their_difference_and_their_returns_are_basis_points():
    a, b = rates()
    pair = pair_of(a, b)
    assert pair.spread == pytest.approx(a.series.closes - b.series.closes, abs=1e-12)
    assert pair.pair.a.returns == pytest.approx(100 * np.diff(a.series.closes), abs=1e-9)
    assert np.array_equal(pair.log_levels[0], pair.pair.a.levels)


def test_rates_that_touch_zero_have_a_spread_all_the_same():
    a = history(np.linspace(-1, 1, 61), measure="rate")
    assert np.isfinite(pair_of(a, rates()[1]).spread).all()


def test_a_rate_and_a_price_have_no_spread():
    a, b = rates()[0], linked_pair(60)[1]
    for pair in (pair_of(a, b), pair_of(b, a)):
        assert np.isnan(pair.spread).all()
        assert len(pair.spread) == pair.n + 1
        assert all(np.isfinite(level).all() for level in pair.log_levels)


def test_two_legs_that_change_in_different_units_have_no_spread():
    points = history(prices(linked_returns(60)[0]), symbol="PTS", changes="points", unit="barrels")
    assert np.isnan(pair_of(points, rates()[1]).spread).all()


# ---------------------------------------------------------------- other bars than days


def month_ends(n):
    return (np.datetime64("2026-11", "M") - np.arange(n)[::-1]).astype("M8[D]") - 1


def test_months_have_twelve_bars_a_year_and_a_window_of_years_holds_as_many():
    days = month_ends(120)
    a, b = (
        history(prices(returns), days, symbol=name) for returns, name in zip(linked_returns(119), "AB", strict=True)
    )
    pair = pair_of(a, b, window="3y")
    assert (pair.n, pair.bars_per_year, pair.bars) == (119, 12, 36)
    assert pair.day(-1) == date(2026, 10, 31)


def test_a_monthly_leg_and_a_daily_one_meet_at_the_ends_of_months():
    slow = history(prices(linked_returns(59)[0]), month_ends(60), symbol="SLOW")
    fast = history(prices(linked_returns(1999)[1]), weekdays(2000), symbol="FAST")
    pair = pair_of(slow, fast, window="2y")
    assert (pair.n, pair.bars, pair.bars_per_year) == (59, 24, 12)
    assert pair.study("spread", (), ()).receipt.lined_up == "by the months of SLOW: FAST's last close in each"


def test_two_day_bars_are_half_as_many_and_since_holds_for_them_too():
    a, b = linked_pair(300)
    pair = pair_of(a, b, align="two-day", window="40b")
    assert (pair.n, pair.bars, pair.bars_per_year) == (150, 40, 126)
    assert pair.days.tolist() == a.series.dates[::-2][::-1].tolist()
    later = pair_of(a, b, align="two-day", window="40b", since=FRIDAY - timedelta(days=200))
    assert pair.days[-later.n - 1 :].tolist() == later.days.tolist()
    assert pair.days[-later.n - 1] <= np.datetime64(FRIDAY - timedelta(days=200)) < pair.days[-later.n]


def test_legs_may_be_lined_up_by_the_nearest_close():
    a, b = told_at_two_clocks(NEW_YORK, LONDON, 200, seed=1)
    pair = pair_of(a, b, align="nearest")
    assert pair.n == 199
    assert pair.study("spread", (), ()).receipt.align == "nearest"


def test_a_way_to_line_up_that_does_not_fit_is_a_usage_error():
    days = month_ends(60)
    a, b = (history(prices(returns), days, symbol=name) for returns, name in zip(linked_returns(59), "AB", strict=True))
    with pytest.raises(UsageError):
        pair_of(a, b, align="two-day")


# ---------------------------------------------------------------- what a study rests on


def test_a_study_tells_the_days_the_bars_and_what_it_rests_on():
    found = pair_of(*linked_pair(300)).study("spread", ("one", "two"), (), ("three",))
    assert (found.name, str(found.a), str(found.b), found.bars) == ("spread", "AAA", "BBB", 65)
    assert (found.since, found.as_of) == (found.receipt.base, FRIDAY)
    assert found.receipt.matched == 301
    assert found.findings == ("one", "two")
    assert found.warnings == ("three",)


def test_a_study_warns_of_two_currencies_as_a_comparison_does():
    a, b = linked_pair(61)
    euros = replace(b, series=replace(b.series, facts=replace(b.series.facts, currency="EUR")))
    assert any("BBB in EUR" in text for text in pair_of(a, euros).study("spread", (), ()).warnings)


def test_a_study_of_a_stale_leg_says_so():
    a, b = linked_pair(61)
    old = replace(a, provenance=Provenance("cache", stale="AAA: old"))
    found = pair_of(old, b).study("spread", (), ())
    assert found.stale_reasons == ("AAA: old",)
    assert "AAA: old" in found.warnings


def test_a_study_of_simulated_numbers_says_so():
    drawn = history(prices(linked_returns(61)[0]), simulated=True)
    assert pair_of(drawn, linked_pair(61)[1]).study("spread", (), ()).simulated


# ---------------------------------------------------------------- a third leg


def test_a_third_leg_stands_on_the_pairs_days():
    pair = pair_of(*linked_pair(60))
    levels = prices(linked_returns(80, seed=3)[0])
    found = beside(third(levels, weekdays(81)), pair)
    assert found.levels == pytest.approx(levels[-61:], rel=1e-12)
    assert found.returns == pytest.approx(levels[-60:] / levels[-61:-1] - 1, rel=1e-12)
    assert (str(found.leg), found.known, found.change_unit) == ("CCC", 60, "fraction")


def test_a_day_that_a_third_leg_lacks_costs_both_returns_that_touch_it_and_nothing_is_filled():
    pair = pair_of(*linked_pair(60))
    found = beside(without(third(prices(linked_returns(60, seed=3)[0])), 30), pair)
    assert np.flatnonzero(np.isnan(found.levels)).tolist() == [30]
    assert np.flatnonzero(np.isnan(found.returns)).tolist() == [29, 30]
    assert found.known == 58


def test_days_that_the_pair_lacks_are_no_days_of_a_third_leg_and_its_return_spans_them():
    a, b = linked_pair(60)
    pair = pair_of(without(a, 30), b)
    levels = prices(linked_returns(60, seed=3)[0])
    found = beside(third(levels), pair)
    assert found.known == pair.n == 59
    assert found.returns[29] == pytest.approx(levels[31] / levels[29] - 1, rel=1e-12)


def test_a_third_leg_that_begins_later_is_missing_before():
    pair = pair_of(*linked_pair(60))
    found = beside(third(prices(linked_returns(20)[0]), weekdays(21)), pair)
    assert np.isnan(found.returns[:40]).all()
    assert np.isfinite(found.returns[40:]).all()


def test_a_rate_beside_prices_changes_in_basis_points_through_zero():
    pair = pair_of(*linked_pair(60))
    levels = np.linspace(1, -1, 61)
    found = beside(third(levels, measure="rate"), pair)
    assert found.change_unit == "bp"
    assert found.returns == pytest.approx(np.diff(levels) * 100, abs=1e-9)
    assert found.known == 60


def test_a_price_of_zero_beside_a_pair_is_missing_not_refused():
    pair = pair_of(*linked_pair(60))
    levels = prices(linked_returns(60)[0])
    levels[30] = 0
    found = beside(third(levels), pair)
    assert np.flatnonzero(np.isnan(found.returns)).tolist() == [29, 30]


def test_what_a_third_leg_did_after_the_day_is_not_known():
    a, b = linked_pair(100)
    day = a.series.dates[60].item()
    levels = prices(linked_returns(100, seed=3)[0])
    pair = pair_of(a, b, as_of=day)
    later = levels.copy()
    later[61:] *= 3
    assert np.array_equal(beside(third(levels), pair).levels, beside(third(later), pair).levels)


@pytest.mark.parametrize("days", [weekdays(61) - 7 * 3650, calendar_days(61, step=9)])
def test_a_third_leg_without_two_closes_in_a_row_on_the_days_is_refused(days):
    pair = pair_of(*linked_pair(60))
    with pytest.raises(NotEnoughData, match="CCC has no two closes in a row on the days of AAA and BBB"):
        beside(third(prices(linked_returns(60)[0]), days), pair)


def test_a_leg_that_trades_every_day_is_looked_at_on_the_pairs_days_alone():
    pair = pair_of(*linked_pair(60))
    levels = prices(linked_returns(199)[0])
    every = replace(third(levels, calendar_days(200)), provenance=Provenance("file"))
    every = replace(every, series=replace(every.series, facts=CRYPTO))
    found = beside(every, pair)
    held = dict(zip(calendar_days(200).tolist(), levels.tolist(), strict=True))
    assert found.levels.tolist() == pytest.approx([held[day] for day in pair.days.tolist()])
