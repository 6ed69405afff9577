"""Reasons in words: what it is, and what to do."""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from pairwatch.model import Days, Leg
from pairwatch.text import plural
from pairwatch.verifying.account import Known, Reason
from pairwatch.verifying.findings import Kind

_LARGEST_PART = 100
_READABLE = 1e9


class Scene(NamedTuple):
    """What a reason is told of.

    Attributes:
        days: all common dates.
        first, last: the first and the last date that differs for the reason.
        dates: how many dates do.
        scale: what a difference of rates is multiplied with to be in basis points.
        usual: the median of their differences, in words.
        pence: whether one leg is in hundredths of the other's currency.
        currencies: of here and there.
    """

    here: Leg
    there: Leg
    days: Days
    first: np.datetime64
    last: np.datetime64
    dates: int
    rate: bool
    scale: float
    usual: str
    pence: bool
    currencies: tuple[str, str]


def told(reason: Reason, scene: Scene) -> tuple[str, str]:
    """What it is, and what to do: a line each."""
    return _WORDS[reason.kind](reason, scene)


def ratio(factor: float) -> str:
    """`100`, `1/100`, `3/2`; six digits of what is no small fraction."""
    plain = Fraction(factor).limit_denominator(_LARGEST_PART) if factor >= 1 else _inverse(factor)
    return str(plain) if plain and math.isclose(plain, factor, rel_tol=1e-6) else f"{factor:.6g}"


def digits(value: float, significant: int = 3) -> str:
    """So many significant digits, and all of what stands before the decimal point where that is a readable number."""
    rounded = float(f"{value:.{significant}g}")
    return f"{value:.0f}" if 10 ** (significant - 1) <= abs(rounded) < _READABLE else f"{value:.{significant}g}"


def _inverse(factor: float) -> Fraction:
    return 1 / Fraction(1 / factor).limit_denominator(_LARGEST_PART)


def _shift(reason: Reason, scene: Scene) -> tuple[str, str]:
    late = reason.factor > 0
    what = f"{scene.there} is dated a session {'later' if late else 'earlier'} than {scene.here}"
    return what, f"look up one close of these: either {scene.there} or {scene.here} has the date of another time zone"


def _scale(reason: Reason, scene: Scene) -> tuple[str, str]:
    what = f"{scene.there} is {ratio(reason.factor)} times {scene.here}"
    if scene.pence:
        return f"{what}: one counts in hundredths of the other's currency", "returns compare as they are, levels do not"
    if reason.factor in {100.0, 0.01}:
        units = "percent against fractions, or basis points against percent"
        what = f"{what}: another unit ({units if scene.rate else f'pence against pounds, {units}'})"
    if scene.rate and reason.factor in {10_000.0, 0.0001}:
        what = f"{what}: another unit (basis points against fractions)"
    return (
        what,
        f"the side that leaves its own level is wrong: multiply it by {ratio(1 / reason.factor)}, or its inverse",
    )


def _split(reason: Reason, scene: Scene) -> tuple[str, str]:
    raw, done = (scene.there, scene.here) if reason.factor > 1 else (scene.here, scene.there)
    if reason.known and reason.known.ratio < 1:
        raw, done = done, raw
    known = f"the split of {reason.known.day}" if reason.known else "a split that no source names"
    until = "on all common dates" if reason.stop == len(scene.days) else f"before {scene.days[reason.stop]}"
    what = f"{scene.there} is {ratio(reason.factor)} times {scene.here} {until}"
    if not reason.side:
        return f"{what}: {known} is not applied to {raw}, or twice to {done}", f"get {raw} again, adjusted for splits"
    leg = scene.there if reason.side == "there" else scene.here
    fate, reverse = ("not applied to", "twice") if leg == raw else ("applied twice to", "not at all")
    other = "" if reason.known else f", or a reverse one {reverse}"
    return (
        f"{what}, where {leg} alone jumps: {known} is {fate} it{other}",
        f"get {leg} again, adjusted for splits",
    )


def _dividend(reason: Reason, scene: Scene) -> tuple[str, str]:
    if reason.known:
        return _one_dividend(reason, reason.known, scene)
    done, quoted = (scene.there, scene.here) if reason.side == "there" else (scene.here, scene.there)
    return (
        f"{done} is adjusted for dividends, and {quoted} is not",
        f"get the closes of {done} as quoted; as they are, its returns are total returns already",
    )


def _one_dividend(reason: Reason, paid: Known, scene: Scene) -> tuple[str, str]:
    leg, other = (scene.there, scene.here) if reason.side == "there" else (scene.here, scene.there)
    which = f"the dividend of {paid.day}"
    what = (
        f"{leg} is adjusted for dividends, but not for {which}",
        f"{leg} is adjusted for {which}, and {other} is not",
        f"{leg} is adjusted for {which} twice",
    )[reason.times]
    return what, f"get the closes of {leg} as quoted, or adjusted for all dividends alike"


def _adjustment(reason: Reason, scene: Scene) -> tuple[str, str]:
    if scene.rate:
        size = digits(abs(scene.scale * reason.factor), 4)
        what = f"{scene.there} is {'-' if reason.factor < 0 else '+'}{size} bp from {scene.here} over a stretch"
        return what, "look whether both are of the same maturity and basis"
    many = f", in {reason.steps} steps," if reason.steps > 1 else ""
    return (
        f"{scene.there} is{many} up to {ratio(reason.factor)} times {scene.here}: nothing that is known says why",
        "look whether one is adjusted for dividends, spin-offs or fees, or is in another currency",
    )


def _tick(reason: Reason, scene: Scene) -> tuple[str, str]:
    leg = {"here": scene.here, "there": scene.there}.get(reason.side)
    which = f"{leg} is far from its own neighbours" if leg else "which side is wrong does not show"
    what = f"{plural(scene.dates, 'date')} off while the neighbours agree: {which}"
    if scene.first == scene.days[-1]:
        return what, "it is the last one, perhaps saved before the session was over: get both again"
    return what, f"mend {leg}, or get it again" if leg else "look it up in a third source"


def _currency(_reason: Reason, scene: Scene) -> tuple[str, str]:
    what = f"{scene.there} is in {scene.currencies[1]}, {scene.here} in {scene.currencies[0]}"
    return what, "verify with a source in the same currency"


def _other(_reason: Reason, scene: Scene) -> tuple[str, str]:
    what = f"{plural(scene.dates, 'date')} differ, usually by {scene.usual}, and nothing simple says why"
    if scene.dates > 0.2 * len(scene.days):
        return what, "are both the same thing, and do they close at the same time? if so, give a wider --tolerance"
    return what, "a late revision, or another close: get both again, or look the dates up in a third source"


_WORDS: dict[Kind, Callable[[Reason, Scene], tuple[str, str]]] = {
    "shift": _shift,
    "scale": _scale,
    "split": _split,
    "dividend": _dividend,
    "adjustment": _adjustment,
    "tick": _tick,
    "currency": _currency,
    "other": _other,
}
