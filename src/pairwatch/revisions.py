"""What a provider has rewritten of a leg: closes, distributions and splits that once were known otherwise."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Literal, NamedTuple

import numpy as np

from pairwatch.merging import REVISED
from pairwatch.model import NAN, Days, Event, EventKind, Floats, Leg, Series

# So many closes of one ratio, from the oldest on, are a new footing and not as many revisions.
FEWEST_REBASED = 3
# A split is what rebased a leg if it is that near to the ratio of the closes.
SAME_SPLIT = 1e-3


class Revision(NamedTuple):
    """One number that changed; `before` is NaN where it was added, `after` where it was withdrawn."""

    leg: Leg
    day: date
    what: Literal["close"] | EventKind
    before: float
    after: float


class Rebasing(NamedTuple):
    """All closes up to a day on another footing.

    Attributes:
        divisor: what the older closes were divided by: 2 for a split of two for one.
        until: the last day that was rebased.
        split: the day of the split that says why, if there is one.
    """

    leg: Leg
    divisor: float
    until: date
    split: date | None


class Rewritten(NamedTuple):
    """What changed of one leg."""

    rebasing: Rebasing | None
    revisions: tuple[Revision, ...]


def rewritten(before: Series, after: Series, until: date) -> Rewritten:
    """What is different in a later state of a leg, on its days up to `until`.

    Closes that differ by less than the noise of 32-bit floats are taken for the same. A leg whose older closes all
    changed by one ratio is rebased; what changed beside that is listed a day.
    """
    old, new = _closes(before, until), _closes(after, until)
    common, i, j = np.intersect1d(old[0], new[0], assume_unique=True, return_indices=True)
    was, now = old[1][i], new[1][j]
    rebased = _rebasing(before.leg, common, was, now, after)
    footing = np.where(common <= np.datetime64(rebased.until), 1 / rebased.divisor, 1.0) if rebased else 1.0
    changed = np.abs(now - was * footing) > REVISED * np.abs(was * footing)
    changes = zip(common[changed].tolist(), was[changed].tolist(), now[changed].tolist(), strict=True)
    found = [
        *(Revision(before.leg, day, "close", x, y) for day, x, y in changes),
        *(Revision(before.leg, day, "close", x, NAN) for day, x in _lacking(old, new)),
        *(Revision(before.leg, day, "close", NAN, y) for day, y in _lacking(new, old)),
        *_events(before, after, until, rebased),
    ]
    return Rewritten(rebased, tuple(sorted(found, key=lambda one: (one.day, one.what))))


def _closes(series: Series, until: date) -> tuple[Days, Floats]:
    keep = int(series.dates.searchsorted(np.datetime64(until), side="right"))
    return series.dates[:keep], series.closes[:keep]


def _lacking(have: tuple[Days, Floats], lack: tuple[Days, Floats]) -> Iterator[tuple[date, float]]:
    """The closes of one that the other has none for; what lies before the other's first day is no revision."""
    missing = ~np.isin(have[0], lack[0])
    if len(lack[0]):
        missing &= have[0] > lack[0][0]
    return zip(have[0][missing].tolist(), have[1][missing].tolist(), strict=True)


def _rebasing(leg: Leg, days: Days, was: Floats, now: Floats, after: Series) -> Rebasing | None:
    """A ratio that most of the oldest closes share up to the last that has it."""
    if not len(days) or (was == 0).any() or (now == 0).any():
        return None
    ratio = was / now
    first = float(np.median(ratio[:FEWEST_REBASED]))
    shares = np.abs(ratio - first) <= 10 * REVISED * abs(first)
    if abs(first - 1) <= 10 * REVISED or shares.sum() < FEWEST_REBASED:
        return None
    last = int(np.flatnonzero(shares)[-1])
    if shares[: last + 1].mean() < 0.5:
        return None
    until: date = days[last].item()
    following: list[date] = days[last + 1 : last + 2].tolist() or [date.max]
    splits = [_day(e) for e in after.events if e.kind == "split" and abs(e.value / first - 1) <= SAME_SPLIT]
    return Rebasing(leg, first, until, next((day for day in splits if until < day <= following[0]), None))


def _day(event: Event) -> date:
    return date.fromisoformat(str(event.day))


def _events(before: Series, after: Series, until: date, rebased: Rebasing | None) -> list[Revision]:
    """Distributions and splits; an amount of the old footing is the same on the new one."""
    was, now = _happened(before, until), _happened(after, until)
    found = []
    for key in dict.fromkeys([*was, *now]):
        x, y = was.get(key, NAN), now.get(key, NAN)
        kind, day = key
        footing = rebased.divisor if rebased and kind != "split" and day <= rebased.until else 1.0
        told = rebased is not None and kind == "split" and day == rebased.split
        if not (abs(y - x / footing) <= REVISED * abs(x / footing) or told):
            found.append(Revision(before.leg, day, kind, x, y))
    return found


def _happened(series: Series, until: date) -> Mapping[tuple[EventKind, date], float]:
    """What happened, by kind and day; amounts of one day add up, and splits multiply."""
    found: dict[tuple[EventKind, date], float] = {}
    for event in series.events:
        key = (event.kind, _day(event))
        if key[1] <= until:
            is_split = event.kind == "split"
            known = found.get(key, 1.0 if is_split else 0.0)
            found[key] = known * event.value if is_split else known + event.value
    return found
