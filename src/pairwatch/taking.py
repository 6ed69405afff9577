"""A run of snapshots: each leg is had once, and each pair is stored in a transaction of its own.

The store's journal says how it went. What fails is written down there, and stops nothing else.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Literal, NamedTuple

from pairwatch import pairs
from pairwatch.errors import PairwatchError, SourceError, StoreError
from pairwatch.histories import History
from pairwatch.model import Comparison, Leg
from pairwatch.receipts import as_of
from pairwatch.retrieval import MEANWHILE, Desk
from pairwatch.snapshots import Line, Snapshot, Store, Taken
from pairwatch.snapshots.batch import sessions
from pairwatch.snapshots.shapes import minute
from pairwatch.staging import Question, Windows
from pairwatch.text import age

# How many beginnings and ends are looked at for a run that did not end: other runs may have begun meanwhile.
RECENT = 100


class Outcome(NamedTuple):
    """How the snapshot of one pair went.

    Attributes:
        found: the comparison, also where it could not be stored.
        snapshot: as it is stored; None where there is none.
        is_new: whether this run has stored it; an earlier one had the same inputs otherwise.
        missed: sessions since the pair's snapshot before this one of which there is none.
        stale: why its legs are older than they should be.
        error: why there is no comparison, or why it is not stored (`StoreError`).
    """

    a: Leg
    b: Leg
    found: Comparison | None = None
    snapshot: Snapshot | None = None
    is_new: bool = False
    missed: tuple[date, ...] = ()
    stale: tuple[str, ...] = ()
    error: PairwatchError | None = None

    @property
    def state(self) -> Literal["stored", "known", "failed", "refused"]:
        """In a word; `refused` is a comparison that the store did not take."""
        if self.error:
            return "refused" if isinstance(self.error, StoreError) else "failed"
        return "stored" if self.is_new else "known"


class Legs:
    """The legs of a run, each had once: also a failure is not tried again for the next pair."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._had: dict[Leg, History | SourceError] = {}

    def history(self, leg: Leg) -> History:
        """The leg's history.

        Raises:
            SourceError: it could not be had, now or before.
        """
        if leg not in self._had:
            try:
                self._had[leg] = self._desk.history(leg)
            except SourceError as error:
                self._had[leg] = error
        found = self._had[leg]
        if isinstance(found, SourceError):
            raise found
        return found


class Run:
    """One run over some pairs, at an instant `now` (Unix seconds).

    Args:
        windows: of the pairs that have one of their own.

    A store that refuses once is left alone for the rest of the run, whose comparisons are handed out all the same.
    """

    def __init__(
        self, desk: Desk, store: Store, question: Question, now: float, windows: Windows | None = None
    ) -> None:
        self._legs = Legs(desk)
        self._store = store
        self._question = question
        self._windows = windows or {}
        self._now = now
        self._number: int | None = None
        self._refusal: StoreError | None = None

    def take(self, chosen: Sequence[tuple[Leg, Leg]]) -> Iterator[Outcome]:
        """Compare and store pair after pair."""
        self._number = self._write("began", {"pairs": len(chosen), "pid": os.getpid()})
        counts = dict.fromkeys(("stored", "known", "failed", "refused"), 0)
        for a, b in chosen:
            outcome = self._one(a, b)
            counts[outcome.state] += 1
            yield outcome
        self._write("ended", counts)

    def _one(self, a: Leg, b: Leg) -> Outcome:
        asked = self._question.of(a, b, self._windows)
        try:
            first, second = (as_of(self._legs.history(leg), asked.as_of) for leg in (a, b))
            found = pairs.compare(first, second, asked)
        except PairwatchError as error:
            detail = {"a": str(a), "b": str(b), "exit_code": error.exit_code, "message": error.message}
            self._write("failed", detail)
            return Outcome(a, b, error=error)
        if self._refusal:
            return Outcome(a, b, found, error=self._refusal)
        try:
            return self._stored(Taken(found, asked, first, second, self._now))
        except StoreError as refusal:
            self._refusal = refusal
            return Outcome(a, b, found, error=refusal)

    def _stored(self, taken: Taken) -> Outcome:
        found = taken.found
        before = self._store.latest(found.a, found.b, taken.question)
        snapshot, is_new = self._store.append(taken)
        missed = _between(before.session, snapshot.session, taken) if before and is_new else ()
        return Outcome(found.a, found.b, found, snapshot, is_new, missed, found.stale_reasons)

    def _write(self, kind: str, detail: Mapping[str, object]) -> int | None:
        """A line in the journal, as long as the store takes any."""
        if self._refusal:
            return None
        try:
            return self._store.note(kind, self._now, json.dumps(detail), self._number)
        except StoreError as refusal:
            self._refusal = refusal
            return None


def _between(earlier: date, later: date, taken: Taken) -> tuple[date, ...]:
    """The sessions between two of them."""
    every: list[date] = sessions(taken.a.series, taken.b.series, taken.question.align).tolist()
    return tuple(day for day in every if earlier < day < later)


def left_behind(store: Store, now: float) -> list[str]:
    """What a new run finds: a run before it that was cut short, or a clock that has been set back.

    Raises:
        StoreError: the store cannot be read.
    """
    lines = store.journal(("began", "ended"), RECENT)
    found = []
    if lines and lines[-1].at > now + MEANWHILE:
        found.append(f"the clock is {age(lines[-1].at - now)} behind that of the last run: was it set back?")
    last = next((line for line in reversed(lines) if line.kind == "began"), None)
    if last and not any(line.kind == "ended" and line.run == last.id for line in lines) and not _is_running(last):
        found.append(f"the run of {minute(last.at)} was cut short; what it had stored is kept")
    return found


def _is_running(began: Line) -> bool:
    """Whether the process that wrote the line still runs on this machine; this one has not begun yet.

    In a container every run may have the same number.
    """
    try:
        process = int(json.loads(began.detail)["pid"])
    except (ValueError, TypeError, KeyError, OverflowError):  # OverflowError: infinity
        return False
    if process <= 0 or process == os.getpid() or os.name != "posix":
        return False
    try:
        os.kill(process, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):  # there is none, or none can have such a number
        return False
    return True
