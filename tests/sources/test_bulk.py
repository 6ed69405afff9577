"""Long files read many rows at a time: what the careful way reads, to the last bit, or nothing."""

import math
from datetime import UTC, datetime
from time import perf_counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.wire import instant

from pairwatch.bars import SECOND, Interval
from pairwatch.errors import SourceError, UnreadableFile
from pairwatch.model import Leg
from pairwatch.sources import Request
from pairwatch.sources.files import bulk, ticking
from pairwatch.sources.files.bulk import read_in_bulk

LATEST = 2**62
MOMENT = 1_795_185_000  # 2026-11-20 14:30 UTC
FORMS = (
    "{:%Y-%m-%dT%H:%M:%SZ}",
    "{:%Y-%m-%d %H:%M}",
    "{:%Y-%m-%d %H:%M:%S}.25-05:00",
    "{:%Y-%m-%dT%H:%M:%S}.123456789+05:30",
    "{:%Y-%m-%d %H:%M:%S+09}",
    "{:%s}",
    "{:%s}000",
    "{:%s}.125",
)


def same(text, wanted=""):
    """Both ways read the same; what the careful one refuses, the other one leaves to it."""
    quick = read_in_bulk(text, wanted)
    try:
        careful = ticking._read_with_care(text, wanted, LATEST)
    except SourceError:
        assert quick is None
        return None
    if quick is None:
        return None
    assert np.array_equal(quick.moments.times, careful.moments.times)
    assert np.array_equal(quick.moments.ahead, careful.moments.ahead)
    assert quick.prices.tobytes() == careful.prices.tobytes()
    assert (quick.label, quick.remarks) == (careful.label, careful.remarks)
    return quick


def written(form, count=40, header="time,price\n", seed=0):
    rng = np.random.default_rng(seed)
    at = [datetime.fromtimestamp(MOMENT + int(s), UTC) for s in rng.integers(0, 10**6, count)]
    stamps = [form.replace("{:%s}", str(int(moment.timestamp()))).format(moment) for moment in at]
    return header + "".join(
        f"{stamp},{price:.4f}\n" for stamp, price in zip(stamps, rng.normal(0, 99, count), strict=True)
    )


@pytest.mark.parametrize("form", FORMS)
def test_plainly_written_files_are_read_in_bulk(form):
    assert same(written(form)) is not None


@pytest.mark.parametrize("form", FORMS[:4])
def test_no_header_is_needed(form):
    assert same(written(form, header="")) is not None


def test_stamps_of_several_lengths_and_prices_of_any_number_of_digits_are_read():
    rows = (
        "2026-11-20T14:30:00.123456789Z,100.00000000000001",
        "2026-11-20T14:30:01Z,0.1",
        "2026-11-20T14:30:02.5Z,-7",
    )
    found = same("time,price\n" + "\n".join(rows) + "\n")
    assert found.prices.tolist() == [100.00000000000001, 0.1, -7.0]
    assert (found.moments.times % SECOND).tolist() == [123_456_789, 0, 500_000_000]


def test_empty_cells_of_one_symbol_are_none():
    found = same("timestamp\tA\tB\n2026-11-20 14:30\t1\t\n2026-11-20 14:31\t\t2\n", "B")
    assert math.isnan(found.prices[0])
    assert found.prices[1] == 2
    assert "taken for UTC" in found.remarks[0]


def test_rows_of_several_pieces_keep_their_order(monkeypatch):
    text = written(FORMS[0], 500)
    whole = same(text)
    monkeypatch.setattr(bulk, "_PIECE", 100)
    pieces = same(text)
    assert pieces.prices.tolist() == whole.prices.tolist()
    assert pieces.moments.times.tolist() == whole.moments.times.tolist()


ODD = (
    "x",
    '"1"',
    "1e3",
    "1,5",
    " 1",
    "+1",
    ".",
    "-",
    "1.2.3",
    "1-2",
    "nan",
    "9" * 30,
    "0x1",
    "5.",
    ".5",
    "",
    "1",
    "-0",
)


@pytest.mark.parametrize("cell", ODD)
def test_odd_prices_are_read_alike_or_left_to_the_careful_way(cell):
    same(f"time,price\n{MOMENT},1\n{MOMENT + 1},{cell}\n{MOMENT + 2},3\n")


STAMPS = (
    "2026-02-29T10:00:00Z", "2026-11-20T24:00:00Z", "2026-11-20T23:59:60Z", "2026-11-20T10:00:00+19:00",
    "1600-01-01T00:00:00Z", "2026-13-01T10:00:00Z", "2026-11-00T10:00:00Z", "2026-11-20T10:00:00z",
    "2026/11/20 10:00", "2026-11-20T10:00:00+05", "2026-11-20", "", "#note",
    "9999999999999999999", "1795185000", "1795185000000",
)  # fmt: skip


@pytest.mark.parametrize("stamp", STAMPS)
@pytest.mark.parametrize("before", ["2026-11-20T10:00:00Z", str(MOMENT)])
def test_odd_stamps_are_read_alike_or_left_to_the_careful_way(stamp, before):
    same(f"time,price\n{before},1\n{stamp},2\n")
    same(f"time,price\n{stamp},2\n")


@settings(max_examples=400)
@given(st.lists(st.tuples(st.sampled_from(STAMPS[:6] + FORMS), st.sampled_from(ODD), st.sampled_from("\n\n\n,|"))))
def test_whatever_stands_in_a_file_both_ways_agree(rows):
    moment = datetime.fromtimestamp(MOMENT, UTC)
    same("time,price\n" + "".join(f"{t.replace('{:%s}', str(MOMENT)).format(moment)},{p}{end}" for t, p, end in rows))


def test_a_wrong_row_of_a_long_file_is_named_with_its_line(tmp_path):
    lines = written(FORMS[0], 5000).splitlines()
    lines[4000] = lines[4000].replace("2026", "2O26")
    (tmp_path / "ticks.csv").write_text("\n".join(lines))
    request = Request(Leg("csv", str(tmp_path / "ticks.csv")), instant("2027-01-01 00:00"))
    with pytest.raises(UnreadableFile, match="line 4001: no moment"):
        ticking.Ticks().gather(request, Interval.parse("ticks"))


def test_a_hundred_thousand_rows_take_no_time():
    text, best = written(FORMS[0], 100_000), math.inf
    for _ in range(3):
        began = perf_counter()
        assert read_in_bulk(text, "")
        best = min(best, perf_counter() - began)
    assert best < 0.35  # the careful way takes a second
