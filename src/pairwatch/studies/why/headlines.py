"""The findings of `why`: the numbers of the answers side by side, for the sentences themselves stand below them."""

import math
from collections.abc import Mapping

from pairwatch.studies.paired import Paired
from pairwatch.studies.why.own import GAP, Said, Values, apart_in_words
from pairwatch.studies.why.quoted import HEDGE, LEAD, REVERSION
from pairwatch.text import plural
from pairwatch.verdicts import bare, p_text

# What a small p is against, by topic.
TESTS = ((LEAD, "that neither leads"), (REVERSION, "that they drift apart"))


def headlines(pair: Paired, first: Mapping[str, Said], known: Values) -> tuple[str, ...]:
    """How near they are, what the tests say, and what a hedge is worth: those that have a number.

    Args:
        first: the first sentence of each topic.
    """
    found = (_near(pair, first, known), _tested(first), _hedged(pair, first))
    return tuple(text for text in found if text)


def _near(pair: Paired, first: Mapping[str, Said], known: Values) -> str:
    r, gap = known["pair", "correlation"], first.get(GAP)
    parts = [f"correlation {bare(r)}"] if math.isfinite(r) else []
    if gap and pair.pair.counted_alike and math.isfinite(gap.number):
        parts.append(apart_in_words(pair, gap.number))
    over = plural(int(known["pair", "observations"]), "return")
    return f"over the last {over}: {', '.join(parts)}" if parts else ""


def _tested(first: Mapping[str, Said]) -> str:
    parts = [
        f"{against} {p_text(first[topic].number)}"
        for topic, against in TESTS
        if topic in first and first[topic].unit == "probability" and math.isfinite(first[topic].number)
    ]
    return f"tested over the whole history: {', '.join(parts)}" if parts else ""


def _hedged(pair: Paired, first: Mapping[str, Said]) -> str:
    (a, b), one = pair.legs, first.get(HEDGE)
    if not one or one.unit != "fraction" or not math.isfinite(one.number):
        return ""
    share = f"{abs(one.number):.0%}"
    return f"{b} as a hedge of {a}: {share} {'less' if one.number > 0 else 'more'} variance out of sample"
