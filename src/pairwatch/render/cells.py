"""How a comparison looks to a person: the same words and roundings in every laid-out format."""

import math
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby

from pairwatch.model import Comparison, LegReceipt, Reading, Receipt, Scope, Statistic
from pairwatch.model.results import Percentiles, is_unusual
from pairwatch.stats.percentiles import shown
from pairwatch.text import age, listing, plural

NOTHING = "–"
# A unit that is no longer stands beside every number.
LONGEST_UNIT = 6
# From here on decimals say nothing; below there are but roundings.
MILLION, TINY = 1e6, 1e-9
# From so many bars on, a tenth of one says nothing.
HUNDRED = 100
# What would be printed as no chance at all.
LEAST_PROBABILITY = 0.00005

# What no interval of one window can hold; `benchmarks/calibration.py` has the numbers.
INTERVALS = (
    "95 %, of what held in this window; where volatility comes in clusters of either leg's own, 3 to 5 in 10 miss what "
    "holds in the long run"
)

# Behind a leg's number that is at or beyond its 5th, or its 95th, percentile.
UNUSUALLY_LOW, UNUSUALLY_HIGH = "▾", "▴"

# Each becomes one character, so that columns stay where they are.
_ASCII = str.maketrans("–−·…×─━◂▸→▾▴\u2018\u2019\u201c\u201d", "--|~x--<>>v^''\"\"")


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
    if is_in_own_unit(statistic, reading.unit):
        return quantity(value, reading.unit, "+" if signed else "")
    return _FORMS.get(reading.unit, _number)(value, "+" if signed else "")


def price(value: float) -> str:
    """Two decimals from one up, four where an exchange rate has them; six significant digits below; millions whole."""
    size = abs(value)
    if size >= MILLION:
        return f"{value:,.0f}"
    if 1 <= size < 10:
        whole, _, decimals = f"{value:.4f}".partition(".")
        return f"{whole}.{decimals[:2]}{decimals[2:].rstrip('0')}"
    return f"{value:,.2f}" if size >= 1 or value == 0 else f"{value:.6g}"


def is_in_own_unit(statistic: Statistic, unit: str) -> bool:
    """Whether it is a change, or a deviation, counted in what its leg is counted in."""
    return statistic.unit in ("return", "deviation") and unit not in ("fraction", "bp")


def quantity(value: float, unit: str, sign: str) -> str:
    """A number of anything; only short units stand beside it, long ones are said in the receipt alone."""
    size = abs(value)
    digits = 0 if size >= MILLION else 2 if size >= 1 or size < TINY else 3
    text = f"{value:{sign}z,.{digits}f}" if digits < 3 else f"{value:{sign}.3g}"
    return f"{text} {unit}" if len(unit) <= LONGEST_UNIT else text


def _number(value: float, sign: str) -> str:
    """Three decimals; below a tenth three significant digits (a share priced in bitcoin)."""
    size = abs(value)
    if TINY < size < 0.001:
        return f"{value:{sign}.3g}"
    return f"{value:{sign}z,.{decimals(size)}f}"


def decimals(size: float) -> int:
    """How many decimals a plain number of that size has, from a thousandth on; what is nothing has three."""
    return next((digits for edge, digits in ((0.01, 5), (0.1, 4)) if TINY < size < edge), 3)


def _bars(lag: float) -> str:
    """A lag: whole bars, with a sign where there are any."""
    return f"{lag:{'+' if lag else ''}.0f} bar{'' if abs(lag) == 1 else 's'}"


# `z`: what rounds to nothing has no sign of its own.
_FORMS: Mapping[str, Callable[[float, str], str]] = {
    "fraction": lambda value, sign: f"{100 * value:{sign}z,.2f}%",
    "bp": lambda value, sign: f"{value:{sign}z,.1f} bp",
    "count": lambda value, _: f"{value:,.0f}",
    "bars": lambda value, sign: _bars(value) if sign else f"{value:,.{0 if value >= HUNDRED else 1}f} bars",
    "probability": lambda value, _: f"{value:.4f}",
    "percentile": lambda value, _: f"{shown(value)} %ile",
}


def amount_in(value: float, unit: str) -> str:
    """A number of a unit, rounded for it; a dash for "cannot say"."""
    if not math.isfinite(value):
        return NOTHING
    if unit == "currency":
        return price(value)
    sign = "+" if unit in ("return", "lag") else ""
    if unit == "probability" and 0 <= value < LEAST_PROBABILITY:
        return "<.0001"
    form = {"return": "fraction", "lag": "bars"}.get(unit, unit)
    return _FORMS.get(form, _number)(value, sign)


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


def mark(c: Comparison, scope: Scope, key: str) -> str:
    """What stands behind a number that is unusual in the pair's own history; empty for others."""
    share = c.percentiles.of.get((scope, key)) if c.percentiles else None
    if share is None or not is_unusual(share):
        return ""
    return UNUSUALLY_LOW if share < 0.5 else UNUSUALLY_HIGH


def leg_marks(c: Comparison) -> Iterator[tuple[str, str, str]]:
    """The marks of A, B and A - B, for each row of `leg_rows`."""
    for key in (reading.statistic.key for reading in c if reading.scope == "a"):
        yield mark(c, "a", key), mark(c, "b", key), mark(c, "difference", key)


def pair_percentiles(c: Comparison) -> Iterator[tuple[str, bool]]:
    """The percentile, and whether it is unusual, for each row of `pair_rows`; empty where there is none."""
    chosen = (reading.statistic for reading in c if reading.scope == "pair")
    for _, group in groupby(chosen, key=lambda s: s.interval or s.key):
        key = next(group).key
        share = c.percentiles.of.get(("pair", key)) if c.percentiles else None
        yield ("", False) if share is None else (shown(share), is_unusual(share))


def lead_parts(c: Comparison) -> list[str]:
    """The numbers behind the verdict on who leads, each with its label."""
    return [" ".join(part for part in row if part) for row in pair_rows(c, "leadership")]


def who(side: LegReceipt) -> list[str]:
    """What a leg is: name, source, currency, last bar, and the state of its session."""
    facts = side.facts
    parts = [facts.name, side.served_by, facts.currency, f"last close {side.last_bar}"]
    if side.quote and side.quote.open:
        parts.append(f"session unfinished, now {price(side.quote.price)} at {clock(side.quote.at)}")
    elif side.provenance.origin != "file":  # a file does not say whether its last session was over
        parts.append("final")
    return [part for part in parts if part]


def receipt_rows(c: Comparison, now: float) -> list[tuple[str, str]]:
    """What the numbers rest on, line by line: a heading and a text."""
    r = c.receipt
    return [
        (
            "window",
            f"{plural(r.matched, 'common close')} from {r.base} to {r.end} ({plural(r.matched - 1, 'return')})",
        ),
        ("unmatched", f"{plural(r.a.lost, 'close')} of {c.a}, {r.b.lost} of {c.b}"),
        *([("lined up", r.lined_up)] if r.lined_up else []),
        ("units", units(r.a, r.b)),
        *(("left out", text) for text in _left_out(c)),
        *([("now", text)] if (text := _without_now(r)) else []),
        *([("%ile", _percentiles(c.percentiles, r))] if c.percentiles else []),
        *([("intervals", INTERVALS)] if _has_intervals(c) else []),
        ("method", f"{adjusted(r)}; P = {r.bars_per_year} bars a year; lags to {r.max_lag}; seed {r.seed}"),
        ("data", f"{c.a} {origin(r.a, now)}; {c.b} {origin(r.b, now)}"),
        *(("note", warning) for warning in c.warnings),
    ]


def _without_now(r: Receipt) -> str:
    """Why legs have no change of now: each reason once, with whom it is of."""
    reasons: dict[str, list[str]] = {}
    for side in (r.a, r.b):
        if because := _no_now(side):
            reasons.setdefault(because, []).append(str(side.leg))
    return "; ".join(f"{', '.join(legs)}: {because}" for because, legs in reasons.items())


def _no_now(side: LegReceipt) -> str:
    """Why a leg has no change of now; empty where its session is unfinished."""
    if side.quote:
        return "" if side.quote.open else "session over, no change since its close"
    if side.provenance.stale:
        return "stale, so nothing is now"
    origins = {"file": "from a file, which has no latest price", "simulation": "simulated, without a latest price"}
    return origins.get(side.provenance.origin, "no latest price is known")


def _has_intervals(c: Comparison) -> bool:
    return any("95 %" in one.statistic.label and math.isfinite(one.value) for one in c)


def _percentiles(found: Percentiles, r: Receipt) -> str:
    """What the percentiles are of."""
    windows = f"{found.windows:,} windows of {plural(r.matched - 1, 'bar')} since {found.since}"
    of = f"place among {windows} ({found.independent} that do not overlap), of a change among those of its span"
    return f"{of}; {UNUSUALLY_LOW} up to the 5th percentile, {UNUSUALLY_HIGH} from the 95th"


def adjusted(r: Receipt) -> str:
    """What has become of distributions; only the price of something brings any."""
    if r.adjustment == "price":
        return "prices as quoted, without distributions"
    differences = any(side.facts.by_differences and side.facts.measure == "price" for side in (r.a, r.b))
    left_out = ", left out of differences" if differences else ""
    return f"distributions reinvested where the source gives them{left_out}"


def units(a: LegReceipt, b: LegReceipt) -> str:
    """What each leg's values are counted in, and how its changes are made."""
    ours, theirs = _unit(a), _unit(b)
    return f"both: {ours}" if ours == theirs else f"{a.leg}: {ours} · {b.leg}: {theirs}"


def _unit(side: LegReceipt) -> str:
    facts = side.facts
    unit = facts.unit or ("" if facts.simulated else facts.currency)
    changes = facts.change_unit if facts.by_differences else "percent"
    return f"{facts.measure}{f', in {unit}' if unit else ''}; changes in {changes}"


def _left_out(c: Comparison) -> Iterator[str]:
    """What is not said of these legs, a line a reason: the reason, and whose numbers are missing."""
    statistics = {reading.statistic.key: reading.statistic for reading in c}
    names = {"a": str(c.a), "b": str(c.b), "difference": "A - B", "pair": "the pair"}
    reasons: dict[str, dict[tuple[str, ...], list[str]]] = {}
    for one in c.receipt.absent:
        reasons.setdefault(one.because, {}).setdefault(one.keys, []).append(names[one.scope])
    for because, groups in reasons.items():
        parts = [f"{_whose(who, because)}without {_labels(keys, statistics)}" for keys, who in groups.items()]
        yield f"{because}: {'; '.join(parts)}"


def _whose(who: Sequence[str], because: str) -> str:
    """Whose numbers are missing; nothing where the reason has said that."""
    return "" if len(who) == 1 and because.startswith(f"{who[0]} ") else f"{listing(who, len(who))} "


def _labels(keys: Sequence[str], statistics: Mapping[str, Statistic]) -> str:
    """The statistics' names in the table, without the ends of an interval around one of them."""
    found = [statistics[key] for key in keys if key in statistics]
    return " · ".join(dict.fromkeys(one.label for one in found if one.interval not in keys))


def origin(side: LegReceipt, now: float) -> str:
    """Where the leg's closes come from, and how old that is."""
    provenance = side.provenance
    if provenance.asked_at is None:
        local = "simulated" if provenance.origin == "simulation" else "from a file"
        return f"{local} ({provenance.stand_in})" if provenance.stand_in else local
    if provenance.origin == "network":
        return f"asked {side.asked} just now"
    return f"from the cache, asked {side.asked} {age(now - provenance.asked_at)} ago"


def clock(seconds: float) -> str:
    """An instant as `2026-11-20 21:00 UTC`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def header(c: Comparison, said: float | None = None) -> str:
    """The title of a comparison; `said` is the instant at which a stored one was made."""
    then = "" if said is None else f" · as said on {clock(said)}"
    return f"{c.a} against {c.b} · {c.window} to {c.as_of}" + (" · simulated" if c.simulated else "") + then


# ---------------------------------------------------------------- plain text


def in_ascii(text: str) -> str:
    """`text` for an output that holds nothing else, as wide as before: plain signs, letters without accents."""
    return "".join(char if char.isascii() else _plain(char) for char in text.translate(_ASCII))


def _plain(char: str) -> str:
    base = unicodedata.normalize("NFD", char)[0]
    return base if base.isascii() else "?"
