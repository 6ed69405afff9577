"""Everything about the store that could be wrong, looked at without changing anything.

A store that is too damaged for the rest of the program is looked at as well, as far as it can be read.
"""

import json
import os
import shlex
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import numpy as np

from pairwatch.database import FAILURES, Damaged, NothingYet, Outdated, is_damage
from pairwatch.errors import DatabaseTrouble, UsageError
from pairwatch.snapshots import rows
from pairwatch.snapshots.batch import sessions
from pairwatch.snapshots.inputs import Chunk, assembled, chunk_of
from pairwatch.snapshots.shapes import has_rules, minute, wrong
from pairwatch.snapshots.store import Store
from pairwatch.snapshots.watching import damaged_states
from pairwatch.text import clean, listing, plural

Severity = Literal["error", "warning", "note"]

RESCUE: Final = "restore a backup with `pairwatch snapshot import`, or try `sqlite3 FILE .recover`"
_SEVERITIES: Final = ("error", "warning", "note")
# How many findings of one kind are named; the others are counted.
_MOST: Final = 10
# How far back failures are told of, in days.
_RECENT: Final = 30
# File systems on which the locks of SQLite are known to fail.
_REMOTE: Final = ("nfs", "cifs", "smb", "afs", "9p", "fuse.sshfs", "ncpfs", "lustre", "glusterfs", "drvfs")
_REFERRED: Final = {
    "chunks": "hash",
    "inputs": "hash",
    "pairs": "a, b, question",
    "statistics": "scope, key, unit",
}


class Finding(NamedTuple):
    """Something about the store: an error is a loss, a warning may become one, a note is good to know."""

    severity: Severity
    what: str
    hint: str = ""


_Found = Iterator[Finding]


def examine(store: Store, today: date) -> tuple[Finding, ...]:
    """What there is to say about the store, errors first; one that is well has notes alone.

    Memory stays small however large the file is: it is read once from its beginning to its end, and row by row.
    """
    found = [*_of_the_file(store.path), *_of_the_content(store, today)]
    return tuple(sorted(found, key=lambda finding: _SEVERITIES.index(finding.severity)))


def _of_the_content(store: Store, today: date) -> _Found:
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


def _of_an_earlier(store: Store, today: date) -> _Found:
    """The same, of a file that the store itself does not read as it is."""
    with closing(store.file.connect()) as db:
        db.execute("BEGIN")
        yield from _of_all(db, today)


def _of_all(db: sqlite3.Connection, today: date) -> _Found:
    checks: Sequence[tuple[str, Callable[[], _Found]]] = (
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
    return Finding("error", f"{name} cannot be read: {_why(error)}", RESCUE if is_lost else "run again later")


def _why(error: Exception) -> str:
    return clean(getattr(error, "strerror", None) or error)


def _some(found: Iterator[str], severity: Severity, noun: str, hint: str) -> _Found:
    """The first few, one each, and how many more there are."""
    count = 0
    for what in found:
        count += 1
        if count <= _MOST:
            yield Finding(severity, clean(what, 200), hint)
    if count > _MOST:
        yield Finding(severity, f"{plural(count - _MOST, f'more {noun}')}", hint)


# ---------------------------------------------------------------- the file


def _of_the_file(path: Path) -> _Found:
    try:
        status = path.stat()
    except FileNotFoundError:
        yield Finding("note", "there is no file yet", "pairwatch snapshot A B")
        return
    except OSError as error:
        yield Finding("error", f"the file cannot be looked at: {_why(error)}", "make its folder yours to read")
        return
    if not stat.S_ISREG(status.st_mode):
        yield Finding("error", "it is no file", "set data_dir to another folder")
        return
    yield from _rights(path, status)
    yield from _place(path, status.st_size)
    yield from _beside(path)


def _rights(path: Path, status: os.stat_result) -> _Found:
    if os.name != "posix":
        return
    if status.st_mode & 0o077:
        mode = stat.S_IMODE(status.st_mode)
        yield Finding("warning", f"others may read or write the file (mode {mode:o})", "chmod 600 it")
    if path.parent.stat().st_mode & 0o022:
        mode = stat.S_IMODE(path.parent.stat().st_mode)
        yield Finding("warning", f"others may replace what is in its folder (mode {mode:o})", "chmod 700 the folder")
    if status.st_uid != os.geteuid():
        yield Finding("warning", f"the file belongs to another user (number {status.st_uid})", "chown it to yourself")
    if not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        yield Finding("error", "the file or its folder may not be written to", "make both yours")


def _place(path: Path, size: int) -> _Found:
    kind = _file_system(path)
    if kind.startswith(_REMOTE):
        what = f"the file is on a {clean(kind)} file system, whose locks cannot be relied on"
        yield Finding("warning", what, "set data_dir to a folder on a disk of this machine")
    free = shutil.disk_usage(path.parent).free
    yield Finding("note", f"{_megabytes(size)} in the file, {_megabytes(free)} free beside it")
    if free < max(2 * size, 100_000_000):
        yield Finding("warning", f"little room: {_megabytes(free)} are free", "make room before a snapshot fails")


def _file_system(path: Path) -> str:
    """The type of the file system, where the kernel says it in /proc."""
    try:
        mounts = Path("/proc/self/mounts").read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return ""
    where = path.resolve()
    kinds = {Path(words[1]): words[2] for words in (line.split() for line in mounts) if len(words) > 2}
    return next((kinds[folder] for folder in where.parents if folder in kinds), "")


def _megabytes(size: int) -> str:
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.1f} MB"


def _beside(path: Path) -> _Found:
    """What copies, upgrades and other programs have left."""
    for file in sorted(path.parent.glob(f"{path.name}?*")):
        rest = file.name.removeprefix(path.name)
        name, size = clean(file.name), _megabytes(file.stat().st_size)
        if rest == "-journal":
            yield Finding("note", f"{name}: a transaction is under way or was cut short", "the next run completes it")
        elif rest in ("-wal", "-shm"):
            what = f"{name}: another program has opened the file in its own way"
            yield Finding("warning", what, "close that program; leave the file where it is")
        elif rest.startswith(".schema-"):
            leftover = rest.count(".") > 1
            what = f"{name} ({size}) is {'an upgrade cut short' if leftover else 'a copy from before an upgrade'}"
            yield Finding("note", what, "delete it" if leftover else "delete it once you trust the upgrade")


# ---------------------------------------------------------------- the content


def _structure(db: sqlite3.Connection) -> _Found:
    lines = (str(line) for (line,) in db.execute("PRAGMA integrity_check") if line != "ok")
    yield from _some(lines, "error", "fault", RESCUE)


def _references(db: sqlite3.Connection) -> _Found:
    broken = db.execute("PRAGMA foreign_key_check")
    lines = (f"a row of {table} ({row}) refers to {parent} that are missing" for table, row, parent, _ in broken)
    yield from _some(lines, "error", "reference", RESCUE)


def _chunks(db: sqlite3.Connection) -> _Found:
    wrong = (number for number, key, data in db.execute("SELECT id, hash, data FROM chunks") if not _holds(key, data))
    lines = (f"chunk {number} does not agree with its hash" for number in wrong)
    yield from _some(lines, "error", "chunk", RESCUE)


def _holds(key: Any, data: Any) -> bool:
    try:
        return bool(chunk_of(key, data))
    except Damaged:
        return False


def _inputs(db: sqlite3.Connection) -> _Found:
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


def _batches(db: sqlite3.Connection, today: date) -> _Found:
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
                yield f"snapshot {number}: {_why(error)}"

    yield from _some(damaged(), "error", "snapshot", RESCUE)
    if early:
        yield Finding("warning", f"{plural(early, 'snapshot')} from the future", "is the clock of this machine right?")


def _revisions(db: sqlite3.Connection) -> _Found:
    text = (
        "SELECT p.a, p.b, x.session FROM batches x JOIN pairs p ON p.id = x.pair GROUP BY x.pair, x.session"
        " HAVING min(x.revision) <> 1 OR max(x.revision) <> count(*) ORDER BY 1, 2, 3"
    )
    lines = (f"{_pair(a, b)} {session}: a revision is missing" for a, b, session in db.execute(text))
    yield from _some(lines, "error", "session", RESCUE)


def _twice(db: sqlite3.Connection) -> _Found:
    for table, columns in _REFERRED.items():
        text = f"SELECT count(*) FROM {table} NOT INDEXED GROUP BY {columns} HAVING count(*) > 1"  # noqa: S608 - constants
        if count := len(db.execute(text).fetchall()):
            hint = "an index was damaged once; export and import into a new folder to be rid of it"
            yield Finding("warning", f"{plural(count, 'row')} of {table} stored twice", hint)


def _orphans(db: sqlite3.Connection) -> _Found:
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


def _journal(db: sqlite3.Connection, today: date) -> _Found:
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


def _rules(db: sqlite3.Connection) -> _Found:
    if has_rules(db):
        lines = (f"how a rule stands is damaged: {which}" for which in damaged_states(db))
        yield from _some(lines, "error", "rule", "the next `pairwatch check` of it starts anew")


def _logs(db: sqlite3.Connection) -> _Found:
    yield from _some(
        wrong(db, "changes", "messages", "attempts") if has_rules(db) else iter(()), "error", "row", RESCUE
    )


def _sessions(db: sqlite3.Connection, today: date) -> _Found:
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


def _counts(db: sqlite3.Connection) -> _Found:
    pairs, batches, first, last = db.execute(
        "SELECT count(DISTINCT pair), count(*), min(session), max(session) FROM batches"
    ).fetchone()
    if batches:
        what = f"{plural(batches, 'snapshot')} of {plural(pairs, 'pair')}, {first} to {last}"
        yield Finding("note", clean(what, 200))
