"""The contract that every source keeps, and what the package costs."""

import subprocess
import sys
from datetime import date

import numpy as np
import pytest
import time_machine
from tests.wire import Listing, instant, weekdays

from pairwatch import sources
from pairwatch.errors import SourceError, UsageError
from pairwatch.model import Leg
from pairwatch.text import is_clean

NOW = instant("2026-11-22 12:00")
DAYS = weekdays(date(2026, 11, 20), 40)
CLOSES = [100.0 + day / 8 for day in range(40)]


@pytest.fixture
def legs(wire, tmp_path):
    """A leg of each source that can be had, and one that cannot."""
    import yfinance.data

    yfinance.data.SingletonMeta._instances.clear()
    wire.lists(Listing("QQQ", DAYS, CLOSES, dividends={DAYS[5]: 0.5}))
    file = tmp_path / "prices.csv"
    lines = [f"{day},{close}" for day, close in zip(DAYS, CLOSES, strict=True)]
    file.write_text("\n".join(["Date,Close", *lines, ""]))
    return {
        "yahoo": (Leg("yahoo", "QQQ"), Leg("yahoo", "NOPE")),
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


def test_only_yahoo_is_remote():
    assert {name for name in sources.names() if sources.about(name).remote} == {"yahoo"}


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
