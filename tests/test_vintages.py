import json
import math
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from tests import builders, snapped
from tests.snapped import FRIDAY, THURSDAY, WEDNESDAY, A, B

from pairwatch import pairs, vintages
from pairwatch.errors import NotEnoughData, UsageError
from pairwatch.model import Quote
from pairwatch.render import Page, writer
from pairwatch.snapshots import Store, Taken
from pairwatch.vintages import Vintages


@pytest.fixture
def store(tmp_path):
    """Wednesday, Friday, and Friday again after a revision."""
    return snapped.store(
        tmp_path, snapped.taken(WEDNESDAY), snapped.taken(FRIDAY), snapped.taken(FRIDAY, revise=WEDNESDAY)
    )


@pytest.fixture
def known(store):
    return Vintages(store, (A, B), snapped.asked())


# ---------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("latest", "2026-11-20.2"),
        (" LATEST ", "2026-11-20.2"),
        ("2026-11-20", "2026-11-20.2"),
        ("2026-11-20.1", "2026-11-20"),
        ("2026-11-20.2", "2026-11-20.2"),
        ("2026-11-19", "2026-11-18"),
        ("2026-11-18", "2026-11-18"),
        ("2030-01-01", "2026-11-20.2"),
    ],
)
def test_a_snapshot_has_names(known, name, found):
    assert str(known.named(name)) == found


@pytest.mark.parametrize(
    "name",
    ["", "now", "yesterday", "2026-11", "2026-02-31", "20261120", "2026-11-20.0", "2026-11-20.", "2026-11-20.x", "-1"],
)
def test_what_is_no_name_is_a_wrong_request(known, name):
    with pytest.raises(UsageError, match="not a snapshot"):
        known.named(name)


@pytest.mark.parametrize("name", ["2026-11-17", "2026-11-20.3", "2026-11-19.1"])
def test_a_snapshot_that_is_not_there_is_said_with_what_is(known, name):
    with pytest.raises(
        NotEnoughData, match=r"no snapshot of AAA BBB of .*; there are those of 2026-11-18 to 2026-11-20"
    ):
        known.named(name)


def test_what_was_never_snapped_hints_at_how_to(tmp_path):
    store = snapped.store(tmp_path)
    with pytest.raises(NotEnoughData) as caught:
        Vintages(store, (A, replace(B, symbol="CCC")), snapped.asked()).named("latest")
    assert caught.value.hint == "pairwatch snapshot AAA CCC"


def test_an_empty_store_has_no_snapshot(tmp_path):
    with pytest.raises(NotEnoughData):
        Vintages(Store(tmp_path / "none.db"), (A, B), snapped.asked()).named("latest")
    assert not (tmp_path / "none.db").exists()


def test_snapshots_of_another_question_are_said(store):
    asked = snapped.asked(window="30b", max_lag=3, seed=7)
    with pytest.raises(NotEnoughData) as caught:
        Vintages(store, (A, B), asked).named("latest")
    assert "with --window 30b --max-lag 3 --seed 7; there are some with --window 90d" in caught.value.message
    assert caught.value.hint.endswith("pairwatch snapshot AAA BBB --window 30b --max-lag 3 --seed 7")


def test_a_currency_and_a_way_to_line_up_are_said_as_they_are_typed(tmp_path):
    store = snapped.store(tmp_path, snapped.taken(FRIDAY, currency="USD", align="two-day", window="1y"))
    with pytest.raises(NotEnoughData) as caught:
        Vintages(store, (A, B), snapped.asked(align="nearest")).named("latest")
    assert "with --window 90d --align nearest; there are some with --window 1y --currency USD --align two-day" in (
        caught.value.message
    )
    assert caught.value.hint.endswith("pairwatch snapshot AAA BBB --window 90d --align nearest")


def test_snapshots_of_the_exchanged_legs_are_said(store):
    with pytest.raises(NotEnoughData, match="there are some of AAA BBB"):
        Vintages(store, (B, A), snapped.asked()).named("latest")


# ---------------------------------------------------------------- what comes before


def test_before_a_snapshot_comes_the_last_of_an_earlier_session(known):
    assert str(known.before(FRIDAY, 2)) == "2026-11-18"
    assert str(known.before(THURSDAY)) == "2026-11-18"


def test_before_the_revisions_of_one_session_come_earlier_ones(tmp_path):
    store = snapped.store(tmp_path, snapped.taken(FRIDAY), snapped.taken(FRIDAY, revise=WEDNESDAY))
    known = Vintages(store, (A, B), snapped.asked())
    assert str(known.before(FRIDAY, 2)) == "2026-11-20"
    assert str(known.before(FRIDAY)) == "2026-11-20.2"
    with pytest.raises(NotEnoughData, match="before that of 2026-11-20"):
        known.before(FRIDAY, 1)


def test_there_may_be_nothing_before(known):
    assert known.earlier(WEDNESDAY) is None
    with pytest.raises(NotEnoughData):
        known.before(WEDNESDAY, 1)
    with pytest.raises(NotEnoughData):
        known.before(date(2020, 1, 1))


# ---------------------------------------------------------------- what was said then


def rate_and_price():
    a, b = builders.linked_returns(150, seed=3)
    rate = builders.history(
        4 + 100 * a.cumsum() / 9, builders.weekdays(150), symbol="^TNX", measure="rate", unit="percent"
    )
    quote = Quote(101.5, snapped.at(FRIDAY) - 3600, open=True)
    return rate, builders.history(builders.prices(b), symbol="BBB", quote=quote)


def with_events():
    events = (builders.event("2026-10-01", 0.1), builders.event("2026-10-14", 2.0, "split"))
    a, b = snapped.sides()
    return replace(a, series=replace(a.series, events=events)), b


def flat():
    a, b = snapped.sides()
    return replace(a, series=replace(a.series, closes=np.full(len(a.series), 10.0))), b


def in_step():
    """Differences of nothing: some of them are zeros with a sign, which the store does not keep."""
    a, b = snapped.sides()
    return a, replace(b, series=replace(b.series, closes=a.series.closes / 2))


SIDES = {"usual": snapped.sides, "rate": rate_and_price, "events": with_events, "flat": flat, "in step": in_step}


@pytest.mark.parametrize("name", ["table", "csv", "json", "markdown"])
@pytest.mark.parametrize("sides", SIDES.values(), ids=SIDES)
def test_what_was_said_is_said_again_byte_for_byte(tmp_path, sides, name):
    a, b = sides()
    asked, page = snapped.asked(max_lag=4, seed=3), Page(now=snapped.at(FRIDAY), width=80)
    found = pairs.compare(a, b, asked)
    store = snapped.store(tmp_path, Taken(found, asked, a, b, page.now))
    snapshot = store.latest(found.a, found.b, asked)
    again, notes = vintages.as_said(store, snapshot)
    assert writer(name)(again, page) == writer(name)(found, page)
    assert notes == ()


def numbers(store, **changed):
    """The numbers of Friday's first snapshot, some of them others."""
    found = store.numbers(snapped.snapshot(store, 1))
    values = [changed.get(n.key, x) for n, x in zip(found.names, found.values.tolist(), strict=True)]
    return found._replace(values=np.array(values), snapshot=found.snapshot._replace(program="0.0.9"))


def test_what_this_version_would_say_otherwise_is_as_it_was_said_and_noted(store):
    found = snapped.taken().found
    again, (note,) = vintages.restored(found, numbers(store, correlation=0.25))
    assert again["correlation"] == 0.25
    assert again["beta"] == found["beta"]
    assert note.startswith("pairwatch 0.0.9 said otherwise than this version would: correlation 0.25 (now ")


def test_a_zero_keeps_the_sign_that_the_store_has_not(store):
    found = snapped.taken().found
    zero = tuple(r._replace(value=-0.0) if r.statistic.key == "return_gap" else r for r in found)
    again, _ = vintages.restored(replace(found, readings=zero), numbers(store, correlation=0.25, return_gap=0.0))
    assert math.copysign(1, again["return_gap"]) == -1


def test_the_verdict_and_the_claims_follow_what_was_said(store):
    found = snapped.taken().found
    said = numbers(store, lead_lag=-3.0, lead_p_value=0.001, return_gap=-0.5)
    again, _ = vintages.restored(found, said)
    assert again.leadership.verdict == "BBB leads AAA by 3 bars (p .001)"
    assert again.leadership.decided
    assert "behind by 50.00 percentage points" in next(x.because for x in again.claims if "is ahead" in x.text)
    assert json.loads(writer("json")(again, Page(now=0.0)))["leadership"]["lag"] == -3


def test_what_was_not_said_stays_unsaid_as_a_number(store):
    again, notes = vintages.restored(snapped.taken().found, numbers(store, lead_lag=math.nan, lead_p_value=math.nan))
    assert math.isnan(again["lead_lag"])
    assert again.leadership.verdict.startswith("no verdict")
    assert len(notes) == 1


def test_a_statistic_that_is_newer_than_the_snapshot_is_noted(store):
    said = numbers(store)
    keep = [at for at, name in enumerate(said.names) if name.key != "beta"]
    fewer = said._replace(names=tuple(said.names[at] for at in keep), values=said.values[keep])
    again, (note,) = vintages.restored(snapped.taken().found, fewer)
    assert note == "pairwatch 0.0.9 did not say this, this version does: beta"
    assert math.isfinite(again["beta"])


def test_a_snapshot_tells_when_it_was_said_and_by_whom(store):
    assert vintages.told(snapped.snapshot(store, 2)).startswith("as said on 2026-11-20 22:01 UTC by pairwatch ")
    assert vintages.told(snapped.snapshot(store, 2)).endswith("(snapshot 2026-11-20.2)")
