"""The price cache: what is written comes back, and a file that cannot be used never fails a run."""

import json
import os
import random
import resource
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fake_source import LEG, NOW, aside, assert_same, holding, stored

from pairwatch.cache import (
    _STEPS,
    APPLICATION_ID,
    FILE_NAME,
    FIRST_PAUSE,
    LONGEST_BAN,
    LONGEST_PAUSE,
    LONGEST_QUEUE,
    UNKNOWN_FOR,
    Cache,
    Unknown,
    _pack,
    _queued,
)
from pairwatch.database import Database, checksum
from pairwatch.model import Event, Facts, Holding, Leg, Series

ROOT = Path(__file__).parent.parent
# The default run; a long one: PAIRWATCH_MUTATIONS=20000.
MUTATIONS = int(os.environ.get("PAIRWATCH_MUTATIONS", "400"))


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "cache" / FILE_NAME


@pytest.fixture
def cache(path) -> Cache:
    return Cache(path)


# ---------------------------------------------------------------- what is written comes back


def test_every_field_of_a_leg_comes_back(path):
    stored(path)
    assert_same(Cache(path).get(LEG), holding())


def test_a_leg_without_events_quote_or_holes_comes_back(path):
    held = holding()
    held = replace(held, series=replace(held.series, events=(), quote=None, facts=Facts()), holes=held.holes[:0])
    assert_same(Cache(stored(path, held)).get(LEG), held)


def test_days_before_1970_and_closes_of_any_size_come_back(path):
    days = np.array(["1927-12-30", "1969-12-31", "1970-01-01", "2261-12-31"], dtype="datetime64[D]")
    series = Series(LEG, days, np.array([5e-324, -40.25, 0.0, 1.7976931348623157e308]))
    held = Holding(series, 0.0, float("inf"), 0.0, days[:0])
    assert_same(Cache(stored(path, held)).get(LEG), held)


def test_instants_given_as_whole_numbers_are_no_damage(path):
    held = replace(holding(), asked_at=1_800_000_000, fresh_until=1_800_000_000, reconciled_at=0)
    cache = Cache(stored(path, held))
    assert_same(cache.get(LEG), held)
    assert not cache.trouble


def test_events_dated_to_the_nanosecond_come_back_as_days(path):
    held = holding()
    event = Event(np.datetime64("2026-03-02T00:00:00", "ns"), "dividend", 1.0)
    found = Cache(stored(path, replace(held, series=replace(held.series, events=(event,))))).get(LEG)
    assert found.series.events == (Event(np.datetime64("2026-03-02", "D"), "dividend", 1.0),)


def test_closes_are_kept_as_quoted_and_never_adjusted(path):
    held = holding()
    with sqlite3.connect(stored(path)) as db:
        (closes,) = db.execute("SELECT closes FROM legs").fetchone()
    db.close()
    assert closes == held.series.closes.astype("<f8").tobytes()


def test_arrays_that_come_back_are_read_only(path):
    found = Cache(stored(path)).get(LEG)
    for array in (found.series.dates, found.series.closes):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = array[1]


def test_a_leg_that_is_not_held_is_none_and_makes_no_file(cache):
    assert cache.get(LEG) is None
    assert cache.entries() == []
    assert cache.clear() == cache.clear(LEG) == 0
    assert cache.paused_until("yahoo") == 0
    assert not cache.path.parent.exists()


def test_an_update_replaces_one_leg_and_leaves_the_others(path):
    other = Leg("yahoo", "IWM")
    stored(path, holding(), holding(other, seed=1), holding(seed=2, bars=77))
    assert_same(Cache(path).get(LEG), holding(seed=2, bars=77))
    assert_same(Cache(path).get(other), holding(other, seed=1))


def test_an_update_sees_what_is_held_and_returns_what_it_makes(cache):
    seen = []

    def change(held):
        seen.append(held)
        return holding(seed=len(seen))

    assert_same(cache.update(LEG, change), holding(seed=1))
    assert_same(cache.update(LEG, change), holding(seed=2))
    assert seen[0] is None
    assert_same(seen[1], holding(seed=1))


def test_an_update_that_changes_nothing_writes_nothing(path):
    before = stored(path).read_bytes()
    assert_same(Cache(path).update(LEG, lambda held: held), holding())
    assert path.read_bytes() == before


def test_an_update_that_raises_leaves_the_file_as_it_was(path):
    before = stored(path).read_bytes()
    cache = Cache(path)
    with pytest.raises(LookupError):
        cache.update(LEG, lambda _: {}["nothing"])
    assert path.read_bytes() == before
    assert not cache.trouble
    stored(path, holding(seed=5))


def test_entries_are_in_alphabetical_order_and_say_what_is_held(path):
    legs = [Leg("yahoo", "QQQ"), Leg("demo", "LEADER"), Leg("yahoo", "IWM")]
    cache = Cache(stored(path, *(holding(leg, bars=10 + i) for i, leg in enumerate(legs))))
    entries = cache.entries()
    assert [str(entry.leg) for entry in entries] == ["demo:LEADER", "IWM", "QQQ"]
    entry, held = entries[2], holding(bars=10)
    assert (entry.bars, entry.first, entry.last) == (10, held.series.dates[0], held.series.dates[-1])
    assert (entry.asked_at, entry.fresh_until) == (held.asked_at, held.fresh_until)
    assert 10 * 12 < entry.bytes < 1000


def test_clear_forgets_one_leg_or_all_and_counts_them(path):
    other = Leg("yahoo", "IWM")
    cache = Cache(stored(path, holding(), holding(other)))
    assert cache.clear(Leg("yahoo", "SPY")) == 0
    assert cache.clear(other) == 1
    assert cache.get(other) is None
    assert_same(cache.get(LEG), holding())
    assert cache.clear() == 1
    assert cache.entries() == []


def test_clear_keeps_the_pauses(path):
    cache = Cache(stored(path))
    cache.pause("yahoo", NOW, None)
    cache.clear()
    assert Cache(path).paused_until("yahoo") == NOW + FIRST_PAUSE


# ---------------------------------------------------------------- what a symbol can do


@pytest.mark.parametrize(
    "symbol", ["a'; DROP TABLE legs; --", 'x" OR "1"="1', "all.csv#'", "%", "?", ":symbol", "Zürich 🦉.csv"]
)
def test_a_symbol_is_a_value_and_never_part_of_a_statement(path, symbol):
    leg, other = Leg("csv", symbol), Leg("csv", "plain.csv")
    cache = Cache(stored(path, holding(leg, seed=3), holding(other)))
    assert_same(cache.get(leg), holding(leg, seed=3))
    assert cache.get(Leg("csv", "x")) is None
    assert {entry.leg for entry in cache.entries()} == {leg, other}
    assert cache.clear(leg) == 1
    assert_same(cache.get(other), holding(other))
    assert not cache.trouble


def test_the_statements_that_sqlite_runs_hold_no_symbol(path, monkeypatch):
    statements = []
    connect = Database.connect

    def traced(cache):
        db = connect(cache)
        db.set_trace_callback(statements.append)
        return db

    monkeypatch.setattr(Database, "connect", traced)
    leg = Leg("csv", "odd'name.csv")
    cache = Cache(stored(path, holding(leg)))
    cache.get(leg)
    cache.clear(leg)
    parametrised = [text for text in statements if "odd" in text]
    # SQLite shows values where they were bound, quoted by itself.
    assert parametrised
    assert all("'odd''name.csv'" in text for text in parametrised)


# ---------------------------------------------------------------- the file


def test_the_file_is_for_its_owner_alone_and_so_is_its_folder(path):
    umask = os.umask(0)
    try:
        stored(path)
    finally:
        os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_the_file_is_marked_as_ours_and_has_no_write_ahead_log(path):
    with sqlite3.connect(stored(path)) as db:
        assert db.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
        assert db.execute("PRAGMA user_version").fetchone()[0] == len(_STEPS)
        assert db.execute("PRAGMA journal_mode").fetchone()[0] == "delete"
    db.close()
    assert [file.name for file in path.parent.iterdir()] == [FILE_NAME]


@pytest.mark.parametrize("name", ["a b", "what?mode=ro", "50%", "#1", "ünï", "a'b"])
def test_a_folder_may_have_any_name(tmp_path, name):
    cache = Cache(stored(tmp_path / name / FILE_NAME))
    assert_same(cache.get(LEG), holding())
    assert (tmp_path / name / FILE_NAME).exists()


def test_a_relative_path_is_as_good(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert_same(Cache(stored(Path("sub") / FILE_NAME)).get(LEG), holding())


def test_no_lock_is_left_behind_by_any_operation(path):
    cache = Cache(stored(path))
    operations = [
        lambda: cache.get(LEG),
        lambda: cache.get(Leg("yahoo", "NONE")),
        lambda: cache.update(LEG, lambda _: holding(seed=1)),
        cache.entries,
        lambda: cache.pause("yahoo", NOW, None),
        lambda: cache.paused_until("yahoo"),
        lambda: cache.resume("yahoo"),
        lambda: cache.clear(LEG),
    ]
    kept = []
    for operation in operations:
        kept.append(operation())
        db = sqlite3.connect(path, timeout=0, isolation_level=None)
        db.execute("BEGIN EXCLUSIVE")
        db.execute("ROLLBACK")
        db.close()
    assert not cache.trouble


def test_a_file_that_another_process_has_just_created_is_empty_for_readers_and_left_to_it(path):
    path.parent.mkdir()
    path.touch()
    cache = Cache(path)
    assert cache.get(LEG) is None
    assert cache.entries() == []
    assert path.stat().st_size == 0
    assert not cache.trouble
    stored(path)
    assert_same(cache.get(LEG), holding())


def test_reading_a_leg_of_seven_thousand_closes_takes_about_a_millisecond(path):
    stored(path, holding(bars=7000))
    cache, times = Cache(path), []
    for _ in range(30):
        start = time.perf_counter()
        cache.get(LEG)
        times.append(time.perf_counter() - start)
    assert sorted(times)[5] < 0.005


# ---------------------------------------------------------------- pauses


def test_a_pause_is_known_to_every_other_cache_object(path):
    assert Cache(path).pause("yahoo", NOW, None) == NOW + FIRST_PAUSE
    assert Cache(path).paused_until("yahoo") == NOW + FIRST_PAUSE
    Cache(path).resume("yahoo")
    assert Cache(path).paused_until("yahoo") == 0


def test_refusals_in_a_row_double_the_pause_up_to_the_longest(path):
    now, lengths = NOW, []
    for _ in range(40):
        until = Cache(path).pause("yahoo", now, None)
        lengths.append(until - now)
        now = until
    assert lengths[:6] == [FIRST_PAUSE * factor for factor in (1, 2, 4, 8, 16, 24)]
    assert set(lengths[5:]) == {LONGEST_PAUSE}


def test_processes_that_are_refused_at_the_same_instant_count_as_one_refusal(path):
    assert {Cache(path).pause("yahoo", NOW + i, None) - i for i in range(10)} == {NOW + FIRST_PAUSE}


def test_a_longer_pause_is_not_shortened_by_a_process_that_was_told_less(path):
    Cache(path).pause("yahoo", NOW, 7200.0)
    assert Cache(path).pause("yahoo", NOW + 1, None) == NOW + 7200


@pytest.mark.parametrize("asked", [1e12, float("inf")])
def test_no_pause_is_longer_than_a_day(path, asked):
    assert Cache(path).pause("yahoo", NOW, asked) == NOW + LONGEST_BAN


def test_a_nonsensical_wish_is_no_pause_of_its_own(path):
    for source, asked in [("a1", -5.0), ("a2", float("nan")), ("a3", -float("inf"))]:
        assert Cache(path).pause(source, NOW, asked) == NOW + FIRST_PAUSE


def test_a_pause_holds_in_its_own_run_even_where_no_file_can_be_written(tmp_path):
    (tmp_path / "file").touch()
    cache = Cache(tmp_path / "file" / FILE_NAME)
    assert cache.pause("yahoo", NOW, 3600.0) == NOW + 3600
    assert cache.paused_until("yahoo") == NOW + 3600
    cache.resume("yahoo")
    assert cache.paused_until("yahoo") == 0
    assert cache.trouble


@pytest.mark.parametrize(("until", "refusals"), [("'never'", 1), (1e9, "x'00'"), (1e9, "'many'")])
def test_a_damaged_pause_is_no_pause(path, until, refusals):
    db = sqlite3.connect(stored(path), isolation_level=None)
    db.execute(f"INSERT INTO pauses VALUES ('yahoo', {until}, {refusals})")  # noqa: S608
    db.close()
    cache = Cache(path)
    assert cache.paused_until("yahoo") == 0
    assert cache.pause("yahoo", NOW, None) == NOW + FIRST_PAUSE
    assert not cache.trouble


def test_a_wish_is_where_the_doubling_begins_and_is_never_undercut(path):
    now, lengths = NOW, []
    for asked in [60.0, 60.0, 60.0, 1000.0, 0.0, 0.0, None, 9e4]:
        until = Cache(path).pause("yahoo", now, asked)
        lengths.append(until - now)
        now = until
    assert lengths == [60, 120, 240, 8000, 16, 32, LONGEST_PAUSE, LONGEST_BAN]


def test_a_wish_of_no_time_at_all_is_a_second(path):
    assert Cache(path).pause("yahoo", NOW, 0.0) == NOW + 1


# ---------------------------------------------------------------- turns


def test_after_a_rest_a_burst_goes_out_at_once_and_then_one_every_gap(path):
    waits = [Cache(path).turn("yahoo", NOW, 2.0, 3) for _ in range(6)]
    assert waits == [0, 0, 0, 2, 4, 6]


def test_a_turn_that_comes_too_late_is_not_taken(path):
    cache = Cache(path)
    assert [cache.turn("yahoo", NOW, 10.0, 1, patience=15.0) for _ in range(5)] == [0, 10, 20, 20, 20]
    assert cache.turn("yahoo", NOW, 10.0, 1, patience=20.0) == 20


def test_a_pace_slower_than_the_longest_queue_is_kept_too(path):
    """Twenty-five requests a day."""
    waits = [Cache(path).turn("slow", NOW, 3456.0, 25, patience=1e6) for _ in range(60)]
    assert waits[:27] == [0] * 25 + [3456, 6912]
    assert set(waits[27:]) == {6912}
    assert Cache(path).turn("slow", NOW + 3456, 3456.0, 25) == 3456


def test_a_full_queue_is_no_clock_that_was_set_back_and_goes_no_further(path):
    cache = Cache(path)
    waits = [cache.turn("yahoo", NOW, 600.0, 2, patience=1e6) for _ in range(20)]
    assert waits[:9] == [0, 0, 600, 1200, 1800, 2400, 3000, 3600, 4200]
    assert set(waits[9:]) == {4200}


def test_each_source_has_turns_of_its_own(path):
    assert [Cache(path).turn(source, NOW, 5.0) for source in ("fred", "cboe", "fred")] == [0, 0, 5]


def test_a_source_without_a_pace_has_no_turns_and_makes_no_file(path):
    assert [Cache(path).turn("demo", NOW, 0.0) for _ in range(9)] == [0] * 9
    assert not path.exists()


@given(
    gaps=st.lists(st.floats(0, 30), min_size=1, max_size=60),
    gap=st.floats(0.01, 10) | st.floats(10, 10_000),
    burst=st.integers(1, 50),
    patience=st.floats(0, 60) | st.floats(60, 20_000),
)
@settings(max_examples=150)
def test_no_stretch_of_time_ever_sees_more_than_the_pace(gaps, gap, burst, patience):
    """Of whatever is asked when: in any stretch of s seconds at most burst + s / gap requests go out."""
    due, now, out = 0.0, NOW, []
    for pause in gaps:
        now += pause
        wait, due = _queued(due, now, gap, burst, patience)
        if wait <= min(patience, LONGEST_QUEUE):
            out.append(now + wait)
    for i, first in enumerate(out):
        for j in range(i, len(out)):
            assert j - i + 1 <= burst + (out[j] - first) / gap + 1e-3
    assert out == sorted(out)


def test_a_turn_from_a_time_when_the_clock_was_ahead_is_ignored(path):
    Cache(path).turn("yahoo", NOW + 1e7, 2.0)
    assert Cache(path).turn("yahoo", NOW, 2.0) == 0
    assert Cache(path).turn("yahoo", NOW, 2.0) == 2


def test_turns_are_kept_in_the_process_where_no_file_can_be_written(tmp_path):
    (tmp_path / "file").touch()
    cache = Cache(tmp_path / "file" / FILE_NAME)
    assert [cache.turn("yahoo", NOW, 2.0, 2) for _ in range(4)] == [0, 0, 2, 4]
    assert cache.trouble


@pytest.mark.parametrize("due", ["'soon'", "x'00'", "9e999", "-9e999"])
def test_a_damaged_turn_is_no_turn(path, due):
    db = sqlite3.connect(stored(path), isolation_level=None)
    db.execute(f"INSERT INTO turns VALUES ('yahoo', {due})")  # noqa: S608
    db.close()
    cache = Cache(path)
    assert [cache.turn("yahoo", NOW, 2.0) for _ in range(2)] == [0, 2]
    assert not cache.trouble


# ---------------------------------------------------------------- what a source does not know


def test_what_a_source_does_not_know_is_remembered_for_half_a_day(path):
    said = Unknown(NOW, "NOPE: unknown to yahoo", "check the spelling")
    Cache(path).remember_unknown(Leg("yahoo", "NOPE"), said)
    cache = Cache(path)
    assert cache.unknown(Leg("yahoo", "NOPE"), NOW + UNKNOWN_FOR - 1) == said
    assert cache.unknown(Leg("yahoo", "NOPE"), NOW + UNKNOWN_FOR) is None
    assert cache.unknown(Leg("yahoo", "NOPE"), NOW - 1) is None  # the clock was set back
    assert cache.unknown(Leg("cboe", "NOPE"), NOW) is None


def test_what_was_unknown_too_long_ago_takes_no_room(path):
    cache = Cache(path)
    for days in range(3):
        cache.remember_unknown(Leg("yahoo", f"NOPE{days}"), Unknown(NOW + days * 86_400, "unknown", ""))
    db = sqlite3.connect(path)
    assert [row[0] for row in db.execute("SELECT symbol FROM unknown")] == ["NOPE2"]
    db.close()


@pytest.mark.parametrize("leg", [Leg("yahoo", "NOPE"), None])
def test_what_is_cleared_is_asked_for_again(path, leg):
    cache = Cache(path)
    for symbol in ("NOPE", "OTHER"):
        cache.remember_unknown(Leg("yahoo", symbol), Unknown(NOW, "unknown", ""))
    assert cache.clear(leg) == 0
    assert cache.unknown(Leg("yahoo", "NOPE"), NOW) is None
    assert (cache.unknown(Leg("yahoo", "OTHER"), NOW) is None) == (leg is None)


def test_junk_in_place_of_what_is_unknown_is_nothing(path):
    stored(path)
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("INSERT INTO unknown VALUES ('yahoo', 'A', 'x', 'y', 'z'), ('yahoo', 'B', 1.0, x'00', 'z')")
    db.close()
    cache = Cache(path)
    assert [cache.unknown(Leg("yahoo", symbol), NOW) for symbol in "AB"] == [None, None]
    assert cache.trouble == ""


# ---------------------------------------------------------------- a file of an earlier version


@pytest.fixture
def old(path) -> Path:
    """A file as the first version laid it out, with a leg whose facts are of that time, and a pause."""
    held = holding()
    Database(path, APPLICATION_ID, _STEPS[:1])._create()
    earlier = Database(path, APPLICATION_ID, _STEPS[:1])
    row = list(_pack(LEG, held)[:-1])
    facts = json.loads(row[6])
    for name in ("measure", "changes", "frequency", "identity"):
        del facts[name]
    row[6] = json.dumps(facts | {"unit": "price"})
    with earlier.writing() as db:
        db.execute("INSERT INTO legs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", [*row, checksum(row)])
        db.execute("INSERT INTO pauses VALUES ('yahoo', ?, 1)", [NOW + 900])
    return path


def schema(path: Path) -> int:
    db = sqlite3.connect(path)
    (found,) = db.execute("PRAGMA user_version").fetchone()
    db.close()
    return int(found)


def test_a_file_of_the_first_version_is_brought_up_by_the_first_look_and_keeps_all(old):
    assert schema(old) == 1
    cache = Cache(old)
    assert_same(cache.get(LEG), holding())
    assert (schema(old), cache.trouble) == (len(_STEPS), "")
    assert cache.paused_until("yahoo") == NOW + 900
    assert [cache.turn("yahoo", NOW, 2.0) for _ in range(2)] == [0, 2]


def test_a_file_of_the_first_version_is_brought_up_by_the_first_write(old):
    leg = Leg("yahoo", "NEW")
    Cache(old).update(leg, lambda _: holding(leg))
    assert [entry.leg.symbol for entry in Cache(old).entries()] == ["NEW", "QQQ"]


def test_a_damaged_file_of_the_first_version_is_put_aside(old):
    db = sqlite3.connect(old, isolation_level=None)
    db.execute("UPDATE legs SET closes = zeroblob(8)")
    db.close()
    cache = Cache(old)
    assert cache.get(LEG) is None
    assert "put aside as" in cache.trouble
    assert len(aside(old)) == 1


# ---------------------------------------------------------------- threads


def in_threads(count: int, work) -> list:
    """What `work(0)`, `work(1)`, ... return, all of them run at the same time."""
    gate = threading.Barrier(count)

    def run(me):
        gate.wait()
        return work(me)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_threads_that_share_a_cache_lose_nothing(path):
    cache = Cache(path)

    def work(me):
        for i in range(5):
            leg = Leg("yahoo", f"L{me}X{i}")
            cache.update(leg, lambda _, leg=leg: holding(leg, bars=20))
            assert_same(cache.get(leg), holding(leg, bars=20))
        return [cache.turn("yahoo", NOW, 1.0) for _ in range(5)]

    turns = in_threads(8, work)
    assert sorted(turn for each in turns for turn in each) == list(range(40))
    assert len(Cache(path).entries()) == 40
    assert not cache.trouble


def test_threads_that_meet_damage_at_once_put_one_file_aside(path):
    path.parent.mkdir()
    path.write_bytes(b"garbage" * 1000)
    cache = Cache(path)
    assert in_threads(8, lambda _: cache.get(LEG)) == [None] * 8
    (kept,) = aside(path)
    assert kept.read_bytes() == b"garbage" * 1000
    assert f"put aside as {kept.name}" in cache.trouble


# ---------------------------------------------------------------- a damaged file


def use(path: Path, leg: Leg = LEG) -> tuple[Cache, Holding]:
    """What a run does: look, then store a new answer; returns what it ends up with."""
    cache = Cache(path)
    cache.get(leg)
    return cache, cache.update(leg, lambda _: holding(leg, seed=9))


def assert_put_aside(path: Path, content: bytes) -> None:
    """One warning, the run goes on, the damaged file is kept under another name, and the next run starts anew."""
    cache, made = use(path)
    assert_same(made, holding(seed=9))
    assert cache.trouble.startswith("the price cache is damaged (")
    assert "going on without it" in cache.trouble
    assert "\n" not in cache.trouble
    assert not path.exists()
    (kept,) = aside(path)
    assert kept.name in cache.trouble
    assert kept.read_bytes() == content
    cache, _ = use(path)
    assert not cache.trouble
    assert_same(cache.get(LEG), holding(seed=9))
    assert aside(path) == [kept]


@pytest.mark.parametrize(
    "content",
    [b"this is no database" * 100, b"\x00" * 4096, b"xy", b"SQLite format 3\x00" + b"z" * 84],
)
def test_a_garbage_file_is_put_aside_and_the_run_goes_on(path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    assert_put_aside(path, content)


def test_an_empty_file_is_a_new_file(path):
    path.parent.mkdir()
    path.touch()
    cache, made = use(path)
    assert not cache.trouble
    assert_same(cache.get(LEG), made)


def test_a_damaged_row_is_put_aside_with_its_file(path):
    db = sqlite3.connect(stored(path), isolation_level=None)
    db.execute("UPDATE legs SET facts = replace(facts, 'CHF', 'USD')")
    db.close()
    assert_put_aside(path, path.read_bytes())


@pytest.mark.parametrize(
    "column",
    ["days", "closes", "holes", "events", "facts", "quote", "asked_at", "fresh_until", "reconciled_at", "checksum"],
)
def test_a_change_of_any_column_is_noticed(path, column):
    db = sqlite3.connect(stored(path), isolation_level=None)
    db.execute(f"UPDATE legs SET {column} = {column} + 1 WHERE typeof({column}) IN ('real', 'integer')")  # noqa: S608
    db.execute(f"UPDATE legs SET {column} = {column} || ' ' WHERE typeof({column}) = 'text'")  # noqa: S608
    db.execute(f"UPDATE legs SET {column} = zeroblob(8) WHERE typeof({column}) = 'blob'")  # noqa: S608
    db.close()
    cache = Cache(path)
    assert cache.get(LEG) is None
    assert "checksum of QQQ" in cache.trouble


@pytest.mark.parametrize("column", ["source", "symbol"])
def test_a_row_under_another_name_is_noticed(path, column):
    """A damaged index can lead there."""
    db = sqlite3.connect(stored(path), isolation_level=None)
    db.execute(f"UPDATE legs SET {column} = 'iwm'")  # noqa: S608
    db.close()
    leg = Leg("yahoo", "IWM") if column == "symbol" else Leg("iwm", "QQQ")
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("UPDATE legs SET source = ?, symbol = ?", (leg.source, leg.symbol))
    db.close()
    cache = Cache(path)
    assert cache.get(leg) is None
    assert "damaged" in cache.trouble


def test_a_name_that_is_no_leg_is_damage_and_no_usage_error(path):
    db = sqlite3.connect(stored(path), isolation_level=None)
    db.execute("UPDATE legs SET symbol = char(27) || '[31m'")
    db.close()
    cache = Cache(path)
    assert cache.entries() == []
    assert "damaged" in cache.trouble
    assert "\x1b" not in cache.trouble


def test_a_text_that_is_not_utf8_is_damage(path):
    db = sqlite3.connect(stored(path), isolation_level=None)
    db.execute("UPDATE legs SET facts = CAST(x'ff' AS TEXT)")
    db.close()
    assert_put_aside(path, path.read_bytes())


def test_a_table_that_is_missing_is_damage(path):
    db = sqlite3.connect(stored(path), isolation_level=None)
    db.execute("DROP TABLE legs")
    db.close()
    assert_put_aside(path, path.read_bytes())


def test_a_journal_that_a_vanished_file_left_behind_does_no_harm(path):
    """A real one, of a process that was killed in the middle of its commit."""
    code = "import sqlite3; db = sqlite3.connect(path, isolation_level=None); db.execute('PRAGMA cache_size=1');"
    code += "db.execute('BEGIN IMMEDIATE'); db.execute('UPDATE legs SET closes = zeroblob(90000)'); os._exit(0)"
    run(code, stored(path))
    journal = path.with_name(f"{FILE_NAME}-journal")
    assert journal.stat().st_size > 512
    path.rename(path.with_name("elsewhere"))
    stored(path, holding(seed=8))
    assert_same(Cache(path).get(LEG), holding(seed=8))
    assert not journal.exists()


def test_a_damaged_file_is_put_aside_on_platforms_without_posix_locks_too(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "fcntl", None)
    path.parent.mkdir()
    path.write_bytes(b"garbage" * 100)
    assert_put_aside(path, b"garbage" * 100)


def test_a_row_that_its_index_has_lost_is_damage(path):
    legs = [holding(Leg("yahoo", symbol)) for symbol in ("AAA", "BBB")]
    data = stored(path, *legs).read_bytes()
    db = sqlite3.connect(path)
    (page,) = db.execute("SELECT rootpage FROM sqlite_schema WHERE name LIKE 'sqlite_autoindex_legs%'").fetchone()
    db.close()
    at = data.index(b"yahooBBB", 4096 * (page - 1), 4096 * page)
    path.write_bytes(data[:at] + b"yahooBBC" + data[at + 8 :])
    cache = Cache(path)
    assert cache.get(Leg("yahoo", "BBB")) is None
    assert "damaged (index of BBB)" in cache.trouble


def test_after_trouble_a_cache_object_leaves_the_file_alone(path):
    path.parent.mkdir()
    path.write_bytes(b"garbage")
    cache, _ = use(path)
    trouble = cache.trouble
    assert cache.get(LEG) is None
    assert cache.entries() == []
    assert_same(cache.update(LEG, lambda held: held or holding()), holding())
    assert cache.trouble == trouble
    assert not path.exists()


def test_a_second_process_that_met_the_same_damage_leaves_the_new_file_alone(path):
    path.parent.mkdir()
    path.write_bytes(b"garbage" * 100)
    late = Cache(path)
    with pytest.raises(sqlite3.DatabaseError) as met, late._file.reading():
        pass
    use(path)
    stored(path)
    late._give_up(met.value)
    assert "another process has put it aside" in late.trouble
    assert_same(Cache(path).get(LEG), holding())
    assert len(aside(path)) == 1


def test_a_second_process_that_met_the_same_damage_before_a_new_file_is_there_creates_none(path):
    path.parent.mkdir()
    path.write_bytes(b"garbage" * 100)
    late = Cache(path)
    with pytest.raises(sqlite3.DatabaseError) as met, late._file.reading():
        pass
    Cache(path).get(LEG)
    late._give_up(met.value)
    assert "another process has put it aside" in late.trouble
    assert not path.exists()


# ---------------------------------------------------------------- mutations of every kind, over the whole file

LEGS = [Leg("yahoo", symbol) for symbol in ("AAA", "BBB", "CCC", "DDD")]


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> bytes:
    """A file with free pages, overflow pages, an index that matters and a pause."""
    path = tmp_path_factory.mktemp("sound") / FILE_NAME
    legs = [*LEGS, *(Leg("yahoo", f"X{i}") for i in range(40))]
    stored(path, *(holding(leg, bars=30 + 170 * (i % 4), seed=i) for i, leg in enumerate(legs)))
    cache = Cache(path)
    for leg in legs[10::3]:
        cache.clear(leg)
    cache.pause("yahoo", NOW, None)
    cache.turn("yahoo", NOW, 2.0)
    return path.read_bytes()


def bit_flip(data: bytearray, rng: random.Random) -> None:
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def zeroed_sector(data: bytearray, rng: random.Random) -> None:
    at = 512 * rng.randrange(len(data) // 512)
    data[at : at + 512] = bytes(512)


def junk_page(data: bytearray, rng: random.Random) -> None:
    at = 4096 * rng.randrange(len(data) // 4096)
    data[at : at + 4096] = rng.randbytes(4096)


def swapped_pages(data: bytearray, rng: random.Random) -> None:
    a, b = (4096 * rng.randrange(len(data) // 4096) for _ in range(2))
    data[a : a + 4096], data[b : b + 4096] = data[b : b + 4096], data[a : a + 4096]


def truncated(data: bytearray, rng: random.Random) -> None:
    del data[rng.randrange(1, len(data)) :]


def header_flip(data: bytearray, rng: random.Random) -> None:
    """In the header and the schema, where flips do the strangest things."""
    data[rng.randrange(1024)] ^= 1 << rng.randrange(8)
    data[-rng.randrange(1, 1024) % 4096] ^= 1 << rng.randrange(8)


KINDS = [bit_flip, header_flip, truncated, zeroed_sector, junk_page, swapped_pages]


@pytest.mark.parametrize(("mutate", "share"), [(kind, 0.35 if kind is bit_flip else 0.13) for kind in KINDS])
def test_no_damage_whatsoever_makes_a_wrong_number_or_an_exception(tmp_path, sound, mutate, share):
    rng = random.Random(mutate.__name__)  # noqa: S311 - the same mutations every time
    wanted = {leg: holding(leg, bars=30 + 170 * (i % 4), seed=i) for i, leg in enumerate(LEGS)}
    detected = 0
    for i in range(round(MUTATIONS * share)):
        path = tmp_path / f"{i}" / FILE_NAME
        path.parent.mkdir()
        data = bytearray(sound)
        mutate(data, rng)
        path.write_bytes(data)
        cache = Cache(path)
        for leg, held in wanted.items():
            found = cache.get(leg)
            if found is None:
                assert cache.trouble, f"mutation {i}: {leg} has gone unnoticed"
            else:
                assert_same(found, held)
        for entry in cache.entries():
            assert entry.leg.symbol[0] in "ABCDX"
        assert cache.paused_until("yahoo") >= 0
        assert 0 <= cache.turn("yahoo", NOW, 2.0) <= LONGEST_QUEUE
        detected += bool(cache.trouble)
        writer, made = use(path)
        assert_same(made, holding(seed=9))
        if not writer.trouble:
            assert_same(Cache(path).get(LEG), holding(seed=9))
        # Put aside or left where it is, but never deleted.
        assert path.exists() or aside(path)
        shutil.rmtree(path.parent)
    if mutate in (truncated, junk_page):
        assert detected


# ---------------------------------------------------------------- files of others


def foreign(path: Path, *statements: str) -> bytes:
    path.parent.mkdir()
    db = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        db.execute(statement)
    db.close()
    return path.read_bytes()


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE TABLE legs (a)", "INSERT INTO legs VALUES (1)"],
        ["PRAGMA application_id=12345", "CREATE TABLE t (a)"],
        ["PRAGMA user_version=1", "CREATE TABLE t (a)"],
        ["PRAGMA journal_mode=WAL", "CREATE TABLE t (a)"],
        [f"PRAGMA application_id={APPLICATION_ID}", "CREATE TABLE t (a)"],
    ],
)
def test_another_programs_file_is_left_untouched(path, statements):
    before = foreign(path, *statements)
    cache, made = use(path)
    assert_same(made, holding(seed=9))
    assert f"the price cache {path} cannot be used (it belongs to another program)" in cache.trouble
    Cache(path).clear()
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [FILE_NAME]


def test_a_later_versions_file_is_left_untouched(path):
    db = sqlite3.connect(stored(path), isolation_level=None)
    db.execute("PRAGMA user_version=99")
    db.execute("ALTER TABLE legs ADD COLUMN volumes BLOB")
    db.close()
    before = path.read_bytes()
    cache, made = use(path)
    assert_same(made, holding(seed=9))
    assert "it was written by a later version of pairwatch" in cache.trouble
    assert Cache(path).clear() == 0
    assert path.read_bytes() == before


# ---------------------------------------------------------------- a place that does not take a file


def test_a_folder_in_place_of_the_file_is_trouble_and_no_more(path):
    path.mkdir(parents=True)
    cache, made = use(path)
    assert_same(made, holding(seed=9))
    assert "cannot be used" in cache.trouble
    assert path.is_dir()


def test_a_file_in_place_of_the_folder_is_trouble_and_no_more(path):
    path.parent.touch()
    cache, made = use(path)
    assert_same(made, holding(seed=9))
    assert "cannot be used" in cache.trouble
    assert cache.clear() == 0


def test_a_file_that_another_process_keeps_locked_is_trouble_after_a_while(path, monkeypatch):
    monkeypatch.setattr("pairwatch.database.LOCK_TIMEOUT", 0.05)
    before = stored(path).read_bytes()
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    cache = Cache(path)
    assert_same(cache.get(LEG), holding())
    assert_same(cache.update(LEG, lambda held: held or holding(seed=9)), holding(seed=9))
    assert "database is locked" in cache.trouble
    db.close()
    assert path.read_bytes() == before


def run(code: str, *args: object, user: int | None = None, limit: int | None = None) -> str:
    """Run `code` in a process of its own, as another user or with a largest file size; returns what it prints."""
    prelude = (
        "import os, sys; from pathlib import Path; from pairwatch.cache import Cache; from tests.fake_source import *\n"
    )
    prelude += "path = Path(sys.argv[1])\n"
    command = [sys.executable, "-c", prelude + code, *map(str, args)]
    if user is not None:
        command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *command]

    def restrict() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    done = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}", "PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=restrict if limit else None,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


GET_AND_UPDATE = """
cache = Cache(path)
found = cache.get(LEG)
made = cache.update(LEG, lambda held: holding(seed=9))
assert_same(made, holding(seed=9))
print("held" if found else "none", cache.trouble)
"""
NOBODY = 65534


@pytest.fixture
def others_folder(tmp_path) -> Path:
    """A folder that another user may look into, and a way there."""
    if os.geteuid() or not shutil.which("setpriv"):
        pytest.skip("needs root and setpriv, to be somebody whom permissions bind")
    folder = tmp_path / "theirs"
    folder.mkdir()
    for parent in [folder, *folder.parents][:-2]:
        parent.chmod(parent.stat().st_mode | 0o055)
    if subprocess.run(
        ["setpriv", f"--reuid={NOBODY}", "--clear-groups", sys.executable, "-c", "import pytest"], check=False
    ).returncode:
        pytest.skip("the interpreter is out of another user's reach")
    return folder


def test_a_read_only_file_is_read_and_not_written(others_folder):
    path = stored(others_folder / FILE_NAME)
    path.chmod(0o444)
    before = path.read_bytes()
    said = run(GET_AND_UPDATE, path, user=NOBODY)
    assert said.startswith("held the price cache")
    assert "cannot be used" in said
    assert path.read_bytes() == before


def test_a_read_only_folder_is_read_and_not_written(others_folder):
    path = stored(others_folder / FILE_NAME)
    path.chmod(0o666)
    before = path.read_bytes()
    said = run(GET_AND_UPDATE, path, user=NOBODY)
    assert said.startswith("held the price cache")
    assert "cannot be used" in said
    assert path.read_bytes() == before


def test_a_folder_in_which_nothing_can_be_made_is_trouble_and_no_more(others_folder):
    said = run(GET_AND_UPDATE, others_folder / "sub" / FILE_NAME, user=NOBODY)
    assert said.startswith("none the price cache")
    assert "Permission denied" in said


def test_a_folder_that_cannot_be_looked_into_is_trouble_and_no_more(others_folder):
    path = stored(others_folder / "closed" / FILE_NAME)
    said = run(GET_AND_UPDATE + "assert not cache.clear()", path, user=NOBODY)
    assert said.startswith("none the price cache")
    assert "Permission denied" in said


def test_a_damaged_file_that_cannot_be_renamed_is_said_to_be_so(others_folder):
    path = others_folder / FILE_NAME
    path.write_bytes(b"garbage" * 100)
    path.chmod(0o444)
    said = run(GET_AND_UPDATE, path, user=NOBODY)
    assert "damaged" in said
    assert "could not be put aside (Permission denied)" in said
    assert path.read_bytes() == b"garbage" * 100


def test_a_full_disk_is_trouble_and_leaves_what_was_there(path):
    before = stored(path)
    size = before.stat().st_size
    code = """
cache = Cache(path)
for i in range(50):
    made = cache.update(Leg("yahoo", f"X{i}"), lambda _: holding(Leg("yahoo", f"X{i}"), bars=2000))
    assert len(made.series) == 2000
print(i, cache.trouble)
"""
    said = run(code, path, limit=size + 60_000)
    assert "cannot be used" in said
    cache = Cache(path)
    assert_same(cache.get(LEG), holding())
    for entry in cache.entries():
        assert entry.bars in (300, 2000)
    assert not cache.trouble
    assert not aside(path)


def test_a_disk_too_full_for_the_first_page_is_trouble_and_the_next_run_starts_anew(path):
    said = run(GET_AND_UPDATE, path, limit=1000)
    assert said.startswith("none the price cache")
    cache, _ = use(path)
    assert not cache.trouble
    assert_same(cache.get(LEG), holding(seed=9))


def test_a_full_file_system_is_trouble_and_leaves_what_was_there(tmp_path):
    mount = tmp_path / "small"
    mount.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=100k", "none", str(mount)], check=False, capture_output=True
    ).returncode:
        pytest.skip("no file system of our own can be mounted here")
    try:
        path = stored(mount / "cache" / FILE_NAME)
        cache = Cache(path)
        for i in range(10):
            leg = Leg("yahoo", f"X{i}")
            assert_same(cache.update(leg, lambda _, leg=leg: holding(leg, bars=2000)), holding(leg, bars=2000))
        assert "full" in cache.trouble
        assert_same(Cache(path).get(LEG), holding())
    finally:
        subprocess.run(["umount", str(mount)], check=True)
