"""Moments and prices of long files, read many rows at a time where all of them are plainly written.

What is read so is what the careful way (`tables`, `instants`, `amounts`) reads, to the last bit; a test holds the two
together. Wherever anything is out of the ordinary, a quote, a blank, a mark for thousands, a day that there is not,
nothing is read here, and the careful way reads the file or says what is wrong with it, and where.
"""

import re
from typing import Final, NamedTuple, TypeAlias

import numpy as np

from pairwatch.bars import DAY, SECOND, Instants
from pairwatch.errors import SourceError
from pairwatch.model import NAN, Floats
from pairwatch.sources.files.instants import FARTHEST, FIRST_YEAR, ISO, LAST_YEAR, UNIX, Moments, moments_of, scaled
from pairwatch.sources.files.shapes import shape_of
from pairwatch.sources.files.tables import Table, table_of

_Bytes: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
_Mask: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.bool]]

# The header is looked for in so many characters, which must hold so many rows of values, or the whole file.
_HEAD: Final = 1 << 16
_ROWS: Final = 16
# So many characters are worked on at a time: few enough for the processor's cache.
_PIECE: Final = 1 << 20
# Cells longer than this, and stamps of more lengths within a piece, are no plain ones.
_LONGEST: Final = 40
_MOST_LENGTHS: Final = 12
# Of whole numbers so large, and of powers of ten so high, quotients are rounded once.
_EXACT: Final = 2**53
_POWERS: Final = np.array([float(10**k) for k in range(23)])
_ZERO, _DOT, _MINUS, _LINE_END = 48, 46, 45, 10


class Rows(NamedTuple):
    """What all rows say, in the order of the file.

    Attributes:
        prices: NaN where a cell is empty.
        label: the header of the column of prices.
        remarks: what had to be said of the header, or assumed of the stamps.
    """

    moments: Moments
    prices: Floats
    label: str
    remarks: tuple[str, ...]


class _Stamps(NamedTuple):
    """The stamps of some rows.

    Attributes:
        whole, parts: of Unix time, which is scaled when all is read; else nanoseconds by the clock, and zeros.
        ahead: what that clock is ahead of UTC, in nanoseconds.
    """

    whole: Instants
    parts: Instants
    ahead: Instants
    is_unix: bool
    is_naive: bool


class _Piece(NamedTuple):
    """Stamps and prices of some rows."""

    stamps: _Stamps
    prices: Floats


def read_in_bulk(text: str, wanted: str) -> Rows | None:
    r"""The rows of a CSV whose lines end in `\n`; None where the careful way has to read them."""
    if not text.isascii():
        return None
    head = text if len(text) <= _HEAD else text[: text.rfind("\n", 0, _HEAD) + 1]
    try:
        table = table_of(head)
        column = shape_of(table, wanted).close
        places, _ = table.read([table.day.at, column.at])
    except SourceError:
        return None
    if not places or (len(places) < _ROWS and len(head) < len(text)) or table.separator not in (",", "\t"):
        return None
    body = text.split("\n", places[0] - 1)[-1].rstrip("\n")
    pieces = None if '"' in body else _pieces(body.encode("ascii"), table, column.at)
    moments = pieces and _joined([piece.stamps for piece in pieces])
    if not pieces or not moments:
        return None
    prices = np.concatenate([piece.prices for piece in pieces])
    return Rows(moments, prices, column.label, (*table.remarks, *moments.remarks))


def _pieces(body: bytes, table: Table, column: int) -> list[_Piece] | None:
    width = max(table.day.at, *(each.at for each in table.columns)) + 1
    pieces, begin = [], 0
    while begin < len(body):
        end = len(body) if begin + _PIECE >= len(body) else body.rfind(b"\n", begin, begin + _PIECE)
        if end <= begin:
            return None
        piece = _piece(body[begin:end], table.separator, width, (table.day.at, column))
        if piece is None:
            return None
        pieces.append(piece)
        begin = end + 1
    return pieces


def _joined(stamps: list[_Stamps]) -> Moments | None:
    whole, parts, ahead = (np.concatenate(each) for each in list(zip(*stamps, strict=True))[:3])
    if len({some.is_unix for some in stamps}) > 1:
        return None
    if not stamps[0].is_unix:
        return moments_of(whole, ahead, any_naive=any(some.is_naive for some in stamps))
    times = scaled(whole, parts)
    return None if times is None else Moments(times, ahead)


def _piece(text: bytes, separator: str, width: int, wanted: tuple[int, int]) -> _Piece | None:
    """Some whole rows, the last one without its line end."""
    # Cells are looked at from their ends, too: what stands before the first one must be there.
    buffer = np.frombuffer(b"\n" * _LONGEST + text, dtype=np.uint8)
    line_ends = np.append(np.flatnonzero(buffer[_LONGEST:] == _LINE_END) + _LONGEST, len(buffer))
    marks = np.flatnonzero(buffer == ord(separator))
    if len(marks) != len(line_ends) * (width - 1):
        return None
    cuts = np.column_stack([marks.reshape(len(line_ends), width - 1), line_ends])
    before = np.append(_LONGEST - 1, line_ends[:-1])
    if (cuts[:, 0] < before).any() or (cuts[:, -2] > line_ends).any():
        return None  # one row has a cell too many, and another one too few
    cuts = np.column_stack([before, cuts])
    begins, ends = ((cuts[:, at] + 1, cuts[:, at + 1]) for at in wanted)
    stamps = _stamps(buffer, *begins)
    if stamps is None or (prices := _prices(buffer, *ends)) is None:
        return None
    return _Piece(stamps, prices)


# ---------------------------------------------------------------- stamps


def _stamps(buffer: _Bytes, begins: Instants, ends: Instants) -> _Stamps | None:
    """Stamps; those of one length must be of one form."""
    lengths = ends - begins
    kinds = np.unique(lengths) if lengths.min() < lengths.max() else lengths[:1]
    if len(kinds) > _MOST_LENGTHS or not 0 < kinds[0] <= kinds[-1] <= _LONGEST:
        return None
    whole, parts, ahead = np.zeros((3, len(begins)), dtype="i8")
    forms: list[_Stamps] = []
    for length in kinds.tolist():
        at = slice(None) if len(kinds) == 1 else np.flatnonzero(lengths == length)
        some = _of_one_form(buffer[begins[at] + np.arange(length)[:, None]])
        if some is None:
            return None
        whole[at], parts[at], ahead[at] = some[:3]
        forms.append(some)
    if len({form.is_unix for form in forms}) > 1:
        return None
    return _Stamps(whole, parts, ahead, forms[0].is_unix, any(form.is_naive for form in forms))


def _of_one_form(cells: _Bytes) -> _Stamps | None:
    """Stamps of one length, a character a row; None where they differ in more than their digits."""
    digits = cells - _ZERO  # what is less than "0" comes round to large numbers
    are_digits = digits < 10
    if not (are_digits == are_digits[:, :1]).all() or not ((cells == cells[:, :1]) | are_digits).all():
        return None
    first = cells[:, 0].tobytes().decode("ascii")
    if found := UNIX.fullmatch(first):
        return _unix(digits, found)
    found = ISO.fullmatch(first)
    return _iso(digits, found) if found else None


def _number(digits: _Bytes, begin: int, end: int) -> Instants:
    """The whole numbers in some places."""
    value = np.zeros(digits.shape[1], dtype="i8")
    for row in digits[begin:end]:
        value = value * 10 + row
    return value


def _part(digits: _Bytes, begin: int, end: int) -> Instants:
    """The billionths that decimals stand for."""
    return np.asarray(_number(digits, begin, end) * 10 ** (9 - end + begin))


def _unix(digits: _Bytes, found: re.Match[str]) -> _Stamps | None:
    if found.end(1) == 19 and digits[0].max() > 8:  # beyond 64 bits, or nearly so
        return None
    whole = _number(digits, *found.span(1))
    parts = _part(digits, *found.span(2)) if found[2] else np.zeros(len(whole), dtype="i8")
    return _Stamps(whole, parts, np.zeros(len(whole), dtype="i8"), is_unix=True, is_naive=False)


def _iso(digits: _Bytes, found: re.Match[str]) -> _Stamps | None:
    days, clock = _days(digits), found.start(2)
    hours, minutes = _number(digits, clock, clock + 2), _number(digits, clock + 3, clock + 5)
    seconds = _number(digits, clock + 6, min(clock + 8, found.end(2)))
    ahead = _ahead(digits, found)
    if days is None or max(hours.max() - 23, minutes.max() - 59, seconds.max() - 59) > 0:
        return None
    if np.abs(ahead).max() > FARTHEST:
        return None
    times = days * DAY + (hours * 3600 + minutes * 60 + seconds) * SECOND
    if found.end(2) > clock + 8:
        times += _part(digits, clock + 9, found.end(2))
    return _Stamps(times, np.zeros(len(times), dtype="i8"), ahead * SECOND, is_unix=False, is_naive=found[3] is None)


def _days(digits: _Bytes) -> Instants | None:
    """Days since 1970 of YYYY-MM-DD; None where there is no such day, or it is too far away."""
    years, months, days = (_number(digits, *span) for span in ((0, 4), (5, 7), (8, 10)))
    if years.min() < int(FIRST_YEAR) or years.max() > int(LAST_YEAR) or months.min() < 1 or months.max() > 12:
        return None
    begins = ((years - 1970) * 12 + months - 1).astype("M8[M]")
    found = begins.astype("M8[D]") + (days - 1)
    if days.min() < 1 or (found.astype("M8[M]") != begins).any():
        return None
    return np.asarray(found.astype("i8"))


def _ahead(digits: _Bytes, found: re.Match[str]) -> Instants:
    """What the offsets say, in seconds."""
    none = np.zeros(digits.shape[1], dtype="i8")
    if found[3] is None or not found[3][-1].isdigit():
        return none
    begin, end = found.span(3)
    minutes = _number(digits, end - 2, end) if end - begin > 3 else none  # +05 alone has none
    ahead = _number(digits, begin + 1, begin + 3) * 3600 + minutes * 60
    return np.asarray(-ahead if found[3][0] == "-" else ahead)


# ---------------------------------------------------------------- prices


def _prices(buffer: _Bytes, begins: Instants, ends: Instants) -> Floats | None:
    """Numbers such as `-12.50` and `7`; NaN of empty cells."""
    lengths = ends - begins
    most = max(int(lengths.max()), 1)
    if most > _LONGEST:
        return None
    places = np.arange(most)[:, None]
    cells = buffer[ends - most + places]  # a character a row, the last characters in the last one
    inside = places >= most - lengths
    digits = np.where(inside, cells - _ZERO, 255).astype(np.uint8)
    are_digits = digits < 10
    dots = (cells == _DOT) & inside
    minus = (cells == _MINUS) & (places == most - lengths)
    counts = are_digits.sum(axis=0, dtype="i8")
    if (dots.sum(axis=0) > 1).any() or ((counts == 0) & (lengths > 0)).any():
        return None
    if not (are_digits | dots | minus | ~inside).all():
        return None
    decimals = np.where(dots.any(axis=0), most - 1 - dots.argmax(axis=0), 0)
    return _values(buffer, begins, ends, _Number(digits, are_digits, counts, decimals, minus.any(axis=0)))


class _Number(NamedTuple):
    digits: _Bytes
    are_digits: _Mask
    counts: Instants
    decimals: Instants
    below_zero: _Mask


def _values(buffer: _Bytes, begins: Instants, ends: Instants, number: _Number) -> Floats:
    """Each number, rounded once."""
    whole = np.zeros(len(begins), dtype="i8")
    for row, here in zip(number.digits, number.are_digits, strict=True):
        whole = np.where(here, whole * 10 + row, whole)
    exact = (number.counts < 19) & (whole <= _EXACT) & (number.decimals < len(_POWERS))  # within 64 bits
    values: Floats = whole / _POWERS[np.minimum(number.decimals, len(_POWERS) - 1)]
    values = np.where(number.below_zero, -values, values)
    text = buffer.tobytes()
    for at in np.flatnonzero(~exact).tolist():
        values[at] = float(text[begins[at] : ends[at]])
    values[ends == begins] = NAN
    return values
