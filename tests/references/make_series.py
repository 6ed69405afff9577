"""The pairs that R and this package are both asked about; `python tests/references/make_series.py` writes them anew.

They are made of the package's own draws, which are the same in every version of numpy. Prices are written as they come,
in the shortest digits that read back to the same bits.
"""

import csv
from pathlib import Path

import numpy as np

from pairwatch.kernels.draws import Draws

FOLDER = Path(__file__).parent


def autoregression(shocks, *coefficients):
    """x[t] = c[0] x[t-1] + c[1] x[t-2] + .. + shock, from nothing on."""
    found = np.zeros(len(shocks))
    for t in range(len(shocks)):
        found[t] = shocks[t] + sum(c * found[t - i] for i, c in enumerate(coefficients, 1) if t >= i)
    return found


def turbulence(draws, n):
    """The deviations of a GARCH(1,1), its mean 1."""
    shocks, squares = draws.normal(n), [1.0]
    for e in shocks[:-1]:
        squares.append(0.05 + squares[-1] * (0.85 + 0.1 * e * e))
    return np.sqrt(squares)


def cointegrated(n=500):
    """Levels: b walks, and a keeps to a line on it; what is left takes some bars to return."""
    draws = Draws(11)
    b = 100 + autoregression(draws.normal(n), 0.2).cumsum()
    return 3 + 0.6 * b + autoregression(1.2 * draws.normal(n), 0.6, 0.2), b


def unrelated(n=500):
    """Levels: two walks whose steps do not know of one another, one with turbulent times."""
    draws = Draws(22)
    return 80 + (0.9 * draws.normal(n) * turbulence(draws, n)).cumsum(), 120 + draws.normal(n).cumsum()


def leading(n=400):
    """Returns: a leads b by two bars, in common turbulence."""
    draws = Draws(33)
    rough, (first, second) = 0.01 * turbulence(draws, n), draws.normal(2, n)
    a = rough * first
    b = rough * (0.5 * first + 0.8 * second)
    b[2:] += 0.35 * a[:-2]
    return a, b


def autoregressive(n=300):
    """Levels: both return to their mean, b the more slowly, and yesterday's a moves b."""
    draws = Draws(44)
    a = 5 + autoregression(draws.normal(n), 0.7, 0.15)
    pull = 0.3 * np.concatenate([[0.0], a[:-1] - 5])
    return a, 20 + autoregression(draws.normal(n) + pull, 0.9)


def broken(n=600, at=360):
    """Returns: their correlation is .2 before a bar and .8 from it on."""
    draws = Draws(55)
    first, second = draws.normal(2, n)
    rho, rough = np.where(np.arange(n) < at, 0.2, 0.8), 0.012 * turbulence(draws, n)
    return rough * first, rough * (rho * first + np.sqrt(1 - rho * rho) * second)


PAIRS = {made.__name__: made for made in (cointegrated, unrelated, leading, autoregressive, broken)}


def write(folder):
    for name, made in PAIRS.items():
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(["a", "b"])
            rows.writerows([repr(a), repr(b)] for a, b in zip(*(leg.tolist() for leg in made()), strict=True))


if __name__ == "__main__":
    write(FOLDER)
