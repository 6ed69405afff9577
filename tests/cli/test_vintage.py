import json
import os
import re
from dataclasses import replace

import pytest
from tests import snapped
from tests.cli.running import two_lines
from tests.snapped import FRIDAY, THURSDAY, WEDNESDAY

from pairwatch import api, cli
from pairwatch.api import asking
from pairwatch.model import Provenance

PAIR = ("compare", "AAA", "BBB")


@pytest.fixture
def data(tmp_path, monkeypatch):
    """The data folder, empty."""
    monkeypatch.setenv("PAIRWATCH_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


@pytest.fixture
def no_cache(tmp_path, monkeypatch):
    """A cache that cannot be read."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("PAIRWATCH_CACHE_DIR", str(tmp_path / "file" / "cache"))


# ---------------------------------------------------------------- --vintage


def test_what_was_said_is_said_again_after_the_cache_is_gone(run, cached, data, monkeypatch):
    said = run(*PAIR, "--offline", "-q", "--json")[1]
    assert run("snapshot", "AAA", "BBB", "--offline")[0] in (0, 6)
    assert run("cache", "clear")[0] == 0
    assert run(*PAIR, "--offline", "-q", "--json")[0] == 3
    assert run(*PAIR, "--vintage", "latest", "-q", "--json") == (0, said, "")


def test_a_vintage_looks_at_no_cache_and_no_source(run, data, no_cache):
    snapped.store(data)
    code, out, err = run(*PAIR, "--vintage", "2026-11-19", "--json")
    assert code == 0
    assert json.loads(out)["as_of"] == "2026-11-19"
    assert re.fullmatch(r"note: as said on 2026-11-19 22:00 UTC by pairwatch \S+ \(snapshot 2026-11-19\)\n", err)


@pytest.mark.parametrize("name", ["table", "markdown"])
def test_the_title_says_when_it_was_said(run, data, no_cache, name):
    snapped.store(data)
    title = run(*PAIR, "--vintage", "latest", "-f", name)[1].splitlines()[0]
    assert title.endswith("AAA against BBB · 90d to 2026-11-20 · as said on 2026-11-20 22:00 UTC")


def test_ages_are_those_of_then(run, data, no_cache):
    made = snapped.taken()
    provenance = Provenance("cache", made.at - 7200)
    a, b = (replace(side, provenance=provenance) for side in (made.a, made.b))
    snapped.store(data, made._replace(a=a, b=b))
    assert "AAA from the cache, asked yahoo 2 h ago" in run(*PAIR, "--vintage", "latest", "-f", "table")[1]


def test_a_revision_can_be_named(run, data, no_cache):
    snapped.store(data, snapped.taken(FRIDAY), snapped.taken(FRIDAY, revise=WEDNESDAY))
    first, second, latest = (run(*PAIR, "--vintage", name)[1] for name in ("2026-11-20.1", "2026-11-20.2", "latest"))
    assert first != second == latest


@pytest.mark.parametrize("args", [("--as-of", "2026-11-19"), ("--refresh",)], ids=" ".join)
def test_a_vintage_and_a_new_question_contradict_each_other(run, data, args):
    snapped.store(data)
    code, out, err = run(*PAIR, "--vintage", "latest", *args)
    assert (code, out) == (2, "")
    assert args[0] in two_lines(err)[0]


def test_settings_of_the_environment_do_not_contradict_a_vintage(run, data, monkeypatch):
    snapped.store(data)
    monkeypatch.setenv("PAIRWATCH_AS_OF", "2020-01-01")
    monkeypatch.setenv("PAIRWATCH_REFRESH", "true")
    assert run(*PAIR, "--vintage", "latest")[0] == 0


@pytest.mark.parametrize(
    ("args", "code"), [(("latest", "-w", "30d"), 4), (("2020-01-01",), 4), (("soon",), 2)], ids=str
)
def test_a_vintage_that_there_is_not_is_said(run, data, args, code):
    snapped.store(data)
    found, out, err = run(*PAIR, "--vintage", *args)
    assert (found, out) == (code, "")
    two_lines(err)


def test_a_damaged_store_is_refused(run, data):
    (data / "snapshots.db").write_bytes(b"no database at all" * 100)
    code, out, err = run(*PAIR, "--vintage", "latest")
    assert (code, out) == (7, "")
    two_lines(err)


# ---------------------------------------------------------------- since


def compared(run, *args):
    code, out, err = run(*PAIR, "--offline", *args)
    assert code == 0
    return out, err


def test_compare_says_what_moved_since_the_session_before(run, cached, data):
    snapped.store(data)
    found = json.loads(compared(run, "--json")[0])
    since = found["since"]
    assert (since["session"], since["revision"]) == ("2026-11-19", 1)
    keys = [one["statistic"] for one in since["statistics"]]
    assert keys == ["correlation", "beta", "idiosyncratic_share", "return_gap", "tightness", "ratio_zscore"]
    for one in since["statistics"]:
        assert one["to"] == found["pair"][one["statistic"]]
        assert one["left"] + one["entered"] + one["revised"] == pytest.approx(one["change"], abs=1e-12)
        assert one["from"] + one["change"] == pytest.approx(one["to"], abs=1e-12)


def test_since_agrees_with_diff(run, cached, data):
    snapped.store(data, snapped.taken(THURSDAY, revise=WEDNESDAY))
    since = json.loads(compared(run, "--json")[0])["since"]["statistics"]
    only = [word for one in since for word in ("--only", one["statistic"])]
    out = run("diff", "AAA", "BBB", "latest", "now", "--offline", "-q", "--json", *only)[1]
    for one, other in zip(since, json.loads(out)["statistics"], strict=True):
        assert one == {**other, **{key: pytest.approx(other[key], abs=1e-12) for key in list(other)[3:]}}
    assert since[0]["revised"] != 0


@pytest.mark.parametrize("name", ["table", "markdown"])
def test_the_laid_out_formats_have_the_section_before_the_reading(run, cached, data, name):
    snapped.store(data)
    out = compared(run, "-f", name)[0]
    assert out.index("since 2026-11-19") < out.index("ratio, z-score", out.index("since")) < out.index("tighter than")
    assert "0 days left the window, 1 entered" in out
    assert "revised" not in out.split("since 2026-11-19")[1].split("tighter than")[0]


def test_csv_is_as_it_was(run, cached, data):
    before = compared(run)[0]
    snapped.store(data)
    assert compared(run)[0] == before


@pytest.mark.parametrize("args", [("--as-of", "2026-11-20"), ("-w", "30d"), ("--seed", "3")], ids=" ".join)
def test_another_question_has_no_section(run, cached, data, args):
    snapped.store(data)
    assert json.loads(compared(run, "--json", *args)[0])["since"] is None


def test_a_snapshot_of_the_same_session_makes_no_section(run, cached, data):
    snapped.store(data, snapped.taken(FRIDAY))
    assert json.loads(compared(run, "--json")[0])["since"] is None


def test_what_another_version_said_is_recomputed(run, cached, data, monkeypatch):
    with monkeypatch.context() as m:
        m.setattr("pairwatch.snapshots.rows.insert_batch.__defaults__", ("0.0.9",))
        made = snapped.taken(THURSDAY)
        readings = tuple(r._replace(value=0.25) if r.statistic.key == "beta" else r for r in made.found)
        snapped.store(data, made._replace(found=replace(made.found, readings=readings)))
    assert snapped.snapshot(api.store_at(data)).program == "0.0.9"
    beta = json.loads(compared(run, "--json")[0])["since"]["statistics"][1]
    assert beta["from"] == snapped.taken(THURSDAY).found["beta"]
    assert beta["revised"] == 0


@pytest.mark.parametrize("damage", ["garbage", "folder", "another schema"])
def test_a_store_that_cannot_be_read_is_a_note(run, cached, data, damage):
    before, quiet = compared(run, "--json")
    file = data / "snapshots.db"
    if damage == "folder":
        file.mkdir()
    else:
        file.write_bytes(b"no database" * 100)
        if damage == "another schema":
            file.unlink()
            snapped.store(data)
            import sqlite3

            with sqlite3.connect(file) as db:
                db.execute("PRAGMA user_version=99")
            db.close()
    out, err = compared(run, "--json")
    assert out == before
    assert re.search("^note: the snapshots in .*", err, re.MULTILINE)
    assert len(err.splitlines()) == len(quiet.splitlines()) + 1


def test_a_folder_that_is_none_is_a_note(run, cached, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("PAIRWATCH_DATA_DIR", str(tmp_path / "file" / "data"))
    _, err = compared(run)
    assert "note: the snapshots in" in err


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may look everywhere")
def test_a_folder_that_may_not_be_looked_into_is_a_note(run, cached, data):
    data.chmod(0)
    try:
        _, err = compared(run)
    finally:
        data.chmod(0o700)
    assert "note: the snapshots in" in err


def test_looking_for_the_store_creates_nothing(run, cached, data):
    compared(run)
    assert list(data.iterdir()) == []


def test_the_file_is_looked_for_where_the_store_is(tmp_path):
    from pairwatch.snapshots import FILE_NAME

    assert asking.SNAPSHOTS == FILE_NAME
    assert api.snapshots_in(tmp_path) == api.store_at(tmp_path).path
    assert api.snapshots_in() == api.store_at().path


def test_the_command_line_knows_both(run):
    assert "--vintage" in run("compare", "--help")[1]
    assert "diff" in cli.Commands.table
