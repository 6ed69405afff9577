"""The correlation of the last returns, and where it lies in the pair's own history."""

import math
from typing import NamedTuple

import numpy as np

from pairwatch import kernels
from pairwatch.kernels import smoothing
from pairwatch.kernels.dependence import LEAST_PAIRS, Estimate, estimated_correlation
from pairwatch.kernels.rolling import rolling_correlation
from pairwatch.model import NAN, Cell, Floats, Section
from pairwatch.studies.correlation.headings import NOW
from pairwatch.studies.correlation.phrases import between, ordinal, plain, silence
from pairwatch.studies.paired import WINDOWS_NEED, Paired
from pairwatch.text import plural

WINDOWS = (30, 60, 90)


class Placed(NamedTuple):
    """A correlation of today among those of its own history.

    Attributes:
        name: which returns.
        history: all of them up to today, NaN where there is none.
        windows: how many that do not overlap.
    """

    name: str
    estimate: Estimate
    history: Floats
    windows: int

    @property
    def percentile(self) -> float:
        """Of today among all; NaN from too few windows, without an r, and of an r of 1, which is so in all of them."""
        return percentile(self.history) if self.windows >= WINDOWS_NEED and self.estimate.error > 0 else NAN

    def row(self) -> tuple[Cell, ...]:
        """As the section has it."""
        e, known = self.estimate, self.history[np.isfinite(self.history)]
        ends = [float(known.min()), kernels.quantile(known, 0.5), float(known.max())] if len(known) else [NAN] * 3
        return (self.name, e.value, e.low, e.high, e.n, self.percentile, self.windows, *ends)


def percentile(history: Floats) -> float:
    """The share of the known values that are below the last one, half of those that equal it; NaN without a last."""
    last, known = history[-1], history[np.isfinite(history)]
    if not math.isfinite(last):
        return NAN
    return float(np.count_nonzero(known < last) + 0.5 * np.count_nonzero(known == last)) / len(known)


def asked_for(pair: Paired) -> Placed:
    """The row of the window that was asked for."""
    a, b = pair.pair.a.returns, pair.pair.b.returns
    return _rolled(a, b, pair.bars, f"{pair.bars} bars ({pair.question.window})")


def placed(pair: Paired) -> tuple[list[Placed], Placed]:
    """A row each, and the one of the window that was asked for."""
    a, b = pair.pair.a.returns, pair.pair.b.returns
    asked = asked_for(pair)
    others = [_rolled(a, b, bars, f"{bars} bars") for bars in WINDOWS if bars <= pair.n and bars != pair.bars]
    ordered = sorted([asked, *others], key=lambda row: row.estimate.n)
    return [*ordered, _smoothed(a, b, smoothing.usual_decay(pair.bars_per_year))], asked


def _rolled(a: Floats, b: Floats, bars: int, name: str) -> Placed:
    return Placed(name, estimated_correlation(a[-bars:], b[-bars:]), rolling_correlation(a, b, bars), len(a) // bars)


def _smoothed(a: Floats, b: Floats, decay: float) -> Placed:
    early = math.ceil(math.log(0.01) / math.log(decay))  # until then more than 1 % of the weights has not come
    history = smoothing.smoothed_correlation(a, b, decay)[early:]
    history = history if len(history) else np.array([NAN])
    windows = int(max(0, len(a) - early) / smoothing.effective_number(decay))
    name = f"EWMA, decay {plain(decay)}"
    return Placed(name, smoothing.estimated_smoothed_correlation(a, b, decay), history, windows)


def section(rows: list[Placed]) -> Section:
    """The rows, and how the last is weighted."""
    note = "EWMA: each bar weighs so many times the one after it (RiskMetrics 1996); n is (1 + l) / (1 - l)"
    return Section(NOW, tuple(row.row() for row in rows), (note,))


def finding(pair: Paired, asked: Placed) -> str:
    """The one-line answer."""
    e = asked.estimate
    if not math.isfinite(e.value):
        return f"no correlation over {plural(pair.bars, 'bar')}: {_missing(pair, e)}"
    said = f"correlation {plain(e.value)} over {plural(pair.bars, 'bar')} {between(e.low, e.high)}"
    if not e.error > 0:
        return f"{said}; no percentile: {silence(pair) or 'over these bars the legs are one series twice'}"
    days = (pair.day(-1) - pair.day(0)).days
    span = plural(round(days / 365.25), "year") if days > 700 else plural(round(days / 30.44), "month")
    rests = f"{plural(asked.windows, 'window')} that do{'es' if asked.windows == 1 else ''} not overlap"
    if not math.isfinite(asked.percentile):
        return f"{said}; no percentile: the history has {rests}"
    return f"{said}, {ordinal(asked.percentile)} percentile of {span} ({rests})"


def _missing(pair: Paired, e: Estimate) -> str:
    if e.n < LEAST_PAIRS:
        return f"{plural(e.n, 'bar')} are too few"
    return silence(pair) or "a leg does not move in them"
