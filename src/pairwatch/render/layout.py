"""Lines of a page for a person, laid out by hand from rich's segments, styles and cell widths.

Its console and its tables measure and fold each of some two hundred cells several times, which would be a fifth of a
whole run.
"""

from typing import TypeAlias

from rich.cells import cell_len, chop_cells
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style

from pairwatch.render import Page, cells

Line: TypeAlias = list[Segment]

# The width of a page that nothing bounds: no line is ever as long.
UNBOUNDED = 100_000


def styled(text: str, style: str = "") -> Segment:
    """A piece of a line, in one of rich's styles."""
    return Segment(text, Style.parse(style) if style else None)


def signed(cell: str) -> Segment:
    """A number's cell: a loss in red, "cannot say" dim."""
    return styled(cell, _sign_style(cell))


def _sign_style(cell: str) -> str:
    """Losses stand out, and nothing else does: a negative skew is no loss."""
    if cell == cells.NOTHING:
        return "dim"
    return "red" if cell.startswith("-") and cell.endswith("%") else ""


def text_of(lines: list[Line], page: Page) -> str:
    """The lines as text; in ASCII alone where the page is."""
    text = "".join(f"{_printed(line, color=page.color)}\n" for line in lines)
    return text if page.unicode else cells.in_ascii(text)


def _printed(line: Line, *, color: bool) -> str:
    """The line without trailing blanks."""
    if not color:
        return "".join(part.text for part in line).rstrip()
    shown = (
        part.style.render(part.text, color_system=ColorSystem.STANDARD) if part.style else part.text for part in line
    )
    return "".join(shown).rstrip()


def width_of(line: Line) -> int:
    """How many columns of a terminal the line takes."""
    return sum(part.cell_length for part in line)


def folded(text: str, room: int) -> list[str]:
    """The text in lines of at most `room` columns, broken at blanks; a word that is longer is cut."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if cell_len(longer) <= room:
            lines[-1] = longer
        else:
            lines += chop_cells(word, max(2, room))
    return lines if lines[0] else lines[1:]


def hanging(head: Line, texts: list[str], style: str = "") -> list[Line]:
    """The texts below each other beside a head, which stands on the first line alone."""
    margin = styled(" " * width_of(head))
    return [[*(head if i == 0 else [margin]), styled(text, style)] for i, text in enumerate(texts)]


def flowed(parts: list[str], room: int) -> list[str]:
    """The parts with dots between them, broken between two parts rather than inside one."""
    lines = [parts[0]]
    for part in parts[1:]:
        longer = f"{lines[-1]} · {part}"
        if cell_len(longer) <= room:
            lines[-1] = longer
        else:
            lines.append(part)
    return [piece for line in lines for piece in folded(line, room)]


def lined_up(rows: list[Line], sides: str) -> list[Line]:
    """The rows as lines, two blanks between columns; for each column `l` or `r` says at which side its texts stand."""
    widths = [max(part.cell_length for part in column) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        line: Line = []
        for part, width, side in zip(row, widths, sides, strict=True):
            blank = styled(" " * (width - part.cell_length))
            line += [blank, part, styled("  ")] if side == "r" else [part, blank, styled("  ")]
        lines.append(line[:-1])
    return lines


def headed(rows: list[tuple[Segment, str]], width: int) -> list[Line]:
    """Each text beside its head; what is folded stays under its own text."""
    edge = 2 + max((head.cell_length for head, _ in rows), default=0)
    return [
        line
        for head, text in rows
        for line in hanging([head, styled(" " * (edge - head.cell_length))], folded(text, width - edge))
    ]
