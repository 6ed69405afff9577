"""Pairs drawn for `calibration.py`: noises as markets have them, and what is true of the pairs that are made of them.

Every noise has two series of mean 0, variance 1 and correlation rho, neither of which leads; a run is a row. Kinds:
`normal`; `AR`, each with an autoregression of .2; `t3`, fat tails; `GARCH`, one GARCH(1,1) volatility for both (alpha
.10, beta .88, t5 innovations: no fourth moment), so that the correlation is the same at all times; `GARCH each`, a
volatility for what they share and for each one's rest, so that it is not; `AR GARCH`, the first with an autoregression.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from lead_test import autoregressive, garch
from pairwatch.model import NAN, Floats

PHI = 0.2
BURN = 100
KINDS = ("normal", "AR", "t3", "GARCH", "GARCH each", "AR GARCH")
RHOS = (0.0, 0.85)
LATE = 0.9
"""A late change comes when so much of the history is over."""


class Noise(NamedTuple):
    """A kind of noise, and how far two series share it."""

    kind: str
    rho: float

    def __str__(self) -> str:
        return f"{self.kind}, ρ {self.rho:g}"

    @property
    def is_steady(self) -> bool:
        """Whether the correlation is the same at all times."""
        return self.kind != "GARCH each" or not self.rho

    @property
    def is_white(self) -> bool:
        """Whether no series tells anything of its own later values."""
        return not self.kind.startswith("AR")

    def draw(self, rng: np.random.Generator, runs: int, n: int) -> tuple[Floats, Floats]:
        """Both series; shape (runs, n)."""
        common, a, b = (self._shaped(x) for x in _shocks(rng, runs, n + BURN, self.kind))
        w, v = np.sqrt(self.rho), np.sqrt(1 - self.rho)
        return (w * common + v * a)[:, BURN:], (w * common + v * b)[:, BURN:]

    def _shaped(self, x: Floats) -> Floats:
        return x if self.is_white else autoregressive(x, PHI)


NOISES = tuple(Noise(kind, rho) for kind in KINDS for rho in RHOS)


def _shocks(rng: np.random.Generator, runs: int, n: int, kind: str) -> list[Floats]:
    """Three white series of variance 1."""
    if kind == "t3":
        return [rng.standard_t(3, (runs, n)) / np.sqrt(3) for _ in range(3)]
    if kind == "GARCH each":
        return [garch(rng, runs, n, burn=200, beta=0.88)[0] for _ in range(3)]
    if kind.endswith("GARCH"):
        deviation = np.sqrt(garch(rng, runs, n, burn=200, beta=0.88)[1])
        return [deviation * rng.standard_t(5, (runs, n)) * np.sqrt(3 / 5) for _ in range(3)]
    return [rng.standard_normal((runs, n)) for _ in range(3)]


class Drawn(NamedTuple):
    """Pairs, a run a row, and what a test is told that is true of them; NaN where it is told nothing."""

    a: Floats
    b: Floats
    claim: float = NAN


Draw = Callable[[Noise, np.random.Generator, int, int], Drawn]


class Family(NamedTuple):
    """What is drawn for a test.

    Attributes:
        null: pairs of which what the test is told, or takes for granted, is true.
        alternative: pairs of which it is not.
        stated: in what.
        fits: the noises under which the null is one.
    """

    null: Draw
    alternative: Draw
    stated: str
    fits: Callable[[Noise], bool] = lambda _noise: True


def same(noise: Noise, rng: np.random.Generator, runs: int, n: int) -> Drawn:
    """Nothing more than the noise."""
    return Drawn(*noise.draw(rng, runs, n))


def together(noise: Noise, rng: np.random.Generator, runs: int, n: int) -> Drawn:
    """Both with a part in common."""
    return Drawn(*Noise(noise.kind, 0.5).draw(rng, runs, n))


def led(noise: Noise, rng: np.random.Generator, runs: int, n: int) -> Drawn:
    """A leads by a bar."""
    a, b = noise.draw(rng, runs, n + 1)
    return Drawn(a[:, 1:], (b[:, 1:] + 0.3 * a[:, :-1]) / np.sqrt(1.09))


def led_as_told(noise: Noise, rng: np.random.Generator, runs: int, n: int) -> Drawn:
    """A leads by a bar, told so."""
    return led(noise, rng, runs, n)._replace(claim=1)


def led_otherwise(noise: Noise, rng: np.random.Generator, runs: int, n: int) -> Drawn:
    """A leads by a bar, told two."""
    return led(noise, rng, runs, n)._replace(claim=2)


def claims(what: Callable[[float], float], off: float) -> tuple[Draw, Draw, str]:
    """Told a number that is made of rho, and one that is `off` it."""

    def true(noise: Noise, rng: np.random.Generator, runs: int, n: int) -> Drawn:
        return Drawn(*noise.draw(rng, runs, n), what(noise.rho))

    def false(noise: Noise, rng: np.random.Generator, runs: int, n: int) -> Drawn:
        return Drawn(*noise.draw(rng, runs, n), what(noise.rho) + off)

    return true, false, f"it is told the truth {off:+g}"


def walks(noise: Noise, rng: np.random.Generator, runs: int, n: int) -> Drawn:
    """Two random walks, in logarithms."""
    a, b = noise.draw(rng, runs, n)
    return Drawn(a.cumsum(axis=1) / 100, b.cumsum(axis=1) / 100)


def tied(noise: Noise, rng: np.random.Generator, runs: int, n: int) -> Drawn:
    """Two legs whose difference keeps .9 of itself a bar."""
    a, b = Noise(noise.kind, 0).draw(rng, runs, n)
    x = a.cumsum(axis=1)
    return Drawn((x + decaying(b, 0.9)) / 100, x / 100)


def noisier(noise: Noise, rng: np.random.Generator, runs: int, n: int) -> Drawn:
    """A keeps to B, a walk, with a difference that keeps .9 of itself a bar and whose shocks are twice B's."""
    a, b = Noise(noise.kind, 0).draw(rng, runs, n)
    x = a.cumsum(axis=1)
    return Drawn((x + decaying(2 * b, 0.9)) / 100, x / 100)


def level(noise: Noise, rng: np.random.Generator, runs: int, n: int) -> Drawn:
    """A returns by itself, keeping .9 a bar, beside a walk whose changes go against A's."""
    a, b = Noise(noise.kind, 0).draw(rng, runs, n + BURN)
    walk = (0.7 * b - 0.7 * a)[:, BURN:].cumsum(axis=1)
    return Drawn(decaying(a, 0.9)[:, BURN:] / 100, walk / 100)


def decaying(shocks: Floats, kept: float) -> Floats:
    """AR(1) from zero."""
    found = shocks.copy()
    for t in range(1, shocks.shape[1]):
        found[:, t] += kept * found[:, t - 1]
    return found


def reverting(kept: float, told: float) -> tuple[Draw, Draw, str]:
    """A spread that keeps a share of its deviation; told its half-life, and one that many times as long."""

    def drawn(noise: Noise, rng: np.random.Generator, runs: int, n: int, times: float) -> Drawn:
        a, b = Noise(noise.kind, 0).draw(rng, runs, n + 300)
        x = a[:, 300:].cumsum(axis=1)
        spread = decaying(b, kept)[:, 300:]
        return Drawn((x + spread) / 100, x / 100, times * np.log(2) / -np.log(kept))

    def true(*given: object) -> Drawn:
        return drawn(*given, 1.0)  # type: ignore[arg-type]

    def false(*given: object) -> Drawn:
        return drawn(*given, told)  # type: ignore[arg-type]

    return true, false, f"it is told {told:g} times the truth"


def changing(noise: Noise, rng: np.random.Generator, runs: int, n: int, share: float = 0.5) -> Drawn:
    """The correlation changes by .5 in the middle, or after another share of the history."""
    other = 0.5 if noise.rho < 0.5 else noise.rho - 0.5
    common, a, b = (noise._shaped(x) for x in _shocks(rng, runs, n + BURN, noise.kind))  # noqa: SLF001
    rho = np.where(np.arange(n + BURN) < BURN + int(n * share), noise.rho, other)
    w, v = np.sqrt(rho), np.sqrt(1 - rho)
    return Drawn((w * common + v * a)[:, BURN:], (w * common + v * b)[:, BURN:])


def changing_late(noise: Noise, rng: np.random.Generator, runs: int, n: int) -> Drawn:
    """The correlation changes by .5 when nine tenths are over."""
    return changing(noise, rng, runs, n, LATE)


def broken(share: float) -> tuple[Draw, Draw, str]:
    """A change after a share of the history, told when, and told half of that."""

    def true(noise: Noise, rng: np.random.Generator, runs: int, n: int) -> Drawn:
        return changing(noise, rng, runs, n, share)._replace(claim=int(n * share))

    def false(noise: Noise, rng: np.random.Generator, runs: int, n: int) -> Drawn:
        return changing(noise, rng, runs, n, share)._replace(claim=int(n * share) // 2)

    return true, false, f"it is told half of {share:.0%} of the history"


def unlike(noise: Noise, rng: np.random.Generator, runs: int, n: int) -> Drawn:
    """B's deviation is 1.5 times A's."""
    a, b = noise.draw(rng, runs, n)
    return Drawn(a, 1.5 * b)


LEADS = Family(same, led, "A leads by a bar, .3")
# That r(k) is zero away from k = 0 is not true of series that share an autocorrelation.
CROSS = LEADS._replace(fits=lambda noise: noise.is_white or not noise.rho)
APART = Family(same, together, "they have a correlation of .5", lambda noise: not noise.rho)
LAGS = Family(led_as_told, led_otherwise, "it is told 2 bars instead of 1")
WALKS = Family(walks, tied, "the spread keeps .9 a bar")
SPREADS = WALKS._replace(fits=lambda noise: not noise.rho)
KEPT = Family(noisier, level, "A returns by itself", lambda noise: not noise.rho)
RETURNING = Family(level, noisier, "A keeps to B", lambda noise: not noise.rho)
STEADY = Family(same, changing, "ρ changes by .5 in the middle", lambda noise: noise.is_steady)
STEADY_LATE = Family(same, changing_late, f"ρ changes by .5 after {LATE:.0%}", lambda noise: noise.is_steady)
CORRELATIONS = Family(*claims(lambda rho: rho, -0.25), lambda noise: noise.is_steady)
SLOPES = Family(*claims(lambda rho: rho, 0.3))
HALF_HEDGED = Family(*claims(lambda rho: rho - 0.25, 0.3))
RATIOS = Family(*claims(lambda _rho: 1.0, 0.5))
VARIANCES = Family(same, unlike, "B's deviation is 1.5 times A's")
BROKEN, BROKEN_LATE = (Family(*broken(share), lambda noise: noise.is_steady) for share in (0.5, LATE))
HALF_LIVES = Family(*reverting(0.95, 5), lambda noise: not noise.rho)
