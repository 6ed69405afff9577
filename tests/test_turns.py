"""What is waited for before a source is asked: its pauses, and the turns that all processes share."""

import pytest

from pairwatch.cache import FILE_NAME, Cache
from pairwatch.errors import RateLimited, TimedOut
from pairwatch.model import Leg
from pairwatch.sources import Pace
from pairwatch.turns import MOST_REFUSALS, Clock, Turns

AAA = Leg("yahoo", "AAA")
NOW = 1_795_300_000.0
NO_PACE = Pace()


class Time:
    """A clock that goes on only while somebody sleeps."""

    def __init__(self):
        self.slept = []

    def now(self):
        return NOW + sum(self.slept)

    def sleep(self, seconds):
        self.slept.append(seconds)


class Source:
    """Answers, after so many refusals."""

    def __init__(self, refusals=0, retry_after=None):
        self.refusals, self.retry_after = refusals, retry_after
        self.asked = 0

    def __call__(self, turn):
        turn()
        self.asked += 1
        if self.asked <= self.refusals:
            raise RateLimited("AAA: throttled", retry_after=self.retry_after)
        return "an answer"


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def turns(tmp_path, time):
    def made(pace=NO_PACE, deadline=20.0, patience=None):
        return Turns(Cache(tmp_path / FILE_NAME), lambda _: pace, Clock(time.now, time.sleep), deadline, patience)

    return made


def test_who_asks_again_waits_for_the_next_turn(turns, time):
    for _ in range(3):
        assert turns(Pace(2.0, 1)).asked(AAA, Source()) == "an answer"
    assert time.slept == [2.0, 2.0]


def test_a_turn_beyond_the_deadline_is_not_waited_for(turns, time):
    turns(Pace(30.0, 1)).asked(AAA, Source())
    source = Source()
    with pytest.raises(TimedOut, match="asked once in 30 s"):
        turns(Pace(30.0, 1)).asked(AAA, source)
    assert (source.asked, time.slept) == (0, [])


def test_without_patience_a_refusal_ends_it_and_the_source_is_left_alone(turns, time):
    source = Source(refusals=1, retry_after=60.0)
    with pytest.raises(RateLimited):
        turns().asked(AAA, source)
    with pytest.raises(RateLimited, match="left alone for 1 min more"):
        turns().asked(AAA, source)
    assert source.asked == 1
    time.sleep(61.0)
    assert turns().asked(AAA, source) == "an answer"


def test_patience_waits_for_a_source_that_has_refused(turns, time):
    source = Source(refusals=1, retry_after=60.0)
    assert turns(patience=600.0).asked(AAA, source) == "an answer"
    assert time.slept == [60.0]


def test_patience_ends_with_refusals_in_a_row(turns):
    source = Source(refusals=99, retry_after=1.0)
    with pytest.raises(RateLimited):
        turns(patience=600.0).asked(AAA, source)
    assert source.asked == MOST_REFUSALS
