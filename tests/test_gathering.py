"""One leg's bars: what is kept first, then the source; what the source forgets is kept."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from tests.intraday import FIVE, held, led

from pairwatch.bars import Gathered, session_days
from pairwatch.barstore import FILE_NAME, BarStore
from pairwatch.cache import Cache
from pairwatch.errors import EmptyAnswer, NotCached, ProviderDown, RateLimited, UsageError
from pairwatch.gathering import Gatherer, Policy
from pairwatch.model import Declared, Leg

AAA = Leg("yahoo", "AAA")
NOW = 1_795_300_000.0
EVERY = held(led(sessions=10)[0]).bars


class Source:
    """Gives the bars of its days, or raises."""

    def __init__(self):
        self.days = EVERY.days
        self.asked = []
        self.fault = None
        self.fresh_for = 0.0
        self.zone = EVERY.facts.timezone

    def gather(self, request, interval):
        request.turn()
        self.asked.append(request.since)
        if self.fault:
            raise self.fault
        bars = EVERY.at(np.isin(EVERY.sessions, self.days))
        days = session_days(bars.times - 1, self.zone)
        bars = replace(bars, sessions=days, facts=replace(bars.facts, timezone=self.zone))
        return Gathered(bars, request.now, request.now + self.fresh_for)


@pytest.fixture
def source():
    return Source()


@pytest.fixture
def gather(tmp_path, source):
    def gathered(now=NOW, leg=AAA, **policy):
        store, cache = BarStore(tmp_path / FILE_NAME), Cache(tmp_path / "prices.db")
        gatherer = Gatherer(store, cache, Policy(now, **policy), {"yahoo": source}, sleep=lambda _: None)
        return gatherer.bars(leg, FIVE)

    return gathered


def test_the_first_time_everything_is_asked_for(gather, source):
    found = gather()
    assert (found.provenance.origin, len(found.bars), source.asked) == ("network", len(EVERY), [None])


def test_what_was_asked_lately_is_not_asked_again(gather, source):
    gather()
    assert gather(NOW + 600).provenance.origin == "cache"
    assert len(source.asked) == 1


def test_while_nothing_trades_nothing_is_asked(gather, source):
    source.fresh_for = 86_400
    gather()
    assert gather(NOW + 80_000).provenance.origin == "cache"


def test_later_only_the_last_days_are_asked_for(gather, source):
    gather()
    gather(NOW + 3600)
    assert source.asked[1] == date(2026, 11, 17)


def test_what_the_source_has_forgotten_is_kept(gather, source):
    source.days = EVERY.days[:6]
    gather()
    source.days = EVERY.days[4:]
    assert len(gather(NOW + 3600, refresh=True).bars) == len(EVERY)
    assert source.asked == [None, None]


def test_offline_answers_from_what_is_kept_and_says_so(gather, source):
    gather()
    found = gather(NOW + 86_400, offline=True)
    assert found.provenance.stale == "AAA: bars kept 24 h ago, since --offline forbids asking"
    assert len(source.asked) == 1


def test_offline_without_anything_kept_fails(gather):
    with pytest.raises(NotCached, match="no bars of 5m are kept"):
        gather(offline=True)


def test_where_the_source_fails_what_is_kept_serves(gather, source):
    gather()
    source.fault = ProviderDown("AAA: out of order")
    assert gather(NOW + 3600).provenance.stale == "AAA: out of order; bars kept 1 h ago"


def test_where_the_source_fails_and_nothing_is_kept_it_is_said(gather, source):
    source.fault = EmptyAnswer("AAA: nothing")
    with pytest.raises(EmptyAnswer):
        gather()


def test_a_zone_that_the_source_corrects_breaks_nothing(gather, source):
    right = EVERY.facts.timezone
    for now, zone in ((NOW, "Asia/Tokyo"), (NOW + 3600, right), (NOW + 7200, "UTC"), (NOW + 10_800, right)):
        source.zone = zone
        found = gather(now)
        assert (len(found.bars), found.bars.facts.timezone) == (len(EVERY), zone)
    assert found.bars.days.tolist() == EVERY.days.tolist()


def test_a_source_that_throttles_is_left_alone(gather, source):
    source.fault = RateLimited("AAA: throttled")
    for _ in range(2):
        with pytest.raises(RateLimited):
            gather()
    assert len(source.asked) == 1
    source.fault = None
    assert gather(NOW + 86_400).provenance.origin == "network"


def test_a_broken_store_never_fails_a_run(gather, tmp_path):
    (tmp_path / FILE_NAME).write_bytes(b"x" * 5000)
    assert len(gather().bars) == len(EVERY)


def test_a_declared_unit_holds_within_days(gather):
    assert gather(declared={AAA: Declared.parse("points")}).bars.facts.by_differences


@pytest.mark.parametrize("leg", [Leg("fred", "DGS10"), Leg("demo", "LEADER"), Leg("cboe", "VIX")])
def test_sources_without_prices_within_days_say_so(gather, leg):
    with pytest.raises(UsageError, match="no prices within days"):
        gather(leg=leg)
