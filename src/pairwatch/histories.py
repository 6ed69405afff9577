"""One leg's closes with where they come from, and adjusted for what was distributed."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from pairwatch import kernels
from pairwatch.model import Adjustment, Floats, Provenance, Series


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """One leg's finished closes, and where they come from."""

    series: Series
    provenance: Provenance

    def to_frame(self) -> Any:
        """A pandas DataFrame by date: `close` as quoted, `adjusted` for distributions, `dividend`, `split`."""
        import pandas as pd  # noqa: PLC0415 - pandas must not load with the types

        series = self.series
        events = {"dividend": np.zeros(len(series)), "split": np.zeros(len(series))}
        for event in series.events:
            events["split" if event.kind == "split" else "dividend"][series.dates == event.day] += event.value
        return pd.DataFrame(
            {"close": series.closes, "adjusted": adjusted(series, "total"), **events},
            index=pd.DatetimeIndex(series.dates, name="date"),
        )


def adjusted(series: Series, adjustment: Adjustment) -> Floats:
    """Closes adjusted for cash distributions (`total`), or as quoted (`price`); splits are applied already.

    Shape (n,). The last close is as quoted. Distributions after the last close do not count yet.
    """
    cash = [e for e in series.events if e.kind != "split"]
    if adjustment == "price" or not cash:
        return series.closes
    at = series.dates.searchsorted(np.array([e.day for e in cash], dtype="datetime64[D]"))
    return kernels.adjust_for_distributions(series.closes, at, np.array([e.value for e in cash]))
