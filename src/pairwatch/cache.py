"""The price cache: one SQLite file, a row a leg, safe to share between processes and to lose.

Raw closes and events are kept, never adjusted prices. Rollback journal and immediate transactions, because
write-ahead logging can corrupt the file in most deployed SQLite versions when two processes write, and a deferred
transaction that turns into a write cannot wait for its lock. Each row has a checksum, because SQLite's own check
does not see a flipped bit inside a value.

A cache that cannot be used never fails a run: `Cache.trouble` then says why, and the run goes on without it.
"""

import json
import os
import sqlite3
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pairwatch.errors import CacheTrouble
from pairwatch.model import Days, Event, Facts, Holding, Leg, Quote, Series
from pairwatch.text import clean

FILE_NAME = "prices.db"
SCHEMA = 1
# "pwch" in ASCII: tells our files from other programs'.
APPLICATION_ID = 0x70776368
LOCK_TIMEOUT = 10.0

# How long a source that throttles is left alone: doubled at each refusal in a row.
FIRST_PAUSE, LONGEST_PAUSE = 15 * 60.0, 6 * 3600.0

_TABLES = """
CREATE TABLE legs (
    source TEXT NOT NULL, symbol TEXT NOT NULL,
    days BLOB NOT NULL, closes BLOB NOT NULL, holes BLOB NOT NULL, events TEXT NOT NULL,
    facts TEXT NOT NULL, quote TEXT NOT NULL,
    asked_at REAL NOT NULL, fresh_until REAL NOT NULL, reconciled_at REAL NOT NULL,
    checksum INTEGER NOT NULL,
    PRIMARY KEY (source, symbol)
);
CREATE TABLE pauses (source TEXT PRIMARY KEY, until REAL NOT NULL, refusals INTEGER NOT NULL);
"""
_COLUMNS = "days, closes, holes, events, facts, quote, asked_at, fresh_until, reconciled_at"
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of `pairwatch cache info`."""

    leg: Leg
    bars: int
    first: np.datetime64
    last: np.datetime64
    asked_at: float
    fresh_until: float
    bytes: int


class Cache:
    """The cache file at `path`, opened for each operation and closed before it returns.

    Attributes:
        trouble: why the file is not used any more in this process; empty as long as it is.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.trouble = ""

    def get(self, leg: Leg) -> Holding | None:
        """What is held of `leg`, or None."""

        def read(db: sqlite3.Connection) -> Holding | None:
            row = db.execute(f"SELECT {_COLUMNS}, checksum FROM legs WHERE source=? AND symbol=?", _key(leg)).fetchone()  # noqa: S608
            return row and _unpack(leg, row)

        return self._attempt(read, None, writes=False)

    def update(self, leg: Leg, change: Callable[[Holding | None], Holding]) -> Holding:
        """Replace what is held of `leg` by `change` of it, in one transaction, and return the new holding.

        `change` sees what is held at that instant, also if another process has just written it. What it raises
        leaves the file as it was. Without a usable file `change(None)` is returned.
        """

        def write(db: sqlite3.Connection) -> Holding:
            row = db.execute(f"SELECT {_COLUMNS}, checksum FROM legs WHERE source=? AND symbol=?", _key(leg)).fetchone()  # noqa: S608
            held = row and _unpack(leg, row)
            new = change(held)
            if new is not held:
                marks = ", ".join("?" * 12)
                db.execute(f"INSERT OR REPLACE INTO legs VALUES ({marks})", (*_key(leg), *_pack(new)))  # noqa: S608
            return new

        new = self._attempt(write, None, writes=True)
        return change(None) if new is None else new

    def entries(self) -> list[Entry]:
        """All legs that are held, in alphabetical order."""

        def read(db: sqlite3.Connection) -> list[Entry]:
            rows = db.execute(f"SELECT source, symbol, {_COLUMNS}, checksum FROM legs ORDER BY 1, 2").fetchall()  # noqa: S608
            return [_entry(Leg(row[0], row[1]), row[2:]) for row in rows]

        return self._attempt(read, [], writes=False)

    def clear(self, leg: Leg | None = None) -> int:
        """Forget one leg, or all; returns how many were forgotten."""

        def write(db: sqlite3.Connection) -> int:
            if leg:
                return db.execute("DELETE FROM legs WHERE source=? AND symbol=?", _key(leg)).rowcount
            return db.execute("DELETE FROM legs").rowcount

        return self._attempt(write, 0, writes=True) if self.path.exists() else 0

    def paused_until(self, source: str) -> float:
        """Until when `source` asked to be left alone, in Unix seconds; 0 if it did not."""

        def read(db: sqlite3.Connection) -> float:
            row = db.execute("SELECT until FROM pauses WHERE source=?", (source,)).fetchone()
            return float(row[0]) if row else 0.0

        return self._attempt(read, 0.0, writes=False)

    def pause(self, source: str, now: float, retry_after: float | None) -> float:
        """Leave `source` alone from `now` on, in every process; returns until when."""

        def write(db: sqlite3.Connection) -> float:
            row = db.execute("SELECT refusals FROM pauses WHERE source=?", (source,)).fetchone()
            refusals = min(row[0], 32) if row else 0
            until = now + max(min(FIRST_PAUSE * 2**refusals, LONGEST_PAUSE), retry_after or 0.0)
            db.execute("INSERT OR REPLACE INTO pauses VALUES (?, ?, ?)", (source, until, refusals + 1))
            return until

        return self._attempt(write, now, writes=True)

    def resume(self, source: str) -> None:
        """Forget the pauses of a source that answered."""
        self._attempt(lambda db: db.execute("DELETE FROM pauses WHERE source=?", (source,)), None, writes=True)

    def _attempt(self, work: Callable[[sqlite3.Connection], Any], otherwise: Any, *, writes: bool) -> Any:
        """`work` on an open file; `otherwise`, once there is trouble or (for reading) no file yet."""
        if self.trouble or not (writes or self.path.exists()):
            return otherwise
        try:
            with self._writing() if writes else self._open() as db:
                return work(db)
        except (sqlite3.Error, OSError, CacheTrouble) as error:
            self._give_up(error)
            return otherwise

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.path, timeout=LOCK_TIMEOUT, isolation_level=None)) as db:
            db.execute("PRAGMA trusted_schema=OFF")
            self._check_ours(db)
            yield db

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        self._create()
        with closing(sqlite3.connect(self.path, timeout=LOCK_TIMEOUT, isolation_level=None)) as db:
            db.execute("PRAGMA trusted_schema=OFF")
            db.execute("PRAGMA synchronous=FULL")
            db.execute("BEGIN IMMEDIATE")
            try:
                if not self._check_ours(db):
                    self._lay_out(db)
                yield db
                db.execute("COMMIT")
            except BaseException:
                # A full disk has rolled back already.
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    def _create(self) -> None:
        """Make the folder and an empty file that only this user can read."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))

    def _check_ours(self, db: sqlite3.Connection) -> bool:
        """Whether the file is laid out; raises `CacheTrouble` for another program's or a later version's."""
        version = db.execute("PRAGMA user_version").fetchone()[0]
        owner = db.execute("PRAGMA application_id").fetchone()[0]
        if owner == APPLICATION_ID and version == SCHEMA:
            return True
        if owner == APPLICATION_ID and version > SCHEMA:
            raise CacheTrouble("it was written by a later version of pairwatch")
        if owner or version or db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
            raise CacheTrouble("it belongs to another program")
        if not db.in_transaction:
            # Another process has created the file and not yet laid it out: there is nothing to read.
            self._lay_out_now(db)
        return False

    def _lay_out_now(self, db: sqlite3.Connection) -> None:
        db.execute("BEGIN IMMEDIATE")
        try:
            if not self._check_ours(db):
                self._lay_out(db)
        finally:
            db.execute("COMMIT")

    @staticmethod
    def _lay_out(db: sqlite3.Connection) -> None:
        for statement in _TABLES.split(";"):
            db.execute(statement)
        db.execute(f"PRAGMA application_id={APPLICATION_ID}")
        db.execute(f"PRAGMA user_version={SCHEMA}")

    def _give_up(self, error: Exception) -> None:
        """Remember why, and put a damaged file aside."""
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _DAMAGE or isinstance(error, _Damaged):
            self.trouble = f"the price cache is damaged ({clean(error)}); {self._put_aside()}; going on without it"
        else:
            self.trouble = f"the price cache {self.path} cannot be used ({clean(error)}); going on without it"

    def _put_aside(self) -> str:
        """Rename the damaged file, so that the next run starts a new one; never delete it."""
        aside = self.path.with_name(f"{FILE_NAME}.damaged-{time.time_ns()}")
        try:
            with self._alone():
                if self._is_sound():
                    return "another process has put it aside"
                self.path.rename(aside)
                journal = self.path.with_name(f"{FILE_NAME}-journal")
                if journal.exists():
                    journal.rename(aside.with_name(f"{aside.name}-journal"))
        except OSError as error:
            return f"it could not be put aside ({clean(error.strerror)})"
        return f"put aside as {aside.name}"

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time judges and renames."""
        import fcntl  # noqa: PLC0415 - not on every platform, and for damage only

        with (self.path.parent / f"{FILE_NAME}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _is_sound(self) -> bool:
        """Whether every row can be read and agrees with its checksum."""
        try:
            with self._open() as db:
                rows = db.execute(f"SELECT source, symbol, {_COLUMNS}, checksum FROM legs").fetchall()  # noqa: S608
                for row in rows:
                    _unpack(Leg(row[0], row[1]), row[2:])
                return bool(db.execute("PRAGMA quick_check").fetchone()[0] == "ok")
        except (sqlite3.Error, CacheTrouble):
            return False


class _Damaged(CacheTrouble):
    """A row that does not agree with its checksum."""


def _key(leg: Leg) -> tuple[str, str]:
    return leg.source, leg.symbol


def _pack(held: Holding) -> tuple[Any, ...]:
    """The columns of a row, the checksum last."""
    series = held.series
    row = (
        _day_bytes(series.dates),
        series.closes.astype("<f8").tobytes(),
        _day_bytes(held.holes),
        json.dumps([[int(e.day.astype("i8")), e.kind, e.value] for e in series.events]),
        json.dumps(asdict(series.facts)),
        json.dumps(asdict(series.quote) if series.quote else None),
        held.asked_at,
        held.fresh_until,
        held.reconciled_at,
    )
    return *row, _checksum(row)


def _unpack(leg: Leg, row: tuple[Any, ...]) -> Holding:
    """The holding of a row; raises `_Damaged` if anything in it has changed since it was written."""
    *values, checksum = row
    if _checksum(tuple(values)) != checksum:
        raise _Damaged(f"checksum of {leg}")
    days, closes, holes, events, facts, quote, asked_at, fresh_until, reconciled_at = values
    quoted = json.loads(quote)
    series = Series(
        leg,
        _days(days),
        np.frombuffer(closes, "<f8"),
        tuple(Event(np.datetime64(day, "D"), kind, value) for day, kind, value in json.loads(events)),
        Facts(**json.loads(facts)),
        quoted and Quote(**quoted),
    )
    return Holding(series, asked_at, fresh_until, reconciled_at, _days(holes))


def _checksum(values: tuple[Any, ...]) -> int:
    """CRC-32 of everything in a row, lengths included."""
    crc = 0
    for value in values:
        data = value if isinstance(value, bytes) else repr(value).encode()
        crc = zlib.crc32(data, zlib.crc32(b"%d:" % len(data), crc))
    return crc


def _day_bytes(days: Days) -> bytes:
    return days.astype("datetime64[D]").astype("i8").astype("<i4").tobytes()


def _days(data: bytes) -> Days:
    return np.frombuffer(data, "<i4").astype("i8").astype("datetime64[D]")


def _entry(leg: Leg, row: tuple[Any, ...]) -> Entry:
    held = _unpack(leg, row)
    size = sum(len(value) for value in row if isinstance(value, (bytes, str)))
    dates = held.series.dates
    return Entry(leg, len(dates), dates[0], dates[-1], held.asked_at, held.fresh_until, size)
