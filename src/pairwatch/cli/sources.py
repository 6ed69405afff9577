"""`pairwatch sources`."""

import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from pairwatch import writing
from pairwatch.cli import options, results, words, world
from pairwatch.cli.groups import plain
from pairwatch.errors import PairwatchError, SourceError, UsageError
from pairwatch.text import age, clean

if TYPE_CHECKING:
    from pairwatch.cache import Cache
    from pairwatch.config import Keys
    from pairwatch.fetching import Outcome
    from pairwatch.sources import About

HEADER = ("source", "kind", "gives", "needs", "example", "usable", "why", "key", "throttled_until")
PROBED = ("check", "ms", "error")
FORMATS = ("auto", "text", "csv", "json")
# How long a source may take to be probed.
DEADLINE = "10s"
# What part of a source needs which optional package.
EXTRAS = {"csv": ("pyarrow", "parquet files need pyarrow: pip install 'pairwatch[parquet]'")}

app = plain()


class _Probe(NamedTuple):
    """What became of asking a source for its example.

    Attributes:
        error: why it failed, if it did.
    """

    seconds: float
    error: PairwatchError | None


class _Standing(NamedTuple):
    """What is known of a source.

    Attributes:
        about: None for a plug-in that is of no use, which `error` says.
        why: why it is not usable, or what limits it; for one that was asked in vain the probe's error says that.
        key: where a key for it was found, never what it is.
        throttled: until when it is left alone, in Unix seconds; 0 if it is not.
    """

    name: str
    is_plugin: bool
    about: "About | None"
    usable: bool
    why: tuple[str, ...]
    key: str = ""
    throttled: float = 0.0
    error: SourceError | None = None
    probe: _Probe | None = None


@app.command(name="sources")
def list_sources(
    name: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="All of them by default.")] = None,
    check: Annotated[
        bool, options.option("--check", help="Ask each one on the network for its example; exit 3 if one fails.")
    ] = False,
    format: Annotated[
        str | None,
        options.option(
            "--format", "-f", metavar="auto|text|csv|json", help="auto: lines on a terminal, CSV in a pipe."
        ),
    ] = None,
    csv: options.AsCsv = False,
    json: options.AsJson = False,
    deadline: Annotated[
        str | None, options.option("--deadline", metavar=DEADLINE, help="How long a source may take for its example.")
    ] = None,
    offline: Annotated[
        bool | None,
        options.option("--offline/--no-offline", help="Say what is usable without the network; not with --check."),
    ] = None,
    quiet: options.Quiet = None,
    verbose: options.Verbose = False,
) -> None:
    """List where legs can come from, and say whether it works now.

    Examples:  pairwatch sources  |  pairwatch sources fred coingecko --check
    """
    now = time.time()
    settings = world.settings({"deadline": deadline or DEADLINE, "offline": offline, "quiet": quiet})
    form = _form(results.form(csv=csv, json=json, typed=format) or "auto")
    if check and settings["offline"]:
        raise UsageError("--check asks the sources, and --offline forbids it", "leave one out, or say --no-offline")
    if verbose:
        world.show_logs()
    cache = world.cache(settings)
    found = _standings(name or (), cache, now, offline=settings["offline"])
    if check:
        found = _probed(found, settings, cache, now, verbose=verbose)
    if form != "text":
        _write_rows(found, form, now, is_probed=check)
        words.complain_once(s.probe.error for s in found if s.probe and s.probe.error)
    else:
        writing.to_stdout("".join(_text(standing, now) for standing in found))
    words.note(*world.trouble(cache), quiet=settings["quiet"])
    if any(standing.probe and standing.probe.error for standing in found):
        raise typer.Exit(SourceError.exit_code)


def _form(typed: str) -> str:
    if typed not in FORMATS:
        raise UsageError(f"--format cannot be {clean(typed)!r}", f"one of {', '.join(FORMATS)}")
    return ("text" if sys.stdout.isatty() else "csv") if typed == "auto" else typed


# ---------------------------------------------------------------- what is known


def _standings(names: Sequence[str], cache: "Cache", now: float, *, offline: bool) -> list[_Standing]:
    from pairwatch import config, sources

    chosen = []
    for text in names:
        try:
            chosen.append(config.source(text))
        except ValueError as error:
            raise UsageError(f"no source is called {clean(text)!r}", str(error)) from None
    keys = world.keys()
    every = tuple(dict.fromkeys(chosen)) if names else sources.every()
    return [*(_standing(name, keys, cache, now, offline=offline) for name in every), *_taken(every)]


def _taken(names: Sequence[str]) -> list[_Standing]:
    """Plug-ins that are not used, since they are called as a source that comes with pairwatch is."""
    from pairwatch.sources import plugins

    why = "not used: a source that comes with pairwatch has this name"
    return [
        _Standing(name, is_plugin=True, about=None, usable=False, why=(f"{package}, {why}",))
        for name, package in plugins.taken().items()
        if name in names
    ]


def _standing(name: str, keys: "Keys", cache: "Cache", now: float, *, offline: bool) -> _Standing:
    from pairwatch import sources

    is_plugin = name not in sources.names()
    try:
        about = sources.about(name)
    except SourceError as error:
        return _Standing(name, is_plugin, None, usable=False, why=(error.message,), error=error)
    plain = _Standing(name, is_plugin, about, usable=True, why=_lacking(name))
    if not about.remote:
        return plain
    try:
        found = keys.at_hand(name)
    except UsageError as error:
        return plain._replace(usable=False, why=(error.message,))
    until = cache.paused_until(name)
    throttled = until if until > now else 0.0
    why = [*(["--offline forbids the network"] if offline else []), *_without_key(about) * (not found)]
    where = f"{found.name} from {found.where}" if found else ""
    return plain._replace(usable=not (throttled or offline), why=tuple(why), key=where, throttled=throttled)


def _lacking(name: str) -> tuple[str, ...]:
    """What a source does without, since a package is not installed."""
    from importlib.util import find_spec

    package, says = EXTRAS.get(name, ("", ""))
    return (says,) if package and find_spec(package) is None else ()


def _without_key(about: "About") -> list[str]:
    """What is said of a source that could have a key, and has none at hand."""
    if not about.keys:
        return []
    from importlib.util import find_spec

    asked = "; the keyring is looked into when it is asked" if find_spec("keyring") else ""
    return [f"no key in {' or '.join(about.keys)}, nor in the configuration file{asked}"]


# ---------------------------------------------------------------- asking


def _probed(
    found: list[_Standing], settings: dict[str, Any], cache: "Cache", now: float, *, verbose: bool
) -> list[_Standing]:
    """Ask each remote source for its example, all at once."""
    from pairwatch import api, fetching
    from pairwatch.model import Leg

    legs = {}
    for standing in found:
        if standing.about and standing.about.remote:
            with suppress(UsageError):  # of a plug-in
                legs[standing.name] = Leg.parse(standing.about.example, standing.name)
    # An answer is never fresh enough, so that a request goes out; the whole history is not needed.
    desk = api.desk_at(
        cache,
        api.question(now=now),
        max_age=0.0,
        deadline=settings["deadline"],
        now=now,
        verbose=verbose,
        keys=world.keys(),
    )
    outcomes = {outcome.leg: outcome for outcome in fetching.fetch(desk, legs.values())}
    probed = []
    for standing in found:
        if standing.about and (leg := legs.get(standing.name)):
            done = outcomes[leg]
            error = done.error or _stale(done)
            standing = standing._replace(  # noqa: PLW2901
                probe=_Probe(done.seconds, error), usable=standing.usable and error is None
            )
        elif standing.error:
            standing = standing._replace(probe=_Probe(0.0, standing.error))  # noqa: PLW2901
        probed.append(standing)
    return probed


def _stale(outcome: "Outcome") -> SourceError | None:
    """Why an answer came from the cache, which is none for a probe."""
    if outcome.state != "stale":
        return None
    why = outcome.remarks[0] if outcome.remarks else f"{outcome.leg}: stale"
    return SourceError(why.partition("; from the cache")[0])


# ---------------------------------------------------------------- what is said


def _text(standing: _Standing, now: float) -> str:
    """A source in a few lines; on a terminal folded at words."""
    about = standing.about
    lines = [about.gives, f"needs {about.needs}; for example {about.example}"] if about else []
    lines.append(_state(standing, now))
    if probe := standing.probe:
        ended = f"failed: {failed}" if (failed := _failed(standing)) else f"ok in {probe.seconds * 1000:.0f} ms"
        lines.append(f"asked for {about.example if about else standing.name}: {ended}")
        if probe.error and probe.error.hint:
            lines.append(f"hint: {probe.error.hint}")
    heading = f"{standing.name} (plug-in)" if standing.is_plugin else standing.name
    return f"{heading}\n" + "".join(f"{results.folded(line)}\n" for line in lines)


def _failed(standing: _Standing) -> str:
    """Why it did not answer; empty where it did, or was not asked."""
    if not (standing.probe and standing.probe.error):
        return ""
    return standing.probe.error.message.removeprefix(f"{standing.about.example}: " if standing.about else "")


def _state(standing: _Standing, now: float) -> str:
    """Whether it is usable now, and with which key."""
    from pairwatch.render.cells import clock

    silent = ": it gave no answer" if standing.about and _failed(standing) else ""
    parts = ["usable" if standing.usable else f"not usable now{silent}"]
    if standing.throttled:
        parts.append(f"throttled until {clock(standing.throttled)}, for {age(standing.throttled - now)} more")
    if standing.key:
        parts.append(f"key: {standing.key}")
    return "; ".join([*parts, *standing.why])


def _write_rows(found: Sequence[_Standing], form: str, now: float, *, is_probed: bool) -> None:
    from pairwatch.render.rows import written

    to = results.Destination(form, None, on_terminal=False)
    header = (*HEADER, *PROBED) if is_probed else HEADER
    rows = [_row(standing)[: len(header)] for standing in found]
    results.write(written(form, header, rows, results.page(to, now)), to)


def _row(standing: _Standing) -> tuple[Any, ...]:
    """By the names of `HEADER` and `PROBED`."""
    from pairwatch.render.cells import clock

    about, probe = standing.about, standing.probe
    known = (about.gives, about.needs, about.example) if about else (None, None, None)
    failed = probe and probe.error
    return (
        standing.name,
        "plug-in" if standing.is_plugin else "built-in",
        *known,
        standing.usable,
        _failed(standing) or "; ".join(standing.why) or None,
        standing.key or None,
        clock(standing.throttled) if standing.throttled else None,
        probe and ("failed" if failed else "ok"),
        probe and round(probe.seconds * 1000),
        failed and failed.message,
    )
