"""What the numbers say in words: the leadership's verdict, and the sentences that numbers decide."""

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from pairwatch.catalogue import counted_alike
from pairwatch.kernels import Z95
from pairwatch.lead import SIZE
from pairwatch.model import Claim, Facts, Leadership, Leg
from pairwatch.text import between, plain, plural

# Daily returns of two months: a window that holds a month to fall behind in and another to catch up in.
TWO_MONTHS = 42
# Bars of two days are so many a year where both legs trade every day: with more of them a bar is a day.
TWO_DAYS = 182
# In percentage points: what is smaller rounds to nothing.
LEAST_GAP = 0.005
# The 97.5 % point of Student's t with the 10 degrees of freedom that an interval has which a single bar decides.
T10 = 2.2281388519649385
# A correlation of 1 has no atanh.
NEARLY_ONE = 1 - 1e-12

# What is said of the strongest lead, whoever has made it; what would have been detectable does not hang on that.
OF_A_LEAD = ("lead_lag", "lead_asymmetry", "lead_correlation", "lead_p_value")

Values = Mapping[tuple[str, str], float]


def bare(value: float, digits: int = 2) -> str:
    """A number as statisticians write it, without the zero before the point: `.41`, `-.07`, `1.00`, `10.50`."""
    return re.sub(r"^(-?)0\.", r"\1.", f"{value:z.{digits}f}")


def p_text(p: float) -> str:
    """`p .41`, `p .007`, `p .048`, `p < .001`."""
    if p < 0.001:
        return "p < .001"
    # More digits where fewer would hide on which side of the level it lies.
    distance = abs(p - SIZE)
    digits = 4 if distance < 0.00055 else 3 if distance < 0.0055 or p < 0.0095 else 2
    return f"p {bare(p, digits)}"


def with_verdict(lead: Leadership, a: str, b: str) -> Leadership:
    """The leadership with its verdict; neither the legs' clocks nor a period's average are called a leader."""
    lead = replace(lead, decided=False, doubt="")
    if not math.isfinite(lead.p_value):
        return replace(lead, verdict=f"no verdict: {_obstacle(lead)}")
    ahead, behind = (a, b) if lead.lag > 0 else (b, a)
    told = f"{ahead} leads {behind} by {plural(abs(lead.lag), 'bar')}"
    if lead.p_value >= SIZE:
        return replace(lead, verdict=f"no leader ({p_text(lead.p_value)}; {_detectable(lead)})")
    doubt, so_what = _doubt(lead, ahead, behind)
    if doubt:
        return replace(lead, verdict=f"no verdict: {doubt}{so_what} ({p_text(lead.p_value)})", doubt=doubt)
    return replace(lead, verdict=f"{told} ({p_text(lead.p_value)})", decided=True)


def _doubt(lead: Leadership, ahead: str, behind: str) -> tuple[str, str]:
    """What else can make the lead, without a comma, and what follows from it; empty where nothing is known to."""
    if abs(lead.lag) == 1 and lead.lag * lead.hours_apart > 0:
        apart = f"{ahead} closes {abs(lead.hours_apart):.3g} h after {behind}"
        return apart, ", and the clock alone can make it look ahead"
    if abs(lead.lag) == 1 and lead.unclocked:
        closes = "closes" if len(lead.unclocked) == 1 else "close"
        unknown = f"when {' and '.join(lead.unclocked)} {closes} is not known"
        return unknown, f", and the clock alone can make {ahead} look ahead"
    if lead.lag == lead.average:
        return f"{behind}'s values may be averages of their periods", f", beside which {ahead}'s closes look ahead"
    return "", ""


def _obstacle(lead: Leadership) -> str:
    """Why there is no p."""
    together = abs(lead.at(0))
    if math.isnan(together):
        return "a leg does not move"
    return "the legs move as one" if together > 0.999 else "too few bars"


def _detectable(lead: Leadership) -> str:
    if not lead.detectable < 1:
        return "too few bars to show any lead"
    return f"a lead of {bare(math.ceil(lead.detectable * 100) / 100)} or more would have shown 4 times in 5"


# ---------------------------------------------------------------- claims


def claims(
    a: Leg,
    b: Leg,
    values: Values,
    facts: tuple[Facts, Facts] = (Facts(), Facts()),
    bars_per_year: int = 252,
) -> tuple[Claim, ...]:
    """The sentences that people write about a pair, each decided by its number, or left open.

    Nobody hedges with, or holds, a level or a rate; without `facts` the legs are prices.
    """
    units = [one.change_unit for one in facts]
    found = (
        _tighter(a, b, values),
        _idiosyncratic(values),
        _ahead(a, b, values, has_level=any(one.measure == "level" for one in facts)),
        _catching_up(a, b, values),
        _hedge(a, b, values, alike=counted_alike(*units)) if all(one.can_be_held for one in facts) else None,
        _robust(values, "day" if bars_per_year > TWO_DAYS else "bar"),
        _reverting(values),
    )
    return tuple(claim for claim in found if claim)


def _decided(text: str, low: float, high: float, threshold: float, because: str) -> Claim | None:
    """A claim that the number lies below a threshold, by its interval."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return None
    verdict: Literal["TRUE", "FALSE", "INCONCLUSIVE"] = "INCONCLUSIVE"
    if high < threshold:
        verdict = "TRUE"
    elif low >= threshold:
        verdict = "FALSE"
    return Claim(text, verdict, because)


def _of_half(low: float, high: float) -> str:
    """The interval of a share that is judged by whether it is a half."""
    return f"95% interval {between(100 * low, 100 * high, 0, 50, lambda value, digits: f'{plain(value, digits)}%')}"


def _common_share(values: Values) -> tuple[float, float]:
    """The interval of r squared that follows from the correlation's."""
    low, high = values["pair", "correlation_low"], values["pair", "correlation_high"]
    squares = (low * low, high * high)
    return (0.0 if low < 0 < high else min(squares)), max(squares)


def _tighter(a: Leg, b: Leg, values: Values) -> Claim | None:
    tightness, low, high = (values["pair", f"tightness{end}"] for end in ("", "_low", "_high"))
    because = f"its volatility is {tightness:.2f} of the calmer leg's (95% interval {between(low, high, edge=1)})"
    return _decided(f"{a} - {b} is tighter than either leg", low, high, 1.0, because)


def _idiosyncratic(values: Values) -> Claim | None:
    low, high = _common_share(values)
    share = values["pair", "idiosyncratic_share"]
    because = f"{share:.0%} of the variance is idiosyncratic ({_of_half(1 - high, 1 - low)})"
    return _decided("most of what moves them is common to both", 1 - high, 1 - low, 0.5, because)


def _ahead(a: Leg, b: Leg, values: Values, *, has_level: bool) -> Claim | None:
    gap = values["pair", "return_gap"]
    if not math.isfinite(gap) or _rounds_to_nothing(gap):
        return None
    because = f"it is {'ahead' if gap > 0 else 'behind'} by {100 * abs(gap):.2f} percentage points"
    text = f"{a} has grown more than {b}" if has_level else f"{a} is ahead of {b}"
    return Claim(f"{text} over the window", "TRUE" if gap > 0 else "FALSE", because)


def _rounds_to_nothing(gap: float) -> bool:
    return abs(100 * gap) < LEAST_GAP


def _catching_up(a: Leg, b: Leg, values: Values) -> Claim | None:
    # In a short window the gap and the last month are the same days: who fell behind then is not catching up then.
    if not values["pair", "observations"] >= TWO_MONTHS:
        return None
    gap, month = values["pair", "return_gap"], values["difference", "change_1m"]
    if not (math.isfinite(gap) and math.isfinite(month)) or _rounds_to_nothing(gap) or _rounds_to_nothing(month):
        return None
    leader, laggard, gained = (a, b, -month) if gap > 0 else (b, a, month)
    moved = f"{'gained' if gained > 0 else 'lost'} {100 * abs(gained):.2f} percentage points"
    because = f"over the last month it {moved} against {leader}"
    return Claim(f"{laggard}, which is behind, is catching up", "TRUE" if gained > 0 else "FALSE", because)


def _hedge(a: Leg, b: Leg, values: Values, *, alike: bool) -> Claim | None:
    low, high = _common_share(values)
    left = [math.sqrt(max(0.0, 1 - share)) for share in (high, low)]
    r2 = values["pair", "r_squared"]
    if not math.isfinite(r2):
        return None
    remains = f"{math.sqrt(1 - r2):.0%} of it remains ({_of_half(*left)})"
    # A ratio of points to fractions is no number that anybody could use as it is.
    ratio = f" {values['pair', 'beta']:.2f}," if alike else ""
    because = f"at the best ratio,{ratio} {remains}"
    return _decided(f"a hedge with {b} would have halved {a}'s volatility", left[0], left[1], 0.5, because)


def _robust(values: Values, bar: str) -> Claim | None:
    """Whether the correlation differs from zero without its most telling bar too.

    Also FALSE is what may be zero as it stands, but is farther from what is left without that bar than chance allows.
    """
    r, low, high = (values["pair", f"correlation{end}"] for end in ("", "_low", "_high"))
    without = [values["pair", f"correlation_fragility_{end}"] for end in ("low", "high")]
    if not all(map(math.isfinite, (low, high, *without))):
        return None
    text = f"no single {bar} makes the correlation"
    weakest = min(_z(math.copysign(1, r) * end) for end in without)
    lost = _z(abs(r)) - weakest
    reach = _reach_without((_z(high) - _z(low)) / 2, lost, values["pair", "observations"])
    may_be_zero = low <= 0 <= high
    if may_be_zero and lost <= reach:
        return Claim(text, "INCONCLUSIVE", f"it may be none at all (95% interval {between(low, high, form=bare)})")
    because = f"without any one {bar} it lies between {without[0]:.2f} and {without[1]:.2f}"
    return Claim(text, "FALSE" if may_be_zero or weakest <= reach else "TRUE", because)


def _reach_without(reach: float, lost: float, n: float) -> float:
    """Half the interval of atanh(r) without a bar that adds `lost` to it, by what the bar adds to half the whole one.

    At least that of independent, normal bars (Fisher 1921).
    """
    return math.sqrt(max(reach * reach - (T10 * lost) ** 2, Z95**2 / max(1.0, n - 4)))


def _z(r: float) -> float:
    return math.atanh(max(-NEARLY_ONE, min(NEARLY_ONE, r)))


def _reverting(values: Values) -> Claim | None:
    """Never FALSE: a window too short to show a slow reversion looks like a random walk."""
    t, half_life = values["pair", "reversion_t"], values["pair", "half_life"]
    if not math.isfinite(t):
        return None
    needed = _random_walk_t(values["pair", "observations"])
    # Without a half-life but below zero, the deviation is on the other side after one bar.
    absent = "no reversion in the window" if t >= 0 else "it overshoots within a bar"
    pace = absent if math.isnan(half_life) else f"half-life {half_life:.1f} bars"
    because = f"{pace}; Dickey-Fuller t {t:.2f}, {needed:.2f} needed"
    return Claim("the spread reverts to its mean", "TRUE" if t < needed else "INCONCLUSIVE", because)


def _random_walk_t(n: float) -> float:
    """The Dickey-Fuller t, with a constant, below which a random walk of n changes falls in 5 % of windows.

    MacKinnon (2010), Critical values for cointegration tests, table 2, N = 1.
    """
    return -2.86154 - 2.8903 / n - 4.234 / n**2 - 40.04 / n**3
