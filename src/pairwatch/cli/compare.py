"""`pairwatch compare A B`."""

import time
from typing import TYPE_CHECKING, Any, NamedTuple

from pairwatch.cli import options, results, words, world
from pairwatch.cli.groups import plain
from pairwatch.errors import NotEnoughData, PairwatchError, StaleData, StoreError, UsageError

if TYPE_CHECKING:
    from pairwatch.cache import Cache
    from pairwatch.differences import Difference
    from pairwatch.model import Comparison

app = plain()


class _Found(NamedTuple):
    """A comparison, and what is said beside it.

    Attributes:
        said: when, for one that was stored.
        notes: what no format shows.
    """

    comparison: "Comparison"
    since: "Difference | None" = None
    said: float | None = None
    notes: tuple[str, ...] = ()


@app.command()
def compare(
    a: options.LegA,
    b: options.LegB,
    window: options.Window = None,
    as_of: options.AsOf = None,
    vintage: options.Vintage = None,
    max_lag: options.MaxLag = None,
    adjust: options.Adjust = None,
    currency: options.Currency = None,
    align: options.Align = None,
    unit: options.Unit = None,
    format: options.Format = None,
    csv: options.AsCsv = False,
    json: options.AsJson = False,
    output: options.Output = None,
    source: options.Source = None,
    refresh: options.Refresh = None,
    offline: options.Offline = None,
    max_age: options.MaxAge = None,
    deadline: options.Deadline = None,
    fail_stale: options.FailStale = None,
    seed: options.Seed = None,
    quiet: options.Quiet = None,
    verbose: options.Verbose = False,
) -> None:
    """Compare two legs: statistics, who leads, a receipt.

    Examples:  pairwatch compare QQQ IWM  |  pairwatch compare csv:all.csv#QQQ csv:all.csv#IWM --json
    """
    now = time.time()
    settings = world.settings({**locals(), "format": results.form(csv=csv, json=json, typed=format)})
    if verbose:
        world.show_logs()
    if vintage is not None:
        if as_of is not None or refresh or unit:
            what = "--refresh" if refresh else "--unit" if unit else "--as-of"
            raise UsageError(f"--vintage says what was said then, and {what} asks anew", "leave one of them out")
        _write(_as_said(a, b, vintage, settings), settings, output, now)
        return
    cache = world.cache(settings)
    try:
        found = _compared(a, b, settings, cache, units=unit, now=now, verbose=verbose)
        _write(found, settings, output, now)
    except PairwatchError:
        # Without it, "not in the cache" would be all that is said of a cache that could not be read.
        words.note(*world.trouble(cache), quiet=settings["quiet"])
        raise


def _write(found: _Found, settings: dict[str, Any], output: options.Output, now: float) -> None:
    if settings["fail_stale"] and found.comparison.stale:
        raise StaleData("; ".join(found.comparison.stale_reasons))
    said = found.said
    shows_notes = results.write_comparison(
        found.comparison, settings["format"], output, now if said is None else said, since=found.since, said=said
    )
    words.note(*found.notes, quiet=settings["quiet"])
    words.note(*_notes(found.comparison), quiet=settings["quiet"] or shows_notes)


def _compared(
    a: str,
    b: str,
    settings: dict[str, Any],
    cache: "Cache",
    *,
    units: list[str] | None,
    now: float,
    verbose: bool,
) -> _Found:
    from pairwatch import api, pairs

    asked, legs = world.question(settings, now), api.pair(a, b, settings["source"])
    desk = world.desk(settings, cache, asked, now=now, verbose=verbose, legs=legs, units=units)
    first, second = (desk.history(leg) for leg in legs)
    found = pairs.compare(first, second, asked, trouble=cache.trouble, with_past=True)
    if settings["as_of"] or not world.has_snapshots(settings):
        return _Found(found)
    from pairwatch import movements

    try:
        return _Found(found, movements.since(found, (first, second), asked, world.store(settings), now))
    except NotEnoughData:  # what was known then is too little for this version
        return _Found(found)
    except StoreError as error:
        return _Found(found, notes=(error.message,))


def _as_said(a: str, b: str, name: str, settings: dict[str, Any]) -> _Found:
    """What was said then: neither the cache nor a source is looked at."""
    from pairwatch import api, vintages

    legs, store = api.pair(a, b, settings["source"]), world.store(settings)
    asked = world.question_of(legs, settings, 0)  # a snapshot has its own day
    snapshot = vintages.Vintages(store, legs, asked).named(name)
    found, notes = vintages.as_said(store, snapshot)
    return _Found(found, said=snapshot.taken_at, notes=(vintages.told(snapshot), *notes))


def _notes(found: "Comparison") -> list[str]:
    """The warnings, on stderr: the simulated legs' too, so that a file cannot be mistaken later."""
    simulated = ["simulated numbers, drawn and not recorded"] if found.simulated else []
    return [*simulated, *found.warnings]
