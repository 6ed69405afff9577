"""The spread of a pair: how far it is, whether it returns, and the days that made the gap.

Whether a spread returns is said by tests that hold their size where volatility clusters (HC3 errors; a wild bootstrap
of Johansen's trace), and by a half-life whose interval is open where a walk is not refused.
"""

from pairwatch.errors import UsageError
from pairwatch.model import Section, Study
from pairwatch.studies.paired import Beside, Paired
from pairwatch.studies.spread import cointegration, extremes, ledger, spreads
from pairwatch.studies.spread.findings import Found, findings

__all__ = ["HEADINGS", "study"]

HEADINGS = (
    spreads.HEADING,
    cointegration.HEADING,
    ledger.HEADING,
    ledger.BESIDE,
    ledger.DRIVERS,
    extremes.HEADING,
)


def study(pair: Paired, beside: tuple[Beside, ...] = (), days: int = 10) -> Study:
    """The study of the spread.

    Args:
        beside: other legs, of which the ledger says what they did.
        days: how many days the ledger shows.

    Raises:
        UsageError: no day to show.
    """
    if days < 1:
        raise UsageError(f"a ledger of {days} days shows nothing", "--days 10, or any number from 1 on")
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


def _refused(pair: Paired) -> Section:
    a, b = pair.legs
    one, other = pair.pair.a.change_unit, pair.pair.b.change_unit
    note = f"{a} changes in {one}, {b} in {other}: A's changes less B's would be counted in nothing"
    return Section(ledger.HEADING, (), (note,))
