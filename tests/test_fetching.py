"""Many legs into the cache: in parallel, within the limits, each reported once, and again where it stopped."""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from tests.fake_source import LEG, TODAY, FakeSource, at, day64

from pairwatch import errors, sources
from pairwatch.cache import FILE_NAME, Cache
from pairwatch.fetching import Outcome, fetch
from pairwatch.model import Fetched, Leg
from pairwatch.retrieval import Desk, Policy
from pairwatch.sources import Pace, Request

EVENING = at(TODAY)
ROOT = Path(__file__).parent.parent


class Busy(FakeSource):
    """Answers after a moment, and knows how many it has been asked at the same time.

    Attributes:
        failing: symbols of which it says that it does not know them.
        refusal: what it raises for these.
        most: the most that were on their way at the same time.
    """

    def __init__(self, moment: float = 0.0) -> None:
        super().__init__(first=TODAY.replace(day=1))
        self.moment = moment
        self.failing: set[str] = set()
        self.refusal: type[errors.SourceError] = errors.UnknownSymbol
        self.most = 0
        self._under_way = 0
        self._lock = threading.Lock()

    def fetch(self, request: Request) -> Fetched:
        with self._lock:
            self._under_way += 1
            self.most = max(self.most, self._under_way)
        try:
            request.turn()
            time.sleep(self.moment)
            if request.leg.symbol in self.failing:
                self.requests.append(request)
                raise self.refusal(f"{request.leg}: yahoo does not know it")
            return super().fetch(request)
        finally:
            with self._lock:
                self._under_way -= 1


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "cache" / FILE_NAME


@pytest.fixture
def quick_path() -> Iterator[Path]:
    """In memory, where there is some: a disk takes its time with every leg."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - one private folder inside
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder) / FILE_NAME


@pytest.fixture
def paces(monkeypatch):
    """Sets how hard sources may be asked."""

    def set_to(**paces: Pace) -> None:
        for name, pace in paces.items():
            monkeypatch.setitem(sources._SOURCES, name, sources.about(name)._replace(pace=pace))

    set_to(yahoo=Pace(0, 1, 4), cboe=Pace(0, 1, 2))
    return set_to


def desk(path: Path, now: float = EVENING, **at_hand: FakeSource) -> Desk:
    return Desk(Cache(path), Policy(now), at_hand)


def legs(count: int, source: str = "yahoo") -> list[Leg]:
    return [Leg(source, f"L{i}") for i in range(count)]


def states(outcomes) -> dict[str, int]:
    return dict(Counter(outcome.state for outcome in outcomes))


def test_each_leg_is_fetched_and_reported_once_however_often_it_is_named(path, paces):
    source = Busy()
    found = list(fetch(desk(path, yahoo=source), [*legs(12), *legs(5)]))
    assert sorted(outcome.leg.symbol for outcome in found) == sorted(leg.symbol for leg in legs(12))
    assert states(found) == {"fetched": 12}
    assert len(source.requests) == len(Cache(path).entries()) == 12


def test_an_outcome_says_what_is_held(path, paces):
    (found,) = fetch(desk(path, yahoo=FakeSource()), [LEG])
    bars = len(FakeSource().bars)
    assert found[:5] == (LEG, "fetched", bars, day64("2026-01-05"), day64(TODAY))
    assert found.seconds > 0
    assert (found.error, found.remarks) == (None, ())


def test_no_legs_are_no_outcomes(path):
    assert list(fetch(desk(path), [])) == []


def test_of_five_hundred_legs_one_in_twenty_fails_and_the_rest_is_stored(quick_path, paces):
    path, source = quick_path, Busy()
    source.failing = {f"L{i}" for i in range(0, 500, 20)}
    found = list(fetch(desk(path, yahoo=source), legs(500)))
    assert states(found) == {"fetched": 475, "failed": 25}
    assert {outcome.leg.symbol for outcome in found if outcome.state == "failed"} == source.failing
    assert all(isinstance(outcome.error, errors.UnknownSymbol) for outcome in found if outcome.error)
    assert len(Cache(path).entries()) == 475


def test_a_second_run_asks_for_what_failed_alone(path, paces):
    source = Busy()
    source.failing, source.refusal = {"L3"}, errors.ProviderDown
    list(fetch(desk(path, yahoo=source), legs(10)))
    source.failing, source.requests = set(), []
    found = list(fetch(desk(path, EVENING + 60, yahoo=source), legs(10)))
    assert states(found) == {"fresh": 9, "fetched": 1}
    assert [request.leg.symbol for request in source.requests] == ["L3"]


def test_a_second_run_of_an_evening_leaves_alone_what_is_unknown(path, paces):
    source = Busy()
    source.failing = {"L3"}
    list(fetch(desk(path, yahoo=source), legs(10)))
    source.requests = []
    found = list(fetch(desk(path, EVENING + 2 * 3600 + 600, yahoo=source), legs(10)))
    assert states(found) == {"fresh": 9, "failed": 1}
    [error] = [outcome.error for outcome in found if outcome.error]
    assert error.message == "L3: yahoo does not know it; asked 2 h ago (--refresh asks again)"
    assert source.requests == []


def test_a_run_that_is_broken_off_goes_on_where_it_stopped(path, paces):
    source = Busy(0.01)
    outcomes = fetch(desk(path, yahoo=source), legs(40))
    seen = [outcome.leg for outcome in islice(outcomes, 10)]
    outcomes.close()
    time.sleep(0.2)
    stopped_at = len(source.requests)
    time.sleep(0.1)
    assert len(source.requests) == stopped_at < 40
    assert {entry.leg for entry in Cache(path).entries()} >= set(seen)
    source.requests.clear()
    found = list(fetch(desk(path, yahoo=source), legs(40)))
    assert len(source.requests) == 40 - stopped_at
    assert states(found) == {"fresh": stopped_at, "fetched": 40 - stopped_at}


def test_what_is_held_is_stale_where_its_source_fails_and_says_why(path, paces):
    source = FakeSource()
    list(fetch(desk(path, yahoo=source), [LEG]))
    source.fault = errors.ProviderDown("QQQ: yahoo is out of order")
    (found,) = fetch(desk(path, EVENING + 5 * 86_400, yahoo=source), [LEG])
    assert (found.state, found.error, found.bars) == ("stale", None, len(source.bars))
    assert found.remarks == ("QQQ: yahoo is out of order; from the cache, 5 days old",)


def test_a_source_is_asked_so_many_at_once_as_it_allows_and_sources_do_not_wait_for_each_other(path, paces):
    yahoo, cboe = Busy(0.02), Busy(0.02)
    found = list(fetch(desk(path, yahoo=yahoo, cboe=cboe), [*legs(24), *legs(12, "cboe")]))
    assert states(found) == {"fetched": 36}
    assert (yahoo.most, cboe.most) == (4, 2)
    assert {outcome.leg.source for outcome in found[:6]} == {"yahoo", "cboe"}


def test_no_more_are_under_way_than_is_asked_for(path, paces):
    yahoo = Busy(0.01)
    list(fetch(desk(path, yahoo=yahoo), legs(12), most=2))
    assert yahoo.most == 2


def test_the_pace_is_kept_by_all_threads_together(path, paces):
    paces(yahoo=Pace(0.05, 2, 4))
    source = Busy()
    began = time.monotonic()
    list(fetch(desk(path, yahoo=source), legs(10)))
    assert time.monotonic() - began >= 7.5 * 0.05


def test_a_source_that_allows_very_many_at_once_gets_no_more_threads_than_slots(path, paces):
    paces(yahoo=Pace(0, 1, 1000))
    before, source = threading.active_count(), Busy(0.005)
    seen = [threading.active_count() - before for _ in fetch(desk(path, yahoo=source), legs(40), most=5)]
    assert max(seen) <= 5
    assert source.most == 5


def test_a_source_whose_legs_wait_for_their_turns_does_not_hold_up_the_others(path, paces):
    paces(yahoo=Pace(1, 1, 8), cboe=Pace(0, 1, 2))
    yahoo, cboe = Busy(), Busy()
    found = list(
        fetch(Desk(Cache(path), Policy(EVENING), {"yahoo": yahoo, "cboe": cboe}), [*legs(3), *legs(4, "cboe")], 2)
    )
    assert states(found) == {"fetched": 7}
    assert [outcome.leg.source for outcome in found[-2:]] == ["yahoo", "yahoo"]


def test_who_has_waited_takes_a_slot_again(path, paces):
    paces(yahoo=Pace(0.1, 1, 8), cboe=Pace(0.1, 1, 8))

    class Answering(Busy):
        answering, at_once = 0, 0

        def answer(self, request: Request) -> Fetched:
            self.answering += 1
            self.at_once = max(self.at_once, self.answering)
            time.sleep(0.25)
            self.answering -= 1
            return super().answer(request)

    source = Answering()
    both = [leg for pair in zip(legs(4), legs(4, "cboe"), strict=True) for leg in pair]
    list(fetch(desk(path, yahoo=source, cboe=source), both, most=2))
    assert source.at_once == 2


def test_a_source_that_throttles_makes_the_rest_of_its_legs_fail_at_once_and_no_others(path, paces):
    yahoo, cboe = Busy(), Busy()
    yahoo.fault = errors.RateLimited("throttled")
    found = list(fetch(desk(path, yahoo=yahoo, cboe=cboe), [*legs(100), *legs(10, "cboe")]))
    assert states(found) == {"failed": 100, "fetched": 10}
    assert len(yahoo.requests) <= 4
    assert {type(outcome.error) for outcome in found if outcome.error} == {errors.RateLimited}


def test_a_source_that_there_is_not_fails_its_legs_alone(path, paces):
    found = list(fetch(desk(path, yahoo=Busy()), [*legs(2), Leg("bloomberg", "X"), Leg("bloomberg", "Y")]))
    assert states(found) == {"fetched": 2, "failed": 2}


def test_local_legs_are_read_and_always_fresh(path):
    (found,) = fetch(desk(path), [Leg("demo", "LEADER")])
    assert (found.state, found.error) == ("fresh", None)
    assert found.bars > 2000


def test_a_bug_in_a_source_is_not_taken_for_a_failed_leg(path, paces):
    source = Busy()
    source.fault = ZeroDivisionError("a bug")
    with pytest.raises(ZeroDivisionError):
        list(fetch(desk(path, yahoo=source), legs(3)))


def test_ctrl_c_ends_a_run_at_once_though_a_source_hangs(tmp_path):
    code = """
import os, signal, sys, threading
from pathlib import Path
from time import sleep
from tests.fake_source import *
from pairwatch.fetching import fetch
class Hanging(FakeSource):
    def fetch(self, request):
        if request.leg.symbol != "L0":
            sleep(60)
        return super().fetch(request)
cache = Cache(Path(sys.argv[1]))
threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    for outcome in fetch(desk_for(cache, Hanging()), [Leg("yahoo", f"L{i}") for i in range(9)]):
        print(outcome.leg, outcome.state, flush=True)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / FILE_NAME],
        check=True,
        capture_output=True,
        text=True,
        timeout=30,
        cwd=ROOT,
    )
    assert done.stdout.split() == ["L0", "fetched", "interrupted"]
    assert done.stderr == ""
    assert time.monotonic() - began < 10
    assert [entry.leg.symbol for entry in Cache(tmp_path / FILE_NAME).entries()] == ["L0"]


def test_an_outcome_without_anything_else_is_a_leg_and_what_became_of_it():
    assert Outcome(LEG, "failed")[2:] == (0, None, None, 0.0, None, (), False)
