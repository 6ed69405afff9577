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
from pairwatch.kernels.tails import chi2_tail
from pairwatch.model import NAN, Cell, Column, Floats, Heading, Section
from pairwatch.studies.paired import Paired
from pairwatch.studies.spread.spreads import BARS, too_short

SIZE = 0.05
# A leg's own test also finds what returns to the other leg and not by itself: of a walk with AR(1) noise of .9, whose
# shocks are twice the walk's, in 28 to 47 % of cases. So the legs' one vector must fit that leg alone, too. Of legs
# that do return, 0 to 1 % are refused at .001, 1 to 5 % at .01; of walks with such noise 2 to 8 % of 505 closes pass
# .01, 0 to 1 % of 1,000, and none of 2,500.
REFUSED, FITS = 0.001, 0.01
RETURNS, EITHER, NOT_ALONE = "returns", "alone or not", "not alone"

HEADING = Heading(
    "cointegration",
    "cointegration: do the legs keep together",
    "Engle and Granger's test in both directions and Johansen's trace, of the logarithms (of levels, for legs that "
    "change by differences), over the whole history, the last two years, and the window, where these differ by a "
    "third; and whether either leg returns by itself, beside which no answer of these is cointegration. A leg that "
    "keeps to the other may look in its own test as if it returned by itself; Johansen's vector tells them apart.",
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
            "lone_p",
            "p of alone",
            "probability",
            "Of a leg alone: of so much less likelihood where Johansen's vector is that leg alone, if it is: "
            "chi-squared of one degree (Johansen and Juselius 1990). None where there are two vectors.",
            wide=True,
        ),
        Column(
            "verdict",
            "together",
            "text",
            "Yes where p < .05. No where a leg returns by itself, by its own test or, of the trace, where that for at "
            "most one vector exceeds its point: any line through such a leg returns as well. As one where the "
            "least-squares line leaves less than a billionth of A's variance. Too short where a spread that halves in "
            "10 bars would be found in fewer than half of cases. A leg alone returns where p < .05 and Johansen's "
            "vector may be that leg alone, p of alone .01 or more. Not alone: p of alone is below .001, and what its "
            "own test finds is its return to the other. Alone or not: between these.",
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
    def lone_p(self) -> tuple[float, float]:
        """Of Johansen's vector being A alone, and B alone, if there is one vector; NaN where it cannot be said."""
        none = self.rank > 1 or too_short(self.closes, 1)
        a, b = (NAN if none else chi2_tail(lost, 1) for lost in self.trace.lone)
        return a, b

    @property
    def own(self) -> tuple[str, str]:
        """Whether A, and B, returns by itself: `RETURNS`, `EITHER`, `NOT_ALONE`, not found, or cannot be said."""
        a, b = (_own(p, lone_p) for p, lone_p in zip(self.alone_p, self.lone_p, strict=True))
        return a, b

    @property
    def returning(self) -> bool:
        """Whether a leg returns by itself, so that it can be cointegrated with nothing."""
        return RETURNS in self.own

    @property
    def unclear(self) -> bool:
        """Whether a leg returns by itself or with the other, and which of both does not show."""
        return EITHER in self.own and not self.doubt

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


def _own(p: float, lone_p: float) -> str:
    """What a leg's own test says beside Johansen's vector."""
    if not p < SIZE:
        return "not found" if math.isfinite(p) else "cannot be said"
    if lone_p < REFUSED:
        return NOT_ALONE
    return EITHER if lone_p < FITS else RETURNS


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
        verdict = none or _found(found=p < SIZE, no=_because(span))
        told = one.test.lags, one.slope, one.test.plain_t, plain, NAN, verdict
        rows.append((name, since, span.closes, one.test.t, critical, p, *told))
    for rank, name in enumerate(("trace, r = 0", "trace, r <= 1")):
        value, critical = span.trace.trace[rank], (span.critical, CRITICAL_TRACE[1])[rank]
        said = none or (_second(exceeds=span.rank > 1) if rank else _found(found=span.rank > 0, no=_no(span)))
        slope = NAN if rank else -span.trace.vector[1]
        p = NAN if rank else span.p_trace
        rows.append((name, since, span.closes, value, critical, p, span.lags, slope, NAN, NAN, NAN, said))
    return [*rows, *_alone_rows(since, span)]


def _alone_rows(since: date, span: Span) -> Iterator[tuple[Cell, ...]]:
    each = zip(("A alone", "B alone"), span.alone, span.alone_p, span.lone_p, span.own, strict=True)
    for name, test, p, lone_p, own in each:
        short = "too short" if too_short(span.closes, 1) else ""
        plain = NAN if short else dickey_fuller_p(test.plain_t)
        critical = critical_t(test.nobs) if math.isfinite(test.t) else NAN
        yield (name, since, span.closes, test.t, critical, p, test.lags, NAN, test.plain_t, plain, lone_p, short or own)


def _none(span: Span) -> str:
    """Why the tests say nothing; empty where they do."""
    if span.as_one:
        return "as one"
    if span.short:
        return f"too short: power {power(BARS, span.closes, 2):.0%}"
    return "" if math.isfinite(span.forth.p_value + span.back.p_value) else "cannot be said"


LEG_RETURNS, EACH_RETURNS, UNCLEAR = "no: a leg returns", "no: each returns", "cannot be said"


def _found(*, found: bool, no: str) -> str:
    """Whether the legs keep together; `no` says why that a test has found something does not say so."""
    return no or "yes" if found else "not found"


def _no(span: Span) -> str:
    """Why one cointegrating vector is none: a second one says that neither leg is a walk, as its own test may do."""
    if span.rank > 1:
        return EACH_RETURNS
    return _because(span)


def _because(span: Span) -> str:
    """Why a return that is found need not be that of the two together."""
    return LEG_RETURNS if span.returning else UNCLEAR if span.unclear else ""


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
    said = {own for span in found for own in span.own}
    if EITHER in said:
        notes.append(f"{EITHER}: a leg returns by itself, or keeps to the other: Johansen's vector does not tell")
    if NOT_ALONE in said:
        notes.append(f"{NOT_ALONE}: a leg keeps to the other, which its own test takes for a return by itself")
    if any(span.short for span in found):
        notes.append(f"power: how often a spread that halves in {BARS} bars would be found at 5 %")
    return notes
