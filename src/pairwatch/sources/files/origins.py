"""What the header and the name of a file tell of its values: a FRED series by its id, or CBOE by its way of writing."""

import re
from typing import Final, NamedTuple

import numpy as np

from pairwatch.errors import EmptyAnswer, UnreadableFile
from pairwatch.model import Days, Floats, Frequency
from pairwatch.sources.files.shapes import Shape
from pairwatch.sources.files.tables import Column
from pairwatch.sources.fred_ids import Known, is_no_ticker, known_id
from pairwatch.sources.fred_periods import inferred, period_ends

# FRED's header was `DATE` until the end of 2024. CBOE writes `DATE` too, above American dates.
_FRED: Final = ("observation_date", "DATE")
_ISO: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_AMERICAN: Final = re.compile(r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{2,4}")
_CLOSES: Final = ("close", "closelast", "adjclose")
_GENERIC: Final = Known("price")
# Most of what CBOE writes are volatility indices, which nobody can hold.
_CBOE: Final = Known("level", "points")


class Origin(NamedTuple):
    """What is told of the values.

    Attributes:
        is_fred: whether the file is as FRED writes it, so that its dates are those of periods.
        remarks: what could not be told.
    """

    known: Known = _GENERIC
    is_fred: bool = False
    remarks: tuple[str, ...] = ()


class Dated(NamedTuple):
    """Closes with the last days of their periods, and the frequency where it is told."""

    dates: Days
    closes: Floats
    frequency: Frequency


def origin_of(shape: Shape, name: str, day: Column, first_day: str) -> Origin:
    """What the header and the id tell; a price where they tell nothing.

    A share may be called AAA or GDP: where the file is not as FRED writes it, only an id that no share has counts.
    """
    if shape.close.field in _CLOSES:
        return Origin(_CBOE) if _is_cboe(day, first_day) else Origin()
    is_fred = day.label in _FRED and _ISO.fullmatch(first_day) is not None
    known = known_id(name)
    if known and (is_fred or is_no_ticker(name)):
        return Origin(known, is_fred)
    if is_fred and day.label != "DATE":
        said = f"what {name} is counted in is not known, and it is taken as a level: `--unit` says what it is"
        return Origin(Known("level"), is_fred, (said,))
    return Origin(_CBOE) if _is_cboe(day, first_day) else Origin()


def dated(origin: Origin, name: str, dates: Days, closes: Floats, today: np.datetime64) -> Dated:
    """The values of finished periods by their last days, as the fred source dates them; others as they are.

    Raises:
        UnreadableFile: the dates cannot be those of such a series.
        EmptyAnswer: no period is over.
    """
    if not origin.is_fred:
        return Dated(dates, closes, "")
    cadence = inferred(dates) or origin.known.cadence
    try:
        ends = period_ends(dates, cadence)
    except ValueError as error:
        raise UnreadableFile(
            f"not the dates of {name}: {error}", "call the first column Date if it is not from FRED"
        ) from None
    keep = (ends < today) | (ends == dates)
    if not keep.any():
        raise EmptyAnswer("no value of a period that is over")
    return Dated(ends[keep], closes[keep], cadence)


def _is_cboe(day: Column, first_day: str) -> bool:
    return day.label == "DATE" and _AMERICAN.fullmatch(first_day) is not None
