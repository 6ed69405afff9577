"""What the studies' commands have in common: the legs of a pair and others on its days, what is written, and notes."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pairwatch.cli import options, results, words, world
from pairwatch.errors import StaleData, UsageError
from pairwatch.text import clean, listing

if TYPE_CHECKING:
    from datetime import date

    from pairwatch.histories import History
    from pairwatch.model import Leg, Study
    from pairwatch.retrieval import Desk
    from pairwatch.staging import Question
    from pairwatch.studies.paired import Beside, Paired

Since = Annotated[str | None, options.option("--since", metavar="DATE", help="The history from this date on.")]
Format = Annotated[
    str | None,
    options.option("--format", "-f", metavar="auto|table|csv|json", help="auto: a table on a terminal, CSV in a pipe."),
]
Only = Annotated[
    str | None, options.option("--section", metavar="NAME", help="One section alone; as CSV, with its own columns.")
]


# Sections that are there only for what is asked: the argument that asks for it, and how it is typed.
_ASKED_FOR = {
    ("correlation", "factor"): ("factor", "--factor SPY"),
    ("hedge", "shocks"): ("shock", "--shock B=-10%"),
    ("lead", "data"): ("interval", "--interval 5m"),
    ("lead", "lags"): ("interval", "--interval 5m"),
    ("spread", "drivers"): ("beside", "--with cboe:VIX"),
    ("spread", "ledger_beside"): ("beside", "--with cboe:VIX"),
}


class Run(NamedTuple):
    """A study's pair, and where other legs come from."""

    pair: "Paired"
    desk: "Desk"
    settings: dict[str, Any]
    now: float

    def history(self, leg: str) -> "History":
        """The history of another leg, `[source:]symbol`."""
        return self.desk.history(_leg(leg, self.settings["source"]))

    def beside(self, legs: Sequence[str]) -> "tuple[Beside, ...]":
        """Other legs on the pair's days."""
        from pairwatch.studies.paired import beside

        return tuple(beside(self.history(leg), self.pair) for leg in legs)


def run(name: str, given: dict[str, Any], study: "Callable[[Run], Study]", others: Sequence[str] = ()) -> None:
    """Fetch both legs, study them, and write what is found.

    Args:
        name: the study's, among `pairwatch.studies.NAMES`.
        given: the command's arguments by their names, as `locals()` has them: `a`, `b`, the shared options, `since`
            and `section`.
        others: further legs of the run, `[source:]symbol`, for which a `--unit` may be typed.

    Raises:
        PairwatchError: see `pairwatch.errors`.
    """
    now = time.time()
    settings, to = begun(name, given)
    from pairwatch import api

    since = api.as_day(given["since"])
    asked, cache = world.question(settings, now), world.cache(settings)
    legs = _legs(name, given, settings["source"])
    try:
        every = (*legs, *(_leg(leg, settings["source"]) for leg in others))
        desk = world.desk(settings, cache, asked, now=now, verbose=given["verbose"], legs=every, units=given["unit"])
        found = study(Run(_paired(desk, legs, asked, since), desk, settings, now))
    finally:
        words.note(*world.trouble(cache), quiet=settings["quiet"])
    write(found, given["section"] or "", to, settings, now)


def begun(name: str, given: dict[str, Any]) -> tuple[dict[str, Any], results.Destination]:
    """The settings of a run, and where it writes to: what cannot be done is said before anybody is asked.

    Raises:
        UsageError: a setting that cannot be read, a format that studies have not, or a section that this one has not.
    """
    typed = results.form(csv=given["csv"], json=given["json"], typed=given["format"])
    settings = world.settings({**given, "format": typed})
    if given["verbose"]:
        world.show_logs()
    from pairwatch.render import studies as written
    from pairwatch.studies import headings

    to = results.destination(settings["format"], given["output"])
    written.check(to.form)
    if given["section"]:
        _check_section(name, given["section"], given, [heading.key for heading in headings(name)])
    return settings, to


def _check_section(name: str, section: str, given: dict[str, Any], sections: list[str]) -> None:
    argument, typed = _ASKED_FOR.get((name, section), ("", ""))
    if argument and not given.get(argument):
        raise UsageError(f"{name} has a section {section!r} only with {typed.split()[0]}", f"add {typed}")
    if section not in sections:
        raise UsageError(f"{name} has no section {clean(section)!r}", f"there are {listing(sections, len(sections))}")


def _legs(name: str, given: dict[str, Any], source: str) -> "tuple[Leg, Leg]":
    first, second = _leg(given["a"], source), _leg(given["b"], source)
    if first == second:
        raise UsageError(f"both legs are {first}", f"name two different legs: pairwatch {name} QQQ IWM")
    return first, second


def _paired(desk: "Desk", legs: "tuple[Leg, Leg]", asked: "Question", since: "date | None") -> "Paired":
    from pairwatch.studies.paired import paired

    first, second = (desk.history(leg) for leg in legs)
    return paired(first, second, asked, since)


def write(found: "Study", only: str, to: results.Destination, settings: dict[str, Any], now: float) -> None:
    """Write a study, or one section of it, and note what has to be said beside it.

    Raises:
        StaleData: a leg is older than it should be, and that is a failure.
        UsageError: no such section.
    """
    if settings["fail_stale"] and found.stale_reasons:
        raise StaleData("; ".join(found.stale_reasons))
    from pairwatch.render import studies

    results.write(studies.written(to.form, found, results.page(to, now), only), to)
    simulated = ["simulated numbers, drawn and not recorded"] if found.simulated else []
    words.note(*simulated, *found.warnings, quiet=settings["quiet"] or to.shows_notes)


def _leg(text: str, source: str) -> "Leg":
    from pairwatch.model import Leg

    return Leg.parse(text, source)
