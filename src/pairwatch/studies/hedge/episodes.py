"""Episodes of the past, dated and sourced: the shipped list, and what the user adds to it.

[[episodes]]
name = "Brexit vote"
from = 2016-06-23     # the day whose close it is counted from
to = 2016-06-27       # the day of its last close
what = "The United Kingdom voted to leave the European Union."
source = "UK Electoral Commission"    # these two are optional
"""

import tomllib
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from pairwatch.errors import UsageError
from pairwatch.text import clean

SHIPPED = Path(__file__).parent.parent / "episodes.toml"
KEYS = ("name", "from", "to", "what", "source")
LONGEST_NAME = 24
LONGEST_TEXT = 300
_FORM = 'one line that works: episodes = [{ name = "Brexit vote", from = 2016-06-23, to = 2016-06-27 }]'


class Episode(NamedTuple):
    """What happened between two closes.

    Attributes:
        since: the day whose close it is counted from.
        until: the day of its last close.
        what: in one plain sentence; may be empty.
        source: the public record that it is known from; may be empty.
    """

    name: str
    since: date
    until: date
    what: str = ""
    source: str = ""


def shipped() -> tuple[Episode, ...]:
    """The list that comes with the program."""
    return read(tomllib.loads(SHIPPED.read_text("utf-8")), SHIPPED.name)


def of_file(text: str, file_name: str) -> tuple[Episode, ...]:
    """The episodes of a TOML file of the user's.

    Raises:
        UsageError: not TOML, without an episode, or with one that cannot be read.
    """
    shown = clean(file_name, 200)
    try:
        given = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{shown} is not TOML: {clean(error)}", _FORM) from None
    if unknown := [key for key in given if key != "episodes"]:
        raise UsageError(f"{shown} knows no key {clean(unknown[0])!r}", _FORM)
    if not given.get("episodes"):
        raise UsageError(f"{shown} has no episode", _FORM)
    return read(given, file_name)


def read(given: Mapping[str, Any], file_name: str) -> tuple[Episode, ...]:
    """The episodes of what a TOML file holds, in their order; none where it has no such section.

    Raises:
        UsageError: one that cannot be read, or one name twice.
    """
    where = f"{clean(file_name, 200)}: episodes"
    listed = given.get("episodes", [])
    if not isinstance(listed, list):
        raise UsageError(f"{where} is no list", _FORM)
    found = tuple(_episode(f"{where}[{number}]", one) for number, one in enumerate(listed, 1))
    seen: set[str] = set()
    for number, episode in enumerate(found, 1):
        if _key(episode) in seen:
            raise UsageError(f"{where}[{number}] repeats {episode.name!r}", "every episode needs a name of its own")
        seen.add(_key(episode))
    return found


def together(lists: Iterable[tuple[Episode, ...]]) -> tuple[Episode, ...]:
    """Several lists as one, by their days; of one name in several lists the last one counts."""
    by_name = {_key(episode): episode for one in lists for episode in one}
    return tuple(sorted(by_name.values(), key=lambda episode: (episode.since, episode.until, episode.name)))


def _key(episode: Episode) -> str:
    return episode.name.casefold()


def _episode(where: str, given: object) -> Episode:
    if not isinstance(given, Mapping):
        raise UsageError(f"{where} is no table", _FORM)
    for key in given:
        if key not in KEYS:
            raise UsageError(f"{where} knows no key {clean(key)!r}", f"the keys are {', '.join(KEYS)}; {_FORM}")
    name = _text(where, given, "name", LONGEST_NAME)
    if not name:
        raise UsageError(f"{where} has no key 'name'", f"every episode needs it; {_FORM}")
    since, until = _day(where, given, "from"), _day(where, given, "to")
    if not since < until:
        raise UsageError(
            f"{where} ({name}) goes from {since} to {until}",
            "`from` is the day whose close it is counted from: the last close before it began",
        )
    return Episode(
        name, since, until, _text(where, given, "what", LONGEST_TEXT), _text(where, given, "source", LONGEST_TEXT)
    )


def _text(where: str, given: Mapping[str, Any], key: str, longest: int) -> str:
    value = given.get(key, "")
    if not isinstance(value, str):
        _refuse(where, key, value, f'a text in quotes: {key} = "..."')
    if len(" ".join(value.split())) > longest:
        _refuse(where, key, value, f"a text of {longest} characters at most")
    return clean(value, longest)


def _day(where: str, given: Mapping[str, Any], key: str) -> date:
    """A TOML date, or a text that is one."""
    value = given.get(key)
    if value is None:
        raise UsageError(f"{where} has no key {key!r}", f"every episode needs it; {_FORM}")
    if isinstance(value, str):
        try:
            return date.fromisoformat(value.strip())
        except ValueError:
            _refuse(where, key, value, f"a day: {key} = 2016-06-23")
    if isinstance(value, datetime) or not isinstance(value, date):
        _refuse(where, key, value, f"a day: {key} = 2016-06-23")
    return value


def _refuse(where: str, key: str, value: object, needs: str) -> NoReturn:
    raise UsageError(f"{where}.{key} cannot be {clean(value)!r}", needs)
