"""The rivals of `pairwatch fetch`: `fetching.py abreast|alone|yfinance FILE` gets every symbol of the file.

`abreast` and `alone` are pairwatch itself, cold, without the pace that it keeps to: several legs at once, and one after
the other. `yfinance` is one call of `yfinance.download` with its threads.
"""

import sys
import time
from pathlib import Path


def pairwatch(symbols: list[str], most: int) -> int:
    from pairwatch import api, fetching
    from pairwatch.model import Leg
    from pairwatch.retrieval import Desk, Policy
    from pairwatch.sources import Pace

    class Hasty(Desk):
        def pace(self, _source: str) -> Pace:
            return Pace(abreast=4)

    desk = Hasty(api.cache_at(), Policy(now=time.time()))
    done = fetching.fetch(desk, [Leg.parse(symbol) for symbol in symbols], most)
    return sum(one.state == "fetched" for one in done)


def yfinance(symbols: list[str]) -> int:
    import warnings

    import yfinance as yf

    warnings.simplefilter("ignore")  # each of its frames warns of a coming pandas
    frame = yf.download(symbols, start="1927-01-01", threads=True, progress=False, auto_adjust=False)
    return int(frame["Close"].notna().any().sum())


if __name__ == "__main__":
    kind, file = sys.argv[1:]
    wanted = Path(file).read_text(encoding="utf-8").split()
    had = yfinance(wanted) if kind == "yfinance" else pairwatch(wanted, 1 if kind == "alone" else 8)
    assert had == len(wanted), f"{had} of {len(wanted)}"
