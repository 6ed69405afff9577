import math
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pairwatch.conditions import DAY, Judgement, Rule, State, judge
from pairwatch.expressions import parse

KNOWN = {"correlation": ("pair",), "ratio_zscore": ("pair",), "last": ("a", "b")}
START = date(2026, 1, 5)
NOON = 1.8e9
NAN = math.nan


def rule(when="correlation < 0.6", until="", **more):
    return Rule("decoupled", parse(when, KNOWN), parse(until, KNOWN) if until else None, **more)


def values(correlation, zscore=0.0):
    return lambda scope, key: {"correlation": correlation, "ratio_zscore": zscore}.get(key, 100.0)


def day(n):
    return START + timedelta(n)


def judged(rule, state, n, correlation, now=None):
    """One judgement on the n-th day, at noon where nothing else is said."""
    return judge(rule, state, day(n), NOON + n * DAY if now is None else now, values(correlation))


def run(rule, correlations, state=None):
    """A judgement a day."""
    found, state = [], state or State()
    for n, correlation in enumerate(correlations):
        found.append(judged(rule, state, n, correlation))
        state = found[-1].state
    return found


def changes(judgements):
    return [each.change for each in judgements]


def cries(judgements):
    return [n for n, each in enumerate(judgements) if each.cries]


# ---------------------------------------------------------------- beginning and end


def test_a_condition_begins_and_cries_on_the_session_on_which_it_first_holds():
    found = run(rule(), [0.7, 0.5, 0.5])
    assert changes(found) == ["", "began", ""]
    assert cries(found) == [1]
    assert found[1].state == State(True, day(1), 1, day(1), NOON + DAY)
    assert found[2].state == State(True, day(1), 2, day(2), NOON + DAY)


def test_a_condition_in_force_is_reported_whether_it_cries_or_not():
    found = run(rule(), [0.5, 0.5, 0.7])
    assert [each.state.holding for each in found] == [True, True, False]
    assert [each.holds for each in found] == [True, True, False]


def test_without_until_a_condition_ends_when_it_no_longer_holds():
    found = run(rule(), [0.5, 0.7])
    assert changes(found) == ["began", "ended"]
    assert found[1].state == State(False, None, 0, day(1), NOON)
    assert not found[1].cries


def test_with_until_a_condition_stays_in_force_until_that_holds():
    found = run(rule(until="correlation > 0.8"), [0.5, 0.7, 0.75, 0.85, 0.7])
    assert changes(found) == ["began", "", "", "ended", ""]
    assert [each.holds for each in found] == [True, False, False, False, False]


def test_while_when_holds_until_ends_nothing():
    found = run(rule(until="ratio_zscore < 1"), [0.5, 0.5, 0.5])
    assert changes(found) == ["began", "", ""]


def test_a_condition_begins_when_it_has_lasted():
    assert changes(run(rule(lasting=3), [0.5, 0.5, 0.7, 0.5, 0.5, 0.5, 0.5])) == ["", "", "", "", "", "began", ""]


def test_after_an_end_a_condition_must_last_anew():
    watched = rule("correlation < 0.6", "ratio_zscore > 1", lasting=2)
    state = run(watched, [0.5, 0.5, 0.5])[-1].state
    ended = judge(watched, state, day(3), NOON, values(NAN, 2.0))
    assert ended.change == "ended"
    assert ended.state == State(False, None, 0, day(3), NOON)
    assert judged(watched, ended.state, 4, 0.5).change == ""
    assert changes(run(watched, [0.5, 0.5], ended.state._replace(session=None))) == ["", "began"]


# ---------------------------------------------------------------- what cannot be said


def test_an_unknown_neither_begins_nor_ends_nor_breaks_the_row():
    found = run(rule(lasting=2), [0.5, NAN, 0.5, NAN, 0.7])
    assert changes(found) == ["", "", "began", "", "ended"]
    assert [each.holds for each in found] == [True, None, True, None, False]


def test_a_session_that_could_not_be_said_may_be_judged_later():
    watched = rule(lasting=2)
    state = run(watched, [0.5, NAN])[-1].state
    assert judged(watched, state, 1, 0.5).change == "began"


def test_an_unknown_end_is_no_end():
    found = run(rule("ratio_zscore > -1 and correlation < 0.6", "correlation > 0.8"), [0.5, NAN, 0.9])
    assert changes(found) == ["began", "", "ended"]


# ---------------------------------------------------------------- the same session again, and older ones


def test_the_same_session_counts_once():
    watched = rule(lasting=2)
    state = judged(watched, State(), 0, 0.5).state
    assert judged(watched, state, 0, 0.5, NOON + 3600).state == state
    assert judged(watched, state, 1, 0.5).change == "began"


def test_a_beginning_is_taken_back_when_its_session_is_revised():
    watched = rule(until="correlation > 0.8")
    state = judged(watched, State(), 0, 0.59).state
    again = judged(watched, state, 0, 0.61)
    assert again.change == "ended"
    assert again.state == State(False, None, 0, day(0), NOON)


def test_a_session_that_is_revised_to_hold_begins_the_condition():
    state = judged(rule(), State(), 0, 0.61).state
    again = judged(rule(), state, 0, 0.59, NOON + 60)
    assert again == Judgement(State(True, day(0), 1, day(0), NOON + 60), True, "began", True, "correlation 0.59")


def test_a_revision_that_returns_does_not_cry_again_within_the_cooldown():
    state = judged(rule(), State(), 0, 0.59).state
    state = judged(rule(), state, 0, 0.61).state
    again = judged(rule(), state, 0, 0.59)
    assert (again.change, again.cries, again.state.holding) == ("began", False, True)


@pytest.mark.parametrize("correlation", [0.5, 0.7, NAN])
def test_a_session_older_than_the_last_judged_changes_nothing(correlation):
    for state in (run(rule(), [0.5, 0.5])[-1].state, run(rule(), [0.5, 0.7])[-1].state):
        found = judge(rule(), state, day(0), NOON - 99 * DAY, values(correlation))
        assert found.state == state
        assert (found.change, found.cries) == ("", False)
        assert found.holds is (None if math.isnan(correlation) else correlation < 0.6)


# ---------------------------------------------------------------- cries


def test_within_the_cooldown_a_beginning_is_silent_and_in_force():
    found = run(rule(cooldown=3 * DAY), [0.5, 0.7, 0.5, 0.7, 0.5])
    assert changes(found) == ["began", "ended", "began", "ended", "began"]
    assert cries(found) == [0, 4]
    assert found[2].state.holding
    assert found[2].state.cried_at == NOON


def test_the_cooldown_is_over_at_its_end_and_not_before():
    watched = rule(cooldown=1000.0)
    state = State(False, None, 0, day(0), NOON)
    assert not judged(watched, state, 1, 0.5, NOON + 999).cries
    assert judged(watched, state, 1, 0.5, NOON + 1000).cries


def test_without_a_cooldown_every_beginning_cries():
    assert cries(run(rule(cooldown=0), [0.5, 0.7, 0.5, 0.7, 0.5])) == [0, 2, 4]


def test_a_cry_from_the_future_blocks_no_longer_than_the_cooldown():
    watched = rule(cooldown=2 * DAY)
    state = State(False, None, 0, day(0), NOON + 1000 * DAY)
    blocked = judged(watched, state, 1, 0.5)
    assert (blocked.change, blocked.cries) == ("began", False)
    state = judged(watched, blocked.state, 2, 0.7).state
    assert judged(watched, state, 3, 0.5).cries


def test_a_wobble_around_a_threshold_cries_once_with_until():
    wobble = [0.61, 0.59] * 50
    assert cries(run(rule(until="correlation > 0.65", cooldown=0), wobble)) == [1]
    assert len(cries(run(rule(cooldown=0), wobble))) == 50


# ---------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("when", "correlation", "zscore", "because"),
    [
        ("correlation < 0.6 or abs(ratio_zscore) > 2", 0.55, -2.1, "correlation 0.55, ratio_zscore -2.1"),
        ("ratio_zscore > 2 and correlation < 0.6", 0.55123, -2.1049, "ratio_zscore -2.1, correlation 0.551"),
        ("correlation < 0.6", 0.59961, 0, "correlation 0.5996"),
        ("correlation < 0.6", 0.59999961, 0, "correlation 0.59999961"),
        ("correlation < 0.6", 0.6, 0, "correlation 0.6"),
        ("correlation < 0.6", NAN, 0, "correlation –"),
        ("correlation < 0.6", -0.0, 0, "correlation 0"),
        ("correlation < 0.6", 1e-7, 0, "correlation 1e-07"),
        ("correlation < 0.6", 45321.6, 0, "correlation 45322"),
        ("correlation < 0.6", 1e300, 0, "correlation 1e+300"),
        ("correlation < 0.6", -math.inf, 0, "correlation -inf"),
        ("a.last > correlation", 1, 0, "a.last 100, correlation 1"),
        ("1 < 2", 0, 0, ""),
    ],
)
def test_the_values_behind_an_answer_are_said_in_digits_that_lead_to_it(when, correlation, zscore, because):
    assert judge(rule(when), State(), START, NOON, values(correlation, zscore)).because == because


def test_the_values_behind_an_end_are_said_too():
    found = judged(rule(until="ratio_zscore < 1"), State(), 0, 0.5)
    assert found.because == "correlation 0.5, ratio_zscore 0"


@given(st.floats(), st.floats(0.3, 0.9))
def test_the_values_as_said_lead_to_the_same_answer(correlation, threshold):
    found = judge(rule(f"correlation < {threshold!r}"), State(), START, NOON, values(correlation))
    text = found.because.removeprefix("correlation ")
    assert (
        judge(
            rule(f"correlation < {threshold!r}"), State(), START, NOON, values(NAN if text == "–" else float(text))
        ).holds
        is found.holds
    )


# ---------------------------------------------------------------- a model

SYMBOLS = {"y": 0.5, "-": 0.7, "n": 0.9, "?": NAN}  # when holds; neither; until holds; unknown
days = st.lists(st.sampled_from("yyy--n?"), max_size=40)
rules = st.builds(
    lambda hysteresis, **more: rule(until="correlation > 0.8" if hysteresis else "", **more),
    hysteresis=st.booleans(),
    lasting=st.integers(1, 3),
    cooldown=st.sampled_from([0.0, 1.5 * DAY, 4 * DAY, 5 * DAY]),
)


def model(watched, letters):
    """In force or not a day, and the days of the cries, from the whole story at once.

    Without the unknown days the story is cut behind each end; in each piece the first row that lasts begins.
    """
    ends = "n" if watched.until else "-n"
    known = [n for n, letter in enumerate(letters) if letter != "?"]
    story, begins, over, at = "".join(letters[n] for n in known), [], [], 0
    while (begin := story.find("y" * watched.lasting, at)) >= 0:
        begins.append(begin + watched.lasting - 1)
        at = next((n for n in range(begins[-1], len(story)) if story[n] in ends), len(story))
        over.append(at)
    force = [
        any(b <= sum(k <= n for k in known) - 1 < o for b, o in zip(begins, over, strict=True))
        for n in range(len(letters))
    ]
    cried = []
    for begin in (known[n] for n in begins):
        if not cried or (begin - cried[-1]) * DAY >= watched.cooldown:
            cried.append(begin)
    return force, cried


@settings(max_examples=500)
@given(rules, days)
def test_any_sequence_is_judged_as_the_whole_story_at_once(watched, letters):
    found = run(watched, [SYMBOLS[letter] for letter in letters])
    force, cried = model(watched, letters)
    assert [each.state.holding for each in found] == force
    assert cries(found) == cried
    before = [False, *force]
    words = {(False, True): "began", (True, False): "ended"}
    assert changes(found) == [words.get(step, "") for step in zip(before, force, strict=False)]
    assert all((each.state.since is not None) == each.state.holding for each in found)


@settings(max_examples=300)
@given(rules, days, st.integers(0, 2))
def test_a_session_judged_twice_is_judged_once(watched, letters, hours):
    state = State()
    for n, letter in enumerate(letters):
        state = judged(watched, state, n, SYMBOLS[letter]).state
        again = judged(watched, state, n, SYMBOLS[letter], NOON + n * DAY + hours * 3600)
        assert again.state == state
        assert (again.change, again.cries) == ("", False)


@settings(max_examples=300)
@given(rules, st.lists(st.tuples(st.integers(0, 6), st.sampled_from("yy-n?"), st.integers(0, 3)), max_size=40))
def test_however_sessions_come_cries_are_a_cooldown_apart(watched, steps):
    state, now, cried = State(), NOON, []
    for n, letter, later in steps:
        now += later * DAY
        found = judged(watched, state, n, SYMBOLS[letter], now)
        cried += [now] * found.cries
        assert found.cries <= (found.change == "began") <= found.state.holding
        assert found.state.session is None or found.state.session >= (state.session or START)
        state = found.state
    assert all(y - x >= watched.cooldown for x, y in pairwise(cried))


@settings(max_examples=200)
@given(rules, days, st.lists(st.sampled_from("y-n?"), max_size=40))
def test_older_sessions_in_between_change_nothing(watched, letters, older):
    state, found = State(), []
    for n, letter in enumerate(letters):
        found.append(judged(watched, state, n, SYMBOLS[letter]))
        state = found[-1].state
        if state.session and n < len(older):
            state = judge(watched, state, state.session - timedelta(1), NOON, values(SYMBOLS[older[n]])).state
    assert found == run(watched, [SYMBOLS[letter] for letter in letters])


def test_why_a_percentage_of_basis_points_cannot_be_said_is_said():
    found = rule("a.last > 5%")
    counted = found._replace(when=found.when.where_counted({("a", "last"): "bp"}))
    judgement = judge(counted, State(), day(0), NOON, values(0.5))
    assert (judgement.holds, judgement.change) == (None, "")
    assert judgement.because == "a.last 100 (bp, not percent: compare it with a number without %)"
