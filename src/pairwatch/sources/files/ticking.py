"""Prices within days from files: a column of moments, and one of prices or one a symbol.

A file gives what it holds, where these are ticks or bars of the interval that is asked for; bars of its own that are
shorter are made into such ones.
"""

from typing import TYPE_CHECKING

import numpy as np

from pairwatch.bars import SECOND, Bars, Gathered, Interval, in_bars
from pairwatch.errors import EmptyAnswer, SourceError, UnreadableFile
from pairwatch.model import Facts, Leg
from pairwatch.sources.files.amounts import read_amounts
from pairwatch.sources.files.bulk import Rows, read_in_bulk
from pairwatch.sources.files.instants import read_moments
from pairwatch.sources.files.opening import read_bytes, split_symbol, text_of
from pairwatch.sources.files.parquet import MAGIC
from pairwatch.sources.files.shapes import shape_of
from pairwatch.sources.files.tables import table_of
from pairwatch.text import plural

if TYPE_CHECKING:
    from pairwatch.sources import Request

# Stamps may be so far ahead of this machine's clock.
_AHEAD = 86_400


class Ticks:
    """Ticks or bars from a CSV file: `PATH`, `PATH#COLUMN`, and `-` for standard input."""

    def gather(self, request: "Request", interval: Interval) -> Gathered:
        """Read one leg from its file, whole; see `pairwatch.gathering.Source.gather`.

        Raises:
            SourceError: what is wrong with the file, and where.
            UsageError: its own bars are longer than the interval, or do not fit into it.
        """
        try:
            bars, remarks = _read_leg(request.leg, interval, request.now)
        except SourceError as error:
            raise type(error)(f"{request.leg}: {error.message}", error.hint) from None
        return Gathered(bars, request.now, request.now, remarks)


def _read_leg(leg: Leg, interval: Interval, now: float) -> tuple[Bars, tuple[str, ...]]:
    path, wanted = split_symbol(leg.symbol)
    data = read_bytes(path)
    if data.startswith(MAGIC):
        raise UnreadableFile("times of day are not read from parquet", "write it as CSV")
    text, latest = text_of(data), int((now + _AHEAD) * SECOND)
    rows = read_in_bulk(text, wanted)
    if rows is None or rows.moments.times.max() > latest:
        rows = _read_with_care(text, wanted, latest)
    bars, told = _bars(leg, interval, rows)
    return bars, (*rows.remarks, *told)


def _read_with_care(text: str, wanted: str, latest: int) -> Rows:
    """What `read_in_bulk` reads, of any CSV; raises what is wrong with it, and where."""
    table = table_of(text)
    column = shape_of(table, wanted).close
    places, cells = table.read([table.day.at, column.at])
    if not places:
        raise EmptyAnswer("a header and no rows below it", "check how it was written")

    def where(at: int) -> str:
        return f"{table.row} {places[at]}"

    moments = read_moments(cells[0], where)
    (prices,) = read_amounts(cells[1:], where, table.separator)
    if (moments.times > latest).any():
        at = int(np.argmax(moments.times > latest))
        raise UnreadableFile(f"{where(at)}: a moment in the future: {cells[0][at]}", "check the form of the stamps")
    return Rows(moments, prices, column.label, (*table.remarks, *moments.remarks))


def _bars(leg: Leg, interval: Interval, rows: Rows) -> tuple[Bars, tuple[str, ...]]:
    """The bars of a leg, and what was left out."""
    moments, prices = rows.moments, rows.prices
    order = np.argsort(moments.times, kind="stable")
    present = order[~np.isnan(prices[order])]
    if not len(present):
        raise EmptyAnswer(f"no value in the column {rows.label!r}")
    times = moments.times[present]
    keep = present[np.append(times[1:] != times[:-1], True)]  # of several prices of one moment the last one
    days = np.maximum.accumulate(moments.days[keep])
    bars = Bars(leg, interval, moments.times[keep], prices[keep], days, Facts(name=rows.label))
    told = (
        *_counted(len(order) - len(present), "row", "without a value skipped"),
        *_counted(len(present) - len(keep), "price", "followed by another of the same moment left out"),
    )
    return in_bars(bars, moments.ahead[keep]), told


def _counted(count: int, noun: str, what: str) -> tuple[str, ...]:
    return (f"{plural(count, noun)} {what}",) if count else ()
