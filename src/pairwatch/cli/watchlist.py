"""`pairwatch watchlist`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pairwatch import writing
from pairwatch.cli import options, results, words, world
from pairwatch.cli.groups import plain
from pairwatch.errors import UsageError
from pairwatch.text import clean

if TYPE_CHECKING:
    from pairwatch.watchlist import Added

app = plain()


@app.callback()
def watchlist() -> None:
    """The pairs that are watched: add one, remove one, list or import them."""


@app.command()
def add(
    a: options.LegA,
    b: options.LegB,
    window: Annotated[
        str | None,
        options.option("--window", "-w", metavar="5y", help="A window of its own; none: that of the settings again."),
    ] = None,
) -> None:
    """Watch a pair, or change its window.

    Its own window is for what goes over the watch list (snapshot, check, digest) and what reads its snapshots
    (history, diff, compare --vintage), unless --window is typed there.

    Examples:  pairwatch watchlist add QQQ IWM  |  pairwatch watchlist add fred:UNRATE fred:INDPRO --window 5y
    """
    from pairwatch import watchlist

    found = watchlist.add(world.config_file(), a, b, world.settings({})["source"], Path.cwd(), window=window)
    words.say(f"{a} {b}: {_said(found)}")


def _said(found: "Added") -> str:
    """What adding a pair has come to, with its own window as far as it has one, or had."""
    from pairwatch.watchlist import Addition

    now = f"window {found.window}" if found.window else "no window of its own"
    if found.what is Addition.CHANGED:
        was = f"it was {found.before}" if found.before else "it had none of its own"
        return f"there already; now with {now} ({was})"
    return f"{found.what.value}{f', with {now}' if found.window else ''}"


@app.command()
def remove(a: options.LegA, b: options.LegB) -> None:
    """Watch a pair no longer; its snapshots stay."""
    from pairwatch import config, watchlist

    file = world.config_file()
    if not watchlist.remove(file, a, b, world.settings({})["source"], Path.cwd()):
        near = watchlist.nearest(config.watch_list(world.parsed(file), str(file)), a, b)
        helps = f"did you mean {' or '.join(f'{pair.a} {pair.b}' for pair in near)}?"
        raise UsageError(
            f"{clean(a)} {clean(b)} is not watched", helps if near else "`pairwatch watchlist list` shows what is"
        )
    words.say(f"{a} {b}: removed")


@app.command(name="list")
def list_pairs(
    format: Annotated[str | None, options.option("--format", "-f", metavar="csv|json", help="csv by default.")] = None,
) -> None:
    """List the watched pairs, each with its own window if it has one."""
    from pairwatch import config
    from pairwatch.config import PairText

    file = world.config_file()
    pairs = config.watch_list(world.parsed(file), str(file))
    if format in (None, "csv"):
        results.write_csv(PairText._fields, ((a, b, str(window or "")) for a, b, window in pairs))
    elif format == "json":
        import json

        told = [pair._asdict() | {"window": pair.window and str(pair.window)} for pair in pairs]
        writing.to_stdout(json.dumps(told, ensure_ascii=False, indent=2) + "\n")
    else:
        raise UsageError(f"--format cannot be {clean(format)!r}", "one of csv, json")


@app.command(name="import")
def import_pairs(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Lines of A B, A,B or A,B,5y; # begins a comment; - is stdin.")
    ],
) -> None:
    """Watch every pair of a file, beside those watched already."""
    from pairwatch import watchlist
    from pairwatch.text import plural

    source = world.settings({})["source"]
    try:
        text = (sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()).decode()
    except (OSError, UnicodeDecodeError, ValueError) as error:
        why = clean(getattr(error, "strerror", None) or error)
        raise UsageError(f"{clean(file, 200)} cannot be read ({why})", "name a file of lines: A B") from None
    added, changed = watchlist.import_from(world.config_file(), text, source, Path.cwd())
    also = f"; {plural(changed, 'pair')} there already, now with another window" if changed else ""
    words.say(f"added {plural(added, 'pair')}{also}")
