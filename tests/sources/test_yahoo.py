"""Yahoo, over a wire on loopback: what it says is kept, and every way in which it fails is told apart.

PAIRWATCH_FUZZ sets how many broken answers are sent through yfinance (300 by default); with it they differ from run
to run. What yfinance makes of them is broken 5,000 times in any case.
"""

import copy
import json
import logging
import math
import os
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from time import perf_counter, sleep
from zoneinfo import ZoneInfo

import exchange_calendars
import numpy as np
import pytest
import time_machine
import yfinance.cache
import yfinance.data
import yfinance.utils
from curl_cffi.requests import Session as Browser
from curl_cffi.requests.exceptions import RequestException
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.conftest import NOWHERE
from tests.wire import ACCIDENTS, ANSWERS, FAULTS, Listing, clock, instant, weekdays

from pairwatch.errors import (
    ConnectionRefused,
    CutShort,
    EmptyAnswer,
    GarbledAnswer,
    NoNetwork,
    ProviderDown,
    RateLimited,
    SourceError,
    TimedOut,
    UnknownSymbol,
    WrongAnswer,
)
from pairwatch.model import Event, Facts, Leg
from pairwatch.sources import Request
from pairwatch.sources.sessions import sessions_of
from pairwatch.sources.yahoo import CALENDAR_OF, CALENDARS, YIELDS, Yahoo, _first_unfinished, asking
from pairwatch.sources.yahoo.asking import METADATA, TWICE, _connection, _known_zone
from pairwatch.text import is_clean

EXAMPLES = int(os.environ.get("PAIRWATCH_FUZZ", "300"))
NEW_YORK, LONDON, TOKYO, SYDNEY = "America/New_York", "Europe/London", "Asia/Tokyo", "Australia/Sydney"
FRIDAY = date(2026, 11, 20)
SUNDAY = instant("2026-11-22 12:00")
DAYS = weekdays(FRIDAY, 30)
CLOSES = [600 + day + 0.0800170898438 for day in range(30)]


@pytest.fixture
def yahoo():
    """The source, with nothing left of an earlier test in yfinance's one session."""
    yfinance.data.SingletonMeta._instances.clear()
    asking.session.cache_clear()
    yield Yahoo()
    yfinance.data.SingletonMeta._instances.clear()


@pytest.fixture(autouse=True)
def _no_thread_stays(_wire):
    """A fetch that was left hanging ends before the next test begins."""
    yield
    _wire.release()
    for thread in threading.enumerate():
        if thread.name == "pairwatch-fetch":
            thread.join(10)


def ask(yahoo, symbol="QQQ", now=SUNDAY, **more):
    """Ask as if it were `now`: yfinance looks at the clock too."""
    with time_machine.travel(now, tick=True):
        return yahoo.fetch(Request(Leg("yahoo", symbol), now, **{"deadline": 5.0, **more}))


def last_day(fetched):
    return str(fetched.series.dates[-1])


# ---------------------------------------------------------------- what a good answer becomes


def test_closes_and_days_are_the_payloads(wire, yahoo):
    wire.lists(Listing("QQQ", DAYS, CLOSES))
    fetched = ask(yahoo)
    assert fetched.series.closes.tolist() == CLOSES
    assert [str(day) for day in fetched.series.dates] == clock(DAYS)
    assert (fetched.since, fetched.asked_at, fetched.remarks) == (None, SUNDAY, ())


def test_events_are_the_payloads(wire, yahoo):
    events = {"dividends": {DAYS[3]: 0.79, DAYS[20]: 0.81}, "splits": {DAYS[10]: (4, 1)}, "gains": {DAYS[3]: 1.5}}
    wire.lists(Listing("QQQ", DAYS, CLOSES, kind="ETF", **events))
    assert ask(yahoo).series.events == (
        Event(np.datetime64(DAYS[3]), "capital_gain", 1.5),
        Event(np.datetime64(DAYS[3]), "dividend", 0.79),
        Event(np.datetime64(DAYS[10]), "split", 4.0),
        Event(np.datetime64(DAYS[20]), "dividend", 0.81),
    )


def test_an_event_on_a_day_without_a_close_is_kept(wire, yahoo):
    closes = [*CLOSES[:20], None, *CLOSES[21:]]
    wire.lists(Listing("QQQ", DAYS, closes, dividends={DAYS[20]: 0.81}))
    fetched = ask(yahoo)
    assert fetched.series.events == (Event(np.datetime64(DAYS[20]), "dividend", 0.81),)
    assert np.datetime64(DAYS[20]) not in fetched.series.dates


def test_a_split_of_one_for_one_is_no_event(wire, yahoo):
    wire.lists(Listing("QQQ", DAYS, CLOSES, splits={DAYS[10]: (1, 1)}))
    assert ask(yahoo).series.events == ()


def test_facts_are_the_payloads(wire, yahoo):
    wire.lists(Listing("QQQ", DAYS, CLOSES, kind="ETF", exchange="NGM", name="Invesco QQQ Trust"))
    assert ask(yahoo).series.facts == Facts(
        name="Invesco QQQ Trust",
        currency="USD",
        kind="ETF",
        exchange="NGM",
        timezone=NEW_YORK,
        closes_at=960,
        identity=f"Invesco QQQ Trust (traded since {DAYS[0]})",
    )


@pytest.mark.parametrize("currency", ["GBp", "EUR"])
def test_the_currency_is_kept_to_the_letter(wire, yahoo, currency):
    wire.lists(Listing("QQQ", DAYS, CLOSES, currency=currency))
    assert ask(yahoo).series.facts.currency == currency


def test_an_index_has_no_currency_of_a_price(wire, yahoo):
    wire.lists(Listing("^VIX", DAYS, CLOSES, kind="INDEX", exchange="WCB", zone="America/Chicago", opens=time(8, 30)))
    facts = ask(yahoo, "^VIX").series.facts
    assert (facts.measure, facts.unit, facts.by_differences) == ("level", "points", False)


@pytest.mark.parametrize(("symbol", "measure"), [("^MOVE", "level"), ("^SKEW", "level"), ("^GSPC", "index")])
def test_an_index_of_shares_can_be_followed_and_one_of_volatility_cannot(wire, yahoo, symbol, measure):
    wire.lists(Listing(symbol, DAYS, CLOSES, kind="INDEX"))
    facts = ask(yahoo, symbol).series.facts
    assert (facts.measure, facts.unit, facts.can_be_held) == (measure, "points", measure == "index")


@pytest.mark.parametrize("symbol", YIELDS)
def test_an_index_that_is_a_yield_is_a_rate_in_percent(wire, yahoo, symbol):
    wire.lists(Listing(symbol, DAYS, CLOSES, kind="INDEX", exchange="CGI"))
    facts = ask(yahoo, symbol).series.facts
    assert (facts.measure, facts.unit, facts.by_differences, facts.scale) == ("rate", "percent", True, 100.0)


def asked_again(wire, yahoo, before, after):
    wire.lists(before)
    known = ask(yahoo, "FB").series.facts
    wire.lists(after)
    fetched = ask(yahoo, "FB", known=known)
    return known.identity, fetched.series.facts.identity, fetched.remarks


def test_a_renamed_company_is_still_the_same_and_the_name_is_remarked(wire, yahoo):
    old, new = Listing("FB", DAYS, CLOSES, name="Facebook"), Listing("FB", DAYS, CLOSES, name="Meta")
    before, after, remarks = asked_again(wire, yahoo, old, new)
    assert before == after == f"Facebook (traded since {DAYS[0]})"
    assert remarks == ("yahoo calls it Meta now, and Facebook before",)


def test_another_kind_is_remarked(wire, yahoo):
    old, new = Listing("FB", DAYS, CLOSES), Listing("FB", DAYS, CLOSES, kind="ETF")
    before, after, remarks = asked_again(wire, yahoo, old, new)
    assert before == after
    assert remarks == ("yahoo calls it ETF now, and EQUITY before",)


def test_a_symbol_with_another_name_and_a_later_beginning_stands_for_something_else(wire, yahoo):
    old, new = Listing("FB", DAYS, CLOSES, name="Facebook"), Listing("FB", DAYS[9:], CLOSES[9:], name="Other")
    before, after, _ = asked_again(wire, yahoo, old, new)
    assert (before, after) == (f"Facebook (traded since {DAYS[0]})", f"Other (traded since {DAYS[9]})")


@pytest.mark.parametrize("days", [DAYS[3:], DAYS])
def test_another_beginning_alone_changes_nothing(wire, yahoo, days):
    old, new = Listing("FB", DAYS[1:], CLOSES[1:]), Listing("FB", days, CLOSES[-len(days) :])
    before, after, remarks = asked_again(wire, yahoo, old, new)
    assert before == after
    assert remarks == ()


@pytest.mark.parametrize("began", [None, "soon", math.nan, 1e300, []])
def test_a_beginning_that_is_none_identifies_nothing(wire, yahoo, began):
    wire.lists(Listing("QQQ", DAYS, CLOSES, meta={"firstTradeDate": began}))
    assert ask(yahoo).series.facts.identity == ""


def test_hostile_names_are_made_harmless(wire, yahoo):
    name = "\x1b]0;pwned\x07[bold]QQQ[/bold]\u202egnp.exe\x9b31m\n" + "x" * 300
    meta = {"fullExchangeName": name, "exchangeName": name}
    wire.lists(Listing("QQQ", DAYS, CLOSES, name=name, currency=name, kind=name, meta=meta))
    facts = ask(yahoo).series.facts
    for text in (facts.name, facts.currency, facts.kind, facts.exchange):
        assert is_clean(text)
        assert len(text) <= 80


def test_a_holiday_is_not_expected_and_a_hole_is(wire, yahoo):
    wire.lists(Listing("QQQ", DAYS, [*CLOSES[:-3], None, *CLOSES[-2:]]))
    fetched = ask(yahoo)
    assert [str(day) for day in np.setdiff1d(fetched.expected, fetched.series.dates)] == ["2026-11-18"]


def test_nothing_is_expected_of_days_before_those_asked_for(wire, yahoo):
    wire.lists(Listing("QQQ", DAYS, CLOSES))
    assert str(ask(yahoo, since=date(2026, 11, 10)).expected[0]) == "2026-11-10"


def test_nothing_new_can_be_had_before_the_next_opening_bell(wire, yahoo):
    wire.lists(Listing("QQQ", DAYS, CLOSES))
    assert ask(yahoo).fresh_until == instant("2026-11-23 09:30", NEW_YORK)


def test_an_answer_that_lacks_the_newest_close_is_not_fresh(wire, yahoo):
    wire.lists(Listing("QQQ", DAYS[:-1], CLOSES[:-1]))
    assert ask(yahoo).fresh_until == SUNDAY


def test_each_exchange_has_one_calendar_that_there_is():
    assert len(CALENDAR_OF) == sum(len(codes.split()) for codes in CALENDARS.values())
    assert set(CALENDARS) <= set(exchange_calendars.get_calendar_names())


def test_an_answer_about_an_unknown_exchange_is_not_fresh(wire, yahoo):
    wire.lists(Listing("QQQ", DAYS, CLOSES, exchange="ZZZ"))
    fetched = ask(yahoo)
    assert (fetched.fresh_until, len(fetched.expected)) == (SUNDAY, 0)


# ---------------------------------------------------------------- when an exchange closes that has no calendar


def closing(wire, yahoo, opens="09:30", closes="16:00", known=None, zone="Asia/Kolkata", exchange="ZZZ"):
    """What is known of a leg when the provider's current session is of these hours on its own clock."""
    period = tuple(int(instant(at if " " in at else f"2026-11-20 {at}", zone)) for at in (opens, closes))
    wire.lists(Listing("QQQ", DAYS, CLOSES, exchange=exchange, zone=zone, period=period))
    return ask(yahoo, known=known).series.facts


@pytest.mark.parametrize(
    ("zone", "closes", "expected"),
    [
        ("Asia/Kolkata", "17:00", 1020),
        ("Asia/Kathmandu", "15:15", 915),
        ("America/New_York", "16:00", 960),
        ("Asia/Riyadh", "2026-11-21 00:00", 1440),
    ],
)
def test_where_there_is_no_calendar_the_close_is_the_one_that_yahoo_tells(wire, yahoo, zone, closes, expected):
    assert closing(wire, yahoo, closes=closes, zone=zone).closes_at == expected


@pytest.mark.parametrize(("opens", "closes"), [("17:00", "2026-11-21 16:00"), ("16:00", "16:00"), ("16:00", "09:30")])
def test_a_session_that_does_not_close_on_its_own_day_tells_no_close(wire, yahoo, opens, closes):
    assert closing(wire, yahoo, opens, closes).closes_at is None


def test_a_calendar_goes_before_the_provider(wire, yahoo):
    assert closing(wire, yahoo, closes="13:00", zone=NEW_YORK, exchange="NMS").closes_at == 960


def test_a_half_day_is_not_the_usual_close(wire, yahoo):
    usual = closing(wire, yahoo, closes="17:00")
    half = closing(wire, yahoo, closes="13:00", known=usual)
    assert (usual.closes_at, half.closes_at) == (1020, 1020)
    assert closing(wire, yahoo, closes="17:00", known=closing(wire, yahoo, closes="13:00")).closes_at == 1020


@pytest.mark.parametrize("moved", [{"exchange": "YYY"}, {"zone": "Asia/Kathmandu"}])
def test_the_close_of_another_exchange_is_not_kept(wire, yahoo, moved):
    usual = closing(wire, yahoo, closes="17:00")
    assert closing(wire, yahoo, closes="13:00", known=usual, **moved).closes_at == 780


def test_a_leg_that_was_stored_before_closes_were_told_learns_its_own(wire, yahoo):
    before = replace(closing(wire, yahoo, closes="17:00"), closes_at=None)
    assert closing(wire, yahoo, closes="17:00", known=before).closes_at == 1020


# ---------------------------------------------------------------- odd answers that survive


def test_impossible_closes_are_left_out_and_named(wire, yahoo):
    odd = [math.inf, -math.inf, -5.0, 0.0, 1e308]
    wire.lists(Listing("QQQ", DAYS, [*CLOSES[:10], *odd, *CLOSES[15:]]))
    fetched = ask(yahoo)
    assert fetched.series.closes.tolist() == [*CLOSES[:10], *CLOSES[15:]]
    assert [text[:30] for text in fetched.remarks] == ["impossible closes left out: 20"]
    assert clock(DAYS[10:11])[0] in fetched.remarks[0]


def test_a_future_may_close_below_zero(wire, yahoo):
    closes = [*CLOSES[:-1], -37.63]
    wire.lists(Listing("CL=F", DAYS, closes, kind="FUTURE", exchange="NYM", opens=time(0), minutes=1439))
    assert ask(yahoo, "CL=F").series.closes[-1] == -37.63


def test_unsorted_rows_are_sorted(wire, yahoo):
    order = np.random.default_rng(0).permutation(30)
    wire.lists(
        Listing(
            "QQQ",
            [DAYS[i] for i in order],
            [CLOSES[i] for i in order],
            period=Listing.session(Listing("QQQ", DAYS, CLOSES), FRIDAY),
        )
    )
    assert ask(yahoo).series.closes.tolist() == CLOSES


def test_of_a_duplicated_last_day_the_later_row_counts(wire, yahoo):
    close = instant("2026-11-20 16:00:01", NEW_YORK)
    wire.lists(Listing("QQQ", DAYS, CLOSES, live=(close, 777.0)))
    series = ask(yahoo).series
    assert len(series) == 30
    assert series.closes[-1] == 777.0


def test_a_day_with_two_different_closes_is_left_out_and_named(wire, yahoo):
    wire.lists(Listing("QQQ", [*DAYS[:20], *DAYS[19:]], [*CLOSES[:20], 1.0, *CLOSES[20:]]))
    fetched = ask(yahoo)
    assert [str(day) for day in fetched.series.dates] == clock([*DAYS[:19], *DAYS[20:]])
    assert fetched.remarks == (f"days with two different closes left out: {DAYS[19]}",)


def test_a_day_that_is_there_twice_with_one_close_is_kept(wire, yahoo):
    wire.lists(Listing("QQQ", [*DAYS[:20], *DAYS[19:]], [*CLOSES[:20], *CLOSES[19:]]))
    fetched = ask(yahoo)
    assert fetched.series.closes.tolist() == CLOSES
    assert fetched.remarks == ()


def test_days_of_the_future_are_not_believed(wire, yahoo):
    later = [*DAYS, date(2026, 11, 24), date(2027, 1, 4)]
    wire.lists(Listing("QQQ", later, [*CLOSES, 1.0, 2.0], period=Listing.session(Listing("QQQ", DAYS, []), FRIDAY)))
    assert last_day(ask(yahoo)) == "2026-11-20"


def test_a_close_on_a_day_that_the_calendar_calls_closed_is_the_providers_word(wire, yahoo):
    days = [*weekdays(date(2025, 11, 26), 5), date(2025, 11, 27), date(2025, 11, 28)]
    wire.lists(Listing("QQQ", days, CLOSES[:7]))
    fetched = ask(yahoo, now=instant("2025-11-30 12:00"))
    assert np.datetime64("2025-11-27") in fetched.series.dates
    assert np.datetime64("2025-11-27") not in fetched.expected


@pytest.mark.parametrize("lacking", ["longName", "shortName", "regularMarketPrice", "regularMarketTime", "validRanges"])
def test_fields_that_only_adorn_may_be_missing(wire, yahoo, lacking):
    wire.lists(Listing("QQQ", DAYS, CLOSES, missing=(lacking,)))
    assert len(ask(yahoo).series) == 30


@pytest.mark.parametrize(
    "meta",
    [
        {"regularMarketPrice": -5.0},
        {"regularMarketPrice": 1e308},
        {"regularMarketPrice": math.inf},
        {"regularMarketTime": 1e20},
        {"regularMarketTime": -1.5},
        {"regularMarketTime": 4_000_000_000},
    ],
)
def test_an_impossible_quote_is_none(wire, yahoo, meta):
    wire.lists(Listing("QQQ", DAYS, CLOSES, meta=meta))
    assert ask(yahoo).series.quote is None


# ---------------------------------------------------------------- failures told apart

MEANINGS = {
    "429": (RateLimited, "throttles"),
    "429 retry-after": (RateLimited, "throttles"),
    "401": (ConnectionRefused, "HTTP 401"),
    "403": (ConnectionRefused, "HTTP 403"),
    "500": (ProviderDown, "HTTP 500"),
    "500 json": (ProviderDown, "HTTP 500"),
    "503": (ProviderDown, "HTTP 503"),
    "maintenance": (ProviderDown, "out of order"),
    "web page": (GarbledAnswer, "web page"),
    "garbage": (GarbledAnswer, "is not text"),
    "empty body": (EmptyAnswer, "is empty"),
    "half a body": (CutShort, "ends in the middle"),
    "other json": (EmptyAnswer, "no bars"),
    "no result": (EmptyAnswer, "no bars"),
    "no data in range": (EmptyAnswer, "days asked for"),
    "an error": (GarbledAnswer, "with an error (Invalid"),
    "hang": (TimedOut, "within 1 s"),
    "reset": (CutShort, "broke off"),
    "closed": (CutShort, "broke off"),
    "truncated": (CutShort, "broke off"),
    "proxy refuses": (ConnectionRefused, "proxy refuses"),
}


def test_every_fault_has_its_meaning():
    assert set(MEANINGS) == set(FAULTS)


@pytest.mark.parametrize("where", ["", "chart"])
@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_told_apart(wire, yahoo, fault, where):
    wire.lists(Listing("QQQ", DAYS, CLOSES))
    wire.breaks(fault, only=where if fault in ANSWERS or fault in ACCIDENTS[:4] else "")
    kind, words = MEANINGS[fault]
    with pytest.raises(SourceError) as caught:
        ask(yahoo, deadline=1.0)
    assert type(caught.value) is kind
    assert caught.value.message.startswith("QQQ: ")
    assert words in caught.value.message
    assert is_clean(caught.value.message)
    assert caught.value.hint


@pytest.mark.parametrize("fault", ["429", "429 retry-after"])
def test_throttling_is_never_reported_as_a_bad_symbol(wire, yahoo, fault):
    wire.breaks(fault)  # and the symbol is unknown besides
    with pytest.raises(RateLimited) as caught:
        ask(yahoo)
    assert "nothing is wrong with the symbol" in caught.value.message
    assert not {"delisted", "unknown", "spelling"} & set(caught.value.message.split())


@pytest.mark.parametrize("fault", ["429", "500", "403", "reset", "closed", "empty body", "web page"])
@pytest.mark.parametrize("where", ["fc.yahoo.com", "getcrumb"])
def test_prices_come_without_cookie_and_crumb(wire, yahoo, fault, where):
    wire.lists(Listing("QQQ", DAYS, CLOSES))
    wire.breaks(fault, only=where)
    assert len(ask(yahoo).series) == 30


@pytest.mark.parametrize("fault", ["429", "500", "503"])
def test_one_bad_answer_is_got_over(wire, yahoo, fault):
    wire.lists(Listing("QQQ", DAYS, CLOSES))
    wire.breaks(fault, only="chart", times=1)
    assert len(ask(yahoo).series) == 30


def test_a_failure_is_not_remembered(wire, yahoo):
    wire.lists(Listing("QQQ", DAYS, CLOSES))
    wire.breaks("500")
    with pytest.raises(ProviderDown):
        ask(yahoo)
    wire.breaks("")
    assert len(ask(yahoo).series) == 30


def test_an_unknown_symbol_is_unknown(wire, yahoo):
    with pytest.raises(UnknownSymbol, match=r"^NOPE: unknown to yahoo, or delisted \(No data found"):
        ask(yahoo, "NOPE")


def test_an_answer_for_another_symbol_is_refused(wire, yahoo):
    wire.answers("QQQ", Listing("SPY", DAYS, CLOSES).chart())
    with pytest.raises(WrongAnswer, match=r"^QQQ: yahoo answered for SPY instead"):
        ask(yahoo)


def test_the_other_symbols_name_is_made_harmless(wire, yahoo):
    wire.answers("QQQ", Listing("\x1b[31mSPY\u202e", DAYS, CLOSES).chart())
    with pytest.raises(WrongAnswer) as caught:
        ask(yahoo)
    assert is_clean(caught.value.message)


@pytest.mark.parametrize("lacking", ["currency", "exchangeTimezoneName", "instrumentType", "currentTradingPeriod"])
def test_a_missing_field_that_matters_is_a_garbled_answer(wire, yahoo, lacking):
    wire.lists(Listing("QQQ", DAYS, CLOSES, missing=(lacking,)))
    with pytest.raises(GarbledAnswer, match=r"^QQQ: "):
        ask(yahoo)


def test_an_answer_that_does_not_say_for_whom_is_refused(wire, yahoo):
    wire.lists(Listing("QQQ", DAYS, CLOSES, missing=("symbol",)))
    with pytest.raises(WrongAnswer, match=r"^QQQ: yahoo answered for nothing instead"):
        ask(yahoo)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "America", "../../etc/passwd", "", "/etc/localtime", "\x00"])
def test_a_zone_that_does_not_exist_is_a_garbled_answer(wire, yahoo, zone):
    wire.lists(Listing("QQQ", DAYS, CLOSES, meta={"exchangeTimezoneName": zone}))
    with pytest.raises(GarbledAnswer, match=r"^QQQ: "):
        ask(yahoo)


@pytest.mark.parametrize("days", [[], DAYS])
def test_an_answer_without_a_close_is_empty(wire, yahoo, days):
    listing = Listing("QQQ", DAYS, [None] * 30)
    wire.answers("QQQ", listing.chart() if days else listing.chart(until=0))
    with pytest.raises(EmptyAnswer, match=r"^QQQ: yahoo's answer holds no"):
        ask(yahoo)


def test_a_close_of_text_is_a_garbled_answer(wire, yahoo):
    wire.lists(Listing("QQQ", DAYS, [*CLOSES[:-1], "n/a"]))
    with pytest.raises(GarbledAnswer, match=r"^QQQ: "):
        ask(yahoo)


def test_an_isin_is_refused_unasked(wire, yahoo):
    with pytest.raises(UnknownSymbol, match=r"^US0378331005: an ISIN"):
        ask(yahoo, "US0378331005")
    assert wire.requests == []


def test_a_refused_connection_is_told(yahoo):
    assert os.environ["HTTPS_PROXY"] == NOWHERE
    with pytest.raises(ConnectionRefused, match=r"^QQQ: the connection to yahoo, .* was refused"):
        ask(yahoo)


def test_an_unknown_certificate_is_told_with_what_helps(wire, yahoo, monkeypatch):
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with pytest.raises(ConnectionRefused, match=r"^QQQ: the certificate") as caught:
        ask(yahoo)
    assert "REQUESTS_CA_BUNDLE" in caught.value.hint
    assert wire.requests == []


@pytest.mark.parametrize(
    ("code", "kind"),
    [(5, NoNetwork), (6, NoNetwork), (7, ConnectionRefused), (28, TimedOut), (18, CutShort), (56, CutShort),
     (60, ConnectionRefused), (1, GarbledAnswer), (0, GarbledAnswer)],
)  # fmt: skip
def test_libcurls_codes_have_their_meanings(code, kind):
    error = _connection(Leg("yahoo", "QQQ"), RequestException(f"Failed to perform, curl: ({code})", code))
    assert type(error) is kind
    assert error.message.startswith("QQQ: ")


# ---------------------------------------------------------------- deadlines and requests


@pytest.mark.parametrize("where", ["", "chart"])
def test_a_hanging_provider_is_left_at_the_deadline(wire, yahoo, where):
    wire.breaks("hang", only=where)
    began = perf_counter()
    with pytest.raises(TimedOut, match=r"^QQQ: yahoo did not answer within 1 s"):
        ask(yahoo, deadline=1.0)
    assert 0.9 < perf_counter() - began < 1.5


def test_after_one_leg_hung_the_other_is_not_asked(wire, yahoo):
    wire.breaks("hang")
    with pytest.raises(TimedOut):
        ask(yahoo, deadline=0.3)
    asked, began = len(wire.requests), perf_counter()
    with pytest.raises(TimedOut, match=r"^IWM: not asked"):
        ask(yahoo, "IWM", deadline=0.3)
    assert perf_counter() - began < 0.2
    assert len(wire.requests) == asked


def test_a_hanging_fetch_leaves_the_processs_warnings_alone(wire, yahoo):
    wire.breaks("hang")
    before = list(warnings.filters)
    with pytest.raises(TimedOut):
        ask(yahoo, deadline=0.3)
    assert list(warnings.filters) == before


SIXTEEN = {f"S{number:02}": [number + close for close in CLOSES] for number in range(16)}


def together(yahoo, symbols, **more):
    """The closes of many symbols, or how each failed, fetched by four threads at once."""

    def closes(symbol):
        try:
            request = Request(Leg("yahoo", symbol), SUNDAY, **{"deadline": 5.0, **more})
            return yahoo.fetch(request).series.closes.tolist()
        except SourceError as error:
            return error

    with time_machine.travel(SUNDAY, tick=True), ThreadPoolExecutor(4) as pool:
        return dict(zip(symbols, pool.map(closes, symbols), strict=True))


def test_four_threads_get_each_symbols_own_numbers_and_leave_the_process_as_it_was(wire, yahoo, capfd):
    wire.lists(*(Listing(symbol, DAYS, closes) for symbol, closes in SIXTEEN.items()))
    logger = logging.getLogger("yfinance")
    state = (warnings.filters[:], logger.level, logger.propagate, logger.handlers[:], warnings.showwarning)
    assert together(yahoo, SIXTEEN) == SIXTEEN
    assert (warnings.filters, logger.level, logger.propagate, logger.handlers, warnings.showwarning) == state
    assert capfd.readouterr() == ("", "")


def test_four_threads_need_one_crumb_and_hardly_more_than_a_cookie_each(wire, yahoo):
    wire.lists(*(Listing(symbol, DAYS, closes) for symbol, closes in SIXTEEN.items()))
    together(yahoo, SIXTEEN)
    assert len(wire.charts) == 16
    assert [asked.path for asked in wire.requests if "crumb" in asked.path] == ["/v1/test/getcrumb"]
    assert sum(asked.host == "fc.yahoo.com" for asked in wire.requests) < 8


@pytest.mark.parametrize("body", ["null", "[1]", '{"message": "no route"}', '{"chart": {"error": null}}'])
def test_a_refusal_that_is_not_in_yahoos_words_says_nothing_of_the_symbol(wire, yahoo, body):
    wire.serves("query2.finance.yahoo.com", "/v8/finance/chart/QQQ", body, status=404)
    with pytest.raises(GarbledAnswer, match=r"QQQ: yahoo's answer is not in its format \(HTTP 404\)"):
        ask(yahoo)


@pytest.mark.parametrize(("fault", "kind"), [("404", UnknownSymbol), ("500", ProviderDown), ("garbage", GarbledAnswer)])
def test_one_threads_failure_is_not_anothers(wire, yahoo, fault, kind):
    wire.lists(*(Listing(symbol, DAYS, closes) for symbol, closes in SIXTEEN.items()))
    if fault == "404":
        del wire.listings["S07"]
    else:
        wire.breaks(fault, only="S07")
    found = together(yahoo, SIXTEEN)
    assert type(found.pop("S07")) is kind
    assert found == {symbol: closes for symbol, closes in SIXTEEN.items() if symbol != "S07"}


def test_one_leg_that_hangs_among_many_keeps_none_of_them_away(wire, yahoo):
    wire.lists(*(Listing(symbol, DAYS, closes) for symbol, closes in SIXTEEN.items()))
    wire.breaks("hang", only="S07")
    found = together(yahoo, SIXTEEN, deadline=1.5)
    assert isinstance(found.pop("S07"), TimedOut)
    assert found == {symbol: closes for symbol, closes in SIXTEEN.items() if symbol != "S07"}


def test_when_all_hang_the_others_are_not_asked(wire, yahoo):
    wire.breaks("hang")
    found = together(yahoo, list(SIXTEEN), deadline=0.3)
    assert all(isinstance(error, TimedOut) for error in found.values())
    assert sum("not asked" in error.message for error in found.values()) >= 8


def test_each_fetch_waits_for_its_turn_once_but_for_the_cookies(wire, yahoo):
    wire.lists(Listing("QQQ", DAYS, CLOSES))
    turns = []
    for _ in range(2):
        ask(yahoo, turn=lambda: turns.append(len(wire.requests)))
    assert turns == list(range(len(wire.requests)))
    assert len(wire.requests) <= 5


def test_a_turn_that_never_comes_is_not_yahoos_fault(wire, yahoo):
    def too_long():
        raise TimedOut("QQQ: too long")

    wire.lists(Listing("QQQ", DAYS, CLOSES))
    with pytest.raises(TimedOut, match="too long"):
        ask(yahoo, turn=too_long)
    assert wire.requests == []
    assert len(ask(yahoo).series) == 30


def test_two_cold_legs_cost_six_requests_at_most(wire, yahoo):
    wire.lists(Listing("QQQ", DAYS, CLOSES), Listing("IWM", DAYS, CLOSES))
    ask(yahoo)
    ask(yahoo, "IWM")
    assert len(wire.charts) == 2
    assert len(wire.requests) <= 6


def test_a_refresh_costs_two_requests_at_most(wire, yahoo):
    wire.lists(Listing("QQQ", DAYS, CLOSES))
    known = ask(yahoo).series.facts
    before = len(wire.requests)
    fetched = ask(yahoo, since=date(2026, 11, 10), known=known)
    assert len(wire.requests) <= before + 2
    assert (str(fetched.series.dates[0]), fetched.since) == ("2026-11-10", date(2026, 11, 10))


@pytest.mark.parametrize("zone", [NEW_YORK, TOKYO, SYDNEY])
def test_the_first_day_asked_for_is_the_exchanges_own(wire, yahoo, zone):
    wire.lists(Listing("QQQ", DAYS, CLOSES, zone=zone, exchange="ZZZ"))
    fetched = ask(yahoo, since=date(2026, 11, 10), known=Facts(timezone=zone))
    assert str(fetched.series.dates[0]) == "2026-11-10"


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "America", "../x", "\x00"])
def test_a_broken_zone_in_the_cache_is_not_used(zone):
    assert _known_zone(Facts(timezone=zone)) == "UTC"


def test_the_whole_history_is_asked_for(wire, yahoo):
    wire.lists(Listing("QQQ", DAYS, CLOSES))
    ask(yahoo)
    query = wire.charts[0].query
    assert float(query["period1"]) < instant("1928-01-01 00:00")
    assert float(query["period2"]) > SUNDAY + 86_400
    assert query["interval"] == "1d"
    assert query["events"] == "div,splits,capitalGains"


def test_unknown_symbols_cost_a_request_each_as_others_do(wire, yahoo):
    for symbol in ("NOPE", "NOPE2", "NOPE3"):
        with pytest.raises(UnknownSymbol):
            ask(yahoo, symbol)
    assert len(wire.charts) == 3
    assert len(wire.requests) <= 6


@pytest.mark.parametrize("fault", ["an error", "no data in range", "429 retry-after"])
def test_an_answer_that_no_cookie_changes_is_taken_at_once(wire, yahoo, fault):
    wire.breaks(fault, only="chart")
    with pytest.raises(SourceError):
        ask(yahoo)
    assert len(wire.charts) == 1


@pytest.mark.parametrize("fault", ["401", "403", "429", "500"])
def test_every_request_of_a_fetch_has_its_turn(wire, yahoo, fault):
    turns = []
    wire.breaks(fault, only="chart")
    with pytest.raises(SourceError):
        ask(yahoo, turn=lambda: turns.append(len(wire.requests)))
    assert turns == [0, *range(1, len(wire.requests))]


def test_a_turn_that_is_refused_in_the_middle_is_told_as_it_is(wire, yahoo):
    turns = iter([None, None, TimedOut("QQQ: too long")])

    def turn():
        if error := next(turns):
            raise error

    wire.lists(Listing("QQQ", DAYS, CLOSES))
    with pytest.raises(TimedOut, match="too long"):
        ask(yahoo, turn=turn)
    assert len(wire.requests) == 2
    assert len(ask(yahoo).series) == 30


def test_waiting_for_turns_does_not_count_against_the_deadline(wire, yahoo):
    wire.lists(Listing("QQQ", DAYS, CLOSES))
    assert len(ask(yahoo, deadline=2.0, turn=lambda: sleep(0.8)).series) == 30
    assert len(wire.requests) * 0.8 > 2.0


def test_a_rest_that_yahoo_asks_for_is_known(wire, yahoo):
    wire.breaks("429 retry-after", only="chart")
    with pytest.raises(RateLimited, match="asks for 2 min of rest") as caught:
        ask(yahoo)
    assert caught.value.retry_after == 120


def test_a_certificate_file_that_is_not_there_is_told_as_that(wire, yahoo, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
    with pytest.raises(ConnectionRefused, match=r"^QQQ: there is no certificate file /nowhere/ca\.pem"):
        ask(yahoo)


def test_a_certificate_file_that_is_not_there_is_told_before_a_missing_network(monkeypatch):
    monkeypatch.setenv("CURL_CA_BUNDLE", "/nowhere/ca.pem")
    error = _connection(Leg("yahoo", "QQQ"), RequestException("Could not resolve host", 6))
    assert "there is no certificate file" in error.message


# ---------------------------------------------------------------- quiet, and no trace


def test_nothing_is_said(wire, yahoo, capfd):
    wire.lists(Listing("QQQ", DAYS, CLOSES))
    ask(yahoo)
    wire.breaks("500")
    with pytest.raises(ProviderDown):
        ask(yahoo)
    assert capfd.readouterr() == ("", "")


class Ear(logging.Handler):
    """What a program that configured logging would write."""

    def __init__(self):
        super().__init__()
        self.heard = []

    def emit(self, record):
        if record.name == "yfinance":
            self.heard.append(record.getMessage().strip())


def test_the_librarys_log_is_let_through_when_asked_for(wire, yahoo, request):
    ear = Ear()
    logging.getLogger().addHandler(ear)
    request.addfinalizer(lambda: logging.getLogger().removeHandler(ear))
    wire.lists(Listing("QQQ", DAYS, CLOSES))
    ask(yahoo)
    assert ear.heard == []
    with warnings.catch_warnings(record=True):  # they are let through too
        ask(yahoo, verbose=True)
    assert "response code=200" in ear.heard


def test_no_handler_stays_on_the_librarys_logger(wire, yahoo):
    wire.lists(Listing("QQQ", DAYS, CLOSES))
    before = list(logging.getLogger("yfinance").handlers)
    ask(yahoo)
    assert logging.getLogger("yfinance").handlers == before


def test_no_file_is_written(wire, yahoo, home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    wire.lists(Listing("QQQ", DAYS, CLOSES))
    ask(yahoo)
    assert [*home.rglob("*"), *tmp_path.iterdir()] == []


def test_the_private_names_that_keep_yfinances_caches_away_are_there():
    cache = yfinance.cache
    assert hasattr(cache._TzCacheManager, "_tz_cache")
    assert hasattr(cache._CookieCacheManager, "_Cookie_cache")
    assert hasattr(cache._ISINCacheManager, "_isin_cache")
    assert cache.get_tz_cache.__module__ == cache._TzCacheDummy.__module__ == "yfinance.cache"


# ---------------------------------------------------------------- which bars are closes


def test_the_bar_of_an_open_session_is_the_quote(wire, yahoo):
    now = instant("2026-11-20 12:00", NEW_YORK)
    session = Listing("QQQ", DAYS, []).session(FRIDAY)
    wire.lists(Listing("QQQ", DAYS[:-1], CLOSES[:-1], live=(now - 1, 555.5), period=session))
    fetched = ask(yahoo, now=now)
    assert last_day(fetched) == "2026-11-19"
    assert (fetched.series.quote.price, fetched.series.quote.at, fetched.series.quote.open) == (555.5, now - 1, True)
    assert str(fetched.expected[-1]) == "2026-11-19"
    assert fetched.fresh_until == now


@pytest.mark.parametrize(
    ("at", "last", "is_open"), [("16:29:59", "2026-11-19", True), ("16:30:00", "2026-11-20", False)]
)
def test_a_bar_is_a_close_half_an_hour_after_the_bell(wire, yahoo, at, last, is_open):
    wire.lists(Listing("QQQ", DAYS, CLOSES))
    fetched = ask(yahoo, now=instant(f"2026-11-20 {at}", NEW_YORK))
    assert (last_day(fetched), fetched.series.quote.open) == (last, is_open)


@pytest.mark.parametrize("at", ["08:00", "18:00"])
def test_before_and_after_hours_the_session_is_not_open(wire, yahoo, at):
    session = Listing("QQQ", DAYS, []).session(FRIDAY)
    days = DAYS if at == "18:00" else DAYS[:-1]
    wire.lists(Listing("QQQ", days, CLOSES[: len(days)], period=session))
    fetched = ask(yahoo, now=instant(f"2026-11-20 {at}", NEW_YORK))
    assert not fetched.series.quote.open
    assert fetched.series.quote.price == CLOSES[len(days) - 1]
    assert last_day(fetched) == str(days[-1])


def unfinished(exchange, zone, now, start, end):
    """The first unfinished day, at an instant and with the provider's period, both on the exchange's clock."""
    at = instant(now, zone)
    period = {"start": instant(start, zone), "end": instant(end, zone)}
    facts = Facts(timezone=zone)
    sessions = sessions_of(CALENDAR_OF.get(exchange, ""), at)
    return str(_first_unfinished({"currentTradingPeriod": {"regular": period}}, sessions, facts, at))


THURSDAYS, FRIDAYS, MONDAYS = ((f"2026-11-{day} 09:30", f"2026-11-{day} 16:00") for day in (19, 20, 23))


@pytest.mark.parametrize(
    ("now", "period", "first"),
    [
        ("2026-11-20 04:00", THURSDAYS, "2026-11-20"),  # before the open, the period is still yesterday's
        ("2026-11-20 04:00", FRIDAYS, "2026-11-20"),
        ("2026-11-20 12:00", FRIDAYS, "2026-11-20"),
        ("2026-11-20 12:00", THURSDAYS, "2026-11-20"),  # a period that is late
        ("2026-11-20 16:29", FRIDAYS, "2026-11-20"),
        ("2026-11-20 16:30", FRIDAYS, "2026-11-21"),
        ("2026-11-20 20:00", MONDAYS, "2026-11-21"),  # a period that is early
        ("2026-11-20 16:10", MONDAYS, "2026-11-20"),  # and so early that the close is still settling
        ("2026-11-21 12:00", FRIDAYS, "2026-11-21"),  # a weekend
        ("2026-11-22 12:00", MONDAYS, "2026-11-22"),
        ("2026-11-23 00:10", FRIDAYS, "2026-11-23"),
    ],
)
def test_the_first_unfinished_day_in_new_york(now, period, first):
    assert unfinished("NMS", NEW_YORK, now, *period) == first


@pytest.mark.parametrize(
    ("now", "period", "first"),
    [
        ("2026-11-20 12:00", FRIDAYS, "2026-11-20"),
        ("2026-11-20 16:30", FRIDAYS, "2026-11-21"),
        ("2026-11-20 20:00", THURSDAYS, "2026-11-20"),  # nobody says that today is over
        ("2026-11-21 00:01", THURSDAYS, "2026-11-21"),
    ],
)
def test_without_a_calendar_the_provider_alone_says_what_is_over(now, period, first):
    assert unfinished("ZZZ", NEW_YORK, now, *period) == first


@pytest.mark.parametrize(
    ("exchange", "zone", "now", "start", "end", "first"),
    [
        # Thanksgiving, and the early close after it
        ("NMS", NEW_YORK, "2025-11-27 12:00", "2025-11-26 09:30", "2025-11-26 16:00", "2025-11-27"),
        ("NMS", NEW_YORK, "2025-11-28 13:29", "2025-11-28 09:30", "2025-11-28 13:00", "2025-11-28"),
        ("NMS", NEW_YORK, "2025-11-28 13:30", "2025-11-28 09:30", "2025-11-28 13:00", "2025-11-29"),
        # an early close of which the provider, or the calendar, knows nothing: the later of the two counts
        ("NMS", NEW_YORK, "2025-11-28 13:30", "2025-11-28 09:30", "2025-11-28 16:00", "2025-11-28"),
        ("NMS", NEW_YORK, "2026-11-20 13:30", "2026-11-20 09:30", "2026-11-20 13:00", "2026-11-20"),
        # crypto: the day ends at midnight UTC and settles for half an hour, whichever period is told
        ("CCC", "UTC", "2026-11-22 00:10", "2026-11-22 00:00", "2026-11-22 23:59", "2026-11-21"),
        ("CCC", "UTC", "2026-11-22 00:10", "2026-11-21 00:00", "2026-11-21 23:59", "2026-11-21"),
        ("CCC", "UTC", "2026-11-22 00:30", "2026-11-22 00:00", "2026-11-22 23:59", "2026-11-22"),
        ("CCC", "UTC", "2026-11-22 23:59", "2026-11-22 00:00", "2026-11-22 23:59", "2026-11-22"),
        # ahead of UTC: Monday morning there, Sunday in UTC
        ("ASX", SYDNEY, "2026-11-23 08:00", "2026-11-20 10:00", "2026-11-20 16:00", "2026-11-23"),
        ("ASX", SYDNEY, "2026-11-23 10:30", "2026-11-23 10:00", "2026-11-23 16:00", "2026-11-23"),
        ("ASX", SYDNEY, "2026-11-23 16:30", "2026-11-23 10:00", "2026-11-23 16:00", "2026-11-24"),
        ("JPX", TOKYO, "2026-11-24 08:00", "2026-11-20 09:00", "2026-11-20 15:30", "2026-11-24"),
        ("JPX", TOKYO, "2026-11-23 18:00", "2026-11-24 09:00", "2026-11-24 15:30", "2026-11-23"),
        ("JPX", TOKYO, "2026-11-24 16:00", "2026-11-24 09:00", "2026-11-24 15:30", "2026-11-25"),
        # futures: the provider's day ends at midnight, the calendar's at six
        ("NYM", NEW_YORK, "2026-11-19 19:00", "2026-11-19 00:00", "2026-11-19 23:59", "2026-11-19"),
        ("NYM", NEW_YORK, "2026-11-20 00:10", "2026-11-19 00:00", "2026-11-19 23:59", "2026-11-19"),
        ("NYM", NEW_YORK, "2026-11-20 00:40", "2026-11-20 00:00", "2026-11-20 23:59", "2026-11-20"),
        ("NYM", NEW_YORK, "2026-11-22 19:00", "2026-11-23 00:00", "2026-11-23 23:59", "2026-11-22"),
    ],
)  # fmt: skip
def test_the_first_unfinished_day_elsewhere(exchange, zone, now, start, end, first):
    assert unfinished(exchange, zone, now, start, end) == first


def test_no_day_is_expected_that_the_provider_still_calls_open(wire, yahoo):
    now = instant("2026-11-19 19:00", NEW_YORK)
    wire.lists(Listing("CL=F", DAYS[:-1], CLOSES[:-1], kind="FUTURE", exchange="NYM", opens=time(0), minutes=1439))
    fetched = ask(yahoo, "CL=F", now=now)
    assert last_day(fetched) == str(fetched.expected[-1]) == "2026-11-18"
    assert fetched.fresh_until == now


# ---------------------------------------------------------------- days in the exchange's zone

MARCH, OCTOBER, NOVEMBER = date(2026, 3, 20), date(2026, 11, 6), date(2026, 11, 20)


@pytest.mark.parametrize(
    ("exchange", "zone", "opens", "minutes", "last"),
    [
        ("JPX", TOKYO, time(9), 390, NOVEMBER),
        ("ASX", SYDNEY, time(10), 360, NOVEMBER),  # opens on the day before in UTC
        ("ASX", SYDNEY, time(10), 360, date(2026, 4, 17)),
        ("LSE", LONDON, time(8), 510, date(2026, 4, 10)),
        ("LSE", LONDON, time(8), 510, OCTOBER),
        ("NMS", NEW_YORK, time(9, 30), 390, MARCH),
        ("NMS", NEW_YORK, time(9, 30), 390, OCTOBER),
        ("CCY", LONDON, time(0), 1439, date(2026, 7, 10)),  # midnight in London, and the day before in UTC
        ("NYM", NEW_YORK, time(0), 1439, date(2026, 7, 10)),
        ("CCC", "UTC", time(0), 1439, NOVEMBER),
    ],
)
def test_days_are_the_exchanges_own(wire, yahoo, exchange, zone, opens, minutes, last):
    days = weekdays(last, 30)
    wire.lists(Listing("QQQ", days, CLOSES, exchange=exchange, zone=zone, opens=opens, minutes=minutes))
    fetched = ask(yahoo, now=instant(f"{last} 12:00") + 86_400)
    assert [str(day) for day in fetched.series.dates] == clock(days)


def test_a_zones_skipped_midnight_costs_no_day(wire, yahoo):
    days = weekdays(date(2026, 9, 11), 10)  # in Santiago the clock jumps over midnight on 6 September
    every = [*days[:5], date(2026, 9, 6), *days[5:]]
    zone = "America/Santiago"
    wire.lists(Listing("QQQ", every, CLOSES[:11], exchange="ZZZ", zone=zone))
    assert [str(day) for day in ask(yahoo, now=instant("2026-09-13 12:00")).series.dates] == clock(every)


# ---------------------------------------------------------------- anything at all

JUNK = [None, "", "abc", "\x1b[31m", -1, 0, 1, 10**30, 1e308, -0.5, math.inf, math.nan, True, [], {}, [None], {"a": 1}]
BASE = Listing("QQQ", DAYS[-6:], CLOSES[-6:], kind="ETF", dividends={DAYS[-3]: 0.5}, splits={DAYS[-2]: (2, 1)}).chart()


class Answer:
    """What a session's `get` returns."""

    url = "https://query2.finance.yahoo.com"

    def __init__(self, text, status, headers=None):
        self.text, self.content, self.status_code = text, text.encode("utf-8", "surrogatepass"), status
        self.headers = headers or {}

    def json(self):
        return json.loads(self.text)


class Network(Browser):
    """Answers everything with one text, without a socket."""

    answer = None

    def request(self, *_, **__):
        return self.answer


class Session(asking.Session, Network):
    """The one that yfinance is handed, without a network behind it."""


def paths(tree, path=()):
    """The place of everything in a JSON value."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from paths(value, (*path, key))


def mutated(places):
    """The base payload with junk, or nothing, in some places."""
    tree = copy.deepcopy(BASE)
    for place, junk in places:
        found = list(paths(tree))
        if not found:
            break
        *parents, key = found[place % len(found)]
        parent = tree
        for step in parents:
            parent = parent[step]
        if junk == "gone":
            del parent[key]
        elif junk == "twice" and isinstance(parent, list):
            parent.insert(key, parent[key])
        elif junk == "backwards" and isinstance(parent[key], list):
            parent[key].reverse()
        else:
            parent[key] = copy.deepcopy(junk)
    return json.dumps(tree)


def read(text, status=200):
    """What becomes of an answer; no socket is opened."""
    yfinance.data.SingletonMeta._instances.clear()
    session = Session()
    session.answer = Answer(text, status)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asking, "session", lambda: session)
        return ask(Yahoo())


def assert_well_formed(fetched):
    series = fetched.series
    assert len(series) > 0
    assert (series.dates < np.datetime64("2026-11-22")).all()
    assert ((series.closes > 0) & (series.closes < 1e12)).all() or series.facts.kind == "FUTURE"
    assert all(event.value > 0 and math.isfinite(event.value) for event in series.events)
    texts = [series.facts.name, series.facts.currency, series.facts.kind, series.facts.exchange, *fetched.remarks]
    assert all(map(is_clean, texts))
    assert fetched.fresh_until >= SUNDAY


def assert_ours(error):
    assert error.message.startswith("QQQ: ")
    assert is_clean(error.message)


@settings(max_examples=EXAMPLES, derandomize="PAIRWATCH_FUZZ" not in os.environ)
@given(
    st.lists(
        st.tuples(st.integers(0, 400), st.sampled_from([*JUNK, "gone", "gone", "twice", "backwards"])),
        min_size=1,
        max_size=4,
    )
)
def test_a_mutated_answer_is_read_or_refused(places):
    try:
        assert_well_formed(read(mutated(places)))
    except SourceError as error:
        assert_ours(error)


@settings(max_examples=max(50, EXAMPLES // 5), derandomize="PAIRWATCH_FUZZ" not in os.environ)
@given(
    st.one_of(
        st.text(),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(),
            lambda inner: (
                st.lists(inner) | st.dictionaries(st.sampled_from(["chart", "result", "meta", "error"]), inner)
            ),
        ).map(json.dumps),
        st.integers(0, 3000).map(lambda at: json.dumps(BASE)[:at]),
    ),
    st.sampled_from([200, 200, 400, 404, 429, 500]),
)
def test_any_text_at_all_is_read_or_refused(text, status):
    try:
        assert_well_formed(read(text, status))
    except SourceError as error:
        assert_ours(error)


class Canned(Yahoo):
    """The source, with what yfinance gives instead of yfinance: pandas would take most of the time."""

    def __init__(self, frame, meta):
        super().__init__()
        self._given = frame, meta

    def _answer(self, request):
        return self._given


class Frame(dict):
    """As much of a data frame as is read of it."""

    def __init__(self, rows):
        days = sorted({day: (close, dividend) for day, close, dividend in rows}.items())
        super().__init__(
            Close=Column(close for _, (close, _) in days), Dividends=Column(dividend for _, (_, dividend) in days)
        )
        self.index = [datetime.combine(DAYS[0] + timedelta(days=day), time(), ZoneInfo(NEW_YORK)) for day, _ in days]
        self.columns = self.keys()

    def __len__(self):
        return len(self.index)


class Column(list):
    def to_numpy(self, dtype):
        return np.array(self, dtype=dtype)


META = {
    **{key: value for key, value in BASE["chart"]["result"][0]["meta"].items() if key in METADATA},
    TWICE: [],
}
ROWS = st.tuples(st.integers(-400, 400), st.floats() | st.sampled_from([100.0, 101.0, 0.0]), st.floats())


@settings(max_examples=5000, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(ROWS, max_size=8),
    st.dictionaries(st.sampled_from(METADATA), st.sampled_from(JUNK) | st.text(max_size=9), max_size=2),
    st.lists(st.integers(0, 40).map(lambda day: date(2026, 10, 1 + day % 31)), max_size=2),
)
def test_whatever_yfinance_gives_is_read_or_refused(rows, junk, twice):
    try:
        assert_well_formed(
            Canned(Frame(rows), {**META, **junk, TWICE: twice}).fetch(Request(Leg("yahoo", "QQQ"), SUNDAY))
        )
    except SourceError as error:
        assert_ours(error)


def test_what_yfinance_gives_passes_through_the_fuzzers_frame():
    rows = [(day, 100.0 + day, 0.0) for day in range(5)]
    answer = Canned(Frame(rows), META).fetch(Request(Leg("yahoo", "QQQ"), SUNDAY))
    assert answer.series.closes.tolist() == [row[1] for row in rows]


def test_the_wires_own_payload_passes_through_the_fuzzers_session():
    assert_well_formed(read(json.dumps(BASE)))


def test_no_test_left_a_thread_in_the_way():
    assert not [thread for thread in threading.enumerate() if thread.name == "pairwatch-fetch"]
    assert Path(os.environ["HOME"]).is_dir()
