"""The durable store: every reading of every snapshot, with what it was computed from, in one append-only SQLite file.

It is precious: it lies in the data folder, is never renamed or deleted by pairwatch, and a file that is damaged, full,
locked for too long or of a later version is refused (`StoreError`) and left as it is. Each batch has a checksum, and
so has each chunk of its inputs; what does not agree with them is never handed out.
"""

import errno
import math
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from types import NoneType
from typing import Any, NamedTuple

import numpy as np

from pairwatch.database import FAILURES, LOCK_TIMEOUT, Damaged, Database, NothingYet, Outdated, is_damage, sync
from pairwatch.errors import StoreError
from pairwatch.histories import History
from pairwatch.model import NAN, Floats, Leg
from pairwatch.snapshots import rows, schema
from pairwatch.snapshots.batch import Named, Numbers, Snapshot, Taken, question_text
from pairwatch.snapshots.inputs import Packed, known_on, packed
from pairwatch.staging import Question
from pairwatch.text import clean

FILE_NAME = "snapshots.db"

_OF_PAIR = "WHERE x.pair = (SELECT id FROM pairs WHERE a=? AND b=? AND question=?) "
_LAST_REVISION = "AND x.revision = (SELECT max(revision) FROM batches y WHERE y.pair=x.pair AND y.session=x.session) "


class Appended(NamedTuple):
    """A snapshot, and whether it is new: the same inputs are stored once."""

    snapshot: Snapshot
    is_new: bool


class Line(NamedTuple):
    """A line of the journal; `run` is the number of the line that began the run it belongs to."""

    id: int
    run: int | None
    at: float
    kind: str
    detail: str


class Record(NamedTuple):
    """The numbers of a pair's snapshots.

    Attributes:
        snapshots: one a row, by session; n of them.
        names: one a column; m of them.
        values: shape (n, m); NaN where the snapshot could not say, or did not know the statistic.
    """

    snapshots: tuple[Snapshot, ...]
    names: tuple[Named, ...]
    values: Floats


class Store:
    """The file at `path`, opened for each operation and closed before it returns.

    All methods raise `StoreError` for a file that cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = Database(path, schema.APPLICATION_ID, schema.STEPS)
        # Once in a run: whether it is of this schema, and whether all that should be in it is.
        self._current = False
        self._examined = False

    # ---------------------------------------------------------------- writing

    def append(self, taken: Taken) -> Appended:
        """Store a comparison in one transaction, unless the latest snapshot of its session is the same.

        The same are those of equal closes, events and question whose finished numbers are equal; the price of a
        session that is still open makes no other snapshot.
        """
        sides = packed(taken.a), packed(taken.b)
        found = taken.found
        which = f"{_OF_PAIR} AND x.session=? ORDER BY x.revision DESC LIMIT 1"
        key = (*_key(found.a, found.b, taken.question), found.as_of.isoformat())
        with self.writing() as db:
            last = rows.heads(db, which, key)
            if last and _is_same(db, last[0], taken, sides):
                return Appended(last[0].snapshot, is_new=False)
            revision = last[0].snapshot.revision + 1 if last else 1
            batch = rows.insert_batch(db, taken, revision, sides)
            return Appended(_read_back(db, batch), is_new=True)

    def note(self, kind: str, at: float, detail: str = "", run: int | None = None) -> int:
        """Add a line to the journal, and return its number."""
        with self.writing() as db:
            return rows.new_row(db, "journal", run=run, at=float(at), kind=kind, detail=detail)

    # ---------------------------------------------------------------- reading

    def snapshots(
        self, a: Leg, b: Leg, question: Question, since: date = date.min, *, all_revisions: bool = False
    ) -> tuple[Snapshot, ...]:
        """A pair's snapshots by session, from `since` on; the last revision of each unless all are wanted."""
        with self.reading() as db:
            found = rows.Reader(db).every(*_chosen(a, b, question, since, all_revisions=all_revisions))
        return tuple(one.snapshot for one in found)

    def record(self, a: Leg, b: Leg, question: Question, since: date = date.min) -> Record:
        """The numbers of a pair's snapshots from `since` on, the last revision of each session."""
        with self.reading() as db:
            found = rows.Reader(db).every(*_chosen(a, b, question, since))
        return _record(found)

    def latest(self, a: Leg, b: Leg, question: Question, until: date = date.max) -> Snapshot | None:
        """A pair's last snapshot of a session on or before `until`; None if there is none."""
        which = f"{_OF_PAIR} AND x.session <= ? ORDER BY x.session DESC, x.revision DESC LIMIT 1"
        with self.reading() as db:
            found = rows.heads(db, which, (*_key(a, b, question), until.isoformat()))
            return rows.Reader(db).numbers(found[0]).snapshot if found else None

    def numbers(self, snapshot: Snapshot) -> Numbers:
        """What a snapshot said."""
        with self.reading() as db:
            return rows.Reader(db).numbers(_head_of(db, snapshot))

    def inputs(self, snapshot: Snapshot) -> tuple[History, History]:
        """What a snapshot was computed from."""
        with self.reading() as db:
            a, b = (rows.inputs(db, row) for row in _head_of(db, snapshot).inputs)
        return rows.history(a), rows.history(b)

    def pairs(self) -> tuple[tuple[Leg, Leg, str], ...]:
        """Every pair that was ever snapped, with the JSON of what was asked."""
        newest = "WHERE x.id IN (SELECT max(id) FROM batches GROUP BY pair)"
        with self.reading() as db:
            reader = rows.Reader(db)
            for head in rows.heads(db, newest, ()):
                reader.numbers(head)  # its checksum covers the pair
            snapped = "WHERE id IN (SELECT pair FROM batches)"  # others are watched alone
            found = db.execute(f"SELECT a, b, question FROM pairs {snapped} ORDER BY id").fetchall()  # noqa: S608 - a constant
        return tuple((rows.leg_of(a), rows.leg_of(b), text) for a, b, text in found)

    def journal(self, kinds: Sequence[str] = (), newest: int = -1) -> list[Line]:
        """The lines of some kinds (by default all) in their order; at most the `newest` of them, if it is given."""
        which = f"WHERE kind IN ({', '.join('?' * len(kinds))})" if kinds else ""
        text = f"SELECT id, run, at, kind, detail FROM journal {which} ORDER BY id DESC LIMIT ?"  # noqa: S608 - marks
        with self.reading() as db:
            rows.examine(db, "journal")
            return [_line(row) for row in db.execute(text, (*kinds, newest)).fetchall()[::-1]]

    def examine(self) -> None:
        """Raise `StoreError` where snapshots have gone: what is left of one is covered by checksums, all of it by none.

        Whoever writes does so first. It takes about two seconds for ten years of two hundred pairs, too long for every
        look at one of them.
        """
        with self.reading() as db:
            rows.examine(db, "pairs", "batches")

    # ---------------------------------------------------------------- transactions

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that no other process writes beside."""
        with self._told():
            if self._is_current() and not self._examined:
                with self.file.reading() as db:  # beside other readers: it takes long
                    rows.examine(db, "pairs", "batches")
                self._examined = True
            with self.file.writing() as db:
                yield db

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One state of the file; an empty one where there is none yet."""
        with self._told(), self.file.reading() if self._is_current() else self.file.empty() as db:
            yield db

    def _is_current(self) -> bool:
        """Whether the file is there and laid out; one of an earlier schema is copied beside, and brought up."""
        if not self.file.is_there():
            return False
        if not self._current:
            try:
                with self.file.reading():
                    pass
            except NothingYet:
                return False
            except Outdated as outdated:
                self._bring_up(outdated.schema)
            self._current = True
        return True

    def _bring_up(self, schema: int) -> None:
        """Copy the file beside, then take it through the steps that it lacks."""
        try:
            back_up(self.file, self.path.with_name(f"{self.path.name}.schema-{schema}"), schema)
            with self.file.writing(upgrades=True):
                pass
        except (sqlite3.OperationalError, OSError) as error:
            if _is_forbidden(error):
                what = f"the snapshots in {clean(self.path, 200)} are of schema {schema}"
                raise StoreError(
                    f"{what} and cannot be brought up to {self.file.schema} ({_why(error)})",
                    "run once as who may write to the file and its folder; nothing was changed",
                ) from error
            raise

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn what SQLite and the disk say into `StoreError`."""
        try:
            yield
        except (*FAILURES, OSError) as error:
            raise _refusal(self.path, error) from error


def back_up(file: Database, copy: Path, schema: int) -> None:
    """Write a copy of the file that only this user can read; one that is there already is kept.

    None is written when another process has brought the file to a later schema meanwhile, and so has made one.

    Raises:
        OSError, sqlite3.Error: it could not be written.
    """
    if copy.exists():
        return
    temporary = copy.with_name(f"{copy.name}.{os.urandom(8).hex()}")
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    try:
        with closing(file.connect()) as db:
            db.execute("VACUUM INTO ?", (str(temporary),))
        with closing(sqlite3.connect(temporary)) as db:
            is_that = db.execute("PRAGMA user_version").fetchone()[0] == schema
        if is_that:
            sync(temporary)  # SQLite leaves that to others
            temporary.replace(copy)
            sync(copy.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _refusal(path: Path, error: Exception) -> StoreError:
    """What a person is told of a store that cannot be used."""
    what = f"the snapshots in {clean(path, 200)}"
    why, code = _why(error), _code(error)
    if is_damage(error):
        return StoreError(f"{what} are damaged ({why})", "`pairwatch snapshot doctor` says what; nothing was changed")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreError(f"{what} have been locked by another process for {LOCK_TIMEOUT:g} s", "run again later")
    if code == sqlite3.SQLITE_FULL or getattr(error, "errno", None) == errno.ENOSPC:
        return StoreError(f"{what} cannot be written: the disk is full", "make room; nothing was changed")
    return StoreError(f"{what} cannot be used ({why})")


def _why(error: Exception) -> str:
    return clean(getattr(error, "strerror", None) or error)


def _code(error: Exception) -> int:
    """SQLite's primary code; 0 for another's error."""
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF


def _is_forbidden(error: Exception) -> bool:
    """Whether the file or its folder may not be written to."""
    forbidden = (errno.EACCES, errno.EPERM, errno.EROFS)
    return getattr(error, "errno", None) in forbidden or _code(error) in (
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
    )


def _line(row: tuple[Any, ...]) -> Line:
    """A line of the journal; raises `Damaged` for what can be none."""
    number, run, at, kind, detail = row
    if not (
        isinstance(run, (int, NoneType)) and isinstance(at, float) and isinstance(kind, str) and isinstance(detail, str)
    ):
        raise Damaged("a line of the journal")
    return Line(number, run, at, kind, detail)


def _read_back(db: sqlite3.Connection, batch: int) -> Snapshot:
    """What has just been written, as it will be found; raises `Damaged` where an index has led astray."""
    head = rows.heads(db, "WHERE x.id=?", (batch,))[0]
    for side in head.inputs:
        rows.inputs(db, side)
    return rows.Reader(db).numbers(head).snapshot


def _key(a: Leg, b: Leg, question: Question) -> tuple[str, str, str]:
    return rows.full_name(a), rows.full_name(b), question_text(question)


def _chosen(
    a: Leg, b: Leg, question: Question, since: date, *, all_revisions: bool = False
) -> tuple[str, tuple[str, ...]]:
    """The condition, and its values, for a pair's snapshots by session."""
    which = "" if all_revisions else _LAST_REVISION
    return f"{_OF_PAIR} AND x.session >= ? {which} ORDER BY x.session, x.revision", (
        *_key(a, b, question),
        since.isoformat(),
    )


def _record(found: Sequence[Numbers]) -> Record:
    """Snapshot below snapshot, with a column for every number that any of them has."""
    layouts = tuple(dict.fromkeys(one.names for one in found))
    names = tuple(dict.fromkeys(name for own in layouts for name in own))
    places = {own: np.array([names.index(name) for name in own], dtype=np.intp) for own in layouts}
    values = np.full((len(found), len(names)), NAN)
    for row, one in zip(values, found, strict=True):
        row[places[one.names]] = one.values
    return Record(tuple(one.snapshot for one in found), names, values)


def _head_of(db: sqlite3.Connection, snapshot: Snapshot) -> rows.Head:
    found = rows.heads(db, "WHERE x.id=?", (snapshot.id,))
    if not found:
        raise Damaged(f"no row for {snapshot.a} {snapshot.b} {snapshot}")
    return found[0]


def _is_same(db: sqlite3.Connection, known: rows.Head, taken: Taken, sides: tuple[Packed, Packed]) -> bool:
    """Whether the comparison says no more than a stored batch does."""
    numbers = rows.Reader(db).numbers(known)
    if known.contents != (sides[0].content, sides[1].content) and not _only_went_on(db, known, taken):
        return False
    was = dict(zip(numbers.names, numbers.values.tolist(), strict=True))
    finished = [r for r in taken.found if not r.statistic.of_now]
    return all(_equal(was.get(Named(r.scope, r.statistic.key, r.unit)), r.value) for r in finished)


def _only_went_on(db: sqlite3.Connection, known: rows.Head, taken: Taken) -> bool:
    """Whether all that is new of a leg is later than the session: it trades on while the other one rests."""
    held = [rows.history(rows.inputs(db, row)) for row in known.inputs]
    session = known.snapshot.session
    pairs = zip(held, (taken.a, taken.b), strict=True)
    return all(known_on(was, session) == known_on(now, session) for was, now in pairs)


def _equal(was: float | None, value: float) -> bool:
    """Whether a number is as it was, also as "cannot say"; one that was not known is not."""
    return was == value or (was is not None and math.isnan(was) and math.isnan(value))
