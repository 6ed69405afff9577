import os
import re
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pairwatch import writing
from pairwatch.errors import PairwatchError, UsageError

UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e]")
# The program as it is, but for a disk whose sync never comes back: what happens then happens in the middle of writing.
STUCK = """
import os, sys, time
from pairwatch import cli
os.fsync = lambda _: (sys.stdout.write("half\\n"), sys.stdout.flush(), time.sleep(60))
sys.argv[0] = "pairwatch"
cli.main()
"""
TO_STDOUT = "import sys; from pairwatch import writing; writing.to_stdout(sys.argv[1])"


def refused(file):
    with pytest.raises(UsageError) as caught:
        writing.to_file(file, "new")
    assert caught.value.hint.endswith("what was there is untouched")
    return caught.value.message


@pytest.fixture
def stuck(tmp_path):
    """The program, in the middle of writing over an old file."""
    (tmp_path / "old.csv").write_text("old")
    args = ["compare", "demo:TWIN1", "demo:TWIN2", "-o", tmp_path / "old.csv"]
    with subprocess.Popen(
        [sys.executable, "-c", STUCK, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"half\n"
        assert len(list(tmp_path.iterdir())) == 2
        yield process
        process.kill()


# ---------------------------------------------------------------- into a file


def test_a_file_holds_the_text_alone(tmp_path):
    writing.to_file(tmp_path / "all.csv", "a,b\n–\n")
    assert (tmp_path / "all.csv").read_bytes() == "a,b\n–\n".encode()
    assert [path.name for path in tmp_path.iterdir()] == ["all.csv"]


@pytest.mark.parametrize("letter", ["x", "é", "文", "😀"])
def test_a_file_may_have_the_longest_name_there_is(tmp_path, letter):
    name = letter * (255 // len(letter.encode()))
    writing.to_file(tmp_path / name, "new")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_link_to_nothing_gets_its_file(tmp_path):
    (tmp_path / "link").symlink_to("target")
    writing.to_file(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "new"


@pytest.mark.parametrize(
    "links", [{"a": "a"}, {"a": "b", "b": "a"}, {"a": "none/../a"}, {"a": "none/../b", "b": "b"}], ids=str
)
def test_a_loop_of_links_is_a_usage_error_and_stays(tmp_path, links):
    for name, target in links.items():
        (tmp_path / name).symlink_to(target)
    assert "cannot be written" in refused(tmp_path / "a")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(links)


@pytest.mark.parametrize("name", ["", "none/all.csv", "file/all.csv", "x" * 256])
def test_a_place_that_takes_no_file_is_a_usage_error(tmp_path, name):
    (tmp_path / "file").touch()
    assert "cannot be written" in refused(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_an_error_shows_no_control_character_of_the_files_name():
    message = refused(Path("/nowhere/\x1b]0;pwned\x07\u202e\n" + "x" * 1000))
    assert not UNSAFE.search(message)
    assert len(message) < 300


def test_nobody_else_can_read_a_private_file_while_it_is_written(tmp_path, monkeypatch):
    modes, sync = [], os.fsync

    def look(handle):
        modes.append(stat.S_IMODE(os.fstat(handle).st_mode))
        sync(handle)

    (tmp_path / "old.csv").touch(0o600)
    monkeypatch.setattr(os, "fsync", look)
    writing.to_file(tmp_path / "old.csv", "new")
    assert modes[0] == 0o600


def test_a_folder_that_cannot_be_synced_is_no_failure(tmp_path, monkeypatch):
    sync = os.fsync

    def only_files(handle):
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(22, "Invalid argument")
        sync(handle)

    monkeypatch.setattr(os, "fsync", only_files)
    writing.to_file(tmp_path / "all.csv", "new")
    assert (tmp_path / "all.csv").read_text() == "new"


@pytest.mark.parametrize(
    ("sent", "code", "said"), [(signal.SIGTERM, 143, b""), (signal.SIGINT, 130, b"interrupted\n")], ids=str
)
def test_a_signal_in_the_middle_leaves_the_old_file_and_no_other(stuck, tmp_path, sent, code, said):
    stuck.send_signal(sent)
    out, err = stuck.communicate(timeout=20)
    assert (stuck.returncode, out, err) == (code, b"", said)
    assert [path.name for path in tmp_path.iterdir()] == ["old.csv"]
    assert (tmp_path / "old.csv").read_text() == "old"


# ---------------------------------------------------------------- to standard output


def written(text, stdout=subprocess.PIPE, **environ):
    return subprocess.run(
        [sys.executable, "-c", TO_STDOUT, text],
        check=False,
        stdout=stdout,
        stderr=subprocess.PIPE,
        timeout=20,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environ},
    )


def test_no_line_end_is_translated():
    assert written("a\nb\r\nc").stdout == b"a\nb\r\nc"


def test_what_the_encoding_lacks_is_spelled_out():
    assert written("r² –", PYTHONIOENCODING="ascii").stdout == rb"r\xb2 \u2013"


def test_the_bytes_of_a_path_that_is_no_text_come_out_as_they_are():
    assert written(b"/tmp/\xff\xe9").stdout == b"/tmp/\xff\xe9"


@pytest.mark.parametrize("size", [1, 100_000])
def test_a_full_disk_is_an_error_of_its_own(size):
    with Path("/dev/full").open("wb") as full:
        done = written("x" * size, stdout=full)
    assert b"pairwatch.writing.OutputFailed: the result could not be written (No space left on device)" in done.stderr


def test_an_output_that_cannot_be_written_is_no_full_disk(tmp_path):
    (tmp_path / "read").touch()
    with (tmp_path / "read").open("rb") as unwritable:
        done = written("x", stdout=unwritable)
    assert b"OutputFailed: the result could not be written (Bad file descriptor)" in done.stderr


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_disk_that_takes_a_part_is_an_error(tmp_path, unbuffered):
    command = 'ulimit -f 8; exec "$0" -c "$1" "$2"'
    with (tmp_path / "out").open("wb") as limited:
        done = subprocess.run(
            ["sh", "-c", command, sys.executable, TO_STDOUT, "x" * 100_000],
            check=False,
            stdout=limited,
            stderr=subprocess.PIPE,
            timeout=20,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        )
    assert 0 < (tmp_path / "out").stat().st_size < 100_000
    assert b"OutputFailed: the result could not be written (File too large)" in done.stderr


def test_a_failed_output_is_exit_1_and_no_usage_error():
    assert issubclass(writing.OutputFailed, PairwatchError)
    assert writing.OutputFailed.exit_code == 1


def test_writing_to_standard_output_loads_neither_tempfile_nor_shutil():
    names = "import sys; from pairwatch import writing; writing.to_stdout(''); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", names],
        check=True,
        capture_output=True,
        text=True,
        timeout=20,
        env={**os.environ, "PYTHONPATH": str(Path(writing.__file__).parent.parent)},
    )
    assert not {"tempfile", "shutil"} & set(done.stdout.split())


def test_a_pipe_with_a_name_gets_all_of_it(tmp_path):
    fifo, got = tmp_path / "fifo", []
    os.mkfifo(fifo)
    reader = threading.Thread(target=lambda: got.append(fifo.read_text()))
    reader.start()
    writing.to_file(fifo, "x" * 100_000)
    reader.join(20)
    assert got == ["x" * 100_000]
    assert stat.S_ISFIFO(fifo.stat().st_mode)
