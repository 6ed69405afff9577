"""`pairwatch related A B`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pairwatch.cli import options, studying, world
from pairwatch.cli.groups import plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from pairwatch.histories import History
    from pairwatch.model import Leg, Study

app = plain()


@app.command()
def related(
    a: options.LegA,
    b: options.LegB,
    count: Annotated[int, typer.Option("--count", "-n", metavar="10", min=1, max=100, help="How many at most.")] = 10,
    catalogue: Annotated[
        Path | None,
        options.option(
            "--catalogue",
            metavar="FILE",
            help="More instruments, a TOML file: [[instruments]] symbol, name, asset_class, tilt, region; [[groups]] "
            "name, pairs.",
        ),
    ] = None,
    window: options.Window = None,
    as_of: options.AsOf = None,
    since: studying.Since = None,
    max_lag: options.MaxLag = None,
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
    """Pairs worth a look beside this one, each with its current line.

    Only A and B themselves are fetched: a related pair has its line where both its legs are cached.

    Examples:  pairwatch related QQQ IWM  |  pairwatch related QQQ IWM --count 5 --csv --section pairs
    """
    given = dict(locals())

    def study(run: studying.Run) -> "Study":
        from pairwatch.studies import related
        from pairwatch.studies.instruments import catalogue as known

        file, source = world.config_file(), run.settings["source"]
        cache = world.cache(run.settings)
        return related.study(
            run.pair,
            known(world.parsed(file), str(file), catalogue, source),
            _at_hand(run),
            lambda: [entry.leg for entry in cache.entries()],
            count,
        )

    studying.run("related", given, study)


def _at_hand(run: studying.Run) -> "Callable[[Leg], History | None]":
    """What gives the history of a leg from the cache alone."""
    from pairwatch.errors import PairwatchError

    settings = {**run.settings, "offline": True, "refresh": False}
    desk = world.desk(settings, world.cache(settings), run.pair.question, now=run.now)

    def get(leg: "Leg") -> "History | None":
        try:
            return desk.history(leg)
        except PairwatchError:  # not cached, or in a currency that cannot be had without asking
            return None

    return get
