"""One conversation with a mail server."""

import smtplib
import socket
import ssl
from contextlib import suppress
from functools import partial
from typing import Any

from pairwatch.errors import DeliveryFailed
from pairwatch.sending.deadlines import within
from pairwatch.sending.failures import WRONG_PORT, explained, proof, refused
from pairwatch.sending.letters import Envelope
from pairwatch.sending.servers import Server
from pairwatch.text import clean

_CONNECTING = 10.0  # seconds for one of a host's addresses: the next one deserves a try before the deadline
_FAREWELL = 2.0  # seconds for what does not matter any more
# What we call ourselves: to look up our own name may take half a minute, and tells the receiver nothing.
_OURSELVES = "[127.0.0.1]"


def mail(envelope: Envelope, server: Server, deadline: float) -> None:
    """Hand the letter to the server, in `deadline` seconds at the longest.

    Raises:
        DeliveryFailed: see `pairwatch.sending.send`.
    """
    client = _Client(server, deadline)
    try:
        outcome = within(deadline, partial(client.deliver, envelope), client.abandon)
    finally:
        client.leave()
    if isinstance(outcome, Exception):
        failure = explained(outcome, server)
        if client.handed_over and isinstance(outcome, (TimeoutError, smtplib.SMTPServerDisconnected)):
            failure = DeliveryFailed(f"{failure.message}; it may have taken the message all the same", failure.hint)
        raise failure
    if outcome:
        raise refused(outcome, server)


class _Client(smtplib.SMTP):
    """One conversation with a server, which another thread may end at any moment.

    Attributes:
        handed_over: whether the server has been given the message, so that only its answer can tell what became of it.
    """

    def __init__(self, server: Server, patience: float) -> None:
        super().__init__(local_hostname=_OURSELVES)
        self.handed_over = False
        self._server = server
        self._patience = patience
        self._abandoned = False

    def deliver(self, envelope: Envelope) -> dict[str, tuple[int, bytes]]:
        """Connect, log in, hand over; return the recipients that were refused, if not all of them were."""
        self._open()
        self.ehlo_or_helo_if_needed()
        if self._server.security == "starttls":
            self._start_tls()
        if self._server.user:
            self._log_in(self._server.user, self._server.password)
        return self.send_message(envelope.letter, envelope.sender, envelope.recipients)

    def data(self, msg: Any) -> tuple[int, bytes]:
        """Send the message itself."""
        self.handed_over = True
        return super().data(msg)

    def abandon(self) -> None:
        """End the conversation from another thread, wherever it stands."""
        self._abandoned = True
        if self.sock:
            with suppress(OSError):
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)  # TLS's own would stop to encrypt first

    def leave(self) -> None:
        """Say goodbye, if there was a conversation and it still stands. The answer to that changes nothing."""
        with suppress(OSError, ValueError):
            if self.sock and not self._abandoned and (self.ehlo_resp or self.helo_resp):
                self.sock.settimeout(_FAREWELL)
                self.docmd("QUIT")
        self.close()

    def _open(self) -> None:
        connecting = min(_CONNECTING, self._patience)
        self._use(socket.create_connection((self._server.host, self._server.port), connecting))
        if self._server.security == "tls":
            self._encrypt()
        code, reply = self.getreply()
        if code != 220:
            raise smtplib.SMTPConnectError(code, reply)

    def _use(self, connection: socket.socket) -> None:
        """Go on with `connection`, unless abandoned meanwhile: either `abandon` sees it, or this sees the flag."""
        connection.settimeout(2 * self._patience)  # whoever waits for us loses patience first
        self.sock, self.file = connection, None
        if self._abandoned:
            self.close()
            raise TimeoutError

    def _encrypt(self) -> None:
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected
        secured = ssl.create_default_context().wrap_socket(
            self.sock, server_hostname=self._server.host, do_handshake_on_connect=False
        )
        self._use(secured)  # from here on it can be abandoned, during the handshake too
        secured.do_handshake()

    def _start_tls(self) -> None:
        """Encrypt, or stop: what a server in the middle has taken out of the greeting does not lead to plain text."""
        if not self.has_extn("starttls"):
            hint = 'use security = "tls" if it takes that (port 465), or "none" for a server on this machine'
            raise DeliveryFailed(f"{self._server.where} offers no STARTTLS; nothing was sent", hint)
        code, reply = self.docmd("STARTTLS")
        if code != 220:
            raise smtplib.SMTPResponseException(code, reply)
        self.helo_resp = self.ehlo_resp = None  # what was said in the clear counts no more (RFC 3207)
        self._encrypt()
        self.ehlo_or_helo_if_needed()

    def _log_in(self, user: str, password: str) -> None:
        """Log in, with PLAIN if offered: the library would send a wrong password once a method, in ASCII only."""
        methods = self.esmtp_features.get("auth", "").upper().split()
        if not methods:
            raise DeliveryFailed(f"{self._server.where} offers no login; nothing was sent", WRONG_PORT)
        if "PLAIN" in methods:
            code, reply = self.docmd("AUTH", f"PLAIN {proof(user, password)}")
            if code != 235:
                raise smtplib.SMTPAuthenticationError(code, reply)
        elif {"LOGIN", "CRAM-MD5"} & set(methods) and (user + password).isascii():
            self.login(user, password)
        else:
            offer = clean(" ".join(methods))
            hint = "ask for a password made for this application, in ASCII; or use an apprise URL"
            raise DeliveryFailed(f"{self._server.where} offers no login that takes this password ({offer})", hint)
