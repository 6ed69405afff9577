"""Whatever a snapshot was computed from comes back to the last bit, and gives the very same numbers."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests import builders
from tests.builders import FRIDAY
from tests.snapshots.stores import NAME, at, bits, leg, pair, question, recorded, taken

from pairwatch import pairs
from pairwatch.database import Damaged
from pairwatch.model import NAN, Declared, Provenance, Quote
from pairwatch.snapshots import FILE_NAME, Named, Store, Taken, inputs
from pairwatch.snapshots.batch import as_stored
from pairwatch.text import clean

texts = st.text(max_size=20).map(clean)
instants = st.floats(0, 2e9)
quotes = st.none() | st.builds(Quote, st.floats(1e-3, 1e9), instants, st.booleans(), instants | st.just(math.inf))
provenances = st.builds(
    Provenance,
    st.sampled_from(["network", "cache", "file", "simulation"]),
    st.none() | instants,
    texts,
    st.lists(st.integers(0, 20_000).map(lambda day: np.datetime64(day, "D")), max_size=3).map(tuple),
    st.integers(0, 9),
    st.booleans(),
    st.lists(texts, max_size=2).map(tuple),
)
kinds = st.sampled_from([("dividend", 0.1), ("capital_gain", 0.3), ("split", 2.0), ("split", 1 / 3)])


@st.composite
def histories(draw, symbol):
    """Any leg: of weekdays or of all days, with gaps, events of every kind, a quote, and names in any script."""
    n, every_day = draw(st.integers(80, 700)), draw(st.booleans())
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    days = builders.calendar_days(n) if every_day else builders.weekdays(n)
    days = days[rng.random(n) > draw(st.sampled_from([0.0, 0.1]))]
    closes = builders.prices(0.01 * rng.standard_normal(len(days) - 1), draw(st.sampled_from([0.01, 7.0, 5e4])))
    where = sorted(draw(st.sets(st.integers(1, len(days) - 1), max_size=3)))
    events = tuple(
        builders.event(days[i], v * (1 if k == "split" else closes[i] / 10), k) for i in where for k, v in [draw(kinds)]
    )
    return builders.history(
        closes,
        days,
        symbol=symbol,
        events=events,
        quote=draw(quotes),
        provenance=draw(provenances),
        name=draw(texts),
        every_day=every_day,
        closes_at=draw(st.none() | st.integers(0, 1440)),
        timezone="America/New_York",
    )


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(histories("AAA"), histories("BBB"))
def test_everything_that_was_put_in_comes_out_and_gives_the_same_numbers(tmp_path_factory, a, b):
    store = Store(tmp_path_factory.mktemp("any") / FILE_NAME)
    asked = question()
    found = pairs.compare(a, b, asked)
    snapshot = store.append(Taken(found, asked, a, b, at(FRIDAY))).snapshot
    again = Store(store.path)
    assert tuple(map(recorded, again.inputs(snapshot))) == (recorded(a), recorded(b))
    assert again.snapshots(snapshot.a, snapshot.b, asked) == (snapshot,)
    assert (snapshot.question, snapshot.session, snapshot.taken_at) == (asked, found.as_of, at(FRIDAY))
    assert numbers(again, snapshot) == spoken(found)
    assert spoken(pairs.compare(*again.inputs(snapshot), snapshot.question)) == numbers(again, snapshot)


def spoken(found):
    """What a comparison says, to the last bit."""
    return {Named(r.scope, r.statistic.key, r.unit): bits(as_stored([r.value])) for r in found}


def numbers(store, snapshot):
    said = store.numbers(snapshot)
    return {name: bits([value]) for name, value in zip(said.names, said.values, strict=True)}


# ---------------------------------------------------------------- packing


def test_what_is_packed_is_unpacked():
    side = inputs.packed(leg())
    found = inputs.unpacked(side.leg, [c.data for c in side.closes], side.events.data, side.facts.data, side.told)
    assert recorded(found) == recorded(leg())
    assert found.series.facts.name == NAME


def test_the_content_is_that_of_closes_and_events_alone():
    plain, own = inputs.packed(leg()), leg().series
    requoted = inputs.packed(leg(quote=None))
    renamed = inputs.packed(leg(facts=replace(own.facts, name="other")))
    for other in (requoted, renamed):
        assert other.content == plain.content
        assert other.hash != plain.hash
    assert inputs.packed(leg(events=())).content != plain.content
    closes = own.closes.copy()
    closes[5] = np.nextafter(closes[5], 0)
    assert inputs.packed(leg(closes=closes)).content != plain.content


def test_closes_of_any_size_and_days_before_1970_come_back():
    days = np.array(["1927-12-30", "1969-12-31", "1970-01-01", "2261-12-31"], dtype="datetime64[D]")
    closes = np.array([5e-324, -40.25, -0.0, 1.7976931348623157e308])
    side = inputs.packed(builders.history(closes, days))
    found = inputs.unpacked(side.leg, [c.data for c in side.closes], side.events.data, side.facts.data, side.told)
    assert found.series.closes.tobytes() == closes.tobytes()
    assert (found.series.dates == days).all()


def test_a_history_within_one_month_is_one_chunk():
    assert len(inputs.packed(builders.history(np.arange(1.0, 11))).closes) == 1


def test_bytes_whose_lengths_differ_are_told_apart():
    assert inputs.digest(b"ab", b"c") != inputs.digest(b"a", b"bc") != inputs.digest(b"abc")


@pytest.mark.parametrize("told", ["", "[]", "{}", '{"quote": 5}', '{"quote": null, "holes": [], "remarks": []}'])
def test_what_is_no_history_is_damage(told):
    side = inputs.packed(leg())
    with pytest.raises(Damaged):
        inputs.unpacked(side.leg, [c.data for c in side.closes], side.events.data, side.facts.data, told)


def test_what_is_known_on_a_day_does_not_change_with_what_comes_after():
    long = leg()
    n = len(long.series) - 5
    day = long.series.dates[n - 1].item()
    short = leg(dates=long.series.dates[:n], closes=long.series.closes[:n])
    assert inputs.known_on(long, day) == inputs.known_on(short, day)
    assert inputs.known_on(long, FRIDAY) != inputs.known_on(short, FRIDAY)


def test_the_pair_that_the_tests_store_has_numbers_that_cannot_be_said(tmp_path):
    """Or the test above would not hold NaN against NaN."""
    assert any(value != value for value in (r.value for r in pair().found))  # noqa: PLR0124
    assert bits(as_stored([NAN])) == bits(as_stored([-NAN]))


# ---------------------------------------------------------------- declared units


def declared(history, text):
    """The leg as the user says that it is."""
    facts = Declared.parse(text).on(history.series.facts)
    return replace(history, series=replace(history.series, facts=facts))


@pytest.mark.parametrize("unit", ["points", "rate", "level:barrels"])
def test_a_session_whose_unit_is_declared_otherwise_is_another_revision(tmp_path, unit):
    store = Store(tmp_path / FILE_NAME)
    a, b = leg("AAA"), leg("BBB")
    plain, other = taken(a, b), taken(declared(a, unit), b)
    first, second, again = (store.append(one) for one in (plain, other, other._replace(at=at(FRIDAY) + 60)))
    assert [first.snapshot.revision, second.snapshot.revision, again.snapshot] == [1, 2, second.snapshot]
    assert numbers(store, second.snapshot) == spoken(other.found) != numbers(store, first.snapshot)
    assert store.inputs(second.snapshot)[0].series.facts == Declared.parse(unit).on(a.series.facts)
    assert store.append(plain._replace(at=at(FRIDAY) + 120)).snapshot.revision == 3


def test_what_is_declared_and_is_so_anyway_changes_nothing(tmp_path):
    store = Store(tmp_path / FILE_NAME)
    first = store.append(taken(leg("AAA"), leg("BBB")))
    again = store.append(taken(declared(leg("AAA"), "price"), leg("BBB")))
    assert (again.is_new, again.snapshot) == (False, first.snapshot)


def test_the_hashes_are_those_of_the_stores_before():
    """Another content hash would make every leg of every store there is a new one."""
    assert inputs.packed(builders.history(np.arange(1.0, 4.0))).content.hex() == "fd1c9932ab85b50b61d3bf8e640c6426"
