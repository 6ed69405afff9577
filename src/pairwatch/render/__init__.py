"""Formats: each a leaf file that walks the readings and knows no statistic."""

from importlib import import_module
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from pairwatch.model import Comparison

if TYPE_CHECKING:
    from collections.abc import Callable

    from pairwatch.differences import Difference

Format = Literal["table", "csv", "json", "markdown"]


class Page(NamedTuple):
    """What a format may use: for those that lay out.

    Attributes:
        width: in columns; None where nothing may be cut or folded.
        color: whether terminal colours may be used.
        unicode: whether the output can hold more than ASCII.
        now: the instant of the run, for ages.
        said: when the comparison was said, for one that is not of this run.
    """

    now: float
    width: int | None = None
    color: bool = False
    unicode: bool = True
    said: float | None = None


class Writer(Protocol):
    """Writes a comparison, and in short how it differs from what was said before."""

    def __call__(self, c: Comparison, page: Page, since: "Difference | None" = None, /) -> str:
        """The text, ending in a line feed."""


def writer(name: Format) -> Writer:
    """The function that writes a comparison in a format; imports that format alone."""
    written: Writer = import_module(f"pairwatch.render.{name}").comparison
    return written


def difference_writer(name: Format) -> "Callable[[Difference, Page], str]":
    """The function that writes a difference in a format."""
    written: Callable[[Difference, Page], str] = import_module(f"pairwatch.render.{name}").difference
    return written
