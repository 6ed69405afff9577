"""`pairwatch history A B [STATISTIC...]`."""

import time
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pairwatch.cli import options, results, words, world
from pairwatch.cli.groups import plain
from pairwatch.errors import NotEnoughData, UsageError
from pairwatch.text import clean, listing, plural

if TYPE_CHECKING:
    from pairwatch.records import Table

# What a table shows where nothing is named.
USUAL = (
    "correlation",
    "beta",
    "tightness",
    "return_gap",
    "ratio_zscore",
    "lead_lag",
    "lead_p_value",
)
NEWEST = 30
# How far back sessions are recomputed for a pair that was never snapped.
WITHOUT_SNAPSHOTS = timedelta(days=90)

app = plain()


@app.command()
def history(
    a: options.LegA,
    b: options.LegB,
    statistic: Annotated[
        list[str] | None,
        typer.Argument(metavar="STATISTIC", help="correlation, a.volatility, ...; see `pairwatch explain`."),
    ] = None,
    since: Annotated[str | None, options.option("--since", metavar="DATE", help="From this session on.")] = None,
    recompute: Annotated[
        bool, options.option("--recompute", help="Fill the sessions that were never snapped, and mark them.")
    ] = False,
    window: options.Window = None,
    max_lag: options.MaxLag = None,
    adjust: options.Adjust = None,
    currency: options.Currency = None,
    align: options.Align = None,
    unit: options.Unit = None,
    seed: options.Seed = None,
    format: options.Format = None,
    csv: options.AsCsv = False,
    json: options.AsJson = False,
    output: options.Output = None,
    source: options.Source = None,
    offline: options.Offline = None,
    max_age: options.MaxAge = None,
    deadline: options.Deadline = None,
    quiet: options.Quiet = None,
    verbose: options.Verbose = False,
) -> None:
    """Show a pair's saved readings over time, a row a session.

    Examples:  pairwatch history QQQ IWM correlation beta  |  pairwatch history QQQ IWM --csv > pair.csv
    """
    now = time.time()
    settings = world.settings({**locals(), "format": results.form(csv=csv, json=json, typed=format)})
    if verbose:
        world.show_logs()
    to = results.destination(settings["format"], output)
    if to.form == "markdown":
        raise UsageError("history has no markdown", "--format is table, csv or json")
    first = _since(since)
    names = statistic or (USUAL if to.form == "table" else ())
    if unit and not recompute:
        raise UsageError("--unit without --recompute", "snapshots keep what their values were: leave it out")
    table = _table(a, b, names, first, settings, now, recompute=recompute, units=unit, verbose=verbose)
    if not table.rows:
        raise _nothing(table, first, settings)
    if to.form == "table" and first is None and len(table.rows) > NEWEST:
        left_out = plural(len(table.rows) - NEWEST, "earlier session")
        words.note(f"{left_out} left out; --since {table.rows[0].session} shows all", quiet=settings["quiet"])
        table = table.newest(NEWEST)
    from pairwatch.render import records as render

    written = {"csv": render.as_csv, "json": render.as_json, "table": render.as_table}[to.form]
    results.write(written(table, results.page(to, now)), to)


def _table(
    a: str,
    b: str,
    names: Sequence[str],
    since: date | None,
    settings: dict[str, Any],
    now: float,
    *,
    recompute: bool,
    units: list[str] | None,
    verbose: bool,
) -> "Table":
    from pairwatch import api, records

    legs = api.pair(a, b, settings["source"])
    wanted = records.chosen(names) if names else None
    asked = world.question_of(legs, {**settings, "as_of": None}, now)
    record = world.store(settings).record(*legs, asked, since or date.min)
    found = records.table(*legs, asked, record, wanted)
    if not recompute:
        return found
    cache = world.cache(settings)
    desk = world.desk({**settings, "refresh": False}, cache, asked, now=now, verbose=verbose, legs=legs, units=units)
    histories = [desk.history(leg) for leg in legs]
    words.note(*world.trouble(cache), quiet=settings["quiet"])
    first = since or (found.rows[0].session if found.rows else asked.as_of - WITHOUT_SNAPSHOTS)
    return records.filled(found, histories[0], histories[1], first, wanted)


def _nothing(table: "Table", since: date | None, settings: dict[str, Any]) -> NotEnoughData:
    """What is said of a pair without the snapshots that were asked for; it may have others."""
    from pairwatch import records

    there = records.others(world.store(settings), table.a, table.b, table.question)
    return NotEnoughData(
        f"no snapshot of {table.a} {table.b} with a window of {table.question.window}"
        + (f" since {since}" if since else ""),
        f"there are some by {listing([f'`pairwatch history {one}`' for one in there])}"
        if there
        else f"pairwatch snapshot {table.a} {table.b}, or add --recompute",
    )


def _since(text: str | None) -> date | None:
    from pairwatch import config

    try:
        return config.day(text or "")
    except ValueError as error:
        raise UsageError(f"--since cannot be {clean(text)!r}", str(error)) from None
