"""The price cache: one SQLite file, a row a leg, safe to share between processes and to lose.

Raw closes and events are kept, never adjusted prices. Rollback journal and immediate transactions, because
write-ahead logging can corrupt the file in most deployed SQLite versions when two processes write, and a deferred
transaction that turns into a write cannot wait for its lock. Each row has a checksum, because SQLite's own check
does not see a flipped bit inside a value; it covers the leg's name, because a damaged index can lead to another row.

A cache that cannot be used never fails a run: `Cache.trouble` then says why, and the run goes on without it.
"""

import json
import os
import sqlite3
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

from pairwatch.errors import CacheTrouble, UsageError
from pairwatch.model import Days, Event, Facts, Holding, Leg, Quote, Series
from pairwatch.text import clean

T = TypeVar("T")

FILE_NAME = "prices.db"
SCHEMA = 1
# "pwch" in ASCII: tells our files from other programs'.
APPLICATION_ID = 0x70776368
LOCK_TIMEOUT = 10.0

# How long a source that throttles is left alone: doubled at each refusal in a row.
FIRST_PAUSE, LONGEST_PAUSE = 15 * 60.0, 6 * 3600.0
# What a source may ask for at most. A pause that ends later was written under a clock that has been set back.
LONGEST_BAN = 24 * 3600.0

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
_COLUMNS = "days, closes, holes, events, facts, quote, asked_at, fresh_until, reconciled_at, checksum"
_OF_LEG = "WHERE source=? AND symbol=?"
_PAUSE = "SELECT until, refusals FROM pauses WHERE source=? AND typeof(until)='real' AND typeof(refusals)='integer'"
# An SQL error (SQLITE_ERROR) can only be a damaged schema: the statements are fixed, and the version has been checked.
_DAMAGE = (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
# The bytes on which SQLite holds its POSIX locks (sqlite.org/src/file/src/os.h: PENDING_BYTE to the end of SHARED).
_LOCK_BYTES, _LOCK_START = 512, 0x40000000


class Entry(NamedTuple):
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
        # Also kept here, so that a run without a usable file does not ask a source that has just refused.
        self._pauses: dict[str, float] = {}

    def get(self, leg: Leg) -> Holding | None:
        """What is held of `leg`, or None."""
        return self._attempt(lambda db: _held(db, leg), None, writes=False)

    def update(self, leg: Leg, change: Callable[[Holding | None], Holding]) -> Holding:
        """Replace what is held of `leg` by `change` of it, in one transaction, and return the new holding.

        `change` sees what is held at that instant, also if another process has just written it, and is called once.
        What it raises leaves the file as it was. Without a usable file the result is that of `change(None)`, or of
        what could be read where only writing failed.
        """
        made: list[Holding] = []

        def write(db: sqlite3.Connection) -> None:
            held = _held(db, leg)
            new = change(held)
            made.append(new)
            if new is not held:
                marks = ", ".join("?" * 12)
                db.execute(f"INSERT OR REPLACE INTO legs VALUES ({marks})", _pack(leg, new))  # noqa: S608 - marks only

        self._attempt(write, None, writes=True)
        return made[0] if made else change(None)

    def entries(self) -> list[Entry]:
        """All legs that are held, in alphabetical order."""

        def read(db: sqlite3.Connection) -> list[Entry]:
            rows = db.execute(f"SELECT source, symbol, {_COLUMNS} FROM legs ORDER BY 1, 2")  # noqa: S608 - constants
            return [_entry(row) for row in rows]

        return self._attempt(read, [], writes=False)

    def clear(self, leg: Leg | None = None) -> int:
        """Forget one leg, or all; returns how many were forgotten."""

        def write(db: sqlite3.Connection) -> int:
            if leg:
                return db.execute(f"DELETE FROM legs {_OF_LEG}", _key(leg)).rowcount  # noqa: S608 - a constant
            return db.execute("DELETE FROM legs").rowcount

        return self._attempt(write, 0, writes=True, creates=False)

    def paused_until(self, source: str) -> float:
        """Until when `source` asked to be left alone, in Unix seconds; 0 if it did not."""

        def read(db: sqlite3.Connection) -> float:
            row = db.execute(_PAUSE, (source,)).fetchone()
            return float(row[0]) if row else 0.0

        return self._attempt(read, self._pauses.get(source, 0.0), writes=False)

    def pause(self, source: str, now: float, retry_after: float | None) -> float:
        """Leave `source` alone from `now` on, in every process; returns until when.

        Refusals while it should have been left alone are one refusal: processes that asked at the same instant.
        """

        def write(db: sqlite3.Connection) -> float:
            known, refusals = db.execute(_PAUSE, (source,)).fetchone() or (0.0, 0)
            in_force = now < known <= now + LONGEST_BAN
            refusals = min(max(refusals, 0), 32) + (not in_force or not refusals)
            until = max(now + _length(refusals, retry_after), known if in_force else 0.0)
            db.execute("INSERT OR REPLACE INTO pauses VALUES (?, ?, ?)", (source, until, refusals))
            return until

        until = self._attempt(write, now + _length(1, retry_after), writes=True)
        self._pauses[source] = until
        return until

    def resume(self, source: str) -> None:
        """Forget the pauses of a source that answered."""
        self._pauses.pop(source, None)
        self._attempt(lambda db: db.execute("DELETE FROM pauses WHERE source=?", (source,)).rowcount, 0, writes=True)

    def _attempt(
        self, work: Callable[[sqlite3.Connection], T], otherwise: T, *, writes: bool, creates: bool = True
    ) -> T:
        """`work` on an open file; `otherwise`, once there is trouble, or where no file is and none may be created."""
        if self.trouble:
            return otherwise
        try:
            if not (writes and creates) and not self._is_there():
                return otherwise
            with self._writing() if writes else self._reading() as db:
                return work(db)
        except _NothingYet:
            return otherwise
        except (*_FAILURES, OSError) as error:
            self._give_up(error)
            return otherwise

    def _is_there(self) -> bool:
        """Whether there is a file; unlike `Path.exists` this raises where its folder is none."""
        try:
            self.path.stat()
        except FileNotFoundError:
            return False
        return True

    def _connect(self) -> sqlite3.Connection:
        """A connection to the file, which must exist: SQLite would create it for others to read."""
        where = f"{self.path.absolute().as_uri()}?mode=rw"
        db = sqlite3.connect(where, uri=True, timeout=LOCK_TIMEOUT, isolation_level=None)
        db.execute("PRAGMA trusted_schema=OFF")
        return db

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """One state of the file for all that is read; raises `_NothingYet` for a file that is not laid out."""
        with closing(self._connect()) as db:
            db.execute("BEGIN")
            try:
                if not self._check_ours(db):
                    raise _NothingYet("it is not laid out yet")
                yield db
            finally:
                # Closing alone would wait for cursors that a traceback still holds.
                if db.in_transaction:
                    db.execute("ROLLBACK")

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        self._create()
        with closing(self._connect()) as db:
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
        """Make the folder, and an empty file that only this user can read.

        An existing file is not opened: closing it again would drop the locks that SQLite holds in another thread.
        """
        if not self.path.exists():
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))

    def _check_ours(self, db: sqlite3.Connection) -> bool:
        """Whether the file is laid out; raises `CacheTrouble` for another program's or a later version's.

        Within a transaction: another process may be laying it out.
        """
        version = db.execute("PRAGMA user_version").fetchone()[0]
        owner = db.execute("PRAGMA application_id").fetchone()[0]
        if owner == APPLICATION_ID and version == SCHEMA:
            return True
        if owner == APPLICATION_ID and version > SCHEMA:
            raise CacheTrouble("it was written by a later version of pairwatch")
        if owner or version or db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
            raise CacheTrouble("it belongs to another program")
        return False

    @staticmethod
    def _lay_out(db: sqlite3.Connection) -> None:
        for statement in _TABLES.split(";"):
            db.execute(statement)
        db.execute(f"PRAGMA application_id={APPLICATION_ID}")
        db.execute(f"PRAGMA user_version={SCHEMA}")

    def _give_up(self, error: Exception) -> None:
        """Remember why, and put a damaged file aside."""
        if _is_damage(error):
            self.trouble = f"the price cache is damaged ({clean(error)}); {self._put_aside()}; going on without it"
        else:
            self.trouble = f"the price cache {self.path} cannot be used ({clean(error)}); going on without it"

    def _put_aside(self) -> str:
        """Rename the damaged file, so that the next run starts a new one; never delete it."""
        aside = self.path.with_name(f"{FILE_NAME}.damaged-{time.time_ns()}")
        try:
            with self._at_rest() as is_it:
                if not is_it:
                    return "another process has put it aside"
                # A journal left behind does no harm: SQLite throws it away when it meets it beside a new file.
                self.path.rename(aside)
        except FileNotFoundError:
            return "another process has put it aside"
        except (OSError, sqlite3.Error) as error:
            return f"it could not be put aside ({clean(getattr(error, 'strerror', None) or error)})"
        return f"put aside as {aside.name}"

    @contextmanager
    def _at_rest(self) -> Iterator[bool]:
        """Keep every process out of the file for a while; false if it is sound, or another one by now.

        Renaming a file in the middle of a transaction would leave its journal to the next one, so the locks that
        SQLite itself takes are held meanwhile. Windows does not rename open files.
        """
        try:
            import fcntl  # noqa: PLC0415 - not on every platform, and for damage only
        except ImportError:
            yield not self._is_sound()
            return
        with self.path.open("r+b") as file:
            if self._is_sound():
                yield False
                return
            # Only now: closing SQLite's own descriptor above would have dropped the lock.
            for patience in range(int(LOCK_TIMEOUT * 10), -1, -1):
                try:
                    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, _LOCK_BYTES, _LOCK_START)
                    break
                except BlockingIOError:
                    if not patience:
                        raise
                    time.sleep(0.1)
            yield os.path.samestat(os.fstat(file.fileno()), self.path.stat())

    def _is_sound(self) -> bool:
        """Whether every row can be read and agrees with its checksum; another program's file is none of ours."""
        try:
            with self._reading() as db:
                for row in db.execute(f"SELECT source, symbol, {_COLUMNS} FROM legs NOT INDEXED"):  # noqa: S608 - constants
                    _entry(row)
                return bool(db.execute("PRAGMA integrity_check(1)").fetchone()[0] == "ok")
        except _FAILURES as error:
            if _is_damage(error):
                return False
            if isinstance(error, CacheTrouble):
                return True
            raise


class _Damaged(CacheTrouble):
    """A row that does not agree with its checksum, or that the index has lost."""


class _NothingYet(CacheTrouble):
    """A file that has been created and not yet laid out."""


# A damaged schema can put bytes that are no text into SQLite's own messages.
_FAILURES = (sqlite3.Error, UnicodeDecodeError, CacheTrouble)


def _is_damage(error: Exception) -> bool:
    """Whether the content of the file is at fault; not the disk, the rights or another process."""
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", None)
        # The one error without a code is Python's own: a text that is not UTF-8.
        return code is None or code & 0xFF in _DAMAGE
    return isinstance(error, (_Damaged, UnicodeDecodeError))


def _length(refusals: int, retry_after: float | None) -> float:
    """How long the pause after so many refusals in a row is, in seconds."""
    usual = min(FIRST_PAUSE * 2.0 ** (refusals - 1), LONGEST_PAUSE)
    return min(max(usual, retry_after or 0.0), LONGEST_BAN)


def _key(leg: Leg) -> tuple[str, str]:
    return leg.source, leg.symbol


def _held(db: sqlite3.Connection, leg: Leg) -> Holding | None:
    """The leg's row; raises `_Damaged` also for a row that is in the table but not in its index."""
    row = db.execute(f"SELECT {_COLUMNS} FROM legs {_OF_LEG}", _key(leg)).fetchone()  # noqa: S608 - constants
    if row:
        return _unpack(leg, row)
    if db.execute(f"SELECT 1 FROM legs NOT INDEXED {_OF_LEG}", _key(leg)).fetchone():  # noqa: S608 - constants
        raise _Damaged(f"index of {leg}")
    return None


def _pack(leg: Leg, held: Holding) -> tuple[Any, ...]:
    """A row, the checksum last."""
    series = held.series
    row = (
        *_key(leg),
        _day_bytes(series.dates),
        series.closes.astype("<f8").tobytes(),
        _day_bytes(held.holes),
        json.dumps([[int(e.day.astype("datetime64[D]").astype("i8")), e.kind, e.value] for e in series.events]),
        json.dumps(asdict(series.facts)),
        json.dumps(asdict(series.quote) if series.quote else None),
        # As SQLite will give them back, or the checksum would differ.
        float(held.asked_at),
        float(held.fresh_until),
        float(held.reconciled_at),
    )
    return *row, _checksum(row)


def _unpack(leg: Leg, row: tuple[Any, ...]) -> Holding:
    """The holding of a row; raises `_Damaged` if anything in it has changed since it was written."""
    *values, checksum = row
    if _checksum((*_key(leg), *values)) != checksum:
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


def _entry(row: tuple[Any, ...]) -> Entry:
    """The entry of a row that begins with its key; raises `_Damaged` as `_unpack` does."""
    try:
        leg = Leg(row[0], row[1])
    except (UsageError, TypeError):
        raise _Damaged("name of a leg") from None
    held = _unpack(leg, row[2:])
    size = sum(len(value) for value in row[2:] if isinstance(value, (bytes, str)))
    dates = held.series.dates
    return Entry(leg, len(dates), dates[0], dates[-1], held.asked_at, held.fresh_until, size)
