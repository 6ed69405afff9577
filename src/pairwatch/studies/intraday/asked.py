"""What is asked of two legs within days, and the sessions that both of them have."""

from datetime import date
from typing import NamedTuple

import numpy as np

from pairwatch.bars import SECOND, TICKS, Bars, Interval, starts
from pairwatch.errors import NotEnoughData
from pairwatch.gathering import Held
from pairwatch.model import Days, Floats
from pairwatch.text import plural

# Fewer sessions than these are cut into parts, each taken for a session.
WANTED_SESSIONS = 20
# A part is at least so many times as long as the largest lag.
PART_LAGS = 5
_NICE = (1, 2, 5)


class Asked(NamedTuple):
    """What is asked.

    Attributes:
        max_lag: L, in bars or in steps of the grid of shifts.
        since, as_of: the first and the last session that may count.
        seed: of the sign patterns; the same inputs give the same bytes.
    """

    interval: Interval
    max_lag: int
    as_of: date
    since: date | None = None
    seed: int = 0


class Legs(NamedTuple):
    """Both legs in their common sessions.

    Attributes:
        sides: as they came.
        a, b: those of their bars that lie in sessions of both.
        days: these sessions.
    """

    sides: tuple[Held, Held]
    a: Bars
    b: Bars
    days: Days

    @property
    def names(self) -> tuple[str, str]:
        """What the legs are called."""
        return str(self.a.leg), str(self.b.leg)


def legs_of(a: Held, b: Held, asked: Asked) -> Legs:
    """Both legs in their common sessions.

    Raises:
        NotEnoughData: there are none, or a price that no return can be made of.
    """
    first, second = (_within(side.bars, asked) for side in (a, b))
    days = np.intersect1d(first.days, second.days, assume_unique=True)
    if not len(days):
        raise _nothing_in_common(a.bars, b.bars, asked)
    first, second = (_of_days(side, days) for side in (first, second))
    for side in (first, second):
        if not side.facts.by_differences and (side.prices <= 0).any():
            raise NotEnoughData(
                f"{side.leg}: a price of {side.prices.min():g}; percentages mean nothing from zero or below",
                f"take differences instead, --unit {side.leg}=points",
            )
    return Legs((a, b), first, second, days)


class Missed(NamedTuple):
    """Bars of a leg that could not be made, for no price stands at their end.

    Attributes:
        gone, of: how many, of how many.
    """

    leg: str
    gone: int
    of: int

    @property
    def share(self) -> float:
        """How many of all; 0 of none."""
        return self.gone / max(self.of, 1)

    def __str__(self) -> str:
        return f"{self.share:.0%} of the bars of {self.leg} have no price at their end"


def missed(bars: Bars, days: Days) -> Missed:
    """What a leg, all of whose bars lie in some sessions, misses of them."""
    count = int(np.isin(bars.left_out, days).sum())
    return Missed(str(bars.leg), count, count + len(bars))


def sparsest(legs: Legs) -> Missed:
    """Of the leg that misses the larger share."""
    return max((missed(bars, legs.days) for bars in (legs.a, legs.b)), key=lambda one: (one.share, one.leg))


def finer(legs: Legs) -> str:
    """Which interval leaves no price out."""
    first, second = (Interval.of(bars.made_of) for bars in (legs.a, legs.b))
    return f"--interval {first if first == second else Interval.parse(TICKS)} takes every price"


def _nothing_in_common(a: Bars, b: Bars, asked: Asked) -> NotEnoughData:
    days = np.intersect1d(a.days, b.days, assume_unique=True)
    if not len(days):
        return NotEnoughData(
            f"{a.leg} and {b.leg} have no session in common: {_span(a)} and {_span(b)}",
            "take legs, or files, of the same days",
        )
    # There are such days, and a bound leaves none.
    if asked.since and days[-1] < np.datetime64(asked.since):
        bound, hint = f"since {asked.since}", "leave out --since, or take an earlier day"
    elif days[0] > np.datetime64(asked.as_of):
        bound, hint = f"to {asked.as_of}", "leave out --as-of, or take a later day"
    else:
        bound, hint = f"from {asked.since} to {asked.as_of}", "leave out --since, or take an earlier day"
    return NotEnoughData(
        f"{a.leg} and {b.leg} have no session in common {bound}; the common ones are {days[0]} to {days[-1]}", hint
    )


def _within(bars: Bars, asked: Asked) -> Bars:
    keep = bars.sessions <= np.datetime64(asked.as_of)
    if asked.since:
        keep &= bars.sessions >= np.datetime64(asked.since)
    return bars if keep.all() else bars.at(keep)


def _of_days(bars: Bars, days: Days) -> Bars:
    """The bars of some of their own days."""
    own = bars.days
    if len(own) == len(days):
        return bars
    counts = np.diff(np.append(starts(bars.sessions), len(bars)))
    return bars.at(np.repeat(np.isin(own, days), counts))


def _span(bars: Bars) -> str:
    return f"{bars.sessions[0]} to {bars.sessions[-1]}" if len(bars) else "none"


def nice(length: int) -> int:
    """The least of 1, 2, 5, 10, ... that is no shorter, in nanoseconds; whole minutes from a minute on."""
    if length >= 60 * SECOND:
        return -(-length // (60 * SECOND)) * 60 * SECOND
    size = 1
    while size * 10 < length:
        size *= 10
    return next((size * factor for factor in _NICE if size * factor >= length), size * 10)


def parts_of(sessions: int, lags_in_session: float) -> int:
    """Into how many parts each session is cut, where there are few; `lags_in_session` of the largest lag fit in one."""
    if sessions >= WANTED_SESSIONS:
        return 1
    return max(1, min(-(-WANTED_SESSIONS // sessions), int(lags_in_session / PART_LAGS)))


def time_text(nanoseconds: int) -> str:
    """A stretch of time with its sign, in its largest fitting unit: `+10 min`, `-250 ms`, `0`."""
    if not nanoseconds:
        return "0"
    sign, size = ("+" if nanoseconds > 0 else "-"), abs(nanoseconds)
    for length, unit in ((3600 * SECOND, "h"), (60 * SECOND, "min"), (SECOND, "s"), (10**6, "ms"), (10**3, "us")):
        if size >= length and (size % length == 0 or unit != "h"):
            return f"{sign}{size / length:.4g} {unit}"
    return f"{sign}{size} ns"


def levels(bars: Bars) -> Floats:
    """What returns are differences of: logarithms, or of legs that change by differences the prices themselves."""
    return bars.prices if bars.facts.by_differences else np.asarray(np.log(bars.prices))


def said(count: int, noun: str, parts: int) -> str:
    """How many sessions, and into what they were cut."""
    text = plural(count, noun)
    return text if parts == 1 else f"{text} in {count * parts} parts"
