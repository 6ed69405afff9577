"""Every test that prints a p-value or a band, as a function of two legs, and what it is run on in `calibration.py`.

A test is an entry of `TESTS`: its name, what it judges by, and pairs of which its hypothesis is true (`nulls.py`).
"""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

import nulls
from nulls import Family, Noise
from pairwatch import kernels, lead
from pairwatch.kernels import (
    analogs,
    asynchronous,
    bands,
    breaks,
    cointegration,
    dependence,
    deviations,
    effectiveness,
    episodes,
    hedging,
    past,
    predicting,
    reversion,
    rolling,
    sessions,
    smoothing,
)
from pairwatch.kernels.draws import Draws
from pairwatch.kernels.regression import dickey_fuller, few_lags
from pairwatch.kernels.tails import chi2_tail, f_tail, normal_tail
from pairwatch.lead import resampling, windows
from pairwatch.model import Floats
from pairwatch.studies.correlation import factor
from pairwatch.studies.related.moving import surprise
from pairwatch.studies.spread import ledger
from pairwatch.studies.spread.cointegration import FITS, REFUSED

LEVEL = 0.05
PERMUTATIONS = 199
"""Fewer than the program draws, for time; the size of a permutation test does not depend on it."""
RESAMPLES, FEWEST_EVENTS = 49, 8
OF_EACH = 1000
"""Below so many bars `pairwatch hedge` says that its intervals are too narrow, and tests no variances for equality."""
MAX_LAG, LAGS, SLOTS = 10, 5, 20
OVERLAP = 5
"""How many of the windows of `ROLLING` share days."""
ROLLING, OF_A_YEAR = windows.Rolling(61, 15, MAX_LAG), windows.Rolling(252, 63, MAX_LAG)

UNRELATED = Family(nulls.same, nulls.changing, "ρ is .5 from the middle on", lambda noise: not noise.rho)
TIGHTNESSES = Family(*nulls.claims(lambda rho: math.sqrt(2 * (1 - rho)), 0.5))
MISSED = Family(nulls.same, nulls.same, "(the same once more)", lambda noise: noise.is_white)
Judge = Callable[[Floats, Floats, float], "float | bool"]


class Test(NamedTuple):
    """A test, or a band.

    Attributes:
        judge: of both legs and of what it is told: the p-value, or whether what it is told is outside the band.
        least: the fewest values it is meant for.
        most: the most runs of a line, for those that take long.
        says: whether the program says beside the number that its size is off, and under which noises.
        cautious: whether the program says that an interval covers more than 95 %, or that a p is too large.
        rival: a textbook's, which the program does not print; here to show what the other one is for.
    """

    name: str
    judge: Judge
    family: Family
    least: int = 61
    most: int = 10_000
    says: Callable[[Noise, int], bool] = lambda _noise, _n: False
    cautious: bool = False
    rival: bool = False


def outside(interval: tuple[float, ...], claim: float) -> bool | float:
    """Whether the last two numbers, low and high, leave the claim out; an end that is NaN is no end."""
    low, high = interval[-2:]
    if math.isnan(low) and math.isnan(high):
        return math.nan
    return bool(claim < low or claim > high)


def returns_alone(leg: Floats) -> float:
    """Whether a series returns to its mean, as `pairwatch spread` asks of each leg."""
    test = dickey_fuller(leg - leg.mean(), max_lags=few_lags(len(leg) - 1), robust=True)
    return cointegration.dickey_fuller_p(test.t)


def called_returning(a: Floats, b: Floats) -> bool:
    """Whether `pairwatch spread` says that A returns by itself: by its own test, and by Johansen's vector."""
    return returns_alone(a) < LEVEL and _refused(a, b) >= FITS


def kept_to(a: Floats, b: Floats) -> bool:
    """Whether it says of an A whose own test finds a return that it keeps to B."""
    return returns_alone(a) < LEVEL and _refused(a, b) < REFUSED


def _refused(a: Floats, b: Floats) -> float:
    """The p of Johansen's vector being A alone."""
    levels = np.column_stack([a, b])
    return chi2_tail(cointegration.johansen(levels, cointegration.johansen_lags(levels)).lone[0], 1)


def granger(a: Floats, b: Floats) -> float:
    found = cointegration.granger(b, a, LAGS)
    return f_tail(found.f, *found.degrees)


def a_window(a: Floats, b: Floats, rolling: windows.Rolling) -> float:
    """Of the last window that ends in the middle."""
    tests = windows.rolling_leads(a, b, rolling)
    return float(tests.p_value[len(tests.p_value) // 2])


def share_of_windows(a: Floats, b: Floats) -> bool:
    """Whether chance does not give so large a share to A, or to B."""
    tests = windows.rolling_leads(a, b, ROLLING)
    shares = ((side * tests.named > 0).mean() for side in (1, -1))
    highs = (windows.chance_shares(side * tests.chance > 0, tests.sayable, OVERLAP)[2] for side in (1, -1))
    return any(share > high for share, high in zip(shares, highs, strict=True))


def one_leg_more_often(a: Floats, b: Floats) -> float:
    """Of the windows that name A being as many as those that name B; where none is named there is nothing to find."""
    p = windows.one_sided(windows.rolling_leads(a, b, ROLLING).named, OVERLAP)
    return 1.0 if math.isnan(p) else p


def missed(a: Floats, b: Floats) -> bool | float:
    """Whether a lead that is just detectable is missed; of the one in five that may be, one in four counts: 5 %.

    The lead is planted so that the legs' variances and their correlation stay as they are.
    """
    claimed = resampling.detectable(bands.asymmetry_band(a, b, MAX_LAG), a, b)
    a, b = ((leg - leg.mean()) / leg.std() for leg in (a, b))
    rho = float(np.mean(a * b))
    left = 1 - rho * rho - claimed * claimed
    if not left > 0:
        return math.nan
    own = (b - rho * a) / math.sqrt(1 - rho * rho)
    led = rho * a[1:] + claimed * a[:-1] + math.sqrt(left) * own[1:]
    counts = int(1e6 * abs(a[0])) % 4 == 0
    return counts and bands.asymmetry_band(a[1:], led, MAX_LAG).p_value >= LEVEL


def interval_of_lag(a: Floats, b: Floats, lag: float) -> bool | float:
    """Of the lead over the whole history, where there is one."""
    asymmetry = bands.asymmetry_band(a, b, MAX_LAG)
    found = resampling.long_lead(a, b, asymmetry)
    if not found.p_value <= LEVEL:
        return math.nan
    drawn = resampling.resampled_lags(a, b, MAX_LAG, errors=asymmetry.errors)
    return outside(resampling.lag_interval(drawn, found.lag)[:2], lag)


def gain(a: Floats, b: Floats) -> float:
    """Of forecasts of b by a's bar before, fitted to the first half and made for the second."""
    half = len(a) // 2
    return predicting.forecast_gain((b[:half], a[:half]), (b[half:], a[half:]), 1).p_value


def least_variance(a: Floats, b: Floats) -> float:
    """Of the spread hedged by the ratio of least variance of the changes."""
    ratio = hedging.minimum_variance_ratio(np.diff(a), np.diff(b))
    return cointegration.dickey_fuller_p(dickey_fuller(a - ratio * b, robust=True).t)


def drives(gap: Floats, other: Floats) -> float:
    return ledger.p_of(dependence.estimated_correlation(gap, other))


def johansen_wild(a: Floats, b: Floats) -> float:
    levels = np.column_stack([a, b])
    return cointegration.johansen_p(levels, cointegration.johansen_lags(levels), Draws(0))


def by_session(a: Floats, b: Floats) -> sessions.LaggedSums:
    """The values as sessions of `SLOTS` bars."""
    whole = len(a) // SLOTS * SLOTS
    x, y = (leg[:whole].reshape(-1, SLOTS) for leg in (a, b))
    return sessions.lagged_sums(x, y, MAX_LAG)


def intraday_band(a: Floats, b: Floats) -> float:
    """Of r(k) at all lags but 0."""
    sums = by_session(a, b)
    shares = sessions.mean(sums.products, np.broadcast_to(sums.pairs.sum(axis=0), sums.products.shape))
    return sessions.judge(np.delete(shares, MAX_LAG, axis=1), 0, PERMUTATIONS).p_value


def by_ticks(a: Floats, b: Floats) -> float:
    """The values as prices of which each leg tells every second one, at random."""
    rng, blocks = np.random.default_rng(a[:1].view("u8")), SLOTS * np.arange(len(a) // SLOTS)

    def ticks(leg: Floats) -> asynchronous.Ticks:
        at = np.flatnonzero(rng.random(len(leg)) < 0.5)
        return asynchronous.Ticks(at.astype("i8"), leg.cumsum()[at], at.searchsorted(blocks))

    found = asynchronous.covariances(ticks(a), ticks(b), np.arange(-MAX_LAG, MAX_LAG + 1))
    return sessions.judge(sessions.antisymmetric(found), 0, PERMUTATIONS).p_value


def alike(a: Floats, b: Floats, groups: list[Any]) -> float:
    return dependence.equal_correlations_p([dependence.estimated_correlation(a[at], b[at]) for at in groups])


def in_time(a: Floats, b: Floats, parts: int) -> float:
    """As years are compared."""
    ends = [len(a) * i // parts for i in range(parts + 1)]
    return breaks.equal_in_parts_p(a, b, list(pairwise(ends)))


def beyond_a_factor(a: Floats, b: Floats) -> float:
    """Whether the spread of what two legs have of their own returns, with a factor that both move with."""
    own = [np.diff(leg, prepend=0.0) for leg in (a, b)]
    f = np.random.default_rng(a[:1].view("u8")).standard_normal(len(a)) * own[0].std()
    path = factor.beyond(own[0] + 1.2 * f, own[1] + 0.8 * f, f)
    return cointegration.dickey_fuller_p(dickey_fuller(path, robust=True).t)


def wanders(noise: Noise, _n: int) -> bool:
    """Where `pairwatch correlation` says that its p is of what is measured, and how often it is too low."""
    return not noise.is_steady


def by_volatility(a: Floats, b: Floats) -> float:
    """Thirds of the days, by both legs' volatility as it was known the day before."""
    known = smoothing.volatility_before(a, 0.94) * smoothing.volatility_before(b, 0.94)
    order = len(a) - len(known) + np.argsort(known)
    return alike(a, b, [np.sort(third) for third in np.array_split(order, 3)])


def breakdowns(a: Floats, b: Floats) -> float:
    """Episodes of a rolling correlation of 30 bars that gave way, against those of resampled histories."""
    found = len(episodes.episodes(episodes.past_of(rolling.rolling_correlation(a, b, 30), 30)).begins)
    chance = episodes.chance_episodes(a, b, 30, Draws(0), RESAMPLES).counts
    return float((1 + np.count_nonzero(chance >= found)) / (1 + RESAMPLES))


def of_errors(found: dependence.Estimate, claim: float) -> bool | float:
    return outside((found.low, found.high), claim)


def after_events(a: Floats, b: Floats) -> float:
    """Of what the spread did in 20 bars after it was as far as today, by its z of 60 bars."""
    spread, horizon = a - b, 20
    z = past.z_scores(spread, 61)
    as_far = np.flatnonzero(z[:-1] >= z[-1] if z[-1] > 0 else z[:-1] <= z[-1])
    changes = (spread[horizon:] - spread[:-horizon])[60:]
    events = analogs.spaced(as_far[as_far < len(z) - 60], horizon)
    events = events[events < len(changes)]
    return analogs.shift_test(changes, events) if len(events) >= FEWEST_EVENTS else math.nan


def of_each(noise: Noise, n: int) -> bool:
    """Where `pairwatch hedge` says that its intervals cover less than 95 %."""
    return noise.kind == "GARCH each" and n < OF_EACH


def of_the_window(noise: Noise, _n: int) -> bool:
    """Where `pairwatch compare` says that its intervals are of what held in the window alone."""
    return noise.kind == "GARCH each"


def tightness(a: Floats, b: Floats, claim: float) -> bool | float:
    return of_errors(deviations.estimated_deviation_ratio(a - b, min(a, b, key=kernels.sd)), claim)


def broken_at(a: Floats, b: Floats, place: float) -> bool | float:
    found = breaks.correlation_break(a, b)
    return outside((found.low, found.high), place) if found.p_value <= LEVEL else math.nan


# Correlation is the same in the long run, also where it wanders with volatilities.
ALL_ALIKE = nulls.STEADY._replace(fits=lambda _noise: True)

TESTS = (
    Test("lead (compare)", lambda a, b, _: lead.lead_test(a, b, MAX_LAG, 0, PERMUTATIONS).p_value, nulls.LEADS),
    Test(
        "lead within days: D",
        lambda a, b, _: sessions.judge(by_session(a, b).asymmetries, 0, PERMUTATIONS).p_value,
        nulls.LEADS,
        least=250,
    ),
    Test("lead within days: r(k)", lambda a, b, _: intraday_band(a, b), nulls.CROSS, least=250),
    Test("lead by ticks", lambda a, b, _: by_ticks(a, b), nulls.LEADS, least=250),
    Test("lead: band of D(k)", lambda a, b, _: bands.asymmetry_band(a, b, MAX_LAG).p_value, nulls.LEADS),
    Test("lead: band of r(k)", lambda a, b, _: bands.correlogram_band(a, b, MAX_LAG).p_value, nulls.CROSS),
    Test("lead: D at one lag", lambda a, b, _: bands.asymmetry_at(a, b, 1).p_value, nulls.LEADS),
    Test("lead: a rolling window", lambda a, b, _: a_window(a, b, ROLLING), nulls.LEADS, least=1000, most=100),
    Test(
        "lead: a rolling window of a year",
        lambda a, b, _: a_window(a, b, OF_A_YEAR),
        nulls.LEADS,
        least=1000,
        most=100,
    ),
    Test(
        "lead: share of windows",
        lambda a, b, _: share_of_windows(a, b),
        nulls.LEADS,
        least=1000,
        most=100,
        says=lambda noise, _n: not noise.is_white,
    ),
    Test(
        "lead: one leg named more often",
        lambda a, b, _: one_leg_more_often(a, b),
        nulls.LEADS,
        least=1000,
        most=100,
    ),
    Test("lead: a quarter of detectable leads missed", lambda a, b, _: missed(a, b), MISSED),
    Test("lead: interval of the lag", interval_of_lag, nulls.LAGS, least=250, cautious=True),
    Test("lead: out of sample", lambda a, b, _: gain(a, b), nulls.LEADS),
    Test("Granger, robust", lambda a, b, _: predicting.predicts(b, a, LAGS).p_value, nulls.LEADS),
    Test(
        "Granger, robust, BIC's lags",
        lambda a, b, _: predicting.predicts(b, a, predicting.autoregression_order(a, b, LAGS)).p_value,
        nulls.LEADS,
    ),
    Test("Granger, textbook", lambda a, b, _: granger(a, b), nulls.LEADS, rival=True),
    Test(
        "Engle-Granger, textbook",
        lambda a, b, _: cointegration.engle_granger(a, b).p_value,
        nulls.WALKS,
        rival=True,
    ),
    Test(
        "Engle-Granger, robust",
        lambda a, b, _: cointegration.engle_granger(a, b, robust=True).p_value,
        nulls.WALKS,
        least=250,
    ),
    Test(
        "Johansen, table",
        lambda a, b, _: cointegration.johansen(np.column_stack([a, b])).rank > 0,
        nulls.WALKS,
        rival=True,
    ),
    Test("Johansen, wild", lambda a, b, _: johansen_wild(a, b), nulls.WALKS, least=250),
    Test(
        "Dickey-Fuller, textbook",
        lambda a, b, _: cointegration.dickey_fuller_p(dickey_fuller(a - b).t),
        nulls.SPREADS,
        rival=True,
    ),
    Test(
        "Dickey-Fuller, robust",
        lambda a, b, _: cointegration.dickey_fuller_p(dickey_fuller(a - b, robust=True).t),
        nulls.SPREADS,
        least=250,
    ),
    Test("Dickey-Fuller, a leg alone", lambda a, b, _: returns_alone(a - b), nulls.SPREADS, least=250),
    Test(
        "Dickey-Fuller, a leg beside one it keeps to",
        lambda a, _b, _: returns_alone(a),
        nulls.KEPT,
        least=250,
        rival=True,
    ),
    Test(
        "a leg that keeps to another, called returning",
        lambda a, b, _: called_returning(a, b),
        nulls.KEPT,
        least=500,
        cautious=True,
    ),
    Test(
        "a leg that returns, called keeping to another",
        lambda a, b, _: kept_to(a, b),
        nulls.RETURNING,
        least=500,
        cautious=True,
    ),
    Test(
        "Dickey-Fuller, minimum variance",
        lambda a, b, _: least_variance(a, b),
        nulls.WALKS,
        least=250,
    ),
    Test("Dickey-Fuller, beyond a factor", lambda a, b, _: beyond_a_factor(a, b), nulls.SPREADS, least=250),
    Test(
        "half-life",
        lambda a, b, t: outside(reversion.spread_half_life(a - b), t),
        nulls.HALF_LIVES,
        least=250,
    ),
    Test(
        "half-life, fitted",
        lambda a, b, t: outside(reversion.spread_half_life(a - kernels.slope(b, a) * b, 2), t),
        nulls.HALF_LIVES,
        least=250,
    ),
    Test("related: moves together", lambda a, b, _: 2 * normal_tail(surprise(a, b)), nulls.APART),
    Test("correlation", lambda a, b, t: of_errors(dependence.estimated_correlation(a, b), t), nulls.CORRELATIONS),
    Test(
        "correlation, EWMA .94",
        lambda a, b, t: of_errors(smoothing.estimated_smoothed_correlation(a, b, 0.94), t),
        nulls.CORRELATIONS,
    ),
    Test("spread: what drives the gap", lambda a, b, _: drives(a, b), UNRELATED),
    Test("equal correlations, 2 years", lambda a, b, _: in_time(a, b, 2), ALL_ALIKE, least=250, says=wanders),
    Test("equal correlations, 10 years", lambda a, b, _: in_time(a, b, 10), ALL_ALIKE, least=2500, says=wanders),
    Test("equal correlations, volatility", lambda a, b, _: by_volatility(a, b), nulls.STEADY, least=250),
    Test("equal correlations, up and down", lambda a, b, _: alike(a, b, [a > 0, a < 0]), nulls.STEADY),
    Test("breakdowns, how many", lambda a, b, _: breakdowns(a, b), nulls.STEADY, least=1000, cautious=True),
    Test(
        "correlation break",
        lambda a, b, _: breaks.correlation_break(a, b).p_value,
        ALL_ALIKE,
        least=250,
        says=wanders,
    ),
    Test(
        "correlation break, late", lambda a, b, _: breaks.correlation_break(a, b).p_value, nulls.STEADY_LATE, least=1000
    ),
    Test("date of the break", broken_at, nulls.BROKEN, least=250, cautious=True),
    Test("date of the break, late", broken_at, nulls.BROKEN_LATE, least=1000, cautious=True),
    Test("analogs", lambda a, b, _: after_events(a, b), nulls.SPREADS, least=1000),
    Test("hedge ratio", lambda a, b, t: outside(effectiveness.robust_slope(a, b), t), nulls.SLOPES, says=of_each),
    Test(
        "effectiveness",
        lambda a, b, t: outside(effectiveness.effectiveness(b - 0.5 * a, b), t),
        nulls.HALF_HEDGED,
        says=of_each,
    ),
    Test("equal variances", lambda a, b, _: effectiveness.equal_variances(a, b), nulls.VARIANCES, least=OF_EACH),
    Test(
        "beta (compare, beside a factor)",
        lambda a, b, t: of_errors(dependence.estimated_slope(a, b), t),
        nulls.SLOPES,
        says=of_the_window,
    ),
    Test("compare: tightness", tightness, TIGHTNESSES, says=of_the_window),
)
BY_NAME = {test.name: test for test in TESTS}
