"""Bars kept in a file that processes share: whole or not at all, and never in the way of a run."""

import sqlite3
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.intraday import FIVE, ONE, held, led

from pairwatch.bars import Gathered, Interval
from pairwatch.barstore import FILE_NAME, BarStore
from pairwatch.database import Database, checksum
from pairwatch.model import Leg

AAA, BBB = Leg("yahoo", "AAA"), Leg("yahoo", "BBB")


def gathered(**more):
    return Gathered(held(led(**more)[0]).bars, 1.7e9, 1.8e9, ("a remark",))


@pytest.fixture
def store(tmp_path):
    return BarStore(tmp_path / "cache" / FILE_NAME)


def test_what_is_kept_comes_back(store):
    new = gathered()
    store.update(AAA, FIVE, lambda _: new)
    found = store.get(AAA, FIVE)
    for name in ("times", "prices", "sessions"):
        assert np.array_equal(getattr(found.bars, name), getattr(new.bars, name))
    assert (found.bars.facts, found.bars.leg, found.asked_at, found.fresh_until) == (new.bars.facts, AAA, 1.7e9, 1.8e9)
    assert store.trouble == []


def test_legs_and_intervals_are_kept_apart(store):
    store.update(AAA, FIVE, lambda _: gathered())
    assert store.get(AAA, Interval.parse("1h")) is None
    assert store.get(Leg("yahoo", "BBB"), FIVE) is None


def test_nothing_kept_is_nothing_and_makes_no_file(store):
    assert store.get(AAA, FIVE) is None
    assert not store.path.exists()


def test_the_change_sees_what_is_kept(store):
    store.update(AAA, FIVE, lambda _: gathered())
    seen = []
    store.update(AAA, FIVE, lambda held: seen.append(len(held.bars)) or gathered(seed=1))
    assert seen == [30 * 78]


def test_the_file_is_the_users_alone(store):
    store.update(AAA, FIVE, lambda _: gathered())
    assert store.path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("column", ["times", "prices", "facts", "asked_at", "symbol"])
def test_a_value_that_has_changed_is_damage_and_the_run_goes_on(store, column):
    store.update(AAA, FIVE, lambda _: gathered())
    changed = {"facts": "'{}'", "asked_at": "0.0", "symbol": "'BBB'"}.get(column, f"substr({column}, 9)")
    with sqlite3.connect(store.path) as db:
        db.execute(f"UPDATE bars SET {column} = {changed}")  # noqa: S608 - constants
    again = BarStore(store.path)
    assert again.get(Leg("yahoo", "BBB") if column == "symbol" else AAA, FIVE) is None
    assert "cannot be used (checksum)" in again.trouble[0]


def rewritten(store, **columns):
    """Other values in the row, with the checksum that belongs to them."""
    with sqlite3.connect(store.path) as db:
        names = "source, symbol, interval, times, prices, facts, asked_at, fresh_until"
        row = dict(zip(names.split(", "), db.execute(f"SELECT {names} FROM bars").fetchone(), strict=True)) | columns  # noqa: S608
        marks = ", ".join("?" * 9)
        db.execute(f"UPDATE bars SET ({names}, checksum) = ({marks})", (*row.values(), checksum(row.values())))  # noqa: S608


@pytest.mark.parametrize(
    "columns",
    [
        {"times": b"1234567"},
        {"times": b""},
        {"times": np.full(30 * 78, 5, "<i8").tobytes()},
        {"prices": np.full(30 * 78, np.nan).tobytes()},
        {"facts": "no json"},
        {"facts": "[]"},
        {"facts": '{"nonsense": 1, "measure": "price"}'},
        {"facts": '{"timezone": "Nowhere/Land", "measure": "price"}'},
        {"facts": '{"timezone": "", "measure": "price"}'},
        {"facts": '{"timezone": null, "measure": "price"}'},
    ],
    ids=str,
)
def test_a_row_that_nothing_can_be_made_of_is_noted_and_stays(store, columns):
    store.update(AAA, FIVE, lambda _: gathered())
    store.update(BBB, FIVE, lambda _: gathered()._replace(bars=replace(gathered().bars, leg=BBB)))
    store.clear(BBB)
    rewritten(store, **columns)
    store.update(BBB, FIVE, lambda _: gathered()._replace(bars=replace(gathered().bars, leg=BBB)))
    before = store.path.read_bytes()
    again = BarStore(store.path)
    assert again.get(AAA, FIVE) is None
    assert len(again.update(AAA, FIVE, lambda held: gathered() if held is None else held).bars) == 30 * 78
    assert [text.startswith("the bars of 5m kept of AAA cannot be used (") for text in again.trouble] == [True]
    assert again.trouble[0].endswith("going on without them; pairwatch cache clear AAA forgets them")
    assert store.path.read_bytes() == before
    assert again.get(BBB, FIVE) is not None
    assert [entry.leg for entry in again.entries()] == [BBB]
    assert again.clear(AAA) == 1
    assert BarStore(store.path).get(AAA, FIVE) is None
    assert not store.trouble


@settings(max_examples=40)
@given(st.sampled_from(["times", "prices", "facts"]), st.binary(max_size=64))
def test_any_bytes_are_none_of_a_runs_business(tmp_path_factory, column, data):
    store = BarStore(tmp_path_factory.mktemp("bytes") / FILE_NAME)
    store.update(AAA, FIVE, lambda _: gathered(sessions=1))
    rewritten(store, **{column: data.decode("latin-1") if column == "facts" else data})
    assert store.get(AAA, FIVE) is None
    assert len(store.trouble) == 1


class ReadOnly(Database):
    """A file that may be read and not written."""

    def connect(self):
        return sqlite3.connect(f"{self.path.as_uri()}?mode=ro", uri=True, isolation_level=None)


def test_a_read_only_file_is_read_and_not_written(store, monkeypatch):
    store.update(AAA, FIVE, lambda _: gathered())
    before = store.path.read_bytes()
    monkeypatch.setattr("pairwatch.barstore.Database", ReadOnly)
    bound = BarStore(store.path)
    assert len(bound.get(AAA, FIVE).bars) == 30 * 78
    new = gathered(seed=1)
    assert bound.update(AAA, FIVE, lambda held: new if held is None else held) is new
    assert bound.clear() == 0
    assert [text.partition("(")[2].partition(")")[0] for text in bound.trouble] == [
        "attempt to write a readonly database"
    ]
    assert store.path.read_bytes() == before


def test_what_is_kept_is_listed_and_forgotten(store):
    assert (store.entries(), store.clear()) == ([], 0)
    assert not store.path.exists()
    for leg, interval in ((BBB, FIVE), (AAA, FIVE), (AAA, ONE)):
        bars = replace(gathered().bars, leg=leg, interval=interval)
        store.update(leg, interval, lambda _, bars=bars: gathered()._replace(bars=bars))
    found = [(entry.leg, entry.interval.text, entry.bars, str(entry.last)) for entry in store.entries()]
    assert found == [(AAA, "1m", 2340, "2026-11-20"), (AAA, "5m", 2340, "2026-11-20"), (BBB, "5m", 2340, "2026-11-20")]
    assert store.clear(AAA) == 2
    assert store.clear() == 1
    assert store.entries() == []


def test_a_file_that_is_none_of_ours_is_left_alone(tmp_path):
    path = tmp_path / FILE_NAME
    path.write_bytes(b"not a database, and longer than a header would be" * 40)
    before = path.read_bytes()
    store = BarStore(path)
    assert store.update(AAA, FIVE, lambda held: gathered() if held is None else held).bars.leg == AAA
    assert store.trouble
    assert path.read_bytes() == before


def test_what_a_change_raises_leaves_the_file_as_it_was(store):
    store.update(AAA, FIVE, lambda _: gathered())

    def fails(_):
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        store.update(AAA, FIVE, fails)
    assert len(store.get(AAA, FIVE).bars) == 30 * 78
