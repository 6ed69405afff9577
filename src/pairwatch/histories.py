"""One leg's closes with where they come from, adjusted for what was distributed, and standing in for another leg's."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from pairwatch import kernels
from pairwatch.errors import PairwatchError
from pairwatch.model import Adjustment, Floats, Leg, Provenance, Series

# What says of a stale history how it was served: no reason for taking another one.
_SERVED = re.compile(r"(; )?from the cache, [^,;]* old(, since )?")


# How many days, or bars where these are longer, a file that stands in may end before the day of asking, which covers
# Easter: nobody can say of a file whether its source has a later close.
LONGEST_REST, LATE_BARS = 5, 3


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


def best(had: Sequence[tuple[Leg, History]]) -> tuple[Leg, History]:
    """Which of several histories, at least one, is taken: the latest, and of these the first that is not stale."""
    return max(had, key=lambda one: (_end(one[1]), not one[1].provenance.stale))


def instead(leg: Leg, had: Sequence[tuple[Leg, History]], errors: Sequence[PairwatchError], day: date) -> History:
    """The best of what was had, under the name of the leg that was asked for; `errors` are of what was not.

    A file that ends well before `day`, the one for which it is wanted, is stale.
    """
    chosen, found = best(had)
    if chosen == leg:
        return found
    reasons = [error.message for error in errors]
    reasons += [
        _SERVED.sub("", h.provenance.stale) or f"{other}: it ends on {_end(h)}" for other, h in had if other != chosen
    ]
    since = "; ".join(reason.removeprefix(f"{leg}: ") for reason in reasons)
    remark = f"{leg}: from {chosen}, since {since}" if since else f"{leg}: from {chosen}"
    provenance = replace(
        found.provenance,
        stale=found.provenance.stale or _late(leg, chosen, found, day),
        made=(remark, *found.provenance.made),
        stand_in=f"{chosen.source}:{chosen.symbol}",
    )
    return History(replace(found.series, leg=leg), provenance)


def _late(leg: Leg, chosen: Leg, found: History, day: date) -> str:
    """Why a file that stands in is stale, or nothing."""
    late = int((np.datetime64(day) - _end(found)).astype("i8"))
    if found.provenance.origin != "file" or late <= max(
        LONGEST_REST, LATE_BARS * kernels.usual_gap(found.series.dates[-61:])
    ):
        return ""
    return f"{leg}: from {chosen}, whose last close, {_end(found)}, is {late} days old"


def none_had(leg: Leg, errors: Sequence[PairwatchError]) -> PairwatchError:
    """The error where no leg of a chain could be had: the first one, at least one, with what the others say."""
    said = "; ".join(error.message for error in errors)
    return type(errors[0])(f"{leg}: none of its stand-ins could be had: {said}", errors[0].hint)


def _end(history: History) -> np.datetime64:
    """The day of the last close."""
    last: np.datetime64 = history.series.dates[-1]
    return last
