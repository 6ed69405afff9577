"""A pair over its whole history, and other legs on its days: what every study begins with."""

from dataclasses import replace
from datetime import date
from typing import NamedTuple

import numpy as np

from pairwatch import kernels, receipts, staging
from pairwatch.alignment import FEWEST_RETURNS, align, base, matches
from pairwatch.catalogue import PairView
from pairwatch.errors import NotEnoughData
from pairwatch.histories import History, adjusted
from pairwatch.model import NAN, Days, Facts, Floats, Leadership, Leg, Section, Series, Study, Third, Window
from pairwatch.staging import Question, Staged
from pairwatch.text import plural

# Below this share of the bars it is said how many a third leg has.
NEARLY_ALL = 0.9
# A percentile of a rolling number is said from so many windows that do not overlap.
WINDOWS_NEED = 3


class Paired(NamedTuple):
    """Two legs on all their common days, from `since` on.

    Attributes:
        staged: both histories and the pair's views; its window is the whole history.
        question: what was asked; its window is the one that rolls.
        bars: how many bars that window holds today.
        since: the day from which on the history was asked for, where it has earlier ones.
    """

    staged: Staged
    question: Question
    bars: int
    since: date | None = None

    @property
    def legs(self) -> tuple[Leg, Leg]:
        """A and B."""
        return self.staged.sides[0].series.leg, self.staged.sides[1].series.leg

    @property
    def facts(self) -> tuple[Facts, Facts]:
        """What is known of A and of B."""
        return self.staged.sides[0].series.facts, self.staged.sides[1].series.facts

    @property
    def pair(self) -> PairView:
        """The views of the whole history: `a.returns` has shape (n,), `a.levels` and `spread` (n + 1,)."""
        return self.staged.pair

    @property
    def days(self) -> Days:
        """The days of the closes; shape (n + 1,). The return at place t is dated `days[t + 1]`."""
        return self.staged.lined_up.dates

    @property
    def n(self) -> int:
        """How many returns there are."""
        return len(self.days) - 1

    @property
    def spread(self) -> Floats:
        """Ln A - ln B; A - B of legs that change by differences in one unit; else NaN; shape (n + 1,)."""
        pair = self.pair
        if pair.a.by_differences and pair.b.by_differences:
            return pair.a.levels - pair.b.levels if pair.counted_alike else np.full(self.n + 1, NAN)
        return pair.spread

    @property
    def log_levels(self) -> tuple[Floats, Floats]:
        """What a hedged spread is made of: logarithms, or for legs that change by differences the levels themselves."""
        a, b = self.pair.a, self.pair.b
        return tuple(leg.levels if leg.by_differences else np.log(leg.levels) for leg in (a, b))  # type: ignore[return-value]

    @property
    def bars_per_year(self) -> int:
        """P."""
        return self.staged.lined_up.bars_per_year

    @property
    def span(self) -> str:
        """What the days are, in words: the `whole history`, or those `since` a day."""
        return f"since {self.since}" if self.since else "whole history"

    @property
    def noun(self) -> str:
        """What is made of two closes: a return, or of legs that change by differences a change."""
        return noun(*self.facts)

    def day(self, at: int) -> date:
        """The day of the close at a place."""
        found: date = self.days[at].item()
        return found

    def need(self, returns: int, what: str) -> None:
        """Raise `NotEnoughData` where there are fewer returns than `what` needs."""
        if self.n < returns:
            a, b = self.legs
            raise NotEnoughData(
                f"{a} and {b} have {plural(self.n, f'common {self.noun}')} from {self.day(0)} to {self.day(-1)}, "
                f"{what} needs {returns}",
                "take a longer history: an earlier --since, or legs that begin earlier",
            )

    def _span(self, leg: "Beside") -> tuple[date, date]:
        """The first and the last of the pair's days on which a third leg has a close."""
        known = np.flatnonzero(np.isfinite(leg.levels))
        return self.day(int(known[0])), self.day(int(known[-1]))

    def study(
        self,
        name: str,
        findings: tuple[str, ...],
        sections: tuple[Section, ...],
        warnings: tuple[str, ...] = (),
        beside: "tuple[Beside, ...]" = (),
    ) -> Study:
        """What a study has found, with what it rests on, third legs included."""
        receipt = staging.receipt(self.staged, self.question, self.question.max_lag)
        silent = Leadership(0, NAN, NAN, NAN, np.zeros(1))  # of a lead only the studies of one speak
        remarks = (*receipts.warnings(receipt, silent, self.staged.lined_up), *warnings)
        third = tuple(text for leg in beside for text in (leg.stale, *leg.remarks))
        a, b = self.legs
        return Study(
            name=name,
            a=a,
            b=b,
            since=receipt.base,
            as_of=receipt.end,
            bars=self.bars,
            findings=findings,
            sections=sections,
            receipt=receipt,
            beside=tuple(Third(leg.leg, *self._span(leg), leg.known) for leg in beside),
            stale_beside=tuple(leg.stale for leg in beside if leg.stale),
            warnings=tuple(dict.fromkeys(text for text in (*remarks, *third) if text)),
        )


def noun(*facts: Facts) -> str:
    """`return`, or `change` where any of the legs changes by differences."""
    return "change" if any(one.by_differences for one in facts) else "return"


def paired(a: History, b: History, question: Question, since: date | None = None) -> Paired:
    """Both legs on all their common days up to `question.as_of`.

    Args:
        question: its window is the one that rolls: as many bars as it holds today.
        since: the first return is made from the last common close on or before this day.

    Raises:
        NotEnoughData: too few common returns, or closes that no return can be made of.
        UsageError: legs that cannot be lined up in the way that is asked for.
    """
    first, second = (receipts.as_of(side, question.as_of).series for side in (a, b))
    dates = matches(first, second, question.align).dates
    begin = max(0, int(dates.searchsorted(np.datetime64(since), side="right")) - 1) if since and len(dates) else 0
    if begin and len(dates) - 1 - begin < FEWEST_RETURNS:
        raise NotEnoughData(
            f"{first.leg} and {second.leg} have "
            f"{plural(len(dates) - 1 - begin, f'common {noun(first.facts, second.facts)}')} since {since}, "
            f"{FEWEST_RETURNS} are needed",
            f"take an earlier --since: their first common close is of {dates[0]}",
        )
    whole = Window(max(1, len(dates) - 1 - begin), "b")
    staged = staging.staged(a, b, replace(question, window=whole), without="--since, --as-of")
    align(first, second, question.window, question.align)  # refused where the window is too short, as `compare` does
    held = len(dates) - 1 - base(dates, question.window)[0]
    return Paired(staged, question, min(held, len(staged.lined_up.dates) - 1), since if begin else None)


class Beside(NamedTuple):
    """A third leg on a pair's days.

    Attributes:
        levels: its adjusted closes of the same days, or of the periods that end on them, NaN where it has none; shape
            (n + 1,).
        returns: its changes from one of the pair's days to the next, NaN where it lacks either; shape (n,).
        change_unit: what these are counted in: `fraction`, `bp`, or the unit of its values.
        stale: why it is older than it should be, or nothing.
        remarks: what else has to be said of it.
    """

    leg: Leg
    facts: Facts
    levels: Floats
    returns: Floats
    change_unit: str
    stale: str = ""
    remarks: tuple[str, ...] = ()

    @property
    def known(self) -> int:
        """How many of the returns it has."""
        return int(np.count_nonzero(np.isfinite(self.returns)))


def beside(history: History, pair: Paired) -> Beside:
    """A third leg on the days of a pair: by date, or by period where the pair is lined up so; nothing is filled.

    Also beside a pair that is lined up otherwise (`nearest`) it goes by date, which its remarks say.

    Raises:
        NotEnoughData: it has fewer than two of the days in a row.
    """
    found = receipts.as_of(history, pair.question.as_of)
    series, facts = found.series, found.series.facts
    every = series.closes if facts.by_differences else adjusted(series, pair.question.adjustment)
    period = pair.staged.lined_up.every.period
    bars = Series(pair.legs[0], pair.days, np.ones(len(pair.days)), facts=Facts(frequency=period))
    placed = matches(bars, series)
    levels = np.full(len(pair.days), NAN)
    levels[placed.at_a] = every[placed.at_b]
    if not facts.by_differences:
        levels[levels <= 0] = NAN
    returns = np.diff(levels) * facts.scale if facts.by_differences else kernels.simple_returns(levels)
    known = int(np.count_nonzero(np.isfinite(returns)))
    if known < 2:
        raise NotEnoughData(
            f"{series.leg} has no two closes in a row on the days of {pair.legs[0]} and {pair.legs[1]}",
            "take a leg that trades on the same days",
        )
    provenance = found.provenance
    remarks = [*provenance.made, *provenance.remarks]
    if known < NEARLY_ALL * pair.n:
        remarks.append(
            f"{series.leg} has a change on {known:,} of {pair.n:,} bars only: the others do not count with it"
        )
    if pair.question.align == "nearest":
        remarks.append(f"{series.leg} goes by the pair's dates, not by the nearest close in time")
    if placed.average:
        remarks.append(f"{series.leg}: {placed.lined_up}; beside averages of a {period} this is the end of it alone")
    return Beside(series.leg, facts, levels, returns, facts.change_unit, provenance.stale, tuple(remarks))
