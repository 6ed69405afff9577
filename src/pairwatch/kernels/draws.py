"""Random numbers that are the same in every version of numpy, and cost no import of its generators."""

import random

import numpy as np

from pairwatch.model import Floats, Positions


class Draws:
    """Draws from Python's own generator: the same seed gives the same numbers."""

    def __init__(self, seed: int) -> None:
        self._bytes = random.Random(seed).randbytes  # noqa: S311 - to be repeated, not to be secret

    def uniform(self, *shape: int) -> Floats:
        """Numbers in [0, 1), of 32 bits."""
        count = int(np.prod(shape))
        return np.frombuffer(self._bytes(4 * count), "<u4").reshape(shape) / 2.0**32

    def integers(self, below: int, *shape: int) -> Positions:
        """Whole numbers from 0 to `below` - 1."""
        return np.asarray((self.uniform(*shape) * below).astype(np.intp))

    def signs(self, *shape: int) -> Floats:
        """Each 1 or -1."""
        return np.where(self.uniform(*shape) < 0.5, -1.0, 1.0)

    def normal(self, *shape: int) -> Floats:
        """Standard normal values, by Box and Muller (1958)."""
        u, v = self.uniform(*shape), self.uniform(*shape)
        return np.asarray(np.sqrt(-2 * np.log1p(-u)) * np.cos(2 * np.pi * v))

    def blocks(self, n: int, length: int, count: int) -> Positions:
        """Positions of `count` circular block resamples of n, blocks of `length`; shape (count, n).

        Source: Politis and Romano (1992), the circular block bootstrap.
        """
        starts = self.integers(n, count, -(-n // length))
        places = (starts[:, :, None] + np.arange(length)).reshape(count, -1)[:, :n]
        return np.asarray(places % n)
