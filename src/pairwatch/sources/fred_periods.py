"""The periods that FRED's values are of: told by their days, and dated by their last day.

FRED dates a value of a month or longer by the first day of its period, one of a week or two by the day it ends on, and
one that is taken on a certain day (the end of a fiscal year) by that day.
"""

from typing import Final, TypeAlias

import numpy as np

from pairwatch.model import Days, Frequency

# What FRED's words, or the days, tell.
Cadence: TypeAlias = Frequency

_MONTHS: Final[dict[Cadence, int]] = {"month": 1, "quarter": 3, "half-year": 6, "year": 12}
_BY_MONTHS: Final[dict[int, Cadence]] = {months: cadence for cadence, months in _MONTHS.items()}
_WORDS: Final[dict[str, Cadence]] = {
    "daily": "day",
    "weekly": "week",
    "biweekly": "fortnight",
    "monthly": "month",
    "quarterly": "quarter",
    "semiannual": "half-year",
    "annual": "year",
}
_BY_DAYS: Final[dict[float, Cadence]] = {1: "day", 2: "day", 7: "week", 14: "fortnight"}
# With fewer rows than this a pattern may be chance.
_FEWEST: Final = 4


def cadence_of(words: str) -> Cadence:
    """The cadence that FRED's own words tell: `Weekly, Ending Friday`, `Daily, 7-Day`, `Annual, Fiscal Year`."""
    return _WORDS.get(words.partition(",")[0].strip().lower(), "")


def is_long(cadence: Cadence) -> bool:
    """Whether its periods are a month or longer."""
    return cadence in _MONTHS


def inferred(days: Days) -> Cadence:
    """The cadence that the days themselves show, holidays included as far as they are listed; empty if none.

    Months and longer are told by days that are all the first, or all the last, of their month.
    """
    if len(days) < _FEWEST:
        return ""
    months = days.astype("datetime64[M]")
    if _all_first(days) or bool((_month_end(months, 1) == days).all()):
        return _BY_MONTHS.get(int(np.gcd.reduce(np.diff(months).astype("i8"))), "")
    return _BY_DAYS.get(float(np.median(np.diff(days).astype("i8"))), "")


def period_ends(days: Days, cadence: Cadence) -> Days:
    """The last day of the period of each value.

    Raises:
        ValueError: the days cannot be those of such a series; the message says why.
    """
    if not is_long(cadence) or not len(days):
        return days
    months = days.astype("datetime64[M]")
    if not _all_first(days):
        if (days == months.astype("datetime64[D]")).any():
            raise ValueError("some periods are dated by their first day and some are not")
        return days
    if (np.diff(months).astype("i8") < _MONTHS[cadence]).any():
        raise ValueError(f"values are closer together than a {cadence}")
    return _month_end(months, _MONTHS[cadence])


def _all_first(days: Days) -> bool:
    return bool((days == days.astype("datetime64[M]").astype("datetime64[D]")).all())


def _month_end(months: Days, count: int) -> Days:
    """The last day of the last of `count` months that begin with each of `months`."""
    ends: Days = (months + count).astype("datetime64[D]") - 1
    return ends
