"""Cells to numbers: one way of writing them must fit a file as a whole."""

import re
from collections.abc import Sequence
from typing import Final, Literal

import numpy as np

from pairwatch.errors import UnreadableFile
from pairwatch.model import NAN, Floats
from pairwatch.sources.files.days import Where
from pairwatch.text import clean

_Mark = Literal[".", ","]

_PLAIN: Final = r"[+-]?+(?:[0-9]++(?:\.[0-9]*+)?+|\.[0-9]++)(?:[eE][+-]?[0-9]{1,3}+)?+"
_PLAIN_COLUMN: Final = re.compile(rf"(?:{_PLAIN}|\.)?+(?:\n(?:{_PLAIN}|\.)?+)*+")
_SPACES: Final = " '\u2019\u00a0\u2009\u202f"
# FRED writes `.` or nothing, Yahoo `null`, pandas `nan`, R `NA`, spreadsheets `#N/A`.
_MISSING: Final = frozenset({"", ".", "-", "--", "\u2013", "null", "none", "nan", "na", "n/a", "#n/a", "<na>"})
_CURRENCY: Final = "[$\u00a3\u00a5\u20ac\u20b9]"


def _style(groups: str, mark: str) -> str:
    """Numbers with `mark` before the decimals and, perhaps, one of `groups` between thousands."""
    group = f"[{re.escape(groups)}]"
    whole = rf"(?:[1-9][0-9]{{0,2}}(?P<group>{group})[0-9]{{3}}(?:(?P=group)[0-9]{{3}})*|[0-9]+)"
    decimals = rf"{re.escape(mark)}[0-9]"
    return rf"[+-]?(?:{whole}(?:{decimals}*)?|{decimals}+)(?:[eE][+-]?[0-9]{{1,3}})?"


_STYLES: Final[dict[_Mark, str]] = {".": _style("," + _SPACES, "."), ",": _style("." + _SPACES, ",")}


def read_amounts(columns: Sequence[Sequence[str]], where: Where, separator: str) -> list[Floats]:
    """The numbers that columns of stripped cells stand for, NaN where there is none.

    Raises:
        UnreadableFile: a cell is no finite number, or the decimal mark cannot be told.
    """
    if separator != ";" and all(_PLAIN_COLUMN.fullmatch("\n".join(cells)) for cells in columns):
        found = [_plain_amounts(cells) for cells in columns]
    else:
        bare = [_bare(cells) for cells in columns]
        mark = _decimal_mark([cell for cells in bare for cell in cells if cell], separator)
        found = [_styled_amounts(cells, raw, mark, where) for cells, raw in zip(bare, columns, strict=True)]
    for amounts, cells in zip(found, columns, strict=True):
        _refuse_infinite(amounts, cells, where)
    return found


def _plain_amounts(cells: Sequence[str]) -> Floats:
    if all(cells) and "." not in cells:
        return np.array(list(map(float, cells)), dtype="f8")
    return np.array([float(cell) if cell and cell != "." else NAN for cell in cells], dtype="f8")


def _bare(cells: Sequence[str]) -> list[str]:
    """The cells without the currency sign of the first that has one; empty where a value is missing."""
    present = ["" if cell.lower() in _MISSING else cell for cell in cells]
    sign = next((found[0] for cell in present if (found := re.search(_CURRENCY, cell))), "")
    return [cell and (cell.replace(sign, "", 1).strip() or sign) for cell in present] if sign else present


def _decimal_mark(cells: Sequence[str], separator: str) -> _Mark:
    """The decimal mark with which all cells are numbers; where both marks would do, what the separator tells.

    Whoever separates by semicolons usually does so because the comma is the decimal mark. Where neither mark reads
    all cells, the one that reads on for longer is returned: reading with it then names the cell that is wrong.
    """
    usual: _Mark = "," if separator == ";" else "."
    other: _Mark = "." if usual == "," else ","
    if (read := _count_read(cells, usual)) < (read_by_other := _count_read(cells, other)):
        return other
    # In a file with commas between cells a quoted 1,234 can only be a thousand.
    if read == read_by_other == len(cells) and separator != "," and (odd := next((c for c in cells if other in c), "")):
        raise UnreadableFile(
            f"the mark in {_shown(odd)} may come before thousands or decimals, and nothing in the file tells which",
            "write 1234.5, and separate by commas",
        )
    return usual


def _count_read(cells: Sequence[str], mark: _Mark) -> int:
    """How many cells from the first on are numbers with this decimal mark."""
    fits = re.compile(_STYLES[mark]).fullmatch
    return next((at for at, cell in enumerate(cells) if not fits(cell)), len(cells))


def _styled_amounts(cells: Sequence[str], raw: Sequence[str], mark: _Mark, where: Where) -> Floats:
    fits = re.compile(_STYLES[mark]).fullmatch
    other = {",": ".", ".": ","}[mark]
    drop = str.maketrans({mark: ".", other: None, **dict.fromkeys(_SPACES)})
    amounts = np.full(len(cells), NAN)
    for at, cell in enumerate(cells):
        if not cell:
            continue
        if not fits(cell):
            raise _not_a_number(raw[at], where(at))
        amounts[at] = float(cell.translate(drop))
    return amounts


def _refuse_infinite(amounts: Floats, cells: Sequence[str], where: Where) -> None:
    infinite = np.flatnonzero(np.isinf(amounts))
    if infinite.size:
        at = int(infinite[0])
        raise UnreadableFile(f"{where(at)}: not a finite number: {_shown(cells[at])}", "correct the cell or empty it")


def _not_a_number(cell: str, place: str) -> UnreadableFile:
    if cell.endswith("%"):
        return UnreadableFile(f"{place}: a percent sign in {_shown(cell)}", "write 4.12, not 4.12%")
    return UnreadableFile(f"{place}: not a number: {_shown(cell)}", "correct the cell or empty it")


def _shown(cell: str) -> str:
    return repr(clean(cell, 40))
