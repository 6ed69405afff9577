import os
import re

import pytest
from tests.cli.running import DAY, TWINS, on_terminal, program


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
