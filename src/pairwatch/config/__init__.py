"""The configuration: flat settings, and what the file alone can hold: the watch list, rules, mail.

Every run needs the settings, few need the rest: its names are loaded when they are first used.
"""

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
    day,
    duration,
    file,
    folder,
    lasting,
    misspelt,
    nearest,
    resolve,
    whole,
    yes_or_no,
)

if TYPE_CHECKING:
    from pairwatch.config.sections import MailText, RuleText, mail, rules, watch_list

__all__ = [
    "FILE_VARIABLE",
    "FORMATS",
    "PASSWORD_VARIABLE",
    "PREFIX",
    "SETTINGS",
    "MailText",
    "RuleText",
    "Setting",
    "Value",
    "choice",
    "day",
    "duration",
    "file",
    "folder",
    "lasting",
    "mail",
    "misspelt",
    "nearest",
    "resolve",
    "rules",
    "watch_list",
    "whole",
    "yes_or_no",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'pairwatch.config' has no attribute {name!r}")
    from pairwatch.config import sections

    return getattr(sections, name)
