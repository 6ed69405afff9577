"""What can be said of prices, rates, indices and levels, and in which unit; against pandas, scipy and statsmodels."""

import json
import math

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import statsmodels.tsa.stattools as tsa
from tests.builders import compared, history, linked_returns, prices, weekdays

from pairwatch import catalogue, packing, stats
from pairwatch.catalogue import LegView, PairView, absent, counted_alike
from pairwatch.expressions import parse
from pairwatch.model import Absent, Facts

CLOSE = {"rel": 1e-10, "abs": 1e-12}
LINKED = linked_returns(64, 0.6, 21)

RATE = {"measure": "rate", "unit": "percent", "currency": ""}
POINTS = {"measure": "index", "changes": "points", "currency": ""}
BARRELS = {"measure": "level", "unit": "barrels", "changes": "points", "currency": ""}
LEVEL = {"measure": "level", "unit": "persons", "currency": ""}
INDEX = {"measure": "index", "unit": "points", "currency": ""}
PRICE = {"measure": "price"}

ONE_LEG = {"total_return", "sharpe", "sortino", "max_drawdown"}
OF_HOLDERS = {"sharpe", "sortino"}
OF_RETURNS = {
    *("alpha", "return_gap", "relative_strength", "information_ratio", "ratio", "ratio_high", "ratio_low"),
    *("ratio_zscore", "up_capture", "down_capture"),
}
OF_ONE_UNIT = {
    *("volatility_ratio", "tracking_error", "tightness", "tightness_low", "tightness_high", "half_life", "reversion_t"),
}
CHANGES = {
    *("now_change", "change_1d", "change_1w", "change_1m", "change_3m", "change_ytd", "change_1y"),
    *("volatility", "best_day", "worst_day"),
}


def leg(which, symbol, **facts):
    """A leg of white changes: by percent for prices, by differences otherwise."""
    by_differences = Facts(**facts).by_differences
    closes = 3 + np.append(0, 100 * LINKED[which]).cumsum() / 20 if by_differences else prices(LINKED[which])
    return history(closes, symbol=symbol, **facts)


def pair(a, b):
    return compared(leg(0, "AAA", **a), leg(1, "BBB", **b), window="60b")


def of_units(said):
    """What is left out by what the legs are; how short their histories are is another matter."""
    return tuple(one for one in said.receipt.absent if " begins on " not in one.because)


def left_out(said):
    """The keys by scope, with the reason of each."""
    return {(one.scope, key): one.because for one in of_units(said) for key in one.keys}


# ---------------------------------------------------------------- what is left out


def test_of_prices_and_indices_nothing_is_left_out():
    for a, b in ((PRICE, PRICE), (PRICE, INDEX), (INDEX, INDEX)):
        assert of_units(pair(a, b)) == ()


@pytest.mark.parametrize(
    ("facts", "keys", "because"),
    [
        (RATE, ONE_LEG, "a rate changes in basis points, not in percent"),
        ({**RATE, "changes": "percent"}, OF_HOLDERS, "a rate cannot be held"),
        (LEVEL, OF_HOLDERS, "a level cannot be held"),
        (POINTS, ONE_LEG, "a leg in points changes by differences, not in percent"),
        (BARRELS, ONE_LEG, "a leg in barrels changes by differences, not in percent"),
    ],
)
def test_of_one_leg_is_left_out_what_its_measure_cannot_mean(facts, keys, because):
    said = pair(facts, PRICE)
    found = left_out(said)
    assert {key: why for (scope, key), why in found.items() if scope == "a"} == dict.fromkeys(keys, because)
    assert not [key for scope, key in found if scope == "b"]
    assert all(math.isnan(said["a", key]) for key in keys)
    assert all(math.isnan(said["difference", key]) for key in keys)
    assert all(found["difference", key] == because for key in keys)
    assert all(math.isfinite(said["b", key]) for key in keys)


@pytest.mark.parametrize(
    ("a", "b", "why"),
    [
        (RATE, PRICE, "one leg changes in basis points, the other in percent"),
        (LEVEL, RATE, "one leg changes in percent, the other in basis points"),
        (RATE, POINTS, "one leg changes in basis points, the other in points"),
        (BARRELS, POINTS, "one leg changes in barrels, the other in points"),
        (POINTS, POINTS, "both legs change in points, which need not be the same"),
    ],
)
def test_of_changes_in_two_units_there_is_no_difference(a, b, why):
    said = pair(a, b)
    found = left_out(said)
    assert {key for (scope, key), because in found.items() if (scope, because) == ("difference", why)} == CHANGES
    assert {key for (scope, key), because in found.items() if (scope, because) == ("pair", why)} == OF_ONE_UNIT
    assert all(math.isnan(said["difference", key]) for key in CHANGES)
    assert all(math.isnan(said[key]) for key in OF_ONE_UNIT)
    for key in ("skew", "up_days", "range_position"):
        assert said["difference", key] == pytest.approx(said["a", key] - said["b", key])
    for key in ("correlation", "beta", "up_beta", "rank_correlation", "r_squared"):
        assert math.isfinite(said[key])


@pytest.mark.parametrize("facts", [RATE, BARRELS, {**RATE, "unit": "bp"}], ids=str)
def test_of_two_legs_that_change_in_the_same_named_unit_there_is_a_difference(facts):
    said = pair(facts, facts)
    assert {key for scope, key in left_out(said) if scope == "pair"} == OF_RETURNS
    assert {key for scope, key in left_out(said) if scope == "difference"} == ONE_LEG
    assert said["difference", "volatility"] == said["a", "volatility"] - said["b", "volatility"]
    assert all(math.isfinite(said[key]) for key in OF_ONE_UNIT - {"half_life"})


def test_of_a_level_growth_is_said_and_what_a_holder_earns_is_not():
    said = pair(PRICE, LEVEL)
    keys = {key for scope, key in left_out(said) if scope == "pair"}
    assert keys == {"alpha", "information_ratio", "up_capture", "down_capture"}
    assert set(left_out(said).values()) == {"a level cannot be held"}
    for key in ("ratio", "relative_strength", "return_gap", "ratio_zscore", "tracking_error", "beta", "reversion_t"):
        assert math.isfinite(said[key])
    assert math.isfinite(said["b", "total_return"])
    assert math.isfinite(said["b", "max_drawdown"])


def test_a_unit_called_fraction_is_not_the_fraction_of_percentages():
    assert math.isnan(pair({**BARRELS, "unit": "fraction"}, PRICE)["tracking_error"])


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("fraction", "fraction", True),
        ("bp", "bp", True),
        ("barrels", "barrels", True),
        ("points", "points", False),
        ("bp", "points", False),
        ("fraction", "bp", False),
    ],
)
def test_units_mean_the_same_if_they_are_named_and_equal(one, other, same):
    assert counted_alike(one, other) is counted_alike(other, one) is same


@pytest.mark.parametrize("b", [PRICE, RATE, POINTS, LEVEL], ids=str)
@pytest.mark.parametrize("a", [PRICE, RATE, BARRELS, LEVEL, INDEX], ids=str)
def test_what_is_left_out_is_unsaid_and_names_statistics_in_their_order(a, b):
    said = pair(a, b)
    order = [entry.key for entry in stats.entries()]
    unsaid = {(r.scope, r.statistic.key) for r in said if math.isnan(r.value)}
    assert left_out(said).keys() <= unsaid
    for one in of_units(said):
        assert list(one.keys) == sorted(one.keys, key=order.index)
    assert len({(one.scope, one.because) for one in of_units(said)}) == len(of_units(said))


def test_what_is_left_out_is_that_of_the_swapped_pair_with_its_legs_swapped():
    there, back = (of_units(pair(*sides)) for sides in ((RATE, LEVEL), (LEVEL, RATE)))
    swapped = {"a": "b", "b": "a"}
    keys = [{(swapped.get(x.scope, x.scope), key) for x in found for key in x.keys} for found in (there, back)]
    assert keys[0] == {(swapped.get(scope, scope), key) for scope, key in keys[1]}


def test_a_view_is_enough_to_say_what_is_left_out():
    one, day = np.ones(2), weekdays(2)
    held = LegView(one, one, one[:1], day, one, 1.0, 1, 252)
    level = held._replace(measure="level")
    assert absent(PairView(held, held, one)) == ()
    assert absent(PairView(held, level, one))[0] == Absent("b", ("sharpe", "sortino"), "a level cannot be held")


# ---------------------------------------------------------------- the numbers of differences


def frame(said_of):
    """Both legs' closes of the window in pandas."""
    return pd.DataFrame({name: side.series.closes[-61:] for name, side in zip("ab", said_of, strict=True)})


@pytest.mark.parametrize(("facts", "scale"), [(RATE, 100), (BARRELS, 1), ({**RATE, "unit": "bp"}, 1)], ids=str)
def test_numbers_of_legs_that_change_by_differences_are_those_of_pandas_diff(facts, scale):
    sides = leg(0, "AAA", **facts), leg(1, "BBB", **facts)
    said, closes = compared(*sides, window="60b"), frame(sides)
    steps = closes.diff().iloc[1:] * scale
    gap, years = steps["a"] - steps["b"], math.sqrt(252)
    fit = scipy.stats.linregress(steps["b"], steps["a"])
    expected = {
        ("a", "volatility"): steps["a"].std() * years,
        ("b", "volatility"): steps["b"].std() * years,
        ("difference", "volatility"): (steps["a"].std() - steps["b"].std()) * years,
        ("a", "change_1d"): steps["a"].iloc[-1],
        ("b", "change_1w"): steps["b"].iloc[-5:].sum(),
        ("difference", "change_1w"): gap.iloc[-5:].sum(),
        ("a", "best_day"): steps["a"].max(),
        ("b", "worst_day"): steps["b"].min(),
        ("a", "skew"): steps["a"].skew(),
        ("a", "up_days"): (steps["a"] > 0).mean(),
        ("pair", "correlation"): steps["a"].corr(steps["b"]),
        ("pair", "beta"): fit.slope,
        ("pair", "volatility_ratio"): steps["a"].std() / steps["b"].std(),
        ("pair", "tracking_error"): gap.std() * years,
        ("pair", "tightness"): gap.std() / steps.std().min(),
    }
    assert {name: said[name] for name in expected} == pytest.approx(expected, **CLOSE)


def test_the_spread_of_two_rates_is_their_difference():
    rng = np.random.default_rng(4)
    gap = np.zeros(70)
    for t in range(1, 70):
        gap[t] = 0.8 * gap[t - 1] + rng.normal(0, 0.05)
    common = 4 + rng.normal(0, 0.05, 70).cumsum()
    sides = history(common + gap, symbol="AAA", **RATE), history(common, symbol="BBB", **RATE)
    said, closes = compared(*sides, window="60b"), frame(sides)
    spread = (closes["a"] - closes["b"]).to_numpy()
    lam = scipy.stats.linregress(spread[:-1], np.diff(spread)).slope
    assert said["half_life"] == pytest.approx(-math.log(2) / math.log1p(lam), **CLOSE)
    assert said["reversion_t"] == pytest.approx(
        tsa.adfuller(spread, maxlag=0, autolag=None, regression="c", result_object=False)[0], **CLOSE
    )
    assert any("reverts" in claim.text for claim in said.claims)


def test_growth_and_drawdown_of_a_level_are_those_of_its_values():
    said, side = pair(PRICE, LEVEL), leg(1, "BBB", **LEVEL)
    values = pd.Series(side.series.closes[-61:])
    assert said["b", "total_return"] == pytest.approx(values.iloc[-1] / values.iloc[0] - 1, **CLOSE)
    assert said["b", "max_drawdown"] == pytest.approx((values / values.cummax() - 1).min(), **CLOSE)
    assert said["b", "volatility"] == pytest.approx(values.pct_change().std() * math.sqrt(252), **CLOSE)


# ---------------------------------------------------------------- in which unit


def test_values_are_in_their_own_unit_and_changes_in_that_of_the_changes():
    said = pair(RATE, BARRELS)
    units = {(r.scope, r.statistic.key): r.unit for r in said}
    assert (units["a", "last"], units["b", "last"]) == ("percent", "barrels")
    assert (units["a", "volatility"], units["b", "volatility"]) == ("bp", "barrels")
    assert (units["a", "range_position"], units["a", "skew"]) == ("fraction", "number")
    assert {r.unit for r in pair(PRICE, LEVEL) if r.statistic.key == "high"} == {"USD", "persons"}
    assert {r.unit for r in pair(RATE, RATE) if r.statistic.key == "tracking_error"} == {"bp"}
    assert {r.unit for r in pair(POINTS, PRICE) if (r.scope, r.statistic.key) == ("a", "change_1d")} == {"points"}


def test_a_threshold_on_a_rate_is_in_basis_points():
    said = pair(RATE, RATE)
    values = {(r.scope, r.statistic.key): r.value for r in said}
    limit = math.floor(said["a", "volatility"])
    for text, holds in ((f"a.volatility > {limit}", True), (f"a.volatility > {limit + 1}", False)):
        condition = parse(text, {"volatility": ("a", "b", "difference")})
        assert condition.holds(lambda scope, key: values[scope, key]) is holds


# ---------------------------------------------------------------- facts as they were written before


@pytest.mark.parametrize(
    ("was", "measure", "unit", "change_unit"),
    [
        ({"unit": "percent"}, "rate", "percent", "bp"),
        ({"unit": "price"}, "price", "", "fraction"),
        ({"unit": "index"}, "index", "", "fraction"),
        ({}, "price", "", "fraction"),
    ],
)
def test_facts_of_before_there_were_measures_are_read_by_their_unit(was, measure, unit, change_unit):
    found = packing.facts_of(json.dumps({"name": "N", "currency": "USD", "closes_at": 960, **was}))
    assert found == Facts(name="N", currency="USD", closes_at=960, measure=measure, unit=unit)
    assert found.change_unit == change_unit


def test_facts_come_back_as_they_were_written():
    for facts in (Facts(**RATE), Facts(**POINTS), Facts(**LEVEL, frequency="month", identity="PAYEMS")):
        assert packing.facts_of(packing.facts_text(facts)) == facts


def test_the_rules_are_told_of_every_statistic_that_they_leave_out():
    by_rule = {e.key for e in stats.entries() if not (e.of_differences and e.of_levels and e.of_two_units)}
    assert by_rule == ONE_LEG | OF_RETURNS | OF_ONE_UNIT
    assert Facts(changes="points").change_unit == catalogue.POINTS


SLOPES = ("beta", "beta_low", "beta_high", "beta_inverse", "up_beta", "down_beta")


@pytest.mark.parametrize(
    ("a", "b", "unit", "inverse"),
    [
        (PRICE, INDEX, "number", "number"),
        (RATE, RATE, "number", "number"),
        (RATE, PRICE, "bp per 100 %", "100 % per bp"),
        (PRICE, POINTS, "100 % per points", "points per 100 %"),
        (BARRELS, RATE, "barrels per bp", "bp per barrels"),
    ],
)
def test_a_slope_of_two_units_says_which(a, b, unit, inverse):
    units = {r.statistic.key: r.unit for r in pair(a, b) if r.scope == "pair"}
    assert {key: units[key] for key in SLOPES} == dict.fromkeys(SLOPES, unit) | {"beta_inverse": inverse}
    assert (units["correlation"], units["rank_correlation"]) == ("number", "number")
