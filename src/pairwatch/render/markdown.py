"""Markdown that pastes into an issue or a note; text from outside cannot become markup in it."""

import re

from pairwatch.model import Comparison
from pairwatch.render import Page, cells

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~&$:@])")


def comparison(c: Comparison, page: Page) -> str:
    """Headings, tables and lists, ending in a line feed."""
    a, b = escaped(str(c.a)), escaped(str(c.b))
    lines = [
        f"## {escaped(cells.header(c))}",
        "",
        f"- **A** {a}: {escaped(cells.who(c.receipt.a))}",
        f"- **B** {b}: {escaped(cells.who(c.receipt.b))}",
        "",
        f"**Who leads:** {escaped(c.leadership.verdict)}",
        "",
        *_table(("each leg", str(c.a), str(c.b), "A - B"), [[label, *row] for label, row in cells.leg_rows(c)]),
        "",
        *_table(("pair", ""), [list(row) for row in cells.pair_rows(c)]),
        "",
        *_table(("leadership", ""), [list(row) for row in cells.pair_rows(c, "leadership")]),
        "",
        *(f"- **{claim.verdict}** {escaped(claim.text)}: {escaped(claim.because)}" for claim in c.claims),
        "",
        *(f"- {escaped(line)}" for line in (*cells.receipt_lines(c, page.now), *c.warnings)),
    ]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """The text with every character that Markdown or HTML could act on behind a backslash."""
    return _SPECIAL.sub(r"\\\1", text)


def _table(header: tuple[str, ...], rows: list[list[str]]) -> list[str]:
    rule = "|" + "|".join(["---"] + ["---:"] * (len(header) - 1)) + "|"
    return [_row(header), rule, *(_row(row) for row in rows)]


def _row(items: tuple[str, ...] | list[str]) -> str:
    return "| " + " | ".join(escaped(item) for item in items) + " |"
