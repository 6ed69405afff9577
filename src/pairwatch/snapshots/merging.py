"""What one store holds, added to another: rows are told apart by what they say, and their numbers are given anew."""

import sqlite3
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import numpy as np

from pairwatch.model import Floats
from pairwatch.snapshots.batch import Named, batch_checksum
from pairwatch.snapshots.rows import new_row, row_of

# In an order in which each refers to those before it.
TABLES: Final = (
    "pairs",
    "statistics",
    "chunks",
    "inputs",
    "batches",
    "readings",
    "journal",
    "states",
    "changes",
    "messages",
    "attempts",
)

# From the row numbers of the one store to those of the other.
_Numbers: TypeAlias = dict[int, int]


class Incoming(NamedTuple):
    """A batch of another store, which has been checked.

    Attributes:
        pair: the number of its pair there.
        head: what its checksum covers beside the numbers: legs, question, session, revision and so on.
        inputs: the numbers of both legs' inputs there.
        readings: name, and value, of each number.
    """

    pair: int
    head: tuple[Any, ...]
    inputs: tuple[int, int]
    readings: Sequence[tuple[Named, float | None]]


class Imported(NamedTuple):
    """What an import did.

    Attributes:
        added: snapshots that the store did not have.
        revised: those of them whose session it had with other content.
        known: snapshots that it had.
        lines: what was added to the journal.
        others: further rows that were added: changes of rules, messages, and what became of these.
    """

    added: int
    revised: int
    known: int
    lines: int
    others: int


def merge(
    db: sqlite3.Connection, tables: Mapping[str, Iterable[tuple[Any, ...]]], batches: Iterable[Incoming]
) -> Imported:
    """Insert what the store lacks, inside a transaction; `tables` gives the other store's rows, by number."""
    pairs = _numbered(db, "pairs", ("a", "b", "question"), tables["pairs"])
    _numbered(db, "statistics", Named._fields, tables["statistics"])
    chunks = {there: _row(db, "chunks", "hash", hash=key, data=data) for there, key, data in tables["chunks"]}
    inputs = _inputs(db, tables["inputs"], chunks)
    counts = Counter(_batches(db, batches, pairs, inputs))
    lines, others = _journal(db, tables["journal"]), 0
    _states(db, tables["states"], pairs)
    others += _log(db, "changes", ((rule, pairs[pair], *rest) for _, rule, pair, *rest in tables["changes"]))
    messages, new = _messages(db, tables["messages"])
    others += new
    others += _log(db, "attempts", ((messages[message], *rest) for _, message, *rest in tables["attempts"]))
    return Imported(counts["new"] + counts["revised"], counts["revised"], counts["known"], lines, others)


def _row(db: sqlite3.Connection, table: str, by: str, /, **values: object) -> int:
    """The number of the row that has this value in column `by`; it is inserted where there is none."""
    return row_of(db, table, **{by: values[by]}) or new_row(db, table, **values)


def _numbered(db: sqlite3.Connection, table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> _Numbers:
    found = {}
    for there, *cells in rows:
        values = dict(zip(columns, cells, strict=True))
        found[there] = row_of(db, table, **values) or new_row(db, table, **values)
    return found


def _inputs(db: sqlite3.Connection, rows: Iterable[tuple[Any, ...]], chunks: _Numbers) -> _Numbers:
    found = {}
    for there, key, content, leg, closes, events, facts, told in rows:
        here = np.array([chunks[number] for number in np.frombuffer(closes, "<u4").tolist()], dtype="<u4").tobytes()
        found[there] = _row(
            db,
            "inputs",
            "hash",
            hash=key,
            content=content,
            leg=leg,
            closes=here,
            events=chunks[events],
            facts=chunks[facts],
            told=told,
        )
    return found


# ---------------------------------------------------------------- batches


def _batches(
    db: sqlite3.Connection, batches: Iterable[Incoming], pairs: _Numbers, inputs: _Numbers
) -> Iterator[Literal["known", "revised", "new"]]:
    """Insert what is missing, one after the other."""
    rows = db.execute("SELECT id, scope, key, unit FROM statistics").fetchall()
    statistics = {Named(*cells): number for number, *cells in rows}
    for incoming in batches:
        local = _localised(incoming, pairs, inputs, statistics)
        revision = _revision(db, local)
        if revision is None:
            yield "known"
        else:
            _insert(db, local, revision)
            yield "new" if revision == incoming.head[4] else "revised"


class _Local(NamedTuple):
    """A batch with the row numbers of this store, in whose order its numbers stand."""

    pair: int
    head: tuple[Any, ...]
    inputs: tuple[int, int]
    statistics: tuple[int, ...]
    names: tuple[Named, ...]
    values: Floats

    def checksum(self, revision: int) -> int:
        """As that revision."""
        return batch_checksum((*self.head[:4], revision, *self.head[5:]), self.names, self.values)


def _localised(incoming: Incoming, pairs: _Numbers, inputs: _Numbers, statistics: Mapping[Named, int]) -> _Local:
    ordered = sorted((statistics[name], name, value) for name, value in incoming.readings)
    values = np.array([value for _, _, value in ordered], dtype="f8")  # NULL becomes NaN
    numbers, names = tuple([number for number, _, _ in ordered]), tuple([name for _, name, _ in ordered])
    a, b = incoming.inputs
    return _Local(pairs[incoming.pair], incoming.head, (inputs[a], inputs[b]), numbers, names, values)


def _revision(db: sqlite3.Connection, local: _Local) -> int | None:
    """Which revision of its session the batch becomes here; None where it is one that there is."""
    *_, session, revision, taken_at, as_of, program, _, _ = local.head
    which = "SELECT revision, taken_at, as_of, program, a, b, checksum FROM batches WHERE pair=? AND session=?"
    last = 0
    for here, *theirs, checksum in db.execute(which, (local.pair, session)).fetchall():
        if theirs == [taken_at, as_of, program, *local.inputs] and local.checksum(here) == checksum:
            return None
        last = max(last, here)
    return last + 1 if last else int(revision)


def _insert(db: sqlite3.Connection, local: _Local, revision: int) -> None:
    *_, session, _, taken_at, as_of, program, _, _ = local.head
    a, b = local.inputs
    batch = new_row(
        db,
        "batches",
        pair=local.pair,
        session=session,
        revision=revision,
        taken_at=taken_at,
        as_of=as_of,
        program=program,
        a=a,
        b=b,
        checksum=local.checksum(revision),
    )
    rows = ((batch, number, value) for number, value in zip(local.statistics, local.values.tolist(), strict=True))
    db.executemany("INSERT INTO readings VALUES (?, ?, ?)", rows)


# ---------------------------------------------------------------- what happened


def _journal(db: sqlite3.Connection, rows: Iterable[tuple[Any, ...]]) -> int:
    """Add the lines that are missing; returns how many. A run that is known keeps its number here."""
    known = _lines(db, "journal")
    runs: _Numbers = {}
    added = 0
    for there, run, *said in rows:
        line = (None if run is None else runs[run], *said)
        if known[line]:
            runs[there] = known[line].popleft()
            continue
        runs[there] = new_row(db, "journal", **dict(zip(("run", "at", "kind", "detail"), line, strict=True)))
        added += 1
    return added


def _states(db: sqlite3.Connection, rows: Iterable[tuple[Any, ...]], pairs: _Numbers) -> None:
    """Where a rule stands for a pair; what the store knows of it is newer for the store."""
    text = "INSERT INTO states VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
    db.executemany(text, ((rule, pairs[pair], *rest) for rule, pair, *rest in rows))


def _messages(db: sqlite3.Connection, rows: Iterable[tuple[Any, ...]]) -> tuple[_Numbers, int]:
    """Each message is known by its key; also says how many are new."""
    columns = ("key", "recipient", "at", "subject", "text", "html")
    before = db.execute("SELECT count(*) FROM messages").fetchone()[0]
    found = {there: _row(db, "messages", "key", **dict(zip(columns, cells, strict=True))) for there, *cells in rows}
    return found, db.execute("SELECT count(*) FROM messages").fetchone()[0] - before


def _log(db: sqlite3.Connection, table: str, rows: Iterator[tuple[Any, ...]]) -> int:
    """Add the rows of a log that are missing; returns how many."""
    known = _lines(db, table)
    added = 0
    for row in rows:
        if known[row]:
            known[row].popleft()
            continue
        marks = ", ".join("?" * len(row))
        db.execute(f"INSERT INTO {table} VALUES (NULL, {marks})", row)  # noqa: S608 - a constant and marks
        added += 1
    return added


def _lines(db: sqlite3.Connection, table: str) -> defaultdict[tuple[Any, ...], deque[int]]:
    """The numbers of a log's rows by what they say: two that say the same are two."""
    found: defaultdict[tuple[Any, ...], deque[int]] = defaultdict(deque)
    for number, *said in db.execute(f"SELECT * FROM {table} ORDER BY id"):  # noqa: S608 - a constant
        found[tuple(said)].append(number)
    return found
