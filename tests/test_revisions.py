import math
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import builders

from pairwatch.model import Series
from pairwatch.revisions import Rebasing, Revision, rewritten

DAYS = builders.weekdays(100)
FAR = date(2030, 1, 1)


def day(at):
    return DAYS[at].item()


def series(closes=None, events=(), keep=slice(None)):
    closes = np.linspace(100.0, 150.0, 100) if closes is None else closes
    return builders.series(closes[keep], DAYS[keep], events=events)


def changed(at, factor):
    closes = np.linspace(100.0, 150.0, 100)
    closes[at] *= factor
    return series(closes)


def test_the_same_series_is_not_rewritten():
    assert rewritten(series(), series(), FAR) == (None, ())


def test_the_noise_of_short_floats_is_no_revision():
    closes = series().closes.astype("f4").astype("f8")
    assert rewritten(series(), series(closes), FAR) == (None, ())


@given(st.sets(st.integers(3, 99), max_size=20))
def test_exactly_the_closes_that_changed_are_listed(places):
    at = sorted(places)
    found = rewritten(series(), changed(at, 1.02), FAR)
    assert found.rebasing is None
    assert [one.day for one in found.revisions] == [day(i) for i in at]
    for one in found.revisions:
        assert (str(one.leg), one.what, one.after) == ("AAA", "close", pytest.approx(1.02 * one.before))


def test_a_close_that_is_gone_is_withdrawn_and_one_that_came_is_added():
    whole, without = series(), series(keep=np.arange(100) != 50)
    (gone,) = rewritten(whole, without, FAR).revisions
    (came,) = rewritten(without, whole, FAR).revisions
    assert (gone.day, gone.before, came.day, came.after) == (day(50), whole.closes[50], day(50), whole.closes[50])
    assert math.isnan(gone.after)
    assert math.isnan(came.before)


def test_an_older_beginning_and_later_days_are_no_revision():
    assert rewritten(series(keep=slice(20, 80)), series(), day(79)) == (None, ())


@pytest.mark.parametrize("at", [10, 60, 98])
def test_older_closes_of_one_ratio_are_rebased_and_not_listed(at):
    split = builders.event(DAYS[at + 1], 2.0, "split")
    closes = series().closes.copy()
    closes[: at + 1] /= 2
    found = rewritten(series(), series(closes, (split,)), FAR)
    assert found == (Rebasing(series().leg, pytest.approx(2), day(at), day(at + 1)), ())


def test_a_few_closes_of_one_ratio_are_no_rebasing():
    found = rewritten(series(), changed([0, 1, 2, 60], 1.02), FAR)
    assert found.rebasing is None
    assert [one.day for one in found.revisions] == [day(i) for i in (0, 1, 2, 60)]


@pytest.mark.parametrize("at", [40, 62, 90])
def test_a_split_of_another_day_is_not_named(at):
    closes = series().closes.copy()
    closes[:61] /= 2
    events = (builders.event(DAYS[at], 2.0, "split"),)
    assert rewritten(series(events=events), series(closes, events), FAR).rebasing.split is None


def test_a_rebasing_without_a_split_names_none():
    closes = series().closes / 3
    assert rewritten(series(), series(closes), FAR).rebasing == Rebasing(series().leg, pytest.approx(3), day(99), None)


def test_a_close_that_was_revised_beside_a_rebasing_is_listed():
    closes = series().closes / 2
    closes[40] *= 1.1
    found = rewritten(series(), series(closes), FAR)
    assert found.rebasing
    assert [one.day for one in found.revisions] == [day(40)]


def test_distributions_of_a_rebased_leg_are_the_same_on_the_new_footing():
    closes = series().closes.copy()
    closes[:61] /= 2
    old = series(events=(builders.event(DAYS[30], 0.5), builders.event(DAYS[80], 0.5)))
    new = series(closes, (builders.event(DAYS[30], 0.25), builders.event(DAYS[80], 0.5)))
    assert rewritten(old, new, FAR).revisions == ()


@pytest.mark.parametrize("kind", ["dividend", "split", "capital_gain"])
def test_events_are_added_changed_and_withdrawn(kind):
    none, one, other = (series(events=tuple(builders.event(DAYS[30], x, kind) for x in xs)) for xs in ((), (2,), (3,)))
    for before, after, numbers in ((none, one, (math.nan, 2)), (one, other, (2, 3)), (one, none, (2, math.nan))):
        (found,) = rewritten(before, after, FAR).revisions
        assert found[:3] == (one.leg, day(30), kind)
        assert found[3:] == pytest.approx(numbers, nan_ok=True)


def test_an_event_after_the_day_is_no_revision():
    assert rewritten(series(), series(events=(builders.event(DAYS[80], 1.0),)), day(79)) == (None, ())


def test_two_distributions_of_a_day_are_one():
    parts = (builders.event(DAYS[30], 0.25), builders.event(DAYS[30], 0.75))
    assert rewritten(series(events=parts), series(events=(builders.event(DAYS[30], 1.0),)), FAR).revisions == ()


def test_a_rate_that_crosses_zero_is_listed_a_day():
    closes = np.linspace(-1.0, 1.0, 100)
    closes[50] = 0.0
    other = closes.copy()
    other[20] += 0.5
    before = replace(series(), closes=closes)
    assert isinstance(before, Series)
    assert rewritten(before, replace(before, closes=other), FAR).revisions == (
        Revision(before.leg, day(20), "close", closes[20], other[20]),
    )
