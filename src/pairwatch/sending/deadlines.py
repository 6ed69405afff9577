"""A limit to what takes as long as others like."""

from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeVar

# Seconds for what was abandoned to close its connections; it holds nobody up beyond them.
_GRACE = 0.5

T = TypeVar("T")


def within(seconds: float, work: Callable[[], T], abandon: Callable[[], None] = lambda: None) -> T | Exception:
    """What `work` returns or raises; a TimeoutError if that takes longer, and then it is told to `abandon`.

    In a thread, because nothing else sets a limit to the look-up of a name, or to a server that sends a byte a second.
    The exception is returned, so that an error made of it has no secret behind itself.
    """
    outcomes: SimpleQueue[T | Exception] = SimpleQueue()

    def run() -> None:
        try:
            outcomes.put(work())
        except Exception as error:  # noqa: BLE001 - judged by the caller
            outcomes.put(error)

    worker = Thread(target=run, name="pairwatch-sending", daemon=True)
    worker.start()
    try:
        return outcomes.get(timeout=seconds)
    except Empty:
        abandon()
        return TimeoutError()
    except BaseException:  # interrupted
        abandon()
        raise
    finally:
        worker.join(_GRACE)
