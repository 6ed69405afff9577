import csv
import io
import re
from pathlib import Path

import pytest
from tests.intraday import FIVE, held, led

from pairwatch.bars import Gathered
from pairwatch.barstore import FILE_NAME, BarStore


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


@pytest.fixture
def kept(cached):
    """Bars of two legs beside the price cache."""
    store = BarStore(cached / FILE_NAME)
    for symbol in ("AAA", "CCC"):
        bars = held(led()[0], symbol=symbol).bars
        store.update(bars.leg, FIVE, lambda _, bars=bars: Gathered(bars, 1.7e9, 1.8e9))
    return store


def listed(run):
    return [(row["leg"], row["interval"]) for row in csv.DictReader(io.StringIO(run("cache", "info")[1]))]


def test_bars_within_days_are_listed_below_the_closes(run, kept):
    assert listed(run) == [("AAA", ""), ("BBB", ""), ("AAA", "5m"), ("CCC", "5m")]
    row = list(csv.DictReader(io.StringIO(run("cache", "info")[1])))[2]
    assert (row["closes"], row["first"], row["last"]) == ("2340", "2026-10-12", "2026-11-20")


def test_a_leg_is_forgotten_with_its_bars(run, kept):
    assert run("cache", "clear", "AAA") == (0, "", "forgot 1 leg\nforgot 1 entry of bars within days\n")
    assert listed(run) == [("BBB", ""), ("CCC", "5m")]
    assert run("cache", "clear", "BBB")[2] == "forgot 1 leg\n"


def test_bars_that_nobody_gives_again_are_kept_unless_that_is_said(run, kept):
    assert run("cache", "clear") == (
        0,
        "",
        "forgot 2 legs\nkept 4,680 bars within days, of which nobody gives old ones again: --bars forgets them, too\n",
    )
    assert listed(run) == [("AAA", "5m"), ("CCC", "5m")]
    assert run("cache", "clear", "--bars")[2] == "forgot 0 legs\nforgot 2 entries of bars within days\n"
    assert listed(run) == []


def test_where_bars_are_kept_is_told(run, kept):
    assert run("cache", "path", "--bars") == (0, f"{kept.path}\n", "")


@pytest.mark.parametrize("path", ["cache", "cache/prices.db/folder"])
@pytest.mark.parametrize("command", ["info", "clear"])
def test_a_cache_that_cannot_be_used_is_a_note(run, tmp_path, monkeypatch, command, path):
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).touch()
    monkeypatch.setenv("PAIRWATCH_CACHE_DIR", str(tmp_path / "cache"))
    assert re.match("note: the price cache .* cannot be used", run("cache", command)[2])


def test_the_trouble_of_a_cache_shows_no_control_character_of_its_path(run, tmp_path, monkeypatch):
    (tmp_path / "\x1b[31m").touch()
    monkeypatch.setenv("PAIRWATCH_CACHE_DIR", str(tmp_path / "\x1b[31m"))
    assert "\x1b" not in run("cache", "info")[2]
