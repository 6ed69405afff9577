"""What is said of some of the pair's bars: those on which B rose, those on which it fell, all but one."""

import numpy as np

from pairwatch import kernels
from pairwatch.catalogue import PairView, pair_statistic
from pairwatch.model import NAN, Floats
from pairwatch.stats.past import PairPast, past_of


def _beta_where(pair: PairView, days: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> float:
    return kernels.slope(pair.b.returns[days], pair.a.returns[days]) if days.sum() > 2 else NAN


@pair_statistic("up beta", "number", slope="a/b")
def up_beta(pair: PairView) -> float:
    """Beta of A on B over the bars on which B rose.

    Formula: cov(a, b) / var(b) where b > 0.
    Source: least squares; empyrical.up_alpha_beta.
    """
    return _beta_where(pair, pair.b.returns > 0)


@past_of(up_beta)
def _(past: PairPast) -> Floats:
    return past.beta_where_b(1)


@pair_statistic("down beta", "number", slope="a/b")
def down_beta(pair: PairView) -> float:
    """Beta of A on B over the bars on which B fell.

    Formula: cov(a, b) / var(b) where b < 0.
    Source: least squares; empyrical.down_alpha_beta.
    """
    return _beta_where(pair, pair.b.returns < 0)


@past_of(down_beta)
def _(past: PairPast) -> Floats:
    return past.beta_where_b(-1)


def _capture(pair: PairView, days: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> float:
    return kernels.geometric_capture(pair.a.returns[days], pair.b.returns[days])


@pair_statistic("up capture", "fraction", of_differences=False, of_levels=False)
def up_capture(pair: PairView) -> float:
    """A's geometric mean return over B's, on the bars on which B rose.

    Formula: gmean(a) / gmean(b) where b > 0, a bar, not annualised.
    Source: Morningstar's capture ratio on bars; empyrical.up_capture(..., period="yearly").
    """
    return _capture(pair, pair.b.returns > 0)


@past_of(up_capture)
def _(past: PairPast) -> Floats:
    return past.capture_where_b(1)


@pair_statistic("down capture", "fraction", of_differences=False, of_levels=False)
def down_capture(pair: PairView) -> float:
    """A's geometric mean return over B's, on the bars on which B fell.

    Formula: gmean(a) / gmean(b) where b < 0, a bar, not annualised.
    Source: Morningstar's capture ratio on bars; empyrical.down_capture(..., period="yearly").
    """
    return _capture(pair, pair.b.returns < 0)


@past_of(down_capture)
def _(past: PairPast) -> Floats:
    return past.capture_where_b(-1)


@pair_statistic("correlation, any bar left out", "number", interval="correlation_fragility")
def correlation_fragility_low(pair: PairView) -> float:
    """The lowest correlation that is left when any one bar is taken out.

    Formula: min over i of r without bar i.
    Source: the jackknife's leave-one-out values.
    """
    return float(kernels.leave_one_out_correlations(pair.a.returns, pair.b.returns).min())


@pair_statistic("correlation, any bar left out", "number", interval="correlation_fragility")
def correlation_fragility_high(pair: PairView) -> float:
    """The highest correlation that is left when any one bar is taken out.

    Formula: max over i of r without bar i.
    Source: the jackknife's leave-one-out values.
    """
    return float(kernels.leave_one_out_correlations(pair.a.returns, pair.b.returns).max())
