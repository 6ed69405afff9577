"""Sources that other packages bring: entry points of the group `pairwatch.sources`.

    [project.entry-points."pairwatch.sources"]
    acme = "acme_pairwatch:Acme"

The name is what users write before the colon of a leg (2 to 16 small letters, digits and underscores, a letter first;
not that of a source that comes with pairwatch). The value is a class without parameters that keeps the contract
`pairwatch.sources.Source` and has an attribute `about`, a `pairwatch.sources.About` (`module` and `cls` may be empty).

What a plug-in does is somebody else's code. Here is its border: whatever it raises becomes an error that names it, it
gets no longer than the deadline, what it answers is held against the contract, and the user's key is taken out of all
that it says: its errors and answers, what it or any library logs, and what it writes to `sys.stdout` and `sys.stderr`
in a piece. Keys of fewer than four characters are not, nor what code below Python writes. Waiting for a turn does not
count against the deadline, and whoever has been given up gets no further turn. What it prints goes to standard error:
standard output holds data.
"""

import re
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar, get_args

import numpy as np

from pairwatch.errors import GarbledAnswer, SourceError, TimedOut
from pairwatch.model import MEASURES, Days, Event, Facts, Fetched, Frequency, Leg, Quote, Series
from pairwatch.sources import About, Pace, Request, Source
from pairwatch.sources import names as ours
from pairwatch.sources.hushing import hush, hushed, watch, watch_all
from pairwatch.sources.waiting import Deadline, within
from pairwatch.text import LONGEST, clean

T = TypeVar("T")

GROUP = "pairwatch.sources"
NAME = re.compile(r"[a-z][a-z0-9_]{1,15}\Z")
# What a plug-in may say of itself, and of a leg in a remark.
LONGEST_TEXT = 300
KINDS = ("dividend", "split", "capital_gain")
FREQUENCIES = get_args(Frequency)
# The facts that have to be one of these and the like.
WORDS = ("measure", "frequency", "changes")


@cache
def _points() -> dict[str, list[EntryPoint]]:
    """The entry points of each name; several packages may claim one."""
    found: dict[str, list[EntryPoint]] = {}
    for point in entry_points(group=GROUP):
        if NAME.match(point.name):
            same = found.setdefault(point.name, [])
            if point not in same:  # a folder that is on the path twice
                same.append(point)
    return dict(sorted(found.items()))


def names() -> tuple[str, ...]:
    """The names that installed packages claim, in alphabetical order, whether they can be imported or not."""
    return tuple(_points())


def taken() -> dict[str, str]:
    """The packages that claim the name of a source that comes with pairwatch, by that name; they are not used."""
    return {name: ", ".join(map(_package, found)) for name, found in _points().items() if name in ours()}


def about(name: str) -> About:
    """What a plug-in says of itself.

    Raises:
        SourceError: it is of no use.
    """
    return _plugin(name).about


def load(name: str) -> Source:
    """A plug-in behind its border.

    Raises:
        SourceError: it is of no use.
    """
    plugin = _plugin(name)
    return _Guarded(name, plugin.package, _guarded(name, plugin.package, plugin.make))


class _Plugin:
    """A plug-in that could be imported and says what it is."""

    def __init__(self, about: About, package: str, make: Callable[[], Source]) -> None:
        self.about = about
        self.package = package
        self.make = make


@cache
def _plugin(name: str) -> _Plugin:
    point, *others = _points()[name]
    package = _package(point)
    if others:
        rivals = ", ".join(_package(other) for other in (point, *others))
        raise SourceError(f"several packages bring a source called {name}: {rivals}", "uninstall all but one of them")
    made = _guarded(name, package, point.load)
    said = getattr(made, "about", None)
    if not (callable(made) and isinstance(said, About) and callable(getattr(made, "fetch", None))):
        raise SourceError(
            f"the plug-in {name} (of {package}) is no source: it is to be a class with `about` and `fetch`",
            f"uninstall {package}, or tell its authors: help('pairwatch.sources.plugins')",
        )
    return _Plugin(_guarded(name, package, lambda: _checked_about(said)), package, made)


def _package(point: EntryPoint) -> str:
    return clean(f"{point.dist.name} {point.dist.version}") if point.dist else "an unknown package"


def _guarded(name: str, package: str, work: Callable[[], T]) -> T:
    """Run a plug-in's code; whatever it raises is a `SourceError` that names it."""
    try:
        with _aside():
            return work()
    except (Exception, SystemExit) as error:
        raise SourceError(
            f"the plug-in {name} (of {package}) cannot be used: {_said(error)}", f"update or uninstall {package}"
        ) from error


def _said(error: BaseException) -> str:
    name, said = _shown(type(error).__name__), _shown(error)
    return f"{name}: {said}" if said else name


def _shown(text: object, longest: int = LONGEST_TEXT) -> str:
    """Text of a plug-in as it may be shown: in one clean line, and without the user's key."""
    try:
        plain = str(text)
    except (Exception, SystemExit):  # noqa: BLE001 - this is its code, too
        plain = "(it fails to say what)"
    return clean(hushed(clean(hushed(plain), sys.maxsize)), longest)


def _checked_about(said: About) -> About:
    """What a plug-in says of itself with its text cleaned; raises `ValueError` or `TypeError` for nonsense."""
    for pace in (said.pace, said.keyed or said.pace):
        gap, burst, abreast = Pace(*pace)
        if not (np.isfinite(gap) and gap >= 0 and int(burst) >= 1 and int(abreast) >= 1):
            raise ValueError(f"its pace is {pace}")
    for template in (said.exchange_rate, said.priced_in):
        template.format("A", "B")
    return said._replace(
        remote=bool(said.remote),
        gives=clean(said.gives, LONGEST_TEXT),
        needs=clean(said.needs, LONGEST_TEXT),
        example=clean(said.example),
        keys=tuple(clean(key) for key in said.keys),
        exchange_rate=clean(said.exchange_rate),
        dollar_rates={clean(currency): clean(symbol) for currency, symbol in said.dollar_rates.items()},
        priced_in=clean(said.priced_in),
    )


class _Err:
    """Standard error while plug-ins run: what is written there by whomever passes on without the users' keys.

    By whomever, because a plug-in may have threads of its own.
    """

    def __init__(self, err: Any) -> None:
        self.err = err

    def __getattr__(self, name: str) -> Any:
        return getattr(self.err, name)

    def write(self, text: str) -> int:
        self.err.write(hushed(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)


class _Out:
    """Standard output while plug-ins run: what their threads write goes to standard error, all others' where it would.

    By threads, not for the whole process: one that has been given up may still print when the results are written.
    """

    def __init__(self, out: Any) -> None:
        self.out = out

    def __getattr__(self, name: str) -> Any:
        return getattr((sys.stderr or self.out) if threading.get_ident() in _plugged else self.out, name)


_standing_in = threading.Lock()
_plugged: list[int] = []  # the threads that are in plug-ins' code, each as often as it is


@contextmanager
def _aside() -> Iterator[None]:
    """In this thread, what is printed to standard output goes to standard error, and there without the users' keys."""
    me = threading.get_ident()
    with _standing_in:
        if not isinstance(sys.stdout, _Out):
            sys.stdout = _Out(sys.stdout)  # it passes everything on
        if sys.stderr is not None and not isinstance(sys.stderr, _Err):
            sys.stderr = _Err(sys.stderr)
        _plugged.append(me)
    try:
        yield
    finally:
        with _standing_in:
            _plugged.remove(me)
            if not _plugged and isinstance(sys.stdout, _Out):
                sys.stdout = sys.stdout.out
            if not _plugged and isinstance(sys.stderr, _Err):
                sys.stderr = sys.stderr.err


class _Guarded:
    """A plug-in behind its border."""

    def __init__(self, name: str, package: str, source: Source) -> None:
        self._name = name
        self._package = package
        self._source = source

    def fetch(self, request: Request) -> Fetched:
        """See `pairwatch.sources.Source.fetch`."""
        leg = request.leg
        try:
            return _checked(self._answer(request), request)
        except TimedOut as error:
            said, hint = _told(error)
            message = said if said.startswith(str(leg)) else f"{leg}: {self._name}: {said}"
            raise TimedOut(message, hint) from None
        except SourceError as error:
            raise _cleaned(error, leg) from None
        except (Exception, SystemExit) as error:  # noqa: BLE001 - it is no cause: its traceback may hold the key
            raise SourceError(
                f"{leg}: the plug-in {self._name} (of {self._package}) failed: {_said(error)}",
                f"update {self._package}, or tell its authors",
            ) from None

    def _answer(self, request: Request) -> object:
        """What the plug-in answers before the deadline, which stands still while it waits for a turn.

        Raises:
            TimedOut: it goes on unattended, without another turn.
        """
        if request.key:
            hush((request.key.secret,))
            watch()
            watch_all()
        deadline = Deadline(request.deadline, request.turn)

        def ask() -> object:
            with _aside():
                return self._source.fetch(request._replace(turn=deadline.turn))

        return within(deadline, ask, "pairwatch-plugin")


def _cleaned(error: SourceError, leg: Leg) -> SourceError:
    """The error with clean text, its message beginning with the leg."""
    message, error.hint = _told(error)
    error.message = message if message.startswith(str(leg)) else f"{leg}: {message}"
    error.args = (error.message,)
    return error


def _told(error: SourceError) -> tuple[str, str]:
    """Its message and its hint, which a class of the plug-in's may lack."""
    return _shown(getattr(error, "message", error)), _shown(getattr(error, "hint", ""))


def _checked(fetched: object, request: Request) -> Fetched:
    """The answer, made anew from what it holds; raises `GarbledAnswer` where it breaks the contract."""
    if not (isinstance(fetched, Fetched) and isinstance(fetched.series, Series)):
        raise GarbledAnswer(
            f"{request.leg}: the plug-in answers with {_shown(type(fetched).__name__)}, not with Fetched"
        )
    try:
        return _made_anew(fetched, request)
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        message = f"{request.leg}: the plug-in's answer cannot be used: {_shown(error)}"
        raise GarbledAnswer(message) from None


def _made_anew(fetched: Fetched, request: Request) -> Fetched:
    """See `_checked`; raises `ValueError` for what breaks the contract, and what Python raises for wrong types."""
    asked_at, fresh_until = float(fetched.asked_at), float(fetched.fresh_until)
    if not (np.isfinite(asked_at) and asked_at <= request.now and not np.isnan(fresh_until)):
        raise ValueError(f"it was asked at {fetched.asked_at} and is fresh until {fetched.fresh_until}")
    if fetched.since not in (None, request.since):
        raise ValueError(f"it is of the days since {fetched.since}, not since {request.since}")
    series = _checked_series(fetched.series, request)
    expected: Days = np.asarray(fetched.expected, dtype="datetime64[D]")
    remarks = tuple(_shown(remark) for remark in fetched.remarks)
    return Fetched(
        series, fetched.since, asked_at, fresh_until, np.unique(expected[expected <= _day(request)]), remarks
    )


def _checked_series(given: Series, request: Request) -> Series:
    if given.leg != request.leg:
        raise ValueError(f"it is of {given.leg}")
    # Made anew: an array inside may have been exchanged since it was checked.
    series = Series(
        request.leg,
        given.dates,
        given.closes,
        _checked_events(given.events),
        _checked_facts(given.facts),
        _checked_quote(given.quote),
    )
    if not len(series):
        raise ValueError("it holds no close")
    if np.isnat(series.dates).any() or series.dates[-1] > _day(request) + 1:
        raise ValueError(f"it holds a close of {series.dates[-1]}, which is to come")
    return series


def _day(request: Request) -> np.datetime64:
    """The day of asking, in UTC; in some time zones it is the day after."""
    day: np.datetime64 = np.datetime64(int(request.now), "s").astype("datetime64[D]")
    return day


def _checked_facts(facts: Facts) -> Facts:
    """Clean facts; raises `ValueError` for words that there are not."""
    told: dict[str, Any] = {}
    for field in fields(Facts):
        value = getattr(facts, field.name)
        # Words that only a few are taken of hide no key; a key that is part of one would garble it.
        show = clean if field.name in WORDS else _shown
        told[field.name] = show(value, LONGEST) if isinstance(field.default, str) else value
    told |= {name: bool(told[name]) for name in ("every_day", "simulated")}
    told["closes_at"] = None if told["closes_at"] is None else int(told["closes_at"])
    found = Facts(**told)
    for word, known in (
        (found.measure, MEASURES),
        (found.frequency, FREQUENCIES),
        (found.changes, ("", "percent", "points")),
    ):
        if word not in known:
            raise ValueError(f"there is no {word!r}, only {', '.join(filter(None, known))}")
    return found


def _checked_events(events: tuple[Event, ...]) -> tuple[Event, ...]:
    """Events in their order; raises `ValueError` for kinds that there are not, and values that cannot be."""
    found = [
        Event(np.datetime64(event.day).astype("datetime64[D]"), event.kind, float(event.value)) for event in events
    ]
    for event in found:
        if event.kind not in KINDS or not (np.isfinite(event.value) and event.value > 0) or np.isnat(event.day):
            raise ValueError(f"it holds a {event.kind} of {event.value} on {event.day}")
    return tuple(sorted(found, key=lambda event: (event.day, event.kind)))


def _checked_quote(quote: Quote | None) -> Quote | None:
    if quote is None:
        return None
    found = Quote(float(quote.price), float(quote.at), open=bool(quote.open), finished_at=float(quote.finished_at))
    if not (np.isfinite(found.price) and np.isfinite(found.at)) or np.isnan(found.finished_at):
        raise ValueError(f"its latest price is {quote.price} at {quote.at}")
    return found
