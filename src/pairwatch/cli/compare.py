"""`pairwatch compare A B`."""

import sys
import time
from typing import TYPE_CHECKING, Any

from pairwatch.cli import options, results, words, world
from pairwatch.cli.groups import plain
from pairwatch.errors import PairwatchError, StaleData, UsageError

if TYPE_CHECKING:
    from pairwatch.cache import Cache
    from pairwatch.model import Comparison

app = plain()


@app.command()
def compare(
    a: options.LegA,
    b: options.LegB,
    window: options.Window = None,
    as_of: options.AsOf = None,
    max_lag: options.MaxLag = None,
    adjust: options.Adjust = None,
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
    if settings["refresh"] and settings["offline"]:
        raise UsageError("--refresh asks the source, and --offline forbids it", "leave one out, or say --no-offline")
    if verbose:
        _show_logs()
    cache = world.cache(settings)
    try:
        found = _compared(a, b, settings, cache, now=now, verbose=verbose)
        shows_notes = results.write_comparison(found, settings["format"], output, now)
    except PairwatchError:
        # Without it, "not in the cache" would be all that is said of a cache that could not be read.
        words.note(*world.trouble(cache), quiet=settings["quiet"])
        raise
    words.note(*_notes(found), quiet=settings["quiet"] or shows_notes)


def _compared(a: str, b: str, settings: dict[str, Any], cache: "Cache", *, now: float, verbose: bool) -> "Comparison":
    from pairwatch import api

    found = api.compare(
        a,
        b,
        window=settings["window"],
        as_of=settings["as_of"],
        max_lag=settings["max_lag"],
        adjust=settings["adjust"],
        seed=settings["seed"],
        source=settings["source"],
        cache=cache,
        offline=settings["offline"],
        refresh=settings["refresh"],
        max_age=settings["max_age"],
        deadline=settings["deadline"],
        now=now,
        verbose=verbose,
    )
    if settings["fail_stale"] and found.stale:
        stale = [side.provenance.stale for side in (found.receipt.a, found.receipt.b) if side.provenance.stale]
        raise StaleData("; ".join(stale))
    return found


def _notes(found: "Comparison") -> list[str]:
    """The warnings, on stderr: the simulated legs' too, so that a file cannot be mistaken later."""
    simulated = ["simulated numbers, drawn and not recorded"] if found.simulated else []
    return [*simulated, *found.warnings]


def _show_logs() -> None:
    import logging

    logging.basicConfig(stream=sys.stderr, level=logging.DEBUG, format="%(name)s: %(message)s")
