"""When exchanges hold sessions: which days are finished, and when the next one opens.

A thin wrap of exchange_calendars, which is imported with this module: only a source that is about to use the
network needs it, so that a run served from the cache loads neither it nor pandas.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from threading import Lock
from typing import Any
from zoneinfo import ZoneInfo

import exchange_calendars

from pairwatch.model import Days, Floats, frozen_array
from pairwatch.sources.quieting import unwarned

# How long after a close its price may still be settling.
GRACE = 30 * 60.0
# How far back a missing session is worth a word.
MEMORY = timedelta(days=400)
# How far ahead the next opening is looked for: longer than any exchange's holidays.
AHEAD = timedelta(days=21)

ALWAYS_OPEN = "24/7"
_LOCK = Lock()


@dataclass(frozen=True, slots=True)
class Sessions:
    """An exchange's sessions around now: days, and the instants at which they open and close."""

    calendar: str
    days: Days
    opens: Floats
    closes: Floats

    def finished(self, now: float) -> Days:
        """The days whose session has closed, grace included."""
        return self.days[self.closes + GRACE <= now]

    def unfinished(self, now: float) -> Days:
        """The days whose session is open, settling, or still to come."""
        return self.days[self.closes + GRACE > now]

    def quiet_until(self, now: float) -> float:
        """The next opening bell; `now` itself while a session is open or its close is settling."""
        if ((self.opens <= now) & (now < self.closes + GRACE)).any():
            return now
        ahead = self.opens[self.opens > now]
        return float(ahead[0]) if len(ahead) else now

    def closes_at(self, timezone: str) -> int | None:
        """The usual close, in minutes after the local midnight of the session's day; None if there is none.

        At most 1440: where a calendar keeps its days in UTC, the exchange's own still end at its midnight.
        """
        if not len(self.days):
            return None
        zone = ZoneInfo(timezone)
        minutes: list[int] = [
            round((close - datetime.combine(day, datetime.min.time(), zone).timestamp()) / 60)
            for day, close in zip(self.days[-15:].tolist(), self.closes[-15:].tolist(), strict=True)
        ]
        return min(max(set(minutes), key=minutes.count), 1440)


def sessions_of(calendar: str, now: float) -> Sessions | None:
    """The sessions of an exchange, from `MEMORY` before `now` to three weeks after it.

    None where there is no calendar, or none that reaches so far ahead: nothing is then expected of the exchange.

    Args:
        calendar: its ISO 10383 code, or the calendar library's own name (`24/7`, `24/5`, `CMES`); empty for none.
    """
    if not calendar:
        return None
    with _LOCK:  # the calendar library keeps what it has built, and is not made for threads
        return _around(calendar, datetime.fromtimestamp(now, UTC).date())


@lru_cache(maxsize=8)  # the two legs of a pair often share an exchange
def _around(calendar: str, today: date) -> Sessions | None:
    try:
        with unwarned(verbose=False):
            schedule = exchange_calendars.get_calendar(calendar, start=today - MEMORY, end=today + AHEAD).schedule
    except ValueError:  # some calendars hold no year that the exchange has not announced yet
        return None
    days = schedule.index.to_numpy().astype("datetime64[D]")
    opens, closes = (_seconds(schedule[column]) for column in ("open", "close"))
    return Sessions(calendar, frozen_array(days, "datetime64[D]"), opens, closes)


def _seconds(column: Any) -> Floats:
    """Unix seconds of a column of instants."""
    return frozen_array(column.dt.tz_localize(None).to_numpy().astype("datetime64[s]"), "f8")
