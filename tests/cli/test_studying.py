"""What the studies' commands have in common, on the command of one of them, with a study of its own."""

import csv
import io
import json
import os
import re
import subprocess
from datetime import date

import pytest
from tests import builders
from tests.cli.running import DAY, PROGRAM, on_terminal, program, two_lines

from pairwatch.model import NAN, Column, Heading, Section
from pairwatch.studies import spread

PAIR = ("spread", "demo:LEADER", "demo:FOLLOWER")
NOW = Heading(
    "now",
    "where it is",
    "What there is now.",
    (
        Column("what", "", "text", "What it is."),
        Column("value", "value", "unit", "Its value."),
        Column("unit", "", "text", "What the value is counted in."),
    ),
)
THEN = Heading(
    "then", "where it was", "What there was.", (Column("day", "day", "date", ""), Column("n", "n", "count", ""))
)


@pytest.fixture(autouse=True)
def asked(monkeypatch):
    """What the study was asked, which says where a pair's spread is and what stands beside it."""
    calls = []

    def study(pair, beside=(), *_, **__):
        calls.append((pair, beside))
        rows = [("spread", float(pair.spread[-1]), "number"), ("nothing", NAN, "fraction")]
        rows += [(str(leg.leg), float(leg.levels[-1]), "number") for leg in beside]
        sections = (Section(NOW, tuple(rows)), Section(THEN, ((pair.day(0), pair.n),)))
        return pair.study("spread", (f"It is at {pair.spread[-1]:.2f} (n {pair.n}).",), sections)

    monkeypatch.setattr(spread, "study", study)
    monkeypatch.setattr(spread, "HEADINGS", (NOW, THEN))
    return calls


def write(path, closes, days=None):
    days = builders.weekdays(len(closes)) if days is None else days
    path.write_text("Date,Close\n" + "".join(f"{day},{close:.4f}\n" for day, close in zip(days, closes, strict=True)))


@pytest.fixture
def files(tmp_path):
    """a.csv and b.csv of 300 closes, and short.csv of ten."""
    for name, returns in zip("ab", builders.linked_returns(299), strict=True):
        write(tmp_path / f"{name}.csv", builders.prices(returns))
    write(tmp_path / "short.csv", builders.prices(builders.linked_returns(9)[0]))
    return ("spread", "csv:a.csv", "csv:b.csv", "--as-of", "2026-11-20")


# ---------------------------------------------------------------- what is written


def test_a_pipe_gets_data_alone_and_stderr_the_words(run):
    code, out, err = run(*PAIR, *DAY)
    assert code == 0
    assert out.startswith("a,b,as_of,section,row,item,key,value,unit\n")
    assert {line["section"] for line in csv.DictReader(io.StringIO(out))} == {"now", "then"}
    assert err == "note: simulated numbers, drawn and not recorded\n"


def test_quiet_leaves_out_the_notes(run):
    assert run(*PAIR, *DAY, "--quiet")[2] == ""


@pytest.mark.parametrize(
    ("args", "start"),
    [(("--csv",), "a,b,"), (("--json",), "{"), (("-f", "table"), "demo:LEADER against "), (("-f", "JSON"), "{")],
)
def test_a_format_is_what_was_asked_for(run, args, start):
    code, out, _ = run(*PAIR, *DAY, *args)
    assert (code, out.startswith(start)) == (0, True)


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_the_same_run_gives_the_same_bytes(run, form):
    assert run(*PAIR, *DAY, "-f", form) == run(*PAIR, *DAY, "-f", form)


def test_one_section_alone_has_its_own_columns(run):
    assert run(*PAIR, *DAY, "--section", "then")[1].splitlines()[0] == "day,n"
    document = json.loads(run(*PAIR, *DAY, "--section", "then", "--json")[1])
    assert list(document["sections"]) == ["then"]


@pytest.mark.parametrize(("name", "start"), [("x.json", "{"), ("x.csv", "a,b,"), ("x", "a,b,")])
def test_a_file_gets_the_format_of_its_name_and_standard_output_nothing(run, tmp_path, name, start):
    code, out, _ = run(*PAIR, *DAY, "-o", name)
    assert (code, out) == (0, "")
    assert (tmp_path / name).read_text("utf-8").startswith(start)


def test_a_file_gets_what_standard_output_would(run, tmp_path):
    run(*PAIR, *DAY, "-f", "table", "-o", "x.txt")
    assert (tmp_path / "x.txt").read_text("utf-8") == run(*PAIR, *DAY, "-f", "table")[1]


def test_a_reader_that_leaves_after_one_line_ends_it_quietly():
    with subprocess.Popen(
        [*PROGRAM, *PAIR, *DAY, "--quiet"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        first = process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert first == b"a,b,as_of,section,row,item,key,value,unit\n"
    assert process.returncode == 0


@pytest.mark.parametrize("columns", [80, 120])
def test_a_terminal_gets_a_coloured_table_of_its_width(columns):
    shown = on_terminal(*PAIR, *DAY, columns=columns)
    bare = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert shown != bare
    assert bare.startswith("demo:LEADER against demo:FOLLOWER · spread · ")
    assert "simulated" in bare
    assert max(map(len, bare.splitlines())) <= columns


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_terminal_that_wants_no_colour_gets_none(environ):
    assert "\x1b" not in on_terminal(*PAIR, *DAY, **environ)


def test_an_output_of_ascii_has_no_question_marks():
    environ = {**os.environ, "PYTHONIOENCODING": "ascii", "LANG": "C", "LC_ALL": "C"}
    for form in ("table", "csv", "json"):
        done = program(*PAIR, *DAY, "-f", form, env=environ)
        assert (done.returncode, done.stdout.isascii(), b"?" in done.stdout) == (0, True, False)


# ---------------------------------------------------------------- what is asked of the study


def test_the_window_rolls_and_since_begins(run, files, asked):
    days = builders.weekdays(300)
    assert run(*files, "-w", "61b", "--since", days[99])[0] == 0
    (pair, beside) = asked[0]
    assert (pair.bars, pair.day(0), pair.day(-1)) == (61, days[99].item(), date(2026, 11, 20))
    assert beside == ()


def test_other_legs_stand_on_the_pairs_days(run, files, asked, tmp_path):
    write(tmp_path / "c.csv", builders.prices(builders.linked_returns(99, seed=5)[0]))
    assert run(*files, "--with", "csv:c.csv", "--with", "csv:b.csv")[0] == 0
    (pair, beside) = asked[0]
    assert [str(leg.leg) for leg in beside] == ["csv:c.csv", "csv:b.csv"]
    assert [leg.known for leg in beside] == [99, pair.n]


def test_a_unit_may_be_typed_for_a_leg_beside(run, files, asked):
    assert run(*files, "--with", "csv:short.csv", "--unit", "csv:short.csv=rate")[0] == 0
    assert asked[0][1][0].change_unit == "bp"
    code, _, err = run(*files, "--unit", "csv:short.csv=rate")
    assert code == 2
    assert "which is no leg of this run" in two_lines(err)[0]


def test_every_second_day_may_be_asked_for(run, files, asked):
    assert run(*files, "--align", "two-day")[0] == 0
    assert asked[0][0].n == 149


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("args", "code", "what"),
    [
        (("--section", "ledge"), 2, "spread has no section 'ledge'"),
        (("--format", "markdown"), 2, "no study is written as markdown"),
        (("-o", "x.md"), 2, "no study is written as markdown"),
        (("--csv", "--json"), 2, "more than one format"),
        (("--since", "soon"), 2, "not a day: 'soon'"),
        (("--since", "2026-11-19"), 4, "csv:a.csv and csv:b.csv have 1 common return since 2026-11-19"),
        (("--as-of", "2025-10-10"), 4, "common return"),
        (("--with", "csv:none.csv"), 3, "csv:none.csv"),
        (("--with", "../x"), 2, "not a leg: yahoo:../X"),
        (("--window", "soon"), 2, "soon"),
        (("--offline", "--refresh"), 2, "--refresh asks the source"),
    ],
)
def test_what_cannot_be_done_is_said_in_two_lines_and_nothing_is_written(run, files, tmp_path, args, code, what):
    before = sorted(tmp_path.iterdir())
    ended, out, err = run(*files, *args)
    assert (ended, out) == (code, "")
    assert what in two_lines(err)[0]
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("pair", "code", "what"),
    [
        (("demo:NOPE", "demo:LEADER"), 3, "demo:NOPE"),
        (("demo:LEADER", "demo:NOPE"), 3, "demo:NOPE"),
        (("csv:a.csv", "csv:short.csv"), 4, "9 common returns"),
        (("csv:a.csv", "csv:a.csv"), 2, "both legs are csv:a.csv"),
        (("QQQ", "IWM", "--offline"), 3, "QQQ"),
    ],
)
def test_a_pair_that_cannot_be_had_ends_with_its_code(run, files, pair, code, what):
    ended, out, err = run("spread", *pair)
    assert (ended, out) == (code, "")
    assert what in two_lines(err)[0]


@pytest.mark.parametrize("name", ["lead", "correlation", "spread", "hedge", "analogs", "related", "why"])
def test_the_hint_for_a_leg_against_itself_is_the_command_that_was_typed(run, name):
    code, _, err = run(name, "QQQ", "qqq")
    assert code == 2
    assert two_lines(err)[1].endswith(f": pairwatch {name} QQQ IWM")


@pytest.mark.parametrize(
    ("name", "section", "option"),
    [
        ("hedge", "shocks", "--shock B=-10%"),
        ("correlation", "factor", "--factor SPY"),
        ("spread", "drivers", "--with cboe:VIX"),
        ("spread", "ledger_beside", "--with cboe:VIX"),
        ("lead", "lags", "--interval 5m"),
    ],
)
def test_a_section_that_was_not_asked_for_is_refused_with_what_makes_it(run, provider, name, section, option):
    code, _, err = run(name, "QQQ", "IWM", "--section", section)
    found, hint = two_lines(err)
    assert (code, provider.asked) == (2, [])
    assert f"{name} has a section '{section}' only with {option.split()[0]}" in found
    assert hint.endswith(option)


@pytest.mark.parametrize("args", [("--since", "soon"), ("-f", "markdown"), ("-o", "x.md"), ("-w", "soon")])
def test_what_is_typed_wrong_is_said_before_any_provider_is_asked(run, provider, args):
    assert run("spread", "QQQ", "IWM", *args)[0] == 2
    assert provider.asked == []


def test_a_failed_run_leaves_the_old_file_alone(run, files, tmp_path):
    (tmp_path / "old.csv").write_text("old")
    assert run(*files, "--section", "ledge", "-o", "old.csv")[0] == 2
    assert (tmp_path / "old.csv").read_text() == "old"


def test_old_data_end_with_6_where_they_are_not_allowed_and_else_are_a_note(run, cached):
    ended, out, err = run("spread", "AAA", "BBB", "--offline", "--fail-stale")
    assert (ended, out) == (6, "")
    assert "AAA" in two_lines(err)[0]
    ended, out, err = run("spread", "AAA", "BBB", "--offline", "--json")
    assert (ended, json.loads(out)["stale"]) == (0, True)
    assert err.startswith("note: AAA")
