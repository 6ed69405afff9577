"""Prices converted into another currency, by the exchange rates of the same source."""

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from pairwatch.errors import EmptyAnswer, SourceError, UnknownSymbol, UsageError
from pairwatch.histories import History
from pairwatch.model import HUNDREDTHS, Days, Event, Facts, Floats, Leg, Provenance, Quote, Series
from pairwatch.sources import About, about
from pairwatch.text import clean, listing, plural

# How many days old a rate may be by which a distribution is converted, or the value of a longer period than a day.
OLDEST_RATE = np.timedelta64(4, "D")
_CURRENCY = re.compile(r"[A-Z]{2}[A-Za-z]\Z")


class _Rate(NamedTuple):
    """A series of what one currency is worth in another, or its inverse.

    Attributes:
        turned: the series the other way round, for a source that may have only one of the two.
    """

    leg: Leg
    inverse: bool = False
    turned: Leg | None = None


class _Rates(NamedTuple):
    """What a unit is worth, day by day, and where that comes from."""

    dates: Days
    values: Floats
    quote: float | None
    histories: tuple[History, ...]


def converted(history: History, currency: str, get: Callable[[Leg], History]) -> History:
    """The history in another currency; `get` has the exchange rates.

    Closes are converted by the rate of their own day, or left out where there is none; distributions by that of their
    day or one shortly before; the latest price by the latest rate, or left out. What is no price stays as it is, and so
    does a price that is simulated, from a file, or in a currency that is not known: one currency is wanted for all
    legs, and refusing these would shut them out. A remark says what was done.

    Raises:
        UsageError: no currency, or a leg whose exchange rates are not to be had from its source.
        SourceError: the rates could not be had, or are of other days.
    """
    if not _CURRENCY.match(currency):
        raise UsageError(f"not a currency: {clean(currency)!r}", "three letters, such as USD, EUR or JPY")
    series = history.series
    leg, facts = series.leg, series.facts
    if facts.currency == currency and facts.measure == "price":
        return history
    if why := _inconvertible(facts):
        return _remarked(history, f"{leg}: {why}, not converted to {currency}")
    (whole, factor), (target, divisor) = _whole(facts.currency), _whole(currency)
    factor /= divisor
    if whole == target:
        return _remarked(_scaled(history, factor, currency), f"{leg}: {facts.currency} converted to {currency}")
    if not about(leg.source).remote:
        return _remarked(history, f"{leg}: in {facts.currency}, from a file, not converted to {currency}")
    return _by_rates(history, currency, factor, _rates(_named(leg, whole, target, currency), leg, whole, currency, get))


def can_be_in(leg: Leg, facts: Facts, currency: str) -> bool:
    """Whether `converted` would leave the leg in this currency, as far as can be told without its exchange rates."""
    if facts.currency == currency:
        return True
    if _inconvertible(facts):
        return False
    have, want = _whole(facts.currency)[0], _whole(currency)[0]
    return have == want or (about(leg.source).remote and _steps(leg, have, want) is not None)


_WORDS = {"rate": "a rate", "index": "an index", "level": "no price"}


def _inconvertible(facts: Facts) -> str:
    """Why there is nothing to be converted, or nothing."""
    if facts.measure != "price":
        return _WORDS[facts.measure]
    if facts.simulated:
        return "simulated"
    return "" if facts.currency else "its currency is not known"


def _whole(currency: str) -> tuple[str, float]:
    """The currency of which this is a hundredth, and .01; or itself and 1."""
    return (HUNDREDTHS[currency], 0.01) if currency in HUNDREDTHS else (currency, 1.0)


def _named(leg: Leg, have: str, want: str, currency: str) -> tuple[_Rate, ...]:
    """As `_steps`; raises `UsageError` where the source has none."""
    if (steps := _steps(leg, have, want)) is not None:
        return steps
    raise UsageError(
        f"{leg}: in {have}, and {leg.source} has no exchange rates to {currency}",
        _hint(about(leg.source), leg, currency),
    )


def _steps(leg: Leg, have: str, want: str) -> tuple[_Rate, ...] | None:
    """The series whose product is what `have` is worth in `want`; None where the leg's source has none."""
    known = about(leg.source)
    if known.exchange_rate and _CURRENCY.match(have) and _CURRENCY.match(want):
        there, back = (Leg(leg.source, known.exchange_rate.format(*way)) for way in ((have, want), (want, have)))
        return (_Rate(there, turned=back),)
    if {have, want} <= {"USD", *known.dollar_rates} and known.dollar_rates:
        steps = []
        for unit, is_target in ((have, False), (want, True)):
            if unit != "USD":
                symbol = known.dollar_rates[unit]
                steps.append(_Rate(Leg(leg.source, symbol.removeprefix("/")), symbol.startswith("/") != is_target))
        return tuple(steps)
    return None


def _hint(known: About, leg: Leg, currency: str) -> str:
    if known.priced_in:
        symbol = known.priced_in.format(leg.symbol.partition("/")[0], currency.lower())
        return f"name it in that currency: {leg.source}:{symbol}; or --currency '' for no conversion"
    return "--currency '' for no conversion, or name the leg at a source that has them, such as yahoo"


def _rates(steps: tuple[_Rate, ...], leg: Leg, have: str, currency: str, get: Callable[[Leg], History]) -> _Rates:
    """The product of some series, on the days that all of them have."""
    steps, histories = zip(*(_had(step, leg, have, currency, get) for step in steps), strict=True)
    dates = histories[0].series.dates
    for history in histories[1:]:
        dates = np.intersect1d(dates, history.series.dates, assume_unique=True)
    values, quote = np.ones(len(dates)), 1.0
    for step, history in zip(steps, histories, strict=True):
        series = history.series
        rate = series.closes[series.dates.searchsorted(dates)]
        latest = series.quote.price if series.quote else np.nan
        values, quote = (values / rate, quote / latest) if step.inverse else (values * rate, quote * latest)
    return _Rates(dates, values, quote if np.isfinite(quote) else None, histories)


def _had(step: _Rate, leg: Leg, have: str, currency: str, get: Callable[[Leg], History]) -> tuple[_Rate, History]:
    """A series with what it is; the other way round where the source has only that."""
    rate = step.leg
    try:
        history = get(rate)
    except SourceError as error:
        unknown = isinstance(error, (UnknownSymbol, EmptyAnswer))
        if unknown and step.turned:
            with suppress(UnknownSymbol, EmptyAnswer):
                return _had(_Rate(step.turned, inverse=not step.inverse), leg, have, currency, get)
        none = f"{rate.source} has no rates from {have} to {currency}: --currency '' for no conversion"
        raise type(error)(
            f"{leg}: cannot be converted to {currency}: {error.message}", none if unknown else error.hint
        ) from error
    if not (history.series.closes > 0).all():
        raise SourceError(f"{leg}: cannot be converted to {currency}: {rate} holds a rate that is not above zero")
    return step, history


def _by_rates(history: History, currency: str, factor: float, rates: _Rates) -> History:
    series = history.series
    at = _at(series.dates, rates.dates, exactly=series.facts.frequency in ("", "day"))
    has = at >= 0
    leg = series.leg
    if not has.any():
        raise EmptyAnswer(
            f"{leg}: cannot be converted to {currency}: no day in common with {_names(rates)}",
            "--currency '' for no conversion",
        )
    closes = series.closes[has] * rates.values[at[has]] * factor
    events, lost = _events(series, rates, factor)
    quote = series.quote and rates.quote and replace(series.quote, price=series.quote.price * rates.quote * factor)
    found = replace(
        series,
        dates=series.dates[has],
        closes=closes,
        events=events,
        quote=quote or None,
        facts=replace(series.facts, currency=currency, unit=""),
    )
    remarks = [
        f"{leg}: {series.facts.currency} converted to {currency}, rates of {_origin(rates)}",
        *_left_out(series, has),
        *(f"{leg}: no rate for the distribution of {event.day}, left out" for event in lost),
    ]
    return History(found, _joined(history, rates.histories, remarks))


def _at(days: Days, dates: Days, *, exactly: bool) -> np.ndarray[tuple[int, ...], np.dtype[np.intp]]:
    """For each day the position of its rate, or -1; that of the latest one before it where it need not be exact."""
    if not len(dates):
        return np.full(len(days), -1)
    at = dates.searchsorted(days, side="right") - 1
    age = days - dates[at]
    return np.where((at >= 0) & (age >= np.timedelta64(0, "D")) & (age <= (0 if exactly else OLDEST_RATE)), at, -1)


def _events(series: Series, rates: _Rates, factor: float) -> tuple[tuple[Event, ...], list[Event]]:
    """The events with their amounts converted, and those for which there is no rate though there are for the days."""
    at = _at(np.array([e.day for e in series.events], dtype="datetime64[D]"), rates.dates, exactly=False)
    kept, lost = [], []
    for event, i in zip(series.events, at.tolist(), strict=True):
        if event.kind == "split":
            kept.append(event)
        elif i >= 0:
            kept.append(replace(event, value=event.value * float(rates.values[i]) * factor))
        elif event.day >= rates.dates[0]:
            lost.append(event)
    return tuple(kept), lost


def _left_out(series: Series, has: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> list[str]:
    """What has to be said of closes without a rate: those before the first rate are counted apart."""
    first = int(np.argmax(has))
    missing = series.dates[first:][~has[first:]]
    found = [f"{series.leg}: no rates before {series.dates[first]}, {plural(first, 'close')} left out"] if first else []
    if len(missing):
        newest_first = listing(missing[::-1].tolist())
        found.append(
            f"{series.leg}: {plural(len(missing), 'close')} without a rate of the day left out: {newest_first}"
        )
    return found


def _names(rates: _Rates) -> str:
    return " and ".join(str(history.series.leg) for history in rates.histories)


def _origin(rates: _Rates) -> str:
    """Which series the rates are of, and when they close."""
    return " and ".join(_closing(history) for history in rates.histories)


def _closing(history: History) -> str:
    facts, name = history.series.facts, f"{history.series.leg.source}:{history.series.leg.symbol}"
    if facts.closes_at is None:
        return f"{name}, whose closing time is not known"
    hours, minutes = divmod(facts.closes_at, 60)
    return f"{name}, closing at {hours:02}:{minutes:02} {facts.timezone}".rstrip()


def _joined(history: History, rates: tuple[History, ...], remarks: list[str]) -> Provenance:
    """Where converted prices come from: as old as the oldest part of them, as stale as any."""
    own = history.provenance
    others = [rate.provenance for rate in rates]
    asked = [p.asked_at for p in (own, *others) if p.asked_at is not None]
    return replace(
        own,
        asked_at=min(asked) if asked else None,
        stale="; ".join(p.stale for p in (own, *others) if p.stale),
        remarks=(*own.remarks, *(text for p in others for text in p.remarks)),
        made=(*own.made, *remarks),
    )


def _scaled(history: History, factor: float, currency: str) -> History:
    """The history with every price multiplied."""
    series = history.series
    events = tuple(e if e.kind == "split" else replace(e, value=e.value * factor) for e in series.events)
    quote: Quote | None = series.quote and replace(series.quote, price=series.quote.price * factor)
    facts = replace(series.facts, currency=currency)
    return replace(
        history, series=replace(series, closes=series.closes * factor, events=events, quote=quote, facts=facts)
    )


def _remarked(history: History, remark: str) -> History:
    provenance = history.provenance
    return replace(history, provenance=replace(provenance, made=(*provenance.made, remark)))
