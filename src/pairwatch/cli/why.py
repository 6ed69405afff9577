"""`pairwatch why A B`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pairwatch.cli import options, studying, world
from pairwatch.cli.groups import plain

if TYPE_CHECKING:
    from pairwatch.model import Study

app = plain()


@app.command()
def why(
    a: options.LegA,
    b: options.LegB,
    catalogue: Annotated[
        Path | None,
        options.option(
            "--catalogue",
            metavar="FILE",
            help="More instruments, a TOML file: [[instruments]] symbol, name, asset_class, tilt, region.",
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
    """What the numbers say of a pair, in plain sentences.

    Each sentence has its number: those of `compare`, and the answers of lead, correlation, spread, hedge and analogs.

    Examples:  pairwatch why QQQ IWM  |  pairwatch why QQQ IWM --json
    """
    given = dict(locals())

    def study(run: studying.Run) -> "Study":
        from pairwatch.studies import why
        from pairwatch.studies.instruments import catalogue as known

        file = world.config_file()
        return why.study(run.pair, known(world.parsed(file), str(file), catalogue, run.settings["source"]))

    studying.run("why", given, study)
