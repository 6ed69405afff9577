"""The tables of `pairwatch.kernels.reversion`, and the critical traces of `pairwatch.kernels.cointegration`.

For each c = n ln(rho): the 2.5, 50 and 97.5 % quantiles of t = (estimated rho - rho) / its standard error, of a series
that begins somewhere in its stationary range (Andrews 1993, Econometrica 61(1)), with a constant; and of the residuals
of its least-squares line on an unrelated random walk, without one. Then how often either Dickey-Fuller test rejects a
unit root at 5 %. At last the 95 % points of Johansen's trace of two unrelated walks that do not drift, and of one.
1,000 steps stand for the limit.

`python benchmarks/local_to_unity.py [--runs 200000]`
"""

import argparse

import numpy as np

from pairwatch.kernels.cointegration import critical_t, traces
from pairwatch.model import Floats
from timing import say

STEPS = 1000
SEED = 20261123
PLACES = (0, 0.5, 1, 2, 3, 5, 7.5, 10, 15, 20, 30, 50, 75, 100, 150, 250, 400)


class Moments:
    """Sums of products of (1, u, x) as they are with (1, u, x) a step before, run by run."""

    def __init__(self, runs: int) -> None:
        self.now, self.lagged = np.zeros((2, 3, 3, runs))

    def add(self, before: Floats, after: Floats) -> None:
        """Count one step."""
        for i in range(3):
            for j in range(3):
                self.now[i, j] += before[i] * before[j]
                self.lagged[i, j] += after[i] * before[j]


def simulated(c: float, runs: int, rng: np.random.Generator) -> tuple[Floats, Floats, Floats, Floats]:
    """The t at the true rho and at one, of u itself, and of what its line on x leaves of it."""
    rho = np.exp(-c / STEPS)
    at = np.stack([np.ones(runs), np.zeros(runs), np.zeros(runs)])
    if c:
        at[1] = rng.standard_normal(runs) / np.sqrt(1 - rho**2)
    first, moments = at.copy(), Moments(runs)
    for _ in range(STEPS):
        after = at.copy()
        after[1:] = np.array([[rho], [1.0]]) * at[1:] + rng.standard_normal((2, runs))
        moments.add(at, after)
        at = after
    m, lag = moments.now, moments.lagged
    whole = m + np.einsum("ir,jr->ijr", at, at)
    known = m - np.einsum("ir,jr->ijr", first, first) + np.einsum("ir,jr->ijr", at, at)  # of the steps' ends
    xx, xy, yy = (
        s[1, 1] - top * bottom / STEPS
        for s, top, bottom in ((m, m[0, 1], m[0, 1]), (lag, lag[1, 0], m[0, 1]), (known, lag[1, 0], lag[1, 0]))
    )
    estimate = xy / xx
    error = np.sqrt((yy - estimate * xy) / (STEPS - 2) / xx)
    b = (whole[1, 2] - whole[0, 1] * whole[0, 2] / (STEPS + 1)) / (whole[2, 2] - whole[0, 2] ** 2 / (STEPS + 1))
    weights = np.stack([-(whole[0, 1] - b * whole[0, 2]) / (STEPS + 1), np.ones(runs), -b])
    xx, xy, yy = (np.einsum("ir,ijr,jr->r", weights, s, weights) for s in (m, lag, known))
    left = xy / xx
    left_error = np.sqrt((yy - left * xy) / (STEPS - 1) / xx)
    return (estimate - rho) / error, (estimate - 1) / error, (left - rho) / left_error, (left - 1) / left_error


def trace_points(rng: np.random.Generator) -> tuple[Floats, Floats]:
    """The trace for no vector of 1,000 pairs of walks; and for at most one, which is that of a walk by itself."""
    steps = rng.standard_normal((1000, 2, STEPS))
    x = steps[:, 0] - steps[:, :1].mean(axis=2)
    walk = np.zeros_like(x)
    walk[:, 1:] = steps[:, 0, :-1].cumsum(axis=1)
    walk -= walk.mean(axis=1, keepdims=True)
    share = (walk * x).sum(axis=1) ** 2 / (walk**2).sum(axis=1) / (x**2).sum(axis=1)
    return traces(steps, np.ones(STEPS), steps @ steps.transpose(0, 2, 1)), -STEPS * np.log1p(-share)


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200_000)
    runs = parser.parse_args().runs
    rng = np.random.default_rng(SEED)
    for c in PLACES:
        found = simulated(c, runs, rng)
        quantiles = [np.quantile(t, [0.025, 0.5, 0.975]).round(3).tolist() for t in (found[0], found[2])]
        power = [round(float((found[i] < critical_t(np.inf, i // 2 + 1)).mean()), 3) for i in (1, 3)]
        say(f"({-c}, {tuple(quantiles[0])}, {tuple(quantiles[1])}, {power[0]}, {power[1]}),")
    two, one = zip(*(trace_points(rng) for _ in range(runs // 1000)), strict=True)
    say(f"trace: {np.quantile(np.concatenate(two), 0.95):.3f} {np.quantile(np.concatenate(one), 0.95):.3f}")


if __name__ == "__main__":
    main()
