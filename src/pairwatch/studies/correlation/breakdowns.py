"""When the correlation gave way, and when it changed most."""

import math
from typing import NamedTuple

import numpy as np

from pairwatch import kernels
from pairwatch.kernels import breaks, episodes, smoothing
from pairwatch.kernels.draws import Draws
from pairwatch.kernels.episodes import Chance
from pairwatch.kernels.rolling import rolling_correlation
from pairwatch.model import NAN, Cell, Floats, Section
from pairwatch.studies.correlation.headings import BREAK, BREAKDOWNS
from pairwatch.studies.correlation.phrases import chance, plain, silence
from pairwatch.studies.paired import Paired
from pairwatch.text import plural

SURE = 0.05
# Resampled histories: as many as a run has the time for.
HISTORIES, OF_LONG_ONES = 99, 49
LONG = 3_300
# In windows of fewer bars chance alone makes any correlation.
LEAST_BARS = 20
_YEAR = 365.25
HALTED = f"a leg is halted: unchanged for {episodes.HALT} bars or more"
# What the break's p is of, and how often it rejects where the correlation is the same in the long run.
CAVEAT = (
    "p is of what is measured: the link changed, or the volatilities of what the legs share and of their own parted"
    " company; of simulated histories in which these only cluster, each by itself, 12 to 18% show a break at p .05 from"
    " 1,000 returns on, 21 to 30% of 250 or 500"
)


class Breakdown(NamedTuple):
    """One episode, by places among the rolling windows.

    Attributes:
        end: where it was back; the number of windows where it is not.
        weakest: where r was nearest to zero, or farthest beyond it.
        depth: how far it was at most, in deviations of its past, which need not be there.
        p_deep, p_long: shares of the resampled histories that have one as deep, and as long; NaN where none is drawn.
    """

    begin: int
    end: int
    weakest: int
    usual: float
    depth: float
    p_deep: float
    p_long: float


class Breakdowns(NamedTuple):
    """All episodes of a pair.

    Attributes:
        bars: of the rolling window, see `rolled`.
        rolling: the rolling correlation, NaN where a leg stands still; empty where the rule cannot be followed.
        silent: why it cannot.
        by_chance: how many a history of constant correlation has, on average; NaN where none is drawn.
        p_value: of so many.
        histories: how many were drawn.
    """

    pair: Paired
    bars: int
    rolling: Floats
    found: tuple[Breakdown, ...]
    by_chance: float
    p_value: float
    histories: int
    silent: str = ""

    def section(self) -> Section:
        """A row an episode."""
        return Section(BREAKDOWNS, tuple(self._row(one) for one in self.found), (self.rule(), *self._beside()))

    def finding(self) -> str:
        """How many, how many chance makes, and the one it makes least: the longest, or the deepest."""
        if self.silent:
            return f"breakdowns: cannot be said ({self.silent})"
        drawn = f"{self.by_chance:.1f} by chance ({self._chance(self.p_value)})" if self.histories else ""
        said = f"{plural(len(self.found), 'breakdown')}, {drawn or 'not held against chance here'}"
        return f"{said}; {self._told()}" if self.found else said

    def _told(self) -> str:
        longest = max(self.found, key=lambda one: one.end - one.begin)
        deepest = min(self.found, key=lambda one: one.depth)
        told, name = (deepest, "the deepest") if deepest.p_deep < longest.p_long else (longest, "the longest")
        lasted = f"from {self._day(told.begin)} for {plural(told.end - told.begin, 'bar')}"
        still = ", not over" if told.end == len(self.rolling) else ""
        weakest = f"down to {plain(float(self.rolling[told.weakest]))} where {plain(told.usual)} was usual"
        return f"{name if len(self.found) > 1 else 'it went'} {lasted}{still}, {weakest}{self._likely(told)}"

    def _likely(self, told: Breakdown) -> str:
        """The p of the rarer of an episode's depth and length, as one of two (Holm 1979); each is in the table."""
        if not self.histories:
            return ""
        rarer = chance(min(1.0, 2 * min(told.p_deep, told.p_long)), 2 * self._least)
        return f" ({rarer} for the rarer of depth and length)"

    def rule(self) -> str:
        """What begins and ends one."""
        window = self.pair.question.window
        of = "" if window.unit == "b" else f" ({window} at {self.pair.bars_per_year} a year)"
        return (
            f"rule: {plural(self.bars, 'bar')}{of} rolling, atanh(r) more than {episodes.FAR:g} deviations of all"
            " earlier values weaker than their mean, until it is back at the mean of its past"
        )

    def _beside(self) -> list[str]:
        if self.silent:
            return [self.silent]
        if not self.histories:
            return []
        drawn = (
            f"constant correlation gives {self.by_chance:.1f} on average; for as many {self._chance(self.p_value)}"
            f" ({self.histories} histories resampled in blocks of {episodes.BLOCK} bars, volatility kept;"
            f" no p is below {plain(self._least)}, and of a count it is rather too large than too small)"
        )
        notes = [drawn]
        still = int(np.count_nonzero(np.isnan(self.rolling)))
        if still:
            notes.append(f"left out: {plural(still, 'window')} in which {HALTED}")
        return notes

    @property
    def _least(self) -> float:
        return 1 / (1 + self.histories)

    def _chance(self, p: float) -> str:
        return chance(p, self._least)

    def _day(self, at: int) -> object:
        return self.pair.day(at + self.bars)

    def _row(self, one: Breakdown) -> tuple[Cell, ...]:
        over = one.end < len(self.rolling)
        day, bars = self.pair.day, self.bars
        return (
            day(one.begin + bars),
            day(one.end + bars) if over else None,
            one.end - one.begin,
            one.usual,
            float(self.rolling[one.weakest]),
            day(one.weakest + bars),
            one.p_deep,
            one.p_long,
            one.depth,
            one.end - one.weakest if over else None,
        )


def rolled(pair: Paired) -> int:
    """How many bars roll: those of the window that was asked for as of an average day, by the bars of a year.

    Not those which the window holds today, of which 90 calendar days have 61 on one evening and 62 on the next: every
    episode of the past would be dated anew.
    """
    count, unit = pair.question.window.count, pair.question.window.unit
    days = {"d": 1, "w": 7, "mo": _YEAR / 12, "y": _YEAR}
    return count if unit == "b" else max(1, round(count * days[unit] * pair.bars_per_year / _YEAR))


def needed(bars: int) -> int:
    """How many returns the rule needs: the windows of its past, and one more."""
    return (episodes.PAST + 1) * bars + 1


def breakdowns(pair: Paired, *, by_chance: bool = True) -> Breakdowns:
    """Every episode of the rolling correlation, and what chance alone would make, if that is asked for."""
    a, b, bars = pair.pair.a.returns, pair.pair.b.returns, rolled(pair)
    silent = _silent(pair, bars)
    if silent:
        return Breakdowns(pair, bars, np.empty(0), (), NAN, NAN, 0, silent)
    rolling = rolling_correlation(a, b, bars)
    rolling[~episodes.moving(a, b, bars)] = NAN
    if np.count_nonzero(np.isfinite(rolling)) <= episodes.PAST * bars:
        return Breakdowns(pair, bars, np.empty(0), (), NAN, NAN, 0, f"{HALTED} in too many windows")
    past = episodes.past_of(rolling, bars)
    found = episodes.episodes(past)
    places = zip(found.begins.tolist(), found.ends.tolist(), found.depth.tolist(), strict=True)
    listed = tuple(_breakdown(rolling, past, begin, end, depth) for begin, end, depth in places)
    observed = Breakdowns(pair, bars, rolling, listed, NAN, NAN, 0)
    return _beside_chance(observed) if by_chance else observed


def _beside_chance(observed: Breakdowns) -> Breakdowns:
    """With what histories of a constant correlation have."""
    pair = observed.pair
    count = HISTORIES if pair.n <= LONG else OF_LONG_ONES
    decay = smoothing.usual_decay(pair.bars_per_year)
    legs = pair.pair.a.returns, pair.pair.b.returns
    drawn = episodes.chance_episodes(*legs, observed.bars, Draws(pair.question.seed), count, decay)
    return observed._replace(
        found=tuple(_of_chance(one, drawn) for one in observed.found),
        by_chance=float(drawn.counts.mean()),
        p_value=_share(drawn.counts >= len(observed.found)),
        histories=count,
    )


def _silent(pair: Paired, bars: int) -> str:
    """Why the rule cannot be followed; empty where it can."""
    least = max(needed(bars), breaks.LEAST_RETURNS)
    if bars < LEAST_BARS:
        return f"windows of {plural(bars, 'bar')} are too few"
    return silence(pair) or (f"{plural(pair.n, 'return')} are fewer than {least:,}" if pair.n < least else "")


def _breakdown(rolling: Floats, past: episodes.Past, begin: int, end: int, depth: float) -> Breakdown:
    usual = math.tanh(float(past.mean[begin]))
    weakest = begin + int(np.nanargmin(math.copysign(1.0, usual) * rolling[begin:end]))
    return Breakdown(begin, end, weakest, usual, depth, NAN, NAN)


def _of_chance(one: Breakdown, drawn: Chance) -> Breakdown:
    deep, long = _share(drawn.deepest <= one.depth), _share(drawn.longest >= one.end - one.begin)
    return one._replace(p_deep=deep, p_long=long)


def _share(as_much: "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]") -> float:
    return (1 + int(np.count_nonzero(as_much))) / (1 + len(as_much))


# ---------------------------------------------------------------- the structural break


class Changed(NamedTuple):
    """The strongest change of the correlation, and what that of the returns as they are was before and after."""

    pair: Paired
    found: breaks.Break
    before: float
    after: float

    @property
    def known(self) -> bool:
        """Whether the history is long enough for the test."""
        return math.isfinite(self.found.p_value)

    def section(self) -> Section:
        """What is tested, and the returns as they are."""
        if not self.known:
            return Section(BREAK, (), (self._silent(),))
        day, f = self.pair.day, self.found
        dates = day(f.at + 1), day(f.low + 1), day(f.high + 1)
        tested = ("standardised", *dates, f.before, f.after, f.p_value, f.statistic)
        raw = ("as they are", dates[0], None, None, self.before, self.after, None, None)
        weak = () if f.p_value < SURE else ("the day is only where the correlation changed most",)
        return Section(BREAK, (tested, raw), (CAVEAT, self._unseen(), *weak))

    def finding(self) -> str:
        """Whether there is a break, and when."""
        f, day = self.found, self.pair.day
        if not self.known:
            return f"structural break: cannot be said ({self._silent()})"
        values = f"{plain(f.before)} before, {plain(f.after)} from then on (of standardised returns)"
        if not f.p_value < SURE:
            return (
                f"no structural break shows ({chance(f.p_value)} over {plural(self.pair.n, 'return')}); the strongest"
                f" change is at {day(f.at + 1)}: {values}; {self._unseen()}"
            )
        lies = f"[{day(f.low + 1)}, {day(f.high + 1)}]"
        how = "the link changed, or the volatilities of what the legs share and of their own parted company"
        return f"structural break on {day(f.at + 1)} {lies} ({chance(f.p_value)}): {values}; {how}"

    def _unseen(self) -> str:
        return f"a change in the last {plural(self.found.unseen, 'bar')} may not show, and is not dated there"

    def _silent(self) -> str:
        few = f"{plural(self.pair.n, 'return')} are fewer than {breaks.LEAST_RETURNS}"
        return few if self.pair.n < breaks.LEAST_RETURNS else silence(self.pair) or "a leg hardly moves"


def changed(pair: Paired) -> Changed:
    """The test over the whole history."""
    a, b = pair.pair.a.returns, pair.pair.b.returns
    found = breaks.correlation_break(a, b, smoothing.usual_decay(pair.bars_per_year))
    at = found.at
    return Changed(pair, found, kernels.correlation(a[:at], b[:at]), kernels.correlation(a[at:], b[at:]))
