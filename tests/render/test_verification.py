import csv
import io
import json

import numpy as np
import pytest
from tests import builders
from tests.test_verifying import mine

from pairwatch.render import Page, verification
from pairwatch.verifying import verify

PAGE = Page(now=1.8e9)


@pytest.fixture
def found():
    """A file with a bad tick and half a year in pence, one that agrees, and the leg under another name."""
    x = np.round(builders.prices(builders.linked_returns(299)[0]), 2)
    bad = x.copy()
    bad[100] *= 1.1
    bad[150:270] *= 100
    here = mine(x, source="yahoo", symbol="QQQ")
    others = [mine(bad, symbol="my|mine.csv"), mine(x, symbol="good.csv"), mine(x, source="yahoo", symbol="QQQX")]
    return verify(here, others)


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_csv_has_a_row_for_every_date_that_differs_and_one_for_what_has_no_dates(found):
    lines = rows(verification.as_csv(found, PAGE))
    dated = [line for line in lines if line["date"]]
    assert len(dated) == len(found.checked[0].differences) == 121
    assert [line["date"] for line in dated] == sorted(line["date"] for line in dated)
    assert [line["kind"] for line in lines if not line["date"]] == ["duplicate"]
    assert {line["against"] for line in dated} == {"csv:my|mine.csv"}
    first = found.checked[0].differences[0]
    assert (float(dated[0]["here"]), float(dated[0]["difference"])) == (first.here, first.change)


def test_csv_of_sources_that_agree_is_a_header_alone(found):
    agreed = found._replace(checked=found.checked[1:2])
    assert verification.as_csv(agreed, PAGE) == ",".join(verification.HEADER) + "\n"


def test_json_holds_the_same_by_reason(found):
    document = json.loads(verification.as_json(found, PAGE))
    assert (document["schema"], document["leg"], document["differs"]) == (1, "QQQ", True)
    assert document["tolerance"] == {"fraction": 0.001, "bp": 0.5}
    bad, good, twin = document["against"]
    assert [(f["kind"], f["dates"], len(f["differences"])) for f in bad["findings"]] == [
        ("tick", 1, 1),
        ("scale", 120, 120),
    ]
    assert (bad["findings"][0]["factor"], bad["findings"][1]["factor"]) == (None, 100.0)
    assert (good["findings"], good["largest"], good["agreeing"]) == ([], None, 300)
    assert (twin["findings"][0]["kind"], twin["findings"][0]["differences"]) == ("duplicate", [])


def test_the_table_names_reasons_their_first_dates_and_what_to_do(found):
    text = verification.as_table(found, PAGE)
    assert "300 common closes" in text
    assert "179 agree within 0.1% or rounding, 121 do not" in text
    assert "scale · 120 dates" in text
    assert "and 116 more" in text
    assert "+9,900.00%" in text
    assert text.count("hint: ") == 3
    assert "QQQ against csv:good.csv\n  300 common closes, " in text
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


def test_the_table_keeps_to_the_page_and_to_ascii(found):
    text = verification.as_table(found, Page(now=0.0, width=60, unicode=False))
    assert text.isascii()
    assert max(map(len, text.splitlines())) <= 60


def test_markdown_escapes_what_comes_from_outside(found):
    text = verification.as_markdown(found, PAGE)
    assert r"## QQQ against csv:my\|mine.csv" in text
    assert "- **scale** " in text


@pytest.mark.parametrize("name", ["table", "csv", "json", "markdown"])
def test_each_format_has_its_writer(found, name):
    assert verification.writer(name)(found, PAGE) == getattr(verification, f"as_{name}")(found, PAGE)


def test_basis_points_are_shown_as_such():
    x = np.round(4 + 0.01 * np.arange(100.0) % 0.3, 2)
    y = x.copy()
    y[50] += 0.25
    found = verify(mine(x, measure="rate"), [mine(y, symbol="b.csv", measure="rate")])
    assert "+25.0 bp" in verification.as_table(found, PAGE)
    assert "within 0.5 bp or rounding" in verification.as_table(found, PAGE)
