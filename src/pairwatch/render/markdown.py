"""Markdown that pastes into an issue or a note; text from outside cannot become markup in it."""

import re

from pairwatch.model import Comparison
from pairwatch.render import Page, cells

# What Markdown, HTML or GitHub acts on inside a line: a colon and a dot only where they would make a link or an emoji.
_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~&$@]|:(?=//|[\w+-]+:)|(?<=www)\.)", re.IGNORECASE)


def comparison(c: Comparison, page: Page) -> str:
    """Headings, tables and lists, ending in a line feed."""
    lines = [
        f"## {escaped(cells.header(c))}",
        "",
        *(
            f"- **{name}** {escaped(str(side.leg))}: {escaped(' · '.join(cells.who(side)))}"
            for name, side in (("A", c.receipt.a), ("B", c.receipt.b))
        ),
        "",
        f"**Who leads:** {escaped(c.leadership.verdict)}",
        "",
        *_table(("each leg", str(c.a), str(c.b), "A - B"), [[label, *row] for label, row in cells.leg_rows(c)]),
        "",
        *_table(("pair", "", "between"), [list(row) for row in cells.pair_rows(c)]),
        "",
        *_table(("leadership", ""), [list(row[:2]) for row in cells.pair_rows(c, "leadership")]),
        "",
        _correlations(c),
        "",
        *(f"- **{claim.verdict}** {escaped(claim.text)}: {escaped(claim.because)}" for claim in c.claims),
        "",
        *(f"- **{name}** {escaped(text)}" for name, text in cells.receipt_rows(c, page.now)),
    ]
    text = "\n".join(lines) + "\n"
    return text if page.unicode else cells.in_ascii(text)


def escaped(text: str) -> str:
    """The text with every character that Markdown or HTML could act on behind a backslash."""
    return _SPECIAL.sub(r"\\\1", text)


def _correlations(c: Comparison) -> str:
    """r(k) for every lag, in one line."""
    lead = c.leadership
    found = (lead.at(lag) for lag in range(-lead.max_lag, lead.max_lag + 1))
    values = ", ".join(f"{r:z.3f}" if r == r else cells.NOTHING for r in found)  # noqa: PLR0124 - NaN
    return f"**r(k)** for k = -{lead.max_lag} to {lead.max_lag} bars: {values}"


def _table(header: tuple[str, ...], rows: list[list[str]]) -> list[str]:
    rule = "|" + "|".join(["---"] + ["---:"] * (len(header) - 1)) + "|"
    return [_row(header), rule, *(_row(row) for row in rows)]


def _row(items: tuple[str, ...] | list[str]) -> str:
    return "| " + " | ".join(escaped(item) for item in items) + " |"
