"""Yahoo's bars within days, through yfinance: regular sessions only, finished bars only.

Yahoo keeps bars of a minute for 30 days and gives a week of them at a time, those of two minutes to half an hour for 60
days, and those of an hour for two years.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np

from pairwatch.bars import INTERVALS, SECOND, Bars, Gathered, Instants, Interval, merged, session_days, time_of_day
from pairwatch.errors import EmptyAnswer, GarbledAnswer, UsageError, WrongAnswer
from pairwatch.model import Days, Facts
from pairwatch.sources import Request
from pairwatch.sources.sessions import GRACE, Sessions, sessions_of
from pairwatch.sources.yahoo import CALENDAR_OF, Yahoo, _facts, _possible, _regular_period
from pairwatch.sources.yahoo.asking import Slice
from pairwatch.text import clean, listing, plural


class Reach(NamedTuple):
    """How far back bars go, and how many days of them are given at a time; one day less than Yahoo says."""

    days: int
    at_once: int


_REACH: Final = MappingProxyType({"1m": Reach(29, 7), "1h": Reach(729, 10_000)})
_USUAL: Final = Reach(59, 10_000)


class Intraday(Yahoo):
    """Finished bars of regular sessions of anything Yahoo quotes."""

    def gather(self, request: Request, interval: Interval) -> Gathered:
        """See `pairwatch.gathering.Source.gather`."""
        if interval.text not in INTERVALS:
            raise UsageError(f"{request.leg}: yahoo has no bars of {interval}", f"it has {listing(INTERVALS, 9)}")
        self._check(request.leg)
        answers = [self._gathered(request, interval, part) for part in _parts(request, interval)]
        found = [answer for answer in answers if answer]
        if not found:
            raise EmptyAnswer(f"{request.leg}: yahoo's answer holds no finished bar of {interval}")
        bars = found[0].bars
        for one in found[1:]:
            bars = merged(bars, one.bars)
        remarks = tuple(dict.fromkeys(text for one in found for text in one.remarks))
        return found[-1]._replace(bars=bars, remarks=remarks)

    def _gathered(self, request: Request, interval: Interval, part: Slice) -> Gathered | None:
        """One answer; None for one without bars, which a week of holidays, or before the first session, has."""
        request.turn()
        try:
            frame, meta = self._answer(request, part)
        except EmptyAnswer:
            return None
        try:
            return _read(request, interval, frame, meta)
        except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, OSError) as error:
            raise GarbledAnswer(f"{request.leg}: yahoo's answer lacks or breaks a field ({clean(error)})") from error


def _parts(request: Request, interval: Interval) -> list[Slice]:
    """What is asked for, in pieces that are given at once, the earliest first; the last one ends ahead of now."""
    reach = _REACH.get(interval.text, _USUAL)
    today = datetime.fromtimestamp(request.now, UTC).date()
    first = max(request.since or date.min, today - timedelta(days=reach.days))
    end, parts = today + timedelta(days=2), []  # answers about the past alone would come from yfinance's memory
    while first < end:
        until = min(first + timedelta(days=reach.at_once), end)
        parts.append(Slice(interval.text, first, until))
        first = until
    return parts


def _read(request: Request, interval: Interval, frame: Any, meta: dict[str, Any]) -> Gathered | None:
    """Our types from the frame and its metadata; raises `SourceError` for another symbol's."""
    leg, now = request.leg, request.now
    answered = str(meta.get("symbol", "")).upper()
    if answered != leg.symbol:
        raise WrongAnswer(f"{leg}: yahoo answered for {clean(answered) or 'nothing'} instead")
    given = str(meta.get("dataGranularity", interval.text))
    if given not in (interval.text, *{"1h": ("60m",), "30m": ("15m",)}.get(interval.text, ())):
        raise WrongAnswer(f"{leg}: yahoo answered with bars of {clean(given)}, not of {interval}")
    sessions = sessions_of(CALENDAR_OF.get(str(meta.get("exchangeName", "")), ""), now)
    facts = _facts(meta, sessions)
    prices = frame["Close"].to_numpy(dtype="f8")
    begins = np.array([round(stamp.timestamp()) for stamp in frame.index], dtype="i8") * SECOND
    possible = _possible(prices, facts)
    odd = int(np.count_nonzero(~possible & ~np.isnan(prices)))
    remarks = (f"{plural(odd, 'impossible price')} left out",) if odd else ()
    days = session_days(begins, facts.timezone)
    ends = _ends(begins, days, interval, facts, sessions)
    # What bears odd seconds is the price of now beside the bars, and so is what begins when the session is over.
    keep = possible & (ends > begins) & (ends <= round(now) * SECOND) & (begins % (60 * SECOND) == 0)
    order = np.flatnonzero(keep)[np.argsort(ends[keep], kind="stable")]
    order = order[np.append(ends[order][1:] != ends[order][:-1], True)[: len(order)]]  # of two, the later one
    if not len(order):
        return None
    bars = Bars(leg, interval, ends[order], prices[order], days[order], replace(facts, identity=""))
    return Gathered(bars, now, _fresh_until(meta, sessions, now), remarks)


def _ends(begins: Instants, days: Days, interval: Interval, facts: Facts, sessions: Sessions | None) -> Instants:
    """When bars end: an interval after they begin, or with their session, which an hour may not fit into.

    Of sessions longer ago than the calendar is asked for, the usual close is taken: clocks do not change within one.
    """
    ends = begins + interval.length
    if sessions is None or facts.every_day or facts.closes_at in (None, 1440):
        return np.asarray(ends)
    closes = begins + (facts.closes_at or 0) * 60 * SECOND - time_of_day(begins, facts.timezone)
    at = np.minimum(sessions.days.searchsorted(days), len(sessions.days) - 1)
    known = sessions.days[at] == days
    return np.asarray(np.minimum(ends, np.where(known, sessions.closes[at].astype("i8") * SECOND, closes)))


def _fresh_until(meta: dict[str, Any], sessions: Sessions | None, now: float) -> float:
    """Until when asking again can bring nothing."""
    start, end = _regular_period(meta)
    is_open = start <= now < end + GRACE
    return now if sessions is None or is_open else sessions.quiet_until(now)
