"""Closes that cannot be: a hundred times off, or split without a word."""

from dataclasses import replace
from datetime import date

import numpy as np

from pairwatch.model import Days, Facts, Fetched, Floats, Holding, Leg, Positions, Series
from pairwatch.text import plural

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


def without_slips(held: Holding | None, fetched: Fetched) -> tuple[Fetched, Days, tuple[str, ...]]:
    """The answer without closes a hundred times off their neighbours, the days of these, and what is said of it.

    An answer that is a hundred times off as a whole is none of these: see `multiplied`.
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


def multiplied(old: Series, new: Series) -> int:
    """1 where a whole history is a hundred times what it was, give or take, and nothing says why; -1 for a hundredth.

    Most of the closes that both have are, and none agrees, neither as it was nor as splits that have come or gone would
    have changed it. A currency that changed from a known one to another may say why, and so may a unit or an identity.
    0 for anything else.
    """
    if _is_another(old.facts, new.facts):
        return 0
    days, i, j = np.intersect1d(old.dates, new.dates, assume_unique=True, return_indices=True)
    if not len(days):
        seam = new.facts.measure == "rate" and new.dates[0] > old.dates[-1]
        return int(_hundreds(new, old.closes[-1:], new.closes[:1])[0]) if seam else 0
    was, now = old.closes[i], new.closes[j]
    alike = was * np.sign(now) > 0
    if not alike.any():
        return 0
    logs = np.log(np.abs(now[alike])) - np.log(np.abs(was[alike]))
    ways = np.array([logs, logs + _by_splits(old, new, days[alike])])
    if (np.abs(ways) <= GIVE_OR_TAKE).any():
        return 0
    hundreds = np.where(np.abs(np.abs(ways) - HUNDREDFOLD) <= GIVE_OR_TAKE, np.sign(ways), 0)
    shares = hundreds.mean(axis=1)
    return next((int(np.sign(share)) for share in shares if abs(share) > 1 / 2), 0)


def _is_another(was: Facts, now: Facts) -> bool:
    """Whether it is known to be in another currency or unit, or of another thing."""
    facts = ((was.currency, now.currency), (was.unit, now.unit), (was.identity, now.identity))
    return any(one and other and one != other for one, other in facts)


def _by_splits(old: Series, new: Series, days: Days) -> Floats:
    """The logarithm of what splits that are only in one of two histories have divided each day's close by."""
    was, now = ({(e.day, e.value) for e in one.events if e.kind == "split"} for one in (old, new))
    found = np.zeros(len(days))
    for sign, splits in ((1, now - was), (-1, {one for one in was - now if one[0] >= new.dates[0]})):
        for day, ratio in splits:
            found[days < day] += sign * np.log(ratio)
    return found


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
