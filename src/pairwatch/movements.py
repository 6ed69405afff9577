"""How a pair's numbers moved from one of its snapshots to another, or to now, as `pairwatch.differences` has it.

A snapshot is named `2026-11-20`, `2026-11-20.2` or `latest`; where none is named it is the last one of an earlier
session.
"""

from collections.abc import Collection

from pairwatch import __version__, differences, pairs, vintages
from pairwatch.differences import Difference, Moment, State
from pairwatch.errors import UsageError
from pairwatch.histories import History
from pairwatch.model import Comparison
from pairwatch.snapshots import Snapshot, Store
from pairwatch.staging import Question
from pairwatch.vintages import Vintages


def between(
    known: Vintages, start: str | None = None, end: str = "latest", keys: Collection[str] | None = None
) -> Difference:
    """From one snapshot to another, and why.

    Args:
        keys: of the statistics; by default all.

    Raises:
        UsageError: what is no snapshot, or the same one twice.
        NotEnoughData: there is no such snapshot.
        StoreError: the store cannot be read.
    """
    target = known.named(end)
    snapshot = known.named(start) if start else known.before(target.session, target.revision)
    if snapshot.id == target.id:
        raise UsageError(f"both are the snapshot {target}", "name two different ones, or `now` for the second")
    return differences.difference(_state(known.store, snapshot), _state(known.store, target), keys)


def to_now(known: Vintages, end: State, start: str | None = None, keys: Collection[str] | None = None) -> Difference:
    """From a snapshot to a state that is not stored, see `differences.fresh`. Raises what `between` does."""
    snapshot = known.named(start) if start else known.before(end.moment.session)
    return differences.difference(_state(known.store, snapshot), end, keys)


def since(
    found: Comparison, sides: tuple[History, History], asked: Question, store: Store, now: float
) -> Difference | None:
    """How a comparison differs from the last snapshot of an earlier session, in short; None if there is none.

    Raises:
        StoreError: the store cannot be read.
    """
    snapshot = Vintages(store, (found.a, found.b), asked).earlier(found.as_of)
    if snapshot is None:
        return None
    if snapshot.program == __version__:
        said = vintages.values(store.numbers(snapshot))
    else:  # what another version made of the same closes is no news of the pair
        readings = pairs.some_readings(*store.inputs(snapshot), snapshot.question, differences.HEADLINES)
        said = {(r.scope, r.statistic.key): r.value for r in readings}
    end = State(Moment(found.as_of, None, now, __version__), *sides, asked, {})
    return differences.since(_moment(snapshot), said, end, found.readings)


def _state(store: Store, snapshot: Snapshot) -> State:
    """What was known and said then."""
    said = vintages.values(store.numbers(snapshot))
    return State(_moment(snapshot), *store.inputs(snapshot), snapshot.question, said)


def _moment(snapshot: Snapshot) -> Moment:
    return Moment(snapshot.session, snapshot.revision, snapshot.taken_at, snapshot.program)
