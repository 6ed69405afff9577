"""Two moments of a pair, and what is found between them."""

from collections.abc import Mapping
from datetime import date
from typing import Literal, NamedTuple

from pairwatch.histories import History
from pairwatch.model import Leg, Scope, Statistic
from pairwatch.revisions import Rebasing, Revision
from pairwatch.staging import Question

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
