"""What moved on the watch list between two evenings, the most unusual first; from the store of snapshots alone."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple, TypeAlias

from pairwatch.digest.moves import Known, Move, moved
from pairwatch.digest.remarks import (
    NEWS,
    STANDING,
    TROUBLE,
    Kind,
    PairOfLegs,
    Remark,
    of_conditions,
    of_pair,
    of_trouble,
    together,
)
from pairwatch.errors import NotEnoughData
from pairwatch.model import Window
from pairwatch.pairs import Question
from pairwatch.snapshots import Line, Record, Snapshot, Store
from pairwatch.snapshots.watching import Change, Standing, Watch

__all__ = [
    "NEWS",
    "STANDING",
    "TROUBLE",
    "UNUSUAL",
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

# A day; calendar time before the newest session; None: the session before the newest.
Since: TypeAlias = date | Window | None


class Digest(NamedTuple):
    """What moved.

    Attributes:
        newest: the newest session of all pairs.
        since: the day; a pair's FROM is of it, or of its last session before it.
        window: that of every pair's statistics.
        pairs: how many were looked at.
        still: how many of them have no later session than FROM.
        moves: the most unusual first; those that cannot be ranked last.
        remarks: in the order of their kinds.
    """

    newest: date
    since: date
    window: Window
    pairs: int
    still: int
    moves: tuple[Move, ...]
    remarks: tuple[Remark, ...]

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


class Journals(NamedTuple):
    """What the store holds beside snapshots.

    Attributes:
        lines: of the journal, kinds `failed` and `ended`, by number.
    """

    lines: Sequence[Line] = ()
    changes: Sequence[Change] = ()
    standing: Sequence[Standing] = ()


def digest(store: Store, chosen: Sequence[PairOfLegs], question: Question, since: Since, now: float) -> Digest:
    """What moved among some pairs, at an instant `now` (Unix seconds).

    Raises:
        NotEnoughData: none of the pairs has a snapshot.
        StoreError: the store cannot be read.
    """
    lasts = [last for pair in chosen if (last := store.latest(*pair, question))]
    if not lasts:
        whose = f"{chosen[0][0]} {chosen[0][1]}" if len(chosen) == 1 else f"these {len(chosen)} pairs"
        raise NotEnoughData(f"no snapshot of {whose} with a window of {question.window} yet", "pairwatch snapshot")
    day = _day(store, lasts, since)
    known = {(last.a, last.b): _known(store, last, day) for last in lasts}
    watch = Watch(store)
    midnight = datetime.combine(day, time(), UTC).timestamp()  # no later session had closed by then
    journals = Journals(store.journal(("failed", "ended"), RECENT), watch.changes(midnight), watch.in_force())
    return made(chosen, known, day, now, journals)


def _day(store: Store, lasts: Sequence[Snapshot], since: Since) -> date:
    """The day that is meant."""
    newest = max(last.session for last in lasts)
    if isinstance(since, Window):
        return since.start(newest)
    if since:
        return since
    until = newest - timedelta(days=1)
    before = [store.latest(last.a, last.b, last.question, until) for last in lasts]
    return max((one.session for one in before if one), default=until)


def _known(store: Store, last: Snapshot, day: date) -> Known:
    a, b = store.inputs(last)
    start = store.latest(last.a, last.b, last.question, min(day, last.session)) or last
    record = store.record(last.a, last.b, last.question, start.session - PAST)
    # What has come since is the next digest's.
    count = sum(snapshot.session <= last.session for snapshot in record.snapshots)
    return Known(Record(record.snapshots[:count], record.names, record.values[:count]), a, b)


def made(
    chosen: Sequence[PairOfLegs],
    known: Mapping[PairOfLegs, Known],
    since: date,
    now: float,
    journals: Journals = Journals(),  # noqa: B008 - never changes
) -> Digest:
    """The digest of what is known, of at least one pair."""
    every = [known[pair] for pair in chosen if pair in known]
    moves = [move for one in every if (move := moved(one, since))]
    remarks = [
        *of_conditions(journals.changes, journals.standing, known, since),
        *(remark for one in every for remark in of_pair(one, since)),
        *of_trouble(chosen, known, journals.lines, now),
    ]
    return Digest(
        newest=max(one.end.session for one in every),
        since=since,
        window=every[0].end.question.window,
        pairs=len(chosen),
        still=sum(one.at(since) == len(one.record.snapshots) - 1 for one in every),
        moves=tuple(sorted(moves, key=_rank)),
        remarks=together(remarks),
    )


def _rank(move: Move) -> tuple[bool, float, str, str]:
    can_rank = move.score >= 0
    return not can_rank, -move.score if can_rank else 0.0, str(move.a), str(move.b)
