"""Who leads within days: bars on one grid, or ticks without one; sessions are never bridged.

`asked` says what is asked and finds the common sessions, `ways` takes the bars' way or the ticks', `found` judges what
either gives, session by session; here it is put into sections and words.
"""

import math
from collections.abc import Iterator

import numpy as np

from pairwatch.bars import SECOND, Bars
from pairwatch.gathering import Held
from pairwatch.kernels.sessions import FEWEST
from pairwatch.model import NAN, Cell, Floats, LegReceipt, Receipt, Section, Study
from pairwatch.studies.intraday.asked import Asked, Legs, finer, legs_of, missed, said, sparsest, time_text
from pairwatch.studies.intraday.found import Found, Later
from pairwatch.studies.intraday.headings import ASYMMETRY, DATA, HEADINGS, LAGS, VERDICT
from pairwatch.studies.intraday.ways import Way, late, way_of
from pairwatch.text import listing, plural
from pairwatch.verdicts import p_text

__all__ = ["HEADINGS", "Asked", "study"]

# From this share of unchanged prices on it is said that a leg is traded less often.
SELDOM = 0.2
# From this share of bars without a price at their end on, no lead means nothing: pairs shrink by its square.
SPARSE = 0.2


def study(a: Held, b: Held, asked: Asked) -> Study:
    """Who leads within days.

    Raises:
        NotEnoughData: too few returns in common sessions.
    """
    legs = legs_of(a, b, asked)
    way = way_of(legs, asked)
    return Study(
        name="lead",
        a=legs.a.leg,
        b=legs.b.leg,
        since=legs.days[0].item(),
        as_of=legs.days[-1].item(),
        bars=0,
        findings=tuple(_findings(legs, way)),
        sections=(_verdict(legs, way), _lags(way), _asymmetry(legs, way), _data(legs, way)),
        receipt=_receipt(legs, way, asked),
        warnings=tuple(_warnings(legs, way)),
        history=_history(legs, way),
    )


# ---------------------------------------------------------------- words


def _findings(legs: Legs, way: Way) -> Iterator[str]:
    found = way.found
    if any(way.still):
        yield _still(legs, way)
        return
    yield _who_leads(legs, way)
    if _too_sparse(legs, found):
        yield _together(way)
        return
    if found.decided and not math.isnan(found.later.p_value):
        yield _out_of_sample(legs, way)
    if not way.on_grid:
        yield _contrast(legs, way)
    yield _together(way)
    if way.on_grid:
        yield _beyond_chance(found)


def _still(legs: Legs, way: Way) -> str:
    """Why nothing can be said of a leg that does not move."""
    at = way.still.index(True)
    side, returns = (legs.a, legs.b)[at], plural(way.returns[at], "return")
    if way.unchanged[at] == 1:
        why = f"{side.leg} stays at {side.prices[0]:g} throughout"
    else:
        why = f"the returns of {side.leg} are all the same"
    return f"who leads cannot be said: {why} ({returns} in {plural(len(legs.days), 'session')})"


def _beyond_chance(found: Found) -> str:
    if np.isnan(found.band).all():
        return f"which correlations are beyond chance cannot be said of {plural(found.judged.rows, 'block')}"
    beyond = [int(k) - found.max_lag for k in np.flatnonzero(np.abs(found.r) > found.band)]
    if beyond:
        return f"correlations beyond chance at lags {listing([f'{k:+d}' for k in beyond], 6)}"
    return f"no correlation beyond chance at any lag but 0, to {time_text(found.step * found.max_lag)[1:]}"


def _who_leads(legs: Legs, way: Way) -> str:
    found = way.found
    rests = said(len(legs.days), "session", way.parts)
    if math.isnan(found.p_value):
        moving = f"both legs move in {plural(found.judged.rows, 'session' if way.parts == 1 else 'part')}"
        return f"who leads cannot be said: {rests}, {moving}, the test needs {FEWEST}"
    d = f"D({found.at}) = {found.asymmetry:+.3f}, {p_text(found.p_value)}, {rests}"
    if found.shows:
        return _lead(legs, found, d)
    if found.p_value < 0.05 and found.blurred:
        by = time_text(found.blur)[1:]
        return f"who leads cannot be said: a lag no longer than the {by} between prices may be the clocks' ({d})"
    if _too_sparse(legs, found):
        return f"who leads cannot be said at {legs.a.interval}: {sparsest(legs)} ({d}); {finer(legs)}"
    return f"no lead: the asymmetry that stands out most is within chance ({d}); {_would_show(found)}"


def _lead(legs: Legs, found: Found, d: str) -> str:
    """Who leads by how much; no lag and no side where resamples have it on both sides."""
    low, high = (time_text(round(end) * found.step) for end in found.lag_interval)
    leader, follower = legs.names if found.lag > 0 else legs.names[::-1]
    if found.sideless:
        why = f"{leader} in {found.share:.0%} of resamples, 95% from {low} to {high}"
        return f"a lead shows ({d}), whose lag and side cannot be said ({why})"
    by = _by(found.lag, found.step)
    if abs(found.lag) > 1:
        by += f", to the nearest {time_text(found.step)[1:]}"
    return f"{leader} leads {follower} by {by} ({d}; 95% interval {low} to {high})"


def _by(lag: float, step: int) -> str:
    """How long a lag is: a shorter one than a step shows as a step."""
    text = time_text(round(abs(lag)) * step)[1:]
    return text if abs(lag) > 1 else f"about {text} or less"


def _too_sparse(legs: Legs, found: Found) -> bool:
    """Whether no lead means nothing, for too many bars could not be made."""
    return found.p_value >= 0.05 and sparsest(legs).share > SPARSE


def _would_show(found: Found) -> str:
    if math.isnan(found.judged.detectable):
        return f"{plural(found.judged.rows, 'block')} would show none"
    return f"a D of {found.judged.detectable:.3f} would have shown four times in five"


def _out_of_sample(legs: Legs, way: Way) -> str:
    found, later = way.found, way.found.later
    leader = legs.names[0 if later.lag > 0 else 1]
    verb = "holds in" if later.holds else "is not confirmed by"
    return (
        f"the lead of the first half, {leader} by {_by(later.lag, found.step)}, {verb} the second "
        f"(D = {later.asymmetry:+.3f}, {p_text(later.p_value)})"
    )


def _contrast(legs: Legs, way: Way) -> str:
    found = way.found
    at = found.r[found.max_lag + found.contrast]
    who = "neither" if not found.contrast else legs.names[0 if found.contrast > 0 else 1]
    first = f"correlation of ticks is highest, {at:+.3f}, at a shift of {time_text(found.contrast * found.step)}"
    if math.isnan(found.ratio) or any(map(math.isnan, found.ratio_interval)):
        return f"{first} ({who} first)"
    low, high = found.ratio_interval
    return f"{first} ({who} first); lead-lag ratio {found.ratio:.3g} [{low:.3g}, {high:.3g}], above 1 where A leads"


def _together(way: Way) -> str:
    found = way.found
    r = found.r[found.max_lag]
    if way.on_grid:
        return f"bar by bar of {time_text(found.step)[1:]} they move together by r = {r:+.3f} (n {way.returns[0]:,})"
    return f"without a shift r = {r:+.3f}, by Hayashi and Yoshida (n {way.returns[0]:,} and {way.returns[1]:,})"


def _warnings(legs: Legs, way: Way) -> Iterator[str]:
    for side in legs.sides:
        if side.provenance.stale:
            yield side.provenance.stale
        for text in side.provenance.remarks:
            yield text if text.startswith(f"{side.bars.leg}: ") else f"{side.bars.leg}: {text}"
    for bars, share in zip((legs.a, legs.b), way.unchanged, strict=True):
        if share > SELDOM and way.on_grid and not any(way.still):
            yield (
                f"{share:.0%} of {bars.leg}'s bars leave its price as it was: a leg that is traded less often seems to "
                "follow"
            )
    if sparsest(legs).share > SPARSE and way.found.shows:
        yield f"{sparsest(legs)}; {finer(legs)}"
    if any(way.still) or way.on_grid:
        return
    if way.found.blur:
        yield (
            f"both legs come like clockwork, each at its own moments ({way.share:.0%} are of both): a lead no longer "
            f"than their step, {time_text(way.found.blur)[1:]}, may be the clocks'{_beside(legs)}; take prices of the "
            "same moments"
        )
    elif way.found.step > way.usual:
        yield (
            f"between shifts of {time_text(way.found.step)[1:]} a shorter lead hides: ticks are about "
            f"{time_text(way.usual)[1:]} apart; --interval ticks looks closer"
        )


def _beside(legs: Legs) -> str:
    a, b = legs.names
    by = late(legs)
    return f" ({b}'s stamps are {time_text(abs(by))[1:]} {'after' if by > 0 else 'before'} {a}'s)" if by else ""


# ---------------------------------------------------------------- sections


def _verdict(legs: Legs, way: Way) -> Section:
    found = way.found
    low, high = found.lag_interval
    per_second = found.step / SECOND
    known = not math.isnan(found.p_value)
    lag, later = (NAN, Later(NAN, NAN, NAN)) if found.shows and found.sideless else (found.lag, found.later)
    rows: list[tuple[Cell, ...]] = [
        ("leader", _leader(legs, found), None, None, "text"),
        ("lag_bars" if way.on_grid else "lag_steps", lag, low, high, "count"),
        ("lag_seconds", lag * per_second, low * per_second, high * per_second, "number"),
        ("asymmetry", found.asymmetry, None, None, "number"),
        ("p_value", found.p_value, None, None, "probability"),
        ("detectable", found.judged.detectable if known else NAN, None, None, "number"),
        ("r_at_0", float(found.r[found.max_lag]), None, None, "number"),
        *(() if way.on_grid else _of_contrast(found)),
        ("lead_lag_ratio", found.ratio, *found.ratio_interval, "number"),
        ("later_lag", later.lag if not math.isnan(later.p_value) else NAN, None, None, "count"),
        ("later_asymmetry", later.asymmetry, None, None, "number"),
        ("later_p_value", later.p_value, None, None, "probability"),
    ]
    if any(way.still):  # what would be said of a lag is rounding
        rows = [(row[0], row[1] if row[4] == "text" else NAN, None, None, row[4]) for row in rows]
    return Section(VERDICT, tuple(rows))


def _of_contrast(found: Found) -> Iterator[tuple[Cell, ...]]:
    yield "contrast_seconds", found.contrast * found.step / SECOND, None, None, "number"
    yield "r_at_contrast", float(found.r[found.max_lag + found.contrast]), None, None, "number"


def _leader(legs: Legs, found: Found) -> str:
    if math.isnan(found.p_value) or (found.p_value < 0.05 and found.blurred) or _too_sparse(legs, found):
        return "cannot say"
    if found.shows and found.sideless:
        return "no verdict"
    return "none" if not found.decided else "A" if found.lag > 0 else "B"


def _lags(way: Way) -> Section:
    found = way.found
    rows = tuple(
        (
            time_text(k * found.step),
            k,
            float(r),
            float(band),
            _beyond(r, band),
            int(found.pairs[k + found.max_lag]) if len(found.pairs) else None,
        )
        for k, r, band in zip(range(-found.max_lag, found.max_lag + 1), found.r, found.band, strict=True)
    )
    return Section(LAGS, rows)


def _asymmetry(legs: Legs, way: Way) -> Section:
    judged, step = way.found.judged, way.found.step
    rows = tuple(
        (time_text(k * step)[1:], k, float(d), float(band), _beyond(d, band))
        for k, (d, band) in enumerate(zip(_known(way.found), judged.band, strict=True), 1)
    )
    cut = said(len(legs.days), "session", way.parts)
    return Section(ASYMMETRY, rows, (f"judged by {cut}, each taken as independent of the others",))


def _known(found: Found) -> Floats:
    """D(k), k = 1..L, NaN where a correlation that it is made of is."""
    middle = found.max_lag
    ends = found.r[middle + 1 :] - found.r[:middle][::-1]
    return np.asarray(np.where(np.isnan(ends), NAN, found.judged.totals))


def _beyond(value: float, band: float) -> str:
    return "" if math.isnan(value) or math.isnan(band) else "yes" if abs(value) > band else "no"


def _data(legs: Legs, way: Way) -> Section:
    a, b = (side.bars for side in legs.sides)
    common = len(legs.days)
    rows: tuple[tuple[Cell, ...], ...] = (
        ("sessions", len(a.days), len(b.days), common, "count"),
        ("prices", len(a), len(b), way.common, "count"),
        ("returns", *way.returns, way.returns[0] if way.on_grid else None, "count"),
        ("unchanged prices", *way.unchanged, None, "fraction"),
        *_missed(legs),
        ("blocks", None, None, way.found.blocks, "count"),
    )
    return Section(DATA, rows, (_way(way), *_made(legs)))


def _missed(legs: Legs) -> Iterator[tuple[Cell, ...]]:
    """Of bars that were made of shorter ones, how many could not be."""
    found = [missed(bars, legs.days) for bars in (legs.a, legs.b)]
    if legs.a.made_of or legs.b.made_of:
        yield "bars left out", *(one.gone for one in found), None, "count"
        yield "bars left out, share", *(one.share for one in found), None, "fraction"


def _way(way: Way) -> str:
    if way.on_grid:
        return (
            f"bars of {time_text(way.found.step)[1:]} on one grid: {way.share:.0%} of the "
            "moments of the leg with fewer are common ones while both trade; returns and lags stay within a session"
        )
    return (
        f"ticks: {plural(way.common, 'moment')} of both, so by Hayashi and Yoshida, without a grid; shifts of "
        f"{time_text(way.found.step)[1:]}; returns stay within a session"
    )


def _made(legs: Legs) -> Iterator[str]:
    """What was done to legs whose bars were made of shorter ones."""
    made = [bars for bars in (legs.a, legs.b) if bars.made_of]
    for step in dict.fromkeys(bars.made_of for bars in made):
        names = " and ".join(str(bars.leg) for bars in made if bars.made_of == step)
        yield (
            f"{names}: bars of {made[0].interval} that end on the clock, each with the last price in it, made of bars "
            f"of {time_text(step)[1:]}; one without a price at its end is left out ({_counts(legs, step)})"
        )


def _counts(legs: Legs, step: int) -> str:
    found = [missed(bars, legs.days) for bars in (legs.a, legs.b) if bars.made_of == step]
    return ", ".join(f"{one.gone:,} of {one.of:,} of {one.leg}" for one in found)


# ---------------------------------------------------------------- receipt


def _history(legs: Legs, way: Way) -> str:
    span = f"{plural(len(legs.days), 'common session')} from {legs.days[0]} to {legs.days[-1]}"
    if way.on_grid:
        return f"{plural(way.common, 'common bar')} in {span} ({plural(way.returns[0], 'return')})"
    first, second = way.returns
    return f"{first:,} and {plural(second, 'return')} between ticks in {span}, {plural(way.common, 'moment')} of both"


def _receipt(legs: Legs, way: Way, asked: Asked) -> Receipt:
    first, last = legs.days[0].item(), legs.days[-1].item()
    always = legs.a.facts.every_day and legs.b.facts.every_day
    per_session = max(1, round(way.returns[0] / len(legs.days))) if way.on_grid else 1
    noun = f"bars of {time_text(way.found.step)[1:]}" if way.on_grid else "ticks"
    return Receipt(
        a=_side(legs.sides[0], legs.a, way),
        b=_side(legs.sides[1], legs.b, way),
        start=first,
        base=first,
        end=last,
        matched=way.common,
        bars_per_year=per_session * (365 if always else 252),
        adjustment="price",
        max_lag=way.found.max_lag,
        seed=asked.seed,
        lined_up="; ".join(
            (
                f"{noun} within {plural(len(legs.days), 'common session')}; no return and no lag bridges a night",
                *_made(legs),
            )
        ),
    )


def _side(held: Held, used: Bars, way: Way) -> LegReceipt:
    bars = held.bars
    return LegReceipt(
        leg=bars.leg,
        facts=bars.facts,
        provenance=held.provenance,
        first_bar=bars.sessions[0],
        last_bar=bars.sessions[-1],
        lost=max(0, len(used) - way.common),
    )
