import csv
import io
import json
import math
import re

import numpy as np
import pytest
from tests import builders
from tests.cli.running import DAY, on_terminal, two_lines

PAIR = ("spread", "demo:LEADER", "demo:FOLLOWER", *DAY)


@pytest.fixture
def files(tmp_path):
    """a.csv and b.csv of 600 closes that keep together, and c.csv, which is what parts them."""
    a, b = builders.linked_returns(599, rho=0.7)
    for name, closes in (("a", builders.prices(a)), ("b", builders.prices(b)), ("c", builders.prices(a - b))):
        rows = "".join(f"{day},{close:.6f}\n" for day, close in zip(builders.weekdays(600), closes, strict=True))
        (tmp_path / f"{name}.csv").write_text("Date,Close\n" + rows)
    return ("spread", "csv:a.csv", "csv:b.csv", "--as-of", "2026-11-20")


def table(out):
    return list(csv.DictReader(io.StringIO(out)))


def test_a_study_has_a_row_for_each_number(run):
    code, out, _ = run(*PAIR)
    assert code == 0
    assert {row["section"] for row in table(out)} == {"spreads", "cointegration", "ledger", "extremes"}


def test_the_ledger_alone_adds_up_to_the_gap_of_compare(run, files):
    _, out, _ = run(*files, "--section", "ledger", "--csv")
    found = table(out)
    assert len(found) == 11
    assert {row["unit"] for row in found} == {"return"}
    _, compared, _ = run("compare", *files[1:], "--csv")
    gap = next(float(row["value"]) for row in table(compared) if row["statistic"] == "return_gap")
    assert math.fsum(float(row["contribution"]) for row in found) == pytest.approx(gap, abs=1e-12)
    assert math.fsum(float(row["share"]) for row in found) == pytest.approx(1, abs=1e-12)


def test_days_says_how_many_the_ledger_shows(run, files):
    counts = [len(table(run(*files, "--section", "ledger", "--csv", "--days", days)[1])) for days in ("1", "3", "500")]
    bars = json.loads(run(*files, "--json")[1])["bars"]
    assert counts == [2, 4, bars]


def test_no_day_is_a_usage_error(run, files):
    code, out, err = run(*files, "--days", "0")
    assert (code, out) == (2, "")
    assert "shows nothing" in two_lines(err)[0]


def test_other_legs_stand_beside_the_ledger_and_what_drives_the_gap_is_named(run, files):
    code, out, _ = run(*files, "--with", "csv:c.csv", "--with", "demo:TWIN1", "--json")
    document = json.loads(out)
    assert code == 0
    assert [row["leg"] for row in document["sections"]["drivers"]] == ["csv:c.csv", "demo:TWIN1"]
    assert document["sections"]["drivers"][0]["r"] == pytest.approx(1, abs=1e-4)
    assert len(document["sections"]["ledger_beside"]) == 20
    assert any(text.startswith("csv:c.csv goes with the gap") for text in document["findings"])


def test_the_first_finding_answers_whether_it_reverts(run, files):
    first = json.loads(run(*files, "--json")[1])["findings"][0]
    assert "cointegrated" in first
    assert "Engle-Granger p" in first
    assert "600 closes" in first


def test_numbers_that_cannot_be_said_are_empty_or_null(run, files):
    _, out, _ = run(*files, "--section", "spreads", "--csv")
    rolling = next(row for row in table(out) if row["spread"] == "rolling")
    assert (rolling["half_life"], rolling["p"]) == ("", "")
    document = json.loads(run(*files, "--json")[1])
    assert document["sections"]["spreads"][-1]["p"] is None


def test_the_window_changes_the_ledger_and_not_the_history(run, files):
    short, long = (json.loads(run(*files, "--window", window, "--json")[1]) for window in ("20b", "300b"))
    assert (short["bars"], long["bars"]) == (20, 300)
    ratios = [one["sections"]["spreads"][0]["z_history"] for one in (short, long)]
    assert ratios[0] == ratios[1]


def test_the_history_begins_where_it_is_told(run, files):
    since = str(builders.weekdays(600)[200])
    document = json.loads(run(*files, "--since", since, "--json")[1])
    assert (document["since"], document["receipt"]["closes"]) == (since, 400)


def test_a_page_of_eighty_columns_has_no_longer_line():
    out = re.sub(r"\x1b\[[0-9;]*m", "", on_terminal(*PAIR, "--with", "demo:TWIN1"))
    assert "the days that made the gap" in out
    assert max(map(len, out.splitlines())) <= 80
    assert np.all([heading in out for heading in ("spreads:", "cointegration:", "extremes")])
