"""SQLite files that processes share: how one is made, opened, locked, and told from another program's.

Rollback journal and immediate transactions, because write-ahead logging can corrupt the file in most deployed SQLite
versions when two processes write, and a deferred transaction that turns into a write cannot wait for its lock. Rows
carry checksums (`checksum`), because SQLite's own check does not see a flipped bit inside a value.
"""

import os
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from pairwatch.errors import DatabaseTrouble

# Seconds that a transaction waits for the others'.
LOCK_TIMEOUT = 10.0

# An SQL error (SQLITE_ERROR) can only be a damaged schema: the statements are fixed, and the version has been checked.
_DAMAGE = (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class Damaged(DatabaseTrouble):
    """A row that does not agree with its checksum, or that the index has lost."""


class NothingYet(DatabaseTrouble):
    """A file that is not there, or has been created and not yet laid out."""


class Outdated(DatabaseTrouble):
    """A file that an earlier version of pairwatch has laid out.

    Attributes:
        schema: of the file.
    """

    def __init__(self, schema: int) -> None:
        super().__init__(f"it is of schema {schema}")
        self.schema = schema


# A damaged schema can put bytes that are no text into SQLite's own messages.
FAILURES = (sqlite3.Error, UnicodeDecodeError, DatabaseTrouble)


class Database:
    """The file at `path`, opened for each transaction and closed after it.

    `steps` are scripts of SQL without parameters: the first lays out an empty file, each further one leads to the
    next schema. The schema of a file is the number of steps that it has seen.
    """

    def __init__(self, path: Path, application_id: int, steps: Sequence[str]) -> None:
        self.path = path
        self._application_id = application_id
        self._steps = steps

    @property
    def schema(self) -> int:
        """The schema that this version of the program reads and writes."""
        return len(self._steps)

    def is_there(self) -> bool:
        """Whether there is a file; unlike `Path.exists` this raises where its folder is none."""
        try:
            self.path.stat()
        except FileNotFoundError:
            return False
        return True

    def connect(self) -> sqlite3.Connection:
        """A connection to the file, which must exist: SQLite would create it for others to read."""
        where = f"{self.path.absolute().as_uri()}?mode=rw"
        db = sqlite3.connect(where, uri=True, timeout=LOCK_TIMEOUT, isolation_level=None)
        db.execute("PRAGMA trusted_schema=OFF")
        return db

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One state of the file for all that is read.

        Raises:
            NothingYet: the file is not laid out.
            Outdated: it is of an earlier schema.
        """
        with closing(self.connect()) as db:
            db.execute("BEGIN")
            try:
                self._check(db)
                self._check_size(db)
                yield db
            finally:
                # Closing alone would wait for cursors that a traceback still holds.
                if db.in_transaction:
                    db.execute("ROLLBACK")

    @contextmanager
    def writing(self, *, upgrades: bool = False) -> Iterator[sqlite3.Connection]:
        """A transaction that no other process writes beside; what is raised inside undoes it.

        The file is made and laid out where there is none; one of an earlier schema is brought up where it `upgrades`.

        Raises:
            Outdated: it is of an earlier schema.
        """
        self._create()
        with closing(self.connect()) as db:
            db.execute("PRAGMA synchronous=FULL")
            db.execute("BEGIN IMMEDIATE")
            try:
                try:
                    self._check(db)
                except NothingYet:
                    self._step_up(db, 0)
                except Outdated as outdated:
                    if not upgrades:
                        raise
                    self._step_up(db, outdated.schema)
                else:
                    self._check_size(db)
                yield db
                db.execute("COMMIT")
            except BaseException:
                # A full disk has rolled back already.
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    @contextmanager
    def empty(self) -> Iterator[sqlite3.Connection]:
        """What a file would be before anything is written to it, in memory."""
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
            self._step_up(db, 0)
            yield db

    def _create(self) -> None:
        """Make the folder, and an empty file that only this user can read.

        An existing file is not opened: closing it again would drop the locks that SQLite holds in another thread.
        """
        if not self.path.exists():
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))

    def _check(self, db: sqlite3.Connection) -> None:
        """Raise unless the file is ours and of this version's schema.

        Within a transaction: another process may be laying it out.
        """
        schema = db.execute("PRAGMA user_version").fetchone()[0]
        owner = db.execute("PRAGMA application_id").fetchone()[0]
        if owner == self._application_id and schema:
            if schema > self.schema:
                raise DatabaseTrouble("it was written by a later version of pairwatch")
            if schema < self.schema:
                raise Outdated(schema)
            return
        if owner or schema or db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
            raise DatabaseTrouble("it belongs to another program")
        raise NothingYet("it is not laid out yet")

    def _check_size(self, db: sqlite3.Connection) -> None:
        """Raise `Damaged` for a file longer than its header says: what is written next would go over its own pages."""
        (pages,), (size,) = (db.execute(f"PRAGMA {what}").fetchone() for what in ("page_count", "page_size"))
        if self.path.stat().st_size > pages * size:
            raise Damaged("a length that is not its own")

    def _step_up(self, db: sqlite3.Connection, schema: int) -> None:
        for step in self._steps[schema:]:
            for statement in _statements(step):
                db.execute(statement)
        db.execute(f"PRAGMA application_id={self._application_id}")
        db.execute(f"PRAGMA user_version={self.schema}")


def _statements(script: str) -> Iterator[str]:
    """The statements of a script; `executescript` would commit the transaction that they belong to."""
    lines: list[str] = []
    for line in script.splitlines():
        lines.append(line)
        if sqlite3.complete_statement(statement := "\n".join(lines)):
            yield statement
            lines.clear()


def sync(path: Path) -> None:
    """Flush a file, or a folder's names, to the disk; raises `OSError` for a file, not where folders cannot be."""
    try:
        # Windows flushes no file that is open for reading alone, and opens no folder.
        handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    except PermissionError:
        if path.is_dir():
            return
        raise
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def is_damage(error: Exception) -> bool:
    """Whether the content of the file is at fault; not the disk, the rights or another process."""
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", None)
        # The one error without a code is Python's own: a text that is not UTF-8.
        return code is None or code & 0xFF in _DAMAGE
    return isinstance(error, (Damaged, UnicodeDecodeError))


# ---------------------------------------------------------------- values


def checksum(values: Iterable[object]) -> int:
    """CRC-32 of everything in a row, lengths included."""
    crc = 0
    for value in values:
        data = value if isinstance(value, bytes) else repr(value).encode()
        crc = zlib.crc32(data, zlib.crc32(b"%d:" % len(data), crc))
    return crc
