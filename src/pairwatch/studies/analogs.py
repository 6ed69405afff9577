"""What followed when a pair was as far apart as today.

An event is a bar on which the measure was as far as today, or farther, on the same side. After an event the next one
can begin only when the longest horizon has passed, also where the measure stays out or comes back meanwhile: so no bar
follows two events. Each measure is made of its own window alone, and what overlaps today's is no event: it is the
present excursion itself.
"""

from typing import Literal, NamedTuple, get_args

import numpy as np

from pairwatch.errors import NotEnoughData, UsageError
from pairwatch.kernels import analogs as kernel
from pairwatch.kernels import past
from pairwatch.kernels.cointegration import EXACT
from pairwatch.kernels.rolling import rolling_correlation
from pairwatch.model import NAN, Cell, Column, ColumnUnit, Floats, Heading, Positions, Section, Study
from pairwatch.stats.percentiles import shown
from pairwatch.studies.paired import WINDOWS_NEED, Paired
from pairwatch.text import clean, listing, plural
from pairwatch.verdicts import bare, p_text

Measure = Literal["z", "gap", "correlation"]

HORIZONS = (5, 20, 60)
MOST_HORIZONS = 6
# Of fewer events nothing is said.
FEWEST = 8
SIZE = 0.05
# Today is not far where it is between these shares of all windows.
USUAL = (0.2, 0.8)

NOW = Heading(
    "now",
    "the measure now",
    "How far the pair is today, and how often it was as far.",
    (
        Column("measure", "", "text", "What is measured: `z`, `gap` or `correlation`, over the rolling window."),
        Column("value", "value", "number", "Today's value."),
        Column("percentile", "percentile", "percentile", "Its mid-rank among all windows up to today's."),
        Column("as_far", "bars as far", "fraction", "The share of bars before today with a value as far or farther."),
        Column(
            "events",
            "events",
            "count",
            "How many events these make, with the longest horizon between any two, and none "
            "whose window overlaps today's.",
        ),
        Column("windows", "windows", "count", "How many windows there are."),
        Column("independent", "apart", "count", "How many of them fit beside each other without a common bar."),
    ),
)
AFTER = Heading(
    "after",
    "what followed",
    "A's change less B's over the bars after an event, beside that after any bar: ln A - ln B for legs in percent, "
    "A - B for legs that change by differences.",
    (
        Column("horizon", "after", "text", "How long after the event."),
        Column("bars", "bars", "count", "The same as a number.", wide=True),
        Column("n", "n", "count", "How many events have so many bars behind them."),
        Column("median", "median", "return", "The median over the events."),
        Column("low", "lowest", "return", "The smallest."),
        Column("high", "highest", "return", "The largest."),
        Column("positive", "positive", "fraction", "The share of events after which A gained on B."),
        Column("any_median", "any bar", "return", "The median over all bars from the first full window on."),
        Column(
            "any_positive", "positive then", "fraction", "The share of those bars after which A gained on B.", wide=True
        ),
        Column(
            "p",
            "p",
            "probability",
            "How often the median is as far from that of all bars, in mean absolute deviations, when all events are "
            "shifted together around the history (Lotwick and Silverman 1982); empty below 8 events.",
        ),
    ),
)


def _later(h: int, unit: ColumnUnit) -> Column:
    return Column(f"after_{h}", f"{h} bars", unit, f"A's change less B's over the next {h} bars; empty until then.")


EVENTS = Heading(
    "events",
    "events",
    "The bars on which the pair was as far as today, and what followed; none whose window overlaps today's.",
    (
        Column("date", "date", "date", "The day of the event."),
        Column("value", "value", "number", "The measure that day."),
        *(_later(h, "return") for h in HORIZONS),
    ),
)
HEADINGS = (NOW, AFTER, EVENTS)


class _Measured(NamedTuple):
    """A measure of every window, and how it is said.

    Attributes:
        values: one for each bar from the first full window on; today's is the last.
        first: the place of the bar of the first one.
        high: whether far means high today.
        obstacle: why nothing can be said of today; empty where it can.
    """

    name: Measure
    values: Floats
    first: int
    unit: ColumnUnit
    high: bool
    obstacle: str

    @property
    def now(self) -> float:
        return float(self.values[-1])

    @property
    def as_far(self) -> Positions:
        """The places, among the values, of those before today's that are as far as it, or farther."""
        before = self.values[:-1]
        return np.flatnonzero(before >= self.now if self.high else before <= self.now)


class _After(NamedTuple):
    """What followed over one horizon: after the events, and after every bar since there is a measure."""

    horizon: int
    events: Floats
    any: Floats
    p: float


def horizons_of(text: str) -> tuple[int, ...]:
    """`5,20,60` as increasing numbers of bars.

    Raises:
        UsageError: no whole numbers from 1 on, or too many.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and 0 < int(part) < 10_000 for part in parts):
        raise UsageError(f"no horizons: {clean(text)!r}", "they are bars with commas between: --horizons 5,20,60")
    found = tuple(sorted({int(part) for part in parts}))
    if len(found) > MOST_HORIZONS:
        raise UsageError(f"{len(found)} horizons are too many", f"up to {MOST_HORIZONS} can be asked for at once")
    return found


def study(pair: Paired, by: str = "z", horizons: tuple[int, ...] = HORIZONS) -> Study:
    """What followed when the measure was as far as today.

    Raises:
        NotEnoughData: fewer than three windows, or a history that ends before the shortest horizon.
        UsageError: no such measure, or legs whose difference means nothing.
    """
    if by not in get_args(Measure):
        raise UsageError(f"analogs cannot be found by {clean(by)!r}", f"--by is {listing(get_args(Measure))}")
    asked, horizons = horizons, _fitting(pair, horizons)
    if not np.isfinite(pair.spread[-1]):
        (a, b), (ours, theirs) = pair.legs, (_in_words(one.change_unit) for one in pair.facts)
        raise UsageError(
            f"{a} changes in {ours}, {b} in {theirs}: their difference means nothing",
            "take two legs that are counted alike",
        )
    measured = _measured(pair, by)
    as_far = measured.as_far[measured.as_far < len(measured.values) - pair.bars]
    events = kernel.spaced(as_far, horizons[-1])
    after = [_after(pair, measured, events, horizon) for horizon in horizons]
    sections = (_now(pair, measured, events), _told(pair, after, asked), _listed(pair, measured, events, horizons))
    return pair.study("analogs", _findings(pair, measured, events, after), sections)


def _fitting(pair: Paired, horizons: tuple[int, ...]) -> tuple[int, ...]:
    """The horizons for which the history is long enough; where there is none, the hint names shorter ones."""
    fits, needed = (pair.n - pair.bars) // 2, _needed(pair, horizons[0])
    if pair.n < WINDOWS_NEED * pair.bars or fits < 1:
        pair.need(max(WINDOWS_NEED * pair.bars, needed), "a list of analogs")
    if fits < horizons[0]:
        shorter = ",".join(str(h) for h in sorted({max(1, fits // 12), max(1, fits // 3), fits}))
        (a, b), later = pair.legs, plural(horizons[0], "bar")
        raise NotEnoughData(
            f"{a} and {b} have {plural(pair.n, 'common return')}, to look {later} ahead needs {needed}",
            f"take shorter horizons: --horizons {shorter}; or a longer history",
        )
    return tuple(h for h in horizons if h <= fits)


def _needed(pair: Paired, horizon: int) -> int:
    """The returns that a history must have for a horizon."""
    return pair.bars + 2 * horizon


def _in_words(unit: str) -> str:
    return {"fraction": "percent", "bp": "basis points"}.get(unit, unit)


# ---------------------------------------------------------------- what is measured


def _measured(pair: Paired, by: str) -> _Measured:
    """The measure over each window of as many bars as today's."""
    a, b, bars = pair.pair.a, pair.pair.b, pair.bars
    if by == "z":
        values = past.z_scores(pair.spread, bars + 1)
        name: Measure = "z"
    elif by == "gap":
        values, name = _gaps(pair), "gap"
    else:
        values, name = rolling_correlation(a.returns, b.returns, bars), "correlation"
    now, obstacle = float(values[-1]), _obstacle(pair, by, values)
    if obstacle:
        values = np.full(len(values), NAN)
    known = values[np.isfinite(values)]
    # A correlation has no natural middle: it is far where it is away from its own.
    high = now >= (kernel.median(known) if by == "correlation" else 0)
    return _Measured(name, values, pair.n - len(values) + 1, _unit(pair) if by == "gap" else "number", high, obstacle)


def _obstacle(pair: Paired, by: str, values: Floats) -> str:
    """Why nothing can be said of today; empty where it can."""
    if float(pair.spread.var()) < EXACT * max(float(leg.var()) for leg in pair.log_levels):
        return "the legs move as one, and what is left between them is rounding"
    still = "a leg" if by == "correlation" else "the spread"
    return "" if np.isfinite(values[-1]) else f"{still} does not move over the last {plural(pair.bars, 'bar')}"


def _gaps(pair: Paired) -> Floats:
    """A's change over each window less B's, as `return_gap`; of legs that change by differences, of A - B."""
    a, b, bars = pair.pair.a, pair.pair.b, pair.bars
    if a.by_differences:
        return np.asarray((pair.spread[bars:] - pair.spread[:-bars]) * a.scale)
    return np.asarray(a.levels[bars:] / a.levels[:-bars] - b.levels[bars:] / b.levels[:-bars])


def _unit(pair: Paired) -> ColumnUnit:
    """What A's changes less B's are counted in."""
    found: dict[str, ColumnUnit] = {"fraction": "return", "bp": "bp"}
    return found.get(pair.facts[0].change_unit, "number")


def _after(pair: Paired, measured: _Measured, events: Positions, horizon: int) -> _After:
    """What followed the events whose horizon is over, and all bars since there is a measure."""
    changes = _changes(pair, horizon)[measured.first :]
    over = events[events < len(changes)]
    p = kernel.shift_test(changes, over) if len(over) >= FEWEST else NAN
    return _After(horizon, changes[over], changes, p)


def _changes(pair: Paired, horizon: int) -> Floats:
    """A's change less B's from each bar to the one `horizon` later."""
    leg = pair.pair.a
    change = pair.spread[horizon:] - pair.spread[:-horizon]
    return change * leg.scale if leg.by_differences else change


# ---------------------------------------------------------------- sections


def _now(pair: Paired, measured: _Measured, events: Positions) -> Section:
    windows = len(measured.values)
    heading = _counted(NOW, {"value": measured.unit})
    row = (
        measured.name,
        measured.now,
        past.middle_rank(measured.values, measured.now),
        len(measured.as_far) / max(1, windows - 1),
        len(events),
        windows,
        pair.n // pair.bars,
    )
    return Section(heading, (row,))


def _told(pair: Paired, after: list[_After], asked: tuple[int, ...]) -> Section:
    unit = _unit(pair)
    rows = tuple(
        (
            plural(one.horizon, "bar"),
            one.horizon,
            len(one.events),
            kernel.median(one.events),
            float(one.events.min()) if len(one.events) else NAN,
            float(one.events.max()) if len(one.events) else NAN,
            float((one.events > 0).mean()) if len(one.events) else NAN,
            kernel.median(one.any),
            float((one.any > 0).mean()),
            one.p,
        )
        for one in after
    )
    of = "A - B" if pair.pair.a.by_differences else "ln A - ln B"
    begins = f"an event begins only when {plural(after[-1].horizon, 'bar')} have passed since the last one"
    notes = (
        f"changes of {of}; {begins}, and none in the last {plural(pair.bars, 'bar')}, whose windows overlap today's",
        f"{plural(len(after), 'horizon')}, as many tries: a difference is one below p {bare(SIZE / len(after), 3)}",
        *(_left_out(pair, h) for h in asked[len(after) :]),
    )
    return Section(_counted(AFTER, dict.fromkeys(("median", "low", "high", "any_median"), unit)), rows, notes)


def _left_out(pair: Paired, horizon: int) -> str:
    return (
        f"{plural(horizon, 'bar')} later is left out: to look so far ahead needs {_needed(pair, horizon):,} common "
        f"returns, and there are {pair.n:,}; --horizons takes others"
    )


def _listed(pair: Paired, measured: _Measured, events: Positions, horizons: tuple[int, ...]) -> Section:
    columns = tuple(_later(h, _unit(pair)) for h in horizons)
    heading = EVENTS._replace(columns=(EVENTS.columns[0], EVENTS.columns[1]._replace(unit=measured.unit), *columns))
    changes = [_changes(pair, h) for h in horizons]
    places = [int(at) + measured.first for at in events]
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            pair.day(place),
            float(measured.values[at]),
            *(float(change[place]) if place < len(change) else NAN for change in changes),
        )
        for at, place in zip(events, places, strict=True)
    )
    return Section(heading, rows)


def _counted(heading: Heading, units: dict[str, ColumnUnit]) -> Heading:
    """The heading with the units of these legs in some of its columns."""
    return heading._replace(
        columns=tuple(column._replace(unit=units.get(column.key, column.unit)) for column in heading.columns)
    )


# ---------------------------------------------------------------- findings


def _findings(pair: Paired, measured: _Measured, events: Positions, after: list[_After]) -> tuple[str, ...]:
    """The middle horizon first, with how far the pair is; then the others."""
    if measured.obstacle:
        return (f"{_name(pair, measured)} cannot be said today: {measured.obstacle}",)
    far = f"{_measure_in_words(pair, measured)}: {_times(pair, measured, events)}"
    middle = after[len(after) // 2]
    others = [one for one in after if one is not middle]
    if not len(middle.events):
        return (f"{far}; nothing is known of what followed",)
    followed = [_followed(pair, one, after) for one in others if len(one.events)]
    return (f"{far}; {_followed(pair, middle, after)}", *followed)


def _name(pair: Paired, measured: _Measured) -> str:
    return {
        "z": "z of the spread",
        "gap": f"the gap over {plural(pair.bars, 'bar')}",
        "correlation": f"the correlation over {plural(pair.bars, 'bar')}",
    }[measured.name]


def _measure_in_words(pair: Paired, measured: _Measured) -> str:
    rank = past.middle_rank(measured.values, measured.now)
    usual = ", not far, so that the list is of usual days" if USUAL[0] <= rank <= USUAL[1] else ""
    value = f"{measured.now:+.2f}" if measured.name == "z" else _amount(pair, measured.now)
    if measured.name == "correlation":
        value = bare(measured.now)
    return f"{_name(pair, measured)} is {value} (percentile {shown(rank)} of its past){usual}"


def _times(pair: Paired, measured: _Measured, events: Positions) -> str:
    years = (pair.day(-1) - pair.day(measured.first)).days / 365.25
    span = f"{years:.0f} years" if years >= 1.95 else plural(max(1, round(12 * years)), "month")
    side = "high" if measured.high else "low"
    if not len(events) and len(measured.as_far):
        return f"as {side} in {span} only within the last {plural(pair.bars, 'bar')}"
    if not len(events):
        return f"never as {side} before in {span}"
    return f"{plural(len(events), 'time')} as {side} in {span}"


def _followed(pair: Paired, one: _After, after: list[_After]) -> str:
    a, b = pair.legs
    n, middle = len(one.events), kernel.median(one.events)
    lowest, highest = (_amount(pair, float(end)) for end in (one.events.min(), one.events.max()))
    told = (
        f"{plural(one.horizon, 'bar')} later {a} had moved {_amount(pair, middle)} against {b} in the median "
        f"(from {lowest} to {highest}), after any bar {_amount(pair, kernel.median(one.any))}"
    )
    if n < FEWEST:
        return f"{told}: too few to say ({plural(n, 'event')}, {FEWEST} needed)"
    differs = one.p < SIZE / len(after)
    tries = (
        f"; it takes p < {bare(SIZE / len(after), 3)} with {plural(len(after), 'horizon')}" if len(after) > 1 else ""
    )
    return f"{told}: {'a difference' if differs else 'no difference shown'} ({p_text(one.p)}, n {n}{tries})"


def _amount(pair: Paired, value: float) -> str:
    """A change, with its sign, in the unit of the legs' changes."""
    unit = pair.facts[0].change_unit
    if unit == "fraction":
        return f"{100 * value:+z.1f}%"
    return f"{value:+z.1f} {unit}"
