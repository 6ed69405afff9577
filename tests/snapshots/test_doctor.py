"""The doctor finds what is wrong with a store, changes nothing, and copes with files beyond repair."""

import os
import shutil
import sqlite3
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from tests import builders
from tests.builders import FRIDAY
from tests.snapshots.stores import at, filled, leg, pair, question, taken

from pairwatch.conditions import Rule
from pairwatch.errors import UsageError
from pairwatch.expressions import parse
from pairwatch.model import Leg
from pairwatch.receipts import as_of
from pairwatch.snapshots import FILE_NAME, Store, doctor, place
from pairwatch.snapshots.doctor import examine
from pairwatch.snapshots.outbox import Letter, Outbox
from pairwatch.snapshots.watching import Seen, Watch

RECORDED = Path(__file__).parent / "recorded" / "schema-1.db"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / FILE_NAME


@pytest.fixture
def store(path):
    return filled(path)


def told(store, severity=None, today=FRIDAY):
    """What is found, and that finding it changes nothing."""
    before = {file: file.read_bytes() for file in store.path.parent.glob("*") if file.is_file()}
    found = examine(store, today)
    assert {file: file.read_bytes() for file in store.path.parent.glob("*") if file.is_file()} == before
    assert all(finding.what and "\n" not in finding.what for finding in found)
    return [finding.what for finding in found if severity in (None, finding.severity)]


def changed(store, *statements):
    db = sqlite3.connect(store.path, isolation_level=None)
    for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type='trigger'").fetchall():
        db.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        db.execute(statement)
    db.close()


def test_a_store_that_is_well_has_notes_alone(store):
    assert told(store, "error") == told(store, "warning") == []
    assert told(store)[-1] == "7 snapshots of 2 pairs, 2026-11-18 to 2026-11-20"


def test_a_store_that_is_not_there_is_a_note_and_is_not_made(path):
    assert told(Store(path)) == ["there is no file yet"]
    assert not path.parent.exists()


def test_a_file_that_is_not_laid_out_is_a_note(path):
    path.parent.mkdir(mode=0o700)
    path.touch(mode=0o600)
    assert "there are no snapshots yet" in told(Store(path), "note")
    assert told(Store(path), "error") == []


def test_a_store_of_an_earlier_schema_is_looked_at_and_not_brought_up(path):
    path.parent.mkdir(mode=0o700)
    shutil.copy(RECORDED, path)
    path.chmod(0o600)
    found = told(Store(path))
    assert "the file is of schema 1, and this pairwatch has 2" in found
    assert "7 snapshots of 2 pairs, 2026-11-18 to 2026-11-20" in found
    assert told(Store(path), "error") == []


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE readings SET value = 5 WHERE batch = 1 AND statistic = 2", "snapshot 1: checksum of AAA BBB"),
        ("DELETE FROM readings WHERE batch = 3", "snapshot 3: checksum of AAA BBB"),
        ("INSERT INTO readings VALUES (99, 1, 1.0)", "a row of readings"),
        ("UPDATE chunks SET data = x'00' WHERE id = 2", "chunk 2 does not agree with its hash"),
        ("UPDATE inputs SET told = '' WHERE id = 1", "inputs 1 of yahoo:AAA do not agree"),
        ("UPDATE inputs SET content = x'00' WHERE id = 1", "inputs 1 of yahoo:AAA do not agree"),
        ("DELETE FROM batches WHERE revision = 1 AND session = '2026-11-20'", "AAA BBB 2026-11-20: a revision is miss"),
    ],
)
def test_what_has_been_lost_is_an_error(store, statement, what):
    changed(store, statement)
    found = told(store, "error")
    assert any(what in line for line in found), found


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("INSERT INTO chunks VALUES (999, x'00', x'00')", "1 row of chunks that no snapshot was made of"),
        (
            "INSERT INTO inputs SELECT 99, x'99', content, leg, closes, events, facts, told FROM inputs WHERE id = 1",
            "1 row of inputs that no",
        ),
    ],
)
def test_what_nothing_refers_to_is_a_warning(store, statement, what):
    changed(store, statement)
    assert any(what in line for line in told(store, "warning"))


def test_many_of_a_kind_are_counted(store):
    changed(store, "UPDATE chunks SET data = x'00'")
    found = [line for line in told(store, "error") if line.startswith("chunk") or line.endswith("chunks")]
    assert len(found) == 11
    assert found[-1].endswith("more chunks")


def test_what_is_stored_twice_is_a_warning(store):
    """As an index that has lost an entry would have it."""
    db = sqlite3.connect(store.path, isolation_level=None)
    db.execute("PRAGMA writable_schema=ON")
    db.execute("UPDATE sqlite_schema SET sql = replace(sql, 'UNIQUE', '') WHERE name = 'chunks'")
    db.execute("DELETE FROM sqlite_schema WHERE name = 'sqlite_autoindex_chunks_1'")
    db.close()
    db = sqlite3.connect(store.path, isolation_level=None)
    db.execute("INSERT INTO chunks SELECT 999, hash, data FROM chunks WHERE id = 1")
    db.close()
    assert "1 row of chunks stored twice" in told(store, "warning")


def test_a_snapshot_from_the_future_is_a_warning(store):
    store.append(taken(leg("AAA"), leg("BBB"), question("30b"), at(FRIDAY + timedelta(days=4))))
    assert "1 snapshot from the future" in told(store, "warning")
    assert told(store, "warning", FRIDAY + timedelta(days=4)) == []


def test_a_run_that_did_not_end_is_a_warning_until_another_one_has(store):
    store.note("began", at(FRIDAY) + 60, '{"pairs": 9, "pid": 4}')
    assert told(store, "warning") == ["the last run, of 2026-11-20 22:01 UTC, has not ended"]
    store.note("ended", at(FRIDAY) + 90, "{}", store.note("began", at(FRIDAY) + 90))
    assert told(store, "warning") == []


def test_a_run_of_no_day_is_a_warning_all_the_same(store):
    store.note("began", 1e300)
    assert told(store, "warning") == ["the last run, of an unknown day, has not ended"]
    assert told(store, "error") == []


def watched(store):
    """A rule that has cried, and a letter that was sent."""
    Watch(store).judge([Rule("odd", parse("beta > 1", {"beta": ("pair",)}))], seen())
    outbox = Outbox(store)
    letter = outbox.put(Letter("digest 1", "me", at(FRIDAY), "s", "t", "h"))
    outbox.claim(letter.id, at(FRIDAY))


def seen():
    return Seen(Leg("yahoo", "AAA"), Leg("yahoo", "BBB"), question(), FRIDAY, at(FRIDAY), lambda scope, key: 2.0)


def test_rules_and_messages_that_are_well_are_nothing_to_speak_of(store):
    watched(store)
    assert told(store, "error") == told(store, "warning") == []


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE states SET state = replace(state, 'true', 'false')", "how a rule stands is damaged: odd of yahoo:AAA"),
        ("UPDATE states SET state = x'00ff'", "how a rule stands is damaged: odd of yahoo:AAA"),
        ("UPDATE changes SET at = 'noon'", "row 1 of changes"),
        ("UPDATE changes SET session = '2026-02-31'", "row 1 of changes"),
        ("UPDATE changes SET change = 'begun'", "row 1 of changes"),
        ("UPDATE messages SET text = x'00'", "row 1 of messages"),
        ("UPDATE attempts SET outcome = 'lost'", "row 1 of attempts"),
        ("INSERT INTO journal VALUES (77, 'x', 1.0, 'ended', '')", "row 77 of journal"),
        ("INSERT INTO journal VALUES (77, 1, 'noon', 'ended', '')", "row 77 of journal"),
    ],
)
def test_what_is_known_of_rules_messages_and_runs_is_looked_at(store, statement, what):
    watched(store)
    changed(store, statement)
    found = told(store, "error")
    assert any(line.startswith(what) for line in found), found


def test_failures_of_the_last_days_are_counted_and_older_ones_are_not(store):
    for days in (90, 3, 1):
        detail = '{"a": "QQQ", "b": "IWM", "message": "QQQ: throttled"}'
        store.note("failed", at(FRIDAY - timedelta(days=days)), detail)
    assert "2 failures in the last 30 days, the newest 2026-11-19 22:00 UTC: QQQ: throttled" in told(store, "note")


def test_sessions_that_nobody_took_are_named_with_what_fills_them(path):
    store = Store(path)
    for back in (7, 4, 0):
        store.append(pair(FRIDAY - timedelta(days=back)))
    (found,) = [finding for finding in examine(store, FRIDAY) if finding.severity == "warning"]
    assert found.what == "AAA BBB: 3 sessions without a snapshot: 2026-11-17, 2026-11-18, 2026-11-19"
    assert found.hint == "`pairwatch history AAA BBB --recompute` shows them"


def test_sessions_that_nobody_took_long_ago_are_one_note(path):
    store = Store(path)
    for back in (7, 4, 0):
        store.append(pair(FRIDAY - timedelta(days=back)))
    later = FRIDAY + timedelta(days=40)
    assert told(store, "warning", later) == []
    assert "3 sessions of 1 pair without a snapshot, over 30 days ago" in told(store, "note", later)


# ---------------------------------------------------------------- the file and its place


@pytest.mark.parametrize(
    ("mode", "folder", "what"),
    [
        (0o644, 0o700, "others may read or write the file (mode 644)"),
        (0o600, 0o777, "others may replace what is in its folder (mode 777)"),
    ],
)
def test_what_others_may_do_is_a_warning(store, mode, folder, what):
    store.path.chmod(mode)
    store.path.parent.chmod(folder)
    assert told(store, "warning") == [what]


def test_another_owner_is_a_warning(store):
    if os.geteuid():
        pytest.skip("only root may give a file away")
    os.chown(store.path, 12345, -1)
    assert told(store, "warning") == ["the file belongs to another user (number 12345)"]


def test_a_file_system_without_locks_is_a_warning(store, monkeypatch):
    monkeypatch.setattr(place, "_file_system", lambda _: "nfs4")
    assert told(store, "warning") == ["the file is on a nfs4 file system, whose locks cannot be relied on"]


def test_the_kind_of_a_file_system_is_that_of_the_nearest_mount(small_disk):
    if not Path("/proc/self/mounts").exists():
        pytest.skip("the kernel says nothing of mounts")
    assert place._file_system(small_disk / "folder" / "file") == "tmpfs"


def test_little_room_is_a_warning(small_disk):
    (only,) = told(filled(small_disk / FILE_NAME, 1), "warning")
    assert only.startswith("little room: 0.1 MB are free")


@pytest.mark.parametrize(
    ("rest", "severity", "what"),
    [
        (".schema-1", "note", "(0.0 MB) is a copy from before an upgrade"),
        (".schema-1.0123456789abcdef", "note", "(0.0 MB) is an upgrade cut short"),
        ("-shm", "warning", "another program has opened the file in its own way"),
    ],
)
def test_what_lies_beside_the_file_is_told(store, rest, severity, what):
    store.path.with_name(f"{FILE_NAME}{rest}").write_bytes(b"x" * 10)
    assert any(line.endswith(what) for line in told(store, severity))


# ---------------------------------------------------------------- beyond repair


@pytest.mark.parametrize("content", [b"garbage" * 1000, b"xy", b"SQLite format 3\x00" + b"z" * 84, bytes(4096)])
def test_a_file_that_is_none_is_an_error_with_advice(path, content):
    path.parent.mkdir(mode=0o700)
    path.write_bytes(content)
    path.chmod(0o600)
    (found,) = [finding for finding in examine(Store(path), FRIDAY) if finding.severity == "error"]
    assert found.what.startswith("the file cannot be")
    assert path.read_bytes() == content


def test_half_a_file_still_gets_what_can_be_said(store):
    size = store.path.stat().st_size
    os.truncate(store.path, size // 8192 * 4096)
    found = [finding for finding in examine(store, FRIDAY) if finding.severity == "error"]
    assert found
    assert all(".recover" in finding.hint for finding in found)


def test_a_table_that_is_gone_keeps_nothing_else_from_being_looked_at(store):
    changed(store, "DROP TABLE journal")
    assert told(store, "error") == ["the journal cannot be read: no such table: journal"]
    assert told(store)[-1].startswith("7 snapshots")


def test_another_programs_file_is_an_error_and_not_damage(path):
    path.parent.mkdir(mode=0o700)
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE t (a)")
    db.close()
    assert told(Store(path), "error") == ["the file cannot be used: it belongs to another program"]


def test_a_folder_in_place_of_the_file_is_an_error(path):
    path.mkdir(parents=True)
    assert "it is no file" in [finding.what for finding in examine(Store(path), FRIDAY)]


def test_a_file_that_is_locked_is_no_loss(store, monkeypatch):
    monkeypatch.setattr("pairwatch.database.LOCK_TIMEOUT", 0.05)
    db = sqlite3.connect(store.path, isolation_level=None)
    db.execute("BEGIN EXCLUSIVE")
    (found,) = [finding for finding in examine(store, FRIDAY) if finding.severity == "error"]
    db.close()
    assert (found.what, found.hint) == ("the file cannot be read: database is locked", "run again later")


def lined_up(a, b, day, how="date", window="61b"):
    return taken(as_of(a, day), as_of(b, day), replace(question(window, day), align=how))


def test_the_sessions_of_a_monthly_leg_are_its_months(path):
    store, daily = Store(path), leg("BBB", n=1500)
    months = (np.arange("2022-01", "2026-11", dtype="M8[M]") + 1).astype("M8[D]") - 1
    monthly = builders.history(np.linspace(1.0, 2.0, len(months)) ** 0.3, months, symbol="AAA", frequency="month")
    for day in (date(2026, 8, 31), date(2026, 10, 31)):
        store.append(lined_up(monthly, daily, day, window="30b"))
    assert told(store, "warning", date(2026, 10, 31)) == []
    assert "1 session of 1 pair without a snapshot, over 30 days ago" in told(store, "note", date(2026, 11, 20))


@pytest.mark.parametrize("how", ["nearest", "two-day"])
def test_the_sessions_are_those_of_the_way_to_line_up(path, how):
    store = Store(path)
    a, b = builders.told_at_two_clocks(builders.TOKYO, builders.NEW_YORK, 150, seed=1)
    for back in (3, 0):
        store.append(lined_up(a, b, FRIDAY - timedelta(days=back), how))
    assert told(store, "warning") == ["AAA BBB: 2 sessions without a snapshot: 2026-11-18, 2026-11-19"]


def test_a_pair_whose_sessions_cannot_be_told_keeps_nothing_else_from_being_looked_at(path, monkeypatch):
    def refuses(a, b, how):
        raise UsageError("no such way")

    store = filled(path)
    monkeypatch.setattr(doctor, "sessions", refuses)
    found = told(store)
    assert "AAA BBB: sessions without a snapshot are not looked for: no such way" in found
    assert found[-1] == "7 snapshots of 2 pairs, 2026-11-18 to 2026-11-20"
