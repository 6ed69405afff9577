"""What `pairwatch lead` does with an `--interval`: bars of both legs within days, studied and written."""

import time
from typing import TYPE_CHECKING, Any

from pairwatch.cli import studying, words, world
from pairwatch.errors import UsageError

if TYPE_CHECKING:
    from pairwatch.barstore import BarStore
    from pairwatch.cache import Cache
    from pairwatch.gathering import Gatherer
    from pairwatch.model import Declared, Leg, Study

# What means nothing within a session: its prices are as quoted, each in its own currency, on one clock.
_NOT_HERE = ("window", "adjust", "currency", "align")


def run(given: dict[str, Any]) -> None:
    """Gather the bars of both legs, study them, and write what is found.

    Args:
        given: the arguments of `pairwatch lead` by their names, `interval` among them.

    Raises:
        PairwatchError: see `pairwatch.errors`.
    """
    from pairwatch.barstore import BarStore

    now = time.time()
    for name in _NOT_HERE:
        if given.get(name) is not None:
            raise UsageError(f"--{name} means nothing within days", "leave it out, or leave out --interval")
    settings, to = studying.begun("intraday", given)
    cache = world.cache(settings)
    store = BarStore.beside(cache.path)
    try:
        found = _studied(given, settings, cache, store, now)
    finally:
        words.note(*world.trouble(cache), *store.trouble, quiet=settings["quiet"])
    studying.write(found, given["section"] or "", to, settings, now)


def _studied(given: dict[str, Any], settings: dict[str, Any], cache: "Cache", store: "BarStore", now: float) -> "Study":
    from pairwatch import api
    from pairwatch.bars import Interval
    from pairwatch.studies import intraday

    interval = Interval.parse(given["interval"])
    legs = api.pair(given["a"], given["b"], settings["source"])
    question = world.question(settings, now)
    asked = intraday.Asked(interval, question.max_lag, question.as_of, api.as_day(given["since"]), question.seed)
    gatherer = _gatherer(given, settings, cache, store, now, legs)
    first, second = (gatherer.bars(leg, interval) for leg in legs)
    return intraday.study(first, second, asked)


def _gatherer(
    given: dict[str, Any],
    settings: dict[str, Any],
    cache: "Cache",
    store: "BarStore",
    now: float,
    legs: "tuple[Leg, Leg]",
) -> "Gatherer":
    from pairwatch.gathering import Gatherer, Policy

    if settings["refresh"] and settings["offline"]:
        raise UsageError("--refresh asks the source, and --offline forbids it", "leave one out, or say --no-offline")
    names = ("max_age", "offline", "refresh", "deadline")
    declared = _declared(given, settings, legs)
    policy = Policy(now, **{name: settings[name] for name in names}, verbose=given["verbose"], declared=declared)
    return Gatherer(store, cache, policy)


def _declared(given: dict[str, Any], settings: dict[str, Any], legs: "tuple[Leg, Leg]") -> "dict[Leg, Declared]":
    """What the configuration file and `--unit` say of the legs."""
    from pairwatch import config

    file, source = world.config_file(), settings["source"]
    parsed = world.parsed(file)
    declared = config.units(parsed, str(file), source) if "units" in parsed else {}
    typed = config.typed_units(given["unit"], source) if given["unit"] else {}
    for leg in typed:
        if leg not in legs:
            raise UsageError(
                f"--unit names {leg}, which is no leg of this run", f"the legs are {legs[0]} and {legs[1]}"
            )
    return declared | typed
