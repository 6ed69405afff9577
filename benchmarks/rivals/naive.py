"""The rival: the comparison as a script in one file, with the usual libraries imported at the top.

`naive.py A.csv B.csv [--json]` reads prices that yfinance gave earlier and prints the statistics of `pairwatch compare`
and a permutation test of the cross-correlations, the permutations as one numpy operation. It is no straw man: no
loop over days or permutations, no import that is not used.
"""

import json
import sys

import numpy as np
import pandas as pd
import yfinance as yf
from scipy import stats

LAGS, PERMUTATIONS, YEAR = 10, 1999, 252


def load(path: str) -> pd.Series:
    try:
        return pd.read_csv(path, index_col="Date", parse_dates=True)["Adj Close"]
    except FileNotFoundError:
        return yf.download(path.rsplit("/", 1)[-1].removesuffix(".csv"), auto_adjust=False)["Adj Close"]


def change(prices: pd.Series, offset: pd.DateOffset) -> float:
    return prices.iloc[-1] / prices.asof(prices.index[-1] - offset) - 1


def leg(prices: pd.Series, window: pd.Series, returns: pd.Series) -> dict[str, float]:
    drawdown = window / window.cummax() - 1
    downside = np.sqrt((returns.clip(upper=0) ** 2).mean())
    return {
        "last": prices.iloc[-1],
        "change_1d": prices.iloc[-1] / prices.iloc[-2] - 1,
        "change_1w": change(prices, pd.DateOffset(days=7)),
        "change_1m": change(prices, pd.DateOffset(months=1)),
        "change_3m": change(prices, pd.DateOffset(months=3)),
        "change_1y": change(prices, pd.DateOffset(years=1)),
        "change_ytd": prices.iloc[-1] / prices[prices.index.year < prices.index[-1].year].iloc[-1] - 1,
        "high": window.max(),
        "low": window.min(),
        "average": window.mean(),
        "total_return": window.iloc[-1] / window.iloc[0] - 1,
        "volatility": returns.std() * np.sqrt(YEAR),
        "sharpe": returns.mean() / returns.std() * np.sqrt(YEAR),
        "sortino": returns.mean() / downside * np.sqrt(YEAR),
        "max_drawdown": drawdown.min(),
        "best_day": returns.max(),
        "worst_day": returns.min(),
        "skew": returns.skew(),
        "up_days": (returns > 0).mean(),
    }


def pair(a: pd.Series, b: pd.Series, spread: pd.Series) -> dict[str, float]:
    r = stats.pearsonr(a, b)
    interval = r.confidence_interval()
    fit = stats.linregress(b, a)
    reach = stats.t.ppf(0.975, len(a) - 2) * fit.stderr
    reversion = stats.linregress(spread[:-1], spread.diff().iloc[1:]).slope
    return {
        "correlation": r.statistic,
        "correlation_low": interval.low,
        "correlation_high": interval.high,
        "rank_correlation": stats.spearmanr(a, b).statistic,
        "beta": fit.slope,
        "beta_low": fit.slope - reach,
        "beta_high": fit.slope + reach,
        "r_squared": fit.rvalue**2,
        "tracking_error": (a - b).std() * np.sqrt(YEAR),
        "information_ratio": (a - b).mean() / (a - b).std() * np.sqrt(YEAR),
        "ratio_zscore": (spread.iloc[-1] - spread.mean()) / spread.std(),
        "half_life": -np.log(2) / np.log1p(reversion),
    }


def cross_correlations(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    n = x.shape[-1]
    ahead = [(x[..., : n - k] * y[..., k:]).sum(axis=-1) / n for k in range(LAGS + 1)]
    behind = [(y[..., : n - k] * x[..., k:]).sum(axis=-1) / n for k in range(LAGS, 0, -1)]
    return np.stack(behind + ahead, axis=-1)


def lead(a: pd.Series, b: pd.Series) -> dict[str, float]:
    x, y = stats.zscore(a.to_numpy()), stats.zscore(b.to_numpy())
    rng = np.random.default_rng(0)
    orders = rng.permuted(np.tile(np.arange(len(x)), (PERMUTATIONS, 1)), axis=1)
    found, chance = cross_correlations(x, y), cross_correlations(x[orders], y[orders])
    apart = np.arange(2 * LAGS + 1) != LAGS
    highest = np.abs(found[apart]).max()
    beaten = (np.abs(chance[:, apart]).max(axis=1) >= highest).sum()
    lag = np.arange(-LAGS, LAGS + 1)[apart][np.abs(found[apart]).argmax()]
    return {"lead_lag": lag, "lead_p_value": (1 + beaten) / (1 + PERMUTATIONS)}


def main() -> None:
    prices = pd.concat([load(path) for path in sys.argv[1:3]], axis=1, keys=["a", "b"], join="inner")
    start = prices.index[prices.index <= prices.index[-1] - pd.Timedelta(days=90)][-1]
    window = prices.loc[start:]
    returns = window.pct_change().iloc[1:]
    found = {
        "a": leg(prices["a"], window["a"], returns["a"]),
        "b": leg(prices["b"], window["b"], returns["b"]),
        "pair": pair(returns["a"], returns["b"], np.log(window["a"]) - np.log(window["b"])),
        "leadership": lead(returns["a"], returns["b"]),
    }
    if "--json" in sys.argv:
        print(json.dumps(found, default=float))
    else:
        print(pd.DataFrame(found).to_string())


main()
