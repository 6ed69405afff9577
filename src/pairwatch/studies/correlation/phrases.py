"""Numbers inside sentences, and why there are none."""

import math

import numpy as np

from pairwatch import kernels
from pairwatch.kernels.dependence import SAME
from pairwatch.studies.paired import Paired
from pairwatch.verdicts import p_text

DAYS = 200
"""With so many bars a year they are called days."""


def plain(value: float) -> str:
    """A correlation: `.86`, `-.03`, `1.00`."""
    if not math.isfinite(value):
        return "–"
    text = f"{value:z.2f}"
    return text.replace("0.", ".", 1) if abs(float(text)) < 1 else text


def between(low: float, high: float) -> str:
    """An interval: `[.78, .91]`."""
    return f"[{plain(low)}, {plain(high)}]"


def chance(p: float, least: float = 0.0) -> str:
    """A probability: `p .41`, `p .003`, `p < .001`, `p at most .02`.

    Args:
        least: what no p can be below: that of a share of so many histories.
    """
    if not math.isfinite(p):
        return "no p"
    return f"p at most {plain(least)}" if p <= least else p_text(p)


def ordinal(share: float) -> str:
    """A percentile, as tables have it: `41st`, `12th`, at the ends `below the 1st`, `above the 99th`."""
    if not 0.01 <= share <= 0.99:
        return "below the 1st" if share < 0.01 else "above the 99th"
    place = round(100 * share)
    tail = "th" if place // 10 % 10 == 1 else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{place}{tail}"


def silence(pair: Paired) -> str:
    """Why the correlation of a pair cannot change; empty where it can."""
    returns = pair.pair.a.returns, pair.pair.b.returns
    r = kernels.correlation(*returns)
    if math.isnan(r):
        still = [i for i, x in enumerate(returns) if math.isnan(kernels.correlation(x, x))]
        at = still[0] if still else 0
        how = "changes by the same on every bar" if np.any(returns[at]) else "does not move"
        return f"{pair.legs[at]} {how}"
    if 1 - r * r < SAME:
        return "the legs are one series twice" if r > 0 else "one leg is the other turned over"
    return ""


def day_word(pair: Paired) -> str:
    """What a bar is called: `day`, or `bar`."""
    return "day" if pair.bars_per_year > DAYS else "bar"
