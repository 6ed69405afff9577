"""`pairwatch spread A B`."""

from typing import TYPE_CHECKING, Annotated

from pairwatch.cli import options, studying
from pairwatch.cli.groups import plain

if TYPE_CHECKING:
    from pairwatch.model import Study

app = plain()


@app.command()
def spread(
    a: options.LegA,
    b: options.LegB,
    beside: Annotated[
        list[str] | None,
        options.option("--with", metavar="LEG", help="What this leg did on those days, too; may be repeated."),
    ] = None,
    days: Annotated[
        int, options.option("--days", metavar="N", help="How many days the ledger shows, the largest first.")
    ] = 10,
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
    """The spread: how far, whether it returns, and the days that made the gap.

    Examples:  pairwatch spread QQQ IWM  |  pairwatch spread QQQ IWM --with cboe:VIX --section ledger --csv
    """
    given, others = dict(locals()), beside or []

    def study(run: studying.Run) -> "Study":
        from pairwatch.studies import spread

        return spread.study(run.pair, run.beside(others), days)

    studying.run("spread", given, study, others)
