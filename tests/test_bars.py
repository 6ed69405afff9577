"""Bars, the sessions that they belong to, and what is made of two answers."""

from dataclasses import replace
from datetime import datetime, time
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import builders
from tests.intraday import FIVE, NEW_YORK, held, led, of, stamps

from pairwatch.bars import DAY, SECOND, Bars, Interval, in_bars, merged, own_step, session_days, time_of_day
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


@settings(max_examples=60)
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


# ---------------------------------------------------------------- longer bars of shorter ones


def made(one, text, zone=NEW_YORK):
    """Bars of an interval made of shorter ones that are written by a zone's clock."""
    ahead = time_of_day(one.times, zone) + one.sessions.astype("M8[ns]").astype("i8") - one.times
    return in_bars(replace(one, interval=Interval.parse(text)), ahead)


def by_pandas(one, text, zone=NEW_YORK):
    """The same, of bars with a price at their end alone."""
    index = pd.to_datetime(one.times, utc=True).tz_convert(zone)
    frame, parts = pd.DataFrame({"price": one.prices, "at": index}, index), []
    for _, session in frame.groupby(index.date):
        parts.append(session.resample(text, closed="right", label="right").last())
    found = pd.concat(parts)
    found = found[found["at"] == found.index]
    return found.index.as_unit("ns").astype("i8").tolist(), found["price"].tolist()


@pytest.mark.parametrize(
    ("text", "rule"), [("10m", "10min"), ("15m", "15min"), ("1h", "1h"), ("35m", "35min"), ("4h", "4h")]
)
@pytest.mark.parametrize("zone", [NEW_YORK, "Asia/Kolkata"])
def test_longer_bars_are_those_of_pandas_session_by_session(text, rule, zone):
    days = builders.weekdays(40)  # summer time ends among them
    times = stamps(days, count=75, zone=zone)
    one = held(led(sessions=40, slots=75)[0], times, zone=zone).bars
    one = one.at(np.random.default_rng(0).random(len(one)) < 0.97)
    found = made(one, text, zone)
    assert (found.times.tolist(), found.prices.tolist()) == by_pandas(one, rule, zone)
    assert found.made_of == 300 * SECOND
    assert np.isin(found.sessions, one.sessions).all()


def test_no_bar_holds_prices_of_two_days():
    days = builders.weekdays(5)
    times = stamps(days, opens=time(0), count=288)  # all day long, the last one at midnight
    found = made(held(np.zeros(times.shape), times).bars, "5h")
    of_day = np.diff(np.append(np.flatnonzero(np.append(True, found.sessions[1:] != found.sessions[:-1])), len(found)))
    assert set(of_day.tolist()) <= {1, 4, 5}
    assert (found.times[1:] > found.times[:-1]).all()


def test_a_bar_without_a_price_at_its_end_is_left_out():
    one = held(led(sessions=3, slots=75)[0], stamps(builders.weekdays(3), count=75)).bars  # from 9:35 to 15:45
    ends = (time_of_day(made(one, "30m").times, NEW_YORK) // (60 * SECOND)).reshape(3, -1)
    assert ends[0].tolist() == list(range(600, 931, 30))


@pytest.mark.parametrize("text", ["2m", "15m", "1h"])
@pytest.mark.parametrize("share", [0.98, 0.6, 0.3])
def test_bars_that_cannot_be_made_are_counted_by_session(text, share):
    one = held(led(sessions=30, slots=390)[0], stamps(builders.weekdays(30), count=390, minutes=1)).bars
    one = one.at(np.random.default_rng(2).random(len(one)) < share)
    found, length = made(one, text), Interval.parse(text).length
    expected = []
    for day in one.days:
        since = time_of_day(one.times[one.sessions == day], NEW_YORK)
        ends = np.arange(-(-since[0] // length) * length, since[-1] + 1, length)
        expected += [day] * int((~np.isin(ends, since)).sum())
    assert found.left_out.tolist() == np.array(expected, dtype="M8[D]").tolist()


def test_bars_within_which_a_session_ends_or_pauses_are_not_missed():
    days = builders.weekdays(10)
    morning, noon = (stamps(days, time(hour), count, zone="Asia/Tokyo") for hour, count in ((9, 30), (13, 27)))
    times = np.concatenate([morning, noon], axis=1)  # 9:00 to 11:30, and 13:00 to 15:15
    one = held(np.zeros(times.shape), times, zone="Asia/Tokyo").bars
    found = made(one, "1h", "Asia/Tokyo")
    assert len(found.left_out) == 0
    assert len(found) == 10 * 4
    assert len(made(one.at(one.times != found.times[5]), "1h", "Asia/Tokyo").left_out) == 1


def test_bars_as_they_came_leave_none_out():
    assert len(held(led()[0]).bars.left_out) == 0


def test_bars_between_the_clocks_full_minutes_are_not_dated_later_than_they_were_made():
    times = stamps(builders.weekdays(4)) + 100 * SECOND
    found = made(held(np.zeros(times.shape), times).bars, "15m")
    assert set(((found.times - 100 * SECOND) % (300 * SECOND)).tolist()) == {0}
    assert np.isin(found.times, times).all()


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("1m", "bars of 1m cannot be made of bars of 5m", "--interval 5m, or a whole multiple of 5m"),
        ("7m", "bars of 7m cannot be made of bars of 5m", "--interval 5m"),
    ],
)
def test_shorter_bars_and_those_that_do_not_fit_are_refused(text, message, hint):
    with pytest.raises(UsageError, match=message) as caught:
        made(held(led()[0]).bars, text)
    assert hint in caught.value.hint


def test_bars_shorter_than_any_interval_are_said_in_seconds():
    times = 1_795_000_000 * SECOND + np.arange(100) * (3 * SECOND // 2)
    with pytest.raises(UsageError, match=r"cannot be made of prices 1.5 s apart") as caught:
        made(of(times, np.ones(100)).bars, "1s")
    assert caught.value.hint == "--interval ticks"


def test_ticks_bars_of_the_interval_and_a_few_prices_stay_as_they_are():
    ticks = of(np.cumsum(np.random.default_rng(0).integers(1, 10**10, 500)) + 1_795_000_000 * SECOND, np.ones(500)).bars
    bars = held(led()[0]).bars
    for one, text in ((ticks, "5m"), (bars, "5m"), (bars, "ticks"), (bars.at(slice(0, 20)), "7m")):
        assert made(one, text).times.tolist() == one.times.tolist()
    assert own_step(ticks) == 0


@pytest.mark.parametrize("share", [1.0, 0.9, 0.35])
def test_a_leg_of_which_bars_are_missing_still_has_its_step(share):
    one = held(led(slots=390)[0], stamps(builders.weekdays(30), count=390, minutes=1)).bars
    assert own_step(one.at(np.random.default_rng(1).random(len(one)) < share)) == 60 * SECOND


def test_the_name_of_a_length_reads_as_that_length():
    for seconds in (1, 90, 60, 3600, 5400, 59_940):
        assert Interval.parse(Interval.of(seconds * SECOND).text).length == seconds * SECOND
    assert (Interval.of(3600 * SECOND).text, Interval.of(DAY // 10**6).length) == ("1h", 0)
