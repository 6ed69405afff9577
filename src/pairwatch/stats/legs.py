"""What is said of each leg."""

import math
from datetime import date

import numpy as np

from pairwatch import kernels
from pairwatch.catalogue import DAILY, FORTNIGHTLY, LegView, leg_statistic
from pairwatch.kernels import past as rolling
from pairwatch.kernels import quotient
from pairwatch.model import NAN, Floats
from pairwatch.stats.past import LegPast, past_of


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


@leg_statistic("last common close", "currency")
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


@past_of(change_1d, days=1)
def _(past: LegPast) -> Floats:
    return past.change_1_day()


@leg_statistic("1 week", "return", difference=True)
def change_1w(leg: LegView) -> float:
    """The return since the leg's last close on or before the day seven days earlier; empty below a weekly series.

    Formula: p[n] / p[at n - 7 days] - 1, adjusted closes.
    Source: definition.
    """
    return NAN if leg.own_gap >= FORTNIGHTLY else leg.change_since(date.fromordinal(leg.end.toordinal() - 7))


@past_of(change_1w, days=7)
def _(past: LegPast) -> Floats:
    return past.change_since(past.days - np.timedelta64(7, "D"))


@leg_statistic("1 month", "return", difference=True)
def change_1m(leg: LegView) -> float:
    """The return since the leg's last close on or before the same day of the month before.

    Formula: p[n] / p[at n - 1 month] - 1, adjusted closes; a monthly value's month ends with that month.
    Source: definition.
    """
    return leg.change_since(leg.months_ago(1))


@past_of(change_1m, days=31)
def _(past: LegPast) -> Floats:
    return past.change_since(past.months_ago(1))


@leg_statistic("3 months", "return", difference=True)
def change_3m(leg: LegView) -> float:
    """The return since the leg's last close on or before the same day three months earlier.

    Formula: p[n] / p[at n - 3 months] - 1, adjusted closes; a monthly value's month ends with that month.
    Source: definition.
    """
    return leg.change_since(leg.months_ago(3))


@past_of(change_3m, days=92)
def _(past: LegPast) -> Floats:
    return past.change_since(past.months_ago(3))


@leg_statistic("year to date", "return", difference=True)
def change_ytd(leg: LegView) -> float:
    """The return since the leg's last close of the year before.

    Formula: p[n] / p[at 31 December] - 1, adjusted closes.
    Source: definition.
    """
    return leg.change_since(_new_year(leg))


@leg_statistic("1 year", "return", difference=True)
def change_1y(leg: LegView) -> float:
    """The return since the leg's last close on or before the same day a year earlier.

    Formula: p[n] / p[at n - 12 months] - 1, adjusted closes; a monthly value's month ends with that month.
    Source: definition.
    """
    return leg.change_since(leg.months_ago(12))


@past_of(change_1y, days=366)
def _(past: LegPast) -> Floats:
    return past.change_since(past.months_ago(12))


def _new_year(leg: LegView) -> date:
    return date(leg.end.year - 1, 12, 31)


def before(leg: LegView, day: date) -> tuple[str, ...]:
    """The keys of the changes that are counted from an earlier day than this one, in their order."""
    starts = {"change_1m": leg.months_ago(1), "change_3m": leg.months_ago(3)}
    starts |= {"change_ytd": _new_year(leg), "change_1y": leg.months_ago(12)}
    return tuple(key for key, start in starts.items() if start < day)


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


@past_of(range_position)
def _(past: LegPast) -> Floats:
    return rolling.range_positions(past.quoted, past.window + 1)


@leg_statistic("total return", "return", difference=True, of_differences=False)
def total_return(leg: LegView) -> float:
    """The return over the window, distributions reinvested unless --adjust price; of a level, its growth.

    Formula: p[n] / p[0] - 1.
    Source: definition; empyrical.cum_returns_final.
    """
    return leg.change(float(leg.levels[0]), float(leg.levels[-1]))


@past_of(total_return)
def _(past: LegPast) -> Floats:
    return past.total_return


@leg_statistic("volatility", "deviation", difference=True)
def volatility(leg: LegView) -> float:
    """The annualised standard deviation of the returns.

    Formula: sd(a) sqrt(P).
    Source: definition; empyrical.annual_volatility.
    """
    return kernels.sd(leg.returns) * math.sqrt(leg.bars_per_year)


@past_of(volatility)
def _(past: LegPast) -> Floats:
    return past.sd * math.sqrt(past.leg.bars_per_year)


@leg_statistic("Sharpe ratio", "number", difference=True, of_differences=False, of_levels=False)
def sharpe(leg: LegView) -> float:
    """The annualised mean return for each unit of volatility, with a riskless rate of zero.

    Formula: mean(a) / sd(a) sqrt(P).
    Source: Sharpe (1994), The Sharpe Ratio, J. Portfolio Management 21(1); riskless rate 0.
    """
    return quotient(float(leg.returns.mean()), kernels.sd(leg.returns)) * math.sqrt(leg.bars_per_year)


@past_of(sharpe)
def _(past: LegPast) -> Floats:
    return rolling.quotients(past.mean, past.sd) * math.sqrt(past.leg.bars_per_year)


@leg_statistic("Sortino ratio", "number", difference=True, of_differences=False, of_levels=False)
def sortino(leg: LegView) -> float:
    """The annualised mean return for each unit of downside deviation, with a target of zero.

    Formula: mean(a) / sqrt(mean(min(a, 0)^2)) sqrt(P), the inner mean over all n.
    Source: Sortino and Price (1994), J. Investing 3(3).
    """
    return quotient(float(leg.returns.mean()), kernels.downside_deviation(leg.returns)) * math.sqrt(leg.bars_per_year)


@past_of(sortino)
def _(past: LegPast) -> Floats:
    return rolling.quotients(past.mean, past.downside) * math.sqrt(past.leg.bars_per_year)


@leg_statistic("max drawdown", "fraction", difference=True, of_differences=False)
def max_drawdown(leg: LegView) -> float:
    """The deepest fall of a close below an earlier one in the window, in percent of that.

    Formula: min(p / running max(p) - 1), the base included.
    Source: definition; empyrical.max_drawdown.
    """
    return kernels.max_drawdown(leg.levels)


@past_of(max_drawdown)
def _(past: LegPast) -> Floats:
    return rolling.drawdowns(past.levels, past.window + 1)


@leg_statistic("best bar", "return", difference=True)
def best_day(leg: LegView) -> float:
    """The largest return of a bar.

    Formula: max a.
    Source: definition.
    """
    return float(leg.returns.max())


@past_of(best_day)
def _(past: LegPast) -> Floats:
    return past.best


@leg_statistic("worst bar", "return", difference=True)
def worst_day(leg: LegView) -> float:
    """The smallest return of a bar.

    Formula: min a.
    Source: definition.
    """
    return float(leg.returns.min())


@past_of(worst_day)
def _(past: LegPast) -> Floats:
    return past.worst


@leg_statistic("skew", "number", difference=True)
def skew(leg: LegView) -> float:
    """The asymmetry of the returns: negative where the large moves are falls.

    Formula: G1 = m3 / m2^1.5 sqrt(n (n - 1)) / (n - 2).
    Source: Joanes and Gill (1998), The Statistician 47(1); pandas.Series.skew.
    """
    return kernels.skewness(leg.returns)


@past_of(skew)
def _(past: LegPast) -> Floats:
    return rolling.skewness(past.squares, past.cubes, past.sd, past.window)


@leg_statistic("up bars", "fraction", difference=True)
def up_days(leg: LegView) -> float:
    """The share of bars with a positive return.

    Formula: count(a > 0) / n.
    Source: definition.
    """
    return float((leg.returns > 0).mean())


@past_of(up_days)
def _(past: LegPast) -> Floats:
    return past.up / past.window
