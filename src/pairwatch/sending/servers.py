"""A mail server as it is set, and where its password comes from."""

import re
from collections.abc import Mapping
from email.headerregistry import Address
from ipaddress import ip_address
from typing import Final, Literal, NamedTuple

from pairwatch import keyrings
from pairwatch.errors import UsageError
from pairwatch.sending.letters import mailbox
from pairwatch.text import clean

PASSWORD_VARIABLE: Final = "PAIRWATCH_MAIL_PASSWORD"  # noqa: S105 - where it is, not what it is


class Server(NamedTuple):
    """A mail server that takes our messages: with TLS from the start (`tls`), after a greeting (`starttls`), or none.

    `sender` is the address that messages come from; without `user` there is no login.
    """

    host: str
    port: int
    security: Literal["tls", "starttls", "none"]
    user: str
    sender: str
    password: str

    def __repr__(self) -> str:
        return f"<Server {self.where} {self.security}>"

    @property
    def where(self) -> str:
        """Host and port, to be shown."""
        return f"{clean(self.host)}:{self.port}"


def password_of(user: str, host: str, file_password: str, file_mode: int | None, environ: Mapping[str, str]) -> str:
    """The password for `user` at `host`: from PAIRWATCH_MAIL_PASSWORD, else the keyring, else the file; or empty.

    `file_mode` are the permissions of the file that holds `file_password`, None where files have none.

    Raises:
        UsageError: it would have to come from a file that others may read.
    """
    found = environ.get(PASSWORD_VARIABLE, "") or keyrings.password(f"{user}@{host}")
    if found or not file_password:
        return found
    if file_mode is not None and file_mode & 0o077:
        message = f"the mail password stands in a file that others may read (mode {file_mode & 0o777:03o})"
        raise UsageError(message, f"chmod 600 the configuration file, or use {PASSWORD_VARIABLE} or a keyring")
    return file_password


def sender_of(server: Server) -> Address:
    """The address that messages come from, once the server as it is set makes sense.

    Raises:
        UsageError: it does not, or a password would travel in the clear.
    """
    sender = mailbox(server.sender)
    if sender is None:
        raise UsageError(
            "the sender is not a mail address", 'in the configuration: [mail] with from = "me@example.com"'
        )
    if not _is_host(server.host) or not 0 < server.port < 1 << 16:
        raise UsageError(f"{server.where} is not a mail server", 'for example host = "smtp.example.com", port = 465')
    user = clean(server.user)
    if user and not server.password:
        hint = f"{PASSWORD_VARIABLE}=..., or: keyring set {keyrings.SERVICE} {user}@{clean(server.host)}"
        raise UsageError(f"there is no password for {user} at {server.where}", hint)
    if user and server.security == "none" and not _is_loopback(server.host):
        raise UsageError(f"a password is not sent to {server.where} without TLS", 'use security = "tls" or "starttls"')
    return sender


def _is_host(host: str) -> bool:
    try:
        return bool(re.fullmatch(rb"[\w.:-]+", host.encode("idna")))
    except UnicodeError:
        return False


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
