import math
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import builders

from pairwatch import alignment, differences, pairs
from pairwatch.differences import HEADLINES, Moment, Split, difference, explained, fresh, since
from pairwatch.errors import NotEnoughData, UsageError
from pairwatch.model import Window
from pairwatch.staging import Question

KEYS = ("correlation", "beta", "return_gap", "volatility")


def leg(symbol, seed, bars=520, dropped=(), revised=(), events=(), **more):
    """A leg of `bars` weekdays; `dropped` days have no close, `revised` ones another."""
    a, b = builders.linked_returns(bars - 1, rho=0.6, seed=seed)
    closes = builders.prices(a if symbol == "AAA" else b)
    closes[[at % bars for at in revised]] *= 1.01
    keep = np.setdiff1d(np.arange(bars), [at % bars for at in dropped])
    return builders.history(closes[keep], builders.weekdays(bars)[keep], symbol=symbol, events=events, **more)


def both(seed=1, **more):
    return leg("AAA", seed, **more), leg("BBB", seed)


def known(sides, day, window="90d", *, said=True, program="0.1.0", **question):
    """What was known after `day`, and what was said of it."""
    a, b = (replace(side, series=side.series.as_of(day)) for side in sides)
    asked = Question(day, Window.parse(window), 5, **question)
    state = fresh(a, b, asked, at=float(day.toordinal()), program=program)
    if not said:
        return state
    values = {(r.scope, r.statistic.key): r.value for r in pairs.some_readings(a, b, asked, explained())}
    return state._replace(said=values)


def back(days, end=builders.FRIDAY):
    return end - timedelta(days)


def by_name(found):
    return {(c.scope, c.statistic.key): c for c in found.changes}


def adds_up(c):
    """Whether the parts of a change add up to it, to the rounding of the largest number involved."""
    parts = (c.left, c.entered, c.revised)
    size = max(1.0, *(abs(x) for x in (c.start, c.end, *parts)))
    return abs(sum(parts) - c.change) <= 1e-12 * size and abs(c.start + c.change - c.end) <= 1e-12 * size


# ---------------------------------------------------------------- an independent reference


def table(sides, day):
    """The closes of the days that both legs have, up to a day."""
    columns = {
        side.series.leg.symbol: pd.Series(side.series.closes, pd.DatetimeIndex(side.series.dates)) for side in sides
    }
    return pd.DataFrame(columns).dropna().loc[: pd.Timestamp(day)]


def first_row(closes, window):
    """The position of the window's base."""
    if window.endswith("b"):
        return max(0, len(closes) - 1 - int(window[:-1]))
    start = closes.index[-1] - pd.Timedelta(days=int(window[:-1]))
    return max(0, int((closes.index <= start).sum()) - 1)


def reckoned(closes):
    """A few statistics of a window by pandas; nothing for a window that is too short."""
    if len(closes) < alignment.FEWEST_RETURNS + 1:
        return None
    returns = closes.pct_change().iloc[1:]
    whole = closes.iloc[-1] / closes.iloc[0] - 1
    return {
        ("pair", "correlation"): returns["AAA"].corr(returns["BBB"]),
        ("pair", "beta"): returns["AAA"].cov(returns["BBB"]) / returns["BBB"].var(),
        ("pair", "return_gap"): whole["AAA"] - whole["BBB"],
        ("a", "volatility"): returns["AAA"].std() * math.sqrt(252),
        ("b", "volatility"): returns["BBB"].std() * math.sqrt(252),
    }


def split_by_hand(old_sides, new_sides, start, end, window):
    """What `difference` should say: by name, the change and its three parts."""
    was = table(old_sides, start)
    then, now = table(new_sides, was.index[-1]), table(new_sides, end)
    said = reckoned(was.iloc[first_row(was, window) :])
    f_base, t_base = then.index[first_row(then, window)], now.index[first_row(now, window)]
    f, t = reckoned(then.loc[f_base:]), reckoned(now.loc[t_base:])
    shared, joint = reckoned(then.loc[t_base:]), reckoned(now.loc[f_base:])
    found = {}
    for name, value in said.items():
        left, entered = t[name] - joint[name], joint[name] - f[name]
        if shared:
            left = (left + shared[name] - f[name]) / 2
            entered = (entered + t[name] - shared[name]) / 2
        found[name] = (t[name] - value, left, entered, f[name] - value)
    return found


windows = st.one_of(
    st.integers(35, 200).map(lambda n: f"{n}d"), st.integers(alignment.FEWEST_RETURNS, 130).map(lambda n: f"{n}b")
)
some_days = st.lists(st.integers(-400, -2), max_size=8, unique=True)
states = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 10_000),
        "window": windows,
        "distance": st.integers(1, 200),
        "revised": some_days,
        "dropped": some_days,
        "filled": some_days,
    }
)


def drawn(case):
    """Two states: in the first some days are missing that come later, others lack for good, others are revised."""
    before = both(case["seed"], bars=520, dropped=[*case["dropped"], *case["filled"]])
    after = both(case["seed"], bars=520, dropped=case["dropped"], revised=case["revised"])
    return before, after, known(before, back(case["distance"]), case["window"]), known(after, back(0), case["window"])


@settings(max_examples=15)
@given(states)
def test_the_parts_of_every_statistic_add_up_to_its_change(case):
    _, _, start, end = drawn(case)
    found = difference(start, end)
    assert len(found.changes) == len(start.said)
    for c in found.changes:
        if all(map(math.isfinite, (c.start, c.end, c.left, c.entered, c.revised))):
            assert adds_up(c), c
    unsaid = [c for c in found.changes if math.isfinite(c.change) and not math.isfinite(c.left + c.entered + c.revised)]
    assert {c.statistic.key for c in unsaid} <= {"half_life", "up_beta", "down_beta", "up_capture", "down_capture"}


@settings(max_examples=50)
@given(states)
def test_the_parts_are_those_of_a_reckoning_with_pandas(case):
    before, after, start, end = drawn(case)
    expected = split_by_hand(before, after, back(case["distance"]), back(0), case["window"])
    found = by_name(difference(start, end, KEYS))
    for name, parts in expected.items():
        c = found[name]
        assert (c.change, c.left, c.entered, c.revised) == pytest.approx(parts, abs=1e-10), name


@settings(max_examples=10)
@given(states)
def test_the_way_back_is_the_way_there_turned_around(case):
    _, _, start, end = drawn(case)
    there, again = difference(start, end, KEYS), difference(end, start, KEYS)
    assert (again.start, again.end) == (there.end, there.start)
    assert (again.left, again.entered) == (there.entered, there.left)
    for c, d in zip(there.changes, again.changes, strict=True):
        assert (d.start, d.end) == (c.end, c.start)
        assert (d.change, d.left, d.entered, d.revised) == (-c.change, -c.entered, -c.left, -c.revised)


@settings(max_examples=10)
@given(states)
def test_the_short_form_says_the_same_of_the_headlines(case):
    _, _, start, end = drawn(case)
    whole = by_name(difference(start, end, HEADLINES))
    readings = pairs.some_readings(end.a, end.b, end.question, explained())
    short = since(start.moment, start.said, end, readings)
    assert {c.statistic.key for c in short.changes} == set(HEADLINES)
    for name, c in by_name(short).items():
        assert c[3:] == pytest.approx(whole[name][3:], rel=1e-12, abs=1e-12, nan_ok=True)


# ---------------------------------------------------------------- days


def test_a_new_day_enters_and_the_oldest_leaves():
    sides = both()
    found = difference(known(sides, back(1), "61b"), known(sides, back(0), "61b"), KEYS)
    days = builders.weekdays(62).tolist()
    assert found.left == (days[0],)
    assert found.entered == (days[-1],)


def test_nothing_leaves_and_nothing_is_taken_away_while_the_base_stays():
    sides = both()
    # The windows of Thursday and of Friday both begin on a Friday: 90 days before are a Friday and a Saturday.
    found = difference(known(sides, back(1)), known(sides, back(0)), KEYS)
    assert (found.left, len(found.entered)) == ((), 1)
    assert {c.left for c in found.changes} == {0.0}
    assert all(c.entered == pytest.approx(c.change, abs=1e-15) for c in found.changes)


def test_a_level_moves_by_what_entered_alone():
    sides = both()
    found = by_name(difference(known(sides, back(9)), known(sides, back(0)), ["last", "change_1m", "ratio"]))
    for name in (("a", "last"), ("b", "change_1m"), ("pair", "ratio")):
        assert found[name].left == 0
        assert found[name].entered == found[name].change != 0


def test_windows_without_a_common_day_are_split_in_one_order_and_this_is_said():
    sides = both()
    found = difference(known(sides, back(150)), known(sides, back(0)), KEYS)
    assert all(map(adds_up, found.changes))
    assert any("share fewer than 20 returns" in text for text in found.remarks)
    assert found.left[-1] < found.entered[0]


def test_windows_that_share_enough_need_no_remark():
    sides = both()
    assert difference(known(sides, back(7)), known(sides, back(0))).remarks == ()


# ---------------------------------------------------------------- what was rewritten


def test_a_revised_close_alone_is_all_that_moves_the_numbers():
    before, after = both(), both(revised=[-20])
    found = difference(known(before, back(0)), known(after, back(0))._replace(moment=later()), KEYS)
    assert (found.left, found.entered) == ((), ())
    for c in found.changes:
        assert (c.left, c.entered, c.revised) == (0, 0, c.change)
    assert by_name(found)["pair", "correlation"].change != 0
    assert [(str(one.leg), one.day, one.what) for one in found.revisions] == [
        ("AAA", builders.weekdays(20)[0].item(), "close")
    ]


def later(revision=2):
    return Moment(builders.FRIDAY, revision, float(builders.FRIDAY.toordinal()) + 0.5, "0.1.0")


def test_without_revisions_nothing_is_revised():
    sides = both()
    found = difference(known(sides, back(30)), known(sides, back(0)))
    assert all(c.revised == 0 or math.isnan(c.revised) for c in found.changes)
    assert (found.revisions, found.rebasings) == ((), ())


@pytest.mark.parametrize("known_then", [False, True], ids=["not yet", "already"])
def test_a_split_between_the_two_is_no_revision(known_then):
    plain = both()
    day = back(2)
    split = builders.event(day, 2.0, "split")
    halved = replace(plain[0], series=replace(plain[0].series, closes=plain[0].series.closes / 2, events=(split,)))
    old = halved if known_then else plain[0]
    start = known((old, plain[1]), back(3))
    # In the evening of an American session it is the next day in UTC.
    start = start._replace(question=replace(start.question, as_of=day), a=old_until(old, back(3)))
    said = pairs.some_readings(start.a, start.b, start.question, explained())
    start = start._replace(said={(r.scope, r.statistic.key): r.value for r in said})
    found = difference(start, known((halved, plain[1]), back(0)))
    assert all(c.revised == pytest.approx(0, abs=1e-12) or math.isnan(c.revised) for c in found.changes)
    assert (found.revisions, found.rebasings) == ((), ())
    # What was known already has moved nothing.
    named = [] if known_then else [Split(plain[0].series.leg, day, 2.0, "entered")]
    assert list(found.splits) == named
    back_again = difference(known((halved, plain[1]), back(0)), start)
    assert back_again.splits == tuple(one._replace(part="left") for one in named)


def test_splits_outside_the_two_sessions_are_not_named():
    plain = both()
    days = (back(3), back(2), back(0), back(-1))
    events = tuple(builders.event(day, 2.0, "split") for day in days)
    eventful = replace(plain[1], series=replace(plain[1].series, events=events))
    found = difference(known(plain, back(3)), known((plain[0], eventful), back(0)), ["last"])
    assert [one.day for one in found.splits] == [back(2), back(0)]


def old_until(side, day):
    """A leg whose closes end on a day, its events kept."""
    keep = side.series.dates <= np.datetime64(day)
    return replace(side, series=replace(side.series, dates=side.series.dates[keep], closes=side.series.closes[keep]))


def test_a_split_that_was_known_late_moves_the_levels_as_a_revision_and_no_return():
    plain = both()
    halved = replace(plain[0], series=replace(plain[0].series, closes=plain[0].series.closes / 2))
    found = difference(known(plain, back(1)), known((halved, plain[1]), back(0)))
    assert by_name(found)["a", "last"].revised == pytest.approx(-by_name(found)["a", "last"].start / 2)
    assert by_name(found)["pair", "correlation"].revised == pytest.approx(0, abs=1e-12)
    assert [one.divisor for one in found.rebasings] == [pytest.approx(2)]
    assert found.revisions == ()


def test_a_split_that_became_known_after_the_same_session_is_a_revision():
    plain = both()
    split = builders.event(builders.FRIDAY + timedelta(1), 2.0, "split")
    halved = replace(plain[0], series=replace(plain[0].series, closes=plain[0].series.closes / 2, events=(split,)))
    on_sunday = fresh(halved, plain[1], Question(builders.FRIDAY + timedelta(2), Window.parse("90d"), 5), 1e12, "0.1.0")
    found = difference(known(plain, back(0)), on_sunday, ["last"])
    c = by_name(found)["a", "last"]
    assert (c.left, c.entered, c.revised) == (0, 0, pytest.approx(-c.start / 2))
    assert [one.divisor for one in found.rebasings] == [pytest.approx(2)]


def test_on_the_way_back_what_was_rewritten_is_written_back():
    plain, other = both(), both(revised=[-20])
    halved = (other[0], replace(plain[1], series=replace(plain[1].series, closes=plain[1].series.closes / 2)))
    there = difference(known(plain, back(5)), known(halved, back(0)), KEYS)
    again = difference(known(halved, back(0)), known(plain, back(5)), KEYS)
    assert [one.divisor for one in again.rebasings] == [pytest.approx(1 / one.divisor) for one in there.rebasings]
    (before,), (after,) = there.revisions, again.revisions
    assert (before.before, before.after) == (after.after, after.before)


# ---------------------------------------------------------------- what cannot be said


def test_a_number_that_was_not_said_has_no_change():
    sides = both()
    start = known(sides, back(1))
    flat = replace(start.a, series=replace(start.a.series, closes=np.full(len(start.a.series), 10.0)))
    found = by_name(difference(start._replace(a=flat), known(sides, back(0))))
    c = found["pair", "correlation"]
    assert math.isnan(c.start)
    assert math.isnan(c.change)
    assert math.isnan(c.revised)
    assert math.isfinite(c.end)


def test_a_number_that_the_shared_days_cannot_say_is_split_by_the_other_order():
    sides = both()
    # B does not move in the days that both windows share.
    closes = sides[1].series.closes.copy()
    closes[-62:-6] = closes[-63]
    still = replace(sides[1], series=replace(sides[1].series, closes=closes))
    start, end = known((sides[0], still), back(7), "60b"), known((sides[0], still), back(0), "60b")
    c = by_name(difference(start, end, ["correlation"]))["pair", "correlation"]
    assert adds_up(c)
    assert c.left == pytest.approx(c.end - c.start - c.entered)
    assert c.left != c.entered


def test_two_currencies_have_no_difference():
    sides = both()
    pence = replace(sides[0], series=replace(sides[0].series, facts=replace(sides[0].series.facts, currency="GBp")))
    found = by_name(difference(known(sides, back(1)), known((pence, sides[1]), back(0))))
    assert math.isnan(found["a", "last"].change)
    assert math.isfinite(found["b", "last"].change)
    assert math.isfinite(found["a", "volatility"].change)


def test_data_that_no_longer_reach_back_leave_the_parts_open_and_say_why():
    sides = both()
    short = [
        replace(s, series=replace(s.series, dates=s.series.dates[-30:], closes=s.series.closes[-30:])) for s in sides
    ]
    found = difference(known(sides, back(28), "30d"), known(short, back(0), "30d"), KEYS)
    assert all(math.isfinite(c.change) and math.isnan(c.left) and math.isnan(c.revised) for c in found.changes)
    assert any("cannot be said" in text for text in found.remarks)


def test_a_state_that_is_too_short_is_not_enough_data():
    sides = both()
    with pytest.raises(NotEnoughData):
        known(sides, back(715))


def test_two_questions_have_no_difference():
    sides = both()
    with pytest.raises(ValueError, match="one question"):
        difference(known(sides, back(1), "90d"), known(sides, back(0), "60d"))


# ---------------------------------------------------------------- other versions of the program


def test_what_another_version_said_otherwise_is_recomputed_and_told():
    sides = both()
    start = known(sides, back(1), program="0.0.9")
    otherwise = start._replace(said={**start.said, ("pair", "correlation"): 0.5})
    found = difference(otherwise, known(sides, back(0)), KEYS)
    assert all(map(adds_up, found.changes))
    assert by_name(found)["pair", "correlation"].start == start.said["pair", "correlation"]
    assert [text for text in found.remarks if "0.0.9" in text and "correlation 0.5 is" in text]


@pytest.mark.parametrize(("factor", "told"), [(1 + 1e-12, 0), (1.001, 1)])
def test_the_last_digits_of_another_processor_are_not_told(factor, told):
    sides = both()
    start = known(sides, back(1))
    name = ("pair", "correlation")
    other = start._replace(said={**start.said, name: factor * start.said[name]})
    assert len(difference(other, known(sides, back(0)), KEYS).remarks) == told


def test_a_statistic_that_was_not_known_then_is_made_from_what_was():
    sides = both()
    start = known(sides, back(1), program="0.0.9")
    fewer = start._replace(said={name: x for name, x in start.said.items() if name[1] != "beta"})
    found = difference(fewer, known(sides, back(0)), KEYS)
    assert by_name(found)["pair", "beta"].start == start.said["pair", "beta"]
    assert [text for text in found.remarks if "not known then: beta" in text]


def test_what_is_of_an_unfinished_session_is_left_out():
    sides = both()
    found = difference(known(sides, back(1)), known(sides, back(0)))
    assert not {"now", "now_change"} & {c.statistic.key for c in found.changes}


def test_a_moment_is_named_like_its_snapshot():
    assert str(Moment(date(2026, 11, 20), 1, 0.0, "")) == "2026-11-20"
    assert str(Moment(date(2026, 11, 20), 2, 0.0, "")) == "2026-11-20.2"
    assert str(Moment(date(2026, 11, 20), None, 0.0, "")) == "2026-11-20"


def test_the_headlines_are_statistics_of_the_pair():
    assert {entry.key for entry in differences.stats.entries() if entry.scope == "pair"} >= set(HEADLINES)


# ---------------------------------------------------------------- other ways to line up


def month_ends(first, last):
    return (np.arange(first, last, dtype="M8[M]") + 1).astype("M8[D]") - 1


def monthly_and_daily(*holidays):
    """AAA by the month, BBB by the weekday but for holidays, to October 2026."""
    days = np.setdiff1d(builders.weekdays(1800), np.array(holidays, dtype="M8[D]"))
    months = month_ends("2020-01", "2026-11")
    a, b = builders.linked_returns(len(days) - 1, rho=0.6, seed=3)
    slow = builders.history(builders.prices(a[: len(months) - 1]), months, symbol="AAA", frequency="month")
    return slow, builders.history(builders.prices(b), days, symbol="BBB")


def two_clocks(**facts):
    return builders.told_at_two_clocks(builders.TOKYO, builders.NEW_YORK, 300, seed=2, **facts)


def nothing_was_revised(found):
    for c in found.changes:
        if math.isfinite(c.change):
            assert c.revised == 0, c
            assert adds_up(c) or not math.isfinite(c.left + c.entered), c
    return True


ELSE = [
    (monthly_and_daily, {"window": "3y"}, date(2026, 8, 31), date(2026, 10, 31)),
    (monthly_and_daily, {"window": "30b"}, date(2026, 9, 15), date(2026, 11, 20)),
    (two_clocks, {"align": "nearest"}, back(3), back(0)),
    (two_clocks, {"align": "two-day"}, back(3), back(0)),
    (two_clocks, {"align": "two-day"}, back(2), back(0)),
    (both, {"align": "two-day", "window": "30b"}, back(8), back(0)),
]


@pytest.mark.parametrize(("sides", "asked", "day", "last"), ELSE)
def test_however_closes_are_lined_up_the_parts_add_up_and_nothing_is_revised_that_was_not(sides, asked, day, last):
    sides = sides()
    start, end = known(sides, day, **asked), known(sides, last, **asked)
    found = difference(start, end)
    assert nothing_was_revised(found)
    changed = by_name(found)["pair", "correlation"]
    assert changed.entered != 0 != changed.change


@pytest.mark.parametrize(("sides", "asked", "day", "last"), ELSE)
def test_however_closes_are_lined_up_the_short_form_says_the_same(sides, asked, day, last):
    sides = sides()
    start, end = known(sides, day, **asked), known(sides, last, **asked)
    whole = by_name(difference(start, end, HEADLINES))
    short = by_name(since(start.moment, start.said, end, pairs.some_readings(end.a, end.b, end.question, HEADLINES)))
    for name, c in short.items():
        assert c[3:] == pytest.approx(whole[name][3:], rel=1e-12, abs=1e-12, nan_ok=True)


def test_of_two_frequencies_the_ends_of_periods_leave_and_enter():
    sides = monthly_and_daily()
    found = difference(known(sides, date(2026, 9, 10), "30b"), known(sides, date(2026, 11, 5), "30b"), KEYS)
    assert (found.start.session, found.end.session) == (date(2026, 8, 31), date(2026, 10, 31))
    assert found.entered == (date(2026, 9, 30), date(2026, 10, 31))
    assert found.left == (date(2024, 3, 31), date(2024, 4, 30))


def test_a_month_that_ends_on_a_holiday_is_the_window_that_it_was():
    sides = monthly_and_daily("2026-08-31")
    start, end = known(sides, date(2026, 9, 2), "30b"), known(sides, date(2026, 10, 31), "30b")
    assert start.moment.session == date(2026, 8, 31)
    assert nothing_was_revised(difference(start, end))


def test_under_two_day_single_days_leave_and_enter_and_other_bars_are_said():
    sides = both()
    for distance, said in ((1, True), (2, False)):
        found = difference(
            known(sides, back(distance), "30b", align="two-day"), known(sides, back(0), "30b", align="two-day"), KEYS
        )
        assert len(found.entered) == len(found.left) == distance
        assert found.entered == tuple(builders.weekdays(distance).tolist())
        assert any("an odd number of days has passed" in text for text in found.remarks) == said
        assert nothing_was_revised(found)


def test_a_revised_close_is_what_was_revised_also_of_months():
    before = monthly_and_daily()
    closes = before[1].series.closes.copy()
    closes[before[1].series.dates == np.datetime64("2025-10-31")] *= 1.05
    after = before[0], replace(before[1], series=replace(before[1].series, closes=closes))
    found = difference(known(before, date(2026, 9, 10), "30b"), known(after, date(2026, 11, 5), "30b"))
    c = by_name(found)["b", "volatility"]
    assert adds_up(c)
    assert c.revised > 0
    assert [one.day for one in found.revisions] == [date(2025, 10, 31)]


def test_legs_that_cannot_be_lined_up_so_are_a_wrong_request():
    with pytest.raises(UsageError, match="closing time of AAA and BBB is not known"):
        known(both(), back(0), align="nearest")


def test_of_closes_nearest_in_time_the_later_dates_leave_and_enter():
    sides = two_clocks()
    found = difference(known(sides, back(8), align="nearest"), known(sides, back(0), align="nearest"), KEYS)
    assert found.start.session == back(8)
    # Tokyo's Monday is two days from New York's Friday.
    assert found.entered == tuple(back(days) for days in (7, 3, 2, 1, 0))
