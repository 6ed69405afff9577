"""`pairwatch cache`."""

from typing import Annotated

import typer

from pairwatch import writing
from pairwatch.cli import results, words, world
from pairwatch.cli.groups import plain

app = plain()


@app.callback()
def cache() -> None:
    """Look at the price cache, or clear it."""


@app.command()
def path() -> None:
    """Print where the price cache is."""
    writing.to_stdout(f"{results.shown(world.cache(world.settings({})).path)}\n")


@app.command()
def info() -> None:
    """List what the price cache holds, as CSV."""
    from pairwatch.render.cells import clock

    cache = world.cache(world.settings({}))
    header = ("leg", "closes", "first", "last", "asked_at", "fresh_until", "bytes")
    entries = cache.entries()
    results.write_csv(
        header,
        [(e.leg, e.bars, e.first, e.last, clock(e.asked_at), clock(e.fresh_until), e.bytes) for e in entries],
    )
    words.note(*world.trouble(cache))


@app.command()
def clear(leg: Annotated[str | None, typer.Argument(help="A leg; everything by default.")] = None) -> None:
    """Forget a leg's cached prices, or all."""
    cache = world.cache(world.settings({}))
    from pairwatch.model import Leg
    from pairwatch.text import plural

    gone = cache.clear(Leg.parse(leg) if leg else None)
    words.say(*[f"note: {text}" for text in world.trouble(cache)] or [f"forgot {plural(gone, 'leg')}"])
