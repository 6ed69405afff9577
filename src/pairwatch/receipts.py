"""What a comparison rests on, and what its reader has to know beside the numbers."""

from dataclasses import replace
from datetime import date

import numpy as np

from pairwatch.model import Days, Leadership, LegReceipt, Positions, Receipt
from pairwatch.retrieval import History
from pairwatch.text import listing, plural


def leg_receipt(history: History, common: Days, at: Positions, as_of: date) -> LegReceipt:
    """One side's receipt; `at` are the positions of the common days in the leg's own series."""
    series = history.series
    own = int(at[-1]) - int(at[0]) + 1
    holes = tuple(day for day in history.provenance.holes if common[0] < day <= np.datetime64(as_of))
    return LegReceipt(
        leg=series.leg,
        facts=series.facts,
        provenance=replace(history.provenance, holes=holes),
        first_bar=series.dates[0],
        last_bar=series.dates[-1],
        lost=own - len(common),
        quote=None if history.provenance.stale else series.quote,
    )


def warnings(receipt: Receipt, lead: Leadership) -> tuple[str, ...]:
    """One line each, most serious first."""
    a, b = receipt.a, receipt.b
    found = [side.provenance.stale for side in (a, b) if side.provenance.stale]
    found += [text for side in (a, b) for text in _news(side)]
    found += _holes(a, b)
    found += _currencies(a, b)
    if receipt.base > receipt.start:
        found.append(f"the window begins on {receipt.base}, the first common close, not on {receipt.start}")
    if lead.hours_apart:
        found.append(_clocks(a, b, lead.hours_apart))
    rates = [side.facts.unit == "percent" for side in (a, b)]
    if any(rates):
        found.append("a rate changes in basis points, not in percent: ratio, return gap and drawdown are left out")
    if sum(rates) == 1:
        found.append("one leg is a rate: beta and its inverse are in basis points for, or by, a change of 100 %")
    return tuple(found)


def _news(side: LegReceipt) -> list[str]:
    provenance = side.provenance
    revised = f"{side.leg}: {plural(provenance.revised, 'known close')} revised by {side.leg.source}"
    return [*([revised] if provenance.revised else []), *provenance.remarks]


def _holes(a: LegReceipt, b: LegReceipt) -> list[str]:
    """Finished sessions without a close, said once where both legs lack them."""
    both = [day for day in a.provenance.holes if day in b.provenance.holes]
    lacking = {
        f"{a.leg} and {b.leg}": both,
        str(a.leg): [day for day in a.provenance.holes if day not in both],
        str(b.leg): [day for day in b.provenance.holes if day not in both],
    }
    return [
        f"{who}: {plural(len(days), 'finished session')} without a close, not filled: {listing([str(d) for d in days])}"
        for who, days in lacking.items()
        if days
    ]


def _currencies(a: LegReceipt, b: LegReceipt) -> list[str]:
    ours, theirs = a.facts.currency, b.facts.currency
    if ours == theirs or not (ours and theirs):
        return []
    return [f"{a.leg} is in {ours}, {b.leg} in {theirs}: ratio, gap and beta include the exchange rate"]


def _clocks(a: LegReceipt, b: LegReceipt, apart: float) -> str:
    late, early = (a, b) if apart > 0 else (b, a)
    return (
        f"{late.leg} closes {abs(apart):.3g} h after {early.leg}: same-day correlation is too low, "
        f"and a lead of {late.leg} by one bar would be the clock's"
    )
