"""What is said of a pair, and what it rests on."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, NamedTuple

import numpy as np

from pairwatch.model.arrays import Floats, frozen_array
from pairwatch.model.asking import Align, Leg, Window
from pairwatch.model.series import Facts, Provenance, Quote

Adjustment = Literal["total", "price"]
StatisticUnit = Literal["currency", "return", "deviation", "fraction", "number", "count", "bars", "probability"]
Scope = Literal["a", "b", "difference", "pair", "leadership"]
# The share of the past on either side from which on a value is unusual.
UNUSUAL = 0.05


class Statistic(NamedTuple):
    """One reported number: what it is called, what it means, and where its formula comes from.

    Attributes:
        key: the name in CSV, JSON and Python; a promise to other people's scripts.
        scope: `leg` (said of A, of B and, where that makes sense, of A minus B), `pair` or `leadership`.
        unit: `currency`, `return` and `deviation` (fractions, or basis points for a rate), `fraction`, `number`,
            `count`, `bars` or `probability`.
        has_difference: whether A minus B is reported too.
        of_differences: whether it can be said of a leg that changes by differences, as a rate does in basis points.
        of_levels: whether it can be said of a level or a rate, which nobody can hold.
        of_two_units: whether it can be said where A's changes are counted in another thing than B's.
        interval: the key, or the common name, of what it is an end of.
        of_now: whether it is of the latest price, and not of finished closes.
        slope: `a/b` for changes of A by changes of B, `b/a` for the other way round: its unit is that of both where
            they are counted in two things.
    """

    key: str
    scope: Literal["leg", "pair", "leadership"]
    label: str
    unit: StatisticUnit
    meaning: str
    formula: str
    source: str
    has_difference: bool = False
    of_differences: bool = True
    of_levels: bool = True
    of_two_units: bool = True
    interval: str = ""
    of_now: bool = False
    slope: Literal["", "a/b", "b/a"] = ""


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
        unclocked: the legs of which it is not known when they close, where that alone can make a lead of one bar.
        average: the lag at which a close looks ahead of the other leg's values, if these are averages of their
            periods; 0 where they cannot be.
        verdict: the answer in words.
        decided: whether the verdict names a leader.
        doubt: why the numbers, which would name a leader, do not: what else can make them. Empty elsewhere.
    """

    lag: int
    asymmetry: float
    p_value: float
    detectable: float
    correlations: Floats
    hours_apart: float = 0.0
    unclocked: tuple[str, ...] = ()
    average: int = 0
    verdict: str = ""
    decided: bool = False
    doubt: str = ""

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

    @property
    def served_by(self) -> str:
        """The source whose closes these are: `csv:kept.csv for yahoo` where another one stands in."""
        stand_in = self.provenance.stand_in
        return f"{stand_in} for {self.leg.source}" if stand_in else self.leg.source

    @property
    def asked(self) -> str:
        """The source that was asked for them."""
        return self.provenance.stand_in.partition(":")[0] or self.leg.source


class Absent(NamedTuple):
    """Statistics that cannot be said of a leg or of the pair, for their units or for want of history, and why."""

    scope: Scope
    keys: tuple[str, ...]
    because: str


class Receipt(NamedTuple):
    """What a comparison rests on.

    Attributes:
        start: the calendar day on which the window starts.
        base: the common close from which the first return is made.
        end: the last common finished close.
        matched: common closes from base to end, both included.
        bars_per_year: P, by which rates are annualised.
        align: which closes of the two legs were taken for the same moment.
        lined_up: how legs of different frequencies were lined up; empty where each day is its own.
        absent: what is not said, for the legs' units or for want of history.
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
    align: Align = "date"
    lined_up: str = ""
    absent: tuple[Absent, ...] = ()


class Percentiles(NamedTuple):
    """Where today's values stand among those of every window of the same length, up to today's.

    Attributes:
        of: for each scope and key the share of the past values that are below today's, plus half of those that are as
            large; between 0 and 1, today's own counts. What has no past, or too little of it, is not there.
        since: the first close of the first window.
        windows: how many windows there are; neighbours share all bars but one.
        independent: how many of them fit beside each other without a common bar.
        as_many: the share of days, today's among them, on which as many statistics were as unusual as today.
    """

    of: Mapping[tuple[Scope, str], float]
    since: date
    windows: int
    independent: int
    as_many: float

    @property
    def unusual(self) -> tuple[tuple[Scope, str], ...]:
        """What stands at or beyond its 5th or 95th percentile, the farthest first."""
        found = [name for name, share in self.of.items() if is_unusual(share)]
        return tuple(sorted(found, key=lambda name: min(self.of[name], 1 - self.of[name])))


def is_unusual(share: float) -> bool:
    """Whether a percentile is at most the 5th, or at least the 95th."""
    return not UNUSUAL < share < 1 - UNUSUAL


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Everything `compare` has to say about a pair.

    `comparison["beta"]` is the pair's or the leadership's value; `comparison["a", "volatility"]` a leg's.

    Attributes:
        percentiles: how usual the numbers are in the pair's own history, where that was asked for and is long enough.
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
    percentiles: Percentiles | None = None

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
        """Every number in its order: scope, key, value and unit; then the leadership's r(k), and the percentiles."""
        for r in self.readings:
            yield r.scope, r.statistic.key, r.value, r.unit
        for lag in range(-self.leadership.max_lag, self.leadership.max_lag + 1):
            yield "leadership", f"r({lag})", self.leadership.at(lag), "number"
        for (scope, key), share in self.percentiles.of.items() if self.percentiles else ():
            yield "percentile", f"{scope}.{key}", share, "fraction"

    def to_frame(self) -> Any:
        """A pandas DataFrame indexed by scope and statistic, with the columns `value` and `unit`."""
        import pandas as pd  # noqa: PLC0415 - pandas must not load with the types

        rows = list(self.rows())
        index = pd.MultiIndex.from_tuples([row[:2] for row in rows], names=["scope", "statistic"])
        return pd.DataFrame({"value": [row[2] for row in rows], "unit": [row[3] for row in rows]}, index=index)
