"""What moved on the watch list between two evenings, the most unusual first; from the store of snapshots alone."""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple, TypeAlias

from pairwatch.digest.moves import Known, Move, moved
from pairwatch.digest.remarks import (
    NEWS,
    STANDING,
    TROUBLE,
    Journals,
    Kind,
    PairOfLegs,
    Remark,
    late,
    of_conditions,
    of_pair,
    of_trouble,
    together,
    usual,
)
from pairwatch.errors import NotEnoughData
from pairwatch.model import NAN, Window
from pairwatch.snapshots import Record, Snapshot, Store
from pairwatch.snapshots.watching import Watch
from pairwatch.staging import Question

__all__ = [
    "NEWS",
    "STANDING",
    "TROUBLE",
    "UNUSUAL",
    "After",
    "Digest",
    "Journals",
    "Kind",
    "Known",
    "Move",
    "PairOfLegs",
    "Remark",
    "Since",
    "digest",
    "made",
]

# From so many sigmas on a move is called unusual.
UNUSUAL = 2.0
# How far before FROM a pair's own history is looked at.
PAST = timedelta(days=150)
# In how many lines of the journal failures are looked for.
RECENT = 5_000


class After(NamedTuple):
    """A digest that was delivered: when it was written (Unix seconds), and the newest session that it knew."""

    at: float
    newest: date


# A day; calendar time before the newest session; the last letter; None: each pair's session before its newest.
Since: TypeAlias = date | Window | After | None


class Digest(NamedTuple):
    """What moved.

    Attributes:
        newest: the newest session of all pairs.
        since: the day; a pair's FROM is of it, or of its last session before it, or else the move says so.
        window: that of the pairs' statistics, or of most pairs'.
        windows: the others, each with its pairs.
        pairs: how many were looked at.
        still: those of them that have no session since.
        moves: the most unusual first; those that cannot be ranked last.
        remarks: in the order of their kinds.
    """

    newest: date
    since: date
    window: Window
    pairs: int
    still: tuple[PairOfLegs, ...]
    moves: tuple[Move, ...]
    remarks: tuple[Remark, ...]
    windows: tuple[tuple[Window, tuple[PairOfLegs, ...]], ...] = ()

    def of(self, kinds: Iterable[Kind]) -> tuple[Remark, ...]:
        """The remarks of some kinds."""
        wanted = tuple(kinds)
        return tuple(remark for remark in self.remarks if remark.kind in wanted)

    @property
    def unusual(self) -> tuple[Move, ...]:
        """The moves that deserve the name."""
        return tuple(move for move in self.moves if move.score >= UNUSUAL)

    @property
    def has_news(self) -> bool:
        """Whether there is anything beside quiet moves and what was so before."""
        return bool(self.unusual or self.of((*NEWS, *TROUBLE)))


def digest(store: Store, chosen: Mapping[PairOfLegs, Question], since: Since, now: float) -> Digest:
    """What moved among some pairs, each with what is asked of it, at an instant `now` (Unix seconds).

    Raises:
        NotEnoughData: none of the pairs has a snapshot.
        StoreError: the store cannot be read.
    """
    lasts = [last for pair, question in chosen.items() if (last := store.latest(*pair, question))]
    if not lasts:
        whose = "{} {}".format(*next(iter(chosen))) if len(chosen) == 1 else f"these {len(chosen)} pairs"
        which = " or ".join(dict.fromkeys(str(question.window) for question in chosen.values()))
        raise NotEnoughData(f"no snapshot of {whose} with a window of {which} yet", "pairwatch snapshot")
    day = _day(store, lasts, since)
    first = _first_taken(store, lasts) if since is None else math.nan
    known = {(last.a, last.b): _known(store, last, day, _own(store, last, day, since, first)) for last in lasts}
    if since is None:  # yesterday's digest has told the last move of a pair that is late
        known |= {pair: known[pair]._replace(own=known[pair].end.session) for pair in late(known)}
    watch = Watch(store)
    journals = Journals(
        store.journal(("failed", "ended"), RECENT),
        watch.changes(-math.inf),  # all of them: a clock that was set back may have dated a late one early
        watch.in_force(),
        since.at if isinstance(since, After) else NAN,
    )
    return made(chosen, known, day, now, journals)


def _day(store: Store, lasts: Sequence[Snapshot], since: Since) -> date:
    """The day that is meant."""
    newest = max(last.session for last in lasts)
    if isinstance(since, Window):
        return since.start(newest)
    if since:
        return since.newest if isinstance(since, After) else since
    until = newest - timedelta(days=1)
    before = [store.latest(last.a, last.b, last.question, until) for last in lasts]
    return max((one.session for one in before if one), default=until)


def _first_taken(store: Store, lasts: Sequence[Snapshot]) -> float:
    """When the newest session of the list was snapped for the first time."""
    newest = max(last.session for last in lasts)
    return min(_taken(store, last) for last in lasts if last.session == newest)


def _taken(store: Store, one: Snapshot) -> float:
    """When a snapshot's session was snapped for the first time."""
    if one.revision == 1:
        return one.taken_at
    return store.snapshots(one.a, one.b, one.question, one.session, all_revisions=True)[0].taken_at


def _own(store: Store, last: Snapshot, day: date, since: Since, first: float) -> date | None:
    """The day of a pair's FROM where it is not that of the list: exchanges close at other hours, and on other days.

    Args:
        first: when the newest session of the list was snapped for the first time.
    """
    asked = last.a, last.b, last.question
    if since is None:
        # It was the newest yesterday too, unless it has come in only now, as a month does.
        if last.session < day and _taken(store, last) < first:
            return last.session
        before = store.latest(*asked, last.session - timedelta(days=1))
        return before.session if before else date.min
    if isinstance(since, After):
        for start in (since.newest - PAST, date.min):
            found = store.snapshots(*asked, start, all_revisions=True)
            if sessions := [one.session for one in found if one.taken_at <= since.at]:
                return max(sessions)
        return date.min
    return None


def _known(store: Store, last: Snapshot, day: date, own: date | None) -> Known:
    a, b = store.inputs(last)
    start = store.latest(last.a, last.b, last.question, min(own or day, last.session))
    record = store.record(last.a, last.b, last.question, start.session - PAST if start else date.min)
    # What has come since is the next digest's.
    count = sum(snapshot.session <= last.session for snapshot in record.snapshots)
    return Known(Record(record.snapshots[:count], record.names, record.values[:count]), a, b, own)


def made(
    chosen: Mapping[PairOfLegs, Question],
    known: Mapping[PairOfLegs, Known],
    since: date,
    now: float,
    journals: Journals = Journals(),  # noqa: B008 - never changes
) -> Digest:
    """The digest of what is known, of at least one pair."""
    every = [known[pair] for pair in chosen if pair in known]
    moves = [move for one in every if (move := moved(one, since))]
    remarks = [
        *of_conditions(journals, chosen, known, since),
        *(remark for one in every for remark in of_pair(one, since)),
        *of_trouble(chosen, known, journals.lines, now),
    ]
    window = usual(question.window for question in chosen.values())
    return Digest(
        newest=max(one.end.session for one in every),
        since=since,
        window=window,
        pairs=len(chosen),
        still=tuple((one.end.a, one.end.b) for one in every if one.at(since) == len(one.record.snapshots) - 1),
        moves=tuple(sorted(moves, key=_rank)),
        remarks=together(remarks),
        windows=_others(every, window),
    )


def _others(every: Iterable[Known], window: Window) -> tuple[tuple[Window, tuple[PairOfLegs, ...]], ...]:
    """The pairs with another window, by that."""
    found: dict[Window, list[PairOfLegs]] = {}
    for one in every:
        if one.end.question.window != window:
            found.setdefault(one.end.question.window, []).append((one.end.a, one.end.b))
    return tuple((own, tuple(who)) for own, who in found.items())


def _rank(move: Move) -> tuple[bool, float, str, str]:
    can_rank = move.score >= 0
    return not can_rank, -move.score if can_rank else 0.0, str(move.a), str(move.b)
