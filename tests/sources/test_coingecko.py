"""CoinGecko's answers, in the shapes in which they were recorded, and in all others."""

import json
from datetime import UTC, date, datetime, timedelta
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.wire import JSON, instant

from pairwatch.cache import Cache
from pairwatch.errors import (
    ConnectionRefused,
    CutShort,
    EmptyAnswer,
    GarbledAnswer,
    ProviderDown,
    RateLimited,
    SourceError,
    TimedOut,
    UnknownSymbol,
    WrongAnswer,
)
from pairwatch.merging import merge
from pairwatch.model import Facts, Leg
from pairwatch.retrieval import Desk, Policy
from pairwatch.sources import Key, Request
from pairwatch.sources.coingecko import CoinGecko, days_back, only_coin, read
from pairwatch.sources.coingecko_answers import Coin, coins
from pairwatch.sources.http import Answer
from pairwatch.text import is_clean

HOST, PRO_HOST = "api.coingecko.com", "pro-api.coingecko.com"
CHART, SEARCH = "/api/v3/coins/{}/market_chart", "/api/v3/search"
BITCOIN = Leg("coingecko", "bitcoin")
COIN = Coin("bitcoin", "bitcoin")
NOW = instant("2026-11-22 12:00")
DAY = timedelta(days=1)
CANARY = "CG-canary0123456789abcdef"
DEMO, PRO = Key("COINGECKO_DEMO_API_KEY", CANARY), Key("COINGECKO_PRO_API_KEY", CANARY)
NOT_FOUND = {"error": "coin not found"}
THROTTLED = {"status": {"error_code": 429, "error_message": "You've exceeded the Rate Limit."}}


def status_error(code, message="Your request exceeds the allowed time range."):
    return {"error": {"status": {"timestamp": "2026-11-22T12:00:00.000", "error_code": code, "error_message": message}}}


def ms(text, jitter=0.0):
    return int((instant(text) + jitter) * 1000)


def chart(*points):
    return {
        "prices": [list(point) for point in points],
        "market_caps": [[at, 1.5e12] for at, _ in points],
        "total_volumes": [[at, 2.5e10] for at, _ in points],
    }


def daily(last=date(2026, 11, 22), count=30, now=NOW, price=60_000.0):
    """An answer as of `now`, with the midnights up to that at which `last` begins."""
    days = [last - DAY * back for back in reversed(range(count))]
    midnights = [
        (int(datetime(d.year, d.month, d.day, tzinfo=UTC).timestamp() * 1000), price + d.toordinal() % 97) for d in days
    ]
    return chart(*midnights, (int(now * 1000) - 40_000, 61_234.5))


def answered(payload, leg=BITCOIN, now=NOW, status=200, **more):
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return read(Request(leg, now, **more), COIN, Answer(status, "application/json", body))


def closes(fetched):
    return dict(zip(fetched.series.dates.astype(str).tolist(), fetched.series.closes.tolist(), strict=True))


LAST = (ms("2026-11-22 11:59"), 61_000.0)


# ---------------------------------------------------------------- prices


def test_the_price_of_a_midnight_is_the_close_of_the_day_before():
    fetched = answered(chart((ms("2026-11-21 00:00"), 100.0), (ms("2026-11-22 00:00"), 101.0), LAST))
    assert closes(fetched) == {"2026-11-20": 100.0, "2026-11-21": 101.0}


def test_the_last_point_is_now_and_no_close():
    quote = answered(daily()).series.quote
    assert (quote.price, quote.at, quote.open) == (61_234.5, NOW - 40, True)
    assert quote.finished_at == instant("2026-11-23 00:30")
    only = answered(chart((ms("2026-11-21 00:00"), 100.0), (ms("2026-11-22 00:00"), 101.0)))
    assert closes(only) == {"2026-11-20": 100.0}


@pytest.mark.parametrize("jitter", [-299, -4.2, -0.001, 0.7, 12, 299])
def test_a_midnight_may_be_stamped_a_little_early_or_late(jitter):
    fetched = answered(chart((ms("2026-11-21 00:00", jitter), 100.0), LAST))
    assert closes(fetched) == {"2026-11-20": 100.0}


def test_of_hourly_points_those_of_midnight_are_taken():
    hours = [(ms("2026-11-19 00:00") + hour * 3_600_000 + hour * 977 % 5000, 100.0 + hour) for hour in range(84)]
    assert closes(answered(chart(*hours, LAST))) == {
        "2026-11-18": 100.0,
        "2026-11-19": 124.0,
        "2026-11-20": 148.0,
        "2026-11-21": 172.0,
    }


def test_a_midnight_that_has_just_been_is_not_settled():
    points = (ms("2026-11-21 00:00"), 100.0), (ms("2026-11-22 00:00"), 101.0)
    soon, later = instant("2026-11-22 00:29"), instant("2026-11-22 00:31")
    assert closes(answered(chart(*points, (int(soon * 1000), 102.0)), now=soon)).keys() == {"2026-11-20"}
    assert closes(answered(chart(*points, (int(later * 1000), 102.0)), now=later)).keys() == {
        "2026-11-20",
        "2026-11-21",
    }


def test_of_two_prices_of_a_midnight_the_nearer_one_counts():
    early, late = (ms("2026-11-21 00:00", -90), 99.0), (ms("2026-11-21 00:00", 2), 100.0)
    fetched = answered(chart(early, late, LAST))
    assert closes(fetched) == {"2026-11-20": 100.0}
    assert fetched.remarks == ()


def test_a_midnight_with_two_different_prices_has_none():
    twice = [(ms("2026-11-21 00:00"), price) for price in (99.0, 100.0)]
    fetched = answered(chart((ms("2026-11-20 00:00"), 98.0), *twice, LAST))
    assert closes(fetched) == {"2026-11-19": 98.0}
    assert fetched.remarks == ("days with two different prices left out: 2026-11-20",)


def test_points_are_sorted():
    points = (ms("2026-11-22 00:00"), 102.0), LAST, (ms("2026-11-20 00:00"), 100.0), (ms("2026-11-21 00:00"), 101.0)
    fetched = answered(chart(*points))
    assert list(closes(fetched).values()) == [100.0, 101.0, 102.0]
    assert fetched.series.quote.price == LAST[1]


def test_a_day_without_a_price_is_a_hole():
    fetched = answered(
        chart((ms("2026-11-20 00:00"), 98.0), (ms("2026-11-21 00:00"), None), (ms("2026-11-22 00:00"), 99.0), LAST)
    )
    assert closes(fetched) == {"2026-11-19": 98.0, "2026-11-21": 99.0}
    assert fetched.remarks == ("days without a price: 2026-11-20",)
    assert fetched.expected.astype(str).tolist() == ["2026-11-19", "2026-11-20", "2026-11-21"]


@pytest.mark.parametrize("price", [0, -1.5, 1e15, "Infinity", "-Infinity", "NaN"])
def test_an_impossible_price_is_left_out_and_said(price):
    body = json.dumps(chart((ms("2026-11-20 00:00"), 98.0), (ms("2026-11-21 00:00"), "X"), LAST))
    fetched = answered(body.replace('"X"', str(price)).encode())
    assert closes(fetched) == {"2026-11-19": 98.0}
    assert fetched.remarks == ("impossible prices left out: 2026-11-20",)


@pytest.mark.parametrize("at", [ms("2026-11-23 00:00"), ms("2027-01-01 00:00"), 1_795_000_000, 0, -5, 10**18])
def test_a_price_of_another_time_is_left_out_and_said(at):
    fetched = answered(chart((ms("2026-11-21 00:00"), 100.0), (at, 7.0), LAST))
    assert closes(fetched) == {"2026-11-20": 100.0}
    assert fetched.remarks == ("1 price stamped with impossible times left out",)
    assert fetched.series.quote.price == LAST[1]


def test_a_clock_that_goes_a_little_ahead_of_ours_is_believed():
    fetched = answered(chart((ms("2026-11-21 00:00"), 100.0), (int(NOW * 1000) + 90_000, 7.0)))
    assert (fetched.series.quote.price, fetched.series.quote.at) == (7.0, NOW)


@pytest.mark.parametrize(
    "last", [(ms("2026-11-22 11:59"), None), (ms("2026-11-22 11:59"), 0.0), (ms("2026-11-21 11:00"), 5.0)]
)
def test_no_price_of_now_is_made_of_an_old_or_an_impossible_one(last):
    assert answered(chart((ms("2026-11-20 00:00"), 100.0), last)).series.quote is None


def test_a_coin_is_priced_at_midnight_of_every_day():
    facts = answered(daily()).series.facts
    assert (facts.currency, facts.measure, facts.kind, facts.exchange) == (
        "USD",
        "price",
        "CRYPTOCURRENCY",
        "CoinGecko",
    )
    assert (facts.timezone, facts.closes_at, facts.every_day, facts.identity) == ("UTC", 1440, True, "bitcoin")


def test_a_market_that_never_closes_is_as_fresh_as_its_quote():
    fetched = answered(daily())
    assert fetched.fresh_until == NOW
    assert fetched.expected.astype(str).tolist() == fetched.series.dates.astype(str).tolist()


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("payload", "error"),
    [
        (b"", EmptyAnswer),
        (b" \n", EmptyAnswer),
        (b'{"prices":[[1795305600000,600', CutShort),
        (b"<!DOCTYPE html><html></html>", GarbledAnswer),
        (b"\xff\xfe\x00", GarbledAnswer),
        (b"[" * 100_000, SourceError),
        ([], GarbledAnswer),
        ({}, GarbledAnswer),
        ({"prices": None}, GarbledAnswer),
        ({"prices": [[1, 2, 3]]}, GarbledAnswer),
        ({"prices": [["2026-11-20", 2]]}, GarbledAnswer),
        ({"prices": [[True, 2]]}, GarbledAnswer),
        ({"prices": [[10**400, 2]]}, GarbledAnswer),
        (b'{"prices": [[NaN, 2]]}', GarbledAnswer),
        ({"prices": [[ms("2026-11-20 00:00"), "98"]]}, GarbledAnswer),
        ({"prices": []}, EmptyAnswer),
        (chart(LAST), EmptyAnswer),
        (THROTTLED, RateLimited),
        (NOT_FOUND, UnknownSymbol),
        ({"error": "\x1b[31mno"}, GarbledAnswer),
    ],
)
def test_what_holds_no_prices_is_an_error_that_begins_with_the_leg(payload, error):
    with pytest.raises(error) as caught:
        answered(payload)
    assert caught.value.message.startswith("coingecko:bitcoin: ")
    assert is_clean(caught.value.message)
    assert caught.value.hint


def test_days_that_the_plan_does_not_reach_are_explained():
    with pytest.raises(SourceError, match="does not reach back so far") as caught:
        answered(status_error(10012), status=401)
    assert "COINGECKO_PRO_API_KEY" in caught.value.hint


def test_a_long_text_of_an_error_is_cut_after_a_word():
    said = "Your request exceeds the allowed time range. Public API users are limited to querying the past 365 days."
    with pytest.raises(SourceError) as caught:
        answered(status_error(10012, said), status=401)
    quoted = "Your request exceeds the allowed time range. Public API users are limited to…"
    assert f"({quoted})" in caught.value.message
    with pytest.raises(SourceError, match=r"x{79}…") as caught:
        answered({"error": "x" * 200}, status=400)
    assert "x" * 80 not in caught.value.message


@pytest.mark.parametrize("code", [10002, 10010, 10011])
def test_a_key_that_is_refused_is_named_and_not_shown(code):
    with pytest.raises(SourceError, match="refuses the key in COINGECKO_DEMO_API_KEY") as caught:
        answered(status_error(code, "wrong key"), status=401, key=DEMO)
    assert CANARY not in caught.value.message + caught.value.hint


def test_an_unknown_currency_is_said():
    with pytest.raises(UnknownSymbol, match="no prices in xyz"):
        answered({"error": "invalid vs_currency"}, Leg("coingecko", "bitcoin/xyz"), status=400)


def test_a_page_before_the_provider_says_nothing_of_the_coin():
    with pytest.raises(ConnectionRefused):
        answered(b"<html>error code: 1020</html>", status=403)


# ---------------------------------------------------------------- how far back


@pytest.mark.parametrize(
    ("since", "key", "days"),
    [
        (None, None, "365"),
        (None, DEMO, "365"),
        (None, PRO, "max"),
        (date(2026, 11, 7), None, "17"),
        (date(2026, 11, 22), None, "2"),
        (date(2020, 1, 1), None, "365"),
        (date(2020, 1, 1), DEMO, "365"),
        (date(2020, 1, 1), PRO, "2519"),
        (date(2030, 1, 1), None, "1"),
    ],
)
def test_so_many_days_are_asked_for(since, key, days):
    assert days_back(Request(BITCOIN, NOW, since, key=key)) == days


def test_an_answer_speaks_of_the_days_that_it_reaches_back_to():
    assert answered(daily(), since=date(2026, 11, 7)).since == date(2026, 11, 7)
    assert answered(daily(count=365), since=date(2020, 1, 1)).since == date(2025, 11, 22)
    assert answered(daily(), since=date(2020, 1, 1), key=PRO).since == date(2020, 1, 1)
    assert answered(daily()).since is None


def test_days_before_those_asked_for_are_not_passed_on():
    assert answered(daily(), since=date(2026, 11, 7)).series.dates[0] == np.datetime64("2026-11-07")
    with pytest.raises(EmptyAnswer):
        answered(daily(), since=date(2026, 11, 22))


def test_a_year_of_answers_does_not_push_out_older_closes():
    first = instant("2026-03-01 12:00")
    held = merge(None, answered(daily(date(2026, 3, 1), 365, first), now=first)).holding
    for since in (None, date(2025, 3, 1)):
        merged = merge(held, answered(daily(count=365), since=since))
        series = merged.holding.series
        assert not merged.refetched
        assert series.dates[0] == held.series.dates[0]
        assert (np.diff(series.dates) == np.timedelta64(1, "D")).all()
        assert len(series) == 365 + 266


# ---------------------------------------------------------------- through the wire


def served(wire, coin="bitcoin", payload=None, host=HOST, **more):
    wire.serves(host, CHART.format(coin), json.dumps(payload or daily()), kind=JSON, **more)


def unknown(wire, *ids):
    for name in ids:
        served(wire, name, NOT_FOUND, status=404)


def found(wire, *entries):
    payload = {
        "coins": [{"id": i, "name": n, "api_symbol": i, "symbol": s, "market_cap_rank": r} for i, n, s, r in entries]
    }
    wire.serves(HOST, SEARCH, json.dumps({**payload, "exchanges": [], "nfts": []}), kind=JSON)


def fetched(symbol="bitcoin", **more):
    return CoinGecko().fetch(Request(Leg("coingecko", symbol), NOW, **more))


def test_one_request_brings_a_coin(wire):
    served(wire)
    assert len(fetched().series) == 30
    assert [asked.query for asked in wire.requests] == [{"vs_currency": "usd", "days": "365", "interval": "daily"}]
    assert not [name for name in wire.requests[0].headers if name.startswith("x-cg")]


def test_another_currency_is_asked_for_and_said(wire):
    served(wire)
    assert fetched("bitcoin/eur").series.facts.currency == "EUR"
    assert wire.requests[0].query["vs_currency"] == "eur"
    assert fetched("bitcoin/usd").series.facts == fetched().series.facts


@pytest.mark.parametrize(
    ("key", "host", "header"), [(DEMO, HOST, "x-cg-demo-api-key"), (PRO, PRO_HOST, "x-cg-pro-api-key")]
)
def test_a_key_goes_into_a_header_and_nowhere_else(wire, key, host, header):
    served(wire, host=host)
    fetched(key=key)
    (asked,) = wire.requests
    assert asked.headers[header] == CANARY
    assert CANARY not in asked.path + str(asked.query)
    assert asked.query["days"] == ("max" if key is PRO else "365")


def test_where_daily_prices_may_not_be_asked_for_enough_days_bring_them(wire):
    def page(asked):
        if "interval" in asked.query:
            return 401, JSON, json.dumps(status_error(10005, "This request is limited to Pro")).encode(), {}
        return 200, JSON, json.dumps(daily()).encode(), {}

    wire.serves(HOST, CHART.format("bitcoin"), page)
    assert len(fetched(since=date(2026, 11, 7)).series) == 15
    assert [asked.query.get("days") for asked in wire.requests] == ["17", "91"]


def test_a_symbol_that_one_coin_has_is_that_coin(wire):
    unknown(wire, "btc")
    served(wire)
    found(wire, ("bitcoin", "Bitcoin", "BTC", 1), ("bitcoin-cash", "Bitcoin Cash", "BCH", 18))
    answer = fetched("btc")
    assert (answer.series.facts.identity, answer.series.facts.name) == ("bitcoin", "Bitcoin")
    assert answer.series.leg == Leg("coingecko", "btc")
    assert answer.remarks == ("btc is bitcoin at coingecko, the only coin of that symbol",)


def test_a_symbol_that_several_coins_have_is_none_of_them(wire):
    unknown(wire, "btc")
    found(wire, ("bitcoin", "Bitcoin", "BTC", 1), ("batcat", "batcat", "btc", None), ("bitcoin-cash", "x", "BCH", 18))
    with pytest.raises(UnknownSymbol, match="2 coins at coingecko are traded as btc") as caught:
        fetched("btc")
    assert caught.value.hint == "one of coingecko:bitcoin (Bitcoin, rank 1), coingecko:batcat (batcat)"


def test_a_coin_that_cannot_be_typed_makes_a_symbol_ambiguous_all_the_same():
    body = json.dumps({"coins": [{"id": i, "name": "N", "symbol": "btc"} for i in ("bitcoin", "../x?y")]}).encode()
    with pytest.raises(UnknownSymbol) as caught:
        only_coin(Leg("coingecko", "btc"), coins(BITCOIN, body))
    assert caught.value.hint == "one of coingecko:bitcoin (N)"


def test_at_most_five_candidates_are_named(wire):
    unknown(wire, "cat")
    found(wire, *((f"cat-{n}", "\x1b[31mCat", "CAT", n) for n in range(1, 9)))
    with pytest.raises(UnknownSymbol) as caught:
        fetched("cat")
    assert caught.value.hint.count("coingecko:") == 5
    assert is_clean(caught.value.hint)


def test_what_is_like_an_unknown_word_is_offered(wire):
    unknown(wire, "bitcon")
    found(wire, ("bitconnect", "BitConnect", "BCC", None))
    with pytest.raises(UnknownSymbol, match="as an id and as a symbol") as caught:
        fetched("bitcon")
    assert caught.value.hint == "perhaps coingecko:bitconnect (BitConnect)"


@pytest.mark.parametrize(
    ("status", "body"), [(404, '{"error": "Not Found"}'), (200, "<html>"), (200, '{"coins": [1]}'), (403, "")]
)
def test_where_there_is_no_searching_a_coin_is_just_unknown(wire, status, body):
    unknown(wire, "btc")
    wire.serves(HOST, SEARCH, body, status=status, kind=JSON)
    with pytest.raises(UnknownSymbol, match=r"coingecko:btc: unknown to coingecko$"):
        fetched("btc")


def test_a_throttled_search_says_nothing_of_the_symbol(wire):
    unknown(wire, "btc")
    wire.serves(HOST, SEARCH, json.dumps(THROTTLED), status=429, kind=JSON, **{"Retry-After": "60"})
    with pytest.raises(RateLimited) as caught:
        fetched("btc")
    assert caught.value.retry_after == 60


def test_the_coin_that_is_held_is_asked_for_by_its_id(wire):
    served(wire)
    answer = fetched("btc", known=Facts(identity="bitcoin", name="Bitcoin"))
    assert (answer.series.facts.identity, answer.series.facts.name) == ("bitcoin", "Bitcoin")
    assert [asked.path for asked in wire.requests] == [CHART.format("bitcoin")]


@pytest.mark.parametrize("identity", ["../../ping", "a/b", "BITCOIN?x", "", "\x00"])
def test_an_identity_that_is_no_id_reaches_no_url(wire, identity):
    served(wire)
    fetched(known=Facts(identity=identity))
    assert [asked.path for asked in wire.requests] == [CHART.format("bitcoin")]


def test_another_coin_never_takes_the_place_of_the_one_that_is_held(wire, tmp_path):
    leg, cache = Leg("coingecko", "luna"), Cache(tmp_path / "prices.db")
    unknown(wire, "luna")
    served(wire, "terra-luna")
    found(wire, ("terra-luna", "Terra", "LUNA", 9))
    before = Desk(cache, Policy(NOW)).history(leg).series
    unknown(wire, "terra-luna")
    served(wire, "terra-luna-2", daily(price=1.0))
    found(wire, ("terra-luna-2", "Terra", "LUNA", 99))
    with pytest.raises(WrongAnswer, match="held is terra-luna"):
        fetched("luna", known=before.facts)
    after = Desk(cache, Policy(NOW, refresh=True)).history(leg)
    assert "terra-luna-2" in after.provenance.stale
    assert (after.series.closes == before.closes).all()
    assert after.series.facts.identity == "terra-luna"


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("429", RateLimited),
        ("429 retry-after", RateLimited),
        ("403", ConnectionRefused),
        ("500", ProviderDown),
        ("503", ProviderDown),
        ("web page", GarbledAnswer),
        ("garbage", GarbledAnswer),
        ("empty body", EmptyAnswer),
        ("half a body", CutShort),
        ("other json", GarbledAnswer),
        ("truncated", SourceError),
        ("reset", SourceError),
        ("proxy refuses", ConnectionRefused),
        ("hang", TimedOut),
    ],
)
def test_a_fault_is_one_of_our_errors_and_loses_no_row(wire, tmp_path, fault, error):
    served(wire)
    cache = Cache(tmp_path / "prices.db")
    policy = Policy(NOW, deadline=1.0 if fault == "hang" else 20.0)
    before = Desk(cache, policy).history(BITCOIN).series
    wire.breaks(fault, only=HOST)
    with pytest.raises(error) as caught:
        fetched(key=DEMO, deadline=policy.deadline)
    assert caught.value.message.startswith("coingecko:bitcoin: ")
    assert CANARY not in caught.value.message + caught.value.hint
    history = Desk(cache, policy._replace(refresh=True)).history(BITCOIN)
    assert history.provenance.stale
    assert (history.series.closes == before.closes).all()
    assert (history.series.dates == before.dates).all()


def test_one_deadline_bounds_all_that_is_asked(wire):
    unknown(wire, "btc")
    wire.breaks("hang", only=SEARCH)
    with pytest.raises(TimedOut):
        fetched("btc", deadline=1.0)


def test_what_is_held_grows_by_what_is_new(wire, tmp_path):
    cache, served_at = Cache(tmp_path / "prices.db"), []

    def page(asked):
        served_at.append(int(asked.query["days"]))
        today = date(2026, 11, 20 + len(served_at))
        now = instant(f"{today} 12:00")
        return 200, JSON, json.dumps(daily(today, min(served_at[-1], 300), now)).encode(), {}

    wire.serves(HOST, CHART.format("bitcoin"), page)
    lengths = []
    for day in (21, 22, 23):
        series = Desk(cache, Policy(instant(f"2026-11-{day} 12:00"))).history(BITCOIN).series
        assert (np.diff(series.dates) == np.timedelta64(1, "D")).all()
        lengths.append(len(series))
    assert served_at == [365, 19, 19]
    assert lengths == [300, 301, 302]


# ---------------------------------------------------------------- fuzz

FUZZ = settings(database=None, suppress_health_check=list(HealthCheck))
# Each payload is made of a seed, which is much quicker than to draw it piece by piece.
SEEDS = st.integers(0, 2**63).map(Random)
STAMPS = [0, -1, 10**15, 10**30, 1.5, None, "x", True, 10**400]
PRICES = [float("inf"), "1", False, 10**400, [], {}]
LEAVES = [None, True, 0, -1.5, 429, 10012, 10005, 10002, "", "coin not found", "\x1b", "btc"]
KEYS = ["prices", "error", "status", "error_code", "error_message", "coins", "id", "symbol", "name", "market_cap_rank"]


def a_point(draw):
    midnight = ms("2026-11-22 00:00") - draw.randrange(-3, 30) * 86_400_000
    stamp = midnight + draw.choice((0, 0, draw.randrange(-400_000, 400_000), 10**14, -(10**14)))
    if draw.random() < 0.02:
        return [draw.choice(STAMPS), draw.choice(PRICES)]
    return [stamp, draw.choice((draw.uniform(0.01, 1e5), draw.uniform(0.01, 1e5), None, 0, -1, float("nan"), 1e300))]


def some_json(draw, depth=4):
    kind = 3 if depth == 4 else draw.randrange(4) if depth else 0
    if kind == 0:
        return draw.choice(LEAVES)
    if kind == 1:
        return [some_json(draw, depth - 1) for _ in range(draw.randrange(4))]
    return {key: some_json(draw, depth - 1) for key in draw.sample(KEYS, draw.randrange(1, 5))}


def damaged(draw, whole):
    body = bytearray(whole)
    for _ in range(draw.randrange(1, 4)):
        at, usual = draw.randrange(len(body) + 1), draw.random() < 0.7
        body[at : at + draw.randrange(3 if usual else 10)] = (
            bytes(draw.choices(b"0123456789-.,[]", k=draw.randrange(3))) if usual else draw.randbytes(draw.randrange(5))
        )
    return bytes(body[: len(body) if draw.random() < 0.8 else draw.randrange(len(body) + 1)])


def holds_the_contract(body, status=200):
    try:
        answer = answered(body, status=status, key=DEMO)
    except SourceError as refused:
        error = refused
    else:
        is_kept(answer)
        return
    assert error.message.startswith("coingecko:bitcoin: ")
    assert is_clean(error.message + error.hint)


def is_kept(answer):
    series = answer.series
    assert len(series) > 0
    assert series.dates[-1] <= np.datetime64("2026-11-21")
    assert ((series.closes > 0) & (series.closes < 1e15)).all()
    assert series.quote is None or (series.quote.price > 0 and NOW - 86_400 < series.quote.at <= NOW)
    assert (answer.expected >= series.dates[0]).all()
    assert all(map(is_clean, answer.remarks))


@settings(FUZZ, max_examples=2000)
@given(SEEDS)
def test_any_points_are_read_or_refused(draw):
    points = [a_point(draw) for _ in range(draw.randrange(16))]
    holds_the_contract(json.dumps({"prices": points}).encode())


@settings(FUZZ, max_examples=1500)
@given(SEEDS)
def test_any_damage_is_survived(draw):
    holds_the_contract(damaged(draw, json.dumps(daily(count=8)).encode()))


@settings(FUZZ, max_examples=1500)
@given(SEEDS, st.sampled_from([200, 400, 401, 403, 404]))
def test_any_json_is_survived(draw, status):
    body = json.dumps(some_json(draw)).encode()
    holds_the_contract(body, status)
    try:
        only_coin(BITCOIN, coins(BITCOIN, body))
    except SourceError as refused:
        error = refused
    else:
        return
    assert error.message.startswith("coingecko:bitcoin: ")
    assert is_clean(error.message + error.hint)


@settings(FUZZ, max_examples=500)
@given(st.binary(max_size=200), st.sampled_from([200, 400, 404]))
def test_any_bytes_are_survived(body, status):
    holds_the_contract(body, status)
