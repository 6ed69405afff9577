import csv
import io
import json
import math
import re
from datetime import date, timedelta

import numpy as np
import pytest
from rich.cells import cell_len
from tests.render.test_golden import FOLDER, NOW, WRITE, comparable

from pairwatch.model import NAN, Leg, Window
from pairwatch.records import Row, Table
from pairwatch.render import Page, records
from pairwatch.snapshots import Named, Snapshot
from pairwatch.staging import Question

LEGS = Leg("yahoo", "QQQ"), Leg("csv", "my prices, all.csv#IWM")
ASKED = Question(date(2026, 11, 20), Window.parse("90d"))
COLUMNS = (
    Named("pair", "correlation", "number"),
    Named("a", "volatility", "fraction"),
    Named("a", "volatility", "bp"),
    Named("b", "last", "USD"),
    Named("difference", "volatility", "fraction"),
    Named("leadership", "lead_lag", "bars"),
    Named("leadership", "lead_p_value", "probability"),
    Named("pair", "of_an_earlier_version", "number"),
)
DAYS = [date(2026, 11, day) for day in (16, 17, 19, 20)]
VALUES = [
    [0.8512345678901234, 0.21, NAN, 612.25, -0.031, 0.0, 0.4125, 1234.5678],
    [NAN, 0.2199, NAN, 1e9, NAN, 2.0, 0.0005, NAN],
    [-1.0, NAN, 104.25, 0.0001, 0.0, -10.0, 1.0, 0.0],
    [0.5, NAN, 99.0, 13.37, 0.01, 1.0, 0.05, -2.5e-9],
]


def of_days(days, values, columns=COLUMNS):
    """A table whose third row was recomputed, and whose second is a revision."""
    revisions = {1: 2}
    rows = [
        Row(day, None if n == 2 else Snapshot(n, *LEGS, ASKED, day, revisions.get(n, 1), 1.7e9 + 86_400 * n, "0.1"))
        for n, day in enumerate(days)
    ]
    return Table(*LEGS, ASKED, columns, tuple(rows), np.array(values, dtype="f8").reshape(len(rows), len(columns)))


TABLE = of_days(DAYS, VALUES)
FORMS = {
    "table.80.txt": (records.as_table, Page(now=NOW, width=80)),
    "table.40.txt": (records.as_table, Page(now=NOW, width=40)),
    "table.pipe.txt": (records.as_table, Page(now=NOW)),
    "table.ascii.txt": (records.as_table, Page(now=NOW, width=80, unicode=False)),
    "csv": (records.as_csv, Page(now=NOW)),
    "json": (records.as_json, Page(now=NOW)),
}


def read(text):
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("ending", FORMS)
def test_a_format_is_as_it_was(ending):
    write, page = FORMS[ending]
    text = comparable(write(TABLE, page))
    file = FOLDER / f"records.{ending}"
    if WRITE:
        file.write_bytes(text.encode())
    assert file.read_bytes().decode() == text


def test_every_number_comes_out_of_csv_and_json_as_it_went_in():
    titles = TABLE.titles()
    in_csv = read(records.as_csv(TABLE, Page(now=NOW)))
    in_json = json.loads(records.as_json(TABLE, Page(now=NOW)))["snapshots"]
    for values, line, entry in zip(VALUES, in_csv, in_json, strict=True):
        for title, value in zip(titles, values, strict=True):
            if math.isnan(value):
                assert (line[title], entry["values"][title]) == ("", None)
            else:
                assert (float(line[title]), entry["values"][title]) == (value, value)


def test_csv_and_json_say_what_was_recomputed_and_when_the_rest_was_taken():
    in_csv = read(records.as_csv(TABLE, Page(now=NOW)))
    assert [line["recomputed"] for line in in_csv] == ["false", "false", "true", "false"]
    assert [line["revision"] for line in in_csv] == ["1", "2", "", "1"]
    assert [line["taken_at"] for line in in_csv][1:3] == ["2023-11-15T22:13:20Z", ""]
    in_json = json.loads(records.as_json(TABLE, Page(now=NOW)))["snapshots"]
    assert [entry["recomputed"] for entry in in_json] == [False, False, True, False]
    assert (in_json[2]["revision"], in_json[2]["taken_at"]) == (None, None)


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_no_line_of_a_table_is_wider_than_the_page(width):
    lines = records.as_table(TABLE, Page(now=NOW, width=width)).splitlines()[1:-1]  # the heading and the footnote fold
    assert max(map(cell_len, lines)) <= width


def test_every_block_of_a_narrow_table_begins_with_the_sessions():
    text = records.as_table(TABLE, Page(now=NOW, width=40))
    blocks = text.split("\n\n")[1:-1]
    assert len(blocks) > 1
    for block in blocks:
        assert [line[:10] for line in block.splitlines()] == ["session   ", *map(str, DAYS)]


def test_a_narrow_table_says_what_a_wide_one_does():
    wide, narrow = (records.as_table(TABLE, Page(now=NOW, width=width)) for width in (None, 40))
    columns = {}
    for block in (*wide.split("\n\n")[1:-1], *narrow.split("\n\n")[1:-1]):
        heads, *rows = [re.split(r"(?: \*)? {2,}", line.strip()) for line in block.splitlines()]
        for head, *cells in zip(heads, *rows, strict=True):
            assert columns.setdefault(head, cells) == cells
    assert list(columns) == ["session", *TABLE.titles()]


def test_a_column_wider_than_the_page_has_a_block_of_its_own():
    long = (Named("pair", "x" * 70, "number"), COLUMNS[0])
    text = records.as_table(of_days(DAYS, [[1.0, 2.0]] * 4, long), Page(now=NOW, width=80))
    assert text.count("session") == 2


def test_a_table_without_a_recomputed_row_has_no_footnote():
    assert "*" not in records.as_table(TABLE.newest(1), Page(now=NOW, width=80))
    assert "* never snapped" in records.as_table(TABLE, Page(now=NOW, width=80))


def test_ten_years_are_written_in_the_order_of_their_sessions():
    days = [DAYS[0] + timedelta(days=n) for n in range(2520)]
    table = of_days(days, [[float(n)] for n in range(2520)], COLUMNS[:1])
    found = read(records.as_csv(table, Page(now=NOW)))
    assert [line["session"] for line in found] == [str(day) for day in days]
    assert [float(line["correlation"]) for line in found] == list(range(2520))
