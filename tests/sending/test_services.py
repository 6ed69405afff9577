"""Messages to a service by apprise, against an HTTP server on loopback."""

import io
import json
import logging
import sys
import threading
import time
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.sending.mailroom import MESSAGE

from pairwatch.errors import DeliveryFailed, UsageError
from pairwatch.sending import send, shown

# A module that apprise looks for leaves the standard library with Python 3.13.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

TOKEN = "t0kenT0ken"  # noqa: S105 - nobody's


class Service(ThreadingHTTPServer):
    """Takes JSON by POST.

    Attributes:
        status: what it answers.
        posts: path, authorization and body of what came.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Post)
        self.status = 200
        self.posts = []
        self.released = threading.Event()
        self.released.set()

    def url(self, rest="", user=""):
        return f"json://{user}127.0.0.1:{self.server_address[1]}/{rest}"


class _Post(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.released.wait(10)
        self.server.posts.append((self.path, self.headers["Authorization"], json.loads(body)))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def service(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Service() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join()


def failure(url, kind=DeliveryFailed, deadline=10.0):
    with pytest.raises(kind) as caught:
        send(MESSAGE, url, None, deadline=deadline)
    told = "".join(traceback.format_exception(caught.value)) + caught.value.hint
    assert TOKEN not in told
    assert caught.value.__cause__ is caught.value.__context__ is None
    return caught.value.message


def test_a_service_gets_subject_and_text(service):
    send(MESSAGE, f"  {service.url('hook')} ", None)
    ((path, _, body),) = service.posts
    assert path == "/hook"
    assert body["title"] == MESSAGE.subject
    assert body["message"] == MESSAGE.text.rstrip()


def test_a_subject_is_one_clean_line(service):
    send(MESSAGE._replace(subject="one\r\ntwo\x1b"), service.url(), None)
    assert service.posts[0][2]["title"] == "one two\ufffd"


def test_no_thread_is_left_that_the_interpreter_would_wait_for(service):
    send(MESSAGE, service.url(), None)
    assert [thread.name for thread in threading.enumerate() if "ThreadPool" in thread.name] == []


@pytest.mark.parametrize("status", [401, 404, 500, 503])
def test_a_service_that_refuses_is_said_with_its_status(service, status):
    service.status = status
    url = service.url(f"{TOKEN}?+X-Key={TOKEN}", user=f"me:{TOKEN}@")
    assert failure(url) == f"{service.url()[:-1]} did not take the message: it answered {status}"
    assert service.posts[0][0].startswith(f"/{TOKEN}")


def test_a_service_that_nobody_runs_is_said(service):
    port = service.server_address[1]
    service.shutdown()
    service.server_close()
    assert failure(service.url(TOKEN)) == f"json://127.0.0.1:{port} cannot be reached"


def test_a_service_that_takes_too_long_is_left_at_the_deadline(service):
    service.released.clear()
    started = time.monotonic()
    assert "did not answer in time" in failure(service.url(TOKEN), deadline=0.2)
    assert time.monotonic() - started < 10


def test_nothing_of_a_url_is_logged_or_printed(service, capfd):
    heard = io.StringIO()
    handler = logging.StreamHandler(heard)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        service.status = 500
        failure(service.url(TOKEN))
        failure(f"nosuchservice://{TOKEN}", UsageError)
        failure(f"tgram://{TOKEN}", UsageError)
        logging.getLogger("urllib3").warning("heard again")
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    assert TOKEN not in heard.getvalue()
    assert "heard again" in heard.getvalue()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("url", [f"nosuchservice://{TOKEN}", f"tgram://{TOKEN}", "json://", "://", f"{TOKEN}://"])
def test_a_url_that_apprise_does_not_know_is_refused(url):
    assert "is not a URL that apprise knows" in failure(url, UsageError)


@pytest.mark.parametrize("between", [",", ", ", " ", ";", "\n"])
def test_a_url_stands_alone(service, between):
    assert "more than one recipient" in failure(f"{service.url()}{between}{service.url()}", UsageError)
    assert service.posts == []


def test_without_apprise_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(UsageError, match=r"json://example\.com needs apprise") as caught:
        send(MESSAGE, f"json://me:{TOKEN}@example.com/{TOKEN}", None)
    assert caught.value.hint == "pip install 'pairwatch[notify]'"


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        (f"json://example.com/{TOKEN}", "json://example.com"),
        (f"jsons://{TOKEN}:{TOKEN}@example.com:8443/{TOKEN}?x={TOKEN}#{TOKEN}", "jsons://example.com:8443"),
        (f"JSON://[::1]:80/{TOKEN}", "json://[::1]:80"),
        (f"gotifys://example.com?token={TOKEN}", "gotifys://example.com"),
        (f"json://me:{TOKEN}/{TOKEN}@example.com", "json://…"),
        (f"json://{TOKEN}?{TOKEN}@example.com", "json://…"),
        (f"json://{TOKEN}#{TOKEN}@example.com", "json://…"),
        (f"json://me:{TOKEN}", "json://…"),
        (f"tgram://{TOKEN}/1234", "tgram://…"),
        (f"discord://1234/{TOKEN}", "discord://…"),
        (f"ntfy://{TOKEN}", "ntfy://…"),
        (f"mailtos://me:{TOKEN}@example.com", "mailtos://…"),
        (f"{TOKEN}{TOKEN}{TOKEN}://example.com", "…"),
        (f"me:{TOKEN}@json://example.com", "…"),
        ("://", "…"),
    ],
)
def test_a_url_is_shown_without_its_secrets(url, seen):
    assert shown(url) == seen
