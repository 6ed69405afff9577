import csv
import io
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.render.comparisons import (
    ALL,
    HOSTILE_TEXTS,
    PIPE,
    demo,
    flat,
    hostile,
    points_and_level,
    rate_and_price,
    two_rates,
    with_files,
)

from pairwatch.render import csv as writer


def table(c):
    return list(csv.reader(io.StringIO(writer.comparison(c, PIPE)), strict=True))


def test_the_header_is_a_promise():
    assert table(demo())[0] == ["as_of", "a", "b", "window", "scope", "statistic", "value", "unit"]


def test_rows_come_in_the_order_of_the_catalogue_and_the_lags():
    c = demo()
    rows = [(row[4], row[5]) for row in table(c)[1:]]
    lags = [("leadership", f"r({k})") for k in range(-10, 11)]
    percentiles = [("percentile", f"{scope}.{key}") for scope, key in c.percentiles.of] if c.percentiles else []
    assert rows == [(r.scope, r.statistic.key) for r in c] + lags + percentiles
    scopes = list(dict.fromkeys(scope for scope, _ in rows))
    assert scopes[:5] == ["a", "b", "difference", "pair", "leadership"]
    assert len(set(rows)) == len(rows)


def test_percentiles_come_last_under_the_name_of_what_they_are_of():
    c = ALL["past"]()
    rows = [row[4:] for row in table(c)[1:] if row[4] == "percentile"]
    assert rows == [
        ["percentile", f"{scope}.{key}", writer.number(share), "fraction"]
        for (scope, key), share in c.percentiles.of.items()
    ]
    assert "pair.correlation" in {row[1] for row in rows}
    assert table(c)[-1][4] == "percentile"


@pytest.mark.parametrize("name", ALL)
def test_every_value_reads_back_as_the_same_number(name):
    c = ALL[name]()
    for row, (_, _, value, unit) in zip(table(c)[1:], c.rows(), strict=True):
        assert row[7].lstrip("'") == unit
        assert row[6] == "" if math.isnan(value) else float(row[6]) == value


@given(st.floats())
def test_a_number_is_exact_or_empty(value):
    text = writer.number(value)
    assert float(text) == value if math.isfinite(value) else text == ""


def test_a_whole_number_has_no_point():
    assert [writer.number(x) for x in (64.0, -7.0, -0.0, 1e300, 0.5)] == ["64", "-7", "0", "1e+300", "0.5"]


def test_what_cannot_be_said_is_empty():
    values = {(row[4], row[5]): row[6] for row in table(flat())[1:]}
    assert values["pair", "correlation"] == ""
    assert values["leadership", "r(0)"] == ""
    assert values["leadership", "lead_p_value"] == ""


def test_lines_end_in_a_line_feed_alone():
    for name in ALL:
        text = writer.comparison(ALL[name](), PIPE)
        assert "\r" not in text
        assert text.endswith("\n")
        assert text.count("\n") == len(table(ALL[name]()))


def test_there_is_no_byte_order_mark():
    assert writer.comparison(demo(), PIPE).startswith("as_of,")


def test_every_row_says_whose_it_is_and_of_when():
    for row in table(demo())[1:]:
        assert row[:4] == ["2026-06-30", "demo:TWIN1", "demo:TWIN2", "90d"]


def test_the_unit_of_a_rate_is_basis_points_and_percent():
    units = {(row[4], row[5]): row[7] for row in table(rate_and_price())[1:]}
    assert units["a", "last"] == "percent"
    assert units["a", "change_1d"] == "bp"
    assert units["b", "change_1d"] == "fraction"


def test_the_unit_of_anything_else_is_its_own_for_values_and_for_differences():
    units = {(row[4], row[5]): row[7] for row in table(points_and_level())[1:]}
    assert units["a", "change_1d"] == units["a", "volatility"] == "points"
    assert units["b", "last"] == "Thousands of Persons, Seasonally Adjusted"
    assert units["b", "change_1d"] == "fraction"
    assert {row[7] for row in table(two_rates())[1:] if row[5] in ("tracking_error", "change_1m")} == {"bp"}


@pytest.mark.parametrize(
    "path", ['say "hi", you.csv', "a,b.csv#C,D", "=cmd|'/c calc'!A1", "@SUM.csv", "é 日本.csv", "-1"]
)
def test_any_path_of_a_leg_reads_back(path):
    for row in table(with_files(path, "plain.csv"))[1:]:
        assert row[1] == f"csv:{path}"
        assert len(row) == 8


@pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=ascii)
def test_no_text_cell_is_a_formula(text):
    for row in table(hostile(text))[1:]:
        for cell in (*row[:6], row[7]):
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))


def test_a_formula_of_a_currency_stands_behind_an_apostrophe():
    units = {row[7] for row in table(hostile("=cmd|'/c calc'!A1"))[1:]}
    assert "'=cmd|'/c calc'!A1" in units


def test_a_negative_number_stays_a_number():
    assert any(row[6].startswith("-") and float(row[6]) < 0 for row in table(demo())[1:])


def test_a_simulated_leg_is_told_by_its_name_in_every_row():
    assert all(row[1].startswith("demo:") and row[2].startswith("demo:") for row in table(demo())[1:])
