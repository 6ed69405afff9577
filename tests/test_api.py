import math
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests import builders

import pairwatch
from pairwatch import api, errors
from pairwatch.cache import Cache
from pairwatch.errors import NotEnoughData, PairwatchError, UsageError
from pairwatch.histories import History
from pairwatch.model import Comparison, Leadership, Leg, Window

DAYS = pd.DatetimeIndex(builders.weekdays(120))
NOW = 1_798_000_000.0


def walk(seed=0, name=None):
    return pd.Series(builders.prices(builders.linked_returns(119, seed=seed)[0]), DAYS, name=name)


@pytest.fixture(scope="module")
def twins():
    return pairwatch.compare("demo:TWIN1", "demo:TWIN2", as_of="2026-06-30", now=NOW)


# ---------------------------------------------------------------- names


def test_the_public_names_are_these():
    assert pairwatch.__all__ == [
        "PairwatchError",
        "__version__",
        "compare",
        "compare_series",
        "history",
        "leadership",
        "paired",
        "saved",
        "snapshot",
        "verify",
    ]
    assert dir(pairwatch) == sorted(pairwatch.__all__)


def test_every_public_name_is_there():
    for name in pairwatch.__all__:
        assert getattr(pairwatch, name) is getattr(pairwatch, name)


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="compar_series"):
        _ = pairwatch.compar_series


def test_every_error_is_a_pairwatch_error_with_a_code_and_a_hint():
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, PairwatchError)]
    for kind in kinds:
        if kind not in (PairwatchError, errors.DatabaseTrouble):
            assert kind("what").exit_code in (2, 3, 4, 6, 7, 9)
            assert kind("what").hint
            assert str(kind("what", "do")) == "what"


# ---------------------------------------------------------------- compare


def test_a_number_is_had_by_its_key(twins):
    assert isinstance(twins, Comparison)
    assert twins["correlation"] == pytest.approx(0.83, abs=0.01)
    assert twins["beta"] == twins["pair", "beta"]
    assert twins["lead_p_value"] == twins.leadership.p_value


def test_a_legs_number_is_had_by_its_side_and_key(twins):
    gap = twins["a", "volatility"] - twins["b", "volatility"]
    assert twins["difference", "volatility"] == gap


@pytest.mark.parametrize(
    "key", ["nonsense", "volatility", ("a", "beta"), ("c", "volatility"), ("difference", "last"), ""]
)
def test_an_unknown_key_is_a_key_error(twins, key):
    with pytest.raises(KeyError):
        twins[key]


def test_a_comparison_is_walked_in_the_order_of_the_catalogue(twins):
    assert [r.statistic.key for r in twins][:3] == ["now", "now_change", "last"]
    assert len(list(twins)) == len(twins.readings)


def test_the_frame_of_a_comparison_holds_every_number(twins):
    frame = twins.to_frame()
    assert frame.index.names == ["scope", "statistic"]
    assert list(frame.columns) == ["value", "unit"]
    assert frame.index.is_unique
    assert frame.loc[("pair", "beta"), "value"] == twins["beta"]
    assert frame.loc[("a", "volatility"), "unit"] == "fraction"
    assert frame.loc[("leadership", "r(0)"), "value"] == twins.leadership.at(0)
    assert frame.loc[("percentile", "pair.beta"), "value"] == twins.percentiles.of["pair", "beta"]
    assert len(frame) == len(twins.readings) + 21 + len(twins.percentiles.of)


@pytest.mark.parametrize("day", ["2026-06-30", date(2026, 6, 30)])
def test_a_day_is_a_text_or_a_date(twins, day):
    again = pairwatch.compare("demo:TWIN1", "demo:TWIN2", as_of=day, now=NOW)
    assert again.as_of == date(2026, 6, 30)
    assert again["beta"] == twins["beta"]


@pytest.mark.parametrize("day", [pd.Timestamp("2026-06-30"), pd.Timestamp("2026-06-30 12:00").to_pydatetime()])
def test_a_day_is_a_timestamp_too(twins, day):
    assert pairwatch.compare("demo:TWIN1", "demo:TWIN2", as_of=day, now=NOW)["beta"] == twins["beta"]


def test_legs_and_windows_may_be_objects(twins):
    legs = (Leg("demo", "TWIN1"), Leg("demo", "TWIN2"))
    assert pairwatch.compare(*legs, as_of="2026-06-30", now=NOW, window=Window(90, "d"))["beta"] == twins["beta"]


def test_a_source_is_the_default_of_legs_without_one(twins):
    assert pairwatch.compare("TWIN1", "TWIN2", source="demo", as_of="2026-06-30", now=NOW)["beta"] == twins["beta"]


def test_another_seed_moves_the_p_value_alone(twins):
    again = pairwatch.compare("demo:TWIN1", "demo:TWIN2", as_of="2026-06-30", now=NOW, seed=1)
    changed = {
        key
        for (scope, key, x, _), (_, _, y, _) in zip(twins.rows(), again.rows(), strict=True)
        if x != y and not math.isnan(x)
    }
    assert changed <= {"lead_p_value", "lead_detectable"}
    assert changed


BAD = [
    ({"window": "soon"}, UsageError),
    ({"as_of": "yesterday"}, UsageError),
    ({"max_lag": 0}, UsageError),
    ({"as_of": "2010-01-01"}, NotEnoughData),
]
BAD_TYPES = [
    {"window": 90},
    {"as_of": 5},
    {"max_lag": "5"},
    {"max_lag": 2.5},
    {"seed": -1},
    {"adjust": "none"},
    {"currency": "dollars"},
    {"currency": None},
    {"align": "somehow"},
    {"align": 2},
    {"units": {"demo:TWIN1": "percent"}},
    {"units": {"demo:TWIN1": 1}},
    {"units": {5: "rate", "a b": "rate"}},
    {"units": "rate"},
]


@pytest.mark.parametrize(("asked", "error"), BAD, ids=str)
def test_a_bad_request_is_our_own_error(asked, error):
    with pytest.raises(error):
        pairwatch.compare("demo:TWIN1", "demo:TWIN2", now=NOW, **asked)


@pytest.mark.parametrize("asked", BAD_TYPES, ids=str)
def test_a_value_of_the_wrong_kind_is_a_usage_error(asked):
    with pytest.raises(UsageError):
        pairwatch.compare("demo:TWIN1", "demo:TWIN2", now=NOW, **asked)


@pytest.mark.parametrize(
    "legs", [("demo:TWIN1", "demo:TWIN1"), ("demo:TWIN1", "demo:twin1"), ("", "demo:TWIN1"), ("no:X", "demo:TWIN1")]
)
def test_legs_that_are_none_or_one_are_a_usage_error(legs):
    with pytest.raises(UsageError):
        pairwatch.compare(*legs, now=NOW)


# ---------------------------------------------------------------- what a run may know of its legs


def desk(**given):
    """What a run is handed: its policy."""
    return api.desk_at(Cache(Path("unused")), api.question(now=NOW), now=NOW, **given)._policy


def test_a_unit_changes_how_a_leg_changes(twins):
    again = pairwatch.compare(
        "demo:TWIN1", "demo:TWIN2", as_of="2026-06-30", now=NOW, units={"demo:twin1": "rate", "demo:TWIN2": "rate"}
    )
    assert again["a", "volatility"] != twins["a", "volatility"]


def test_a_history_has_the_unit_that_is_declared():
    found = pairwatch.history("demo:TWIN1", now=NOW, units={"demo:TWIN1": "level:barrels"})
    assert (found.series.facts.measure, found.series.facts.unit) == ("level", "barrels")


def test_a_question_has_its_currency_in_capitals():
    assert api.question(currency="eur", now=NOW).currency == "EUR"
    assert api.desk_at(Cache(Path("unused")), api.question(currency="eur", now=NOW), now=NOW)._policy.currency == "EUR"


def test_a_way_to_line_up_is_part_of_the_question(twins):
    again = pairwatch.compare("demo:TWIN1", "demo:TWIN2", as_of="2026-06-30", now=NOW, align="two-day")
    assert again.receipt.align == "two-day"
    assert again["beta"] != twins["beta"]


def test_keys_are_those_of_the_environment_unless_others_are_given(monkeypatch):
    monkeypatch.setenv("FRED_API_KEY", "s3cret")
    assert desk().keys.get("fred") == ("FRED_API_KEY", "s3cret", "the environment")
    assert desk(keys={}).keys == {}


def test_a_policy_shows_no_key(monkeypatch):
    monkeypatch.setenv("FRED_API_KEY", "s3cret")
    policy = desk()
    assert policy.keys["fred"]
    assert "s3cret" not in repr(policy)


# ---------------------------------------------------------------- history


def test_a_history_has_closes_by_date():
    found = pairwatch.history("demo:TWIN1", now=NOW)
    assert isinstance(found, History)
    frame = found.to_frame()
    assert list(frame.columns) == ["close", "adjusted", "dividend", "split"]
    assert frame.index.name == "date"
    assert frame.index.is_monotonic_increasing
    assert frame.index[-1] == pd.Timestamp(found.series.dates[-1])
    assert (frame["close"] == found.series.closes).all()


def test_a_frame_shows_dividends_and_splits_on_their_days():
    events = (builders.event(DAYS[10].date(), 1.0), builders.event(DAYS[20].date(), 2.0, "split"))
    frame = builders.history(np.full(120, 100.0), builders.weekdays(120), events=events).to_frame()
    assert frame["dividend"].iloc[10] == 1.0
    assert frame["split"].iloc[20] == 2.0
    assert frame["adjusted"].iloc[9] == pytest.approx(99.0)
    assert frame["adjusted"].iloc[10] == 100.0


def test_a_history_of_an_unknown_leg_is_a_source_error():
    with pytest.raises(errors.UnknownSymbol):
        pairwatch.history("demo:NOPE", now=NOW)


def test_a_cache_may_be_given(tmp_path):
    with pytest.raises(errors.NotCached):
        pairwatch.history("QQQ", cache=Cache(tmp_path / "x.db"), offline=True)
    assert api.cache_at(tmp_path).path == tmp_path / "prices.db"


# ---------------------------------------------------------------- verify


def test_a_leg_is_verified_with_a_file(tmp_path):
    days = [f"2026-{month:02}-{day:02}" for month in (1, 2, 3) for day in range(1, 29)]
    closes = [100 + 3 * ((7 * at) % 11) for at in range(len(days))]
    for name, factor in (("good", 1.0), ("bad", 1.2)):
        lines = [
            f"{day},{close * (factor if at == 40 else 1):.2f}"
            for at, (day, close) in enumerate(zip(days, closes, strict=True))
        ]
        (tmp_path / f"{name}.csv").write_text("\n".join(["Date,Close", *lines, ""]))
    legs = [f"csv:{tmp_path}/{name}.csv" for name in ("good", "bad")]
    found = pairwatch.verify(*legs, as_of="2026-03-28")
    assert found.differs
    assert [finding.kind for finding in found.checked[0].findings] == ["tick"]
    assert not pairwatch.verify(*legs, as_of="2026-03-28", since="2026-03-01").differs


@pytest.mark.parametrize(
    ("against", "what"),
    [((), "nothing to verify demo:LEADER with"), (("LEADER",), "demo:LEADER against itself")],
)
def test_a_leg_is_verified_with_something_else(against, what):
    with pytest.raises(UsageError, match=what):
        pairwatch.verify("demo:LEADER", *against, source="demo", now=NOW)


def test_a_leg_is_verified_once_with_each_of_the_others():
    found = pairwatch.verify("demo:TWIN1", "demo:TWIN2", Leg("demo", "TWIN2"), "demo:LEADER", now=NOW)
    assert [str(one.leg) for one in found.checked] == ["demo:TWIN2", "demo:LEADER"]


def test_legs_are_verified_in_the_units_that_are_declared():
    legs = ("demo:TWIN1", "demo:TWIN2")
    found = pairwatch.verify(*legs, now=NOW, units=dict.fromkeys(legs, "rate"))
    assert [one.unit for one in found.checked] == ["bp"]
    assert [one.unit for one in pairwatch.verify(*legs, now=NOW).checked] == ["fraction"]


# ---------------------------------------------------------------- compare_series


def test_series_at_hand_are_compared():
    found = pairwatch.compare_series(walk(0, "left"), walk(1, "right"))
    assert isinstance(found, Comparison)
    assert [str(leg) for leg in (found.a, found.b)] == ["given:LEFT", "given:RIGHT"]
    assert found.as_of == DAYS[-1].date()
    assert found["observations"] > 60
    a, b = (s[s.index > pd.Timestamp(found.receipt.base)] for s in (walk(0).pct_change(), walk(1).pct_change()))
    assert found["correlation"] == pytest.approx(a.corr(b), rel=1e-12)


def test_series_without_a_name_are_a_and_b():
    found = pairwatch.compare_series(walk(0), walk(1))
    assert [str(leg) for leg in (found.a, found.b)] == ["given:A", "given:B"]


SAME = {
    "unsorted": lambda s: s.sample(frac=1, random_state=1),
    "with a time zone": lambda s: s.tz_localize("America/New_York"),
    "with missing prices": lambda s: pd.concat([s, pd.Series([np.nan], [DAYS[-1] + pd.Timedelta(days=30)])]),
    "at the end of each day": lambda s: s.set_axis(DAYS + pd.Timedelta(hours=16)),
    "by date objects": lambda s: s.set_axis([day.date() for day in DAYS]),
    "by texts": lambda s: s.set_axis([str(day.date()) for day in DAYS]),
    "by periods": lambda s: s.to_period("D"),
    "of 32-bit floats, read back": lambda s: s.astype("float64"),
}


@pytest.mark.parametrize("change", SAME.values(), ids=SAME)
def test_it_does_not_matter_how_the_series_comes(change):
    plain = pairwatch.compare_series(walk(0), walk(1))
    found = pairwatch.compare_series(change(walk(0)), walk(1))
    assert found["beta"] == pytest.approx(plain["beta"], rel=1e-12)
    assert found["observations"] == plain["observations"]


def test_a_missing_price_in_the_middle_is_left_out_and_never_filled():
    holed = walk(0)
    holed.iloc[-10] = np.nan
    plain, found = (pairwatch.compare_series(s, walk(1)) for s in (walk(0), holed))
    assert found["observations"] == plain["observations"] - 1


WRONG = {
    "a list": list,
    "a frame": lambda s: s.to_frame(),
    "nothing": lambda s: None,
    "no price at all": lambda s: s * np.nan,
    "no rows": lambda s: s.iloc[:0],
    "infinite prices": lambda s: s * np.inf,
    "words": lambda s: pd.Series(["a"] * 120, DAYS),
    "a day twice": lambda s: pd.concat([s, s]),
    "several bars a day": lambda s: s.set_axis(pd.date_range("2026-01-01", periods=120, freq="h")),
    "words for days": lambda s: s.set_axis([f"day {i}" for i in range(120)]),
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("side", ["A", "B"])
def test_what_is_no_series_of_prices_is_a_usage_error_that_names_the_side(change, side):
    legs = (change(walk(0)), walk(1)) if side == "A" else (walk(1), change(walk(0)))
    with pytest.raises(UsageError, match=f"leg {side} ") as caught:
        pairwatch.compare_series(*legs)
    assert "\n" not in caught.value.message


def test_a_series_without_dates_is_a_usage_error():
    with pytest.raises(UsageError):
        pairwatch.compare_series(walk(0).reset_index(drop=True), walk(1).reset_index(drop=True))


@pytest.mark.parametrize("name", ["QQQ", "BRK.B", 7, "", "adj close", "x" * 99])
def test_a_series_may_have_a_name_of_its_own(name):
    assert pairwatch.compare_series(walk(0, name), walk(1))["beta"]


@pytest.mark.parametrize("name", ["^VIX", "Société", " QQQ", ("Close", "QQQ"), "日経", "-1", "=cmd"], ids=ascii)
def test_a_series_may_have_any_name(name):
    assert pairwatch.compare_series(walk(0, name), walk(1))["beta"]


def test_two_series_of_one_name_can_be_told_apart():
    found = pairwatch.compare_series(walk(0, "Close"), walk(1, "Close"))
    assert found.a != found.b


def test_series_without_a_common_day_are_not_enough():
    late = walk(1).set_axis(DAYS + pd.Timedelta(days=1000))
    with pytest.raises(NotEnoughData):
        pairwatch.compare_series(walk(0), late)


# ---------------------------------------------------------------- leadership


def test_a_leader_of_two_bars_is_found():
    x, e = np.random.default_rng(0).standard_normal((2, 120))
    found = pairwatch.leadership(x[2:], 0.8 * x[:-2] + 0.6 * e[2:], max_lag=10, seed=0)
    assert isinstance(found, Leadership)
    assert found.lag == 2
    assert found.p_value < 0.01
    assert found.asymmetry > 0.4
    assert 0 < found.detectable < 1
    assert found.correlations.shape == (21,)
    assert found.at(2) == found.correlation == found.correlations[12]
    assert found.decided
    assert "A leads B by 2 bars" in found.verdict


def test_swapping_the_arrays_turns_the_lead_around():
    a, b = builders.linked_returns(100, 0.3, seed=4)
    there, back = pairwatch.leadership(a, b, 5), pairwatch.leadership(b, a, 5)
    assert (there.lag, there.asymmetry, there.p_value) == (-back.lag, -back.asymmetry, back.p_value)
    assert there.correlations.tolist() == back.correlations[::-1].tolist()


def test_lists_and_series_are_arrays_too():
    a, b = builders.linked_returns(60, seed=4)
    expected = pairwatch.leadership(a, b)
    for kind in (list, tuple, pd.Series):
        assert pairwatch.leadership(kind(a), kind(b)).p_value == expected.p_value


def test_a_leg_that_does_not_move_has_no_verdict():
    found = pairwatch.leadership(np.zeros(60), builders.linked_returns(60)[0])
    assert math.isnan(found.p_value)
    assert not found.decided
    assert found.verdict.startswith("no verdict")


ARRAYS = builders.linked_returns(61)
UNUSABLE = {
    "two lengths": (ARRAYS[0], ARRAYS[1][:-1]),
    "a nan": (ARRAYS[0], np.where(np.arange(61) == 5, np.nan, ARRAYS[1])),
    "an infinity": (ARRAYS[0], np.where(np.arange(61) == 5, np.inf, ARRAYS[1])),
    "matrices": (np.stack(ARRAYS), np.stack(ARRAYS)),
    "nothing": ([], []),
    "no arrays": (None, None),
    "lags beyond a third": (*ARRAYS, 21),
    "no lag": (*ARRAYS, 0),
}
WRONG_KINDS = {
    "words": (["a"] * 61, ARRAYS[1]),
    "ragged lists": ([[1], [1, 2]], ARRAYS[1]),
    "half a lag": (*ARRAYS, 2.5),
    "a negative seed": (*ARRAYS, 10, -1),
}


@pytest.mark.parametrize("args", UNUSABLE.values(), ids=UNUSABLE)
def test_what_no_lead_can_be_made_of_is_a_usage_error(args):
    with pytest.raises(UsageError):
        pairwatch.leadership(*args)


@pytest.mark.parametrize("args", WRONG_KINDS.values(), ids=WRONG_KINDS)
def test_what_is_of_the_wrong_kind_is_a_usage_error(args):
    with pytest.raises(UsageError):
        pairwatch.leadership(*args)
