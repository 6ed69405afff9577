"""Yahoo Finance, through yfinance.

yfinance is used in the one way that survives: `Ticker.history` with exceptions on and adjustment off, never
`download`; without its SQLite caches (one holds a pickle, all of them lock); in a thread of its own, because its
time-outs bound nothing; with the answer's symbol compared with the question's.
"""

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from yfinance.utils import is_isin

from pairwatch.errors import (
    EmptyAnswer,
    GarbledAnswer,
    SourceError,
    TimedOut,
    UnknownSymbol,
    WrongAnswer,
)
from pairwatch.model import Days, Event, EventKind, Facts, Fetched, Floats, Leg, Measure, Quote, Series
from pairwatch.sources import Request
from pairwatch.sources.quieting import unwarned
from pairwatch.sources.sessions import ALWAYS_OPEN, GRACE, Sessions, sessions_of
from pairwatch.sources.waiting import Deadline, within
from pairwatch.sources.yahoo import asking
from pairwatch.sources.yahoo.asking import BEGINNING, DAY, TWICE
from pairwatch.text import clean, listing

EVENT_COLUMNS: dict[str, EventKind] = {
    "Dividends": "dividend",
    "Stock Splits": "split",
    "Capital Gains": "capital_gain",
}
# Indices that are yields of US treasuries, in percent.
YIELDS = ("^IRX", "^FVX", "^TNX", "^TYX")
# Indices of expected volatility, of tails and of correlation: levels, which nobody can hold or follow.
VOLATILITIES = (
    "^VIX ^VIX1D ^VIX9D ^VIX3M ^VIX6M ^VIX1Y ^VXN ^RVX ^VXD ^VXO ^VXV ^VXST ^VXMT ^VVIX ^VIXEQ ^SKEW ^DSPX"
    " ^OVX ^GVZ ^EVZ ^VXSLV ^VXGDX ^VXXLE ^VXEEM ^VXEFA ^VXEWZ ^VXFXI ^VXTLT ^TYVIX ^MOVE ^VOLQ ^VOLI"
    " ^VXAPL ^VXAZN ^VXGOG ^VXGS ^VXIBM ^COR1M ^COR3M ^COR6M ^COR9M ^COR1Y ^INDIAVIX ^VHSI"
)
# Yahoo's exchange codes, as seen in its answers, by the names of their calendars: see `sessions_of`. Of other exchanges
# nothing is expected, and the close is the one that Yahoo tells.
CALENDARS = {
    "XNYS": "NMS NGM NCM NYQ PCX ASE BTS SNP DJI NIM WCB CXI CBO CBOE NYS NAS",
    "XLON": "LSE IOB",
    "XTKS": "JPX TYO OSA",
    "XETR": "GER",
    "XFRA": "FRA",
    "XPAR": "PAR ENX",
    "XAMS": "AMS",
    "XBRU": "BRU",
    "XMIL": "MIL",
    "XMAD": "MCE",
    "XSWX": "EBS",
    "XSTO": "STO",
    "XOSL": "OSL",
    "XHEL": "HEL",
    "XCSE": "CPH",
    "XWBO": "VIE",
    "XWAR": "WSE",
    "XLIS": "LIS",
    "XIST": "IST",
    "XJSE": "JNB",
    "XTSE": "TOR",
    "XASX": "ASX",
    "XHKG": "HKG HKS",
    "XSHG": "SHH SHZ",
    "XTAI": "TAI",
    "XSES": "SES",
    "XBKK": "SET",
    "XKLS": "KLS",
    "XNZE": "NZE",
    "XKRX": "KSC KOE",
    "XBOM": "NSI BSE",
    "BVMF": "SAO",
    "CMES": "CME CBT NYM CMX",
    "24/5": "CCY",
    "24/7": "CCC",
}
CALENDAR_OF = {code: calendar for calendar, codes in CALENDARS.items() for code in codes.split()}
# What Yahoo can hold of a price without it being nonsense.
_LARGEST = 1e12

_SINCE = re.compile(r"\(traded since (\d{4}-\d{2}-\d{2})\)$")


class Yahoo:
    """Daily closes, events and the latest price of anything Yahoo quotes."""

    def __init__(self) -> None:
        self._hangs = False
        self._answers = 0

    def fetch(self, request: Request) -> Fetched:
        """See `pairwatch.sources.Source.fetch`."""
        self._check(request.leg)
        request.turn()
        frame, meta = self._answer(request)
        try:
            return _read(request, frame, meta)
        except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, OSError) as error:
            raise GarbledAnswer(f"{request.leg}: yahoo's answer lacks or breaks a field ({clean(error)})") from error

    def _check(self, leg: Leg) -> None:
        """Raise where asking is of no use."""
        if self._hangs:
            raise TimedOut(f"{leg}: not asked, since yahoo has just left another request unanswered")
        if is_isin(leg.symbol):
            raise UnknownSymbol(f"{leg}: an ISIN, and yahoo's history is asked for by yahoo's own symbols")

    def _answer(self, request: Request, within_days: asking.Slice | None = None) -> tuple[Any, dict[str, Any]]:
        """What yfinance gives, before the deadline.

        Yahoo hangs if nothing at all was answered meanwhile: one slow answer among many is its own.
        """
        answers, deadline = self._answers, Deadline(request.deadline, request.turn)
        try:
            with unwarned(verbose=request.verbose):
                asked = request._replace(turn=deadline.turn)
                outcome = within(deadline, lambda: asking.outcome(asked, within_days))
        except TimedOut:
            self._hangs = self._answers == answers
            raise TimedOut(f"{request.leg}: yahoo did not answer within {request.deadline:g} s") from None
        self._answers, self._hangs = self._answers + 1, False
        if isinstance(outcome, SourceError):
            raise outcome
        return outcome


# ---------------------------------------------------------------- reading


def _read(request: Request, frame: Any, meta: dict[str, Any]) -> Fetched:
    """Our types from the frame and its metadata.

    Raises:
        SourceError: no bars, or another symbol's.
    """
    leg, now = request.leg, request.now
    answered = str(meta.get("symbol", "")).upper()
    if answered != leg.symbol:
        raise WrongAnswer(f"{leg}: yahoo answered for {clean(answered) or 'nothing'} instead")
    if not len(frame):
        raise EmptyAnswer(f"{leg}: yahoo's answer holds no bars")
    sessions = sessions_of(CALENDAR_OF.get(str(meta.get("exchangeName", "")), ""), now)
    facts = _facts(meta, sessions)
    if sessions is None:
        facts = _with_usual_close(facts, request.known)
    facts, remarks = _identified(facts, request.known, meta)
    dates = np.array([stamp.date() for stamp in frame.index], dtype="datetime64[D]")
    closes = frame["Close"].to_numpy(dtype="f8")
    possible = _possible(closes, facts)
    if odd := [str(day) for day in dates[~possible & ~np.isnan(closes)]]:
        remarks.append(f"impossible closes left out: {listing(odd)}")
    if meta[TWICE]:
        remarks.append(f"days with two different closes left out: {listing(meta[TWICE])}")
        possible &= ~np.isin(dates, np.array(meta[TWICE], dtype="datetime64[D]"))
    first_unfinished = _first_unfinished(meta, sessions, facts, now)
    keep = possible & (dates < first_unfinished)
    if not keep.any():
        raise EmptyAnswer(f"{leg}: yahoo's answer holds no finished bar")
    expected = sessions.finished(now) if sessions else np.array([], dtype="datetime64[D]")
    expected = expected[expected < first_unfinished]
    series = Series(leg, dates[keep], closes[keep], _events(frame, dates), facts, _quote(meta, facts, now))
    return Fetched(
        series=series,
        since=request.since,
        asked_at=now,
        fresh_until=_fresh_until(series, sessions, meta, expected, now),
        expected=expected[expected >= max(dates[0], np.datetime64(request.since or BEGINNING))],
        remarks=tuple(remarks),
    )


def _possible(closes: Floats, facts: Facts) -> np.ndarray[Any, np.dtype[np.bool]]:
    """Which closes a market can have made; only futures may fall to zero and below."""
    size = np.abs(closes) < _LARGEST
    return size if facts.kind == "FUTURE" else size & (closes > 0)


def _facts(meta: dict[str, Any], sessions: Sessions | None) -> Facts:
    kind, timezone = clean(meta["instrumentType"]), clean(meta["exchangeTimezoneName"])
    measure = _measure(meta["symbol"], kind)
    return Facts(
        name=clean(meta.get("longName") or meta.get("shortName") or ""),
        currency=clean(meta.get("currency") or ""),
        measure=measure,
        unit={"rate": "percent", "price": ""}.get(measure, "points"),
        kind=kind,
        exchange=clean(meta.get("exchangeName", "")),
        timezone=timezone,
        closes_at=sessions.closes_at(timezone) if sessions else _closes_at(meta, timezone),
        every_day=bool(sessions and sessions.calendar == ALWAYS_OPEN),
    )


def _closes_at(meta: dict[str, Any], timezone: str) -> int | None:
    """When the provider's current session closes, in minutes after the local midnight of its day."""
    start, end = (datetime.fromtimestamp(at, _zone(timezone)) for at in _regular_period(meta))
    minutes = 1440 * (end.date() - start.date()).days + 60 * end.hour + end.minute
    return minutes if start < end and minutes <= 1440 else None


def _with_usual_close(facts: Facts, known: Facts | None) -> Facts:
    """With the later of the close that the provider tells now and the one before: a half day is not usual."""
    if known is None or (known.exchange, known.timezone) != (facts.exchange, facts.timezone):
        return facts
    told = [one.closes_at for one in (known, facts) if one.closes_at is not None]
    return replace(facts, closes_at=max(told, default=None))


def _measure(symbol: str, kind: str) -> Measure:
    if kind != "INDEX":
        return "price"
    return "rate" if symbol in YIELDS else "level" if symbol in VOLATILITIES.split() else "index"


def _identified(facts: Facts, known: Facts | None, meta: dict[str, Any]) -> tuple[Facts, list[str]]:
    """The facts with what the symbol stands for, and remarks on what has changed since it was asked for last.

    Companies are renamed, and funds become other kinds of funds. Only a symbol that has another name or kind *and*
    whose trading began later than before is taken to stand for something else.
    """
    began = _day_of(meta.get("firstTradeDate"))
    identity = f"{facts.name or facts.kind} (traded since {began})" if began else ""
    if known is None:
        return replace(facts, identity=identity), []
    pairs = ((known.name, facts.name), (known.kind, facts.kind))
    changes = [f"yahoo calls it {new} now, and {old} before" for old, new in pairs if old and new and old != new]
    before = _SINCE.search(known.identity)
    reused = bool(changes and before and began > before[1])
    if known.identity and not reused:
        identity = known.identity
    return replace(facts, identity=identity), changes


def _day_of(stamp: Any) -> str:
    """The day of an instant, in UTC; empty if it is none."""
    try:
        return datetime.fromtimestamp(_instant(stamp), UTC).date().isoformat()
    except (TypeError, ValueError, OverflowError, OSError):
        return ""


def _first_unfinished(meta: dict[str, Any], sessions: Sessions | None, facts: Facts, now: float) -> np.datetime64:
    """The first day whose session has not finished, by the provider's word and by the calendar's.

    The provider's current period may still be the last session's, or already the next one's. Today is finished only
    if one of the two says so; a day that one of them still calls open is not.
    """
    start, end = _regular_period(meta)
    local, day = (np.datetime64(datetime.fromtimestamp(at, _zone(facts.timezone)).date()) for at in (now, start))
    is_over = now >= end + GRACE
    today_is_over = (is_over and day == local) or (sessions is not None and local in sessions.finished(now))
    unfinished = [local + np.timedelta64(1, "D") if today_is_over else local]
    if not is_over:
        unfinished.append(day)
    if sessions:
        unfinished.extend(sessions.unfinished(now)[:1])
    return min(unfinished)


def _regular_period(meta: dict[str, Any]) -> tuple[float, float]:
    """When the provider's current session opens and closes."""
    regular = meta["currentTradingPeriod"]["regular"]
    return _instant(regular["start"]), _instant(regular["end"])


def _instant(value: Any) -> float:
    """Unix seconds of a number or a pandas Timestamp."""
    return float(value.timestamp()) if hasattr(value, "timestamp") else float(value)


def _zone(timezone: str) -> ZoneInfo:
    try:
        return ZoneInfo(timezone)
    except ZoneInfoNotFoundError as error:
        raise ValueError(f"no such time zone: {timezone}") from error


def _events(frame: Any, dates: Days) -> tuple[Event, ...]:
    """Distributions and splits of all days, those without a close too."""
    found: list[Event] = []
    for column, kind in EVENT_COLUMNS.items():
        if column not in frame.columns:
            continue
        values = frame[column].to_numpy(dtype="f8")
        said = (values > 0) & (values < _LARGEST) & ((values != 1) if kind == "split" else True)
        found.extend(Event(dates[i], kind, float(values[i])) for i in np.flatnonzero(said))
    return tuple(sorted(found, key=lambda e: (e.day, e.kind)))


def _quote(meta: dict[str, Any], facts: Facts, now: float) -> Quote | None:
    """The latest price of regular trading; None if the provider gives none that can be."""
    price, at = meta.get("regularMarketPrice"), meta.get("regularMarketTime")
    if price is None or at is None:
        return None
    price, at = float(price), _instant(at)
    if not _possible(np.array([price]), facts)[0] or not 0 < at < now + DAY:
        return None
    start, end = _regular_period(meta)
    return Quote(price, at, open=start <= now < end + GRACE, finished_at=end + GRACE)


def _fresh_until(series: Series, sessions: Sessions | None, meta: dict[str, Any], expected: Any, now: float) -> float:
    """Until when asking again can bring nothing: never while a session is open, or while the newest close is due."""
    start, end = _regular_period(meta)
    is_open = start <= now < end + GRACE
    is_due = len(expected) > 0 and expected[-1] > series.dates[-1]
    return now if sessions is None or is_open or is_due else sessions.quiet_until(now)
