import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
from tests.cli.running import DAY, PROGRAM, SHORT, SOURCES, TWINS, USAGE, program, two_lines


@pytest.mark.parametrize("args", USAGE.values(), ids=USAGE)
def test_a_wrong_request_is_two_lines_and_exit_2(run, args):
    code, out, err = run(*args)
    assert code == 2
    assert out == ""
    two_lines(err)


@pytest.mark.parametrize("args", SOURCES.values(), ids=SOURCES)
def test_a_leg_that_cannot_be_had_is_two_lines_and_exit_3(run, args):
    code, out, err = run(*args)
    assert code == 3
    assert out == ""
    assert args[1] in two_lines(err)[0]


@pytest.mark.parametrize("args", SHORT.values(), ids=SHORT)
def test_too_few_data_is_two_lines_and_exit_4(run, args):
    code, out, err = run(*args)
    assert code == 4
    assert out == ""
    two_lines(err)


def test_stale_numbers_are_given_with_a_note(run, cached):
    code, out, err = run("compare", "AAA", "BBB", "--offline", "--json")
    assert code == 0
    assert json.loads(out)["stale"] is True
    assert re.search(r"^note: .*AAA.*--offline", err, re.MULTILINE)


def test_stale_numbers_are_refused_on_demand_with_exit_6(run, cached):
    code, out, err = run("compare", "AAA", "BBB", "--offline", "--fail-stale")
    assert code == 6
    assert out == ""
    two_lines(err)


def test_an_interrupt_ends_with_130_and_no_traceback(tmp_path):
    fifo = tmp_path / "endless.csv"
    os.mkfifo(fifo)
    with (
        subprocess.Popen(
            [*PROGRAM, "compare", f"csv:{fifo}", "demo:TWIN1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process,
        fifo.open("wb"),
    ):  # waits until the program has opened its end
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (130, b"", b"interrupted\n")


def test_a_request_to_end_is_143_without_a_word(tmp_path):
    fifo = tmp_path / "endless.csv"
    os.mkfifo(fifo)
    with (
        subprocess.Popen(
            [*PROGRAM, "compare", f"csv:{fifo}", "demo:TWIN1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process,
        fifo.open("wb"),
    ):
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (143, b"", b"")


def test_a_request_to_end_that_is_to_be_ignored_is_ignored(tmp_path):
    fifo = tmp_path / "endless.csv"
    os.mkfifo(fifo)
    with (
        subprocess.Popen(
            ["sh", "-c", 'trap "" TERM; exec "$@"', "sh", *PROGRAM, "compare", f"csv:{fifo}", "demo:TWIN1"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process,
        fifo.open("wb"),
    ):
        process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 3  # the pipe has ended, and held nothing


def test_the_exit_code_is_the_processs():
    assert [
        program(*args).returncode
        for args in (("--version",), USAGE["one leg"], SOURCES["an unknown demo leg"], SHORT["a window of a few bars"])
    ] == [0, 2, 3, 4]


@pytest.mark.parametrize("args", [(*TWINS, *DAY, "-q"), ("explain",), ("sources",), ("--help",)])
def test_a_closed_pipe_ends_quietly(args):
    read, write = os.pipe()
    os.close(read)
    done = program(*args, stdout=write, stderr=subprocess.PIPE, capture_output=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_full_disk_is_said_and_is_no_success():
    with Path("/dev/full").open("wb") as full:
        done = program(*TWINS, *DAY, stdout=full, stderr=subprocess.PIPE, capture_output=False)
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    two_lines(done.stderr.decode())


SMALL = [
    ("--help",),
    ("--version",),
    ("explain",),
    ("sources",),
    ("watchlist", "list"),
    ("cache", "path"),
    ("cache", "info"),
    ("config", "show"),
]


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("args", SMALL, ids=" ".join)
def test_a_full_disk_is_said_by_every_command(args, unbuffered):
    environ = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with Path("/dev/full").open("wb") as full:
        done = program(*args, stdout=full, stderr=subprocess.PIPE, capture_output=False, env=environ)
    assert done.returncode == 1
    assert two_lines(done.stderr.decode()) == [
        "error: the result could not be written (No space left on device)",
        "hint: is the disk full?",
    ]


WORDS = {
    "a usage error": (("compare", "QQQ"), 2),
    "a group without a command": (("cache",), 2),
    "a source that fails": (("compare", "demo:NOPE", "demo:TWIN1"), 3),
    "a run with notes": ((*TWINS, *DAY), 0),
    "a run without notes": ((*TWINS, *DAY, "-q"), 0),
    "a run that shows logs": ((*TWINS, *DAY, "-v"), 0),
    "a cache that is cleared": (("cache", "clear"), 0),
}


@pytest.mark.parametrize(("args", "code"), WORDS.values(), ids=WORDS)
def test_words_that_nobody_gets_do_not_change_the_exit_code(args, code):
    read, gone = os.pipe()
    os.close(read)
    whole = program(*args).stdout
    with Path("/dev/full").open("wb") as full:
        for stderr in (full, gone):
            done = program(*args, stdout=subprocess.PIPE, stderr=stderr, capture_output=False)
            assert (done.returncode, done.stdout) == (code, whole)
    os.close(gone)


def test_an_error_of_the_machine_is_no_full_disk(run, monkeypatch):
    for name in ("PAIRWATCH_CONFIG", "XDG_CONFIG_HOME"):
        with monkeypatch.context() as more:
            more.setenv(name, "/" + "x" * 5000)
            code, out, err = run(*TWINS)
        assert (code, out) == (2, "")
        assert "the result" not in two_lines(err)[0]
        assert len(err) < 500


@pytest.mark.parametrize("closed", [1, 2])
def test_a_closed_output_is_no_traceback(closed):
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}>&-', "sh", *PROGRAM, *TWINS, *DAY],
        check=False,
        capture_output=True,
        timeout=60,
    )
    assert b"Traceback" not in done.stdout + done.stderr
