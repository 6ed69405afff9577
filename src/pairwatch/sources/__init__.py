"""Where legs come from: the contract, the names, and `load`.

A source is one class. To add one here, write `sources/NAME.py` (or a package) with a class that keeps the contract
below, and name it in `_SOURCES`; in a package of your own, see `pairwatch.sources.plugins`. Everything else (cache,
statistics, formats) then works for its legs.
"""

from collections.abc import Callable, Mapping
from datetime import date
from importlib import import_module
from types import MappingProxyType
from typing import NamedTuple, Protocol

from pairwatch.errors import UsageError
from pairwatch.model import Facts, Fetched, Leg
from pairwatch.text import clean


class Key(NamedTuple):
    """What a user has been given by a provider, to be shown nowhere.

    Attributes:
        name: the variable that it is called by, which tells what kind of key it is.
        where: the place that it was found in, where that is known.
    """

    name: str
    secret: str
    where: str = ""

    def __str__(self) -> str:
        """Its name and place, for whoever has to mend it."""
        return f"{self.name}, in {self.where}" if self.where else self.name

    def __repr__(self) -> str:
        """The name alone: it may stand in a log."""
        return f"Key({self.name})"


def at_once() -> None:
    """No turn to wait for."""


class Request(NamedTuple):
    """What is asked of a source.

    Attributes:
        since: the first day that is wanted; None for the whole history.
        now: the instant of asking, in Unix seconds.
        deadline: seconds after which a remote source must have answered or raised `TimedOut`.
        known: what an earlier answer said of the leg, so that it need not be asked again.
        key: the user's key for the provider, if there is one.
        turn: to be called before each request that goes out: it waits until the provider may be asked again, and
            raises `TimedOut` where that is too long to wait.
    """

    leg: Leg
    now: float
    since: date | None = None
    deadline: float = 20.0
    known: Facts | None = None
    verbose: bool = False
    key: Key | None = None
    turn: Callable[[], None] = at_once


class Source(Protocol):
    """The contract of a source.

    `fetch` answers with finished closes only, days in the exchange's own time zone, strictly increasing, finite;
    a bar of an open session becomes the quote; a value of a longer period than a day is dated by the period's last
    day. It raises nothing but `pairwatch.errors.SourceError` and its children, each message beginning with the leg,
    whatever the provider sends. It never prints, and gives up at the deadline. Text that it passes on went through
    `pairwatch.text.clean`. It may be called from several threads at once.
    """

    def fetch(self, request: Request) -> Fetched:
        """Fetch one leg.

        Raises:
            SourceError: the leg cannot be had; the class tells why.
        """


class Pace(NamedTuple):
    """How hard a provider may be asked.

    Attributes:
        gap: seconds from one request to the next in the long run, over all processes of this machine.
        burst: so many may go out without a gap after a rest.
        abreast: so many may be on their way at the same time, in one process.
    """

    gap: float = 0.0
    burst: int = 1
    abreast: int = 1


class About(NamedTuple):
    """What can be said of a source before it is imported.

    Attributes:
        module, cls: where it is.
        remote: whether its answers are worth keeping in the cache; local sources are read every time.
        gives: what its legs are.
        needs: what it needs to work.
        example: a leg of it, by which it can be probed.
        pace: how hard it may be asked.
        keys: the variables that may hold a key for it, the better one first.
        keyed: the pace with a key.
        exchange_rate: the symbol of the series by which one currency (`{0}`) is worth another (`{1}`), or empty.
        dollar_rates: the symbols of the series of single currencies against the dollar, where there is no such rule:
            each what one of it is worth in dollars, or, with a `/` before it, what a dollar is worth.
        priced_in: the symbol of a leg `{0}` in the currency `{1}`, where the source gives prices in several.
    """

    module: str
    cls: str
    remote: bool
    gives: str
    needs: str
    example: str
    pace: Pace = Pace()
    keys: tuple[str, ...] = ()
    keyed: Pace | None = None
    exchange_rate: str = ""
    dollar_rates: Mapping[str, str] = MappingProxyType({})
    priced_in: str = ""


# The Federal Reserve's noon rates (H.10).
_DOLLAR_RATES = MappingProxyType(
    {
        "AUD": "DEXUSAL",
        "BRL": "/DEXBZUS",
        "CAD": "/DEXCAUS",
        "CHF": "/DEXSZUS",
        "CNY": "/DEXCHUS",
        "DKK": "/DEXDNUS",
        "EUR": "DEXUSEU",
        "GBP": "DEXUSUK",
        "HKD": "/DEXHKUS",
        "INR": "/DEXINUS",
        "JPY": "/DEXJPUS",
        "KRW": "/DEXKOUS",
        "MXN": "/DEXMXUS",
        "MYR": "/DEXMAUS",
        "NOK": "/DEXNOUS",
        "NZD": "DEXUSNZ",
        "SEK": "/DEXSDUS",
        "SGD": "/DEXSIUS",
        "THB": "/DEXTHUS",
        "TWD": "/DEXTAUS",
        "ZAR": "/DEXSFUS",
    }
)

_SOURCES: Mapping[str, About] = {
    "yahoo": About(
        "pairwatch.sources.yahoo",
        "Yahoo",
        remote=True,
        gives="stocks, funds, indices, currencies, futures and crypto, by Yahoo's symbols (the default)",
        needs="the network",
        example="yahoo:^VIX",
        pace=Pace(gap=0.25, burst=20, abreast=4),
        exchange_rate="{0}{1}=X",
    ),
    "fred": About(
        "pairwatch.sources.fred",
        "Fred",
        remote=True,
        gives="rates, yields, prices and economic series of the Federal Reserve Bank of St. Louis, by FRED's ids",
        needs="the network; with FRED_API_KEY each series tells its own unit and frequency",
        example="fred:DGS10",
        pace=Pace(gap=0.5, burst=10, abreast=2),
        keys=("FRED_API_KEY",),
        keyed=Pace(gap=0.5, burst=20, abreast=4),
        dollar_rates=_DOLLAR_RATES,
    ),
    "coingecko": About(
        "pairwatch.sources.coingecko",
        "CoinGecko",
        remote=True,
        gives="cryptocurrencies by CoinGecko's ids, or by symbols that only one of them has; in dollars, or /eur",
        needs="the network; without COINGECKO_DEMO_API_KEY or COINGECKO_PRO_API_KEY hard throttled; "
        "without the latter 365 days",
        example="coingecko:bitcoin",
        pace=Pace(gap=6.0, burst=5, abreast=1),
        keys=("COINGECKO_PRO_API_KEY", "COINGECKO_DEMO_API_KEY"),
        keyed=Pace(gap=2.0, burst=10, abreast=2),
        priced_in="{0}/{1}",
    ),
    "cboe": About(
        "pairwatch.sources.cboe",
        "Cboe",
        remote=True,
        gives="Cboe's indices, day by day from their beginning: VIX, VXN, RVX, SKEW, VVIX, VIX9D and others",
        needs="the network",
        example="cboe:VIX",
        pace=Pace(gap=0.2, burst=10, abreast=4),
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
    """The sources that come with pairwatch."""
    return tuple(_SOURCES)


def every() -> tuple[str, ...]:
    """All sources, those of installed plug-ins last; some of these may turn out to be of no use.

    This looks through the installed packages, which `names` does without.
    """
    from pairwatch.sources import plugins

    return (*_SOURCES, *(name for name in plugins.names() if name not in _SOURCES))


def about(name: str) -> About:
    """What is known of a source without importing it; a plug-in is imported for it.

    Raises:
        UsageError: no such source.
        SourceError: a plug-in that is of no use.
    """
    if name in _SOURCES:
        return _SOURCES[name]
    from pairwatch.sources import plugins

    if name in plugins.names():
        return plugins.about(name)
    raise unknown(name)


def unknown(name: str) -> UsageError:
    """What is said of a source that there is not: which there are, and the way round."""
    known = ", ".join(every())
    return UsageError(
        f"no source is called {clean(name)!r}",
        f"the sources are {known}; of any other, save its closes as a file: csv:FILE",
    )


def load(name: str) -> Source:
    """Import one source, and nothing of the others.

    Raises:
        UsageError: no such source.
        SourceError: a plug-in that is of no use.
    """
    found = about(name)
    if name not in _SOURCES:
        from pairwatch.sources import plugins

        return plugins.load(name)
    source: Source = getattr(import_module(found.module), found.cls)()
    return source
