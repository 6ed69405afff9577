"""Yahoo Finance, through yfinance.

yfinance is used in the one way that survives: `Ticker.history` with exceptions on and adjustment off, never
`download`; without its SQLite caches (one holds a pickle, all of them lock); in a thread of its own, because its
time-outs bound nothing; with the answer's symbol compared with the question's.
"""

import json
import logging
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import yfinance
import yfinance.cache
from curl_cffi.requests.exceptions import RequestException
from yfinance.exceptions import YFDataException, YFException, YFPricesMissingError, YFRateLimitError, YFTzMissingError
from yfinance.utils import is_isin

from pairwatch.errors import (
    ConnectionRefused,
    CutShort,
    EmptyAnswer,
    GarbledAnswer,
    NoNetwork,
    ProviderDown,
    RateLimited,
    SourceError,
    TimedOut,
    UnknownSymbol,
    WrongAnswer,
)
from pairwatch.model import Days, Event, EventKind, Facts, Fetched, Floats, Leg, Measure, Quote, Series
from pairwatch.sources import Request
from pairwatch.sources.sessions import ALWAYS_OPEN, GRACE, Sessions, sessions_of
from pairwatch.sources.waiting import within
from pairwatch.text import clean, listing

EVENT_COLUMNS: dict[str, EventKind] = {
    "Dividends": "dividend",
    "Stock Splits": "split",
    "Capital Gains": "capital_gain",
}
# Indices that are yields of US treasuries, in percent.
YIELDS = ("^IRX", "^FVX", "^TNX", "^TYX")
# What is kept of the metadata. To walk all of it would send another request, for intraday trading periods.
METADATA = (
    "symbol", "currency", "instrumentType", "exchangeName", "exchangeTimezoneName", "longName", "shortName",
    "currentTradingPeriod", "regularMarketPrice", "regularMarketTime",
)  # fmt: skip
BEGINNING = date(1927, 1, 1)
DAY = 86_400.0
# What Yahoo can hold of a price without it being nonsense.
_LARGEST = 1e12

# libcurl's codes (curl.se/libcurl/c/libcurl-errors.html).
_NO_HOST, _NO_CONNECTION, _TIMED_OUT = (5, 6), (7,), (28,)
_BROKEN_OFF = (16, 18, 52, 55, 56, 92)
_TLS = (35, 51, 53, 54, 58, 59, 60, 64, 66, 77, 80, 82, 83, 90, 91)
_REFUSALS = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.PROXY_AUTHENTICATION_REQUIRED)

_logger = logging.getLogger("yfinance")
_STATUS = re.compile(r"response code=(\d{3})")


class Yahoo:
    """Daily closes, events and the latest price of anything Yahoo quotes."""

    def __init__(self) -> None:
        self._hangs = False

    def fetch(self, request: Request) -> Fetched:
        """See `pairwatch.sources.Source.fetch`."""
        if self._hangs:
            raise TimedOut(f"{request.leg}: not asked, since yahoo has just left another request unanswered")
        if is_isin(request.leg.symbol):
            raise UnknownSymbol(f"{request.leg}: an ISIN, and yahoo's history is asked for by yahoo's own symbols")
        try:
            with _unwarned(verbose=request.verbose):
                frame, meta = within(request.deadline, lambda: _download(request))
        except TimedOut:
            self._hangs = True
            raise TimedOut(f"{request.leg}: yahoo did not answer within {request.deadline:g} s") from None
        try:
            return _read(request, frame, meta)
        except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, OSError) as error:
            raise GarbledAnswer(f"{request.leg}: yahoo's answer lacks or breaks a field ({clean(error)})") from error


# ---------------------------------------------------------------- asking


def _download(request: Request) -> tuple[Any, dict[str, Any]]:
    """The frame and the metadata of one history request; every failure as one of our own errors."""
    leg = request.leg
    with _quiet(verbose=request.verbose) as status:
        # The end lies ahead: answers about the past go through a cache that keeps failures.
        end = datetime.fromtimestamp(request.now, UTC).date() + timedelta(days=2)
        try:
            ticker = yfinance.Ticker(leg.symbol)
            # The zone only shifts the ends of the request; asking for it would cost another request. The days of
            # the bars follow from the zone in the answer.
            ticker._tz = _known_zone(request.known)  # noqa: SLF001
            frame = ticker.history(
                start=request.since or BEGINNING, end=end, auto_adjust=False, actions=True, timeout=request.deadline
            )
            metadata = ticker.history_metadata
            return frame, {key: metadata[key] for key in METADATA if key in metadata}
        except Exception as error:
            raise _translated(leg, error, status.code) from error


def _known_zone(known: Facts | None) -> str:
    """The zone that an earlier answer named; UTC if there was none, or if what was kept of it is no zone."""
    try:
        return ZoneInfo(known.timezone).key if known else "UTC"
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "UTC"


def _translated(leg: Leg, error: Exception, status: int) -> SourceError:  # noqa: PLR0911 - one line a failure
    """Our error for whatever yfinance, curl or the JSON reader raised, and the last HTTP status before it."""
    if isinstance(error, YFRateLimitError) or status == HTTPStatus.TOO_MANY_REQUESTS:
        return RateLimited(f"{leg}: yahoo throttles this machine (HTTP 429); nothing is wrong with the symbol")
    if isinstance(error, RequestException):
        return _connection(leg, error)
    if status in _REFUSALS:
        return ConnectionRefused(f"{leg}: yahoo, or a proxy before it, refuses to answer (HTTP {status})")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or isinstance(error, YFDataException):
        return ProviderDown(f"{leg}: yahoo is out of order" + (f" (HTTP {status})" if status > HTTPStatus.OK else ""))
    if isinstance(error, YFPricesMissingError):
        return _missing(leg, clean(error.yahoo_reason or ""), status)
    if isinstance(error, YFTzMissingError):
        return UnknownSymbol(f"{leg}: unknown to yahoo, or delisted")
    if isinstance(error, json.JSONDecodeError):
        return _not_json(leg, error.doc)
    if isinstance(error, UnicodeDecodeError):
        return GarbledAnswer(f"{leg}: yahoo's answer is not text")
    if isinstance(error, (YFException, LookupError, ValueError, TypeError, OSError, AttributeError)):
        return GarbledAnswer(f"{leg}: yahoo's answer cannot be read ({clean(type(error).__name__)})")
    return GarbledAnswer(f"{leg}: yfinance failed ({clean(type(error).__name__)}: {clean(error)})")


def _connection(leg: Leg, error: RequestException) -> SourceError:  # noqa: PLR0911 - one line a failure
    """Our error for one of libcurl's."""
    code, text = int(getattr(error, "code", 0) or 0), str(error).lower()
    if "connect tunnel failed" in text:
        return ConnectionRefused(f"{leg}: the proxy refuses to connect to yahoo")
    if code in _NO_HOST or "unreachable" in text:
        return NoNetwork(f"{leg}: no network (the host name could not be resolved or reached)")
    if code in _NO_CONNECTION:
        return ConnectionRefused(f"{leg}: the connection to yahoo, or to the proxy before it, was refused")
    if code in _TIMED_OUT:
        return TimedOut(f"{leg}: yahoo did not answer in time")
    if code in _BROKEN_OFF:
        return CutShort(f"{leg}: the connection broke off in the middle of yahoo's answer")
    if code in _TLS:
        return ConnectionRefused(
            f"{leg}: the certificate of yahoo, or of the proxy before it, was not accepted",
            "behind a company proxy set REQUESTS_CA_BUNDLE to its certificate file",
        )
    return GarbledAnswer(f"{leg}: the request to yahoo failed (curl code {code})")


def _missing(leg: Leg, reason: str, status: int) -> SourceError:
    """Our error for an answer without prices, by the provider's own words."""
    if "doesn't exist for startdate" in reason.lower():
        return EmptyAnswer(f"{leg}: yahoo has no bars in the days asked for")
    if status == HTTPStatus.NOT_FOUND or "no data found" in reason.lower():
        return UnknownSymbol(f"{leg}: unknown to yahoo, or delisted" + (f" ({reason})" if reason else ""))
    if reason:
        return GarbledAnswer(f"{leg}: yahoo answers with an error ({reason})")
    return EmptyAnswer(f"{leg}: yahoo's answer holds no bars")


def _not_json(leg: Leg, body: str) -> SourceError:
    """Our error for an answer that is no JSON, by how it begins."""
    start = body.lstrip()[:1]
    if not start:
        return EmptyAnswer(f"{leg}: yahoo's answer is empty", "run again later")
    if start == "<":
        return GarbledAnswer(f"{leg}: yahoo answered with a web page, not with data")
    if start == "{":
        return CutShort(f"{leg}: yahoo's answer ends in the middle")
    return GarbledAnswer(f"{leg}: yahoo's answer is not in its format")


class _Status(logging.Handler):
    """The status of this thread's last HTTP answer, which yfinance tells to its log alone."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.code = 0
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the status that a line tells."""
        if record.thread != self._thread:
            return
        found = _STATUS.search(record.getMessage())
        if found:
            self.code = int(found[1])


@contextmanager
def _unwarned(*, verbose: bool) -> Iterator[None]:
    """Keep yfinance's warnings away from the user.

    Entered by the thread that waits, not by the one that fetches: filters belong to the process, and a fetch that
    hangs would never put them back.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("default" if verbose else "ignore")
        yield


@contextmanager
def _quiet(*, verbose: bool) -> Iterator[_Status]:
    """Keep yfinance's log and cache files away from the user, and read the HTTP status off its log."""
    yfinance.cache._TzCacheManager._tz_cache = yfinance.cache._TzCacheDummy()  # noqa: SLF001
    yfinance.cache._CookieCacheManager._Cookie_cache = yfinance.cache._CookieCacheDummy()  # noqa: SLF001
    yfinance.cache._ISINCacheManager._isin_cache = yfinance.cache._ISINCacheDummy()  # noqa: SLF001
    yfinance.config.debug.hide_exceptions = False
    status, level, propagates = _Status(), _logger.level, _logger.propagate
    _logger.addHandler(status)
    _logger.setLevel(logging.DEBUG)
    _logger.propagate = verbose
    try:
        yield status
    finally:
        _logger.removeHandler(status)
        _logger.setLevel(level)
        _logger.propagate = propagates


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
    sessions = sessions_of(str(meta.get("exchangeName", "")), now)
    facts = _facts(meta, sessions)
    dates = np.array([stamp.date() for stamp in frame.index], dtype="datetime64[D]")
    closes = frame["Close"].to_numpy(dtype="f8")
    remarks = []
    possible = _possible(closes, facts)
    if odd := [str(day) for day in dates[~possible & ~np.isnan(closes)]]:
        remarks.append(f"impossible closes left out: {listing(odd)}")
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
    measure: Measure = "rate" if meta["symbol"] in YIELDS else "index" if kind == "INDEX" else "price"
    return Facts(
        name=clean(meta.get("longName") or meta.get("shortName") or ""),
        currency=clean(meta.get("currency") or ""),
        measure=measure,
        unit="percent" if measure == "rate" else "",
        kind=kind,
        exchange=clean(meta.get("exchangeName", "")),
        timezone=timezone,
        closes_at=sessions.closes_at(timezone) if sessions else None,
        every_day=bool(sessions and sessions.calendar == ALWAYS_OPEN),
    )


def _first_unfinished(meta: dict[str, Any], sessions: Sessions | None, facts: Facts, now: float) -> np.datetime64:
    """The first day whose session has not finished, by the provider's word and by the calendar's.

    The provider's current period may still be the last session's, or already the next one's. Today is finished only
    if one of the two says so; a day that one of them still calls open is not.
    """
    start, end = _regular_period(meta)
    local, day = (np.datetime64(datetime.fromtimestamp(at, _zone(facts)).date()) for at in (now, start))
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


def _zone(facts: Facts) -> ZoneInfo:
    try:
        return ZoneInfo(facts.timezone)
    except ZoneInfoNotFoundError as error:
        raise ValueError(f"no such time zone: {facts.timezone}") from error


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
