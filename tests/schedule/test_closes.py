from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pairwatch import schedule
from pairwatch.errors import UsageError
from pairwatch.model import Facts, Holding, Leg, Series
from pairwatch.schedule import Close

TODAY = date(2026, 11, 22)
EVERY_DAY = tuple(range(7))
NEW_YORK = Close("America/New_York", 960)
CHICAGO = Close("America/Chicago", 915)  # a quarter of an hour after New York
LONDON = Close("Europe/London", 990)
FRANKFURT = Close("Europe/Berlin", 1050)  # the same instant
TOKYO = Close("Asia/Tokyo", 930)
BITCOIN = Close("UTC", 1440, EVERY_DAY)


def holding(symbol="X", timezone="America/New_York", closes_at=960, days="Mon Tue Wed Thu Fri", bars=60, **facts):
    dates = np.arange("2020-01-01", "2026-11-21", dtype="datetime64[D]")
    dates = dates[np.is_busday(dates, weekmask=days)][-bars:]
    facts = Facts(timezone=timezone, closes_at=closes_at, **facts)
    series = Series(Leg("yahoo", symbol), dates, np.ones(len(dates)), facts=facts)
    return Holding(series, 0.0, 0.0, 0.0, dates[:0])


def planned(**held):
    """The plan for legs that the cache holds in such a way; None is not at all."""
    legs = {Leg("yahoo", symbol): found for symbol, found in held.items()}
    return schedule.plan(legs, legs.get, TODAY)


def test_a_plan_has_the_closes_of_all_legs():
    found = planned(QQQ=holding(), N225=holding(timezone="Asia/Tokyo", closes_at=930))
    assert found == ((NEW_YORK, TOKYO), ())


def test_an_unknown_close_is_said_and_left_out():
    found = planned(QQQ=holding(), IWM=None, CPI=holding(closes_at=None), ODD=holding(timezone="Europe"))
    assert found.closes == (NEW_YORK,)
    assert found.notes == ("no closing time is known of IWM, CPI, ODD: not fetched yet, or not traded",)


def test_new_york_stands_in_where_nothing_is_known():
    found = planned(QQQ=None)
    assert found.closes == (NEW_YORK,)
    assert "America/New_York 16:00 is taken" in found.notes[-1]


def test_no_legs_are_new_york_without_a_word_of_unknown_ones():
    assert planned().notes == ("no closing time is known at all: America/New_York 16:00 is taken",)


@pytest.mark.parametrize("days", ["Sun Mon Tue Wed Thu", "Mon Tue Wed Thu", "Mon Tue Wed Thu Fri Sat"])
def test_the_weekdays_are_those_of_the_last_sixty_bars(days):
    names = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    found = schedule.close_of(holding(days=days).series)
    assert {names[day] for day in found.weekdays} == set(days.split())


def test_one_saturday_makes_no_trading_day_of_saturdays():
    series = holding().series
    saturday = np.datetime64("2026-10-10")
    dates = np.sort(np.append(series.dates[1:], saturday))
    odd = Series(series.leg, dates, np.ones(60), facts=series.facts)
    assert schedule.close_of(odd) == NEW_YORK


def test_a_young_leg_is_taken_to_trade_from_monday_to_friday():
    assert schedule.close_of(holding(bars=2).series) == NEW_YORK


def test_a_leg_of_every_day_closes_every_day():
    found = schedule.close_of(holding(timezone="UTC", closes_at=1440, every_day=True, bars=1).series)
    assert found == BITCOIN


@pytest.mark.parametrize(
    ("closes", "kept"),
    [
        ([NEW_YORK, NEW_YORK], [NEW_YORK]),
        ([NEW_YORK, CHICAGO], [CHICAGO]),
        ([LONDON, FRANKFURT], [FRANKFURT]),
        ([NEW_YORK, TOKYO], [NEW_YORK, TOKYO]),
        ([NEW_YORK, Close("America/New_York", 900)], [NEW_YORK]),
        ([NEW_YORK, Close("America/New_York", 899)], [Close("America/New_York", 899), NEW_YORK]),
        # Half an hour apart, but more than one in the weeks in which only one of the two has changed its clocks.
        ([NEW_YORK, Close("Europe/London", 1260)], [Close("Europe/London", 1260)]),
        ([NEW_YORK, Close("Europe/London", 1290)], [NEW_YORK, Close("Europe/London", 1290)]),
        # On Saturdays nobody closes within the hour.
        ([NEW_YORK, Close("America/New_York", 930, EVERY_DAY)], [Close("America/New_York", 930, EVERY_DAY), NEW_YORK]),
        ([NEW_YORK, Close("America/New_York", 990, EVERY_DAY)], [Close("America/New_York", 990, EVERY_DAY)]),
        # The midnight after a Friday is a Saturday's.
        ([Close("UTC", 1440), Close("UTC", 30, EVERY_DAY)], [Close("UTC", 30, EVERY_DAY)]),
    ],
)
def test_closes_within_an_hour_all_year_become_the_later_one(closes, kept):
    assert list(schedule.merged(closes, TODAY)) == kept


CLOSES = st.builds(
    Close,
    st.sampled_from(["America/New_York", "America/Chicago", "Europe/London", "Europe/Berlin", "Asia/Tokyo", "UTC"]),
    st.integers(0, 48).map(lambda half_hours: half_hours * 30),
    st.sampled_from([(0, 1, 2, 3, 4), (0, 1, 2, 3, 6), EVERY_DAY]),
)


@settings(max_examples=25)
@given(st.lists(CLOSES, min_size=1, max_size=5))
def test_after_every_close_a_kept_one_comes_within_the_hour(closes):
    kept = schedule.merged(closes, TODAY)
    assert set(kept) <= set(closes)
    later = [set(schedule.due(other, timedelta(), TODAY)) for other in kept]
    steps = [timedelta(minutes=minutes) for minutes in range(0, 61, 30)]
    for close in closes:
        ends = schedule.due(close, timedelta(), TODAY)[:-2]  # the last one's follower may not be within two years
        assert any(all(any(end + step in found for step in steps) for end in ends) for found in later)


def test_due_is_the_delay_after_the_wall_clock_of_the_exchange():
    found = schedule.due(NEW_YORK, timedelta(minutes=40), TODAY)
    assert found[0] == datetime(2026, 11, 23, 21, 40, tzinfo=UTC)
    assert datetime(2027, 3, 12, 21, 40, tzinfo=UTC) in found  # the last Friday of winter time
    assert datetime(2027, 3, 15, 20, 40, tzinfo=UTC) in found


def test_due_begins_with_the_day_before_for_what_ends_after_midnight():
    assert schedule.due(BITCOIN, timedelta(minutes=40), TODAY)[0] == datetime(2026, 11, 22, 0, 40, tzinfo=UTC)


def test_two_years_of_weekdays_are_due():
    found = schedule.due(TOKYO, timedelta(), TODAY)
    wanted = [TODAY + timedelta(days) for days in range(-1, 731)]
    assert [end.date() for end in found] == [day for day in wanted if day.weekday() < 5]
    assert {end.astimezone(ZoneInfo("Asia/Tokyo")).time() for end in found} == {time(15, 30)}


@pytest.mark.parametrize(("seconds", "minutes"), [(1800, 30), (2400, 40), (2401, 41), (43200, 720)])
def test_a_delay_is_in_whole_minutes(seconds, minutes):
    assert schedule.checked_delay(seconds) == timedelta(minutes=minutes)


@pytest.mark.parametrize("seconds", [0, 1740, 43201, 1e9])
def test_a_delay_before_the_close_is_final_or_beyond_half_a_day_is_refused(seconds):
    with pytest.raises(UsageError):
        schedule.checked_delay(seconds)
