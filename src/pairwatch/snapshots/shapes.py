"""Rows that no checksum covers, and what they must look like."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

_TEXT: Final = "typeof({0}) <> 'text'"
_REAL: Final = "typeof({0}) <> 'real'"
_DAY: Final = "typeof({0}) <> 'text' OR date({0}, '+0 days') IS NOT {0}"
_NUMBER: Final = "typeof({0}) NOT IN ('integer', 'null')"
# What is wrong with a column, by table.
_WRONG: Final = {
    "changes": {
        "rule": _TEXT,
        "session": _DAY,
        "at": _REAL,
        "change": "{0} NOT IN ('began', 'ended', 'cried', 'told', 'unsaid')",
        "because": _TEXT,
    },
    "messages": {"key": _TEXT, "recipient": _TEXT, "at": _REAL, "subject": _TEXT, "text": _TEXT, "html": _TEXT},
    "attempts": {"at": _REAL, "outcome": "{0} NOT IN ('sending', 'sent', 'failed')", "detail": _TEXT},
    "journal": {"run": _NUMBER, "at": _REAL, "kind": _TEXT, "detail": _TEXT},
}


def wrong(db: sqlite3.Connection, *tables: str) -> Iterator[str]:
    """The rows of some tables that cannot be what was written, in words."""
    for table in tables:
        conditions = " OR ".join(what.format(column) for column, what in _WRONG[table].items())
        text = f"SELECT id FROM {table} WHERE {conditions} ORDER BY id"  # noqa: S608 - constants
        yield from (f"row {number} of {table} is not what was written" for (number,) in db.execute(text))


def has_rules(db: sqlite3.Connection) -> bool:
    """Whether the file is of a schema that has rules and messages: the second brought them."""
    return bool(db.execute("PRAGMA user_version").fetchone()[0] > 1)


def minute(at: float) -> str:
    """An instant (Unix seconds) to the minute; words for one that no calendar has."""
    try:
        return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError, OSError):
        return "an unknown day"
