import csv
import io
import re

import pytest
from tests.cli.running import DAY, TWINS, two_lines

from pairwatch import config


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
