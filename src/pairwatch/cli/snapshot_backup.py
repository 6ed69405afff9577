"""`pairwatch snapshot export`, `import` and `doctor`: the store as a whole, registered by `pairwatch.cli.snapshot`."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pairwatch import writing
from pairwatch.cli import options, results, words, world
from pairwatch.errors import StoreError

if TYPE_CHECKING:
    from pairwatch.snapshots.findings import Finding

HEADER = ("severity", "what", "hint")


def export_(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A new folder, or an empty one.")],
    form: Annotated[
        str, options.option("--format", "-f", metavar="csv|parquet", help="What the tables are written as.")
    ] = "csv",
    json: options.AsJson = False,
    quiet: options.Quiet = None,
) -> None:
    """Write all snapshots, and what they were computed from, into a folder of plain files.

    Example:  pairwatch snapshot export backup-2026-11
    """
    settings = world.settings({"quiet": quiet})
    from pairwatch.snapshots.backup import export

    store = world.store(settings)
    done = export(store, folder, form)
    _report({"folder": str(folder), "rows": dict(done.rows)}, json=json)
    if not settings["quiet"]:
        from pairwatch.text import plural

        words.say(f"exported {plural(done.rows['batches'], 'snapshot')} to {folder}")


def import_(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="What `export` has written.")],
    json: options.AsJson = False,
    quiet: options.Quiet = None,
) -> None:
    """Add what the snapshots lack of an export; all of it, or nothing.

    Example:  pairwatch snapshot import backup-2026-11
    """
    settings = world.settings({"quiet": quiet})
    from pairwatch.snapshots.backup import import_ as merge

    done = merge(world.store(settings), folder)
    _report(done._asdict(), json=json)
    if not settings["quiet"]:
        from pairwatch.text import plural

        revised = f", {done.revised:,} of them as revisions" if done.revised else ""
        words.say(f"added {plural(done.added, 'snapshot')}{revised}; {done.known:,} known already")


def doctor(csv: options.AsCsv = False, json: options.AsJson = False) -> None:
    """Look for damage, gaps and dangers in the snapshots; nothing is changed. Exit 7 if anything is damaged."""
    results.form(csv=csv, json=json, typed=None)
    from datetime import date

    from pairwatch.snapshots.doctor import examine

    store = world.store(world.settings({}))
    found = examine(store, date.today())  # noqa: DTZ011 - the day where the user is
    if json:
        _report([finding._asdict() for finding in found], json=True)
    elif csv or not sys.stdout.isatty():
        results.write_csv(HEADER, found)
    else:
        writing.to_stdout("".join(_lines(found)))
    if any(finding.severity == "error" for finding in found):
        raise typer.Exit(StoreError.exit_code)


def _lines(found: "Iterable[Finding]") -> Iterable[str]:
    for finding in found:
        yield f"{finding.severity}: {finding.what}\n"
        if finding.hint:
            yield f"{results.folded(finding.hint)}\n"


def _report(what: Any, *, json: bool) -> None:
    if json:
        from json import dumps

        writing.to_stdout(dumps(what, indent=2) + "\n")
