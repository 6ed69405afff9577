"""The spread of a pair: how far it is, whether it returns, and the days that made the gap.

Whether a spread returns is said by tests that hold their size where volatility clusters (HC3 errors; a wild bootstrap
of Johansen's trace), and by a half-life whose interval is open where a walk is not refused.
"""

from pairwatch.errors import UsageError
from pairwatch.model import Section, Study
from pairwatch.studies.paired import Beside, Paired
from pairwatch.studies.spread import cointegration, extremes, ledger, spreads
from pairwatch.studies.spread.findings import Found, findings

__all__ = ["HEADINGS", "brief", "study"]

# So many days the ledger shows where nobody says how many.
DAYS = 10

HEADINGS = (
    spreads.HEADING,
    cointegration.HEADING,
    ledger.HEADING,
    ledger.BESIDE,
    ledger.DRIVERS,
    extremes.HEADING,
)


def study(pair: Paired, beside: tuple[Beside, ...] = (), days: int = DAYS) -> Study:
    """The study of the spread.

    Args:
        beside: other legs, of which the ledger says what they did; each is looked at once.
        days: how many days the ledger shows.

    Raises:
        UsageError: no day to show, or a leg of the pair beside it.
    """
    if days < 1:
        raise UsageError(f"a ledger of {days} days shows nothing", "--days 10, or any number from 1 on")
    beside = _others(pair, beside)
    spans = cointegration.spans(pair)
    told = spreads.told(pair, spans[0].forth.test)
    gap, ends = ledger.ledger(pair, days), extremes.extremes(pair)
    going = ledger.drivers(pair, beside) if gap else ()
    sections = [spreads.section(pair, told), cointegration.section(pair, spans)]
    sections += [ledger.section(pair, gap)] if gap else [_refused(pair)]
    if gap and beside:
        sections += [ledger.beside_section(pair, gap, beside), ledger.drivers_section(going)]
    sections += [extremes.section(pair, ends)] if ends else []
    return pair.study("spread", findings(Found(pair, spans, told, gap, going, ends)), tuple(sections), beside=beside)


def brief(pair: Paired) -> Study:
    """What `why` quotes: the first two findings of `study`, what made the gap, and their sections.

    Of the spans there is the whole history alone, of the spreads the plainest, and no leg beside.
    """
    spans = (cointegration.span(pair, len(pair.days)),)
    told = (spreads.plainest(pair, spans[0].forth.test),)
    gap = ledger.ledger(pair, DAYS)
    sections = (
        spreads.section(pair, told),
        cointegration.section(pair, spans),
        ledger.section(pair, gap) if gap else _refused(pair),
    )
    return pair.study("spread", findings(Found(pair, spans, told, gap, (), None)), sections)


def _others(pair: Paired, beside: tuple[Beside, ...]) -> tuple[Beside, ...]:
    """The legs beside the pair, each once.

    Raises:
        UsageError: a leg of the pair itself.
    """
    for other in beside:
        if other.leg in pair.legs:
            raise UsageError(f"{other.leg} is a leg of the pair", "--with takes other legs: --with cboe:VIX")
    return tuple({other.leg: other for other in beside}.values())


def _refused(pair: Paired) -> Section:
    a, b = pair.legs
    one, other = pair.pair.a.change_unit, pair.pair.b.change_unit
    note = f"{a} changes in {one}, {b} in {other}: A's changes less B's would be counted in nothing"
    return Section(ledger.HEADING, (), (note,))
