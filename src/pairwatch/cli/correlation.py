"""`pairwatch correlation A B`."""

from typing import TYPE_CHECKING, Annotated

from pairwatch.cli import options, studying
from pairwatch.cli.groups import plain

if TYPE_CHECKING:
    from pairwatch.model import Study

app = plain()


@app.command()
def correlation(
    a: options.LegA,
    b: options.LegB,
    by: Annotated[
        str | None,
        options.option("--by", metavar="LEG", help="Regimes by this leg's level the day before, e.g. cboe:VIX."),
    ] = None,
    benchmark: Annotated[
        str | None,
        options.option("--benchmark", metavar="LEG", help="This leg's up and down days and drawdowns, too."),
    ] = None,
    factor: Annotated[
        str | None,
        options.option("--factor", metavar="LEG", help="What is left when this leg is taken out of both."),
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
    """How correlation moves: by regime, in breakdowns, beside a factor.

    Examples:  pairwatch correlation QQQ IWM  |  pairwatch correlation QQQ IWM --by cboe:VIX --factor SPY
    """
    given = dict(locals())
    named = {"by": by, "benchmark": benchmark, "factor_leg": factor}
    others = {name: leg for name, leg in named.items() if leg}

    def study(run: studying.Run) -> "Study":
        from pairwatch.studies import correlation

        return correlation.study(run.pair, **dict(zip(others, run.beside(list(others.values())), strict=True)))

    studying.run("correlation", given, study, list(others.values()))
