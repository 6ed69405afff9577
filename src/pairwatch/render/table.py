"""A page for a person in a terminal.

Laid out by hand from rich's segments, styles and cell widths: its console and its tables measure and fold each of some
two hundred cells several times, which would be a fifth of a whole run.
"""

from collections.abc import Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, TypeAlias

from rich.cells import cell_len, chop_cells
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style

from pairwatch.model import Comparison, Leadership
from pairwatch.render import Page, cells

if TYPE_CHECKING:
    from pairwatch.differences import Change, Difference

Line: TypeAlias = list[Segment]

# The width of a page that nothing bounds: no line is ever as long.
UNBOUNDED = 100_000
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
        [_styled("reading", "bold")],
        *_claims(c, width),
        [],
        [_styled("receipt", "bold")],
        *_receipt(c, width, page.now),
    ]
    return _text(lines, page)


def difference(d: "Difference", page: Page) -> str:
    """What has moved, and below it why."""
    width = page.width or UNBOUNDED
    groups = cells.change_groups(d)
    lines: list[Line] = [[_styled(text, "bold")] for text in _folded(cells.difference_title(d), width)]
    lines += [[], *_changes(groups, width)]
    if not groups:
        lines += [[_styled(cells.UNMOVED)], []]
    rows = [
        (_styled(f"  {name}", "yellow" if name == "note" else "dim"), text) for name, text in cells.difference_rows(d)
    ]
    return _text([*lines, [_styled("why", "bold")], *_headed(rows, width)], page)


def _text(lines: list[Line], page: Page) -> str:
    text = "".join(f"{_printed(line, color=page.color)}\n" for line in lines)
    return text if page.unicode else cells.in_ascii(text)


def _styled(text: str, style: str = "") -> Segment:
    return Segment(text, Style.parse(style) if style else None)


def _printed(line: Line, *, color: bool) -> str:
    """The line without trailing blanks."""
    if not color:
        return "".join(part.text for part in line).rstrip()
    shown = (
        part.style.render(part.text, color_system=ColorSystem.STANDARD) if part.style else part.text for part in line
    )
    return "".join(shown).rstrip()


def _width(line: Line) -> int:
    return sum(part.cell_length for part in line)


def _folded(text: str, room: int) -> list[str]:
    """The text in lines of at most `room` columns, broken at blanks; a word that is longer is cut."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if cell_len(longer) <= room:
            lines[-1] = longer
        else:
            lines += chop_cells(word, max(2, room))
    return lines if lines[0] else lines[1:]


def _hanging(head: Line, texts: list[str], style: str = "") -> list[Line]:
    """The texts below each other beside a head, which stands on the first line alone."""
    margin = _styled(" " * _width(head))
    return [[*(head if i == 0 else [margin]), _styled(text, style)] for i, text in enumerate(texts)]


def _flowed(parts: list[str], room: int) -> list[str]:
    """The parts with dots between them, broken between two parts rather than inside one."""
    lines = [parts[0]]
    for part in parts[1:]:
        longer = f"{lines[-1]} · {part}"
        if cell_len(longer) <= room:
            lines[-1] = longer
        else:
            lines.append(part)
    return [piece for line in lines for piece in _folded(line, room)]


# ---------------------------------------------------------------- the legs and the pair


def _title(c: Comparison, width: int, said: float | None = None) -> list[Line]:
    """Who A and B are: beside their names, or below where the names are long."""
    longest = max(cell_len(str(leg)) for leg in (c.a, c.b))
    beside = longest <= width // 3
    lines: list[Line] = [[_styled(text, "bold")] for text in _folded(cells.header(c, said), width)]
    for name, side in (("A", c.receipt.a), ("B", c.receipt.b)):
        head = [_styled(f"  {name}  ", "dim")]
        leg = str(side.leg)
        if beside:
            head += [_styled(leg, "bold"), _styled(" " * (longest + 2 - cell_len(leg)))]
        else:
            lines += _hanging(head, _folded(leg, width - _width(head)), "bold")
            head = [_styled(" " * _width(head))]
        lines += _hanging(head, _flowed(cells.who(side), width - _width(head)))
    return lines


def _numbers(c: Comparison, width: int) -> list[Line]:
    """The legs and the pair: beside each other where the page is wide enough, else below each other."""
    legs, pair = _legs(c, width), _pair(c)
    edge = max(map(_width, legs)) + GAP
    if edge + max(map(_width, pair)) > width:
        return [*legs, [], *pair]
    nothing: Line = []
    both = zip_longest(legs, pair, fillvalue=nothing)
    return [[*left, _styled(" " * (edge - _width(left))), *right] for left, right in both]


def _legs(c: Comparison, width: int) -> list[Line]:
    names = [str(c.a), str(c.b)]
    if max(map(cell_len, names)) > (width - BESIDE_LEGS) // 2:
        names = ["A", "B"]
    rows = [[_styled(name, "bold") for name in ("each leg", *names, "A - B")]]
    rows += [[_styled(f"  {label}"), *map(_signed, row)] for label, row in cells.leg_rows(c)]
    return _lined_up(rows, "lrrr")


def _pair(c: Comparison) -> list[Line]:
    rows = [[_styled("pair", "bold"), _styled(""), _styled("")]]
    rows += [
        [_styled(f"  {label}"), _signed(cell), _styled(between, "dim")] for label, cell, between in cells.pair_rows(c)
    ]
    return _lined_up(rows, "lrl")


def _lined_up(rows: list[Line], sides: str) -> list[Line]:
    """The rows as lines, two blanks between columns; for each column `l` or `r` says at which side its texts stand."""
    widths = [max(part.cell_length for part in column) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        line: Line = []
        for part, width, side in zip(row, widths, sides, strict=True):
            blank = _styled(" " * (width - part.cell_length))
            line += [blank, part, _styled("  ")] if side == "r" else [part, blank, _styled("  ")]
        lines.append(line[:-1])
    return lines


def _signed(cell: str) -> Segment:
    return _styled(cell, _sign_style(cell))


def _sign_style(cell: str) -> str:
    """Losses stand out, and nothing else does: a negative skew is no loss."""
    if cell == cells.NOTHING:
        return "dim"
    return "red" if cell.startswith("-") and cell.endswith("%") else ""


# ---------------------------------------------------------------- who leads


def _verdict(c: Comparison, width: int, *, unicode: bool) -> list[Line]:
    """Who leads, a picture of r(k), and the numbers behind the verdict."""
    lead = c.leadership
    head, margin = [_styled("who leads  ", "bold")], [_styled("  ")]
    room = width - _width(margin)
    style = "bold green" if lead.decided else "bold"
    return [
        *_hanging(head, _folded(lead.verdict, width - _width(head)), style),
        *_hanging(margin, lag_picture(lead, (str(c.a), str(c.b)), room, unicode=unicode)),
        *_hanging(margin, _flowed(cells.lead_parts(c), room), "dim"),
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
    heading, told = cells.since_title(since)
    head = [_styled(heading, "bold"), _styled("  ")]
    return [
        *_hanging(head, _folded(told, width - _width(head)), "dim"),
        *_changes([("", cells.since_changes(since))], width),
    ]


def _changes(groups: Sequence[tuple[str, Sequence["Change"]]], width: int) -> list[Line]:
    """A heading, the names of the columns and a row a change, for each group; an empty line after each."""
    columns = cells.change_columns([c for _, group in groups for c in group])
    labels, numbers = [], []
    for heading, group in groups:
        labels += [heading, *(f"  {cells.label(c.statistic)}" for c in group)]
        numbers.append([_styled(name, "dim") for name in columns])
        numbers += [[_signed(text) for text in cells.change_row(c)[1 : len(columns) + 1]] for c in group]
    lined_up = _lined_up(numbers, "r" * len(columns)) if numbers else []
    room = min(max(map(cell_len, labels), default=0), width - 2 - max(map(_width, lined_up), default=0))
    if room < NARROWEST_LABEL:
        return _told(groups, columns, width)
    rows = [_labelled(label, line, room) for label, line in zip(labels, lined_up, strict=True)]
    lines: list[Line] = []
    for _, group in groups:
        lines += [line for row in rows[: len(group) + 1] for line in row] + [[]]
        rows = rows[len(group) + 1 :]
    return lines


def _labelled(label: str, numbers: Line, room: int) -> list[Line]:
    """A label, folded where it must be, and the numbers beside its last line."""
    margin, style = ("  ", "") if label.startswith("  ") else ("", "bold")
    texts = _folded(label.strip(), room - len(margin)) or [""]
    *lines, last = [[_styled(margin), _styled(text, style)] for text in texts]
    return [*lines, [*last, _styled(" " * (room + 2 - _width(last))), *numbers]]


def _told(groups: Sequence[tuple[str, Sequence["Change"]]], columns: tuple[str, ...], width: int) -> list[Line]:
    """The same on a page that is too narrow for columns."""
    lines: list[Line] = []
    for heading, group in groups:
        lines += [[_styled(text, "bold")] for text in _folded(heading, width) if text]
        for c in group:
            label, *row = cells.change_row(c)
            parts = [f"{name} {text}" for name, text in zip(columns, row, strict=False)]
            lines += _hanging([_styled("  ")], _folded(label, width - 2))
            lines += _hanging([_styled("    ")], _flowed(parts, width - 4))
        lines.append([])
    return lines


# ---------------------------------------------------------------- words


def _claims(c: Comparison, width: int) -> list[Line]:
    rows = [
        (_styled(f"  {claim.verdict}", _VERDICT_STYLES[claim.verdict]), f"{claim.text}: {claim.because}")
        for claim in c.claims
    ]
    return _headed(rows, width)


def _receipt(c: Comparison, width: int, now: float) -> list[Line]:
    rows = [
        (_styled(f"  {name}", "yellow" if name == "note" else "dim"), text) for name, text in cells.receipt_rows(c, now)
    ]
    return _headed(rows, width)


def _headed(rows: list[tuple[Segment, str]], width: int) -> list[Line]:
    """Each text beside its head; what is folded stays under its own text."""
    edge = 2 + max((head.cell_length for head, _ in rows), default=0)
    return [
        line
        for head, text in rows
        for line in _hanging([head, _styled(" " * (edge - head.cell_length))], _folded(text, width - edge))
    ]
