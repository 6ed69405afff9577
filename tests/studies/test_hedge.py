"""Whether B hedges A."""

import math
import re
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import FRIDAY, history, linked_returns, prices, weekdays

from pairwatch.errors import NotEnoughData, UsageError
from pairwatch.kernels import slope
from pairwatch.model import Window
from pairwatch.staging import Question
from pairwatch.studies import hedge
from pairwatch.studies.hedge import Episode, Terms, held, legs
from pairwatch.studies.paired import paired

light = settings(max_examples=25)
seeds = st.integers(0, 2**31)
NO_EPISODES = ()


def pair_of(a, b, window="61b", since=None, **facts):
    """AAA and BBB with these changes, on the weekdays up to FRIDAY."""
    of_a, of_b = ({name[2:]: value for name, value in facts.items() if name.startswith(side)} for side in ("a_", "b_"))
    first = history(_levels(a, of_a), symbol="AAA", **of_a)
    second = history(_levels(b, of_b), symbol="BBB", **of_b)
    return paired(first, second, Question(FRIDAY, Window.parse(window)), since)


def _levels(changes, facts):
    if facts.get("measure") == "rate":
        return np.r_[4.0, 4.0 + np.cumsum(changes)]
    return prices(changes)


def linked(n=400, rho=0.8, seed=0, **more):
    return pair_of(*linked_returns(n, rho, seed), **more)


def studied(pair, terms=None, shocks=(), episodes=NO_EPISODES):
    return hedge.study(pair, terms or Terms(), [hedge.read_shock(text) for text in shocks], episodes)


def rows(study, section):
    """A section's rows by the text that names them."""
    return {next(iter(row.values())): row for row in study[section].records()}


# ---------------------------------------------------------------- out of sample


def test_out_of_sample_is_what_pandas_makes_of_ratios_known_before():
    a, b = linked_returns(400, 0.8)
    row = rows(studied(pair_of(a, b), Terms(every=1)), "out_of_sample")["61 bars"]
    x, y = pd.Series(b), pd.Series(a)
    ratio = (y.rolling(61).cov(x) / x.rolling(61).var()).shift(1)[61:]
    first = len(a) - int(studied(pair_of(a, b), Terms(every=1))["out_of_sample"].notes[0].split()[0])
    ratio = ratio[ratio.index >= first]
    hedged = (y - ratio * x)[first:]
    assert row["effectiveness"] == pytest.approx(1 - hedged.var() / y[first:].var(), rel=1e-9)
    assert row["volatility"] == pytest.approx(hedged.std() * math.sqrt(252), rel=1e-9)
    assert row["ratio"] == pytest.approx(ratio.mean(), rel=1e-9)
    assert row["return"] == pytest.approx(hedged.mean() * 252)
    wealth = np.r_[1, np.cumprod(1 + hedged)]
    assert row["drawdown"] == pytest.approx((wealth / np.maximum.accumulate(wealth) - 1).min())


def test_between_settings_the_units_stay_and_the_ratio_of_values_drifts():
    a, b = linked_returns(120, 0.8)
    found = held.trial(legs.sides(pair_of(a, b)), (held.ratios_of(a, b, 61),), Terms(every=30))
    estimate = slope(b[:61], a[:61])
    units = estimate * np.cumprod(np.r_[1, 1 + b[61:90]]) / np.cumprod(np.r_[1, 1 + a[61:90]])
    assert found.main.ratios[:30] == pytest.approx(units)
    assert found.main.ratios[30] == pytest.approx(slope(b[30:91], a[30:91]))


def test_costs_are_what_is_traded_times_the_price_of_trading():
    a, b = linked_returns(300, 0.8)
    study = studied(pair_of(a, b), Terms(cost=0.001, every=21))
    row = rows(study, "out_of_sample")["61 bars"]
    free = rows(studied(pair_of(a, b), Terms(every=21)), "out_of_sample")["61 bars"]
    assert row["cost"] == pytest.approx(row["turnover"] * 0.001)
    assert row["return"] == pytest.approx(free["return"] - row["cost"])
    assert math.isnan(free["cost"])
    assert row["effectiveness"] == free["effectiveness"]
    costs = next(line for line in study.findings if line.startswith("costs take"))
    taken, turnover = f"{100 * row['cost']:.2f}%", f"{row['turnover']:.1f}"
    assert costs.startswith(f"costs take {taken} a year (10 bp each, turnover {turnover} a year); volatility is ")
    assert "+" not in costs  # a volatility has no sign


def test_a_position_that_is_never_set_again_trades_once():
    a, b = linked_returns(300, 0.8)
    found = held.trial(legs.sides(pair_of(a, b)), (held.ratios_of(a, b, 61),), Terms(every=1000))
    assert found.main.turnover == pytest.approx(abs(slope(b[:61], a[:61])) * 252 / 239)


@given(seeds, st.integers(120, 298), st.integers(1, 40))
@light
def test_nothing_that_is_said_of_a_bar_changes_with_what_comes_after_it(seed, t, every):
    a, b = linked_returns(300, 0.7, seed)
    other = np.random.default_rng(seed + 1).normal(0, 0.03, (2, 300 - t))
    changed = np.r_[a[:t], other[0]], np.r_[b[:t], other[1]]
    trials = []
    for x, y in ((a, b), changed):
        sides = legs.sides(pair_of(x, y))
        ratios = tuple(held.ratios_of(x, y, bars) for bars in (61, 0))
        trials.append((held.trial(sides, ratios, Terms(0.001, every)), ratios))
    (before, known), (after, known_after) = trials
    upto = t - before.first
    kept = (*before.kept, before.naive, before.reverse), (*after.kept, after.naive, after.reverse)
    for one, two in zip(*kept, strict=True):
        assert np.array_equal(one.hedged[:upto], two.hedged[:upto])
        assert np.array_equal(one.paid[:upto], two.paid[:upto])
    for one, two in zip(known, known_after, strict=True):
        assert np.array_equal(one.known[: t + 1], two.known[: t + 1], equal_nan=True)


def test_all_hedges_are_judged_over_the_same_bars():
    study = studied(linked(800))
    assert [row["hedge"] for row in study["out_of_sample"].records()] == [
        "61 bars",
        "252 bars",
        "all bars before",
        "one for one",
        "no hedge",
        "the other way round",
    ]
    assert study["out_of_sample"].notes[0].startswith("548 bars ")


def test_the_other_way_round_is_the_pair_swapped():
    a, b = linked_returns(500, 0.7)
    here, there = studied(pair_of(a, b)), studied(pair_of(b, a))
    reverse, main = rows(here, "out_of_sample")["the other way round"], rows(there, "out_of_sample")["61 bars"]
    for key in ("effectiveness", "effectiveness_low", "volatility", "drawdown", "turnover", "ratio", "return"):
        assert reverse[key] == pytest.approx(main[key])


# ---------------------------------------------------------------- ratios


@given(seeds, st.floats(-0.9, 0.9))
@light
def test_in_sample_both_ways_take_away_the_same_share(seed, rho):
    found = rows(studied(linked(150, rho, seed)), "ratios")
    ours, theirs = found["BBB for AAA, all bars"], found["AAA for BBB, all bars"]
    for key in ("effectiveness", "effectiveness_low", "effectiveness_high", "correlation", "n"):
        assert ours[key] == pytest.approx(theirs[key])
    assert ours["ratio"] * theirs["ratio"] == pytest.approx(ours["effectiveness"])
    assert ours["effectiveness"] == pytest.approx(ours["correlation"] ** 2)


def test_a_leg_of_twice_the_changes_needs_half_the_ratio():
    a, b = linked_returns(300, 0.8)
    rates = {"a_measure": "rate", "a_unit": "percent", "b_measure": "rate", "b_unit": "percent"}
    one, two = (studied(pair_of(a, k * b, **rates)) for k in (1, 2))
    for name in ("BBB for AAA, all bars", "BBB for AAA, 61 bars"):
        assert rows(two, "ratios")[name]["ratio"] == pytest.approx(rows(one, "ratios")[name]["ratio"] / 2)
        assert rows(two, "ratios")[name]["effectiveness"] == pytest.approx(rows(one, "ratios")[name]["effectiveness"])
    here, there = (rows(study, "out_of_sample")["61 bars"] for study in (one, two))
    assert there["effectiveness"] == pytest.approx(here["effectiveness"])


def test_the_lowest_bars_ratio_is_of_the_hedging_legs_lowest_bars():
    a, b = linked_returns(600, 0.8)
    row = rows(studied(pair_of(a, b)), "ratios")["BBB for AAA, lowest 5%"]
    at = np.argsort(b)[:30]
    assert (row["n"], row["ratio"]) == (30, pytest.approx((a[at] @ b[at]) / (b[at] @ b[at])))


# ---------------------------------------------------------------- verdicts


def test_a_leg_that_follows_is_a_hedge():
    answer = studied(linked(600, 0.97)).findings[0]
    assert answer.startswith("BBB hedges AAA: out of sample it takes away 9")
    assert "AAA's 10 worst days hedged " in answer


@pytest.mark.parametrize(("n", "rho"), [(25, 0.8), (600, 0.9), (600, 0.0)])
def test_what_why_quotes_is_the_first_finding_and_what_it_rests_on(n, rho):
    pair = linked(n, rho, window="20b")
    brief, whole = hedge.brief(pair), hedge.study(pair)
    assert brief.findings == whole.findings[:1]
    assert repr(brief["out_of_sample"]) == repr(whole["out_of_sample"])
    assert brief.warnings == whole.warnings


def test_in_brief_a_leg_that_does_not_move_is_said():
    pair = pair_of(np.zeros(300), linked_returns(300)[1])
    assert hedge.brief(pair).findings == hedge.study(pair).findings


def test_a_twin_takes_away_everything():
    a, _ = linked_returns(600)
    study = studied(pair_of(a, a))
    assert study.findings[0].startswith("BBB hedges AAA: out of sample it takes away 100% [100%, 100%]")
    assert not any("one for one" in line for line in study.findings)


def test_a_leg_that_follows_somewhat_is_one_in_part():
    assert studied(linked(2000, 0.7)).findings[0].startswith("BBB hedges AAA in part: ")
    assert studied(linked(2000, 0.4)).findings[0].startswith("BBB hedges AAA a little: ")


@pytest.mark.parametrize("seed", range(5))
def test_an_unrelated_leg_is_none(seed):
    answer = studied(linked(600, 0, seed)).findings[0]
    assert answer.startswith("no hedge: out of sample BBB adds ")
    assert "to AAA's variance over 348 bars" in answer


def test_a_ratio_of_few_bars_that_does_worse_than_one_for_one_is_said():
    b, e = np.random.default_rng(3).normal(0, 0.01, (2, 4000))
    study = studied(pair_of(b + 1.2 * e, b, "20b"))
    assert study.findings[0].startswith("no gain from a ratio: BBB one for one takes away ")


def test_beside_one_for_one_it_is_said_again_which_way_the_ratio_changes_the_variance():
    b, e = np.random.default_rng(3).normal(0, 0.01, (2, 4000))
    naive = next(line for line in studied(pair_of(0.3 * b + e, b)).findings if line.startswith("one for one"))
    assert re.search(r"adds \d+% \[.*\] to the variance, the ratio of 61 bars takes away \d+% of it \(p", naive)
    naive = next(line for line in studied(pair_of(-0.01 * b + e, b)).findings if line.startswith("one for one"))
    assert re.search(r"the ratio of 61 bars adds \d+% to it \(p", naive)


def test_changes_have_their_sign_in_sentences():
    found = studied(linked(600, 0.8), shocks=["B=3%"], episodes=[Episode("all", FRIDAY.replace(year=2025), FRIDAY)])
    changes = [one for line in found.findings for one in re.findall(r"\S+\d\.\d%", line)]
    assert changes
    assert all(one.lstrip("[")[0] in "+-" for one in changes), found.findings


def test_what_an_interval_leaves_open_is_no_no():
    answer = studied(linked(50, 0.75, seed=3, window="20b")).findings[0]
    assert answer.startswith("whether BBB hedges AAA cannot be said: out of sample it takes away ")
    assert "[-" in answer


def test_of_few_bars_it_is_not_decided_whether_one_for_one_does_better():
    b, e = np.random.default_rng(3).normal(0, 0.01, (2, 4000))
    a = b + 1.2 * e
    assert held.trial(legs.sides(pair_of(a, b, "20b")), (held.ratios_of(a, b, 20),), Terms()).against_one < 0.05
    few = studied(pair_of(a[:900], b[:900], "20b"))
    assert not few.findings[0].startswith("no gain")
    assert any("which does better cannot be said of 648 bars (fewer than 1,000)" in line for line in few.findings)
    assert any("fewer than 1,000 bars: where each leg" in note for note in few["out_of_sample"].notes)


def test_twins_are_not_tested_for_what_rounding_leaves():
    a, _ = linked_returns(1500)
    sides = legs.sides(pair_of(a, a))
    twin = sides._replace(b=sides.a * (1 + 1e-15))
    assert math.isnan(held.trial(twin, (held.ratios_of(a, a, 61),), Terms()).against_one)


def test_what_was_asked_for_comes_before_what_was_not_and_seven_findings_are_enough():
    pair = linked(600)
    slump = (Episode("slump", pair.day(300), pair.day(330)),)
    found = studied(pair, Terms(0.001), ["B=-3%", "A=2%"], slump).findings
    assert len(found) == 7
    assert found[1].startswith("BBB -3.0%: AAA ")
    assert found[2].startswith("AAA +2.0%: BBB ")
    assert any(line.startswith("costs take") for line in found)


def test_of_too_few_bars_nothing_is_said_out_of_sample():
    study = studied(linked(35))
    assert study.findings[0] == (
        "whether BBB hedges AAA cannot be said out of sample: too few bars, a ratio was known for 15 of 35 and 20 are "
        "needed"
    )
    assert study["out_of_sample"].rows == ()
    assert len(study["ratios"].rows) == 2
    assert math.isnan(rows(study, "worst_days")["AAA 1"]["hedged"]) or study["worst_days"].notes


def test_of_fewer_than_a_ratio_needs_nothing_is_said_at_all():
    with pytest.raises(NotEnoughData, match="have 19 common returns"):
        studied(linked(19))


def test_monthly_legs_are_hedged_by_ratios_of_five_years():
    a, b = linked_returns(300, 0.9)
    days = np.arange("2000-01", "2026-12", dtype="datetime64[M]")[-301:] + 1
    days = days.astype("datetime64[D]") - 1
    first, second = (history(prices(x), days, symbol=name, frequency="month") for x, name in ((a, "AAA"), (b, "BBB")))
    pair = paired(first, second, Question(date(2026, 12, 31), Window.parse("5y")))
    found = studied(pair)["out_of_sample"]
    assert found.rows[0][0] == "60 bars"
    assert "ratios set every 1 bar," in found.notes[0]
    assert "in AAA's 10 worst bars hedged " in studied(pair).findings[0]
    assert studied(pair)["worst_days"].heading.title == "AAA's 10 worst bars, and BBB's 10 worst bars"


def test_a_leg_that_never_moves_is_no_hedge_and_that_is_the_reason():
    a, _ = linked_returns(300)
    pair = pair_of(a, np.zeros(300))
    study = studied(pair, shocks=["B=-1%"], episodes=(Episode("slump", pair.day(200), pair.day(230)),))
    assert study.findings == ("no hedge: BBB does not move in 300 bars, and BBB is none for AAA",)
    assert study["out_of_sample"].notes == (
        "BBB does not move in 300 bars: there is nothing to hedge with, or nothing to hedge",
    )
    assert study["worst_days"].notes == ("BBB does not move in 300 bars",)
    assert {row["which"][:3] for row in study["worst_days"].records()} == {"AAA"}
    assert rows(study, "stress")["slump"]["note"] == "there is no ratio"
    assert not rows(study, "stress")["slump"]["in_sample"]


def test_a_leg_that_never_moves_needs_no_hedge():
    _, b = linked_returns(300)
    study = studied(pair_of(np.zeros(300), b))
    assert study.findings == ("no hedge: AAA does not move in 300 bars, and AAA needs no hedge",)
    assert study["out_of_sample"].rows == ()


def test_what_moves_against_a_leg_is_held_long_and_never_short_by_a_negative_number():
    a, b = linked_returns(400, 0.8)
    there, back = (
        next(one for one in studied(pair).findings if "ratio: " in one) for pair in (pair_of(a, b), pair_of(a, -b))
    )
    assert re.match(r"ratio: 0\.\d\d \[0\.\d\d, \d\.\d\d\] of BBB short for one of AAA, of all 400 bars; of", there)
    assert back == there.replace(" short ", " long ")
    assert "-" not in back


def test_a_ratio_of_the_window_on_the_other_side_says_so():
    a, b = linked_returns(400, 0.8)
    turned = np.r_[b[:-61], -b[-61:]]
    text = next(one for one in studied(pair_of(a, turned)).findings if "ratio: " in one)
    assert " of BBB short for one of AAA" in text
    assert re.search(r"; of the last 61 \d\.\d\d \[\d\.\d\d, \d\.\d\d\] long$", text)


def test_the_ends_of_an_interval_have_the_decimals_of_the_ratio():
    a, b = linked_returns(400, 0.8)
    text = next(one for one in studied(pair_of(a, 30 * b)).findings if "ratio: " in one)
    assert re.search(r"ratio: 0\.0\d\d \[0\.0\d\d, 0\.0\d\d\] of BBB", text)


@pytest.mark.parametrize(
    ("facts", "pattern"),
    [
        (("a", "b"), r"AAA moves \+\d\.\d\d bp \[\+\d\.\d\d bp, \+\d\.\d\d bp\] with each 1 bp of BBB"),
        (("a",), r"AAA moves \+\d+\.\d\d bp \[\+\d+\.\d\d bp, \+\d+\.\d\d bp\] with each 1% of BBB"),
        (("b",), r"AAA moves \+\d\.\d+% \[\+\d\.\d+%, \+\d\.\d+%\] with each 1 bp of BBB"),
    ],
)
def test_a_ratio_of_rates_is_in_their_units(facts, pattern):
    a, b = linked_returns(400, 0.8)
    more = {f"{side}_{key}": value for side in facts for key, value in (("measure", "rate"), ("unit", "percent"))}
    text = next(one for one in studied(pair_of(a, b, **more)).findings if "ratio: " in one)
    assert re.match(f"ratio: {pattern}, of all 400 bars; of the last 61 ", text), text
    assert "short" not in text


def test_a_leg_that_has_stopped_is_none_now():
    a, b = linked_returns(400, 0.8)
    ratio = next(line for line in studied(pair_of(a, np.r_[b[:330], np.zeros(70)])).findings if "ratio: " in line)
    assert ratio.endswith("of all 400 bars; of the last 61 none, in which BBB does not move")


@pytest.mark.parametrize("side", ["a", "b"])
def test_no_sentence_says_unknown(side):
    a, b = linked_returns(400, 0.8)
    still = {"a": a, "b": b}
    still[side] = np.r_[np.zeros(150), still[side][150:200], np.zeros(200)]
    pair = pair_of(still["a"], still["b"])
    found = studied(pair, Terms(0.001), ["A=-3%", "B=-3%"], (Episode("slump", pair.day(300), pair.day(330)),))
    assert not [line for line in found.findings if "unknown" in line or "nan" in line]


# ---------------------------------------------------------------- units


def test_rates_are_hedged_in_basis_points():
    a, b = linked_returns(400, 0.9)
    rates = {"a_measure": "rate", "a_unit": "percent", "b_measure": "rate", "b_unit": "percent"}
    study = studied(pair_of(a, b, **rates), shocks=["A=-25bp"])
    columns = {column.key: column.unit for column in study["worst_days"].heading.columns}
    assert (columns["a"], columns["b"], columns["hedged"]) == ("bp", "bp", "bp")
    worst = rows(study, "worst_days")["AAA 1"]
    assert worst["a"] == pytest.approx(100 * a[61:].min())
    assert study["drawdowns"].rows == ()
    assert "AAA changes by differences, and has no fall in percent" in study["drawdowns"].notes
    assert math.isnan(rows(study, "out_of_sample")["61 bars"]["turnover"])
    assert (
        "AAA cannot be held (it is a rate): nobody can trade this hedge, its numbers say how both moved"
        in study.warnings
    )
    assert "AAA -25.0 bp: BBB" in study.findings[1]
    assert "in AAA's 10 largest falls hedged" in study.findings[0]
    assert study["worst_days"].heading.title == "AAA's 10 largest falls, and BBB's 10 largest falls"


def trial_of(a, b, points=""):
    """The trial by 61 bars' ratios, set every 30 bars at 10 bp, of these closes; the legs named in points."""
    changes = ["points" if name in points else "" for name in "ab"]
    first, second = (
        history(levels, symbol=symbol, changes=how)
        for levels, symbol, how in zip((a, b), ("AAA", "BBB"), changes, strict=True)
    )
    sides = legs.sides(paired(first, second, Question(FRIDAY, Window.parse("61b"))))
    return sides, held.trial(sides, (held.ratios_of(sides.a, sides.b, 61),), Terms(0.001, 30))


@pytest.mark.parametrize("points", ["a", "b", "ab"])
@pytest.mark.parametrize("turned", [False, True])
def test_what_is_traded_of_legs_in_points_is_counted_in_values(points, turned):
    a, b = (prices(x, 40.0) for x in linked_returns(151, 0.9))
    sides, found = trial_of(a, 5 * b, points)
    kept = found.reverse if turned else found.main
    ours, theirs = (5 * b, a) if turned else (a, 5 * b)
    in_points = [name in points for name in ("ba" if turned else "ab")]
    x, y = sides.changes[::-1] if turned else sides.changes
    traded = paid = before = 0.0
    for t in (61, 91, 121):
        # An account in money: what one unit of ours, or its worth, needs of theirs, and what it has kept.
        one = 1.0 if in_points[0] else 1 / ours[t]
        ratio = np.cov(x[t - 61 : t], y[t - 61 : t])[0, 1] / np.var(y[t - 61 : t], ddof=1)
        units = ratio / (1 if in_points[1] else theirs[t]) / one  # of theirs to one of ours
        money = abs(units - before) * theirs[t]
        traded, paid, before = traded + money / ours[t], paid + money * 0.001 * one, units
    assert found.first == 61
    assert kept.turnover == pytest.approx(traded * 252 / 90)
    assert kept.paid.sum() == pytest.approx(paid)


def test_of_a_leg_below_zero_nothing_that_is_traded_is_a_share():
    a, b = (prices(x) for x in linked_returns(300, 0.9))
    study = hedge.study(
        paired(
            history(a, symbol="AAA"),
            history(b - b.mean(), symbol="BBB", changes="points"),
            Question(FRIDAY, Window.parse("61b")),
        ),
        Terms(0.001),
        episodes=NO_EPISODES,
    )
    row = rows(study, "out_of_sample")["61 bars"]
    assert math.isnan(row["turnover"])
    assert math.isnan(row["cost"])
    assert math.isnan(row["return"])
    assert row["effectiveness"] > 0.3
    assert "no turnover and no costs: a leg is at zero or below when a ratio is set" in study["out_of_sample"].notes
    assert not any(line.startswith("costs take") for line in study.findings)


def test_a_level_that_nobody_holds_costs_nothing_to_trade_and_is_said():
    a, b = linked_returns(400, -0.7)
    study = studied(pair_of(a, b, b_measure="level"), Terms(cost=0.001))
    row = rows(study, "out_of_sample")["61 bars"]
    assert math.isnan(row["turnover"])
    assert math.isnan(row["cost"])
    assert row["effectiveness"] > 0.3
    assert "no costs: a leg cannot be held" in study["out_of_sample"].notes
    assert any("BBB cannot be held" in warning for warning in study.warnings)


def test_legs_of_two_units_have_no_one_for_one():
    a, b = linked_returns(400, 0.7)
    study = studied(pair_of(a, b, b_measure="rate", b_unit="percent"))
    assert "one for one" not in rows(study, "out_of_sample")
    assert "no one for one: the legs are not counted in the same thing" in study["out_of_sample"].notes
    assert math.isnan(rows(study, "out_of_sample")["the other way round"]["volatility"])


# ---------------------------------------------------------------- worst days, deepest falls


def test_worst_days_are_those_of_the_lowest_changes_with_the_ratio_of_the_bars_before():
    a, b = linked_returns(400, 0.8, seed=2)
    pair = pair_of(a, b)
    found = rows(studied(pair), "worst_days")
    for rank, t in enumerate(61 + np.argsort(a[61:])[:10], 1):
        row = found[f"AAA {rank}"]
        ratio = np.cov(a[t - 61 : t], b[t - 61 : t])[0, 1] / np.var(b[t - 61 : t], ddof=1)
        assert row["day"] == pair.day(t + 1)
        assert row["ratio"] == pytest.approx(ratio)
        assert row["hedged"] == pytest.approx(a[t] - ratio * b[t])
    mean = found["AAA mean"]
    assert mean["hedged"] == pytest.approx(np.mean([found[f"AAA {i}"]["hedged"] for i in range(1, 11)]))
    assert found["AAA usual"]["b"] == pytest.approx(mean["a"] * np.polyfit(a, b, 1)[0])
    assert found["BBB usual"]["a"] == pytest.approx(found["BBB mean"]["b"] * np.polyfit(b, a, 1)[0])


def test_only_days_for_which_a_ratio_was_known_are_among_the_worst():
    a, b = linked_returns(400, 0.8, seed=2)
    b[100:200] = 0  # no ratio of 61 bars is known from the 162nd on
    a[170] = -0.2
    study = studied(pair_of(a, b))
    found = rows(study, "worst_days")
    assert all(math.isfinite(found[f"{name} {i}"]["hedged"]) for name in ("AAA", "BBB") for i in range(1, 11))
    assert math.isfinite(found["AAA mean"]["hedged"])
    assert found["AAA 1"]["a"] > -0.2
    assert "AAA's 10 worst days hedged " in study.findings[0]


def test_a_leg_that_moves_as_always_leaves_its_usual_share_on_the_worst_days():
    a, b = linked_returns(3000, 0.8, seed=2)
    found = rows(studied(pair_of(a, b)), "worst_days")
    assert found["AAA mean"]["hedged"] == pytest.approx(found["AAA usual"]["hedged"], abs=0.005)


def test_a_hedge_from_peak_to_trough_is_of_units_bought_at_the_peak():
    a, b = linked_returns(500, 0.8, seed=5)
    pair = pair_of(a, b)
    row = rows(studied(pair), "drawdowns")["AAA 1"]
    days = pair.days.tolist()
    peak, trough = days.index(row["peak"]), days.index(row["trough"])
    x, y = pair.pair.a.levels, pair.pair.b.levels
    assert row["a"] == pytest.approx((x / np.maximum.accumulate(x) - 1).min())
    assert row["b"] == pytest.approx(y[trough] / y[peak] - 1)
    if peak >= 61:
        ratio = slope(b[peak - 61 : peak], a[peak - 61 : peak])
        assert row["hedged"] == pytest.approx(row["a"] - ratio * row["b"])
    assert row["recovered"] is None or x[days.index(row["recovered"])] >= x[peak]


# ---------------------------------------------------------------- episodes


def day(pair, at):
    return pair.day(at)


def test_an_episode_is_a_change_between_two_closes_with_the_ratio_known_at_the_first():
    a, b = linked_returns(400, 0.8)
    pair = pair_of(a, b)
    row = rows(studied(pair, episodes=(Episode("slump", pair.day(200), pair.day(230)),)), "stress")["slump"]
    x, y = pair.pair.a.levels, pair.pair.b.levels
    ratio = slope(b[139:200], a[139:200])
    assert row["a"] == pytest.approx(x[230] / x[200] - 1)
    assert row["ratio"] == pytest.approx(ratio)
    assert row["hedged"] == pytest.approx(row["a"] - ratio * (y[230] / y[200] - 1))
    assert (row["in_sample"], row["note"]) == ("", "")


def test_an_episode_names_the_closes_that_its_changes_are_made_of():
    a, b = linked_returns(240, 0.8)
    months = np.array([np.datetime64("2006-12") + i for i in range(241)], "M8[M]").astype("M8[D]") - 1
    made = [history(prices(x), months, symbol=s, frequency="month") for x, s in ((a, "AAA"), (b, "BBB"))]
    pair = paired(*made, Question(FRIDAY, Window.parse("36b")))
    slump = Episode("slump", months[100].item() + timedelta(10), months[112].item() + timedelta(5))
    found = studied(pair, episodes=(slump,))["stress"]
    assert next(found.records())["closes"] == f"{months[100]} to {months[112]}"
    assert any("the column `closes`" in note for note in found.notes)


def test_closes_of_two_legs_that_differ_are_both_named():
    a, b = linked_returns(400, 0.8)
    days = weekdays(401)
    first, second = history(prices(a), days, symbol="AAA"), history(np.delete(prices(b), 200), np.delete(days, 200))
    pair = paired(first, second, Question(FRIDAY, Window.parse("61b")))
    found = studied(pair, episodes=(Episode("slump", days[200].item(), days[230].item()),))["stress"]
    assert next(found.records())["closes"] == f"{days[200]} to {days[230]} and {days[199]} to {days[230]}"
    assert not any("the column `closes`" in note for note in found.notes)


def test_before_a_legs_first_bar_an_episode_is_said_and_what_the_other_did_is_shown():
    a, b = linked_returns(400, 0.8)
    days = weekdays(401)
    first, second = history(prices(a), days, symbol="AAA"), history(prices(b)[150:], days[150:], symbol="BBB")
    pair = paired(first, second, Question(FRIDAY, Window.parse("61b")))
    early = Episode("early", days[20].item(), days[40].item())
    middle = Episode("middle", days[100].item(), days[200].item())
    found = studied(pair, episodes=(early, middle))
    for row in rows(found, "stress").values():
        assert math.isfinite(row["a"])
        assert math.isnan(row["b"])
        assert math.isnan(row["hedged"])
        assert row["note"] == f"before BBB's first bar, of {days[150]}"
    assert found["stress"].notes == (f"before BBB's first bar, of {days[150]}: early, middle",)
    assert "none of 2 episodes has closes of both legs" in found.findings


def test_where_no_ratio_was_known_that_of_the_whole_history_is_marked():
    a, b = linked_returns(400, 0.8)
    pair = pair_of(a, b)
    found = studied(pair, episodes=(Episode("early", pair.day(5), pair.day(30)),))
    row = rows(found, "stress")["early"]
    assert (row["in_sample"], row["ratio"]) == ("yes", pytest.approx(slope(b, a)))
    assert "with the ratio of all 400 bars, which was not known then: early" in found["stress"].notes


def test_what_is_not_over_has_no_numbers_yet_and_what_has_not_begun_is_named():
    pair = linked()
    running = Episode("running", pair.day(-5), date(2027, 1, 4))
    later = Episode("later", date(2027, 1, 4), date(2027, 2, 1))
    study = studied(pair, episodes=(running, later))
    row = rows(study, "stress")["running"]
    assert (row["note"], row["to"]) == ("not over at the last close, of 2026-11-20", date(2027, 1, 4))
    assert all(math.isnan(row[key]) for key in ("a", "b", "hedged", "ratio"))
    assert list(rows(study, "stress")) == ["running"]
    assert study["stress"].notes == (
        "not over at the last close, of 2026-11-20: running",
        "after the last close, of 2026-11-20, and not shown: later",
    )
    assert not any("episode" in finding for finding in study.findings)


def told_episodes(changes):
    """What is said of episodes with these changes: A's, B's, the hedged position's."""
    pair = linked()
    past = [
        hedge.stress.Told(Episode(name, pair.day(1), pair.day(9)), (a, b), hedged, 1.0, in_sample=False, notes=())
        for name, (a, b, hedged) in changes.items()
    ]
    return hedge.findings._stress(hedge.findings.Found(legs.sides(pair), (), None, (None, None), past, [], Terms()))


def test_the_episode_that_is_named_is_one_in_which_the_hedge_did_worse():
    text = told_episodes(
        {"helped": (-0.343, -0.25, -0.187), "rotation": (-0.013, 0.104, -0.072), "slightly": (-0.02, 0.0, -0.03)}
    )
    assert text == (
        "in 2 of 3 episodes the hedged position did worse than AAA alone, most in rotation: -7.2% hedged, AAA -1.3%, "
        "BBB +10.4%; its largest loss was in helped: -18.7% hedged, AAA -34.3%, BBB -25.0%"
    )


def test_where_the_hedge_never_did_worse_none_is_named_for_that():
    assert told_episodes({"x": (-0.2, -0.1, -0.1)}) == (
        "in none of 1 episode the hedged position did worse than AAA alone; its largest loss was in x: -10.0% hedged, "
        "AAA -20.0%, BBB -10.0%"
    )
    assert told_episodes({"x": (-0.2, -0.1, 0.1)}).endswith("did worse than AAA alone")


def test_an_episode_that_is_the_worst_in_both_ways_is_named_once():
    text = told_episodes({"x": (-0.1, 0.1, -0.2), "y": (0.1, 0.1, 0.0)})
    assert text.count("x:") == 1
    assert "largest loss" not in text


def test_ratios_of_the_whole_history_are_said_in_the_finding():
    pair = linked()
    early = Episode("early", pair.day(5), pair.day(30))
    found = next(one for one in studied(pair, episodes=(early,)).findings if "episode" in one)
    assert found.endswith(f"; it is by the ratio of all {pair.n} bars, which was not known then")


def test_bars_that_do_not_fit_an_episode_say_nothing():
    a, b = linked_returns(100, 0.8)
    days = np.arange("2018-01", "2026-12", dtype="datetime64[M]")[-101:].astype("datetime64[D]") + 27
    legs_of = [history(prices(x), days, symbol=s, frequency="month") for x, s in ((a, "AAA"), (b, "BBB"))]
    pair = paired(*legs_of, Question(date(2026, 12, 31), Window.parse("2y")))
    found = studied(
        pair,
        episodes=(
            Episode("days", date(2020, 3, 6), date(2020, 3, 9)),
            Episode("years", date(2020, 3, 6), date(2023, 3, 9)),
        ),
    )
    assert rows(found, "stress")["days"]["note"] == "no bars of AAA that fit; no bars of BBB that fit"
    assert math.isfinite(rows(found, "stress")["years"]["hedged"])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of pandas, about what the calendars do
def test_the_shipped_episodes_are_between_closes_of_new_york_and_sourced():
    import exchange_calendars

    sessions = exchange_calendars.get_calendar("XNYS", start="1980-01-01")
    found = hedge.shipped()
    assert len(found) >= 25
    assert list(found) == sorted(found, key=lambda one: one.since)
    for one in found:
        assert all(sessions.is_session(str(end)) for end in (one.since, one.until)), one.name
        assert one.what.endswith(".")
        assert one.source
        assert len(one.name) <= 20


def test_of_one_name_the_users_episode_counts():
    own = (
        Episode("brexit VOTE", date(2016, 6, 23), date(2016, 7, 1)),
        Episode("first", date(1950, 1, 2), date(1950, 1, 3)),
    )
    found = hedge.together([hedge.shipped(), own])
    assert found[0].name == "first"
    assert [one.until for one in found if one.name.casefold() == "brexit vote"] == [date(2016, 7, 1)]
    assert len(found) == len(hedge.shipped()) + 1


GOOD = '[[episodes]]\nname = "x"\nfrom = 2020-01-02\nto = "2020-01-03"\n'


def test_a_file_of_episodes_is_read():
    assert hedge.of_file(GOOD, "own.toml") == (Episode("x", date(2020, 1, 2), date(2020, 1, 3)),)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[[episodes", "own.toml is not TOML"),
        ("", "own.toml has no episode"),
        ("other = 1\n" + GOOD, "own.toml knows no key 'other'"),
        ("episodes = 3", "own.toml: episodes is no list"),
        ("episodes = [3]", r"episodes\[1\] is no table"),
        (GOOD + "colour = 1", r"episodes\[1\] knows no key 'colour'"),
        (GOOD.replace('"x"', "7"), r"episodes\[1\].name cannot be '7'"),
        (GOOD.replace('"x"', '" "'), r"episodes\[1\] has no key 'name'"),
        (GOOD.replace('"x"', f'"{"x" * 25}"'), r"episodes\[1\].name cannot be"),
        (GOOD.replace("from = 2020-01-02\n", ""), r"episodes\[1\] has no key 'from'"),
        (GOOD.replace("2020-01-02", "2020-01-03"), r"goes from 2020-01-03 to 2020-01-03"),
        (GOOD.replace('"2020-01-03"', '"soon"'), r"episodes\[1\].to cannot be 'soon'"),
        (GOOD.replace('"2020-01-03"', "3"), r"episodes\[1\].to cannot be '3'"),
        (GOOD.replace('"2020-01-03"', "2020-01-03T10:00:00"), r"episodes\[1\].to cannot be"),
        (GOOD + GOOD.replace('"x"', '"X"'), r"episodes\[2\] repeats 'X'"),
    ],
)
def test_an_episode_that_cannot_be_read_is_named(text, what):
    with pytest.raises(UsageError, match=what):
        hedge.of_file(text, "own.toml")


@pytest.mark.parametrize(
    "wrong", ["", '[[episodes]]\nname = "x"\n', GOOD + "colour = 1", "[[episodes]]\nto = 2020-01-02\n"]
)
def test_the_hint_shows_one_line_of_an_episode_that_works(wrong):
    with pytest.raises(UsageError) as caught:
        hedge.of_file(wrong, "own.toml")
    assert hedge.of_file(caught.value.hint.partition("one line that works: ")[2], "x")[0].name == "Brexit vote"


def test_texts_of_the_users_are_made_safe():
    found = hedge.of_file(GOOD + 'what = "a\\u001b[31mb"', "own.toml")
    assert "\x1b" not in found[0].what


# ---------------------------------------------------------------- shocks


@pytest.mark.parametrize(
    ("text", "name", "value", "unit"),
    [
        ("B=-10%", "B", -10, "%"),
        ("QQQ = +5 %", "QQQ", 5, "%"),
        ("EURUSD=X=-1%", "EURUSD=X", -1, "%"),
        ("A=-50bp", "A", -50, "bp"),
        ("a=.5", "a", 0.5, ""),
    ],
)
def test_a_shock_is_a_leg_and_an_amount(text, name, value, unit):
    assert tuple(hedge.read_shock(text)) == (name, value, unit)


@pytest.mark.parametrize("text", ["", "B", "B=", "=-10%", "B=ten", "B=0%", "B=-10 percent", "B=nan%", "B=1e400%"])
def test_what_is_no_shock_is_refused(text):
    with pytest.raises(UsageError, match="--shock cannot be"):
        hedge.read_shock(text)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("CCC=-10%", "names no leg of this pair"),
        ("B=-100%", "cannot lose more than all of it"),
        ("B=-10", "has no unit"),
        ("A=-10%", "AAA changes in bp"),
    ],
)
def test_a_shock_that_no_leg_can_take_is_refused(text, what):
    a, b = linked_returns(100)
    with pytest.raises(UsageError, match=what):
        studied(pair_of(a, b, a_measure="rate", a_unit="percent"), shocks=[text])


def test_a_letter_that_is_the_other_legs_symbol_is_refused_and_its_whole_name_is_not():
    a, b = linked_returns(100)
    pair = paired(history(prices(a), symbol="B"), history(prices(b), symbol="A"), Question(FRIDAY, Window.parse("61b")))
    with pytest.raises(UsageError, match="names both legs"):
        studied(pair, shocks=["A=-10%"])
    assert studied(pair, shocks=["yahoo:A=-10%"])["shocks"].rows[0][2] == "B"


def test_a_shock_moves_the_other_leg_by_beta_and_the_hedge_by_what_is_left():
    a, b = linked_returns(400, 0.8)
    study = studied(pair_of(a, b), shocks=["BBB=-2%"])
    beta, now = np.polyfit(b, a, 1)[0], slope(b[-61:], a[-61:])
    found = {(row["by"], row["what"]): row for row in study["shocks"].records()}
    other, left = found["all bars", "AAA"], found["all bars", "hedged"]
    assert other["expected"] == pytest.approx(beta * -0.02)
    assert left["expected"] == pytest.approx(beta * -0.02 + now * 0.02)
    for row in (other, left):
        assert row["bar_low"] < row["low"] < row["expected"] < row["high"] < row["bar_high"]
    assert left["high"] - left["low"] == pytest.approx(other["high"] - other["low"])
    assert set(found) == {(by, what) for by in ("all bars", "61 bars", "lowest 20") for what in ("AAA", "hedged")}


def test_a_shock_says_what_its_interval_is_of():
    a, b = linked_returns(400, 0.8)
    text = studied(pair_of(a, b), shocks=["BBB=-2%"]).findings[1]
    assert re.search(r"\[\S+%, \S+%\] by the beta of 400 bars and how far its 4 blocks differ, ", text)
    assert "0 lies within" not in text


def leveraged(slopes=(-0.6, -3.0, -3.0, -3.0), first=3.0):
    """A pair in four blocks, B moving by these slopes on A, which moves three times as much in the first."""
    rng = np.random.default_rng(4)
    a = 0.01 * rng.standard_normal(600) * np.repeat([first, 1.0, 1.0, 1.0], 150)
    return pair_of(a, a * np.repeat(slopes, 150) + 0.0002 * rng.standard_normal(600))


def test_one_block_that_makes_an_interval_hold_0_is_named_with_what_each_gives():
    pair = leveraged()
    study = studied(pair, shocks=["AAA=-5%"])
    row = next(row for row in study["shocks"].records() if (row["by"], row["what"]) == ("all bars", "BBB"))
    assert row["low"] < 0 < row["expected"] < row["high"]
    text = study.findings[1]
    assert "0 lies within only because blocks differ: each alone gives from +3.0% to +15.0%" in text
    assert f", and {pair.day(1)} to {pair.day(150)} (+3.0%) makes most of the width; by the scatter of the bars" in text
    assert re.search(r"alone it is \[\+\d\.\d%, \+\d\.\d%\]$", text)


def test_where_blocks_have_both_signs_an_interval_that_holds_0_is_no_surprise():
    text = studied(leveraged((0.6, -3.0, -3.0, -3.0)), shocks=["AAA=-5%"]).findings[1]
    assert "0 lies within" not in text


def test_where_the_scatter_holds_0_too_nothing_is_explained_away():
    a, b = linked_returns(400, 0.02, 5)
    assert "0 lies within" not in studied(pair_of(a, b), shocks=["AAA=-5%"]).findings[1]


def test_a_shock_of_the_held_leg_leaves_it_less_what_the_short_one_gains():
    a, b = linked_returns(400, 0.8)
    study = studied(pair_of(a, b), shocks=["A=+3%"])
    beta, now = np.polyfit(a, b, 1)[0], slope(b[-61:], a[-61:])
    row = next(row for row in study["shocks"].records() if row["what"] == "hedged")
    assert row["expected"] == pytest.approx(0.03 - now * beta * 0.03)
    assert "highest 20" in {row["by"] for row in study["shocks"].records()}


def test_a_move_beyond_all_that_was_seen_is_said():
    a, b = linked_returns(400, 0.8)
    study = studied(pair_of(a, b), shocks=["B=-50%", "B=-0.1%"])
    notes = [note for note in study["shocks"].notes if "never moved so far" in note]
    assert notes == [f"BBB has never moved so far in a bar: {100 * b.min():.1f}% at most; beyond that nothing is known"]


def test_one_bar_lies_within_its_interval_19_times_in_20():
    inside = 0
    for seed in range(200):
        a, b = linked_returns(301, 0.8, seed)
        study = hedge.shocks.outlooks(legs.sides(pair_of(a[:-1], b[:-1])), 1.0, hedge.shocks.Met(1, float(b[-1])))
        inside += study[0].other_bar.low <= a[-1] <= study[0].other_bar.high
    assert 0.9 < inside / 200 < 1


# ---------------------------------------------------------------- the whole


def test_every_row_is_as_long_as_its_heading_and_every_heading_is_known():
    a, b = linked_returns(600, 0.8)
    pair = pair_of(a, b)
    study = hedge.study(pair, Terms(0.0005), [hedge.read_shock("B=-10%")])
    assert [one.heading.key for one in study.sections] == [one.key for one in hedge.HEADINGS]
    for found, known in zip(study.sections, hedge.HEADINGS, strict=True):
        assert [c.key for c in found.heading.columns] == [c.key for c in known.columns]
        assert all(len(row) == len(known.columns) for row in found.rows)
        assert all(column.meaning.endswith(".") for column in known.columns)


def test_every_finding_carries_a_number():
    study = hedge.study(linked(600), Terms(0.0005), [hedge.read_shock("B=-10%")])
    assert all(any(sign.isdigit() for sign in line) for line in study.findings)


def test_the_same_pair_says_the_same():
    assert studied(linked(300)).findings == studied(linked(300)).findings


def test_since_leaves_out_what_was_before():
    pair = linked(400, since=weekdays(401)[200].item())
    assert studied(pair)["out_of_sample"].notes[0].startswith("139 bars ")
