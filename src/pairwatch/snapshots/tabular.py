"""Rows of a table as a CSV or a parquet file, and back, without loss and without holding a table in memory.

Every cell comes back as it went in: numbers by their shortest exact decimals, bytes in base64, NULL (of numbers alone)
as an empty cell. A text that a spreadsheet would take for a formula is not altered: this is a backup, to be read back
by pairwatch, and what is shown to people is `pairwatch history`.
"""

import csv
import io
import os
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final, Literal, NamedTuple, TypeAlias

from pairwatch.errors import UsageError

Form = Literal["csv", "parquet"]
Row: TypeAlias = tuple[Any, ...]
Kind = Literal["INTEGER", "REAL", "TEXT", "BLOB"]

# Of rows of numbers, and of rows that carry bytes or texts of any length.
_NARROW_BLOCK: Final = 100_000
_WIDE_BLOCK: Final = 1_000
# A cell may hold the longest message that was ever sent; csv's own limit is 128 KiB.
_LONGEST_CELL: Final = 2**31 - 1


class Column(NamedTuple):
    """A column of a table, by SQLite's name for its type; a number may be NULL where it is not `required`."""

    name: str
    kind: Kind
    required: bool


def check_form(form: str) -> Form:
    """A format that is there, and that can be written here.

    Raises:
        UsageError: another one, or parquet without pyarrow.
    """
    if form == "csv":
        return "csv"
    if form != "parquet":
        raise UsageError(f"no backup is written as {form!r}", "--format is csv or parquet")
    try:
        import pyarrow.parquet  # noqa: F401, PLC0415 - an extra, and heavy
    except ImportError:
        raise UsageError(
            "a parquet backup needs pyarrow", "pip install 'pairwatch[parquet]', or --format csv"
        ) from None
    return "parquet"


def write_rows(file: Path, form: Form, columns: Sequence[Column], rows: Iterable[Row]) -> int:
    """Write rows to a new file that only this user can read, flush it to the disk, and count them.

    Raises:
        OSError: it could not be written.
    """
    with open(file, "xb", opener=private) as stream:
        write = _write_csv if form == "csv" else _write_parquet
        count = write(stream, columns, rows)
        stream.flush()
        os.fsync(stream.fileno())
    return count


def read_rows(file: Path, form: Form, columns: Sequence[Column]) -> Iterator[Row]:
    """The rows that were written.

    Raises:
        ValueError: they are not of these columns, or no rows at all.
        OSError: the file could not be read.
    """
    return _read_csv(file, columns) if form == "csv" else _read_parquet(file, columns)


def private(path: str, flags: int) -> int:
    """The opener of a file that only this user can read."""
    return os.open(path, flags, 0o600)


# ---------------------------------------------------------------- csv


def _write_csv(stream: IO[bytes], columns: Sequence[Column], rows: Iterable[Row]) -> int:
    count = 0
    text = io.TextIOWrapper(stream, "utf-8", newline="")
    # The line ends of RFC 4180: with them, a text that holds either character is quoted.
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(column.name for column in columns)
    blobs = [at for at, column in enumerate(columns) if column.kind == "BLOB"]
    for row in rows:
        count += 1
        writer.writerow(_with_base64(row, blobs) if blobs else row)
    text.flush()
    text.detach()
    return count


def _with_base64(row: Row, blobs: Sequence[int]) -> list[Any]:
    cells = list(row)
    for at in blobs:
        cells[at] = b64encode(cells[at]).decode()
    return cells


def _read_csv(file: Path, columns: Sequence[Column]) -> Iterator[Row]:
    readers = [_reader_of(column) for column in columns]
    try:
        with _long_cells(), file.open(encoding="utf-8", newline="") as stream:
            lines = csv.reader(stream, strict=True)
            if next(lines, None) != [column.name for column in columns]:
                raise ValueError("other columns")
            for cells in lines:
                yield tuple([read(cell) for read, cell in zip(readers, cells, strict=True)])
    except csv.Error as error:
        raise ValueError(str(error)) from error


@contextmanager
def _long_cells() -> Iterator[None]:
    """Read cells of any length; the limit is the whole process's, and is put back."""
    usual = csv.field_size_limit(_LONGEST_CELL)
    try:
        yield
    finally:
        csv.field_size_limit(usual)


def _reader_of(column: Column) -> Callable[[str], Any]:
    readers: dict[Kind, Callable[[str], Any]] = {"INTEGER": int, "REAL": float, "TEXT": str, "BLOB": _bytes}
    read = readers[column.kind]
    if column.required:
        return read
    return lambda cell: read(cell) if cell else None


def _bytes(cell: str) -> bytes:
    return b64decode(cell, validate=True)


# ---------------------------------------------------------------- parquet


def _write_parquet(stream: IO[bytes], columns: Sequence[Column], rows: Iterable[Row]) -> int:
    import pyarrow as pa  # noqa: PLC0415 - an extra, and heavy
    import pyarrow.parquet as pq  # noqa: PLC0415

    kinds = {"INTEGER": pa.int64(), "REAL": pa.float64(), "TEXT": pa.string(), "BLOB": pa.binary()}
    schema = pa.schema([pa.field(c.name, kinds[c.kind], nullable=not c.required) for c in columns])
    count, left = 0, iter(rows)
    size = _block(columns)
    with pq.ParquetWriter(stream, schema) as writer:
        while block := list(islice(left, size)):
            arrays = [
                pa.array(cells, field.type) for cells, field in zip(zip(*block, strict=True), schema, strict=True)
            ]
            writer.write_batch(pa.record_batch(arrays, schema=schema))
            count += len(block)
    return count


def _read_parquet(file: Path, columns: Sequence[Column]) -> Iterator[Row]:
    import pyarrow as pa  # noqa: PLC0415 - an extra, and heavy
    import pyarrow.parquet as pq  # noqa: PLC0415

    names = [column.name for column in columns]
    try:
        with pq.ParquetFile(file) as opened:
            if opened.schema_arrow.names != names:
                raise ValueError("other columns")
            for batch in opened.iter_batches(_block(columns), use_threads=False):
                yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)
    except pa.ArrowException as error:
        raise ValueError(str(error)) from error


def _block(columns: Sequence[Column]) -> int:
    """How many rows are held at a time."""
    return _WIDE_BLOCK if any(column.kind in ("TEXT", "BLOB") for column in columns) else _NARROW_BLOCK
