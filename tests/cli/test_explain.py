import re

import pytest
from tests.cli.running import two_lines

from pairwatch.stats import entries
from pairwatch.studies import NAMES, headings


def test_explain_tells_one_statistic(run):
    code, out, err = run("explain", "beta")
    assert (code, err) == (0, "")
    assert out.startswith("beta (pair, number)\n")
    for word in ("formula: cov(a, b) / var(b)", "source: "):
        assert word in out


def test_explain_tells_every_statistic_in_its_order(run):
    _, out, _ = run("explain")
    assert re.findall(r"^(\w+) \(", out, re.MULTILINE) == [entry.key for entry in entries()]
    assert out == "\n".join(run("explain", entry.key)[1] for entry in entries())


def test_explain_takes_a_key_in_any_case(run):
    assert run("explain", "BETA") == run("explain", "beta")


@pytest.mark.parametrize(
    ("typed", "meant"), [("corelation", "correlation"), ("volatilty", "volatility"), ("sharp", "sharpe")]
)
def test_explain_suggests_what_may_have_been_meant(run, typed, meant):
    code, _, err = run("explain", typed)
    assert code == 2
    assert meant in two_lines(err)[1]


def test_explain_shows_no_control_character_of_what_was_typed(run):
    assert "\x1b" not in run("explain", "\x1b[31m")[2]


def test_explain_tells_a_study_section_by_section(run):
    code, out, err = run("explain", "spread")
    assert (code, err) == (0, "")
    sections = [f"spread.{heading.key}" for heading in headings("spread")]
    assert re.findall(r"^(spread\.\w+) \(", out, re.MULTILINE) == sections


@pytest.mark.parametrize("study", NAMES)
def test_every_column_of_a_study_is_explained(run, study):
    for heading in headings(study):
        out = run("explain", f"{study}.{heading.key}")[1]
        assert out.startswith(f"{study}.{heading.key} (")
        assert re.findall(r"^  (\w+)(?: \(\w+\))?: ", out, re.MULTILINE) == [
            column.key for column in heading.columns if column.key != "unit"
        ]


def test_a_statistic_that_a_study_is_called_like_is_the_statistic(run):
    assert run("explain", "correlation")[1].startswith("correlation (pair, number)\n")


def test_explain_suggests_a_section_that_may_have_been_meant(run):
    key = headings("spread")[0].key
    code, _, err = run("explain", f"spread.{key}x")
    assert code == 2
    assert f"spread.{key}" in two_lines(err)[1]
