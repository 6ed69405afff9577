"""`pairwatch watchlist`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pairwatch import writing
from pairwatch.cli import options, results, words, world
from pairwatch.cli.groups import plain
from pairwatch.errors import UsageError
from pairwatch.text import clean

app = plain()


@app.callback()
def watchlist() -> None:
    """The pairs that are watched: add one, remove one, list or import them."""


@app.command()
def add(a: options.LegA, b: options.LegB) -> None:
    """Watch a pair."""
    from pairwatch import watchlist

    found = watchlist.add(world.config_file(), a, b, world.settings({})["source"], Path.cwd())
    words.say(f"{a} {b}: {found.value}")


@app.command()
def remove(a: options.LegA, b: options.LegB) -> None:
    """Watch a pair no longer; its snapshots stay."""
    from pairwatch import config, watchlist

    file = world.config_file()
    if not watchlist.remove(file, a, b, world.settings({})["source"], Path.cwd()):
        near = watchlist.nearest(config.watch_list(world.parsed(file), str(file)), a, b)
        helps = f"did you mean {' or '.join(' '.join(pair) for pair in near)}?"
        raise UsageError(
            f"{clean(a)} {clean(b)} is not watched", helps if near else "`pairwatch watchlist list` shows what is"
        )
    words.say(f"{a} {b}: removed")


@app.command(name="list")
def list_pairs(
    format: Annotated[str | None, options.option("--format", "-f", metavar="csv|json", help="csv by default.")] = None,
) -> None:
    """List the watched pairs."""
    from pairwatch import config

    file = world.config_file()
    pairs = config.watch_list(world.parsed(file), str(file))
    if format in (None, "csv"):
        results.write_csv(("a", "b"), pairs)
    elif format == "json":
        import json

        writing.to_stdout(json.dumps([{"a": a, "b": b} for a, b in pairs], ensure_ascii=False, indent=2) + "\n")
    else:
        raise UsageError(f"--format cannot be {clean(format)!r}", "one of csv, json")


@app.command(name="import")
def import_pairs(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Lines of A B or A,B; # begins a comment; - is stdin.")],
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
    count = watchlist.import_from(world.config_file(), text, source, Path.cwd())
    words.say(f"added {plural(count, 'pair')}")
