"""The catalogue: one decorated function for each number that is reported.

The function's name is the key in CSV, JSON and Python, its label heads the table, its docstring gives meaning,
formula and source to `pairwatch explain` and the README, and its place in this file is the order of every output.
To add a statistic, write one function here; the formats follow.

Throughout, a and b are returns on the days that both legs closed, P is the number of bars a year, sd is the
sample standard deviation (ddof 1), and NaN is "cannot say".
"""

import math
from datetime import date

import numpy as np

from pairwatch import kernels
from pairwatch.catalogue import (
    DAILY,
    LegView,
    PairView,
    entries,
    leadership_statistic,
    leg_statistic,
    pair_statistic,
    readings,
)
from pairwatch.kernels import quotient
from pairwatch.model import NAN, Floats, Leadership, months_before

__all__ = ["entries", "readings"]

# ---------------------------------------------------------------- each leg


@leg_statistic("now", "currency", of_now=True)
def now(leg: LegView) -> float:
    """The latest price, also of an unfinished session; it counts nowhere else.

    Formula: as quoted by the source, when it was last asked.
    Source: the leg's source.
    """
    return leg.quote.price if leg.quote else NAN


@leg_statistic("now, change", "return", difference=True, of_now=True)
def now_change(leg: LegView) -> float:
    """The latest price of an unfinished session against the leg's own last finished close.

    Formula: now / (p - D) - 1, D what was distributed since p; empty once the session is finished.
    Source: definition.
    """
    return leg.change(leg.own_last, leg.quote.price) if leg.quote and leg.quote.open else NAN


@leg_statistic("last close", "currency")
def last(leg: LegView) -> float:
    """The last common finished close, as quoted.

    Formula: p[n].
    Source: definition.
    """
    return float(leg.quoted[-1])


@leg_statistic("1 day", "return", difference=True)
def change_1d(leg: LegView) -> float:
    """The return of the last day, from the leg's own close before it; empty for a weekly or monthly series.

    Formula: p[n] / p[n-1] - 1, adjusted closes.
    Source: definition.
    """
    if leg.own_gap > DAILY or len(leg.own_levels) < 2:
        return NAN
    return leg.change(float(leg.own_levels[-2]), float(leg.own_levels[-1]))


@leg_statistic("1 week", "return", difference=True)
def change_1w(leg: LegView) -> float:
    """The return since the leg's last close on or before the day seven days earlier.

    Formula: p[n] / p[at n - 7 days] - 1, adjusted closes.
    Source: definition.
    """
    return leg.change_since(date.fromordinal(leg.end.toordinal() - 7))


@leg_statistic("1 month", "return", difference=True)
def change_1m(leg: LegView) -> float:
    """The return since the leg's last close on or before the same day of the month before.

    Formula: p[n] / p[at n - 1 month] - 1, adjusted closes.
    Source: definition.
    """
    return leg.change_since(months_before(leg.end, 1))


@leg_statistic("3 months", "return", difference=True)
def change_3m(leg: LegView) -> float:
    """The return since the leg's last close on or before the same day three months earlier.

    Formula: p[n] / p[at n - 3 months] - 1, adjusted closes.
    Source: definition.
    """
    return leg.change_since(months_before(leg.end, 3))


@leg_statistic("year to date", "return", difference=True)
def change_ytd(leg: LegView) -> float:
    """The return since the leg's last close of the year before.

    Formula: p[n] / p[at 31 December] - 1, adjusted closes.
    Source: definition.
    """
    return leg.change_since(date(leg.end.year - 1, 12, 31))


@leg_statistic("1 year", "return", difference=True)
def change_1y(leg: LegView) -> float:
    """The return since the leg's last close on or before the same day a year earlier.

    Formula: p[n] / p[at n - 12 months] - 1, adjusted closes.
    Source: definition.
    """
    return leg.change_since(months_before(leg.end, 12))


@leg_statistic("high", "currency")
def high(leg: LegView) -> float:
    """The highest close of the window, as quoted; not the intraday high.

    Formula: max p.
    Source: definition.
    """
    return float(leg.quoted.max())


@leg_statistic("low", "currency")
def low(leg: LegView) -> float:
    """The lowest close of the window, as quoted; not the intraday low.

    Formula: min p.
    Source: definition.
    """
    return float(leg.quoted.min())


@leg_statistic("average", "currency")
def average(leg: LegView) -> float:
    """The mean close of the window, as quoted.

    Formula: mean p.
    Source: definition.
    """
    return float(leg.quoted.mean())


@leg_statistic("range position", "fraction", difference=True)
def range_position(leg: LegView) -> float:
    """Where the last close stands between the window's low (0) and high (1).

    Formula: (p[n] - min p) / (max p - min p).
    Source: definition (the stochastic oscillator's %K on closes).
    """
    return quotient(last(leg) - low(leg), high(leg) - low(leg))


@leg_statistic("total return", "return", difference=True, of_rates=False)
def total_return(leg: LegView) -> float:
    """The return over the window, distributions reinvested unless --adjust price.

    Formula: p[n] / p[0] - 1.
    Source: definition; empyrical.cum_returns_final.
    """
    return leg.change(float(leg.levels[0]), float(leg.levels[-1]))


@leg_statistic("volatility", "deviation", difference=True)
def volatility(leg: LegView) -> float:
    """The annualised standard deviation of the returns.

    Formula: sd(a) sqrt(P).
    Source: definition; empyrical.annual_volatility.
    """
    return kernels.sd(leg.returns) * math.sqrt(leg.bars_per_year)


@leg_statistic("Sharpe ratio", "number", difference=True, of_rates=False)
def sharpe(leg: LegView) -> float:
    """The annualised mean return for each unit of volatility, with a riskless rate of zero.

    Formula: mean(a) / sd(a) sqrt(P).
    Source: Sharpe (1994), The Sharpe Ratio, J. Portfolio Management 21(1); riskless rate 0.
    """
    return quotient(float(leg.returns.mean()), kernels.sd(leg.returns)) * math.sqrt(leg.bars_per_year)


@leg_statistic("Sortino ratio", "number", difference=True, of_rates=False)
def sortino(leg: LegView) -> float:
    """The annualised mean return for each unit of downside deviation, with a target of zero.

    Formula: mean(a) / sqrt(mean(min(a, 0)^2)) sqrt(P), the inner mean over all n.
    Source: Sortino and Price (1994), J. Investing 3(3).
    """
    return quotient(float(leg.returns.mean()), kernels.downside_deviation(leg.returns)) * math.sqrt(leg.bars_per_year)


@leg_statistic("max drawdown", "fraction", difference=True, of_rates=False)
def max_drawdown(leg: LegView) -> float:
    """The deepest fall of a close below an earlier one in the window.

    Formula: min(p / running max(p) - 1), the base included.
    Source: definition; empyrical.max_drawdown.
    """
    return kernels.max_drawdown(leg.levels)


@leg_statistic("best bar", "return", difference=True)
def best_day(leg: LegView) -> float:
    """The largest return of a bar.

    Formula: max a.
    Source: definition.
    """
    return float(leg.returns.max())


@leg_statistic("worst bar", "return", difference=True)
def worst_day(leg: LegView) -> float:
    """The smallest return of a bar.

    Formula: min a.
    Source: definition.
    """
    return float(leg.returns.min())


@leg_statistic("skew", "number", difference=True)
def skew(leg: LegView) -> float:
    """The asymmetry of the returns: negative where the large moves are falls.

    Formula: G1 = m3 / m2^1.5 sqrt(n (n - 1)) / (n - 2).
    Source: Joanes and Gill (1998), The Statistician 47(1); pandas.Series.skew.
    """
    return kernels.skewness(leg.returns)


@leg_statistic("up bars", "fraction", difference=True)
def up_days(leg: LegView) -> float:
    """The share of bars with a positive return.

    Formula: count(a > 0) / n.
    Source: definition.
    """
    return float((leg.returns > 0).mean())


# ---------------------------------------------------------------- the pair


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
    """The lower end of the correlation's 95 % interval, taking the days as independent.

    Formula: tanh(atanh(r) - 1.96 / sqrt(n - 3)).
    Source: Fisher (1921), Metron 1; scipy.stats.pearsonr(...).confidence_interval.
    """
    return kernels.correlation_interval(correlation(pair), len(pair.a.returns))[0]


@pair_statistic("correlation, 95 % high", "number", interval="correlation")
def correlation_high(pair: PairView) -> float:
    """The upper end of the correlation's 95 % interval, taking the days as independent.

    Formula: tanh(atanh(r) + 1.96 / sqrt(n - 3)).
    Source: Fisher (1921), Metron 1; scipy.stats.pearsonr(...).confidence_interval.
    """
    return kernels.correlation_interval(correlation(pair), len(pair.a.returns))[1]


@pair_statistic("rank correlation", "number")
def rank_correlation(pair: PairView) -> float:
    """The correlation of the returns' ranks, which no single day can decide.

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
    """The lower end of beta's 95 % interval, taking the days as independent and alike.

    Formula: beta - t(.975, n - 2) se, se^2 = sum e^2 / (n - 2) / sum (b - mean b)^2.
    Source: least squares; statsmodels OLS(...).conf_int.
    """
    return kernels.slope_interval(pair.b.returns, pair.a.returns)[0]


@pair_statistic("beta, 95 % high", "number", interval="beta")
def beta_high(pair: PairView) -> float:
    """The upper end of beta's 95 % interval, taking the days as independent and alike.

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


@pair_statistic("alpha, a year", "return", of_rates=False)
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


@pair_statistic("return gap A - B", "return", of_rates=False)
def return_gap(pair: PairView) -> float:
    """A's return over the window less B's.

    Formula: R(A) - R(B).
    Source: definition.
    """
    return total_return(pair.a) - total_return(pair.b)


@pair_statistic("relative strength", "return", of_rates=False)
def relative_strength(pair: PairView) -> float:
    """The return of the ratio A / B over the window.

    Formula: (1 + R(A)) / (1 + R(B)) - 1.
    Source: definition.
    """
    return quotient(1 + total_return(pair.a), 1 + total_return(pair.b)) - 1


@pair_statistic("volatility ratio A / B", "number")
def volatility_ratio(pair: PairView) -> float:
    """How many times as volatile A is as B.

    Formula: sd(a) / sd(b).
    Source: definition.
    """
    if pair.a.change_unit != pair.b.change_unit:
        return NAN
    return quotient(kernels.sd(pair.a.returns), kernels.sd(pair.b.returns))


@pair_statistic("tracking error", "deviation")
def tracking_error(pair: PairView) -> float:
    """The annualised standard deviation of the daily difference of the returns.

    Formula: sd(a - b) sqrt(P).
    Source: definition; empyrical.annual_volatility of a - b.
    """
    return kernels.sd(_gap(pair)) * math.sqrt(pair.a.bars_per_year)


@pair_statistic("information ratio", "number")
def information_ratio(pair: PairView) -> float:
    """The annualised mean difference of the returns for each unit of tracking error.

    Formula: mean(a - b) / sd(a - b) sqrt(P).
    Source: Grinold and Kahn; empyrical.excess_sharpe times sqrt(P) (libraries often leave it daily).
    """
    gap = _gap(pair)
    return quotient(float(gap.mean()), kernels.sd(gap)) * math.sqrt(pair.a.bars_per_year)


@pair_statistic("tightness", "number")
def tightness(pair: PairView) -> float:
    """How volatile A - B is beside the calmer leg: below 1 the spread is tighter than either leg.

    Formula: sd(a - b) / min(sd(a), sd(b)).
    Source: definition; sqrt(2 (1 - r)) where both are equally volatile.
    """
    return quotient(kernels.sd(_gap(pair)), min(kernels.sd(pair.a.returns), kernels.sd(pair.b.returns)))


@pair_statistic("tightness, 95 % low", "number", interval="tightness")
def tightness_low(pair: PairView) -> float:
    """The lower end of tightness's 95 % interval for independent, normal days; fat tails want a wider one.

    Formula: tightness sqrt(k - sqrt(k^2 - 1)), k = 1 + 2 (1 - r^2) t(.975, n - 2)^2 / (n - 2), r that of a - b and
    the calmer leg.
    Source: Pitman (1939), Morgan (1939), Biometrika 31, on the ratio of dependent standard deviations.
    """
    return _tightness_interval(pair)[0]


@pair_statistic("tightness, 95 % high", "number", interval="tightness")
def tightness_high(pair: PairView) -> float:
    """The upper end of tightness's 95 % interval for independent, normal days; fat tails want a wider one.

    Formula: tightness sqrt(k + sqrt(k^2 - 1)), k as for the lower end.
    Source: Pitman (1939), Morgan (1939), Biometrika 31, on the ratio of dependent standard deviations.
    """
    return _tightness_interval(pair)[1]


def _tightness_interval(pair: PairView) -> tuple[float, float]:
    return kernels.deviation_ratio_interval(_gap(pair), min(pair.a.returns, pair.b.returns, key=kernels.sd))


def _gap(pair: PairView) -> Floats:
    """The differences a - b; NaN where only one leg is a rate, since their units differ."""
    gap = pair.a.returns - pair.b.returns
    return gap if pair.a.change_unit == pair.b.change_unit else np.full_like(gap, NAN)


@pair_statistic("ratio A / B", "number", of_rates=False)
def ratio(pair: PairView) -> float:
    """The price of one share of A in shares of B, at the last common close.

    Formula: exp(s[n]), s = ln A - ln B.
    Source: definition.
    """
    return math.exp(pair.spread[-1])


@pair_statistic("ratio, high", "number", interval="ratio", of_rates=False)
def ratio_high(pair: PairView) -> float:
    """The highest ratio of the window's closes, adjusted so that the last is as quoted.

    Formula: exp(max s).
    Source: definition.
    """
    return math.exp(pair.spread.max())


@pair_statistic("ratio, low", "number", interval="ratio", of_rates=False)
def ratio_low(pair: PairView) -> float:
    """The lowest ratio of the window's closes, adjusted so that the last is as quoted.

    Formula: exp(min s).
    Source: definition.
    """
    return math.exp(pair.spread.min())


@pair_statistic("ratio, z-score", "number", of_rates=False)
def ratio_zscore(pair: PairView) -> float:
    """How many standard deviations the spread ln A - ln B stands from its mean in the window, today included.

    Formula: (s[n] - mean(s)) / sd(s).
    Source: definition.
    """
    return quotient(float(pair.spread[-1] - pair.spread.mean()), kernels.sd(pair.spread))


@pair_statistic("half-life of the spread", "bars", of_rates=False)
def half_life(pair: PairView) -> float:
    """The bars in which a deviation of the spread halves, empty where it grows; chance gives one too: see reversion_t.

    Formula: -ln 2 / ln(1 + lam), lam the slope of s[t] - s[t-1] on s[t-1].
    Source: Ornstein-Uhlenbeck in discrete time; Chan (2013), Algorithmic Trading, gives -ln 2 / lam.
    """
    return kernels.half_life(pair.spread)


@pair_statistic("Dickey-Fuller t of the spread", "number", of_rates=False)
def reversion_t(pair: PairView) -> float:
    """How clearly the spread returns to its mean: a random walk is below about -2.9 in one window of twenty.

    Formula: lam / se(lam) in s[t] - s[t-1] = c + lam s[t-1] + e[t], no lagged differences.
    Source: Dickey and Fuller (1979), JASA 74; statsmodels adfuller(maxlag=0, autolag=None, regression="c").
    """
    return kernels.reversion_t(pair.spread)


def _beta_where(pair: PairView, days: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> float:
    return kernels.slope(pair.b.returns[days], pair.a.returns[days]) if days.sum() > 2 else NAN


@pair_statistic("up beta", "number")
def up_beta(pair: PairView) -> float:
    """Beta of A on B over the bars on which B rose.

    Formula: cov(a, b) / var(b) where b > 0.
    Source: least squares; empyrical.up_alpha_beta.
    """
    return _beta_where(pair, pair.b.returns > 0)


@pair_statistic("down beta", "number")
def down_beta(pair: PairView) -> float:
    """Beta of A on B over the bars on which B fell.

    Formula: cov(a, b) / var(b) where b < 0.
    Source: least squares; empyrical.down_alpha_beta.
    """
    return _beta_where(pair, pair.b.returns < 0)


def _capture(pair: PairView, days: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> float:
    return kernels.geometric_capture(pair.a.returns[days], pair.b.returns[days])


@pair_statistic("up capture", "fraction", of_rates=False)
def up_capture(pair: PairView) -> float:
    """A's geometric mean return over B's, on the bars on which B rose.

    Formula: gmean(a) / gmean(b) where b > 0, a bar, not annualised.
    Source: Morningstar's capture ratio on bars; empyrical.up_capture(..., period="yearly").
    """
    return _capture(pair, pair.b.returns > 0)


@pair_statistic("down capture", "fraction", of_rates=False)
def down_capture(pair: PairView) -> float:
    """A's geometric mean return over B's, on the bars on which B fell.

    Formula: gmean(a) / gmean(b) where b < 0, a bar, not annualised.
    Source: Morningstar's capture ratio on bars; empyrical.down_capture(..., period="yearly").
    """
    return _capture(pair, pair.b.returns < 0)


@pair_statistic("correlation, any day left out", "number", interval="correlation_fragility")
def correlation_fragility_low(pair: PairView) -> float:
    """The lowest correlation that is left when any one day is taken out.

    Formula: min over i of r without day i.
    Source: the jackknife's leave-one-out values.
    """
    return float(kernels.leave_one_out_correlations(pair.a.returns, pair.b.returns).min())


@pair_statistic("correlation, any day left out", "number", interval="correlation_fragility")
def correlation_fragility_high(pair: PairView) -> float:
    """The highest correlation that is left when any one day is taken out.

    Formula: max over i of r without day i.
    Source: the jackknife's leave-one-out values.
    """
    return float(kernels.leave_one_out_correlations(pair.a.returns, pair.b.returns).max())


# ---------------------------------------------------------------- leadership


@leadership_statistic("lag of the strongest lead", "bars")
def lead_lag(lead: Leadership) -> float:
    """The bars by which A leads B (negative: B leads A) where a lead is strongest; a verdict only with its p.

    Formula: the k, 1 <= |k| <= L, with the largest |l(k)|, l(k) = (S(k) - r^2 S(-k)) / (1 + r^4), S(k) the mean of
    a[t] (b[t+k] - r a[t+k]) for standardised legs, S(-k) the same with the legs exchanged.
    Source: `docs/decisions.md`; after Bennett, Cucuringu and Reinert (2022), arXiv:2201.08283, on asymmetry.
    """
    return float(lead.lag) if math.isfinite(lead.p_value) else NAN


@leadership_statistic("asymmetry there", "number")
def lead_asymmetry(lead: Leadership) -> float:
    """The correlation of A's past with B's day, less that of B's past with A's day, at the distance of that lag.

    Formula: D = r(|k|) - r(-|k|).
    Source: Bennett, Cucuringu and Reinert (2022), arXiv:2201.08283.
    """
    return lead.asymmetry


@leadership_statistic("correlation there", "number")
def lead_correlation(lead: Leadership) -> float:
    """The cross-correlation at that lag.

    Formula: r(k) = sum (a[t] - mean a)(b[t+k] - mean b) / (n sd sd), sd with ddof 0.
    Source: Box and Jenkins; statsmodels ccf(adjusted=False), R ccf at lag -k.
    """
    return lead.correlation if math.isfinite(lead.p_value) else NAN


@leadership_statistic("p, all lags considered", "probability")
def lead_p_value(lead: Leadership) -> float:
    """The probability of a lead as strong at any lag up to L, either way, when the order of the days is chance.

    Formula: (1 + count) / (1 + 1999), of 1,999 joint permutations of the days those with as large a max |l(k)| / noise.
    Source: `docs/decisions.md`; size and power are measured by `benchmarks/lead_test.py`.
    """
    return lead.p_value


@leadership_statistic("detectable lead", "number")
def lead_detectable(lead: Leadership) -> float:
    """The lead, in units of r, that is called a leader in four windows out of five like this one.

    Formula: (95 % point of the permuted statistic + 0.842 of its standard deviation a lag) times the noise.
    Source: as lead_p_value.
    """
    return lead.detectable
