import json
import math
import os
import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta

import pytest
from tests.fake_source import FakeSource, at, day64

from pairwatch.cache import FILE_NAME as PRICES
from pairwatch.cache import Cache
from pairwatch.errors import NoNetwork, StoreError, UsageError
from pairwatch.model import Leg, Window
from pairwatch.retrieval import Desk, Policy
from pairwatch.snapshots import FILE_NAME, Store
from pairwatch.staging import Question
from pairwatch.taking import Legs, Run, left_behind

MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = (date(2026, 10, day) for day in range(26, 31))
HALF_A_DAY = 43_200.0
MONTHS = [(date(2024, 1, 1) + timedelta(days=31 * n + 31)).replace(day=1) - timedelta(days=1) for n in range(34)]


class Market:
    """A provider of several legs, each with closes of its own."""

    name = "yahoo"

    def __init__(self, *symbols: str) -> None:
        self.legs = {symbol: FakeSource(MONDAY, date(2025, 1, 6), seed) for seed, symbol in enumerate(symbols)}
        self.asked: list[str] = []

    def fetch(self, request):
        self.asked.append(request.leg.symbol)
        return self.legs[request.leg.symbol].fetch(request)


class House:
    """Where the evenings are spent: a market, a cache and a store."""

    def __init__(self, folder, *symbols: str) -> None:
        self.market = Market(*(symbols or ("AAA", "BBB")))
        self.cache = folder / PRICES
        self.store = Store(folder / "data" / FILE_NAME)
        self.asked = {}
        self.windows = {}

    def run(self, now, *pairs):
        """The outcomes of a run at an instant; by default of the pair AAA BBB."""
        return list(self.begun(now, *pairs))

    def begun(self, now, *pairs, store=None):
        desk = Desk(Cache(self.cache), Policy(now), {"yahoo": self.market})
        legs = [(Leg("yahoo", a), Leg("yahoo", b)) for a, b in pairs or [("AAA", "BBB")]]
        return Run(desk, store or self.store, self.question(now), now, self.windows).take(legs)

    def evening(self, day, *pairs):
        """The outcomes of the evening of a day, until which the market has traded."""
        for leg in self.market.legs.values():
            leg.advance_to(day)
        return self.run(at(day), *pairs)

    def question(self, now=0.0):
        return Question(
            date(1970, 1, 1) + timedelta(days=now // 86_400), **{"window": Window.parse("90d"), **self.asked}
        )

    def taken(self):
        """Session and revision of every snapshot of AAA BBB."""
        found = self.store.snapshots(Leg("yahoo", "AAA"), Leg("yahoo", "BBB"), self.question(), all_revisions=True)
        return [(one.session, one.revision) for one in found]

    def journal(self):
        return [(line.kind, json.loads(line.detail)) for line in self.store.journal()]


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


def states(outcomes):
    return [outcome.state for outcome in outcomes]


# ---------------------------------------------------------------- the legs of a run


def test_a_leg_of_several_pairs_is_had_once(tmp_path):
    house = House(tmp_path, "AAA", "BBB", "CCC")
    outcomes = house.evening(MONDAY, ("AAA", "BBB"), ("BBB", "CCC"), ("CCC", "AAA"))
    assert states(outcomes) == ["stored"] * 3
    assert sorted(house.market.asked) == ["AAA", "BBB", "CCC"]


def test_a_leg_that_fails_is_tried_once_and_stops_nothing(tmp_path):
    house = House(tmp_path, "AAA", "BBB", "CCC")
    house.market.legs["AAA"].fault = NoNetwork("AAA: no network")
    outcomes = house.evening(MONDAY, ("AAA", "BBB"), ("AAA", "CCC"), ("BBB", "CCC"))
    assert states(outcomes) == ["failed", "failed", "stored"]
    assert house.market.asked.count("AAA") == 1
    assert [type(outcome.error) for outcome in outcomes[:2]] == [NoNetwork] * 2


def test_a_failure_is_raised_each_time_it_is_asked_for(tmp_path):
    house = House(tmp_path)
    house.market.legs["AAA"].fault = NoNetwork("AAA: no network")
    legs = Legs(Desk(Cache(house.cache), Policy(at(MONDAY)), {"yahoo": house.market}))
    for _ in range(2):
        with pytest.raises(NoNetwork):
            legs.history(Leg("yahoo", "AAA"))
    assert house.market.asked == ["AAA"]


def test_a_pair_with_too_few_days_fails_alone(tmp_path):
    house = House(tmp_path, "AAA", "BBB", "NEW")
    house.market.legs["NEW"] = FakeSource(MONDAY, date(2026, 10, 19))
    outcomes = house.evening(MONDAY, ("AAA", "NEW"), ("AAA", "BBB"))
    assert states(outcomes) == ["failed", "stored"]
    assert outcomes[0].error.exit_code == 4


def test_a_pair_with_a_window_of_its_own_is_taken_with_that(tmp_path):
    house = House(tmp_path, "AAA", "BBB", "CCC")
    house.windows = {(Leg("yahoo", "AAA"), Leg("yahoo", "CCC")): Window.parse("40b")}
    for day in (MONDAY, TUESDAY):
        outcomes = house.evening(day, ("AAA", "BBB"), ("AAA", "CCC"), ("CCC", "AAA"))
        assert [str(outcome.found.window) for outcome in outcomes] == ["90d", "40b", "90d"]
    own, legs = replace(house.question(), window=Window.parse("40b")), (Leg("yahoo", "AAA"), Leg("yahoo", "CCC"))
    assert [one.session for one in house.store.snapshots(*legs, own)] == [MONDAY, TUESDAY]
    assert house.store.snapshots(*legs, house.question()) == ()


def test_sessions_that_were_missed_are_those_of_its_own_window(house):
    house.evening(MONDAY)
    house.windows = {(Leg("yahoo", "AAA"), Leg("yahoo", "BBB")): Window.parse("40b")}
    assert house.evening(THURSDAY)[0].missed == (), "with this window it is the first"


# ---------------------------------------------------------------- what is stored


def test_what_is_handed_out_is_what_is_stored(house):
    (outcome,) = house.evening(MONDAY)
    numbers = house.store.numbers(outcome.snapshot)
    said = {(r.scope, r.statistic.key): r.value for r in outcome.found}
    stored = {(name.scope, name.key): value for name, value in zip(numbers.names, numbers.values, strict=True)}
    assert stored == pytest.approx(said, rel=0, abs=0, nan_ok=True)


def test_an_evening_that_is_told_twice_is_stored_once(house):
    first, again = house.evening(MONDAY), house.run(at(MONDAY) + 600)
    assert (states(first), states(again)) == (["stored"], ["known"])
    assert again[0].snapshot == first[0].snapshot
    assert house.taken() == [(MONDAY, 1)]


def test_the_price_of_an_open_session_makes_no_revision(house):
    house.evening(MONDAY)
    house.market.legs["AAA"].advance_to(TUESDAY)
    (outcome,) = house.run(at(TUESDAY) - 6 * 3600)
    assert not math.isnan(outcome.found["a", "now_change"]), "the session is open: there is a now"
    assert outcome.state == "known"
    assert house.taken() == [(MONDAY, 1)]


def test_a_close_that_the_provider_revises_makes_a_revision(house):
    house.evening(MONDAY)
    house.market.legs["AAA"].revise(MONDAY, 1.02)
    (outcome,) = house.run(at(TUESDAY) - 6 * 3600)
    assert (outcome.state, outcome.snapshot.revision) == ("stored", 2)
    assert house.taken() == [(MONDAY, 1), (MONDAY, 2)]
    assert outcome.missed == ()


# ---------------------------------------------------------------- nights that were missed


def test_sessions_that_nobody_took_are_named_once(house):
    assert house.evening(MONDAY)[0].missed == ()
    assert house.evening(THURSDAY)[0].missed == (TUESDAY, WEDNESDAY)
    assert house.run(at(THURSDAY) + 600)[0].missed == ()
    assert house.evening(FRIDAY)[0].missed == ()
    assert house.taken() == [(MONDAY, 1), (THURSDAY, 1), (FRIDAY, 1)]


def test_a_laptop_that_wakes_at_noon_takes_the_evening_before(house):
    house.evening(MONDAY)
    for leg in house.market.legs.values():
        leg.advance_to(WEDNESDAY)
    (outcome,) = house.run(at(THURSDAY) - HALF_A_DAY)
    assert (outcome.state, outcome.snapshot.session, outcome.missed) == ("stored", WEDNESDAY, (TUESDAY,))


# ---------------------------------------------------------------- the journal


def test_the_journal_says_how_a_run_went(tmp_path):
    house = House(tmp_path, "AAA", "BBB", "CCC")
    house.market.legs["CCC"].fault = NoNetwork("CCC: no network")
    house.evening(MONDAY, ("AAA", "BBB"), ("AAA", "CCC"), ("AAA", "BBB"))
    began, failed, ended = house.journal()
    assert began == ("began", {"pairs": 3, "pid": os.getpid()})
    assert failed == ("failed", {"a": "AAA", "b": "CCC", "exit_code": 3, "message": "CCC: no network"})
    assert ended == ("ended", {"stored": 1, "known": 1, "failed": 1, "refused": 0})
    lines = house.store.journal()
    assert [line.run for line in lines] == [None, lines[0].id, lines[0].id]
    assert {line.at for line in lines} == {at(MONDAY)}


def test_a_run_that_ended_leaves_nothing_to_say(house):
    assert left_behind(house.store, at(MONDAY)) == []
    house.evening(MONDAY)
    assert left_behind(house.store, at(TUESDAY)) == []


def test_a_run_cut_short_is_said_by_the_next_one_only(house):
    begun = house.begun(at(MONDAY), ("AAA", "BBB"), ("BBB", "AAA"))
    assert next(begun).state == "stored"
    begun.close()
    (said,) = left_behind(house.store, at(TUESDAY))
    assert said == "the run of 2026-10-26 22:00 UTC was cut short; what it had stored is kept"
    assert house.taken() == [(MONDAY, 1)]
    house.evening(TUESDAY)
    assert left_behind(house.store, at(WEDNESDAY)) == []


def test_a_run_cut_short_is_said_however_much_of_it_had_failed(house):
    house.store.note("began", at(MONDAY), json.dumps({"pairs": 1, "pid": 0}))
    with house.store.writing() as db:
        db.executemany("INSERT INTO journal VALUES (NULL, 1, 0, 'failed', '{}')", [()] * 1000)
    assert len(left_behind(house.store, at(TUESDAY))) == 1


@pytest.mark.parametrize(
    "detail", ["", "{}", "[]", '{"pid": null}', '{"pid": -1}', "\x00", '{"pid": 1e999}', f'{{"pid": {10**30}}}']
)
def test_a_line_that_does_not_say_who_it_was_is_of_a_run_cut_short(house, detail):
    house.store.note("began", at(MONDAY), detail)
    assert len(left_behind(house.store, at(TUESDAY))) == 1


@pytest.mark.parametrize("instant", [1e300, -1e300, 1e15])
def test_a_line_of_no_day_is_of_a_run_cut_short(house, instant):
    house.store.note("began", instant, "{}")
    assert (
        left_behind(house.store, at(TUESDAY))[-1]
        == "the run of an unknown day was cut short; what it had stored is kept"
    )


def test_a_run_that_still_runs_is_not_said_to_be_cut_short(house):
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        house.store.note("began", at(MONDAY), json.dumps({"pairs": 1, "pid": other.pid}))
        assert left_behind(house.store, at(TUESDAY)) == []
        other.communicate(b"\n")
    assert len(left_behind(house.store, at(TUESDAY))) == 1


# ---------------------------------------------------------------- a store that refuses


class Refusing(Store):
    """A store that takes so many snapshots, and then no more."""

    def __init__(self, path, takes):
        super().__init__(path)
        self.left, self.tried = takes, 0

    def append(self, taken):
        self.tried += 1
        if not self.left:
            raise StoreError("the disk is full")
        self.left -= 1
        return super().append(taken)


def test_a_store_that_refuses_is_left_alone_and_the_comparisons_are_handed_out(tmp_path):
    house = House(tmp_path, "AAA", "BBB", "CCC")
    store = Refusing(house.store.path, takes=1)
    pairs = [("AAA", "BBB"), ("BBB", "CCC"), ("CCC", "AAA")]
    outcomes = list(house.begun(at(MONDAY), *pairs, store=store))
    assert states(outcomes) == ["stored", "refused", "refused"]
    assert [(str(outcome.found.a), str(outcome.found.b)) for outcome in outcomes] == pairs
    assert {str(outcome.error) for outcome in outcomes[1:]} == {"the disk is full"}
    assert store.tried == 2


def test_a_store_that_was_no_store_from_the_start_refuses_everything_and_is_not_touched(house):
    house.store.path.parent.mkdir()
    house.store.path.write_bytes(b"not ours" * 1000)
    (outcome,) = house.run(at(MONDAY))
    assert outcome.state == "refused"
    assert outcome.found is not None
    assert house.store.path.read_bytes() == b"not ours" * 1000


# ---------------------------------------------------------------- clocks


def week(house, *days):
    return [house.evening(day) for day in days]


@pytest.mark.parametrize(
    ("back", "said"), [(timedelta(days=1), "24 h"), (timedelta(days=365), "365 days")], ids=["a day", "a year"]
)
def test_a_clock_set_back_loses_nothing_stores_nothing_twice_and_is_said(house, back, said):
    week(house, MONDAY, TUESDAY, WEDNESDAY)
    before = house.taken()
    wrong = at(WEDNESDAY - back)
    assert left_behind(house.store, wrong) == [f"the clock is {said} behind that of the last run: was it set back?"]
    house.run(wrong)
    house.run(wrong + 60)
    assert [one for one in house.taken() if one[0] >= MONDAY] == before
    assert len(house.taken()) <= len(before) + 1
    assert left_behind(house.store, at(THURSDAY)) == []
    (outcome,) = house.evening(THURSDAY)
    assert (outcome.state, outcome.missed) == ("stored", ())
    assert [one for one in house.taken() if one[0] >= MONDAY] == [*before, (THURSDAY, 1)]


def test_a_clock_a_month_ahead_stores_nothing_twice_and_is_said_when_it_is_right_again(house):
    week(house, MONDAY, TUESDAY)
    (outcome,) = house.run(at(TUESDAY + timedelta(days=30)))
    assert outcome.state == "known"
    assert outcome.stale, "the closes are a month old, as far as that clock can tell"
    assert left_behind(house.store, at(WEDNESDAY)) == [
        "the clock is 29 days behind that of the last run: was it set back?"
    ]
    assert states(house.evening(WEDNESDAY)) == ["stored"]
    assert left_behind(house.store, at(THURSDAY)) == []
    assert house.taken() == [(MONDAY, 1), (TUESDAY, 1), (WEDNESDAY, 1)]


def test_a_run_that_began_a_little_earlier_than_the_last_one_is_no_clock_set_back(house):
    house.evening(MONDAY)
    assert left_behind(house.store, at(MONDAY) - 300) == []


# ---------------------------------------------------------------- other ways to line up


def test_a_pair_that_cannot_be_lined_up_stops_no_other(tmp_path):
    house = House(tmp_path, "AAA", "BBB", "CCC")
    house.asked = {"align": "nearest"}
    house.market.legs["BBB"].facts = replace(house.market.legs["BBB"].facts, closes_at=None)
    failed, stored = house.evening(MONDAY, ("AAA", "BBB"), ("AAA", "CCC"))
    assert (failed.state, stored.state) == ("failed", "stored")
    assert isinstance(failed.error, UsageError)
    assert house.journal()[1][1]["message"] == "--align nearest: the closing time of BBB is not known"


@pytest.mark.parametrize("how", ["nearest", "two-day"])
def test_every_session_that_was_missed_is_said_however_closes_are_lined_up(house, how):
    house.asked = {"align": how}
    house.evening(MONDAY)
    [outcome] = house.evening(THURSDAY)
    assert outcome.missed == (TUESDAY, WEDNESDAY)


def test_of_a_monthly_leg_the_months_that_were_missed_are_said(tmp_path):
    house = House(tmp_path)
    house.asked = {"window": Window.parse("21b")}
    house.market.legs["AAA"] = FakeSource(date(2026, 7, 31), date(2023, 1, 2))
    slow = house.market.legs["BBB"]
    slow.bars = {day64(end): 5.0 + end.day / 100 for end in MONTHS if end <= date(2026, 7, 31)}
    slow.facts = replace(slow.facts, frequency="month")
    slow.advance_to = lambda last: slow.bars.update({day64(end): 6.0 + end.day / 90 for end in MONTHS if end <= last})
    house.evening(date(2026, 7, 31))
    [outcome] = house.evening(date(2026, 11, 2))
    assert outcome.snapshot.session == date(2026, 10, 31)
    assert outcome.missed == (date(2026, 8, 31), date(2026, 9, 30))
