"""One request to Yahoo through yfinance, and the meaning of every way in which it fails."""

import json
import logging
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta
from functools import cache
from http import HTTPStatus
from itertools import chain, repeat
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import yfinance
import yfinance.cache
from curl_cffi.requests import Response
from curl_cffi.requests import Session as Browser
from curl_cffi.requests.exceptions import RequestException
from yfinance.exceptions import YFDataException, YFException, YFPricesMissingError, YFRateLimitError, YFTzMissingError

from pairwatch.errors import (
    ConnectionRefused,
    CutShort,
    EmptyAnswer,
    GarbledAnswer,
    NoNetwork,
    ProviderDown,
    SourceError,
    TimedOut,
    UnknownSymbol,
)
from pairwatch.model import Facts, Leg
from pairwatch.sources import Request, at_once
from pairwatch.sources.http_failures import retry_after, throttled, without_bundle
from pairwatch.sources.quieting import Shared
from pairwatch.text import clean

# What is kept of the metadata. To walk all of it would send another request, for intraday trading periods.
METADATA = (
    "symbol", "currency", "instrumentType", "exchangeName", "exchangeTimezoneName", "longName", "shortName",
    "currentTradingPeriod", "regularMarketPrice", "regularMarketTime", "firstTradeDate", "dataGranularity",
)  # fmt: skip
TWICE = "pairwatch: days with two closes"  # beside the metadata
BEGINNING = date(1927, 1, 1)
DAY = 86_400.0

# libcurl's codes (curl.se/libcurl/c/libcurl-errors.html).
_NO_HOST, _NO_CONNECTION, _TIMED_OUT = (5, 6), (7,), (28,)
_BROKEN_OFF = (16, 18, 52, 55, 56, 92)
_TLS = (35, 51, 53, 54, 58, 59, 60, 64, 66, 77, 80, 82, 83, 90, 91)
_REFUSALS = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.PROXY_AUTHENTICATION_REQUIRED)

# Where prices are asked for; the rest is cookies.
_CHART = "/v8/finance/chart/"

_logger = logging.getLogger("yfinance")
_STATUS = re.compile(r"response code=(\d{3})")


class Slice(NamedTuple):
    """Bars within days that are asked for, from the first day on and before the last."""

    interval: str
    first: date
    end: date


def outcome(request: Request, within_days: Slice | None = None) -> tuple[Any, dict[str, Any]] | SourceError:
    """The frame and the metadata of one history request, or why there are none; daily bars unless others are named."""
    try:
        return _download(request, within_days)
    except SourceError as error:
        return error


class Refused(Exception):
    """An answer about prices that no other cookie would change.

    Attributes:
        rest: how long Yahoo asks to be left alone, in seconds, if it does.
    """

    def __init__(self, response: Response) -> None:
        super().__init__(f"HTTP {response.status_code}")
        self.status, self.body = response.status_code, response.content
        self.rest = retry_after({"retry-after": response.headers.get("retry-after") or ""})


class Session(Browser[Response]):
    """What yfinance sends through, all of its requests in their turns.

    yfinance follows every refusal by four or five requests for other cookies, and asks once more. That helps where the
    cookies are refused, and often against a 429 or a failure; an unknown symbol stays unknown.
    """

    def request(self, method: Any, url: str, *args: Any, **more: Any) -> Response:
        """See `curl_cffi.requests.Session.request`.

        Raises:
            Refused: asking again is of no use.
            SourceError: the turn did not come.
        """
        next(_turns.get())()
        response: Response = super().request(method, url, *args, **more)
        if _CHART in url and _is_final(response):
            raise Refused(response)
        return response


def _is_final(response: Response) -> bool:
    status = response.status_code
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return "retry-after" in response.headers
    return 400 <= status < 500 and status not in _REFUSALS


# What is called before each request of this thread goes out, one after the other.
_turns: ContextVar[Iterator[Callable[[], None]]] = ContextVar("turns", default=repeat(at_once))  # noqa: B039 - endless


@cache
def session() -> Session:
    """The one that all fetches of this process share, as yfinance shares its cookies."""
    return Session(impersonate="chrome")


@contextmanager
def _in_turn(turn: Callable[[], None]) -> Iterator[None]:
    """Let every request of this thread but the first, which has had its turn, wait for one."""
    token = _turns.set(chain([at_once], repeat(turn)))
    try:
        yield
    finally:
        _turns.reset(token)


def _download(request: Request, within_days: Slice | None) -> tuple[Any, dict[str, Any]]:
    """The frame and the metadata of one history request; every failure as one of our own errors."""
    leg = request.leg
    with _status_of_answers(verbose=request.verbose) as status, _in_turn(request.turn):
        # The end lies ahead: answers about the past go through a cache that keeps failures.
        end = datetime.fromtimestamp(request.now, UTC).date() + timedelta(days=2)
        try:
            ticker = yfinance.Ticker(leg.symbol, session=session())
            # The zone only shifts the ends of the request; asking for it would cost another request. The days of
            # the bars follow from the zone in the answer.
            ticker._tz = _known_zone(request.known)  # noqa: SLF001
            ticker._data = listener = _Listener(ticker._data)  # noqa: SLF001
            first, interval = request.since or BEGINNING, "1d"
            if within_days:
                interval, first, end = within_days
            try:
                frame = ticker.history(
                    start=first, end=end, interval=interval, auto_adjust=False, actions=True, timeout=request.deadline
                )
            finally:
                # Without this each fetch would begin with a request for a cookie, while all others wait for it.
                listener.data._cookie = listener.data._cookie or bool(listener.data._session.cookies)  # noqa: SLF001
            metadata = ticker.history_metadata
            twice = [] if within_days else listener.twice()
            return frame, {**{key: metadata[key] for key in METADATA if key in metadata}, TWICE: twice}
        except SourceError:  # of a turn
            raise
        except Refused as refused:
            raise _refused(leg, refused) from None
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
        return throttled(leg, "yahoo", None)
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


def _refused(leg: Leg, refused: Refused) -> SourceError:
    """Our error for an answer that no other cookie would change."""
    if refused.status == HTTPStatus.TOO_MANY_REQUESTS:
        return throttled(leg, "yahoo", refused.rest)
    try:
        said = json.loads(refused.body)
    except json.JSONDecodeError as error:
        return _not_json(leg, error.doc)
    except (ValueError, RecursionError):
        return GarbledAnswer(f"{leg}: yahoo's answer is not text")
    try:
        reason = said["chart"]["error"]["description"]
    except (LookupError, TypeError):
        reason = None
    if not isinstance(reason, str):  # of whoever answers so nothing is remembered as a word on the symbol
        return GarbledAnswer(f"{leg}: yahoo's answer is not in its format (HTTP {refused.status})")
    return _missing(leg, clean(reason), refused.status)


def _connection(leg: Leg, error: RequestException) -> SourceError:  # noqa: PLR0911 - one line a failure
    """Our error for one of libcurl's."""
    if missing := without_bundle(leg):
        return missing
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
    if "data not available for starttime" in reason.lower():
        return EmptyAnswer(f"{leg}: yahoo no longer has bars so short of the days asked for")
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


class _Listener:
    """yfinance's one session, and the last answer that it gave to one fetch."""

    def __init__(self, data: Any) -> None:
        self.data = data
        self._answer: Any = None

    def get(self, *args: Any, **more: Any) -> Any:
        """What the session gets."""
        self._answer = self.data.get(*args, **more)
        return self._answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self.data, name)

    def twice(self) -> list[date]:
        """The days with two different closes, of which yfinance silently takes the first.

        The last day is none of them: the bar of now stands beside the session's.
        """
        try:
            result = self._answer.json()["chart"]["result"][0]
            stamps, closes = result["timestamp"], result["indicators"]["quote"][0]["close"]
            if (np.diff(np.sort(np.array(stamps, dtype="f8"))) > DAY / 2).all():
                return []
            zone = ZoneInfo(result["meta"]["exchangeTimezoneName"])
            days = [datetime.fromtimestamp(stamp, zone).date() for stamp in stamps]
            found = {(day, close) for day, close in zip(days, closes, strict=True) if close is not None}
        except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, OSError):
            return []  # whatever it is, it is judged by what yfinance makes of it
        counts = Counter(day for day, _ in found)
        return sorted(day for day, count in counts.items() if count > 1 and day != max(days))


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
def _hidden(verbose: bool) -> Iterator[None]:  # noqa: FBT001 - the only one
    """Keep yfinance's log away from the user, and its lines readable for us.

    Entered by the threads that fetch, not by those that wait: what hangs would still tell its log when it ends.
    """
    level, propagates = _logger.level, _logger.propagate
    _logger.setLevel(logging.DEBUG)
    _logger.propagate = verbose
    try:
        yield
    finally:
        _logger.setLevel(level)
        _logger.propagate = propagates


_quiet = Shared(_hidden)


@contextmanager
def _status_of_answers(*, verbose: bool) -> Iterator[_Status]:
    """Keep yfinance's log and cache files away from the user, and read the HTTP status off its log."""
    yfinance.cache._TzCacheManager._tz_cache = yfinance.cache._TzCacheDummy()  # noqa: SLF001
    yfinance.cache._CookieCacheManager._Cookie_cache = yfinance.cache._CookieCacheDummy()  # noqa: SLF001
    yfinance.cache._ISINCacheManager._isin_cache = yfinance.cache._ISINCacheDummy()  # noqa: SLF001
    yfinance.config.debug.hide_exceptions = False
    status = _Status()
    with _quiet(verbose=verbose):
        _logger.addHandler(status)
        try:
            yield status
        finally:
            _logger.removeHandler(status)
