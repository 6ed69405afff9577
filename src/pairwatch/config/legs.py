"""What is said of single legs: what their values are, and where else they can be had.

    [units]
    "fred:UNRATE" = "rate"                      # or price, index, level, level:barrels, points
    "cboe:VIX" = "points"

    [fallback]
    QQQ = ["yahoo", "csv:archive/QQQ.csv"]      # the name of a source alone stands for the same symbol there

Legs are read as if they were typed. Files that a leg falls back on are looked for from the configuration file's folder:
who runs pairwatch under cron does so elsewhere.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pairwatch import sources
from pairwatch.config.settings import source as known_source
from pairwatch.errors import UsageError
from pairwatch.model import DEFAULT_SOURCE, Declared, Leg
from pairwatch.text import clean

_CHAIN = 'write it as a list: QQQ = ["yahoo", "csv:archive/QQQ.csv"]'
_UNIT = "write it as LEG=rate, for example --unit fred:UNRATE=rate"


def units(file: Mapping[str, Any], file_name: str, source: str = DEFAULT_SOURCE) -> dict[Leg, Declared]:
    """What the file's section `units` declares.

    Args:
        source: where legs without a prefix come from.

    Raises:
        UsageError: what is no leg, no unit, or one leg twice.
    """
    where = _where(file_name, "units")
    return {leg: _declared(f"{where}.{leg}", value) for leg, value in _entries(file, "units", where, source)}


def typed_units(texts: Iterable[str], source: str = DEFAULT_SOURCE) -> dict[Leg, Declared]:
    """What `--unit LEG=rate` declares, each time that it was typed; of one leg the last one counts.

    Raises:
        UsageError: what is no leg or no unit.
    """
    found = {}
    for text in texts:
        name, _, unit = text.rpartition("=")  # a symbol may have the sign in it
        if not (name.strip() and unit.strip()):
            raise UsageError(f"--unit cannot be {clean(text)!r}", _UNIT)
        found[_leg("--unit", name, source)] = _declared("--unit", unit)
    return found


def fallback(file: Mapping[str, Any], file_name: str, source: str = DEFAULT_SOURCE) -> dict[Leg, tuple[Leg, ...]]:
    """By leg the legs that are tried in its stead, one after the other, as the file's section `fallback` has them.

    Raises:
        UsageError: what is no leg, or a list without a leg, or with one leg twice.
    """
    where = _where(file_name, "fallback")
    folder = Path(file_name).parent
    found = {}
    for leg, value in _entries(file, "fallback", where, source):
        if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value) or not value:
            raise UsageError(f"{where}.{leg} cannot be {clean(value)!r}", _CHAIN)
        chain = tuple(placed(_other(f"{where}.{leg}", leg, entry.strip(), source), folder) for entry in value)
        if len(set(chain)) < len(chain):
            raise UsageError(f"{where}.{leg} has a leg twice: {clean(value)!r}", "leave one of them out")
        found[leg] = chain
    return found


def placed(leg: Leg, folder: Path) -> Leg:
    """The leg with the path of its file absolute, which begins in `folder`; links in it stay links."""
    # Behind a # may be a column, which is no path; the file's own name may begin with one.
    path, mark, rest = leg.symbol.partition("#")
    if leg.source != "csv" or path == "-" or path.startswith("~") or os.path.isabs(path):  # noqa: PTH117
        return leg
    within, name = os.path.split(path)
    return Leg("csv", os.path.join(os.path.abspath(folder / within), name) + mark + rest)  # noqa: PTH100, PTH118


def _where(file_name: str, section: str) -> str:
    return f"{clean(file_name, 200)}: {section}"


def _entries(file: Mapping[str, Any], section: str, where: str, source: str) -> Iterator[tuple[Leg, Any]]:
    """What a section says of each leg."""
    given = file.get(section, {})
    if not isinstance(given, Mapping):
        raise UsageError(f"{where} is no table", f"write it as [{section}]")
    seen: dict[Leg, str] = {}
    for text, value in given.items():
        if isinstance(value, Mapping):  # BRK.B = ... is a table to TOML
            raise UsageError(f"{where}.{clean(text)} is a table", 'put a leg with a dot in quotes: "BRK.B" = ...')
        leg = _leg(where, text, source)
        if leg in seen:
            raise UsageError(f"{where} has {leg} twice: {clean(seen[leg])}, {clean(text)}", "leave one of them out")
        seen[leg] = text
        yield leg, value


def _leg(where: str, text: str, source: str) -> Leg:
    """A leg of a source that there is."""
    try:
        leg = Leg.parse(str(text).strip(), source)
    except UsageError as error:
        raise UsageError(f"{where}: {error.message}", error.hint) from None
    try:
        known_source(leg.source)
    except ValueError:
        unknown = sources.unknown(leg.source)
        raise UsageError(f"{where}: {unknown.message}", unknown.hint) from None
    return leg


def _declared(where: str, value: object) -> Declared:
    try:
        return Declared.parse(value if isinstance(value, str) else "")
    except UsageError as error:
        raise UsageError(f"{where} cannot be {clean(value)!r}", error.hint) from None


def _other(where: str, leg: Leg, entry: str, source: str) -> Leg:
    """One entry of a chain: a leg, or the name of a source."""
    if not _is_source(entry):
        return _leg(where, entry, source)
    if entry == "csv":
        raise UsageError(f"{where}: csv alone names no file", "name it: csv:archive/QQQ.csv")
    return _leg(where, f"{entry}:{leg.symbol}", source)


def _is_source(entry: str) -> bool:
    """Whether it is the name of a source; a symbol in capitals is not even looked for among them."""
    if not entry.islower():
        return False
    try:
        return known_source(entry) == entry
    except ValueError:
        return False
