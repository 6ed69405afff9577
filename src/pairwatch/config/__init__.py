"""The configuration: flat settings, and what else it says: the watch list, rules, mail; units, other sources, keys.

Every run needs the settings, few need the rest: its names are loaded when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pairwatch.config.settings import (
    FILE_VARIABLE,
    FORMATS,
    PASSWORD_VARIABLE,
    PREFIX,
    SETTINGS,
    Setting,
    Value,
    choice,
    currency,
    day,
    duration,
    file,
    folder,
    lasting,
    misspelt,
    nearest,
    resolve,
    source,
    whole,
    yes_or_no,
)

if TYPE_CHECKING:
    from pairwatch.config.keys import Keys, file_keys, name_in_file, open_to_others
    from pairwatch.config.legs import fallback, placed, typed_units, units
    from pairwatch.config.sections import MailText, PairText, RuleText, mail, rules, watch_list

__all__ = [
    "FILE_VARIABLE",
    "FORMATS",
    "PASSWORD_VARIABLE",
    "PREFIX",
    "SETTINGS",
    "Keys",
    "MailText",
    "PairText",
    "RuleText",
    "Setting",
    "Value",
    "choice",
    "currency",
    "day",
    "duration",
    "fallback",
    "file",
    "file_keys",
    "folder",
    "lasting",
    "mail",
    "misspelt",
    "name_in_file",
    "nearest",
    "open_to_others",
    "placed",
    "resolve",
    "rules",
    "source",
    "typed_units",
    "units",
    "watch_list",
    "whole",
    "yes_or_no",
]
# Where the names are that are loaded later.
_LATER = {
    "keys": ("Keys", "file_keys", "name_in_file", "open_to_others"),
    "legs": ("fallback", "placed", "typed_units", "units"),
    "sections": ("MailText", "PairText", "RuleText", "mail", "rules", "watch_list"),
}


def __getattr__(name: str) -> Any:
    for module, names in _LATER.items():
        if name in names:
            return getattr(import_module(f"pairwatch.config.{module}"), name)
    raise AttributeError(f"module 'pairwatch.config' has no attribute {name!r}")
