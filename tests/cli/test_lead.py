import csv
import io
import json

import pytest
from tests import builders
from tests.cli.running import on_terminal, two_lines

LEGS = ("demo:LEADER", "demo:FOLLOWER")
DAY = ("--as-of", "2026-06-30", "--since", "2023-01-01")


def test_the_leader_is_found_and_said_first(run):
    code, out, err = run("lead", *LEGS, *DAY, "--format", "table")
    assert code == 0
    assert "demo:LEADER leads demo:FOLLOWER by 2 bars" in " ".join(out.split("\n\n")[0].split())
    assert err == "note: simulated numbers, drawn and not recorded\n"


def test_json_has_every_section_and_finding(run):
    code, out, _ = run("lead", *LEGS, *DAY, "--json", "--max-lag", "4")
    found = json.loads(out)
    assert (code, found["study"]) == (0, "lead")
    assert list(found["sections"]) == [
        "verdict",
        "correlogram",
        "asymmetry",
        "rolling",
        "episodes",
        "granger",
        "halves",
    ]
    assert [row["lag"] for row in found["sections"]["correlogram"]] == list(range(-4, 5))
    assert len(found["findings"]) >= 6


def test_a_section_alone_has_its_own_columns(run):
    code, out, _ = run("lead", *LEGS, *DAY, "--section", "rolling", "--csv")
    found = list(csv.DictReader(io.StringIO(out)))
    assert code == 0
    assert [row["leader"] for row in found] == ["demo:LEADER", "demo:FOLLOWER", "none"]
    assert list(found[0]) == ["leader", "windows", "share", "expected", "expected_low", "expected_high"]


def test_a_shorter_step_has_more_windows(run):
    counts = []
    for step in ("30", "10"):
        out = run("lead", *LEGS, *DAY, "--step", step, "--section", "rolling", "--csv")[1]
        counts.append(sum(int(row["windows"]) for row in csv.DictReader(io.StringIO(out))))
    assert counts[1] > 2.5 * counts[0]


@pytest.mark.parametrize("step", ["0", "-5", "soon"])
def test_a_step_that_is_none_is_refused(run, step):
    code, out, err = run("lead", *LEGS, "--step", step)
    assert (code, out) == (2, "")
    assert "--step" in err


def test_a_step_longer_than_the_window_is_refused(run):
    code, out, err = run("lead", *LEGS, *DAY, "--window", "40b", "--step", "41")
    assert (code, out) == (2, "")
    assert "41 bars" in two_lines(err)[0]
    assert "40 or fewer" in two_lines(err)[1]


def test_a_step_means_nothing_within_days(run):
    code, out, err = run("lead", *LEGS, "--interval", "1h", "--step", "10")
    assert (code, out) == (2, "")
    assert "--step" in two_lines(err)[0]


def test_daily_bars_are_asked_for_as_an_interval_too(run):
    daily = run("lead", *LEGS, *DAY, "--interval", "1d", "--json")[1]
    assert json.loads(daily)["study"] == "lead"
    assert daily == run("lead", *LEGS, *DAY, "--json")[1]


def test_too_short_a_history_ends_with_4(run, tmp_path):
    for seed, name in enumerate(("a", "b")):
        closes = builders.prices(builders.linked_returns(15, seed=seed)[0])
        days = builders.weekdays(16)
        lines = "".join(f"{day},{close:.4f}\n" for day, close in zip(days, closes, strict=True))
        (tmp_path / f"{name}.csv").write_text(f"Date,Close\n{lines}")
    code, out, err = run("lead", "csv:a.csv", "csv:b.csv")
    assert (code, out) == (4, "")
    assert "20 are needed" in two_lines(err)[0]


def test_a_table_fits_80_columns():
    shown = on_terminal("lead", *LEGS, *DAY, NO_COLOR="1")
    assert "windows with a verdict" in shown
    assert max(map(len, shown.splitlines())) <= 80
