"""How a comparison looks to a person: the same words and roundings in every laid-out format."""

import math
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import groupby

from pairwatch.model import Comparison, LegReceipt, Reading, Scope
from pairwatch.text import age, plural

NOTHING = "–"

# Each becomes one character, so that columns stay where they are.
_ASCII = str.maketrans("–−·…×─━◂▸→\u2018\u2019\u201c\u201d", "--|~x--<>>''\"\"")


def cell(reading: Reading) -> str:
    """A reading's value, rounded for its unit; a dash for "cannot say"."""
    value, statistic = reading.value, reading.statistic
    if not math.isfinite(value):
        return NOTHING
    if statistic.unit == "currency":
        return price(value)
    # A change says which way, and so do a difference and a lag.
    signed = (
        statistic.unit == "return"
        or reading.scope == "difference"
        or (statistic.scope, reading.unit) == ("leadership", "bars")
    )
    return _FORMS.get(reading.unit, _number)(value, "+" if signed else "")


def price(value: float) -> str:
    """Two decimals from one up, six significant digits below."""
    return f"{value:,.2f}" if abs(value) >= 1 or value == 0 else f"{value:.6g}"


def _number(value: float, sign: str) -> str:
    """Three decimals; three significant digits where those would hide it (a coin priced in bitcoin)."""
    if 1e-9 < abs(value) < 0.001:
        return f"{value:{sign}.3g}"
    return f"{value:{sign}z,.3f}"


# `z`: what rounds to nothing has no sign of its own.
_FORMS: Mapping[str, Callable[[float, str], str]] = {
    "fraction": lambda value, sign: f"{100 * value:{sign}z,.2f}%",
    "bp": lambda value, sign: f"{value:{sign}z,.1f} bp",
    "count": lambda value, _: f"{value:,.0f}",
    "bars": lambda value, sign: f"{value:+.0f} bar{'' if abs(value) == 1 else 's'}" if sign else f"{value:.1f} bars",
    "probability": lambda value, _: f"{value:.4f}",
}


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


def pair_rows(c: Comparison, scope: Scope = "pair") -> Iterator[tuple[str, str, str]]:
    """A label, a cell and an interval in brackets, a statistic each; either of the last two may be empty."""
    chosen = [reading for reading in c if reading.scope == scope]
    for _, group in groupby(chosen, key=lambda r: r.statistic.interval or r.statistic.key):
        found = list(group)
        ends = sorted((r for r in found if r.statistic.interval), key=lambda r: r.value)
        between = f"[{', '.join(cell(r) for r in ends)}]" if ends else ""
        main = [cell(r) for r in found if not r.statistic.interval]
        yield found[0].statistic.label, " ".join(main), between


def lead_parts(c: Comparison) -> list[str]:
    """The numbers behind the verdict on who leads, each with its label."""
    return [" ".join(part for part in row if part) for row in pair_rows(c, "leadership")]


def who(side: LegReceipt) -> list[str]:
    """What a leg is: name, source, currency, last bar, and the state of its session."""
    facts = side.facts
    parts = [facts.name, side.leg.source, facts.currency, f"last close {side.last_bar}"]
    if side.quote and side.quote.open:
        parts.append(f"session unfinished, now {price(side.quote.price)} at {clock(side.quote.at)}")
    elif side.provenance.origin != "file":  # a file does not say whether its last session was over
        parts.append("final")
    return [part for part in parts if part]


def receipt_rows(c: Comparison, now: float) -> list[tuple[str, str]]:
    """What the numbers rest on, line by line: a heading and a text."""
    r = c.receipt
    adjusted = (
        "distributions reinvested where the source gives them"
        if r.adjustment == "total"
        else "prices as quoted, without distributions"
    )
    return [
        (
            "window",
            f"{plural(r.matched, 'common close')} from {r.base} to {r.end} ({plural(r.matched - 1, 'return')})",
        ),
        ("unmatched", f"{plural(r.a.lost, 'close')} of {c.a}, {r.b.lost} of {c.b}"),
        ("method", f"{adjusted}; P = {r.bars_per_year} bars a year; lags to {r.max_lag}; seed {r.seed}"),
        ("data", f"{c.a} {_origin(r.a, now)}; {c.b} {_origin(r.b, now)}"),
        *(("note", warning) for warning in c.warnings),
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


def in_ascii(text: str) -> str:
    """`text` for an output that holds nothing else, as wide as before: plain signs, letters without accents."""
    return "".join(char if char.isascii() else _plain(char) for char in text.translate(_ASCII))


def _plain(char: str) -> str:
    base = unicodedata.normalize("NFD", char)[0]
    return base if base.isascii() else "?"
