import re

import pytest
from tests.cli.running import two_lines

from pairwatch.stats import entries


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
