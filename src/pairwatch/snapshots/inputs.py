"""What a snapshot was computed from: each leg's whole history as it was known, stored once.

Closes are cut into chunks by calendar year, and those of the newest year by month, so that a new evening adds one short
chunk a leg and everything older is shared with the evening before. Each chunk is known by the hash of its content; a
history that the provider rewrites makes new chunks beside the old ones.
"""

import json
from datetime import date
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from pairwatch import packing
from pairwatch.database import Damaged
from pairwatch.histories import History
from pairwatch.model import Days, Floats, Leg, Provenance, Series

HASH_SIZE = 16
_BAR = 12  # bytes: a day of four, a close of eight


class Chunk(NamedTuple):
    """Some bytes and their hash."""

    hash: bytes
    data: bytes


class Packed(NamedTuple):
    """One leg's inputs.

    Attributes:
        hash: of everything.
        content: of the closes and events alone, from which, with the question and with what is declared of the leg's
            unit, all finished numbers follow.
        told: the quote, and where the numbers came from, as JSON.
    """

    hash: bytes
    content: bytes
    leg: str
    closes: tuple[Chunk, ...]
    events: Chunk
    facts: Chunk
    told: str


def digest(*parts: bytes) -> bytes:
    """The content hash (BLAKE2b) of some bytes, their lengths included."""
    import hashlib  # noqa: PLC0415 - loads OpenSSL, which a run that reads a few numbers does without

    found = hashlib.blake2b(digest_size=HASH_SIZE)
    for part in parts:
        found.update(b"%d:" % len(part))
        found.update(part)
    return found.digest()


def packed(history: History) -> Packed:
    """A history as it is stored."""
    series = history.series
    closes = tuple(_chunk(data) for data in _cut(series.dates, series.closes))
    events = _chunk(packing.events_text(series.events).encode())
    facts = _chunk(packing.facts_text(series.facts).encode())
    told = json.dumps({"quote": json.loads(packing.quote_text(series.quote)), **_provenance(history.provenance)})
    return assembled(f"{series.leg.source}:{series.leg.symbol}", closes, events, facts, told)


def assembled(leg: str, closes: tuple[Chunk, ...], events: Chunk, facts: Chunk, told: str) -> Packed:
    """The parts with their common hashes."""
    content = digest(leg.encode(), *(chunk.hash for chunk in closes), events.hash)
    return Packed(digest(content, facts.hash, told.encode()), content, leg, closes, events, facts, told)


def unpacked(leg: str, closes: list[bytes], events: bytes, facts: bytes, told: str) -> History:
    """The history that was packed.

    Raises:
        Damaged: what cannot be one.
    """
    source, _, symbol = leg.partition(":")
    try:
        days, values = zip(*(_bars(data) for data in closes), strict=True)
        known: dict[str, Any] = json.loads(told)
        quote = packing.quote_of(json.dumps(known.pop("quote")))
        holes = tuple(np.datetime64(day, "D") for day in known.pop("holes"))
        provenance = Provenance(
            holes=holes, remarks=tuple(known.pop("remarks")), made=tuple(known.pop("made", ())), **known
        )
        series = Series(
            Leg(source, symbol),
            np.concatenate(days),
            np.concatenate(values),
            packing.events_of(events.decode()),
            packing.facts_of(facts.decode()),
            quote,
        )
    except (ValueError, TypeError, KeyError) as error:
        raise Damaged(f"inputs of {leg}") from error
    return History(series, provenance)


def known_on(history: History, day: date) -> bytes:
    """The hash of the closes and events up to a day."""
    dates, last = history.series.dates, np.datetime64(day)
    n = int(dates.searchsorted(last, side="right"))
    events = tuple(event for event in history.series.events if event.day <= last)
    closes = packing.close_bytes(history.series.closes[:n])
    return digest(packing.day_bytes(dates[:n]), closes, packing.events_text(events).encode())


def chunk_of(expected: bytes, data: Any) -> Chunk:
    """A stored chunk; raises `Damaged` where the bytes are not those that were stored."""
    if not isinstance(data, bytes) or digest(data) != expected:
        raise Damaged("a chunk of closes")
    return Chunk(expected, data)


def _chunk(data: bytes) -> Chunk:
    return Chunk(digest(data), data)


def _cut(dates: Days, closes: Floats) -> list[bytes]:
    """The bars of each past calendar year, and of each month of the newest."""
    years, months = dates.astype("M8[Y]").astype("i8"), dates.astype("M8[M]").astype("i8")
    label = np.where(years == years[-1], months, -years - 1) if len(dates) else months
    edges = [0, *(np.flatnonzero(label[1:] != label[:-1]) + 1).tolist(), len(dates)]
    return [packing.day_bytes(dates[i:j]) + packing.close_bytes(closes[i:j]) for i, j in pairwise(edges) if i < j]


def _bars(data: bytes) -> tuple[Days, Floats]:
    n = len(data) // _BAR
    return packing.days_of(data[: 4 * n]), packing.closes_of(data[4 * n :])


def _provenance(known: Provenance) -> dict[str, Any]:
    return {
        "origin": known.origin,
        "asked_at": known.asked_at,
        "stale": known.stale,
        "holes": [int(day.astype("M8[D]").astype("i8")) for day in known.holes],
        "revised": known.revised,
        "refetched": known.refetched,
        "remarks": list(known.remarks),
        **({"made": list(known.made)} if known.made else {}),
        **({"stand_in": known.stand_in} if known.stand_in else {}),
    }
