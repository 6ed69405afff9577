"""Prices in another currency, held against pandas and against arithmetic."""

from dataclasses import replace
from datetime import date, time

import numpy as np
import pandas as pd
import pytest
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import compared
from tests.fake_source import LEG, TODAY, FakeSource, at, day64
from tests.wire import Listing, instant, weekdays

from pairwatch import errors, sources
from pairwatch.cache import FILE_NAME, Cache
from pairwatch.currencies import converted
from pairwatch.histories import History, adjusted
from pairwatch.kernels import simple_returns
from pairwatch.model import HUNDREDTHS, Declared, Event, Facts, Leg, Provenance, Quote, Series
from pairwatch.retrieval import Desk, Policy
from pairwatch.text import is_clean
from pairwatch.verifying import verify

TOYOTA = Leg("yahoo", "7203.T")
YEN = Facts(currency="JPY", timezone="Asia/Tokyo", closes_at=930)
TOKYO_RESTS = {date(2026, 9, 21), date(2026, 9, 22), date(2026, 9, 23), date(2026, 10, 12), date(2026, 11, 3)}
RATES = Facts(currency="USD", timezone="Europe/London", closes_at=1380)
DAYS = np.array([day for day in np.arange("2026-08-03", "2026-11-01", dtype="datetime64[D]") if np.is_busday(day)])


def history(leg=TOYOTA, dates=DAYS, closes=None, *, facts=YEN, events=(), quote=None, **provenance) -> History:
    if closes is None:
        closes = 3000 + 100 * np.sin(np.arange(len(dates)))
    return History(Series(leg, dates, closes, events, facts, quote), Provenance("network", 1.8e9, **provenance))


def rates(dates=DAYS, closes=None, leg="JPYUSD=X", **more) -> History:
    if closes is None:
        closes = 0.0065 * np.exp(0.01 * np.cos(np.arange(len(dates))))
    return history(Leg("yahoo", leg), dates, closes, facts=RATES, **more)


def never(leg: Leg) -> History:
    pytest.fail(f"{leg} was asked for")


def convert(given: History, currency: str, *known: History) -> History:
    at_hand = {one.series.leg: one for one in known}
    return converted(given, currency, lambda leg: at_hand[leg])


def frame(series: Series) -> pd.Series:
    return pd.Series(series.closes, pd.DatetimeIndex(series.dates))


# ---------------------------------------------------------------- the numbers


def test_each_close_is_converted_by_the_rate_of_its_own_day_as_pandas_has_it():
    leg, fx = history(dates=np.delete(DAYS, [3, 4, 20])), rates(np.delete(DAYS, [4, 11, 12]))
    found = convert(leg, "USD", fx)
    wanted = (frame(leg.series) * frame(fx.series)).dropna()
    np.testing.assert_array_equal(found.series.dates, wanted.index.to_numpy().astype("datetime64[D]"))
    np.testing.assert_allclose(found.series.closes, wanted.to_numpy(), rtol=1e-15)


@given(
    missing=st.tuples(st.sets(st.integers(0, 59)), st.sets(st.integers(0, 59))).filter(
        lambda two: len(two[0] | two[1]) < 50
    ),
    seed=st.integers(0, 99),
)
@settings(max_examples=100)
def test_returns_compound_the_legs_own_with_those_of_the_rate(missing, seed):
    rng = np.random.default_rng(seed)
    closes, values = 3000 * np.exp(rng.normal(0, 0.02, (2, 60)).cumsum(axis=1)) / [[1], [4e5]]
    keep = [np.array([i for i in range(60) if i not in gone]) for gone in missing]
    leg, fx = history(dates=DAYS[keep[0]], closes=closes[keep[0]]), rates(DAYS[keep[1]], values[keep[1]])
    both = pd.DataFrame({"leg": frame(leg.series), "fx": frame(fx.series)}).dropna().pct_change().dropna()
    wanted = (1 + both["leg"]) * (1 + both["fx"]) - 1
    found = simple_returns(convert(leg, "USD", fx).series.closes)
    np.testing.assert_allclose(found, wanted.to_numpy(), rtol=1e-12, atol=1e-15)


@given(currency=st.sampled_from(["USD", "EUR", "JPY", "GBp"]), seed=st.integers(0, 99))
@settings(max_examples=20)
def test_the_own_currency_changes_nothing_and_asks_for_nothing(currency, seed):
    closes = np.random.default_rng(seed).uniform(1, 9, len(DAYS))
    given_history = history(closes=closes, facts=Facts(currency=currency))
    assert converted(given_history, currency, never) is given_history


def test_there_and_back_again_is_where_it_began():
    leg, there = history(), rates()
    back = rates(leg="USDJPY=X", closes=1 / there.series.closes)
    found = convert(convert(leg, "USD", there), "JPY", back)
    np.testing.assert_allclose(found.series.closes, leg.series.closes, rtol=1e-14)


def test_distributions_are_converted_by_the_rate_of_their_day_and_splits_are_not():
    events = Event(DAYS[5], "dividend", 45.0), Event(DAYS[6], "split", 5.0), Event(DAYS[9], "capital_gain", 3.0)
    fx = rates()
    found = convert(history(events=events), "USD", fx).series.events
    wanted = 45.0 * fx.series.closes[5], 5.0, 3.0 * fx.series.closes[9]
    assert [event.value for event in found] == pytest.approx(wanted, rel=1e-15)
    assert [(event.day, event.kind) for event in found] == [(event.day, event.kind) for event in events]


@pytest.mark.parametrize("gap", [1, 4])
def test_a_distribution_on_a_day_without_a_rate_takes_one_of_the_four_days_before(gap):
    days = np.arange(DAYS[0], DAYS[0] + 30)
    fx = rates(np.delete(days, range(10, 10 + gap)))
    found = convert(history(dates=days, events=(Event(days[9 + gap], "dividend", 10.0),)), "USD", fx)
    assert found.series.events[0].value == pytest.approx(10 * fx.series.closes[9])


def test_a_distribution_without_any_rate_is_left_out_and_said():
    days = np.arange(DAYS[0], DAYS[0] + 30)
    fx = rates(np.delete(days, range(10, 15)))
    found = convert(history(dates=days, events=(Event(days[14], "dividend", 10.0),)), "USD", fx)
    assert found.series.events == ()
    assert f"7203.T: no rate for the distribution of {days[14]}, left out" in found.provenance.made


def test_total_returns_of_converted_prices_are_those_of_somebody_who_holds_dollars():
    """Bought at the close before, paid on the day, both at the rates of their days: as Yahoo adjusts."""
    fx, paid = rates(), 60.0
    leg = history(events=(Event(DAYS[30], "dividend", paid),))
    found = convert(leg, "USD", fx).series
    dollars = leg.series.closes * fx.series.closes
    cost = dollars[29] - paid * fx.series.closes[30]
    assert simple_returns(adjusted(found, "total"))[29] == pytest.approx(dollars[30] / cost - 1, rel=1e-12)
    np.testing.assert_allclose(
        simple_returns(adjusted(found, "price")), dollars[1:] / dollars[:-1] - 1, rtol=1e-12, atol=1e-15
    )


def test_the_latest_price_is_converted_by_the_latest_rate_or_left_out():
    quote = Quote(3100.0, 1.8e9, open=True, finished_at=1.9e9)
    fx = rates(quote=Quote(0.0066, 1.8e9, open=True))
    found = convert(history(quote=quote), "USD", fx).series.quote
    assert found == replace(quote, price=3100.0 * 0.0066)
    assert convert(history(quote=quote), "USD", rates()).series.quote is None
    assert convert(history(), "USD", fx).series.quote is None


# ---------------------------------------------------------------- pence


@pytest.mark.parametrize(("small", "whole"), HUNDREDTHS.items())
def test_pence_are_a_hundredth_of_a_pound_and_need_no_rate(small, whole):
    given_history = history(
        facts=Facts(currency=small), events=(Event(DAYS[5], "dividend", 45.0),), quote=Quote(50.0, 1.8e9, open=False)
    )
    found = converted(given_history, whole, never)
    np.testing.assert_allclose(found.series.closes, given_history.series.closes / 100)
    assert found.series.events[0].value == pytest.approx(0.45)
    assert found.series.quote.price == pytest.approx(0.5)
    assert found.series.facts.currency == whole
    back = converted(found, small, never)
    np.testing.assert_allclose(back.series.closes, given_history.series.closes)


def test_cents_are_a_hundredth_of_a_dollar():
    """As corn and coffee are quoted."""
    found = converted(history(facts=Facts(currency="USX")), "USD", never)
    np.testing.assert_allclose(found.series.closes, history().series.closes / 100)


@pytest.mark.parametrize(
    ("ours", "theirs", "said"),
    [
        ("USX", "USD", "a hundredth of it or a hundred times: so is their ratio; --currency USD converts"),
        ("GBP", "GBX", "a hundredth of it or a hundred times: so is their ratio; --currency GBP converts"),
        ("EUX", "GBp", "include the exchange rate"),  # a file has no rates
        ("GBX", "GBp", ""),
        ("USX", "USX", ""),
    ],
)
def test_every_command_knows_the_same_hundredths(ours, theirs, said):
    one, other = (
        history(Leg("csv", f"{name}.csv"), closes=closes, facts=Facts(currency=name))
        for name, closes in ((ours, 100 + DAYS.astype(int) % 7), (theirs, 100 + DAYS.astype(int) % 5))
    )
    warnings = compared(one, other, as_of=TODAY, max_lag=1).warnings
    (remark,) = [text for text in warnings if " is in " in text] or [""]
    assert remark.endswith(said)
    assert bool(remark) == bool(said)
    (checked,) = verify(one, [other]).checked
    assert ("currency" in [finding.kind for finding in checked.findings]) == ("exchange rate" in said)


def test_pence_are_converted_by_the_rate_of_the_pound():
    fx = rates(leg="GBPUSD=X", closes=np.full(len(DAYS), 1.25))
    found = convert(history(facts=Facts(currency="GBp")), "USD", fx)
    np.testing.assert_allclose(found.series.closes, history().series.closes / 80)


def test_pence_are_a_target_too():
    fx = rates(leg="USDGBP=X", closes=np.full(len(DAYS), 0.8))
    found = convert(history(facts=Facts(currency="USD")), "GBp", fx)
    np.testing.assert_allclose(found.series.closes, history().series.closes * 80)


# ---------------------------------------------------------------- what is said


def test_a_remark_says_which_rates_and_when_they_close_and_the_legs_own_close_stays():
    found = convert(history(), "USD", rates())
    assert found.provenance.made == (
        "7203.T: JPY converted to USD, rates of yahoo:JPYUSD=X, closing at 23:00 Europe/London",
    )
    facts = found.series.facts
    assert (facts.currency, facts.closes_at, facts.timezone) == ("USD", 930, "Asia/Tokyo")


def test_rates_whose_closing_time_is_not_known_are_said_to_be_so():
    fx = rates()
    fx = replace(fx, series=replace(fx.series, facts=Facts()))
    assert convert(history(), "USD", fx).provenance.made[0].endswith("whose closing time is not known")


def test_closes_without_a_rate_are_left_out_counted_and_never_filled():
    found = convert(history(), "USD", rates(np.delete(DAYS, [0, 1, 2, 10, 20, 21, 30, len(DAYS) - 1])))
    assert len(found.series) == len(DAYS) - 8
    assert found.provenance.made[1:] == (
        f"7203.T: no rates before {DAYS[3]}, 3 closes left out",
        f"7203.T: 5 closes without a rate of the day left out: {DAYS[-1]}, {DAYS[30]}, {DAYS[21]} and 2 more",
    )


def test_a_monthly_price_is_converted_by_the_last_rate_of_its_period():
    ends = np.array(["2026-08-31", "2026-09-30", "2026-10-31"], dtype="datetime64[D]")  # the last one a Saturday
    fx = rates()
    found = convert(history(dates=ends, facts=replace(YEN, frequency="month")), "USD", fx)
    np.testing.assert_array_equal(found.series.dates, ends)
    friday = fx.series.closes[DAYS.searchsorted(day64("2026-10-30"))]
    assert found.series.closes[-1] == pytest.approx(history(dates=ends).series.closes[-1] * friday)


def test_stale_rates_make_a_stale_leg_as_old_as_they_are():
    fx = rates(stale="JPYUSD=X: no network")
    fx = replace(fx, provenance=replace(fx.provenance, asked_at=1.7e9, remarks=("JPYUSD=X: odd",)))
    found = convert(history(remarks=("7203.T: odd, too",)), "USD", fx).provenance
    assert (found.stale, found.asked_at) == ("JPYUSD=X: no network", 1.7e9)
    assert (found.remarks[0], found.remarks[-1]) == ("7203.T: odd, too", "JPYUSD=X: odd")


@pytest.mark.parametrize(("measure", "words"), [("rate", "a rate"), ("index", "an index"), ("level", "no price")])
def test_what_is_no_price_stays_as_it_is_and_it_is_said(measure, words):
    given_history = history(facts=Facts(measure=measure, currency="JPY"))
    found = converted(given_history, "USD", never)
    assert found.series is given_history.series
    assert found.provenance.made == (f"7203.T: {words}, not converted to USD",)


# ---------------------------------------------------------------- FRED's rates, against the dollar


def fred(symbol: str, value: float) -> History:
    return history(Leg("fred", symbol), closes=np.full(len(DAYS), value), facts=Facts(currency="USD"))


@pytest.mark.parametrize(
    ("have", "want", "known", "factor"),
    [
        ("EUR", "USD", [("DEXUSEU", 1.25)], 1.25),
        ("USD", "EUR", [("DEXUSEU", 1.25)], 0.8),
        ("JPY", "USD", [("DEXJPUS", 160.0)], 1 / 160),
        ("USD", "JPY", [("DEXJPUS", 160.0)], 160.0),
        ("EUR", "JPY", [("DEXUSEU", 1.25), ("DEXJPUS", 160.0)], 200.0),
        ("JPY", "CHF", [("DEXJPUS", 160.0), ("DEXSZUS", 0.8)], 0.005),
        ("EUR", "GBP", [("DEXUSEU", 1.25), ("DEXUSUK", 2.5)], 0.5),
    ],
)
def test_fred_has_rates_against_the_dollar_whichever_way_round(have, want, known, factor):
    leg = history(Leg("fred", "X"), facts=Facts(currency=have))
    found = convert(leg, want, *(fred(*one) for one in known))
    np.testing.assert_allclose(found.series.closes, leg.series.closes * factor)
    for symbol, _ in known:
        assert f"fred:{symbol}" in found.provenance.made[0]


def test_cross_rates_are_of_the_days_that_both_have():
    euro, yen = fred("DEXUSEU", 1.25), fred("DEXJPUS", 160.0)
    euro = replace(euro, series=replace(euro.series, dates=DAYS[1:], closes=euro.series.closes[1:]))
    yen = replace(yen, series=replace(yen.series, dates=DAYS[:-1], closes=yen.series.closes[:-1]))
    found = convert(history(Leg("fred", "X"), facts=Facts(currency="EUR")), "JPY", euro, yen)
    np.testing.assert_array_equal(found.series.dates, DAYS[1:-1])


@pytest.mark.parametrize("currency", sources.about("fred").dollar_rates)
def test_every_dollar_rate_is_a_leg(currency):
    symbol = sources.about("fred").dollar_rates[currency]
    assert str(Leg("fred", symbol.removeprefix("/"))).startswith("fred:DEX")
    # As the Federal Reserve names them: US after DEX where dollars are what is counted.
    assert symbol.startswith("DEXUS") or (symbol.startswith("/DEX") and symbol.endswith("US"))


# ---------------------------------------------------------------- what cannot be converted


@pytest.mark.parametrize("currency", ["", "usd", "dollars", "U$D", "\x1b[31m", "US", "EURO"])
def test_what_is_no_currency_is_refused(currency):
    with pytest.raises(errors.UsageError, match="not a currency") as caught:
        converted(history(), currency, never)
    assert is_clean(caught.value.message)


@pytest.mark.parametrize(
    ("leg", "facts", "why"),
    [
        ("yahoo:X", Facts(), "its currency is not known"),
        ("csv:prices.csv", Facts(), "its currency is not known"),
        ("csv:prices.csv", Facts(currency="EUR"), "in EUR, from a file"),
        ("demo:LEADER", Facts(currency="EUR", simulated=True), "simulated"),
        ("demo:LEADER", Facts(simulated=True), "simulated"),
    ],
)
def test_what_nobody_could_convert_stays_as_it_is_and_it_is_said(leg, facts, why):
    """So that a currency may be a setting."""
    given_history = history(Leg.parse(leg), facts=facts)
    found = converted(given_history, "USD", never)
    assert found.series is given_history.series
    assert found.provenance.made == (f"{leg.removeprefix('yahoo:')}: {why}, not converted to USD",)


def test_pence_from_a_file_become_pounds():
    found = converted(history(Leg.parse("csv:prices.csv"), facts=Facts(currency="GBp")), "GBP", never)
    np.testing.assert_allclose(found.series.closes, history().series.closes / 100)


@pytest.mark.parametrize(
    ("leg", "hint"),
    [
        ("coingecko:bitcoin", "coingecko:bitcoin/eur"),
        ("coingecko:bitcoin/usd", "coingecko:bitcoin/eur"),
        ("cboe:VIX", "yahoo"),
    ],
)
def test_a_source_without_exchange_rates_says_what_to_do(leg, hint):
    with pytest.raises(errors.UsageError, match="has no exchange rates to EUR") as caught:
        converted(history(Leg.parse(leg), facts=Facts(currency="USD")), "EUR", never)
    assert hint in caught.value.hint
    assert "--currency ''" in caught.value.hint


def test_a_currency_that_fred_does_not_have_is_refused():
    with pytest.raises(errors.UsageError, match="fred has no exchange rates to RUB"):
        converted(history(Leg("fred", "X"), facts=Facts(currency="USD")), "RUB", never)


def test_rates_that_cannot_be_had_are_an_error_of_the_leg():
    def get(leg: Leg) -> History:
        raise errors.NoNetwork(f"{leg}: no network")

    with pytest.raises(errors.NoNetwork, match=r"^7203.T: cannot be converted to USD: JPYUSD=X: no network"):
        converted(history(), "USD", get)


@pytest.mark.parametrize("failure", [errors.UnknownSymbol, errors.EmptyAnswer])
def test_where_the_source_does_not_know_the_rates_the_way_out_is_no_conversion(failure):
    def get(leg: Leg) -> History:
        raise failure(f"{leg}: unknown to yahoo")

    with pytest.raises(failure, match="cannot be converted to USD: JPYUSD=X: unknown") as caught:
        converted(history(), "USD", get)
    assert caught.value.hint == "yahoo has no rates from JPY to USD: --currency '' for no conversion"


def test_where_the_source_has_the_rates_the_other_way_round_only_their_inverse_is_taken():
    there = rates()
    latest = Quote(153.0, 1.8e9, open=True)
    back = rates(leg="USDJPY=X", closes=1 / there.series.closes, quote=latest)
    leg = history(quote=Quote(3060.0, 1.8e9, open=True), events=(Event(DAYS[5], "dividend", 45.0),))

    def get(one: Leg) -> History:
        if one.symbol == "JPYUSD=X":
            raise errors.UnknownSymbol(f"{one}: unknown to yahoo")
        return back

    found, wanted = converted(leg, "USD", get), convert(leg, "USD", there)
    np.testing.assert_allclose(found.series.closes, wanted.series.closes, rtol=1e-14)
    assert found.series.quote.price == pytest.approx(20.0)
    assert found.series.events[0].value == pytest.approx(wanted.series.events[0].value)
    assert "rates of yahoo:USDJPY=X" in found.provenance.made[0]


def test_where_the_rates_cannot_be_had_otherwise_their_inverse_is_not_asked_for():
    asked = []

    def get(leg: Leg) -> History:
        asked.append(leg.symbol)
        raise errors.ProviderDown(f"{leg}: out of order")

    with pytest.raises(errors.ProviderDown, match="JPYUSD=X: out of order"):
        converted(history(), "USD", get)
    assert asked == ["JPYUSD=X"]


def test_rates_of_other_days_altogether_are_an_error():
    with pytest.raises(errors.EmptyAnswer, match="no day in common with JPYUSD=X"):
        convert(history(), "USD", rates(DAYS + 1000))


def test_two_series_of_rates_without_a_common_day_are_an_error_too():
    early, late = fred("DEXUSEU", 1.25), fred("DEXJPUS", 160.0)
    late = replace(late, series=replace(late.series, dates=DAYS + 1000))
    leg = history(Leg("fred", "X"), facts=Facts(currency="EUR"), events=(Event(DAYS[3], "dividend", 1.0),))
    with pytest.raises(errors.EmptyAnswer, match="no day in common with fred:DEXUSEU and fred:DEXJPUS"):
        convert(leg, "JPY", early, late)


def test_rates_that_are_not_above_zero_are_an_error():
    with pytest.raises(errors.SourceError, match="not above zero"):
        convert(history(), "USD", rates(closes=np.zeros(len(DAYS))))


# ---------------------------------------------------------------- through the desk


class Market(FakeSource):
    """Gives every symbol with its own currency and prices."""

    def answer(self, request):
        found = super().answer(request)
        is_rate = request.leg.symbol.endswith("=X")
        facts = RATES if is_rate else replace(YEN, currency="JPY" if request.leg.symbol.endswith(".T") else "USD")
        series = replace(found.series, facts=facts, closes=found.series.closes * (1e-4 if is_rate else 1), quote=None)
        return found._replace(series=series)


def test_a_desk_converts_what_it_serves_and_caches_both_parts_as_they_came(tmp_path):
    cache, market = Cache(tmp_path / FILE_NAME), Market()
    policy = Policy(at(TODAY), currency="USD")
    for origin in ("network", "cache"):
        found = Desk(cache, policy, {"yahoo": market}, elapsed=lambda: 0.0).history(TOYOTA)
        assert found.series.facts.currency == "USD"
        assert found.provenance.origin == origin
        np.testing.assert_allclose(found.series.closes, np.array(list(market.bars.values())) ** 2 * 1e-4)
    assert [str(entry.leg) for entry in cache.entries()] == ["7203.T", "JPYUSD=X"]
    assert cache.get(TOYOTA).series.facts.currency == "JPY"
    assert len(market.requests) == 2


def test_a_desk_asks_for_no_rate_where_none_is_needed(tmp_path):
    market = Market()
    Desk(Cache(tmp_path / FILE_NAME), Policy(at(TODAY), currency="USD"), {"yahoo": market}).history(LEG)
    assert [request.leg for request in market.requests] == [LEG]


def test_what_is_declared_to_be_no_price_is_not_converted(tmp_path):
    policy = Policy(at(TODAY), currency="USD", declared={TOYOTA: Declared.parse("index")})
    found = Desk(Cache(tmp_path / FILE_NAME), policy, {"yahoo": Market()}).history(TOYOTA)
    assert found.provenance.made == ("7203.T: an index, not converted to USD",)


def test_tokyo_in_dollars_through_yahoo_itself(wire, tmp_path):
    import yfinance.data

    yfinance.data.SingletonMeta._instances.clear()
    days = [day for day in weekdays(date(2026, 11, 20), 60) if day not in TOKYO_RESTS]
    london = weekdays(date(2026, 11, 20), 60)
    yen, rate = [3000.0 + i % 7 for i in range(len(days))], [0.0065 + i % 5 / 1e4 for i in range(60)]
    wire.lists(
        Listing("7203.T", days, yen, exchange="JPX", zone="Asia/Tokyo", currency="JPY", opens=time(9), minutes=390),
        Listing("JPYUSD=X", london, rate, "CURRENCY", "CCY", "Europe/London", "USD", opens=time(0), minutes=1439),
    )
    now = instant("2026-11-22 12:00")
    with time_machine.travel(now, tick=True):
        found = Desk(Cache(tmp_path / FILE_NAME), Policy(now, currency="USD")).history(TOYOTA)
    wanted = pd.Series(yen, days) * pd.Series(rate, london)
    wanted = wanted.dropna()
    assert found.series.dates.tolist() == list(wanted.index)
    # The provider keeps prices as 32-bit floats.
    np.testing.assert_allclose(found.series.closes, wanted.to_numpy(), rtol=2e-7)
    assert (found.series.facts.currency, found.series.facts.timezone) == ("USD", "Asia/Tokyo")
    (remark,) = [text for text in found.provenance.made if "converted" in text]
    assert "rates of yahoo:JPYUSD=X" in remark
    assert "Europe/London" in remark
