"""What is said of both legs together: how closely they move, how far, and how far apart."""

import math

from pairwatch import kernels
from pairwatch.catalogue import PairView, pair_statistic
from pairwatch.kernels import quotient
from pairwatch.model import Floats
from pairwatch.stats.legs import total_return


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


@pair_statistic("correlation, 95 % low", "number", interval="correlation")
def correlation_low(pair: PairView) -> float:
    """The lower end of the correlation's 95 % interval, taking the bars as independent.

    Formula: tanh(atanh(r) - 1.96 / sqrt(n - 3)).
    Source: Fisher (1921), Metron 1; scipy.stats.pearsonr(...).confidence_interval.
    """
    return kernels.correlation_interval(correlation(pair), len(pair.a.returns))[0]


@pair_statistic("correlation, 95 % high", "number", interval="correlation")
def correlation_high(pair: PairView) -> float:
    """The upper end of the correlation's 95 % interval, taking the bars as independent.

    Formula: tanh(atanh(r) + 1.96 / sqrt(n - 3)).
    Source: Fisher (1921), Metron 1; scipy.stats.pearsonr(...).confidence_interval.
    """
    return kernels.correlation_interval(correlation(pair), len(pair.a.returns))[1]


@pair_statistic("rank correlation", "number")
def rank_correlation(pair: PairView) -> float:
    """The correlation of the returns' ranks, which no single bar can decide.

    Formula: Pearson's r of the ranks, ties sharing their mean rank.
    Source: Spearman (1904); scipy.stats.spearmanr.
    """
    return kernels.correlation(kernels.ranks(pair.a.returns), kernels.ranks(pair.b.returns))


@pair_statistic("beta of A on B", "number")
def beta(pair: PairView) -> float:
    """How far A moves, on average, when B moves by one; the minimum-variance hedge ratio of A with B.

    Formula: cov(a, b) / var(b).
    Source: least squares; scipy.stats.linregress, empyrical.beta.
    """
    return kernels.slope(pair.b.returns, pair.a.returns)


@pair_statistic("beta, 95 % low", "number", interval="beta")
def beta_low(pair: PairView) -> float:
    """The lower end of beta's 95 % interval, taking the bars as independent and alike.

    Formula: beta - t(.975, n - 2) se, se^2 = sum e^2 / (n - 2) / sum (b - mean b)^2.
    Source: least squares; statsmodels OLS(...).conf_int.
    """
    return kernels.slope_interval(pair.b.returns, pair.a.returns)[0]


@pair_statistic("beta, 95 % high", "number", interval="beta")
def beta_high(pair: PairView) -> float:
    """The upper end of beta's 95 % interval, taking the bars as independent and alike.

    Formula: beta + t(.975, n - 2) se, se^2 = sum e^2 / (n - 2) / sum (b - mean b)^2.
    Source: least squares; statsmodels OLS(...).conf_int.
    """
    return kernels.slope_interval(pair.b.returns, pair.a.returns)[1]


@pair_statistic("beta of B on A", "number")
def beta_inverse(pair: PairView) -> float:
    """How far B moves, on average, when A moves by one; not one over beta.

    Formula: cov(a, b) / var(a).
    Source: least squares; scipy.stats.linregress with the legs swapped.
    """
    return kernels.slope(pair.a.returns, pair.b.returns)


@pair_statistic("alpha, a year", "return", of_differences=False, of_levels=False)
def alpha(pair: PairView) -> float:
    """What A earned beyond beta times B, a year, not compounded.

    Formula: (mean(a) - beta mean(b)) P.
    Source: Jensen (1968), with a riskless rate of 0; quantstats.greeks (empyrical.alpha compounds instead).
    """
    return float(pair.a.returns.mean() - beta(pair) * pair.b.returns.mean()) * pair.a.bars_per_year


@pair_statistic("R squared", "fraction")
def r_squared(pair: PairView) -> float:
    """The share of A's variance that moves with B (and of B's that moves with A): the common factor's share.

    Formula: r^2.
    Source: least squares; scipy.stats.linregress.
    """
    return correlation(pair) ** 2


@pair_statistic("idiosyncratic share", "fraction")
def idiosyncratic_share(pair: PairView) -> float:
    """The share of a leg's variance that is its own.

    Formula: 1 - r^2.
    Source: least squares.
    """
    return 1 - r_squared(pair)


@pair_statistic("return gap A - B", "return", of_differences=False)
def return_gap(pair: PairView) -> float:
    """A's return over the window less B's.

    Formula: R(A) - R(B).
    Source: definition.
    """
    return total_return(pair.a) - total_return(pair.b)


@pair_statistic("relative strength", "return", of_differences=False)
def relative_strength(pair: PairView) -> float:
    """The return of the ratio A / B over the window.

    Formula: (1 + R(A)) / (1 + R(B)) - 1.
    Source: definition.
    """
    return quotient(1 + total_return(pair.a), 1 + total_return(pair.b)) - 1


@pair_statistic("volatility ratio A / B", "number", of_two_units=False)
def volatility_ratio(pair: PairView) -> float:
    """How many times as volatile A is as B.

    Formula: sd(a) / sd(b).
    Source: definition.
    """
    return quotient(kernels.sd(pair.a.returns), kernels.sd(pair.b.returns))


@pair_statistic("tracking error", "deviation", of_two_units=False)
def tracking_error(pair: PairView) -> float:
    """The annualised standard deviation of the difference of the returns.

    Formula: sd(a - b) sqrt(P).
    Source: definition; empyrical.annual_volatility of a - b.
    """
    return kernels.sd(_gap(pair)) * math.sqrt(pair.a.bars_per_year)


@pair_statistic("information ratio", "number", of_differences=False, of_levels=False, of_two_units=False)
def information_ratio(pair: PairView) -> float:
    """The annualised mean difference of the returns for each unit of tracking error.

    Formula: mean(a - b) / sd(a - b) sqrt(P).
    Source: Grinold and Kahn; empyrical.excess_sharpe times sqrt(P) (libraries often leave it daily).
    """
    gap = _gap(pair)
    return quotient(float(gap.mean()), kernels.sd(gap)) * math.sqrt(pair.a.bars_per_year)


@pair_statistic("tightness", "number", of_two_units=False)
def tightness(pair: PairView) -> float:
    """How volatile A - B is beside the calmer leg: below 1 the spread is tighter than either leg.

    Formula: sd(a - b) / min(sd(a), sd(b)).
    Source: definition; sqrt(2 (1 - r)) where both are equally volatile.
    """
    return quotient(kernels.sd(_gap(pair)), min(kernels.sd(pair.a.returns), kernels.sd(pair.b.returns)))


@pair_statistic("tightness, 95 % low", "number", interval="tightness", of_two_units=False)
def tightness_low(pair: PairView) -> float:
    """The lower end of tightness's 95 % interval for independent, normal bars; fat tails want a wider one.

    Formula: tightness sqrt(k - sqrt(k^2 - 1)), k = 1 + 2 (1 - r^2) t(.975, n - 2)^2 / (n - 2), r that of a - b and
    the calmer leg.
    Source: Pitman (1939), Morgan (1939), Biometrika 31, on the ratio of dependent standard deviations.
    """
    return _tightness_interval(pair)[0]


@pair_statistic("tightness, 95 % high", "number", interval="tightness", of_two_units=False)
def tightness_high(pair: PairView) -> float:
    """The upper end of tightness's 95 % interval for independent, normal bars; fat tails want a wider one.

    Formula: tightness sqrt(k + sqrt(k^2 - 1)), k as for the lower end.
    Source: Pitman (1939), Morgan (1939), Biometrika 31, on the ratio of dependent standard deviations.
    """
    return _tightness_interval(pair)[1]


def _tightness_interval(pair: PairView) -> tuple[float, float]:
    return kernels.deviation_ratio_interval(_gap(pair), min(pair.a.returns, pair.b.returns, key=kernels.sd))


def _gap(pair: PairView) -> Floats:
    return pair.a.returns - pair.b.returns
