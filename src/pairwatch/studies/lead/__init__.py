"""Who leads a pair: over its whole history, in windows that roll, in the past of either leg, and out of sample."""

from pairwatch import receipts, staging
from pairwatch.model import Leadership, Study
from pairwatch.staging import check_whole
from pairwatch.studies.lead import predictions, rolling, verdict
from pairwatch.studies.lead.findings import Found, findings, of_history
from pairwatch.studies.lead.headings import HEADINGS
from pairwatch.studies.paired import Paired

__all__ = ["HEADINGS", "brief", "study"]


def study(pair: Paired, step: int | None = None) -> Study:
    """Who leads.

    Args:
        step: from one rolling window to the next, in bars; by default a quarter of the window.

    Raises:
        UsageError: a step below one bar, or longer than the window.
    """
    if step is not None:
        check_whole("step", step, 1)
    bands = verdict.bands(pair)
    whole, window = verdict.over_history(pair, bands.asymmetry), verdict.over_window(pair)
    rolled, granger, halves = rolling.rolled(pair, step), predictions.granger(pair), predictions.halves(pair)
    sections = (
        verdict.section(pair, (whole, window)),
        verdict.correlogram_section(bands),
        verdict.asymmetry_section(bands),
        *rolling.sections(pair, rolled),
        predictions.granger_section(pair, granger),
        predictions.halves_section(halves),
    )
    found = Found(pair, whole, window, bands, rolled, granger, halves)
    return pair.study("lead", findings(found), sections, _warnings(pair, whole.lead, window.lead))


def brief(pair: Paired) -> Study:
    """The first of the findings and its section, of the whole history alone: what `why` quotes."""
    whole = verdict.over_history(pair, verdict.asymmetry(pair), shortly=True)
    sections = (verdict.section(pair, (whole,)),)
    return pair.study("lead", (of_history(pair, whole),), sections, _warnings(pair, whole.lead))


def _warnings(pair: Paired, *leads: Leadership) -> tuple[str, ...]:
    """What has to be said of clocks and averages beside the verdicts."""
    receipt = staging.receipt(pair.staged, pair.question, 0)
    return tuple(text for lead in leads for text in receipts.warnings(receipt, lead, pair.staged.lined_up))
