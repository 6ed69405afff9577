"""A study in every format: one section after the other, or one of them alone."""

import csv
import io
import json
import math
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple

import numpy as np

from pairwatch import __version__
from pairwatch.errors import UsageError
from pairwatch.model import Cell, Column, Section, Study
from pairwatch.render import Page, cells
from pairwatch.render.csv import number
from pairwatch.render.csv import text as guarded
from pairwatch.render.layout import (
    UNBOUNDED,
    Line,
    folded,
    hanging,
    headed,
    lined_up,
    signed,
    styled,
    text_of,
    width_of,
)
from pairwatch.text import clean, listing, plural

SCHEMA = 1
HEADER = ("a", "b", "as_of", "section", "row", "item", "key", "value", "unit")
# The texts of a table's last column are folded to so many columns and no fewer.
NARROWEST_TEXT = 13
# Where the largest number of a column lies between these, all have three decimals.
_ALIKE = (0.01, 10.0)


def written(form: str, study: Study, page: Page, only: str = "") -> str:
    """The text in a format: `csv`, `json` or `table`; of one section alone where it is named.

    A whole study as CSV has a row for each number; one section has its own columns.

    Raises:
        UsageError: no such section, or a format that studies have not.
    """
    chosen = [_native(section) for section in study.sections if only in ("", section.heading.key)]
    if only and not chosen:
        names = [section.heading.key for section in study.sections]
        raise UsageError(
            f"{study.name} has no section {clean(only)!r} for what was asked", f"there are {listing(names, len(names))}"
        )
    check(form)
    if form == "csv":
        return _section_csv(chosen[0]) if only else _csv(study, chosen)
    return _json(study, chosen, page) if form == "json" else _table(study, chosen, page)


def check(form: str) -> None:
    """Raise `UsageError` for a format that studies have not."""
    if form not in ("csv", "json", "table"):
        raise UsageError(f"no study is written as {clean(form)}", "it is --format table, csv or json")


def _native(section: Section) -> Section:
    """The section with Python's own numbers and days, where numpy's are among them."""

    def own(cell: Any) -> Cell:
        return cell.item() if isinstance(cell, np.generic) else cell  # type: ignore[no-any-return]

    return section._replace(rows=tuple(tuple(map(own, row)) for row in section.rows))


# ---------------------------------------------------------------- csv


def _csv(study: Study, chosen: Sequence[Section]) -> str:
    """Every number in a row of its own, under the same columns for every study."""
    head = (guarded(str(study.a)), guarded(str(study.b)), study.as_of.isoformat())
    rows = [
        (*head, section.heading.key, str(at), _plain(row[0]), column.key, _plain(cell), guarded(unit))
        for section in chosen
        for at, row in enumerate(section.rows, 1)
        for column, cell, unit in _numbers(section, row)
    ]
    return _lines([HEADER, *rows])


def _numbers(section: Section, row: Sequence[Cell]) -> Iterator[tuple[Column, Cell, str]]:
    """The cells after the first one, each with its column and its unit."""
    for column, cell, unit in zip(section.heading.columns, row, _units(section, row), strict=True):
        if column is not section.heading.columns[0] and column.key != "unit":
            yield column, cell, unit


def _units(section: Section, row: Sequence[Cell]) -> list[str]:
    """What each cell is counted in; a change is a fraction, and so on: as `compare` has it."""
    columns = section.heading.columns
    own = next((str(cell) for column, cell in zip(columns, row, strict=True) if column.key == "unit"), "")
    return [own if column.unit == "unit" else column.unit for column in columns]


def _section_csv(section: Section) -> str:
    header = tuple(column.key for column in section.heading.columns)
    return _lines([header, *(tuple(_plain(cell) for cell in row) for row in section.rows)])


def _lines(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _plain(cell: Cell) -> str:
    """In full, empty for "cannot say"."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float):
        return number(cell)
    return guarded(cell) if isinstance(cell, str) else str(cell)


# ---------------------------------------------------------------- json


def _json(study: Study, chosen: Sequence[Section], page: Page) -> str:
    r = study.receipt
    document = {
        "schema": SCHEMA,
        "pairwatch": __version__,
        "study": study.name,
        "a": str(study.a),
        "b": str(study.b),
        "since": study.since.isoformat(),
        "as_of": study.as_of.isoformat(),
        "bars": study.bars,
        "stale": bool(study.stale_reasons),
        "simulated": study.simulated,
        "findings": list(study.findings),
        "sections": {s.heading.key: [_object(row) for row in s.records()] for s in chosen},
        "notes": {s.heading.key: list(s.notes) for s in chosen if s.notes},
        "receipt": {
            "closes": r.matched,
            "bars_per_year": r.bars_per_year,
            "adjust": r.adjustment,
            "align": r.align,
            "lined_up": r.lined_up or None,
            "max_lag": r.max_lag,
            "seed": r.seed,
            "beside": [
                {"leg": str(t.leg), "first": t.first.isoformat(), "last": t.last.isoformat(), "changes": t.known}
                for t in study.beside
            ],
        },
        "warnings": list(study.warnings),
    }
    return json.dumps(document, indent=2, allow_nan=False, ensure_ascii=not page.unicode) + "\n"


def _object(record: dict[str, Cell]) -> dict[str, Any]:
    return {key: _value(cell) for key, cell in record.items()}


def _value(cell: Cell) -> Any:
    if isinstance(cell, float):
        return cell if math.isfinite(cell) else None
    return cell.isoformat() if isinstance(cell, date) else cell


# ---------------------------------------------------------------- table


def _table(study: Study, chosen: Sequence[Section], page: Page) -> str:
    width = page.width or UNBOUNDED
    title = f"{study.a} against {study.b} · {study.name} · {study.since} to {study.as_of}"
    lines: list[Line] = [[styled(text, "bold")] for text in folded(_marked(title, study), width)]
    margin = [styled("  ")]
    for finding in study.findings:
        lines += hanging(margin, folded(_safe(finding), width - 2))
    for section in chosen:
        lines += [[], *_section(section, width)]
    lines += [[], [styled("receipt", "bold")]]
    rows = [(styled(f"  {name}", "yellow" if name == "note" else "dim"), text) for name, text in _receipt(study, page)]
    return text_of([*lines, *headed(rows, width)], page)


def _safe(text: str) -> str:
    """The text, however long, without what a terminal would obey."""
    return clean(text, UNBOUNDED)


def _marked(title: str, study: Study) -> str:
    return f"{title} · simulated" if study.simulated else title


class _Shown(NamedTuple):
    """A column as it is shown: its head, its texts, and at which side they stand.

    Attributes:
        key: the column's own.
        bars: whether it counts bars.
    """

    key: str
    label: str
    texts: list[str]
    right: bool
    wide: bool
    bars: bool


def _section(section: Section, width: int) -> list[Line]:
    """The title, the columns that there is something in and room for, and the notes."""
    heading = section.heading
    lines: list[Line] = [[styled(text, "bold")] for text in folded(_safe(heading.title), width)]
    if section.rows:
        first, *rest = _columns(section)
        lines += _fitted([first, *(column for column in rest if _says(column))], width)
    else:
        lines.append([styled("  none", "dim")])
    for text in section.notes:
        lines += hanging([styled("  ")], folded(_safe(text), width - 2), "dim")
    return lines


def _columns(section: Section) -> list[_Shown]:
    units = [_units(section, row) for row in section.rows]
    return [
        _Shown(
            column.key,
            column.label,
            _texts(column, [row[at] for row in section.rows], [unit[at] for unit in units]),
            column.unit != "text",
            column.wide,
            column.unit in ("bars", "lag"),
        )
        for at, column in enumerate(section.heading.columns)
        if column.key != "unit"
    ]


def _texts(column: Column, found: list[Cell], units: list[str]) -> list[str]:
    """The column's cells; of numbers what is little beside the largest has no more decimals than that."""
    numbers = [abs(cell) for cell in found if isinstance(cell, float) and math.isfinite(cell)]
    alike = column.unit == "number" and _ALIKE[0] <= max(numbers, default=0) < _ALIKE[1]
    return [
        f"{cell:z.3f}" if alike and isinstance(cell, float) and math.isfinite(cell) else _cell(cell, unit)
        for cell, unit in zip(found, units, strict=True)
    ]


def _says(column: _Shown) -> bool:
    return any(map(_known, column.texts))


def _fitted(columns: list[_Shown], width: int) -> list[Line]:
    """The columns in their widths; where there is no room, without the wide ones, then with the last one folded.

    The ends of intervals among the wide ones stand in brackets behind their number, if there is room for that.
    """
    needed, bracketed = ([columns[0], *_needed(columns[1:], ends=ends)] for ends in (False, True))
    for shown in (columns, bracketed):
        lines = _laid(shown)
        if max(map(width_of, lines)) <= width:
            return lines
    if folded_last := _last_folded(bracketed, width):
        return folded_last
    lines = _laid(needed)
    if max(map(width_of, lines)) <= width:
        return lines
    return _last_folded(needed, width) or _told(bracketed, width)


def _needed(columns: list[_Shown], *, ends: bool) -> Iterator[_Shown]:
    """The columns that are not wide; with the `ends` in brackets of those whose `KEY_low` and `KEY_high` are."""
    wide = {column.key: column for column in columns if column.wide}
    for column in columns:
        low, high = (wide.get(f"{column.key}_{end}") for end in ("low", "high"))
        if ends and low and not column.wide:
            yield _bracketed(column, low, high)
        elif not column.wide:
            yield column


def _bracketed(column: _Shown, low: _Shown, high: _Shown | None) -> _Shown:
    """`435 [225, none]`: an end that there is not is open. Of bars the head says that it counts them."""
    label = f"{column.label}, bars" if column.bars else column.label
    none = [cells.NOTHING] * len(column.texts)
    texts = [
        _interval(*(_bars(one, text) if column.bars else one for one in (text, begin, end)))
        for text, begin, end in zip(column.texts, low.texts, high.texts if high else none, strict=True)
    ]
    return column._replace(label=label, texts=texts)


def _interval(text: str, low: str, high: str) -> str:
    return f"{text} [{_end(low)}, {_end(high)}]" if _known(text) and (_known(low) or _known(high)) else text


def _bars(text: str, number: str) -> str:
    """How many bars, without the word; whole ones where the number itself is."""
    bare = text.removesuffix("s").removesuffix(" bar")
    return f"{float(bare.replace(',', '')):,.0f}" if "." in bare and "." not in number else bare


def _known(text: str) -> bool:
    return text not in ("", cells.NOTHING)


def _end(text: str) -> str:
    return text if _known(text) else "none"


def _last_folded(columns: list[_Shown], width: int) -> list[Line]:
    """With the texts of the last column folded; nothing where there are none, or no room for them."""
    if len(columns) == 1 or columns[-1].right:
        return []
    rows, last = _laid(columns[:-1]), columns[-1]
    edge = max(map(width_of, rows)) + 2
    room = width - edge
    if room < NARROWEST_TEXT:
        return []
    return [
        line
        for row, text in zip(rows, [last.label, *last.texts], strict=True)
        for line in hanging([*row, styled(" " * (edge - width_of(row)))], folded(text, room) or [""])
    ]


def _laid(columns: list[_Shown]) -> list[Line]:
    margins = ["  ", *[""] * (len(columns) - 1)]
    head = [styled(f"{margin}{c.label}", "dim") for margin, c in zip(margins, columns, strict=True)]
    first, *rest = columns
    rows = [[styled(f"  {name}"), *(signed(c.texts[i]) for c in rest)] for i, name in enumerate(first.texts)]
    return lined_up([head, *rows], "".join("r" if c.right else "l" for c in columns))


def _told(columns: list[_Shown], width: int) -> list[Line]:
    """On a page that is too narrow for columns: each row's name, and below it what there is."""
    lines: list[Line] = []
    for i, name in enumerate(columns[0].texts):
        lines += hanging([styled("  ")], folded(name, width - 2))
        parts = [f"{c.label} {c.texts[i]}" for c in columns[1:] if _known(c.texts[i])]
        lines += hanging([styled("    ")], folded(" · ".join(parts), width - 4)) if parts else []
    return lines


def _cell(cell: Cell, unit: str) -> str:
    if cell is None:
        return "" if unit == "text" else cells.NOTHING  # there is no text to be said, where a number could not be
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, str):
        return _safe(cell)
    return cells.amount_in(float(cell), unit)


def _receipt(study: Study, page: Page) -> list[tuple[str, str]]:
    r = study.receipt
    bars = f"rolling windows of {plural(study.bars, 'bar')}; " if study.bars else ""
    facts = (r.a.facts, r.b.facts)
    made = "change" if any(one.by_differences for one in facts) else "return"
    common = f"{plural(r.matched, 'common close')} from {r.base} to {r.end} ({plural(r.matched - 1, made)})"
    # Only the price of something brings distributions.
    distributions = f"{cells.adjusted(r)}; " if any(one.measure == "price" for one in facts) else ""
    return [
        ("history", _safe(study.history) or common),
        *([("lined up", r.lined_up)] if r.lined_up else []),
        *(("beside", f"{t.leg}: {plural(t.known, 'change')}, {t.first} to {t.last}") for t in study.beside),
        ("units", cells.units(r.a, r.b)),
        ("method", f"{bars}{distributions}P = {r.bars_per_year} bars a year; seed {r.seed}"),
        ("data", f"{study.a} {cells.origin(r.a, page.now)}; {study.b} {cells.origin(r.b, page.now)}"),
        *(("note", warning) for warning in study.warnings),
    ]
