"""The findings of `why`: the numbers of the answers side by side, for the sentences themselves stand below them."""

import math
from collections.abc import Mapping

from pairwatch.studies.paired import Paired
from pairwatch.studies.why.own import GAP, Said, Values, apart_in_words, noun
from pairwatch.studies.why.quoted import HEDGE, LEAD, REVERSION
from pairwatch.text import plural
from pairwatch.verdicts import bare


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
    over = plural(int(known["pair", "observations"]), noun(pair))
    return f"over the last {over}: {', '.join(parts)}" if parts else ""


def _tested(first: Mapping[str, Said]) -> str:
    """What the tests of the whole history have found, in its studies' words: a p alone is read as a chance."""
    parts = [
        in_short(first[topic].sentence)
        for topic, in_short in ((LEAD, _lead), (REVERSION, _reversion))
        if topic in first and first[topic].unit == "probability" and math.isfinite(first[topic].number)
    ]
    return f"over the whole history: {'; '.join(parts)}" if parts else ""


def _lead(sentence: str) -> str:
    """`no leader shows (p .82)` of `whole history, 6,597 returns: no leader (p .82; a lead of .05 ...)`."""
    verdict = sentence.partition(": ")[2] or sentence
    told, cut, _ = verdict.partition(";")
    closed = f"{told})" if cut and told.count("(") > told.count(")") else told
    return closed.replace("no leader (", "no leader shows (", 1)


def _reversion(sentence: str) -> str:
    """`the tests do not agree whether A and B are cointegrated (Engle-Granger ...)`: without the span."""
    verdict, _, tests = sentence.partition(": ")
    tests = tests.partition(", over ")[0]
    return f"{verdict} ({tests})" if tests else verdict


def _hedged(pair: Paired, first: Mapping[str, Said]) -> str:
    (a, b), one = pair.legs, first.get(HEDGE)
    if not one or one.unit != "fraction" or not math.isfinite(one.number):
        return ""
    share = f"{abs(one.number):.0%}"
    return f"{b} as a hedge of {a}: {share} {'less' if one.number > 0 else 'more'} variance out of sample"
