"""Yahoo's bars within days, over the wire: finished ones of regular sessions, and every way in which it fails."""

import json
from datetime import date, datetime, time
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from tests.wire import FAULTS, BarListing, instant, weekdays

from pairwatch.bars import SECOND, Interval
from pairwatch.errors import (
    EmptyAnswer,
    GarbledAnswer,
    RateLimited,
    SourceError,
    TimedOut,
    UnknownSymbol,
    UsageError,
    WrongAnswer,
)
from pairwatch.model import Leg
from pairwatch.sources import Request
from pairwatch.sources.yahoo.intraday import Intraday

FRIDAY = date(2026, 11, 20)
SUNDAY = instant("2026-11-22 12:00")
DAYS = weekdays(FRIDAY, 30)
NEW_YORK = "America/New_York"


def closes(days, count):
    return [[100 + at + bar / 1000 for bar in range(count)] for at in range(len(days))]


def listing(days=DAYS, count=78, interval="5m", **more):
    return BarListing("QQQ", list(days), closes(days, count), interval=interval, **more)


def gather(interval="5m", now=SUNDAY, symbol="QQQ", **more):
    return Intraday().gather(Request(Leg("yahoo", symbol), now, **more), Interval.parse(interval))


def local(times, zone=NEW_YORK):
    moments = [datetime.fromtimestamp(int(t) // SECOND, ZoneInfo(zone)) for t in times]
    return [f"{moment:%m-%d %H:%M}" for moment in moments]


def test_a_bar_is_dated_by_its_end_and_belongs_to_the_exchanges_day(wire):
    wire.lists(listing())
    bars = gather().bars
    assert bars.days.tolist() == DAYS
    assert local(bars.times[[0, 77, 78]]) == ["10-12 09:35", "10-12 16:00", "10-13 09:35"]
    assert bars.prices[:2].tolist() == [100.0, 100.001]
    assert (bars.facts.timezone, bars.facts.currency) == (NEW_YORK, "USD")


def test_sessions_stay_whole_when_clocks_change(wire):
    days = weekdays(date(2026, 11, 4), 5)  # New York puts its clocks back on the 1st
    wire.lists(listing(days))
    bars = gather(now=instant("2026-11-05 12:00")).bars
    assert [int((bars.sessions == np.datetime64(day)).sum()) for day in days] == [78] * 5
    assert local(bars.times[::78]) == [f"{day:%m-%d} 09:35" for day in days]


def test_tokyo_and_sydney_keep_their_own_days(wire):
    for zone, exchange, opens in (("Asia/Tokyo", "JPX", time(9)), ("Australia/Sydney", "ASX", time(10))):
        wire.lists(listing(zone=zone, exchange=exchange, opens=opens, count=60, minutes=300))
        assert gather().bars.days.tolist()[-3:] == DAYS[-3:]


def test_the_bar_that_is_not_over_is_left_out(wire):
    now = instant("2026-11-20 10:02", NEW_YORK)
    start = int(instant("2026-11-20 09:30", NEW_YORK))
    cut = [*closes(DAYS, 78)[:-1], [1.0] * 7]  # the seventh bar has run for two minutes
    wire.lists(BarListing("QQQ", DAYS, cut, period=(start, start + 23_400), live=(now - 1, 2.0)))
    found = gather(now=now)
    assert local(found.bars.times[-1:]) == ["11-20 10:00"]
    assert 2.0 not in found.bars.prices
    assert found.fresh_until == now


def test_while_nothing_trades_nothing_new_can_be_had(wire):
    wire.lists(listing())
    assert gather().fresh_until == instant("2026-11-23 09:30", NEW_YORK)


def test_the_last_bar_of_an_hour_ends_with_its_session(wire):
    wire.lists(listing(count=7, interval="1h"))
    hours = ["10:30", "11:30", "12:30", "13:30", "14:30", "15:30", "16:00"]
    assert local(gather("1h").bars.times[:7]) == [f"10-12 {hour}" for hour in hours]


def test_bars_of_half_an_hour_are_made_of_quarters(wire):
    wire.lists(listing(count=26, interval="15m"))  # yfinance asks for these: yahoo once gave hours instead
    bars = gather("30m").bars
    assert local(bars.times[:13:12]) == ["10-12 10:00", "10-12 16:00"]
    assert len(bars) == 30 * 13
    assert bars.prices[0] == 100.001


def test_half_days_end_early(wire):
    days = weekdays(date(2026, 11, 27), 3)  # the day after Thanksgiving: until one o'clock
    wire.lists(BarListing("QQQ", days, [[1.0] * 7, [1.0] * 7, [2.0] * 4], interval="1h"))
    assert local(gather("1h", now=instant("2026-11-28 12:00")).bars.times[-2:]) == ["11-27 12:30", "11-27 13:00"]


def test_minutes_are_asked_for_a_week_at_a_time(wire):
    wire.lists(listing(count=390, interval="1m"))
    bars = gather("1m").bars
    spans = [(float(asked.query["period1"]), float(asked.query["period2"])) for asked in wire.charts]
    assert max(end - start for start, end in spans) <= 7 * 86_400
    assert all(end == start for (_, end), (start, _) in pairwise(spans))
    assert len(bars) == 390 * len(bars.days)
    assert len(bars.days) == 20


def test_only_what_is_missing_is_asked_for(wire):
    wire.lists(listing())
    bars = gather(since=date(2026, 11, 18)).bars
    assert bars.days.tolist() == DAYS[-3:]


@pytest.mark.parametrize(("interval", "days"), [("5m", 60), ("1h", 730), ("1m", 30)])
def test_no_more_is_asked_for_than_yahoo_keeps(wire, interval, days):
    wire.lists(listing(count=7, interval=interval))
    gather(interval, since=date(2020, 1, 1))
    assert SUNDAY - float(wire.charts[0].query["period1"]) < days * 86_400


def test_a_turn_is_taken_for_each_request(wire):
    wire.lists(listing(count=390, interval="1m"))
    turns = []
    gather("1m", now=SUNDAY + 86_400, turn=lambda: turns.append(1))  # yfinance remembers what is past
    assert len(wire.charts) == 5
    assert len(turns) == len(wire.requests)


def test_gaps_and_impossible_prices_are_left_out(wire):
    given = closes(DAYS, 78)
    given[3][5], given[4][6] = None, -1.0
    wire.lists(BarListing("QQQ", DAYS, given))
    found = gather()
    assert len(found.bars) == 30 * 78 - 2
    assert found.remarks == ("1 impossible price left out",)


def test_bars_of_another_length_are_refused(wire):
    wire.lists(listing(meta={"dataGranularity": "1d"}))
    with pytest.raises(WrongAnswer, match="bars of 1d, not of 5m"):
        gather()


def test_another_symbols_bars_are_refused(wire):
    wire.lists(listing(meta={"symbol": "IWM"}))
    with pytest.raises(WrongAnswer, match="IWM"):
        gather()


def test_an_answer_without_bars_says_so(wire):
    wire.lists(listing(weekdays(date(2020, 1, 10), 5)))
    with pytest.raises(EmptyAnswer):
        gather()


def test_days_that_yahoo_has_forgotten_are_empty(wire):
    words = "5m data not available for startTime=1 and endTime=2. The requested range must be within the last 60 days."
    wire.answers("QQQ", {"chart": {"result": None, "error": {"code": "Unprocessable Entity", "description": words}}})
    with pytest.raises(EmptyAnswer):
        gather()


def test_an_interval_that_yahoo_has_not_is_a_question_of_usage():
    with pytest.raises(UsageError, match="no bars of 7m"):
        gather("7m")


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault != "hang"])
def test_every_failure_is_one_of_ours(wire, fault):
    wire.lists(listing())
    wire.breaks(fault)
    with pytest.raises(SourceError, match=r"^QQQ: "):
        gather(deadline=5)


def test_throttling_silence_and_unknown_symbols_are_told_apart(wire):
    with pytest.raises(UnknownSymbol):
        gather(symbol="NOPE")
    wire.lists(listing())
    wire.breaks("429")
    with pytest.raises(RateLimited):
        gather()
    wire.breaks("hang")
    with pytest.raises(TimedOut):
        gather(deadline=0.5)


def test_broken_fields_are_garbled(wire):
    body = listing().chart()
    body["chart"]["result"][0]["meta"]["exchangeTimezoneName"] = "Nowhere/Land"
    wire.answers("QQQ", json.dumps(body).encode())
    with pytest.raises(GarbledAnswer):
        gather()
