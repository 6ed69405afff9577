import csv
import io
import re
from pathlib import Path

import pytest


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


def test_the_trouble_of_a_cache_shows_no_control_character_of_its_path(run, tmp_path, monkeypatch):
    (tmp_path / "\x1b[31m").touch()
    monkeypatch.setenv("PAIRWATCH_CACHE_DIR", str(tmp_path / "\x1b[31m"))
    assert "\x1b" not in run("cache", "info")[2]
