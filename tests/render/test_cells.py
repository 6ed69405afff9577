import math
import re
from dataclasses import replace

import pytest
from tests import builders
from tests.render.comparisons import ALL, demo, flat, rate_and_index, reading, two_rates

from pairwatch.model import Leg, Quote
from pairwatch.render import cells

NAN = float("nan")
NEED_A_YEAR = {"now_change", "change_3m", "change_ytd", "change_1y"}


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
        ("change_1d", 1234.567, {"scope": "a", "unit": "points"}, "+1,234.57 points"),
        ("change_1d", -0.01234, {"scope": "a", "unit": "points"}, "-0.0123 points"),
        ("change_1d", -1e-13, {"scope": "a", "unit": "points"}, "+0.00 points"),
        ("volatility", 12.345, {"scope": "a", "unit": "points"}, "12.35 points"),
        ("volatility", 12345678.9, {"scope": "a", "unit": "USD"}, "12,345,679 USD"),
        ("volatility", 1234.5, {"scope": "a", "unit": "Thousands of Persons"}, "1,234.50"),
        ("volatility", 3.25, {"scope": "a", "unit": "count"}, "3.25 count"),
        ("tracking_error", 3.25, {"unit": "number"}, "3.25 number"),
        ("last", 1234.5, {"scope": "a", "unit": "USD"}, "1,234.50"),
        ("last", 1.0845, {"scope": "a", "unit": "USD"}, "1.0845"),
        ("last", -4.25, {"scope": "a", "unit": "percent"}, "-4.25"),
        ("last", 9.99999, {"scope": "a", "unit": "percent"}, "10.00"),
        ("last", 29_354_321.4, {"scope": "a", "unit": "Millions of Dollars"}, "29,354,321"),
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
        ("sharpe", -0.00878, {"scope": "difference"}, "-0.00878"),
        ("ratio", 0.0102349, {}, "0.0102"),
        ("ratio", 0.0340, {}, "0.0340"),
        ("beta_inverse", 0.00394, {"unit": "100 % per bp"}, "0.00394"),
        ("beta", -11.1049, {"unit": "bp per 100 %"}, "-11.105"),
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


@pytest.mark.parametrize(
    ("adjustment", "facts", "told"),
    [
        ("total", {}, "distributions reinvested where the source gives them;"),
        (
            "total",
            {"changes": "points"},
            "distributions reinvested where the source gives them, left out of differences;",
        ),
        ("total", {"measure": "rate"}, "distributions reinvested where the source gives them;"),
        ("price", {"changes": "points"}, "prices as quoted, without distributions;"),
    ],
)
def test_the_receipt_says_that_differences_are_without_distributions(adjustment, facts, told):
    a, b = (
        builders.history(builders.prices(r), symbol=s) for r, s in zip(builders.linked_returns(69), "AB", strict=True)
    )
    points = replace(b, series=replace(b.series, facts=replace(b.series.facts, **facts)))
    c = builders.compared(a, points, adjustment=adjustment)
    assert receipt(c)["method"][0].startswith(told)


def receipt(c):
    """The receipt's lines by heading."""
    found = {}
    for name, text in cells.receipt_rows(c, 0.0):
        found.setdefault(name, []).append(text)
    return found


def test_the_receipt_says_what_each_leg_is_and_how_its_changes_are_made():
    told = "fred:DGS10: rate, in percent; changes in bp · cboe:VIX: level, in points; changes in percent"
    assert receipt(rate_and_index())["units"] == [told]
    assert receipt(two_rates())["units"] == ["both: rate, in percent; changes in bp"]
    assert receipt(demo())["units"] == ["both: price; changes in percent"]


def test_the_receipt_says_how_legs_were_lined_up_if_they_were():
    c = demo()
    told = replace(c, receipt=c.receipt._replace(lined_up="by the months of fred:CPIAUCSL: SPY's last close in each"))
    assert receipt(told)["lined up"] == ["by the months of fred:CPIAUCSL: SPY's last close in each"]
    assert "lined up" not in receipt(c)


@pytest.mark.parametrize(
    ("quote", "provenance", "told"),
    [
        (Quote(101.5, 1_795_200_000.0, open=True), {}, "BBB: session over, no change since its close"),
        (Quote(101.5, 1_795_200_000.0, open=False), {}, "AAA, BBB: session over, no change since its close"),
        (
            None,
            {},
            "AAA: no latest price is known; BBB: session over, no change since its close",
        ),
        (None, {"stale": "AAA: old"}, "AAA: stale, so nothing is now; BBB: session over, no change since its close"),
        (
            None,
            {"origin": "file"},
            "AAA: from a file, which has no latest price; BBB: session over, no change since its close",
        ),
    ],
)
def test_the_receipt_says_why_there_is_no_change_of_now(quote, provenance, told):
    c = demo()
    a, b = (side._replace(leg=Leg("yahoo", name)) for side, name in ((c.receipt.a, "AAA"), (c.receipt.b, "BBB")))
    sides = {
        "a": a._replace(quote=quote, provenance=replace(a.provenance, **{"origin": "cache", **provenance})),
        "b": b._replace(quote=Quote(7.5, 1_795_200_000.0, open=False)),
    }
    assert receipt(replace(c, receipt=c.receipt._replace(**sides)))["now"] == [told]


def test_the_receipt_says_nothing_of_now_where_both_sessions_are_open():
    c = demo()
    quote = Quote(7.5, 1_795_200_000.0, open=True)
    sides = {name: getattr(c.receipt, name)._replace(quote=quote) for name in ("a", "b")}
    assert "now" not in receipt(replace(c, receipt=c.receipt._replace(**sides)))
    assert receipt(c)["now"] == ["demo:TWIN1, demo:TWIN2: simulated, without a latest price"]


def test_what_is_left_out_is_told_by_reason_with_the_names_that_the_table_has():
    told, *young = receipt(two_rates())["left out"]
    assert told == (
        "a rate changes in basis points, not in percent: "
        "fred:DGS10, fred:DGS2, A - B without total return · Sharpe ratio · Sortino ratio · max drawdown; "
        "the pair without alpha, a year · return gap A - B · relative strength · information ratio · ratio A / B · "
        "ratio, z-score · up capture · down capture"
    )
    assert young == [f"fred:{name} begins on 2026-08-17: without year to date · 1 year" for name in ("DGS10", "DGS2")]
    assert "left out" not in receipt(demo())


@pytest.mark.parametrize("name", ALL)
def test_every_dash_of_a_pair_with_all_its_data_is_a_rule_and_every_rule_a_dash(name):
    c = ALL[name]()
    left_out = {(one.scope, key) for one in c.receipt.absent for key in one.keys}
    unsaid = {(r.scope, r.statistic.key) for r in c if math.isnan(r.value)}
    assert left_out <= unsaid
    if name in ("rates", "rate-index", "points-level"):
        assert {key for _, key in unsaid - left_out} <= {"now", *NEED_A_YEAR, "half_life", "lead_lag"}


def test_ascii_text_is_as_wide_as_before_and_knows_its_signs():
    text = "– − · … × ─ ━ ◂ ▸ → \u201cquoted\u201d \u2018so\u2019 Société Générale Žižkov"
    plain = cells.in_ascii(text)
    assert plain.isascii()
    assert "?" not in plain
    assert len(plain) == len(text)
    assert plain.endswith("Societe Generale Zizkov")


def test_what_has_no_ascii_letter_is_a_question_mark():
    assert cells.in_ascii("日経\ufffd") == "???"
