"""Parquet to a table, where pyarrow is installed. Its columns become cells, so that all checks are those of a CSV."""

import re
from collections.abc import Sequence
from functools import partial
from io import BytesIO
from typing import Any, Final

from pairwatch.errors import UnreadableFile
from pairwatch.sources.files.tables import Cells, Column, Table, day_columns
from pairwatch.text import clean

MAGIC: Final = b"PAR1"
_MOST_ROWS: Final = 2_000_000


def table_of_parquet(data: bytes) -> Table:
    """The table in the bytes of a parquet file.

    Raises:
        UnreadableFile: pyarrow is not installed, or cannot read it; or no column holds days.
    """
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra, and heavy
        import pyarrow.parquet as pq  # noqa: PLC0415
    except ImportError:
        raise UnreadableFile("a parquet file needs pyarrow", "pip install 'pairwatch[parquet]'") from None
    try:
        file = pq.ParquetFile(BytesIO(data))
        schema, rows = file.schema_arrow, file.metadata.num_rows
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UnreadableFile(f"not a parquet file that can be read: {_reason(error)}", "write it again") from None
    if rows > _MOST_ROWS:
        raise UnreadableFile(f"more than {_MOST_ROWS:,} rows", "keep the years that are needed")
    columns = [_column(at, name) for at, name in enumerate(schema.names)]
    day = _day(columns, schema)
    values = tuple(column for column in columns if column.at != day and not column.label.startswith("__index_level"))
    return Table(values, columns[day], partial(_read, file, schema.names), row="row")


def _column(at: int, name: str) -> Column:
    """A column; pandas writes the two header rows of yfinance as `('Close', 'QQQ')`."""
    stacked = re.fullmatch(r"\('([^']*)', '([^']*)'\)", name)
    field, ticker = stacked.groups() if stacked else (name, "")
    return Column(at, clean(field), clean(ticker))


def _day(columns: Sequence[Column], schema: Any) -> int:
    """The place of the column of days: the first that holds dates or times, else by its name."""
    timed = [at for at, kind in enumerate(schema.types) if str(kind).startswith(("date", "timestamp"))]
    days = timed or day_columns([column.label for column in columns])
    if not days:
        raise UnreadableFile("no column of dates", "write the index too, or call the column Date")
    return days[0]


def _read(file: Any, names: Sequence[str], wanted: Sequence[int]) -> Cells:
    import pyarrow as pa  # noqa: PLC0415 - an extra, and heavy

    try:
        arrow = file.read(columns=[names[at] for at in wanted], use_threads=False)
        cells = [_cells(arrow.column(names[at])) for at in wanted]
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise UnreadableFile(f"it cannot be read: {_reason(error)}", "write it again, numbers as numbers") from None
    return list(range(1, file.metadata.num_rows + 1)), cells


def _cells(column: Any) -> list[str]:
    """The values as text. A time with a zone is taken to its own zone first, so that its day is the local one."""
    import pyarrow as pa  # noqa: PLC0415 - an extra, and heavy
    import pyarrow.compute as pc  # noqa: PLC0415

    if pa.types.is_timestamp(column.type):
        local = pc.local_timestamp(column) if column.type.tz else column
        column = local.cast(pa.date32(), safe=False)
    return ["" if cell is None else cell.strip() for cell in column.cast(pa.string()).to_pylist()]


def _reason(error: Exception) -> str:
    return clean(str(error).split("\n", 1)[0], 60)
