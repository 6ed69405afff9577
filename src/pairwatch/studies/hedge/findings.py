"""What the study has found, in sentences, each with its numbers and what they rest on."""

import math
from typing import NamedTuple

from pairwatch.catalogue import LegView
from pairwatch.kernels import sd
from pairwatch.kernels.effectiveness import EVERYTHING, Estimate, robust_slope
from pairwatch.studies.hedge.held import ENOUGH, Ratios, Terms, Trial, too_few
from pairwatch.studies.hedge.legs import Sides, alike, amount, between, each, share, shares, size
from pairwatch.studies.hedge.shocks import Met, Outlook, doubt
from pairwatch.studies.hedge.stress import Told
from pairwatch.studies.hedge.worst import Worst
from pairwatch.text import plural
from pairwatch.verdicts import p_text

# So much less variance is half the volatility; a hedge that takes away less hedges in part, as `compare` has it.
HALVES, LITTLE = 0.75, 0.25
SIZE = 0.05
# So many findings are read.
MOST = 7


class Found(NamedTuple):
    """Everything that findings are made of."""

    sides: Sides
    every_ratio: tuple[Ratios, ...]
    trial: Trial | None
    means: tuple[Worst, Worst]
    past: list[Told]
    ahead: list[tuple[Met, list[Outlook]]]
    terms: Terms


def told(found: Found) -> tuple[str, ...]:
    """The findings, the answer first; what was asked for before what was not."""
    if found.sides.still:
        return (answer(found),)
    lines = [answer(found), *(_shock(found, move, by) for move, by in found.ahead), _ratio(found)]
    if found.trial:
        lines.append(_costs(found, found.trial))
    lines += [_stress(found), _other_days(found)]
    if found.trial:
        lines += [_naive(found, found.trial), _reverse(found, found.trial)]
    return tuple([line for line in lines if line][:MOST])


def warnings(sides: Sides) -> tuple[str, ...]:
    """What keeps the hedge from being traded."""
    return tuple(
        f"{name} cannot be held (it is a {view.measure}): nobody can trade this hedge, its numbers say how both moved"
        for name, view in zip(sides.names, sides.views, strict=True)
        if not view.can_be_held
    )


def _still(sides: Sides) -> str:
    a, b = sides.names
    nothing = f"{a} needs no hedge" if sides.still.startswith(f"{a} ") else f"{b} is none for {a}"
    return f"no hedge: {sides.still}, and {nothing}"


def answer(found: Found) -> str:
    """The first finding: whether B hedges A."""
    return _still(found.sides) if found.sides.still else _answer(found)


def _answer(found: Found) -> str:
    a, b = found.sides.names
    trial = found.trial
    if trial is None:
        return f"whether {b} hedges {a} cannot be said out of sample: {too_few(found.sides, found.every_ratio)}"
    effect, bars = trial.main.effect, plural(len(trial.unhedged), "bar")
    if not math.isfinite(effect.value):
        return f"whether {b} hedges {a} cannot be said: {a} does not move in the {bars} for which a ratio was known"
    whose = f"{a}'s variance over {bars}"
    what = f"{_done(effect, whose)}{_days(found, 0, '; ')}"
    if trial.naive and _naive_is_better(trial):
        other = _done(trial.naive.effect, "the variance")
        return f"no gain from a ratio: {b} one for one {other}, and out of sample its ratio {what} ({_p(trial)})"
    if effect.low > 0:
        how_well = "" if effect.value >= HALVES else " in part" if effect.value >= LITTLE else " a little"
        return f"{b} hedges {a}{how_well}: out of sample it {what}"
    # What may take away a quarter or more is no "no".
    if effect.high < LITTLE:
        return f"no hedge: out of sample {b} {what}"
    return f"whether {b} hedges {a} cannot be said: out of sample it {what}"


def _done(effect: Estimate, whose: str) -> str:
    """`takes away 48% [40%, 55%] of QQQ's variance`, or `adds 3% [1%, 5%] to it`."""
    if share(effect.value).startswith("-"):
        added = Estimate(-effect.value, -effect.high, -effect.low)
        return f"adds {share(added.value)} {shares(added)} to {whose}"
    return f"takes away {share(effect.value)} {shares(effect)} of {whose}"


def _briefly(effect: Estimate) -> str:
    """`takes away 48% of it`, or `adds 3% to it`: what `_done` has said with its interval elsewhere."""
    text = share(effect.value)
    return f"adds {text[1:]} to it" if text.startswith("-") else f"takes away {text} of it"


def _days(found: Found, side: int, before: str = "") -> str:
    worst, view = found.means[side], found.sides.views[0]
    if not math.isfinite(worst.hedged):
        return ""
    days = found.sides.worst(side, worst.bars)
    return f"{before}in {days} hedged {amount(worst.hedged, view)} against {amount(worst.a, view)}"


def _naive_is_better(trial: Trial) -> bool:
    return bool(trial.naive and trial.naive.effect.value > trial.main.effect.value and trial.against_one < SIZE)


def _p(trial: Trial) -> str:
    """The p of both leaving the same variance."""
    return f"{p_text(trial.against_one)} of no difference"


def _ratio(found: Found) -> str:
    sides, bars = found.sides, found.sides.pair.bars
    whole = robust_slope(sides.b, sides.a)
    told = _position if sides.pair.pair.counted_alike and not sides.views[0].by_differences else _slope
    text = f"{told(sides, whole)}, of all {plural(len(sides.a), 'bar')}"
    if bars >= len(sides.a):
        return text
    now = robust_slope(sides.b[-bars:], sides.a[-bars:])
    if not math.isfinite(now.value):
        return f"{text}; of the last {bars} none, in which {sides.names[1]} does not move"
    return f"{text}; of the last {bars} {told(sides, now, whole)}"


def _position(sides: Sides, ratio: Estimate, beside: Estimate | None = None) -> str:
    """`ratio: 0.85 [0.56, 1.13] of IWM short for one of QQQ`, and `long` of what moves against it.

    `beside`: one that was told before, so that the numbers are enough, and the side where it is another one.
    """
    side = "long" if ratio.value < 0 else "short"
    held = Estimate(-ratio.value, -ratio.high, -ratio.low) if ratio.value < 0 else ratio
    written = alike(held.value)
    text = f"{written(held.value)} {between(held, written)}"
    if beside:
        return text if (beside.value < 0) == (ratio.value < 0) else f"{text} {side}"
    return f"ratio: {text} of {sides.names[1]} {side} for one of {sides.names[0]}"


def _slope(sides: Sides, ratio: Estimate, beside: Estimate | None = None) -> str:
    """`ratio: fred:DGS10 moves +0.78 bp [-0.05 bp, +1.60 bp] with each 1% of QQQ`: not of what both are held in."""
    (a, b), (first, second) = sides.views, sides.names
    share, unit = each(b)
    found = Estimate(*(value * share * (100 if a.change_unit == "fraction" else 1) for value in ratio))
    digits, mark = alike(found.value), "%" if a.change_unit == "fraction" else f" {a.change_unit}"

    def written(value: float) -> str:
        return f"{'' if digits(value).startswith('-') else '+'}{digits(value)}{mark}"

    text = f"{written(found.value)} {between(found, written)}"
    return text if beside else f"ratio: {first} moves {text} with each {unit} of {second}"


def _naive(found: Found, trial: Trial) -> str:
    if not trial.naive or _naive_is_better(trial) or trial.naive.effect == trial.main.effect == EVERYTHING:
        return ""
    m, label = len(trial.unhedged), found.every_ratio[0].label
    text = f"{_done(trial.naive.effect, 'the variance')}, the ratio of {label} {_briefly(trial.main.effect)}"
    if math.isfinite(trial.against_one):
        how = "worse" if trial.against_one < SIZE else "no differently"
        return f"one for one does {how}: it {text} ({_p(trial)})"
    if m < ENOUGH and math.isfinite(trial.naive.effect.value):
        return f"one for one {text}; which does better cannot be said of {m} bars (fewer than {ENOUGH:,})"
    return ""


def _reverse(found: Found, trial: Trial) -> str:
    a, b = found.sides.names
    if not math.isfinite(trial.reverse.effect.value):
        return ""
    what = _done(trial.reverse.effect, f"{b}'s variance")
    return f"the other way round {a} {what}, over the same {plural(len(trial.unhedged), 'bar')}"


def _costs(found: Found, trial: Trial) -> str:
    cost, turnover = found.terms.cost, trial.main.turnover
    if not math.isfinite(cost * turnover):
        return ""
    sides = found.sides
    before, after = (
        size(sd(x) * math.sqrt(sides.pair.bars_per_year), sides.views[0]) for x in (trial.unhedged, trial.main.hedged)
    )
    return (
        f"costs take {100 * turnover * cost:.2f}% a year ({10_000 * cost:g} bp each, turnover {turnover:.1f} a year); "
        f"volatility is {after} a year instead of {before}"
    )


def _other_days(found: Found) -> str:
    worst, (a, b) = found.means[0], found.sides.names
    if not math.isfinite(worst.hedged):
        return ""
    usual = amount(worst.usual, found.sides.views[0])
    return f"{_days(found, 1)}; in {a}'s {worst.bars} it would be {usual}, had {b} moved as always"


def _stress(found: Found) -> str:
    past = [one for one in found.past if one.over]
    there = [one for one in past if math.isfinite(one.hedged)]
    if not there:
        return f"none of {plural(len(past), 'episode')} has closes of both legs" if past else ""
    a, first = found.sides.views[0], found.sides.names[0]
    how, least = ("did worse", "largest loss") if a.can_be_held else ("moved farther", "largest move")

    def loss(value: float) -> float:
        # The fall of what nobody holds is no loss: a hedge is for what does not move.
        return -value if a.can_be_held else abs(value)

    def lost(one: Told) -> float:
        return loss(one.hedged) - loss(one.changes[0])

    worse = [one for one in there if lost(one) > 0]
    text = f"in {len(worse) or 'none'} of {plural(len(there), 'episode')} the hedged position {how} than {first} alone"
    most = max(worse, key=lost, default=None)
    if most:
        text += f"{', most' if len(worse) > 1 else ','} in {_of_both(found.sides, most)}"
    deepest = max(there, key=lambda one: loss(one.hedged))
    if deepest is not most and loss(deepest.hedged) > 0:
        text += f"; its {least} was in {_of_both(found.sides, deepest)}"
    later = sum(one.in_sample for one in there)
    if not later:
        return text
    which = f"{later} of the {len(there)} are" if len(there) > 1 else "it is"
    return f"{text}; {which} by the ratio of all {plural(len(found.sides.a), 'bar')}, which was not known then"


def _of_both(sides: Sides, one: Told) -> str:
    """`Rate shock: -18.7% hedged, QQQ -34.3%, IWM -25.0%`."""
    (a, b), (first, second) = sides.views, sides.names
    return (
        f"{one.episode.name}: {amount(one.hedged, a)} hedged, {first} {amount(one.changes[0], a)}, "
        f"{second} {amount(one.changes[1], b)}"
    )


def _shock(found: Found, move: Met, by: list[Outlook]) -> str:
    own, other = found.sides.views[move.side], found.sides.views[1 - move.side]
    names, a, whole = found.sides.names, found.sides.views[0], by[0]

    def written(value: float) -> str:
        return amount(value, other)

    bar = f", {between(whole.other_bar, written)} in one bar" if math.isfinite(whole.other_bar.reach) else ""
    text = (
        f"{names[move.side]} {amount(move.size, own)}: {names[1 - move.side]} {amount(whole.other.value, other)} "
        f"{between(whole.other, written)} by the beta of {plural(whole.beta.bars, 'bar')} and how far its "
        f"{whole.beta.blocks} blocks differ{bar}; hedged {_hedged(whole, a)}{doubt(found.sides, move, whole)}"
    )
    last = by[-1]
    # The beta of the largest moves is said where its interval leaves out that of all bars.
    if last.beta.extreme and (whole.other.value < last.other.low or whole.other.value > last.other.high):
        text += f"; by its {last.beta.basis} bars {written(last.other.value)}, hedged {_hedged(last, a)}"
    return text


def _hedged(one: Outlook, a: LegView) -> str:
    return amount(one.hedged.value, a) if math.isfinite(one.hedged.value) else "not: no ratio is known now"
