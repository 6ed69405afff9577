"""What followed when a pair was as far apart as today: by hand, against a loop over pandas, and its laws."""

from datetime import date
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import FRIDAY, calendar_days, history, linked_pair, linked_returns, prices, weekdays

from pairwatch.errors import NotEnoughData, UsageError
from pairwatch.model import Window
from pairwatch.staging import Question
from pairwatch.stats.percentiles import shown
from pairwatch.studies import analogs
from pairwatch.studies.paired import paired

light = settings(max_examples=12)
CLOSE = {"rel": 1e-9, "abs": 1e-12, "nan_ok": True}


def studied(a, b, window="20b", by="z", horizons=(5, 10, 20), as_of=FRIDAY):
    return analogs.study(paired(a, b, Question(as_of, Window.parse(window))), by, horizons)


def events(study):
    return [
        dict(zip((c.key for c in study["events"].heading.columns), row, strict=True)) for row in study["events"].rows
    ]


def after(study):
    return {row["bars"]: row for row in study["after"].records()}


# ---------------------------------------------------------------- by hand


def by_hand():
    """A of 24 closes beside B, which stands still: A's gap over two bars is +10 % today."""
    closes = np.full(24, 100.0)
    for place, close in ((4, 110.0), (5, 115.0), (12, 111.0), (15, 110.0), (22, 130.0), (23, 110.0)):
        closes[place] = close
    return history(closes, symbol="AAA"), history(np.full(24, 50.0), symbol="BBB")


def over_two_bars(horizons):
    """Of so short a window that it can be done by hand, which `paired` refuses."""
    pair = paired(*by_hand(), Question(FRIDAY, Window.parse("20b")))
    return analogs.study(pair._replace(bars=2), "gap", horizons)


def test_a_list_by_hand():
    # At or above +10 % over two bars: 4 (+10), 5 (+15, too near to 4), 12 (+11), 15 (+10), and 22 (+30), whose window
    # holds a bar of today's.
    study = over_two_bars((1, 3))
    days = weekdays(24)
    ln = np.log
    expected = [
        (days[4], 0.10, ln(115 / 110), ln(100 / 110)),
        (days[12], 0.11, ln(100 / 111), ln(110 / 111)),
        (days[15], 0.10, ln(100 / 110), ln(100 / 110)),
    ]
    found = [tuple(row.values()) for row in events(study)]
    assert [row[0] for row in found] == [row[0].item() for row in expected]
    for row, wanted in zip(found, expected, strict=True):
        assert row[1:] == pytest.approx(wanted[1:], **CLOSE)
    one, three = after(study)[1], after(study)[3]
    assert (one["n"], three["n"]) == (3, 3)
    assert one["median"] == pytest.approx(ln(100 / 110))
    assert (three["low"], three["high"]) == pytest.approx((ln(100 / 110), ln(110 / 111)))
    assert (one["positive"], three["positive"]) == (1 / 3, 0.0)


def test_fewer_than_eight_events_are_too_few():
    study = over_two_bars((1, 3))
    assert np.isnan(after(study)[1]["p"])
    assert "too few to say (3 events, 8 needed)" in study.findings[0]
    assert "3 times as high" in study.findings[0]


# ---------------------------------------------------------------- a loop over pandas


def looped(a, b, bars, by, horizons):
    """Events and what followed them, one bar at a time."""
    levels = pd.DataFrame({"a": a.series.closes, "b": b.series.closes}, index=a.series.dates)
    spread = np.log(levels.a) - np.log(levels.b)
    rolling = spread.rolling(bars + 1)
    returns = levels.pct_change()
    measure = {
        "z": (spread - rolling.mean()) / rolling.std(),
        "gap": levels.a / levels.a.shift(bars) - levels.b / levels.b.shift(bars),
        "correlation": returns.a.rolling(bars).corr(returns.b),
    }[by]
    today = measure.iloc[-1]
    middle = measure.median() if by == "correlation" else 0
    found, last = [], -(10**6)
    for place in range(bars, len(levels) - bars):
        as_far = measure.iloc[place] >= today if today >= middle else measure.iloc[place] <= today
        if as_far and place - last >= max(horizons):
            last = place
            later = [place + h for h in horizons]
            moves = [spread.iloc[x] - spread.iloc[place] if x < len(levels) else np.nan for x in later]
            found.append((levels.index[place].date(), measure.iloc[place], *moves))
    every = {h: (spread.shift(-h) - spread).iloc[bars:].dropna() for h in horizons}
    return found, every


@light
@given(st.integers(0, 2**31), st.sampled_from(["z", "gap", "correlation"]), st.integers(20, 45))
def test_events_and_what_followed_are_those_of_a_loop_over_pandas(seed, by, bars):
    a, b = linked_pair(500, 0.6, seed)
    horizons = (2, 7, 15)
    study = studied(a, b, f"{bars}b", by, horizons)
    expected, every = looped(a, b, bars, by, horizons)
    found = [tuple(row.values()) for row in events(study)]
    assert [row[0] for row in found] == [row[0] for row in expected]
    for row, wanted in zip(found, expected, strict=True):
        assert row[1:] == pytest.approx(wanted[1:], rel=1e-6, abs=1e-9, nan_ok=True)
    for at, h in enumerate(horizons):
        known = pd.Series([row[2 + at] for row in expected], dtype=float).dropna()
        row = after(study)[h]
        assert row["n"] == len(known)
        assert row["any_median"] == pytest.approx(every[h].median(), abs=1e-12)
        assert row["any_positive"] == pytest.approx((every[h] > 0).mean())
        if len(known):
            told = (row["median"], row["low"], row["high"], row["positive"])
            assert told == pytest.approx((known.median(), known.min(), known.max(), (known > 0).mean()), abs=1e-12)
        assert np.isnan(row["p"]) == (len(known) < 8)


# ---------------------------------------------------------------- laws


@light
@given(st.integers(0, 2**31), st.sampled_from(["z", "gap", "correlation"]))
def test_swapping_the_legs_keeps_the_dates_and_turns_the_signs(seed, by):
    a, b = linked_pair(400, 0.6, seed)
    one, other = studied(a, b, by=by), studied(b, a, by=by)
    sign = 1 if by == "correlation" else -1
    for row, swapped in zip(events(one), events(other), strict=True):
        assert swapped["date"] == row["date"]
        assert swapped["value"] == pytest.approx(sign * row["value"], **CLOSE)
        for h in (5, 10, 20):
            assert swapped[f"after_{h}"] == pytest.approx(-row[f"after_{h}"], **CLOSE)
    for h, row in after(one).items():
        swapped = after(other)[h]
        assert (swapped["n"], swapped["p"]) == pytest.approx((row["n"], row["p"]), nan_ok=True)
        assert swapped["median"] == pytest.approx(-row["median"], **CLOSE)
        assert (swapped["low"], swapped["high"]) == pytest.approx((-row["high"], -row["low"]), **CLOSE)


@light
@given(st.integers(0, 2**31))
def test_no_bar_follows_two_events_and_today_is_none(seed):
    study = studied(*linked_pair(400, 0.6, seed))
    days = weekdays(401).tolist()
    places = [days.index(row["date"]) for row in events(study)]
    assert all(later - earlier >= 20 for earlier, later in pairwise(places))
    assert FRIDAY not in [row["date"] for row in events(study)]


def test_what_comes_later_changes_no_value_of_an_event():
    a, b = linked_pair(500, 0.6, 5)
    values = {row["date"]: row["value"] for row in events(studied(a, b))}
    day = a.series.dates[-80].item()
    then = studied(a, b, as_of=day)
    assert then.as_of == day
    common = [row for row in events(then) if row["date"] in values]
    assert common
    assert all(row["value"] == pytest.approx(values[row["date"]]) for row in common)


def test_an_event_whose_horizon_is_not_over_is_shown_and_not_counted():
    a, b = linked_returns(400, 0.6, 3)
    a[-90:] = b[-90:]
    a[-25] += 0.08
    a[-1] += 0.02
    legs = history(prices(a), symbol="AAA"), history(prices(b), symbol="BBB")
    study = studied(*legs, by="gap", horizons=(5, 20, 40))
    last = events(study)[-1]
    assert last["date"] == weekdays(401)[-25].item()
    assert np.isfinite([last["after_5"], last["after_20"], last["after_40"]]).tolist() == [True, True, False]
    assert [after(study)[h]["n"] for h in (5, 20, 40)] == [
        sum(np.isfinite(row[f"after_{h}"]) for row in events(study)) for h in (5, 20, 40)
    ]


def test_a_window_that_overlaps_todays_is_no_event_but_the_present_excursion():
    a, b = linked_returns(400, 0.6, 3)
    a[-90:] = b[-90:]
    a[-12] += 0.5
    study = studied(history(prices(a), symbol="AAA"), history(prices(b), symbol="BBB"), by="gap")
    assert study["now"].rows[0][3] > 0
    assert events(study) == []
    assert "as high in 17 months only within the last 20 bars; nothing is known" in study.findings[0]
    assert "none in the last 20 bars, whose windows overlap today's" in study["after"].notes[0]


@pytest.mark.parametrize("by", ["z", "gap", "correlation"])
def test_where_today_is_not_far_the_list_is_said_to_be_of_usual_days(by):
    for seed in range(6):
        study = studied(*linked_pair(400, 0.6, seed), by=by)
        said = "not far, so that the list is of usual days" in study.findings[0]
        assert said == (0.2 <= study["now"].rows[0][2] <= 0.8)


@pytest.mark.parametrize("by", ["z", "gap", "correlation"])
def test_legs_that_move_as_one_have_no_analogs(by):
    a, _ = linked_pair(300)
    twice = history(np.round(2 * a.series.closes, 6), a.series.dates, symbol="BBB")
    study = studied(a, twice, by=by)
    assert len(study.findings) == 1
    assert "cannot be said today: the legs move as one" in study.findings[0]
    assert study["events"].rows == ()


@pytest.mark.parametrize(("by", "what"), [("z", "the spread does not move"), ("correlation", "a leg does not move")])
def test_a_pair_that_has_stopped_says_first_that_nothing_can_be_said_of_today(by, what):
    legs = linked_returns(300)
    for leg in legs:
        leg[-60:] = 0
    study = studied(*(history(prices(leg), symbol=s) for leg, s in zip(legs, ("AAA", "BBB"), strict=True)), by=by)
    assert f"cannot be said today: {what} over the last 20 bars" in study.findings[0]
    assert not any("nan" in text for text in study.findings)


# ---------------------------------------------------------------- units and refusals


def test_two_rates_move_in_basis_points():
    moves = linked_returns(300, 0.8, 2, volatility=0.05)
    facts = {"measure": "rate", "unit": "percent", "currency": ""}
    a, b = (history(4 + x.cumsum(), symbol=n, **facts) for x, n in zip(moves, ("AAA", "BBB"), strict=True))
    study = studied(a, b, by="gap")
    place = weekdays(300).tolist().index(events(study)[0]["date"])
    spread = a.series.closes - b.series.closes
    assert events(study)[0]["value"] == pytest.approx(100 * (spread[place] - spread[place - 20]))
    assert events(study)[0]["after_5"] == pytest.approx(100 * (spread[place + 5] - spread[place]))
    assert {c.unit for c in study["events"].heading.columns[1:]} == {"bp"}
    assert " bp against BBB" in study.findings[0]


def test_a_rate_and_a_price_are_refused_with_the_reason():
    a, b = linked_returns(300)
    rate = history(4 + a.cumsum(), weekdays(300), symbol="AAA", measure="rate", unit="percent", currency="")
    with pytest.raises(UsageError, match=r"changes in basis points, .* in percent: their difference means nothing"):
        studied(rate, history(prices(b), symbol="BBB"))


def test_months_are_bars_too():
    days = calendar_days(240, step=30)
    a, b = (history(prices(x[:-1]), days, symbol=n) for x, n in zip(linked_returns(240), ("AAA", "BBB"), strict=True))
    assert studied(a, b, "24b", horizons=(3, 12)).bars == 24


def test_a_history_that_is_too_short_is_said():
    with pytest.raises(NotEnoughData, match="a list of analogs needs 60"):
        studied(*linked_pair(50), "20b")


def test_a_history_too_short_for_the_horizons_alone_is_offered_shorter_ones():
    with pytest.raises(NotEnoughData, match="to look 60 bars ahead needs 144") as caught:
        studied(*linked_pair(120), "24b", horizons=(60, 90))
    assert "--horizons 4,16,48" in str(caught.value.hint)
    assert studied(*linked_pair(120), "24b", horizons=(4, 16, 48)).findings


def test_horizons_that_do_not_fit_are_left_out_with_a_note():
    study = studied(*linked_pair(120), "24b", horizons=(5, 20, 60))
    assert list(after(study)) == [5, 20]
    assert [c.key for c in study["events"].heading.columns[2:]] == ["after_5", "after_20"]
    left_out = "60 bars later is left out: to look so far ahead needs 144 common returns, and there are 120; --horizons"
    assert any(left_out in note for note in study["after"].notes)


def test_findings_have_no_full_stop():
    assert not any(text.endswith(".") or " %" in text for text in studied(*linked_pair(600)).findings)


def test_there_is_no_other_measure():
    with pytest.raises(UsageError, match="by 'beta'"):
        studied(*linked_pair(300), by="beta")


def test_never_as_far_is_said():
    a, b = linked_returns(300, 0.6, 1)
    a[-1] += 0.5
    found = studied(history(prices(a), symbol="AAA"), history(prices(b), symbol="BBB"), by="gap").findings
    assert len(found) == 1
    assert "never as high before in 13 months; nothing is known of what followed" in found[0]


@pytest.mark.parametrize("text", ["", "5,", "0", "-5", "5;20", "x", "1,2,3,4,5,6,7", "99999", "²"])
def test_horizons_that_are_none_are_refused(text):
    with pytest.raises(UsageError):
        analogs.horizons_of(text)


def test_horizons_are_sorted_and_each_counts_once():
    assert analogs.horizons_of("20, 5,20") == (5, 20)


# ---------------------------------------------------------------- words


def test_the_first_finding_carries_every_number_that_it_rests_on():
    a, b = linked_pair(1500, 0.6, 4)
    study = studied(a, b)
    row, now = after(study)[10], study["now"].rows[0]
    text = study.findings[0]
    assert f"z of the spread is {now[1]:+.2f} (percentile {shown(now[2])} of its past)" in text
    assert f"{now[4]} times as {'high' if now[1] >= 0 else 'low'} in 6 years" in text
    assert f"10 bars later AAA had moved {100 * row['median']:+z.1f}% against BBB in the median" in text
    assert f"(from {100 * row['low']:+z.1f}% to {100 * row['high']:+z.1f}%)" in text  # a range, no interval
    assert "[" not in text
    assert f"n {row['n']}; it takes p < .017 with 3 horizons)" in text
    assert len(study.findings) == 3


def test_of_one_horizon_the_level_is_the_usual_one_and_is_not_said():
    assert "it takes" not in studied(*linked_pair(1500, 0.6, 4), horizons=(10,)).findings[0]


def test_a_pair_that_always_comes_back_is_found():
    rng = np.random.default_rng(8)
    gap = np.zeros(3001)
    for t in range(1, 3001):
        gap[t] = 0.9 * gap[t - 1] + 0.02 * rng.standard_normal()
    gap[-1] = gap[-40:].mean() + 2.5 * gap[-40:].std()
    b = prices(linked_returns(3000)[0])
    study = studied(history(b * np.exp(gap), symbol="AAA"), history(b, symbol="BBB"))
    assert after(study)[10]["median"] < 0
    assert after(study)[10]["p"] < 0.01
    assert ": a difference (p " in study.findings[0]


def test_every_column_says_what_it_means_and_rows_are_as_long_as_headings():
    study = studied(*linked_pair(400))
    for section in study.sections:
        assert all(len(row) == len(section.heading.columns) for row in section.rows)
    for heading in analogs.HEADINGS:
        assert heading.meaning
        assert all(column.meaning for column in heading.columns)
    assert isinstance(study.since, date)
