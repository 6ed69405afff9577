"""What is known of a leg, as the bytes and texts that a database holds."""

import json
from dataclasses import asdict
from typing import Any

import numpy as np

from pairwatch.model import Days, Event, Facts, Floats, Quote


def day_bytes(days: Days) -> bytes:
    """Days as little-endian 32-bit counts from 1970 on."""
    return days.astype("datetime64[D]").astype("i8").astype("<i4").tobytes()


def days_of(data: bytes) -> Days:
    """What `day_bytes` was made of."""
    return np.frombuffer(data, "<i4").astype("i8").astype("datetime64[D]")


def close_bytes(closes: Floats) -> bytes:
    """Closes as little-endian doubles."""
    return closes.astype("<f8").tobytes()


def closes_of(data: bytes) -> Floats:
    """What `close_bytes` was made of."""
    return np.frombuffer(data, "<f8")


def events_text(events: tuple[Event, ...]) -> str:
    """Events as JSON, each a day from 1970 on, a kind and a value."""
    return json.dumps([[int(e.day.astype("datetime64[D]").astype("i8")), e.kind, e.value] for e in events])


def events_of(text: str) -> tuple[Event, ...]:
    """What `events_text` was made of."""
    return tuple(Event(np.datetime64(day, "D"), kind, value) for day, kind, value in json.loads(text))


def facts_text(facts: Facts) -> str:
    """Facts as JSON."""
    return json.dumps(asdict(facts))


def facts_of(text: str) -> Facts:
    """What `facts_text` was made of."""
    known: dict[str, Any] = json.loads(text)
    if "measure" not in known:  # as it was written before there were measures: by the unit
        was = known.pop("unit", "price")
        known |= {"measure": "rate", "unit": "percent"} if was == "percent" else {"measure": was}
    return Facts(**known)


def quote_text(quote: Quote | None) -> str:
    """A quote as JSON, `null` for none; a session whose end is not known has an end of Infinity."""
    return json.dumps(asdict(quote) if quote else None)


def quote_of(text: str) -> Quote | None:
    """What `quote_text` was made of."""
    found: dict[str, Any] | None = json.loads(text)
    return found and Quote(**found)  # type: ignore[return-value]
