"""A small Yahoo on loopback: the chart endpoint in its wire shape, behind a CONNECT proxy with its own certificate.

An unmodified client reaches it through `HTTPS_PROXY` and `REQUESTS_CA_BUNDLE` (see `Wire.environ`), so the same
wire serves tests inside this process and runs of the whole program. Names are never resolved: a client with a
proxy asks the proxy for `query2.finance.yahoo.com`, and the proxy is the provider.

    wire.lists(Listing("QQQ", days, closes))   # what Yahoo knows
    wire.serves("cdn.cboe.com", "/a/path", body, kind="text/csv")   # what any other provider answers
    wire.breaks("429")                         # how it goes wrong: one of FAULTS
    wire.charts                                # what was asked of the chart endpoint
"""

import json
import os
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit
from zoneinfo import ZoneInfo

import trustme

CHART = "/v8/finance/chart/"
JSON, TEXT, HTML = "application/json;charset=utf-8", "text/plain;charset=utf-8", "text/html;charset=utf-8"
A_PAGE = b"<!DOCTYPE html><html><head><title>Yahoo</title></head><body>Please enable JavaScript</body></html>"
MAINTENANCE = (
    b"<!DOCTYPE html><html><body><h1>Will be right back...</h1><p>Thank you for your patience.</p></body></html>"
)
NO_DATA = b"""{"chart":{"result":null,"error":{"code":"Bad Request",
    "description":"Data doesn't exist for startDate = 1, endDate = 2"}}}"""
AN_ERROR = b'{"chart":{"result":null,"error":{"code":"Unprocessable Entity","description":"Invalid \\u001b[31minput"}}}'
GARBAGE = bytes(range(128, 256)) * 16 + b"\x00\x1b]0;pwned\x07"

# What the provider may answer to anything instead of the truth: status, content type, body, further headers.
ANSWERS: dict[str, tuple[int, str, bytes, dict[str, str]]] = {
    "429": (429, TEXT, b"Edge: Too Many Requests", {}),
    "429 retry-after": (429, TEXT, b"Too Many Requests\r\n", {"Retry-After": "120"}),
    "401": (
        401,
        JSON,
        b'{"finance":{"result":null,"error":{"code":"Unauthorized","description":"Invalid Crumb"}}}',
        {},
    ),
    "403": (403, HTML, A_PAGE, {}),
    "500": (500, TEXT, b"upstream error", {}),
    "500 json": (500, JSON, b'{"chart":{"result":null,"error":{"code":"Internal","description":"oops"}}}', {}),
    "503": (503, HTML, A_PAGE, {}),
    "maintenance": (200, HTML, MAINTENANCE, {}),
    "web page": (200, HTML, A_PAGE, {}),
    "garbage": (200, JSON, GARBAGE, {}),
    "empty body": (200, JSON, b"", {}),
    "half a body": (200, JSON, b'{"chart":{"result":[{"meta":{"currency":"USD","sym', {}),
    "other json": (200, JSON, b"[1, 2, 3]", {}),
    "no result": (200, JSON, b'{"chart":{"result":[],"error":null}}', {}),
    "no data in range": (400, JSON, NO_DATA, {}),
    "an error": (422, JSON, AN_ERROR, {}),
}
# What happens to the connection instead of an answer.
ACCIDENTS = ("hang", "reset", "closed", "truncated", "proxy refuses")
FAULTS = (*ANSWERS, *ACCIDENTS)
# And what befalls only those who ask for it by name.
SLOW = "drip"
# Whose certificates the wire has.
HOSTS = (
    "*.yahoo.com", "*.finance.yahoo.com", "fred.stlouisfed.org", "api.stlouisfed.org", "api.coingecko.com",
    "pro-api.coingecko.com", "cdn.cboe.com", "elsewhere.example",
)  # fmt: skip


# ---------------------------------------------------------------- what the provider knows


@dataclass
class Listing:
    """One symbol, as the provider knows it.

    Attributes:
        days: the exchange's own days of the bars, in the order in which they are sent.
        closes: one for each day; whatever JSON can carry.
        opens, minutes: when a session opens on the exchange's clock, and how long it lasts.
        live: the instant and the price of a bar of the open session, sent last.
        period: the instants at which the provider's current session opens and closes; by default the last day's.
        meta: fields of the metadata that are sent instead of the true ones.
        missing: fields of the metadata that are not sent.
    """

    symbol: str
    days: list[date]
    closes: list[Any]
    kind: str = "EQUITY"
    exchange: str = "NMS"
    zone: str = "America/New_York"
    currency: str = "USD"
    name: str = "Listing Inc."
    opens: time = time(9, 30)
    minutes: int = 390
    dividends: Mapping[date, float] = field(default_factory=dict)
    splits: Mapping[date, tuple[float, float]] = field(default_factory=dict)
    gains: Mapping[date, float] = field(default_factory=dict)
    live: tuple[float, float] | None = None
    period: tuple[int, int] | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)
    missing: tuple[str, ...] = ()

    def stamp(self, day: date) -> int:
        """The instant at which that day's session opens."""
        return int(datetime.combine(day, self.opens, ZoneInfo(self.zone)).timestamp())

    def session(self, day: date) -> tuple[int, int]:
        """The instants at which that day's session opens and closes."""
        return self.stamp(day), self.stamp(day) + self.minutes * 60

    def chart(self, since: float = -1e18, until: float = 1e18) -> dict[str, Any]:
        """The body of an answer with the bars stamped from `since` to before `until`."""
        bars = [(self.stamp(day), close) for day, close in zip(self.days, self.closes, strict=True)]
        if self.live:
            bars.append((int(self.live[0]), self.live[1]))
        bars = [bar for bar in bars if since <= bar[0] < until]
        result: dict[str, Any] = {"meta": self._meta()}
        if not bars:
            result["indicators"] = {"quote": [{}], "adjclose": [{}]}
            return {"chart": {"result": [result], "error": None}}
        closes = [close for _, close in bars]
        columns = dict.fromkeys(("open", "high", "low", "close"), closes)
        volume = [None if close is None else 1000 for close in closes]
        result["timestamp"] = [stamp for stamp, _ in bars]
        if events := self._events(since, until):
            result["events"] = events
        result["indicators"] = {"quote": [{**columns, "volume": volume}], "adjclose": [{"adjclose": closes}]}
        return {"chart": {"result": [result], "error": None}}

    def _events(self, since: float, until: float) -> dict[str, Any]:
        def dated(entries: Mapping[date, Any], fields: Any) -> dict[str, Any]:
            stamps = [(self.stamp(day), value) for day, value in entries.items()]
            return {str(at): {"date": at, **fields(value)} for at, value in stamps if since <= at < until}

        events = {
            "dividends": dated(self.dividends, lambda amount: {"amount": amount}),
            "capitalGains": dated(self.gains, lambda amount: {"amount": amount}),
            "splits": dated(
                self.splits, lambda r: {"numerator": r[0], "denominator": r[1], "splitRatio": f"{r[0]:g}:{r[1]:g}"}
            ),
        }
        return {kind: entries for kind, entries in events.items() if entries}

    def _meta(self) -> dict[str, Any]:
        start, end = self.period or self.session(max(self.days))
        known = [close for close in self.closes if isinstance(close, (int, float))] or [None]
        session = {"timezone": "XXX", "start": start, "end": end, "gmtoffset": 0}
        meta = {
            "currency": self.currency,
            "symbol": self.symbol,
            "exchangeName": self.exchange,
            "fullExchangeName": self.exchange,
            "instrumentType": self.kind,
            "firstTradeDate": self.stamp(min(self.days)),
            "regularMarketTime": int(self.live[0]) if self.live else end,
            "hasPrePostMarketData": True,
            "gmtoffset": 0,
            "timezone": "XXX",
            "exchangeTimezoneName": self.zone,
            "regularMarketPrice": self.live[1] if self.live else known[-1],
            "longName": self.name,
            "shortName": self.name,
            "chartPreviousClose": known[0],
            "priceHint": 2,
            "currentTradingPeriod": {
                "pre": {**session, "start": start - 19_800, "end": start},
                "regular": session,
                "post": {**session, "start": end, "end": end + 14_400},
            },
            "dataGranularity": "1d",
            "range": "",
            "validRanges": ["1d", "5d", "1mo", "3mo", "6mo", "1y", "2y", "5y", "10y", "ytd", "max"],
        }
        return {key: value for key, value in {**meta, **self.meta}.items() if key not in self.missing}


@dataclass
class BarListing(Listing):
    """One symbol's bars within days: `closes` has a list for each day, bar after bar from the opening on."""

    interval: str = "5m"

    def chart(self, since: float = -1e18, until: float = 1e18) -> dict[str, Any]:
        """The body of an answer with the bars stamped from `since` to before `until`."""
        step = int(self.interval[:-1]) * {"m": 60, "h": 3600}[self.interval[-1]]
        bars = [
            (self.stamp(day) + at * step, close)
            for day, closes in zip(self.days, self.closes, strict=True)
            for at, close in enumerate(closes)
        ]
        if self.live:
            bars.append((int(self.live[0]), self.live[1]))
        bars = [bar for bar in bars if since <= bar[0] < until]
        days = [day for day in self.days if since <= self.stamp(day) < until]
        session = {"timezone": "XXX", "gmtoffset": 0}
        meta = {**self._meta(), "dataGranularity": self.interval}
        meta["tradingPeriods"] = [[{**session, "start": s, "end": e}] for s, e in map(self.session, days)]
        result: dict[str, Any] = {"meta": {**meta, **self.meta}, "indicators": {"quote": [{}]}}
        if bars:
            closes = [close for _, close in bars]
            columns = dict.fromkeys(("open", "high", "low", "close"), closes)
            result["timestamp"] = [stamp for stamp, _ in bars]
            result["indicators"] = {"quote": [{**columns, "volume": [0 if c is None else 100 for c in closes]}]}
        return {"chart": {"result": [result], "error": None}}


def weekdays(last: date, count: int) -> list[date]:
    """The last `count` weekdays up to and including `last`."""
    found: list[date] = []
    while len(found) < count:
        if last.weekday() < 5:
            found.append(last)
        last -= timedelta(days=1)
    return found[::-1]


def instant(text: str, zone: str = "UTC") -> float:
    """Unix seconds of `2026-11-20 16:00` on a zone's clock."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


# ---------------------------------------------------------------- the wire


@dataclass
class Asked:
    """One request that reached the provider."""

    host: str
    path: str
    query: dict[str, str]
    headers: dict[str, str] = field(default_factory=dict)  # names in small letters


Page = Callable[[Asked], tuple[int, str, bytes, dict[str, str]]]


class Wire:
    """The provider on loopback; usable as a context manager."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        self._bundle = folder / "authority.pem"
        authority.cert_pem.write_to_path(str(self._bundle))
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.set_alpn_protocols(["http/1.1"])
        authority.issue_cert(*HOSTS).configure_cert(self.tls)
        self._server = _Server(("127.0.0.1", 0), _Connection)
        self._server.wire = self
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self.reset()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
        self._server.shutdown()
        self._server.server_close()

    def reset(self) -> None:
        """Forget listings, faults and requests, and let go of what hangs."""
        self.release()
        self.released = threading.Event()
        self.listings: dict[str, Any] = {}
        self.requests: list[Asked] = []
        self.pages: dict[tuple[str, str], Page] = {}
        self._fault: tuple[str, str, float] = ("", "", 0)

    def release(self) -> None:
        """Break off every connection that hangs."""
        if hasattr(self, "released"):
            self.released.set()

    def lists(self, *listings: Listing) -> None:
        """Let the provider know these symbols."""
        self.listings.update({listing.symbol: listing.chart for listing in listings})

    def answers(self, symbol: str, body: Any) -> None:
        """Let the provider answer for this symbol with one body, whatever days are asked for."""
        self.listings[symbol] = lambda *_: body

    def serves(
        self, host: str, path: str, body: bytes | str | Page, *, status: int = 200, kind: str = TEXT, **headers: str
    ) -> None:
        """Let a host answer on a path: with one body, or with what a function of the request gives."""
        data = body.encode() if isinstance(body, str) else body
        self.pages[host, path] = data if callable(data) else lambda _: (status, kind, data, headers)

    def breaks(self, fault: str, *, only: str = "", times: float = float("inf")) -> None:
        """Let the next `times` answers on paths or hosts that hold `only` go wrong."""
        assert not fault or fault in (*FAULTS, SLOW), fault
        self._fault = (fault, only, times)

    def fault_for(self, where: str, *, connecting: bool = False) -> str:
        """The fault that befalls this request, or this attempt to connect, if any."""
        fault, only, times = self._fault
        if not fault or only not in where or times < 1 or connecting != (fault == "proxy refuses"):
            return ""
        self._fault = (fault, only, times - 1)
        return fault

    @property
    def charts(self) -> list[Asked]:
        """The requests for prices."""
        return [asked for asked in self.requests if asked.path.startswith(CHART)]

    @property
    def environ(self) -> dict[str, str]:
        """The variables that lead a client here."""
        proxy = f"http://127.0.0.1:{self._server.server_address[1]}"
        return {"HTTPS_PROXY": proxy, "https_proxy": proxy, "REQUESTS_CA_BUNDLE": str(self._bundle)}

    def respond(self, asked: Asked) -> tuple[int, str, bytes, dict[str, str]]:
        """The true answer."""
        if page := self.pages.get((asked.host, asked.path)):
            return page(asked)
        if asked.path.startswith(CHART):
            return self._prices(unquote(asked.path.removeprefix(CHART)), asked.query)
        if asked.path.endswith("/getcrumb"):
            return 200, TEXT, b"aB3.dE5/gH7", {}
        if asked.host == "fc.yahoo.com":
            return 404, TEXT, b"", {"Set-Cookie": "A3=d; Max-Age=31557600; Domain=.yahoo.com; Path=/; Secure; HttpOnly"}
        return 404, HTML, A_PAGE, {}

    def _prices(self, symbol: str, query: dict[str, str]) -> tuple[int, str, bytes, dict[str, str]]:
        if symbol not in self.listings:
            error = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
            return 404, JSON, json.dumps({"chart": {"result": None, "error": error}}).encode(), {}
        body = self.listings[symbol](float(query.get("period1", "-inf")), float(query.get("period2", "inf")))
        return 200, JSON, body if isinstance(body, bytes) else json.dumps(body).encode(), {}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    wire: Wire

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients hang up in the middle of things: that is what is played here."""


class _Connection(BaseHTTPRequestHandler):
    """One client's tunnel, and the requests inside."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # small answers would wait for the client's delayed acknowledgement
    server: _Server
    host = ""

    def do_CONNECT(self) -> None:
        self.host = self.path.partition(":")[0]
        if self.server.wire.fault_for(self.host, connecting=True):
            self.send_error(HTTPStatus.FORBIDDEN)
            return
        self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self.rfile.close()
        self.connection = self.request = self.server.wire.tls.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
        self.close_connection = False

    def do_GET(self) -> None:
        wire, url = self.server.wire, urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.host, url.path, dict(parse_qsl(url.query, keep_blank_values=True)), headers)
        wire.requests.append(asked)
        fault = wire.fault_for(asked.host + asked.path)
        if fault == "hang":
            wire.released.wait(60)
        if fault in ("hang", "reset", "closed"):
            self._hang_up(rudely=fault == "reset")
            return
        status, kind, body, headers = ANSWERS[fault] if fault in ANSWERS else wire.respond(asked)
        self.send_response_only(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if fault == "truncated":
            self.wfile.write(body[: len(body) // 2])
            self._hang_up()
        elif fault == SLOW:
            self._drip(body)
        else:
            self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.do_GET()

    def _drip(self, body: bytes) -> None:
        """A byte now and then: never slow enough for a time-out of single reads."""
        for byte in body:
            if self.server.wire.released.wait(0.05):
                self._hang_up()
                return
            self.wfile.write(bytes([byte]))

    def _hang_up(self, *, rudely: bool = False) -> None:
        self.close_connection = True
        if rudely:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            self.connection.shutdown(socket.SHUT_RDWR)
        os.close(self.connection.detach())

    def finish(self) -> None:
        for stream in (self.wfile, self.rfile):
            try:
                stream.close()
            except (OSError, ValueError):
                continue
        self.connection.close()

    def log_message(self, *_: object) -> None:
        """Say nothing: stderr is among the things under test."""


def clock(days: Iterable[date]) -> list[str]:
    """The days as text, for comparing with arrays of days."""
    return [day.isoformat() for day in days]


def utc_day(now: float) -> date:
    """The day at an instant, in UTC."""
    return datetime.fromtimestamp(now, UTC).date()
