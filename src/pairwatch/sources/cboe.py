"""Cboe's indices: one CSV file each, the whole history every time, renewed in the evening of each session."""

import math
import re
from datetime import UTC, date, datetime
from http import HTTPStatus
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from pairwatch.errors import (
    ConnectionRefused,
    CutShort,
    EmptyAnswer,
    GarbledAnswer,
    SourceError,
    UnknownSymbol,
    WrongAnswer,
)
from pairwatch.model import Days, Facts, Fetched, Leg, Series
from pairwatch.sources import Request
from pairwatch.sources.http import Answer, Client, Host
from pairwatch.sources.sessions import GRACE, Sessions, sessions_of
from pairwatch.text import clean, listing, plural

HOST = Host("cboe", ("cdn.cboe.com",))
FILE = "https://cdn.cboe.com/api/global/us_indices/daily_prices/{}_History.csv"
# The zone of its calendar; Chicago's clock is an hour behind, all the year.
NEW_YORK = "America/New_York"
# Its options are traded on the days of the New York Stock Exchange.
CALENDAR = "XNYS"
# The indices that are computed all day long, until a quarter past three in Chicago, four in New York.
VOLATILITIES = {
    "VIX": "Cboe Volatility Index",
    "VIX1D": "Cboe 1-Day Volatility Index",
    "VIX9D": "Cboe S&P 500 9-Day Volatility Index",
    "VIX3M": "Cboe S&P 500 3-Month Volatility Index",
    "VIX6M": "Cboe S&P 500 6-Month Volatility Index",
    "VIX1Y": "Cboe S&P 500 1-Year Volatility Index",
    "VXN": "Cboe Nasdaq-100 Volatility Index",
    "RVX": "Cboe Russell 2000 Volatility Index",
    "VXD": "Cboe DJIA Volatility Index",
    "VXO": "Cboe S&P 100 Volatility Index",
    "VVIX": "Cboe VIX of VIX Index",
    "OVX": "Cboe Crude Oil ETF Volatility Index",
    "GVZ": "Cboe Gold ETF Volatility Index",
}
NAMES = {
    **VOLATILITIES,
    "SKEW": "Cboe SKEW Index",
    "BXM": "Cboe S&P 500 BuyWrite Index",
    "PUT": "Cboe S&P 500 PutWrite Index",
}
# The indices of shares and of strategies, which can be followed; nobody can hold what the others measure.
FOLLOWED = (
    "SPX XSP SPXT OEX XEO DJX RUT MRUT MXEA MXEF NDX NANOS"
    " BXM BXMC BXMD BXMW BXMH BXY BXN BXR BXD PUT PUTD PUTR PUTY WPUT WPTR PPUT PPUT3M CLL CLLZ CLLR CLL3M"
    " BFLY CNDR CMBO CMBN CMBR RXM LOVOL VPD VPN VSTG SPRI SPRO SHORTVOL LONGVOL"
)
CLOSES_AT = 16 * 60 + 15
# No index of Cboe's reaches further back: a two-digit year that would is none.
FIRST_YEAR = 1970
# What an index can be without it being nonsense.
_LARGEST = 1e7

_NAME = re.compile(r"[A-Z0-9][A-Z0-9_]{0,31}\Z")
_DAY = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4}|[0-9]{2})\Z")
_NUMBER = re.compile(r"-?[0-9]{1,12}(?:\.[0-9]{0,15})?\Z")
_NOTHING = ("", ".", "-", "nan", "n/a", "null")
# What can be odd about a day.
_MISSING, _IMPOSSIBLE = "days without a close", "impossible closes left out"
_FUTURE, _TWICE = "days in the future left out", "days with two different closes left out"
_CODE = re.compile(rb"<Error>\s*<Code>([A-Za-z]{1,40})</Code>")
_UNKNOWN_CODES = (b"AccessDenied", b"NoSuchKey")
_REFUSALS = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.PROXY_AUTHENTICATION_REQUIRED)
# What the column of values is called where it is not called by the index's name.
_VALUES = ("close", "value", "price")


class Cboe:
    """Daily closes of an index that Cboe computes."""

    def fetch(self, request: Request) -> Fetched:
        """See `pairwatch.sources.Source.fetch`."""
        leg = request.leg
        if not _NAME.match(leg.symbol):
            bare = leg.symbol.lstrip("^")
            raise UnknownSymbol(
                f"{leg}: no name of an index at cboe", f"cboe:{bare}" if _NAME.match(bare) else "such as cboe:VIX"
            )
        return read(request, Client(HOST, request).get(FILE.format(leg.symbol)))


def read(request: Request, answer: Answer) -> Fetched:
    """Our types from an answer; `Fetched.since` is None, since a file is always the whole history.

    Raises:
        SourceError: it is no file with closes of that index.
    """
    leg, now = request.leg, request.now
    if trouble := _trouble(leg, answer):
        raise trouble
    table = parse(leg, answer.body, _local_day(now))
    sessions = sessions_of(CALENDAR, now)
    first_unfinished = _first_unfinished(sessions, now)
    keep = table.days < first_unfinished
    if not keep.any():
        raise EmptyAnswer(f"{leg}: cboe's file holds no finished session")
    series = Series(leg, table.days[keep], table.closes[keep], facts=facts_of(leg.symbol))
    finished = sessions.finished(now) if sessions else np.array([], dtype="datetime64[D]")
    # Cboe writes a session's row in the evening: until midnight its absence is no hole.
    expected = finished[(finished >= series.dates[0]) & (finished < np.datetime64(_local_day(now)))]
    return Fetched(series, None, now, _fresh_until(series, sessions, now), expected, table.remarks)


def facts_of(name: str) -> Facts:
    """What is known of an index by its name. When a daily value is computed is known of the volatilities alone."""
    return Facts(
        name=NAMES.get(name, name),
        measure="index" if name in FOLLOWED.split() else "level",
        unit="points",
        kind="INDEX",
        exchange="CBOE",
        timezone=NEW_YORK,
        closes_at=CLOSES_AT if name in VOLATILITIES else None,
        frequency="day",
    )


def _trouble(leg: Leg, answer: Answer) -> SourceError | None:
    """What an answer that is no file says."""
    code = _CODE.search(answer.body[:2000])
    if (code and code[1] in _UNKNOWN_CODES) or answer.status == HTTPStatus.NOT_FOUND:
        return UnknownSymbol(f"{leg}: unknown to cboe", "such as cboe:VIX, cboe:VXN, cboe:RVX, cboe:VVIX or cboe:SKEW")
    if answer.status in _REFUSALS:
        return ConnectionRefused(f"{leg}: cboe, or a proxy before it, refuses to answer (HTTP {answer.status})")
    if answer.status >= HTTPStatus.BAD_REQUEST or code:
        said = clean(code[1].decode()) if code else f"HTTP {answer.status}"
        return GarbledAnswer(f"{leg}: cboe answers with an error ({said})")
    if not answer.body.strip():
        return EmptyAnswer(f"{leg}: cboe's answer is empty", "run again later")
    if answer.is_page:
        return GarbledAnswer(f"{leg}: cboe answered with a web page, not with data")
    return None


# ---------------------------------------------------------------- the file


class Table(NamedTuple):
    """The closes of a file that can be, by day, and what was odd in it."""

    days: Days
    closes: np.ndarray[tuple[int], np.dtype[np.float64]]
    remarks: tuple[str, ...] = ()


def parse(leg: Leg, body: bytes, today: date) -> Table:
    """Read `DATE,OPEN,HIGH,LOW,CLOSE` or `DATE,NAME`; no day after `today`, none twice, all sorted.

    Raises:
        SourceError: not such a file, a file of another index, or no close in it.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise GarbledAnswer(f"{leg}: cboe's answer is not text") from error
    lines = [line for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n") if line.strip(" ,\t")]
    if not lines:
        raise EmptyAnswer(f"{leg}: cboe's answer is empty", "run again later")
    width, column = _layout(leg, lines[0])
    rows = [_cells(line) for line in lines[1:]]
    if text.endswith(("\n", "\r")) or not _is_cut(rows, column):
        return _table(leg, rows, width, column, today)
    if len(rows) == 1:
        raise CutShort(f"{leg}: cboe's file ends in the middle")
    table = _table(leg, rows[:-1], width, column, today)
    return table._replace(remarks=(*table.remarks, "cboe's file ends in the middle of its last row, left out"))


def _cells(line: str) -> list[str]:
    return [cell.strip(' \t"') for cell in line.split(",")]


def _layout(leg: Leg, header: str) -> tuple[int, int]:
    """How many columns there are, and which one holds the closes."""
    names = [name.lower() for name in _cells(header)]
    own = leg.symbol.lower()
    if names[0] != "date" or len(names) < 2 or len(set(names)) < len(names):
        raise GarbledAnswer(f"{leg}: cboe's answer is not in its format")
    found = [name for name in (own, *_VALUES) if name in names[1:]]
    if found:
        return len(names), names.index(found[0])
    if len(names) == 2:
        raise WrongAnswer(f"{leg}: cboe answered for {clean(names[1].upper(), 20) or 'nothing'} instead")
    raise GarbledAnswer(f"{leg}: cboe's answer has no column of closes")


def _is_cut(rows: list[list[str]], column: int) -> bool:
    """Whether the last row, which no line end follows, may have lost the end of its close."""
    if len(rows) < 2:  # there is nothing to compare it with
        return bool(rows)
    places = [len(row[column].partition(".")[2]) if len(row) > column else -1 for row in rows[-2:]]
    return places[0] != places[1] or places[0] <= 0


def _table(leg: Leg, rows: list[list[str]], width: int, column: int, today: date) -> Table:
    """The days and closes of all rows that can be read and can be true."""
    read: list[tuple[date, float]] = []
    odd: dict[str, list[date]] = {what: [] for what in (_MISSING, _IMPOSSIBLE, _FUTURE, _TWICE)}
    unreadable = 0
    for row in rows:
        day = _day(row[0], today) if len(row) == width else None
        close = _close(row[column]) if day else None
        if day is None or close is None:
            unreadable += 1
        elif what := _MISSING if math.isnan(close) else _FUTURE if day > today else "":
            odd[what].append(day)
        elif 0 < close < _LARGEST:
            read.append((day, close))
        else:
            odd[_IMPOSSIBLE].append(day)
    if unreadable > len(rows) // 2:
        raise GarbledAnswer(f"{leg}: cboe's rows cannot be read")
    read.sort()
    odd[_TWICE] = sorted({day for (day, a), (same, b) in pairwise(read) if day == same and a != b})
    closes = {day: close for day, close in read if day not in odd[_TWICE]}
    if not closes:
        raise EmptyAnswer(f"{leg}: cboe's file holds no close")
    remarks = [f"{what}: {listing(sorted(days))}" for what, days in odd.items() if days]
    if unreadable:
        remarks.append(f"{plural(unreadable, 'row')} of cboe's file cannot be read, left out")
    return Table(
        np.array(list(closes), dtype="datetime64[D]"), np.array(list(closes.values()), dtype="f8"), tuple(remarks)
    )


def _close(text: str) -> float | None:
    """A number; NaN where none is given, None where it is something else."""
    return math.nan if text.lower() in _NOTHING else float(text) if _NUMBER.match(text) else None


def _day(text: str, today: date) -> date | None:
    """A day as month/day/year. A year of two digits is the last one that has begun, or begins next."""
    found = _DAY.match(text)
    if not found:
        return None
    month, day, year = (int(part) for part in found.groups())
    if len(found[3]) == 2:
        year += 2000 if 2000 + year <= today.year + 1 else 1900
    try:
        return date(year, month, day) if year >= FIRST_YEAR else None
    except ValueError:
        return None


# ---------------------------------------------------------------- the sessions


def _local_day(now: float) -> date:
    """The day in New York."""
    return datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(NEW_YORK)).date()


def _first_unfinished(sessions: Sessions | None, now: float) -> np.datetime64:
    """The first day whose row cannot be a close yet: today, unless its session is known to be over."""
    today = np.datetime64(_local_day(now))
    is_over = sessions is not None and today in sessions.finished(now)
    return today + np.timedelta64(1, "D") if is_over else today


def _fresh_until(series: Series, sessions: Sessions | None, now: float) -> float:
    """Until when asking again can bring nothing: until the next session is over; never while a row is due."""
    if sessions is None:
        return now
    finished, ahead = sessions.finished(now), sessions.closes[sessions.closes + GRACE > now]
    is_due = len(finished) > 0 and finished[-1] > series.dates[-1]
    return now if is_due or not len(ahead) else float(ahead[0]) + GRACE
