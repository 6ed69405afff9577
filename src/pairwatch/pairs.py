"""Two histories, lined up and compared."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from pairwatch import catalogue, receipts, staging, stats, verdicts
from pairwatch import lead as leads
from pairwatch.clocks import with_clocks
from pairwatch.errors import UsageError
from pairwatch.histories import History
from pairwatch.model import (
    Absent,
    Claim,
    Comparison,
    Floats,
    Leadership,
    Reading,
    Scope,
)
from pairwatch.model.results import UNUSUAL, Percentiles
from pairwatch.staging import Question, Staged, check_whole
from pairwatch.stats import legs, percentiles
from pairwatch.stats.past import LegPast, PairPast
from pairwatch.text import plural

# A lag of L bars is judged from 3 L returns or more.
LAGS_NEED = 3
# So many unusual numbers are named.
MOST_NAMED = 4


def compare(a: History, b: History, question: Question, *, trouble: str = "", with_past: bool = False) -> Comparison:
    """Everything there is to say about the pair A, B.

    Args:
        trouble: one more warning, of the cache.
        with_past: whether to say how usual the numbers are in the pair's own history, too.

    Raises:
        NotEnoughData: fewer than `FEWEST_RETURNS` common returns, or closes that no return can be made of.
        UsageError: legs that cannot be lined up in the way that is asked for.
    """
    staged = staging.staged(a, b, question)
    first, second = staged.sides
    lead = _judged(_lead(staged, question), staged)
    readings = stats.readings(staged.pair, lead, staged.currencies)
    absent = (*catalogue.absent(staged.pair), *_too_early(staged))
    receipt = staging.receipt(staged, question, lead.max_lag, absent)
    shortened = _shortened(question, receipt.matched - 1, lead.max_lag)
    remarks = (*receipts.warnings(receipt, lead, staged.lined_up), *shortened)
    past = percentiles.percentiles(past_of(staged), staged.lined_up.every.dates, readings) if with_past else None
    return Comparison(
        a=first.series.leg,
        b=second.series.leg,
        as_of=receipt.end,
        window=question.window,
        readings=readings,
        leadership=lead,
        claims=(
            *verdicts.claims(
                first.series.leg,
                second.series.leg,
                {(r.scope, r.statistic.key): r.value for r in readings},
                (first.series.facts, second.series.facts),
                receipt.bars_per_year,
            ),
            *_unusual(past, readings, (str(first.series.leg), str(second.series.leg))),
        ),
        receipt=receipt,
        warnings=tuple(text for text in (trouble, *remarks) if text),
        percentiles=past,
    )


def some_readings(a: History, b: History, question: Question, keys: Collection[str]) -> tuple[Reading, ...]:
    """The readings of a few statistics alone; the lead test is made only where one of its numbers is among them.

    Raises:
        NotEnoughData, UsageError: as `compare` does.
    """
    staged = staging.staged(a, b, question)
    lead = _lead(staged, question) if any(e.scope == "leadership" and e.key in keys for e in stats.entries()) else None
    return stats.readings(staged.pair, lead, staged.currencies, keys)


def _lead(staged: Staged, question: Question) -> Leadership:
    a, b = staged.pair.a.returns, staged.pair.b.returns
    return _measured(a, b, min(question.max_lag, len(a) // LAGS_NEED), question.seed)


def _judged(lead: Leadership, staged: Staged) -> Leadership:
    """The leadership with its verdict; neither the legs' clocks nor a period's average are called a leader."""
    (a, b), lined_up = (side.series for side in staged.sides), staged.lined_up
    lead = with_clocks(lead, a, b, a.dates[lined_up.at_a], b.dates[lined_up.at_b])
    return verdicts.with_verdict(replace(lead, average=lined_up.average), str(a.leg), str(b.leg))


def _shortened(question: Question, returns: int, max_lag: int) -> list[str]:
    """What was asked for and could not be had in full."""
    found = []
    if question.window.unit == "b" and returns < question.window.count:
        found.append(f"the window holds {plural(returns, 'return')}, not {question.window.count}: there are no more")
    if max_lag < question.max_lag:
        found.append(f"lags to {max_lag} only, not {question.max_lag}: {plural(returns, 'return')} carry no more")
    return found


def _too_early(staged: Staged) -> tuple[Absent, ...]:
    """The changes for which a leg's history begins too late."""
    scopes: tuple[Scope, Scope] = ("a", "b")
    return tuple(
        Absent(scope, keys, f"{side.series.leg} begins on {side.series.dates[0]}")
        for scope, side, view in zip(scopes, staged.sides, (staged.pair.a, staged.pair.b), strict=True)
        if (keys := legs.before(view, side.series.dates[0].item()))
    )


# ---------------------------------------------------------------- how usual it is


def past_of(staged: Staged) -> PairPast:
    """The pair's whole history, for windows of as many bars as today's."""
    every, window = staged.lined_up.every, len(staged.pair.a.returns)
    a, b = (
        LegPast(
            view,
            # Of the faster of two legs of different frequencies, the closes of the bars are all that count.
            np.arange(len(at)) if staged.lined_up.average == side else at,
            history.series.closes[at],
            window,
        )
        for view, at, history, side in zip(
            staged.pair[:2], (every.at_a, every.at_b), staged.sides, (1, -1), strict=True
        )
    )
    return PairPast(a, b)


def _unusual(found: Percentiles | None, readings: tuple[Reading, ...], legs: tuple[str, str]) -> tuple[Claim, ...]:
    """The claim that today is unusual: decided by how often in the pair's history as many numbers were as far out."""
    if found is None or not found.unusual:
        return ()
    labels = {(r.scope, r.statistic.key): r.statistic.label for r in readings}
    whose = {"a": f"{legs[0]}'s ", "b": f"{legs[1]}'s ", "difference": "A - B of "}
    farthest = [
        f"{whose.get(scope, '')}{labels[scope, key]} ({percentiles.shown(found.of[scope, key])})"
        for scope, key in found.unusual[:MOST_NAMED]
    ]
    many = len(found.of)
    because = (
        f"{len(found.unusual)} of {plural(many, 'number')} at or beyond the 5th or 95th percentile of the past, by "
        f"chance about {2 * UNUSUAL * many:.0f}; as many on {found.as_many:.0%} of all days, for numbers go together; "
        f"farthest {', '.join(farthest)}"
    )
    if found.independent < 1 / UNUSUAL:
        few = f"; {plural(found.independent, 'window')} without a common bar cannot show more"
        return (Claim("today is unusual for the pair", "INCONCLUSIVE", because + few),)
    return (Claim("today is unusual for the pair", "TRUE" if found.as_many <= UNUSUAL else "FALSE", because),)


# ---------------------------------------------------------------- leadership


def leadership(a: Floats, b: Floats, max_lag: int = 10, seed: int = 0) -> Leadership:
    """Who leads whom, of two equally long arrays of returns; see `pairwatch.lead`.

    Raises:
        UsageError: not two equally long vectors of finite numbers, or too short for `max_lag`.
    """
    check_whole("largest lag", max_lag, 1)
    check_whole("seed", seed, 0)
    try:
        a, b = np.asarray(a, dtype="f8"), np.asarray(b, dtype="f8")
    except (TypeError, ValueError):
        raise UsageError("leadership takes two arrays of returns, and these are not numbers") from None
    if a.ndim != 1 or a.shape != b.shape or not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise UsageError(
            "leadership takes two equally long arrays of finite returns", "drop the missing days of both first"
        )
    longest = len(a) // LAGS_NEED
    if max_lag > longest:
        raise UsageError(
            f"a lag of up to {max_lag} bars cannot be judged from {plural(len(a), 'return')}",
            f"use a largest lag from 1 to {longest}" if longest else "use a longer window",
        )
    return verdicts.with_verdict(_measured(a, b, max_lag, seed), "A", "B")


def _measured(a: Floats, b: Floats, max_lag: int, seed: int) -> Leadership:
    """The leadership without its verdict."""
    found = leads.lead_test(a, b, max_lag, seed)
    correlations = leads.cross_correlations(a, b, max_lag)
    return Leadership(found.lag, found.asymmetry, found.p_value, found.detectable, correlations)
