"""Weeks of snapshots in a store: every evening the pairs are compared, and stored with what they were made of.

with_evenings(store, {("AAA", "BBB"): linked(300, seed=1)}, sessions=30)
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any

import numpy as np
from tests import builders

from pairwatch import pairs
from pairwatch.histories import History
from pairwatch.model import Floats, Leg, Window
from pairwatch.snapshots import Store, Taken
from pairwatch.staging import Question

# Short lags: the lead test is most of what a comparison costs.
ASKED = Question(builders.FRIDAY, Window.parse("60b"), max_lag=1)
SETTINGS = ("--window", "60b", "--max-lag", "1")
# What a snapshot needs of the past.
BEFORE = 70


def leg(symbol: str) -> Leg:
    return Leg("yahoo", symbol)


def linked(sessions: int, rho: float = 0.9, seed: int = 0, **shocks: float) -> tuple[Floats, Floats]:
    """The returns of two legs up to `FRIDAY`; `d1=0.05` adds to A's return one session before the last."""
    a, b = builders.linked_returns(BEFORE + sessions, rho, seed)
    for name, shock in shocks.items():
        a[-1 - int(name[1:])] += shock
    return a, b


def taken(a: History, b: History, day: date, question: Question = ASKED) -> Taken:
    """A comparison of the evening of `day`."""
    asked = Question(day, question.window, question.max_lag, question.adjustment, question.seed)
    at = datetime.combine(day, time(22), UTC).timestamp()
    return Taken(pairs.compare(a, b, asked), asked, a, b, at)


def histories(symbols: tuple[str, str], returns: tuple[Floats, Floats], day: date, **more: Any) -> list[History]:
    """Both legs as they are known in the evening of `day`."""
    found = []
    for symbol, own in zip(symbols, returns, strict=True):
        days = builders.weekdays(len(own) + 1)
        keep = days <= np.datetime64(day)
        found.append(builders.history(builders.prices(own)[keep], days[keep], symbol=symbol, **more))
    return found


def days(sessions: int) -> list[date]:
    """The last sessions up to `FRIDAY`."""
    found: list[date] = builders.weekdays(sessions).tolist()
    return found


def with_evenings(
    store: Store, returns: Mapping[tuple[str, str], tuple[Floats, Floats]], sessions: int, question: Question = ASKED
) -> Store:
    """Store a snapshot of each pair for every one of the last sessions."""
    for day in days(sessions):
        for symbols, own in returns.items():
            store.append(taken(*histories(symbols, own, day), day, question))
    return store
