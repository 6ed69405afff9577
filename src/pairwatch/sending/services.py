"""Any service that apprise knows, by its URL, which may hold tokens."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from pairwatch.errors import DeliveryFailed, UsageError
from pairwatch.sending.deadlines import within
from pairwatch.sending.letters import LONGEST_SUBJECT, Message
from pairwatch.text import clean

# Schemes whose URL does name a host. In most others a token stands in its place (tgram://TOKEN/CHAT).
_WITH_HOST = re.compile(r"(?:json|xml|form|apprise|gotify|mmost|rocket|matrix)s?")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{0,19}")
_ANOTHER = re.compile(r"[,;\s]\s*[A-Za-z][A-Za-z0-9+.-]*://")
_HOST = re.compile(r"(?:[\w.-]+|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?")


def shown_url(url: str) -> str:
    """A URL without its secrets: the scheme, and the host where there is one."""
    scheme, _, rest = url.partition("://")
    scheme = scheme.lower()
    if not _SCHEME.fullmatch(scheme):
        return "…"
    return f"{scheme}://{_host_of(rest) if _WITH_HOST.fullmatch(scheme) else '…'}"


def _host_of(rest: str) -> str:
    """The host of a URL after its `://`; an ellipsis if it may be a part of something else, as of a password."""
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    host = authority.rpartition("@")[2]
    return host if "@" not in rest[len(authority) :] and _HOST.fullmatch(host) else "…"


class _Ears(logging.Handler):
    """Keeps of what apprise logs the one part that is no secret: what kind of failure it was."""

    reason = "did not take the message"

    def emit(self, record: logging.LogRecord) -> None:
        """Note the status of an answer, or that there was none."""
        text = record.getMessage()
        if status := re.search(r"\berror=(\d{3})\b", text):
            self.reason = f"did not take the message: it answered {status[1]}"
        elif re.search(r"(?i)\bconnection error\b", text):
            self.reason = "cannot be reached"


def notify(message: Message, url: str, deadline: float) -> None:
    """Hand the message to the service behind `url`, waiting `deadline` seconds at the longest.

    Raises:
        DeliveryFailed, UsageError: see `pairwatch.sending.send`.
    """
    if _ANOTHER.search(url):
        raise UsageError(f"more than one recipient: {shown_url(url)} and others", "a URL stands alone")
    try:
        import apprise  # noqa: F401, PLC0415 - an extra
    except ImportError:
        raise UsageError(f"{shown_url(url)} needs apprise", "pip install 'pairwatch[notify]'") from None
    heard = _Ears()
    outcome = within(deadline, partial(_hand_over, message, url, heard))
    if outcome is None:
        raise UsageError(f"{shown_url(url)} is not a URL that apprise knows", "see the services: apprise --details")
    if isinstance(outcome, TimeoutError):
        raise DeliveryFailed(f"{shown_url(url)} did not answer in time", "try again later")
    if isinstance(outcome, Exception):  # its text may hold the URL
        raise DeliveryFailed(f"{shown_url(url)} did not take the message ({type(outcome).__name__})")
    if not outcome:
        raise DeliveryFailed(f"{shown_url(url)} {heard.reason}", "try the URL by itself: apprise -vv -b test URL")


def _hand_over(message: Message, url: str, heard: _Ears) -> bool | None:
    """Whether apprise delivered; None if it cannot read the URL."""
    from apprise import Apprise, AppriseAsset, NotifyFormat  # noqa: PLC0415 - an extra

    # Its own deadline would come with threads that the interpreter waits for at its end.
    asset = AppriseAsset(app_id="pairwatch", async_mode=False, service_timeout=0)
    with _unheard(heard):
        service = Apprise.instantiate(url, asset=asset)
        if service is None:
            return None
        services = Apprise(asset=asset)
        services.add(service)
        title = clean(message.subject, LONGEST_SUBJECT)
        return bool(services.notify(message.text, title=title, body_format=NotifyFormat.TEXT))


@contextmanager
def _unheard(heard: _Ears) -> Iterator[None]:
    """Keep what apprise and its HTTP client log, URLs with tokens among it, from every log but `heard`."""
    loggers = [logging.getLogger(name) for name in ("apprise", "requests", "urllib3")]
    before = [logger.propagate for logger in loggers]
    for logger in loggers:
        logger.propagate = False
        logger.addHandler(heard)
    try:
        yield
    finally:
        for logger, propagated in zip(loggers, before, strict=True):
            logger.removeHandler(heard)
            logger.propagate = propagated
