"""How long the price cache takes to give two legs of 6,700 closes, imports excluded, beside two usual ways.

The rivals hold the same days, closes and adjusted closes: `pandas.read_csv` of a file a leg, and
`pandas.read_sql` from SQLite with one row a bar. Ours is `Cache.get`, checksums included, and adjusting the closes for
their dividends, which the rivals keep adjusted. Writing is `Cache.update` of one leg (a transaction, on the disk)
beside `DataFrame.to_csv` (no transaction, not flushed) and one transaction of rows.

`python benchmarks/cache.py [--rounds 30]`
"""

import argparse
import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd

import simulated
from pairwatch.cache import FILE_NAME, Cache
from pairwatch.histories import adjusted
from pairwatch.model import Leg
from timing import Rounds, functions_in_turns, table, warn_if_busy

ROW = "INSERT OR REPLACE INTO bars VALUES (?, ?, ?, ?)"
QUERY = "SELECT date, adj FROM bars WHERE symbol = ? ORDER BY date"


class Sides:
    """Each side's way to read both legs, and to write one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cache = Cache(folder / FILE_NAME)
        self.held = next(iter(simulated.holdings()))
        self.frame = pd.read_csv(folder / "QQQ.csv", parse_dates=["Date"])
        dates = self.held.series.dates.astype(str).tolist()
        self.rows = list(zip(["QQQ"] * len(dates), dates, self.frame["Close"], self.frame["Adj Close"], strict=True))

    def get(self) -> list[np.ndarray]:
        """Both legs from our cache, checked and adjusted."""
        held = [self.cache.get(Leg("yahoo", symbol)) for symbol in simulated.LEGS]
        return [adjusted(one.series, "total") for one in held if one]

    def get_csv(self) -> list[np.ndarray]:
        """Both legs from a file each."""
        files = [self.folder / f"{symbol}.csv" for symbol in simulated.LEGS]
        return [pd.read_csv(file, index_col="Date", parse_dates=True)["Adj Close"].to_numpy() for file in files]

    def get_rows(self) -> list[np.ndarray]:
        """Both legs from the table of bars."""
        with closing(sqlite3.connect(self.folder / "rows.db")) as db:
            frames = [
                pd.read_sql(QUERY, db, params=[symbol], index_col="date", parse_dates=["date"])
                for symbol in simulated.LEGS
            ]
        return [frame["adj"].to_numpy() for frame in frames]

    def put(self) -> None:
        """One leg into our cache."""
        self.cache.update(self.held.series.leg, lambda _: self.held)

    def put_csv(self) -> None:
        """One leg into a file."""
        self.frame.to_csv(self.folder / "written.csv", index=False)

    def put_rows(self) -> None:
        """One leg into the table of bars."""
        with closing(sqlite3.connect(self.folder / "rows.db")) as db, db:
            db.execute("PRAGMA synchronous=FULL")
            db.executemany(ROW, self.rows)


def rows(found: Rounds, ours: str) -> list[list[str]]:
    """A line a side: milliseconds, and how many times ours."""
    return [
        [name, f"{found.median(name):.2f}", "1" if name == ours else str(found.ratio(name, ours))]
        for name in found.runs
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    warn_if_busy()
    with tempfile.TemporaryDirectory(prefix="pairwatch-bench-") as name:
        simulated.write(Path(name))
        sides = Sides(Path(name))
        for rival in (sides.get_csv(), sides.get_rows()):
            assert all(np.allclose(x, y, rtol=1e-12) for x, y in zip(sides.get(), rival, strict=True))
        reads = {
            "Cache.get": sides.get,
            "pandas.read_csv": sides.get_csv,
            "pandas.read_sql, a row a bar": sides.get_rows,
        }
        writes = {"Cache.update": sides.put, "DataFrame.to_csv": sides.put_csv, "SQLite, a row a bar": sides.put_rows}
        print(f"### The price cache: legs of {simulated.BARS:,} closes, imports excluded\n")
        print(table(("reading two legs", "ms", "times ours"), rows(functions_in_turns(reads, rounds), "Cache.get")))
        print(table(("writing one leg", "ms", "times ours"), rows(functions_in_turns(writes, rounds), "Cache.update")))


if __name__ == "__main__":
    main()
