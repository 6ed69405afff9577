"""What a run finds around it: settings, the configuration file, the price cache."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pairwatch.cli import words
from pairwatch.errors import UsageError
from pairwatch.text import clean

if TYPE_CHECKING:
    from pairwatch.cache import Cache
    from pairwatch.config import Value
    from pairwatch.logs import Log
    from pairwatch.model import Leg
    from pairwatch.pairs import Question
    from pairwatch.retrieval import Desk
    from pairwatch.snapshots import Store


def settings(typed: dict[str, Any]) -> dict[str, Any]:
    """Every setting's value; what `typed` holds beside settings is not looked at.

    Raises:
        UsageError: a value that cannot be read.
    """
    return {key: setting.value for key, setting in resolved(typed).items()}


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
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{clean(file, 200)} is not TOML: {clean(error)}", hint) from None


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

    names = ("window", "as_of", "max_lag", "adjust", "seed")
    return api.question(**{name: settings[name] for name in names if name in settings}, now=now)


def desk(settings: dict[str, Any], cache: "Cache", asked: "Question", *, now: float, verbose: bool = False) -> "Desk":
    """Where the legs of a run come from, as the settings have it.

    Raises:
        UsageError: settings that contradict each other.
    """
    from pairwatch import api

    if settings["refresh"] and settings["offline"]:
        raise UsageError("--refresh asks the source, and --offline forbids it", "leave one out, or say --no-offline")
    names = ("offline", "refresh", "max_age", "deadline")
    return api.desk_at(cache, asked, **{name: settings[name] for name in names}, now=now, verbose=verbose)


def watch_list(settings: dict[str, Any]) -> "list[tuple[Leg, Leg]]":
    """The pairs of the configuration file's watch list, which may be none.

    Raises:
        UsageError: one that is no pair.
    """
    from pairwatch import api, config

    file = config_file()
    return [api.pair(a, b, settings["source"]) for a, b in config.watch_list(parsed(file), str(file))]


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
