"""`pairwatch snapshot [A B]`, and what is done with the store as a whole."""

import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pairwatch import writing
from pairwatch.cli import options, results, snapshot_backup, words, world
from pairwatch.cli.groups import DEFAULT, DefaultGroup, plain
from pairwatch.errors import NotEnoughData, StoreError, UsageError

if TYPE_CHECKING:
    from pairwatch.logs import Log
    from pairwatch.taking import Outcome

PARTLY, STALE, ALL_FAILED = 8, 6, 3
HEADER = ("a", "b", "session", "revision", "outcome", "message")

app = plain(DefaultGroup)


@app.callback()
def snapshot() -> None:
    """Store what `compare` says, of one pair or of the whole watch list."""


@app.command(DEFAULT)
def take(
    pair: Annotated[
        list[str] | None, typer.Argument(metavar="[A B]", help="Two legs; without them the whole watch list.")
    ] = None,
    window: options.Window = None,
    max_lag: options.MaxLag = None,
    adjust: options.Adjust = None,
    currency: options.Currency = None,
    align: options.Align = None,
    unit: options.Unit = None,
    csv: options.AsCsv = False,
    json: options.AsJson = False,
    source: options.Source = None,
    refresh: options.Refresh = None,
    offline: options.Offline = None,
    max_age: options.MaxAge = None,
    deadline: options.Deadline = None,
    seed: options.Seed = None,
    log_file: options.LogFile = None,
    quiet: options.Quiet = None,
    verbose: options.Verbose = False,
) -> None:
    """Store what `compare` says, of one pair or of the whole watch list.

    Nothing is stored twice. Quiet unless something is wrong: exit 0 all is well, 3 all pairs failed, 6 some data are
    stale, 7 the store refused (and the comparisons are on stdout), 8 some pairs failed.

    Examples:  pairwatch snapshot  |  pairwatch snapshot QQQ IWM --json
    """
    now = time.time()
    settings = world.settings(locals())
    form = results.form(csv=csv, json=json, typed=None)
    if verbose:
        world.show_logs()
    outcomes = _taken(pair or (), settings, now, form=form, units=unit, verbose=verbose)
    if not pair and window is None:
        outcomes = [_with_hint(outcome) for outcome in outcomes]
    if form:
        _report(outcomes, form)
    _tell(outcomes, quiet=settings["quiet"])
    raise typer.Exit(_code(outcomes))


def _taken(
    legs: Sequence[str],
    settings: dict[str, Any],
    now: float,
    *,
    form: str | None,
    units: list[str] | None,
    verbose: bool,
) -> "list[Outcome]":
    from pairwatch import api
    from pairwatch.taking import Run, left_behind

    if len(legs) not in (0, 2):
        raise UsageError(f"a pair is two legs, not {len(legs)}", "name two, or none for the whole watch list")
    chosen = [api.pair(legs[0], legs[1], settings["source"])] if legs else world.watch_list(settings)
    if not chosen:
        raise world.nothing_watched()
    asked = world.question({**settings, "as_of": None}, now)
    cache, store, log = world.cache(settings), world.store(settings), world.log(settings)
    every = [leg for pair in chosen for leg in pair]
    desk = world.desk(settings, cache, asked, now=now, verbose=verbose, legs=every, units=units)
    try:
        words.note(*left_behind(store, now), quiet=settings["quiet"])
    except StoreError as refusal:  # the run itself will say it, with the numbers that it could not store
        log.write(now, "refused", message=refusal.message)
    outcomes = []
    for outcome in Run(desk, store, asked, now, world.windows(settings)).take(chosen):
        _log(log, now, outcome)
        # Cron's mail keeps what the store does not; among rows of CSV it would be noise.
        if outcome.state == "refused" and outcome.found and form != "csv":
            results.write_comparison(outcome.found, "json", None, now)
        outcomes.append(outcome._replace(found=None))
    words.note(*world.trouble(cache), *([log.trouble] if log.trouble else []), quiet=settings["quiet"])
    return outcomes


def _with_hint(outcome: "Outcome") -> "Outcome":
    """For a watched pair whose window is too short: a longer one for it alone, not for the whole list."""
    error = outcome.error
    if not (isinstance(error, NotEnoughData) and error.window):
        return outcome
    hint = f"give the pair a window of its own: pairwatch watchlist add {outcome.a} {outcome.b} --window {error.window}"
    return outcome._replace(error=NotEnoughData(error.message, hint))


def _log(log: "Log", now: float, outcome: "Outcome") -> None:
    error, kept = outcome.error, outcome.snapshot
    log.write(
        now,
        "snapshot",
        a=str(outcome.a),
        b=str(outcome.b),
        outcome=outcome.state,
        session=kept and kept.session.isoformat(),
        revision=kept and kept.revision,
        stale=list(outcome.stale),
        message=error and error.message,
    )


def _report(outcomes: "Iterable[Outcome]", form: str) -> None:
    """One row a pair."""
    rows = [
        (
            str(o.a),
            str(o.b),
            o.snapshot and o.snapshot.session.isoformat(),
            o.snapshot and o.snapshot.revision,
            o.state,
            o.error.message if o.error else "; ".join(o.stale),
        )
        for o in outcomes
    ]
    if form == "csv":
        results.write_csv(HEADER, rows)
        return
    from json import dumps

    writing.to_stdout(dumps([dict(zip(HEADER, row, strict=True)) for row in rows], indent=2) + "\n")


def _tell(outcomes: "list[Outcome]", *, quiet: bool) -> None:
    """What is wrong, each thing once."""
    if len(outcomes) == 1 and outcomes[0].error and outcomes[0].state == "failed":
        raise outcomes[0].error
    words.complain_once(o.error for o in outcomes if o.error)
    words.note(*dict.fromkeys(text for o in outcomes for text in o.stale), quiet=quiet)
    words.note(*_missed(outcomes), quiet=quiet)


def _missed(outcomes: "list[Outcome]") -> list[str]:
    """The sessions that no snapshot was taken of, said once for the pairs that lack the same."""
    from pairwatch.text import listing, plural

    lacking: dict[tuple[Any, ...], list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.missed:
            lacking.setdefault(outcome.missed, []).append(outcome)
    found = []
    for days, who in lacking.items():
        pair = f"{who[0].a} {who[0].b}"
        whose = pair if len(who) == 1 else plural(len(who), "pair")
        what = f"{plural(len(days), 'session')} never snapped: {listing([str(day) for day in days])}"
        found.append(f"{whose}: {what}; `pairwatch history {pair} --recompute` shows them")
    return found


def _code(outcomes: "list[Outcome]") -> int:
    """The exit code, by the worst that happened."""
    refused = [o for o in outcomes if o.state == "refused"]
    failed = [o for o in outcomes if o.state == "failed"]
    if refused:
        return StoreError.exit_code
    if failed:
        return ALL_FAILED if len(failed) == len(outcomes) else PARTLY
    return STALE if any(o.stale for o in outcomes) else 0


@app.command()
def path() -> None:
    """Print where the snapshots are."""
    writing.to_stdout(f"{results.shown(world.store(world.settings({})).path)}\n")


app.command("export")(snapshot_backup.export_)
app.command("import")(snapshot_backup.import_)
app.command()(snapshot_backup.doctor)
