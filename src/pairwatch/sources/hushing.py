"""Secrets kept out of what is shown: replaced in text, and in what libraries tell their logs."""

import logging
import re
import traceback
from collections.abc import Collection

HUSHED = "***"
# Shorter ones stand in many a word by chance, and are found out sooner than hidden.
SHORTEST = 4
_LIBRARIES = ("urllib3", "requests")

_forms: dict[str, re.Pattern[str]] = {}


def hush(secrets: Collection[str]) -> None:
    """From now on, let no log that is watched hold these: a request may go on after it was given up.

    Those of fewer than four characters are left: without them no message could be read.
    """
    for secret in secrets:
        if len(secret) >= SHORTEST and secret not in _forms:
            _forms[secret] = re.compile("".join(map(_form, secret)))


def _form(char: str) -> str:
    """A pattern of all that a character may have become in a URL, quoted more than once too, or in a literal."""
    quoted = "".join(f"%(?:25)*(?i:{byte:02x})" for byte in char.encode("utf-8", "surrogatepass"))
    plain = {" ": r"[ +]", '"': r'\\?"', "'": r"\\?'", "\\": r"\\{1,2}"}.get(char, re.escape(char))
    return f"(?:{plain}|{quoted})"


def hushed(text: str) -> str:
    """The text without any secret that was hushed, however it is quoted."""
    for secret in sorted(_forms, key=len, reverse=True):
        text = _forms[secret].sub(HUSHED, text)
    return text


class _Hushing(logging.Filter):
    """Lets every record pass, without the secrets."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Replace what the record says, if it says too much."""
        if not _forms:
            return True
        try:
            message = record.getMessage()
        except Exception:  # noqa: BLE001 - a bad record is its handler's affair, and no error of who logs
            return True
        if (shown := hushed(message)) != message:
            record.msg, record.args = shown, ()
        story = "".join(traceback.format_exception(*record.exc_info)).rstrip() if record.exc_info else record.exc_text
        if story and (shown := hushed(story)) != story:
            record.exc_info, record.exc_text = None, shown
        record.stack_info = hushed(record.stack_info) if record.stack_info else record.stack_info
        return True


def watch() -> None:
    """Hush all loggers that the HTTP libraries have by now: a filter of a logger does not reach those below it."""
    for name in [*_LIBRARIES, *logging.root.manager.loggerDict]:
        if name.partition(".")[0] in _LIBRARIES:
            logging.getLogger(name).addFilter(_FILTER)  # a second time changes nothing


def watch_all() -> None:
    """Hush all handlers that there are by now, which reaches every logger, also one that is yet to be made."""
    loggers = [logging.root, *map(logging.getLogger, list(logging.root.manager.loggerDict))]
    for handler in (logging.lastResort, *(one for logger in loggers for one in logger.handlers)):
        if handler:
            handler.addFilter(_FILTER)


_FILTER = _Hushing()
