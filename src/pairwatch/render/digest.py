"""A digest for a terminal, for a note, and for an inbox: the same words and numbers in each."""

import math
import re
from collections.abc import Callable, Sequence
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len, chop_cells

from pairwatch import stats
from pairwatch.digest import NEWS, STANDING, TROUBLE, UNUSUAL, Digest, Kind, Move, Remark
from pairwatch.model import Leg, Reading
from pairwatch.render import Page, cells
from pairwatch.render.markdown import escaped
from pairwatch.text import listing, plural

if TYPE_CHECKING:
    from datetime import date

# The lines of a page of text, where no terminal says otherwise.
HEIGHT = 24
# Rows and remarks in markdown and HTML, which may be longer than a screen.
MOST = 40
HEADER = ("pair", "A", "B", "A - B", "sigma", "correlation", "sigma", "ratio z")
LEGEND = (
    "A, B and A - B: changes since then. sigma: how unusual the gap A - B, and the change of the correlation, are "
    "beside what the pair did before. ratio z: where ln A - ln B stands in its window, in deviations from its mean."
)
GAP = 2
# Beside the name of a pair whose move is not since the day of the heading.
MARK = "*"
MOST_ORIGINS = 2
# What a pair's name has at least in a narrow terminal.
NARROWEST_NAME = 11
LONGEST_NAME = 60

_SECTIONS: tuple[tuple[str, tuple[Kind, ...]], ...] = (
    ("what changed", NEWS),
    ("in force", STANDING),
    ("trouble", TROUBLE),
)
_COUNTED: tuple[tuple[Kind, str], ...] = (
    ("began", "condition{s} began"),
    ("breakdown", "breakdown{s}"),
    ("failed", "pair{s} failed"),
    ("stale", "pair{s} stale"),
    ("behind", "pair{s} behind"),
)
_CHANGE = next(entry for entry in stats.entries() if entry.key == "change_1d")


# ---------------------------------------------------------------- words and cells


def subject(d: Digest) -> str:
    """A mail's subject: the most unusual pair, and how much of what else is news."""
    found = []
    if d.unusual:
        top, others = d.unusual[0], len(d.unusual) - 1
        found.append(f"{_name(top.a, top.b)} {top.score:.1f} sigma{f' and {others} more' if others else ''}")
    for kind, words in _COUNTED:
        if count := sum(len(remark.pairs) for remark in d.of((kind,))):
            found.append(f"{count} {words.format(s='' if count == 1 else 's')}")
    if any(not remark.pairs for remark in d.remarks):
        found.append("no newer session")
    found = found or ["nothing unusual", plural(d.pairs, "pair")]
    return f"pairwatch: {', '.join(found)}"


def _title(d: Digest) -> str:
    return f"digest · {d.newest} · {plural(d.pairs, 'pair')} · {d.window} · since {d.since}"


def summary(d: Digest) -> str:
    """Whether anything is unusual, in a line."""
    ranked = [move for move in d.moves if not math.isnan(move.score)]
    if d.unusual:
        said = f"{len(d.unusual)} of {plural(d.pairs, 'pair')} moved by {UNUSUAL:g} sigma or more"
    elif ranked:
        top = ranked[0]
        said = f"nothing unusual: the largest move is {top.score:.1f} sigma, {_name(top.a, top.b)}"
    else:
        said = (
            "nothing unusual: no pair moved" if not d.moves else "nothing is known to be unusual: the pairs are too new"
        )
    return said


def _still(d: Digest, most: int) -> list[str]:
    """The pairs without a session since, in a line, if there are any."""
    return [f"without a session since: {listing([_name(*pair) for pair in d.still], most)}"] if d.still else []


def _windows(d: Digest, most: int) -> list[str]:
    """The pairs whose window is not that of the heading: a line for each other window."""
    return [f"window {window}: {listing([_name(*pair) for pair in pairs], most)}" for window, pairs in d.windows]


def _origins(d: Digest, most: int) -> list[str]:
    """Since when the marked moves are, which are not since the day of the heading: a line for each such day."""
    found: dict[tuple[date, int], list[str]] = {}
    for move in d.moves:
        if move.start != d.since:
            found.setdefault((move.start, move.sessions), []).append(_name(move.a, move.b))
    lines = [
        f"{MARK} {listing(names, most)} since {start} ({plural(count, 'session')})"
        for (start, count), names in sorted(found.items(), key=lambda item: -len(item[1]))
    ]
    hidden = len(lines) - MOST_ORIGINS
    return lines if hidden <= 0 else [*lines[:MOST_ORIGINS], f"{MARK} and others since {plural(hidden, 'other day')}"]


def _marked(d: Digest, move: Move, room: int = LONGEST_NAME) -> str:
    """A row's name, with a mark if the move is not since the day of the heading."""
    if move.start == d.since:
        return _name(move.a, move.b, room)
    return _name(move.a, move.b, room - len(MARK)) + MARK


def _name(a: Leg, b: Leg, room: int = LONGEST_NAME) -> str:
    """`QQQ/IWM`; in less room without sources and folders, and then the beginnings of both."""
    whole, bare = f"{a}/{b}", [re.split("[#/]", leg.symbol.rstrip("#/"))[-1] or "…" for leg in (a, b)]
    if cell_len(whole) <= room:
        return whole
    half = (room - 1) // 2
    longest = max(half, room - 1 - min(map(cell_len, bare)))
    return "/".join(_cut(name, longest if cell_len(name) > half else None) for name in bare)


def _cut(text: str, room: int | None) -> str:
    """The text in at most so many columns."""
    if room is None or cell_len(text) <= room:
        return text
    return f"{chop_cells(text, max(1, room - 1))[0]}…"


def _row(move: Move, name: str) -> list[str]:
    start, end = (f"{r:z.2f}" if math.isfinite(r) else cells.NOTHING for r in move.correlations)
    return [
        name,
        *(cells.cell(Reading(_CHANGE, "a", v, u)) for v, u in zip(move.changes, move.units, strict=True)),
        cells.cell(Reading(_CHANGE, "difference", move.gap, move.units[0])),
        _number(move.gap_sigmas, ".1f"),
        f"{start} → {end}",
        _number(move.correlation_sigmas, ".1f"),
        _number(move.ratio_zscore, "+z.2f"),
    ]


def _number(value: float, form: str) -> str:
    return format(value, form) if math.isfinite(value) else cells.NOTHING


def _quieter(hidden: Sequence[Move]) -> str:
    """What is said of the pairs that have no row; none of them has a larger score than those above."""
    top = hidden[0].score if hidden else math.nan
    return f"and {plural(len(hidden), 'quieter pair')}" + (f", {top:.1f} sigma at most" if math.isfinite(top) else "")


def _said(remark: Remark, most: int) -> str:
    """Whom a remark is about, and what it says."""
    text = f"stale: {remark.text}" if remark.kind == "stale" else remark.text
    names = [_name(*pair) for pair in remark.pairs]
    return f"{listing(names, most)}: {text}" if names else text


def _more(hidden: int) -> str:
    return f"and {hidden:,} more"


# ---------------------------------------------------------------- text


class _Part(NamedTuple):
    """Lines below a heading, of which some may be left out; `more` says so. Those `below` always stand."""

    heading: str
    lines: list[str]
    more: Callable[[int], str]
    below: Sequence[str] = ()

    def shown(self, count: int) -> list[str]:
        """The heading, so many lines, and a word on the others."""
        hidden = len(self.lines) - count
        return [self.heading, *self.lines[:count], *([f"  {self.more(hidden)}"] if hidden else []), *self.below]


def as_text(d: Digest, page: Page, height: int = HEIGHT) -> str:
    """At most `height` lines, as far as that can be: what is longest is cut first."""
    parts = [_table(d, page.width)] if d.moves else []
    for heading, kinds in _SECTIONS:
        if remarks := d.of(kinds):
            parts.append(_Part(heading, [f"  {_said(remark, 2)}" for remark in remarks], _more))
    lines = [_title(d), summary(d), *_still(d, 2), *_windows(d, 2)]
    for part, count in zip(parts, _counts(parts, height - len(lines)), strict=True):
        lines += ["", *part.shown(count)]
    text = "".join(f"{_cut(line, page.width).rstrip()}\n" for line in lines)
    return text if page.unicode else cells.in_ascii(text)


def _table(d: Digest, width: int | None) -> _Part:
    """The moves, without A's and B's own where the page is too narrow for all."""
    rows = [HEADER[1:], *(_row(move, "")[1:] for move in d.moves)]
    rooms = [max(map(cell_len, column)) + GAP for column in zip(*rows, strict=True)]
    if width is not None and width - sum(rooms) < NARROWEST_NAME:
        rows, rooms = [row[2:] for row in rows], rooms[2:]
    room = LONGEST_NAME if width is None else max(NARROWEST_NAME, width - sum(rooms))
    names = [HEADER[0], *(_marked(d, move, room) for move in d.moves)]
    head = max(map(cell_len, names))
    lines = [
        name + " " * (head - cell_len(name)) + "".join(map(_right, row, rooms))
        for name, row in zip(names, rows, strict=True)
    ]
    return _Part(lines[0], lines[1:], lambda hidden: _quieter(d.moves[-hidden:]), _origins(d, 2))


def _right(cell: str, room: int) -> str:
    return " " * (room - cell_len(cell)) + cell


def _counts(parts: Sequence[_Part], room: int) -> list[int]:
    """How many lines of each part are shown, at least one."""
    counts = [len(part.lines) for part in parts]
    while max(counts, default=1) > 1:
        if sum(1 + len(part.shown(count)) for part, count in zip(parts, counts, strict=True)) <= room:
            break
        counts[counts.index(max(counts))] -= 1
    return counts


# ---------------------------------------------------------------- markdown


def as_markdown(d: Digest, page: Page) -> str:
    """A heading, a table and lists, ending in a line feed."""
    lines = [f"## {escaped(_title(d))}", "", escaped(summary(d))]
    lines += [line for text in (*_still(d, 10), *_windows(d, 10)) for line in ("", escaped(text))]
    if d.moves:
        rule = "|" + "|".join(["---"] + ["---:"] * (len(HEADER) - 1)) + "|"
        rows = [_row(move, _marked(d, move)) for move in d.moves[:MOST]]
        lines += ["", _line(HEADER), rule, *map(_line, rows)]
        lines += ["", escaped(_quieter(d.moves[MOST:]))] if len(d.moves) > MOST else []
        lines += [line for origin in _origins(d, 10) for line in ("", escaped(origin))]
        lines += ["", escaped(LEGEND)]
    for heading, kinds in _SECTIONS:
        remarks = d.of(kinds)
        said = [_said(remark, 10) for remark in remarks[:MOST]]
        said += [_more(len(remarks) - MOST)] if len(remarks) > MOST else []
        lines += ["", f"**{heading}**", "", *(f"- {escaped(text)}" for text in said)] if said else []
    text = "\n".join(lines) + "\n"
    return text if page.unicode else cells.in_ascii(text)


def _line(row: Sequence[str]) -> str:
    return f"| {' | '.join(map(escaped, row))} |"


# ---------------------------------------------------------------- html

# Colours that can be read on white and on black; the rest is left to whoever shows the mail.
_RULE = "#8a8a8a"
_FONT = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;font-size:14px;line-height:1.45"
_CELL = f"padding:3px 8px;border-bottom:1px solid {_RULE};white-space:nowrap"
_HEAD = """<!DOCTYPE html>
<html lang="en" style="color-scheme:light dark">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
"""


def as_html(d: Digest, _page: Page) -> str:
    """A small document: inline styles, nothing from elsewhere, no script."""
    lines = [
        f"<title>{escape(subject(d))}</title>",
        "</head>",
        f'<body style="margin:0;padding:12px;{_FONT}">',
        f'<h1 style="margin:0 0 8px;font-size:17px">{escape(_title(d))}</h1>',
        f'<p style="margin:0 0 12px">{escape(summary(d))}</p>',
        *(f'<p style="margin:0 0 12px">{escape(text)}</p>' for text in (*_still(d, 10), *_windows(d, 10))),
        *(_html_table(d) if d.moves else []),
    ]
    for heading, kinds in _SECTIONS:
        remarks = d.of(kinds)
        said = [_said(remark, 10) for remark in remarks[:MOST]]
        said += [_more(len(remarks) - MOST)] if len(remarks) > MOST else []
        lines += _html_list(heading, said) if said else []
    lines += ["</body>", "</html>"]
    return _HEAD + "\n".join(lines) + "\n"


def _html_table(d: Digest) -> list[str]:
    rows = [_html_row("th", HEADER, bold=True)]
    rows += [_html_row("td", _row(m, _marked(d, m)), bold=m.score >= UNUSUAL) for m in d.moves[:MOST]]
    small = '<p style="margin:6px 0 12px;font-size:12px">'
    hidden = [f"{small}{escape(_quieter(d.moves[MOST:]))}</p>"] if len(d.moves) > MOST else []
    table = f'<table cellpadding="0" cellspacing="0" style="border-collapse:collapse;{_FONT}">'
    origins = [f"{small}{escape(origin)}</p>" for origin in _origins(d, 10)]
    return [table, *rows, "</table>", *hidden, *origins, f"{small}{escape(LEGEND)}</p>"]


def _html_row(tag: str, row: Sequence[str], *, bold: bool) -> str:
    weight = f"font-weight:{'bold' if bold else 'normal'}"
    found = [
        f'<{tag} style="{_CELL};{weight};text-align:{"right" if at else "left"}">{escape(text)}</{tag}>'
        for at, text in enumerate(row)
    ]
    return f"<tr>{''.join(found)}</tr>"


def _html_list(heading: str, items: Sequence[str]) -> list[str]:
    found = [f'<li style="margin:2px 0">{escape(item)}</li>' for item in items]
    start = f'<h2 style="margin:12px 0 4px;font-size:14px">{heading}</h2>'
    return [start, '<ul style="margin:0;padding-left:20px">', *found, "</ul>"]
