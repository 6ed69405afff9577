"""The price cache: one SQLite file, a row a leg, safe to share between processes and to lose.

Raw closes and events are kept, never adjusted prices. Each row has a checksum; it covers the leg's name, because a
damaged index can lead to another row.

A cache that cannot be used never fails a run: `Cache.trouble` then says why, and the run goes on without it.

It also keeps what processes must know of each other to be polite: which source wants to be left alone (`pauses`), when
each may be asked the next time (`turns`), and which symbols it does not know (`unknown`).
"""

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

from pairwatch import database, packing
from pairwatch.database import FAILURES, Damaged, Database, NothingYet, Outdated, checksum, is_damage
from pairwatch.errors import DatabaseTrouble, UsageError
from pairwatch.model import Holding, Leg, Series
from pairwatch.text import clean

T = TypeVar("T")

FILE_NAME = "prices.db"
# "pwch" in ASCII: tells our files from other programs'.
APPLICATION_ID = 0x70776368

# How long a source that throttles is left alone: doubled at each refusal in a row.
FIRST_PAUSE, LONGEST_PAUSE = 15 * 60.0, 6 * 3600.0
# What a source may ask for at most. A pause that ends later was written under a clock that has been set back.
LONGEST_BAN = 24 * 3600.0
# What a source that says how long it wants to be left alone gets at least.
SHORTEST_PAUSE = 1.0
# How long it is remembered that a source does not know a symbol: this evening's runs ask once, tomorrow's again.
UNKNOWN_FOR = 12 * 3600.0
_LONGEST_WORDS = 500
# No turn is given out that has to be waited for longer, however patient who asks for it is.
LONGEST_QUEUE = 3600.0

_STEPS = (
    """
CREATE TABLE legs (
    source TEXT NOT NULL, symbol TEXT NOT NULL,
    days BLOB NOT NULL, closes BLOB NOT NULL, holes BLOB NOT NULL, events TEXT NOT NULL,
    facts TEXT NOT NULL, quote TEXT NOT NULL,
    asked_at REAL NOT NULL, fresh_until REAL NOT NULL, reconciled_at REAL NOT NULL,
    checksum INTEGER NOT NULL,
    PRIMARY KEY (source, symbol)
);
CREATE TABLE pauses (source TEXT PRIMARY KEY, until REAL NOT NULL, refusals INTEGER NOT NULL);
""",
    "CREATE TABLE turns (source TEXT PRIMARY KEY, due REAL NOT NULL);",
    """
CREATE TABLE unknown (
    source TEXT NOT NULL, symbol TEXT NOT NULL, asked_at REAL NOT NULL, message TEXT NOT NULL, hint TEXT NOT NULL,
    PRIMARY KEY (source, symbol)
);
""",
)
_COLUMNS = "days, closes, holes, events, facts, quote, asked_at, fresh_until, reconciled_at, checksum"
_OF_LEG = "WHERE source=? AND symbol=?"
_PAUSE = "SELECT until, refusals FROM pauses WHERE source=? AND typeof(until)='real' AND typeof(refusals)='integer'"
_UNKNOWN = (
    "SELECT asked_at, message, hint FROM unknown WHERE source=? AND symbol=? "
    "AND typeof(asked_at)='real' AND typeof(message)='text' AND typeof(hint)='text'"
)
_TURN = "SELECT due FROM turns WHERE source=? AND typeof(due)='real'"
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


class Unknown(NamedTuple):
    """What a source said of a symbol that it does not know, and when it was asked, in Unix seconds."""

    asked_at: float
    message: str
    hint: str


class Cache:
    """The cache file at `path`, opened for each operation and closed before it returns.

    Threads may share it: one works with the file at a time, because closing a descriptor that is not SQLite's (see
    `_at_rest`) drops the locks of every thread.

    Attributes:
        trouble: why the file is not used any more in this process; empty as long as it is.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.trouble = ""
        self._file = Database(path, APPLICATION_ID, _STEPS)
        # Also kept here, so that a run without a usable file does not ask a source that has just refused.
        self._pauses: dict[str, float] = {}
        self._turns: dict[str, float] = {}
        self._lock = threading.RLock()

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
            db.execute("DELETE FROM unknown WHERE ? IS NULL OR (source=? AND symbol=?)", _names(leg))
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

        with self._lock:
            until = self._attempt(write, now + _length(1, retry_after), writes=True)
            self._pauses[source] = until
        return until

    def resume(self, source: str) -> None:
        """Forget the pauses of a source that answered."""
        with self._lock:
            self._pauses.pop(source, None)
            self._attempt(
                lambda db: db.execute("DELETE FROM pauses WHERE source=?", (source,)).rowcount, 0, writes=True
            )

    def unknown(self, leg: Leg, now: float) -> Unknown | None:
        """What was said of a leg that its source does not know, unless that is too long ago."""

        def read(db: sqlite3.Connection) -> Unknown | None:
            row = db.execute(_UNKNOWN, _key(leg)).fetchone()
            return Unknown(row[0], *(clean(words, _LONGEST_WORDS) for words in row[1:])) if row else None

        found = self._attempt(read, None, writes=False)
        return found if found and 0 <= now - found.asked_at < UNKNOWN_FOR else None

    def remember_unknown(self, leg: Leg, said: Unknown) -> None:
        """Keep what a source said of a leg that it does not know; what is too old is forgotten."""

        def write(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM unknown WHERE asked_at < ?", (said.asked_at - UNKNOWN_FOR,))
            db.execute("INSERT OR REPLACE INTO unknown VALUES (?, ?, ?, ?, ?)", (*_key(leg), *said))

        self._attempt(write, None, writes=True)

    def turn(self, source: str, now: float, gap: float, burst: int = 1, patience: float = LONGEST_QUEUE) -> float:
        """How many seconds to wait from `now` on until `source` may be asked.

        All processes together ask every `gap` seconds in the long run, and after a rest `burst` times at once. The
        turn is taken, unless its wait is longer than `patience`, or than `LONGEST_QUEUE`; one that is taken and not
        used is lost.
        """
        if gap <= 0:
            return 0.0

        def write(db: sqlite3.Connection) -> tuple[float, float]:
            (due,) = db.execute(_TURN, (source,)).fetchone() or (0.0,)
            wait, due = _queued(due, now, gap, burst, patience)
            db.execute("INSERT OR REPLACE INTO turns VALUES (?, ?)", (source, due))
            return wait, due

        with self._lock:
            alone = _queued(self._turns.get(source, 0.0), now, gap, burst, patience)
            wait, self._turns[source] = self._attempt(write, alone, writes=True)
        return wait

    def _attempt(
        self, work: Callable[[sqlite3.Connection], T], otherwise: T, *, writes: bool, creates: bool = True
    ) -> T:
        """`work` on an open file; `otherwise`, once there is trouble, or where no file is and none may be created."""
        with self._lock:
            if self.trouble:
                return otherwise
            try:
                if not (writes and creates) and not self._file.is_there():
                    return otherwise
                with self._open(writes=writes) as db:
                    return work(db)
            except NothingYet:
                return otherwise
            except (*FAILURES, OSError) as error:
                self._give_up(error)
                return otherwise

    @contextmanager
    def _open(self, *, writes: bool) -> Iterator[sqlite3.Connection]:
        """The file, brought up to this version's schema where an earlier version has laid it out."""
        if not writes:
            with suppress(Outdated), self._file.reading() as db:
                yield db
                return
        with self._file.writing(upgrades=True) as db:
            yield db

    def _give_up(self, error: Exception) -> None:
        """Remember why, and put a damaged file aside."""
        if is_damage(error):
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
            for patience in range(int(database.LOCK_TIMEOUT * 10), -1, -1):
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
            with self._file.reading() as db:
                for row in db.execute(f"SELECT source, symbol, {_COLUMNS} FROM legs NOT INDEXED"):  # noqa: S608 - constants
                    _entry(row)
                return bool(db.execute("PRAGMA integrity_check(1)").fetchone()[0] == "ok")
        except FAILURES as error:
            if is_damage(error):
                return False
            if isinstance(error, DatabaseTrouble):
                # Of an earlier schema: what was met is still there, and cannot be brought up.
                return not isinstance(error, Outdated)
            raise


def _length(refusals: int, retry_after: float | None) -> float:
    """How long the pause after so many refusals in a row is, in seconds.

    What the source asks for is where the doubling begins; it is never less than what the source asks for this time.
    """
    # Below zero, or not a number, is no wish.
    wish = max(retry_after, SHORTEST_PAUSE) if retry_after is not None and retry_after >= 0 else 0.0
    doubled = min((wish or FIRST_PAUSE) * 2.0 ** (refusals - 1), LONGEST_PAUSE)
    return min(max(doubled, wish), LONGEST_BAN)


def _queued(due: float, now: float, gap: float, burst: int, patience: float) -> tuple[float, float]:
    """The wait for the next turn, and when the one after it is due: the generic cell rate algorithm.

    `due` is when the next turn would be due if there were no bursts; one in the past is of a source that has rested.
    """
    burst = max(burst, 1)
    # Where nobody waits longer than that, nothing is due later than this: it was given out before a clock was set back.
    latest = now + LONGEST_QUEUE + burst * gap
    due = max(due, now) if due <= latest else now
    wait = max(0.0, due - (burst - 1) * gap - now)
    return wait, due + gap if wait <= min(patience, LONGEST_QUEUE) else due


def _key(leg: Leg) -> tuple[str, str]:
    return leg.source, leg.symbol


def _names(leg: Leg | None) -> tuple[str | None, str | None, str | None]:
    return (leg.source, *_key(leg)) if leg else (None, None, None)


def _held(db: sqlite3.Connection, leg: Leg) -> Holding | None:
    """The leg's row; raises `Damaged` also for a row that is in the table but not in its index."""
    row = db.execute(f"SELECT {_COLUMNS} FROM legs {_OF_LEG}", _key(leg)).fetchone()  # noqa: S608 - constants
    if row:
        return _unpack(leg, row)
    if db.execute(f"SELECT 1 FROM legs NOT INDEXED {_OF_LEG}", _key(leg)).fetchone():  # noqa: S608 - constants
        raise Damaged(f"index of {leg}")
    return None


def _pack(leg: Leg, held: Holding) -> tuple[Any, ...]:
    """A row, the checksum last."""
    series = held.series
    row = (
        *_key(leg),
        packing.day_bytes(series.dates),
        packing.close_bytes(series.closes),
        packing.day_bytes(held.holes),
        packing.events_text(series.events),
        packing.facts_text(series.facts),
        packing.quote_text(series.quote),
        # As SQLite will give them back, or the checksum would differ.
        float(held.asked_at),
        float(held.fresh_until),
        float(held.reconciled_at),
    )
    return *row, checksum(row)


def _unpack(leg: Leg, row: tuple[Any, ...]) -> Holding:
    """The holding of a row; raises `Damaged` if anything in it has changed since it was written."""
    *values, written = row
    if checksum((*_key(leg), *values)) != written:
        raise Damaged(f"checksum of {leg}")
    days, closes, holes, events, facts, quote, asked_at, fresh_until, reconciled_at = values
    series = Series(
        leg,
        packing.days_of(days),
        packing.closes_of(closes),
        packing.events_of(events),
        packing.facts_of(facts),
        packing.quote_of(quote),
    )
    return Holding(series, asked_at, fresh_until, reconciled_at, packing.days_of(holes))


def _entry(row: tuple[Any, ...]) -> Entry:
    """The entry of a row that begins with its key; raises `Damaged` as `_unpack` does."""
    try:
        leg = Leg(row[0], row[1])
    except (UsageError, TypeError):
        raise Damaged("name of a leg") from None
    held = _unpack(leg, row[2:])
    size = sum(len(value) for value in row[2:] if isinstance(value, (bytes, str)))
    dates = held.series.dates
    return Entry(leg, len(dates), dates[0], dates[-1], held.asked_at, held.fresh_until, size)
