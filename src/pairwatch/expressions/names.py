"""Statistics by the names that conditions write."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

Name: TypeAlias = tuple[str, str]
Known: TypeAlias = Mapping[str, Sequence[str]]

# Scopes that need not be written: a statistic of theirs has no other.
BARE = ("pair", "leadership")


def spelled(scope: str, key: str) -> str:
    """A statistic's name as a condition writes it: `correlation`, `a.volatility`."""
    return key if scope in BARE else f"{scope}.{key}"


def forms(scope: str, key: str, scopes: Sequence[str]) -> str:
    """`correlation`; `a.last or b.last`; of a scope that is only miswritten, that one alone."""
    meant = [each for each in scopes if each == scope.lower()] or scopes
    found = [spelled(each, key) for each in meant]
    return " or ".join([", ".join(found[:-1]), found[-1]] if found[:-1] else found)
