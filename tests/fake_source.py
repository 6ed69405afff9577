"""A provider that can be changed, and a source that asks it: what the cache and the retrieval are tested against.

provider = FakeSource()
desk = desk_for(Cache(path), provider)
desk.history(LEG)
"""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from time import time as wall_clock

import numpy as np

from pairwatch.cache import FILE_NAME, Cache
from pairwatch.errors import EmptyAnswer, SourceError
from pairwatch.histories import History
from pairwatch.model import Event, Facts, Fetched, Holding, Leg, Quote, Series
from pairwatch.retrieval import Desk, Policy
from pairwatch.sources import Request

LEG = Leg("yahoo", "QQQ")
FIRST, TODAY = date(2026, 1, 5), date(2026, 10, 30)
"""A Monday and a Friday: the first bar and the last, unless a test says otherwise."""
OPENS, CLOSES = time(14, 30), time(21, 0)
NOW = 1.8e9
MEMORY = np.timedelta64(400, "D")


def at(day: date, hour: time = time(22)) -> float:
    """An instant of a day in UTC, after the close unless another hour is given."""
    return datetime.combine(day, hour, UTC).timestamp()


def day64(day: date | str) -> np.datetime64:
    return np.datetime64(day, "D")


class FakeSource:
    """Keeps the `Source` contract; weekdays are sessions, from 14:30 to 21:00 UTC.

    Attributes:
        bars: the provider's closes as it would give them now, by day, splits applied.
        hidden: days that it has and does not give.
        fault: what it raises instead of answering.
        requests: what it was asked, oldest first.
    """

    name = "yahoo"
    needs = "nothing"
    example = "QQQ"
    about = "a provider made up by the tests"

    def __init__(self, last: date = TODAY, first: date = FIRST, seed: int = 0) -> None:
        self.bars: dict[np.datetime64, float] = {}
        self.events: list[Event] = []
        self.hidden: set[np.datetime64] = set()
        self.facts = Facts(name="Tëst — 株式 🦉", currency="USD", timezone="America/New_York", closes_at=960)
        self.fault: SourceError | None = None
        self.remarks: tuple[str, ...] = ()
        self.requests: list[Request] = []
        self._rng = np.random.default_rng(seed)
        self._next = first
        self.advance_to(last)

    # --- what happens in the market and at the provider

    def advance_to(self, last: date) -> None:
        """Trade up to and on `last`."""
        price = self.bars[max(self.bars)] if self.bars else 100.0
        while self._next <= last:
            if self._next.weekday() < 5:
                price *= 1 + 0.01 * self._rng.standard_normal()
                self.bars[day64(self._next)] = price
            self._next += timedelta(days=1)

    def pay(self, day: date | np.datetime64, amount: float) -> None:
        self._happens(Event(day64(day), "dividend", amount))

    def split(self, day: date | np.datetime64, ratio: float) -> None:
        """Split at the open of `day`: whatever was quoted or paid before it is restated."""
        day = day64(day)
        self.bars = {d: close / ratio if d < day else close for d, close in self.bars.items()}
        self.events = [
            Event(e.day, e.kind, e.value / ratio) if e.kind != "split" and e.day < day else e for e in self.events
        ]
        self._happens(Event(day, "split", ratio))

    def rebase(self, factor: float) -> None:
        """Restate every close, and say nothing of it."""
        self.bars = {day: close * factor for day, close in self.bars.items()}

    def revise(self, day: date | np.datetime64, factor: float = 1.01) -> None:
        self.bars[day64(day)] *= factor

    def _happens(self, event: Event) -> None:
        self.events = sorted([*self.events, event], key=lambda e: (e.day, e.kind))

    # --- what it answers

    def sessions(self, now: float) -> np.ndarray:
        """The weekdays of the recent past whose session has closed by `now`."""
        today = datetime.fromtimestamp(now, UTC).date()
        days = np.arange(day64(today) - MEMORY, day64(today) + 1)
        days = days[np.is_busday(days)]
        return days[:-1] if len(days) and days[-1] == day64(today) and now < at(today, CLOSES) else days

    def finished(self, now: float) -> list[np.datetime64]:
        """The days of which it gives a close at `now`."""
        last = self.sessions(now)[-1]
        return sorted(day for day in self.bars if day <= last and day not in self.hidden)

    def fetch(self, request: Request) -> Fetched:
        """See `pairwatch.sources.Source.fetch`."""
        self.requests.append(request)
        if self.fault:
            raise self.fault
        return self.answer(request)

    def answer(self, request: Request) -> Fetched:
        """The answer, without any of the faults."""
        now, since = request.now, day64(request.since or date.min)
        days = [day for day in self.finished(now) if day >= since]
        if not days:
            raise EmptyAnswer(f"{request.leg}: no bars")
        today = day64(datetime.fromtimestamp(now, UTC).date())
        events = tuple(e for e in self.events if since <= e.day <= today)
        price = [close for day, close in sorted(self.bars.items()) if day <= today][-1]
        is_open = bool(np.is_busday(today)) and at(today.item(), OPENS) <= now < at(today.item(), CLOSES)
        expected = self.sessions(now)
        is_due = expected[-1] > days[-1]
        return Fetched(
            series=Series(
                request.leg,
                np.array(days),
                np.array([self.bars[day] for day in days]),
                events,
                self.facts,
                Quote(price, now - 60, open=is_open),
            ),
            since=request.since,
            asked_at=now,
            fresh_until=now if is_open or is_due else _next_opening(now),
            expected=expected[expected >= max(days[0], since)],
            remarks=self.remarks,
        )


def _next_opening(now: float) -> float:
    day = datetime.fromtimestamp(now, UTC).date()
    while day.weekday() >= 5 or at(day, OPENS) <= now:
        day += timedelta(days=1)
    return at(day, OPENS)


def desk_for(cache: Cache, source: FakeSource, now: float = at(TODAY), **policy: object) -> Desk:
    """A run at `now`, in which no time goes by."""
    return Desk(cache, Policy(now, **policy), {source.name: source}, elapsed=lambda: 0.0)


def refreshed(cache: Cache, source: FakeSource, now: float = at(TODAY), leg: Leg = LEG, **policy: object) -> History:
    """One run's history of one leg."""
    return desk_for(cache, source, now, **policy).history(leg)


def refreshed_live(cache: Cache, source: FakeSource, leg: Leg = LEG, **policy: object) -> History:
    """One run's history of one leg, by the clock on the wall."""
    return Desk(cache, Policy(wall_clock(), **policy), {source.name: source}).history(leg)


# ---------------------------------------------------------------- what a cache holds


def holding(leg: Leg = LEG, bars: int = 300, seed: int = 0, asked_at: float = NOW) -> Holding:
    """A leg with something in every field."""
    days = np.arange("2020-01-01", "2055-01-01", dtype="datetime64[D]")
    days = days[np.is_busday(days)]
    closes = 100 * np.exp(np.random.default_rng(seed).normal(0, 0.01, bars).cumsum())
    events = (
        Event(days[3], "dividend", 0.1 + 0.2),
        Event(days[3], "split", 1 / 190),
        Event(days[7], "capital_gain", 1e-9),
    )
    facts = Facts(
        "Nestlé — 雀巢 🦉 ''; --", "CHF", kind="EQUITY", exchange="EBS", timezone="Europe/Zurich", closes_at=1050
    )
    series = Series(leg, days[:bars], closes, events, facts, Quote(101.25, NOW - 7.5, open=True))
    return Holding(series, asked_at, asked_at + 3600.5, asked_at - 86400.25, days[bars : bars + 2])


def stored(path: Path, *holdings: Holding) -> Path:
    for held in holdings or [holding()]:
        Cache(path).update(held.series.leg, lambda _, held=held: held)
    return path


def assert_same(found: Holding | None, wanted: Holding) -> None:
    assert found is not None
    np.testing.assert_array_equal(found.series.dates, wanted.series.dates)
    np.testing.assert_array_equal(found.series.closes, wanted.series.closes)
    np.testing.assert_array_equal(found.holes, wanted.holes)
    for field in ("leg", "events", "facts", "quote"):
        assert getattr(found.series, field) == getattr(wanted.series, field)
    for field in ("asked_at", "fresh_until", "reconciled_at"):
        assert getattr(found, field) == getattr(wanted, field)


def aside(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{FILE_NAME}.damaged-*"))
