"""How usual today's numbers are: where each stands among the same number of every earlier window."""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from pairwatch.kernels import past as kernel
from pairwatch.model import Days, Floats, Reading, Scope
from pairwatch.model.results import UNUSUAL, Percentiles
from pairwatch.stats.past import PairPast, Past, pasts

# So many windows that do not overlap are the least that a percentile is said of.
WINDOWS_NEED = 3
# What `pairwatch explain` says of every statistic that has a past.
MEANING = (
    "the share of its values in all earlier windows of as many bars (of a change: over as long a span) that are below "
    "today's, plus half of those as large, today's own counted; windows in which it cannot be said do not count, and "
    "of rank correlation only one in a quarter of their length; from three windows' worth of history on"
)


class _Told(NamedTuple):
    """A statistic's past values, one for each bar or for each of `PairPast.step`; today's is the last."""

    name: tuple[Scope, str]
    values: Floats
    strided: bool


def percentiles(past: PairPast, days: Days, readings: Sequence[Reading]) -> Percentiles | None:
    """Where the readings that have a past stand in it; None where the history is shorter than three windows.

    Args:
        days: of the common bars; shape (n + 1,).
    """
    if past.returns < WINDOWS_NEED * past.window:
        return None
    told = list(_told(past, days, readings))
    return Percentiles(
        of={one.name: kernel.middle_rank(one.values, float(one.values[-1])) for one in told},
        since=days[0].item(),
        windows=past.returns - past.window + 1,
        independent=past.returns // past.window,
        as_many=_as_many(told, past.step) if told else math.nan,
    )


def shown(share: float) -> str:
    """A percentile as a whole number: `3`, `98`; `<1` and `>99` at the ends."""
    if share < 0.01:
        return "<1"
    return ">99" if share > 0.99 else f"{100 * share:.0f}"


def _told(past: PairPast, days: Days, readings: Sequence[Reading]) -> Iterator[_Told]:
    """The past of each reading that has one, and one that is long enough."""
    known = pasts()
    computed: dict[tuple[Scope, str], Floats] = {}
    for reading in readings:
        scope, key = reading.scope, reading.statistic.key
        found = known.get(key)
        if found is None or not math.isfinite(reading.value):
            continue
        if scope == "difference":
            values = computed["a", key] - computed["b", key]
        else:
            values = found.function({"a": past.a, "b": past.b}.get(scope, past))
        computed[scope, key] = values
        if _is_long(values, found, past, days):
            yield _Told((scope, key), values, found.strided)


def _is_long(values: Floats, found: Past, past: PairPast, days: Days) -> bool:
    """Whether the past of a number holds three windows, or three spans, and today's value is known."""
    known = np.isfinite(values)
    if not known[-1]:
        return False
    if found.days:
        first = days[len(days) - len(values) + int(known.argmax())]
        return int((days[-1] - first).astype("i8")) >= (WINDOWS_NEED - 1) * found.days
    step = past.step if found.strided else 1
    return int(np.count_nonzero(known)) * step > (WINDOWS_NEED - 1) * past.window


def _as_many(told: Sequence[_Told], step: int) -> float:
    """The share of days on which as many numbers were unusual as today; of every `step`-th day, back from today.

    What chance does to numbers that depend on each other is in their history: no theory has to say it.
    """
    columns = [one.values[::-1] if one.strided else one.values[::-step] for one in told]
    count = min(map(len, columns))
    shares = kernel.middle_ranks(np.stack([column[:count] for column in columns]))
    unusual = ((shares <= UNUSUAL) | (shares >= 1 - UNUSUAL)).sum(axis=0)
    return float((unusual >= unusual[0]).mean())
