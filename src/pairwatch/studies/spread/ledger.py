"""The days that made the gap of the window, and what other legs did on them."""

import math
from typing import NamedTuple

import numpy as np

from pairwatch.kernels.dependence import Estimate, estimated_correlation
from pairwatch.kernels.past import middle_rank
from pairwatch.kernels.tails import two_sided_t
from pairwatch.model import NAN, Cell, Column, Floats, Heading, Positions, Section
from pairwatch.studies.paired import Beside, Paired
from pairwatch.studies.spread.made import alike
from pairwatch.text import plural
from pairwatch.verdicts import TWO_DAYS

# Fewer changes of another leg make no percentile.
LEAST_PAST = 60
# A gap below this part of what its days add up to without their signs has no shares: they would be hundreds of percent.
NO_GAP = 0.02

HEADING = Heading(
    "ledger",
    "ledger: the days that made the gap",
    "The window's gap R(A) - R(B) by its days, the largest first; the contributions and the shares add up.",
    (
        Column("day", "", "text", "The day of the later close; last all other days together."),
        Column(
            "contribution",
            "part of gap",
            "unit",
            "(ln(1 + a) - ln(1 + b)) L, L the logarithmic mean of 1 + R(A) and 1 + R(B): these add up to the gap of "
            "the total returns (Carino 1999, J. Performance Measurement 3(4)). Of changes by differences a - b.",
        ),
        Column("share", "share", "fraction", "The contribution over the gap; none where the gap is nearly nothing."),
        Column("a", "A", "unit", "A's change on the day."),
        Column("b", "B", "unit", "B's change on the day."),
        Column("moved", "moved", "text", "Which leg did it: the one that changed more, up or down."),
        Column("unit", "", "text", "What changes and contributions are counted in."),
    ),
)
BESIDE = Heading(
    "ledger_beside",
    "other legs on these days",
    "What the legs of --with did on the days of the ledger.",
    (
        Column("day", "", "date", "The day."),
        Column("leg", "leg", "text", "The other leg."),
        Column("change", "change", "unit", "Its change from the pair's close before; none where it has no close."),
        Column("percentile", "own past", "percentile", "Where that is among its changes up to that day; from 60 on."),
        Column("unit", "", "text", "What the change is counted in."),
    ),
)
DRIVERS = Heading(
    "drivers",
    "what goes with the gap",
    "The correlation of a - b, bar by bar, with the changes of each leg of --with.",
    (
        Column("leg", "", "text", "The other leg."),
        Column("r", "r", "number", "Pearson's r over the window."),
        Column("low", "95 % from", "number", "The lower end of its interval: jackknife of atanh(r), Newey and West."),
        Column("high", "to", "number", "The upper end."),
        Column("p", "p", "probability", "Of no correlation, by the same errors; each leg's by itself."),
        Column("n", "n", "count", "The bars of the window on which it has a change."),
        Column("r_history", "history r", "number", "The same over the whole history."),
        Column("p_history", "p", "probability", "The same over the whole history.", wide=True),
        Column("n_history", "n", "count", "The same over the whole history.", wide=True),
    ),
)


class Ledger(NamedTuple):
    """The gap of a window by its days.

    Attributes:
        begin: the place of the window's first return.
        gap: R(A) - R(B), or the sum of a - b.
        parts: what each day adds to it; shape (bars,).
        order: the places of the days that are shown, the largest part first.
    """

    begin: int
    gap: float
    parts: Floats
    order: Positions

    @property
    def shares(self) -> Floats:
        """The parts over the gap; NaN where it is nearly nothing."""
        total = math.fsum(self.parts)
        if not abs(total) > NO_GAP * math.fsum(np.abs(self.parts)):
            return np.full(len(self.parts), NAN)
        return self.parts / total


def ledger(pair: Paired, days: int) -> Ledger | None:
    """The window's gap; None for legs whose changes cannot be subtracted."""
    if not alike(pair):
        return None
    a, b = (leg.returns[-pair.bars :] for leg in (pair.pair.a, pair.pair.b))
    parts = a - b if pair.pair.a.by_differences else _parts(a, b)
    order = np.argsort(-np.abs(parts), kind="stable")[:days]
    return Ledger(pair.n - pair.bars, math.fsum(parts), parts, order)


def _parts(a: Floats, b: Floats) -> Floats:
    """What each day adds to the gap of the total returns."""
    if (a <= -1).any() or (b <= -1).any():
        return np.full(len(a), NAN)
    logs_a, logs_b = np.log1p(a), np.log1p(b)
    return (logs_a - logs_b) * _logarithmic_mean(math.fsum(logs_a), math.fsum(logs_b))


def _logarithmic_mean(log_x: float, log_y: float) -> float:
    """(x - y) / (ln x - ln y), by the logarithms; x where both are equal."""
    apart = log_x - log_y
    return math.exp(log_y) * (math.expm1(apart) / apart if apart else 1.0)


def section(pair: Paired, found: Ledger) -> Section:
    """The largest days, and the others in one row."""
    a, b = (leg.returns[found.begin :] for leg in (pair.pair.a, pair.pair.b))
    unit, shares = _signed(pair.pair.a.change_unit), found.shares
    rows: list[tuple[Cell, ...]] = [
        (
            pair.day(found.begin + at + 1).isoformat(),
            float(found.parts[at]),
            float(shares[at]),
            float(a[at]),
            float(b[at]),
            _moved(pair, float(a[at]), float(b[at])),
            unit,
        )
        for at in found.order.tolist()
    ]
    rest = np.delete(np.arange(len(found.parts)), found.order)
    if len(rest):
        together = (_together(one[rest], by_differences=pair.pair.a.by_differences) for one in (a, b))
        part = found.gap - math.fsum(float(row[1]) for row in rows)  # type: ignore[arg-type]
        share = 1 - math.fsum(shares[found.order])
        rows.append((plural(len(rest), f"other {bar(pair)}"), part, share, *together, "", unit))
    return Section(HEADING, tuple(rows))


def bar(pair: Paired) -> str:
    """What a bar is called: a day where it is one."""
    return "day" if pair.bars_per_year >= TWO_DAYS else "bar"


def _signed(unit: str) -> str:
    """The unit of a change: fractions are returns, which are shown with their sign."""
    return "return" if unit == "fraction" else unit


def _moved(pair: Paired, a: float, b: float) -> str:
    return "both" if abs(a) == abs(b) else str(pair.legs[abs(b) > abs(a)])


def _together(changes: Floats, *, by_differences: bool) -> float:
    """A change over days that need not follow each other."""
    return math.fsum(changes) if by_differences else math.expm1(math.fsum(np.log1p(changes)))


def beside_section(pair: Paired, found: Ledger, others: tuple[Beside, ...]) -> Section:
    """A row for each day and leg."""
    rows = tuple(
        (
            pair.day(at + 1),
            str(other.leg),
            float(other.returns[at]),
            _percentile(other.returns[: at + 1]),
            _signed(other.change_unit),
        )
        for at in (found.order + found.begin).tolist()
        for other in others
    )
    return Section(BESIDE, rows)


def _percentile(changes: Floats) -> float:
    """Where the last one is among those up to it."""
    known = int(np.count_nonzero(np.isfinite(changes)))
    return middle_rank(changes, float(changes[-1])) if known >= LEAST_PAST and math.isfinite(changes[-1]) else NAN


class Driver(NamedTuple):
    """How another leg's changes go with the gap's, over the window and over the history."""

    other: Beside
    window: Estimate
    history: Estimate


def p_of(r: Estimate) -> float:
    """The probability of so large a correlation where there is none."""
    if not r.error > 0 or abs(r.value) >= 1:
        return 0.0 if abs(r.value) > 0.5 else NAN  # one series twice has no error
    return two_sided_t(math.atanh(r.value) / r.error, r.freedom)


def drivers(pair: Paired, others: tuple[Beside, ...]) -> tuple[Driver, ...]:
    """How other legs' changes go with a - b."""
    gap = pair.pair.a.returns - pair.pair.b.returns

    def estimate(changes: Floats, begin: int) -> Estimate:
        known = np.isfinite(changes[begin:])
        return estimated_correlation(gap[begin:][known], changes[begin:][known])

    return tuple(
        Driver(other, estimate(other.returns, pair.n - pair.bars), estimate(other.returns, 0)) for other in others
    )


def drivers_section(found: tuple[Driver, ...]) -> Section:
    """A row a leg."""
    rows = tuple(
        (
            str(one.other.leg),
            one.window.value,
            one.window.low,
            one.window.high,
            p_of(one.window),
            one.window.n,
            one.history.value,
            p_of(one.history),
            one.history.n,
        )
        for one in found
    )
    return Section(DRIVERS, rows)
