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


def test_points_leave_the_measure_and_the_unit_as_they_are():
    vix = Facts(measure="index", unit="points")
    assert Declared.parse("points").on(vix) == replace(vix, changes="points")


def test_what_is_declared_anew_does_not_keep_the_old_unit():
    assert Declared.parse("price").on(Facts(measure="level", unit="persons")).unit == ""
    assert Declared.parse("level:barrels").on(Facts()).unit == "barrels"


def test_a_rate_that_is_declared_a_price_changes_in_percent():
    assert not Declared.parse("price").on(Facts(measure="rate", unit="percent")).by_differences


@pytest.mark.parametrize("text", ["", "rates", "percent", ":", "rate points", "\x1b[31m"])
def test_anything_else_is_no_unit(text):
    with pytest.raises(UsageError) as caught:
        Declared.parse(text)
    assert "points" in caught.value.hint
