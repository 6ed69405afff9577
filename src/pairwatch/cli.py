"""The command line: parse, call, write, exit code.

`main` holds the only broad except. Nothing but typer, and what imports nothing, is imported before a command runs.
"""

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from pairwatch import __version__, writing
from pairwatch.errors import PairwatchError, StaleData, UsageError
from pairwatch.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pairwatch.cache import Cache
    from pairwatch.config import Value
    from pairwatch.model import Comparison, Statistic

INTERRUPTED, TERMINATED = 130, 143

app = typer.Typer(
    name="pairwatch",
    help="Compare two markets: statistics, who leads whom, and how far to trust the numbers.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: `[source:]symbol` is no markup, and rich costs more than the help itself
    context_settings={"help_option_names": ["-h", "--help"]},
)
cache_app = typer.Typer(help="Look at the price cache, or clear it.", no_args_is_help=True, rich_markup_mode=None)
config_app = typer.Typer(help="Where settings come from.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(cache_app, name="cache")
app.add_typer(config_app, name="config")


def _option(*names: str, help: str, metavar: str | None = None) -> Any:
    return typer.Option(*names, metavar=metavar, help=help, show_default=False)


# What is typed for a setting stays text until `config` reads it as it reads variables and the file; a pair of flags
# lets the line undo what those say.
LegA = Annotated[
    str,
    typer.Argument(metavar="A", help="[source:]symbol, e.g. QQQ, csv:all.csv#IWM, demo:LEADER, or - for CSV on stdin."),
]
LegB = Annotated[str, typer.Argument(metavar="B", help="The other leg, in the same form.")]
Window = Annotated[
    str | None,
    _option("--window", "-w", metavar="90d", help="How far back: 90d (calendar days), 12w, 6mo, 1y or 61b (bars)."),
]
AsOf = Annotated[str | None, _option("--as-of", metavar="DATE", help="Recompute as if that day were today.")]
MaxLag = Annotated[str | None, _option("--max-lag", metavar="10", help="The largest lag of the lead test, in bars.")]
Adjust = Annotated[
    str | None, _option("--adjust", metavar="total|price", help="Reinvest distributions (total), or not (price).")
]
Format = Annotated[
    str | None,
    _option(
        "--format", "-f", metavar="auto|table|csv|json|markdown", help="auto: a table on a terminal, CSV in a pipe."
    ),
]
AsCsv = Annotated[bool, _option("--csv", help="Short for --format csv.")]
AsJson = Annotated[bool, _option("--json", help="Short for --format json.")]
Output = Annotated[Path | None, _option("--output", "-o", metavar="FILE", help="Write to FILE, all of it or nothing.")]
Source = Annotated[str | None, _option("--source", metavar="yahoo", help="Where legs without a prefix come from.")]
Refresh = Annotated[bool | None, _option("--refresh/--no-refresh", help="Ask for the whole history again.")]
Offline = Annotated[bool | None, _option("--offline/--no-offline", help="Answer from the cache alone.")]
MaxAge = Annotated[
    str | None,
    _option("--max-age", metavar="15m", help="How old a price of an open session may be; 0s: ask every time."),
]
Deadline = Annotated[str | None, _option("--deadline", metavar="20s", help="How long a source may take for a leg.")]
FailStale = Annotated[
    bool | None, _option("--fail-stale/--no-fail-stale", help="Exit 6 when a leg is older than it should be.")
]
Seed = Annotated[str | None, _option("--seed", metavar="0", help="Of the permutations.")]
Quiet = Annotated[bool | None, _option("--quiet/--no-quiet", "-q", help="No notes on stderr, only errors.")]
Verbose = Annotated[bool, _option("--verbose", "-v", help="Show what the libraries say, on stderr.")]


def _version(value: bool) -> None:
    if value:
        writing.to_stdout(f"pairwatch {__version__}\n")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Information only, not advice."""


@app.command()
def compare(
    a: LegA,
    b: LegB,
    window: Window = None,
    as_of: AsOf = None,
    max_lag: MaxLag = None,
    adjust: Adjust = None,
    format: Format = None,
    csv: AsCsv = False,
    json: AsJson = False,
    output: Output = None,
    source: Source = None,
    refresh: Refresh = None,
    offline: Offline = None,
    max_age: MaxAge = None,
    deadline: Deadline = None,
    fail_stale: FailStale = None,
    seed: Seed = None,
    quiet: Quiet = None,
    verbose: Verbose = False,
) -> None:
    """Compare two legs: statistics, who leads, a receipt.

    Examples:  pairwatch compare QQQ IWM  |  pairwatch compare csv:all.csv#QQQ csv:all.csv#IWM --json
    """
    now = time.time()
    settings = _settings({**locals(), "format": _format(csv=csv, json=json, typed=format)})
    if settings["refresh"] and settings["offline"]:
        raise UsageError("--refresh asks the source, and --offline forbids it", "leave one out, or say --no-offline")
    if verbose:
        _show_logs()
    cache = _cache(settings)
    try:
        found = _compared(a, b, settings, cache, now=now, verbose=verbose)
        shows_notes = _write(found, settings["format"], output, now)
    except PairwatchError:
        # Without it, "not in the cache" would be all that is said of a cache that could not be read.
        _note(*_trouble(cache), quiet=settings["quiet"])
        raise
    _note(*_notes(found), quiet=settings["quiet"] or shows_notes)


def _format(*, csv: bool, json: bool, typed: str | None) -> str | None:
    """The format that was typed, in one of its three ways."""
    if csv + json + (typed is not None) > 1:
        raise UsageError("more than one format was asked for", "give one of --csv, --json and --format")
    return "csv" if csv else "json" if json else typed


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


@app.command()
def explain(
    statistic: Annotated[str | None, typer.Argument(help="A statistic's key; all of them by default.")] = None,
) -> None:
    """Say what a statistic means: its unit, its formula and where the formula comes from."""
    from pairwatch import stats

    entries = stats.entries()
    key = (statistic or "").lower()
    chosen = [entry for entry in entries if key in ("", entry.key)]
    if not chosen:
        from difflib import get_close_matches

        near = get_close_matches(key, [entry.key for entry in entries], 3, 0.6)
        raise UsageError(
            f"no statistic is called {clean(statistic)!r}",
            f"did you mean {', '.join(near)}?" if near else "`pairwatch explain` lists them all",
        )
    writing.to_stdout("\n".join(_explained(entry) for entry in chosen))


def _explained(entry: "Statistic") -> str:
    """A statistic in a few lines; on a terminal folded at words."""
    lines = (f"{entry.meaning}.", f"formula: {entry.formula}", f"source: {entry.source}")
    return f"{entry.key} ({entry.scope}, {entry.unit})\n" + "".join(f"{_folded(line)}\n" for line in lines)


def _folded(line: str) -> str:
    if not sys.stdout.isatty():
        return f"  {line}"
    from textwrap import fill

    return fill(line, writing.columns(), initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)


@app.command(name="sources")
def list_sources() -> None:
    """List where legs can come from."""
    from pairwatch import sources

    every = [(name, sources.about(name)) for name in sources.names()]
    lines = [
        f"{name}\n{_folded(about.gives)}\n{_folded(f'needs {about.needs}; for example {about.example}')}\n"
        for name, about in every
    ]
    writing.to_stdout("".join(lines))


@cache_app.command()
def path() -> None:
    """Print where the price cache is."""
    writing.to_stdout(f"{_shown(_cache(_settings({})).path)}\n")


@cache_app.command()
def info() -> None:
    """List what the price cache holds, as CSV."""
    from pairwatch.render.cells import clock

    cache = _cache(_settings({}))
    header = ("leg", "closes", "first", "last", "asked_at", "fresh_until", "bytes")
    entries = cache.entries()
    _write_csv(
        header,
        [(e.leg, e.bars, e.first, e.last, clock(e.asked_at), clock(e.fresh_until), e.bytes) for e in entries],
    )
    _note(*_trouble(cache))


@cache_app.command()
def clear(leg: Annotated[str | None, typer.Argument(help="A leg; everything by default.")] = None) -> None:
    """Forget a leg's cached prices, or all."""
    cache = _cache(_settings({}))
    from pairwatch.model import Leg
    from pairwatch.text import plural

    gone = cache.clear(Leg.parse(leg) if leg else None)
    _say(*[f"note: {text}" for text in _trouble(cache)] or [f"forgot {plural(gone, 'leg')}"])


@config_app.command()
def show() -> None:
    """Print every setting, its value, and where the value comes from, as CSV."""
    values = _resolved({}).values()
    _write_csv(("setting", "value", "origin"), [(v.key, _shown(v.text), _shown(v.origin)) for v in values])


# ---------------------------------------------------------------- the world


def _settings(typed: dict[str, Any]) -> dict[str, Any]:
    """Every setting's value; what `typed` holds beside settings is not looked at."""
    return {key: setting.value for key, setting in _resolved(typed).items()}


def _resolved(typed: dict[str, Any]) -> "dict[str, Value]":
    from pairwatch import config

    file = _config_file()
    values = config.resolve(typed, os.environ, _parsed(file), str(file))
    for name, near in config.misspelt(os.environ).items():
        helps = f"did you mean {near}?" if near else "`pairwatch config show` lists them"
        _note(f"no setting is called {clean(name)}; {helps}", quiet=values["quiet"].value)
    return values


def _config_file() -> Path:
    if given := os.environ.get("PAIRWATCH_CONFIG"):
        if not os.path.isfile(given):  # noqa: PTH113 - Path.is_file raises what a name can be too long for
            raise UsageError(
                f"PAIRWATCH_CONFIG names {clean(given, 200)}, which is no file", "unset PAIRWATCH_CONFIG, or mend it"
            )
        return Path(given)
    import platformdirs

    return platformdirs.user_config_path("pairwatch", appauthor=False) / "config.toml"


def _parsed(file: Path) -> dict[str, Any]:
    """The configuration file's settings; empty where there is no file."""
    hint = "mend the file, or set PAIRWATCH_CONFIG to another"
    try:
        text = file.read_text("utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        why = clean(getattr(error, "strerror", None) or error)
        raise UsageError(f"{clean(file, 200)} cannot be read ({why})", hint) from None
    import tomllib

    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{clean(file, 200)} is not TOML: {clean(error)}", hint) from None


def _cache(settings: dict[str, Any]) -> "Cache":
    from pairwatch import api

    return api.cache_at(settings["cache_dir"])


def _trouble(cache: "Cache") -> list[str]:
    """Why the cache is of no use, if it is not."""
    return [cache.trouble] if cache.trouble else []


def _show_logs() -> None:
    import logging

    logging.basicConfig(stream=sys.stderr, level=logging.DEBUG, format="%(name)s: %(message)s")


def _write(found: "Comparison", name: str, output: Path | None, now: float) -> bool:
    """Write to standard output, or to a file; tells whether a person has seen the notes with it."""
    from pairwatch.render import Page, writer

    file = None if output is None or str(output) == "-" else output
    on_terminal = file is None and sys.stdout.isatty()
    if name == "auto":
        name = "table" if on_terminal else writing.FORMATS.get(file.suffix, "csv") if file else "csv"
    page = Page(
        now=now,
        width=writing.columns() if on_terminal else None,
        color=on_terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb",
        unicode=file is not None or (sys.stdout.encoding or "").lower().startswith("utf"),
    )
    text = writer(name)(found, page)  # type: ignore[arg-type]
    if file is None:
        writing.to_stdout(text)
    else:
        writing.to_file(file, text)
    return on_terminal and name == "table"


def _write_csv(header: tuple[str, ...], rows: "Iterable[tuple[object, ...]]") -> None:
    import csv
    import io

    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(header)
    table.writerows(rows)
    writing.to_stdout(text.getvalue())


def _shown(text: object) -> str:
    """As it is for a script, which needs every byte; without what a terminal would obey for a person."""
    return clean(text, 4096) if sys.stdout.isatty() else str(text)


def _note(*texts: str, quiet: bool = False) -> None:
    """Whatever a person should know and no exit code tells."""
    if not quiet:
        _say(*(f"note: {text}" for text in texts))


def _say(*lines: str) -> None:
    """Words for the person, on stderr, each on one line; nobody has to be there to read them."""
    _write_words("".join(f"{clean(line, 1000)}\n" for line in lines))


def _write_words(text: str) -> None:
    # A full disk or a reader that has gone is no reason to end in another way: the exit code speaks of the result.
    with suppress(OSError):
        sys.stderr.write(text)


# ---------------------------------------------------------------- the end of a run


def main() -> NoReturn:
    """Run the command line and exit with its code; see `pairwatch.errors` for the codes."""
    for stream in ("stdout", "stderr"):
        if getattr(sys, stream) is None:  # closed before we began: `>&-`
            setattr(sys, stream, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123
    if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:  # whoever started us may want it ignored
        signal.signal(signal.SIGTERM, _terminate)
    code = _flushed(_run())
    # A source that was left hanging has a thread that cannot be stopped; nothing else is left to be done.
    os._exit(code)


def _terminate(*_: object) -> NoReturn:
    """End as an error would, so that what is half written is taken away."""
    raise SystemExit(TERMINATED)


def _run() -> int:
    # One BLAS thread, before numpy is imported: a second one only spins in so short a run.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        code = app(standalone_mode=False) or 0
    except PairwatchError as error:
        return _complain(error)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except SystemExit as error:  # ours, or what typer makes of a closed pipe
        return 0 if isinstance(error.__context__, BrokenPipeError) else int(error.code or 0)
    except Exception as error:  # noqa: BLE001 - the one place for everything else
        return _by_typer(error)
    if code == INTERRUPTED:  # typer makes this of Ctrl-C, and says nothing
        _say("interrupted")
    return int(code)


def _flushed(code: int) -> int:
    """The exit code, when the buffers are empty: a result that is lost is no success, words that are lost are."""
    with suppress(OSError):
        sys.stderr.flush()
    try:
        writing.flush()
    except BrokenPipeError:
        pass
    except writing.OutputFailed as error:
        return code or _complain(error)
    return code


def _by_typer(error: Exception) -> int:
    """Usage errors that typer raises, and what it could not write; anything else is a bug, with its traceback."""
    if isinstance(error, OSError) and _module(error).startswith("typer."):
        return _complain(writing.failed(error))  # typer opens nothing but standard output, for the help
    format_message = getattr(error, "format_message", None)
    if format_message is None:
        return _admit()
    if type(error).__name__ == "NoArgsIsHelpError":
        _write_words(f"{format_message()}\n")
        return 2
    context = getattr(error, "ctx", None)
    where = context.command_path if context else "pairwatch"
    message = " ".join(format_message().split())
    _say(f"error: {message[:1].lower()}{message[1:].rstrip('.')}", f"hint: {where} --help")
    return int(getattr(error, "exit_code", 2))


def _module(error: Exception) -> str:
    """The module that met the error."""
    at = error.__traceback__
    while at and at.tb_next:
        at = at.tb_next
    return str(at.tb_frame.f_globals.get("__name__")) if at else ""


def _admit() -> int:
    """A bug: the traceback of the exception that is being handled, and what to do with it."""
    import traceback

    _write_words(traceback.format_exc())
    _say("error: this is a bug in pairwatch", "hint: please report the lines above")
    return 1


def _complain(error: PairwatchError) -> int:
    """The two lines of an error; returns its exit code."""
    _say(f"error: {error.message}", *([f"hint: {error.hint}"] if error.hint else []))
    return error.exit_code
