"""Which servers make sense, and where a password comes from."""

import sys

import pytest
from tests.sending.mailroom import MESSAGE

from pairwatch.errors import UsageError
from pairwatch.sending import Server, password_of, send
from pairwatch.sending.servers import sender_of

SERVER = Server("smtp.example.com", 465, "tls", "me", "me@example.com", "s3cret")


class Keyring:
    """What stands for the keyring module: holds passwords, or fails."""

    def __init__(self, passwords=None, error=None):
        self.passwords, self.error = passwords or {}, error

    def get_password(self, service, user):
        if self.error:
            raise self.error
        return self.passwords.get((service, user))


@pytest.fixture(autouse=True)
def _no_keyring(monkeypatch):
    monkeypatch.setitem(sys.modules, "keyring", None)


# ---------------------------------------------------------------- servers


def test_a_server_that_makes_sense_gives_its_sender():
    assert sender_of(SERVER._replace(sender="Pairs <bot@bücher.example>")).addr_spec == "bot@xn--bcher-kva.example"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sender": ""}, "the sender is not a mail address"),
        ({"sender": "me@example.com, you@example.com"}, "the sender is not a mail address"),
        ({"sender": "me@example.com\r\nBcc: eve@example.com"}, "the sender is not a mail address"),
        ({"host": ""}, "is not a mail server"),
        ({"host": "smtp..example.com"}, "is not a mail server"),
        ({"host": "smtp.example.com\r\n"}, "is not a mail server"),
        ({"host": "https://smtp.example.com"}, "is not a mail server"),
        ({"port": 0}, "is not a mail server"),
        ({"port": 65536}, "is not a mail server"),
        ({"password": ""}, "there is no password for me at smtp.example.com:465"),
        ({"security": "none"}, "a password is not sent to smtp.example.com:465 without TLS"),
        ({"security": "none", "host": "localhost.example.com"}, "without TLS"),
        ({"security": "none", "host": "10.0.0.1"}, "without TLS"),
    ],
)
def test_a_server_that_makes_no_sense_is_refused_before_anything_is_sent(changes, said):
    with pytest.raises(UsageError) as caught:
        send(MESSAGE, "me@example.com", SERVER._replace(**changes))
    assert said in caught.value.message
    assert caught.value.hint
    assert "s3cret" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.8.8.8", "::1"])
def test_on_this_machine_a_password_may_travel_in_the_clear(host):
    assert sender_of(SERVER._replace(host=host, security="none"))


def test_without_a_user_there_is_nothing_to_protect():
    assert sender_of(SERVER._replace(security="none", user="", password=""))


def test_a_server_shows_itself_without_its_password():
    assert repr(SERVER) == str(SERVER) == f"{SERVER}" == "<Server smtp.example.com:465 tls>"


# ---------------------------------------------------------------- passwords


def password(environ=(), file_password="of the file", mode=0o600):  # noqa: S107
    return password_of("me", "smtp.example.com", file_password, mode, dict(environ))


def test_the_variable_comes_first(monkeypatch):
    monkeypatch.setitem(sys.modules, "keyring", Keyring({("pairwatch", "me@smtp.example.com"): "of the keyring"}))
    assert password({"PAIRWATCH_MAIL_PASSWORD": "of the variable"}) == "of the variable"


def test_the_keyring_comes_before_the_file(monkeypatch):
    monkeypatch.setitem(sys.modules, "keyring", Keyring({("pairwatch", "me@smtp.example.com"): "of the keyring"}))
    assert password({"PAIRWATCH_MAIL_PASSWORD": ""}, mode=0o644) == "of the keyring"


@pytest.mark.parametrize("error", [None, RuntimeError("no desktop"), EOFError(), AttributeError("x")])
def test_a_keyring_that_has_none_leads_to_the_file(monkeypatch, error):
    monkeypatch.setitem(sys.modules, "keyring", Keyring(error=error))
    assert password() == "of the file"


def test_without_a_keyring_the_file_has_it():
    assert password() == "of the file"


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o100600, None])
def test_a_file_of_ones_own_is_believed(mode):
    assert password(mode=mode) == "of the file"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o666, 0o100644, 0o620])
def test_a_file_that_others_can_open_is_not(mode):
    with pytest.raises(UsageError, match=f"mode {mode & 0o777:o}") as caught:
        password(mode=mode)
    assert "chmod 600" in caught.value.hint
    assert "of the file" not in caught.value.message


def test_a_file_without_a_password_may_be_read_by_all():
    assert not password(file_password="", mode=0o644)
