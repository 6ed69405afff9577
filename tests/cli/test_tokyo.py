"""`compare 7203.T SPY` through Yahoo's wire: another currency, another time zone, another close."""

import json
from datetime import date, time

import numpy as np
import pandas as pd
import pytest
import time_machine
from tests.wire import Listing, instant, weekdays

NOW = instant("2026-11-22 12:00")
DAYS = weekdays(date(2026, 11, 20), 90)


@pytest.fixture
def closes(wire):
    """News that come while New York trades: SPY has them the same day, Tokyo the day after."""
    import yfinance.data

    yfinance.data.SingletonMeta._instances.clear()
    news, noise, dollars = np.random.default_rng(5).standard_normal((3, len(DAYS)))
    spy = 600 * np.exp(0.01 * news.cumsum())
    toyota = 3000 * np.exp(0.01 * (np.concatenate([[0], news[:-1]]) + 0.3 * noise).cumsum())
    rate = 0.0065 * np.exp(0.003 * dollars.cumsum())
    tokyo = {"exchange": "JPX", "zone": "Asia/Tokyo", "currency": "JPY", "opens": time(9), "minutes": 390}
    london = {"kind": "CURRENCY", "exchange": "CCY", "zone": "Europe/London", "opens": time(0), "minutes": 1439}
    found = {"SPY": (spy, {"exchange": "PCX"}), "7203.T": (toyota, tokyo), "JPYUSD=X": (rate, london)}
    wire.lists(*(Listing(name, DAYS, values.tolist(), **more) for name, (values, more) in found.items()))
    return pd.DataFrame({name: values for name, (values, _) in found.items()}, DAYS)


def said(run, *options):
    with time_machine.travel(NOW, tick=True):
        code, out, _ = run("compare", "7203.T", "SPY", "--json", *options)
    assert code == 0
    return json.loads(out)


def test_the_clocks_are_told_and_called_no_leader(run, closes):
    found = said(run)
    assert (found["a"]["currency"], found["a"]["timezone"]) == ("JPY", "Asia/Tokyo")
    assert found["leadership"]["hours_apart"] == pytest.approx(-14.5)
    assert found["leadership"]["lag"] == -1
    assert found["leadership"]["p_value"] < 0.05
    assert found["leadership"]["leader"] is None
    assert "SPY closes 14.5 h after 7203.T" in found["leadership"]["verdict"]
    assert any("7203.T is in JPY, SPY in USD" in text and "--currency USD" in text for text in found["warnings"])


@pytest.mark.parametrize(("code", "told"), [("ZZZ", True), ("ZZZ", False), ("TAI", True)])
def test_an_exchange_without_a_calendar_closes_when_yahoo_says_so_also_from_the_cache(run, wire, code, told):
    import yfinance.data

    yfinance.data.SingletonMeta._instances.clear()
    news, noise = np.random.default_rng(5).standard_normal((2, len(DAYS)))
    spy = 600 * np.exp(0.01 * news.cumsum())
    early = 3000 * np.exp(0.01 * (np.concatenate([[0], news[:-1]]) + 0.3 * noise).cumsum())
    taipei = {"exchange": code, "zone": "Asia/Taipei", "opens": time(9), "minutes": 270 if told else 0}
    wire.lists(Listing("SPY", DAYS, spy.tolist(), exchange="PCX"), Listing("2330.TW", DAYS, early.tolist(), **taipei))
    because = "SPY closes 15.5 h after 2330.TW" if told else "when 2330.TW closes is not known"
    for more in ((), ("--offline",)):
        with time_machine.travel(NOW, tick=True):
            found = json.loads(run("compare", "2330.TW", "SPY", "--json", *more)[1])
            code, out, err = run("check", "2330.TW", "SPY", "--when", "lead_p_value < 0.05", *more)
        assert found["leadership"]["hours_apart"] == (pytest.approx(-15.5) if told else None)
        assert found["leadership"]["leader"] is None
        assert found["leadership"]["verdict"].startswith(f"no verdict: {because}, and the clock alone")
        assert (code, out) == (4, "")
        assert f"cannot be said: lead_p_value 0.0005 (no verdict: {because})" in err


def test_the_nearest_closes_tell_what_the_same_dates_hide(run, closes):
    same_date, nearest = said(run), said(run, "--align", "nearest")
    assert abs(same_date["pair"]["correlation"]) < 0.3
    assert nearest["pair"]["correlation"] > 0.8
    assert nearest["leadership"]["hours_apart"] == pytest.approx(10.5)  # before the clocks were put back
    assert nearest["receipt"]["align"] == "nearest"


def test_in_dollars_the_returns_have_the_exchange_rate_in_them(run, closes):
    found = said(run, "--currency", "USD")
    assert found["a"]["currency"] == "USD"
    assert not any("JPY, SPY in USD" in text for text in found["warnings"])
    assert any("rates of yahoo:JPYUSD=X" in text for text in found["warnings"])
    start = date.fromisoformat(found["receipt"]["base"])
    dollars = (closes["7203.T"] * closes["JPYUSD=X"])[start : date.fromisoformat(found["receipt"]["end"])]
    returns = dollars.pct_change().dropna()
    assert found["a"]["volatility"] == pytest.approx(returns.std() * np.sqrt(252), rel=1e-5)
    assert found["a"]["total_return"] == pytest.approx(dollars.iloc[-1] / dollars.iloc[0] - 1, rel=1e-5)
