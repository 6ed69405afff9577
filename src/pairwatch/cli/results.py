"""The result of a run, on stdout or in a file."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pairwatch import writing
from pairwatch.errors import UsageError
from pairwatch.text import clean

if TYPE_CHECKING:
    from pairwatch.differences import Difference
    from pairwatch.model import Comparison
    from pairwatch.render import Page


def form(*, csv: bool, json: bool, typed: str | None) -> str | None:
    """The format that was typed, in one of its three ways.

    Raises:
        UsageError: in more than one of them.
    """
    if csv + json + (typed is not None) > 1:
        raise UsageError("more than one format was asked for", "give one of --csv, --json and --format")
    return "csv" if csv else "json" if json else typed


class Destination(NamedTuple):
    """Where a result goes, and in which format.

    Attributes:
        file: None for standard output.
    """

    form: str
    file: Path | None
    on_terminal: bool

    @property
    def shows_notes(self) -> bool:
        """Whether a person sees the notes within the result."""
        return self.on_terminal and self.form == "table"


def destination(form: str, output: Path | None) -> Destination:
    """What was asked for; `auto` is a table on a terminal, and otherwise what the file's name says, or CSV."""
    file = None if output is None or str(output) == "-" else output
    on_terminal = file is None and sys.stdout.isatty()
    if form == "auto":
        form = "table" if on_terminal else writing.FORMATS.get(file.suffix, "csv") if file else "csv"
    return Destination(form, file, on_terminal)


def page(to: Destination, now: float) -> "Page":
    """What a format may use there."""
    from pairwatch.render import Page

    return Page(
        now=now,
        width=writing.columns() if to.on_terminal else None,
        color=to.on_terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb",
        unicode=to.file is not None or (sys.stdout.encoding or "").lower().startswith("utf"),
    )


def write(text: str, to: Destination) -> None:
    """Write to standard output, or to the file."""
    if to.file is None:
        writing.to_stdout(text)
    else:
        writing.to_file(to.file, text)


def write_comparison(
    found: "Comparison",
    form: str,
    output: Path | None,
    now: float,
    *,
    since: "Difference | None" = None,
    said: float | None = None,
) -> bool:
    """Write to standard output, or to a file; tells whether a person has seen the notes with it.

    `since` is in short how it differs from what was said before; `said` is when, for a comparison that was stored.
    """
    from pairwatch.render import writer

    to = destination(form, output)
    write(writer(to.form)(found, page(to, now)._replace(said=said), since), to)  # type: ignore[arg-type]
    return to.shows_notes


def write_csv(header: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
    """Write a table to standard output."""
    import csv
    import io

    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(header)
    table.writerows(rows)
    writing.to_stdout(text.getvalue())


def shown(text: object) -> str:
    """As it is for a script, which needs every byte; without what a terminal would obey for a person."""
    return clean(text, 4096) if sys.stdout.isatty() else str(text)


def folded(line: str) -> str:
    """A line under a heading; on a terminal folded at words."""
    if not sys.stdout.isatty():
        return f"  {line}"
    from textwrap import fill

    return fill(line, writing.columns(), initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)
