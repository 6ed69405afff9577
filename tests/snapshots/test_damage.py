"""A store that has been damaged, anywhere and in any way, says what it said or refuses; and is left as it is."""

import os
import random
import shutil
import sqlite3

import pytest
from tests.builders import FRIDAY
from tests.snapshots.stores import REFUSED, answers, filled, leg, pair, question, revised, said, taken

from pairwatch.snapshots import FILE_NAME, Store
from pairwatch.snapshots.doctor import examine

# The default run; a long one: PAIRWATCH_MUTATIONS=20000.
MUTATIONS = int(os.environ.get("PAIRWATCH_MUTATIONS", "400"))


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """The bytes of a store, and what it says."""
    store = filled(tmp_path_factory.mktemp("sound") / FILE_NAME, 2)
    return store.path.read_bytes(), answers(store)


@pytest.fixture(scope="module")
def news():
    """A comparison that the store does not hold."""
    return taken(leg("AAA"), revised(leg("CCC")), question("61b"))


def bit_flip(data: bytearray, rng: random.Random) -> None:
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def header_flip(data: bytearray, rng: random.Random) -> None:
    """In the header and the schema, where flips do the strangest things."""
    data[rng.randrange(1024)] ^= 1 << rng.randrange(8)


def page_header_flip(data: bytearray, rng: random.Random) -> None:
    """In what a page says of its cells: a count that is one less loses a row without a trace."""
    at = 4096 * rng.randrange(len(data) // 4096)
    data[at + rng.randrange(64)] ^= 1 << rng.randrange(8)


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


def prolonged(data: bytearray, rng: random.Random) -> None:
    data += bytes(rng.randrange(1, 9000))


KINDS = [bit_flip, header_flip, page_header_flip, zeroed_sector, junk_page, swapped_pages, truncated, prolonged]


@pytest.mark.parametrize("mutate", KINDS)
def test_no_damage_whatsoever_makes_a_wrong_answer_or_another_exception(tmp_path, sound, news, mutate):
    rng = random.Random(mutate.__name__)  # noqa: S311 - the same mutations every time
    content, right = sound
    refusals = 0
    for i in range(MUTATIONS // len(KINDS)):
        data = bytearray(content)
        mutate(data, rng)
        path = tmp_path / f"{i}" / FILE_NAME
        path.parent.mkdir()
        path.write_bytes(data)
        found = answers(Store(path))
        refused = {key for key, answer in found.items() if answer == REFUSED}
        wrong = {key for key in found.keys() - refused if found[key] != right[key]}
        if said(Store(path).examine) == REFUSED:  # snapshots may have gone; those that are left say what they said
            refused.add("some")
            wrong = {key for key in wrong if key.endswith(("numbers", "inputs"))}
        assert not wrong, f"mutation {i}: {wrong}"
        assert found.keys() == right.keys() or refused, f"mutation {i}: snapshots have gone unnoticed"
        refusals += bool(refused)
        said(Store(path).journal)
        if i % 3 == 0:
            examine(Store(path), FRIDAY)
        assert path.read_bytes() == data
        if i % 4 == 0:
            _stays_right_when_written_to(path, bytes(data), right, news, i)
        assert [file.name for file in path.parent.iterdir()] == [FILE_NAME]
        shutil.rmtree(path.parent)
    assert refusals


def _stays_right_when_written_to(path, data, right, news, i):
    """A refusal changes nothing, and an acceptance nothing that was there."""
    store = Store(path)
    accepted = said(lambda: store.append(news))
    if accepted == REFUSED:
        assert path.read_bytes() == data, f"mutation {i}: refused, and changed"
        return
    later = answers(Store(path))
    ours = {key for key in later if key.startswith("AAA BBB")}
    wrong = {key for key in ours if later[key] not in (REFUSED, right.get(key))}
    assert not wrong, f"mutation {i}: {wrong} after writing"


def test_a_damaged_store_is_an_error_with_a_way_out(tmp_path):
    path = tmp_path / FILE_NAME
    path.write_bytes(b"garbage" * 1000)
    with pytest.raises(Exception, match="are damaged") as met:
        Store(path).append(pair())
    assert met.value.exit_code == 7
    assert "pairwatch snapshot doctor" in met.value.hint
    assert path.read_bytes() == b"garbage" * 1000


# ---------------------------------------------------------------- damage of a given kind


def tampered(path, *statements):
    """The store after somebody has changed it behind the back of its triggers."""
    store = filled(path, 1)
    db = sqlite3.connect(path, isolation_level=None)
    for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type='trigger'").fetchall():
        db.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        db.execute(statement)
    db.close()
    return store


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE readings SET value = 5 WHERE rowid_of",
        "UPDATE readings SET value = NULL WHERE rowid_of",
        "DELETE FROM readings WHERE rowid_of",
        "UPDATE batches SET session = '2026-11-19'",
        "UPDATE batches SET revision = revision + 4",
        "UPDATE batches SET taken_at = taken_at + 1",
        "UPDATE batches SET program = '9'",
        "UPDATE batches SET as_of = '2026-11-21'",
        "UPDATE batches SET as_of = 'soon'",
        "UPDATE batches SET session = '2026-11-xx'",
        "UPDATE batches SET a = b",
        "UPDATE batches SET a = 99",
        "UPDATE batches SET checksum = checksum + 1",
        "UPDATE pairs SET question = replace(question, '61', '62')",
        "UPDATE pairs SET question = '{}'",
        "UPDATE pairs SET question = '{\"window\": 5}'",
        "UPDATE pairs SET a = 'yahoo:' || char(27)",
        "UPDATE statistics SET key = key || 'x'",
        "UPDATE statistics SET unit = x'00'",
        "DELETE FROM statistics",
        "DELETE FROM pairs",
        "DELETE FROM inputs",
    ],
)
def test_a_change_of_any_cell_that_numbers_rest_on_is_noticed(tmp_path, change):
    store = tampered(tmp_path / FILE_NAME, change.replace("WHERE rowid_of", "WHERE statistic = 3"))
    a, b = leg("AAA").series.leg, leg("CCC").series.leg
    if change.startswith(("UPDATE pairs", "DELETE FROM pairs")):
        assert said(store.pairs) in (REFUSED, ())
        assert examine(store, FRIDAY)[0].severity == "error"
    else:
        assert said(lambda: store.latest(a, b, question("61b"))) == REFUSED
        assert said(lambda: store.snapshots(a, b, question("61b"))) == REFUSED
        assert said(lambda: store.record(a, b, question("61b"))) == REFUSED
        if "session" not in change:  # there is none of that session, as far as a writer can see
            assert said(lambda: store.append(pair(b="CCC"))) == REFUSED


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE chunks SET data = zeroblob(length(data))",
        "UPDATE chunks SET data = 'text'",
        "UPDATE inputs SET closes = zeroblob(length(closes))",
        "UPDATE inputs SET closes = x'010203'",
        "UPDATE inputs SET closes = 'text'",
        "UPDATE inputs SET told = replace(told, 'network', 'file')",
        "UPDATE inputs SET told = x'00'",
        "UPDATE inputs SET leg = 5",
        "UPDATE inputs SET events = facts",
        "UPDATE inputs SET events = 999",
        "DELETE FROM chunks",
    ],
)
def test_a_change_of_any_cell_of_the_inputs_is_noticed(tmp_path, change):
    store = filled(tmp_path / FILE_NAME, 1)
    snapshot = store.latest(leg("AAA").series.leg, leg("CCC").series.leg, question("61b"))
    store.path.unlink()
    store = tampered(tmp_path / FILE_NAME, change)
    assert said(lambda: store.inputs(snapshot)) == REFUSED
    assert examine(store, FRIDAY)[0].severity == "error"


@pytest.mark.parametrize("change", ["at = 'now'", "kind = x'00'", "detail = x'00'", "run = 'first'"])
def test_a_line_of_the_journal_that_can_be_none_is_damage(tmp_path, change):
    assert said(tampered(tmp_path / FILE_NAME, f"UPDATE journal SET {change}").journal) == REFUSED  # noqa: S608


def test_a_snapshot_that_its_index_has_lost_is_damage_to_whoever_writes(tmp_path):
    store = filled(tmp_path / FILE_NAME)
    asked = leg("AAA").series.leg, leg("CCC").series.leg, question("61b")
    assert len(store.snapshots(*asked)) == 3
    db = sqlite3.connect(store.path)
    (page,) = db.execute("SELECT rootpage FROM sqlite_schema WHERE name LIKE 'sqlite_autoindex_batches%'").fetchone()
    db.close()
    data = store.path.read_bytes()
    at = data.index(b"2026-11-20", 4096 * (page - 1), 4096 * page)
    store.path.write_bytes(data[:at] + b"2028-11-20" + data[at + 10 :])
    assert said(Store(store.path).examine) == REFUSED
    assert said(lambda: Store(store.path).note("began", 0.0)) == REFUSED
