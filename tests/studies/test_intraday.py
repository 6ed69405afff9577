"""Who leads within days: found where it is, not found where it is not, and no night in it."""

import math
import re
from dataclasses import replace
from datetime import date, time
from time import perf_counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import builders
from tests.intraday import FIVE, LONDON, NEW_YORK, ONE, held, led, of, stamps

from pairwatch.bars import SECOND, Interval, in_bars, time_of_day
from pairwatch.errors import NotEnoughData
from pairwatch.studies import intraday
from pairwatch.studies.intraday import Asked
from pairwatch.studies.intraday.asked import nice, time_text

ASKED = Asked(FIVE, 5, builders.FRIDAY)
FIFTEEN, HOUR = Interval.parse("15m"), Interval.parse("1h")
TICKS = Asked(Interval.parse("ticks"), 10, builders.FRIDAY)


def pair(interval=FIVE, **more):
    x, y = led(**more)
    return held(x, interval=interval), held(y, symbol="BBB", interval=interval)


def verdict(study):
    return {row[0]: row[1] for row in study["verdict"].rows}


def tick_pair(lead=2.0, sessions=25, seed=0, counts=(400, 150)):
    """Prices of one path at moments of their own; the second leg sees it `lead` seconds later."""
    rng = np.random.default_rng(seed)
    legs = [[], []], [[], []]
    for day in builders.weekdays(sessions):
        begin = day.astype("datetime64[s]").astype("i8") + 14 * 3600 + 1800
        path = np.cumsum(rng.standard_normal(2100)) * 1e-4
        for (times, prices), late, count in zip(legs, (0, lead), counts, strict=True):
            at = np.sort(rng.choice(2000, count, replace=False))
            own = np.cumsum(rng.standard_normal(count)) * 5e-5
            times.append((begin + at) * SECOND + rng.integers(0, SECOND))
            prices.append(100 * np.exp(path[at + 50 - int(late)] + own))
    return [
        of(np.concatenate(t), np.concatenate(p), symbol, TICKS.interval)
        for (t, p), symbol in zip(legs, ("AAA", "BBB"), strict=True)
    ]


def quarters(seed, missing=0.0, interval=FIFTEEN, lag=2, sessions=30):
    """Bars made of minutes of which some are missing; the first leg leads by `lag` minutes."""
    rng = np.random.default_rng(seed)
    x, noise = rng.standard_normal((2, sessions, 410))
    y = 0.62 * np.roll(x, lag, axis=1) + 0.78 * noise
    times = stamps(builders.weekdays(sessions), count=390, minutes=1).ravel()
    legs = []
    for returns, symbol in ((x, "AAA"), (y, "BBB")):
        keep = rng.random(len(times)) >= missing
        side = of(times[keep], 100 * np.exp(1e-3 * np.cumsum(returns[:, 20:]))[keep], symbol, interval)
        ahead = time_of_day(side.bars.times, NEW_YORK) + side.bars.sessions.astype("M8[ns]").astype("i8")
        legs.append(side._replace(bars=in_bars(side.bars, ahead - side.bars.times)))
    return legs


def test_a_lead_of_two_bars_is_found_with_its_lag_in_time():
    found = intraday.study(*pair(lead=0.3), ASKED)
    said = verdict(found)
    assert (said["leader"], said["lag_bars"], said["lag_seconds"]) == ("A", 2, 600)
    assert said["p_value"] == 0.0005
    assert found.findings[0].startswith("AAA leads BBB by 10 min, to the nearest 5 min (D(2) = +")
    assert found.findings[0].endswith("95% interval +5 min to +15 min)")
    assert "holds in the second" in found.findings[1]


def test_no_leader_is_named_where_its_lag_may_be_on_either_side():
    found = intraday.study(*pair(seed=28, sessions=20, slots=30, lead=0.08), ASKED)
    said = verdict(found)
    assert said["leader"] == "no verdict"
    assert all(math.isnan(said[key]) for key in ("lag_bars", "lag_seconds", "later_lag", "later_p_value"))
    assert found.findings[0] == (
        "a lead shows (D(2) = +0.143, p .006, 20 sessions), whose lag and side cannot be said "
        "(AAA in 93% of resamples, 95% from -30 min to +15 min)"
    )
    assert not any("first half" in text for text in found.findings)


@pytest.mark.parametrize("seed", [36, 52, 69])
def test_no_leader_contradicts_d(seed):
    """A lead of two minutes in bars of a quarter of an hour, at whose other lag a reversal is larger by chance."""
    found = intraday.study(*quarters(seed), ASKED._replace(interval=FIFTEEN, max_lag=10))
    said = verdict(found)
    assert said["asymmetry"] > 0
    assert said["p_value"] < 0.05
    assert said["leader"] in ("A", "no verdict")
    assert "BBB leads" not in found.findings[0]


def test_a_lead_shorter_than_a_bar_is_said_to_be_no_longer_than_one():
    found = intraday.study(*quarters(36), ASKED._replace(interval=FIFTEEN, max_lag=10))
    assert found.findings[0].startswith("AAA leads BBB by about 15 min or less (D(1) = +0.122, p .046, 30 sessions; ")


def test_no_lead_is_not_said_of_bars_most_of_which_could_not_be_made():
    found = intraday.study(*quarters(0, missing=0.7, lag=5), ASKED._replace(interval=FIFTEEN))
    rows = {row[0]: row[1:3] for row in found["data"].rows}
    made, gone = rows["prices"], rows["bars left out"]
    shares = [gone[at] / (gone[at] + made[at]) for at in (0, 1)]
    assert verdict(found)["leader"] == "cannot say"
    assert re.match(
        rf"who leads cannot be said at 15m: {max(shares):.0%} of the bars of (AAA|BBB) have no price at their end \(D",
        found.findings[0],
    )
    assert found.findings[0].endswith("; --interval 1m takes every price")
    assert not any("no lead" in text or "beyond chance" in text for text in found.findings)
    assert rows["bars left out, share"] == pytest.approx(shares, rel=1e-12)
    assert f"({gone[0]:,} of {gone[0] + made[0]:,} of AAA, {gone[1]:,} of" in found.receipt.lined_up


def test_a_lead_that_shows_in_spite_of_missing_bars_is_named_beside_what_is_missing():
    found = intraday.study(*quarters(0, missing=0.5, lag=2, interval=FIVE), ASKED)
    assert verdict(found)["leader"] == "A"
    assert any("of the bars of" in text and text.endswith("--interval 1m takes every price") for text in found.warnings)


def test_no_lead_is_said_of_bars_few_of_which_could_not_be_made():
    found = intraday.study(*quarters(0, missing=0.1), ASKED._replace(interval=FIFTEEN))
    assert found.findings[0].startswith("no lead: ")


def test_too_few_returns_for_missing_bars_name_these_and_the_way_out():
    with pytest.raises(NotEnoughData, match=r"% of the bars of (AAA|BBB) have no price at their end") as caught:
        intraday.study(*quarters(0, missing=0.8, interval=HOUR), ASKED._replace(interval=HOUR))
    assert caught.value.hint == "--interval 1m takes every price"


def test_legs_made_of_bars_of_two_lengths_take_every_price_as_ticks():
    a, b = quarters(0, missing=0.7)
    b = b._replace(bars=replace(b.bars, made_of=300 * SECOND))
    found = intraday.study(a, b, ASKED._replace(interval=FIFTEEN))
    assert "--interval ticks takes every price" in found.findings[0]


def test_a_lead_that_has_gone_is_not_confirmed():
    early, late = led(lead=0.4, sessions=20), led(sessions=20, seed=6)
    x, y = (np.concatenate(both) for both in zip(early, late, strict=True))
    found = intraday.study(held(x), held(y, symbol="BBB"), ASKED)
    assert verdict(found)["leader"] == "A"
    assert verdict(found)["later_p_value"] > 0.05
    assert "AAA by 10 min, is not confirmed by the second" in found.findings[1]


def test_no_lead_is_said_with_what_would_have_shown():
    found = intraday.study(*pair(seed=6), ASKED)
    assert verdict(found)["leader"] == "none"
    assert found.findings[0].startswith("no lead: ")
    assert "would have shown four times in five" in found.findings[0]


def test_r_and_d_are_those_of_pandas_within_sessions():
    a, b = pair(lead=0.2, seed=2)
    frame = pd.DataFrame({"s": a.bars.sessions, "a": a.bars.prices, "b": b.bars.prices})
    r = frame.groupby("s")[["a", "b"]].pct_change()
    z = (r - r.mean()) / r.std(ddof=0)
    expected = [(z["a"] * z["b"].groupby(frame["s"]).shift(-k)).mean() for k in range(-5, 6)]
    found = intraday.study(a, b, ASKED)
    assert [row[2] for row in found["lags"].rows] == pytest.approx(expected, abs=1e-12)
    assert [row[2] for row in found["asymmetry"].rows] == pytest.approx(
        [expected[5 + k] - expected[5 - k] for k in range(1, 6)], abs=1e-12
    )


def test_nights_change_nothing():
    x, y = led(seed=3)
    loud = x.copy()
    loud[:, 0] = 0.0
    times = stamps(builders.weekdays(30)).ravel()
    quiet = of(times, 100 * np.cumprod(1 + loud.ravel()))
    one, two = (intraday.study(leg, held(y, symbol="BBB"), ASKED) for leg in (held(x), quiet))
    assert [r[2] for r in one["lags"].rows] == pytest.approx([r[2] for r in two["lags"].rows], abs=1e-12)


@settings(max_examples=12)
@given(st.integers(0, 99), st.sampled_from([0.0, 0.2]))
def test_swapping_the_legs_negates_lags_and_d_and_leaves_r_and_p(seed, lead):
    a, b = pair(lead=lead, seed=seed, sessions=20, slots=30)
    one, two = verdict(intraday.study(a, b, ASKED)), verdict(intraday.study(b, a, ASKED))
    for key in ("lag_bars", "later_lag"):
        assert one[key] == pytest.approx(-two[key], abs=0, nan_ok=True)
    assert one["asymmetry"] == -two["asymmetry"]
    assert (one["p_value"], one["detectable"], one["r_at_0"]) == (two["p_value"], two["detectable"], two["r_at_0"])
    assert one["lead_lag_ratio"] == pytest.approx(1 / two["lead_lag_ratio"], rel=1e-12)


def test_legs_with_other_session_times_meet_where_both_are_open():
    days = builders.weekdays(14)
    x, y = led(sessions=14, lead=0.8, lag=1)
    london = stamps(days, time(8, 0), 102, zone=LONDON)  # to 16:30, which is 11:30 in New York
    returns = np.random.default_rng(4).standard_normal((14, 102)) * 1e-3
    returns[:, 78:] = x[:, :24]
    found = intraday.study(held(returns, london, zone=LONDON), held(y, symbol="BBB"), ASKED)
    assert verdict(found)["lag_bars"] == 1
    assert [row[1:4] for row in found["data"].rows if row[0] == "prices"] == [(14 * 102, 14 * 78, 14 * 24)]


def test_legs_that_never_trade_together_are_not_asked():
    days = builders.weekdays(30)
    x, y = led(slots=60)
    tokyo = held(x, stamps(days, time(9), 60, zone="Asia/Tokyo"), zone="Asia/Tokyo")
    with pytest.raises(NotEnoughData, match="never trade at the same time in 30 common sessions"):
        intraday.study(tokyo, held(y, symbol="BBB"), ASKED)


def test_a_day_that_ends_within_the_other_legs_session_ends_the_session():
    """Sydney's morning is the evening before in UTC, by which days of coins are counted."""
    days = builders.weekdays(30)
    x, y = led(slots=72, lead=0.3)
    sydney = stamps(days, time(10), 72, zone="Australia/Sydney")
    legs = held(x, sydney, zone="Australia/Sydney"), held(y, sydney, symbol="BBB", zone="UTC", every_day=True)
    found = intraday.study(*legs, ASKED)
    assert verdict(found)["lag_bars"] == 2
    # Two stretches a day instead of one, and Monday's first hour is Sunday's, on which Sydney has no session.
    assert found["data"].rows[2][3] == 30 * 70 - 6 * 11


@pytest.mark.parametrize("asked", [ASKED, ASKED._replace(interval=Interval.parse("10s"))], ids=["bars", "ticks"])
def test_a_leg_that_does_not_move_is_named_and_nothing_else_is_said(asked):
    a, b = pair()
    flat = of(b.bars.times, np.full(len(b.bars), 50.0), "BBB")
    for legs in ((a, flat), (flat, a)):
        found = intraday.study(*legs, asked)
        said = verdict(found)
        assert found.findings == (
            "who leads cannot be said: BBB stays at 50 throughout (2,310 returns in 30 sessions)",
        )
        assert found.warnings == ()
        assert said.pop("leader") == "cannot say"
        assert all(math.isnan(value) for value in said.values())
        assert all(math.isnan(row[2]) for key in ("lags", "asymmetry") for row in found[key].rows)
        assert not any(row[4] for key in ("lags", "asymmetry") for row in found[key].rows)


def test_a_leg_whose_returns_are_all_the_same_is_named():
    a, b = pair()
    line = of(b.bars.times, np.arange(len(b.bars)) + 50.0, "BBB", changes="points")
    assert "the returns of BBB are all the same" in intraday.study(a, line, ASKED).findings[0]


def test_of_few_sessions_it_is_said_in_how_many_both_move():
    found = intraday.study(*pair(sessions=5, lead=0.3), ASKED._replace(max_lag=38))
    assert found.findings[0] == ("who leads cannot be said: 5 sessions, both legs move in 5 sessions, the test needs 6")
    assert found.findings[-1] == "which correlations are beyond chance cannot be said of 5 blocks"


def test_ticks_of_a_leg_that_moves_on_few_days_are_said_to_be_so():
    a, b = tick_pair()
    prices = np.where(b.bars.sessions < b.bars.days[4], b.bars.prices, 50.0)
    found = intraday.study(a, of(b.bars.times, prices, "BBB", TICKS.interval), TICKS)
    assert "25 sessions, both legs move in 4 sessions, the test needs 6" in found.findings[0]


@pytest.mark.parametrize("sessions", range(1, 9))
def test_no_sentence_says_nan(sessions):
    for legs in (pair(sessions=sessions, lead=0.3), pair(sessions=sessions, slots=60, seed=5)):
        for asked in (ASKED, ASKED._replace(interval=Interval.parse("10s")), ASKED._replace(max_lag=38)):
            assert not any(re.search(r"\bnan\b", text) for text in intraday.study(*legs, asked).findings)


@pytest.mark.parametrize(
    ("bounds", "words", "hint"),
    [
        ({"since": date(2030, 1, 1)}, "since 2030-01-01; the common ones are 2026-10-12 to 2026-11-20", "--since"),
        ({"as_of": date(2020, 1, 1)}, "to 2020-01-01; the common ones", "--as-of"),
        ({"since": date(2026, 11, 21)}, "since 2026-11-21", "--since"),
        ({"since": date(2026, 11, 14), "as_of": date(2026, 11, 15)}, "from 2026-11-14 to 2026-11-15", "--since"),
    ],
)
def test_bounds_that_leave_no_session_are_named(bounds, words, hint):
    with pytest.raises(NotEnoughData, match=f"no session in common {words}") as caught:
        intraday.study(*pair(), ASKED._replace(**bounds))
    assert hint in caught.value.hint


def test_what_the_numbers_come_from_is_said():
    assert intraday.study(*pair(), ASKED).history == (
        "2,340 common bars in 30 common sessions from 2026-10-12 to 2026-11-20 (2,310 returns)"
    )
    assert intraday.study(*tick_pair(), TICKS).history.startswith(
        "9,975 and 3,725 returns between ticks in 25 common sessions from 2026-10-19 to 2026-11-20, "
    )


def test_a_leg_that_also_trades_thinly_elsewhere_takes_the_same_way_on_either_side():
    """All day and night the one leg has a price now and then; while the other trades, one at each of its bars."""
    days = builders.weekdays(25)
    x, y = led(sessions=25, slots=6, lead=0.3, lag=1)
    times = stamps(days, count=6)
    thin = stamps(days, opens=time(0, 7), count=30, minutes=17)
    both = np.concatenate([thin, times], axis=1)
    rng = np.random.default_rng(0)
    prices = np.concatenate([100 + rng.standard_normal(thin.shape) / 10, 100 * np.cumprod(1 + x, axis=1)], axis=1)
    a, b = of(both.ravel(), prices.ravel()), held(y, times, symbol="BBB")
    one, two = (intraday.study(*legs, ASKED) for legs in ((a, b), (b, a)))
    assert one["data"].notes == two["data"].notes
    assert verdict(one)["p_value"] == verdict(two)["p_value"]
    assert verdict(one)["r_at_0"] == pytest.approx(verdict(two)["r_at_0"], rel=1e-9)


def test_the_days_on_which_clocks_change_keep_their_sessions():
    days = np.array(["2026-10-30", "2026-11-02", "2026-03-06", "2026-03-09"], dtype="M8[D]")
    days = np.sort(np.concatenate([days, np.arange("2026-04-01", "2026-04-05", dtype="M8[D]")]))
    x, y = led(sessions=len(days))
    legs = [held(leg, stamps(days), symbol=name) for leg, name in ((x, "AAA"), (y, "BBB"))]
    assert legs[0].bars.days.tolist() == days.tolist()
    assert [row[3] for row in intraday.study(*legs, ASKED)["data"].rows][:2] == [8, 8 * 78]


def test_a_missing_bar_takes_two_returns_and_moves_no_lag():
    a, b = pair(lead=0.3)
    keep = np.arange(len(b.bars)) % 10 != 5
    found = intraday.study(a, b._replace(bars=b.bars.at(keep)), ASKED)
    assert verdict(found)["lag_bars"] == 2
    gone = int((~keep).sum())
    (returns,) = [row[3] for row in found["data"].rows if row[0] == "returns"]
    assert 30 * 77 - 2 * gone <= returns <= 30 * 77 - 2 * gone + 30


def test_bars_of_an_hour_whose_last_one_is_short_lie_on_one_grid():
    days = builders.weekdays(60)
    times = stamps(days, count=7, minutes=60)
    times[:, -1] -= 1800 * SECOND
    hour = Interval.parse("1h")
    x, y = led(sessions=60, slots=7, lead=0.5, lag=1)
    legs = [held(leg, times, symbol=name, interval=hour) for leg, name in ((x, "AAA"), (y, "BBB"))]
    found = intraday.study(*legs, ASKED._replace(interval=hour))
    assert (verdict(found)["lag_bars"], len(found["asymmetry"].rows)) == (1, 3)  # no lag beyond half a session


def test_few_sessions_are_cut_into_parts():
    found = intraday.study(*pair(ONE, sessions=3, slots=390, lead=0.3), ASKED._replace(interval=ONE))
    assert verdict(found)["leader"] == "A"
    assert "3 sessions in 21 parts" in found.findings[0]


def test_too_few_sessions_say_that_nobody_knows():
    found = intraday.study(*pair(sessions=3, slots=20), ASKED)
    assert math.isnan(verdict(found)["p_value"])
    assert found.findings[0].startswith("who leads cannot be said: 3 sessions")


def test_sessions_after_the_day_and_before_the_first_do_not_count():
    a, b = pair()
    asked = ASKED._replace(as_of=date(2026, 11, 13), since=date(2026, 11, 2))
    found = intraday.study(a, b, asked)
    assert (found.since, found.as_of) == (date(2026, 11, 2), date(2026, 11, 13))
    assert found["data"].rows[0][3] == 10


def test_rates_move_by_differences_and_may_be_negative():
    x, y = led(lead=0.3)
    rate = of(stamps(builders.weekdays(30)).ravel(), np.cumsum(x.ravel()), "AAA", measure="rate", unit="percent")
    found = intraday.study(rate, held(y, symbol="BBB"), ASKED)
    assert verdict(found)["lag_bars"] == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda bars: bars.at(bars.sessions < np.datetime64("2020-01-01")), "no session in common"),
        (lambda bars: bars.at(bars.sessions == bars.sessions[0]).at(slice(0, 20)), "19 returns in 1 common session"),
    ],
)
def test_too_little_in_common_is_not_enough_data(change, words):
    a, b = pair()
    with pytest.raises(NotEnoughData, match=words):
        intraday.study(a, b._replace(bars=change(b.bars)), ASKED)


def test_a_price_of_zero_has_no_returns():
    a, b = pair()
    prices = b.bars.prices.copy()
    prices[5] = 0
    bad = of(b.bars.times, prices, "BBB")
    with pytest.raises(NotEnoughData, match="BBB: a price of 0"):
        intraday.study(a, bad, ASKED)


def test_a_leg_that_seldom_trades_is_named():
    a, b = pair()
    prices = np.repeat(b.bars.prices[::2], 2)
    found = intraday.study(a, of(b.bars.times, prices, "BBB"), ASKED)
    assert any(re.search(r"(49|50|51)% of BBB's bars leave its price as it was", text) for text in found.warnings)


# ---------------------------------------------------------------- ticks


def test_ticks_without_a_grid_find_a_lead_in_seconds():
    found = intraday.study(*tick_pair(lead=20.0), TICKS)
    said = verdict(found)
    assert (said["leader"], said["contrast_seconds"], said["lag_seconds"]) == ("A", 20, 20)
    assert said["lead_lag_ratio"] > 1
    assert "by Hayashi and Yoshida" in found["data"].notes[0]
    assert found.findings[0].startswith("AAA leads BBB by 20 s, to the nearest 10 s")


def test_the_interval_of_a_lag_is_no_narrower_than_the_grid_of_shifts():
    """Ticks some five seconds apart, and a lead of three, which no shift on the grid is."""
    found = intraday.study(*tick_pair(lead=3.0, counts=(1200, 400)), TICKS)
    (row,) = [row for row in found["verdict"].rows if row[0] == "lag_seconds"]
    assert (row[1], row[2] <= 3 <= row[3], row[3] - row[2] >= 10) == (5, True, True)
    assert "AAA leads BBB by about 5 s or less (" in found.findings[0]
    assert "AAA by about 5 s or less, holds in the second" in found.findings[1]


def test_shifts_longer_than_what_lies_between_ticks_say_what_they_hide():
    asked = TICKS._replace(interval=Interval.parse("1m"))
    (note,) = intraday.study(*tick_pair(), asked).warnings
    assert note.startswith("between shifts of 1 min a shorter lead hides: ticks are about ")
    assert intraday.study(*tick_pair(), TICKS).warnings == ()


def test_bars_that_share_their_moments_are_not_said_to_have_their_own():
    found = intraday.study(*pair(lead=0.3), ASKED._replace(interval=Interval.parse("10s")))
    assert not any("clockwork" in text for text in found.warnings)


def test_what_bars_were_made_of_is_in_the_receipt():
    a, b = pair(lead=0.3)
    longer = [
        side._replace(bars=in_bars(replace(side.bars, interval=FIFTEEN), np.full(len(side.bars), -14400 * SECOND)))
        for side in (a, b)
    ]
    found = intraday.study(*longer, ASKED._replace(interval=FIFTEEN))
    assert verdict(found)["leader"] == "A"
    assert "AAA and BBB: bars of 15m that end on the clock, each with the last price in it, made of bars of 5 min" in (
        found.receipt.lined_up
    )
    assert "made of" not in intraday.study(a, b, ASKED).receipt.lined_up


def test_ticks_of_one_path_have_no_leader_however_much_rarer_one_leg_is():
    said = verdict(intraday.study(*tick_pair(lead=0.0, counts=(900, 80)), TICKS))
    assert (said["leader"], said["contrast_seconds"]) == ("none", 0)


def test_the_step_of_the_shifts_is_the_interval_where_one_is_given():
    asked = TICKS._replace(interval=Interval.parse("5s"))
    said = verdict(intraday.study(*tick_pair(lead=15.0), asked))
    assert said["contrast_seconds"] == 15
    assert intraday.study(*tick_pair(lead=15.0), asked)["lags"].rows[0][0] == "-50 s"


def test_swapping_legs_of_ticks_turns_the_shifts_round():
    a, b = tick_pair(lead=20.0)
    one, two = verdict(intraday.study(a, b, TICKS)), verdict(intraday.study(b, a, TICKS))
    assert one["contrast_seconds"] == -two["contrast_seconds"]
    assert one["p_value"] == two["p_value"]
    for key, factor in (("asymmetry", -1), ("r_at_0", 1)):
        assert one[key] == pytest.approx(factor * two[key], rel=1e-9)
    assert one["lead_lag_ratio"] == pytest.approx(1 / two["lead_lag_ratio"], rel=1e-9)


def test_clocks_that_never_meet_make_no_leader():
    """One path, seen by both legs every five minutes: by the second 100 s later."""
    days = builders.weekdays(60)
    path = 100 * np.exp(np.cumsum(np.random.default_rng(0).standard_normal((60, 26_000)) * 1e-5, axis=1))
    seen = [
        of((stamps(days) + late * SECOND).ravel(), path[:, 300 + late : 300 * 79 + late : 300].ravel(), symbol)
        for late, symbol in ((0, "AAA"), (100, "BBB"))
    ]
    found = intraday.study(*seen, ASKED._replace(interval=Interval.parse("1m")))
    assert verdict(found)["leader"] == "cannot say"
    assert "may be the clocks'" in found.findings[0]
    assert any(
        "like clockwork" in text and "(BBB's stamps are 1.667 min after AAA's)" in text for text in found.warnings
    )


# ---------------------------------------------------------------- words and speed


def test_time_is_told_in_its_largest_fitting_unit():
    said = [time_text(n * SECOND) for n in (0, 600, -5, 5400, 7200)]
    assert said == ["0", "+10 min", "-5 s", "+90 min", "+2 h"]
    assert [time_text(n) for n in (250_000_000, -7)] == ["+250 ms", "-7 ns"]


def test_a_step_is_a_round_number_no_shorter_than_the_gap():
    assert [nice(n) for n in (1, 3, 7, 40 * SECOND, 61 * SECOND)] == [1, 5, 10, 50 * SECOND, 120 * SECOND]


def test_a_hundred_thousand_bars_take_no_time():
    legs = pair(ONE, sessions=256, slots=390)
    best = math.inf
    for _ in range(3):
        began = perf_counter()
        intraday.study(*legs, ASKED._replace(interval=ONE, max_lag=20))
        best = min(best, perf_counter() - began)
    assert best < 1.0  # a tenth of what a million may take, five times over
