"""Comparisons that the formats are tried on, each made once: no clock, no cache, no network."""

from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
from tests import builders

from pairwatch import api, pairs
from pairwatch.cache import Cache
from pairwatch.histories import History
from pairwatch.model import Comparison, Leg, Provenance, Quote, Reading, Window
from pairwatch.render import Page
from pairwatch.staging import Question
from pairwatch.stats import entries
from pairwatch.text import clean

NOW = 1_798_000_000.0
"""An instant of the autumn of 2026, long after the days of `demo`."""
FORMATS = ("table", "csv", "json", "markdown")
PIPE = Page(now=NOW)
STATISTICS = {(e.scope, e.key): e for e in entries()}

# What a provider, a file or a passer-by may put into a name: escapes, tricks of direction, markup, formulas.
HOSTILE_TEXTS = (
    "\x1b[31mred\x1b[0m",
    "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "\x1b]0;title\x07",
    "\x9b2J\x90q\x9c",
    "nul\x00byte\x7f",
    "line\nbreak\r\nand\ttab\x0b",
    "\u202egnp.exe\u202c",
    "\u2066isolate\u2069",
    "zero\u200bwidth\u200d",
    "\ufeffmark",
    "[bold red]loud[/bold red]",
    "[/]",
    "[link=https://evil.example]x[/link]",
    "=cmd|'/c calc'!A1",
    "+1",
    "-1",
    "@SUM(A1:A9)",
    "</script><script>alert(1)</script>",
    "[a](https://evil.example) ![i](http://evil.example/i.png)",
    "https://evil.example www.evil.example <https://evil.example>",
    "a | b | c \\| d \\",
    "`code` ``` ~~~ **strong** _em_ ~~gone~~",
    "# heading",
    "&lt;b&gt; &#x41; <b>b</b>",
    "long " * 60,
    "tag\U000e0041 \u2028 \u2029 lone\ud800",
)


@cache
def demo(a: str = "TWIN1", b: str = "TWIN2") -> Comparison:
    """A pair of demo legs as of a day that does not change."""
    nowhere = Cache(Path("nowhere") / "prices.db")
    return api.compare(f"demo:{a}", f"demo:{b}", as_of="2026-06-30", now=NOW, cache=nowhere)


@cache
def rate_and_price() -> Comparison:
    """A rate against a price: much of it cannot be said; one session is open."""
    a, b = builders.linked_returns(61, seed=3)
    rate = builders.history(
        4 + 100 * a.cumsum() / 9, builders.weekdays(61), symbol="^TNX", measure="rate", unit="percent"
    )
    quote = Quote(101.5, 1_795_200_000.0, open=True)  # 2026-11-20 18:40 UTC
    return builders.compared(rate, builders.history(builders.prices(b), symbol="BBB", quote=quote))


def _leg(text: str, closes: builders.Floats, **facts: object) -> History:
    """A leg of any source, such as `fred:DGS10`, on the weekdays up to the usual day."""
    series = builders.Series(Leg.parse(text), builders.weekdays(len(closes)), closes, (), builders.Facts(**facts))
    return History(series, Provenance("network", NOW))


@cache
def rate_and_index() -> Comparison:
    """A yield against a volatility index, which changes in percent, both with what their sources say of them."""
    a, b = builders.linked_returns(69, seed=8)
    rate = _leg("fred:DGS10", 4 + 5 * a.cumsum(), measure="rate", unit="percent", frequency="day", name="10-year yield")
    vix = {"measure": "level", "unit": "points", "closes_at": 975, "timezone": "America/New_York", "frequency": "day"}
    return builders.compared(rate, _leg("cboe:VIX", builders.prices(5 * b[1:], 17.0), **vix))


@cache
def two_rates() -> Comparison:
    """Two yields: their changes and their gap are in basis points."""
    a, b = builders.linked_returns(70, 0.9, seed=9)
    rates = [("fred:DGS10", 4 + 5 * a.cumsum()), ("fred:DGS2", 3.5 + 5 * b.cumsum())]
    return builders.compared(*(_leg(name, x, measure="rate", unit="percent", frequency="day") for name, x in rates))


@cache
def points_and_level() -> Comparison:
    """A leg that goes through zero, in points, against a level with a long unit."""
    a, b = builders.linked_returns(69, seed=10)
    points = _leg("csv:spread.csv", 2000 * np.append(0.5, a).cumsum() - 700, measure="index", changes="points")
    people = {"measure": "level", "unit": "Thousands of Persons, Seasonally Adjusted", "name": "All Employees"}
    return builders.compared(points, _leg("fred:PAYEMS", builders.prices(b / 10, 159_123.0), **people))


@cache
def hostile(text: str) -> Comparison:
    """A pair whose names and currencies are `text`, as a source hands it on."""
    a, b = builders.linked_returns(61, seed=5)
    told, more = clean(text), clean(f"{text} ")
    return builders.compared(
        builders.history(builders.prices(a), symbol="AAA", name=told, currency=told),
        builders.history(builders.prices(b), symbol="BBB", name=more, currency=f"USD{more}"),
    )


@cache
def with_files(a: str, b: str) -> Comparison:
    """A pair of files with these paths."""
    x, y = builders.linked_returns(61, seed=7)
    days = builders.weekdays(62)
    legs = [
        History(builders.Series(Leg("csv", path), days, builders.prices(r)), Provenance("file"))
        for path, r in ((a, x), (b, y))
    ]
    return builders.compared(*legs)


@cache
def flat() -> Comparison:
    """A leg that does not move: no leader can be named, no correlation be given."""
    _, b = builders.linked_returns(61)
    still = builders.history(np.full(62, 10.0), symbol="STILL")
    return builders.compared(still, builders.history(builders.prices(b), symbol="BBB"))


@cache
def many_lags(max_lag: int) -> Comparison:
    """A pair with lags far out."""
    a, b = builders.linked_returns(400, seed=2)
    legs = [builders.history(builders.prices(r), symbol=name) for r, name in ((a, "AAA"), (b, "BBB"))]
    return builders.compared(*legs, window="400b", as_of=date(2026, 11, 20), max_lag=max_lag)


@cache
def with_past() -> Comparison:
    """A pair that is calm until its last weeks, with the percentiles of its own history."""
    a, b = builders.linked_returns(600, 0.8, seed=2)
    a[-18:] *= 8
    legs = [builders.history(builders.prices(r), symbol=name) for r, name in ((a, "AAA"), (b, "BBB"))]
    return pairs.compare(*legs, Question(builders.FRIDAY, Window(25, "b"), 5), with_past=True)


ALL = {
    "demo": demo,
    "rate": rate_and_price,
    "rate-index": rate_and_index,
    "rates": two_rates,
    "points-level": points_and_level,
    "past": with_past,
    "flat": flat,
}
"""Pairs on which all formats must agree, by name."""


def reading(key: str, value: float, scope: str = "pair", unit: str | None = None) -> Reading:
    """One reading of the catalogue with a value of our own."""
    statistic = STATISTICS["leg" if scope in ("a", "b", "difference") else scope, key]
    return Reading(statistic, scope, value, unit or statistic.unit)
