"""A question, and two histories as of a day: what `tests/test_pairs.py` does not see through a comparison."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from tests.builders import FRIDAY, event, history, linked_pair, linked_returns, prices

from pairwatch.errors import NotEnoughData, UsageError
from pairwatch.model import Absent, Window
from pairwatch.staging import Question, check_whole, receipt, staged

WINDOW = Window.parse("61b")


def asked(as_of=FRIDAY, window=WINDOW, **more):
    return Question(as_of, window, **more)


@pytest.mark.parametrize("name", ["max_lag", "seed"])
@pytest.mark.parametrize("value", [-1, 2.0, "3", True, None, np.float64(2), np.bool_(True)])
def test_what_has_to_be_a_whole_number_is_nothing_else(name, value):
    with pytest.raises(UsageError, match="cannot be"):
        asked(**{name: value})


@pytest.mark.parametrize("value", [0, 7, np.int64(7), np.uint8(7)])
def test_whole_numbers_of_numpy_count(value):
    check_whole("seed", value, 0)
    assert asked(seed=value).seed == value


def test_the_least_there_may_be_is_told():
    with pytest.raises(UsageError) as caught:
        asked(max_lag=0)
    assert (caught.value.message, caught.value.hint) == ("the largest lag cannot be '0'", "a whole number from 1 on")


@pytest.mark.parametrize(
    ("name", "value"), [("adjustment", "none"), ("adjustment", ""), ("align", "week"), ("align", 1)]
)
def test_a_word_that_there_is_not_is_a_usage_error(name, value):
    with pytest.raises(UsageError):
        asked(**{name: value})


def test_nothing_after_the_day_is_staged():
    a, b = linked_pair(100)
    day = a.series.dates[80].item()
    found = staged(a, b, asked(day))
    assert [side.series.dates[-1].item() for side in found.sides] == [day, day]
    assert found.lined_up.dates[-1].item() == day
    assert len(found.pair.a.levels) == 62


def test_a_view_has_the_levels_of_its_window_and_their_returns():
    a, b = linked_pair(100)
    found = staged(a, b, asked())
    assert found.pair.a.levels == pytest.approx(a.series.closes[-62:], rel=1e-12)
    assert found.pair.b.returns == pytest.approx(b.series.closes[-61:] / b.series.closes[-62:-1] - 1, rel=1e-12)
    assert found.pair.spread == pytest.approx(np.log(found.pair.a.levels / found.pair.b.levels), abs=1e-12)


@pytest.mark.parametrize(("adjustment", "expected"), [("total", 100 - 2), ("price", 100)])
def test_levels_before_a_dividend_are_lower_by_it_if_it_counts(adjustment, expected):
    flat = 100 + np.zeros(80)
    flat[1::2] += 1e-9
    paid = history(flat, symbol="AAA")
    paid = replace(paid, series=replace(paid.series, events=(event(paid.series.dates[-20], 2.0),)))
    found = staged(paid, linked_pair(79)[1], asked(adjustment=adjustment))
    assert found.pair.a.levels[[0, -1]] == pytest.approx([expected, 100], abs=1e-6)


def test_the_currencies_are_those_of_the_closes():
    a, b = linked_pair(61)
    euros = replace(b, series=replace(b.series, facts=replace(b.series.facts, currency="EUR")))
    assert staged(a, euros, asked()).currencies == ("USD", "EUR")


@pytest.mark.parametrize("bad", [0.0, -3.0])
def test_a_price_at_which_no_return_can_be_made_is_refused_with_its_day(bad):
    levels = prices(linked_returns(61)[0])
    levels[30] = bad
    broken = history(levels)
    with pytest.raises(NotEnoughData, match=str(broken.series.dates[30])):
        staged(broken, linked_pair(61)[1], asked())


def test_a_receipt_tells_the_window_and_the_question():
    a, b = linked_pair(100)
    question = asked(seed=3, adjustment="price")
    absent = (Absent("a", ("change_1y",), "AAA begins late"),)
    found = receipt(staged(a, b, question), question, 4, absent)
    assert (found.start, found.base) == (a.series.dates[-62].item(), a.series.dates[-62].item())
    assert (found.end, found.matched, found.bars_per_year) == (date(2026, 11, 20), 62, 252)
    assert (found.adjustment, found.seed, found.max_lag, found.align, found.absent) == ("price", 3, 4, "date", absent)
    assert [str(side.leg) for side in (found.a, found.b)] == ["AAA", "BBB"]
