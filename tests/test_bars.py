"""Bars, the sessions that they belong to, and what is made of two answers."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import builders
from tests.intraday import FIVE, NEW_YORK, held, led, of, stamps

from pairwatch.bars import SECOND, Bars, Interval, merged, session_days, time_of_day
from pairwatch.errors import UsageError
from pairwatch.model import Leg

ZONES = ("America/New_York", "Asia/Tokyo", "Australia/Lord_Howe", "Asia/Kolkata", "UTC")


def bars(days, price=1.0, count=4):
    times = stamps(np.array(days, dtype="M8[D]"), count=count)
    one = held(np.zeros(times.shape), times).bars
    return Bars(one.leg, one.interval, one.times, np.full(len(one), price), one.sessions, one.facts)


@given(st.lists(st.integers(0, 4_000_000_000), min_size=1, max_size=30), st.sampled_from(ZONES))
def test_the_day_and_the_time_are_the_clocks_on_the_wall(seconds, zone):
    times = np.array(sorted(seconds)) * SECOND
    local = [datetime.fromtimestamp(s, ZoneInfo(zone)) for s in sorted(seconds)]
    assert session_days(times, zone).tolist() == [moment.date() for moment in local]
    assert (time_of_day(times, zone) // SECOND).tolist() == [m.hour * 3600 + m.minute * 60 + m.second for m in local]


def test_no_such_zone_is_a_value_error():
    with pytest.raises(ValueError, match="Nowhere"):
        session_days(np.array([0]), "Nowhere/Land")


@pytest.mark.parametrize(("text", "seconds"), [("1m", 60), ("60m", 3600), ("1H", 3600), ("30s", 30), ("ticks", 0)])
def test_intervals_are_read(text, seconds):
    assert Interval.parse(text).length == seconds * SECOND


def test_an_hour_has_one_name():
    assert Interval.parse("60m") == Interval.parse("1h")


@pytest.mark.parametrize("text", ["", "1d", "5", "0m", "24h", "m", "5 m", "1e3m"])
def test_other_intervals_are_refused(text):
    with pytest.raises(UsageError, match="not an interval"):
        Interval.parse(text)


@pytest.mark.parametrize(
    ("times", "prices", "days"),
    [([2, 1], [1, 1], [0, 0]), ([1, 2], [1, np.nan], [0, 0]), ([1, 2], [1, 1], [1, 0]), ([1], [1, 1], [0])],
)
def test_bars_are_in_order_finite_and_whole(times, prices, days):
    with pytest.raises(ValueError, match="must"):
        Bars(Leg("yahoo", "AAA"), FIVE, np.array(times), np.array(prices), np.array(days, dtype="M8[D]"))


def test_of_two_answers_the_newer_one_has_the_say_in_its_sessions():
    both = merged(bars(["2026-11-18", "2026-11-19"], 1.0), bars(["2026-11-19", "2026-11-20"], 2.0))
    assert both.prices.tolist() == [1.0] * 4 + [2.0] * 8
    assert len(both.days) == 3


def test_a_session_that_the_newer_answer_has_less_of_stays_whole():
    both = merged(bars(["2026-11-18", "2026-11-19"], 1.0), bars(["2026-11-19", "2026-11-20"], 2.0, count=3))
    assert both.prices.tolist() == [1.0] * 8 + [2.0] * 3


def test_nothing_is_lost_where_the_newer_answer_has_other_days():
    both = merged(bars(["2026-11-20"], 1.0), bars(["2026-11-18"], 2.0))
    assert both.prices.tolist() == [2.0] * 4 + [1.0] * 4


def test_bars_of_another_zone_are_counted_to_the_days_of_the_new_one():
    days = np.array(["2026-11-17", "2026-11-18", "2026-11-19"], dtype="M8[D]")
    times = stamps(days, opens=time(20), count=4)  # past midnight in UTC
    held_so, new = (held(np.zeros((3, 4)), times, zone=zone).bars for zone in ("UTC", NEW_YORK))
    both = merged(held_so, new.at(new.sessions > days[0]))
    assert both.days.tolist() == days.tolist()
    assert both.times.tolist() == times.ravel().tolist()
    assert both.facts.timezone == NEW_YORK


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(ZONES), st.sampled_from(ZONES))
def test_two_answers_of_any_zones_make_one(seed, old, new):
    rng = np.random.default_rng(seed)
    answers = [
        of(
            np.sort(rng.choice(2000, 300, replace=False)) * 600 * SECOND + 1_790_000_000 * SECOND,
            np.ones(300),
            zone=zone,
        )
        for zone in (old, new)
    ]
    both = merged(*(answer.bars for answer in answers))
    assert set(both.times.tolist()) <= {t for answer in answers for t in answer.bars.times.tolist()}
    assert set(answers[1].bars.days.tolist()) <= set(both.days.tolist())


def test_bars_at_places_keep_their_sessions():
    some = held(led()[0]).bars.at(slice(0, 100))
    assert some.days.tolist() == builders.weekdays(30)[:2].tolist()
