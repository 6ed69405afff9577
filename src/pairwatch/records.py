"""A pair's saved readings over time, and what would have been said on the days that were never snapped."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple

import numpy as np

from pairwatch import pairs, stats
from pairwatch.alignment import frequency_of, matches
from pairwatch.errors import NotEnoughData, UsageError
from pairwatch.expressions import spelled
from pairwatch.histories import History
from pairwatch.model import NAN, Floats, Leg, Series, Statistic
from pairwatch.snapshots import Named, Record, Snapshot, Store
from pairwatch.snapshots.batch import question_text, sessions
from pairwatch.staging import Question
from pairwatch.text import clean


class Row(NamedTuple):
    """One session: of a snapshot, or recomputed from what is known today (`snapshot` is None)."""

    session: date
    snapshot: Snapshot | None


class Table(NamedTuple):
    """A pair's readings over time.

    Attributes:
        columns: what each of the m columns holds.
        rows: by session, n of them.
        values: shape (n, m); NaN is "cannot say".
    """

    a: Leg
    b: Leg
    question: Question
    columns: tuple[Named, ...]
    rows: tuple[Row, ...]
    values: Floats

    def newest(self, count: int) -> "Table":
        """The last rows alone."""
        return self._replace(rows=self.rows[-count:], values=self.values[-count:])

    def titles(self) -> tuple[str, ...]:
        """The columns' names: `correlation`, `a.volatility`; with the unit where a statistic comes in several."""
        names = [spelled(name.scope, name.key) for name in self.columns]
        return tuple(
            f"{text}[{name.unit}]" if names.count(text) > 1 else text
            for text, name in zip(names, self.columns, strict=True)
        )

    def to_frame(self) -> Any:
        """A pandas DataFrame by session, a column a statistic."""
        import pandas as pd  # noqa: PLC0415 - pandas must not load with the types

        index = pd.DatetimeIndex([row.session for row in self.rows], name="session")
        return pd.DataFrame(self.values, index=index, columns=list(self.titles()))


def chosen(texts: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Scope and key of each statistic that is named, `correlation` or `a.volatility`, each once.

    A leg's statistic without a scope stands for A's, B's and, where there is one, their difference.

    Raises:
        UsageError: a name that there is not.
    """
    return tuple(dict.fromkeys(one for text in texts for one in _scopes(text)))


def _scopes(text: str) -> list[tuple[str, str]]:
    scope, dot, key = text.strip().lower().rpartition(".")
    known = {entry.key: entry for entry in stats.entries()}
    if key not in known:
        from difflib import get_close_matches  # noqa: PLC0415 - misspellings are rare

        near = get_close_matches(key, known, 3)
        hint = f"did you mean {', '.join(near)}?" if near else "`pairwatch explain` lists them"
        raise UsageError(f"no statistic is called {clean(text)!r}", hint)
    scopes = scopes_of(known[key])
    if dot and scope not in scopes:
        raise UsageError(f"{key} is not said of {clean(scope)!r}", f"it is said of {', '.join(scopes)}")
    return [(one, key) for one in scopes if not dot or one == scope]


def scopes_of(entry: Statistic) -> tuple[str, ...]:
    """Of what a statistic is said."""
    if entry.scope != "leg":
        return (entry.scope,)
    return ("a", "b", "difference") if entry.has_difference else ("a", "b")


def table(a: Leg, b: Leg, question: Question, record: Record, wanted: Sequence[tuple[str, str]] | None = None) -> Table:
    """What the store holds: of the statistics wanted, in their order, or of all, in that of the catalogue.

    A statistic whose unit has changed over time has a column for each.
    """
    snapshots, names, values = record
    columns = _ordered(names, wanted)
    rows = tuple(Row(snapshot.session, snapshot) for snapshot in snapshots)
    return Table(a, b, question, columns, rows, values[:, [names.index(name) for name in columns]])


def _ordered(names: Iterable[Named], wanted: Sequence[tuple[str, str]] | None) -> tuple[Named, ...]:
    """The names that are wanted, in that order."""
    place = {one: at for at, one in enumerate(_every() if wanted is None else wanted)}
    last = len(place)
    found = [name for name in names if wanted is None or (name.scope, name.key) in place]
    return tuple(sorted(found, key=lambda name: place.get((name.scope, name.key), last)))


def _every() -> list[tuple[str, str]]:
    """Every scope and key, as outputs order them."""
    entries = stats.entries()
    of_leg = [entry for entry in entries if entry.scope == "leg"]
    legs = [(scope, e.key) for scope in ("a", "b", "difference") for e in of_leg if scope in scopes_of(e)]
    return [*legs, *((e.scope, e.key) for e in entries if e.scope != "leg")]


# What `question_text` leaves out; whoever has set another in a file must type it.
_UNWRITTEN = {"currency": "", "align": "date"}
_NOTHING = "''"


def others(store: Store, a: Leg, b: Leg, question: Question) -> list[str]:
    """What to type for the snapshots of the same legs, in either order, that answer another question.

    Raises:
        StoreError: the store cannot be read.
    """
    asked = _UNWRITTEN | json.loads(question_text(question))
    found = []
    for first, second, text in store.pairs():
        if {first, second} == {a, b}:
            options = [
                f"--{key.replace('_', '-')} {_NOTHING if value == '' else value}"
                for key, value in (_UNWRITTEN | json.loads(text)).items()
                if value != asked[key]
            ]
            found.append(" ".join([str(first), str(second), *options]))
    return [text for text in found if text != f"{a} {b}"]


def filled(
    saved: Table,
    a: History,
    b: History,
    since: date,
    wanted: Sequence[tuple[str, str]] | None = None,
) -> Table:
    """The table with a row more for every session, from `since` to the question's day, that was never snapped.

    They are recomputed from the histories as they are known today, each as of the first day on which it was the last.

    Raises:
        UsageError: legs that cannot be lined up in the way that is asked for.
    """
    every = sessions(a.series, b.series, saved.question.align)
    asked = every[(every >= np.datetime64(since)) & (every <= np.datetime64(saved.question.as_of))]
    have = {row.session for row in saved.rows}
    days = [day for day in asked.tolist() if day not in have]
    keys = {key for _, key in wanted} if wanted is not None else {entry.key for entry in stats.entries()}
    found = [(day, _recomputed(a, b, saved.question, day, keys)) for day in days]
    found = [(day, values) for day, values in found if values]
    columns = _ordered(dict.fromkeys([*saved.columns, *(name for _, values in found for name in values)]), wanted)
    old = {name: at for at, name in enumerate(saved.columns)}
    *_, known = saved
    kept = np.column_stack([known, np.full(len(known), NAN)])[:, [old.get(name, -1) for name in columns]]
    new = np.array([[values.get(name, NAN) for name in columns] for _, values in found]).reshape(
        len(found), len(columns)
    )
    rows = [*saved.rows, *(Row(day, None) for day, _ in found)]
    by_day = sorted(range(len(rows)), key=lambda at: rows[at].session)
    values = np.concatenate([kept, new])[by_day]
    return saved._replace(columns=columns, rows=tuple(rows[at] for at in by_day), values=values)


def _recomputed(a: History, b: History, question: Question, day: date, keys: Collection[str]) -> dict[Named, float]:
    """What is said of the pair's session of a day; nothing where there are too few returns."""
    try:
        as_of = _first_said(a.series, b.series, question, day)
        found = pairs.some_readings(a, b, replace(question, as_of=as_of), keys) if as_of else ()
    except (NotEnoughData, UsageError):  # UsageError: a leg that had no daily closes then
        return {}
    return {Named(r.scope, r.statistic.key, r.unit): r.value for r in found}


def _first_said(a: Series, b: Series, question: Question, session: date) -> date | None:
    """The first day as of which a session is the last one; None where it is not up to the question's day.

    That is its own day; but a month that ends on a holiday has its last close once the faster leg has closed again.
    """
    how = question.align
    if how != "nearest" and frequency_of(a) == frequency_of(b) == "day":
        return session
    later = [side.dates[side.dates > np.datetime64(session)][:1] for side in (a, b)]
    days: list[date] = [session, *sorted(np.concatenate(later).tolist())]
    for day in days:
        dates = matches(a.as_of(day), b.as_of(day), how).dates
        if day <= question.as_of and len(dates) and dates[-1] == np.datetime64(session):
            return day
    return None
