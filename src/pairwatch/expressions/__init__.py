"""The language of watched conditions: `correlation < 0.6 or abs(ratio_zscore) > 2 or lead_p_value < 5%`.

    condition  = both { "or" both }
    both       = negation { "and" negation }
    negation   = "not" negation | comparison | "(" condition ")"
    comparison = sum ("<" | "<=" | ">" | ">=" | "==" | "!=") sum { the same again: 0.2 < correlation < 0.6 }
    sum        = product { ("+" | "-") product }
    product    = factor { ("*" | "/") factor }
    factor     = "-" factor | number | name | function "(" sum { "," sum } ")" | "(" sum ")"
    function   = "abs" (of one), "min", "max" (of two or more)

A number is `0.6`, `.6`, `1e-3` or `5%`, which is 0.05. A name is a statistic's key, with its scope where the statistic
is one of each leg: `correlation`, `a.volatility`, `difference.total_return`.

A percentage is of what is a fraction. Whether a statistic is one depends on the leg: a rate changes by basis points, of
which 5% is nothing. A comparison of a percentage with such a number (`Expression.where_counted`) cannot be said. Nor
can one of a number that something else may have made (`Expression.where_doubted`).

What cannot be said stays so: NaN makes a comparison unknown, dividing by zero makes NaN, and `and`, `or` and `not` are
Kleene's: an unknown part leaves the whole unknown unless the other parts decide it.

The text is never handed to Python's own evaluation. It is compiled while it is read: each part becomes a function and
its own normalised text. Chains are loops, so that only what nests takes stack, and how deep that goes is bounded.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import nan
from typing import Self, TypeAlias

from pairwatch.errors import UsageError
from pairwatch.expressions.meaning import Bound
from pairwatch.expressions.names import Known, spelled
from pairwatch.expressions.reading import DEEPEST, Parser
from pairwatch.text import clean, is_clean

__all__ = ["DEEPEST", "LONGEST", "Expression", "Known", "Values", "parse", "spelled"]

LONGEST = 1_000

Values: TypeAlias = Callable[[str, str], float]


@dataclass(frozen=True, slots=True)
class Expression:
    """A condition, as `parse` makes it.

    Attributes:
        text: the normalised text, which `parse` reads as the same condition.
        names: scope and key of every number it asks for, in order of appearance, once each.
        shares: those that are compared with a percentage; the normalised text does not keep that.
        counted: the units of those among them that are no fractions.
        doubted: what else may have made some of the numbers.
    """

    text: str
    names: tuple[tuple[str, str], ...]
    _holds: Callable[[Bound], bool | None] = field(repr=False, compare=False)
    shares: frozenset[tuple[str, str]] = field(default=frozenset(), repr=False, compare=False)
    counted: Mapping[tuple[str, str], str] = field(default_factory=dict, repr=False, compare=False)
    doubted: Mapping[tuple[str, str], str] = field(default_factory=dict, repr=False, compare=False)

    def holds(self, values: Values) -> bool | None:
        """Whether the condition holds, or None where that cannot be said.

        Args:
            values: the number of a scope and a key; NaN where there is none. Asked once for each of `names`.
        """
        numbers = {name: nan if name in self.doubted else values(*name) for name in self.names}
        return self._holds(Bound(numbers, self.counted))

    def where_counted(self, units: Mapping[tuple[str, str], str]) -> Self:
        """The same condition of a pair some of whose numbers are no fractions: `bp` for the changes of a rate.

        Comparisons of these with percentages cannot be said.
        """
        return replace(self, counted={name: units[name] for name in self.shares if name in units})

    def where_doubted(self, doubts: Mapping[tuple[str, str], str]) -> Self:
        """The same condition of a pair some of whose numbers something else may have made: these decide nothing."""
        return replace(self, doubted={name: doubts[name] for name in self.names if name in doubts})

    def __str__(self) -> str:
        return self.text


def parse(text: str, known: Known) -> Expression:
    """Read a condition.

    Args:
        known: the scopes of every key: `("pair",)`, `("leadership",)`, `("a", "b")` or `("a", "b", "difference")`.

    Raises:
        UsageError: not a condition, or one that names what is not known; the message says at which character, from 1.
    """
    if len(text) > LONGEST:
        raise UsageError(f"a condition of {len(text):,} characters", f"a condition has at most {LONGEST:,}")
    if not is_clean(text):
        raise UsageError(f"a condition with an invisible character: {clean(text)!r}", "write it in one line, by hand")
    parser = Parser(text, known)
    whole = parser.whole()
    # What is stored is the normalised text: it must be readable too.
    if len(whole.text) > LONGEST:
        found = f"a condition of {len(whole.text):,} characters when it is written out"
        raise UsageError(found, f"a condition has at most {LONGEST:,}")
    return Expression(whole.text, tuple(parser.names), whole.holds, frozenset(parser.shares))
