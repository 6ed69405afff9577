"""The table of `pairwatch.kernels.break_tables`: quantiles of the strongest step of normal values that have none.

One row a length; between them go the number of lags, a twelfth of the values up to 1,500, and how near to the ends a
step is looked for, a quarter of the values up to 240. The standard error of a 5 % point of 20,000 runs is .015.

`python benchmarks/break_points.py [--runs 20000]`
"""

import argparse

import numpy as np

from pairwatch.kernels.break_tables import TAILS
from pairwatch.kernels.breaks import strongest_step
from timing import say

SEED = 20261123
LENGTHS = (80, 120, 170, 240, 340, 500, 720, 1000, 1500, 2500, 5000, 10_000)


def simulated(n: int, runs: int, rng: np.random.Generator) -> list[float]:
    """As many statistics."""
    found = []
    for _ in range(runs):
        values = rng.standard_normal(n)
        found.append(strongest_step(values - values.mean()).statistic)
    return found


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20_000)
    runs = parser.parse_args().runs
    rng = np.random.default_rng(SEED)
    for n in LENGTHS:
        found = simulated(n, runs, rng)
        say(f"({n}, {tuple(np.quantile(found, 1 - np.array(TAILS)).round(3).tolist())}),")


if __name__ == "__main__":
    main()
