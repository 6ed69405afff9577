"""Settings: what was typed, else a `PAIRWATCH_*` variable, else the configuration file, else the default.

Nothing is read here: the command line hands in the flags, the environment and the file's text.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple, get_args

from pairwatch import sources
from pairwatch.errors import UsageError
from pairwatch.model import DEFAULT_SOURCE, Align, Window
from pairwatch.text import clean

PREFIX = "PAIRWATCH_"
# A variable that is no setting: it names the file.
FILE_VARIABLE = f"{PREFIX}CONFIG"
# And the one for what belongs in no file and in no command's arguments.
PASSWORD_VARIABLE = f"{PREFIX}MAIL_PASSWORD"
# What the file may hold beside settings: see `sections`, `legs` and `keys`, and the studies `hedge` and `related`.
SECTIONS = ("watchlist", "rules", "mail", "units", "fallback", "keys", "episodes", "instruments")
FORMATS = ("auto", "table", "csv", "json", "markdown")
ALIGNMENTS = get_args(Align)

_DURATION = re.compile(r"([0-9]{1,7})(s|m|h|d)?\Z")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, None: 1}


class Setting(NamedTuple):
    """One setting: how its text is read, its default, and what it is for."""

    key: str
    read: Callable[[str], Any]
    default: str
    help: str


class Value(NamedTuple):
    """A setting's value, and where it came from: `flag`, a variable's name, the file's path, or `default`."""

    key: str
    text: str
    value: Any
    origin: str


def duration(text: str) -> float:
    """Seconds of `90s`, `15m`, `2h` or `1d`.

    Raises:
        ValueError: anything else.
    """
    found = _DURATION.match(text.strip())
    if not found:
        raise ValueError("a duration is 30s, 15m, 2h or 1d")
    return float(int(found[1]) * _SECONDS[found[2]])


def lasting(shortest: str, longest: str) -> Callable[[str], float]:
    """A reader that takes a duration from `shortest` to `longest`, in seconds."""
    low, high = duration(shortest), duration(longest)

    def read(text: str) -> float:
        seconds = duration(text)
        if not low <= seconds <= high:
            raise ValueError(f"a duration from {shortest} to {longest}")
        return seconds

    return read


def yes_or_no(text: str) -> bool:
    """`1 true yes on` or `0 false no off`, in any case.

    Raises:
        ValueError: anything else.
    """
    word = text.strip().lower()
    if word in ("1", "true", "yes", "on"):
        return True
    if word in ("0", "false", "no", "off", ""):
        return False
    raise ValueError("write true or false")


def day(text: str) -> date | None:
    """A day as `YYYY-MM-DD`, or None for an empty text.

    Raises:
        ValueError: anything else.
    """
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):  # date.fromisoformat takes more
        raise ValueError("a day is YYYY-MM-DD")
    return date.fromisoformat(text)


def folder(text: str) -> Path | None:
    """A folder, `~` expanded, or None for an empty text.

    Raises:
        ValueError: nobody's home, or no name that a folder can have.
    """
    return _path(text, "folder")


def file(text: str) -> Path | None:
    """A file, in the same way."""
    return _path(text, "file")


def _path(text: str, kind: str) -> Path | None:
    if "\0" in text:
        raise ValueError(f"a {kind}'s name has no NUL in it")
    try:
        return Path(text).expanduser() if text else None
    except RuntimeError:
        raise ValueError(f"a {kind}; {clean(Path(text).parts[0])} is nobody's home") from None


def choice(*words: str) -> Callable[[str], str]:
    """A reader that takes one of `words`."""

    def read(text: str) -> str:
        word = text.strip().lower()
        if word not in words:
            raise ValueError(f"one of {', '.join(words)}")
        return word

    return read


def whole(low: int, high: int) -> Callable[[str], int]:
    """A reader that takes a whole number from `low` to `high`."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text.strip()) or not low <= int(text) <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return int(text)

    return read


def currency(text: str) -> str:
    """A currency's three letters in capitals, or nothing.

    Raises:
        ValueError: anything else.
    """
    code = text.strip()
    if not re.fullmatch(r"([A-Za-z]{3})?", code):
        raise ValueError("a currency is three letters, such as USD")
    return code.upper()


def source(text: str) -> str:
    """The name of a source; those of plug-ins are looked for only where it is none of ours.

    Raises:
        ValueError: there is none.
    """
    name = text.strip().lower()
    if name not in sources.names() and name not in (known := sources.every()):
        raise ValueError(f"one of {', '.join(known)}")
    return name


SETTINGS = (
    Setting("window", Window.parse, "90d", "how far back: 90d (calendar days), 12w, 6mo, 1y, or 61b (bars)"),
    Setting("as_of", day, "", "recompute as if this day were today (YYYY-MM-DD)"),
    Setting("max_lag", whole(1, 1000), "10", "the largest lag of the lead test, in bars"),
    Setting("adjust", choice("total", "price"), "total", "total: distributions reinvested; price: as quoted"),
    Setting("currency", currency, "", "convert prices into it, such as USD (default: each leg in its own)"),
    Setting(
        "align",
        choice(*ALIGNMENTS),
        "date",
        "closes taken together: of one date; the nearest in time; two-day: of one date, every second day",
    ),
    Setting("format", choice(*FORMATS), "auto", "auto is table on a terminal, csv in a pipe"),
    Setting("source", source, DEFAULT_SOURCE, "where legs without a prefix come from"),
    Setting(
        "max_age",
        lasting("0s", "366d"),
        "15m",
        "how old a price of an open session may be before it is asked for again; 0s asks every time",
    ),
    Setting("deadline", lasting("1s", "1h"), "20s", "how long a source may take for a leg"),
    Setting("seed", whole(0, 999_999_999), "0", "of the permutations; the same inputs give the same bytes"),
    Setting("offline", yes_or_no, "false", "answer from the cache alone; never open a socket"),
    Setting("refresh", yes_or_no, "false", "ask the source for the whole history again"),
    Setting("fail_stale", yes_or_no, "false", "exit 6 when a leg is older than it should be"),
    Setting("quiet", yes_or_no, "false", "no notes on stderr, only errors"),
    Setting("cache_dir", folder, "", "the folder of the price cache (default: the platform's)"),
    Setting("data_dir", folder, "", "the folder of the snapshots (default: the platform's)"),
    Setting("log_file", file, "", "append what every run did to this file, as JSON lines"),
)
_BY_KEY = {setting.key: setting for setting in SETTINGS}


def resolve(
    flags: Mapping[str, Any], environ: Mapping[str, str], file: Mapping[str, Any], file_name: str
) -> dict[str, Value]:
    """Every setting's value and origin, by precedence.

    Args:
        flags: what was typed, by setting; None stands for not typed. Nothing but settings is looked up in it.
        file: the parsed configuration file, empty if there is none; its sections are not looked into.

    Raises:
        UsageError: a value that cannot be read, named with its origin; an unknown key in the file.
    """
    for key in file:
        if key not in _BY_KEY and key not in SECTIONS:
            near = nearest(key, [*_BY_KEY, *SECTIONS])
            raise UsageError(
                f"{clean(file_name, 200)}: no setting is called {clean(key)!r}",
                f"did you mean {near}?" if near else f"the settings are {', '.join([*_BY_KEY, *SECTIONS])}",
            )
    return {key: _resolved(setting, flags, environ, file, file_name) for key, setting in _BY_KEY.items()}


def misspelt(environ: Mapping[str, str]) -> dict[str, str]:
    """The `PAIRWATCH_*` variables that are not known, each with the nearest one that is, or nothing.

    They are no error: an environment is shared with other programs, and with other versions of this one.
    """
    known = {PREFIX + key.upper() for key in _BY_KEY} | {FILE_VARIABLE, PASSWORD_VARIABLE}
    given = sorted(name for name, text in environ.items() if name.startswith(PREFIX) and text)
    return {name: _nearest_variable(name, known) for name in given if name not in known}


def _nearest_variable(name: str, known: Collection[str]) -> str:
    near = nearest(name.removeprefix(PREFIX).upper(), sorted(each.removeprefix(PREFIX) for each in known))
    return PREFIX + near if near else ""


def nearest(word: str, words: Sequence[str]) -> str:
    """The one of `words` that may have been meant, or nothing."""
    from difflib import get_close_matches  # noqa: PLC0415 - misspellings are rare

    return next(iter(get_close_matches(word, words, 1)), "")


def _resolved(
    setting: Setting, flags: Mapping[str, Any], environ: Mapping[str, str], file: Mapping[str, Any], file_name: str
) -> Value:
    variable = PREFIX + setting.key.upper()
    if flags.get(setting.key) is not None:
        text, origin = flags[setting.key], "flag"
    elif environ.get(variable):
        text, origin = environ[variable], variable
    elif setting.key in file:
        text, origin = file[setting.key], file_name
    else:
        text, origin = setting.default, "default"
    text = str(text)
    try:
        return Value(setting.key, text, setting.read(text), origin)
    except (ValueError, UsageError) as error:
        name = f"--{setting.key.replace('_', '-')}" if origin == "flag" else f"{clean(origin, 200)}: {setting.key}"
        needs = error.hint if isinstance(error, UsageError) else str(error)
        raise UsageError(f"{name} cannot be {clean(text)!r}", needs) from None
