"""The way from one window to another, in the later state's data: see `pairwatch.differences`."""

from collections.abc import Collection
from dataclasses import replace
from datetime import date
from typing import NamedTuple

import numpy as np

from pairwatch import pairs
from pairwatch.alignment import FEWEST_RETURNS, align, matches
from pairwatch.differences.findings import State, Values
from pairwatch.errors import NotEnoughData, UsageError
from pairwatch.histories import History
from pairwatch.model import Reading, Series, Window
from pairwatch.staging import Question

_ENTER_FIRST = (
    f"both windows share fewer than {FEWEST_RETURNS} returns: new days are taken to enter before old ones leave"
)
_OTHER_BARS = "every return of two days is of other days than then: an odd number of days has passed"


class Path(NamedTuple):
    """The windows between two states, in the later one's data.

    Attributes:
        old: S(F).
        shared: S(I); empty where it cannot be said at all.
        joint: S(U); the same.
        until: for each leg, the day to which splits count in F.
    """

    old: Values
    shared: Values
    joint: Values
    until: tuple[date, date]
    left: tuple[date, ...] = ()
    entered: tuple[date, ...] = ()
    remarks: tuple[str, ...] = ()


def splits_known(start: State, side: History) -> date:
    """To which day splits count in what was said then: a split of the next morning may have been known already."""
    session = np.datetime64(start.moment.session)
    known = side.series.as_of(start.question.as_of).events
    return start.question.as_of if any(e.kind == "split" and e.day > session for e in known) else start.moment.session


def path_to(end: State, session: date, until: tuple[date, date], keys: Collection[str]) -> Path:
    """What the earlier session's window, and the two windows between, say in the later state's data."""
    if session == end.moment.session:
        until = end.question.as_of, end.question.as_of
    asked = end.question
    try:
        a, b = _cut(end, session, until)
        old = days_of(a, b, asked)
        known = values_of(pairs.some_readings(a, b, asked, keys))
    except (NotEnoughData, UsageError) as error:
        return Path({}, {}, {}, until, remarks=(f"what was said then cannot be said of today's data: {error.message}",))
    new = days_of(end.a, end.b, asked)
    shared, _ = _said(a, b, asked, (old[-1] - new[0]).days, keys)
    joint, why = _said(end.a, end.b, asked, (new[-1] - old[0]).days, keys)
    remarks = [] if shared else [_ENTER_FIRST]
    if why:
        remarks.append(f"old days are taken to leave before new ones enter: {why}")
    if asked.align == "two-day" and len([day for day in new if day > old[-1]]) % 2:
        remarks.append(_OTHER_BARS)
    left, entered = (tuple(sorted(set(x[1:]) - set(y[1:]))) for x, y in ((old, new), (new, old)))
    return Path(known, shared, joint, until, left, entered, tuple(remarks))


def _cut(end: State, session: date, until: tuple[date, date]) -> tuple[History, History]:
    """Both legs as they stood after a session, each on the footing of its day of `until`, which may be later.

    Raises:
        UsageError: legs that cannot be lined up in the way that is asked for.
    """
    sides, last = (end.a, end.b), np.datetime64(session)
    cut = [
        _between(x.series.as_of(splits), np.datetime64(date.min), last) for x, splits in zip(sides, until, strict=True)
    ]
    if average := matches(end.a.series, end.b.series, end.question.align).average:
        faster = 0 if average > 0 else 1
        cut[faster] = _made_final(cut[faster], sides[faster].series, last)
    a, b = (replace(side, series=replace(series, quote=None)) for side, series in zip(sides, cut, strict=True))
    return a, b


def _made_final(cut: Series, whole: Series, last: np.datetime64) -> Series:
    """The leg with one close more than it had: that of a period's end is its last one once another follows.

    Nothing is said of that close itself.
    """
    after = slice(int(whole.dates.searchsorted(last, side="right")), None)
    dates, closes = (
        np.concatenate([x, y[after][:1]]) for x, y in ((cut.dates, whole.dates), (cut.closes, whole.closes))
    )
    return replace(cut, dates=dates, closes=closes)


def days_of(a: History, b: History, question: Question) -> list[date]:
    """The days of the window, its base first: under `two-day` also those between its bars."""
    first, second = (side.series.as_of(question.as_of) for side in (a, b))
    found = align(first, second, question.window, question.align).dates
    if question.align == "two-day":
        every = matches(first, second).dates
        found = every[every >= found[0]]
    days: list[date] = found.tolist()
    return days


def _said(a: History, b: History, question: Question, days: int, keys: Collection[str]) -> tuple[Values, str]:
    """What can be said over a window of so many days, or why nothing can."""
    if days <= 0:
        return {}, "there is no such window"
    try:
        asked = replace(question, window=Window(days, "d"))  # the base lies so many days before the end: exactly there
        return values_of(pairs.some_readings(a, b, asked, keys)), ""
    except (NotEnoughData, UsageError) as error:
        return {}, error.message


def recent(end: State, session: date) -> State:
    """The state without what lies before the window of an earlier session: the headlines are made of nothing else."""
    a, b = (_between(side.series, np.datetime64(date.min), np.datetime64(session)) for side in (end.a, end.b))
    try:
        found = align(a, b, end.question.window, end.question.align)
    except (NotEnoughData, UsageError):
        return end
    if found.lined_up:  # a bar hangs on closes of other days
        return end
    base = found.dates[0]
    sides = []
    for side in (end.a, end.b):
        events = tuple(e for e in side.series.events if e.day >= base)
        sides.append(replace(side, series=replace(_between(side.series, base, side.series.dates[-1]), events=events)))
    return end._replace(a=sides[0], b=sides[1])


def _between(series: Series, first: np.datetime64, last: np.datetime64) -> Series:
    """The closes of some days, as they are."""
    chosen = slice(*series.dates.searchsorted([first, last + np.timedelta64(1, "D")]))
    return replace(series, dates=series.dates[chosen], closes=series.closes[chosen])


def values_of(readings: Collection[Reading]) -> Values:
    """Readings by scope and key."""
    return {(r.scope, r.statistic.key): r.value for r in readings}
