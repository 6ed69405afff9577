"""The watch list in the configuration file: edited in place, so that comments and layout survive.

Whoever edits locks the file's folder meanwhile, so that two who add a pair at once add both.

A pair is watched with one window, its own or that of the settings. Adding it again with another window changes that;
adding it without one leaves it.
"""

import csv
import os
import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from difflib import SequenceMatcher
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Array

from pairwatch import config, locks, writing
from pairwatch.config import PairText
from pairwatch.errors import UsageError
from pairwatch.model import DEFAULT_SOURCE, Leg, Window
from pairwatch.sources import about
from pairwatch.text import clean

Pairs = tuple[PairText, ...]

# What takes a pair's own window away.
NO_WINDOW = "none"
_HEADERS = (("a", "b"), ("a", "b", "window"))
# A comment begins a line or follows a blank: a leg may have a # in it.
_COMMENT = re.compile(r"(^|\s)#.*")
_LIKE = 0.6


class Addition(Enum):
    """What adding a pair has come to."""

    NEW = "added"
    MIRRORED = "added, beside the same legs the other way round"
    KNOWN = "there already"
    CHANGED = "there already, now with another window"


class Added(NamedTuple):
    """What adding a pair has come to; the window that is its own now, and the one that was."""

    what: Addition
    window: Window | None = None
    before: Window | None = None


class Imported(NamedTuple):
    """How many pairs of a text were not there, and how many were, and have another window now."""

    added: int
    changed: int


def add(  # noqa: PLR0913 - a pair in three texts, where it is from, and where it goes
    file: Path, a: str, b: str, source: str = DEFAULT_SOURCE, folder: Path | None = None, *, window: str | None = None
) -> Added:
    """Add a pair at the end, unless it is there; the same legs the other way round are another pair.

    Args:
        file: the configuration file; made, for its owner alone, if there is none.
        source: where legs without a prefix come from.
        folder: where `csv:` paths that are not absolute begin; without one they stay as they are.
        window: the pair's own, `5y`; `none` takes it away, and None leaves what is there.

    Raises:
        UsageError: not a pair of legs, of no source there is, no window, or a file that cannot be read or written.
    """
    wish = _wish(a, b, window, source, folder)
    before, after = _edit(file, lambda known: _with(known, [wish], source))
    legs = _legs(wish.pair, source)
    was, now = ({_legs(each, source): each.window for each in pairs} for pairs in (before, after))
    if legs in was:
        what = Addition.KNOWN if was[legs] == now[legs] else Addition.CHANGED
    else:
        what = Addition.MIRRORED if legs[::-1] in was else Addition.NEW
    return Added(what, now[legs], was.get(legs))


def remove(file: Path, a: str, b: str, source: str = DEFAULT_SOURCE, folder: Path | None = None) -> bool:
    """Remove a pair, as typed or as `add` writes it, with its window; False if it is not there.

    Raises what `add` does.
    """
    typed = _written(a, b, source)
    gone = {_legs(typed, source), _legs(_placed(typed, source, folder), source)}
    before, after = _edit(file, lambda known: tuple(each for each in known if _legs(each, source) not in gone))
    return before != after


def import_from(file: Path, lines: str, source: str = DEFAULT_SOURCE, folder: Path | None = None) -> Imported:
    """Add the pairs of a text, one a line: `A B` or `A,B`, with or without the header `a,b`; `#` begins a comment.

    A third word, or column `window`, is the pair's own window, as `add` takes it; empty, it says nothing. Either all of
    them are added or none. Raises what `add` does, with the number of the line, also for a pair with two windows.
    """
    wishes = list(_wishes_of(lines, source, folder))
    before, after = _edit(file, lambda known: _with(known, wishes, source))
    was, now = ({_legs(each, source): each.window for each in pairs} for pairs in (before, after))
    changed = sum(was[legs] != window for legs, window in now.items() if legs in was)
    return Imported(len(now) - len(was), changed)


def nearest(pairs: Pairs, a: str, b: str) -> Pairs:
    """The pairs that may have been meant by one that is not there, the likeliest first, three at most."""

    def likeness(pair: PairText) -> float:
        wanted = [f"{one} {other}".upper() for one, other in ((a, b), (b, a))]
        return max(SequenceMatcher(None, each, f"{pair.a} {pair.b}".upper()).ratio() for each in wanted)

    return tuple(sorted((pair for pair in pairs if likeness(pair) >= _LIKE), key=likeness, reverse=True)[:3])


# ---------------------------------------------------------------- pairs


class _Wish(NamedTuple):
    """A pair to be there; one that says nothing of a window leaves what is there."""

    pair: PairText
    says_window: bool


def _wish(a: str, b: str, window: str | None, source: str, folder: Path | None) -> _Wish:
    return _Wish(_new(a, b, source, folder)._replace(window=_own(window)), window is not None)


def _own(text: str | None) -> Window | None:
    """The window that a text asks for; none where it says so, or there is no text."""
    if text is None or text.strip().lower() == NO_WINDOW:
        return None
    try:
        return Window.parse(text)
    except UsageError as error:
        raise UsageError(error.message, f"{error.hint}; {NO_WINDOW} is for that of the settings") from None


def _written(a: str, b: str, source: str) -> PairText:
    """The texts that stand for both legs: symbols as their source spells them, and a prefix where one was typed."""
    legs = [Leg.parse(text.strip(), source) for text in (a, b)]
    for leg in legs:
        if leg.source == "csv" and leg.symbol.partition("#")[0] == "-":
            raise UsageError("standard input cannot be watched", "save it in a file: csv:FILE")
    if legs[0] == legs[1]:
        raise UsageError(f"both legs are {clean(legs[0])}", "name two different legs: pairwatch watchlist add QQQ IWM")
    one, other = (_text(leg, text.strip(), source) for leg, text in zip(legs, (a, b), strict=True))
    return PairText(one, other)


def _new(a: str, b: str, source: str, folder: Path | None) -> PairText:
    """A pair to be written: of sources that there are, and to be read from whatever folder."""
    pair = _written(a, b, source)
    for leg in _legs(pair, source):
        about(leg.source)
    return _placed(pair, source, folder)


def _placed(pair: PairText, source: str, folder: Path | None) -> PairText:
    """The pair with the paths of its files absolute: who runs it later does so elsewhere."""
    if folder is None:
        return pair
    a, b = (_text(config.placed(Leg.parse(text, source), folder), text, source) for text in (pair.a, pair.b))
    return pair._replace(a=a, b=b)


def _text(leg: Leg, typed: str, source: str) -> str:
    prefixed = typed.startswith(f"{leg.source}:") or leg.source != source
    return f"{leg.source}:{leg.symbol}" if prefixed else leg.symbol


def _legs(pair: PairText, source: str) -> tuple[Leg, Leg]:
    return Leg.parse(pair.a, source), Leg.parse(pair.b, source)


def _with(known: Pairs, wishes: Iterable[_Wish], source: str) -> Pairs:
    found = {_legs(pair, source): pair for pair in known}
    for pair, says_window in wishes:
        there = found.setdefault(_legs(pair, source), pair)
        if says_window:
            found[_legs(pair, source)] = there._replace(window=pair.window)
    return tuple(found.values())


def _wishes_of(lines: str, source: str, folder: Path | None) -> Iterator[_Wish]:
    said: dict[tuple[Leg, Leg], tuple[int, Window | None]] = {}
    for number, line in enumerate(lines.removeprefix("\ufeff").splitlines(), 1):
        bare = line if '"' in line else _COMMENT.sub("", line)
        words = _words(bare.strip())
        if not words or (tuple(word.lower() for word in words) in _HEADERS):
            continue
        if len(words) not in (2, 3):
            hint = "a line is A B or A,B; with a window of its own A B 5y or A,B,5y"
            raise UsageError(f"line {number} is no pair: {clean(line)!r}", hint)
        try:
            wish = _wish(words[0], words[1], "".join(words[2:]) or None, source, folder)
        except UsageError as error:
            raise UsageError(f"line {number}: {error.message}", error.hint) from None
        if wish.says_window:
            before, window = said.setdefault(_legs(wish.pair, source), (number, wish.pair.window))
            if window != wish.pair.window:
                what = f"line {number} has another window than line {before} for the same pair: {clean(line)!r}"
                raise UsageError(what, "a pair is watched with one window: leave one of them out")
        yield wish


def _words(line: str) -> list[str]:
    if line.startswith("#"):
        return []
    return [word.strip() for word in next(csv.reader([line], skipinitialspace=True))] if "," in line else line.split()


# ---------------------------------------------------------------- the file


def _edit(file: Path, change: Callable[[Pairs], Pairs]) -> tuple[Pairs, Pairs]:
    """Read, change, write, alone; returns the pairs before and after."""
    try:
        target = Path(os.path.realpath(file))  # so that a link stays one, and all who edit lock the same folder
        with _locked(target.parent):
            text = _read(target)
            before = config.watch_list(_parsed(text, file), str(file))
            after = change(before)
            if after != before:
                _write(target, _edited(text, before, after, file))
    except (OSError, UnicodeDecodeError, ValueError) as error:  # ValueError: a NUL in the name
        why = clean(getattr(error, "strerror", None) or error)
        raise UsageError(f"{clean(file, 200)} cannot be edited ({why})", "what was there is untouched") from None
    return before, after


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if sys.platform == "win32":  # where a folder cannot be opened
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        locks.wait_for(handle)
        yield
    finally:
        os.close(handle)


def _read(file: Path) -> str:
    """The text with its own line ends; empty if there is no file."""
    try:
        return file.read_bytes().decode()
    except FileNotFoundError:
        return ""


def _parsed(text: str, file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{clean(file, 200)} is not TOML: {clean(error)}", "mend the file by hand first") from None


def _edited(text: str, before: Pairs, after: Pairs, file: Path) -> str:
    """The file's text with `after` for `before`, everything else as it was; read again before it is believed."""
    wanted = {**_parsed(text, file), "watchlist": after}
    for edit in (_in_place, _anew):
        try:
            new = edit(text, before, after)
            found = _parsed(new, file)
            if {**found, "watchlist": config.watch_list(found, str(file))} == wanted:
                return new
        except (TOMLKitError, UsageError, IndexError):
            continue
    raise UsageError(f"{clean(file, 200)} cannot be edited without harm", "edit its watchlist by hand")


def _in_place(text: str, before: Pairs, after: Pairs) -> str:
    """Only the pairs that differ are touched."""
    document = tomlkit.parse(text)
    array = document.get("watchlist")
    if not isinstance(array, Array):
        return _anew(text, before, after)
    wanted = {(pair.a, pair.b): pair for pair in after}
    for index, pair in reversed(list(enumerate(before))):
        new = wanted.pop((pair.a, pair.b), None)
        if new is None:
            del array[index]
        elif new != pair:
            array[index] = list(new.texts)
    for pair in wanted.values():
        array.append(list(pair.texts))
    return tomlkit.dumps(document)


def _anew(text: str, _: Pairs, after: Pairs) -> str:
    """A list of its own lines, without the comments that stood inside the old one."""
    document = tomlkit.parse(text)
    array = tomlkit.array().multiline(multiline=True)
    for pair in after:
        array.append(list(pair.texts))
    document["watchlist"] = array
    return tomlkit.dumps(document)


def _write(file: Path, text: str) -> None:
    if not file.exists():  # it may come to hold a password
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600))
    try:
        writing.to_file(file, text)
    except UsageError as error:
        raise UsageError(error.message, "what was there is untouched") from None
