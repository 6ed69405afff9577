"""What is asked, made of what was given: legs, days, questions, and where legs come from.

Beside the command line this is the only place that reads the clock and the environment, and asks where the cache lives.
"""

import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pairwatch import cache as prices
from pairwatch import config, staging
from pairwatch.cache import Cache
from pairwatch.errors import UsageError
from pairwatch.model import DEFAULT_SOURCE, Adjustment, Align, Declared, Leg, Window
from pairwatch.retrieval import Desk, Policy
from pairwatch.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pairwatch.snapshots import Store
    from pairwatch.sources import Key


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
    currency: str = "",
    align: Align = "date",
    now: float,
) -> staging.Question:
    """What is asked of a pair; see `compare`.

    Raises:
        UsageError: what cannot be asked.
    """
    day = as_day(as_of) or _today(now)
    return staging.Question(
        day,
        _window(window),
        max_lag=max_lag,
        adjustment=adjust,
        seed=seed,
        currency=_currency(currency),
        align=align,
    )


def desk_at(
    cache: Cache,
    asked: staging.Question,
    *,
    offline: bool = False,
    refresh: bool = False,
    max_age: float = 15 * 60,
    deadline: float = 20.0,
    now: float,
    verbose: bool = False,
    keys: "Mapping[str, Key] | None" = None,
    declared: "Mapping[Leg, Declared] | None" = None,
    fallback: "Mapping[Leg, tuple[Leg, ...]] | None" = None,
    patience: float | None = None,
) -> Desk:
    """Where the legs of a run come from; see `compare`, and `pairwatch.retrieval.Policy` for the rest.

    Args:
        keys: by default those of the variables and the keyring.
    """
    return Desk(
        cache,
        Policy(
            now,
            until=asked.as_of if asked.as_of < _today(now) else None,
            max_age=max_age,
            offline=offline,
            refresh=refresh,
            deadline=deadline,
            verbose=verbose,
            keys=config.Keys(os.environ) if keys is None else keys,
            declared=declared or {},
            fallback=fallback or {},
            currency=asked.currency,
            patience=patience,
        ),
    )


def same_thing(leg: str | Leg, against: "Iterable[str | Leg]", source: str = DEFAULT_SOURCE) -> list[Leg]:
    """A leg and those that it is verified with, `[source:]symbol`, each once.

    Raises:
        UsageError: what is no leg, the leg itself, or nothing to verify with.
    """
    here, *others = (each if isinstance(each, Leg) else Leg.parse(each, source) for each in (leg, *against))
    hint = "name the same thing from another source: --against csv:FILE"
    if not others:
        raise UsageError(f"nothing to verify {here} with", hint)
    if here in others:
        raise UsageError(f"{here} against itself", hint)
    return [here, *dict.fromkeys(others)]


def _today(now: float) -> date:
    return datetime.fromtimestamp(now, UTC).date()


def as_day(given: date | str | None) -> date | None:
    """A day given as a date, a datetime or a text; None stays None.

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


def _currency(given: str) -> str:
    try:
        return config.currency(str(given))
    except ValueError as error:
        raise UsageError(f"not a currency: {clean(given)!r}", str(error)) from None


def declared_units(units: "Mapping[str, str] | None", source: str) -> dict[Leg, Declared]:
    """What is declared of legs; raises `UsageError`."""
    return config.units({"units": units}, "the argument", source) if units else {}


def _window(given: str | Window) -> Window:
    return given if isinstance(given, Window) else Window.parse(str(given))
