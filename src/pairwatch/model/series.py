"""One leg's closes, what is known of it, and where that comes from."""

import math
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Literal, NamedTuple, Self

import numpy as np

from pairwatch.errors import UsageError
from pairwatch.model.arrays import Days, Floats, frozen_array
from pairwatch.model.asking import Leg
from pairwatch.text import clean

Measure = Literal["price", "rate", "index", "level"]
MEASURES: tuple[Measure, ...] = ("price", "rate", "index", "level")
Frequency = Literal["", "day", "week", "fortnight", "month", "quarter", "half-year", "year"]
EventKind = Literal["dividend", "split", "capital_gain"]
# Currencies that are a hundredth of another one, as exchanges and their data vendors write them.
HUNDREDTHS = {"GBp": "GBP", "GBX": "GBP", "ZAc": "ZAR", "ILA": "ILS", "USX": "USD", "EUX": "EUR"}
# What a rate may be counted in so that its changes are basis points, and what makes these of it.
BASIS_POINTS = {"percent": 100.0, "bp": 1.0, "fraction": 10_000.0}
# Words that say inside what a number is, and how it is written: no unit of anybody's values can be called so.
RESERVED = ("fraction", "return", "deviation", "number", "count", "bars", "probability", "currency", "bp", "percent")


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
        measure: a `price` or an `index` of something that can be owned or followed, a `rate` (a yield, a spread of
            yields) in percent, a `level` of anything else: payrolls, a volatility index, an index of consumer prices.
        unit: what a value is counted in where that is not the currency: `percent`, `points`, `thousands of persons`.
        changes: `percent` or `points` where that was declared; by default a rate changes by differences, in basis
            points, and everything else in percent.
        frequency: of its values; empty where that is not known. Longer periods than a day are dated by their ends.
        identity: the provider's own name of what is behind the symbol, where that can change.
        closes_at: minutes after local midnight at which a session closes (1440: the midnight after), or None.
        every_day: whether the leg trades on all seven days.
        simulated: whether the numbers were drawn, not recorded.
    """

    name: str = ""
    currency: str = ""
    measure: Measure = "price"
    unit: str = ""
    changes: Literal["", "percent", "points"] = ""
    kind: str = ""
    exchange: str = ""
    timezone: str = ""
    closes_at: int | None = None
    every_day: bool = False
    simulated: bool = False
    frequency: Frequency = ""
    identity: str = ""

    @property
    def by_differences(self) -> bool:
        """Whether its changes are differences, and not fractions."""
        return self.changes == "points" or (self.measure == "rate" and not self.changes)

    @property
    def can_be_held(self) -> bool:
        """Whether somebody could own or follow it, and earn its changes."""
        return self.measure in ("price", "index")

    @property
    def scale(self) -> float:
        """What a difference is multiplied with: rates in percent, or in fractions, change by basis points."""
        return BASIS_POINTS.get(self.unit or "percent", 1.0) if self.measure == "rate" else 1.0

    @property
    def change_unit(self) -> str:
        """What its changes are counted in."""
        if not self.by_differences:
            return "fraction"
        if self.measure == "rate" and (self.unit or "percent") in BASIS_POINTS:
            return "bp"
        return self.unit or self.currency or "points"


class Declared(NamedTuple):
    """What the user says of a leg's values, where its source cannot know.

    Attributes:
        measure: what they are, or empty where only the changes are declared.
        unit: what they are counted in.
        by_differences: whether they change by differences in their own unit, and not in percent.
    """

    measure: Measure | Literal[""] = ""
    unit: str = ""
    by_differences: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `rate`, `price`, `index`, `level`, `level:barrels` or `points`.

        Raises:
            UsageError: anything else, or a unit that means something else inside.
        """
        word, _, unit = text.strip().partition(":")
        word, unit = word.lower(), clean(unit.strip())
        if word == "points":
            return cls("", _unit(unit, word), by_differences=True)
        for measure in MEASURES:
            if word == measure:
                return cls(measure, _unit(unit, word), by_differences=measure == "rate")
        raise UsageError(
            f"not a unit: {clean(text)!r}", f"it is {', '.join(MEASURES)}, or points for differences in its own unit"
        )

    def on(self, facts: Facts) -> Facts:
        """The facts as declared."""
        measure = self.measure or facts.measure
        changed = "rate" in (measure, facts.measure) and measure != facts.measure
        unit = self.unit or ("" if changed else facts.unit)  # only a rate's unit says that it is one
        if measure == "rate" and not unit:
            unit = "percent"
        return replace(facts, measure=measure, unit=unit, changes="points" if self.by_differences else "percent")


def _unit(unit: str, word: str) -> str:
    """A declared unit, refused where it is a word that says what a number is."""
    plain = unit.lower()
    if word == "rate" and plain in BASIS_POINTS:
        return plain
    if plain not in RESERVED:
        return unit
    hint = f"rate:{plain} if it is a rate" if plain in BASIS_POINTS else f"a name of its own, such as {word}:barrels"
    raise UsageError(f"values of {word} cannot be counted in {unit!r}: pairwatch calls something else so", hint)


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
        made: of what the leg was made, where it is not its own source's: a stand-in, a conversion.
        stand_in: the leg, with its source, that was served in this one's stead; empty where none was.
    """

    origin: Literal["network", "cache", "file", "simulation"]
    asked_at: float | None = None
    stale: str = ""
    holes: tuple[np.datetime64, ...] = ()
    revised: int = 0
    refetched: bool = False
    remarks: tuple[str, ...] = ()
    made: tuple[str, ...] = ()
    stand_in: str = ""
