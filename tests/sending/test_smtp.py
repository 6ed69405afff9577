"""Mail against a true server on loopback, in every mood."""

import logging
import socket
import threading
import time
import traceback
from base64 import b64encode
from datetime import UTC, datetime

import pytest
from tests.sending.mailroom import MESSAGE, PASSWORD, Authority, Mailroom, Mute

from pairwatch.errors import DeliveryFailed, UsageError
from pairwatch.sending import send

ME = "me@example.com"
YOU = "you@example.com"


@pytest.fixture(scope="module")
def authority():
    return Authority()


@pytest.fixture
def trusted(authority, monkeypatch, tmp_path):
    authority.trusted(tmp_path, monkeypatch)
    return authority


@pytest.fixture(autouse=True)
def _no_thread_stays():
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + 5
    while set(threading.enumerate()) - before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert set(threading.enumerate()) <= before


def failure(room, to=ME, deadline=10.0, **changes):
    """How sending a message there fails, its words in one string; nothing of the password is in any of it."""
    with pytest.raises(DeliveryFailed) as caught:
        send(MESSAGE, to, room.server(**changes), deadline=deadline)
    assert caught.value.exit_code == 9
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__cause__ is caught.value.__context__ is None
    return f"{caught.value.message} | {caught.value.hint}"


def test_what_arrives_is_what_was_sent():
    with Mailroom() as room:
        send(MESSAGE, ME, room.server())
    (letter,) = room.letters
    assert letter["Subject"] == MESSAGE.subject
    assert letter.get_body(("plain",)).get_content().replace("\r\n", "\n") == MESSAGE.text
    assert letter.get_body(("html",)).get_content().replace("\r\n", "\n") == MESSAGE.html
    assert letter.get_content_type() == "multipart/alternative"
    assert letter["From"] == "pairwatch <bot@example.com>"
    assert letter["To"] == ME
    assert letter["Date"].datetime == datetime.fromtimestamp(MESSAGE.at, UTC)
    assert letter["Message-ID"] == "<5f2c9a@example.com>"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter.defects == []
    assert room.envelopes[0].mail_from == "bot@example.com"
    assert room.envelopes[0].rcpt_tos == [ME]


def test_a_message_travels_in_short_lines_of_ascii():
    with Mailroom() as room:
        send(MESSAGE, ME, room.server())
    content = room.envelopes[0].content
    assert content.isascii()
    assert max(len(line) for line in content.split(b"\r\n")) <= 78


def test_the_same_message_sent_again_is_the_same_to_the_byte_but_for_its_boundary():
    plain = MESSAGE._replace(html="")
    with Mailroom() as room:
        send(plain, ME, room.server())
        send(plain, ME, room.server())
    assert room.envelopes[0].content == room.envelopes[1].content


def test_without_html_there_is_one_part():
    with Mailroom() as room:
        send(MESSAGE._replace(html=""), ME, room.server())
    assert room.letters[0].get_content_type() == "text/plain"


def test_several_recipients_get_one_letter_each_address_once():
    with Mailroom() as room:
        send(MESSAGE, f'mailto:{ME}, "Doe, Jané" <{YOU}>, Again <{ME}>', room.server())
    assert room.envelopes[0].rcpt_tos == [ME, YOU]
    assert [box.display_name for box in room.letters[0]["To"].addresses] == ["", "Doe, Jané"]


def test_a_domain_outside_ascii_is_encoded():
    with Mailroom() as room:
        send(MESSAGE, "me@bücher.example", room.server())
    assert room.envelopes[0].rcpt_tos == ["me@xn--bcher-kva.example"]


def test_a_local_part_outside_ascii_goes_to_servers_that_take_it():
    with Mailroom() as room:
        send(MESSAGE, "jürgen@example.com", room.server())
    assert room.envelopes[0].rcpt_tos == ["jürgen@example.com"]
    with Mailroom(utf8=False) as room:
        assert "takes no address outside ASCII" in failure(room, "jürgen@example.com")


@pytest.mark.parametrize(
    "subject", ["one\r\nBcc: eve@example.com", "one\nBcc: eve@example.com", "one\x00\x1b[31m\u2028"]
)
def test_a_subject_never_starts_another_header(subject):
    with Mailroom() as room:
        send(MESSAGE._replace(subject=subject, id="a\r\nBcc: eve@example.com"), ME, room.server())
    assert room.letters[0]["Bcc"] is None
    assert room.letters[0]["Subject"].startswith("one")
    assert room.envelopes[0].rcpt_tos == [ME]


# ---------------------------------------------------------------- TLS and logins


@pytest.mark.parametrize("security", ["tls", "starttls"])
@pytest.mark.parametrize("methods", [["PLAIN"], ["LOGIN"], ["PLAIN", "LOGIN"]], ids=str)
def test_a_login_travels_encrypted_and_once(trusted, security, methods):
    with Mailroom(trusted.context, security, {"me": PASSWORD}, methods) as room:
        send(MESSAGE, ME, room.server(user="me", password=PASSWORD))
    assert room.logins == [("me", PASSWORD, True)]
    assert room.letters[0]["Subject"] == MESSAGE.subject


def test_a_name_and_a_password_may_be_outside_ascii(trusted):
    with Mailroom(trusted.context, "tls", {"jürgen": "pässwörd"}) as room:
        send(MESSAGE, ME, room.server(user="jürgen", password="pässwörd"))  # noqa: S106
    assert len(room.letters) == 1


def test_a_login_that_cannot_carry_the_password_is_not_tried(trusted):
    with Mailroom(trusted.context, "tls", {"me": "pässwörd"}, ["LOGIN"]) as room:
        words = failure(room, user="me", password="pässwörd")  # noqa: S106
    assert "offers no login that takes this password (LOGIN)" in words
    assert room.logins == []


@pytest.mark.parametrize("security", ["tls", "starttls"])
@pytest.mark.parametrize("methods", [["PLAIN"], ["LOGIN"]], ids=str)
def test_a_wrong_password_is_said_and_tried_once(trusted, security, methods):
    with Mailroom(trusted.context, security, {"me": "another"}, methods) as room:
        words = failure(room, user="me", password=PASSWORD)
    assert "refused the login of me: 535" in words
    assert "check user and password" in words
    assert len(room.logins) == 1


def test_an_answer_that_repeats_the_password_is_not_shown(trusted):
    proof = b64encode(f"\0me\0{PASSWORD}".encode()).decode()
    for echo in ("{password}", b64encode(PASSWORD.encode()).decode(), proof):
        with Mailroom(trusted.context, "tls", {"me": "x"}, AUTH=f"535 wrong: {echo}") as room:
            words = failure(room, user="me", password=PASSWORD)
        assert "refused the login of me: 535 |" in words


def test_a_login_that_fails_for_now_says_to_try_again(trusted):
    with Mailroom(trusted.context, "tls", {"me": "x"}, AUTH="454 4.7.0 temporary failure") as room:
        assert "try again later" in failure(room, user="me", password=PASSWORD)


def test_a_server_without_logins_gets_no_password(trusted):
    with Mailroom(trusted.context, "tls") as room:
        assert "offers no login; nothing was sent" in failure(room, user="me", password=PASSWORD)


def test_a_server_that_wants_a_login_says_so(trusted):
    with Mailroom(trusted.context, "tls", {"me": PASSWORD}) as room:
        assert "530" in (words := failure(room))
    assert "set a user" in words


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_certificate_of_an_unknown_authority_is_refused(authority, security):
    with Mailroom(authority.context, security, {"me": PASSWORD}) as room:
        words = failure(room, user="me", password=PASSWORD)
    assert "the certificate of 127.0.0.1:" in words
    assert "is not trusted: " in words
    assert "SSL_CERT_FILE" in words
    assert room.logins == []


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_certificate_of_another_host_is_refused(security, monkeypatch, tmp_path):
    other = Authority("mail.example.com")
    other.trusted(tmp_path, monkeypatch)
    with Mailroom(other.context, security) as room:
        assert "is not trusted: ip address mismatch" in failure(room).lower()
    assert room.envelopes == []


def test_starttls_never_falls_back_to_plain_text():
    with Mailroom(users={"me": PASSWORD}) as room:
        words = failure(room, security="starttls", user="me", password=PASSWORD)
    assert "offers no STARTTLS; nothing was sent" in words
    assert room.logins == room.envelopes == []


def test_what_a_stranger_adds_before_tls_is_forgotten(trusted):
    injected = b"250-hi\r\n250 AUTH PLAIN\r\n"
    with Mute(b"220 hi\r\n250-hi\r\n250 STARTTLS\r\n") as room:
        room.then(b"220 go\r\n" + injected, trusted.context, b"250 hi\r\n")
        assert "offers no login" in failure(room, security="starttls", user="me", password=PASSWORD)


def test_tls_on_a_port_without_it_names_the_ports():
    with Mailroom() as room:
        words = failure(room, security="tls")
    assert "no TLS with 127.0.0.1:" in words
    assert "587" in words


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_on_this_machine_a_login_needs_no_tls(host):
    with Mailroom(users={"me": PASSWORD}) as room:
        send(MESSAGE, ME, room.server(host=host, user="me", password=PASSWORD))
    assert room.logins == [("me", PASSWORD, False)]


def test_to_another_machine_a_password_needs_tls():
    server = Mute.server(type("", (), {"port": 25, "security": "none"}), host="192.0.2.1", user="me", password=PASSWORD)
    with pytest.raises(UsageError, match="without TLS"):
        send(MESSAGE, ME, server)


# ---------------------------------------------------------------- refusals and accidents


def test_the_recipients_that_were_refused_are_named_and_the_others_served():
    with Mailroom(**{f"RCPT {YOU}": "550 5.1.1 no such user"}) as room:
        words = failure(room, f"{ME}, {YOU}")
    assert f"refused {YOU} (550 5.1.1 no such user); it took the message for all others | check" in words
    assert room.envelopes[0].rcpt_tos == [ME]


def test_when_all_recipients_are_refused_nobody_was_served():
    with Mailroom(**{f"RCPT {YOU}": "550 no such user", f"RCPT {ME}": "450 busy"}) as room:
        words = failure(room, f"{ME}, {YOU}")
    assert f"refused {ME} (450 busy), {YOU} (550 no such user) |" in words
    assert room.envelopes == []


@pytest.mark.parametrize(
    ("at", "answer", "said"),
    [
        (f"RCPT {ME}", "451 greylisted", f"refused {ME} (451 greylisted) | the server says that this is temporary"),
        ("MAIL", "553 not yours", "refused the sender bot@example.com: 553 not yours | it must be an address"),
        (
            "MAIL",
            "421 too busy",
            "refused the sender bot@example.com: 421 too busy | the server says that this is temp",
        ),
        ("DATA", "451 try later", "did not take the message: 451 try later | the server says that this is temporary"),
        ("DATA", "552 too \x1b[31mlarge", "did not take the message: 552 too \ufffd[31mlarge"),
    ],
)
def test_a_refusal_is_quoted_with_what_helps(at, answer, said):
    with Mailroom(**{at: answer}) as room:
        assert said in failure(room)
    assert room.envelopes == []


def test_a_server_that_hangs_up_before_the_message_has_not_got_it():
    with Mailroom(MAIL="drop") as room:
        words = failure(room)
    assert "closed the connection in the middle |" in words


def test_a_server_that_hangs_up_after_the_message_may_have_taken_it():
    with Mailroom(DATA="drop") as room:
        assert "closed the connection in the middle; it may have taken the message all the same" in failure(room)


@pytest.mark.parametrize("farewell", ["drop", "500 what?"])
def test_what_a_server_says_after_taking_the_message_changes_nothing(farewell):
    with Mailroom(QUIT=farewell) as room:
        send(MESSAGE, ME, room.server())
    assert len(room.envelopes) == 1


@pytest.mark.parametrize("security", ["none", "tls", "starttls"])
@pytest.mark.parametrize(
    ("greeting", "pause"),
    [
        (b"", 0),
        (b"220 " + b"x" * 300, 0.05),
        (b"220 hi\r\n", 0),
        (b"220 hi\r\n250-hi\r\n250 STARTTLS\r\n220 go\r\n", 0),
    ],
    ids=["silent", "slow", "greets", "silent in the handshake"],
)
def test_a_server_that_takes_too_long_is_left_at_the_deadline(security, greeting, pause):
    started = time.monotonic()
    with Mute(greeting, pause=pause) as room:
        words = failure(room, deadline=0.2, security=security)
        took = time.monotonic() - started
    assert "did not answer in time" in words or (security == "tls" and "no TLS" in words)
    assert took < 10


@pytest.mark.parametrize("security", ["none", "tls", "starttls"])
def test_a_server_that_hangs_up_at_once_is_said(security):
    with Mute(b"220 hi\r\n" if security == "starttls" else b"", closes=True) as room:
        words = failure(room, security=security)
    assert "closed the connection" in words or "no TLS" in words or "cannot be reached (connection reset" in words


def test_a_server_of_another_kind_is_said():
    with Mute(b"SSH-2.0-OpenSSH_9.6\r\n") as room:
        assert "does not speak SMTP" in failure(room)


def test_a_server_that_is_closed_for_now_is_quoted():
    with Mute(b"421 4.3.2 shutting down\r\n") as room:
        assert "did not take the message: 421 4.3.2 shutting down | the server says that this is temp" in failure(room)


def test_a_port_where_nobody_listens_is_said():
    with Mute() as room:
        pass
    assert "cannot be reached (connection refused)" in failure(room)


def test_a_host_without_an_address_is_said(monkeypatch):
    def unknown(*_args, **_more):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with Mute() as room:
        monkeypatch.setattr(socket, "getaddrinfo", unknown)
        assert "the name smtp.example.com cannot be resolved" in failure(room, host="smtp.example.com")
        monkeypatch.undo()


def test_a_look_up_that_hangs_is_left_at_the_deadline(monkeypatch):
    released = threading.Event()

    def slow(*_args, **_more):
        released.wait(10)
        raise OSError

    with Mute() as room:
        monkeypatch.setattr(socket, "getaddrinfo", slow)
        assert "did not answer in time" in failure(room, deadline=0.1)
        monkeypatch.undo()
        released.set()


def test_a_connection_that_stands_after_the_deadline_is_not_used(monkeypatch):
    released, connect = threading.Event(), socket.create_connection

    def slow(*args):
        released.wait(10)
        return connect(*args)

    with Mailroom() as room:
        monkeypatch.setattr(socket, "create_connection", slow)
        failure(room, deadline=0.1)
        released.set()
        time.sleep(0.2)
    assert room.envelopes == []


def test_a_password_is_in_no_log_and_no_representation(trusted, caplog):
    caplog.set_level(logging.DEBUG)
    with Mailroom(trusted.context, "tls", {"me": "x"}) as room:
        server = room.server(user="me", password=PASSWORD)
        failure(room, user="me", password=PASSWORD)
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("mail")]
    assert PASSWORD not in "".join([*ours, repr(server), str(server), f"{server}"])
