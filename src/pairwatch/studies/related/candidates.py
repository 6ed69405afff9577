"""Which pairs are related to a pair, by the catalogue: relation by relation, and which of them come first."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import NamedTuple

from pairwatch.histories import History
from pairwatch.model import Leg
from pairwatch.studies.instruments import Catalogue, Instrument

Get = Callable[[Leg], History | None]


class Candidate(NamedTuple):
    """A related pair.

    Attributes:
        relation: how it was found, in a word; `same` of two names of one series.
        why: the same in words.
    """

    a: Leg
    b: Leg
    relation: str
    why: str


class Held:
    """The histories at hand, each asked for once, and those that are there already."""

    def __init__(self, get: Get, had: Mapping[Leg, History]) -> None:
        self._get = get
        self._had: dict[Leg, History | None] = {**had}

    def __call__(self, leg: Leg) -> History | None:
        """The history of a leg, or None."""
        if leg not in self._had:
            self._had[leg] = self._get(leg)
        return self._had[leg]

    def missing(self, one: Candidate) -> list[Leg]:
        """Which legs of a pair are not at hand."""
        return [leg for leg in (one.a, one.b) if not self(leg)]


def by_catalogue(a: Leg, b: Leg, catalogue: Catalogue, held: Held) -> list[list[Candidate]]:
    """The related pairs of each relation in turn, the best first."""
    places = {leg: at for at, leg in enumerate(catalogue.instruments)}

    def worth(one: Candidate) -> tuple[bool, list[tuple[int, str]]]:
        # The same for a pair and for the pair swapped.
        return bool(held.missing(one)), sorted((places.get(leg, len(places)), str(leg)) for leg in (one.a, one.b))

    relations = (_listed, _of_same_contrast, _with_one_leg, _elsewhere, _against_hedges)
    return [sorted(_one_way(relation(a, b, catalogue)), key=worth) for relation in relations]


def _one_way(found: Iterator[Candidate]) -> list[Candidate]:
    """Each pair once, whichever leg comes first."""
    once: dict[frozenset[Leg], Candidate] = {}
    for one in found:
        once.setdefault(frozenset((one.a, one.b)), one)
    return list(once.values())


def in_turn(relations: Sequence[Sequence[Candidate]], legs: tuple[Leg, Leg], catalogue: Catalogue) -> list[Candidate]:
    """The first of each relation, then the next of each, without what is the same thing as an earlier one."""
    seen = {frozenset(map(catalogue.identity, legs))}
    waiting = [iter(relation) for relation in relations]
    found: list[Candidate] = []
    while waiting:
        waiting = [relation for relation in waiting if _take_next(relation, seen, found, catalogue)]
    return found


def _take_next(
    relation: Iterator[Candidate], seen: set[frozenset[str]], found: list[Candidate], catalogue: Catalogue
) -> bool:
    """Move the first that is no repetition over to what is found; false where there is none."""
    for one in relation:
        identity = frozenset((catalogue.identity(one.a), catalogue.identity(one.b)))
        if len(identity) == 2 and identity not in seen:
            seen.add(identity)
            found.append(one)
            return True
    return False


def _listed(a: Leg, b: Leg, catalogue: Catalogue) -> Iterator[Candidate]:
    """The other pairs of the groups that the pair is in."""
    for group in catalogue.groups:
        if (a, b) in group.pairs or (b, a) in group.pairs:
            for pair in group.pairs:
                yield Candidate(*_as_in(a, b, pair), "listed", f"listed beside it: {group.name}")


def _with_one_leg(a: Leg, b: Leg, catalogue: Catalogue) -> Iterator[Candidate]:
    """The pairs of all groups that have one of the legs, and each leg against its market."""
    for group in catalogue.groups:
        for pair in group.pairs:
            for leg in (a, b):
                if leg in pair:
                    yield Candidate(*_as_in(a, b, pair), "leg", f"{leg} is in it, too: {group.name}")
    for leg in (a, b):
        own = catalogue.get(leg)
        for other in catalogue.instruments.values():
            if own and other.leg != leg and _is_market_of(other, own):
                pair = (leg, other.leg) if leg == a else (other.leg, leg)
                yield Candidate(*pair, "leg", f"{leg} against its market, {other.name or other.leg}")


def _is_market_of(other: Instrument, own: Instrument) -> bool:
    known = own.kind and own.region
    return bool(other.market and known and (other.kind, other.region) == (own.kind, own.region))


def _of_same_contrast(a: Leg, b: Leg, catalogue: Catalogue) -> Iterator[Candidate]:
    """What is alike with A against what is alike with B, each in its region; of legs whose region is known."""
    one, other = catalogue.get(a), catalogue.get(b)
    if not (one and other):
        return
    for x, y in _alike(one, other, catalogue):
        if (x.region, y.region) == (one.region, other.region):
            yield Candidate(x.leg, y.leg, "contrast", f"the same contrast: {_contrast(x, y)}")


def _elsewhere(a: Leg, b: Leg, catalogue: Catalogue) -> Iterator[Candidate]:
    """The same contrast in other regions: in one, where A and B are of one."""
    one, other = catalogue.get(a), catalogue.get(b)
    if not (one and other):
        return
    for x, y in _alike(one, other, catalogue):
        # Across regions only what is so itself: a leg of no known region is not.
        apart = one.region and other.region and one.region != other.region
        together = x.region == y.region or apart
        if together and (x.region, y.region) != (one.region, other.region):
            yield Candidate(x.leg, y.leg, "region", f"the same elsewhere: {_contrast(x, y)}")


def _against_hedges(a: Leg, b: Leg, catalogue: Catalogue) -> Iterator[Candidate]:
    """Each leg against what is looked at as a hedge of its kind."""
    for leg in (a, b):
        own = catalogue.get(leg)
        for other in catalogue.instruments.values():
            if own and own.kind in other.hedges and other.leg not in (a, b):
                pair = (leg, other.leg) if leg == a else (other.leg, leg)
                yield Candidate(*pair, "hedge", f"{other.name or other.leg} is looked at as a hedge of {own.kind}")


def _alike(one: Instrument, other: Instrument, catalogue: Catalogue) -> Iterator[tuple[Instrument, Instrument]]:
    every = [x for x in catalogue.instruments.values() if x.region]
    yield from product((x for x in every if x.is_like(one)), [y for y in every if y.is_like(other)])


def _contrast(x: Instrument, y: Instrument) -> str:
    if x.region == y.region:
        return f"{x.tilt} against {y.tilt}, {x.region}"
    return f"{x.tilt}, {x.region} against {y.tilt}, {y.region}"


def _as_in(a: Leg, b: Leg, pair: tuple[Leg, Leg]) -> tuple[Leg, Leg]:
    """A pair that may share a leg with A, B, which then stands where it stands there."""
    x, y = pair
    return (y, x) if x == b or y == a else pair
