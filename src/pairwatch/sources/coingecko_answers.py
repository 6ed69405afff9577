"""What CoinGecko answers: prices, coins and errors, from bytes to our types."""

import json
import math
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from http import HTTPStatus
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from pairwatch.errors import (
    ConnectionRefused,
    CutShort,
    EmptyAnswer,
    GarbledAnswer,
    RateLimited,
    SourceError,
    UnknownSymbol,
)
from pairwatch.model import Days, Leg, Quote
from pairwatch.sources import Request
from pairwatch.sources.http import Answer
from pairwatch.text import clean, listing, plural

PRO_KEY = "COINGECKO_PRO_API_KEY"
DAY = 86_400.0
# How far from midnight the price of a midnight may be stamped.
JITTER = 300.0
# How long after midnight its price may still be on its way.
SETTLING = 30 * 60.0
# How far ahead of ours the provider's clock may go.
AHEAD = 3_600.0
# Nothing was traded before the first block of the first coin.
FIRST = datetime(2009, 1, 3, tzinfo=UTC).timestamp()
_LARGEST = 1e15
# What can be odd about a day.
_MISSING, _IMPOSSIBLE = "days without a price", "impossible prices left out"
_TWICE = "days with two different prices left out"

_ID = re.compile(r"[a-z0-9](?:[a-z0-9_-]|\.(?!\.)){0,99}\Z")
# Error codes of CoinGecko's documentation.
_TOO_FAR_BACK, _PLAN, _KEYS = 10_012, 10_005, (10_002, 10_010, 10_011)
# How much of what CoinGecko says of an error is passed on: whole words, so that it is seen to go on.
_QUOTED, _LONGEST = 80, 1000
_REFUSALS = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.PROXY_AUTHENTICATION_REQUIRED)


class NoSuchCoin(UnknownSymbol):
    """CoinGecko has no coin of that id."""


class NotInThisPlan(SourceError):
    """CoinGecko does not answer this without a better key."""


def symbol_of(leg: Leg) -> str:
    """The leg's symbol without the currency."""
    return leg.symbol.partition("/")[0]


def currency_of(leg: Leg) -> str:
    """What the leg is priced in, as CoinGecko calls it."""
    return leg.symbol.partition("/")[2] or "usd"


def is_id(text: str) -> bool:
    """Whether a coin can have this id, and a URL can hold it."""
    return _ID.match(text) is not None


def utc_day(at: float) -> date:
    """The day of an instant, in UTC."""
    return datetime.fromtimestamp(at, UTC).date()


class Coin(NamedTuple):
    """A coin by its id, and how CoinGecko calls it."""

    id: str
    name: str
    symbol: str = ""
    rank: int | None = None

    def __str__(self) -> str:
        """What to type for it, and what it is."""
        return f"coingecko:{self.id} ({self.name}{f', rank {self.rank}' if self.rank else ''})"


# ---------------------------------------------------------------- coins


def coins(leg: Leg, body: bytes) -> list[Coin]:
    """The coins of a search's answer, in its order.

    Raises:
        SourceError: it is no such answer.
    """
    payload = _json(leg, body)
    entries = payload.get("coins") if isinstance(payload, dict) else None
    if not isinstance(entries, list):
        raise GarbledAnswer(f"{leg}: coingecko's answer to a search is not in its format")
    return [_coin(leg, entry) for entry in entries]


def _coin(leg: Leg, entry: Any) -> Coin:
    fields = entry if isinstance(entry, dict) else {}
    found, symbol, rank = fields.get("id"), fields.get("symbol"), fields.get("market_cap_rank")
    if not isinstance(found, str) or not isinstance(symbol, str):
        raise GarbledAnswer(f"{leg}: a coin that coingecko found has no id, or no symbol")
    ranked = rank if isinstance(rank, int) and not isinstance(rank, bool) and 0 < rank < _LARGEST else None
    return Coin(found, clean(fields.get("name") or found, 40), symbol.lower(), ranked)


# ---------------------------------------------------------------- prices


class Point(NamedTuple):
    """A price at an instant, in Unix seconds; None where none is given."""

    at: float
    price: float | None

    @property
    def midnight(self) -> float:
        """The nearest one."""
        return round(self.at / DAY) * DAY

    @property
    def is_possible(self) -> bool:
        """Whether a market can have made the price."""
        return self.price is not None and 0 < self.price < _LARGEST


class Table(NamedTuple):
    """Closes by day, and what was odd."""

    days: Days
    closes: np.ndarray[tuple[int], np.dtype[np.float64]]
    remarks: tuple[str, ...] = ()


def points(request: Request, answer: Answer) -> list[Point]:
    """The prices of an answer by time, those of impossible times too.

    Raises:
        SourceError: it holds none, or something else among them.
    """
    payload = _payload(request, answer)
    prices = payload.get("prices") if isinstance(payload, dict) else None
    if not isinstance(prices, list):
        raise GarbledAnswer(f"{request.leg}: coingecko's answer lacks its prices")
    try:
        found = [Point(_number(stamp) / 1000, None if price is None else _number(price)) for stamp, price in prices]
    except (TypeError, ValueError, OverflowError) as error:
        raise GarbledAnswer(f"{request.leg}: coingecko's prices are not in its format") from error
    if not all(math.isfinite(point.at) for point in found):
        raise GarbledAnswer(f"{request.leg}: coingecko's prices are not in its format")
    return sorted(found, key=lambda point: point.at)


def _number(value: Any) -> float:
    """A number of JSON's; whether a price can be one is seen later."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError("no number")
    return float(value)


def closes(found: list[Point], now: float) -> Table:
    """The closes of all finished days: the price nearest to the midnight at which a day ends.

    The last point is the price of now, wherever it lies, and never a close.
    """
    known = [point for point in found if FIRST <= point.at <= now + AHEAD]
    last = known[-1].at if known else 0.0
    at_midnight = [p for p in known if p.at < last and abs(p.at - p.midnight) <= JITTER]
    prices: dict[date, float] = {}
    odd: dict[str, list[date]] = {what: [] for what in (_MISSING, _IMPOSSIBLE, _TWICE)}
    for midnight, group in groupby(at_midnight, key=lambda point: point.midnight):
        if midnight + SETTLING > now:
            break
        day, candidates = utc_day(midnight - DAY), list(group)
        nearest = _nearest(candidates)
        if len(nearest) == 1:
            prices[day] = nearest.pop()
        else:
            empty = all(point.price is None for point in candidates)
            odd[_TWICE if nearest else _MISSING if empty else _IMPOSSIBLE].append(day)
    remarks = [f"{what}: {listing(days)}" for what, days in odd.items() if days]
    if len(known) < len(found):
        remarks.append(f"{plural(len(found) - len(known), 'price')} stamped with impossible times left out")
    return Table(
        np.array(list(prices), dtype="datetime64[D]"), np.array(list(prices.values()), dtype="f8"), tuple(remarks)
    )


def _nearest(candidates: Iterable[Point]) -> set[float]:
    """The possible price nearest to midnight; several where several were stamped so."""
    possible = [point for point in candidates if point.is_possible]
    distance = min((abs(point.at - point.midnight) for point in possible), default=0.0)
    return {point.price for point in possible if abs(point.at - point.midnight) == distance and point.price}


def quote(found: list[Point], now: float) -> Quote | None:
    """The latest price; None if it is impossible or a day old."""
    known = [point for point in found if point.at <= now + AHEAD]
    latest = known[-1] if known else Point(0.0, None)
    if not latest.is_possible or latest.price is None or latest.at <= now - DAY:
        return None
    ends = (now // DAY + 1) * DAY
    return Quote(latest.price, min(latest.at, now), open=True, finished_at=ends + SETTLING)


# ---------------------------------------------------------------- errors


def _json(leg: Leg, body: bytes) -> Any:
    """The JSON of an answer.

    Raises:
        SourceError: it is none.
    """
    try:
        text = body.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise GarbledAnswer(f"{leg}: coingecko's answer is not text") from error
    if not text:
        raise EmptyAnswer(f"{leg}: coingecko's answer is empty", "run again later")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        if text[0] == "<":
            raise GarbledAnswer(f"{leg}: coingecko answered with a web page, not with data") from error
        if text[0] in "{[" and text[-1] not in "}]":
            raise CutShort(f"{leg}: coingecko's answer ends in the middle") from error
        raise GarbledAnswer(f"{leg}: coingecko's answer is not in its format") from error


def _payload(request: Request, answer: Answer) -> Any:
    """What an answer holds.

    Raises:
        SourceError: an error, in any of its shapes.
    """
    leg, failed = request.leg, answer.status >= HTTPStatus.BAD_REQUEST
    try:
        payload = _json(leg, answer.body)
    except SourceError:
        if answer.status in _REFUSALS:
            raise ConnectionRefused(
                f"{leg}: coingecko, or a proxy before it, refuses to answer (HTTP {answer.status})"
            ) from None
        raise
    code, said = _error(payload)
    if failed or code or said:
        raise _translated(request, answer.status, code, said)
    return payload


def _error(payload: Any) -> tuple[int, str]:
    """The code and the text of an error: `{error: {status}}`, `{error: text}` and `{status}`."""
    fields = payload if isinstance(payload, dict) else {}
    error = fields.get("error")
    if isinstance(error, str):
        return 0, _quoted(error)
    status = (error.get("status", error) if isinstance(error, dict) else fields.get("status")) or {}
    if not isinstance(status, dict):
        return 0, _quoted(status)
    code = status.get("error_code")
    return code if isinstance(code, int) else 0, _quoted(status.get("error_message") or "")


def _quoted(text: object) -> str:
    """Clean text, cut after a word where it is too long."""
    whole = clean(text, _LONGEST)
    if len(whole) <= _QUOTED:
        return whole
    words = whole[:_QUOTED].rpartition(" ")[0].rstrip(" .,;:") or whole[: _QUOTED - 1]
    return f"{words}…"


def _translated(request: Request, status: int, code: int, said: str) -> SourceError:  # noqa: PLR0911 - one line a failure
    """Our error for one of CoinGecko's."""
    leg, key = request.leg, request.key
    if HTTPStatus.TOO_MANY_REQUESTS in (status, code):
        return RateLimited(f"{leg}: coingecko throttles this machine (HTTP 429); nothing is wrong with the symbol")
    if code == _TOO_FAR_BACK:
        return SourceError(
            f"{leg}: coingecko does not reach back so far for this plan ({said})",
            f"set {PRO_KEY}, or read older prices from a file: csv:FILE",
        )
    if code == _PLAN:
        return NotInThisPlan(f"{leg}: coingecko does not answer this for this plan ({said})", f"set {PRO_KEY}")
    if code in _KEYS or status == HTTPStatus.UNAUTHORIZED:
        which = f"the key in {key}" if key else "to answer without a key"
        return SourceError(
            f"{leg}: coingecko refuses {which}" + (f" ({said})" if said else ""),
            f"check {key.name}, or unset it" if key else f"set COINGECKO_DEMO_API_KEY or {PRO_KEY}",
        )
    if "vs_currency" in said:
        return UnknownSymbol(
            f"{leg}: coingecko gives no prices in {currency_of(leg)}", f"coingecko:{symbol_of(leg)} for dollars"
        )
    if status == HTTPStatus.NOT_FOUND or said == "coin not found":
        return NoSuchCoin(f"{leg}: unknown to coingecko", "the id stands in the address of the coin's page")
    if status in _REFUSALS:
        return ConnectionRefused(f"{leg}: coingecko, or a proxy before it, refuses to answer (HTTP {status})")
    return GarbledAnswer(f"{leg}: coingecko answers with an error ({said or f'HTTP {status}'})")
