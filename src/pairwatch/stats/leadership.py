"""What is said of who leads; the test itself is `pairwatch.lead`."""

import math

from pairwatch.catalogue import leadership_statistic
from pairwatch.model import NAN, Leadership


@leadership_statistic("lag of the strongest lead", "bars")
def lead_lag(lead: Leadership) -> float:
    """The bars by which A leads B (negative: B leads A) where a lead is strongest; a verdict only with its p.

    Formula: the k, 1 <= |k| <= L, with the largest |l(k)|, l(k) = (S(k) - r^2 S(-k)) / (1 + r^4), S(k) the mean of
    a[t] (b[t+k] - r a[t+k]) for standardised legs, S(-k) the same with the legs exchanged.
    Source: `docs/decisions.md`; after Bennett, Cucuringu and Reinert (2022), arXiv:2201.08283, on asymmetry.
    """
    return float(lead.lag) if math.isfinite(lead.p_value) else NAN


@leadership_statistic("asymmetry there", "number")
def lead_asymmetry(lead: Leadership) -> float:
    """The correlation of A's past with B's day, less that of B's past with A's day, at the distance of that lag.

    Formula: D = r(|k|) - r(-|k|).
    Source: Bennett, Cucuringu and Reinert (2022), arXiv:2201.08283.
    """
    return lead.asymmetry


@leadership_statistic("correlation there", "number")
def lead_correlation(lead: Leadership) -> float:
    """The cross-correlation at that lag.

    Formula: r(k) = sum (a[t] - mean a)(b[t+k] - mean b) / (n sd sd), sd with ddof 0.
    Source: Box and Jenkins; statsmodels ccf(adjusted=False), R ccf at lag -k.
    """
    return lead.correlation if math.isfinite(lead.p_value) else NAN


@leadership_statistic("p, all lags considered", "probability")
def lead_p_value(lead: Leadership) -> float:
    """The probability of a lead as strong at any lag up to L, either way, when the order of the days is chance.

    Formula: (1 + count) / (1 + 1999), of 1,999 joint permutations of the days those with as large a max |l(k)| / noise.
    Source: `docs/decisions.md`; size and power are measured by `benchmarks/lead_test.py`.
    """
    return lead.p_value


@leadership_statistic("detectable lead", "number")
def lead_detectable(lead: Leadership) -> float:
    """The lead, in units of r, that is called a leader in four windows out of five like this one.

    Formula: (95 % point of the permuted statistic + 0.842 of its standard deviation a lag) times the noise.
    Source: as lead_p_value.
    """
    return lead.detectable
