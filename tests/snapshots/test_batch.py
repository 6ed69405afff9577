"""The checksum of a batch covers all that it says."""

import json
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import builders

from pairwatch.database import Damaged
from pairwatch.errors import UsageError
from pairwatch.model import Leg, Window
from pairwatch.snapshots.batch import (
    Named,
    Snapshot,
    as_stored,
    batch_checksum,
    question_of,
    question_text,
    sessions,
)
from pairwatch.staging import Question

HEAD = ("yahoo:AAA", "yahoo:BBB", "{}", "2026-11-20", 1, 1.5e9, "2026-11-20", "1.0", b"a", b"b")
NAMES = (Named("a", "last", "USD"), Named("pair", "correlation", ""))
VALUES = np.array([1.5, -0.25])


@pytest.mark.parametrize("column", range(len(HEAD)))
def test_a_change_of_any_part_of_the_head_changes_the_checksum(column):
    other = {str: "x", int: 2, float: 2.5, bytes: b"x"}[type(HEAD[column])]
    changed = (*HEAD[:column], other, *HEAD[column + 1 :])
    assert batch_checksum(changed, NAMES, VALUES) != batch_checksum(HEAD, NAMES, VALUES)


@pytest.mark.parametrize("field", range(3))
def test_a_change_of_any_part_of_a_name_changes_the_checksum(field):
    changed = Named(*(text + "x" * (at == field) for at, text in enumerate(NAMES[1])))
    assert batch_checksum(HEAD, (NAMES[0], changed), VALUES) != batch_checksum(HEAD, NAMES, VALUES)


@given(st.integers(0, 127))
def test_a_change_of_any_bit_of_a_number_changes_the_checksum(bit):
    data = bytearray(VALUES.tobytes())
    data[bit // 8] ^= 1 << bit % 8
    assert batch_checksum(HEAD, NAMES, np.frombuffer(bytes(data))) != batch_checksum(HEAD, NAMES, VALUES)


def test_numbers_that_have_changed_places_change_the_checksum():
    assert batch_checksum(HEAD, NAMES, VALUES[::-1]) != batch_checksum(HEAD, NAMES, VALUES)


@given(st.lists(st.floats()))
def test_numbers_are_as_sqlite_gives_them_back(values):
    found = as_stored(values)
    np.testing.assert_array_equal(found, np.array(values, dtype="f8"))
    assert not np.signbit(found[found == 0]).any()
    assert len({value.tobytes() for value in found[np.isnan(found)]}) <= 1


@given(
    st.dates(),
    st.builds(Window, st.integers(1, 99999), st.sampled_from(["d", "w", "mo", "y", "b"])),
    st.integers(1, 99),
    st.sampled_from(["total", "price"]),
    st.integers(0, 2**40),
    st.sampled_from(["", "USD", "GBp"]),
    st.sampled_from(["date", "nearest", "two-day"]),
)
def test_every_question_comes_back(as_of, window, max_lag, adjustment, seed, currency, align):
    asked = Question(as_of, window, max_lag, adjustment, seed, currency, align)
    assert question_of(question_text(asked), as_of.isoformat()) == asked


BEFORE = '{"window": "61b", "max_lag": 10, "adjust": "total", "seed": 0}'


def test_what_was_asked_before_there_were_currencies_is_the_same_question():
    asked = Question(date(2026, 11, 20), Window(61, "b"))
    assert question_text(asked) == BEFORE
    assert question_of(BEFORE, "2026-11-20") == asked


@pytest.mark.parametrize(("key", "value"), [("currency", "USD"), ("align", "nearest")])
def test_what_is_unusual_makes_another_question(key, value):
    asked = Question(date(2026, 11, 20), Window(61, "b"), **{key: value})
    assert json.loads(question_text(asked)) == json.loads(BEFORE) | {key: value}


@pytest.mark.parametrize(
    ("key", "value"),
    [("currency", 5), ("currency", None), ("currency", ["USD"]), ("align", "soon"), ("align", 5), ("align", ["date"])],
)
def test_a_currency_or_a_way_to_line_up_that_is_none_is_damage(key, value):
    with pytest.raises(Damaged):
        question_of(json.dumps(json.loads(BEFORE) | {key: value}), "2026-11-20")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "5",
        '{"window": 5, "max_lag": 1, "adjust": "total", "seed": 0}',
        '{"window": "90d", "max_lag": 0, "adjust": "total", "seed": 0}',
        '{"window": "90d", "max_lag": 1, "adjust": "none", "seed": 0}',
        '{"window": "90q", "max_lag": 1, "adjust": "total", "seed": 0}',
    ],
)
def test_what_is_no_question_is_damage(text):
    with pytest.raises(Damaged):
        question_of(text, "2026-11-20")


@pytest.mark.parametrize("as_of", ["", "soon", None, 5])
def test_a_question_of_no_day_is_damage(as_of):
    text = question_text(Question(date(2026, 11, 20), Window(61, "b")))
    with pytest.raises(Damaged):
        question_of(text, as_of)


@pytest.mark.parametrize(("revision", "shown"), [(1, "2026-11-20"), (2, "2026-11-20.2")])
def test_a_snapshot_is_called_by_its_session_and_by_its_revision_from_the_second_on(revision, shown):
    day = date(2026, 11, 20)
    question = Question(day, Window(61, "b"))
    assert str(Snapshot(1, Leg("yahoo", "A"), Leg("yahoo", "B"), question, day, revision, 0.0, "1")) == shown


def sided(symbol, days, **facts):
    return builders.series(np.arange(1.0, 1 + len(days)), days, symbol=symbol, **facts)


def test_every_common_day_is_a_session_also_where_every_second_one_makes_a_bar():
    a, b = sided("AAA", builders.weekdays(9)), sided("BBB", builders.weekdays(7))
    for how in ("date", "two-day"):
        assert sessions(a, b, how).tolist() == builders.weekdays(7).tolist()


def test_the_sessions_of_two_frequencies_are_the_ends_of_the_periods():
    months = np.arange("2025-01", "2026-11", dtype="M8[M]")
    monthly, daily = (
        sided("AAA", (months + 1).astype("M8[D]") - 1, frequency="month"),
        sided("BBB", builders.weekdays(300)),
    )
    assert sessions(monthly, daily, "date").tolist() == sessions(daily, monthly, "date").tolist()
    assert sessions(monthly, daily, "date").tolist() == monthly.dates[-14:].tolist()


def test_a_way_to_line_up_that_the_legs_do_not_allow_is_a_wrong_request():
    with pytest.raises(UsageError, match="closing time of AAA and BBB is not known"):
        sessions(sided("AAA", builders.weekdays(30)), sided("BBB", builders.weekdays(30)), "nearest")
