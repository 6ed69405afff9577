"""What every test may rely on: no network, no folder of the user's, no setting of the user's."""

import os
import socket
import sys
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# A machine may be busy: how long an example takes says nothing of whether it is right.
settings.register_profile("unhurried", settings.default, deadline=None)
settings.load_profile("unhurried")

# The discard port, where nobody listens: libcurl opens its sockets outside Python, but asks this proxy first.
NOWHERE = "http://127.0.0.1:9"
FORGOTTEN = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "LINES", "NO_PROXY", "no_proxy")
CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
PROXIES = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
HOMES = ("CACHE", "CONFIG", "DATA", "STATE")


@pytest.fixture(autouse=True)
def _no_network(monkeypatch):
    """No socket leads out of this machine, and no name is resolved."""
    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, _only_loopback(getattr(socket.socket, name)))
    resolve = socket.getaddrinfo

    def resolve_only_loopback(host: Any, *args: Any, **more: Any) -> Any:
        _check(host)
        return resolve(host, *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve_only_loopback)
    for name in PROXIES:
        monkeypatch.setenv(name, NOWHERE)


@pytest.fixture(autouse=True)
def _own_home(monkeypatch, tmp_path_factory):
    """An empty home, and none of the settings of whoever runs the tests; subprocesses inherit both."""
    home = tmp_path_factory.mktemp("home")
    for name in [*FORGOTTEN, *CERTIFICATES, *(key for key in os.environ if key.startswith("PAIRWATCH_"))]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    for name in HOMES:
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.fixture
def home(_own_home):
    """The empty home folder."""

    return Path(os.environ["HOME"])


@pytest.fixture(scope="session")
def _wire(tmp_path_factory):
    from tests.wire import Wire  # most tests need no wire, and no certificate

    with Wire(tmp_path_factory.mktemp("wire")) as wire:
        yield wire


@pytest.fixture
def wire(_wire, monkeypatch):
    """A provider on loopback that this process and its subprocesses reach: see `tests.wire`."""
    # One session, with its cookies and certificates, outlives a test that has put another into it.
    if loaded := sys.modules.get("yfinance.data"):
        loaded.SingletonMeta._instances.clear()
    if loaded := sys.modules.get("pairwatch.sources.yahoo.asking"):
        loaded.session.cache_clear()
    _wire.reset()
    for name, value in _wire.environ.items():
        monkeypatch.setenv(name, value)
    yield _wire
    _wire.reset()


def _only_loopback(method: Any) -> Any:
    def checked(self: Any, *args: Any) -> Any:
        address = args[-1]
        if isinstance(address, tuple):
            _check(address[0])
        return method(self, *args)

    return checked


def _check(host: Any) -> None:
    name = host.decode() if isinstance(host, bytes) else host
    if name in (None, "", "localhost"):
        return
    try:
        allowed = ip_address(name).is_loopback
    except ValueError:
        allowed = False
    if not allowed:
        pytest.fail(f"a test tried to reach {name!r}", pytrace=True)
