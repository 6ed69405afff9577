"""What a pair does over its whole history: one module a study, each with the headings of what it says.

A study takes a `Paired` (see `paired.py`) and what it needs beside it, and returns a `Study`: sections of rows, and
findings in words. It knows no format and no other study; `why` alone is made of the others.
"""

from importlib import import_module

from pairwatch.model import Heading

NAMES = ("lead", "intraday", "correlation", "spread", "hedge", "analogs", "related", "why")


def headings(name: str) -> tuple[Heading, ...]:
    """The sections of a study, in their order; imports that study alone."""
    found: tuple[Heading, ...] = import_module(f"pairwatch.studies.{name}").HEADINGS
    return found
