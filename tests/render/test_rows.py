import csv
import io
import json

import pytest
from rich.cells import cell_len

from pairwatch.render import Page
from pairwatch.render.rows import written

HEADER = ("leg", "closes", "seconds", "is_new", "error")
ROWS = [("QQQ", 6906, 2.627, True, None), ("fred:DGS10", None, 0.1, False, "a, b"), ("雀", 1, 12.0, None, None)]
PAGE = Page(now=0.0)


def test_csv_holds_every_value_and_nothing_for_what_cannot_be_said():
    rows = list(csv.reader(io.StringIO(written("csv", HEADER, ROWS, PAGE))))
    assert rows == [
        list(HEADER),
        ["QQQ", "6906", "2.627", "true", ""],
        ["fred:DGS10", "", "0.1", "false", "a, b"],
        ["雀", "1", "12.0", "", ""],
    ]


def test_json_holds_the_same_by_name():
    found = json.loads(written("json", HEADER, ROWS, PAGE))
    assert found == [dict(zip(HEADER, row, strict=True)) for row in ROWS]


def test_json_for_an_ascii_output_is_ascii():
    assert written("json", HEADER, ROWS, PAGE._replace(unicode=False)).isascii()


def test_a_table_lines_up_numbers_to_the_right_and_counts_wide_letters():
    assert written("table", HEADER, ROWS, PAGE).splitlines() == [
        "leg         closes  seconds  is new  error",
        "QQQ          6,906      2.6     yes  –",
        "fred:DGS10       –      0.1      no  a, b",
        "雀               1     12.0       –  –",
    ]


def test_a_column_that_says_nothing_is_left_out_of_a_table_alone():
    rows = [("QQQ", 1, 0.5, None, None)]
    assert written("table", HEADER, rows, PAGE).splitlines()[0] == "leg  closes  seconds"
    assert "error" in written("csv", HEADER, rows, PAGE)


@pytest.mark.parametrize("width", [20, 25, 40])
def test_words_that_do_not_fit_beside_their_row_stand_below_it_in_full(width):
    error = "no host could be reached by this machine, nor by any other one"
    rows = [("QQQ", 1, 0.5, True, error), ("IWM", 2, 0.5, False, None)]
    heading, *lines = written("table", HEADER, rows, PAGE._replace(width=width)).splitlines()
    assert max(map(len, lines)) <= width
    assert "error" not in heading
    assert (lines[0].split()[0], lines[-1].split()[0]) == ("QQQ", "IWM")
    assert " ".join(" ".join(lines[1:-1]).split()) == f"error: {error}"
    assert all(line.startswith("  ") for line in lines[1:-1])


def test_a_table_whose_words_fit_is_as_wide_as_it_is():
    text = written("table", HEADER, ROWS, PAGE)
    width = max(map(cell_len, text.splitlines()))
    assert written("table", HEADER, ROWS, PAGE._replace(width=width)) == text


@pytest.mark.parametrize("width", [10, 25, 40])
def test_a_table_of_long_names_is_cut_at_the_edge_of_the_page(width):
    lines = written("table", HEADER, [("x" * 100, 1, 0.5, True, None)], PAGE._replace(width=width)).splitlines()
    assert max(map(len, lines)) == width
    assert lines[1].endswith("…")


def test_a_table_for_an_ascii_output_is_ascii():
    assert written("table", HEADER, ROWS, PAGE._replace(unicode=False)).isascii()


@pytest.mark.parametrize(("form", "text"), [("csv", "leg\n"), ("json", "[]\n"), ("table", "leg\n")])
def test_no_rows_are_no_error(form, text):
    assert written(form, ("leg",), [], PAGE) == text
