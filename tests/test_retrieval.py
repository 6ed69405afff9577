"""One leg's history: what is asked of the source, how answers are merged, and what is said of it."""

import os
import shutil
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, time, timedelta
from pathlib import Path
from time import sleep

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.fake_source import FIRST, LEG, TODAY, FakeSource, at, day64, desk_for, refreshed

from pairwatch import errors, sources
from pairwatch.cache import FILE_NAME, LONGEST_BAN, Cache
from pairwatch.histories import History, adjusted
from pairwatch.kernels import simple_returns
from pairwatch.model import Declared, Event, Facts, Fetched, Leg, Quote, Series
from pairwatch.retrieval import Desk, Policy
from pairwatch.sources import Key, Pace, Request

EVENING = at(TODAY)
HOUR, DAY = 3_600.0, 86_400.0
# The default run; a long one: PAIRWATCH_EXAMPLES=2000.
EXAMPLES = int(os.environ.get("PAIRWATCH_EXAMPLES", "200"))
# Hundreds of small files, each synchronised: memory, where there is some.
FAST = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - one private folder inside


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "cache" / FILE_NAME


@pytest.fixture
def cache(path) -> Cache:
    return Cache(path)


@pytest.fixture
def source() -> FakeSource:
    return FakeSource()


@pytest.fixture
def held(cache, source) -> History:
    """The leg, fetched on Friday evening; the source has forgotten that it was asked."""
    history = refreshed(cache, source)
    source.requests.clear()
    return history


def fresh(source: FakeSource, now: float) -> Series:
    """The whole history as the provider gives it now."""
    return source.answer(Request(LEG, now)).series


def assert_same(found: Series, wanted: Series) -> None:
    """Bar for bar the same, and so every adjusted return."""
    np.testing.assert_array_equal(found.dates, wanted.dates)
    # Restated there and back, a close may differ from what it was in its last digit.
    np.testing.assert_allclose(found.closes, wanted.closes, rtol=1e-14)
    assert found.events == wanted.events
    for adjustment in ("total", "price"):
        np.testing.assert_allclose(
            simple_returns(adjusted(found, adjustment)),
            simple_returns(adjusted(wanted, adjustment)),
            rtol=0,
            atol=1e-12,
        )


# ---------------------------------------------------------------- the property


class AnyHistory(RuleBasedStateMachine):
    """Whatever happens at the provider: what is kept by refreshes is what a fresh whole answer would be."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.mkdtemp(dir=FAST)
        self.cache = Cache(Path(self.folder) / FILE_NAME)
        self.today = date(2026, 3, 2)
        self.last_held = day64(date.min)
        self.found: History | None = None

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    @initialize(seed=st.integers(0, 2**16), bars=st.integers(3, 45))
    def listing(self, seed, bars):
        self.source = FakeSource(self.today, self.today - timedelta(days=bars), seed)

    def recent(self) -> list[np.datetime64]:
        """The days that the next refresh asks for, in order; what changes before them is seen within 30 days."""
        return [day for day in self.source.bars if day >= self.last_held - 15]

    @rule(days=st.integers(1, 12))
    def market_trades(self, days):
        self.today += timedelta(days=days)
        self.source.advance_to(self.today)

    @rule(data=st.data(), amount=st.floats(0.01, 3))
    def dividend_is_paid_or_comes_late(self, data, amount):
        self.source.pay(data.draw(st.sampled_from(self.recent())), amount)

    @precondition(lambda self: any(e.kind == "dividend" for e in self.source.events if e.day in self.recent()))
    @rule()
    def dividend_is_withdrawn(self):
        recent = [e for e in self.source.events if e.kind == "dividend" and e.day in self.recent()]
        self.source.events.remove(recent[-1])

    @rule(data=st.data(), ratio=st.sampled_from([2.0, 3.0, 1.5, 0.1, 1 / 190, 20.0]))
    def leg_splits_or_its_split_comes_late(self, data, ratio):
        self.source.split(data.draw(st.sampled_from(self.recent())), ratio)

    @rule(factor=st.sampled_from([1.0001, 0.98, 1000.0]))
    def history_is_restated_silently(self, factor):
        self.source.rebase(factor)

    @rule(factor=st.sampled_from([100.0, 0.01]), is_right=st.booleans())
    def history_is_restated_a_hundredfold(self, factor, is_right):
        self.leg_is_refreshed(mid_session=False, refresh=True)
        before, bars = self.found.series, self.source.bars
        self.source.rebase(factor)
        policy = Policy(at(self.today + timedelta(days=31), time(22)), max_age=0)
        refused = Desk(Cache(self.cache.path), policy, {"yahoo": self.source}).history(LEG)
        assert "are refused: all are" in refused.provenance.stale
        assert_same(refused.series, before)
        if not is_right:
            self.source.bars = bars
        self.leg_is_refreshed(mid_session=False, refresh=is_right)

    @precondition(lambda self: len(self.recent()) > 1)
    @rule(factor=st.sampled_from([1.25, 0.8]), data=st.data())
    def history_before_a_day_is_restated_silently(self, factor, data):
        day = data.draw(st.sampled_from(self.recent()[1:]))
        self.source.bars = {d: close * factor if d < day else close for d, close in self.source.bars.items()}

    @rule(currency=st.sampled_from(["USD", "EUR", ""]))
    def currency_changes(self, currency):
        self.source.facts = replace(self.source.facts, currency=currency)

    @rule(data=st.data(), factor=st.floats(0.9, 1.1))
    def close_is_revised(self, data, factor):
        self.source.revise(data.draw(st.sampled_from(self.recent())), factor)

    @rule(data=st.data())
    def session_is_missing(self, data):
        never_given = [day for day in list(self.source.bars)[1:] if day > self.last_held]
        if never_given:
            self.source.hidden.add(data.draw(st.sampled_from(never_given)))

    @precondition(lambda self: self.source.hidden)
    @rule(data=st.data())
    def session_is_filled_in(self, data):
        young = [day for day in self.source.hidden if day > self.last_held - 45]
        if young:
            self.source.hidden.remove(data.draw(st.sampled_from(sorted(young))))

    @rule(mid_session=st.booleans(), refresh=st.booleans())
    def leg_is_refreshed(self, mid_session, refresh):
        now = at(self.today, time(16) if mid_session else time(22))
        policy = Policy(now, max_age=0, refresh=refresh)
        self.found = Desk(Cache(self.cache.path), policy, {"yahoo": self.source}).history(LEG)
        self.last_held = self.found.series.dates[-1]
        assert not self.found.provenance.stale
        assert_same(self.found.series, fresh(self.source, now))
        missing = sorted(day for day in self.source.hidden if self.found.series.dates[0] < day)
        assert [*self.found.provenance.holes] == [day for day in missing if day <= self.source.sessions(now)[-1]]

    @invariant()
    def nothing_is_wrong_with_the_file(self):
        assert not self.cache.trouble


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=20,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    derandomize="PAIRWATCH_EXAMPLES" not in os.environ,
)


# ---------------------------------------------------------------- what is asked, and when


def test_a_first_run_asks_for_the_whole_history(cache, source):
    found = refreshed(cache, source)
    assert [request.since for request in source.requests] == [None]
    assert found.provenance.origin == "network"
    assert_same(found.series, fresh(source, EVENING))


def test_a_warm_run_asks_nothing(cache, source, held):
    found = refreshed(cache, source, EVENING + 40 * HOUR)
    assert not source.requests
    assert found.provenance.origin == "cache"
    assert not found.provenance.stale
    assert_same(found.series, held.series)


def test_a_later_run_asks_from_fifteen_days_before_the_last_held_close(cache, source, held):
    source.advance_to(TODAY + timedelta(days=3))
    refreshed(cache, source, EVENING + 3 * DAY)
    assert [request.since for request in source.requests] == [TODAY - timedelta(days=15)]


def test_what_an_earlier_answer_said_of_the_leg_goes_with_the_request(cache, source, held):
    refreshed(cache, source, EVENING + 3 * DAY, deadline=7.0, verbose=True)
    (request,) = source.requests
    assert (request.known, request.deadline, request.verbose) == (source.facts, 7.0, True)


@pytest.mark.parametrize(("age", "asks"), [(0, False), (60, False), (899, False), (900, True), (5000, True)])
def test_an_answer_from_an_open_session_counts_as_now_for_max_age(cache, source, age, asks):
    noon = at(TODAY, time(16))
    refreshed(cache, source, noon)
    source.requests.clear()
    refreshed(cache, source, noon + age, max_age=900.0)
    assert bool(source.requests) == asks


def test_an_answer_after_the_close_is_fresh_until_the_next_opening(cache, source, held):
    opening = at(TODAY + timedelta(days=3), time(14, 30))
    refreshed(cache, source, opening - 1, max_age=1.0)
    assert not source.requests
    refreshed(cache, source, opening, max_age=1.0)
    assert source.requests


def test_a_max_age_of_nothing_asks_always(cache, source, held):
    refreshed(cache, source, EVENING + 60, max_age=0.0)
    assert source.requests


def test_an_answer_from_the_future_is_never_fresh_and_asks_for_everything(cache, source, held):
    refreshed(cache, source, EVENING - HOUR)
    assert [request.since for request in source.requests] == [None]


def test_an_answer_after_the_clock_was_set_back_replaces_the_one_from_the_future(cache, source):
    years_ahead = EVENING + 1000 * DAY
    refreshed(cache, source, years_ahead)
    source.advance_to(TODAY + timedelta(days=4))
    tuesday = EVENING + 4 * DAY
    found = refreshed(cache, source, tuesday)
    assert_same(found.series, fresh(source, tuesday))
    assert cache.get(LEG).asked_at == tuesday
    source.requests.clear()
    refreshed(cache, source, tuesday + 1)
    assert not source.requests


def test_bars_from_a_time_when_the_clock_was_ahead_are_not_kept(cache, source):
    """They may have been those of an open session."""
    refreshed(cache, source, EVENING)
    noon = at(TODAY, time(16))
    assert refreshed(cache, source, noon).series.dates[-1] == day64(TODAY) - 1


def test_a_day_that_is_behind_the_last_held_close_is_answered_from_the_cache(cache, source, held):
    month_later = EVENING + 40 * DAY
    found = refreshed(cache, source, month_later, until=TODAY - timedelta(days=1))
    assert not source.requests
    assert not found.provenance.stale


def test_the_day_of_the_last_held_close_itself_is_asked_for_again(cache, source, held):
    refreshed(cache, source, EVENING + 4 * DAY, until=TODAY)
    assert source.requests


def test_refresh_asks_for_the_whole_history_though_it_is_fresh(cache, source, held):
    refreshed(cache, source, EVENING + 60, refresh=True)
    assert [request.since for request in source.requests] == [None]


@pytest.mark.parametrize(("days", "whole"), [(29, False), (30, True), (31, True)])
def test_the_whole_history_is_asked_for_again_after_thirty_days(cache, source, held, days, whole):
    source.advance_to(TODAY + timedelta(days=10))
    refreshed(cache, source, EVENING + 10 * DAY)
    source.requests.clear()
    refreshed(cache, source, EVENING + days * DAY)
    assert (source.requests[0].since is None) == whole


def test_after_the_whole_history_has_been_asked_for_again_the_thirty_days_begin_anew(cache, source, held):
    for days in (31, 35):
        source.advance_to(TODAY + timedelta(days=days))
        refreshed(cache, source, EVENING + days * DAY)
    assert [request.since is None for request in source.requests] == [True, False]


def test_a_local_source_is_read_every_time_and_never_cached(cache):
    found = [Desk(cache, Policy(EVENING)).history(Leg("demo", "LEADER")) for _ in range(2)]
    assert [history.provenance.origin for history in found] == ["simulation", "simulation"]
    assert not cache.path.exists()


def test_a_jump_in_a_file_as_after_a_split_is_said_unless_the_file_is_declared_to_hold_no_price(cache, tmp_path):
    leg = Leg("csv", str(tmp_path / "raw.csv"))
    days = np.arange(day64("2026-09-01"), day64("2026-10-30"))
    lines = [f"{day},{(100 if day < day64('2026-10-14') else 50) + i / 97:.2f}" for i, day in enumerate(days)]
    (tmp_path / "raw.csv").write_text("\n".join(["Date,Close", *lines, ""]))
    (said,) = Desk(cache, Policy(EVENING)).history(leg).provenance.remarks
    assert "as after a split" in said
    assert Desk(cache, Policy(EVENING, until=date(2026, 10, 13))).history(leg).provenance.remarks == ()
    declared = {leg: Declared.parse("level")}
    assert Desk(cache, Policy(EVENING, declared=declared)).history(leg).provenance.remarks == ()


def slipping(folder: Path, factor: float, start: int, end: int = 60) -> tuple[Leg, np.ndarray]:
    """A file of sixty closes, some of them multiplied, and the closes as they were."""
    days, closes = np.arange(day64("2026-08-01"), day64("2026-09-30")), 100 + np.arange(60) / 7
    odd = np.where((np.arange(60) >= start) & (np.arange(60) < end), closes * factor, closes)
    lines = [f"{day},{close!r}" for day, close in zip(days.tolist(), odd.tolist(), strict=True)]
    (folder / "odd.csv").write_text("\n".join(["Date,Close", *lines, ""]))
    return Leg("csv", str(folder / "odd.csv")), closes


@pytest.mark.parametrize(("factor", "times"), [(100, "100 times"), (0.01, "a hundredth of")])
def test_a_close_in_a_file_a_hundred_times_off_is_refused_and_said(cache, tmp_path, factor, times):
    leg, closes = slipping(tmp_path, factor, 30, 31)
    found = Desk(cache, Policy(EVENING)).history(leg)
    np.testing.assert_allclose(found.series.closes, np.delete(closes, 30))
    (remark,) = found.provenance.remarks
    assert remark == (
        f"{leg}: 1 close refused, 2026-08-31: {times} the others, and no split; mend the file, or if that is right: "
        f"--unit {leg}=level"
    )
    assert found.series.facts.measure == "price"
    assert Desk(cache, Policy(EVENING, until=date(2026, 8, 30))).history(leg).provenance.remarks == ()


def test_a_file_declared_a_level_or_off_as_a_whole_is_believed(cache, tmp_path):
    leg, closes = slipping(tmp_path, 100, 30, 31)
    found = Desk(cache, Policy(EVENING, declared={leg: Declared.parse("level")})).history(leg)
    assert (len(found.series), found.provenance.remarks) == (60, ())
    leg, closes = slipping(tmp_path, 100, 0)
    found = Desk(cache, Policy(EVENING)).history(leg)
    np.testing.assert_allclose(found.series.closes, closes * 100)
    assert found.provenance.remarks == ()


def test_of_a_file_declared_a_level_in_points_the_way_out_names_another_unit(cache, tmp_path):
    leg, _ = slipping(tmp_path, 100, 30, 31)
    (said,) = (
        Desk(cache, Policy(EVENING, declared={leg: Declared.parse("level:points")})).history(leg).provenance.remarks
    )
    assert said.endswith(f"--unit {leg}=level:NAME")
    declared = {leg: Declared.parse("level:NAME")}
    assert Desk(cache, Policy(EVENING, declared=declared)).history(leg).provenance.remarks == ()


def test_a_source_that_is_not_at_hand_is_loaded_when_a_leg_needs_it(cache):
    assert len(Desk(cache, Policy(EVENING), {}).history(Leg("demo", "TWIN1")).series) > 2000


def test_an_unknown_source_is_a_usage_error(cache):
    with pytest.raises(errors.UsageError, match="no source is called 'bloomberg'"):
        Desk(cache, Policy(EVENING)).history(Leg("bloomberg", "QQQ"))


# ---------------------------------------------------------------- how answers are merged

MONDAY = TODAY + timedelta(days=3)
MONDAY_EVENING = at(MONDAY)


@pytest.fixture
def monday(source, held) -> FakeSource:
    """The source three days later, with one bar more."""
    source.advance_to(MONDAY)
    return source


def recent(source: FakeSource, back: int) -> np.datetime64:
    """The bar `back` before the newest."""
    return sorted(source.bars)[-1 - back]


def test_a_close_that_the_provider_changed_is_taken_over_and_counted(cache, monday):
    monday.revise(recent(monday, 2))
    monday.revise(recent(monday, 4))
    found = refreshed(cache, monday, MONDAY_EVENING)
    assert (found.provenance.revised, found.provenance.refetched) == (2, False)
    assert_same(found.series, fresh(monday, MONDAY_EVENING))


def test_noise_below_the_precision_of_32_bit_prices_is_no_revision(cache, monday):
    monday.bars = {day: float(np.float32(close)) for day, close in monday.bars.items()}
    found = refreshed(cache, monday, MONDAY_EVENING)
    assert (found.provenance.revised, found.provenance.refetched) == (0, False)


def test_a_deep_revision_is_found_when_the_whole_history_is_asked_for_again(cache, monday):
    monday.revise(recent(monday, 100))
    assert refreshed(cache, monday, MONDAY_EVENING).provenance.revised == 0
    found = refreshed(cache, monday, EVENING + 31 * DAY)
    assert found.provenance.revised == 1
    assert_same(found.series, fresh(monday, EVENING + 31 * DAY))


def test_a_new_split_fetches_the_whole_leg_again_and_says_so(cache, monday):
    monday.split(MONDAY, 2.0)
    found = refreshed(cache, monday, MONDAY_EVENING)
    assert [request.since is None for request in monday.requests] == [False, True]
    assert found.provenance.refetched
    assert found.provenance.revised == 0
    assert f"QQQ: a split of 2 on {MONDAY} was added; the whole history was fetched again" in found.provenance.remarks
    assert_same(found.series, fresh(monday, MONDAY_EVENING))


def test_a_split_is_fetched_again_once_and_not_at_every_run(cache, monday):
    monday.split(MONDAY, 2.0)
    refreshed(cache, monday, MONDAY_EVENING)
    monday.requests.clear()
    monday.advance_to(MONDAY + timedelta(days=1))
    found = refreshed(cache, monday, MONDAY_EVENING + DAY)
    assert len(monday.requests) == 1
    assert not found.provenance.refetched


def test_a_split_on_a_day_that_the_answer_does_not_reach_back_to_is_seen(cache, source, held):
    """The session on which the answer should begin has no close, and is the day of the split."""
    source.advance_to(MONDAY)
    source.split(day64(TODAY) - 15, 3.0)
    source.hidden.add(day64(TODAY) - 15)
    assert refreshed(cache, source, MONDAY_EVENING).provenance.refetched


def test_a_split_that_is_withdrawn_fetches_the_whole_leg_again(cache, source):
    source.split(TODAY - timedelta(days=1), 4.0)
    refreshed(cache, source)
    source.events.clear()
    source.advance_to(MONDAY)
    found = refreshed(cache, source, MONDAY_EVENING)
    assert "a split of 4 on 2026-10-29 was withdrawn" in found.provenance.remarks[0]
    assert_same(found.series, fresh(source, MONDAY_EVENING))


def test_a_refresh_that_meets_a_new_split_replaces_the_history_and_says_why(cache, monday):
    monday.split(MONDAY, 2.0)
    dropped = recent(monday, 50)
    monday.hidden.add(dropped)
    found = refreshed(cache, monday, MONDAY_EVENING, refresh=True)
    assert found.provenance.refetched
    assert found.provenance.revised == 0
    assert "a split of 2" in found.provenance.remarks[0]
    # What is held of the dropped session is on another footing.
    assert_same(found.series, fresh(monday, MONDAY_EVENING))
    assert dropped in found.provenance.holes


def test_a_new_dividend_does_not_fetch_the_leg_again(cache, monday):
    monday.pay(MONDAY, 0.7)
    found = refreshed(cache, monday, MONDAY_EVENING)
    assert len(monday.requests) == 1
    assert (found.provenance.refetched, found.provenance.revised) == (False, 0)
    assert_same(found.series, fresh(monday, MONDAY_EVENING))
    assert adjusted(found.series, "total")[0] < found.series.closes[0]


def test_a_dividend_that_comes_late_counts_from_its_own_day(cache, monday):
    monday.pay(recent(monday, 5), 1.3)
    found = refreshed(cache, monday, MONDAY_EVENING)
    assert_same(found.series, fresh(monday, MONDAY_EVENING))


def test_events_before_the_days_asked_for_stay_as_they_are(cache, source):
    source.pay(TODAY - timedelta(days=15), 0.5)
    source.pay(TODAY - timedelta(days=16), 0.25)
    refreshed(cache, source)
    source.advance_to(MONDAY)
    found = refreshed(cache, source, MONDAY_EVENING)
    assert [e.value for e in found.series.events] == [0.25, 0.5]


@pytest.mark.parametrize("factor", [0.5, 1.02, 1.0001, 190.0])
def test_closes_that_all_moved_by_one_factor_fetch_the_whole_leg_again(cache, monday, factor):
    monday.rebase(factor)
    found = refreshed(cache, monday, MONDAY_EVENING)
    assert found.provenance.refetched
    assert "was" in found.provenance.remarks[0]
    assert_same(found.series, fresh(monday, MONDAY_EVENING))


def test_closes_rounded_after_they_all_moved_fetch_the_whole_leg_again(cache, monday):
    monday.bars = {day: round(close / 190, 2) for day, close in monday.bars.items()}
    found = refreshed(cache, monday, MONDAY_EVENING)
    assert_same(found.series, fresh(monday, MONDAY_EVENING))


def test_a_history_restated_up_to_a_recent_day_is_fetched_again(cache, monday):
    """A spin-off: no event, and only what lies before it moves."""
    day = recent(monday, 4)
    monday.bars = {d: close * 0.8 if d < day else close for d, close in monday.bars.items()}
    found = refreshed(cache, monday, MONDAY_EVENING)
    assert found.provenance.refetched
    assert_same(found.series, fresh(monday, MONDAY_EVENING))


@pytest.mark.parametrize("later", [0.0, 0.25])
def test_a_rate_of_zero_is_a_close_like_any_other(cache, source, later):
    source.facts = Facts(measure="rate", unit="percent")
    source.bars = dict.fromkeys(source.bars, 0.0)
    refreshed(cache, source)
    source.advance_to(MONDAY)
    source.bars[recent(source, 3)] = later
    found = refreshed(cache, source, MONDAY_EVENING)
    assert found.provenance.revised == (later != 0)
    np.testing.assert_array_equal(found.series.closes, fresh(source, MONDAY_EVENING).closes)


def test_a_leg_that_turns_up_in_another_currency_is_fetched_again(cache, monday):
    monday.facts = Facts(currency="GBp")
    found = refreshed(cache, monday, MONDAY_EVENING)
    assert "QQQ: the currency changed from USD to GBp; the whole history" in found.provenance.remarks[0]
    assert [request.since is None for request in monday.requests] == [False, True]


def test_a_leg_with_no_day_in_common_is_fetched_again(cache, source, held):
    source.bars = {day + 1: close for day, close in source.bars.items() if day < day64(TODAY)}
    assert refreshed(cache, source, MONDAY_EVENING, refresh=True).series.dates[-1] == day64(TODAY)


def test_an_answer_on_other_days_altogether_replaces_what_is_held(cache, source):
    source.bars = {day: close for day, close in source.bars.items() if day.item().weekday() == 0}
    refreshed(cache, source)
    source.bars = {day + 1: close for day, close in source.bars.items()}
    found = refreshed(cache, source, MONDAY_EVENING)
    assert "no day in common" in found.provenance.remarks[0]
    assert_same(found.series, fresh(source, MONDAY_EVENING))


def test_when_fetching_again_fails_what_is_held_is_served_as_stale(cache, monday, held):
    monday.split(MONDAY, 2.0)
    answers = iter([monday.answer(Request(LEG, MONDAY_EVENING, TODAY - timedelta(days=15)))])

    class Failing(FakeSource):
        def fetch(self, request: Request) -> Fetched:
            for answer in answers:
                return answer
            raise errors.ProviderDown("QQQ: out of order")

    found = refreshed(cache, Failing(), MONDAY_EVENING)
    assert "out of order" in found.provenance.stale
    assert_same(found.series, held.series)


def test_what_was_odd_in_the_answer_is_passed_on(cache, source):
    source.remarks = ("QQQ: odd",)
    assert refreshed(cache, source).provenance.remarks == ("QQQ: odd",)


def test_an_unfinished_bar_is_never_stored_as_a_close(cache, source):
    noon = at(TODAY, time(16))
    found = refreshed(cache, source, noon)
    assert found.series.dates[-1] == day64(TODAY) - 1
    assert found.series.quote.open
    assert found.series.quote.price == source.bars[day64(TODAY)]
    source.revise(TODAY, 1.02)
    assert_same(refreshed(cache, source).series, fresh(source, EVENING))


# ---------------------------------------------------------------- holes and dropped sessions


def test_a_hole_is_said_asked_for_again_and_healed_and_never_filled(cache, source):
    hole = day64(TODAY) - 21
    source.hidden.add(hole)
    found = refreshed(cache, source)
    assert found.provenance.holes == (hole,)
    source.advance_to(MONDAY)
    source.requests.clear()
    found = refreshed(cache, source, MONDAY_EVENING)
    assert [request.since for request in source.requests] == [hole.item()]
    assert found.provenance.holes == (hole,)
    assert hole not in found.series.dates
    source.hidden.clear()
    source.advance_to(MONDAY + timedelta(days=1))
    found = refreshed(cache, source, MONDAY_EVENING + DAY)
    assert found.provenance.holes == ()
    assert_same(found.series, fresh(source, MONDAY_EVENING + DAY))


def test_a_hole_is_not_asked_for_after_forty_five_days_but_still_said(cache, source):
    hole = day64(TODAY) - 45
    source.hidden.add(hole)
    refreshed(cache, source)
    source.advance_to(MONDAY)
    found = refreshed(cache, source, MONDAY_EVENING)
    assert source.requests[-1].since == TODAY - timedelta(days=15)
    assert found.provenance.holes == (hole,)


def test_the_newest_session_without_a_close_is_a_hole_and_asked_for_at_once(cache, source):
    source.hidden.add(day64(TODAY))
    assert refreshed(cache, source).provenance.holes == (day64(TODAY),)
    source.hidden.clear()
    found = refreshed(cache, source, EVENING + 1, max_age=0.0)
    assert found.provenance.holes == ()
    assert found.series.dates[-1] == day64(TODAY)


def test_holes_are_forgotten_when_no_source_expects_anything_so_long_ago(cache):
    source = FakeSource()
    source.hidden.update([day64("2026-02-03"), day64("2026-10-01")])
    refreshed(cache, source)
    for days in range(28, 28 * 14, 28):
        source.advance_to(TODAY + timedelta(days=days))
        found = refreshed(cache, source, EVENING + days * DAY)
        assert len(found.provenance.holes) <= 2
    assert found.provenance.holes == (day64("2026-10-01"),)


def test_a_day_that_the_calendar_no_longer_expects_is_no_hole_any_more(cache, source):
    hole = day64(TODAY) - 7
    source.hidden.add(hole)
    refreshed(cache, source)
    sessions = source.sessions
    source.sessions = lambda now: sessions(now)[sessions(now) != hole]
    source.advance_to(MONDAY)
    assert refreshed(cache, source, MONDAY_EVENING).provenance.holes == ()


@pytest.mark.parametrize("back", [1, 5, 10, 11])
@pytest.mark.parametrize("refresh", [False, True])
def test_a_session_that_was_given_once_and_dropped_is_kept_and_said(cache, monday, held, back, refresh):
    """Also the first one that is asked for again, and the newest."""
    days = sorted(monday.bars)
    last = days.index(day64(TODAY))
    dropped = days[last + 1 - back] if back < 11 else day64(TODAY) - 15
    monday.hidden.add(dropped)
    found = refreshed(cache, monday, MONDAY_EVENING, refresh=refresh)
    assert f"QQQ: {dropped} no longer given by yahoo, kept" in found.provenance.remarks
    assert found.provenance.holes == ()
    monday.hidden.clear()
    assert_same(found.series, fresh(monday, MONDAY_EVENING))


def test_the_newest_close_is_kept_when_the_next_answer_ends_before_it(cache, source, held):
    source.hidden.add(day64(TODAY))
    found = refreshed(cache, source, MONDAY_EVENING)
    assert_same(found.series, held.series)
    assert f"QQQ: {TODAY} no longer given by yahoo, kept" in found.provenance.remarks


def test_a_dropped_session_keeps_the_dividend_of_its_day(cache, source):
    day = day64(TODAY) - 4
    source.pay(day, 1.5)
    before = refreshed(cache, source)
    source.hidden.add(day)
    source.events.clear()
    found = refreshed(cache, source, MONDAY_EVENING)
    assert_same(found.series, before.series)


def test_a_dividend_that_moved_off_a_dropped_session_counts_once(cache, source):
    day = day64(TODAY) - 4
    source.pay(day, 1.5)
    refreshed(cache, source)
    source.hidden.add(day)
    source.events = [Event(day + 1, "dividend", 1.5)]
    found = refreshed(cache, source, MONDAY_EVENING)
    assert found.series.events == tuple(source.events)


def test_a_bar_on_a_day_without_a_session_is_left_out_once_it_is_dropped(cache, source):
    sunday = day64(TODAY) - 5
    source.bars[sunday] = 100.0
    refreshed(cache, source)
    del source.bars[sunday]
    found = refreshed(cache, source, MONDAY_EVENING)
    assert f"QQQ: {sunday} no longer given by yahoo, left out" in found.provenance.remarks
    assert_same(found.series, fresh(source, MONDAY_EVENING))


def test_a_whole_history_that_begins_later_leaves_the_earlier_closes(cache, monday, held):
    monday.bars = dict(sorted(monday.bars.items())[-20:])
    found = refreshed(cache, monday, MONDAY_EVENING, refresh=True)
    assert len(found.series) == len(held.series) + 1
    assert found.provenance.remarks == ()


def test_a_restated_history_that_begins_later_is_asked_for_again_at_the_next_run(cache, monday):
    whole = dict(monday.bars)
    monday.bars = dict(sorted(whole.items())[-5:])
    monday.split(MONDAY, 2.0)
    assert len(refreshed(cache, monday, MONDAY_EVENING).series) == 5
    monday.bars = {day: close / 2 if day < day64(MONDAY) else close for day, close in whole.items()}
    monday.advance_to(MONDAY + timedelta(days=1))
    found = refreshed(cache, monday, MONDAY_EVENING + DAY)
    assert_same(found.series, fresh(monday, MONDAY_EVENING + DAY))


class Forgetful(FakeSource):
    """Reaches back thirty days, whatever it is asked for."""

    def answer(self, request: Request) -> Fetched:
        found = super().answer(request)
        series = found.series
        near = series.dates >= series.dates[-1] - 30
        series = replace(series, dates=series.dates[near], closes=series.closes[near])
        return found._replace(series=series, expected=found.expected[found.expected >= series.dates[0]])


def test_of_a_source_that_reaches_back_a_month_a_year_is_kept_though_it_is_reconciled(cache):
    source, today = Forgetful(FIRST), FIRST
    first = refreshed(cache, source, at(today)).series.dates[0]
    while today < FIRST + timedelta(days=364):
        today += timedelta(days=7)
        source.advance_to(today)
        found = refreshed(cache, source, at(today))
        assert not found.provenance.refetched
    assert len([request for request in source.requests if request.since is None]) > 10
    assert found.series.dates[0] == first
    np.testing.assert_array_equal(found.series.closes, list(source.bars.values()))


def test_of_such_a_source_a_coin_is_kept_over_a_gap_which_is_said_once(cache):
    source = Forgetful(FIRST)
    source.facts = replace(source.facts, kind="CRYPTOCURRENCY", identity="bitcoin")
    refreshed(cache, source, at(FIRST))
    source.advance_to(TODAY)
    found = refreshed(cache, source, EVENING)
    assert found.series.dates[0] == day64(FIRST)
    (remark,) = found.provenance.remarks
    assert remark.startswith(f"QQQ: nothing between {FIRST} and ")
    source.advance_to(MONDAY)
    assert refreshed(cache, source, MONDAY_EVENING).provenance.remarks == ()


def test_after_a_gap_such_a_source_begins_anew_with_a_share(cache):
    source = Forgetful(FIRST)
    refreshed(cache, source, at(FIRST))
    source.advance_to(TODAY)
    found = refreshed(cache, source, EVENING)
    assert found.series.dates[0] >= day64(TODAY) - 30
    assert "given up" in found.provenance.remarks[1]
    source.advance_to(MONDAY)
    assert not refreshed(cache, source, MONDAY_EVENING).provenance.refetched


def test_a_jump_that_no_split_explains_is_said_on_every_run_until_the_provider_explains_it(cache, source):
    """Also offline, and not of a day before the jump."""
    for day in (day64(TODAY), day64(TODAY) - 1):
        source.bars[day] = source.bars[day64(TODAY) - 2] / 2
    runs = [{}, {}, {"offline": True}]
    assert refreshed(cache, source, declared={LEG: Declared.parse("level")}).provenance.remarks == ()
    for policy in runs:
        (remark,) = refreshed(cache, source, **policy).provenance.remarks
        assert "as after a split" in remark
    assert refreshed(cache, source, until=TODAY - timedelta(days=2)).provenance.remarks == ()
    source.events = [Event(day64(TODAY) - 1, "split", 2.0)]
    source.advance_to(MONDAY)
    source.bars = {day: close / 2 if day < day64(TODAY) - 1 else close for day, close in source.bars.items()}
    assert refreshed(cache, source, MONDAY_EVENING).provenance.refetched
    assert refreshed(cache, source, MONDAY_EVENING).provenance.remarks == ()


# ---------------------------------------------------------------- two runs at once, and a file that goes away


class Meanwhile(FakeSource):
    """Something else happens between the question and the answer."""

    def __init__(self, *args, happens) -> None:
        super().__init__(*args)
        self.happens = happens

    def fetch(self, request: Request) -> Fetched:
        answer = super().fetch(request)
        happens, self.happens = self.happens, lambda: None
        happens()
        return answer


def test_an_answer_for_the_last_days_never_becomes_the_whole_leg_when_the_file_was_cleared_meanwhile(path, held):
    source = Meanwhile(MONDAY, happens=lambda: Cache(path).clear())
    found = refreshed(Cache(path), source, MONDAY_EVENING)
    assert source.requests[0].since is not None
    assert_same(found.series, fresh(source, MONDAY_EVENING))
    assert_same(Cache(path).get(LEG).series, found.series)


def test_an_answer_for_the_last_days_is_merged_when_the_file_was_damaged_meanwhile(path, held):
    source = Meanwhile(MONDAY, happens=lambda: path.write_bytes(b"gone"))
    cache = Cache(path)
    found = refreshed(cache, source, MONDAY_EVENING)
    assert "damaged" in cache.trouble
    assert_same(found.series, fresh(source, MONDAY_EVENING))


def test_an_older_answer_that_arrives_after_a_newer_one_changes_nothing(path, held):
    def newer() -> None:
        other = FakeSource(MONDAY)
        other.revise(MONDAY, 1.01)
        refreshed(Cache(path), other, MONDAY_EVENING + 60)

    source = Meanwhile(MONDAY, happens=newer)
    found = refreshed(Cache(path), source, MONDAY_EVENING)
    assert found.series.closes[-1] == source.bars[day64(MONDAY)] * 1.01
    assert found.provenance.asked_at == MONDAY_EVENING + 60
    assert Cache(path).get(LEG).asked_at == MONDAY_EVENING + 60


def test_what_a_quicker_run_has_stored_since_this_one_began_is_fresh(path):
    refreshed(Cache(path), FakeSource(), EVENING + 30)
    source = FakeSource()
    assert refreshed(Cache(path), source, EVENING).provenance.origin == "cache"
    assert not source.requests


def test_a_split_that_another_run_has_just_stored_is_not_fetched_again(path, held):
    source = Meanwhile(MONDAY, happens=lambda: None)
    source.split(MONDAY, 2.0)

    def other_run() -> None:
        other = FakeSource(MONDAY)
        other.split(MONDAY, 2.0)
        refreshed(Cache(path), other, MONDAY_EVENING - 5)

    source.happens = other_run
    found = refreshed(Cache(path), source, MONDAY_EVENING)
    assert len(source.requests) == 1
    assert_same(found.series, fresh(source, MONDAY_EVENING))


# ---------------------------------------------------------------- a source that fails

FAILURES = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.SourceError)]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda kind: kind.__name__)
def test_a_failing_source_serves_the_cache_as_stale_with_its_age(cache, source, held, failure):
    source.fault = failure("QQQ: it failed")
    before = cache.path.read_bytes()
    found = refreshed(cache, source, EVENING + 5 * DAY)
    assert found.provenance.stale == "QQQ: it failed; from the cache, 5 days old"
    assert found.provenance.origin == "cache"
    assert found.provenance.asked_at == EVENING
    assert_same(found.series, held.series)
    assert_same(cache.get(LEG).series, held.series)
    if failure is not errors.RateLimited:
        assert cache.path.read_bytes() == before


@pytest.mark.parametrize("failure", FAILURES, ids=lambda kind: kind.__name__)
def test_a_failing_source_without_a_cache_is_an_error(cache, source, failure):
    source.fault = failure("QQQ: it failed")
    with pytest.raises(failure, match="QQQ: it failed"):
        refreshed(cache, source)
    assert cache.entries() == []


def test_a_bug_in_a_source_is_not_hidden_by_the_cache(cache, source, held):
    source.fault = ZeroDivisionError("a bug")
    with pytest.raises(ZeroDivisionError):
        refreshed(cache, source, EVENING + 5 * DAY)


# ---------------------------------------------------------------- a source that throttles


def throttled(path: Path, now: float, retry_after: float | None = None) -> FakeSource:
    """A run at `now` against a source that refuses."""
    source = FakeSource()
    source.fault = errors.RateLimited("QQQ: throttled", retry_after=retry_after)
    with pytest.raises(errors.RateLimited):
        refreshed(Cache(path), source, now)
    return source


def test_a_throttling_source_is_left_alone_by_every_process_for_a_quarter_of_an_hour(path):
    throttled(path, EVENING)
    waiting = throttled(path, EVENING + 14 * 60)
    assert not waiting.requests
    with pytest.raises(errors.RateLimited, match=r"QQQ: yahoo throttles .* left alone for 1 min more"):
        refreshed(Cache(path), FakeSource(), EVENING + 14 * 60)
    asked = FakeSource()
    refreshed(Cache(path), asked, EVENING + 15 * 60)
    assert len(asked.requests) == 1


def test_who_is_refused_without_a_cache_is_told_for_how_long_the_source_is_left_alone(path):
    source = FakeSource()
    source.fault = errors.RateLimited("QQQ: throttled")
    for hint in ("yahoo is left alone for 15 min; what is cached", "run again then; what is cached"):
        with pytest.raises(errors.RateLimited) as caught:
            refreshed(Cache(path), source)
        assert caught.value.hint.startswith(hint)


def test_each_refusal_in_a_row_doubles_the_pause_up_to_six_hours(path):
    now, pauses = EVENING, []
    for _ in range(8):
        throttled(path, now)
        until = Cache(path).paused_until("yahoo")
        pauses.append((until - now) / 60)
        now = until
    assert pauses == [15, 30, 60, 120, 240, 360, 360, 360]


@pytest.mark.parametrize(("retry_after", "seconds"), [(60.0, 60), (7200.0, 7200), (1e9, LONGEST_BAN)])
def test_what_the_source_asks_for_is_honoured_up_to_a_day(path, retry_after, seconds):
    throttled(path, EVENING, retry_after)
    assert Cache(path).paused_until("yahoo") == EVENING + seconds


def test_a_source_that_asks_for_seven_seconds_is_asked_again_after_seven_and_then_after_fourteen(path):
    throttled(path, EVENING, 7.0)
    assert not throttled(path, EVENING + 6.9, 7.0).requests
    assert throttled(path, EVENING + 7, 7.0).requests
    assert not throttled(path, EVENING + 20.9, 7.0).requests
    found = refreshed(Cache(path), FakeSource(), EVENING + 21)
    assert found.provenance.origin == "network"


def test_a_pause_begins_when_the_source_refuses_and_not_when_the_run_began(path):
    """A run over many legs takes longer than some pauses."""
    source, clock = FakeSource(), Clock()
    source.fault = errors.RateLimited("QQQ: throttled", retry_after=30.0)
    desk = Desk(Cache(path), Policy(EVENING), {"yahoo": source}, elapsed=clock)
    clock.now += 600
    for _ in range(2):
        with pytest.raises(errors.RateLimited):
            desk.history(LEG)
    assert len(source.requests) == 1
    clock.now += 30
    source.fault = None
    desk.history(LEG)


def test_an_answer_that_was_under_way_does_not_clear_a_pause_that_was_asked_for_meanwhile(path):
    throttled(path, EVENING)
    later = EVENING + HOUR
    source = Meanwhile(TODAY, happens=lambda: Cache(path).pause("yahoo", later, None))
    refreshed(Cache(path), source, later)
    assert Cache(path).paused_until("yahoo") > later


def test_an_answer_clears_the_pauses(path):
    throttled(path, EVENING)
    throttled(path, EVENING + HOUR)
    refreshed(Cache(path), FakeSource(), EVENING + 2 * HOUR)
    assert Cache(path).paused_until("yahoo") == 0
    throttled_later = FakeSource()
    throttled_later.fault = errors.RateLimited("QQQ: throttled")
    refreshed(Cache(path), throttled_later, EVENING + 90 * DAY)
    assert Cache(path).paused_until("yahoo") == EVENING + 90 * DAY + 900


def test_other_sources_are_not_paused(path):
    throttled(path, EVENING)
    assert Cache(path).paused_until("coingecko") == 0


def test_throttling_deletes_nothing_and_serves_what_is_held(path, held):
    source = FakeSource()
    source.fault = errors.RateLimited("QQQ: throttled")
    for hours in range(70, 100):
        found = refreshed(Cache(path), source, EVENING + hours * HOUR)
        assert found.provenance.stale
        assert_same(found.series, held.series)
    assert len(source.requests) < 10
    assert_same(Cache(path).get(LEG).series, held.series)


def test_the_second_leg_of_a_throttled_source_is_not_asked_for_even_without_a_cache_file(tmp_path):
    blocked = tmp_path / "file"
    blocked.touch()
    source = FakeSource()
    source.fault = errors.RateLimited("throttled")
    desk = desk_for(Cache(blocked / FILE_NAME), source)
    for symbol in ("QQQ", "IWM"):
        with pytest.raises(errors.RateLimited):
            desk.history(Leg("yahoo", symbol))
    assert len(source.requests) == 1


def test_a_pause_written_under_a_clock_that_was_ahead_is_ignored(path):
    throttled(path, EVENING + 4000 * DAY)
    source = FakeSource()
    refreshed(Cache(path), source, EVENING)
    assert source.requests


# ---------------------------------------------------------------- turns, and keys


class Clock:
    """Goes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Polite(FakeSource):
    """Takes a turn before each answer, as sources do before each request."""

    def fetch(self, request: Request) -> Fetched:
        request.turn()
        return super().fetch(request)


@pytest.fixture
def paced(monkeypatch):
    """Yahoo at one request in two seconds, two after a rest; in one with a key."""
    slow = sources.about("yahoo")._replace(pace=Pace(2.0, 2), keyed=Pace(1.0, 2))
    monkeypatch.setitem(sources._SOURCES, "yahoo", slow)


def asked(cache: Cache, count: int, clock: Clock, **policy: object) -> Polite:
    """So many legs in one run."""
    source = Polite()
    desk = Desk(cache, Policy(EVENING, **policy), {"yahoo": source}, elapsed=clock, sleep=clock.sleep)
    for i in range(count):
        desk.history(Leg("yahoo", f"L{i}"))
    return source


def test_a_run_waits_for_its_turns(cache, paced):
    clock = Clock()
    asked(cache, 5, clock)
    assert clock.slept == [2, 2, 2]


def test_a_key_makes_a_source_quicker(cache, paced):
    clock = Clock()
    source = asked(cache, 5, clock, keys={"yahoo": Key("YAHOO_KEY", "secret")})
    assert clock.slept == [1, 1, 1]
    assert {request.key for request in source.requests} == {Key("YAHOO_KEY", "secret")}


def test_the_key_of_another_source_is_not_handed_over(cache, paced):
    clock = Clock()
    source = asked(cache, 3, clock, keys={"fred": Key("FRED_API_KEY", "secret")})
    assert {request.key for request in source.requests} == {None}
    assert clock.slept == [2]


def test_a_run_waits_for_the_turns_of_others(cache, paced):
    for _ in range(4):
        cache.turn("yahoo", EVENING, 2.0, 2)
    clock = Clock()
    asked(cache, 1, clock)
    assert clock.slept == [6]


def test_a_turn_that_is_too_far_off_is_not_waited_for_and_served_from_the_cache_where_it_can_be(cache, paced):
    for _ in range(22):
        cache.turn("yahoo", EVENING, 2.0, 2)
    clock = Clock()
    with pytest.raises(errors.TimedOut, match="L0: yahoo may be asked again in 42 s") as caught:
        asked(cache, 1, clock, patience=41.0)
    assert "--deadline" in caught.value.hint
    assert clock.slept == []
    asked(cache, 1, clock, patience=42.0)
    assert clock.slept == [42]


def test_without_a_word_a_turn_is_waited_for_as_long_as_the_deadline(cache, paced):
    for _ in range(5):
        cache.turn("yahoo", EVENING, 2.0, 2)
    with pytest.raises(errors.TimedOut):
        asked(cache, 1, Clock(), deadline=7.0)
    asked(cache, 1, Clock(), deadline=8.0)


def test_who_waits_for_a_turn_does_not_ask_a_source_that_has_refused_meanwhile(cache, paced):
    clock = Clock()
    for _ in range(2):
        cache.turn("yahoo", EVENING, 2.0, 2)

    def refused_meanwhile(seconds: float) -> None:
        clock.sleep(seconds)
        Cache(cache.path).pause("yahoo", EVENING + clock.now, 60.0)

    source = Polite()
    desk = Desk(cache, Policy(EVENING), {"yahoo": source}, elapsed=clock, sleep=refused_meanwhile)
    with pytest.raises(errors.RateLimited, match="left alone"):
        desk.history(LEG)
    assert not source.requests


# ---------------------------------------------------------------- pauses, and who is patient


class Moody(Polite):
    """Refuses now and then, by the number of the request from 0 on, and says for how many seconds (or does not)."""

    def __init__(self, **refusals: float | None) -> None:
        super().__init__()
        self._refusals = {int(name[1:]): seconds for name, seconds in refusals.items()}

    def fetch(self, request: Request) -> Fetched:
        number = len(self.requests)
        found = super().fetch(request)
        if number in self._refusals:
            raise errors.RateLimited(f"{request.leg}: throttled", retry_after=self._refusals[number])
        return found


def patient(cache: Cache, source: FakeSource, clock: Clock, patience: float | None = 3600.0) -> Desk:
    return Desk(cache, Policy(EVENING, patience=patience), {"yahoo": source}, elapsed=clock, sleep=clock.sleep)


def test_our_own_refusal_to_ask_is_none_of_the_providers(cache, paced):
    """While one thread waits for its turn, another is refused: one refusal, and one pause."""
    clock = Clock()
    for _ in range(2):
        cache.turn("yahoo", EVENING, 2.0, 2)

    def refused_meanwhile(seconds: float) -> None:
        clock.sleep(seconds)
        Cache(cache.path).pause("yahoo", EVENING + clock.now, 60.0)

    desk = Desk(cache, Policy(EVENING), {"yahoo": Polite()}, elapsed=clock, sleep=refused_meanwhile)
    with pytest.raises(errors.RateLimited, match="left alone"):
        desk.history(LEG)
    assert Cache(cache.path).paused_until("yahoo") == EVENING + 2 + 60


def test_our_own_refusal_is_none_of_the_providers_whatever_the_source_makes_of_it(cache, paced):
    class Rewording(FakeSource):
        def fetch(self, request: Request) -> Fetched:
            try:
                request.turn()
            except errors.SourceError as error:
                raise errors.RateLimited(f"{request.leg}: no luck") from error
            pytest.fail("there is no turn to be had")

    for _ in range(50):
        cache.turn("yahoo", EVENING, 2.0, 2)
    with pytest.raises(errors.RateLimited, match="no luck"):
        Desk(cache, Policy(EVENING), {"yahoo": Rewording()}, elapsed=Clock()).history(LEG)
    assert cache.paused_until("yahoo") == 0


def test_who_is_patient_waits_for_what_the_provider_asks_for_and_loses_no_leg(cache, paced):
    clock, source = Clock(), Moody(n3=60.0, n7=60.0, n8=60.0)
    desk = patient(cache, source, clock)
    for i in range(12):
        assert desk.history(Leg("yahoo", f"L{i}")).provenance.origin == "network"
    assert len(source.requests) == 15
    assert [seconds for seconds in clock.slept if seconds > 2] == [60, 60, 120]
    assert cache.paused_until("yahoo") == 0


def test_a_pause_of_another_process_is_waited_for_too(cache, paced):
    clock = Clock()
    Cache(cache.path).pause("yahoo", EVENING, 60.0)
    patient(cache, Moody(), clock).history(LEG)
    assert clock.slept == [60]


@pytest.mark.parametrize("retry_after", [None, 301.0])
def test_a_pause_that_is_long_is_not_waited_for_and_the_other_legs_fail_at_once(cache, paced, retry_after):
    clock, source = Clock(), Moody(n0=retry_after)
    desk = patient(cache, source, clock)
    for _ in range(5):
        with pytest.raises(errors.RateLimited):
            desk.history(LEG)
    assert (len(source.requests), clock.slept) == (1, [])


@pytest.mark.parametrize("patience", [None, 0.0, 59.0])
def test_without_patience_a_pause_is_not_waited_for(cache, paced, patience):
    clock, source = Clock(), Moody(n0=60.0)
    desk = patient(cache, source, clock, patience)
    for _ in range(2):
        with pytest.raises(errors.RateLimited):
            desk.history(LEG)
    assert (len(source.requests), clock.slept) == (1, [])


def test_a_leg_that_is_refused_again_and_again_fails_though_others_are_answered(cache, paced):
    clock, source = Clock(), Moody(**{f"n{i}": 1.0 for i in range(100)})
    with pytest.raises(errors.RateLimited):
        patient(cache, source, clock).history(LEG)
    assert len(source.requests) == 4


def test_pauses_that_are_asked_for_over_and_over_are_not_waited_for_without_an_end(cache, paced):
    clock = Clock()
    cache.pause("yahoo", EVENING, 60.0)

    def refused_meanwhile(seconds: float) -> None:
        clock.sleep(seconds)
        Cache(cache.path).resume("yahoo")
        Cache(cache.path).pause("yahoo", EVENING + clock.now, 60.0)

    source = Moody()
    desk = Desk(cache, Policy(EVENING, patience=600.0), {"yahoo": source}, elapsed=clock, sleep=refused_meanwhile)
    with pytest.raises(errors.RateLimited, match="left alone"):
        desk.history(LEG)
    assert (clock.now, source.requests) == (600, [])


def test_after_a_pause_that_began_while_it_waited_a_run_takes_another_turn(cache, paced):
    clock = Clock()
    for _ in range(2):
        cache.turn("yahoo", EVENING, 2.0, 2)

    def refused_once(seconds: float) -> None:
        if not clock.slept:
            Cache(cache.path).pause("yahoo", EVENING + seconds, 60.0)
            for _ in range(40):
                cache.turn("yahoo", EVENING + 61, 2.0, 2)
        clock.sleep(seconds)

    source = Moody()
    Desk(cache, Policy(EVENING, patience=600.0), {"yahoo": source}, elapsed=clock, sleep=refused_once).history(LEG)
    assert clock.slept[:2] == [2, 60]
    assert len(clock.slept) == 3
    assert len(source.requests) == 1


# ---------------------------------------------------------------- threads


def test_threads_that_share_a_desk_load_a_source_once_and_lose_no_leg(path, monkeypatch):
    made = []

    def load(name: str) -> FakeSource:
        sleep(0.05)
        made.append(FakeSource())
        return made[-1]

    monkeypatch.setattr("pairwatch.retrieval.load", load)
    cache = Cache(path)
    desk = Desk(cache, Policy(EVENING))
    gate = threading.Barrier(8)

    def work(me: int) -> list[History]:
        gate.wait()
        return [desk.history(Leg("yahoo", f"L{me}X{i}")) for i in range(6)]

    with ThreadPoolExecutor(8) as pool:
        found = [history for histories in pool.map(work, range(8)) for history in histories]
    assert len(made) == 1
    assert len(made[0].requests) == 48
    assert len(Cache(path).entries()) == 48
    for history in found:
        assert_same(history.series, made[0].answer(Request(history.series.leg, EVENING)).series)
    assert not cache.trouble


# ---------------------------------------------------------------- how far back a refresh reaches


@pytest.mark.parametrize(
    ("frequency", "days"),
    [
        ("", 15),
        ("day", 15),
        ("week", 21),
        ("fortnight", 42),
        ("month", 93),
        ("quarter", 276),
        ("half-year", 552),
        ("year", 1098),
    ],
)
def test_a_refresh_reaches_back_three_periods(cache, source, frequency, days):
    source.facts = replace(source.facts, frequency=frequency)
    refreshed(cache, source)
    refreshed(cache, source, EVENING + 3 * DAY)
    assert source.requests[-1].since == TODAY - timedelta(days=days)


def test_a_series_that_does_not_tell_its_frequency_is_told_by_its_dates(cache, source):
    ends = {day64(f"2026-{month:02}-01") - 1 for month in range(2, 11)}
    source.bars = {day: 100.0 + i for i, day in enumerate(sorted(ends))}
    refreshed(cache, source)
    refreshed(cache, source, EVENING + 3 * DAY)
    assert source.requests[-1].since == max(ends).item() - timedelta(days=93)


# ---------------------------------------------------------------- declared units


def test_what_is_declared_of_a_leg_is_served_and_not_stored(cache, source):
    found = refreshed(cache, source, declared={LEG: Declared.parse("rate")})
    assert (found.series.facts.measure, found.series.facts.unit) == ("rate", "percent")
    assert found.series.facts.by_differences
    assert cache.get(LEG).series.facts == source.facts
    assert refreshed(cache, source).series.facts == source.facts
    assert refreshed(cache, source, declared={Leg("yahoo", "IWM"): Declared.parse("rate")}).series.facts == source.facts


def test_what_is_declared_of_a_leg_does_not_go_with_the_next_request(cache, source, held):
    refreshed(cache, source, EVENING + 3 * DAY, declared={LEG: Declared.parse("level:barrels")})
    assert source.requests[-1].known == source.facts


# ---------------------------------------------------------------- what the source does not know


class Unaware(FakeSource):
    """Does not know anything; it is asked in its turn."""

    def answer(self, request):
        request.turn()
        raise errors.UnknownSymbol(f"{request.leg}: unknown to yahoo", "check the spelling")


def unknown(cache: Cache, source: FakeSource, now: float = EVENING, **policy: object) -> errors.UnknownSymbol:
    with pytest.raises(errors.UnknownSymbol) as caught:
        refreshed(cache, source, now, **policy)
    return caught.value


def test_what_is_unknown_is_asked_for_once_an_evening_and_again_the_next(cache):
    source = Unaware()
    assert unknown(cache, source).message == "QQQ: unknown to yahoo"
    again = unknown(Cache(cache.path), source, EVENING + 3 * 3600)
    assert again.message == "QQQ: unknown to yahoo; asked 3 h ago (--refresh asks again)"
    assert again.hint == "check the spelling"
    assert len(source.requests) == 1
    unknown(cache, source, EVENING + DAY)
    assert len(source.requests) == 2


@pytest.mark.parametrize("policy", [{"refresh": True}, {"max_age": 0.0}])
def test_what_is_unknown_is_asked_for_again_by_who_wants_it_anew(cache, source, policy):
    unaware = Unaware()
    unknown(cache, unaware)
    assert "asked" not in unknown(cache, unaware, **policy).message
    assert refreshed(cache, source, **policy).provenance.origin == "network"
    assert refreshed(cache, source).series.leg == LEG


def test_what_is_held_is_asked_for_each_time_though_it_is_unknown_now(cache, held):
    source = Unaware()
    for days in (3, 3.1):
        found = refreshed(cache, source, EVENING + days * DAY)
        assert found.provenance.stale.startswith("QQQ: unknown to yahoo; from the cache")
    assert len(source.requests) == 2


def test_what_was_refused_unasked_is_not_remembered(cache):
    source = FakeSource()
    source.fault = errors.UnknownSymbol("QQQ: no such form")
    for _ in range(2):
        assert unknown(cache, source).message == "QQQ: no such form"


# ---------------------------------------------------------------- other legs in its stead

OTHER, THIRD = Leg("cboe", "QQQ"), Leg("demo", "TWIN1")


def chained(cache: Cache, *sources: FakeSource, now: float = EVENING, legs=(LEG, OTHER), **policy: object) -> History:
    """QQQ of Yahoo, and what may stand in for it."""
    at_hand = dict(zip(["yahoo", "cboe"], sources, strict=False))
    return Desk(cache, Policy(now, fallback={LEG: legs}, **policy), at_hand, elapsed=lambda: 0.0).history(LEG)


@pytest.fixture
def failing() -> FakeSource:
    source = FakeSource()
    source.fault = errors.ProviderDown("QQQ: yahoo is out of order (503)")
    return source


def test_where_the_first_leg_can_be_had_no_other_is_asked_for(cache, source):
    other = FakeSource()
    found = chained(cache, source, other)
    assert found.provenance.made == ()
    assert not other.requests


def test_a_leg_that_cannot_be_had_is_had_from_the_next_under_its_own_name_and_it_is_said(cache, failing):
    found = chained(cache, failing, FakeSource(seed=5))
    assert found.series.leg == LEG
    np.testing.assert_array_equal(found.series.closes, list(FakeSource(seed=5).bars.values()))
    assert found.provenance.made == ("QQQ: from cboe:QQQ, since yahoo is out of order (503)",)
    assert not found.provenance.stale
    assert [entry.leg for entry in cache.entries()] == [OTHER]


def test_a_stale_leg_lets_the_next_be_tried(cache, source, held):
    source.fault = errors.ProviderDown("QQQ: yahoo is out of order (503)")
    found = chained(cache, source, FakeSource(MONDAY), now=MONDAY_EVENING)
    assert found.series.dates[-1] == day64(MONDAY)
    assert not found.provenance.stale
    assert found.provenance.made == ("QQQ: from cboe:QQQ, since yahoo is out of order (503)",)


def test_a_fresh_leg_that_ends_earlier_than_a_stale_one_does_not_take_its_place(cache, source, held):
    source.fault = errors.ProviderDown("QQQ: yahoo is out of order (503)")
    archive = FakeSource(TODAY - timedelta(days=30))
    archive.sessions = lambda now: FakeSource.sessions(archive, at(TODAY - timedelta(days=30)))
    found = chained(cache, source, archive, now=EVENING + 4 * DAY)
    assert found.provenance.stale
    assert_same(found.series, held.series)


def test_of_stale_legs_the_one_with_the_latest_close_is_taken(cache, source, held):
    other = FakeSource(MONDAY)
    refreshed_other = Desk(cache, Policy(MONDAY_EVENING), {"cboe": other}, elapsed=lambda: 0.0)
    refreshed_other.history(OTHER)
    for one in (source, other):
        one.fault = errors.NoNetwork("QQQ: no network")
    found = chained(cache, source, other, now=MONDAY_EVENING + 4 * DAY)
    assert found.series.dates[-1] == day64(MONDAY)
    assert found.provenance.stale
    assert found.provenance.made[0].startswith("QQQ: from cboe:QQQ, since no network")


def test_what_stands_in_is_named_as_the_source(cache, failing):
    assert chained(cache, failing, FakeSource()).provenance.stand_in == "cboe:QQQ"
    assert chained(cache, FakeSource(), FakeSource()).provenance.stand_in == ""


@pytest.mark.parametrize(("late", "is_stale"), [(0, False), (5, False), (6, True), (9, True)])
def test_a_file_that_stands_in_is_stale_where_it_ends_days_before_the_day(cache, failing, tmp_path, late, is_stale):
    file = tmp_path / "kept.csv"
    end = day64(TODAY) - late
    file.write_text("date,close\n" + "".join(f"{end - i},{100 + i % 7}\n" for i in range(90, -1, -1)))
    found = chained(cache, failing, legs=(LEG, Leg("csv", str(file))))
    assert found.provenance.stand_in == f"csv:{file}"
    assert bool(found.provenance.stale) == is_stale
    if is_stale:
        assert found.provenance.stale == f"QQQ: from csv:{file}, whose last close, {end}, is {late} days old"


def test_of_stale_legs_that_end_on_the_same_day_the_first_is_taken(cache, source, held):
    other = FakeSource(seed=8)
    Desk(cache, Policy(EVENING), {"cboe": other}, elapsed=lambda: 0.0).history(OTHER)
    for one in (source, other):
        one.fault = errors.NoNetwork("QQQ: no network")
    assert_same(chained(cache, source, other, now=MONDAY_EVENING).series, held.series)


def test_where_all_fail_the_first_error_tells_of_the_others(cache, failing):
    other = FakeSource()
    other.fault = errors.UnknownSymbol("cboe:QQQ: not known")
    with pytest.raises(errors.ProviderDown) as caught:
        chained(cache, failing, other)
    assert caught.value.message == (
        "QQQ: none of its stand-ins could be had: QQQ: yahoo is out of order (503); cboe:QQQ: not known"
    )
    assert caught.value.hint == failing.fault.hint


def test_a_leg_may_be_had_from_elsewhere_altogether(cache):
    found = chained(cache, legs=(THIRD,))
    assert found.series.leg == LEG
    assert found.provenance.made == ("QQQ: from demo:TWIN1",)
    assert found.provenance.origin == "simulation"


def test_a_leg_in_a_chain_has_no_chain_of_its_own(cache, failing):
    policy = Policy(EVENING, fallback={LEG: (LEG, OTHER), OTHER: (LEG, THIRD)})
    with pytest.raises(errors.ProviderDown):
        Desk(cache, policy, {"yahoo": failing, "cboe": failing}).history(LEG)


def test_what_is_declared_of_a_leg_holds_for_what_stands_in_for_it(cache, failing):
    found = chained(cache, failing, FakeSource(), declared={LEG: Declared.parse("index")})
    assert found.series.facts.measure == "index"


def test_a_legs_own_history_is_as_declared_and_neither_replaced_nor_converted(cache, source, failing):
    declared = {LEG: Declared.parse("price:shares")}
    chain = {LEG: (OTHER, LEG)}
    policy = Policy(EVENING, fallback=chain, currency="EUR", declared=declared)
    found = Desk(cache, policy, {"yahoo": source, "cboe": FakeSource(seed=5)}, elapsed=lambda: 0.0).own(LEG)
    assert_same(found.series, fresh(source, EVENING))
    assert (found.series.facts.currency, found.series.facts.unit) == ("USD", "shares")
    assert found.provenance.made == ()
    with pytest.raises(errors.ProviderDown):
        Desk(Cache(cache.path.with_name("other.db")), policy, {"yahoo": failing, "cboe": source}).own(LEG)


def test_offline_a_chain_serves_what_is_held_or_local(cache, source):
    found = chained(cache, source, source, legs=(LEG, OTHER, THIRD), offline=True)
    assert "from demo:TWIN1" in found.provenance.made[0]
    assert not source.requests


def test_offline_the_reason_for_a_stand_in_does_not_say_that_the_cache_was_served(cache, source, held):
    other = FakeSource(MONDAY)
    Desk(cache, Policy(MONDAY_EVENING), {"cboe": other}, elapsed=lambda: 0.0).history(OTHER)
    found = chained(cache, source, other, now=MONDAY_EVENING + 60, offline=True)
    assert found.provenance.made == ("QQQ: from cboe:QQQ, since --offline forbids asking",)


def test_a_chain_of_one_that_is_misspelt_is_told_under_the_name_that_was_asked_for(cache):
    other = FakeSource()
    other.fault = errors.UnknownSymbol("NONSENSE: unknown to yahoo")
    with pytest.raises(errors.UnknownSymbol, match=r"^QQQ: none of its stand-ins could be had: NONSENSE: unknown"):
        chained(cache, other, legs=(Leg("yahoo", "NONSENSE"),))


# ---------------------------------------------------------------- offline


def test_offline_serves_a_fresh_leg_without_a_word(cache, source, held):
    found = refreshed(cache, source, EVENING + 60, offline=True)
    assert not source.requests
    assert not found.provenance.stale


def test_offline_serves_an_old_leg_as_stale(cache, source, held):
    found = refreshed(cache, source, EVENING + 4 * DAY, offline=True)
    assert not source.requests
    assert found.provenance.stale == "QQQ: from the cache, 4 days old, since --offline forbids asking"


def test_offline_and_refresh_together_do_not_ask(cache, source, held):
    assert refreshed(cache, source, EVENING + 60, offline=True, refresh=True).provenance.stale
    assert not source.requests


def test_offline_without_a_cache_is_an_error_and_asks_nobody(cache, source):
    with pytest.raises(errors.NotCached, match="QQQ: not in the cache"):
        refreshed(cache, source, offline=True)
    assert not source.requests
    assert not cache.path.parent.exists()


# ---------------------------------------------------------------- what is handed out


def test_a_frame_holds_closes_adjusted_closes_and_events_by_day(cache, source):
    source.pay(TODAY, 0.5)
    source.pay(TODAY, 0.25)
    source.split(TODAY - timedelta(days=1), 2.0)
    frame = refreshed(cache, source).to_frame()
    assert list(frame.columns) == ["close", "adjusted", "dividend", "split"]
    assert (frame.index.name, len(frame)) == ("date", len(source.bars))
    assert frame["dividend"].to_dict() == {day: 0.75 * (day.date() == TODAY) for day in frame.index}
    assert frame["split"].sum() == frame["split"].loc["2026-10-29"] == 2
    kept = 1 - 0.75 / frame["close"].iloc[-2]
    np.testing.assert_allclose(frame["adjusted"].iloc[:-1], frame["close"].iloc[:-1] * kept, rtol=1e-2)


def test_without_distributions_the_adjusted_closes_are_the_quoted_ones(cache, source):
    series = refreshed(cache, source).series
    assert adjusted(series, "total") is series.closes
    assert adjusted(series, "price") is series.closes


def test_an_answer_from_a_session_that_has_finished_since_is_not_fresh(cache, source, held):
    holding = cache.get(LEG)
    quote = Quote(100.0, EVENING - 60, open=True, finished_at=EVENING + 30)
    live = replace(holding, series=replace(holding.series, quote=quote))
    assert live.is_fresh(EVENING + 29, max_age=900.0)
    assert not live.is_fresh(EVENING + 30, max_age=900.0)


def test_a_day_that_was_over_when_the_source_was_asked_is_answered_from_the_cache(cache, source, held):
    weekend = held.series.dates[-1].item() + timedelta(days=1)
    asked = len(source.requests)
    later = Policy(EVENING + 5 * 86_400, until=weekend)
    cache.update(LEG, lambda known: replace(known, asked_at=EVENING + 4 * 86_400.0))
    assert not Desk(cache, later, {"yahoo": source}).history(LEG).provenance.stale
    assert len(source.requests) == asked


def test_a_file_that_stands_in_is_doubted_like_any_other(cache, source, tmp_path):
    days = np.arange(np.datetime64("2026-09-01"), np.datetime64("2026-10-31"))
    closes = [100.0] * (len(days) - 1) + [10_000.0]
    file = tmp_path / "archive.csv"
    file.write_text("\n".join(["Date,Close", *(f"{d},{c}" for d, c in zip(days, closes, strict=True)), ""]))
    archive = Leg("csv", str(file))
    source.fault = errors.NoNetwork("QQQ: no network")
    chain = {LEG: (LEG, archive)}
    found = Desk(cache, Policy(EVENING, fallback=chain), {"yahoo": source}).history(LEG)
    assert set(found.series.closes.tolist()) == {100.0}
    assert any("1 close refused" in text for text in found.provenance.remarks)
    assert Desk(cache, Policy(EVENING), {"yahoo": source}).own(archive).series.closes[-1] == 10_000
