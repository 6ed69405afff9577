"""The client of the providers, over a wire on loopback: what it asks, trusts and tells, and when it gives up."""

import gzip
import logging
import os
import socket
import ssl
import threading
import traceback
import weakref
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.client import BadStatusLine, IncompleteRead, RemoteDisconnected
from time import perf_counter, sleep
from urllib.parse import quote, quote_plus

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from tests.wire import ANSWERS, FAULTS, HTML, SLOW, instant
from urllib3.exceptions import InvalidChunkLength, ProtocolError, ProxyError

from pairwatch import __version__
from pairwatch.errors import (
    ConnectionRefused,
    CutShort,
    GarbledAnswer,
    NoNetwork,
    ProviderDown,
    RateLimited,
    SourceError,
    TimedOut,
    WrongAnswer,
)
from pairwatch.model import Leg
from pairwatch.sources import Key, Request, http, hushing
from pairwatch.sources.http import LARGEST, Answer, Client, Host, _Reply
from pairwatch.sources.http_failures import failed, retry_after
from pairwatch.sources.hushing import HUSHED, hush, hushed
from pairwatch.text import is_clean

NOW = instant("2026-11-22 12:00")
LEG = Leg("fred", "DGS10")
SITE, API = "fred.stlouisfed.org", "api.stlouisfed.org"
FRED = Host("fred", (SITE, API))
URL = f"https://{SITE}/data"
CANARY = "c4n/ry+0123 ="


@pytest.fixture(autouse=True)
def _no_thread_stays(_wire):
    """A request that was left hanging ends before the next test begins."""
    yield
    _wire.release()
    for thread in threading.enumerate():
        if thread.name == "pairwatch-fetch":
            thread.join(10)


@pytest.fixture
def rests(monkeypatch):
    """How long was rested between attempts, without resting."""
    found = []
    monkeypatch.setattr(http.time, "sleep", found.append)
    return found


def client(host=FRED, **more):
    return Client(host, Request(LEG, NOW, **{"deadline": 5.0, **more}))


def refused(url=URL, *, host=FRED, deadline=5.0, **more):
    """How a request fails, once the error has been found in order."""
    with pytest.raises(SourceError) as caught:
        client(host, deadline=deadline).get(url, **more)
    error = caught.value
    assert error.message.startswith("fred:DGS10: ")
    assert is_clean(error.message)
    assert error.hint
    return error


# ---------------------------------------------------------------- asking


def test_an_answer_is_given_as_it_came(wire):
    wire.serves(SITE, "/data", b"a,b\n1,2\n", kind="Text/CSV; charset=utf-8")
    assert client().get(URL) == Answer(200, "text/csv", b"a,b\n1,2\n")


def test_what_is_asked_is_asked_and_no_more(wire):
    wire.serves(SITE, "/data", "x")
    client().get(URL, {"id": "DGS10", "from": "2026-01-01 & more"}, {"X-Key": "k"})
    [asked] = wire.requests
    assert asked.query == {"id": "DGS10", "from": "2026-01-01 & more"}
    assert {"x-key": "k", "user-agent": f"pairwatch/{__version__}"}.items() <= asked.headers.items()
    assert set(asked.headers) == {"host", "user-agent", "accept", "accept-encoding", "x-key"}


@pytest.mark.parametrize("status", [200, 204, 400, 401, 403, 404, 410, 413, 422])
def test_answers_and_refusals_are_the_sources_to_read(wire, status):
    wire.serves(SITE, "/data", "why", status=status)
    answer = client().get(URL)
    assert answer.status == status
    assert answer.body == (b"" if status == 204 else b"why")


@pytest.mark.parametrize("body", ["<!DOCTYPE html>", " \n<?xml", "<a"])
def test_a_page_is_known_whatever_it_says_that_it_is(wire, body):
    wire.serves(SITE, "/data", body, kind="text/csv")
    assert client().get(URL).is_page
    assert not Answer(200, "text/html", b"a,b").is_page


def test_cookies_are_not_kept(wire):
    wire.serves(SITE, "/data", "x", **{"Set-Cookie": "who=you; Path=/; Secure"})
    asking = client()
    asking.get(URL)
    asking.get(URL)
    assert all("cookie" not in asked.headers for asked in wire.requests)


def test_no_password_of_the_users_is_sent(wire, tmp_path, monkeypatch):
    file = tmp_path / "netrc"
    file.write_text(f"machine {SITE} login me password {CANARY}\n")
    file.chmod(0o600)
    monkeypatch.setenv("NETRC", str(file))
    wire.serves(SITE, "/data", "x")
    client().get(URL)
    assert "authorization" not in wire.requests[0].headers


def test_one_connection_serves_one_client_and_is_closed_with_it(wire, caplog):
    caplog.set_level(logging.DEBUG)
    wire.serves(SITE, "/data", "x")
    asking = client()
    for _ in range(3):
        asking.get(URL)
    assert caplog.text.count("Starting new HTTPS connection") == 1
    [manager] = asking._session.get_adapter(URL).proxy_manager.values()
    [pool] = manager.pools._container.values()
    connection, left = pool.pool.get_nowait(), weakref.ref(pool)
    pool.pool.put_nowait(connection)
    assert connection.sock is not None
    del asking, manager, pool
    assert left() is None
    assert connection.sock is None


# ---------------------------------------------------------------- politeness


def test_each_attempt_and_each_redirect_waits_for_its_turn(wire, rests):
    pages = iter([(503, "text/plain", b"", {}), (302, "text/plain", b"", {"Location": "/there"})])
    wire.serves(SITE, "/data", lambda _: next(pages))
    wire.serves(SITE, "/there", "x")
    turns = []
    assert client(turn=lambda: turns.append(len(wire.requests))).get(URL).body == b"x"
    assert turns == [0, 1, 2]


def test_waiting_for_a_turn_does_not_count_against_the_deadline(wire):
    wire.serves(SITE, "/data", "x")
    assert client(turn=lambda: sleep(0.4), deadline=0.3).get(URL).body == b"x"


def test_a_turn_that_does_not_come_ends_the_matter(wire):
    def too_long():
        raise TimedOut("fred:DGS10: too long a queue")

    with pytest.raises(TimedOut, match="queue"):
        client(turn=too_long).get(URL)
    assert wire.requests == []


@pytest.mark.parametrize(
    ("provider", "key", "most"),
    [("coingecko", None, 1), ("fred", None, 2), ("fred", Key("FRED_API_KEY", "k"), 4), ("cboe", None, 4)],
)
def test_no_more_than_allowed_are_on_their_way_at_once(wire, provider, key, most):
    counts, lock = [0], threading.Lock()

    def page(_):
        with lock:
            counts.append(counts[-1] + 1)
        sleep(0.05)
        with lock:
            counts.append(counts[-1] - 1)
        return 200, "text/plain", b"x", {}

    wire.serves(SITE, "/data", page)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: client(Host(provider, (SITE,)), key=key).get(URL), range(12)))
    assert {answer.body for answer in answers} == {b"x"}
    assert max(counts) == most


def test_waiting_for_a_free_lane_ends_at_the_deadline(wire):
    wire.serves(SITE, "/data", "x")
    lone = Host("coingecko", (SITE,))
    waiting = client(lone, deadline=0.3)
    with waiting._lane, pytest.raises(TimedOut, match=r"did not answer within 0\.3 s"):
        waiting.get(URL)
    assert wire.requests == []
    assert client(lone).get(URL).body == b"x"


def test_a_request_that_was_given_up_leaves_its_lane(wire):
    lone = Host("coingecko", (SITE,))
    wire.breaks("hang", times=1)
    with pytest.raises(TimedOut):
        client(lone, deadline=0.2).get(URL)
    wire.serves(SITE, "/data", "x")
    assert client(lone, deadline=1.0).get(URL).body == b"x"


# ---------------------------------------------------------------- time


@pytest.mark.parametrize("fault", ["hang", SLOW])
def test_the_deadline_holds(wire, fault):
    wire.serves(SITE, "/data", "x" * 1000)
    wire.breaks(fault)
    began = perf_counter()
    error = refused(deadline=0.5)
    assert type(error) is TimedOut
    assert "did not answer within 0.5 s" in error.message
    assert 0.45 < perf_counter() - began < 1.0


def test_what_drips_is_hung_up_on(wire):
    wire.serves(SITE, "/data", "x" * 1000)
    wire.breaks(SLOW)
    refused(deadline=0.3)
    [reading] = [thread for thread in threading.enumerate() if thread.name == "pairwatch-fetch"]
    reading.join(2)
    assert not reading.is_alive()


def test_the_deadline_is_one_for_all_requests_of_a_client(wire):
    def slow(_):
        sleep(0.2)
        return 200, "text/plain", b"x", {}

    wire.serves(SITE, "/data", slow)
    asking = client(deadline=0.5)
    asking.get(URL)
    asking.get(URL)
    with pytest.raises(TimedOut):
        asking.get(URL)


def test_a_slow_look_up_of_a_name_is_given_up(monkeypatch):
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: sleep(1.0) or [])
    began = perf_counter()
    assert type(refused(deadline=0.3)) is TimedOut
    assert perf_counter() - began < 0.8


# ---------------------------------------------------------------- trying again


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("times", [1, 2])
def test_a_provider_that_stumbles_is_asked_again(wire, rests, status, times):
    pages = iter([(status, "text/plain", b"", {})] * times)
    wire.serves(SITE, "/data", lambda _: next(pages, (200, "text/plain", b"x", {})))
    assert client().get(URL).body == b"x"
    assert len(rests) == times


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_provider_that_lies_down_is_left_after_three_attempts(wire, rests, status):
    wire.serves(SITE, "/data", "x", status=status)
    error = refused()
    assert type(error) is ProviderDown
    assert f"fred is out of order (HTTP {status})" in error.message
    assert len(wire.requests) == 3
    assert rests[0] == 0
    assert 1.0 <= rests[1] <= 1.5


@pytest.mark.parametrize("status", [501, 505, 507, 599])
def test_what_will_not_change_is_not_asked_for_again(wire, rests, status):
    wire.serves(SITE, "/data", "x", status=status)
    assert type(refused()) is ProviderDown
    assert (len(wire.requests), rests) == (1, [])


@pytest.mark.parametrize("fault", ["reset", "closed", "truncated"])
def test_a_broken_connection_is_tried_again(wire, rests, fault):
    wire.serves(SITE, "/data", "x" * 100)
    wire.breaks(fault, times=2)
    assert client().get(URL).body == b"x" * 100
    assert len(rests) == 2


@pytest.mark.parametrize("fault", ["reset", "closed", "truncated"])
def test_a_connection_that_stays_broken_is_cut_short_and_never_short_data(wire, rests, fault):
    wire.serves(SITE, "/data", "x" * 100)
    wire.breaks(fault)
    assert type(refused()) is CutShort
    assert len(wire.requests) == 3


def test_a_short_rest_that_is_asked_for_is_taken(wire, rests):
    pages = iter([(429, "text/plain", b"", {"Retry-After": "2"}), (503, "text/plain", b"", {"Retry-After": "3"})])
    wire.serves(SITE, "/data", lambda _: next(pages, (200, "text/plain", b"x", {})))
    assert client(deadline=20).get(URL).body == b"x"
    assert rests == [2, 3]


@pytest.mark.parametrize(
    ("deadline", "said", "rest"),
    [
        (20, None, None),
        (20, "120", 120),
        (20, "11", 11),
        (2, "3", 3),  # longer than what is left of the deadline
        (20, "soon", None),
    ],
)
def test_a_long_rest_is_not_taken_but_told(wire, rests, deadline, said, rest):
    wire.serves(SITE, "/data", "x", status=429, **({"Retry-After": said} if said else {}))
    error = refused(deadline=deadline)
    assert type(error) is RateLimited
    assert error.retry_after == rest
    assert "throttles this machine (HTTP 429)" in error.message
    assert "nothing is wrong with the symbol" in error.message
    assert (len(wire.requests), rests) == (1, [])


def test_a_provider_that_asks_for_rest_again_and_again_is_left(wire, rests):
    wire.serves(SITE, "/data", "x", status=429, **{"Retry-After": "1"})
    assert refused(deadline=20).retry_after == 1
    assert len(wire.requests) == 3


def test_a_provider_that_is_out_of_order_for_long_is_not_waited_for(wire, rests):
    wire.serves(SITE, "/data", "x", status=503, **{"Retry-After": "3600"})
    assert type(refused()) is ProviderDown
    assert (len(wire.requests), rests) == (1, [])


def reply(said):
    return _Reply(429, {"retry-after": said})


@pytest.mark.parametrize(
    ("said", "seconds"), [("7", 7), (" 7 ", 7), ("0", 0), ("007", 7), ("99999999999999", 21_600), ("21601", 21_600)]
)
def test_a_rest_is_read_and_bounded(said, seconds):
    assert retry_after(reply(said).headers) == seconds


@pytest.mark.parametrize("said", ["", "-5", "NaN", "inf", "1e3", "0x10", "soon", "Wed, 99 Foo 2026", "9" * 5000, "٣"])
def test_a_rest_that_is_none_is_not_read(said):
    assert retry_after(reply(said).headers) is None


def test_a_rest_may_be_a_date():
    def at(**ahead):
        return retry_after(reply(format_datetime(datetime.now(UTC) + timedelta(**ahead), usegmt=True)).headers)

    assert 85 < at(seconds=90) <= 90
    assert at(days=-3) == 0
    assert at(days=400) == 21_600


@given(st.text(max_size=60))
def test_any_wish_for_rest_is_finite_or_none(said):
    rest = retry_after(reply(said).headers)
    assert rest is None or 0 <= rest <= 21_600


# ---------------------------------------------------------------- where to


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "to", ["/there?a=b", f"https://{SITE}/there?a=b#part", f"https://{SITE.upper()}:443/there?a=b"]
)
def test_a_redirect_within_the_provider_is_followed(wire, status, to):
    wire.serves(SITE, "/data", "x", status=status, Location=to)
    wire.serves(SITE, "/there", "y")
    assert client().get(URL, {"secret": "s"}, {"X-Key": "k"}).body == b"y"
    assert wire.requests[1].query == {"a": "b"}
    assert wire.requests[1].headers["x-key"] == "k"


def test_a_key_does_not_follow_to_another_host_even_of_the_provider(wire):
    wire.serves(SITE, "/data", "x", status=302, Location=f"https://{API}/there")
    wire.serves(API, "/there", "y")
    assert client().get(URL, headers={"X-Key": "k"}).body == b"y"
    assert "x-key" not in wire.requests[1].headers


@pytest.mark.parametrize(
    ("to", "named"),
    [
        ("https://elsewhere.example/there", "https://elsewhere.example"),
        ("//elsewhere.example/there", "https://elsewhere.example"),
        (f"http://{SITE}/there", f"http://{SITE}"),
        (f"https://{SITE}:8443/there", f"https://{SITE}"),
        (f"https://{SITE}.elsewhere.example/", "elsewhere.example"),
        (f"https://x.{SITE}/", f"x.{SITE}"),
        (f"https://{SITE}@elsewhere.example/", "elsewhere.example"),
        (f"https://user:pass@{SITE}/", SITE),
        (f"https://{SITE}\\@elsewhere.example/", "elsewhere.example"),
        ("https://[", "nowhere"),
        ("file:///etc/passwd", "file://"),
        ("javascript:alert(1)", "javascript://"),
        ("https://ex\u202eample\x1b[31m.example/", "points to nowhere"),
    ],
)
def test_a_redirect_elsewhere_is_refused_and_named(wire, to, named):
    wire.serves(SITE, "/data", "x", status=302, Location=to.encode().decode("latin-1"))
    error = refused(headers={"X-Key": CANARY}, secrets=[CANARY])
    assert type(error) is WrongAnswer
    assert named in error.message
    assert "pass" not in error.message.replace("passwd", "")
    assert len(wire.requests) == 1


def test_a_redirect_that_repeats_the_secret_as_a_host_is_named_without_it(wire):
    hush(["canaryhost"])
    wire.serves(SITE, "/data", "x", status=302, Location="https://canaryhost/")
    assert HUSHED in refused(secrets=["canaryhost"]).message


@pytest.mark.parametrize(("hops", "kind"), [(3, None), (4, WrongAnswer)])
def test_three_redirects_are_enough(wire, hops, kind):
    wire.serves(SITE, "/data", "x", status=302, Location="/1")
    for hop in range(1, hops):
        wire.serves(SITE, f"/{hop}", "x", status=302, Location=f"/{hop + 1}")
    wire.serves(SITE, f"/{hops}", "y")
    if kind is None:
        assert client().get(URL).body == b"y"
    else:
        assert type(refused()) is kind


@pytest.mark.parametrize("status", [300, 302, 304, 305, 600, 999])
def test_a_status_that_says_nothing_is_a_garbled_answer(wire, status):
    wire.serves(SITE, "/data", "x", status=status)
    error = refused()
    assert type(error) is GarbledAnswer
    assert f"HTTP {status}" in error.message


# ---------------------------------------------------------------- bodies


def test_what_is_compressed_is_decompressed(wire):
    wire.serves(SITE, "/data", gzip.compress(b"a" * 100) + gzip.compress(b"b"), **{"Content-Encoding": "GZIP"})
    assert client().get(URL).body == b"a" * 100 + b"b"


def test_a_bomb_does_not_go_off(wire):
    wire.serves(SITE, "/data", gzip.compress(bytes(LARGEST + 1), 1), **{"Content-Encoding": "gzip"})
    error = refused()
    assert type(error) is GarbledAnswer
    assert "larger than 64 MB" in error.message


def test_many_small_bombs_do_not_either(wire, monkeypatch):
    monkeypatch.setattr(http, "LARGEST", 1000)
    wire.serves(SITE, "/data", gzip.compress(bytes(300)) * 4, **{"Content-Encoding": "gzip"})
    assert "larger than" in refused().message


@pytest.mark.parametrize(("size", "fits"), [(1000, True), (1001, False)])
@pytest.mark.parametrize("packed", [False, True])
def test_the_largest_answer_is_as_large_as_that(wire, monkeypatch, size, fits, packed):
    monkeypatch.setattr(http, "LARGEST", 1000)
    data = os.urandom(10) * 101
    data = data[:size]
    body, headers = (gzip.compress(data), {"Content-Encoding": "gzip"}) if packed else (data, {})
    wire.serves(SITE, "/data", body, **headers)
    if fits:
        assert client().get(URL).body == data
    else:
        assert type(refused()) is GarbledAnswer


def test_an_answer_that_announces_too_much_is_not_read(wire):
    wire.serves(SITE, "/data", "x", **{"Content-Length": str(LARGEST + 1)})
    began = perf_counter()
    assert "larger than" in refused().message
    assert perf_counter() - began < 1


def test_a_compressed_body_that_ends_in_the_middle_is_cut_short(wire, rests):
    packed = gzip.compress(os.urandom(1000))
    wire.serves(SITE, "/data", packed[: len(packed) // 2], **{"Content-Encoding": "gzip"})
    assert type(refused()) is CutShort
    assert len(wire.requests) == 3


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"plain", "gzip"),
        (b"plain", "br"),
        (gzip.compress(b"x", mtime=0), "gzip, gzip"),
        (b"\x1f\x8b junk" * 9, "gzip"),
    ],
)
def test_a_body_that_is_not_compressed_as_it_says_is_garbled(wire, body, encoding):
    wire.serves(SITE, "/data", body, **{"Content-Encoding": encoding})
    error = refused()
    assert type(error) is GarbledAnswer
    assert "compress" in error.message


def test_an_empty_body_is_empty_however_compressed(wire):
    wire.serves(SITE, "/data", "", **{"Content-Encoding": "gzip"})
    assert client().get(URL).body == b""


# ---------------------------------------------------------------- connections


def test_a_refused_connection_is_told(rests):
    assert type(refused()) is ConnectionRefused


def test_a_name_that_is_not_resolved_means_that_there_is_no_network(monkeypatch, rests):
    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name)
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert type(refused()) is NoNetwork


def test_a_proxy_that_refuses_is_told_and_not_asked_again(wire, rests):
    wire.breaks("proxy refuses")
    error = refused()
    assert type(error) is ConnectionRefused
    assert "the proxy refuses to connect to fred" in error.message
    assert rests == []


def test_a_proxy_that_wants_to_know_who_asks_is_told(wire):
    wire.serves(SITE, "/data", "x", status=407)
    error = refused()
    assert type(error) is ConnectionRefused
    assert "proxy" in error.message


@pytest.mark.parametrize("proxy", ["http://[", "socks5://127.0.0.1:9", "http://", "nonsense://127.0.0.1:9"])
def test_proxies_that_cannot_be_used_are_told(monkeypatch, rests, proxy):
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, proxy)
    error = refused()
    assert type(error) is ConnectionRefused
    assert "proxy settings" in error.message


@pytest.mark.parametrize("bundle", [None, "nowhere.pem", "broken.pem"])
def test_a_certificate_that_is_not_trusted_is_told_with_what_helps(wire, tmp_path, monkeypatch, rests, bundle):
    (tmp_path / "broken.pem").write_text("no certificate\n")
    if bundle:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / bundle))
    else:
        monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    error = refused()
    assert type(error) is ConnectionRefused
    assert "certificate" in error.message
    assert "REQUESTS_CA_BUNDLE" in error.hint
    assert (wire.requests, rests) == ([], [])


def test_curls_bundle_is_taken_too(wire, monkeypatch):
    monkeypatch.setenv("CURL_CA_BUNDLE", os.environ["REQUESTS_CA_BUNDLE"])
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    wire.serves(SITE, "/data", "x")
    assert client().get(URL).body == b"x"


def test_a_certificate_file_that_is_not_there_is_told_as_that(wire, monkeypatch, rests):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
    error = refused()
    assert type(error) is ConnectionRefused
    assert "there is no certificate file /nowhere/ca.pem" in error.message
    assert "REQUESTS_CA_BUNDLE" in error.hint
    assert wire.requests == []


def test_a_certificate_for_another_host_is_refused(wire):
    assert type(refused("https://unknown.example/", host=Host("fred", ("unknown.example",)))) is ConnectionRefused


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ProtocolError("aborted", BadStatusLine("SSH-2.0")), GarbledAnswer),
        (ProtocolError("aborted", RemoteDisconnected()), CutShort),
        (ProtocolError("broken", IncompleteRead(b"x", 9)), CutShort),
        (ProxyError("proxy", RemoteDisconnected()), CutShort),
        (ProxyError("proxy", OSError("Tunnel connection failed: 407")), ConnectionRefused),
        (OSError(101, "Network is unreachable"), NoNetwork),
        (ssl.SSLEOFError(8, "EOF occurred in violation of protocol"), CutShort),
        (ssl.SSLCertVerificationError(1, "self-signed"), ConnectionRefused),
        (requests.exceptions.ReadTimeout(), GarbledAnswer),
        (TimeoutError(), TimedOut),
        (ValueError("what"), GarbledAnswer),
    ],
)
def test_what_lies_behind_an_error_decides(error, kind):
    assert type(failed(LEG, "fred", error)) is kind
    assert type(failed(LEG, "fred", requests.ConnectionError(error))) is kind


def test_a_chunk_that_is_none_is_cut_short():
    class Response:
        length_remaining = None

        def tell(self):
            return 0

    assert type(failed(LEG, "fred", ProtocolError("x", InvalidChunkLength(Response(), b"zz")))) is CutShort


# ---------------------------------------------------------------- secrets


def forms_of(secret):
    """What a careless program shows of a secret."""
    return {secret, quote(secret), quote(secret, safe=""), quote_plus(secret)}


def everything_of(error):
    return "".join([*traceback.format_exception(error), repr(error), repr(vars(error)), repr(error.__context__)])


CASES = [*FAULTS, SLOW, "redirect", "long redirect", "bomb", "refused", "certificate", "304", "good", "not found"]


@pytest.mark.parametrize("case", CASES)
def test_secrets_are_told_to_nobody_but_the_provider(wire, rests, monkeypatch, caplog, capfd, case):
    caplog.set_level(logging.DEBUG)
    echo = f"bad key {CANARY}".encode()
    url = f"https://{SITE}/data/{CANARY}"
    answers = {
        "redirect": (302, HTML, echo, {"Location": f"https://elsewhere.example/{CANARY}"}),
        "long redirect": (302, HTML, echo, {"Location": f"/{CANARY}"}),
        "bomb": (200, HTML, gzip.compress(bytes(LARGEST + 1), 1), {"Content-Encoding": "gzip"}),
        "304": (304, HTML, b"", {}),
        "not found": (404, HTML, echo, {}),
    }
    monkeypatch.setattr(wire, "respond", lambda _: answers.get(case, (200, HTML, b"fine" * 50, {})))
    if case in (*FAULTS, SLOW):
        wire.breaks(case)
    if case == "refused":
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
        monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    if case == "certificate":
        monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    try:
        told = repr(
            client(deadline=0.7).get(url, {"api_key": CANARY, "x": "1"}, {"X-Key": CANARY}, secrets=[CANARY, ""])
        )
    except SourceError as error:
        told = everything_of(error)
    shown = told + caplog.text + "".join(str(vars(record)) for record in caplog.records) + "".join(capfd.readouterr())
    assert {form for form in forms_of(CANARY) if form in shown} == set()
    if case in ANSWERS or case in ("good", "not found"):
        assert HUSHED in caplog.text  # the library did tell its log where it went
        assert wire.requests[0].query["api_key"] == CANARY
        assert wire.requests[0].headers["x-key"] == CANARY


@pytest.mark.parametrize("name", ["urllib3.connectionpool", "urllib3.util.retry", "urllib3", "requests"])
def test_a_librarys_trace_is_told_without_the_secret(caplog, name):
    hush([CANARY])
    try:
        int(f"url {CANARY}")
    except ValueError:
        logging.getLogger(name).warning("at %s", CANARY, exc_info=True)
    assert CANARY not in caplog.text
    assert f"at {HUSHED}" in caplog.text
    assert f"'url {HUSHED}'" in caplog.text


def test_every_logger_of_the_libraries_is_watched():
    names = [name for name in logging.root.manager.loggerDict if name.split(".")[0] in ("urllib3", "requests")]
    assert "urllib3.connectionpool" in names
    for name in names:
        assert any("Hushing" in type(known).__name__ for known in logging.getLogger(name).filters), name


@pytest.mark.parametrize("key", ["key\n", " k3y", "kéy", "k\x00", "k\u202e"])
def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(wire, key):
    error = refused(headers={"X-Key": key}, secrets=[key])
    assert key not in error.message
    assert "characters that no key has" in error.message
    assert wire.requests == []


@given(st.text(min_size=hushing.SHORTEST).filter(lambda text: "*" not in text), st.text(), st.text())
def test_no_text_holds_a_secret_after_it_was_hushed(secret, before, after):
    hushing._forms.clear()
    hush([secret])
    assert hushed(f"{before}{after}".replace(secret, "")).count(secret) == 0
    assert HUSHED in hushed(f"{before}{secret}{after}")
    hushing._forms.clear()


def test_the_program_says_nothing(wire, rests, capfd):
    wire.breaks("500")
    refused()
    assert capfd.readouterr() == ("", "")
