"""The store of snapshots between processes: many at once, killed at any moment, without room on the disk."""

import itertools
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import numpy as np
import pytest
from tests.cli.running import PROGRAM, program, two_lines
from tests.fake_source import at
from tests.test_cache_processes import COPIES, KILLS, start

from pairwatch.cache import Cache
from pairwatch.model import Leg, Window
from pairwatch.retrieval import Desk, Policy
from pairwatch.snapshots import FILE_NAME, Store
from pairwatch.staging import Question
from pairwatch.taking import Run, left_behind

FIRST = np.datetime64("2026-01-05")
NAMES = ("TWIN1", "TWIN2", "LEADER", "FOLLOWER", "LONE1", "LONE2", "BREAK1", "BREAK2")
EVERY = [(Leg("demo", a), Leg("demo", b)) for a, b in itertools.permutations(NAMES, 2)]
PAIRS = EVERY[:3]
TOGETHER = 20
# What the processes know beside that of the cache's tests.
SETUP = """
from tests.test_snapshot_processes import EVERY, FIRST, PAIRS, Question, Store, Window, evening, left_behind, np
"""


def evening(path, number, pairs=PAIRS, store=Store):
    """A run on the evening of a weekday, the first of which has number 0; small windows, to be quick."""
    day = np.busday_offset(FIRST, number).item()
    desk = Desk(Cache(path.with_name("prices.db")), Policy(at(day)))
    return Run(desk, store(path), Question(day, Window.parse("21b"), 1), at(day)).take(pairs)


def undisturbed(path, evenings, pairs=PAIRS):
    """What a store holds after so many evenings, none of them cut short."""
    for number in range(evenings):
        assert [outcome.state for outcome in evening(path, number, pairs)] == ["stored"] * len(pairs)
    return whole(path)


def whole(path):
    """The file passes SQLite's check, and every batch in it is complete and there once.

    Returns the batches: by pair and session their numbers; with their checksums, which cover numbers and inputs.
    """
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        heads = db.execute(
            "SELECT p.a, p.b, x.session, x.revision, x.taken_at, x.as_of, x.checksum, x.id,"
            " (SELECT count(*) FROM readings r WHERE r.batch = x.id) FROM batches x JOIN pairs p ON p.id = x.pair"
        ).fetchall()
        strays = db.execute(
            "SELECT count(*) FROM inputs WHERE id NOT IN (SELECT a FROM batches UNION SELECT b FROM batches)"
        )
        assert strays.fetchone() == (0,)
        assert db.execute("SELECT count(*) FROM readings WHERE batch NOT IN (SELECT id FROM batches)").fetchone() == (
            0,
        )
    assert {revision for _, _, _, revision, *_ in heads} <= {1}, "the same inputs make no second revision"
    assert len({head[:3] for head in heads}) == len(heads)
    assert len({head[-1] for head in heads}) <= 1, "every batch has all its numbers"
    return {head[:7]: head[7] for head in heads}


def assert_readable(path, numbers):
    """These snapshots and their inputs agree with every checksum."""
    store = Store(path)
    left = set(numbers)
    for a, b, _ in store.pairs():
        for snapshot in store.snapshots(a, b, Question(FIRST.item(), Window.parse("21b"), 1)):
            if snapshot.id in left:
                left.remove(snapshot.id)
                assert len(store.numbers(snapshot).values) > 50
                assert [history.series.dates[-1].item() for history in store.inputs(snapshot)] == [snapshot.session] * 2
    assert not left


def together(code, path, count=TOGETHER):
    """Run `code` in so many processes at once; what they say, line by line."""
    process = start(SETUP + COPIES, path, count, code)
    said, complaints = process.communicate(timeout=120)
    assert (process.returncode, complaints) == (0, "")
    return said.splitlines()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / FILE_NAME


# ---------------------------------------------------------------- many at once


def test_twenty_processes_that_take_the_same_pairs_store_each_once(path, tmp_path):
    said = together(
        """
for outcome in evening(path, 0, EVERY[:10]):
    say(outcome.state, outcome.error or "")
""",
        path,
    )
    assert sorted(set(said)) == ["known ", "stored "]
    assert said.count("stored ") == 10
    assert len(said) == 10 * TOGETHER
    assert whole(path).keys() == undisturbed(tmp_path / "alone" / FILE_NAME, 1, EVERY[:10]).keys()
    kinds = [line.kind for line in Store(path).journal()]
    assert (kinds.count("began"), kinds.count("ended")) == (TOGETHER, TOGETHER)
    assert path.stat().st_mode & 0o777 == 0o600


def test_twenty_processes_that_take_different_pairs_lose_none(path, tmp_path):
    said = together(
        """
for outcome in evening(path, 0, EVERY[2 * me : 2 * me + 2]):
    say(outcome.state, outcome.error or "")
""",
        path,
    )
    assert said == ["stored "] * (2 * TOGETHER)
    assert whole(path).keys() == undisturbed(tmp_path / "alone" / FILE_NAME, 1, EVERY[: 2 * TOGETHER]).keys()


def test_a_reader_among_writers_sees_whole_snapshots_and_no_error(path):
    code = """
asked = Question(FIRST.item(), Window.parse("21b"), 1)
for number in range(6):
    if me % 2:
        for outcome in evening(path, number):
            assert not outcome.error, outcome.error
    else:
        for pair in PAIRS:
            record = Store(path).record(*pair, asked)
            assert not record.snapshots or record.values.shape[1] > 50
            assert not np.isnan(record.values[:, [name.key == "correlation" for name in record.names]]).any()
        left_behind(Store(path), 2e9)
"""
    together(code, path, 4)
    assert len(whole(path)) == 6 * len(PAIRS)


# ---------------------------------------------------------------- kill -9

# Forks, lets the copy take evenings from a given one on, and kills it after so many seconds; one line for each.
KILLED_COPIES = """
say("ready")
for line in sys.stdin:
    seconds, first = line.split()
    child = os.fork()
    if not child:
        for number in itertools.count(int(first)):
            for outcome in evening(path, number):
                say("told" if outcome.snapshot else outcome.error, number, outcome.snapshot.id)
            say("ended", number, 0)
    sleep(float(seconds))
    os.kill(child, 9)
    os.waitpid(child, 0)
    say("killed")
"""


def test_a_run_killed_at_any_moment_loses_no_snapshot_that_it_has_told_and_leaves_no_part_of_one(path, tmp_path):
    rng = random.Random(9)  # noqa: S311 - the same moments, as far as a clock allows
    runs = [start(SETUP + KILLED_COPIES, path, me) for me in range(2)]  # both take the same pairs
    assert [run.stdout.readline() for run in runs] == ["ready\n"] * 2
    told, begun, ended = set(), 0, 0
    for _ in range(-(-KILLS // 2)):
        for run in runs:
            run.stdin.write(f"{rng.uniform(0.005, 0.4)} {ended}\n")
            run.stdin.flush()
        fresh = set()
        for run in runs:
            for line in iter(run.stdout.readline, "killed\n"):
                word, number, snapshot = line.split()
                assert word in ("told", "ended")
                if word == "told":
                    fresh.add(int(snapshot))
                begun, ended = max(begun, int(number)), max(ended, int(number) + (word == "ended"))
        told |= fresh
        if path.exists():
            found = set(whole(path).values()) if path.stat().st_size else set()
            assert told <= found
            assert_readable(path, fresh)
    assert [run.communicate()[1] for run in runs] == ["", ""]
    assert told, "no snapshot was ever stored"
    # A last run, which nobody disturbs, takes what is missing; then nothing tells that any was killed.
    for number in range(begun + 1):
        assert {outcome.state for outcome in evening(path, number)} <= {"known", "stored"}
    assert whole(path).keys() == undisturbed(tmp_path / "undisturbed" / FILE_NAME, begun + 1).keys()
    assert_readable(path, whole(path).values())


@pytest.mark.skipif(not shutil.which("strace"), reason="needs strace, to kill at a given system call")
@pytest.mark.parametrize(("call", "step"), [("pwrite64", 4), ("fdatasync", 1), ("unlink", 1)])
def test_a_run_killed_at_a_system_call_leaves_a_snapshot_or_none(path, tmp_path, call, step):
    code = """
class Waiting(Store):
    def append(self, taken):
        wait()
        return super().append(taken)
for outcome in evening(path, 1, PAIRS[:1], Waiting):
    say(outcome.state)
    os._exit(0)
"""
    before = undisturbed(path, 1, PAIRS[:1])
    after = undisturbed(tmp_path / "undisturbed" / FILE_NAME, 2, PAIRS[:1])
    original = path.read_bytes()
    for when in itertools.count(1, step):
        path.write_bytes(original)
        path.with_name(f"{path.name}-journal").unlink(missing_ok=True)
        process = start(SETUP + code, path, 0)
        assert process.stdout.readline() == "ready\n"
        kill = ("-e", f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when={when}")
        command = ["strace", "-f", "-o", os.devnull, *kill, "-p", str(process.pid)]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as strace:
            attached = "attached" in strace.stderr.readline()
            said, _ = process.communicate("\n", timeout=60)
        if not attached:
            pytest.skip("nothing may be traced here")
        found = whole(path)
        assert found.keys() in (before.keys(), after.keys())
        if "stored" in said:
            assert found.keys() == after.keys()
        if process.returncode == 0:
            break
        assert process.returncode == -9
        assert [outcome.error for outcome in evening(path, 1, PAIRS[:1])] == [None]
        assert whole(path).keys() == after.keys()
    assert when > 1, "never killed"


# ---------------------------------------------------------------- no room


@pytest.fixture
def small_disk(tmp_path):
    """A file system of two megabytes."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "pairwatch-test", str(folder)]
    if os.geteuid() or not shutil.which("mount") or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("needs the right to mount")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def snapshot(folder, *args, **more):
    """`pairwatch snapshot` with its store in a folder."""
    environ = {**os.environ, "PAIRWATCH_DATA_DIR": str(folder)}
    return program("snapshot", *args, env=environ, **more)


def stored(folder):
    return whole(folder / FILE_NAME).keys()


def documents(text):
    """The JSON documents of a stream."""
    found, at = [], 0
    while at < len(text.rstrip()):
        document, at = json.JSONDecoder().raw_decode(text, at)
        found.append(document)
        at += len(text[at:]) - len(text[at:].lstrip())
    return found


def test_a_full_disk_is_exit_7_with_the_numbers_and_with_room_the_next_run_stores(small_disk):
    assert snapshot(small_disk, "demo:TWIN1", "demo:TWIN2").returncode == 0
    before = stored(small_disk)
    filler = small_disk / "filler"
    with pytest.raises(OSError, match="No space left"):
        filler.write_bytes(bytes(2**21))
    done = snapshot(small_disk, "demo:LEADER", "demo:FOLLOWER")
    assert done.returncode == 7
    assert [document["pair"]["correlation"] for document in documents(done.stdout.decode())]
    assert "the disk is full" in two_lines(done.stderr.decode())[0]
    assert stored(small_disk) == before
    filler.unlink()
    again = snapshot(small_disk, "demo:LEADER", "demo:FOLLOWER", "--json")
    assert again.returncode == 0
    assert json.loads(again.stdout)[0]["outcome"] == "stored"
    assert len(stored(small_disk)) == 2


LIMITED = """
import os, resource, sys
limit = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
os.execv(sys.argv[2], sys.argv[2:])
"""


@pytest.mark.parametrize("room", [0, 4096, 65536])
def test_a_file_that_may_not_grow_is_exit_7_with_the_numbers_and_stays_as_it_was(tmp_path, room):
    assert snapshot(tmp_path, "demo:TWIN1", "demo:TWIN2").returncode == 0
    before = stored(tmp_path)
    limit = (tmp_path / FILE_NAME).stat().st_size + room
    line = (sys.executable, "-c", LIMITED, str(limit), *PROGRAM, "snapshot", "demo:LEADER", "demo:FOLLOWER")
    environ = {**os.environ, "PAIRWATCH_DATA_DIR": str(tmp_path)}
    done = subprocess.run(line, env=environ, capture_output=True, check=False, timeout=60)
    assert done.returncode == 7
    assert [document["leadership"]["lag"] for document in documents(done.stdout.decode())] == [2]
    two_lines(done.stderr.decode())
    assert stored(tmp_path) == before
    assert snapshot(tmp_path, "demo:LEADER", "demo:FOLLOWER").returncode == 0
    assert len(stored(tmp_path)) == 2


# ---------------------------------------------------------------- asked to end


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["INT", "TERM"])
def test_a_run_that_is_asked_to_end_keeps_what_it_had_stored_and_the_next_one_says_so(tmp_path, how, code):
    fifo = tmp_path / "endless.csv"
    os.mkfifo(fifo)
    config = tmp_path / "config.toml"
    config.write_text(f'watchlist = [["demo:TWIN1", "demo:TWIN2"], ["csv:{fifo}", "demo:TWIN1"]]\n')
    environ = {**os.environ, "PAIRWATCH_DATA_DIR": str(tmp_path), "PAIRWATCH_CONFIG": str(config)}
    line = (*PROGRAM, "snapshot")
    with (
        subprocess.Popen(line, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process,
        fifo.open("wb"),  # waits until the program reads the third leg
    ):
        process.send_signal(how)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (code, b"")
    assert err == (b"interrupted\n" if code == 130 else b"")
    assert len(stored(tmp_path)) == 1
    assert [row.kind for row in Store(tmp_path / FILE_NAME).journal()] == ["began"]
    done = snapshot(tmp_path, "demo:TWIN1", "demo:TWIN2")
    assert done.returncode == 0
    assert "was cut short; what it had stored is kept" in done.stderr.decode()
    assert left_behind(Store(tmp_path / FILE_NAME), 2e9) == []
