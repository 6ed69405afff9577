import csv as csv_reader
import io
import json as json_reader
import math
import re
from datetime import date

import pytest
from rich.cells import cell_len
from tests import builders, snapped
from tests.render.comparisons import FORMATS, HOSTILE_TEXTS, NOW, STATISTICS, Page, demo
from tests.render.test_markdown import rows as markdown_rows

from pairwatch.differences import Change, Difference, Moment, Split
from pairwatch.model import Leg
from pairwatch.render import changes, csv, difference_writer, json, markdown, table, writer
from pairwatch.revisions import Rebasing, Revision

NAN = math.nan
A, B = Leg("yahoo", "AAA"), Leg("yahoo", "BBB")
THEN, LATER = date(2026, 11, 19), date(2026, 11, 20)


def change(key, start, end, left=0.0, entered=None, revised=0.0, scope="pair", unit=None):
    """A change whose parts add up, all of it entered if nothing else is said."""
    statistic = STATISTICS["leg" if scope in ("a", "b", "difference") else scope, key]
    entered = end - start - left - revised if entered is None else entered
    return Change(statistic, scope, unit or statistic.unit, start, end, end - start, left, entered, revised)


def difference(*changes, **more):
    given = {"left": (date(2026, 8, 21),), "entered": (LATER,), **more}
    moments = (Moment(THEN, 1, 1_795_000_000.0, "0.1.0"), Moment(LATER, 2, 1_795_200_000.0, "0.1.0"))
    return Difference(A, B, snapped.asked(), *moments, changes, **given)


SOME = (
    change("last", 100.0, 101.5, scope="a", unit="USD"),
    change("volatility", 0.2, 0.21, left=0.005, scope="b", unit="fraction"),
    change("observations", 61.0, 61.0, left=-1.0),
    change("correlation", 0.91, 0.87, left=-0.03, revised=0.01),
    change("half_life", 12.0, NAN, entered=NAN),
    change("correlation_fragility_low", 0.5, 0.6),
    change("lead_p_value", 0.4, 0.04, scope="leadership"),
)
LEG, LEAD = {"scope": "a", "unit": "USD"}, {"left": 0.5, "scope": "leadership"}
FRACTION, BP = {"left": 0.01, "scope": "a", "unit": "fraction"}, {"scope": "a", "unit": "bp"}
UNSAID = {"left": NAN, "entered": NAN, "revised": NAN}
PAGES = [Page(now=NOW, width=width) for width in (None, 120, 80, 60, 40)]


@pytest.mark.parametrize(
    ("key", "ends", "more", "row"),
    [
        ("last", (100.0, 101.5), LEG, "last common close|100.00|101.50|+1.50|0|+1.50|0"),
        ("last", (0.01, 0.0125), LEG, "last common close|0.01|0.0125|+0.0025|0|+0.0025|0"),
        ("total_return", (0.02, 0.05), FRACTION, "total return|+2.00%|+5.00%|+3.00%|+1.00%|+2.00%|0"),
        ("volatility", (120.0, 118.0), BP, "volatility|120.0 bp|118.0 bp|-2.0 bp|0|-2.0 bp|0"),
        ("observations", (61.0, 62.0), {"left": -1.0}, "common returns|61|62|+1|-1|+2|0"),
        ("half_life", (12.0, 13.0), {}, "half-life of the spread|12.0 bars|13.0 bars|+1.0 bars|0|+1.0 bars|0"),
        ("lead_lag", (2.0, 3.0), LEAD, "lag of the strongest lead|+2 bars|+3 bars|+1.0 bars|+0.5 bars|+0.5 bars|0"),
        ("lead_p_value", (0.4, 0.04), LEAD, "p, all lags considered|0.4000|0.0400|-0.3600|+0.5000|-0.8600|0"),
        ("ratio", (1e-5, 2e-5), {}, "ratio A / B|1e-05|2e-05|+1e-05|0|+1e-05|0"),
        ("beta", (0.5, 0.5004), {}, "beta of A on B|0.500|0.500|0|0|0|0"),
        ("beta", (NAN, 0.5), UNSAID, "beta of A on B|–|0.500|–|–|–|–"),
    ],
)
def test_a_change_is_rounded_like_its_ends_and_its_parts_have_signs(key, ends, more, row):
    assert "|".join(changes.change_row(change(key, *ends, **more))) == row


@pytest.mark.parametrize(
    ("key", "label"),
    [
        ("correlation", "correlation"),
        ("sharpe", "Sharpe ratio"),
        ("tightness_low", "tightness, 95 % low"),
        ("ratio_high", "ratio, high"),
        ("correlation_fragility_low", "correlation, any bar left out, low"),
        ("correlation_fragility_high", "correlation, any bar left out, high"),
    ],
)
def test_a_label_is_the_statistics_own_and_tells_the_ends_of_an_interval_apart(key, label):
    statistic = next(one for (_, name), one in STATISTICS.items() if name == key)
    assert changes.label(statistic) == label


def test_no_two_labels_of_a_group_are_the_same():
    for scope in ("leg", "pair", "leadership"):
        labels = [changes.label(one) for (own, _), one in STATISTICS.items() if own == scope]
        assert len(set(labels)) == len(labels)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.width))
def test_a_table_shows_the_cells_of_what_moved(page):
    text = " ".join(table.difference(difference(*SOME), page).split())
    assert "common returns" not in text
    for c in SOME:
        if changes.has_moved(c):
            _, *row = changes.change_row(c)
            columns = changes.change_columns(SOME)
            narrow = " · ".join(f"{name} {text}" for name, text in zip(columns, row, strict=False))
            assert " ".join(row) in text or narrow.replace(" · ", " ") in text.replace(" · ", " ")


@pytest.mark.parametrize("page", PAGES[1:], ids=lambda page: str(page.width))
def test_a_table_is_no_wider_than_the_page(page):
    wide = change("last", 98_765_432.1, 99_999_999.9, left=-1_234_567.8, revised=2_345_678.9, scope="a", unit="USD")
    remark = "a remark of quite some length " * 5
    for d in (difference(*SOME, wide, remarks=(remark,)), replaced_legs(difference(*SOME))):
        assert max(map(cell_len, table.difference(d, page).splitlines())) <= page.width


def replaced_legs(d):
    a, b = (Leg("csv", f"{'a-folder/' * 12}{name}.csv") for name in "ab")
    return d._replace(a=a, b=b)


def test_what_is_chosen_is_shown_also_where_it_stayed():
    assert "common returns" in table.difference(difference(*SOME, chosen=True), PAGES[2])


def test_where_nothing_moved_this_is_said():
    text = table.difference(difference(SOME[2]), PAGES[2])
    assert "nothing has moved beyond rounding" in text
    assert "from " in text


def test_the_revised_are_a_column_only_where_something_was():
    assert "revised" in changes.change_columns(SOME)
    assert "revised" not in changes.change_columns(SOME[:3])


def test_the_days_are_named_while_they_are_few():
    d = difference(left=tuple(builders.weekdays(61).tolist()), entered=())
    found = dict(changes.difference_rows(d))
    assert found["left"] == f"61 days: {builders.weekdays(61)[0]} to 2026-11-20"
    assert found["entered"] == "no day"
    assert dict(changes.difference_rows(difference()))["left"] == "1 day: 2026-08-21"


def test_what_was_revised_is_named_and_counted_where_it_is_much():
    revisions = [Revision(A, date(2026, 11, n), "close", 10.0, 10.5) for n in range(1, 6)]
    text = dict(changes.difference_rows(difference(revisions=tuple(revisions))))["revised"]
    assert text.startswith("AAA close of 2026-11-01 10 to 10.5, ")
    assert text.endswith(" and 2 more")


@pytest.mark.parametrize(
    ("one", "text"),
    [
        (Revision(A, THEN, "close", NAN, 10.0), "AAA close of 2026-11-19 added, 10"),
        (Revision(A, THEN, "dividend", 0.5, NAN), "AAA dividend of 2026-11-19 withdrawn"),
        (Revision(A, THEN, "capital_gain", 0.5, 0.25), "AAA capital gain of 2026-11-19 0.5 to 0.25"),
    ],
)
def test_a_revision_is_told(one, text):
    assert dict(changes.difference_rows(difference(revisions=(one,))))["revised"] == text


@pytest.mark.parametrize(("split", "text"), [(LATER, "rebased by 2 (split of 2026-11-20)"), (None, "rebased by 2")])
def test_a_rebasing_is_told(split, text):
    found = dict(changes.difference_rows(difference(rebasings=(Rebasing(A, 2.0, THEN, split),))))
    assert found["revised"] == f"AAA to 2026-11-19 {text}"


@pytest.mark.parametrize(
    ("ratio", "told"), [(2.0, "2:1"), (1.5, "3:2"), (0.1, "1:10"), (1 / 3, "1:3"), (1.281, "1.281:1")]
)
@pytest.mark.parametrize("shown", [table.difference, markdown.difference])
def test_a_split_is_told_with_the_part_that_it_is_in(ratio, told, shown):
    split = Split(Leg("yahoo", "IWM"), date(2026, 7, 15), ratio, "entered")
    text = shown(difference(*SOME, splits=(split,)), PAGES[1]).replace("\\", "")
    assert re.search(rf"split\W+IWM {re.escape(told)} split on 2026-07-15, counted as entered\n", text)
    assert "split" not in shown(difference(*SOME), PAGES[1])


def test_csv_and_json_have_every_change_in_full():
    d = difference(*SOME)
    rows = list(csv_reader.DictReader(io.StringIO(csv.difference(d, PAGES[0]))))
    found = json_reader.loads(json.difference(d, PAGES[0]))["statistics"]
    for c, row, one in zip(SOME, rows, found, strict=True):
        assert (row["statistic"], row["scope"], row["unit"]) == (c.statistic.key, c.scope, c.unit)
        assert (one["statistic"], one["scope"], one["unit"]) == (c.statistic.key, c.scope, c.unit)
        numbers = [float(row[name] or "nan") for name in changes.CHANGE_COLUMNS]
        assert numbers == pytest.approx(c[3:], abs=0, rel=0, nan_ok=True)
        assert [one[name] for name in changes.CHANGE_COLUMNS] == [None if x != x else x for x in c[3:]]  # noqa: PLR0124


def test_json_names_days_revisions_and_moments():
    revisions = (Revision(A, THEN, "close", 10.0, NAN),)
    splits = (Split(A, LATER, 2.0, "left"),)
    d = difference(revisions=revisions, rebasings=(Rebasing(B, 2.0, THEN, None),), remarks=("so it is",), splits=splits)
    found = json_reader.loads(json.difference(d, PAGES[0]))
    assert found["from"] == {
        "session": "2026-11-19", "revision": 1, "taken_at": "2026-11-18T11:06:40Z", "pairwatch": "0.1.0"
    }  # fmt: skip
    assert found["days"] == {
        "left": ["2026-08-21"],
        "entered": ["2026-11-20"],
        "revised": [{"leg": "AAA", "day": "2026-11-19", "what": "close", "from": 10, "to": None}],
        "rebased": [{"leg": "BBB", "until": "2026-11-19", "divisor": 2.0, "split": None}],
        "splits": [{"leg": "AAA", "day": "2026-11-20", "ratio": 2.0, "part": "left"}],
    }
    assert found["remarks"] == ["so it is"]


def test_markdown_has_the_cells_in_tables():
    found = markdown_rows(markdown.difference(difference(*SOME), PAGES[0]))
    for c in SOME:
        assert (changes.change_row(c) in found) == changes.has_moved(c), c


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=ascii)
def test_no_control_character_gets_through(text, name):
    from pairwatch.text import clean

    told = clean(text)
    hostile = difference(change("last", 1.0, 2.0, scope="a", unit=told), remarks=(told,))
    for page in (PAGES[0], PAGES[2], Page(now=NOW, width=80, unicode=False)):
        shown = difference_writer(name)(hostile, page)
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", shown)
        assert page.unicode or name == "csv" or shown.isascii()


@pytest.mark.parametrize("name", FORMATS)
def test_colour_is_only_where_the_page_has_it(name):
    assert "\x1b" not in difference_writer(name)(difference(*SOME), PAGES[2])
    coloured = difference_writer(name)(difference(*SOME), Page(now=NOW, width=80, color=True))
    assert ("\x1b" in coloured) == (name == "table")


# ---------------------------------------------------------------- the short form


def test_a_comparison_without_a_past_is_as_it_was():
    for name in FORMATS:
        assert writer(name)(demo(), PAGES[2], None) == writer(name)(demo(), PAGES[2])


@pytest.mark.parametrize("name", ["table", "markdown"])
def test_the_section_shows_what_can_be_said_also_where_it_stayed(name):
    nothing = change("beta", NAN, NAN)
    text = writer(name)(demo(), PAGES[2], difference(SOME[3], SOME[2], nothing))
    section = text.split("since 2026-11-19")[1].split("tighter than")[0]
    assert "1 day left the window, 1 entered" in section
    assert ("common returns" in section, "beta of A on B" in section) == (True, False)
    assert "revised" in section


def test_json_has_the_short_form_or_null():
    found = json_reader.loads(json.comparison(demo(), PAGES[0], difference(SOME[3])))["since"]
    assert (found["session"], found["revision"]) == ("2026-11-19", 1)
    assert [one["statistic"] for one in found["statistics"]] == ["correlation"]
    assert json_reader.loads(json.comparison(demo(), PAGES[0]))["since"] is None


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_the_section_fits_on_the_page(width):
    text = table.comparison(demo(), Page(now=NOW, width=width), difference(*SOME))
    assert max(map(cell_len, text.split("since 2026-11-19")[1].split("\nreading")[0].splitlines())) <= width


@pytest.mark.parametrize("name", ["table", "markdown"])
def test_the_title_tells_a_comparison_that_is_not_of_this_run(name):
    page = Page(now=NOW)._replace(said=1_795_200_000.0)
    assert "as said on 2026-11-20 18:40 UTC" in writer(name)(demo(), page).splitlines()[0]
    assert "as said" not in writer(name)(demo(), Page(now=NOW))
