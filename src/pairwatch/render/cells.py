"""How a comparison looks to a person: the same words and roundings in every laid-out format."""

import math
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import groupby
from typing import TYPE_CHECKING

from pairwatch.model import Comparison, LegReceipt, Reading, Receipt, Scope, Statistic
from pairwatch.text import age, listing, plural

if TYPE_CHECKING:
    from pairwatch.differences import Change, Difference, Moment, Split
    from pairwatch.revisions import Revision

NOTHING = "–"
# So many days are named; of more, the first and the last.
MOST_DAYS = 4
# A unit that is no longer stands beside every number.
LONGEST_UNIT = 6
# From here on decimals say nothing; below there are but roundings.
MILLION, TINY = 1e6, 1e-9
# A split is told in whole shares up to so many.
LARGEST_RATIO = 100

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
    if _is_in_own_unit(statistic, reading.unit):
        return _quantity(value, reading.unit, "+" if signed else "")
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


def _is_in_own_unit(statistic: Statistic, unit: str) -> bool:
    """Whether it is a change, or a deviation, counted in what its leg is counted in."""
    return statistic.unit in ("return", "deviation") and unit not in ("fraction", "bp")


def _quantity(value: float, unit: str, sign: str) -> str:
    """A number of anything; only short units stand beside it, long ones are said in the receipt alone."""
    size = abs(value)
    digits = 0 if size >= MILLION else 2 if size >= 1 or size < TINY else 3
    text = f"{value:{sign}z,.{digits}f}" if digits < 3 else f"{value:{sign}.3g}"
    return f"{text} {unit}" if len(unit) <= LONGEST_UNIT else text


def _number(value: float, sign: str) -> str:
    """Three decimals; three significant digits where those would hide it (a coin priced in bitcoin)."""
    if TINY < abs(value) < 0.001:
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
    return [
        (
            "window",
            f"{plural(r.matched, 'common close')} from {r.base} to {r.end} ({plural(r.matched - 1, 'return')})",
        ),
        ("unmatched", f"{plural(r.a.lost, 'close')} of {c.a}, {r.b.lost} of {c.b}"),
        *([("lined up", r.lined_up)] if r.lined_up else []),
        ("units", _units(r.a, r.b)),
        *(("left out", text) for text in _left_out(c)),
        ("method", f"{_adjusted(r)}; P = {r.bars_per_year} bars a year; lags to {r.max_lag}; seed {r.seed}"),
        ("data", f"{c.a} {_origin(r.a, now)}; {c.b} {_origin(r.b, now)}"),
        *(("note", warning) for warning in c.warnings),
    ]


def _adjusted(r: Receipt) -> str:
    """What has become of distributions; only the price of something brings any."""
    if r.adjustment == "price":
        return "prices as quoted, without distributions"
    differences = any(side.facts.by_differences and side.facts.measure == "price" for side in (r.a, r.b))
    left_out = ", left out of differences" if differences else ""
    return f"distributions reinvested where the source gives them{left_out}"


def _units(a: LegReceipt, b: LegReceipt) -> str:
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


def header(c: Comparison, said: float | None = None) -> str:
    """The title of a comparison; `said` is the instant at which a stored one was made."""
    then = "" if said is None else f" · as said on {clock(said)}"
    return f"{c.a} against {c.b} · {c.window} to {c.as_of}" + (" · simulated" if c.simulated else "") + then


# ---------------------------------------------------------------- differences

UNMOVED = "nothing has moved beyond rounding"
CHANGE_COLUMNS = ("from", "to", "change", "left", "entered", "revised")


def change_columns(changes: Sequence["Change"]) -> tuple[str, ...]:
    """The columns that there is something in: mostly nothing was revised."""
    return CHANGE_COLUMNS if any(amount(c, c.revised) != "0" for c in changes) else CHANGE_COLUMNS[:-1]


def change_row(c: "Change") -> list[str]:
    """A label, and the cell of each column."""
    ends = [cell(Reading(c.statistic, c.scope, value, c.unit)) for value in (c.start, c.end)]
    return [label(c.statistic), *ends, *(amount(c, value) for value in (c.change, c.left, c.entered, c.revised))]


def has_moved(c: "Change") -> bool:
    """Whether the change can be seen at these roundings."""
    _, start, end, *_ = change_row(c)
    return start != end


def change_groups(d: "Difference") -> list[tuple[str, "list[Change]"]]:
    """A heading and what has moved, for each leg, their difference, the pair and the leadership.

    What was asked for by its key is there whether it has moved or not.
    """
    names = {"a": str(d.a), "b": str(d.b), "difference": "A - B"}
    shown = [c for c in d.changes if d.chosen or has_moved(c)]
    return [(names.get(scope, scope), list(group)) for scope, group in groupby(shown, key=lambda c: c.scope)]


def label(statistic: Statistic) -> str:
    """The statistic's label; of an interval's ends that share one, with the end."""
    name, _, end = statistic.key.rpartition("_")
    shares = statistic.interval and name == statistic.interval and end not in statistic.label
    return f"{statistic.label}, {end}" if shares else statistic.label


def amount(c: "Change", value: float) -> str:
    """A part of a change, with its sign, rounded like the numbers themselves; 0 for what rounds to nothing."""
    if not math.isfinite(value):
        return NOTHING
    size = max((abs(x) for x in (c.start, c.end) if math.isfinite(x)), default=0.0)
    text = _amount(c, value, size)
    return text if re.search("[1-9]", text) else "0"


def _amount(c: "Change", value: float, size: float) -> str:
    unit = c.statistic.unit if c.statistic.unit == "currency" else c.unit
    if _is_in_own_unit(c.statistic, unit):
        return _quantity(value, unit, "+")
    if unit == "currency":
        return f"{value:+,.2f}" if size >= 1 else f"{value:+.4g}"
    if unit == "fraction":
        return f"{100 * value:+,.2f}%"
    if unit in ("bp", "bars"):
        return f"{value:+,.1f} {unit}"
    if unit == "number" and 1e-9 < size < 0.001:
        return f"{value:+.3g}"
    return f"{value:+,.{ {'count': 0, 'probability': 4}.get(unit, 3) }f}"


def difference_title(d: "Difference") -> str:
    """The title of a difference."""
    return f"{d.a} against {d.b} · {d.question.window} · {d.start.session} to {d.end.session}"


def difference_rows(d: "Difference") -> list[tuple[str, str]]:
    """What moved the numbers, line by line: a heading and a text."""
    rewritten = [
        *(
            f"{one.leg} to {one.until} rebased by {one.divisor:.6g}{f' (split of {one.split})' if one.split else ''}"
            for one in d.rebasings
        ),
        *([listing([_revision(one) for one in d.revisions])] if d.revisions else []),
    ]
    return [
        ("from", _moment(d.start)),
        ("to", _moment(d.end)),
        ("left", _days(d.left)),
        ("entered", _days(d.entered)),
        *(("split", _split(one)) for one in d.splits),
        ("revised", "; ".join(rewritten) or "nothing"),
        *(("note", remark) for remark in d.remarks),
    ]


def since_title(d: "Difference") -> tuple[str, str]:
    """The heading of the short form, and what moved the numbers."""
    return f"since {d.start.session}", f"{plural(len(d.left), 'day')} left the window, {len(d.entered)} entered"


def since_changes(d: "Difference") -> "list[Change]":
    """What the short form shows."""
    return [c for c in d.changes if math.isfinite(c.start) or math.isfinite(c.end)]


def _moment(moment: "Moment") -> str:
    which = "now" if moment.revision is None else f"snapshot {moment}"
    return f"{which}, of the close of {moment.session}, said on {clock(moment.taken_at)}"


def _days(days: Sequence[date]) -> str:
    if not days:
        return "no day"
    if len(days) <= MOST_DAYS:
        return f"{plural(len(days), 'day')}: {listing(days, MOST_DAYS)}"
    return f"{plural(len(days), 'day')}: {days[0]} to {days[-1]}"


def _split(one: "Split") -> str:
    from fractions import Fraction  # noqa: PLC0415 - splits are rare

    ratio = Fraction(one.ratio).limit_denominator(LARGEST_RATIO)
    plain = math.isclose(ratio, one.ratio, rel_tol=1e-6)
    told = f"{ratio.numerator}:{ratio.denominator}" if plain else f"{one.ratio:.6g}:1"
    return f"{one.leg} {told} split on {one.day}, counted as {one.part}"


def _revision(one: "Revision") -> str:
    what = f"{one.leg} {one.what.replace('_', ' ')} of {one.day}"
    if math.isnan(one.before):
        return f"{what} added, {one.after:.6g}"
    return f"{what} {'withdrawn' if math.isnan(one.after) else f'{one.before:.6g} to {one.after:.6g}'}"


# ---------------------------------------------------------------- plain text


def in_ascii(text: str) -> str:
    """`text` for an output that holds nothing else, as wide as before: plain signs, letters without accents."""
    return "".join(char if char.isascii() else _plain(char) for char in text.translate(_ASCII))


def _plain(char: str) -> str:
    base = unicodedata.normalize("NFD", char)[0]
    return base if base.isascii() else "?"
