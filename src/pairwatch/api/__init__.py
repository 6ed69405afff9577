"""The Python interface, and what the command line is made of."""

import os
import time
from datetime import date
from typing import TYPE_CHECKING

from pairwatch import config, pairs
from pairwatch.api.asking import (
    as_day,
    cache_at,
    declared_units,
    desk_at,
    pair,
    question,
    same_thing,
    snapshots_in,
    store_at,
)
from pairwatch.cache import Cache
from pairwatch.histories import History
from pairwatch.model import DEFAULT_SOURCE, Adjustment, Align, Comparison, Leg, Window
from pairwatch.retrieval import Desk, Policy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pairwatch.records import Table
    from pairwatch.snapshots import Snapshot, Store
    from pairwatch.studies.paired import Paired
    from pairwatch.verifying import Verification

__all__ = [
    "as_day",
    "cache_at",
    "compare",
    "desk_at",
    "history",
    "pair",
    "paired",
    "question",
    "same_thing",
    "saved",
    "snapshot",
    "snapshots_in",
    "store_at",
    "verify",
]


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
        declared=declared_units(units, source),
    )
    first, second = (desk.history(leg) for leg in legs)
    return pairs.compare(first, second, asked, trouble=cache.trouble, with_past=True)


def paired(
    a: str | Leg,
    b: str | Leg,
    *,
    window: str | Window = "90d",
    as_of: date | str | None = None,
    since: date | str | None = None,
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
) -> "Paired":
    """Two legs on all their common days, for the studies: `pairwatch.studies.spread.study(paired("QQQ", "IWM"))`.

    Args:
        window: the one that rolls: as many bars as it holds today.
        since: the first return is made from the last common close on or before this day; see `compare` for the rest.

    Raises:
        PairwatchError: see `pairwatch.errors`.
    """
    from pairwatch.studies.paired import paired as on_common_days

    now = time.time() if now is None else now
    asked = question(
        window=window, as_of=as_of, max_lag=max_lag, adjust=adjust, seed=seed, currency=currency, align=align, now=now
    )
    desk = desk_at(
        cache or cache_at(),
        asked,
        offline=offline,
        refresh=refresh,
        max_age=max_age,
        deadline=deadline,
        now=now,
        declared=declared_units(units, source),
    )
    first, second = (desk.history(leg) for leg in pair(a, b, source))
    return on_common_days(first, second, asked, as_day(since))


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
    desk = desk_at(cache or cache_at(), asked, offline=offline, now=now, declared=declared_units(units, source))
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
        declared=declared_units(units, source),
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
        declared=declared_units(units, source),
    )
    here, *others = (receipts.as_of(desk.own(each), asked.as_of) for each in legs)
    return verifying.verify(here, others, allowed, first)
