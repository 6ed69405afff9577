"""What is asked for: legs, and how far back."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal, Self

from pairwatch.errors import UsageError
from pairwatch.text import clean, is_clean

Align = Literal["date", "nearest", "two-day"]

DEFAULT_SOURCE = "yahoo"
LONGEST_PATH = 4096
# Sources whose symbols are in capitals, or in none; those of any other are taken as they are typed.
_CAPITALS, _NO_CAPITALS = ("yahoo", "fred", "cboe", "demo", "given"), ("coingecko",)

_SOURCE = re.compile(r"[a-z][a-z0-9_]{1,15}\Z")
_SYMBOL = re.compile(r"\^?[A-Z0-9](?:[A-Z0-9&_=^-]|\.(?!\.)){0,63}\Z")
_COIN = re.compile(r"[a-z0-9](?:[a-z0-9_-]|\.(?!\.)){0,99}(?:/[a-z]{3,5})?\Z")
_ANY_CASE = re.compile(r"\^?[A-Za-z0-9](?:[A-Za-z0-9&_=^/+:-]|\.(?!\.)){0,99}\Z")
_WINDOW = re.compile(r"([1-9][0-9]{0,4})(d|w|mo|y|b)\Z")


@dataclass(frozen=True, slots=True)
class Leg:
    """One side of a pair: a symbol at a source.

    `str(leg)` is the symbol alone for the default source, `source:symbol` for any other.
    """

    source: str
    symbol: str

    @classmethod
    def parse(cls, text: str, source: str = DEFAULT_SOURCE) -> Self:
        """Read `[source:]symbol`; `-` is CSV on standard input.

        Raises:
            UsageError: not a leg; the text is shown with its control characters replaced.
        """
        if text == "-":
            return cls("csv", "-")
        prefix, colon, rest = text.partition(":")
        if colon and _SOURCE.match(prefix):
            source, text = prefix, rest
        # Another case makes ASCII letters of some others, which are no symbols.
        if text.isascii():
            text = text.upper() if source in _CAPITALS else text.lower() if source in _NO_CAPITALS else text
        return cls(source, text)

    def __post_init__(self) -> None:
        if not (_SOURCE.match(self.source) and _is_symbol(self.source, self.symbol)):
            raise UsageError(
                f"not a leg: {clean(self.source)}:{clean(self.symbol) or '(empty)'}",
                "a leg is [source:]symbol, such as QQQ, yahoo:^VIX, csv:prices.csv#IWM or demo:LEADER",
            )

    def __str__(self) -> str:
        return self.symbol if self.source == DEFAULT_SOURCE else f"{self.source}:{self.symbol}"


def _is_symbol(source: str, text: str) -> bool:
    if source == "csv":
        return 0 < len(text) <= LONGEST_PATH and is_clean(text)
    form = _SYMBOL if source in _CAPITALS else _COIN if source in _NO_CAPITALS else _ANY_CASE
    return form.match(text) is not None


@dataclass(frozen=True, slots=True)
class Window:
    """How far back the statistics look: calendar days, weeks, months, years, or bars."""

    count: int
    unit: Literal["d", "w", "mo", "y", "b"]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `90d`, `12w`, `6mo`, `1y` or `61b`.

        Raises:
            UsageError: anything else.
        """
        found = _WINDOW.match(text.strip().lower())
        if not found:
            raise UsageError(
                f"not a window: {clean(text)!r}", "a window is 90d (calendar days), 12w, 6mo, 1y or 61b (bars)"
            )
        return cls(int(found[1]), found[2])  # type: ignore[arg-type]

    def start(self, end: date) -> date:
        """The calendar day on which a window ending at `end` starts (`end` itself for bars)."""
        if self.unit == "b":
            return end
        if self.unit in "dw":
            return date.fromordinal(max(1, end.toordinal() - self.count * (7 if self.unit == "w" else 1)))
        return months_before(end, self.count * (12 if self.unit == "y" else 1))

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"


def months_before(day: date, months: int) -> date:
    """The same day of the month, `months` earlier, or that month's last day where it has none."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    if year < 1:
        return date.min
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, last)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")
