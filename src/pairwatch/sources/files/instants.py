"""Cells to moments: ISO 8601 with or without an offset, or Unix time in seconds, milli-, micro- or nanoseconds."""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from pairwatch.bars import DAY, SECOND, Instants
from pairwatch.errors import UnreadableFile
from pairwatch.model import Days
from pairwatch.sources.files.days import Where
from pairwatch.text import clean

ISO: Final = re.compile(
    r"([12][0-9]{3}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?)"
    r" ?(Z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?)?"
)
UNIX: Final = re.compile(r"([0-9]{9,19})(?:\.([0-9]{1,9}))?")
_DATE: Final = re.compile(r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}")
# What Unix time is counted in, by its size: in seconds all of it until the year 5138, and so on.
_SIZES: Final = ((10**11, SECOND), (10**14, 10**6), (10**17, 10**3), (10**20, 1))
# Nanoseconds in 64 bits, and a few days around them, reach so far.
FIRST_YEAR: Final = "1678"
LAST_YEAR: Final = "2261"
_END: Final = 9_214_646_400 * SECOND
# No clock is further from UTC; this is more than any is.
FARTHEST: Final = 18 * 3600
_NAIVE: Final = "the stamps name no offset: taken for UTC, and days begin at its midnight"


class Moments(NamedTuple):
    """What cells stand for, in their order.

    Attributes:
        times: Unix nanoseconds.
        ahead: what the clock that each is written by is ahead of UTC, in nanoseconds; Unix time is in UTC.
        remarks: what had to be assumed.
    """

    times: Instants
    ahead: Instants
    remarks: tuple[str, ...] = ()

    @property
    def days(self) -> Days:
        """The day of each as it is written, by its own offset."""
        return np.asarray(((self.times + self.ahead) // DAY).astype("datetime64[D]"))


def looks_like_moment(cell: str) -> bool:
    """Whether a cell says when within a day."""
    return bool(ISO.fullmatch(cell) or UNIX.fullmatch(cell))


def read_moments(cells: Sequence[str], where: Where) -> Moments:
    """The moments that stripped cells stand for.

    Raises:
        UnreadableFile: a cell is none, written in another way than the others, or before 1678 or after 2261.
    """
    return _unix(cells, where) if UNIX.fullmatch(cells[0]) else _iso(cells, where)


def _unix(cells: Sequence[str], where: Where) -> Moments:
    whole: list[int] = []
    parts = np.zeros(len(cells), dtype="i8")
    for at, cell in enumerate(cells):
        if (found := UNIX.fullmatch(cell)) is None:
            raise _no_moment(cell, where(at))
        whole.append(int(found[1]))
        if found[2]:
            parts[at] = int(found[2].ljust(9, "0"))
    largest = max(whole)
    unit = _unit_of(min(whole), largest)
    if not unit:
        raise UnreadableFile("some stamps are in seconds and others in parts of them", "write all in one unit")
    if largest * unit >= _END:
        at = whole.index(largest)
        raise _too_far(cells[at], where(at))
    times = _in_unit(np.array(whole, dtype="i8"), parts, unit)
    return Moments(times, np.zeros(len(times), dtype="i8"))


def scaled(whole: Instants, parts: Instants) -> Instants | None:
    """Unix nanoseconds of whole numbers and billionths; None where it cannot be said, and of what lies too far away."""
    unit = _unit_of(int(whole.min()), int(whole.max()))
    return _in_unit(whole, parts, unit) if unit and int(whole.max()) * unit < _END else None


def _unit_of(least: int, largest: int) -> int:
    """What Unix time is counted in, in nanoseconds; 0 where the least and the largest of it differ in that."""
    units = {next(size for limit, size in _SIZES if each < limit) for each in (least, largest)}
    return units.pop() if len(units) == 1 else 0


def _in_unit(whole: Instants, parts: Instants, unit: int) -> Instants:
    return np.asarray(whole * unit + parts * unit // SECOND)


def _iso(cells: Sequence[str], where: Where) -> Moments:
    stamps: list[str] = []
    offsets = np.zeros(len(cells), dtype="i8")
    known: dict[str | None, int] = {None: 0}
    any_naive = False
    for at, cell in enumerate(cells):
        if (found := ISO.fullmatch(cell)) is None:
            raise _no_moment(cell, where(at))
        if not FIRST_YEAR <= cell[:4] <= LAST_YEAR:
            raise _too_far(cell, where(at))
        stamps.append(f"{found[1]}T{found[2]}")
        if (offset := found[3]) not in known:
            known[offset] = _seconds(offset)
            if abs(known[offset]) > FARTHEST:
                raise _no_moment(cell, where(at))
        any_naive = any_naive or offset is None
        offsets[at] = known[offset]
    try:
        local = np.array([stamp.replace(",", ".") for stamp in stamps], dtype="datetime64[ns]").astype("i8")
    except ValueError:
        raise UnreadableFile("a stamp of a day or an hour that there is not", "correct the stamps") from None
    return moments_of(local, offsets * SECOND, any_naive=any_naive)


def moments_of(local: Instants, ahead: Instants, *, any_naive: bool) -> Moments:
    """The moments at which clocks that are so far ahead of UTC show what they show, in nanoseconds."""
    return Moments(local - ahead, ahead, (_NAIVE,) if any_naive else ())


def _seconds(offset: str) -> int:
    """How far an offset is ahead of UTC."""
    if not offset[-1].isdigit():
        return 0
    digits = offset[1:].replace(":", "").ljust(4, "0")
    ahead = int(digits[:2]) * 3600 + int(digits[2:]) * 60
    return -ahead if offset[0] == "-" else ahead


def _too_far(cell: str, place: str) -> UnreadableFile:
    message = f"{place}: a moment before {FIRST_YEAR} or after {LAST_YEAR}: {cell}"
    return UnreadableFile(message, "check the form of the stamps")


def _no_moment(cell: str, place: str) -> UnreadableFile:
    hint = "write 2026-11-20T14:30:00Z, or Unix time, in every row"
    if _DATE.fullmatch(cell):
        return UnreadableFile(f"{place}: a date without a time: {cell!r}", hint)
    return UnreadableFile(f"{place}: no moment: {clean(cell, 40)!r}", hint)
