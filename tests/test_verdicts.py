"""What is said in words, and when."""

import math
import re
from dataclasses import replace
from itertools import accumulate

import numpy as np
import pytest
from statsmodels.tsa.adfvalues import mackinnoncrit
from tests.builders import compared, history, linked_pair, linked_returns, prices

from pairwatch import kernels, verdicts
from pairwatch.kernels import leave_one_out_correlations
from pairwatch.kernels.dependence import estimated_correlation
from pairwatch.kernels.deviations import estimated_deviation_ratio
from pairwatch.lead import lead_test
from pairwatch.model import Leadership, Leg

QQQ, IWM = Leg("yahoo", "QQQ"), Leg("yahoo", "IWM")


def lead(lag=2, p=0.01, detectable=0.396, hours=0.0, r=0.5):
    correlations = np.full(11, r)
    return Leadership(lag, 0.3, p, detectable, correlations, hours_apart=hours)


def verdict(**more):
    return verdicts.with_verdict(lead(**more), "QQQ", "IWM")


# ---------------------------------------------------------------- who leads


@pytest.mark.parametrize(
    ("said", "decided", "words"),
    [
        ({"lag": 2, "p": 0.01}, True, "QQQ leads IWM by 2 bars (p .01)"),
        ({"lag": 1, "p": 0.007}, True, "QQQ leads IWM by 1 bar (p .007)"),
        ({"lag": -1, "p": 0.0005}, True, "IWM leads QQQ by 1 bar (p < .001)"),
        ({"p": 0.0495}, True, "QQQ leads IWM by 2 bars (p .0495)"),
        ({"p": 0.0489}, True, "QQQ leads IWM by 2 bars (p .049)"),
        ({"p": 0.41}, False, "no leader (p .41; a lead of .40 or more would have shown 4 times in 5)"),
        (
            {"p": 0.05, "detectable": 0.4},
            False,
            "no leader (p .0500; a lead of .40 or more would have shown 4 times in 5)",
        ),
        (
            {"p": 1.0, "detectable": 0.991},
            False,
            "no leader (p 1.00; a lead of 1.00 or more would have shown 4 times in 5)",
        ),
        ({"p": 0.41, "detectable": 1.0}, False, "no leader (p .41; too few bars to show any lead)"),
        ({"p": 0.41, "detectable": math.nan}, False, "no leader (p .41; too few bars to show any lead)"),
        ({"lag": 0, "p": math.nan, "r": math.nan}, False, "no verdict: a leg does not move"),
        ({"lag": 0, "p": math.nan, "r": -1.0}, False, "no verdict: the legs move as one"),
        ({"lag": 0, "p": math.nan, "r": 0.3}, False, "no verdict: too few bars"),
    ],
)
def test_the_verdict_in_words(said, decided, words):
    found = verdict(**said)
    assert (found.verdict, found.decided) == (words, decided)


@pytest.mark.parametrize(
    ("p", "words"),
    [
        (0.0005, "p < .001"),
        (0.001, "p .001"),
        (0.0094, "p .009"),
        (0.0095, "p .01"),
        (0.012, "p .01"),
        (0.3, "p .30"),
        (1.0, "p 1.00"),
    ],
)
def test_probabilities_are_written_as_statisticians_do(p, words):
    assert verdicts.p_text(p) == words


def test_a_bare_number_has_no_zero_before_the_point():
    assert [verdicts.bare(x) for x in (0.41, -0.07, 0.0, -0.001)] == [".41", "-.07", ".00", ".00"]


def test_a_bare_number_keeps_its_other_zeros():
    assert [verdicts.bare(x) for x in (1.0, -1.0, 10.5, -20.07)] == ["1.00", "-1.00", "10.50", "-20.07"]


def test_a_lead_as_large_as_said_is_found_four_times_in_five():
    """A lead of exactly the size each window names, planted in white legs; 400 runs, a standard error of 2 points."""
    planted = np.median([lead_test(*linked_returns(61, 0.5, seed), 5, 0).detectable for seed in range(40)])
    found = 0
    for seed in range(400):
        x, e = np.random.default_rng(seed).standard_normal((2, 62))
        own = math.sqrt(1 - 0.5**2 - planted**2)
        a, b = x[1:], 0.5 * x[1:] + planted * x[:-1] + own * e[1:]
        one = lead_test(a, b, 5, 0)
        found += one.p_value < verdicts.SIZE and one.lag == 1
    assert 0.72 < found / 400 < 0.88


@pytest.mark.parametrize(
    ("lag", "hours", "decided"),
    [(1, 6.5, False), (-1, -6.5, False), (1, -6.5, True), (-1, 6.5, True), (2, 6.5, True), (-2, -6.5, True)],
)
def test_only_a_lead_by_one_bar_of_the_leg_that_closes_later_is_left_to_the_clock(lag, hours, decided):
    found = verdict(lag=lag, hours=hours)
    assert found.decided is decided
    assert ("clock" in found.verdict) is not decided


@pytest.mark.parametrize("said", [{"p": 0.41}, {"lag": 1, "hours": 6.5}, {"p": math.nan}])
def test_a_verdict_taken_back_is_not_decided(said):
    assert not verdicts.with_verdict(replace(lead(**said), decided=True), "QQQ", "IWM").decided


def test_a_lead_that_the_clock_explains_is_named_as_such():
    assert verdict(lag=-1, hours=-14.0).verdict == (
        "no verdict: IWM closes 14 h after QQQ, and the clock alone can make it look ahead (p .01)"
    )


def test_legs_that_are_the_same_series_have_no_leader_and_do_move():
    closes = prices(linked_returns(69)[0])
    same = compared(history(closes, symbol="AAA"), history(3 * closes, symbol="BBB"))
    assert same.leadership.verdict == "no verdict: the legs move as one"
    assert pytest.approx(1.0) == same["correlation"]


# ---------------------------------------------------------------- common news at two clocks


def at_two_clocks(seed, n=61, sign=1.0):
    """The same hourly news on both legs; A's day ends at 16:00, B's at 02:00 of the same date, 14 hours earlier."""
    news = np.random.default_rng(seed).standard_normal((n + 1, 24))
    to_two, to_four = news[:, :10].sum(axis=1), news[:, 10:].sum(axis=1)  # from 16:00 to 02:00, from there to 16:00
    own = 0.5 * np.random.default_rng(seed + 10_000).standard_normal((2, n))
    a = 0.002 * ((to_two + to_four)[1:] + own[0])
    b = 0.002 * ((to_four[:-1] + to_two[1:]) + own[1])
    return (
        history(prices(a), symbol="AAA", timezone="UTC", closes_at=16 * 60),
        history(prices(sign * b), symbol="BBB", timezone="UTC", closes_at=2 * 60),
    )


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_common_news_at_two_clocks_makes_no_leader(sign):
    found = [compared(*at_two_clocks(seed, sign=sign), window="61b").leadership for seed in range(40)]
    assert {one.hours_apart for one in found} == {14.0}
    fooled = [one for one in found if one.p_value < verdicts.SIZE and one.lag == 1]
    assert len(fooled) > 30  # the numbers alone would have named one
    assert not any(one.decided for one in fooled)
    assert all("AAA closes 14 h after BBB" in one.verdict for one in fooled)
    assert sum(one.decided for one in found) <= 2


def test_common_news_at_two_clocks_makes_no_leader_either_way_round():
    for seed in range(10):
        one, other = (compared(*legs).leadership for legs in (at_two_clocks(seed), at_two_clocks(seed)[::-1]))
        assert one.verdict == other.verdict
        assert one.hours_apart == -other.hours_apart == 14.0


def with_facts(one, **facts):
    return replace(one, series=replace(one.series, facts=replace(one.series.facts, **facts)))


@pytest.mark.parametrize(
    ("of_a", "of_b", "unknown"),
    [
        ({"closes_at": None}, {}, "AAA closes"),
        ({}, {"closes_at": None}, "BBB closes"),
        ({"closes_at": None, "timezone": "America/New_York"}, {"closes_at": None}, "AAA and BBB close"),
        ({"timezone": "Mars/Base"}, {}, "AAA closes"),
    ],
    ids=["its", "the other's", "both", "no such zone"],
)
def test_common_news_at_a_clock_that_is_not_known_makes_no_leader_of_one_bar(of_a, of_b, unknown):
    found = []
    for seed in range(10):
        a, b = at_two_clocks(seed)
        legs = with_facts(a, **of_a), with_facts(b, **of_b)
        said, other = compared(*legs, window="61b"), compared(*legs[::-1], window="61b")
        assert said.leadership.verdict == other.leadership.verdict
        assert math.isnan(said.leadership.hours_apart)
        assert not (said.leadership.decided and abs(said.leadership.lag) == 1)
        found.append(said)
    fooled = [one for one in found if one.leadership.p_value < verdicts.SIZE and one.leadership.lag == 1]
    assert len(fooled) > 7
    for one in fooled:
        assert one.leadership.verdict.startswith(f"no verdict: when {unknown} is not known, and the clock alone can")
        assert one.leadership.doubt == f"when {unknown} is not known"
        assert any("--align two-day lessens both" in text for text in one.warnings)
        assert not any("--align nearest" in text for text in one.warnings)


@pytest.mark.parametrize(
    ("of_a", "of_b"),
    [
        ({"closes_at": None, "timezone": ""}, {"closes_at": None, "timezone": ""}),
        ({"closes_at": None}, {"closes_at": None}),
        ({"closes_at": None, "simulated": True}, {}),
    ],
    ids=["columns of a file", "one zone", "drawn"],
)
def test_legs_whose_clocks_nothing_tells_apart_keep_their_verdict(of_a, of_b):
    a, b = at_two_clocks(0)
    said = compared(with_facts(a, **of_a), with_facts(b, **of_b), window="61b")
    assert (said.leadership.lag, said.leadership.decided, said.leadership.doubt) == (1, True, "")
    assert any("a lead of one bar may be the clock's" in text for text in said.warnings)


def test_hours_that_are_not_known_count_for_little_beside_bars_of_a_week():
    weeks = np.datetime64("2026-11-20") + 7 * np.arange(-61, 1)
    legs = [replace(one, series=replace(one.series, dates=weeks)) for one in at_two_clocks(0)]
    said = compared(with_facts(legs[0], closes_at=None), legs[1], window="61b")
    assert (said.leadership.lag, said.leadership.decided) == (1, True)


def test_a_lead_of_two_bars_needs_no_clock():
    x, e = np.random.default_rng(1).standard_normal((2, 200))
    legs = prices(x / 100), prices((0.9 * np.roll(x, 2) + 0.4 * e) / 100)
    a, b = (history(closes, symbol=name, timezone="UTC") for closes, name in zip(legs, ("AAA", "BBB"), strict=True))
    said = compared(a, with_facts(b, timezone="Asia/Bangkok"), window="190b")
    assert said.leadership.verdict.startswith("AAA leads BBB by 2 bars")
    assert any(text.startswith("the closing time of AAA and BBB is not known: same-day") for text in said.warnings)


# ---------------------------------------------------------------- claims


def fishers(r, n):
    """The interval of a correlation of n independent, normal pairs."""
    if abs(r) == 1 or math.isnan(r):
        return r, r
    z, reach = math.atanh(r), kernels.Z95 / math.sqrt(n - 3)
    return math.tanh(z - reach), math.tanh(z + reach)


def values(
    r=0.5,
    n=1_000_000,
    ends=None,
    gap=0.1,
    month=0.02,
    fragility=None,
    tight=(0.7, 0.8, 0.9),
    reversion_t=-2.31,
    half_life=8.2,
):
    """The numbers that claims rest on, for two legs with this correlation; its interval is Fisher's without `ends`."""
    low, high = ends or fishers(r, n)
    pair = {
        "observations": float(n),
        "correlation": r,
        "correlation_low": low,
        "correlation_high": high,
        **dict(zip(("tightness_low", "tightness", "tightness_high"), tight, strict=True)),
        "half_life": half_life,
        "reversion_t": reversion_t,
        "r_squared": r * r,
        "idiosyncratic_share": 1 - r * r,
        "beta": r,
        "return_gap": gap,
    }
    pair["correlation_fragility_low"], pair["correlation_fragility_high"] = fragility or (r, r)
    return {("difference", "change_1m"): month, **{("pair", key): value for key, value in pair.items()}}


def claim(start, **numbers):
    """The verdict on the claim that begins so, or None where it is not made."""
    found = made(start, **numbers)
    return found.verdict if found else None


def made(start, **numbers):
    """The claim that begins so, or None where it is not made."""
    found = [c for c in verdicts.claims(QQQ, IWM, values(**numbers)) if c.text.startswith(start)]
    assert len(found) <= 1
    return found[0] if found else None


TIGHT, COMMON, HEDGE = "QQQ - IWM is tighter", "most of what moves them", "a hedge with IWM"
ROBUST, REVERTS = "no single day makes the correlation", "the spread reverts to its mean"


@pytest.mark.parametrize(
    ("start", "r", "n", "expected"),
    [
        # Half the variance is common from r = sqrt(.5) = .7071 on, with either sign.
        (COMMON, 0.70, 1_000_000, "FALSE"),
        (COMMON, 0.72, 1_000_000, "TRUE"),
        (COMMON, -0.72, 1_000_000, "TRUE"),
        (COMMON, 0.72, 61, "INCONCLUSIVE"),
        (COMMON, 0.0, 61, "FALSE"),
        # sqrt(1 - r^2) is below one half from r = sqrt(.75) = .8660 on.
        (HEDGE, 0.86, 1_000_000, "FALSE"),
        (HEDGE, 0.87, 1_000_000, "TRUE"),
        (HEDGE, -0.87, 1_000_000, "TRUE"),
        (HEDGE, 0.87, 61, "INCONCLUSIVE"),
        (HEDGE, 0.1, 61, "FALSE"),
    ],
)
def test_claims_of_relation_are_decided_by_their_intervals(start, r, n, expected):
    assert claim(start, r=r, n=n) == expected


def test_a_correlation_that_may_be_zero_may_leave_everything_idiosyncratic():
    found = next(c for c in verdicts.claims(QQQ, IWM, values(r=0.1, n=61)) if c.text.startswith(COMMON))
    assert found.because == "99% of the variance is idiosyncratic (95% interval 88% to 100%)"


@pytest.mark.parametrize(
    ("tight", "expected"),
    [
        ((0.7, 0.8, 0.99), "TRUE"),
        ((0.7, 0.8, 1.0), "INCONCLUSIVE"),
        ((0.99, 1.2, 1.4), "INCONCLUSIVE"),
        ((1.0, 1.2, 1.4), "FALSE"),
        ((math.nan, math.nan, math.nan), None),
    ],
)
def test_a_spread_is_tighter_where_the_whole_interval_of_tightness_is_below_one(tight, expected):
    assert claim(TIGHT, tight=tight) == expected


def test_how_tight_the_spread_is_comes_with_its_interval():
    because = "its volatility is 0.80 of the calmer leg's (95% interval 0.70 to 0.99)"
    assert made(TIGHT, tight=(0.7, 0.8, 0.99)).because == because


@pytest.mark.parametrize(("times", "threshold"), [(1.0, 0.5), (1.5, 0.75), (1 / 1.5, 0.75)])
def test_a_spread_is_tighter_than_the_calmer_leg_from_half_the_volatility_ratio_on(times, threshold):
    """sd(a - b)^2 = v^2 + 1 - 2 r v against min(v, 1)^2: with a the wilder, r > v / 2."""
    for rho, expected in ((threshold - 0.2, "FALSE"), (threshold + 0.2, "TRUE")):
        a, b = linked_returns(1000, rho, 1, volatility=0.001)
        assert claim_of(compared(*legs(times * a, b), window="1000b"), "AAA - BBB is tighter") == expected


def test_at_the_threshold_a_spread_is_called_tighter_or_not_in_5_of_100_windows():
    """sd ratio 1.5 and r = .75 make tightness one; 500 windows, a standard error of 1 point."""
    decided = 0
    for seed in range(500):
        a, b = linked_returns(61, 0.75, seed)
        found = estimated_deviation_ratio(1.5 * a - b, b)
        decided += claim(TIGHT, tight=(found.low, 1.0, found.high)) != "INCONCLUSIVE"
    assert 0.03 < decided / 500 < 0.075


@pytest.mark.parametrize(
    ("gap", "month", "ahead", "behind", "catching_up"),
    [
        (0.10, -0.02, "TRUE", "IWM", "TRUE"),
        (0.10, 0.02, "TRUE", "IWM", "FALSE"),
        (-0.10, 0.02, "FALSE", "QQQ", "TRUE"),
        (-0.10, -0.02, "FALSE", "QQQ", "FALSE"),
    ],
)
def test_who_is_ahead_and_whether_the_other_catches_up_are_read_off_the_returns(gap, month, ahead, behind, catching_up):
    assert claim("QQQ is ahead of IWM", gap=gap, month=month) == ahead
    assert claim(f"{behind}, which is behind, is catching up", gap=gap, month=month) == catching_up


@pytest.mark.parametrize(("n", "is_made"), [(21, False), (41, False), (42, True), (61, True)])
def test_nobody_is_catching_up_in_a_window_that_is_little_more_than_the_last_month(n, is_made):
    assert bool(made("IWM, which is behind", n=n)) is is_made
    assert made("QQQ is ahead", n=n)


def test_with_equal_returns_nobody_is_behind():
    for gap in (0.0, 0.00004, -0.00004):
        found = verdicts.claims(QQQ, IWM, values(gap=gap, month=0.02))
        assert [c for c in found if "behind" in c.text or "ahead" in c.text] == []
    assert claim("QQQ is ahead", gap=0.00006) == "TRUE"


@pytest.mark.parametrize("month", [0.0, 0.00004, -0.00004])
def test_with_an_equal_month_nobody_is_catching_up(month):
    assert [c for c in verdicts.claims(QQQ, IWM, values(gap=0.1, month=month)) if "catching up" in c.text] == []


@pytest.mark.parametrize(
    ("bars_per_year", "bar"), [(365, "day"), (252, "day"), (182, "bar"), (126, "bar"), (52, "bar"), (12, "bar")]
)
def test_only_where_bars_are_days_the_words_say_so(bars_per_year, bar):
    found = verdicts.claims(QQQ, IWM, values(r=0.6), bars_per_year=bars_per_year)
    one = next(c for c in found if c.text.startswith("no single"))
    assert one.text == f"no single {bar} makes the correlation"
    assert one.because.startswith(f"without any one {bar} it lies between")


@pytest.mark.parametrize(
    ("r", "fragility", "expected"),
    [
        # At 60 bars Fisher's interval leaves out zero from |r| = tanh(1.96 / sqrt(57)) = .2540 on.
        (0.6, (0.2545, 0.65), "TRUE"),
        (0.6, (0.2535, 0.65), "FALSE"),
        (0.6, (-0.5, 0.65), "FALSE"),
        (-0.6, (-0.65, -0.2545), "TRUE"),
        (-0.6, (-0.65, -0.2535), "FALSE"),
        (-0.6, (-0.65, 0.5), "FALSE"),
        # And at 61 from .2518 on.
        (0.2515, (0.2, 0.3), "INCONCLUSIVE"),
        (-0.2515, (-0.3, -0.2), "INCONCLUSIVE"),
        (0.2525, (0.2, 0.3), "FALSE"),
        (1.0, (1.0, 1.0), "TRUE"),
        (0.6, (math.nan, math.nan), None),
    ],
)
def test_a_day_makes_the_correlation_where_without_it_r_may_be_zero(r, fragility, expected):
    assert claim(ROBUST, r=r, n=61, fragility=fragility) == expected


def test_an_interval_that_holds_the_threshold_is_seen_to_hold_it():
    found = {key: value if key[1] != "correlation_low" else -0.001 for key, value in values(r=0.32, n=61).items()}
    found |= {("pair", "correlation_fragility_low"): 0.25, ("pair", "correlation_fragility_high"): 0.35}
    told = next(c for c in verdicts.claims(QQQ, IWM, found) if c.text == ROBUST)
    assert re.search(r"interval -\.001 to \.\d\d\)$", told.because)
    assert made(TIGHT, tight=(0.7, 0.9, 1.002)).because.endswith("(95% interval 0.70 to 1.002)")


def test_what_a_day_makes_of_the_correlation_is_said_where_there_is_one():
    because = "without any one day it lies between 0.50 and 0.65"
    assert made(ROBUST, r=0.6, n=61, fragility=(0.5, 0.65)).because == because
    because = "it may be none at all (95% interval -.09 to .40)"
    assert made(ROBUST, r=0.17, n=61, fragility=(0.1, 0.2)).because == because


@pytest.mark.parametrize(("fragility", "expected"), [((0.05, 0.6), "FALSE"), ((0.45, 0.6), "INCONCLUSIVE")])
def test_a_correlation_that_may_be_zero_is_a_days_where_without_it_far_less_is_left(fragility, expected):
    """.55 with an interval from below zero: z falls by .57, of which the others' reach is .26, or by .13."""
    assert claim(ROBUST, r=0.55, n=61, ends=(-0.55, 0.95), fragility=fragility) == expected
    turned_over = tuple(-end for end in fragility[::-1])
    assert claim(ROBUST, r=-0.55, n=61, ends=(-0.95, 0.55), fragility=turned_over) == expected


def numbers_of(a, b):
    found, days = estimated_correlation(a, b), leave_one_out_correlations(a, b)
    ends = found.low, found.high
    return {"r": found.value, "n": len(a), "ends": ends, "fragility": (days.min(), days.max())}


def robustness(rho, shock=None, tail=0):
    """How often each verdict falls in 300 windows of 61 returns, with one day on which both legs move by `shock`."""
    found = []
    for seed in range(300):
        a, b = linked_returns(61, rho, seed)
        if tail:
            # One volatility for both legs: Student's t with so many degrees of freedom.
            turbulence = 1 / np.sqrt(np.random.default_rng(seed).chisquare(tail, 61) / tail)
            a, b = a * turbulence, b * turbulence
        if shock:
            a[30], b[30] = shock, shock
        found.append(claim(ROBUST, **numbers_of(a, b)))
    return {verdict: found.count(verdict) / 300 for verdict in ("TRUE", "FALSE", "INCONCLUSIVE")}


def judged_without(a, b):
    """The verdict by the interval of the days that are left without the most telling one."""
    found, days = estimated_correlation(a, b), leave_one_out_correlations(a, b)
    sign = math.copysign(1, found.value)
    rest = np.arange(len(a)) != np.argmin(sign * days)
    left = estimated_correlation(a[rest], sign * b[rest])
    if found.low <= 0 <= found.high:
        return "FALSE" if abs(found.value) > left.high else "INCONCLUSIVE"
    return "TRUE" if left.low > 0 else "FALSE"


@pytest.mark.parametrize(("rho", "shock", "agree"), [(0.0, 0, 0.97), (0.4, 0, 0.9), (0.0, 0.08, 0.98), (0.8, 0, 0.99)])
def test_the_verdict_is_that_of_an_interval_without_the_day(rho, shock, agree):
    same = 0
    for seed in range(300):
        a, b = linked_returns(61, rho, seed)
        if shock:
            a[30], b[30] = shock, shock
        same += claim(ROBUST, **numbers_of(a, b)) == judged_without(a, b)
    assert same / 300 >= agree


def test_one_shared_outlier_of_unrelated_legs_is_found_to_make_the_correlation():
    """8 standard deviations; the rest, 2.5 % by chance, are related without that day too."""
    assert robustness(0.0, shock=0.08)["FALSE"] > 0.95


def test_unrelated_legs_have_no_correlation_that_a_day_could_make():
    assert robustness(0.0)["INCONCLUSIVE"] > 0.92


def test_of_unrelated_legs_with_fat_tails_few_correlations_are_called_robust():
    """Most are told as none; a tenth hang on a turbulent day."""
    found = robustness(0.0, tail=3)
    assert found["TRUE"] <= 0.05
    assert found["INCONCLUSIVE"] > 0.75


def test_no_day_makes_the_correlation_of_related_legs():
    assert robustness(0.85) == {"TRUE": 1.0, "FALSE": 0.0, "INCONCLUSIVE": 0.0}


def test_one_planted_day_is_found_to_make_the_correlation():
    a, b = linked_returns(61, 0.0, 3)
    assert claim_of(compared(*legs(a, b), window="61b"), ROBUST) == "INCONCLUSIVE"
    a[30], b[30] = 0.2, 0.2
    assert claim_of(compared(*legs(a, b), window="61b"), ROBUST) == "FALSE"


# ---------------------------------------------------------------- the spread's return to its mean


@pytest.mark.parametrize("n", [20, 61, 252, 2500])
def test_the_t_that_reversion_needs_is_mackinnons_for_the_number_of_returns(n):
    needed = float(mackinnoncrit(N=1, regression="c", nobs=n)[1])
    assert claim(REVERTS, n=n, reversion_t=needed - 1e-9) == "TRUE"
    assert claim(REVERTS, n=n, reversion_t=needed + 1e-9) == "INCONCLUSIVE"


@pytest.mark.parametrize(
    ("t", "half_life", "because"),
    [
        (-2.31, 8.2, "half-life 8.2 bars; Dickey-Fuller t -2.31, -2.91 needed"),
        (0.4, math.nan, "no reversion in the window; Dickey-Fuller t 0.40, -2.91 needed"),
        (-8.1, math.nan, "it overshoots within a bar; Dickey-Fuller t -8.10, -2.91 needed"),
    ],
)
def test_reversion_is_judged_by_its_t_and_told_with_its_pace(t, half_life, because):
    assert made(REVERTS, n=61, reversion_t=t, half_life=half_life).because == because


def test_where_the_spread_cannot_be_said_nothing_is_claimed_of_its_return():
    assert made(REVERTS, reversion_t=math.nan, half_life=math.nan) is None


def reverting(decay, windows=400):
    """How often windows of 61 bars, with a spread of this decay, are said to revert; never is one said not to."""
    found = []
    for seed in range(windows):
        news = np.random.default_rng(seed).standard_normal(100)
        spread = np.array(list(accumulate(news, lambda before, e: decay * before + e)))
        found.append(claim(REVERTS, n=61, reversion_t=kernels.reversion_t(spread[-62:])))
    assert "FALSE" not in found
    return found.count("TRUE") / windows


def test_a_random_walk_is_said_to_revert_in_5_of_100_windows():
    """2,000 windows: a standard error of .5 points."""
    assert 0.035 < reverting(1.0, 2000) < 0.065


def test_a_spread_that_halves_in_a_bar_is_said_to_revert_and_one_that_takes_two_weeks_is_rarely_seen_to():
    assert reverting(0.5) > 0.98
    assert reverting(0.933) < 0.25


def legs(a, b):
    return history(prices(a), symbol="AAA"), history(prices(b), symbol="BBB")


def claim_of(said, start):
    return next(c.verdict for c in said.claims if c.text.startswith(start))


def test_claims_that_nothing_decides_are_not_made():
    nothing = dict.fromkeys(values(), math.nan)
    assert verdicts.claims(QQQ, IWM, nothing) == ()
    still = compared(history(np.full(70, 5.0), symbol="AAA"), history(prices(linked_returns(69)[0]), symbol="BBB"))
    assert {c.text for c in still.claims} == {
        "AAA is ahead of BBB over the window",
        *(c.text for c in still.claims if "catching up" in c.text),
        *(c.text for c in still.claims if "reverts" in c.text),
    }


def test_of_a_rate_no_claim_is_made_about_returns():
    a, b = linked_returns(69)
    rate = history(4 + np.cumsum(a), symbol="RATE", measure="rate", unit="percent")
    texts = [c.text for c in compared(rate, history(prices(b)[1:], symbol="BBB")).claims]
    assert texts
    assert not any(word in text for text in texts for word in ("ahead", "catching up", "tighter", "reverts"))


def test_no_claim_is_made_of_a_hedge_with_what_cannot_be_held():
    a, b = linked_returns(69, 0.9)
    rate = {"measure": "rate", "unit": "percent"}
    for facts, is_made in (({}, True), ({"measure": "index"}, True), ({"measure": "level"}, False), (rate, False)):
        found = compared(history(prices(a), symbol="AAA"), history(prices(b), symbol="BBB", **facts))
        assert any("hedge" in one.text for one in found.claims) is is_made


def test_a_hedge_ratio_of_two_units_is_not_told():
    a, b = linked_returns(69, 0.9)
    points = history(10 * np.cumsum(a), symbol="AAA", measure="index", changes="points")
    found = compared(points, history(prices(b)[1:], symbol="BBB"))
    hedge = next(one for one in found.claims if "hedge" in one.text)
    assert re.fullmatch(r"at the best ratio, \d+% of it remains \(95% interval \d+% to \d+%\)", hedge.because)


def test_a_level_has_grown_and_a_price_is_ahead():
    a, b = linked_returns(69)
    for facts, words in (({}, "AAA is ahead of BBB"), ({"measure": "level"}, "AAA has grown more than BBB")):
        found = compared(history(prices(a), symbol="AAA"), history(prices(b), symbol="BBB", **facts))
        claim = next(one for one in found.claims if one.text == f"{words} over the window")
        assert claim.because.endswith(f" by {100 * abs(found['return_gap']):.2f} percentage points")


def test_every_claim_says_the_number_that_decides_it():
    said = compared(*linked_pair(80, 0.8, 2))
    assert len(said.claims) == 7
    assert all(any(c.isdigit() for c in one.because) for one in said.claims)
    assert f"{said['tightness']:.2f}" in said.claims[0].because
