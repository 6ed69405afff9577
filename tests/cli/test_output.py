import os
import stat

import pytest
from tests.cli.running import DAY, SHORT, SOURCES, TWINS, USAGE


def test_a_result_is_in_the_format_of_its_files_name(run, tmp_path):
    for name, begins in (("x.json", "{"), ("x.md", "## "), ("x.csv", "as_of,"), ("x", "as_of,"), ("x.txt", "demo:")):
        assert run(*TWINS, *DAY, "-o", tmp_path / name)[0] == 0
        assert (tmp_path / name).read_text().startswith(begins)
    run(*TWINS, *DAY, "--csv", "-o", tmp_path / "y.json")
    assert (tmp_path / "y.json").read_text().startswith("as_of,")


def test_a_file_gets_what_standard_output_would(run, tmp_path):
    _, out, _ = run(*TWINS, *DAY)
    code, nothing, _ = run(*TWINS, *DAY, "-o", tmp_path / "out.csv")
    assert (code, nothing) == (0, "")
    assert (tmp_path / "out.csv").read_bytes() == out.encode()


def test_a_dash_as_the_output_is_standard_output(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(*TWINS, *DAY, "-o", "-")[1] == run(*TWINS, *DAY)[1]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "args", [SOURCES["an unknown demo leg"], SHORT["a window of a few bars"], USAGE["csv and json"]]
)
def test_a_failed_run_leaves_the_old_file_alone(run, tmp_path, args):
    file = tmp_path / "old.csv"
    file.write_text("old")
    assert run(*args, "-o", file)[0] != 0
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_an_interrupted_write_leaves_the_old_file_and_no_other(run, tmp_path, monkeypatch, step, error):
    def fail(*_):
        raise error

    file = tmp_path / "old.csv"
    file.write_text("old")
    monkeypatch.setattr(os, step, fail)
    code, out, _ = run(*TWINS, *DAY, "-o", file)
    assert code == (130 if error is KeyboardInterrupt else 2)
    assert out == ""
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_an_old_file_keeps_its_mode(run, tmp_path):
    file = tmp_path / "old.csv"
    file.write_text("old")
    file.chmod(0o640)
    assert run(*TWINS, *DAY, "-o", file)[0] == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_a_new_file_has_the_mode_of_the_umask(run, tmp_path):
    before = os.umask(0o027)
    try:
        assert run(*TWINS, *DAY, "-o", tmp_path / "new.csv")[0] == 0
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new.csv").stat().st_mode) == 0o640


def test_a_link_stays_a_link(run, tmp_path):
    (tmp_path / "folder").mkdir()
    target = tmp_path / "folder" / "target.csv"
    target.write_text("old")
    link = tmp_path / "link.csv"
    link.symlink_to(target)
    assert run(*TWINS, *DAY, "-o", link)[0] == 0
    assert link.is_symlink()
    assert target.read_text().startswith("as_of,")
    assert list((tmp_path / "folder").iterdir()) == [target]


def test_a_pipe_with_a_name_can_be_the_output(run, tmp_path):
    # Never try this on a device of the machine: as root it would be gone.
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        code, _, _ = run(*TWINS, *DAY, "-o", fifo)
        assert stat.S_ISFIFO(fifo.stat().st_mode), "the pipe was replaced by a file"
        assert (code, os.read(reader, 6)) == (0, b"as_of,")
    finally:
        os.close(reader)
