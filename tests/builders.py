"""Small series, histories and comparisons made of arrays: no clock, no file, no network.

a, b = linked_returns(61, rho=0.85, seed=1)
found = compared(history(prices(a), symbol="AAA"), history(prices(b), symbol="BBB"), window="61b")
found["correlation"], found["a", "volatility"]
"""

import random
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from pairwatch import pairs
from pairwatch.histories import History
from pairwatch.model import Comparison, Days, Event, Facts, Floats, Leg, Provenance, Quote, Series, Window
from pairwatch.staging import Question

FRIDAY = date(2026, 11, 20)
"""The last day of everything built here, unless another is given."""


def weekdays(n: int, end: date = FRIDAY) -> Days:
    """The `n` weekdays up to `end`."""
    return np.busday_offset(np.datetime64(end), np.arange(1 - n, 1), roll="backward")


def calendar_days(n: int, end: date = FRIDAY, step: int = 1) -> Days:
    """`n` days, each `step` after the one before, the last at `end`."""
    return np.datetime64(end) + step * np.arange(1 - n, 1)


def linked_returns(n: int, rho: float = 0.5, seed: int = 0, volatility: float = 0.01) -> tuple[Floats, Floats]:
    """Two white normal series of returns whose correlation is `rho`, up to chance."""
    x, e = np.random.default_rng(seed).standard_normal((2, n))
    return volatility * x, volatility * (rho * x + np.sqrt(1 - rho**2) * e)


def prices(returns: Floats, first: float = 100.0) -> Floats:
    """The closes that have these simple returns; one more than there are returns."""
    return first * np.concatenate([[1.0], np.cumprod(1 + np.asarray(returns))])


def event(day: object, value: float, kind: str = "dividend") -> Event:
    """A distribution or a split."""
    return Event(np.datetime64(day, "D"), kind, value)


def series(
    closes: Floats,
    dates: Days | None = None,
    *,
    symbol: str = "AAA",
    events: tuple[Event, ...] = (),
    quote: Quote | None = None,
    **facts: object,
) -> Series:
    """Closes on the weekdays up to `FRIDAY`, or on `dates`; further keywords are `Facts`, in USD if not said."""
    closes = np.asarray(closes, dtype="f8")
    dates = weekdays(len(closes)) if dates is None else dates
    return Series(Leg("yahoo", symbol), dates, closes, events, Facts(**{"currency": "USD", **facts}), quote)


def history(
    closes: Floats, dates: Days | None = None, *, provenance: Provenance | None = None, **more: object
) -> History:
    """As `series`, with where it comes from."""
    return History(series(closes, dates, **more), provenance or Provenance("file"))


def linked_pair(n: int = 61, rho: float = 0.5, seed: int = 0) -> tuple[History, History]:
    """Two histories, AAA and BBB, of `n` returns each on the same weekdays."""
    a, b = linked_returns(n, rho, seed)
    return history(prices(a), symbol="AAA"), history(prices(b, 50.0), symbol="BBB")


def compared(
    a: History, b: History, window: str = "90d", as_of: date = FRIDAY, max_lag: int = 5, **question: object
) -> Comparison:
    """What `pairs.compare` says of two histories."""
    return pairs.compare(a, b, Question(as_of, Window.parse(window), max_lag, **question))


# ---------------------------------------------------------------- closes of different clocks

NEW_YORK = Facts(currency="USD", timezone="America/New_York", closes_at=16 * 60)
LONDON = Facts(currency="USD", timezone="Europe/London", closes_at=16 * 60 + 30)
TOKYO = Facts(currency="USD", timezone="Asia/Tokyo", closes_at=15 * 60 + 30)
CRYPTO = Facts(currency="USD", timezone="UTC", closes_at=24 * 60, every_day=True)


def closing_instants(facts: Facts, days: Days) -> Floats:
    """Unix seconds of the closes, by the clock on the wall."""
    hours, minutes = divmod(facts.closes_at or 0, 60)
    late, hour = divmod(hours, 24)
    zone = ZoneInfo(facts.timezone)
    on = [(day + timedelta(days=late)).timetuple()[:3] for day in days.tolist()]
    return np.array([datetime(*day, hour, minutes, tzinfo=zone).timestamp() for day in on])


def told_at_two_clocks(
    a: Facts, b: Facts, n: int, seed: int, share: float = 0.9, end: date = FRIDAY
) -> tuple[History, History]:
    """Two legs that learn the same news at the same moment, day and night, seen at their closes of the last `n` days.

    Neither leads. Of what moves a leg in any half hour, `share` is common: the true correlation.
    """
    days = [calendar_days(n, end) if facts.every_day else weekdays(n, end) for facts in (a, b)]
    closes = [closing_instants(facts, own) for facts, own in zip((a, b), days, strict=True)]
    first = min(own[0] for own in closes)
    steps = int(max(own[-1] for own in closes) - first) // 1800 + 1
    common, *noise = np.random.default_rng(seed).standard_normal((3, steps)) * 0.0015
    paths = [np.exp(np.cumsum(np.sqrt(share) * common + np.sqrt(1 - share) * own)) for own in noise]
    seen = [100 * path[((own - first) // 1800).astype(int)] for path, own in zip(paths, closes, strict=True)]
    legs = [
        Series(Leg("yahoo", symbol), own, levels, facts=facts)
        for symbol, own, levels, facts in zip(("AAA", "BBB"), days, seen, (a, b), strict=True)
    ]
    return History(legs[0], Provenance("file")), History(legs[1], Provenance("file"))


# ---------------------------------------------------------------- an independent reference for the lead test


def shuffled_orders(n: int, seed: int, permutations: int) -> list[list[int]]:
    """The orders of n dates that the lead test draws for a seed, one at a time."""
    rng = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    drawn = [[(rng.getrandbits(32), day) for day in range(n)] for _ in range(permutations)]
    return [[day for _, day in sorted(order)] for order in drawn]


def naive_lead(a: Floats, b: Floats, max_lag: int, orders: list[list[int]]) -> tuple[int, float, float]:
    """Lag, p and detectable lead as `pairwatch.lead` defines them, in loops over Python's numbers, slowly."""
    n = len(a)
    x, y = _scores(a), _scores(b)
    rho = sum(u * v for u, v in zip(x, y, strict=True)) / n
    share = rho * rho
    x_news = [u - rho * v for u, v in zip(x, y, strict=True)]
    y_news = [v - rho * u for u, v in zip(x, y, strict=True)]
    turmoil = [u * u + v * v for u, v in zip(x, y, strict=True)]
    surprise = [u * u + v * v for u, v in zip(x_news, y_news, strict=True)]

    def lagged(earlier: list[float], later: list[float], order: list[int], k: int) -> float:
        return sum(earlier[i] * later[j] for i, j in zip(order, order[k:], strict=False))

    def strengths(order: list[int]) -> tuple[list[tuple[float, float]], float]:
        found = []
        for k in range(1, max_lag + 1):
            plus, minus = lagged(x, y_news, order, k), lagged(y, x_news, order, k)
            unit = n * (1 + share * share)
            found.append(((plus - share * minus) / unit, (minus - share * plus) / unit))
        noise = sum(lagged(turmoil, surprise, order, k) for k in range(1, max_lag + 1)) / max_lag
        return found, noise**0.5

    def highest(found: list[tuple[float, float]], noise: float) -> float:
        return max(max(abs(u), abs(v)) for u, v in found) / noise

    actual, noise = strengths(list(range(n)))
    drawn = [strengths(order) for order in orders]
    as_strong = sum(highest(*one) >= highest(actual, noise) * (1 - 1e-12) for one in drawn)
    sizes = [max(abs(u), abs(v)) for u, v in actual]
    k = sizes.index(max(sizes))
    ahead, behind = actual[k]
    lean = rho * (1 - share) ** 2 / (1 + share * share) * (2 / n) ** 0.5
    lag = (k + 1) if (ahead - behind) * (ahead + behind + lean) > 0 else -(k + 1)
    firsts = [found[0] + (size,) for found, size in drawn]
    spread = (sum((u * u + v * v) / size**2 for u, v, size in firsts) / len(firsts) / 2) ** 0.5
    limit = float(np.quantile([highest(*one) for one in drawn], 0.95))
    return lag, (1 + as_strong) / (1 + len(orders)), noise * (limit + 0.8416212335729143 * spread)


def _scores(values: Floats) -> list[float]:
    """Mean 0, population deviation 1."""
    numbers = [float(v) for v in values]
    mean = sum(numbers) / len(numbers)
    deviation = (sum((v - mean) ** 2 for v in numbers) / len(numbers)) ** 0.5
    return [(v - mean) / deviation for v in numbers]
