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

from pairwatch import pairs, stats
from pairwatch.differences.findings import Change, Difference, Moment, Split, State, Values
from pairwatch.differences.windows import Path, days_of, path_to, recent, splits_known, values_of
from pairwatch.expressions import spelled
from pairwatch.histories import History
from pairwatch.model import NAN, Reading
from pairwatch.revisions import rewritten
from pairwatch.staging import Question
from pairwatch.text import listing, plural

__all__ = ["HEADLINES", "Change", "Difference", "Moment", "Split", "State", "difference", "explained", "fresh", "since"]

# What is said in short of a pair that was seen before.
HEADLINES = ("correlation", "beta", "idiosyncratic_share", "return_gap", "tightness", "ratio_zscore")
# What another processor may make of the same number, relative to it.
NOISE = 1e-9


def fresh(a: History, b: History, question: Question, at: float, program: str) -> State:
    """The state that two histories are in, of which nothing has been said yet; `at` and `program` name the moment.

    Raises:
        NotEnoughData: there is too little to compare.
        UsageError: legs that cannot be lined up in the way that is asked for.
    """
    return State(Moment(days_of(a, b, question)[-1], None, at, program), a, b, question, {})


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
    path = path_to(end, start.moment.session, (splits_known(start, start.a), splits_known(start, start.b)), wanted)
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
        changes=_changes(values_of(was), now, path, {(r.scope, r.statistic.key): r.unit for r in was}),
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
    path = path_to(recent(end, start.session), start.session, (start.session, start.session), HEADLINES)
    legs = end.a.series.leg, end.b.series.leg
    changes = _changes(said, now, path, {})
    return Difference(*legs, end.question, start, end.moment, changes, path.left, path.entered, remarks=path.remarks)


def _when(state: State) -> tuple[date, float]:
    return state.moment.session, state.moment.taken_at


# ---------------------------------------------------------------- the parts


def _splits_between(end: State, until: tuple[date, date]) -> tuple[Split, ...]:
    """The splits, by day, that count in what the later one says and did not in what the earlier one said."""
    found = []
    for side, before in zip((end.a, end.b), until, strict=True):
        series = side.series.as_of(end.question.as_of)
        splits = [(e.day.astype(object), e.value) for e in series.events if e.kind == "split"]
        found += [Split(series.leg, day, ratio, "entered") for day, ratio in splits if day > before]
    return tuple(sorted(found, key=lambda one: one.day))


def _changes(
    was: Values, now: Collection[Reading], path: Path, units: Mapping[tuple[str, str], str]
) -> tuple[Change, ...]:
    return tuple(_change(r, was.get((r.scope, r.statistic.key), NAN), path, units) for r in now)


def _change(end: Reading, start: float, path: Path, units: Mapping[tuple[str, str], str]) -> Change:
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
