"""One leg's prices within days: what is kept of them first, then the source."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from importlib import import_module
from types import MappingProxyType
from typing import NamedTuple, Protocol

from pairwatch.bars import Bars, Gathered, Interval, merged
from pairwatch.barstore import BarStore
from pairwatch.cache import Cache
from pairwatch.errors import NotCached, SourceError, UsageError
from pairwatch.model import Declared, Leg, Provenance
from pairwatch.sources import Request, about
from pairwatch.text import age, listing
from pairwatch.turns import Clock, Turns

# How many days before the last held session are asked for again: bars are mended for a while.
OVERLAP = timedelta(days=3)
# How many seconds later than this run another one may have asked.
MEANWHILE = 600.0

# Sources that know prices within days, and the class that gives them.
_SOURCES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "csv": ("pairwatch.sources.files.ticking", "Ticks"),
        "yahoo": ("pairwatch.sources.yahoo.intraday", "Intraday"),
    }
)


class Source(Protocol):
    """A source of prices within days; like `pairwatch.sources.Source` it raises nothing but `SourceError`."""

    def gather(self, request: Request, interval: Interval) -> Gathered:
        """The finished bars of a leg, or its ticks, from `request.since` on, as far back as the source goes.

        Raises:
            SourceError: they cannot be had; the class tells why.
            UsageError: an interval that the source has not.
        """


class Policy(NamedTuple):
    """How fresh bars have to be, and what may be done for them: as `pairwatch.retrieval.Policy`."""

    now: float
    max_age: float = 15 * 60.0
    offline: bool = False
    refresh: bool = False
    deadline: float = 20.0
    verbose: bool = False
    declared: Mapping[Leg, Declared] = MappingProxyType({})


class Held(NamedTuple):
    """A leg's bars, and where they come from."""

    bars: Bars
    provenance: Provenance


class Gatherer:
    """Gets bars for one run: one store, one policy; turns and pauses are shared with those who fetch closes.

    Args:
        sources: those at hand already, by name.
        sleep: waits so many seconds for a turn.
    """

    def __init__(
        self,
        store: BarStore,
        cache: Cache,
        policy: Policy,
        sources: Mapping[str, Source] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store, self._policy = store, policy
        self._sources: dict[str, Source] = dict(sources or {})
        began = time.monotonic()
        self._turns = Turns(
            cache,
            lambda name: about(name).pace,
            Clock(lambda: policy.now + time.monotonic() - began, sleep),
            policy.deadline,
        )

    def bars(self, leg: Leg, interval: Interval) -> Held:
        """The bars of one leg, or its ticks.

        Raises:
            SourceError: they could not be had, and none are kept.
            UsageError: a source without prices within days, or an interval that it has not.
        """
        policy, remote = self._policy, _is_remote(leg)
        if not remote:
            found = self._source(leg).gather(Request(leg, policy.now, verbose=policy.verbose), interval)
            return self._declared(Held(found.bars, Provenance("file", remarks=found.remarks)))
        held = self._store.get(leg, interval)
        if held and not policy.refresh and self._is_fresh(held):
            return self._served(held, "")
        if policy.offline:
            if held is None:
                raise NotCached(f"{leg}: no bars of {interval} are kept, and --offline forbids asking {leg.source}")
            return self._served(held, f"{leg}: bars kept {self._age(held)} ago, since --offline forbids asking")
        try:
            return self._asked(leg, interval, held)
        except SourceError as error:
            if held is None:
                raise
            return self._served(held, f"{error.message}; bars kept {self._age(held)} ago")

    def _is_fresh(self, held: Gathered) -> bool:
        now, max_age = self._policy.now, self._policy.max_age
        if max_age <= 0 or held.asked_at > now + MEANWHILE:
            return False
        return now < held.fresh_until or now - held.asked_at < max_age

    def _age(self, held: Gathered) -> str:
        return age(self._policy.now - held.asked_at)

    def _served(self, held: Gathered, stale: str) -> Held:
        return self._declared(Held(held.bars, Provenance("cache", held.asked_at, stale=stale)))

    def _asked(self, leg: Leg, interval: Interval, held: Gathered | None) -> Held:
        """Ask the source for what is missing, and keep it."""
        fetched = self._fetch(leg, interval, held)

        def change(current: Gathered | None) -> Gathered:
            before = current or held
            return fetched._replace(bars=merged(before.bars, fetched.bars)) if before else fetched

        kept = self._store.update(leg, interval, change)
        return self._declared(Held(kept.bars, Provenance("network", fetched.asked_at, remarks=fetched.remarks)))

    def _fetch(self, leg: Leg, interval: Interval, held: Gathered | None) -> Gathered:
        """Ask the source, in its turn."""
        policy, known = self._policy, held.bars.facts if held else None

        def ask(turn: Callable[[], None]) -> Gathered:
            request = Request(leg, policy.now, self._since(held), policy.deadline, known, policy.verbose, None, turn)
            return self._source(leg).gather(request, interval)

        return self._turns.asked(leg, ask)

    def _since(self, held: Gathered | None) -> date | None:
        """The first day to ask for; None for as far back as the source goes."""
        if held is None or self._policy.refresh or not len(held.bars):
            return None
        last: date = held.bars.sessions[-1].item()
        return last - OVERLAP

    def _declared(self, held: Held) -> Held:
        declared = self._policy.declared.get(held.bars.leg)
        if declared is None:
            return held
        return held._replace(bars=replace(held.bars, facts=declared.on(held.bars.facts)))

    def _source(self, leg: Leg) -> Source:
        if leg.source not in self._sources:
            module, cls = _SOURCES[leg.source]
            self._sources[leg.source] = getattr(import_module(module), cls)()
        return self._sources[leg.source]


def _is_remote(leg: Leg) -> bool:
    """Whether the leg's bars are worth keeping; raises `UsageError` for a source that has none."""
    known = about(leg.source)
    if leg.source not in _SOURCES:
        raise UsageError(
            f"{leg}: {leg.source} has no prices within days", f"legs of {listing(tuple(_SOURCES))} have them"
        )
    return known.remote
