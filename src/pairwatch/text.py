"""Text from outside, made safe once, where it enters.

Provider names, file cells and error bodies may carry terminal escapes, bidirectional overrides or invisible
characters. Whatever reaches a type of `pairwatch.model` has passed through `clean`.
"""

import re
from collections.abc import Callable, Sequence

LONGEST = 80
# What needs more decimals than these to be told from an edge lies on it.
MOST_DECIMALS = 6

# C0, DEL and C1 controls; zero-width and bidirectional marks; line and paragraph separators; the byte-order
# mark; lone surrogates, which cannot be encoded; tag characters. Each becomes U+FFFD.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def clean(text: object, longest: int = LONGEST) -> str:
    """Return `text` as one printable line of at most `longest` characters.

    Runs of white space become one space; every control, invisible or direction-changing character becomes
    U+FFFD, so that an attempt stays visible; a longer text ends in an ellipsis.
    """
    line = _UNSAFE.sub("\ufffd", " ".join(str(text).split()))
    return line if len(line) <= longest else line[: longest - 1] + "…"


def is_clean(text: str) -> bool:
    """Whether `text` holds no character that `clean` would replace."""
    return _UNSAFE.search(text) is None


def listing(items: Sequence[object], most: int = 3) -> str:
    """Join a few items, and count the rest: `a, b, c and 4 more`."""
    shown = ", ".join(str(item) for item in items[:most])
    return shown if len(items) <= most else f"{shown} and {len(items) - most} more"


def plural(count: int, noun: str) -> str:
    """`1 bar`, `2 bars`, `2 entries`."""
    if count == 1:
        return f"1 {noun}"
    return f"{count:,} {noun[:-1]}ies" if noun.endswith("try") else f"{count:,} {noun}s"


def between(
    low: float, high: float, least: int = 2, edge: float = 0.0, form: Callable[[float, int], str] | None = None
) -> str:
    """Both ends of an interval in words: `-0.001 to 0.58`, and not `0.00 to 0.58`.

    Args:
        least: how many decimals an end has, unless it takes more to see on which side of `edge` it lies.
        form: writes a number with so many decimals.
    """
    written = form or plain
    return " to ".join(written(end, _decimals(end, least, edge)) for end in (low, high))


def plain(value: float, digits: int) -> str:
    """A number with so many decimals; what rounds to nothing has no sign."""
    return f"{value:z.{digits}f}"


def _decimals(value: float, least: int, edge: float) -> int:
    if value == edge:
        return least
    return next((n for n in range(least, MOST_DECIMALS) if round(value, n) != round(edge, n)), MOST_DECIMALS)


def age(seconds: float) -> str:
    """A duration in its largest fitting unit: `40 s`, `12 min`, `5 h`, `3 days`."""
    for size, unit in ((86_400, "day"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size or (seconds >= size and unit != "day"):
            count = int(seconds // size)
            return plural(count, unit) if unit == "day" else f"{count} {unit}"
    return f"{max(0, int(seconds))} s"
