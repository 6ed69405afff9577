"""Readings over time, wide: a row a session, a column a statistic."""

import csv
import io
import json
from datetime import UTC, datetime

from rich.cells import cell_len

from pairwatch import __version__, stats
from pairwatch.model import Reading, Statistic
from pairwatch.records import Row, Table
from pairwatch.render import Page, cells
from pairwatch.render.csv import number
from pairwatch.snapshots import Named

SCHEMA = 1
HEADER = ("a", "b", "window", "session", "revision", "taken_at", "recomputed")
GAP = 2


def as_csv(table: Table, _page: Page) -> str:
    """Every number in full, ISO dates, empty for "cannot say"."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow((*HEADER, *table.titles()))
    pair = (str(table.a), str(table.b), str(table.question.window))
    for row, values in zip(table.rows, table.values.tolist(), strict=True):
        revision, taken_at, recomputed = _origin(row)
        writer.writerow((*pair, row.session, revision, taken_at, str(recomputed).lower(), *map(number, values)))
    return out.getvalue()


def as_json(table: Table, page: Page) -> str:
    """One object; `null` for "cannot say"."""
    titles = table.titles()
    document = {
        "schema": SCHEMA,
        "pairwatch": __version__,
        "a": str(table.a),
        "b": str(table.b),
        "window": str(table.question.window),
        "statistics": [{"name": title, **name._asdict()} for title, name in zip(titles, table.columns, strict=True)],
        "snapshots": [
            {
                "session": row.session.isoformat(),
                **dict(zip(("revision", "taken_at", "recomputed"), _origin(row), strict=True)),
                "values": {title: _finite(value) for title, value in zip(titles, values, strict=True)},
            }
            for row, values in zip(table.rows, table.values.tolist(), strict=True)
        ],
    }
    return json.dumps(document, indent=2, allow_nan=False, ensure_ascii=not page.unicode) + "\n"


def as_table(table: Table, page: Page) -> str:
    """Columns for a person, in blocks below each other where the page is too narrow for all."""
    by_key = {entry.key: entry for entry in stats.entries()}
    first = ["session", *(f"{row.session}{'' if row.snapshot else ' *'}" for row in table.rows)]
    columns = [
        [title, *(_cell(by_key.get(name.key), name, value) for value in values)]
        for title, name, values in zip(table.titles(), table.columns, table.values.T.tolist(), strict=True)
    ]
    lines = [f"{table.a} against {table.b} · {table.question.window}"]
    for block in _blocks(first, columns, page.width):
        lines += ["", *block]
    if any(row.snapshot is None for row in table.rows):
        lines += ["", "* never snapped: recomputed from the closes as they are known today"]
    text = "\n".join(lines) + "\n"
    return text if page.unicode else cells.in_ascii(text)


def _blocks(first: list[str], columns: list[list[str]], width: int | None) -> list[list[str]]:
    """The lines of as many columns as there is room for, the first of them repeated."""
    head = max(map(cell_len, first))
    rooms = [max(map(cell_len, column)) + GAP for column in columns]
    blocks: list[list[int]] = [[]]
    used = head
    for at, room in enumerate(rooms):
        if blocks[-1] and width is not None and used + room > width:
            blocks.append([])
            used = head
        blocks[-1].append(at)
        used += room
    return [
        [
            cell + " " * (head - cell_len(cell)) + "".join(columns[at][row].rjust(rooms[at]) for at in block)
            for row, cell in enumerate(first)
        ]
        for block in blocks
    ]


def _cell(entry: Statistic | None, name: Named, value: float) -> str:
    """As in a comparison; plain where this version has no such statistic any more."""
    if entry is None:
        return f"{value:.6g}" if value == value else cells.NOTHING  # noqa: PLR0124 - NaN
    return cells.cell(Reading(entry, name.scope, value, name.unit))  # type: ignore[arg-type]


def _origin(row: Row) -> tuple[int | None, str | None, bool]:
    """Revision, instant, and whether it was recomputed."""
    if row.snapshot is None:
        return None, None, True
    taken = datetime.fromtimestamp(int(row.snapshot.taken_at), UTC).isoformat().replace("+00:00", "Z")
    return row.snapshot.revision, taken, False


def _finite(value: float) -> float | None:
    return value if value - value == 0 else None
