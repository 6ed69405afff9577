"""RFC 4180 with LF line ends, tidy: one row a number, full precision, ISO dates, empty for "cannot say"."""

import csv
import io
import math
from typing import TYPE_CHECKING

from pairwatch.model import Comparison
from pairwatch.render import Page

if TYPE_CHECKING:
    from pairwatch.differences import Difference

HEADER = ("as_of", "a", "b", "window", "scope", "statistic", "value", "unit")
DIFFERENCE_HEADER = ("statistic", "scope", "unit", "from", "to", "change", "left", "entered", "revised")

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def comparison(c: Comparison, _page: Page, _since: "Difference | None" = None) -> str:
    """Every reading and every r(k), in the order of the catalogue."""
    pair = (c.as_of.isoformat(), text(str(c.a)), text(str(c.b)), str(c.window))
    return _table(HEADER, [(*pair, scope, key, number(value), text(unit)) for scope, key, value, unit in c.rows()])


def difference(d: "Difference", _page: Page) -> str:
    """Every change, in the order of the catalogue."""
    return _table(DIFFERENCE_HEADER, [(c.statistic.key, c.scope, text(c.unit), *map(number, c[3:])) for c in d.changes])


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(header)
    table.writerows(rows)
    return out.getvalue()


def number(value: float) -> str:
    """The shortest text that reads back as the same number; empty for NaN."""
    if not math.isfinite(value):
        return ""
    return repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def text(words: str) -> str:
    """Words as they are, but behind an apostrophe where a spreadsheet would run them as a formula.

    Legs cannot begin so; a currency is whatever its provider calls it.
    """
    return f"'{words}" if words.startswith(_FORMULA) else words
