"""Rows to the dates, closes and events of a series: order, gaps, repeated days, and what the closes contain."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from pairwatch.errors import EmptyAnswer, UnreadableFile
from pairwatch.model import Days, Event, EventKind, Floats
from pairwatch.sources.files.adjusting import are_adjusted, distributions
from pairwatch.sources.files.amounts import read_amounts
from pairwatch.sources.files.days import Where, read_days
from pairwatch.sources.files.shapes import Shape
from pairwatch.sources.files.tables import Table
from pairwatch.text import clean, plural

# Positions of rows in their file.
Places: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.intp]]

_ONE_DAY: Final = np.timedelta64(1, "D")
_ORDER: Final[dict[EventKind, int]] = {"split": 0, "dividend": 1, "capital_gain": 2}


@dataclass(frozen=True, slots=True)
class Rows:
    """What the rows of a file say, in the order of the file; NaN where a cell is empty.

    Attributes:
        first_day: the first date as it is written.
        ticker: the symbol that the rows name, or an empty text.
    """

    days: Days
    closes: Floats
    adjusted: Floats | None
    events: tuple[tuple[EventKind, Floats], ...]
    where: Where
    first_day: str
    ticker: str


@dataclass(frozen=True, slots=True)
class History:
    """Dates that increase strictly, their closes, the events, and what had to be said on the way."""

    dates: Days
    closes: Floats
    events: tuple[Event, ...]
    remarks: tuple[str, ...]


def read_rows(table: Table, shape: Shape, today: np.datetime64) -> Rows:
    """Read the columns of a shape.

    Raises:
        EmptyAnswer: no rows.
        UnreadableFile: a cell is wrong.
    """
    values = [shape.close, *([shape.adjusted] if shape.adjusted else []), *(column for _, column in shape.events)]
    texts = [shape.ticker] if shape.ticker else []
    places, cells = table.read([column.at for column in (table.day, *values, *texts)])
    if not places:
        raise EmptyAnswer("a header and no rows below it", "check how it was written")

    def where(at: int) -> str:
        return f"{table.row} {places[at]}"

    days = read_days(cells[0], where, today + _ONE_DAY)
    closes, *others = read_amounts(cells[1 : 1 + len(values)], where, table.separator)
    adjusted = others.pop(0) if shape.adjusted else None
    events = tuple((kind, _event_values(found, where)) for (kind, _), found in zip(shape.events, others, strict=True))
    ticker = _one_ticker(cells[-1], where) if texts else ""
    return Rows(days, closes, adjusted, events, where, cells[0][0], ticker)


def history_of(rows: Rows, label: str, today: np.datetime64) -> History:
    """Order the rows and settle what the closes contain.

    Raises:
        EmptyAnswer: no row has a value.
        UnreadableFile: two rows of one day disagree.
    """
    present = ~np.isnan(rows.closes) if rows.adjusted is None else ~np.isnan(rows.closes + rows.adjusted)
    if not present.any():
        raise EmptyAnswer(f"no value in the column {label!r}" if label else "no value beside the dates")
    order = np.argsort(rows.days, kind="stable")
    order = order[present[order]]
    keep = _without_repeats(rows, order)
    dates, closes = rows.days[keep], rows.closes[keep]
    remarks = [
        *_counted(len(present) - int(present.sum()), "row", "without a value skipped"),
        *_counted(len(order) - len(keep), "row", "repeating a day and its close dropped"),
    ]
    if rows.events:
        events, told = _given(rows, keep)
    elif rows.adjusted is not None:
        closes, events, told = _reconstructed(dates, closes, rows.adjusted[keep])
    else:
        events, told = (), ()
    late = ("the last row is of today: its session may not have been over",) if dates[-1] >= today else ()
    return History(dates, closes, events, (*remarks, *told, *late))


def _event_values(values: Floats, where: Where) -> Floats:
    """Distributions or split ratios, 0 where there is none."""
    below = np.flatnonzero(values < 0)
    if below.size:
        raise UnreadableFile(f"{where(int(below[0]))}: a distribution or split below zero", "correct the cell")
    return np.nan_to_num(values, nan=0.0)


def _one_ticker(cells: Sequence[str], where: Where) -> str:
    other = next((at for at, cell in enumerate(cells) if cell != cells[0]), None)
    if other is not None:
        raise UnreadableFile(
            f"{where(other)}: the symbol {clean(cells[other])!r} below {clean(cells[0])!r}", "keep one symbol in a file"
        )
    return clean(cells[0])


def _without_repeats(rows: Rows, order: Places) -> Places:
    """The rows in `order` without those that repeat the day and the close of the row before."""
    days, closes = rows.days[order], rows.closes[order]
    again = np.concatenate(([False], days[1:] == days[:-1]))
    torn = np.flatnonzero(again[1:] & (closes[1:] != closes[:-1]))
    if torn.size:
        at = int(torn[0])
        raise UnreadableFile(
            f"{rows.where(int(order[at]))} and {rows.where(int(order[at + 1]))}: two closes for {days[at]},"
            f" {closes[at]:.10g} and {closes[at + 1]:.10g}",
            "keep one close a day",
        )
    return order[~again]


def _given(rows: Rows, keep: Places) -> tuple[tuple[Event, ...], tuple[str, ...]]:
    """The events in columns of their own; splits are in the closes of such files, dividends should not be."""
    found = {(day, kind): value for kind, values in rows.events for day, value in _nonzero(rows.days, kind, values)}
    flat = np.zeros(len(keep))
    splits = next((values[keep] for kind, values in rows.events if kind == "split"), flat)
    paid = sum((values[keep] for kind, values in rows.events if kind != "split"), start=flat)
    told: tuple[str, ...] = ()
    if rows.adjusted is None and are_adjusted(rows.closes[keep], paid, splits):
        found = {key: value for key, value in found.items() if key[1] == "split"}
        told = ("the closes are adjusted for dividends already (yfinance does so by default): not applied again",)
    ordered = sorted(found.items(), key=lambda item: (item[0][0], _ORDER[item[0][1]]))
    return tuple(Event(day, kind, value) for (day, kind), value in ordered), told


def _nonzero(days: Days, kind: EventKind, values: Floats) -> list[tuple[np.datetime64, float]]:
    """The days that have an event; one new share for one is no split."""
    places = np.flatnonzero((values != 0) & ((values != 1) | (kind != "split")))
    return [(days[at], float(values[at])) for at in places]


def _reconstructed(dates: Days, closes: Floats, adjusted: Floats) -> tuple[Floats, tuple[Event, ...], tuple[str, ...]]:
    """Closes and the distributions that `Adj Close` implies, or `Adj Close` itself where none explain it."""
    paid = distributions(closes, adjusted)
    if paid is None:
        return (
            adjusted,
            (),
            ("no distributions explain `Adj Close`: it stands in for the closes, with dividends in it",),
        )
    at = np.flatnonzero(paid)
    events = tuple(Event(day, "dividend", float(value)) for day, value in zip(dates[at], paid[at], strict=True))
    return closes, events, _counted(len(at), "distribution", "computed from Close and Adj Close")


def _counted(count: int, noun: str, what: str) -> tuple[str, ...]:
    return (f"{plural(count, noun)} {what}",) if count else ()
