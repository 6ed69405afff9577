"""Messages delivered once: stored first, sent then, and tried again by a later run if that failed.

A run that has something for a recipient sends what is left of the last days before it. What was sent is not sent again;
what another run is sending is left to it. Where a process was killed between the server's yes and its own note of it,
the message goes out once more, with the same Message-ID, by which the receiver can tell.
"""

from collections.abc import Callable
from datetime import date
from hashlib import blake2b
from typing import Final, Literal, NamedTuple

from pairwatch import sending
from pairwatch.errors import DeliveryFailed, UsageError
from pairwatch.sending import Message, Server
from pairwatch.sending.letters import mailboxes
from pairwatch.snapshots.outbox import Letter, Outbox, Stored

# Seconds for which a message that could not be sent is news.
WORTH_SENDING: Final = 7 * 86_400.0
KIND: Final = "digest"

Outcome = Literal["sent", "known", "busy"]


class Content(NamedTuple):
    """What a digest says, and of which days."""

    newest: date
    since: date
    subject: str
    text: str
    html: str


class Delivered(NamedTuple):
    """What has become of a message: `known` was sent before, `busy` is being sent by another run."""

    letter: Letter
    outcome: Outcome


def recipients(to: str) -> tuple[str, ...]:
    """Each of the recipients: mail addresses apart, so that each is served or not on its own; an apprise URL.

    Raises:
        UsageError: one of them is none.
    """
    return (to.strip(),) if "://" in to else tuple(str(box) for box in mailboxes(to))


def name_of(recipient: str) -> str:
    """By which a recipient is known in the store: the bare address; of a URL what may be shown of it, and a hash."""
    if "://" in recipient:
        return f"{sending.shown(recipient)} {_hash(recipient)}"
    return mailboxes(recipient)[0].addr_spec


class Post:
    """The outbox, the mail server, and a clock that gives Unix seconds."""

    def __init__(self, outbox: Outbox, server: Server | None, clock: Callable[[], float]) -> None:
        self._outbox = outbox
        self._server = server
        self._clock = clock

    def last(self, recipient: str) -> tuple[float, date] | None:
        """When the last digest that was delivered to a recipient was written (Unix seconds), and its newest session."""
        last = self._outbox.last_sent(name_of(recipient), KIND)
        return (last.letter.at, date.fromisoformat(last.letter.key.split()[1])) if last else None

    def deliver(self, recipient: str, content: Content | None) -> tuple[Delivered, ...]:
        """Send what was not sent to a recipient, then the new digest, if there is one.

        After a failure the new one alone is tried: a server that is away is not asked for each.

        Raises:
            DeliveryFailed: something was not sent; the next run tries again.
            UsageError: nothing can be sent there, or as it is set.
            StoreError: the store refuses; what was sent may be sent again.
        """
        name = name_of(recipient)
        new = self._outbox.put(_letter(name, content, self._clock())) if content else None
        waiting = self._outbox.unsent(name, self._clock() - WORTH_SENDING)
        older = [stored for stored in waiting if new is None or stored.id != new.id]
        done: list[Delivered] = []
        failure: DeliveryFailed | None = None
        for stored in [*older, *([new] if new else [])]:
            if failure and stored is not new:
                continue
            try:
                done.append(Delivered(stored.letter, self._sent(stored, recipient)))
            except DeliveryFailed as error:
                failure = failure or error
        if failure:
            raise failure
        return tuple(done)

    def _sent(self, stored: Stored, recipient: str) -> Outcome:
        """One attempt, written down before and after."""
        claim = self._outbox.claim(stored.id, self._clock())
        if claim != "claimed":
            return "known" if claim == "sent" else "busy"
        letter = stored.letter
        message = Message(letter.subject, letter.text, letter.html, f"{KIND}.{_hash(letter.key)}", letter.at)
        try:
            sending.send(message, recipient, self._server)
        except (DeliveryFailed, UsageError) as error:
            self._outbox.finish(stored.id, self._clock(), "failed", error.message)
            raise
        self._outbox.finish(stored.id, self._clock(), "sent")
        return "sent"


def _letter(name: str, content: Content, at: float) -> Letter:
    """The same content for the same recipient has the same key, whenever it is made; its second word is a day."""
    texts = content.subject, content.text, content.html
    key = f"{KIND} {content.newest} {content.since} {_hash(name)} {_hash(*texts)}"
    return Letter(key, name, at, *texts)


def _hash(*texts: str) -> str:
    found = blake2b(digest_size=8)
    for text in texts:
        data = text.encode("utf-8", "surrogatepass")
        found.update(b"%d:" % len(data) + data)
    return found.hexdigest()
