import math
import re

import pytest
from tests.render.comparisons import ALL, demo, flat, reading

from pairwatch.render import cells

NAN = float("nan")


@pytest.mark.parametrize(
    ("key", "value", "more", "shown"),
    [
        ("change_1d", 0.0123456, {"scope": "a", "unit": "fraction"}, "+1.23%"),
        ("change_1d", -0.0123456, {"scope": "a", "unit": "fraction"}, "-1.23%"),
        ("change_1d", 12.34, {"scope": "a", "unit": "bp"}, "+12.3 bp"),
        ("change_1d", NAN, {"scope": "a", "unit": "fraction"}, "–"),
        ("volatility", 0.1416, {"scope": "a", "unit": "fraction"}, "14.16%"),
        ("volatility", 0.0285, {"scope": "difference", "unit": "fraction"}, "+2.85%"),
        ("volatility", 12.5, {"scope": "a", "unit": "bp"}, "12.5 bp"),
        ("sharpe", 0.0, {"scope": "difference"}, "+0.000"),
        ("last", 1234.5, {"scope": "a", "unit": "USD"}, "1,234.50"),
        ("last", 0.00001234567, {"scope": "a", "unit": "BTC"}, "1.23457e-05"),
        ("last", 0.5, {"scope": "a", "unit": "USD"}, "0.5"),
        ("last", -0.37, {"scope": "a", "unit": "percent"}, "-0.37"),
        ("last", 0.0, {"scope": "a", "unit": "percent"}, "0.00"),
        ("last", 3.0, {"scope": "a", "unit": "bp"}, "3.00"),
        ("observations", 1234.0, {}, "1,234"),
        ("correlation", 0.8294, {}, "0.829"),
        ("correlation", -0.00001, {}, "-1e-05"),
        ("correlation", 1e-17, {}, "0.000"),
        ("correlation", -1e-17, {}, "0.000"),
        ("ratio", 0.0000015234, {}, "1.52e-06"),
        ("sharpe", -0.00878, {"scope": "difference"}, "-0.009"),
        ("ratio", 654321.98765, {}, "654,321.988"),
        ("half_life", 4.23, {}, "4.2 bars"),
        ("half_life", NAN, {}, "–"),
        ("half_life", math.inf, {}, "–"),
        ("r_squared", 1.0, {}, "100.00%"),
        ("return_gap", -0.0, {"unit": "fraction"}, "+0.00%"),
        ("lead_lag", 2.0, {"scope": "leadership"}, "+2 bars"),
        ("lead_lag", -1.0, {"scope": "leadership"}, "-1 bar"),
        ("lead_p_value", 0.0005, {"scope": "leadership"}, "0.0005"),
    ],
)
def test_a_reading_is_rounded_for_its_unit(key, value, more, shown):
    assert cells.cell(reading(key, value, **more)) == shown


@pytest.mark.parametrize("value", [-0.000001, -0.0, 0.0, 0.000001])
def test_what_rounds_to_nothing_is_never_minus_nothing(value):
    assert cells.cell(reading("change_1d", value, "a", "fraction")) == "+0.00%"
    assert cells.cell(reading("change_1d", value, "a", "bp")) == "+0.0 bp"


def test_a_currency_called_like_a_unit_is_still_a_price():
    for name in ("bp", "count", "fraction", "bars", "probability"):
        assert cells.cell(reading("last", 1234.5, "a", name)) == "1,234.50"


@pytest.mark.parametrize("name", ALL)
def test_every_leg_reading_is_in_one_row_and_one_cell(name):
    c = ALL[name]()
    rows = list(cells.leg_rows(c))
    legs = [r for r in c if r.scope in ("a", "b", "difference")]
    assert len(rows) == sum(r.scope == "a" for r in legs)
    assert sorted(cell for _, row in rows for cell in row if cell) == sorted(cells.cell(r) for r in legs)


@pytest.mark.parametrize("scope", ["pair", "leadership"])
@pytest.mark.parametrize("name", ALL)
def test_every_pair_reading_is_a_value_or_an_end_of_an_interval(name, scope):
    c = ALL[name]()
    found = [
        text for _, value, between in cells.pair_rows(c, scope) for text in (value, *between.strip("[]").split(", "))
    ]
    assert sorted(filter(None, found)) == sorted(cells.cell(r) for r in c if r.scope == scope)


def test_an_interval_is_written_from_low_to_high():
    for _, _, between in cells.pair_rows(demo()):
        if between:
            low, high = (float(x) for x in between.strip("[]").split(", "))
            assert low <= high


def test_an_interval_that_cannot_be_said_is_two_dashes():
    row = next(row for row in cells.pair_rows(flat()) if row[0] == "correlation")
    assert row == ("correlation", "–", "[–, –]")


def test_the_receipt_says_window_method_and_origin():
    text = "\n".join(f"{name} {line}" for name, line in cells.receipt_rows(demo(), 0.0))
    assert re.search(r"window \d+ common closes from 2026-04-01 to 2026-06-30 \(\d+ returns\)", text)
    for words in ("distributions reinvested", "P = 252", "lags to 10", "seed 0", "demo:TWIN1 simulated"):
        assert words in text


def test_ascii_text_is_as_wide_as_before_and_knows_its_signs():
    text = "– − · … × ─ ━ ◂ ▸ → \u201cquoted\u201d \u2018so\u2019 Société Générale Žižkov"
    plain = cells.in_ascii(text)
    assert plain.isascii()
    assert "?" not in plain
    assert len(plain) == len(text)
    assert plain.endswith("Societe Generale Zizkov")


def test_what_has_no_ascii_letter_is_a_question_mark():
    assert cells.in_ascii("日経\ufffd") == "???"
