"""`pairwatch lead A B`."""

from typing import TYPE_CHECKING, Annotated

import typer

from pairwatch.cli import options, studying
from pairwatch.cli.groups import plain
from pairwatch.errors import UsageError

if TYPE_CHECKING:
    from pairwatch.model import Study

app = plain()


@app.command()
def lead(
    a: options.LegA,
    b: options.LegB,
    interval: Annotated[
        str | None,
        options.option(
            "--interval",
            metavar="1d|1h|5m|30s|ticks",
            help="Bars within days instead of daily ones: 1m, 2m, 5m, 15m, 30m or 1h; of files with timestamps any "
            "other too (1s, 30s, 4h), and ticks.",
        ),
    ] = None,
    step: Annotated[
        int | None,
        typer.Option(
            "--step",
            metavar="BARS",
            min=1,
            show_default=False,
            help="From one rolling window to the next (default: a quarter of the window).",
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
    """Who leads whom, over the whole history: when, how surely, and out of sample.

    Examples:  pairwatch lead QQQ IWM  |  pairwatch lead QQQ IWM --section episodes --csv  |  pairwatch lead QQQ IWM
    --interval 1h
    """
    given = dict(locals())
    if interval is not None and interval.strip().lower() != "1d":
        if step is not None:
            raise UsageError("--step means nothing within days", "leave it out, or leave out --interval")
        from pairwatch.cli import studying_intraday

        studying_intraday.run(given)
        return

    def study(run: studying.Run) -> "Study":
        from pairwatch.studies import lead

        return lead.study(run.pair, step)

    studying.run("lead", given, study)
