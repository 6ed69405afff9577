"""The parts that a condition is made of: numbers and conditions, each a function and its own normalised text."""

import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import NamedTuple, TypeAlias

from pairwatch.expressions.names import Name


class Bound(NamedTuple):
    """The numbers that are asked for, and the units of those that are no fractions although they may be."""

    numbers: Mapping[Name, float]
    counted: Mapping[Name, str]


# How tightly a part holds together; what is looser than its place asks for is put into parentheses.
OR, AND, NOT, COMPARISON, SUM, PRODUCT, MINUS, ATOM = range(1, 9)


class Number(NamedTuple):
    """A part that is a number: its normalised text, how tightly that holds together, and its value.

    Attributes:
        names: what it is counted as: none for the ratio, or the product, of two statistics.
        is_percent: whether a percentage is in it that is no factor.
    """

    text: str
    level: int
    value: Callable[[Bound], float]
    names: frozenset[Name] = frozenset()
    is_percent: bool = False


class Condition(NamedTuple):
    """A part that holds, does not hold, or cannot be said."""

    text: str
    level: int
    holds: Callable[[Bound], bool | None]


Part: TypeAlias = Number | Condition


def _divided(x: float, y: float) -> float:
    return x / y if y else math.nan


def _extreme(pick: Callable[[Sequence[float]], float], numbers: Sequence[float]) -> float:
    """The least or the greatest; of NaN and anything, neither can be said."""
    return math.nan if any(map(math.isnan, numbers)) else pick(numbers)


_ARITHMETIC = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": _divided}
_COMPARE = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_COMPARE |= {"==": operator.eq, "!=": operator.ne}
FUNCTIONS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "abs": lambda numbers: abs(numbers[0]),
    "min": partial(_extreme, min),
    "max": partial(_extreme, max),
}


def _compared(sign: str, x: float, y: float) -> bool | None:
    return None if math.isnan(x) or math.isnan(y) else bool(_COMPARE[sign](x, y))


def _decided(by: bool, parts: Iterable[bool | None]) -> bool | None:  # noqa: FBT001 - False decides `and`, True `or`
    """`by` if any part is, else None if any part cannot be said, else the opposite."""
    found = set(parts)
    return by if by in found else None if None in found else not by


def negation(part: Condition) -> Condition:
    """What holds where a part does not."""

    def holds(bound: Bound) -> bool | None:
        found = part.holds(bound)
        return None if found is None else not found

    return Condition(f"not {shown(part, NOT)}", NOT, holds)


def junction(text: str, level: int, parts: Sequence[Condition]) -> Condition:
    """Parts of which any, or all, have to hold, by their `level`."""
    return Condition(text, level, lambda bound: _decided(level == OR, (part.holds(bound) for part in parts)))


def comparison(text: str, signs: Sequence[str], parts: Sequence[Number]) -> Condition:
    """Neighbours compared, all of which must hold."""
    shares = [shares_of(x, y) for x, y in pairwise(parts)]

    def holds(bound: Bound) -> bool | None:
        numbers = [part.value(bound) for part in parts]
        answers = map(_compared, signs, numbers, numbers[1:])
        said = (None if of & bound.counted.keys() else x for of, x in zip(shares, answers, strict=True))
        return _decided(False, said)  # noqa: FBT003 - as in `and`

    return Condition(text, COMPARISON, holds)


def shares_of(*parts: Number) -> frozenset[Name]:
    """The statistics that are taken for fractions where these numbers are added or compared."""
    names = frozenset().union(*(part.names for part in parts))
    return names if any(part.is_percent for part in parts) else frozenset()


def kind_of(level: int, parts: Sequence[Number]) -> tuple[frozenset[Name], bool]:
    """The names that parts together are counted as, and whether they are a percentage."""
    named = [part.names for part in parts if part.names]
    is_percent = any(part.is_percent for part in parts)
    if level != PRODUCT:
        return frozenset().union(*named), is_percent
    return (frozenset(), False) if len(named) > 1 else (named[0], False) if named else (frozenset(), is_percent)


def arithmetic(text: str, level: int, signs: Sequence[str], parts: Sequence[Number]) -> Number:
    """Sums and differences, or products and quotients, from left to right."""

    def value(bound: Bound) -> float:
        result = parts[0].value(bound)
        for sign, part in zip(signs, parts[1:], strict=True):
            result = _ARITHMETIC[sign](result, part.value(bound))
        return result

    return Number(text, level, value, *kind_of(level, parts))


def shown(part: Part, least: int) -> str:
    """A part's text where what holds together at least as tightly as `least` is needed."""
    return part.text if part.level >= least else f"({part.text})"


def chained(level: int, signs: Sequence[str], parts: Sequence[Part]) -> str:
    """The parts with the signs between them; all but the first keep their parentheses against the same level."""
    later = [f" {sign} {shown(part, level + 1)}" for sign, part in zip(signs, parts[1:], strict=True)]
    return shown(parts[0], level) + "".join(later)
