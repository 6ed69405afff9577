"""Whether what is seen of a lead predicts: Granger's test, and each half of the history tested on the other."""

import math
from typing import NamedTuple

import numpy as np

from pairwatch.kernels.bands import Single, asymmetry_at
from pairwatch.kernels.predicting import Gain, Predicts, autoregression_order, forecast_gain, predicts
from pairwatch.lead import SIZE
from pairwatch.lead.windows import window_leads
from pairwatch.model import Floats, Section
from pairwatch.studies.lead.headings import GRANGER, HALVES
from pairwatch.studies.lead.verdict import lags_for, suspects
from pairwatch.studies.paired import Paired
from pairwatch.text import plural

# A vector autoregression has two coefficients a lag: so many returns for each lag that may be chosen.
ROWS_A_LAG = 12
# Halves of fewer returns are not tested on each other.
FEWEST = 60
SHARED = "a factor with a memory that both legs share makes either predict the other: that is no lead (see `verdict`)"
DOUBT = "different closing times, or averages of periods, can make a lead of one bar by themselves"


class Granger(NamedTuple):
    """Both directions, at one order."""

    lags: int
    forth: Predicts
    back: Predicts


def granger(pair: Paired) -> Granger | None:
    """Granger's test both ways; None for too few returns, and for legs that move as one or not at all."""
    a, b = pair.pair.a.returns, pair.pair.b.returns
    most = min(pair.question.max_lag, pair.n // ROWS_A_LAG)
    if most < 1 or not abs(_correlation(a, b)) < 1 - 1e-9:
        return None
    lags = autoregression_order(a, b, most)
    return Granger(lags, predicts(b, a, lags), predicts(a, b, lags))


def _correlation(a: Floats, b: Floats) -> float:
    """NaN where one does not move."""
    if not (a.std() > 0 and b.std() > 0):
        return math.nan
    return float(np.mean((a - a.mean()) * (b - b.mean())) / (a.std() * b.std()))


def granger_section(pair: Paired, found: Granger | None) -> Section:
    """Both directions, a row each."""
    if found is None:
        return Section(GRANGER, (), ("not said: too few returns, or legs that move as one or not at all",))
    a, b = pair.legs
    rows = tuple(
        (f"{one} to {other}", found.lags, p.robust_f, p.p_value, p.f, p.f_p_value, p.rows)
        for one, other, p in ((a, b, found.forth), (b, a, found.back))
    )
    doubt = [DOUBT] if suspects(pair) else []
    shared = [SHARED] if min(found.forth.p_value, found.back.p_value) < SIZE else []
    return Section(GRANGER, rows, (f"the BIC chose {plural(found.lags, 'lag')}", *shared, *doubt))


class Half(NamedTuple):
    """A candidate of one half, tested on the other.

    Attributes:
        doubtful: whether clocks or averages alone can make it.
        asymmetry: at the candidate's lag; its p is one-sided.
        gain: what it adds to forecasts there.
        n: returns of the half where it is tested.
    """

    found_in: str
    lag: int
    asymmetry: Single
    gain: Gain
    n: int
    doubtful: bool


def halves(pair: Paired) -> tuple[Half, ...]:
    """Each half's best candidate tested on the other half; none where they are too short."""
    a, b, middle = pair.pair.a.returns, pair.pair.b.returns, pair.n // 2
    if middle < FEWEST:
        return ()
    first, second = (a[:middle], b[:middle]), (a[middle:], b[middle:])
    lags, doubted = lags_for(pair, middle), suspects(pair)
    found = _half("first half", first, second, lags), _half("second half", second, first, lags)
    return tuple(half._replace(doubtful=half.lag in doubted) for half in found if half)


def _half(name: str, searched: tuple[Floats, Floats], tested: tuple[Floats, Floats], lags: int) -> Half | None:
    best = window_leads(searched[0][None, :], searched[1][None, :], lags)
    lag, strength = int(best.lag[0]), float(best.strength[0])
    if not lag:
        return None
    side = 1 if lag > 0 else -1
    single = asymmetry_at(*tested, abs(lag), side * math.copysign(1.0, strength))
    (fit_x, fit_y), (x, y) = searched[::side], tested[::side]
    return Half(name, lag, single, forecast_gain((fit_y, fit_x), (y, x), abs(lag)), len(x), doubtful=False)


def halves_section(found: tuple[Half, ...]) -> Section:
    """A row for each half."""
    if not found:
        return Section(HALVES, (), (f"not said: halves of fewer than {FEWEST} returns, or without a candidate",))
    rows = tuple((one.found_in, one.lag, one.asymmetry.value, one.asymmetry.p_value, *one.gain, one.n) for one in found)
    note = "the second half tested on the first is no forecast: it says whether the lead was there before"
    shared = [SHARED] if any(one.gain.p_value < SIZE for one in found) else []
    return Section(HALVES, rows, (note, *shared, *([DOUBT] if any(one.doubtful for one in found) else [])))
