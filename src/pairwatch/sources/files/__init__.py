"""Legs in files and on standard input: the CSV shapes that people save, and parquet.

A file is read whole every time: `opening` turns the symbol into text, `tables` (or `parquet`) finds the columns,
`shapes` says which of them are the closes and the events, `days` and `amounts` read their cells, and `rows` makes a
history of them, with `adjusting` to compare closes with adjusted closes; `origins` says what the values are, and dates
those of FRED.
"""

from datetime import UTC, datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

import numpy as np

from pairwatch.errors import SourceError
from pairwatch.kernels import is_every_day
from pairwatch.model import Facts, Fetched, Leg, Series
from pairwatch.sources.files.opening import STDIN, read_bytes, split_symbol, text_of
from pairwatch.sources.files.origins import dated, origin_of
from pairwatch.sources.files.parquet import MAGIC, table_of_parquet
from pairwatch.sources.files.rows import history_of, read_rows
from pairwatch.sources.files.shapes import shape_of
from pairwatch.sources.files.tables import table_of
from pairwatch.sources.fred_periods import inferred
from pairwatch.text import clean

if TYPE_CHECKING:
    from pairwatch.sources import Request

_SUFFIXES: Final = (".gz", ".txt", ".tsv", ".csv", ".parquet")  # as they are taken off


class Files:
    """Closes from a CSV or parquet file: `PATH`, `PATH#COLUMN`, and `-` for standard input."""

    def fetch(self, request: "Request") -> Fetched:
        """Read one leg from its file; `request.since` is ignored, the file is read whole.

        Raises:
            SourceError: what is wrong with the file, and where.
        """
        try:
            series, remarks = _read_leg(request.leg, request.now)
        except SourceError as error:
            raise type(error)(f"{request.leg}: {error.message}", error.hint) from None
        return Fetched(
            series=series,
            since=None,
            asked_at=request.now,
            fresh_until=request.now,
            expected=np.array([], dtype="datetime64[D]"),
            remarks=remarks,
        )


def _read_leg(leg: Leg, now: float) -> tuple[Series, tuple[str, ...]]:
    path, wanted = split_symbol(leg.symbol)
    data = read_bytes(path)
    is_parquet = data.startswith(MAGIC) or path.lower().endswith(".parquet")
    table = table_of_parquet(data) if is_parquet else table_of(text_of(data))
    shape = shape_of(table, wanted)
    today = np.datetime64(datetime.fromtimestamp(now, UTC).date())
    rows = read_rows(table, shape, today)
    history = history_of(rows, shape.close.label, today)
    name = shape.name or rows.ticker or _stem(path)
    origin = origin_of(shape, name, table.day, rows.first_day)
    dates, closes, frequency = dated(origin, name, history.dates, history.closes, today)
    facts = Facts(
        name=name,
        measure=origin.known.measure,
        unit=origin.known.unit,
        currency=origin.known.currency,
        every_day=inferred(dates) in ("", "day") and is_every_day(dates),
        frequency=frequency,
    )
    series = Series(leg, dates, closes, history.events, facts)
    return series, (*table.remarks, *shape.remarks, *history.remarks, *origin.remarks)


def _stem(path: str) -> str:
    """The name of a file without its folder and endings."""
    if path == STDIN:
        return "standard input"
    name = PurePath(path).name
    for suffix in _SUFFIXES:
        name = name[: -len(suffix)] if name.lower().endswith(suffix) and len(name) > len(suffix) else name
    return clean(name)
