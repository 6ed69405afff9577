"""A deadline over whatever a library does: its own time-outs bound single reads, and often not even these."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from pairwatch.errors import TimedOut

T = TypeVar("T")

# Seconds after which work that waits for its turn is looked at again.
SHORTEST_LOOK = 0.05


def _no_turn() -> None:
    """Nothing to wait for."""


class Deadline:
    """So many seconds for some work; they stand still while it waits for a turn.

    Args:
        turn: waits until a request may go out.
    """

    def __init__(self, seconds: float, turn: Callable[[], None] = _no_turn) -> None:
        self._take = turn
        self._lock = threading.Lock()
        self._ends = time.monotonic() + seconds
        self._waiting = 0  # the threads that wait for a turn; the work may have several
        self._since = 0.0  # when the first of them began to
        self._over = False

    @property
    def stands_still(self) -> bool:
        """Whether a turn is waited for."""
        return self._waiting > 0

    def left(self) -> float:
        """Seconds to the deadline; none to who has been given up."""
        with self._lock:
            return 0.0 if self._over else self._ends - (self._since if self._waiting else time.monotonic())

    def give_up(self) -> None:
        """From now on nothing is left, and no turn is given."""
        self._over = True

    def turn(self) -> None:
        """Wait for a turn; raises what that raises, and `TimedOut` to who has been given up."""
        self._still_there()
        with self._lock:
            self._since = self._since if self._waiting else time.monotonic()
            self._waiting += 1
        try:
            self._take()
        finally:
            with self._lock:
                self._waiting -= 1
                if not self._waiting:
                    self._ends += time.monotonic() - self._since
        self._still_there()

    def _still_there(self) -> None:
        if self.left() <= 0:
            raise TimedOut("given up already")


def within(limit: float | Deadline, work: Callable[[], T], name: str = "pairwatch-fetch") -> T:
    """Run `work` in a daemon thread and wait for it so long, open to Ctrl-C all the while.

    Args:
        limit: seconds, or a deadline by which the work takes its turns.
        name: what the thread is called.

    Raises:
        TimedOut: `work` goes on unattended, and its result is lost.
    """
    deadline = limit if isinstance(limit, Deadline) else Deadline(limit)
    done: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:  # noqa: BLE001 - handed to the caller's thread, whatever it is
            failed.append(error)

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    try:
        while thread.is_alive() and (left := deadline.left()) > 0:
            thread.join(max(left, SHORTEST_LOOK) if deadline.stands_still else left)
    finally:  # also on Ctrl-C
        deadline.give_up()
    if failed:
        raise failed[0]
    if not done:
        raise TimedOut("no answer in time")
    return done[0]
