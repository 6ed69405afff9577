"""Prices within days from files: a column of moments, and one of prices or one a symbol."""

from typing import TYPE_CHECKING

import numpy as np

from pairwatch.bars import SECOND, Bars, Gathered, Interval
from pairwatch.errors import EmptyAnswer, SourceError, UnreadableFile
from pairwatch.model import Facts, Leg
from pairwatch.sources.files.amounts import read_amounts
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
    table = table_of(text_of(data))
    column = shape_of(table, wanted).close
    places, cells = table.read([table.day.at, column.at])
    if not places:
        raise EmptyAnswer("a header and no rows below it", "check how it was written")

    def where(at: int) -> str:
        return f"{table.row} {places[at]}"

    moments = read_moments(cells[0], where)
    (prices,) = read_amounts(cells[1:], where, table.separator)
    if (moments.times > (now + _AHEAD) * SECOND).any():
        at = int(np.argmax(moments.times > (now + _AHEAD) * SECOND))
        raise UnreadableFile(f"{where(at)}: a moment in the future: {cells[0][at]}", "check the form of the stamps")
    order = np.argsort(moments.times, kind="stable")
    present = order[~np.isnan(prices[order])]
    if not len(present):
        raise EmptyAnswer(f"no value in the column {column.label!r}")
    times = moments.times[present]
    last = np.append(times[1:] != times[:-1], True)  # of several prices of one moment the last one
    keep = present[last]
    bars = Bars(
        leg,
        interval,
        moments.times[keep],
        prices[keep],
        np.maximum.accumulate(moments.days[keep]),
        Facts(name=column.label),
    )
    told = (
        *_counted(len(order) - len(present), "row", "without a value skipped"),
        *_counted(len(present) - len(keep), "price", "followed by another of the same moment left out"),
    )
    return bars, (*table.remarks, *moments.remarks, *told)


def _counted(count: int, noun: str, what: str) -> tuple[str, ...]:
    return (f"{plural(count, noun)} {what}",) if count else ()
