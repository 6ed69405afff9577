"""One way to ask a provider over HTTPS: time-outs, retries, redirects, sizes and secrets, decided once.

requests sends, since it knows proxies and bundles of certificates; urllib3's `Retry` decides which attempts are
followed by another one and when; the loop around them is ours, because each attempt waits for its turn, and because
a body that breaks off is as worthy of another attempt as a connection that does.
"""

import time
import weakref
import zlib
from collections.abc import Collection, Mapping
from http import HTTPStatus
from http.client import HTTPException
from http.cookiejar import DefaultCookiePolicy
from threading import BoundedSemaphore
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urljoin, urlsplit

import requests
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError, MaxRetryError, ProtocolError
from urllib3.util.retry import Retry

from pairwatch import __version__
from pairwatch.errors import (
    ConnectionRefused,
    GarbledAnswer,
    ProviderDown,
    SourceError,
    TimedOut,
    WrongAnswer,
)
from pairwatch.sources import Request, about
from pairwatch.sources.http_failures import failed, retry_after, throttled, transient
from pairwatch.sources.hushing import hush, hushed, watch
from pairwatch.sources.waiting import within
from pairwatch.text import clean

LARGEST = 64_000_000
# Seconds for a connection, and for the next bytes of an answer; the whole is bounded by the request's deadline.
CONNECTING, READING = 5.0, 10.0
MOST_REDIRECTS = 3
# A provider that asks for a longer rest than this is left alone for now.
LONGEST_REST = 10.0
_CHUNK = 1 << 16
_MOST_MEMBERS = 100
_GZIP = b"\x1f\x8b"
_REDIRECTS = (301, 302, 303, 307, 308)

# So many requests may be on their way to a provider, in this process.
_LANES: dict[tuple[str, int], BoundedSemaphore] = {}


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
        body: decompressed, at most `LARGEST` bytes; of a 4xx without the secrets that it may repeat.
    """

    status: int
    kind: str
    body: bytes

    @property
    def is_page(self) -> bool:
        """Whether it is a web page, whatever it says that it is."""
        return self.body.lstrip()[:1] == b"<"


class _Step(NamedTuple):
    """One thing to ask for, perhaps several times."""

    url: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


class _Reply(NamedTuple):
    """What one attempt brought; a body only where it is of use."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def counts(self) -> bool:
        """Whether a source can make something of it."""
        refusals = (HTTPStatus.PROXY_AUTHENTICATION_REQUIRED, HTTPStatus.TOO_MANY_REQUESTS)
        return self.status // 100 in (2, 4) and self.status not in refusals


class Client:
    """Asks one provider on behalf of one request, all of it within the request's deadline.

    Its connections are used again from one `get` to the next, and closed when the client is forgotten. Waiting for a
    turn does not count against the deadline; waiting for a free lane does.
    """

    def __init__(self, host: Host, request: Request) -> None:
        self._host = host
        self._request = request
        self._who = f"{request.leg}: {host.provider}"
        self._left = request.deadline
        self._lane = _lane(request, host)
        self._session = _Session()
        self._coming: Any = None
        weakref.finalize(self, self._session.close)

    def get(
        self,
        url: str,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        secrets: Collection[str] = (),
    ) -> Answer:
        """Ask for a URL: answers of 2xx and 4xx are given back, but for 407 and 429.

        Args:
            secrets: what may stand in no message and no log, though the URL or a header holds it.

        Raises:
            RateLimited: 429; with what `retry-after` says.
            ProviderDown: 5xx, also after some retries.
            SourceError: no answer, or none that can be trusted.
        """
        hush(secrets)
        self._check(secrets)
        step, patience = _Step(url, query or {}, headers or {}), _Patience()
        for _ in range(MOST_REDIRECTS + 1):
            reply = self._reply(step, patience)
            if reply.counts:
                return _answer(reply, secrets)
            step = self._redirected(step, reply.headers["location"])
        raise WrongAnswer(f"{self._who} redirects more than {MOST_REDIRECTS} times")

    def _check(self, secrets: Collection[str]) -> None:
        """Refuse a key that no header can carry: the library would repeat it in its complaint."""
        if not all(secret.isascii() and secret.isprintable() and secret.strip() == secret for secret in secrets):
            message = f"{self._request.leg}: the key for {self._host.provider} holds characters that no key has"
            raise ConnectionRefused(message, "check that nothing but the key was copied")

    def _reply(self, step: _Step, patience: "_Patience") -> _Reply:
        """What a source, or a redirect, can be made of; after some attempts, if need be."""
        while True:
            outcome = self._attempt(step)
            if isinstance(outcome, SourceError):
                raise outcome
            if isinstance(outcome, _Reply) and (outcome.counts or _is_redirect(outcome)):
                return outcome
            rest = patience.rest(outcome, self._left)
            if rest is None:
                raise self._refusal(outcome) if isinstance(outcome, _Reply) else self._failure(outcome)
            time.sleep(rest)
            self._left -= rest

    def _attempt(self, step: _Step) -> "_Reply | Exception":
        """One request, when it is our turn; what went wrong is given back, so that no error has a URL behind itself.

        Raises:
            TimedOut: the deadline is over.
        """
        self._request.turn()
        begun = time.monotonic()
        late = TimedOut(f"{self._who} did not answer within {self._request.deadline:g} s")
        if self._left <= 0 or not self._lane.acquire(timeout=self._left):
            raise late
        try:
            left = max(self._left - (time.monotonic() - begun), 0.001)
            return within(left, lambda: self._exchange(step, left))
        except TimedOut:
            self._hang_up()
            raise late from None
        finally:
            self._lane.release()
            self._left -= time.monotonic() - begun

    def _exchange(self, step: _Step, left: float) -> "_Reply | Exception":
        """Send a request and read the answer."""
        timeout = (min(CONNECTING, left), min(READING, left))
        try:
            with self._session.get(
                step.url, params=step.query, headers=step.headers, timeout=timeout, stream=True, allow_redirects=False
            ) as response:
                self._coming = response.raw
                reply = _Reply(response.status_code, response.headers)
                return reply._replace(body=self._body(response)) if reply.counts else reply
        except (requests.RequestException, HTTPError, HTTPException, OSError, ValueError, SourceError) as error:
            return error
        finally:
            self._coming = None

    def _body(self, response: requests.Response) -> bytes:
        """The whole body, decompressed.

        Raises:
            GarbledAnswer: too large, or not compressed as it says.
            HTTPError: it breaks off.
        """
        raw, found = response.raw, bytearray()
        length = response.headers.get("content-length", "")
        self._limit(int(length) if length.isascii() and length.isdigit() and len(length) < 20 else 0)
        while chunk := raw.read(_CHUNK, decode_content=False):
            found += chunk
            self._limit(len(found))
        encoding = response.headers.get("content-encoding", "").strip().lower()
        if encoding in ("", "identity") or not found:
            return bytes(found)
        if encoding not in ("gzip", "x-gzip") or found[:2] != _GZIP:
            raise GarbledAnswer(f"{self._who}'s answer is compressed in a way that nobody asked for")
        return self._unzipped(bytes(found))

    def _unzipped(self, packed: bytes) -> bytes:
        """What gzip packed: urllib3 would not notice that it ends in the middle."""
        found = bytearray()
        for _ in range(_MOST_MEMBERS):
            if packed[:2] != _GZIP:
                break
            member = zlib.decompressobj(wbits=31)
            try:
                found += member.decompress(packed, LARGEST + 1 - len(found))
            except zlib.error:
                raise GarbledAnswer(f"{self._who}'s answer is damaged (it cannot be decompressed)") from None
            self._limit(len(found))
            if not member.eof:
                raise ProtocolError("the compressed body ends in the middle")
            packed = member.unused_data
        return bytes(found)

    def _limit(self, size: int) -> None:
        if size > LARGEST:
            raise GarbledAnswer(f"{self._who}'s answer is larger than {LARGEST // 1_000_000} MB, and was not read")

    def _hang_up(self) -> None:
        """Let what was given up end soon: the thread that reads would go on as long as bytes drip in."""
        try:
            self._coming.shutdown()
        except (AttributeError, OSError, RuntimeError, ValueError):  # nothing has come, or all of it
            return

    def _redirected(self, step: _Step, location: str) -> _Step:
        """Where to go next.

        Raises:
            WrongAnswer: to another host, or without TLS.
        """
        target = _split(urljoin(step.url, location)) if _split(location) else None
        host = target.netloc.lower().removesuffix(":443") if target else ""
        if target is None or target.scheme != "https" or host not in self._host.domains:
            shown = clean(hushed(f"{target.scheme}://{target.hostname or ''}")) if target else "nowhere"
            raise WrongAnswer(f"{self._who} points to {shown}, where no data of its are expected")
        same = host == urlsplit(step.url).netloc.lower().removesuffix(":443")
        return _Step(target._replace(fragment="").geturl(), {}, step.headers if same else {})

    def _refusal(self, reply: _Reply) -> SourceError:
        """Our error for a status that holds no answer."""
        if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
            return throttled(self._request.leg, self._host.provider, retry_after(reply.headers))
        if reply.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
            return ConnectionRefused(f"{self._request.leg}: the proxy refuses to connect to {self._host.provider}")
        if reply.status // 100 == 5:
            return ProviderDown(f"{self._who} is out of order (HTTP {reply.status})")
        return GarbledAnswer(f"{self._who} answered with a status that means nothing here (HTTP {reply.status})")

    def _failure(self, error: Exception) -> SourceError:
        return failed(self._request.leg, self._host.provider, error)


class _Session(requests.Session):
    """requests without what it does of its own accord."""

    def __init__(self) -> None:
        super().__init__()
        self.headers = CaseInsensitiveDict(
            {"User-Agent": f"pairwatch/{__version__}", "Accept": "*/*", "Accept-Encoding": "gzip"}
        )
        self.auth = _nobody  # otherwise whoever `.netrc` names
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))

    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002 - the library's own name
        """None: even where redirects are not followed, the library reads their bodies whole to prepare for them."""
        return None


def _nobody(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """No credentials."""
    return request


class _Patience:
    """How long one `get` goes on trying: as urllib3's `Retry` says."""

    def __init__(self) -> None:
        # What is neither a connection nor its reading (certificates, a proxy that refuses) is not tried again.
        self._retry = Retry(
            total=2,
            other=0,
            allowed_methods=("GET",),
            status_forcelist=(500, 502, 503, 504),
            backoff_factor=0.5,
            backoff_jitter=0.5,
        )

    def rest(self, outcome: _Reply | Exception, left: float) -> float | None:
        """Seconds until the next attempt; None if there should be none, or if it would come too late."""
        rest, error = None, None
        if isinstance(outcome, _Reply):
            rest = retry_after(outcome.headers)
            is_long = rest is not None and rest > min(LONGEST_REST, left)
            if is_long or not self._retry.is_retry("GET", outcome.status, rest is not None):
                return None
        else:
            error = transient(outcome)
        try:
            self._retry = self._retry.increment("GET", error=error)
        except MaxRetryError:
            return None
        rest = self._retry.get_backoff_time() if rest is None else rest
        return rest if rest < left else None


def _is_redirect(reply: _Reply) -> bool:
    return reply.status in _REDIRECTS and "location" in reply.headers


def _split(url: str) -> SplitResult | None:
    try:
        return urlsplit(url)
    except ValueError:
        return None


def _answer(reply: _Reply, secrets: Collection[str]) -> Answer:
    kind, body = reply.headers.get("content-type", ""), reply.body
    if reply.status >= HTTPStatus.BAD_REQUEST:  # words, in which a provider may repeat what it was asked
        for secret in filter(None, secrets):
            body = body.replace(secret.encode(), b"***")
    return Answer(reply.status, clean(kind.partition(";")[0].strip().lower()), body)


def _lane(request: Request, host: Host) -> BoundedSemaphore:
    """What holds back requests to a provider while too many are on their way."""
    known = about(host.provider)
    pace = known.keyed if request.key and known.keyed else known.pace
    return _LANES.setdefault((host.provider, pace.abreast), BoundedSemaphore(pace.abreast))


watch()
