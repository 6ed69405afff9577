"""The command line: parse, call, write, exit code. One module a command, loaded when the command is invoked.

A command's module has an `app`, made by `groups.plain`: one command, or a group of them. The table below names it; it
may import what imports little, and in its functions whatever they need. Nothing but typer, and what imports nothing,
is imported before a command is.
"""

from typing import Annotated, ClassVar, NoReturn

import typer

from pairwatch import __version__, writing
from pairwatch.cli import ending
from pairwatch.cli.groups import LazyGroup


class Commands(LazyGroup):
    """Every command of pairwatch, in the order of the help."""

    table: ClassVar[dict[str, tuple[str, str]]] = {
        "compare": ("pairwatch.cli.compare", "Compare two legs: statistics, who leads, a receipt."),
        "lead": ("pairwatch.cli.lead", "Who leads whom, over the whole history: when, how surely, and out of sample."),
        "correlation": (
            "pairwatch.cli.correlation",
            "How correlation moves: by regime, in breakdowns, beside a factor.",
        ),
        "spread": ("pairwatch.cli.spread", "The spread: how far, whether it returns, and the days that made the gap."),
        "hedge": ("pairwatch.cli.hedge", "Whether B hedges A: out of sample, in its worst days, and under stress."),
        "analogs": ("pairwatch.cli.analogs", "What followed when the pair was as far apart as today."),
        "related": ("pairwatch.cli.related", "Pairs worth a look beside this one, each with its current line."),
        "why": ("pairwatch.cli.why", "What the numbers say of a pair, in plain sentences."),
        "snapshot": (
            "pairwatch.cli.snapshot",
            "Store what `compare` says, of one pair or of the whole watch list.",
        ),
        "history": ("pairwatch.cli.history", "Show a pair's saved readings over time, a row a session."),
        "diff": (
            "pairwatch.cli.diff",
            "Say why a pair's numbers moved: which days left the window, which entered, what was revised.",
        ),
        "check": ("pairwatch.cli.check", "Say whether watched conditions hold; exit 5 if one is in force."),
        "digest": (
            "pairwatch.cli.digest",
            "Show what moved on the watch list since yesterday, or send it.",
        ),
        "explain": (
            "pairwatch.cli.explain",
            "Say what a statistic means: its unit, its formula and where the formula comes from.",
        ),
        "schedule": (
            "pairwatch.cli.schedule",
            "Run snapshots after each close: print what cron or systemd needs, or set it up.",
        ),
        "fetch": (
            "pairwatch.cli.fetch",
            "Fetch many legs into the price cache, side by side and within the providers' limits.",
        ),
        "verify": ("pairwatch.cli.verify", "Compare a leg with the same thing from other sources."),
        "sources": ("pairwatch.cli.sources", "List where legs can come from, and say whether it works now."),
        "watchlist": (
            "pairwatch.cli.watchlist",
            "The pairs that are watched: add one, remove one, list or import them.",
        ),
        "cache": ("pairwatch.cli.cache", "Look at the price cache, or clear it."),
        "config": ("pairwatch.cli.config", "Where settings come from."),
    }


app = typer.Typer(
    name="pairwatch",
    cls=Commands,
    help="Compare two markets: statistics, who leads whom, and how far to trust the numbers.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: `[source:]symbol` is no markup, and rich costs more than the help itself
    context_settings={"help_option_names": ["-h", "--help"]},
)


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


def main() -> NoReturn:
    """Run the command line and exit with its code; see `pairwatch.errors` for the codes."""
    ending.run_and_exit(app)


def _run() -> int:
    """The same, for a process that goes on: returns the code."""
    return ending.run(app)
