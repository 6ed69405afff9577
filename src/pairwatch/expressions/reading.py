"""A condition's text, read once from left to right by the levels of its operators."""

import math
import re
from itertools import pairwise
from typing import NamedTuple

from pairwatch.errors import UsageError
from pairwatch.expressions.meaning import (
    AND,
    ATOM,
    COMPARISON,
    FUNCTIONS,
    MINUS,
    NOT,
    OR,
    PRODUCT,
    SUM,
    Condition,
    Number,
    Part,
    arithmetic,
    chained,
    comparison,
    junction,
    kind_of,
    negation,
    shares_of,
    shown,
)
from pairwatch.expressions.names import BARE, Known, Name, forms, spelled
from pairwatch.text import clean

DEEPEST = 50

_EXAMPLE = "a condition is such as: correlation < 0.6 or abs(ratio_zscore) > 2"
_LEVELS = {"or": OR, "and": AND, "+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT}
_LEVELS |= dict.fromkeys(("<", "<=", ">", ">=", "==", "!="), COMPARISON)
_TOKEN = re.compile(
    r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?: *%|(?![A-Za-z0-9_.])))"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_.]*)"
    r"|(?P<sign>[<>=!]=|[<>()+*/,-])"
)
_ODD = re.compile(r"[A-Za-z0-9_.]+|.")
_KEYWORDS = ("and", "or", "not")
# What other languages, and word processors, write instead.
_OURS = {"=": "==", "&": "and", "|": "or", "!": "not", "≤": "<=", "≥": ">=", "≠": "!=", "−": "-", "×": "*", "÷": "/"}


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


def _number(token: _Token) -> Number:
    """A number's own value; a percentage is read as a decimal two places smaller, not divided."""
    digits = token.text.rstrip("% ").lower()
    mantissa, _, exponent = digits.partition("e")
    percent = token.text.endswith("%")
    value = float(f"{mantissa}e{int(exponent or 0) - 2}" if percent else digits)
    if math.isinf(value):
        raise _refusal(token.at, "too large a number")
    return Number(repr(value).removesuffix(".0"), ATOM, lambda _: value, is_percent=percent)


def _as_number(part: Part, at: int) -> Number:
    if isinstance(part, Condition):
        raise _refusal(at, "a condition, where a number is needed", "join conditions by and, or, not")
    return part


def _as_condition(part: Part, at: int) -> Condition:
    if isinstance(part, Number):
        raise _refusal(at, "a number, where a condition is needed", f"compare it: {clean(part.text)} < 0.6")
    return part


class Parser:
    """Reads a text once, from left to right, by the levels of its operators.

    Attributes:
        names: what has been named so far, in order.
        shares: those of them that were compared with a percentage.
    """

    def __init__(self, text: str, known: Known) -> None:
        self.names: dict[Name, None] = {}
        self.shares: set[Name] = set()
        self._known = known
        self._tokens = iter(_tokens(text))
        self._next = next(self._tokens)
        self._depth = 0

    def whole(self) -> Condition:
        """All of the text; raises `UsageError`."""
        at = self._next.at
        part = self._part(OR)
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

    def _part(self, least: int) -> Part:
        """The longest part that holds together at least as tightly as `least`."""
        at = self._next.at
        part = self._operand()
        while (level := _LEVELS.get(self._next.text, 0)) >= least:
            part = self._chain(part, at, level)
        return part

    def _chain(self, first: Part, at: int, level: int) -> Part:
        """`first`, and all that follows it by operators of one level."""
        signs, parts, places = [], [first], [at]
        while _LEVELS.get(self._next.text) == level:
            signs.append(self._take().text)
            places.append(self._next.at)
            parts.append(self._part(level + 1))
        text = chained(level, signs, parts)
        if level in (OR, AND):
            return junction(text, level, [*map(_as_condition, parts, places)])
        numbers = [*map(_as_number, parts, places)]
        if level != COMPARISON:
            return arithmetic(text, level, signs, numbers)
        self.shares.update(*(shares_of(x, y) for x, y in pairwise(numbers)))
        return comparison(text, signs, numbers)

    def _nested(self, least: int) -> Part:
        self._depth += 1
        if self._depth > DEEPEST:
            raise _refusal(self._next.at, f"nested more than {DEEPEST} deep", "write it with fewer parentheses")
        part = self._part(least)
        self._depth -= 1
        return part

    def _operand(self) -> Part:
        token = self._take()
        at = self._next.at
        if token.kind == "number":
            return _number(token)
        if token.kind == "name":
            return self._call(token) if self._next.text == "(" else self._statistic(token)
        if token.text == "(":
            part = self._nested(OR)
            self._expect(")")
            return part
        if token.text == "not":
            return negation(_as_condition(self._nested(NOT), at))
        if token.text == "-":
            number = _as_number(self._nested(MINUS), at)
            return number._replace(
                text=f"-{shown(number, MINUS)}", level=MINUS, value=lambda bound: -number.value(bound)
            )
        raise _refusal(token.at, f"{token}, where a name or a number is needed")

    def _call(self, name: _Token) -> Number:
        function = FUNCTIONS.get(name.text)
        if not function:
            raise _refusal(name.at, f"no function is called {name}", f"the functions are {', '.join(FUNCTIONS)}")
        arguments: list[Number] = []
        while self._next.text == "," or not arguments:
            self._take()
            at = self._next.at
            arguments.append(_as_number(self._nested(OR), at))
        self._expect(")")
        if (len(arguments) == 1) != (name.text == "abs"):
            needs = "one number" if name.text == "abs" else "two numbers or more"
            raise _refusal(name.at, f"{name.text} of {len(arguments)}", f"{name.text} takes {needs}")
        text = f"{name.text}({', '.join(argument.text for argument in arguments)})"
        kind = kind_of(SUM, arguments)
        return Number(text, ATOM, lambda bound: function([argument.value(bound) for argument in arguments]), *kind)

    def _statistic(self, token: _Token) -> Number:
        if token.text in FUNCTIONS:
            raise _refusal(token.at, f"{token.text} of nothing", f"write {token.text}(...)")
        scope, _, key = token.text.rpartition(".")
        scopes = self._known.get(key, ())
        bare = [each for each in scopes if each in BARE]
        name = (bare[0] if bare and not scope else scope, key)
        if name[0] not in scopes:
            raise _unknown(token, self._known)
        self.names[name] = None
        return Number(spelled(*name), ATOM, lambda bound: bound.numbers[name], frozenset([name]))


def _unknown(token: _Token, known: Known) -> UsageError:
    """Why a name says nothing, with what to write instead."""
    scope, _, key = token.text.rpartition(".")
    if key in known:
        of = {"pair": "the pair", "leadership": "the leadership"}.get(known[key][0], "each leg")
        found = f"{key} is said of {of}" + (f", not of {clean(scope)!r}" if scope else "")
        return _refusal(token.at, found, f"write {forms(scope, key, known[key])}")
    from difflib import get_close_matches  # noqa: PLC0415 - misspellings are rare

    near = get_close_matches(key.lower(), known, 1)
    hint = f"write {forms(scope, near[0], known[near[0]])}; " if near else ""
    return _refusal(token.at, f"no statistic is called {token}", f"{hint}`pairwatch explain` lists them")
