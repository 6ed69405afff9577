"""A study in every format: the same cells, whatever the page."""

import csv
import io
import json
import math
import re
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from tests.builders import history, linked_pair, linked_returns, prices
from tests.studies.test_paired import pair_of

from pairwatch.errors import UsageError
from pairwatch.model import NAN, Column, Heading, Section
from pairwatch.render import Page, studies

NOW = 1.8e9
PAIR = pair_of(*linked_pair(300))
FORMS = ("csv", "json", "table")

NUMBERS = Heading(
    "numbers",
    "what there is now",
    "Numbers of several units.",
    (
        Column("what", "", "text", "What it is."),
        Column("value", "value", "unit", "Its value."),
        Column("unit", "", "text", "What the value is counted in."),
        Column("day", "day", "date", "Its day."),
        Column("n", "n", "count", "How many."),
        Column("sure", "sure?", "text", "Whether it is sure.", wide=True),
    ),
)
NUMBER_ROWS = (
    ("correlation", 0.8512345678901234, "number", date(2026, 11, 20), 61, True),
    ("change", -0.0312, "return", date(2026, 11, 19), 6_600, False),
    ("yield", 104.25, "bp", None, 0, None),
    ("nothing", NAN, "fraction", None, None, None),
)
TOLD = Heading(
    "told",
    "days and what there is to be told of each of these days, in a title that is longer than a narrow page",
    "Texts that are long.",
    (
        Column("day", "day", "date", "Its day."),
        Column("size", "size", "return", "How far."),
        Column("aside", "aside from that", "number", "Only where there is room.", wide=True),
        Column("story", "what was said", "text", "A sentence."),
    ),
)
STORY = "A fell by a tenth while B did nothing at all, and nobody could say afterwards why it was so."
TOLD_ROWS = ((date(2020, 3, 16), -0.12, 1234.5678, STORY), (date(2020, 3, 17), 0.06, NAN, "B followed."))
BROAD = Heading(
    "broad",
    "many columns",
    "More columns than a narrow page has room for.",
    (
        Column("name", "name", "text", "Its name."),
        *(Column(f"c{i}", f"column {i}", "number", "A number.") for i in range(9)),
    ),
)
BROAD_ROWS = (("first", *(i / 7 for i in range(9))), ("second", *(NAN for _ in range(8)), 3.0))
EMPTY = Heading("empty", "what there is not", "Nothing.", (Column("a", "a", "text", ""), Column("b", "b", "count", "")))
SECTIONS = (
    Section(
        NUMBERS, NUMBER_ROWS, ("a note that is rather long, so that it has to be folded on a page of forty columns",)
    ),
    Section(TOLD, TOLD_ROWS),
    Section(BROAD, BROAD_ROWS),
    Section(EMPTY, ()),
)
FINDINGS = ("It is far: z 2.1, a value that the last 61 days have not seen (n 300).", "No lead (p .62).")


def study(*sections, findings=FINDINGS, warnings=()):
    return PAIR.study("spread", findings, sections or SECTIONS, warnings)


def one(*cells, units=None):
    """A study of one row, its columns named a, b, .."""
    units = units or ["text", *["number"] * (len(cells) - 1)]
    columns = tuple(Column(chr(97 + i), chr(97 + i), unit, "") for i, unit in enumerate(units))
    return study(Section(Heading("only", "only", "", columns), (cells,)))


def written(form, found=None, only="", **page):
    return studies.written(form, found or study(), Page(**{"now": NOW, **page}), only)


def rows(text):
    return list(csv.reader(io.StringIO(text)))


def strict(text):
    """Parsed as JSON that has no NaN."""

    def refuse(name):
        raise AssertionError(name)

    return json.loads(text, parse_constant=refuse)


# ---------------------------------------------------------------- csv


def test_csv_of_a_whole_study_has_a_row_for_each_number_under_the_same_columns():
    head, *lines = rows(written("csv"))
    assert tuple(head) == studies.HEADER
    assert len(lines) == 4 * 4 + 2 * 3 + 2 * 9
    assert lines[0] == [
        *("AAA", "BBB", "2026-11-20", "numbers", "1", "correlation", "value"),
        *("0.8512345678901234", "number"),
    ]
    assert lines[4] == ["AAA", "BBB", "2026-11-20", "numbers", "2", "change", "value", "-0.0312", "return"]


def test_the_unit_column_says_the_unit_of_the_cells_that_ask_for_it_and_is_no_row_of_its_own():
    lines = [line for line in rows(written("csv"))[1:] if line[3] == "numbers"]
    assert [line[8] for line in lines if line[6] == "value"] == ["number", "return", "bp", "fraction"]
    assert {line[8] for line in lines if line[6] == "day"} == {"date"}
    assert "unit" not in {line[6] for line in lines}


def test_csv_of_one_section_has_its_own_columns_and_all_of_them():
    head, *lines = rows(written("csv", only="numbers"))
    assert head == ["what", "value", "unit", "day", "n", "sure"]
    assert lines[0] == ["correlation", "0.8512345678901234", "number", "2026-11-20", "61", "true"]
    assert lines[2] == ["yield", "104.25", "bp", "", "0", ""]
    assert lines[3] == ["nothing", "", "fraction", "", "", ""]


def test_csv_of_an_empty_section_is_its_header():
    assert written("csv", only="empty") == "a,b\n"


def test_csv_is_as_long_on_a_narrow_page_and_has_line_feeds_alone():
    assert written("csv", width=40, color=True) == written("csv")
    assert "\r" not in written("csv")


@settings(max_examples=60)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_comes_out_of_csv_and_json_as_it_went_in(value):
    found = one("row", value)
    assert float(rows(written("csv", found, "only"))[1][1]) == value
    assert float(rows(written("csv", found))[1][7]) == value
    assert strict(written("json", found))["sections"]["only"][0]["b"] == value


# ---------------------------------------------------------------- json


def test_json_holds_every_section_as_objects_and_null_for_what_cannot_be_said():
    document = strict(written("json"))
    assert (document["schema"], document["study"], document["a"], document["b"]) == (1, "spread", "AAA", "BBB")
    assert (document["as_of"], document["bars"], document["stale"], document["simulated"]) == (
        *("2026-11-20", 65),
        *(False, False),
    )
    assert list(document["sections"]) == ["numbers", "told", "broad", "empty"]
    assert document["findings"] == list(FINDINGS)
    assert document["sections"]["numbers"][0] == {
        "what": "correlation",
        "value": 0.8512345678901234,
        "unit": "number",
        "day": "2026-11-20",
        "n": 61,
        "sure": True,
    }
    assert document["sections"]["numbers"][3] == {
        "what": "nothing",
        "value": None,
        "unit": "fraction",
        "day": None,
        "n": None,
        "sure": None,
    }
    assert document["sections"]["empty"] == []
    assert document["notes"] == {"numbers": list(SECTIONS[0].notes)}
    assert document["receipt"]["closes"] == 301


@pytest.mark.parametrize("value", [NAN, math.inf, -math.inf, np.float64("nan"), np.float32("inf")])
def test_what_is_not_finite_is_null_in_json_empty_in_csv_and_a_dash_in_a_table(value):
    found = one("row", value)
    assert strict(written("json", found))["sections"]["only"] == [{"a": "row", "b": None}]
    assert rows(written("csv", found, "only"))[1] == ["row", ""]
    columns = (Column("a", "a", "text", ""), Column("b", "b", "number", ""))
    both = study(Section(Heading("s", "s", "", columns), (("row", value), ("other", 1.0))))
    assert "  row        –\n" in written("table", both)


def test_json_of_one_section_holds_it_alone_with_everything_else():
    document = strict(written("json", only="told"))
    assert list(document["sections"]) == ["told"]
    assert document["findings"] == list(FINDINGS)
    assert document["notes"] == {}


def test_json_is_ascii_where_the_page_is_and_says_the_same():
    found = one("für – 東京", 1.0)
    plain = written("json", found, unicode=False)
    assert plain.isascii()
    assert strict(plain) == strict(written("json", found))


# ---------------------------------------------------------------- numbers of numpy


@pytest.mark.parametrize(
    ("cell", "unit", "in_csv", "in_json", "in_table"),
    [
        (np.float64(0.5), "number", "0.5", 0.5, "0.500"),
        (np.float32(0.5), "number", "0.5", 0.5, "0.500"),
        (np.int64(7), "count", "7", 7, "7"),
        (np.bool_(True), "text", "true", True, "yes"),
        (np.bool_(False), "text", "false", False, "no"),
        (np.str_("plain"), "text", "plain", "plain", "plain"),
        (np.datetime64("2026-11-20"), "date", "2026-11-20", "2026-11-20", "2026-11-20"),
    ],
)
def test_scalars_of_numpy_are_printed_as_pythons_own(cell, unit, in_csv, in_json, in_table):
    found = one("row", cell, units=["text", unit])
    assert rows(written("csv", found, "only"))[1] == ["row", in_csv]
    assert rows(written("csv", found))[1][7] == in_csv
    assert strict(written("json", found))["sections"]["only"][0]["b"] == in_json
    (line,) = (line for line in written("table", found).splitlines() if line.startswith("  row"))
    assert line.split() == ["row", in_table]


def test_a_day_of_numpy_that_is_none_cannot_be_said():
    found = one("row", np.datetime64("NaT"), units=["text", "date"])
    assert rows(written("csv", found, "only"))[1] == ["row", ""]
    assert strict(written("json", found))["sections"]["only"][0]["b"] is None


# ---------------------------------------------------------------- tables


@pytest.mark.parametrize("unicode", [True, False])
@pytest.mark.parametrize("width", [20, 30, 40, 60, 80, 100, 120, 200])
def test_no_line_of_a_table_is_wider_than_the_page(width, unicode):
    found = study(warnings=("AAA: a remark that is long enough to be folded on every page of eighty columns or less",))
    lines = written("table", found, width=width, unicode=unicode).splitlines()
    assert max(map(cell_len, lines)) <= width
    assert all(line == line.rstrip() for line in lines)


WORDS = st.text(st.sampled_from("abc 東é-"), max_size=60)
CELLS = st.one_of(st.none(), st.booleans(), st.floats(), st.integers(-(10**9), 10**9), st.dates(), WORDS)
GRID = st.integers(1, 6).flatmap(
    lambda k: st.tuples(
        st.lists(st.tuples(WORDS, st.sampled_from(["text", "number", "date"]), st.booleans()), min_size=k, max_size=k),
        st.lists(st.tuples(*[CELLS] * k), max_size=4),
    )
)


@settings(max_examples=150)
@given(GRID, st.integers(24, 120))
def test_whatever_the_columns_hold_a_table_fits_its_page(grid, width):
    heads, cells = grid
    columns = tuple(
        Column(f"c{i}", label, "text" if any(isinstance(row[i], str) for row in cells) else unit, "", wide)
        for i, (label, unit, wide) in enumerate(heads)
    )
    found = study(Section(Heading("s", "a title of some words", "", columns), tuple(cells), ("a note",)))
    assert max(map(cell_len, written("table", found, width=width).splitlines())) <= width


def test_columns_that_are_wide_are_left_out_where_there_is_no_room():
    narrow, broad = (written("table", only="told", width=width) for width in (80, 200))
    assert "aside from that" not in narrow
    assert "aside from that" in broad
    assert "aside from that" in written("table", only="told")


SPREAD = Heading(
    "spreads",
    "spreads",
    "Numbers with ends.",
    (
        Column("name", "", "text", "Its name."),
        *(Column(f"c{i}", f"column {i}", "number", "A number.") for i in range(4)),
        Column("half_life", "half-life", "bars", "How many bars."),
        Column("half_life_low", "95 % from", "bars", "The lower end.", wide=True),
        Column("half_life_high", "to", "bars", "The upper end.", wide=True),
        Column("share", "share", "fraction", "A share."),
        Column("share_low", "95 % from", "fraction", "The lower end.", wide=True),
        Column("share_high", "to", "fraction", "The upper end.", wide=True),
    ),
)
SPREAD_ROWS = (
    ("first", 1.0, 2.0, 3.0, 4.0, 1234.4, 85.6, NAN, 0.5, 0.25, 0.75),
    ("second", 1.0, 2.0, 3.0, 4.0, 8.0, 1.0, 120.0, 0.5, NAN, NAN),
    ("third", 1.0, 2.0, 3.0, 4.0, NAN, NAN, NAN, NAN, NAN, NAN),
)


def test_ends_of_intervals_stand_in_brackets_where_their_columns_have_no_room():
    found = study(Section(SPREAD, SPREAD_ROWS))
    lines = written("table", found, width=100).splitlines()
    head = next(line for line in lines if "column 0" in line)
    cells = {
        line.split()[0]: re.split(r"  +", line.strip())[5:]
        for line in lines
        if re.match("  (first|second|third)", line)
    }
    assert "half-life, bars" in head
    assert "95 % from" not in head
    assert cells == {
        "first": ["1,234 [86, none]", "50.00% [25.00%, 75.00%]"],
        "second": ["8.0 [1.0, 120]", "50.00%"],
        "third": ["–", "–"],
    }


def test_ends_of_intervals_have_columns_where_there_is_room_and_none_where_not_even_brackets_have():
    found = study(Section(SPREAD, SPREAD_ROWS))
    broad, narrow = (written("table", found, width=width) for width in (150, 74))
    assert "85.6 bars" in broad
    assert "[" not in "\n".join(line for line in broad.splitlines() if "first" in line)
    assert next(line for line in narrow.splitlines() if "first" in line).split()[-3:] == ["1,234", "bars", "50.00%"]


def test_numbers_of_a_column_have_as_many_decimals():
    columns = (Column("a", "a", "text", ""), Column("r", "r", "number", ""))

    def shown(*values):
        rows_ = tuple((f"row{i}", value) for i, value in enumerate(values))
        lines = written("table", study(Section(Heading("s", "s", "", columns), rows_))).splitlines()
        return [line.split()[-1] for line in lines if line.startswith("  row")]

    assert shown(0.000512, -0.0798, 0.003, -0.2) == ["0.001", "-0.080", "0.003", "-0.200"]
    assert shown(-0.00004, 2.1) == ["0.000", "2.100"]
    assert shown(0.000512, 0.00123)[0] == "0.000512"  # a share priced in bitcoin
    assert shown(0.000512, 4000.0)[0] == "0.000512"


def test_a_text_at_the_end_is_folded_under_its_own_head():
    lines = written("table", only="told", width=80).splitlines()
    at = next(line.index("what was said") for line in lines if "what was said" in line)
    start = next(i for i, line in enumerate(lines) if line.startswith("  2020-03-16"))
    end = next(i for i, line in enumerate(lines) if line.startswith("  2020-03-17"))
    assert end - start > 1
    assert " ".join(line[at:] for line in lines[start:end]) == STORY
    assert all(not line[:at].strip() for line in lines[start + 1 : end])


def test_every_number_is_there_on_a_page_too_narrow_for_columns():
    text = written("table", only="broad", width=40)
    assert re.findall(r"column (\d)", text) == [*map(str, range(9)), "8"]
    assert "  second\n    column 8 3" in text


def test_a_column_in_which_nothing_can_be_said_is_not_shown():
    found = study(Section(BROAD, tuple((name, NAN, *cells[1:]) for name, *cells in BROAD_ROWS)))
    assert "column 0" not in written("table", found)
    assert "column 1" in written("table", found)


def test_the_unit_column_is_not_shown_and_its_unit_is_in_the_number():
    lines = written("table", only="numbers").splitlines()
    cells = {line.split()[0]: line.split()[1:] for line in lines if line.startswith("  ") and len(line.split()) > 1}
    assert cells["correlation"] == ["0.851", "2026-11-20", "61", "yes"]
    assert cells["change"] == ["-3.12%", "2026-11-19", "6,600", "no"]
    assert "fraction" not in "\n".join(lines)


def test_a_section_without_rows_says_so():
    assert "what there is not\n  none\n" in written("table", only="empty")


@pytest.mark.parametrize("width", [None, 30])
def test_rows_that_say_nothing_at_all_are_no_trouble(width):
    assert "only" in written("table", one(None, NAN), width=width)
    assert "only" in written("table", one("", NAN), width=width)


@pytest.mark.parametrize("width", [None, 24, 80])
def test_a_section_of_one_column_is_no_trouble(width):
    text = written("table", one(STORY), width=width)
    shown = text.split("\n\n")[1].split()
    assert " ".join(shown).endswith(STORY)


def test_a_study_without_sections_has_its_findings():
    bare = replace(study(), sections=())
    assert FINDINGS[1] in written("table", bare)
    assert strict(written("json", bare))["sections"] == {}
    assert written("csv", bare) == ",".join(studies.HEADER) + "\n"


def test_a_table_begins_with_its_legs_and_findings_and_ends_with_its_receipt():
    lines = written("table").splitlines()
    assert lines[0] == f"AAA against BBB · spread · {PAIR.day(0)} to 2026-11-20"
    assert lines[1:3] == [f"  {text}" for text in FINDINGS]
    text = "\n".join(lines)
    assert f"301 common closes from {PAIR.day(0)} to 2026-11-20 (300 returns)" in text
    assert "rolling windows of 65 bars" in text


def test_the_receipt_of_rates_has_changes_and_no_distributions():
    steps = 0.03 * np.random.default_rng(1).standard_normal((2, 100))
    legs = [
        history(3 + leg.cumsum(), symbol=s, measure="rate", unit="percent")
        for leg, s in zip(steps, ("AAA", "BBB"), strict=True)
    ]
    text = written("table", pair_of(*legs).study("spread", FINDINGS, SECTIONS))
    assert "(99 changes)" in text
    assert "distributions" not in text
    assert "distributions reinvested" in written("table")


def test_a_study_of_other_than_common_closes_says_what_it_is_of():
    text = written("table", replace(study(), history="12,000 ticks in 3 sessions"))
    assert re.search(r"^  history +12,000 ticks in 3 sessions$", text, re.MULTILINE)
    assert "common close" not in text


def test_what_is_simulated_is_marked_so_at_the_top():
    drawn = history(prices(linked_returns(61)[0]), simulated=True)
    found = pair_of(drawn, linked_pair(61)[1]).study("spread", FINDINGS, SECTIONS)
    assert written("table", found).splitlines()[0].endswith("· simulated")


def test_a_table_has_colours_only_where_the_page_has():
    assert "\x1b[" in written("table", color=True)
    assert "\x1b" not in written("table", color=False)


def test_colours_change_no_letter():
    plain, colored = (written("table", color=color, width=80) for color in (False, True))
    assert [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", colored).splitlines()] == plain.splitlines()


def test_a_table_for_an_output_of_ascii_is_ascii():
    assert written("table", one("für – 東京 ½", NAN, 1.0), unicode=False).isascii()


@pytest.mark.parametrize("form", FORMS)
def test_a_row_has_the_same_numbers_in_every_format(form):
    assert "0.85" in written(form, only="numbers")


# ---------------------------------------------------------------- texts from outside

EVIL = "\x1b[2J\x1b]0;owned\x07 \u202egnp\u200b\x9b31m\r\nsecond"


@pytest.mark.parametrize("color", [False, True])
@pytest.mark.parametrize("place", ["cell", "name", "finding", "note", "title"])
def test_a_table_obeys_no_text(place, color):
    text = {name: EVIL if name == place else "plain" for name in ("cell", "name", "finding", "note", "title")}
    heading = Heading("s", text["title"], "", (Column("a", "a", "text", ""), Column("b", "b", "text", "")))
    found = study(Section(heading, ((text["name"], text["cell"]),), (text["note"],)), findings=(text["finding"],))
    shown = re.sub(r"\x1b\[[0-9;]*m", "", written("table", found, color=color))
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202e]", shown)
    assert "31m second" in " ".join(shown.split())


@pytest.mark.parametrize("text", ["=1+2", "+1", "-cmd|' /C calc'!A0", "@SUM(A1)", "\t=1"])
@pytest.mark.parametrize("only", ["", "only"])
def test_a_text_that_a_spreadsheet_would_run_is_quoted_in_csv(text, only):
    for found in (one("row", text, units=["text", "text"]), one(text, "cell", units=["text", "text"])):
        assert not any(
            cell.startswith(("=", "+", "-", "@", "\t")) for line in rows(written("csv", found, only)) for cell in line
        )


def test_a_negative_number_is_no_formula():
    assert rows(written("csv", one("row", -1.5), "only"))[1] == ["row", "-1.5"]


def test_a_unit_that_a_spreadsheet_would_run_is_quoted_in_csv():
    columns = (Column("a", "a", "text", ""), Column("v", "v", "unit", ""), Column("unit", "", "text", ""))
    found = study(Section(Heading("s", "s", "", columns), (("row", 1.0, "=evil"),)))
    assert rows(written("csv", found))[1][8] == "'=evil"


def test_json_carries_texts_as_they_are_with_their_controls_escaped():
    text = written("json", one("row", "a\x1b[2J\nb", units=["text", "text"]))
    assert "\x1b" not in text
    assert strict(text)["sections"]["only"][0]["b"] == "a\x1b[2J\nb"


# ---------------------------------------------------------------- what cannot be written


@pytest.mark.parametrize("form", FORMS)
def test_a_section_that_there_is_not_is_a_usage_error_that_names_those_there_are(form):
    with pytest.raises(UsageError, match="spread has no section 'ledge'") as caught:
        written(form, only="ledge")
    assert caught.value.hint == "there are numbers, told, broad, empty"


def test_a_study_is_not_written_as_markdown():
    with pytest.raises(UsageError, match="no study is written as markdown") as caught:
        written("markdown")
    assert caught.value.hint == "it is --format table, csv or json"
