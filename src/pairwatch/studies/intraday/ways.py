"""The two ways to a lead within days: bars on one grid, and ticks that come when they come."""

from typing import NamedTuple

import numpy as np

from pairwatch.bars import Bars, Instants, gaps, middle, starts
from pairwatch.errors import NotEnoughData
from pairwatch.kernels import asynchronous
from pairwatch.kernels import sessions as kernel
from pairwatch.model import NAN, Floats, Positions
from pairwatch.studies.intraday.asked import Asked, Legs, finer, levels, nice, parts_of, sparsest
from pairwatch.studies.intraday.found import Found, Sums, found
from pairwatch.text import plural

# Of the leg with fewer prices while both trade, the share that must be of moments of the other's, too: one grid.
COMMON = 0.8
# A leg comes like clockwork where this share of its prices are one step apart.
REGULAR = 0.9
# Returns that a study needs.
NEED = 40


class Way(NamedTuple):
    """What was found, and what it rests on.

    Attributes:
        on_grid: whether both legs are bars of one grid.
        common: how many moments have prices of both.
        share: of the prices, while both trade, of the leg that has fewer.
        returns: how many returns count, of A and of B.
        unchanged: the share of them that are zero.
        still: whether A's, and B's, are all the same: nothing moves together with them.
        parts: into how many parts each session was cut.
        usual: the step of shifts that suits how far apart ticks are, in nanoseconds; 0 of bars.
    """

    found: Found
    on_grid: bool
    common: int
    share: float
    returns: tuple[int, int]
    unchanged: tuple[float, float]
    still: tuple[bool, bool]
    parts: int
    usual: int = 0


def way_of(legs: Legs, asked: Asked) -> Way:
    """The bars' way where most moments are common ones, the ticks' elsewhere.

    Raises:
        NotEnoughData: too few returns in common sessions.
    """
    both = min(_while_both_trade(legs))
    if not both:
        a, b = legs.names
        raise NotEnoughData(
            f"{a} and {b} never trade at the same time in {plural(len(legs.days), 'common session')}",
            "leave out --interval: their closes can be compared day by day",
        )
    here, there = _common(legs.a.times, legs.b.times)
    step = asked.interval.length or max(middle(gaps(legs.a)), middle(gaps(legs.b)))
    share = len(here) / both
    if share >= COMMON and _is_grid(legs.a.times[here], legs, step):
        return _of_bars(legs, asked, (here, there), step)
    return _of_ticks(legs, asked, len(here), share)


def _common(a: Instants, b: Instants) -> tuple[Positions, Positions]:
    """Where the moments are that both have: in A, in B."""
    if len(a) > len(b):
        there, here = _common(b, a)
        return here, there
    at = np.minimum(b.searchsorted(a), len(b) - 1)
    here = np.flatnonzero(b[at] == a)
    return here, at[here]


def _while_both_trade(legs: Legs) -> tuple[int, int]:
    """How many prices either leg has between the later first and the earlier last price of each session."""
    begins = [starts(side.sessions) for side in (legs.a, legs.b)]
    first = np.maximum(*(side.times[at] for side, at in zip((legs.a, legs.b), begins, strict=True)))
    last = np.minimum(*(side.times[at] + _lengths(side) for side, at in zip((legs.a, legs.b), begins, strict=True)))
    a, b = (
        int(np.maximum(side.times.searchsorted(last, side="right") - side.times.searchsorted(first), 0).sum())
        for side in (legs.a, legs.b)
    )
    return a, b


def _is_grid(common: Instants, legs: Legs, step: int) -> bool:
    """Whether moments stand a step apart as a rule."""
    if not step:
        return False
    return all(map(_mostly, (np.diff(common) == step, gaps(legs.a) <= step, gaps(legs.b) <= step)))


def _mostly(mask: np.ndarray[tuple[int, ...], np.dtype[np.bool]]) -> bool:
    return 2 * int(np.count_nonzero(mask)) > len(mask)


# ---------------------------------------------------------------- bars


def _of_bars(legs: Legs, asked: Asked, places: tuple[Positions, Positions], step: int) -> Way:
    days = [side.sessions[at] for side, at in zip((legs.a, legs.b), places, strict=True)]
    begins = np.union1d(starts(days[0]), starts(days[1]))  # either leg's day may be another one's, or two
    returns = [_returns(side, at, begins, step) for side, at in zip((legs.a, legs.b), places, strict=True)]
    count = int(np.isfinite(returns[0]).sum())
    _check(legs, count)
    max_lag = min(asked.max_lag, max(1, returns[0].shape[1] // 2))
    parts = parts_of(len(returns[0]), returns[0].shape[1] / max_lag)
    x, y = (_cut(leg, parts) for leg in returns)
    sums = kernel.lagged_sums(x, y, max_lag)
    unchanged = [float(np.count_nonzero(leg == 0) / count) for leg in returns]
    still = [bool(np.isnan(kernel.standardised(leg)).all()) for leg in returns]
    return Way(
        found(Sums(sums.products, sums.pairs, step, sums.pairs.sum(axis=0)), asked.seed, by_contrast=False),
        on_grid=True,
        common=len(places[0]),
        share=len(places[0]) / min(_while_both_trade(legs)),
        returns=(count, count),
        unchanged=(unchanged[0], unchanged[1]),
        still=(still[0], still[1]),
        parts=parts,
    )


def _returns(bars: Bars, at: Positions, begins: Positions, step: int) -> Floats:
    """Returns from one place of a session's grid to the next, NaN where either price is missing; (sessions, slots)."""
    times, prices = bars.times[at], bars.prices[at]
    counts = np.diff(np.append(begins, len(at)))
    # Upwards: the last bar of a session may be a short one.
    slots = -(-(times - np.repeat(times[begins], counts)) // step)
    grid = np.full((len(begins), int(slots.max()) + 1), NAN)
    grid[np.repeat(np.arange(len(begins)), counts), slots] = prices
    if bars.facts.by_differences:
        return np.asarray((grid[:, 1:] - grid[:, :-1]) * bars.facts.scale)
    return np.asarray(grid[:, 1:] / grid[:, :-1] - 1)


def _cut(returns: Floats, parts: int) -> Floats:
    """Each row cut into parts of one length, the last one filled up."""
    if parts == 1:
        return returns
    width = -(-returns.shape[1] // parts)
    filled = np.full((len(returns), width * parts), NAN)
    filled[:, : returns.shape[1]] = returns
    return filled.reshape(-1, width)


# ---------------------------------------------------------------- ticks


def _of_ticks(legs: Legs, asked: Asked, common: int, share: float) -> Way:
    usual = nice(max(middle(gaps(legs.a)), middle(gaps(legs.b)), 1))
    step = asked.interval.length or usual
    parts = parts_of(len(legs.days), _shortest(legs) / (step * asked.max_lag))
    a, b = _blocks(legs, parts)
    counts = len(a.times) - len(a.starts), len(b.times) - len(b.starts)
    _check(legs, min(counts))
    shifts = step * np.arange(-asked.max_lag, asked.max_lag + 1)
    products = asynchronous.covariances(a, b, shifts)
    moved = [float(asynchronous.variances(leg).sum()) for leg in (a, b)]
    size = float(np.sqrt(moved[0] * moved[1]))
    # One size for all shifts and resamples: what is compared are shifts.
    sizes = np.full(products.shape, size / len(products))
    unchanged = [_unchanged(side) for side in (a, b)]
    judged = found(Sums(products, sizes, step, np.zeros(0)), asked.seed, by_contrast=True)
    return Way(
        judged._replace(blur=_blur(legs) if share < COMMON else 0),
        on_grid=False,
        common=common,
        share=share,
        returns=counts,
        unchanged=(unchanged[0], unchanged[1]),
        still=(not moved[0], not moved[1]),
        parts=parts,
        usual=usual,
    )


def _shortest(legs: Legs) -> float:
    """The median length of the sessions of the leg that has the shorter ones, in nanoseconds."""
    return float(min(middle(_lengths(side)) for side in (legs.a, legs.b)))


def _lengths(bars: Bars) -> Instants:
    begins = starts(bars.sessions)
    return np.asarray(bars.times[np.append(begins[1:], len(bars)) - 1] - bars.times[begins])


def _blocks(legs: Legs, parts: int) -> tuple[asynchronous.Ticks, asynchronous.Ticks]:
    """Both legs, cut at the same moments into sessions or parts of them, in which each has two prices or more."""
    labels = [np.searchsorted(legs.days, side.sessions) for side in (legs.a, legs.b)]
    if parts > 1:
        first = np.minimum(*(side.times[starts(side.sessions)] for side in (legs.a, legs.b)))
        last = np.maximum(*(side.times[starts(side.sessions)] + _lengths(side) for side in (legs.a, legs.b)))
        width = (last - first) // parts + 1
        labels = [
            at * parts + (side.times - first[at]) // width[at]
            for at, side in zip(labels, (legs.a, legs.b), strict=True)
        ]
    size = len(legs.days) * parts
    enough = np.logical_and(*(np.bincount(at, minlength=size) >= 2 for at in labels))
    a, b = (_ticks(side, at, enough) for at, side in zip(labels, (legs.a, legs.b), strict=True))
    return a, b


def _ticks(bars: Bars, labels: Positions, enough: Positions) -> asynchronous.Ticks:
    keep = enough[labels]
    values = levels(bars)[keep] * bars.facts.scale
    return asynchronous.Ticks(bars.times[keep], values, starts(labels[keep]))  # type: ignore[arg-type]


def _unchanged(ticks: asynchronous.Ticks) -> float:
    same = np.diff(ticks.values) == 0
    same[ticks.starts[1:] - 1] = False
    return float(same.sum() / max(1, len(ticks.times) - len(ticks.starts)))


def _blur(legs: Legs) -> int:
    """Of legs that both come like clockwork, each at its own seconds: how long a lag the clocks can make.

    Ticks that come by chance overlap those of the other leg alike in both directions, so that what D compares is
    expected to be equal where nobody leads. Of two regular clocks one is always the earlier: their steps are no lead.
    """
    apart = [gaps(side) for side in (legs.a, legs.b)]
    steps = [middle(one) for one in apart]
    regular = all(len(one) and (one == step).mean() >= REGULAR for one, step in zip(apart, steps, strict=True))
    return max(steps) if regular else 0


def late(legs: Legs) -> int:
    """How much later than A's the stamps of B are, of legs of one step; in nanoseconds, 0 of other legs."""
    step, other = (middle(gaps(side)) for side in (legs.a, legs.b))
    if not step or step != other:
        return 0
    a, b = (middle(side.times % step) for side in (legs.a, legs.b))
    return (b - a + step // 2) % step - step // 2


def _check(legs: Legs, returns: int) -> None:
    if returns < NEED:
        a, b = legs.names
        worst = sparsest(legs)
        raise NotEnoughData(
            f"{a} and {b} have {plural(returns, 'return')} in {plural(len(legs.days), 'common session')}, "
            f"a lead within days needs {NEED}{f': {worst}' if worst.gone else ''}",
            finer(legs) if worst.gone else "take more days, or a shorter --interval",
        )
