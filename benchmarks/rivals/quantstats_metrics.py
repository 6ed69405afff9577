"""The rival: `quantstats.reports.metrics` of the same two legs over the same window, from the same CSV files.

`quantstats_metrics.py A.csv B.csv [--json]`; all its statistics (`mode="full"`), none of a lead.
"""

import json
import sys

import pandas as pd
import quantstats as qs


def load(path: str) -> pd.Series:
    return pd.read_csv(path, index_col="Date", parse_dates=True)["Adj Close"]


def main() -> None:
    a, b = (load(path) for path in sys.argv[1:3])
    start = a.index[a.index <= a.index[-1] - pd.Timedelta(days=90)][-1]
    returns = [prices.loc[start:].pct_change().iloc[1:] for prices in (a, b)]
    found = qs.reports.metrics(returns[0], benchmark=returns[1], mode="full", display=False, periods_per_year=252)
    if "--json" in sys.argv:
        print(json.dumps({str(row): list(cells) for row, cells in found.T.items()}, default=str))
    else:
        print(found.to_string())


main()
