"""The price cache between processes: many at once, and killed at any moment."""

import itertools
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from tests.fake_source import LEG, TODAY, FakeSource, aside, assert_same, at, holding, stored

from pairwatch.cache import FILE_NAME, Cache
from pairwatch.model import Leg

ROOT = Path(__file__).parent.parent
# The default run; a long one: PAIRWATCH_KILLS=2000.
KILLS = int(os.environ.get("PAIRWATCH_KILLS", "40"))
TOGETHER = 10

# What every process knows: the file, which of the processes it is, how to wait for the others and how to speak.
PRELUDE = """
import itertools, os, sys, traceback
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from time import sleep
from pairwatch import errors
from pairwatch.cache import Cache
from pairwatch.model import Leg
from tests.fake_source import *
path, me = Path(sys.argv[1]), int(sys.argv[2])
def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())
def wait():
    say("ready")
    sys.stdin.readline()
"""
# Imports once and forks: the copies start within a millisecond of each other, through a gate that is then opened.
COPIES = """
gate, opener = os.pipe()
children = []
for me in range(int(sys.argv[2])):
    children.append(os.fork())
    if not children[-1]:
        os.close(opener)
        os.read(gate, 1)
        try:
            exec(sys.argv[3])
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
os.close(opener)
sys.exit(max(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))
"""


def start(code: str, *args: object, through: tuple[str, ...] = ()) -> subprocess.Popen:
    return subprocess.Popen(
        [*through, sys.executable, "-c", PRELUDE + code, *map(str, args)],
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}", "OPENBLAS_NUM_THREADS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def together(code: str, path: Path, count: int = TOGETHER) -> list[str]:
    """Run `code` in so many processes at once; what they say, line by line."""
    process = start(COPIES, path, count, code)
    said, complaints = process.communicate(timeout=60)
    assert (process.returncode, complaints) == (0, "")
    return said.splitlines()


def assert_whole(path: Path) -> list[Leg]:
    """The file opens, passes SQLite's check, and every row agrees with its checksum; the legs in it."""
    db = sqlite3.connect(path)
    assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    db.close()
    cache = Cache(path)
    legs = [entry.leg for entry in cache.entries()]
    assert not cache.trouble
    assert not aside(path)
    return legs


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "cache" / FILE_NAME


# ---------------------------------------------------------------- many at once


def test_ten_processes_that_refresh_different_legs_lose_none(path):
    code = """
source = FakeSource()
for i in range(5):
    cache = Cache(path)
    refreshed(cache, source, at(TODAY) + i, Leg("yahoo", f"L{me}"), refresh=True)
    refreshed(cache, source, at(TODAY) + i, Leg("yahoo", f"L{me}X{i}"))
    assert not cache.trouble, cache.trouble
"""
    together(code, path)
    wanted = {f"L{me}" for me in range(TOGETHER)} | {f"L{me}X{i}" for me in range(TOGETHER) for i in range(5)}
    assert {leg.symbol for leg in assert_whole(path)} == wanted


def test_ten_processes_that_refresh_the_same_leg_end_with_the_newest_answer(path):
    code = """
source = FakeSource()
for i in range(14):
    now = at(TODAY) + 20 * i + me
    source.bars[day64(TODAY)] = now
    cache = Cache(path)
    found = refreshed(cache, source, now, max_age=0.0)
    assert not cache.trouble, cache.trouble
    assert not found.provenance.stale, found.provenance.stale
    assert found.series.closes[-1] == found.provenance.asked_at >= now
"""
    together(code, path)
    assert assert_whole(path) == [LEG]
    held, newest = Cache(path).get(LEG), at(TODAY) + 20 * 13 + TOGETHER - 1
    assert held.asked_at == held.series.closes[-1] == newest
    np.testing.assert_array_equal(held.series.closes[:-1], list(FakeSource().bars.values())[:-1])


def test_ten_processes_that_each_add_to_one_leg_lose_no_addition(path):
    code = """
for i in range(10):
    cache = Cache(path)
    cache.update(LEG, lambda held: replace(held, reconciled_at=held.reconciled_at + 1) if held else holding())
    assert not cache.trouble, cache.trouble
"""
    stored(path)
    together(code, path)
    assert_whole(path)
    assert Cache(path).get(LEG).reconciled_at == holding().reconciled_at + 100


def test_readers_among_writers_see_whole_legs_and_no_error(path):
    stored(path)
    code = """
for i in range(40):
    cache = Cache(path)
    if me % 2:
        cache.update(LEG, lambda _: holding(seed=i, bars=300 + i))
    else:
        held = cache.get(LEG)
        i = len(held.series) - 300
        assert (held.series.closes == holding(seed=i, bars=300 + i).series.closes).all()
        cache.entries()
    assert not cache.trouble, cache.trouble
"""
    together(code, path, 4)
    assert_whole(path)


@pytest.mark.parametrize("attempt", range(3))
def test_processes_that_create_the_file_at_the_same_instant_all_use_it(path, attempt):
    code = """
cache = Cache(path)
cache.get(LEG)
cache.update(Leg("yahoo", f"L{me}"), lambda _: holding(Leg("yahoo", f"L{me}")))
assert cache.get(Leg("yahoo", f"L{me}"))
assert not cache.trouble, cache.trouble
"""
    together(code, path, 6)
    assert len(assert_whole(path)) == 6
    assert path.stat().st_mode & 0o777 == 0o600


def test_processes_that_meet_a_damaged_file_at_once_put_one_file_aside_and_start_one(path):
    path.parent.mkdir()
    path.write_bytes(b"garbage" * 1000)
    code = """
for i in range(6):
    cache = Cache(path)
    leg = Leg("yahoo", f"L{me}")
    held = cache.get(leg)
    made = cache.update(leg, lambda _: holding(leg, seed=i))
    if cache.trouble:
        say(cache.trouble)
"""
    troubles = together(code, path, 6)
    (kept,) = aside(path)
    assert kept.read_bytes() == b"garbage" * 1000
    assert sum(kept.name in line for line in troubles) == 1
    # One that was about to open the file, or had just done so, finds it gone; its next run finds the new one.
    assert len(troubles) <= 6
    kept.rename(path.with_name("kept"))
    assert len(assert_whole(path)) == 6


def test_a_damaged_file_is_not_renamed_under_a_process_that_writes_to_it(path, monkeypatch):
    db = sqlite3.connect(stored(path), isolation_level=None)
    db.execute("UPDATE legs SET facts = '{}'")
    db.close()
    code = "import sqlite3; db = sqlite3.connect(path, isolation_level=None); db.execute('BEGIN IMMEDIATE'); wait()"
    process = start(code, path, 0)
    assert process.stdout.readline() == "ready\n"
    with monkeypatch.context() as patch:
        patch.setattr("pairwatch.database.LOCK_TIMEOUT", 0.05)
        hasty = Cache(path)
        assert hasty.get(LEG) is None
        assert "could not be put aside (Resource temporarily unavailable)" in hasty.trouble
        assert path.exists()
    threading.Timer(0.3, process.communicate, ["\n"]).start()
    patient = Cache(path)
    assert patient.get(LEG) is None
    assert "put aside as" in patient.trouble
    process.wait()


def test_a_pause_that_one_process_writes_is_honoured_by_the_others(path):
    together(
        """
source = FakeSource()
source.fault = errors.RateLimited("QQQ: throttled")
try:
    refreshed(Cache(path), source)
except errors.RateLimited as error:
    say(error)
""",
        path,
        1,
    )
    said = together(
        """
source = FakeSource()
try:
    refreshed(Cache(path), source, at(TODAY) + 60)
except errors.RateLimited as error:
    say(len(source.requests), error)
""",
        path,
        3,
    )
    assert said == ["0 QQQ: yahoo throttles this machine and is left alone for 14 min more"] * 3


def test_four_processes_together_never_ask_faster_than_the_pace(path):
    """Forty turns at one every 25 ms after a burst of four: when each may go out."""
    said = together(
        """
from time import time
cache = Cache(path)
for i in range(10):
    now = time()
    wait = cache.turn("fake", now, 0.025, 4)
    say(now + wait)
    sleep(wait)
assert not cache.trouble, cache.trouble
""",
        path,
        4,
    )
    out = sorted(map(float, said))
    assert len(out) == 40
    for i, first in enumerate(out):
        for j in range(i, 40):
            assert j - i + 1 <= 4 + (out[j] - first) / 0.025 + 1e-3


def test_four_processes_with_one_source_each_keep_its_pace_through_their_desks(path):
    said = together(
        """
from time import time
class Polite(FakeSource):
    def fetch(self, request):
        request.turn()
        say(time())
        return self.answer(request)
from pairwatch import sources
sources._SOURCES["yahoo"] = sources.about("yahoo")._replace(pace=sources.Pace(0.04, 2))
for i in range(4):
    refreshed_live(Cache(path), Polite(), Leg("yahoo", f"L{me}X{i}"))
""",
        path,
        4,
    )
    out = sorted(map(float, said))
    assert len(out) == 16
    assert out[-1] - out[0] >= 13.5 * 0.04


# ---------------------------------------------------------------- a process that waits


def test_another_process_can_write_while_one_works_with_what_it_has_read(path):
    stored(path)
    process = start("cache = Cache(path); held = cache.get(LEG); cache.entries(); wait()", path, 0)
    assert process.stdout.readline() == "ready\n"
    db = sqlite3.connect(path, timeout=0, isolation_level=None)
    db.execute("BEGIN EXCLUSIVE")
    db.execute("DELETE FROM legs")
    db.execute("COMMIT")
    db.close()
    assert process.communicate("\n")[1] == ""


def test_a_source_that_takes_its_time_keeps_nobody_from_writing(path):
    stored(path)
    code = """
class Slow(FakeSource):
    def fetch(self, request):
        wait()
        return super().fetch(request)
refreshed(Cache(path), Slow(), leg=Leg("yahoo", "SLOW"))
"""
    process = start(code, path, 0)
    assert process.stdout.readline() == "ready\n"
    db = sqlite3.connect(path, timeout=0, isolation_level=None)
    db.execute("BEGIN EXCLUSIVE")
    db.execute("ROLLBACK")
    db.close()
    assert process.communicate("\n")[1] == ""
    assert {leg.symbol for leg in assert_whole(path)} == {"QQQ", "SLOW"}


def test_a_writer_waits_for_another_one(path):
    stored(path)
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("BEGIN EXCLUSIVE")
    process = start("wait(); stored = Cache(path).update(LEG, lambda _: holding(seed=4)); say('done')", path, 0)
    assert process.stdout.readline() == "ready\n"
    process.stdin.write("\n")
    process.stdin.flush()
    time.sleep(0.3)
    assert process.poll() is None
    db.execute("ROLLBACK")
    db.close()
    assert process.communicate(timeout=20) == ("done\n", "")
    assert_same(Cache(path).get(LEG), holding(seed=4))


# ---------------------------------------------------------------- kill -9

# Forks, lets the copy write, and kills it after so many seconds; one line of input for each.
KILLED_COPIES = """
say("ready")
for line in sys.stdin:
    seconds, first = line.split()
    child = os.fork()
    if not child:
        for i in itertools.count(int(first)):
            leg = Leg("yahoo", f"W{me}N{i % 7}")
            cache = Cache(path)
            cache.update(leg, lambda _: holding(leg, bars=200 + i % 100, seed=i, asked_at=float(i)))
            say(cache.trouble or i)
    sleep(float(seconds))
    os.kill(child, 9)
    os.waitpid(child, 0)
    say("killed")
"""


def test_a_process_killed_at_any_moment_loses_no_acknowledged_update_and_damages_nothing(path):
    rng = random.Random(9)  # noqa: S311 - the same moments, as far as a clock allows
    acknowledged: dict[Leg, int] = {}
    done = [0, 0]
    patience = 1.0  # a busy machine finishes nothing in a moment
    writers = [start(KILLED_COPIES, path, me) for me in range(2)]
    assert [writer.stdout.readline() for writer in writers] == ["ready\n"] * 2
    for _ in range(-(-KILLS // 2)):
        for me, writer in enumerate(writers):
            writer.stdin.write(f"{patience * rng.uniform(0.005, 0.15)} {done[me]}\n")
            writer.stdin.flush()
        for me, writer in enumerate(writers):
            for line in iter(writer.stdout.readline, "killed\n"):
                assert line.strip().isdigit(), line
                acknowledged[Leg("yahoo", f"W{me}N{int(line) % 7}")] = int(line)
                done[me] = int(line) + 1
        patience *= 1 if acknowledged else 1.5
        if path.exists():
            assert_whole(path)
        for leg, i in acknowledged.items():
            # The one that was under way when the process was killed may be there, too.
            n = int(Cache(path).get(leg).asked_at)
            assert n in (i, i + 7)
            assert_same(Cache(path).get(leg), holding(leg, bars=200 + n % 100, seed=n, asked_at=float(n)))
    assert [writer.communicate()[1] for writer in writers] == ["", ""]
    assert acknowledged, "no update was ever finished"


@pytest.mark.skipif(not shutil.which("strace"), reason="needs strace, to kill at a given system call")
@pytest.mark.parametrize("call", ["pwrite64", "fdatasync", "unlink"])
def test_a_process_killed_at_a_system_call_leaves_the_old_leg_or_the_new_one(path, call):
    old, new = holding(), holding(seed=1, bars=2000)
    for when in itertools.count(1, step=3):
        stored(path, old)
        process = start("wait(); Cache(path).update(LEG, lambda _: holding(seed=1, bars=2000)); say('done')", path, 0)
        assert process.stdout.readline() == "ready\n"
        kill = ("-e", f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when={when}")
        command = ["strace", "-f", "-o", os.devnull, *kill, "-p", str(process.pid)]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as strace:
            attached = "attached" in strace.stderr.readline()
            said, _ = process.communicate("\n", timeout=60)
        if not attached:
            pytest.skip("nothing may be traced here")
        assert_whole(path)
        if "done" in said:
            assert_same(Cache(path).get(LEG), new)
            break
        assert process.returncode == -9
        found = Cache(path).get(LEG)
        assert_same(found, new if len(found.series) == 2000 else old)
    assert when > 1, "never killed"
