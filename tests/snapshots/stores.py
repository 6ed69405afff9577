"""Comparisons to be stored, stores that hold some, and what a store says in full.

store = filled(tmp_path / "snapshots.db")
said = answers(store)
"""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
from tests import builders
from tests.builders import FRIDAY

from pairwatch import pairs
from pairwatch.errors import StoreError
from pairwatch.histories import History
from pairwatch.model import Provenance, Quote, Window
from pairwatch.snapshots import Store, Taken
from pairwatch.staging import Question

NAME = "Tëst — 株式 🦉"
SEEDS = {"AAA": 1, "BBB": 2, "CCC": 3}
PAIRS = (("AAA", "BBB", "90d"), ("AAA", "CCC", "61b"))


def at(day: date) -> float:
    """The evening of a day, in Unix seconds."""
    return datetime(day.year, day.month, day.day, 22, tzinfo=UTC).timestamp()


def leg(symbol: str = "AAA", day: date = FRIDAY, n: int = 400, **changes) -> History:
    """A leg as it is known on the evening of a day: the same closes on every evening, one more each."""
    days = builders.weekdays(n)
    returns, _ = builders.linked_returns(n - 1, seed=SEEDS[symbol])
    quote = Quote(101.5, at(day), open=False)
    events = (builders.event("2026-03-02", 0.25), builders.event("2026-06-01", 2.0, "split"))
    made = builders.history(
        builders.prices(returns)[days <= np.datetime64(day)],
        days[days <= np.datetime64(day)],
        symbol=symbol,
        events=events,
        quote=quote,
        name=NAME,
        provenance=Provenance("network", at(day), "", (np.datetime64("2026-09-07"),), remarks=(NAME,)),
    )
    return replace(made, series=replace(made.series, **changes)) if changes else made


def question(window: str = "61b", as_of: date = FRIDAY, max_lag: int = 3) -> Question:
    return Question(as_of, Window.parse(window), max_lag)


def taken(a: History, b: History, asked: Question | None = None, now: float | None = None) -> Taken:
    """A comparison as it would be stored on the evening of its day."""
    asked = asked or question()
    return Taken(pairs.compare(a, b, asked), asked, a, b, at(asked.as_of) if now is None else now)


def pair(day: date = FRIDAY, a: str = "AAA", b: str = "BBB", window: str = "61b") -> Taken:
    """What is known of a pair on an evening."""
    return taken(leg(a, day), leg(b, day), question(window, day))


def filled(path, evenings: int = 3) -> Store:
    """A store with two pairs that share a leg, some evenings up to Friday, a late revision, and a journal."""
    store = Store(path)
    for back in range(evenings)[::-1]:
        day = FRIDAY - timedelta(days=back)
        run = store.note("began", at(day), '{"pairs": 2}')
        for a, b, window in PAIRS:
            store.append(pair(day, a, b, window))
        store.note("ended", at(day), "{}", run)
    store.append(taken(leg("AAA"), revised(leg("BBB")), question("90d")))
    return store


def revised(history: History, by: float = 1.01, bar: int = -30) -> History:
    """The same history with one close that the provider has changed."""
    closes = history.series.closes.copy()
    closes[bar] *= by
    return replace(history, series=replace(history.series, closes=closes))


def recorded(history: History) -> tuple[object, ...]:
    """A history as something that can be compared, to the last bit."""
    series = history.series
    closes = series.closes.tobytes(), series.dates.astype("i8").tobytes()
    return series.leg, closes, series.events, series.facts, series.quote, history.provenance


def bits(values) -> bytes:
    return np.asarray(values, dtype="<f8").tobytes()


def answers(store: Store) -> dict[str, object]:
    """Everything that can be asked of a store; `refused` in place of what it refuses."""
    found: dict[str, object] = {}
    for a, b, window in PAIRS:
        asked = (leg(a).series.leg, leg(b).series.leg, question(window, max_lag=3))
        key = f"{a} {b}"
        every = said(lambda asked=asked: store.snapshots(*asked, all_revisions=True))
        found[f"{key} snapshots"] = every
        found[f"{key} last"] = said(lambda asked=asked: store.snapshots(*asked))
        found[f"{key} latest"] = said(lambda asked=asked: store.latest(*asked))
        found[f"{key} before"] = said(lambda asked=asked: store.latest(*asked, until=FRIDAY - timedelta(days=1)))
        found[f"{key} record"] = said(lambda asked=asked: _record(store.record(*asked)))
        for one in () if every == REFUSED else every:
            found[f"{key} {one} numbers"] = said(lambda one=one: _numbers(store.numbers(one)))
            found[f"{key} {one} inputs"] = said(lambda one=one: tuple(recorded(h) for h in store.inputs(one)))
    found["pairs"] = said(store.pairs)
    return found


REFUSED = "refused"


def said(ask):
    """The answer, unless it is refused; any other exception is a defect."""
    try:
        return ask()
    except StoreError as error:
        refusal = error
    assert refusal.exit_code == 7
    assert refusal.message.startswith("the snapshots in ")
    assert refusal.hint
    return REFUSED


def _record(record):
    return record.snapshots, record.names, bits(record.values)


def _numbers(numbers):
    return numbers.snapshot, numbers.names, bits(numbers.values)
