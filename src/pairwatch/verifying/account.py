"""Why two sources differ on which dates: the reasons that explain most come first.

The ratio of two sources is level over long stretches, whatever each of them has done to its prices. A step of that
ratio is a power of ten (another unit), a small fraction (a split that one has not applied), or neither (an adjustment).
What is left beside the stretches is a bad tick where it stands alone, and otherwise nothing that has a name. Closes
adjusted for dividends differ by many small steps; so the whole is done for closes as quoted and for either side
adjusted by the distributions that are known, and the account that leaves least to explain is the one that is given.
"""

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import islice
from typing import NamedTuple

import numpy as np

from pairwatch.model import NAN, Floats
from pairwatch.verifying import steps
from pairwatch.verifying.findings import Kind
from pairwatch.verifying.steps import Flags, Lined, Plateau

# What shares are split by, beside what is known of a leg's own splits.
_RATIOS = [Fraction(n) for n in (2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40, 50)]
_RATIOS += [Fraction(*pair) for pair in ((3, 2), (4, 3), (5, 4), (5, 2), (5, 3))]
SPLITS: dict[float, Fraction] = {math.log(x): x for q in _RATIOS for x in (q, 1 / q)}
_PLAIN = frozenset(float(ratio) for ratio in SPLITS.values())
# A unit is 10, 100, 1,000 or 10,000 times another one.
_LARGEST_POWER = 4
# The split of one source may be dated so many days from the step.
_NEAR = np.timedelta64(7, "D")
# So many dates in a row that stand alone are a bad tick.
_TICK = 2
# More bad ticks than this share of all dates, and than this number, are none.
_RARE, _FEW = 0.05, 20
# So many last dates are too few to be a stretch of their own.
_SHORT = 3
# Where so much of what differs has no name, the rest has none either.
_MOSTLY = 0.5
# A bad tick is on the side that is so many times farther from its own neighbours.
_CLEARLY = 2.0
# ... and so many of its usual moves.
_UNUSUALLY = 3.0
# What is left beside known distributions, as a share of them, is what was adjusted a little otherwise.
_ALIKE = 0.1


_LARGEST_LEVEL = 700.0  # beyond, a ratio is no float


class Known(NamedTuple):
    """A split or a distribution that one of the legs knows: by what the closes before it are divided or multiplied."""

    day: np.datetime64
    ratio: float


class Events(NamedTuple):
    """What one of the legs knows to have happened; of distributions the days with what they leave of a close."""

    splits: Sequence[Known] = ()
    paid: Sequence[Known] = ()


class Reason(NamedTuple):
    """Why dates differ.

    Attributes:
        factor: there over here; by how many sessions there is late; NaN where there is none.
        start, stop: the dates that it reaches over, as positions.
        known: a split, or the one distribution, that one of the legs knows of.
        side: which one a bad tick is of, or jumps where a split would have made it, where that shows; which one is
            adjusted for dividends.
        steps: how many steps an adjustment has.
        times: how often one distribution is in a side: not at all, alone of all, or twice.
    """

    kind: Kind
    factor: float = NAN
    start: int = 0
    stop: int = 0
    known: Known | None = None
    side: str = ""
    steps: int = 0
    times: int = 1


class Account(NamedTuple):
    """Reasons, and for each common date the number of its own, or -1 where the sides agree.

    Attributes:
        cost: how much it leaves to explain.
    """

    reasons: list[Reason]
    why: np.ndarray[tuple[int, ...], np.dtype[np.intp]]
    cost: float


class _State(NamedTuple):
    """A level of the ratio, and the reason for it: -1 for none."""

    level: float
    reason: int


def explained(lined: Lined, adjusted: Sequence[tuple[str, Lined]], events: Events) -> Account:
    """The cheapest account of two legs.

    `adjusted` is them with here adjusted as there may be already, and the other way round, each with the name of the
    side that then is the adjusted one.
    """
    band, rounded = steps.bands(lined)
    differs = ~(np.abs(steps.gaps(lined.x, lined.y, rate=lined.rate)) <= band)
    if not differs.any():
        return Account([], np.full(len(differs), -1), 0.0)
    case = _Case(lined, differs, band, rounded, events)
    quoted = _Telling(case)
    best = quoted.account()
    # Distributions leave the moves of all other dates as they are.
    for side, other in adjusted if quoted.moves_alike() else ():
        found = _Telling(case, side, other).account()
        best = found if found.cost < best.cost else best
    return best


class _Case(NamedTuple):
    """What has to be explained: the legs as quoted, where they differ, and how far they may, rounding apart."""

    lined: Lined
    differs: Flags
    band: Floats
    rounded: Floats
    events: Events


class _Telling:
    """One account in the making: of the legs as quoted, or with one `side` adjusted."""

    def __init__(self, case: _Case, side: str = "", other: Lined | None = None) -> None:
        lined = self.lined = other or case.lined
        self.differs, self.band, self.rounded, self.events = case.differs, case.band, case.rounded, case.events
        self.sizes = -np.log([one.ratio for one in case.events.paid])
        self.reasons: list[Reason] = []
        self.why = np.full(len(case.differs), -1)
        self.cost = 0.0
        self.base = -1
        self.spared = np.zeros(len(case.differs))
        if other is not None:
            self.base = self._because(Reason("dividend", side=side))
            quoted = steps.gaps(case.lined.x, case.lined.y, rate=False)
            with np.errstate(invalid="ignore"):  # infinite less infinite
                self.spared = np.nan_to_num(np.abs(quoted - steps.gaps(lined.x, lined.y, rate=False)))
            self.cost = 1.0
        self.shifts = steps.shifts(lined, case.rounded)
        self.x = lined.here[steps.shifted(lined, self.shifts)]
        self.gap = steps.gaps(self.x, lined.y, rate=lined.rate)
        self.own = steps.gaps(lined.x, lined.y, rate=lined.rate)
        self.moved = np.zeros(len(case.differs), dtype=bool)

    def _because(self, reason: Reason) -> int:
        self.reasons.append(reason)
        return len(self.reasons) - 1

    def moves_alike(self) -> bool:
        """Whether both sides move alike on most dates."""
        alike = steps.still(self.gap, self.rounded, self.lined.tolerance)
        return bool(2 * alike.sum() >= len(alike))

    def account(self) -> Account:
        """All dates that differ, each with its reason."""
        if self.lined.rate:
            self._units_of_rates()
        level, fits = self._levels()
        for one in self.shifts:
            self._shift(one, fits)
        left = self.differs & ~fits & (self.why < 0)
        left = self._misplaced_points(left, level)
        self._ticks(left, fits | ~self.differs)
        rest = self.differs & (self.why < 0)
        self.cost += int(rest.sum())
        rest = self._with_what_is_chance(rest)
        if rest.any():
            self.why[rest] = self._because(Reason("other"))
        self.why[~self.differs] = -1
        return Account(self.reasons, self.why, self.cost)

    def _with_what_is_chance(self, rest: Flags) -> Flags:
        """Where most differences have no name, short stretches that seem to have one have it by chance."""
        if rest.sum() <= max(_FEW, _RARE * len(rest)) or rest.sum() < _MOSTLY * self.differs.sum():
            return rest
        sure = [at for at, reason in enumerate(self.reasons) if self._is_no_chance(at, reason)]
        return np.asarray(self.differs & ~np.isin(self.why, sure))

    def _is_no_chance(self, number: int, reason: Reason) -> bool:
        chosen = self.why == number
        if reason.kind == "shift":
            return bool(chosen.mean() > _RARE)
        # Of thousands of values without a name a few are a power of ten off, too.
        is_scale = reason.kind == "scale" and reason.factor not in _PLAIN and chosen.sum() > _FEW
        return bool(is_scale) or (reason.kind == "split" and reason.known is not None)

    # --- stretches

    def _levels(self) -> tuple[Floats, Flags]:
        """The level of each date's stretch, and whether the date is at it; dates get their stretch's reason."""
        level, fits = np.zeros(len(self.gap)), np.zeros(len(self.gap), dtype=bool)
        found = steps.plateaus(self.gap, self.band)
        levels, reach = np.array([one.level for one in found]), np.array([2 * one.band for one in found])
        states = [_State(0.0, self.base)]
        for at in reversed(range(len(found))):
            one = found[at]
            self._step(states, one, levels[:at], reach[:at])
            level[one.start : one.stop] = one.level
            level[: one.start] = one.level
            dates = slice(one.start, one.stop)
            own = np.abs(self.own[dates] - one.level) <= self.band[dates]
            moved = np.abs(self.gap[dates] - one.level) <= self.band[dates]
            fits[dates], self.moved[dates] = own | moved, moved & ~own
            self.why[dates][fits[dates] & (self.why[dates] < 0)] = states[-1].reason
        return level, fits

    def _step(self, states: list[_State], one: Plateau, older: Floats, reach: Floats) -> None:
        """Go on to an older stretch: back to a level that was there before, or to a new one for a reason."""
        for depth, state in enumerate(states):
            same = abs(one.level - state.level) <= one.band if depth else self._nearly_all_of_it(one)
            if same:
                del states[depth + 1 :]
                return
        passes = bool((np.abs(older - states[-1].level) <= reach).any())
        states.append(_State(one.level, self._reason(states[-1], one, passes=passes)))

    def _nearly_all_of_it(self, one: Plateau) -> bool:
        """Whether both agree over a stretch, but for a small part of what known distributions amount to."""
        if not one.level:
            return True
        if (paid := self._paid(one.level, one)) and self._steps_at_once(one, paid):
            return False
        spared = np.sort(self.spared[one.start : one.stop])
        if not abs(one.level) <= _ALIKE * spared[len(spared) // 2]:
            return False
        self.cost += 1
        return True

    def _reason(self, newer: _State, one: Plateau, *, passes: bool) -> int:
        """Why a stretch is at another level than the newer one; `passes`: an older one is where that was again."""
        if self.lined.rate:
            return self._because(Reason("adjustment", one.level, one.start, one.stop, steps=1))
        one = self._without_tail(one)
        step, known = one.level - newer.level, next(self._known(one, self.events.splits), None)
        power = round(step / math.log(10))
        whole = one.start == 0 and one.stop == len(self.gap)
        self.cost += 2
        same_way = known is not None and (step > 0) == (known.ratio > 1)
        if known and abs(abs(step) - abs(math.log(known.ratio))) <= 2 * one.band:
            factor = known.ratio if same_way else 1 / known.ratio
            return self._because(Reason("split", factor, one.start, one.stop, known, self._jumps(one)))
        is_power = 0 < abs(power) <= _LARGEST_POWER and abs(step - power * math.log(10)) <= 2 * one.band
        if is_power and (abs(power) > 1 or passes or whole):
            return self._because(Reason("scale", 10.0**power, one.start, one.stop))
        near = min(SPLITS, key=lambda ratio: abs(ratio - step))
        if abs(near - step) <= one.band:
            kind: Kind = "scale" if passes else "split"
            return self._because(Reason(kind, float(SPLITS[near]), one.start, one.stop, side=self._jumps(one)))
        if paid := self._paid(step, one):
            return self._because(paid)
        self.cost += 3
        return self._adjustment(newer, one)

    def _without_tail(self, one: Plateau) -> Plateau:
        """The stretch without the last dates of all where these agree, too few to be a stretch of their own."""
        stop = int(np.flatnonzero(self.differs)[-1]) + 1
        return one._replace(stop=stop) if 0 < one.stop - stop <= _SHORT and one.stop == len(self.gap) else one

    def _adjustment(self, newer: _State, one: Plateau) -> int:
        """A step that nothing explains, together with the one before it."""
        last = self.reasons[newer.reason] if newer.reason >= 0 else None
        if last is None or last.kind != "adjustment":
            return self._because(Reason("adjustment", _ratio(one.level), one.start, one.stop, steps=1))
        farther = max(last.factor, _ratio(one.level), key=lambda factor: abs(math.log(factor)))
        self.reasons[newer.reason] = last._replace(factor=farther, start=one.start, steps=last.steps + 1)
        return newer.reason

    def _steps_at_once(self, one: Plateau, paid: Reason) -> bool:
        """Whether the step to the level is made where the stretch ends; many small ones may add up to it, too."""
        if one.stop == len(self.gap):
            return False
        step = steps.drop(self.gap, one.stop)
        return abs(step - one.level) <= _ALIKE * abs(math.log(paid.factor)) + float(self.rounded[one.stop - 1])

    def _paid(self, step: float, one: Plateau) -> Reason | None:
        """Whether a stretch is at another level for one distribution, in which side, and how often."""
        alike = np.flatnonzero(np.abs(abs(step) - self.sizes) <= _ALIKE * self.sizes)
        paid = next(self._known(one, [self.events.paid[at] for at in alike.tolist()]), None)
        if paid is None:
            return None
        lower = "there" if step < 0 else "here"
        side = self.reasons[self.base].side if self.base >= 0 else lower
        times = 1 if self.base < 0 else 2 if side == lower else 0
        return Reason("dividend", math.exp(step), one.start, one.stop, paid, side, times=times)

    def _known(self, one: Plateau, events: Sequence[Known]) -> Iterator[Known]:
        """What one of the legs knows to have happened where the stretch ends."""
        days = self.lined.days
        first, last = days[one.stop - 1] - _NEAR, days[min(one.stop, len(days) - 1)] + _NEAR
        for event in events:
            if first <= event.day <= last or (one.stop == len(days) and event.day > days[-1]):
                yield event

    def _jumps(self, one: Plateau) -> str:
        """The side that jumps where a stretch ends, as the other does not; empty where that does not show."""
        at = one.stop
        if at == len(self.gap):
            return ""
        x, y = (steps.jump(values, at) for values in (self.lined.x, self.lined.y))
        return "here" if x > _CLEARLY * y else "there" if y > _CLEARLY * x else ""

    # --- dates

    def _shift(self, one: steps.Shift, fits: Flags) -> None:
        dates = slice(one.start, one.stop)
        beyond = self.lined.at_here[dates] + one.by
        fitting = self.differs[dates] & (self.moved[dates] | (beyond < 0) | (beyond >= len(self.lined.here)))
        if not fitting.any():
            return
        self.cost += 2
        number = self._because(Reason("shift", -one.by, one.start, one.stop))
        self.why[dates][fitting] = number
        # The value that the shift has pushed out of one side has no date on it; it may nearly be the one beside it.
        for at in (one.start - 1, one.start, one.stop - 1, one.stop):
            if 0 <= at < len(fits) and self.differs[at] and not fits[at]:
                self.why[at] = number

    def _units_of_rates(self) -> None:
        """Percent against fractions or basis points, date by date; what fits counts as agreeing with its stretch."""
        x, y, tolerance = self.x, self.lined.y.copy(), self.lined.tolerance
        for power in (2, -2, 4, -4):
            factor = 10.0**power
            rounded = max(self.lined.rounding[0], self.lined.rounding[1] / factor)
            allowed = np.maximum(tolerance, rounded * (1 + 1e-6) + steps.FLOAT32 * np.abs(x))
            fitting = self.differs & (np.abs(y / factor - x) <= allowed) & (np.abs(y - x) > 10 * allowed)
            if fitting.any():
                at = np.flatnonzero(fitting)
                self.cost += 2
                self.why[fitting] = self._because(Reason("scale", factor, int(at[0]), int(at[-1]) + 1))
                y[fitting] /= factor
                self.band = np.where(fitting, allowed, self.band)
        self.gap, self.own = steps.gaps(x, y, rate=True), steps.gaps(self.lined.x, y, rate=True)

    def _misplaced_points(self, left: Flags, level: Floats) -> Flags:
        """Single dates in another unit than their stretch; returns what is left."""
        if self.lined.rate:
            return left
        off = np.where(np.isfinite(self.gap), self.gap - level, 0.0)
        powers = np.round(off / math.log(10))
        fitting = left & (powers != 0) & (np.abs(powers) <= _LARGEST_POWER)
        fitting &= np.abs(off - powers * math.log(10)) <= self.band
        for power in sorted(set(powers[fitting].tolist())):
            chosen = fitting & (powers == power)
            at = np.flatnonzero(chosen)
            self.cost += 1
            self.why[chosen] = self._because(Reason("scale", 10.0**power, int(at[0]), int(at[-1]) + 1))
        return np.asarray(left & ~fitting)

    def _ticks(self, left: Flags, fine: Flags) -> None:
        """Dates that stand alone among dates that agree, those of either side together."""
        at = np.flatnonzero(left)
        if not len(at):
            return
        cuts = np.flatnonzero(np.diff(at) > 1) + 1
        runs = [(int(run[0]), int(run[-1]) + 1) for run in np.split(at, cuts)]
        most = int(max(_FEW, _RARE * len(left)))
        short = (run for run in runs if run[1] - run[0] <= _TICK and steps.stands_alone(fine, *run))
        alone = list(islice(short, most + 1))
        if len(alone) > most:
            return
        groups: dict[tuple[str, bool], int] = {}
        for start, stop in alone:
            group = self._outlier(start, stop), stop == len(left)
            if group not in groups:
                groups[group] = self._because(Reason("tick", start=start, stop=stop, side=group[0]))
            self.why[start:stop] = groups[group]
            self.cost += stop - start

    def _outlier(self, start: int, stop: int) -> str:
        """Which side is far from its own neighbours, by its usual moves too; empty where that does not show."""
        x, y = (steps.farness(values, start, stop, rate=self.lined.rate) for values in (self.lined.x, self.lined.y))
        side, values, far = ("here", self.lined.x, x) if x > _CLEARLY * y else ("there", self.lined.y, y)
        clear = max(x, y) > _CLEARLY * min(x, y) and far > _UNUSUALLY * steps.usual_move(values, rate=self.lined.rate)
        return side if clear else ""


def _ratio(level: float) -> float:
    return math.exp(max(-_LARGEST_LEVEL, min(_LARGEST_LEVEL, level)))
