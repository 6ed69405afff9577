"""Small tables of anything: a row a thing, a column an attribute. None is "cannot say"."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from textwrap import wrap

from rich.cells import cell_len, set_cell_size

from pairwatch.render import Page, cells

Cell = str | int | float | bool | None
Rows = Sequence[Sequence[Cell]]

GAP = "  "
# Words are folded no narrower than this.
NARROWEST = 20


def written(form: str, header: Sequence[str], rows: Rows, page: Page) -> str:
    """The text in a format: `csv`, `json` or `table`."""
    return {"csv": as_csv, "json": as_json, "table": as_table}[form](header, rows, page)


def as_csv(header: Sequence[str], rows: Rows, _page: Page) -> str:
    """Every value in full, empty for "cannot say"."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([str(cell).lower() if isinstance(cell, bool) else cell for cell in row] for row in rows)
    return text.getvalue()


def as_json(header: Sequence[str], rows: Rows, page: Page) -> str:
    """A list of objects, `null` for "cannot say"."""
    objects: list[Mapping[str, Cell]] = [dict(zip(header, row, strict=True)) for row in rows]
    return json.dumps(objects, indent=2, allow_nan=False, ensure_ascii=not page.unicode) + "\n"


def as_table(header: Sequence[str], rows: Rows, page: Page) -> str:
    """Columns for a person: those that say nothing of anything are left out.

    Where the page is too narrow for all of them, the last one, which has the words, stands below its row; what is too
    wide still is cut at the page's edge.
    """
    shown = [at for at in range(len(header)) if at == 0 or any(row[at] not in (None, "") for row in rows)]
    lines = _beside(header, rows, shown)
    if page.width is not None and max(map(cell_len, lines)) > page.width:
        lines = _below(header, rows, shown, page.width)
    text = "\n".join(lines) + "\n"
    return text if page.unicode else cells.in_ascii(text)


def _beside(header: Sequence[str], rows: Rows, shown: Sequence[int]) -> list[str]:
    """A line a row."""
    columns = [_column(header[at], [row[at] for row in rows]) for at in shown]
    return [GAP.join(line).rstrip() for line in zip(*columns, strict=True)]


def _below(header: Sequence[str], rows: Rows, shown: Sequence[int], width: int) -> list[str]:
    """A line a row, and below it what its last column says, if that is words."""
    *first, last = shown
    if not first or not any(isinstance(row[last], str) for row in rows):
        return [_cut(line, width) for line in _beside(header, rows, shown)]
    heading, *lines = (_cut(line, width) for line in _beside(header, rows, first))
    found = [heading]
    for line, row in zip(lines, rows, strict=True):
        found.append(line)
        if row[last] not in (None, ""):
            name = header[last].replace("_", " ")
            found += _folded(f"{name}: {_shown(row[last])}", width)
    return found


def _folded(text: str, width: int) -> list[str]:
    return wrap(text, max(width, NARROWEST), initial_indent=GAP, subsequent_indent=GAP * 2, break_on_hyphens=False)


def _column(title: str, given: Sequence[Cell]) -> list[str]:
    """Cells of one width, numbers to the right."""
    texts = [title.replace("_", " "), *map(_shown, given)]
    width = max(map(cell_len, texts))
    is_number = any(isinstance(cell, int | float) for cell in given)
    pads = [" " * (width - cell_len(text)) for text in texts]
    return [pad + text if is_number else text + pad for pad, text in zip(pads, texts, strict=True)]


def _shown(cell: Cell) -> str:
    if cell is None:
        return cells.NOTHING
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return f"{cell:,.1f}"
    return f"{cell:,}" if isinstance(cell, int) else cell


def _cut(line: str, width: int) -> str:
    return line if cell_len(line) <= width else set_cell_size(line, width - 1).rstrip() + "…"
