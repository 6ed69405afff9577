"""Each remote source's provider on the wire, by one interface: rows in, whatever the provider makes of them out.

A row is a day and a value; `None` is a day for which the provider says that it has none. Rows are sent as they are
handed in: unsorted, twice, of the future.
"""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Any, ClassVar

from tests.wire import JSON, TEXT, Asked, Listing, Wire

from pairwatch.model import Leg
from pairwatch.sources import Key

Row = tuple[date, float | None]
Answer = tuple[int, str, bytes, dict[str, str]]
DAY = timedelta(days=1)


class Provider:
    """What a test knows of a provider.

    Attributes:
        leg, unknown: one that it has, and one that it has not.
        base: about what the values are.
        keys: what the user has been given.
        every_day: whether there is a value for Sundays.
        fault: what is in the paths of its answers about prices.
    """

    leg: Leg
    unknown: Leg
    base = 100.0
    keys: MappingProxyType[str, Key] = MappingProxyType({})
    every_day = False
    fault: ClassVar[str]

    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    def serve(self, rows: Sequence[Row], now: float) -> None:
        """Answer with these rows from now on."""
        raise NotImplementedError

    def serve_unfinished(self, rows: Sequence[Row], now: float) -> None:
        """Answer with rows the last of which is of a day that is not over."""
        self.serve(rows, now)

    def serve_other(self, rows: Sequence[Row], now: float) -> None:
        """Answer as if the symbol were somebody else's from now on."""
        self.serve(rows, now)

    def serve_in_euros(self, rows: Sequence[Row], now: float) -> None:
        """Answer in another currency, and say so where the provider can."""
        self.serve(rows, now)


class Yahoo(Provider):
    """The chart endpoint."""

    leg, unknown = Leg("yahoo", "QQQ"), Leg("yahoo", "NOPE")
    base = 600.0
    fault = "chart"

    def serve(self, rows: Sequence[Row], now: float, **more: Any) -> None:
        """With the period of the last session that began before `now`."""
        days, closes = [day for day, _ in rows], [value for _, value in rows]
        listing = Listing("QQQ", days or [date(2026, 9, 1)], closes or [1.0], **more)
        past = [day for day in listing.days if listing.stamp(day) <= now]
        if past:
            listing.period = listing.session(max(past))
        if rows:
            self.wire.lists(listing)
        else:
            self.wire.answers("QQQ", listing.chart(since=1e17))

    def serve_unfinished(self, rows: Sequence[Row], now: float) -> None:
        """As the bar that Yahoo appends while a session is open."""
        *done, (day, price) = rows
        assert price is not None
        period = Listing("QQQ", [day], [price]).session(day)
        days, closes = [row[0] for row in done], [row[1] for row in done]
        self.wire.lists(Listing("QQQ", days, closes, live=(now - 60, price), period=period))

    def serve_other(self, rows: Sequence[Row], now: float) -> None:
        """Under another name, and traded since later."""
        self.serve(rows, now, name="Somebody Else Inc.")

    def serve_in_euros(self, rows: Sequence[Row], now: float) -> None:
        """With the currency's name."""
        self.serve(rows, now, currency="EUR")


class Fred(Provider):
    """The CSV, without a key."""

    leg, unknown = Leg("fred", "DGS10"), Leg("fred", "NOPE")
    base = 4.1
    fault = "stlouisfed"
    header = "observation_date,DGS10"

    def serve(self, rows: Sequence[Row], now: float) -> None:
        """From `cosd` on."""

        def page(asked: Asked) -> Answer:
            if asked.query.get("id") != "DGS10":
                return 404, "text/html", b"<!DOCTYPE html><html><title>Error</title></html>", {}
            since = asked.query.get("cosd", "")
            lines = [f"{day},{'' if value is None else value}" for day, value in rows if day.isoformat() >= since]
            return 200, "application/csv", "\n".join([self.header, *lines, ""]).encode(), {}

        self.wire.serves("fred.stlouisfed.org", "/graph/fredgraph.csv", page)

    def serve_other(self, rows: Sequence[Row], now: float) -> None:
        """Under another id."""
        self.header = "observation_date,OTHER"
        self.serve(rows, now)


class KeyedFred(Provider):
    """The API."""

    leg, unknown = Leg("fred", "DCOILWTICO"), Leg("fred", "NOPE")
    base = 62.0
    keys = MappingProxyType({"fred": Key("FRED_API_KEY", "abcdefghijklmnopqrstuvwxyz012345")})
    fault = "stlouisfed"
    units = "Dollars per Barrel"

    def serve(self, rows: Sequence[Row], now: float) -> None:
        """From `observation_start` on."""

        def observed(asked: Asked) -> Answer:
            since = asked.query.get("observation_start", "")
            found = [
                {"date": day.isoformat(), "value": "." if value is None else str(value)}
                for day, value in rows
                if day.isoformat() >= since
            ]
            return self._found(asked, {"count": len(found), "observations": found})

        def described(asked: Asked) -> Answer:
            one = {"id": "DCOILWTICO", "title": "Oil", "units": self.units, "frequency": "Daily"}
            return self._found(asked, {"seriess": [one]})

        self.wire.serves("api.stlouisfed.org", "/fred/series", described)
        self.wire.serves("api.stlouisfed.org", "/fred/series/observations", observed)

    def serve_in_euros(self, rows: Sequence[Row], now: float) -> None:
        """With the unit's name."""
        self.units = "Euros per Barrel"
        self.serve(rows, now)

    def _found(self, asked: Asked, payload: dict[str, Any]) -> Answer:
        if asked.query["series_id"] != "DCOILWTICO":
            error = {"error_code": 400, "error_message": "Bad Request.  The series does not exist."}
            return 400, JSON, json.dumps(error).encode(), {}
        return 200, JSON, json.dumps(payload).encode(), {}


class CoinGecko(Provider):
    """Prices at midnight, and the price of now."""

    leg, unknown = Leg("coingecko", "bitcoin"), Leg("coingecko", "nope")
    base = 60_000.0
    every_day = True
    fault = "market_chart"

    def serve(self, rows: Sequence[Row], now: float, *, latest: float = 61_000.0) -> None:
        """The close of a day is the price at which the next one begins."""

        def page(asked: Asked) -> Answer:
            first = now - (366 if asked.query["days"] == "max" else int(asked.query["days"])) * 86_400
            points = [(_midnight(day + DAY), value) for day, value in rows]
            found = [[at * 1000, value] for at, value in points if at >= first]
            if found:
                found.append([now * 1000 - 40_000, latest])
            return 200, JSON, json.dumps({"prices": found, "market_caps": [], "total_volumes": []}).encode(), {}

        self.wire.serves("api.coingecko.com", "/api/v3/coins/bitcoin/market_chart", page)
        nothing = json.dumps({"error": "coin not found"})
        self.wire.serves("api.coingecko.com", "/api/v3/coins/nope/market_chart", nothing, status=404, kind=JSON)
        self.wire.serves("api.coingecko.com", "/api/v3/search", json.dumps({"coins": []}), kind=JSON)

    def serve_unfinished(self, rows: Sequence[Row], now: float) -> None:
        """As the price of now."""
        *done, (_, price) = rows
        assert price is not None
        self.serve(done, now, latest=price)

    def serve_other(self, rows: Sequence[Row], now: float) -> None:
        """The id is gone, and another coin has taken the symbol."""
        self.serve(rows, now)
        nothing = json.dumps({"error": "coin not found"})
        coins = {"coins": [{"id": "bitcoin-2", "name": "Two", "symbol": "bitcoin", "market_cap_rank": 1}]}
        page = self.wire.pages["api.coingecko.com", "/api/v3/coins/bitcoin/market_chart"]
        self.wire.serves("api.coingecko.com", "/api/v3/coins/bitcoin-2/market_chart", page)
        self.wire.serves("api.coingecko.com", "/api/v3/coins/bitcoin/market_chart", nothing, status=404, kind=JSON)
        self.wire.serves("api.coingecko.com", "/api/v3/search", json.dumps(coins), kind=JSON)


class Cboe(Provider):
    """A file of five columns."""

    leg, unknown = Leg("cboe", "VIX"), Leg("cboe", "NOPE")
    base = 16.0
    fault = "cboe"

    def serve(self, rows: Sequence[Row], now: float) -> None:
        """The whole file, whatever is asked for."""
        lines = [
            f"{day:%m/%d/%Y},20.000000,99.000000,1.000000,{'' if value is None else f'{value:.6f}'}"
            for day, value in rows
        ]
        self._file("\n".join(["DATE,OPEN,HIGH,LOW,CLOSE", *lines, ""]))

    def serve_other(self, rows: Sequence[Row], now: float) -> None:
        """The file of another index."""
        lines = [f"{day:%m/%d/%Y},{value}" for day, value in rows]
        self._file("\n".join(["DATE,SKEW", *lines, ""]))

    def _file(self, text: str) -> None:
        folder = "/api/global/us_indices/daily_prices"
        denied = "<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>"
        self.wire.serves("cdn.cboe.com", f"{folder}/VIX_History.csv", text, kind=TEXT)
        self.wire.serves("cdn.cboe.com", f"{folder}/NOPE_History.csv", denied, status=403, kind="application/xml")


PROVIDERS: dict[str, type[Provider]] = {
    "yahoo": Yahoo,
    "fred": Fred,
    "fred with a key": KeyedFred,
    "coingecko": CoinGecko,
    "cboe": Cboe,
}


def _midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
