"""Bars and ticks made of arrays, for the tests of leads within days."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

import numpy as np
from tests import builders

from pairwatch.bars import SECOND, Bars, Interval, session_days
from pairwatch.gathering import Held
from pairwatch.model import Facts, Leg, Provenance

FIVE, ONE = Interval.parse("5m"), Interval.parse("1m")
NEW_YORK, LONDON = "America/New_York", "Europe/London"


def stamps(days, opens=time(9, 30), count=78, minutes=5, zone=NEW_YORK):
    """The ends of bars, (days, count), Unix nanoseconds."""
    begins = [int(datetime.combine(day, opens, ZoneInfo(zone)).timestamp()) for day in days.tolist()]
    return (np.array(begins)[:, None] + 60 * minutes * np.arange(1, count + 1)) * SECOND


def led(sessions=30, slots=78, lead=0.0, lag=2, seed=0, rho=0.8):
    """Returns of two legs, (sessions, slots) each; the first leads the second by `lag` bars where `lead` is not 0."""
    x, noise = np.random.default_rng(seed).standard_normal((2, sessions, slots))
    y = rho * x + np.sqrt(1 - rho**2) * noise
    y[:, lag:] += lead * x[:, :-lag]
    return 1e-3 * x, 1e-3 * y


def held(returns, times=None, symbol="AAA", interval=FIVE, zone=NEW_YORK, **facts):
    """A leg with these returns; each session's first one is that of a night, which nobody should look at."""
    returns = np.asarray(returns)
    if times is None:
        minutes = int(interval.length // (60 * SECOND))
        times = stamps(builders.weekdays(len(returns)), count=returns.shape[1], minutes=minutes)
    steps = returns.copy()
    steps[:, 0] = 0.05 * (-1.0) ** np.arange(len(returns))
    prices = 100 * np.cumprod(1 + steps.ravel())
    return of(times.ravel(), prices, symbol, interval, zone, **facts)


def of(times, prices, symbol="AAA", interval=FIVE, zone=NEW_YORK, **facts):
    """A leg of these prices."""
    days = session_days(np.asarray(times) - 1, zone)
    known = Facts(**{"currency": "USD", "timezone": zone, **facts})
    return Held(Bars(Leg("yahoo", symbol), interval, times, prices, days, known), Provenance("file"))
