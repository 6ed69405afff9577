"""The whole program as a process: real arguments, pipes, signals and exit codes, against a provider on loopback."""

import csv
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import numpy as np
import pytest
from tests.conftest import NOWHERE
from tests.wire import Listing, Wire

from pairwatch.sources.sessions import sessions_of

COMPARE = ("compare", "QQQ", "IWM")
# What a user sees of each way in which the provider fails: the first words after the leg.
FAILURES = {
    "429": "yahoo throttles this machine (HTTP 429)",
    "403": "yahoo, or a proxy before it, refuses to answer (HTTP 403)",
    "500": "yahoo is out of order (HTTP 500)",
    "503": "yahoo is out of order (HTTP 503)",
    "maintenance": "yahoo is out of order",
    "web page": "yahoo answered with a web page",
    "garbage": "yahoo's answer is not text",
    "empty body": "yahoo's answer is empty",
    "half a body": "yahoo's answer ends in the middle",
    "no data in range": "yahoo has no bars in the days asked for",
    "hang": "yahoo did not answer within 1 s",
    "reset": "the connection broke off",
    "truncated": "the connection broke off",
    "proxy refuses": "the proxy refuses to connect",
}


def environment(**more):
    """This process's variables, which conftest has cleared of the user's, with compiled bytecode allowed."""
    kept = {key: value for key, value in os.environ.items() if key not in ("PYTHONDONTWRITEBYTECODE", "PYTHONWARNINGS")}
    return {**kept, "PYTHONIOENCODING": "utf-8", **more}


def start(*args, **more):
    return subprocess.Popen(
        [sys.executable, "-m", "pairwatch", *args],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(**more),
        text=True,
        encoding="utf-8",
    )


def run(*args, stdin="", **more):
    return subprocess.run(
        [sys.executable, "-m", "pairwatch", *args],
        input=stdin,
        capture_output=True,
        env=environment(**more),
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def shell(command, **more):
    """Run a pipeline; `$PAIRWATCH` in it is the program, and `$CODE` becomes the program's own exit code."""
    script = f'set -o pipefail; PAIRWATCH="{sys.executable} -m pairwatch"; {command}'
    return subprocess.run(
        ["bash", "-c", script], capture_output=True, env=environment(**more), text=True, timeout=60, check=False
    )


def listings():
    """Two legs that have closed on every finished session of the last months."""
    now = time.time()
    days = sessions_of("XNYS", now).finished(now)[-200:].tolist()
    common, own = np.random.default_rng(1).standard_normal((2, len(days)))
    a = 600 * np.exp(0.01 * common.cumsum())
    b = 240 * np.exp(0.01 * (0.8 * common + 0.6 * own).cumsum())
    return (
        Listing("QQQ", days, a.tolist(), kind="ETF", exchange="NGM", name="Invesco QQQ", dividends={days[-9]: 0.8}),
        Listing("IWM", days, b.tolist(), kind="ETF", exchange="PCX", name="iShares Russell 2000 ETF"),
    )


@pytest.fixture
def market(wire):
    """A provider that knows both legs."""
    wire.lists(*listings())
    return wire


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A folder for what the first test of a kind makes and the others take over."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture
def cached(market, home, kept):
    """The market, with both legs in the cache."""
    if not (kept / "cache").exists():
        assert run(*COMPARE).returncode == 0
        shutil.copytree(home / "cache", kept / "cache")
        market.requests.clear()
    shutil.copytree(kept / "cache", home / "cache", dirs_exist_ok=True)
    return market


@pytest.fixture(scope="module")
def outcomes():
    """Where the runs against a failing provider are kept."""
    return {}


@pytest.fixture
def failed(outcomes, tmp_path):
    """One cold run against each failure, side by side: each has a provider and a home of its own."""

    def against(fault, known):
        folder = tmp_path / fault
        folder.mkdir()
        with Wire(folder) as wire:
            wire.lists(*known)
            wire.breaks(fault)
            return run(*COMPARE, "--deadline", "1s", **wire.environ, HOME=str(folder), XDG_CACHE_HOME=str(folder))

    if not outcomes:
        # Made once: what the calendar's library warns of cannot be silenced in several threads.
        known = [listings()] * len(FAILURES)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            outcomes.update(zip(FAILURES, pool.map(against, FAILURES, known), strict=True))
    return outcomes


def assert_two_lines(result, words):
    """The two lines of an error, and nothing else."""
    assert result.stdout == ""
    error, hint, *more = result.stderr.splitlines()
    assert more == []
    assert error.startswith(f"error: {words}")
    assert hint.startswith("hint: ")


# ---------------------------------------------------------------- good runs


def test_a_cold_run_prints_a_table_of_csv_and_leaves_one_file(market, home):
    result = run(*COMPARE)
    assert (result.returncode, result.stderr) == (0, "")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert len(rows) > 30
    assert len({tuple(row) for row in rows}) == 1
    assert None not in rows[0]
    assert len(market.charts) == 2
    assert len(market.requests) <= 6
    files = [path for path in home.rglob("*") if path.is_file()]
    assert [path.name for path in files if path.name != "prices.db.lock"] == ["prices.db"]
    assert files[0].stat().st_mode & 0o077 == 0


def test_a_warm_run_sends_no_request_and_says_the_same(cached):
    first, second = run(*COMPARE), run(*COMPARE)
    assert cached.requests == []
    assert (second.returncode, second.stderr) == (0, "")
    assert second.stdout == first.stdout


def test_a_refresh_asks_once_for_each_leg(cached):
    assert run(*COMPARE, "--refresh").returncode == 0
    assert [asked.path.rsplit("/", 1)[-1] for asked in cached.charts] == ["QQQ", "IWM"]


def test_offline_opens_no_socket(cached):
    dead = {"HTTPS_PROXY": NOWHERE, "https_proxy": NOWHERE}
    result = run(*COMPARE, "--offline", "--json", **dead)
    assert result.returncode == 0
    assert json.loads(result.stdout)["stale"] in (True, False)
    assert cached.requests == []


def test_offline_without_a_cache_says_what_helps(wire):
    result = run(*COMPARE, "--offline")
    assert result.returncode == 3
    assert_two_lines(result, "QQQ: not in the cache")
    assert "--offline" in result.stderr.splitlines()[1]
    assert wire.requests == []


def test_json_is_one_object(cached):
    result = run(*COMPARE, "--json")
    found = json.loads(result.stdout, parse_constant=pytest.fail)
    assert found["stale"] is False
    assert result.stdout.endswith("}\n")


def test_verbose_shows_the_librarys_log_on_stderr(market):
    result = run(*COMPARE, "--verbose")
    assert result.returncode == 0
    assert "response code=200" in result.stderr
    assert "yfinance" not in result.stdout
    assert len(list(csv.DictReader(io.StringIO(result.stdout)))) > 30


def test_hostile_names_reach_no_terminal(market):
    name = "\x1b]0;pwned\x07[bold]\u202egnp.exe"
    listing = market.listings["IWM"](-1e18, 1e18)
    listing["chart"]["result"][0]["meta"] |= {"longName": name, "currency": "\x1b[31mUSD"}
    market.answers("IWM", listing)
    for form in ("csv", "table"):
        result = run(*COMPARE, "--format", form)
        assert result.returncode == 0
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", result.stdout + result.stderr), form


def test_two_runs_at_once_agree(market):
    first, second = start(*COMPARE), start(*COMPARE)
    outputs = [process.communicate(timeout=60) for process in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0)
    assert outputs[0] == outputs[1]
    assert outputs[0][1] == ""


def test_a_leg_is_read_from_standard_input(cached):
    days = [str(day) for day in np.arange("2026-01-01", datetime.now(UTC).date(), dtype="datetime64[D]")]
    rows = "".join(f"{day},{100 + (7 * i) % 13}\n" for i, day in enumerate(days))
    result = run("compare", "-", "QQQ", "--json", stdin=f"Date,Close\n{rows}")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["stale"] is False


def test_an_empty_standard_input_is_a_source_that_failed(cached):
    result = run("compare", "-", "QQQ", stdin="")
    assert result.returncode == 3
    assert_two_lines(result, "csv:-: ")


# ---------------------------------------------------------------- the provider fails


@pytest.mark.parametrize("fault", FAILURES)
def test_without_a_cache_a_failure_is_two_lines_and_exit_3(failed, fault):
    assert failed[fault].returncode == 3
    assert_two_lines(failed[fault], f"QQQ: {FAILURES[fault]}")


def test_an_unknown_symbol_is_two_lines_and_exit_3(market):
    result = run("compare", "QQQ", "NOPE")
    assert result.returncode == 3
    assert_two_lines(result, "NOPE: unknown to yahoo, or delisted")


def test_a_dead_proxy_is_two_lines_and_exit_3():
    result = run(*COMPARE)
    assert result.returncode == 3
    assert_two_lines(result, "QQQ: the connection to yahoo, or to the proxy before it, was refused")


@pytest.mark.parametrize("fault", ["429", "hang", "reset", "empty body"])
def test_with_a_cache_a_failure_is_a_note_and_stale_numbers(cached, fault):
    cached.breaks(fault)
    result = run(*COMPARE, "--json", "--refresh", "--deadline", "1s")
    assert result.returncode == 0
    assert json.loads(result.stdout)["stale"] is True
    notes = result.stderr.splitlines()
    assert len(notes) == 2
    assert [note.split(":")[:2] for note in notes] == [["note", " QQQ"], ["note", " IWM"]]
    assert all("from the cache" in note for note in notes)


def test_fail_stale_is_exit_6_and_prints_no_numbers(cached):
    cached.breaks("500")
    result = run(*COMPARE, "--refresh", "--fail-stale")
    assert result.returncode == 6
    assert_two_lines(result, "QQQ: yahoo is out of order (HTTP 500)")


def test_quiet_keeps_the_notes_to_itself(cached):
    cached.breaks("500")
    result = run(*COMPARE, "--refresh", "--quiet")
    assert (result.returncode, result.stderr) == (0, "")


def test_a_throttling_provider_is_left_alone_by_the_next_run(market):
    market.breaks("429")
    run(*COMPARE)
    market.requests.clear()
    result = run(*COMPARE)
    assert result.returncode == 3
    assert_two_lines(result, "QQQ: yahoo throttles this machine and is left alone")
    assert market.requests == []


def test_a_hanging_provider_costs_one_deadline_and_not_two(market):
    market.breaks("hang")
    idle = time.monotonic()
    run("compare", "demo:TWIN1", "demo:TWIN2")
    idle, began = time.monotonic() - idle, time.monotonic()
    assert run(*COMPARE, "--deadline", "2s").returncode == 3
    assert time.monotonic() - began < 3.9 + 3 * idle


# ---------------------------------------------------------------- the user and the shell


def test_ctrl_c_ends_a_hanging_run_long_before_its_deadline(market):
    market.breaks("hang")
    process = start(*COMPARE, "--deadline", "60s")
    waited = time.monotonic()
    while not market.requests and time.monotonic() - waited < 30:
        time.sleep(0.02)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert time.monotonic() - began < 10
    assert (process.returncode, out, err) == (130, "", "interrupted\n")


def test_a_request_to_end_ends_a_hanging_run_long_before_its_deadline_and_without_a_word(market):
    market.breaks("hang")
    process = start(*COMPARE, "--deadline", "60s")
    waited = time.monotonic()
    while not market.requests and time.monotonic() - waited < 30:
        time.sleep(0.02)
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    assert time.monotonic() - began < 10
    assert (process.returncode, out, err) == (143, "", "")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
def test_a_closed_pipe_ends_quietly_with_0(cached):
    result = shell("$PAIRWATCH compare QQQ IWM | head -1")
    assert (result.returncode, result.stderr) == (0, "")
    assert len(result.stdout.splitlines()) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
def test_a_pipe_that_is_closed_from_the_start_ends_quietly_with_0(cached):
    result = shell("(sleep 0; $PAIRWATCH compare QQQ IWM; echo $? >&2) | true")
    assert result.stderr == "0\n"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")  # noqa: PTH110
def test_a_full_disk_is_told_without_a_traceback(cached):
    result = shell("$PAIRWATCH compare QQQ IWM > /dev/full")
    assert result.returncode == 1
    assert_two_lines(result, "the result could not be written")


def test_a_cache_folder_that_cannot_be_made_does_not_stop_a_run(market, home):
    (home / "cache").write_text("a file where a folder should be")
    result = run(*COMPARE, "--json")
    assert result.returncode == 0
    assert json.loads(result.stdout)["stale"] is False
    assert result.stderr.startswith("note: ")
    assert len(result.stderr.splitlines()) == 1


def test_offline_with_a_cache_that_cannot_be_used_says_so_before_the_error(home):
    (home / "cache").write_text("a file where a folder should be")
    result = run(*COMPARE, "--offline")
    assert (result.returncode, result.stdout) == (3, "")
    note, error, hint = result.stderr.splitlines()
    assert re.match("note: the price cache .* cannot be used", note)
    assert error.startswith("error: QQQ: not in the cache")
    assert hint.startswith("hint: ")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")  # noqa: PTH110
def test_words_that_cannot_be_written_do_not_change_the_exit_code(cached):
    cached.breaks("500")  # for notes
    assert shell("$PAIRWATCH compare QQQ IWM --refresh 2>/dev/full").returncode == 0
    assert shell("$PAIRWATCH compare QQQ IWM --refresh --fail-stale 2>/dev/full").returncode == 6


def test_a_flag_undoes_a_variable(cached):
    assert run(*COMPARE, "--max-age", "0s", PAIRWATCH_OFFLINE="1").returncode == 0
    assert run(*COMPARE, "--refresh", PAIRWATCH_OFFLINE="1").returncode == 2
    assert cached.requests == []
    assert run(*COMPARE, "--refresh", "--no-offline", PAIRWATCH_OFFLINE="1").returncode == 0
    assert len(cached.charts) == 2
