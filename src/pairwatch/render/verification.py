"""What sources do not agree on: for a person by reason, for a script date by date."""

import csv
import io
import json
import math
from collections.abc import Callable, Iterator
from textwrap import fill
from typing import Any

from rich.cells import cell_len

from pairwatch import __version__
from pairwatch.render import Format, Page, cells
from pairwatch.render.csv import number
from pairwatch.render.markdown import escaped
from pairwatch.text import plural
from pairwatch.verifying import Checked, Dated, Finding, Verification

SCHEMA = 1
HEADER = ("leg", "against", "date", "here", "there", "difference", "unit", "kind")
# So many dates of a reason are shown to a person.
SHOWN = 4


def writer(name: Format) -> Callable[[Verification, Page], str]:
    """The function that writes a verification in a format."""
    return {"csv": as_csv, "json": as_json, "markdown": as_markdown, "table": as_table}[name]


def as_csv(found: Verification, _page: Page) -> str:
    """A row for every date that differs, and one for what is no matter of dates: none at all where all agree."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(HEADER)
    for one in found.checked:
        legs = str(found.leg), str(one.leg)
        for finding in one.findings:
            if not finding.differences:
                rows.writerow((*legs, "", "", "", "", "", finding.kind))
        for each in one.differences:
            values = map(number, (each.here, each.there, each.change))
            rows.writerow((*legs, each.day, *values, one.unit, each.kind))
    return out.getvalue()


def as_json(found: Verification, page: Page) -> str:
    """One object; `null` for "cannot say"."""
    document = {
        "schema": SCHEMA,
        "pairwatch": __version__,
        "leg": str(found.leg),
        "tolerance": {"fraction": found.tolerance.fraction, "bp": found.tolerance.points},
        "differs": found.differs,
        "against": [_against(one) for one in found.checked],
    }
    return json.dumps(document, indent=2, allow_nan=False, ensure_ascii=not page.unicode) + "\n"


def _against(one: Checked) -> dict[str, Any]:
    return {
        "leg": str(one.leg),
        "from": one.first.isoformat(),
        "to": one.last.isoformat(),
        "common": one.common,
        "agreeing": one.agreeing,
        "unit": one.unit,
        "largest": _dated(one.largest) if one.largest else None,
        "findings": [
            {
                "kind": finding.kind,
                "from": finding.first.isoformat() if finding.first else None,
                "to": finding.last.isoformat() if finding.last else None,
                "dates": finding.dates,
                "factor": _finite(finding.factor),
                "because": finding.because,
                "hint": finding.hint,
                "differences": [_dated(each) for each in finding.differences],
            }
            for finding in one.findings
        ],
        "missing": {
            "there": [day.isoformat() for day in one.lacking],
            "here": [day.isoformat() for day in one.added],
        },
        "remarks": list(one.remarks),
    }


def _dated(one: Dated) -> dict[str, Any]:
    return {
        "date": one.day.isoformat(),
        "here": one.here,
        "there": one.there,
        "difference": _finite(one.change),
        "kind": one.kind,
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def as_table(found: Verification, page: Page) -> str:
    """The reasons, each with its first dates and what to do."""
    blocks = []
    for one in found.checked:
        lines = [f"{found.leg} against {one.leg}", *_folded(_summary(found, one), page, "  ")]
        for finding in one.findings:
            lines += ["", _title(finding), *_folded(finding.because, page, "  ")]
            lines += [*_folded(f"hint: {finding.hint}", page, "  "), *(f"  {line}" for line in _dates(one, finding))]
        if one.remarks:
            lines += ["", *(line for remark in one.remarks for line in _folded(f"note: {remark}", page, ""))]
        blocks.append("\n".join(lines))
    return _text("\n\n".join(blocks), page)


def as_markdown(found: Verification, page: Page) -> str:
    """A heading for each of the others, and a list of the reasons."""
    lines = []
    for one in found.checked:
        lines += [f"## {escaped(f'{found.leg} against {one.leg}')}", "", escaped(_summary(found, one)), ""]
        for finding in one.findings:
            lines.append(f"- **{finding.kind}** {escaped(f'{_title(finding)}: {finding.because}; {finding.hint}')}")
        lines += [f"- **note** {escaped(remark)}" for remark in one.remarks]
        lines.append("")
    return _text("\n".join(lines).rstrip("\n"), page)


def _text(text: str, page: Page) -> str:
    return (text if page.unicode else cells.in_ascii(text)) + "\n"


def _folded(text: str, page: Page, indent: str) -> Iterator[str]:
    """A line on as many as it takes."""
    if page.width is None:
        yield indent + text
        return
    more = indent + "  "
    yield from fill(
        text, max(page.width, 20), initial_indent=indent, subsequent_indent=more, break_on_hyphens=False
    ).splitlines()


def _summary(found: Verification, one: Checked) -> str:
    """How many agree, within what, and the largest difference."""
    closes = f"{plural(one.common, 'common close')}, {one.first} to {one.last}"
    within = f"within {found.tolerance.of(one.unit)} or rounding"
    if one.largest is None:
        return f"{closes}: all agree {within}"
    largest = one.largest
    farthest = f"{largest.day}, {cells.price(largest.here)} here and {cells.price(largest.there)} there"
    off = one.common - one.agreeing
    return (
        f"{closes}: {one.agreeing:,} agree {within}, {off:,} {'does' if off == 1 else 'do'} not; "
        f"the farthest on {farthest} ({_change(one, largest)})"
    )


def _title(finding: Finding) -> str:
    if finding.first is None:
        return finding.kind
    if finding.first == finding.last:
        return f"{finding.kind} · {finding.first}"
    return f"{finding.kind} · {plural(finding.dates, 'date')}, {finding.first} to {finding.last}"


def _dates(one: Checked, finding: Finding) -> list[str]:
    """The first dates, in columns, and how many there are beside them."""
    rows = [
        (each.day.isoformat(), cells.price(each.here), cells.price(each.there), _change(one, each))
        for each in finding.differences[:SHOWN]
    ]
    if not rows:
        return []
    rows.insert(0, ("date", "here", "there", "difference"))
    widths = [max(cell_len(row[at]) for row in rows) for at in range(4)]
    lines = ["  ".join((row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:]))) for row in rows]
    more = len(finding.differences) - SHOWN
    return [*lines, f"and {more:,} more"] if more > 0 else lines


def _change(one: Checked, each: Dated) -> str:
    if not math.isfinite(each.change):
        return cells.NOTHING
    if one.unit == "bp":
        return f"{each.change:+,.1f} bp"
    digits = 2 if abs(each.change) >= 0.01 else 3
    return f"{100 * each.change:+,.{digits}f}%"
