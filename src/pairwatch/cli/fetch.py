"""`pairwatch fetch LEG...`."""

import re
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pairwatch import writing
from pairwatch.cli import options, results, words, world
from pairwatch.cli.groups import plain
from pairwatch.errors import KeyRefused, SourceError, StaleData, UsageError
from pairwatch.text import clean, plural

if TYPE_CHECKING:
    from pairwatch.fetching import Outcome
    from pairwatch.model import Leg
    from pairwatch.render.rows import Cell

HEADER = ("leg", "state", "closes", "first", "last", "seconds", "error")
# To wait for a turn at a provider is what this command is for.
PATIENCE = 3600.0
# A comment begins a line or follows a blank: a leg may have a # in it.
_COMMENT = re.compile(r"(^|\s)#.*")
_BAR = 24

app = plain()


@app.command()
def fetch(
    leg: Annotated[list[str] | None, typer.Argument(metavar="[LEG]...", help="[source:]symbol, any number.")] = None,
    file: Annotated[
        Path | None, options.option("--file", metavar="FILE", help="Also the legs of FILE, one a line; - is stdin.")
    ] = None,
    every: Annotated[bool, options.option("--all", help="Also the legs of the whole watch list.")] = False,
    format: Annotated[
        str | None,
        options.option(
            "--format", "-f", metavar="auto|table|csv|json", help="auto: a table on a terminal, CSV in a pipe."
        ),
    ] = None,
    csv: options.AsCsv = False,
    json: options.AsJson = False,
    output: options.Output = None,
    source: options.Source = None,
    refresh: options.Refresh = None,
    no_offline: Annotated[
        bool, options.option("--no-offline", help="Ask the sources although the settings say offline.")
    ] = False,
    max_age: options.MaxAge = None,
    deadline: options.Deadline = None,
    fail_stale: options.FailStale = None,
    log_file: options.LogFile = None,
    quiet: options.Quiet = None,
    verbose: options.Verbose = False,
) -> None:
    """Fetch many legs into the price cache, side by side and within the providers' limits.

    What has been fetched is kept, also when the run is interrupted: the next one asks only for the rest. Exit 3 if a
    leg failed, 0 otherwise.

    Examples:  pairwatch fetch QQQ fred:DGS10 cboe:VIX  |  pairwatch fetch --file legs.txt --csv
    """
    now = time.time()
    typed = {"format": results.form(csv=csv, json=json, typed=format), "offline": False if no_offline else None}
    settings = world.settings({**locals(), **typed})
    to = results.destination(settings["format"], output)
    if to.form == "markdown":
        raise UsageError("fetch has no markdown", "--format is table, csv or json")
    if settings["offline"]:
        raise UsageError("fetch asks the sources, and the settings say offline", "say --no-offline")
    if verbose:
        world.show_logs()
    legs = list(dict.fromkeys(_chosen(leg or (), file, settings, every=every)))
    if not legs:
        raise UsageError("no leg is named", "pairwatch fetch QQQ fred:DGS10, or --file FILE, or --all")
    outcomes, is_whole = _fetched(legs, settings, now, verbose=verbose)
    from pairwatch.render.rows import written

    rows = [row for each in legs if (row := _row(each, outcomes.get(each)))]
    results.write(written(to.form, HEADER, rows, results.page(to, now)), to)
    _tell(list(outcomes.values()), len(legs) - len(rows), quiet=settings["quiet"])
    if not is_whole:
        raise KeyboardInterrupt
    raise typer.Exit(_code(outcomes.values(), fail_stale=settings["fail_stale"]))


# ---------------------------------------------------------------- which legs


def _chosen(typed: Sequence[str], file: Path | None, settings: dict[str, Any], *, every: bool) -> "Iterator[Leg]":
    """All the legs; whatever is wrong with one is found before anything is asked."""
    source = settings["source"]
    for text in typed:
        yield _leg(text, source)
    if file is not None:
        yield from _of_file(file, source)
    if every:
        watched = world.watch_list(settings)
        if not watched:
            raise world.nothing_watched()
        for pair in watched:
            yield from pair


def _leg(text: str, source: str) -> "Leg":
    """A leg of a source that there is."""
    from pairwatch import config, sources
    from pairwatch.model import Leg

    leg = Leg.parse(text, source)
    try:
        config.source(leg.source)
    except ValueError:
        raise sources.unknown(leg.source) from None
    return leg


def _of_file(file: Path, source: str) -> "Iterator[Leg]":
    """The legs of a file, one a line; raises `UsageError` with the line's number."""
    name = "standard input" if str(file) == "-" else clean(file, 200)
    try:
        text = (sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()).decode()
    except (OSError, UnicodeDecodeError, ValueError) as error:
        why = clean(getattr(error, "strerror", None) or error)
        raise UsageError(f"{name} cannot be read ({why})", "name a file of legs, one a line") from None
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        if word := _COMMENT.sub("", line).strip():
            try:
                yield _leg(word, source)
            except UsageError as error:
                raise UsageError(f"{name}, line {number}: {error.message}", error.hint) from None


def _is_local(leg: "Leg") -> bool:
    """Whether it is read anew each time; a plug-in that is of no use says so when it is asked."""
    from pairwatch import sources

    try:
        return not sources.about(leg.source).remote
    except SourceError:
        return False


# ---------------------------------------------------------------- the run


def _fetched(
    legs: "Sequence[Leg]", settings: dict[str, Any], now: float, *, verbose: bool
) -> "tuple[dict[Leg, Outcome], bool]":
    """What has become of each leg, and whether nobody interrupted."""
    from pairwatch import fetching

    asked = world.question({**settings, "as_of": None}, now)
    cache, log = world.cache(settings), world.log(settings)
    desk = world.desk(settings, cache, asked, now=now, verbose=verbose, patience=PATIENCE)
    _check_keys(legs, quiet=settings["quiet"])
    progress = _Progress(len(legs), is_shown=sys.stderr.isatty() and not settings["quiet"] and not verbose)
    outcomes = {}
    try:
        for outcome in fetching.fetch(desk, legs):
            outcomes[outcome.leg] = outcome
            progress.step(outcome)
            log.write(now, "fetch", leg=str(outcome.leg), outcome=outcome.state, message=_said(outcome))
    except KeyboardInterrupt:
        return outcomes, False
    finally:
        progress.end()
        words.note(*world.trouble(cache), *([log.trouble] if log.trouble else []), quiet=settings["quiet"])
    return outcomes, True


def _check_keys(legs: "Sequence[Leg]", *, quiet: bool) -> None:
    """Raise `UsageError` for a key that cannot be one before anything is asked; no keyring is looked into.

    A key that stands in a file that others may open fails the legs that need it, and no other.
    """
    keys = world.keys()
    for source in {leg.source for leg in legs}:
        with suppress(SourceError, KeyRefused):
            keys.at_hand(source)
    world.note_refused(keys, (), quiet=quiet)


class _Progress:
    """A line on stderr that is written over, for a person who waits."""

    def __init__(self, total: int, *, is_shown: bool) -> None:
        self._total = total
        self._is_shown = is_shown and total > 1
        self._done = self._failed = 0
        self._show("")

    def step(self, outcome: "Outcome") -> None:
        self._done += 1
        self._failed += outcome.state == "failed"
        self._show(clean(outcome.leg))

    def end(self) -> None:
        """Take the line away."""
        if self._is_shown:
            words.write("\r" + " " * (writing.columns() - 1) + "\r")

    def _show(self, latest: str) -> None:
        if not self._is_shown:
            return
        full = self._done * _BAR // self._total
        failed = f", {self._failed} failed" if self._failed else ""
        line = f"[{'#' * full}{'.' * (_BAR - full)}] {self._done} of {self._total}{failed}  {latest}"
        width = writing.columns() - 1
        words.write("\r" + line[:width].ljust(width))
        sys.stderr.flush()


# ---------------------------------------------------------------- what is said


def _row(leg: "Leg", outcome: "Outcome | None") -> "tuple[Cell, ...] | None":
    """By the names of `HEADER`; None for a leg that was not come to."""
    if outcome is None:
        return None
    first, last = (None if day is None else str(day) for day in (outcome.first, outcome.last))
    closes = None if outcome.state == "failed" else int(outcome.bars)
    state = "local" if outcome.state == "fresh" and _is_local(leg) else outcome.state
    return str(leg), state, closes, first, last, round(outcome.seconds, 3), _said(outcome)


def _said(outcome: "Outcome") -> str | None:
    """Why it failed, or is stale."""
    if outcome.error:
        return outcome.error.message
    return outcome.remarks[0] if outcome.state == "stale" and outcome.remarks else None


def _tell(outcomes: "Sequence[Outcome]", not_asked: int, *, quiet: bool) -> None:
    """What is wrong: of each failed leg its reason, and what helps, once for all whom it helps."""
    by_hint: dict[str, list[str]] = {}
    for error in (o.error for o in outcomes if o.state == "failed" and o.error):
        by_hint.setdefault(error.hint, []).append(error.message)
    for hint, messages in by_hint.items():
        words.say(*(f"error: {message}" for message in messages), *([f"hint: {hint}"] if hint else []))
    words.note(*(said for o in outcomes if o.state == "stale" and (said := _said(o))), quiet=quiet)
    words.note(*(remark for o in outcomes if o.refetched for remark in o.remarks), quiet=quiet)
    if not_asked:
        words.note(f"{plural(not_asked, 'leg')} left out; what was fetched is kept", quiet=quiet)


def _code(outcomes: "Iterable[Outcome]", *, fail_stale: bool) -> int:
    """The exit code, by the worst that happened."""
    states = {outcome.state for outcome in outcomes}
    if "failed" in states:
        return SourceError.exit_code
    return StaleData.exit_code if fail_stale and "stale" in states else 0
