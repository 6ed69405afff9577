"""`pairwatch verify A --against B`."""

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pairwatch.cli import options, results, words, world
from pairwatch.cli.groups import plain
from pairwatch.errors import PairwatchError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pairwatch.histories import History
    from pairwatch.model import Leg
    from pairwatch.retrieval import Desk

DIFFERS, PARTLY = 5, 8

app = plain()


@app.command()
def verify(
    leg: Annotated[str, typer.Argument(metavar="A", help="[source:]symbol, e.g. QQQ or cboe:VIX.")],
    against: Annotated[
        list[str] | None,
        options.option("--against", metavar="B", help="The same thing from another source; may be repeated."),
    ] = None,
    tolerance: Annotated[
        str | None,
        options.option(
            "--tolerance",
            metavar="0.1%,0.5bp",
            help="What still agrees: of prices, and of rates. Rounding always does.",
        ),
    ] = None,
    since: Annotated[str | None, options.option("--since", metavar="DATE", help="From this date on.")] = None,
    as_of: options.AsOf = None,
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
    quiet: options.Quiet = None,
    verbose: options.Verbose = False,
) -> None:
    """Compare a leg with the same thing from other sources.

    Closes as quoted are held against each other on all common dates. What differs is listed with its reason: dated a
    session off, another unit, a split or dividends on one side only, a bad tick, one series under two names. Exit 5 if
    anything differs, 8 if nothing does and one of the others could not be had.

    Examples:  pairwatch verify QQQ --against csv:mine.csv  |  pairwatch verify cboe:VIX --against yahoo:^VIX --csv
    """
    now = time.time()
    settings = world.settings({**locals(), "format": results.form(csv=csv, json=json, typed=format)})
    if verbose:
        world.show_logs()
    from pairwatch import api, verifying
    from pairwatch.render import verification

    legs = api.same_thing(leg, against or (), settings["source"])
    allowed = None if tolerance is None else verifying.Tolerance.parse(tolerance)
    first = api.as_day(since)
    (here, *others), failed = _histories(legs, settings, now, units=unit, verbose=verbose)
    found = verifying.verify(here, others, allowed, first)
    to = results.destination(settings["format"], output)
    results.write(verification.writer(to.form)(found, results.page(to, now)), to)  # type: ignore[arg-type]
    words.note(*_notes([here, *others]), quiet=settings["quiet"])
    if not to.shows_notes:
        remarks = (f"{found.leg} against {one.leg}: {remark}" for one in found.checked for remark in one.remarks)
        words.note(*remarks, quiet=settings["quiet"])
    words.complain_once(failed)
    if found.differs or failed:
        raise typer.Exit(DIFFERS if found.differs else PARTLY)


def _histories(
    legs: "Sequence[Leg]", settings: dict[str, Any], now: float, *, units: list[str] | None, verbose: bool
) -> "tuple[list[History], list[PairwatchError]]":
    """The histories that can be had, as they stood on the day that was asked for; and why others cannot.

    Raises:
        PairwatchError: the first leg cannot be had, or none of the others.
    """
    from pairwatch.receipts import as_of

    asked, cache = world.question(settings, now), world.cache(settings)
    desk: Desk = world.desk(settings, cache, asked, now=now, verbose=verbose, legs=legs, units=units)
    found: list[History] = []
    failed: list[PairwatchError] = []
    try:
        for leg in legs:
            try:
                found.append(as_of(desk.own(leg), asked.as_of))
            except PairwatchError as error:
                failed.append(error)
                if not found:
                    raise
        if len(found) == 1:
            raise failed[0]
    finally:
        words.note(*world.trouble(cache), quiet=settings["quiet"])
    return found, failed


def _notes(histories: "Sequence[History]") -> list[str]:
    """What a person should know of the legs, beside what differs."""
    stale = [one.provenance.stale for one in histories]
    remarks = [
        text if text.startswith(f"{one.series.leg}: ") else f"{one.series.leg}: {text}"
        for one in histories
        for text in one.provenance.remarks
    ]
    simulated = [f"{one.series.leg}: simulated numbers" for one in histories if one.series.facts.simulated]
    return [text for text in (*stale, *simulated, *remarks) if text]
