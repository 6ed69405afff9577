"""`pairwatch check`, as cron and as a person have it."""

import csv
import io
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta

import pytest
import time_machine
from tests.cli.running import PROGRAM, on_terminal, program, two_lines
from tests.test_imports import HEAVY, modules_after

from pairwatch import pairs
from pairwatch.snapshots import FILE_NAME
from pairwatch.writing import OutputFailed

TWINS = ("check", "demo:TWIN1", "demo:TWIN2")
TIGHT = ("--when", "correlation > 0.5")
LOOSE = ("--when", "correlation < 0.5")
UNKNOWN = ("--when", "correlation / (beta - beta) > 1")
OURS = ("check", "csv:a.csv", "csv:b.csv")
MONDAY = date(2026, 11, 2)
HEADER = ["a", "b", "rule", "when", "session", "holds", "in_force", "since", "change", "cries", "because"]


@pytest.fixture
def file(home):
    """The configuration file."""
    found = home / "config" / "pairwatch" / "config.toml"
    found.parent.mkdir(parents=True)
    return found


@pytest.fixture
def store(home):
    """Where the snapshots are."""
    return home / "data" / "pairwatch" / FILE_NAME


@pytest.fixture
def evening(run, tmp_path):
    """An evening's run: the closes of A so far (a number a weekday up to that evening), then the command."""

    def called(*closes, args, day=None):
        day = day or weekday(len(closes) - 1)
        write_closes(tmp_path / "a.csv", closes)
        write_closes(tmp_path / "b.csv", [50.0 for _ in closes])
        with time_machine.travel(datetime.combine(day, time(22), UTC), tick=False):
            return run(*OURS, *args)

    return called


def weekday(n):
    """The n-th weekday from the Monday on; those before it have negative numbers."""
    return MONDAY + timedelta(7 * (n // 5) + n % 5)


def write_closes(file, closes, before=30):
    """A file of closes; the first is on the Monday, and quiet weeks come before it."""
    days = [weekday(n) for n in range(-before, len(closes))]
    quiet = [closes[0] + n % 3 for n in range(before)] if closes else [100.0 + n % 3 for n in range(before)]
    lines = [f"{day},{close}" for day, close in zip(days, [*quiet, *closes], strict=True)]
    file.write_text("\n".join(["Date,Close", *lines]) + "\n")


def rows(out):
    """The rows of a CSV by its header."""
    table = list(csv.DictReader(io.StringIO(out)))
    assert all(list(row) == HEADER for row in table)
    return table


# ---------------------------------------------------------------- one pair, one condition


def test_a_condition_that_holds_is_said_once_and_exits_5_as_long_as_it_holds(run):
    code, out, err = run(*TWINS, *TIGHT)
    assert (code, err) == (5, "")
    assert out.startswith("demo:TWIN1 demo:TWIN2: correlation > 0.5 began on 20")
    assert out.count("\n") == 1
    assert run(*TWINS, *TIGHT) == (5, "", "")


def test_a_condition_that_does_not_hold_is_silent_and_exits_0(run):
    assert run(*TWINS, *LOOSE) == (0, "", "")


def test_with_new_only_a_cry_exits_5(run):
    assert run(*TWINS, *TIGHT, "--new")[0] == 5
    assert run(*TWINS, *TIGHT, "--new") == (0, "", "")
    assert run(*TWINS, *TIGHT)[0] == 5


def test_csv_lists_every_rule_whether_it_is_news_or_not(run):
    first, second = (rows(run(*TWINS, *TIGHT, "--csv")[1]) for _ in range(2))
    [row] = first
    assert (row["a"], row["b"]) == ("demo:TWIN1", "demo:TWIN2")
    assert (row["rule"], row["when"]) == ("correlation > 0.5", "correlation > 0.5")
    assert (row["holds"], row["in_force"], row["change"], row["cries"]) == ("true", "true", "began", "true")
    assert row["since"] == row["session"]
    assert row["because"].startswith("correlation 0.")
    assert second == [{**row, "change": "", "cries": "false"}]


def test_json_says_the_same_as_csv(run):
    run(*TWINS, *TIGHT)
    code, out, err = run(*TWINS, *TIGHT, "--json")
    [told], [row] = json.loads(out), rows(run(*TWINS, *TIGHT, "--csv")[1])
    assert (code, err, list(told)) == (5, "", HEADER)
    assert (told["holds"], told["in_force"], told["cries"]) == (True, True, False)
    assert {key: str(value).lower() if isinstance(value, bool) else value for key, value in told.items()} == row


def test_what_does_not_hold_is_listed_too(run):
    code, out, _ = run(*TWINS, *LOOSE, "--json")
    [told] = json.loads(out)
    assert (code, told["holds"], told["in_force"], told["since"], told["change"]) == (0, False, False, None, "")


def test_a_spreadsheet_runs_no_formula_of_ours(run):
    [row] = rows(run(*TWINS, "--when", "-correlation < 1", "--csv")[1])
    assert row["when"] == "'-correlation < 1"


def test_what_cannot_be_said_exits_4_and_is_noted(run):
    code, out, err = run(*TWINS, *UNKNOWN)
    assert (code, out) == (4, "")
    assert err.startswith("note: demo:TWIN1 demo:TWIN2: correlation / (beta - beta) > 1 cannot be said: correlation 0.")
    assert run(*TWINS, *UNKNOWN, "--quiet") == (4, "", "")
    [row] = rows(run(*TWINS, *UNKNOWN, "--csv")[1])
    assert (row["holds"], row["in_force"]) == ("", "false")


def test_no_snapshot_is_stored(run):
    run(*TWINS, *TIGHT)
    assert run("history", "demo:TWIN1", "demo:TWIN2")[0] == 4


def test_a_terminal_shows_what_holds_and_what_does_not():
    assert program(*TWINS, *TIGHT).returncode == 5
    shown = on_terminal(*TWINS, *LOOSE)
    assert shown.startswith("demo:TWIN1 demo:TWIN2: correlation < 0.5 holds not: correlation 0.")
    shown = on_terminal(*TWINS, *TIGHT, "--lasting", "2")
    assert " lasting 2 holds, not in force: 1 of 2 sessions: correlation 0." in shown
    shown = on_terminal(*TWINS, *TIGHT, "--new")
    assert " holds, in force since 20" in shown


def test_without_a_utf_8_locale_the_words_are_in_ascii(tmp_path):
    for name in ("é.csv", "b.csv"):
        days = "".join(f"{date(2020, 1, 1) + timedelta(n)},{100 + n % 3}\n" for n in range(60))
        (tmp_path / name).write_text(f"Date,Close\n{days}")
    args = ("check", "csv:é.csv", "csv:b.csv", "--when", "a.last < 1000")
    done = program(*args, cwd=tmp_path, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stdout) == (
        5,
        b"csv:e.csv csv:b.csv: a.last < 1000 began on 2020-02-29: a.last 102\n",
    )


# ---------------------------------------------------------------- evening after evening


BELOW = ("--when", "a.last < 100", "--until", "a.last > 110")


def test_a_wobble_around_the_threshold_cries_once(evening):
    closes = [105, 99, 101, 98, 103, 99, 111, 105]
    heard = [evening(*closes[: n + 1], args=BELOW) for n in range(len(closes))]
    assert [code for code, _, _ in heard] == [0, 5, 5, 5, 5, 5, 0, 0]
    assert [err for _, _, err in heard] == [""] * 8
    name = "csv:a.csv csv:b.csv: a.last < 100 until a.last > 110"
    assert [out for _, out, _ in heard if out] == [
        f"{name} began on 2026-11-03: a.last 99\n",
        f"{name} ended on 2026-11-10: a.last 111\n",
    ]


def test_without_until_the_cooldown_keeps_a_wobble_silent(evening):
    closes = [105, 99, 101, 98, 103, 99, 101, 98]
    heard = [evening(*closes[: n + 1], args=("--when", "a.last < 100")) for n in range(len(closes))]
    assert [code for code, _, _ in heard] == [0, 5, 0, 5, 0, 5, 0, 5]
    assert [(n, out.split()[5]) for n, (_, out, _) in enumerate(heard) if out] == [
        (1, "began"),
        (2, "ended"),
        (5, "began"),  # on Monday, six days later
        (6, "ended"),
    ]


def test_a_cooldown_of_nothing_cries_each_time(evening):
    closes = [105, 99, 101, 98]
    args = ("--when", "a.last < 100", "--cooldown", "0s")
    heard = [evening(*closes[: n + 1], args=args)[1] for n in range(len(closes))]
    assert ["began" in out for out in heard] == [False, True, False, True]


def test_a_condition_that_must_last_begins_when_it_has(evening):
    closes = [99, 105, 99, 98, 97]
    heard = [evening(*closes[: n + 1], args=("--when", "a.last < 100", "--lasting", "3")) for n in range(len(closes))]
    assert [code for code, _, _ in heard] == [0, 0, 0, 0, 5]


def test_the_same_evening_twice_is_one_session(evening):
    args = ("--when", "a.last < 100", "--lasting", "2")
    assert [evening(99, args=args)[0] for _ in range(3)] == [0, 0, 0]
    assert evening(99, 98, args=args)[0] == 5


def test_stale_data_are_judged_as_they_are_and_noted(evening):
    late = weekday(15)
    code, out, err = evening(105, args=BELOW, day=late)
    assert (code, out) == (6, "")
    assert "note: csv:a.csv: its last close, 2026-11-02, is 21 days old" in err
    code, out, err = evening(99, args=BELOW, day=late)
    assert (code, "began on 2026-11-02" in out, "days old" in err) == (5, True, True)


def test_an_older_file_ends_nothing(evening):
    assert evening(105, 99, args=BELOW)[0] == 5
    assert evening(115, args=BELOW, day=weekday(1))[:2] == (5, "")


@pytest.mark.parametrize(
    ("args", "closes", "words"),
    [
        (BELOW, [105], "holds not: a.last 105"),
        (BELOW, [99], "holds, in force since 2026-11-02, began now: a.last 99"),
        (BELOW, [99, 98], "holds, in force since 2026-11-02: a.last 98"),
        (BELOW, [99, 105], "a.last < 100 until a.last > 110 holds not, in force since 2026-11-02: a.last 105"),
        (BELOW, [99, 105, 111], "holds not, ended now: a.last 111"),
        (("--when", "a.last < 100", "--lasting", "2"), [105, 99], "holds, not in force: 1 of 2 sessions: a.last 99"),
        (("--when", "a.last / (b.last - 50) < 1"), [99], "cannot be said: a.last 99, b.last 50"),
    ],
)
def test_a_person_at_a_terminal_is_told_how_it_stands(evening, monkeypatch, args, closes, words):
    for n in range(1, len(closes)):
        evening(*closes[:n], args=args)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    _, out, err = evening(*closes, args=args)
    assert out.endswith(f" {words}\n")
    assert out.count("\n") == 1
    assert err == ""


# ---------------------------------------------------------------- the watch list and the file's rules


RULES = """
watchlist = [["demo:TWIN1", "demo:TWIN2"], "demo:LONE1 demo:LONE2"]

[[rules]]
name = "decoupled"
when = "correlation < 0.5"

[[rules]]
name = "twins-tight"
when = "correlation > 0.5"
pairs = [["demo:TWIN1", "demo:TWIN2"], ["demo:TWIN2", "demo:TWIN1"]]
"""


def test_all_checks_the_watch_list_by_the_rules_of_the_file(run, file):
    file.write_text(RULES)
    code, out, err = run("check", "--all", "--csv")
    assert (code, err) == (5, "")
    assert [(row["a"], row["b"], row["rule"], row["holds"]) for row in rows(out)] == [
        ("demo:TWIN1", "demo:TWIN2", "decoupled", "false"),
        ("demo:TWIN1", "demo:TWIN2", "twins-tight", "true"),
        ("demo:LONE1", "demo:LONE2", "decoupled", "true"),
        ("demo:TWIN2", "demo:TWIN1", "twins-tight", "true"),
    ]
    assert run("check", "--all") == (5, "", "")


def test_a_named_rule_is_said_with_what_it_says(run, file):
    file.write_text(RULES)
    _, out, _ = run("check", "--all")
    assert [line.split(" began ")[0] for line in out.splitlines()] == [
        "demo:TWIN1 demo:TWIN2: twins-tight (correlation > 0.5)",
        "demo:LONE1 demo:LONE2: decoupled (correlation < 0.5)",
        "demo:TWIN2 demo:TWIN1: twins-tight (correlation > 0.5)",
    ]


def test_a_named_rule_is_said_with_its_end(run, file):
    file.write_text('rules = [{name = "tight", when = "correlation > .5", until = "correlation < .4"}]\n')
    assert " tight (correlation > 0.5 until correlation < 0.4) began on 20" in run(*TWINS)[1]


def test_one_pair_is_checked_by_the_rules_that_are_for_it(run, file):
    file.write_text(RULES)
    assert [row["rule"] for row in rows(run(*TWINS, "--csv")[1])] == ["decoupled", "twins-tight"]
    assert [row["rule"] for row in rows(run("check", "demo:LONE1", "demo:TWIN1", "--csv")[1])] == ["decoupled"]


def test_all_with_a_condition_is_the_watch_list_with_that_alone(run, file):
    file.write_text(RULES)
    _, out, _ = run("check", "--all", *TIGHT, "--csv")
    assert [(row["a"], row["rule"]) for row in rows(out)] == [
        ("demo:TWIN1", "correlation > 0.5"),
        ("demo:LONE1", "correlation > 0.5"),
    ]


def test_rules_with_pairs_of_their_own_need_no_watch_list(run, file):
    file.write_text(RULES.split("\n\n", 1)[1])
    assert [row["a"] for row in rows(run("check", "--all", "--csv")[1])] == ["demo:TWIN1", "demo:TWIN2"]


def test_every_part_of_a_rule_in_the_file_counts(run, file, tmp_path):
    file.write_text(
        'rules = [{name = "low", when = "a.last < 100", until = "a.last > 110", lasting = 2, cooldown = "0s"}]\n'
    )
    codes = []
    closes = [99, 98, 105, 111, 99, 98]
    for n in range(len(closes)):
        write_closes(tmp_path / "a.csv", closes[: n + 1])
        write_closes(tmp_path / "b.csv", [50.0] * (n + 1))
        with time_machine.travel(datetime.combine(weekday(n), time(22), UTC), tick=False):
            codes.append(run(*OURS, "--new")[0])
    assert codes == [0, 5, 0, 0, 0, 5]


# ---------------------------------------------------------------- what fails


def test_a_pair_that_cannot_be_had_is_an_error_in_two_lines(run):
    code, out, err = run("check", "demo:TWIN1", "demo:NOPE", *TIGHT)
    assert (code, out) == (3, "")
    two_lines(err)


def test_too_few_returns_keep_their_own_code(run):
    code, _, err = run(*TWINS, *TIGHT, "--window", "5b")
    assert code == 4
    two_lines(err)


def test_what_could_not_be_had_is_listed_empty(run):
    code, out, _ = run("check", "demo:TWIN1", "demo:NOPE", *TIGHT, "--csv")
    [row] = rows(out)
    assert code == 3
    assert [key for key, cell in row.items() if cell] == ["a", "b", "rule", "when"]


@pytest.mark.parametrize(
    ("watched", "when", "code"),
    [
        (["TWIN1 demo:TWIN2", "TWIN1 demo:NOPE"], LOOSE, 8),
        (["TWIN1 demo:TWIN2", "TWIN1 demo:NOPE"], TIGHT, 5),
        (["TWIN1 demo:NOPE", "NOPE demo:TWIN1"], TIGHT, 3),
        (["TWIN1 demo:TWIN2", "LONE1 demo:LONE2"], LOOSE, 5),
        (["TWIN1 demo:TWIN2"], LOOSE, 0),
        (["TWIN1 demo:TWIN2"], UNKNOWN, 4),
    ],
)
def test_the_exit_code_says_the_worst_that_happened(run, file, watched, when, code):
    file.write_text(f"watchlist = {json.dumps([f'demo:{pair}' for pair in watched])}\n")
    assert run("check", "--all", *when)[0] == code


def test_all_pairs_too_short_is_not_enough_data(run, file):
    file.write_text('watchlist = ["demo:TWIN1 demo:TWIN2", "demo:LONE1 demo:LONE2"]\n')
    assert run("check", "--all", *TIGHT, "--window", "5b")[0] == 4


def test_a_failed_leg_is_said_once_for_all_its_pairs(run, file):
    file.write_text('watchlist = ["demo:TWIN1 demo:NOPE", "demo:TWIN2 demo:NOPE", "demo:TWIN1 demo:TWIN2"]\n')
    code, out, err = run("check", "--all", *LOOSE)
    assert (code, out) == (8, "")
    assert two_lines(err)[0].endswith(" (2 pairs)")


def test_a_store_that_cannot_be_used_is_7_and_what_holds_is_said_all_the_same(run, store):
    store.parent.mkdir(parents=True)
    store.write_bytes(b"no database " * 100)
    for _ in range(2):
        code, out, err = run(*TWINS, *TIGHT)
        assert code == 7
        assert out.startswith("demo:TWIN1 demo:TWIN2: correlation > 0.5 holds on 20")
        two_lines(err)
    assert run(*TWINS, *LOOSE)[:2] == (7, "")
    [row] = rows(run(*TWINS, *TIGHT, "--csv")[1])
    assert (row["holds"], row["in_force"], row["since"], row["change"], row["cries"]) == ("true", "", "", "", "")
    assert store.read_bytes() == b"no database " * 100


USAGE = {
    "no pair": ("check",),
    "one leg": ("check", "QQQ", *TIGHT),
    "three legs": ("check", "QQQ", "IWM", "SPY", *TIGHT),
    "the same leg twice": ("check", "QQQ", "QQQ", *TIGHT),
    "legs and all": (*TWINS, "--all", *TIGHT),
    "no rules": TWINS,
    "no rules for all": ("check", "--all"),
    "nobody watched": ("check", "--all", *TIGHT),
    "an end without a beginning": (*TWINS, "--until", "correlation > 0.6"),
    "a cool-down of nothing": (*TWINS, "--cooldown", "1d"),
    "no condition": (*TWINS, "--when", ""),
    "half a condition": (*TWINS, "--when", "correlation <"),
    "a number": (*TWINS, "--when", "correlation"),
    "python": (*TWINS, "--when", "__import__('os').system('true') < 1"),
    "a statistic that there is not": (*TWINS, "--when", "corelation < 1"),
    "a leg's statistic of no leg": (*TWINS, "--when", "volatility < 1"),
    "an end of nonsense": (*TWINS, *TIGHT, "--until", "soon"),
    "no session": (*TWINS, *TIGHT, "--lasting", "0"),
    "half a session": (*TWINS, *TIGHT, "--lasting", "0.5"),
    "a cool-down that is none": (*TWINS, *TIGHT, "--cooldown", "soon"),
    "a table": (*TWINS, *TIGHT, "--format", "table"),
    "csv and json": (*TWINS, *TIGHT, "--csv", "--json"),
    "refreshed offline": (*TWINS, *TIGHT, "--refresh", "--offline"),
}


@pytest.mark.parametrize("args", USAGE.values(), ids=USAGE)
def test_nonsense_is_refused_in_two_lines(run, args, store):
    code, out, err = run(*args)
    assert (code, out) == (2, "")
    two_lines(err)
    assert not store.exists()


def test_a_misspelt_statistic_is_suggested_before_anything_is_fetched(run):
    code, _, err = run("check", "demo:NOPE", "demo:NADA", "--when", "beta > 1 and corelation < 0.6")
    assert code == 2
    assert two_lines(err) == [
        "error: --when at 14: no statistic is called 'corelation'",
        "hint: write correlation; `pairwatch explain` lists them",
    ]


def test_a_broken_rule_in_the_file_is_named(run, file):
    file.write_text('rules = [{name = "odd", when = "beta > 1", until = "beta <"}]\n')
    code, _, err = run(*TWINS)
    assert code == 2
    assert two_lines(err)[0].endswith("config.toml: rule odd: until at 7: the end, where a name or a number is needed")


def test_without_rules_one_is_shown_that_works(run, file):
    _, hint = two_lines(run(*TWINS)[2])
    file.write_text(hint.removeprefix("hint: put at its top: ").split("; or")[0] + "\n")
    assert run(*TWINS) == (0, "", "")


def test_a_pair_that_no_rule_is_for_is_refused(run, file):
    file.write_text('rules = [{name = "odd", when = "beta > 1", pairs = ["QQQ IWM"]}]\n')
    code, _, err = run(*TWINS)
    assert code == 2
    assert two_lines(err)[0].endswith("is for demo:TWIN1 demo:TWIN2")


# ---------------------------------------------------------------- what was not said


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")  # noqa: PTH110 - no file
@pytest.mark.parametrize("form", ["text", "csv", "json"])
def test_news_that_could_not_be_written_is_said_by_the_next_check(run, form):
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        failed = program(*TWINS, *TIGHT, "-f", form, capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert b"could not be written" in failed.stderr
    code, out, _ = run(*TWINS, *TIGHT, "--new")
    assert (code, out.count(" began on 20")) == (5, 1)
    assert run(*TWINS, *TIGHT, "--new") == (0, "", "")


def test_news_whose_reader_has_gone_is_listed_by_the_next_check(run):
    theirs, ours = os.pipe()
    os.close(theirs)
    with open(ours, "wb") as gone:  # noqa: PTH123 - a pipe
        program(*TWINS, *TIGHT, capture_output=False, stdout=gone, stderr=subprocess.PIPE)
    first, second = (rows(run(*TWINS, *TIGHT, "--csv")[1])[0] for _ in range(2))
    assert (first["change"], first["cries"]) == ("began", "true")
    assert (second["change"], second["cries"]) == ("", "false")


def test_an_earlier_end_is_said_with_its_own_session_and_values(evening):
    rule = ("--when", "a.last > 110", "--cooldown", "0s")
    assert evening(120.0, args=rule)[0] == 5
    with pytest.MonkeyPatch.context() as broken:
        broken.setattr("pairwatch.writing.to_stdout", full_disk)
        assert evening(120.0, 100.0, args=rule)[0] != 0
    _, out, _ = evening(120.0, 100.0, 101.0, args=rule)
    assert out == f"csv:a.csv csv:b.csv: a.last > 110 cooldown 0d ended on {weekday(1)}: a.last 100\n"
    assert evening(120.0, 100.0, 101.0, args=rule)[1] == ""


def full_disk(text):
    raise OutputFailed("the result could not be written (full)")


def test_each_pair_is_said_before_the_next_one_is_looked_at(run, file, monkeypatch):
    file.write_text('watchlist = ["demo:TWIN1 demo:TWIN2", "demo:TWIN2 demo:TWIN1"]\n')
    compare, done = pairs.compare, []

    def once(*args, **more):
        if done:
            raise KeyboardInterrupt
        done.append(1)
        return compare(*args, **more)

    monkeypatch.setattr(pairs, "compare", once)
    code, out, _ = run("check", "--all", *TIGHT)
    assert (code, out.count(" began on 20")) == (130, 1)


def test_a_damaged_state_is_no_reason_to_refuse(run, store):
    assert run(*TWINS, *TIGHT)[0] == 5
    with closing(sqlite3.connect(store)) as db:
        db.execute("UPDATE states SET checksum = 0")
        db.commit()
    assert run("snapshot", "doctor")[1].count("how a rule stands is damaged") == 1
    code, out, _ = run(*TWINS, *TIGHT)
    assert (code, out.count(" began on 20")) == (5, 1)
    assert "is damaged" not in run("snapshot", "doctor")[1]


# ---------------------------------------------------------------- together, and afterwards


def test_of_two_processes_one_speaks(home):
    started = [subprocess.Popen([*PROGRAM, *TWINS, *TIGHT], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=60)[0] for process in started]
    assert [process.returncode for process in started] == [5, 5]
    assert sorted(text.count("began") for text in said) == [0, 1]


@pytest.mark.parametrize("form", ["text", "csv", "json"])
def test_a_warm_check_loads_nothing_heavy_and_no_rich(form):
    assert not modules_after(*TWINS, *TIGHT, "-f", form, code=5) & (HEAVY | {"rich"})


def test_the_log_tells_what_was_judged(run, tmp_path):
    log = tmp_path / "log.jsonl"
    run(*TWINS, *TIGHT, "--log-file", log)
    run("check", "demo:TWIN1", "demo:NOPE", *TIGHT, "--log-file", log)
    first, second = map(json.loads, log.read_text().splitlines())
    assert (first["event"], first["rule"], first["holds"], first["change"]) == (
        "check",
        "correlation > 0.5",
        True,
        "began",
    )
    assert (second["holds"], second["message"]) == (None, "demo:NOPE: not a demo leg")
