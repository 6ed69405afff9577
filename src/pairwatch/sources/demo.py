"""Simulated legs with a known truth: no network, no file, the same numbers on every machine.

Each pair is drawn once, from a fixed seed, over fixed days; a run sees the days before its own. So a day's price
never changes, and new days come as time passes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np

from pairwatch.errors import EmptyAnswer, UnknownSymbol
from pairwatch.model import Days, Facts, Fetched, Floats, Series
from pairwatch.sources import Request

FIRST, LAST = date(2016, 1, 4), date(2060, 12, 31)
DAILY_VOLATILITY = 0.01
LEAD_BARS, LEAD_SHARE = 2, 0.75
SYNCHRONOUS = 0.85
HALF_LIFE = 10.0
BREAK_DAY = np.datetime64("2026-03-31")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two legs drawn together.

    Attributes:
        legs: the symbols of A and B.
        truth: what is known of them, in words.
        draw: makes both legs' log prices, shape (2, n), from a generator and the days.
        every_day: for each leg, whether it trades on weekends.
    """

    legs: tuple[str, str]
    truth: str
    draw: Callable[[np.random.Generator, Days], Floats]
    every_day: tuple[bool, bool] = (False, False)


def _correlated(rng: np.random.Generator, n: int, rho: Floats | float) -> Floats:
    """Two white standard normal series with correlation `rho`; shape (2, n)."""
    x, e = rng.standard_normal((2, n))
    return np.stack([x, rho * x + np.sqrt(1 - np.square(rho)) * e])


def _prices(returns: Floats) -> Floats:
    return np.asarray((DAILY_VOLATILITY * returns).cumsum(axis=-1))


def _lead(rng: np.random.Generator, days: Days) -> Floats:
    x, e = rng.standard_normal((2, len(days)))
    late = np.concatenate([np.zeros(LEAD_BARS), x[:-LEAD_BARS]])
    return _prices(np.stack([x, LEAD_SHARE * late + np.sqrt(1 - LEAD_SHARE**2) * e]))


def _synchronous(rng: np.random.Generator, days: Days) -> Floats:
    return _prices(_correlated(rng, len(days), SYNCHRONOUS))


def _unrelated(rng: np.random.Generator, days: Days) -> Floats:
    return _prices(_correlated(rng, len(days), 0.0))


def _cointegrated(rng: np.random.Generator, days: Days) -> Floats:
    x, e = rng.standard_normal((2, len(days)))
    keep = 0.5 ** (1 / HALF_LIFE)
    gap = np.zeros(len(days))
    for t in range(1, len(days)):
        gap[t] = keep * gap[t - 1] + 0.5 * e[t]
    common = x.cumsum()
    return np.asarray(DAILY_VOLATILITY * np.stack([common + gap, common]))


def _broken(rng: np.random.Generator, days: Days) -> Floats:
    return _prices(_correlated(rng, len(days), np.where(days > BREAK_DAY, 0.0, SYNCHRONOUS)))


PAIRS = (
    Pair(("LEADER", "FOLLOWER"), f"LEADER leads by {LEAD_BARS} bars", _lead),
    Pair(("TWIN1", "TWIN2"), f"synchronous, correlation {SYNCHRONOUS}", _synchronous),
    Pair(("LONE1", "LONE2"), "unrelated", _unrelated),
    Pair(("COINT1", "COINT2"), f"cointegrated, half-life {HALF_LIFE:g} bars", _cointegrated),
    Pair(("BREAK1", "BREAK2"), f"correlation {SYNCHRONOUS} to {BREAK_DAY}, then 0", _broken),
    Pair(("WEEK7", "WEEK5"), f"seven days against five, correlation {SYNCHRONOUS}", _synchronous, (True, False)),
)


class Demo:
    """Simulated pairs, whose answers can be checked."""

    def fetch(self, request: Request) -> Fetched:
        """See `pairwatch.sources.Source.fetch`."""
        leg = request.leg
        for seed, pair in enumerate(PAIRS):
            if leg.symbol in pair.legs:
                return self._drawn(request, pair, pair.legs.index(leg.symbol), seed)
        raise UnknownSymbol(
            f"{leg}: not a demo leg", f"the demo legs are {', '.join(s for p in PAIRS for s in p.legs)}"
        )

    @staticmethod
    def _drawn(request: Request, pair: Pair, which: int, seed: int) -> Fetched:
        days = np.arange(np.datetime64(FIRST), np.datetime64(LAST))
        on_weekdays = np.is_busday(days)
        if not any(pair.every_day):
            days, on_weekdays = days[on_weekdays], on_weekdays[on_weekdays]
        log_prices = pair.draw(np.random.default_rng(seed), days)[which]
        today = np.datetime64(datetime.fromtimestamp(request.now, UTC).date())
        seen = (days < today) & (on_weekdays | pair.every_day[which])
        if not seen.any():
            raise EmptyAnswer(f"{request.leg}: the simulation begins on {FIRST}")
        facts = Facts(
            name=pair.truth,
            currency="simulated",  # so that a row of CSV says it too
            timezone="UTC",
            every_day=pair.every_day[which],
            simulated=True,
        )
        series = Series(request.leg, days[seen], 100 * np.exp(log_prices[seen]), facts=facts)
        return Fetched(series, None, request.now, request.now, np.array([], dtype="datetime64[D]"))
