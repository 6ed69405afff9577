"""`pairwatch cache`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pairwatch import writing
from pairwatch.cli import results, words, world
from pairwatch.cli.groups import plain

if TYPE_CHECKING:
    from pairwatch.barstore import BarStore
    from pairwatch.barstore import Entry as BarEntry
    from pairwatch.cache import Entry

app = plain()


@app.callback()
def cache() -> None:
    """Look at the price cache, or clear it."""


@app.command()
def path(
    bars: Annotated[bool, typer.Option("--bars", help="Where bars within days are kept, beside it.")] = False,
) -> None:
    """Print where the price cache is."""
    where = world.cache(world.settings({})).path
    writing.to_stdout(f"{results.shown(_bars(where).path if bars else where)}\n")


@app.command()
def info() -> None:
    """List what the price cache holds, as CSV."""
    cache = world.cache(world.settings({}))
    store = _bars(cache.path)
    header = ("leg", "closes", "first", "last", "asked_at", "fresh_until", "bytes", "interval")
    closes = [(*_row(entry), "") for entry in cache.entries()]
    bars = [(*_row(entry), entry.interval) for entry in store.entries()]
    results.write_csv(header, [*closes, *bars])
    words.note(*world.trouble(cache), *store.trouble)


def _row(entry: "Entry | BarEntry") -> tuple[object, ...]:
    from pairwatch.render.cells import clock

    asked_at, fresh_until = clock(entry.asked_at), clock(entry.fresh_until)
    return entry.leg, entry.bars, entry.first, entry.last, asked_at, fresh_until, entry.bytes


@app.command()
def clear(
    leg: Annotated[str | None, typer.Argument(help="A leg, with its bars within days; every leg by default.")] = None,
    bars: Annotated[
        bool, typer.Option("--bars", help="Of every leg the bars within days, too: nobody gives old ones again.")
    ] = False,
) -> None:
    """Forget a leg's cached prices, or all."""
    cache = world.cache(world.settings({}))
    from pairwatch.model import Leg
    from pairwatch.text import plural

    named = Leg.parse(leg) if leg else None
    store, gone = _bars(cache.path), cache.clear(named)
    said = [f"forgot {plural(gone, 'leg')}"]
    if named or bars:
        rows = store.clear(named)
        said += [f"forgot {plural(rows, 'entry')} of bars within days"] if rows else []
    elif held := store.entries():
        said.append(
            f"kept {sum(entry.bars for entry in held):,} bars within days, of which nobody gives old ones again: "
            "--bars forgets them, too"
        )
    trouble = [f"note: {text}" for text in (*world.trouble(cache), *store.trouble)]
    words.say(*trouble, *([] if cache.trouble else said))


def _bars(prices: Path) -> "BarStore":
    """The bars that are kept beside the price cache."""
    from pairwatch.barstore import BarStore

    return BarStore.beside(prices)
