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
    dickey_fuller_p,
    engle_granger,
    exceedance,
    johansen,
    johansen_lags,
    traces_beside,
)
from pairwatch.kernels.draws import Draws
from pairwatch.kernels.reversion import power
from pairwatch.model import NAN, Cell, Column, Heading, Section
from pairwatch.studies.paired import Paired
from pairwatch.studies.spread.spreads import BARS, too_short

SIZE = 0.05

HEADING = Heading(
    "cointegration",
    "cointegration: do the legs keep together",
    "Engle and Granger's test in both directions and Johansen's trace, of the logarithms (of levels, for legs that "
    "change by differences), over the whole history, the last two years, and the window, where these differ by a "
    "third.",
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
            "The t below which, the trace above which 5 % of unrelated walks are: MacKinnon (2010), for as "
            "many changes as statsmodels' coint takes, closes less one; for no vector of walks with the pair's own "
            "volatility over time, for at most one of plain ones that do not drift: 8.08 in "
            "Johansen and Juselius (1990), Oxford Bulletin of Economics and Statistics 52, table A2, simulated here.",
        ),
        Column(
            "p",
            "p",
            "probability",
            "MacKinnon's (1994) of the t, of the residuals of two series. Of the trace by a wild bootstrap (Cavaliere, "
            "Rahbek and Taylor 2010), 399 draws, and 1,600 more where these say .01 to .12. None where the span is too "
            "short.",
        ),
        Column("lags", "lags", "count", "How many lagged differences the AIC chose.", wide=True),
        Column("slope", "slope", "number", "Of the least-squares line; of Johansen's vector, -b of (1, b).", wide=True),
        Column(
            "plain_statistic",
            "plain t",
            "number",
            "The t with plain errors, as statsmodels' coint has it; it rejects too often where volatility clusters.",
            wide=True,
        ),
        Column("plain_p", "plain p", "probability", "MacKinnon's of the plain t.", wide=True),
        Column(
            "verdict",
            "together",
            "text",
            "Yes where p < .05; of the trace for at most one vector: where it exceeds its point, either leg by itself "
            "returns. As one where the least-squares line leaves less than a billionth of A's variance. Too short "
            "where a spread that halves in 10 bars would be found in fewer than half of cases.",
        ),
    ),
)


_NO_TRACE = Johansen((NAN, NAN), (NAN, NAN), (NAN, NAN))


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
        """How many cointegrating vectors there are at 5 %: by the bootstrap if there is one, by the table if two."""
        if not self.p_trace < SIZE:
            return 0
        return 2 if self.trace.trace[1] > CRITICAL_TRACE[1] else 1

    @property
    def as_one(self) -> bool:
        """Whether the legs are one series twice, in other units: what their line leaves is rounding."""
        return self.forth.is_exact or self.back.is_exact

    @property
    def agreed(self) -> bool | None:
        """Whether all tests say that the legs keep together; None where they do not say the same."""
        said = {self.forth.p_value < SIZE, self.back.p_value < SIZE, self.rank > 0}
        return said.pop() if len(said) == 1 else None


def spans(pair: Paired) -> tuple[Span, ...]:
    """The whole history, the last two years and the window: those that differ by a third or more."""
    lengths = [len(pair.days)]
    for closes in sorted((2 * pair.bars_per_year + 1, pair.bars + 1), reverse=True):
        if closes <= lengths[-1] * 2 / 3 and closes > 20:
            lengths.append(closes)
    return tuple(span(pair, closes) for closes in lengths)


def span(pair: Paired, closes: int) -> Span:
    """The tests of the last closes."""
    y, x = (leg[-closes:] for leg in pair.log_levels)
    levels = np.column_stack([y, x])
    lags = johansen_lags(levels)
    half = closes // 2
    forth, back = engle_granger(y, x, robust=True), engle_granger(x, y, robust=True)
    trace = _NO_TRACE if forth.is_exact or back.is_exact else johansen(levels, lags)
    value = NAN if too_short(closes) else trace.trace[0]
    drawn = traces_beside(value, levels, lags, Draws(pair.question.seed))
    return Span(
        len(pair.days) - closes,
        closes,
        forth,
        back,
        trace,
        lags,
        exceedance(value, drawn),
        kernels.quantile(drawn, 0.95),
        (kernels.slope(x[:half], y[:half]), kernels.slope(x[half:], y[half:])),
    )


def section(pair: Paired, found: tuple[Span, ...]) -> Section:
    """Four rows a span."""
    rows = tuple(row for span in found for row in _rows(pair, span))
    return Section(HEADING, rows, tuple(_notes(found)))


def _rows(pair: Paired, span: Span) -> list[tuple[Cell, ...]]:
    since, none = pair.day(span.begin), _none(span)
    rows: list[tuple[Cell, ...]] = []
    for name, one in (("A on B", span.forth), ("B on A", span.back)):
        p, plain = (NAN, NAN) if none else (one.p_value, dickey_fuller_p(one.test.plain_t, 2))
        critical = critical_t(span.closes - 1, 2) if one.test.nobs else NAN
        verdict = none or _found(found=p < SIZE)
        told = one.test.lags, one.slope, one.test.plain_t, plain, verdict
        rows.append((name, since, span.closes, one.test.t, critical, p, *told))
    for rank, name in enumerate(("trace, r = 0", "trace, r <= 1")):
        value, critical = span.trace.trace[rank], (span.critical, CRITICAL_TRACE[1])[rank]
        verdict = none or (_second(exceeds=span.rank > 1) if rank else _found(found=span.rank > 0))
        slope = NAN if rank else -span.trace.vector[1]
        p = NAN if rank else span.p_trace
        rows.append((name, since, span.closes, value, critical, p, span.lags, slope, NAN, NAN, verdict))
    return rows


def _none(span: Span) -> str:
    """Why the tests say nothing; empty where they do."""
    if span.as_one:
        return "as one"
    if span.short:
        return f"too short: power {power(BARS, span.closes, 2):.0%}"
    return "" if math.isfinite(span.forth.p_value + span.back.p_value) else "cannot be said"


def _found(*, found: bool) -> str:
    return "yes" if found else "not found"


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
