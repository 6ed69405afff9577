import csv
import io
import json

import numpy as np
import pytest
from tests import builders
from tests.cli.running import two_lines

from pairwatch import cli


@pytest.fixture(autouse=True)
def _listed(monkeypatch):
    """The command, whether or not the list of commands has it already."""
    table = {**cli.Commands.table, "verify": ("pairwatch.cli.verify", "")}
    monkeypatch.setattr(cli.Commands, "table", table)


def write(path, closes, days=None):
    days = builders.weekdays(len(closes)) if days is None else days
    path.write_text("Date,Close\n" + "".join(f"{day},{close:.2f}\n" for day, close in zip(days, closes, strict=True)))


@pytest.fixture
def files(run, tmp_path):
    """good.csv, copy.csv, and bad.csv with a bad tick and a stretch a hundred times as high."""
    x = np.round(builders.prices(builders.linked_returns(299)[0]), 2)
    bad = x.copy()
    bad[100] *= 1.1
    bad[150:270] *= 100
    for name, closes in (("good", x), ("copy", x), ("bad", bad)):
        write(tmp_path / f"{name}.csv", closes)
    write(tmp_path / "old.csv", x, builders.weekdays(300) - 3650)
    return x


def test_sources_that_agree_end_with_0_and_a_header(run, files):
    code, out, err = run("verify", "csv:good.csv", "--against", "csv:copy.csv")
    assert (code, out, err) == (0, "leg,against,date,here,there,difference,unit,kind\n", "")


def test_sources_that_differ_end_with_5_and_every_date(run, files):
    code, out, err = run("verify", "csv:good.csv", "--against", "csv:bad.csv")
    found = list(csv.DictReader(io.StringIO(out)))
    assert (code, err) == (5, "")
    assert [row["kind"] for row in found] == ["tick"] + 120 * ["scale"]


def test_several_are_verified_at_once(run, files):
    code, out, _ = run("verify", "csv:good.csv", "--against", "csv:copy.csv", "--against", "csv:bad.csv", "--json")
    assert code == 5
    assert [(one["leg"], one["agreeing"]) for one in json.loads(out)["against"]] == [
        ("csv:copy.csv", 300),
        ("csv:bad.csv", 179),
    ]


def test_a_wider_tolerance_lets_more_agree(run, files, tmp_path):
    write(tmp_path / "near.csv", files * 1.004)
    near = ("verify", "csv:good.csv", "--against", "csv:near.csv")
    assert [run(*near, "--tolerance", size)[0] for size in ("0.1%", "0.5%")] == [5, 0]


def test_only_the_days_that_are_asked_for_are_compared(run, files):
    days = builders.weekdays(300)
    bad = ("verify", "csv:good.csv", "--against", "csv:bad.csv", "--json")
    code, out, _ = run(*bad, "--since", days[275])
    assert (code, json.loads(out)["against"][0]["common"]) == (0, 25)
    code, out, _ = run(*bad, "--as-of", days[90])
    assert (code, json.loads(out)["against"][0]["common"]) == (0, 91)


def test_a_table_goes_to_a_file(run, files, tmp_path):
    code, out, _ = run("verify", "csv:good.csv", "--against", "csv:bad.csv", "-f", "table", "-o", "found.txt")
    assert (code, out) == (5, "")
    assert "scale · 120 dates" in (tmp_path / "found.txt").read_text("utf-8")


def test_missing_dates_are_a_note(run, files, tmp_path):
    keep = np.arange(300) != 40
    write(tmp_path / "hole.csv", files[keep], builders.weekdays(300)[keep])
    hole = ("verify", "csv:good.csv", "--against", "csv:hole.csv")
    code, _, err = run(*hole)
    day = builders.weekdays(300)[40]
    assert code == 0
    assert err == (
        f"note: csv:good.csv against csv:hole.csv: csv:hole.csv has no close on 1 date between, {day} to {day}\n"
    )
    assert run(*hole, "--quiet")[2] == ""


@pytest.mark.parametrize(
    ("args", "code", "what"),
    [
        ((), 2, "nothing to verify csv:good.csv with"),
        (("--against", "csv:good.csv"), 2, "csv:good.csv against itself"),
        (("--against", "csv:none.csv"), 3, "csv:none.csv"),
        (("--against", "csv:old.csv"), 4, "no date in common"),
        (("--against", "csv:copy.csv", "--tolerance", "much"), 2, "not a tolerance: 'much'"),
        (("--against", "csv:copy.csv", "--since", "soon"), 2, "not a day: 'soon'"),
    ],
)
def test_what_cannot_be_verified_is_said(run, files, args, code, what):
    ended, out, err = run("verify", "csv:good.csv", *args)
    assert (ended, out) == (code, "")
    assert what in two_lines(err)[0]


@pytest.mark.parametrize(("others", "code"), [(("copy",), 8), (("copy", "bad"), 5)])
def test_one_that_cannot_be_had_leaves_the_others(run, files, others, code):
    legs = [part for name in ("none", *others) for part in ("--against", f"csv:{name}.csv")]
    ended, out, err = run("verify", "csv:good.csv", *legs, "--json")
    assert (ended, len(json.loads(out)["against"])) == (code, len(others))
    assert "csv:none.csv" in two_lines(err)[0]
