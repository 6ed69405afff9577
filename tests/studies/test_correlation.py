"""How a pair's correlation moves."""

import math
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import FRIDAY, calendar_days, history, linked_returns, prices, weekdays

from pairwatch.errors import NotEnoughData, UsageError
from pairwatch.kernels import breaks, episodes
from pairwatch.kernels.cointegration import dickey_fuller_p
from pairwatch.kernels.dependence import Estimate
from pairwatch.kernels.draws import Draws
from pairwatch.kernels.regression import dickey_fuller, few_lags
from pairwatch.kernels.reversion import half_life
from pairwatch.model import Window
from pairwatch.staging import Question
from pairwatch.stats import percentiles
from pairwatch.studies import correlation
from pairwatch.studies.correlation import breakdowns, factor, now, phrases, regimes
from pairwatch.studies.paired import beside, paired

light = settings(max_examples=12)


def leg(returns, symbol, **facts):
    """A leg of prices, on weekdays."""
    return history(prices(returns), symbol=symbol, **facts)


def pair_of(a, b, window="60b", since=None, **question):
    return paired(leg(a, "AAA"), leg(b, "BBB"), Question(FRIDAY, Window.parse(window), **question), since)


def linked(n=600, rho=0.6, seed=0, window="60b"):
    return pair_of(*linked_returns(n, rho, seed), window)


def rows(section):
    return {row[0]: record for row, record in zip(section.rows, section.records(), strict=True)}


def third(pair, n=600, seed=9, **facts):
    """A leg beside the pair."""
    return beside(leg(linked_returns(n, 0, seed)[0], "CCC", **facts), pair)


# ---------------------------------------------------------------- now


def test_the_first_finding_is_the_correlation_with_its_interval_and_its_place_in_history():
    pair = linked()
    first = correlation.study(pair).findings[0]
    row = rows(correlation.study(pair)["now"])["60 bars (60b)"]
    assert first == (
        f"correlation {phrases.plain(row['r'])} over 60 bars {phrases.between(row['low'], row['high'])},"
        f" {phrases.ordinal(row['percentile'])} percentile of 2 years (10 windows that do not overlap)"
    )


@pytest.mark.parametrize("bars", [30, 60, 90])
def test_percentiles_and_extremes_are_those_of_pandas_rolling(bars):
    pair = linked()
    rolled = pd.Series(pair.pair.a.returns).rolling(bars).corr(pd.Series(pair.pair.b.returns)).dropna()
    found = next(r for r in correlation.study(pair)["now"].records() if r["n"] == bars)
    assert found["r"] == pytest.approx(rolled.iloc[-1], abs=1e-10)
    expected = (rolled.rank().iloc[-1] - 0.5) / len(rolled)
    assert found["percentile"] == pytest.approx(expected, abs=1e-12)
    assert (found["lowest"], found["median"], found["highest"]) == pytest.approx(
        (rolled.min(), rolled.median(), rolled.max()), abs=1e-9
    )
    assert found["windows"] == 600 // bars


def test_the_weighted_row_is_made_of_pandas_weights():
    pair = linked()
    a, b = (pd.Series(view.returns) for view in (pair.pair.a, pair.pair.b))
    means = [x.ewm(alpha=0.06).mean() for x in (a * b, a * a, b * b)]
    every = means[0] / np.sqrt(means[1] * means[2])
    found = rows(correlation.study(pair)["now"])["EWMA, decay .94"]
    assert found["r"] == pytest.approx(every.iloc[-1], abs=1e-12)
    later = every.iloc[75:]
    assert found["percentile"] == pytest.approx((later.rank().iloc[-1] - 0.5) / len(later), abs=1e-12)
    assert (found["n"], found["windows"]) == (32, int(525 / (1.94 / 0.06)))


def test_months_have_the_weights_of_months():
    study = correlation.study(monthly())
    assert "EWMA, decay .97" in rows(study["now"])
    assert "(decay .97) up to the bar before" in study["regimes"].notes[0]
    assert any(finding.startswith("up and down bars") for finding in study.findings)


def monthly(n=240):
    """Two legs of months."""
    days = np.array([np.datetime64("2006-12") + i for i in range(n + 1)], "M8[M]").astype("M8[D]") - 1
    legs = zip(linked_returns(n, 0.5), ("AAA", "BBB"), strict=True)
    made = [history(prices(x), days, symbol=s, frequency="month") for x, s in legs]
    return paired(*made, Question(FRIDAY, Window.parse("24b")))


def test_the_breaks_and_the_breakdowns_of_months_have_the_weights_of_months():
    pair = monthly()
    legs = pair.pair.a.returns, pair.pair.b.returns
    found = breakdowns.changed(pair).found
    assert found == breaks.correlation_break(*legs, 0.97)
    assert found != breaks.correlation_break(*legs, 0.94)
    drawn = episodes.chance_episodes(*legs, 24, Draws(pair.question.seed), breakdowns.HISTORIES, 0.97)
    assert breakdowns.breakdowns(pair).by_chance == drawn.counts.mean()


def test_today_counts_among_its_own_windows_and_equal_ones_by_half():
    assert now.percentile(np.array([0.1, np.nan, 0.2, 0.3, 0.2])) == (1 + 1) / 4
    assert math.isnan(now.percentile(np.array([0.1, np.nan])))


def test_no_percentile_is_said_from_fewer_than_three_windows_that_do_not_overlap():
    pair = linked(179)
    found = rows(correlation.study(pair)["now"])
    assert math.isnan(found["60 bars (60b)"]["percentile"])
    assert math.isfinite(found["30 bars"]["percentile"])
    assert "no percentile: the history has 2 windows that do not overlap" in correlation.study(pair).findings[0]


@pytest.mark.parametrize(("n", "span"), [(300, "14 months"), (600, "2 years")])
def test_a_history_of_less_than_two_years_is_counted_in_months(n, span):
    assert f"percentile of {span} (" in correlation.study(linked(n, window="30b")).findings[0]


def test_what_comes_later_changes_nothing_of_an_earlier_day():
    a, b = linked_returns(800, 0.6)
    early = weekdays(801)[600].item()
    cut = Question(early, Window.parse("60b"))
    whole = paired(leg(a, "AAA"), leg(b, "BBB"), cut)
    alone = paired(
        history(prices(a)[:601], weekdays(801)[:601], symbol="AAA"),
        history(prices(b)[:601], weekdays(801)[:601], symbol="BBB"),
        cut,
    )
    for one, other in zip(correlation.study(whole).sections, correlation.study(alone).sections, strict=True):
        assert repr(one.rows) == repr(other.rows)


# ---------------------------------------------------------------- laws


@light
@given(st.integers(0, 1000))
def test_swapping_the_legs_leaves_every_correlation_and_every_p(seed):
    a, b = linked_returns(700, 0.6, seed)
    one, other = correlation.study(pair_of(a, b)), correlation.study(pair_of(b, a))
    for key in ("now", "years", "breakdowns", "break"):
        assert len(one[key].rows) == len(other[key].rows)
        for row, swapped in zip(one[key].rows, other[key].rows, strict=True):
            for cell, same in zip(row, swapped, strict=True):
                assert cell == (pytest.approx(same, abs=1e-7, nan_ok=True) if isinstance(same, float) else same)
    names = {"AAA": "BBB", "BBB": "AAA"}
    mirrored = rows(other["regimes"])
    for name, found in rows(one["regimes"]).items():
        twin = mirrored[names.get(name[:3], name[:3]) + name[3:]]
        for column in ("n", "r", "low", "high", "expected", "p", "adjusted"):
            assert found[column] == pytest.approx(twin[column], abs=1e-7, nan_ok=True)


@light
@given(st.integers(0, 1000), st.floats(0.1, 3))
def test_the_size_of_a_legs_moves_changes_no_correlation(seed, scale):
    a, b = linked_returns(400, 0.6, seed, volatility=0.002)
    one, other = correlation.study(pair_of(a, b)), correlation.study(pair_of(scale * a, b))
    for key in ("now", "years", "break"):
        for row, scaled in zip(one[key].rows, other[key].rows, strict=True):
            numbers = [(x, y) for x, y in zip(row, scaled, strict=True) if isinstance(x, float)]
            assert [x for x, _ in numbers] == pytest.approx([y for _, y in numbers], abs=1e-7, nan_ok=True)


def test_the_same_pair_and_seed_give_the_same_study():
    assert repr(correlation.study(linked()).sections) == repr(correlation.study(linked()).sections)


# ---------------------------------------------------------------- regimes


def test_up_and_down_days_are_those_of_their_own_return_and_a_normal_pair_shows_what_is_expected():
    pair = linked(3000, 0.8)
    a, b = pair.pair.a.returns, pair.pair.b.returns
    found = rows(correlation.study(pair)["regimes"])
    for name, days in (("AAA up", a > 0), ("BBB down", b < 0)):
        row = found[name]
        assert row["n"] == days.sum()
        assert row["r"] == pytest.approx(np.corrcoef(a[days], b[days])[0, 1], abs=1e-12)
        assert row["low"] < row["expected"] < row["high"]
        assert row["expected"] < 0.7


def test_regimes_of_volatility_are_thirds_by_what_was_known_the_day_before():
    pair = linked(620)
    a, b = pair.pair.a.returns, pair.pair.b.returns
    known = []
    variances = [np.mean(x[:20] ** 2) for x in (a, b)]
    for t in range(20, 620):
        known.append((variances[0] * variances[1]) ** 0.25)
        variances = [0.94 * v + 0.06 * x[t] ** 2 for v, x in zip(variances, (a, b), strict=True)]
    days = 20 + np.flatnonzero(np.array(known) > np.quantile(known, 2 / 3))
    row = rows(correlation.study(pair)["regimes"])["volatility high"]
    assert row["n"] == len(days) == 200
    assert row["r"] == pytest.approx(np.corrcoef(a[days], b[days])[0, 1], abs=1e-12)


def test_regimes_by_a_level_take_that_of_the_day_before_and_leave_out_days_without_one():
    pair = linked(600)
    level = 20 + 5 * np.sin(np.arange(601) / 7)
    days = weekdays(601)
    kept = np.delete(np.arange(601), [50, 51])
    vix = beside(history(level[kept], days[kept], symbol="VVV", measure="level"), pair)
    section = correlation.study(pair, by=vix)["regimes"]
    found = rows(section)
    low, high = np.quantile(np.delete(level[:-1], [50, 51]), [1 / 3, 2 / 3])
    a, b = pair.pair.a.returns, pair.pair.b.returns
    chosen = level[:-1] > high
    chosen[[50, 51]] = False
    assert found["VVV high"]["r"] == pytest.approx(np.corrcoef(a[chosen], b[chosen])[0, 1], abs=1e-12)
    assert sum(found[f"VVV {word}"]["n"] for word in ("low", "middle", "high")) == 598
    assert "volatility high" not in found
    assert any(f"cut at {low:.2f} and {high:.2f}" in note for note in section.notes)


def test_regimes_by_a_price_are_those_of_its_volatility():
    pair = linked(600)
    found = rows(correlation.study(pair, by=third(pair))["regimes"])
    assert sum(found[f"volatility of CCC {word}"]["n"] for word in ("low", "middle", "high")) == 580


def test_a_benchmark_has_up_days_down_days_and_drawdowns():
    pair = linked(600)
    drop = np.concatenate([np.full(200, 0.001), np.full(200, -0.002), np.full(200, 0.004)])
    bench = beside(leg(drop, "SPY"), pair)
    found = rows(correlation.study(pair, benchmark=bench)["regimes"])
    assert (found["SPY up"]["n"], found["SPY down"]["n"]) == (400, 200)
    levels = prices(drop)
    deep = (levels / np.maximum.accumulate(levels) - 1)[:-1] < -0.1
    assert found["SPY in drawdown"]["n"] == deep.sum() > 0


def test_a_benchmark_that_is_a_leg_adds_nothing():
    pair = linked(600)
    same = beside(leg(linked_returns(600, 0.6)[0], "AAA"), pair)
    plain, with_it = correlation.study(pair), correlation.study(pair, benchmark=same)
    assert repr(plain["regimes"].rows) == repr(with_it["regimes"].rows)


def test_rates_have_no_drawdown_and_still_regimes():
    a, b = linked_returns(600, 0.6)
    legs = [
        history(4 + np.concatenate([[0], x.cumsum()]), symbol=s, measure="rate", unit="percent")
        for x, s in ((a, "DGS2"), (b, "DGS10"))
    ]
    pair = paired(*legs, Question(FRIDAY, Window.parse("60b")))
    found = rows(correlation.study(pair)["regimes"])
    assert "DGS2 up" in found
    assert not any("drawdown" in name for name in found)


def test_a_correlation_that_rises_in_turmoil_is_found_and_one_that_does_not_is_not():
    wild = np.repeat([1.0, 4.0] * 6, 200)
    x, e = np.random.default_rng(1).standard_normal((2, len(wild)))
    for rho, told in ((np.where(wild > 1, 0.9, 0.3), "they differ"), (0.6, "no difference")):
        pair = pair_of(0.002 * wild * x, 0.002 * wild * (rho * x + np.sqrt(1 - np.square(rho)) * e))
        finding = next(f for f in correlation.study(pair).findings if f.startswith("volatility"))
        assert told in finding


def test_more_volatile_days_alone_make_the_correlation_that_is_expected():
    """One leg drives: its variance changes, what the other one adds does not."""
    wild = np.repeat([1.0, 3.0] * 8, 250)
    x, e = np.random.default_rng(2).standard_normal((2, len(wild)))
    pair = pair_of(0.002 * wild * x, 0.002 * (wild * x + 2 * e))
    split = regimes.splits(pair, None, beside(leg(0.002 * wild * x, "DRV"), pair))[0]
    high = split.groups[2]
    assert split.p_value < 0.001
    assert high.estimate.low < high.expected < high.estimate.high
    whole = np.corrcoef(pair.pair.a.returns, pair.pair.b.returns)[0, 1]
    assert high.adjusted == pytest.approx(whole, abs=0.05)
    assert high.estimate.value > whole + 0.05


def test_a_regime_of_few_days_says_so_by_saying_nothing():
    pair = linked(600)
    level = np.full(601, 20.0)
    level[:10] = 30
    assert regimes.splits(pair, beside(history(level, symbol="VVV", measure="level"), pair), None)[0].by == "sign"


# ---------------------------------------------------------------- years


def test_years_are_those_of_the_returns_days_and_short_ones_are_left_out():
    pair = linked(700)
    dated = pd.DatetimeIndex(pair.days[1:])
    frame = pd.DataFrame({"a": pair.pair.a.returns, "b": pair.pair.b.returns}, index=dated)
    found = rows(correlation.study(pair)["years"])
    for year, part in frame.groupby(dated.year):
        assert found[str(year)]["n"] == len(part)
        assert found[str(year)]["r"] == pytest.approx(part.corr().iloc[0, 1], abs=1e-12)
    late = correlation.study(pair_of(*linked_returns(232, 0.6)))["years"]
    assert [row[0] for row in late.rows] == ["2026", "all"]


def test_the_p_of_all_years_stands_once_beside_the_whole_history():
    pair = linked(700)
    *years, every = correlation.study(pair)["years"].records()
    assert {year["p"] for year in years} == {None}
    assert (every["year"], every["n"]) == ("all", 700)
    assert every["r"] == pytest.approx(np.corrcoef(pair.pair.a.returns, pair.pair.b.returns)[0, 1], abs=1e-12)
    assert every["p"] == regimes.years(pair).p_value


def test_the_p_of_a_split_stands_in_its_first_row():
    found = list(correlation.study(linked(700))["regimes"].records())
    firsts = [at for at, one in enumerate(found) if not at or one["split"] != found[at - 1]["split"]]
    assert [at for at, one in enumerate(found) if one["p"] is not None] == firsts
    assert found[0]["regime"] == "volatility low"


def test_years_that_differ_are_told_with_the_lowest_and_the_highest():
    dated = weekdays(1000)[1:].astype("M8[Y]").astype(int) + 1970
    rho = np.where(dated == 2025, 0.1, 0.8)
    x, e = np.random.default_rng(1).standard_normal((2, 999)) * 0.01
    finding = correlation.study(pair_of(x, rho * x + np.sqrt(1 - rho**2) * e)).findings[-1]
    assert "in 2025 to" in finding
    assert "they differ (p .004)" in finding


# ---------------------------------------------------------------- breakdowns and the break


def broken(n=1500, begin=1000, end=1100, window="30b"):
    """A pair whose correlation gives way for a while."""
    at = np.arange(n)
    rho = np.where((at >= begin) & (at < end), -0.5, 0.9)
    x, e = np.random.default_rng(5).standard_normal((2, n)) * 0.01
    return pair_of(x, rho * x + np.sqrt(1 - rho**2) * e, window)


def test_a_breakdown_is_dated_by_the_last_bar_of_its_windows():
    pair = broken()
    section = correlation.study(pair)["breakdowns"]
    longest = max(section.records(), key=lambda row: row["bars"])
    begins, ends = (int(np.searchsorted(pair.days, np.datetime64(longest[k]))) for k in ("begin", "end"))
    assert 1000 < begins < 1030
    assert 1100 < ends < 1160
    assert longest["bars"] == ends - begins
    weakest = int(np.searchsorted(pair.days, np.datetime64(longest["on"])))
    a, b = pair.pair.a.returns[weakest - 30 : weakest], pair.pair.b.returns[weakest - 30 : weakest]
    assert longest["weakest"] == pytest.approx(np.corrcoef(a, b)[0, 1], abs=1e-9)
    assert longest["recovery"] == ends - weakest
    assert (longest["p_deep"], longest["p_long"]) == (0.01, 0.01)
    assert longest["usual"] == pytest.approx(0.9, abs=0.03)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_weakest_of_a_breakdown_is_the_r_nearest_to_zero_or_beyond_it(sign):
    pair = broken(3000, 800, 1300)
    if sign < 0:
        pair = pair_of(pair.pair.a.returns, -pair.pair.b.returns, "30b")
    found = breakdowns.breakdowns(pair, by_chance=False)
    assert any(one.end - one.begin > 100 for one in found.found)
    for one in found.found:
        within = sign * found.rolling[one.begin : one.end]
        assert sign * found.rolling[one.weakest] == within.min()


def test_what_why_quotes_is_what_the_study_says_but_for_the_chance_of_breakdowns():
    pair = broken()
    brief, whole = correlation.brief(pair), correlation.study(pair)
    assert (brief.findings[:2], brief.findings[3]) == (whole.findings[:2], whole.findings[3])
    assert brief.findings[3].startswith("volatility low ")
    assert "by chance" in whole.findings[2]
    assert brief.findings[2].startswith("1 breakdown, not held against chance here; it went from ")
    assert whole.findings[2].partition("; it went ")[2].startswith(brief.findings[2].partition("; it went ")[2] + " (")
    for section in brief.sections:
        assert section.heading == whole[section.heading.key].heading
    assert brief["break"] == whole["break"]
    assert rows(brief["regimes"]).items() <= rows(whole["regimes"]).items()
    assert set(brief["now"].rows) <= set(whole["now"].rows)
    assert [one[:6] for one in brief["breakdowns"].rows] == [one[:6] for one in whole["breakdowns"].rows]
    assert "nan" not in " ".join(brief.findings)


@pytest.mark.parametrize("n", [30, 100])
def test_in_brief_a_short_history_says_what_it_cannot_say(n):
    pair = linked(n, window="20b")
    brief, whole = correlation.brief(pair), correlation.study(pair)
    assert brief.findings[:3] == whole.findings[:3]
    assert "nan" not in " ".join(brief.findings)


def test_a_breakdown_that_lasts_has_no_end():
    section = correlation.study(broken(1100, 1050, 1100))["breakdowns"]
    last = list(section.records())[-1]
    assert (last["end"], last["recovery"]) == (None, None)
    assert "not over" in breakdowns.breakdowns(broken(1100, 1050, 1100)).finding()


def episode(begin, end, depth, p_deep, p_long):
    return breakdowns.Breakdown(begin, end, begin, 0.85, depth, p_deep, p_long)


def told(*found, histories=99):
    """A breakdown's sentence after the count."""
    pair = linked(600, window="30b")
    rolling = np.full(571, 0.3)
    return breakdowns.Breakdowns(pair, 30, rolling, found, 2.0, 0.85, histories).finding().partition("; ")[2]


def test_a_lone_breakdown_is_told_with_the_p_of_the_rarer_of_its_depth_and_length_as_one_of_two():
    said = told(episode(300, 360, -5.0, 0.02, 0.8))
    assert said.startswith("it went from ")
    assert said.endswith(" was usual (p .04 for the rarer of depth and length)")


def test_of_several_breakdowns_the_one_that_chance_makes_least_is_told():
    deep, long = episode(300, 310, -9.0, 0.03, 0.9), episode(400, 500, -3.0, 0.9, 0.2)
    assert told(long, deep).startswith("the deepest from ")
    assert "(p .06 for the rarer of depth and length)" in told(long, deep)
    assert told(long, deep._replace(p_deep=0.3)).startswith("the longest from ")
    unsaid = [one._replace(p_deep=math.nan, p_long=math.nan) for one in (deep, long)]
    assert told(*unsaid, histories=0).startswith("the longest from ")
    assert "p" not in told(*unsaid, histories=0).split()


def test_a_p_that_no_history_reaches_stays_an_upper_bound_as_one_of_two():
    assert told(episode(300, 360, -5.0, 0.01, 0.8)).endswith("(p at most .02 for the rarer of depth and length)")


@pytest.mark.parametrize(
    ("window", "bars"), [("90d", 62), ("13w", 63), ("3mo", 63), ("1y", 252), ("61b", 61), ("600b", 600)]
)
def test_as_many_bars_roll_for_breakdowns_on_every_evening(window, bars):
    pair = linked(600)
    asked = pair._replace(question=replace(pair.question, window=Window.parse(window)))
    for held in (60, 61, 62, 63):
        assert breakdowns.rolled(asked._replace(bars=held)) == bars


def test_breakdowns_of_the_past_stay_where_they_were_when_the_window_holds_another_number_of_bars():
    past, legs = {}, broken(1400).pair
    for ago in range(7):
        asked = Question(FRIDAY - timedelta(days=ago), Window.parse("90d"))
        pair = paired(leg(legs.a.returns, "AAA"), leg(legs.b.returns, "BBB"), asked)
        found = breakdowns.breakdowns(pair, by_chance=False)
        past[pair.bars] = [(pair.day(one.begin + found.bars), one.end - one.begin) for one in found.found]
    assert len(past) > 1
    assert len({str(found) for found in past.values()}) == 1


def test_the_rule_of_breakdowns_says_how_many_bars_a_window_of_days_is_taken_for():
    assert "rule: 62 bars (90d at 252 a year) rolling" in breakdowns.breakdowns(broken(window="90d")).rule()
    assert "rule: 30 bars rolling" in breakdowns.breakdowns(broken()).rule()


def test_breakdowns_are_told_beside_what_chance_gives():
    found = breakdowns.breakdowns(linked(1000, window="30b"))
    assert found.histories == 99
    assert f"{found.by_chance:.1f} by chance" in found.finding()
    assert found.p_value == round(found.p_value * 100) / 100


def test_a_history_too_short_for_breakdowns_says_how_much_it_lacks():
    found = correlation.study(linked(500)).findings
    assert "breakdowns: cannot be said (500 returns are fewer than 541)" in found


def test_a_break_is_told_with_its_day_and_its_interval():
    rho = np.where(np.arange(1000) < 600, 0.2, 0.8)
    x, e = np.random.default_rng(1).standard_normal((2, 999)) * 0.01
    pair = pair_of(x, rho[:999] * x + np.sqrt(1 - rho[:999] ** 2) * e)
    study = correlation.study(pair)
    tested, raw = study["break"].records()
    assert abs((tested["day"] - pair.day(601)).days) < 40
    assert tested["earliest"] <= pair.day(601) <= tested["latest"]
    at = int(np.searchsorted(pair.days, np.datetime64(tested["day"]))) - 1
    a, b = pair.pair.a.returns, pair.pair.b.returns
    assert raw["before"] == pytest.approx(np.corrcoef(a[:at], b[:at])[0, 1], abs=1e-12)
    assert raw["after"] == pytest.approx(np.corrcoef(a[at:], b[at:])[0, 1], abs=1e-12)
    assert f"structural break on {tested['day']}" in study.findings[1]


def test_no_break_is_a_normal_answer():
    study = correlation.study(linked(600))
    assert study["break"].rows[0][6] > 0.05
    assert study.findings[1].startswith("no structural break shows (p ")
    assert study.findings[1].endswith("; a change in the last 60 bars may not show, and is not dated there")
    assert "a change in the last 60 bars may not show, and is not dated there" in study["break"].notes
    assert "in the last 20 bars may not show" in correlation.study(linked(100, window="30b")).findings[1]


def test_what_the_size_of_the_moves_alone_would_make_is_said_in_plain_words():
    pair = linked(600)
    groups = [
        regimes.Group(word, word, Estimate(value, value - 0.05, value + 0.05, 0.1, 50, 200), expected, 0.5)
        for word, value, expected in (("low", 0.2, 0.3), ("high", 0.8, 0.87))
    ]
    split = regimes.Split("volatility", "volatility", "volatility", tuple(groups), 0.001)
    said = next(regimes.findings(pair, [split]))
    assert said.endswith(
        "they differ (p .001); with the link unchanged, the size of the moves on high days would by itself make it .87,"
        " more than its interval holds"
    )


def test_too_few_returns_show_no_break():
    study = correlation.study(linked(90, window="30b"))
    assert study["break"].rows == ()
    assert "structural break: cannot be said (90 returns are fewer than 100)" in study.findings


# ---------------------------------------------------------------- a factor


def with_factor(n=1000, own=0.005, seed=0, **facts):
    """Two legs with betas 1.2 and .8 to a factor, and nothing else in common."""
    f, u, v = np.random.default_rng(seed).standard_normal((3, n)) * 0.01
    pair = pair_of(1.2 * f + own / 0.01 * u, 0.8 * f + own / 0.01 * v)
    return pair, beside(leg(f, "SPY", **facts), pair)


def test_a_factor_that_is_all_they_share_explains_the_covariance():
    pair, spy = with_factor()
    study = correlation.study(pair, factor_leg=spy)
    found = rows(study["factor"])
    assert found["share of covariance explained"]["value"] == pytest.approx(1, abs=0.05)
    assert found["without SPY"]["low"] < 0 < found["without SPY"]["high"]
    assert found["beta of AAA to SPY"]["low"] < 1.2 < found["beta of AAA to SPY"]["high"]
    assert found["beta of BBB to SPY"]["low"] < 0.8 < found["beta of BBB to SPY"]["high"]
    assert any("(not apart from 0)" in finding for finding in study.findings)


def test_without_the_factor_is_the_partial_correlation():
    pair, spy = with_factor(seed=3)
    a, b, f = pair.pair.a.returns, pair.pair.b.returns, spy.returns
    found = factor.factored(pair, spy)
    inverse = np.linalg.inv(np.cov([a, b, f]))
    assert found.partial.value == pytest.approx(-inverse[0, 1] / np.sqrt(inverse[0, 0] * inverse[1, 1]), abs=1e-10)
    inverse = np.linalg.inv(np.cov([a[-90:], b[-90:], f[-90:]]))
    expected = -inverse[0, 1] / np.sqrt(inverse[0, 0] * inverse[1, 1])
    assert found.recent.value == pytest.approx(expected, abs=1e-10)
    assert found.rolling[-1] == pytest.approx(expected, abs=1e-10)
    assert found.explained == pytest.approx(
        np.cov(a, f)[0, 1] * np.cov(b, f)[0, 1] / np.var(f, ddof=1) / np.cov(a, b)[0, 1], abs=1e-10
    )


def test_the_spread_of_their_own_takes_betas_of_the_bars_before():
    pair, spy = with_factor(400, seed=4)
    a, b, f = pair.pair.a.returns, pair.pair.b.returns, spy.returns
    path = [0.0]
    for t in range(90, 400):
        betas = [np.polyfit(f[t - 90 : t], x[t - 90 : t], 1)[0] for x in (a, b)]
        path.append(path[-1] + (a[t] - betas[0] * f[t]) - (b[t] - betas[1] * f[t]))
    found = factor.factored(pair, spy)
    np.testing.assert_allclose(found.spread.path, path, atol=1e-12)
    last = np.array(path[-61:])
    assert found.spread.z == pytest.approx((last[-1] - last.mean()) / last.std(ddof=1), rel=1e-9)
    assert found.spread_begins == pair.day(91)


def test_a_spread_of_their_own_that_returns_has_a_half_life_and_one_that_does_not_has_none():
    f, u, v = np.random.default_rng(6).standard_normal((3, 1500)) * 0.01
    returning = np.zeros(1501)
    for t in range(1500):
        returning[t + 1] = 0.9 * returning[t] + u[t]
    for own, told in ((np.diff(returning), "it returns by half in "), (u, "not shown to return (p ")):
        pair = pair_of(f + own, f + 0.0001 * v)
        finding = next(
            x
            for x in correlation.study(pair, factor_leg=beside(leg(f, "SPY"), pair)).findings
            if "spread of their own" in x
        )
        assert told in finding


def test_the_spread_of_their_own_is_tested_as_any_spread_is():
    pair, spy = with_factor(600, seed=4)
    spread = factor.factored(pair, spy).spread
    test = dickey_fuller(spread.path, robust=True)
    assert spread.p_value == dickey_fuller_p(test.t)
    assert spread.life == half_life(dickey_fuller(spread.path, max_lags=few_lags(511), robust=True))
    row = rows(correlation.study(pair, factor_leg=spy)["factor"])["its half-life"]
    assert (row["low"], row["p"]) == (spread.life.low, spread.p_value)


def gapped(missing, n=600):
    """A pair, and a factor that lacks some days."""
    pair, _ = with_factor(n)
    f = prices(np.random.default_rng(0).standard_normal((3, n))[0] * 0.01)
    kept = np.delete(np.arange(n + 1), missing)
    return pair, beside(history(f[kept], weekdays(n + 1)[kept], symbol="SPY"), pair)


def test_a_gap_in_the_factor_long_ago_is_counted_and_joined_nowhere_else():
    pair, spy = gapped([300])
    study = correlation.study(pair, factor_leg=spy)
    found = rows(study["factor"])
    assert math.isfinite(found["its z in that window"]["value"])
    assert any("its test over 508 bars (2 missing)" in note for note in study["factor"].notes)
    assert any("left out: 2 bars of 600 on which SPY has no change" in note for note in study["factor"].notes)


def test_a_gap_in_the_window_leaves_nothing_to_be_said_of_it():
    pair, spy = gapped([580])
    study = correlation.study(pair, factor_leg=spy)
    found = rows(study["factor"])
    assert math.isnan(found["its z in that window"]["value"])
    assert math.isnan(found["spread of their own, 60 bars"]["value"])
    assert any(
        "cannot be said now (SPY has no change on 2 of the last 60 bars)" in finding for finding in study.findings
    )


def test_of_a_factor_that_ends_long_before_the_pair_nothing_is_said_of_now():
    pair, spy = gapped(np.arange(400, 601))
    study = correlation.study(pair, factor_leg=spy)
    ends = f"SPY ends on {pair.day(399)}, 201 bars before {pair.day(-1)}"
    first, second = (finding for finding in study.findings if "SPY" in finding)
    assert f"over the last 90 bars it cannot be said now ({ends})" in first
    assert "percentile" not in first
    assert second.startswith("the z of the spread of their own, beyond SPY, cannot be said now either; ")
    found = study["factor"]
    assert "without SPY, 90 bars" not in rows(found)
    assert "without SPY" in rows(found)
    assert math.isnan(rows(found)["spread of their own, 60 bars"]["value"])
    assert any(note.endswith(f"cannot be said now: {ends}") for note in found.notes)
    assert "nan" not in " ".join(study.findings)


def test_a_factor_that_is_older_than_it_should_be_is_in_the_warnings():
    pair, spy = gapped(np.arange(400, 601))
    stale = "SPY ends on a day long ago"
    study = correlation.study(pair, factor_leg=spy._replace(stale=stale))
    assert stale in study.warnings
    assert study.stale_beside == (stale,)


def test_a_factor_that_is_published_a_few_days_late_says_what_is_left_of_its_last_bars():
    pair, spy = gapped(np.arange(598, 601))
    assert "without SPY, 90 bars" in rows(correlation.study(pair, factor_leg=spy)["factor"])


def test_a_factor_of_every_other_day_tests_nothing():
    pair, spy = gapped(np.flatnonzero(np.arange(601) % 8 == 0))
    spread = factor.factored(pair, spy).spread
    assert math.isnan(spread.p_value)
    assert spread.untested.startswith("SPY has no change on ")
    assert "nan" not in " ".join(factor.findings(factor.factored(pair, spy)))


def test_a_factor_beside_one_series_twice_has_no_spread_of_their_own():
    a, f = linked_returns(600, 0.6)
    pair = pair_of(a, a)
    study = correlation.study(pair, factor_leg=beside(leg(f, "SPY"), pair))
    assert "no spread of their own: the legs are one series twice" in study["factor"].notes
    assert not [finding for finding in study.findings if "nan" in finding]


def test_what_is_wrong_with_a_third_leg_is_said():
    pair, spy = gapped(np.arange(0, 601, 4))
    assert any("SPY has a change on" in text for text in correlation.study(pair, factor_leg=spy).warnings)


def test_swapping_the_legs_turns_their_own_spread_over_and_keeps_the_rest():
    pair, spy = with_factor(seed=5)
    back = pair_of(pair.pair.b.returns, pair.pair.a.returns)
    one, other = factor.factored(pair, spy), factor.factored(back, spy)
    assert one.partial == pytest.approx(other.partial, abs=1e-9)
    for beta, swapped in zip(one.betas, other.betas[::-1], strict=True):
        assert beta == pytest.approx(swapped, abs=1e-9)
    assert one.spread.z == pytest.approx(-other.spread.z, abs=1e-9)
    assert one.spread.p_value == pytest.approx(other.spread.p_value, abs=1e-6)


def test_days_without_the_factor_are_left_out():
    pair, _ = with_factor(400)
    f = prices(np.random.default_rng(0).standard_normal((3, 400))[0] * 0.01)
    kept = np.delete(np.arange(401), [100])
    spy = beside(history(f[kept], weekdays(401)[kept], symbol="SPY"), pair)
    assert factor.factored(pair, spy).n == 398


def test_legs_counted_in_two_things_have_no_spread_of_their_own():
    a, b = linked_returns(400, 0.6)
    rate = history(4 + np.concatenate([[0], a.cumsum()]), symbol="DGS10", measure="rate", unit="percent")
    pair = paired(rate, leg(b, "BBB"), Question(FRIDAY, Window.parse("60b")))
    section = correlation.study(pair, factor_leg=third(pair, 400))["factor"]
    assert "spread of their own, 60 bars" not in rows(section)
    assert any("not counted in the same thing" in note for note in section.notes)


def test_a_factor_that_is_a_leg_is_refused():
    pair = linked(200)
    with pytest.raises(UsageError, match="the factor AAA is a leg"):
        correlation.study(pair, factor_leg=beside(leg(linked_returns(200)[0], "AAA"), pair))


def test_a_factor_of_few_days_is_refused():
    pair = linked(200)
    short = beside(history(prices(linked_returns(20)[0]), symbol="SPY"), pair)
    with pytest.raises(NotEnoughData, match="SPY has 20 returns"):
        correlation.study(pair, factor_leg=short)


def test_unrelated_legs_have_no_covariance_to_be_explained():
    pair = linked(400, 0.0, seed=2)
    found = factor.factored(pair, third(pair, 400))
    assert math.isnan(found.explained)
    assert "nothing that can be told" in next(factor.findings(found))


# ---------------------------------------------------------------- what every study keeps


def test_sections_are_those_of_the_headings_with_as_many_cells():
    pair, spy = with_factor()
    study = correlation.study(pair, by=spy, benchmark=spy, factor_leg=spy)
    assert [s.heading for s in study.sections] == list(correlation.HEADINGS)
    for section in study.sections:
        assert {len(row) for row in section.rows} <= {len(section.heading.columns)}
        for row in section.rows:
            assert {type(cell) for cell in row} <= {float, int, str, date, bool, type(None)}


def test_one_series_twice_says_so_without_an_error():
    a, _ = linked_returns(400)
    study = correlation.study(pair_of(a, a))
    same = "the legs are one series twice"
    assert study.findings == (
        f"correlation 1.00 over 60 bars [1.00, 1.00]; no percentile: {same}",
        f"structural break: cannot be said ({same})",
        f"breakdowns: cannot be said ({same})",
        f"calendar years: whether they differ cannot be said ({same})",
    )
    assert study["break"].rows == study["regimes"].rows == ()
    assert rows(study["now"])["EWMA, decay .94"]["n"] == 32
    assert all(math.isnan(row["percentile"]) for row in study["now"].records())


def test_a_leg_that_stands_still_has_no_correlation():
    a, _ = linked_returns(400)
    study = correlation.study(pair_of(a, np.zeros(400)))
    assert study.findings[0] == "no correlation over 60 bars: BBB does not move"
    assert study.findings[1] == "structural break: cannot be said (BBB does not move)"
    assert rows(study["now"])["EWMA, decay .94"]["n"] == 32


def test_a_leg_that_was_halted_did_not_give_way():
    a, b = linked_returns(1500, 0.95)
    b[1000:1100] = 0
    found = breakdowns.breakdowns(pair_of(a, b))
    whole = breakdowns.breakdowns(pair_of(*linked_returns(1500, 0.95)))
    assert np.isnan(found.rolling).sum() == 100 + 59
    assert len(found.found) <= len(whole.found)
    assert "left out: 159 windows" in " ".join(found.section().notes)


def test_windows_of_few_bars_have_no_breakdowns():
    pair = linked(600, window="20b")._replace(bars=3)
    short = pair._replace(question=replace(pair.question, window=Window.parse("3b")))
    assert breakdowns.breakdowns(short).finding() == "breakdowns: cannot be said (windows of 3 bars are too few)"
    assert now.finding(pair, now.placed(pair)[1]) == "no correlation over 3 bars: 3 bars are too few"
    assert math.isnan(now.placed(pair)[1].percentile)


def test_a_share_of_histories_is_at_most_one_of_them():
    assert phrases.chance(0.02, 1 / 50) == "p at most .02"
    assert phrases.chance(0.04, 1 / 50) == "p .04"


def test_days_that_trade_every_day_are_studied():
    a, b = linked_returns(400, 0.9)
    days = calendar_days(401)
    legs = [history(prices(x), days, symbol=s, every_day=True) for x, s in ((a, "AAA"), (b, "BBB"))]
    study = correlation.study(paired(*legs, Question(FRIDAY, Window.parse("90d"))))
    assert study.bars == 90
    assert [row[0] for row in study["now"].rows][:3] == ["30 bars", "60 bars", "90 bars (90d)"]


@pytest.mark.parametrize(
    ("value", "text"), [(0.864, ".86"), (-0.03, "-.03"), (-0.001, ".00"), (0.999, "1.00"), (-1.0, "-1.00")]
)
def test_correlations_in_sentences_have_two_decimals_and_no_zero_before_the_point(value, text):
    assert phrases.plain(value) == text


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.412, "p .41"), (0.0312, "p .03"), (0.00001, "p < .001"), (1.0, "p 1.00"), (math.nan, "no p")],
)
def test_probabilities_in_sentences(p, text):
    assert phrases.chance(p) == text


@pytest.mark.parametrize(
    ("share", "text"), [(0.01, "1st"), (0.12, "12th"), (0.42, "42nd"), (0.113, "11th"), (0.99, "99th")]
)
def test_ordinals(share, text):
    assert phrases.ordinal(share) == text


@pytest.mark.parametrize("share", [0.0001, 0.0058, 0.00999, 0.01, 0.0149, 0.225, 0.5, 0.985, 0.99, 0.9901, 1.0])
def test_a_percentile_in_a_sentence_is_that_of_the_table(share):
    table = {"<1": "below the 1st", ">99": "above the 99th"}
    place = percentiles.shown(share)
    assert phrases.ordinal(share).rstrip("stndrh") == table.get(place, place).rstrip("stndrh")
