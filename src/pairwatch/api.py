"""The Python interface, and what the command line is made of.

Beside the command line this is the only place that reads the clock and the environment, and asks where the cache lives.
"""

import os
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pairwatch import cache as prices
from pairwatch import config, pairs
from pairwatch.cache import Cache
from pairwatch.errors import UsageError
from pairwatch.histories import History
from pairwatch.model import DEFAULT_SOURCE, Adjustment, Align, Comparison, Declared, Leg, Window
from pairwatch.retrieval import Desk, Policy
from pairwatch.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pairwatch.records import Table
    from pairwatch.snapshots import Snapshot, Store
    from pairwatch.sources import Key
    from pairwatch.verifying import Verification


# As `pairwatch.snapshots` names it.
SNAPSHOTS = "snapshots.db"


def cache_at(folder: Path | None = None) -> Cache:
    """The price cache in `folder`, or in the platform's cache folder for pairwatch."""
    if folder is None:
        import platformdirs

        folder = platformdirs.user_cache_path("pairwatch", appauthor=False)
    return Cache(folder / prices.FILE_NAME)


def store_at(folder: Path | None = None) -> "Store":
    """The snapshots in `folder`, or in the platform's data folder for pairwatch."""
    from pairwatch.snapshots import Store

    return Store(snapshots_in(folder))


def snapshots_in(folder: Path | None = None) -> Path:
    """The file of the snapshots in `folder`, or in the platform's data folder; to look for it loads no store."""
    if folder is None:
        import platformdirs

        folder = platformdirs.user_data_path("pairwatch", appauthor=False)
    return folder / SNAPSHOTS


def compare(
    a: str | Leg,
    b: str | Leg,
    *,
    window: str | Window = "90d",
    as_of: date | str | None = None,
    max_lag: int = 10,
    adjust: Adjustment = "total",
    seed: int = 0,
    currency: str = "",
    align: Align = "date",
    units: "Mapping[str, str] | None" = None,
    source: str = DEFAULT_SOURCE,
    cache: Cache | None = None,
    offline: bool = False,
    refresh: bool = False,
    max_age: float = 15 * 60,
    deadline: float = 20.0,
    now: float | None = None,
    verbose: bool = False,
) -> Comparison:
    """Compare two legs, `[source:]symbol`, fetching and caching what is missing.

    The keys of providers are read from their variables, such as FRED_API_KEY, or from the keyring.

    Args:
        window: `90d` (calendar days), `12w`, `6mo`, `1y` or `61b` (bars).
        as_of: recompute as if that day were today.
        max_lag: the largest lag of the lead test, in bars.
        adjust: `total` reinvests distributions, `price` does not.
        currency: into which prices are converted, such as `USD`; by default each leg stays in its own.
        align: which closes belong together: of one `date`, the `nearest` in time, or of every second day (`two-day`).
        units: what the values of legs are, where their source cannot know: `{"fred:UNRATE": "rate"}`.
        cache: where histories are kept; by default the platform's cache folder.
        max_age: seconds for which a price of an open session still counts as now.
        deadline: seconds that a source has for a leg.
        now: the instant of the run, in Unix seconds; by default the clock's.

    Raises:
        PairwatchError: see `pairwatch.errors`.
    """
    now = time.time() if now is None else now
    cache = cache or cache_at()
    legs = pair(a, b, source)
    asked = question(
        window=window, as_of=as_of, max_lag=max_lag, adjust=adjust, seed=seed, currency=currency, align=align, now=now
    )
    desk = desk_at(
        cache,
        asked,
        offline=offline,
        refresh=refresh,
        max_age=max_age,
        deadline=deadline,
        now=now,
        verbose=verbose,
        declared=_declared(units, source),
    )
    first, second = (desk.history(leg) for leg in legs)
    return pairs.compare(first, second, asked, trouble=cache.trouble)


def pair(a: str | Leg, b: str | Leg, source: str = DEFAULT_SOURCE) -> tuple[Leg, Leg]:
    """Both legs of a pair, `[source:]symbol`.

    Raises:
        UsageError: what is no leg, or the same leg twice.
    """
    first, second = (leg if isinstance(leg, Leg) else Leg.parse(leg, source) for leg in (a, b))
    if first == second:
        raise UsageError(f"both legs are {first}", "name two different legs: pairwatch compare QQQ IWM")
    return first, second


def question(
    *,
    window: str | Window = "90d",
    as_of: date | str | None = None,
    max_lag: int = 10,
    adjust: Adjustment = "total",
    seed: int = 0,
    currency: str = "",
    align: Align = "date",
    now: float,
) -> pairs.Question:
    """What is asked of a pair; see `compare`.

    Raises:
        UsageError: what cannot be asked.
    """
    day = as_day(as_of) or _today(now)
    return pairs.Question(
        day,
        _window(window),
        max_lag=max_lag,
        adjustment=adjust,
        seed=seed,
        currency=_currency(currency),
        align=align,
    )


def desk_at(
    cache: Cache,
    asked: pairs.Question,
    *,
    offline: bool = False,
    refresh: bool = False,
    max_age: float = 15 * 60,
    deadline: float = 20.0,
    now: float,
    verbose: bool = False,
    keys: "Mapping[str, Key] | None" = None,
    declared: "Mapping[Leg, Declared] | None" = None,
    fallback: "Mapping[Leg, tuple[Leg, ...]] | None" = None,
    patience: float | None = None,
) -> Desk:
    """Where the legs of a run come from; see `compare`, and `pairwatch.retrieval.Policy` for the rest.

    Args:
        keys: by default those of the variables and the keyring.
    """
    return Desk(
        cache,
        Policy(
            now,
            until=asked.as_of if asked.as_of < _today(now) else None,
            max_age=max_age,
            offline=offline,
            refresh=refresh,
            deadline=deadline,
            verbose=verbose,
            keys=config.Keys(os.environ) if keys is None else keys,
            declared=declared or {},
            fallback=fallback or {},
            currency=asked.currency,
            patience=patience,
        ),
    )


def snapshot(
    a: str | Leg,
    b: str | Leg,
    *,
    window: str | Window = "90d",
    max_lag: int = 10,
    adjust: Adjustment = "total",
    seed: int = 0,
    currency: str = "",
    align: Align = "date",
    units: "Mapping[str, str] | None" = None,
    source: str = DEFAULT_SOURCE,
    cache: Cache | None = None,
    store: "Store | None" = None,
    offline: bool = False,
    now: float | None = None,
) -> "Snapshot":
    """Store what `compare` says of a pair, and return the snapshot; the same inputs are stored once.

    Raises:
        StoreError: the store refuses.
        PairwatchError: see `compare`.
    """
    from pairwatch.taking import Run

    now = time.time() if now is None else now
    asked = question(window=window, max_lag=max_lag, adjust=adjust, seed=seed, currency=currency, align=align, now=now)
    desk = desk_at(cache or cache_at(), asked, offline=offline, now=now, declared=_declared(units, source))
    (outcome,) = Run(desk, store or store_at(), asked, now).take([pair(a, b, source)])
    if outcome.snapshot is None:
        raise outcome.error or AssertionError("a pair that is not stored says why")
    return outcome.snapshot


def saved(
    a: str | Leg,
    b: str | Leg,
    *,
    window: str | Window = "90d",
    max_lag: int = 10,
    adjust: Adjustment = "total",
    seed: int = 0,
    currency: str = "",
    align: Align = "date",
    source: str = DEFAULT_SOURCE,
    store: "Store | None" = None,
    since: date | str | None = None,
) -> "Table":
    """The readings of a pair's snapshots over time; `saved(...).to_frame()` is a pandas DataFrame.

    Raises:
        StoreError: the store cannot be read.
    """
    from pairwatch import records

    legs = pair(a, b, source)
    asked = question(window=window, max_lag=max_lag, adjust=adjust, seed=seed, currency=currency, align=align, now=0.0)
    return records.table(*legs, asked, (store or store_at()).record(*legs, asked, as_day(since) or date.min))


def history(
    leg: str | Leg,
    *,
    units: "Mapping[str, str] | None" = None,
    source: str = DEFAULT_SOURCE,
    cache: Cache | None = None,
    offline: bool = False,
    refresh: bool = False,
    now: float | None = None,
) -> History:
    """One leg's finished closes, fetched and cached like those of `compare`.

    Raises:
        SourceError: the leg could not be had.
    """
    policy = Policy(
        now=time.time() if now is None else now,
        offline=offline,
        refresh=refresh,
        keys=config.Keys(os.environ),
        declared=_declared(units, source),
    )
    return Desk(cache or cache_at(), policy).history(leg if isinstance(leg, Leg) else Leg.parse(leg, source))


def verify(
    leg: str | Leg,
    *against: str | Leg,
    tolerance: str = "",
    since: date | str | None = None,
    as_of: date | str | None = None,
    units: "Mapping[str, str] | None" = None,
    source: str = DEFAULT_SOURCE,
    cache: Cache | None = None,
    offline: bool = False,
    refresh: bool = False,
    max_age: float = 15 * 60,
    deadline: float = 20.0,
    now: float | None = None,
) -> "Verification":
    """Compare a leg with the same thing from other sources; see `pairwatch.verifying`, and `compare` for the rest.

    Each leg comes from its own source: nothing stands in for it, and nothing is converted.

    Args:
        tolerance: what still agrees, of prices and of rates: `0.1%,0.5bp`.
        since: the first day that is looked at; by default all common days.

    Raises:
        SourceError: one of the legs could not be had.
        NotEnoughData: two of them have no day in common.
        UsageError: nothing to verify with, no tolerance, or no day.
    """
    from pairwatch import receipts, verifying

    now = time.time() if now is None else now
    legs = same_thing(leg, against, source)
    allowed = verifying.Tolerance.parse(tolerance) if tolerance else None
    first, asked = as_day(since), question(as_of=as_of, now=now)
    desk = desk_at(
        cache or cache_at(),
        asked,
        offline=offline,
        refresh=refresh,
        max_age=max_age,
        deadline=deadline,
        now=now,
        declared=_declared(units, source),
    )
    here, *others = (receipts.as_of(desk.own(each), asked.as_of) for each in legs)
    return verifying.verify(here, others, allowed, first)


def same_thing(leg: str | Leg, against: "Iterable[str | Leg]", source: str = DEFAULT_SOURCE) -> list[Leg]:
    """A leg and those that it is verified with, `[source:]symbol`, each once.

    Raises:
        UsageError: what is no leg, the leg itself, or nothing to verify with.
    """
    here, *others = (each if isinstance(each, Leg) else Leg.parse(each, source) for each in (leg, *against))
    hint = "name the same thing from another source: --against csv:FILE"
    if not others:
        raise UsageError(f"nothing to verify {here} with", hint)
    if here in others:
        raise UsageError(f"{here} against itself", hint)
    return [here, *dict.fromkeys(others)]


def _today(now: float) -> date:
    return datetime.fromtimestamp(now, UTC).date()


def as_day(given: date | str | None) -> date | None:
    """A day given as a date, a datetime or a text; None stays None.

    Raises:
        UsageError: anything else.
    """
    if isinstance(given, datetime):
        return given.date()
    if given is None or isinstance(given, date):
        return given
    try:
        return config.day(given)
    except (TypeError, ValueError):
        raise UsageError(f"not a day: {clean(given)!r}", "write it as YYYY-MM-DD") from None


def _currency(given: str) -> str:
    try:
        return config.currency(str(given))
    except ValueError as error:
        raise UsageError(f"not a currency: {clean(given)!r}", str(error)) from None


def _declared(units: "Mapping[str, str] | None", source: str) -> dict[Leg, Declared]:
    """What is declared of legs; raises `UsageError`."""
    return config.units({"units": units}, "the argument", source) if units else {}


def _window(given: str | Window) -> Window:
    return given if isinstance(given, Window) else Window.parse(str(given))
