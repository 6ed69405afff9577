"""Rows of `snapshots.db` to what they stand for, and back; each is checked against its checksum as it is read."""

import sqlite3
from array import array
from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from pairwatch import __version__
from pairwatch.database import Damaged
from pairwatch.errors import UsageError
from pairwatch.histories import History
from pairwatch.model import NAN, Floats, Leg
from pairwatch.snapshots.batch import (
    Named,
    Numbers,
    Snapshot,
    Taken,
    as_stored,
    batch_checksum,
    question_of,
    question_text,
)
from pairwatch.snapshots.inputs import Chunk, Packed, assembled, chunk_of, unpacked

HEADS = (
    "SELECT x.id, p.a, p.b, p.question, x.session, x.revision, x.taken_at, x.as_of, x.program, i.hash, j.hash,"
    " x.a, x.b, i.content, j.content, x.checksum FROM batches x"
    " LEFT JOIN pairs p ON p.id = x.pair LEFT JOIN inputs i ON i.id = x.a LEFT JOIN inputs j ON j.id = x.b "
)
# What a batch refers to and is missing must not make the batch itself be passed over: LEFT, in the joins above.
# How many columns of a head its checksum covers, from the legs on.
_COVERED = slice(1, 11)
NO_NAME = Named("", "", "")


class Head(NamedTuple):
    """A row of batches.

    Attributes:
        covered: what its checksum covers beside the numbers.
        inputs: the rows of both legs' inputs.
        contents: the hashes of their closes and events.
    """

    snapshot: Snapshot
    covered: tuple[object, ...]
    inputs: tuple[int, int]
    contents: tuple[bytes, bytes]
    checksum: int


def full_name(leg: Leg) -> str:
    """The leg with its source, also where that is the default."""
    return f"{leg.source}:{leg.symbol}"


@lru_cache(maxsize=1024)
def leg_of(text: str) -> Leg:
    """What `full_name` was made of; raises `Damaged` for anything else."""
    source, _, symbol = str(text).partition(":")
    try:
        return Leg(source, symbol)
    except UsageError as error:
        raise Damaged("the name of a leg") from error


def new_row(db: sqlite3.Connection, table: str, /, **values: object) -> int:
    """Insert a row and return its number; the table and the columns are constants."""
    marks = ", ".join("?" * len(values))
    text = f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})"  # noqa: S608 - constants and marks
    return db.execute(text, tuple(values.values())).lastrowid or 0


def row_of(db: sqlite3.Connection, table: str, /, **values: object) -> int | None:
    """The number of the row with these values, if there is one."""
    where = " AND ".join(f"{name}=?" for name in values)
    found = db.execute(f"SELECT id FROM {table} WHERE {where}", tuple(values.values())).fetchone()  # noqa: S608 - constants
    return int(found[0]) if found else None


def row_for(db: sqlite3.Connection, table: str, /, **values: object) -> int:
    """The number of the row with these values, which is inserted where there is none."""
    return row_of(db, table, **values) or new_row(db, table, **values)


def examine(db: sqlite3.Connection, *tables: str) -> None:
    """Raise `Damaged` where a table, or the index by which it is looked through, has lost a row.

    What a row says is covered by checksums, that it is there by nothing else.
    """
    for table in tables:
        found = db.execute(f"PRAGMA integrity_check({table})").fetchone()[0]
        if found != "ok":
            raise Damaged(found)


# ---------------------------------------------------------------- batches


def heads(db: sqlite3.Connection, where: str, values: Sequence[object]) -> list[Head]:
    """The batches that a constant condition chooses, in its order."""
    return [_head(row) for row in db.execute(HEADS + where, tuple(values)).fetchall()]


def _head(row: tuple[Any, ...]) -> Head:
    number, a, b, question, session, revision, taken_at, as_of, program, _, _, *inputs, checksum = row
    try:
        day = date.fromisoformat(session)
    except (ValueError, TypeError) as error:
        raise Damaged("the day of a snapshot") from error
    asked = question_of(question, as_of)
    snapshot = Snapshot(number, leg_of(a), leg_of(b), asked, day, revision, taken_at, program)
    return Head(snapshot, row[_COVERED], (inputs[0], inputs[1]), (inputs[2], inputs[3]), checksum)


class Reader:
    """Reads the numbers of batches in one transaction, whose statistics it looks up once."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        rows = db.execute("SELECT id, scope, key, unit FROM statistics").fetchall()
        self._known = {number: Named(*names) for number, *names in rows}
        self._names: dict[tuple[int, ...], tuple[Named, ...]] = {}

    def numbers(self, head: Head) -> Numbers:
        """A batch's numbers; raises `Damaged` if anything of it has changed since it was written."""
        rows = self._db.execute("SELECT statistic, value FROM readings WHERE batch=?", (head.snapshot.id,)).fetchall()
        statistics, numbers = zip(*rows, strict=True) if rows else ((), ())
        names = self._names.get(statistics) or tuple(self._known.get(number, NO_NAME) for number in statistics)
        try:
            values = np.array(numbers, dtype="f8")  # NULL becomes NaN
        except (ValueError, TypeError):
            values = np.full(len(numbers), NAN)
        if batch_checksum(head.covered, names, values) != head.checksum:
            raise Damaged(f"checksum of {head.snapshot.a} {head.snapshot.b} {head.snapshot}")
        self._names[statistics] = names
        return Numbers(head.snapshot, names, values)

    def every(self, where: str, values: Sequence[object]) -> list[Numbers]:
        """The numbers of the batches that a constant condition chooses; it ends in their order.

        They are read in one go, as if all had the first one's statistics. Where the checksum does not bear that out, a
        batch is read by itself.
        """
        found = heads(self._db, where, values)
        if not found:
            return []
        names = self.numbers(found[0]).names
        guessed = self._in_one(where, values, len(found), len(names))
        return [
            Numbers(head.snapshot, names, own)
            if own is not None and batch_checksum(head.covered, names, own) == head.checksum
            else self.numbers(head)
            for head, own in zip(found, guessed, strict=True)
        ]

    def _in_one(self, where: str, values: Sequence[object], n: int, m: int) -> Iterable[Floats | None]:
        """The values of `n` batches of `m` numbers each, or nothing where it is not so many in all.

        Python's arrays know no NULL: infinity stands for it, and is no number that anything is said with.
        """
        text = (
            f"SELECT ifnull(r.value, 9e999) FROM batches x CROSS JOIN readings r ON r.batch = x.id {where}, r.statistic"  # noqa: S608 - constants
        )
        try:
            flat = np.array(array("d", chain.from_iterable(self._db.execute(text, tuple(values)))))
        except TypeError:  # a text for a number
            return [None] * n
        if len(flat) != n * m:
            return [None] * n
        flat[np.isinf(flat)] = NAN
        return flat.reshape(n, m)


def insert_batch(
    db: sqlite3.Connection, taken: Taken, revision: int, sides: tuple[Packed, Packed], program: str = __version__
) -> int:
    """Insert a batch with its readings and inputs; returns its number."""
    legs = [full_name(leg) for leg in (taken.found.a, taken.found.b)]
    question, session, as_of = question_text(taken.question), taken.found.as_of.isoformat(), taken.question.as_of
    numbered = sorted(
        (row_for(db, "statistics", scope=r.scope, key=r.statistic.key, unit=r.unit), r) for r in taken.found
    )
    names = tuple(Named(r.scope, r.statistic.key, r.unit) for _, r in numbered)
    values = as_stored(r.value for _, r in numbered)
    head = (*legs, question, session, revision, float(taken.at), as_of.isoformat(), program)
    batch = new_row(
        db,
        "batches",
        pair=row_for(db, "pairs", a=legs[0], b=legs[1], question=question),
        session=session,
        revision=revision,
        taken_at=float(taken.at),
        as_of=as_of.isoformat(),
        program=program,
        a=insert_inputs(db, sides[0]),
        b=insert_inputs(db, sides[1]),
        checksum=batch_checksum((*head, sides[0].hash, sides[1].hash), names, values),
    )
    rows = [(batch, number, value) for (number, _), value in zip(numbered, values.tolist(), strict=True)]
    db.executemany("INSERT INTO readings VALUES (?, ?, ?)", rows)
    return batch


# ---------------------------------------------------------------- inputs


def insert_inputs(db: sqlite3.Connection, side: Packed) -> int:
    """The row of a leg's inputs, which is inserted, with what is new of its chunks, where there is none."""
    known = row_of(db, "inputs", hash=side.hash)
    if known:
        return known
    closes = np.array([_chunk_row(db, chunk) for chunk in side.closes], dtype="<u4").tobytes()
    events, facts = _chunk_row(db, side.events), _chunk_row(db, side.facts)
    return new_row(
        db,
        "inputs",
        hash=side.hash,
        content=side.content,
        leg=side.leg,
        closes=closes,
        events=events,
        facts=facts,
        told=side.told,
    )


def _chunk_row(db: sqlite3.Connection, chunk: Chunk) -> int:
    return row_of(db, "chunks", hash=chunk.hash) or new_row(db, "chunks", hash=chunk.hash, data=chunk.data)


def inputs(db: sqlite3.Connection, row: int) -> Packed:
    """A leg's inputs; raises `Damaged` where they are not those that were stored."""
    found = db.execute("SELECT hash, leg, closes, events, facts, told FROM inputs WHERE id=?", (row,)).fetchone()
    if not found:
        raise Damaged("inputs that are missing")
    expected, leg, closes, events, facts, told = found
    try:
        rows = [*np.frombuffer(closes, "<u4").tolist(), events, facts]
        *bars, happened, known = [_chunk(db, number) for number in rows]
        side = assembled(leg, tuple(bars), happened, known, told)
    except (ValueError, TypeError, AttributeError) as error:  # a cell of another kind than was stored
        raise Damaged("inputs of a leg") from error
    if side.hash != expected:
        raise Damaged(f"inputs of {leg}")
    return side


def _chunk(db: sqlite3.Connection, row: int) -> Chunk:
    found = db.execute("SELECT hash, data FROM chunks WHERE id=?", (row,)).fetchone()
    if not found:
        raise Damaged("a chunk that is missing")
    return chunk_of(*found)


def history(side: Packed) -> History:
    """The history that was packed."""
    closes = [chunk.data for chunk in side.closes]
    return unpacked(side.leg, closes, side.events.data, side.facts.data, side.told)
