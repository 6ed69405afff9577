import fcntl
import json
import math
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairwatch import locks
from pairwatch.logs import Log

AT = 1_795_467_600.0  # 2026-11-23T21:00:00Z
# Every process appends its numbers, one line each, into a log that is put aside every few lines.
MANY = """
import sys
from pathlib import Path
from pairwatch.logs import Log
log = Log(Path(sys.argv[1]), limit=int(sys.argv[3]), keep=1000)
sys.stdin.read()
for number in range(60):
    log.write(0.0, "test", who=int(sys.argv[2]), number=number, padding="x" * number)
sys.exit(log.trouble or 0)
"""


def lines(*files):
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


@pytest.fixture
def file(tmp_path):
    return tmp_path / "pairwatch.log"


# ---------------------------------------------------------------- a line


def test_a_torn_line_is_ended_also_where_the_system_reads_from_no_position(file, monkeypatch):
    monkeypatch.delattr(os, "pread")  # as on Windows
    file.write_bytes(b"{}\n{")
    log = Log(file)
    for _ in range(2):
        log.write(AT, "x")
    assert log.trouble == ""
    line = '{"at":"2026-11-23T21:00:00Z","event":"x"}\n'
    assert file.read_text() == "{}\n{\n" + line + line


def test_a_line_says_when_what_and_the_details(file):
    log = Log(file)
    log.write(AT, "snapshot", a="QQQ", took=1.25, ok=True, pairs=[1, 2])
    assert file.read_text() == (
        '{"at":"2026-11-23T21:00:00Z","event":"snapshot","a":"QQQ","took":1.25,"ok":true,"pairs":[1,2]}\n'
    )
    assert log.trouble == ""


def test_lines_come_one_after_another(file):
    for number in range(3):
        Log(file).write(AT, "x", number=number)
    assert [line["number"] for line in lines(file)] == [0, 1, 2]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float64("nan"), np.float32("inf")], ids=repr)
def test_a_number_that_is_not_finite_is_null(file, value):
    Log(file).write(AT, "x", value=value, inside=[{"deep": (value,)}])
    assert lines(file)[0]["value"] is None
    assert lines(file)[0]["inside"] == [{"deep": [None]}]


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (np.int64(7), 7),
        (np.float32(0.5), 0.5),
        (10**400, 10**400),
        (None, None),
        (False, False),
        (np.datetime64("2026-11-20"), "2026-11-20"),
        (Path("/x"), "/x"),
        ({1: 2}, {"1": 2}),
    ],
    ids=repr,
)
def test_other_libraries_values_become_plain(file, value, kept):
    Log(file).write(AT, "x", value=value)
    assert lines(file)[0]["value"] == kept


@given(st.dictionaries(st.text(max_size=5).filter(lambda key: key not in ("at", "event", "self")), st.text()))
def test_any_text_is_one_line_of_ascii_and_comes_back(tmp_path_factory, fields):
    file = tmp_path_factory.mktemp("log") / "log"
    Log(file).write(AT, "x\n\x1b[31m\ud800", **fields)
    data = file.read_bytes()
    assert data.isascii()
    assert data.count(b"\n") == 1
    assert all(byte >= 32 for byte in data[:-1])
    found = json.loads(data)
    assert {key: found[key] for key in fields} == fields


def test_a_line_after_one_that_was_cut_off_is_whole(file):
    file.write_text('{"at":"2026-11-')
    Log(file).write(AT, "x")
    assert json.loads(file.read_text().splitlines()[1])["event"] == "x"


# ---------------------------------------------------------------- the files


def test_nobody_else_may_read_it(tmp_path):
    file = tmp_path / "new" / "log"
    before = os.umask(0)
    try:
        Log(file, limit=1).write(AT, "x")
        Log(file, limit=1).write(AT, "x")
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [file, file.with_name("log.1"), file.parent]}
    assert modes == {"log": 0o600, "log.1": 0o600, "new": 0o700}


def test_no_log_is_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    log = Log(None)
    log.write(AT, "x")
    assert (log.trouble, list(tmp_path.iterdir())) == ("", [])


def test_a_file_is_put_aside_before_it_grows_too_long(file):
    Log(file).write(AT, "x", number=0)
    size = file.stat().st_size
    for number in range(1, 9):
        Log(file, limit=2 * size, keep=3).write(AT, "x", number=number)
    kept = sorted(file.parent.iterdir())
    assert [path.name for path in kept] == ["pairwatch.log", *(f"pairwatch.log.{n}" for n in (1, 2, 3))]
    assert [[line["number"] for line in lines(path)] for path in kept] == [[8], [6, 7], [4, 5], [2, 3]]


def test_a_line_longer_than_the_limit_is_written_alone(file):
    for _ in range(2):
        Log(file, limit=10, keep=5).write(AT, "x", text="x" * 100)
    assert [path.name for path in sorted(file.parent.iterdir())] == ["pairwatch.log", "pairwatch.log.1"]


def test_none_is_kept_if_none_is_to_be(file):
    for number in range(3):
        Log(file, limit=10, keep=0).write(AT, "x", number=number)
    assert [line["number"] for line in lines(*file.parent.iterdir())] == [2]


def test_a_link_stays_a_link_when_its_file_is_put_aside(tmp_path):
    (tmp_path / "folder").mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "folder" / "log")
    for _ in range(2):
        Log(link, limit=10).write(AT, "x")
    assert link.is_symlink()
    assert sorted(path.name for path in (tmp_path / "folder").iterdir()) == ["log", "log.1"]


@pytest.mark.parametrize("limit", [600, 10**9], ids=["put aside", "one file"])
def test_ten_processes_lose_no_line_and_tear_none(file, limit):
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", MANY, file, str(who), str(limit)], stdin=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for who in range(10)
    ]
    for run in runs:  # all begin together
        run.stdin.close()
        run.stdin = None
    assert [(run.communicate(timeout=60)[1], run.returncode) for run in runs] == [(b"", 0)] * 10
    files = list(file.parent.iterdir())
    assert (len(files) > 50) == (limit == 600)
    assert all(path.stat().st_size <= limit for path in files)
    found = sorted((line["who"], line["number"]) for line in lines(*files))
    assert found == [(who, number) for who in range(10) for number in range(60)]


def test_lines_stay_in_their_order_from_file_to_file(file):
    for number in range(50):
        Log(file, limit=200, keep=100).write(AT, "x", number=number)
    files = [file, *(file.with_name(f"{file.name}.{n}") for n in range(1, len(list(file.parent.iterdir()))))]
    assert [line["number"] for line in lines(*reversed(files))] == list(range(50))


# ---------------------------------------------------------------- a log that cannot be written

TROUBLE = {
    "a folder": lambda folder: folder,
    "under a file": lambda folder: folder / "file" / "log",
    "a name too long": lambda folder: folder / ("x" * 300),
    "a NUL": lambda folder: folder / "a\0b",
    "a loop": lambda folder: folder / "loop",
    "a pipe": lambda folder: folder / "pipe",
}


@pytest.mark.parametrize("where", TROUBLE.values(), ids=TROUBLE)
def test_a_log_that_cannot_be_written_is_trouble_and_no_error(tmp_path, where):
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    os.mkfifo(tmp_path / "pipe")
    log = Log(where(tmp_path))
    log.write(AT, "x")
    assert log.trouble.startswith("the log /")
    assert "cannot be written (" in log.trouble


def test_the_first_trouble_is_kept(tmp_path):
    log = Log(tmp_path)
    log.write(AT, "x")
    first = log.trouble
    log.path = tmp_path / "a\0b"
    log.write(AT, "x")
    assert log.trouble == first


def test_trouble_shows_no_control_character(tmp_path):
    (tmp_path / "\x1b[31m").mkdir()
    log = Log(tmp_path / "\x1b[31m")
    log.write(AT, "x")
    assert "\x1b" not in log.trouble


@pytest.mark.parametrize("at", [math.nan, math.inf, 1e300])
def test_a_time_that_is_none_is_trouble(file, at):
    log = Log(file)
    log.write(at, "x")
    assert log.trouble
    assert not file.exists()


def test_details_without_an_end_are_trouble(file):
    endless = []
    endless.append(endless)
    log = Log(file)
    log.write(AT, "x", endless=endless)
    assert log.trouble


def test_a_write_that_is_cut_off_is_trouble(file, monkeypatch):
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:5]))
    log = Log(file)
    log.write(AT, "x")
    assert "No space left" in log.trouble
    monkeypatch.undo()
    log.write(AT, "y")
    assert json.loads(file.read_text().splitlines()[1])["event"] == "y"


def test_a_process_that_holds_it_for_ever_is_trouble(file, monkeypatch):
    monkeypatch.setattr(locks, "TRIES", 3)
    held = os.open(file, os.O_RDWR | os.O_CREAT)
    fcntl.flock(held, fcntl.LOCK_EX)
    log, began = Log(file), time.monotonic()
    log.write(AT, "x")
    os.close(held)
    assert "another process holds it" in log.trouble
    assert time.monotonic() - began < 5
    Log(file).write(AT, "y")
    assert [line["event"] for line in lines(file)] == ["y"]
