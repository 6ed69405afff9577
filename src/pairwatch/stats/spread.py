"""What is said of the legs' ratio, and of the spread between them."""

import math

from pairwatch import kernels
from pairwatch.catalogue import PairView, pair_statistic
from pairwatch.kernels import past as rolling
from pairwatch.kernels import quotient
from pairwatch.model import Floats
from pairwatch.stats.past import PairPast, past_of


@pair_statistic("ratio A / B", "number", of_differences=False)
def ratio(pair: PairView) -> float:
    """The price of one share of A in shares of B, at the last common close.

    Formula: exp(s[n]), s = ln A - ln B.
    Source: definition.
    """
    return math.exp(pair.spread[-1])


@past_of(ratio)
def _(past: PairPast) -> Floats:
    return past.a.quoted / past.b.quoted


@pair_statistic("ratio, high", "number", interval="ratio", of_differences=False)
def ratio_high(pair: PairView) -> float:
    """The highest ratio of the window's closes, adjusted so that the last is as quoted.

    Formula: exp(max s).
    Source: definition.
    """
    return math.exp(pair.spread.max())


@pair_statistic("ratio, low", "number", interval="ratio", of_differences=False)
def ratio_low(pair: PairView) -> float:
    """The lowest ratio of the window's closes, adjusted so that the last is as quoted.

    Formula: exp(min s).
    Source: definition.
    """
    return math.exp(pair.spread.min())


@pair_statistic("ratio, z-score", "number", of_differences=False)
def ratio_zscore(pair: PairView) -> float:
    """How many standard deviations the spread ln A - ln B stands from its mean in the window, today included.

    Formula: (s[n] - mean(s)) / sd(s).
    Source: definition.
    """
    return quotient(float(pair.spread[-1] - pair.spread.mean()), kernels.sd(pair.spread))


@past_of(ratio_zscore)
def _(past: PairPast) -> Floats:
    return past.spread_z


@pair_statistic("half-life of the spread", "bars", of_two_units=False)
def half_life(pair: PairView) -> float:
    """The bars in which a deviation of the spread halves, empty where it grows; chance gives one too: see reversion_t.

    Formula: -ln 2 / ln(1 + lam), lam the slope of s[t] - s[t-1] on s[t-1]; s = A - B for two rates.
    Source: Ornstein-Uhlenbeck in discrete time; Chan (2013), Algorithmic Trading, gives -ln 2 / lam.
    """
    return kernels.half_life(_spread(pair))


@past_of(half_life)
def _(past: PairPast) -> Floats:
    return rolling.half_lives(past.reversion[0])


@pair_statistic("Dickey-Fuller t of the spread", "number", of_two_units=False)
def reversion_t(pair: PairView) -> float:
    """How clearly the spread returns to its mean: a random walk is below about -2.9 in one window of twenty.

    Formula: lam / se(lam) in s[t] - s[t-1] = c + lam s[t-1] + e[t], no lagged differences; s = A - B for two rates.
    Source: Dickey and Fuller (1979), JASA 74; statsmodels adfuller(maxlag=0, autolag=None, regression="c").
    """
    return kernels.reversion_t(_spread(pair))


@past_of(reversion_t)
def _(past: PairPast) -> Floats:
    return rolling.quotients(*past.reversion)


def _spread(pair: PairView) -> Floats:
    """The spread ln A - ln B; A - B of legs that change by differences, in the same unit."""
    return pair.a.levels - pair.b.levels if pair.a.by_differences else pair.spread
