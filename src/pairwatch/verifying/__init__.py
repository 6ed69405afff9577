"""Whether two sources of the same thing agree, and if not, on which dates and why.

Compared are finished closes as quoted, adjusted for splits by their source and never for dividends. Two agree where
they differ by no more than the tolerance, or by no more than half a unit of the last decimal that the coarser one is
printed with and the noise of single precision. Rates in percent or basis points differ in basis points, everything
else by a fraction of the value.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from itertools import combinations

import numpy as np

from pairwatch.errors import NotEnoughData
from pairwatch.histories import History, adjusted
from pairwatch.model import HUNDREDTHS, NAN, Days, Event, Facts, Floats, Positions, Series
from pairwatch.text import plural
from pairwatch.verifying import account, steps, telling
from pairwatch.verifying.account import Account, Events, Known, Reason
from pairwatch.verifying.findings import KINDS, Checked, Dated, Finding, Kind, Tolerance, Verification
from pairwatch.verifying.steps import Lined

__all__ = ["KINDS", "Checked", "Dated", "Finding", "Kind", "Tolerance", "Verification", "verify"]

# Names of one source are two for the same series if so many closes are the same to the last bit.
FEWEST_SAME = 20


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
    lined = _lined(days, (here, there), (at_here, at_there), tolerance)
    other_currency = _other_currency(here, there)
    events = Events(_splits(here, there), () if lined.rate else _paid(here, there))
    found = account.explained(lined, () if lined.rate else _adjusted(lined, here, there), events)
    if other_currency:
        found = _by_currency(found)
    lacking, added = (_only(mine, theirs, days) for mine, theirs in ((here, there), (there, here)))
    return Checked(
        leg=there.leg,
        common=len(days),
        first=days[0].item(),
        last=days[-1].item(),
        unit="bp" if lined.rate else "fraction",
        findings=_findings(lined, found, here, there),
        lacking=lacking,
        added=added,
        remarks=_remarks(here, there, lacking, added),
    )


def _lined(days: Days, sides: tuple[Series, Series], at: tuple[Positions, Positions], tolerance: Tolerance) -> Lined:
    """Both legs on their common dates, in one unit: rates of two units in basis points."""
    rate = any(_is_rate(side.facts) for side in sides)
    scales = _scales(sides[0].facts, sides[1].facts)
    factors, scale = ((1.0, 1.0), scales[0]) if scales[0] == scales[1] else (scales, 1.0)
    here, there = (side.closes * factor for side, factor in zip(sides, factors, strict=True))
    roundings = [factor * steps.rounding(x.closes[i]) for x, i, factor in zip(sides, at, factors, strict=True)]
    return Lined(
        days=days,
        here=here,
        there=there,
        at_here=at[0],
        at_there=at[1],
        rounding=(roundings[0], roundings[1]),
        tolerance=tolerance.points / scale if rate else tolerance.fraction,
        rate=rate,
        scale=scale,
    )


# ---------------------------------------------------------------- what is known of the legs


def _is_rate(facts: Facts) -> bool:
    """Whether its differences can be counted in basis points."""
    return facts.measure == "rate" and facts.unit in ("", "percent", "bp")


def _scales(here: Facts, there: Facts) -> tuple[float, float]:
    """What the values of each are multiplied with to be basis points, where either is a rate.

    What is no rate is taken for one in the other's unit: most files do not say what they hold.
    """
    return (here if _is_rate(here) else there).scale, (there if _is_rate(there) else here).scale


def _adjusted(lined: Lined, here: Series, there: Series) -> list[tuple[str, Lined]]:
    """Both legs with one of them adjusted by the distributions that are known, and which side then need not be."""
    events = _distributions(here) or _distributions(there)
    if not any(lined.days[0] < e.day <= lined.days[-1] for e in events):
        return []
    return [
        ("there", lined._replace(here=_to_the_last(here, events, int(lined.at_here[-1])))),
        ("here", lined._replace(there=_to_the_last(there, events, int(lined.at_there[-1])))),
    ]


def _distributions(series: Series) -> tuple[Event, ...]:
    return tuple(e for e in series.events if e.kind != "split")


def _paid(here: Series, there: Series) -> list[Known]:
    """The days with distributions of either leg that knows any, and by what they multiply the closes before them."""
    for series in (here, there):
        if days := sorted({e.day for e in _distributions(series)}):
            at = np.unique(series.dates.searchsorted(np.array(days, dtype="M8[D]")))
            at = at[(at > 0) & (at < len(series))]
            with np.errstate(all="ignore"):
                made = adjusted(series, "total") / series.closes
                found = zip(series.dates[at], made[at - 1] / made[at], strict=True)
            return [Known(day, float(ratio)) for day, ratio in found if 0 < ratio < 1]
    return []


def _to_the_last(series: Series, events: tuple[Event, ...], last: int) -> Floats:
    """Closes adjusted so that the last common one is as quoted."""
    found = adjusted(replace(series, events=events), "total")
    return found * (series.closes[last] / found[last]) if found[last] else found


def _splits(here: Series, there: Series) -> list[Known]:
    return [Known(e.day, e.value) for series in (here, there) for e in series.events if e.kind == "split"]


def _other_currency(here: Series, there: Series) -> bool:
    a, b = here.facts.currency, there.facts.currency
    return bool(a and b) and HUNDREDTHS.get(a, a) != HUNDREDTHS.get(b, b)


def _in_hundredths(here: Series, there: Series) -> bool:
    """Whether one leg is in hundredths of the other's currency."""
    a, b = here.facts.currency, there.facts.currency
    return HUNDREDTHS.get(a) == b or HUNDREDTHS.get(b) == a


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
        scale=lined.scale,
        usual=f"{telling.digits(usual)} bp" if lined.rate else f"{telling.digits(100 * usual)}%",
        pence=_in_hundredths(here, there),
        currencies=(here.facts.currency, there.facts.currency),
    )


def _changes(lined: Lined, at: Positions) -> Floats:
    """From here to there, in basis points or as a fraction of the value here; NaN where that is zero."""
    x, y = lined.x[at], lined.y[at]
    if lined.rate:
        return np.asarray(lined.scale * (y - x))
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
    return (*found, *_of_units(here, there))


def _of_units(here: Series, there: Series) -> Iterator[str]:
    """What is said where two legs are rates of two units, or only one is a rate."""
    if _is_rate(here.facts) and _is_rate(there.facts) and here.facts.scale != there.facts.scale:
        first, second = (f"in {one.facts.unit or 'percent'}" for one in (here, there))
        yield f"{here.leg} is {first} and {there.leg} {second}: compared, and shown, in basis points"
    elif _is_rate(here.facts) != _is_rate(there.facts):
        rate, other = (here, there) if _is_rate(here.facts) else (there, here)
        what = f"a rate in {other.facts.unit}" if other.facts.measure == "rate" else other.facts.measure
        yield f"{rate.leg} is a rate and {other.leg} is given as {what}: compared in basis points"


def _span(series: Series) -> str:
    if not len(series):
        return f"{series.leg} has no close"
    return f"{series.leg} has {plural(len(series), 'close')}, {series.dates[0]} to {series.dates[-1]}"
