"""Pairs worth a look beside a pair: by the catalogue of instruments, and by what the cached legs do.

Nothing is fetched: a related pair has its line where both its legs are at hand.
"""

import math
from collections.abc import Callable, Sequence
from datetime import date

from pairwatch import kernels
from pairwatch.errors import PairwatchError
from pairwatch.lead import SIZE
from pairwatch.model import NAN, Cell, Column, Heading, Leg, Section, Study
from pairwatch.staging import Question
from pairwatch.studies.instruments import Catalogue
from pairwatch.studies.paired import Paired
from pairwatch.studies.related.candidates import Candidate, Get, Held, by_catalogue, in_turn
from pairwatch.studies.related.lines import Line, line
from pairwatch.studies.related.moving import moving
from pairwatch.text import listing, plural
from pairwatch.verdicts import bare

COUNT = 10
RULE = (
    "one of each relation in turn: listed beside it, of the same contrast, with one leg of it, the same in another "
    "region, against a hedge, moving with a leg of it; within a relation first those whose legs are cached"
)

PAIRS = Heading(
    "pairs",
    "related pairs",
    f"Pairs worth a look beside this one: {RULE}, then in the catalogue's order. Nothing is fetched for them.",
    (
        Column("pair", "", "text", "The legs of the related pair, as they are typed."),
        Column("correlation", "corr.", "number", "Pearson's r of the changes in the window: `compare`'s correlation."),
        Column(
            "gap",
            "gap",
            "unit",
            "A's change over the window less B's, as `compare` has it; where both are counted in the same thing.",
        ),
        Column(
            "z",
            "z",
            "number",
            "(s[n] - mean(s)) / sd(s) in the window, s = ln A - ln B, or A - B of two legs that"
            " change by differences in the same unit: `compare`'s z-score of the ratio.",
        ),
        Column(
            "leader",
            "leads",
            "text",
            "Who leads over the window, as `compare` has it: a leg and by how many bars,"
            " `none`, or nothing where that cannot be judged.",
        ),
        Column(
            "leads_p", "p", "probability", "The p of that verdict: see `pairwatch explain lead_p_value`.", wide=True
        ),
        Column("n", "n", "count", "The changes in the window.", wide=True),
        Column("as_of", "as of", "date", "The last common close of the two legs.", wide=True),
        Column(
            "relation",
            "relation",
            "text",
            "How it was found: listed, contrast, leg, region, hedge, moves or same.",
            wide=True,
        ),
        Column("unit", "", "text", "What the gap is counted in."),
        Column(
            "why", "why", "text", "Why it is worth a look; and what it takes to see its line, where that is not cached."
        ),
    ),
)
HEADINGS = (PAIRS,)


def study(
    pair: Paired,
    catalogue: Catalogue,
    get: Get,
    cached: Callable[[], Sequence[Leg]] = tuple,
    count: int = COUNT,
) -> Study:
    """The pairs beside a pair.

    Args:
        get: the history of a leg where it is at hand, without fetching anything.
        cached: the legs that are cached, called only for a leg of which the catalogue has no asset class.
        count: how many pairs at most.
    """
    a, b = pair.legs
    held = Held(get, dict(zip(pair.legs, pair.staged.sides, strict=True)))
    unknown = [leg for leg in (a, b) if not catalogue.kind(leg)]
    found = by_catalogue(a, b, catalogue, held)
    closest, notes = moving(pair, unknown, cached() if unknown else (), held)
    chosen = in_turn([*found, closest], (a, b), catalogue)[:count]
    lines = [_line_of(one, held, pair.question) for one in chosen]
    rows = tuple(_row(one, line, held, pair.day(-1)) for one, line in zip(chosen, lines, strict=True))
    findings = _findings(pair, [(one, line) for one, line in zip(chosen, lines, strict=True) if line], len(chosen))
    judged = sum(isinstance(line, Line) and bool(line.leader) for line in lines)
    return pair.study("related", findings, (Section(PAIRS, rows, (*notes, *_by_chance(judged), f"ranked: {RULE}")),))


def _line_of(one: Candidate, held: Held, question: Question) -> Line | str:
    """The line of a related pair, or why there is none."""
    a, b = held(one.a), held(one.b)
    if not (a and b):
        return ""
    try:
        return line(a, b, question)
    except PairwatchError as error:
        return error.message


def _row(one: Candidate, line: Line | str, held: Held, end: date) -> tuple[Cell, ...]:
    legs = f"{one.a} {one.b}"
    if isinstance(line, Line):
        why = one.why if line.as_of >= end else f"{one.why}; cached to {line.as_of} only"
        numbers = (line.correlation, line.gap, line.z, line.leader, line.leads_p, line.n, line.as_of)
        return (legs, *numbers, one.relation, line.unit, why)
    missing = " ".join(str(leg) for leg in held.missing(one))
    why = f"{one.why}; {line or f'not cached: pairwatch fetch {missing}'}"
    return (legs, NAN, NAN, NAN, None, NAN, None, None, one.relation, "", why)


def _by_chance(judged: int) -> tuple[str, ...]:
    """What many verdicts on who leads are worth."""
    if judged < 2:
        return ()
    return (f"each pair is judged by itself: of {judged} without a leader {SIZE * judged:.1f} are given one by chance",)


def _findings(pair: Paired, told: Sequence[tuple[Candidate, Line | str]], count: int) -> tuple[str, ...]:
    """How many there are, and the one that is farthest from its usual place."""
    a, b = pair.legs
    lines = [(one, line) for one, line in told if isinstance(line, Line)]
    silent = [f"{one.a} {one.b}" for one, line in told if isinstance(line, str)]
    if not count:
        return (f"no pair is related to {a} {b} by the catalogue or by what is cached: 0 found",)
    own = kernels.correlation(pair.pair.a.returns[-pair.bars :], pair.pair.b.returns[-pair.bars :])
    itself = f"is {bare(own)}" if math.isfinite(own) else "cannot be said, for a leg does not move,"
    first = (
        f"{plural(count, 'pair')} beside {a} {b}, {len(told)} of them cached{_silent(silent)}; "
        f"its own correlation {itself} over {plural(pair.bars, 'bar')}"
    )
    far = [(one, line) for one, line in lines if math.isfinite(line.z)]
    if not far:
        return (first,)
    one, line = max(far, key=lambda each: abs(each[1].z))
    return first, f"farthest from its mean in the window is {one.a} {one.b}: z {line.z:+.1f} (n {line.n})"


def _silent(pairs: Sequence[str]) -> str:
    """Which pairs have no line though they are cached."""
    return f", of which no line can be made of {listing(pairs)}" if pairs else ""
