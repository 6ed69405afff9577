"""What is left of the pair when what a third leg explains is taken out of both."""

import math
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

import numpy as np

from pairwatch import kernels
from pairwatch.errors import NotEnoughData, UsageError
from pairwatch.kernels.cointegration import dickey_fuller_p
from pairwatch.kernels.dependence import Estimate, estimated_correlation, estimated_slope
from pairwatch.kernels.regression import dickey_fuller, few_lags
from pairwatch.kernels.reversion import HalfLife, half_life
from pairwatch.kernels.rolling import rolling_correlation, window_sums
from pairwatch.model import NAN, Cell, Floats, Section
from pairwatch.studies.correlation.headings import FACTOR
from pairwatch.studies.correlation.now import percentile
from pairwatch.studies.correlation.phrases import between, chance, ordinal, plain, silence
from pairwatch.studies.paired import WINDOWS_NEED, Beside, Paired
from pairwatch.text import plural

BARS = 90
"""Of the rolling partial correlation, and of the betas of the idiosyncratic spread."""
LEAST = 30
"""Fewer common returns say nothing about a factor."""
NEARLY_ALL = 0.9
"""The test is made of a spread that is known on so many of the pair's bars."""
SURE = 0.05
# A factor that ends more than a week before the pair, or a bar where those are longer, says nothing of now.
_WEEKS = 52
_NO_LIFE = HalfLife(NAN, NAN, NAN)


# What no interval of one span can hold; `benchmarks/calibration.py` has the numbers.
BETAS = (
    "betas: intervals of what held over these bars; where volatility comes in clusters of each leg's own, 3 to 5 in 10 "
    "miss what holds in the long run"
)


class Spread(NamedTuple):
    """What A made beyond its beta to the factor, less what B did, added up.

    Attributes:
        path: in the changes' unit, on the bars on which the factor has a change; empty where it cannot be said.
        missing: how many of the pair's bars since it begins have none.
        gone: what it went in the window that was asked for; NaN where bars of that are missing.
        z: of its last value in that window.
        life: bars in which a deviation halves.
        p_value: of the Dickey-Fuller test.
        silent: why there is no path, or no gone and z; `untested`: why there is no test.
    """

    path: Floats
    missing: int = 0
    gone: float = NAN
    z: float = NAN
    life: HalfLife = _NO_LIFE
    p_value: float = NAN
    silent: str = ""
    untested: str = ""


class Factored(NamedTuple):
    """A pair beside a factor, on the days on which that is known."""

    pair: Paired
    factor: Beside
    returns: tuple[Floats, Floats, Floats]
    whole: Estimate
    partial: Estimate
    recent: Estimate
    rolling: Floats
    betas: tuple[Estimate, Estimate]
    relations: tuple[float, float]
    spread: Spread

    @property
    def n(self) -> int:
        """Common returns of all three."""
        return len(self.returns[0])

    @property
    def silent_now(self) -> str:
        """Why the last bars that all three have are not those of now; empty where they are."""
        return _ended(self.pair, self.factor)

    @property
    def spread_begins(self) -> date:
        """The day of the first return of the idiosyncratic spread."""
        known = np.flatnonzero(np.isfinite(self.factor.returns))
        return self.pair.day(int(known[BARS]) + 1)

    @property
    def explained(self) -> float:
        """The share of the pair's covariance that moves with the factor: r(a, f) r(b, f) / r(a, b).

        NaN where the pair has no correlation to be explained.
        """
        if self.whole.low <= 0 <= self.whole.high:
            return NAN
        return kernels.quotient(self.relations[0] * self.relations[1], self.whole.value)

    @property
    def percentile(self) -> float:
        """Of the last rolling partial correlation, of the bars on which the factor has a change."""
        said = not self.silent_now and self.n // BARS >= WINDOWS_NEED and self.recent.error > 0
        return percentile(self.rolling) if said else NAN


def factored(pair: Paired, factor: Beside) -> Factored:
    """The pair with and without what a third leg explains.

    Raises:
        UsageError: the factor is one of the legs.
        NotEnoughData: too few returns that all three have.
    """
    if factor.leg in pair.legs:
        raise UsageError(f"the factor {factor.leg} is a leg of the pair", "a third leg: --factor SPY")
    known = np.isfinite(factor.returns)
    a, b, f = pair.pair.a.returns[known], pair.pair.b.returns[known], factor.returns[known]
    if len(f) < LEAST or not kernels.sd(f):
        raise NotEnoughData(
            f"{factor.leg} has {plural(len(f), 'return')} on the days of {pair.legs[0]} and {pair.legs[1]},"
            f" a factor needs {LEAST} that move",
            "take a factor with a longer history, or an earlier --since",
        )
    bars = min(BARS, len(f))
    recent = a[-bars:], b[-bars:], f[-bars:]
    return Factored(
        pair,
        factor,
        (a, b, f),
        estimated_correlation(a, b),
        estimated_correlation(_rest(a, f), _rest(b, f)),
        estimated_correlation(_rest(recent[0], recent[2]), _rest(recent[1], recent[2])),
        _rolling_partial(a, b, f, bars),
        (estimated_slope(f, a), estimated_slope(f, b)),
        (kernels.correlation(a, f), kernels.correlation(b, f)),
        _spread(pair, factor, (a, b, f)),
    )


def _ended(pair: Paired, factor: Beside) -> str:
    """Since when the factor has no change, if that is longer than a late publication."""
    last = int(np.flatnonzero(np.isfinite(factor.returns))[-1])
    if pair.n - 1 - last <= max(1, pair.bars_per_year // _WEEKS):
        return ""
    return f"{factor.leg} ends on {pair.day(last + 1)}, {plural(pair.n - 1 - last, 'bar')} before {pair.day(-1)}"


def _rest(returns: Floats, factor: Floats) -> Floats:
    """What a least-squares line on the factor leaves."""
    slope = kernels.slope(factor, returns)
    return np.asarray(returns - returns.mean() - (0.0 if math.isnan(slope) else slope) * (factor - factor.mean()))


def _rolling_partial(a: Floats, b: Floats, f: Floats, bars: int) -> Floats:
    """(r_ab - r_af r_bf) / sqrt((1 - r_af^2) (1 - r_bf^2)) of each window; NaN where the factor is a leg's all."""
    ab, af, bf = (rolling_correlation(x, y, bars) for x, y in ((a, b), (a, f), (b, f)))
    left = (1 - af * af) * (1 - bf * bf)
    there = left > kernels.NOISE
    found = np.full(len(ab), NAN)
    found[there] = ((ab - af * bf)[there] / np.sqrt(left[there])).clip(-1, 1)
    return found


# ---------------------------------------------------------------- the idiosyncratic spread


def _spread(pair: Paired, factor: Beside, returns: tuple[Floats, Floats, Floats]) -> Spread:
    """What of it can be said: nothing is joined over bars on which the factor has no change."""
    if not pair.pair.counted_alike:
        return Spread(np.empty(0), silent="the legs' changes are not counted in the same thing")
    if silence(pair):
        return Spread(np.empty(0), silent=silence(pair))
    known = np.isfinite(factor.returns)
    count = int(np.count_nonzero(known))
    if count < 2 * BARS:
        return Spread(np.empty(0), silent=f"{plural(count, 'bar')} with {factor.leg} are fewer than {2 * BARS}")
    path = beyond(*returns)
    lasted = len(known) - int(np.flatnonzero(known)[BARS])
    found = Spread(path, lasted - (len(path) - 1))
    return _tested(_placed(found, pair, factor), lasted, factor)


def beyond(a: Floats, b: Floats, f: Floats) -> Floats:
    """Returns beyond the beta of the `BARS` bars before, A's less B's, added up: nothing in it was known only later."""
    own = [(x[BARS:] - _betas_before(x, f) * f[BARS:]) for x in (a, b)]
    return np.concatenate([[0.0], (own[0] - own[1]).cumsum()])


def _placed(s: Spread, pair: Paired, factor: Beside) -> Spread:
    """With what it did in the window that was asked for."""
    back = min(pair.bars, len(s.path) - 1)
    gaps = int(np.count_nonzero(np.isnan(factor.returns[-back:])))
    if gaps:
        few = f"{factor.leg} has no change on {gaps:,} of the last {plural(back, 'bar')}"
        return s._replace(silent=_ended(pair, factor) or few)
    last = s.path[-back - 1 :]
    z = kernels.quotient(float(last[-1] - last.mean()), kernels.sd(last))
    return s._replace(gone=float(last[-1] - last[0]), z=z, silent="" if math.isfinite(z) else "it does not move")


def _tested(s: Spread, lasted: int, factor: Beside) -> Spread:
    """With the test of whether it returns: robust, and a half-life of few lags, as the study of the spread has them."""
    if len(s.path) - 1 < NEARLY_ALL * lasted:
        return s._replace(untested=f"{factor.leg} has no change on {s.missing:,} of {plural(lasted, 'bar')}")
    t = dickey_fuller(s.path, robust=True).t
    if not math.isfinite(t):
        return s._replace(untested="it does not move")
    life = half_life(dickey_fuller(s.path, max_lags=few_lags(len(s.path)), robust=True))
    return s._replace(p_value=dickey_fuller_p(t), life=life)


def _betas_before(x: Floats, f: Floats) -> Floats:
    """The slope on the factor over the `BARS` bars before each; shape (n - BARS,), 0 where the factor stood still."""
    u, v = x - x[0], f - f[0]
    sums = [window_sums(values, BARS)[:-1] for values in (u, v, u * v, v * v)]
    covariance = sums[2] - sums[0] * sums[1] / BARS
    variance = sums[3] - sums[1] * sums[1] / BARS
    moves = variance > kernels.NOISE * max(float(variance.max()), 0.0)
    return np.divide(covariance, variance, out=np.zeros(len(variance)), where=moves)


# ---------------------------------------------------------------- what is said


def section(f: Factored) -> Section:
    """A row a number."""
    legs, name = f.pair.legs, str(f.factor.leg)
    rows: list[tuple[Cell, ...]] = [
        _row("correlation", f.whole),
        _row(f"without {name}", f.partial),
        *([] if f.silent_now else [_row(f"without {name}, {f.recent.n} bars", f.recent, percentile=f.percentile)]),
        ("share of covariance explained", f.explained, None, None, "fraction", None, None, f.n),
    ]
    for leg, beta, r in zip(legs, f.betas, f.relations, strict=True):
        rows.append(_row(f"beta of {leg} to {name}", beta))
        rows.append((f"{leg}: variance of its own", 1 - r * r, None, None, "fraction", None, None, f.n))
    notes = [
        "without: correlation of what least squares on the factor leave of both legs (partial correlation)",
        BETAS,
    ]
    if f.silent_now:
        notes.append(f"what is left over {f.recent.n} bars cannot be said now: {f.silent_now}")
    left_out = f.pair.n - f.n
    if left_out:
        notes.append(
            f"left out: {plural(left_out, 'bar')} of {f.pair.n:,} on which {name} has no change; {BARS} bars, too, are"
            " of those on which it has one"
        )
    if len(f.spread.path):
        rows += _spread_rows(f)
    return Section(FACTOR, tuple(rows), (*notes, *_spread_notes(f)))


def _spread_notes(f: Factored) -> Iterator[str]:
    s = f.spread
    if not len(s.path):
        yield f"no spread of their own: {s.silent}"
        return
    missing = f" ({s.missing:,} missing)" if s.missing else ""
    yield (
        f"spread of their own: returns beyond the beta of the {BARS} bars before, A's less B's, added up from"
        f" {f.spread_begins} on; its test over {plural(len(s.path) - 1, 'bar')}{missing}"
    )
    if s.silent:
        yield f"where it is in the window cannot be said now: {s.silent}"
    if s.untested:
        yield f"whether it returns cannot be said: {s.untested}"
    elif not s.life.is_bounded:
        yield "the half-life's interval has no upper end: it may never return"


def _row(what: str, e: Estimate, percentile: float | None = None) -> tuple[Cell, ...]:
    return (what, e.value, e.low, e.high, "number", percentile, None, e.n)


def _spread_rows(f: Factored) -> Iterator[tuple[Cell, ...]]:
    s, unit = f.spread, "return" if f.pair.pair.a.change_unit == "fraction" else f.pair.pair.a.change_unit
    n = len(s.path) - 1
    back = min(f.pair.bars, n)
    bars, low, high = (x if math.isfinite(x) else NAN for x in (s.life.bars, s.life.low, s.life.high))
    yield (f"spread of their own, {plural(back, 'bar')}", s.gone, None, None, unit, None, None, back)
    yield ("its z in that window", s.z, None, None, "number", None, None, back)
    yield ("its half-life", bars, low, high, "bars", None, s.p_value, n)


def findings(f: Factored) -> Iterator[str]:
    """What the factor explains, and whether what is left returns."""
    name, e = str(f.factor.leg), f.partial
    share = f"{f.explained:z.0%}" if math.isfinite(f.explained) else "nothing that can be told"
    explained = f"{name} explains {share} of the covariance over {plural(f.n, 'return')}"
    zero = " (not apart from 0)" if e.low <= 0 <= e.high else ""
    left = f"without it r is {plain(e.value)} {between(e.low, e.high)}{zero} where it was {plain(f.whole.value)}"
    lately = f"{plain(f.recent.value)} {between(f.recent.low, f.recent.high)} over {f.recent.n} bars"
    if f.silent_now:
        lately = f"over the last {f.recent.n} bars it cannot be said now ({f.silent_now})"
    elif math.isfinite(f.percentile):
        lately += f", {ordinal(f.percentile)} percentile of {f.n // BARS} windows that do not overlap"
    yield f"{explained}; {left}; {lately}"
    s = f.spread
    if not len(s.path):
        return
    own = f"the spread of their own, beyond {name},"
    place = f"{own} is at z {s.z:+z.1f} of {plural(min(f.pair.bars, len(s.path) - 1), 'bar')}"
    if s.silent:
        why = "either" if f.silent_now else f"({s.silent})"  # the former has just been said
        place = f"the z of {own} cannot be said now {why}"
    yield f"{place}; {_returns(s)}"


def _returns(s: Spread) -> str:
    """Whether it returns, and how soon."""
    if s.untested:
        return f"whether it returns cannot be said ({s.untested})"
    rests = f"{chance(s.p_value)} over {plural(len(s.path) - 1, 'bar')}"
    if not s.p_value < SURE:
        return f"not shown to return ({rests})"
    if not s.life.is_bounded:
        return f"it returns, but its half-life has no upper end ({rests})"
    return f"it returns by half in {s.life.bars:.0f} bars [{s.life.low:.0f}, {s.life.high:.0f}] ({rests})"
