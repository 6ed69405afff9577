"""One leg's history: the cache first, the source for what is missing."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np

from pairwatch import kernels
from pairwatch.cache import LONGEST_BAN, Cache
from pairwatch.errors import NotCached, RateLimited, SourceError
from pairwatch.model import Adjustment, Days, Event, Fetched, Floats, Holding, Leg, Provenance, Series
from pairwatch.sources import Request, Source, about, load
from pairwatch.text import age, listing

# How many calendar days before the last held close are asked for again, for late revisions and late events.
OVERLAP = timedelta(days=15)
# How long a session that the provider dropped is asked for again.
PATIENCE = timedelta(days=45)
# After this many seconds the whole history is asked for again (it costs no more requests), for deep revisions.
RECONCILE_AFTER = 30 * 86_400.0
# How many seconds later than this run another one may have asked: it began later and was quicker. An answer from
# further ahead was given under a clock that has been set back.
MEANWHILE = 600.0
# Relative change from which a close counts as another: above the noise of prices stored as 32-bit floats.
REVISED = 1e-7
# How many days before the last close a hole is remembered: as far back as sources expect anything.
REMEMBERED = np.timedelta64(400, "D")
# How many days a distribution may have moved when the session it belonged to is no longer given.
MOVED = np.timedelta64(4, "D")


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


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """One leg's finished closes, and where they come from."""

    series: Series
    provenance: Provenance

    def to_frame(self) -> Any:
        """A pandas DataFrame by date: `close` as quoted, `adjusted` for distributions, `dividend`, `split`."""
        import pandas as pd  # noqa: PLC0415 - pandas must not load with the types

        series = self.series
        events = {"dividend": np.zeros(len(series)), "split": np.zeros(len(series))}
        for event in series.events:
            events["split" if event.kind == "split" else "dividend"][series.dates == event.day] += event.value
        return pd.DataFrame(
            {"close": series.closes, "adjusted": adjusted(series, "total"), **events},
            index=pd.DatetimeIndex(series.dates, name="date"),
        )


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
        except _Restated as restated:
            return self._stored(held, self._fetch(leg, held, None), reason=str(restated))

    def _stored(self, held: Holding | None, fetched: Fetched, reason: str = "") -> History:
        """Merge an answer into what the cache holds by now; `held` is what it held before the source was asked."""
        merges: list[_Merge] = []

        def change(current: Holding | None) -> Holding:
            if current and fetched.asked_at < current.asked_at <= fetched.asked_at + MEANWHILE:
                merges.append(_Merge(current))
            else:
                # An answer that covers the last days only must not become the whole leg where the file was lost.
                merges.append(_merge(current or held, fetched, reason))
            return merges[-1].holding

        holding = self._cache.update(fetched.series.leg, change)
        merge = merges[-1]
        remarks = (*fetched.remarks, *merge.remarks)
        return _served(holding, "network", revised=merge.revised, refetched=merge.refetched, remarks=remarks)

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


# ---------------------------------------------------------------- merging


class _Restated(Exception):
    """The provider has restated the history: what is held and what came do not fit together."""


class _Merge(NamedTuple):
    holding: Holding
    revised: int = 0
    refetched: bool = False
    remarks: tuple[str, ...] = ()


def _merge(held: Holding | None, fetched: Fetched, reason: str = "") -> _Merge:
    """What is held and what came, as one.

    What came wins on the days it covers, with one exception: a finished session that the provider gave once and
    now leaves out is kept. A restated history (`reason`, or one that is seen here) leaves nothing of what is held.

    Raises:
        _Restated: an answer for the last days only is on another footing than what is held.
    """
    if held is None:
        return _Merge(_holding(fetched, fetched.series, fetched.expected, fetched.asked_at))
    old, new = held.series, fetched.series
    reason = reason or _restated(old, fetched)
    if reason:
        if fetched.since is not None:
            raise _Restated(reason)
        return _replaced(held, fetched, reason)
    gone = ~np.isin(old.dates, new.dates) & (old.dates >= _first_day(fetched))
    # A bar from a time when the clock was ahead may never have been a finished one.
    later = (old.dates > new.dates[-1]) & (held.asked_at <= fetched.asked_at)
    kept = gone & ((old.dates < new.dates[0]) | np.isin(old.dates, fetched.expected) | later)
    return _Merge(
        _holding(
            fetched,
            _joined(old, fetched, kept),
            np.union1d(held.holes[held.holes < new.dates[0]], fetched.expected),
            fetched.asked_at if fetched.since is None else held.reconciled_at,
        ),
        revised=_count_revised(old, new),
        remarks=(*_no_longer_given(old, kept, "kept"), *_no_longer_given(old, gone & ~kept, "left out")),
    )


def _replaced(held: Holding, fetched: Fetched, reason: str) -> _Merge:
    """The answer alone. One that begins later than what it replaces is asked for again at the next refresh."""
    whole = fetched.series.dates[0] <= held.series.dates[0]
    return _Merge(
        _holding(fetched, fetched.series, fetched.expected, fetched.asked_at if whole else 0.0),
        refetched=True,
        remarks=(f"{held.series.leg}: {reason}; the whole history was fetched again",),
    )


def _restated(old: Series, fetched: Fetched) -> str:
    """Why what is held and what came do not fit together, or nothing.

    Whatever restates the days before an answer restates its first days too: these must agree.
    """
    new = fetched.series
    if old.facts.currency != new.facts.currency:
        was, now = (series.facts.currency or "unknown" for series in (old, new))
        return f"the currency changed from {was} to {now}"
    first = max(_first_day(fetched), new.dates[0]) if fetched.since is None else _first_day(fetched)
    had, has = _splits(old, first), _splits(new, first)
    if had != has:
        day, ratio = min(had ^ has)
        return f"a split of {ratio:g} on {day} was {'added' if (day, ratio) in has else 'withdrawn'}"
    common, i, j = np.intersect1d(old.dates, new.dates, assume_unique=True, return_indices=True)
    if not len(common):
        return "no day in common with what is held"
    was, now = old.closes[i[0]], new.closes[j[0]]
    return f"the close of {common[0]} was {was:.6g} and is now {now:.6g}" if _differ(was, now) else ""


def _first_day(fetched: Fetched) -> np.datetime64:
    return np.datetime64(fetched.since or date.min)


def _splits(series: Series, since: np.datetime64) -> set[tuple[str, float]]:
    return {(str(e.day), e.value) for e in series.events if e.kind == "split" and e.day >= since}


def _differ(was: Any, now: Any) -> Any:
    """Whether closes differ by more than noise; elementwise."""
    return np.abs(now - was) > REVISED * np.abs(was)


def _joined(old: Series, fetched: Fetched, kept: Any) -> Series:
    """The closes before the answer, the kept ones and all new ones, each with its events."""
    new, first = fetched.series, _first_day(fetched)
    stays = kept | (old.dates < first)
    dates = np.concatenate([old.dates[stays], new.dates])
    closes = np.concatenate([old.closes[stays], new.closes])
    order = np.argsort(dates)
    before = [e for e in old.events if e.day < first]
    alone = [e for e in old.events if e.day >= first and e.day in old.dates[kept] and not _moved(e, new)]
    came = [e for e in new.events if e.day >= first]
    events = tuple(sorted([*before, *alone, *came], key=lambda e: (e.day, e.kind)))
    return replace(new, dates=dates[order], closes=closes[order], events=events)


def _moved(event: Event, new: Series) -> bool:
    """Whether the answer has the event, on its day or on one close by."""
    return any(e.kind == event.kind and e.value == event.value and abs(e.day - event.day) <= MOVED for e in new.events)


def _no_longer_given(old: Series, which: Any, fate: str) -> tuple[str, ...]:
    days = [str(day) for day in old.dates[which]]
    return (f"{old.leg}: {listing(days)} no longer given by {old.leg.source}, {fate}",) if days else ()


def _count_revised(old: Series, new: Series) -> int:
    _, i, j = np.intersect1d(old.dates, new.dates, assume_unique=True, return_indices=True)
    return int(_differ(old.closes[i], new.closes[j]).sum())


def _holding(fetched: Fetched, series: Series, expected: Days, reconciled_at: float) -> Holding:
    """Holes are the expected days without a close, from the first held bar on."""
    first = max(series.dates[0], series.dates[-1] - REMEMBERED)
    missing = np.setdiff1d(expected[expected >= first], series.dates)
    return Holding(series, fetched.asked_at, fetched.fresh_until, reconciled_at, missing)


def _served(held: Holding, origin: Any, **more: Any) -> History:
    provenance = Provenance(origin, held.asked_at, holes=tuple(held.holes), **more)
    return History(held.series, provenance)
