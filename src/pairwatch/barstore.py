"""The bars that were fetched, kept: providers forget them after weeks, and a cron that asks in time does not.

One SQLite file beside the price cache, under the same rules: a row a leg and an interval, packed arrays, a checksum
that covers the name. One that cannot be used never fails a run, and neither does a row that is not as it was written:
`BarStore.trouble` says why. Neither is put aside or written over, since what they hold cannot be fetched again: whoever
reads the note decides.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeVar

import numpy as np

from pairwatch import packing
from pairwatch.bars import Bars, Gathered, Interval, session_days
from pairwatch.database import FAILURES, Damaged, Database, NothingYet, checksum, is_damage
from pairwatch.errors import UsageError
from pairwatch.model import Leg
from pairwatch.text import clean

T = TypeVar("T")

FILE_NAME = "bars.db"
# "pwbr" in ASCII.
APPLICATION_ID = 0x70776272

_STEPS = (
    """
CREATE TABLE bars (
    source TEXT NOT NULL, symbol TEXT NOT NULL, interval TEXT NOT NULL,
    times BLOB NOT NULL, prices BLOB NOT NULL, facts TEXT NOT NULL,
    asked_at REAL NOT NULL, fresh_until REAL NOT NULL,
    checksum INTEGER NOT NULL,
    PRIMARY KEY (source, symbol, interval)
);
""",
)
_SELECT = "SELECT times, prices, facts, asked_at, fresh_until, checksum FROM bars"
_OF_LEG = "WHERE source=? AND symbol=? AND interval=?"


class Entry(NamedTuple):
    """What is held of a leg and an interval: how many bars, of which sessions, and how much room they take."""

    leg: Leg
    interval: Interval
    bars: int
    first: np.datetime64
    last: np.datetime64
    asked_at: float
    fresh_until: float
    bytes: int


class Broken(Damaged):
    """A row that is not as it was written, or that nothing can be made of here; the others are none the worse."""


class BarStore:
    """The file at `path`, opened for each operation and closed before it returns.

    Attributes:
        trouble: why the file, or a leg's row of it, is not used in this process, one line each.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.trouble: list[str] = []
        self._file = Database(path, APPLICATION_ID, _STEPS)
        self._is_lost = False

    @classmethod
    def beside(cls, prices: Path) -> Self:
        """The store in the folder of a price cache."""
        return cls(prices.with_name(FILE_NAME))

    def get(self, leg: Leg, interval: Interval) -> Gathered | None:
        """What is held of a leg, or None."""

        def read() -> Gathered | None:
            if not self._file.is_there():
                return None
            with self._file.reading() as db:
                return _held(db, leg, interval)

        return self._attempt(read, None)

    def update(self, leg: Leg, interval: Interval, change: Callable[[Gathered | None], Gathered]) -> Gathered:
        """Replace what is held by `change` of it, in one transaction, and return the new holding.

        Without a usable file it is that of `change(None)`. A broken row stays as it is.
        """

        def write() -> Gathered:
            with self._file.writing(upgrades=True) as db:
                new = change(_held(db, leg, interval))
                db.execute("INSERT OR REPLACE INTO bars VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", _packed(new))
                return new

        return self._attempt(write, None) or change(None)

    def entries(self) -> list[Entry]:
        """Everything that is held, in alphabetical order; a broken row is trouble, and left out."""

        def read() -> list[Entry]:
            if not self._file.is_there():
                return []
            with self._file.reading() as db:
                rows = db.execute("SELECT source, symbol, interval FROM bars ORDER BY 1, 2, 3").fetchall()
                found = [self._entry(db, key) for key in rows]
            return [entry for entry in found if entry]

        return self._attempt(read, [])

    def _entry(self, db: sqlite3.Connection, key: tuple[Any, ...]) -> Entry | None:
        try:
            leg, interval = _named(key)
            held = _held(db, leg, interval)
        except Broken as error:
            self._note(error)
            return None
        if held is None or not len(held.bars):
            return None
        bars, size = held.bars, sum(len(value) for value in _packed(held) if isinstance(value, (bytes, str)))
        return Entry(
            leg, interval, len(bars), bars.sessions[0], bars.sessions[-1], held.asked_at, held.fresh_until, size
        )

    def clear(self, leg: Leg | None = None) -> int:
        """Forget the bars of one leg, of all intervals and also broken ones, or of all; how many rows there were."""

        def write() -> int:
            if not self._file.is_there():
                return 0
            with self._file.writing(upgrades=True) as db:
                if leg is None:
                    return db.execute("DELETE FROM bars").rowcount
                return db.execute("DELETE FROM bars WHERE source=? AND symbol=?", (leg.source, leg.symbol)).rowcount

        return self._attempt(write, 0)

    def _attempt(self, work: Callable[[], T], otherwise: T) -> T:
        if self._is_lost:
            return otherwise
        try:
            return work()
        except NothingYet:
            return otherwise
        except Broken as error:
            self._note(error)
            return otherwise
        except (*FAILURES, OSError) as error:
            self._is_lost = True
            remedy = "; move it away to begin a new one" if is_damage(error) else ""
            self.trouble.append(
                f"the store of bars {self.path} cannot be used ({clean(error)}); going on without it{remedy}"
            )
            return otherwise

    def _note(self, error: Broken) -> None:
        if (text := f"{error.message}; {error.hint}") not in self.trouble:
            self.trouble.append(text)


def _named(key: tuple[Any, ...]) -> tuple[Leg, Interval]:
    """The leg and the interval of a row's key; raises `Broken` for what is none."""
    try:
        return Leg(key[0], key[1]), Interval.parse(key[2])
    except (UsageError, TypeError, AttributeError):
        raise Broken("kept bars of no leg cannot be used", "pairwatch cache clear --bars forgets all of them") from None


def _held(db: sqlite3.Connection, leg: Leg, interval: Interval) -> Gathered | None:
    """The row of a leg.

    Raises:
        Broken: it is not as it was written, or nothing can be made of it here: a zone that this machine has not.
        Damaged: the index has lost it.
    """
    key = (leg.source, leg.symbol, interval.text)
    row = db.execute(f"{_SELECT} {_OF_LEG}", key).fetchone()
    if row is None:
        if db.execute(f"{_SELECT} NOT INDEXED {_OF_LEG}", key).fetchone():
            raise Damaged(f"index of {leg}")
        return None
    *values, written = row
    if checksum((*key, *values)) != written:
        raise _broken(leg, interval, "checksum")
    try:
        return _unpacked(leg, interval, *values)
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, OSError) as error:
        raise _broken(leg, interval, clean(error)) from error


def _unpacked(leg: Leg, interval: Interval, *values: Any) -> Gathered:
    times, prices, facts, asked_at, fresh_until = values
    known, instants = packing.facts_of(facts), np.frombuffer(times, "<i8")
    # Clocks are put back over midnight in some zones.
    days = np.maximum.accumulate(session_days(instants - 1, known.timezone))
    bars = Bars(leg, interval, instants, packing.closes_of(prices), days, known)
    return Gathered(bars, float(asked_at), float(fresh_until))


def _broken(leg: Leg, interval: Interval, why: str) -> Broken:
    return Broken(
        f"the bars of {interval} kept of {leg} cannot be used ({why}); going on without them",
        f"pairwatch cache clear {leg} forgets them",
    )


def _packed(found: Gathered) -> tuple[Any, ...]:
    """A row, the checksum last."""
    bars = found.bars
    row = (
        bars.leg.source,
        bars.leg.symbol,
        bars.interval.text,
        bars.times.astype("<i8").tobytes(),
        packing.close_bytes(bars.prices),
        packing.facts_text(bars.facts),
        # As SQLite will give them back, or the checksum would differ.
        float(found.asked_at),
        float(found.fresh_until),
    )
    return *row, checksum(row)
