"""Where legs come from: the contract, the names, and `load`.

A source is one module with one class. To add one: write `sources/NAME.py` with a class that keeps the contract
below, and name it in `_SOURCES`. Everything else (cache, statistics, formats) then works for its legs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from typing import Protocol

from pairwatch.errors import UsageError
from pairwatch.model import Facts, Fetched, Leg
from pairwatch.text import clean


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a source.

    Attributes:
        since: the first day that is wanted; None for the whole history.
        now: the instant of asking, in Unix seconds.
        deadline: seconds after which a remote source must have answered or raised `TimedOut`.
        known: what an earlier answer said of the leg, so that it need not be asked again.
    """

    leg: Leg
    now: float
    since: date | None = None
    deadline: float = 20.0
    known: Facts | None = None
    verbose: bool = False


class Source(Protocol):
    """The contract of a source.

    `fetch` answers with finished closes only, days in the exchange's own time zone, strictly increasing, finite;
    a bar of an open session becomes the quote. It raises nothing but `pairwatch.errors.SourceError` and its
    children, each message beginning with the leg, whatever the provider sends. It never prints, and gives up at
    the deadline. Text that it passes on went through `pairwatch.text.clean`.

    Attributes:
        name: the prefix of its legs.
        needs: what it needs to work, in a few words.
        example: a leg of it.
        about: one line for `pairwatch sources`.
    """

    name: str
    needs: str
    example: str
    about: str

    def fetch(self, request: Request) -> Fetched:
        """Fetch one leg.

        Raises:
            SourceError: the leg cannot be had; the class tells why.
        """


@dataclass(frozen=True, slots=True)
class _Entry:
    """How to find a source, and what must be known of it before it is imported."""

    module: str
    cls: str
    remote: bool


_SOURCES: Mapping[str, _Entry] = {
    "yahoo": _Entry("pairwatch.sources.yahoo", "Yahoo", remote=True),
    "csv": _Entry("pairwatch.sources.files", "Files", remote=False),
    "demo": _Entry("pairwatch.sources.demo", "Demo", remote=False),
}


def names() -> tuple[str, ...]:
    """The sources there are."""
    return tuple(_SOURCES)


def is_remote(name: str) -> bool:
    """Whether a source's answers are worth caching; local sources are read every time.

    Raises:
        UsageError: no such source.
    """
    return _entry(name).remote


def load(name: str) -> Source:
    """Import one source, and nothing of the others.

    Raises:
        UsageError: no such source.
    """
    entry = _entry(name)
    source: Source = getattr(import_module(entry.module), entry.cls)()
    return source


def _entry(name: str) -> _Entry:
    if name not in _SOURCES:
        raise UsageError(f"no source is called {clean(name)!r}", f"the sources are {', '.join(_SOURCES)}")
    return _SOURCES[name]
