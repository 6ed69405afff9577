import csv
import io
import json
import os
import re

import pytest
from tests import builders
from tests.cli.running import DAY, TWINS, program, two_lines


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


def test_refresh_and_offline_together_are_a_wrong_request(run):
    code, out, err = run(*TWINS, *DAY, "--refresh", "--offline")
    assert (code, out) == (2, "")
    two_lines(err)


def test_a_demo_comparison_writes_nothing_into_the_home(run, home):
    run(*TWINS, *DAY)
    assert [path for path in home.rglob("*") if path.is_file()] == []


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
