"""Cboe's files, in the shapes in which they were recorded, and in all others."""

from dataclasses import replace
from datetime import date, timedelta
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.wire import clock, instant, weekdays

from pairwatch.cache import Cache
from pairwatch.clocks import hours_apart
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
from pairwatch.sources import Request
from pairwatch.sources.cboe import Cboe, parse, read
from pairwatch.sources.http import Answer
from pairwatch.text import is_clean

HOST, PATH = "cdn.cboe.com", "/api/global/us_indices/daily_prices/{}_History.csv"
VIX, SKEW = Leg("cboe", "VIX"), Leg("cboe", "SKEW")
SUNDAY = instant("2026-11-22 12:00")
TODAY = date(2026, 11, 22)
FIVE, TWO = "DATE,OPEN,HIGH,LOW,CLOSE", "DATE,SKEW"
DENIED = """<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>{}</Code><Message>Access Denied</Message></Error>"""


def five(*rows, header=FIVE, end="\n"):
    """A file of five columns with these days (month/day/year) and closes."""
    return end.join([header, *(f"{day},20.000000,99.000000,1.000000,{close}" for day, close in rows), ""]).encode()


def good(*days):
    return five(*((f"{day:%m/%d/%Y}", f"{15 + n / 8:.6f}") for n, day in enumerate(days)))


DAYS = weekdays(date(2026, 11, 20), 10)


def answered(body, now=SUNDAY, leg=VIX, status=200):
    data = body.encode() if isinstance(body, str) else body
    return read(Request(leg, now), Answer(status, "text/csv", data))


def closes(fetched):
    return dict(zip(fetched.series.dates.astype(str).tolist(), fetched.series.closes.tolist(), strict=True))


# ---------------------------------------------------------------- what is read


def test_the_close_is_the_last_of_five_columns():
    assert closes(answered(five(("11/19/2026", "15.570000"), ("11/20/2026", "16.130000")))) == {
        "2026-11-19": 15.57,
        "2026-11-20": 16.13,
    }


def test_a_file_of_two_columns_names_its_index():
    assert closes(answered(f"{TWO}\n11/20/2026,142.63\n", leg=SKEW)) == {"2026-11-20": 142.63}


def test_a_file_of_two_columns_for_another_index_is_a_wrong_answer():
    with pytest.raises(WrongAnswer, match=r"cboe:VIX: cboe answered for SKEW instead"):
        answered(f"{TWO}\n11/20/2026,142.63\n")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("header", [FIVE, FIVE.lower(), "Date,Open,High,Low,Close", "DATE, OPEN, HIGH, LOW, CLOSE"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_cases_and_marks_do_not_matter(end, header, mark):
    body = mark + five(("11/19/2026", "15.5"), ("11/20/2026", "16.5"), header=header, end=end)
    assert closes(answered(body)) == {"2026-11-19": 15.5, "2026-11-20": 16.5}


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("01/02/90", "1990-01-02"),
        ("1/2/90", "1990-01-02"),
        ("12/31/99", "1999-12-31"),
        ("01/03/00", "2000-01-03"),
        ("11/20/26", "2026-11-20"),
        ("02/29/2024", "2024-02-29"),
    ],
)
def test_a_year_of_two_digits_is_the_one_that_can_be(text, day):
    assert parse(VIX, five((text, "17.24")), TODAY).days.astype(str).tolist() == [day]


@pytest.mark.parametrize(
    "text", ["02/30/2026", "13/01/2026", "2026-11-20", "20/11/2026", "11/20/1926", "11/20/28", "11/20/026", "x", ""]
)
def test_a_day_that_cannot_be_is_no_row(text):
    table = parse(VIX, five((text, "99"), ("11/19/2026", "15"), ("11/20/2026", "16")), TODAY)
    assert table.days.astype(str).tolist() == ["2026-11-19", "2026-11-20"]
    assert table.remarks == ("1 row of cboe's file cannot be read, left out",)


def test_a_day_to_come_is_left_out_and_said():
    table = parse(VIX, five(("11/20/2026", "16"), ("11/24/2026", "17"), ("12/31/26", "18")), TODAY)
    assert table.days.astype(str).tolist() == ["2026-11-20"]
    assert table.remarks == ("days in the future left out: 2026-11-24, 2026-12-31",)


@pytest.mark.parametrize("text", ["0", "0.000000", "-15.2", "1580000000"])
def test_an_impossible_close_is_left_out_and_said(text):
    fetched = answered(five(("11/19/2026", text), ("11/20/2026", "16")))
    assert closes(fetched) == {"2026-11-20": 16}
    assert fetched.remarks == ("impossible closes left out: 2026-11-19",)


@pytest.mark.parametrize("text", ["", ".", "-", "NaN", "N/A"])
def test_a_day_without_a_close_is_a_hole(text):
    fetched = answered(five(("11/18/2026", "15"), ("11/19/2026", text), ("11/20/2026", "16")))
    assert closes(fetched) == {"2026-11-18": 15, "2026-11-20": 16}
    assert fetched.remarks == ("days without a close: 2026-11-19",)
    assert np.datetime64("2026-11-19") in fetched.expected


@pytest.mark.parametrize("text", ["1_6", "0x10", "inf", "1e3", "16,5", "١٦", "16 17"])
def test_what_is_no_plain_number_is_no_close(text):
    fetched = answered(five(("11/18/2026", "15"), ("11/19/2026", text), ("11/20/2026", "16")))
    assert closes(fetched) == {"2026-11-18": 15, "2026-11-20": 16}
    assert fetched.remarks == ("1 row of cboe's file cannot be read, left out",)


def test_rows_are_sorted_and_repeated_ones_count_once():
    body = five(("11/20/2026", "16"), ("11/18/2026", "14"), ("11/19/2026", "15"), ("11/20/2026", "16.0"))
    fetched = answered(body)
    assert closes(fetched) == {"2026-11-18": 14, "2026-11-19": 15, "2026-11-20": 16}
    assert fetched.remarks == ()


def test_a_day_with_two_different_closes_has_none():
    fetched = answered(five(("11/19/2026", "15"), ("11/20/2026", "16"), ("11/20/2026", "17")))
    assert closes(fetched) == {"2026-11-19": 15}
    assert fetched.remarks == ("days with two different closes left out: 2026-11-20",)


@pytest.mark.parametrize("lost", [1, 2, 4, 7, 9, 10, 20, 34])
def test_a_row_that_has_lost_its_end_is_not_believed(lost):
    body = five(("11/19/2026", "15.570000"), ("11/20/2026", "16.130000"))[:-1]
    fetched = answered(body[:-lost])
    assert closes(fetched) == {"2026-11-19": 15.57}
    assert fetched.remarks == ("cboe's file ends in the middle of its last row, left out",)


def test_a_last_row_that_is_whole_needs_no_line_end():
    body = five(("11/19/2026", "15.570000"), ("11/20/2026", "16.130000"))[:-1]
    assert closes(answered(body)) == {"2026-11-19": 15.57, "2026-11-20": 16.13}


def test_a_single_row_that_may_have_lost_its_end_is_cut_short():
    with pytest.raises(CutShort):
        answered(f"{TWO}\n11/20/2026,14", leg=SKEW)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", EmptyAnswer),
        (b"\r\n \r\n", EmptyAnswer),
        (b"DATE,OPEN,HIGH,LOW,CLOSE\r\n", EmptyAnswer),
        (b"<!DOCTYPE html><html></html>", GarbledAnswer),
        (b"\xff\xfe\x00garbage", GarbledAnswer),
        (b"DATE,OPEN,HIGH,LOW\n11/20/2026,1,2,3\n", GarbledAnswer),
        (b"DATE,CLOSE,CLOSE\n11/20/2026,1,2\n", GarbledAnswer),
        (b"DATE\n11/20/2026\n", GarbledAnswer),
        (b'{"error": "no"}', GarbledAnswer),
        (five(("x", "1"), ("y", "2"), ("11/20/2026", "16")), GarbledAnswer),
        (five(("11/20/2026", "0")), EmptyAnswer),
        (DENIED.format("SlowDown").encode(), GarbledAnswer),
    ],
)
def test_what_is_no_file_is_an_error_that_begins_with_the_leg(body, error):
    with pytest.raises(error) as caught:
        answered(body)
    assert caught.value.message.startswith("cboe:VIX: ")
    assert is_clean(caught.value.message)


@pytest.mark.parametrize("status", [403, 404, 200])
@pytest.mark.parametrize("code", ["AccessDenied", "NoSuchKey"])
def test_a_name_that_the_bucket_does_not_hold_is_an_unknown_symbol(status, code):
    with pytest.raises(UnknownSymbol, match=r"cboe:VIX: unknown to cboe") as caught:
        answered(DENIED.format(code), status=status)
    assert "cboe:VIX" in caught.value.hint


@pytest.mark.parametrize("status", [401, 403, 407])
def test_a_refusal_without_the_buckets_words_says_nothing_of_the_symbol(status):
    with pytest.raises(ConnectionRefused):
        answered("<html>Blocked by your company</html>", status=status)


# ---------------------------------------------------------------- what is known


def test_a_volatility_index_is_a_level_that_closes_at_a_quarter_past_three_in_chicago_told_by_new_yorks_clock():
    facts = answered(good(*DAYS)).series.facts
    assert (facts.name, facts.measure, facts.unit, facts.currency) == ("Cboe Volatility Index", "level", "points", "")
    assert (facts.kind, facts.exchange, facts.timezone, facts.closes_at) == ("INDEX", "CBOE", "America/New_York", 975)
    assert not facts.every_day
    utc = Facts(timezone="UTC", closes_at=0)
    for day in ("2026-01-15", "2026-03-09", "2026-07-15", "2026-11-02"):
        own = np.array([day], "M8[D]")
        chicago = replace(facts, timezone="America/Chicago", closes_at=15 * 60 + 15)
        assert hours_apart(facts, utc, own) == hours_apart(chicago, utc, own)


@pytest.mark.parametrize(
    ("name", "measure"),
    [
        *[(name, "level") for name in ("VIX", "VVIX", "SKEW", "VIX9D", "COR1M", "NEW")],
        *[(name, "index") for name in ("SPX", "RUT", "BXM", "PUT")],
    ],
)
def test_only_shares_and_strategies_can_be_followed(name, measure):
    facts = answered(f"DATE,{name}\n11/20/2026,142.63\n", leg=Leg("cboe", name)).series.facts
    assert (facts.measure, facts.unit) == (measure, "points")


def test_of_another_index_the_time_of_its_close_is_not_claimed():
    assert answered(f"{TWO}\n11/20/2026,142.63\n", leg=SKEW).series.facts.closes_at is None
    assert answered("DATE,NEW\n11/20/2026,142.63\n", leg=Leg("cboe", "NEW")).series.facts.name == "NEW"


def test_a_row_of_an_open_session_is_no_close():
    body = good(*weekdays(date(2026, 11, 20), 3))
    noon, settling, settled = (instant(f"2026-11-20 {at}", "America/Chicago") for at in ("12:00", "15:20", "15:31"))
    for now in (noon, settling):
        assert closes(answered(body, now)).keys() == {"2026-11-18", "2026-11-19"}
    assert "2026-11-20" in closes(answered(body, settled))


def test_a_row_of_a_day_without_a_session_is_none_while_that_day_lasts():
    assert closes(answered(five(("11/20/2026", "16"), ("11/22/2026", "17")))) == {"2026-11-20": 16}


def test_half_a_session_is_over_earlier():
    body = good(date(2026, 11, 25), date(2026, 11, 27))
    assert "2026-11-27" not in closes(answered(body, instant("2026-11-27 12:25", "America/Chicago")))
    assert "2026-11-27" in closes(answered(body, instant("2026-11-27 12:31", "America/Chicago")))


def test_until_the_row_of_the_evening_is_there_asking_again_is_worth_it_and_nothing_is_missing():
    evening = instant("2026-11-20 16:00", "America/Chicago")
    fetched = answered(good(*DAYS[:-1]), evening)
    assert fetched.fresh_until == evening
    assert clock(fetched.expected.tolist()) == clock(DAYS[:-1])


def test_a_row_that_is_not_there_the_next_day_is_a_hole():
    fetched = answered(good(*DAYS[:-1]))
    assert fetched.fresh_until == SUNDAY
    assert clock(fetched.expected.tolist()) == clock(DAYS)


def test_nothing_new_comes_before_the_next_session_is_over():
    over = instant("2026-11-23 15:30", "America/Chicago")
    for now in (SUNDAY, instant("2026-11-23 12:00", "America/Chicago")):
        assert answered(good(*DAYS), now).fresh_until == over


def test_the_whole_history_comes_whatever_is_asked_for():
    request = Request(VIX, SUNDAY, since=date(2026, 11, 19))
    fetched = read(request, Answer(200, "text/csv", good(*DAYS)))
    assert fetched.since is None
    assert len(fetched.series) == len(DAYS)


# ---------------------------------------------------------------- through the wire


def served(wire, days=DAYS, name="VIX"):
    wire.serves(HOST, PATH.format(name), good(*days), kind="text/csv")


def fetched(leg=VIX, **more):
    return Cboe().fetch(Request(leg, SUNDAY, **more))


def test_one_request_brings_an_index(wire):
    served(wire)
    assert len(fetched().series) == len(DAYS)
    assert [(asked.host, asked.path, asked.query) for asked in wire.requests] == [(HOST, PATH.format("VIX"), {})]


def test_an_unknown_name_is_said(wire):
    wire.serves(HOST, PATH.format("NOPE"), DENIED.format("AccessDenied"), status=403, kind="application/xml")
    with pytest.raises(UnknownSymbol, match="cboe:NOPE: unknown to cboe"):
        fetched(Leg("cboe", "NOPE"))


def test_a_name_that_is_none_is_not_asked_for(wire):
    with pytest.raises(UnknownSymbol) as caught:
        fetched(Leg("cboe", "^VIX"))
    assert caught.value.hint == "cboe:VIX"
    assert wire.requests == []


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("429", RateLimited),
        ("403", ConnectionRefused),
        ("500", ProviderDown),
        ("503", ProviderDown),
        ("web page", GarbledAnswer),
        ("garbage", GarbledAnswer),
        ("empty body", EmptyAnswer),
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
    policy = Policy(SUNDAY, deadline=1.0 if fault == "hang" else 20.0)
    before = Desk(cache, policy).history(VIX).series
    wire.breaks(fault, only=HOST)
    with pytest.raises(error) as caught:
        Cboe().fetch(Request(VIX, SUNDAY, deadline=policy.deadline))
    assert caught.value.message.startswith("cboe:VIX: ")
    history = Desk(cache, policy._replace(refresh=True)).history(VIX)
    assert history.provenance.stale
    assert (history.series.closes == before.closes).all()
    assert (history.series.dates == before.dates).all()


def test_a_close_that_the_file_no_longer_holds_is_kept(wire):
    first = answered(good(*DAYS))
    held = merge(None, first).holding
    later = answered(good(*(day for day in DAYS if day != DAYS[4])))
    merged = merge(held, later)
    assert len(merged.holding.series) == len(DAYS)
    assert str(DAYS[4]) in " ".join(merged.remarks)


# ---------------------------------------------------------------- fuzz

# Each payload is made of a seed, which is much quicker than to draw it piece by piece.
SEEDS = st.integers(0, 2**63).map(Random)
CELLS = [
    "",
    "16.13",
    "0",
    "-1",
    "nan",
    "1e400",
    "9" * 400,
    '"',
    "11/20/2026",
    "02/29/23",
    "é\u2028",
    "1/1/1",
    "\0",
    ";",
]
HEADERS = [*[FIVE] * 6, *[FIVE.lower()] * 3, "DATE,VIX", "DATE,SKEW", "DATE,CLOSE", "DATE,,", "close,date", ""]


def a_row(draw):
    if draw.random() < 0.8:
        day = TODAY - timedelta(days=draw.randrange(-10, 400))
        return f"{day:{draw.choice(('%m/%d/%Y', '%m/%d/%y'))}},1,2,3,{draw.uniform(-1, 99):.6f}"
    return ",".join(draw.choices(CELLS, k=draw.randrange(7)))


def a_file(draw):
    rows = [a_row(draw) for _ in range(draw.randrange(12))]
    text = draw.choice(("\n", "\r\n", "\r", "\n", "\x0b")).join([draw.choice(HEADERS), *rows, ""])
    return (draw.choice(("", "\ufeff")) + text).encode()[draw.random() < 0.1 :]


def damaged(draw, whole):
    body = bytearray(whole)
    for _ in range(draw.randrange(1, 5)):
        at, usual = draw.randrange(len(body) + 1), draw.random() < 0.7
        body[at : at + draw.randrange(10)] = (
            bytes(draw.choices(b"0123456789-.,/\n", k=draw.randrange(5)))
            if usual
            else draw.randbytes(draw.randrange(5))
        )
    return bytes(body[: len(body) if draw.random() < 0.8 else draw.randrange(len(body) + 1)])


def holds_the_contract(body, status=200):
    try:
        answer = answered(body, status=status)
    except SourceError as refused:
        error = refused
    else:
        is_kept(answer)
        return
    assert error.message.startswith("cboe:VIX: ")
    assert is_clean(error.message + error.hint)


def is_kept(answer):
    series = answer.series
    assert len(series) > 0
    assert series.dates[-1] < np.datetime64("2026-11-22")
    assert ((series.closes > 0) & (series.closes < 1e7)).all()
    assert answer.fresh_until >= SUNDAY
    assert (answer.expected >= series.dates[0]).all()
    assert all(map(is_clean, answer.remarks))


FUZZ = settings(database=None, suppress_health_check=list(HealthCheck))


@settings(FUZZ, max_examples=2500)
@given(SEEDS)
def test_any_file_is_read_or_refused(draw):
    holds_the_contract(a_file(draw))


@settings(FUZZ, max_examples=2500)
@given(SEEDS)
def test_any_damage_is_survived(draw):
    holds_the_contract(damaged(draw, good(*DAYS)))


@settings(FUZZ, max_examples=500)
@given(st.binary(max_size=200), st.sampled_from([200, 200, 400, 403, 404]))
def test_any_bytes_are_survived(body, status):
    holds_the_contract(body, status)
