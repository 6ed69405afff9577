"""FRED: both ages of its CSV, its API, every way in which they fail, and the periods that its dates stand for."""

import json
import os
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.wire import JSON, instant

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
from pairwatch.model import Facts, Leg
from pairwatch.sources import Key, Request, fred
from pairwatch.sources.fred.answers import (
    Described,
    Observations,
    counted_in,
    read_csv,
    read_json,
    read_metadata,
    refusal,
)
from pairwatch.sources.fred_ids import is_no_ticker, known_id
from pairwatch.sources.fred_periods import cadence_of, inferred, period_ends
from pairwatch.text import is_clean

NOW = instant("2026-11-20 18:00", "America/New_York")  # a Friday
SECRET = "abcdefghijklmnopqrstuvwxyz012345"  # noqa: S105 - of nobody
KEY = Key("FRED_API_KEY", SECRET)
EXAMPLES = int(os.environ.get("PAIRWATCH_EXAMPLES", "2500"))  # of each of the two fuzz tests

HOST, API = "fred.stlouisfed.org", "api.stlouisfed.org"
PATH, SERIES, OBSERVATIONS = "/graph/fredgraph.csv", "/fred/series", "/fred/series/observations"
NOT_FOUND = (
    '<!DOCTYPE html><html lang="en"><head><title>Error - St. Louis Fed</title></head><body>Page not found</body>'
)

DAILY = "2026-11-11,\n2026-11-12,4.10\n2026-11-13,4.12\n2026-11-16,4.15\n2026-11-17,4.14\n2026-11-18,4.16\n"
NEW = f"observation_date,DGS10\n{DAILY}"
OLD = "DATE,DGS10\n" + DAILY.replace(",\n", ",.\n", 1)
READ = " Read https://fred.stlouisfed.org/docs/api/api_key.html for more information."
MALFORMED = (
    f"Bad Request.  The value for variable api_key is not a 32 character alpha-numeric lower-case string. {READ}"
)


def leg(symbol="DGS10"):
    return Leg("fred", symbol)


def error_body(message, code=400):
    return json.dumps({"error_code": code, "error_message": message})


def described(symbol="DGS10", units="Percent", frequency="Daily", title="Market Yield"):
    one = {
        "id": symbol,
        "realtime_start": "2026-11-20",
        "realtime_end": "2026-11-20",
        "title": title,
        "frequency": frequency,
        "frequency_short": frequency[:1],
        "units": units,
        "seasonal_adjustment": "Not Seasonally Adjusted",
        "last_updated": "2026-11-19 15:16:02-06",
    }
    return json.dumps({"realtime_start": "2026-11-20", "realtime_end": "2026-11-20", "seriess": [one]})


def listed(rows, count=None, offset=0):
    found = [{"realtime_start": "2026-11-20", "realtime_end": "2026-11-20", "date": d, "value": v} for d, v in rows]
    whole = {"units": "lin", "output_type": 1, "file_type": "json", "offset": offset, "limit": 100000}
    return json.dumps({**whole, "count": len(rows) if count is None else count, "observations": found})


ROWS = [tuple(row.split(",")) for row in OLD.splitlines()[1:]]


def fetch(symbol="DGS10", now=NOW, **more):
    return fred.Fred().fetch(Request(leg(symbol), now, **more))


def days_of(fetched):
    return [str(day) for day in fetched.series.dates]


def monthly(first, count, step=1):
    """The first days of so many months, as FRED dates them."""
    month = np.datetime64(first, "M")
    return [f"{month + at * step}-01" for at in range(count)]


def body_of(symbol, days, values=None):
    cells = values or [f"{100 + at}" for at in range(len(days))]
    return "\n".join([f"observation_date,{symbol}", *(f"{d},{v}" for d, v in zip(days, cells, strict=True)), ""])


# --- the CSV --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        NEW,
        OLD,
        NEW.replace("\n", "\r\n"),
        "\ufeff" + NEW,
        NEW.rstrip(),
        NEW + "\n\n",
        NEW.replace("DGS10", '"DGS10"').replace("2026-11-12,4.10", '"2026-11-12","4.10"'),
        NEW.replace("2026-11-12,4.10\n2026-11-13,4.12\n", "2026-11-13,4.12\n2026-11-12,4.10\n"),
        NEW + "2026-11-18,4.16\n2026-11-11,\n",
    ],
    ids=["new", "old", "crlf", "bom", "no end", "blank lines", "quotes", "unsorted", "repeated"],
)
def test_each_age_and_accident_of_the_csv_gives_the_same_observations(body):
    found = read_csv(leg(), body.encode())
    assert [str(day) for day in found.days] == [row[0] for row in ROWS]
    assert np.isnan(found.values[0])
    assert found.values[1:].tolist() == [4.10, 4.12, 4.15, 4.14, 4.16]


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        (b"", EmptyAnswer, "fred's answer is empty"),
        (b"\xef\xbb\xbf \r\n", EmptyAnswer, "fred's answer is empty"),
        (b"observation_date,DGS10\n", EmptyAnswer, "fred's answer holds no value"),
        (b"observation_date,DGS10\n2026-11-11,\n2026-11-12,.\n", EmptyAnswer, "fred's answer holds no value"),
        (NOT_FOUND.encode(), GarbledAnswer, "fred answered with a web page, not with data"),
        (bytes(range(128, 256)), GarbledAnswer, "fred's answer is not text"),
        (NEW.replace("DGS10", "DGS2").encode(), WrongAnswer, "fred answered for 'DGS2' instead"),
        (b"observation_date,\n2026-11-12,1\n", WrongAnswer, "fred answered for nothing instead"),
        (b"Date,Close,DGS10\n", GarbledAnswer, "does not begin with a date and an id: 'Date,Close,DGS10'"),
        (b"hello", GarbledAnswer, "does not begin with a date and an id: 'hello'"),
        (NEW.encode() + b"2026-11-19,4.1,7\n", GarbledAnswer, "is no date and value: '2026-11-19,4.1,7'"),
        (NEW.encode() + b"2026-11\n", GarbledAnswer, "is no date and value: '2026-11'"),
        (NEW.encode() + b"2026-11-1,4.1\n", GarbledAnswer, "no date in fred's answer: '2026-11-1'"),
        (NEW.encode() + b"2026-02-30,4.1\n", GarbledAnswer, "holds a date that does not exist"),
        (NEW.encode() + b"2026-11-18,4.61\n", GarbledAnswer, "holds two values for 2026-11-18"),
        (NEW.encode() + b"2026-11-11,4.1\n", GarbledAnswer, "holds two values for 2026-11-11"),
        (NEW.encode() + b"2026-11-18,\n", GarbledAnswer, "holds two values for 2026-11-18"),
        (NEW.encode() + b'2026-11-19,"4.1\n', GarbledAnswer, "fred's answer is no CSV"),
        *[
            (NEW.encode() + f"2026-11-19,{cell}\n".encode(), GarbledAnswer, "no number in fred's answer")
            for cell in ('"4,1"', "4_1", "nan", "inf", "1e999", "NA", "0x4", "4.1%", "\u0664", "--4", "\x1b[31m")
        ],
    ],
)
def test_what_is_not_the_csv_of_the_series_is_named(body, kind, said):
    with pytest.raises(SourceError) as caught:
        read_csv(leg(), body)
    assert type(caught.value) is kind
    assert caught.value.message.startswith("fred:DGS10: ")
    assert said in caught.value.message
    assert is_clean(caught.value.message)


# --- through the wire, without a key --------------------------------------------------------------------------------


def serve(wire, symbol="DGS10", body=NEW):
    """Let FRED answer like itself: the rows since `cosd`, and a page for any other id."""

    def page(asked):
        if asked.query.get("id") != symbol:
            return 404, "text/html", NOT_FOUND.encode(), {}
        header, *rows = body.splitlines()
        rows = [row for row in rows if row[:10] >= asked.query.get("cosd", "")]
        return 200, "application/csv", "\n".join([header, *rows, ""]).encode(), {}

    wire.serves(HOST, PATH, page)


def test_a_daily_yield_is_a_rate_in_percent_of_half_past_three_in_new_york(wire):
    serve(wire)
    fetched = fetch()
    assert days_of(fetched) == ["2026-11-12", "2026-11-13", "2026-11-16", "2026-11-17", "2026-11-18"]
    assert fetched.series.closes.tolist() == [4.10, 4.12, 4.15, 4.14, 4.16]
    assert fetched.series.facts == Facts(
        name="US Treasury yield, 10 years",
        measure="rate",
        unit="percent",
        kind="Percent, Daily",
        exchange="FRED",
        timezone="America/New_York",
        closes_at=15 * 60 + 30,
        frequency="day",
    )
    assert (fetched.since, fetched.asked_at, fetched.remarks, len(fetched.expected)) == (None, NOW, (), 0)
    assert [(asked.host, asked.path, asked.query) for asked in wire.requests] == [(HOST, PATH, {"id": "DGS10"})]


def test_a_daily_series_is_asked_for_since_the_day_that_is_wanted(wire):
    serve(wire)
    fetched = fetch(since=date(2026, 11, 16))
    assert fetched.since == date(2026, 11, 16)
    assert days_of(fetched) == ["2026-11-16", "2026-11-17", "2026-11-18"]
    assert fetched.series.facts == fetch().series.facts
    assert wire.requests[0].query == {"id": "DGS10", "cosd": "2026-11-16"}


@pytest.mark.parametrize("symbol", ["UNRATE", "GDP", "XYZ"])
def test_a_slower_or_unknown_series_is_asked_for_whole(wire, symbol):
    step = 3 if symbol == "GDP" else 1
    serve(wire, symbol, body_of(symbol, monthly("2024-01", 12, step)))
    whole, later = fetch(symbol), fetch(symbol, since=date(2024, 11, 16))
    assert (later.since, days_of(later), later.series.facts) == (None, days_of(whole), whole.series.facts)
    assert all("cosd" not in asked.query for asked in wire.requests)


def test_what_an_earlier_answer_told_of_the_frequency_is_used(wire):
    serve(wire, "XYZ", NEW.replace("DGS10", "XYZ"))
    assert fetch("XYZ", since=date(2026, 11, 17), known=Facts(frequency="day")).since == date(2026, 11, 17)
    assert wire.requests[0].query["cosd"] == "2026-11-17"


def test_an_unknown_id_is_a_page_that_is_not_found(wire):
    serve(wire)
    with pytest.raises(UnknownSymbol, match=r"^fred:NOPE: unknown to fred$") as caught:
        fetch("NOPE")
    assert "fred.stlouisfed.org" in caught.value.hint


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("429", RateLimited),
        ("429 retry-after", RateLimited),
        ("403", ConnectionRefused),
        ("500", ProviderDown),
        ("503", ProviderDown),
        ("web page", GarbledAnswer),
        ("garbage", GarbledAnswer),
        ("other json", GarbledAnswer),
        ("half a body", GarbledAnswer),
        ("empty body", EmptyAnswer),
        ("truncated", CutShort),
        ("hang", TimedOut),
    ],
)
@pytest.mark.parametrize("key", [None, KEY], ids=["keyless", "key"])
def test_each_fault_is_an_error_of_its_own_that_begins_with_the_leg(wire, fault, kind, key):
    serve(wire)
    wire.breaks(fault)
    with pytest.raises(SourceError) as caught:
        fetch(deadline=1.0, key=key)
    expected = CutShort if key and fault == "half a body" else kind
    assert type(caught.value) is expected, caught.value.message
    assert caught.value.message.startswith("fred:DGS10: ")
    assert SECRET not in caught.value.message + caught.value.hint
    assert is_clean(caught.value.message)
    assert getattr(caught.value, "retry_after", None) == (120.0 if fault == "429 retry-after" else None)


def test_an_id_of_which_nothing_is_known_is_a_level_and_said_so(wire):
    serve(wire, "XYZ", body_of("XYZ", monthly("2024-01", 6)))
    fetched = fetch("XYZ")
    facts = fetched.series.facts
    assert (facts.measure, facts.unit, facts.frequency, facts.name) == ("level", "", "month", "XYZ")
    assert "`--unit fred:XYZ=rate`" in " ".join(fetched.remarks)
    assert "FRED_API_KEY" in " ".join(fetched.remarks)


# --- periods --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cadence", "first", "last"),
    [
        ("month", "2024-01-01", "2024-01-31"),
        ("month", "2024-02-01", "2024-02-29"),
        ("month", "2100-02-01", "2100-02-28"),
        ("month", "2026-12-01", "2026-12-31"),
        ("quarter", "2024-10-01", "2024-12-31"),
        ("quarter", "2023-02-01", "2023-04-30"),
        ("half-year", "2024-07-01", "2024-12-31"),
        ("year", "2024-01-01", "2024-12-31"),
        ("year", "2023-10-01", "2024-09-30"),
        ("year", "2024-09-30", "2024-09-30"),
        ("week", "2024-01-05", "2024-01-05"),
        ("day", "2024-01-01", "2024-01-01"),
        ("", "2024-01-01", "2024-01-01"),
    ],
)
def test_a_value_is_dated_by_the_last_day_of_its_period(cadence, first, last):
    assert [str(day) for day in period_ends(np.array([first], "M8[D]"), cadence)] == [last]


@given(
    first=st.integers(0, 3000),
    count=st.integers(1, 60),
    cadence=st.sampled_from(["month", "quarter", "half-year", "year"]),
)
def test_periods_follow_each_other_without_a_gap(first, count, cadence):
    months = {"month": 1, "quarter": 3, "half-year": 6, "year": 12}[cadence]
    starts = (np.datetime64("1800-01") + first + np.arange(count + 1) * months).astype("M8[D]")
    ends = period_ends(starts[:-1], cadence)
    assert (ends + 1 == starts[1:]).all()
    assert inferred(starts) == (cadence if count >= 3 else "")


@pytest.mark.parametrize(
    ("days", "cadence", "said"),
    [
        (["2024-01-01", "2024-02-15"], "month", "some periods are dated by their first day"),
        (["2024-01-01", "2024-02-01"], "quarter", "closer together than a quarter"),
    ],
)
def test_days_that_no_such_period_begins_with_are_refused(days, cadence, said):
    with pytest.raises(ValueError, match=said):
        period_ends(np.array(days, "M8[D]"), cadence)


@pytest.mark.parametrize(
    ("days", "cadence"),
    [
        (["2026-11-12", "2026-11-13", "2026-11-16", "2026-11-17"], "day"),
        (["2026-11-14", "2026-11-15", "2026-11-16", "2026-11-17"], "day"),
        (["2026-10-29", "2026-11-05", "2026-11-12", "2026-11-19"], "week"),
        (["2025-11-13", "2025-11-20", "2025-11-26", "2025-12-04", "2025-12-11"], "week"),
        (["2026-10-07", "2026-10-21", "2026-11-04", "2026-11-18"], "fortnight"),
        (["2026-11-25", "2026-11-27", "2026-11-30", "2026-12-01"], "day"),
        (["2026-11-06", "2026-11-09", "2026-11-13", "2026-11-16"], ""),
        (["2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30"], "month"),
        (["2023-09-30", "2024-09-30", "2025-09-30", "2026-09-30"], "year"),
        (["2000-01-01", "2005-01-01", "2010-01-01", "2015-01-01"], ""),
        (["2024-01-01", "2024-02-01", "2024-03-01"], ""),
        ([], ""),
    ],
)
def test_the_days_show_their_frequency_where_it_is_a_plain_one(days, cadence):
    assert inferred(np.array(days, "M8[D]")) == cadence


@pytest.mark.parametrize(
    ("now", "last"),
    [
        ("2026-10-31 23:59", "2026-09-30"),  # October is over at midnight in New York, not in London
        ("2026-11-01 00:01", "2026-10-31"),
        ("2026-11-30 23:00", "2026-10-31"),
        ("2026-12-01 00:01", "2026-11-30"),
    ],
)
def test_a_month_that_is_not_over_in_new_york_is_left_out_without_a_word(wire, now, last):
    days = [day for day in monthly("2026-05", 7) if day <= now[:10]]
    serve(wire, "UNRATE", body_of("UNRATE", days))
    fetched = fetch("UNRATE", now=instant(now, "America/New_York"))
    assert (days_of(fetched)[-1], fetched.remarks) == (last, ())
    assert (fetched.series.facts.frequency, fetched.series.facts.every_day) == ("month", False)


def test_the_value_of_today_is_not_finished(wire):
    serve(wire, body=NEW + "2026-11-19,4.2\n2026-11-20,4.3\n")
    assert days_of(fetch())[-1] == "2026-11-19"


def test_values_of_the_future_are_left_out_and_said(wire):
    serve(wire, "GDPPOT", body_of("GDPPOT", monthly("2025-07", 8, 3)))
    fetched = fetch("GDPPOT")
    assert days_of(fetched) == ["2025-09-30", "2025-12-31", "2026-03-31", "2026-06-30", "2026-09-30"]
    assert fetched.remarks == ("2 values of the future left out, from 2027-01-01 on",)


def test_nothing_but_an_unfinished_period_is_an_empty_answer(wire):
    serve(wire, "GDP", "observation_date,GDP\n2026-10-01,31000\n")
    with pytest.raises(EmptyAnswer, match="no value of a finished period"):
        fetch("GDP")


def test_days_that_contradict_the_frequency_are_refused(wire):
    serve(wire, "GDP", "observation_date,GDP\n2026-01-01,1\n2026-02-01,2\n")
    with pytest.raises(GarbledAnswer, match="not those of its frequency: values are closer together than a quarter"):
        fetch("GDP")


def test_the_days_outvote_the_table(wire):
    serve(wire, "GDP", body_of("GDP", monthly("2026-01", 6)))
    assert fetch("GDP").series.facts.frequency == "month"


def test_only_the_value_of_a_day_has_a_moment(wire):
    serve(wire, "DGS10", body_of("DGS10", monthly("2026-01", 6)))
    facts = fetch().series.facts
    assert (facts.frequency, facts.closes_at) == ("month", None)


def test_a_week_keeps_the_day_it_ends_on(wire):
    days = ["2026-10-29", "2026-11-05", "2026-11-12", "2026-11-19"]
    serve(wire, "MORTGAGE30US", body_of("MORTGAGE30US", days))
    fetched = fetch("MORTGAGE30US", since=date(2026, 11, 1))
    assert (days_of(fetched), fetched.series.facts.frequency) == (days[1:], "week")
    assert fetched.series.facts.name == "US mortgage rate, 30 years"


def test_a_series_of_all_seven_days_says_so(wire):
    days = [str(date(2026, 11, 1) + timedelta(days=at)) for at in range(19)]
    serve(wire, "CBBTCUSD", body_of("CBBTCUSD", days))
    facts = fetch("CBBTCUSD").series.facts
    assert (facts.every_day, facts.measure, facts.currency, facts.unit) == (True, "price", "USD", "")


# --- freshness ------------------------------------------------------------------------------------------------------


def hours_fresh(wire, newest, now, symbol="DGS10"):
    days = [str(date.fromisoformat(newest) - timedelta(days=at)) for at in range(7)][::-1]
    every_day = symbol == "CBBTCUSD"
    days = [day for day in days if every_day or date.fromisoformat(day).weekday() < 5]
    serve(wire, symbol, body_of(symbol, days, [*["1"] * (len(days) - 1), "" if newest == "2026-11-11" else "1"]))
    at = instant(now, "America/New_York")
    return (fetch(symbol, now=at).fresh_until - at) / 3600


@pytest.mark.parametrize(
    ("newest", "now", "hours"),
    [
        ("2026-11-18", "2026-11-20 18:00", 4),  # Thursday's is due
        ("2026-11-19", "2026-11-20 18:00", 6),  # until Friday is over
        ("2026-11-20", "2026-11-21 12:00", 60),  # Saturday: until Monday is over
        ("2026-11-19", "2026-11-21 12:00", 4),  # Saturday, and Friday's is due
        ("2026-11-11", "2026-11-12 12:00", 12),  # a holiday is listed without a value
    ],
)
def test_a_daily_series_is_asked_again_when_a_weekdays_value_is_due(wire, newest, now, hours):
    assert hours_fresh(wire, newest, now) == hours


def test_weekends_count_where_there_are_values_on_them(wire):
    assert hours_fresh(wire, "2026-11-20", "2026-11-22 12:00", "CBBTCUSD") == 4
    assert hours_fresh(wire, "2026-11-21", "2026-11-22 12:00", "CBBTCUSD") == 12


def test_the_hour_of_a_clock_change_is_no_hour_of_freshness(wire):
    assert hours_fresh(wire, "2026-10-30", "2026-10-31 12:00") == 61  # to Tuesday's midnight, over the long night


def test_a_slower_series_is_asked_again_after_a_day(wire):
    serve(wire, "UNRATE", body_of("UNRATE", monthly("2026-01", 10)))
    assert fetch("UNRATE").fresh_until == NOW + 86_400


# --- the table ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("symbol", "measure", "unit", "currency", "cadence", "closes_at"),
    [
        ("DGS10", "rate", "percent", "", "day", 930),
        ("DGS3MO", "rate", "percent", "", "day", 930),
        ("DFII10", "rate", "percent", "", "day", 930),
        ("DTB3", "rate", "percent", "", "day", 930),
        ("T10Y2Y", "rate", "percent", "", "day", 930),
        ("T10Y3M", "rate", "percent", "", "day", 930),
        ("T5YIFR", "rate", "percent", "", "day", 930),
        ("T10YFF", "rate", "percent", "", "day", None),
        ("T10Y2YM", "rate", "percent", "", "month", None),
        ("T10YIEM", "rate", "percent", "", "month", None),
        ("GS10", "rate", "percent", "", "month", None),
        ("WGS10YR", "rate", "percent", "", "week", None),
        ("FEDFUNDS", "rate", "percent", "", "month", None),
        ("DFF", "rate", "percent", "", "day", None),
        ("SOFR", "rate", "percent", "", "day", None),
        ("SOFR90DAYAVG", "rate", "percent", "", "day", None),
        ("SOFRINDEX", "index", "points", "", "day", None),
        ("MORTGAGE15US", "rate", "percent", "", "week", None),
        ("BAMLC0A0CM", "rate", "percent", "", "day", None),
        ("BAMLCC0A0CMTRIV", "index", "points", "", "day", None),
        ("UNRATE", "rate", "percent", "", "month", None),
        ("AAA", "rate", "percent", "", "month", None),
        ("DCOILBRENTEU", "price", "dollars per barrel", "USD", "day", None),
        ("GASREGW", "price", "dollars per gallon", "USD", "week", None),
        ("DHHNGSP", "price", "dollars per million btu", "USD", "day", None),
        ("GOLDPMGBD228NLBM", "price", "dollars per troy ounce", "USD", "day", None),
        ("DEXJPUS", "price", "yen per dollar", "", "day", 720),
        ("DEXUSEU", "price", "dollars per euro", "USD", "day", 720),
        ("EXUSUK", "price", "dollars per pound", "USD", "month", None),
        ("AEXSZUS", "price", "francs per dollar", "", "year", None),
        ("VIXCLS", "level", "points", "", "day", 975),
        ("SP500", "index", "points", "", "day", 960),
        ("CPIAUCSL", "level", "points", "", "month", None),
        ("OVXCLS", "level", "points", "", "day", None),
        ("INDPRO", "level", "points", "", "month", None),
        ("NFCI", "level", "points", "", "week", None),
        ("NASDAQNQUS500LC", "index", "points", "", "day", None),
        ("DTWEXBGS", "index", "points", "", "day", None),
        ("PAYEMS", "level", "thousands of persons", "", "month", None),
        ("WALCL", "level", "millions of dollars", "", "week", None),
    ],
)
def test_the_table_knows_what_people_compare(symbol, measure, unit, currency, cadence, closes_at):
    known = known_id(symbol)
    assert known is not None
    found = (known.measure, known.unit, known.currency, known.cadence, known.closes_at)
    assert found == (measure, unit, currency, cadence, closes_at)


@pytest.mark.parametrize("symbol", ["DGS", "QQQ", "DEXXXUS", "dgs10", "DGS10X", "7203", "", "T10Y", "CPI", "DGS10\n"])
def test_the_table_knows_nothing_else(symbol):
    assert known_id(symbol) is None


def test_only_short_ids_without_digits_could_be_tickers():
    assert [name for name in ("AAA", "GDP", "HOUST", "DGS2", "M2SL", "UNRATE") if not is_no_ticker(name)] == [
        "AAA",
        "GDP",
        "HOUST",
    ]


# --- units and frequencies in words ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("units", "counted"),
    [
        ("Percent", ("rate", "percent", "")),
        ("Percent Per Annum", ("rate", "percent", "")),
        ("Percent per Annum", ("rate", "percent", "")),
        ("Percent Change from Year Ago", ("rate", "percent", "")),
        ("Percentage Points", ("rate", "percent", "")),
        ("Basis Points", ("rate", "bp", "")),
        ("Percent of GDP", ("level", "percent of gdp", "")),
        ("Index", ("level", "points", "")),
        ("Index 1982-1984=100", ("level", "index 1982-1984=100", "")),
        ("Dollars per Barrel", ("price", "dollars per barrel", "USD")),
        ("U.S. Dollars to One Euro", ("price", "dollars per euro", "USD")),
        ("U.S. Dollars per Metric Ton", ("price", "dollars per metric ton", "USD")),
        ("Japanese Yen to One U.S. Dollar", ("level", "japanese yen to one u.s. dollar", "")),
        ("Billions of Dollars", ("level", "billions of dollars", "")),
        ("Thousands of Persons", ("level", "thousands of persons", "")),
        ("Indexed \x1b[31m", ("level", "indexed \ufffd[31m", "")),
    ],
)
def test_freds_words_say_what_values_are(units, counted):
    assert tuple(counted_in(units)) == counted


@pytest.mark.parametrize(
    ("words", "cadence"),
    [
        ("Daily", "day"),
        ("Daily, Close", "day"),
        ("Weekly, Ending Friday", "week"),
        ("Biweekly, Ending Wednesday", "fortnight"),
        ("Monthly", "month"),
        ("Quarterly, End of Period", "quarter"),
        ("Semiannual", "half-year"),
        ("Annual, Fiscal Year", "year"),
        ("Not Applicable", ""),
        ("", ""),
    ],
)
def test_freds_words_say_how_often(words, cadence):
    assert cadence_of(words) == cadence


# --- the API --------------------------------------------------------------------------------------------------------


def serve_api(wire, rows=ROWS, metadata=None, **more):
    wire.serves(API, SERIES, described(**more) if metadata is None else metadata, kind=JSON)

    def page(asked):
        chosen = [row for row in rows if row[0] >= asked.query.get("observation_start", "")]
        offset, limit = int(asked.query["offset"]), int(asked.query["limit"])
        return 200, JSON, listed(chosen[offset : offset + limit], len(chosen), offset).encode(), {}

    wire.serves(API, OBSERVATIONS, page)


def test_with_a_key_fred_says_itself_what_the_series_is(wire):
    serve_api(wire, units="Percent", frequency="Daily", title="Market \x1b[31mYield")
    fetched = fetch(key=KEY)
    assert days_of(fetched) == days_of_rows(ROWS)
    assert fetched.series.facts == Facts(
        name="Market \ufffd[31mYield",
        measure="rate",
        unit="percent",
        kind="Percent, Daily, Not Seasonally Adjusted",
        exchange="FRED",
        timezone="America/New_York",
        closes_at=930,
        frequency="day",
    )
    assert fetched.remarks == ()
    assert [asked.path for asked in wire.requests] == [SERIES, OBSERVATIONS]
    assert all(asked.host == API and asked.query["file_type"] == "json" for asked in wire.requests)
    assert all(asked.query["api_key"] == SECRET for asked in wire.requests)


def days_of_rows(rows):
    return [day for day, value in rows if value != "."]


def test_with_a_key_and_without_the_numbers_are_the_same(wire):
    serve(wire)
    serve_api(wire)
    plain, keyed = fetch().series, fetch(key=KEY).series
    assert (plain.dates == keyed.dates).all()
    assert (plain.closes == keyed.closes).all()


def test_an_unknown_id_is_known_with_a_key(wire):
    rows = [(day, "7") for day in monthly("2024-01", 5)]
    serve_api(wire, rows, symbol="XYZ", units="Dollars per Hour", frequency="Monthly")
    fetched = fetch("XYZ", key=KEY)
    facts = fetched.series.facts
    assert (facts.measure, facts.unit, facts.currency, facts.frequency) == ("price", "dollars per hour", "USD", "month")
    assert (days_of(fetched)[1], fetched.remarks) == ("2024-02-29", ())


def test_the_words_of_fred_are_the_unit_of_a_level(wire):
    serve_api(wire, [(day, "7") for day in monthly("2024-01", 5)], symbol="XYZ", units="Thousands of  Units")
    facts = fetch("XYZ", key=KEY).series.facts
    assert (facts.measure, facts.unit) == ("level", "thousands of units")


def test_the_key_stands_in_no_log(wire, caplog):
    caplog.set_level("DEBUG")
    serve_api(wire)
    fetch(key=KEY)
    assert SERIES in caplog.text
    assert SECRET not in caplog.text


def test_half_years_end_with_june_and_december(wire):
    rows = [(day, "7") for day in monthly("2024-01", 4, 6)]
    serve_api(wire, rows, symbol="XYZ", frequency="Semiannual")
    fetched = fetch("XYZ", key=KEY)
    assert days_of(fetched) == ["2024-06-30", "2024-12-31", "2025-06-30", "2025-12-31"]
    assert fetched.series.facts.frequency == "half-year"


def test_the_table_says_more_than_freds_words_where_it_does(wire):
    serve_api(wire, symbol="DEXJPUS", units="Japanese Yen to One U.S. Dollar")
    facts = fetch("DEXJPUS", key=KEY).series.facts
    assert (facts.measure, facts.unit) == ("price", "yen per dollar")


def test_freds_words_outvote_the_table_where_they_are_plain(wire):
    serve_api(wire, units="Dollars per Barrel")
    facts = fetch(key=KEY).series.facts
    assert (facts.measure, facts.unit) == ("price", "dollars per barrel")


def test_an_index_that_can_be_followed_is_one_with_freds_words_too(wire):
    """FRED says the same of share prices and of consumer prices."""
    found = {}
    for symbol in ("SP500", "CPIAUCSL"):
        serve_api(wire, symbol=symbol, units="Index 1982-1984=100")
        facts = fetch(symbol, key=KEY).series.facts
        found[symbol] = facts.measure, facts.unit
    assert found == {"SP500": ("index", "index 1982-1984=100"), "CPIAUCSL": ("level", "index 1982-1984=100")}


def test_a_daily_series_is_asked_of_the_api_since_the_day_that_is_wanted(wire):
    serve_api(wire)
    fetched = fetch(key=KEY, since=date(2026, 11, 17))
    assert (fetched.since, days_of(fetched)) == (date(2026, 11, 17), ["2026-11-17", "2026-11-18"])
    assert wire.requests[1].query["observation_start"] == "2026-11-17"


def test_a_series_of_several_pages_is_put_together(wire, monkeypatch):
    monkeypatch.setattr(fred, "PAGE", 2)
    serve_api(wire)
    assert days_of(fetch(key=KEY)) == days_of_rows(ROWS)
    assert [asked.query["offset"] for asked in wire.requests[1:]] == ["0", "2", "4"]


def test_a_series_that_does_not_end_is_given_up(wire, monkeypatch):
    monkeypatch.setattr(fred, "PAGE", 1)
    serve_api(wire, [(str(date(2026, 1, 1) + timedelta(days=at)), "1") for at in range(50)])
    with pytest.raises(GarbledAnswer, match="does not come to an end"):
        fetch(key=KEY)
    assert len(wire.requests) < 20


def test_fewer_observations_than_fred_counts_are_an_answer_cut_short(wire):
    serve_api(wire)
    wire.serves(
        API, OBSERVATIONS, lambda a: (200, JSON, listed(ROWS if a.query["offset"] == "0" else [], 9).encode(), {})
    )
    with pytest.raises(CutShort, match="counts 9 observations and gave 6"):
        fetch(key=KEY)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (MALFORMED, "it is not 32 small letters and digits"),
        (f"Bad Request.  The value for variable api_key is not registered. {READ}", "it is not registered"),
        (f"Bad Request.  Variable api_key is not set. {READ}", "none was given"),
    ],
)
def test_a_key_that_fred_does_not_accept_is_named_by_where_it_came_from(wire, message, said):
    wire.serves(API, SERIES, error_body(message), status=400, kind=JSON)
    with pytest.raises(SourceError) as caught:
        fetch(key=KEY)
    assert type(caught.value) is SourceError
    assert caught.value.message == f"fred:DGS10: fred does not accept the API key: {said}"
    assert "the key comes from FRED_API_KEY" in caught.value.hint
    assert SECRET not in caught.value.message + caught.value.hint
    assert [asked.path for asked in wire.requests] == [SERIES]


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (400, error_body("Bad Request.  The series does not exist."), UnknownSymbol, "unknown to fred"),
        (404, error_body("Not Found.  The series does not exist.", 404), UnknownSymbol, "unknown to fred"),
        (400, error_body("Too Many Requests.  Exceeded Rate Limit", 429), RateLimited, "Exceeded Rate Limit"),
        (429, error_body("Too Many Requests.  Exceeded Rate Limit", 429), RateLimited, "throttles"),
        (400, error_body("Internal Server Error", 500), ProviderDown, "out of order (Internal Server Error)"),
        (
            400,
            error_body(f"Bad Request.  {SECRET} \x1b[31m"),
            GarbledAnswer,
            "refuses the request (Bad Request. *** \ufffd",
        ),
        (400, "what?", GarbledAnswer, "HTTP 400"),
        (404, NOT_FOUND, GarbledAnswer, "HTTP 404"),
        (403, NOT_FOUND, ConnectionRefused, "refuses to answer (HTTP 403)"),
        (200, error_body("Bad Request.  The series does not exist."), UnknownSymbol, "unknown to fred"),
    ],
)
def test_each_error_of_the_api_is_an_error_of_ours(wire, status, body, kind, said):
    serve_api(wire)
    wire.serves(API, OBSERVATIONS, body, status=status, kind=JSON)
    with pytest.raises(SourceError) as caught:
        fetch(key=KEY)
    assert type(caught.value) is kind
    assert caught.value.message.startswith("fred:DGS10: ")
    assert said in caught.value.message
    assert SECRET not in caught.value.message + caught.value.hint
    assert is_clean(caught.value.message)


@pytest.mark.parametrize("key", [KEY, Key("FRED_API_KEY", ""), None])
def test_an_error_that_repeats_the_key_does_not_show_it(key):
    error = refusal(leg(), 400, error_body(f"Bad Request.  No {SECRET}.").encode(), key)
    assert (SECRET in error.message) == (key is not KEY)


@pytest.mark.parametrize(
    "fault", [(500, "down"), (404, "not here"), (200, "{"), (200, NOT_FOUND), (200, '{"seriess":[]}'), (200, "")]
)
def test_without_its_description_a_series_is_what_the_table_says(wire, fault):
    serve_api(wire)
    wire.serves(API, SERIES, fault[1], status=fault[0], kind=JSON)
    fetched = fetch(key=KEY)
    assert (fetched.series.facts.measure, fetched.series.facts.closes_at) == ("rate", 930)
    assert "FRED did not answer what the series is" in " ".join(fetched.remarks)


@pytest.mark.parametrize("words", ["Percent", "Basis Points", "Dollars per Hour", "Thousands of Persons"])
@pytest.mark.parametrize("key", [KEY, None], ids=["no answer", "no key"])
def test_what_fred_said_of_an_unknown_id_outlives_its_silence_and_the_key(wire, key, words):
    serve_api(wire, symbol="XYZ", units=words, title="Of something")
    known = fetch("XYZ", key=KEY).series.facts
    wire.serves(API, SERIES, "down", status=500, kind=JSON)
    serve(wire, "XYZ", NEW.replace("DGS10", "XYZ"))
    fetched = fetch("XYZ", key=key, known=known)
    facts = fetched.series.facts
    assert (facts.measure, facts.unit, facts.currency) == (known.measure, known.unit, known.currency)
    assert facts.name == "Of something"
    assert "not known" not in " ".join(fetched.remarks)


def test_what_fred_says_now_outvotes_what_it_said_before(wire):
    serve_api(wire, symbol="XYZ", units="Thousands of Persons")
    facts = fetch("XYZ", key=KEY, known=Facts(measure="index")).series.facts
    assert (facts.measure, facts.unit) == ("level", "thousands of persons")


def test_an_unknown_id_that_was_a_level_for_want_of_words_is_still_said_to_be_unknown(wire):
    serve(wire, "XYZ", NEW.replace("DGS10", "XYZ"))
    known = fetch("XYZ").series.facts
    assert "what fred:XYZ is counted in is not known" in " ".join(fetch("XYZ", known=known).remarks)


@pytest.mark.parametrize("symbol", ["DGS2", ""])
def test_the_description_of_another_series_is_refused(wire, symbol):
    serve_api(wire, symbol=symbol)
    with pytest.raises(WrongAnswer, match="fred answered for"):
        fetch(key=KEY)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", EmptyAnswer),
        (b"<html>", GarbledAnswer),
        (b"[" * 100_000, GarbledAnswer),
        (b'{"count":1' + b"1" * 5000 + b',"observations":[]}', GarbledAnswer),
        (b'{"count":1,"observations":[{"date":"2026-', CutShort),
        (b'{"observations":[]}', GarbledAnswer),
        (b'{"count":true,"observations":[]}', GarbledAnswer),
        (b'{"count":-1,"observations":[]}', GarbledAnswer),
        (b'{"count":1,"observations":[7]}', GarbledAnswer),
        (b'{"count":1,"observations":[{"date":"2026-11-12"}]}', GarbledAnswer),
        (b'{"count":1,"observations":[{"date":"2026-11-12","value":4.1}]}', GarbledAnswer),
        (b'{"count":1,"observations":{}}', GarbledAnswer),
        (b"null", GarbledAnswer),
    ],
)
def test_what_is_not_the_apis_format_is_named(body, kind):
    with pytest.raises(SourceError) as caught:
        read_json(leg(), body)
    assert type(caught.value) is kind


# --- whatever there is ----------------------------------------------------------------------------------------------

GOOD = [
    NEW.encode(),
    OLD.replace("\n", "\r\n").encode(),
    body_of("DGS10", monthly("2024-01", 9)).encode(),
    body_of("DGS10", monthly("2020-01", 5, 3)).encode(),
    listed(ROWS).encode(),
    listed([(day, "1.5") for day in monthly("2024-01", 6)]).encode(),
    described().encode(),
    error_body(MALFORMED).encode(),
    NOT_FOUND.encode(),
]
CHUNKS = st.sampled_from(
    [
        *(bytes([mark]) for mark in b',"\n\r\0-.<{}]:01 \xff'),
        *(b"nan", b"1e999", b"null", b"[" * 2000, b"\xe2\x80\xae", b"\x1b[31m"),
        *(b"2026-11-01,1\n", b"2027-01-01,2\n", b"0001-01-01,3\n"),
    ]
)
DESCRIBED = st.one_of(
    st.none(),
    st.builds(
        Described,
        st.text(max_size=9),
        st.sampled_from(["", "Percent", "Index 2017=100", "Dollars per Barrel", "Number"]),
        st.sampled_from(["", "Daily", "Weekly, Ending Friday", "Monthly", "Quarterly", "Semiannual", "Annual"]),
        st.just(""),
    ),
)


def _kept_contract(body, said):
    """A reader gives observations that make a series, or raises a `SourceError` that names the leg: nothing else."""
    assert is_clean(refusal(leg(), 400, body, KEY).message)
    for read in (read_csv, _read_page, read_metadata):
        found = _outcome(read, leg(), body)
        if isinstance(found, Described):
            assert all(map(is_clean, found))
        elif isinstance(found, Observations):
            answer = _outcome(fred._answer, Request(leg(), NOW), None, found, said, [])
            if not isinstance(answer, SourceError):
                _is_an_answer(answer, found)


def _outcome(work, *args):
    try:
        return work(*args)
    except SourceError as error:
        kept = error
    assert kept.message.startswith("fred:DGS10: ")
    assert is_clean(kept.message + kept.hint)
    return kept


def _is_an_answer(answer, found):
    assert 0 < len(answer.series) <= len(found.days)
    assert answer.series.dates[-1] < np.datetime64("2026-11-20")
    assert set(answer.series.closes.tolist()) <= set(found.values.tolist())
    assert answer.fresh_until > NOW
    assert all(map(is_clean, answer.remarks))


def _read_page(which, body):
    page = read_json(which, body)
    return fred.observations(which, page.days, page.values)


fuzz = settings(max_examples=EXAMPLES, database=None)


@fuzz
@given(
    body=st.one_of(st.binary(max_size=200), st.text(max_size=150).map(lambda text: text.encode("utf-8", "replace"))),
    said=DESCRIBED,
)
def test_arbitrary_bytes_never_break_the_contract(body, said):
    _kept_contract(body, said)


@fuzz
@given(
    body=st.sampled_from(GOOD),
    edits=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 12), CHUNKS), min_size=1, max_size=4),
    said=DESCRIBED,
)
def test_mutated_answers_never_break_the_contract(body, edits, said):
    for place, length, chunk in edits:
        at = int(place * len(body))
        body = body[:at] + chunk + body[at + length :]
    _kept_contract(body, said)
