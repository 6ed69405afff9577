"""One stored comparison, and the checksum that covers it."""

import json
import struct
import zlib
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from pairwatch.database import Damaged, checksum
from pairwatch.model import NAN, Comparison, Floats, Leg, Window
from pairwatch.pairs import Question
from pairwatch.retrieval import History


class Taken(NamedTuple):
    """What is to be stored: a comparison, what was asked, what it was computed from, and when (Unix seconds)."""

    found: Comparison
    question: Question
    a: History
    b: History
    at: float


class Named(NamedTuple):
    """What a stored number is of."""

    scope: str
    key: str
    unit: str


class Snapshot(NamedTuple):
    """A stored comparison, without its numbers.

    Attributes:
        session: the last common finished close, which the numbers are of.
        revision: 1 for the first snapshot of a session; one more each time that its inputs had changed.
        taken_at: when, in Unix seconds.
        program: the version of pairwatch that computed it.
    """

    id: int
    a: Leg
    b: Leg
    question: Question
    session: date
    revision: int
    taken_at: float
    program: str

    def __str__(self) -> str:
        return f"{self.session}" if self.revision == 1 else f"{self.session}.{self.revision}"


class Numbers(NamedTuple):
    """What one snapshot said: m names, and m values, NaN for "cannot say"."""

    snapshot: Snapshot
    names: tuple[Named, ...]
    values: Floats


def question_text(question: Question) -> str:
    """What is asked, but for the day, as the JSON by which snapshots of a pair belong together."""
    return json.dumps(
        {
            "window": str(question.window),
            "max_lag": int(question.max_lag),
            "adjust": question.adjustment,
            "seed": int(question.seed),
        }
    )


def question_of(text: str, as_of: str) -> Question:
    """What `question_text` was made of; raises `Damaged` for anything else."""
    try:
        asked = json.loads(text)
        window = Window.parse(asked["window"])
        return Question(date.fromisoformat(as_of), window, asked["max_lag"], asked["adjust"], asked["seed"])
    except (ValueError, KeyError, TypeError) as error:
        raise Damaged("a question") from error


def stored(value: float) -> float | None:
    """A number as SQLite gives it back: no NaN, and no zero with a sign."""
    return None if value != value else float(value) + 0.0  # noqa: PLR0124 - NaN alone differs from itself


def batch_checksum(head: Sequence[object], names: tuple[Named, ...], values: Sequence[object]) -> int:
    """CRC-32 of a batch: its head, and its numbers in the alphabetical order of their names."""
    order, crc = _order(names)
    numbers = struct.pack(f"<{len(order)}d", *(NAN if (value := values[at]) is None else value for at in order))
    return zlib.crc32(numbers, zlib.crc32(crc.to_bytes(4), checksum(head)))


@lru_cache(maxsize=64)  # all batches of a pair share their names
def _order(names: tuple[Named, ...]) -> tuple[tuple[int, ...], int]:
    order = tuple(sorted(range(len(names)), key=names.__getitem__))
    return order, checksum(text for at in order for text in names[at])
