"""Markdown that pastes into an issue or a note; text from outside cannot become markup in it."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pairwatch.model import Comparison
from pairwatch.render import Page, cells, changes

if TYPE_CHECKING:
    from pairwatch.differences import Change, Difference

# What Markdown, HTML or GitHub acts on inside a line: a colon and a dot only where they would make a link or an emoji.
_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~&$@]|:(?=//|[\w+-]+:)|(?<=www)\.)", re.IGNORECASE)


def comparison(c: Comparison, page: Page, since: "Difference | None" = None) -> str:
    """Headings, tables and lists, ending in a line feed."""
    lines = [
        f"## {escaped(cells.header(c, page.said))}",
        "",
        *(
            f"- **{name}** {escaped(str(side.leg))}: {escaped(' · '.join(cells.who(side)))}"
            for name, side in (("A", c.receipt.a), ("B", c.receipt.b))
        ),
        "",
        f"**Who leads:** {escaped(c.leadership.verdict)}",
        "",
        *_table(("each leg", str(c.a), str(c.b), "A - B"), _legs(c)),
        "",
        *_pair(c),
        "",
        *_table(("leadership", ""), [list(row[:2]) for row in cells.pair_rows(c, "leadership")]),
        "",
        _correlations(c),
        "",
        *(_since(since) if since else []),
        *(f"- **{claim.verdict}** {escaped(claim.text)}: {escaped(claim.because)}" for claim in c.claims),
        "",
        *(f"- **{name}** {escaped(text)}" for name, text in cells.receipt_rows(c, page.now)),
    ]
    return _text(lines, page)


def _legs(c: Comparison) -> list[list[str]]:
    """A row a statistic, with the marks of unusual numbers."""
    marked = zip(cells.leg_rows(c), cells.leg_marks(c), strict=True)
    return [
        [label, *(f"{x} {mark}".rstrip() for x, mark in zip(row, marks, strict=True))] for (label, row), marks in marked
    ]


def _pair(c: Comparison) -> list[str]:
    """The pair's numbers, with their percentiles where there are any."""
    rows = [list(row) for row in cells.pair_rows(c)]
    if not c.percentiles:
        return _table(("pair", "", "between"), rows)
    shares = cells.pair_percentiles(c)
    return _table(
        ("pair", "", "between", "%ile"), [[*row, share] for row, (share, _) in zip(rows, shares, strict=True)]
    )


def difference(d: "Difference", page: Page) -> str:
    """A heading, a table for each leg, the pair and the leadership, and what moved them."""
    lines = [f"## {escaped(changes.difference_title(d))}", ""]
    groups = changes.change_groups(d)
    columns = changes.change_columns([c for _, group in groups for c in group])
    for name, group in groups:
        lines += [*_changes(name, columns, group), ""]
    if not groups:
        lines += [changes.UNMOVED, ""]
    return _text([*lines, *(f"- **{name}** {escaped(text)}" for name, text in changes.difference_rows(d))], page)


def _text(lines: list[str], page: Page) -> str:
    text = "\n".join(lines) + "\n"
    return text if page.unicode else cells.in_ascii(text)


def _since(since: "Difference") -> list[str]:
    heading, told = changes.since_title(since)
    moved = changes.since_changes(since)
    return [*_changes(heading, changes.change_columns(moved), moved), "", escaped(told), ""]


def _changes(heading: str, columns: tuple[str, ...], moved: Sequence["Change"]) -> list[str]:
    return _table((heading, *columns), [changes.change_row(c)[: len(columns) + 1] for c in moved])


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
