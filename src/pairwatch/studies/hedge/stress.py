"""What both legs and the hedged position did in episodes of the past that have a name."""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

import numpy as np

from pairwatch.catalogue import LONGEST_PAUSE, LegView
from pairwatch.kernels import slope
from pairwatch.model import NAN, Cell, Column, Heading, Section
from pairwatch.studies.hedge.episodes import Episode
from pairwatch.studies.hedge.held import Ratios
from pairwatch.studies.hedge.legs import Sides
from pairwatch.text import listing, plural

HEADING = Heading(
    "stress",
    "stress: episodes of the past",
    "What both legs did from the close of one day to the close of another, in a shipped list of episodes and in the "
    "user's own (--episodes FILE.toml, or [[episodes]] in the configuration file).",
    (
        Column("episode", "", "text", "Its name."),
        Column("from", "from", "date", "The day whose close it is counted from."),
        Column("to", "to", "date", "The day of its last close."),
        Column("a", "A", "return", "What A did, by its own closes; empty before its first bar."),
        Column("b", "B", "return", "What B did, by its own closes; empty before its first bar."),
        Column(
            "hedged",
            "hedged",
            "return",
            "A's change less h times B's: units bought and sold at the first close and left alone, by the ratio h "
            "known then; where none was known, by that of all bars (from --since on), which is said.",
        ),
        Column("ratio", "ratio", "number", "The ratio h.", wide=True),
        Column(
            "closes",
            "closes",
            "text",
            "The days of the closes that the changes are made of: each leg's last ones on or before the two days.",
            wide=True,
        ),
        Column("in_sample", "in sample", "text", "yes, where the ratio is that of all bars.", wide=True),
        Column("note", "note", "text", "Why something is missing.", wide=True),
        Column("what", "what happened", "text", "In one sentence.", wide=True),
        Column("source", "source", "text", "The public record that it is dated by.", wide=True),
    ),
)


class Told(NamedTuple):
    """An episode, and what came of it.

    Attributes:
        changes: of A and of B; NaN where they cannot be said.
        in_sample: whether the ratio is that of the whole history.
        notes: why something is missing.
        closes: between which of its own closes A's and B's are; nothing where there are none that fit.
        over: whether it was, at the pair's last close.
    """

    episode: Episode
    changes: tuple[float, float]
    hedged: float
    ratio: float
    in_sample: bool
    notes: tuple[str, ...]
    closes: tuple[str, str] = ("", "")
    over: bool = True


def told(sides: Sides, ratios: Ratios, episodes: Iterable[Episode]) -> list[Told]:
    """What came of the episodes that had begun at the pair's last close; nothing yet of those that were not over."""
    last = sides.pair.day(-1)
    whole = slope(sides.b, sides.a)
    return [
        _told(sides, ratios, one, whole) if one.until <= last else _running(one, last)
        for one in episodes
        if one.since <= last
    ]


def _running(episode: Episode, last: date) -> Told:
    note = f"not over at the last close, of {last}"
    return Told(episode, (NAN, NAN), NAN, NAN, in_sample=False, notes=(note,), over=False)


def section(sides: Sides, found: list[Told], episodes: Iterable[Episode]) -> Section:
    """The episodes in their order, and how many had not begun at the last close."""
    rows = [_row(one) for one in found]
    last = sides.pair.day(-1)
    notes = [f"{note}: {listing(names, len(names))}" for note, names in _grouped(found).items()]
    if sides.bar != "day" and found:
        notes.append("changes are between the last closes on or before these days: which, the column `closes` has")
    if inside := [one.episode.name for one in found if one.in_sample]:
        bars = plural(len(sides.a), "bar")
        notes.append(f"with the ratio of all {bars}, which was not known then: {listing(inside, len(inside))}")
    if later := [one.name for one in episodes if last < one.since]:
        notes.append(f"after the last close, of {last}, and not shown: {listing(later)}")
    return Section(sides.labelled(HEADING), tuple(rows), tuple(notes))


def _grouped(found: list[Told]) -> dict[str, list[str]]:
    """The episodes' names by what is missing of them."""
    groups: dict[str, list[str]] = {}
    for one in found:
        for note in one.notes:
            groups.setdefault(note, []).append(one.episode.name)
    return groups


def _row(one: Told) -> tuple[Cell, ...]:
    name, since, until, what, source = one.episode
    in_sample = "yes" if one.in_sample else ""
    closes = " and ".join(dict.fromkeys(text for text in one.closes if text))  # A's, then B's where they are others
    found = (*one.changes, one.hedged, one.ratio, closes, in_sample, "; ".join(one.notes))
    return (name, since, until, *found, what, source)


def _told(sides: Sides, ratios: Ratios, episode: Episode, whole: float) -> Told:
    found = [_change(view, name, episode) for view, name in zip(sides.views, sides.short, strict=True)]
    changes = found[0][0], found[1][0]
    notes = tuple(note for _, note, _ in found if note)
    closes = found[0][2], found[1][2]
    if not np.isfinite(changes).all():
        return Told(episode, changes, NAN, NAN, in_sample=False, notes=notes, closes=closes)
    ratio, in_sample = _ratio(sides, ratios, episode.since), False
    if not np.isfinite(ratio):
        if not np.isfinite(whole):
            return Told(episode, changes, NAN, NAN, in_sample=False, notes=("there is no ratio",), closes=closes)
        ratio, in_sample = whole, True
    return Told(episode, changes, changes[0] - ratio * changes[1], ratio, in_sample, notes, closes)


def _ratio(sides: Sides, ratios: Ratios, day: date) -> float:
    """The ratio known at the pair's last close on or before a day."""
    at = int(sides.pair.days.searchsorted(np.datetime64(day), side="right")) - 1
    return float(ratios.known[at]) if at >= 0 else NAN


def _change(view: LegView, name: str, episode: Episode) -> tuple[float, str, str]:
    """A leg's change over an episode, or why there is none, and from which close to which it goes.

    Its closes may be a few days older than the episode's ends, as those of quarters may be a tenth of its length.
    """
    since, until = np.datetime64(episode.since), np.datetime64(episode.until)
    days = view.own_dates
    start, end = (int(days.searchsorted(day, side="right")) - 1 for day in (since, until))
    if start < 0:
        return NAN, f"before {name}'s first bar, of {days[0]}", ""
    slack = max(LONGEST_PAUSE, (until - since) // 10)
    if start == end or since - days[start] > slack or until - days[end] > slack:
        return NAN, f"no bars of {name} that fit", ""
    return view.change(float(view.own_levels[start]), float(view.own_levels[end])), "", f"{days[start]} to {days[end]}"
