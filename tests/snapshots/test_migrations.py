"""A store of an earlier schema is brought up on first use, whole, with a copy of it left beside.

`recorded/schema-1.db` was written by the first version of the store: two pairs, three evenings, one late revision.
"""

import itertools
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from tests.snapshots.processes import PATHS, process, read_only

from pairwatch import pairs
from pairwatch.database import Database
from pairwatch.errors import StoreError
from pairwatch.model import Leg, Window
from pairwatch.snapshots import FILE_NAME, Store, Taken, rows, schema
from pairwatch.snapshots.batch import Named, as_stored
from pairwatch.snapshots.inputs import packed
from pairwatch.snapshots.store import back_up
from pairwatch.staging import Question

RECORDED = Path(__file__).parent / "recorded" / "schema-1.db"
TABLES = ("pairs", "statistics", "chunks", "inputs", "batches", "readings", "journal")
A, B = Leg("yahoo", "AAA"), Leg("yahoo", "BBB")
ASKED = Question(date(2026, 11, 20), Window(90, "d"), 5)
# Made in another way since: intervals that hold for fat tails and clusters of volatility.
ANEW = {f"{key}_{end}" for key in ("correlation", "beta", "tightness") for end in ("low", "high")}


@pytest.fixture
def path(tmp_path):
    """A copy of a store of schema 1."""
    copy = tmp_path / "data" / FILE_NAME
    copy.parent.mkdir(mode=0o700)
    shutil.copy(RECORDED, copy)
    copy.chmod(0o600)
    return copy


def content(path):
    """Every row of the tables of schema 1, and the schema."""
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    found = {table: db.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES}  # noqa: S608
    (version,) = db.execute("PRAGMA user_version").fetchone()
    assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    db.close()
    return version, found


BEFORE = content(RECORDED)


def assert_brought_up(path):
    version, found = content(path)
    assert version == len(schema.STEPS)
    assert found == BEFORE[1]
    copy = path.with_name(f"{FILE_NAME}.schema-1")
    assert content(copy) == BEFORE
    assert stat.S_IMODE(copy.stat().st_mode) == stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_recorded_store_is_of_schema_1():
    assert BEFORE[0] == 1
    assert {table: len(rows) for table, rows in BEFORE[1].items()}["batches"] == 7


@pytest.mark.parametrize("use", [Store.pairs, Store.journal])
def test_an_earlier_schema_is_brought_up_on_first_use(path, use):
    use(Store(path))
    db = sqlite3.connect(path)
    assert db.execute("SELECT count(*) FROM messages").fetchone() == (0,)
    db.close()
    assert sorted(file.name for file in path.parent.iterdir()) == [FILE_NAME, f"{FILE_NAME}.schema-1"]
    assert_brought_up(path)


def test_an_earlier_schema_is_brought_up_by_what_writes_first(path):
    assert Store(path).note("began", 1.0) == 3
    assert content(path)[1]["batches"] == BEFORE[1]["batches"]
    assert content(path.with_name(f"{FILE_NAME}.schema-1")) == BEFORE


def test_everything_that_it_held_is_held(path):
    store = Store(path)
    found = store.snapshots(A, B, ASKED, all_revisions=True)
    assert [str(one) for one in found] == ["2026-11-18", "2026-11-19", "2026-11-20", "2026-11-20.2"]
    for one in found:
        said, told = store.numbers(one), pairs.compare(*store.inputs(one), one.question)
        now = {
            Named(r.scope, r.statistic.key, r.unit): v
            for r, v in zip(told, as_stored(r.value for r in told), strict=True)
        }
        # Those that a later version no longer has, or has anew, are not compared.
        was = {
            name: value
            for name, value in zip(said.names, said.values, strict=True)
            if name in now and name.key not in ANEW
        }
        assert len(was) > 60
        assert was == pytest.approx({name: now[name] for name in was}, rel=1e-9, nan_ok=True)
    assert [(line.kind, line.run, line.at) for line in store.journal()] == [
        ("began", None, 1790000000.0),
        ("ended", 1, 1790000005.0),
    ]
    assert_brought_up(path)


def test_a_store_that_was_brought_up_is_as_one_that_was_always_so(path, tmp_path):
    Store(path).pairs()
    Store(tmp_path / "new").note("began", 1.0)
    assert laid_out(path) == laid_out(tmp_path / "new")


def laid_out(path):
    db = sqlite3.connect(path)
    found = set(db.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema").fetchall())
    db.close()
    return found


def test_a_copy_that_is_there_already_is_kept(path):
    copy = path.with_name(f"{FILE_NAME}.schema-1")
    copy.write_bytes(b"mine")
    Store(path).pairs()
    assert copy.read_bytes() == b"mine"


def test_no_copy_is_made_of_a_file_that_another_process_has_brought_up_meanwhile(path):
    Store(path).pairs()
    copy = path.with_name("copy")
    back_up(Database(path, schema.APPLICATION_ID, schema.STEPS), copy, 1)
    assert not copy.exists()
    assert sorted(file.name for file in path.parent.iterdir()) == [FILE_NAME, f"{FILE_NAME}.schema-1"]


def test_a_step_fails_on_a_file_that_has_seen_it(tmp_path):
    """Or a flipped bit in the number of the schema would make it be taken twice."""
    store = Store(tmp_path / FILE_NAME)
    store.note("began", 1.0)
    for version in range(1, len(schema.STEPS)):
        db = sqlite3.connect(store.path, isolation_level=None)
        db.execute(f"PRAGMA user_version={version}")
        db.close()
        before = store.path.read_bytes()
        with pytest.raises(StoreError, match="are damaged"):
            store.journal()
        assert store.path.read_bytes() == before


def test_the_first_step_is_what_it_was_when_it_was_released(tmp_path):
    db = sqlite3.connect(RECORDED)
    recorded_then = set(db.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall())
    db.close()
    with Database(tmp_path / "none", schema.APPLICATION_ID, schema.STEPS[:1]).empty() as db:
        assert set(db.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()) == recorded_then


# ---------------------------------------------------------------- not alone, and not to the end


def test_processes_that_meet_an_earlier_schema_at_once_bring_it_up_once(path):
    code = "from tests.snapshots.stores import *; import sys; from pathlib import Path; sys.stdin.readline();"
    code += "print(len(Store(Path(sys.argv[1])).pairs()))"
    together = [process(code, path, stdin=subprocess.PIPE) for _ in range(4)]
    assert [one.communicate("\n", timeout=60) for one in together] == [("2\n", "")] * 4
    assert_brought_up(path)
    assert len(list(path.parent.iterdir())) == 2


@pytest.mark.skipif(not shutil.which("strace"), reason="needs strace, to kill at a given system call")
@pytest.mark.parametrize(
    ("call", "step"), [("pwrite64", 13), ("fdatasync", 1), ("fsync", 1), ("unlink", 1), ("rename", 1)]
)
def test_a_process_killed_in_the_middle_leaves_the_old_store_or_the_new_one(path, call, step):
    code = (
        "import sys; from pathlib import Path; from pairwatch.snapshots import Store; Store(Path(sys.argv[1])).pairs()"
    )
    for when in itertools.count(1, step):
        shutil.rmtree(path.parent)
        path.parent.mkdir()
        shutil.copy(RECORDED, path)
        path.chmod(0o600)
        kill = ("-e", f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when={when}")
        command = ["strace", "-f", "-o", os.devnull, *kill, sys.executable, "-c", code, str(path)]
        done = subprocess.run(command, env={**os.environ, **PATHS}, capture_output=True, text=True, check=False)
        if "ptrace" in done.stderr:
            pytest.skip("nothing may be traced here")
        with sqlite3.connect(path) as db:  # completes what is to be completed, as the next run would
            db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        db.close()
        version, found = content(path)
        assert (version, found) in (BEFORE, (len(schema.STEPS), BEFORE[1]))
        assert version == 1 or path.with_name(f"{FILE_NAME}.schema-1").exists()
        assert len(Store(path).pairs()) == 2
        assert_brought_up(path)
        if done.returncode == 0:
            break
    assert when > 1 or call == "rename", "never killed"


def test_an_old_file_on_a_disk_that_is_read_only_says_what_to_do(small_disk):
    path = small_disk / FILE_NAME
    shutil.copy(RECORDED, path)
    read_only(small_disk)
    with pytest.raises(StoreError, match="are of schema 1 and cannot be brought up to") as met:
        Store(path).pairs()
    assert met.value.hint == "run once as who may write to the file and its folder; nothing was changed"
    assert content(path) == BEFORE


def test_an_old_file_without_room_for_its_copy_stays_as_it_is(small_disk):
    path = small_disk / FILE_NAME
    shutil.copy(RECORDED, path)
    (small_disk / "filler").write_bytes(bytes(60_000))
    with pytest.raises(StoreError, match=r"the disk is full|cannot be used"):
        Store(path).pairs()
    assert content(path) == BEFORE
    assert sorted(file.name for file in small_disk.iterdir()) == ["filler", FILE_NAME]


def test_inputs_of_an_earlier_schema_are_as_they_were(path):
    store = Store(path)
    last = store.latest(A, B, ASKED)
    histories = store.inputs(last)
    assert [str(history.series.leg) for history in histories] == ["AAA", "BBB"]
    assert histories[0].series.dates[-1] == last.session


def test_a_leg_of_an_earlier_schema_goes_on_as_the_same_leg(path):
    """Or each would be stored anew: closes and events have the hashes that they had."""
    store = Store(path)
    last = store.latest(A, B, ASKED)
    histories = store.inputs(last)
    with store.reading() as db:
        (head,) = rows.heads(db, "WHERE x.id=?", (last.id,))
    assert tuple(packed(history).content for history in histories) == head.contents
    asked = replace(ASKED, as_of=last.session)
    again = store.append(Taken(pairs.compare(*histories, asked), asked, *histories, last.taken_at + 60))
    assert again.snapshot.session == last.session
    assert [str(one) for one in store.snapshots(A, B, ASKED)][-1] == str(again.snapshot)
