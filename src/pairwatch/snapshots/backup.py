"""The store as a folder of plain files, and back: one file a table, and a manifest that says what they hold.

    with the store:  export(store, Path("backup"), "csv")
    with another:    import_(other, Path("backup"))

An export has its name only when it has been read back and found right. An import reads and checks everything before it
writes anything; what the store knows already is left as it is, and the row numbers of the two need not agree.
"""

import errno
import hashlib
import json
import os
import shutil
import sqlite3
import struct
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from pairwatch import __version__
from pairwatch.database import Damaged, Database, sync
from pairwatch.errors import StoreError, UsageError
from pairwatch.snapshots import merging, schema
from pairwatch.snapshots.batch import Named, batch_checksum
from pairwatch.snapshots.inputs import Chunk, assembled, chunk_of
from pairwatch.snapshots.merging import Imported, Incoming
from pairwatch.snapshots.store import Store
from pairwatch.snapshots.tabular import Column, Form, Row, check_form, private, read_rows, write_rows
from pairwatch.text import clean

MANIFEST: Final = "manifest.json"
_FORMAT: Final = "pairwatch snapshots"
_LONGEST_MANIFEST: Final = 1_000_000


class Exported(NamedTuple):
    """What was written: how many rows of each table."""

    folder: Path
    rows: Mapping[str, int]


def export(store: Store, folder: Path, form: str = "csv") -> Exported:
    """Write everything that the store holds, at one instant, into a new folder that only this user can read.

    Raises:
        UsageError: the folder is there and not empty, or cannot be written; or a format that there is not.
        StoreError: the store cannot be read, or what it holds does not agree with its checksums.
    """
    chosen = check_form(form)
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise UsageError(f"{clean(folder, 200)} is there and not empty", "name a new folder")
    temporary = folder.absolute().with_name(f".{folder.absolute().name[:40]}.{os.urandom(8).hex()}")
    try:
        with _telling(folder):
            temporary.mkdir(mode=0o700, parents=True)
        counts = _write_tables(store, temporary, chosen)
        Backup(temporary).check(f"the snapshots in {clean(store.path, 200)} are")
        with _telling(folder):
            _give_name(temporary, folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return Exported(folder, counts)


def import_(store: Store, folder: Path) -> Imported:
    """Add to the store what it lacks of a backup; all of it, or nothing.

    A snapshot that the store has with other content becomes the next revision of its session.

    Raises:
        UsageError: the folder is no backup, or one that cannot be read.
        StoreError: the backup is damaged or of a later version, or the store refuses.
    """
    backup = Backup(folder)
    backup.check(f"the backup in {clean(folder, 200)} is")
    with store.writing() as db:
        return merging.merge(db, {name: backup.rows(name) for name in merging.TABLES}, backup.batches())


# ---------------------------------------------------------------- writing


def _write_tables(store: Store, folder: Path, form: Form) -> dict[str, int]:
    """Write every table, then the manifest; returns the counts."""
    counts, tables = {}, {}
    with _copied(store, folder) as db:
        for table in merging.TABLES:
            file, columns = folder / f"{table}.{form}", columns_of(db, table)
            order = columns[0].name if columns[0].name == "id" else f"{columns[0].name}, {columns[1].name}"
            rows = db.execute(f"SELECT * FROM {table} ORDER BY {order}")  # noqa: S608 - constants
            with _telling(folder):  # or a full disk would pass for the store's
                counts[table] = _written(file, form, columns, rows)
                tables[table] = {"file": file.name, "rows": counts[table], "sha256": _sha256(file)}
    manifest = {"format": _FORMAT, "schema": store.file.schema, "program": __version__, "form": form, "tables": tables}
    with _telling(folder):
        with open(folder / MANIFEST, "xb", opener=private) as stream:
            stream.write(json.dumps(manifest, indent=2).encode() + b"\n")
        sync(folder / MANIFEST)
    return counts


@contextmanager
def _copied(store: Store, folder: Path) -> Iterator[sqlite3.Connection]:
    """The store as it is now, in a file of our own: while tables are written, which takes minutes, nobody waits."""
    copy = folder / "copy.db"
    with _telling(folder):
        os.close(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    failure: sqlite3.OperationalError | None = None
    with closing(sqlite3.connect(copy, isolation_level=None)) as db:
        with store.reading() as whole:
            try:
                whole.backup(db)
            except sqlite3.OperationalError as error:  # the copy's; that of the store would be another
                failure = error
        if failure:
            with _telling(folder):
                raise OSError(errno.ENOSPC, str(failure))
        yield db
    copy.unlink()


def _written(file: Path, form: Form, columns: Sequence[Column], rows: Iterable[Row]) -> int:
    try:
        return write_rows(file, form, columns, rows)
    except (TypeError, ValueError, OverflowError) as error:  # a cell that is not of its column's kind
        raise Damaged(f"table {file.stem}") from error


def columns_of(db: sqlite3.Connection, table: str) -> tuple[Column, ...]:
    """The columns of a table as it is laid out."""
    found = db.execute(f"PRAGMA table_info({table})").fetchall()
    return tuple(Column(name, kind, bool(required or key)) for _, name, kind, required, _, key in found)


def _give_name(temporary: Path, folder: Path) -> None:
    """Rename the finished folder; an empty one that stood there is replaced."""
    sync(temporary)
    with suppress(FileNotFoundError):
        folder.rmdir()
    temporary.rename(folder)
    sync(folder.absolute().parent)


@contextmanager
def _telling(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = clean(error.strerror or error)
        raise UsageError(f"{clean(folder, 200)} cannot be written ({why})", "name another folder") from error


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


# ---------------------------------------------------------------- reading


class Backup:
    """A folder that `export` has written.

    Raises:
        UsageError: it is none, or cannot be read.
        StoreError: it is of a later version, or its manifest is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._form, self._tables = _manifest(folder)
        with Database(folder, schema.APPLICATION_ID, schema.STEPS).empty() as db:
            self._columns = {table: columns_of(db, table) for table in merging.TABLES}
        self._inputs: dict[int, bytes] = {}

    def check(self, whose: str) -> None:
        """Read everything, and hold it against every checksum that there is.

        Raises:
            StoreError: they differ; `whose` are the words for what is damaged.
        """
        try:
            self._check_files()
            self._check_inputs()
            self._check_references()
            deque(self.batches(), maxlen=0)
        except (Damaged, ValueError, TypeError, LookupError, OverflowError, struct.error) as error:
            why = clean(error if isinstance(error, Damaged) else f"{type(error).__name__}: {error}")
            raise StoreError(f"{whose} damaged ({why})", "nothing was changed; use another backup") from error
        except OSError as error:
            why = clean(error.strerror or error)
            raise UsageError(f"{clean(self._folder, 200)} cannot be read ({why})", "nothing was changed") from error

    def rows(self, table: str) -> Iterator[Row]:
        """The rows of a table by number; none of a table that the backup's version did not have."""
        if table in self._tables:
            yield from read_rows(self._file(table), self._form, self._columns[table])

    def batches(self) -> Iterator[Incoming]:
        """The batches with their readings, each held against its checksum; after `check` has found the inputs.

        Raises:
            Damaged: one that disagrees, or readings of none.
        """
        pairs = {number: tuple(cells) for number, *cells in self.rows("pairs")}
        named = {number: Named(*cells) for number, *cells in self.rows("statistics")}
        groups = groupby(self.rows("readings"), itemgetter(0))
        of_batch, group = next(groups, (None, iter(())))
        for number, pair, session, revision, taken_at, as_of, program, a, b, checksum in self.rows("batches"):
            readings: list[tuple[int, float | None]] = []
            if of_batch == number:
                readings = [(statistic, value) for _, statistic, value in group]
                of_batch, group = next(groups, (None, iter(())))
            head = (*pairs[pair], session, revision, taken_at, as_of, program, self._inputs[a], self._inputs[b])
            names = tuple([named[statistic] for statistic, _ in readings])
            values = np.array([value for _, value in readings], dtype="f8")  # None becomes NaN
            if batch_checksum(head, names, values) != checksum:
                raise Damaged(f"checksum of snapshot {number}")
            numbers = zip(names, [value for _, value in readings], strict=True)
            yield Incoming(pair, head, (a, b), tuple(numbers))
        if of_batch is not None:
            raise Damaged("numbers of no snapshot")

    def _check_files(self) -> None:
        for table, told in self._tables.items():
            if _sha256(self._file(table)) != told["sha256"]:
                raise Damaged(f"{self._file(table).name} is not what was written")

    def _check_inputs(self) -> None:
        chunks = {}
        for number, key, data in self.rows("chunks"):
            chunks[number] = chunk_of(key, data).hash
        for number, key, content, leg, closes, events, facts, told in self.rows("inputs"):
            bars, rest = np.frombuffer(closes, "<u4").tolist(), (events, facts)
            *closing, happened, known = (Chunk(chunks[at], b"") for at in (*bars, *rest))
            side = assembled(leg, tuple(closing), happened, known, told)
            if (side.hash, side.content) != (key, content):
                raise Damaged(f"inputs of {leg}")
            self._inputs[number] = key

    def _check_references(self) -> None:
        """Raise `Damaged` where a line speaks of what is not there."""
        pairs, lines, messages = ({row[0] for row in self.rows(table)} for table in ("pairs", "journal", "messages"))
        places = (("journal", 1, lines), ("states", 1, pairs), ("changes", 2, pairs), ("attempts", 1, messages))
        for table, at, known in places:
            for row in self.rows(table):
                if row[at] is not None and row[at] not in known:
                    raise Damaged(f"{table} without what it is of")

    def _file(self, table: str) -> Path:
        # The manifest does not name files elsewhere.
        return self._folder / f"{table}.{self._form}"


def _manifest(folder: Path) -> tuple[Form, dict[str, Any]]:
    """The format, and what is said of each table."""
    named = clean(folder, 200)
    try:
        with (folder / MANIFEST).open("rb") as stream:
            form, version, tables = _told(stream.read(_LONGEST_MANIFEST))
        with Database(folder, schema.APPLICATION_ID, schema.STEPS[:version]).empty() as db:
            laid_out = {name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type='table'")}
        found = {table: dict(tables[table]) for table in merging.TABLES if table in laid_out}
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(f"{named} is no backup: it has no {MANIFEST}", "pairwatch snapshot export FOLDER") from None
    except OSError as error:
        why = clean(error.strerror or error)
        raise UsageError(f"{named} cannot be read ({why})", "nothing was changed") from error
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise StoreError(f"{MANIFEST} in {named} is damaged", "nothing was changed; use another backup") from error
    if version > len(schema.STEPS):
        raise StoreError(f"the backup in {named} was written by a later version of pairwatch", "upgrade pairwatch")
    return check_form(form), found


def _told(text: bytes) -> tuple[str, int, dict[str, Any]]:
    """Format, schema and tables; raises what a manifest that is none leads to."""
    told = json.loads(text)
    if told["format"] != _FORMAT or not int(told["schema"]) >= 1:
        raise ValueError("another program's")
    return str(told["form"]), int(told["schema"]), dict(told["tables"])
