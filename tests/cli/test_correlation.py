"""`pairwatch correlation A B`."""

import csv
import io
import json

import numpy as np
import pytest
from tests import builders
from tests.cli.running import two_lines

LEGS = ("correlation", "csv:all.csv#AAA", "csv:all.csv#BBB")
DAY = ("--as-of", "2026-11-20")


@pytest.fixture
def files(run, tmp_path):
    """AAA and BBB that share SPY, and a level, in one file."""
    f, u, v = np.random.default_rng(0).standard_normal((3, 700)) * 0.01
    columns = [builders.prices(x) for x in (f + u / 2, f + v / 2, f)]
    level = 20 + 5 * np.sin(np.arange(701) / 9)
    rows = zip(builders.weekdays(701), *columns, level, strict=True)
    lines = [f"{day},{a:.6f},{b:.6f},{s:.6f},{x:.4f}\n" for day, a, b, s, x in rows]
    (tmp_path / "all.csv").write_text("Date,AAA,BBB,SPY,VIX\n" + "".join(lines))


def test_a_table_has_every_section_and_no_other_leg_is_needed(run, files):
    code, out, err = run(*LEGS, *DAY, "--format", "table")
    assert (code, err) == (0, "")
    for title in ("correlation now", "correlation by regime", "correlation by calendar year", "breakdowns"):
        assert f"\n{title}\n" in out
    assert "\nstructural break\n" in out
    assert "beside the factor" not in out
    assert out.splitlines()[1].startswith("  correlation .")


def test_other_legs_make_regimes_and_a_factor(run, files):
    others = ("--by", "csv:all.csv#VIX", "--unit", "csv:all.csv#VIX=level", "--factor", "csv:all.csv#SPY")
    code, out, _ = run(*LEGS, *DAY, *others, "--benchmark", "csv:all.csv#SPY", "--json")
    assert code == 0
    sections = json.loads(out)["sections"]
    regimes = {row["regime"] for row in sections["regimes"]}
    assert {"csv:all.csv#VIX high", "csv:all.csv#SPY up", "csv:all.csv#AAA down"} <= regimes
    assert "volatility high" not in regimes
    share = next(row for row in sections["factor"] if row["what"] == "share of covariance explained")
    assert share["value"] == pytest.approx(1, abs=0.1)


def test_one_section_as_csv_has_its_own_columns(run, files):
    code, out, _ = run(*LEGS, *DAY, "--section", "now", "--csv")
    assert code == 0
    rows = list(csv.DictReader(io.StringIO(out)))
    assert list(rows[0])[:6] == ["window", "r", "low", "high", "n", "percentile"]
    assert [row["window"] for row in rows][-1] == "EWMA, decay .94"
    assert all(float(row["low"]) < float(row["r"]) < float(row["high"]) for row in rows)


def test_a_window_and_a_since_are_taken(run, files):
    code, out, _ = run(*LEGS, *DAY, "--window", "45b", "--since", "2025-01-02", "--json")
    assert code == 0
    document = json.loads(out)
    assert document["bars"] == 45
    assert "2024-12-31" <= document["since"] <= "2025-01-02"
    assert "45 bars (45b)" in {row["window"] for row in document["sections"]["now"]}


def test_the_same_run_gives_the_same_bytes_and_another_seed_other_chances(run, files):
    first, again, other = (run(*LEGS, *DAY, "--json", "--seed", seed) for seed in ("1", "1", "2"))
    assert first == again
    assert first != other


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (("--factor", "csv:all.csv#AAA"), 2),
        (("--section", "nonsense"), 2),
        (("--by", "nowhere:VIX"), 2),
        (("--by", "csv:all.csv#NONE"), 3),
        (("--since", "2026-11-19"), 4),
    ],
)
def test_what_cannot_be_done_is_said_in_two_lines(run, files, more, code):
    found, out, err = run(*LEGS, *DAY, *more, "--csv")
    assert (found, out) == (code, "")
    two_lines(err)
