from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from tests import builders
from tests.builders import FRIDAY

from pairwatch import pairs, records, stats
from pairwatch.errors import UsageError
from pairwatch.model import Window
from pairwatch.receipts import as_of
from pairwatch.snapshots import FILE_NAME, Store, Taken
from pairwatch.staging import Question

DAYS = [day.item() for day in builders.weekdays(12)]
A, B = builders.linked_pair(150)
LEGS = A.series.leg, B.series.leg
ASKED = Question(FRIDAY, Window.parse("90d"), 5)


def taken(day, a=A, b=B, **changes):
    """A snapshot as it is taken in the evening of a day."""
    asked = replace(ASKED, as_of=day, **changes)
    sides = as_of(a, day), as_of(b, day)
    return Taken(pairs.compare(*sides, asked), asked, *sides, at=1.79e9)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / FILE_NAME)


@pytest.fixture
def saved(store):
    """A store with the first, the fourth and the last of the days."""
    for day in (DAYS[0], DAYS[3], DAYS[-1]):
        store.append(taken(day))
    return store


def table(store, *names, asked=ASKED):
    wanted = records.chosen(names) if names else None
    return records.table(*LEGS, asked, store.record(*LEGS, asked), wanted)


def full(store, *names, since=DAYS[0], a=A, b=B, asked=ASKED):
    return records.filled(table(store, *names, asked=asked), a, b, since, records.chosen(names) if names else None)


def numbers(found):
    """Every number of a table by day and name; the unit left out."""
    return {
        (row.session, name.scope, name.key): value
        for row, values in zip(found.rows, found.values.tolist(), strict=True)
        for name, value in zip(found.columns, values, strict=True)
    }


# ---------------------------------------------------------------- what is wanted


def test_a_name_stands_for_all_that_it_is_said_of():
    assert records.chosen(["volatility", "a.last", "correlation"]) == (
        ("a", "volatility"),
        ("b", "volatility"),
        ("difference", "volatility"),
        ("a", "last"),
        ("pair", "correlation"),
    )


def test_a_leg_without_a_difference_has_two():
    assert records.chosen(["last"]) == (("a", "last"), ("b", "last"))


def test_a_name_that_comes_twice_counts_once():
    assert records.chosen(["b.last", "last", " LAST "]) == (("b", "last"), ("a", "last"))


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("corelation", "did you mean correlation"),
        ("xyz", "`pairwatch explain` lists them"),
        ("a.correlation", "it is said of pair"),
        ("difference.last", "it is said of a, b"),
        ("", "`pairwatch explain` lists them"),
        ("\x1b[31m", "`pairwatch explain` lists them"),
    ],
)
def test_a_name_that_there_is_not_is_refused_with_what_helps(name, hint):
    with pytest.raises(UsageError) as refused:
        records.chosen([name])
    assert hint in refused.value.hint
    assert "\x1b" not in refused.value.message


# ---------------------------------------------------------------- what is stored


def test_a_table_has_a_row_a_session_and_the_columns_as_typed(saved):
    found = table(saved, "beta", "a.volatility", "correlation")
    assert [row.session for row in found.rows] == [DAYS[0], DAYS[3], DAYS[-1]]
    assert found.titles() == ("beta", "a.volatility", "correlation")
    assert found.values.shape == (3, 3)


def test_a_table_of_everything_is_in_the_order_of_a_comparison(saved):
    found = table(saved)
    said = list(taken(FRIDAY).found)
    assert [(name.scope, name.key, name.unit) for name in found.columns] == [
        (r.scope, r.statistic.key, r.unit) for r in said
    ]


def test_a_table_holds_what_was_said(saved):
    found = numbers(table(saved))
    for day in (DAYS[0], DAYS[3], DAYS[-1]):
        for r in taken(day).found:
            np.testing.assert_equal(found[day, r.scope, r.statistic.key], r.value)


def test_the_newest_rows_are_the_last(saved):
    found = table(saved, "correlation")
    assert [row.session for row in found.newest(2).rows] == [DAYS[3], DAYS[-1]]
    np.testing.assert_array_equal(found.newest(2).values, found.values[1:])


def test_a_pair_that_was_never_taken_has_a_table_of_nothing(store):
    found = table(store, "correlation")
    assert (found.rows, found.columns, found.values.shape) == ((), (), (0, 0))


def test_a_statistic_whose_unit_has_changed_has_a_column_for_each(store):
    in_euro = replace(A, series=replace(A.series, facts=replace(A.series.facts, currency="EUR")))
    store.append(taken(DAYS[0]))
    store.append(taken(DAYS[3], in_euro))
    found = table(store, "a.last", "correlation")
    assert found.titles() == ("a.last[USD]", "a.last[EUR]", "correlation")
    euros, dollars = found.values[:, 1], found.values[:, 0]
    np.testing.assert_array_equal(np.isnan(dollars), [False, True])
    np.testing.assert_array_equal(np.isnan(euros), [True, False])


# ---------------------------------------------------------------- what was never taken


def test_days_that_were_never_taken_are_what_a_comparison_as_of_them_says_bit_for_bit(saved):
    found = full(saved)
    assert [row.session for row in found.rows] == DAYS
    assert [row.session for row in found.rows if row.snapshot] == [DAYS[0], DAYS[3], DAYS[-1]]
    wide = numbers(found)
    for day in DAYS:
        said = pairs.compare(A, B, replace(ASKED, as_of=day))
        for r in said:
            np.testing.assert_equal(wide[day, r.scope, r.statistic.key], r.value)


def test_filling_some_statistics_gives_the_same_as_filling_all(saved):
    some, everything = full(saved, "lead_lag", "b.volatility", "correlation"), numbers(full(saved))
    assert some.titles() == ("lead_lag", "b.volatility", "correlation")
    for key, value in numbers(some).items():
        np.testing.assert_equal(value, everything[key])


def test_what_was_said_is_not_recomputed(saved):
    revised = replace(A, series=replace(A.series, closes=A.series.closes * np.linspace(1, 1.5, len(A.series))))
    before, after = numbers(table(saved)), numbers(full(saved, a=revised))
    for key, value in before.items():
        np.testing.assert_equal(after[key], value)
    assert after[DAYS[1], "pair", "beta"] != numbers(full(saved))[DAYS[1], "pair", "beta"]


def test_filling_begins_at_the_day_and_ends_at_the_questions(saved):
    early = replace(ASKED, as_of=DAYS[8])
    found = full(saved, "correlation", since=DAYS[5], asked=early)
    assert [row.session for row in found.rows if row.snapshot is None] == DAYS[5:9]


def test_days_with_too_few_returns_before_them_are_left_out(store):
    a, b = builders.linked_pair(30)
    found = full(store, "correlation", since=date(2000, 1, 1), a=a, b=b)
    assert len(found.rows) == 11  # of 31 closes the first 20 have fewer than 20 returns before them
    assert found.rows[0].session == builders.weekdays(11)[0].item()
    assert not np.isnan(found.values).any()


def test_a_day_of_one_leg_alone_is_no_session(store):
    without = np.delete(np.arange(len(B.series)), -3)
    b = replace(B, series=replace(B.series, dates=B.series.dates[without], closes=B.series.closes[without]))
    found = full(store, "correlation", since=DAYS[-4], b=b)
    assert [row.session for row in found.rows] == [DAYS[-4], DAYS[-2], DAYS[-1]]


def test_nothing_to_fill_leaves_a_table_as_it_is(saved):
    found = full(saved, "correlation", "beta", since=date(2030, 1, 1))
    np.testing.assert_array_equal(found.values, table(saved, "correlation", "beta").values)
    assert found.columns == table(saved, "correlation", "beta").columns


# ---------------------------------------------------------------- other questions


def test_snapshots_of_another_question_are_named_by_what_to_type_for_them(store):
    store.append(taken(DAYS[0], window=Window.parse("61b")))
    store.append(taken(DAYS[0], adjustment="price", max_lag=3))
    store.append(taken(DAYS[0], B, A))
    assert records.others(store, *LEGS, ASKED) == [
        "AAA BBB --window 61b",
        "AAA BBB --max-lag 3 --adjust price",
        "BBB AAA",
    ]


def test_every_scope_of_every_statistic_can_be_asked_for():
    said = {(r.scope, r.statistic.key) for r in taken(FRIDAY).found}
    assert {(scope, e.key) for e in stats.entries() for scope in records.scopes_of(e)} == said


def test_what_is_unusual_of_others_is_said_as_it_is_typed_also_where_it_is_usual(store):
    for more in ({}, {"currency": "USD", "align": "two-day"}):
        store.append(taken(FRIDAY, **more))
    assert records.others(store, *LEGS, ASKED) == ["AAA BBB --currency USD --align two-day"]
    assert records.others(store, *LEGS, replace(ASKED, currency="EUR", align="nearest")) == [
        "AAA BBB --currency '' --align date",
        "AAA BBB --currency USD --align two-day",
    ]


def test_where_nothing_is_saved_and_nothing_can_be_said_there_are_no_rows(store):
    found = full(store, "correlation", since=FRIDAY, asked=replace(ASKED, window=Window.parse("5d")))
    assert (found.rows, found.columns, found.values.size) == ((), (), 0)


# ---------------------------------------------------------------- other ways to line up


def sessions(a, b, since, **asked):
    """The sessions that are filled, with the correlation said of each."""
    question = replace(ASKED, **asked)
    empty = records.Table(*LEGS, question, (), (), np.empty((0, 0)))
    found = records.filled(empty, a, b, since, (("pair", "correlation"),))
    return dict(zip((row.session for row in found.rows), found.values.ravel().tolist(), strict=True))


def said(a, b, as_of_day, **asked):
    sides = as_of(a, as_of_day), as_of(b, as_of_day)
    found = pairs.compare(*sides, replace(ASKED, as_of=as_of_day, **asked))
    return found.as_of, found["correlation"]


def monthly_and_daily(*holidays):
    days = np.setdiff1d(builders.weekdays(1800), np.array(holidays, dtype="M8[D]"))
    months = (np.arange("2020-01", "2026-11", dtype="M8[M]") + 1).astype("M8[D]") - 1
    a, b = builders.linked_returns(len(days) - 1, seed=3)
    slow = builders.history(builders.prices(a[: len(months) - 1]), months, symbol="AAA", frequency="month")
    return slow, builders.history(builders.prices(b), days, symbol="BBB")


def test_of_a_monthly_leg_and_a_daily_one_each_month_is_filled():
    a, b = monthly_and_daily()
    asked = {"window": Window.parse("30b")}
    found = sessions(a, b, date(2026, 7, 15), **asked)
    assert found == dict(
        said(a, b, date(2026, month, day), **asked) for month, day in ((7, 31), (8, 31), (9, 30), (10, 31))
    )
    assert sessions(b, a, date(2026, 7, 15), **asked).keys() == found.keys()


def test_a_month_that_ends_on_a_holiday_is_said_once_the_next_month_trades():
    a, b = monthly_and_daily("2026-08-31")
    asked = {"window": Window.parse("30b")}
    session, value = said(a, b, date(2026, 9, 1), **asked)
    assert said(a, b, date(2026, 8, 31), **asked)[0] == date(2026, 7, 31)
    assert sessions(a, b, date(2026, 8, 1), **asked)[session] == value
    assert session == date(2026, 8, 31)


def test_a_month_that_is_not_over_as_of_the_day_is_no_session():
    a, b = monthly_and_daily("2026-08-31")
    assert sessions(a, b, date(2026, 8, 1), window=Window.parse("30b"), as_of=date(2026, 8, 31)) == {}


@pytest.mark.parametrize("how", ["nearest", "two-day"])
def test_every_session_of_another_way_to_line_up_is_as_of_its_own_day(how):
    a, b = builders.told_at_two_clocks(builders.TOKYO, builders.NEW_YORK, 250, seed=1)
    found = sessions(a, b, DAYS[0], align=how, as_of=FRIDAY)
    expected = dict(said(a, b, day, align=how) for day in DAYS)
    assert {day: found[day] for day in expected if day >= DAYS[0]} == {
        d: x for d, x in expected.items() if d >= DAYS[0]
    }
    assert len(found) >= 9
    if how == "two-day":
        assert list(found) == DAYS


def test_legs_that_cannot_be_lined_up_so_are_a_wrong_request_and_not_an_empty_table():
    with pytest.raises(UsageError, match="--align nearest: the closing time of"):
        sessions(A, B, DAYS[0], align="nearest")
