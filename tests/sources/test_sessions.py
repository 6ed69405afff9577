"""Exchange calendars: which days are finished, when the next session opens, and at what local time sessions close."""

import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from tests.wire import instant

from pairwatch.sources.sessions import ALWAYS_OPEN, GRACE, sessions_of

NEW_YORK, LONDON, TOKYO = "America/New_York", "Europe/London", "Asia/Tokyo"


def new_york(text):
    return instant(text, NEW_YORK)


@pytest.mark.parametrize(
    ("day", "what"),
    [
        ("2025-11-27", "Thanksgiving"),
        ("2025-12-25", "Christmas"),
        ("2026-04-03", "Good Friday"),
        ("2026-07-03", "Independence Day, observed"),
        ("2025-11-29", "a Saturday"),
    ],
)
def test_no_session_is_expected_on_a_holiday(day, what):
    sessions = sessions_of("XNYS", new_york("2026-11-22 12:00"))
    assert np.datetime64(day) not in sessions.days, what


def test_a_day_of_national_mourning_is_no_session():
    assert np.datetime64("2025-01-09") not in sessions_of("XNYS", new_york("2025-06-01 12:00")).days


def test_an_early_close_finishes_the_day_early():
    friday = np.datetime64("2025-11-28")  # after Thanksgiving, until 13:00
    before, after = new_york("2025-11-28 13:29"), new_york("2025-11-28 13:30")
    assert friday not in sessions_of("XNYS", before).finished(before)
    assert friday in sessions_of("XNYS", after).finished(after)


def test_a_day_is_finished_half_an_hour_after_its_close():
    friday, bell = np.datetime64("2026-11-20"), new_york("2026-11-20 16:00")
    sessions = sessions_of("XNYS", bell)
    assert friday not in sessions.finished(bell + GRACE - 1)
    assert friday in sessions.finished(bell + GRACE)


def test_every_day_is_either_finished_or_not():
    now = new_york("2026-11-20 12:00")
    sessions = sessions_of("XNYS", now)
    assert sessions.finished(now).tolist() + sessions.unfinished(now).tolist() == sessions.days.tolist()
    assert str(sessions.unfinished(now)[0]) == "2026-11-20"


def test_a_weekend_is_quiet_until_mondays_opening_bell():
    now = new_york("2026-11-21 12:00")
    assert sessions_of("XNYS", now).quiet_until(now) == new_york("2026-11-23 09:30")


def test_a_holiday_is_quiet_until_the_day_after():
    now = new_york("2026-11-25 20:00")
    assert sessions_of("XNYS", now).quiet_until(now) == new_york("2026-11-27 09:30")


@pytest.mark.parametrize("at", ["09:30", "12:00", "16:00", "16:29"])
def test_an_open_or_settling_session_is_not_quiet(at):
    now = new_york(f"2026-11-20 {at}")
    assert sessions_of("XNYS", now).quiet_until(now) == now


def test_the_hours_before_the_open_are_quiet():
    now = new_york("2026-11-20 09:29")
    assert sessions_of("XNYS", now).quiet_until(now) == new_york("2026-11-20 09:30")


def test_what_trades_on_all_days_is_never_quiet():
    now = instant("2026-11-22 00:10")
    sessions = sessions_of("24/7", now)
    assert sessions.calendar == ALWAYS_OPEN
    assert sessions.quiet_until(now) == now
    assert str(sessions.unfinished(now)[0]) == "2026-11-21"  # closed ten minutes ago, still settling


@pytest.mark.parametrize(
    ("exchange", "zone", "minutes"),
    [
        ("XNYS", NEW_YORK, 960),
        ("XLON", LONDON, 990),
        ("XTKS", TOKYO, 930),
        ("XASX", "Australia/Sydney", 960),
        ("24/7", "UTC", 1440),
        ("CMES", NEW_YORK, 1080),
        ("XTAI", "Asia/Taipei", 13 * 60 + 30),
        ("XSES", "Asia/Singapore", 17 * 60),
        ("XBKK", "Asia/Bangkok", 16 * 60 + 30),
        ("XKLS", "Asia/Kuala_Lumpur", 17 * 60),
        ("XNZE", "Pacific/Auckland", 16 * 60 + 45),
        ("XWBO", "Europe/Vienna", 17 * 60 + 30),
        ("XWAR", "Europe/Warsaw", 17 * 60),
        ("XLIS", "Europe/Lisbon", 16 * 60 + 30),
        ("XIST", "Europe/Istanbul", 18 * 60),
        ("XJSE", "Africa/Johannesburg", 17 * 60),
    ],
)
@pytest.mark.parametrize("day", ["2026-07-15", "2026-11-22"])
def test_the_close_is_the_same_on_the_exchanges_clock_in_summer_and_winter(exchange, zone, minutes, day):
    assert sessions_of(exchange, instant(f"{day} 12:00")).closes_at(zone) == minutes


@pytest.mark.parametrize("day", ["2026-07-15", "2026-11-22"])
def test_no_close_is_later_than_the_days_own_midnight(day):
    assert sessions_of("24/5", instant(f"{day} 12:00")).closes_at(LONDON) == 1440


def test_a_few_early_closes_do_not_move_the_usual_one():
    assert sessions_of("XNYS", new_york("2025-12-26 12:00")).closes_at(NEW_YORK) == 960


def test_tokyo_trades_on_tokyos_days():
    now = instant("2026-11-22 23:00")  # Monday morning in Tokyo, and a holiday
    sessions = sessions_of("XTKS", now)
    assert np.datetime64("2026-11-23") not in sessions.days
    assert sessions.quiet_until(now) == instant("2026-11-24 09:00", TOKYO)


def test_nothing_is_expected_where_there_is_no_calendar():
    assert sessions_of("", instant("2026-11-22 12:00")) is None


@pytest.mark.parametrize("exchange", ["XSHG", "XBOM"])
def test_nothing_is_expected_of_years_that_the_calendar_does_not_know(exchange):
    assert sessions_of(exchange, instant("2049-06-01 12:00")) is None


def test_all_legs_of_an_exchange_share_one_calendar():
    now = new_york("2026-11-20 12:00")
    assert sessions_of("XNYS", now) is sessions_of("XNYS", now)


def test_a_shared_calendar_cannot_be_written_to():
    sessions = sessions_of("XNYS", new_york("2026-11-20 12:00"))
    assert not any(array.flags.writeable for array in (sessions.days, sessions.opens, sessions.closes))


def test_threads_share_one_calendar_and_leave_the_warnings_as_they_were():
    now, before = new_york("2026-10-20 12:00"), warnings.filters[:]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda name: sessions_of(name, now), ["XNYS", "XLON"] * 8))
    assert len({id(sessions) for sessions in found}) == 2
    assert warnings.filters == before
