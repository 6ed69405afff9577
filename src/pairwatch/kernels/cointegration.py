"""Whether two series keep together: Engle-Granger's test and Johansen's; and whether one's past tells of the other.

The tables are asymptotic: in short windows the tests are looser than they say.
"""

import math
from typing import NamedTuple

import numpy as np

from pairwatch.kernels.draws import Draws
from pairwatch.kernels.regression import UnitRoot, dickey_fuller, few_lags, lagged, least_squares, nested_rss, triangle
from pairwatch.model import NAN, Floats, Positions

# MacKinnon (1994), J. Business & Economic Statistics 12(2), tables 3 and 4: the t of a Dickey-Fuller regression with a
# constant, for one series and for the residuals of two. The t's range, the border of the two polynomials, and these.
_TAU = (
    (-18.83, 2.74, -1.61, (2.1659, 1.4412, 0.038269), (1.7339, 0.93202, -0.12745, -0.010368)),
    (-18.86, 0.92, -2.62, (2.92, 1.5012, 0.039796), (2.1945, 0.64695, -0.29198, -0.042377)),
)
# MacKinnon (2010), Critical values for cointegration tests, table 2, 5 %: for one series, and for two.
_CRITICAL_T = ((-2.86154, -2.8903, -4.234, -40.040), (-3.33613, -6.1101, -6.823, 0.0))
# The 95 % points of the trace for no cointegrating vector among two series, and for at most one, with a constant in a
# model of series that do not drift: 17.84 and 8.08 in Johansen and Juselius (1990), Oxford Bulletin of Economics and
# Statistics 52, table A2; here of 200,000 simulated pairs (`benchmarks/local_to_unity.py`). The better known 15.49 and
# 3.84 (MacKinnon, Haug and Michelis 1999; statsmodels) are of series whose drift outgrows their noise. Prices' does
# not: 11 % of unrelated walks exceed 15.49. Where there is a drift these are on the safe side.
CRITICAL_TRACE = (18.11, 8.19)
# What leaves less of a leg's variance than this part leaves the digits in which its numbers were written.
EXACT = 1e-9


def dickey_fuller_p(t: float, series: int = 1) -> float:
    """The probability of so low a t where there is a unit root, of one series or of the residuals of two."""
    low, high, border, left, right = _TAU[series - 1]
    if not math.isfinite(t):
        return NAN
    if t > high:
        return 1.0
    if t < low:
        return 0.0
    z = sum(c * t**i for i, c in enumerate(left if t <= border else right))
    return 0.5 * math.erfc(-z / math.sqrt(2))


def critical_t(n: float, series: int = 1) -> float:
    """The t that 5 % of random walks of n changes fall below."""
    return sum(c / n**i for i, c in enumerate(_CRITICAL_T[series - 1]))


class EngleGranger(NamedTuple):
    """A regression of y on x, and the Dickey-Fuller test of its residuals.

    Attributes:
        slope, intercept: of y on x.
        test: of the residuals.
        p_value: of no cointegration.
        unexplained: 1 - R^2 of the regression.
    """

    slope: float
    intercept: float
    test: UnitRoot
    p_value: float
    unexplained: float = NAN

    @property
    def is_exact(self) -> bool:
        """Whether the line leaves nothing but what rounding leaves, of which no test says anything."""
        return self.unexplained < EXACT


def engle_granger(y: Floats, x: Floats, *, robust: bool = False) -> EngleGranger:
    """Whether y less its least-squares line on x returns to its mean; `robust` as for `dickey_fuller`.

    Source: Engle and Granger (1987), Econometrica 55(2); statsmodels coint(trend="c", autolag="aic").
    """
    shift = float(x.mean())
    fit = least_squares(y, np.column_stack([np.ones(len(x)), x - shift]))
    intercept, slope = fit.coefficients.tolist()
    if not math.isfinite(slope):
        return EngleGranger(NAN, NAN, UnitRoot(NAN, 0, 0), NAN)
    moves = np.square(y - y.mean()).sum()
    unexplained = fit.rss / float(moves) if moves else NAN
    if unexplained < EXACT:
        return EngleGranger(slope, intercept - slope * shift, UnitRoot(NAN, 0, 0), NAN, unexplained)
    test = dickey_fuller(fit.residuals, constant=False, robust=robust)
    return EngleGranger(slope, intercept - slope * shift, test, dickey_fuller_p(test.t, 2), unexplained)


class Johansen(NamedTuple):
    """Johansen's trace statistics of two series.

    Attributes:
        trace: for no cointegrating vector, and for at most one.
        eigenvalues: the larger first.
        vector: the cointegrating vector, its first component 1.
        lone: for each series, what the likelihood ratio loses where the vector is that series alone, which then
            returns by itself: chi-squared of one degree, if it is. Johansen and Juselius (1990); urca's blrtest.
    """

    trace: tuple[float, float]
    eigenvalues: tuple[float, float]
    vector: tuple[float, float]
    lone: tuple[float, float] = (NAN, NAN)

    @property
    def rank(self) -> int:
        """How many cointegrating vectors there are at 5 %, by the table alone."""
        for rank, (statistic, point) in enumerate(zip(self.trace, CRITICAL_TRACE, strict=True)):
            if not statistic > point:
                return rank
        return 2


def johansen(levels: Floats, lags: int = 1) -> Johansen:
    """Johansen's test with a constant and `lags` lagged differences, of two series; `levels` has shape (n, 2).

    Source: Johansen (1991), Econometrica 59(6); statsmodels coint_johansen(det_order=0, k_ar_diff=lags) where lags > 0.
    """
    levels = levels - levels.mean(axis=0)
    dx = np.diff(levels, axis=0)
    past = _past(dx, lags)
    # Any level before the change will do, for the lags hold the steps from one to the other; without lags statsmodels
    # takes the level after it.
    rows = np.column_stack([past, dx[lags:], levels[lags:-1]])
    # What the constant and the past leave of both, as far as sums of products go: the last rows of one R.
    upper = triangle(rows)
    left = upper[1 + 2 * lags :, 1 + 2 * lags :]
    if len(left) < 4 or not np.abs(np.diagonal(left)).min() > 1e-10 * np.abs(left).max():
        return Johansen((NAN, NAN), (NAN, NAN), (NAN, NAN))
    moments = left.T @ left
    s00, sk0, skk = moments[:2, :2], moments[2:, :2], moments[2:, 2:]
    told = sk0 @ np.linalg.solve(s00, sk0.T)
    values, vectors = np.linalg.eig(np.linalg.solve(skk, told))
    order = np.argsort(values.real)[::-1]
    values, vectors = values.real[order], vectors.real[:, order]
    logs = -len(rows) * np.log1p(-values)
    first = vectors[:, 0] / vectors[0, 0]
    # The squared canonical correlation of each level alone with both changes; never above that of the best mixture.
    lone = np.maximum(0, logs[0] + len(rows) * np.log1p(-np.diagonal(told) / np.diagonal(skk)))
    trace = float(logs.sum()), float(logs[1])
    return Johansen(trace, tuple(values.tolist()), tuple(first.tolist()), tuple(lone.tolist()))


def _past(dx: Floats, lags: int) -> Floats:
    """A constant, and both series' changes of 1, 2, .. `lags` bars before."""
    each = [lagged(dx[:, i], lags) for i in (0, 1)]
    return np.column_stack([np.ones(len(dx) - lags), *(one[:, j] for j in range(lags) for one in each)])


def johansen_lags(levels: Floats) -> int:
    """The lagged differences of both that the AIC of their changes chooses, up to 4 (n / 100)^(1/4) (Schwert 1989)."""
    dx = np.diff(levels, axis=0)
    most = few_lags(len(dx))
    rows = np.column_stack([_past(dx, most), dx[most:]])
    upper = triangle(rows)[:, -2:]
    n, best, least = len(rows), 0, math.inf
    for lags in range(most + 1):
        left = upper[1 + 2 * lags :]
        _, size = np.linalg.slogdet(left.T @ left / n)
        aic = n * float(size) + 2 * 4 * lags
        best, least = (lags, aic) if aic < least else (best, least)
    return best


# So many steps of a resampled walk stand for its course: the trace's distribution hardly changes beyond.
_STEPS = 800
# So many draws at first; so many in all where the first leave p near a level, so that another seed hardly says the
# opposite: p is then within .01 of what endless draws would say, 19 times of 20.
_DRAWS, _MOST_DRAWS = 399, 1999
# So many pairs of walks at once stay in a processor's cache, and take half the time of twice as many.
_BATCH = 200
_NEAR = (0.01, 0.12)


class _Walks(NamedTuple):
    """What pairs of unrelated walks are drawn from.

    Attributes:
        steps: both legs' shocks, block by block, turned so that they do not go together over the whole, which no trace
            depends on; so single precision, which is twice as quick, is enough for them. Shape (2, k).
        lengths: how many bars each block has; shape (k,).
    """

    steps: Floats
    lengths: Floats

    def traces(self, draws: Draws, count: int) -> Floats:
        """The traces of so many pairs of walks, batch by batch; shape (count,)."""
        sizes = [min(_BATCH, count - begin) for begin in range(0, count, _BATCH)]
        found = [traces(self.steps * _signs(draws, size, len(self.lengths)), self.lengths, np.eye(2)) for size in sizes]
        return np.concatenate(found)


def _signs(draws: Draws, count: int, k: int) -> Floats:
    """Each 1 or -1, a bit each; shape (count, 1, k)."""
    bits = np.unpackbits((draws.uniform(count, -(-k // 32)) * 2.0**32).astype("<u4").view("u1"), axis=1)
    return (2 * bits[:, :k].astype("f4") - 1)[:, None]


def _unrelated(levels: Floats, lags: int) -> _Walks | None:
    """None where a leg does not move, or the legs are one."""
    dx = np.diff(levels, axis=0)
    past = _past(dx, lags)
    shocks = np.column_stack([least_squares(dx[lags:, i], past).residuals for i in (0, 1)])
    if not np.square(shocks).sum(axis=0).min() > 0:
        return None
    try:
        turned = np.linalg.solve(np.linalg.cholesky(shocks.T @ shocks), shocks.T)
    except np.linalg.LinAlgError:
        return None
    if len(shocks) <= _STEPS:
        return _Walks(turned.astype("f4"), np.ones(len(shocks), dtype="f4"))
    begins = _blocks(turned.T)
    lengths = np.diff(begins, append=len(shocks)) / 2
    return _Walks(_steps(turned, begins).astype("f4"), np.repeat(lengths, 2).astype("f4"))


def _steps(shocks: Floats, begins: Positions) -> Floats:
    """Two steps for each block, whose products are the sums of those of its shocks; shape (2, 2 k).

    They lie along the block's own axes, so that it does not matter which leg is the first. The sum of a block's shocks
    alone would have the right products in the mean only, and p would depend upon where blocks happen to begin.
    """
    products = np.add.reduceat(shocks[:, None] * shocks[None], begins, axis=2).transpose(2, 0, 1)
    squares, axes = np.linalg.eigh(products)
    steps = axes * np.sqrt(np.maximum(squares, 0))[:, None]
    along = np.einsum("kcw,ck->kw", steps, np.add.reduceat(shocks, begins, axis=1))
    return np.asarray((steps * np.where(along < 0, -1.0, 1.0)[:, None]).transpose(1, 0, 2).reshape(2, -1))


def null_traces(levels: Floats, lags: int, draws: Draws, count: int = _DRAWS) -> Floats:
    """What the trace would be for no cointegrating vector, by a wild bootstrap; shape (count,).

    The tables reject too often where volatility clusters. Here two walks are made of what a constant and the lags leave
    of both legs' changes, a common sign drawn for each step, so that turbulent times stay where they were. Of long
    series two steps are a block of bars: of few where they are turbulent, of many where they are calm.

    NaN where a leg does not move.

    Source: Cavaliere, Rahbek and Taylor (2010), Econometric Theory 26(6).
    """
    walks = _unrelated(levels, lags)
    return walks.traces(draws, count) if walks else np.full(count, NAN)


def traces_beside(value: float, levels: Floats, lags: int, draws: Draws) -> Floats:
    """As `null_traces`, and more of them where the first leave the p-value of a trace near a level."""
    walks = _unrelated(levels, lags)
    if walks is None or not math.isfinite(value):
        return np.full(_DRAWS, NAN)
    drawn = walks.traces(draws, _DRAWS)
    if not _NEAR[0] <= exceedance(value, drawn) <= _NEAR[1]:
        return drawn
    return np.concatenate([drawn, walks.traces(draws, _MOST_DRAWS - _DRAWS)])


def _blocks(shocks: Floats) -> Positions:
    """Where at most `_STEPS` / 2 blocks begin, half of them shared out by time and half by what happens in it."""
    n = len(shocks)
    squares = (np.square(shocks) / np.square(shocks).sum(axis=0)).sum(axis=1)
    passed = (squares.cumsum() - squares) / 4 + np.arange(n) / (2 * n)
    blocks = (passed * (_STEPS // 2)).astype(int)
    return np.flatnonzero(np.diff(blocks, prepend=-1))


def johansen_p(levels: Floats, lags: int, draws: Draws) -> float:
    """The probability of so high a trace for no cointegrating vector, by `traces_beside`; NaN where there is none."""
    value = johansen(levels, lags).trace[0]
    return exceedance(value, traces_beside(value, levels, lags, draws))


def exceedance(value: float, drawn: Floats) -> float:
    """The share of a value and those drawn that are as large; NaN where one of them is."""
    if not (math.isfinite(value) and np.isfinite(drawn).all()):
        return NAN
    return (1 + int(np.count_nonzero(drawn >= value))) / (1 + len(drawn))


def traces(steps: Floats, lengths: Floats, products: Floats) -> Floats:
    """Johansen's trace without lags of many pairs of walks, by their steps.

    Args:
        steps: shape (many, 2, k).
        lengths: how many bars each step takes; shape (k,).
        products: the sums of products of the bars' changes, which no sign alters; shape (2, 2), or of each pair.
    """
    n = float(lengths.sum())
    walks = np.zeros_like(steps)
    np.cumsum(steps[:, :, :-1], axis=2, out=walks[:, :, 1:])
    walks -= (walks @ lengths / n)[:, :, None]
    drift = steps.sum(axis=2)
    s00 = products - drift[:, :, None] * drift[:, None] / n
    if not (np.linalg.det(s00) > 0).all():
        return np.full(len(steps), NAN)
    # The walks' mean is zero, so that of the steps need not be taken off.
    s0k, skk = (_across(one, walks).astype("f8") for one in (steps, walks * lengths))
    left = np.linalg.solve(s00, s0k) @ np.linalg.solve(skk, s0k.transpose(0, 2, 1))
    # The eigenvalues v of a 2 x 2 matrix need not be found: the product of the 1 - v is its characteristic polynomial.
    kept = 1 - np.trace(left, axis1=1, axis2=2) + np.linalg.det(left)
    return np.asarray(-n * np.log(np.maximum(kept, 1e-300)))


def _across(one: Floats, other: Floats) -> Floats:
    """The sums of products of pairs with pairs; shape (many, 2, 2). `@` of so small matrices takes longer."""
    return np.stack(
        [np.stack([np.einsum("nk,nk->n", one[:, i], other[:, j]) for j in (0, 1)], axis=1) for i in (0, 1)], axis=1
    )


class Granger(NamedTuple):
    """Whether x's past tells of y beyond y's own.

    Attributes:
        f: of the joint test that all coefficients of x's past are zero.
        degrees: of freedom of its numerator and denominator.
    """

    f: float
    degrees: tuple[int, int]


def granger(y: Floats, x: Floats, lags: int) -> Granger:
    """The F test of y on its own `lags` past values against those and x's.

    Source: Granger (1969), Econometrica 37(3); statsmodels grangercausalitytests, ssr_ftest.
    """
    own = np.column_stack([np.ones(len(y) - lags), lagged(y, lags)])
    design = np.column_stack([own, lagged(x, lags)])
    rss = nested_rss(y[lags:] - y.mean(), design)
    free = len(design) - design.shape[1]
    restricted, full = float(rss[own.shape[1] - 1]), float(rss[-1])
    return Granger((restricted - full) / lags / (full / free), (lags, free))
