"""What a comparison rests on, and what its reader has to know beside the numbers."""

import math
from dataclasses import replace
from datetime import date

import numpy as np

from pairwatch.alignment import FREQUENCIES, LONGEST_SILENCE, Alignment
from pairwatch.clocks import FARTHEST
from pairwatch.currencies import can_be_in
from pairwatch.errors import PairwatchError
from pairwatch.histories import History
from pairwatch.kernels import usual_gap
from pairwatch.model import HUNDREDTHS, Days, Leadership, LegReceipt, Receipt
from pairwatch.sources import About, about
from pairwatch.text import listing, plural

# A rarer series than a daily one is silent, in bars, from here on: see `LONGEST_SILENCE`.
LATE_BARS = 3


def as_of(history: History, day: date) -> History:
    """The history as it stood after `day`, with what may be said of it.

    A leg whose last close is long past is stale, whatever its source says; a stale leg has no *now*; and what the
    provider revised lately is no news of a day that lies further back.
    """
    series, provenance = history.series.as_of(day), history.provenance
    if len(series) < len(history.series) and provenance.origin == "network":
        provenance = replace(provenance, revised=0, refetched=False, remarks=())
    if len(series) and not provenance.stale:
        silent = day.toordinal() - series.dates[-1].item().toordinal()
        if silent > max(LONGEST_SILENCE, LATE_BARS * usual_gap(series.dates[-61:])):
            provenance = replace(
                provenance, stale=f"{series.leg}: its last close, {series.dates[-1]}, is {silent} days old"
            )
    return History(replace(series, quote=None) if provenance.stale else series, provenance)


def leg_receipt(history: History, common: Days, lost: int, day: date) -> LegReceipt:
    """One side's receipt; `lost` closes in the window have no partner."""
    series = history.series
    holes = tuple(hole for hole in history.provenance.holes if common[0] < hole <= np.datetime64(day))
    return LegReceipt(
        leg=series.leg,
        facts=series.facts,
        provenance=replace(history.provenance, holes=holes),
        first_bar=series.dates[0],
        last_bar=series.dates[-1],
        lost=lost,
        quote=series.quote,
    )


def warnings(receipt: Receipt, lead: Leadership, lined_up: Alignment) -> tuple[str, ...]:
    """One line each, most serious first."""
    a, b, common = receipt.a, receipt.b, lined_up.dates
    found = [side.provenance.stale for side in (a, b) if side.provenance.stale]
    found += [text for side in (a, b) for text in _news(side)]
    found += _holes(a, b)
    found += _ends(a, b, common)
    found += _gaps(common)
    found += _currencies(a, b)
    if receipt.base > receipt.start:
        found.append(f"the window begins on {receipt.base}, the first common close, not on {receipt.start}")
    found += _frequency(common)
    found += _beginnings(receipt, lined_up)
    found += _averages(lead, lined_up)
    found += _clocks(receipt, lead)
    found += _units(a, b)
    return tuple(dict.fromkeys(found))


def _news(side: LegReceipt) -> list[str]:
    provenance = side.provenance
    revised = [f"{plural(provenance.revised, 'known close')} revised by {side.asked}"] if provenance.revised else []
    return [
        text if text.startswith(f"{side.leg}: ") else f"{side.leg}: {text}"
        for text in (*provenance.made, *revised, *provenance.remarks)
    ]


def _ends(a: LegReceipt, b: LegReceipt, common: Days) -> list[str]:
    """Said where one leg's closes end long before the other's: the window ends with the first."""
    early, late = sorted((a, b), key=lambda side: side.last_bar)
    end = common[-1]
    if late.last_bar - end <= np.timedelta64(max(LONGEST_SILENCE, LATE_BARS * usual_gap(common)), "D"):
        return []
    return [f"the window ends on {end}: {early.leg} has closes to {early.last_bar} only, {late.leg} to {late.last_bar}"]


def _gaps(common: Days) -> list[str]:
    """Said where one return spans much more than a bar."""
    gaps = np.diff(common).astype("i8")
    widest = int(gaps.argmax())
    if gaps[widest] <= max(LONGEST_SILENCE, LATE_BARS * usual_gap(common)):
        return []
    return [f"no common close between {common[widest]} and {common[widest + 1]}: one return spans {gaps[widest]} days"]


def _frequency(common: Days) -> list[str]:
    gap = usual_gap(common)
    for least, bars, name in FREQUENCIES:
        if gap >= least:
            return [f"a bar is a {name}: P = {bars}, and closes of a leg between the common ones do not count"]
    return []


def _holes(a: LegReceipt, b: LegReceipt) -> list[str]:
    """Finished sessions without a close, the newest first, said once where both legs lack them."""
    both = [day for day in a.provenance.holes if day in b.provenance.holes]
    lacking = {
        f"{a.leg} and {b.leg}": both,
        str(a.leg): [day for day in a.provenance.holes if day not in both],
        str(b.leg): [day for day in b.provenance.holes if day not in both],
    }
    return [
        f"{who}: {plural(len(days), 'finished session')} without a close, not filled: {listing(days[::-1])}"
        for who, days in lacking.items()
        if days
    ]


def _currencies(a: LegReceipt, b: LegReceipt) -> list[str]:
    """Said of two currencies, with what can be done about them."""
    ours, theirs = a.facts.currency, b.facts.currency
    same = _whole(ours) == _whole(theirs)
    if not (ours and theirs) or a.facts.simulated or b.facts.simulated:
        return []
    if same and (ours in HUNDREDTHS) == (theirs in HUNDREDTHS):
        return []
    because = (
        ", a hundredth of it or a hundred times: so is their ratio"
        if same
        else ": ratio, gap and beta include the exchange rate"
    )
    return [f"{a.leg} is in {ours}, {b.leg} in {theirs}{because}{_into_one(a, b)}"]


def _into_one(a: LegReceipt, b: LegReceipt) -> str:
    """What makes one currency of two, where anything does: a conversion, or another leg."""
    both = {a.facts.currency, b.facts.currency} - HUNDREDTHS.keys()
    wanted = [currency for currency in ("USD", "EUR", *sorted(both)) if currency in both] or ["USD"]
    for into in wanted:
        if _can_be_in(a, into) and _can_be_in(b, into):
            return f"; --currency {into} converts"
    for into in wanted:
        for side in (a, b):
            source = _source(side)
            if source and source.priced_in and side.facts.currency != into:
                symbol = source.priced_in.format(side.leg.symbol.partition("/")[0], into.lower())
                return f"; ask for {side.leg.source}:{symbol}"
    return ""


def _can_be_in(side: LegReceipt, into: str) -> bool:
    """Whether `--currency` leaves the leg in this currency."""
    return _source(side) is not None and can_be_in(side.leg, side.facts, into)


def _source(side: LegReceipt) -> About | None:
    """What is known of its source, if that is still to be had."""
    try:
        return about(side.leg.source)
    except PairwatchError:
        return None


def _whole(currency: str) -> str:
    """The currency of which this is a hundredth, or itself."""
    return HUNDREDTHS.get(currency, currency)


def _clocks(receipt: Receipt, lead: Leadership) -> list[str]:
    a, b = receipt.a, receipt.b
    if math.isnan(lead.hours_apart):
        return _unknown_clocks(receipt, lead)
    if not lead.hours_apart:
        return []
    late, early = (a, b) if lead.hours_apart > 0 else (b, a)
    apart = f"{late.leg} closes {abs(lead.hours_apart):.3g} h after {early.leg}"
    better = "nearest" if abs(lead.hours_apart) > FARTHEST else "two-day"
    instead = f"; --align {better} lessens both" if receipt.align == "date" and not receipt.lined_up else ""
    return [
        f"{apart}: same-day correlation is understated, and a lead of {late.leg} by one bar may be the clock's{instead}"
    ]


def _unknown_clocks(receipt: Receipt, lead: Leadership) -> list[str]:
    """Said of legs that are known to be of different places, and where a verdict hangs on it."""
    a, b = receipt.a, receipt.b
    zones = {a.facts.timezone, b.facts.timezone}
    if lead.unclocked and (lead.doubt or (len(zones) > 1 and "" not in zones)):
        instead = "; --align two-day lessens both" if receipt.align == "date" and not receipt.lined_up else ""
        because = "same-day correlation may be understated, and a lead by one bar may be the clock's"
        return [f"the closing time of {' and '.join(lead.unclocked)} is not known: {because}{instead}"]
    if not lead.decided or abs(lead.lag) != 1:
        return []
    unknown = " and ".join(sorted(str(side.leg) for side in (a, b) if side.facts.closes_at is None))
    return [f"the closing time of {unknown or 'a leg'} is not known: a lead of one bar may be the clock's"]


def _beginnings(receipt: Receipt, lined_up: Alignment) -> list[str]:
    """Said where a period's values seem to be dated by its first day: they are lined up by their dates as they are."""
    if not lined_up.average or (lined_up.dates.astype("M8[M]") != lined_up.dates).any():
        return []
    is_file = (receipt.b if lined_up.average > 0 else receipt.a).leg.source == "csv"
    rename = "call its columns observation_date,NAME, as FRED does, or " if is_file else ""
    early = "all its days are the first of a month: values dated so are a period early"
    return [f"lined up {lined_up.lined_up}; {early}; {rename}date them by the ends of their periods"]


def _averages(lead: Leadership, lined_up: Alignment) -> list[str]:
    """Said where what looks like a lead may be that one leg's values are the averages of their periods (Working 1960).

    The average of a period hangs on the closes of the period before, too, and what moved these seems to be first. Of
    legs of different frequencies that is no verdict; of two slow ones it cannot be known which is which.
    """
    if not lead.decided or abs(lead.lag) != 1 or lined_up.average or usual_gap(lined_up.dates) < FREQUENCIES[-1][0]:
        return []
    return ["a lead of one bar may be an average's: beside averages of a period, closes of its end look one bar ahead"]


def _units(a: LegReceipt, b: LegReceipt) -> list[str]:
    """What beta is counted in, where that is no ratio of percent to percent, or of one unit to the same."""
    units = [_counted_in(side) for side in (a, b)]
    if units[0] == units[1]:
        return []
    if "percent" not in units:
        return [f"beta is in {units[0]} of {a.leg} for 1 in {units[1]} of {b.leg}, its inverse the other way round"]
    unit, side, other = (units[1], b, a) if units[0] == "percent" else (units[0], a, b)
    changes = f"{side.leg} changes in {unit}, {other.leg} in percent"
    return [f"{changes}: beta and its inverse are in {unit} for, or by, a change of 100 %"]


def _counted_in(side: LegReceipt) -> str:
    if not side.facts.by_differences:
        return "percent"
    return "basis points" if side.facts.change_unit == "bp" else side.facts.change_unit
