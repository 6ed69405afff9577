"""Messages that are to be sent, and how often that was tried: the tables `messages` and `attempts`.

A message is stored before it is sent, once for each key. Every attempt is two lines: `sending` before it, and `sent` or
`failed` after it, each in a transaction of its own, so that none is open while a server is talked to. The first line is
a claim: nobody else sends the message meanwhile. A claim whose process died has no second line; after `CLAIM` seconds
the message may be sent again, so that it arrives at least once, and in that one case perhaps twice.
"""

import sqlite3
from typing import Any, Final, Literal, NamedTuple

from pairwatch.snapshots import rows
from pairwatch.snapshots.store import Store

# Seconds for which an attempt without an outcome is taken to be under way.
CLAIM: Final = 15 * 60.0

_TABLES: Final = ("messages", "attempts")
_LETTERS: Final = "SELECT id, key, recipient, at, subject, text, html FROM messages m "
_SENT: Final = "EXISTS (SELECT 1 FROM attempts t WHERE t.message = m.id AND t.outcome = 'sent') "


class Letter(NamedTuple):
    """A message to be sent.

    Attributes:
        key: no two messages have the same.
        recipient: a name without secrets.
        at: when it was written, in Unix seconds.
    """

    key: str
    recipient: str
    at: float
    subject: str
    text: str
    html: str


class Stored(NamedTuple):
    """A message of the outbox, by its number."""

    id: int
    letter: Letter


class Attempt(NamedTuple):
    """One line about a message."""

    at: float
    outcome: Literal["sending", "sent", "failed"]
    detail: str


class Outbox:
    """The messages of a store. All methods raise `StoreError` for one that cannot be used."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def put(self, letter: Letter) -> Stored:
        """Store a message, unless there is one of this key; returns what is stored."""
        with self._store.writing() as db:
            known = db.execute(f"{_LETTERS} WHERE key=?", (letter.key,)).fetchone()
            return _stored(known) if known else Stored(rows.new_row(db, "messages", **letter._asdict()), letter)

    def unsent(self, recipient: str, since: float) -> list[Stored]:
        """The messages to a recipient, written from an instant on, that were never sent; the oldest first."""
        which = f"WHERE recipient=? AND at>=? AND NOT {_SENT} ORDER BY id"
        with self._store.reading() as db:
            rows.examine(db, *_TABLES)
            return [_stored(row) for row in db.execute(_LETTERS + which, (recipient, float(since))).fetchall()]

    def last_sent(self, recipient: str, kind: str) -> Stored | None:
        """The newest of the messages that were sent to a recipient, of those whose keys begin with a word."""
        which = f"WHERE recipient=? AND key GLOB ? AND {_SENT} ORDER BY id DESC LIMIT 1"
        with self._store.reading() as db:
            found = db.execute(_LETTERS + which, (recipient, f"{kind} *")).fetchone()
        return _stored(found) if found else None

    def attempts(self, message: int) -> list[Attempt]:
        """The lines about a message, in their order."""
        with self._store.reading() as db:
            return _attempts(db, message)

    def claim(self, message: int, now: float) -> Literal["claimed", "sent", "busy"]:
        """Begin an attempt, unless the message was sent, or somebody is sending it."""
        with self._store.writing() as db:
            rows.examine(db, *_TABLES)  # a lost line would send it twice
            found = _attempts(db, message)
            if any(line.outcome == "sent" for line in found):
                return "sent"
            # A claim from the future (the clock was set back) blocks no longer than another.
            if found and found[-1].outcome == "sending" and abs(now - found[-1].at) < CLAIM:
                return "busy"
            _write(db, message, now, "sending", "")
        return "claimed"

    def finish(self, message: int, now: float, outcome: Literal["sent", "failed"], detail: str = "") -> None:
        """End an attempt."""
        with self._store.writing() as db:
            _write(db, message, now, outcome, detail)


def _stored(row: tuple[Any, ...]) -> Stored:
    return Stored(row[0], Letter(*row[1:]))


def _attempts(db: sqlite3.Connection, message: int) -> list[Attempt]:
    found = db.execute("SELECT at, outcome, detail FROM attempts WHERE message=? ORDER BY id", (message,)).fetchall()
    return [Attempt(*row) for row in found]


def _write(db: sqlite3.Connection, message: int, at: float, outcome: str, detail: str) -> None:
    rows.new_row(db, "attempts", message=message, at=float(at), outcome=outcome, detail=detail)
