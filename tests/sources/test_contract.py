"""The contract that every source keeps, and what the package costs."""

import subprocess
import sys
import threading
from datetime import date, timedelta

import numpy as np
import pytest
import time_machine
from tests.providers import PROVIDERS
from tests.wire import instant, weekdays

from pairwatch import sources
from pairwatch.cache import Cache
from pairwatch.errors import (
    CutShort,
    EmptyAnswer,
    GarbledAnswer,
    ProviderDown,
    RateLimited,
    SourceError,
    TimedOut,
    UsageError,
)
from pairwatch.model import Leg
from pairwatch.retrieval import Desk, Policy
from pairwatch.text import is_clean

NOW = instant("2026-11-22 12:00")
DAYS = weekdays(date(2026, 11, 20), 40)
CLOSES = [100.0 + day / 8 for day in range(40)]
REMOTE = {"yahoo", "fred", "coingecko", "cboe"}


@pytest.fixture
def legs(wire, tmp_path):
    """A leg of each source that can be had, and one that cannot."""
    import yfinance.data

    yfinance.data.SingletonMeta._instances.clear()
    rows = list(zip(DAYS, CLOSES, strict=True))
    for name in REMOTE:
        PROVIDERS[name](wire).serve(rows, NOW)
    file = tmp_path / "prices.csv"
    file.write_text("\n".join(["Date,Close", *(f"{day},{close}" for day, close in rows), ""]))
    return {
        **{name: (PROVIDERS[name].leg, PROVIDERS[name].unknown) for name in REMOTE},
        "csv": (Leg("csv", str(file)), Leg("csv", str(tmp_path / "nowhere.csv"))),
        "demo": (Leg("demo", "LEADER"), Leg("demo", "NOBODY")),
    }


def fetched(leg, **more):
    with time_machine.travel(NOW, tick=True):
        return sources.load(leg.source).fetch(sources.Request(leg, NOW, **more))


@pytest.fixture(params=sources.names())
def good(request, legs):
    return legs[request.param][0]


@pytest.fixture(params=sources.names())
def bad(request, legs):
    return legs[request.param][1]


def test_every_source_is_tried_here(legs):
    assert set(legs) == set(sources.names())


@pytest.mark.parametrize("name", sources.names())
def test_a_source_says_what_it_is(name):
    about = sources.about(name)
    assert about.needs
    assert about.gives
    assert is_clean(about.gives)
    assert Leg.parse(about.example).source == name


@pytest.mark.parametrize("name", ["", "Yahoo", "nasdaq", "../yahoo", "\x1b[31m"])
def test_no_other_source_is_loaded(name):
    for ask in (sources.load, sources.about):
        with pytest.raises(UsageError) as caught:
            ask(name)
        assert is_clean(caught.value.message)
        assert "yahoo" in caught.value.hint


def test_what_comes_from_a_provider_is_worth_keeping():
    assert {name for name in sources.names() if sources.about(name).remote} == REMOTE


def test_an_answer_is_about_the_leg_that_was_asked_for(good):
    answer = fetched(good)
    assert answer.series.leg == good
    assert answer.asked_at == NOW
    assert answer.fresh_until >= NOW


def test_days_increase_and_lie_in_the_past(good):
    days = fetched(good).series.dates
    assert days.dtype == np.dtype("datetime64[D]")
    assert (np.diff(days) > np.timedelta64(0, "D")).all()
    assert days[-1] < np.datetime64("2026-11-22")


def test_closes_are_finite_and_as_many_as_days(good):
    series = fetched(good).series
    assert series.closes.dtype == np.float64
    assert len(series.closes) == len(series.dates) > 0
    assert np.isfinite(series.closes).all()


def test_arrays_cannot_be_written_to(good):
    series = fetched(good).series
    assert not series.dates.flags.writeable
    assert not series.closes.flags.writeable


def test_events_are_sorted(good):
    days = [event.day for event in fetched(good).series.events]
    assert days == sorted(days)


def test_text_is_clean(good):
    answer = fetched(good)
    facts = answer.series.facts
    assert all(map(is_clean, (facts.name, facts.currency, facts.kind, facts.exchange, facts.timezone, *answer.remarks)))


def test_what_is_expected_lies_within_the_answer(good):
    answer = fetched(good)
    assert (answer.expected >= answer.series.dates[0]).all()
    assert (answer.expected < np.datetime64("2026-11-22")).all()


def test_the_same_question_has_the_same_answer(good):
    first, second = fetched(good).series, fetched(good).series
    assert (first.closes == second.closes).all()
    assert (first.dates == second.dates).all()
    assert (first.events, first.facts) == (second.events, second.facts)


def test_a_part_of_the_history_agrees_with_the_whole(good):
    whole, part = fetched(good).series, fetched(good, since=date(2026, 11, 2)).series
    _, i, j = np.intersect1d(whole.dates, part.dates, assume_unique=True, return_indices=True)
    assert len(j) == len(part)
    assert (whole.closes[i] == part.closes[j]).all()
    assert whole.dates[-1] == part.dates[-1]


def test_a_leg_that_cannot_be_had_is_a_source_error_that_begins_with_it(bad):
    with pytest.raises(SourceError) as caught:
        fetched(bad)
    assert caught.value.message.startswith(str(bad))
    assert is_clean(caught.value.message)
    assert caught.value.exit_code == 3
    assert caught.value.hint


def test_nothing_is_printed(good, bad, capfd):
    fetched(good)
    with pytest.raises(SourceError):
        fetched(bad)
    assert capfd.readouterr() == ("", "")


def imported(code):
    """The modules that a fresh interpreter has loaded after `code`."""
    program = f"import sys\n{code}\nprint(*sys.modules)"
    return set(
        subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    )


def test_the_package_imports_none_of_its_sources():
    modules = imported("from pairwatch import sources; sources.names(); sources.about('yahoo')")
    assert [name for name in modules if name.startswith("pairwatch.sources.")] == []
    assert {"pandas", "yfinance", "curl_cffi", "exchange_calendars", "requests"}.isdisjoint(modules)


@pytest.mark.parametrize("name", ["demo", "csv"])
def test_a_local_source_loads_no_other(name):
    modules = imported(f"from pairwatch import sources; sources.load({name!r})")
    assert {"pandas", "yfinance", "curl_cffi", "exchange_calendars", "pairwatch.sources.yahoo"}.isdisjoint(modules)


# ---------------------------------------------------------------- one list of faults, for every remote source

BEFORE, FRIDAY_NOON = instant("2026-11-17 12:00"), instant("2026-11-20 12:00", "America/New_York")
HELD_UNTIL, NEWEST = date(2026, 11, 16), date(2026, 11, 20)
CONNECTIONS = {
    "429": RateLimited,
    "429 retry-after": RateLimited,
    "500": ProviderDown,
    "503": ProviderDown,
    "hang": TimedOut,
    "reset": CutShort,
    "closed": CutShort,
    "truncated": CutShort,
    "web page": GarbledAnswer,
    "garbage": GarbledAnswer,
    "empty body": EmptyAnswer,
}


class Case:
    """One source, what its provider truly has, and a cache that holds the values up to `HELD_UNTIL`."""

    def __init__(self, name, wire, tmp_path):
        self.provider, self.wire = PROVIDERS[name](wire), wire
        self.leg, self.cache = self.provider.leg, Cache(tmp_path / "prices.db")
        days = [NEWEST - timedelta(days=back) for back in range(75)][::-1]
        kept = [day for day in days if self.provider.every_day or day.weekday() < 5]
        self.truth = {day: round(self.provider.base * (1 + n * 7 % 17 / 500), 2) for n, day in enumerate(kept)}
        self.provider.serve([row for row in self.truth.items() if row[0] <= HELD_UNTIL], BEFORE)
        self.held = self.history(BEFORE)
        assert self.values(self.held) == {day: value for day, value in self.truth.items() if day <= HELD_UNTIL}

    def history(self, now=NOW, **more):
        """What a run of the program at that time would have."""
        policy = Policy(now, keys=self.provider.keys, **{"deadline": 5.0, **more})
        with time_machine.travel(now, tick=True):
            return Desk(self.cache, policy).history(self.leg)

    def values(self, history):
        return dict(zip(history.series.dates.tolist(), history.series.closes.tolist(), strict=True))

    def is_right(self, history, *, may_lack=()):
        """Every value is the true one, and none is missing but those."""
        found = self.values(history)
        assert found == {day: value for day, value in self.truth.items() if day in found}
        assert set(self.truth) - set(found) <= set(may_lack)
        return True

    def lost_nothing(self, history):
        assert set(self.values(self.held)) <= set(self.values(history))
        return True

    def heals(self):
        """A right answer puts everything right again."""
        self.wire.breaks("")
        again = type(self.provider)(self.wire)
        again.serve(list(self.truth.items()), NOW)
        return self.is_right(self.history(NOW + 7 * 3600, refresh=True))


@pytest.fixture(params=PROVIDERS)
def case(request, wire, tmp_path, monkeypatch):
    import yfinance.data

    from pairwatch.sources import http

    yfinance.data.SingletonMeta._instances.clear()
    monkeypatch.setattr(http.time, "sleep", lambda _: None)  # nobody rests between attempts
    yield Case(request.param, wire, tmp_path)
    wire.release()
    for thread in threading.enumerate():
        if thread.name == "pairwatch-fetch":
            thread.join(10)


@pytest.fixture(params=[False, True], ids=["the last days", "all days"])
def refresh(request):
    """How much is asked for."""
    return request.param


def is_said(history):
    return bool(history.provenance.stale or history.provenance.refetched or history.provenance.remarks)


@pytest.mark.parametrize("fault", CONNECTIONS)
def test_a_fault_of_the_connection_leaves_what_is_held(case, fault, refresh):
    case.provider.serve(list(case.truth.items()), NOW)
    case.wire.breaks(fault, only=case.provider.fault)
    history = case.history(refresh=refresh, deadline=0.6 if fault == "hang" else 5.0)
    assert case.values(history) == case.values(case.held)
    assert history.provenance.stale.startswith(f"{case.leg}: ")
    assert is_clean(history.provenance.stale)
    assert case.heals()


@pytest.mark.parametrize("fault", CONNECTIONS)
def test_a_fault_of_the_connection_is_told_apart_where_nothing_is_held(case, tmp_path, fault):
    case.provider.serve(list(case.truth.items()), NOW)
    case.wire.breaks(fault, only=case.provider.fault)
    case.cache = Cache(tmp_path / "another.db")
    with pytest.raises(SourceError) as caught:
        case.history(deadline=0.6 if fault == "hang" else 5.0)
    assert type(caught.value) is CONNECTIONS[fault]
    assert caught.value.message.startswith(f"{case.leg}: ")
    assert case.leg.source in caught.value.message


@pytest.mark.parametrize(("fault", "wanted"), [("429", None), ("429 retry-after", 120)])
def test_a_provider_that_throttles_is_left_alone(case, fault, wanted):
    case.wire.breaks(fault)
    case.history()
    asked = len(case.wire.requests)
    case.history(NOW + (wanted or 30) - 1)
    assert len(case.wire.requests) == asked


def test_an_empty_series_loses_nothing(case, refresh):
    case.provider.serve([], NOW)
    history = case.history(refresh=refresh)
    assert case.values(history) == case.values(case.held)
    assert "empty" in history.provenance.stale or " no " in history.provenance.stale
    assert case.heals()


def test_nulls_are_no_values_and_those_held_stay(case, refresh):
    new = [day for day in case.truth if day > HELD_UNTIL]
    lacking = {*new[::2], *list(case.truth)[-10:-8]}
    case.provider.serve([(day, None if day in lacking else value) for day, value in case.truth.items()], NOW)
    history = case.history(refresh=refresh)
    assert case.is_right(history, may_lack=lacking)
    assert set(new) - lacking <= set(case.values(history))
    assert case.heals()


def test_a_row_that_is_there_twice_counts_once(case, refresh):
    rows = list(case.truth.items())
    case.provider.serve(sorted(rows + rows[-8:]), NOW)
    assert case.is_right(case.history(refresh=refresh))


def test_a_day_with_two_values_has_never_the_wrong_one(case, refresh):
    rows = list(case.truth.items())
    day, value = rows[-2]
    rows.insert(-2, (day, value * 1.5))
    case.provider.serve(rows, NOW)
    history = case.history(refresh=refresh)
    assert case.is_right(history, may_lack=[day for day in case.truth if day > HELD_UNTIL])
    assert case.lost_nothing(history)
    assert case.heals()


def test_rows_in_any_order_are_the_same(case, refresh):
    rows = list(case.truth.items())
    case.provider.serve([*rows[30:], *rows[:30][::-1]], NOW)
    assert case.is_right(case.history(refresh=refresh))


def test_days_of_the_future_are_not_believed(case, refresh):
    ahead = [(date(2026, 12, 24), case.provider.base), (date(2027, 11, 22), case.provider.base)]
    case.provider.serve([*case.truth.items(), *ahead], NOW)
    assert case.is_right(case.history(refresh=refresh))
    assert case.heals()


def test_the_value_of_an_unfinished_day_is_no_close(case, refresh):
    *done, (day, value) = case.truth.items()
    case.provider.serve_unfinished([*done, (day, value * 1.2)], FRIDAY_NOON)
    history = case.history(FRIDAY_NOON, refresh=refresh)
    assert case.is_right(history, may_lack=[day])
    assert day not in case.values(history)
    assert case.heals()


@pytest.mark.parametrize("factor", [0.86, 1.1])
def test_another_currency_is_never_mixed_with_the_one_held(case, refresh, factor):
    case.provider.serve_in_euros([(day, round(value * factor, 4)) for day, value in case.truth.items()], NOW)
    history = case.history(refresh=refresh)
    assert_one_footing(case, history, factor)
    assert case.heals()


def test_another_currency_is_said_even_where_the_values_are_the_same(case, refresh):
    case.provider.serve_in_euros(list(case.truth.items()), NOW)
    history = case.history(refresh=refresh)
    assert history.series.facts.currency == case.held.series.facts.currency or is_said(history)


@pytest.mark.parametrize("factor", [100.0, 0.01])
def test_a_hundredfold_of_everything_is_refused_until_all_is_asked_for_again(case, factor):
    slipped = {day: round(value * factor, 6) for day, value in case.truth.items()}
    case.provider.serve(list(slipped.items()), NOW)
    for later in range(3):
        history = case.history(NOW + later * 7 * 3600)
        assert case.values(history) == case.values(case.held)
        assert f"{case.leg}: the closes of {case.leg.source} are refused" in history.provenance.stale
        assert f"pairwatch fetch {case.leg} --refresh" in history.provenance.stale
    history = case.history(NOW + 22 * 3600, refresh=True)
    assert case.values(history) == slipped
    assert any(f"all closes are {factor:g} times" in remark for remark in history.provenance.remarks)
    assert not history.provenance.stale


@pytest.mark.parametrize("factor", [100.0, 0.01])
def test_a_hundredfold_of_everything_that_is_over_leaves_no_trace(case, factor):
    case.provider.serve([(day, round(value * factor, 6)) for day, value in case.truth.items()], NOW)
    assert case.history().provenance.stale
    case.provider.serve(list(case.truth.items()), NOW)
    history = case.history(NOW + 7 * 3600)
    assert case.is_right(history)
    assert not history.provenance.stale


@pytest.mark.parametrize("factor", [100.0, 0.01])
@pytest.mark.parametrize("since", [HELD_UNTIL, NEWEST - timedelta(days=1)])
def test_a_hundredfold_of_the_new_values_is_not_believed(case, refresh, factor, since):
    rows = [(day, round(value * factor, 6) if day > since else value) for day, value in case.truth.items()]
    case.provider.serve(rows, NOW)
    history = case.history(refresh=refresh)
    assert case.is_right(history, may_lack=[day for day in case.truth if day > since])
    assert case.lost_nothing(history)
    assert is_said(history)
    assert case.heals()


def test_a_reused_symbol_is_never_mixed_with_the_one_held(case, refresh):
    others = {day: round(value * 1.7 + n % 5, 2) for n, (day, value) in enumerate(case.truth.items())}
    others = {day: value for day, value in others.items() if day > date(2026, 10, 15)}
    case.provider.serve_other(list(others.items()), NOW)
    history = case.history(refresh=refresh)
    found = case.values(history)
    assert found in (case.values(case.held), others)
    assert is_said(history)
    assert case.heals()


def assert_one_footing(case, history, factor):
    """All values are true, and none that was held is missing; or all are as many times that, and it is said."""
    ratios = {round(value / case.truth[day] / factor, 3) for day, value in case.values(history).items()}
    if ratios == {1.0}:
        assert is_said(history)
        assert history.series.dates[-1] == np.datetime64(NEWEST)
    else:
        assert case.is_right(history, may_lack=[day for day in case.truth if day > HELD_UNTIL])
        assert case.lost_nothing(history)
        assert is_said(history)


# ---------------------------------------------------------------- the same list for a file, as far as files can have it

LINES = [f"{day},{value}" for day, value in zip(DAYS, CLOSES, strict=True)]
A_FILE = "\n".join(["Date,Close", *LINES, ""])
REFUSED_FILES = {
    "web page": "<!DOCTYPE html><html><body>Please enable JavaScript</body></html>",
    "garbage": bytes(range(128, 256)).decode("latin-1") * 8,
    "empty body": "",
    "empty series": "Date,Close\n",
    "only nulls": "\n".join(["Date,Close", *(f"{day}," for day in DAYS), ""]),
    "two values of a day": A_FILE + f"{DAYS[-1]},77.5\n",
    "cut in the middle of a day": A_FILE + "2026-1",
    "a date in the future": A_FILE + "2026-12-24,140\n",
}
# Files that are read, and the days for which they may lack the true value.
READ_FILES = {
    "nulls": (A_FILE.replace(LINES[20], f"{DAYS[20]},"), {DAYS[20]}),
    "duplicates": (A_FILE + f"{LINES[3]}\n", set()),
    "unsorted": ("\n".join(["Date,Close", *LINES[::-1], ""]), set()),
    "a hundredfold": (A_FILE.replace(LINES[-1], f"{DAYS[-1]},{100 * CLOSES[-1]}"), {DAYS[-1]}),
    "a hundredth": (A_FILE.replace(LINES[-1], f"{DAYS[-1]},{CLOSES[-1] / 100}"), {DAYS[-1]}),
}


def of_file(text, tmp_path):
    file = tmp_path / "prices.csv"
    file.write_text(text)
    with time_machine.travel(NOW, tick=True):
        return Desk(Cache(tmp_path / "prices.db"), Policy(NOW)).history(Leg("csv", str(file)))


@pytest.mark.parametrize("text", REFUSED_FILES.values(), ids=REFUSED_FILES)
def test_a_file_that_cannot_be_right_is_refused(tmp_path, text):
    with pytest.raises(SourceError) as caught:
        of_file(text, tmp_path)
    assert caught.value.message.startswith("csv:")
    assert is_clean(caught.value.message)


@pytest.mark.parametrize(("text", "lacking"), READ_FILES.values(), ids=READ_FILES)
def test_a_file_with_a_flaw_gives_no_wrong_number(tmp_path, text, lacking):
    history = of_file(text, tmp_path)
    found = dict(zip(history.series.dates.tolist(), history.series.closes.tolist(), strict=True))
    assert found == {day: value for day, value in zip(DAYS, CLOSES, strict=True) if day not in lacking}
    assert is_said(history) or not lacking
