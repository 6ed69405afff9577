"""One strictly valid JSON object; `null` for "cannot say". Names are added, never changed, within a schema."""

import json
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pairwatch import __version__
from pairwatch.model import Comparison, LegReceipt, Receipt, Scope, iso
from pairwatch.render import Page

if TYPE_CHECKING:
    from pairwatch.differences import Change, Difference, Moment, Split
    from pairwatch.revisions import Rebasing, Revision

SCHEMA = 1


def comparison(c: Comparison, page: Page, since: "Difference | None" = None) -> str:
    """The whole comparison as one object, with a line feed at its end."""
    document = {
        "schema": SCHEMA,
        "pairwatch": __version__,
        "as_of": iso(c.as_of),
        "window": str(c.window),
        "stale": c.stale,
        "simulated": c.simulated,
        "a": {**_leg(c.receipt.a), **_values(c, "a")},
        "b": {**_leg(c.receipt.b), **_values(c, "b")},
        "difference": _values(c, "difference"),
        "pair": _values(c, "pair"),
        "percentiles": _percentiles(c),
        "leadership": _leadership(c),
        "reading": [{"claim": x.text, "verdict": x.verdict, "because": x.because} for x in c.claims],
        "since": since
        and {
            "session": iso(since.start.session),
            "revision": since.start.revision,
            "statistics": [_change(one) for one in since.changes],
        },
        "receipt": _receipt(c.receipt),
        "warnings": list(c.warnings),
    }
    return _text(document, page)


def difference(d: "Difference", page: Page) -> str:
    """The whole difference as one object."""
    document = {
        "schema": SCHEMA,
        "pairwatch": __version__,
        "a": str(d.a),
        "b": str(d.b),
        "window": str(d.question.window),
        "from": _moment(d.start),
        "to": _moment(d.end),
        "statistics": [_change(one) for one in d.changes],
        "days": {
            "left": [iso(day) for day in d.left],
            "entered": [iso(day) for day in d.entered],
            "revised": [_revision(one) for one in d.revisions],
            "rebased": [_rebasing(one) for one in d.rebasings],
            "splits": [_split(one) for one in d.splits],
        },
        "remarks": list(d.remarks),
    }
    return _text(document, page)


def _text(document: dict[str, Any], page: Page) -> str:
    return json.dumps(document, indent=2, allow_nan=False, ensure_ascii=not page.unicode) + "\n"


def _moment(moment: "Moment") -> dict[str, Any]:
    return {
        "session": iso(moment.session),
        "revision": moment.revision,
        "taken_at": _instant(moment.taken_at),
        "pairwatch": moment.program,
    }


def _change(c: "Change") -> dict[str, Any]:
    parts = ("from", "to", "change", "left", "entered", "revised")
    numbers = {name: _number(value) for name, value in zip(parts, c[3:], strict=True)}
    return {"statistic": c.statistic.key, "scope": c.scope, "unit": c.unit, **numbers}


def _revision(one: "Revision") -> dict[str, Any]:
    return {
        "leg": str(one.leg),
        "day": iso(one.day),
        "what": one.what,
        "from": _number(one.before),
        "to": _number(one.after),
    }


def _rebasing(one: "Rebasing") -> dict[str, Any]:
    return {"leg": str(one.leg), "until": iso(one.until), "divisor": one.divisor, "split": iso(one.split)}


def _split(one: "Split") -> dict[str, Any]:
    return {"leg": str(one.leg), "day": iso(one.day), "ratio": one.ratio, "part": one.part}


def _number(value: float) -> float | int | None:
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() and abs(value) < 1e15 else value


def _values(c: Comparison, scope: Scope) -> dict[str, Any]:
    return {r.statistic.key: _number(r.value) for r in c if r.scope == scope}


def _percentiles(c: Comparison) -> dict[str, Any] | None:
    """Each number's place in its own past, between 0 and 1; what has none is not there."""
    found = c.percentiles
    if not found:
        return None
    scopes: tuple[Scope, ...] = ("a", "b", "difference", "pair")
    return {
        **{one: {key: share for (scope, key), share in found.of.items() if scope == one} for one in scopes},
        "since": iso(found.since),
        "windows": found.windows,
        "independent": found.independent,
        "unusual": len(found.unusual),
        "as_many": _number(found.as_many),
    }


def _leadership(c: Comparison) -> dict[str, Any]:
    lead = c.leadership
    lags = range(-lead.max_lag, lead.max_lag + 1)
    return {
        "verdict": lead.verdict,
        "leader": str(c.a if lead.lag > 0 else c.b) if lead.decided else None,
        **{key.removeprefix("lead_"): value for key, value in _values(c, "leadership").items()},
        "hours_apart": _number(lead.hours_apart),
        "correlations": [{"lag": lag, "r": _number(lead.at(lag))} for lag in lags],
    }


def _leg(side: LegReceipt) -> dict[str, Any]:
    facts = side.facts
    return {
        "leg": str(side.leg),
        "source": side.served_by,
        "symbol": side.leg.symbol,
        "name": facts.name or None,
        "currency": facts.currency or None,
        "measure": facts.measure,
        "unit": facts.unit or facts.currency or None,
        "changes": facts.change_unit if facts.by_differences else "percent",
        "frequency": facts.frequency or None,
        "kind": facts.kind or None,
        "exchange": facts.exchange or None,
        "timezone": facts.timezone or None,
        "closes_at": None if facts.closes_at is None else f"{facts.closes_at // 60:02}:{facts.closes_at % 60:02}",
        "simulated": facts.simulated,
        "first_bar": iso(side.first_bar),
        "last_bar": iso(side.last_bar),
        "session_open": side.quote.open if side.quote else None,
        "quoted_at": _instant(side.quote.at if side.quote else None),
    }


def _receipt(receipt: Receipt) -> dict[str, Any]:
    return {
        "start": iso(receipt.start),
        "base": iso(receipt.base),
        "end": iso(receipt.end),
        "matched_bars": receipt.matched,
        "returns": receipt.matched - 1,
        "bars_per_year": receipt.bars_per_year,
        "adjustment": receipt.adjustment,
        "max_lag": receipt.max_lag,
        "seed": receipt.seed,
        "align": receipt.align,
        "lined_up": receipt.lined_up or None,
        "absent": [{"scope": x.scope, "statistics": list(x.keys), "because": x.because} for x in receipt.absent],
        "a": _provenance(receipt.a),
        "b": _provenance(receipt.b),
    }


def _provenance(side: LegReceipt) -> dict[str, Any]:
    provenance = side.provenance
    return {
        "origin": provenance.origin,
        "asked_at": _instant(provenance.asked_at),
        "stale": provenance.stale or None,
        "days_lost": side.lost,
        "holes": [iso(day) for day in provenance.holes],
        "revised": provenance.revised,
        "refetched": provenance.refetched,
    }


def _instant(seconds: float | None) -> str | None:
    """ISO 8601 in UTC, to the second."""
    return None if seconds is None else datetime.fromtimestamp(int(seconds), UTC).isoformat().replace("+00:00", "Z")
