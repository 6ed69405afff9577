"""A page for a person in a terminal."""

import io

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from pairwatch.model import Comparison, Leadership
from pairwatch.render import Page, cells

# From this width on the pair stands beside the legs instead of below them.
SIDE_BY_SIDE = 112
# The width of a page that nothing bounds.
UNBOUNDED = 120

_BLOCKS = " ▁▂▃▄▅▆▇█"
_ASCII_BLOCKS = " 12345678"
_TO_ASCII = str.maketrans(
    {"–": "-", "·": "|", "…": "~", "─": "-", "━": "-", "◂": "<", "▸": ">", "→": ">", "\ufffd": "?"}
)
_VERDICT_STYLES = {"TRUE": "green", "FALSE": "red", "INCONCLUSIVE": "yellow"}


def comparison(c: Comparison, page: Page) -> str:
    """The whole page, ending in a line feed; no colour codes unless the page has colour."""
    width = page.width or UNBOUNDED
    blocks = [
        _title(c),
        Text(""),
        *_numbers(c, width),
        Text(""),
        *_verdict(c, unicode=page.unicode),
        Text(""),
        _section("reading"),
        *(_claim(claim.verdict, claim.text, claim.because) for claim in c.claims),
        Text(""),
        _section("receipt"),
        *(Text(f"  {line}", style="dim") for line in cells.receipt_lines(c, page.now)),
        *(Text.assemble(("  note  ", "yellow"), line) for line in c.warnings),
    ]
    return printed(Group(*blocks), width, page)


def printed(content: RenderableType, width: int, page: Page) -> str:
    """What rich makes of `content`, without trailing blanks, in ASCII where the page asks for it."""
    console = Console(
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
    console.print(content)
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    text = "\n".join(line.rstrip() for line in lines) + "\n"
    return text if page.unicode else text.translate(_TO_ASCII).encode("ascii", "replace").decode()


def _section(name: str) -> Text:
    return Text(name, style="bold")


def _title(c: Comparison) -> RenderableType:
    """Who A and B are."""
    grid = Table.grid(padding=(0, 2))
    for name, side in (("A", c.receipt.a), ("B", c.receipt.b)):
        grid.add_row(Text(f"  {name}", style="dim"), Text(str(side.leg), style="bold"), Text(cells.who(side)))
    return Group(Text(cells.header(c), style="bold"), grid)


def _numbers(c: Comparison, width: int) -> list[RenderableType]:
    """The legs and the pair: beside each other on a wide page, below each other on a narrow one."""
    if width >= SIDE_BY_SIDE:
        grid = Table.grid(padding=(0, 4))
        grid.add_row(_legs(c), _pair(list(cells.pair_rows(c))))
        return [grid]
    rows = list(cells.pair_rows(c))
    half = (len(rows) + 1) // 2
    grid = Table.grid(padding=(0, 2), expand=False)
    grid.add_row(_pair(rows[:half], header=False), _pair(rows[half:], header=False))
    return [_legs(c), Text(""), _section("pair"), grid]


def _legs(c: Comparison) -> Table:
    table = Table(box=None, padding=(0, 1), pad_edge=False, header_style="bold")
    table.add_column(Text("each leg"), overflow="fold")
    for name in (str(c.a), str(c.b), "A - B"):
        table.add_column(Text(name), justify="right", overflow="fold")
    for label, row in cells.leg_rows(c):
        table.add_row(Text(f"  {label}"), *(Text(cell, style=_sign_style(cell)) for cell in row))
    return table


def _pair(rows: list[tuple[str, str]], *, header: bool = True) -> Table:
    table = Table(box=None, padding=(0, 1), pad_edge=False, header_style="bold", show_header=header)
    table.add_column(Text("pair"), overflow="fold")
    table.add_column(Text(""), overflow="fold")
    for label, cell in rows:
        table.add_row(Text(f"  {label}"), Text(cell, style=_sign_style(cell)))
    return table


def _sign_style(cell: str) -> str:
    """Losses stand out, and nothing else does."""
    if cell == cells.NOTHING:
        return "dim"
    return "red" if cell.startswith("-") else ""


def _claim(verdict: str, text: str, because: str) -> Table:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=14)
    grid.add_column(overflow="fold")
    grid.add_row(Text(f"  {verdict}", style=_VERDICT_STYLES[verdict]), Text(f"{text}: {because}"))
    return grid


def _verdict(c: Comparison, *, unicode: bool) -> list[RenderableType]:
    """Who leads, a picture of r(k), and the numbers behind the verdict."""
    lead = c.leadership
    numbers = " · ".join(f"{label} {cell}" for label, cell in cells.pair_rows(c, "leadership"))
    style = "bold green" if lead.decided else "bold"
    return [
        Text.assemble(("who leads  ", "bold"), (lead.verdict, style)),
        *(Text(f"  {line}") for line in lag_picture(lead, str(c.a), str(c.b), unicode=unicode)),
        Text(f"  {numbers}", style="dim"),
    ]


def lag_picture(lead: Leadership, a: str, b: str, *, unicode: bool = True) -> list[str]:
    """r(k) as a row of bars, a row of signs below it, and an axis: B leads to the left, A to the right."""
    blocks = _BLOCKS if unicode else _ASCII_BLOCKS
    values = lead.correlations
    pad = " " if len(values) <= 31 else ""
    heights = [round(abs(r) * (len(blocks) - 1)) if r == r else 0 for r in values.tolist()]  # noqa: PLR0124 - NaN
    bars = pad.join(blocks[max(1, h)] for h in heights)
    signs = pad.join("-" if r < 0 else " " for r in values.tolist())
    left, right = f"{b} leads ◂", f"▸ {a} leads"
    centre = len(bars) // 2
    axis = f"{-lead.max_lag}".ljust(centre) + "0" + f"+{lead.max_lag}".rjust(len(bars) - centre - 1)
    margin = " " * (len(left) + 1)
    return [
        f"{left} {bars} {right}",
        f"{margin}{signs} ({'the sign of' if '-' in signs else 'all'} r(k){'' if '-' in signs else ' positive'})".rstrip(),
        f"{margin}{axis} bars",
    ]
