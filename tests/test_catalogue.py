"""How statistics enter the catalogue and become readings."""

import math
from datetime import date

import numpy as np
import pytest
from tests.builders import compared, history, linked_pair, linked_returns, prices

from pairwatch import catalogue, stats
from pairwatch.catalogue import LegView
from pairwatch.model import StatisticUnit

ENTRIES = stats.entries()


def view(levels, days, **more):
    levels = np.array(levels, dtype="f8")
    own = np.array(days, dtype="datetime64[D]")
    return LegView(levels, levels, levels[1:] / levels[:-1] - 1, own, levels, float(levels[-1]), 1, 252, **more)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.key)
def test_every_entry_says_what_it_means_how_it_is_made_and_where_that_comes_from(entry):
    for text in (entry.meaning, entry.formula, entry.source, entry.label):
        assert text.strip() == text != ""
        assert not text.endswith(".")
        assert "\n" not in text
    assert not {"Formula:", "Source:"} & set(f"{entry.meaning} {entry.formula} {entry.source}".split())
    assert entry.unit in StatisticUnit.__args__


def test_keys_are_unique_and_can_be_columns():
    keys = [entry.key for entry in ENTRIES]
    assert len(set(keys)) == len(keys)
    assert all(key.isidentifier() and key == key.lower() for key in keys)


def test_ends_of_an_interval_come_as_low_and_high_of_one_name():
    ends = {}
    for entry in ENTRIES:
        if entry.interval:
            ends.setdefault(entry.interval, set()).add(entry.key.removeprefix(f"{entry.interval}_"))
    assert ends
    assert all(names == {"low", "high"} for names in ends.values())


def test_an_entry_is_the_functions_name_and_its_docstring_taken_apart():
    def made_up(_):
        """What it means, over
        two lines.

        Formula: a / b, with
        more.
        Source: somebody (1999), J. of Things 1(2).
        """

    entry = catalogue._entry(made_up, "leg", "a label", "number", has_difference=True)
    assert (entry.key, entry.scope, entry.label, entry.unit) == ("made_up", "leg", "a label", "number")
    assert entry.meaning == "What it means, over two lines"
    assert entry.formula == "a / b, with more"
    assert entry.source == "somebody (1999), J. of Things 1(2)"
    assert entry.has_difference
    assert entry.of_differences
    assert entry.of_levels
    assert entry.of_two_units


def test_readings_come_in_the_order_of_the_catalogue_leg_by_leg():
    said = compared(*linked_pair())
    legs = [e for e in ENTRIES if e.scope == "leg"]
    expected = [
        *[("a", e.key) for e in legs],
        *[("b", e.key) for e in legs],
        *[("difference", e.key) for e in legs if e.has_difference],
        *[("pair", e.key) for e in ENTRIES if e.scope == "pair"],
        *[("leadership", e.key) for e in ENTRIES if e.scope == "leadership"],
    ]
    assert [(r.scope, r.statistic.key) for r in said] == expected


def test_prices_are_in_the_legs_own_currency_and_the_rest_in_the_units_of_the_catalogue():
    a, b = linked_returns(61)
    said = compared(history(prices(a), symbol="AAA", currency="USD"), history(prices(b), symbol="BBB", currency="GBp"))
    units = {(r.scope, r.statistic.key): r.unit for r in said}
    assert (units["a", "last"], units["b", "last"]) == ("USD", "GBp")
    assert units["a", "volatility"] == units["difference", "change_1m"] == units["a", "best_day"] == "fraction"
    assert (units["pair", "half_life"], units["leadership", "lead_p_value"]) == ("bars", "probability")


def test_changes_of_a_rate_are_in_basis_points_and_its_level_in_percent():
    rate = history(4 + np.cumsum(linked_returns(62)[0]), symbol="AAA", measure="rate", unit="percent", currency="")
    said = compared(rate, history(prices(linked_returns(61)[1]), symbol="BBB"))
    units = {(r.scope, r.statistic.key): r.unit for r in said}
    assert (units["a", "last"], units["b", "last"]) == ("percent", "USD")
    assert (units["a", "volatility"], units["b", "volatility"]) == ("bp", "fraction")
    assert units["a", "range_position"] == "fraction"


def test_basis_points_less_a_fraction_cannot_be_said():
    rate = history(4 + np.cumsum(linked_returns(62)[0]), symbol="AAA", measure="rate", unit="percent")
    said = compared(rate, history(prices(linked_returns(61)[1]), symbol="BBB"))
    for key in ("change_1d", "change_1w", "change_1m", "volatility", "best_day", "worst_day"):
        assert math.isfinite(said["a", key])
        assert math.isfinite(said["b", key])
        assert math.isnan(said["difference", key])
    assert math.isfinite(said["difference", "skew"])


# ---------------------------------------------------------------- what statistics are handed


def test_a_change_is_a_fraction_a_difference_or_basis_points_and_no_fraction_is_from_zero_or_below():
    days = ["2026-01-01", "2026-01-02"]
    price, rate = view([1, 2], days), view([1, 2], days, by_differences=True, scale=100.0)
    points = view([1, 2], days, by_differences=True)
    assert price.change(4.0, 5.0) == 0.25
    assert rate.change(4.0, 4.25) == 25.0
    assert rate.change(-1.0, 1.0) == 200.0
    assert points.change(-1.0, 1.0) == 2.0
    for before in (0.0, -1.0):
        assert math.isnan(price.change(before, 5.0))


def test_a_change_is_counted_from_the_last_close_on_or_before_the_day():
    leg = view([1, 2, 4], ["2026-01-02", "2026-01-05", "2026-01-09"])
    assert leg.end == date(2026, 1, 9)
    assert leg.change_since(date(2026, 1, 5)) == 1.0
    assert leg.change_since(date(2026, 1, 4)) == 3.0
    assert leg.change_since(date(2026, 1, 9)) == 0.0
    assert math.isnan(leg.change_since(date(2026, 1, 1)))


def test_a_key_that_is_not_there_is_a_key_error_and_legs_must_be_named():
    said = compared(*linked_pair())
    for key in ("volatility", ("pair", "volatility"), "nonsense", ("difference", "last")):
        with pytest.raises(KeyError):
            said[key]
