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
which 5% is nothing. A comparison of a percentage with such a number (`Expression.where_counted`) cannot be said.

What cannot be said stays so: NaN makes a comparison unknown, dividing by zero makes NaN, and `and`, `or` and `not` are
Kleene's: an unknown part leaves the whole unknown unless the other parts decide it.

The text is never handed to Python's own evaluation. It is compiled while it is read: each part becomes a function and
its own normalised text. Chains are loops, so that only what nests takes stack, and how deep that goes is bounded.
"""

import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from typing import NamedTuple, Self, TypeAlias

from pairwatch.errors import UsageError
from pairwatch.text import clean, is_clean

LONGEST = 1_000
DEEPEST = 50

Known: TypeAlias = Mapping[str, Sequence[str]]
Values: TypeAlias = Callable[[str, str], float]
_Name: TypeAlias = tuple[str, str]


class _Bound(NamedTuple):
    """The numbers that are asked for, and the units of those that are no fractions although they may be."""

    numbers: Mapping[_Name, float]
    counted: Mapping[_Name, str]


# Scopes that need not be written: a statistic of theirs has no other.
_BARE = ("pair", "leadership")
_EXAMPLE = "a condition is such as: correlation < 0.6 or abs(ratio_zscore) > 2"

# How tightly a part holds together; what is looser than its place asks for is put into parentheses.
_OR, _AND, _NOT, _COMPARISON, _SUM, _PRODUCT, _MINUS, _ATOM = range(1, 9)
_LEVELS = {"or": _OR, "and": _AND, "+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT}
_LEVELS |= dict.fromkeys(("<", "<=", ">", ">=", "==", "!="), _COMPARISON)

_TOKEN = re.compile(
    r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?: *%|(?![A-Za-z0-9_.])))"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_.]*)"
    r"|(?P<sign>[<>=!]=|[<>()+*/,-])"
)
_ODD = re.compile(r"[A-Za-z0-9_.]+|.")
_KEYWORDS = ("and", "or", "not")
# What other languages, and word processors, write instead.
_OURS = {"=": "==", "&": "and", "|": "or", "!": "not", "≤": "<=", "≥": ">=", "≠": "!=", "−": "-", "×": "*", "÷": "/"}


@dataclass(frozen=True, slots=True)
class Expression:
    """A condition, as `parse` makes it.

    Attributes:
        text: the normalised text, which `parse` reads as the same condition.
        names: scope and key of every number it asks for, in order of appearance, once each.
        shares: those that are compared with a percentage; the normalised text does not keep that.
        counted: the units of those among them that are no fractions.
    """

    text: str
    names: tuple[tuple[str, str], ...]
    _holds: Callable[[_Bound], bool | None] = field(repr=False, compare=False)
    shares: frozenset[tuple[str, str]] = field(default=frozenset(), repr=False, compare=False)
    counted: Mapping[tuple[str, str], str] = field(default_factory=dict, repr=False, compare=False)

    def holds(self, values: Values) -> bool | None:
        """Whether the condition holds, or None where that cannot be said.

        Args:
            values: the number of a scope and a key; NaN where there is none. Asked once for each of `names`.
        """
        return self._holds(_Bound({name: values(*name) for name in self.names}, self.counted))

    def where_counted(self, units: Mapping[tuple[str, str], str]) -> Self:
        """The same condition of a pair some of whose numbers are no fractions: `bp` for the changes of a rate.

        Comparisons of these with percentages cannot be said.
        """
        return replace(self, counted={name: units[name] for name in self.shares if name in units})

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
    parser = _Parser(text, known)
    whole = parser.whole()
    # What is stored is the normalised text: it must be readable too.
    if len(whole.text) > LONGEST:
        found = f"a condition of {len(whole.text):,} characters when it is written out"
        raise UsageError(found, f"a condition has at most {LONGEST:,}")
    return Expression(whole.text, tuple(parser.names), whole.holds, frozenset(parser.shares))


def spelled(scope: str, key: str) -> str:
    """A statistic's name as a condition writes it: `correlation`, `a.volatility`."""
    return key if scope in _BARE else f"{scope}.{key}"


# ---------------------------------------------------------------- meaning


class _Number(NamedTuple):
    """A part that is a number: its normalised text, how tightly that holds together, and its value.

    Attributes:
        names: what it is counted as: none for the ratio, or the product, of two statistics.
        is_percent: whether a percentage is in it that is no factor.
    """

    text: str
    level: int
    value: Callable[[_Bound], float]
    names: frozenset[_Name] = frozenset()
    is_percent: bool = False


class _Condition(NamedTuple):
    """A part that holds, does not hold, or cannot be said."""

    text: str
    level: int
    holds: Callable[[_Bound], bool | None]


_Part: TypeAlias = _Number | _Condition


def _divided(x: float, y: float) -> float:
    return x / y if y else math.nan


def _extreme(pick: Callable[[Sequence[float]], float], numbers: Sequence[float]) -> float:
    """The least or the greatest; of NaN and anything, neither can be said."""
    return math.nan if any(map(math.isnan, numbers)) else pick(numbers)


_ARITHMETIC = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": _divided}
_COMPARE = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_COMPARE |= {"==": operator.eq, "!=": operator.ne}
_FUNCTIONS: Mapping[str, Callable[[Sequence[float]], float]] = {
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


def _negation(part: _Condition) -> _Condition:
    def holds(bound: _Bound) -> bool | None:
        found = part.holds(bound)
        return None if found is None else not found

    return _Condition(f"not {_shown(part, _NOT)}", _NOT, holds)


def _junction(text: str, level: int, parts: Sequence[_Condition]) -> _Condition:
    return _Condition(text, level, lambda bound: _decided(level == _OR, (part.holds(bound) for part in parts)))


def _comparison(text: str, signs: Sequence[str], parts: Sequence[_Number]) -> _Condition:
    """Neighbours compared, all of which must hold."""
    shares = [_shares(x, y) for x, y in pairwise(parts)]

    def holds(bound: _Bound) -> bool | None:
        numbers = [part.value(bound) for part in parts]
        answers = map(_compared, signs, numbers, numbers[1:])
        said = (None if of & bound.counted.keys() else x for of, x in zip(shares, answers, strict=True))
        return _decided(False, said)  # noqa: FBT003 - as in `and`

    return _Condition(text, _COMPARISON, holds)


def _shares(*parts: _Number) -> frozenset[_Name]:
    """The statistics that are taken for fractions where these numbers are added or compared."""
    names = frozenset().union(*(part.names for part in parts))
    return names if any(part.is_percent for part in parts) else frozenset()


def _kind(level: int, parts: Sequence[_Number]) -> tuple[frozenset[_Name], bool]:
    """The names that parts together are counted as, and whether they are a percentage."""
    named = [part.names for part in parts if part.names]
    is_percent = any(part.is_percent for part in parts)
    if level != _PRODUCT:
        return frozenset().union(*named), is_percent
    return (frozenset(), False) if len(named) > 1 else (named[0], False) if named else (frozenset(), is_percent)


def _arithmetic(text: str, level: int, signs: Sequence[str], parts: Sequence[_Number]) -> _Number:
    def value(bound: _Bound) -> float:
        result = parts[0].value(bound)
        for sign, part in zip(signs, parts[1:], strict=True):
            result = _ARITHMETIC[sign](result, part.value(bound))
        return result

    return _Number(text, level, value, *_kind(level, parts))


def _shown(part: _Part, least: int) -> str:
    return part.text if part.level >= least else f"({part.text})"


def _chained(level: int, signs: Sequence[str], parts: Sequence[_Part]) -> str:
    """The parts with the signs between them; all but the first keep their parentheses against the same level."""
    later = [f" {sign} {_shown(part, level + 1)}" for sign, part in zip(signs, parts[1:], strict=True)]
    return _shown(parts[0], level) + "".join(later)


# ---------------------------------------------------------------- reading


class _Token(NamedTuple):
    """A piece of the text, and where it begins, from 1; the end has no text."""

    kind: str
    text: str
    at: int

    def __str__(self) -> str:
        return repr(clean(self.text)) if self.text else "the end"


def _refusal(at: int, found: str, hint: str = _EXAMPLE) -> UsageError:
    return UsageError(f"at {at}: {found}", hint)


def _tokens(text: str) -> list[_Token]:
    found, at = [], 0
    while rest := text[at:].lstrip(" "):
        at = len(text) - len(rest)
        match = _TOKEN.match(text, at)
        if not match:
            raise _strange(text, at)
        kind, word = str(match.lastgroup), match[0]
        if word.lower() in _KEYWORDS:
            kind, word = "keyword", word.lower()
        found.append(_Token(kind, word, at + 1))
        at = match.end()
    return [*found, _Token("end", "", len(text) + 1)]


def _strange(text: str, at: int) -> UsageError:
    """What no token begins with, with what to write instead where that is plain."""
    word = (_ODD.match(text, at) or [""])[0]
    if re.match("[0-9.]", word):
        return _refusal(at + 1, f"{clean(word)!r} is no number", "a number is 0.6, .6, 1e-3 or 5%")
    hint = f"write {_OURS[word]}" if word in _OURS else _EXAMPLE
    return _refusal(at + 1, f"{word!r} has no meaning here", hint)


def _number(token: _Token) -> _Number:
    """A number's own value; a percentage is read as a decimal two places smaller, not divided."""
    digits = token.text.rstrip("% ").lower()
    mantissa, _, exponent = digits.partition("e")
    percent = token.text.endswith("%")
    value = float(f"{mantissa}e{int(exponent or 0) - 2}" if percent else digits)
    if math.isinf(value):
        raise _refusal(token.at, "too large a number")
    return _Number(repr(value).removesuffix(".0"), _ATOM, lambda _: value, is_percent=percent)


def _as_number(part: _Part, at: int) -> _Number:
    if isinstance(part, _Condition):
        raise _refusal(at, "a condition, where a number is needed", "join conditions by and, or, not")
    return part


def _as_condition(part: _Part, at: int) -> _Condition:
    if isinstance(part, _Number):
        raise _refusal(at, "a number, where a condition is needed", f"compare it: {clean(part.text)} < 0.6")
    return part


class _Parser:
    """Reads a text once, from left to right, by the levels of its operators.

    Attributes:
        names: what has been named so far, in order.
        shares: those of them that were compared with a percentage.
    """

    def __init__(self, text: str, known: Known) -> None:
        self.names: dict[_Name, None] = {}
        self.shares: set[_Name] = set()
        self._known = known
        self._tokens = iter(_tokens(text))
        self._next = next(self._tokens)
        self._depth = 0

    def whole(self) -> _Condition:
        at = self._next.at
        part = self._part(_OR)
        if self._next.kind != "end":
            raise _refusal(self._next.at, f"{self._next}, where an operator or the end is needed")
        return _as_condition(part, at)

    def _take(self) -> _Token:
        token = self._next
        self._next = next(self._tokens, token)
        return token

    def _expect(self, sign: str) -> None:
        if self._next.text != sign:
            raise _refusal(self._next.at, f"{self._next}, where {sign} is needed")
        self._take()

    def _part(self, least: int) -> _Part:
        """The longest part that holds together at least as tightly as `least`."""
        at = self._next.at
        part = self._operand()
        while (level := _LEVELS.get(self._next.text, 0)) >= least:
            part = self._chain(part, at, level)
        return part

    def _chain(self, first: _Part, at: int, level: int) -> _Part:
        """`first`, and all that follows it by operators of one level."""
        signs, parts, places = [], [first], [at]
        while _LEVELS.get(self._next.text) == level:
            signs.append(self._take().text)
            places.append(self._next.at)
            parts.append(self._part(level + 1))
        text = _chained(level, signs, parts)
        if level in (_OR, _AND):
            return _junction(text, level, [*map(_as_condition, parts, places)])
        numbers = [*map(_as_number, parts, places)]
        if level != _COMPARISON:
            return _arithmetic(text, level, signs, numbers)
        self.shares.update(*(_shares(x, y) for x, y in pairwise(numbers)))
        return _comparison(text, signs, numbers)

    def _nested(self, least: int) -> _Part:
        self._depth += 1
        if self._depth > DEEPEST:
            raise _refusal(self._next.at, f"nested more than {DEEPEST} deep", "write it with fewer parentheses")
        part = self._part(least)
        self._depth -= 1
        return part

    def _operand(self) -> _Part:
        token = self._take()
        at = self._next.at
        if token.kind == "number":
            return _number(token)
        if token.kind == "name":
            return self._call(token) if self._next.text == "(" else self._statistic(token)
        if token.text == "(":
            part = self._nested(_OR)
            self._expect(")")
            return part
        if token.text == "not":
            return _negation(_as_condition(self._nested(_NOT), at))
        if token.text == "-":
            number = _as_number(self._nested(_MINUS), at)
            return number._replace(
                text=f"-{_shown(number, _MINUS)}", level=_MINUS, value=lambda bound: -number.value(bound)
            )
        raise _refusal(token.at, f"{token}, where a name or a number is needed")

    def _call(self, name: _Token) -> _Number:
        function = _FUNCTIONS.get(name.text)
        if not function:
            raise _refusal(name.at, f"no function is called {name}", f"the functions are {', '.join(_FUNCTIONS)}")
        arguments: list[_Number] = []
        while self._next.text == "," or not arguments:
            self._take()
            at = self._next.at
            arguments.append(_as_number(self._nested(_OR), at))
        self._expect(")")
        if (len(arguments) == 1) != (name.text == "abs"):
            needs = "one number" if name.text == "abs" else "two numbers or more"
            raise _refusal(name.at, f"{name.text} of {len(arguments)}", f"{name.text} takes {needs}")
        text = f"{name.text}({', '.join(argument.text for argument in arguments)})"
        kind = _kind(_SUM, arguments)
        return _Number(text, _ATOM, lambda bound: function([argument.value(bound) for argument in arguments]), *kind)

    def _statistic(self, token: _Token) -> _Number:
        if token.text in _FUNCTIONS:
            raise _refusal(token.at, f"{token.text} of nothing", f"write {token.text}(...)")
        scope, _, key = token.text.rpartition(".")
        scopes = self._known.get(key, ())
        bare = [each for each in scopes if each in _BARE]
        name = (bare[0] if bare and not scope else scope, key)
        if name[0] not in scopes:
            raise _unknown(token, self._known)
        self.names[name] = None
        return _Number(spelled(*name), _ATOM, lambda bound: bound.numbers[name], frozenset([name]))


# ---------------------------------------------------------------- names that are not known


def _unknown(token: _Token, known: Known) -> UsageError:
    """Why a name says nothing, with what to write instead."""
    scope, _, key = token.text.rpartition(".")
    if key in known:
        of = {"pair": "the pair", "leadership": "the leadership"}.get(known[key][0], "each leg")
        found = f"{key} is said of {of}" + (f", not of {clean(scope)!r}" if scope else "")
        return _refusal(token.at, found, f"write {_forms(scope, key, known[key])}")
    from difflib import get_close_matches  # noqa: PLC0415 - misspellings are rare

    near = get_close_matches(key.lower(), known, 1)
    hint = f"write {_forms(scope, near[0], known[near[0]])}; " if near else ""
    return _refusal(token.at, f"no statistic is called {token}", f"{hint}`pairwatch explain` lists them")


def _forms(scope: str, key: str, scopes: Sequence[str]) -> str:
    """`correlation`; `a.last or b.last`; of a scope that is only miswritten, that one alone."""
    meant = [each for each in scopes if each == scope.lower()] or scopes
    forms = [spelled(each, key) for each in meant]
    return " or ".join([", ".join(forms[:-1]), forms[-1]] if forms[:-1] else forms)
