"""Ten years of snapshots of 200 pairs, made up: what `snapshots.py` measures against.

`python benchmarks/decade.py build FOLDER [SESSIONS]` writes `snapshots.db` through the store's own insert functions,
many evenings a transaction. What is made up are the closes (26 years of 100 legs, growing by one an evening, with
quarterly dividends) and the numbers (those of one real comparison, shaken): the layout, the chunks that evenings share
and the checksums are as in life. `decade.py prepare FOLDER HOME` writes what the commands and the rivals read.
"""

import json
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pairwatch import packing, pairs
from pairwatch.cache import FILE_NAME as PRICES
from pairwatch.cache import Cache
from pairwatch.histories import History
from pairwatch.model import Event, Facts, Floats, Holding, Leg, Provenance, Quote, Reading, Series, Window
from pairwatch.snapshots import FILE_NAME, Store, Taken, rows
from pairwatch.snapshots.inputs import Chunk, Packed, assembled, digest, packed
from pairwatch.staging import Question
from timing import say

PAIRS, LEGS = 200, 100
SESSIONS = 2_520
BARS = 6_700
LAST = np.datetime64("2026-10-30")
QUARTER = 63
A_TRANSACTION = 20
NEVER_STALE = 10 * 365 * 86_400.0
WINDOW = Window.parse("90d")


class Said(NamedTuple):
    """As much of a comparison as the store looks at."""

    a: Leg
    b: Leg
    as_of: date
    readings: list[Reading]

    def __iter__(self) -> Iterator[Reading]:  # type: ignore[override]
        return iter(self.readings)


def days(bars: int = BARS, last: np.datetime64 = LAST) -> np.ndarray:
    """The last weekdays up to a day."""
    return np.busday_offset(last, np.arange(1 - bars, 1), roll="backward")


def closes(legs: int = LEGS, bars: int = BARS) -> Floats:
    """Closes with a common factor, rounded to cents; shape (legs, bars)."""
    rng = np.random.default_rng(2026)
    common, own = rng.standard_normal(bars), rng.standard_normal((legs, bars))
    return (100 * np.exp((0.012 * (0.8 * common + 0.6 * own) + 0.0002).cumsum(axis=1))).round(2)


def leg(number: int) -> Leg:
    """`L00`, `L01` and so on."""
    return Leg("yahoo", f"L{number:02}")


def chosen(count: int = PAIRS) -> list[tuple[int, int]]:
    """So many pairs, in which every leg appears about equally often."""
    return [(n % LEGS, (n + 1 + n // LEGS) % LEGS) for n in range(count)]


def events(dates: np.ndarray, prices: Floats) -> tuple[Event, ...]:
    """Quarterly dividends."""
    return tuple(
        Event(dates[i], "dividend", round(0.002 * float(prices[i - 1]), 4)) for i in range(QUARTER, len(dates), QUARTER)
    )


FACTS = Facts("Simulated", "USD", "price", "ETF", "NMS", "America/New_York", 960)


class Legs:
    """Histories as they were known on an evening, and as the store keeps them."""

    def __init__(self, last: np.datetime64 = LAST) -> None:
        self.dates, self.closes = days(last=last), closes()
        self.events = [events(self.dates, prices) for prices in self.closes]
        # What evenings share is made once: where the closes are cut, the cuts, and the list of events.
        self._edges, self._cut, self._paid = (
            lru_cache(maxsize=None)(make) for make in (self._edges_of, self._chunk_of, self._events_of)
        )

    def known(self, number: int, bars: int) -> History:
        """The first bars of a leg, asked for in the evening of the last of them."""
        dates, prices = self.dates[:bars], self.closes[number, :bars]
        asked = float(dates[-1].astype("datetime64[s]").astype("i8")) + 79_200.0 + number
        quote = Quote(float(prices[-1]), asked - 3600.0, open=False, finished_at=asked - 1800.0)
        paid = self.events[number][: max(0, bars - 1) // QUARTER]
        return History(Series(leg(number), dates, prices, paid, FACTS, quote), Provenance("network", asked))

    def packed(self, number: int, bars: int) -> Packed:
        """What `inputs.packed` makes of `known`."""
        history = self.known(number, bars)
        newest = replace(
            history.series, dates=self.dates[bars - 1 : bars], closes=history.series.closes[-1:], events=()
        )
        rest = packed(History(newest, history.provenance))
        cuts = tuple(self._cut(number, i, j) for i, j in self._edges(bars))
        return assembled(rest.leg, cuts, self._paid(number, len(history.series.events)), rest.facts, rest.told)

    def _edges_of(self, bars: int) -> list[tuple[int, int]]:
        """From where to where: by year, and by month in the newest."""
        years, months = (self.dates[:bars].astype(f"M8[{unit}]").astype("i8") for unit in "YM")
        label = np.where(years == years[-1], months, -years - 1)
        return list(pairwise([0, *(np.flatnonzero(np.diff(label)) + 1).tolist(), bars]))

    def _chunk_of(self, number: int, i: int, j: int) -> Chunk:
        data = packing.day_bytes(self.dates[i:j]) + packing.close_bytes(self.closes[number, i:j])
        return Chunk(digest(data), data)

    def _events_of(self, number: int, count: int) -> Chunk:
        data = packing.events_text(self.events[number][:count]).encode()
        return Chunk(digest(data), data)


def shaken(readings: list[Reading], rng: np.random.Generator) -> Iterator[list[Reading]]:
    """The same readings with other values, for ever; whole numbers stay whole, and what cannot be said stays so."""
    values = np.array([r.value for r in readings])
    moves = np.where(values == np.round(values), 0.0, 0.05)
    while True:
        for row in (values * (1 + moves * rng.standard_normal((500, len(values))))).tolist():
            yield [Reading(r.statistic, r.scope, value, r.unit) for r, value in zip(readings, row, strict=True)]


def build(folder: Path, sessions: int = SESSIONS) -> float:
    """Write the file; returns the seconds it took."""
    started, legs = time.perf_counter(), Legs()
    store = Store(folder / FILE_NAME)
    first, second = legs.known(0, BARS), legs.known(1, BARS)
    numbers = shaken(list(pairs.compare(first, second, Question(LAST.item(), WINDOW))), np.random.default_rng(1))
    known = rows.row_for
    assert legs.packed(0, BARS) == packed(first)
    rows.row_for = lru_cache(maxsize=None)(known)  # a run looks up its hundred statistics; half a million runs need not
    try:
        for begin in range(BARS - sessions, BARS, A_TRANSACTION):
            with store.writing() as db:
                for at in range(begin, min(begin + A_TRANSACTION, BARS)):
                    _evening(db, legs, at + 1, numbers)
            say(f"{(begin - BARS + sessions) / sessions:4.0%} after {time.perf_counter() - started:.0f} s")
    finally:
        rows.row_for = known
    return time.perf_counter() - started


def _evening(db: sqlite3.Connection, legs: Legs, bars: int, numbers: Iterator[list[Reading]]) -> None:
    """One night's batches, in one transaction with others."""
    day: date = legs.dates[bars - 1].item()
    histories = [legs.known(number, bars) for number in range(LEGS)]
    sides = [legs.packed(number, bars) for number in range(LEGS)]
    asked = Question(day + timedelta(days=1), WINDOW)
    for a, b in chosen():
        at = (histories[a].provenance.asked_at or 0.0) + 600.0
        said = Said(leg(a), leg(b), day, next(numbers))
        taken = Taken(said, asked, histories[a], histories[b], at)  # type: ignore[arg-type]
        rows.insert_batch(db, taken, 1, (sides[a], sides[b]))


# ---------------------------------------------------------------- what the others read


def write_cache(folder: Path) -> None:
    """`prices.db` as it stands in the evening of the last weekday, with all legs."""
    now = time.time()
    legs = Legs(np.datetime64(int(now), "s").astype("M8[D]") - 1)
    cache = Cache(folder / PRICES)
    for number in range(LEGS):
        series = legs.known(number, BARS).series
        holding = Holding(series, now, now + NEVER_STALE, now, np.array([], dtype="datetime64[D]"))
        cache.update(series.leg, lambda _, holding=holding: holding)
    assert not cache.trouble, cache.trouble


def write_lists(folder: Path) -> None:
    """Watch lists of all pairs and of the first fifty, and all pairs as JSON."""
    names = [[str(leg(a)), str(leg(b))] for a, b in chosen()]
    (folder / "all.toml").write_text(f"watchlist = {json.dumps(names)}\n")
    (folder / "few.toml").write_text(f"watchlist = {json.dumps(names[:50])}\n")
    (folder / "all.json").write_text(json.dumps(names))


def write_rows(store: Store, folder: Path) -> None:
    """The first pair's numbers as long rows, as parquet and in SQLite."""
    import pandas as pd

    snapshots, names, values = store.record(leg(0), leg(1), Question(LAST.item(), WINDOW))
    rows = pd.DataFrame(
        {
            "session": np.repeat([str(snapshot.session) for snapshot in snapshots], len(names)),
            "scope": [name.scope for name in names] * len(snapshots),
            "statistic": [name.key for name in names] * len(snapshots),
            "value": values.ravel(),
        }
    )
    rows.to_parquet(folder / "rows.parquet")
    with closing(sqlite3.connect(folder / "rows.db")) as db:
        rows.to_sql("readings", db, index=False)
        db.execute("CREATE INDEX by_statistic ON readings (scope, statistic)")


def prepare(store: Path, home: Path) -> None:
    """All of it."""
    write_cache(home / "cache" / "pairwatch")
    write_lists(home)
    write_rows(Store(store / FILE_NAME), home)


if __name__ == "__main__":
    if sys.argv[1] == "build":
        build(Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else SESSIONS)
    else:
        prepare(Path(sys.argv[2]), Path(sys.argv[3]))
