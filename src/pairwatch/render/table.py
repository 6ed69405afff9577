"""A page for a person in a terminal."""

from collections.abc import Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.segment import Segment

from pairwatch.model import Comparison, Leadership
from pairwatch.render import Page, cells, changes
from pairwatch.render.layout import (
    UNBOUNDED,
    Line,
    flowed,
    folded,
    hanging,
    headed,
    lined_up,
    signed,
    styled,
    text_of,
    width_of,
)

if TYPE_CHECKING:
    from pairwatch.differences import Change, Difference

# What the labels and the third column need beside the legs' own columns.
BESIDE_LEGS = 30
# From so many lags on, the bars of r(k) stand without a gap.
SPACED_BARS = 31
GAP = 4
# Labels of changes are folded rather than narrower than this.
NARROWEST_LABEL = 14

_BLOCKS = " ▁▂▃▄▅▆▇█"
_ASCII_BLOCKS = " 12345678"
_VERDICT_STYLES = {"TRUE": "green", "FALSE": "red", "INCONCLUSIVE": "yellow"}


def comparison(c: Comparison, page: Page, since: "Difference | None" = None) -> str:
    """The whole page, ending in a line feed; no colour codes unless the page has colour."""
    width = page.width or UNBOUNDED
    lines: list[Line] = [
        *_title(c, width, page.said),
        [],
        *_numbers(c, width),
        [],
        *_verdict(c, width, unicode=page.unicode),
        [],
        *(_since(since, width) if since else []),
        [styled("reading", "bold")],
        *_claims(c, width),
        [],
        [styled("receipt", "bold")],
        *_receipt(c, width, page.now),
    ]
    return text_of(lines, page)


def difference(d: "Difference", page: Page) -> str:
    """What has moved, and below it why."""
    width = page.width or UNBOUNDED
    groups = changes.change_groups(d)
    lines: list[Line] = [[styled(text, "bold")] for text in folded(changes.difference_title(d), width)]
    lines += [[], *_changes(groups, width)]
    if not groups:
        lines += [[styled(changes.UNMOVED)], []]
    rows = [
        (styled(f"  {name}", "yellow" if name == "note" else "dim"), text) for name, text in changes.difference_rows(d)
    ]
    return text_of([*lines, [styled("why", "bold")], *headed(rows, width)], page)


# ---------------------------------------------------------------- the legs and the pair


def _title(c: Comparison, width: int, said: float | None = None) -> list[Line]:
    """Who A and B are: beside their names, or below where the names are long."""
    longest = max(cell_len(str(leg)) for leg in (c.a, c.b))
    beside = longest <= width // 3
    lines: list[Line] = [[styled(text, "bold")] for text in folded(cells.header(c, said), width)]
    for name, side in (("A", c.receipt.a), ("B", c.receipt.b)):
        head = [styled(f"  {name}  ", "dim")]
        leg = str(side.leg)
        if beside:
            head += [styled(leg, "bold"), styled(" " * (longest + 2 - cell_len(leg)))]
        else:
            lines += hanging(head, folded(leg, width - width_of(head)), "bold")
            head = [styled(" " * width_of(head))]
        lines += hanging(head, flowed(cells.who(side), width - width_of(head)))
    return lines


def _numbers(c: Comparison, width: int) -> list[Line]:
    """The legs and the pair: beside each other where the page is wide enough, else below each other."""
    legs, pair = _legs(c, width), _pair(c)
    edge = max(map(width_of, legs)) + GAP
    if edge + max(map(width_of, pair)) > width:
        return [*legs, [], *pair]
    nothing: Line = []
    both = zip_longest(legs, pair, fillvalue=nothing)
    return [[*left, styled(" " * (edge - width_of(left))), *right] for left, right in both]


def _legs(c: Comparison, width: int) -> list[Line]:
    names = [str(c.a), str(c.b)]
    if max(map(cell_len, names)) > (width - BESIDE_LEGS) // 2:
        names = ["A", "B"]
    every, marks = list(cells.leg_rows(c)), list(cells.leg_marks(c))
    # A column without a mark needs no room for one.
    rooms = [" " if any(column) else "" for column in zip(*marks, strict=True)]
    rows = [
        [
            styled("each leg", "bold"),
            *(styled(n + room, "bold") for n, room in zip((*names, "A - B"), rooms, strict=True)),
        ]
    ]
    for (label, row), beside in zip(every, marks, strict=True):
        numbers = (_marked(*one) for one in zip(row, beside, rooms, strict=True))
        rows.append([styled(f"  {label}"), *numbers])
    return lined_up(rows, "lrrr")


def _marked(cell: str, mark: str, room: str) -> Segment:
    """A number in the colour of its sign, and the mark of an unusual one behind it."""
    shown = signed(cell)
    return shown._replace(text=f"{cell}{mark or room}")


def _pair(c: Comparison) -> list[Line]:
    rows = [[styled("pair", "bold"), styled(""), styled("%ile" if c.percentiles else "", "dim"), styled("")]]
    rows += [
        [styled(f"  {label}"), signed(cell), styled(share, "yellow" if unusual else "dim"), styled(between, "dim")]
        for (label, cell, between), (share, unusual) in zip(cells.pair_rows(c), cells.pair_percentiles(c), strict=True)
    ]
    if not c.percentiles:
        rows = [[*row[:2], row[3]] for row in rows]
    return lined_up(rows, "lrrl"[: len(rows[0]) - 1] + "l")


# ---------------------------------------------------------------- who leads


def _verdict(c: Comparison, width: int, *, unicode: bool) -> list[Line]:
    """Who leads, a picture of r(k), and the numbers behind the verdict."""
    lead = c.leadership
    head, margin = [styled("who leads  ", "bold")], [styled("  ")]
    room = width - width_of(margin)
    style = "bold green" if lead.decided else "bold"
    return [
        *hanging(head, folded(lead.verdict, width - width_of(head)), style),
        *hanging(margin, lag_picture(lead, (str(c.a), str(c.b)), room, unicode=unicode)),
        *hanging(margin, flowed(cells.lead_parts(c), room), "dim"),
    ]


def lag_picture(lead: Leadership, names: tuple[str, str], room: int, *, unicode: bool = True) -> list[str]:
    """|r(k)| as a row of bars, marks below the negative ones, and an axis: B leads to the left, A to the right."""
    shown, gap, (left, right) = _fitted(lead, names, room)
    values = [lead.at(lag) for lag in range(-shown, shown + 1)]
    bars = gap.join(_block(r, _BLOCKS if unicode else _ASCII_BLOCKS) for r in values)
    signs = gap.join("-" if r < 0 else " " for r in values)
    centre = len(bars) // 2
    axis = f"-{shown}".ljust(centre) + "0" + f"+{shown}".rjust(len(bars) - centre - 1)
    margin = " " * (cell_len(left) + 1)
    return [
        f"{left} {bars} {right}",
        *([f"{margin}{signs}  r < 0"] if "-" in signs else []),
        f"{margin}{axis} bars" + (f" of {lead.max_lag}" if shown < lead.max_lag else ""),
    ]


def _fitted(lead: Leadership, names: tuple[str, str], room: int) -> tuple[int, str, tuple[str, str]]:
    """How many lags either way fit, what stands between their bars, and what the two sides are called."""
    count = 2 * lead.max_lag + 1
    labels = [(f"{b} leads ◂", f"▸ {a} leads") for a, b in (names, ("A", "B"))]
    gaps = (" ", "") if count <= SPACED_BARS else ("",)
    for gap in gaps:
        for label in labels:
            if sum(map(cell_len, label)) + 2 + count + (count - 1) * len(gap) <= room:
                return lead.max_lag, gap, label
    fits = room - cell_len(labels[-1][0]) - len("  bars of 1000")
    return min(lead.max_lag, max(1, (fits - 1) // 2)), "", labels[-1]


def _block(r: float, blocks: str) -> str:
    """The bar of one |r(k)|: the lowest for 0, none for "cannot say"."""
    return blocks[max(1, round(abs(r) * (len(blocks) - 1)))] if r == r else " "  # noqa: PLR0124 - NaN


# ---------------------------------------------------------------- changes


def _since(since: "Difference", width: int) -> list[Line]:
    heading, told = changes.since_title(since)
    head = [styled(heading, "bold"), styled("  ")]
    return [
        *hanging(head, folded(told, width - width_of(head)), "dim"),
        *_changes([("", changes.since_changes(since))], width),
    ]


def _changes(groups: Sequence[tuple[str, Sequence["Change"]]], width: int) -> list[Line]:
    """A heading, the names of the columns and a row a change, for each group; an empty line after each."""
    columns = changes.change_columns([c for _, group in groups for c in group])
    labels, numbers = [], []
    for heading, group in groups:
        labels += [heading, *(f"  {changes.label(c.statistic)}" for c in group)]
        numbers.append([styled(name, "dim") for name in columns])
        numbers += [[signed(text) for text in changes.change_row(c)[1 : len(columns) + 1]] for c in group]
    lines_of_numbers = lined_up(numbers, "r" * len(columns)) if numbers else []
    room = min(max(map(cell_len, labels), default=0), width - 2 - max(map(width_of, lines_of_numbers), default=0))
    if room < NARROWEST_LABEL:
        return _told(groups, columns, width)
    rows = [_labelled(label, line, room) for label, line in zip(labels, lines_of_numbers, strict=True)]
    lines: list[Line] = []
    for _, group in groups:
        lines += [line for row in rows[: len(group) + 1] for line in row] + [[]]
        rows = rows[len(group) + 1 :]
    return lines


def _labelled(label: str, numbers: Line, room: int) -> list[Line]:
    """A label, folded where it must be, and the numbers beside its last line."""
    margin, style = ("  ", "") if label.startswith("  ") else ("", "bold")
    texts = folded(label.strip(), room - len(margin)) or [""]
    *lines, last = [[styled(margin), styled(text, style)] for text in texts]
    return [*lines, [*last, styled(" " * (room + 2 - width_of(last))), *numbers]]


def _told(groups: Sequence[tuple[str, Sequence["Change"]]], columns: tuple[str, ...], width: int) -> list[Line]:
    """The same on a page that is too narrow for columns."""
    lines: list[Line] = []
    for heading, group in groups:
        lines += [[styled(text, "bold")] for text in folded(heading, width) if text]
        for c in group:
            label, *row = changes.change_row(c)
            parts = [f"{name} {text}" for name, text in zip(columns, row, strict=False)]
            lines += hanging([styled("  ")], folded(label, width - 2))
            lines += hanging([styled("    ")], flowed(parts, width - 4))
        lines.append([])
    return lines


# ---------------------------------------------------------------- words


def _claims(c: Comparison, width: int) -> list[Line]:
    rows = [
        (styled(f"  {claim.verdict}", _VERDICT_STYLES[claim.verdict]), f"{claim.text}: {claim.because}")
        for claim in c.claims
    ]
    return headed(rows, width)


def _receipt(c: Comparison, width: int, now: float) -> list[Line]:
    rows = [
        (styled(f"  {name}", "yellow" if name == "note" else "dim"), text) for name, text in cells.receipt_rows(c, now)
    ]
    return headed(rows, width)
