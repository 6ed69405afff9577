"""The frozen types that cross borders.

A type that checks or is hashed is a frozen dataclass; a record that only carries is a NamedTuple, which is made in a
tenth of the time: thirty dataclasses would be a tenth of a whole run. What holds arrays is equal to itself alone.

Arrays inside are read-only and checked once, on construction. Text inside is clean (see `pairwatch.text`).
Days are numpy `datetime64[D]` in the exchange's own time zone; instants are Unix seconds (float, UTC).
"""

from pairwatch.model.arrays import NAN, Days, Floats, Positions, frozen_array, iso
from pairwatch.model.asking import DEFAULT_SOURCE, LONGEST_PATH, Align, Leg, Window, months_before
from pairwatch.model.results import (
    Absent,
    Adjustment,
    Claim,
    Comparison,
    Leadership,
    LegReceipt,
    Percentiles,
    Reading,
    Receipt,
    Scope,
    Statistic,
    StatisticUnit,
)
from pairwatch.model.series import (
    HUNDREDTHS,
    MEASURES,
    Declared,
    Event,
    EventKind,
    Facts,
    Fetched,
    Frequency,
    Holding,
    Measure,
    Provenance,
    Quote,
    Series,
)
from pairwatch.model.studies import Cell, Column, ColumnUnit, Heading, Section, Study, Third

__all__ = [
    "DEFAULT_SOURCE",
    "HUNDREDTHS",
    "LONGEST_PATH",
    "MEASURES",
    "NAN",
    "Absent",
    "Adjustment",
    "Align",
    "Cell",
    "Claim",
    "Column",
    "ColumnUnit",
    "Comparison",
    "Days",
    "Declared",
    "Event",
    "EventKind",
    "Facts",
    "Fetched",
    "Floats",
    "Frequency",
    "Heading",
    "Holding",
    "Leadership",
    "Leg",
    "LegReceipt",
    "Measure",
    "Percentiles",
    "Positions",
    "Provenance",
    "Quote",
    "Reading",
    "Receipt",
    "Scope",
    "Section",
    "Series",
    "Statistic",
    "StatisticUnit",
    "Study",
    "Third",
    "Window",
    "frozen_array",
    "iso",
    "months_before",
]
