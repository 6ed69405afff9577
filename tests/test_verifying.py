import math
import time
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests import builders

from pairwatch.errors import NotEnoughData, UsageError
from pairwatch.histories import History, adjusted
from pairwatch.model import Leg, Provenance, Series
from pairwatch.verifying import KINDS, Tolerance, telling, verify
from pairwatch.verifying.steps import rounding

BARS = 5000
SPLIT_AT = 1500, 3200
SEEDS = st.integers(0, 2**32 - 1)


def market(seed, bars=BARS, volatility=0.013, first=None):
    """Closes in cents that pass through single precision, with a dividend a quarter and two splits."""
    rng = np.random.default_rng(seed)
    closes = builders.prices(volatility * rng.standard_normal(bars - 1), first or 100 * math.exp(rng.uniform(-1, 2)))
    closes *= max(1.0, 5 / closes.min()) if first is None else 1.0
    days = builders.weekdays(bars)
    events = [
        builders.event(days[at], round(float(closes[at] * rng.uniform(0.001, 0.01)), 3)) for at in range(40, bars, 63)
    ]
    events += [builders.event(days[at], float(rng.choice([2, 3, 1.5, 7])), "split") for at in SPLIT_AT if at < bars]
    closes = np.round(closes, 2).astype("f4").astype("f8")
    return builders.history(closes, days, symbol="QQQ", events=tuple(sorted(events, key=lambda one: one.day)))


def mine(closes, days=None, source="csv", symbol="mine.csv", **facts):
    closes = np.asarray(closes, dtype="f8")
    days = builders.weekdays(len(closes)) if days is None else days
    return History(
        Series(Leg(source, symbol), days, closes, facts=builders.series([1.0], **facts).facts), Provenance("file")
    )


def saved(here):
    """The closes as a file has them."""
    return np.round(here.series.closes, 2)


def kinds(found):
    return [(one.kind, one.dates) for one in found.checked[0].findings]


def only(found):
    (finding,) = found.checked[0].findings
    return finding


def differing(here, there):
    """The positions that differ by more than a tenth of a percent, or more than rounding to cents makes."""
    return np.flatnonzero(np.abs(there - here) > np.maximum(0.001 * here, 0.005))


# ---------------------------------------------------------------- plants: each changes the file's closes in place


def plant_shift(closes, _here, rng):
    start, long = int(rng.integers(100, 1000)), int(rng.integers(30, 400))
    by = int(rng.choice([-1, 1]))
    closes[start : start + long] = closes[start + by : start + long + by].copy()
    return "shift", -by


def plant_scale(closes, _here, rng):
    start, long = int(rng.integers(3600, 4000)), int(rng.integers(1, 900))
    factor = float(rng.choice([100, 0.01, 1000]))
    closes[start : start + long] *= factor
    return "scale", factor


def plant_split(closes, here, rng):
    at = int(rng.choice(SPLIT_AT))
    (ratio,) = [e.value for e in here.series.events if e.kind == "split" and e.day == here.series.dates[at]]
    closes[:at] *= ratio
    return "split", ratio


def plant_unknown_split(closes, _here, rng):
    ratio = float(rng.choice([2, 3, 4, 0.5, 20]))
    closes[: int(rng.integers(1600, 3000))] *= ratio
    return "split", ratio


def plant_dividends(closes, here, _rng):
    closes[:] = np.round(adjusted(here.series, "total"), 4)
    return "dividend", math.nan


def plant_tick(closes, _here, rng):
    closes[int(rng.integers(4920, 4990))] *= float(rng.choice([1.07, 0.9, 1.3]))
    return "tick", math.nan


def plant_revision(closes, _here, rng):
    closes[4600:4620] *= np.exp(rng.choice([-1, 1]) * rng.uniform(0.01, 0.05, 20).cumsum())
    return "other", math.nan


PLANTS = {
    "shift": plant_shift,
    "scale": plant_scale,
    "split": plant_split,
    "unknown split": plant_unknown_split,
    "dividend": plant_dividends,
    "tick": plant_tick,
    "revision": plant_revision,
}


def planted(seed, names):
    """A history, a file with these faults, and what they are, the first on top of the list."""
    here, rng = market(seed), np.random.default_rng(seed)
    closes = saved(here)
    truth = [PLANTS[name](closes, here, rng) for name in names]
    return here, np.round(closes, 6), truth


# ---------------------------------------------------------------- agreement


@given(SEEDS, st.floats(0.5, 3000))
@settings(max_examples=8)
def test_rounding_is_no_difference(seed, first):
    here = market(seed, first=first)
    for digits in (2, 3, 6):
        (one,) = verify(here, [mine(np.round(here.series.closes, digits))], Tolerance(0.0)).checked
        assert (one.common, one.agreeing, one.findings, one.largest) == (BARS, BARS, (), None)


def test_the_coarser_sides_rounding_counts_where_prices_are_small():
    x = np.round(builders.prices(builders.linked_returns(500)[0], 0.3), 6)
    assert not verify(mine(x), [mine(np.round(x, 2), symbol="b.csv")]).differs
    off = np.round(x, 2)
    off[200] += 0.01
    assert kinds(verify(mine(x), [mine(off, symbol="b.csv")])) == [("tick", 1)]


def test_a_difference_at_the_tolerance_agrees_and_one_beyond_it_does_not():
    x = 100 + np.arange(50.0)
    for size, agreed in ((0.00099, 50), (0.0011, 49)):
        y = x.copy()
        y[20] *= 1 + size
        (one,) = verify(mine(x), [mine(y, symbol="b.csv")], Tolerance(0.001)).checked
        assert one.agreeing == agreed, size


@pytest.mark.parametrize(("values", "half"), [([1.25, 3.5], 0.005), ([3.0, 4.0], 0.05), ([1 / 3, 2 / 3], 0.0)])
def test_the_last_printed_digit_is_found(values, half):
    assert rounding(np.array(values)) == pytest.approx(half)
    assert rounding(np.array(values).astype("f4").astype("f8")) == pytest.approx(half)


# ---------------------------------------------------------------- kinds


@pytest.mark.parametrize("name", PLANTS)
@given(seed=SEEDS)
@settings(max_examples=6)
def test_a_planted_fault_is_found_and_nothing_else(name, seed):
    here, closes, [(kind, factor)] = planted(seed, [name])
    found = verify(here, [mine(closes)])
    one = only(found)
    wanted = differing(here.series.closes, closes)
    got = {each.day for each in one.differences}
    near = {here.series.dates[at].item() for at in wanted}
    # Dates at the very edge of tolerance or cents may fall on either side.
    assert len(got ^ near) <= 0.01 * len(wanted) + 1
    assert one.kind == kind
    assert one.factor == pytest.approx(factor, nan_ok=True)


@given(seed=SEEDS, name=st.sampled_from([name for name in PLANTS if name != "shift"]))
@settings(max_examples=8)
def test_the_other_way_round_the_same_is_found_inverted(seed, name):
    here, closes, [(kind, factor)] = planted(seed, [name])
    forth, back = only(verify(here, [mine(closes)])), only(verify(mine(closes), [here]))
    assert back.kind == forth.kind == kind
    assert [each.day for each in back.differences] == [each.day for each in forth.differences]
    assert back.factor == pytest.approx(1 / factor, nan_ok=True)


@given(seed=SEEDS)
@example(seed=1_281_636_868)  # the value that is pushed out is nearly the one beside it
@settings(max_examples=10)
def test_a_shift_the_other_way_round_goes_the_other_way(seed):
    here, closes, [(_, by)] = planted(seed, ["shift"])
    back = only(verify(mine(closes), [here]))
    assert (back.kind, back.factor) == ("shift", -by)


@pytest.mark.parametrize(
    "names",
    [
        ("split", "tick"),
        ("split", "scale", "tick"),
        ("dividend", "tick"),
        ("dividend", "scale"),
        ("dividend", "split", "tick"),
        ("shift", "scale", "tick", "revision"),
        ("dividend", "shift", "tick"),
        ("unknown split", "shift", "revision"),
        ("scale", "tick", "revision"),
    ],
)
@given(seed=SEEDS)
@settings(max_examples=4)
def test_several_faults_are_told_apart(names, seed):
    here, closes, truth = planted(seed, names)
    found = verify(here, [mine(closes)])
    assert sorted(one.kind for one in found.checked[0].findings) == sorted(kind for kind, _ in truth)


def test_a_split_is_told_with_its_day_and_who_lacks_it():
    here, closes, _ = planted(3, ["split"])
    one = only(verify(here, [mine(closes)]))
    day = next(str(e.day) for e in here.series.events if e.kind == "split" and str(e.day) in one.because)
    why = f"before {day}, where csv:mine.csv alone jumps: the split of {day} is not applied to it"
    assert one.because.endswith(why)
    back = only(verify(mine(closes), [here]))
    assert back.because.endswith(why)
    assert one.hint == back.hint == "get csv:mine.csv again, adjusted for splits"


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("ratio", [4.0, 0.25, 1.5])
@pytest.mark.parametrize(
    ("bad", "factor", "fate"),
    [
        ("mine", 1, "not applied to"),
        ("mine", -1, "applied twice to"),
        ("QQQ", 1, "not applied to"),
        ("QQQ", -1, "applied twice to"),
    ],
)
def test_the_side_that_jumps_where_a_split_is_lacks_it_or_has_it_twice(bad, factor, fate, ratio, known):
    right = builders.prices(builders.linked_returns(999)[0])
    wrong = right.copy()
    wrong[:600] *= ratio**factor
    days = builders.weekdays(1000)
    events = (builders.event(days[600], ratio, "split"),) if known else ()
    x, y = (right, wrong) if bad == "mine" else (wrong, right)
    here, there = builders.history(x, days, symbol="QQQ", events=events), mine(np.round(y, 4))
    name = "csv:mine.csv" if bad == "mine" else "QQQ"
    for one in (only(verify(here, [there])), only(verify(there, [here]))):
        assert f"where {name} alone jumps: " in one.because
        if known:
            assert f"the split of {days[600]} is {fate}" in one.because
        else:
            assert (
                f"a split that no source names is {'not applied to' if ratio**factor > 1 else 'applied twice to'} it"
                in (one.because)
            )
        assert one.hint == f"get {name} again, adjusted for splits"


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("ratio", [4.0, 0.25, 10.0])
@pytest.mark.parametrize("bad", ["mine", "QQQ"])
@pytest.mark.parametrize("since", [1, 2, 3, 4])
def test_on_the_first_dates_after_a_split_the_side_that_jumps_is_blamed_too(since, bad, ratio, known):
    right = builders.prices(builders.linked_returns(499)[0])
    wrong = right.copy()
    wrong[:-since] *= ratio
    days = builders.weekdays(500)
    events = (builders.event(days[-since], ratio, "split"),) if known else ()
    x, y = (right, wrong) if bad == "mine" else (wrong, right)
    here, there = builders.history(x, days, symbol="QQQ", events=events), mine(np.round(y, 4))
    name = "csv:mine.csv" if bad == "mine" else "QQQ"
    for one in (only(verify(here, [there])), only(verify(there, [here]))):
        assert (one.kind, one.dates) == ("split", 500 - since)
        assert f"before {days[-since]}, where {name} alone jumps: " in one.because
        assert one.hint == f"get {name} again, adjusted for splits"


@pytest.mark.parametrize("side", ["here", "there"])
def test_where_both_sides_jump_neither_is_blamed_alone(side):
    x = builders.prices(builders.linked_returns(999)[0])
    x[600:] *= 1.5
    y = x.copy()
    (x if side == "here" else y)[:600] *= 3
    found = verify(builders.history(x, builders.weekdays(1000), symbol="QQQ"), [mine(np.round(y, 4))])
    assert "alone jumps" not in only(found).because
    assert "or twice to" in only(found).because


def lacking_or_having(here, chosen):
    """The closes adjusted for some of the distributions only."""
    events = tuple(e for e in here.series.events if e.kind != "split")
    only_these = tuple(e for at, e in enumerate(events) if chosen(at - len(events)))
    return events, np.round(adjusted(replace(here.series, events=only_these), "total"), 4)


@pytest.mark.parametrize("which", [-6, -30, -70])
def test_a_single_dividend_that_is_adjusted_for_is_named(which):
    here = market(11)
    events, closes = lacking_or_having(here, lambda at: at == which)
    for one in (only(verify(here, [mine(closes)])), only(verify(mine(closes), [here]))):
        assert one.kind == "dividend"
        assert one.because == f"csv:mine.csv is adjusted for the dividend of {events[which].day}, and QQQ is not"
        assert "as quoted" in one.hint
        assert one.last < events[which].day.item()
        assert abs(math.log(one.factor)) == pytest.approx(abs(math.log(closes[0] / here.series.closes[0])), rel=0.1)


@pytest.mark.parametrize("which", [-2, -6, -30])
def test_a_single_dividend_that_is_not_adjusted_for_as_all_others_are_is_named(which):
    here = market(11)
    events, closes = lacking_or_having(here, lambda at: at != which)
    for found in (verify(here, [mine(closes)]), verify(mine(closes), [here])):
        told = [one.because for one in found.checked[0].findings]
        assert f"csv:mine.csv is adjusted for dividends, but not for the dividend of {events[which].day}" in told
        assert "csv:mine.csv is adjusted for dividends, and QQQ is not" in told
        assert len(told) == 2


def test_a_dividend_that_is_adjusted_for_twice_is_named():
    here = market(11)
    events, closes = lacking_or_having(here, lambda _: True)
    at = here.series.dates.searchsorted(events[-6].day)
    closes[:at] *= 1 - events[-6].value / here.series.closes[at - 1]
    told = [one.because for one in verify(here, [mine(np.round(closes, 4))]).checked[0].findings]
    assert f"csv:mine.csv is adjusted for the dividend of {events[-6].day} twice" in told


def test_a_step_that_is_of_another_size_than_the_dividend_there_has_no_name():
    here = market(11)
    event = [e for e in here.series.events if e.kind != "split"][-6]
    at = here.series.dates.searchsorted(event.day)
    closes = saved(here)
    closes[:at] *= 1 - 1.4 * event.value / here.series.closes[at - 1] - 0.002
    assert only(verify(here, [mine(np.round(closes, 4))])).kind == "adjustment"


@pytest.mark.parametrize(
    ("size", "said"),
    [(13.5, "1350 bp"), (0.0512, "5.12 bp"), (0.123, "12.3 bp"), (9.99, "999 bp"), (123.4, "12340 bp")],
)
def test_large_sizes_are_written_out(size, said):
    x = np.tile([3.0, 4.0, 5.0, 3.5], 100)
    y = x + np.tile([size, -size], 200)
    one = only(verify(mine(x, measure="rate"), [mine(y, symbol="b.csv", measure="rate")]))
    assert f"usually by {said}," in one.because


@pytest.mark.parametrize(
    ("value", "wanted"),
    [(1350.0, "1350"), (999.6, "1000"), (12.345, "12.3"), (0.00123, "0.00123"), (123_456.0, "123456"), (1e12, "1e+12")],
)
def test_digits_are_three_or_all_before_the_point(value, wanted):
    assert telling.digits(value) == wanted


def test_a_split_after_the_file_was_saved_concerns_all_of_it():
    x = builders.prices(builders.linked_returns(299)[0])
    days = builders.weekdays(300)
    here = builders.history(x, days, events=(builders.event(days[250], 5.0, "split"),))
    one = only(verify(here, [mine(5 * x[:250], days[:250])]))
    assert (one.kind, one.dates, one.factor) == ("split", 250, 5.0)
    assert "on all common dates" in one.because


def test_steps_that_nothing_explains_are_one_adjustment():
    here = market(5)
    steps = np.exp(-0.004 * ((BARS - 1 - np.arange(BARS)) // 63))
    one = only(verify(here, [mine(np.round(here.series.closes * steps, 4))]))
    assert one.kind == "adjustment"
    assert one.factor == pytest.approx(steps[0], rel=2e-3)
    assert one.first == here.series.dates[0].item()


@pytest.mark.parametrize(("side", "name"), [("here", "QQQ"), ("there", "csv:mine.csv")])
def test_the_side_that_is_far_from_its_own_neighbours_is_named(side, name):
    here = market(6)
    x, y = here.series.closes.copy(), saved(here)
    (x if side == "here" else y)[2500] *= 1.2
    found = verify(builders.history(x, here.series.dates, symbol="QQQ"), [mine(y)])
    assert f"{name} is far from its own neighbours" in only(found).because


def test_a_tick_on_the_last_date_is_thought_of_as_an_unfinished_session():
    x = builders.prices(builders.linked_returns(99)[0])
    y = x.copy()
    y[-1] *= 1.02
    one = only(verify(mine(x), [mine(y, symbol="b.csv")]))
    assert (one.kind, one.first) == ("tick", builders.FRIDAY)
    assert "before the session was over" in one.hint


@given(seed=SEEDS)
@settings(max_examples=10)
@example(seed=2332)  # three of its five thousand ratios are a hundredth by chance
def test_what_is_not_the_same_thing_is_one_difference_without_a_name(seed):
    here = market(seed)
    rng = np.random.default_rng(seed)
    for closes in (market(seed + 1).series.closes, here.series.closes * np.exp(0.003 * rng.standard_normal(BARS))):
        assert {one.kind for one in verify(here, [mine(closes)]).checked[0].findings} == {"other"}


# ---------------------------------------------------------------- rates and levels


def yields(seed=0, bars=1000):
    return np.round(4 + 0.05 * np.random.default_rng(seed).standard_normal(bars).cumsum() / 3, 2)


def test_rates_differ_in_basis_points():
    x = yields()
    y = x.copy()
    y[500] += 0.01
    found = verify(mine(x, source="fred", symbol="DGS10", measure="rate"), [mine(y)])
    (one,) = found.checked
    assert (one.unit, kinds(found)) == ("bp", [("tick", 1)])
    assert one.largest.change == pytest.approx(1.0)
    assert one.remarks == ("fred:DGS10 is a rate and csv:mine.csv is given as price: compared in basis points",)


@pytest.mark.parametrize("factor", [0.01, 100.0])
def test_percent_against_fractions_is_a_scale(factor):
    x = yields()
    rate = mine(x, source="fred", symbol="DGS10", measure="rate")
    one = only(verify(rate, [mine(np.round(x * factor, 6))]))
    assert (one.kind, one.factor, one.dates) == ("scale", factor, 1000)


@pytest.mark.parametrize(("unit", "size"), [("percent", 0.01), ("", 0.01), ("bp", 1.0)])
def test_a_basis_point_is_counted_in_the_legs_own_unit(unit, size):
    x = np.round(size * (400 + np.random.default_rng(3).normal(0, 5, 100).cumsum()), 4)
    y = x.copy()
    y[[20, 60]] += 0.4 * size, 8 * size
    here, there = (mine(z, measure="rate", unit=unit, symbol=name) for z, name in ((x, "a.csv"), (y, "b.csv")))
    (one,) = verify(here, [there]).checked
    assert [(each.day, each.change) for each in one.differences] == [(builders.weekdays(100)[60], pytest.approx(8))]
    assert one.remarks == ()


def test_a_step_between_rates_in_basis_points_is_told_in_basis_points():
    x = 400 + np.random.default_rng(3).normal(0, 5, 100).cumsum()
    y = np.where(np.arange(100) < 60, x + 12, x)
    finding = only(verify(mine(x, measure="rate", unit="bp"), [mine(y, symbol="b.csv", measure="rate", unit="bp")]))
    assert finding.because.startswith("csv:b.csv is +12 bp from csv:mine.csv")


def test_percent_and_basis_points_agree_once_both_are_in_basis_points():
    x = np.round(4 + np.random.default_rng(3).normal(0, 0.05, 100).cumsum(), 2)
    y = 100 * x
    y[20] += 3
    percent, points = (mine(x, symbol="DGS10", source="fred", measure="rate", unit="percent"), "csv")
    found = verify(percent, [mine(y, source=points, measure="rate", unit="bp")])
    (one,) = found.checked
    (each,) = one.differences
    assert (each.here, each.there, each.change) == (pytest.approx(100 * x[20]), y[20], pytest.approx(3))
    assert one.remarks == ("fred:DGS10 is in percent and csv:mine.csv in bp: compared, and shown, in basis points",)
    (back,) = verify(mine(y, measure="rate", unit="bp"), [percent]).checked
    assert [-other.change for other in back.differences] == [pytest.approx(3)]


def test_what_is_no_declared_rate_is_taken_for_one_in_the_rates_own_unit():
    x = 400 + np.random.default_rng(3).normal(0, 5, 100).cumsum()
    (one,) = verify(mine(x, measure="rate", unit="bp"), [mine(x + 0.3, symbol="b.csv")]).checked
    assert (one.unit, one.differences) == ("bp", ())


def test_rates_in_another_unit_differ_by_fractions_of_their_value():
    x = np.linspace(40, 50, 100)
    here, there = (mine(z, symbol=name, measure="rate", unit="per mille") for z, name in ((x, "a"), (x * 1.02, "b")))
    (one,) = verify(here, [there]).checked
    assert one.unit == "fraction"
    assert one.differences[0].change == pytest.approx(0.02)


@pytest.mark.parametrize("factor", [100, 0.01])
def test_a_factor_of_a_hundred_between_rates_may_be_basis_points_against_percent(factor):
    x = np.round(4 + np.random.default_rng(3).normal(0, 0.05, 100).cumsum(), 2)
    rate = mine(x, source="fred", symbol="DGS10", measure="rate")
    assert "basis points against percent" in only(verify(rate, [mine(np.round(x * factor, 6))])).because


def test_a_rate_that_is_dated_a_day_late_is_a_shift():
    x = yields()
    y = x.copy()
    y[300:700] = x[299:699]
    one = only(verify(mine(x, symbol="DGS10", source="fred", measure="rate"), [mine(y)]))
    assert (one.kind, one.factor) == ("shift", 1)


def test_values_at_zero_and_below_are_held_against_each_other():
    x = np.linspace(3.0, -3.0, 101)
    assert not verify(mine(x), [mine(x, symbol="b.csv")]).differs
    y = x.copy()
    y[[20, 50, 80]] = 0.0, 1.0, 2.0
    found = verify(mine(x), [mine(y, symbol="b.csv")])
    assert kinds(found) == [("tick", 3)] or sorted(kinds(found)) == [("tick", 1), ("tick", 2)]
    assert math.isnan(found.checked[0].largest.change)


# ---------------------------------------------------------------- what is no matter of dates


def test_pence_and_pounds_are_a_scale_and_no_other_currency():
    x = builders.prices(builders.linked_returns(99)[0])
    found = verify(mine(x, currency="GBP"), [mine(100 * x, symbol="b.csv", currency="GBp")])
    assert (only(found).kind, only(found).factor) == ("scale", 100.0)
    assert "hundredths" in only(found).because


def test_another_currency_explains_what_differs():
    x = builders.prices(builders.linked_returns(99)[0])
    rates = builders.prices(builders.linked_returns(99, seed=9, volatility=0.004)[1], 0.9)
    found = verify(mine(x), [mine(x * rates, symbol="b.csv", currency="EUR")])
    assert kinds(found) == [("currency", 100)]
    assert only(found).because == "csv:b.csv is in EUR, csv:mine.csv in USD"


def test_another_currency_is_a_finding_even_where_the_numbers_agree():
    x = builders.prices(builders.linked_returns(99)[0])
    found = verify(mine(x), [mine(x, symbol="b.csv", currency="EUR")])
    assert (kinds(found), found.differs, found.checked[0].agreeing) == ([("currency", 0)], True, 100)


def test_a_currency_that_is_not_known_is_none_that_differs():
    x = builders.prices(builders.linked_returns(99)[0])
    assert not verify(mine(x), [mine(x, symbol="b.csv", currency="")]).differs


def test_two_names_of_one_source_with_the_same_closes_are_duplicates():
    x = builders.prices(builders.linked_returns(99)[0])
    one, two = mine(x, source="yahoo", symbol="QQQ"), mine(x, source="yahoo", symbol="QQQX")
    assert kinds(verify(one, [two])) == [("duplicate", 100)]
    found = verify(mine(x), [one, two])
    assert [[f.kind for f in each.findings] for each in found.checked] == [[], ["duplicate"]]


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [("all.csv#QQQ", "all.csv#IWM", True), ("a.csv", "b.csv", False), ("a.csv#QQQ", "b.csv#QQQ", False)],
)
def test_columns_of_one_file_can_be_duplicates_and_copies_of_a_file_are_none(first, second, same):
    x = builders.prices(builders.linked_returns(99)[0])
    assert verify(mine(x, symbol=first), [mine(x, symbol=second)]).differs == same


def test_two_sources_that_agree_to_the_last_bit_are_no_duplicates():
    x = builders.prices(builders.linked_returns(99)[0])
    assert not verify(mine(x, source="cboe", symbol="VIX"), [mine(x, source="fred", symbol="VIXCLS")]).differs


def test_missing_dates_and_a_late_end_are_said_and_are_no_difference():
    x, days = builders.prices(builders.linked_returns(99)[0]), builders.weekdays(100)
    keep = ~np.isin(np.arange(100), [40, 41, 99])
    found = verify(mine(x, days), [mine(x[keep], days[keep], symbol="b.csv")])
    (one,) = found.checked
    assert (found.differs, one.common) == (False, 97)
    assert (one.lacking, one.added) == ((days[40].item(), days[41].item()), ())
    assert one.remarks == (
        f"csv:b.csv has no close on 2 dates between, {days[40]} to {days[41]}",
        f"csv:b.csv ends on {days[98]}, csv:mine.csv on {days[99]}",
    )


# ---------------------------------------------------------------- what is asked


def test_since_leaves_out_what_is_older():
    here, closes, _ = planted(1, ["split"])
    day = here.series.dates[4000].item()
    (one,) = verify(here, [mine(closes)], since=day).checked
    assert (one.first, one.common, one.findings) == (day, 1000, ())


def test_no_common_date_is_said():
    x, days = np.arange(1.0, 11.0), builders.weekdays(10)
    with pytest.raises(NotEnoughData, match=r"no date in common: csv:mine\.csv has 10 closes"):
        verify(mine(x, days), [mine(x, days - 3650)])
    with pytest.raises(NotEnoughData, match="in common from 2030-01-01 on"):
        verify(mine(x, days), [mine(x, days, symbol="b.csv")], since=date(2030, 1, 1))


@pytest.mark.parametrize("bars", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("factor", [1.0, 1.5, 100.0, 0.0])
def test_few_common_dates_are_enough(bars, factor):
    x = 10.0 + np.arange(bars)
    (one,) = verify(mine(x), [mine(factor * x, symbol="b.csv")]).checked
    assert len(one.differences) == (0 if factor == 1 else bars)


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=1, max_size=60), st.booleans())
def test_every_date_either_agrees_or_has_one_reason(rows, rate):
    x, y = np.array(rows).T
    measure = "rate" if rate else "price"
    (one,) = verify(mine(x, measure=measure), [mine(y, symbol="b.csv", measure=measure)]).checked
    assert one.agreeing + len(one.differences) == one.common == len(rows)
    assert len({each.day for each in one.differences}) == len(one.differences)
    assert all(each.kind in KINDS for each in one.differences)
    assert all(f.dates == len(f.differences) and f.because and f.hint for f in one.findings)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("0.05%", Tolerance(0.0005, 0.5)),
        ("1bp", Tolerance(0.001, 1.0)),
        ("0.2 %, 2 BP", Tolerance(0.002, 2.0)),
        ("0", Tolerance(0.0, 0.0)),
    ],
)
def test_a_tolerance_can_be_typed(text, found):
    assert Tolerance.parse(text) == pytest.approx(found)


@pytest.mark.parametrize("text", ["", "1", "x%", "-1%", "60%", "1%%", "nan%", "1%,", "1e9bp"])
def test_what_is_no_tolerance_is_refused(text):
    with pytest.raises(UsageError, match="not a tolerance"):
        Tolerance.parse(text)


def test_a_quarter_of_a_century_takes_no_time_that_shows():
    here = market(0, 6600)
    others = [mine(adjusted(here.series, "total")), mine(saved(here) * 100)]
    verify(here, others[:1])
    for other in others:
        took = []
        for _ in range(5):
            start = time.process_time()
            verify(here, [other])
            took.append(time.process_time() - start)
        assert min(took) < 0.2  # a twentieth on a machine that does nothing else
