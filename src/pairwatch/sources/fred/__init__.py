"""FRED, the data service of the Federal Reserve Bank of St. Louis.

Without a key each series comes as one CSV that tells neither unit nor frequency: `fred_ids` knows those of the series
that people compare, and the days tell the frequency of others. With a key FRED says both itself.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from pairwatch.errors import CutShort, EmptyAnswer, GarbledAnswer, ProviderDown
from pairwatch.kernels import is_every_day
from pairwatch.model import Facts, Fetched, Frequency, Leg, Series
from pairwatch.sources import Key, Request
from pairwatch.sources.fred.answers import (
    Counted,
    Described,
    Observations,
    counted_in,
    is_error,
    observations,
    read_csv,
    read_json,
    read_metadata,
    refusal,
)
from pairwatch.sources.fred_ids import NEW_YORK, Known, known_id
from pairwatch.sources.fred_periods import Cadence, cadence_of, inferred, period_ends
from pairwatch.sources.http import Answer, Client, Host
from pairwatch.text import plural

CSV: Final = "https://fred.stlouisfed.org/graph/fredgraph.csv"
SERIES: Final = "https://api.stlouisfed.org/fred/series"
OBSERVATIONS: Final = "https://api.stlouisfed.org/fred/series/observations"
# The API's own limit; it has no series with so many observations.
PAGE: Final = 100_000

_HOST: Final = Host("fred", ("fred.stlouisfed.org", "api.stlouisfed.org"))
_MOST_PAGES: Final = 10
_UNKNOWN: Final = Known("level")
_SHORT: Final[tuple[Frequency, ...]] = ("day", "week")
_KINDS: Final[dict[Frequency, str]] = {
    "day": "Daily",
    "week": "Weekly",
    "fortnight": "Biweekly",
    "month": "Monthly",
    "quarter": "Quarterly",
    "half-year": "Semiannual",
    "year": "Annual",
}
_DAY: Final = 86_400.0
_HOURS: Final = 4 * 3_600.0


class Fred:
    """Rates, yields, prices and economic series by FRED's ids."""

    def fetch(self, request: Request) -> Fetched:
        """See `pairwatch.sources.Source.fetch`.

        A daily or weekly series is asked for from `request.since` on. A slower one comes whole every time: it is
        short, and most of them are revised further back than any overlap would reach.
        """
        client = Client(_HOST, request)
        described, remarks = _described(client, request)
        since = request.since if _expected_frequency(request, described) in _SHORT else None
        found = _observed(client, request, since)
        return _answer(request, since, found, described, remarks)


# ---------------------------------------------------------------- asking


def _described(client: Client, request: Request) -> tuple[Described | None, list[str]]:
    """What FRED says of the series, where there is a key to ask with, and what is to be said where it does not."""
    leg, key = request.leg, request.key
    if key is None:
        return None, []
    try:
        answer = _asked(client, SERIES, {"series_id": leg.symbol}, leg, key)
        return read_metadata(leg, answer.body), []
    except (CutShort, EmptyAnswer, GarbledAnswer, ProviderDown):
        return None, ["FRED did not answer what the series is: what is known of it is pairwatch's own"]


def _expected_frequency(request: Request, described: Described | None) -> Frequency:
    """The frequency of the series before its days are known; empty where nothing tells."""
    if described:
        return cadence_of(described.frequency)
    known = known_id(request.leg.symbol) or _UNKNOWN
    return known.cadence or (request.known.frequency if request.known else "")


def _observed(client: Client, request: Request, since: date | None) -> Observations:
    """The observations since a day, by the API where there is a key, else by the CSV."""
    leg, key = request.leg, request.key
    start = since.isoformat() if since else ""
    if key is None:
        query = {"id": leg.symbol, **({"cosd": start} if start else {})}
        answer = client.get(CSV, query)
        if answer.status != 200:
            raise refusal(leg, answer.status, answer.body)
        return read_csv(leg, answer.body)
    query = {"series_id": leg.symbol, "sort_order": "asc", **({"observation_start": start} if start else {})}
    days: list[str] = []
    values: list[str] = []
    for _ in range(_MOST_PAGES):
        wanted = {**query, "limit": str(PAGE), "offset": str(len(days))}
        page = read_json(leg, _asked(client, OBSERVATIONS, wanted, leg, key).body)
        days, values = days + page.days, values + page.values
        if len(days) >= page.total or not page.days:
            break
    else:
        raise GarbledAnswer(f"{leg}: fred's answer does not come to an end")
    if len(days) != page.total:
        raise CutShort(f"{leg}: fred counts {plural(page.total, 'observation')} and gave {len(days):,}")
    return observations(leg, days, values)


def _asked(client: Client, url: str, query: Mapping[str, str], leg: Leg, key: Key) -> Answer:
    """The API's answer, which takes the key in the query alone."""
    answer = client.get(url, {**query, "file_type": "json", "api_key": key.secret}, secrets=(key.secret,))
    if answer.status != 200 or is_error(answer.body):
        raise refusal(leg, answer.status, answer.body, key)
    return answer


# ---------------------------------------------------------------- reading


def _answer(
    request: Request, since: date | None, found: Observations, described: Described | None, remarks: list[str]
) -> Fetched:
    leg = request.leg
    table = known_id(leg.symbol)
    cadence = _cadence(request, found, described, table)
    try:
        ends = period_ends(found.days, cadence)
    except ValueError as error:
        raise GarbledAnswer(f"{leg}: fred's dates are not those of its frequency: {error}") from error
    today = np.datetime64(datetime.fromtimestamp(request.now, ZoneInfo(NEW_YORK)).date())
    present = ~np.isnan(found.values)
    future = present & (found.days > today)
    # Nothing changes once it is published; but what a day or a month came to is known when it is over.
    keep = present & (ends < today)
    if not keep.any():
        raise EmptyAnswer(f"{leg}: fred's answer holds no value of a finished period")
    facts = _facts(request, cadence, described, table, every_day=cadence == "day" and is_every_day(ends[keep]))
    if future.any():
        remarks.append(f"{plural(int(future.sum()), 'value')} of the future left out, from {found.days[future][0]} on")
    if described is None and table is None and facts.measure == "level" and not facts.unit:
        remarks.append(
            f"what {leg} is counted in is not known, and it is taken as a level: `--unit {leg}=rate` (or price, or"
            f" index) says what it is{'' if request.key else ', or a FRED_API_KEY'}"
        )
    return Fetched(
        series=Series(leg, ends[keep], found.values[keep], facts=facts),
        since=since,
        asked_at=request.now,
        fresh_until=_fresh_until(request.now, found.days[found.days < today][-1:], facts),
        expected=np.array([], dtype="datetime64[D]"),
        remarks=tuple(remarks),
    )


def _cadence(request: Request, found: Observations, described: Described | None, table: Known | None) -> Cadence:
    """The cadence by FRED's word, by the days themselves, by the table, by an earlier answer: the first that tells."""
    earlier: Cadence = request.known.frequency if request.known else ""
    return (
        (cadence_of(described.frequency) if described else "")
        or inferred(found.days)
        or (table.cadence if table else "")
        or earlier
    )


def _facts(
    request: Request, frequency: Frequency, described: Described | None, table: Known | None, *, every_day: bool
) -> Facts:
    known = table or (_UNKNOWN if described and described.units else _earlier(request))
    counted = _counted(described, known)
    ours = (counted.unit or counted.measure).capitalize(), _KINDS.get(frequency, "")
    words = (described.units, described.frequency, described.adjustment) if described else ours
    return Facts(
        name=(described.title if described else "") or known.name or request.leg.symbol,
        currency=counted.currency,
        measure=counted.measure,
        unit=counted.unit,
        kind=", ".join(word for word in words if word),
        exchange="FRED",
        timezone=NEW_YORK,
        closes_at=known.closes_at if frequency == "day" else None,
        every_day=every_day,
        frequency=frequency,
    )


def _earlier(request: Request) -> Known:
    """What an earlier answer said the values are: FRED is not always asked, and does not always answer."""
    known = request.known
    return Known(known.measure, known.unit, currency=known.currency, name=known.name) if known else _UNKNOWN


def _counted(described: Described | None, known: Known) -> Counted:
    """What values are: as FRED says, unless the table knows them to be more than its words tell."""
    ours = Counted(known.measure, known.unit, known.currency)
    if not (described and described.units):
        return ours
    theirs = counted_in(described.units)
    if theirs.measure != "level" or known.measure == "level":
        return theirs
    return ours._replace(unit=theirs.unit) if known.measure == "index" else ours


def _fresh_until(now: float, newest: np.ndarray, facts: Facts) -> float:
    """Until when asking again can bring nothing worth it.

    A weekday's value comes on a later weekday, most of them in the afternoon in Chicago, some (oil) days after. So
    while the last weekday is not listed yet (a holiday is, without a value) it is looked for every few hours; once it
    is, nothing comes before another weekday is over in New York. Slower series are looked at once a day.
    """
    if facts.frequency != "day":
        return now + _DAY
    zone = ZoneInfo(NEW_YORK)
    today = datetime.fromtimestamp(now, zone).date()
    due, coming = today - timedelta(days=1), today
    while not facts.every_day and due.weekday() > 4:
        due -= timedelta(days=1)
    while not facts.every_day and coming.weekday() > 4:
        coming += timedelta(days=1)
    if not len(newest) or newest[0] < np.datetime64(due):
        return now + _HOURS
    return datetime.combine(coming + timedelta(days=1), datetime.min.time(), zone).timestamp()
