import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import builders
from tests.builders import FRIDAY, compared, history, linked_returns, prices

from pairwatch.histories import History
from pairwatch.model import Leg, Provenance, Series, Window
from pairwatch.staging import Question
from pairwatch.studies import instruments, related
from pairwatch.studies.paired import paired
from pairwatch.studies.related.lines import line
from pairwatch.studies.related.moving import surprise

KNOWN = instruments.shipped()
LEGS = sorted(KNOWN.instruments, key=str)


def question(window="61b", as_of=FRIDAY, **more):
    return Question(as_of, Window.parse(window), **more)


def made(leg, seed, n=200, common=None, share=0.8):
    """A history of a leg with any name; with `common`, it moves with it."""
    own = linked_returns(n, seed=seed)[0]
    returns = own if common is None else share * common + math.sqrt(1 - share**2) * own
    series = builders.series(prices(returns))
    return History(Series(leg, series.dates, series.closes, (), series.facts), Provenance("file"))


def a_pair(a, b, **asked):
    legs = (Leg.parse(a), Leg.parse(b)) if isinstance(a, str) else (a, b)
    return paired(*(made(leg, seed) for seed, leg in enumerate(legs)), question(**asked))


def nothing(leg):
    return None


def names(found):
    return [row[0] for row in found["pairs"].rows]


def records(found):
    return list(found["pairs"].records())


# ---------------------------------------------------------------- which pairs


def test_growth_against_small_is_related_to_the_pairs_of_its_group_its_contrast_and_its_hedges():
    found = records(related.study(a_pair("QQQ", "IWM"), KNOWN, nothing, count=100))
    by_relation = {one["relation"]: {r["pair"] for r in found if r["relation"] == one["relation"]} for one in found}
    assert {"QQQ SPY", "SPY IWM", "IWF IWD", "QQQ DIA"} <= by_relation["listed"] | by_relation["leg"]
    assert {"IWF IWM", "QQQ IJR"} <= by_relation["contrast"]
    assert {"EFG SCZ"} <= by_relation["region"]
    assert {"QQQ TLT", "QQQ GLD", "QQQ ^VIX"} <= by_relation["hedge"] | by_relation["leg"]


def test_the_relations_take_turns():
    found = related.study(a_pair("QQQ", "IWM"), KNOWN, nothing, count=5)
    assert [one["relation"] for one in records(found)] == ["listed", "contrast", "leg", "region", "hedge"]


def test_the_pair_itself_and_what_is_the_same_thing_are_not_related():
    found = names(related.study(a_pair("QQQ", "IWM"), KNOWN, nothing, count=100))
    identities = [frozenset(KNOWN.identity(Leg.parse(leg)) for leg in pair.split()) for pair in found]
    assert frozenset(("Nasdaq-100", "Russell 2000")) not in identities
    assert all(len(one) == 2 for one in identities)
    assert len(set(identities)) == len(identities)


def test_a_pair_whose_legs_are_cached_comes_before_those_of_its_relation_that_are_not():
    held = {leg: made(leg, seed) for seed, leg in enumerate(map(Leg.parse, ("IWO", "IWN")))}
    found = related.study(a_pair("QQQ", "IWM"), KNOWN, held.get, count=1)
    assert names(found) == ["IWO IWN"]


def test_no_more_pairs_than_are_asked_for():
    assert len(names(related.study(a_pair("QQQ", "IWM"), KNOWN, nothing, count=3))) == 3


def test_each_leg_is_asked_for_once_and_the_pairs_own_never():
    asked = []
    related.study(a_pair("QQQ", "IWM"), KNOWN, asked.append, count=100)
    assert len(asked) == len(set(asked))
    assert not {Leg.parse("QQQ"), Leg.parse("IWM")} & set(asked)


def test_legs_of_two_regions_may_change_one_of_them():
    found = related.study(a_pair("SPY", "EFA"), KNOWN, nothing, count=100)
    assert "SPY EEM" in names(found)


@settings(max_examples=25)
@given(st.sampled_from(LEGS), st.sampled_from(LEGS), st.integers(1, 30))
def test_swapping_the_legs_gives_the_same_pairs_in_the_same_order(a, b, count):
    if a == b:
        return
    there, back = (related.study(a_pair(*pair), KNOWN, nothing, count=count) for pair in ((a, b), (b, a)))
    assert [set(pair.split()) for pair in names(there)] == [set(pair.split()) for pair in names(back)]
    assert len(names(there)) <= count


@pytest.mark.parametrize("pair", [("QQQ", "IWM"), ("SPY", "TLT"), ("fred:DGS10", "fred:DGS2"), ("BTC-USD", "GLD")])
def test_swapping_the_legs_swaps_the_legs_of_related_pairs_that_share_one(pair):
    there, back = (related.study(a_pair(*p), KNOWN, nothing, count=100) for p in (pair, pair[::-1]))
    for one, other in zip(names(there), names(back), strict=True):
        if set(one.split()) & set(pair):
            assert one.split() == other.split()[::-1]


# ---------------------------------------------------------------- their lines


def test_a_pair_that_is_not_cached_says_what_to_fetch():
    one = records(related.study(a_pair("QQQ", "IWM"), KNOWN, nothing, count=1))[0]
    assert one["why"].endswith("not cached: pairwatch fetch SPY")
    assert math.isnan(one["correlation"])
    assert one["leader"] is None


def test_the_line_has_the_numbers_of_compare():
    a, b = (made(Leg.parse(leg), 7 + at) for at, leg in enumerate(("QQQ", "SPY")))
    found, expected = line(a, b, question()), compared(a, b, window="61b", max_lag=10)
    assert found.correlation == pytest.approx(expected["correlation"], abs=1e-15)
    assert found.gap == pytest.approx(expected["return_gap"], abs=1e-15)
    assert found.z == pytest.approx(expected["ratio_zscore"], abs=1e-12)
    assert found.leads_p == expected.leadership.p_value
    assert found.n == 61
    assert (found.leader == "none") == (not expected.leadership.decided)


def test_a_leader_is_named_with_its_bars():
    x = linked_returns(201, seed=3)[0]
    a, b = made(Leg.parse("QQQ"), 1, 200, x[1:], 0.98), made(Leg.parse("SPY"), 2, 200, x[:-1], 0.98)
    assert line(a, b, question("200b")).leader == "QQQ by 1 bar"
    assert line(b, a, question("200b")).leader == "QQQ by 1 bar"


def test_swapping_a_lines_legs_negates_gap_and_z_and_leaves_the_rest():
    a, b = made(Leg.parse("QQQ"), 1), made(Leg.parse("SPY"), 2)
    there, back = line(a, b, question()), line(b, a, question())
    assert (back.gap, back.z) == (pytest.approx(-there.gap), pytest.approx(-there.z))
    assert (back.correlation, back.leads_p, back.n) == (pytest.approx(there.correlation), there.leads_p, there.n)


def test_two_rates_are_apart_in_basis_points():
    levels = 3 + 0.01 * np.cumsum(np.random.default_rng(1).standard_normal((2, 100)), axis=1)
    a, b = (history(x, symbol=s, measure="rate", unit="percent") for x, s in zip(levels, "AB", strict=True))
    found = line(a, b, question("60b"))
    assert found.unit == "bp"
    inside = levels[:, -61:]
    assert found.gap == pytest.approx(100 * (inside[0, -1] - inside[0, 0] - inside[1, -1] + inside[1, 0]))
    spread = inside[0] - inside[1]
    assert found.z == pytest.approx((spread[-1] - spread.mean()) / spread.std(ddof=1))


def test_a_rate_and_a_price_have_no_gap_and_no_z():
    rate = history(3 + 0.01 * np.arange(100) % 0.07, symbol="A", measure="rate", unit="percent")
    found = line(rate, made(Leg.parse("SPY"), 2, 99), question("60b"))
    assert math.isnan(found.gap)
    assert math.isnan(found.z)


def test_a_line_that_cannot_be_had_says_why():
    old = made(Leg.parse("SPY"), 5, 15)
    one = records(related.study(a_pair("QQQ", "IWM"), KNOWN, {old.series.leg: old}.get, count=1))[0]
    assert "15 common returns" in one["why"]


def test_a_cached_leg_that_ends_earlier_is_said():
    early = builders.series(prices(linked_returns(150, seed=4)[0]), builders.weekdays(151, FRIDAY.replace(day=6)))
    held = History(Series(Leg.parse("SPY"), early.dates, early.closes, (), early.facts), Provenance("file"))
    one = records(related.study(a_pair("QQQ", "IWM"), KNOWN, {held.series.leg: held}.get, count=1))[0]
    assert one["why"].endswith("cached to 2026-11-06 only")
    assert str(one["as_of"]) == "2026-11-06"


def test_nothing_after_the_day_counts():
    day = builders.weekdays(50)[0].item()
    held = {leg: made(leg, seed) for seed, leg in enumerate(map(Leg.parse, ("SPY",)))}
    late = related.study(a_pair("QQQ", "IWM", as_of=day), KNOWN, held.get, count=1)
    cut = {leg: History(one.series.as_of(day), one.provenance) for leg, one in held.items()}
    assert late["pairs"].rows == related.study(a_pair("QQQ", "IWM", as_of=day), KNOWN, cut.get, count=1)["pairs"].rows
    assert records(late)[0]["as_of"] == day


# ---------------------------------------------------------------- legs that the catalogue does not know


def moved(many, close, n=200, seed=100):
    """AAA, BBB and cached legs; the first `close` of them move with AAA."""
    common = linked_returns(n, seed=0)[0]
    cached = [Leg("csv", f"leg{at:03d}.csv") for at in range(many)]
    held = {leg: made(leg, seed + at, n, common if at < close else None, 0.8) for at, leg in enumerate(cached)}
    return a_pair("AAA", "BBB"), cached, held


def test_an_unknown_leg_falls_back_on_the_cached_legs_that_move_with_it():
    pair, cached, held = moved(20, 3)
    found = related.study(pair, KNOWN, held.get, lambda: cached)
    assert sorted(names(found)) == [f"AAA csv:leg{at:03d}.csv" for at in range(3)]
    assert "the catalogue has no asset class for AAA, BBB: of 20 cached legs 3 move" in found["pairs"].notes[0]
    r = [one["correlation"] for one in records(found)]
    assert r == sorted(r, reverse=True)


def test_one_series_under_another_name_is_named_as_the_same():
    pair = a_pair("AAA", "BBB")
    twin, double = Leg("csv", "twin.csv"), Leg("csv", "double.csv")
    of_twin, of_double = made(twin, 0), made(double, 0)
    days, returns = pair.days, pair.pair.a.returns
    held = {
        twin: replace(of_twin, series=Series(twin, days, 3 * prices(returns), (), of_twin.series.facts)),
        double: replace(of_double, series=Series(double, days, prices(2 * returns), (), of_double.series.facts)),
    }
    found = {one["pair"]: one for one in records(related.study(pair, KNOWN, held.get, lambda: [twin, double]))}
    assert found["AAA csv:twin.csv"]["relation"] == "same"
    assert "csv:twin.csv is the same series as AAA, over all " in found["AAA csv:twin.csv"]["why"]
    assert found["AAA csv:double.csv"]["relation"] == "moves"  # r is 1 all the same


def test_unrelated_cached_legs_are_rarely_taken_for_related():
    taken = 0
    for seed in range(40):
        cached = [Leg("csv", f"leg{at}.csv") for at in range(10)]
        held = {leg: made(leg, 1000 + 10 * seed + at) for at, leg in enumerate(cached)}
        legs = (Leg.parse("AAA"), Leg.parse("BBB"))
        pair = paired(*(made(leg, 5000 + 2 * seed + at) for at, leg in enumerate(legs)), question())
        taken += bool(names(related.study(pair, KNOWN, held.get, lambda cached=cached: cached)))
    assert taken <= 6  # 5 % of 40 are 2; more than 6 come in one of a hundred


def test_a_leg_with_a_name_alone_falls_back_on_the_cached_legs_too():
    pair, cached, held = moved(20, 3)
    named = instruments.parsed({"instruments": [{"symbol": "AAA", "name": "my book"}]}, "x")
    assert len(names(related.study(pair, KNOWN.with_more(named), held.get, lambda: cached))) == 3


@pytest.mark.parametrize("left_out", ["asset_class", "tilt", "region"])
def test_what_is_not_said_of_a_leg_relates_it_to_nothing(left_out):
    own = {"symbol": "AAA", "asset_class": "equity", "tilt": "growth", "region": "US"}
    given = [{**own, left_out: ""}, {**own, "symbol": "CCC", "market": True, left_out: ""}]
    known = KNOWN.with_more(instruments.parsed({"instruments": given}, "x"))
    found = records(related.study(a_pair("AAA", "IWM"), known, nothing, count=100))
    reasons = [one["why"] for one in found if one["relation"] in ("contrast", "region")]
    assert not any("CCC" in one["pair"] for one in found if one["relation"] in ("contrast", "region"))
    assert not any(", ;" in why or "against ," in why for why in reasons)
    assert ("AAA against its market" in " ".join(one["why"] for one in found)) == (left_out == "tilt")


def test_the_cached_legs_are_not_looked_at_for_legs_that_are_known():
    def never():
        raise AssertionError

    related.study(a_pair("QQQ", "IWM"), KNOWN, nothing, never)


def test_a_cached_leg_without_a_day_in_the_window_is_passed_over():
    old = builders.series(prices(linked_returns(100)[0]), builders.weekdays(101) - 3650)
    leg = Leg("csv", "old.csv")
    held = {leg: History(Series(leg, old.dates, old.closes, (), old.facts), Provenance("file"))}
    found = related.study(a_pair("AAA", "BBB"), KNOWN, held.get, lambda: [leg])
    assert names(found) == []
    assert "0 found" in found.findings[0]


def test_the_t_of_correlation_is_its_sum_of_products_over_the_root_of_their_squares():
    a, b = linked_returns(80, 0.3, 2)
    products = [(x - a.mean()) * (y - b.mean()) for x, y in zip(a, b, strict=True)]
    assert surprise(a, b) == pytest.approx(abs(math.fsum(products)) / math.sqrt(math.fsum(p * p for p in products)))


def test_the_t_of_correlation_holds_its_size_where_both_legs_are_turbulent_together():
    rng = np.random.default_rng(3)
    turmoil = np.exp(np.cumsum(0.1 * rng.standard_normal((2000, 61)), axis=1))
    a, b = turmoil * rng.standard_t(5, (2, 2000, 61))
    found = np.array([surprise(x, y) for x, y in zip(a, b, strict=True)])
    assert 0.03 < np.mean(found > 1.96) < 0.07


# ---------------------------------------------------------------- what is said


def test_the_first_finding_counts_what_there_is():
    held = {leg: made(leg, seed) for seed, leg in enumerate(map(Leg.parse, ("SPY", "TLT")))}
    found = related.study(a_pair("QQQ", "IWM"), KNOWN, held.get)
    known = sum(not math.isnan(one["correlation"]) for one in records(found))
    assert found.findings[0].startswith(f"10 pairs beside QQQ IWM, {known} of them cached; its own correlation is ")
    assert all(any(mark.isdigit() for mark in text) for text in found.findings)


def test_a_pair_that_is_cached_and_too_short_is_named():
    old = made(Leg.parse("SPY"), 5, 15)
    found = related.study(a_pair("QQQ", "IWM"), KNOWN, {old.series.leg: old}.get, count=1)
    pair = records(found)[0]["pair"]
    assert f"1 pair beside QQQ IWM, 1 of them cached, of which no line can be made of {pair}; " in found.findings[0]


def test_of_a_leg_that_does_not_move_no_correlation_is_said():
    flat = history(np.full(201, 10.0), symbol="QQQ")
    pair = paired(flat, made(Leg.parse("IWM"), 1), question())
    assert "its own correlation cannot be said" in related.study(pair, KNOWN, nothing).findings[0]


def test_several_verdicts_carry_what_chance_gives():
    held = {leg: made(leg, seed) for seed, leg in enumerate(map(Leg.parse, ("SPY", "TLT", "GLD")))}
    found = related.study(a_pair("QQQ", "IWM"), KNOWN, held.get)
    judged = sum(bool(one["leader"]) for one in records(found))
    assert f"of {judged} without a leader {judged / 20:.1f} are given one by chance" in found["pairs"].notes[0]


def test_the_order_of_the_cache_does_not_matter():
    pair, cached, held = moved(12, 4)
    shuffled = [cached[at] for at in np.random.default_rng(1).permutation(len(cached))]
    one, other = (related.study(pair, KNOWN, held.get, lambda legs=legs: legs) for legs in (cached, shuffled))
    assert one["pairs"].rows == other["pairs"].rows
