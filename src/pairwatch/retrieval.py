"""One leg's history: the cache first, the source for what is missing."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np

from pairwatch.cache import LONGEST_BAN, Cache
from pairwatch.errors import NotCached, RateLimited, SourceError
from pairwatch.histories import History
from pairwatch.merging import Merge, Restated, merge
from pairwatch.model import Fetched, Holding, Leg, Provenance
from pairwatch.sources import Request, Source, about, load
from pairwatch.text import age

# How many calendar days before the last held close are asked for again, for late revisions and late events.
OVERLAP = timedelta(days=15)
# How long a session that the provider dropped is asked for again.
PATIENCE = timedelta(days=45)
# After this many seconds the whole history is asked for again (it costs no more requests), for deep revisions.
RECONCILE_AFTER = 30 * 86_400.0
# How many seconds later than this run another one may have asked: it began later and was quicker. An answer from
# further ahead was given under a clock that has been set back.
MEANWHILE = 600.0


class Policy(NamedTuple):
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


class Desk:
    """Gets histories for one run: one cache, each source loaded once, one policy.

    `sources` are those at hand already, by name; the others are loaded when a leg needs them.
    """

    def __init__(self, cache: Cache, policy: Policy, sources: Mapping[str, Source] | None = None) -> None:
        self._cache = cache
        self._policy = policy
        self._sources: dict[str, Source] = dict(sources or {})

    def history(self, leg: Leg) -> History:
        """The history of one leg, from the cache while it is fresh, otherwise from its source.

        Raises:
            SourceError: the leg could not be had, and nothing usable is cached.
        """
        if not about(leg.source).remote:
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
        if until is not None and (np.datetime64(until) < held.series.dates[-1] or _asked_after(held, until)):
            return True
        return held.is_fresh(self._clock(held), self._policy.max_age)

    def _clock(self, held: Holding) -> float:
        """Now; or a little later, if another run has asked since this one began."""
        now = self._policy.now
        return held.asked_at if now < held.asked_at <= now + MEANWHILE else now

    def _local(self, leg: Leg) -> History:
        fetched = self._source(leg).fetch(Request(leg, self._policy.now, verbose=self._policy.verbose))
        origin = "simulation" if fetched.series.facts.simulated else "file"
        return History(fetched.series, Provenance(origin, remarks=fetched.remarks))  # type: ignore[arg-type]

    def _offline(self, leg: Leg, held: Holding | None) -> History:
        if held is None:
            raise NotCached(f"{leg}: not in the cache, and --offline forbids asking {leg.source}")
        return _served(
            held,
            "cache",
            stale=f"{leg}: from the cache, {age(self._policy.now - held.asked_at)} old, since --offline forbids asking",
        )

    def _refreshed(self, leg: Leg, held: Holding | None) -> History:
        """Ask the source for what is missing and store it."""
        fetched = self._fetch(leg, held, self._since(held))
        try:
            return self._stored(held, fetched)
        except Restated as restated:
            return self._stored(held, self._fetch(leg, held, None), reason=str(restated))

    def _stored(self, held: Holding | None, fetched: Fetched, reason: str = "") -> History:
        """Merge an answer into what the cache holds by now; `held` is what it held before the source was asked."""
        merges: list[Merge] = []

        def change(current: Holding | None) -> Holding:
            if current and fetched.asked_at < current.asked_at <= fetched.asked_at + MEANWHILE:
                merges.append(Merge(current))
            else:
                # An answer that covers the last days only must not become the whole leg where the file was lost.
                merges.append(merge(current or held, fetched, reason))
            return merges[-1].holding

        holding = self._cache.update(fetched.series.leg, change)
        merged = merges[-1]
        remarks = (*fetched.remarks, *merged.remarks)
        return _served(holding, "network", revised=merged.revised, refetched=merged.refetched, remarks=remarks)

    def _since(self, held: Holding | None) -> date | None:
        """The first day to ask for; None for all."""
        if held is None or self._policy.refresh or self._cache.trouble:
            return None
        now = self._clock(held)
        if held.asked_at > now or not 0 <= now - held.reconciled_at < RECONCILE_AFTER:
            return None
        last: date = held.series.dates[-1].item()
        young: list[date] = held.holes[held.holes > np.datetime64(last - PATIENCE)].tolist()
        return min([last - OVERLAP, *young])

    def _fetch(self, leg: Leg, held: Holding | None, since: date | None) -> Fetched:
        """Ask the source, unless it asked to be left alone."""
        policy, cache = self._policy, self._cache
        until = cache.paused_until(leg.source)
        if policy.now < until <= policy.now + LONGEST_BAN:
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


def _asked_after(held: Holding, day: date) -> bool:
    """Whether the last answer came when `day` was over everywhere, and its closes settled."""
    return bool(np.datetime64(int(held.asked_at), "s") >= np.datetime64(day) + np.timedelta64(60, "h"))


def _served(held: Holding, origin: Any, **more: Any) -> History:
    provenance = Provenance(origin, held.asked_at, holes=tuple(held.holes), **more)
    return History(held.series, provenance)
