"""One leg's history: the cache first, the source for what is missing."""

import threading
import time
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from pairwatch import currencies, kernels
from pairwatch.cache import Cache, Unknown
from pairwatch.errors import KeyRefused, NotCached, SourceError, UnknownSymbol
from pairwatch.histories import History, best, instead, none_had
from pairwatch.merging import Merge, Restated, merge
from pairwatch.model import Declared, Fetched, Holding, Leg, Provenance, Series
from pairwatch.slips import believed, unapplied_splits
from pairwatch.sources import Key, Pace, Request, Source, about, load
from pairwatch.text import age
from pairwatch.turns import Clock, Turns

# How many calendar days before the last held close are asked for again, for late revisions and late events; and how
# many periods of a series that is not daily: statistics offices revise the last two or three.
OVERLAP, OVERLAP_PERIODS = timedelta(days=15), 3
DAYS = {"week": 7, "fortnight": 14, "month": 31, "quarter": 92, "half-year": 184, "year": 366}
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
        keys: the user's keys, by the name of the source.
        declared: what the user says of the values of some legs.
        fallback: for some legs the legs to be tried in their stead, in this order; usually the leg itself first.
        currency: into which prices are converted; empty for each in its own.
        patience: seconds that a turn at a provider may be waited for (never more than `cache.LONGEST_QUEUE`), and a
            provider that has refused: see `turns.LONGEST_REST`. None: a turn as long as the deadline, a refusal not
            at all.
    """

    now: float
    until: date | None = None
    max_age: float = 15 * 60.0
    offline: bool = False
    refresh: bool = False
    deadline: float = 20.0
    verbose: bool = False
    keys: Mapping[str, Key] = MappingProxyType({})
    declared: Mapping[Leg, Declared] = MappingProxyType({})
    fallback: Mapping[Leg, tuple[Leg, ...]] = MappingProxyType({})
    currency: str = ""
    patience: float | None = None


class Desk:
    """Gets histories for one run: one cache, each source loaded once, one policy. Threads may share it.

    Args:
        sources: those at hand already, by name; the others are loaded when a leg needs them.
        elapsed: a clock in seconds; only how far it has gone since the desk was made counts.
        sleep: waits so many seconds for a turn.
    """

    def __init__(
        self,
        cache: Cache,
        policy: Policy,
        sources: Mapping[str, Source] | None = None,
        *,
        elapsed: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._cache = cache
        self._policy = policy
        self._sources: dict[str, Source] = dict(sources or {})
        self._loading = threading.Lock()
        self._elapsed, self._sleep = elapsed, sleep
        self._began = elapsed()

    def history(self, leg: Leg) -> History:
        """The history of one leg, as it is declared and in the currency that is wanted.

        Where other legs may stand in for it (`Policy.fallback`), the first that is not stale is taken, unless an
        earlier one that is stale knows of later closes; where all are stale, the one with the latest close.

        Raises:
            SourceError: the leg could not be had, and nothing usable is cached.
            UsageError: it cannot be converted.
        """
        chain = self._policy.fallback.get(leg)
        found = self._first_of(leg, chain) if chain else self.given(leg)
        found = self._declared(leg, found)
        return currencies.converted(found, self._policy.currency, self.given) if self._policy.currency else found

    def given(self, leg: Leg) -> History:
        """The history of one leg as its own source gives it, from the cache while it is fresh.

        Raises:
            SourceError: the leg could not be had, and nothing usable is cached.
        """
        if not about(leg.source).remote:
            return self._local(leg)
        held = self._cache.get(leg)
        if held and not self._policy.refresh and self._suffices(held):
            return self._served(held, "cache")
        if self._policy.offline:
            return self._offline(leg, held)
        if held is None:
            self._check_known(leg)
        try:
            return self._refreshed(leg, held)
        except SourceError as error:
            if held is None:
                raise
            return self._served(
                held, "cache", stale=f"{error.message}; from the cache, {age(self._policy.now - held.asked_at)} old"
            )

    def own(self, leg: Leg) -> History:
        """The history of one leg from its own source, as it is declared: nothing stands in, nothing is converted.

        What a file says is believed, however odd: this is what another source is held against.

        Raises:
            SourceError: the leg could not be had, and nothing usable is cached.
        """
        found = self.given(leg) if about(leg.source).remote else self._local(leg, believes=True)
        return self._declared(leg, found)

    def pace(self, source: str) -> Pace:
        """How hard a source may be asked with the keys at hand.

        Raises:
            UsageError: no such source.
        """
        known = about(source)
        return known.keyed or known.pace if source in self._policy.keys else known.pace

    def seconds(self) -> float:
        """How long this desk has been there."""
        return self._elapsed() - self._began

    def giving_way(self, slots: threading.Semaphore) -> "Desk":
        """This desk for threads that hold one of some slots each: who waits gives its slot back meanwhile."""
        other = copy(self)

        def sleep(seconds: float) -> None:
            slots.release()
            try:
                self._sleep(seconds)
            finally:
                slots.acquire()

        other._sleep = sleep  # noqa: SLF001 - a desk itself
        return other

    def _declared(self, leg: Leg, history: History) -> History:
        series = self._as_declared(leg, history.series)
        return history if series is history.series else replace(history, series=series)

    def _as_declared(self, leg: Leg, series: Series) -> Series:
        declared = self._policy.declared.get(leg)
        return series if declared is None else replace(series, facts=declared.on(series.facts))

    def _first_of(self, leg: Leg, chain: tuple[Leg, ...]) -> History:
        """The history of the first leg of a chain that can be had and is not stale, under the name of `leg`."""
        had: list[tuple[Leg, History]] = []
        errors: list[SourceError | KeyRefused] = []
        for other in chain:
            try:
                had.append((other, self._declared(other, self.given(other))))
            except (SourceError, KeyRefused) as error:
                errors.append(error)
                continue
            chosen, found = best(had)
            if chosen == other and not found.provenance.stale:
                break
        if not had:
            raise none_had(leg, errors)
        return instead(leg, had, errors, self._policy.until or datetime.fromtimestamp(self._policy.now, UTC).date())

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

    def _local(self, leg: Leg, *, believes: bool = False) -> History:
        fetched = self._source(leg).fetch(Request(leg, self._policy.now, verbose=self._policy.verbose))
        series, remarks = fetched.series, fetched.remarks
        if series.facts.simulated:
            return History(series, Provenance("simulation", remarks=remarks))
        if believes:
            return History(series, Provenance("file", remarks=remarks))
        sound, refused = believed(self._as_declared(leg, series), self._policy.until)
        said = (*remarks, *refused, *unapplied_splits(sound, self._policy.until))
        return History(replace(sound, facts=series.facts), Provenance("file", remarks=said))

    def _offline(self, leg: Leg, held: Holding | None) -> History:
        if held is None:
            raise NotCached(f"{leg}: not in the cache, and --offline forbids asking {leg.source}")
        return self._served(
            held,
            "cache",
            stale=f"{leg}: from the cache, {age(self._policy.now - held.asked_at)} old, since --offline forbids asking",
        )

    def _check_known(self, leg: Leg) -> None:
        """Raise `UnknownSymbol` where its source has said so lately, and need not be asked again."""
        if self._policy.refresh or not self._policy.max_age > 0:
            return
        now = self._now()
        if said := self._cache.unknown(leg, now):
            ago = age(now - said.asked_at)
            raise UnknownSymbol(f"{said.message}; asked {ago} ago (--refresh asks again)", said.hint)

    def _refreshed(self, leg: Leg, held: Holding | None) -> History:
        """Ask the source for what is missing and store it."""
        fetched = self._fetch(leg, held, self._since(held))
        try:
            return self._stored(held, fetched)
        except Restated:
            return self._stored(held, self._fetch(leg, held, None))

    def _stored(self, held: Holding | None, fetched: Fetched) -> History:
        """Merge an answer into what the cache holds by now; `held` is what it held before the source was asked."""
        merges: list[Merge] = []

        def change(current: Holding | None) -> Holding:
            if current and fetched.asked_at < current.asked_at <= fetched.asked_at + MEANWHILE:
                merges.append(Merge(current))
            else:
                # An answer that covers the last days only must not become the whole leg where the file was lost.
                merges.append(merge(current or held, fetched, accept=self._policy.refresh))
            return merges[-1].holding

        holding = self._cache.update(fetched.series.leg, change)
        merged = merges[-1]
        remarks = (*fetched.remarks, *merged.remarks)
        return self._served(holding, "network", revised=merged.revised, refetched=merged.refetched, remarks=remarks)

    def _served(self, held: Holding, origin: Any, remarks: tuple[str, ...] = (), **more: Any) -> History:
        """What is held, with what can be told from the closes themselves: that is said on every run."""
        as_declared = self._as_declared(held.series.leg, held.series)
        said = (*remarks, *unapplied_splits(as_declared, self._policy.until))
        return History(held.series, Provenance(origin, held.asked_at, holes=tuple(held.holes), remarks=said, **more))

    def _since(self, held: Holding | None) -> date | None:
        """The first day to ask for; None for all."""
        if held is None or self._policy.refresh or self._cache.trouble:
            return None
        now = self._clock(held)
        if held.asked_at > now or not 0 <= now - held.reconciled_at < RECONCILE_AFTER:
            return None
        last: date = held.series.dates[-1].item()
        young: list[date] = held.holes[held.holes > np.datetime64(last - PATIENCE)].tolist()
        return min([last - _overlap(held.series), *young])

    def _fetch(self, leg: Leg, held: Holding | None, since: date | None) -> Fetched:
        """Ask the source, in its turn, and remember it if it does not know a leg of which nothing is held."""
        turns = Turns(
            self._cache, self.pace, Clock(self._now, self._sleep), self._policy.deadline, self._policy.patience
        )
        asked_at: list[float] = []

        def ask(turn: Callable[[], None]) -> Fetched:
            def counted() -> None:
                turn()
                asked_at.append(self._now())

            return self._source(leg).fetch(self._request(leg, held, since, counted))

        try:
            return turns.asked(leg, ask)
        except UnknownSymbol as error:
            if held is None and asked_at:  # some are refused unasked
                self._cache.remember_unknown(leg, Unknown(asked_at[-1], error.message, error.hint))
            raise

    def _request(self, leg: Leg, held: Holding | None, since: date | None, turn: Callable[[], None]) -> Request:
        policy = self._policy
        return Request(
            leg,
            policy.now,
            since,
            policy.deadline,
            held.series.facts if held else None,
            policy.verbose,
            policy.keys.get(leg.source),
            turn,
        )

    def _now(self) -> float:
        """The instant of the run, and what has gone by since: a run may take longer than a pause."""
        return self._policy.now + self.seconds()

    def _source(self, leg: Leg) -> Source:
        with self._loading:
            if leg.source not in self._sources:
                self._sources[leg.source] = load(leg.source)
            return self._sources[leg.source]


def _overlap(series: Series) -> timedelta:
    """How far before the last held close a refresh reaches."""
    period = DAYS.get(series.facts.frequency) or kernels.usual_gap(series.dates[-61:])
    return max(OVERLAP, timedelta(days=OVERLAP_PERIODS * period))


def _asked_after(held: Holding, day: date) -> bool:
    """Whether the last answer came when `day` was over everywhere, and its closes settled."""
    return bool(np.datetime64(int(held.asked_at), "s") >= np.datetime64(day) + np.timedelta64(60, "h"))
