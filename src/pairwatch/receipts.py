"""What a comparison rests on, and what its reader has to know beside the numbers."""

import math
from dataclasses import replace
from datetime import date

import numpy as np

from pairwatch.histories import History
from pairwatch.kernels import usual_gap
from pairwatch.model import Days, Leadership, LegReceipt, Positions, Receipt
from pairwatch.text import listing, plural

# A daily leg that has been silent for more days than this has stopped, or its file is not renewed.
LONGEST_SILENCE = 10
# The same for rarer series, in bars.
LATE_BARS = 3
# From how many days between bars, how many bars a year, and what a bar is called.
FREQUENCIES = ((200, 1, "year"), (45, 4, "quarter"), (20, 12, "month"), (5, 52, "week"))


def as_of(history: History, day: date) -> History:
    """The history as it stood after `day`, with what may be said of it.

    A leg whose last close is long past is stale, whatever its source says; a stale leg has no *now*; and what the
    provider changed lately is no news of a day that lies further back.
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


def leg_receipt(history: History, common: Days, at: Positions, day: date) -> LegReceipt:
    """One side's receipt; `at` are the positions of the common days in the leg's own series."""
    series = history.series
    own = len(series) - int(at[0])
    holes = tuple(hole for hole in history.provenance.holes if common[0] < hole <= np.datetime64(day))
    return LegReceipt(
        leg=series.leg,
        facts=series.facts,
        provenance=replace(history.provenance, holes=holes),
        first_bar=series.dates[0],
        last_bar=series.dates[-1],
        lost=own - len(common),
        quote=series.quote,
    )


def warnings(receipt: Receipt, lead: Leadership, common: Days) -> tuple[str, ...]:
    """One line each, most serious first; `common` are the days of the window, base included."""
    a, b = receipt.a, receipt.b
    found = [side.provenance.stale for side in (a, b) if side.provenance.stale]
    found += [text for side in (a, b) for text in _news(side)]
    found += _holes(a, b)
    found += _ends(a, b, receipt.end)
    found += _gaps(common)
    found += _currencies(a, b)
    if receipt.base > receipt.start:
        found.append(f"the window begins on {receipt.base}, the first common close, not on {receipt.start}")
    found += _frequency(common)
    found += _clocks(a, b, lead)
    found += _rates(a, b)
    return tuple(dict.fromkeys(found))


def _news(side: LegReceipt) -> list[str]:
    provenance = side.provenance
    revised = (
        [f"{plural(provenance.revised, 'known close')} revised by {side.leg.source}"] if provenance.revised else []
    )
    return [
        text if text.startswith(f"{side.leg}: ") else f"{side.leg}: {text}" for text in (*revised, *provenance.remarks)
    ]


def _ends(a: LegReceipt, b: LegReceipt, end: date) -> list[str]:
    """Said where one leg's closes end long before the other's: the window ends with the first."""
    early, late = sorted((a, b), key=lambda side: side.last_bar)
    if late.last_bar - np.datetime64(end) <= np.timedelta64(LONGEST_SILENCE, "D"):
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
    ours, theirs = a.facts.currency, b.facts.currency
    if ours == theirs or not (ours and theirs):
        return []
    if ours.upper() == theirs.upper():
        return [f"{a.leg} is in {ours}, {b.leg} in {theirs}, a hundredth of it or a hundred times: so is their ratio"]
    return [f"{a.leg} is in {ours}, {b.leg} in {theirs}: ratio, gap and beta include the exchange rate"]


def _clocks(a: LegReceipt, b: LegReceipt, lead: Leadership) -> list[str]:
    if math.isnan(lead.hours_apart):
        unknown = " and ".join(sorted(str(side.leg) for side in (a, b) if side.facts.closes_at is None))
        doubtful = lead.decided and abs(lead.lag) == 1
        return (
            [f"the closing time of {unknown or 'a leg'} is not known: a lead of one bar may be the clock's"]
            if doubtful
            else []
        )
    if not lead.hours_apart:
        return []
    late, early = (a, b) if lead.hours_apart > 0 else (b, a)
    apart = f"{late.leg} closes {abs(lead.hours_apart):.3g} h after {early.leg}"
    return [f"{apart}: same-day correlation is understated, and a lead of {late.leg} by one bar may be the clock's"]


def _rates(a: LegReceipt, b: LegReceipt) -> list[str]:
    rates = [side.facts.by_differences for side in (a, b)]
    found = []
    if any(rates):
        found.append("a rate changes in basis points, not in percent: ratio, return gap and drawdown are left out")
    if sum(rates) == 1:
        found.append("one leg is a rate: beta and its inverse are in basis points for, or by, a change of 100 %")
    return found
