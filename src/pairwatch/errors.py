"""Every error that pairwatch raises on purpose, each with its exit code and a hint.

    PairwatchError
    ├── UsageError             2  the request cannot be understood
    │   └── KeyRefused            a key stands in a file that others may open
    ├── SourceError            3  a leg could not be had, and why
    │   ├── UnknownSymbol         the provider does not know it
    │   ├── RateLimited           the provider throttles; says when to come back
    │   ├── ProviderDown          the provider answers that it is out of order
    │   ├── EmptyAnswer           an answer without a single close
    │   ├── GarbledAnswer         not the provider's format, or broken values
    │   ├── CutShort              the connection or the answer broke off in the middle
    │   ├── WrongAnswer           well-formed, but for another symbol
    │   ├── TimedOut              no answer before our own deadline
    │   ├── ConnectionRefused     a host that does not accept the connection
    │   ├── NoNetwork             no host could be reached or resolved
    │   ├── NotCached             --offline, and the cache does not hold the leg
    │   └── UnreadableFile        a file that is missing, ambiguous or malformed
    ├── NotEnoughData          4  too few common returns, or a series no return can be made of
    ├── StaleData              6  older than --fail-stale allows
    ├── StoreError             7  the snapshot store cannot be used, and is left as it is
    ├── DeliveryFailed         9  a message was not delivered, or not to all of its recipients
    ├── OutputFailed           1  standard output cannot be written (in `pairwatch.writing`)
    └── DatabaseTrouble           never leaves the library: the cache is done without, the store says StoreError

Messages are lower case and say what was asked and what was found; the hint says what to type.
"""


class PairwatchError(Exception):
    """Base of all errors raised on purpose.

    Attributes:
        exit_code: what the command line exits with.
        message: one line without a full stop.
        hint: one line that helps, or empty.
    """

    exit_code = 1
    default_hint = ""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint or self.default_hint


class UsageError(PairwatchError):
    """The request itself is wrong."""

    exit_code = 2
    default_hint = "pairwatch compare --help"


class KeyRefused(UsageError):
    """A key that is needed stands in a file that others may open, so it is not used."""


class SourceError(PairwatchError):
    """A leg could not be had from its source."""

    exit_code = 3
    default_hint = "run again later, or use a saved file: pairwatch compare csv:FILE ..."


class UnknownSymbol(SourceError):
    """The provider knows no such symbol, or it was delisted."""

    default_hint = "check the spelling at the provider; `pairwatch sources` shows the form of each source's symbols"


class RateLimited(SourceError):
    """The provider throttles us: nothing is said about the symbol.

    Attributes:
        retry_after: seconds the provider asked for, or None.
    """

    default_hint = "wait; what is cached already is served meanwhile"

    def __init__(self, message: str, hint: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(message, hint)
        self.retry_after = retry_after


class ProviderDown(SourceError):
    """The provider answered that it is out of order (5xx, maintenance)."""


class EmptyAnswer(SourceError):
    """The answer is well-formed and holds no close."""

    default_hint = "check the symbol and the dates"


class GarbledAnswer(SourceError):
    """The answer is not in the provider's format, or holds impossible values."""


class CutShort(SourceError):
    """The connection or the answer broke off in the middle."""


class WrongAnswer(SourceError):
    """The provider answered for another symbol than the one asked for."""


class TimedOut(SourceError):
    """No complete answer before our own deadline."""


class ConnectionRefused(SourceError):
    """The host, or the proxy before it, does not accept the connection."""

    default_hint = "check the proxy and firewall settings"


class NoNetwork(SourceError):
    """No host could be reached or resolved."""

    default_hint = "check the connection, or use a saved file: pairwatch compare csv:FILE ..."


class NotCached(SourceError):
    """The network may not be used, and the cache does not hold the leg."""

    default_hint = "run once without --offline"


class UnreadableFile(SourceError):
    """A file that is missing, ambiguous or malformed."""

    default_hint = "see the README, `Files`, for the shapes that are read"


class NotEnoughData(PairwatchError):
    """Too few common returns in the window, or a series that no return can be made of.

    Attributes:
        window: a longer one that would hold enough, or empty.
    """

    exit_code = 4
    default_hint = "use a longer window: --window 1y"

    def __init__(self, message: str, hint: str = "", *, window: str = "") -> None:
        super().__init__(message, hint or (f"use a longer window: --window {window}" if window else ""))
        self.window = window


class StaleData(PairwatchError):
    """The newest data are older than the caller allows."""

    exit_code = 6
    default_hint = "run without --fail-stale to see the stale numbers"


class StoreError(PairwatchError):
    """The snapshot store is damaged, full, locked for too long or of a later version; nothing in it was changed."""

    exit_code = 7
    default_hint = "nothing was changed; `pairwatch snapshot doctor` looks closer"


class DeliveryFailed(PairwatchError):
    """A message was not delivered, or not to all of its recipients."""

    exit_code = 9
    default_hint = "send it again later: the same message has the same Message-ID"


class DatabaseTrouble(PairwatchError):
    """A database file that cannot be used; caught by the library."""
