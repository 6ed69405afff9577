"""Whether B hedges A: hold one of A, be short of `ratio` of B.

The answer is what a hedge would have done with ratios that were known at the time. What ratios take away of the bars
that they are made of is beside it, and so are the days on which a hedge is for: the worst of either leg, the falls from
peak to trough, episodes of the past, and shocks that the user names.
"""

from collections.abc import Sequence

from pairwatch.model import Study
from pairwatch.studies.hedge import findings, held, ratios, shocks, stress, worst
from pairwatch.studies.hedge.episodes import Episode, of_file, read, shipped, together
from pairwatch.studies.hedge.held import Terms
from pairwatch.studies.hedge.legs import sides
from pairwatch.studies.hedge.shocks import Shock
from pairwatch.studies.hedge.shocks import read as read_shock
from pairwatch.studies.paired import Paired

__all__ = [
    "HEADINGS",
    "Episode",
    "Shock",
    "Terms",
    "brief",
    "of_file",
    "read",
    "read_shock",
    "shipped",
    "study",
    "together",
]

HEADINGS = (
    ratios.HEADING,
    held.HEADING,
    worst.DAYS_HEADING,
    worst.FALLS_HEADING,
    stress.HEADING,
    shocks.HEADING,
)


def study(
    pair: Paired,
    terms: Terms = Terms(),  # noqa: B008 - an immutable record
    shocks_asked: Sequence[Shock] = (),
    episodes: Sequence[Episode] | None = None,
) -> Study:
    """Whether B hedges A.

    Args:
        terms: what trading costs, and how often the ratio is set.
        episodes: by default the shipped ones.

    Raises:
        UsageError: a shock of no leg of the pair, or in a unit that it has not.
    """
    of = sides(pair)
    moves = [shocks.met(one, of) for one in shocks_asked]
    every_ratio = held.candidates(of)
    main = every_ratio[0]
    trial = held.trial(of, every_ratio, terms)
    days, means = worst.days(of, main)
    listed = shipped() if episodes is None else episodes
    past = stress.told(of, main, listed)
    ahead = [(move, shocks.outlooks(of, main.latest, move)) for move in moves]
    sections = [
        ratios.section(of),
        held.section(of, trial, every_ratio, terms),
        days,
        worst.falls(of, main),
        stress.section(of, past, listed),
        *([shocks.section(of, main, ahead)] if ahead else []),
    ]
    found = findings.Found(of, every_ratio, trial, means, past, ahead, terms)
    return pair.study("hedge", findings.told(found), tuple(sections), findings.warnings(of))


def brief(pair: Paired) -> Study:
    """What `why` quotes: the first finding of `study`, and what it rests on."""
    of = sides(pair)
    every_ratio = held.candidates(of)
    trial, terms = held.trial(of, every_ratio, Terms()), Terms()
    _, means = worst.days(of, every_ratio[0])
    found = findings.Found(of, every_ratio, trial, means, [], [], terms)
    section = held.section(of, trial, every_ratio, terms)
    return pair.study("hedge", (findings.answer(found),), (section,), findings.warnings(of))
