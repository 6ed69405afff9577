"""What is held of a leg and what its source has just sent, as one."""

from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple

import numpy as np

from pairwatch.model import Days, Event, Facts, Fetched, Floats, Holding, Leg, Positions, Series
from pairwatch.text import listing, plural

# Relative change from which a close counts as another: above the noise of prices stored as 32-bit floats.
REVISED = 1e-7
# How many days before the last close a hole is remembered: as far back as sources expect anything.
REMEMBERED = np.timedelta64(400, "D")
# How many days a distribution may have moved when the session it belonged to is no longer given.
MOVED = np.timedelta64(4, "D")

# Across a gap a coin's price may have changed by less than this; redenominations are by as much or more.
REDENOMINATED = 10
# Prices that are a hundred times what they should be, give or take what a price may do in a day: pence for pounds.
HUNDREDFOLD = np.log(100)
GIVE_OR_TAKE = np.log(1.25)
# What does not change a hundredfold in a day: no price, no index, and no rate by so many percentage points; near zero a
# rate may. No level in points, or of an index, either (VIX, consumer prices), where it is not near zero, as indices of
# activity and of stress are; other levels may (payrolls' changes, claims).
LEAST_CHANGE = {"price": 0.0, "index": 0.0, "rate": 3.0}
LEAST_CHANGE_OF_LEVEL = 3.0
# So many closes in a row are no slip any more, where nothing is known of the leg.
LASTING = 20
# Splits as they are made, and how near to one a jump of the price must be to be taken for one.
SPLITS = (1.5, 2, 3, 4, 5, 6, 7, 8, 10, 15, 20, 25, 30, 50)
NEAR = 0.005
# How many days before the last close a split is looked for that the provider has not applied: the usual window.
LATELY = np.timedelta64(100, "D")


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
def merge(held: Holding | None, fetched: Fetched) -> Merge:
    """What is held and what came, as one.

    What came wins on the days it covers, with two exceptions: a finished session that the provider gave once and now
    leaves out is kept, and closes that are a hundred times off their neighbours are refused. A whole answer that
    restates the history leaves nothing of what is held, also not what it does not reach back to: closes on different
    footings never stand in one series. One that begins after all that is held leaves it only where its footing cannot
    have changed since: see `_lasts`.

    Raises:
        Restated: an answer for the last days only is on another footing than what is held.
    """
    if held:
        fetched = _cut(fetched)
        if not len(fetched.series):
            raise Restated("no day in common with what is held")
    fetched, refused, remarks = _without_slips(held, fetched)
    if held is None:
        return Merge(_holding(fetched, fetched.series, fetched.expected, fetched.asked_at), remarks=remarks)
    old, new = held.series, fetched.series
    if reason := _restated(old, fetched):
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


# ---------------------------------------------------------------- closes that cannot be


def _without_slips(held: Holding | None, fetched: Fetched) -> tuple[Fetched, Days, tuple[str, ...]]:
    """The answer without closes a hundred times off their neighbours, the days of these, and what is said of it.

    An answer that is a hundred times off as a whole is none of these: see `_restated`.
    """
    series = fetched.series
    remarks = []
    levels = _levels(series)
    right = _right_level(held, series, levels)
    odd = levels != right
    refused = series.dates[odd]
    if len(refused):
        way_out = f"if that is right: pairwatch cache clear {series.leg}"
        remarks.append(_refusal(series.leg, refused, way_out, above=bool(levels[odd][0] > right)))
        series = replace(series, dates=series.dates[~odd], closes=series.closes[~odd])
        # There was a session: without a close it is a hole, which is remembered.
        fetched = fetched._replace(expected=np.union1d(fetched.expected, refused))
    if series.quote and _hundreds(series, series.closes[-1:], np.array([series.quote.price]))[0]:
        remarks.append(f"{series.leg}: a latest price of {series.quote.price:g} refused, 100 times off the last close")
        series = replace(series, quote=None)
    return (fetched._replace(series=series) if remarks else fetched), refused, tuple(remarks)


def believed(series: Series, until: date | None = None) -> tuple[Series, tuple[str, ...]]:
    """The closes of a file without those a hundred times off the others, and what is said of these, up to a day.

    A file that is a hundred times off as a whole cannot be told from others, and stays as it is.
    """
    levels = _levels(series)
    right = _right_level(None, series, levels)
    odd = levels != right
    if not odd.any():
        return series, ()
    said = odd if until is None else odd & (series.dates <= np.datetime64(until))
    name = "level:NAME" if series.facts.measure == "level" else "level"
    way_out = f"mend the file, or if that is right: --unit {series.leg}={name}"
    above = bool(levels[odd][0] > right)
    remarks = (_refusal(series.leg, series.dates[said], way_out, above=above),) if said.any() else ()
    return replace(series, dates=series.dates[~odd], closes=series.closes[~odd]), remarks


def _refusal(leg: Leg, refused: Days, way_out: str, *, above: bool) -> str:
    days = str(refused[0]) if len(refused) == 1 else f"{refused[0]} to {refused[-1]}"
    times = "100 times" if above else "a hundredth of"
    return f"{leg}: {plural(len(refused), 'close')} refused, {days}: {times} the others, and no split; {way_out}"


def _levels(series: Series) -> Positions:
    """How many times a hundred each close is above the first, counting unexplained jumps; shape (n,)."""
    levels = np.zeros(len(series), dtype=np.intp)
    jumps = _hundreds(series, series.closes[:-1], series.closes[1:])
    if jumps.any():
        splits = np.array([e.day for e in series.events if e.kind == "split"], dtype="datetime64[D]")
        jumps[np.isin(np.arange(1, len(series)), series.dates.searchsorted(splits))] = 0
        levels[1:] = jumps.cumsum()
    return levels


def _hundreds(series: Series, was: Floats, now: Floats) -> Positions:
    """1 where a value is a hundred times another, give or take, and cannot be; -1 where a hundredth; 0 elsewhere."""
    above = (was > 0) & (now > 0) & (np.abs(now - was) > _least_change(series.facts))
    logs = np.zeros(len(was))
    logs[above] = np.log(now[above]) - np.log(was[above])
    return np.where(np.abs(np.abs(logs) - HUNDREDFOLD) <= GIVE_OR_TAKE, np.sign(logs), 0).astype(np.intp)


def _least_change(facts: Facts) -> float:
    """By how much a series changes at least where a hundredfold of it is no slip's doing; infinite if it may always."""
    unit = facts.unit.lower()
    if facts.measure == "level" and (unit == "points" or unit.startswith("index")):
        return LEAST_CHANGE_OF_LEVEL
    return LEAST_CHANGE.get(facts.measure, np.inf)


def _right_level(held: Holding | None, series: Series, levels: Positions) -> int:
    """The level on which the closes are right: as they are held; otherwise the latest that lasted, or the commonest."""
    if not levels.any():
        return 0
    if held:
        _, i, j = np.intersect1d(held.series.dates, series.dates, assume_unique=True, return_indices=True)
        was, now = held.series.closes[i], series.closes[j]
        off = _hundreds(series, was, now)
        comparable = (off != 0) | (np.abs(now - was) < np.abs(was) / 4)
        found = _commonest(levels[j][comparable] - off[comparable])
        if found in levels:
            return int(found)
    ends = [*np.flatnonzero(np.diff(levels)).tolist(), len(levels) - 1]
    for start, end in reversed(list(zip([-1, *ends], ends, strict=False))):
        if end - start >= LASTING:
            return int(levels[end])
    return int(_commonest(levels))


def _commonest(values: Positions) -> int:
    """The value that is there most often; one that no level can be, if there is none."""
    found, counts = np.unique(values, return_counts=True)
    return int(found[counts.argmax()]) if len(found) else np.iinfo(np.intp).max


def unapplied_splits(series: Series, until: date | None = None) -> tuple[str, ...]:
    """What is said of late closes, up to a day, that jumped as if by a split that the provider does not know of."""
    end = len(series) if until is None else int(series.dates.searchsorted(np.datetime64(until), side="right"))
    if series.facts.measure != "price" or end < 2:
        return ()
    start = max(int(series.dates.searchsorted(series.dates[end - 1] - LATELY)), 1)
    closes, dates = series.closes[start - 1 : end], series.dates[start:end]
    if not (closes > 0).all():
        return ()
    jumps = np.diff(np.log(closes))
    near = (np.abs(np.abs(jumps)[:, None] - np.log(SPLITS)) < NEAR).any(axis=1)
    if not near.any():  # as nearly always
        return ()
    splits = {e.day for e in series.events if e.kind == "split"}
    return tuple(
        f"{series.leg}: the close of {day} is {np.exp(jump):.4g} times the one before, as after a split, and "
        f"{series.leg.source} gives none"
        for day, jump in zip(dates[near], jumps[near], strict=True)
        if day not in splits
    )
