"""How a pair's correlation moves: now, by regime and by year, in breakdowns, at a break, beside a factor."""

from pairwatch.kernels.dependence import LEAST_PAIRS
from pairwatch.model import Study
from pairwatch.studies.correlation import breakdowns, factor, now, regimes
from pairwatch.studies.correlation.headings import HEADINGS
from pairwatch.studies.paired import Beside, Paired

__all__ = ["HEADINGS", "brief", "study"]


def study(
    pair: Paired, *, by: Beside | None = None, benchmark: Beside | None = None, factor_leg: Beside | None = None
) -> Study:
    """The study of correlation.

    Args:
        by: the leg whose level, or volatility if it is a price, makes the regimes of volatility; by default the pair.
        benchmark: a third leg whose up and down days and drawdowns are regimes too.
        factor_leg: a third leg that is taken out of both.

    Raises:
        NotEnoughData: too few returns for any correlation, or for the factor.
        UsageError: a factor that is a leg of the pair.
    """
    pair.need(LEAST_PAIRS, "a correlation with an interval")
    rows, asked = now.placed(pair)
    splits = regimes.splits(pair, by, benchmark)
    years, gave_way, changed = regimes.years(pair), breakdowns.breakdowns(pair), breakdowns.changed(pair)
    beside = factor.factored(pair, factor_leg) if factor_leg else None
    findings = [
        now.finding(pair, asked),
        changed.finding(),
        gave_way.finding(),
        *(factor.findings(beside) if beside else ()),
        *regimes.findings(pair, splits),
        years.finding(),
    ]
    sections = [
        now.section(rows),
        regimes.section(pair, splits),
        years.section(),
        gave_way.section(),
        changed.section(),
    ]
    if beside:
        sections.append(factor.section(beside))
    third = {str(leg.leg): leg for leg in (by, benchmark, factor_leg) if leg}
    return pair.study("correlation", tuple(findings), tuple(sections), beside=tuple(third.values()))


def brief(pair: Paired) -> Study:
    """What `why` quotes: the window's correlation, the break, the breakdowns and the regimes of volatility.

    The same numbers as those of `study`, in the same places; without what chance makes of breakdowns, which takes
    longest.

    Raises:
        NotEnoughData: too few returns for any correlation.
    """
    pair.need(LEAST_PAIRS, "a correlation with an interval")
    asked, splits = now.asked_for(pair), regimes.by_volatility(pair)
    gave_way, changed = breakdowns.breakdowns(pair, by_chance=False), breakdowns.changed(pair)
    findings = (now.finding(pair, asked), changed.finding(), gave_way.finding(), *regimes.findings(pair, splits))
    sections = (now.section([asked]), regimes.section(pair, splits), gave_way.section(), changed.section())
    return pair.study("correlation", findings, sections)
