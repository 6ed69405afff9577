"""Which recipients are understood, and how they are shown."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sending.mailroom import MESSAGE

from pairwatch.errors import PairwatchError, UsageError
from pairwatch.sending import send, shown
from pairwatch.sending.letters import in_envelope, mailbox, mailboxes


@pytest.mark.parametrize(
    ("to", "addresses"),
    [
        ("me@example.com", ["me@example.com"]),
        ("  me@example.com  ", ["me@example.com"]),
        ("mailto:me@example.com", ["me@example.com"]),
        ("MAILTO:me+pairs@example.com", ["me+pairs@example.com"]),
        ("Me <me@example.com>", ["me@example.com"]),
        ("<me@example.com>", ["me@example.com"]),
        ('"Doe, Jane" <jane@example.com>,you@localhost', ["jane@example.com", "you@localhost"]),
        ("o'brien_x@sub.example.co.uk", ["o'brien_x@sub.example.co.uk"]),
        ("me@bücher.example", ["me@xn--bcher-kva.example"]),
    ],
)
def test_addresses_are_read_as_people_write_them(to, addresses):
    assert [box.addr_spec for box in mailboxes(to)] == addresses


@pytest.mark.parametrize(
    "to",
    [
        "",
        " ",
        "me",
        "me@",
        "@example.com",
        "me@example.com,",
        "me@example..com",
        "me@.com",
        "me@@example.com",
        "me you@example.com",
        "Me <me@example.com",
        "Me <me@example.com> you",
        "Doe, Jane <jane@example.com>",
        "me@example.com\r\nBcc: eve@example.com",
        "Me\r\nBcc: eve <me@example.com>",
        "Me\n <me@example.com>",
        '"Me\u202e" <me@example.com>',
        "me@example.com;you@example.com",
        "mailto:me@example.com?bcc=eve@example.com",
        f"me@{'x' * 64}.com",
        "tgram:/123456:SECRET@example.com",
    ],
)
def test_what_is_no_address_is_refused_and_not_repeated(to):
    with pytest.raises(UsageError) as caught:
        mailboxes(to)
    assert re.fullmatch(r"(the recipient|recipient \d of \d) is not a mail address", caught.value.message)
    assert "SECRET" not in caught.value.hint
    assert shown(to) == "…"


def test_the_recipient_that_is_no_address_is_counted():
    with pytest.raises(UsageError, match="recipient 2 of 3 is not"):
        mailboxes("me@example.com, you, they@example.com")


@given(st.text(st.characters(codec=None), max_size=40), st.text('a@.,<>"\\ \r\n:é', max_size=20))
def test_whatever_is_taken_as_an_address_fits_into_one_header(text, likely):
    for to in (text, likely, f"{likely}@example.com", f"{text} <me@example.com>"):
        try:
            boxes = mailboxes(to)
        except PairwatchError:
            continue
        envelope = in_envelope(MESSAGE._replace(subject=text), boxes, mailbox("bot@example.com"))
        head = envelope.letter.as_bytes().split(b"\r\n\r\n")[0].split(b"\r\n")
        names = [line.split(b":")[0] for line in head if not line[:1].isspace()]
        assert len(names) == len(set(names)) == 8
        assert len(boxes) == len(envelope.recipients)


def test_addresses_are_shown_as_they_are():
    assert shown('mailto:me@example.com, "Doe, Jane" <jane@example.com>') == (
        'me@example.com, "Doe, Jane" <jane@example.com>'
    )


def test_without_a_server_there_is_no_mail():
    with pytest.raises(UsageError, match="no mail server is set"):
        send(MESSAGE, "me@example.com", None)
