"""Correlation on some of the days, and what choosing them does to it."""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from pairwatch import kernels
from pairwatch.kernels import breaks, dependence
from pairwatch.kernels.dependence import Estimate
from pairwatch.kernels.smoothing import FIRST, usual_decay, volatility_before
from pairwatch.model import NAN, Cell, Floats, Section
from pairwatch.studies.correlation.headings import REGIMES, YEARS
from pairwatch.studies.correlation.phrases import between, chance, day_word, plain, silence
from pairwatch.studies.paired import Beside, Paired
from pairwatch.text import listing, plural

# Fewer returns make no regime.
LEAST = 20
# A leg is in drawdown so far below its highest close before.
DEEP = -0.10
SURE = 0.05


class Group(NamedTuple):
    """The returns of some days.

    Attributes:
        word: what they are called within their split.
        expected: the correlation that choosing them alone makes of the whole one.
        adjusted: theirs at the whole history's variance.
    """

    name: str
    word: str
    estimate: Estimate
    expected: float
    adjusted: float


class Split(NamedTuple):
    """Regimes that are tested together.

    Attributes:
        leg: the leg, or what else, that chooses the days.
        by: `volatility`, `sign` or `drawdown`.
        p_value: of their being equal.
    """

    name: str
    leg: str
    by: str
    groups: tuple[Group, ...]
    p_value: float
    note: str = ""


class Driver(NamedTuple):
    """A leg by which days are chosen: its returns, levels if it can be held, and which of A and B it is, if either."""

    name: str
    returns: Floats
    levels: Floats | None


class Studied(NamedTuple):
    """The pair, and the legs whose returns choose days."""

    pair: Paired
    drivers: tuple[Driver, ...]
    benchmark: Driver | None

    @property
    def returns(self) -> tuple[Floats, Floats]:
        """Of A and of B."""
        return self.pair.pair.a.returns, self.pair.pair.b.returns


def studied(pair: Paired, benchmark: Beside | None) -> Studied:
    """A and B, and the benchmark where there is one that is neither."""
    views = pair.pair.a, pair.pair.b
    own = [
        Driver(str(leg), view.returns, view.levels if view.can_be_held and not view.by_differences else None)
        for leg, view in zip(pair.legs, views, strict=True)
    ]
    if benchmark is None or benchmark.leg in pair.legs:
        return Studied(pair, tuple(own), None)
    held = benchmark.facts.can_be_held and not benchmark.facts.by_differences
    other = Driver(str(benchmark.leg), benchmark.returns, benchmark.levels if held else None)
    return Studied(pair, (*own, other), other)


def by_volatility(pair: Paired) -> list[Split]:
    """The first of the splits alone: by the pair's own volatility."""
    found = None if silence(pair) else _volatility(studied(pair, None))
    return [found] if found else []


def splits(pair: Paired, by: Beside | None, benchmark: Beside | None) -> list[Split]:
    """Every split that the history is long enough for; none of a pair whose correlation cannot change."""
    if silence(pair):
        return []
    s = studied(pair, benchmark)
    found = [_volatility(s) if by is None else _level(s, by)]
    found += [_signs(s, driver) for driver in s.drivers]
    found += [_drawdown(s, driver) for driver in s.drivers if driver.levels is not None]
    return [split for split in found if split is not None]


# ---------------------------------------------------------------- the splits


def _volatility(s: Studied) -> Split | None:
    """Terciles of the geometric mean of both legs' volatility, as it was known the day before."""
    if s.pair.n < FIRST + 3 * LEAST:
        return None
    decay = usual_decay(s.pair.bars_per_year)
    before = [volatility_before(x, decay) for x in s.returns]  # not centred: the mean is known only later
    known = np.full(s.pair.n, NAN)
    known[FIRST:] = np.sqrt(before[0] * before[1])
    text = (
        f"volatility: the geometric mean of both legs' own (decay {plain(decay)}) up to the {day_word(s.pair)} before"
    )
    return _terciles(s, "volatility", known, text)


def _level(s: Studied, by: Beside) -> Split | None:
    """Terciles of another leg's level of the day before, or of its volatility up to then if it is a price."""
    name = str(by.leg)
    if by.facts.can_be_held and not by.facts.by_differences:
        fit = np.isfinite(by.returns)
        known = np.full(s.pair.n, NAN)
        if np.count_nonzero(fit) <= FIRST:
            return None
        known[np.flatnonzero(fit)[FIRST:]] = volatility_before(by.returns[fit], usual_decay(s.pair.bars_per_year))
        text = f"{name}: its volatility up to the {day_word(s.pair)} before"
        return _terciles(s, f"volatility of {name}", known, text)
    return _terciles(s, name, by.levels[:-1], f"{name}: its level the {day_word(s.pair)} before", digits=2)


def _terciles(s: Studied, name: str, known: Floats, text: str, digits: int = 0) -> Split | None:
    there = known[np.isfinite(known)]
    if len(there) < 3 * LEAST:
        return None
    cuts = [kernels.quantile(there, share) for share in (1 / 3, 2 / 3)]
    with np.errstate(invalid="ignore"):
        chosen = (known <= cuts[0], (known > cuts[0]) & (known <= cuts[1]), known > cuts[1])
    groups = [
        _by_variance(s, name, word, days, s.benchmark)
        for word, days in zip(("low", "middle", "high"), chosen, strict=True)
    ]
    at = f", cut at {cuts[0]:.{digits}f} and {cuts[1]:.{digits}f}" if digits else ""
    return _split(name, name, "volatility", groups, f"{text}; thirds of the whole history{at}")


def _signs(s: Studied, driver: Driver) -> Split | None:
    days = [driver.returns > 0, driver.returns < 0]
    known = np.isfinite(driver.returns)
    groups = []
    for word, chosen in zip(("up", "down"), days, strict=True):
        share = int(np.count_nonzero(chosen)) / max(1, int(np.count_nonzero(known)))
        expected = NAN
        if 0 < share < 1:
            ratio = dependence.half_normal_ratio(share)
            expected = dependence.conditional_correlation(*_relations(s, driver), ratio)
        groups.append(Group(f"{driver.name} {word}", word, _estimate(s, chosen), expected, NAN))
    return _split(f"{driver.name} up or down", driver.name, "sign", groups)


def _drawdown(s: Studied, driver: Driver) -> Split | None:
    levels = driver.levels
    if levels is None:
        return None
    peak = np.fmax.accumulate(levels)
    with np.errstate(invalid="ignore"):
        below = (levels / peak - 1)[:-1]
        chosen = (below >= DEEP, below < DEEP)
    groups = [
        _by_variance(s, driver.name, word, days, driver)
        for word, days in zip(("near its peak", "in drawdown"), chosen, strict=True)
    ]
    return _split(f"{driver.name} in drawdown", driver.name, "drawdown", groups)


def _split(name: str, leg: str, by: str, groups: Sequence[Group], note: str = "") -> Split | None:
    """None where fewer than two of the groups have returns enough."""
    if sum(math.isfinite(group.estimate.value) for group in groups) < 2:
        return None
    p = dependence.equal_correlations_p([group.estimate for group in groups])
    return Split(name, leg, by, tuple(groups), p, note)


# ---------------------------------------------------------------- the groups


def _estimate(s: Studied, days: Any) -> Estimate:
    a, b = s.returns
    n = int(np.count_nonzero(days))
    return dependence.unknown(n) if n < LEAST else dependence.estimated_correlation(a[days], b[days])


def _relations(s: Studied, driver: Driver) -> tuple[float, tuple[float, float]]:
    """The correlation of the pair, and those of A and of B with a leg, on all days on which that is known."""
    a, b = s.returns
    known = np.isfinite(driver.returns)
    a, b, x = a[known], b[known], driver.returns[known]
    return kernels.correlation(a, b), (kernels.correlation(a, x), kernels.correlation(b, x))


def _by_variance(s: Studied, name: str, word: str, days: Any, driver: Driver | None) -> Group:
    """Days of another variance: what a more volatile driver alone makes of the correlation."""
    estimate = _estimate(s, days)
    if not math.isfinite(estimate.value):
        return Group(f"{name} {word}", word, estimate, NAN, NAN)
    drivers = s.drivers[:2] if driver is None else (driver,)
    ratios = [_ratio(one.returns, days) for one in drivers]
    expected = [
        dependence.conditional_correlation(*_relations(s, one), ratio)
        for one, ratio in zip(drivers, ratios, strict=True)
    ]
    usual = math.exp(math.fsum(map(math.log, ratios)) / len(ratios)) if all(ratio > 0 for ratio in ratios) else NAN
    adjusted = dependence.at_usual_variance(estimate.value, usual)
    return Group(f"{name} {word}", word, estimate, sum(expected) / len(expected), adjusted)


def _ratio(returns: Floats, days: Any) -> float:
    known = np.isfinite(returns)
    chosen, every = returns[known & days], returns[known]
    return kernels.quotient(float(chosen.var()), float(every.var())) if len(chosen) > 1 else NAN


# ---------------------------------------------------------------- what is said


def section(pair: Paired, found: Sequence[Split]) -> Section:
    """A row a regime."""
    if not found:
        why = silence(pair) or f"{plural(pair.n, 'return')} are too few for two regimes of {LEAST}"
        return Section(REGIMES, (), (why,))
    rows: list[tuple[Cell, ...]] = []
    for split in found:
        for at, group in enumerate(split.groups):
            e = group.estimate
            expected = (group.expected, None if at else split.p_value, group.adjusted, split.name)
            rows.append((group.name, e.n, e.value, e.low, e.high, *expected))
    drawdown = f"in drawdown: more than {-DEEP:.0%} below the highest close before, as of the {day_word(pair)} before"
    notes = [split.note for split in found if split.note]
    notes += [drawdown] if any(split.by == "drawdown" for split in found) else []
    notes.append(
        f"p: of each split by itself, in its first row; expected: what choosing the {day_word(pair)}s alone makes of"
        " the whole history's r"
    )
    return Section(REGIMES, tuple(rows), tuple(notes))


def findings(pair: Paired, found: Sequence[Split]) -> Iterator[str]:
    """Whether the correlation is another one in each kind of regime; those that are not, in one sentence."""
    bars = f"{day_word(pair)}s"

    def _of_variance(split: Split) -> str:
        return _of_volatility(split, bars)

    yield from (_of_variance(split) for split in found if split.by == "volatility")
    for by, what in (("sign", f"up and down {bars}"), ("drawdown", "near the peak and in drawdown")):
        told = _of_sign if by == "sign" else _of_variance
        yield from (told(split) for split in found if split.by == by and split.p_value < SURE)
        alike = [split for split in found if split.by == by and not split.p_value < SURE]
        if alike:
            yield f"{what}: no difference shows by {listing([_by(split) for split in alike])}"


def _by(split: Split) -> str:
    values = " and ".join(plain(group.estimate.value) for group in split.groups)
    return f"{split.leg} ({values}, {chance(split.p_value)})"


def _of_volatility(split: Split, bars: str) -> str:
    """All groups, and whether the last one's more volatile days alone bring the difference."""
    known = [group for group in split.groups if math.isfinite(group.estimate.value)]
    said = f"{split.leg} {', '.join(f'{group.word} {_value(group)}' for group in known)}"
    if not split.p_value < SURE:
        return f"{said}: no difference shows ({chance(split.p_value)})"
    last, expected = known[-1], known[-1].expected
    low, high = last.estimate.low, last.estimate.high
    beyond = "more than its interval holds" if expected > high else "less than its interval holds"
    held = "which its interval holds" if low <= expected <= high else beyond
    when = f"{bars} {last.word}" if split.by == "drawdown" else f"{last.word} {bars}"
    size = (
        f"; with the link unchanged, the size of the moves on {when} would by itself make it {plain(expected)}, {held}"
    )
    return f"{said}: they differ ({chance(split.p_value)}){size if math.isfinite(expected) else ''}"


def _of_sign(split: Split) -> str:
    values = ", ".join(f"{group.word} {_value(group)}" for group in split.groups)
    normal = " and ".join(plain(group.expected) for group in split.groups)
    return f"{split.leg} {values}: they differ ({chance(split.p_value)}); a normal pair would show {normal}"


def _value(group: Group) -> str:
    e = group.estimate
    return f"{plain(e.value)} {between(e.low, e.high)}"


# ---------------------------------------------------------------- years


OF_YEARS = (
    "p is of standardised returns, as that of the break, and like that of what is measured: volatilities of what the"
    " legs share and of their own that only cluster, each by itself, bring p .05 in 9 to 20% of simulated histories"
)


class Years(NamedTuple):
    """The correlation of each calendar year, and the p of their being equal, or why there is none."""

    years: tuple[int, ...]
    estimates: tuple[Estimate, ...]
    whole: Estimate
    p_value: float
    silent: str = ""

    def section(self) -> Section:
        """A row a year."""
        rows: list[tuple[Cell, ...]] = [
            (str(year), e.n, e.value, e.low, e.high, None) for year, e in zip(self.years, self.estimates, strict=True)
        ]
        e = self.whole
        rows.append(("all", e.n, e.value, e.low, e.high, self.p_value))
        if not math.isfinite(self.p_value):
            return Section(YEARS, tuple(rows), (f"whether they differ cannot be said: {self._why()}",))
        return Section(YEARS, tuple(rows), (OF_YEARS,))

    def _why(self) -> str:
        few = f"only {plural(len(self.years), 'year')} with enough returns"
        return self.silent or (few if len(self.years) < 2 else "the history is too short")

    def finding(self) -> str:
        """The span, and whether they differ."""
        known = [(e.value, year) for year, e in zip(self.years, self.estimates, strict=True) if e.error > 0]
        if len(known) < 2 or not math.isfinite(self.p_value):
            return f"calendar years: whether they differ cannot be said ({self._why()})"
        low, high = min(known), max(known)
        verdict = "they differ" if self.p_value < SURE else "no difference shows"
        span = f"from {plain(low[0])} in {low[1]} to {plain(high[0])} in {high[1]}"
        return f"{len(known)} calendar years, {span}: {verdict} ({chance(self.p_value)})"


def years(pair: Paired) -> Years:
    """Every calendar year that has returns enough."""
    a, b = pair.pair.a.returns, pair.pair.b.returns
    dated = pair.days[1:].astype("datetime64[Y]").astype(int) + 1970
    least = max(dependence.LEAST_PAIRS, pair.bars_per_year // 12)
    places = np.flatnonzero(np.diff(dated, prepend=dated[0] - 1, append=dated[-1] + 1))
    parts = [(i, j) for i, j in pairwise(places.tolist()) if j - i >= least]
    estimates = tuple(dependence.estimated_correlation(a[i:j], b[i:j]) for i, j in parts)
    p = breaks.equal_in_parts_p(a, b, parts, usual_decay(pair.bars_per_year))
    whole = dependence.estimated_correlation(a, b)
    return Years(tuple(int(dated[i]) for i, _ in parts), estimates, whole, p, silence(pair))
