"""The line of a pair: what it does in the window, as `compare` says it."""

import math
from dataclasses import replace
from datetime import date
from typing import NamedTuple

from pairwatch import kernels, pairs, staging, stats, verdicts
from pairwatch.catalogue import PairView
from pairwatch.clocks import with_clocks
from pairwatch.histories import History
from pairwatch.model import Leadership
from pairwatch.staging import Question, Staged
from pairwatch.text import plural

KEYS = ("correlation", "return_gap", "ratio_zscore")


class Line(NamedTuple):
    """What a pair does in the window; NaN and nothing where it cannot be said.

    Attributes:
        gap: A's change less B's, counted in `unit`.
        leader: a leg and by how many bars, or `none`.
    """

    correlation: float
    gap: float
    unit: str
    z: float
    leader: str
    leads_p: float
    n: int
    as_of: date


def line(a: History, b: History, question: Question) -> Line:
    """What two histories do in the window.

    Raises:
        NotEnoughData: too few common returns.
        UsageError: legs that cannot be lined up in the way that is asked for.
    """
    staged = staging.staged(a, b, question)
    view = staged.pair
    lead = _lead(staged, question)
    ahead = staged.sides[0 if lead.lag > 0 else 1].series.leg
    leader = f"{ahead} by {plural(abs(lead.lag), 'bar')}" if lead.decided else "none"
    known = {one.statistic.key: one.value for one in stats.readings(view, None, staged.currencies, KEYS)}
    # `compare` counts these two of prices alone.
    gap, unit, z = known["return_gap"], "return", known["ratio_zscore"]
    if view.a.by_differences and view.b.by_differences and view.counted_alike:
        gap, unit, z = _difference(view)
    return Line(
        known["correlation"],
        gap,
        unit,
        z,
        leader if math.isfinite(lead.p_value) else "",
        lead.p_value,
        len(view.a.returns),
        staged.lined_up.dates[-1].item(),
    )


def _lead(staged: Staged, question: Question) -> Leadership:
    """Who leads, as `compare` has it."""
    a, b = (side.series for side in staged.sides)
    returns = staged.pair.a.returns, staged.pair.b.returns
    lags = min(question.max_lag, len(returns[0]) // pairs.LAGS_NEED)
    lead = pairs.leadership(*returns, lags, question.seed)
    lead = with_clocks(lead, a, b, a.dates[staged.lined_up.at_a], b.dates[staged.lined_up.at_b])
    return verdicts.with_verdict(replace(lead, average=staged.lined_up.average), str(a.leg), str(b.leg))


def _difference(view: PairView) -> tuple[float, str, float]:
    """What A - B, of legs that change by differences, has moved over the window, its unit, and its z."""
    a, b = view.a, view.b
    spread = a.levels - b.levels
    gap = a.change(float(a.levels[0]), float(a.levels[-1])) - b.change(float(b.levels[0]), float(b.levels[-1]))
    return gap, a.change_unit, kernels.quotient(float(spread[-1] - spread.mean()), kernels.sd(spread))
