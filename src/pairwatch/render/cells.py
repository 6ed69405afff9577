"""How a reading looks to a person: the same text in every laid-out format."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby

from pairwatch.model import Comparison, LegReceipt, Reading, Scope, Statistic
from pairwatch.text import age, plural

NOTHING = "–"


def cell(reading: Reading) -> str:
    """A reading's value, rounded for its unit; a dash for "cannot say"."""
    return text(reading.value, reading.unit, reading.statistic)


def text(value: float, unit: str, statistic: Statistic) -> str:
    """A value, rounded for its unit."""
    if not math.isfinite(value):
        return NOTHING
    if unit == "fraction":
        signed = statistic.unit == "return" or value < 0
        return f"{100 * value:+.2f}%" if signed else f"{100 * value:.2f}%"
    if unit == "bp":
        return f"{value:+.1f} bp"
    if unit == "count":
        return f"{value:,.0f}"
    if unit == "bars":
        return f"{value:+.0f}" if statistic.scope == "leadership" else f"{value:.1f}"
    if unit == "probability":
        return f"{value:.4f}"
    if statistic.unit == "currency":
        return _price(value)
    return f"{value:.3f}"


def _price(value: float) -> str:
    """Two decimals from one up, six significant digits below."""
    return f"{value:,.2f}" if abs(value) >= 1 or value == 0 else f"{value:.6g}"


def leg_rows(c: Comparison) -> Iterator[tuple[str, list[str]]]:
    """A label and the cells of A, B and A - B, a statistic each."""
    by_scope: dict[Scope, dict[str, Reading]] = {"a": {}, "b": {}, "difference": {}}
    for reading in c:
        if reading.scope in by_scope:
            by_scope[reading.scope][reading.statistic.key] = reading
    for key, reading in by_scope["a"].items():
        yield (
            reading.statistic.label,
            [cell(group[key]) if key in group else "" for group in by_scope.values()],
        )


def pair_rows(c: Comparison, scope: Scope = "pair") -> Iterator[tuple[str, str]]:
    """A label and a cell, a statistic each; the ends of an interval follow what they belong to, in brackets."""
    chosen = [reading for reading in c if reading.scope == scope]
    for _, group in groupby(chosen, key=lambda r: r.statistic.interval or r.statistic.key):
        found = list(group)
        main = [r for r in found if not r.statistic.interval]
        ends = sorted((r for r in found if r.statistic.interval), key=lambda r: r.value)
        between = f"[{', '.join(cell(r) for r in ends)}]" if ends else ""
        yield found[0].statistic.label, " ".join(part for part in (*(cell(r) for r in main), between) if part)


def who(side: LegReceipt) -> str:
    """One line on a leg: name, source, currency, last bar, and the state of its session."""
    facts = side.facts
    parts = [facts.name, side.leg.source, facts.currency, f"last close {side.last_bar}"]
    if side.quote and side.quote.open:
        parts.append(f"session open, now {_price(side.quote.price)} at {clock(side.quote.at)}")
    else:
        parts.append("final")
    return " · ".join(part for part in parts if part)


def receipt_lines(c: Comparison, now: float) -> list[str]:
    """What the numbers rest on."""
    r = c.receipt
    adjusted = "distributions reinvested" if r.adjustment == "total" else "prices as quoted, without distributions"
    return [
        f"{plural(r.matched, 'common close')} from {r.base} to {r.end} ({plural(r.matched - 1, 'return')}); "
        f"lost: {r.a.lost} of {c.a}, {r.b.lost} of {c.b}",
        f"{adjusted}; P = {r.bars_per_year} bars a year; lags to {r.max_lag}; seed {r.seed}",
        f"{c.a}: {_origin(r.a, now)}; {c.b}: {_origin(r.b, now)}",
    ]


def _origin(side: LegReceipt, now: float) -> str:
    provenance = side.provenance
    if provenance.asked_at is None:
        return "simulated" if provenance.origin == "simulation" else "from a file"
    if provenance.origin == "network":
        return f"asked {side.leg.source} just now"
    return f"from the cache, asked {side.leg.source} {age(now - provenance.asked_at)} ago"


def clock(seconds: float) -> str:
    """An instant as `2026-11-20 21:00 UTC`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def header(c: Comparison) -> str:
    """The title of a comparison."""
    return f"{c.a} against {c.b} · {c.window} to {c.as_of}" + (" · simulated" if c.simulated else "")
