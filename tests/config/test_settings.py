from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairwatch import config, sources
from pairwatch.errors import UsageError
from pairwatch.model import Window
from pairwatch.text import is_clean

FILE = "/etc/pairwatch.toml"
# Two texts a setting can have that differ from its default and from each other, and a third.
SAMPLES = {
    "window": ("61b", "1y", "6mo"),
    "as_of": ("2026-01-02", "2026-01-05", "2026-01-06"),
    "max_lag": ("5", "6", "7"),
    "adjust": ("price", "total", "price"),
    "currency": ("USD", "eur", "JPY"),
    "align": ("nearest", "two-day", "date"),
    "format": ("csv", "json", "table"),
    "source": ("demo", "csv", "yahoo"),
    "max_age": ("1h", "2h", "3d"),
    "deadline": ("5s", "6s", "7s"),
    "seed": ("1", "2", "3"),
    "offline": ("true", "false", "true"),
    "refresh": ("true", "false", "true"),
    "fail_stale": ("true", "false", "true"),
    "quiet": ("true", "false", "true"),
    "cache_dir": ("/a", "/b", "/c"),
    "data_dir": ("/a", "/b", "/c"),
    "log_file": ("/a", "/b", "/c"),
}
KEYS = [setting.key for setting in config.SETTINGS]


def resolved(flags=None, environ=None, file=None):
    return config.resolve(flags or {}, environ or {}, file or {}, FILE)


def test_every_setting_is_tried_here():
    assert list(SAMPLES) == KEYS


@pytest.mark.parametrize("key", KEYS)
def test_a_flag_beats_a_variable_beats_the_file_beats_the_default(key):
    flag, variable, file = SAMPLES[key]
    name = f"PAIRWATCH_{key.upper()}"
    every = {"flags": {key: flag}, "environ": {name: variable}, "file": {key: file}}
    for given_, text, origin in (
        (("flags", "environ", "file"), flag, "flag"),
        (("environ", "file"), variable, name),
        (("file",), file, FILE),
        ((), None, "default"),
    ):
        found = resolved(**{name_: every[name_] for name_ in given_})[key]
        assert found.origin == origin
        assert text is None or found.text == text


@pytest.mark.parametrize("key", KEYS)
def test_a_setting_changes_no_other(key):
    found, plain = resolved(flags={key: SAMPLES[key][0]}), resolved()
    assert {k for k in KEYS if found[k] != plain[k]} == {key}


def test_the_defaults_are_these():
    values = {key: value.value for key, value in resolved().items()}
    assert values == {
        "window": Window(90, "d"),
        "as_of": None,
        "max_lag": 10,
        "adjust": "total",
        "currency": "",
        "align": "date",
        "format": "auto",
        "source": "yahoo",
        "max_age": 900.0,
        "deadline": 20.0,
        "seed": 0,
        "offline": False,
        "refresh": False,
        "fail_stale": False,
        "quiet": False,
        "cache_dir": None,
        "data_dir": None,
        "log_file": None,
    }


def test_an_empty_variable_is_no_setting():
    assert resolved(environ={"PAIRWATCH_WINDOW": ""}, file={"window": "1y"})["window"].origin == FILE


def test_a_false_variable_beats_a_true_file():
    found = resolved(environ={"PAIRWATCH_OFFLINE": "false"}, file={"offline": True})["offline"]
    assert (found.value, found.origin) == (False, "PAIRWATCH_OFFLINE")


def test_a_false_flag_is_a_flag():
    assert resolved(flags={"offline": False}, file={"offline": True})["offline"].value is False


def test_the_files_own_types_are_read():
    found = resolved(file={"max_lag": 7, "offline": True, "as_of": date(2026, 6, 30)})
    assert (found["max_lag"].value, found["offline"].value) == (7, True)
    assert found["as_of"].value == date(2026, 6, 30)


@pytest.mark.parametrize("key", ["windoww", "as-of", "", "\x1b[31m", "FORMAT"])
def test_an_unknown_key_of_the_file_is_named_with_the_file(key):
    with pytest.raises(UsageError, match=FILE) as caught:
        resolved(file={key: "1"})
    assert "\x1b" not in caught.value.message
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("windoww", "did you mean window?"),
        ("watch_list", "did you mean watchlist?"),
        ("Zzz", "the settings are window"),
    ],
)
def test_an_unknown_key_of_the_file_is_told_the_nearest(key, hint):
    with pytest.raises(UsageError) as caught:
        resolved(file={key: "1"})
    assert caught.value.hint.startswith(hint)


BAD = {
    "window": ["", "90", "0d", "-1d", "90 days", "1.5y", "d", "100000d", "90d\n1"],
    "as_of": ["yesterday", "2026-13-01", "2026-02-30", "30.6.2026", "2026-6-1", "06/30/2026"],
    "max_lag": ["", "0", "1001", "-1", "1.0", "ten", "1e2", "٣"],
    "adjust": ["", "yes", "totall"],
    "currency": ["US", "USDT", "U$D", "840", "ß1", "ßa", "USD EUR"],
    "align": ["", "twoday", "close"],
    "format": ["", "xml", "tsv", "csv,json"],
    "source": ["", "bloomberg", "../yahoo"],
    "max_age": ["", "soon", "-1s", "1w", "1.5h", "1h30m", "12345678s", "367d", "9999999d"],
    "deadline": ["", "now", "-20s", "0", "0s", "3601", "61m", "2h", "9999999d"],
    "seed": ["", "-1", "1000000000", "0x10"],
    "offline": ["maybe", "2", "yess"],
    "refresh": ["maybe"],
    "fail_stale": ["maybe"],
    "quiet": ["maybe"],
    "cache_dir": ["~nosuchuser/x", "~nosuchuser\x1b[31m", "a\0b"],
    "data_dir": ["~nosuchuser/x", "a\0b"],
    "log_file": ["~nosuchuser/x", "a\0b"],
}


@pytest.mark.parametrize(("key", "text"), [(key, text) for key, texts in BAD.items() for text in texts])
def test_a_value_that_cannot_be_read_is_named_with_its_origin(key, text):
    name = f"PAIRWATCH_{key.upper()}"
    option = f"--{key.replace('_', '-')}"
    for where, origin in (
        ({"flags": {key: text}}, option),
        ({"environ": {name: text}}, name),
        ({"file": {key: text}}, FILE),
    ):
        if "environ" in where and not text:
            continue  # an empty variable is none
        with pytest.raises(UsageError) as caught:
            resolved(**where)
        assert caught.value.message.startswith(origin)
        assert caught.value.hint
        assert is_clean(caught.value.message + caught.value.hint)


def test_a_bad_value_that_a_better_one_overrides_is_not_read():
    assert resolved(flags={"window": "1y"}, environ={"PAIRWATCH_WINDOW": "nonsense"})["window"].value == Window(1, "y")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0s", 0),
        ("30s", 30),
        ("15m", 900),
        ("2h", 7200),
        ("1d", 86400),
        ("45", 45),
        (" 1h ", 3600),
        ("9999999d", 9999999 * 86400),
    ],
)
def test_a_duration_is_seconds(text, seconds):
    assert config.duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", True),
        ("TRUE", True),
        ("Yes", True),
        ("on", True),
        ("0", False),
        ("false", False),
        ("No", False),
        (" off ", False),
        ("", False),
    ],
)
def test_yes_and_no_have_many_names(text, value):
    assert config.yes_or_no(text) is value


@pytest.mark.parametrize("text", ["2026-06-30", "2024-02-29", "0001-01-01", "9999-12-31"])
def test_a_day_is_an_iso_day(text):
    assert config.day(text) == date.fromisoformat(text)


@pytest.mark.parametrize(("low", "high"), [(1, 1000), (0, 999_999_999)])
def test_the_ends_of_a_range_belong_to_it(low, high):
    read = config.whole(low, high)
    assert (read(str(low)), read(str(high))) == (low, high)
    for outside in (low - 1, high + 1):
        with pytest.raises(ValueError, match=f"from {low} to {high}"):
            read(str(outside))


@pytest.mark.parametrize("read", [config.folder, config.file])
def test_a_path_knows_the_home(home, read):
    assert read("~/x") == home / "x"
    assert read("") is None
    assert read("rel") == Path("rel")


@pytest.mark.parametrize(
    ("key", "texts"), [("deadline", ["1", "1s", "60m", "1h"]), ("max_age", ["0", "0s", "366d"])], ids=str
)
def test_the_ends_of_a_durations_range_belong_to_it(key, texts):
    for text in texts:
        assert resolved(flags={key: text})[key].value == config.duration(text)


def test_a_duration_that_is_refused_is_told_its_range():
    with pytest.raises(UsageError) as caught:
        resolved(flags={"deadline": "0s"})
    assert (caught.value.message, caught.value.hint) == ("--deadline cannot be '0s'", "a duration from 1s to 1h")


def test_a_home_that_nobody_has_is_named():
    with pytest.raises(UsageError) as caught:
        resolved(environ={"PAIRWATCH_CACHE_DIR": "~nosuchuser/x"})
    assert caught.value.message == "PAIRWATCH_CACHE_DIR: cache_dir cannot be '~nosuchuser/x'"
    assert caught.value.hint == "a folder; ~nosuchuser is nobody's home"


def test_an_error_shows_no_control_character_of_the_files_name():
    for file in ({"windoww": "1"}, {"window": "soon"}):
        with pytest.raises(UsageError) as caught:
            config.resolve({}, {}, file, "/etc/\x1b[31m.toml")
        assert is_clean(caught.value.message)


def test_what_is_no_setting_is_not_looked_at_among_the_flags():
    assert resolved(flags={"a": "QQQ", "verbose": True, "now": 0.0}) == resolved()


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("PAIRWATCH_WINDWO", "PAIRWATCH_WINDOW"),
        ("PAIRWATCH_window", "PAIRWATCH_WINDOW"),
        ("PAIRWATCH_MAXLAG", "PAIRWATCH_MAX_LAG"),
        ("PAIRWATCH_CONFG", "PAIRWATCH_CONFIG"),
        ("PAIRWATCH_CACHEDIR", "PAIRWATCH_CACHE_DIR"),
        ("PAIRWATCH_ZZZZZZ", ""),
        ("PAIRWATCH_", ""),
    ],
)
def test_a_misspelt_variable_is_found_with_the_nearest_one(name, nearest):
    assert config.misspelt({name: "1", "PAIRWATCH_WINDOW": "1y"}) == {name: nearest}


def test_known_empty_and_foreign_variables_are_not_misspelt():
    known = {f"PAIRWATCH_{key.upper()}": "x" for key in KEYS}
    known |= {"PAIRWATCH_CONFIG": "x", "PAIRWATCH_MAIL_PASSWORD": "x"}
    assert config.misspelt({**known, "PAIRWATCH_X": "", "PAIRWATCHER": "x", "HOME": "/"}) == {}


@pytest.mark.parametrize(("text", "code"), [("usd", "USD"), (" Eur ", "EUR"), ("GBp", "GBP"), ("", "")])
def test_a_currency_is_in_capitals(text, code):
    assert resolved(flags={"currency": text})["currency"].value == code


def test_a_source_of_a_plug_in_can_be_the_default(monkeypatch):
    monkeypatch.setattr(sources, "every", lambda: (*sources.names(), "acme"))
    assert resolved(flags={"source": "ACME"})["source"].value == "acme"


def test_plug_ins_are_not_looked_for_where_a_source_is_ours(monkeypatch):
    monkeypatch.setattr(sources, "every", lambda: pytest.fail("plug-ins were looked for"))
    assert resolved(flags={"source": "cboe"})["source"].value == "cboe"


def test_every_source_can_be_the_default():
    for name in sources.names():
        assert resolved(flags={"source": name})["source"].value == name


@given(st.sampled_from(KEYS), st.text(max_size=20))
def test_any_text_is_a_value_or_a_usage_error(key, text):
    try:
        shown = resolved(flags={key: text})[key].origin
    except UsageError as error:
        shown = error.message
    assert shown == "flag" or shown.startswith("--")
