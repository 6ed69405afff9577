"""What is said in words, and when."""

import math
from dataclasses import replace

import numpy as np
import pytest
from tests.builders import compared, history, linked_pair, linked_returns, prices

from pairwatch import verdicts
from pairwatch.kernels import correlation_interval
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
        ({"p": 0.41}, False, "no leader (p .41; a lead of .40 or more would have shown)"),
        ({"p": 0.05, "detectable": 0.4}, False, "no leader (p .0500; a lead of .40 or more would have shown)"),
        ({"p": 1.0, "detectable": 0.991}, False, "no leader (p 1.00; a lead of 1.00 or more would have shown)"),
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
    assert [verdicts.bare(x) for x in (0.41, -0.07, 1.0, -1.0, 0.0)] == [".41", "-.07", "1.00", "-1.00", ".00"]


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
        "no verdict: IWM closes 14 h after QQQ, and the clock alone makes it look ahead (p .01)"
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
    fooled = [one for one in found if one.p_value < verdicts.SIGNIFICANT and one.lag == 1]
    assert len(fooled) > 30  # the numbers alone would have named one
    assert not any(one.decided for one in fooled)
    assert all("AAA closes 14 h after BBB" in one.verdict for one in fooled)
    assert sum(one.decided for one in found) <= 2


def test_common_news_at_two_clocks_makes_no_leader_either_way_round():
    for seed in range(10):
        one, other = (compared(*legs).leadership for legs in (at_two_clocks(seed), at_two_clocks(seed)[::-1]))
        assert one.verdict == other.verdict
        assert one.hours_apart == -other.hours_apart == 14.0


def test_without_known_closes_the_same_numbers_name_a_leader():
    a, b = at_two_clocks(0)
    unknown = replace(a, series=replace(a.series, facts=replace(a.series.facts, closes_at=None)))
    assert compared(unknown, b, window="61b").leadership.decided


# ---------------------------------------------------------------- claims


def values(r=0.5, n=1_000_000, volatility_ratio=1.0, gap=0.1, month=0.02, fragility=None):
    """The numbers that claims rest on, for two legs with this correlation."""
    low, high = correlation_interval(r, n)
    v = volatility_ratio
    pair = {
        "correlation_low": low,
        "correlation_high": high,
        "volatility_ratio": v,
        "tightness": math.sqrt(max(0.0, v * v + 1 - 2 * r * v)) / min(v, 1.0),
        "r_squared": r * r,
        "idiosyncratic_share": 1 - r * r,
        "beta": r * v,
        "return_gap": gap,
    }
    pair["correlation_fragility_low"], pair["correlation_fragility_high"] = fragility or (r, r)
    return {("difference", "change_1m"): month, **{("pair", key): value for key, value in pair.items()}}


def claim(start, **numbers):
    """The verdict on the claim that begins so, or None where it is not made."""
    found = [c for c in verdicts.claims(QQQ, IWM, values(**numbers)) if c.text.startswith(start)]
    assert len(found) <= 1
    return found[0].verdict if found else None


TIGHT, COMMON, HEDGE = "QQQ - IWM is tighter", "most of what moves them", "a hedge with IWM"


@pytest.mark.parametrize(
    ("start", "r", "n", "expected"),
    [
        # Equally volatile: sd(a - b) = sd sqrt(2 (1 - r)), below sd from r = .5 on.
        (TIGHT, 0.49, 1_000_000, "FALSE"),
        (TIGHT, 0.51, 1_000_000, "TRUE"),
        (TIGHT, 0.51, 61, "INCONCLUSIVE"),
        (TIGHT, -0.9, 61, "FALSE"),
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
    assert found.because == "99% of the variance is idiosyncratic, 95 % 88% to 100%"


@pytest.mark.parametrize(("v", "threshold"), [(2.0, 1.0), (1.5, 0.75), (1 / 1.5, 0.75)])
def test_a_spread_is_tighter_than_the_calmer_leg_from_half_the_volatility_ratio_on(v, threshold):
    """sd(a - b)^2 = v^2 + 1 - 2 r v against min(v, 1)^2: with a the wilder, r > v / 2."""
    assert claim(TIGHT, r=threshold - 0.01, volatility_ratio=v) == "FALSE"
    assert claim(TIGHT, r=min(threshold + 0.01, 0.9999), volatility_ratio=v) == ("TRUE" if threshold < 1 else "FALSE")


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


def test_with_equal_returns_nobody_is_behind():
    assert claim("QQQ is ahead", gap=0.0) == "FALSE"
    assert [c for c in verdicts.claims(QQQ, IWM, values(gap=0.0)) if "behind" in c.text] == []


def test_a_day_makes_the_correlation_where_without_it_r_leaves_its_interval():
    low, high = correlation_interval(0.6, 61)
    for inside in ((0.5, 0.65), (low, high)):
        assert claim("no single day", r=0.6, n=61, fragility=inside) == "TRUE"
    for outside in ((low - 0.01, 0.65), (0.5, high + 0.01)):
        assert claim("no single day", r=0.6, n=61, fragility=outside) == "FALSE"


def test_one_planted_day_is_found_to_make_the_correlation():
    a, b = linked_returns(61, 0.0, 3)
    assert claim_of(compared(*legs(a, b), window="61b"), "no single day") == "TRUE"
    a[30], b[30] = 0.2, 0.2
    assert claim_of(compared(*legs(a, b), window="61b"), "no single day") == "FALSE"


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
    }


def test_of_a_rate_no_claim_is_made_about_returns():
    a, b = linked_returns(69)
    rate = history(4 + np.cumsum(a), symbol="RATE", unit="percent")
    texts = [c.text for c in compared(rate, history(prices(b)[1:], symbol="BBB")).claims]
    assert texts
    assert not any(word in text for text in texts for word in ("ahead", "catching up", "tighter"))


def test_every_claim_says_the_number_that_decides_it():
    said = compared(*linked_pair(80, 0.8, 2))
    assert len(said.claims) == 6
    assert all(any(c.isdigit() for c in one.because) for one in said.claims)
    assert f"{said['tightness']:.2f}" in said.claims[0].because
