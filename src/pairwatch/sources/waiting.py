"""A deadline over whatever a library does: its own time-outs bound single reads, and often not even these."""

import threading
from collections.abc import Callable
from typing import TypeVar

from pairwatch.errors import TimedOut

T = TypeVar("T")


def within(seconds: float, work: Callable[[], T]) -> T:
    """Run `work` in a daemon thread and wait for it so long, open to Ctrl-C all the while.

    Raises:
        TimedOut: `work` goes on unattended, and its result is lost.
    """
    done: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:  # noqa: BLE001 - handed to the caller's thread, whatever it is
            failed.append(error)

    thread = threading.Thread(target=run, name="pairwatch-fetch", daemon=True)
    thread.start()
    thread.join(seconds)
    if failed:
        raise failed[0]
    if not done:
        raise TimedOut("no answer in time")
    return done[0]
