"""Cells to days: one form and one order of day, month and year must fit a file as a whole."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from pairwatch.errors import UnreadableFile
from pairwatch.model import Days
from pairwatch.text import clean

# Names the place of a row by its position, as people count: `line 17`.
Where: TypeAlias = Callable[[int], str]
_Parts: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class _Form:
    """A way to write a day, and the orders of its three parts, each as the places of year, month and day.

    Patterns are compiled when they are met: a file needs one or two of them, and all take longer than to read it.
    """

    pattern: str
    orders: tuple[tuple[int, int, int], ...]


# A time of day and an offset may follow: they are the exchange's own, so the day before them is the local one.
_TIME: Final = r"(?:[T ]+[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?(?: ?[AaPp][Mm])?)?"
_OFFSET: Final = r"(?: ?(?:Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2}))?"
_YEAR: Final = "[12][0-9]{3}"


def _form(pattern: str, *orders: tuple[int, int, int]) -> _Form:
    return _Form(pattern + _TIME + _OFFSET, orders)


_FORMS: Final = (
    _form(rf"({_YEAR})-([0-9]{{1,2}})-([0-9]{{1,2}})", (0, 1, 2)),
    _form(rf"({_YEAR})/([0-9]{{1,2}})/([0-9]{{1,2}})", (0, 1, 2)),
    _form(rf"({_YEAR})\.([0-9]{{1,2}})\.([0-9]{{1,2}})", (0, 1, 2)),
    _form(rf"({_YEAR})([0-9]{{2}})([0-9]{{2}})", (0, 1, 2)),
    *(_form(rf"([0-9]{{1,2}}){mark}([0-9]{{1,2}}){mark}({_YEAR})", (2, 0, 1), (2, 1, 0)) for mark in ("/", r"\.", "-")),
    *(
        _form(rf"([0-9]{{1,2}}){mark}([0-9]{{1,2}}){mark}([0-9]{{2}})", (2, 0, 1), (2, 1, 0), (0, 1, 2))
        for mark in ("/", r"\.", "-")
    ),
    _form(rf"([0-9]{{1,2}})[-/ .]*([A-Za-z]{{3,9}})[-/ .,]*({_YEAR}|[0-9]{{2}})", (2, 1, 0)),
    _form(rf"([A-Za-z]{{3,9}})[-/ .]*([0-9]{{1,2}})[-/ ,]+({_YEAR}|[0-9]{{2}})", (2, 0, 1)),
)
_MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_NUMBER_OF_MONTH: Final = {
    name: number for number, month in enumerate(_MONTHS, 1) for name in (month, month[:3], month[:4])
}
_DIGITS: Final = re.compile("[0-9]")
_PLAIN: Final = re.compile(rf"{_YEAR}-[0-9]{{2}}-[0-9]{{2}}(?:\n{_YEAR}-[0-9]{{2}}-[0-9]{{2}})*")
_WEEK: Final = 7
_SATURDAY: Final = 5
_CENTURY: Final = 100


def looks_like_day(cell: str) -> bool:
    """Whether a cell is written like a day, be there such a day or not."""
    return _DIGITS.search(cell) is not None and any(re.fullmatch(form.pattern, cell) for form in _FORMS)


def is_weekend(days: Days) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Which days are Saturdays or Sundays."""
    return (days.astype("i8") + 3) % _WEEK >= _SATURDAY  # day 0, 1970-01-01, was a Thursday


def read_days(cells: Sequence[str], where: Where, latest: np.datetime64) -> Days:
    """The days that stripped cells stand for, in the order of the cells; a two-digit year is the last such one.

    Raises:
        UnreadableFile: a cell is no day, lies after `latest`, or the order of day and month cannot be told.
    """
    days = _plain_days(cells)
    if days is None:
        days = _ordered_days(*_split(cells, where), cells, where, latest)
    late = np.flatnonzero(days > latest)
    if late.size:
        at = int(late[0])
        raise UnreadableFile(f"{where(at)}: a date in the future: {_shown(cells[at])}", "check the form of the dates")
    return days


def _plain_days(cells: Sequence[str]) -> Days | None:
    """The days of cells that are all `YYYY-MM-DD`; None where they are not, or where one does not exist."""
    if not _PLAIN.fullmatch("\n".join(cells)):
        return None
    try:
        return np.array(cells, dtype="datetime64[D]")
    except ValueError:
        return None


def _split(cells: Sequence[str], where: Where) -> tuple[_Form, _Parts]:
    """The form that all cells keep to, and their three parts as numbers, shape (n, 3)."""
    form = next((form for form in _FORMS if re.fullmatch(form.pattern, cells[0])), None)
    if form is None:
        raise _not_a_day(cells, 0, where)
    parts = np.empty((len(cells), 3), dtype="i8")
    fit = re.compile(form.pattern).fullmatch
    for at, cell in enumerate(cells):
        if (found := fit(cell)) is None:
            raise _not_a_day(cells, at, where)
        parts[at] = [_number(part) for part in found.groups()]
    return form, parts


def _number(part: str) -> int:
    return int(part) if part.isdigit() else _NUMBER_OF_MONTH.get(part.lower(), 0)


def _ordered_days(form: _Form, parts: _Parts, cells: Sequence[str], where: Where, latest: np.datetime64) -> Days:
    """The days in the one order that fits all rows and looks like a series."""
    readings = [_days(parts[:, list(order)], latest) for order in form.orders]
    wrong = np.logical_and.reduce([np.isnat(days) for days in readings])
    if wrong.any():
        raise _not_a_day(cells, int(wrong.argmax()), where)
    whole = [days for days in readings if not np.isnat(days).any()]
    if not whole:
        raise _no_order(readings, cells, where)
    return _told_apart(_different(whole), cells, where)


def _days(parts: _Parts, latest: np.datetime64) -> Days:
    """Days of the columns year, month, day; NaT where there is none."""
    year, month, day = parts.T
    now = latest.astype("datetime64[Y]").astype(int) + 1970
    short = year < _CENTURY
    year = np.where(short, now - (now - year) % _CENTURY, year)
    good = (month >= 1) & (month <= 12)
    months = ((year - 1970) * 12 + np.where(good, month, 1) - 1).astype("datetime64[M]")
    days: Days = months.astype("datetime64[D]") + (day - 1)
    good &= (day >= 1) & (days.astype("datetime64[M]") == months)
    days[~good] = np.datetime64("NaT")
    return days


def _different(readings: list[Days]) -> list[Days]:
    """The readings without those that say the same as an earlier one."""
    return [days for at, days in enumerate(readings) if not any(np.array_equal(days, d) for d in readings[:at])]


def _told_apart(readings: list[Days], cells: Sequence[str], where: Where) -> Days:
    """The one reading that looks like a series, where the others do not."""
    for looks_right in (_runs_on_weekdays, _runs_one_way, _fills_the_year):
        readings = [days for days in readings if looks_right(days)] or readings
        if len(readings) == 1:
            return readings[0]
    at = int((readings[0] != readings[1]).argmax())
    first, second = readings[0][at], readings[1][at]
    raise UnreadableFile(
        f"{where(at)}: the date {_shown(cells[at])} may be {first} or {second}, and nothing in the file tells which",
        "write the dates as YYYY-MM-DD",
    )


def _runs_one_way(days: Days) -> bool:
    steps = np.diff(days).astype("i8")
    return bool((steps > 0).all() or (steps < 0).all())


def _runs_on_weekdays(days: Days) -> bool:
    return _runs_one_way(days) and not is_weekend(days).any()


def _fills_the_year(days: Days) -> bool:
    """False for several years of which one month alone has rows: what a wrong order makes of a monthly series."""
    years, months = days.astype("datetime64[Y]").astype("i8"), days.astype("datetime64[M]").astype("i8") % 12
    return bool((years == years[0]).all() or (months != months[0]).any())


def _no_order(readings: list[Days], cells: Sequence[str], where: Where) -> UnreadableFile:
    """Each order fails somewhere: name the row on which the last one falls, and one that ruled it out before."""
    falls = sorted(int(np.isnat(days).argmax()) for days in readings)
    return UnreadableFile(
        f"{where(falls[-1])}: the date {_shown(cells[falls[-1]])} has another order of day and month"
        f" than {_shown(cells[falls[-2]])} ({where(falls[-2])})",
        "write the dates as YYYY-MM-DD",
    )


def _not_a_day(cells: Sequence[str], at: int, where: Where) -> UnreadableFile:
    if not cells[at]:
        return UnreadableFile(f"{where(at)}: no date")
    return UnreadableFile(f"{where(at)}: not a date: {_shown(cells[at])}", "write the dates as YYYY-MM-DD")


def _shown(cell: str) -> str:
    return repr(clean(cell, 40))
