"""Addresses as people write them, and a message as mail servers take it."""

import re
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import NamedTuple

from pairwatch.errors import UsageError
from pairwatch.text import clean, is_clean

LONGEST_SUBJECT = 200

# No server needs 8BITMIME for it: whatever is not ASCII travels encoded.
_POLICY = SMTP.clone(cte_type="7bit")
# Quoted and commented local parts, which nobody has, are refused.
_PLAIN = r"[^\s@<>\"(),:;\\\[\]/?]+@[\w-]+(?:\.[\w-]+)*"
_MAILBOX = re.compile(rf"\s*(?:(?:\"([^\"\\]*)\"|([^\"<>,@:;\\()]*))\s*<({_PLAIN})>|({_PLAIN}))\s*")
_COMMA_OUTSIDE_QUOTES = re.compile(r",(?=(?:[^\"]*\"[^\"]*\")*[^\"]*\Z)")


class Message(NamedTuple):
    """What is sent: plain text, and the same as HTML for those who show that (or empty).

    Attributes:
        id: the message's own part of its Message-ID; the same message sent again has the same one.
        at: Unix seconds for its Date.
    """

    subject: str
    text: str
    html: str
    id: str
    at: float


class Envelope(NamedTuple):
    """A letter, and what servers go by: the plain addresses."""

    letter: EmailMessage
    sender: str
    recipients: list[str]


def mailboxes(to: str) -> list[Address]:
    """The addresses in `to`, each once; `mailto:` before them is one word too many.

    Raises:
        UsageError: one of them is none; what it is stays unsaid, as it may be a mistyped URL with a token.
    """
    found: dict[str, Address] = {}
    pieces = _COMMA_OUTSIDE_QUOTES.split(re.sub(r"(?i)\A\s*mailto:", "", to))
    for number, piece in enumerate(pieces, 1):
        box = mailbox(piece)
        if box is None:
            which = "the recipient" if len(pieces) == 1 else f"recipient {number} of {len(pieces)}"
            hint = "me@example.com, several with commas; or a URL that apprise knows: ntfys://example.com/topic"
            raise UsageError(f"{which} is not a mail address", hint)
        found.setdefault(box.addr_spec, box)
    return list(found.values())


def mailbox(text: str) -> Address | None:
    """The address in `me@example.com` or `Name <me@example.com>`, its domain in ASCII; None if there is none."""
    parts = _MAILBOX.fullmatch(text)
    if not parts or not is_clean(text):
        return None
    local, _, domain = (parts[3] or parts[4]).partition("@")
    try:
        return Address((parts[1] or parts[2] or "").strip(), local, domain.encode("idna").decode())
    except ValueError:  # a label too long
        return None


def in_envelope(message: Message, recipients: list[Address], sender: Address) -> Envelope:
    """The message as a letter from `sender` to all of `recipients`."""
    letter = EmailMessage(_POLICY)
    letter["From"] = sender
    letter["To"] = recipients
    letter["Subject"] = clean(message.subject, LONGEST_SUBJECT)
    letter["Date"] = datetime.fromtimestamp(message.at, UTC)
    letter["Message-ID"] = f"<{re.sub('[^A-Za-z0-9._-]', '-', message.id)}@{sender.domain}>"
    letter["Auto-Submitted"] = "auto-generated"  # nobody's holiday reply, please
    letter.set_content(message.text)
    if message.html:
        letter.add_alternative(message.html, subtype="html")
    return Envelope(letter, sender.addr_spec, [box.addr_spec for box in recipients])
