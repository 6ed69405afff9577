import csv
import io
import json
import re

import pytest
from tests import builders
from tests.cli.running import on_terminal, two_lines

from pairwatch.config import settings

LEGS = ("csv:a.csv", "csv:b.csv")
OWN = '[[episodes]]\nname = "{}"\nfrom = 2026-03-02\nto = 2026-03-31\n'


def write(path, closes, days=None):
    days = builders.weekdays(len(closes)) if days is None else days
    path.write_text("Date,Close\n" + "".join(f"{day},{close:.6f}\n" for day, close in zip(days, closes, strict=True)))


@pytest.fixture
def hedge(run, tmp_path):
    """The command on a.csv and b.csv, of 600 closes each."""
    for name, returns in zip("ab", builders.linked_returns(599, 0.8), strict=True):
        write(tmp_path / f"{name}.csv", builders.prices(returns))
    return lambda *args: run("hedge", *LEGS, *args)


def section(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_json_has_every_section_and_the_answer_first(hedge):
    code, out, _ = hedge("--json", "--shock", "B=-10%", "--window", "61b")
    found = json.loads(out)
    assert code == 0
    assert list(found["sections"]) == ["ratios", "out_of_sample", "worst_days", "drawdowns", "stress", "shocks"]
    assert found["findings"][0].startswith("csv:b.csv hedges csv:a.csv in part: out of sample it takes away ")


def test_without_a_shock_there_is_no_such_section(hedge):
    assert "shocks" not in json.loads(hedge("--json")[1])["sections"]


def test_costs_and_settings_are_as_typed(hedge):
    typed = ("--section", "out_of_sample", "--csv", "--rebalance", "5")
    for cost in ("5bp", "0.05%"):
        row = section(hedge(*typed, "--cost", cost)[1])[0]
        assert float(row["cost"]) == pytest.approx(0.0005 * float(row["turnover"]))
    slower = section(hedge(*typed[:-1], "100b")[1])[0]
    assert (slower["cost"], float(slower["turnover"]) < float(row["turnover"])) == ("", True)


def test_the_window_is_that_of_the_ratio(hedge):
    rows = section(hedge("--window", "40b", "--csv", "--section", "ratios")[1])
    assert "b.csv for a.csv, 40 bars" in [row["hedge"] for row in rows]


def test_a_table_names_the_sections(hedge, tmp_path):
    code, _, _ = hedge("--format", "table", "--shock", "B=-3%", "--output", "found.txt")
    text = (tmp_path / "found.txt").read_text("utf-8")
    assert code == 0
    for title in ("ratios, in sample", "out of sample: hold", "worst days", "deepest falls", "stress", "shocks"):
        assert title in text


def test_a_terminal_of_80_columns_gets_tables_of_columns(hedge):
    lines = on_terminal("hedge", *LEGS, "--shock", "B=-3%", "--cost", "5bp").splitlines()
    plain = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in lines]
    assert max(map(len, plain)) <= 80
    heads = (
        "ratio +95% low",
        "effect +95% low +95% high",
        "peak +trough",
        "hedged +ratio",
        "expected +(95% low +95% high +)?bar low",
    )
    for head in heads:
        assert any(re.search(head, line) for line in plain), head


def test_the_longest_names_fit_into_80_columns(hedge, tmp_path):
    for name in "ab":
        (tmp_path / f"longer{name}.csv").write_text((tmp_path / f"{name}.csv").read_text("utf-8"))
    args = ("csv:longera.csv", "csv:longerb.csv", "--shock", "B=-10%", "--shock", "A=-10%", "--cost", "5bp")
    shown = re.sub(r"\x1b\[[0-9;]*m", "", on_terminal("hedge", *args))
    assert " · bar low" not in shown
    assert " · 95% low" not in shown


def test_episodes_come_from_the_list_the_configuration_and_a_file(hedge, tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "SECTIONS", tuple({*settings.SECTIONS, "episodes"}))
    (tmp_path / "config.toml").write_text(OWN.format("mine"))
    (tmp_path / "more.toml").write_text(OWN.format("yours"))
    monkeypatch.setenv("PAIRWATCH_CONFIG", str(tmp_path / "config.toml"))
    rows = section(hedge("--episodes", "more.toml", "--csv", "--section", "stress")[1])
    names = [row["episode"] for row in rows]
    assert {"mine", "yours", "COVID crash"} <= set(names)
    assert all(row["hedged"] for row in rows if row["episode"] in ("mine", "yours"))
    assert all("first bar" in row["note"] for row in rows if row["episode"] == "COVID crash")


def test_an_episode_of_the_configuration_that_cannot_be_read_is_named(hedge, tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "SECTIONS", tuple({*settings.SECTIONS, "episodes"}))
    (tmp_path / "config.toml").write_text(OWN.format("mine") + "colour = 1\n")
    monkeypatch.setenv("PAIRWATCH_CONFIG", str(tmp_path / "config.toml"))
    code, _, err = hedge()
    assert (code, "config.toml: episodes[1] knows no key 'colour'" in two_lines(err)[0]) == (2, True)


@pytest.mark.parametrize(
    ("args", "what"),
    [
        (("--cost", "5"), "--cost cannot be '5'"),
        (("--cost", "100%"), "--cost cannot be '100%'"),
        (("--cost", "-5bp"), "--cost cannot be '-5bp'"),
        (("--rebalance", "0"), "--rebalance cannot be '0'"),
        (("--rebalance", "21d"), "--rebalance cannot be '21d'"),
        (("--shock", "B"), "--shock cannot be 'B'"),
        (("--shock", "QQQ=-10%"), "names no leg of this pair"),
        (("--shock", "B=-10"), "has no unit"),
        (("--episodes", "none.toml"), "--episodes none.toml cannot be read"),
        (("--episodes", "a.csv"), "a.csv is not TOML"),
        (("--section", "nothing"), "hedge has no section 'nothing'"),
    ],
)
def test_what_cannot_be_asked_is_said_with_what_to_type(hedge, args, what):
    code, out, err = hedge(*args)
    assert (code, out) == (2, "")
    assert what in two_lines(err)[0]


def test_what_is_typed_wrong_is_said_before_anything_is_fetched(run):
    code, _, err = run("hedge", "csv:none.csv", "csv:nothing.csv", "--cost", "much")
    assert (code, "--cost" in two_lines(err)[0]) == (2, True)


def test_a_leg_that_cannot_be_held_is_a_note(hedge):
    code, _, err = hedge("--json", "--unit", "csv:b.csv=level")
    assert code == 0
    assert "csv:b.csv cannot be held (it is a level)" in err


def test_a_short_history_ends_with_4(run, tmp_path):
    for name, returns in zip("ab", builders.linked_returns(9), strict=True):
        write(tmp_path / f"{name}.csv", builders.prices(returns))
    assert run("hedge", *LEGS)[0] == 4
