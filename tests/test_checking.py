import json
from dataclasses import replace

import numpy as np
import pytest
from tests import builders
from tests.builders import FRIDAY

from pairwatch import pairs, verdicts
from pairwatch.checking import Run, Scoped, Watched, plan, unnamed
from pairwatch.conditions import DAY, Rule
from pairwatch.errors import NoNetwork, NotEnoughData, StoreError
from pairwatch.expressions import parse
from pairwatch.model import Leg, Provenance, Window
from pairwatch.snapshots import FILE_NAME, Store
from pairwatch.snapshots.watching import Watch
from pairwatch.staging import Question

KNOWN = {"correlation": ("pair",), "last": ("a", "b"), "ratio_zscore": ("pair",)}
A, B, C, D = (Leg("yahoo", symbol) for symbol in ("AAA", "BBB", "CCC", "DDD"))
QUESTION = Question(FRIDAY, Window.parse("90d"), 3)
NOW = 1.795e9


def rule(when="correlation > 0.5", name="tight", **more):
    return Rule(name, parse(when, KNOWN), **more)


class Shelf:
    """Histories by leg; what it does not have, it fails to get."""

    def __init__(self, **held):
        self.held = held
        self.asked = []

    def history(self, leg):
        self.asked.append(leg)
        if leg.symbol not in self.held:
            raise NoNetwork(f"{leg}: no route")
        return self.held[leg.symbol]


class Refusing:
    """A watch whose store cannot be used."""

    def __init__(self):
        self.asked = 0

    def judge(self, rules, seen):
        self.asked += 1
        raise StoreError("the snapshots in x are damaged")

    def said(self, news, at, *, heard):
        assert not list(news)  # what holds without memory is no news of the store


class Forgetful(Watch):
    """A watch whose store is full by the time that it is told of what was said."""

    def said(self, news, at, *, heard):
        raise StoreError("the disk is full")


@pytest.fixture
def shelf():
    a, b = builders.linked_pair(61, rho=0.9)
    return Shelf(AAA=a, BBB=b, CCC=builders.history(builders.prices(builders.linked_returns(61)[0]), symbol="CCC"))


@pytest.fixture
def watch(tmp_path):
    return Watch(Store(tmp_path / FILE_NAME))


def checked(shelf, watch, *chosen, now=NOW):
    """The outcomes of a run, all of whose news was said."""
    run = Run(shelf.history, watch, QUESTION, now)
    return [run.said(outcome) for outcome in run.check(chosen)]


# ---------------------------------------------------------------- what is judged


def test_a_rule_is_judged_by_the_readings_of_its_scope(shelf, watch):
    said = pairs.compare(shelf.held["AAA"], shelf.held["BBB"], QUESTION)
    threshold = (said["a", "last"] + said["b", "last"]) / 2
    rules = (rule(f"a.last > {threshold:.2f}", "one"), rule(f"b.last > {threshold:.2f}", "two"))
    [outcome] = checked(shelf, watch, Watched(A, B, rules))
    assert said["a", "last"] > said["b", "last"]
    assert [standing.judgement.holds for standing in outcome.standings] == [True, False]
    assert outcome.session == FRIDAY
    assert [standing.rule.name for standing in outcome.standings] == ["one", "two"]


def test_a_second_run_remembers_the_first(shelf, watch):
    first, second = (checked(shelf, watch, Watched(A, B, (rule(),)), now=NOW + n)[0].standings[0] for n in range(2))
    assert (first.judgement.change, first.is_news, first.in_force) == ("began", True, True)
    assert (second.judgement.change, second.is_news, second.in_force) == ("", False, True)


def test_a_pair_with_a_window_of_its_own_is_judged_by_that(shelf, watch):
    own = replace(QUESTION, window=Window.parse("30b"))
    run = Run(shelf.history, watch, QUESTION, NOW, {(A, B): own.window})
    for legs, asked in (((A, B), own), ((B, A), QUESTION)):
        said = pairs.compare(shelf.held[legs[0].symbol], shelf.held[legs[1].symbol], asked)["correlation"]
        low, high = rule(f"correlation > {said - 1e-9:.12f}", "low"), rule(f"correlation > {said + 1e-9:.12f}", "high")
        [outcome] = run.check([Watched(*legs, (low, high))])
        assert [standing.judgement.holds for standing in outcome.standings] == [True, False]
    assert {(json.loads(change.question)["window"], change.a) for change in watch.changes(0)} == {
        ("30b", A),
        ("90d", B),
    }


def test_a_number_that_there_is_not_cannot_be_said(watch):
    rates = [
        builders.history([4.0 + 0.01 * (n % 7) for n in range(62)], symbol=s, measure="rate", unit="percent")
        for s in ("AAA", "BBB")
    ]
    held = Shelf(AAA=rates[0], BBB=rates[1])
    [outcome] = checked(held, watch, Watched(A, B, (rule("ratio_zscore > 2"),)))
    assert outcome.standings[0].judgement.holds is None
    assert not outcome.standings[0].in_force


# ---------------------------------------------------------------- what fails


def test_what_fails_for_one_pair_stops_no_other(shelf, watch):
    chosen = [Watched(A, D, (rule(), rule(name="other"))), Watched(A, B, (rule(),))]
    failed, fine = checked(shelf, watch, *chosen)
    assert isinstance(failed.error, NoNetwork)
    assert [(s.rule.name, s.judgement, s.in_force) for s in failed.standings] == [
        ("tight", None, False),
        ("other", None, False),
    ]
    assert (fine.error, fine.standings[0].in_force) == (None, True)


def test_too_short_a_pair_is_an_error_of_its_own(shelf, watch):
    shelf.held["DDD"] = builders.history([1.0, 2.0, 3.0], symbol="DDD")
    [outcome] = checked(shelf, watch, Watched(A, D, (rule(),)))
    assert isinstance(outcome.error, NotEnoughData)


def test_a_store_that_refuses_is_asked_once_and_the_rules_are_judged_all_the_same(shelf):
    watch = Refusing()
    rules = (rule(), rule("correlation < 0.5", "loose"), rule(name="slow", lasting=9))
    outcomes = checked(shelf, watch, Watched(A, B, rules), Watched(B, A, rules))
    assert watch.asked == 1
    for outcome in outcomes:
        assert isinstance(outcome.refusal, StoreError)
        assert [s.judgement.holds for s in outcome.standings] == [True, False, True]
        # Without memory nothing is known to be in force; what holds is said.
        assert [(s.in_force, s.is_news) for s in outcome.standings] == [(False, True), (False, False), (False, True)]


def test_what_was_said_and_cannot_be_written_down_is_a_refusal_and_said_again(shelf, tmp_path):
    store = Store(tmp_path / FILE_NAME)
    [outcome] = checked(shelf, Forgetful(store), Watched(A, B, (rule(),)))
    assert isinstance(outcome.refusal, StoreError)
    [again] = checked(shelf, Watch(store), Watched(A, B, (rule(),)), now=NOW + DAY)
    assert (again.standings[0].change, again.standings[0].cries, again.standings[0].is_news) == ("began", True, True)


def test_stale_legs_are_judged_and_said(shelf, watch):
    shelf.held["AAA"] = replace(shelf.held["AAA"], provenance=Provenance("cache", 1.0, "AAA: throttled"))
    [outcome] = checked(shelf, watch, Watched(A, B, (rule(),)))
    assert outcome.stale == ("AAA: throttled",)
    assert outcome.standings[0].in_force


# ---------------------------------------------------------------- which rules for which pairs


def test_a_rule_without_pairs_is_for_every_watched_pair_and_one_with_pairs_for_those():
    of_all, of_some = rule(name="all"), rule(name="some")
    found = plan([(A, B), (B, A)], [Scoped(of_all), Scoped(of_some, ((B, A), (A, C)))])
    assert found == (
        Watched(A, B, (of_all,)),
        Watched(B, A, (of_all, of_some)),
        Watched(A, C, (of_some,)),  # not on the list, so that the rule for all of it is not for this pair
    )


def test_a_pair_that_is_watched_twice_is_checked_once():
    assert len(plan([(A, B), (A, B)], [Scoped(rule(), ((A, B),))])) == 1


def test_a_watched_pair_without_rules_is_left_out():
    assert [(one.a, one.b) for one in plan([(A, B)], [Scoped(rule(), ((A, C),))])] == [(A, C)]
    assert plan([(A, B)], []) == ()


# ---------------------------------------------------------------- rules without a name


@pytest.mark.parametrize(
    ("until", "more", "name"),
    [
        ("", {}, "correlation < 0.6"),
        ("correlation>.65", {}, "correlation < 0.6 until correlation > 0.65"),
        ("", {"lasting": 2}, "correlation < 0.6 lasting 2"),
        ("", {"cooldown": 5 * DAY}, "correlation < 0.6"),
        ("", {"cooldown": 0.0}, "correlation < 0.6 cooldown 0d"),
        ("", {"cooldown": 36 * 3600.0}, "correlation < 0.6 cooldown 36h"),
        ("", {"cooldown": 90 * 60.0}, "correlation < 0.6 cooldown 90m"),
        ("", {"cooldown": 100.0}, "correlation < 0.6 cooldown 100s"),
        ("a.last > 1", {"lasting": 3, "cooldown": DAY}, "correlation < 0.6 until a.last > 1 lasting 3 cooldown 1d"),
    ],
)
def test_a_rule_without_a_name_is_called_what_it_says(until, more, name):
    found = unnamed(parse("correlation<.6", KNOWN), parse(until, KNOWN) if until else None, **more)
    assert found.name == name
    assert (found.lasting, found.cooldown) == (more.get("lasting", 1), more.get("cooldown", 5 * DAY))


def test_rules_without_a_name_that_differ_leave_each_other_alone(shelf, watch):
    when = parse("correlation > 0.5", KNOWN)
    impatient, patient = unnamed(when, cooldown=0.0), unnamed(when)
    first = checked(shelf, watch, Watched(A, B, (impatient, patient)))
    second = checked(shelf, watch, Watched(A, B, (impatient, patient)), now=NOW + DAY)
    assert [s.is_news for s in first[0].standings] == [True, True]
    assert [s.is_news for s in second[0].standings] == [False, False]


# ---------------------------------------------------------------- clocks

OF_A_LEAD = dict.fromkeys((*verdicts.OF_A_LEAD, "lead_detectable"), ("leadership",)) | KNOWN


def of_a_lead(*texts):
    return tuple(Rule(text, parse(text, OF_A_LEAD)) for text in texts)


def at_clocks(late, early):
    """A pair without a leader, of which the leg that closes later looks ahead."""
    return dict(zip(("AAA", "BBB"), builders.told_at_two_clocks(late, early, 100, 1), strict=True))


RULES = of_a_lead(
    "lead_p_value < 0.05",
    "lead_lag == 1",
    "lead_correlation > 0.2",
    "lead_asymmetry > 0",
    "lead_p_value > 0.05",
    "lead_detectable < 1",
    "lead_p_value < 0.05 and correlation > 2",
    "lead_p_value < 0.05 or correlation < 2",
)


@pytest.mark.parametrize("known", [True, False])
def test_what_the_clocks_can_make_of_a_lead_begins_no_rule(watch, known):
    early = builders.TOKYO if known else replace(builders.TOKYO, closes_at=None)
    held = at_clocks(builders.NEW_YORK, builders.TOKYO)
    held["BBB"] = replace(held["BBB"], series=replace(held["BBB"].series, facts=early))
    p = pairs.compare(held["AAA"], held["BBB"], QUESTION)["leadership", "lead_p_value"]
    assert p < 0.05, "the number stays what it is"
    [outcome] = checked(Shelf(**held), watch, Watched(A, B, RULES))
    assert [s.judgement.holds for s in outcome.standings] == [None, None, None, None, None, True, False, True]
    first = outcome.standings[0]
    assert (first.judgement.change, first.is_news, first.in_force) == ("", False, False)
    why = "AAA closes 14.5 h after BBB" if known else "when BBB closes is not known"
    assert first.judgement.because == f"lead_p_value {p:.3g} (no verdict: {why})"
    assert "no verdict" not in outcome.standings[5].judgement.because


def test_a_lead_that_no_clock_makes_begins_a_rule(watch):
    held = at_clocks(builders.NEW_YORK, builders.TOKYO)
    same = {name: replace(one, series=replace(one.series, facts=builders.NEW_YORK)) for name, one in held.items()}
    [outcome] = checked(Shelf(**same), watch, Watched(A, B, RULES[:1]))
    found = outcome.standings[0].judgement
    assert found.change == "began"
    assert "no verdict" not in found.because


def test_what_ends_a_rule_is_doubted_like_what_begins_it(watch):
    held = at_clocks(builders.NEW_YORK, builders.TOKYO)
    until = Rule("until", parse("correlation < 2", OF_A_LEAD), parse("lead_p_value < 0.05", OF_A_LEAD))
    [outcome] = checked(Shelf(**held), watch, Watched(A, B, (until,)))
    assert outcome.standings[0].in_force
    assert "no verdict: AAA closes" in outcome.standings[0].judgement.because


# ---------------------------------------------------------------- rates


def test_a_percentage_is_compared_with_a_price_and_not_with_a_rate(shelf, watch):
    known = {"volatility": ("a", "b")}
    shelf.held["DDD"] = builders.history(5 + np.arange(62) % 2 / 10, symbol="DDD", measure="rate", unit="percent")
    percent, plain = Rule("percent", parse("b.volatility > 1%", known)), Rule("plain", parse("b.volatility > 1", known))
    until = Rule("until", parse("a.volatility > 9", known), parse("b.volatility < 1%", known))
    of_price, of_rate = checked(shelf, watch, *(Watched(A, b, (percent, plain, until)) for b in (B, D)))
    assert [s.judgement.holds for s in of_price.standings] == [True, False, False]
    assert [s.judgement.holds for s in of_rate.standings] == [None, True, False]
    assert "bp, not percent" in of_rate.standings[0].judgement.because
    assert "bp, not percent" in of_rate.standings[2].judgement.because
    assert "percent" not in of_rate.standings[1].judgement.because
