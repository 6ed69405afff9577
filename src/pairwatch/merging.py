"""What is held of a leg and what its source has just sent, as one."""

from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple

import numpy as np

from pairwatch.model import Days, Event, Fetched, Holding, Series
from pairwatch.text import listing

# Relative change from which a close counts as another: above the noise of prices stored as 32-bit floats.
REVISED = 1e-7
# How many days before the last close a hole is remembered: as far back as sources expect anything.
REMEMBERED = np.timedelta64(400, "D")
# How many days a distribution may have moved when the session it belonged to is no longer given.
MOVED = np.timedelta64(4, "D")


class Restated(Exception):
    """The provider has restated the history: what is held and what came do not fit together."""


class Merge(NamedTuple):
    """What is held from now on, and what has to be said of it: see `Provenance`."""

    holding: Holding
    revised: int = 0
    refetched: bool = False
    remarks: tuple[str, ...] = ()


def merge(held: Holding | None, fetched: Fetched, reason: str = "") -> Merge:
    """What is held and what came, as one.

    What came wins on the days it covers, with one exception: a finished session that the provider gave once and
    now leaves out is kept. A restated history (`reason`, or one that is seen here) leaves nothing of what is held.

    Raises:
        Restated: an answer for the last days only is on another footing than what is held.
    """
    if held is None:
        return Merge(_holding(fetched, fetched.series, fetched.expected, fetched.asked_at))
    old, new = held.series, fetched.series
    reason = reason or _restated(old, fetched)
    if reason:
        if fetched.since is not None:
            raise Restated(reason)
        return _replaced(held, fetched, reason)
    gone = ~np.isin(old.dates, new.dates) & (old.dates >= _first_day(fetched))
    # A bar from a time when the clock was ahead may never have been a finished one.
    later = (old.dates > new.dates[-1]) & (held.asked_at <= fetched.asked_at)
    kept = gone & ((old.dates < new.dates[0]) | np.isin(old.dates, fetched.expected) | later)
    return Merge(
        _holding(
            fetched,
            _joined(old, fetched, kept),
            np.union1d(held.holes[held.holes < new.dates[0]], fetched.expected),
            fetched.asked_at if fetched.since is None else held.reconciled_at,
        ),
        revised=_count_revised(old, new),
        remarks=(*_no_longer_given(old, kept, "kept"), *_no_longer_given(old, gone & ~kept, "left out")),
    )


def _replaced(held: Holding, fetched: Fetched, reason: str) -> Merge:
    """The answer alone. One that begins later than what it replaces is asked for again at the next refresh."""
    whole = fetched.series.dates[0] <= held.series.dates[0]
    return Merge(
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
