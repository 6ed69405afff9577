"""Which columns of a table are the closes, the adjusted closes and the events, and what series they make."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pairwatch.errors import UnreadableFile
from pairwatch.model import EventKind
from pairwatch.sources.files.tables import Column, Table
from pairwatch.text import clean, listing

# Where a table has several columns of values and none was asked for: the one that is the close, the likeliest first.
_CLOSES: Final = ("close", "closelast", "adjclose", "price", "value", "last", "settle")
_EVENTS: Final[dict[str, EventKind]] = {
    "dividends": "dividend",
    "dividend": "dividend",
    "stocksplits": "split",
    "splits": "split",
    "split": "split",
    "capitalgains": "capital_gain",
}
_STOOQ: Final = ("Date", "Open", "High", "Low", "Close", "Volume")


@dataclass(frozen=True, slots=True)
class Shape:
    """What the columns of a table are.

    Attributes:
        adjusted: the column of adjusted closes beside the closes, if there is one.
        events: the columns of distributions and splits.
        ticker: the column that names the symbol in each row, if there is one.
        name: what the column itself calls the series; empty where its header says only `Close`.
        remarks: what the header alone tells of the closes.
    """

    close: Column
    adjusted: Column | None = None
    events: tuple[tuple[EventKind, Column], ...] = ()
    ticker: Column | None = None
    name: str = ""
    remarks: tuple[str, ...] = ()


def shape_of(table: Table, wanted: str) -> Shape:
    """Choose the columns of the series that `wanted` names, or of the only one.

    Raises:
        UnreadableFile: no such column, or several to choose from.
    """
    columns = table.columns
    if table.stacked:
        columns, wanted = _of_ticker(columns, wanted)
    close = _named(columns, wanted) if wanted else _only(columns)
    name = close.ticker or ("" if close.field in _CLOSES else close.label)
    if close.field not in ("close", "closelast"):
        return Shape(close, name=name, remarks=_told_adjusted(close))
    adjusted = next((column for column in columns if column.field == "adjclose"), None)
    events = tuple((_EVENTS[column.field], column) for column in columns if column.field in _EVENTS)
    ticker = next((column for column in columns if column.label.upper() == "<TICKER>"), None)
    return Shape(close, adjusted, events, ticker, name, _told_by(table, columns, adjusted, events))


def _of_ticker(columns: Sequence[Column], wanted: str) -> tuple[tuple[Column, ...], str]:
    """The columns of one ticker of a stacked header, and what is still wanted of them."""
    tickers = list(dict.fromkeys(column.ticker for column in columns if column.ticker))
    chosen = wanted if wanted in tickers else next((tick for tick in tickers if tick.lower() == wanted.lower()), "")
    if chosen:
        return tuple(column for column in columns if column.ticker == chosen), ""
    if len(tickers) == 1:
        return tuple(columns), wanted
    raise _which(tickers, wanted)


def _named(columns: Sequence[Column], wanted: str) -> Column:
    """The column with that header: letter for letter, else whatever its capitals."""
    fits = [column for column in columns if column.label == clean(wanted)]
    fits = fits or [column for column in columns if column.label.lower() == clean(wanted).lower()]
    if not fits:
        raise _which([column.label for column in columns if column.label], wanted)
    if len(fits) > 1:
        raise UnreadableFile(f"{len(fits)} columns are called {fits[0].label!r}", "rename all but one")
    return fits[0]


def _only(columns: Sequence[Column]) -> Column:
    """The only column of values, or the one whose header says that it is the close."""
    if len(columns) == 1:
        return columns[0]
    counts = Counter(column.field for column in columns)
    field = next((name for name in _CLOSES if counts[name]), "")
    if not field:
        raise _which([column.label for column in columns if column.label], "")
    if counts[field] > 1:
        raise UnreadableFile(f"{counts[field]} columns are called {field!r}", "rename all but one")
    return next(column for column in columns if column.field == field)


def _which(labels: list[str], wanted: str) -> UnreadableFile:
    if not labels:
        return UnreadableFile("several columns and no header", "add a header line such as Date,QQQ,IWM")
    asked = f"no column is called {clean(wanted)!r}" if wanted else f"{len(labels)} columns of values"
    return UnreadableFile(f"{asked}: {listing(labels, 5)}", f"name one of them: csv:FILE#{labels[0]}")


def _told_by(
    table: Table, columns: Sequence[Column], adjusted: Column | None, events: Sequence[tuple[EventKind, Column]]
) -> tuple[str, ...]:
    """What the header says of closes that have neither adjusted closes nor events beside them."""
    if adjusted or events:
        return ()
    if table.stacked:
        return ("yfinance leaves `Adj Close` out when its closes are already adjusted for dividends",)
    labels = (table.day.label, *(column.label for column in columns))
    if labels == _STOOQ or "<CLOSE>" in labels:
        return ("the header is as Stooq writes it: then the closes are already adjusted for dividends",)
    return ()


def _told_adjusted(close: Column) -> tuple[str, ...]:
    return ("the closes are `Adj Close`: dividends are in them",) if close.field == "adjclose" else ()
