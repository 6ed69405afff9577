"""What is sent, again or not: against a true mail server, with a clock of one's own."""

import re
from datetime import date

import pytest
from tests.sending.mailroom import Mailroom

from pairwatch.delivery import WORTH_SENDING, Content, Post, name_of, recipients
from pairwatch.errors import DeliveryFailed, UsageError
from pairwatch.sending import Server
from pairwatch.snapshots import FILE_NAME, Store
from pairwatch.snapshots.outbox import Outbox

ME = "me@example.com"
FRIDAY, THURSDAY = date(2026, 11, 20), date(2026, 11, 19)
CONTENT = Content(FRIDAY, THURSDAY, "pairwatch: é", "text\n", "<p>html</p>")
NOWHERE = Server("127.0.0.1", 9, "none", "", "bot@example.com", "")
START = 1_795_000_000.0


class Desk:
    """An outbox, and a clock that is set by hand."""

    def __init__(self, folder):
        self.now = START
        self.outbox = Outbox(Store(folder / FILE_NAME))

    def deliver(self, server, content=CONTENT, to=ME):
        post = Post(self.outbox, server, lambda: self.now)
        return [(one.letter.subject, one.outcome) for one in post.deliver(to, content)]


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


@pytest.fixture
def room():
    with Mailroom() as opened:
        yield opened


def other(subject):
    return CONTENT._replace(subject=subject)


def test_the_same_digest_is_sent_once_whenever_it_is_made(desk, room):
    assert desk.deliver(room.server()) == [(CONTENT.subject, "sent")]
    desk.now += 30 * 86_400
    assert desk.deliver(room.server()) == [(CONTENT.subject, "known")]
    assert len(room.envelopes) == 1


@pytest.mark.parametrize("field", ["newest", "since", "subject", "text", "html"])
def test_another_digest_is_another_message(desk, room, field):
    desk.deliver(room.server())
    changed = date(2026, 11, 1) if field in ("newest", "since") else "other"
    assert desk.deliver(room.server(), CONTENT._replace(**{field: changed}))[0][1] == "sent"
    assert len({letter["Message-ID"] for letter in room.letters}) == 2


def test_the_same_digest_for_another_recipient_is_another_message(desk, room):
    desk.deliver(room.server())
    assert desk.deliver(room.server(), to="you@example.com") == [(CONTENT.subject, "sent")]
    assert desk.deliver(room.server(), to="Me <me@example.com>") == [(CONTENT.subject, "known")]


def test_what_failed_is_sent_with_the_date_on_which_it_was_written(desk, room):
    with pytest.raises(DeliveryFailed):
        desk.deliver(NOWHERE)
    desk.now += 86_400
    assert desk.deliver(room.server(), None) == [(CONTENT.subject, "sent")]
    assert room.letters[0]["Date"].datetime.timestamp() == START


def test_after_a_week_a_message_is_no_news(desk, room):
    with pytest.raises(DeliveryFailed):
        desk.deliver(NOWHERE)
    desk.now += WORTH_SENDING + 1
    assert desk.deliver(room.server(), other("new")) == [("new", "sent")]
    assert desk.deliver(room.server(), None) == []
    assert desk.deliver(room.server()) == [(CONTENT.subject, "sent")], "unless it is made again"


def test_a_message_that_nobody_takes_does_not_hold_up_the_new_one(desk, room):
    with pytest.raises(DeliveryFailed):
        desk.deliver(NOWHERE, other("a"))
    room.answers["DATA"] = "554 no"
    with pytest.raises(DeliveryFailed):
        desk.deliver(room.server(), other("b"))
    assert [[line.outcome for line in desk.outbox.attempts(n)] for n in (1, 2)] == [
        ["sending", "failed", "sending", "failed"],
        ["sending", "failed"],
    ]
    del room.answers["DATA"]
    assert desk.deliver(room.server(), None) == [("a", "sent"), ("b", "sent")]


def test_why_it_failed_is_kept(desk):
    with pytest.raises(DeliveryFailed) as caught:
        desk.deliver(NOWHERE)
    assert desk.outbox.attempts(1)[-1].detail == caught.value.message


def test_a_token_in_a_url_is_not_stored(desk, tmp_path):
    url = "json://user:S3CRET@127.0.0.1:9/T0KEN"
    with pytest.raises(DeliveryFailed):
        desk.deliver(None, to=url)
    stored = (tmp_path / FILE_NAME).read_bytes()
    assert b"json://127.0.0.1:9 " in stored
    assert b"S3CRET" not in stored
    assert b"T0KEN" not in stored
    assert re.fullmatch(r"json://127\.0\.0\.1:9 [0-9a-f]{16}", name_of(url))
    assert name_of(url) != name_of(url.replace("T0KEN", "OTHER"))


def test_addresses_are_taken_apart_and_a_url_is_not():
    assert recipients("a@example.com, B <b@example.com>, a@example.com") == ("a@example.com", "B <b@example.com>")
    assert recipients(" json://h/a,b ") == ("json://h/a,b",)
    with pytest.raises(UsageError):
        recipients("a@example.com, b")


def test_the_last_digest_is_the_last_that_arrived(desk, room):
    post = Post(desk.outbox, room.server(), lambda: START)
    assert post.last(ME) is None
    with pytest.raises(DeliveryFailed):
        desk.deliver(NOWHERE)
    assert post.last(ME) is None
    desk.deliver(room.server())
    assert post.last(ME) == (START, FRIDAY)
    assert post.last("you@example.com") is None
