"""Where watched conditions stand, and what has become of them: the tables `states` and `changes`.

A state is what a rule must remember of a pair from one judgement to the next. It is the one thing in the store that is
overwritten, in the transaction that has read it: of many processes that judge at once, one sees the beginning.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, Literal, NamedTuple, get_args

from pairwatch.conditions import Judgement, Rule, State, judge
from pairwatch.database import Damaged, checksum
from pairwatch.expressions import Values
from pairwatch.model import NAN, Leg
from pairwatch.pairs import Question
from pairwatch.snapshots import rows
from pairwatch.snapshots.batch import question_text
from pairwatch.snapshots.store import Store

Kind = Literal["began", "ended", "cried"]

REWRITTEN = "the rule was rewritten"

_CHANGES = (
    "SELECT c.rule, p.a, p.b, p.question, c.session, c.at, c.change, c.because"
    " FROM changes c JOIN pairs p ON p.id = c.pair "
)


class Change(NamedTuple):
    """What has become of a rule for a pair.

    Attributes:
        question: what was asked of the pair, as `question_text` writes it.
        session: whose values made the change.
        at: when it was found out, in Unix seconds.
        change: `cried` is a line beside `began`, for a beginning that was not silenced.
        because: those values: `correlation 0.55`.
    """

    rule: str
    a: Leg
    b: Leg
    question: str
    session: date
    at: float
    change: Kind
    because: str


class Standing(NamedTuple):
    """A condition in force, whether or not anybody still asks for it.

    Attributes:
        began: how it began; its instant is NaN where the store does not know that.
        when: the condition, as it was when it was last judged.
        judged: the last session judged: one that lies far back is of a rule that has been given up.
    """

    began: Change
    when: str
    judged: date | None


class Seen(NamedTuple):
    """What is judged: the values of a pair's session, had at an instant (Unix seconds)."""

    a: Leg
    b: Leg
    question: Question
    session: date
    at: float
    values: Values


class Judged(NamedTuple):
    """A judgement, and whether to speak of it: it cries, or it ends what has been cried."""

    judgement: Judgement
    is_news: bool


class Watch:
    """The rules of a store. All methods raise `StoreError` for one that cannot be used."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def judge(self, rules: Sequence[Rule], seen: Seen) -> tuple[Judged, ...]:
        """Judge rules by one session of a pair, each from where it stands, in one transaction.

        What a rule of the same name and another definition has left is dropped.
        """
        key = rows.full_name(seen.a), rows.full_name(seen.b), question_text(seen.question)
        with self._store.writing() as db:
            pair = _Pair(rows.row_for(db, "pairs", a=key[0], b=key[1], question=key[2]), key)
            return tuple(_judged(db, pair, rule, seen) for rule in rules)

    def changes(self, since: float) -> list[Change]:
        """What has been found out from an instant (Unix seconds) on, in that order."""
        with self._store.reading() as db:
            rows.examine(db, "changes")
            found = db.execute(f"{_CHANGES} WHERE c.at >= ? ORDER BY c.at, c.id", (float(since),)).fetchall()
            return [_change(row) for row in found]

    def in_force(self) -> list[Standing]:
        """What holds, as far as it was last judged: by rule, each pair in the order of the store."""
        text = (
            "SELECT s.pair, p.a, p.b, p.question, s.rule, s.definition, s.state, s.checksum"
            " FROM states s JOIN pairs p ON p.id = s.pair ORDER BY s.rule, s.pair"
        )
        with self._store.reading() as db:
            rows.examine(db, "states", "changes")
            found = [
                _standing(db, _Pair(row, (a, b, asked)), rule, _checked(_Pair(row, (a, b, asked)), rule, *rest))
                for row, a, b, asked, rule, *rest in db.execute(text).fetchall()
            ]
        return [standing for standing in found if standing]


# ---------------------------------------------------------------- one rule of one pair


class _Pair(NamedTuple):
    """A row of `pairs`: its number here, and what it says, which stays the same in a backup."""

    row: int
    key: tuple[str, str, str]


class _Kept(NamedTuple):
    """A row of `states`, which has been checked."""

    definition: str
    state: State


def _judged(db: sqlite3.Connection, pair: _Pair, rule: Rule, seen: Seen) -> Judged:
    definition = _definition(rule)
    kept = _kept(db, pair, rule.name)
    if kept and kept.definition != definition and kept.state.holding:
        _write(db, pair, Change(rule.name, *seen[:2], pair.key[2], seen.session, seen.at, "ended", REWRITTEN))
    state = kept.state if kept and kept.definition == definition else State()
    found = judge(rule, state, seen.session, float(seen.at), seen.values)
    is_news = found.cries or (found.change == "ended" and _had_cried(db, pair, rule))
    for change in _told(found):
        _write(db, pair, Change(rule.name, *seen[:2], pair.key[2], seen.session, seen.at, change, found.because))
    if kept != (definition, found.state):
        _keep(db, pair, rule.name, _Kept(definition, found.state))
    return Judged(found, is_news)


def _told(found: Judgement) -> Iterator[Kind]:
    """The lines that a judgement is worth."""
    if found.change:
        yield found.change
    if found.cries:
        yield "cried"


def _definition(rule: Rule) -> str:
    """What must be the same for a state to be the rule's."""
    until = rule.until.text if rule.until else ""
    return json.dumps(
        {"when": rule.when.text, "until": until, "lasting": int(rule.lasting), "cooldown": float(rule.cooldown)}
    )


def _had_cried(db: sqlite3.Connection, pair: _Pair, rule: Rule) -> bool:
    """Whether the last beginning was cried: the line that says so follows that of the beginning."""
    text = "SELECT change FROM changes WHERE rule=? AND pair=? AND change<>'ended' ORDER BY id DESC LIMIT 1"
    found = db.execute(text, (rule.name, pair.row)).fetchone()
    return bool(found and found[0] == "cried")


def _write(db: sqlite3.Connection, pair: _Pair, change: Change) -> None:
    rows.new_row(
        db,
        "changes",
        rule=change.rule,
        pair=pair.row,
        session=change.session.isoformat(),
        at=float(change.at),
        change=change.change,
        because=change.because,
    )


# ---------------------------------------------------------------- rows


def _kept(db: sqlite3.Connection, pair: _Pair, rule: str) -> _Kept | None:
    text = "SELECT definition, state, checksum FROM states WHERE rule=? AND pair=?"
    found = db.execute(text, (rule, pair.row)).fetchone()
    return _checked(pair, rule, *found) if found else None


def _checked(pair: _Pair, rule: str, definition: str, state: str, expected: int) -> _Kept:
    """A row's content; raises `Damaged` where it is not what was written."""
    if checksum((rule, *pair.key, definition, state)) != expected:
        raise Damaged(f"checksum of a rule's state: {rule}")
    try:
        return _Kept(definition, _state(json.loads(state)))
    except (ValueError, TypeError, KeyError) as error:
        raise Damaged(f"a rule's state: {rule}") from error


def _keep(db: sqlite3.Connection, pair: _Pair, rule: str, kept: _Kept) -> None:
    state = _state_text(kept.state)
    crc = checksum((rule, *pair.key, kept.definition, state))
    db.execute(
        "INSERT INTO states (rule, pair, definition, state, checksum) VALUES (?, ?, ?, ?, ?) ON CONFLICT (rule, pair)"
        " DO UPDATE SET definition=excluded.definition, state=excluded.state, checksum=excluded.checksum",
        (rule, pair.row, kept.definition, state, crc),
    )


def _state_text(state: State) -> str:
    return json.dumps({**state._asdict(), "since": _day_text(state.since), "session": _day_text(state.session)})


def _state(told: dict[str, Any]) -> State:
    """What `_state_text` was made of; raises what anything else leads to."""
    cried_at = told["cried_at"]
    return State(
        bool(told["holding"]),
        _day(told["since"]),
        int(told["streak"]),
        _day(told["session"]),
        None if cried_at is None else float(cried_at),
    )


def _day_text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _change(row: tuple[Any, ...]) -> Change:
    """A line of `changes`; raises `Damaged` for what can be none."""
    rule, a, b, question, session, at, change, because = row
    is_text = all(isinstance(text, str) for text in (rule, question, because))
    try:
        day = date.fromisoformat(session)
    except (ValueError, TypeError) as error:
        raise Damaged("the day of a change") from error
    if not (is_text and isinstance(at, float) and change in get_args(Kind)):
        raise Damaged("a line of the changes")
    return Change(rule, rows.leg_of(a), rows.leg_of(b), question, day, at, change, because)


def _standing(db: sqlite3.Connection, pair: _Pair, rule: str, kept: _Kept) -> Standing | None:
    """How a rule stands, if it is in force."""
    since = kept.state.since
    if not kept.state.holding or since is None:
        return None
    which = "WHERE c.rule=? AND c.pair=? AND c.session=? AND c.change='began' ORDER BY c.id DESC LIMIT 1"
    found = db.execute(_CHANGES + which, (rule, pair.row, since.isoformat())).fetchone()
    began = _change(found or (rule, *pair.key, since.isoformat(), NAN, "began", ""))
    return Standing(began, json.loads(kept.definition)["when"], kept.state.session)
