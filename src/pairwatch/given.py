"""Series that the caller holds already: compared without a source and without a cache."""

from dataclasses import replace
from typing import Any

from pairwatch import pairs
from pairwatch.errors import UsageError
from pairwatch.histories import History
from pairwatch.kernels import is_every_day
from pairwatch.model import Comparison, Facts, Leg, Provenance, Series, Window
from pairwatch.staging import Question
from pairwatch.text import clean


def compare_series(
    a: Any,
    b: Any,
    *,
    window: str | Window = "90d",
    max_lag: int = 10,
    seed: int = 0,
) -> Comparison:
    """Compare two pandas Series of prices that are at hand, indexed by date; their names name the legs.

    The prices are taken as they are: adjust them first. Missing prices are left out.

    Raises:
        UsageError: not Series of finite numbers, or dates that are not unique.
        NotEnoughData: too few common days.
    """
    first, second = _given(a, "A"), _given(b, "B")
    if first.series.leg == second.series.leg:
        first, second = (
            replace(h, series=replace(h.series, leg=Leg("given", n))) for h, n in ((first, "A"), (second, "B"))
        )
    as_of = max(first.series.dates[-1], second.series.dates[-1]).item()
    window = window if isinstance(window, Window) else Window.parse(window)
    return pairs.compare(first, second, Question(as_of, window, max_lag=max_lag, seed=seed), with_past=True)


def _given(prices: Any, name: str) -> History:
    """A history from a pandas Series."""
    hint = "pass two pandas Series of prices, each with a DatetimeIndex"
    try:
        known = prices.dropna().sort_index()
        index = known.index.tz_localize(None) if getattr(known.index, "tz", None) else known.index
        if index.to_numpy().dtype.kind not in "MOUT":
            raise UsageError(f"leg {name} has no dates, but {index.dtype} for an index", hint)
        dates, closes = index.to_numpy().astype("datetime64[D]"), known.to_numpy(dtype="f8")
        series = Series(
            Leg("given", _symbol(known.name, name)),
            dates,
            closes,
            facts=Facts(name=clean(known.name), every_day=is_every_day(dates)),
        )
    except (AttributeError, TypeError, ValueError) as error:
        raise UsageError(f"leg {name} is not a Series of prices by date ({clean(error)})", hint) from error
    if not len(series):
        raise UsageError(f"leg {name} holds no price", hint)
    return History(series, Provenance("file"))


def _symbol(name: Any, otherwise: str) -> str:
    """What a Series is called, as far as a symbol can say it."""
    letters = "".join(c if c.isascii() and c.isalnum() else "-" for c in str(name)).strip("-").upper()
    return letters[:30] if name is not None and letters else otherwise
