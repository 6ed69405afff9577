"""One stored comparison, and the checksum that covers it."""

import json
import zlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from pairwatch.alignment import matches
from pairwatch.database import Damaged, checksum
from pairwatch.errors import UsageError
from pairwatch.histories import History
from pairwatch.model import NAN, Align, Comparison, Days, Floats, Leg, Series, Window
from pairwatch.staging import Question


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


def sessions(a: Series, b: Series, how: Align) -> Days:
    """The days that a pair can be snapped of, each by what is known as of then.

    Which close is every second one depends on the last: under `two-day` each common day is the last of bars of its own.

    Raises:
        UsageError: legs that cannot be lined up so.
    """
    return matches(a, b, "date" if how == "two-day" else how).dates


def question_text(question: Question) -> str:
    """What is asked, but for the day, as the JSON by which snapshots of a pair belong together."""
    asked = {
        "window": str(question.window),
        "max_lag": int(question.max_lag),
        "adjust": question.adjustment,
        "seed": int(question.seed),
    }
    # Only where they are unusual: they came later, and what was stored before them stays the same question.
    later = {"currency": question.currency, "align": question.align}
    return json.dumps(asked | {key: value for key, value in later.items() if value not in ("", "date")})


def question_of(text: str, as_of: str) -> Question:
    """What `question_text` was made of; raises `Damaged` for anything else."""
    try:
        return replace(_asked(text), as_of=date.fromisoformat(as_of))
    except (ValueError, TypeError) as error:
        raise Damaged("the day of a question") from error


@lru_cache(maxsize=256)  # a pair's snapshots share it
def _asked(text: str) -> Question:
    try:
        asked = json.loads(text)
        return Question(
            date.min,
            Window.parse(asked["window"]),
            asked["max_lag"],
            asked["adjust"],
            asked["seed"],
            _currency(asked.get("currency", "")),
            asked.get("align", "date"),
        )
    except (ValueError, KeyError, TypeError, AttributeError, UsageError) as error:
        raise Damaged("a question") from error


def _currency(found: object) -> str:
    if isinstance(found, str):
        return found
    raise TypeError("a currency is a text")


def as_stored(values: Iterable[float]) -> Floats:
    """Numbers as SQLite gives them back: no zero has a sign, and there is one NaN, which SQLite calls NULL."""
    found = np.array(tuple(values), dtype="f8") + 0.0
    found[np.isnan(found)] = NAN
    return found


def batch_checksum(head: tuple[object, ...], names: tuple[Named, ...], values: Floats) -> int:
    """CRC-32 of a batch: the names of its numbers, its head, and the numbers."""
    return zlib.crc32(values.astype("<f8").tobytes(), zlib.crc32(repr(head).encode(), _names_checksum(names)))


@lru_cache(maxsize=64)  # a pair's snapshots share them
def _names_checksum(names: tuple[Named, ...]) -> int:
    return checksum(text for name in names for text in name)
