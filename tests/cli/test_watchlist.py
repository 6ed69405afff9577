import csv
import io
import json
import os
from pathlib import Path

import pytest
from tests.cli.running import program, two_lines


@pytest.fixture
def file(home):
    return home / "config" / "pairwatch" / "config.toml"


def rows(out):
    return list(csv.reader(io.StringIO(out)))


def pairs(run):
    """The legs of the watched pairs."""
    return [row[:2] for row in rows(run("watchlist", "list")[1])[1:]]


def test_pairs_are_added_listed_and_removed(run, file):
    assert run("watchlist", "add", "qqq", "IWM") == (0, "", "qqq IWM: added\n")
    assert run("watchlist", "add", "SPY", "csv:my prices.csv#TLT")[0] == 0
    assert run("watchlist", "list") == (0, f"a,b,window\nQQQ,IWM,\nSPY,csv:{Path.cwd()}/my prices.csv#TLT,\n", "")
    assert run("watchlist", "remove", "QQQ", "IWM") == (0, "", "QQQ IWM: removed\n")
    assert pairs(run) == [["SPY", f"csv:{Path.cwd()}/my prices.csv#TLT"]]
    assert file.stat().st_mode & 0o077 == 0


def test_a_list_of_nothing_is_a_header_and_makes_no_file(run, file):
    assert run("watchlist", "list") == (0, "a,b,window\n", "")
    assert json.loads(run("watchlist", "list", "--format", "json")[1]) == []
    assert not file.exists()


def test_the_list_comes_in_json_too(run):
    run("watchlist", "add", "QQQ", "csv:é.csv")
    assert json.loads(run("watchlist", "list", "-f", "json")[1]) == [
        {"a": "QQQ", "b": f"csv:{Path.cwd()}/é.csv", "window": None}
    ]


def test_a_pair_that_is_there_is_said_and_no_error(run):
    run("watchlist", "add", "QQQ", "IWM")
    assert run("watchlist", "add", "QQQ", "IWM") == (0, "", "QQQ IWM: there already\n")


def test_what_becomes_of_a_pairs_own_window_is_said(run):
    said = [
        run("watchlist", "add", "QQQ", "IWM", *options)[2]
        for options in (("-w", "5y"), (), ("--window", "1y"), ("--window", "none"), (), ("--window", "5y"))
    ]
    assert said == [
        "QQQ IWM: added, with window 5y\n",
        "QQQ IWM: there already, with window 5y\n",
        "QQQ IWM: there already; now with window 1y (it was 5y)\n",
        "QQQ IWM: there already; now with no window of its own (it was 1y)\n",
        "QQQ IWM: there already\n",
        "QQQ IWM: there already; now with window 5y (it had none of its own)\n",
    ]


def test_the_list_shows_windows_in_every_format_and_an_import_brings_them_back(run, file, tmp_path):
    run("watchlist", "add", "QQQ", "IWM")
    run("watchlist", "add", "demo:TWIN1", "demo:TWIN2", "--window", "5y")
    listed = run("watchlist", "list")[1]
    assert listed == "a,b,window\nQQQ,IWM,\ndemo:TWIN1,demo:TWIN2,5y\n"
    told = json.loads(run("watchlist", "list", "--format", "json")[1])
    assert [pair["window"] for pair in told] == [None, "5y"]
    (tmp_path / "pairs.csv").write_text(listed)
    before = file.read_bytes()
    assert run("watchlist", "import", "pairs.csv") == (0, "", "added 0 pairs\n")
    assert file.read_bytes() == before
    run("watchlist", "add", "demo:TWIN1", "demo:TWIN2", "--window", "4y")
    said = "added 0 pairs; 1 pair there already, now with another window\n"
    assert run("watchlist", "import", "pairs.csv") == (0, "", said)
    assert file.read_bytes() == before


def test_a_pair_with_a_window_is_the_nearest_and_is_removed_by_its_legs(run):
    run("watchlist", "add", "QQQ", "IWM", "--window", "5y")
    assert two_lines(run("watchlist", "remove", "QQQ", "IWN")[2])[1] == "hint: did you mean QQQ IWM?"
    assert run("watchlist", "remove", "QQQ", "IWM") == (0, "", "QQQ IWM: removed\n")


def test_the_pair_the_other_way_round_is_said(run):
    run("watchlist", "add", "QQQ", "IWM")
    code, _, err = run("watchlist", "add", "IWM", "QQQ")
    assert code == 0
    assert "the other way round" in err


def test_removing_what_is_not_there_names_the_nearest(run):
    run("watchlist", "add", "QQQ", "IWM")
    code, out, err = run("watchlist", "remove", "QQQ", "IWN")
    assert (code, out) == (2, "")
    assert two_lines(err)[1] == "hint: did you mean QQQ IWM?"
    assert "watchlist list" in two_lines(run("watchlist", "remove", "XX", "ZZ")[2])[1]


def test_a_file_of_pairs_is_imported(run, tmp_path):
    (tmp_path / "pairs.txt").write_text("QQQ IWM\nSPY,TLT\n")
    assert run("watchlist", "import", "pairs.txt") == (0, "", "added 2 pairs\n")
    assert pairs(run) == [["QQQ", "IWM"], ["SPY", "TLT"]]


def test_a_pair_of_files_is_removed_as_it_was_added_or_imported(run, tmp_path):
    (tmp_path / "pairs.txt").write_text("SPY csv:b.csv\n")
    run("watchlist", "import", "pairs.txt")
    run("watchlist", "add", "QQQ", "csv:./a.csv")
    here = Path.cwd()
    assert pairs(run) == [["SPY", f"csv:{here}/b.csv"], ["QQQ", f"csv:{here}/a.csv"]]
    assert run("watchlist", "remove", "SPY", "csv:b.csv")[0] == 0
    assert run("watchlist", "remove", "QQQ", "csv:a.csv")[0] == 0


def test_what_is_listed_can_be_imported_from_standard_input(run, file):
    run("watchlist", "add", "QQQ", "IWM")
    listed = run("watchlist", "list")[1]
    file.unlink()
    done = program("watchlist", "import", "-", stdin=None, input=listed.encode(), env=dict(os.environ))
    assert (done.returncode, done.stderr) == (0, b"added 1 pair\n")


WRONG = {
    "no command": ("watch",),
    "one leg": ("add", "QQQ"),
    "one leg twice": ("add", "QQQ", "QQQ"),
    "no leg": ("add", "a/b", "QQQ"),
    "standard input": ("add", "QQQ", "-"),
    "controls": ("add", "\x1b[31m", "QQQ"),
    "controls in what is not there": ("remove", "QQQ", "csv:\u202e"),
    "no source": ("add", "QQQ", "foo:bar"),
    "no window": ("add", "QQQ", "IWM", "--window", "soon"),
    "no file": ("import", "nowhere.txt"),
    "a folder": ("import", "."),
    "a wrong line": ("import", "wrong.txt"),
    "no text": ("import", "bytes"),
    "a format": ("list", "--format", "xml"),
}


@pytest.mark.parametrize("args", WRONG.values(), ids=WRONG)
def test_a_wrong_request_is_two_lines_and_exit_2(run, tmp_path, file, args):
    (tmp_path / "wrong.txt").write_text("QQQ IWM\nQQQ\n")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    code, out, err = run("watchlist", *args)
    assert (code, out) == (2, "")
    two_lines(err)
    assert "\x1b" not in err
    assert not file.exists()


def test_a_broken_list_is_named(run, file):
    file.parent.mkdir(parents=True)
    file.write_text("watchlist = [1]")
    for args in (("list",), ("add", "QQQ", "IWM")):
        code, _, err = run("watchlist", *args)
        assert code == 2
        assert two_lines(err)[0].startswith(f"error: {file}: watchlist[1] is no pair")


def test_the_source_of_the_settings_is_that_of_the_legs(run, monkeypatch):
    monkeypatch.setenv("PAIRWATCH_SOURCE", "demo")
    run("watchlist", "add", "twin1", "twin2")
    assert run("watchlist", "add", "demo:TWIN1", "demo:twin2")[2].endswith("there already\n")
    assert pairs(run) == [["TWIN1", "TWIN2"]]
