"""One message, sent: to mailboxes by SMTP, or to any service that apprise knows.

A secret (a password, a token in a URL) leaves this package in one direction only, to the server it is meant for: no
message, no representation, no log record and no error carries one.
"""

from pairwatch.errors import UsageError
from pairwatch.sending.letters import Message, in_envelope, mailboxes
from pairwatch.sending.servers import PASSWORD_VARIABLE, Server, password_of, sender_of
from pairwatch.text import clean

__all__ = ["PASSWORD_VARIABLE", "Message", "Server", "password_of", "send", "shown"]


def send(message: Message, to: str, server: Server | None, *, deadline: float = 30.0) -> None:
    """Send `message` to mail addresses (`me@example.com, Name <you@example.com>`) or, with `://`, an apprise URL.

    The whole takes `deadline` seconds at the longest. An apprise service that is too slow may still deliver afterwards.

    Raises:
        DeliveryFailed: not delivered, and why. Where it names some recipients as refused, all others were served.
        UsageError: the recipient, the server or the installation does not allow to try; nothing was sent.
    """
    if "://" in to:
        from pairwatch.sending.services import notify  # noqa: PLC0415 - one way or the other

        notify(message, to.strip(), deadline)
        return
    recipients = mailboxes(to)
    if server is None:
        raise UsageError("no mail server is set", 'in the configuration: [mail] with host = "smtp.example.com"')
    envelope = in_envelope(message, recipients, sender_of(server))
    from pairwatch.sending.smtp import mail  # noqa: PLC0415 - one way or the other

    mail(envelope, server, deadline)


def shown(to: str) -> str:
    """A recipient without its secrets: addresses as they are; of a URL its scheme, and its host where it names one."""
    if "://" in to:
        from pairwatch.sending.services import shown_url  # noqa: PLC0415 - one way or the other

        return shown_url(to.strip())
    try:
        return clean(", ".join(str(box) for box in mailboxes(to)), 200)
    except UsageError:
        return "…"  # perhaps a mistyped URL with a token
