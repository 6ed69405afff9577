import csv
import io
import json
import math
import re
from datetime import date

import pytest
from tests import snapped
from tests.cli.running import on_terminal, two_lines
from tests.snapped import FRIDAY, THURSDAY, WEDNESDAY

PAIR = ("diff", "AAA", "BBB")


@pytest.fixture
def data(tmp_path, monkeypatch):
    """The data folder, empty."""
    monkeypatch.setenv("PAIRWATCH_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


@pytest.fixture
def weeks(data):
    """Snapshots of Wednesday and Thursday, and two of Friday, before which Wednesday's close had been revised."""
    days = ((WEDNESDAY, None), (THURSDAY, None), (FRIDAY, None), (FRIDAY, WEDNESDAY))
    return snapped.store(data, *(snapped.taken(day, revise) for day, revise in days))


def document(run, *args):
    code, out, err = run(*PAIR, *args, "--json")
    assert (code, err) == (0, "")
    return json.loads(out)


def ends(found):
    return tuple(f"{found[end]['session']}.{found[end]['revision']}" for end in ("from", "to"))


def by_name(found):
    return {(one["scope"], one["statistic"]): one for one in found["statistics"]}


@pytest.mark.parametrize(
    ("args", "found"),
    [
        ((), ("2026-11-19.1", "2026-11-20.2")),
        (("2026-11-18",), ("2026-11-18.1", "2026-11-20.2")),
        (("2026-11-20.1",), ("2026-11-20.1", "2026-11-20.2")),
        (("2026-11-18", "2026-11-19"), ("2026-11-18.1", "2026-11-19.1")),
        (("2026-11-18", "2026-11-20.1"), ("2026-11-18.1", "2026-11-20.1")),
        (("latest", "2026-11-18"), ("2026-11-20.2", "2026-11-18.1")),
        (("2026-11-19", "LATEST"), ("2026-11-19.1", "2026-11-20.2")),
    ],
)
def test_two_snapshots_are_set_against_each_other(run, weeks, args, found):
    assert ends(document(run, *args)) == found


def test_json_says_what_moved_and_why(run, weeks):
    found = document(run)
    assert (found["schema"], found["a"], found["b"], found["window"]) == (1, "AAA", "BBB", "90d")
    assert found["from"]["taken_at"] == "2026-11-19T22:00:00Z"
    assert found["days"]["left"] == []
    assert found["days"]["entered"] == ["2026-11-20"]
    (revised,) = found["days"]["revised"]
    assert (revised["leg"], revised["day"], revised["what"]) == ("BBB", "2026-11-18", "close")
    assert revised["to"] == pytest.approx(1.02 * revised["from"])
    for one in found["statistics"]:
        parts = [one[part] for part in ("left", "entered", "revised")]
        if None not in (one["change"], *parts):
            assert math.fsum(parts) == pytest.approx(
                one["change"], abs=1e-12 * max(1, abs(one["from"]), abs(one["to"]))
            )
    assert by_name(found)["pair", "correlation"]["revised"] != 0


def test_what_was_said_is_what_the_store_holds(run, weeks):
    numbers = weeks.numbers(snapped.snapshot(weeks, 1))
    found = by_name(document(run, "2026-11-19"))
    said = dict(zip(((n.scope, n.key) for n in numbers.names), numbers.values.tolist(), strict=True))
    assert {name: one["from"] for name, one in found.items()} == {
        name: None if math.isnan(said[name]) else said[name] for name in found
    }


def test_csv_has_every_statistic_and_the_numbers_of_json(run, weeks):
    code, out, _ = run(*PAIR)
    assert code == 0
    rows = list(csv.DictReader(io.StringIO(out)))
    assert list(rows[0]) == ["statistic", "scope", "unit", "from", "to", "change", "left", "entered", "revised"]
    found = document(run)["statistics"]
    assert len(rows) == len(found) > 80
    for row, one in zip(rows, found, strict=True):
        assert {key: row[key] or None for key in row} == {
            key: str(value) if isinstance(value, int) else value if value is None else row[key]
            for key, value in one.items()
        }
        assert [float(row[key] or "nan") for key in ("from", "to", "change")] == pytest.approx(
            [math.nan if one[key] is None else one[key] for key in ("from", "to", "change")], nan_ok=True
        )


def test_a_table_shows_what_moved_and_the_days(run, weeks):
    code, out, _ = run(*PAIR, "-f", "table")
    assert code == 0
    assert re.search(r"^pair +from +to +change +left +entered +revised$", out, re.MULTILINE)
    assert re.search(r"^  correlation +\S+ +\S+ +[+-]\S+ +0 +[+-]\S+ +[+-]\S+$", out, re.MULTILINE)
    assert not re.search(r"^  common returns", out, re.MULTILINE) or "entered" in out
    assert re.search(r"^  entered +1 day: 2026-11-20$", out, re.MULTILINE)
    assert re.search(r"^  revised +BBB close of 2026-11-18 \S+ to \S+$", out, re.MULTILINE)


def test_a_table_leaves_out_what_stayed_and_shows_it_where_it_is_asked_for(run, weeks):
    out = run(*PAIR, "2026-11-20.1", "-f", "table")[1]
    assert "common returns" not in out
    assert "common returns" in run(*PAIR, "2026-11-20.1", "-f", "table", "--only", "observations")[1]


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_a_table_fits_on_the_terminal(weeks, columns):
    shown = on_terminal(*PAIR, columns=columns)
    assert max(len(re.sub(r"\x1b\[[0-9;]*m", "", line)) for line in shown.splitlines()) <= columns
    assert "correlation" in shown


def test_markdown_has_a_table_a_group(run, weeks):
    out = run(*PAIR, "-f", "markdown")[1]
    assert "| pair | from | to | change | left | entered | revised |" in out
    assert "- **entered** 1 day: 2026-11-20" in out


def test_only_some_statistics_may_be_asked_for(run, weeks):
    found = document(run, "--only", "beta", "--only", "LAST")
    assert list(by_name(found)) == [("a", "last"), ("b", "last"), ("pair", "beta")]


def test_a_statistic_of_one_leg_may_be_asked_for_as_history_takes_it(run, weeks):
    found = document(run, "--only", "a.last", "--only", "difference.volatility", "--only", "pair.beta")
    assert list(by_name(found)) == [("a", "last"), ("difference", "volatility"), ("pair", "beta")]


@pytest.mark.parametrize("key", ["nonsense", "now", "\x1b[31m", "x.last", "a.correlation", "a.now", ".", "\x1b.lst"])
def test_a_statistic_that_is_none_is_a_wrong_request(run, weeks, key):
    code, out, err = run(*PAIR, "--only", key)
    assert (code, out) == (2, "")
    two_lines(err)


def test_a_statistic_that_is_nearly_one_is_suggested(run, weeks):
    assert "did you mean correlation?" in run(*PAIR, "--only", "corelation")[2]
    assert "did you mean a.volatility?" in run(*PAIR, "--only", "A.volatilty")[2]


# ---------------------------------------------------------------- now


def test_now_is_what_compare_says(run, cached, data):
    snapped.store(data, snapped.taken(THURSDAY))
    found = by_name(document(run, "latest", "now", "--offline", "-q"))
    said = json.loads(run("compare", "AAA", "BBB", "--offline", "-q", "--json")[1])
    assert {key: one["to"] for (scope, key), one in found.items() if scope == "pair"} == said["pair"]
    assert found["pair", "correlation"]["entered"] != 0


def test_now_is_set_against_an_earlier_session_where_nothing_is_said(run, cached, weeks):
    found = document(run, "2026-11-19", "now", "--offline", "-q")
    assert found["to"]["revision"] is None
    assert found["to"]["session"] == "2026-11-20"


def test_without_an_earlier_session_now_is_set_against_its_own(run, cached, data):
    snapped.store(data, snapped.taken(FRIDAY, revise=WEDNESDAY))
    found = document(run, "latest", "now", "--offline", "-q")
    assert ends(found) == ("2026-11-20.1", "2026-11-20.None")
    assert [one["day"] for one in found["days"]["revised"]] == ["2026-11-18"]


def test_a_diff_of_snapshots_needs_neither_cache_nor_source(run, weeks, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("PAIRWATCH_CACHE_DIR", str(tmp_path / "file" / "cache"))
    code, _, err = run(*PAIR)
    assert (code, err) == (0, "")


def test_a_leg_that_cannot_be_had_now_is_the_sources_error(run, weeks, tmp_path, monkeypatch):
    monkeypatch.setenv("PAIRWATCH_CACHE_DIR", str(tmp_path / "empty"))
    code, out, err = run(*PAIR, "latest", "now", "--offline")
    assert (code, out) == (3, "")
    two_lines(err)


# ---------------------------------------------------------------- what there is not


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (("2026-11-20", "latest"), 2),
        (("latest", "latest"), 2),
        (("now",), 2),
        (("yesterday",), 2),
        (("2026-11-19", "tomorrow"), 2),
        (("--csv", "--json"), 2),
        (("2020-01-01",), 4),
        (("2026-11-20.9",), 4),
        (("--window", "30d"), 4),
    ],
    ids=str,
)
def test_a_request_that_cannot_be_met_says_so(run, weeks, args, code):
    found, out, err = run(*PAIR, *args)
    assert (found, out) == (code, "")
    two_lines(err)


def test_without_a_snapshot_the_command_for_one_is_hinted_at(run, data):
    code, out, err = run(*PAIR)
    assert (code, out) == (4, "")
    assert two_lines(err)[1] == "hint: pairwatch snapshot AAA BBB"


def test_a_single_snapshot_can_be_set_against_now(run, data):
    snapped.store(data, snapped.taken(FRIDAY))
    code, _, err = run(*PAIR)
    assert code == 4
    assert "pairwatch diff AAA BBB latest now" in two_lines(err)[1]


def test_a_store_that_is_damaged_is_refused(run, data):
    (data / "snapshots.db").write_bytes(b"no database at all" * 100)
    code, out, err = run(*PAIR)
    assert (code, out) == (7, "")
    two_lines(err)


def test_a_diff_may_go_into_a_file(run, weeks, tmp_path):
    assert run(*PAIR, "-o", tmp_path / "found.json")[:2] == (0, "")
    assert json.loads((tmp_path / "found.json").read_text())["a"] == "AAA"


def test_remarks_are_notes_where_no_table_shows_them(run, data):
    early = date(2026, 8, 3)
    snapped.store(data, snapped.taken(early, window="20b"), snapped.taken(FRIDAY, window="20b"))
    _, _, err = run(*PAIR, "-w", "20b")
    assert re.fullmatch(r"note: both windows share fewer than 20 returns.*\n", err)
    assert run(*PAIR, "-w", "20b", "-q")[2] == ""
