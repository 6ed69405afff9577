"""`pairwatch config`."""

from pairwatch.cli import results, world
from pairwatch.cli.groups import plain

app = plain()


@app.callback()
def config() -> None:
    """Where settings come from."""


@app.command()
def show() -> None:
    """Print every setting, its value, and where the value comes from, as CSV."""
    values = world.resolved({}).values()
    rows = [(v.key, results.shown(v.text), results.shown(v.origin)) for v in values]
    results.write_csv(("setting", "value", "origin"), rows)
