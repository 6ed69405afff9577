"""Pairs of the watch list with a window of their own, from evening to evening, as cron and as a person have them."""

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
import time_machine
from tests import builders
from tests.cli.running import two_lines

from pairwatch.snapshots import FILE_NAME, Store

EVENING = datetime(2026, 6, 30, 22, tzinfo=UTC)
JULY = datetime(2026, 7, 31, 22, tzinfo=UTC)
TWINS = ("demo:TWIN1", "demo:TWIN2")
HOLDS = ("--when", "correlation > 0.5")


@pytest.fixture
def clock():
    with time_machine.travel(EVENING, tick=False) as clock:
        yield clock


@pytest.fixture
def months(tmp_path):
    """Writes two legs of ten years of months up to a day, and names them."""

    def written(until):
        ends = np.arange("2016-07", "2027-01", dtype="M8[M]").astype("M8[D]") - 1
        closes = [builders.prices(returns) for returns in builders.linked_returns(len(ends) - 1, 0.9)]
        told = zip(ends.tolist(), *closes, strict=True)
        lines = ["date,A,B", *(f"{end},{a:.4f},{b:.4f}" for end, a, b in told if end <= until)]
        (tmp_path / "months.csv").write_text("\n".join(lines) + "\n")
        return f"csv:{tmp_path}/months.csv#A", f"csv:{tmp_path}/months.csv#B"

    return written


@pytest.fixture
def watched(run, months, clock):
    """A daily pair with the window of the settings, and a monthly one with five years; both were snapped."""
    legs = months(date(2026, 6, 30))
    run("watchlist", "add", *TWINS)
    run("watchlist", "add", *legs, "--window", "5y")
    assert run("snapshot") == (0, "", "")
    return legs


def rows(out):
    return list(csv.DictReader(io.StringIO(out)))


def asked(home):
    """First leg and window of everything that was snapped."""
    store = Store(home / "data" / "pairwatch" / FILE_NAME)
    return [(a.symbol.rpartition("#")[2], json.loads(text)["window"]) for a, _, text in store.pairs()]


# ---------------------------------------------------------------- snapshots


def test_a_monthly_pair_with_a_window_of_its_own_lets_every_night_end_well(run, watched, home):
    assert run("snapshot") == (0, "", "")
    assert asked(home) == [("TWIN1", "90d"), ("A", "5y")]


def test_a_pair_whose_window_is_too_short_is_told_how_to_have_another(run, months, clock):
    legs = months(date(2026, 6, 30))
    run("watchlist", "add", *TWINS)
    run("watchlist", "add", *legs)
    code, _, err = run("snapshot")
    assert code == 8
    hint = two_lines(err)[1].removeprefix("hint: give the pair a window of its own: pairwatch ")
    assert hint == f"watchlist add {legs[0]} {legs[1]} --window 3y"
    assert run(*hint.split())[0] == 0
    assert run("snapshot") == (0, "", "")
    typed = run("snapshot", "--window", "5b")[2]
    assert "watchlist add" not in typed, "its own window would not be looked at"


def test_a_typed_window_is_for_every_pair_and_no_variable_is(run, watched, home, monkeypatch):
    assert run("snapshot", "--window", "3y") == (0, "", "")
    assert sorted(asked(home)) == [("A", "3y"), ("A", "5y"), ("TWIN1", "3y"), ("TWIN1", "90d")]
    monkeypatch.setenv("PAIRWATCH_WINDOW", "1y")
    assert run("snapshot") == (0, "", "")
    assert sorted(asked(home))[:2] == [("A", "3y"), ("A", "5y")]
    assert ("TWIN1", "1y") in asked(home)


def test_one_watched_pair_is_taken_with_its_own_window_too(run, watched, home):
    assert rows(run("snapshot", *watched, "--csv")[1])[0]["outcome"] == "known"
    assert run("snapshot", *watched[::-1])[0] == 4, "the legs the other way round are another pair"


def test_a_new_window_begins_a_history_of_its_own_and_the_old_one_stays(run, watched):
    run("watchlist", "add", *watched, "--window", "4y")
    assert run("snapshot") == (0, "", "")
    assert [row["window"] for row in rows(run("history", *watched, "beta")[1])] == ["4y"]
    assert [row["window"] for row in rows(run("history", *watched, "beta", "--window", "5y")[1])] == ["5y"]


def test_a_pair_that_is_written_in_two_ways_has_one_window(run, home, clock):
    file = home / "config" / "pairwatch" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text('watchlist = ["demo:TWIN1 demo:TWIN2 1y", "demo:twin1 demo:twin2 5y"]\n')
    code, out, err = run("snapshot")
    assert (code, out) == (2, "")
    assert "watchlist has demo:TWIN1 demo:TWIN2 with two windows" in two_lines(err)[0]


# ---------------------------------------------------------------- what looks at them


def test_its_snapshots_are_found_without_the_window(run, watched, months, clock):
    clock.move_to(JULY)
    months(date(2026, 7, 31))
    assert run("snapshot", "-q") == (0, "", "")
    history = rows(run("history", *watched, "correlation")[1])
    assert [(row["window"], row["session"]) for row in history] == [("5y", "2026-06-30"), ("5y", "2026-07-31")]
    moved = json.loads(run("diff", *watched, "--json")[1])
    assert (moved["window"], moved["from"]["session"], moved["to"]["session"]) == ("5y", "2026-06-30", "2026-07-31")
    assert json.loads(run("diff", *watched, "2026-06-30", "now", "--json")[1])["window"] == "5y"
    said = json.loads(run("compare", *watched, "--vintage", "latest", "--json", "-q")[1])
    assert (said["window"], said["as_of"]) == ("5y", "2026-07-31")


@pytest.mark.parametrize("args", [("history",), ("diff",), ("compare", "--vintage", "latest")], ids=str)
def test_a_typed_window_looks_for_others(run, watched, args):
    command, *options = args
    code, out, err = run(command, *watched, *options, "--window", "90d")
    assert (code, out) == (4, "")
    assert "--window 5y" in err


def test_the_other_way_round_there_is_nothing_but_a_hint(run, watched):
    code, _, err = run("history", *watched[::-1])
    assert code == 4
    assert f"pairwatch history {watched[0]} {watched[1]} --window 5y" in two_lines(err)[1]


def test_compare_alone_asks_what_the_settings_ask(run, watched):
    assert run("compare", *watched)[0] == 4


def test_checks_judge_it_by_its_own_window(run, watched):
    _, out, _ = run("check", "--all", *HOLDS, "--csv")
    assert [(row["a"], row["holds"], row["change"]) for row in rows(out)] == [
        ("demo:TWIN1", "true", "began"),
        (watched[0], "true", "began"),
    ]
    code, out, _ = run("check", *watched, *HOLDS, "--csv")
    assert (code, rows(out)[0]["in_force"], rows(out)[0]["change"]) == (5, "true", "")
    assert run("check", *watched, *HOLDS, "--window", "90d")[0] == 4


def test_the_digest_looks_for_its_window_and_says_it(run, watched, months, clock):
    run("check", "--all", *HOLDS)
    for days in (15, 16):
        clock.move_to(EVENING + timedelta(days=days))
        assert run("snapshot", "-q") == (0, "", "")
    title, _, still, window, *rest = run("digest")[1].splitlines()
    assert "2 pairs · 90d ·" in title
    assert still == "without a session since: A/B"
    assert window == "window 5y: A/B"
    assert not any("trouble" in line or "never snapped" in line for line in rest)
    assert any(" correlation > 0.5 since 2026-06-30 (now correlation 0." in line for line in rest)
    assert "never snapped" in run("digest", "--window", "90d")[1]
    run("watchlist", "add", *watched, "--window", "4y")
    assert "never snapped with a window of 4y" in run("digest")[1]


def test_the_rest_of_the_watch_list_does_not_mind_a_window(run, watched):
    assert [row["state"] for row in rows(run("fetch", "--all", "-q")[1])] == ["local"] * 4
    assert run("schedule", "--cron", "-q")[0] == 0
