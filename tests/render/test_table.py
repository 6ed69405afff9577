import csv
import io
import re
from dataclasses import replace

import pytest
from rich.cells import cell_len
from tests.render.comparisons import (
    ALL,
    HOSTILE_TEXTS,
    NOW,
    PIPE,
    STATISTICS,
    Page,
    demo,
    flat,
    hostile,
    many_lags,
    points_and_level,
    with_files,
    with_past,
)

from pairwatch.model import Reading
from pairwatch.render import cells, table
from pairwatch.render import csv as csv_writer
from pairwatch.stats.percentiles import shown

LONG = ("a-folder/" * 6 + "first.csv", "b-folder/" * 6 + "other.csv")
KNOWN = "·–▁▂▃▄▅▆▇█◂▸▾▴"


def page(width=None, **more):
    return Page(now=NOW, width=width, **more)


def drawn(c, width=None, **more):
    return table.comparison(c, page(width, **more))


def from_csv(c):
    """Every reading as CSV gives it."""
    for row in list(csv.reader(io.StringIO(csv_writer.comparison(c, PIPE))))[1:]:
        scope, key, value, unit = row[4:]
        if not key.startswith("r(") and scope != "percentile":
            statistic = STATISTICS["leg" if scope in ("a", "b", "difference") else scope, key]
            yield Reading(statistic, scope, float(value or "nan"), unit)


# ---------------------------------------------------------------- the same numbers as everywhere


@pytest.mark.parametrize("width", [None, 120, 80])
@pytest.mark.parametrize("name", ALL)
def test_the_legs_cells_are_those_of_csv(name, width):
    c = ALL[name]()
    text = drawn(c, width)
    by_key = {}
    for r in from_csv(c):
        if r.scope in ("a", "b", "difference"):
            by_key.setdefault(r.statistic.key, []).append(r)
    for found in by_key.values():
        shown = [re.escape(cells.cell(r) + cells.mark(c, r.scope, r.statistic.key)) for r in found]
        row = r"\s+".join((re.escape(found[0].statistic.label), *shown))
        assert re.search(rf"^  {row}(?:\s|$)", text, re.MULTILINE), row


@pytest.mark.parametrize("width", [None, 120, 80])
def test_a_percentile_stands_beside_each_of_the_pairs_numbers_that_has_one(width):
    c = with_past()
    text = drawn(c, width)
    labels = {r.statistic.key: r.statistic.label for r in c if r.scope == "pair"}
    values = {r.statistic.key: cells.cell(r) for r in c if r.scope == "pair"}
    pair = {key: share for (scope, key), share in c.percentiles.of.items() if scope == "pair"}
    assert len(pair) == 21
    for key, share in pair.items():
        said = shown(share)
        assert re.search(
            rf"{re.escape(labels[key])}\s+{re.escape(values[key])}\s+{said}(?:\s|$)", text, re.MULTILINE
        ), key


def test_unusual_numbers_of_legs_are_marked_low_or_high_and_no_others():
    c = with_past()
    marks = {(s, k): cells.mark(c, s, k) for s, k in c.percentiles.of}
    assert {m for n, m in marks.items() if n in c.percentiles.unusual} == {"▾", "▴"}
    assert not any(m for n, m in marks.items() if n not in c.percentiles.unusual)
    assert marks["a", "volatility"] == "▴"
    assert marks["a", "total_return"] == "▾"
    assert re.search(r"^  volatility +118\.79%\^", drawn(c, 80, unicode=False), re.MULTILINE)


def test_a_loss_stays_red_with_its_mark():
    assert "\x1b[31m-27.72%▾\x1b[0m" in drawn(with_past(), 80, color=True)


def test_the_receipt_says_what_the_percentiles_are_of():
    text = " ".join(drawn(with_past(), 80).split())
    assert "place among 576 windows of 25 bars since 2024-08-02 (24 that do not overlap)" in text
    assert "%ile" not in drawn(demo(), 80) or demo().percentiles


@pytest.mark.parametrize("width", [None, 120, 80])
@pytest.mark.parametrize("name", ALL)
def test_the_pairs_cells_are_those_of_csv(name, width):
    c = ALL[name]()
    text = drawn(c, width)
    for r in from_csv(c):
        if r.scope == "pair" and not r.statistic.interval:
            row = rf"{re.escape(r.statistic.label)}\s+{re.escape(cells.cell(r))}"
            assert re.search(rf"  {row}(?:\s|$)", text, re.MULTILINE), row
        elif r.scope == "pair":
            assert re.search(rf"[\[ ]{re.escape(cells.cell(r))}[,\]]", text), r


@pytest.mark.parametrize("width", [None, 120, 80])
@pytest.mark.parametrize("name", ALL)
def test_the_leaderships_cells_are_those_of_csv(name, width):
    c = ALL[name]()
    text = drawn(c, width)
    for r in from_csv(c):
        if r.scope == "leadership":
            assert f"{r.statistic.label} {cells.cell(r)}" in text


def test_there_is_a_row_for_each_statistic_and_no_other():
    legs = drawn(demo(), 80).split("each leg", 1)[1].split("\n\n")[0].splitlines()[1:]
    pair = drawn(demo(), 80).split("\npair", 1)[1].split("\n\n")[0].splitlines()[1:]
    assert len(legs) == sum(e.scope == "leg" for e in STATISTICS.values())
    assert len(pair) == len({e.interval or e.key for e in STATISTICS.values() if e.scope == "pair"})


def test_what_cannot_be_said_is_a_dash():
    assert re.search(r"^  correlation\s+–\s+\[–, –\]", drawn(flat(), 80), re.MULTILINE)


# ---------------------------------------------------------------- nothing is cut


@pytest.mark.parametrize("legs", [LONG, ("x" * 60, "y" * 60)])
def test_a_page_without_a_width_cuts_and_folds_nothing(legs):
    text = drawn(with_files(*legs))
    assert "…" not in text
    for path in legs:
        assert text.count(f"csv:{path}") >= 5
    heading = next(line for line in text.splitlines() if line.startswith("each leg"))
    assert all(f"csv:{path}" in heading for path in legs)
    assert f"▸ csv:{legs[0]} leads" in text


def test_a_page_without_a_width_has_one_line_for_each_sentence():
    text = drawn(demo())
    for claim in demo().claims:
        assert f"{claim.text}: {claim.because}\n" in text
    for _, line in cells.receipt_rows(demo(), NOW):
        assert f"{line}\n" in text


@pytest.mark.parametrize("width", [80, 100, 120])
def test_a_long_unit_is_said_once_and_breaks_no_page(width):
    lines = drawn(points_and_level(), width).splitlines()
    assert max(map(cell_len, lines)) <= width
    assert " ".join(" ".join(lines).split()).count("Thousands of Persons, Seasonally Adjusted") == 1


@pytest.mark.parametrize("width", [80, 100, 120, 200])
@pytest.mark.parametrize("legs", [None, LONG, ("日本" * 20 + ".csv", "b.csv")], ids=["short", "long", "wide"])
def test_no_line_is_longer_than_the_page(legs, width):
    c = with_files(*legs) if legs else demo()
    assert max(cell_len(line) for line in drawn(c, width).splitlines()) <= width


@pytest.mark.parametrize("width", [1, 20, 40, 60])
@pytest.mark.parametrize("name", ALL)
def test_a_narrow_page_does_not_crash(name, width):
    assert drawn(ALL[name](), width)
    assert drawn(with_files(*LONG), width)


def test_long_names_give_way_to_a_and_b_in_the_headings():
    text = drawn(with_files(*LONG), 80)
    assert re.search(r"^each leg\s+A\s+B\s+A - B$", text, re.MULTILINE)
    assert "B leads ◂" in text


def test_at_eighty_columns_no_row_of_numbers_is_folded():
    lines = drawn(demo(), 80).split("who leads")[0].split("each leg")[1].splitlines()
    assert all(re.match(r"  \S|pair|$| +demo", line) for line in lines[1:])


def test_wrapped_lines_stay_under_their_text():
    text = drawn(demo(), 80).split("\nreading\n")[1].split("\n\n")[0]
    for line in text.splitlines():
        assert re.match(r"  (TRUE|FALSE|INCONCLUSIVE) |                \S", line), line


def test_a_long_note_is_wrapped_under_its_text():
    c = replace(demo(), warnings=("a word " * 30,))
    notes = drawn(c, 80).split("  note ")[1].splitlines()
    assert len(notes) > 2
    assert all(line.startswith(("             a word", "             word")) for line in notes[1:])


# ---------------------------------------------------------------- the picture of r(k)


@pytest.mark.parametrize("width", [None, 40, 80, 120])
@pytest.mark.parametrize("max_lag", [1, 10, 15, 16, 60, 100])
def test_the_picture_keeps_to_the_page(max_lag, width):
    lead = many_lags(max_lag).leadership
    room = width or 100_000
    lines = table.lag_picture(lead, ("AAA", "BBB"), room)
    assert max(map(cell_len, lines)) <= max(room, 40)
    assert ("of" in lines[-1].partition("bars")[2]) == (len(re.findall("[▁-█]", lines[0])) < 2 * max_lag + 1)


def test_each_lag_has_one_bar_and_each_negative_one_a_mark():
    lead = demo().leadership
    bars, signs, axis = table.lag_picture(lead, ("A", "B"), 80)
    assert len(re.findall("[▁-█]", bars)) == 21
    assert signs.split(" r <")[0].count("-") == sum(r < 0 for r in lead.correlations)
    at_zero = axis.index("0", axis.index("-10") + 3)
    assert bars[at_zero] == "▇"
    assert re.search(r"-10 +0 +\+10 bars$", axis)


def test_the_leader_on_the_right_is_a():
    lead = demo("LEADER", "FOLLOWER").leadership
    bars, *_ = table.lag_picture(lead, ("L", "F"), 80)
    assert bars.startswith("F leads ◂")
    assert bars.endswith("▸ L leads")
    heights = re.findall("[▁-█]", bars)
    assert max(range(21), key=lambda i: heights[i]) - 10 == 2


def test_a_lag_that_cannot_be_said_has_no_bar():
    assert not re.search("[▁-█]", drawn(flat(), 80).split("who leads")[1])


# ---------------------------------------------------------------- colour, ASCII, words


@pytest.mark.parametrize("width", [None, 80, 120])
def test_without_colour_there_is_no_escape(width):
    assert "\x1b" not in drawn(demo(), width)


def test_with_colour_the_words_are_the_same():
    plain = drawn(demo(), 120)
    coloured = drawn(demo(), 120, color=True)
    assert "\x1b[" in coloured
    bare = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert [line.rstrip() for line in bare.splitlines()] == plain.splitlines()


def test_colour_is_the_terminals_own():
    assert set(re.findall(r"\x1b\[([0-9;]*)m", drawn(demo(), 120, color=True))) <= {
        "0",
        "1",
        "2",
        "31",
        "32",
        "33",
        "1;32",
    }


@pytest.mark.parametrize("name", ALL)
def test_an_ascii_page_has_no_unknown_signs(name):
    text = drawn(ALL[name](), 80, unicode=False)
    assert text.isascii()
    assert "?" not in text
    assert not set(KNOWN) & set(text)


def test_an_ascii_page_is_laid_out_alike():
    plain, fine = (drawn(demo(), 120, unicode=u).splitlines() for u in (False, True))
    assert [len(line) for line in plain] == [len(line) for line in fine]


def test_a_simulated_pair_is_said_to_be_in_the_first_line():
    assert "simulated" in drawn(demo(), 80).splitlines()[0]


def test_the_page_ends_in_one_line_feed_and_no_line_in_blanks():
    for width in (None, 80, 120):
        text = drawn(demo(), width)
        assert text.endswith("\n")
        assert not text.endswith("\n\n")
        assert not re.search(r"[ \t]\n", text)


@pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=ascii)
def test_no_markup_of_a_name_is_interpreted(text):
    c = hostile(text)
    shown = drawn(c, color=True)
    assert c.receipt.a.facts.name in shown
    assert not re.search(r"\x1b(?!\[[0-9;]*m)", shown)
    assert "\x1b]" not in shown
    assert not re.search(r"[\x00-\x09\x0b-\x1a\x1c-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]", shown)
