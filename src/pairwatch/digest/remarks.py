"""What is to be said of pairs beside their moves: what is new, what stands, and what went wrong.

Breakdown: the correlation lies below the lower end of the 95 % interval that the pair had 20 snapshots earlier. It is
mended when that was so at FROM, and is not so any more.
"""

import json
import math
from collections import Counter
from collections.abc import Container, Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any, Final, Literal, NamedTuple, TypeAlias, TypeVar

import numpy as np

from pairwatch import kernels, verdicts
from pairwatch.alignment import Matches, matches
from pairwatch.clocks import with_clocks
from pairwatch.digest.moves import Known
from pairwatch.model import NAN, Leadership, Leg
from pairwatch.snapshots import Line
from pairwatch.snapshots.batch import question_text
from pairwatch.snapshots.watching import Change, Standing
from pairwatch.staging import Question
from pairwatch.text import clean, plural

Item = TypeVar("Item", bound=Hashable)
PairOfLegs: TypeAlias = tuple[Leg, Leg]
Kind = Literal["began", "ended", "breakdown", "mended", "lead", "new", "in force", "failed", "stale", "behind"]
NEWS: Final[tuple[Kind, ...]] = ("began", "ended", "breakdown", "mended", "lead", "new")
STANDING: Final[tuple[Kind, ...]] = ("in force",)
TROUBLE: Final[tuple[Kind, ...]] = ("failed", "stale", "behind")

# Snapshots between a correlation and the interval that it is held against.
BACK: Final = 20
# A condition that nobody has judged for so long is of a rule that has been given up.
GIVEN_UP: Final = timedelta(days=10)
# Calendar days after which daily pairs should have had another session.
LONGEST_QUIET: Final = 5
DAY: Final = 86_400.0

_ORDER: Final = {kind: at for at, kind in enumerate((*NEWS, *STANDING, *TROUBLE))}


class Remark(NamedTuple):
    """A sentence about some pairs, or about the whole list where there are none."""

    kind: Kind
    pairs: tuple[PairOfLegs, ...]
    text: str


class Journals(NamedTuple):
    """What the store holds beside snapshots.

    Attributes:
        lines: of the journal, kinds `failed` and `ended`, by number.
        after: changes that were found out after this instant (Unix seconds) are new; NaN: their sessions say which.
    """

    lines: Sequence[Line] = ()
    changes: Sequence[Change] = ()
    standing: Sequence[Standing] = ()
    after: float = NAN


def usual(items: Iterable[Item]) -> Item:
    """The one that comes most often, the first of several such."""
    return Counter(items).most_common(1)[0][0]


def together(remarks: Iterable[Remark]) -> tuple[Remark, ...]:
    """What is said of several pairs in the same words, once; in the order of kinds."""
    found: dict[tuple[Kind, str], dict[PairOfLegs, None]] = {}
    for remark in sorted(remarks, key=lambda remark: _ORDER[remark.kind]):
        found.setdefault((remark.kind, remark.text), {}).update(dict.fromkeys(remark.pairs))
    return tuple(Remark(kind, tuple(who), text) for (kind, text), who in found.items())


# ---------------------------------------------------------------- watched conditions


def of_conditions(
    journals: Journals, chosen: Mapping[PairOfLegs, Question], known: Mapping[PairOfLegs, Known], since: date
) -> Iterator[Remark]:
    """What began or ended after FROM, each rule's last word, and what else is in force."""
    newest = max(one.end.session for one in known.values())
    asked, slow = _Asked(chosen), {pair: one.end.session for pair, one in known.items() if one.is_slow}
    last = {
        (c.rule, c.a, c.b, c.question): c
        for c in journals.changes
        if c.change != "cried" and _is_new(c, journals.after, known, since)
    }
    for change in last.values():
        kind: Kind = "began" if change.change == "began" else "ended"
        yield Remark(kind, ((change.a, change.b),), f"{_rule(change, asked)} {kind}{_because(change)}")
    for one in journals.standing:
        began, pair = one.began, (one.began.a, one.began.b)
        latest = slow.get(pair, newest) if began.question == asked.of(pair) else newest
        if (began.rule, began.a, began.b, began.question) not in last and (one.judged or latest) >= latest - GIVEN_UP:
            text = f"{_rule(began, asked)} since {began.session}{_present(began, known)}"
            yield Remark("in force", (pair,), text)


class _Asked:
    """What the digest asks of a pair, as `question_text` has it; of one that is none of its own, what of most."""

    def __init__(self, chosen: Mapping[PairOfLegs, Question]) -> None:
        self._own = {pair: question_text(question) for pair, question in chosen.items()}
        self._usual = usual(self._own.values())

    def of(self, pair: PairOfLegs) -> str:
        return self._own.get(pair, self._usual)


def _rule(change: Change, asked: _Asked) -> str:
    """Its name, and the window where it is another than the digest's."""
    if change.question == asked.of((change.a, change.b)):
        return change.rule
    return f"{change.rule} (window {clean(_told(change.question).get('window', '?'))})"


def _is_new(change: Change, after: float, known: Mapping[PairOfLegs, Known], since: date) -> bool:
    """By sessions, which no clock that is set back disturbs; after a letter also by when it was found out.

    What was found out after the letter is new even if its session is not: it was judged late.
    """
    if not math.isnan(after):
        return change.at > after or change.session > since
    one = known.get((change.a, change.b))
    return change.session > (one.own or since if one else since)


def _because(change: Change) -> str:
    return f" ({change.because})" if change.because else ""


def _present(began: Change, known: Mapping[PairOfLegs, Known]) -> str:
    """What the numbers of the beginning are in the newest snapshot; nothing where that does not say."""
    one = known.get((began.a, began.b))
    if one is None or began.question != question_text(one.end.question) or not began.because:
        return ""
    keys = [part.rpartition(" ")[0] for part in began.because.split(", ")]
    if not set(keys).isdisjoint(verdicts.OF_A_LEAD) and _is_doubted(one):
        keys = [key for key in keys if key not in verdicts.OF_A_LEAD]
    values = [float(one.numbers(key)[-1]) for key in keys]
    said = [f"{key} {value:.4g}" for key, value in zip(keys, values, strict=True) if math.isfinite(value)]
    return f" (now {', '.join(said)})" if said else ""


# ---------------------------------------------------------------- breakdown and leadership


def of_pair(known: Known, since: date) -> Iterator[Remark]:
    """What has changed since FROM, and what stands; nothing of a pair without FROM but that it is new."""
    at, last = known.at(since), len(known.record.snapshots) - 1
    pair = ((known.end.a, known.end.b),)
    if at is None:
        yield Remark("new", pair, "first snapshot: nothing to compare it with yet")
        return
    was, now = _breakdown(known, at), _breakdown(known, last)
    if now:
        yield Remark("in force" if was else "breakdown", pair, f"breakdown: {now}")
    elif was:
        yield Remark("mended", pair, f"breakdown mended: correlation {known.numbers('correlation')[-1]:z.2f}")
    if at < last:
        yield from _lead(known, at, pair)


def _breakdown(known: Known, at: int) -> str:
    """In what the breakdown at a place consists; empty where there is none, or none can be told."""
    if at < BACK:
        return ""
    correlation, low = known.numbers("correlation")[at], known.numbers("correlation_low")[at - BACK]
    if not correlation < low:
        return ""
    digits = next((n for n in range(2, 6) if f"{correlation:z.{n}f}" != f"{low:z.{n}f}"), 6)
    day = known.record.snapshots[at - BACK].session
    return f"correlation {correlation:z.{digits}f}, below {low:z.{digits}f}, its 95 % low of {day}"


def _lead(known: Known, at: int, pair: tuple[PairOfLegs, ...]) -> Iterator[Remark]:
    """A verdict on who leads that was another one at FROM."""
    found = matches(known.a.series, known.b.series, known.end.question.align)
    was, now = _verdict(known, at, found), _verdict(known, -1, found)
    if now.decided and (not was.decided or was.lag != now.lag):
        yield Remark("lead", pair, f"{now.verdict}: new")
    elif was.decided and not now.decided:
        p = "" if math.isnan(now.p_value) else f" ({verdicts.p_text(now.p_value)})"
        yield Remark("lead", pair, f"{was.verdict.partition(' (')[0]} no more{p}")


def _is_doubted(known: Known) -> bool:
    """Whether something else can make the lead that the newest snapshot's numbers tell."""
    return bool(_verdict(known, -1, matches(known.a.series, known.b.series, known.end.question.align)).doubt)


def _verdict(known: Known, at: int, found: Matches) -> Leadership:
    """The leadership that a snapshot told: neither the legs' clocks nor a period's average are called a leader."""
    keys = ("lead_lag", "lead_p_value", "lead_asymmetry", "lead_detectable", "correlation")
    lag, p, asymmetry, detectable, correlation = (float(known.numbers(key)[at]) for key in keys)
    a, b = known.a.series, known.b.series
    bars = 0 if math.isnan(lag) else int(lag)
    told = Leadership(
        lag=bars,
        asymmetry=asymmetry,
        p_value=p,
        detectable=detectable,
        correlations=np.array([correlation]),
        average=found.average,
    )
    told = with_clocks(told, a, b, a.dates[found.at_a[-61:]], b.dates[found.at_b[-61:]])
    return verdicts.with_verdict(told, str(known.end.a), str(known.end.b))


# ---------------------------------------------------------------- trouble


def of_trouble(
    chosen: Mapping[PairOfLegs, Question], known: Mapping[PairOfLegs, Known], lines: Sequence[Line], now: float
) -> Iterator[Remark]:
    """Pairs whose last run failed, stale legs, and pairs (or a whole list) without the newest session."""
    failures = _failures(chosen, known, lines)
    yield from failures.values()
    for pair, one in known.items():
        stale = [side.provenance.stale for side in (one.a, one.b) if side.provenance.stale]
        yield from (Remark("stale", (pair,), text) for text in stale)
    yield from (Remark("behind", (pair,), text) for pair, text in _behind(known).items() if pair not in failures)
    window = usual(question.window for question in chosen.values())
    for pair, question in chosen.items():
        if pair not in known and pair not in failures:
            own = "" if question.window == window else f" with a window of {question.window}"
            yield Remark("behind", (pair,), f"never snapped{own}")
    if not any(line.kind == "ended" and line.at > now - LONGEST_QUIET * DAY for line in lines):
        yield from _stopped(known, failures, datetime.fromtimestamp(now, UTC).date())


def _stopped(known: Mapping[PairOfLegs, Known], failures: Container[PairOfLegs], today: date) -> Iterator[Remark]:
    """The places that have had no session for long: the pairs of each, or nobody by name where all have stopped.

    To be asked only where no run has ended lately: after one, sources that are late are nothing to ask about.
    """
    found = []
    for group in places(known):
        quiet = (today - max(one.end.session for one in group.values())).days
        usual = min(kernels.usual_gap(one.a.series.dates[-61:]) for one in group.values())
        if quiet > max(LONGEST_QUIET, 3 * usual):
            found.append((quiet, tuple(pair for pair in group if pair not in failures)))
    is_whole = len(found) == len(places(known))
    for quiet, pairs_ in found if not is_whole else [(min(quiet for quiet, _ in found), ())]:
        if pairs_ or is_whole:
            text = f"the newest session is {plural(quiet, 'day')} old; did the snapshots run?"
            yield Remark("behind", pairs_, text)


def _failures(
    chosen: Iterable[PairOfLegs], known: Mapping[PairOfLegs, Known], lines: Sequence[Line]
) -> dict[PairOfLegs, Remark]:
    """The pairs that failed in the last run that has ended, or in one begun after it, and after their last snapshot.

    A run does not say of which pairs it was; one that was killed is over when a later one has ended.
    """
    names = {(str(a), str(b)): (a, b) for a, b in chosen}
    ended = next((line.run or 0 for line in reversed(lines) if line.kind == "ended"), 0)
    found: dict[PairOfLegs, Remark] = {}
    for line in lines:
        if line.kind == "ended" or (line.run or 0) < ended:
            continue
        told = _told(line.detail)
        pair = names.get((str(told.get("a")), str(told.get("b"))))
        if pair and (pair not in known or line.at > known[pair].end.taken_at):
            day = datetime.fromtimestamp(line.at, UTC).date()
            found[pair] = Remark("failed", (pair,), f"failed on {day}: {clean(told.get('message', ''), 300)}")
    return found


def _told(detail: str) -> dict[str, Any]:
    """What a line of the journal says; nothing where that is no object."""
    try:
        found = json.loads(detail)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def late(known: Mapping[PairOfLegs, Known]) -> dict[PairOfLegs, date]:
    """The pairs without the newest session of those that trade in the same places, and that session.

    What is published by the week or the month is late by its nature, each series on a day of its own.
    """
    found: dict[PairOfLegs, date] = {}
    for group in places({pair: one for pair, one in known.items() if not one.is_slow}):
        newest = max(one.end.session for one in group.values())
        found |= {pair: newest for pair, one in group.items() if one.end.session < newest}
    return found


def _behind(known: Mapping[PairOfLegs, Known]) -> dict[PairOfLegs, str]:
    """What is said of each pair that is late."""
    return {
        pair: f"no snapshot of {newest}; the last one is of {known[pair].end.session}"
        for pair, newest in late(known).items()
    }


def places(known: Mapping[PairOfLegs, Known]) -> list[dict[PairOfLegs, Known]]:
    """The pairs by where they trade."""
    return [dict(group) for _, group in groupby(sorted(known.items(), key=_place), key=_place)]


def _place(item: tuple[PairOfLegs, Known]) -> list[str]:
    """Where the legs trade, and whether every day: pairs of the same places have the same sessions."""
    _, known = item
    facts = [side.series.facts for side in (known.a, known.b)]
    return sorted(f"{one.timezone} {one.every_day}" for one in facts)
