import csv
import fcntl
import io
import json
import os
import pty
import re
import signal
import stat
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from tests import builders

from pairwatch import __version__, cli, config, sources
from pairwatch.stats import entries

TWINS = ("compare", "demo:TWIN1", "demo:TWIN2")
DAY = ("--as-of", "2026-06-30")
PROGRAM = (sys.executable, "-m", "pairwatch")
COMMANDS = [
    (),
    ("compare",),
    ("explain",),
    ("sources",),
    ("cache",),
    ("cache", "path"),
    ("cache", "info"),
    ("cache", "clear"),
    ("config",),
    ("config", "show"),
]


@pytest.fixture
def run(capfd, monkeypatch, tmp_path):
    """The command line in this process, in an empty folder: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys.modules["__main__"], "__package__", None)  # so that help names the program by its argv[0]

    def called(*args):
        monkeypatch.setattr(sys, "argv", ["pairwatch", *map(str, args)])
        capfd.readouterr()
        code = cli._run()
        sys.stdout.flush()
        return code, *capfd.readouterr()

    return called


def program(*args, **more):
    """The command line in a process of its own."""
    more = {"stdin": subprocess.DEVNULL, "capture_output": True, "timeout": 60, **more}
    return subprocess.run([*PROGRAM, *map(str, args)], check=False, **more)


def two_lines(err):
    """An error as it should be: what was found, and what to type."""
    lines = err.splitlines()
    assert len(lines) == 2, err
    assert re.match(r"error: \S", lines[0])
    assert not lines[0].endswith(".")
    assert re.match(r"hint: \S", lines[1])
    return lines


# ---------------------------------------------------------------- exit codes

USAGE = {
    "an unknown command": ("compre", "A", "B"),
    "no leg": ("compare",),
    "one leg": ("compare", "QQQ"),
    "three legs": ("compare", "QQQ", "IWM", "SPY"),
    "an unknown option": (*TWINS, "--colour"),
    "an option without its value": (*TWINS, "--window"),
    "the same leg twice": ("compare", "demo:TWIN1", "demo:TWIN1"),
    "the same leg in two spellings": ("compare", "yahoo:qqq", "QQQ"),
    "no such source": ("compare", "nowhere:QQQ", "demo:TWIN1"),
    "an empty leg": ("compare", "", "demo:TWIN1"),
    "a leg with a path": ("compare", "../../x", "demo:TWIN1"),
    "a window of nonsense": (*TWINS, "--window", "soon"),
    "a window of nothing": (*TWINS, "--window", "0d"),
    "a day of nonsense": (*TWINS, "--as-of", "yesterday"),
    "a lag of nothing": (*TWINS, "--max-lag", "0"),
    "a lag beyond all windows": (*TWINS, "--max-lag", "1001"),
    "a negative seed": (*TWINS, "--seed", "-1"),
    "an unknown adjustment": (*TWINS, "--adjust", "none"),
    "an unknown format": (*TWINS, "--format", "xml"),
    "csv and json": (*TWINS, "--csv", "--json"),
    "csv and a format": (*TWINS, "--csv", "--format", "table"),
    "json and a format": (*TWINS, "--json", "-f", "csv"),
    "a deadline of nonsense": (*TWINS, "--deadline", "soon"),
    "no time at all": (*TWINS, "--deadline", "0"),
    "more time than there is": (*TWINS, "--deadline", "9999999d"),
    "an output in no folder": (*TWINS, "-o", "nowhere/all.csv"),
    "an output that is a folder": (*TWINS, "-o", "."),
    "a statistic that is none": ("explain", "nonsense"),
    "a leg to clear that is none": ("cache", "clear", "a/b"),
}


@pytest.mark.parametrize("args", USAGE.values(), ids=USAGE)
def test_a_wrong_request_is_two_lines_and_exit_2(run, args):
    code, out, err = run(*args)
    assert code == 2
    assert out == ""
    two_lines(err)


SOURCES = {
    "an unknown demo leg": ("compare", "demo:NOPE", "demo:TWIN1"),
    "a file that is not there": ("compare", "csv:/nowhere.csv", "demo:TWIN1"),
    "a leg not cached, offline": ("compare", "QQQ", "IWM", "--offline"),
}


@pytest.mark.parametrize("args", SOURCES.values(), ids=SOURCES)
def test_a_leg_that_cannot_be_had_is_two_lines_and_exit_3(run, args):
    code, out, err = run(*args)
    assert code == 3
    assert out == ""
    assert args[1] in two_lines(err)[0]


SHORT = {
    "a day before the data": (*TWINS, "--as-of", "2010-01-01"),
    "a day soon after their start": (*TWINS, "--as-of", "2016-01-15"),
    "a window of a few bars": (*TWINS, "-w", "5b"),
    "a window of a few days": (*TWINS, "-w", "3d"),
}


@pytest.mark.parametrize("args", SHORT.values(), ids=SHORT)
def test_too_few_data_is_two_lines_and_exit_4(run, args):
    code, out, err = run(*args)
    assert code == 4
    assert out == ""
    two_lines(err)


@pytest.fixture
def cached(tmp_path, monkeypatch):
    """A cache that holds AAA and BBB, asked for long ago."""
    from pairwatch.cache import FILE_NAME, Cache
    from pairwatch.model import Holding

    monkeypatch.setenv("PAIRWATCH_CACHE_DIR", str(tmp_path / "cache"))
    cache = Cache(tmp_path / "cache" / FILE_NAME)
    for seed, name in enumerate(("AAA", "BBB")):
        returns, _ = builders.linked_returns(100, seed=seed)
        series = builders.series(builders.prices(returns), symbol=name)
        holding = Holding(series, 1.7e9, 1.7e9, 1.7e9, builders.weekdays(0))
        cache.update(series.leg, lambda _, holding=holding: holding)
    return tmp_path / "cache"


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


# ---------------------------------------------------------------- help, version, completion


@pytest.mark.parametrize("flag", ["--help", "-h"])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help(run, command, flag):
    code, out, err = run(*command, flag)
    assert (code, err) == (0, "")
    assert out.startswith(f"Usage: {' '.join(('pairwatch', *command))}")
    assert "\x1b" not in out
    assert max(map(len, out.splitlines())) <= 80


def test_help_on_compare_names_every_setting(run):
    _, out, _ = run("compare", "--help")
    for setting in config.SETTINGS:
        if setting.key != "cache_dir":
            assert f"--{setting.key.replace('_', '-')}" in out


@pytest.mark.parametrize("group", [(), ("cache",), ("config",)], ids=" ".join)
def test_a_group_without_a_command_shows_its_help_line_by_line(run, group):
    code, out, err = run(*group)
    assert code in (0, 2)
    assert re.search(r"^Usage: pairwatch", out + err, re.MULTILINE)
    assert re.search(r"^Commands:", out + err, re.MULTILINE)


def test_the_version_is_said(run):
    assert run("--version") == (0, f"pairwatch {__version__}\n", "")


def test_python_m_is_the_same_program():
    assert program("--version").stdout == f"pairwatch {__version__}\n".encode()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_its_completion(shell):
    done = subprocess.run(
        [Path(sys.executable).with_name("pairwatch"), "--show-completion", shell],
        check=False,
        capture_output=True,
        timeout=60,
        env={**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"},
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"_PAIRWATCH_COMPLETE=complete_" + shell.encode() in done.stdout


def test_a_command_that_is_nearly_one_is_suggested(run):
    assert "compare" in run("compre")[2]


def test_an_option_that_is_nearly_one_is_suggested(run):
    assert "--window" in run(*TWINS, "--windw", "1y")[2]


# ---------------------------------------------------------------- formats and outputs


def test_a_pipe_gets_csv(run):
    code, out, _ = run(*TWINS, *DAY)
    assert code == 0
    assert out.startswith("as_of,a,b,window,")


@pytest.mark.parametrize(
    ("args", "start"),
    [
        (("--csv",), "as_of,"),
        (("--json",), "{"),
        (("-f", "csv"), "as_of,"),
        (("--format", "JSON"), "{"),
        (("-f", "table"), "demo:"),
        (("-f", "markdown"), "## "),
        (("-f", "auto"), "as_of,"),
    ],
)
def test_a_format_is_what_was_asked_for(run, args, start):
    code, out, _ = run(*TWINS, *DAY, *args)
    assert code == 0
    assert out.startswith(start)


@pytest.mark.parametrize("name", ["table", "csv", "json", "markdown"])
def test_the_same_run_gives_the_same_bytes(run, name):
    assert run(*TWINS, *DAY, "-f", name) == run(*TWINS, *DAY, "-f", name)


def test_another_process_gives_the_same_bytes(run):
    done = program(*TWINS, *DAY, env={**os.environ, "PYTHONHASHSEED": "1"})
    assert done.stdout.decode() == run(*TWINS, *DAY)[1]


@pytest.mark.parametrize("name", ["table", "csv", "json", "markdown"])
def test_simulated_is_said_with_every_format(run, name):
    _, out, err = run(*TWINS, *DAY, "-f", name)
    assert re.search(r"^note: .*simulated", err, re.MULTILINE)
    assert "simulated" in out or all(row["a"].startswith("demo:") for row in csv.DictReader(io.StringIO(out)))


def test_quiet_keeps_notes_back_but_no_error(run):
    assert run(*TWINS, *DAY, "-q")[2] == ""
    code, _, err = run("compare", "demo:NOPE", "demo:TWIN1", "-q")
    assert code == 3
    two_lines(err)


def test_a_table_in_a_pipe_is_not_cut_and_has_no_colour(run, tmp_path):
    names = [tmp_path / f"{letter * 60}.csv" for letter in "ab"]
    for seed, file in enumerate(names):
        closes = builders.prices(builders.linked_returns(100, seed=seed)[0])
        file.write_text(
            "date,value\n" + "".join(f"{d},{p}\n" for d, p in zip(builders.weekdays(101), closes, strict=True))
        )
    code, out, _ = run("compare", *(f"csv:{file}" for file in names), "-f", "table")
    assert code == 0
    assert "…" not in out
    assert "\x1b" not in out
    assert all(f"csv:{file}" in out for file in names)


def test_the_legs_may_be_swapped(run):
    there, back = (json.loads(run("compare", *legs, *DAY, "--json")[1]) for legs in (TWINS[1:], TWINS[:0:-1]))
    assert there["a"]["last"] == back["b"]["last"]
    assert there["pair"]["correlation"] == pytest.approx(back["pair"]["correlation"], rel=1e-12)
    assert there["pair"]["return_gap"] == pytest.approx(-back["pair"]["return_gap"], rel=1e-9)
    assert there["leadership"]["p_value"] == back["leadership"]["p_value"]
    assert there["leadership"]["lag"] == -back["leadership"]["lag"]


def test_a_day_to_come_gives_todays_numbers(run):
    assert run(*TWINS, "--as-of", "2050-01-01")[1] == run(*TWINS)[1]


def test_both_legs_may_come_from_standard_input():
    days = builders.weekdays(101)
    closes = [builders.prices(builders.linked_returns(100, seed=seed)[0]) for seed in (0, 1)]
    table = "date,X,Y\n" + "".join(f"{d},{x},{y}\n" for d, x, y in zip(days, *closes, strict=True))
    done = program("compare", "csv:-#X", "csv:-#Y", stdin=None, input=table.encode())
    assert done.returncode == 0
    assert b"csv:-#X,csv:-#Y" in done.stdout


# ---------------------------------------------------------------- --output


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


# ---------------------------------------------------------------- a terminal


def on_terminal(*args, columns=80, **environ):
    """What a terminal of so many columns gets on standard output."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    with subprocess.Popen(
        [*PROGRAM, *args], stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL, env={**os.environ, **environ}
    ) as process:
        os.close(theirs)
        shown = b""
        try:
            while more := os.read(ours, 65536):
                shown += more
        except OSError:
            pass  # the other end is closed
        os.close(ours)
    assert process.returncode == 0
    return shown.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("columns", [80, 120])
def test_a_terminal_gets_a_coloured_table_of_its_width(columns):
    shown = on_terminal(*TWINS, *DAY, columns=columns)
    bare = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert shown != bare
    assert bare.startswith("demo:TWIN1 against demo:TWIN2")
    assert max(map(len, bare.splitlines())) <= columns


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_terminal_that_wants_no_colour_gets_none(environ):
    shown = on_terminal(*TWINS, *DAY, **environ)
    assert "\x1b" not in shown
    assert shown.startswith("demo:TWIN1 against demo:TWIN2")


def test_an_empty_no_color_asks_for_nothing():
    assert "\x1b[" in on_terminal(*TWINS, *DAY, NO_COLOR="")


def test_a_very_narrow_terminal_gets_a_table():
    assert "who leads" in re.sub(r"\x1b\[[0-9;]*m", "", on_terminal(*TWINS, *DAY, columns=20))


@pytest.mark.parametrize("name", ["table", "csv", "json", "markdown"])
def test_an_ascii_output_has_no_question_marks(name):
    done = program(
        *TWINS, *DAY, "-f", name, env={**os.environ, "PYTHONIOENCODING": "ascii", "LANG": "C", "LC_ALL": "C"}
    )
    assert done.returncode == 0
    assert done.stdout.isascii()
    assert b"?" not in done.stdout


# ---------------------------------------------------------------- the other commands


@pytest.mark.parametrize("args", [("cache", "path"), ("config", "show")], ids=" ".join)
def test_a_terminal_is_shown_no_control_character_of_a_path(tmp_path, args):
    folder = tmp_path / "\x1b]0;pwned\x07\u202e"
    folder.mkdir()
    (folder / "config.toml").write_text('window = "1y"')
    shown = on_terminal(*args, PAIRWATCH_CACHE_DIR=str(folder), PAIRWATCH_CONFIG=str(folder / "config.toml"))
    assert "pwned" in shown
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", shown)


def test_a_script_gets_a_path_byte_for_byte(tmp_path):
    folder = os.fsencode(tmp_path) + b"/\x1b[31m \xff  x"
    environ = {**os.environb, b"PAIRWATCH_CACHE_DIR": folder}
    assert program("cache", "path", env=environ).stdout == folder + b"/prices.db\n"
    assert folder in program("config", "show", env=environ).stdout


def test_explain_tells_one_statistic(run):
    code, out, err = run("explain", "beta")
    assert (code, err) == (0, "")
    assert out.startswith("beta (pair, number)\n")
    for word in ("formula: cov(a, b) / var(b)", "source: "):
        assert word in out


def test_explain_tells_every_statistic_in_its_order(run):
    _, out, _ = run("explain")
    assert re.findall(r"^(\w+) \(", out, re.MULTILINE) == [entry.key for entry in entries()]
    assert out == "\n".join(run("explain", entry.key)[1] for entry in entries())


def test_explain_takes_a_key_in_any_case(run):
    assert run("explain", "BETA") == run("explain", "beta")


def test_a_result_is_in_the_format_of_its_files_name(run, tmp_path):
    for name, begins in (("x.json", "{"), ("x.md", "## "), ("x.csv", "as_of,"), ("x", "as_of,"), ("x.txt", "demo:")):
        assert run(*TWINS, *DAY, "-o", tmp_path / name)[0] == 0
        assert (tmp_path / name).read_text().startswith(begins)
    run(*TWINS, *DAY, "--csv", "-o", tmp_path / "y.json")
    assert (tmp_path / "y.json").read_text().startswith("as_of,")


def test_refresh_and_offline_together_are_a_wrong_request(run):
    code, out, err = run(*TWINS, *DAY, "--refresh", "--offline")
    assert (code, out) == (2, "")
    two_lines(err)


@pytest.mark.parametrize(
    ("typed", "meant"), [("corelation", "correlation"), ("volatilty", "volatility"), ("sharp", "sharpe")]
)
def test_explain_suggests_what_may_have_been_meant(run, typed, meant):
    code, _, err = run("explain", typed)
    assert code == 2
    assert meant in two_lines(err)[1]


def test_explain_shows_no_control_character_of_what_was_typed(run):
    assert "\x1b" not in run("explain", "\x1b[31m")[2]


def test_sources_lists_each_with_an_example(run):
    code, out, err = run("sources")
    assert (code, err) == (0, "")
    assert re.findall(r"^(\w+)$", out, re.MULTILINE) == list(sources.names())
    assert out.count("for example") == len(sources.names())


def test_the_cache_is_where_the_variable_says(run, tmp_path, monkeypatch):
    monkeypatch.setenv("PAIRWATCH_CACHE_DIR", str(tmp_path))
    assert run("cache", "path") == (0, f"{tmp_path / 'prices.db'}\n", "")


def test_the_cache_is_in_the_home_by_default(run, home):
    code, out, _ = run("cache", "path")
    assert code == 0
    assert Path(out.strip()).is_relative_to(home)


def test_looking_at_a_cache_that_is_not_there_makes_none(run, tmp_path, monkeypatch):
    monkeypatch.setenv("PAIRWATCH_CACHE_DIR", str(tmp_path / "none"))
    code, out, _ = run("cache", "info")
    assert code == 0
    assert out.count("\n") == 1
    assert not (tmp_path / "none").exists()


def test_what_the_cache_holds_is_listed_and_forgotten(run, cached):
    rows = list(csv.DictReader(io.StringIO(run("cache", "info")[1])))
    assert [(row["leg"], row["closes"]) for row in rows] == [("AAA", "101"), ("BBB", "101")]
    assert run("cache", "clear", "AAA") == (0, "", "forgot 1 leg\n")
    assert [row["leg"] for row in csv.DictReader(io.StringIO(run("cache", "info")[1]))] == ["BBB"]
    assert run("cache", "clear")[2] == "forgot 1 leg\n"
    assert run("cache", "info")[1].count("\n") == 1


@pytest.mark.parametrize("path", ["cache", "cache/prices.db/folder"])
@pytest.mark.parametrize("command", ["info", "clear"])
def test_a_cache_that_cannot_be_used_is_a_note(run, tmp_path, monkeypatch, command, path):
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).touch()
    monkeypatch.setenv("PAIRWATCH_CACHE_DIR", str(tmp_path / "cache"))
    assert re.match("note: the price cache .* cannot be used", run("cache", command)[2])


def test_a_demo_comparison_writes_nothing_into_the_home(run, home):
    run(*TWINS, *DAY)
    assert [path for path in home.rglob("*") if path.is_file()] == []


# ---------------------------------------------------------------- settings


def test_config_show_prints_every_setting_with_its_origin(run, tmp_path, monkeypatch):
    file = tmp_path / "pairwatch.toml"
    file.write_text('window = "1y"\nmax_lag = 7\n')
    monkeypatch.setenv("PAIRWATCH_CONFIG", str(file))
    monkeypatch.setenv("PAIRWATCH_MAX_LAG", "5")
    code, out, err = run("config", "show")
    assert (code, err) == (0, "")
    rows = {row["setting"]: (row["value"], row["origin"]) for row in csv.DictReader(io.StringIO(out))}
    assert list(rows) == [setting.key for setting in config.SETTINGS]
    assert rows["window"] == ("1y", str(file))
    assert rows["max_lag"] == ("5", "PAIRWATCH_MAX_LAG")
    assert rows["seed"] == ("0", "default")


def test_the_file_is_read_from_the_home(run, home):
    file = home / "config" / "pairwatch" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text('format = "json"\n')
    assert run(*TWINS, *DAY)[1].startswith("{")


def test_a_flag_beats_the_variable(run, monkeypatch):
    monkeypatch.setenv("PAIRWATCH_FORMAT", "json")
    assert run(*TWINS, *DAY)[1].startswith("{")
    assert run(*TWINS, *DAY, "--csv")[1].startswith("as_of,")


@pytest.mark.parametrize(
    ("name", "args", "undone"),
    [
        ("OFFLINE", ("AAA", "BBB"), "--no-offline"),
        ("FAIL_STALE", ("AAA", "BBB", "--offline"), "--no-fail-stale"),
        ("QUIET", ("demo:TWIN1", "demo:TWIN2"), "--no-quiet"),
    ],
)
def test_a_flag_undoes_a_variable(run, cached, monkeypatch, name, args, undone):
    plain = run("compare", *args)
    monkeypatch.setenv(f"PAIRWATCH_{name}", "1")
    set_ = run("compare", *args)
    assert set_ != plain
    assert run("compare", *args, undone) == plain


def test_of_two_opposite_flags_the_last_one_counts(run):
    assert run(*TWINS, *DAY, "-q", "--no-quiet") == run(*TWINS, *DAY)


@pytest.mark.parametrize("args", [(*TWINS, *DAY), ("config", "show"), ("cache", "path")], ids=" ".join)
def test_a_misspelt_variable_is_a_note_that_names_the_nearest(run, monkeypatch, args):
    code, out, err = run(*args)
    monkeypatch.setenv("PAIRWATCH_WINDWO", "1y")
    note = "note: no setting is called PAIRWATCH_WINDWO; did you mean PAIRWATCH_WINDOW?\n"
    assert run(*args) == (code, out, note + err)


def test_a_misspelt_variable_is_not_noted_when_quiet(run, monkeypatch):
    monkeypatch.setenv("PAIRWATCH_\x1b[31m", "1y")
    assert run(*TWINS, *DAY, "-q")[2] == ""
    assert "\x1b" not in run(*TWINS, *DAY)[2]


@pytest.mark.parametrize("path", ["cache", "cache/prices.db/folder"])
@pytest.mark.parametrize("args", [(), ("--fail-stale",)])
def test_trouble_with_the_cache_is_noted_before_an_error(run, tmp_path, monkeypatch, args, path):
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).touch()
    monkeypatch.setenv("PAIRWATCH_CACHE_DIR", str(tmp_path / "cache"))
    code, out, err = run("compare", "AAA", "BBB", "--offline", *args)
    assert (code, out) == (3, "")
    note, lines = err.split("\n", 1)
    assert re.match("note: the price cache .* cannot be used", note)
    two_lines(lines)
    two_lines(run("compare", "AAA", "BBB", "--offline", "-q", *args)[2])


def test_an_error_has_no_note_where_the_cache_is_well(run, cached):
    two_lines(run("compare", "AAA", "CCC", "--offline")[2])


BROKEN = {
    "deep nesting": "window = " + "[" * 100_000,
    "half a line": "window = ",
    "two values": 'window = "1y"\nwindow = "2y"',
    "a control character": 'window = "\x1b[31m"',
    "an unknown key": 'windw = "1y"',
    "a table": '[window]\nx = "1y"',
    "a list": 'window = ["1y"]',
    "a bad value": 'window = "soon"',
    "a number where a word belongs": "adjust = 1",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_named_and_exit_2(run, tmp_path, monkeypatch, text):
    file = tmp_path / "pairwatch.toml"
    file.write_text(text)
    monkeypatch.setenv("PAIRWATCH_CONFIG", str(file))
    code, out, err = run(*TWINS, *DAY)
    assert (code, out) == (2, "")
    assert str(file) in two_lines(err)[0]
    assert "\x1b" not in err


def test_a_file_that_is_no_text_is_named_and_exit_2(run, tmp_path, monkeypatch):
    file = tmp_path / "pairwatch.toml"
    file.write_bytes(b"\xff\xfe\x00")
    monkeypatch.setenv("PAIRWATCH_CONFIG", str(file))
    code, _, err = run("config", "show")
    assert code == 2
    assert str(file) in two_lines(err)[0]


def test_a_config_variable_that_names_no_file_shows_no_control_character(run, monkeypatch):
    monkeypatch.setenv("PAIRWATCH_CONFIG", "/nowhere/\x1b]0;pwned\x07\u202e\nx")
    code, out, err = run("config", "show")
    assert (code, out) == (2, "")
    assert re.match("error: PAIRWATCH_CONFIG names /nowhere/.*pwned.*, which is no file", two_lines(err)[0])
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", err)


def test_the_trouble_of_a_cache_shows_no_control_character_of_its_path(run, tmp_path, monkeypatch):
    (tmp_path / "\x1b[31m").touch()
    monkeypatch.setenv("PAIRWATCH_CACHE_DIR", str(tmp_path / "\x1b[31m"))
    assert "\x1b" not in run("cache", "info")[2]


def test_a_home_that_nobody_has_is_a_usage_error(run, monkeypatch):
    monkeypatch.setenv("PAIRWATCH_CACHE_DIR", "~nosuchuser/x")
    code, out, err = run("cache", "path")
    assert (code, out) == (2, "")
    assert "~nosuchuser" in two_lines(err)[0]


def test_a_bad_variable_is_named_and_exit_2(run, monkeypatch):
    monkeypatch.setenv("PAIRWATCH_WINDOW", "soon")
    code, _, err = run(*TWINS)
    assert code == 2
    assert "PAIRWATCH_WINDOW" in two_lines(err)[0]


# ---------------------------------------------------------------- hostile words


@pytest.mark.parametrize(
    "leg", ["\x1b[31mQQQ", "\x1b]8;;http://x\x07", "\u202eQQQ", "QQQ\n\nerror: no", "csv:\x1b[2J.csv", "x" * 5000]
)
def test_an_error_shows_no_control_character_of_what_was_typed(run, leg):
    code, out, err = run("compare", leg, "demo:TWIN1")
    assert (code, out) == (2, "")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", err)
    assert len(max(two_lines(err), key=len)) < 300


@pytest.mark.parametrize("option", ["--window", "--as-of", "--format", "--source", "--max-lag", "--deadline"])
def test_an_option_shows_no_control_character_of_what_was_typed(run, option):
    code, out, err = run(*TWINS, option, "\x1b[31m\u202e\n")
    assert (code, out) == (2, "")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", err)
    two_lines(err)
