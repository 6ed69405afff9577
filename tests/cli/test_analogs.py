"""`pairwatch analogs`."""

import csv
import io
import json

import pytest
from tests.cli.running import two_lines

PAIR = ("analogs", "demo:LEADER", "demo:FOLLOWER")


def test_it_says_what_followed_in_every_format(run):
    code, out, _ = run(*PAIR, "--json")
    document = json.loads(out)
    assert code == 0
    assert document["study"] == "analogs"
    assert list(document["sections"]) == ["now", "after", "events"]
    assert [row["bars"] for row in document["sections"]["after"]] == [5, 20, 60]
    code, table, _ = run(*PAIR, "--format", "table")
    assert code == 0
    assert "bars later demo:LEADER had moved" in " ".join(table.split())
    code, text, _ = run(*PAIR, "--csv", "--section", "events")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert code == 0
    assert [row["date"] for row in rows] == [row["date"] for row in document["sections"]["events"]]


@pytest.mark.parametrize("by", ["z", "gap", "correlation"])
def test_the_measure_and_the_horizons_can_be_chosen(run, by):
    code, out, _ = run(*PAIR, "--by", by, "--horizons", "3,9", "--json")
    sections = json.loads(out)["sections"]
    assert code == 0
    assert sections["now"][0]["measure"] == by
    assert [row["bars"] for row in sections["after"]] == [3, 9]
    assert all({"after_3", "after_9"} <= set(row) for row in sections["events"])


@pytest.mark.parametrize(("option", "value"), [("--by", "beta"), ("--horizons", "soon"), ("--horizons", "0")])
def test_what_there_is_not_ends_with_2_and_a_hint(run, option, value):
    code, out, err = run(*PAIR, option, value)
    assert (code, out) == (2, "")
    two_lines(err)
