"""`pairwatch explain`."""

from typing import TYPE_CHECKING, Annotated

import typer

from pairwatch import writing
from pairwatch.cli.groups import plain
from pairwatch.cli.results import folded
from pairwatch.errors import UsageError
from pairwatch.text import clean

if TYPE_CHECKING:
    from pairwatch.model import Statistic

app = plain()


@app.command()
def explain(
    statistic: Annotated[str | None, typer.Argument(help="A statistic's key; all of them by default.")] = None,
) -> None:
    """Say what a statistic means: its unit, its formula and where the formula comes from."""
    from pairwatch import stats

    entries = stats.entries()
    key = (statistic or "").lower()
    chosen = [entry for entry in entries if key in ("", entry.key)]
    if not chosen:
        from difflib import get_close_matches

        near = get_close_matches(key, [entry.key for entry in entries], 3, 0.6)
        raise UsageError(
            f"no statistic is called {clean(statistic)!r}",
            f"did you mean {', '.join(near)}?" if near else "`pairwatch explain` lists them all",
        )
    writing.to_stdout("\n".join(_explained(entry) for entry in chosen))


def _explained(entry: "Statistic") -> str:
    """A statistic in a few lines; on a terminal folded at words."""
    lines = (f"{entry.meaning}.", f"formula: {entry.formula}", f"source: {entry.source}")
    return f"{entry.key} ({entry.scope}, {entry.unit})\n" + "".join(f"{folded(line)}\n" for line in lines)
