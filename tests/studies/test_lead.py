"""The study of a lead: on pairs whose leader is known, with the legs exchanged, and where nothing can be said."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import statsmodels.tsa.stattools as tsa
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import (
    FRIDAY,
    LONDON,
    NEW_YORK,
    TOKYO,
    compared,
    history,
    linked_pair,
    linked_returns,
    prices,
    told_at_two_clocks,
    weekdays,
)

from pairwatch.errors import NotEnoughData, UsageError
from pairwatch.model import Facts, Window
from pairwatch.staging import Question
from pairwatch.studies import lead
from pairwatch.studies.paired import paired
from pairwatch.verdicts import p_text

light = settings(max_examples=6)


def studied(a, b, window="61b", step=None, max_lag=5, **question):
    return lead.study(paired(a, b, Question(FRIDAY, Window.parse(window), max_lag, **question)), step)


def led_pair(n=900, by=2, share=0.6, begin=0, stop=None, seed=0):
    """AAA leads BBB by so many bars, from one day to another."""
    x, e = np.random.default_rng(seed).standard_normal((2, n))
    inside = slice(max(begin, by), stop)
    y = 0.5 * x + 0.8 * e
    y[inside] += share * np.roll(x, by)[inside]
    return history(prices(0.01 * x), symbol="AAA"), history(prices(0.01 * y), symbol="BBB")


def rows(section):
    return list(section.records())


def by_name(section):
    return {next(iter(row.values())): row for row in rows(section)}


def test_a_leader_is_named_with_its_lag_everywhere():
    found = studied(*led_pair())
    assert found.findings[0].startswith("whole history, 900 returns: AAA leads BBB by 2 bars (p ")
    assert "95% interval of the lag at +2" in found.findings[0]
    verdict = by_name(found["verdict"])
    assert [verdict[span]["lag"] for span in ("history", "window")] == [2, 2]
    assert {row["lag"] for row in rows(found["correlogram"]) if row["outside"]} == {2}
    assert {row["lag"] for row in rows(found["asymmetry"]) if row["outside"]} == {2}
    assert {row["leader"] for row in rows(found["verdict"])} == {"AAA"}
    shares = by_name(found["rolling"])
    assert shares["AAA"]["share"] > 0.9
    assert shares["AAA"]["expected_high"] < 0.15
    forth, back = rows(found["granger"])
    assert forth["p_value"] < 1e-6
    assert back["p_value"] > 0.01
    first, _ = rows(found["halves"])
    assert (first["lag"], first["p_value"] < 1e-4, first["r_squared"] > 0.1) == (2, True, True)


def test_no_leader_is_a_normal_answer_with_its_numbers():
    found = studied(*linked_pair(900, 0.8, 3))
    assert found.findings[0].startswith("whole history, 900 returns: no leader (p ")
    assert "would have shown 4 times in 5" in found.findings[0]
    assert any("no more than chance" in text for text in found.findings)
    assert any("is not shown in the second" in text for text in found.findings)


def test_a_shared_factor_with_a_memory_predicts_and_is_said_to_be_no_lead():
    """Both legs are the factor and noise of their own: each one's past tells of the factor that moves the other."""
    e = np.random.default_rng(1).standard_normal((3, 1500))
    factor = np.zeros(1500)
    for t in range(1, 1500):
        factor[t] = 0.6 * factor[t - 1] + e[0, t]
    legs = (history(prices(0.005 * (factor + x)), symbol=s) for s, x in (("AAA", e[1]), ("BBB", e[2])))
    found = studied(*legs)
    assert all(row["p_value"] < 0.01 for row in rows(found["granger"]))
    assert by_name(found["verdict"])["history"]["leader"] == "none"
    for key in ("granger", "halves"):
        assert any("a factor with a memory" in note for note in found[key].notes)
    assert any(text.startswith("Granger") and "that is no lead" in text for text in found.findings)


def test_the_window_has_the_verdict_of_compare():
    a, b = linked_pair(600, 0.7, 4)
    row, said = by_name(studied(a, b)["verdict"])["window"], compared(a, b, "61b")
    assert (row["candidate"], row["p_value"]) == (said["lead_lag"], said["lead_p_value"])
    assert row["asymmetry"] == said["lead_asymmetry"]
    assert row["verdict"] == said.leadership.verdict


def test_the_correlogram_is_that_of_statsmodels():
    a, b = linked_pair(400, 0.5, 5)
    x, y = (np.diff(leg.series.closes) / leg.series.closes[:-1] for leg in (a, b))
    found = [row["correlation"] for row in rows(studied(a, b)["correlogram"])]
    expected = [*tsa.ccf(x, y, adjusted=False)[5:0:-1], *tsa.ccf(y, x, adjusted=False)[:6]]
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-12)


def test_shares_and_chance_add_up_and_windows_are_counted():
    found = studied(*linked_pair(500, 0.5, 6), step=20)
    shares = rows(found["rolling"])
    assert sum(row["windows"] for row in shares) == 1 + (500 - 61) // 20
    for key in ("share", "expected"):
        assert sum(row[key] for row in shares) == pytest.approx(1)
    assert all(row["expected_low"] <= row["expected"] <= row["expected_high"] for row in shares)
    assert found["rolling"].notes == (
        "22 windows of 61 returns, one every 20 bars from the first on; 8 windows that do not overlap",
    )


def test_the_episode_of_a_lead_that_came_and_went_is_dated():
    """AAA leads on returns 400 to 649, dated by the days after them."""
    found = studied(*led_pair(1000, begin=400, stop=650, share=0.9, seed=7), step=10)
    longest = max(rows(found["episodes"]), key=lambda row: row["windows"])
    assert (longest["leader"], longest["lag"]) == ("AAA", 2)
    days = weekdays(1001)
    assert abs((np.datetime64(longest["since"]) - days[401]).astype(int)) <= 60
    assert abs((np.datetime64(longest["until"]) - days[650]).astype(int)) <= 60
    assert (
        longest["bars"]
        == np.flatnonzero(days == np.datetime64(longest["until"]))
        - np.flatnonzero(days == np.datetime64(longest["since"]))
        + 1
    )


def test_what_one_half_finds_and_the_other_does_not_is_said():
    found = studied(*led_pair(800, stop=400, share=0.9, seed=8))
    assert "AAA before BBB by 2 bars, is not shown in the second" in " ".join(found.findings)
    first, _ = rows(found["halves"])
    assert first["r_squared"] < 0


@light
@given(seed=st.integers(0, 999), share=st.sampled_from([0.0, 0.5]))
def test_exchanging_the_legs_negates_what_has_a_direction_and_keeps_p(seed, share):
    a, b = led_pair(300, share=share, seed=seed)
    one, other = studied(a, b, max_lag=3), studied(b, a, max_lag=3)
    for mine, theirs in zip(rows(one["verdict"]), rows(other["verdict"]), strict=True):
        assert (mine["candidate"], mine["candidate_low"], mine["candidate_high"]) == (
            -theirs["candidate"],
            -theirs["candidate_high"],
            -theirs["candidate_low"],
        )
        assert (mine["lag"] is None) == (theirs["lag"] is None) == (mine["leader"] == "none")
        assert mine["strength"] == pytest.approx(theirs["strength"], abs=1e-12)
        assert mine["asymmetry"] == pytest.approx(-theirs["asymmetry"], abs=1e-12)
        assert (mine["n"], mine["p_value"]) == (theirs["n"], theirs["p_value"])
    correlogram = [row["correlation"] for row in rows(other["correlogram"])][::-1]
    np.testing.assert_allclose([row["correlation"] for row in rows(one["correlogram"])], correlogram, atol=1e-12)
    assert {row["leader"]: row["windows"] for row in rows(one["rolling"])} == {
        row["leader"]: row["windows"] for row in rows(other["rolling"])
    }
    assert [row["lag"] for row in rows(one["episodes"])] == [-row["lag"] for row in rows(other["episodes"])]
    back = rows(other["granger"])[::-1]
    assert [row["p_value"] for row in rows(one["granger"])] == pytest.approx([row["p_value"] for row in back], rel=1e-9)
    for mine, theirs in zip(rows(one["halves"]), rows(other["halves"]), strict=True):
        assert mine["lag"] == -theirs["lag"]
        assert mine["p_value"] == pytest.approx(theirs["p_value"], rel=1e-9)


def test_clocks_alone_are_called_no_leader():
    """New York closes 14 h after Tokyo and looks a day ahead of it."""
    found = studied(*told_at_two_clocks(NEW_YORK, TOKYO, 500, 1))
    verdict = by_name(found["verdict"])["history"]["verdict"]
    assert verdict.startswith("no verdict: AAA closes ")
    assert by_name(found["verdict"])["history"]["leader"] == "no verdict"
    shares = by_name(found["rolling"])
    assert shares["a clock, or none"]["share"] > 0.5
    assert shares["AAA"]["share"] < 0.1
    assert any("closes" in text for text in found.warnings)
    assert "different closing times" in " ".join(found.findings)


def test_a_clock_that_is_not_known_is_called_no_leader_either():
    early, late = told_at_two_clocks(TOKYO, NEW_YORK, 500, 1)
    early = replace(early, series=replace(early.series, facts=replace(TOKYO, closes_at=None)))
    for legs in ((early, late), (late, early)):
        found = studied(*legs)
        history = by_name(found["verdict"])["history"]
        assert history["verdict"].startswith("no verdict: when AAA closes is not known")
        assert history["leader"] == "no verdict"
        shares = by_name(found["rolling"])
        assert shares["a clock, or none"]["share"] > 0.5
        assert shares["AAA"]["share"] + shares["BBB"]["share"] < 0.1
        assert any("the closing time of AAA is not known" in text for text in found.warnings)
        assert lead.brief(paired(*legs, Question(FRIDAY, Window.parse("61b"), 5))).findings[0] == found.findings[0]


def test_legs_that_close_within_half_an_hour_are_not_doubted():
    found = studied(*told_at_two_clocks(NEW_YORK, NEW_YORK, 300, 2))
    assert "a clock, or none" not in by_name(found["rolling"])
    assert not any("closing times" in text for text in found.findings)


def test_a_lead_against_the_clock_is_a_lead():
    """London closes before New York: that London leads is no clock's doing."""
    a, b = led_pair(500, by=1, share=0.9, seed=9)
    early = history(a.series.closes, symbol="AAA", timezone=LONDON.timezone, closes_at=LONDON.closes_at)
    late = history(b.series.closes, symbol="BBB", timezone=NEW_YORK.timezone, closes_at=NEW_YORK.closes_at)
    assert "AAA leads BBB by 1 bar" in studied(early, late).findings[0]


def unsure_pair():
    """199 months: a weak lead, which shows."""
    return led_pair(199, share=0.35, seed=2)


def test_a_lead_whose_lag_may_lie_on_either_side_names_no_leader():
    found = studied(*unsure_pair(), max_lag=10)
    row = by_name(found["verdict"])["history"]
    assert row["p_value"] < 0.05
    assert row["candidate_low"] < 0 < row["candidate_high"]
    assert (row["leader"], row["lag"]) == ("no verdict", None)
    assert row["verdict"] in found.findings[0]
    assert "a lead shows (p " in found.findings[0]
    low, high = row["candidate_low"], row["candidate_high"]
    assert found.findings[0].endswith(f"of resamples, 95% from {low:+d} to {high:+d})")
    assert "whose lag and side cannot be said (AAA leads BBB by 2 bars in " in found.findings[0]


def test_a_windows_leader_is_that_of_compare_and_said_to_be_unsure_where_it_is():
    found = studied(*led_pair(), max_lag=10)
    row = by_name(found["verdict"])["window"]
    assert row["candidate_low"] < 0 < row["candidate_high"]
    assert (row["leader"], row["lag"]) == ("AAA", 2)
    assert found.findings[1].endswith(
        f"; lag and side are not sure: 95% of resamples from {row['candidate_low']:+d} to {row['candidate_high']:+d}"
    )


def test_what_shows_out_of_sample_is_said_beside_the_whole_historys_answer():
    """A lead that is too weak over ten lags, and shows at the one lag that is looked at in the second half."""
    for seed in range(40):
        found = studied(*led_pair(900, share=0.1, seed=seed), max_lag=10)
        half = rows(found["halves"])[0]
        p = by_name(found["verdict"])["history"]["p_value"]
        if p > 0.05 > half["p_value"]:
            break
    (text,) = (text for text in found.findings if text.startswith("out of sample"))
    assert ", shows in the second (" in text
    assert f", too little for a leader over the whole of it ({p_text(p)})" in text


def test_what_shows_out_of_sample_and_leads_over_the_whole_needs_no_more_words():
    (text,) = (text for text in studied(*led_pair()).findings if text.startswith("out of sample"))
    assert ", shows in the second (" in text
    assert "over the whole" not in text


def test_a_history_that_is_not_taken_whole_is_called_by_its_first_day():
    a, b = linked_pair(900)
    day = a.series.dates[300].item()
    asked = Question(FRIDAY, Window.parse("61b"), 5)
    found = lead.study(paired(a, b, asked, day))
    assert found.findings[0].startswith(f"since {day}, 600 returns: ")
    assert not any("whole history" in text for text in found.findings)
    assert lead.brief(paired(a, b, asked, day)).findings == found.findings[:1]


def test_rates_have_changes_and_no_returns():
    steps = 0.03 * np.random.default_rng(24).standard_normal((2, 500))
    legs = (
        history(3 + leg.cumsum(), symbol=s, measure="rate", unit="percent")
        for leg, s in zip(steps, ("AAA", "BBB"), strict=True)
    )
    found = studied(*legs)
    assert found.findings[0].startswith("whole history, 499 changes: ")
    assert not any("return" in text for text in (*found.findings, *found["rolling"].notes))


def test_a_short_history_says_what_it_cannot():
    found = studied(*linked_pair(100, 0.5, 10))
    assert found["rolling"].rows == found["episodes"].rows == ()
    assert "100 returns are fewer than 3 windows of 61" in found["rolling"].notes[0]
    assert "halves of fewer than 60 returns" in found["halves"].notes[0]
    assert found["verdict"].rows


def test_too_short_a_history_is_refused():
    with pytest.raises(NotEnoughData, match="20 are needed"):
        studied(*linked_pair(18, 0.5, 11))


def test_windows_of_a_few_bars_are_refused():
    with pytest.raises(NotEnoughData, match="20 are needed"):
        studied(*linked_pair(300, 0.5, 12), window="12b")


def test_a_step_below_a_bar_is_refused():
    with pytest.raises(UsageError, match="the step cannot be '0'"):
        studied(*linked_pair(300, 0.5, 13), step=0)


def test_legs_that_move_as_one_have_no_verdict():
    returns, _ = linked_returns(300)
    found = studied(history(prices(returns), symbol="AAA"), history(2 * prices(returns), symbol="BBB"))
    assert "no verdict: the legs move as one" in found.findings[0]
    assert found["granger"].rows == found["halves"].rows == ()
    assert math.isnan(by_name(found["verdict"])["history"]["p_value"])


def test_a_leg_that_does_not_move_has_no_verdict():
    still = history(np.full(301, 50.0), symbol="BBB")
    found = studied(linked_pair(300)[0], still)
    assert "no verdict: a leg does not move" in found.findings[0]
    assert all(row["band"] is None or math.isnan(row["band"]) for row in rows(found["correlogram"]))


def test_a_rate_leads_as_a_price_does():
    x, e = np.random.default_rng(14).standard_normal((2, 500))
    y = 0.5 * e
    y[1:] += x[:-1]
    rate = history(4 + 0.05 * np.append(0, x).cumsum(), symbol="RRR", measure="rate", unit="percent")
    assert isinstance(rate.series.facts, Facts)
    found = studied(rate, history(prices(0.01 * y), symbol="BBB"))
    assert "RRR leads BBB by 1 bar" in found.findings[0]


def test_the_future_does_not_change_the_past():
    a, b = led_pair(600, by=1, share=0.25, seed=15)
    day = weekdays(601)[400].item()
    question = Question(day, Window.parse("61b"), 5)
    early, late = lead.study(paired(a, b, question)), studied(a, b)
    over = [row for row in rows(late["episodes"]) if row["until"] < day]
    assert over
    assert [row for row in rows(early["episodes"]) if row["until"] < day][: len(over)] == over
    cut = [history(leg.series.closes[:401], leg.series.dates[:401], symbol=s) for leg, s in ((a, "AAA"), (b, "BBB"))]
    other = lead.study(paired(*cut, question))
    assert [section.rows for section in early.sections] == [section.rows for section in other.sections]


def test_episodes_that_were_over_stay_as_they_were_while_the_history_grows():
    """Of a weak lead episodes come and go near the level; of ten years the last seven are added year by year."""
    a, b = led_pair(2500, by=1, share=0.25, seed=23)
    told = []
    for at in range(700, 2501, 300):
        day = weekdays(2501)[at].item()
        told.append((day, rows(lead.study(paired(a, b, Question(day, Window.parse("90d"), 10)))["episodes"])))
    assert len(told[-1][1]) > 5
    for (day, early), (_, late) in pairwise(told):
        # The last window may lie a step before the last day, and its episode go on.
        over = [row for row in early if (day - row["until"]).days > 40]
        assert over == late[: len(over)]


def test_one_more_day_does_not_change_what_is_said_of_the_windows():
    """Thirteen of fifteen evenings have no new window; of a calendar window the bars differ from day to day."""
    a, b = linked_pair(1500, 0.6, 18)
    told = set()
    for at in range(1480, 1488):
        day = weekdays(1501)[at].item()
        found = lead.study(paired(a, b, Question(day, Window.parse("90d"), 5)))
        told.add((found["rolling"].notes, tuple(row[:3] for row in found["rolling"].rows)))
    assert len(told) <= 2


def test_windows_in_which_a_leg_stands_still_are_not_counted_as_windows_without_a_leader():
    a, b = led_pair(900, share=0.9, seed=19)
    closes = b.series.closes.copy()
    closes[300:600] = closes[300]
    found = studied(a, history(closes, symbol="BBB"))
    shares = by_name(found["rolling"])
    assert shares["AAA"]["share"] > 0.85
    assert sum(row["share"] for row in shares.values()) == pytest.approx(1)
    assert "16 more windows of which nothing can be said" in found["rolling"].notes[1]
    assert any("(16 more cannot be said)" in text for text in found.findings)
    assert not any("nan" in text for text in found.findings)


def test_the_candidate_of_no_leader_is_not_shown_as_a_lag():
    row = by_name(studied(*linked_pair(600, 0.7, 4))["verdict"])["window"]
    assert (row["leader"], row["lag"], row["lag_low"]) == ("none", None, None)
    assert row["candidate"]


def test_a_leg_that_leads_in_the_opposite_direction_leads():
    """D is negative, and its strength says why."""
    row = by_name(studied(*led_pair(share=-0.6, seed=20))["verdict"])["history"]
    assert (row["leader"], row["lag"]) == ("AAA", 2)
    assert row["strength"] < -0.4
    assert row["asymmetry"] < -0.4


def test_more_windows_than_chance_are_no_leader_where_both_legs_have_a_memory():
    e = np.random.default_rng(21).standard_normal((3, 3000))
    for t in range(1, 3000):
        e[:, t] += 0.8 * e[:, t - 1]
    legs = (history(prices(0.005 * (2 * e[0] + x)), symbol=s) for s, x in (("AAA", e[1]), ("BBB", e[2])))
    text = next(text for text in studied(*legs).findings if "rolling windows" in text)
    assert "neither clearly more often than the other" in text


def test_the_brief_answer_is_the_studys_first():
    for share in (0.0, 0.5):
        pair = paired(*led_pair(500, share=share, seed=22), Question(FRIDAY, Window.parse("61b"), 5))
        short, whole = lead.brief(pair), lead.study(pair)
        assert short.findings == whole.findings[:1]
        assert [section.heading.key for section in short.sections] == ["verdict"]
        mine, theirs = (next(found["verdict"].records()) for found in (short, whole))
        for key in ("span", "n", "lag", "lag_low", "lag_high", "strength", "asymmetry", "p_value", "leader"):
            assert mine[key] == theirs[key]


def test_a_step_longer_than_the_window_is_refused():
    with pytest.raises(UsageError, match="a step of 62 bars leaves out bars between windows of 61"):
        studied(*linked_pair(300, 0.5, 13), step=62)


def test_the_same_question_has_the_same_answer():
    a, b = linked_pair(300, 0.5, 16)
    one, other = studied(a, b, seed=3), studied(a, b, seed=3)
    assert [section.rows for section in one.sections] == [section.rows for section in other.sections]


def test_every_row_is_as_long_as_its_heading():
    for section in studied(*linked_pair(500, 0.5, 17)).sections:
        assert section.heading in lead.HEADINGS
        assert all(len(row) == len(section.heading.columns) for row in section.rows)
