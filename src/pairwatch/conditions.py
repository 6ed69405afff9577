"""Watched conditions: when one begins, when it ends, and when that is worth a cry. Pure logic; nothing is stored.

- A condition begins when `when` has held for `lasting` judged sessions in a row, the newest included.
- Once begun it stays in force while `when` holds, and until `until` holds (without one: until `when` does not hold).
  Between the two nothing changes, which keeps a number that wobbles around a threshold from crying each time. After an
  end, `when` must last anew.
- What cannot be said begins nothing, ends nothing and breaks no row: a session of which `when` cannot be said is left
  out of it, as if there had been none, and may be judged again when more is known.
- A session counts once. Judged again with the same values it changes nothing; with others, its own part is replaced: a
  beginning is taken back, and a row that had been broken starts anew from this session (what came before is forgotten).
- A session older than the last judged changes nothing.
- A beginning cries, unless the last cry is younger than `cooldown`; a beginning that was silenced stays silent. A cry
  from the future (the clock was set back) counts as one of now: it blocks no longer than the cool-down.
- Whether it cries or not, a condition in force is in force: `state.holding`.
"""

from collections.abc import Mapping
from datetime import date
from typing import Literal, NamedTuple

from pairwatch.expressions import Expression, Values, spelled

DAY = 86_400.0


class Rule(NamedTuple):
    """What is watched for.

    Attributes:
        until: what ends it; None: that `when` does not hold.
        lasting: judged sessions in a row, the newest included, on which `when` must hold before it begins.
        cooldown: seconds from a cry within which another beginning is silent.
    """

    name: str
    when: Expression
    until: Expression | None = None
    lasting: int = 1
    cooldown: float = 5 * DAY


class State(NamedTuple):
    """What must be remembered of a rule from one judgement to the next.

    Attributes:
        holding: whether the condition is in force.
        since: the session on which it began; None where it is not in force.
        streak: judged sessions in a row, to the last, on which `when` held.
        session: the last session judged.
        cried_at: the instant of the last cry, in Unix seconds.
    """

    holding: bool = False
    since: date | None = None
    streak: int = 0
    session: date | None = None
    cried_at: float | None = None


class Judgement(NamedTuple):
    """What a session means for a rule.

    Attributes:
        state: what to remember.
        holds: the value of `when` itself; None where it cannot be said.
        because: the values behind it: `correlation 0.55, ratio_zscore -2.1`.
    """

    state: State
    holds: bool | None
    change: Literal["", "began", "ended"]
    cries: bool
    because: str


def judge(rule: Rule, state: State, session: date, now: float, values: Values) -> Judgement:
    """Judge one session.

    Args:
        state: what the last judgement of this rule left; `State()` at first.
        session: the day of the last close that the values rest on.
        now: the instant, in Unix seconds.
        values: the number of a scope and a key, NaN where there is none.
    """
    holds, because = rule.when.holds(values), _because(rule, values)
    if state.session and session < state.session:
        return Judgement(state, holds, "", cries=False, because=because)
    last_cry = None if state.cried_at is None else min(state.cried_at, now)
    streak = _streak(state, session, holds=holds)
    if state.holding:
        holding = _stays(rule, state, session, values, holds=holds)
    else:
        holding = bool(holds) and streak >= rule.lasting
    began, ended = holding and not state.holding, state.holding and not holding
    cries = began and (last_cry is None or now - last_cry >= rule.cooldown)
    after = State(
        holding,
        session if began else state.since if holding else None,
        0 if ended else streak,
        state.session if holds is None and not ended else session,
        now if cries else last_cry,
    )
    return Judgement(after, holds, "began" if began else "ended" if ended else "", cries, because)


def _streak(state: State, session: date, *, holds: bool | None) -> int:
    """The row with this session in it, once.

    A session of which `when` could not be said has not been judged, so that the last one judged is in the row if and
    only if there is a row.
    """
    if holds is None:
        return state.streak
    if not holds:
        return 0
    return max(1, state.streak) if session == state.session else state.streak + 1


def _stays(rule: Rule, state: State, session: date, values: Values, *, holds: bool | None) -> bool:
    """Whether a condition in force stays so."""
    if holds:
        return True
    if holds is False and state.since == session:  # revised since: it had not begun
        return False
    over = rule.until.holds(values) if rule.until else None if holds is None else not holds
    return not over


# ---------------------------------------------------------------- words


def _because(rule: Rule, values: Values) -> str:
    """The values, in the fewest digits with which a reader comes to the same answers."""
    conditions = [rule.when, *([rule.until] if rule.until else [])]
    found = {name: values(*name) for condition in conditions for name in condition.names}
    answers = [condition.holds(values) for condition in conditions]
    shown: dict[tuple[str, str], str] = {}
    for digits in (3, 4, 6, 9, 17):
        shown = {name: _digits(value, digits) for name, value in found.items()}
        read = _as_read(shown)
        if [condition.holds(read) for condition in conditions] == answers:
            break
    units = {name: unit for condition in conditions for name, unit in condition.counted.items()}
    doubts = {name: doubt for condition in conditions for name, doubt in condition.doubted.items()}
    return ", ".join(
        f"{spelled(*name)} {'–' if text == 'nan' else text}{_not_percent(units.get(name))}{_doubt(doubts.get(name))}"
        for name, text in shown.items()
    )


def _doubt(doubt: str | None) -> str:
    """Why a number decides nothing."""
    return f" (no verdict: {doubt})" if doubt else ""


def _not_percent(unit: str | None) -> str:
    """Why a comparison with a percentage cannot be said, and what to type instead."""
    return f" ({unit}, not percent: compare it with a number without %)" if unit else ""


def _as_read(shown: Mapping[tuple[str, str], str]) -> Values:
    return lambda scope, key: float(shown[scope, key])


def _digits(value: float, digits: int) -> str:
    """At least so many significant digits, and all those before the point."""
    whole = len(str(int(abs(value)))) if abs(value) < 1e15 else 0
    return f"{value:z.{max(digits, whole)}g}"
