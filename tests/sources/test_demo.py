"""Simulated legs: the same on every machine and day, and true to what is said of them."""

from datetime import date
from itertools import pairwise

import numpy as np
import pytest
from tests.wire import instant

from pairwatch.errors import EmptyAnswer, UnknownSymbol
from pairwatch.model import Leg
from pairwatch.sources import Request
from pairwatch.sources.demo import BREAK_DAY, HALF_LIFE, LAST, LEAD_BARS, PAIRS, Demo

LEGS = [symbol for pair in PAIRS for symbol in pair.legs]
FIVE_DAYS = [symbol for symbol in LEGS if symbol != "WEEK7"]


def drawn(symbol, day="2026-11-22"):
    return Demo().fetch(Request(Leg("demo", symbol), instant(f"{day} 12:00")))


def pair(a, b, day="2026-11-22"):
    """Both legs' days and log prices on their common days."""
    first, second = drawn(a, day).series, drawn(b, day).series
    days, i, j = np.intersect1d(first.dates, second.dates, assume_unique=True, return_indices=True)
    return days, np.log(first.closes[i]), np.log(second.closes[j])


def correlation(x, y):
    return np.corrcoef(x, y)[0, 1]


@pytest.mark.parametrize("symbol", LEGS)
def test_a_days_price_never_changes(symbol):
    early, late = drawn(symbol, "2019-03-01").series, drawn(symbol, "2059-12-31").series
    assert (late.dates[: len(early)] == early.dates).all()
    assert (late.closes[: len(early)] == early.closes).all()


@pytest.mark.parametrize("symbol", LEGS)
def test_all_legs_are_marked_as_simulated(symbol):
    assert drawn(symbol).series.facts.simulated


@pytest.mark.parametrize("symbol", LEGS)
def test_the_newest_close_is_yesterdays_or_the_last_weekdays(symbol):
    fetched = drawn(symbol, "2026-11-22")  # a Sunday
    assert str(fetched.series.dates[-1]) == ("2026-11-21" if symbol == "WEEK7" else "2026-11-20")


@pytest.mark.parametrize("symbol", FIVE_DAYS)
def test_no_weekend_has_a_bar(symbol):
    series = drawn(symbol).series
    assert np.is_busday(series.dates).all()
    assert not series.facts.every_day


def test_the_leg_of_seven_days_has_a_bar_on_all_of_them():
    series = drawn("WEEK7").series
    assert (np.diff(series.dates) == np.timedelta64(1, "D")).all()
    assert series.facts.every_day


@pytest.mark.parametrize("symbol", LEGS)
def test_daily_changes_have_the_size_of_a_stocks(symbol):
    changes = np.diff(np.log(drawn(symbol).series.closes))
    assert 0.008 < changes.std() < 0.02


def test_the_leader_leads_by_its_bars_and_by_no_others():
    _, a, b = pair("LEADER", "FOLLOWER")
    a, b = np.diff(a), np.diff(b)
    r = {lag: correlation(a[: len(a) - lag], b[lag:]) for lag in range(6)}
    assert r.pop(LEAD_BARS) == pytest.approx(0.75, abs=0.03)
    assert max(map(abs, r.values())) < 0.06


def test_the_twins_move_together():
    _, a, b = pair("TWIN1", "TWIN2")
    assert correlation(np.diff(a), np.diff(b)) == pytest.approx(0.85, abs=0.02)


def test_the_lone_ones_have_nothing_in_common():
    _, a, b = pair("LONE1", "LONE2")
    assert abs(correlation(np.diff(a), np.diff(b))) < 0.05


def test_the_gap_of_the_cointegrated_closes_by_half_in_its_half_life():
    _, a, b = pair("COINT1", "COINT2", "2060-12-30")
    gap = a - b
    kept = np.polyfit(gap[:-1], gap[1:], 1)[0]
    assert -np.log(2) / np.log(kept) == pytest.approx(HALF_LIFE, rel=0.15)


def test_the_broken_pair_breaks_on_its_day():
    days, a, b = pair("BREAK1", "BREAK2", "2060-12-30")
    a, b, after = np.diff(a), np.diff(b), days[1:] > BREAK_DAY
    assert correlation(a[~after], b[~after]) == pytest.approx(0.85, abs=0.02)
    assert abs(correlation(a[after], b[after])) < 0.05


def test_seven_days_against_five_agree_on_their_common_days():
    days, a, b = pair("WEEK7", "WEEK5")
    a, b = np.diff(a), np.diff(b)
    assert correlation(a, b) == pytest.approx(0.85, abs=0.03)
    assert np.is_busday(days).all()


def test_no_two_pairs_share_their_numbers():
    for a, b in pairwise(LEGS):
        _, x, y = pair(a, b)
        assert abs(correlation(np.diff(x), np.diff(y))) < 0.9


def test_an_unknown_leg_is_answered_with_the_legs_there_are():
    with pytest.raises(UnknownSymbol, match=r"^demo:NOBODY: ") as caught:
        drawn("NOBODY")
    assert all(symbol in caught.value.hint for symbol in LEGS)


def test_before_its_first_day_the_simulation_is_empty():
    with pytest.raises(EmptyAnswer, match=r"^demo:TWIN1: "):
        drawn("TWIN1", "2016-01-04")


def test_the_simulation_ends_quietly():
    assert drawn("TWIN1", "2099-01-01").series.dates[-1].item() <= LAST
    assert date(2060, 1, 1) < LAST
