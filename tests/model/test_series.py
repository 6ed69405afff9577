"""What a leg's values are, and what the user says of them."""

from dataclasses import replace

import pytest

from pairwatch.errors import UsageError
from pairwatch.model import MEASURES, Declared, Facts


@pytest.mark.parametrize(
    ("facts", "by_differences", "scale", "unit"),
    [
        (Facts(currency="USD"), False, 1, "fraction"),
        (Facts(currency="USD", changes="points"), True, 1, "USD"),
        (Facts(measure="index"), False, 1, "fraction"),
        (Facts(measure="level", unit="persons"), False, 1, "fraction"),
        (Facts(measure="rate", unit="percent"), True, 100, "bp"),
        (Facts(measure="rate", unit="bp"), True, 1, "bp"),
        (Facts(measure="rate", unit="fraction"), True, 10_000, "bp"),
        (Facts(measure="level", unit="fraction"), False, 1, "fraction"),
        (Facts(measure="index", unit="points", changes="points"), True, 1, "points"),
        (Facts(measure="rate", unit="percent", changes="percent"), False, 100, "fraction"),
    ],
)
def test_a_rate_changes_by_basis_points_and_everything_else_in_percent_unless_declared(
    facts, by_differences, scale, unit
):
    assert (facts.by_differences, facts.scale, facts.change_unit) == (by_differences, scale, unit)


@pytest.mark.parametrize("measure", MEASURES)
def test_each_measure_can_be_declared(measure):
    told = Declared.parse(f" {measure.upper()} ").on(Facts(name="X", currency="USD", measure="index", unit="points"))
    assert (told.name, told.currency, told.measure) == ("X", "USD", measure)
    assert told.by_differences == (measure == "rate")


def test_a_rate_is_in_percent_unless_its_unit_is_declared_too():
    assert Declared.parse("rate").on(Facts(unit="barrels")).unit == "percent"
    assert Declared.parse("rate:bp").on(Facts()).unit == "bp"


@pytest.mark.parametrize("text", ["rate", "points"])
@pytest.mark.parametrize("unit", ["bp", "percent", "fraction", "percent change"])
def test_what_is_a_rate_already_keeps_its_unit(text, unit):
    rate = Facts(measure="rate", unit=unit)
    told = Declared.parse(text).on(rate)
    assert (told.unit, told.scale, told.change_unit) == (unit, rate.scale, rate.change_unit)
    assert Declared.parse(text).on(Facts(measure="rate")).unit == "percent"


@pytest.mark.parametrize("text", ["rate:fraction", "rate: Fraction", "RATE:FRACTION"])
def test_a_rate_in_fractions_changes_by_basis_points_of_it(text):
    told = Declared.parse(text).on(Facts())
    assert (told.scale, told.change_unit) == (10_000, "bp")


@pytest.mark.parametrize("unit", ["fraction", "return", "deviation", "number", "count", "bars", "probability"])
@pytest.mark.parametrize("word", ["price", "index", "level", "points"])
def test_a_unit_cannot_be_called_by_a_word_that_says_what_a_number_is(word, unit):
    with pytest.raises(UsageError, match=f"values of {word} cannot be counted in '{unit}'") as caught:
        Declared.parse(f"{word}:{unit}")
    assert caught.value.hint


@pytest.mark.parametrize("text", ["level:bp", "level:Percent", "points:percent", "level:currency", "rate:bars"])
def test_nor_by_that_of_a_rate_or_of_money(text):
    with pytest.raises(UsageError, match="pairwatch calls something else so"):
        Declared.parse(text)


def test_points_leave_the_measure_and_the_unit_as_they_are():
    vix = Facts(measure="index", unit="points")
    assert Declared.parse("points").on(vix) == replace(vix, changes="points")


@pytest.mark.parametrize("word", ["level", "index", "price", "points"])
def test_what_is_declared_keeps_a_known_unit(word):
    assert Declared.parse(word).on(Facts(currency="USD", unit="dollars per barrel")).unit == "dollars per barrel"
    assert Declared.parse(word).on(Facts(measure="level", unit="persons")).unit == "persons"


@pytest.mark.parametrize("word", ["level", "index", "price"])
def test_a_rates_unit_is_no_others(word):
    assert Declared.parse(word).on(Facts(measure="rate", unit="percent")).unit == ""
    assert Declared.parse("level:barrels").on(Facts()).unit == "barrels"


def test_a_rate_that_is_declared_a_price_changes_in_percent():
    assert not Declared.parse("price").on(Facts(measure="rate", unit="percent")).by_differences


@pytest.mark.parametrize("text", ["", "rates", "percent", ":", "rate points", "\x1b[31m"])
def test_anything_else_is_no_unit(text):
    with pytest.raises(UsageError) as caught:
        Declared.parse(text)
    assert "points" in caught.value.hint
