"""What went wrong between a provider and us, in words."""

import errno
import ssl
from collections.abc import Iterator, Mapping
from http.client import HTTPException, RemoteDisconnected
from pathlib import Path

import requests
from urllib3.exceptions import (
    ConnectTimeoutError,
    InvalidHeader,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ProxyError,
    ProxySchemeUnknown,
    ReadTimeoutError,
    SSLError,
)
from urllib3.util.retry import Retry

from pairwatch.errors import ConnectionRefused, CutShort, GarbledAnswer, NoNetwork, RateLimited, SourceError, TimedOut
from pairwatch.model import Leg
from pairwatch.text import age, clean

_UNREACHABLE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN, errno.EADDRNOTAVAIL)
_DEEPEST = 10


def origins(error: BaseException) -> list[BaseException]:
    """The error, and what lies behind it: the libraries wrap each other's."""
    found = [error]
    for known in found:
        found.extend(other for other in _behind(known) if other not in found)
        if len(found) > _DEEPEST:
            break
    return found


def _behind(error: BaseException) -> Iterator[BaseException]:
    wrapped = (getattr(error, "reason", None), getattr(error, "original_error", None), *error.args, error.__cause__)
    return (other for other in wrapped if isinstance(other, BaseException))


def transient(error: Exception) -> Exception:
    """The error by which urllib3's `Retry` can tell whether the request is worth another attempt.

    Behind a proxy urllib3 takes every connection that breaks off for the proxy's refusal.
    """
    behind = origins(error)
    if any(isinstance(known, ConnectionError) for known in behind) and not any(
        isinstance(known, NewConnectionError) for known in behind
    ):
        return ProtocolError()
    kinds = (ConnectTimeoutError, ReadTimeoutError, ProtocolError)
    return next((known for known in behind if isinstance(known, kinds)), error)


def failed(leg: Leg, provider: str, error: Exception) -> SourceError:  # noqa: C901, PLR0911 - one line a failure
    """Our error for one of requests', urllib3's or the system's: none of their words, which may hold the URL."""
    behind = origins(error)

    def has(*kinds: type[BaseException]) -> bool:
        return any(isinstance(known, kinds) for known in behind)

    if has(NameResolutionError) or any(getattr(known, "errno", None) in _UNREACHABLE for known in behind):
        return NoNetwork(f"{leg}: no network (the host name could not be resolved or reached)")
    if has(requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, ProxySchemeUnknown):
        return ConnectionRefused(f"{leg}: the proxy settings cannot be used to reach {provider}")
    if has(SSLError, ssl.SSLError, requests.exceptions.SSLError) and not has(ssl.SSLEOFError):
        return _untrusted(leg, provider)
    if has(NewConnectionError, ConnectionRefusedError):
        return ConnectionRefused(f"{leg}: the connection to {provider}, or to the proxy before it, was refused")
    if has(ConnectTimeoutError, ReadTimeoutError, TimeoutError):
        return TimedOut(f"{leg}: {provider} did not answer in time")
    if has(ProxyError) and not has(ConnectionError):
        return ConnectionRefused(f"{leg}: the proxy refuses to connect to {provider}")
    if has(HTTPException) and not has(RemoteDisconnected) and not _is_short(behind):
        return GarbledAnswer(f"{leg}: {provider}'s answer is no HTTP")
    if has(ProtocolError, ConnectionError, RemoteDisconnected, ssl.SSLEOFError):
        return CutShort(f"{leg}: the connection broke off in the middle of {provider}'s answer")
    if type(error) is OSError:  # what requests raises for REQUESTS_CA_BUNDLE
        return without_bundle(leg) or _untrusted(leg, provider)
    return GarbledAnswer(f"{leg}: the request to {provider} failed ({clean(type(error).__name__)})")


def _is_short(behind: list[BaseException]) -> bool:
    """Whether one of these says that less came than was announced."""
    return any(hasattr(known, "partial") for known in behind)


def without_bundle(leg: Leg) -> SourceError | None:
    """Our error where the certificate file that the environment names is not there.

    The libraries call that anything: some look for it only once they have found the host.
    """
    with requests.Session() as session:
        named = session.merge_environment_settings("https://localhost", {}, None, None, None)["verify"]
    if not isinstance(named, str) or Path(named).exists():
        return None
    return ConnectionRefused(
        f"{leg}: there is no certificate file {clean(named, 200)}, which the environment names",
        "set REQUESTS_CA_BUNDLE, or CURL_CA_BUNDLE, to a file that is there, or unset it",
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The rest that a provider asks for, in seconds, up to six hours; None if it says nothing, or nonsense."""
    said = headers.get("retry-after")
    if said is None or len(said) > 40:
        return None
    try:
        return float(Retry().parse_retry_after(said))
    except (InvalidHeader, ValueError, OverflowError, TypeError, LookupError, OSError):
        return None


def throttled(leg: Leg, provider: str, rest: float | None) -> RateLimited:
    """Our error for a 429, with the rest that was asked for."""
    wish = f" and asks for {age(rest)} of rest" if rest else ""
    return RateLimited(
        f"{leg}: {provider} throttles this machine (HTTP 429){wish}; nothing is wrong with the symbol", retry_after=rest
    )


def _untrusted(leg: Leg, provider: str) -> SourceError:
    return ConnectionRefused(
        f"{leg}: the certificate of {provider}, or of the proxy before it, was not accepted",
        "behind a company proxy set REQUESTS_CA_BUNDLE to its certificate file",
    )
