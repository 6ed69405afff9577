"""The input of the other benchmarks: 26 years of daily closes of QQQ and IWM, drawn from a fixed seed, without network.

`python benchmarks/simulated.py FOLDER` writes what each side reads: `prices.db` (pairwatch), `QQQ.csv` and `IWM.csv`
(the scripts with pandas), `rows.db` (SQLite with one row a bar). The last day is fixed, so the numbers never change.
"""

import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np

from pairwatch.cache import FILE_NAME, Cache
from pairwatch.model import Event, Facts, Floats, Holding, Leg, Quote, Series

LEGS = ("QQQ", "IWM")
BARS = 6_700
LAST = np.datetime64("2026-10-30")
QUARTER = 63
YIELD = 0.002
CORRELATION, DAILY_VOLATILITY = 0.85, 0.012
NEVER_STALE = 10 * 365 * 86_400.0


def days() -> np.ndarray:
    """The last `BARS` weekdays up to `LAST`."""
    weekdays = np.arange(LAST - 2 * BARS, LAST + 1)
    return weekdays[np.is_busday(weekdays)][-BARS:]


def closes() -> Floats:
    """Two legs of closes, rounded to cents; shape (2, BARS)."""
    common, own = np.random.default_rng(2026).standard_normal((2, BARS))
    shocks = np.stack([common, CORRELATION * common + np.sqrt(1 - CORRELATION**2) * own])
    return (100 * np.exp((DAILY_VOLATILITY * shocks + 0.0002).cumsum(axis=1))).round(2)


def holdings() -> Iterator[Holding]:
    """What the cache of a warm run holds of each leg: quarterly dividends, and a quote of a closed session."""
    now = time.time()
    facts = Facts("Simulated", "USD", "price", "ETF", "NMS", "America/New_York", 960)
    for symbol, prices in zip(LEGS, closes(), strict=True):
        paid = range(QUARTER, BARS, QUARTER)
        events = tuple(Event(days()[i], "dividend", round(YIELD * prices[i - 1], 4)) for i in paid)
        series = Series(Leg("yahoo", symbol), days(), prices, events, facts, Quote(float(prices[-1]), now, open=False))
        yield Holding(series, now, now + NEVER_STALE, now, np.array([], dtype="datetime64[D]"))


def adjusted(held: Holding) -> Floats:
    """Adjusted closes as Yahoo gives them, dividend by dividend: made apart from pairwatch's own."""
    series = held.series
    prices = series.closes.copy()
    for event in series.events:
        at = int(series.dates.searchsorted(event.day))
        prices[:at] *= 1 - event.value / series.closes[at - 1]
    return prices


def write_cache(folder: Path) -> None:
    """`prices.db`, as a run that asked Yahoo leaves it."""
    cache = Cache(folder / FILE_NAME)
    for held in holdings():
        cache.update(held.series.leg, lambda _, held=held: held)
    assert not cache.trouble, cache.trouble


def write_csv(folder: Path) -> None:
    """A file a leg, with the columns that a script would have saved from yfinance."""
    for held in holdings():
        dates, prices = held.series.dates.astype(str), held.series.closes
        rows = zip(dates, prices.tolist(), adjusted(held).tolist(), strict=True)
        lines = ["Date,Close,Adj Close", *(f"{day},{close!r},{total!r}" for day, close, total in rows)]
        (folder / f"{held.series.leg.symbol}.csv").write_text("\n".join(lines) + "\n")


def write_rows(folder: Path) -> None:
    """SQLite as most caches are laid out: a table of bars, keyed by symbol and date."""
    with closing(sqlite3.connect(folder / "rows.db")) as db, db:
        db.execute("CREATE TABLE bars (symbol TEXT, date TEXT, close REAL, adj REAL, PRIMARY KEY (symbol, date))")
        for held in holdings():
            dates, prices = held.series.dates.astype(str).tolist(), held.series.closes.tolist()
            symbols = [held.series.leg.symbol] * BARS
            rows = zip(symbols, dates, prices, adjusted(held).tolist(), strict=True)
            db.executemany("INSERT INTO bars VALUES (?, ?, ?, ?)", rows)


def write(folder: Path) -> None:
    """All of it."""
    folder.mkdir(parents=True, exist_ok=True)
    write_cache(folder)
    write_csv(folder)
    write_rows(folder)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
