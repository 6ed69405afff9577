import csv
import io
import json
import os
import sqlite3
import stat
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from tests.cli.running import PROGRAM, program, two_lines

from pairwatch.model import Leg
from pairwatch.snapshots import FILE_NAME, Store

EVENING = datetime(2026, 6, 30, 22, tzinfo=UTC)
TWINS, LEADERS, NOBODY = ("demo:TWIN1", "demo:TWIN2"), ("demo:LEADER", "demo:FOLLOWER"), ("demo:NOBODY", "demo:TWIN1")


@pytest.fixture
def clock():
    with time_machine.travel(EVENING, tick=False) as clock:
        yield clock


@pytest.fixture
def store(home):
    return Store(home / "data" / "pairwatch" / FILE_NAME)


@pytest.fixture
def watch(home, monkeypatch):
    """Makes a watch list."""

    def watched(*pairs):
        file = home / "config" / "pairwatch" / "config.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"watchlist = {json.dumps(pairs)}\n")

    return watched


@pytest.fixture
def refusing(store):
    """A store that is another program's."""
    store.path.parent.mkdir(parents=True)
    with sqlite3.connect(store.path) as db:
        db.execute("CREATE TABLE theirs (x)")
    db.close()
    return store.path


def documents(text):
    """The JSON documents of a stream."""
    found, at = [], 0
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        document, at = json.JSONDecoder().raw_decode(text, at)
        found.append(document)
    return found


def rows(out):
    return list(csv.DictReader(io.StringIO(out)))


def taken(store):
    return {(a.symbol, b.symbol) for a, b, _ in store.pairs()}


# ---------------------------------------------------------------- all is well


def test_a_night_on_which_all_is_well_says_nothing(run, watch, store, clock):
    watch(TWINS, LEADERS)
    assert run("snapshot") == (0, "", "")
    assert taken(store) == {("TWIN1", "TWIN2"), ("LEADER", "FOLLOWER")}
    assert run("snapshot") == (0, "", "")
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600


def test_one_pair_can_be_taken_that_nobody_watches(run, store, clock):
    assert run("snapshot", *TWINS) == (0, "", "")
    assert taken(store) == {("TWIN1", "TWIN2")}


def test_rows_tell_a_script_what_was_stored_and_what_was_known(run, watch, clock):
    run("snapshot", *TWINS)
    watch(TWINS, LEADERS, NOBODY)
    code, out, _ = run("snapshot", "--csv")
    assert code == 8
    assert [(row["a"], row["session"], row["revision"], row["outcome"]) for row in rows(out)] == [
        ("demo:TWIN1", "2026-06-29", "1", "known"),
        ("demo:LEADER", "2026-06-29", "1", "stored"),
        ("demo:NOBODY", "", "", "failed"),
    ]
    assert rows(out)[2]["message"].startswith("demo:NOBODY: not a demo leg")
    (twins, _, nobody) = json.loads(run("snapshot", "--json")[1])
    assert twins == {**twins, "session": "2026-06-29", "revision": 1, "outcome": "known", "message": ""}
    assert nobody["session"] is None


def test_another_question_is_another_snapshot(run, store, clock):
    for options in ((), ("--window", "60b"), ("--seed", "7"), ("--adjust", "price"), ("--max-lag", "3")):
        code, out, _ = run("snapshot", *TWINS, "--json", *options)
        assert (code, json.loads(out)[0]["outcome"]) == (0, "stored")
    assert len(store.pairs()) == 5


def test_the_settings_choose_the_folder(run, tmp_path, monkeypatch, clock):
    monkeypatch.setenv("PAIRWATCH_DATA_DIR", str(tmp_path / "kept"))
    assert run("snapshot", *TWINS)[0] == 0
    assert run("snapshot", "path") == (0, f"{tmp_path / 'kept' / FILE_NAME}\n", "")
    assert (tmp_path / "kept" / FILE_NAME).exists()


# ---------------------------------------------------------------- what is said


def test_sessions_that_nobody_took_are_said_once_for_all_pairs(run, watch, clock):
    watch(TWINS, LEADERS)
    run("snapshot")
    clock.move_to(EVENING + timedelta(days=3))
    code, out, err = run("snapshot")
    assert (code, out) == (0, "")
    assert err == (
        "note: 2 pairs: 2 sessions never snapped: 2026-06-30, 2026-07-01; "
        "`pairwatch history demo:TWIN1 demo:TWIN2 --recompute` shows them\n"
    )
    assert run("snapshot") == (0, "", "")


def test_a_clock_that_was_set_back_is_said(run, clock):
    run("snapshot", *TWINS)
    clock.move_to(EVENING - timedelta(days=30))
    code, _, err = run("snapshot", *TWINS)
    assert (code, err) == (0, "note: the clock is 30 days behind that of the last run: was it set back?\n")


def test_a_run_cut_short_is_said(run, store, clock):
    store.note("began", EVENING.timestamp() - 86_400, "{}")
    said = "note: the run of 2026-06-29 22:00 UTC was cut short; what it had stored is kept\n"
    assert run("snapshot", *TWINS) == (0, "", said)
    assert run("snapshot", *TWINS) == (0, "", "")


def test_quiet_leaves_the_errors(run, watch, store, clock):
    store.note("began", EVENING.timestamp() - 86_400, "{}")
    watch(TWINS, NOBODY)
    code, _, err = run("snapshot", "--quiet")
    assert code == 8
    assert two_lines(err)[0] == "error: demo:NOBODY: not a demo leg"


def test_the_log_has_a_line_a_pair(run, watch, tmp_path, clock):
    watch(TWINS, NOBODY)
    assert run("snapshot", "--log-file", tmp_path / "run.log")[0] == 8
    stored, failed = [json.loads(line) for line in (tmp_path / "run.log").read_text().splitlines()]
    assert stored == {
        "at": "2026-06-30T22:00:00Z",
        "event": "snapshot",
        "a": "demo:TWIN1",
        "b": "demo:TWIN2",
        "outcome": "stored",
        "session": "2026-06-29",
        "revision": 1,
        "stale": [],
        "message": None,
    }
    assert (failed["outcome"], failed["session"]) == ("failed", None)
    assert failed["message"].startswith("demo:NOBODY")


def test_a_log_that_cannot_be_written_is_said_and_fails_nothing(run, tmp_path, clock):
    code, _, err = run("snapshot", *TWINS, "--log-file", tmp_path)
    assert code == 0
    assert err.startswith("note: the log ")


# ---------------------------------------------------------------- what went wrong

WRONG = {
    "an empty watch list": (),
    "one leg": ("QQQ",),
    "three legs": (*TWINS, "QQQ"),
    "the same leg twice": ("QQQ", "qqq"),
    "no leg": ("a/b", "QQQ"),
    "two formats": (*TWINS, "--csv", "--json"),
    "a window": (*TWINS, "--window", "soon"),
    "a day": (*TWINS, "--as-of", "2026-01-01"),
    "both ways at once": (*TWINS, "--refresh", "--offline"),
}


@pytest.mark.parametrize("args", WRONG.values(), ids=WRONG)
def test_a_wrong_request_is_two_lines_and_exit_2_and_makes_no_store(run, store, args):
    code, out, err = run("snapshot", *args)
    assert (code, out) == (2, "")
    two_lines(err)
    assert not store.path.parent.exists()


def test_one_pair_that_cannot_be_had_is_exit_3(run, clock):
    code, out, err = run("snapshot", *NOBODY)
    assert (code, out) == (3, "")
    assert two_lines(err)[0] == "error: demo:NOBODY: not a demo leg"


def test_all_pairs_that_cannot_be_had_are_exit_3_and_each_reason_is_said_once(run, watch, clock):
    watch(NOBODY, ("demo:NOBODY", "demo:TWIN2"), ("demo:NONE", "demo:TWIN2"))
    code, out, err = run("snapshot")
    assert (code, out) == (3, "")
    assert [line for line in err.splitlines() if line.startswith("error")] == [
        "error: demo:NOBODY: not a demo leg (2 pairs)",
        "error: demo:NONE: not a demo leg",
    ]


def test_one_pair_with_too_few_days_is_exit_4(run, clock):
    code, out, err = run("snapshot", *TWINS, "--window", "5b")
    assert (code, out) == (4, "")
    two_lines(err)


def test_old_data_are_stored_and_exit_6_with_a_note(run, cached, store):
    code, out, err = run("snapshot", "AAA", "BBB", "--offline")
    assert (code, out) == (6, "")
    assert "note: AAA: from the cache" in err
    assert taken(store) == {("AAA", "BBB")}


def test_some_pairs_that_cannot_be_had_are_exit_8_and_the_rest_is_stored(run, watch, store, clock):
    watch(NOBODY, TWINS)
    code, out, err = run("snapshot")
    assert (code, out) == (8, "")
    two_lines(err)
    assert taken(store) == {("TWIN1", "TWIN2")}


def test_a_store_that_refuses_is_exit_7_with_the_comparison_on_standard_output(run, refusing, clock):
    before = refusing.read_bytes()
    code, out, err = run("snapshot", *TWINS)
    assert code == 7
    assert json.loads(out)["a"]["leg"] == "demo:TWIN1"
    assert "it belongs to another program" in two_lines(err)[0]
    assert refusing.read_bytes() == before


def test_the_comparisons_of_a_watch_list_are_a_stream_of_json(run, watch, refusing, clock):
    watch(TWINS, LEADERS)
    code, out, err = run("snapshot")
    assert code == 7
    assert [document["b"]["leg"] for document in documents(out)] == ["demo:TWIN2", "demo:FOLLOWER"]
    assert "(2 pairs)" in two_lines(err)[0]
    *_, report = documents(run("snapshot", "--json")[1])
    assert [row["outcome"] for row in report] == ["refused", "refused"]


def test_rows_of_csv_stay_alone_where_the_store_refuses(run, watch, refusing, clock):
    watch(TWINS, LEADERS)
    code, out, _ = run("snapshot", "--csv")
    assert (code, [row["outcome"] for row in rows(out)]) == (7, ["refused", "refused"])


def test_a_data_folder_that_is_a_file_is_exit_7(run, tmp_path, monkeypatch, clock):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PAIRWATCH_DATA_DIR", str(tmp_path / "file"))
    code, out, err = run("snapshot", *TWINS)
    assert (code, json.loads(out)["b"]["leg"]) == (7, "demo:TWIN2")
    two_lines(err)


def test_what_a_provider_says_reaches_no_terminal_as_it_is(run, watch, clock):
    watch(("csv:no\x9b31mwhere.csv", "demo:TWIN1"), TWINS)
    code, _, err = run("snapshot")
    assert code == 2, "a leg that is none is no leg of a watch list"
    assert "\x9b" not in err


# ---------------------------------------------------------------- pipes


def test_a_reader_that_has_gone_ends_a_snapshot_quietly_when_it_is_stored(store):
    read, write = os.pipe()
    os.close(read)
    done = program("snapshot", *TWINS, "--csv", stdout=write, stderr=subprocess.PIPE, capture_output=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")
    assert taken(store) == {("TWIN1", "TWIN2")}


def test_a_reader_of_the_first_line_gets_it():
    line = f"set -o pipefail; {' '.join(PROGRAM)} snapshot {' '.join(TWINS)} --csv | head -1"
    done = subprocess.run(["bash", "-c", line], capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == b"a,b,session,revision,outcome,message\n"


def test_the_help_names_both_ways_to_use_it(run):
    code, out, _ = run("snapshot", "--help")
    assert code == 0
    assert "[A B]" in out
    assert max(map(len, out.splitlines())) <= 80


def test_snapshots_of_two_legs_with_the_name_of_a_source_are_found_again(run, store, clock):
    assert run("snapshot", "TWIN1", "TWIN2", "--source", "demo")[0] == 0
    assert store.pairs()[0][:2] == (Leg("demo", "TWIN1"), Leg("demo", "TWIN2"))
