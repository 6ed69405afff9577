"""Why a pair's numbers moved between two moments, FROM and TO: which days left, which entered, what was rewritten.

S(D, w) is a statistic over the window w of the data D, all that the provider had given by then. F is the window that
ends with FROM's session and T the one that ends with TO's, both in the data of TO. The difference of what was said is
split into three parts that add up to it:

    revised = S(TO's data, F) - what FROM said
    left    = ([S(I) - S(F)] + [S(T) - S(U)]) / 2
    entered = ([S(U) - S(F)] + [S(T) - S(I)]) / 2

where I is from T's base to F's end (the old days have left, the new ones have not yet entered) and U from F's base to
T's end (the new days have entered, the old ones have not yet left), all in TO's data. What a day takes away or brings
depends on what else is in the window, unless the statistic is a sum; so both orders are averaged. That is Shapley's
value (1953, A Value for n-Person Games) of two steps: the one split that is exact, treats both steps alike, and turns
around with FROM and TO. A number that cannot be said in I (the windows share too few returns, for one) or in U is split
by the other order alone.

The days are those that both legs can be compared on: of legs of two frequencies the ends of periods, of closes that are
nearest in time the later dates. Under `two-day` a window's bars are counted back from its own last day, I's from F's
end and U's from T's; days that leave and enter are single ones all the same. Where F and T end an odd number of days
apart, all bars are other ones, I and U may begin one day earlier, and a remark says so. The parts add up all the same.

Where FROM is the later of the two, everything is that of TO to FROM turned around.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date
from math import isfinite, isnan
from typing import Literal, NamedTuple

import numpy as np

from pairwatch import pairs, stats
from pairwatch.alignment import matches
from pairwatch.errors import NotEnoughData, UsageError
from pairwatch.expressions import spelled
from pairwatch.histories import History
from pairwatch.model import NAN, Leg, Reading, Scope, Series, Statistic, Window
from pairwatch.pairs import FEWEST_RETURNS, Question
from pairwatch.revisions import Rebasing, Revision, rewritten
from pairwatch.text import listing, plural

# What is said in short of a pair that was seen before.
HEADLINES = ("correlation", "beta", "idiosyncratic_share", "return_gap", "tightness", "ratio_zscore")
# What another processor may make of the same number, relative to it.
NOISE = 1e-9

Values = Mapping[tuple[str, str], float]


class Moment(NamedTuple):
    """When something was said of a pair.

    Attributes:
        session: the last common finished close, which it was said of.
        revision: the snapshot's number among those of its session; None for what is not stored.
        taken_at: when it was said, in Unix seconds.
        program: the version of pairwatch that said it.
    """

    session: date
    revision: int | None
    taken_at: float
    program: str

    def __str__(self) -> str:
        return f"{self.session}.{self.revision}" if (self.revision or 1) > 1 else f"{self.session}"


class State(NamedTuple):
    """A pair as it was known, what was asked of it, and what was said, by scope and key."""

    moment: Moment
    a: History
    b: History
    question: Question
    said: Values


class Change(NamedTuple):
    """How one number moved, and by what; NaN where that cannot be said."""

    statistic: Statistic
    scope: Scope
    unit: str
    start: float
    end: float
    change: float
    left: float
    entered: float
    revised: float


class Split(NamedTuple):
    """A split between two moments: what it did to levels is in the part that the days around it are in.

    Attributes:
        ratio: new shares for one.
    """

    leg: Leg
    day: date
    ratio: float
    part: Literal["left", "entered"]


class Difference(NamedTuple):
    """All that moved between two moments.

    Attributes:
        changes: in the order of the catalogue.
        left, entered: the days that left the window and entered it; a return is of one of them, or of every second.
        rebasings, revisions: what was rewritten of the closes and events that FROM knew.
        splits: those that the earlier of the two did not know yet; they are no revisions.
        remarks: what else is to be known, a line each.
        chosen: whether the changes are of some statistics that were asked for, and not of all.
    """

    a: Leg
    b: Leg
    question: Question
    start: Moment
    end: Moment
    changes: tuple[Change, ...]
    left: tuple[date, ...]
    entered: tuple[date, ...]
    rebasings: tuple[Rebasing, ...] = ()
    revisions: tuple[Revision, ...] = ()
    remarks: tuple[str, ...] = ()
    chosen: bool = False
    splits: tuple[Split, ...] = ()


def fresh(a: History, b: History, question: Question, at: float, program: str) -> State:
    """The state that two histories are in, of which nothing has been said yet; `at` and `program` name the moment.

    Raises:
        NotEnoughData: there is too little to compare.
        UsageError: legs that cannot be lined up in the way that is asked for.
    """
    return State(Moment(_days(a, b, question)[-1], None, at, program), a, b, question, {})


def explained() -> tuple[str, ...]:
    """The keys of the statistics that a difference is made of: all but those of an unfinished session."""
    return tuple(entry.key for entry in stats.entries() if not entry.of_now)


def difference(start: State, end: State, keys: Collection[str] | None = None) -> Difference:
    """How the numbers of one pair moved between two states of the same question; of all statistics, or of a few.

    Raises:
        NotEnoughData: one of the states is too short for this version of the program.
        UsageError: legs that this version cannot line up so.
        ValueError: two questions.
    """
    if replace(start.question, as_of=end.question.as_of) != end.question:
        raise ValueError("a difference is of one question, asked on two days")
    if _when(start) > _when(end):
        return _turned(difference(end, start, keys))
    wanted = explained() if keys is None else keys
    was = pairs.some_readings(start.a, start.b, start.question, wanted)
    now = pairs.some_readings(end.a, end.b, end.question, wanted)
    path = _path(end, start.moment.session, (_splits_known(start, start.a), _splits_known(start, start.b)), wanted)
    sides = [
        rewritten(x.series, y.series.as_of(until), start.moment.session)
        for x, y, until in zip((start.a, start.b), (end.a, end.b), path.until, strict=True)
    ]
    return Difference(
        a=end.a.series.leg,
        b=end.b.series.leg,
        question=end.question,
        start=start.moment,
        end=end.moment,
        changes=_changes(_values(was), now, path, {(r.scope, r.statistic.key): r.unit for r in was}),
        left=path.left,
        entered=path.entered,
        rebasings=tuple(side.rebasing for side in sides if side.rebasing),
        revisions=tuple(one for side in sides for one in side.revisions),
        remarks=(*path.remarks, *_said_otherwise(start, was), *_said_otherwise(end, now)),
        chosen=keys is not None,
        splits=_splits_between(end, path.until),
    )


def since(start: Moment, said: Values, end: State, readings: Collection[Reading]) -> Difference:
    """The short form: the headlines against what was said of an earlier session, without what that was made from.

    `readings` are those of `end`. What the provider has rewritten is a number, and is not listed.
    """
    now = tuple(r for r in readings if r.statistic.key in HEADLINES)
    path = _path(_recent(end, start.session), start.session, (start.session, start.session), HEADLINES)
    legs = end.a.series.leg, end.b.series.leg
    changes = _changes(said, now, path, {})
    return Difference(*legs, end.question, start, end.moment, changes, path.left, path.entered, remarks=path.remarks)


def _recent(end: State, session: date) -> State:
    """The state without what lies before the window of an earlier session: the headlines are made of nothing else."""
    a, b = (_between(side.series, np.datetime64(date.min), np.datetime64(session)) for side in (end.a, end.b))
    try:
        found = pairs.align(a, b, end.question.window, end.question.align)
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


def _when(state: State) -> tuple[date, float]:
    return state.moment.session, state.moment.taken_at


def _values(readings: Collection[Reading]) -> Values:
    return {(r.scope, r.statistic.key): r.value for r in readings}


# ---------------------------------------------------------------- the way from one window to the other


class _Path(NamedTuple):
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


def _splits_known(start: State, side: History) -> date:
    """To which day splits count in what was said then: a split of the next morning may have been known already."""
    session = np.datetime64(start.moment.session)
    known = side.series.as_of(start.question.as_of).events
    return start.question.as_of if any(e.kind == "split" and e.day > session for e in known) else start.moment.session


def _splits_between(end: State, until: tuple[date, date]) -> tuple[Split, ...]:
    """The splits, by day, that count in what the later one says and did not in what the earlier one said."""
    found = []
    for side, before in zip((end.a, end.b), until, strict=True):
        series = side.series.as_of(end.question.as_of)
        splits = [(e.day.astype(object), e.value) for e in series.events if e.kind == "split"]
        found += [Split(series.leg, day, ratio, "entered") for day, ratio in splits if day > before]
    return tuple(sorted(found, key=lambda one: one.day))


def _path(end: State, session: date, until: tuple[date, date], keys: Collection[str]) -> _Path:
    """What the earlier session's window, and the two windows between, say in the later state's data."""
    if session == end.moment.session:
        until = end.question.as_of, end.question.as_of
    asked = end.question
    try:
        a, b = _cut(end, session, until)
        old = _days(a, b, asked)
        known = _values(pairs.some_readings(a, b, asked, keys))
    except (NotEnoughData, UsageError) as error:
        return _Path(
            {}, {}, {}, until, remarks=(f"what was said then cannot be said of today's data: {error.message}",)
        )
    new = _days(end.a, end.b, asked)
    shared, _ = _said(a, b, asked, (old[-1] - new[0]).days, keys)
    joint, why = _said(end.a, end.b, asked, (new[-1] - old[0]).days, keys)
    remarks = [] if shared else [_ENTER_FIRST]
    if why:
        remarks.append(f"old days are taken to leave before new ones enter: {why}")
    if asked.align == "two-day" and len([day for day in new if day > old[-1]]) % 2:
        remarks.append(_OTHER_BARS)
    left, entered = (tuple(sorted(set(x[1:]) - set(y[1:]))) for x, y in ((old, new), (new, old)))
    return _Path(known, shared, joint, until, left, entered, tuple(remarks))


_ENTER_FIRST = (
    f"both windows share fewer than {FEWEST_RETURNS} returns: new days are taken to enter before old ones leave"
)


_OTHER_BARS = "every return of two days is of other days than then: an odd number of days has passed"


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


def _days(a: History, b: History, question: Question) -> list[date]:
    """The days of the window, its base first: under `two-day` also those between its bars."""
    first, second = (side.series.as_of(question.as_of) for side in (a, b))
    found = pairs.align(first, second, question.window, question.align).dates
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
        return _values(pairs.some_readings(a, b, asked, keys)), ""
    except (NotEnoughData, UsageError) as error:
        return {}, error.message


# ---------------------------------------------------------------- the parts


def _changes(
    was: Values, now: Collection[Reading], path: _Path, units: Mapping[tuple[str, str], str]
) -> tuple[Change, ...]:
    return tuple(_change(r, was.get((r.scope, r.statistic.key), NAN), path, units) for r in now)


def _change(end: Reading, start: float, path: _Path, units: Mapping[tuple[str, str], str]) -> Change:
    name = (end.scope, end.statistic.key)
    # Of two currencies there is no difference.
    same = units.get(name, end.unit) == end.unit
    old, shared, joint = (values.get(name, NAN) for values in (path.old, path.shared, path.joint))
    change, revised = (end.value - start, old - start) if same else (NAN, NAN)
    ways = [(shared - old, end.value - shared), (end.value - joint, joint - old)]
    left, entered = _mean([way for way in ways if isfinite(sum(way))])
    return Change(end.statistic, end.scope, end.unit, start, end.value, change, left, entered, revised)


def _mean(ways: Collection[tuple[float, float]]) -> tuple[float, float]:
    """What left and what entered, over both orders, or by the one that can be said."""
    if not ways:
        return NAN, NAN
    left, entered = zip(*ways, strict=True)
    return sum(left) / len(ways), sum(entered) / len(ways)


def _said_otherwise(state: State, readings: Collection[Reading]) -> list[str]:
    """Where the program that spoke then was of another opinion, or did not know the statistic."""
    said = [(r, state.said.get((r.scope, r.statistic.key))) for r in readings]
    others = [
        f"{spelled(r.scope, r.statistic.key)} {was:.6g} is {r.value:.6g}"
        for r, was in said
        if was is not None and _differ(was, r.value)
    ]
    unknown = list(dict.fromkeys(r.statistic.key for r, was in said if was is None))
    who = f"{state.moment}, by pairwatch {state.moment.program}"
    found = [f"{who}, recomputed by this version: {listing(others)}"] if others else []
    if unknown and state.said:
        found.append(f"{who}: {plural(len(unknown), 'statistic')} not known then: {listing(unknown)}")
    return found


def _differ(was: float, now: float) -> bool:
    if isnan(was) or isnan(now):
        return isnan(was) != isnan(now)
    return abs(now - was) > NOISE * max(abs(was), abs(now), NOISE)


def _turned(forward: Difference) -> Difference:
    """The way back: what had entered leaves, what had left enters, and what was rewritten is as it was."""
    return forward._replace(
        start=forward.end,
        end=forward.start,
        changes=tuple(
            c._replace(start=c.end, end=c.start, change=-c.change, left=-c.entered, entered=-c.left, revised=-c.revised)
            for c in forward.changes
        ),
        left=forward.entered,
        entered=forward.left,
        rebasings=tuple(one._replace(divisor=1 / one.divisor) for one in forward.rebasings),
        revisions=tuple(one._replace(before=one.after, after=one.before) for one in forward.revisions),
        splits=tuple(one._replace(part="left") for one in forward.splits),
    )
