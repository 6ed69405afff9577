"""A page for a person in a terminal."""

import io
from itertools import zip_longest

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from pairwatch.model import Comparison, Leadership
from pairwatch.render import Page, cells

# The width of a page that nothing bounds: no line is ever as long.
UNBOUNDED = 100_000
# What the labels and the third column need beside the legs' own columns.
BESIDE_LEGS = 30
# From so many lags on, the bars of r(k) stand without a gap.
SPACED_BARS = 31
GAP = 4

_BLOCKS = " ▁▂▃▄▅▆▇█"
_ASCII_BLOCKS = " 12345678"
_VERDICT_STYLES = {"TRUE": "green", "FALSE": "red", "INCONCLUSIVE": "yellow"}


def comparison(c: Comparison, page: Page) -> str:
    """The whole page, ending in a line feed; no colour codes unless the page has colour."""
    width = page.width or UNBOUNDED
    console = _console(width, page)
    blocks = [
        _title(c, width),
        Text(""),
        *_numbers(c, width),
        Text(""),
        *_verdict(c, width, unicode=page.unicode),
        Text(""),
        _section("reading"),
        _claims(c),
        Text(""),
        _section("receipt"),
        _receipt(c, page.now),
    ]
    console.print(Group(*blocks))
    lines = console.file.getvalue().split("\n")  # type: ignore[attr-defined]
    text = "\n".join(line.rstrip() for line in lines).rstrip("\n") + "\n"
    return text if page.unicode else cells.in_ascii(text)


def _console(width: int, page: Page) -> Console:
    """One that writes into memory and asks the environment nothing."""
    return Console(
        file=io.StringIO(),
        width=width,
        force_terminal=page.color,
        color_system="standard" if page.color else None,
        no_color=not page.color,
        markup=False,
        emoji=False,
        highlight=False,
        legacy_windows=False,
        safe_box=not page.unicode,
        _environ={},
    )


def _section(name: str) -> Text:
    return Text(name, style="bold")


def _indented(head: int | None = None) -> Table:
    """Two columns, the first of `head` columns: what is folded in the second stays under its own text."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(width=head, no_wrap=True)
    grid.add_column(overflow="fold")
    return grid


def _flowed(parts: list[str], room: int) -> str:
    """The parts with dots between them, broken between two parts rather than inside one."""
    lines = [parts[0]]
    for part in parts[1:]:
        longer = f"{lines[-1]} · {part}"
        if cell_len(longer) <= room:
            lines[-1] = longer
        else:
            lines.append(part)
    return "\n".join(lines)


# ---------------------------------------------------------------- the legs and the pair


def _title(c: Comparison, width: int) -> RenderableType:
    """Who A and B are: beside their names, or below where the names are long."""
    longest = max(cell_len(str(leg)) for leg in (c.a, c.b))
    beside = longest <= width // 3
    room = width - len("  A  ") - (longest + 2 if beside else 0)
    grid = _indented()
    for name, side in (("A", c.receipt.a), ("B", c.receipt.b)):
        leg, facts = Text(str(side.leg), style="bold"), Text(_flowed(cells.who(side), room))
        about: RenderableType = Group(leg, facts)
        if beside:
            about = _indented(longest)
            about.add_row(leg, facts)
        grid.add_row(Text(f"  {name}", style="dim"), about)
    return Group(Text(cells.header(c), style="bold", overflow="fold"), grid)


def _numbers(c: Comparison, width: int) -> list[Text]:
    """The legs and the pair: beside each other where the page is wide enough, else below each other."""
    legs, pair = _legs(c, width), _pair(c)
    edge = max(line.cell_len for line in legs) + GAP
    if edge + max(line.cell_len for line in pair) > width:
        return [*legs, Text(""), *pair]
    for line in legs:
        line.pad_right(edge - line.cell_len)
    both = zip_longest(legs, pair, fillvalue=Text(""))
    return [left + right if left else Text(" " * edge) + right for left, right in both]


def _legs(c: Comparison, width: int) -> list[Text]:
    names = [str(c.a), str(c.b)]
    if max(map(cell_len, names)) > (width - BESIDE_LEGS) // 2:
        names = ["A", "B"]
    rows = [[_section(name) for name in ("each leg", *names, "A - B")]]
    rows += [[Text(f"  {label}"), *map(_signed, row)] for label, row in cells.leg_rows(c)]
    return _lined_up(rows, "lrrr")


def _pair(c: Comparison) -> list[Text]:
    rows = [[_section("pair"), Text(""), Text("")]]
    rows += [
        [Text(f"  {label}"), _signed(cell), Text(between, style="dim")] for label, cell, between in cells.pair_rows(c)
    ]
    return _lined_up(rows, "lrl")


def _lined_up(rows: list[list[Text]], sides: str) -> list[Text]:
    """The rows as lines, two blanks between columns; for each column `l` or `r` says at which side its texts stand.

    By hand, for rich's own table measures and folds each of some two hundred cells: tens of milliseconds.
    """
    widths = [max(text.cell_len for text in column) for column in zip(*rows, strict=True)]
    for row in rows:
        for text, width, side in zip(row, widths, sides, strict=True):
            pad = text.pad_left if side == "r" else text.pad_right
            pad(width - text.cell_len)
    return [Text("  ").join(row) for row in rows]


def _signed(cell: str) -> Text:
    return Text(cell, style=_sign_style(cell))


def _sign_style(cell: str) -> str:
    """Losses stand out, and nothing else does: a negative skew is no loss."""
    if cell == cells.NOTHING:
        return "dim"
    return "red" if cell.startswith("-") and cell.endswith("%") else ""


# ---------------------------------------------------------------- who leads


def _verdict(c: Comparison, width: int, *, unicode: bool) -> list[RenderableType]:
    """Who leads, a picture of r(k), and the numbers behind the verdict."""
    lead = c.leadership
    told = _indented()
    told.add_row(_section("who leads"), Text(lead.verdict, style="bold green" if lead.decided else "bold"))
    details = _indented(0)
    details.add_row("", Text("\n".join(lag_picture(lead, (str(c.a), str(c.b)), width - 2, unicode=unicode))))
    details.add_row("", Text(_flowed(cells.lead_parts(c), width - 2), style="dim"))
    return [told, details]


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


# ---------------------------------------------------------------- words


def _claims(c: Comparison) -> Table:
    grid = _indented()
    for claim in c.claims:
        verdict = Text(f"  {claim.verdict}", style=_VERDICT_STYLES[claim.verdict])
        grid.add_row(verdict, Text(f"{claim.text}: {claim.because}"))
    return grid


def _receipt(c: Comparison, now: float) -> Table:
    grid = _indented()
    for name, text in cells.receipt_rows(c, now):
        grid.add_row(Text(f"  {name}", style="yellow" if name == "note" else "dim"), Text(text))
    return grid
