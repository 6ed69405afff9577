"""Who leads in windows that roll through the history."""

from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

import numpy as np

from pairwatch.alignment import FEWEST_RETURNS
from pairwatch.errors import UsageError
from pairwatch.kernels.bands import Flags
from pairwatch.lead.windows import Rolling, WindowTests, chance_shares, one_sided, rolling_leads
from pairwatch.model import Cell, Positions, Section
from pairwatch.studies.lead.headings import EPISODES, ROLLING
from pairwatch.studies.lead.verdict import LAGS_NEED, suspects
from pairwatch.studies.paired import WINDOWS_NEED, Paired
from pairwatch.text import plural

DAYS_A_YEAR = 365.25


class Share(NamedTuple):
    """How many windows name a leader, and the share that chance names: its mean, and the central 95 %."""

    leader: str
    windows: int
    share: float
    expected: tuple[float, float, float]


class Episode(NamedTuple):
    """Windows in a row that name the same leader: the first and the last of them, and the surest."""

    leader: str
    first: int
    last: int
    surest: int


class Rolled(NamedTuple):
    """What the windows say.

    Attributes:
        lags: each window's with a verdict, else 0.
        shares: of A, of B, where there are any of what clocks or averages can make, and of none.
        one_sided: the p of A being named as often as B but for chance.
    """

    window: int
    step: int
    tests: WindowTests
    lags: Positions
    shares: tuple[Share, ...]
    episodes: tuple[Episode, ...]
    one_sided: float


def usual_bars(pair: Paired) -> int:
    """The bars of the window in most of the history: those that it holds today differ from day to day."""
    asked, year = pair.question.window, pair.bars_per_year
    years = {"d": asked.count / DAYS_A_YEAR, "w": 7 * asked.count / DAYS_A_YEAR, "mo": asked.count / 12}
    usual = pair.bars if asked.unit == "b" else round(year * years.get(asked.unit, asked.count))
    # What differs by more than holidays make is a history with gaps, whose window is taken as it is.
    return max(FEWEST_RETURNS, usual) if abs(usual - pair.bars) <= max(3, pair.bars // 8) else pair.bars


def rolled(pair: Paired, step: int | None = None) -> Rolled | str:
    """The windows of the pair, or why there are none.

    Args:
        step: from one window to the next, in bars; by default a quarter of the window.

    Raises:
        UsageError: a step longer than the window, which would leave bars out.
    """
    window = usual_bars(pair)
    step = max(1, window // 4) if step is None else step
    if step > window:
        raise UsageError(
            f"a step of {plural(step, 'bar')} leaves out bars between windows of {window}",
            f"take a --step of {window} or fewer, or a longer --window",
        )
    if pair.n < WINDOWS_NEED * window:
        return f"no windows: {plural(pair.n, pair.noun)} are fewer than {WINDOWS_NEED} windows of {window}"
    lags = min(pair.question.max_lag, window // LAGS_NEED)
    asked, seed = Rolling(window, step, lags), pair.question.seed
    tests = rolling_leads(pair.pair.a.returns, pair.pair.b.returns, asked, seed)
    if not tests.said.any():
        return "no windows: a leg does not move in any, or the legs move as one"
    doubted = sorted(suspects(pair))
    named = tests.named
    cleared = np.where(np.isin(named, doubted), 0, named)
    overlap = -(-window // step)
    shares = tuple(_shares(pair, tests, doubted, overlap))
    lean = one_sided(cleared, overlap, seed)
    return Rolled(window, step, tests, cleared, shares, tuple(_episodes(pair, tests, cleared)), lean)


def _shares(pair: Paired, tests: WindowTests, doubted: list[int], overlap: int) -> Iterator[Share]:
    a, b = map(str, pair.legs)

    def share(leader: str, ours: Flags, by_chance: Flags) -> Share:
        expected = chance_shares(by_chance & tests.sayable, tests.sayable, overlap, pair.question.seed)
        count = int((ours & tests.said).sum())
        return Share(leader, count, count / int(tests.said.sum()), expected)

    ours, chance = tests.named, tests.chance
    doubtful, doubtful_chance = np.isin(ours, doubted), np.isin(chance, doubted)
    yield share(a, (ours > 0) & ~doubtful, (chance > 0) & ~doubtful_chance)
    yield share(b, (ours < 0) & ~doubtful, (chance < 0) & ~doubtful_chance)
    if doubted:
        yield share(_doubt(pair), doubtful, doubtful_chance)
    yield share("none", ours == 0, chance == 0)


def _doubt(pair: Paired) -> str:
    return "an average, or none" if pair.staged.lined_up.average else "a clock, or none"


def _episodes(pair: Paired, tests: WindowTests, lags: Positions) -> Iterator[Episode]:
    a, b = map(str, pair.legs)
    for side, group in groupby(range(len(lags)), key=lambda i: int(np.sign(lags[i]))):
        places = list(group)
        if side:
            surest = max(places, key=lambda i: float(tests.found.highest[i]))
            yield Episode(a if side > 0 else b, places[0], places[-1], surest)


def sections(pair: Paired, found: Rolled | str) -> tuple[Section, Section]:
    """The shares and the episodes."""
    if isinstance(found, str):
        return Section(ROLLING, (), (found,)), Section(EPISODES, (), (found,))
    rows = tuple((one.leader, one.windows, one.share, *one.expected) for one in found.shares)
    tests = found.tests
    silent = int((~tests.said).sum())
    unsaid = (f"{plural(silent, 'more window')} of which nothing can be said: a leg does not move",) if silent else ()
    note = (
        f"{plural(int(tests.said.sum()), 'window')} of {plural(found.window, pair.noun)}, one every "
        f"{plural(found.step, 'bar')} from the first on; {plural(pair.n // found.window, 'window')} that do not overlap"
    )
    return Section(ROLLING, rows, (note, *unsaid)), Section(
        EPISODES, tuple(_row(pair, found, one) for one in found.episodes)
    )


def _row(pair: Paired, found: Rolled, one: Episode) -> tuple[Cell, ...]:
    tests, starts = found.tests, found.tests.starts
    begin, end = int(starts[one.first]), int(starts[one.last]) + found.window
    return (
        pair.day(begin + 1),
        pair.day(end),
        one.leader,
        one.last - one.first + 1,
        end - begin,
        int(found.lags[one.surest]),
        float(tests.found.strength[one.surest]),
        float(tests.p_value[one.surest]),
    )
