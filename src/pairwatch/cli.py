"""The command line: parse, call, write, exit code.

`main` holds the only broad except. Nothing but typer is imported before a command runs.
"""

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from pairwatch import __version__

if TYPE_CHECKING:
    from pairwatch.config import Value
    from pairwatch.errors import PairwatchError
    from pairwatch.model import Comparison

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

LegA = Annotated[
    str,
    typer.Argument(metavar="A", help="[source:]symbol, e.g. QQQ, csv:all.csv#IWM, demo:LEADER, or - for CSV on stdin."),
]
LegB = Annotated[str, typer.Argument(metavar="B", help="The other leg, in the same form.")]
Text = Annotated[str | None, typer.Option(show_default=False)]


def _option(*names: str, metavar: str = "", help: str, is_flag: bool = False) -> Any:
    return typer.Option(*names, metavar=None if is_flag else metavar, help=help, show_default=False)


def _version(value: bool) -> None:
    if value:
        sys.stdout.write(f"pairwatch {__version__}\n")
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
    window: Annotated[
        str | None,
        _option("--window", "-w", metavar="90d", help="How far back: 90d (calendar days), 12w, 6mo, 1y or 61b (bars)."),
    ] = None,
    as_of: Annotated[
        str | None, _option("--as-of", metavar="DATE", help="Recompute as if that day were today.")
    ] = None,
    max_lag: Annotated[
        str | None, _option("--max-lag", metavar="10", help="The largest lag of the lead test, in bars.")
    ] = None,
    adjust: Annotated[
        str | None, _option("--adjust", metavar="total|price", help="Reinvest distributions (total), or not (price).")
    ] = None,
    format: Annotated[
        str | None,
        _option(
            "--format", "-f", metavar="auto|table|csv|json|markdown", help="auto: a table on a terminal, CSV in a pipe."
        ),
    ] = None,
    csv: Annotated[bool, _option("--csv", help="Short for --format csv.", is_flag=True)] = False,
    json: Annotated[bool, _option("--json", help="Short for --format json.", is_flag=True)] = False,
    output: Annotated[
        Path | None, _option("--output", "-o", metavar="FILE", help="Write to FILE, all of it or nothing.")
    ] = None,
    source: Annotated[
        str | None, _option("--source", metavar="yahoo", help="Where legs without a prefix come from.")
    ] = None,
    refresh: Annotated[bool | None, _option("--refresh", help="Ask for the whole history again.", is_flag=True)] = None,
    offline: Annotated[bool | None, _option("--offline", help="Answer from the cache alone.", is_flag=True)] = None,
    max_age: Annotated[
        str | None,
        _option("--max-age", metavar="15m", help="How old a price of an open session may be; 0s: ask every time."),
    ] = None,
    deadline: Annotated[
        str | None, _option("--deadline", metavar="20s", help="How long a source may take for a leg.")
    ] = None,
    fail_stale: Annotated[
        bool | None, _option("--fail-stale", help="Exit 6 when a leg is older than it should be.", is_flag=True)
    ] = None,
    seed: Annotated[str | None, _option("--seed", metavar="0", help="Of the permutations.")] = None,
    quiet: Annotated[
        bool | None, _option("--quiet", "-q", help="No notes on stderr, only errors.", is_flag=True)
    ] = None,
    verbose: Annotated[
        bool, _option("--verbose", "-v", help="Show what the libraries say, on stderr.", is_flag=True)
    ] = False,
) -> None:
    """Compare two legs: levels, 90-day statistics, who leads, and what it all rests on.

    Examples:  pairwatch compare QQQ IWM  |  pairwatch compare csv:all.csv#QQQ csv:all.csv#IWM --json
    """
    typed = {key: value for key, value in locals().items() if key not in ("a", "b", "csv", "json", "output", "verbose")}
    if csv or json:
        typed["format"] = _short_format(csv=csv, json=json, typed=format)
    settings = _settings(typed)
    _one_thread()
    if verbose:
        _show_logs()
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
        cache=api.cache_at(settings["cache_dir"]),
        offline=settings["offline"],
        refresh=settings["refresh"],
        max_age=settings["max_age"],
        deadline=settings["deadline"],
        verbose=verbose,
    )
    _fail_if_stale(found, fail=settings["fail_stale"])
    shows_notes = _write(found, settings["format"], output)
    if not (settings["quiet"] or shows_notes):
        _say(*_notes(found))


def _short_format(*, csv: bool, json: bool, typed: str | None) -> str:
    from pairwatch.errors import UsageError

    if (csv and json) or typed:
        raise UsageError("more than one format was asked for", "give one of --csv, --json and --format")
    return "csv" if csv else "json"


def _fail_if_stale(found: "Comparison", *, fail: bool) -> None:
    from pairwatch.errors import StaleData

    if fail and found.stale:
        stale = [side.provenance.stale for side in (found.receipt.a, found.receipt.b) if side.provenance.stale]
        raise StaleData("; ".join(stale))


def _notes(found: "Comparison") -> list[str]:
    """The warnings, on stderr: the simulated legs' too, so that a file cannot be mistaken later."""
    simulated = ["simulated numbers, drawn and not recorded"] if found.simulated else []
    return [f"note: {text}" for text in (*simulated, *found.warnings)]


@app.command()
def explain(
    statistic: Annotated[str | None, typer.Argument(help="A statistic's key; all of them by default.")] = None,
) -> None:
    """Say what a statistic means: its unit, its formula and where the formula comes from."""
    _one_thread()
    from pairwatch import stats
    from pairwatch.errors import UsageError
    from pairwatch.text import clean

    entries = stats.entries()
    chosen = [entry for entry in entries if statistic in (None, entry.key)]
    if not chosen:
        from difflib import get_close_matches

        near = get_close_matches(str(statistic), [entry.key for entry in entries], 3, 0.4)
        raise UsageError(
            f"no statistic is called {clean(statistic)!r}",
            f"did you mean {', '.join(near)}?" if near else "pairwatch explain",
        )
    for entry in chosen:
        sys.stdout.write(f"{entry.key} ({entry.scope}, {entry.unit})\n  {entry.meaning}.\n")
        sys.stdout.write(f"  formula: {entry.formula}\n  source: {entry.source}\n")


@app.command(name="sources")
def list_sources() -> None:
    """List where legs can come from."""
    _one_thread()
    from pairwatch import sources

    for name in sources.names():
        about = sources.about(name)
        sys.stdout.write(f"{name}\n  {about.gives}\n  needs {about.needs}; for example {about.example}\n")


@cache_app.command()
def path() -> None:
    """Print where the price cache is."""
    sys.stdout.write(f"{_cache().path}\n")


@cache_app.command()
def info() -> None:
    """List what the price cache holds, as CSV."""
    import csv

    from pairwatch.render.cells import clock

    cache = _cache()
    entries = cache.entries()
    rows = csv.writer(sys.stdout, lineterminator="\n")
    rows.writerow(("leg", "closes", "first", "last", "asked_at", "fresh_until", "bytes"))
    rows.writerows((e.leg, e.bars, e.first, e.last, clock(e.asked_at), clock(e.fresh_until), e.bytes) for e in entries)
    _say(*(f"note: {text}" for text in (cache.trouble,) if text))


@cache_app.command()
def clear(leg: Annotated[str | None, typer.Argument(help="A leg; everything by default.")] = None) -> None:
    """Forget a leg's cached prices, or all."""
    cache = _cache()
    from pairwatch.model import Leg
    from pairwatch.text import plural

    gone = cache.clear(Leg.parse(leg) if leg else None)
    _say(cache.trouble or f"forgot {plural(gone, 'leg')}")


@config_app.command()
def show() -> None:
    """Print every setting, its value, and where the value comes from, as CSV."""
    import csv

    rows = csv.writer(sys.stdout, lineterminator="\n")
    rows.writerow(("setting", "value", "origin"))
    rows.writerows((value.key, value.text, value.origin) for value in _resolved({}).values())


# ---------------------------------------------------------------- the world


def _one_thread() -> None:
    """One BLAS thread, before numpy is imported: a second one only spins in so short a run."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def _settings(typed: dict[str, Any]) -> dict[str, Any]:
    return {key: setting.value for key, setting in _resolved(typed).items()}


def _resolved(typed: dict[str, Any]) -> "dict[str, Value]":
    from pairwatch import config

    file = _config_file()
    return config.resolve(typed, os.environ, _parsed(file), str(file))


def _config_file() -> Path:
    if given := os.environ.get("PAIRWATCH_CONFIG"):
        if not Path(given).is_file():
            from pairwatch.errors import UsageError

            raise UsageError(f"PAIRWATCH_CONFIG names {given}, which is no file", "unset PAIRWATCH_CONFIG, or mend it")
        return Path(given)
    import platformdirs

    return platformdirs.user_config_path("pairwatch", appauthor=False) / "config.toml"


def _parsed(file: Path) -> dict[str, Any]:
    """The configuration file's settings; empty where there is no file."""
    from pairwatch.errors import UsageError

    try:
        text = file.read_text("utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{file} cannot be read ({error})", "mend the file, or set PAIRWATCH_CONFIG to another"
        ) from None
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{file} is not TOML: {error}", "mend the file, or set PAIRWATCH_CONFIG to another") from None


def _cache() -> Any:
    _one_thread()
    folder = _settings({})["cache_dir"]
    from pairwatch import api

    return api.cache_at(folder)


def _show_logs() -> None:
    import logging

    logging.basicConfig(stream=sys.stderr, level=logging.DEBUG, format="%(name)s: %(message)s")


def _write(found: "Comparison", name: str, output: Path | None) -> bool:
    """Write to standard output, or to a file; tells whether a person has seen the notes with it."""
    from pairwatch import writing
    from pairwatch.render import Page, writer

    file = None if output is None or str(output) == "-" else output
    on_terminal = file is None and sys.stdout.isatty()
    if name == "auto":
        name = "table" if on_terminal else "csv"
    page = Page(
        now=time.time(),
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


def _say(*lines: str) -> None:
    """Words for the person, on stderr."""
    for line in lines:
        sys.stderr.write(f"{line}\n")


# ---------------------------------------------------------------- the end of a run


def main() -> NoReturn:
    """Run the command line and exit with its code; see `pairwatch.errors` for the codes."""
    for stream in ("stdout", "stderr"):
        if getattr(sys, stream) is None:  # closed before we began: `>&-`
            setattr(sys, stream, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123
    code = _run()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        pass
    except OSError:
        code = code or 1
    # A source that was left hanging has a thread that cannot be stopped; nothing else is left to be done.
    os._exit(code)


def _run() -> int:  # noqa: PLR0911 - one for each way in which a run can end
    from pairwatch.errors import PairwatchError

    try:
        return app(standalone_mode=False) or 0
    except PairwatchError as error:
        _complain(error)
        return error.exit_code
    except KeyboardInterrupt:
        _say("interrupted")
        return 130
    except SystemExit as error:  # what typer makes of a closed pipe
        return 0 if isinstance(error.__context__, BrokenPipeError) else int(error.code or 0)
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            return 0
        _say(f"error: the result could not be written ({error.strerror})", "hint: is the disk full?")
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except Exception as error:  # noqa: BLE001 - the one place for everything else
        return _by_typer(error)


def _by_typer(error: Exception) -> int:
    """Exits and usage errors that typer raises; anything else is a bug, and keeps its traceback."""
    if type(error).__name__ == "Abort":
        _say("interrupted")
        return 130
    format_message = getattr(error, "format_message", None)
    if format_message is None:
        import traceback

        traceback.print_exc()
        _say("error: this is a bug in pairwatch", "hint: please report the lines above")
        return 1
    if type(error).__name__ == "NoArgsIsHelpError":
        _say(format_message())
        return 2
    context = getattr(error, "ctx", None)
    where = context.command_path if context else "pairwatch"
    message = " ".join(format_message().split())
    _say(f"error: {message[:1].lower()}{message[1:].rstrip('.')}", f"hint: {where} --help")
    return int(getattr(error, "exit_code", 2))


def _complain(error: "PairwatchError") -> None:
    _say(f"error: {error.message}", *([f"hint: {error.hint}"] if error.hint else []))
