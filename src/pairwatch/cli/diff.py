"""`pairwatch diff A B [FROM] [TO]`."""

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pairwatch.cli import options, results, words, world
from pairwatch.cli.groups import plain
from pairwatch.errors import PairwatchError, UsageError
from pairwatch.text import clean

if TYPE_CHECKING:
    from pairwatch.differences import Difference
    from pairwatch.retrieval import Desk

Chosen = tuple[tuple[str, str], ...]

app = plain()


@app.command()
def diff(
    a: options.LegA,
    b: options.LegB,
    start: Annotated[
        str | None,
        typer.Argument(
            metavar="[FROM]",
            help="A snapshot: its day, 2026-11-20.2 for a revision, or latest; by default the session before TO's.",
        ),
    ] = None,
    end: Annotated[
        str, typer.Argument(metavar="[TO]", help="A snapshot, or now for what `compare` says.", show_default=True)
    ] = "latest",
    only: Annotated[
        list[str] | None,
        options.option(
            "--only", metavar="STATISTIC", help="This one, as a.volatility or for both legs; may be repeated."
        ),
    ] = None,
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
    refresh: options.Refresh = None,
    offline: options.Offline = None,
    max_age: options.MaxAge = None,
    deadline: options.Deadline = None,
    quiet: options.Quiet = None,
    verbose: options.Verbose = False,
) -> None:
    """Say why a pair's numbers moved: which days left the window, which entered, what was revised.

    Examples:  pairwatch diff QQQ IWM  |  pairwatch diff QQQ IWM 2026-11-13 now --only correlation
    """
    now = time.time()
    settings = world.settings({**locals(), "format": results.form(csv=csv, json=json, typed=format)})
    if verbose:
        world.show_logs()
    found = _difference((a, b, start, end), only, settings, now, units=unit, verbose=verbose)
    from pairwatch.render import difference_writer

    to = results.destination(settings["format"], output)
    results.write(difference_writer(to.form)(found, results.page(to, now)), to)  # type: ignore[arg-type]
    words.note(*found.remarks, quiet=settings["quiet"] or to.shows_notes)


def _difference(
    names: tuple[str, str, str | None, str],
    only: list[str] | None,
    settings: dict[str, Any],
    now: float,
    *,
    units: list[str] | None,
    verbose: bool,
) -> "Difference":
    from pairwatch import __version__, api, differences, movements, vintages

    a, b, start, end = names
    end = end.strip().lower()
    if (start or "").strip().lower() == "now":
        raise UsageError("FROM cannot be now", f"what is now is TO: pairwatch diff {clean(a)} {clean(b)} latest now")
    legs, chosen = api.pair(a, b, settings["source"]), _chosen(only)
    keys = None if chosen is None else {key for _, key in chosen}
    asked = world.question_of(legs, settings, now)
    known = vintages.Vintages(world.store(settings), legs, asked)
    if end != "now":
        if units:
            raise UsageError("--unit needs `now` for TO", "snapshots keep what their values were: leave it out")
        return _only(movements.between(known, start, end, keys), chosen)
    cache = world.cache(settings)
    desk: Desk = world.desk(settings, cache, asked, now=now, verbose=verbose, legs=legs, units=units)
    try:
        first, second = (desk.history(leg) for leg in legs)
        last = differences.fresh(first, second, asked, now, __version__)
        found = movements.to_now(known, last, start, keys)
    except PairwatchError:
        words.note(*world.trouble(cache), quiet=settings["quiet"])
        raise
    words.note(*world.trouble(cache), quiet=settings["quiet"])
    return _only(found, chosen)


def _only(found: "Difference", chosen: Chosen | None) -> "Difference":
    if chosen is None:
        return found
    return found._replace(changes=tuple(c for c in found.changes if (c.scope, c.statistic.key) in chosen))


def _chosen(only: list[str] | None) -> Chosen | None:
    """Scope and key of the statistics that were typed, `correlation` or `a.volatility`.

    Raises:
        UsageError: one that there is not, or not of finished closes.
    """
    if not only:
        return None
    from pairwatch import differences, records

    known = differences.explained()
    for text in only:
        scope, dot, key = text.strip().lower().rpartition(".")
        if key not in known:
            from pairwatch.config import nearest

            near = nearest(key, known)
            raise UsageError(
                f"no statistic of finished closes is called {clean(text)!r}",
                f"did you mean {clean(scope)}{dot}{near}?" if near else "`pairwatch explain` lists them all",
            )
    return records.chosen(only)
