"""The catalogue: one decorated function for each number that is reported.

The function's name is the key in CSV, JSON and Python, its label heads the table, its docstring gives meaning,
formula and source to `pairwatch explain` and the README. The order of every output is that of the imports below, and
of the functions in each file. To add a statistic, write one function; the formats follow.

Throughout, a and b are returns on the days that both legs closed, P is the number of bars a year, sd is the
sample standard deviation (ddof 1), and NaN is "cannot say". Returns are fractions, or the differences of a leg that
changes by those; what then cannot be said is a rule of the decorator, see `pairwatch.catalogue`.

Below a statistic that has a past stands how it is told of every window at once, see `past.py`: `percentiles.py` says
where today's value stands among those.
"""

from pairwatch.catalogue import entries, readings

# isort: off
from pairwatch.stats import legs, pair, spread, subsets, leadership  # noqa: F401 - each registers its own, in this order


__all__ = ["entries", "readings"]
