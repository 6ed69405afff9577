"""Legs: each source's own way of writing symbols."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairwatch.errors import UsageError
from pairwatch.model import Leg


@pytest.mark.parametrize("text", ["fred:DGS10", "cboe:VIX9D", "demo:LEADER", "fred:BAMLH0A0HYM2"])
def test_symbols_in_capitals_may_be_typed_in_any_case(text):
    source, _, symbol = text.partition(":")
    assert str(Leg.parse(f"{source}:{symbol.lower()}")) == text


@pytest.mark.parametrize("text", ["coingecko:bitcoin", "coingecko:usd-coin", "coingecko:1000sats-ordinals"])
def test_a_coin_may_be_typed_in_any_case(text):
    source, _, symbol = text.partition(":")
    assert str(Leg.parse(f"{source}:{symbol.upper()}")) == text


def test_a_coin_may_be_asked_for_in_a_currency():
    assert Leg.parse("coingecko:bitcoin/EUR") == Leg("coingecko", "bitcoin/eur")


@pytest.mark.parametrize(
    "text", ["bitcoin/", "/eur", "bitcoin/e", "a/b/usd", "a/../b", "..", "a..b", "a?x=1", "a%2f", "é"]
)
def test_a_coin_has_no_path_in_it(text):
    with pytest.raises(UsageError):
        Leg("coingecko", text)


def test_a_symbol_of_a_source_that_is_not_built_in_stays_as_it_is_typed():
    assert Leg.parse("acme:Brent/Spot:1m").symbol == "Brent/Spot:1m"


@pytest.mark.parametrize("text", ["../secret", "a/../b", "a b", "a\nb", "=cmd", "@x", "-x", "+x", "a#b", "a?b", ""])
def test_such_a_symbol_is_refused_for_any_source(text):
    with pytest.raises(UsageError):
        Leg("acme", text)


@given(source=st.sampled_from(["yahoo", "fred", "coingecko", "cboe", "acme"]), text=st.text(max_size=40))
def test_what_is_typed_is_read_back_from_what_is_shown(source, text):
    try:
        leg = Leg.parse(text, source)
    except UsageError:
        return
    assert Leg.parse(str(leg)) == leg
    assert Leg(leg.source, leg.symbol) == leg
