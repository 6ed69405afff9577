"""What belongs to the whole process, changed for a while by several threads at once."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Lock


class Shared:
    """A change that the first thread makes and the last one takes back, so that none is put back too early or twice.

    Whoever comes while others are inside finds it as the first one wanted it.
    """

    def __init__(self, change: Callable[[bool], AbstractContextManager[None]]) -> None:
        self._change = change
        self._lock = Lock()
        self._inside = 0
        self._made: AbstractContextManager[None] | None = None

    @contextmanager
    def __call__(self, *, verbose: bool) -> Iterator[None]:
        """Be inside."""
        with self._lock:
            if self._made is None:
                self._made = self._change(verbose)
                self._made.__enter__()
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
                if not self._inside:
                    made, self._made = self._made, None
                    made.__exit__(None, None, None)


@contextmanager
def _ignoring(verbose: bool) -> Iterator[None]:  # noqa: FBT001 - the only one
    with warnings.catch_warnings():
        warnings.simplefilter("default" if verbose else "ignore")
        yield


# Libraries' words to their own authors are kept from the user, unless they are asked for.
unwarned = Shared(_ignoring)
