"""What the doctor says, whatever it has looked at."""

from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias

from pairwatch.text import clean

Severity = Literal["error", "warning", "note"]


class Finding(NamedTuple):
    """Something about the store: an error is a loss, a warning may become one, a note is good to know."""

    severity: Severity
    what: str
    hint: str = ""


Found: TypeAlias = Iterator[Finding]


def why(error: Exception) -> str:
    """An error in its own words."""
    return clean(getattr(error, "strerror", None) or error)
