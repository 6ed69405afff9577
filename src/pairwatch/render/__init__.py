"""Formats: each a leaf file that walks the readings and knows no statistic."""

from collections.abc import Callable
from importlib import import_module
from typing import Literal, NamedTuple

from pairwatch.model import Comparison

Format = Literal["table", "csv", "json", "markdown"]


class Page(NamedTuple):
    """What a format may use: for those that lay out.

    Attributes:
        width: in columns; None where nothing may be cut or folded.
        color: whether terminal colours may be used.
        unicode: whether the output can hold more than ASCII.
        now: the instant of the run, for ages.
    """

    now: float
    width: int | None = None
    color: bool = False
    unicode: bool = True


def writer(name: Format) -> Callable[[Comparison, Page], str]:
    """The function that writes a comparison in a format; imports that format alone."""
    written: Callable[[Comparison, Page], str] = import_module(f"pairwatch.render.{name}").comparison
    return written
