"""Snapshots by the names that people type, and what was said then, said again."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from math import isnan

from pairwatch import pairs, verdicts
from pairwatch.errors import NotEnoughData, UsageError
from pairwatch.expressions import spelled
from pairwatch.model import Comparison, Leadership, Leg, Reading
from pairwatch.snapshots import Numbers, Snapshot, Store
from pairwatch.snapshots.batch import question_of
from pairwatch.staging import Question
from pairwatch.text import clean, listing

LATEST = "latest"
_NAME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:\.([1-9][0-9]{0,5}))?\Z")

Values = dict[tuple[str, str], float]


class Vintages:
    """A pair's snapshots of one question, by the names that people type.

    All methods raise `StoreError` for a store that cannot be read.
    """

    def __init__(self, store: Store, legs: tuple[Leg, Leg], question: Question) -> None:
        self.store = store
        self._key = (*legs, question)

    def named(self, name: str) -> Snapshot:
        """The snapshot of a name: `latest`, a day (the last snapshot of a session up to it), or `2026-11-20.2`.

        Raises:
            UsageError: what is no name.
            NotEnoughData: there is no such snapshot.
        """
        if name.strip().lower() == LATEST:
            return self.store.latest(*self._key) or self._none()
        day, revision = _parsed(name)
        if revision is None:
            return self.store.latest(*self._key, until=day) or self._none(f" of {day} or before")
        for snapshot in self.store.snapshots(*self._key, since=day, all_revisions=True):
            if (snapshot.session, snapshot.revision) == (day, revision):
                return snapshot
        return self._none(f" of {day} with revision {revision}")

    def earlier(self, session: date) -> Snapshot | None:
        """The last snapshot of a session before `session`."""
        return self.store.latest(*self._key, until=date.fromordinal(max(1, session.toordinal() - 1)))

    def before(self, session: date, revision: int | None = None) -> Snapshot:
        """What to set a snapshot against: the last of an earlier session, or the revision before it.

        Without a revision it is set against what is not stored, for which the last one of its session will do.

        Raises:
            NotEnoughData: there is nothing before it.
        """
        if found := self.earlier(session):
            return found
        for snapshot in self.store.snapshots(*self._key, since=session, all_revisions=True)[::-1]:
            if snapshot.session == session and (revision is None or snapshot.revision < revision):
                return snapshot
        if revision is None:
            return self._none()
        a, b, _ = self._key
        raise NotEnoughData(
            f"there is no snapshot of {a} {b} before that of {session}",
            f"`pairwatch diff {a} {b} {LATEST} now` sets it against now",
        )

    def _none(self, which: str = "") -> Snapshot:
        """Raise for a snapshot that there is not, with what there is instead."""
        a, b, question = self._key
        if found := self.store.snapshots(*self._key):
            there = (
                f"there are those of {found[0]} to {found[-1]}" if len(found) > 1 else f"there is that of {found[0]}"
            )
            raise NotEnoughData(f"no snapshot of {a} {b}{which}; {there}", f"name one of these, or {LATEST}")
        known = self.store.pairs()
        others = [_asked(question_of(text, str(question.as_of))) for x, y, text in known if (x, y) == (a, b)]
        if others:
            raise NotEnoughData(
                f"no snapshot of {a} {b} with {_asked(question)}; there are some with {listing(others)}",
                f"ask for one of these, or take one: pairwatch snapshot {a} {b} {_asked(question)}",
            )
        if any((y, x) == (a, b) for x, y, _ in known):
            raise NotEnoughData(f"no snapshot of {a} {b}; there are some of {b} {a}", f"name the legs as {b} {a}")
        raise NotEnoughData(f"no snapshot of {a} {b}", f"pairwatch snapshot {a} {b}")


def told(snapshot: Snapshot) -> str:
    """Which snapshot it is, and who made it when."""
    at = datetime.fromtimestamp(snapshot.taken_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"as said on {at} by pairwatch {snapshot.program} (snapshot {snapshot})"


def as_said(store: Store, snapshot: Snapshot) -> tuple[Comparison, tuple[str, ...]]:
    """What was said then, made again from what was known then, and where this version would say otherwise.

    Raises:
        NotEnoughData: this version can say nothing of it.
        StoreError: the store cannot be read.
    """
    a, b = store.inputs(snapshot)
    return restored(pairs.compare(a, b, snapshot.question), store.numbers(snapshot))


def restored(found: Comparison, numbers: Numbers) -> tuple[Comparison, tuple[str, ...]]:
    """The comparison with the stored numbers in place of those that differ; what differs, in words."""
    said = values(numbers)
    others = [r for r in found if _name(r) in said and not _same(said[_name(r)], r.value)]
    unsaid = [r for r in found if _name(r) not in said]
    program = f"pairwatch {numbers.snapshot.program}"
    notes = []
    if others:
        shown = [f"{spelled(*_name(r))} {said[_name(r)]:.6g} (now {r.value:.6g})" for r in others]
        notes.append(f"{program} said otherwise than this version would: {listing(shown)}")
        # A number that is as it was stays what it is: the store has no sign for zero.
        wrong = {_name(r) for r in others}
        found = _with(found, tuple(r._replace(value=said[_name(r)]) if _name(r) in wrong else r for r in found))
    if unsaid:
        notes.append(f"{program} did not say this, this version does: {listing([spelled(*_name(r)) for r in unsaid])}")
    return found, tuple(notes)


def values(numbers: Numbers) -> Values:
    """What a snapshot said, by scope and key."""
    return {(n.scope, n.key): x for n, x in zip(numbers.names, numbers.values.tolist(), strict=True)}


def _parsed(name: str) -> tuple[date, int | None]:
    found = _NAME.match(name.strip())
    try:
        if found:
            return date.fromisoformat(found[1]), int(found[2]) if found[2] else None
    except ValueError:  # the 31st of February
        pass
    raise UsageError(
        f"not a snapshot: {clean(name)!r}", f"a snapshot is a day (2026-11-20), its revision (2026-11-20.2) or {LATEST}"
    )


def _asked(question: Question) -> str:
    """What a question asks, as it is typed; the window always, and what is not usual."""
    usual = Question(question.as_of, question.window)
    others = [
        ("max-lag", "max_lag"),
        ("adjust", "adjustment"),
        ("seed", "seed"),
        ("currency", "currency"),
        ("align", "align"),
    ]
    unusual = [(name, getattr(question, key)) for name, key in others if getattr(question, key) != getattr(usual, key)]
    return " ".join(f"--{name} {value}" for name, value in (("window", question.window), *unusual))


# ---------------------------------------------------------------- the numbers


def _name(reading: Reading) -> tuple[str, str]:
    return reading.scope, reading.statistic.key


def _same(was: float, now: float) -> bool:
    return was == now or (isnan(was) and isnan(now))


def _with(found: Comparison, readings: tuple[Reading, ...]) -> Comparison:
    """The comparison with other readings, and with the words that these decide."""
    known = {_name(r): r.value for r in readings}
    lead = _led(found.leadership, known)
    return replace(
        found,
        readings=readings,
        leadership=verdicts.with_verdict(lead, str(found.a), str(found.b)),
        claims=verdicts.claims(
            found.a,
            found.b,
            known,
            (found.receipt.a.facts, found.receipt.b.facts),
            found.receipt.bars_per_year,
        ),
    )


def _led(lead: Leadership, known: Values) -> Leadership:
    """The leadership that these numbers are of; r(k) is not among them."""
    lag = known["leadership", "lead_lag"]
    return replace(
        lead,
        lag=lead.lag if isnan(lag) else int(lag),
        asymmetry=known["leadership", "lead_asymmetry"],
        p_value=known["leadership", "lead_p_value"],
        detectable=known["leadership", "lead_detectable"],
    )
