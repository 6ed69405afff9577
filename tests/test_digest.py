"""What moved: the numbers against plain loops, and every remark provoked on its own."""

import json
import math
import statistics
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import builders, evenings

from pairwatch import pairs
from pairwatch.conditions import Rule
from pairwatch.digest import After, Digest, Journals, Known, digest, made
from pairwatch.digest.moves import moved, unlikeness
from pairwatch.errors import NotEnoughData
from pairwatch.expressions import parse
from pairwatch.model import Provenance, Window
from pairwatch.snapshots import Line, Named, Record, Snapshot, Store
from pairwatch.snapshots.batch import question_text
from pairwatch.snapshots.watching import Change, Seen, Standing, Watch

SLOWLY = replace(evenings.ASKED, window=Window.parse("60mo"))
PAIR, LATE = (evenings.leg("AAA"), evenings.leg("BBB")), (evenings.leg("CCC"), evenings.leg("DDD"))
FRIDAY = builders.FRIDAY
SUNDAY = FRIDAY + timedelta(days=2)
THURSDAY, WEDNESDAY = FRIDAY - timedelta(days=1), FRIDAY - timedelta(days=2)
NOW = datetime(2026, 11, 20, 23, tzinfo=UTC).timestamp()
KEYS = ("correlation", "correlation_low", "ratio_zscore", "lead_lag", "lead_p_value")


def known(symbols=("AAA", "BBB"), sessions=30, sides=None, until=FRIDAY, seed=0, **columns):
    """A pair with a snapshot for every session; `columns` are what they said, a value or one a session."""
    a, b = sides or evenings.histories(symbols, evenings.linked(sessions, seed=seed), until)
    legs = a.series.leg, b.series.leg
    days = [day for day in evenings.days(sessions) if day <= until]
    heads = [
        Snapshot(n, *legs, replace(evenings.ASKED, as_of=day), day, 1, evening(day), "0") for n, day in enumerate(days)
    ]
    said = {"correlation": 0.9, "correlation_low": 0.8, "ratio_zscore": 0.5, "lead_lag": 1.0, "lead_p_value": 0.5}
    values = np.column_stack([np.broadcast_to((said | columns)[key], len(days)) for key in KEYS])
    names = tuple(Named("leadership" if key.startswith("lead") else "pair", key, "number") for key in KEYS)
    return Known(Record(tuple(heads), names, values.astype("f8")), a, b)


def evening(day):
    return datetime(day.year, day.month, day.day, 22, tzinfo=UTC).timestamp()


def of(*every, since=THURSDAY, now=NOW, also=(), **journals) -> Digest:
    """The digest of some pairs, and of others of which nothing is known."""
    by_pair = {(one.end.a, one.end.b): one for one in every}
    return made(dict.fromkeys([*by_pair, *also], evenings.ASKED), by_pair, since, now, Journals(**journals))


def said(found, *kinds):
    return [remark.text for remark in found.of(kinds)]


def last(value, other, sessions=30, count=1):
    """One value, and another in the last sessions."""
    return np.array([value] * (sessions - count) + [other] * count)


# ---------------------------------------------------------------- moves


def plain_move(one, start):
    """Changes, gap and sigmas of the gap from a session to the last, in loops over what is quoted."""
    worth = []
    for side in (one.a.series, one.b.series):
        held, found = 1.0, {}
        closes = dict(zip(side.dates.tolist(), side.closes.tolist(), strict=True))
        paid = {e.day.item(): e.value for e in side.events}
        for day, close in closes.items():
            held *= 1 + paid.get(day, 0.0) / close if paid.get(day) else 1.0
            found[day] = held * close
        worth.append(found)
    days = sorted(set(worth[0]) & set(worth[1]))
    changes = [own[days[-1]] / own[start] - 1 for own in worth]
    at = days.index(start)
    bars = [[own[days[i]] / own[days[i - 1]] - 1 for i in range(at - 59, at + 1)] for own in worth]
    sd = statistics.stdev(x - y for x, y in zip(*bars, strict=True))
    gap = changes[0] - changes[1]
    return changes, gap, abs(gap) / (sd * math.sqrt(len(days) - 1 - at))


@given(
    st.integers(0, 10_000), st.integers(1, 25), st.lists(st.tuples(st.integers(0, 90), st.floats(0.1, 3)), max_size=4)
)
@settings(max_examples=30)
def test_a_move_is_what_plain_loops_make_of_the_closes(seed, back, dividends):
    a, b = evenings.histories(("AAA", "BBB"), evenings.linked(30, 0.7, seed), FRIDAY)
    paid = {int(at): value for at, value in dividends}
    events = tuple(builders.event(a.series.dates[at + 5], value) for at, value in sorted(paid.items()))
    one = known(sides=(replace(a, series=replace(a.series, events=events)), b))
    start = evenings.days(30)[-1 - back]
    changes, gap, sigmas = plain_move(one, start)
    move = moved(one, start)
    assert (move.start, move.end, move.sessions) == (start, FRIDAY, back)
    # A distribution is reinvested at the close of its day in both, but for terms of the second order.
    assert move.changes == pytest.approx(changes, abs=2e-3 if events else 1e-12)
    if not events:
        assert move.gap == pytest.approx(gap, abs=1e-12)
        assert move.gap_sigmas == pytest.approx(sigmas, rel=1e-9)


def test_the_gap_is_held_against_the_tracking_error_that_was_said_then():
    returns = evenings.linked(30, seed=3)
    then = evenings.taken(*evenings.histories(("AAA", "BBB"), returns, THURSDAY), THURSDAY)
    move = moved(known(sides=evenings.histories(("AAA", "BBB"), returns, FRIDAY)), THURSDAY)
    assert move.gap_sigmas == pytest.approx(abs(move.gap) / (then.found["tracking_error"] / math.sqrt(252)), rel=1e-9)


def test_a_dividend_is_no_move():
    flat = np.full(101, 100.0)
    flat[-1] = 98.0
    a = builders.history(flat, symbol="AAA", events=(builders.event(FRIDAY, 2.0),))
    b = builders.history(np.full(101, 50.0), symbol="BBB")
    assert moved(known(sides=(a, b)), THURSDAY).changes == pytest.approx((0.0, 0.0), abs=1e-12)


def test_what_moves_by_differences_moves_by_the_quoted_closes():
    flat = np.full(101, 100.0)
    flat[-1] = 98.0
    a = builders.history(flat, symbol="AAA", changes="points", events=(builders.event(FRIDAY, 2.0),))
    b = builders.history(np.arange(101.0) + 50, symbol="BBB", changes="points")
    move = moved(known(sides=(a, b)), THURSDAY)
    assert move.changes == (-2.0, 1.0)
    assert moved(known(sides=(b, a)), THURSDAY).changes == (1.0, -2.0)


def test_rates_move_in_basis_points_and_against_a_price_there_is_no_gap():
    level = 4 + np.cumsum(np.random.default_rng(1).normal(0, 0.03, 101))
    rate = builders.history(level, symbol="AAA", measure="rate", unit="percent")
    other = builders.history(level[::-1] + 1, symbol="BBB", measure="rate", unit="percent")
    move = moved(known(sides=(rate, other)), THURSDAY)
    assert move.units == ("bp", "bp")
    assert move.changes[0] == pytest.approx((level[-1] - level[-2]) * 100)
    assert move.gap == pytest.approx(move.changes[0] - move.changes[1])
    assert move.gap_sigmas > 0
    price = builders.history(np.exp(level), symbol="BBB")
    mixed = moved(known(sides=(rate, price)), THURSDAY)
    assert mixed.units == ("bp", "fraction")
    assert math.isnan(mixed.gap)
    assert math.isnan(mixed.score)


def test_what_changes_by_points_moves_in_its_own_unit_and_has_a_gap_to_the_same_unit_alone():
    level = np.cumsum(np.random.default_rng(2).normal(0, 3, 101))
    facts = {"measure": "level", "changes": "points"}

    def barrels(unit, sign=1):
        legs = ((level, "AAA"), (-level, "BBB"))
        sides = [builders.history(sign * x, symbol=s, unit=unit, currency="", **facts) for x, s in legs]
        return moved(known(sides=sides), THURSDAY)

    move = barrels("barrels")
    assert move.units == ("barrels", "barrels")
    assert move.changes == pytest.approx((level[-1] - level[-2], level[-2] - level[-1]))
    assert move.gap == pytest.approx(2 * move.changes[0])
    steps = np.diff(2 * level[-62:-1])
    assert move.gap_sigmas == pytest.approx(abs(move.gap) / statistics.stdev(steps.tolist()))
    unnamed = barrels("")
    assert unnamed.units == ("points", "points")
    assert unnamed.changes == move.changes
    assert math.isnan(unnamed.gap)
    assert math.isnan(unnamed.score)


def by_weeks(**columns):
    """A daily leg against one whose weeks end on Sundays: thirty snapshots of those."""
    closes = [builders.prices(x) for x in evenings.linked(500, seed=8)]
    sundays = builders.calendar_days(110, SUNDAY, step=7)
    one = known(**columns)
    a = builders.history(closes[0], builders.weekdays(len(closes[0]), SUNDAY), symbol="AAA")
    b = builders.history(closes[1][:110], sundays, symbol="BBB", frequency="week")
    heads = tuple(
        head._replace(session=day) for head, day in zip(one.record.snapshots, sundays[-30:].tolist(), strict=True)
    )
    return one._replace(a=a, b=b, record=one.record._replace(snapshots=heads))


def test_a_pair_of_two_frequencies_moves_by_the_periods_of_the_slower_leg():
    one = by_weeks()
    move = moved(one, SUNDAY - timedelta(days=8))
    a, b = one.a.series.closes, one.b.series.closes
    assert (move.start, move.end, move.sessions) == (SUNDAY - timedelta(days=14), SUNDAY, 2)
    assert move.changes == pytest.approx((a[-1] / a[-11] - 1, b[-1] / b[-3] - 1))
    assert move.gap_sigmas > 0


def test_an_average_of_its_period_makes_the_other_leg_no_leader():
    since = SUNDAY - timedelta(days=1)
    assert said(of(by_weeks(lead_p_value=last(0.5, 0.01), lead_lag=1.0), since=since), "lead") == []
    told = ["AAA leads BBB by 2 bars (p .01): new"]
    assert said(of(by_weeks(lead_p_value=last(0.5, 0.01), lead_lag=2.0), since=since), "lead") == told


def test_a_close_that_was_taken_back_leaves_the_move_unsaid():
    one = known(correlation=last(0.9, 0.5))
    dates = one.a.series.dates
    kept = dates != np.datetime64(THURSDAY)
    a = replace(one.a, series=replace(one.a.series, dates=dates[kept], closes=one.a.series.closes[kept]))
    move = moved(one._replace(a=a), THURSDAY)
    assert all(map(math.isnan, (*move.changes, move.gap, move.gap_sigmas)))
    assert move.correlations == (0.9, 0.5)
    assert move.sessions == 1


def plain_unlikeness(values, at):
    steps = len(values) - 1 - at
    past = sorted(values[i] - values[i - steps] for i in range(steps, at + 1))
    if len(past) < 20:
        return math.nan
    middle = statistics.median(past)
    distances = sorted(abs(x - middle) for x in past)
    place = 0.95 * (len(distances) - 1)
    low = int(place)
    quantile = distances[low] + (place - low) * (distances[min(low + 1, len(distances) - 1)] - distances[low])
    return abs(values[-1] - values[at] - middle) / (quantile / 1.96)


@given(st.integers(2, 80), st.integers(1, 30), st.integers(0, 1000))
def test_a_change_of_the_correlation_is_held_against_those_before_it(count, steps, seed):
    values = np.random.default_rng(seed).normal(0.8, 0.02, count)
    at = count - 1 - steps
    if at >= 0:
        assert unlikeness(values, np.arange(count), at) == pytest.approx(
            plain_unlikeness(values.tolist(), at), nan_ok=True
        )


def test_snapshots_that_could_not_say_are_no_changes():
    values = np.random.default_rng(1).normal(0.8, 0.02, 24)
    closes = np.arange(24)
    assert unlikeness(values, closes, 22) > 0
    values[5] = math.nan
    values[15] = math.nan
    assert math.isnan(unlikeness(values, closes, 22))


def test_a_correlation_that_never_moved_has_no_scale():
    assert math.isnan(unlikeness(last(0.9, 0.5, 40), np.arange(40), 38))


def test_a_change_over_many_closes_is_not_held_against_changes_over_one():
    """Eight closes lie between the last two snapshots."""
    values = 0.9 + 0.01 * np.random.default_rng(5).standard_normal(60)
    every = np.append(np.arange(59), 66)
    paths = sorted(values[i] - values[i - 8] for i in range(8, 59))
    middle = statistics.median(paths)
    scale = float(np.quantile([abs(x - middle) for x in paths], 0.95)) / 1.96
    assert unlikeness(values, every, 58) == pytest.approx(abs(values[-1] - values[-2] - middle) / scale)
    holes = np.append(np.arange(59) * 3, 58 * 3 + 8)
    assert math.isnan(unlikeness(values, holes, 58)), "no two evenings before are eight closes apart"


def test_the_closes_between_are_counted_where_evenings_were_missed():
    whole = known(correlation=0.9 + 0.01 * np.random.default_rng(5).standard_normal(30))
    keep = [*range(21), 29]
    record = whole.record
    missed = Record(tuple(record.snapshots[i] for i in keep), record.names, record.values[keep])
    move = moved(whole._replace(record=missed), THURSDAY)
    assert move.sessions == 9
    assert math.isnan(move.correlation_sigmas), "there are 12 earlier changes over nine closes"


def test_the_move_itself_is_not_what_it_is_held_against():
    quiet = 0.9 + 0.01 * np.random.default_rng(5).standard_normal(60)
    wild = quiet.copy()
    wild[-1] = 0.1
    assert unlikeness(wild, np.arange(60), 58) > 20 * unlikeness(quiet, np.arange(60), 58)


def test_pairs_are_ranked_by_the_larger_of_two_sigmas_and_the_unsaid_come_last():
    every = []
    for seed in range(12):
        correlations = 0.9 + 0.01 * np.random.default_rng(seed).standard_normal(30)
        every.append(known((f"A{seed}", f"B{seed}"), seed=seed, correlation=correlations))
    mixed = known(sides=(builders.history(np.full(101, 4.0), measure="rate", unit="percent"), every[0].b))
    found = of(mixed, *every)

    def plain(one):
        return max(plain_move(one, THURSDAY)[2], plain_unlikeness(one.record.values[:, 0].tolist(), 28))

    expected = sorted(every, key=plain, reverse=True)
    assert [move.a for move in found.moves] == [*(one.end.a for one in expected), mixed.end.a]
    assert [move.score for move in found.moves[:-1]] == pytest.approx([plain(one) for one in expected])
    assert [move.a for move in found.unusual] == [one.end.a for one in expected if plain(one) >= 2]


# ---------------------------------------------------------------- remarks


def test_a_single_snapshot_is_said_to_be_the_first_and_does_not_move():
    found = of(known(sessions=1), known(("CCC", "DDD")))
    assert [move.a for move in found.moves] == [evenings.leg("CCC")]
    assert said(found, "new") == ["first snapshot: nothing to compare it with yet"]
    assert found.has_news


def test_a_pair_without_a_later_session_has_not_moved():
    found = of(known(), since=FRIDAY)
    assert (found.moves, found.still, found.has_news) == ((), (PAIR,), False)


def test_a_breakdown_is_news_once_then_it_stands_and_then_it_is_mended():
    fell = known(correlation=last(0.9, 0.5))
    (text,) = said(of(fell), "breakdown")
    assert text == f"breakdown: correlation 0.50, below 0.80, its 95 % low of {evenings.days(30)[9]}"
    stands = known(correlation=last(0.9, 0.5, count=3))
    assert said(of(stands), "breakdown", "mended") == []
    assert said(of(stands), "in force")[0].startswith("breakdown: correlation 0.50")
    assert not of(stands).has_news
    assert said(of(stands, since=WEDNESDAY - timedelta(days=1)), "breakdown")
    assert said(of(stands, since=FRIDAY), "in force")
    correlations = np.full(30, 0.9)
    correlations[-4:-1] = 0.5
    assert said(of(known(correlation=correlations)), "mended") == ["breakdown mended: correlation 0.90"]


def test_two_numbers_of_a_breakdown_are_told_apart():
    (text,) = said(of(known(correlation=last(0.9, 0.7196), correlation_low=0.7204)), "breakdown")
    assert text.startswith("breakdown: correlation 0.7196, below 0.7204,")


def test_a_breakdown_needs_an_interval_of_twenty_snapshots_ago():
    assert said(of(known(sessions=20, correlation=last(0.9, 0.1, 20))), "breakdown", "in force") == []
    assert said(of(known(sessions=21, correlation=last(0.9, 0.1, 21))), "breakdown") != []


def test_a_lead_that_appears_or_vanishes_or_turns_is_said():
    assert said(of(known(lead_p_value=last(0.5, 0.01))), "lead") == ["AAA leads BBB by 1 bar (p .01): new"]
    assert said(of(known(lead_p_value=last(0.01, 0.5))), "lead") == ["AAA leads BBB by 1 bar no more (p .50)"]
    turned = known(lead_p_value=0.01, lead_lag=last(1, -2))
    assert said(of(turned), "lead") == ["BBB leads AAA by 2 bars (p .01): new"]
    assert said(of(known(lead_p_value=last(0.01, math.nan))), "lead") == ["AAA leads BBB by 1 bar no more"]
    assert said(of(known(lead_p_value=0.01), known(("CCC", "DDD"))), "lead") == []


def test_the_clock_is_no_leader():
    one = known(lead_p_value=last(0.5, 0.01))
    late = replace(one.a.series.facts, timezone="America/New_York", closes_at=960)
    early = replace(late, timezone="Asia/Tokyo", closes_at=900)

    def closing(a, b):
        return one._replace(
            a=replace(one.a, series=replace(one.a.series, facts=a)),
            b=replace(one.b, series=replace(one.b.series, facts=b)),
        )

    assert said(of(closing(late, early)), "lead") == []
    assert said(of(closing(early, late)), "lead") != []


def test_a_number_that_the_clock_can_make_is_not_told_of_a_condition_in_force():
    because = "lead_p_value 0.02, correlation 0.95"
    began = Change("ahead", *PAIR, question_text(evenings.ASKED), WEDNESDAY, math.nan, "began", because)
    one = known(lead_p_value=0.01)
    late, early = ({"timezone": zone, "closes_at": 960} for zone in ("America/New_York", "Asia/Tokyo"))
    for of_a, of_b, lead in (({}, {}, "lead_p_value 0.01, "), (late, late, "lead_p_value 0.01, "), (late, early, "")):
        facts = (replace(side.series.facts, **more) for side, more in ((one.a, of_a), (one.b, of_b)))
        a, b = (
            replace(side, series=replace(side.series, facts=own))
            for side, own in zip((one.a, one.b), facts, strict=True)
        )
        found = of(one._replace(a=a, b=b), standing=[Standing(began, "lead_p_value < 0.05", FRIDAY)])
        assert said(found, "in force") == [f"ahead since 2026-11-18 (now {lead}correlation 0.9)"]


def test_stale_legs_are_said_once_for_all_their_pairs():
    one, other = known(), known(("AAA", "CCC"), seed=1)
    stale = Provenance("cache", stale="AAA: throttled")
    found = of(one._replace(a=replace(one.a, provenance=stale)), other._replace(a=replace(other.a, provenance=stale)))
    (remark,) = found.of(("stale",))
    assert (remark.text, len(remark.pairs)) == ("AAA: throttled", 2)


def failed(at, a="AAA", b="BBB", run=1):
    return Line(1, run, at, "failed", json.dumps({"a": a, "b": b, "message": "no\x1b answer"}))


def ended(at, **counts):
    return Line(2, 1, at, "ended", json.dumps({"stored": 0, "known": 0, "failed": 0, "refused": 0, **counts}))


def test_a_pair_whose_last_run_failed_says_when_and_why():
    found = of(known(), lines=[failed(NOW)])
    assert said(found, "failed") == ["failed on 2026-11-20: no\ufffd answer"]
    assert of(known(), lines=[failed(evening(FRIDAY) - 60)]).of(("failed",)) == ()
    assert of(known(), lines=[failed(NOW, a="ZZZ")]).of(("failed",)) == ()
    assert of(known(), lines=[failed(NOW)._replace(detail="no json")]).of(("failed",)) == ()


def test_a_failure_is_over_when_a_later_run_has_ended_without_it():
    two = known(), known(("CCC", "DDD"))
    again = failed(NOW + 60, "CCC", "DDD", run=9)
    over = ended(NOW + 90, known=1, failed=1)._replace(run=9)
    (remark,) = of(*two, lines=[failed(NOW), ended(NOW + 1, failed=1), again, over]).of(("failed",))
    assert remark.pairs == ((evenings.leg("CCC"), evenings.leg("DDD")),)
    assert said(of(*two, lines=[failed(NOW), over]), "failed") == []
    assert said(of(*two, lines=[failed(NOW), ended(NOW + 1, known=1, failed=1)]), "failed") != []


def test_a_run_under_way_has_failures_too():
    assert said(of(known(), lines=[ended(NOW, known=2), failed(NOW + 1, run=9)]), "failed") != []
    assert said(of(known(), lines=[failed(NOW, run=9), ended(NOW + 1, known=2)]), "failed") != [], "begun later"


def test_a_pair_that_was_never_snapped_is_named_with_its_failure_if_there_is_one():
    other = evenings.leg("YYY"), evenings.leg("ZZZ")
    assert said(of(known(), also=[other]), "behind") == ["never snapped"]
    found = of(known(), also=[other], lines=[failed(NOW, "YYY", "ZZZ")])
    assert (said(found, "behind"), len(said(found, "failed"))) == ([], 1)
    assert found.pairs == 2


def test_a_pair_without_the_newest_session_is_behind_unless_it_trades_elsewhere():
    late = known(("CCC", "DDD"), until=THURSDAY)
    found = of(known(), late)
    assert said(found, "behind") == ["no snapshot of 2026-11-20; the last one is of 2026-11-19"]
    assert (found.still, found.newest) == ((LATE,), FRIDAY)
    facts = replace(late.a.series.facts, timezone="Asia/Tokyo")
    elsewhere = late._replace(a=replace(late.a, series=replace(late.a.series, facts=facts)))
    assert said(of(known(), elsewhere), "behind") == []
    assert said(of(known(), late, lines=[failed(NOW, "CCC", "DDD")]), "behind") == []


def by_months(symbols=("CCC", "DDD"), until=date(2026, 10, 31)):
    """A pair of months, with a snapshot for each of the last two of them."""
    ends = np.arange("2020-01", np.datetime64(until, "M") + 1, dtype="M8[M]")
    days = (ends + 1).astype("M8[D]") - 1
    returns = builders.linked_returns(len(days) - 1, seed=4)
    sides = [builders.history(builders.prices(r), days, symbol=s) for r, s in zip(returns, symbols, strict=True)]
    made = known(symbols, sessions=2, sides=sides)
    record = made.record._replace(
        snapshots=tuple(
            snapshot._replace(session=day, question=replace(SLOWLY, as_of=day))
            for snapshot, day in zip(made.record.snapshots, days[-2:].tolist(), strict=True)
        )
    )
    return made._replace(record=record)


def test_a_monthly_pair_is_not_behind_the_daily_ones_nor_other_months():
    months, others = by_months(), by_months(("EEE", "FFF"), date(2026, 9, 30))
    assert months.is_slow
    assert not known().is_slow
    assert said(of(known(), months, others), "behind") == []
    late = known(("GGG", "HHH"), until=THURSDAY)
    assert len(of(known(), months, late).of(("behind",))) == 1


def test_a_list_that_stands_still_is_asked_after():
    days = 86_400
    assert said(of(known(), now=NOW + 5 * days), "behind") == []
    lately = [ended(NOW + 2 * days)]
    assert said(of(known(), now=NOW + 6 * days, lines=lately), "behind") == []  # the sources are late, not the runs
    assert said(of(known(), now=NOW + 8 * days, lines=lately), "behind") != []
    (remark,) = of(known(), now=NOW + 6 * days).of(("behind",))
    assert (remark.pairs, remark.text) == ((), "the newest session is 6 days old; did the snapshots run?")
    tokyo = [
        replace(side, series=replace(side.series, facts=replace(side.series.facts, timezone="Asia/Tokyo")))
        for side in evenings.histories(("CCC", "DDD"), evenings.linked(30), FRIDAY - timedelta(days=14))
    ]
    stopped = known(("CCC", "DDD"), sides=tokyo, until=FRIDAY - timedelta(days=14))
    (remark,) = of(known(), stopped).of(("behind",))
    assert (remark.pairs, remark.text) == ((LATE,), "the newest session is 14 days old; did the snapshots run?")
    (remark,) = of(known(), stopped, now=NOW + 6 * days).of(("behind",))
    assert (remark.pairs, remark.text[:35]) == ((), "the newest session is 6 days old; d")
    weekly = builders.calendar_days(101, step=7)
    sides = [builders.history(np.linspace(50, 60, 101), weekly, symbol=s) for s in ("AAA", "BBB")]
    assert said(of(known(sessions=1, sides=sides), now=NOW + 20 * days), "behind") == []


# ---------------------------------------------------------------- from a store


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Two pairs over 23 sessions; the second lacks the last."""
    made = Store(tmp_path_factory.mktemp("data") / "snapshots.db")
    evenings.with_evenings(made, {("AAA", "BBB"): evenings.linked(23, seed=1, d0=0.06)}, 23)
    returns = evenings.linked(23, seed=2)
    for day in evenings.days(3)[:-1]:
        made.append(evenings.taken(*evenings.histories(("CCC", "DDD"), returns, day), day))
    return made


def asked_of(store, *chosen, since=None, now=NOW):
    return digest(store, dict.fromkeys(chosen or (PAIR, LATE), evenings.ASKED), since, now)


def test_yesterday_is_the_session_before_the_newest_of_all_pairs(store):
    found = asked_of(store)
    assert (found.newest, found.since, found.still) == (FRIDAY, THURSDAY, (LATE,))
    (move,) = found.moves
    assert (move.start, move.end, move.sessions) == (THURSDAY, FRIDAY, 1)
    record = store.record(*PAIR, evenings.ASKED)
    correlation = record.values[:, record.names.index(Named("pair", "correlation", "number"))]
    assert move.correlations == tuple(correlation[-2:])
    assert move.gap_sigmas > 5
    assert move.correlation_sigmas == pytest.approx(plain_unlikeness(correlation.tolist(), 21))


@pytest.mark.parametrize(
    ("since", "day", "sessions"),
    [
        (Window.parse("7d"), date(2026, 11, 13), 5),
        (date(2026, 11, 15), date(2026, 11, 15), 5),
        (WEDNESDAY, WEDNESDAY, 2),
    ],
    ids=str,
)
def test_from_is_the_last_session_on_or_before_the_day(store, since, day, sessions):
    found = asked_of(store, PAIR, since=since)
    assert (found.since, found.moves[0].sessions) == (day, sessions)


def test_a_day_before_all_snapshots_means_the_oldest(store):
    found = asked_of(store, PAIR, since=date(2026, 1, 1))
    (move,) = found.moves
    assert (found.since, move.start, move.sessions) == (date(2026, 1, 1), evenings.days(23)[0], 22)
    assert found.of(("new",)) == ()


def test_a_snapshot_of_long_ago_is_still_from(tmp_path):
    returns = evenings.linked(260, seed=1)
    store = Store(tmp_path / "snapshots.db")
    days = evenings.days(260)
    for day in (days[0], days[-1]):
        store.append(evenings.taken(*evenings.histories(("AAA", "BBB"), returns, day), day))
    (move,) = asked_of(store, PAIR).moves
    assert (move.start, move.sessions) == (days[0], 259)


def test_without_a_snapshot_there_is_no_digest(tmp_path):
    with pytest.raises(NotEnoughData, match="AAA BBB with a window of 60b") as caught:
        asked_of(Store(tmp_path / "snapshots.db"), PAIR)
    assert caught.value.hint == "pairwatch snapshot"


def test_no_other_window_is_mixed_in(store):
    with pytest.raises(NotEnoughData):
        digest(store, {PAIR: replace(evenings.ASKED, window=Window.parse("30b"))}, None, NOW)


# ---------------------------------------------------------------- exchanges that close at other hours

TOKYO = (evenings.leg("TTT"), evenings.leg("UUU"))


def abroad(store, *sessions, at=None, seed=3):
    """Snapshots of a pair that trades elsewhere."""
    for day in sessions:
        sides = evenings.histories(("TTT", "UUU"), evenings.linked(30, seed=seed), day)
        sides = [
            replace(side, series=replace(side.series, facts=replace(side.series.facts, timezone="Asia/Tokyo")))
            for side in sides
        ]
        one = evenings.taken(*sides, day)
        store.append(one if at is None else one._replace(at=at))


def test_a_pair_whose_newest_session_is_the_day_before_moves_too(own):
    abroad(own, *evenings.days(4)[:-1])
    found = asked_of(own, PAIR, LATE, TOKYO)
    assert (found.newest, found.since, found.still) == (FRIDAY, THURSDAY, (LATE,))
    starts = {(move.a, move.b): (move.start, move.end, move.sessions) for move in found.moves}
    assert starts == {PAIR: (THURSDAY, FRIDAY, 1), TOKYO: (WEDNESDAY, THURSDAY, 1)}


def test_a_pair_without_a_session_since_the_list_had_another_does_not_move(own):
    abroad(own, *evenings.days(4)[:-2])
    assert asked_of(own, PAIR, TOKYO).still == (TOKYO,)


def test_a_pair_whose_older_session_came_in_only_now_moves(own):
    abroad(own, *evenings.days(4)[:-3])
    abroad(own, WEDNESDAY, at=evening(FRIDAY))
    assert [(m.start, m.end) for m in asked_of(own, TOKYO, PAIR).moves if m.a == TOKYO[0]] == [
        (WEDNESDAY - timedelta(days=1), WEDNESDAY)
    ]


def test_a_pair_that_missed_evenings_moved_since_its_own_last_one(own):
    abroad(own, *evenings.days(9)[:1], FRIDAY)
    found = asked_of(own, PAIR, TOKYO)
    (move,) = (move for move in found.moves if (move.a, move.b) == TOKYO)
    assert (move.start, move.sessions) == (evenings.days(9)[0], 8)


def test_what_was_snapped_after_the_letter_is_the_next_ones(own):
    abroad(own, *evenings.days(4)[:-1])
    letter = After(evening(FRIDAY) + 60, FRIDAY)
    assert asked_of(own, PAIR, TOKYO, since=letter).still == (PAIR, TOKYO)
    abroad(own, FRIDAY, at=letter.at + 60)
    found = asked_of(own, PAIR, TOKYO, since=letter)
    assert [(move.a, move.start, move.end) for move in found.moves] == [(TOKYO[0], THURSDAY, FRIDAY)]
    assert (found.still, found.since) == ((PAIR,), FRIDAY)


def test_a_session_that_was_revised_after_the_letter_was_in_it(own):
    letter = After(evening(FRIDAY) + 60, FRIDAY)
    abroad(own, THURSDAY, FRIDAY)
    abroad(own, FRIDAY, at=letter.at + 60, seed=4)
    assert own.latest(*TOKYO, evenings.ASKED).revision == 2
    assert asked_of(own, TOKYO, since=letter).still == (TOKYO,)


def test_a_condition_that_was_found_after_the_letter_is_the_next_ones_news(own):
    judged(own, FRIDAY, 0.5)
    early, late = After(evening(FRIDAY) - 60, FRIDAY), After(evening(FRIDAY) + 60, FRIDAY)
    assert said(asked_of(own, PAIR, since=early), "began") != []
    assert said(asked_of(own, PAIR, since=late), "began") == []
    seen = Seen(*PAIR, evenings.ASKED, FRIDAY, late.at + 60, lambda *_: 0.5)
    Watch(own).judge([Rule("judged late", parse("correlation < 0.6", KNOWN))], seen)
    assert said(asked_of(own, PAIR, since=late), "began") == ["judged late began (correlation 0.5)"]


def test_a_clock_that_was_set_back_hides_no_change(own):
    long_ago = datetime(2020, 1, 1, tzinfo=UTC).timestamp()
    seen = Seen(*PAIR, evenings.ASKED, FRIDAY, long_ago, lambda *_: 0.5)
    Watch(own).judge([Rule("decoupled", parse("correlation < 0.6", KNOWN))], seen)
    for since in (None, THURSDAY, After(evening(THURSDAY) + 60, THURSDAY)):
        assert said(asked_of(own, PAIR, since=since), "began") == ["decoupled began (correlation 0.5)"]


KNOWN = {"correlation": ("pair",)}


def judged(store, session, value, name="decoupled", when="correlation < 0.6", question=evenings.ASKED):
    """A rule is judged in the evening of a session."""
    seen = Seen(*PAIR, question, session, evening(session), lambda *_: value)
    Watch(store).judge([Rule(name, parse(when, KNOWN), cooldown=0.0)], seen)


@pytest.fixture
def own(store, tmp_path):
    """A store of one's own with the same snapshots."""
    copy = Store(tmp_path / "snapshots.db")
    copy.path.write_bytes(store.path.read_bytes())
    return copy


def test_a_condition_that_began_since_is_news_and_one_that_began_before_is_in_force(own):
    judged(own, FRIDAY, 0.5)
    found = asked_of(own, PAIR)
    assert said(found, "began") == ["decoupled began (correlation 0.5)"]
    assert found.of(("began",))[0].pairs == (PAIR,)
    assert said(found, "in force", "ended") == []
    later = asked_of(own, PAIR, since=FRIDAY)
    assert said(later, "began") == []
    (now,) = (text for text in said(later, "in force") if text.startswith("decoupled"))
    present = own.record(*PAIR, evenings.ASKED)
    correlation = present.values[-1, present.names.index(Named("pair", "correlation", "number"))]
    assert now == f"decoupled since 2026-11-20 (now correlation {correlation:.4g})", "not as it was when it began"
    assert not later.has_news


def test_of_a_condition_that_began_and_ended_since_its_end_is_said(own):
    judged(own, THURSDAY, 0.5)
    judged(own, FRIDAY, 0.9)
    for since in (WEDNESDAY, THURSDAY):
        found = asked_of(own, since=since)
        assert said(found, "began", "ended", "in force") == ["decoupled ended (correlation 0.9)"]
        assert found.has_news


def test_a_condition_that_was_judged_late_in_the_night_is_that_sessions(own):
    seen = Seen(*PAIR, evenings.ASKED, THURSDAY, evening(THURSDAY) + 9 * 3600, lambda *_: 0.5)
    Watch(own).judge([Rule("decoupled", parse("correlation < 0.6", KNOWN))], seen)
    assert said(asked_of(own), "began") == []
    assert said(asked_of(own), "in force") != []


def test_a_condition_that_nobody_judges_any_more_is_not_in_force(own):
    judged(own, FRIDAY - timedelta(days=11), 0.5)
    assert said(asked_of(own), "in force") == []
    judged(own, FRIDAY - timedelta(days=10), 0.5)
    assert said(asked_of(own), "in force") != []


def test_a_condition_of_another_window_names_it(own):
    judged(own, FRIDAY, 0.5, question=replace(evenings.ASKED, window=Window.parse("30b")))
    assert said(asked_of(own), "began") == ["decoupled (window 30b) began (correlation 0.5)"]


def test_each_pair_is_looked_for_with_its_own_window(own):
    asked = replace(evenings.ASKED, window=Window.parse("40b"))
    returns = evenings.linked(23, seed=3)
    for day in evenings.days(2):
        for question in (asked, evenings.ASKED):
            sides = evenings.histories(("EEE", "FFF"), returns, day)
            if question is asked or day == THURSDAY:
                own.append(evenings.taken(*sides, day, question))
    three = (evenings.leg("EEE"), evenings.leg("FFF"))
    found = digest(own, {three: asked, PAIR: evenings.ASKED, LATE: evenings.ASKED}, None, NOW)
    assert (found.window, found.windows) == (evenings.ASKED.window, ((asked.window, (three,)),))
    assert {(move.a, move.b) for move in found.moves} == {PAIR, three}
    assert asked_of(own, PAIR, LATE, three).still == (LATE, three)
    assert asked_of(own, PAIR, LATE).windows == ()


def test_a_pair_that_was_never_snapped_with_its_own_window_says_so(store):
    asked = {PAIR: evenings.ASKED, LATE: replace(evenings.ASKED, window=Window.parse("40b"))}
    assert said(digest(store, asked, None, NOW), "behind") == ["never snapped with a window of 40b"]
    with pytest.raises(NotEnoughData, match="these 2 pairs with a window of 61b or 40b yet"):
        digest(store, asked | {PAIR: replace(evenings.ASKED, window=Window.parse("61b"))}, None, NOW)


def test_a_condition_is_named_with_its_window_where_that_is_not_its_pairs_own(own):
    asked = replace(evenings.ASKED, window=Window.parse("40b"))
    for day in evenings.days(2):
        own.append(evenings.taken(*own.inputs(own.latest(*PAIR, evenings.ASKED, day)), day, asked))
    judged(own, FRIDAY, 0.5, question=asked)
    judged(own, FRIDAY, 0.4, question=evenings.ASKED)
    found = digest(own, {LATE: evenings.ASKED, TOKYO: evenings.ASKED, PAIR: asked}, None, NOW)
    assert said(found, "began") == [
        "decoupled began (correlation 0.5)",
        "decoupled (window 60b) began (correlation 0.4)",
    ]
    later = digest(own, {LATE: evenings.ASKED, TOKYO: evenings.ASKED, PAIR: asked}, FRIDAY, NOW)
    other, its_own = (text for text in said(later, "in force") if "decoupled" in text)
    assert other == "decoupled (window 60b) since 2026-11-20"
    assert its_own.startswith("decoupled since 2026-11-20 (now correlation ")


# ---------------------------------------------------------------- pairs by the month

OCTOBER, SEPTEMBER = date(2026, 10, 31), date(2026, 9, 30)
MONTHS = (evenings.leg("MMM"), evenings.leg("NNN"))


@pytest.fixture
def monthly(own):
    """Snapshots of a monthly pair: September's long ago, October's in the evening of a day."""

    def snapped(published):
        one = by_months(("MMM", "NNN"))
        for month, day in ((SEPTEMBER, date(2026, 10, 15)), (OCTOBER, published)):
            sides = [
                replace(side, series=replace(side.series, dates=dates, closes=side.series.closes[: len(dates)]))
                for side in (one.a, one.b)
                for dates in [side.series.dates[side.series.dates <= np.datetime64(month)]]
            ]
            own.append(evenings.taken(*sides, day, SLOWLY)._replace(at=evening(day)))
        return own

    return snapped


def of_all(store, since=None, now=NOW):
    return digest(store, {PAIR: evenings.ASKED, MONTHS: SLOWLY}, since, now)


def test_a_month_that_was_published_tonight_moves_tonight(monthly):
    found = of_all(monthly(FRIDAY))
    assert [(move.start, move.end) for move in found.moves if (move.a, move.b) == MONTHS] == [(SEPTEMBER, OCTOBER)]
    assert found.still == ()


def test_a_month_that_was_published_before_tonight_does_not_move_again(monthly):
    found = of_all(monthly(THURSDAY))
    assert [(move.a, move.b) for move in found.moves] == [PAIR]
    assert found.still == (MONTHS,)
    assert found.of(("behind",)) == ()


def test_a_month_that_was_revised_tonight_does_not_move_again(monthly):
    store = monthly(THURSDAY)
    a, b = store.inputs(store.latest(*MONTHS, SLOWLY))
    revised = replace(a, series=replace(a.series, closes=a.series.closes * np.linspace(1, 1.01, len(a.series))))
    store.append(evenings.taken(revised, b, FRIDAY, SLOWLY))
    assert store.latest(*MONTHS, SLOWLY).revision == 2
    assert of_all(store).still == (MONTHS,)


def test_a_month_that_came_after_the_days_revision_moves_tonight(monthly):
    store = monthly(FRIDAY)
    a, b = store.inputs(store.latest(*PAIR, evenings.ASKED))
    revised = replace(a, series=replace(a.series, closes=a.series.closes * np.linspace(1, 1.01, len(a.series))))
    store.append(evenings.taken(revised, b, FRIDAY)._replace(at=evening(FRIDAY) + 3600))
    assert store.latest(*PAIR, evenings.ASKED).revision == 2
    assert of_all(store).still == ()


def test_a_condition_of_a_monthly_pair_stays_in_force_between_two_months(monthly):
    store = monthly(THURSDAY)
    for question in (SLOWLY, evenings.ASKED):  # the other has been given up
        seen = Seen(*MONTHS, question, OCTOBER, evening(THURSDAY), lambda *_: 0.5)
        Watch(store).judge([Rule("decoupled", parse("correlation < 0.6", KNOWN))], seen)
    (text,) = (text for text in said(of_all(store), "in force") if text.startswith("decoupled"))
    assert text.startswith("decoupled since 2026-10-31 (now correlation ")


def test_equal_inputs_give_equal_digests(store):
    assert asked_of(store) == asked_of(store)


def test_two_legs_of_the_same_pair_the_other_way_round_are_another_pair(store):
    with pytest.raises(NotEnoughData):
        digest(store, {PAIR[::-1]: evenings.ASKED}, None, NOW)


def test_what_a_digest_reads_is_what_pairs_compare_would_say(store):
    a, b = store.inputs(store.latest(*PAIR, evenings.ASKED))
    move = asked_of(store, PAIR).moves[0]
    assert move.ratio_zscore == pairs.compare(a, b, evenings.ASKED)["ratio_zscore"]
