"""RFC 4180 with LF line ends, tidy: one row a number, full precision, ISO dates, empty for "cannot say"."""

import csv
import io
import math

from pairwatch.model import Comparison
from pairwatch.render import Page

HEADER = ("as_of", "a", "b", "window", "scope", "statistic", "value", "unit")

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def comparison(c: Comparison, _page: Page) -> str:
    """Every reading and every r(k), in the order of the catalogue."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(HEADER)
    pair = (c.as_of.isoformat(), text(str(c.a)), text(str(c.b)), str(c.window))
    rows.writerows((*pair, scope, key, number(value), text(unit)) for scope, key, value, unit in c.rows())
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
