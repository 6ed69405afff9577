"""`pairwatch explain`."""

from typing import TYPE_CHECKING, Annotated

import typer

from pairwatch import writing
from pairwatch.cli.groups import plain
from pairwatch.cli.results import folded
from pairwatch.errors import UsageError
from pairwatch.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pairwatch.model import Heading, Statistic

app = plain()


@app.command()
def explain(
    statistic: Annotated[
        str | None,
        typer.Argument(help="A statistic's key, or a study's name, as lead or lead.granger; all statistics."),
    ] = None,
) -> None:
    """Say what a statistic means: its unit, its formula and where the formula comes from."""
    from pairwatch import stats, studies

    entries = stats.entries()
    key = (statistic or "").lower()
    name, _, section = key.partition(".")
    if name in studies.NAMES and (section or key not in [entry.key for entry in entries]):
        chosen = [one for one in studies.headings(name) if section in ("", one.key)]
        known = [f"{name}.{one.key}" for one in studies.headings(name)]
        explained = "\n".join("\n".join(_section(name, one)) for one in chosen)
    else:
        known = [*(entry.key for entry in entries), *studies.NAMES]
        explained = "\n".join(_explained(entry) for entry in entries if key in ("", entry.key))
    if not explained:
        from difflib import get_close_matches

        near = get_close_matches(key, known, 3, 0.6)
        raise UsageError(
            f"no statistic is called {clean(statistic)!r}",
            f"did you mean {', '.join(near)}?" if near else "`pairwatch explain` lists them all",
        )
    writing.to_stdout(explained)


def _explained(entry: "Statistic") -> str:
    """A statistic in a few lines; on a terminal folded at words."""
    from pairwatch.stats.past import pasts
    from pairwatch.stats.percentiles import MEANING

    lines = [f"{entry.meaning}.", f"formula: {entry.formula}", f"source: {entry.source}"]
    lines += [f"percentile: {MEANING}."] if entry.key in pasts() else []
    return f"{entry.key} ({entry.scope}, {entry.unit})\n" + "".join(f"{folded(line)}\n" for line in lines)


def _section(study: str, heading: "Heading") -> "Iterator[str]":
    """A section of a study: what it is, and what its columns mean."""
    yield f"{study}.{heading.key} ({heading.title})"
    yield folded(heading.meaning)
    for column in heading.columns:
        if column.key != "unit":
            yield folded(f"{column.key}{_counted(column.unit)}: {column.meaning}")
    yield ""


def _counted(unit: str) -> str:
    return "" if unit in ("text", "unit") else f" ({unit})"
