"""What is held of a leg and what its source has just sent, as one."""

from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple

import numpy as np

from pairwatch import slips
from pairwatch.errors import GarbledAnswer
from pairwatch.model import Days, Event, Fetched, Holding, Series
from pairwatch.text import listing, plural

# Relative change from which a close counts as another: above the noise of prices stored as 32-bit floats.
REVISED = 1e-7
# How many days before the last close a hole is remembered: as far back as sources expect anything.
REMEMBERED = np.timedelta64(400, "D")
# How many days a distribution may have moved when the session it belonged to is no longer given.
MOVED = np.timedelta64(4, "D")

# Across a gap a coin's price may have changed by less than this; redenominations are by as much or more.
REDENOMINATED = 10


_NEVER = np.datetime64(date.min)

Flags = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


class Restated(Exception):
    """The provider has restated the history: what is held and what came do not fit together."""


class Merge(NamedTuple):
    """What is held from now on, and what has to be said of it: see `Provenance`."""

    holding: Holding
    revised: int = 0
    refetched: bool = False
    remarks: tuple[str, ...] = ()


@np.errstate(over="ignore", under="ignore")  # closes may be any finite numbers
def merge(held: Holding | None, fetched: Fetched, *, accept: bool = False) -> Merge:
    """What is held and what came, as one.

    What came wins on the days it covers, with two exceptions: a finished session that the provider gave once and now
    leaves out is kept, and closes that are a hundred times off their neighbours are refused. A whole answer that
    restates the history leaves nothing of what is held, also not what it does not reach back to: closes on different
    footings never stand in one series. One that begins after all that is held leaves it only where its footing cannot
    have changed since: see `_lasts`. One that is a hundred times what is held as a whole, or a hundredth of it, for no
    reason that is known is refused, unless it is to be accepted: what was asked for anew may be believed.

    Raises:
        Restated: an answer for the last days only is on another footing than what is held.
        GarbledAnswer: a whole answer is refused; what is held stays.
    """
    if held:
        fetched = _cut(fetched)
        if not len(fetched.series):
            raise Restated("no day in common with what is held")
    fetched, refused, remarks = slips.without_slips(held, fetched)
    if held is None:
        return Merge(_holding(fetched, fetched.series, fetched.expected, fetched.asked_at), remarks=remarks)
    old, new = held.series, fetched.series
    times = _multiplied(old, fetched)
    if times and not accept:
        raise GarbledAnswer(
            f"{old.leg}: the closes of {old.leg.source} are refused: {times}, and nothing says why; if that is right: "
            f"pairwatch fetch {old.leg} --refresh"
        )
    if reason := _restated(old, fetched) or times:
        if fetched.since is not None:
            raise Restated(reason)
        return _replaced(held, fetched, reason, remarks)
    gone, kept, dropped = _fate(held, fetched, refused)
    return Merge(
        _holding(
            fetched,
            _joined(old, fetched, kept),
            np.union1d(held.holes[held.holes < new.dates[0]], fetched.expected),
            fetched.asked_at if fetched.since is None else held.reconciled_at,
        ),
        revised=_count_revised(old, new),
        remarks=(
            *remarks,
            *_gap(old, new),
            *_no_longer_given(old, dropped, "kept"),
            *_no_longer_given(old, gone & ~kept, "left out"),
        ),
    )


def _multiplied(old: Series, fetched: Fetched) -> str:
    """That a whole answer is a hundred times what is held, or a hundredth of it; or nothing."""
    sign = slips.multiplied(old, fetched.series) if fetched.since is None else 0
    return f"all are {'100 times' if sign > 0 else 'a hundredth of'} what they were" if sign else ""


def _fate(held: Holding, fetched: Fetched, refused: Days) -> tuple[Flags, Flags, Flags]:
    """Which held closes the answer leaves out, which of these stay, and of which of these that has to be said."""
    old, new = held.series, fetched.series
    gone = ~np.isin(old.dates, new.dates) & (old.dates >= _first_day(fetched))
    odd = np.isin(old.dates, refused)
    # A bar from a time when the clock was ahead may never have been a finished one.
    later = (old.dates > new.dates[-1]) & (held.asked_at <= fetched.asked_at)
    before = old.dates < new.dates[0]
    kept = gone & (before | np.isin(old.dates, fetched.expected) | later | odd)
    # A whole answer that begins later is one of a source that does not reach back far: nothing was dropped.
    return gone, kept, kept & ~odd & ~before if fetched.since is None else kept & ~odd


def _cut(fetched: Fetched) -> Fetched:
    """The answer without what lies before the days that were asked for; it may be empty."""
    series, first = fetched.series, _first_day(fetched)
    if (wanted := series.dates >= first).all() and all(e.day >= first for e in series.events):
        return fetched
    events = tuple(e for e in series.events if e.day >= first)
    return fetched._replace(
        series=replace(series, dates=series.dates[wanted], closes=series.closes[wanted], events=events)
    )


def _replaced(held: Holding, fetched: Fetched, reason: str, remarks: tuple[str, ...]) -> Merge:
    """The answer alone. One that begins later than what it replaces is asked for again at the next refresh."""
    old, new = held.series, fetched.series
    lost = int((old.dates < new.dates[0]).sum())
    said = [f"{old.leg}: {reason}; the whole history was fetched again"]
    if factor := _factor(old, new):
        said.append(f"{old.leg}: all closes are {factor:.6g} times what they were")
    if lost:
        said.append(f"{old.leg}: {plural(lost, 'close')} before {new.dates[0]} fit no longer and were given up")
    return Merge(
        _holding(fetched, new, fetched.expected, 0.0 if lost else fetched.asked_at),
        refetched=True,
        remarks=(*said, *remarks),
    )


def _factor(old: Series, new: Series) -> float:
    """By what all closes were multiplied; 0 if by no common factor, or by 1."""
    _, i, j = np.intersect1d(old.dates, new.dates, assume_unique=True, return_indices=True)
    was, now = old.closes[i], new.closes[j]
    if not len(was) or (was == 0).any():
        return 0.0
    ratios = now / was
    factor = float(np.median(ratios))
    if not np.isfinite(ratios).all():
        return 0.0
    return factor if abs(factor - 1) > 1e-3 and (np.abs(ratios - factor) < 1e-3 * abs(factor)).all() else 0.0


def _restated(old: Series, fetched: Fetched) -> str:
    """Why what is held and what came do not fit together, or nothing.

    Whatever restates the days before an answer restates its first days too: these must agree.
    """
    new = fetched.series
    if old.facts.currency != new.facts.currency:
        was, now = (series.facts.currency or "unknown" for series in (old, new))
        return f"the currency changed from {was} to {now}"
    if old.facts.identity and new.facts.identity and old.facts.identity != new.facts.identity:
        return f"the symbol stood for {old.facts.identity} and now stands for {new.facts.identity}"
    if split := _changed_split(old, fetched):
        return split
    common, i, j = np.intersect1d(old.dates, new.dates, assume_unique=True, return_indices=True)
    if not len(common):
        return "" if fetched.since is None and _lasts(old, new) else "no day in common with what is held"
    was, now = old.closes[i[0]], new.closes[j[0]]
    return f"the close of {common[0]} was {was:.6g} and is now {now:.6g}" if _differ(was, now) else ""


def _changed_split(old: Series, fetched: Fetched) -> str:
    """The first split that is new, or no longer given for days that the answer covers; or nothing."""
    new, first = fetched.series, _first_day(fetched)
    covered = max(first, new.dates[0]) if fetched.since is None else first
    withdrawn = _splits(old, covered) - _splits(new, covered)
    # Of an answer that begins later than its splits, too: they restate whatever is held from before them.
    added = _splits(new, min(covered, old.dates[0])) - _splits(old, _NEVER)
    if not (withdrawn or added):
        return ""
    day, ratio = min(withdrawn | added)
    return f"a split of {ratio:g} on {day} was {'added' if (day, ratio) in added else 'withdrawn'}"


def _lasts(old: Series, new: Series) -> bool:
    """Whether closes that end before an answer begins stand on its footing, though no day can tell.

    A rate in percent has neither shares that split nor a base that is renewed. A coin that its provider knows by the
    same identity has no splits either; should it have been redenominated, its price is far off. Of anything else
    (shares, and indices and levels with a base) a whole answer that begins later may be on another footing.
    """
    was, now = old.facts, new.facts
    if new.dates[0] <= old.dates[-1] or (was.measure, was.unit) != (now.measure, now.unit):
        return False
    if now.measure == "rate":
        return True
    if now.measure != "price" or now.kind != "CRYPTOCURRENCY" or not was.identity or was.identity != now.identity:
        return False
    last, first = float(old.closes[-1]), float(new.closes[0])
    return 0 < last < first * REDENOMINATED and first < last * REDENOMINATED


def _gap(old: Series, new: Series) -> tuple[str, ...]:
    last, first = old.dates[-1], new.dates[0]
    if last >= first:
        return ()
    return (f"{old.leg}: nothing between {last} and {first}: {old.leg.source} does not reach back so far",)


def _first_day(fetched: Fetched) -> np.datetime64:
    return np.datetime64(fetched.since) if fetched.since else _NEVER


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
    reached = new.dates[0] if fetched.since is None else first
    alone = [
        e for e in old.events if e.day >= first and (e.day < reached or e.day in old.dates[kept]) and not _moved(e, new)
    ]
    events = tuple(sorted([*before, *alone, *new.events], key=lambda e: (e.day, e.kind)))
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
