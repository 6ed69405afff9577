import csv
import io
import json
import re
import sys

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
    keys = [f"keys.{name}" for name in ("fred", "coingecko_pro", "coingecko_demo")]
    assert list(rows) == [*(setting.key for setting in config.SETTINGS), *keys]
    assert rows["window"] == ("1y", str(file))
    assert rows["max_lag"] == ("5", "PAIRWATCH_MAX_LAG")
    assert rows["seed"] == ("0", "default")


EVERYTHING = """
watchlist = [["QQQ", "IWM"], "fred:UNRATE fred:INDPRO 5y"]
[[rules]]
name = "breakdown"
when = "correlation < 0.6"
until = "correlation > 0.65"
lasting = 2
cooldown = "5d"
pairs = [["QQQ", "IWM"]]
[[rules]]
name = "far"
when = "abs(ratio_zscore) > 2"
[mail]
host = "smtp.example.com"
user = "me"
to = "you@example.com"
password = "s3cret"
[units]
"fred:UNRATE" = "rate"
vix = "points"
[fallback]
qqq = ["yahoo", "csv:archive/QQQ.csv"]
[keys]
coingecko_demo = "s3cret"
[[episodes]]
name = "a week"
from = 2024-07-31
to = 2024-08-05
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "keyring", None)
    file = tmp_path / "pairwatch.toml"
    file.write_text(EVERYTHING)
    file.chmod(0o600)
    monkeypatch.setenv("PAIRWATCH_CONFIG", str(file))
    return file


def beside_settings(out):
    rows = list(csv.reader(io.StringIO(out)))[1 + len(config.SETTINGS) :]
    return {name: (value, origin) for name, value, origin in rows}


def test_config_show_prints_what_the_file_has_beside_settings_and_no_secret(run, file, tmp_path, monkeypatch):
    monkeypatch.setenv("FRED_API_KEY", "s3cret")
    code, out, err = run("config", "show")
    assert (code, err) == (0, "")
    assert "s3cret" not in out
    found = beside_settings(out)
    assert found.pop("keys.fred") == ("set", "FRED_API_KEY")
    assert found.pop("keys.coingecko_pro") == ("not set", "default")
    assert found.pop("mail.port") == ("465", "default")
    assert found.pop("mail.security") == ("tls", "default")
    assert found.pop("mail.from") == ("", "default")
    assert {origin for _, origin in found.values()} == {str(file)}
    assert {name: value for name, (value, _) in found.items()} == {
        "watchlist": "2 pairs",
        "episodes": "1 entry",
        "rules.breakdown": "when correlation < 0.6; until correlation > 0.65; "
        "lasting 2 sessions; cooldown 5 days; QQQ IWM",
        "rules.far": "when abs(ratio_zscore) > 2; lasting 1 session; cooldown 5 days; the whole watch list",
        "mail.host": "smtp.example.com",
        "mail.user": "me",
        "mail.to": "you@example.com",
        "mail.password": "set",
        "units.fred:UNRATE": "rate",
        "units.VIX": "points",
        "fallback.QQQ": f"yahoo:QQQ, csv:{tmp_path}/archive/QQQ.csv",
        "keys.coingecko_demo": "set",
    }


def test_config_show_says_of_a_password_and_a_key_that_is_nowhere_so(run, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert set(beside_settings(run("config", "show")[1]).values()) == {("not set", "default")}
    monkeypatch.setenv("PAIRWATCH_MAIL_PASSWORD", "s3cret")
    assert beside_settings(run("config", "show")[1])["mail.password"] == ("set", "PAIRWATCH_MAIL_PASSWORD")


@pytest.mark.parametrize("section", ["episodes", "instruments"])
@pytest.mark.parametrize("value", ["5", '"abc"', "{ a = 1 }"])
def test_config_show_says_which_section_is_no_list_and_shows_the_rest(run, file, section, value):
    file.write_text(f"{section} = {value}\n")
    code, out, err = run("config", "show")
    assert code == 2
    assert "window" in out
    assert two_lines(err) == [f"error: {file}: {section} is no list", f"hint: write it as [[{section}]]"]


def test_config_show_is_json_on_demand(run, file):
    rows = list(csv.DictReader(io.StringIO(run("config", "show")[1])))
    assert json.loads(run("config", "show", "--json")[1]) == rows
    assert list(csv.DictReader(io.StringIO(run("config", "show", "--csv")[1]))) == rows
    assert run("config", "show", "--csv", "--json")[0] == 2


@pytest.mark.parametrize(
    ("old", "new", "named", "lost"),
    [
        ('"csv:archive/QQQ.csv"', '"nowhere:QQQ"', "fallback.QQQ: no source is called 'nowhere'", "fallback.QQQ"),
        ('= "points"', '= "vibes"', "units.VIX cannot be 'vibes'", "units.VIX"),
        ('"breakdown"', '"far"', "rules[1].name cannot be 'far'", "rules.far"),
        ("coingecko_demo", "coingeko_demo", "keys knows no key 'coingeko_demo'", "keys.fred"),
    ],
)
def test_what_cannot_be_read_is_said_behind_all_that_can(run, file, old, new, named, lost):
    whole = beside_settings(run("config", "show")[1])
    file.write_text(EVERYTHING.replace(old, new, 1))
    code, out, err = run("config", "show")
    assert code == 2
    assert named in two_lines(err)[0]
    section = lost.partition(".")[0]
    assert beside_settings(out) == {name: row for name, row in whole.items() if not name.startswith(f"{section}.")}


def test_keys_that_others_may_read_are_shown_as_not_used(run, file):
    whole = beside_settings(run("config", "show")[1])
    file.chmod(0o644)
    code, out, err = run("config", "show")
    assert (code, err) == (0, "")
    unused = {"keys.coingecko_demo": ("set, not used: others can read the file", str(file))}
    assert beside_settings(out) == whole | unused


def test_the_environments_key_goes_before_the_files(run, file, monkeypatch):
    monkeypatch.setenv("COINGECKO_DEMO_API_KEY", "s3cret")
    assert beside_settings(run("config", "show")[1])["keys.coingecko_demo"] == ("set", "COINGECKO_DEMO_API_KEY")


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
