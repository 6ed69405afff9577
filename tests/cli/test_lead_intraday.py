"""`pairwatch lead --interval`: from files, over the wire and from what was kept; every format; every wrong question."""

import csv
import io
import json
import sqlite3
from datetime import UTC, datetime

import numpy as np
import pytest
from tests.cli.running import two_lines
from tests.intraday import led, stamps
from tests.wire import BarListing, weekdays

from pairwatch.bars import SECOND
from pairwatch.cli import studying_intraday, words
from pairwatch.errors import PairwatchError

OPTIONS = (
    "window", "as_of", "since", "adjust", "currency", "align", "unit", "section", "format", "output", "source",
    "refresh", "offline", "max_age", "deadline", "fail_stale", "seed", "quiet", "max_lag",
)  # fmt: skip
FLAGS = {"csv": False, "json": False, "verbose": False}


@pytest.fixture
def lead(capfd, monkeypatch, tmp_path):
    """The command as `pairwatch lead` calls it: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PAIRWATCH_CACHE_DIR", str(tmp_path / "cache"))

    def called(a, b, interval, **given):
        capfd.readouterr()
        code = 0
        try:
            studying_intraday.run({**dict.fromkeys(OPTIONS), **FLAGS, "a": a, "b": b, "interval": interval, **given})
        except PairwatchError as error:
            code = words.complain(error)
        return code, *capfd.readouterr()

    return called


@pytest.fixture
def bars(tmp_path):
    """AAA leads BBB by two bars of five minutes, in one file."""
    x, y = led(lead=0.3)
    times = stamps(np.array(weekdays(datetime(2026, 11, 20, tzinfo=UTC).date(), 30), dtype="M8[D]")).ravel()
    a, b = (100 * np.cumprod(1 + leg.ravel()) for leg in (x, y))
    lines = [f"{t // SECOND},{p:.8f},{q:.8f}\n" for t, p, q in zip(times, a, b, strict=True)]
    (tmp_path / "bars.csv").write_text("time,AAA,BBB\n" + "".join(lines))
    return "csv:bars.csv#AAA", "csv:bars.csv#BBB"


def verdict(out):
    return {row["what"]: row["value"] for row in csv.DictReader(io.StringIO(out))}


def test_bars_of_a_file_name_the_leader(lead, bars):
    code, out, err = lead(*bars, "5m", section="verdict")
    said = verdict(out)
    assert (code, err) == (0, "")
    assert (said["leader"], said["lag_bars"], said["lag_seconds"], said["p_value"]) == ("A", "2", "600", "0.0005")


def test_the_command_leads_here(run, lead, bars):
    assert run("lead", *bars, "--interval", "5m", "--section", "verdict") == lead(*bars, "5m", section="verdict")


def test_every_format_says_the_same(lead, bars):
    table = lead(*bars, "5m", format="table")[1]
    found = json.loads(lead(*bars, "5m", json=True)[1])
    rows = list(csv.DictReader(io.StringIO(lead(*bars, "5m", csv=True)[1])))
    assert found["findings"][0] in table
    assert found["study"] == "lead"
    assert {section: len(body) for section, body in found["sections"].items()}["lags"] == 21
    (d,) = [row["value"] for row in rows if (row["section"], row["item"]) == ("verdict", "asymmetry") and row["value"]]
    assert float(d) == found["sections"]["verdict"][3]["value"]


def test_a_smaller_largest_lag_has_fewer_rows(lead, bars):
    assert len(lead(*bars, "5m", section="lags", max_lag="3")[1].splitlines()) == 1 + 7


def test_the_same_question_gives_the_same_bytes(lead, bars):
    assert lead(*bars, "5m", json=True) == lead(*bars, "5m", json=True)


def test_days_bound_what_is_looked_at(lead, bars):
    found = json.loads(lead(*bars, "5m", json=True, since="2026-11-02", as_of="2026-11-13")[1])
    assert (found["since"], found["as_of"]) == ("2026-11-02", "2026-11-13")


def test_one_section_goes_to_a_file(lead, bars, tmp_path):
    code, out, _ = lead(*bars, "5m", section="asymmetry", output=tmp_path / "d.csv")
    assert (code, out) == (0, "")
    assert (tmp_path / "d.csv").read_text().startswith("shift,lag,asymmetry,band,beyond\n")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"window": "90d"}, "--window means nothing within days"),
        ({"adjust": "price"}, "--adjust means nothing"),
        ({"currency": "EUR"}, "--currency means nothing"),
        ({"align": "nearest"}, "--align means nothing"),
        ({"max_lag": "0"}, "max_lag|lag"),
        ({"section": "nonsense"}, "no section"),
        ({"unit": ["QQQ=rate"]}, "no leg of this run"),
        ({"refresh": True, "offline": True}, "--offline forbids"),
        ({"json": True, "format": "csv"}, "more than one format"),
    ],
)
def test_what_cannot_be_asked_is_said_in_two_lines(lead, bars, given, words):
    code, out, err = lead(*bars, "5m", **given)
    assert (code, out) == (2, "")
    assert words.split("|")[-1] in two_lines(err)[0]


def test_an_interval_that_is_none_is_said(lead, bars):
    code, _, err = lead(*bars, "1d")
    assert code == 2
    assert "not an interval: '1d'" in two_lines(err)[0]


def test_longer_bars_are_made_of_those_of_a_file(lead, bars):
    """Bars of five minutes, the second leg ten minutes late: of a quarter of an hour, it is the next one's."""
    code, out, err = lead(*bars, "15m", json=True)
    found = json.loads(out)
    said = {row["what"]: row["value"] for row in found["sections"]["verdict"]}
    assert (code, err) == (0, "")
    assert (said["leader"], said["lag_bars"], said["lag_seconds"], said["p_value"]) == ("A", 1, 900, 0.0005)
    assert "made of bars of 5 min" in out


@pytest.mark.parametrize("interval", ["1m", "7m", "30s"])
def test_bars_that_cannot_be_made_of_those_of_a_file_are_refused(lead, bars, interval):
    code, out, err = lead(*bars, interval)
    message, hint = two_lines(err)
    assert (code, out) == (2, "")
    assert f"csv:bars.csv#AAA: bars of {interval} cannot be made of bars of 5m" in message
    assert "--interval 5m" in hint


@pytest.mark.parametrize("word", ["1h", "30m", "15m", "5m", "1m", "30s", "1s", "ticks"])
def test_a_wrong_interval_is_answered_by_those_that_there_are(lead, bars, word):
    assert word in two_lines(lead(*bars, "soon")[2])[1]


def test_sources_without_prices_within_days_are_named(lead, bars):
    code, _, err = lead("fred:DGS10", bars[0], "5m")
    assert code == 2
    assert "fred has no prices within days" in two_lines(err)[0]


def test_a_file_of_days_is_no_file_of_moments(lead, bars, tmp_path):
    (tmp_path / "days.csv").write_text("Date,Close\n2026-11-19,1\n2026-11-20,2\n")
    code, _, err = lead("csv:days.csv", bars[0], "5m")
    assert code == 3
    assert "a date without a time" in two_lines(err)[0]


def test_bars_of_yahoo_are_fetched_kept_and_served_offline(lead, wire):
    today = datetime.now(UTC).date()
    days = [day for day in weekdays(today, 26) if day < today][:25]
    x, y = led(sessions=25, lead=0.3)
    prices = [(100 * np.cumprod(1 + leg.ravel())).reshape(25, 78).tolist() for leg in (x, y)]
    wire.lists(*(BarListing(symbol, days, closes) for symbol, closes in zip(("AAA", "BBB"), prices, strict=True)))
    first = lead("AAA", "BBB", "5m", section="verdict")
    assert (first[0], verdict(first[1])["leader"]) == (0, "A")
    assert {asked.query["interval"] for asked in wire.charts} == {"5m"}
    asked = len(wire.charts)
    again = lead("AAA", "BBB", "5m", section="verdict", offline=True)
    assert again[:2] == first[:2]
    assert len(wire.charts) == asked
    assert lead("AAA", "BBB", "1h", offline=True)[0] == 3


def test_a_row_that_nothing_can_be_made_of_is_a_note_that_names_the_way_out(lead, run, wire, tmp_path):
    today = datetime.now(UTC).date()
    days = [day for day in weekdays(today, 9) if day < today][:8]
    prices = [(100 * np.cumprod(1 + leg.ravel())).reshape(8, 78).tolist() for leg in led(sessions=8)]
    wire.lists(*(BarListing(symbol, days, closes) for symbol, closes in zip(("AAA", "BBB"), prices, strict=True)))
    first = lead("AAA", "BBB", "5m")
    with sqlite3.connect(tmp_path / "cache" / "bars.db") as db:
        db.execute("UPDATE bars SET times = x'00' WHERE symbol = 'AAA'")
    code, out, err = lead("AAA", "BBB", "5m")
    assert (code, out) == first[:2]
    assert "note: the bars of 5m kept of AAA cannot be used (checksum); going on without them" in err
    run("cache", "clear", "AAA")
    lead("AAA", "BBB", "5m")
    assert "kept of AAA" not in lead("AAA", "BBB", "5m")[2]


def test_a_stale_answer_ends_with_6_where_that_is_asked_for(lead, wire):
    today = datetime.now(UTC).date()
    days = [day for day in weekdays(today, 9) if day < today][:8]
    returns = led(sessions=8)
    prices = [(100 * np.cumprod(1 + leg.ravel())).reshape(8, 78).tolist() for leg in returns]
    wire.lists(*(BarListing(symbol, days, closes) for symbol, closes in zip(("AAA", "BBB"), prices, strict=True)))
    lead("AAA", "BBB", "5m")
    wire.breaks("500")
    code, out, err = lead("AAA", "BBB", "5m", max_age="0s", fail_stale=True)
    assert (code, out) == (6, "")
    assert "out of order" in err
    assert lead("AAA", "BBB", "5m", max_age="0s")[0] == 0
