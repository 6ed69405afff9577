"""What is found between a leg and the same thing from other sources."""

import math
import re
from datetime import date
from typing import Literal, NamedTuple, Self

from pairwatch.errors import UsageError
from pairwatch.model import Leg
from pairwatch.text import clean

Kind = Literal[
    "duplicate", "currency", "shift", "scale", "split", "dividend", "adjustment", "tick", "other"
]  # fmt: skip
KINDS: tuple[Kind, ...] = Kind.__args__  # type: ignore[attr-defined]
_TOLERANCE = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*(%|bp)\Z")
_LARGEST = 50.0  # percent


class Tolerance(NamedTuple):
    """How far two values may lie apart and still agree; within the rounding of their printed digits they always do.

    Attributes:
        fraction: of the value; of prices, indices and levels.
        points: in basis points; of rates.
    """

    fraction: float = 0.001
    points: float = 0.5

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `0.05%`, `1bp`, both as `0.05%,1bp`, or 0; what is not named stays as it is by default.

        Raises:
            UsageError: anything else.
        """
        if text.strip() == "0":
            return cls(0.0, 0.0)
        found = cls()
        for part in text.lower().split(","):
            match = _TOLERANCE.match(part.strip())
            if not match or float(match[1]) > _LARGEST:
                raise UsageError(
                    f"not a tolerance: {clean(text)!r}",
                    "0.05% of prices and levels, 1bp of rates, both as 0.05%,1bp, or 0 for no more than rounding",
                )
            size = float(match[1])
            found = found._replace(fraction=size / 100) if match[2] == "%" else found._replace(points=size)
        return found

    def of(self, unit: str) -> str:
        """In words, for values that differ by a `fraction` or by `bp`."""
        return f"{100 * self.fraction:.6g}%" if unit == "fraction" else f"{self.points:g} bp"


class Dated(NamedTuple):
    """One date on which two sources differ.

    Attributes:
        change: from here to there, as a fraction of the value here, or in basis points; NaN where here is zero.
    """

    day: date
    here: float
    there: float
    change: float
    kind: Kind


class Finding(NamedTuple):
    """Dates that differ for one reason.

    Attributes:
        first, last: the first and the last of the dates; None for what is no matter of dates.
        factor: there over here (`scale`, `split`, a single `dividend`; the farthest of an `adjustment`), or by how many
            sessions there is dated late, negative for early (`shift`); NaN for the others.
        because: what it is, one line.
        hint: what to do.
        differences: the dates, oldest first; none for a `duplicate`.
    """

    kind: Kind
    first: date | None
    last: date | None
    dates: int
    factor: float
    because: str
    hint: str
    differences: tuple[Dated, ...] = ()


class Checked(NamedTuple):
    """A leg against the same thing from one other source.

    Attributes:
        leg: the other.
        common: how many dates both have a close for, from `first` to `last`.
        unit: what differences are counted in, `fraction` or `bp`.
        lacking: the dates between that only here has a close for.
        added: the dates between that only there has a close for.
        findings: in the order of their dates.
        remarks: what else is to be known, a line each.
    """

    leg: Leg
    common: int
    first: date
    last: date
    unit: Literal["fraction", "bp"]
    findings: tuple[Finding, ...]
    lacking: tuple[date, ...]
    added: tuple[date, ...]
    remarks: tuple[str, ...]

    @property
    def agreeing(self) -> int:
        """On how many common dates the two agree."""
        return self.common - sum(len(one.differences) for one in self.findings)

    @property
    def differences(self) -> tuple[Dated, ...]:
        """The dates that differ, oldest first."""
        return tuple(sorted(each for one in self.findings for each in one.differences))

    @property
    def largest(self) -> Dated | None:
        """The date that differs most, if any does; a value against zero before all others."""
        every = (each for one in self.findings for each in one.differences)
        return max(every, key=lambda one: math.inf if math.isnan(one.change) else abs(one.change), default=None)


class Verification(NamedTuple):
    """A leg against the same thing from other sources.

    Attributes:
        checked: one for each of the others, as they were given.
    """

    leg: Leg
    tolerance: Tolerance
    checked: tuple[Checked, ...]

    @property
    def differs(self) -> bool:
        """Whether anything was found; missing dates alone are no difference."""
        return any(one.findings for one in self.checked)
