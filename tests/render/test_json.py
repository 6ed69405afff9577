import csv
import io
import json
import math
import re
from dataclasses import replace

import pytest
from tests.render.comparisons import (
    ALL,
    HOSTILE_TEXTS,
    PIPE,
    Page,
    demo,
    flat,
    hostile,
    points_and_level,
    rate_and_index,
    rate_and_price,
    with_files,
    with_past,
)

from pairwatch.render import csv as csv_writer
from pairwatch.render import json as writer


def strict(text):
    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    def unique(pairs):
        assert len({key for key, _ in pairs}) == len(pairs), "a key twice"
        return dict(pairs)

    return json.loads(text, parse_constant=refuse, object_pairs_hook=unique)


def read(c):
    return strict(writer.comparison(c, PIPE))


def at(document, path):
    for key in path.split("."):
        document = document[key]
    return document


@pytest.mark.parametrize(
    "path",
    [
        "schema",
        "pairwatch",
        "as_of",
        "window",
        "stale",
        "simulated",
        "warnings",
        "reading",
        "receipt",
        "receipt.returns",
        "receipt.bars_per_year",
        "receipt.a.origin",
        "receipt.b.days_lost",
        "a.leg",
        "a.source",
        "a.symbol",
        "a.currency",
        "a.last",
        "b.last",
        "b.volatility",
        "difference.volatility",
        "pair.correlation",
        "pair.beta",
        "leadership.verdict",
        "leadership.leader",
        "leadership.lag",
        "leadership.p_value",
        "leadership.correlations",
    ],
)
def test_a_path_that_scripts_use_is_there(path):
    at(read(demo()), path)


def test_the_frame_says_what_was_asked():
    document = read(demo())
    assert document["schema"] == 1
    assert document["as_of"] == "2026-06-30"
    assert document["window"] == "90d"
    assert document["stale"] is False
    assert document["warnings"] == list(demo().warnings)
    assert document["a"]["leg"] == "demo:TWIN1"
    assert document["leadership"]["verdict"] == demo().leadership.verdict


@pytest.mark.parametrize("name", ALL)
def test_csv_and_json_hold_the_same_numbers_under_the_same_names(name):
    c = ALL[name]()
    document = read(c)
    rows = list(csv.reader(io.StringIO(csv_writer.comparison(c, PIPE))))[1:]
    expected = {(row[4], row[5]): float(row[6]) if row[6] else None for row in rows}
    found = {
        (scope, r.statistic.key): document[scope][r.statistic.key.removeprefix("lead_")]
        for scope in ("a", "b", "difference", "pair", "leadership")
        for r in c
        if r.scope == scope
    }
    found |= {("leadership", f"r({x['lag']})"): x["r"] for x in document["leadership"]["correlations"]}
    found |= {
        ("percentile", f"{scope}.{key}"): share
        for scope in ("a", "b", "difference", "pair")
        for key, share in (document["percentiles"] or {scope: {}})[scope].items()
    }
    assert found == expected


@pytest.mark.parametrize("name", ALL)
def test_no_number_of_the_catalogue_is_only_in_json(name):
    c = ALL[name]()
    document = read(c)
    for scope in ("difference", "pair"):
        assert list(document[scope]) == [r.statistic.key for r in c if r.scope == scope]
    extra = set(document["leadership"]) - {r.statistic.key for r in c if r.scope == "leadership"}
    assert extra == {
        "verdict",
        "leader",
        "hours_apart",
        "correlations",
        "lag",
        "asymmetry",
        "correlation",
        "p_value",
        "detectable",
    }


def test_the_leadership_has_one_name_for_each_number():
    lead = read(demo())["leadership"]
    assert {"lag", "asymmetry", "correlation", "p_value", "detectable", "verdict"} <= set(lead)
    assert not [key for key in lead if key.startswith("lead_")]


def test_what_cannot_be_said_is_null_and_never_nan():
    text = writer.comparison(flat(), PIPE)
    assert not re.search(r"\b(NaN|Infinity)\b", text)
    document = strict(text)
    assert document["pair"]["correlation"] is None
    assert document["leadership"]["p_value"] is None
    assert {x["r"] for x in document["leadership"]["correlations"]} == {None}


def test_values_are_exact():
    c = demo()
    pair = read(c)["pair"]
    for r in c:
        if r.scope == "pair" and math.isfinite(r.value):
            assert pair[r.statistic.key] == r.value


def test_percentiles_stand_beside_the_numbers_under_their_names_with_what_they_are_of():
    found, c = read(with_past())["percentiles"], with_past()
    said = {(scope, key): share for scope in ("a", "b", "difference", "pair") for key, share in found[scope].items()}
    assert said == c.percentiles.of
    assert all(0 < share < 1 for share in said.values())
    assert {key: found[key] for key in ("since", "windows", "independent", "unusual")} == {
        "since": "2024-08-02",
        "windows": 576,
        "independent": 24,
        "unusual": len(c.percentiles.unusual),
    }
    assert found["as_many"] == c.percentiles.as_many


def test_without_a_past_the_percentiles_are_null():
    assert read(flat())["percentiles"] is None


def test_an_open_session_and_its_instant_are_said():
    b = read(rate_and_price())["b"]
    assert b["session_open"] is True
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b["quoted_at"])


def test_a_leg_says_what_it_is_counted_in_how_it_changes_and_when_it_closes():
    names = ("measure", "unit", "changes", "frequency", "closes_at", "timezone")
    document = read(rate_and_index())
    assert [document["a"][name] for name in names] == ["rate", "percent", "bp", "day", None, None]
    assert [document["b"][name] for name in names] == ["level", "points", "percent", "day", "16:15", "America/New_York"]
    document = read(points_and_level())
    assert [document["a"][name] for name in names[:4]] == ["index", None, "points", None]
    assert document["b"]["unit"] == "Thousands of Persons, Seasonally Adjusted"
    assert [read(rate_and_price())["b"][name] for name in names[:3]] == ["price", "USD", "percent"]


def test_the_receipt_says_what_is_left_out_and_why():
    receipt = read(points_and_level())["receipt"]
    assert {"scope": "b", "statistics": ["sharpe", "sortino"], "because": "a level cannot be held"} in receipt["absent"]
    assert (receipt["align"], receipt["lined_up"]) == ("date", None)
    assert read(demo())["receipt"]["absent"] == []
    c = demo()
    told = replace(c, receipt=c.receipt._replace(align="two-day", lined_up="by every second close"))
    assert read(told)["receipt"]["lined_up"] == "by every second close"
    assert read(told)["receipt"]["align"] == "two-day"


def test_the_leader_is_named_only_where_there_is_one():
    assert read(demo("LEADER", "FOLLOWER"))["leadership"]["leader"] == "demo:LEADER"
    assert read(demo("FOLLOWER", "LEADER"))["leadership"]["leader"] == "demo:LEADER"
    assert read(flat())["leadership"]["leader"] is None


def test_simulated_legs_are_said_to_be():
    document = read(demo())
    assert document["simulated"] is True
    assert document["a"]["simulated"] is document["b"]["simulated"] is True
    assert read(rate_and_price())["simulated"] is False


@pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=ascii)
def test_hostile_text_comes_back_as_it_was_cleaned(text):
    c = hostile(text)
    document = read(c)
    assert document["a"]["name"] == (c.receipt.a.facts.name or None)
    assert document["b"]["currency"] == c.receipt.b.facts.currency


def test_an_ascii_output_loses_nothing():
    c = with_files("é 日本.csv", "b.csv")
    text = writer.comparison(c, Page(now=0.0, unicode=False))
    assert text.isascii()
    assert strict(text) == read(c)


def test_it_is_one_object_that_ends_in_a_line_feed():
    text = writer.comparison(demo(), PIPE)
    assert text.startswith("{\n")
    assert text.endswith("\n}\n")
