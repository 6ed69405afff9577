"""The frozen types that cross borders.

A type that checks or is hashed is a frozen dataclass; a record that only carries is a NamedTuple, which is made in a
tenth of the time: thirty dataclasses would be a tenth of a whole run. What holds arrays is equal to itself alone.

Arrays inside are read-only and checked once, on construction. Text inside is clean (see `pairwatch.text`).
Days are numpy `datetime64[D]` in the exchange's own time zone; instants are Unix seconds (float, UTC).
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any, Literal, NamedTuple, Self, TypeAlias

import numpy as np

from pairwatch.errors import UsageError
from pairwatch.text import clean, is_clean

Floats: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
Days: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.datetime64]]
Positions: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.intp]]
Unit = Literal["price", "index", "percent"]
Adjustment = Literal["total", "price"]
EventKind = Literal["dividend", "split", "capital_gain"]
StatisticUnit = Literal["currency", "return", "deviation", "fraction", "number", "count", "bars", "probability"]
Scope = Literal["a", "b", "difference", "pair", "leadership"]

NAN = float("nan")
DEFAULT_SOURCE = "yahoo"
LONGEST_PATH = 4096
_KEEP_CASE = ("csv",)

_SOURCE = re.compile(r"[a-z][a-z0-9_]{1,15}\Z")
_SYMBOL = re.compile(r"\^?[A-Z0-9](?:[A-Z0-9&_=^-]|\.(?!\.)){0,30}\Z")
_WINDOW = re.compile(r"([1-9][0-9]{0,4})(d|w|mo|y|b)\Z")


def frozen_array(values: Any, dtype: str) -> np.ndarray[Any, Any]:
    """A read-only, contiguous array of `values`, copied only where it could still be written to."""
    array = np.ascontiguousarray(values, dtype=dtype)
    if array.flags.writeable:
        array = array.copy()
        array.setflags(write=False)
    return array


def iso(day: np.datetime64 | date | None) -> str | None:
    """The day as `YYYY-MM-DD`, or None."""
    return None if day is None else str(day)


@dataclass(frozen=True, slots=True)
class Leg:
    """One side of a pair: a symbol at a source.

    `str(leg)` is the symbol alone for the default source, `source:symbol` for any other.
    """

    source: str
    symbol: str

    @classmethod
    def parse(cls, text: str, source: str = DEFAULT_SOURCE) -> Self:
        """Read `[source:]symbol`; `-` is CSV on standard input.

        Raises:
            UsageError: not a leg; the text is shown with its control characters replaced.
        """
        if text == "-":
            return cls("csv", "-")
        prefix, colon, rest = text.partition(":")
        if colon and _SOURCE.match(prefix):
            source, text = prefix, rest
        # Upper case makes ASCII letters of some others, which are no symbols.
        return cls(source, text if source in _KEEP_CASE or not text.isascii() else text.upper())

    def __post_init__(self) -> None:
        is_symbol = _is_path if self.source == "csv" else _SYMBOL.match
        if not (_SOURCE.match(self.source) and is_symbol(self.symbol)):
            raise UsageError(
                f"not a leg: {clean(self.source)}:{clean(self.symbol) or '(empty)'}",
                "a leg is [source:]symbol, such as QQQ, yahoo:^VIX, csv:prices.csv#IWM or demo:LEADER",
            )

    def __str__(self) -> str:
        return self.symbol if self.source == DEFAULT_SOURCE else f"{self.source}:{self.symbol}"


def _is_path(text: str) -> bool:
    return 0 < len(text) <= LONGEST_PATH and is_clean(text)


@dataclass(frozen=True, slots=True)
class Window:
    """How far back the statistics look: calendar days, weeks, months, years, or bars."""

    count: int
    unit: Literal["d", "w", "mo", "y", "b"]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `90d`, `12w`, `6mo`, `1y` or `61b`.

        Raises:
            UsageError: anything else.
        """
        found = _WINDOW.match(text.strip().lower())
        if not found:
            raise UsageError(
                f"not a window: {clean(text)!r}", "a window is 90d (calendar days), 12w, 6mo, 1y or 61b (bars)"
            )
        return cls(int(found[1]), found[2])  # type: ignore[arg-type]

    def start(self, end: date) -> date:
        """The calendar day on which a window ending at `end` starts (`end` itself for bars)."""
        if self.unit == "b":
            return end
        if self.unit in "dw":
            return date.fromordinal(max(1, end.toordinal() - self.count * (7 if self.unit == "w" else 1)))
        return months_before(end, self.count * (12 if self.unit == "y" else 1))

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"


def months_before(day: date, months: int) -> date:
    """The same day of the month, `months` earlier, or that month's last day where it has none."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    if year < 1:
        return date.min
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, last)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


@dataclass(frozen=True, slots=True)
class Event:
    """A cash distribution a share, or a split (`value` new shares for one), effective at the open of `day`."""

    day: np.datetime64
    kind: EventKind
    value: float


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a leg beside its prices.

    Attributes:
        unit: `price` and `index` take percentage returns, `percent` (rates, yields) takes differences.
        closes_at: minutes after local midnight at which a session closes (1440: the midnight after), or None.
        every_day: whether the leg trades on all seven days.
        simulated: whether the numbers were drawn, not recorded.
    """

    name: str = ""
    currency: str = ""
    unit: Unit = "price"
    kind: str = ""
    exchange: str = ""
    timezone: str = ""
    closes_at: int | None = None
    every_day: bool = False
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class Quote:
    """The latest price, when it was made, and whether its session was unfinished then.

    Attributes:
        open: the session was open, or had closed so lately that its price was still settling.
        finished_at: when the session is finished, in Unix seconds.
    """

    price: float
    at: float
    open: bool
    finished_at: float = math.inf


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Finished closes of one leg, as quoted (split-adjusted by the provider, never for dividends).

    Attributes:
        dates: shape (n,), strictly increasing `datetime64[D]`.
        closes: shape (n,), finite, in `facts.currency` or in percent.
        events: distributions and splits, sorted by day.
        quote: the latest price, if the source gives one.
    """

    leg: Leg
    dates: Days
    closes: Floats
    events: tuple[Event, ...] = ()
    facts: Facts = field(default_factory=Facts)
    quote: Quote | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "dates", frozen_array(self.dates, "datetime64[D]"))
        object.__setattr__(self, "closes", frozen_array(self.closes, "f8"))
        if self.dates.shape != self.closes.shape or self.dates.ndim != 1:
            raise ValueError("dates and closes must be two equally long vectors")
        if not (self.dates[1:] > self.dates[:-1]).all():
            raise ValueError("dates must increase strictly")
        if not np.isfinite(self.closes).all():
            raise ValueError("closes must be finite")

    def __len__(self) -> int:
        return len(self.dates)

    def as_of(self, day: date) -> Self:
        """The series as it stood after the close of `day`: later bars, events, splits and the quote undone."""
        limit = np.datetime64(day)
        keep = int(self.dates.searchsorted(limit, side="right"))
        later = [e for e in self.events if e.day > limit]
        if keep == len(self) and not later:
            is_later = self.quote is not None and datetime.fromtimestamp(self.quote.at, UTC).date() > day
            return replace(self, quote=None) if is_later else self
        scale = float(np.prod([e.value for e in later if e.kind == "split"]))
        events = tuple(
            e if e.kind == "split" else replace(e, value=e.value * scale) for e in self.events if e.day <= limit
        )
        return replace(self, dates=self.dates[:keep], closes=self.closes[:keep] * scale, events=events, quote=None)


class Fetched(NamedTuple):
    """A source's answer for one leg.

    Attributes:
        series: finished closes only; an unfinished bar is the quote.
        since: the first day that was asked for; None for the leg's whole history.
        asked_at: when, in Unix seconds.
        fresh_until: until when nothing new can be had (`asked_at` while a session is open).
        expected: the days of the recent past that the exchange's calendar holds for finished sessions.
        remarks: what was odd in the answer and survived, one line each.
    """

    series: Series
    since: date | None
    asked_at: float
    fresh_until: float
    expected: Days
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Holding:
    """What the cache holds of one leg, from its first bar on.

    Attributes:
        reconciled_at: when the whole history was last asked for.
        holes: finished sessions of the recent past for which the provider gave no close.
    """

    series: Series
    asked_at: float
    fresh_until: float
    reconciled_at: float
    holes: Days

    def is_fresh(self, now: float, max_age: float) -> bool:
        """Whether asking again could bring nothing new, or the last answer is younger than `max_age` seconds.

        An answer from the future (a clock set back) is never fresh, nor is one from a session that has finished since;
        with a `max_age` of 0 none is.
        """
        quote = self.series.quote
        if max_age <= 0 or self.asked_at > now or (quote and quote.open and quote.finished_at <= now):
            return False
        return now < self.fresh_until or now - self.asked_at < max_age


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where one leg's numbers come from.

    Attributes:
        origin: `network`, `cache`, `file` or `simulation`.
        asked_at: when the provider was last asked, in Unix seconds; None for files and simulations.
        stale: why the answer is older than it should be; empty where it is not.
        holes: finished sessions without a close.
        revised: how many known closes the provider changed.
        refetched: whether a new split, or a rebased history, made the whole leg be fetched again.
        remarks: anything else worth a line.
    """

    origin: Literal["network", "cache", "file", "simulation"]
    asked_at: float | None = None
    stale: str = ""
    holes: tuple[np.datetime64, ...] = ()
    revised: int = 0
    refetched: bool = False
    remarks: tuple[str, ...] = ()


class Statistic(NamedTuple):
    """One reported number: what it is called, what it means, and where its formula comes from.

    Attributes:
        key: the name in CSV, JSON and Python; a promise to other people's scripts.
        scope: `leg` (said of A, of B and, where that makes sense, of A minus B), `pair` or `leadership`.
        unit: `currency`, `return` and `deviation` (fractions, or basis points for a rate), `fraction`, `number`,
            `count`, `bars` or `probability`.
        has_difference: whether A minus B is reported too.
        of_rates: whether it can be said of a rate or a yield, which changes by differences.
        interval: the key, or the common name, of what it is an end of.
        of_now: whether it is of the latest price, and not of finished closes.
    """

    key: str
    scope: Literal["leg", "pair", "leadership"]
    label: str
    unit: StatisticUnit
    meaning: str
    formula: str
    source: str
    has_difference: bool = False
    of_rates: bool = True
    interval: str = ""
    of_now: bool = False


class Reading(NamedTuple):
    """A statistic's value in one scope; NaN is "cannot say"."""

    statistic: Statistic
    scope: Scope
    value: float
    unit: str


@dataclass(frozen=True, slots=True, eq=False)
class Leadership:
    """Who leads whom, judged by what either leg's past says of the other beyond the other's own day.

    Attributes:
        lag: bars by which A leads B (negative: B leads A), where a lead is strongest; 0 if it cannot be said.
        asymmetry: D = r(|lag|) - r(-|lag|): of A's past with B's day, less of B's past with A's day.
        p_value: the probability of a lead as strong when neither leads, all lags considered.
        detectable: the lead, in units of r, that is called a leader in four windows out of five.
        correlations: shape (2 L + 1,), r(k) for k = -L..L.
        hours_apart: how many hours after B's session A's closes (negative: before); NaN where that is not known.
        verdict: the answer in words.
        decided: whether the verdict names a leader.
    """

    lag: int
    asymmetry: float
    p_value: float
    detectable: float
    correlations: Floats
    hours_apart: float = 0.0
    verdict: str = ""
    decided: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "correlations", frozen_array(self.correlations, "f8"))

    @property
    def max_lag(self) -> int:
        """The largest lag that was looked at, in bars."""
        return len(self.correlations) // 2

    @property
    def correlation(self) -> float:
        """The cross-correlation r(lag)."""
        return self.at(self.lag)

    def at(self, lag: int) -> float:
        """r(lag); A leads B by `lag` bars."""
        return float(self.correlations[self.max_lag + lag])


class Claim(NamedTuple):
    """A sentence that the numbers decide: TRUE, FALSE or INCONCLUSIVE, with the number that decides it."""

    text: str
    verdict: Literal["TRUE", "FALSE", "INCONCLUSIVE"]
    because: str


class LegReceipt(NamedTuple):
    """What one side of a comparison rests on.

    Attributes:
        last_bar: the leg's own last finished close on or before the day of the comparison.
        lost: closes of this leg, from the base on, that the other leg has no close for.
    """

    leg: Leg
    facts: Facts
    provenance: Provenance
    first_bar: np.datetime64
    last_bar: np.datetime64
    lost: int
    quote: Quote | None = None


class Receipt(NamedTuple):
    """What a comparison rests on.

    Attributes:
        start: the calendar day on which the window starts.
        base: the common close from which the first return is made.
        end: the last common finished close.
        matched: common closes from base to end, both included.
        bars_per_year: P, by which rates are annualised.
    """

    a: LegReceipt
    b: LegReceipt
    start: date
    base: date
    end: date
    matched: int
    bars_per_year: int
    adjustment: Adjustment
    max_lag: int
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Everything `compare` has to say about a pair.

    `comparison["beta"]` is the pair's or the leadership's value; `comparison["a", "volatility"]` a leg's.
    """

    a: Leg
    b: Leg
    as_of: date
    window: Window
    readings: tuple[Reading, ...]
    leadership: Leadership
    claims: tuple[Claim, ...]
    receipt: Receipt
    warnings: tuple[str, ...]

    def __getitem__(self, key: str | tuple[str, str]) -> float:
        scope, name = key if isinstance(key, tuple) else (None, key)
        for reading in self.readings:
            if reading.statistic.key == name and reading.scope in ((scope,) if scope else ("pair", "leadership")):
                return reading.value
        raise KeyError(f"no statistic {key!r}; `pairwatch explain` lists them, and a leg's are c['a', 'volatility']")

    def __repr__(self) -> str:
        return f"<Comparison {self.a} {self.b}, {self.window} to {self.as_of}: {self.leadership.verdict}>"

    def __iter__(self) -> Iterator[Reading]:
        return iter(self.readings)

    @property
    def stale(self) -> bool:
        """Whether either leg is older than it should be."""
        return bool(self.stale_reasons)

    @property
    def stale_reasons(self) -> tuple[str, ...]:
        """Why legs are older than they should be, in words; none for those that are not."""
        sides = self.receipt.a, self.receipt.b
        return tuple(side.provenance.stale for side in sides if side.provenance.stale)

    @property
    def simulated(self) -> bool:
        """Whether either leg was drawn, not recorded."""
        return self.receipt.a.facts.simulated or self.receipt.b.facts.simulated

    def rows(self) -> Iterator[tuple[str, str, float, str]]:
        """Every number in its order: scope, key, value and unit; the leadership's r(k) last."""
        for r in self.readings:
            yield r.scope, r.statistic.key, r.value, r.unit
        for lag in range(-self.leadership.max_lag, self.leadership.max_lag + 1):
            yield "leadership", f"r({lag})", self.leadership.at(lag), "number"

    def to_frame(self) -> Any:
        """A pandas DataFrame indexed by scope and statistic, with the columns `value` and `unit`."""
        import pandas as pd  # noqa: PLC0415 - pandas must not load with the types

        rows = list(self.rows())
        index = pd.MultiIndex.from_tuples([row[:2] for row in rows], names=["scope", "statistic"])
        return pd.DataFrame({"value": [row[2] for row in rows], "unit": [row[3] for row in rows]}, index=index)
