"""Cached legs that move with a leg of which the catalogue knows no asset class."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from pairwatch import kernels
from pairwatch.alignment import FEWEST_RETURNS
from pairwatch.errors import PairwatchError
from pairwatch.histories import History
from pairwatch.kernels.tails import normal_quantile
from pairwatch.lead import SIZE
from pairwatch.model import Floats, Leg
from pairwatch.studies.paired import Paired, beside, paired
from pairwatch.studies.related.candidates import Candidate, Held
from pairwatch.text import listing, plural
from pairwatch.verdicts import bare

# Among so many cached legs those that move with an unknown one are looked for.
MOST_LOOKED_AT = 500


class _Moving(NamedTuple):
    """A cached leg beside one of the pair's: the correlation of their returns in the window, and how sure it is."""

    candidate: Candidate
    correlation: float
    t: float


def moving(
    pair: Paired, unknown: Sequence[Leg], cached: Sequence[Leg], held: Held
) -> tuple[list[Candidate], tuple[str, ...]]:
    """The cached legs that clearly move with a leg of which no asset class is known, the closest first; and remarks.

    Clearly: also for the closest of as many unrelated ones.
    """
    if not unknown:
        return [], ()
    others = [leg for leg in sorted(cached, key=str) if leg not in pair.legs]
    looked_at = [(leg, history) for leg in others[:MOST_LOOKED_AT] if (history := held(leg))]
    window = paired(*pair.staged.sides, pair.question, since=pair.day(-1 - min(max(pair.bars, FEWEST_RETURNS), pair.n)))
    found = [one for leg, history in looked_at for one in _beside(window, unknown, leg, history)]
    enough = normal_quantile(1 - SIZE / (2 * max(1, len(found))))
    clear = sorted((one for one in found if one.t > enough), key=lambda one: (-abs(one.correlation), one.candidate.why))
    said = f"the catalogue has no asset class for {listing(unknown)}: of {plural(len(looked_at), 'cached leg')}"
    if len(others) > MOST_LOOKED_AT:
        said += f", the first of {len(others):,},"
    many = f"{len(clear)} move" if len(clear) > 1 else "1 moves" if clear else "none moves"
    told = f"{said} {many} with a leg of it clearly ({SIZE:.0%} for all of them together)"
    return [one.candidate for one in clear], (told,)


def _beside(pair: Paired, unknown: Sequence[Leg], leg: Leg, history: History) -> Iterator[_Moving]:
    """One cached leg beside each of the pair's that is unknown, where there are returns enough."""
    try:
        theirs = beside(_since(history, pair.days[0]), pair).returns
    except PairwatchError:  # no day in common
        return
    known = np.isfinite(theirs)
    n = int(np.count_nonzero(known))
    if n < FEWEST_RETURNS:
        return
    for own, view in zip(pair.legs, (pair.pair.a, pair.pair.b), strict=True):
        if own in unknown:
            ours = view.returns[known]
            r = kernels.correlation(ours, theirs[known])
            legs = (own, leg) if own == pair.legs[0] else (leg, own)
            relation, why = "moves", f"{leg} moves with {own}: correlation {bare(r)} over {plural(n, 'bar')}"
            if _are_same(ours, theirs[known]):
                relation, why = "same", f"{leg} is the same series as {own}, over all {plural(n, 'bar')}"
            yield _Moving(Candidate(*legs, relation, why), r, surprise(ours, theirs[known]))


def _are_same(one: Floats, other: Floats) -> bool:
    """Whether returns are the same but for rounding; those of all zeros are nobody's."""
    return bool(np.any(one)) and bool(np.allclose(one, other, rtol=1e-9, atol=1e-12))


def _since(history: History, day: np.datetime64) -> History:
    """The history from a day on: a window does not need the rest of it."""
    series = history.series
    first = int(series.dates.searchsorted(day))
    events = tuple(event for event in series.events if event.day >= day)
    return replace(
        history, series=replace(series, dates=series.dates[first:], closes=series.closes[first:], events=events)
    )


def surprise(a: Floats, b: Floats) -> float:
    """How many of its standard errors the sum of products stands from zero, whatever the volatilities do.

    |sum x y| / sqrt(sum (x y)^2), centred; standard normal where the legs are unrelated (White 1980).
    """
    products = (a - a.mean()) * (b - b.mean())
    return abs(kernels.quotient(float(products.sum()), math.sqrt(float(np.sum(products * products)))))
