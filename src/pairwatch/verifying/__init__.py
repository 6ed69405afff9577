"""Whether two sources of the same thing agree, and if not, on which dates and why.

Compared are finished closes as quoted, adjusted for splits by their source and never for dividends. Two agree where
they differ by no more than the tolerance, or by no more than half a unit of the last decimal that the coarser one is
printed with and the noise of single precision. Rates differ in basis points, everything else by a fraction of the
value.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import combinations

import numpy as np

from pairwatch.errors import NotEnoughData
from pairwatch.histories import History, adjusted
from pairwatch.model import NAN, Days, Floats, Positions, Series
from pairwatch.text import plural
from pairwatch.verifying import account, steps, telling
from pairwatch.verifying.account import Account, Reason, Split
from pairwatch.verifying.findings import KINDS, Checked, Dated, Finding, Kind, Tolerance, Verification
from pairwatch.verifying.steps import Lined

__all__ = ["KINDS", "Checked", "Dated", "Finding", "Kind", "Tolerance", "Verification", "verify"]

# Names of one source are two for the same series if so many closes are the same to the last bit.
FEWEST_SAME = 20
# Units that are hundredths of a currency, by the provider's spelling.
_HUNDREDTHS = {"GBP": ("GBp", "GBX"), "ZAR": ("ZAc",), "ILS": ("ILA",), "USD": ("USX",), "EUR": ("EUX",)}


def verify(
    here: History, others: Sequence[History], tolerance: Tolerance | None = None, since: date | None = None
) -> Verification:
    """What a leg and the same thing from other sources do not agree on.

    Args:
        since: the first date that is compared; by default the first common one.

    Raises:
        NotEnoughData: one of the others has no date in common with the leg.
    """
    tolerance = tolerance or Tolerance()
    checked = tuple(_checked(here.series, other.series, tolerance, since) for other in others)
    legs = [here.series, *(other.series for other in others)]
    same = [pair for pair in combinations(range(len(legs)), 2) if _one_series(legs[pair[0]], legs[pair[1]])]
    for at, one in enumerate(checked):
        found = tuple(_duplicate(legs[a], legs[b]) for a, b in same if b == at + 1)
        if found:
            checked = (*checked[:at], one._replace(findings=(*found, *one.findings)), *checked[at + 1 :])
    return Verification(here.series.leg, tolerance, checked)


def _checked(here: Series, there: Series, tolerance: Tolerance, since: date | None) -> Checked:
    days, at_here, at_there = np.intersect1d(here.dates, there.dates, assume_unique=True, return_indices=True)
    if since is not None:
        first = int(days.searchsorted(np.datetime64(since)))
        days, at_here, at_there = days[first:], at_here[first:], at_there[first:]
    if not len(days):
        after = f" from {since} on" if since else ""
        raise NotEnoughData(
            f"{here.leg} and {there.leg} have no date in common{after}: {_span(here)}; {_span(there)}",
            "verify with a source of the same days",
        )
    rate = "rate" in (here.facts.measure, there.facts.measure)
    lined = Lined(
        days=days,
        here=here.closes,
        there=there.closes,
        at_here=at_here,
        at_there=at_there,
        rounding=(steps.rounding(here.closes[at_here]), steps.rounding(there.closes[at_there])),
        tolerance=tolerance.points / 100 if rate else tolerance.fraction,
        rate=rate,
    )
    other_currency = _other_currency(here, there)
    found = account.explained(lined, () if rate else _adjusted(lined, here, there), _splits(here, there))
    if other_currency:
        found = _by_currency(found)
    lacking, added = (_only(mine, theirs, days) for mine, theirs in ((here, there), (there, here)))
    return Checked(
        leg=there.leg,
        common=len(days),
        first=days[0].item(),
        last=days[-1].item(),
        unit="bp" if rate else "fraction",
        findings=_findings(lined, found, here, there),
        lacking=lacking,
        added=added,
        remarks=_remarks(here, there, lacking, added),
    )


# ---------------------------------------------------------------- what is known of the legs


def _adjusted(lined: Lined, here: Series, there: Series) -> list[tuple[str, Lined]]:
    """Both legs with one of them adjusted by the distributions that are known, and which side then need not be."""
    events = tuple(e for e in here.events if e.kind != "split") or tuple(e for e in there.events if e.kind != "split")
    if not any(lined.days[0] < e.day <= lined.days[-1] for e in events):
        return []
    return [
        ("there", lined._replace(here=_to_the_last(here, events, int(lined.at_here[-1])))),
        ("here", lined._replace(there=_to_the_last(there, events, int(lined.at_there[-1])))),
    ]


def _to_the_last(series: Series, events: tuple[object, ...], last: int) -> Floats:
    """Closes adjusted so that the last common one is as quoted."""
    found = adjusted(replace(series, events=events), "total")  # type: ignore[arg-type]
    return found * (series.closes[last] / found[last]) if found[last] else found


def _splits(here: Series, there: Series) -> list[Split]:
    return [Split(e.day, e.value) for series in (here, there) for e in series.events if e.kind == "split"]


def _other_currency(here: Series, there: Series) -> bool:
    a, b = here.facts.currency, there.facts.currency
    return bool(a and b and a != b) and not _in_hundredths(here, there)


def _in_hundredths(here: Series, there: Series) -> bool:
    """Whether one leg is in hundredths of the other's currency."""
    pair = {here.facts.currency, there.facts.currency}
    return any({whole, part} == pair for whole, parts in _HUNDREDTHS.items() for part in parts)


def _by_currency(found: Account) -> Account:
    """Another currency explains what differs, unless most dates agree as they are."""
    reasons = [*found.reasons, Reason("currency")]
    differs = found.why >= 0
    if differs.mean() <= 0.5:
        return found._replace(reasons=reasons)
    return Account(reasons, np.where(differs, len(reasons) - 1, -1), 0.0)


def _one_series(a: Series, b: Series) -> bool:
    """Whether two names at one source (or in one file) hold the same closes to the last bit."""
    if a.leg.source != b.leg.source or a.leg == b.leg:
        return False
    if a.leg.source == "csv" and a.leg.symbol.partition("#")[0] != b.leg.symbol.partition("#")[0]:
        return False
    _, i, j = np.intersect1d(a.dates, b.dates, assume_unique=True, return_indices=True)
    x = a.closes[i]
    return len(x) >= FEWEST_SAME and bool((x == b.closes[j]).all()) and bool((x[1:] != x[:-1]).any())


# ---------------------------------------------------------------- the result


def _differences(lined: Lined, at: Positions, kind: Kind) -> tuple[Dated, ...]:
    columns = lined.days[at], lined.x[at], lined.y[at], _changes(lined, at)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return tuple(Dated(day, x, y, change, kind) for day, x, y, change in rows)


def _findings(lined: Lined, found: Account, here: Series, there: Series) -> tuple[Finding, ...]:
    told = []
    for number, reason in enumerate(found.reasons):
        at = np.flatnonzero(found.why == number)
        if not len(at) and reason.kind != "currency":
            continue
        first, last = (lined.days[at[0]].item(), lined.days[at[-1]].item()) if len(at) else (None, None)
        because, hint = telling.told(reason, _scene(lined, at, here, there))
        differences = _differences(lined, at, reason.kind)
        told.append(Finding(reason.kind, first, last, len(at), reason.factor, because, hint, differences))
    return tuple(sorted(told, key=lambda one: (one.first or date.min, one.last or date.min)))


def _scene(lined: Lined, at: Positions, here: Series, there: Series) -> telling.Scene:
    days = lined.days[at] if len(at) else lined.days
    sizes = np.sort(np.abs(_changes(lined, at)))
    usual = float(sizes[len(sizes) // 2]) if len(sizes) else NAN
    return telling.Scene(
        here=here.leg,
        there=there.leg,
        days=lined.days,
        first=days[0],
        last=days[-1],
        dates=len(at),
        rate=lined.rate,
        usual=f"{usual:.3g} bp" if lined.rate else f"{100 * usual:.3g}%",
        pence=_in_hundredths(here, there),
        currencies=(here.facts.currency, there.facts.currency),
    )


def _changes(lined: Lined, at: Positions) -> Floats:
    """From here to there, in basis points or as a fraction of the value here; NaN where that is zero."""
    x, y = lined.x[at], lined.y[at]
    if lined.rate:
        return np.asarray(100 * (y - x))
    with np.errstate(all="ignore"):
        found = (y - x) / np.abs(x)
    return np.where(np.isfinite(found), found, NAN)


def _duplicate(a: Series, b: Series) -> Finding:
    days = np.intersect1d(a.dates, b.dates, assume_unique=True)
    return Finding(
        "duplicate",
        days[0].item(),
        days[-1].item(),
        len(days),
        NAN,
        f"{a.leg} and {b.leg} are one series under two names: all of {plural(len(days), 'close')} are the same",
        "verify with another source: the two say nothing of each other",
    )


def _only(mine: Series, theirs: Series, common: Days) -> tuple[date, ...]:
    """The dates within the common ones that one leg alone has a close for."""
    inside = (mine.dates > common[0]) & (mine.dates < common[-1])
    days: list[date] = mine.dates[inside & ~np.isin(mine.dates, theirs.dates)].tolist()
    return tuple(days)


def _remarks(here: Series, there: Series, lacking: tuple[date, ...], added: tuple[date, ...]) -> tuple[str, ...]:
    found = []
    for leg, days in ((there.leg, lacking), (here.leg, added)):
        if days:
            found.append(f"{leg} has no close on {plural(len(days), 'date')} between, {days[0]} to {days[-1]}")
    (early, a), (late, b) = sorted(((s.dates[-1], s.leg) for s in (here, there)), key=lambda one: one[0])
    if early < late:
        found.append(f"{a} ends on {early}, {b} on {late}")
    if (here.facts.measure == "rate") != (there.facts.measure == "rate"):
        rate, other = (here, there) if here.facts.measure == "rate" else (there, here)
        found.append(
            f"{rate.leg} is a rate and {other.leg} is given as {other.facts.measure}: compared in basis points"
        )
    return tuple(found)


def _span(series: Series) -> str:
    if not len(series):
        return f"{series.leg} has no close"
    return f"{series.leg} has {plural(len(series), 'close')}, {series.dates[0]} to {series.dates[-1]}"
