"""FRED's answers: bytes in, observations and metadata out, or an error that says what came instead."""

import csv
import json
import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final, NamedTuple

import numpy as np

from pairwatch.errors import (
    ConnectionRefused,
    CutShort,
    EmptyAnswer,
    GarbledAnswer,
    ProviderDown,
    RateLimited,
    SourceError,
    UnknownSymbol,
    WrongAnswer,
)
from pairwatch.model import NAN, Days, Floats, Leg, Measure
from pairwatch.sources import Key
from pairwatch.text import clean

# The header was `DATE` until the end of 2024, and a missing value a full stop.
_HEADERS: Final = ("observation_date", "date")
_MISSING: Final = ("", ".")
_DAY: Final = re.compile(r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}")
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
# Nothing that FRED counts comes near.
_LARGEST: Final = 1e18
_REFUSALS: Final = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.PROXY_AUTHENTICATION_REQUIRED)


class Observations(NamedTuple):
    """What FRED lists, by its own dates.

    Attributes:
        days: shape (n,), strictly increasing; those without a value, such as holidays, too.
        values: shape (n,), NaN where there is none.
    """

    days: Days
    values: Floats


class Page(NamedTuple):
    """One answer of the API: some of a series' observations as they stand there, and how many there are in all."""

    days: list[str]
    values: list[str]
    total: int


class Described(NamedTuple):
    """A series in FRED's own words; empty where it says nothing."""

    title: str
    units: str
    frequency: str
    adjustment: str


# ---------------------------------------------------------------- the CSV


def read_csv(leg: Leg, body: bytes) -> Observations:
    """The observations in the CSV of one series.

    Raises:
        SourceError: it holds no value, another series, or something else altogether.
    """
    text = _text(leg, body).removeprefix("\ufeff")
    if not text.strip():
        raise EmptyAnswer(f"{leg}: fred's answer is empty", "run again later")
    if text.lstrip().startswith("<"):
        raise GarbledAnswer(f"{leg}: fred answered with a web page, not with data")
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(text.splitlines(), strict=True)]
    except csv.Error as error:
        raise GarbledAnswer(f"{leg}: fred's answer is no CSV") from error
    header, *rows = [row for row in rows if any(row)] or [[""]]
    _check_header(leg, header)
    if any(len(row) != 2 for row in rows):
        odd = next(row for row in rows if len(row) != 2)
        raise GarbledAnswer(f"{leg}: a row of fred's answer is no date and value: {_shown(','.join(odd))}")
    return observations(leg, [row[0] for row in rows], [row[1] for row in rows])


def _text(leg: Leg, body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise GarbledAnswer(f"{leg}: fred's answer is not text") from error


def _check_header(leg: Leg, header: Sequence[str]) -> None:
    if len(header) != 2 or header[0].lower() not in _HEADERS:
        raise GarbledAnswer(f"{leg}: fred's answer does not begin with a date and an id: {_shown(','.join(header))}")
    if header[1].upper() != leg.symbol:
        raise WrongAnswer(f"{leg}: fred answered for {_shown(header[1]) if header[1] else 'nothing'} instead")


# ---------------------------------------------------------------- what both have in common


def observations(leg: Leg, days: Sequence[str], values: Sequence[str]) -> Observations:
    """Cells to observations in the order of their days; a row that is repeated is taken once.

    Raises:
        GarbledAnswer: a cell is no day or no number, or two values are given for one day.
        EmptyAnswer: there is no value.
    """
    numbers = np.array([_number(leg, cell) for cell in values], dtype="f8")
    found = _days(leg, days)
    if not len(found) or np.isnan(numbers).all():
        raise EmptyAnswer(f"{leg}: fred's answer holds no value")
    order = np.argsort(found, kind="stable")
    found, numbers = found[order], numbers[order]
    again = found[1:] == found[:-1]
    same = (numbers[1:] == numbers[:-1]) | (np.isnan(numbers[1:]) & np.isnan(numbers[:-1]))
    if (again & ~same).any():
        raise GarbledAnswer(f"{leg}: fred's answer holds two values for {found[1:][again & ~same][0]}")
    keep = np.concatenate(([True], ~again))
    return Observations(found[keep], numbers[keep])


def _number(leg: Leg, cell: str) -> float:
    if cell in _MISSING:
        return NAN
    value = float(cell) if _NUMBER.fullmatch(cell) else NAN
    if not abs(value) < _LARGEST:
        raise GarbledAnswer(f"{leg}: no number in fred's answer: {_shown(cell)}")
    return value


def _days(leg: Leg, cells: Sequence[str]) -> Days:
    odd = next((cell for cell in cells if not _DAY.fullmatch(cell)), None)
    if odd is not None:
        raise GarbledAnswer(f"{leg}: no date in fred's answer: {_shown(odd)}")
    try:
        return np.array(cells, dtype="datetime64[D]")
    except ValueError as error:
        raise GarbledAnswer(f"{leg}: fred's answer holds a date that does not exist") from error


def _shown(text: str) -> str:
    return repr(clean(text, 40))


# ---------------------------------------------------------------- the API


def read_json(leg: Leg, body: bytes) -> Page:
    """The observations in one answer of the API, and how many there are in all.

    Raises:
        GarbledAnswer: something else.
    """
    answer = _parsed(leg, body)
    rows, count = answer.get("observations"), answer.get("count")
    if not isinstance(rows, list) or type(count) is not int or count < 0:
        raise GarbledAnswer(f"{leg}: fred's answer lacks its observations")
    days, values = ([_cell(leg, row, name) for row in rows] for name in ("date", "value"))
    return Page(days, values, count)


def read_metadata(leg: Leg, body: bytes) -> Described:
    """What the API says of the series.

    Raises:
        WrongAnswer: it is of another one.
        GarbledAnswer: something else.
    """
    listed = _parsed(leg, body).get("seriess")
    if not isinstance(listed, list) or not listed or not isinstance(listed[0], dict):
        raise GarbledAnswer(f"{leg}: fred's answer does not describe the series")
    names = ("id", "title", "units", "frequency", "seasonal_adjustment")
    said = {name: listed[0].get(name, "") for name in names}
    if not all(isinstance(text, str) for text in said.values()):
        raise GarbledAnswer(f"{leg}: fred's description of the series is not text")
    if said["id"].upper() != leg.symbol:
        raise WrongAnswer(f"{leg}: fred answered for {_shown(said['id']) if said['id'] else 'nothing'} instead")
    return Described(*(clean(said[name]) for name in names[1:]))


def _parsed(leg: Leg, body: bytes) -> dict[str, Any]:
    """The object in a body.

    Raises:
        GarbledAnswer: it is none.
    """
    text = _text(leg, body).strip().removeprefix("\ufeff")
    if not text:
        raise EmptyAnswer(f"{leg}: fred's answer is empty", "run again later")
    if text.startswith("<"):
        raise GarbledAnswer(f"{leg}: fred answered with a web page, not with data")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        kind = CutShort if text.startswith("{") and not text.endswith("}") else GarbledAnswer
        said = "ends in the middle" if kind is CutShort else "is not in its format"
        raise kind(f"{leg}: fred's answer {said}") from error
    if not isinstance(found, dict):
        raise GarbledAnswer(f"{leg}: fred's answer is not in its format")
    return found


def _cell(leg: Leg, row: object, name: str) -> str:
    cell = row.get(name) if isinstance(row, dict) else None
    if not isinstance(cell, str):
        raise GarbledAnswer(f"{leg}: an observation of fred's answer has no {name}")
    return cell.strip()


# ---------------------------------------------------------------- refusals


def refusal(leg: Leg, status: int, body: bytes, key: Key | None = None) -> SourceError:  # noqa: PLR0911 - one line each
    """Our error for an answer that is no data, by what the API says in it, else by its status."""
    code, said = _said(leg, body)
    words = clean(re.split(r"\s+Read http", said.replace(key.secret, "***") if key and key.secret else said)[0])
    # The API says what is unknown; the CSV of an unknown id is a page of its own.
    if "does not exist" in said or (status == HTTPStatus.NOT_FOUND and key is None):
        return UnknownSymbol(f"{leg}: unknown to fred", "an id is looked up at fred.stlouisfed.org, such as DGS10")
    if "api_key" in said:
        return _bad_key(leg, said, key)
    if code == HTTPStatus.TOO_MANY_REQUESTS:
        return RateLimited(f"{leg}: fred throttles this key or machine ({words}); nothing is wrong with the id")
    if code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ProviderDown(f"{leg}: fred is out of order ({words})")
    if said:
        return GarbledAnswer(f"{leg}: fred refuses the request ({words})")
    if status in _REFUSALS:
        return ConnectionRefused(f"{leg}: fred, or a proxy before it, refuses to answer (HTTP {status})")
    return GarbledAnswer(f"{leg}: fred answered with HTTP {status}")


def is_error(body: bytes) -> bool:
    """Whether a body is one of the API's errors, whatever the status."""
    return b'"error_code"' in body[:200] or b'"error_message"' in body[:200]


def _said(leg: Leg, body: bytes) -> tuple[int, str]:
    """The code and the words of the API's error; 0 and nothing where it is none."""
    try:
        answer = _parsed(leg, body)
    except SourceError:
        return 0, ""
    code, said = answer.get("error_code"), answer.get("error_message")
    return (code if type(code) is int else 0), (said if isinstance(said, str) else "")


def _bad_key(leg: Leg, said: str, key: Key | None) -> SourceError:
    why = "it is not registered" if "registered" in said else "none was given"
    why = "it is not 32 small letters and digits" if "32 character" in said else why
    whose = f"the key comes from {key}" if key else "the key is FRED_API_KEY"
    return SourceError(
        f"{leg}: fred does not accept the API key: {why}",
        f"{whose}: correct it, or take it away, since FRED can be asked without one",
    )


# ---------------------------------------------------------------- units


class Counted(NamedTuple):
    """What values are, and what they are counted in."""

    measure: Measure
    unit: str = ""
    currency: str = ""


def counted_in(units: str) -> Counted:
    """What FRED's words for the units of a series say: `Percent`, `Index 2017=100`, `Dollars per Barrel`.

    A change in percent is a rate as well: it goes through zero, and changes by differences. An index may be of
    anything (prices, output, sentiment), and is a level: the table knows those that can be followed.
    """
    words = clean(units).lower()
    if re.fullmatch(r"percent(?:,? (?:per annum|annual rate)|age points?| change\b.*)?", words):
        return Counted("rate", "percent")
    if words == "basis points":
        return Counted("rate", "bp")
    if re.match(r"index\b", words):
        return Counted("level", "points" if words == "index" else words)
    if dollars := re.fullmatch(r"(?:u\.s\. )?dollars? (?:per|to one) (.+)", words):
        return Counted("price", f"dollars per {dollars[1]}", "USD")
    return Counted("level", words)
