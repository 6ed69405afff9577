"""The sentences of `why` that it writes itself: what the legs are, how they are related, how far apart, how sure."""

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pairwatch import kernels, pairs
from pairwatch.catalogue import LegView
from pairwatch.model import Facts, Leg
from pairwatch.studies.instruments import Catalogue, Instrument
from pairwatch.studies.paired import Paired
from pairwatch.text import between, plural
from pairwatch.verdicts import bare

COMPARE = "compare"
LEGS, RELATION, GAP, SURE = "the legs", "relation", "the gap", "how sure"
_KEYS = (
    "volatility",
    "correlation",
    "correlation_low",
    "correlation_high",
    "correlation_fragility_low",
    "correlation_fragility_high",
    "r_squared",
    "tightness",
    "tightness_low",
    "tightness_high",
    "total_return",
    "return_gap",
    "observations",
)


class Said(NamedTuple):
    """A sentence with its number.

    Attributes:
        number: the one that the sentence is about, in `unit`.
        command: which command says more of it; empty for `compare` of the same window.
        section: of that command, or empty.
    """

    topic: str
    sentence: str
    number: float
    unit: str
    command: str = COMPARE
    section: str = ""


Values = Mapping[tuple[str, str], float]


def values(pair: Paired) -> Values:
    """What `compare` says of the window, by scope and key."""
    readings = pairs.some_readings(*pair.staged.sides, pair.question, _KEYS)
    return {(one.scope, one.statistic.key): one.value for one in readings}


def legs(pair: Paired, catalogue: Catalogue, known: Values) -> Iterator[Said]:
    """What each leg is, and how volatile; what tells them apart."""
    views = pair.pair.a, pair.pair.b
    n = plural(int(known["pair", "observations"]), noun(pair))
    for leg, view, scope, facts in zip(pair.legs, views, "ab", pair.facts, strict=True):
        volatility = known[scope, "volatility"]
        if math.isfinite(volatility):
            text = f"{_what(leg, catalogue.get(leg), facts)}; its volatility is {_amount(volatility, view)} a year"
            yield Said(LEGS, f"{text} over the last {n}", volatility, _unit(view))


def relation(pair: Paired, catalogue: Catalogue, known: Values, *, quoted: bool = False) -> Iterator[Said]:
    """How closely they move together, and what that leaves; `quoted`: the correlation itself is said elsewhere."""
    (a, b), n = pair.legs, plural(int(known["pair", "observations"]), noun(pair))
    r, low, high = (known["pair", f"correlation{end}"] for end in ("", "_low", "_high"))
    if math.isfinite(r) and not quoted:
        text = f"over the last {n} their correlation is {bare(r)} (95% interval {between(low, high, form=bare)})"
        yield Said(RELATION, text, r, "number")
    if math.isfinite(r):
        share = known["pair", "r_squared"]
        text = f"{share:.0%} of the variance of either is common to both over the last {n}"
        yield Said(RELATION, text, share, "fraction")
    whole = kernels.correlation(pair.pair.a.returns, pair.pair.b.returns)
    if math.isfinite(whole):
        contrast = _contrast(catalogue.get(a), catalogue.get(b))
        text = f"{contrast}over all {plural(pair.n, f'common {noun(pair)}')} their correlation is {bare(whole)}"
        yield Said(RELATION, text, whole, "number", "correlation")
    yield from _tightness(a, b, known)


def gap(pair: Paired, known: Values) -> Iterator[Said]:
    """How far apart the window has brought them."""
    (a, b), views = pair.legs, (pair.pair.a, pair.pair.b)
    changes, unit = _changes(pair, known)
    if not all(map(math.isfinite, changes)):
        return
    moved = [f"{leg} by {_signed(change, view)}" for leg, change, view in zip((a, b), changes, views, strict=True)]
    text = f"over the last {plural(int(known['pair', 'observations']), noun(pair))} {moved[0]} and {moved[1]}"
    text = text.replace(f"{a} by", f"{a} changed by", 1)
    apart = changes[0] - changes[1]
    if not pair.pair.counted_alike:
        yield Said(GAP, text, changes[0], unit)
        return
    yield Said(GAP, f"{text}: {apart_in_words(pair, apart)}", apart, unit)


def sure(pair: Paired, known: Values, unanswered: int, asked: int) -> Iterator[Said]:
    """What all of it rests on."""
    n = int(known["pair", "observations"])
    yield Said(
        SURE,
        f"all of this rests on {plural(pair.n, f'common {noun(pair)}')} from {pair.day(0)} to {pair.day(-1)}, "
        f"the window on the last {n} of them",
        float(pair.n),
        "count",
    )
    low, high = (known["pair", f"correlation_fragility_{end}"] for end in ("low", "high"))
    if math.isfinite(low) and math.isfinite(high):
        ends = f"between {bare(low)} and {bare(high)}"
        text = f"without any one of the last {plural(n, noun(pair))} the correlation lies {ends}"
        yield Said(SURE, text, low, "number")
    if unanswered:
        text = f"{unanswered} of {asked} questions cannot be answered from these {noun(pair)}s"
        yield Said(SURE, text, float(unanswered), "count")


# ---------------------------------------------------------------- words and numbers


def noun(pair: Paired) -> str:
    """What the numbers of both legs are made of: a `return`, or a `change` where a leg changes by differences."""
    return "change" if pair.pair.a.by_differences or pair.pair.b.by_differences else "return"


def _what(leg: Leg, known: Instrument | None, facts: Facts) -> str:
    """The leg with what is known of it; it stands before a number."""
    if known and known.fact:
        return f"{leg} {known.fact}"
    if facts.simulated:  # its name is a description
        return f"{leg} is drawn, not recorded{f' ({facts.name})' if facts.name else ''}"
    named = (known.name if known else "") or facts.name  # what the user calls it goes before what its source does
    if named and named != leg.symbol:
        return f"{leg} is {named}"
    return f"{leg} has no name in the catalogue" if known else f"{leg} is not in the catalogue"


def _contrast(one: Instrument | None, other: Instrument | None) -> str:
    """What tells the legs apart by the catalogue."""
    if not (one and other) or not all((one.tilt, one.kind, one.region, other.tilt, other.kind, other.region)):
        return ""
    places = [f"{each.tilt} ({each.kind}, {each.region})" for each in (one, other)]
    if places[0] == places[1]:
        return f"both are {places[0]}: "
    return f"{' against '.join(places)}: "


def _tightness(a: Leg, b: Leg, known: Values) -> Iterator[Said]:
    tightness, low, high = (known["pair", f"tightness{end}"] for end in ("", "_low", "_high"))
    if not all(map(math.isfinite, (tightness, low, high))):
        return
    verdict = "it is tighter than either leg"
    if low >= 1:
        verdict = "it is not tighter than either leg"
    elif high >= 1:
        verdict = "whether it is tighter than either leg cannot be said"
    text = f"the difference of {a} and {b} moves {tightness:.2f} times as much as the calmer leg"
    yield Said(RELATION, f"{text} (95% interval {between(low, high, edge=1)}): {verdict}", tightness, "number")


def apart_in_words(pair: Paired, apart: float) -> str:
    """Who is ahead, and how far, of two legs that are counted alike."""
    (a, b), view = pair.legs, pair.pair.a
    ahead, behind = (a, b) if apart > 0 else (b, a)
    far = _signed(abs(apart), view)[1:] if view.by_differences else f"{100 * abs(apart):.2f} percentage points"
    return f"{ahead} is {far} ahead of {behind}"


def _changes(pair: Paired, known: Values) -> tuple[tuple[float, float], str]:
    """Either leg's change over the window: its return, or its difference."""
    a, b = pair.pair.a, pair.pair.b
    if not (a.by_differences or b.by_differences):
        return (known["a", "total_return"], known["b", "total_return"]), "return"
    first = -1 - int(known["pair", "observations"])
    found = [view.change(float(view.levels[first]), float(view.levels[-1])) for view in (a, b)]
    return (found[0], found[1]), a.change_unit if a.by_differences else "return"


def _unit(view: LegView) -> str:
    return "fraction" if not view.by_differences else view.change_unit


def _amount(value: float, view: LegView) -> str:
    """A change or a deviation of a leg, as people write it."""
    if not view.by_differences:
        return f"{100 * value:.1f}%"
    if view.change_unit == "bp":
        return f"{value:.0f} bp"
    return f"{value:.2f} {view.change_unit}"


def _signed(value: float, view: LegView) -> str:
    if not view.by_differences:
        return f"{100 * value:+.2f}%"
    return f"{value:+.1f} bp" if view.change_unit == "bp" else f"{value:+.2f} {view.change_unit}"
