"""The arguments and options that commands share, as annotations.

What is typed for a setting stays text until `config` reads it as it reads variables and the file; a pair of flags lets
the line undo what those say.
"""

from pathlib import Path
from typing import Annotated, Any

import typer


def option(*names: str, help: str, metavar: str | None = None) -> Any:
    """An option that shows no default: the settings have them."""
    return typer.Option(*names, metavar=metavar, help=help, show_default=False)


LegA = Annotated[
    str,
    typer.Argument(metavar="A", help="[source:]symbol, e.g. QQQ, csv:all.csv#IWM, demo:LEADER, or - for CSV on stdin."),
]
LegB = Annotated[str, typer.Argument(metavar="B", help="The other leg, in the same form.")]
Window = Annotated[
    str | None,
    option("--window", "-w", metavar="90d", help="How far back: 90d (calendar days), 12w, 6mo, 1y or 61b (bars)."),
]
AsOf = Annotated[str | None, option("--as-of", metavar="DATE", help="Recompute as if that day were today.")]
Vintage = Annotated[
    str | None,
    option("--vintage", metavar="SNAPSHOT", help="What was said then: a snapshot's day, 2026-11-20.2, or latest."),
]
MaxLag = Annotated[str | None, option("--max-lag", metavar="10", help="The largest lag of the lead test, in bars.")]
Adjust = Annotated[
    str | None, option("--adjust", metavar="total|price", help="Reinvest distributions (total), or not (price).")
]
Currency = Annotated[
    str | None, option("--currency", metavar="USD", help="Convert prices into it (default: each leg in its own).")
]
Align = Annotated[
    str | None,
    option(
        "--align",
        metavar="date|nearest|two-day",
        help="Closes taken together: of one date, nearest in time, or of every second day.",
    ),
]
Unit = Annotated[
    list[str] | None,
    option(
        "--unit",
        metavar="LEG=rate",
        help="What a leg's values are: rate, price, index, level, or points; may be repeated.",
    ),
]
Format = Annotated[
    str | None,
    option(
        "--format", "-f", metavar="auto|table|csv|json|markdown", help="auto: a table on a terminal, CSV in a pipe."
    ),
]
AsCsv = Annotated[bool, option("--csv", help="Short for --format csv.")]
AsJson = Annotated[bool, option("--json", help="Short for --format json.")]
Output = Annotated[Path | None, option("--output", "-o", metavar="FILE", help="Write to FILE, all of it or nothing.")]
Source = Annotated[str | None, option("--source", metavar="yahoo", help="Where legs without a prefix come from.")]
Refresh = Annotated[bool | None, option("--refresh/--no-refresh", help="Ask for the whole history again.")]
Offline = Annotated[bool | None, option("--offline/--no-offline", help="Answer from the cache alone.")]
MaxAge = Annotated[
    str | None,
    option("--max-age", metavar="15m", help="How old a price of an open session may be; 0s: ask every time."),
]
Deadline = Annotated[str | None, option("--deadline", metavar="20s", help="How long a source may take for a leg.")]
FailStale = Annotated[
    bool | None, option("--fail-stale/--no-fail-stale", help="Exit 6 when a leg is older than it should be.")
]
Seed = Annotated[str | None, option("--seed", metavar="0", help="Of the permutations.")]
Quiet = Annotated[bool | None, option("--quiet/--no-quiet", "-q", help="No notes on stderr, only errors.")]
LogFile = Annotated[
    str | None, option("--log-file", metavar="FILE", help="Append what the run did to FILE, as JSON lines.")
]
Verbose = Annotated[bool, option("--verbose", "-v", help="Show what the libraries say, on stderr.")]
