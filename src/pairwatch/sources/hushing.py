"""Secrets kept out of what is shown: replaced in text, and in what the HTTP libraries tell their logs."""

import logging
import traceback
from collections.abc import Collection
from urllib.parse import quote, quote_plus

HUSHED = "***"
_LIBRARIES = ("urllib3", "requests")

_forms: set[str] = set()


def hush(secrets: Collection[str]) -> None:
    """From now on, let no log of the HTTP libraries hold these: a request may go on after it was given up."""
    for secret in filter(None, secrets):
        _forms.update((secret, quote(secret), quote(secret, safe=""), quote_plus(secret)))


def hushed(text: str) -> str:
    """The text without any secret that was hushed, in the forms in which a URL may hold it."""
    for form in sorted(_forms.copy(), key=len, reverse=True):
        text = text.replace(form, HUSHED)
    return text


class _Hushing(logging.Filter):
    """Lets every record pass, without the secrets."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Replace what the record says, if it says too much."""
        message = record.getMessage()
        if (shown := hushed(message)) != message:
            record.msg, record.args = shown, ()
        if record.exc_info:
            story = "".join(traceback.format_exception(*record.exc_info)).rstrip()
            if (shown := hushed(story)) != story:
                record.exc_info, record.exc_text = None, shown
        return True


def watch() -> None:
    """Hush all loggers that the HTTP libraries have by now: a filter of a logger does not reach those below it."""
    for name in [*_LIBRARIES, *logging.root.manager.loggerDict]:
        if name.partition(".")[0] in _LIBRARIES:
            logging.getLogger(name).addFilter(_FILTER)  # a second time changes nothing


_FILTER = _Hushing()
