"""What the numbers of a lead say, in sentences."""

import math
from typing import NamedTuple

from pairwatch.lead import SIZE
from pairwatch.studies.lead.predictions import DOUBT, SHARED, Granger, Half
from pairwatch.studies.lead.rolling import Rolled, Share
from pairwatch.studies.lead.verdict import Bands, Judged, in_words, suspects
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


def of_history(pair: Paired, whole: Judged) -> str:
    """The answer for the whole history."""
    return f"{_judged(pair, whole, pair.span)}{_surely(whole)}"


def findings(found: Found) -> tuple[str, ...]:
    """The sentences, the answer first."""
    return (
        of_history(found.pair, found.whole),
        f"{_judged(found.pair, found.window, 'window')}{_unsure(found.window)}",
        *_rolling(found.rolled),
        *_out_of_sample(found),
        *_granger(found),
        _correlogram(found.bands),
    )


def _judged(pair: Paired, one: Judged, what: str) -> str:
    return f"{what}, {plural(one.n, pair.noun)}: {in_words(pair, one)}"


def _surely(one: Judged) -> str:
    """Where the lag lies, of a leader."""
    if not one.named or not one.interval:
        return ""
    low, high, share = one.interval
    where = f"at {low:+d}" if low == high else f"from {low:+d} to {high:+d}"
    return f"; 95% interval of the lag {where} ({share:.0%} of resampled histories have {one.lead.lag:+d})"


def _unsure(one: Judged) -> str:
    """That the window's leader, whom `compare` names, may be the other leg."""
    if not one.sideless or not one.interval:
        return ""
    low, high, _ = one.interval
    return f"; lag and side are not sure: 95% of resamples from {low:+d} to {high:+d}"


def _rolling(rolled: Rolled | str) -> tuple[str, ...]:
    if isinstance(rolled, str):
        return (rolled,)
    sides = rolled.shares[:2]
    parts = [_share(one) for one in sides]
    said = int(rolled.tests.said.sum())
    silent = len(rolled.tests.starts) - said
    more = f" ({silent} more cannot be said)" if silent else ""
    return (f"of {plural(said, 'rolling window')}{more}, {' and '.join(parts)}: {_beyond(rolled)}; {_longest(rolled)}",)


def _share(one: Share) -> str:
    low, high = one.expected[1:]
    return f"{one.share:.1%} name {one.leader} (chance: {low:.1%} to {high:.1%})"


def _beyond(rolled: Rolled) -> str:
    """Whether either is named more often than chance names it, and than what both share makes either one."""
    more = [one for one in rolled.shares[:2] if one.share > one.expected[2]]
    if not more:
        return "no more than chance"
    first, second = sorted(rolled.shares[:2], key=lambda one: one.share, reverse=True)
    told = f"more than chance for {' and '.join(one.leader for one in more)}"
    against = p_text(rolled.one_sided)
    if rolled.one_sided < SIZE:
        return f"{told}, and more often {first.leader} than {second.leader} ({against})"
    return (
        f"{told}, but neither clearly more often than the other ({against}), as a shared factor with a memory makes it"
    )


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
    if not math.isfinite(one.asymmetry.p_value):
        return ("out of sample cannot be said: a leg does not move in the second half",)
    a, b = found.pair.legs
    ahead, behind = (a, b) if one.lag > 0 else (b, a)
    told = f"D {bare(one.asymmetry.value, 3)}, {p_text(one.asymmetry.p_value)}"
    if math.isfinite(one.gain.p_value):
        told += f"; R2 of forecasts {one.gain.r_squared:+.2%}, {p_text(one.gain.p_value)}"
    shared = one.gain.p_value < SIZE <= one.asymmetry.p_value  # the gain alone, which is no sign of a lead
    doubt = "".join(f"; {text}" for text, due in ((SHARED, shared), (DOUBT, one.doubtful)) if due)
    said = (
        f"out of sample: the first half's best candidate, {ahead} before {behind} by {plural(abs(one.lag), 'bar')}, "
        f"{_holds(one)} in the second ({told}; {plural(one.n, found.pair.noun)}){_whole(found, one)}{doubt}"
    )
    return (said,)


def _holds(one: Half) -> str:
    """Whether the other half has the candidate, too: by D, for a gain in forecasts is no sign of a lead."""
    return "shows" if one.asymmetry.p_value < SIZE else "is not shown"


def _whole(found: Found, one: Half) -> str:
    """What the whole of the history says of a candidate that shows, where that is something else."""
    whole = found.whole
    if one.asymmetry.p_value >= SIZE or (whole.named and whole.lead.lag == one.lag):
        return ""
    told = p_text(whole.lead.p_value)
    if whole.named:
        return f", where the whole of it has another lead: {whole.lead.verdict}"
    if whole.lead.p_value < SIZE:
        return f", which the whole of it cannot name a leader by ({told})"
    return f", too little for a leader over the whole of it ({told})"


def _granger(found: Found) -> tuple[str, ...]:
    if found.granger is None:
        return ()
    a, b = found.pair.legs
    sides = ((a, b, found.granger.forth.p_value), (b, a, found.granger.back.p_value))
    if not all(math.isfinite(p) for *_, p in sides):
        return ("Granger's test cannot be said: the legs' pasts do not differ enough",)
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
