"""What the numbers say, in sentences."""

import math
from collections.abc import Iterator
from typing import NamedTuple

from pairwatch.kernels.cointegration import CRITICAL_TRACE
from pairwatch.kernels.reversion import HalfLife, power
from pairwatch.stats.percentiles import shown
from pairwatch.studies.paired import Paired
from pairwatch.studies.spread.cointegration import EITHER, RETURNS, Span
from pairwatch.studies.spread.extremes import Extremes
from pairwatch.studies.spread.ledger import Driver, Ledger, bar, p_of
from pairwatch.studies.spread.spreads import BARS, Told
from pairwatch.text import listing, plural
from pairwatch.verdicts import p_text

SIZE = 0.05
# A p above this is near the level: another history of the same kind might as well have said the opposite.
NEAR = 0.025
# A test that finds a quick return less often than this says so where it has found none.
SURE = 0.95
# From so many bars on, a tenth of one says nothing.
HUNDRED = 100
# A slope that differs by more than this part of the larger between the halves of a history has moved.
MOVED = 0.25


class Found(NamedTuple):
    """Everything that sentences are made of."""

    pair: Paired
    spans: tuple[Span, ...]
    told: tuple[Told, ...]
    gap: Ledger | None
    drivers: tuple[Driver, ...]
    ends: Extremes | None


def findings(found: Found) -> tuple[str, ...]:
    """The sentences, the answer first."""
    pair = found.pair
    return (
        _together(pair, found.spans[0]),
        *_plain(pair, found.told[0]),
        *(_recent(pair, span) for span in found.spans[1:]),
        *_hedged(found.told),
        *(_gap(pair, found.gap) if found.gap else ()),
        *(_driver(one) for one in found.drivers),
        *(_side(pair, found.ends) if found.ends else ()),
    )


def _years(pair: Paired, span: Span) -> str:
    years = (pair.days[-1] - pair.days[span.begin]).astype(float) / 365.25
    length = f"{years:.0f} years" if years >= 1.95 else plural(round(12 * years), "month")
    return f"{length} ({span.closes:,} closes)"


def _tests(span: Span) -> str:
    both = f"Engle-Granger {p_text(span.forth.p_value)} and {p_text(span.back.p_value)[2:]}"
    return f"{both}, Johansen {p_text(span.p_trace)}"


_AS_ONE = "a line leaves less than a billionth of their variance, of which no test can say anything"


def _together(pair: Paired, span: Span) -> str:
    """Whether the legs keep together over the whole history, along their least-squares line."""
    a, b = pair.legs
    if span.as_one:
        return f"{a} and {b} move as one over {_years(pair, span)}: {_AS_ONE}"
    if span.short:
        return f"too short to tell whether {a} and {b} keep together: {plural(span.closes, 'close')}"
    if not _is_tested(span):
        return f"whether {a} and {b} keep together cannot be said: a leg does not move"
    return f"{_answer(pair, span)}{_moved(span) if _is_together(span) else ''}"


def _answer(pair: Paired, span: Span) -> str:
    """What the tests say of legs that can be tested."""
    (a, b), rests = pair.legs, f"{_tests(span)}, over {_years(pair, span)}"
    if span.doubt:
        no = f"{a} and {b} are not shown to be cointegrated" if span.agreed is False else "not cointegration"
        return f"{no}: {_alone(pair, span)}; {rests}"
    if span.agreed is False:
        return f"{a} and {b} are not shown to be cointegrated: {rests}"
    if span.unclear:
        return f"whether {a} and {b} are cointegrated cannot be said: {_either(pair, span)}; {rests}"
    if span.agreed is None:
        return f"the tests do not agree whether {a} and {b} are cointegrated: {rests}"
    marginal = max(span.forth.p_value, span.back.p_value, span.p_trace) > NEAR
    line = f"with {span.forth.slope:.2f} of B for one of A{', though marginally' if marginal else ''}"
    return f"{a} and {b} are cointegrated, {line}: {rests}"


def _is_tested(span: Span) -> bool:
    return math.isfinite(span.forth.p_value + span.back.p_value + span.p_trace)


def _is_together(span: Span) -> bool:
    return span.agreed is True and not (span.doubt or span.unclear)


def _alone(pair: Paired, span: Span) -> str:
    """Which leg returns by itself, and what is known of the other."""
    both = sorted(zip(span.own, span.alone_p, map(str, pair.legs), strict=True), key=lambda one: one[0] != RETURNS)
    (said, p, leg), (other_said, other_p, other) = both
    own = f"{p_text(p)} and {p_text(other_p)[2:]}"
    if said != RETURNS:
        trace = f"{span.trace.trace[1]:.1f}, {CRITICAL_TRACE[1]} needed"
        return f"by Johansen's second trace each leg returns by itself ({trace}), by its own test neither ({own})"
    if other_said == RETURNS:
        return f"{leg} and {other} return by themselves ({own})"
    but = " of its own test, which Johansen's does not bear out" if other_p < SIZE else ""
    rest = f", {other} is not shown to ({p_text(other_p)}{but})" if math.isfinite(other_p) else ""
    return f"{leg} returns by itself ({p_text(p)}){rest}"


def _either(pair: Paired, span: Span) -> str:
    """The leg that returns by itself, or keeps to the other, and what either rests on; the likelier one of two."""
    legs = tuple(map(str, pair.legs))
    each = zip(legs, reversed(legs), span.own, span.alone_p, span.lone_p, strict=True)
    leg, other, _, p, lone_p = max((one for one in each if one[2] == EITHER), key=lambda one: one[-1])
    return (
        f"{leg} returns by itself or with {other} (its own test {p_text(p)}, Johansen's of it alone {p_text(lone_p)})"
    )


def _moved(span: Span) -> str:
    """That the line itself is another one now, where it is."""
    first, second = span.halves
    if not abs(first - second) > MOVED * max(abs(first), abs(second)):
        return ""
    return f"; the line itself has moved, from {first:.2f} of B in the first half to {second:.2f} in the second"


def _plain(pair: Paired, first: Told) -> Iterator[str]:
    """Where the plainest spread is, and its half-life or none."""
    names = {"ratio": "the ratio", "difference": "A - B"}
    place = f" is {place_of(first.percentile)} of its past" if math.isfinite(first.percentile) else ""
    what = f"{names.get(first.made.key, 'the least-squares spread')}{place}"
    joint = " and" if place else ""
    p = p_text(first.p)
    if first.still:
        yield f"{what} does not move: nothing but rounding is left of the legs, and no half-life"
    elif math.isnan(first.p):
        yield what if place else _too_few(pair, what)
    elif not first.reverts:
        yield f"{what}{joint} is not shown to revert ({p}); {_life(first.life)}"
    else:
        yield f"{what}{joint} reverts ({p}); {_life(first.life)}"


def _too_few(pair: Paired, what: str) -> str:
    closes = plural(len(pair.days), "close")
    return f"{closes} are too few for a percentile of {what}, and for a test of its return"


def _life(life: HalfLife) -> str:
    """As the table has it: without a half-life there are no ends."""
    if not math.isfinite(life.bars):
        return "no half-life"
    bars, low, high = (f"{value:,.{0 if life.bars >= HUNDRED else 1}f}" for value in life)
    if not life.is_bounded:
        return f"half-life {bars} bars, no upper end (95% from {low})"
    return f"half-life {bars} bars (95% interval {low} to {high})"


def place_of(share: float) -> str:
    """`at the 97th percentile`, as tables have it: `below the 1st`, `above the 99th` at the ends."""
    told = shown(share)
    whole = int(told.strip("<>"))
    ending = "th" if whole // 10 == 1 else {1: "st", 2: "nd", 3: "rd"}.get(whole % 10, "th")
    return f"{ {'<': 'below', '>': 'above'}.get(told[0], 'at') } the {whole}{ending} percentile"


def _recent(pair: Paired, span: Span) -> str:
    """What a shorter span says."""
    last = f"the last {plural(span.closes, 'close')}"
    if span.as_one:
        return f"over {last} they move as one"
    if span.short:
        found = power(BARS, span.closes, 2)
        return f"{last} are too few to tell: a spread that halves in {BARS} bars would be found in {found:.0%} of cases"
    if not _is_tested(span):
        return f"over {last} nothing can be said: a leg does not move"
    if span.doubt:
        no = "they are not shown to be cointegrated" if span.agreed is False else "it is not cointegration"
        return f"over {last} {no}: {_alone(pair, span)}; {_tests(span)}"
    if span.unclear and span.agreed is not False:
        return f"over {last} it cannot be said: {_either(pair, span)}; {_tests(span)}"
    said = {
        True: "they are cointegrated",
        False: "they are not shown to be cointegrated",
        None: "the tests do not agree",
    }
    found = power(BARS, span.closes, 2)
    rare = f"; a spread that halves in {BARS} bars would be found in {found:.0%} of cases" if found < SURE else ""
    return f"over {last} {said[span.agreed]}: {_tests(span)}{'' if span.agreed else rare}"


def _hedged(told: tuple[Told, ...]) -> Iterator[str]:
    """How far the ways to hedge differ."""
    known = [one for one in told if one.made.key not in ("ratio", "difference") and math.isfinite(one.made.ratio)]
    if len(known) < 2:
        return
    least, most = (choose(known, key=lambda one: one.made.ratio) for choose in (min, max))
    ends = f"{least.made.ratio:.2f} ({least.made.name}) to {most.made.ratio:.2f} ({most.made.name})"
    if f"{least.made.ratio:.2f}" == f"{most.made.ratio:.2f}":
        ends = f"{least.made.ratio:.2f} whichever way it is chosen"
    yield "; ".join([f"the hedge ratio is {ends}", *_returning(known)])


def _returning(known: list[Told]) -> Iterator[str]:
    """Which of the hedged spreads return, and which are not shown to."""
    for reverts, words in ((True, "shown to revert"), (False, "not shown to revert")):
        these = [f"by {o.made.name} ({p_text(o.p)})" for o in known if math.isfinite(o.p) and o.reverts is reverts]
        if these:
            one = len(these) == 1
            yield f"the {'spread' if one else 'spreads'} {listing(these)} {'is' if one else 'are'} {words}"


def _amount(pair: Paired, value: float) -> str:
    unit = pair.pair.a.change_unit
    return f"{100 * value:+z.1f}%" if unit == "fraction" else f"{value:+z.1f} {unit}"


def _gap(pair: Paired, gap: Ledger) -> Iterator[str]:
    """What made the gap."""
    shares = gap.shares
    if not math.isfinite(gap.gap) or not len(gap.order):
        return
    since, bars = pair.day(gap.begin), len(gap.parts)
    first, noun = int(gap.order[0]), bar(pair)
    largest = f"the largest is {pair.day(gap.begin + first + 1)} ({_amount(pair, float(gap.parts[first]))})"
    if math.isnan(shares[0]):
        left = f"{_amount(pair, gap.gap)}, what is left of {_both_ways(pair, gap)}"
        yield f"the gap since {since} is nearly nothing: {left}; {largest}"
        return
    together = math.fsum(shares[gap.order])
    if not 0 <= together <= 1:
        yield f"the gap since {since} is {_amount(pair, gap.gap)}, what is left of {_both_ways(pair, gap)}; {largest}"
        return
    yield (
        f"the gap since {since} is {_amount(pair, gap.gap)}; the {len(gap.order)} largest of {plural(bars, noun)} make "
        f"{together:.0%} of it, {largest}"
    )


def _both_ways(pair: Paired, gap: Ledger) -> str:
    """What was added and what was taken: where most of it cancels, shares of the rest say nothing."""
    up, down = gap.parts[gap.parts > 0], gap.parts[gap.parts < 0]
    added, taken = (_amount(pair, math.fsum(parts)) for parts in (up, down))
    return f"{added} on {plural(len(up), bar(pair))} and {taken} on {plural(len(down), bar(pair))}"


def _driver(one: Driver) -> str:
    """Whether another leg goes with the gap."""
    p, n = p_of(one.window), one.window.n
    if math.isnan(p):
        why = "it does not move" if n > 3 else plural(n, "change")
        return f"whether {one.other.leg} goes with the gap cannot be said: {why}"
    goes = "goes" if p < SIZE else "is not shown to go"
    history = f"; {one.history.value:+.2f} over the history" if math.isfinite(one.history.value) else ""
    return f"{one.other.leg} {goes} with the gap in the window: r {one.window.value:+.2f} ({p_text(p)}, n {n}){history}"


def _side(pair: Paired, ends: Extremes) -> Iterator[str]:
    """How long the spread has been on this side."""
    if ends.beyond >= 0:
        bars = len(pair.days) - 1 - ends.beyond
        yield (
            f"the spread has been on this side of its mean for {plural(bars, 'bar')}, since {pair.day(ends.beyond)}; "
            f"it has changed sides {plural(ends.crossings, 'time')} in {plural(pair.n, 'bar')}"
        )
