"""Where watched conditions stand, and what has become of them: the tables `states` and `changes`.

A state is what a rule must remember of a pair from one judgement to the next. It is the one thing in the store that is
overwritten, in the transaction that has read it: of many processes that judge at once, one sees the beginning.

What is to be said of a change is said at least once: whoever has said it writes a line `told` after it. A process that
died between the two has perhaps said nothing, so that the next one says it, in that one case perhaps a second time.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import date
from typing import Any, Literal, NamedTuple, get_args

from pairwatch.conditions import Judgement, Rule, State, judge
from pairwatch.database import Damaged, checksum
from pairwatch.expressions import Values
from pairwatch.model import NAN, Leg
from pairwatch.snapshots import rows
from pairwatch.snapshots.batch import question_text
from pairwatch.snapshots.store import Store
from pairwatch.staging import Question

Kind = Literal["began", "ended", "cried"]

REWRITTEN = "the rule was rewritten"
DAMAGED = "what was known of the rule was damaged"
# Seconds for which news that somebody else has found is taken to be on its way to a reader.
SAYING = 60.0

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
    """A judgement, and whether to speak of the rule.

    Attributes:
        news: the newest line that cries, or ends what was cried, unless it has been said: of this judgement, or of an
            earlier one whose process could not say it. None also where the store does not know.
    """

    judgement: Judgement
    is_news: bool
    news: Change | None = None


class Watch:
    """The rules of a store. All methods raise `StoreError` for one that cannot be used."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def judge(self, rules: Sequence[Rule], seen: Seen) -> tuple[Judged, ...]:
        """Judge rules by one session of a pair, each from where it stands, in one transaction.

        What a rule of the same name and another definition has left is dropped, and so is what is damaged.
        """
        key = rows.full_name(seen.a), rows.full_name(seen.b), question_text(seen.question)
        with self._store.writing() as db:
            pair = _Pair(rows.row_for(db, "pairs", a=key[0], b=key[1], question=key[2]), key)
            lines = _lines(db, pair)
            return tuple(_judged(db, pair, rule, seen, lines.get(rule.name, [])) for rule in rules)

    def said(self, news: Iterable[Change], at: float, *, heard: bool = True) -> None:
        """Write down that news was said, or else that it could not be, so that the next judgement has it again."""
        news = tuple(news)
        if not news:
            return
        with self._store.writing() as db:
            for one in news:
                a, b = rows.full_name(one.a), rows.full_name(one.b)
                pair = rows.row_for(db, "pairs", a=a, b=b, question=one.question)
                # Never before what it is about, whatever the clock says.
                line = _Line(one.session, max(float(at), one.at), "told" if heard else "unsaid", "")
                _write(db, pair, one.rule, line)

    def changes(self, since: float) -> list[Change]:
        """What has been found out from an instant (Unix seconds) on, in that order."""
        with self._store.reading() as db:
            rows.examine(db, "changes")
            which = "WHERE c.at >= ? AND c.change NOT IN ('told', 'unsaid') ORDER BY c.at, c.id"
            found = db.execute(_CHANGES + which, (float(since),)).fetchall()
            return [_change(row) for row in found]

    def in_force(self) -> list[Standing]:
        """What holds, as far as it was last judged: by rule, each pair in the order of the store.

        What is damaged is left out; `damaged` counts it.
        """
        with self._store.reading() as db:
            rows.examine(db, "states", "changes")
            found = [_standing(db, pair, rule, kept) for pair, rule, kept in _states(db) if kept]
        return [standing for standing in found if standing]

    def damaged(self) -> int:
        """Of how many rules and pairs nobody knows how they stand, until they are judged again."""
        with self._store.reading() as db:
            return sum(kept is None for _, _, kept in _states(db))


def damaged_states(db: sqlite3.Connection) -> Iterator[str]:
    """The rules whose state is not what was written, each with its pair."""
    return (f"{rule} of {pair.key[0]} {pair.key[1]}" for pair, rule, kept in _states(db) if not kept)


# ---------------------------------------------------------------- one rule of one pair


class _Pair(NamedTuple):
    """A row of `pairs`: its number here, and what it says, which stays the same in a backup."""

    row: int
    key: tuple[str, str, str]


class _Kept(NamedTuple):
    """A row of `states`, which has been checked."""

    definition: str
    state: State


class _Line(NamedTuple):
    """A line of `changes`; beside those of `Change` there are `told`, and `unsaid` where that failed."""

    session: date
    at: float
    change: Kind | Literal["told", "unsaid"]
    because: str


def _judged(db: sqlite3.Connection, pair: _Pair, rule: Rule, seen: Seen, lines: list[_Line]) -> Judged:
    definition, at = _definition(rule), float(seen.at)
    kept, why = _before(db, pair, rule.name, definition)
    fresh = []
    if why == REWRITTEN or (why and _holding(lines)):
        fresh.append(_Line(seen.session, at, "ended", why))
    found = judge(rule, State() if why or not kept else kept.state, seen.session, at, seen.values)
    fresh += [_Line(seen.session, at, change, found.because) for change in _told(found)]
    for line in fresh:
        _write(db, pair.row, rule.name, line)
    if kept != (definition, found.state):
        _keep(db, pair, rule.name, _Kept(definition, found.state))
    news = _news(lines, fresh, at)
    return Judged(found, news is not None, news and _as_change(news, pair, rule.name))


def _before(db: sqlite3.Connection, pair: _Pair, rule: str, definition: str) -> tuple[_Kept | None, str]:
    """What the last judgement left, and why that is worth nothing, where a condition in force may be lost by it."""
    try:
        kept = _kept(db, pair, rule)
    except Damaged:
        return None, DAMAGED
    if not kept or kept.definition == definition:
        return kept, ""
    return (kept, REWRITTEN) if kept.state.holding else (None, "")


def _lines(db: sqlite3.Connection, pair: _Pair) -> dict[str, list[_Line]]:
    """What became of each rule for a pair, in the order in which it did: an import adds earlier lines later.

    What can be no line is passed over: the doctor says so.
    """
    text = "SELECT rule, session, at, change, because FROM changes WHERE pair=? ORDER BY session, at, id"
    found: dict[str, list[_Line]] = {}
    for rule, session, at, change, because in db.execute(text, (pair.row,)).fetchall():
        with suppress(ValueError, TypeError):
            found.setdefault(rule, []).append(_Line(date.fromisoformat(session), float(at), change, because))
    return found


def _holding(lines: Sequence[_Line]) -> bool:
    """Whether it was in force, by what is written of it."""
    last = next((line.change for line in reversed(lines) if line.change in ("began", "ended")), None)
    return last == "began"


def _news(lines: Sequence[_Line], fresh: Sequence[_Line], now: float) -> _Line | None:
    """The newest line to speak of, unless it was said, or somebody else seems to be saying it."""
    news, cried, failed = None, False, False
    for line in (*lines, *fresh):
        if line.change == "began":
            cried = False
        elif line.change == "cried":
            news, cried, failed = line, True, False
        elif line.change == "ended":
            if line.because == REWRITTEN:
                news = None
            elif cried:
                news, failed = line, False
            cried = False
        elif line.change == "told":
            news = None
        elif line.change == "unsaid":
            failed = True
    is_due = news and (failed or any(news is line for line in fresh) or abs(now - news.at) >= SAYING)
    return news if is_due else None


def _as_change(line: _Line, pair: _Pair, rule: str) -> Change:
    a, b, question = pair.key
    kind: Kind = "cried" if line.change == "cried" else "ended"
    return Change(rule, rows.leg_of(a), rows.leg_of(b), question, line.session, line.at, kind, line.because)


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


def _write(db: sqlite3.Connection, pair: int, rule: str, line: _Line) -> None:
    told = line._asdict() | {"session": line.session.isoformat()}
    rows.new_row(db, "changes", rule=rule, pair=pair, **told)


# ---------------------------------------------------------------- rows


def _kept(db: sqlite3.Connection, pair: _Pair, rule: str) -> _Kept | None:
    text = "SELECT definition, state, checksum FROM states WHERE rule=? AND pair=?"
    found = db.execute(text, (rule, pair.row)).fetchone()
    return _checked(pair, rule, *found) if found else None


def _states(db: sqlite3.Connection) -> Iterator[tuple[_Pair, str, _Kept | None]]:
    """How every rule stands for every pair; None for what is damaged."""
    text = (
        "SELECT s.pair, p.a, p.b, p.question, s.rule, s.definition, s.state, s.checksum"
        " FROM states s JOIN pairs p ON p.id = s.pair ORDER BY s.rule, s.pair"
    )
    for row, a, b, asked, rule, *rest in db.execute(text).fetchall():
        pair = _Pair(row, (a, b, asked))
        try:
            yield pair, rule, _checked(pair, rule, *rest)
        except Damaged:
            yield pair, rule, None


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
