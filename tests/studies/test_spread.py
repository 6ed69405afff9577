"""The study of the spread: on pairs whose spreads are known, against references, and with the legs exchanged."""

import math
import re
from datetime import date

import numpy as np
import pytest
import statsmodels.tsa.stattools as reference
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.regression.rolling import RollingOLS
from statsmodels.tsa.adfvalues import mackinnonp
from tests.builders import (
    FRIDAY,
    calendar_days,
    compared,
    history,
    linked_pair,
    linked_returns,
    prices,
    weekdays,
)

from pairwatch.errors import NotEnoughData, UsageError
from pairwatch.kernels.past import middle_rank
from pairwatch.kernels.reversion import HalfLife
from pairwatch.model import NAN, Window
from pairwatch.staging import Question
from pairwatch.studies import spread
from pairwatch.studies.paired import beside, paired
from pairwatch.studies.spread.findings import Found, findings, place_of
from pairwatch.studies.spread.made import _kalman

light = settings(max_examples=12)


def pair_of(a, b, window="61b", **question):
    return paired(a, b, Question(FRIDAY, Window.parse(window), **question))


def studied(a, b, others=(), days=10, **question):
    pair = pair_of(a, b, **question)
    return spread.study(pair, tuple(beside(other, pair) for other in others), days)


def kept_together(n=1500, seed=0, bars=8.0):
    """Two legs whose log spread halves in so many bars."""
    rng = np.random.default_rng(seed)
    walk, rho, gap = 0.01 * rng.standard_normal(n).cumsum(), 0.5 ** (1 / bars), np.zeros(n)
    for t in range(1, n):
        gap[t] = rho * gap[t - 1] + 0.01 * rng.standard_normal()
    return history(50 * np.exp(walk + gap), symbol="AAA"), history(80 * np.exp(walk), symbol="BBB")


def rates(n=700, seed=0):
    steps = 0.03 * np.random.default_rng(seed).standard_normal((2, n))
    levels = 3 + steps.cumsum(axis=1)
    return [
        history(leg, symbol=name, measure="rate", unit="percent")
        for leg, name in zip(levels, ("AAA", "BBB"), strict=True)
    ]


def rows(study, section):
    return {next(iter(record.values())): record for record in study[section].records()}


# ---------------------------------------------------------------- spreads


def test_every_row_is_as_long_as_its_heading_and_every_heading_is_told_beforehand():
    a, b = kept_together()
    study = studied(a, b, [history(prices(linked_returns(1499, seed=9)[0]), symbol="CCC")])
    assert [section.heading for section in study.sections] == list(spread.HEADINGS)
    for section in study.sections:
        assert all(len(row) == len(section.heading.columns) for row in section.rows)
        assert all(column.meaning for column in section.heading.columns)


def test_the_ratio_is_where_compare_says_it_is():
    a, b = linked_pair(300)
    found = rows(studied(a, b), "spreads")["A / B"]
    assert found["hedge_ratio"] == 1
    assert found["z_window"] == pytest.approx(compared(a, b, "61b")["ratio_zscore"], rel=1e-12)
    logs = np.log(a.series.closes / b.series.closes)
    assert found["z_history"] == pytest.approx((logs[-1] - logs.mean()) / logs.std(ddof=1), rel=1e-9)
    assert found["percentile"] == middle_rank(logs, logs[-1])


def test_hedge_ratios_are_those_of_the_references():
    a, b = linked_pair(400, rho=0.8)
    found = {name: row["hedge_ratio"] for name, row in rows(studied(a, b), "spreads").items()}
    y, x = np.log(a.series.closes), np.log(b.series.closes)
    assert found["least squares"] == pytest.approx(np.polyfit(x, y, 1)[0], rel=1e-9)
    vectors = np.linalg.eigh(np.cov(x, y))[1]
    assert found["total least squares"] == pytest.approx(vectors[1, 1] / vectors[0, 1], rel=1e-9)
    assert found["minimum variance"] == pytest.approx(compared(a, b, "400b")["beta"], rel=1e-9)
    rolling = RollingOLS(y, np.column_stack([np.ones(401), x]), window=62).fit().params
    assert found["rolling"] == pytest.approx(rolling[-1, 1], rel=1e-7)


def test_the_filter_follows_a_ratio_that_drifts():
    rng = np.random.default_rng(3)
    x = np.log(80) + 0.02 * rng.standard_normal(2000).cumsum()
    slopes = np.linspace(0.5, 1.5, 2000)
    y = 4 + slopes * (x - np.log(80)) + 0.005 * rng.standard_normal(2000)
    found = rows(studied(history(np.exp(y), symbol="AAA"), history(np.exp(x), symbol="BBB")), "spreads")
    assert abs(found["Kalman"]["hedge_ratio"] - 1.5) < abs(found["least squares"]["hedge_ratio"] - 1.5)


def test_a_spread_that_returns_has_a_half_life_with_both_ends():
    study = studied(*kept_together(bars=8))
    found = rows(study, "spreads")["A / B"]
    assert found["half_life_low"] < 8 < found["half_life_high"]
    assert found["p"] < 0.001
    assert "are cointegrated" in study.findings[0]
    assert "marginally" not in study.findings[0]
    assert re.search(
        r"and reverts \(p < \.001\); half-life \d\.\d bars \(95% interval \d\.\d to \d+\.\d\)", study.findings[1]
    )


def test_two_walks_have_no_half_life_and_it_is_said_first():
    study = studied(*linked_pair(1500, seed=2))
    found = rows(study, "spreads")["A / B"]
    assert math.isnan(found["half_life_high"])
    assert found["p"] > 0.05
    assert "not shown to be cointegrated" in study.findings[0]
    assert re.search(
        r"^the ratio is (below|at|above) the \d+.. percentile of its past and is not shown to revert \(p \.\d+\); "
        r"no half-life$",
        study.findings[1],
    )
    assert all(math.isnan(found[key]) for key in ("half_life", "half_life_low"))
    assert any("no half-life, as" in note and "A / B" in note for note in study["spreads"].notes)


def test_the_p_of_a_fitted_line_is_engle_and_grangers_and_not_dickey_and_fullers():
    a, b = linked_pair(900, seed=5)
    found = rows(studied(a, b), "spreads")["least squares"]
    t = reference.coint(np.log(a.series.closes), np.log(b.series.closes))[0]
    assert found["p"] == pytest.approx(mackinnonp(t, "c", 2), abs=0.05)  # robust errors move it a little
    assert found["p"] > 2 * mackinnonp(t, "c", 1)


def test_lines_that_move_have_no_half_life_and_no_p():
    found = rows(studied(*kept_together()), "spreads")
    for name in ("rolling", "Kalman", "total least squares"):
        assert all(math.isnan(found[name][key]) for key in ("half_life", "half_life_low", "half_life_high", "p"))


def bounded(p, **life):
    """The second finding and the row of a ratio with such a test."""
    pair = pair_of(*linked_pair(600))
    first = spread.cointegration.span(pair, 601)
    told = spread.spreads.plainest(pair, first.forth.test)._replace(p=p, life=HalfLife(**life))
    text = findings(Found(pair, (first,), (told,), None, (), None))[1]
    return text, next(spread.spreads.section(pair, (told,)).records())


def test_sentence_and_row_say_the_same_of_a_half_life():
    text, row = bounded(0.074, bars=458.4, low=181.2, high=math.inf)
    assert text.endswith("is not shown to revert (p .07); half-life 458 bars, no upper end (95% from 181)")
    assert (row["half_life"], row["half_life_low"]) == (458.4, 181.2)
    assert math.isnan(row["half_life_high"])
    text, row = bounded(0.62, bars=math.inf, low=300.0, high=math.inf)
    assert text.endswith("(p .62); no half-life")
    assert all(math.isnan(row[key]) for key in ("half_life", "half_life_low", "half_life_high"))
    text, row = bounded(0.01, bars=20.0, low=10.0, high=50.0)
    assert text.endswith("reverts (p .01); half-life 20.0 bars (95% interval 10.0 to 50.0)")
    assert row["half_life_high"] == 50.0
    text, _ = bounded(0.41, bars=1414.7, low=331.2, high=math.inf)
    assert text.endswith("half-life 1,415 bars, no upper end (95% from 331)")


@light
@given(st.integers(0, 10_000), st.sampled_from([0.01, 5.0, 100.0]))
def test_the_filter_does_not_depend_on_what_a_leg_is_counted_in(seed, unit):
    rng = np.random.default_rng(seed)
    x = 5 + 0.03 * rng.standard_normal(300).cumsum()
    y = 1.5 * x + 0.05 * rng.standard_normal(300)
    one, other = (list(_kalman(x * c, y, 62)) for c in (1.0, unit))
    assert other[2] * unit == pytest.approx(one[2], rel=1e-7)
    assert spread.spreads.z(other[3][-62:]) == pytest.approx(spread.spreads.z(one[3][-62:]), rel=1e-6)


def test_a_filter_of_a_leg_that_does_not_move_at_first_cannot_be_said():
    assert math.isnan(_kalman(np.ones(200), np.arange(200.0), 62).ratio)


def test_heads_and_notes_say_what_is_in_sample_and_which_spread_depends_on_the_order():
    study = studied(*linked_pair(400))
    assert [c.label for c in study["spreads"].heading.columns][2:5] == ["z window", "in sample", "own past"]
    assert any("minimum variance is another spread where the legs are exchanged" in n for n in study["spreads"].notes)


def test_a_percentile_needs_three_windows():
    a, b = linked_pair(150)
    assert math.isnan(rows(studied(a, b), "spreads")["A / B"]["percentile"])
    assert rows(studied(a, b, window="40b"), "spreads")["A / B"]["percentile"] > 0


def test_the_percentile_of_a_hedged_spread_takes_each_day_by_the_line_known_on_it():
    a, b = linked_pair(300, rho=0.7)
    y, x = np.log(a.series.closes), np.log(b.series.closes)
    known = []
    for end in range(62, 302):
        slope, intercept = np.polyfit(x[:end], y[:end], 1)
        known.append(y[end - 1] - intercept - slope * x[end - 1])
    found = rows(studied(a, b), "spreads")["least squares"]
    assert found["percentile"] == pytest.approx(middle_rank(np.array(known), known[-1]), abs=1e-12)


def test_no_number_of_a_day_is_changed_by_what_comes_after_it():
    a, b = linked_pair(700, seed=4)
    day = a.series.dates[500].item()
    early = spread.study(paired(a, b, Question(day, Window.parse("61b"))))
    cut = [history(leg.series.closes[:501], leg.series.dates[:501], symbol=leg.series.leg.symbol) for leg in (a, b)]
    alone = spread.study(paired(*cut, Question(day, Window.parse("61b"))))
    assert early.findings == alone.findings
    for one, other in zip(early.sections, alone.sections, strict=True):
        assert repr(one.rows) == repr(other.rows)


# ---------------------------------------------------------------- cointegration


def test_a_window_that_is_too_short_has_no_p_and_says_its_power():
    a, b = kept_together(800)
    found = list(studied(a, b)["cointegration"].records())
    assert [row["closes"] for row in found] == 6 * [800] + 6 * [505] + 6 * [62]
    assert all(math.isnan(row["p"]) and "too short" in row["verdict"] for row in found[12:])
    assert all("too short: power" in row["verdict"] for row in found[12:16])
    assert [row["verdict"] for row in found[:3]] == ["yes", "yes", "yes"]


def test_a_history_that_is_too_short_says_so_first():
    study = studied(*linked_pair(90))
    assert study.findings[0].startswith("too short to tell whether AAA and BBB keep together: 91 closes")
    assert any("finds" in note for note in study["spreads"].notes)


@pytest.mark.parametrize("other", [lambda x: 2 * x, lambda x: np.round(2 * x, 6), lambda x: 100 / x])
def test_legs_that_are_one_series_twice_are_not_tested_for_the_digits_of_rounding(other):
    a = linked_pair(600)[0]
    study = studied(a, history(other(a.series.closes), a.series.dates, symbol="BBB"))
    assert study.findings[0].startswith("AAA and BBB move as one over 2 years (601 closes)")
    assert not any("nan" in text for text in study.findings)
    found = rows(study, "spreads")["least squares"]
    assert all(math.isnan(found[key]) for key in ("z_history", "percentile", "half_life", "p"))
    tested = list(study["cointegration"].records())[:4]
    assert all(math.isnan(row["p"]) and row["verdict"] == "as one" for row in tested)


def test_the_ratio_of_one_series_twice_does_not_move():
    a = linked_pair(600)[0]
    study = studied(a, history(np.round(2 * a.series.closes, 6), a.series.dates, symbol="BBB"))
    assert "the hedge ratio is 1.00 whichever way it is chosen" in study.findings
    assert study.findings[1] == "the ratio does not move: nothing but rounding is left of the legs, and no half-life"
    assert "extremes" not in {section.heading.key for section in study.sections}


def test_a_recent_span_of_legs_that_have_become_one_says_so():
    a, b = linked_pair(900)
    closes = b.series.closes.copy()
    closes[-505:] = a.series.closes[-505:] * closes[-505] / a.series.closes[-505]
    study = studied(a, history(closes, b.series.dates, symbol="BBB"))
    assert "over the last 505 closes they move as one" in study.findings


def test_the_bootstrap_alone_says_whether_there_is_a_vector_and_the_table_of_a_second():
    span = spread.cointegration.span(pair_of(*linked_pair(400)), 401)
    for p, traces, rank in ((0.03, (17.0, 2.0), 1), (0.06, (30.0, 9.0), 0), (0.03, (30.0, 9.0), 2), (NAN, (30, 9), 0)):
        assert span._replace(p_trace=p, trace=span.trace._replace(trace=traces)).rank == rank


def returning(n=900, seed=6):
    """A leg whose logarithm halves its way back in eight bars, and its own changes."""
    noise = 0.03 * np.random.default_rng(seed).standard_normal(n)
    for t in range(1, n):
        noise[t] += 0.5 ** (1 / 8) * noise[t - 1]
    return history(20 * np.exp(noise), symbol="BBB"), np.diff(noise)


def beside_a_returning_leg(n=900, seed=6):
    """AAA walks on, and its changes go with those of BBB, which returns."""
    leg, changes = returning(n, seed)
    own = 0.01 * np.random.default_rng(seed + 1).standard_normal(n - 1)
    return history(100 * np.exp(np.append(0, (own - 0.2 * changes).cumsum())), symbol="AAA"), leg


def of_history(study):
    """The tests of the whole history, by name."""
    return {record["test"]: record for record in list(study["cointegration"].records())[:6]}


def test_a_leg_that_returns_by_itself_is_cointegrated_with_nothing():
    study = studied(*beside_a_returning_leg())
    found = of_history(study)
    assert found["B on A"]["p"] < 0.001
    for name in ("B on A", "trace, r = 0"):
        assert found[name]["verdict"] == "no: a leg returns"
    assert (found["A alone"]["verdict"], found["B alone"]["verdict"]) == ("not found", "returns")
    assert re.match(
        r"not cointegration: BBB returns by itself \(p < \.001\), AAA is not shown to \(p \.\d+\); Engle-Granger ",
        study.findings[0],
    )
    assert not any("are cointegrated" in text for text in study.findings)
    assert any(note.startswith("no: a leg that returns by itself") for note in study["cointegration"].notes)


def keeping_to_a_walk():
    """A walk, and AAA, which keeps to it with so much noise that its own test finds a return."""
    rng = np.random.default_rng(6)
    walk, noise = rng.standard_normal(1200).cumsum(), 2 * rng.standard_normal(1200)
    for t in range(1, 1200):
        noise[t] += 0.9 * noise[t - 1]
    return tuple(history(100 * np.exp(0.005 * x), symbol=s) for x, s in ((walk + noise, "AAA"), (walk, "BBB")))


def test_a_leg_that_keeps_to_the_other_is_cointegrated_though_its_own_test_finds_a_return():
    study = studied(*keeping_to_a_walk())
    found = of_history(study)
    assert found["A alone"]["p"] < 0.05
    assert found["A alone"]["lone_p"] < 0.001
    assert found["A alone"]["verdict"] == "not alone"
    assert [found[name]["verdict"] for name in ("A on B", "B on A", "trace, r = 0")] == ["yes"] * 3
    assert study.findings[0].startswith("AAA and BBB are cointegrated, with ")
    assert any(note.startswith("not alone: ") for note in study["cointegration"].notes)


def with_lost(span, *lost):
    """A span in which Johansen's vector loses so much where it is A alone, or B."""
    return span._replace(trace=span.trace._replace(lone=lost))


def test_a_leg_returns_by_itself_where_its_own_test_and_johansens_vector_say_so():
    span = spread.cointegration.span(pair_of(*keeping_to_a_walk()), 1200)
    for lost, own in ((6.6, "returns"), (6.7, "alone or not"), (10.8, "alone or not"), (10.9, "not alone")):
        assert with_lost(span, lost, 40).own == (own, "not found")
    assert with_lost(span, NAN, NAN).own == ("returns", "not found")
    two = span._replace(trace=span.trace._replace(trace=(60.0, 9.5)))
    assert np.isnan(two.lone_p).all()
    assert two.own == ("returns", "not found")


def test_where_a_leg_returns_by_itself_or_with_the_other_it_cannot_be_said():
    pair = pair_of(*keeping_to_a_walk())
    either = with_lost(spread.cointegration.span(pair, 1200), 8.0, 40)
    first, *rest = findings(Found(pair, (either, either), spread.spreads.told(pair, either.forth.test), None, (), None))
    own = r"AAA returns by itself or with BBB \(its own test p \S+, Johansen's of it alone p \.005\); Engle-Granger p"
    assert re.match(f"whether AAA and BBB are cointegrated cannot be said: {own}", first)
    assert any(re.match(f"over the last 1,200 closes it cannot be said: {own}", text) for text in rest)
    rows = {row[0]: row[-1] for row in spread.cointegration.section(pair, (either,)).rows}
    assert (rows["A on B"], rows["trace, r = 0"], rows["A alone"]) == (
        "cannot be said",
        "cannot be said",
        "alone or not",
    )


def test_of_two_returns_the_one_that_johansen_does_not_bear_out_is_said_so():
    pair = pair_of(*keeping_to_a_walk())
    span = with_lost(spread.cointegration.span(pair, 1200), 1.0, 40)
    both = span._replace(alone=(span.alone[0], span.alone[0]))
    text = findings(Found(pair, (both,), spread.spreads.told(pair, span.forth.test), None, (), None))[0]
    assert re.match(
        r"not cointegration: AAA returns by itself \(p \S+\), BBB is not shown to \(p \S+ of its own test, which "
        r"Johansen's does not bear out\); Engle-Granger ",
        text,
    )


def test_legs_that_both_return_are_both_named():
    a, _ = returning(seed=11)
    study = studied(history(a.series.closes, symbol="AAA"), returning(seed=12)[0])
    assert study.findings[0].startswith("not cointegration: AAA and BBB return by themselves (p < .001 and < .001)")


def test_johansens_second_trace_says_that_each_leg_returns_where_their_own_tests_do_not():
    pair = pair_of(*kept_together())
    span = spread.cointegration.span(pair, 1500)
    full = span._replace(trace=span.trace._replace(trace=(60.0, 9.5)))
    assert not full.returning
    text = findings(Found(pair, (full,), spread.spreads.told(pair, span.forth.test), None, (), None))[0]
    assert text.startswith(
        "not cointegration: by Johansen's second trace each leg returns by itself (9.5, 8.19 needed)"
    )
    found = {row[0]: row[-1] for row in spread.cointegration.section(pair, (full,)).rows}
    assert (found["trace, r = 0"], found["trace, r <= 1"]) == ("no: each returns", "no: each returns")


def test_what_there_is_not_to_say_of_a_second_vector_is_none_and_no_dash():
    found = of_history(studied(*kept_together()))
    assert found["trace, r <= 1"]["verdict"] is None


def test_a_leg_alone_is_tested_as_statsmodels_tests_it():
    a, b = beside_a_returning_leg()
    found = of_history(studied(a, b))["B alone"]
    logs = np.log(b.series.closes)
    most = math.ceil(4 * 8.99**0.25)
    t, p, lags, nobs, critical, _ = reference.adfuller(logs, maxlag=most, result_object=False)
    assert (found["plain_statistic"], found["plain_p"], found["lags"]) == (pytest.approx(t), pytest.approx(p), lags)
    assert found["critical"] == pytest.approx(critical["5%"], abs=1e-9)
    assert nobs == 900 - 1 - lags


def test_critical_and_plain_values_are_those_of_statsmodels():
    a, b = linked_pair(900, seed=5)
    found = next(studied(a, b)["cointegration"].records())
    t, p, critical = reference.coint(np.log(a.series.closes), np.log(b.series.closes))
    assert found["critical"] == pytest.approx(critical[1], abs=1e-12)
    assert (found["plain_statistic"], found["plain_p"]) == pytest.approx((t, p), abs=1e-7)


def test_a_window_of_months_that_is_longer_than_two_years_has_its_rows():
    days = calendar_days(240, step=30)
    legs = linked_returns(239, rho=0.8, seed=3)
    a, b = (history(prices(x), days, symbol=s, frequency="month") for x, s in zip(legs, ("AAA", "BBB"), strict=True))
    study = studied(a, b, window="36b")
    assert [row["closes"] for row in study["cointegration"].records()] == 6 * [240] + 6 * [37]
    assert [row["day"] for row in study["ledger"].records()][-1] == "26 other bars"


def test_spans_that_hardly_differ_are_told_once():
    found = studied(*linked_pair(600), window="500b")["cointegration"]
    assert {row["closes"] for row in found.records()} == {601}


# ---------------------------------------------------------------- the ledger


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 80))
def test_contributions_and_shares_add_up_to_the_gap_exactly(seed, days):
    a, b = linked_pair(70, rho=0.6, seed=seed)
    found = list(studied(a, b, days=days)["ledger"].records())
    gap = compared(a, b, "61b")["return_gap"]
    assert math.fsum(row["contribution"] for row in found) == pytest.approx(gap, abs=1e-12)
    shares = [row["share"] for row in found]
    assert all(map(math.isnan, shares)) or math.fsum(shares) == pytest.approx(1, abs=1e-12)
    assert len(found) == min(days, 61) + (days < 61)


def test_the_largest_days_come_first_and_the_others_in_one_row():
    a, b = linked_pair(200, rho=0.5, seed=1)
    found = list(studied(a, b, days=4)["ledger"].records())
    logs = [np.diff(np.log(leg.series.closes))[-61:] for leg in (a, b)]
    order = np.argsort(-np.abs(logs[0] - logs[1]))[:4]
    assert [row["day"] for row in found[:4]] == [str(a.series.dates[-61:][at]) for at in order]
    assert found[-1]["day"] == "57 other days"
    for key, leg, changes in (("a", a, logs[0]), ("b", b, logs[1])):
        whole = leg.series.closes[-1] / leg.series.closes[-62]
        shown = math.prod(1 + row[key] for row in found)
        assert shown == pytest.approx(whole, rel=1e-12)
        assert found[0][key] == pytest.approx(math.expm1(changes[order[0]]), rel=1e-9)


def test_the_leg_that_moved_more_did_it():
    a, b = (0.001 * np.ones(100) for _ in range(2))
    a[-5], b[-3] = 0.05, -0.04
    found = rows(studied(history(prices(a), symbol="AAA"), history(prices(b), symbol="BBB"), days=2), "ledger")
    days = weekdays(101)
    assert [found[str(days[at])]["moved"] for at in (-5, -3)] == ["AAA", "BBB"]
    assert found["59 other days"]["contribution"] == pytest.approx(0, abs=1e-12)


def test_a_gap_of_nearly_nothing_has_no_shares():
    a = np.zeros(100)
    a[-5], a[-3] = 0.05, 1 / 1.05 - 1
    b = np.full(100, 1e-9)
    study = studied(history(prices(a), symbol="AAA"), history(prices(b), symbol="BBB"), days=2)
    assert all(math.isnan(row["share"]) for row in study["ledger"].records())
    (text,) = (text for text in study.findings if "nearly nothing" in text)
    assert "nearly nothing: +0.0%, what is left of +4.9% on 1 day and -4.9% on 60 days; the largest is " in text


def test_days_that_cancel_are_told_as_what_they_add_and_take():
    """One day adds 5%, five take 1.1% each, and the others add the rest: the six largest make less than none of it."""
    a = np.full(100, 0.0005)
    a[-40] = 0.05
    a[-30:-25] = -0.011
    study = studied(history(prices(a), symbol="AAA"), history(np.full(101, 9.0), symbol="BBB"), days=6)
    (text,) = (text for text in study.findings if text.startswith("the gap"))
    assert re.search(r" is \+2\.\d%, what is left of \+\d\.\d% on 56 days and -\d\.\d% on 5 days; the largest is", text)
    assert "of it" not in text


def test_a_ledger_of_no_days_is_refused():
    with pytest.raises(UsageError, match="shows nothing"):
        studied(*linked_pair(100), days=0)


def test_rates_are_subtracted_in_basis_points():
    a, b = rates()
    study = studied(a, b, days=3)
    found = list(study["ledger"].records())
    assert {row["unit"] for row in found} == {"bp"}
    closes = [leg.series.closes for leg in (a, b)]
    expected = 100 * ((closes[0][-1] - closes[0][-62]) - (closes[1][-1] - closes[1][-62]))
    assert math.fsum(row["contribution"] for row in found) == pytest.approx(expected, abs=1e-9)
    assert "A - B" in rows(study, "spreads")
    assert rows(study, "extremes")["now"]["value"] == pytest.approx(closes[0][-1] - closes[1][-1])


def test_a_price_and_a_rate_are_hedged_but_not_subtracted():
    study = studied(linked_pair(699)[0], rates()[1])
    assert set(rows(study, "spreads")) == {"least squares", "minimum variance", "rolling", "Kalman"}
    assert study["ledger"].rows == ()
    assert "counted in nothing" in study["ledger"].notes[0]
    assert "extremes" not in {section.heading.key for section in study.sections}


# ---------------------------------------------------------------- other legs


def third(n=300, seed=7, **facts):
    return history(prices(0.01 * np.random.default_rng(seed).standard_normal(n)), symbol="CCC", **facts)


def test_what_drives_the_gap_is_found_and_what_does_not_is_not():
    a, b = linked_returns(300, rho=0.5, seed=1)
    driver = prices(2 * (a - b))
    study = studied(
        history(prices(a), symbol="AAA"),
        history(prices(b), symbol="BBB"),
        [history(driver, symbol="DDD"), third()],
    )
    found = list(study["drivers"].records())
    assert found[0]["r"] == pytest.approx(1, abs=1e-9)
    assert found[0]["p"] < 1e-9
    gap = (a - b)[-61:]
    other = np.diff(third().series.closes) / third().series.closes[:-1]
    assert found[1]["r"] == pytest.approx(np.corrcoef(gap, other[-61:])[0, 1], abs=1e-9)
    assert found[1]["r_history"] == pytest.approx(np.corrcoef(a - b, other)[0, 1], abs=1e-9)
    assert (found[1]["n"], found[1]["n_history"]) == (61, 300)
    assert any("DDD goes with the gap" in text for text in study.findings)


def test_other_legs_have_a_row_for_each_day_and_nothing_where_they_have_no_close():
    a, b = linked_pair(300)
    kept = np.delete(np.arange(301), -2)
    full = third()
    holed = history(full.series.closes[kept], full.series.dates[kept], symbol="DDD")
    found = list(studied(a, b, [full, holed], days=61)["ledger_beside"].records())
    assert len(found) == 122
    gone = {str(day) for day in weekdays(301)[[-2, -1]]}
    assert {str(row["day"]) for row in found if math.isnan(row["change"])} == gone
    changes = np.diff(full.series.closes) / full.series.closes[:-1]
    day = found[0]["day"]
    at = full.series.dates.tolist().index(day) - 1
    assert isinstance(day, date)
    assert found[0]["change"] == pytest.approx(changes[at], rel=1e-12)
    assert found[0]["percentile"] == pytest.approx(middle_rank(changes[: at + 1], changes[at]))


# ---------------------------------------------------------------- what is short, flat or monthly


def test_twenty_returns_are_the_least():
    with pytest.raises(NotEnoughData, match="20 are needed"):
        studied(*linked_pair(19))
    assert studied(*linked_pair(20)).findings


@pytest.mark.parametrize("n", [20, 30, 61, 130, 260])
def test_short_histories_say_what_they_can(n):
    study = studied(*linked_pair(n))
    assert rows(study, "spreads")["A / B"]["hedge_ratio"] == 1
    assert study.findings[0]


def test_a_leg_that_does_not_move_is_no_trouble():
    study = studied(linked_pair(400)[0], history(np.full(401, 5.0), symbol="BBB"))
    assert math.isnan(rows(study, "spreads")["least squares"]["hedge_ratio"])
    assert "does not move" in study.findings[0]


@pytest.mark.parametrize("still", [0, 1])
def test_a_long_history_of_a_leg_that_does_not_move_is_no_trouble(still):
    """More changes than the bootstrap has steps."""
    legs = [linked_pair(900)[0], history(np.full(901, 5.0), symbol="BBB")]
    study = studied(*legs[:: 1 - 2 * still])
    assert "cannot be said: a leg does not move" in study.findings[0]
    assert not any("nan" in text for text in study.findings)


def test_months_are_bars_like_any_other():
    days = calendar_days(240, step=30)
    legs = linked_returns(239, rho=0.8, seed=3)
    a, b = (history(prices(x), days, symbol=s, frequency="month") for x, s in zip(legs, ("AAA", "BBB"), strict=True))
    study = studied(a, b, window="24b")
    assert [row["closes"] for row in study["cointegration"].records()] == 6 * [240] + 6 * [25]
    assert "largest of 24 bars" in " ".join(study.findings)


# ---------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("share", "place"),
    [
        (0.004, "below the 1st"),
        (0.0149, "at the 1st"),
        (0.12, "at the 12th"),
        (0.62, "at the 62nd"),
        (0.9981, "above the 99th"),
    ],
)
def test_a_percentile_is_said_as_the_table_has_it(share, place):
    assert place_of(share) == f"{place} percentile"


def test_a_history_that_is_not_taken_whole_is_not_called_so():
    a, b = linked_pair(900)
    day = a.series.dates[300].item()
    pair = paired(a, b, Question(FRIDAY, Window.parse("61b")), day)
    study = spread.study(pair)
    assert not any("whole history" in text for text in (*study.findings, *study["spreads"].notes))
    assert any(f"all closes since {day}" in note for note in study["spreads"].notes)


def test_findings_are_in_one_style():
    everything = [
        *studied(*kept_together(), [third(1499)]).findings,
        *studied(*linked_pair(400, seed=2), [third(400)]).findings,
        *studied(*rates()).findings,
        *studied(*linked_pair(90)).findings,
    ]
    for text in everything:
        assert not text.endswith(".")
        assert " %" not in text
        assert not re.search(r"p below|nan|does not revert", text)


def test_a_line_that_has_moved_is_said_where_the_legs_are_called_cointegrated():
    pair = pair_of(*kept_together())
    span = spread.cointegration.spans(pair)[0]
    moved = span._replace(halves=(0.73, 2.01), p_trace=0.043)
    told = spread.spreads.told(pair, span.forth.test)
    before, after = (findings(Found(pair, (one,), told, None, (), None))[0] for one in (span, moved))
    assert "the line itself has moved" not in before
    assert "though marginally" in after
    assert after.endswith("; the line itself has moved, from 0.73 of B in the first half to 2.01 in the second")


def test_the_last_closes_that_are_too_few_say_how_rarely_a_return_would_be_found():
    assert any("would be found in 9% of cases" in text for text in studied(*linked_pair(800)).findings)


def test_what_the_days_made_is_shown_with_its_sign():
    a, b = linked_pair(300)
    study = studied(a, b, [third(300)])
    assert {row["unit"] for key in ("ledger", "ledger_beside") for row in study[key].records()} == {"return"}


def test_a_leg_beside_the_pair_is_looked_at_once_and_is_none_of_its_own():
    a, b = linked_pair(300)
    assert len(studied(a, b, [third(), third()])["drivers"].rows) == 1
    with pytest.raises(UsageError, match="BBB is a leg of the pair"):
        studied(a, b, [b])


def test_a_brief_study_has_the_same_answers():
    for legs in (kept_together(), linked_pair(400, seed=2), rates(), (linked_pair(699)[0], rates()[1])):
        pair = pair_of(*legs)
        whole, brief = spread.study(pair), spread.brief(pair)
        assert brief.findings[:2] == whole.findings[:2]
        assert set(brief.findings) <= set(whole.findings)
        for key in ("spreads", "cointegration", "ledger"):
            assert repr(brief[key].rows) == repr(whole[key].rows[: len(brief[key].rows)])
        assert len(brief["cointegration"].rows) == 6


def test_what_is_remarked_of_a_third_leg_is_a_warning():
    a, b = linked_pair(300)
    late = third(100)
    study = studied(a, b, [late])
    assert any("CCC has a change on 100 of 300 bars only" in text for text in study.warnings)


# ---------------------------------------------------------------- the legs exchanged


@light
@given(st.integers(0, 10_000))
def test_exchanging_the_legs_turns_the_numbers_round(seed):
    a, b = linked_pair(320, rho=0.6, seed=seed)
    here, there = studied(a, b, [third(320)]), studied(b, a, [third(320)])
    mine, theirs = rows(here, "spreads"), rows(there, "spreads")
    plain, other = mine["A / B"], theirs["A / B"]
    assert other["z_window"] == pytest.approx(-plain["z_window"], abs=1e-9)
    assert other["z_history"] == pytest.approx(-plain["z_history"], abs=1e-9)
    assert other["percentile"] == pytest.approx(1 - plain["percentile"], abs=1e-12)
    assert other["p"] == pytest.approx(plain["p"], rel=1e-6)
    assert other["half_life_low"] == pytest.approx(plain["half_life_low"], rel=1e-6, nan_ok=True)
    key = "total least squares"
    falls = mine[key]["hedge_ratio"] < 0
    assert theirs[key]["percentile"] == pytest.approx(abs(falls - (1 - mine[key]["percentile"])), abs=1e-12)
    assert theirs[key]["hedge_ratio"] * mine[key]["hedge_ratio"] == pytest.approx(1, rel=1e-6)


@light
@given(st.integers(0, 10_000))
def test_exchanging_the_legs_exchanges_the_directions_and_leaves_the_trace(seed):
    a, b = linked_pair(320, rho=0.6, seed=seed)
    here, there = (list(studied(*legs)["cointegration"].records()) for legs in ((a, b), (b, a)))
    for one, other in ((0, 1), (1, 0), (2, 2), (3, 3)):
        assert here[one]["statistic"] == pytest.approx(there[other]["statistic"], rel=1e-6)
        assert here[one]["p"] == pytest.approx(there[other]["p"], rel=1e-5, nan_ok=True)
        assert here[one]["verdict"] == there[other]["verdict"]


@light
@given(st.integers(0, 10_000))
def test_exchanging_the_legs_negates_contributions_and_leaves_shares(seed):
    a, b = linked_pair(100, rho=0.6, seed=seed)
    here, there = (list(studied(*legs, [third(100)])["ledger"].records()) for legs in ((a, b), (b, a)))
    for one, other in zip(here, there, strict=True):
        assert one["day"] == other["day"]
        assert one["contribution"] == pytest.approx(-other["contribution"], abs=1e-12)
        assert one["share"] == pytest.approx(other["share"], rel=1e-9, abs=1e-9, nan_ok=True)
        assert (one["a"], one["b"], one["moved"]) == (other["b"], other["a"], other["moved"])
    drivers = [next(studied(*legs, [third(100)])["drivers"].records()) for legs in ((a, b), (b, a))]
    assert drivers[0]["r"] == pytest.approx(-drivers[1]["r"], abs=1e-12)
    assert drivers[0]["p"] == pytest.approx(drivers[1]["p"], rel=1e-9)


@light
@given(st.integers(0, 10_000))
def test_exchanging_the_legs_exchanges_the_extremes(seed):
    a, b = linked_pair(320, rho=0.6, seed=seed)
    here, there = (rows(studied(*legs), "extremes") for legs in ((a, b), (b, a)))
    for one, other in (("highest", "lowest"), ("lowest", "highest"), ("now", "now")):
        assert here[one]["day"] == there[other]["day"]
        assert here[one]["value"] * there[other]["value"] == pytest.approx(1, rel=1e-9)
        assert here[one]["z"] == pytest.approx(-there[other]["z"], abs=1e-9)


def test_a_seed_repeats_the_study():
    pair = linked_pair(600)
    assert repr(studied(*pair, seed=3).sections) == repr(studied(*pair, seed=3).sections)
