"""The files source: each shape that people save, each way in which one is wrong, and bytes that are nothing at all."""

import gzip
import io
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pairwatch.errors import EmptyAnswer, SourceError, UnreadableFile
from pairwatch.model import Fetched, Leg
from pairwatch.sources import Request, load
from pairwatch.sources.files import opening
from pairwatch.sources.files.adjusting import distributions
from pairwatch.text import is_clean

SAVED = Path(__file__).with_suffix("")
NOW = 1_735_732_800.0  # 2025-01-01 12:00 UTC
EXAMPLES = int(os.environ.get("PAIRWATCH_EXAMPLES", "2500"))  # of each of the two fuzz tests


def fetch(symbol, now=NOW) -> Fetched:
    return load("csv").fetch(Request(Leg("csv", str(symbol)), now))


@pytest.fixture
def read(tmp_path):
    """Read a body as if it had been saved as `prices.csv`."""

    def reading(body: str | bytes, column: str = "", name: str = "prices.csv") -> Fetched:
        path = tmp_path / name
        path.write_bytes(body if isinstance(body, bytes) else body.encode())
        return fetch(f"{path}#{column}" if column else path)

    return reading


def refusal(read, body, column="", kind=UnreadableFile) -> str:
    with pytest.raises(SourceError) as caught:
        read(body, column)
    assert type(caught.value) is kind, caught.value.message
    return re.sub(r"csv:.*prices\.csv(#\S+)?: ", "", caught.value.message)


def days_of(fetched: Fetched) -> list[str]:
    return [str(day) for day in fetched.series.dates]


# --- shapes ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shape:
    """What a saved file must give: its first and last day and close, its name, measure and remarks."""

    file: str
    first: tuple[str, float]
    last: tuple[str, float]
    name: str
    measure: str = "price"
    said: str = ""


SHAPES = [
    Shape("yahoo_download.csv", ("2024-03-14", 100.0), ("2024-03-21", 101.5), "yahoo_download", said="2 distributions"),
    Shape(
        "yfinance_history.csv",
        ("2024-06-06", 120.99800109863281),
        ("2024-12-02", 138.6300048828125),
        "yfinance_history",
    ),
    Shape(
        "yfinance_adjusted.csv",
        ("2024-03-11", 433.2217102050781),
        ("2024-03-19", 435.4800109863281),
        "yfinance_adjusted",
        said="adjusted for dividends already",
    ),
    Shape(
        "yfinance_stacked.csv",
        ("2024-01-02", 402.5899963378906),
        ("2024-01-03", 398.3299865722656),
        "QQQ",
        said="yfinance",
    ),
    Shape("yfinance_stacked.csv#QQQ", ("2024-01-02", 402.5899963378906), ("2024-01-03", 398.3299865722656), "QQQ"),
    Shape("yfinance_stacked.csv#High", ("2024-01-02", 405.0), ("2024-01-03", 401.2), "QQQ"),
    Shape("yfinance_stacked_pair.csv#IWM", ("2024-01-02", 199.0), ("2024-01-03", 193.72), "IWM"),
    Shape("yfinance_stacked_pair.csv#qqq", ("2024-01-02", 402.59), ("2024-01-03", 398.33), "QQQ"),
    Shape("yfinance_by_ticker.csv#IWM", ("2024-01-02", 199.0), ("2024-01-03", 193.72), "IWM"),
    Shape("stooq.csv", ("2024-01-02", 401.43), ("2024-01-03", 397.18), "stooq", said="already adjusted for dividends"),
    Shape(
        "stooq_ascii.txt",
        ("2024-01-02", 401.43),
        ("2024-01-03", 397.18),
        "QQQ.US",
        said="already adjusted for dividends",
    ),
    Shape("fred.csv", ("2024-01-02", 3.95), ("2024-01-04", 3.99), "DGS10", "rate", "1 row without a value skipped"),
    Shape("fred_2023.csv", ("2023-01-03", 76.87), ("2023-01-04", 72.82), "DCOILWTICO", said="1 row without a value"),
    Shape("fred_monthly.csv", ("2023-12-31", 3.7), ("2024-04-30", 3.9), "UNRATE", "rate"),
    Shape("cboe.csv", ("1990-01-02", 17.24), ("1990-01-16", 24.18), "cboe", "level"),
    Shape("cboe_skew.csv", ("1990-01-02", 126.09), ("1990-01-16", 122.62), "SKEW", "level"),
    Shape("cboe_vxn.csv", ("1999-12-31", 50.5), ("2000-01-13", 48.75), "cboe_vxn", "level"),
    Shape("headless.csv", ("2024-01-02", 402.59), ("2024-01-03", 398.33), "headless"),
    Shape("wide.csv#SPY", ("2024-01-02", 472.65), ("2024-01-04", 467.28), "SPY"),
    Shape("wide.csv#iwm", ("2024-01-02", 199.0), ("2024-01-03", 193.72), "IWM", said="1 row without a value skipped"),
    Shape("german.csv", ("2024-01-11", 16547.03), ("2024-01-15", 16622.22), "Schlusskurs"),
    Shape("tabs.tsv", ("2024-01-05", 1234.5), ("2024-01-08", 1240.25), "tabs"),
    Shape("nasdaq.csv", ("2024-01-12", 185.92), ("2024-01-16", 183.63), "nasdaq"),
    Shape("investing.csv", ("2024-01-12", 16832.92), ("2024-01-16", 16830.71), "investing"),
    Shape("crypto.csv", ("2024-01-05", 44162.69), ("2024-01-07", 43943.1), "crypto"),
]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.file)
def test_each_shape_that_people_save_is_read(shape):
    fetched = fetch(SAVED / shape.file)
    series = fetched.series
    ends = [(str(series.dates[at]), float(series.closes[at])) for at in (0, -1)]
    assert ends == [shape.first, shape.last]
    assert (series.facts.name, series.facts.measure) == (shape.name, shape.measure)
    assert shape.said in " ".join(fetched.remarks)


def test_the_answer_covers_the_whole_file_and_claims_no_calendar():
    fetched = fetch(SAVED / "fred.csv")
    assert (fetched.since, fetched.asked_at, fetched.fresh_until) == (None, NOW, NOW)
    assert (len(fetched.expected), fetched.expected.dtype) == (0, np.dtype("datetime64[D]"))
    assert fetched.series.quote is None
    facts = fetched.series.facts
    assert (facts.currency, facts.timezone, facts.closes_at, facts.every_day) == ("", "", None, False)


def test_rows_on_weekends_mean_a_leg_of_every_day():
    assert fetch(SAVED / "crypto.csv").series.facts.every_day


@pytest.mark.parametrize("day", ["observation_date", "DATE"])
@pytest.mark.parametrize(
    ("column", "measure", "unit", "currency"),
    [
        *[
            (name, "rate", "percent", "")
            for name in ("DGS10", "DGS1MO", "T10Y2Y", "T10Y3M", "T10YIE", "FEDFUNDS", "SOFR", "BAMLH0A0HYM2", "AAA")
        ],
        *[(name, "index", "points", "") for name in ("SP500", "BAMLHYH0A0HYM2TRIV")],
        *[(name, "level", "points", "") for name in ("VIXCLS", "CPIAUCSL")],
        ("DCOILWTICO", "price", "dollars per barrel", "USD"),
        ("DEXJPUS", "price", "yen per dollar", ""),
        ("DEXUSEU", "price", "dollars per euro", "USD"),
        ("GDP", "level", "billions of dollars", ""),
    ],
)
def test_the_id_of_a_fred_series_tells_what_its_values_are(read, day, column, measure, unit, currency):
    facts = read(f"{day},{column}\n2024-01-02,3.9\n").series.facts
    assert (facts.measure, facts.unit, facts.currency) == (measure, unit, currency)


@pytest.mark.parametrize("column", ["DGS", "QQQ", "dgs10"])
def test_an_id_that_is_not_known_in_a_file_of_fred_is_a_level_and_said_so(read, column):
    fetched = read(f"observation_date,{column}\n2024-01-02,3.9\n")
    assert (fetched.series.facts.measure, fetched.series.facts.unit) == ("level", "")
    assert f"what {column} is counted in is not known" in " ".join(fetched.remarks)


@pytest.mark.parametrize(
    ("column", "measure"), [("AAA", "price"), ("GDP", "price"), ("QQQ", "price"), ("GS10", "rate")]
)
def test_what_may_be_a_ticker_is_a_price_where_the_file_is_not_as_fred_writes_it(read, column, measure):
    assert read(f"Date,{column}\n2024-01-02,3.9\n").series.facts.measure == measure


def test_a_value_column_without_a_name_takes_the_unit_and_name_of_the_file(read):
    facts = read("date,value\n2024-01-02,3.9\n", name="DGS10.csv.txt").series.facts
    assert (facts.name, facts.measure, facts.unit) == ("DGS10", "rate", "percent")


MONTHS = "2023-12-01,3.7\n2024-01-01,3.7\n2024-02-01,3.9\n2024-03-01,3.8\n"


@pytest.mark.parametrize("day", ["observation_date", "DATE"])
def test_months_in_a_file_of_fred_are_dated_by_their_last_day(read, day):
    fetched = read(f"{day},UNRATE\n{MONTHS}")
    assert days_of(fetched) == ["2023-12-31", "2024-01-31", "2024-02-29", "2024-03-31"]
    facts = fetched.series.facts
    assert (facts.frequency, facts.every_day) == ("month", False)


@pytest.mark.parametrize(("header", "name"), [("Date,UNRATE", "prices.csv"), ("date,value", "UNRATE.csv")])
def test_months_in_any_other_file_are_left_as_they_are_dated(read, header, name):
    fetched = read(f"{header}\n{MONTHS}", name=name)
    assert days_of(fetched) == ["2023-12-01", "2024-01-01", "2024-02-01", "2024-03-01"]
    facts = fetched.series.facts
    assert (facts.measure, facts.frequency, facts.every_day) == ("rate", "", False)


def test_a_month_that_is_not_over_is_left_out_of_a_file_of_fred(read):
    # The clock stands at 2025-01-01.
    body = "observation_date,UNRATE\n2024-10-01,4.1\n2024-11-01,4.2\n2024-12-01,4.1\n2025-01-01,4.0\n"
    assert days_of(read(body)) == ["2024-10-31", "2024-11-30", "2024-12-31"]
    assert (
        refusal(read, "observation_date,GDP\n2024-12-01,4.1\n", kind=EmptyAnswer) == "no value of a period that is over"
    )


def test_a_month_is_over_on_the_day_after_its_last(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("observation_date,UNRATE\n2024-11-01,4.2\n2024-12-01,4.1\n")
    assert days_of(fetch(file, now=NOW - 86_400)) == ["2024-11-30"]
    assert days_of(fetch(file)) == ["2024-11-30", "2024-12-31"]


def test_a_day_of_today_stays_in_a_file_of_fred_as_in_any_other(read):
    fetched = read("observation_date,DGS10\n2024-12-31,4.5\n2025-01-01,4.6\n")
    assert days_of(fetched) == ["2024-12-31", "2025-01-01"]
    assert "the last row is of today" in " ".join(fetched.remarks)


def test_dates_that_fred_does_not_write_are_left_as_they_are(read):
    months = MONTHS.replace("-", "/")
    assert days_of(read(f"observation_date,UNRATE\n{months}"))[0] == "2023-12-01"


def test_an_unknown_column_below_an_older_header_is_a_price(read):
    assert read("DATE,QQQ\n2024-01-02,402.59\n").series.facts.measure == "price"


def test_a_close_is_a_price_whatever_the_file_is_called(read):
    assert read("Date,Close\n2024-01-02,3.9\n", name="DGS10.csv").series.facts.measure == "price"


def test_dates_that_no_month_has_are_refused_in_a_file_of_fred(read):
    said = refusal(read, "observation_date,UNRATE\n2024-10-01,4.1\n2024-11-05,4.2\n")
    assert said == "not the dates of UNRATE: some periods are dated by their first day and some are not"


# --- where it comes from --------------------------------------------------------------------------------------------

BODY = "Date,QQQ,IWM\n2024-01-02,402.59,199.0\n2024-01-03,398.33,193.72\n"


@pytest.mark.parametrize(
    "data",
    [
        BODY.encode("utf-8-sig"),
        BODY.encode("utf-16"),
        b"\xfe\xff" + BODY.encode("utf-16-be"),
        BODY.replace("IWM", "Börse,IWM").replace("199.0", "1,199.0").replace("193.72", "1,193.72").encode("latin-1"),
        gzip.compress(BODY.encode(), mtime=0),
        BODY.replace("\n", "\r\n").encode(),
        BODY.replace("\n", "\r").encode(),
        BODY.rstrip().encode(),
        ("# saved on Friday\n\n" + BODY + ",,\n\n").encode(),
        BODY.replace(",", ";").encode(),
        BODY.replace(",", " , ").encode(),
        BODY.replace("IWM\n", "IWM,\n").encode(),
        BODY.replace("Date", "").encode(),
        BODY.replace("QQQ", "DAY").replace("Date", "").encode(),
    ],
)
def test_encodings_line_ends_and_packing_make_no_difference(read, data):
    assert read(data, "IWM").series.closes.tolist() == [199.0, 193.72]


def test_both_legs_of_a_pair_may_stand_in_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(BODY.encode())))
    monkeypatch.setattr(opening, "_stdin", [])
    assert fetch("-#QQQ").series.closes[0] == 402.59
    assert fetch("-#IWM").series.closes[0] == 199.0
    with pytest.raises(UnreadableFile, match=r"csv:-: 2 columns of values: QQQ, IWM"):
        fetch("-")


def test_a_closed_standard_input_is_said(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    monkeypatch.setattr(opening, "_stdin", [])
    with pytest.raises(UnreadableFile, match="csv:-: standard input is closed"):
        fetch("-")


def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "a.csv").write_text(BODY)
    assert len(fetch("~/a.csv#IWM").series) == 2


def test_a_hash_splits_unless_it_belongs_to_the_name_of_a_file(tmp_path):
    (tmp_path / "a#IWM").write_text("Date,Close\n2024-01-02,1\n")
    assert fetch(tmp_path / "a#IWM").series.closes.tolist() == [1.0]
    (tmp_path / "b#c.csv").write_text(BODY)
    assert fetch(tmp_path / "b#c.csv#IWM").series.closes.tolist() == [199.0, 193.72]
    (tmp_path / "a").write_text(BODY)
    assert fetch(tmp_path / "a#IWM").series.closes.tolist() == [199.0, 193.72]


def test_a_path_that_cannot_be_opened_is_refused_with_its_reason(tmp_path):
    locked = tmp_path / "locked.csv"
    locked.write_text(BODY)
    locked.chmod(0)
    cases = {tmp_path: "a folder", tmp_path / "none.csv": "no such file", tmp_path / ("x" * 300): "it cannot be read"}
    if os.geteuid():  # root may read everything
        cases[locked] = "no permission"
    for path, reason in cases.items():
        with pytest.raises(UnreadableFile, match=reason) as caught:
            fetch(path)
        assert caught.value.message.startswith(f"csv:{path}: ")


def test_a_gzip_bomb_is_refused_before_it_fills_the_memory(read, monkeypatch):
    assert "more than 64 MB" in refusal(read, gzip.compress(b"0" * (opening.LARGEST + 1), 1))
    monkeypatch.setattr(opening, "LARGEST", 1 << 20)
    assert "more than 1 MB" in refusal(read, b"0" * ((1 << 20) + 1))


# --- dates ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cells",
    [
        ["2024-01-02", "2024-01-15"],
        ["2024-1-2", "2024-1-15"],
        ["2024/01/02", "2024/01/15"],
        ["20240102", "20240115"],
        ["01/02/2024", "01/15/2024"],
        ["1/2/24", "1/15/24"],
        ["1/2/2024 16:00:00", "1/15/2024 16:00:00"],
        ["02/01/2024", "15/01/2024"],
        ["02.01.2024", "15.01.2024"],
        ["02.01.24", "15.01.24"],
        ["02-01-2024", "15-01-2024"],
        ["02-Jan-2024", "15-Jan-2024"],
        ["2 January 2024", "15 January 2024"],
        ["02-JAN-24", "15-JAN-24"],
        ["Jan 2, 2024", "Jan 15, 2024"],
        ["January 02, 2024", "January 15, 2024"],
        ["2024-01-02 00:00:00-05:00", "2024-01-15 00:00:00-05:00"],
        ["2024-01-02T23:30:00.000+09:00", "2024-01-15T23:30:00.000+09:00"],
        ["2024-01-02T00:00:00Z", "2024-01-15T00:00:00Z"],
    ],
    ids=lambda cells: cells[0],
)
def test_each_way_to_write_a_date_is_read(read, cells):
    body = "Date\tClose\n" + "".join(f"{cell}\t1\n" for cell in cells)
    assert days_of(read(body)) == ["2024-01-02", "2024-01-15"]


def test_the_order_of_day_and_month_is_told_by_what_makes_a_series(read):
    # Both orders give dates; European order alone gives one week of sessions.
    assert days_of(read("Date,Close\n08/01/2024,1\n09/01/2024,2\n10/01/2024,3\n11/01/2024,4\n"))[-1] == "2024-01-11"
    # American order alone runs one way.
    assert days_of(read("Date,Close\n11/12/2023,1\n12/11/2023,2\n01/08/2024,3\n"))[-1] == "2024-01-08"
    # The first of each month, over more than one year: the other order would be a series of Januaries.
    monthly = "".join(f"{month:02}/01/{year},1\n" for year in (2022, 2023) for month in range(1, 13))
    assert days_of(read("Date,Close\n" + monthly))[:2] == ["2022-01-01", "2022-02-01"]


def test_an_order_that_cannot_be_told_is_refused_at_the_first_such_line(read):
    said = refusal(read, "Date,Close\n02/02/2024,1\n05/06/2024,2\n08/07/2024,2\n")
    assert said.startswith("line 3: the date '05/06/2024' may be 2024-05-06 or 2024-06-05")


def test_dates_that_read_the_same_in_both_orders_are_no_doubt(read):
    assert days_of(read("Date,Close\n02/02/2024,1\n")) == ["2024-02-02"]


def test_a_two_digit_year_is_the_last_such_year(read):
    assert days_of(read("Date,Close\n1/15/62,1\n1/13/24,2\n")) == ["1962-01-15", "2024-01-13"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("Date,Close\n2024-01-02,1\n2024-02-30,2\n", "line 3: not a date: '2024-02-30'"),
        ("Date,Close\n2024-13-02,1\n", "line 2: not a date: '2024-13-02'"),
        ("Date,Close\n2024-01-02,1\nTotal,2\n", "line 3: not a date: 'Total'"),
        ("Date,Close\n2024-01-02,1\n,2\n", "line 3: no date"),
        ("Date,Close\n2024-01-02,1\n01/03/2024,2\n", "line 3: not a date: '01/03/2024'"),
        ("Date,Close\n20-Foo-2024,1\n", "line 2: not a date: '20-Foo-2024'"),
        (
            "Date,Close\n02/13/2024,1\n13/02/2024,1\n",
            "line 3: the date '13/02/2024' has another order of day and month",
        ),
        ("Date,Close\n2024-12-31,1\n2025-01-03,2\n", "line 3: a date in the future: '2025-01-03'"),
        ("Date,Close\n0024-12-31,1\n", "line 2: not a date: '0024-12-31'"),
        (
            "Date,Close\n2024-01-02,1\n2024-01-03,2\n2024-01-02,3\n",
            "line 2 and line 4: two closes for 2024-01-02, 1 and 3",
        ),
        ("Date,Close\n\x1b[31m,1\n", "binary data"),
        ("Date,Close\n\u202e2024,1\n", "line 2: not a date: '\ufffd2024'"),
    ],
)
def test_a_wrong_date_is_refused_with_its_line(read, body, said):
    assert refusal(read, body).startswith(said)


def test_tomorrow_is_not_the_future_and_today_is_remarked(read):
    fetched = read("Date,Close\n2024-12-31,1\n2025-01-02,2\n")
    assert len(fetched.series) == 2
    assert fetched.remarks == ("the last row is of today: its session may not have been over",)


def test_rows_are_sorted_and_repeated_rows_dropped(read):
    fetched = read("Date,Close\n2024-01-04,3\n2024-01-02,1\n2024-01-03,2\n2024-01-02,1\n")
    assert fetched.series.closes.tolist() == [1, 2, 3]
    assert fetched.remarks == ("1 row repeating a day and its close dropped",)


# --- numbers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("separator", "cells", "values"),
    [
        (",", ['"1,234.56"', "99.5"], [1234.56, 99.5]),
        (",", ['"43,210"', '"43,400"'], [43210, 43400]),
        (",", ['"99,5"', '"98,25"'], [99.5, 98.25]),
        (",", ["45.123", "45.124"], [45.123, 45.124]),
        (",", ["1e3", "1.5E-2"], [1000, 0.015]),
        (",", ["0", "-37.63"], [0, -37.63]),
        (",", ["$1.5", "$2"], [1.5, 2]),
        (",", ["-$1.5", "$2"], [-1.5, 2]),
        (",", ["1 234.5", "1'234.5"], [1234.5, 1234.5]),
        (";", ["1.234,56", "99,5"], [1234.56, 99.5]),
        (";", ["1 234,56", "1\u202f234,56"], [1234.56, 1234.56]),
        (";", ["1,234", "1,235"], [1.234, 1.235]),
        (";", ["1234.56", "99.5"], [1234.56, 99.5]),
        (";", ["1.234", "1.235,5"], [1234, 1235.5]),
        (";", ["0.915", "0.916"], [0.915, 0.916]),
        (";", ["12 €", "13,5 €"], [12, 13.5]),
        ("\t", ["1,234.5", "1,235"], [1234.5, 1235]),
        ("\t", ["1.234", "1.235"], [1.234, 1.235]),
    ],
)
def test_each_way_to_write_a_number_is_read(read, separator, cells, values):
    lines = [f"2024-01-0{day}{separator}{cell}" for day, cell in enumerate(cells, 2)]
    assert read("\n".join([f"Date{separator}Close", *lines])).series.closes.tolist() == values


@pytest.mark.parametrize("cell", ["", ".", "null", "NA", "#N/A", "nan", "NaN", "-", "  "])
def test_a_missing_value_is_skipped_and_counted(read, cell):
    fetched = read(f"Date,Close\n2024-01-02,1\n2024-01-03,{cell}\n2024-01-04,3\n")
    assert fetched.series.closes.tolist() == [1, 3]
    assert fetched.remarks == ("1 row without a value skipped",)


@pytest.mark.parametrize(
    ("separator", "cell", "said"),
    [
        (",", "abc", "line 3: not a number: 'abc'"),
        (",", "1_000", "line 3: not a number: '1_000'"),
        (",", "٣", "line 3: not a number: '٣'"),
        (",", "0x10", "line 3: not a number: '0x10'"),
        (",", "1.2.3", "line 3: not a number: '1.2.3'"),
        (",", "$", "line 3: not a number: '$'"),
        (",", "4.12%", "line 3: a percent sign in '4.12%'"),
        (",", "inf", "line 3: not a number: 'inf'"),
        (",", "1e999", "line 3: not a finite number: '1e999'"),
        (",", "1,5", "line 3: 3 cells where the header has 2"),
        (",", '"1.5', "line 3: broken quotes"),
        (",", '"1.5\n"', "line 3: a quoted cell does not end on its line"),
        (";", "1.234,5;", "line 3: not a number: '1.234,5'"),  # line 2 has a point before its decimals
        (",", "z" * 500, f"line 3: not a number: '{'z' * 39}…'"),
    ],
)
def test_a_wrong_number_is_refused_with_its_line_and_cell(read, separator, cell, said):
    body = f"Date{separator}Close\n2024-01-02{separator}1.5\n2024-01-03{separator}{cell}"
    assert refusal(read, body).startswith(said)


@pytest.mark.parametrize(("separator", "cells"), [(";", ["1.234", "1.235"]), ("\t", ["1,234", "1,235"])])
def test_a_mark_that_may_be_of_thousands_or_decimals_is_refused(read, separator, cells):
    body = f"Date{separator}Close\n2024-01-02{separator}{cells[0]}\n2024-01-03{separator}{cells[1]}\n"
    assert "may come before thousands or decimals" in refusal(read, body)


def test_a_row_that_was_cut_short_is_refused(read):
    said = refusal(read, "Date,Open,Close\n2024-01-02,1,2\n2024-01-03,1")
    assert said == "line 3: 2 cells where the header has 3"


# --- columns --------------------------------------------------------------------------------------------------------


def test_a_table_of_many_symbols_asks_for_one_and_lists_some(read):
    body = "Date," + ",".join(f"S{n}" for n in range(9)) + "\n2024-01-02" + ",1" * 9 + "\n"
    assert refusal(read, body) == "9 columns of values: S0, S1, S2, S3, S4 and 4 more"
    assert refusal(read, body, "XYZ") == "no column is called 'XYZ': S0, S1, S2, S3, S4 and 4 more"


@pytest.mark.parametrize(
    ("body", "column", "said"),
    [
        ("Date,IWM,IWM\n2024-01-02,1,2\n", "IWM", "2 columns are called 'IWM'"),
        ("Date,Close,close\n2024-01-02,1,2\n", "", "2 columns are called 'close'"),
        ("2024-01-02,1,2\n2024-01-03,1,2\n", "", "several columns and no header"),
        ("2024-01-02\n2024-01-03\n", "", "line 1: a date and no value"),
        ("Foo,Bar\n1,2\n", "", "line 1: 'Foo,Bar': no date in it, nor in the lines below"),
        ("Foo,Bar\nx,y\n2024-01-02,1\n", "", "line 2: 'x,y' is not a row of values"),
        ("2024-1x-02,1.5\n2024-01-03,1.6\n", "", "line 1: not a date: '2024-1x-02'"),
        ("gestern,1.5\n2024-01-03,1.6\n", "", "line 1: not a date: 'gestern'"),
        ("Foo\n2024-01-02,1\n", "", "line 1: 'Foo' is no header for the 2 cells of line 2"),
    ],
)
def test_columns_that_cannot_be_told_are_refused(read, body, column, said):
    assert refusal(read, body, column).startswith(said)


def test_titles_above_the_header_are_skipped_and_counted(read):
    fetched = read("VIX history\nDate,Close\n2024-01-02,1\n")
    assert (len(fetched.series), fetched.remarks) == (1, ("1 title line above the header skipped",))


def test_numbers_may_be_tickers(read):
    assert read(",7203,9984\n2024-01-04,2615,6100\n", "7203").series.closes.tolist() == [2615]


def test_two_symbols_in_one_ascii_file_are_refused(read):
    body = "<TICKER>,<DATE>,<CLOSE>\nA.US,20240102,1\nB.US,20240103,1\n"
    assert refusal(read, body) == "line 3: the symbol 'B.US' below 'A.US'"


def test_names_are_clean_whatever_the_header_holds(read):
    name = read("Date,\u202eevil\u200b name\n2024-01-02,1\n").series.facts.name
    assert is_clean(name)
    assert "evil" in name


# --- distributions --------------------------------------------------------------------------------------------------


def test_the_distributions_are_those_that_take_close_to_adj_close():
    events = fetch(SAVED / "yahoo_download.csv").series.events
    assert [(str(event.day), event.kind) for event in events] == [
        ("2024-03-18", "dividend"),
        ("2024-03-21", "dividend"),
    ]
    assert [event.value for event in events] == pytest.approx([0.60, 0.61], abs=3e-6)


def test_columns_of_events_are_the_events():
    events = fetch(SAVED / "yfinance_history.csv").series.events
    assert [(str(event.day), event.kind, event.value) for event in events] == [
        ("2024-06-10", "split", 10.0),
        ("2024-06-11", "dividend", 0.01),
        ("2024-06-11", "capital_gain", 0.25),
    ]


def test_dividends_are_not_applied_to_closes_that_hold_them_already(read):
    assert fetch(SAVED / "yfinance_adjusted.csv").series.events == ()
    raw = "Date,Close,Dividends\n2024-01-02,100.25,0\n2024-01-03,100.5,0\n2024-01-04,99.75,0.5\n"
    assert [event.value for event in read(raw).series.events] == [0.5]


def test_a_dividend_on_a_day_without_a_close_is_kept(read):
    events = read("Date,Close,Dividends\n2024-01-02,100,0\n2024-01-03,,0.5\n2024-01-04,99,0\n").series.events
    assert [(str(event.day), event.value) for event in events] == [("2024-01-03", 0.5)]


def test_a_negative_dividend_is_refused(read):
    assert refusal(read, "Date,Close,Dividends\n2024-01-02,1,-1\n") == "line 2: a distribution or split below zero"


def _adjusted(closes, paid):
    """Yahoo's adjusted closes by CRSP's method, in a plain loop."""
    factor, adjusted = 1.0, []
    for at in reversed(range(len(closes))):
        adjusted.append(closes[at] * factor)
        if at:
            factor *= 1 - paid[at] / closes[at - 1]
    return np.array(adjusted[::-1])


@pytest.mark.parametrize("digits", [2, 6, 13])
def test_distributions_are_found_to_within_the_printed_digits(digits):
    random = np.random.default_rng(7)
    closes = np.round(100 * np.exp(np.cumsum(random.normal(0, 0.01, 1500))), 2)
    paid = np.zeros(1500)
    paid[60::63] = np.round(random.uniform(0.2, 0.9, len(paid[60::63])), 3)
    found = distributions(closes, np.round(_adjusted(closes, paid).astype("f4").astype("f8"), digits))
    assert np.array_equal(found > 0, paid > 0)
    assert found == pytest.approx(paid, abs=0.02 if digits == 2 else 5e-5)


def test_rounding_alone_is_no_distribution():
    closes = np.round(np.linspace(5, 6, 1000), 6)
    assert not distributions(closes, np.round(closes * 0.7, 6)).any()


@pytest.mark.parametrize(
    "factors",
    [[1.0, 0.9, 1.0], [0.25, 0.25, 1.0], np.linspace(0.9, 1, 50), [-1.0, 1.0, 1.0]],
    ids=["falls", "a split", "drifts", "negative"],
)
def test_adjusted_closes_that_no_distribution_explains_give_none(factors):
    closes = np.linspace(100, 101, len(factors))
    found = distributions(closes, closes * np.array(factors))
    assert found is None or len(factors) > 3  # a drift is a distribution a day, as long as the digits tell them apart


def test_adj_close_stands_in_where_no_distribution_explains_it(read):
    fetched = read("Date,Close,Adj Close\n2024-01-02,400,100\n2024-01-03,101,101\n")
    assert (fetched.series.closes.tolist(), fetched.series.events) == ([100, 101], ())
    assert "it stands in for the closes" in fetched.remarks[0]


# --- what is no CSV -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("stooq_page.html", "Stooq's check for a browser (a web page that runs JavaScript), not data"),
        ("fred_404.html", "a web page (Error - St. Louis Fed), not data"),
        ("cboe_denied.xml", "an XML answer, not a CSV: AccessDenied: Access Denied"),
    ],
)
def test_a_page_saved_as_csv_is_explained_in_its_own_words(file, said):
    with pytest.raises(UnreadableFile) as caught:
        fetch(SAVED / file)
    assert said in caught.value.message
    assert "browser" in caught.value.hint


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("<noscript>Please enable it</noscript><script>fetch('/__verify')</script>", "Stooq's check for a browser"),
        ("\ufeff  <!DOCTYPE html><script src='/__verify?q=1'></script>", "Stooq's check for a browser"),
        ("<html><noscript>Enable JavaScript</noscript></html>", "a web page that wants a browser with JavaScript"),
        ("<center>Sign in</center>", "a web page, not data"),
        ("<table><tr><td>2024-01-02</td></tr></table>", "a web page, not data"),
        ("Exceeded the daily hits limit", "it says 'Exceeded the daily hits limit': Stooq's daily limit was reached"),
        ("Edge: Too Many Requests", "it says 'Edge: Too Many Requests': Yahoo throttled when it was saved"),
        ('{\n "chart": null\n}', 'JSON, not a CSV: { "chart": null }'),
        (b"PK\x03\x04\x14\x00", "a zip archive or a spreadsheet, not a CSV"),
        (b"Date,Close\n2024-01-02,1\x00\n", "binary data, not text"),
        (bytes(range(256)), "binary data, not text"),
        (gzip.compress(BODY.encode(), mtime=0)[:-9], "the gzip data are broken or cut short"),
        (b"\xff\xfeD", "the UTF-16 text is broken or cut short"),
        ("hello", "line 1: 'hello': no date in it, nor in the lines below"),
        ("#\n#\n", "no row of cells"),
    ],
)
def test_what_is_no_csv_is_named(read, body, said):
    assert refusal(read, body).startswith(said)


def test_the_way_past_stooqs_check_is_said():
    with pytest.raises(UnreadableFile) as caught:
        fetch(SAVED / "stooq_page.html")
    assert caught.value.hint == "open the address in a browser, save the CSV there, and name that file: csv:FILE"


@pytest.mark.parametrize(
    "body",
    [
        "",
        " \n\n",
        "\ufeff",
        gzip.compress(b"", mtime=0),
        "No data",
        "Date,Close\n",
        "Foo,Bar\n",
        "Date,Close\n2024-01-02,\n",
        "Date,Q\n\n",
    ],
)
def test_a_file_without_a_single_close_is_an_empty_answer(read, body):
    assert refusal(read, body, kind=EmptyAnswer)


# --- parquet --------------------------------------------------------------------------------------------------------


@pytest.fixture
def parquet(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    def write(columns: dict[str, object]) -> Path:
        path = tmp_path / "prices.parquet"
        parquet.write_table(pyarrow.table(columns), path)
        return path

    return write


def test_parquet_gives_what_the_same_csv_gives(parquet):
    pyarrow = pytest.importorskip("pyarrow")
    days = pyarrow.array([1704171600, 1704258000], pyarrow.timestamp("s", tz="America/New_York"))
    path = parquet({"Close": [402.59, None], "IWM": [199.0, 0.1], "__index_level_0__": days})
    assert days_of(fetch(path)) == ["2024-01-02"]
    assert fetch(f"{path}#IWM").series.closes.tolist() == [199.0, 0.1]


def test_stacked_columns_of_parquet_are_told_by_ticker(parquet):
    path = parquet({"('Close', 'QQQ')": [1.0], "('Close', 'IWM')": [2.0], "Date": np.array(["2024-01-02"], "M8[ns]")})
    assert fetch(f"{path}#IWM").series.closes.tolist() == [2.0]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"Close": [1.0]}, "no column of dates"),
        ({"Date": ["2024-01-02", "x"], "Close": [1.0, 2.0]}, "row 2: not a date: 'x'"),
        ({"Date": ["2024-01-02"], "Close": [float("inf")]}, "row 1: not"),
        ({"Date": ["2024-01-02"], "Close": [[1.0]]}, "it cannot be read"),
    ],
)
def test_wrong_parquet_is_refused_by_row(parquet, columns, said):
    with pytest.raises(UnreadableFile, match=said):
        fetch(parquet(columns))


def test_a_file_that_only_claims_to_be_parquet_is_refused(read):
    pytest.importorskip("pyarrow")
    assert refusal(read, b"PAR1 and no more").startswith("not a parquet file that can be read")


def test_without_pyarrow_the_extra_is_named(read, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UnreadableFile, match="needs pyarrow") as caught:
        read(b"PAR1")
    assert caught.value.hint == "pip install 'pairwatch[parquet]'"


# --- whatever there is ----------------------------------------------------------------------------------------------

GOOD = [path.read_bytes() for path in sorted(SAVED.iterdir())]
GOOD += [gzip.compress(GOOD[0], mtime=0), GOOD[0].decode().encode("utf-16")]
CHUNKS = st.sampled_from(
    [b",", b";", b"\t", b'"', b"\n", b"\r", b"\x00", b"-", b".", b"#", b"nan", b"1e999", b"0", b"\xff", b" "]
)


def _kept_contract(path: Path, data: bytes, column: str) -> None:
    """A source gives a series or raises a `SourceError` that names the leg: nothing else."""
    path.write_bytes(data)
    given = _outcome(f"{path}#{column}" if column else str(path))
    if isinstance(given, SourceError):
        assert given.message.startswith(f"csv:{path}")
        assert is_clean(given.message + given.hint)
    else:
        assert len(given.series)
        assert is_clean(given.series.facts.name + "".join(given.remarks))


def _outcome(symbol: str) -> Fetched | SourceError:
    try:
        return fetch(symbol)
    except SourceError as error:
        return error


fuzz = settings(max_examples=EXAMPLES, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@fuzz
@given(data=st.one_of(st.binary(max_size=300), st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))))
def test_arbitrary_bytes_never_break_the_contract(tmp_path, data):
    _kept_contract(tmp_path / "any.csv", data, "")


@fuzz
@given(
    data=st.sampled_from(GOOD),
    edits=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 12), CHUNKS), min_size=1, max_size=4),
    column=st.sampled_from(["", "", "IWM", "Close"]),
)
def test_mutated_files_never_break_the_contract(tmp_path, data, edits, column):
    for place, length, chunk in edits:
        at = int(place * len(data))
        data = data[:at] + chunk + data[at + length :]
    _kept_contract(tmp_path / "any.csv", data, column)
