"""Cryptocurrencies at CoinGecko: a price each midnight of UTC, the close of the day that ends there.

A symbol is an id (`bitcoin`), or what only one coin is traded as. Many coins share a symbol, and new ones take old
ones' every week: so the id is kept with what was fetched, and no other coin is ever taken for it.
"""

from datetime import date
from http import HTTPStatus

import numpy as np

from pairwatch.errors import EmptyAnswer, SourceError, UnknownSymbol, WrongAnswer
from pairwatch.model import Facts, Fetched, Leg, Series
from pairwatch.sources import Request
from pairwatch.sources.coingecko_answers import (
    PRO_KEY,
    SETTLING,
    Coin,
    NoSuchCoin,
    NotInThisPlan,
    closes,
    coins,
    currency_of,
    is_id,
    points,
    quote,
    symbol_of,
    utc_day,
)
from pairwatch.sources.http import Answer, Client, Host
from pairwatch.text import clean, listing

HOST = Host("coingecko", ("api.coingecko.com", "pro-api.coingecko.com"))
PRO, FREE = "https://pro-api.coingecko.com/api/v3", "https://api.coingecko.com/api/v3"
# How many days back CoinGecko answers without a paid key.
REACH = 365
# From so many days on, answers are daily without being asked to.
DAILY_BY_ITSELF = 91
# How far back a missing day is worth a word.
MEMORY = np.timedelta64(400, "D")
_CANDIDATES = 5


class CoinGecko:
    """Daily closes and the latest price of any coin that CoinGecko follows."""

    def fetch(self, request: Request) -> Fetched:
        """See `pairwatch.sources.Source.fetch`."""
        leg, desk = request.leg, _Desk(request)
        coin, held = asked_coin(request)
        try:
            return desk.history(coin)
        except NoSuchCoin as unknown:
            found = only_coin(leg, desk.search(unknown))
        if held and found.id != held:
            raise WrongAnswer(
                f"{leg}: what is held is {held}, which coingecko no longer knows; the symbol is {found.id}'s now",
                f"for the other coin: coingecko:{found.id}",
            )
        fetched = desk.history(found)
        remark = f"{symbol_of(leg)} is {found.id} at coingecko, the only coin of that symbol"
        return fetched._replace(remarks=(remark, *fetched.remarks))


def asked_coin(request: Request) -> tuple[Coin, str]:
    """The coin to be asked for first, and the id that is held for the leg, or nothing."""
    known = request.known
    if known and is_id(known.identity):
        return Coin(known.identity, known.name or known.identity), known.identity
    symbol = symbol_of(request.leg)
    return Coin(symbol, symbol), ""


def days_back(request: Request) -> str:
    """How many days are asked for: what is needed and two more, or all that can be had."""
    paid = request.key is not None and request.key.name == PRO_KEY
    if request.since is None:
        return "max" if paid else str(REACH)
    needed = max(1, (utc_day(request.now) - request.since).days + 2)
    return str(needed if paid else min(needed, REACH))


class _Desk:
    """All that one request asks of CoinGecko, within one deadline."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._client = Client(HOST, request)

    def history(self, coin: Coin) -> Fetched:
        """The prices of one coin; where daily ones may not be asked for, so many that they come by themselves."""
        request = self._request
        days, path = days_back(request), f"/coins/{coin.id}/market_chart"
        query = {"vs_currency": currency_of(request.leg), "days": days, "interval": "daily"}
        try:
            return read(request, coin, self._get(path, query))
        except NotInThisPlan:
            if days != "max":
                query["days"] = str(max(int(days), DAILY_BY_ITSELF))
            del query["interval"]
            return read(request, coin, self._get(path, query))

    def search(self, unknown: SourceError) -> list[Coin]:
        """What CoinGecko finds by the leg's symbol.

        Raises:
            SourceError: `unknown`, if there is no searching.
        """
        leg = self._request.leg
        answer = self._get("/search", {"query": symbol_of(leg)})
        try:
            if answer.status == HTTPStatus.OK:
                return coins(leg, answer.body)
        except SourceError:
            pass
        raise UnknownSymbol(unknown.message, unknown.hint) from None

    def _get(self, path: str, query: dict[str, str]) -> Answer:
        """Ask with the user's key, if there is one: in a header, never in a URL."""
        key = self._request.key
        if key is None:
            return self._client.get(FREE + path, query)
        pro = key.name == PRO_KEY
        header = "x-cg-pro-api-key" if pro else "x-cg-demo-api-key"
        return self._client.get((PRO if pro else FREE) + path, query, {header: key.secret}, (key.secret,))


def only_coin(leg: Leg, found: list[Coin]) -> Coin:
    """The one coin that is traded as the leg's symbol.

    Raises:
        UnknownSymbol: none is, or several are; the hint names up to five.
    """
    symbol = symbol_of(leg)
    same = {coin.id: coin for coin in found if coin.symbol == symbol}
    # Those that nobody could type count where it is asked whether a symbol is one coin's alone.
    typed = [coin for coin in (same or {coin.id: coin for coin in found}).values() if is_id(coin.id)]
    if len(same) == 1 and typed:
        return typed[0]
    shown = listing(typed[:_CANDIDATES], _CANDIDATES)
    if len(same) > 1:
        raise UnknownSymbol(f"{leg}: {len(same)} coins at coingecko are traded as {symbol}", f"one of {shown}")
    raise UnknownSymbol(
        f"{leg}: unknown to coingecko, as an id and as a symbol",
        f"perhaps {shown}" if shown else "the id stands in the address of the coin's page at coingecko",
    )


def read(request: Request, coin: Coin, answer: Answer) -> Fetched:
    """Our types from an answer about one coin.

    Raises:
        SourceError: it holds no close of it.
    """
    leg, now = request.leg, request.now
    found = points(request, answer)
    table = closes(found, now)
    wanted = table.days >= np.datetime64(request.since or date.min)
    if not wanted.any():
        raise EmptyAnswer(f"{leg}: coingecko's answer holds no close of the days asked for")
    days, prices = table.days[wanted], table.closes[wanted]
    series = Series(leg, days, prices, facts=facts_of(leg, coin), quote=quote(found, now))
    since = _first_covered(request, days[0].item())
    settled = np.datetime64(utc_day(now - SETTLING))  # the days before this one are finished
    expected = np.arange(max(series.dates[0], np.datetime64(since or date.min), settled - MEMORY), settled)
    return Fetched(series, since, now, now, expected, table.remarks)  # always open: as fresh as its quote


def _first_covered(request: Request, first: date) -> date | None:
    """From which day on the answer speaks: not from before what CoinGecko reaches back to."""
    days, since = days_back(request), request.since
    if since is None or days == "max" or (utc_day(request.now) - since).days <= int(days):
        return since
    return max(since, first)


def facts_of(leg: Leg, coin: Coin) -> Facts:
    """What is known of a coin: a day ends at midnight of UTC, and every day is one."""
    return Facts(
        name=clean(coin.name),
        currency=currency_of(leg).upper(),
        measure="price",
        kind="CRYPTOCURRENCY",
        exchange="CoinGecko",
        timezone="UTC",
        closes_at=1440,
        every_day=True,
        frequency="day",
        identity=coin.id,
    )
