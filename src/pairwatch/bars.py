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
# How long the bars may be of a leg of which many are missing, the longest first.
_USUAL = (3600, 1800, 900, 300, 120, 60)
# Of the stretches between prices of such a leg, the share that must be whole multiples of it; of fewer nothing is said.
_WHOLE, _FEWEST = 0.9, 20
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
            raise UsageError(
                f"not an interval: {clean(text)!r}",
                f"it is {listing(INTERVALS, 9)}; of files any other too, such as 1s, 30s or 4h, and ticks",
            )
        return cls("1h" if word == "60m" else word, length)

    @classmethod
    def of(cls, length: int) -> Self:
        """The interval of a length; ticks where no word says it."""
        for unit, size in sorted(_UNITS.items(), key=lambda item: -item[1]):
            count, rest = divmod(length, size * SECOND)
            if not rest and 0 < count < 1000:
                return cls(f"{count}{unit}", length)
        return cls(TICKS, 0)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """Prices of one leg within days.

    Attributes:
        times: when each price was made, which is the end of its bar; shape (n,), strictly increasing, Unix nanoseconds.
        prices: shape (n,), finite.
        sessions: the exchange's own day of each; shape (n,), never decreasing.
        made_of: how far apart the prices were that these bars are made of, in nanoseconds; 0 for bars as they came.
        left_out: the session of each bar that could not be made, for no price stands at its end; shape (m,).
    """

    leg: Leg
    interval: Interval
    times: Instants
    prices: Floats
    sessions: Days
    facts: Facts = field(default_factory=Facts)
    made_of: int = 0
    left_out: Days = field(default_factory=lambda: np.zeros(0, dtype="datetime64[D]"))

    def __post_init__(self) -> None:
        object.__setattr__(self, "times", frozen_array(self.times, "i8"))
        object.__setattr__(self, "prices", frozen_array(self.prices, "f8"))
        for name in ("sessions", "left_out"):
            object.__setattr__(self, name, frozen_array(getattr(self, name), "datetime64[D]"))
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


def gaps(bars: Bars) -> Instants:
    """How far neighbours of one session are apart."""
    return np.asarray(np.diff(bars.times)[bars.sessions[1:] == bars.sessions[:-1]])


def middle(values: Instants) -> int:
    """The median, or 0 of nothing."""
    return int(np.partition(values, len(values) // 2)[len(values) // 2]) if len(values) else 0


def own_step(bars: Bars) -> int:
    """How long a leg's bars are by their moments, in nanoseconds; 0 for ticks, and for too few prices to tell.

    Either most of its prices are so far apart, or nearly all are whole multiples of a usual length apart: bars of a leg
    that does not trade in each of them.
    """
    apart = gaps(bars)
    if len(apart) < _FEWEST:
        return 0
    usual = middle(apart)
    if 2 * int(np.count_nonzero(apart == usual)) > len(apart):
        return usual
    whole = (size * SECOND for size in _USUAL if np.count_nonzero(apart % (size * SECOND) == 0) >= _WHOLE * len(apart))
    return next(whole, 0)


def in_bars(bars: Bars, ahead: Instants) -> Bars:
    """Bars of the leg's interval, made of its shorter ones; ticks, and bars that are as long already, as they are.

    A bar ends on the clock, at a whole multiple of the interval after the session's own midnight, and has the last
    price in it; no bar holds prices of two sessions. Where the leg's prices never stand on these moments, bars end at
    the last moment before at which they do. A bar without a price at its end, such as one within which its session
    ends, is left out: a leg whose prices are dated later than they were made seems to follow the other one. Those that
    lie between a session's first price and its last one are counted in `left_out`.

    Args:
        ahead: what the clock of each price is ahead of UTC, in nanoseconds.

    Raises:
        UsageError: the bars that there are are longer than the interval, or do not fit into it.
    """
    length, step = bars.interval.length, own_step(bars)
    if not length or not step or length == step:
        return bars
    if length % step:
        found = Interval.of(step)
        apart = f"bars of {found}" if found.length else f"prices {step / SECOND:g} s apart"
        multiple = f", or a whole multiple of {found}" if found.length else ""
        raise UsageError(
            f"{bars.leg}: bars of {bars.interval} cannot be made of {apart}", f"--interval {found}{multiple}"
        )
    begins = starts(bars.sessions)
    midnights = bars.days.astype("M8[D]").astype("i8") * DAY - ahead[begins]
    since = bars.times - np.repeat(midnights, np.diff(np.append(begins, len(bars))))
    early = (step - middle(since % step)) % step
    ends = -(-since // length) * length
    last = np.append((ends[1:] != ends[:-1]) | (bars.sessions[1:] != bars.sessions[:-1]), True)
    made = last & (ends - since == early)
    return replace(bars.at(made), made_of=step, left_out=_left_out(bars, ends, made))


def _left_out(bars: Bars, ends: Instants, made: np.ndarray[tuple[int, ...], np.dtype[np.bool]]) -> Days:
    """The session of each bar that has no price at its end, of those that end while the session lasts.

    No bar is missed that ends at a time of day at which no session ever has a price, such as in a pause at noon; of one
    session nothing tells such a pause.

    Args:
        ends: after the session's midnight, of the bar that each price is in.
        made: the prices that stand at such an end.
    """
    begins = starts(bars.sessions)
    first, last = ends[begins], ends[np.append(begins[1:], len(bars)) - 1]
    # The last one counts only where it was made: a session may end within a bar.
    last_made = made[np.append(begins[1:], len(bars)) - 1]
    if len(begins) > 1:
        usual = np.unique(ends[made])
        due = usual.searchsorted(last) - usual.searchsorted(first)
    else:
        due = (last - first) // bars.interval.length
    count = np.add.reduceat(made.astype("i8"), begins)
    return np.repeat(bars.sessions[begins], np.maximum(due + last_made - count, 0))


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
