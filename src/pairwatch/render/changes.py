"""How a difference between two days looks to a person: in every laid-out format alike."""

import math
import re
from collections.abc import Sequence
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING

from pairwatch.model import Reading, Statistic
from pairwatch.render.cells import NOTHING, TINY, cell, clock, decimals, is_in_own_unit, quantity
from pairwatch.text import listing, plural

if TYPE_CHECKING:
    from pairwatch.differences import Change, Difference, Moment, Split
    from pairwatch.revisions import Revision

# So many days are named; of more, the first and the last.
MOST_DAYS = 4
# A split is told in whole shares up to so many.
LARGEST_RATIO = 100
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
    if is_in_own_unit(c.statistic, unit):
        return quantity(value, unit, "+")
    if unit == "currency":
        return f"{value:+,.2f}" if size >= 1 else f"{value:+.4g}"
    if unit == "fraction":
        return f"{100 * value:+,.2f}%"
    if unit in ("bp", "bars"):
        return f"{value:+,.1f} {unit}"
    if unit in ("count", "probability"):
        return f"{value:+,.{0 if unit == 'count' else 4}f}"
    return f"{value:+.3g}" if TINY < size < 0.001 else f"{value:+,.{decimals(size)}f}"


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
