"""Whether the legs keep together: over the whole history, the last two years, and the window."""

import math
from typing import NamedTuple

import numpy as np

from pairwatch import kernels
from pairwatch.kernels.cointegration import (
    CRITICAL_TRACE,
    EngleGranger,
    Johansen,
    critical_t,
    engle_granger,
    exceedance,
    johansen,
    johansen_lags,
    null_traces,
)
from pairwatch.kernels.draws import Draws
from pairwatch.kernels.reversion import power
from pairwatch.model import NAN, Cell, Column, Heading, Section
from pairwatch.studies.paired import Paired
from pairwatch.studies.spread.spreads import BARS, too_short

HEADING = Heading(
    "cointegration",
    "cointegration: do the legs keep together",
    "Engle and Granger's test in both directions and Johansen's trace, of the logarithms (of levels, for legs that "
    "change by differences), over the whole history, the last two years, and the window.",
    (
        Column(
            "test",
            "",
            "text",
            "A on B: the Dickey-Fuller t of what the least-squares line of A on B leaves (Engle and Granger 1987), HC3 "
            "errors, lags by the AIC up to 12 (n / 100)^(1/4). Trace: Johansen's (1991) for no cointegrating vector, "
            "and for at most one, with a constant, lags by the AIC up to 4 (n / 100)^(1/4).",
        ),
        Column("since", "since", "date", "The first close."),
        Column("closes", "closes", "count", "How many there are."),
        Column("statistic", "value", "number", "The t, or the trace."),
        Column(
            "critical",
            "5 % at",
            "number",
            "The t below which, the trace above which 5 % of unrelated walks are: MacKinnon (2010); for no vector of "
            "walks with the pair's own volatility over time, for at most one of plain ones that do not drift: 8.08 in "
            "Johansen and Juselius (1990), Oxford Bulletin of Economics and Statistics 52, table A2, simulated here.",
        ),
        Column(
            "p",
            "p",
            "probability",
            "MacKinnon's (1994) of the t, of the residuals of two series. Of the trace by a wild bootstrap (Cavaliere, "
            "Rahbek and Taylor 2010), 399 draws. None where the span is too short.",
        ),
        Column("lags", "lags", "count", "How many lagged differences the AIC chose.", wide=True),
        Column("slope", "slope", "number", "Of the least-squares line; of Johansen's vector, -b of (1, b).", wide=True),
        Column(
            "verdict",
            "together",
            "text",
            "Yes where p < .05; of the trace for at most one vector, where it exceeds its point. Too short where a "
            "spread that halves in 10 bars would be found in fewer than half of cases.",
        ),
    ),
)


class Span(NamedTuple):
    """The tests over a span that ends at the last close.

    Attributes:
        p_trace: of no cointegrating vector, by the bootstrap.
        critical: the trace that 5 % of its draws exceed.
        halves: the slopes of A on B in its first half and in its second.
    """

    begin: int
    closes: int
    forth: EngleGranger
    back: EngleGranger
    trace: Johansen
    lags: int
    p_trace: float
    critical: float
    halves: tuple[float, float]

    @property
    def short(self) -> bool:
        """Whether the tests cannot say anything here."""
        return too_short(self.closes)

    @property
    def rank(self) -> int:
        """How many cointegrating vectors there are at 5 %."""
        return self.trace.rank if self.p_trace < 0.05 else 0

    @property
    def agreed(self) -> bool | None:
        """Whether all tests say that the legs keep together; None where they do not say the same."""
        said = {self.forth.p_value < 0.05, self.back.p_value < 0.05, self.rank > 0}
        return said.pop() if len(said) == 1 else None


def spans(pair: Paired) -> tuple[Span, ...]:
    """The whole history, the last two years and the window: those that differ by a third or more."""
    whole = len(pair.days)
    lengths = [whole]
    for closes in (2 * pair.bars_per_year + 1, pair.bars + 1):
        if closes <= lengths[-1] * 2 / 3 and closes > 20:
            lengths.append(closes)
    return tuple(_span(pair, closes) for closes in lengths)


def _span(pair: Paired, closes: int) -> Span:
    y, x = (leg[-closes:] for leg in pair.log_levels)
    levels = np.column_stack([y, x])
    lags = johansen_lags(levels)
    half = closes // 2
    trace = johansen(levels, lags)
    drawn = np.full(1, NAN) if too_short(closes) else null_traces(levels, lags, Draws(pair.question.seed))
    return Span(
        len(pair.days) - closes,
        closes,
        engle_granger(y, x, robust=True),
        engle_granger(x, y, robust=True),
        trace,
        lags,
        exceedance(trace.trace[0], drawn),
        kernels.quantile(drawn, 0.95),
        (kernels.slope(x[:half], y[:half]), kernels.slope(x[half:], y[half:])),
    )


def section(pair: Paired, found: tuple[Span, ...]) -> Section:
    """Four rows a span."""
    rows = tuple(row for span in found for row in _rows(pair, span))
    return Section(HEADING, rows, tuple(_notes(found)))


def _rows(pair: Paired, span: Span) -> list[tuple[Cell, ...]]:
    since, short = pair.day(span.begin), f"too short: power {power(BARS, span.closes, 2):.0%}"
    rows: list[tuple[Cell, ...]] = []
    for name, one in (("A on B", span.forth), ("B on A", span.back)):
        p = NAN if span.short else one.p_value
        verdict = short if span.short else "yes" if p < 0.05 else "no"
        critical = critical_t(one.test.nobs, 2) if one.test.nobs else NAN
        rows.append((name, since, span.closes, one.test.t, critical, p, one.test.lags, one.slope, verdict))
    for rank, name in enumerate(("trace, r = 0", "trace, r <= 1")):
        value, critical = span.trace.trace[rank], (span.critical, CRITICAL_TRACE[1])[rank]
        p = NAN if rank else span.p_trace
        exceeds = span.rank > 0 if rank == 0 else span.rank > 1
        verdict = short if span.short else ("yes" if exceeds else "no") if rank == 0 else _second(exceeds=exceeds)
        slope = NAN if rank else -span.trace.vector[1]
        rows.append((name, since, span.closes, value, critical, p, span.lags, slope, verdict))
    return rows


def _second(*, exceeds: bool) -> str:
    """A second vector says that neither leg is a walk, and nothing of the two together."""
    return "each returns" if exceeds else "–"


def _notes(found: tuple[Span, ...]) -> list[str]:
    first, second = found[0].halves
    notes = []
    if math.isfinite(first) and math.isfinite(second):
        notes.append(
            f"the least-squares slope was {first:.2f} in the first half of the history and {second:.2f} in the second: "
            "where the line itself has moved, these tests miss what holds on either side"
        )
    if any(span.short for span in found):
        notes.append(f"power: how often a spread that halves in {BARS} bars would be found at 5 %")
    return notes
