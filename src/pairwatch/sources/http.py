"""One way to ask a provider over HTTPS: time-outs, retries, redirects, sizes and secrets, decided once."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from pairwatch.sources import Request


class Host(NamedTuple):
    """A provider as the client knows it.

    Attributes:
        provider: how messages call it: the source's name.
        domains: where its answers may come from; a redirect elsewhere is refused.
    """

    provider: str
    domains: tuple[str, ...]


class Answer(NamedTuple):
    """What came back.

    Attributes:
        kind: the content type without its parameters, in small letters.
        body: decompressed, at most `LARGEST` bytes.
    """

    status: int
    kind: str
    body: bytes

    @property
    def is_page(self) -> bool:
        """Whether it is a web page, whatever it says that it is."""
        return self.body.lstrip()[:1] == b"<"


class Client:
    """Asks one provider on behalf of one request, all of it within the request's deadline."""

    def __init__(self, host: Host, request: Request) -> None:
        self._host = host
        self._request = request

    def get(
        self,
        url: str,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        secrets: Collection[str] = (),
    ) -> Answer:
        """Ask for a URL: answers of 2xx and 4xx are given back, but for 429.

        Args:
            secrets: what may stand in no message and no log, though the URL or a header holds it.

        Raises:
            RateLimited: 429; with what `retry-after` says.
            ProviderDown: 5xx, also after some retries.
            SourceError: no answer, or none that can be trusted.
        """
        raise NotImplementedError
