"""Prices within days: bars of an interval, and ticks, each in the session that it belongs to."""

import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple, Self, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from pairwatch.errors import UsageError
from pairwatch.model import Days, Facts, Floats, Leg, frozen_array
from pairwatch.text import clean, listing

# Unix time in nanoseconds.
Instants: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.int64]]

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
INTERVALS = ("1m", "2m", "5m", "15m", "30m", "1h")
TICKS = "ticks"
# Zones change their clocks at whole quarters of an hour.
_QUARTER = 900 * SECOND
_INTERVAL = re.compile(r"([1-9][0-9]{0,2})(s|m|h)\Z")
_UNITS = {"s": 1, "m": 60, "h": 3600}


class Interval(NamedTuple):
    """How long a bar is, in nanoseconds; 0 for ticks, which come when they come."""

    text: str
    length: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `1h`, `5m`, `30s` or `ticks`.

        Raises:
            UsageError: anything else, or a day and more.
        """
        word = text.strip().lower()
        if word in (TICKS, "tick"):
            return cls(TICKS, 0)
        found = _INTERVAL.match(word)
        length = int(found[1]) * _UNITS[found[2]] * SECOND if found else 0
        if not 0 < length < DAY:
            raise UsageError(f"not an interval: {clean(text)!r}", f"it is {listing(INTERVALS, 9)}, or ticks of files")
        return cls("1h" if word == "60m" else word, length)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """Prices of one leg within days.

    Attributes:
        times: when each price was made, which is the end of its bar; shape (n,), strictly increasing, Unix nanoseconds.
        prices: shape (n,), finite.
        sessions: the exchange's own day of each; shape (n,), never decreasing.
    """

    leg: Leg
    interval: Interval
    times: Instants
    prices: Floats
    sessions: Days
    facts: Facts = field(default_factory=Facts)

    def __post_init__(self) -> None:
        object.__setattr__(self, "times", frozen_array(self.times, "i8"))
        object.__setattr__(self, "prices", frozen_array(self.prices, "f8"))
        object.__setattr__(self, "sessions", frozen_array(self.sessions, "datetime64[D]"))
        if not self.times.shape == self.prices.shape == self.sessions.shape or self.times.ndim != 1:
            raise ValueError("times, prices and sessions must be three equally long vectors")
        if not (self.times[1:] > self.times[:-1]).all():
            raise ValueError("times must increase strictly")
        if not (self.sessions[1:] >= self.sessions[:-1]).all():
            raise ValueError("sessions must not decrease")
        if not np.isfinite(self.prices).all():
            raise ValueError("prices must be finite")

    def __len__(self) -> int:
        return len(self.times)

    def at(self, keep: object) -> Self:
        """The bars at some places, or where a mask says so."""
        return replace(self, times=self.times[keep], prices=self.prices[keep], sessions=self.sessions[keep])  # type: ignore[call-overload]

    @property
    def days(self) -> Days:
        """The days of the sessions, each once."""
        return self.sessions[starts(self.sessions)]


class Gathered(NamedTuple):
    """A source's answer for one leg.

    Attributes:
        asked_at: when, in Unix seconds.
        fresh_until: until when nothing new can be had (`asked_at` while a session is open).
        remarks: what was odd in the answer and survived, one line each.
    """

    bars: Bars
    asked_at: float
    fresh_until: float
    remarks: tuple[str, ...] = ()


def starts(sessions: Days) -> np.ndarray[tuple[int, ...], np.dtype[np.intp]]:
    """Where each session begins."""
    if not len(sessions):
        return np.zeros(0, dtype=np.intp)
    return np.append(0, np.flatnonzero(sessions[1:] != sessions[:-1]) + 1)


def session_days(times: Instants, timezone: str) -> Days:
    """The days of instants by a zone's own clock, which may be put forward or back between any two of them.

    Raises:
        ValueError: no such zone.
    """
    return np.asarray((_by_the_clock(times, timezone) // DAY).astype("datetime64[D]"))


def time_of_day(times: Instants, timezone: str) -> Instants:
    """What a zone's clock shows at instants, in nanoseconds after its midnight; raises as `session_days` does."""
    return np.asarray(_by_the_clock(times, timezone) % DAY)


def _by_the_clock(times: Instants, timezone: str) -> Instants:
    """Instants as if the zone's clock showed UTC."""
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, OSError) as error:
        raise ValueError(f"no such time zone: {timezone}") from error
    quarters = np.asarray(times) // _QUARTER
    begins = np.append(0, np.flatnonzero(quarters[1:] != quarters[:-1]) + 1) if len(quarters) else np.zeros(0, "i8")
    offsets = [_offset(int(quarter), zone) for quarter in quarters[begins]]
    counts = np.diff(np.append(begins, len(quarters)))
    return np.asarray(times + np.repeat(np.array(offsets, dtype="i8"), counts))


def _offset(quarter: int, zone: ZoneInfo) -> int:
    """What a zone's clock is ahead of UTC in a quarter of an hour, in nanoseconds."""
    ahead = datetime.fromtimestamp(quarter * 900, zone).utcoffset() or timedelta()
    return int(ahead.total_seconds()) * SECOND


def merged(held: Bars, new: Bars) -> Bars:
    """Both, session by session: the new one's, unless the held one has more bars of it.

    A session is never made of two answers, so that what a split does to prices from one answer to the next never
    stands within one. Sessions are days of the zone that the new one names: providers correct zones.
    """
    if held.facts.timezone != new.facts.timezone:
        days = np.maximum.accumulate(session_days(held.times - 1, new.facts.timezone))
        held = replace(held, sessions=days)
    kept = held.at(np.isin(held.sessions, new.days[_fuller(new, held)], invert=True))
    added = new.at(np.isin(new.sessions, kept.days, invert=True))
    times = np.concatenate([kept.times, added.times])
    order = np.argsort(times, kind="stable")
    # A bar over midnight may have been counted to the one day by one of them and to the other by the other.
    order = order[np.append(times[order][1:] != times[order][:-1], True)[: len(order)]]
    sessions = np.concatenate([kept.sessions, added.sessions])[order]
    return replace(
        new,
        times=times[order],
        prices=np.concatenate([kept.prices, added.prices])[order],
        sessions=np.maximum.accumulate(sessions),
    )


def _fuller(bars: Bars, others: Bars) -> np.ndarray[tuple[int, ...], np.dtype[np.bool]]:
    """Which sessions have at least as many bars as others have of the same day."""
    days, counts = _counted(bars)
    their_days, their_counts = _counted(others)
    beside = np.zeros(len(days), dtype="i8")
    _, here, there = np.intersect1d(days, their_days, assume_unique=True, return_indices=True)
    beside[here] = their_counts[there]
    return np.asarray(counts >= beside)


def _counted(bars: Bars) -> tuple[Days, Instants]:
    """The days, and how many bars each has."""
    begins = starts(bars.sessions)
    return bars.sessions[begins], np.diff(np.append(begins, len(bars)))
