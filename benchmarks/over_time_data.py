"""What `over_time.py` runs on, drawn from fixed seeds, without network.

`python benchmarks/over_time_data.py universe FOLDER` fills FOLDER's cache with 26 years of daily closes of QQQ, IWM and
every share and fund of the shipped catalogue.

`python benchmarks/over_time_data.py files FOLDER BARS` writes these legs to FOLDER/AAA.csv and FOLDER/BBB.csv, and
`python benchmarks/over_time_data.py pandas FOLDER` reads both as pandas does.

`python benchmarks/over_time_data.py minutes imports|draw|study BARS` makes up two legs of so many one-minute bars, the
first of which leads the second by two, in sessions of 390, and studies them: all of it, or only as far as it says.
"""

import os
import sys
import time
from dataclasses import replace
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np

from pairwatch.bars import SECOND, Bars, Interval
from pairwatch.cache import FILE_NAME, Cache
from pairwatch.gathering import Held
from pairwatch.model import Facts, Floats, Leg, Provenance

SESSION, MAX_LAG = 390, 20


def universe(folder: Path) -> None:
    """`prices.db`, with every leg of the catalogue that Yahoo has."""
    import simulated
    from pairwatch.studies.instruments import shipped

    folder.mkdir(parents=True, exist_ok=True)
    simulated.write_cache(folder)
    cache, like = Cache(folder / FILE_NAME), next(iter(simulated.holdings()))
    common = np.log(like.series.closes / like.series.closes[0])
    for seed, leg in enumerate(shipped().instruments):
        if leg.source == "yahoo" and leg.symbol not in simulated.LEGS:
            own = np.random.default_rng(seed).standard_normal(len(common)).cumsum() * 0.008
            series = replace(like.series, leg=leg, closes=(100 * np.exp(0.7 * common + own)).round(2), quote=None)
            held = replace(like, series=series)
            cache.update(leg, lambda _, held=held: held)
    assert not cache.trouble, cache.trouble


def minutes(count: int) -> tuple[Held, Held]:
    """Two legs of one-minute bars."""
    rng = np.random.default_rng(7)
    a, e = rng.standard_normal((2, count)).astype("f8")
    b = 0.5 * a + 0.3 * np.roll(a, 2) + 0.8 * e
    sessions = np.arange(count) // SESSION
    days = np.busday_offset(np.datetime64("2015-01-02"), np.arange(sessions[-1] + 1), roll="forward")
    opens = days.astype("datetime64[s]").astype("i8") + 14 * 3600 + 30 * 60
    times = (opens[sessions] + 60 * (1 + np.arange(count) % SESSION)) * SECOND
    return _leg("AAA", a, times, days[sessions]), _leg("BBB", b, times, days[sessions])


def _leg(symbol: str, returns: Floats, times: Floats, days: Floats) -> Held:
    facts = Facts(currency="USD", timezone="America/New_York", closes_at=960)
    prices = 100 * np.exp((0.0005 * returns).cumsum())
    return Held(Bars(Leg("yahoo", symbol), Interval.parse("1m"), times, prices, days, facts), Provenance("file"))


def study(legs: tuple[Held, Held]) -> None:
    """Who leads, as `pairwatch lead --interval 1m` has it, written as a table."""
    from pairwatch.render import Page, studies
    from pairwatch.studies import intraday

    last = legs[0].bars.days[-1].item()
    found = intraday.study(*legs, intraday.Asked(Interval.parse("1m"), MAX_LAG, last))
    sys.stdout.write(studies.written("table", found, Page(now=time.time(), width=100)))


def files(folder: Path, count: int) -> None:
    """Stamps with the exchange's offset, and prices to the hundredth of a cent."""
    for leg in minutes(count):
        bars = leg.bars
        local = np.datetime_as_string(bars.times.astype("M8[ns]") - np.timedelta64(5, "h"), unit="s")
        rows = [
            f"{stamp}-05:00,{price:.4f}\n" for stamp, price in zip(local.tolist(), bars.prices.tolist(), strict=True)
        ]
        (folder / f"{bars.leg.symbol}.csv").write_text("time,price\n" + "".join(rows))


def by_pandas(folder: Path) -> None:
    """Both files as frames of moments and prices."""
    import pandas as pd

    frames = [pd.read_csv(folder / f"{name}.csv", parse_dates=["time"]) for name in ("AAA", "BBB")]
    assert all(frame["time"].dtype.kind == "M" for frame in frames)


def main() -> None:
    if sys.argv[1] in ("universe", "pandas"):
        (universe if sys.argv[1] == "universe" else by_pandas)(Path(sys.argv[2]))
        return
    if sys.argv[1] == "files":
        files(Path(sys.argv[2]), int(sys.argv[3]))
        return
    what, count = sys.argv[2], int(sys.argv[3])
    import pairwatch.render.studies
    import pairwatch.studies.intraday  # noqa: F401 - what is timed is what comes after the imports

    if what != "imports":
        legs = minutes(count)
        if what == "study":
            study(legs)


if __name__ == "__main__":
    main()
