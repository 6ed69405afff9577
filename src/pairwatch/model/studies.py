"""What a study of a pair over its history says: sections of rows, under headings that say what each column means."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, NamedTuple, TypeAlias

from pairwatch.model.asking import Leg
from pairwatch.model.results import Receipt

# NaN and None are "cannot say".
Cell: TypeAlias = str | int | float | bool | date | None
# `lag` and `return` are shown with their sign; of `unit` says the row's cell in the column of that key.
ColumnUnit = Literal[
    "text",
    "date",
    "number",
    "return",
    "fraction",
    "bp",
    "count",
    "bars",
    "lag",
    "probability",
    "currency",
    "percentile",
    "unit",
]


class Column(NamedTuple):
    """A column of a section.

    Attributes:
        key: the name in CSV, JSON and Python; a promise to other people's scripts.
        label: what heads it in a table.
        meaning: what it is, its formula and source, for `pairwatch explain`.
        wide: whether a table shows it only where there is room.
    """

    key: str
    label: str
    unit: ColumnUnit
    meaning: str
    wide: bool = False


class Heading(NamedTuple):
    """A section as it is known before anything is computed.

    The first column names the row. A column `unit` of texts is not shown in tables: it says what is in the cells of
    the columns whose unit is `unit`.
    """

    key: str
    title: str
    meaning: str
    columns: tuple[Column, ...]


class Section(NamedTuple):
    """A heading with its rows, each as long as the heading has columns, and what has to be said beside them."""

    heading: Heading
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()

    def records(self) -> Iterator[dict[str, Cell]]:
        """The rows by the columns' keys."""
        keys = [column.key for column in self.heading.columns]
        for row in self.rows:
            yield dict(zip(keys, row, strict=True))

    def to_frame(self) -> Any:
        """A pandas DataFrame with a column for each key."""
        import pandas as pd  # noqa: PLC0415 - pandas must not load with the types

        return pd.DataFrame(list(self.rows), columns=[column.key for column in self.heading.columns])


class Third(NamedTuple):
    """A leg beside a pair: its first and last close on the pair's days, and how many of the pair's changes it has."""

    leg: Leg
    first: date
    last: date
    known: int


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """Everything a study has to say about a pair.

    Attributes:
        name: the command's.
        since: the first close that was looked at.
        as_of: the last one.
        bars: the bars of the rolling window.
        findings: what the numbers say, in sentences, the most important first.
        beside: the legs beside the pair.
        stale_beside: why legs beside the pair are older than they should be.
        history: what the numbers were computed from, where that is not the common closes that the receipt counts.
    """

    name: str
    a: Leg
    b: Leg
    since: date
    as_of: date
    bars: int
    findings: tuple[str, ...]
    sections: tuple[Section, ...]
    receipt: Receipt
    warnings: tuple[str, ...] = ()
    beside: tuple[Third, ...] = ()
    stale_beside: tuple[str, ...] = ()
    history: str = ""

    def __getitem__(self, key: str) -> Section:
        for section in self.sections:
            if section.heading.key == key:
                return section
        raise KeyError(f"no section {key!r}; there are {', '.join(s.heading.key for s in self.sections)}")

    def __repr__(self) -> str:
        return f"<Study {self.name} {self.a} {self.b}, {self.since} to {self.as_of}>"

    @property
    def stale_reasons(self) -> tuple[str, ...]:
        """Why legs are older than they should be, in words; none for those that are not."""
        sides = self.receipt.a, self.receipt.b
        return (*(side.provenance.stale for side in sides if side.provenance.stale), *self.stale_beside)

    @property
    def simulated(self) -> bool:
        """Whether either leg was drawn, not recorded."""
        return self.receipt.a.facts.simulated or self.receipt.b.facts.simulated
