import csv
import io
import json
import os
import sys

import pytest
from tests.cli.running import two_lines
from tests.snapshots.stores import filled, pair

from pairwatch.cli import ending, snapshot_backup
from pairwatch.cli.groups import plain
from pairwatch.snapshots import FILE_NAME, Store


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("PAIRWATCH_DATA_DIR", str(tmp_path / "data"))
    return filled(tmp_path / "data" / FILE_NAME)


@pytest.fixture
def other(tmp_path):
    return Store(tmp_path / "other" / FILE_NAME)


@pytest.fixture
def run(capfd, monkeypatch, tmp_path):
    """The three commands in this process, in an empty folder: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)
    app = plain()
    app.command("export")(snapshot_backup.export_)
    app.command("import")(snapshot_backup.import_)
    app.command("doctor")(snapshot_backup.doctor)

    def called(*args):
        monkeypatch.setattr(sys, "argv", ["pairwatch", *map(str, args)])
        capfd.readouterr()
        code = ending.run(app)
        sys.stdout.flush()
        return code, *capfd.readouterr()

    return called


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_an_export_is_imported_elsewhere_in_few_words(run, store, other, monkeypatch, form):
    assert run("export", "backup", "--format", form) == (0, "", "exported 7 snapshots to backup\n")
    monkeypatch.setenv("PAIRWATCH_DATA_DIR", str(other.path.parent))
    assert run("import", "backup") == (0, "", "added 7 snapshots; 0 known already\n")
    assert run("import", "backup") == (0, "", "added 0 snapshots; 7 known already\n")
    assert other.pairs() == store.pairs()


def test_an_import_says_what_became_a_revision(run, store, other, monkeypatch):
    run("export", "backup")
    monkeypatch.setenv("PAIRWATCH_DATA_DIR", str(other.path.parent))
    other.append(pair(b="CCC")._replace(at=1.0))
    assert run("import", "backup")[2] == "added 7 snapshots, 1 of them as revisions; 0 known already\n"


def test_json_says_it_to_a_script_and_quiet_says_nothing(run, store):
    code, out, err = run("export", "backup", "--json", "--quiet")
    assert (code, err) == (0, "")
    assert json.loads(out)["rows"]["batches"] == 7
    assert json.loads(run("import", "backup", "--json", "-q")[1])["known"] == 7


def test_a_folder_that_is_taken_is_a_usage_error(run, store, tmp_path):
    (tmp_path / "taken").write_text("mine")
    code, out, err = run("export", "taken")
    assert (code, out) == (2, "")
    assert two_lines(err)[0] == "error: taken is there and not empty"


def test_what_is_no_backup_is_a_usage_error(run, store):
    code, _, err = run("import", "nowhere")
    assert code == 2
    two_lines(err)


def test_a_damaged_backup_exits_as_a_refusal_of_the_store(run, store, tmp_path):
    run("export", "backup")
    with (tmp_path / "backup" / "readings.csv").open("ab") as file:
        file.write(b" ")
    code, out, err = run("import", "backup")
    assert (code, out) == (7, "")
    assert two_lines(err)[0].startswith("error: the backup in backup is damaged")


def test_the_doctor_of_a_store_that_is_well_exits_0(run, store):
    code, out, err = run("doctor")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert (code, err) == (0, "")
    assert "error" not in {row["severity"] for row in rows}
    assert rows[-1]["what"] == "7 snapshots of 2 pairs, 2026-11-18 to 2026-11-20"


def test_the_doctor_of_a_damaged_store_exits_7(run, store):
    os.truncate(store.path, 8192)
    code, out, _ = run("doctor", "--json")
    assert code == 7
    assert json.loads(out)[0]["severity"] == "error"


def test_the_doctor_reads_as_a_list_on_a_terminal(run, store, monkeypatch):
    store.path.chmod(0o644)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    out = run("doctor")[1]
    assert out.startswith("warning: others may read or write the file (mode 644)\n  chmod 600 it\n")
