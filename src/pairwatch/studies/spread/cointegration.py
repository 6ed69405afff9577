"""Whether the legs keep together: over the whole history, the last two years, and the window."""

import math
from collections.abc import Iterator
from datetime import date
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
from pairwatch.kernels.regression import UnitRoot, dickey_fuller, few_lags
from pairwatch.kernels.reversion import power
from pairwatch.model import NAN, Cell, Column, Floats, Heading, Section
from pairwatch.studies.paired import Paired
from pairwatch.studies.spread.spreads import BARS, too_short

SIZE = 0.05

HEADING = Heading(
    "cointegration",
    "cointegration: do the legs keep together",
    "Engle and Granger's test in both directions and Johansen's trace, of the logarithms (of levels, for legs that "
    "change by differences), over the whole history, the last two years, and the window, where these differ by a "
    "third; and whether either leg returns by itself, beside which no answer of these is cointegration.",
    (
        Column(
            "test",
            "",
            "text",
            "A on B: the Dickey-Fuller t of what the least-squares line of A on B leaves (Engle and Granger 1987), HC3 "
            "errors, lags by the AIC up to 12 (n / 100)^(1/4). Trace: Johansen's (1991) for no cointegrating vector, "
            "and for at most one, with a constant, lags by the AIC up to 4 (n / 100)^(1/4). A alone, B alone: the "
            "Dickey-Fuller t of the leg itself, with a constant, HC3 errors and as few lags.",
        ),
        Column("since", "since", "date", "The first close."),
        Column("closes", "closes", "count", "How many there are."),
        Column("statistic", "value", "number", "The t, or the trace."),
        Column(
            "critical",
            "5 % at",
            "number",
            "The t below which, the trace above which 5 % of unrelated walks are: MacKinnon (2010), for as many "
            "changes as statsmodels' coint takes, closes less one, of a leg alone for those of its regression; for no "
            "vector of walks with the pair's own volatility over time, for at most one of plain ones that do not "
            "drift: 8.08 in Johansen and Juselius (1990), Oxford Bulletin of Economics and Statistics 52, table A2, "
            "simulated here.",
        ),
        Column(
            "p",
            "p",
            "probability",
            "MacKinnon's (1994) of the t, of the residuals of two series or of one alone. Of the trace by a wild "
            "bootstrap (Cavaliere, Rahbek and Taylor 2010), 399 draws, and 1,600 more where these say .01 to .12. None "
            "where the span is too short.",
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
            "Yes where p < .05. No where a leg returns by itself, by its own test or, of the trace, where that for at "
            "most one vector exceeds its point: any line through such a leg returns as well. As one where the "
            "least-squares line leaves less than a billionth of A's variance. Too short where a spread that halves in "
            "10 bars would be found in fewer than half of cases.",
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
        alone: the tests of A and of B by themselves.
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
    alone: tuple[UnitRoot, UnitRoot]

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
    def alone_p(self) -> tuple[float, float]:
        """Of no return of A, and of B, by itself; NaN where the span is too short."""
        a, b = (NAN if too_short(self.closes, 1) else dickey_fuller_p(test.t) for test in self.alone)
        return a, b

    @property
    def returning(self) -> bool:
        """Whether a leg returns by itself, so that it can be cointegrated with nothing."""
        return any(p < SIZE for p in self.alone_p)

    @property
    def doubt(self) -> bool:
        """Whether what the tests find is none of the two together: a leg returns by itself, or each by the trace."""
        return self.returning or self.rank > 1

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
        (_alone(y), _alone(x)),
    )


def _alone(leg: Floats) -> UnitRoot:
    """The test of a leg by itself; as few lags as for a half-life, for as many as of a line take 13 ms a leg."""
    return dickey_fuller(leg - leg.mean(), max_lags=few_lags(len(leg) - 1), robust=True)


def section(pair: Paired, found: tuple[Span, ...]) -> Section:
    """Six rows a span."""
    rows = tuple(row for span in found for row in _rows(pair, span))
    return Section(HEADING, rows, tuple(_notes(found)))


def _rows(pair: Paired, span: Span) -> list[tuple[Cell, ...]]:
    since, none = pair.day(span.begin), _none(span)
    rows: list[tuple[Cell, ...]] = []
    for name, one in (("A on B", span.forth), ("B on A", span.back)):
        p, plain = (NAN, NAN) if none else (one.p_value, dickey_fuller_p(one.test.plain_t, 2))
        critical = critical_t(span.closes - 1, 2) if one.test.nobs else NAN
        verdict = none or _found(found=p < SIZE, no=LEG_RETURNS if span.returning else "")
        told = one.test.lags, one.slope, one.test.plain_t, plain, verdict
        rows.append((name, since, span.closes, one.test.t, critical, p, *told))
    for rank, name in enumerate(("trace, r = 0", "trace, r <= 1")):
        value, critical = span.trace.trace[rank], (span.critical, CRITICAL_TRACE[1])[rank]
        said = none or (_second(exceeds=span.rank > 1) if rank else _found(found=span.rank > 0, no=_no(span)))
        slope = NAN if rank else -span.trace.vector[1]
        p = NAN if rank else span.p_trace
        rows.append((name, since, span.closes, value, critical, p, span.lags, slope, NAN, NAN, said))
    return [*rows, *_alone_rows(since, span)]


def _alone_rows(since: date, span: Span) -> Iterator[tuple[Cell, ...]]:
    for name, test, p in zip(("A alone", "B alone"), span.alone, span.alone_p, strict=True):
        short = "too short" if too_short(span.closes, 1) else ""
        verdict = short or ("returns" if p < SIZE else "not found" if math.isfinite(p) else "cannot be said")
        plain = NAN if short else dickey_fuller_p(test.plain_t)
        critical = critical_t(test.nobs) if math.isfinite(test.t) else NAN
        yield (name, since, span.closes, test.t, critical, p, test.lags, NAN, test.plain_t, plain, verdict)


def _none(span: Span) -> str:
    """Why the tests say nothing; empty where they do."""
    if span.as_one:
        return "as one"
    if span.short:
        return f"too short: power {power(BARS, span.closes, 2):.0%}"
    return "" if math.isfinite(span.forth.p_value + span.back.p_value) else "cannot be said"


LEG_RETURNS, EACH_RETURNS = "no: a leg returns", "no: each returns"


def _found(*, found: bool, no: str) -> str:
    """Whether the legs keep together; `no` says why that a test has found something does not say so."""
    return no or "yes" if found else "not found"


def _no(span: Span) -> str:
    """Why one cointegrating vector is none: a second one says that neither leg is a walk, as its own test may do."""
    if span.rank > 1:
        return EACH_RETURNS
    return LEG_RETURNS if span.returning else ""


def _second(*, exceeds: bool) -> str | None:
    """A second vector says nothing of the two together; without it there is nothing to say."""
    return EACH_RETURNS if exceeds else None


def _notes(found: tuple[Span, ...]) -> list[str]:
    first, second = found[0].halves
    notes = []
    if math.isfinite(first) and math.isfinite(second):
        notes.append(
            f"the least-squares slope was {first:.2f} in the first half of the history and {second:.2f} in the second: "
            "where the line itself has moved, these tests miss what holds on either side"
        )
    if any(span.doubt for span in found):
        notes.append(
            "no: a leg that returns by itself can be cointegrated with nothing; any line through it and another returns"
        )
    if any(span.short for span in found):
        notes.append(f"power: how often a spread that halves in {BARS} bars would be found at 5 %")
    return notes
