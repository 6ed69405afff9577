"""Moments and prices in files: every way to write a moment, and what is wrong with a file said with its line."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.wire import instant

from pairwatch.bars import SECOND, Interval
from pairwatch.errors import SourceError, UnreadableFile
from pairwatch.model import Leg
from pairwatch.sources import Request
from pairwatch.sources.files.instants import looks_like_moment, read_moments
from pairwatch.sources.files.ticking import Ticks

NOW = instant("2026-11-20 21:00")
YEARS = datetime(1990, 1, 1), datetime(2090, 1, 1)  # noqa: DTZ001 - the zone is written behind them
MOMENT = 1_795_185_000  # 2026-11-20 14:30 UTC


def where(at):
    return f"line {at + 2}"


def read(tmp_path, text, column=""):
    path = tmp_path / "ticks.csv"
    path.write_text(text)
    leg = Leg("csv", f"{path}{column}")
    return Ticks().gather(Request(leg, NOW), Interval.parse("ticks"))


@pytest.mark.parametrize(
    "cell",
    [
        "2026-11-20T14:30:00Z",
        "2026-11-20 14:30:00+00:00",
        "2026-11-20 09:30:00-05:00",
        "2026-11-20T09:30:00-0500",
        "2026-11-20 09:30-05",
        "2026-11-20 20:00:00.000+05:30",
        "2026-11-20 14:30 UTC",
        "1795185000",
        "1795185000.000",
        "1795185000000",
        "1795185000000000",
        "1795185000000000000",
    ],
)
def test_a_moment_is_the_same_however_it_is_written(cell):
    found = read_moments([cell], where)
    assert found.times.tolist() == [MOMENT * SECOND]
    assert found.remarks == ()
    assert looks_like_moment(cell)


def test_without_an_offset_utc_is_assumed_and_said():
    found = read_moments(["2026-11-20 14:30:00", "2026-11-20T14:30:00.25"], where)
    assert found.times.tolist() == [MOMENT * SECOND, MOMENT * SECOND + SECOND // 4]
    assert "taken for UTC" in found.remarks[0]


def test_the_day_is_the_one_that_is_written():
    found = read_moments(["2026-11-20T08:00:00+09:00"], where)
    assert (str(found.days[0]), found.times[0] // SECOND) == ("2026-11-20", MOMENT - 14 * 3600 - 1800 - 3600)


@given(st.lists(st.datetimes(*YEARS), min_size=1, max_size=9))
def test_pandas_reads_the_same(moments):
    cells = [moment.isoformat(sep=" ") + "+02:00" for moment in moments]
    cells = [cell if "." in cell else cell.replace("+02:00", ".0+02:00") for cell in cells]
    expected = pd.to_datetime(cells, utc=True).as_unit("ns").astype("i8")
    assert read_moments(cells, where).times.tolist() == expected.tolist()


@given(st.integers(10**9, 2 * 10**9), st.integers(0, 999_999_999))
def test_parts_of_seconds_are_kept_to_the_nanosecond(seconds, parts):
    assert read_moments([f"{seconds}.{parts:09}"], where).times[0] == seconds * SECOND + parts


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["2026-11-20 14:30:00", "2026-11-20"], "line 3: a date without a time"),
        (["2026-11-20 14:30:00", "soon"], "line 3: no moment: 'soon'"),
        (["1795185000", "2026-11-20 14:30:00"], "line 3: no moment"),
        (["1795185000", "1795185000000"], "some stamps are in seconds"),
        (["2026-11-31 14:30:00"], "that there is not"),
        (["2026-11-20 25:30:00"], "that there is not"),
        (["2026-11-20 14:30:00+99:00"], "line 2: no moment"),
        (["1795185000", "50000000000"], "line 3: a moment before 1678 or after 2261: 50000000000"),
        (["9999999999999999990"], "line 2: a moment before 1678 or after 2261"),
        (["9214646400"], "after 2261"),
        (["2999-01-01T00:00:00Z"], "line 2: a moment before 1678 or after 2261: 2999"),
        (["1500-01-01T00:00:00Z"], "after 2261"),
    ],
)
def test_what_is_no_moment_is_named_with_its_line(cells, words):
    with pytest.raises(UnreadableFile, match=words):
        read_moments(cells, where)


@pytest.mark.parametrize(
    "cell", ["9214646399", "9214646399999999999", "2261-12-31T23:59:59.999999999-18:00", "1678-01-01T00:00:00+18:00"]
)
def test_the_first_and_the_last_moments_are_what_they_say(cell):
    (found,) = read_moments([cell], where).times
    assert np.datetime64(int(found), "ns").astype("M8[Y]").astype(int) + 1970 in (1677, 2261, 2262)


WRITTEN = st.builds(
    "{:04}-{:02}-{:02}{}{:02}:{:02}{}{}".format,
    st.integers(0, 9999),
    st.integers(0, 13),
    st.integers(0, 32),
    st.sampled_from("T _"),
    st.integers(0, 24),
    st.integers(0, 60),
    st.sampled_from(["", ":00", ":60", ":59.999999999", ":00,5", ":0"]),
    st.sampled_from(["", "Z", " UTC", "+99:99", "-18:00", "+1800", "-05", "z", "+-1"]),
)
COUNTED = st.builds(
    "{}{}".format, st.integers(0, 10**20), st.sampled_from(["", ".", ".5", ".999999999", ".9999999999", "e3"])
)
FIRST, LAST = -9_214_560_000 - 86_400, 9_214_646_400 + 86_400


@settings(max_examples=1500)
@given(st.lists(st.one_of(WRITTEN, COUNTED, st.text(max_size=25)), min_size=1, max_size=4))
def test_hostile_stamps_are_read_as_they_are_written_or_refused(cells):
    try:
        found = read_moments(cells, where)
    except UnreadableFile:
        return
    for cell, moment, day in zip(cells, found.times.tolist(), found.days.tolist(), strict=True):
        assert FIRST * SECOND <= moment < LAST * SECOND
        written = (
            cell[:10] if "-" in cell[:5] else str(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(0, moment // SECOND))
        )
        assert str(day) == written[:10]


@settings(max_examples=300)
@given(st.lists(st.tuples(st.one_of(WRITTEN, COUNTED), st.floats().map(str)), max_size=4))
def test_a_file_of_hostile_stamps_and_prices_gives_bars_or_an_error_of_ours(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("hostile")
    with suppress(SourceError):
        assert len(read(folder, "time,price\n" + "".join(f"{t},{p}\n" for t, p in rows)).bars)


def test_a_file_of_times_and_prices(tmp_path):
    found = read(tmp_path, f"time,price\n{MOMENT},100.5\n{MOMENT + 2},101\n")
    assert found.bars.times.tolist() == [MOMENT * SECOND, (MOMENT + 2) * SECOND]
    assert found.bars.prices.tolist() == [100.5, 101.0]
    assert str(found.bars.sessions[0]) == "2026-11-20"


def test_a_column_for_each_symbol(tmp_path):
    text = "timestamp,QQQ,IWM\n2026-11-20T14:30:00Z,600,200\n2026-11-20T14:31:00Z,,201\n"
    assert read(tmp_path, text, "#IWM").bars.prices.tolist() == [200.0, 201.0]
    found = read(tmp_path, text, "#QQQ")
    assert (found.bars.prices.tolist(), found.remarks) == ([600.0], ("1 row without a value skipped",))


def test_rows_are_put_in_order_and_of_one_moment_the_last_price_counts(tmp_path):
    found = read(tmp_path, f"time,price\n{MOMENT + 5},3\n{MOMENT},1\n{MOMENT},2\n")
    assert found.bars.prices.tolist() == [2.0, 3.0]
    assert found.remarks == ("1 price followed by another of the same moment left out",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("time,price\n1895185000,1\n", "line 2: a moment in the future"),
        ("time,price\n1795185000,\n", "no value in the column 'price'"),
        ("time,price\n1795185000,abc\n", "line 2: not a number"),
        ("time,price\n", "no line with a date below|no rows"),
        ("Date,Close\n2026-11-20,1\n", "a date without a time"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_leg(tmp_path, text, words):
    with pytest.raises(SourceError, match=words) as caught:
        read(tmp_path, text)
    assert caught.value.message.startswith("csv:")


def test_many_ticks_are_read_as_numpy_would(tmp_path):
    times = MOMENT * 1000 - np.arange(20_000)[::-1] * 7
    prices = np.round(100 + np.sin(times / 1e6), 6)
    body = "".join(
        f"{datetime.fromtimestamp(t / 1000, UTC):%Y-%m-%dT%H:%M:%S}.{t % 1000:03}Z,{p:.6f}\n"
        for t, p in zip(times.tolist(), prices.tolist(), strict=True)
    )
    found = read(tmp_path, "time,price\n" + body).bars
    assert np.array_equal(found.times, times * 10**6)
    assert np.array_equal(found.prices, prices)
