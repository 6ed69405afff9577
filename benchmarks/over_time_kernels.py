"""Rolling windows over a million points against pandas, and unit-root tests against statsmodels, in one process.

Both sides must agree before they are timed. The error of a rolling correlation is that against exact arithmetic
(`fractions`) in a sample of windows, on prices far from zero: 5,000 with steps of .01.

`python benchmarks/over_time_kernels.py [--rounds 7] [--points 1000000]`
"""

import argparse
import os
import sys
import warnings
from collections.abc import Callable
from decimal import Decimal, localcontext
from fractions import Fraction

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
import pandas as pd
from statsmodels.tsa.stattools import coint, grangercausalitytests
from statsmodels.tsa.vector_ar.vecm import coint_johansen

from pairwatch.kernels import cointegration
from pairwatch.kernels.rolling import rolling_correlation, rolling_lead_lag
from pairwatch.model import Floats
from timing import functions_in_turns, goal, table

WINDOW, LEAD_WINDOW, MAX_LAG, LAGS = 90, 61, 20, 5
OFFSET, STEP, SAMPLE = 5_000.0, 0.01, 60
LENGTHS = (250, 6_600)
# Goals: times of pandas, worst error, times as fast as pandas and as statsmodels.
NO_SLOWER, EXACT, FASTER, TESTS_FASTER = 1.2, 1e-12, 10.0, 3.0

Rival = tuple[Callable[[], object], Callable[[], object]]


def walks(n: int) -> tuple[Floats, Floats]:
    """Two linked prices far from zero."""
    x, y = np.random.default_rng(1).standard_normal((2, n))
    return OFFSET + STEP * x.cumsum(), OFFSET / 2 + STEP * (0.6 * x + 0.8 * y).cumsum()


def exact(a: Floats, b: Floats) -> float:
    """Pearson's r, rounded once."""
    x, y = ([Fraction(value) for value in leg.tolist()] for leg in (a, b))
    x, y = ([value - sum(leg) / len(leg) for value in leg] for leg in (x, y))
    sums = [sum(u * v for u, v in zip(*pair, strict=True)) for pair in ((x, y), (x, x), (y, y))]
    with localcontext() as context:
        context.prec = 50
        xy, xx, yy = (Decimal(Fraction(s).numerator) / Decimal(Fraction(s).denominator) for s in sums)
        return float(xy / (xx * yy).sqrt())


def by_cumulative_sums(a: Floats, b: Floats, window: int) -> Floats:
    """Differences of cumulative sums, as it is often written."""

    def sums(x: Floats) -> Floats:
        total = np.concatenate([[0.0], x.cumsum()])
        return total[window:] - total[:-window]

    sa, sb = sums(a), sums(b)
    with np.errstate(all="ignore"):
        below = np.sqrt((sums(a * a) - sa * sa / window) * (sums(b * b) - sb * sb / window))
        return np.asarray((sums(a * b) - sa * sb / window) / below)


def by_pandas(a: Floats, b: Floats, window: int) -> Floats:
    return np.asarray(pd.Series(a).rolling(window).corr(pd.Series(b)).to_numpy()[window - 1 :])


def correlations(points: int, rounds: int) -> bool:
    """Print time and error of a rolling correlation; whether the goals are met."""
    a, b = walks(points)
    ways = {"pairwatch": rolling_correlation, "pandas": by_pandas, "cumulative sums": by_cumulative_sums}
    at = np.random.default_rng(2).integers(0, points - WINDOW + 1, SAMPLE)
    true = np.array([exact(a[i : i + WINDOW], b[i : i + WINDOW]) for i in at])
    errors = {name: float(np.nanmax(np.abs(way(a, b, WINDOW)[at] - true))) for name, way in ways.items()}
    assert errors["pandas"] < 1e-6, errors
    took = functions_in_turns({name: lambda way=way: way(a, b, WINDOW) for name, way in ways.items()}, rounds)
    ratio = took.ratio("pairwatch", "pandas").median
    rows = [
        [name, f"{took.median(name):.0f}", str(took.ratio(name, "pandas")), f"{errors[name]:.1e}", ""] for name in ways
    ]
    rows[0][-1] = f"{goal(ratio, NO_SLOWER)}; error {goal(errors['pairwatch'], EXACT)}"
    print(f"#### Rolling correlation, {points:,} points, {WINDOW} bars, prices near {OFFSET:,.0f}\n")
    print(table(("", "ms", "over pandas", f"worst error of {SAMPLE}", "goal"), rows), flush=True)
    return ratio <= NO_SLOWER and errors["pairwatch"] <= EXACT


def lead_lag_by_pandas(a: Floats, b: Floats, window: int, max_lag: int) -> Floats:
    """A rolling correlation a lag, by the bar of a at which its window ends."""
    x, y = pd.Series(a), pd.Series(b)
    found = [x.rolling(window).corr(y.shift(-k)).to_numpy()[window - 1 :] for k in range(-max_lag, max_lag + 1)]
    return np.array(found)


def leads(points: int, rounds: int) -> bool:
    """Print the time of rolling lead and lag; whether the goal is met."""
    a, e = np.random.default_rng(3).standard_normal((2, points))
    b = 0.6 * np.roll(a, 2) + 0.8 * e
    head = slice(20_000)
    ours, theirs = (way(a[head], b[head], LEAD_WINDOW, MAX_LAG) for way in (rolling_lead_lag, lead_lag_by_pandas))
    np.testing.assert_allclose(ours, theirs, atol=1e-9)
    took = functions_in_turns(
        {
            "pairwatch": lambda: rolling_lead_lag(a, b, LEAD_WINDOW, MAX_LAG),
            "pandas": lambda: lead_lag_by_pandas(a, b, LEAD_WINDOW, MAX_LAG),
        },
        rounds,
    )
    ratio = took.ratio("pandas", "pairwatch")
    print(f"#### Rolling lead and lag, {points:,} points x {2 * MAX_LAG + 1} lags, {LEAD_WINDOW} bars\n")
    row = [
        f"{took.median('pairwatch'):,.0f}",
        f"{took.median('pandas'):,.0f}",
        str(ratio),
        goal(ratio.median, FASTER, at_least=True),
    ]
    print(table(("pairwatch, ms", "pandas, ms", "times as fast", "goal"), [row]), flush=True)
    return ratio.median >= FASTER


def tests(n: int) -> dict[str, Rival]:
    """Each test of ours with statsmodels' of the same settings, on cointegrated walks; checked to agree."""
    x, e = np.random.default_rng(4).standard_normal((2, n))
    a = x.cumsum() / 100
    b = 0.8 * a + e / 50
    both, returns = np.column_stack([b, a]), np.column_stack([np.diff(b), np.diff(a)])
    pairs: dict[str, Rival] = {
        "Engle-Granger": (
            lambda: cointegration.engle_granger(b, a),
            lambda: coint(b, a, trend="c", autolag="aic"),
        ),
        "Johansen": (lambda: cointegration.johansen(both, 1), lambda: coint_johansen(both, 0, 1)),
        f"Granger, {LAGS} lags": (
            lambda: cointegration.granger(returns[:, 0], returns[:, 1], LAGS),
            lambda: grangercausalitytests(returns, [LAGS]),
        ),
    }
    results = [(ours(), theirs()) for ours, theirs in pairs.values()]
    (engle, engle2), (johansen, johansen2), (granger, granger2) = results
    np.testing.assert_allclose([engle.test.t, engle.p_value], engle2[:2], rtol=1e-6, atol=1e-12)  # type: ignore[attr-defined,index]
    np.testing.assert_allclose(johansen.trace, johansen2.lr1, rtol=1e-8)  # type: ignore[attr-defined]
    np.testing.assert_allclose(granger.f, granger2[LAGS][0]["ssr_ftest"][0], rtol=1e-8)  # type: ignore[attr-defined,index]
    return pairs


def against_statsmodels(rounds: int) -> bool:
    """Print the time of each test; whether the goals are met."""
    rows, met = [], True
    for n in LENGTHS:
        for name, (ours, theirs) in tests(n).items():
            took = functions_in_turns({"ours": ours, "theirs": theirs}, max(3 * rounds, 9))
            ratio = took.ratio("theirs", "ours")
            met &= ratio.median >= TESTS_FASTER
            what = [f"{took.median(side):.2f}" for side in ("ours", "theirs")]
            rows.append([f"{name}, n = {n:,}", *what, str(ratio), goal(ratio.median, TESTS_FASTER, at_least=True)])
    print("#### Tests, a call\n")
    print(table(("", "pairwatch, ms", "statsmodels, ms", "times as fast", "goal"), rows), flush=True)
    return met


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--points", type=int, default=1_000_000)
    typed = parser.parse_args()
    warnings.simplefilter("ignore")  # statsmodels announces changes of its results' types
    met = [
        correlations(typed.points, typed.rounds),
        leads(typed.points, max(1, typed.rounds // 3)),
        against_statsmodels(typed.rounds),
    ]
    return int(not all(met))


if __name__ == "__main__":
    sys.exit(main())
