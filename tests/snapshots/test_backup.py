"""A store can be carried away as plain files, and back, without loss; a damaged backup changes nothing."""

import csv
import hashlib
import json
import os
import random
import shutil
import sqlite3
import stat
import sys
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.builders import FRIDAY
from tests.snapshots.stores import answers, at, filled, leg, pair, question, revised, taken

from pairwatch.database import checksum
from pairwatch.errors import StoreError, UsageError
from pairwatch.snapshots import FILE_NAME, Store, merging, tabular
from pairwatch.snapshots.backup import export, import_
from pairwatch.snapshots.doctor import examine
from pairwatch.snapshots.tabular import Column, read_rows, write_rows

FORMS = ("csv", "parquet")
RECORDED = Path(__file__).parent / "recorded" / "schema-1.db"
STATE = '{"holding": false, "since": null, "streak": 0, "session": null, "cried_at": null}'
ODD = '=cmd|"/c calc"!A1,\r\n"quoted", \n\x00\t株式 🦉'


@pytest.fixture
def store(tmp_path):
    """A store that holds something of everything."""
    made = filled(tmp_path / "ours" / FILE_NAME)
    made.note("failed", at(FRIDAY), ODD)
    with made.writing() as db:
        who = db.execute("SELECT a, b, question FROM pairs WHERE id = 1").fetchone()
        db.execute("INSERT INTO states VALUES ('r', 1, '{}', ?, ?)", (STATE, checksum(("r", *who, "{}", STATE))))
        db.execute("INSERT INTO changes VALUES (NULL, 'r', 1, '2026-11-20', 1.5, 'began', ?)", (ODD,))
        db.execute("INSERT INTO messages VALUES (NULL, 'k', 'you', 1.5, 's', ?, '')", (ODD,))
        db.execute("INSERT INTO attempts VALUES (NULL, 1, 1.5, 'failed', ?)", (ODD,))
    return made


@pytest.fixture
def other(tmp_path):
    """A store that is not there yet."""
    return Store(tmp_path / "theirs" / FILE_NAME)


def rows_of(store):
    db = sqlite3.connect(store.path)
    found = {table: db.execute(f"SELECT * FROM {table}").fetchall() for table in merging.TABLES}  # noqa: S608
    db.close()
    return found


def files(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


# ---------------------------------------------------------------- there and back


@pytest.mark.parametrize("form", FORMS)
def test_a_new_store_that_imports_an_export_holds_the_same_rows(tmp_path, store, other, form):
    done = export(store, tmp_path / "backup", form)
    assert done.rows == {table: len(rows) for table, rows in rows_of(store).items()}
    found = import_(other, tmp_path / "backup")
    assert (found.added, found.revised, found.known, found.lines) == (7, 0, 0, 7)
    assert rows_of(other) == rows_of(store)
    assert answers(other) == answers(store)
    assert not [f for f in examine(other, FRIDAY) if f.severity == "error"]


@pytest.mark.parametrize("form", FORMS)
def test_an_export_of_an_import_is_the_same_to_the_byte(tmp_path, store, other, form):
    export(store, tmp_path / "first", form)
    import_(other, tmp_path / "first")
    export(other, tmp_path / "second", form)
    assert files(tmp_path / "first") == files(tmp_path / "second")


@pytest.mark.parametrize("form", FORMS)
def test_a_second_import_adds_nothing(tmp_path, store, other, form):
    export(store, tmp_path / "backup", form)
    import_(other, tmp_path / "backup")
    before = rows_of(other)
    for where in (other, store):
        found = import_(where, tmp_path / "backup")
        assert (found.added, found.revised, found.known, found.lines, found.others) == (0, 0, 7, 0, 0)
    assert rows_of(other) == before


def test_an_empty_store_is_exported_and_imported(tmp_path, other):
    assert set(export(other, tmp_path / "backup").rows.values()) == {0}
    assert import_(Store(tmp_path / "new" / FILE_NAME), tmp_path / "backup") == (0, 0, 0, 0, 0)
    assert not other.path.exists()


def test_a_store_of_an_earlier_schema_is_exported(tmp_path, other):
    path = tmp_path / "old" / FILE_NAME
    path.parent.mkdir()
    shutil.copy(RECORDED, path)
    export(Store(path), tmp_path / "backup")
    assert import_(other, tmp_path / "backup").added == 7


# ---------------------------------------------------------------- into a store that holds something


def test_stores_with_other_rows_are_joined_and_their_numbers_given_anew(tmp_path, store, other):
    """The other store has seen its pairs, statistics and chunks in another order."""
    other.note("began", 5.0)
    other.append(taken(leg("CCC"), leg("BBB"), question("30b")))
    other.append(pair(b="CCC"))
    export(store, tmp_path / "backup")
    found = import_(other, tmp_path / "backup")
    # The same session and inputs, taken at the same instant: the one that both hold.
    assert (found.added, found.revised, found.known) == (6, 0, 1)
    right = answers(store)
    joined = answers(Store(other.path))
    told = {key for key in right if "numbers" in key or "inputs" in key or "record" in key}
    assert told
    for key in told - {key for key in told if "numbers" in key or "record" in key}:
        assert joined[key] == right[key]
    for key in (key for key in told if "numbers" in key):
        (_, names, values), (_, were, had) = joined[key], right[key]
        assert dict(zip(names, cells(values), strict=True)) == dict(zip(were, cells(had), strict=True))
    assert not [f for f in examine(other, FRIDAY) if f.severity == "error"]
    assert [line.run for line in other.journal()][:3] == [None, None, 2]


def cells(data):
    return [data[i : i + 8] for i in range(0, len(data), 8)]


def test_a_session_that_is_known_with_other_content_gets_a_further_revision(tmp_path, other):
    ours = Store(tmp_path / "ours" / FILE_NAME)
    ours.append(pair())
    theirs = other.append(taken(leg("AAA"), revised(leg("BBB")))).snapshot
    export(ours, tmp_path / "backup")
    found = import_(other, tmp_path / "backup")
    assert (found.added, found.revised, found.known) == (1, 1, 0)
    first, second = other.snapshots(theirs.a, theirs.b, question(), all_revisions=True)
    assert first == theirs
    assert (second.revision, second.taken_at) == (2, at(FRIDAY))
    was = ours.numbers(ours.latest(theirs.a, theirs.b, question()))
    assert dict(zip(was.names, cells(was.values.tobytes()), strict=True)) == dict(
        zip((now := other.numbers(second)).names, cells(now.values.tobytes()), strict=True)
    )
    assert import_(other, tmp_path / "backup").known == 1


def test_lines_of_the_journal_that_say_the_same_are_as_many_as_they_were(tmp_path, other):
    ours = Store(tmp_path / "ours" / FILE_NAME)
    for _ in range(3):
        ours.note("failed", 1.0, "again")
    other.note("failed", 1.0, "again")
    export(ours, tmp_path / "backup")
    assert import_(other, tmp_path / "backup").lines == 2
    assert len(other.journal()) == 3


def test_where_a_rule_stands_is_known_better_by_the_store(tmp_path, store, other):
    other.append(pair(window="90d"))
    with other.writing() as db:
        db.execute("INSERT INTO states VALUES ('r', 1, '{}', 'off', 6)")
    export(store, tmp_path / "backup")
    import_(other, tmp_path / "backup")
    assert rows_of(other)["states"] == [("r", 1, "{}", "off", 6)]


# ---------------------------------------------------------------- the folder


@pytest.mark.parametrize("form", FORMS)
def test_the_files_are_for_their_owner_alone_and_nothing_is_left_beside(tmp_path, store, form):
    umask = os.umask(0)
    try:
        export(store, tmp_path / "new" / "backup", form)
    finally:
        os.umask(umask)
    folder = tmp_path / "new" / "backup"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    assert {file.name for file in folder.iterdir()} == {"manifest.json", *(f"{name}.{form}" for name in merging.TABLES)}
    assert list(folder.parent.iterdir()) == [folder]


def test_the_manifest_says_what_the_files_hold(tmp_path, store):
    export(store, tmp_path / "backup")
    manifest = json.loads((tmp_path / "backup" / "manifest.json").read_bytes())
    assert (manifest["schema"], manifest["form"]) == (store.file.schema, "csv")
    for name, told in manifest["tables"].items():
        data = (tmp_path / "backup" / told["file"]).read_bytes()
        assert told["sha256"] == hashlib.sha256(data).hexdigest()
        with (tmp_path / "backup" / told["file"]).open(newline="", encoding="utf-8") as stream:
            assert told["rows"] == len(list(csv.reader(stream))) - 1, name


def test_an_empty_folder_is_taken_and_any_other_is_left_alone(tmp_path, store):
    (tmp_path / "empty").mkdir()
    export(store, tmp_path / "empty")
    before = files(tmp_path / "empty")
    for folder in (tmp_path / "empty", store.path):
        with pytest.raises(UsageError, match="is there and not empty"):
            export(store, folder)
    assert files(tmp_path / "empty") == before


def test_a_folder_that_cannot_be_written_is_no_trouble_of_the_store(tmp_path, store):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be written"):
        export(store, tmp_path / "file" / "backup")


def test_a_disk_that_is_full_leaves_nothing_behind(small_disk, store):
    (small_disk / "filler").write_bytes(bytes(180_000))
    with pytest.raises(UsageError, match="cannot be written"):
        export(store, small_disk / "backup")
    assert [file.name for file in small_disk.iterdir()] == ["filler"]


def test_an_unknown_format_is_refused(tmp_path, store):
    with pytest.raises(UsageError, match="no backup is written as 'xml'"):
        export(store, tmp_path / "backup", "xml")


def test_parquet_without_pyarrow_says_what_to_install(tmp_path, store, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(UsageError, match="needs pyarrow") as met:
        export(store, tmp_path / "backup", "parquet")
    assert "pip install 'pairwatch[parquet]'" in met.value.hint
    assert not (tmp_path / "backup").exists()


def test_a_store_that_is_damaged_is_not_exported(tmp_path, store):
    db = sqlite3.connect(store.path, isolation_level=None)
    db.execute("DROP TRIGGER readings_no_UPDATE")
    db.execute("UPDATE readings SET value = value + 1 WHERE batch = 2")
    db.close()
    with pytest.raises(StoreError, match=r"the snapshots in .* are damaged"):
        export(store, tmp_path / "backup")
    assert not (tmp_path / "backup").exists()
    assert [file.name for file in tmp_path.iterdir()] == ["ours"]


# ---------------------------------------------------------------- a backup that is damaged


@pytest.mark.parametrize("form", FORMS)
def test_no_damage_of_a_backup_changes_the_store(tmp_path, store, other, form):
    rng = random.Random(form)  # noqa: S311 - the same every time
    export(store, tmp_path / "backup", form)
    other.append(pair(b="CCC"))
    before = other.path.read_bytes()
    for file in sorted((tmp_path / "backup").iterdir()):
        right = file.read_bytes()
        for _ in range(3):
            data = bytearray(right)
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            file.write_bytes(rng.choice([bytes(data), data[: rng.randrange(len(data))]]))
            try:
                import_(Store(tmp_path / "try" / FILE_NAME), tmp_path / "backup")
            except (StoreError, UsageError):
                assert not (tmp_path / "try").exists()
            else:  # a word of the manifest that decides nothing
                assert file.name == "manifest.json"
                shutil.rmtree(tmp_path / "try")
        file.unlink()
        with pytest.raises((StoreError, UsageError)):
            import_(other, tmp_path / "backup")
        file.write_bytes(right)
    assert other.path.read_bytes() == before


def resigned(folder, table, change):
    """Change a file of a backup, and its hash in the manifest with it."""
    file = folder / f"{table}.csv"
    was = file.read_bytes()
    file.write_bytes(change(was))
    assert file.read_bytes() != was
    manifest = json.loads((folder / "manifest.json").read_bytes())
    manifest["tables"][table]["sha256"] = hashlib.sha256(file.read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("readings", lambda data: data[:-20]),
        ("readings", lambda data: data + b"99,1,1.0\r\n"),
        ("readings", lambda data: data.replace(b"\r\n1,2,", b"\r\n1,2,1")),
        ("readings", lambda data: data.replace(b"\r\n1,2,", b"\r\n1,999,")),
        ("readings", lambda data: data.replace(b"\r\n1,2,", b"\r\none,2,")),
        ("readings", lambda data: data.replace(b"value", b"values")),
        ("batches", lambda data: data.replace(b"2026-11-18,1,", b"2026-11-18,2,")),
        ("batches", lambda data: data.replace(b"2026-11-18,1,", b"2026-11-17,1,")),
        ("pairs", lambda data: data.replace(b"CCC", b"CCD")),
        ("pairs", lambda data: data[: data.index(b"2,yahoo")]),
        ("statistics", lambda data: data.replace(b"correlation", b"corelation")),
        ("chunks", lambda data: data.replace(b"\r\n2,", b"\r\n2,AAAA")),
        ("inputs", lambda data: data.replace(b"network", b"cache")),
        ("inputs", lambda data: data[: data.index(b"\r\n5,") + 2]),
        ("journal", lambda data: data.replace(b"\r\n2,1,", b"\r\n2,77,")),
        ("attempts", lambda data: data.replace(b"1,1,1.5", b"1,7,1.5")),
        ("states", lambda data: data.replace(b"r,1,", b"r,8,")),
        ("changes", lambda data: data.replace(b"1,r,1,", b"1,r,8,")),
    ],
)
def test_a_backup_that_somebody_has_edited_is_refused_before_anything_is_written(tmp_path, store, other, table, change):
    export(store, tmp_path / "backup")
    resigned(tmp_path / "backup", table, change)
    with pytest.raises(StoreError, match=r"the backup in .* is damaged") as met:
        import_(other, tmp_path / "backup")
    assert met.value.hint == "nothing was changed; use another backup"
    assert not other.path.exists()


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"schema": 99}, StoreError, "written by a later version"),
        ({"schema": 0}, StoreError, "is damaged"),
        ({"format": "other"}, StoreError, "is damaged"),
        ({"tables": {}}, StoreError, "is damaged"),
        ({"form": "xml"}, UsageError, "xml"),
    ],
)
def test_a_manifest_of_another_kind_is_refused(tmp_path, store, other, change, error, match):
    export(store, tmp_path / "backup")
    manifest = tmp_path / "backup" / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_bytes()), **change}))
    with pytest.raises(error, match=match):
        import_(other, tmp_path / "backup")
    assert not other.path.exists()


def test_a_backup_of_an_earlier_schema_has_empty_tables_for_what_it_did_not_know(tmp_path, store, other):
    export(store, tmp_path / "backup")
    manifest = tmp_path / "backup" / "manifest.json"
    told = json.loads(manifest.read_bytes())
    for table in ("states", "changes", "messages", "attempts"):
        (tmp_path / "backup" / f"{table}.csv").unlink()
        del told["tables"][table]
    manifest.write_text(json.dumps({**told, "schema": 1}))
    assert import_(other, tmp_path / "backup").added == 7
    assert rows_of(other)["messages"] == []


@pytest.mark.parametrize("what", ["nothing", "a file", "an empty folder"])
def test_what_is_no_backup_is_told_so(tmp_path, other, what):
    folder = tmp_path / "backup"
    if what == "a file":
        folder.touch()
    if what == "an empty folder":
        folder.mkdir()
    with pytest.raises(UsageError, match="is no backup"):
        import_(other, folder)


def test_an_import_that_fails_on_the_way_changes_nothing(tmp_path, store, other, monkeypatch):
    export(store, tmp_path / "backup")
    other.append(pair(b="CCC"))
    before = other.path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(merging, "_states", full)
    with pytest.raises(StoreError, match="the disk is full"):
        import_(other, tmp_path / "backup")
    assert other.path.read_bytes() == before


# ---------------------------------------------------------------- rows in files

COLUMNS = (
    Column("i", "INTEGER", False),
    Column("r", "REAL", False),
    Column("t", "TEXT", True),
    Column("b", "BLOB", True),
)
ROWS = st.tuples(
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.binary(),
)


@pytest.mark.parametrize("form", FORMS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROWS, max_size=5))
def test_every_cell_comes_back_as_it_went_in(tmp_path_factory, form, rows):
    file = tmp_path_factory.mktemp("rows") / f"any.{form}"
    assert write_rows(file, form, COLUMNS, rows) == len(rows)
    found = list(read_rows(file, form, COLUMNS))
    assert [tuple(map(repr, row)) for row in found] == [tuple(map(repr, row)) for row in rows]


def test_a_cell_of_a_csv_may_be_longer_than_csv_readers_like(tmp_path):
    limit = csv.field_size_limit()
    row = (1, 1.5, "long" * 100_000, bytes(100_000))
    write_rows(tmp_path / "long.csv", "csv", COLUMNS, [row])
    assert list(read_rows(tmp_path / "long.csv", "csv", COLUMNS)) == [row]
    assert csv.field_size_limit() == limit


@pytest.mark.parametrize("form", FORMS)
def test_memory_does_not_grow_with_the_rows(tmp_path, form, monkeypatch):
    monkeypatch.setattr(tabular, "_NARROW_BLOCK", 1000)
    columns = (Column("batch", "INTEGER", True), Column("statistic", "INTEGER", True), Column("value", "REAL", False))

    def peak(n):
        tracemalloc.start()
        write_rows(tmp_path / f"{n}.{form}", form, columns, ((i, i, i / 7) for i in range(n)))
        assert sum(1 for _ in read_rows(tmp_path / f"{n}.{form}", form, columns)) == n
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(10)  # what is imported and cached once
    assert peak(20_000) < peak(5_000) + 200_000  # row groups have descriptions; rows would be megabytes
