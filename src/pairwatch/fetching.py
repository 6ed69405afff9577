"""Many legs fetched into the cache, in parallel as far as their sources allow."""

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

import numpy as np

from pairwatch.errors import PairwatchError
from pairwatch.histories import History
from pairwatch.model import Leg
from pairwatch.retrieval import Desk

State = Literal["fetched", "fresh", "stale", "failed"]

# So many requests at most are on their way at the same time, whatever the sources allow.
MOST = 8


class Outcome(NamedTuple):
    """What became of one leg.

    Attributes:
        state: `fetched` from its source just now, still `fresh` (files and simulations always are), `stale` where the
            source failed and older data are held, or `failed`.
        bars, first, last: what is held of it.
        seconds: how long it took.
        error: why it failed.
        remarks: what is to be said of it; why it is stale comes first.
        refetched: whether its history was restated, and taken as it is now.
    """

    leg: Leg
    state: State
    bars: int = 0
    first: np.datetime64 | None = None
    last: np.datetime64 | None = None
    seconds: float = 0.0
    error: PairwatchError | None = None
    remarks: tuple[str, ...] = ()
    refetched: bool = False


def fetch(desk: Desk, legs: Iterable[Leg], most: int = MOST) -> Iterator[Outcome]:
    """Fetch legs into the cache; each is reported once, as soon as it is done.

    At most `most` are on their way at once, and of each source as many as it allows; one that only waits for its turn,
    or for the end of a pause, is on no way yet, so that a slow source does not hold up the others. What is fresh is not
    asked for again, so that a run that was broken off goes on where it stopped. Whoever stops listening stops the work:
    what is on its way then is left to itself, and what was stored stays.
    """
    waiting: dict[str, queue.SimpleQueue[Leg]] = {}
    counts: dict[str, int] = {}
    for leg in dict.fromkeys(legs):
        waiting.setdefault(leg.source, queue.SimpleQueue()).put(leg)
        counts[leg.source] = counts.get(leg.source, 0) + 1
    crew = _Crew(desk, waiting, max(most, 1))
    try:
        crew.start(counts)
        for _ in range(sum(counts.values())):
            done = crew.done.get()
            if isinstance(done, BaseException):
                raise done
            yield done
    finally:
        crew.stopped.set()


class _Crew:
    """Threads that fetch, some for each source. They are daemons: nobody waits for them when the run ends."""

    def __init__(self, desk: Desk, waiting: dict[str, "queue.SimpleQueue[Leg]"], most: int) -> None:
        self.done: queue.SimpleQueue[Outcome | BaseException] = queue.SimpleQueue()
        self.stopped = threading.Event()
        self._most = most
        self._free = threading.Semaphore(most)
        self._desk = desk.giving_way(self._free)
        self._waiting = waiting

    def start(self, counts: dict[str, int]) -> None:
        """Start as many threads for each source as it allows, and has work for."""
        for source, count in counts.items():
            try:
                abreast = self._desk.pace(source).abreast
            except PairwatchError:
                abreast = 1  # every one of its legs will say why
            for _ in range(min(abreast, count, self._most)):
                threading.Thread(target=self._work, args=(source,), name=f"fetch-{source}", daemon=True).start()

    def _work(self, source: str) -> None:
        while not self.stopped.is_set():
            try:
                leg = self._waiting[source].get_nowait()
            except queue.Empty:
                return
            try:
                with self._free:
                    if not self.stopped.is_set():
                        self.done.put(_fetched(self._desk, leg))
            except BaseException as bug:  # noqa: BLE001 - handed to the caller's thread, whatever it is
                self.done.put(bug)
                return


def _fetched(desk: Desk, leg: Leg) -> Outcome:
    began = desk.seconds()
    try:
        history = desk.given(leg)
    except PairwatchError as error:
        return Outcome(leg, "failed", seconds=desk.seconds() - began, error=error)
    series, provenance = history.series, history.provenance
    return Outcome(
        leg,
        _state(history),
        len(series),
        series.dates[0],
        series.dates[-1],
        desk.seconds() - began,
        remarks=(*filter(None, [provenance.stale]), *provenance.remarks),
        refetched=provenance.refetched,
    )


def _state(history: History) -> State:
    if history.provenance.stale:
        return "stale"
    return "fetched" if history.provenance.origin == "network" else "fresh"
