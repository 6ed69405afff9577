"""Which closes of two legs belong together: of one day, of one period, or nearest in time.

Nothing is ever filled forward: a close that has no partner makes no bar.
"""

from datetime import date
from typing import NamedTuple, get_args

import numpy as np

from pairwatch import clocks
from pairwatch.errors import NotEnoughData, UsageError
from pairwatch.kernels import usual_gap
from pairwatch.model import Align, Days, Facts, Frequency, Positions, Series, Window
from pairwatch.text import plural

FEWEST_RETURNS = 20
# A daily leg that has been silent for more days than this has stopped, or its file is not renewed.
LONGEST_SILENCE = 10
# From how many days between bars, how many bars a year, and what a bar is called.
FREQUENCIES: tuple[tuple[int, int, Frequency], ...] = (
    (200, 1, "year"),
    (150, 2, "half-year"),
    (45, 4, "quarter"),
    (20, 12, "month"),
    (10, 26, "fortnight"),
    (5, 52, "week"),
)
EXCHANGE_DAYS, EVERY_DAY = 252, 365
# The share of the days that both legs trade on, from which bars nearest in time are counted as trading days.
NEARLY_ALL = 0.9
# How many bars are counted for that: about four years.
COUNTED = 1000

# From the fastest to the slowest.
_ORDER: tuple[Frequency, ...] = ("day", *(name for *_, name in FREQUENCIES[::-1]))
_WEEKS: dict[Frequency, int] = {"week": 1, "fortnight": 2}
_MONTHS: dict[Frequency, int] = {"month": 1, "quarter": 3, "half-year": 6, "year": 12}
# In days: values of one period are dated no farther apart than half of it; those of a fortnight are of one week.
_NEAR: dict[Frequency, int] = {"week": 3, "fortnight": 3, "month": 15, "quarter": 45, "half-year": 91, "year": 182}
# A window that holds enough returns of each frequency.
_WIDE: dict[Frequency, str] = {
    "day": "90d",
    "week": "1y",
    "fortnight": "2y",
    "month": "3y",
    "quarter": "10y",
    "half-year": "20y",
    "year": "30y",
}


class Matches(NamedTuple):
    """The closes of two legs that are taken for the same moment, over all their days.

    Attributes:
        dates: one day a bar, strictly increasing: neither leg's close is of a later day.
        at_a, at_b: the positions of the closes in each leg's own series.
        period: how often there is a bar: as often as the slower leg has a value.
        average: 1 if A's close meets a longer period's value of B, which may be the average of its period, -1 if B's
            meets one of A, 0 where both are of one frequency.
        lined_up: how, in words; empty where each day is its own.
    """

    dates: Days
    at_a: Positions
    at_b: Positions
    period: Frequency = "day"
    average: int = 0
    lined_up: str = ""


class Alignment(NamedTuple):
    """Which of each leg's closes make up the window.

    Attributes:
        dates: the days of the bars, base included; shape (n + 1,).
        at_a, at_b: the positions of their closes in each leg's own series.
        every: all bars up to the end, those before the window too.
        start: the calendar day on which the window starts.
        bars_per_year: P.
        lost: closes of A, and of B, from the base on, that the other leg has none for.
        average, lined_up: as in `Matches`.
    """

    dates: Days
    at_a: Positions
    at_b: Positions
    every: Matches
    start: date
    bars_per_year: int = EXCHANGE_DAYS
    lost: tuple[int, int] = (0, 0)
    average: int = 0
    lined_up: str = ""


def frequency_of(series: Series) -> Frequency:
    """How often the leg has a value: as its source says, or by the usual distance of its last 61 days."""
    return series.facts.frequency or named(series.dates[-61:])


def named(days: Days) -> Frequency:
    """What the usual distance of these days is called."""
    gap = usual_gap(days)
    return next((name for least, _, name in FREQUENCIES if gap >= least), "day")


# ---------------------------------------------------------------- the window


def align(a: Series, b: Series, window: Window, how: Align = "date") -> Alignment:
    """The bars of two series inside a window that ends at the last of them.

    The base is the last bar at or before the window's start, so that the returns inside are exactly those dated
    after it; the first bar, if there is none so early.

    Raises:
        NotEnoughData: too few bars.
        UsageError: see `matches`.
    """
    found = matches(a, b, how)
    if not len(found.dates):
        raise NotEnoughData(
            f"{a.leg} and {b.leg} have no {found.period} in common: {_days_of(a)}; {_days_of(b)}",
            "compare legs that trade at the same time",
        )
    first, start = base(found.dates, window)
    n = len(found.dates) - 1 - first
    if n < FEWEST_RETURNS:
        raise NotEnoughData(
            f"{a.leg} and {b.leg} have {plural(n, 'common return')} from {found.dates[first]} to {found.dates[-1]}, "
            f"{FEWEST_RETURNS} are needed: {_days_of(a)}; {_days_of(b)}",
            "" if (wider := _wider(found)) else _too_short(found),
            window=wider,
        )
    inside = found._replace(dates=found.dates[first:], at_a=found.at_a[first:], at_b=found.at_b[first:])
    return Alignment(
        dates=inside.dates,
        at_a=inside.at_a,
        at_b=inside.at_b,
        every=found,
        start=start,
        bars_per_year=_bars_per_year(inside.dates, found.dates, a.facts, b.facts, how),
        lost=_lost(a, b, inside, how),
        average=found.average,
        lined_up=found.lined_up,
    )


def base(dates: Days, window: Window) -> tuple[int, date]:
    """The place of the base, and the calendar day on which the window starts."""
    if window.unit == "b":
        first = max(0, len(dates) - 1 - window.count)
        start: date = dates[first].item()
        return first, start
    start = window.start(dates[-1].item())
    return max(0, int(dates.searchsorted(np.datetime64(start), side="right")) - 1), start


def _wider(found: Matches) -> str:
    """A window that holds enough bars; none where all there are would be too few."""
    everything = len(found.dates) - 1
    if everything < FEWEST_RETURNS:
        return ""
    usual = _WIDE[found.period]
    holds = everything - base(found.dates, Window.parse(usual))[0]
    return usual if holds >= FEWEST_RETURNS else f"{min(61, everything)}b"


def _too_short(found: Matches) -> str:
    """What helps where no window does."""
    common = plural(len(found.dates), f"common {'close' if found.period == 'day' else found.period}")
    return f"no window is long enough for {common}: name legs with {FEWEST_RETURNS + 1} or more"


def _days_of(series: Series) -> str:
    if not len(series):
        return f"{series.leg} has none"
    return f"{series.leg} has {plural(len(series), 'close')}, {series.dates[0]} to {series.dates[-1]}"


def _bars_per_year(days: Days, everything: Days, a: Facts, b: Facts, how: Align) -> int:
    """P: by the usual distance of the window's days, and by whether both legs trade every day.

    Bars of two days are half as many. Where closes are paired with the nearest in time and many have no partner
    (Tokyo's of Mondays, New York's of Fridays), the bars of the last years are counted, and the time in which a leg
    was silent is not.
    """
    gap = usual_gap(days)
    for least, bars, _ in FREQUENCIES:
        if gap >= least:
            return bars
    daily = EVERY_DAY if a.every_day and b.every_day else EXCHANGE_DAYS
    if how == "two-day":
        return daily // 2  # P is whole: 182 for legs that trade every day, 0.3 % below the half of 365
    if how == "nearest":
        gaps = np.diff(everything[-COUNTED:]).astype("i8")
        gaps = gaps[gaps <= LONGEST_SILENCE]
        counted = round(365.25 * len(gaps) / int(gaps.sum()))
        return daily if counted >= NEARLY_ALL * daily else counted
    return daily


def _lost(a: Series, b: Series, inside: Matches, how: Align) -> tuple[int, int]:
    """Closes of either leg, from the base on, that the other has none for.

    Of a leg with several closes a period these are the ones in periods without a value of the other, not those
    between the ends; of two common closes, the one left out is not lost.
    """
    at_a, at_b = inside.at_a, inside.at_b
    if how == "two-day":
        common = _by_date(a, b)
        since = int(common.at_a.searchsorted(at_a[0]))
        at_a, at_b = common.at_a[since:], common.at_b[since:]
    lost_a, lost_b = len(a) - int(at_a[0]) - len(at_a), len(b) - int(at_b[0]) - len(at_b)
    if inside.average > 0:
        lost_a = _outside(a.dates[at_a[0] : at_a[-1]], inside)
    if inside.average < 0:
        lost_b = _outside(b.dates[at_b[0] : at_b[-1]], inside)
    return lost_a, lost_b


def _outside(days: Days, bars: Matches) -> int:
    """How many of the days lie in none of the periods that the bars end."""
    ends = bars.dates[bars.dates.searchsorted(days)]
    return int(np.count_nonzero(days <= _earlier(ends, bars.period)))


# ---------------------------------------------------------------- what belongs together


def matches(a: Series, b: Series, how: Align = "date") -> Matches:
    """The closes of two series that belong together.

    `date`: closes of one day. Of legs of different frequencies, each date of the slower one is the end of a period,
    and meets the other's last close on or before it and after the end before; the bar has the slower one's date. Two
    legs of one frequency below daily, whose days differ, meet by the week, month, quarter, half-year or year of their
    days, where these are no more than half of it apart; those of fortnights by the week.
    `two-day`: every second of these, counted back from the last. `nearest`: each close with the other leg's nearest
    in time, if each is the other's nearest and they are no more than half a day apart; the bar has the later date.

    Raises:
        UsageError: another way than by date for legs that are not daily; `nearest` where a close is not known.
    """
    periods = frequency_of(a), frequency_of(b)
    if how != "date":
        _check_daily(a, b, how, periods)
        return _nearest_in_time(a, b) if how == "nearest" else _every_second(a, b)
    if periods[0] == periods[1]:
        return _by_date(a, b) if periods[0] == "day" else _by_period(a, b, periods[0])
    if _ORDER.index(periods[0]) < _ORDER.index(periods[1]):
        dates, at_b, at_a = _within_periods(b, a, *periods[::-1])
        return Matches(dates, at_a, at_b, periods[1], 1, _told(b, a, periods[1]))
    dates, at_a, at_b = _within_periods(a, b, *periods)
    return Matches(dates, at_a, at_b, periods[0], -1, _told(a, b, periods[0]))


def _check_daily(a: Series, b: Series, how: Align, periods: tuple[Frequency, Frequency]) -> None:
    if how not in get_args(Align):
        raise UsageError(f"closes cannot be lined up by {how!r}", f"it is {', '.join(get_args(Align))}")
    for series, period in zip((a, b), periods, strict=True):
        if period != "day":
            raise UsageError(
                f"--align {how} is for daily closes: {series.leg} has one a {period}",
                "leave --align out: legs of different frequencies are lined up by period",
            )


def _told(slow: Series, fast: Series, period: Frequency) -> str:
    return f"by the {period}s of {slow.leg}: {fast.leg}'s last close in each"


def _by_date(a: Series, b: Series) -> Matches:
    dates, at_a, at_b = np.intersect1d(a.dates, b.dates, assume_unique=True, return_indices=True)
    return Matches(dates, at_a, at_b)


def _every_second(a: Series, b: Series) -> Matches:
    dates, at_a, at_b, *_ = _by_date(a, b)
    kept = slice((len(dates) + 1) % 2, None, 2)
    return Matches(dates[kept], at_a[kept], at_b[kept], lined_up="by every second common close, counted from the last")


def _nearest_in_time(a: Series, b: Series) -> Matches:
    if not (len(a) and len(b)):
        return _by_date(a, b)
    at_a, at_b = clocks.nearest(a, b)
    told = f"each close of {a.leg} with {b.leg}'s nearest in time"
    return Matches(np.maximum(a.dates[at_a], b.dates[at_b]), at_a, at_b, lined_up=told)


def _by_period(a: Series, b: Series, period: Frequency) -> Matches:
    """By the calendar's periods, of days not far apart; by date where a leg has two values in one period."""
    labels_a, labels_b = (_labels(series.dates, period) for series in (a, b))
    if any((labels[1:] == labels[:-1]).any() for labels in (labels_a, labels_b)):
        return _by_date(a, b)._replace(period=period)
    _, at_a, at_b = np.intersect1d(labels_a, labels_b, assume_unique=True, return_indices=True)
    near = np.abs((a.dates[at_a] - b.dates[at_b]).astype("i8")) <= _NEAR[period]
    at_a, at_b = at_a[near], at_b[near]
    days_a, days_b = a.dates[at_a], b.dates[at_b]
    differ = (days_a != days_b).any()
    told = f"by {period}s: the days of {a.leg} and {b.leg} in them differ" if differ else ""
    return Matches(np.maximum(days_a, days_b), at_a, at_b, period, lined_up=told)


def _labels(days: Days, period: Frequency) -> Positions:
    """The number of the period that each day lies in; weeks begin on Mondays.

    Which weeks make a fortnight is not known: its label is the week's.
    """
    if period in _WEEKS:  # day 0, 1970-01-01, was a Thursday
        return np.asarray((days.astype("i8") + 3) // 7)
    return np.asarray(days.astype("M8[M]").astype("i8") // _MONTHS[period])


def _within_periods(
    slow: Series, fast: Series, period: Frequency, within: Frequency
) -> tuple[Days, Positions, Positions]:
    """Each period's end with the faster leg's last close in it, where that is final: days, places in either leg.

    A period is no longer than the calendar allows, also where the value before it is missing.
    """
    ends = slow.dates
    at = fast.dates.searchsorted(ends, side="right") - 1
    begins = _earlier(ends, period)
    begins[1:] = np.maximum(begins[1:], ends[:-1])
    found = at >= 0
    found[found] = fast.dates[at[found]] > begins[found]
    if found.any():  # the faster leg may owe a close for the period in which its last one lies
        last = np.flatnonzero(found)[-1]
        found[last] = not _owes(fast, ends[last], within)
    return ends[found], np.flatnonzero(found), at[found]


def _earlier(ends: Days, period: Frequency) -> Days:
    """The ends of the periods before these: the last of a month where they are, else the same day of the month."""
    if period in _WEEKS:
        return np.asarray(ends - 7 * _WEEKS[period])
    months = ends.astype("M8[M]")
    before = months - _MONTHS[period]
    last_of_before = (before + 1).astype("M8[D]") - 1
    same_day = np.minimum(before.astype("M8[D]") + (ends - months.astype("M8[D]")), last_of_before)
    return np.where((ends + 1).astype("M8[M]") > months, last_of_before, same_day)


def _owes(series: Series, end: np.datetime64, frequency: Frequency) -> bool:
    """Whether another close is to be expected after the leg's last one, up to `end`: by the days that it trades on.

    A leg that has stopped in the middle of a period has no close for it; one that closed on the Friday before a
    Sunday has.
    """
    last = series.dates[-1]
    if frequency in _WEEKS:
        return bool(last + 7 * _WEEKS[frequency] <= end)
    if frequency != "day":
        return bool(np.diff(_labels(np.array([last, end]), frequency))[0] > 0)
    of_week = np.bincount(_of_week(series.dates[-61:]), minlength=7)
    trades = of_week * 3 > of_week.max()
    return bool(trades[_of_week(np.arange(last + 1, end + 1))].any())


def _of_week(days: Days) -> Positions:
    return np.asarray((days.astype("i8") + 3) % 7)
