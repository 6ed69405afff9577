"""What the numbers of a lead say, in sentences."""

import math
from typing import NamedTuple

from pairwatch.lead import SIZE
from pairwatch.studies.lead.predictions import DOUBT, SHARED, Granger, Half
from pairwatch.studies.lead.rolling import Rolled, Share
from pairwatch.studies.lead.verdict import Bands, Judged, suspects
from pairwatch.studies.paired import Paired
from pairwatch.text import listing, plural
from pairwatch.verdicts import bare, p_text


class Found(NamedTuple):
    """Everything that sentences are made of."""

    pair: Paired
    whole: Judged
    window: Judged
    bands: Bands
    rolled: Rolled | str
    granger: Granger | None
    halves: tuple[Half, ...]


def findings(found: Found) -> tuple[str, ...]:
    """The sentences, the answer first."""
    return (
        f"{_judged(found.whole, 'whole history')}{_surely(found.whole)}",
        _judged(found.window, "window"),
        *_rolling(found.rolled),
        *_out_of_sample(found),
        *_granger(found),
        _correlogram(found.bands),
    )


def _judged(one: Judged, what: str) -> str:
    return f"{what}, {plural(one.n, 'return')}: {one.lead.verdict}"


def _surely(one: Judged) -> str:
    """Where the lag lies, of a leader."""
    if not one.lead.decided or not one.interval:
        return ""
    low, high, share = one.interval
    where = f"at {low:+d}" if low == high else f"from {low:+d} to {high:+d}"
    return f"; 95% interval of the lag {where} ({share:.0%} of resampled histories have {one.lead.lag:+d})"


def _rolling(rolled: Rolled | str) -> tuple[str, ...]:
    if isinstance(rolled, str):
        return (rolled,)
    sides = rolled.shares[:2]
    parts = [_share(one) for one in sides]
    more = [one.leader for one in sides if one.share > one.expected[2]]
    beyond = f"more than chance for {listing(more)}" if more else "no more than chance"
    windows = plural(len(rolled.tests.starts), "rolling window")
    return (f"of {windows}, {' and '.join(parts)}: {beyond}; {_longest(rolled)}",)


def _share(one: Share) -> str:
    low, high = one.expected[1:]
    return f"{one.share:.0%} name {one.leader} (chance: {low:.0%} to {high:.0%})"


def _longest(rolled: Rolled) -> str:
    if not rolled.episodes:
        return "no episode of a leader"
    longest = max(one.last - one.first + 1 for one in rolled.episodes)
    return f"{plural(len(rolled.episodes), 'episode')}, the longest of {plural(longest, 'window')}"


def _out_of_sample(found: Found) -> tuple[str, ...]:
    if not found.halves:
        return ()
    one = found.halves[0]
    if one.found_in != "first half":
        return ()
    a, b = found.pair.legs
    ahead, behind = (a, b) if one.lag > 0 else (b, a)
    holds = "is there" if one.asymmetry.p_value < SIZE else "is not shown"
    shared = one.gain.p_value < SIZE <= one.asymmetry.p_value  # the gain alone, which is no sign of a lead
    doubt = "".join(f"; {text}" for text, due in ((SHARED, shared), (DOUBT, one.doubtful)) if due)
    said = (
        f"out of sample: the first half's best candidate, {ahead} before {behind} by {plural(abs(one.lag), 'bar')}, "
        f"{holds} in the second (D {bare(one.asymmetry.value)}, {p_text(one.asymmetry.p_value)}; "
        f"R2 of forecasts {one.gain.r_squared:+.2%}, {p_text(one.gain.p_value)}; {plural(one.n, 'return')}){doubt}"
    )
    return (said,)


def _granger(found: Found) -> tuple[str, ...]:
    if found.granger is None:
        return ()
    a, b = found.pair.legs
    sides = ((a, b, found.granger.forth.p_value), (b, a, found.granger.back.p_value))
    parts = [
        f"{one} {'predicts' if p < SIZE else 'is not shown to predict'} {other} ({p_text(p)})"
        for one, other, p in sides
    ]
    told = [*([SHARED] if min(p for *_, p in sides) < SIZE else []), *([DOUBT] if suspects(found.pair) else [])]
    doubt = "".join(f"; {text}" for text in told)
    return (f"Granger, {plural(found.granger.lags, 'lag')} by the BIC: {', '.join(parts)}{doubt}",)


def _correlogram(bands: Bands) -> str:
    band = bands.correlogram
    if not math.isfinite(band.p_value):
        return "correlation across time cannot be said: a leg does not move"
    outside = bands.outside
    where = (
        f"r(k) leaves its band at k = {listing([f'{k:+d}' for k in outside], 6)}"
        if outside
        else "no r(k) leaves its band"
    )
    unlike = f"D(k) at k = {listing(bands.unlike, 6)}" if bands.unlike else "no D(k) does"
    return f"{where} ({p_text(band.p_value)}), {unlike} ({p_text(bands.asymmetry.p_value)}): lags to {bands.lags}"
