"""What followed after chosen bars, beside what followed after any."""

import numpy as np

from pairwatch.model import NAN, Floats, Positions

# Of longer series not every shift is tried: so many leave p an error of a third of a point at 5 %.
_MOST_SHIFTS = 4000


def spaced(candidates: Positions, spacing: int) -> Positions:
    """Of increasing places the first, then always the next that lies `spacing` or more after the one taken before."""
    taken: list[int] = []
    at = 0
    while at < len(candidates):
        taken.append(int(candidates[at]))
        at = int(candidates.searchsorted(taken[-1] + spacing))
    return np.array(taken, dtype=np.intp)


def median(x: Floats) -> float:
    """The middle value, or the mean of the middle two; NaN of none."""
    # Not np.median, which imports numpy.ma.
    ordered = np.sort(x)
    return float(ordered[(len(x) - 1) // 2] + ordered[len(x) // 2]) / 2 if len(x) else NAN


def shift_test(outcomes: Floats, at: Positions) -> float:
    """The p-value of the outcomes at some places having another median than all of them.

    The places are shifted together, around the end of the series, by every number of bars: their distances stay, and
    so does whatever overlapping outcomes have in common. p is the share of shifts, none among them, for which the
    median's distance from that of all outcomes, in mean absolute deviations of those at the places, is as large. The
    division is for chosen bars that are turbulent ones: without it the test is too bold after large gaps.

    Source: the circular shift, or toroidal, test (Lotwick and Silverman 1982); two-sided.
    """
    n, k = len(outcomes), len(at)
    if not k:
        return NAN
    distances = outcomes - median(outcomes)
    shifts = np.arange(0, n, -(-n // _MOST_SHIFTS))
    drawn = np.sort(distances[(at + shifts[:, None]) % n], axis=1)
    middle = np.abs(drawn[:, (k - 1) // 2] + drawn[:, k // 2])
    size = np.abs(drawn).sum(axis=1)
    # Crosswise, so that nothing is divided by zero.
    return float((middle * size[0] >= middle[0] * size * (1 - 1e-12)).mean())
