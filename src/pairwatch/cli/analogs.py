"""`pairwatch analogs A B`."""

from typing import TYPE_CHECKING, Annotated

from pairwatch.cli import options, studying
from pairwatch.cli.groups import plain

if TYPE_CHECKING:
    from pairwatch.model import Study

app = plain()


@app.command()
def analogs(
    a: options.LegA,
    b: options.LegB,
    by: Annotated[
        str, options.option("--by", metavar="z|gap|correlation", help="What was as far as today (default: z).")
    ] = "z",
    horizons: Annotated[
        str, options.option("--horizons", metavar="5,20,60", help="How many bars later is looked at.")
    ] = "5,20,60",
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
    """What followed when the pair was as far apart as today.

    Examples:  pairwatch analogs QQQ IWM  |  pairwatch analogs QQQ IWM --by gap --horizons 5,20 --section events --csv
    """
    given = dict(locals())

    def study(run: studying.Run) -> "Study":
        from pairwatch.studies import analogs

        return analogs.study(run.pair, by, analogs.horizons_of(horizons))

    studying.run("analogs", given, study)
