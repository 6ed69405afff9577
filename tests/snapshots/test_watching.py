import math
import os
import sqlite3
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.snapshots.processes import process

from pairwatch.conditions import DAY, Rule, State, judge
from pairwatch.database import checksum
from pairwatch.errors import StoreError
from pairwatch.expressions import parse
from pairwatch.model import Leg, Window
from pairwatch.snapshots import FILE_NAME, Store
from pairwatch.snapshots.backup import export, import_
from pairwatch.snapshots.batch import question_text
from pairwatch.snapshots.watching import DAMAGED, REWRITTEN, SAYING, Change, Seen, Watch
from pairwatch.staging import Question

KNOWN = {"correlation": ("pair",)}
A, B, C = Leg("yahoo", "AAA"), Leg("yahoo", "BBB"), Leg("csv", "é.csv")
START = date(2026, 1, 5)
NOON = 1.8e9
TOGETHER = 20
# Imports once and forks: the copies start within a millisecond of each other, through a gate that is then opened.
COPIES = """
import os, sys
from pathlib import Path
from tests.snapshots.test_watching import NOON, rule, seen
from pairwatch.snapshots import Store
from pairwatch.snapshots.watching import Watch
gate, opener = os.pipe()
children = []
for me in range(int(sys.argv[2])):
    children.append(os.fork())
    if not children[-1]:
        os.close(opener)
        os.read(gate, 1)
        try:
            [judged] = Watch(Store(Path(sys.argv[1]))).judge([rule()], seen(0, 0.5, at=NOON + me))
            os.write(1, f"{judged.judgement.state.holding} {judged.judgement.cries} {judged.is_news}\\n".encode())
        except BaseException as error:
            os.write(1, f"{error!r}\\n".encode())
        os._exit(0)
os.close(opener)
for child in children:
    os.waitpid(child, 0)
"""


def rule(when="correlation < 0.6", until="", name="decoupled", **more):
    return Rule(name, parse(when, KNOWN), parse(until, KNOWN) if until else None, **more)


def question(window="90d", as_of=START):
    return Question(as_of, Window.parse(window))


def day(n):
    return START + timedelta(n)


def seen(n, correlation, a=A, b=B, asked=None, at=None):
    """The n-th day, at noon where nothing else is said."""
    instant = NOON + n * DAY if at is None else at
    return Seen(a, b, asked or question(), day(n), instant, lambda scope, key: correlation)


@pytest.fixture
def path(tmp_path):
    return tmp_path / FILE_NAME


@pytest.fixture
def watch(path):
    return Watch(Store(path))


def judged(watch, rule, n, correlation, **more):
    """The one judgement of a day, of which is said what there is to say."""
    found = unsaid(watch, rule, n, correlation, **more)
    watch.said([found.news] if found.news else [], more.get("at", NOON + n * DAY))
    return found


def unsaid(watch, rule, n, correlation, **more):
    """The same by a process that dies before it has said anything."""
    [found] = watch.judge([rule], seen(n, correlation, **more))
    return found


def altered(path, *statements):
    with closing(sqlite3.connect(path)) as db:
        for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type='trigger'").fetchall():
            db.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            db.execute(statement)
        db.commit()


def told(watch, since=0.0):
    return [(c.session, c.change) for c in watch.changes(since)]


# ---------------------------------------------------------------- what is remembered


def test_a_state_is_remembered_from_one_process_to_the_next(path):
    first = judged(Watch(Store(path)), rule(), 0, 0.5)
    again = judged(Watch(Store(path)), rule(), 1, 0.5)
    assert (first.judgement.change, first.judgement.cries, first.is_news) == ("began", True, True)
    assert (again.judgement.change, again.judgement.cries, again.is_news) == ("", False, False)
    assert again.judgement.state == State(True, day(0), 2, day(1), NOON)


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.integers(0, 6), st.sampled_from([0.5, 0.62, 0.7, math.nan])), max_size=12),
    st.sampled_from(["", "correlation > 0.65"]),
    st.integers(1, 3),
    st.sampled_from([0.0, DAY, 2.5 * DAY]),
)
def test_a_stored_rule_stands_as_one_that_is_kept_in_memory(sessions, until, lasting, cooldown):
    watched = rule(until=until, lasting=lasting, cooldown=cooldown)
    state, changes = State(), []
    with TemporaryDirectory() as folder:
        watch = Watch(Store(Path(folder) / FILE_NAME))
        for turn, (n, correlation) in enumerate(sessions):
            now = NOON + turn * DAY / 2
            expected = judge(watched, state, day(n), now, lambda *_, x=correlation: x)
            found = judged(watch, watched, n, correlation, at=now).judgement
            assert found == expected
            state = expected.state
            changes += [(day(n), expected.change)] if expected.change else []
            changes += [(day(n), "cried")] if expected.cries else []
        assert told(watch) == changes
        assert [(one.began.session, one.judged) for one in watch.in_force()] == (
            [(state.since, state.session)] if state.holding else []
        )


def test_pairs_questions_and_rules_stand_apart(watch):
    judged(watch, rule(), 0, 0.5)
    assert judged(watch, rule(), 0, 0.5, a=B, b=A).judgement.cries
    assert judged(watch, rule(), 0, 0.5, b=C).judgement.cries
    assert judged(watch, rule(), 0, 0.5, asked=question("61b")).judgement.cries
    assert judged(watch, rule(name="other"), 0, 0.5).judgement.cries
    assert not judged(watch, rule(), 0, 0.5).judgement.cries


def test_the_day_of_the_question_makes_no_other_pair(watch):
    judged(watch, rule(), 0, 0.5)
    assert not judged(watch, rule(), 1, 0.5, asked=question(as_of=day(9))).judgement.cries


def test_rules_are_judged_in_their_order_in_one_transaction(watch, path):
    def values(scope, key):
        with closing(sqlite3.connect(path, timeout=0)) as other, pytest.raises(sqlite3.OperationalError, match="lock"):
            other.execute("BEGIN IMMEDIATE")
        return 0.5

    rules = [rule(name="one"), rule("correlation > 0.6", name="two")]
    found = watch.judge(rules, seen(0, 0.5)._replace(values=values))
    assert [each.judgement.holds for each in found] == [True, False]


def test_what_is_raised_meanwhile_undoes_all(watch):
    def values(scope, key):
        raise RuntimeError

    broken = seen(1, 0.5)._replace(values=values)
    judged(watch, rule(), 0, 0.5)
    with pytest.raises(RuntimeError):
        watch.judge([rule("correlation > 0.9")], broken)
    assert told(watch) == [(day(0), "began"), (day(0), "cried")]
    assert not judged(watch, rule(), 1, 0.5).judgement.change


def test_the_same_again_writes_nothing(watch, path):
    judged(watch, rule(), 0, 0.5)
    before = path.read_bytes()
    judged(watch, rule(), 0, 0.5, at=NOON + 60)
    assert path.read_bytes() == before


# ---------------------------------------------------------------- what is news


def test_the_end_of_what_was_cried_is_news_and_of_what_was_silenced_is_not(watch):
    watched = rule(cooldown=5 * DAY)
    found = [judged(watch, watched, n, x) for n, x in enumerate([0.5, 0.7, 0.5, 0.7])]
    assert [each.judgement.change for each in found] == ["began", "ended", "began", "ended"]
    assert [each.is_news for each in found] == [True, True, False, False]


def test_news_that_was_not_said_is_said_by_the_next_judgement(watch):
    unsaid(watch, rule(), 0, 0.5)
    again = judged(watch, rule(), 1, 0.55)
    assert again.is_news
    assert (again.news.change, again.news.session, again.news.because) == ("cried", day(0), "correlation 0.5")
    assert not again.judgement.cries
    assert judged(watch, rule(), 2, 0.5) == (
        again.judgement._replace(state=State(True, day(0), 3, day(2), NOON), because="correlation 0.5"),
        False,
        None,
    )


def test_an_end_that_was_not_said_is_said_by_the_next_judgement(watch):
    judged(watch, rule(), 0, 0.5)
    assert unsaid(watch, rule(), 1, 0.7).news.change == "ended"
    assert judged(watch, rule(), 2, 0.7).news.session == day(1)
    assert not judged(watch, rule(), 3, 0.7).is_news


def test_a_cry_that_was_not_said_outlives_a_silenced_beginning(watch):
    watched = rule(cooldown=5 * DAY)
    unsaid(watch, watched, 0, 0.5)
    unsaid(watch, watched, 1, 0.7)
    found = judged(watch, watched, 2, 0.5)
    assert (found.judgement.change, found.news.change, found.news.session) == ("began", "ended", day(1))


def test_news_that_another_process_has_just_found_is_left_to_it(watch):
    unsaid(watch, rule(), 0, 0.5)
    assert not unsaid(watch, rule(), 0, 0.5, at=NOON + SAYING - 1).is_news
    assert unsaid(watch, rule(), 0, 0.5, at=NOON + SAYING).is_news


def test_news_that_is_known_to_be_unsaid_is_said_at_once(watch):
    found = unsaid(watch, rule(), 0, 0.5)
    watch.said([found.news], NOON, heard=False)
    assert judged(watch, rule(), 0, 0.5, at=NOON + 1).news == found.news
    assert not judged(watch, rule(), 0, 0.5, at=NOON + 2).is_news


def test_news_that_was_said_while_the_clock_was_behind_is_said_once(watch):
    unsaid(watch, rule(), 0, 0.5)
    assert judged(watch, rule(), 1, 0.5, at=NOON - 9 * DAY).is_news
    assert not judged(watch, rule(), 2, 0.5, at=NOON - 8 * DAY).is_news


def test_that_news_was_said_is_no_change(watch, path):
    judged(watch, rule(), 0, 0.5)
    assert told(watch) == [(day(0), "began"), (day(0), "cried")]
    with closing(sqlite3.connect(path)) as db:
        assert [row[0] for row in db.execute("SELECT change FROM changes")] == ["began", "cried", "told"]


def test_a_cry_that_was_imported_is_not_of_a_later_beginning(watch, path):
    """The lines of a backup come later into the store than those that followed them."""
    judged(watch, rule(), 5, 0.5)
    altered(
        path,
        "DELETE FROM changes WHERE change <> 'began'",
        "INSERT INTO changes SELECT NULL, rule, pair, '2026-01-05', 1.8e9, 'began', '' FROM changes",
        "INSERT INTO changes SELECT NULL, rule, pair, '2026-01-05', 1.8e9, 'cried', '' FROM changes WHERE id = 1",
        "INSERT INTO changes SELECT NULL, rule, pair, '2026-01-05', 1.8e9, 'told', '' FROM changes WHERE id = 1",
    )
    found = judged(watch, rule(), 6, 0.7)
    assert (found.judgement.change, found.is_news) == ("ended", False)


def test_another_definition_drops_what_the_old_one_left(watch):
    judged(watch, rule(), 0, 0.5)
    again = judged(watch, rule(lasting=2), 1, 0.5)
    assert again.judgement.state == State(False, None, 1, day(1), None)
    assert told(watch) == [(day(0), "began"), (day(0), "cried"), (day(1), "ended")]
    assert watch.changes(0)[-1].because == REWRITTEN
    assert watch.in_force() == []


@pytest.mark.parametrize(
    "other",
    [{"when": "correlation < 0.7"}, {"until": "correlation > 0.8"}, {"lasting": 2}, {"cooldown": 0.0}],
    ids=str,
)
def test_every_part_of_a_rule_defines_it(watch, other):
    judged(watch, rule(), 0, 0.7)
    judged(watch, rule(), 1, 0.5)
    assert judged(watch, rule(**other), 2, 0.5).judgement.state.since != day(1)


def test_another_definition_that_was_not_in_force_ends_nothing(watch):
    judged(watch, rule(), 0, 0.7)
    judged(watch, rule(lasting=2), 1, 0.7)
    assert told(watch) == []


# ---------------------------------------------------------------- what can be asked


def test_a_change_says_of_whom_it_is_and_why(watch):
    judged(watch, rule(), 0, 0.5, b=C, asked=question("61b"))
    began, cried = watch.changes(0)
    assert began == Change("decoupled", A, C, question_text(question("61b")), day(0), NOON, "began", "correlation 0.5")
    assert cried == began._replace(change="cried")


def test_changes_are_had_from_an_instant_on(watch):
    for n, correlation in enumerate([0.5, 0.7, 0.5]):
        judged(watch, rule(cooldown=0.0), n, correlation)
    assert told(watch, NOON + DAY) == [(day(1), "ended"), (day(2), "began"), (day(2), "cried")]
    assert told(watch, NOON + 2 * DAY + 1) == []


def test_what_is_in_force_is_told_with_its_beginning(watch):
    for n, correlation in enumerate([0.5, 0.7, 0.4, 0.5]):
        judged(watch, rule(), n, correlation)
    judged(watch, rule(name="other"), 3, 0.7)
    [standing] = watch.in_force()
    assert standing.began == Change(
        "decoupled", A, B, question_text(question()), day(2), NOON + 2 * DAY, "began", "correlation 0.4"
    )
    assert (standing.when, standing.judged) == ("correlation < 0.6", day(3))


def test_without_a_store_nothing_is_in_force_and_none_is_made(watch, path):
    assert (watch.changes(0), watch.in_force()) == ([], [])
    assert not path.exists()


def test_a_pair_that_is_only_watched_has_no_snapshots(watch, path):
    judged(watch, rule(), 0, 0.5)
    assert Store(path).snapshots(A, B, question()) == ()


def test_a_backup_brings_back_where_rules_stand(watch, path, tmp_path):
    judged(watch, rule(), 0, 0.5)
    judged(watch, rule(), 0, 0.5, b=C)
    export(Store(path), tmp_path / "backup")
    other = Watch(Store(tmp_path / "other" / FILE_NAME))
    judged(other, rule(name="before"), 0, 0.7, b=C)  # so that the pairs have other numbers there
    import_(Store(tmp_path / "other" / FILE_NAME), tmp_path / "backup")
    assert not judged(other, rule(), 1, 0.5).judgement.change
    assert [(one.began.b, one.began.session, one.began.at) for one in other.in_force()] == [
        (C, day(0), NOON),
        (B, day(0), NOON),
    ]


# ---------------------------------------------------------------- damage


@pytest.mark.parametrize(
    "damage",
    [
        """UPDATE states SET state = replace(state, 'true', 'false')""",
        """UPDATE states SET definition = replace(definition, '0.6', '0.7')""",
        """UPDATE states SET checksum = checksum + 1""",
        """UPDATE states SET rule = 'decouplee'""",
        """UPDATE states SET state = x'00ff'""",
    ],
)
def test_a_state_that_was_altered_is_never_used(watch, path, damage):
    judged(watch, rule(), 0, 0.5, b=C)
    altered(path, damage)
    assert (watch.in_force(), watch.damaged()) == ([], 1)
    if "decouplee" not in damage:
        found = judged(watch, rule(), 1, 0.7, b=C)
        assert found.judgement.state == State(False, None, 0, day(1), None)
        ended = watch.changes(0)[-1]
        assert (ended.change, ended.session, ended.because) == ("ended", day(1), DAMAGED)
        assert found.news == ended
        assert watch.damaged() == 0


def test_a_damaged_state_leaves_the_other_rules_alone(watch, path):
    judged(watch, rule(), 0, 0.5)
    judged(watch, rule(name="other"), 0, 0.5)
    altered(path, "UPDATE states SET checksum = 0 WHERE rule = 'other'")
    assert [standing.began.rule for standing in watch.in_force()] == ["decoupled"]
    assert not judged(watch, rule(), 1, 0.5).judgement.change


def test_a_damaged_state_of_what_still_holds_begins_again(watch, path):
    judged(watch, rule(), 0, 0.5)
    altered(path, "UPDATE states SET checksum = 0")
    assert judged(watch, rule(), 1, 0.5).news.change == "cried"
    assert [change for _, change in told(watch)] == ["began", "cried", "ended", "began", "cried"]


def test_a_damaged_state_of_what_was_not_in_force_ends_nothing(watch, path):
    judged(watch, rule(), 0, 0.7)
    altered(path, "UPDATE states SET checksum = 0")
    assert not judged(watch, rule(), 1, 0.7).is_news
    assert told(watch) == []


@pytest.mark.parametrize("state", ["{}", "[]", "null", "no json", '{"holding": true}'])
def test_a_state_that_says_something_else_is_damaged_though_its_checksum_is_right(watch, path, state):
    judged(watch, rule(), 0, 0.5)
    with closing(sqlite3.connect(path)) as db:
        found = db.execute("SELECT s.rule, p.a, p.b, p.question, s.definition FROM states s, pairs p").fetchone()
        db.execute("UPDATE states SET state = ?, checksum = ?", (state, checksum((*found, state))))
        db.commit()
    assert watch.damaged() == 1
    assert judged(watch, rule(), 1, 0.7).news.because == DAMAGED


@pytest.mark.parametrize("column", ["session", "at", "change", "because"])
def test_a_change_that_can_be_none_is_refused(watch, path, column):
    judged(watch, rule(), 0, 0.5)
    with closing(sqlite3.connect(path)) as db:
        db.execute("DROP TRIGGER changes_no_UPDATE")
        db.execute(f"UPDATE changes SET {column} = x'00ff'")  # noqa: S608 - a constant
        db.commit()
    with pytest.raises(StoreError, match="damaged"):
        watch.changes(-1)


def test_a_beginning_that_the_store_has_lost_is_in_force_all_the_same(watch, path):
    judged(watch, rule(), 0, 0.5)
    with closing(sqlite3.connect(path)) as db:
        db.execute("DROP TRIGGER changes_no_DELETE")
        db.execute("DELETE FROM changes")
        db.commit()
    [standing] = watch.in_force()
    assert (standing.began.session, standing.began.because) == (day(0), "")
    assert math.isnan(standing.began.at)


# ---------------------------------------------------------------- many at once


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the copies are forks")
def test_of_twenty_processes_that_judge_at_once_one_cries(path):
    with process(COPIES, path, TOGETHER) as running:
        said, complaints = running.communicate(timeout=60)
    assert complaints == ""
    lines = said.splitlines()
    assert lines.count("True True True") == 1
    assert lines.count("True False False") == TOGETHER - 1
    assert [change for _, change in told(Watch(Store(path)))] == ["began", "cried"]
