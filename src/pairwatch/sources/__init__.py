"""Where legs come from: the contract, the names, and `load`.

A source is one module with one class. To add one: write `sources/NAME.py` with a class that keeps the contract
below, and name it in `_SOURCES`. Everything else (cache, statistics, formats) then works for its legs.
"""

from collections.abc import Mapping
from datetime import date
from importlib import import_module
from typing import NamedTuple, Protocol

from pairwatch.errors import UsageError
from pairwatch.model import Facts, Fetched, Leg
from pairwatch.text import clean


class Request(NamedTuple):
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
    """

    def fetch(self, request: Request) -> Fetched:
        """Fetch one leg.

        Raises:
            SourceError: the leg cannot be had; the class tells why.
        """


class About(NamedTuple):
    """What can be said of a source before it is imported.

    Attributes:
        module, cls: where it is.
        remote: whether its answers are worth keeping in the cache; local sources are read every time.
        gives: what its legs are.
        needs: what it needs to work.
        example: a leg of it.
    """

    module: str
    cls: str
    remote: bool
    gives: str
    needs: str
    example: str


_SOURCES: Mapping[str, About] = {
    "yahoo": About(
        "pairwatch.sources.yahoo",
        "Yahoo",
        remote=True,
        gives="stocks, funds, indices, currencies, futures and crypto, by Yahoo's symbols (the default)",
        needs="the network",
        example="yahoo:^VIX",
    ),
    "csv": About(
        "pairwatch.sources.files",
        "Files",
        remote=False,
        gives="a CSV or parquet file as Yahoo, Stooq, FRED or CBOE give it, or a date and a value; - is standard input",
        needs="a file, or CSV on standard input",
        example="csv:prices.csv#IWM",
    ),
    "demo": About(
        "pairwatch.sources.demo",
        "Demo",
        remote=False,
        gives="simulated pairs with a known truth: LEADER FOLLOWER, TWIN1 TWIN2, LONE1 LONE2, COINT1 COINT2, "
        "BREAK1 BREAK2, WEEK7 WEEK5",
        needs="nothing",
        example="demo:LEADER",
    ),
}


def names() -> tuple[str, ...]:
    """The sources there are."""
    return tuple(_SOURCES)


def about(name: str) -> About:
    """What is known of a source without importing it.

    Raises:
        UsageError: no such source.
    """
    if name not in _SOURCES:
        raise UsageError(f"no source is called {clean(name)!r}", f"the sources are {', '.join(_SOURCES)}")
    return _SOURCES[name]


def load(name: str) -> Source:
    """Import one source, and nothing of the others.

    Raises:
        UsageError: no such source.
    """
    found = about(name)
    source: Source = getattr(import_module(found.module), found.cls)()
    return source
