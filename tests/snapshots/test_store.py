"""The store: what is put in comes out, once, for good; and a file that cannot be used is refused."""

import errno
import os
import re
import shutil
import sqlite3
import stat
import subprocess
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from tests import builders
from tests.builders import FRIDAY
from tests.snapshots.processes import process, read_only
from tests.snapshots.stores import answers, at, filled, leg, pair, question, recorded, revised, taken

from pairwatch.errors import StoreError
from pairwatch.model import Leg
from pairwatch.snapshots import FILE_NAME, Store, rows, schema

PAIR = (leg("AAA").series.leg, leg("BBB").series.leg)
NEVER_CHANGED = ("pairs", "statistics", "chunks", "inputs", "batches", "readings", "journal")
LATER = {
    "changes": "1, 'rule', 1, '2026-11-20', 1, 'on', 'because'",
    "messages": "1, 'key', 'recipient', 1, 'subject', 'text', 'html'",
    "attempts": "1, 1, 1, 'outcome', 'detail'",
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / FILE_NAME


@pytest.fixture
def store(path):
    return Store(path)


def count(path, table):
    db = sqlite3.connect(path)
    (found,) = db.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608
    db.close()
    return found


# ---------------------------------------------------------------- once


def test_the_same_inputs_are_stored_once(store):
    first = store.append(pair())
    again = store.append(pair()._replace(at=at(FRIDAY) + 3600))
    assert (first.is_new, again.is_new) == (True, False)
    assert again.snapshot == first.snapshot
    assert first.snapshot.taken_at == at(FRIDAY)
    assert store.snapshots(*PAIR, question(), all_revisions=True) == (first.snapshot,)


def test_processes_that_store_the_same_at_once_store_it_once(path):
    code = "from tests.snapshots.stores import *; import sys; from pathlib import Path;"
    code += "taken = pair(); sys.stdin.readline(); print(Store(Path(sys.argv[1])).append(taken).is_new)"
    together = [process(code, path, stdin=subprocess.PIPE) for _ in range(4)]
    told = [one.communicate("\n", timeout=60) for one in together]
    assert sorted(out for out, _ in told) == ["False\n"] * 3 + ["True\n"], told
    assert count(path, "batches") == 1


@pytest.mark.parametrize("side", ["a", "b"])
def test_a_close_that_the_provider_has_changed_is_a_new_revision(store, side):
    store.append(pair())
    changed = {"a": leg("AAA"), "b": leg("BBB")}
    changed[side] = revised(changed[side])
    found = store.append(taken(**changed))
    assert (found.is_new, found.snapshot.revision, str(found.snapshot)) == (True, 2, "2026-11-20.2")
    assert [one.revision for one in store.snapshots(*PAIR, question(), all_revisions=True)] == [1, 2]
    assert store.snapshots(*PAIR, question()) == (found.snapshot,)
    assert store.latest(*PAIR, question()) == found.snapshot


def test_a_close_outside_the_window_that_has_changed_is_a_new_revision_too(store):
    store.append(pair())
    assert store.append(taken(revised(leg("AAA"), bar=0), leg("BBB"))).snapshot.revision == 2


def test_an_event_that_has_been_added_is_a_new_revision(store):
    store.append(pair())
    more = leg("AAA", events=(*leg("AAA").series.events, builders.event("2026-09-01", 0.1)))
    assert store.append(taken(more, leg("BBB"))).snapshot.revision == 2


def test_a_change_back_is_a_third_revision(store):
    for b in (leg("BBB"), revised(leg("BBB")), leg("BBB")):
        last = store.append(taken(leg("AAA"), b))
    assert last.snapshot.revision == 3


def test_another_quote_alone_is_nothing_new(store):
    first = store.append(pair())
    ours = leg("AAA")
    later = leg("AAA", quote=replace(ours.series.quote, price=99.0, at=at(FRIDAY) + 60, open=True))
    assert store.append(taken(later, leg("BBB"))) == (first.snapshot, False)


def test_another_provenance_or_other_facts_that_change_no_number_are_nothing_new(store):
    store.append(pair())
    ours = leg("AAA")
    cached = replace(ours, provenance=replace(ours.provenance, origin="cache", stale="offline"))
    assert not store.append(taken(cached, leg("BBB"))).is_new
    assert not store.append(taken(leg("AAA", facts=replace(ours.series.facts, name="renamed")), leg("BBB"))).is_new


def test_a_leg_that_trades_on_over_the_weekend_makes_no_revision_of_friday(store):
    sunday = FRIDAY + timedelta(days=2)
    returns, _ = builders.linked_returns(399, seed=5)
    closes, days = builders.prices(returns), builders.calendar_days(400, sunday)

    def crypto(n):
        return builders.history(closes[:n], days[:n], symbol="COIN", every_day=True)

    friday = store.append(taken(leg("AAA"), crypto(398)))
    for day, n in ((FRIDAY + timedelta(days=1), 399), (sunday, 400)):
        found = store.append(taken(leg("AAA"), crypto(n), question(as_of=day)))
        assert found == (friday.snapshot, False)
    late = revised(crypto(400), bar=-10)
    assert store.append(taken(leg("AAA"), late, question(as_of=sunday))).snapshot.revision == 2


@pytest.mark.parametrize("other", [question("62b"), question(max_lag=4), replace(question(), adjustment="price")])
def test_another_question_is_another_history(store, other):
    store.append(pair())
    assert store.append(taken(leg("AAA"), leg("BBB"), other)).snapshot.revision == 1
    assert len(store.snapshots(*PAIR, question())) == 1
    assert len(store.pairs()) == 2


def test_the_legs_in_the_other_order_are_another_pair(store):
    store.append(pair())
    assert store.append(taken(leg("BBB"), leg("AAA"))).is_new
    assert len(store.snapshots(*PAIR, question())) == 1


# ---------------------------------------------------------------- inputs are shared


def test_two_pairs_that_share_a_leg_share_its_inputs(store, path):
    store.append(pair(b="BBB"))
    before = count(path, "chunks")
    store.append(pair(b="CCC"))
    assert count(path, "inputs") == 3
    own = len(np.unique(leg("CCC").series.dates.astype("M8[M]")[-225:])) + 1
    assert count(path, "chunks") - before <= own


def test_the_next_evening_adds_the_newest_month_of_each_leg_and_nothing_else(store, path):
    store.append(pair(FRIDAY - timedelta(days=1)))
    before = count(path, "chunks")
    store.append(pair(FRIDAY))
    assert count(path, "chunks") - before == 2
    db = sqlite3.connect(path)
    newest = [size for (size,) in db.execute("SELECT length(data) FROM chunks ORDER BY id DESC LIMIT 2")]
    db.close()
    assert newest == [12 * 15] * 2  # bars of November up to its 20th


def test_a_history_of_ten_years_is_cut_by_year_and_by_month_of_the_newest(store, path):
    returns, _ = builders.linked_returns(2600, seed=1)
    days = builders.weekdays(2601)
    first, second = (builders.history(builders.prices(r), days, symbol=s) for r, s in ((returns, "A"), (-returns, "B")))
    store.append(taken(first, second))
    db = sqlite3.connect(path)
    closes = [row for (row,) in db.execute("SELECT closes FROM inputs")]
    db.close()
    years = len(np.unique(days.astype("M8[Y]"))) - 1
    assert [len(row) // 4 for row in closes] == [years + 11] * 2


# ---------------------------------------------------------------- append-only


@pytest.mark.parametrize("verb", ["UPDATE {} SET id = id", "DELETE FROM {}"])
@pytest.mark.parametrize("table", [*NEVER_CHANGED, *LATER])
def test_the_file_itself_refuses_to_change_or_forget(path, verb, table):
    filled(path, 1)
    db = sqlite3.connect(path, isolation_level=None)
    text = (verb if table != "readings" else verb.replace("id = id", "value = 0")).format(table)
    if table in LATER:
        db.execute(f"INSERT INTO {table} VALUES ({LATER[table]})")  # noqa: S608
    before = path.read_bytes()
    with pytest.raises(sqlite3.IntegrityError, match=f"{table} is append-only"):
        db.execute(text)
    db.close()
    assert path.read_bytes() == before


def test_what_an_index_has_led_astray_is_not_stored(store, path, monkeypatch):
    store.append(pair())
    before = path.read_bytes()
    find = rows.row_of
    monkeypatch.setattr(rows, "row_of", lambda db, table, **of: 1 if table == "chunks" else find(db, table, **of))
    with pytest.raises(StoreError, match="are damaged"):
        store.append(pair(b="CCC"))
    assert path.read_bytes() == before


# ---------------------------------------------------------------- a number of snapshots


def test_a_record_has_a_row_for_each_session_and_a_column_for_each_number(path):
    store = filled(path)
    found = store.record(*PAIR, question("90d"))
    assert [str(one) for one in found.snapshots] == ["2026-11-18", "2026-11-19", "2026-11-20.2"]
    assert found.values.shape == (3, len(found.names))
    for one, row in zip(found.snapshots, found.values, strict=True):
        own = store.numbers(one)
        np.testing.assert_array_equal(row, [dict(zip(own.names, own.values, strict=True))[n] for n in found.names])


def test_a_record_and_the_list_begin_where_they_are_asked_to(path):
    store = filled(path)
    assert [str(one) for one in store.record(*PAIR, question("90d"), FRIDAY).snapshots] == ["2026-11-20.2"]
    assert [str(one) for one in store.snapshots(*PAIR, question("90d"), date(2026, 11, 19))] == [
        "2026-11-19",
        "2026-11-20.2",
    ]


def test_the_latest_up_to_a_day_is_of_that_day_or_before(path):
    store = filled(path)
    assert str(store.latest(*PAIR, question("90d"), until=date(2026, 11, 19))) == "2026-11-19"
    assert store.latest(*PAIR, question("90d"), until=date(2026, 11, 17)) is None


def test_the_journal_keeps_its_lines_in_order_and_finds_them_by_kind(path):
    store = filled(path, 2)
    lines = store.journal()
    assert [(line.kind, line.run) for line in lines] == [("began", None), ("ended", 1), ("began", None), ("ended", 3)]
    assert store.journal(("began",)) == [line for line in lines if line.kind == "began"]
    assert store.journal(newest=1) == lines[-1:]


def test_a_symbol_is_a_value_and_never_part_of_a_statement(store):
    odd = replace(
        leg("AAA"), series=replace(leg("AAA").series, leg=Leg("csv", "Zürich '; DROP TABLE pairs; -- 🦉.csv"))
    )
    found = store.append(taken(odd, leg("BBB"))).snapshot
    assert found.a == odd.series.leg
    assert recorded(store.inputs(found)[0]) == recorded(odd)


def test_people_who_look_in_with_a_shell_find_a_view(path):
    filled(path, 1)
    db = sqlite3.connect(path)
    row = db.execute("SELECT a, b, session, revision, value FROM snapshots WHERE statistic = 'correlation'").fetchone()
    db.close()
    assert row[:4] == ("yahoo:AAA", "yahoo:BBB", "2026-11-20", 1)
    assert -1 <= row[4] <= 1


# ---------------------------------------------------------------- the file


def test_asking_a_store_that_is_not_there_makes_none(store, path):
    assert store.snapshots(*PAIR, question()) == store.pairs() == ()
    assert store.latest(*PAIR, question()) is None
    assert store.record(*PAIR, question()).values.shape == (0, 0)
    assert store.journal() == []
    assert not path.parent.exists()


def test_the_file_is_for_its_owner_alone_and_so_is_its_folder(store, path):
    umask = os.umask(0)
    try:
        store.append(pair())
    finally:
        os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [file.name for file in path.parent.iterdir()] == [FILE_NAME]


def test_the_file_is_marked_as_ours_and_has_no_write_ahead_log(path):
    db = sqlite3.connect(filled(path, 1).path)
    found = [db.execute(f"PRAGMA {what}").fetchone()[0] for what in ("application_id", "user_version", "journal_mode")]
    db.close()
    assert found == [schema.APPLICATION_ID, len(schema.STEPS), "delete"]


def test_no_operation_leaves_a_lock_behind(path):
    store = filled(path)
    snapshot = store.latest(*PAIR, question("90d"))
    operations = [
        lambda: store.append(pair()),
        lambda: store.append(pair(window="90d")),
        lambda: store.note("began", 1.0),
        lambda: store.snapshots(*PAIR, question("90d")),
        lambda: store.record(*PAIR, question("90d")),
        lambda: store.numbers(snapshot),
        lambda: store.inputs(snapshot),
        store.pairs,
        store.journal,
    ]
    kept = []
    for operation in operations:
        kept.append(operation())
        db = sqlite3.connect(path, timeout=0, isolation_level=None)
        db.execute("BEGIN EXCLUSIVE")
        db.execute("ROLLBACK")
        db.close()


@pytest.mark.parametrize("name", ["a b", "what?mode=ro", "50%", "#1", "ünï", "a'b"])
def test_a_folder_may_have_any_name(tmp_path, name):
    assert filled(tmp_path / name / FILE_NAME, 1).pairs()
    assert (tmp_path / name / FILE_NAME).exists()


# ---------------------------------------------------------------- refusals


def refused(store, match):
    """What is said when neither reading nor writing is possible."""
    said = []
    for attempt in (lambda: store.append(pair()), lambda: store.note("began", 1.0), store.journal, store.pairs):
        with pytest.raises(StoreError, match=match) as met:
            attempt()
        assert met.value.exit_code == 7
        assert met.value.hint
        assert not re.search(r"[\x00-\x1f]", met.value.message)
        said.append(met.value)
    return said[0]


def test_a_later_versions_file_is_refused_and_left_as_it_is(path):
    store = filled(path, 1)
    db = sqlite3.connect(path, isolation_level=None)
    db.execute(f"PRAGMA user_version={len(schema.STEPS) + 1}")
    db.close()
    before = path.read_bytes()
    refused(store, "written by a later version of pairwatch")
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [FILE_NAME]


@pytest.mark.parametrize(
    "statement", ["CREATE TABLE t (a)", "PRAGMA application_id=5", "PRAGMA user_version=1", "PRAGMA journal_mode=WAL"]
)
def test_another_programs_file_is_refused_and_left_as_it_is(store, path, statement):
    path.parent.mkdir()
    db = sqlite3.connect(path, isolation_level=None)
    for text in (statement, "CREATE TABLE u (a)"):
        db.execute(text)
    db.close()
    before = path.read_bytes()
    refused(store, "belongs to another program")
    assert path.read_bytes() == before


def test_a_file_that_another_process_keeps_locked_is_refused_after_a_while(path, monkeypatch):
    monkeypatch.setattr("pairwatch.database.LOCK_TIMEOUT", 0.05)
    store = filled(path, 1)
    before = path.read_bytes()
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("BEGIN EXCLUSIVE")
    assert "run again" in refused(store, "have been locked by another process").hint
    db.close()
    assert path.read_bytes() == before


def test_a_reader_does_not_wait_for_a_writer_that_has_not_come_to_its_end(path, monkeypatch):
    monkeypatch.setattr("pairwatch.database.LOCK_TIMEOUT", 0.05)
    store = filled(path, 1)
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    assert store.latest(*PAIR, question("90d"))
    db.close()


def test_a_folder_in_place_of_the_file_is_refused(store, path):
    path.mkdir(parents=True)
    refused(store, "cannot be used")
    assert path.is_dir()


def test_a_file_in_place_of_the_folder_is_refused(store, path):
    path.parent.write_bytes(b"a file")
    refused(store, "cannot be used")
    assert path.parent.read_bytes() == b"a file"


def test_an_error_of_the_disk_is_told_as_what_it_is(store, path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pairwatch.database.os.open", full)
    with pytest.raises(StoreError, match="the disk is full") as met:
        store.append(pair())
    assert met.value.hint == "make room; nothing was changed"


APPEND = """
import sys; from pathlib import Path; from tests.snapshots.stores import *
store = Store(Path(sys.argv[1]))
print(said(lambda: store.append(pair(b="CCC", window="30b"))), len(said(store.pairs)))
"""


def test_a_file_that_cannot_grow_keeps_what_it_holds(path):
    right = answers(filled(path))
    before = path.read_bytes()
    limited = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({len(before)},) * 2)"
    out, err = process(limited + APPEND, path).communicate(timeout=60)
    assert (out, err) == ("refused 2\n", "")
    assert path.read_bytes() == before
    assert answers(Store(path)) == right
    assert [file.name for file in path.parent.iterdir()] == [FILE_NAME]


def fill(file):
    """Take all the room that there is."""
    with file.open("wb", buffering=0) as filler, suppress(OSError):
        while filler.write(bytes(512)):
            pass


def test_a_full_disk_is_refused_and_the_store_keeps_what_it_holds(small_disk):
    path = small_disk / FILE_NAME
    store = filled(path)
    right, before = answers(store), path.read_bytes()
    fill(small_disk / "filler")
    with pytest.raises(StoreError, match=r"the disk is full|cannot be used"):
        store.append(pair(b="CCC", window="30b"))
    assert path.read_bytes() == before
    (small_disk / "filler").unlink()
    assert answers(Store(path)) == right
    assert store.append(pair(b="CCC", window="30b")).is_new


@pytest.fixture
def others_folder(tmp_path):
    """A folder that another user may look into, and a way there."""
    if os.geteuid() or not shutil.which("setpriv"):
        pytest.skip("needs root and setpriv, to be somebody whom permissions bind")
    folder = tmp_path / "theirs"
    folder.mkdir()
    for parent in [folder, *folder.parents][:-2]:
        parent.chmod(parent.stat().st_mode | 0o055)
    with process("import tests.builders", user=65534) as tried:
        tried.communicate()
    if tried.returncode:
        pytest.skip("the interpreter is out of another user's reach")
    return folder


@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_may_not_be_written_to_is_read_and_refused_to_writers(others_folder, what):
    path = filled(others_folder / FILE_NAME, 1).path
    path.chmod(0o444 if what == "file" else 0o666)
    before = path.read_bytes()
    out, err = process(APPEND, path, user=65534).communicate(timeout=60)
    assert (out, err) == ("refused 2\n", "")
    assert path.read_bytes() == before


def test_a_disk_that_is_read_only_is_read_and_refused_to_writers(small_disk):
    path = filled(small_disk / FILE_NAME, 1).path
    before = path.read_bytes()
    read_only(small_disk)
    store = Store(path)
    assert len(store.pairs()) == 2
    with pytest.raises(StoreError, match="cannot be used"):
        store.append(pair(b="CCC", window="30b"))
    assert path.read_bytes() == before


def test_a_record_tells_an_infinite_number_from_one_that_cannot_be_said(tmp_path):
    store = Store(tmp_path / FILE_NAME)
    days = [FRIDAY - timedelta(days=back) for back in (2, 1, 0)]
    for day, odd in zip(days, (1.0, float("inf"), float("nan")), strict=True):
        said = pair(day)
        readings = tuple(r._replace(value=odd) if r.statistic.key == "beta" else r for r in said.found)
        store.append(said._replace(found=replace(said.found, readings=readings)))
    asked = pair()
    record = store.record(asked.found.a, asked.found.b, asked.question)
    column = [name.key for name in record.names].index("beta")
    assert record.values[:, column].tolist()[:2] == [1.0, float("inf")]
    assert np.isnan(record.values[2, column])


def test_a_record_of_snapshots_with_other_statistics_puts_each_number_in_its_column(tmp_path):
    store = Store(tmp_path / FILE_NAME)
    for back, left_out in ((2, "beta"), (1, ""), (0, "correlation")):
        said = pair(FRIDAY - timedelta(days=back))
        readings = tuple(r for r in said.found if r.statistic.key != left_out)
        store.append(said._replace(found=replace(said.found, readings=readings)))
    asked = pair()
    record = store.record(asked.found.a, asked.found.b, asked.question)
    keys = [name.key for name in record.names]
    assert np.isnan(record.values[:, keys.index("beta")]).tolist() == [True, False, False]
    assert np.isnan(record.values[:, keys.index("correlation")]).tolist() == [False, False, True]
    for row, snapshot in zip(record.values, record.snapshots, strict=True):
        numbers = store.numbers(snapshot)
        assert {n: v for n, v in zip(record.names, row, strict=True) if v == v} == {  # noqa: PLR0124 - NaN
            n: v
            for n, v in zip(numbers.names, numbers.values, strict=True)
            if v == v  # noqa: PLR0124
        }


def test_a_pair_that_is_only_watched_was_never_snapped(tmp_path):
    store = filled(tmp_path / FILE_NAME)
    before = store.pairs()
    with store.writing() as db:
        rows.row_for(db, "pairs", a="yahoo:XXX", b="yahoo:YYY", question="{}")
    assert store.pairs() == before
