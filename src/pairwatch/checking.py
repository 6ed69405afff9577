"""A run of checks: each leg is had once, each pair compared, and its rules judged from where they stand.

Nothing is stored but where the rules stand. What fails for one pair stops no other.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from typing import NamedTuple

from pairwatch import pairs, verdicts
from pairwatch.conditions import DAY, Judgement, Rule, State, judge
from pairwatch.errors import PairwatchError, StoreError
from pairwatch.expressions import Expression, Values
from pairwatch.histories import History
from pairwatch.model import NAN, Comparison, Leg
from pairwatch.snapshots.watching import Change, Judged, Seen, Watch
from pairwatch.staging import Question, Windows

Pair = tuple[Leg, Leg]

_COOLDOWN = 5 * DAY
_UNITS = (("d", DAY), ("h", 3600.0), ("m", 60.0))


class Scoped(NamedTuple):
    """A rule, and the pairs that it is for; none stand for every pair that is watched."""

    rule: Rule
    pairs: tuple[Pair, ...] = ()

    def is_for(self, pair: Pair) -> bool:
        """Whether it is for a pair that is watched."""
        return not self.pairs or pair in self.pairs


class Watched(NamedTuple):
    """A pair, and the rules to judge."""

    a: Leg
    b: Leg
    rules: tuple[Rule, ...]


class Standing(NamedTuple):
    """How a rule stands for a pair.

    Attributes:
        judgement: None where the pair could not be compared.
        is_known: whether that rests on what was before: otherwise it says nothing beyond this session.
        is_news: whether to speak of it.
        news: what there is to say, of this session or of an earlier one of which nothing could be said.
    """

    rule: Rule
    judgement: Judgement | None = None
    is_known: bool = False
    is_news: bool = False
    news: Change | None = None

    @property
    def change(self) -> str:
        """What has become of it, as far as that has not been said: `began`, `ended` or nothing."""
        if self.news:
            return "ended" if self.news.change == "ended" else "began"
        return self.judgement.change if self.judgement else ""

    @property
    def cries(self) -> bool:
        """Whether that is a beginning that is not silenced."""
        return self.news.change == "cried" if self.news else bool(self.judgement and self.judgement.cries)

    @property
    def in_force(self) -> bool:
        """Whether the condition is known to be in force."""
        return self.judgement is not None and self.is_known and self.judgement.state.holding


class Outcome(NamedTuple):
    """How the check of one pair went.

    Attributes:
        session: the last common finished close, of which the rules were judged.
        stale: why its legs are older than they should be.
        error: why the pair could not be compared.
        refusal: why nothing is known of what was before: the store cannot be used.
    """

    a: Leg
    b: Leg
    standings: tuple[Standing, ...]
    session: date | None = None
    stale: tuple[str, ...] = ()
    error: PairwatchError | None = None
    refusal: StoreError | None = None


def unnamed(when: Expression, until: Expression | None = None, lasting: int = 1, cooldown: float = _COOLDOWN) -> Rule:
    """A rule that is called what it says: those that say different things never share a state.

    No rule with a name of its own is called so: a comparison has signs in it that names have not.
    """
    parts = [
        when.text,
        *([f"until {until}"] if until else []),
        *([f"lasting {lasting}"] if lasting != 1 else []),
        *([f"cooldown {_lasting(cooldown)}"] if cooldown != _COOLDOWN else []),
    ]
    return Rule(" ".join(parts), when, until, lasting, cooldown)


def _lasting(seconds: float) -> str:
    """A duration in the largest unit that it is whole in."""
    unit, size = next(((unit, size) for unit, size in _UNITS if seconds % size == 0), ("s", 1.0))
    return f"{seconds / size:g}{unit}"


def plan(watched: Iterable[Pair], rules: Sequence[Scoped]) -> tuple[Watched, ...]:
    """Each pair that has rules, once: those that are watched, then those that only a rule names."""
    own = dict.fromkeys(watched)
    others = dict.fromkeys(pair for scoped in rules for pair in scoped.pairs if pair not in own)
    found = [Watched(*pair, tuple(s.rule for s in rules if s.is_for(pair))) for pair in own]
    found += [Watched(*pair, tuple(s.rule for s in rules if pair in s.pairs)) for pair in others]
    return tuple(one for one in found if one.rules)


class Run:
    """One run over some pairs, at an instant `now` (Unix seconds).

    Args:
        history: what is known of a leg; raises `SourceError` where it cannot be had.
        windows: of the pairs that have one of their own.

    A store that refuses once is left alone for the rest of the run, whose rules are judged without memory.
    """

    def __init__(
        self,
        history: Callable[[Leg], History],
        watch: Watch,
        question: Question,
        now: float,
        windows: Windows | None = None,
    ) -> None:
        self._history = history
        self._watch = watch
        self._question = question
        self._windows = windows or {}
        self._now = now
        self._refusal: StoreError | None = None

    def check(self, chosen: Iterable[Watched]) -> Iterator[Outcome]:
        """Compare and judge pair after pair."""
        return map(self._one, chosen)

    def said(self, outcome: Outcome, *, heard: bool = True) -> Outcome:
        """Write down that the news of an outcome has reached a reader, or that it could not be said.

        A store that refuses that is the outcome's refusal: the next check says it again.
        """
        try:
            self._watch.said((s.news for s in outcome.standings if s.news), self._now, heard=heard)
        except StoreError as refusal:
            self._refusal = refusal
            return outcome._replace(refusal=refusal)
        return outcome

    def _one(self, watched: Watched) -> Outcome:
        a, b, rules = watched
        asked = self._question.of(a, b, self._windows)
        try:
            found = pairs.compare(self._history(a), self._history(b), asked)
        except PairwatchError as error:
            return Outcome(a, b, tuple(map(Standing, rules)), error=error)
        standings = tuple(
            Standing(rule, judgement, not self._refusal, is_news, news)
            for rule, (judgement, is_news, news) in zip(rules, self._judged(found, rules, asked), strict=True)
        )
        return Outcome(a, b, standings, found.as_of, found.stale_reasons, refusal=self._refusal)

    def _judged(self, found: Comparison, rules: Sequence[Rule], asked: Question) -> tuple[Judged, ...]:
        seen = Seen(found.a, found.b, asked, found.as_of, self._now, _values(found))
        rules = _where_doubted(_where_counted(rules, found), found.leadership.doubt)
        if not self._refusal:
            try:
                return self._watch.judge(rules, seen)
            except StoreError as refusal:
                self._refusal = refusal
        judgements = (judge(rule, State(), seen.session, seen.at, seen.values) for rule in rules)
        # Nobody knows whether it has been said: what holds is said again.
        return tuple(Judged(judgement, bool(judgement.holds)) for judgement in judgements)


def _where_counted(rules: Sequence[Rule], found: Comparison) -> list[Rule]:
    """The rules for a pair some of whose changes are differences: these are no percentages."""
    units: dict[tuple[str, str], str] = {
        (r.scope, r.statistic.key): r.unit
        for r in found
        if r.statistic.unit in ("return", "deviation") and r.unit != "fraction"
    }
    return [
        rule._replace(when=rule.when.where_counted(units), until=rule.until and rule.until.where_counted(units))
        for rule in rules
    ]


def _where_doubted(rules: list[Rule], doubt: str) -> list[Rule]:
    """The rules for a pair whose clocks, or averages, can make by themselves what looks like a lead."""
    doubts = {("leadership", key): doubt for key in verdicts.OF_A_LEAD} if doubt else {}
    return [
        rule._replace(when=rule.when.where_doubted(doubts), until=rule.until and rule.until.where_doubted(doubts))
        for rule in rules
    ]


def _values(found: Comparison) -> Values:
    values: dict[tuple[str, str], float] = {(r.scope, r.statistic.key): r.value for r in found}
    return lambda scope, key: values.get((scope, key), NAN)
