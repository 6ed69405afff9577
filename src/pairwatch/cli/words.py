"""Words for the person, on stderr; nobody has to be there to read them."""

import sys
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from pairwatch.text import clean

if TYPE_CHECKING:
    from pairwatch.errors import PairwatchError


def note(*texts: str, quiet: bool = False) -> None:
    """Whatever a person should know and no exit code tells."""
    if not quiet:
        say(*(f"note: {text}" for text in texts))


def complain(error: "PairwatchError") -> int:
    """The two lines of an error; returns its exit code."""
    say(f"error: {error.message}", *([f"hint: {error.hint}"] if error.hint else []))
    return error.exit_code


def complain_once(errors: "Iterable[PairwatchError]") -> None:
    """The lines of the errors of several pairs, each error once with how many pairs it is of."""
    for (message, hint), count in Counter((error.message, error.hint) for error in errors).items():
        say(f"error: {message}{f' ({count} pairs)' if count > 1 else ''}", *([f"hint: {hint}"] if hint else []))


def say(*lines: str) -> None:
    """Write lines, each of them clean."""
    write("".join(f"{clean(line, 1000)}\n" for line in lines))


def write(text: str) -> None:
    """Write text as it is."""
    # A full disk or a reader that has gone is no reason to end in another way: the exit code speaks of the result.
    with suppress(OSError):
        sys.stderr.write(text)
