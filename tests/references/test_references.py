"""The kernels against R: what `references.R` says of the pairs beside it, as it was recorded, and anew where R is.

Each comparison names the group of numbers it is of, how near they must be, and why no nearer.
"""

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pytest
from tests.references import make_series
from tests.references.recorded import PACKAGES, RECORDED, SCRIPT, keys, numbers, pair, run_r, versions, why_no_r

from pairwatch import kernels
from pairwatch.kernels import (
    bands,
    breaks,
    cointegration,
    dependence,
    deviations,
    effectiveness,
    hedging,
    past,
    predicting,
    regression,
    reversion_tables,
    rolling,
    smoothing,
    tails,
)
from pairwatch.kernels.draws import Draws
from pairwatch.lead import cross_correlations, lead_test

PAIRS = tuple(make_series.PAIRS)
LEVELS = ("cointegrated", "unrelated", "autoregressive")
RETURNS = ("leading", "broken")


class Comparison(NamedTuple):
    """Our numbers of a group, and how near R's they must be."""

    ours: object
    rel: float
    abs: float
    because: str


COMPARED = {}
# Of these R's number is not ours made otherwise, but bounds it: each has a test of its own below.
BOUNDED = {"fisher", "johansen_p", "lead"}


def compared(group, *, rel, abs=0.0, because):  # noqa: A002 - as `pytest.approx` has it
    def register(ours):
        COMPARED[group] = Comparison(ours, rel, abs, because)
        return ours

    return register


@pytest.mark.parametrize("group", sorted(set(numbers()) - BOUNDED))
def test_the_numbers_are_those_of_r(group):
    comparison = COMPARED[group]
    theirs = numbers()[group]
    ours = comparison.ours()
    assert ours.keys() == theirs.keys()
    far = {
        name: (ours[name], theirs[name])
        for name in theirs
        if ours[name] != pytest.approx(theirs[name], rel=comparison.rel, abs=comparison.abs)
    }
    assert not far, f"{len(far)} of {len(theirs)} (ours, R's); nearer was expected because {comparison.because}"


def test_every_comparison_has_numbers_of_r():
    assert COMPARED.keys() | BOUNDED == numbers().keys()


# ---------------------------------------------------------------- distributions and order statistics


def tabled(group, f):
    """A function of the numbers that R's names are made of."""
    return {name: f(*map(float, name.split("/"))) for name in numbers()[group]}


@compared("t_tail", rel=1e-10, because="a continued fraction and R's own algorithm round otherwise")
def t_tails():
    return tabled("t_tail", lambda t, df: kernels.student_t_tail(t, int(df)))


@compared("t_quantile", rel=1e-10, because="that is what the function promises")
def t_quantiles():
    return tabled("t_quantile", lambda p, df: kernels.student_t_quantile(p, int(df)))


@compared("chi2_tail", rel=1e-12, because="both are exact but for rounding")
def chi2_tails():
    return tabled("chi2_tail", lambda x, df: tails.chi2_tail(x, int(df)))


@compared("f_tail", rel=1e-10, because="both are exact but for rounding")
def f_tails():
    return tabled("f_tail", lambda x, df, df2: tails.f_tail(x, int(df), int(df2)))


@compared("normal_tail", rel=1e-12, because="both are exact but for rounding")
def normal_tails():
    return tabled("normal_tail", tails.normal_tail)


@compared(
    "normal_quantile", rel=1e-11, abs=1e-12, because="the function promises 1e-12, and zero has no relative error"
)
def normal_quantiles():
    return tabled("normal_quantile", tails.normal_quantile)


@compared("half_normal", rel=1e-11, because="R integrates numerically")
def half_normal_ratios():
    return tabled("half_normal", dependence.half_normal_ratio)


@compared("quantile", rel=1e-12, because="one interpolation")
def quantiles():
    return tabled("quantile", lambda p: kernels.quantile(pair("broken").a, p))


# ---------------------------------------------------------------- two legs at once

SUMS = "both are sums of some hundred products, added up in another order"


def each_pair(f, names=PAIRS):
    return {name: f(*pair(name)) for name in names}


def spread_out(found):
    """{"case": {"part": x}} as {"case/part": x}."""
    return {f"{case}/{part}": x for case, parts in found.items() for part, x in parts.items()}


@compared("ccf", rel=1e-10, abs=1e-13, because=SUMS)
def correlograms():
    found = {name: cross_correlations(*pair(name), 10).tolist() for name in PAIRS}
    return {f"{name}/{k}": r for name, rs in found.items() for k, r in enumerate(rs, -10)}


@compared("correlation", rel=1e-12, because=SUMS)
def correlations():
    return each_pair(kernels.correlation)


@compared("rank_correlation", rel=1e-12, because=SUMS)
def rank_correlations():
    return each_pair(lambda a, b: kernels.correlation(kernels.ranks(a), kernels.ranks(b)))


@compared("deviation_ratio", rel=1e-12, because=SUMS)
def deviation_ratios():
    return each_pair(lambda a, b: deviations.estimated_deviation_ratio(a, b).value)


@compared("orthogonal", rel=1e-10, because="prcomp takes singular values where ours solves a quadratic equation")
def orthogonal_lines():
    return spread_out(
        each_pair(lambda a, b: dict(zip(("slope", "intercept"), hedging.total_least_squares(a, b), strict=True)))
    )


@compared("line", rel=1e-9, because="R turns the columns, ours has their sums of products: twice the digits go")
def lines():
    def line(a, b):
        design = np.column_stack([np.ones(len(a)), a])
        fit, robust = (regression.least_squares(b, design, robust=each) for each in (False, True))
        slopes = kernels.slope(a, b), hedging.minimum_variance_ratio(b, a)
        assert slopes == pytest.approx(fit.coefficients[[1, 1]], rel=1e-8)
        assert kernels.slope_error(a, b) == pytest.approx(fit.errors[1], rel=1e-8)
        assert robust.plain_errors == pytest.approx(fit.errors, rel=1e-12)
        found = [*fit.coefficients, *fit.errors, *robust.errors]
        kinds = ("", "", "_error", "_error", "_error", "_error")
        heads = ("intercept", "slope", "intercept", "slope", "hc3_intercept", "hc3_slope")
        return {head + kind: float(x) for head, kind, x in zip(heads, kinds, found, strict=True)}

    return spread_out(each_pair(line))


@compared("rolling", rel=1e-10, abs=1e-12, because="each window is a difference of sums about one of its own values")
def rolled():
    def windows(name):
        a, b = pair(name)
        slopes, left = hedging.rolling_line(a, b, 60)
        parts = {
            "r": rolling.rolling_correlation(a, b, 60)[::40],
            # Ours counts back from the last window: so from the last that R has.
            "rank": past.rank_correlations(*(leg[: 60 + (len(leg) - 60) // 40 * 40] for leg in (a, b)), 60, 40),
            "slope": slopes[::40],
            "left": left[::40],
        }
        return {f"{name}/{40 * i}/{part}": float(x) for part, xs in parts.items() for i, x in enumerate(xs)}

    return {key: x for name in PAIRS for key, x in windows(name).items()}


@compared("expanding_slope", rel=1e-10, because="ours adds up from the first bar on and never begins anew")
def expanding_slopes():
    return {
        f"{name}/{n}": float(effectiveness.expanding_slope(*pair(name), 20)[n])
        for name in PAIRS
        for n in (30, 100, len(pair(name).a))
    }


# ---------------------------------------------------------------- unit roots

REGRESSIONS = "regressions on up to twenty columns that are much alike lose some digits"


@compared("dickey_fuller", rel=1e-9, abs=1e-10, because=REGRESSIONS)
def unit_roots():
    def found(key):
        name, leg, kind = key.split("/")
        x = getattr(pair(name), leg)
        x = x - x.mean() if kind == "none" else x[18:] + 0.7 * x[:-18] if kind == "echo" else x
        most = regression.few_lags(len(x) - 1) if kind == "few" else None
        plain, hc3 = (
            regression.dickey_fuller(x, constant=kind != "none", max_lags=most, robust=each) for each in (False, True)
        )
        assert hc3.plain_t == pytest.approx(plain.t, rel=1e-12)
        errors = {
            f"{kind}_{part}": x
            for kind, test in (("plain", plain), ("hc3", hc3))
            for part, x in (("error", test.error), ("share_error", test.share_error), ("together", test.together))
        }
        return {
            "t": plain.t,
            "lags": plain.lags,
            "nobs": plain.nobs,
            "share": plain.share,
            "hc3_t": hc3.t,
            **errors,
        }

    return spread_out({key: found(key) for key in keys("dickey_fuller")})


def each_leg(f):
    return {f"{name}/{leg}": f(getattr(pair(name), leg)) for name in LEVELS for leg in ("a", "b")}


@compared("reversion_t", rel=1e-11, because=SUMS)
def reversion_ts():
    return each_leg(kernels.reversion_t)


@compared("half_life", rel=1e-3, because="R's optimiser of the conditional sum of squares ends where the sum is flat")
def half_lives():
    """Least squares' own half-life to 1e-8, which the optimiser's is near."""
    ours = each_leg(kernels.half_life)
    assert {f"{key}/ols": x for key, x in ours.items()} == pytest.approx(
        {key: x for key, x in numbers()["half_life"].items() if key.endswith("ols")}, rel=1e-8
    )
    return {f"{key}/{kind}": x for key, x in ours.items() for kind in ("ols", "css")}


@compared(
    "unit_root_p", rel=0, abs=0.004, because="ours is MacKinnon's approximation of 1994, R's his simulation of 1996"
)
def unit_root_ps():
    ours = tabled("unit_root_p", cointegration.dickey_fuller_p)
    # Nearer where tests are decided: the approximation is at its worst near p .9.
    assert {t: p for t, p in ours.items() if -3.5 <= float(t) <= -2.5} == pytest.approx(
        {t: p for t, p in numbers()["unit_root_p"].items() if -3.5 <= float(t) <= -2.5}, abs=0.0005
    )
    return ours


@compared("unit_root_point", rel=0, abs=0.002, because="both are fitted to simulations, of 2010 and of 1996")
def unit_root_points():
    return tabled("unit_root_point", cointegration.critical_t)


@compared("unit_root_quantile", rel=0, abs=0.01, because="ours come from 200,000 series, with errors below .01")
def unit_root_quantiles():
    at_a_unit_root = reversion_tables.QUANTILES[0][1]
    return dict(zip(("0.025", "0.5", "0.975"), at_a_unit_root, strict=True))


# ---------------------------------------------------------------- cointegration


@compared("engle_granger", rel=1e-9, because=REGRESSIONS)
def engle_grangers():
    def found(key):
        name, direction = key.split("/")
        plain, robust = (
            cointegration.engle_granger(*pair(name).along(direction), robust=each) for each in (False, True)
        )
        return {
            "intercept": plain.intercept,
            "slope": plain.slope,
            "unexplained": plain.unexplained,
            "t": plain.test.t,
            "hc3_t": robust.test.t,
            "lags": plain.test.lags,
        }

    return spread_out({key: found(key) for key in keys("engle_granger")})


@compared("johansen", rel=1e-9, because="the eigenvalues of what regressions leave")
def johansens():
    def found(key):
        name, lags = key.split("/")
        test = cointegration.johansen(pair(name).both, int(lags))
        parts = {
            "trace_0": test.trace[0],
            "trace_1": test.trace[1],
            # The statistic of the largest eigenvalue alone is what one more vector adds to the trace.
            "eigen_0": test.trace[0] - test.trace[1],
            "eigen_1": test.trace[1],
            "value_0": test.eigenvalues[0],
            "value_1": test.eigenvalues[1],
            "vector": test.vector[1],
            "lone_0": test.lone[0],
            "lone_1": test.lone[1],
        }
        return {part: x for part, x in parts.items() if f"{key}/{part}" in numbers()["johansen"]}

    return spread_out({key: found(key) for key in keys("johansen")})


@compared("johansen_lags", rel=0, because="a count")
def johansen_lags():
    return {name: cointegration.johansen_lags(pair(name).both) for name in LEVELS}


@compared("johansen_points", rel=0, abs=0.2, because="R's were simulated in 1992, ours with thirty times as many walks")
def johansen_points():
    return dict(zip(("5/none", "5/one"), cointegration.CRITICAL_TRACE, strict=True))


def apart_by_chance(p, *draws):
    """How far two p-values that were drawn may lie apart: four standard errors, and the one that is counted along."""
    return 4 * math.sqrt(p * (1 - p) * sum(1 / n for n in draws)) + sum(1 / n for n in draws)


@pytest.mark.parametrize("case", numbers()["johansen_p"])
def test_johansens_bootstrap_says_what_rs_says_as_far_as_draws_go(case):
    name, n, lags = case.split("/")
    theirs = numbers()["johansen_p"][case]
    ours = cointegration.johansen_p(pair(name).first(int(n)).both, int(lags), Draws(0))
    assert ours == pytest.approx(theirs, abs=apart_by_chance(theirs, 399, 999))


# ---------------------------------------------------------------- whether one's past tells of the other


@compared("granger", rel=1e-9, because="a difference of two sums of squares that are nearly the same")
def grangers():
    def found(key):
        name, direction, order = key.split("/")
        test = predicting.predicts(*pair(name).along(direction), int(order))
        return {"f": test.f, "p": test.f_p_value, "hc3_f": test.robust_f, "hc3_p": test.p_value}

    return spread_out({key: found(key) for key in keys("granger")})


@compared("order", rel=0, because="a count")
def orders():
    return each_pair(lambda a, b: predicting.autoregression_order(a, b, 5))


@compared("forecast", rel=1e-11, because=SUMS)
def forecasts():
    first, second = ((leg[:200], leg[200:]) for leg in reversed(pair("leading")))
    gain = predicting.forecast_gain((first[0], second[0]), (first[1], second[1]), 2)
    return {"leading/r_squared": gain.r_squared, "leading/p": gain.p_value}


# ---------------------------------------------------------------- who leads


@compared("asymmetry", rel=1e-11, abs=1e-13, because=SUMS)
def asymmetries():
    found = {f"{name}/{k}": bands.asymmetry_at(*pair(name), k) for name in RETURNS for k in (1, 2, 3)}
    return spread_out({key: {"value": x.value, "p": x.p_value, "error": x.error} for key, x in found.items()})


@pytest.mark.parametrize("case", keys("lead"))
def test_the_lead_is_that_of_rs_permutations_as_far_as_draws_go(case):
    name, n = case.split("/")
    found, theirs = lead_test(*pair(name).first(int(n)), 5, 0), {**numbers()["lead"]}
    p = theirs[f"{case}/p"]
    assert abs(found.lag) == theirs[f"{case}/bars"]
    assert found.asymmetry == pytest.approx(theirs[f"{case}/asymmetry"], rel=1e-9)  # a difference of R's ccf
    assert found.p_value == pytest.approx(p, abs=apart_by_chance(p, 1999, 999))


# ---------------------------------------------------------------- how sure a number is


@compared("long_run", rel=1e-12, because=SUMS)
def long_run_variances():
    """R takes the mean out itself; ours is told of values around zero."""
    centred = {name: pair(name).b - pair(name).b.mean() for name in RETURNS}
    lags = {name: [key for key in numbers()["long_run"] if key.startswith(name)] for name in RETURNS}
    return {
        key: dependence.long_run_variance(centred[name], None if key.endswith("lrvar") else int(key.rpartition("/")[2]))
        for name in RETURNS
        for key in lags[name]
    }


@compared("jackknife", rel=1e-11, because="R fits all the other bars anew each time; ours takes one bar out of sums")
def jackknifes():
    return spread_out(
        each_pair(
            lambda a, b: {
                "correlation": dependence.estimated_correlation(a, b).error,
                "deviation_ratio": deviations.estimated_deviation_ratio(a, b).error,
                "slope": dependence.estimated_slope(a, b).error,
            },
            RETURNS,
        )
    )


@compared("left_out", rel=1e-11, because=SUMS)
def left_out():
    found = {name: kernels.leave_one_out_correlations(*pair(name)) for name in RETURNS}
    return spread_out(
        {name: {"first": r[0], "middle": r[149], "last": r[-1]} for name, r in found.items()},
    )


@pytest.mark.parametrize("name", PAIRS)
def test_fishers_interval_of_cor_test_is_nearly_ours_where_bars_are_normal_and_narrower_where_they_are_not(name):
    # Deliberately not the same: cor.test takes the pairs as independent and normal, which misses up to 40 % of truths
    # where tails are fat; ours leaves each pair out in turn. The middles in atanh(r) are the same. Normal bars' errors
    # are themselves known to some 5 %; common turbulence, or two correlations in one history, make ours wider.
    ours = dependence.estimated_correlation(*map(np.diff, pair(name)))
    low, high = (math.atanh(numbers()["fisher"][f"{name}/changes/{end}"]) for end in ("low", "high"))
    our_low, our_high = math.atanh(ours.low), math.atanh(ours.high)
    assert our_low + our_high == pytest.approx(low + high, rel=1e-9, abs=1e-12)
    least, most = {"leading": (1.1, 2), "broken": (1.1, 2)}.get(name, (0.85, 1.15))
    assert least < (our_high - our_low) / (high - low) < most


@compared("blocks", rel=1e-11, because="R fits what is left of each block anew; ours takes its sums away")
def left_out_blocks():
    estimates = {}
    for name in RETURNS:
        a, b = pair(name)
        estimates[f"{name}/slope"] = effectiveness.robust_slope(a, b)
        estimates[f"{name}/origin"] = effectiveness.robust_slope(a, b, centred=False)
        estimates[f"{name}/explained"] = effectiveness.explained(a, b)
        estimates[f"{name}/effect"] = effectiveness.effectiveness(b - a / 2, b)
    return spread_out({key: estimate._asdict() for key, estimate in estimates.items()})


@compared("smoothed", rel=1e-11, because=SUMS)
def smoothed_correlations():
    return {
        f"{name}/{decay}": float(smoothing.smoothed_correlation(*pair(name), decay)[-1])
        for name in RETURNS
        for decay in (0.94, 0.97)
    }


@compared("welch", rel=1e-10, because="ours is told of means by way of tanh")
def welches():
    """Ours is of atanh(r), each with an error and degrees of freedom: so three means, as if each were one."""
    a = pair("autoregressive").a
    groups = [part - a.mean() for part in np.split(a, [80, 170])]
    estimates = [
        dependence.Estimate(math.tanh(x.mean()), 0, 0, kernels.sd(x) / math.sqrt(len(x)), len(x) - 1, len(x))
        for x in groups
    ]
    return {"autoregressive": dependence.equal_correlations_p(estimates)}


# ---------------------------------------------------------------- when a correlation changed


@compared("break", rel=1e-9, because="the long-run variances, and a root that is sought")
def correlation_breaks():
    def found(a, b):
        test = breaks.correlation_break(a, b)
        return {key: getattr(test, key) for key in ("statistic", "at", "low", "high", "before", "after")}

    return spread_out(each_pair(found, RETURNS))


@compared("break_date", rel=0, because="Bai and Perron's date leaves the least squares, as ours does")
def break_dates():
    return {f"{name}/breakpoints": breaks.correlation_break(*pair(name)).at for name in RETURNS}


@compared("equal_parts", rel=1e-11, because=SUMS)
def equal_parts():
    def p(a, b):
        # The bars that R counts begin after those which the first volatility is of.
        return breaks.equal_in_parts_p(a, b, list(pairwise((0, 120, 300, len(a)))))

    return each_pair(p, RETURNS)


# ---------------------------------------------------------------- levels over time


@compared("drawdown", rel=1e-12, because="one quotient")
def drawdowns():
    falls = {name: effectiveness.deepest_drawdowns(pair(name).a, 1)[0] for name in LEVELS}
    assert {f"{name}/depth": kernels.max_drawdown(pair(name).a) for name in LEVELS} == pytest.approx(
        {f"{name}/depth": fall.depth for name, fall in falls.items()}, rel=1e-12
    )
    return spread_out({name: {"depth": x.depth, "peak": x.peak, "trough": x.trough} for name, x in falls.items()})


@compared("kalman", rel=1e-5, because="R inverts covariances that hold 1e6 beside 1e-4")
def kalman_lines():
    a, b = pair("autoregressive")
    parts = ("slope", "intercept", "innovation", "variance")
    found = np.array(hedging.kalman_slope(a, b, 1e-4, 0.5))
    return {f"{n}/{part}": float(x) for n in (60, 300) for part, x in zip(parts, found[:, n - 1], strict=True)}


# ---------------------------------------------------------------- the references themselves


def test_the_recorded_numbers_say_which_r_they_are_of():
    assert list(versions()) == ["R", *PACKAGES]
    assert all(versions().values())


@pytest.mark.parametrize("name", PAIRS)
def test_the_pairs_are_those_of_the_script(name):
    # Not to the bit: sines and logarithms differ between processors.
    assert np.array(make_series.PAIRS[name]()) == pytest.approx(np.array(pair(name)), rel=1e-9, abs=1e-12)


def test_r_says_today_what_was_recorded(tmp_path):
    if reason := why_no_r():
        pytest.skip(reason)
    answer = run_r(SCRIPT, tmp_path / "today.csv")
    assert answer.returncode == 0, answer.stderr
    today, then = numbers(tmp_path / "today.csv"), numbers(RECORDED)
    assert today.keys() == then.keys()
    for group, recorded in then.items():
        # Another linear algebra rounds otherwise; where that turns one draw of 999, an optimiser's last step, or the
        # inverse of a matrix that is nearly none, it shows.
        loose = {"half_life": 1e-2, "kalman": 1e-4}.get(group, 1e-6)
        drawn = 0.003 if group in {"johansen_p", "lead"} else 1e-9
        assert today[group] == pytest.approx(recorded, rel=loose, abs=drawn), group
