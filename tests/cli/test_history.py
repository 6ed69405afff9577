import csv
import io
import json
import os
import subprocess
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from tests.cli.running import on_terminal, program, two_lines

from pairwatch import api
from pairwatch.cache import Cache

EVENING = datetime(2026, 6, 30, 22, tzinfo=UTC)
TWINS = ("demo:TWIN1", "demo:TWIN2")


@pytest.fixture
def clock():
    with time_machine.travel(EVENING, tick=False) as clock:
        yield clock


@pytest.fixture
def week(run, clock):
    """Snapshots of TWINS on the evenings of Tuesday to Thursday, the one of Wednesday left out; it is Thursday."""
    run("snapshot", *TWINS)
    clock.move_to(EVENING + timedelta(days=2))
    run("snapshot", *TWINS)
    return "2026-06-29", "2026-07-01"


def rows(out):
    return list(csv.DictReader(io.StringIO(out)))


def compared(day, tmp_path):
    """What `compare` says as of a day."""
    return api.compare(*TWINS, as_of=day, cache=Cache(tmp_path / "none.db"), now=EVENING.timestamp() + 7 * 86_400)


# ---------------------------------------------------------------- what there is


def test_a_history_has_a_row_a_session_with_what_was_said(run, week, tmp_path):
    code, out, err = run("history", *TWINS, "correlation", "a.volatility", "--csv")
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == "a,b,window,session,revision,taken_at,recomputed,correlation,a.volatility"
    assert [row["session"] for row in rows(out)] == list(week)
    for row in rows(out):
        said = compared(row["session"], tmp_path)
        assert float(row["correlation"]) == said["correlation"]
        assert float(row["a.volatility"]) == said["a", "volatility"]
        assert row["recomputed"] == "false"


def test_without_names_csv_and_json_have_every_statistic(run, week, tmp_path):
    every = [r.statistic.key for r in compared("2026-06-29", tmp_path)]
    header = run("history", *TWINS, "--csv")[1].splitlines()[0].split(",")
    assert len(header) == 7 + len(every)
    document = json.loads(run("history", *TWINS, "--json")[1])
    assert [name["key"] for name in document["statistics"]] == every
    assert [entry["session"] for entry in document["snapshots"]] == list(week)


def test_a_file_gets_the_format_of_its_name(run, week, tmp_path):
    assert run("history", *TWINS, "-o", tmp_path / "all.json") == (0, "", "")
    assert json.loads((tmp_path / "all.json").read_text())["b"] == "demo:TWIN2"


def test_since_leaves_out_what_came_before(run, week):
    assert [row["session"] for row in rows(run("history", *TWINS, "--since", "2026-06-30", "--csv")[1])] == [week[1]]


def test_no_source_is_asked_for_what_is_stored(run, cached, monkeypatch):
    run("snapshot", "AAA", "BBB", "--offline")
    monkeypatch.setenv("PAIRWATCH_CACHE_DIR", "/nonexistent/cache")
    code, out, err = run("history", "AAA", "BBB", "correlation", "--csv")
    assert (code, err, len(rows(out))) == (0, "", 1)


# ---------------------------------------------------------------- what there is not


def test_recomputed_sessions_fill_the_gap_and_are_marked(run, week, tmp_path):
    code, out, err = run("history", *TWINS, "correlation", "lead_p_value", "--recompute", "--csv")
    assert (code, err) == (0, "")
    assert [(row["session"], row["recomputed"]) for row in rows(out)] == [
        (week[0], "false"),
        ("2026-06-30", "true"),
        (week[1], "false"),
    ]
    between = compared("2026-06-30", tmp_path)
    assert float(rows(out)[1]["correlation"]) == between["correlation"]
    assert float(rows(out)[1]["lead_p_value"]) == between["lead_p_value"]


def test_a_pair_that_was_never_taken_can_be_recomputed(run, clock):
    code, out, _ = run("history", *TWINS, "correlation", "--recompute", "--since", "2026-06-20", "--csv")
    assert code == 0
    assert [row["session"] for row in rows(out)] == [f"2026-06-{day}" for day in (22, 23, 24, 25, 26, 29)]
    assert {row["recomputed"] for row in rows(out)} == {"true"}


def test_no_snapshot_is_exit_4_and_says_how_to_take_one(run, clock, home):
    code, out, err = run("history", *TWINS)
    assert (code, out) == (4, "")
    assert two_lines(err) == [
        "error: no snapshot of demo:TWIN1 demo:TWIN2 with a window of 90d",
        "hint: pairwatch snapshot demo:TWIN1 demo:TWIN2, or add --recompute",
    ]
    assert not (home / "data").exists()


def test_snapshots_with_another_window_are_named(run, clock):
    run("snapshot", *TWINS, "--window", "60b")
    run("snapshot", *reversed(TWINS))
    code, _, err = run("history", *TWINS)
    assert code == 4
    assert two_lines(err)[1] == (
        "hint: there are some by `pairwatch history demo:TWIN1 demo:TWIN2 --window 60b`, "
        "`pairwatch history demo:TWIN2 demo:TWIN1`"
    )
    assert run("history", *TWINS, "--window", "60b")[0] == 0


def test_no_snapshot_since_a_day_is_exit_4(run, week):
    code, _, err = run("history", *TWINS, "--since", "2026-08-01")
    assert code == 4
    assert "since 2026-08-01" in two_lines(err)[0]


WRONG = {
    "one leg": ("QQQ",),
    "the same leg twice": ("QQQ", "qqq"),
    "a statistic that is none": (*TWINS, "corelation"),
    "a statistic of another scope": (*TWINS, "a.correlation"),
    "a day of nonsense": (*TWINS, "--since", "yesterday"),
    "two formats": (*TWINS, "--csv", "--json"),
    "markdown": (*TWINS, "--format", "markdown"),
    "a file of markdown": (*TWINS, "-o", "x.md"),
}


@pytest.mark.parametrize("args", WRONG.values(), ids=WRONG)
def test_a_wrong_request_is_two_lines_and_exit_2(run, args):
    code, out, err = run("history", *args)
    assert (code, out) == (2, "")
    two_lines(err)


def test_a_leg_that_cannot_be_had_to_recompute_is_exit_3(run, clock):
    code, out, err = run("history", "demo:NOBODY", "demo:TWIN1", "--recompute")
    assert (code, out) == (3, "")
    two_lines(err)


def test_a_store_that_cannot_be_read_is_exit_7(run, home):
    file = home / "data" / "pairwatch" / "snapshots.db"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"not ours" * 1000)
    code, out, err = run("history", *TWINS)
    assert (code, out) == (7, "")
    two_lines(err)
    assert file.read_bytes() == b"not ours" * 1000


# ---------------------------------------------------------------- pipes and terminals


@pytest.fixture
def long_ago(run, clock):
    """Snapshots of 45 evenings."""
    for night in range(45):
        clock.move_to(EVENING + timedelta(days=night))
        assert run("snapshot", *TWINS, "--window", "25b", "--max-lag", "1")[0] == 0
    return ("--window", "25b", "--max-lag", "1")


def test_a_table_shows_the_newest_and_says_how_to_see_the_rest(run, long_ago):
    code, out, err = run("history", *TWINS, *long_ago, "--format", "table")
    assert code == 0
    sessions = [line[:10] for line in out.splitlines() if line.startswith("2026-")]
    assert len(sessions) == 30
    assert max(sessions) == "2026-08-12"
    left_out = rows(run("history", *TWINS, *long_ago, "--csv")[1])[:-30]
    first = left_out[0]["session"]
    assert err == f"note: {len(left_out)} earlier sessions left out; --since {first} shows all\n"
    assert len(run("history", *TWINS, *long_ago, "--format", "table", "--since", first)[1].splitlines()) > len(sessions)


def test_a_reader_that_has_gone_ends_a_history_quietly(run, long_ago):
    read, write = os.pipe()
    os.close(read)
    line = ("history", *TWINS, *long_ago, "--csv")
    done = program(*line, stdout=write, stderr=subprocess.PIPE, capture_output=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("environ", [{}, {"NO_COLOR": "1"}], ids=["color", "no color"])
def test_a_terminal_gets_a_table_of_its_width_without_escapes(run, environ):
    run("snapshot", *TWINS)
    shown = on_terminal("history", *TWINS, columns=80, **environ)
    assert shown.startswith("demo:TWIN1 against demo:TWIN2")
    assert "\x1b" not in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_a_history_is_of_finished_sessions_only(run, clock):
    code, out, _ = run("history", *TWINS, "correlation", "--recompute", "--csv")
    assert code == 0
    assert max(row["session"] for row in rows(out)) < EVENING.date().isoformat()
    assert min(row["session"] for row in rows(out)) >= (EVENING.date() - timedelta(days=90)).isoformat()
    assert date.fromisoformat(rows(out)[0]["session"])
