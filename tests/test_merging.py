"""What is held and what came: closes that cannot be, symbols that change hands, sources that do not reach back far."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fake_source import LEG

from pairwatch.errors import GarbledAnswer
from pairwatch.merging import Merge, Restated, merge
from pairwatch.model import Event, Facts, Fetched, Holding, Quote, Series
from pairwatch.slips import LASTING, SPLITS, multiplied, unapplied_splits

FIRST = np.datetime64("2026-01-05")
DAYS = np.array([day for day in np.arange(FIRST, FIRST + 400) if np.is_busday(day)])[:200]
CLOSES = 100 + np.sin(np.arange(200) / 5) * 10
NOW = 1.8e9
DOLLARS = Facts(currency="USD", timezone="America/New_York")


def answer(
    first=0, last=200, *, closes=CLOSES, since=None, facts=DOLLARS, events=(), asked_at=NOW, quote=None
) -> Fetched:
    """The provider's bars from position `first` to before `last`."""
    series = Series(LEG, DAYS[first:last], closes[first:last], events, facts, quote)
    return Fetched(series, since, asked_at, asked_at + 3600, DAYS[first:last])


def late(first=180, **more) -> Fetched:
    """What a refresh asks for."""
    return answer(first, since=DAYS[first].item(), asked_at=NOW + 86_400, **more)


def held(last=190, **more) -> Holding:
    return merge(None, answer(last=last, **more)).holding


def times(factor, start, end=None, closes=CLOSES):
    """The closes with some of them off by a factor."""
    found = closes.copy()
    found[start:end] *= factor
    return found


def assert_series(found: Merge, dates, closes) -> None:
    np.testing.assert_array_equal(found.holding.series.dates, dates)
    np.testing.assert_array_equal(found.holding.series.closes, closes)


def one(remarks: tuple[str, ...], part: str) -> str:
    (found,) = [remark for remark in remarks if part in remark]
    return found


# ---------------------------------------------------------------- a hundred times off


@pytest.mark.parametrize("factor", [100, 0.01])
@pytest.mark.parametrize("odd", [199, 195, 190])
def test_new_closes_a_hundred_times_off_are_refused_and_asked_for_again(factor, odd):
    found = merge(held(), late(closes=times(factor, odd)))
    assert_series(found, DAYS[:odd], CLOSES[:odd])
    remark = one(found.remarks, "refused")
    assert str(DAYS[odd]) in remark
    assert ("100 times" if factor > 1 else "a hundredth") in remark
    assert "pairwatch cache clear QQQ" in remark
    np.testing.assert_array_equal(found.holding.holes, DAYS[odd:])


def test_a_refused_close_is_a_hole_also_where_no_calendar_expects_it():
    nothing = np.array([], dtype="datetime64[D]")
    found = merge(held(), late(closes=times(100, 195, 196))._replace(expected=nothing))
    assert found.holding.holes.tolist() == [DAYS[195].item()]
    healed = merge(found.holding, late()._replace(expected=nothing))
    assert len(healed.holding.holes) == 0


@pytest.mark.parametrize("factor", [100, 0.01])
def test_held_closes_stay_where_what_comes_for_them_is_a_hundred_times_off(factor):
    found = merge(held(), late(closes=times(factor, 183, 187)))
    assert_series(found, DAYS, CLOSES)
    assert "4 closes refused" in one(found.remarks, "refused")
    assert not [remark for remark in found.remarks if "no longer given" in remark]
    assert found.revised == 0


def test_an_answer_that_begins_a_hundred_times_off_is_asked_for_as_a_whole_which_loses_nothing():
    slipped = times(100, 180, 190)
    with pytest.raises(Restated, match="no day in common"):
        merge(held(), late(closes=slipped))
    assert_series(merge(held(), answer(closes=slipped)), DAYS, CLOSES)


def test_a_first_answer_with_a_single_close_off_leaves_it_out():
    found = merge(None, answer(closes=times(100, 77, 78)))
    assert_series(found, np.delete(DAYS, 77), np.delete(CLOSES, 77))


def test_a_first_answer_whose_unit_changed_long_ago_begins_at_the_change():
    found = merge(None, answer(closes=times(100, 150)))
    assert_series(found, DAYS[150:], CLOSES[150:] * 100)
    assert "150 closes refused" in one(found.remarks, "refused")


def test_a_first_answer_whose_unit_changed_just_now_ends_before_the_change():
    assert_series(
        merge(None, answer(closes=times(100, 200 - LASTING + 1))), DAYS[: 201 - LASTING], CLOSES[: 201 - LASTING]
    )


@pytest.mark.parametrize(("closes", "lasted"), [(5, False), (19, False), (20, True), (21, True)])
def test_twenty_closes_in_a_row_are_no_slip_any_more_where_nothing_is_held(closes, lasted):
    found = merge(None, answer(closes=times(100, 200 - closes))).holding.series
    assert len(found) == (closes if lasted else 200 - closes)


def test_a_slip_that_is_over_is_none_that_lasted_however_long_it_was():
    found = merge(None, answer(closes=times(100, 100, 150))).holding.series
    assert len(found) == 150


def test_a_split_of_a_hundred_is_no_slip():
    split = (Event(DAYS[195], "split", 0.01),)
    found = merge(None, answer(closes=times(100, 195), events=split))
    assert len(found.holding.series) == 200


@pytest.mark.parametrize("measure", ["rate", "level"])
def test_rates_and_levels_may_change_a_hundredfold(measure):
    facts = Facts(measure=measure)
    closes = times(100, 195, closes=CLOSES / 10_000)
    assert_series(merge(held(closes=closes, facts=facts), late(closes=closes, facts=facts)), DAYS, closes)


@pytest.mark.parametrize("factor", [79, 126, 10, 1000])
def test_other_jumps_are_none_of_ours(factor):
    flat = np.full(200, 50.0)
    closes = times(factor, 195, closes=flat)
    assert_series(merge(held(closes=flat), late(closes=closes)), DAYS, closes)


def test_a_latest_price_a_hundred_times_off_is_refused():
    found = merge(held(), late(quote=Quote(CLOSES[-1] * 100, NOW, open=True)))
    assert found.holding.series.quote is None
    assert "latest price" in one(found.remarks, "refused")
    assert merge(held(), late(quote=Quote(CLOSES[-1] * 1.1, NOW, open=True))).holding.series.quote


@given(
    first=st.integers(170, 189),
    start=st.integers(170, 199),
    length=st.integers(1, 30),
    factor=st.sampled_from([100, 0.01]),
)
@settings(max_examples=300)
def test_whatever_slips_no_two_neighbours_that_are_kept_are_a_hundred_times_apart(first, start, length, factor):
    closes = times(factor, start, start + length)
    before = held()
    try:
        found = merge(before, late(first, closes=closes))
    except Restated:
        found = merge(before, answer(closes=closes))
    kept = found.holding.series
    assert np.abs(np.diff(np.log(kept.closes))).max() < 1
    assert len(kept) >= len(before.series)


# ---------------------------------------------------------------- a hundred times off as a whole

PENCE, POUNDS = Facts(currency="GBp"), Facts(currency="GBP")
POINTS = Facts(measure="level", unit="points")


@pytest.mark.parametrize(
    ("factor", "said"),
    [(100, "100 times"), (0.01, "a hundredth of"), (101.5, "100 times"), (81, "100 times"), (0.0122, "a hundredth of")],
)
@pytest.mark.parametrize("first", [0, 120, 189])
def test_a_whole_answer_a_hundred_times_what_is_held_is_refused_and_the_way_out_is_said(factor, said, first):
    with pytest.raises(Restated, match="the close of"):
        merge(held(), late(closes=CLOSES * factor))
    with pytest.raises(GarbledAnswer) as caught:
        merge(held(), answer(first, closes=CLOSES * factor))
    assert caught.value.message == (
        f"QQQ: the closes of yahoo are refused: all are {said} what they were, and nothing says why; "
        "if that is right: pairwatch fetch QQQ --refresh"
    )


@pytest.mark.parametrize("factor", [100, 0.01])
def test_it_replaces_what_is_held_where_it_is_to_be_accepted_and_the_factor_is_said(factor):
    found = merge(held(), answer(closes=CLOSES * factor), accept=True)
    assert_series(found, DAYS, CLOSES * factor)
    assert found.refetched
    assert one(found.remarks, "times what they were") == f"QQQ: all closes are {factor:g} times what they were"
    with pytest.raises(GarbledAnswer):  # what was right before is as odd now, and said to be
        merge(found.holding, answer())


@pytest.mark.parametrize("factor", [79, 126, 1 / 79, 1 / 126, 10, 1000, 0.5, 2])
def test_a_history_restated_by_any_other_factor_replaces_what_is_held(factor):
    assert_series(merge(held(), answer(closes=CLOSES * factor)), DAYS, CLOSES * factor)


def test_a_few_revised_closes_and_the_rounding_of_a_hundredth_do_not_hide_it():
    closes = np.round(CLOSES / 10 * 0.01, 2)
    closes[150:160] *= 3
    with pytest.raises(GarbledAnswer, match="a hundredth of"):
        merge(held(closes=CLOSES / 10), answer(closes=closes))


@pytest.mark.parametrize("agreeing", [slice(0, 1), slice(150, 151), slice(189, 190)])
def test_where_a_close_agrees_the_others_are_refused_one_by_one_and_nothing_is_lost(agreeing):
    closes = CLOSES * 100
    closes[agreeing] = CLOSES[agreeing]
    found = merge(held(), answer(closes=closes))
    assert_series(found, DAYS[:190], CLOSES[:190])
    assert "refused" in one(found.remarks, "refused")


@pytest.mark.parametrize(
    ("was", "now", "refused"),
    [
        (PENCE, POUNDS, False),
        (DOLLARS, Facts(currency="INR"), False),
        (DOLLARS, Facts(), True),  # that it is not said any more changes no price
        (Facts(), DOLLARS, True),
        (Facts(identity="A"), Facts(identity="B"), False),
        (Facts(identity="A"), Facts(), True),
        (Facts(measure="rate", unit="percent"), Facts(measure="rate", unit="bp"), False),
        (POINTS, POINTS, True),
        (Facts(measure="index"), Facts(measure="index"), True),
        (Facts(measure="level", unit="claims"), Facts(measure="level", unit="claims"), True),
    ],
)
def test_only_another_currency_or_unit_or_thing_says_why(was, now, refused):
    before, after = held(facts=was), answer(closes=CLOSES / 100, facts=now)
    assert multiplied(before.series, after.series) == -refused
    if refused:
        with pytest.raises(GarbledAnswer):
            merge(before, after)
    else:
        assert_series(merge(before, after), DAYS, CLOSES / 100)


@pytest.mark.parametrize("factor", [100, 0.01])
def test_rates_a_hundred_times_what_they_were_are_refused_near_zero_and_below_it_too(factor):
    rate = Facts(measure="rate", unit="percent")
    closes = np.where(np.arange(200) % 3, CLOSES - 99, 0) / 100
    assert (closes < 0).any()
    with pytest.raises(GarbledAnswer):
        merge(held(closes=closes, facts=rate), answer(closes=closes * factor, facts=rate))


def test_a_rate_a_hundred_times_off_beyond_a_gap_is_refused():
    rate, closes = Facts(measure="rate", unit="percent"), CLOSES / 20
    with pytest.raises(GarbledAnswer):
        merge(held(100, closes=closes, facts=rate), answer(120, closes=closes * 100, facts=rate))
    found = merge(held(100, closes=closes, facts=rate), answer(120, closes=closes * 100, facts=rate), accept=True)
    assert_series(found, DAYS[120:], closes[120:] * 100)


def split(ratio, at=195) -> tuple[Event, ...]:
    return (Event(DAYS[at], "split", ratio),)


@pytest.mark.parametrize("ratio", [100, 0.01])
def test_a_split_of_a_hundred_says_why(ratio):
    after = answer(closes=times(1 / ratio, 0, 195), events=split(ratio))
    assert_series(merge(held(), after), DAYS, after.series.closes)


@pytest.mark.parametrize("ratio", [100, 0.01])
def test_a_split_of_a_hundred_that_is_withdrawn_says_why(ratio):
    before = held(closes=times(1 / ratio, 0, 150), events=split(ratio, 150))
    assert_series(merge(before, answer()), DAYS, CLOSES)


@pytest.mark.parametrize("ratio", [100, 0.01])
def test_a_split_of_a_hundred_whose_prices_come_later_than_the_split_says_why(ratio):
    unapplied = times(1 / ratio, 195)
    before = merge(held(), answer(closes=unapplied, events=split(ratio))).holding
    assert_series(Merge(before), DAYS, unapplied)
    after = answer(closes=CLOSES / ratio, events=split(ratio))
    assert_series(merge(before, after), DAYS, CLOSES / ratio)


def test_a_small_split_does_not_say_why_all_is_a_hundred_times_as_much():
    with pytest.raises(GarbledAnswer):
        merge(held(), answer(closes=times(0.5, 0, 195) * 100, events=split(2)))


@given(ratio=st.sampled_from([2.0, 3.0, 0.1, 20.0, 100.0, 0.01, 90.0, 1 / 110]), at=st.integers(1, 199))
@settings(max_examples=100)
def test_an_applied_split_is_never_taken_for_a_slip_and_a_slip_beside_it_always_is(ratio, at):
    closes = times(1 / ratio, 0, at)
    assert_series(merge(held(), answer(closes=closes, events=split(ratio, at))), DAYS, closes)
    slipped = answer(closes=closes * 100, events=split(ratio, at)).series
    hides = ratio in {100.0, 90.0, 1 / 110, 0.01}  # so that some closes are what they were, or ten thousand times that
    assert multiplied(held().series, slipped) == 1 or hides


# ---------------------------------------------------------------- splits that are not applied yet


FLAT = np.full(200, 60.0)


def jumping(factor, at, events=(), facts=DOLLARS) -> Series:
    return Series(LEG, DAYS, times(factor, at, closes=FLAT), events, facts)


@pytest.mark.parametrize(("factor", "said"), [(0.5, "0.5"), (1 / 3, "0.333"), (10, "10 times")])
def test_a_late_close_that_jumps_as_after_a_split_is_kept_and_said(factor, said):
    found = merge(held(closes=FLAT), late(closes=times(factor, 195, closes=FLAT)))
    assert len(found.holding.series) == 200
    (remark,) = unapplied_splits(found.holding.series)
    assert said in remark
    assert f"the close of {DAYS[195]}" in remark


def test_a_jump_long_ago_or_with_its_split_or_of_another_size_or_of_no_price_is_not_said():
    split = (Event(DAYS[195], "split", 2.0),)
    assert unapplied_splits(jumping(0.5, 100)) == ()
    assert unapplied_splits(jumping(0.5, 195, split)) == ()
    assert unapplied_splits(jumping(0.6, 195)) == ()
    assert unapplied_splits(jumping(0.5, 195, facts=Facts(measure="rate"))) == ()


def test_a_jump_after_the_day_that_is_asked_for_is_not_said():
    late_jump = jumping(0.5, 195)
    assert unapplied_splits(late_jump, DAYS[194].item()) == ()
    assert unapplied_splits(late_jump, DAYS[195].item())
    assert unapplied_splits(late_jump, DAYS[0].item()) == ()


@given(
    st.lists(st.sampled_from([1, 1.01, 1 / 3, 0.5, 0.6, 2, 2.009, 2.02, 25]), min_size=1, max_size=60),
    st.integers(0, 60),
)
@settings(max_examples=200)
def test_jumps_are_what_a_loop_over_the_last_hundred_days_finds(factors, until):
    closes = 50 * np.cumprod(factors)
    days = DAYS[:: 200 // len(closes)][: len(closes)]
    until = min(until, len(days) - 1)
    found = unapplied_splits(Series(LEG, days, closes, facts=DOLLARS), days[until].item())
    wanted = []
    for i in range(1, until + 1):
        times_before = max(closes[i] / closes[i - 1], closes[i - 1] / closes[i])
        as_a_split = min(abs(np.log(times_before / split)) for split in SPLITS) < 0.005
        if as_a_split and (days[until] - days[i]).astype(int) <= 100:
            wanted.append(str(days[i]))
    assert [remark.split(" is ")[0].rpartition(" ")[2] for remark in found] == wanted


# ---------------------------------------------------------------- a symbol that changes hands


def test_another_identity_under_the_same_symbol_replaces_what_is_held_and_says_so():
    old, new = Facts(identity="bitcoin"), Facts(identity="bitcoin-2")
    with pytest.raises(Restated, match="stood for bitcoin and now stands for bitcoin-2"):
        merge(held(facts=old), late(facts=new))
    found = merge(held(facts=old), answer(150, facts=new))
    assert_series(found, DAYS[150:], CLOSES[150:])
    assert found.refetched
    assert "150 closes before" in one(found.remarks, "given up")


@pytest.mark.parametrize(("was", "now"), [("", "bitcoin"), ("bitcoin", "")])
def test_an_identity_that_is_not_known_changes_nothing(was, now):
    assert not merge(held(facts=Facts(identity=was)), late(facts=Facts(identity=now))).refetched


def test_a_history_that_disagrees_as_a_whole_is_another_one_and_replaces_what_is_held():
    other = CLOSES[::-1] * 3
    found = merge(held(), answer(closes=other))
    assert_series(found, DAYS, other)
    assert found.refetched
    assert not [remark for remark in found.remarks if "times what they were" in remark]


def test_after_a_gap_that_nothing_bridges_the_old_closes_are_given_up_and_counted():
    found = merge(held(100), answer(120))
    assert_series(found, DAYS[120:], CLOSES[120:])
    assert "no day in common" in found.remarks[0]
    assert "100 closes before" in one(found.remarks, "given up")


# ---------------------------------------------------------------- sources that do not reach back far


def test_a_whole_answer_that_begins_later_and_agrees_leaves_the_earlier_closes():
    found = merge(held(), answer(120, asked_at=NOW + 86_400))
    assert_series(found, DAYS, CLOSES)
    assert not found.refetched
    assert found.holding.reconciled_at == NOW + 86_400


def test_a_late_revision_on_the_first_day_of_the_overlap_does_not_cost_what_the_source_cannot_give_again():
    revised = CLOSES.copy()
    revised[180] *= 1.01
    with pytest.raises(Restated):
        merge(held(), late(closes=revised))
    found = merge(held(), answer(120, closes=revised, asked_at=NOW + 86_400))
    assert_series(found, DAYS, revised)
    assert found.revised == 1


def test_a_restated_answer_that_begins_later_never_stands_beside_closes_on_the_old_footing():
    found = merge(held(), answer(120, closes=CLOSES * 1.5))
    assert_series(found, DAYS[120:], CLOSES[120:] * 1.5)
    assert "120 closes before" in one(found.remarks, "given up")
    assert found.holding.reconciled_at == 0


def test_a_new_split_gives_up_what_the_answer_does_not_reach_back_to():
    closes = CLOSES.copy()
    closes[:195] /= 2
    found = merge(held(), answer(120, closes=closes, events=(Event(DAYS[195], "split", 2.0),)))
    assert_series(found, DAYS[120:], closes[120:])


def test_days_that_a_whole_answer_does_not_reach_back_to_are_kept_without_a_word_and_dropped_ones_with_one():
    found = merge(held(), answer(120))
    assert found.remarks == ()
    answered = answer(120)
    dropped = np.arange(len(answered.series)) != 30
    series = Series(LEG, answered.series.dates[dropped], answered.series.closes[dropped], facts=DOLLARS)
    found = merge(held(), answered._replace(series=series))
    assert found.remarks == (f"QQQ: {DAYS[150]} no longer given by yahoo, kept",)


def test_what_was_distributed_before_a_whole_answer_begins_is_kept_also_on_a_day_without_a_close():
    saturday = DAYS[4] + 1
    paid = (Event(saturday, "dividend", 0.5), Event(DAYS[50], "dividend", 0.25))
    found = merge(held(events=paid), answer(120, events=(paid[1],)))
    assert found.holding.series.events == paid


def test_a_split_that_an_answer_gives_from_before_its_first_close_restates_what_is_held_from_before_the_split():
    found = merge(held(), answer(120, events=(Event(DAYS[60], "split", 2.0),)))
    assert_series(found, DAYS[120:], CLOSES[120:])
    assert "a split of 2" in found.remarks[0]
    older = Event(DAYS[0] - 100, "split", 2.0)
    assert not merge(held(), answer(120, events=(older,))).refetched


COIN = Facts(currency="USD", kind="CRYPTOCURRENCY", identity="bitcoin")
RATE = Facts(measure="rate", unit="percent")


@pytest.mark.parametrize("facts", [COIN, RATE], ids=["coin", "rate"])
def test_a_coin_and_a_rate_outlast_a_gap_that_their_source_does_not_reach_over_and_it_is_said_once(facts):
    found = merge(held(100, facts=facts), answer(120, 199, facts=facts, asked_at=NOW + 86_400))
    assert_series(found, np.delete(DAYS, [*range(100, 120), 199]), np.delete(CLOSES, [*range(100, 120), 199]))
    assert found.remarks == (f"QQQ: nothing between {DAYS[99]} and {DAYS[120]}: yahoo does not reach back so far",)
    assert not found.refetched
    assert found.holding.reconciled_at == NOW + 86_400
    assert len(found.holding.holes) == 0
    again = merge(found.holding, answer(121, facts=facts))
    assert again.remarks == ()
    assert len(again.holding.series) == 180


@pytest.mark.parametrize(
    ("was", "now"),
    [
        (DOLLARS, DOLLARS),
        (Facts(currency="USD", identity="A"), Facts(currency="USD", identity="A")),
        (Facts(measure="index"), Facts(measure="index")),
        (Facts(measure="level"), Facts(measure="level")),
        (RATE, Facts(measure="rate", unit="bp")),
        (RATE, Facts(measure="level", unit="percent")),
        (COIN, Facts(currency="EUR", kind="CRYPTOCURRENCY", identity="bitcoin")),
        (COIN, Facts(currency="USD", kind="CRYPTOCURRENCY", identity="bitcoin-2")),
        (COIN, Facts(currency="USD", kind="CRYPTOCURRENCY")),
        (Facts(currency="USD", kind="CRYPTOCURRENCY"), COIN),
    ],
)
def test_nothing_else_outlasts_such_a_gap(was, now):
    found = merge(held(100, facts=was), answer(120, facts=now))
    assert_series(found, DAYS[120:], CLOSES[120:])
    assert "100 closes before" in one(found.remarks, "given up")


@pytest.mark.parametrize("factor", [0.05, 20, 1000])
def test_a_coin_far_off_after_the_gap_may_have_been_redenominated_and_begins_anew(factor):
    found = merge(held(100, facts=COIN), answer(120, facts=COIN, closes=CLOSES * factor))
    assert_series(found, DAYS[120:], CLOSES[120:] * factor)


def test_a_coin_that_interleaves_with_what_is_held_begins_anew():
    every_other = Series(LEG, DAYS[1::2], CLOSES[1::2], facts=COIN)
    before = merge(None, answer(facts=COIN)._replace(series=Series(LEG, DAYS[::2], CLOSES[::2], facts=COIN))).holding
    assert_series(merge(before, answer(facts=COIN)._replace(series=every_other)), DAYS[1::2], CLOSES[1::2])


# ---------------------------------------------------------------- answers to another question


def test_what_lies_before_the_days_that_were_asked_for_is_cut():
    asked = DAYS[180].item()
    long = answer(150, since=asked, closes=times(1.5, 0, 170), events=(Event(DAYS[160], "dividend", 1.0),))
    found = merge(held(), long)
    assert_series(found, DAYS, CLOSES)
    assert found.holding.series.events == ()
    assert found.revised == 0


def test_an_answer_that_ends_before_the_days_that_were_asked_for_is_none():
    with pytest.raises(Restated, match="no day in common"):
        merge(held(), answer(0, 150, since=DAYS[180].item()))


def test_where_nothing_is_held_any_answer_is_taken_as_it_is():
    assert_series(merge(None, answer(150, since=DAYS[180].item())), DAYS[150:], CLOSES[150:])


SMALL = st.integers(0, 40)
VALUES = st.one_of(
    st.sampled_from([0.0, 1.0, 100.0, 0.01, -1.0, 1.7e308, 5e-324]), st.floats(allow_nan=False, allow_infinity=False)
)
EVENTS = st.builds(
    lambda day, kind, value: Event(FIRST + day, kind, value),
    SMALL,
    st.sampled_from(["dividend", "split", "capital_gain"]),
    st.sampled_from([0.01, 0.5, 2.0, 100.0]),
)
FACTS = st.builds(
    Facts,
    measure=st.sampled_from(["price", "rate", "index", "level"]),
    currency=st.sampled_from(["USD", ""]),
    kind=st.sampled_from(["CRYPTOCURRENCY", ""]),
    identity=st.sampled_from(["bitcoin", "bitcoin-2", ""]),
)
WHOLE = st.none()
QUOTES = st.none() | st.builds(Quote, VALUES, st.just(NOW), open=st.booleans())


@st.composite
def answers(draw, since=WHOLE) -> Fetched:
    """Any well-formed answer; half of them are of a market that moves little."""
    days = np.array(sorted(draw(st.sets(SMALL, min_size=1, max_size=20))))
    calm = st.sampled_from([50.0, 51.0, 25.0, 5000.0])
    closes = draw(st.lists(draw(st.sampled_from([calm, VALUES])), min_size=len(days), max_size=len(days)))
    events = tuple(sorted(draw(st.lists(EVENTS, max_size=3)), key=lambda e: (e.day, e.kind)))
    series = Series(LEG, FIRST + days, np.array(closes), events, draw(FACTS), draw(QUOTES))
    expected = FIRST + np.array(sorted(draw(st.sets(SMALL, max_size=20))), dtype="m8[D]")
    asked_at = NOW + draw(st.sampled_from([-86_400, 0, 86_400]))
    return Fetched(series, draw(since), asked_at, asked_at, expected)


@given(answers(), answers(WHOLE | st.builds(lambda day: (FIRST + day).item(), SMALL)))
@settings(max_examples=1000)
def test_two_answers_however_odd_become_one_holding_or_are_restated(first, second):
    before = merge(None, first).holding
    try:
        found, _, _, remarks = merge(before, second)
    except Restated:
        assert second.since is not None
        return
    except GarbledAnswer:
        assert second.since is None
        assert merge(before, second, accept=True).refetched
        return
    old, new = before.series, second.series
    asked = np.datetime64(second.since) if second.since else FIRST
    dates = found.series.dates
    assert (dates[1:] > dates[:-1]).all()
    assert np.isin(dates, [*old.dates, *new.dates[new.dates >= asked]]).all()
    assert np.isin(old.dates[old.dates < asked], dates).all()
    if not any("refused" in remark for remark in remarks):
        assert np.isin(new.dates[new.dates >= asked], dates).all()
    assert [*found.series.events] == sorted(found.series.events, key=lambda e: (e.day, e.kind))
    assert not np.isin(found.holes, dates).any()


# ---------------------------------------------------------------- units and currencies


def test_pence_that_become_pounds_are_said_with_both_currencies_and_the_factor():
    pence, pounds = Facts(currency="GBp"), Facts(currency="GBP")
    found = merge(held(facts=pence), answer(closes=CLOSES / 100, facts=pounds))
    assert "the currency changed from GBp to GBP" in found.remarks[0]
    assert "all closes are 0.01 times what they were" in found.remarks[1]
    assert_series(found, DAYS, CLOSES / 100)


def test_rates_that_were_zero_are_not_said_to_have_been_multiplied():
    zeros = np.zeros(200)
    facts = Facts(measure="rate")
    found = merge(held(closes=zeros, facts=facts), answer(closes=zeros + 1, facts=facts))
    assert len(found.remarks) == 1


def test_what_is_held_is_never_changed_in_place():
    before = held()
    dates, closes = before.series.dates.copy(), before.series.closes.copy()
    merge(before, late(closes=times(100, 183, 187)))
    merge(before, answer(closes=CLOSES * 2))
    np.testing.assert_array_equal(before.series.dates, dates)
    np.testing.assert_array_equal(before.series.closes, closes)


def test_an_answer_of_one_close_merges_like_any_other():
    found = merge(held(), answer(189, 190, since=DAYS[189].item()))
    assert_series(found, DAYS[:190], CLOSES[:190])


@pytest.mark.parametrize(
    ("level", "slip", "believed"),
    [(4.13, 413.0, False), (4.13, 0.0413, False), (0.02, 2.0, True), (2.5, 0.025, True), (4.13, 12.0, True)],
)
def test_a_rates_hundredfold_is_refused_unless_it_is_near_zero(level, slip, believed):
    days = np.arange(np.datetime64("2026-01-05"), np.datetime64("2026-02-14"))
    closes = np.append(np.full(len(days) - 1, level), slip)
    series = Series(LEG, days, closes, facts=Facts(measure="rate", unit="percent"))
    found = merge(None, Fetched(series, None, 1.8e9, 1.8e9, days[:0]))
    assert (found.holding.series.closes[-1] == slip) == believed
    assert bool(found.remarks) != believed


@pytest.mark.parametrize(
    ("unit", "level", "slip", "believed"),
    [
        ("points", 16.13, 1613.0, False),
        ("points", 16.13, 0.1613, False),
        ("index 1982-1984=100", 320.0, 3.2, False),
        ("Index", 320.0, 32_000.0, False),
        ("index", 0.01, 1.0, True),  # of activity, or of stress: about zero
        ("thousands of persons", 2.0, 200.0, True),
        ("", 2.0, 200.0, True),
        ("disappointments", 2.0, 200.0, True),
    ],
)
def test_a_levels_hundredfold_is_refused_where_it_is_in_points_or_of_an_index(unit, level, slip, believed):
    days = np.arange(np.datetime64("2026-01-05"), np.datetime64("2026-02-14"))
    closes = np.append(np.full(len(days) - 1, level), slip)
    series = Series(LEG, days, closes, facts=Facts(measure="level", unit=unit))
    found = merge(None, Fetched(series, None, 1.8e9, 1.8e9, days[:0]))
    assert (found.holding.series.closes[-1] == slip) == believed
    assert bool(found.remarks) != believed
