"""Messages are stored once, claimed by one, and kept."""

import sqlite3
from contextlib import closing
from threading import Barrier, Thread

import pytest

from pairwatch.errors import StoreError
from pairwatch.snapshots import FILE_NAME, Store
from pairwatch.snapshots.outbox import CLAIM, Attempt, Letter, Outbox

ME = "me@example.com"
LETTER = Letter("digest 2026-11-20 a", ME, 1000.0, "pairwatch: é", "text\n", "<p>html</p>")


@pytest.fixture
def outbox(tmp_path):
    return Outbox(Store(tmp_path / FILE_NAME))


def test_a_message_is_stored_once_for_each_key(outbox):
    first = outbox.put(LETTER)
    assert first.letter == LETTER
    assert outbox.put(LETTER._replace(at=2000.0)) == first
    assert outbox.put(LETTER._replace(key="digest 2026-11-20 b")).id != first.id


def test_what_was_not_sent_comes_oldest_first(outbox):
    old, new, other = (
        outbox.put(LETTER._replace(key=key, at=at, recipient=who))
        for key, at, who in (("a", 10.0, ME), ("b", 20.0, ME), ("c", 20.0, "you@example.com"))
    )
    assert outbox.unsent(ME, 0.0) == [old, new]
    assert outbox.unsent(ME, 20.0) == [new]
    assert outbox.unsent("you@example.com", 0.0) == [other]


def test_what_was_sent_is_never_claimed_again(outbox):
    one = outbox.put(LETTER)
    assert outbox.claim(one.id, 1000.0) == "claimed"
    outbox.finish(one.id, 1001.0, "sent")
    assert outbox.claim(one.id, 1e9) == "sent"
    assert outbox.unsent(ME, 0.0) == []
    assert outbox.attempts(one.id) == [Attempt(1000.0, "sending", ""), Attempt(1001.0, "sent", "")]


def test_what_failed_may_be_claimed_at_once(outbox):
    one = outbox.put(LETTER)
    outbox.claim(one.id, 1000.0)
    outbox.finish(one.id, 1001.0, "failed", "no route")
    assert outbox.unsent(ME, 0.0) == [one]
    assert outbox.claim(one.id, 1001.0) == "claimed"
    assert outbox.attempts(one.id)[1] == Attempt(1001.0, "failed", "no route")


def test_a_claim_blocks_others_until_it_is_too_old_to_be_alive(outbox):
    one = outbox.put(LETTER)
    assert outbox.claim(one.id, 1000.0) == "claimed"
    assert outbox.claim(one.id, 1000.0 + CLAIM - 1) == "busy"
    assert outbox.claim(one.id, 1000.0 - CLAIM + 1) == "busy"
    assert outbox.claim(one.id, 1000.0 + CLAIM) == "claimed"
    assert outbox.claim(one.id, 1000.0 + CLAIM + 1) == "busy"


def test_a_claim_from_a_far_future_blocks_nobody(outbox):
    one = outbox.put(LETTER)
    outbox.claim(one.id, 1e10)
    assert outbox.claim(one.id, 1000.0) == "claimed"


def test_of_many_at_once_one_claims(outbox):
    one = outbox.put(LETTER)
    start, found = Barrier(12), []

    def claim():
        start.wait()
        found.append(outbox.claim(one.id, 1000.0))

    threads = [Thread(target=claim) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == ["busy"] * 11 + ["claimed"]


def test_the_last_that_was_sent_is_of_its_kind(outbox):
    assert outbox.last_sent(ME, "digest") is None
    for key in ("digest 1", "digest 2", "alert 1", "digests 1", "digest 3"):
        one = outbox.put(LETTER._replace(key=key))
        if key != "digest 3":
            outbox.claim(one.id, 1000.0)
            outbox.finish(one.id, 1000.0, "sent")
    assert outbox.last_sent(ME, "digest").letter.key == "digest 2"
    assert outbox.last_sent("you@example.com", "digest") is None


def test_reading_makes_no_file(outbox, tmp_path):
    assert outbox.unsent(ME, 0.0) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("change", ["DELETE FROM attempts", "UPDATE messages SET text=''", "DELETE FROM messages"])
def test_nothing_is_changed_or_taken_away(outbox, tmp_path, change):
    outbox.claim(outbox.put(LETTER).id, 1000.0)
    with (
        closing(sqlite3.connect(tmp_path / FILE_NAME)) as db,
        pytest.raises(sqlite3.IntegrityError, match="append-only"),
    ):
        db.execute(change)


def test_a_store_that_is_none_is_refused(tmp_path):
    (tmp_path / FILE_NAME).write_bytes(b"not a database" * 100)
    outbox = Outbox(Store(tmp_path / FILE_NAME))
    for use in (lambda: outbox.put(LETTER), lambda: outbox.unsent(ME, 0.0), lambda: outbox.claim(1, 0.0)):
        with pytest.raises(StoreError):
            use()
