"""Text to a table: the separator, the header or the lack of one, and the cells of the columns that are wanted."""

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from operator import itemgetter
from typing import Final, TypeAlias

from pairwatch.errors import EmptyAnswer, UnreadableFile
from pairwatch.sources.files.days import looks_like_day
from pairwatch.text import clean, plural

# Where each row stands (its line, from 1), and the stripped cells of each wanted column.
Cells: TypeAlias = tuple[list[int], list[list[str]]]
_Rows: TypeAlias = list[tuple[int, list[str]]]
_Picked: TypeAlias = tuple[list[int], list[tuple[str, ...]]]

# Headers of the column of days, the likeliest first; letters and digits only.
_DAY_FIELDS: Final = ("date", "observationdate", "day", "datetime", "timestamp", "tradedate", "time", "snappedat")
# What yfinance stacks above a ticker or below it.
_YAHOO_FIELDS: Final = frozenset(
    {"open", "high", "low", "close", "adjclose", "volume", "dividends", "stocksplits", "capitalgains", "repaired"}
)
_STACK_CORNERS: Final = frozenset({"", "price", "ticker", "attributes", "symbols"})
# What tells a row of values with a wrong date from a header: a digit above the days, or decimals in all other cells.
# (Whole numbers are tickers in Tokyo.)
_NOT_A_LABEL: Final = re.compile("[0-9]")
_NUMBER: Final = re.compile(r"[-+]?[0-9]*[.,][0-9]+")
_SEPARATORS: Final = (",", ";", "\t")
_SAMPLE: Final = 16


@dataclass(frozen=True, slots=True)
class Column:
    """A column of values.

    Attributes:
        at: its place among all columns.
        label: its header, clean; empty without one.
        ticker: the symbol that yfinance writes in a second header row; empty elsewhere.
    """

    at: int
    label: str
    ticker: str = ""

    @property
    def field(self) -> str:
        """The label's letters and digits, in lower case: `Adj Close**` and `adj_close` are one field."""
        return field_of(self.label)


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of cells that are not read yet.

    Attributes:
        columns: the columns of values that have a header, or all of them where there is none.
        day: the column of days.
        read: reads the columns at the given places.
        separator: what stands between cells; empty in a file that has none.
        row: what a row is called in messages.
    """

    columns: tuple[Column, ...]
    day: Column
    read: Callable[[Sequence[int]], Cells]
    separator: str = ""
    row: str = "line"
    remarks: tuple[str, ...] = ()

    @property
    def stacked(self) -> bool:
        """Whether each column has a field and a ticker, as in a download of yfinance."""
        return any(column.ticker for column in self.columns)


@dataclass(frozen=True, slots=True)
class _Head:
    """Where the values start, and what stands above them."""

    first_line: int
    day: int
    labels: list[str]
    tickers: list[str]
    titles: int = 0


def field_of(label: str) -> str:
    """The letters and digits of a label, in lower case."""
    return re.sub(r"[^a-z0-9]", "", label.lower())


def day_columns(labels: Sequence[str]) -> list[int]:
    """The places of labels that may stand above the days, the likeliest first."""
    fields = [field_of(label) for label in labels]
    return [fields.index(name) for name in _DAY_FIELDS if name in fields]


def table_of(text: str) -> Table:
    r"""The table in a text whose lines end in `\n`.

    Raises:
        EmptyAnswer: a header and nothing below.
        UnreadableFile: no row has a date, or the rows above the first are no header.
    """
    lines = text.split("\n")
    separator = max(_SEPARATORS, key=lambda mark: _likelihood(lines, mark))
    head = _head(_sample(lines, separator))
    pairs = zip(head.labels, head.tickers, strict=True)
    named = [Column(at, clean(label), clean(ticker)) for at, (label, ticker) in enumerate(pairs)]
    values = [column for column in named if column.at != head.day]
    columns = tuple([column for column in values if column.label] or values)
    width = max(head.day, *(column.at for column in columns)) + 1  # trailing headers may be empty, and cells below them
    read = partial(_read, lines, separator, head.first_line, width)
    remarks = (f"{plural(head.titles, 'title line')} above the header skipped",) if head.titles else ()
    return Table(columns, named[head.day], read, separator, remarks=remarks)


def _sample(lines: list[str], separator: str) -> _Rows:
    """The first rows with their lines, without blank lines and comments."""
    rows = ((line, [cell.strip() for cell in row]) for line, row in _rows(lines, separator))
    return list(islice(((line, row) for line, row in rows if any(row) and not row[0].startswith("#")), _SAMPLE))


def _rows(lines: list[str], separator: str) -> Iterator[tuple[int, list[str]]]:
    """The rows and the lines they stand on.

    Raises:
        UnreadableFile: broken quotes; a quote that is never closed would swallow the rest of the file.
    """
    reader = csv.reader(lines, delimiter=separator, strict=True)
    line = 0
    try:
        for row in reader:
            line += 1
            if reader.line_num != line:
                raise UnreadableFile(f"line {line}: a quoted cell does not end on its line", "close the quote")
            yield line, row
    except csv.Error:
        raise UnreadableFile(f"line {line + 1}: broken quotes, or a cell without end", "correct the quotes") from None


def _likelihood(lines: list[str], separator: str) -> tuple[bool, int]:
    """How likely a separator is the right one: first whether days stand alone then, next how wide the rows are."""
    rows: list[list[str]] = []
    with suppress(UnreadableFile):  # broken quotes: judged by the rows before, and said when the table is read
        rows.extend(row for _, row in islice(_rows(lines, separator), _SAMPLE))
    cells = (cell.strip() for row in rows if len(row) > 1 for cell in row[:8])
    found = any(looks_like_day(cell) or field_of(cell) in _DAY_FIELDS for cell in cells)
    return found, max((len(row) for row in rows), default=0)


def _head(rows: _Rows) -> _Head:
    """Find the header, or that there is none."""
    if not rows:
        raise UnreadableFile("no row of cells")
    if stack := _stacked_head(rows):
        return stack
    for at, (line, row) in enumerate(rows):
        if len(row) > 1 and (day := _named_day(row, rows[at + 1 : at + 2])) is not None:
            return _Head(line + 1, day, row, [""] * len(row), titles=at)
        if (day := next((place for place, cell in enumerate(row) if looks_like_day(cell)), None)) is not None:
            return _unnamed_head(rows, at, day)
    if len(rows) == 1 and len(rows[0][1]) > 1:
        raise EmptyAnswer(f"{_shown(rows[0])} and no line with a date below it", "check how it was written")
    raise UnreadableFile(f"{_shown(rows[0])}: no date in it, nor in the lines below")


def _named_day(labels: list[str], below: _Rows) -> int | None:
    """The column of days by its header: the first, or one with a day below (`DAY` is a ticker, too)."""
    days = [at for _, row in below for at in day_columns(labels) if at < len(row) and looks_like_day(row[at])]
    return days[0] if days else next((at for at in day_columns(labels) if at == 0), None)


def _unnamed_head(rows: _Rows, at: int, day: int) -> _Head:
    """The header above the first day, at row `at`, where no header says `Date`."""
    line, row = rows[at]
    if len(row) == 1:
        raise UnreadableFile(f"line {line}: a date and no value", "separate the cells by commas, semicolons or tabs")
    if at == 0:
        return _Head(line, day, [""] * len(row), [""] * len(row))
    above = rows[at - 1][1]
    if len(above) < len(row):
        raise UnreadableFile(f"{_shown(rows[at - 1])} is no header for the {len(row)} cells of line {line}")
    if _NOT_A_LABEL.search(above[day]) or all(_NUMBER.fullmatch(cell) for cell in above[:day] + above[day + 1 :]):
        raise UnreadableFile(
            f"line {rows[at - 1][0]}: not a date: {clean(above[day], 40)!r}", "write the dates as YYYY-MM-DD"
        )
    if any(len(title) >= len(row) for _, title in rows[: at - 1]):
        raise UnreadableFile(f"{_shown(rows[at - 1])} is not a row of values", "keep one header line")
    return _Head(line, day, above, [""] * len(above), titles=at - 1)


def _stacked_head(rows: _Rows) -> _Head | None:
    """The two or three header rows of a yfinance download: fields, tickers, and the name of the index."""
    if len(rows) < 2 or any(row[0].lower() not in _STACK_CORNERS for _, row in rows[:2]):
        return None
    (_, above), (line, below) = rows[:2]
    if len(above) != len(below) or len(above) < 2:
        return None
    fields = next((row for row in (above, below) if all(field_of(cell) in _YAHOO_FIELDS for cell in row[1:])), None)
    if fields is None:
        return None
    tickers = below if fields is above else above
    index_line = next((at for at, row in rows[2:3] if day_columns(row[:1]) and not any(row[1:])), line)
    return _Head(index_line + 1, 0, ["Date", *fields[1:]], ["", *tickers[1:]])


def _read(lines: list[str], separator: str, first_line: int, width: int, wanted: Sequence[int]) -> Cells:
    """The stripped cells of the wanted columns: wide tables have far more than are ever looked at."""
    places, picked = _plainly_cut(lines, separator, first_line, width, wanted) or _cut(
        lines, separator, first_line, width, wanted
    )
    columns = [list(map(str.strip, column)) for column in zip(*picked, strict=True)] or [[] for _ in wanted]
    if "" in columns[0]:
        return _without_blank_rows(lines, separator, places, columns)
    return places, columns


def _plainly_cut(
    lines: list[str], separator: str, first_line: int, width: int, wanted: Sequence[int]
) -> _Picked | None:
    """What `_cut` gives, several times as fast; None where there are quotes, or rows of another width."""
    body = [(line, text) for line, text in enumerate(lines[first_line - 1 :], first_line) if text]
    if any(text.count(separator) != width - 1 or '"' in text for _, text in body):
        return None
    pick, most = itemgetter(*wanted), max(wanted) + 1
    return [line for line, _ in body], [pick(text.split(separator, most)) for _, text in body]


def _cut(lines: list[str], separator: str, first_line: int, width: int, wanted: Sequence[int]) -> _Picked:
    pick = itemgetter(*wanted)
    places: list[int] = []
    picked: list[tuple[str, ...]] = []
    for line, row in _rows(lines, separator):
        if line >= first_line and row and (len(row) == width or _fits(row, width, line)):
            places.append(line)
            picked.append(pick(row))
    return places, picked


def _fits(row: list[str], width: int, line: int) -> bool:
    """Whether a row of another width has all the cells there must be; False for a blank one."""
    if not "".join(row).strip():
        return False
    if len(row) < width or "".join(row[width:]).strip():
        raise UnreadableFile(
            f"line {line}: {plural(len(row), 'cell')} where the header has {width}",
            "quote cells that hold the separator",
        )
    return True


def _without_blank_rows(lines: list[str], separator: str, places: list[int], columns: list[list[str]]) -> Cells:
    """Drop rows of separators alone, such as spreadsheets write below a table."""
    empty = f'{separator} "'
    keep = [at for at, line in enumerate(places) if columns[0][at] or lines[line - 1].strip(empty)]
    return [places[at] for at in keep], [[column[at] for at in keep] for column in columns]


def _shown(row: tuple[int, list[str]]) -> str:
    line, cells = row
    return f"line {line}: {clean(','.join(cells), 60)!r}"
