"""What went wrong between a mail server and us, in words."""

import smtplib
import socket
import ssl
from base64 import b64encode
from collections.abc import Mapping
from functools import singledispatch
from typing import Final

from pairwatch.errors import DeliveryFailed
from pairwatch.sending.servers import Server
from pairwatch.text import clean, listing

WRONG_PORT: Final = 'is it the right port? 465 goes with security = "tls", 587 with "starttls"'

_TEMPORARY = "the server says that this is temporary: try again later"
_LONGEST_REPLY = 120
_MOST_REFUSED = 10


def proof(user: str, password: str) -> str:
    """User and password as RFC 4616 has them."""
    return b64encode(f"\0{user}\0{password}".encode()).decode()


def _quoted(code: int, reply: bytes | str, server: Server) -> str:
    """A server's answer, to be shown; its code alone if it repeats the password, in the forms that it got."""
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    encoded = b64encode(server.password.encode()).decode()
    forms = (server.password, encoded, proof(server.user, server.password))
    repeated = server.password and any(form in text for form in forms)
    return str(code) if repeated else clean(f"{code} {text}", _LONGEST_REPLY)


def _hint(code: int, otherwise: str = "") -> str:
    return _TEMPORARY if 400 <= code < 500 else otherwise


def refused(answers: Mapping[str, tuple[int, bytes]], server: Server, *, others: bool = True) -> DeliveryFailed:
    """Some recipients were refused, while `others` were served; or all."""
    each = [f"{clean(address)} ({_quoted(*answer, server)})" for address, answer in answers.items()]
    lasting = any(code >= 500 for code, _ in answers.values())
    served = "; it took the message for all others" if others else ""
    message = f"{server.where} refused {listing(each, _MOST_REFUSED)}{served}"
    return DeliveryFailed(message, "check the address" if lasting else _TEMPORARY)


@singledispatch
def explained(error: Exception, _server: Server) -> DeliveryFailed:
    """Say what an exception of the conversation means; one that is no part of it is a bug, and raised."""
    raise error


@explained.register
def _(error: DeliveryFailed, _server: Server) -> DeliveryFailed:
    return error


@explained.register
def _(error: smtplib.SMTPResponseException, server: Server) -> DeliveryFailed:
    if error.smtp_code < 0:
        return DeliveryFailed(f"{server.where} does not speak SMTP", WRONG_PORT)
    answer = _quoted(error.smtp_code, error.smtp_error, server)
    return DeliveryFailed(f"{server.where} did not take the message: {answer}", _hint(error.smtp_code))


@explained.register
def _(error: smtplib.SMTPAuthenticationError, server: Server) -> DeliveryFailed:
    answer = _quoted(error.smtp_code, error.smtp_error, server)
    hint = _hint(error.smtp_code, "check user and password; some providers want a password made for this application")
    return DeliveryFailed(f"{server.where} refused the login of {clean(server.user)}: {answer}", hint)


@explained.register
def _(error: smtplib.SMTPSenderRefused, server: Server) -> DeliveryFailed:
    answer = _quoted(error.smtp_code, error.smtp_error, server)
    hint = "set a user, and TLS" if error.smtp_code == 530 else "it must be an address that this server sends for"
    return DeliveryFailed(
        f"{server.where} refused the sender {clean(error.sender)}: {answer}", _hint(error.smtp_code, hint)
    )


@explained.register
def _(error: smtplib.SMTPRecipientsRefused, server: Server) -> DeliveryFailed:
    return refused(error.recipients, server, others=False)


@explained.register
def _(_error: smtplib.SMTPNotSupportedError, server: Server) -> DeliveryFailed:
    return DeliveryFailed(f"{server.where} takes no address outside ASCII", "use another address")


@explained.register
def _(_error: smtplib.SMTPServerDisconnected, server: Server) -> DeliveryFailed:
    return DeliveryFailed(f"{server.where} closed the connection in the middle", f"try again later; {WRONG_PORT}")


@explained.register
def _(_error: TimeoutError, server: Server) -> DeliveryFailed:
    return DeliveryFailed(f"{server.where} did not answer in time", WRONG_PORT)


@explained.register
def _(error: ssl.SSLCertVerificationError, server: Server) -> DeliveryFailed:
    hint = "check the host's name; an authority of your own goes into SSL_CERT_FILE=authority.pem"
    return DeliveryFailed(f"the certificate of {server.where} is not trusted: {clean(error.verify_message)}", hint)


@explained.register
def _(error: ssl.SSLError, server: Server) -> DeliveryFailed:
    reason = clean((error.reason or "closed").replace("_", " ").lower())
    return DeliveryFailed(f"no TLS with {server.where} ({reason})", WRONG_PORT)


@explained.register
def _(_error: socket.gaierror, server: Server) -> DeliveryFailed:
    return DeliveryFailed(f"the name {clean(server.host)} cannot be resolved", "check the name and the connection")


@explained.register
def _(error: OSError, server: Server) -> DeliveryFailed:
    why = clean(error.strerror or type(error).__name__).lower()
    return DeliveryFailed(f"{server.where} cannot be reached ({why})", "check host, port and the connection")
