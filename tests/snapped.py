"""A store of snapshots of AAA and BBB, evening by evening, as the command line finds it.

The legs are those of the fixture `cached`; with `revise` the close of a day has been changed by the provider.
"""

from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
from tests import builders

from pairwatch import pairs
from pairwatch.model import Provenance, Window
from pairwatch.snapshots import FILE_NAME, Snapshot, Store, Taken
from pairwatch.staging import Question

WEDNESDAY, THURSDAY, FRIDAY = date(2026, 11, 18), date(2026, 11, 19), builders.FRIDAY
A, B = (builders.series([1.0], builders.weekdays(1), symbol=name).leg for name in ("AAA", "BBB"))


def at(day: date) -> float:
    """The evening of a day, in Unix seconds."""
    return datetime(day.year, day.month, day.day, 22, tzinfo=UTC).timestamp()


def sides(day: date = FRIDAY, revise: date | None = None):
    """Both legs as they are known on an evening."""
    found = []
    for seed, name in enumerate(("AAA", "BBB")):
        closes = builders.prices(builders.linked_returns(100, seed=seed)[0])
        if revise and name == "BBB":
            closes = closes * np.where(builders.weekdays(101) == np.datetime64(revise), 1.02, 1.0)
        known = builders.history(closes, symbol=name, provenance=Provenance("network", at(day)))
        found.append(replace(known, series=known.series.as_of(day)))
    return tuple(found)


def asked(day: date = FRIDAY, window: str = "90d", **more: object) -> Question:
    return Question(day, Window.parse(window), **more)


def taken(day: date = FRIDAY, revise: date | None = None, **question: object) -> Taken:
    a, b = sides(day, revise)
    question = asked(day, **question)
    return Taken(pairs.compare(a, b, question), question, a, b, at(day) + (60.0 if revise else 0.0))


def store(folder, *evenings: Taken) -> Store:
    """A store in a folder with these snapshots, or with those of two evenings."""
    made = Store(folder / FILE_NAME)
    for one in evenings or (taken(THURSDAY), taken(FRIDAY)):
        made.append(one)
    return made


def snapshot(made: Store, number: int = -1) -> Snapshot:
    """One of the store's snapshots, counted from the first."""
    return made.snapshots(A, B, asked(), all_revisions=True)[number]
