"""A mail server on loopback that keeps what it takes, and one that misbehaves.

with Mailroom(tls=authority.context, security="starttls", users={"me": "secret"}) as room:
    send(MESSAGE, "you@example.com", room.server(user="me", password="secret"))
room.letters                               # what arrived, parsed
"""

import asyncio
import socket
import ssl
import threading
from contextlib import suppress
from email.parser import BytesParser
from email.policy import default

import trustme
from aiosmtpd.smtp import SMTP, AuthResult

from pairwatch.sending import Message, Server

MESSAGE = Message(
    subject="QQQ/IWM: ρ −0.31 — “wide”",
    text="Grüße.\n.\nA line that starts with\n.a dot, and one that is " + "very " * 300 + "long.\n",
    html="<p>Grüße: <b>−0.31</b></p>\n",
    id="5f2c9a",
    at=1_795_384_800.0,
)
PASSWORD = "correct horse"  # noqa: S105 - nobody's


class Authority:
    """A certificate for 127.0.0.1 and, unless it names others, localhost."""

    def __init__(self, *names):
        authority = trustme.CA()
        self.pem = authority.cert_pem
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*(names or ("127.0.0.1", "localhost"))).configure_cert(self.context)

    def trusted(self, folder, monkeypatch):
        """Let this process trust it."""
        self.pem.write_to_path(str(folder / "authority.pem"))
        monkeypatch.setenv("SSL_CERT_FILE", str(folder / "authority.pem"))


class Mailroom:
    """A true SMTP server, whose answers can be replaced.

    Attributes:
        answers: what is answered instead of the truth to `MAIL`, `RCPT you@example.com`, `DATA` or `AUTH`; `drop`
            hangs up instead.
        envelopes: what was taken.
        logins: the user names and passwords that came, and whether encrypted.
    """

    def __init__(self, tls=None, security="none", users=None, methods=("PLAIN", "LOGIN"), **answers):
        self.security = security
        self.users = users or {}
        self.answers = answers
        self.envelopes, self.logins = [], []
        self._options = {
            "hostname": "mail.test",
            "enable_SMTPUTF8": answers.pop("utf8", True),
            "authenticator": self._authenticate,
            "auth_required": bool(users),
            "auth_require_tls": security == "starttls",  # it knows of no other TLS
            "auth_exclude_mechanism": {"PLAIN", "LOGIN"} - set(methods) if users else ("PLAIN", "LOGIN"),
            "tls_context": tls if security == "starttls" else None,
        }
        self._tls = tls if security == "tls" else None
        self._loop = asyncio.new_event_loop()

    def __enter__(self):
        listening = self._loop.create_server(self._smtp, "127.0.0.1", 0, ssl=self._tls)
        self._server = self._loop.run_until_complete(listening)
        self.port = self._server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        return self

    def __exit__(self, *_):
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _close(self):
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0)

    def _smtp(self):
        import warnings

        with warnings.catch_warnings():  # it warns of a login without TLS, which some tests are about
            warnings.simplefilter("ignore")
            return SMTP(self, loop=self._loop, **self._options)

    def server(self, **changes):
        """How a client reaches it."""
        return Server("127.0.0.1", self.port, self.security, "", "pairwatch <bot@example.com>", "")._replace(**changes)

    @property
    def letters(self):
        """What arrived, parsed."""
        return [BytesParser(policy=default).parsebytes(envelope.content) for envelope in self.envelopes]

    def _authenticate(self, server, session, envelope, mechanism, data):
        user, password = data.login.decode(), data.password.decode()
        self.logins.append((user, password, bool(server.transport.get_extra_info("ssl_object"))))
        answer = self.answers.get("AUTH", "").format(user=user, password=password)
        return AuthResult(success=self.users.get(user) == password, handled=False, message=answer or None)

    def _answered(self, server, key):
        answer = self.answers.get(key)
        if answer == "drop":
            server.transport.abort()
        return answer

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802 - aiosmtpd's names
        if answer := self._answered(server, "MAIL"):
            return answer
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if answer := self._answered(server, f"RCPT {address}"):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        if answer := self._answered(server, "DATA"):
            return answer
        self.envelopes.append(envelope)
        return "250 OK"

    async def handle_QUIT(self, server, session, envelope):  # noqa: N802
        return self._answered(server, "QUIT") or "221 Bye"


class Mute:
    """A server that accepts, says `greeting` a byte at a time, and then nothing, or hangs up."""

    security = "none"

    def __init__(self, greeting=b"", *, pause=0.0, closes=False):
        self._greeting, self._pause, self._closes = greeting, pause, closes
        self._more = None
        self._done = threading.Event()

    def then(self, said, tls, said_inside):
        """After the greeting, when something was asked: in one piece `said`; then TLS, and `said_inside`."""
        self._more = said, tls, said_inside

    def __enter__(self):
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()

    def _serve(self):
        with suppress(OSError), self._socket.accept()[0] as client:
            for byte in self._greeting:
                client.sendall(bytes([byte]))
                self._done.wait(self._pause)
            if self._more:
                self._encrypted(client, *self._more)
            elif not self._closes:
                self._done.wait(30)

    def _encrypted(self, client, said, tls, said_inside):
        asked = b""
        while b"STARTTLS\r\n" not in asked:
            asked += client.recv(1000)
        client.sendall(said)
        with tls.wrap_socket(client, server_side=True) as inside:
            inside.recv(1000)
            inside.sendall(said_inside)
            inside.recv(1000)

    server = Mailroom.server
