"""The Python interface, and what the command line is made of.

Beside the command line this is the only place that reads the clock and asks where the cache lives.
"""

import time
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pairwatch import __version__, config, pairs
from pairwatch import cache as prices
from pairwatch.cache import Cache
from pairwatch.errors import UsageError
from pairwatch.histories import History
from pairwatch.kernels import is_every_day
from pairwatch.model import DEFAULT_SOURCE, Adjustment, Comparison, Facts, Leg, Provenance, Series, Window
from pairwatch.retrieval import Desk, Policy
from pairwatch.text import clean

if TYPE_CHECKING:
    from collections.abc import Collection

    from pairwatch.differences import Difference, Moment, State
    from pairwatch.records import Table
    from pairwatch.snapshots import Snapshot, Store


# As `pairwatch.snapshots` names it.
SNAPSHOTS = "snapshots.db"


def cache_at(folder: Path | None = None) -> Cache:
    """The price cache in `folder`, or in the platform's cache folder for pairwatch."""
    if folder is None:
        import platformdirs

        folder = platformdirs.user_cache_path("pairwatch", appauthor=False)
    return Cache(folder / prices.FILE_NAME)


def store_at(folder: Path | None = None) -> "Store":
    """The snapshots in `folder`, or in the platform's data folder for pairwatch."""
    from pairwatch.snapshots import Store

    return Store(snapshots_in(folder))


def snapshots_in(folder: Path | None = None) -> Path:
    """The file of the snapshots in `folder`, or in the platform's data folder; to look for it loads no store."""
    if folder is None:
        import platformdirs

        folder = platformdirs.user_data_path("pairwatch", appauthor=False)
    return folder / SNAPSHOTS


def compare(
    a: str | Leg,
    b: str | Leg,
    *,
    window: str | Window = "90d",
    as_of: date | str | None = None,
    max_lag: int = 10,
    adjust: Adjustment = "total",
    seed: int = 0,
    source: str = DEFAULT_SOURCE,
    cache: Cache | None = None,
    offline: bool = False,
    refresh: bool = False,
    max_age: float = 15 * 60,
    deadline: float = 20.0,
    now: float | None = None,
    verbose: bool = False,
) -> Comparison:
    """Compare two legs, `[source:]symbol`, fetching and caching what is missing.

    Args:
        window: `90d` (calendar days), `12w`, `6mo`, `1y` or `61b` (bars).
        as_of: recompute as if that day were today.
        max_lag: the largest lag of the lead test, in bars.
        adjust: `total` reinvests distributions, `price` does not.
        cache: where histories are kept; by default the platform's cache folder.
        max_age: seconds for which a price of an open session still counts as now.
        deadline: seconds that a source has for a leg.
        now: the instant of the run, in Unix seconds; by default the clock's.

    Raises:
        PairwatchError: see `pairwatch.errors`.
    """
    now = time.time() if now is None else now
    cache = cache or cache_at()
    legs = pair(a, b, source)
    asked = question(window=window, as_of=as_of, max_lag=max_lag, adjust=adjust, seed=seed, now=now)
    desk = desk_at(
        cache, asked, offline=offline, refresh=refresh, max_age=max_age, deadline=deadline, now=now, verbose=verbose
    )
    first, second = (desk.history(leg) for leg in legs)
    return pairs.compare(first, second, asked, trouble=cache.trouble)


def pair(a: str | Leg, b: str | Leg, source: str = DEFAULT_SOURCE) -> tuple[Leg, Leg]:
    """Both legs of a pair, `[source:]symbol`.

    Raises:
        UsageError: what is no leg, or the same leg twice.
    """
    first, second = (leg if isinstance(leg, Leg) else Leg.parse(leg, source) for leg in (a, b))
    if first == second:
        raise UsageError(f"both legs are {first}", "name two different legs: pairwatch compare QQQ IWM")
    return first, second


def question(
    *,
    window: str | Window = "90d",
    as_of: date | str | None = None,
    max_lag: int = 10,
    adjust: Adjustment = "total",
    seed: int = 0,
    now: float,
) -> pairs.Question:
    """What is asked of a pair; see `compare`.

    Raises:
        UsageError: what cannot be asked.
    """
    asked = _day(as_of) or _today(now)
    return pairs.Question(asked, _window(window), max_lag=max_lag, adjustment=adjust, seed=seed)


def desk_at(
    cache: Cache,
    asked: pairs.Question,
    *,
    offline: bool = False,
    refresh: bool = False,
    max_age: float = 15 * 60,
    deadline: float = 20.0,
    now: float,
    verbose: bool = False,
) -> Desk:
    """Where the legs of a run come from; see `compare`."""
    until = asked.as_of if asked.as_of < _today(now) else None
    return Desk(cache, Policy(now, until, max_age, offline, refresh, deadline, verbose))


def snapshot(
    a: str | Leg,
    b: str | Leg,
    *,
    window: str | Window = "90d",
    max_lag: int = 10,
    adjust: Adjustment = "total",
    seed: int = 0,
    source: str = DEFAULT_SOURCE,
    cache: Cache | None = None,
    store: "Store | None" = None,
    offline: bool = False,
    now: float | None = None,
) -> "Snapshot":
    """Store what `compare` says of a pair, and return the snapshot; the same inputs are stored once.

    Raises:
        StoreError: the store refuses.
        PairwatchError: see `compare`.
    """
    from pairwatch.taking import Run

    now = time.time() if now is None else now
    asked = question(window=window, max_lag=max_lag, adjust=adjust, seed=seed, now=now)
    desk = desk_at(cache or cache_at(), asked, offline=offline, now=now)
    (outcome,) = Run(desk, store or store_at(), asked, now).take([pair(a, b, source)])
    if outcome.snapshot is None:
        raise outcome.error or AssertionError("a pair that is not stored says why")
    return outcome.snapshot


def saved(
    a: str | Leg,
    b: str | Leg,
    *,
    window: str | Window = "90d",
    max_lag: int = 10,
    adjust: Adjustment = "total",
    seed: int = 0,
    source: str = DEFAULT_SOURCE,
    store: "Store | None" = None,
    since: date | str | None = None,
) -> "Table":
    """The readings of a pair's snapshots over time; `saved(...).to_frame()` is a pandas DataFrame.

    Raises:
        StoreError: the store cannot be read.
    """
    from pairwatch import records

    legs = pair(a, b, source)
    asked = question(window=window, max_lag=max_lag, adjust=adjust, seed=seed, now=0.0)
    return records.table(*legs, asked, (store or store_at()).record(*legs, asked, _day(since) or date.min))


def difference(
    legs: tuple[Leg, Leg],
    asked: pairs.Question,
    store: "Store",
    start: str | None = None,
    end: str = "latest",
    *,
    desk: Desk | None = None,
    keys: "Collection[str] | None" = None,
    now: float | None = None,
) -> "Difference":
    """How a pair's numbers moved from one snapshot to another, or to now, and why; see `pairwatch.differences`.

    Args:
        start: `2026-11-20`, `2026-11-20.2` or `latest`; by default the last snapshot of an earlier session than `end`.
        end: the same, or `now`, for which the legs are had from `desk`.
        keys: of the statistics; by default all.

    Raises:
        UsageError: what is no snapshot, or the same one twice.
        NotEnoughData: there is no such snapshot.
        StoreError: the store cannot be read.
    """
    from pairwatch import differences, vintages

    known = vintages.Vintages(store, legs, asked)
    if end == "now":
        desk = desk or desk_at(cache_at(), asked, now=now or time.time())
        first, second = (desk.history(leg) for leg in legs)
        last = differences.fresh(first, second, asked, now or time.time(), __version__)
        snapshot = known.named(start) if start else known.before(last.moment.session)
        return differences.difference(_state(store, snapshot), last, keys)
    target = known.named(end)
    snapshot = known.named(start) if start else known.before(target.session, target.revision)
    if snapshot.id == target.id:
        raise UsageError(f"both are the snapshot {target}", "name two different ones, or `now` for the second")
    return differences.difference(_state(store, snapshot), _state(store, target), keys)


def since(
    found: Comparison, sides: tuple[History, History], asked: pairs.Question, store: "Store", now: float
) -> "Difference | None":
    """How a comparison differs from the last snapshot of an earlier session, in short; None if there is none.

    Raises:
        StoreError: the store cannot be read.
    """
    from pairwatch import differences, vintages

    snapshot = vintages.Vintages(store, (found.a, found.b), asked).earlier(found.as_of)
    if snapshot is None:
        return None
    if snapshot.program == __version__:
        said = vintages.values(store.numbers(snapshot))
    else:  # what another version made of the same closes is no news of the pair
        readings = pairs.some_readings(*store.inputs(snapshot), snapshot.question, differences.HEADLINES)
        said = {(r.scope, r.statistic.key): r.value for r in readings}
    end = differences.State(differences.Moment(found.as_of, None, now, __version__), *sides, asked, {})
    return differences.since(_moment(snapshot), said, end, found.readings)


def _state(store: "Store", snapshot: "Snapshot") -> "State":
    """What was known and said then."""
    from pairwatch import differences, vintages

    said = vintages.values(store.numbers(snapshot))
    return differences.State(_moment(snapshot), *store.inputs(snapshot), snapshot.question, said)


def _moment(snapshot: "Snapshot") -> "Moment":
    from pairwatch.differences import Moment

    return Moment(snapshot.session, snapshot.revision, snapshot.taken_at, snapshot.program)


def history(
    leg: str | Leg,
    *,
    source: str = DEFAULT_SOURCE,
    cache: Cache | None = None,
    offline: bool = False,
    refresh: bool = False,
    now: float | None = None,
) -> History:
    """One leg's finished closes, fetched and cached like those of `compare`.

    Raises:
        SourceError: the leg could not be had.
    """
    policy = Policy(now=time.time() if now is None else now, offline=offline, refresh=refresh)
    return Desk(cache or cache_at(), policy).history(leg if isinstance(leg, Leg) else Leg.parse(leg, source))


def compare_series(
    a: Any,
    b: Any,
    *,
    window: str | Window = "90d",
    max_lag: int = 10,
    seed: int = 0,
) -> Comparison:
    """Compare two pandas Series of prices that are at hand, indexed by date; their names name the legs.

    The prices are taken as they are: adjust them first. Missing prices are left out.

    Raises:
        UsageError: not Series of finite numbers, or dates that are not unique.
        NotEnoughData: too few common days.
    """
    first, second = _given(a, "A"), _given(b, "B")
    if first.series.leg == second.series.leg:
        first, second = (
            replace(h, series=replace(h.series, leg=Leg("given", n))) for h, n in ((first, "A"), (second, "B"))
        )
    as_of: date = max(first.series.dates[-1], second.series.dates[-1]).item()
    return pairs.compare(first, second, pairs.Question(as_of, _window(window), max_lag=max_lag, seed=seed))


def _given(prices: Any, name: str) -> History:
    """A history from a pandas Series."""
    hint = "pass two pandas Series of prices, each with a DatetimeIndex"
    try:
        known = prices.dropna().sort_index()
        index = known.index.tz_localize(None) if getattr(known.index, "tz", None) else known.index
        if index.to_numpy().dtype.kind not in "MOUT":
            raise UsageError(f"leg {name} has no dates, but {index.dtype} for an index", hint)
        dates, closes = index.to_numpy().astype("datetime64[D]"), known.to_numpy(dtype="f8")
        series = Series(
            Leg("given", _symbol(known.name, name)),
            dates,
            closes,
            facts=Facts(name=clean(known.name), every_day=is_every_day(dates)),
        )
    except (AttributeError, TypeError, ValueError) as error:
        raise UsageError(f"leg {name} is not a Series of prices by date ({clean(error)})", hint) from error
    if not len(series):
        raise UsageError(f"leg {name} holds no price", hint)
    return History(series, Provenance("file"))


def _symbol(name: Any, otherwise: str) -> str:
    """What a Series is called, as far as a symbol can say it."""
    letters = "".join(c if c.isascii() and c.isalnum() else "-" for c in str(name)).strip("-").upper()
    return letters[:30] if name is not None and letters else otherwise


def _today(now: float) -> date:
    return datetime.fromtimestamp(now, UTC).date()


def _day(given: date | str | None) -> date | None:
    """A day given as a date, a datetime or a text.

    Raises:
        UsageError: anything else.
    """
    if isinstance(given, datetime):
        return given.date()
    if given is None or isinstance(given, date):
        return given
    try:
        return config.day(given)
    except (TypeError, ValueError):
        raise UsageError(f"not a day: {clean(given)!r}", "write it as YYYY-MM-DD") from None


def _window(given: str | Window) -> Window:
    return given if isinstance(given, Window) else Window.parse(str(given))
