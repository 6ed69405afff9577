"""After which closes a run is due, and when that is."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pairwatch.errors import UsageError
from pairwatch.model import Holding, Leg, Series
from pairwatch.text import listing

SHORTEST, LONGEST = timedelta(minutes=30), timedelta(hours=12)
"""A close is final half an hour after the bell; half a day later the next session may have closed."""
HORIZON = 731
"""Days that are looked ahead: two years hold every combination of summer times several times over."""
TOGETHER = timedelta(hours=1)
"""Closes that are never farther apart share a run."""

_WORK_WEEK = (0, 1, 2, 3, 4)
_RECENT, _REGULAR = 60, 4


class Close(NamedTuple):
    """A session's usual end.

    Attributes:
        minutes: after the exchange's midnight, by its wall clock; 1440 is the midnight after.
        weekdays: of the sessions, 0 for Monday.
    """

    timezone: str
    minutes: int
    weekdays: tuple[int, ...] = _WORK_WEEK

    def __str__(self) -> str:
        return f"{self.timezone} {self.minutes // 60:02}:{self.minutes % 60:02}"


NEW_YORK = Close("America/New_York", 16 * 60)


class Plan(NamedTuple):
    """After which closes a run is due, and what a person should know of how that was found."""

    closes: tuple[Close, ...]
    notes: tuple[str, ...]


def plan(legs: Iterable[Leg], held: Callable[[Leg], Holding | None], today: date) -> Plan:
    """The closes of `legs`, as far as `held` (a cache's `get`) knows them; New York's if it knows none."""
    found: set[Close] = set()
    unknown: list[Leg] = []
    for leg in dict.fromkeys(legs):
        holding = held(leg)
        close = close_of(holding.series) if holding else None
        if close:
            found.add(close)
        else:
            unknown.append(leg)
    notes = [f"no closing time is known of {listing(unknown)}: not fetched yet, or not traded"] if unknown else []
    if not found:
        notes.append(f"no closing time is known at all: {NEW_YORK} is taken")
    return Plan(merged(found or {NEW_YORK}, today), tuple(notes))


def close_of(series: Series) -> Close | None:
    """The usual close of a leg, and the weekdays it has lately traded on; None where its exchange is not known."""
    facts = series.facts
    if facts.closes_at is None or not _is_zone(facts.timezone):
        return None
    lately = [day.weekday() for day in series.dates[-_RECENT:].tolist()]
    # A special session on a Saturday does not make Saturdays trading days.
    seen = tuple(day for day in range(7) if lately.count(day) >= _REGULAR)
    weekdays = tuple(range(7)) if facts.every_day else (len(lately) == _RECENT and seen) or _WORK_WEEK
    return Close(facts.timezone, facts.closes_at, weekdays)


def merged(closes: Iterable[Close], today: date) -> tuple[Close, ...]:
    """Leave out each close that another one always follows within the hour: its run does for both."""
    instants = {close: due(close, timedelta(), today) for close in sorted(set(closes))}
    covers = {
        late: {early for early in instants if early != late and _follows(instants[late], instants[early])}
        for late in instants
    }
    kept: list[Close] = []
    for close in sorted(instants, key=lambda c: -len(covers[c])):
        if not any(close in covers[other] for other in kept):
            kept.append(close)
    return tuple(sorted(kept))


def due(close: Close, delay: timedelta, today: date) -> list[datetime]:
    """The instants, in UTC, `delay` after each close from the day before `today` on, over two years."""
    zone = ZoneInfo(close.timezone)
    midnights = [datetime.combine(today, time(), zone) + timedelta(days) for days in range(-1, HORIZON)]
    # Adding to a local time moves the hands of its clock; adding to UTC lets time pass.
    return [
        (midnight + timedelta(minutes=close.minutes)).astimezone(UTC) + delay
        for midnight in midnights
        if midnight.weekday() in close.weekdays
    ]


def _follows(late: list[datetime], early: list[datetime]) -> bool:
    """Whether after each of `early`, or with it, comes one of `late` within the hour."""
    # The last ones' followers may lie beyond the horizon.
    places = [(instant, bisect_left(late, instant)) for instant in early[:-2]]
    return all(place < len(late) and late[place] - instant <= TOGETHER for instant, place in places)


def _is_zone(name: str) -> bool:
    try:
        return bool(ZoneInfo(name).key)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder of zones
        return False


def checked_delay(seconds: float) -> timedelta:
    """A delay in whole minutes, rounded up.

    Raises:
        UsageError: the close is not final so soon, or the next one may come before.
    """
    delay = timedelta(minutes=-(-seconds // 60))
    if not SHORTEST <= delay <= LONGEST:
        raise UsageError(
            f"a delay of {seconds / 60:g} minutes is not possible",
            "--delay takes 30m (a close is final half an hour after the bell) to 12h",
        )
    return delay


def runs_of(ordered: Sequence[int]) -> list[tuple[int, int]]:
    """The first and last of each run of neighbours."""
    firsts = [n for n in ordered if n - 1 not in ordered]
    lasts = [n for n in ordered if n + 1 not in ordered]
    return list(zip(firsts, lasts, strict=True))


def minutes_of(delay: timedelta) -> str:
    """`40 minutes`."""
    return f"{delay // timedelta(minutes=1)} minutes"
