"""What a run finds around it: settings, the configuration file, the price cache."""

import os
import sys
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pairwatch.cli import words
from pairwatch.errors import UsageError
from pairwatch.text import clean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from pairwatch.cache import Cache
    from pairwatch.config import Keys, Value
    from pairwatch.logs import Log
    from pairwatch.model import Declared, Leg, Window
    from pairwatch.retrieval import Desk
    from pairwatch.snapshots import Store
    from pairwatch.staging import Question


# Beside the settings' values: the keys of those that the command line has.
TYPED = "typed"


def settings(typed: dict[str, Any]) -> dict[str, Any]:
    """Every setting's value, and which were typed; what `typed` holds beside settings is not looked at.

    Raises:
        UsageError: a value that cannot be read.
    """
    found = resolved(typed)
    values = {key: setting.value for key, setting in found.items()}
    return {**values, TYPED: {key for key, setting in found.items() if setting.origin == "flag"}}


def resolved(typed: dict[str, Any]) -> "dict[str, Value]":
    """Every setting with its origin; a variable that is misspelt is noted."""
    from pairwatch import config

    file = config_file()
    values = config.resolve(typed, os.environ, parsed(file), str(file))
    for name, near in config.misspelt(os.environ).items():
        helps = f"did you mean {near}?" if near else "`pairwatch config show` lists them"
        words.note(f"no setting is called {clean(name)}; {helps}", quiet=values["quiet"].value)
    return values


def config_file() -> Path:
    """Where the configuration file is, or would be.

    Raises:
        UsageError: the variable names what is no file.
    """
    if given := os.environ.get("PAIRWATCH_CONFIG"):
        if not os.path.isfile(given):  # noqa: PTH113 - Path.is_file raises what a name can be too long for
            raise UsageError(
                f"PAIRWATCH_CONFIG names {clean(given, 200)}, which is no file", "unset PAIRWATCH_CONFIG, or mend it"
            )
        return Path(given)
    import platformdirs

    return platformdirs.user_config_path("pairwatch", appauthor=False) / "config.toml"


def parsed(file: Path) -> dict[str, Any]:
    """What the configuration file holds; empty where there is no file.

    Raises:
        UsageError: it cannot be read, or is not TOML.
    """
    hint = "mend the file, or set PAIRWATCH_CONFIG to another"
    try:
        text = file.read_text("utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        why = clean(getattr(error, "strerror", None) or error)
        raise UsageError(f"{clean(file, 200)} cannot be read ({why})", hint) from None
    import tomllib

    try:
        return _toml(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{clean(file, 200)} is not TOML: {clean(error)}", hint) from None


@lru_cache(maxsize=1)  # settings, watch list, rules and units are each looked for in it
def _toml(text: str) -> dict[str, Any]:
    import tomllib

    return tomllib.loads(text)


def cache(settings: dict[str, Any]) -> "Cache":
    """The price cache that the settings name."""
    from pairwatch import api

    return api.cache_at(settings["cache_dir"])


def trouble(cache: "Cache") -> list[str]:
    """Why the cache is of no use, if it is not."""
    return [cache.trouble] if cache.trouble else []


def store(settings: dict[str, Any]) -> "Store":
    """The snapshots that the settings name."""
    from pairwatch import api

    return api.store_at(settings["data_dir"])


def has_snapshots(settings: dict[str, Any]) -> bool:
    """Whether there is a file of snapshots, or something that keeps us from knowing; loads no store."""
    from pairwatch import api

    try:
        api.snapshots_in(settings["data_dir"]).stat()
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True


def question(settings: dict[str, Any], now: float) -> "Question":
    """What the settings ask of a pair."""
    from pairwatch import api

    names = ("window", "as_of", "max_lag", "adjust", "seed", "currency", "align")
    return api.question(**{name: settings[name] for name in names if name in settings}, now=now)


def question_of(legs: "tuple[Leg, Leg]", settings: dict[str, Any], now: float) -> "Question":
    """What is asked of a pair where snapshots are looked for: with its own window, as they are taken."""
    return question(settings, now).of(*legs, windows(settings))


def desk(
    settings: dict[str, Any],
    cache: "Cache",
    asked: "Question",
    *,
    now: float,
    verbose: bool = False,
    legs: "Collection[Leg]" = (),
    units: "Sequence[str] | None" = None,
    patience: float | None = None,
) -> "Desk":
    """Where the legs of a run come from, as the settings and the configuration file have it.

    Args:
        legs: those of the run; of others no unit can be typed.
        units: what was typed as `--unit`.
        patience: how long a turn at a provider may be waited for, in seconds; by default as long as the deadline.

    Raises:
        UsageError: settings that contradict each other, or a section of the file that cannot be read.
    """
    from pairwatch import api, config

    if settings["refresh"] and settings["offline"]:
        raise UsageError("--refresh asks the source, and --offline forbids it", "leave one out, or say --no-offline")
    file, source = config_file(), settings["source"]
    given = parsed(file)
    declared = config.units(given, str(file), source) if "units" in given else {}
    known = keys()
    if legs:
        note_refused(known, legs, quiet=settings["quiet"])
    return api.desk_at(
        cache,
        asked,
        **{name: settings[name] for name in ("offline", "refresh", "max_age", "deadline")},
        now=now,
        verbose=verbose,
        keys=known,
        declared=declared | _typed(units, source, legs) if units else declared,
        fallback=config.fallback(given, str(file), source) if "fallback" in given else None,
        patience=patience,
    )


def keys() -> "Keys":
    """The keys of providers: those of the variables, the file and the keyring.

    Raises:
        UsageError: the file's cannot be read.
    """
    from pairwatch import config

    file = config_file()
    given = parsed(file)
    if "keys" not in given:
        return config.Keys(os.environ)
    refused = config.open_to_others(str(file), file.stat().st_mode if os.name == "posix" else None)
    found = config.file_keys(given, str(file))
    return config.Keys(os.environ, found, str(file), refused=refused if found else None)


def note_refused(keys: "Keys", legs: "Iterable[Leg]", *, quiet: bool) -> None:
    """Say that the file's keys may not be used, unless a leg needs one of them and its error will say so."""
    if keys.refused and not any(keys.refuses(source) for source in {leg.source for leg in legs}):
        words.note(f"{keys.refused.message}, and are not used; {keys.refused.hint}", quiet=quiet)


def _typed(units: "Sequence[str]", source: str, legs: "Collection[Leg]") -> "dict[Leg, Declared]":
    """What `--unit` says of the run's legs."""
    from pairwatch import config
    from pairwatch.text import listing

    found = config.typed_units(units, source)
    for leg in found:
        if leg not in legs:
            names = listing(list(dict.fromkeys(legs)))
            raise UsageError(f"--unit names {leg}, which is no leg of this run", f"the legs are {names}")
    return found


def watch_list(settings: dict[str, Any]) -> "list[tuple[Leg, Leg]]":
    """The pairs of the configuration file's watch list, which may be none.

    Raises:
        UsageError: one that is no pair.
    """
    from pairwatch import api, config

    file = config_file()
    return [api.pair(a, b, settings["source"]) for a, b, _ in config.watch_list(parsed(file), str(file))]


def windows(settings: dict[str, Any]) -> "dict[tuple[Leg, Leg], Window]":
    """The windows that pairs of the watch list have of their own; none where one was typed, which is for all.

    Raises:
        UsageError: a pair that is none, or one that has two.
    """
    if "window" in settings[TYPED]:
        return {}
    from pairwatch import api, config

    file = config_file()
    found: dict[tuple[Leg, Leg], Window | None] = {}
    for a, b, window in config.watch_list(parsed(file), str(file)):
        legs = api.pair(a, b, settings["source"])
        if found.setdefault(legs, window) != window:  # written in two ways, as QQQ and yahoo:QQQ
            raise UsageError(f"{clean(file, 200)}: watchlist has {legs[0]} {legs[1]} with two windows", "leave one out")
    return {legs: window for legs, window in found.items() if window}


def nothing_watched() -> UsageError:
    """What is said where the watch list has to have a pair, and has none."""
    return UsageError("the watch list is empty", "pairwatch watchlist add QQQ IWM, or name two legs")


def log(settings: dict[str, Any]) -> "Log":
    """The log that the settings name."""
    from pairwatch.logs import Log

    return Log(settings["log_file"])


def show_logs() -> None:
    """Let the libraries speak, on stderr."""
    import logging

    logging.basicConfig(stream=sys.stderr, level=logging.DEBUG, format="%(name)s: %(message)s")
