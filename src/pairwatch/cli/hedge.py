"""`pairwatch hedge A B`."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pairwatch.cli import options, studying, world
from pairwatch.cli.groups import plain
from pairwatch.errors import UsageError
from pairwatch.text import clean

if TYPE_CHECKING:
    from pairwatch.model import Study
    from pairwatch.studies.hedge import Episode, Terms

app = plain()

_COST = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*(bp|%)\Z")
_BARS = re.compile(r"([0-9]{1,6})\s*b?\Z")


@app.command()
def hedge(
    a: options.LegA,
    b: options.LegB,
    cost: Annotated[
        str | None, options.option("--cost", metavar="5bp", help="What trading a unit of B costs: 5bp or 0.05%.")
    ] = None,
    rebalance: Annotated[
        str | None,
        options.option("--rebalance", metavar="21b", help="Set the ratio every so many bars (default: once a month)."),
    ] = None,
    shock: Annotated[
        list[str] | None,
        options.option("--shock", metavar="B=-10%", help="What such a move of a leg would bring; may be repeated."),
    ] = None,
    episodes: Annotated[
        Path | None,
        options.option("--episodes", metavar="FILE", help="More episodes, a TOML file: [[episodes]] name, from, to."),
    ] = None,
    window: options.Window = None,
    as_of: options.AsOf = None,
    since: studying.Since = None,
    adjust: options.Adjust = None,
    currency: options.Currency = None,
    align: options.Align = None,
    unit: options.Unit = None,
    section: studying.Only = None,
    format: studying.Format = None,
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
    """Whether B hedges A: out of sample, in its worst days, and under stress.

    Examples:  pairwatch hedge QQQ IWM  |  pairwatch hedge QQQ IWM --cost 5bp --shock IWM=-10%
    """
    given = dict(locals())
    from pairwatch.studies import hedge

    # What was typed is read before anything is fetched.
    terms = _terms(cost, rebalance)
    shocks = [hedge.read_shock(text) for text in shock or []]
    listed = _episodes(episodes)

    def study(run: studying.Run) -> "Study":
        return hedge.study(run.pair, terms, shocks, listed)

    studying.run("hedge", given, study)


def _terms(cost: str | None, rebalance: str | None) -> "Terms":
    from pairwatch.model import NAN
    from pairwatch.studies.hedge import Terms

    return Terms(NAN if cost is None else _cost(cost), None if rebalance is None else _bars(rebalance))


def _cost(text: str) -> float:
    """A fraction."""
    found = _COST.match(text.strip())
    size = float(found[1]) / (10_000 if found[2] == "bp" else 100) if found else 1.0
    if not size < 1:
        raise UsageError(f"--cost cannot be {clean(text)!r}", "write it as 5bp or 0.05%")
    return size


def _bars(text: str) -> int:
    found = _BARS.match(text.strip())
    if not found or not int(found[1]):
        raise UsageError(f"--rebalance cannot be {clean(text)!r}", "a number of bars, such as 21b")
    return int(found[1])


def _episodes(file: Path | None) -> "tuple[Episode, ...]":
    """The shipped ones, those of the configuration file, and those of the file that is named."""
    from pairwatch.studies import hedge

    settings = world.config_file()
    lists = [hedge.shipped(), hedge.read(world.parsed(settings), str(settings))]
    if file:
        lists.append(hedge.of_file(_text(file), str(file)))
    return hedge.together(lists)


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, ValueError) as error:
        why = clean(getattr(error, "strerror", None) or error)
        raise UsageError(f"--episodes {clean(file, 200)} cannot be read ({why})", "name a TOML file") from None
