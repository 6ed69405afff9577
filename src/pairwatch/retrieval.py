"""One leg's history: the cache first, the source for what is missing."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np

from pairwatch import kernels
from pairwatch.cache import Cache
from pairwatch.errors import NotCached, RateLimited, SourceError
from pairwatch.model import Adjustment, Days, Fetched, Floats, Holding, Leg, Provenance, Series
from pairwatch.sources import Request, Source, is_remote, load
from pairwatch.text import age, clean, listing

# How many calendar days before the last held close are asked for again, for late revisions and late events.
OVERLAP = timedelta(days=15)
# How long a session that the provider dropped is asked for again.
PATIENCE = timedelta(days=45)
# After this many seconds the whole history is asked for again (it costs no more requests), for deep revisions.
RECONCILE_AFTER = 30 * 86_400.0
# Relative change from which a close counts as revised: above the noise of prices stored as 32-bit floats.
REVISED = 1e-7
# A shift of every overlapping close by the same factor is a rebased history, not a set of revisions.
REBASED, REBASED_SPREAD, REBASED_BARS = 5e-4, 1e-3, 3


@dataclass(frozen=True, slots=True)
class Policy:
    """How fresh a leg has to be, and what may be done for it.

    Attributes:
        now: the instant of the run, in Unix seconds.
        until: the last day that is wanted, or None for the newest.
        max_age: seconds for which an answer given while a session was open still counts as now.
    """

    now: float
    until: date | None = None
    max_age: float = 15 * 60.0
    offline: bool = False
    refresh: bool = False
    deadline: float = 20.0
    verbose: bool = False


@dataclass(frozen=True, slots=True)
class History:
    """One leg's finished closes, and where they come from."""

    series: Series
    provenance: Provenance

    def to_frame(self) -> Any:
        """A pandas DataFrame by date: `close` as quoted, `adjusted` for distributions, `dividend`, `split`."""
        import pandas as pd  # noqa: PLC0415 - pandas must not load with the types

        series = self.series
        frame = pd.DataFrame(
            {"close": series.closes, "adjusted": adjusted(series, "total"), "dividend": 0.0, "split": 0.0},
            index=pd.DatetimeIndex(series.dates, name="date"),
        )
        for event in series.events:
            column = "split" if event.kind == "split" else "dividend"
            if event.day in frame.index:
                frame.loc[event.day, column] += event.value
        return frame


def adjusted(series: Series, adjustment: Adjustment) -> Floats:
    """Closes adjusted for cash distributions (`total`), or as quoted (`price`); splits are applied already.

    Shape (n,). The last close is as quoted. Distributions after the last close do not count yet.
    """
    cash = [e for e in series.events if e.kind != "split"]
    if adjustment == "price" or not cash:
        return series.closes
    at = series.dates.searchsorted(np.array([e.day for e in cash], dtype="datetime64[D]"))
    return kernels.adjust_for_distributions(series.closes, at, np.array([e.value for e in cash]))


class Desk:
    """Gets histories for one run: one cache, each source loaded once, one policy."""

    def __init__(self, cache: Cache, policy: Policy) -> None:
        self._cache = cache
        self._policy = policy
        self._sources: dict[str, Source] = {}

    def history(self, leg: Leg) -> History:
        """The history of one leg, from the cache while it is fresh, otherwise from its source.

        Raises:
            SourceError: the leg could not be had, and nothing usable is cached.
        """
        if not is_remote(leg.source):
            return self._local(leg)
        held = self._cache.get(leg)
        if held and not self._policy.refresh and self._suffices(held):
            return _served(held, "cache")
        if self._policy.offline:
            return self._offline(leg, held)
        try:
            return self._refreshed(leg, held)
        except SourceError as error:
            if held is None:
                raise
            return _served(
                held, "cache", stale=f"{error.message}; from the cache, {age(self._policy.now - held.asked_at)} old"
            )

    def _suffices(self, held: Holding) -> bool:
        """Whether the cache alone can answer."""
        until = self._policy.until
        if until is not None and np.datetime64(until) < held.series.dates[-1]:
            return True
        return held.is_fresh(self._policy.now, self._policy.max_age)

    def _local(self, leg: Leg) -> History:
        fetched = self._source(leg).fetch(Request(leg, self._policy.now, verbose=self._policy.verbose))
        origin = "simulation" if fetched.series.facts.simulated else "file"
        return History(fetched.series, Provenance(origin, remarks=fetched.remarks))  # type: ignore[arg-type]

    def _offline(self, leg: Leg, held: Holding | None) -> History:
        if held is None:
            raise NotCached(f"{leg}: not in the cache, and --offline forbids asking {leg.source}")
        return _served(
            held, "cache", stale=f"{leg}: --offline; from the cache, {age(self._policy.now - held.asked_at)} old"
        )

    def _refreshed(self, leg: Leg, held: Holding | None) -> History:
        """Ask the source for what is missing and store it."""
        fetched = self._fetch(leg, held, self._since(held))
        reports: list[_Merge] = []

        def merge(current: Holding | None) -> Holding:
            reports[:] = [_merge(current, fetched)]
            return reports[0].holding

        try:
            holding = self._cache.update(leg, merge)
        except _Rebased as rebased:
            reason = str(rebased)
            fetched = self._fetch(leg, held, None)
            holding = self._cache.update(leg, lambda _: _merge(None, fetched).holding)
            reports = [
                _Merge(holding, remarks=(f"{leg}: {reason}; the whole history was fetched again",), refetched=True)
            ]
        report = reports[0]
        remarks = (*fetched.remarks, *report.remarks)
        return _served(holding, "network", revised=report.revised, refetched=report.refetched, remarks=remarks)

    def _since(self, held: Holding | None) -> date | None:
        """The first day to ask for; None for all."""
        policy = self._policy
        if (
            held is None
            or policy.refresh
            or not 0 <= policy.now - held.reconciled_at < RECONCILE_AFTER
            or self._cache.trouble
        ):
            return None
        last = held.series.dates[-1]
        young = held.holes[held.holes > last - np.timedelta64(PATIENCE)]
        first: date = min([last, *young]).item()
        return min(first, last.item() - OVERLAP)

    def _fetch(self, leg: Leg, held: Holding | None, since: date | None) -> Fetched:
        """Ask the source, unless it asked to be left alone."""
        policy, cache = self._policy, self._cache
        until = cache.paused_until(leg.source)
        if policy.now < until:
            raise RateLimited(
                f"{leg}: {leg.source} throttles this machine and is left alone for {age(until - policy.now)} more"
            )
        known = held.series.facts if held else None
        request = Request(leg, policy.now, since, policy.deadline, known, policy.verbose)
        try:
            fetched = self._source(leg).fetch(request)
        except RateLimited as error:
            cache.pause(leg.source, policy.now, error.retry_after)
            raise
        if until:
            cache.resume(leg.source)
        return fetched

    def _source(self, leg: Leg) -> Source:
        if leg.source not in self._sources:
            self._sources[leg.source] = load(leg.source)
        return self._sources[leg.source]


# ---------------------------------------------------------------- merging


class _Rebased(Exception):
    """The provider has restated the history: what is held and what came do not fit together."""


@dataclass(frozen=True, slots=True)
class _Merge:
    holding: Holding
    revised: int = 0
    refetched: bool = False
    remarks: tuple[str, ...] = ()


def _merge(held: Holding | None, fetched: Fetched) -> _Merge:
    """What is held and what came, as one.

    What came wins on the days it covers, with one exception: a finished session that the provider gave once and
    now leaves out is kept.

    Raises:
        _Rebased: a new split, another currency, or all closes moved by one factor.
    """
    if held is None:
        return _Merge(_holding(fetched, fetched.series, fetched.expected, fetched.asked_at))
    if held.asked_at > fetched.asked_at:
        return _Merge(held)
    if fetched.since is not None:
        _check_same_basis(held.series, fetched)
    old, new = held.series, fetched.series
    reconciled = fetched.asked_at if fetched.since is None else held.reconciled_at
    if fetched.since is None and _splits(old) != _splits(new):
        kept = np.zeros(len(old), bool)
    else:
        inside = (old.dates >= new.dates[0]) & ~np.isin(old.dates, new.dates)
        kept = (old.dates < new.dates[0]) | (
            inside & (np.isin(old.dates, fetched.expected) | (old.dates > new.dates[-1]))
        )
    series = _joined(old, new, kept, fetched.since)
    holes = np.union1d(held.holes, fetched.expected)
    dropped = old.dates[kept & (old.dates >= new.dates[0])]
    remarks = (
        (f"{old.leg}: {listing([str(d) for d in dropped])} no longer given by {old.leg.source}, kept",)
        if len(dropped)
        else ()
    )
    return _Merge(_holding(fetched, series, holes, reconciled), revised=_count_revised(old, new), remarks=remarks)


def _check_same_basis(old: Series, fetched: Fetched) -> None:
    new = fetched.series
    if old.facts.currency != new.facts.currency:
        raise _Rebased(
            f"the currency changed from {clean(old.facts.currency) or 'unknown'} to {clean(new.facts.currency) or 'unknown'}"
        )
    first = max(np.datetime64(fetched.since), new.dates[0])
    if gone := _splits(old, first) ^ _splits(new, first):
        day, ratio = min(gone)
        raise _Rebased(f"a split of {ratio:g} on {day}")
    _, i, j = np.intersect1d(old.dates, new.dates, assume_unique=True, return_indices=True)
    if not len(i):
        raise _Rebased("nothing in common with what is held")
    ratio = new.closes[j] / old.closes[i]
    moved = np.abs(ratio - 1) > REBASED
    if len(i) >= REBASED_BARS and moved.all() and np.ptp(ratio) < REBASED_SPREAD:
        raise _Rebased(f"all closes moved by the factor {np.median(ratio):.6g}")


def _splits(series: Series, since: np.datetime64 | None = None) -> set[tuple[str, float]]:
    return {(str(e.day), e.value) for e in series.events if e.kind == "split" and (since is None or e.day >= since)}


def _joined(old: Series, new: Series, kept: Any, since: date | None) -> Series:
    """The kept old closes and all new ones; events before `since` are the old ones."""
    dates = np.concatenate([old.dates[kept], new.dates])
    closes = np.concatenate([old.closes[kept], new.closes])
    order = np.argsort(dates)
    first = new.dates[0] if since is None else np.datetime64(since)
    events = (*(e for e in old.events if e.day < first and kept.any()), *(e for e in new.events if e.day >= first))
    return replace(new, dates=dates[order], closes=closes[order], events=events)


def _count_revised(old: Series, new: Series) -> int:
    _, i, j = np.intersect1d(old.dates, new.dates, assume_unique=True, return_indices=True)
    return int((np.abs(new.closes[j] - old.closes[i]) > REVISED * np.abs(old.closes[i])).sum())


def _holding(fetched: Fetched, series: Series, expected: Days, reconciled_at: float) -> Holding:
    """Holes are the expected days without a close, from the first held bar on."""
    missing = np.setdiff1d(expected[expected >= series.dates[0]], series.dates)
    return Holding(series, fetched.asked_at, fetched.fresh_until, reconciled_at, missing)


def _served(held: Holding, origin: Any, **more: Any) -> History:
    provenance = Provenance(origin, held.asked_at, holes=tuple(held.holes), **more)
    return History(held.series, provenance)
