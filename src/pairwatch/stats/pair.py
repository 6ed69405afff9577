"""What is said of both legs together: how closely they move, how far, and how far apart.

Intervals are of what held in the window: errors come from leaving each bar out in turn, and grow where neighbours err
alike. `benchmarks/calibration.py` measures them.
"""

import math

import numpy as np

from pairwatch import kernels
from pairwatch.catalogue import PairView, pair_statistic
from pairwatch.kernels import past as rolling
from pairwatch.kernels import quotient
from pairwatch.kernels.dependence import Estimate, estimated_correlation, estimated_slope
from pairwatch.kernels.deviations import estimated_deviation_ratio
from pairwatch.model import Floats
from pairwatch.stats.legs import total_return
from pairwatch.stats.past import PairPast, past_of


@pair_statistic("common returns", "count")
def observations(pair: PairView) -> float:
    """The number of returns that both legs have in the window.

    Formula: n.
    Source: definition.
    """
    return float(len(pair.a.returns))


@pair_statistic("correlation", "number")
def correlation(pair: PairView) -> float:
    """How closely the returns move together: 1 in step, 0 unrelated, -1 opposed.

    Formula: r = cov(a, b) / (sd(a) sd(b)).
    Source: Pearson; scipy.stats.pearsonr.
    """
    return kernels.correlation(pair.a.returns, pair.b.returns)


@past_of(correlation)
def _(past: PairPast) -> Floats:
    return past.correlation


@pair_statistic("correlation, 95 % low", "number", interval="correlation")
def correlation_low(pair: PairView) -> float:
    """The lower end of the correlation's 95 % interval, of what held in the window; fat tails and clusters widen it.

    Formula: tanh(z - t(.975, f) s), z = atanh(r), s^2 = h (n - 1) / n sum (z(i) - mean z(i))^2, z(i) that without bar
    i, d(i) = z(i) - mean z(i); h = max(1, 1 + 2 sum_k=1..m (1 - k / (m + 1)) sum_i d(i) d(i + k) / sum d^2),
    m = floor(4 (n / 100)^(2/9)) and at least 1; f = floor(4 n / max(.5, n sum d^4 / (sum d^2)^2 - 1)) within 10 and
    n - 2.
    Source: Efron and Tibshirani (1993), chapter 11, the jackknife; h: Newey and West (1987), Econometrica 55; f:
    Satterthwaite (1946), Biometrics Bulletin 2.
    """
    return _correlation(pair).low


@pair_statistic("correlation, 95 % high", "number", interval="correlation")
def correlation_high(pair: PairView) -> float:
    """The upper end of the correlation's 95 % interval, of what held in the window; fat tails and clusters widen it.

    Formula: tanh(z + t(.975, f) s), z, s and f as for the lower end.
    Source: Efron and Tibshirani (1993), chapter 11, the jackknife.
    """
    return _correlation(pair).high


def _correlation(pair: PairView) -> Estimate:
    return estimated_correlation(pair.a.returns, pair.b.returns)


@pair_statistic("rank correlation", "number")
def rank_correlation(pair: PairView) -> float:
    """The correlation of the returns' ranks, which no single bar can decide.

    Formula: Pearson's r of the ranks, ties sharing their mean rank.
    Source: Spearman (1904); scipy.stats.spearmanr.
    """
    return kernels.correlation(kernels.ranks(pair.a.returns), kernels.ranks(pair.b.returns))


@past_of(rank_correlation, strided=True)
def _(past: PairPast) -> Floats:
    return rolling.rank_correlations(past.a.returns, past.b.returns, past.window, past.step)


@pair_statistic("beta of A on B", "number", slope="a/b")
def beta(pair: PairView) -> float:
    """How far A moves, on average, when B moves by one; the minimum-variance hedge ratio of A with B.

    Formula: cov(a, b) / var(b).
    Source: least squares; scipy.stats.linregress, empyrical.beta.
    """
    return kernels.slope(pair.b.returns, pair.a.returns)


@past_of(beta)
def _(past: PairPast) -> Floats:
    return past.beta


@pair_statistic("beta, 95 % low", "number", interval="beta", slope="a/b")
def beta_low(pair: PairView) -> float:
    """The lower end of beta's 95 % interval, of what held in the window; fat tails and clusters widen it.

    Formula: beta - t(.975, f) s, s and f as for the correlation, with beta without bar i in place of z(i).
    Source: Efron and Tibshirani (1993), chapter 11, the jackknife.
    """
    return _beta(pair).low


@pair_statistic("beta, 95 % high", "number", interval="beta", slope="a/b")
def beta_high(pair: PairView) -> float:
    """The upper end of beta's 95 % interval, of what held in the window; fat tails and clusters widen it.

    Formula: beta + t(.975, f) s, s and f as for the lower end.
    Source: Efron and Tibshirani (1993), chapter 11, the jackknife.
    """
    return _beta(pair).high


def _beta(pair: PairView) -> Estimate:
    return estimated_slope(pair.b.returns, pair.a.returns)


@pair_statistic("beta of B on A", "number", slope="b/a")
def beta_inverse(pair: PairView) -> float:
    """How far B moves, on average, when A moves by one; not one over beta.

    Formula: cov(a, b) / var(a).
    Source: least squares; scipy.stats.linregress with the legs swapped.
    """
    return kernels.slope(pair.a.returns, pair.b.returns)


@past_of(beta_inverse)
def _(past: PairPast) -> Floats:
    return past.correlation * rolling.quotients(past.b.sd, past.a.sd)


@pair_statistic("alpha, a year", "return", of_differences=False, of_levels=False)
def alpha(pair: PairView) -> float:
    """What A earned beyond beta times B, a year, not compounded.

    Formula: (mean(a) - beta mean(b)) P.
    Source: Jensen (1968), with a riskless rate of 0; quantstats.greeks (empyrical.alpha compounds instead).
    """
    return float(pair.a.returns.mean() - beta(pair) * pair.b.returns.mean()) * pair.a.bars_per_year


@past_of(alpha)
def _(past: PairPast) -> Floats:
    return (past.a.mean - past.beta * past.b.mean) * past.bars_per_year


@pair_statistic("R squared", "fraction")
def r_squared(pair: PairView) -> float:
    """The share of A's variance that moves with B (and of B's that moves with A): the common factor's share.

    Formula: r^2.
    Source: least squares; scipy.stats.linregress.
    """
    return correlation(pair) ** 2


@past_of(r_squared)
def _(past: PairPast) -> Floats:
    return past.correlation**2


@pair_statistic("idiosyncratic share", "fraction")
def idiosyncratic_share(pair: PairView) -> float:
    """The share of a leg's variance that is its own.

    Formula: 1 - r^2.
    Source: least squares.
    """
    return 1 - r_squared(pair)


@past_of(idiosyncratic_share)
def _(past: PairPast) -> Floats:
    return 1 - past.correlation**2


@pair_statistic("return gap A - B", "return", of_differences=False)
def return_gap(pair: PairView) -> float:
    """A's return over the window less B's.

    Formula: R(A) - R(B).
    Source: definition.
    """
    return total_return(pair.a) - total_return(pair.b)


@past_of(return_gap)
def _(past: PairPast) -> Floats:
    return past.a.total_return - past.b.total_return


@pair_statistic("relative strength", "return", of_differences=False)
def relative_strength(pair: PairView) -> float:
    """The return of the ratio A / B over the window.

    Formula: (1 + R(A)) / (1 + R(B)) - 1.
    Source: definition.
    """
    return quotient(1 + total_return(pair.a), 1 + total_return(pair.b)) - 1


@past_of(relative_strength)
def _(past: PairPast) -> Floats:
    return rolling.quotients(1 + past.a.total_return, 1 + past.b.total_return) - 1


@pair_statistic("volatility ratio A / B", "number", of_two_units=False)
def volatility_ratio(pair: PairView) -> float:
    """How many times as volatile A is as B.

    Formula: sd(a) / sd(b).
    Source: definition.
    """
    return quotient(kernels.sd(pair.a.returns), kernels.sd(pair.b.returns))


@past_of(volatility_ratio)
def _(past: PairPast) -> Floats:
    return rolling.quotients(past.a.sd, past.b.sd)


@pair_statistic("tracking error", "deviation", of_two_units=False)
def tracking_error(pair: PairView) -> float:
    """The annualised standard deviation of the difference of the returns.

    Formula: sd(a - b) sqrt(P).
    Source: definition; empyrical.annual_volatility of a - b.
    """
    return kernels.sd(_gap(pair)) * math.sqrt(pair.a.bars_per_year)


@past_of(tracking_error)
def _(past: PairPast) -> Floats:
    return past.gap_sd * math.sqrt(past.bars_per_year)


@pair_statistic("information ratio", "number", of_differences=False, of_levels=False, of_two_units=False)
def information_ratio(pair: PairView) -> float:
    """The annualised mean difference of the returns for each unit of tracking error.

    Formula: mean(a - b) / sd(a - b) sqrt(P).
    Source: Grinold and Kahn; empyrical.excess_sharpe times sqrt(P) (libraries often leave it daily).
    """
    gap = _gap(pair)
    return quotient(float(gap.mean()), kernels.sd(gap)) * math.sqrt(pair.a.bars_per_year)


@past_of(information_ratio)
def _(past: PairPast) -> Floats:
    return rolling.quotients(past.gap, past.gap_sd) * math.sqrt(past.bars_per_year)


@pair_statistic("tightness", "number", of_two_units=False)
def tightness(pair: PairView) -> float:
    """How volatile A - B is beside the calmer leg: below 1 the spread is tighter than either leg.

    Formula: sd(a - b) / min(sd(a), sd(b)).
    Source: definition; sqrt(2 (1 - r)) where both are equally volatile.
    """
    return quotient(kernels.sd(_gap(pair)), min(kernels.sd(pair.a.returns), kernels.sd(pair.b.returns)))


@past_of(tightness)
def _(past: PairPast) -> Floats:
    return rolling.quotients(past.gap_sd, np.minimum(past.a.sd, past.b.sd))


@pair_statistic("tightness, 95 % low", "number", interval="tightness", of_two_units=False)
def tightness_low(pair: PairView) -> float:
    """The lower end of tightness's 95 % interval, of what held in the window; fat tails and clusters widen it.

    Formula: tightness exp(-t(.975, f) s), s and f as for the correlation, with ln(sd(a - b) / sd(c)) without bar i in
    place of z(i), c the calmer leg.
    Source: Efron and Tibshirani (1993), chapter 11, the jackknife.
    """
    return _tightness(pair).low


@pair_statistic("tightness, 95 % high", "number", interval="tightness", of_two_units=False)
def tightness_high(pair: PairView) -> float:
    """The upper end of tightness's 95 % interval, of what held in the window; fat tails and clusters widen it.

    Formula: tightness exp(t(.975, f) s), s and f as for the lower end.
    Source: Efron and Tibshirani (1993), chapter 11, the jackknife.
    """
    return _tightness(pair).high


def _tightness(pair: PairView) -> Estimate:
    return estimated_deviation_ratio(_gap(pair), min(pair.a.returns, pair.b.returns, key=kernels.sd))


def _gap(pair: PairView) -> Floats:
    return pair.a.returns - pair.b.returns
