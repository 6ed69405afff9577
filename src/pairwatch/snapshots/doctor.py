"""Everything about the store that could be wrong, looked at without changing anything.

A store that is too damaged for the rest of the program is looked at as well, as far as it can be read.
"""

import json
import shlex
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import numpy as np

from pairwatch.database import FAILURES, Damaged, NothingYet, Outdated, is_damage
from pairwatch.errors import DatabaseTrouble, UsageError
from pairwatch.snapshots import rows
from pairwatch.snapshots.batch import sessions
from pairwatch.snapshots.findings import Finding, Found, Severity, why
from pairwatch.snapshots.inputs import Chunk, assembled, chunk_of
from pairwatch.snapshots.place import of_the_file
from pairwatch.snapshots.shapes import has_rules, minute, wrong
from pairwatch.snapshots.store import Store
from pairwatch.snapshots.watching import damaged_states
from pairwatch.text import clean, listing, plural

RESCUE: Final = "restore a backup with `pairwatch snapshot import`, or try `sqlite3 FILE .recover`"
_SEVERITIES: Final = ("error", "warning", "note")
# How many findings of one kind are named; the others are counted.
_MOST: Final = 10
# How far back failures are told of, in days.
_RECENT: Final = 30
_REFERRED: Final = {
    "chunks": "hash",
    "inputs": "hash",
    "pairs": "a, b, question",
    "statistics": "scope, key, unit",
}


def examine(store: Store, today: date) -> tuple[Finding, ...]:
    """What there is to say about the store, errors first; one that is well has notes alone.

    Memory stays small however large the file is: it is read once from its beginning to its end, and row by row.
    """
    found = [*of_the_file(store.path), *_of_the_content(store, today)]
    return tuple(sorted(found, key=lambda finding: _SEVERITIES.index(finding.severity)))


def _of_the_content(store: Store, today: date) -> Found:
    try:
        if not store.file.is_there():
            return
        with store.file.reading() as db:
            yield from _of_all(db, today)
    except NothingYet:
        yield Finding("note", "there are no snapshots yet", "pairwatch snapshot A B")
    except Outdated as outdated:
        what = f"the file is of schema {outdated.schema}, and this pairwatch has {store.file.schema}"
        yield Finding("note", what, "the next snapshot brings it up, and keeps a copy beside")
        yield from _of_an_earlier(store, today)
    except Damaged as damage:
        yield Finding("error", f"the file has {clean(damage)}", RESCUE)
        yield from _of_an_earlier(store, today)
    except DatabaseTrouble as trouble:
        yield Finding("error", f"the file cannot be used: {clean(trouble)}", "nothing was changed")
    except (*FAILURES, OSError) as error:
        yield _unread("the file", error)


def _of_an_earlier(store: Store, today: date) -> Found:
    """The same, of a file that the store itself does not read as it is."""
    with closing(store.file.connect()) as db:
        db.execute("BEGIN")
        yield from _of_all(db, today)


def _of_all(db: sqlite3.Connection, today: date) -> Found:
    checks: Sequence[tuple[str, Callable[[], Found]]] = (
        ("its structure", lambda: _structure(db)),
        ("its references", lambda: _references(db)),
        ("the chunks of closes", lambda: _chunks(db)),
        ("the inputs", lambda: _inputs(db)),
        ("the snapshots", lambda: _batches(db, today)),
        ("the order of revisions", lambda: _revisions(db)),
        ("what is stored twice", lambda: _twice(db)),
        ("what nothing refers to", lambda: _orphans(db)),
        ("the journal", lambda: _journal(db, today)),
        ("the rules", lambda: _rules(db)),
        ("the logs", lambda: _logs(db)),
        ("the sessions", lambda: _sessions(db, today)),
        ("the counts", lambda: _counts(db)),
    )
    for name, check in checks:
        try:
            yield from check()
        except (*FAILURES, ValueError, TypeError, LookupError, OverflowError) as error:
            yield _unread(name, error)


def _unread(name: str, error: Exception) -> Finding:
    is_lost = is_damage(error) or not isinstance(error, (*FAILURES, OSError))
    return Finding("error", f"{name} cannot be read: {why(error)}", RESCUE if is_lost else "run again later")


def _some(found: Iterator[str], severity: Severity, noun: str, hint: str) -> Found:
    """The first few, one each, and how many more there are."""
    count = 0
    for what in found:
        count += 1
        if count <= _MOST:
            yield Finding(severity, clean(what, 200), hint)
    if count > _MOST:
        yield Finding(severity, f"{plural(count - _MOST, f'more {noun}')}", hint)


# ---------------------------------------------------------------- the content


def _structure(db: sqlite3.Connection) -> Found:
    lines = (str(line) for (line,) in db.execute("PRAGMA integrity_check") if line != "ok")
    yield from _some(lines, "error", "fault", RESCUE)


def _references(db: sqlite3.Connection) -> Found:
    broken = db.execute("PRAGMA foreign_key_check")
    lines = (f"a row of {table} ({row}) refers to {parent} that are missing" for table, row, parent, _ in broken)
    yield from _some(lines, "error", "reference", RESCUE)


def _chunks(db: sqlite3.Connection) -> Found:
    wrong = (number for number, key, data in db.execute("SELECT id, hash, data FROM chunks") if not _holds(key, data))
    lines = (f"chunk {number} does not agree with its hash" for number in wrong)
    yield from _some(lines, "error", "chunk", RESCUE)


def _holds(key: Any, data: Any) -> bool:
    try:
        return bool(chunk_of(key, data))
    except Damaged:
        return False


def _inputs(db: sqlite3.Connection) -> Found:
    """By the hashes of their chunks, which `_chunks` has held against the bytes."""
    found = db.execute("SELECT id, hash, content, leg, closes, events, facts, told FROM inputs")
    wrong = ((number, leg) for number, key, content, leg, *rest in found if not _agree(db, key, content, leg, *rest))
    lines = (f"inputs {number} of {leg} do not agree with their hash" for number, leg in wrong)
    yield from _some(lines, "error", "inputs", RESCUE)


def _agree(db: sqlite3.Connection, key: Any, content: Any, leg: Any, *rest: Any) -> bool:
    closes, events, facts, told = rest
    try:
        numbers = [*np.frombuffer(closes, "<u4").tolist(), events, facts]
        of = "SELECT hash FROM chunks WHERE id=?"
        *bars, happened, known = [Chunk(db.execute(of, (number,)).fetchone()[0], b"") for number in numbers]
        side = assembled(leg, tuple(bars), happened, known, told)
    except (ValueError, TypeError, AttributeError):
        return False
    return (side.hash, side.content) == (key, content)


def _batches(db: sqlite3.Connection, today: date) -> Found:
    """Every checksum, and whether it is from the future; two of a thing are told apart by the row's number."""
    last = datetime(today.year, today.month, today.day, tzinfo=UTC) + timedelta(days=2)
    reader, early = rows.Reader(db), 0

    def damaged() -> Iterator[str]:
        nonlocal early
        for (number,) in db.execute("SELECT id FROM batches NOT INDEXED ORDER BY id"):
            try:
                head = reader.numbers(rows.heads(db, "WHERE x.id=?", (number,))[0]).snapshot
                early += head.taken_at >= last.timestamp()
            except (Damaged, LookupError, TypeError) as error:
                yield f"snapshot {number}: {why(error)}"

    yield from _some(damaged(), "error", "snapshot", RESCUE)
    if early:
        yield Finding("warning", f"{plural(early, 'snapshot')} from the future", "is the clock of this machine right?")


def _revisions(db: sqlite3.Connection) -> Found:
    text = (
        "SELECT p.a, p.b, x.session FROM batches x JOIN pairs p ON p.id = x.pair GROUP BY x.pair, x.session"
        " HAVING min(x.revision) <> 1 OR max(x.revision) <> count(*) ORDER BY 1, 2, 3"
    )
    lines = (f"{_pair(a, b)} {session}: a revision is missing" for a, b, session in db.execute(text))
    yield from _some(lines, "error", "session", RESCUE)


def _twice(db: sqlite3.Connection) -> Found:
    for table, columns in _REFERRED.items():
        text = f"SELECT count(*) FROM {table} NOT INDEXED GROUP BY {columns} HAVING count(*) > 1"  # noqa: S608 - constants
        if count := len(db.execute(text).fetchall()):
            hint = "an index was damaged once; export and import into a new folder to be rid of it"
            yield Finding("warning", f"{plural(count, 'row')} of {table} stored twice", hint)


def _orphans(db: sqlite3.Connection) -> Found:
    """A transaction stores all or nothing, so that there are none unless something has gone."""
    used = np.zeros(1 + (db.execute("SELECT max(id) FROM chunks").fetchone()[0] or 0), dtype=bool)
    for closes, events, facts in db.execute("SELECT closes, events, facts FROM inputs"):
        numbers = [*np.frombuffer(closes, "<u4").tolist(), events, facts]
        used[[number for number in numbers if number < len(used)]] = True
    counts = {
        "chunks": db.execute("SELECT count(*) FROM chunks").fetchone()[0] - int(used.sum()),
        "inputs": db.execute(
            "SELECT count(*) FROM (SELECT id FROM inputs EXCEPT SELECT a FROM batches EXCEPT SELECT b FROM batches)"
        ).fetchone()[0],
    }
    for table, count in counts.items():
        if count > 0:
            what = f"{plural(count, 'row')} of {table} that no snapshot was made of"
            yield Finding("warning", what, "a snapshot may have gone: compare with a backup")


# ---------------------------------------------------------------- what happened


def _journal(db: sqlite3.Connection, today: date) -> Found:
    yield from _some(wrong(db, "journal"), "error", "row", RESCUE)
    last: tuple[int, float] | None = None
    failed: list[tuple[float, str]] = []
    since = datetime(today.year, today.month, today.day, tzinfo=UTC).timestamp() - _RECENT * 86_400
    for number, run, at, kind, detail in db.execute("SELECT id, run, at, kind, detail FROM journal ORDER BY id"):
        if kind == "began":
            last = number, at
        elif kind == "ended" and last and run == last[0]:
            last = None
        elif kind == "failed" and at >= since:
            failed.append((at, detail))
    if last:
        hint = "what it stored is whole; if it is still running, all is well"
        yield Finding("warning", f"the last run, of {minute(last[1])}, has not ended", hint)
    if failed:
        at, detail = failed[-1]
        what = (
            f"{plural(len(failed), 'failure')} in the last {_RECENT} days, the newest {minute(at)}: {_message(detail)}"
        )
        yield Finding("note", clean(what, 200), "pairwatch snapshot, or wait for the next run")


def _message(detail: str) -> str:
    """What a failure says of itself."""
    try:
        return str(json.loads(detail)["message"])
    except (ValueError, TypeError, KeyError):
        return detail


def _rules(db: sqlite3.Connection) -> Found:
    if has_rules(db):
        lines = (f"how a rule stands is damaged: {which}" for which in damaged_states(db))
        yield from _some(lines, "error", "rule", "the next `pairwatch check` of it starts anew")


def _logs(db: sqlite3.Connection) -> Found:
    yield from _some(
        wrong(db, "changes", "messages", "attempts") if has_rules(db) else iter(()), "error", "row", RESCUE
    )


def _sessions(db: sqlite3.Connection, today: date) -> Found:
    """Sessions between a pair's first and last snapshot that nobody took one of; those long ago in one line."""
    recent, old = np.datetime64(today) - _RECENT, []
    for number, a, b in db.execute("SELECT id, a, b FROM pairs ORDER BY id").fetchall():
        newest = rows.heads(db, "WHERE x.pair=? ORDER BY x.session DESC, x.revision DESC LIMIT 1", (number,))
        if not newest:
            continue
        first, second = (rows.history(rows.inputs(db, row)).series for row in newest[0].inputs)
        taken = db.execute("SELECT DISTINCT session FROM batches WHERE pair=? ORDER BY session", (number,)).fetchall()
        have = np.array([session for (session,) in taken], dtype="M8[D]")
        try:
            common = sessions(first, second, newest[0].snapshot.question.align)
        except UsageError as error:  # this version lines up fewer legs than the one that took it
            yield Finding("note", f"{_pair(a, b)}: sessions without a snapshot are not looked for: {error.message}")
            continue
        missed = np.setdiff1d(common[(common >= have[0]) & (common <= have[-1])], have, assume_unique=True)
        lately = missed[missed >= recent]
        old += [len(missed) - len(lately)] if len(missed) > len(lately) else []
        if len(lately):
            days = f"{plural(len(lately), 'session')} without a snapshot: {listing(lately.tolist())}"
            hint = f"`pairwatch history {_pair(a, b)} --recompute` shows them"
            yield Finding("warning", f"{_pair(a, b)}: {days}", hint)
    if old:
        what = (
            f"{plural(sum(old), 'session')} of {plural(len(old), 'pair')} without a snapshot, over {_RECENT} days ago"
        )
        yield Finding("note", what, "`pairwatch history A B --recompute` shows them")


def _pair(a: str, b: str) -> str:
    """A pair as it is typed."""
    return shlex.join(str(rows.leg_of(leg)) for leg in (a, b))


def _counts(db: sqlite3.Connection) -> Found:
    pairs, batches, first, last = db.execute(
        "SELECT count(DISTINCT pair), count(*), min(session), max(session) FROM batches"
    ).fetchone()
    if batches:
        what = f"{plural(batches, 'snapshot')} of {plural(pairs, 'pair')}, {first} to {last}"
        yield Finding("note", clean(what, 200))
