import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.running import TWINS, program

from pairwatch import __version__, config

COMMANDS = [
    (),
    ("compare",),
    ("why",),
    ("related",),
    ("analogs",),
    ("hedge",),
    ("spread",),
    ("correlation",),
    ("lead",),
    ("snapshot",),
    ("snapshot", "path"),
    ("snapshot", "export"),
    ("snapshot", "import"),
    ("snapshot", "doctor"),
    ("history",),
    ("diff",),
    ("check",),
    ("digest",),
    ("schedule",),
    ("explain",),
    ("fetch",),
    ("verify",),
    ("sources",),
    ("watchlist",),
    ("watchlist", "add"),
    ("watchlist", "remove"),
    ("watchlist", "list"),
    ("watchlist", "import"),
    ("cache",),
    ("cache", "path"),
    ("cache", "info"),
    ("cache", "clear"),
    ("config",),
    ("config", "show"),
]


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
        if setting.key not in ("cache_dir", "data_dir", "log_file"):  # of the file and the environment alone
            assert f"--{setting.key.replace('_', '-')}" in out


@pytest.mark.parametrize("group", [(), ("watchlist",), ("cache",), ("config",)], ids=" ".join)
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
