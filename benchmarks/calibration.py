"""How often every test that prints a p-value or a band finds what is not there (size), and what is (power).

Each is run on pairs of which its hypothesis is true, under noises as markets have them: autocorrelation, fat tails,
volatility in clusters, and legs that share much or nothing (`nulls.py`). A test at 5 % may find something in 5 % of the
runs, give or take 2 points; an interval of 95 % may miss the truth as often. Power is the same share on pairs of the
same noise of which the hypothesis is false, as stated. Fixed seeds; +- is one standard error of the size.

Sizes further off by more than two of these errors are OFF: `loose` finds too much, `strict` too little. Where the
program itself says so beside the number, the table says `OFF, and says so`. The exit code is 1 where anything else is.

`python benchmarks/calibration.py [--runs 400] [--only NAME] [--lengths 61,250,1000] [--processes 2]`
"""

import argparse
import math
import os
import sys
import time
from collections.abc import Iterator
from multiprocessing import Pool
from typing import NamedTuple

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np

import lead_test
import nulls
from judges import BY_NAME, LEVEL, TESTS, Test
from nulls import NOISES, Noise
from timing import say, table

EXPECTED, BOUND = 100 * LEVEL, 2.0
SEED = 20261123


class Task(NamedTuple):
    """A line of the table."""

    name: str
    noise: Noise
    n: int
    runs: int


class Line(NamedTuple):
    """In per cent of the runs: what a test found where there is nothing, and where there is something."""

    task: Task
    size: float
    power: float
    silent: float

    @property
    def error(self) -> float:
        """One standard error of the size, where it is what it should be or what it is: the larger."""
        share = max(self.size, EXPECTED) / 100
        return 100 * math.sqrt(share * (1 - share) / max(1.0, self.task.runs * (1 - self.silent / 100)))

    @property
    def verdict(self) -> str:
        """Whether the size is within its bound, as far as so many runs can tell."""
        off = abs(self.size - EXPECTED) - BOUND
        if off <= 0:
            return "ok"
        if off <= 2 * self.error:
            return "within error"
        kind = "loose" if self.size > EXPECTED else "strict"
        test = BY_NAME[self.task.name]
        says = test.says(self.task.noise, self.task.n) or (test.cautious and kind == "strict")
        said = ", and says so" if says else ""
        return f"OFF, {kind}{', not printed' if test.rival else said}"


def found(test: Test, drawn: nulls.Drawn) -> tuple[float, float]:
    """In how many of the runs that say anything something is found; how many say nothing; per cent."""
    judged = [test.judge(a, b, drawn.claim) for a, b in zip(drawn.a, drawn.b, strict=True)]
    said = [one for one in judged if isinstance(one, (bool, np.bool_)) or not math.isnan(one)]
    verdicts = [one if isinstance(one, (bool, np.bool_)) else one <= LEVEL for one in said]
    share = 100 * float(np.mean(verdicts)) if said else math.nan
    return share, 100 * (1 - len(said) / len(judged))


def measured(task: Task) -> Line:
    """Size and power of one test under one noise."""
    test = BY_NAME[task.name]
    seed = [SEED, task.n, *str(task.noise).encode()]
    draws = (test.family.null, test.family.alternative)
    null, other = (draw(task.noise, np.random.default_rng(seed), task.runs, task.n) for draw in draws)
    with np.errstate(all="ignore"):
        size, silent = found(test, null)
        return Line(task, size, found(test, other)[0], silent)


def tasks(only: str, lengths: list[int], runs: int) -> Iterator[Task]:
    for test in TESTS:
        if only.lower() in test.name.lower():
            for n in lengths:
                yield from (
                    Task(test.name, noise, n, min(runs, test.most))
                    for noise in NOISES
                    if n >= test.least and test.family.fits(noise)
                )


def as_table(lines: list[Line]) -> str:
    """All lines under one head."""
    rows = [
        [
            line.task.name,
            str(line.task.noise),
            f"{line.task.n:,}",
            f"{line.size:.1f}",
            f"{line.error:.1f}",
            f"{line.power:.0f}",
            f"{line.silent:.0f}" if line.silent else "",
            line.verdict,
        ]
        for line in lines
    ]
    return table(("test", "nothing there:", "n", "size, %", "+-", "power, %", "silent, %", "verdict"), rows)


def summary(lines: list[Line]) -> str:
    """A line a test: from the smallest to the largest size, and which noises are off."""
    rows = []
    for name in dict.fromkeys(line.task.name for line in lines):
        own = [line for line in lines if line.task.name == name]
        off = [line for line in own if line.verdict.startswith("OFF")]
        inside = [line.size for line in own if line not in off]
        rows.append(
            [
                name,
                f"{min(inside):.1f} to {max(inside):.1f}" if inside else "",
                "; ".join(f"{line.task.noise}, n {line.task.n:,}: {line.size:.1f}" for line in off),
            ]
        )
    return table(("test", "size, %", "off"), rows)


def alternatives(only: str) -> str:
    """What power is the power to find."""
    rows = [[test.name, test.family.stated] for test in TESTS if only.lower() in test.name.lower()]
    return table(("test", "power where"), rows)


def options() -> argparse.Namespace:
    """What was typed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=400)
    parser.add_argument("--only", default="", help="tests whose name holds this")
    parser.add_argument("--lengths", default="61,250,1000", type=lambda text: [int(n) for n in text.split(",")])
    parser.add_argument("--processes", type=int, default=2)
    return parser.parse_args()


def main() -> int:
    typed, start = options(), time.perf_counter()
    asked = list(tasks(typed.only, typed.lengths, typed.runs))
    if not asked:
        say(f"error: no test is called {typed.only}\nhint: there are {', '.join(BY_NAME)}")
        return 2
    with Pool(typed.processes, lead_test.keep_orders) as pool:
        lines = lead_test.with_progress(pool, measured, asked)
    print(f"### Calibration at 5 %: {typed.runs:,} runs a line\n")
    print(alternatives(typed.only))
    print(as_table(lines))
    print(summary(lines))
    off = [line for line in lines if line.verdict.startswith("OFF")]
    for line in off:
        say(f"{line.verdict}: {line.task.name}, {line.task.noise}, n {line.task.n}: {line.size:.1f} %")
    say(f"{time.perf_counter() - start:.0f} s")
    return int(any(not line.verdict.endswith(("says so", "not printed")) for line in off))


if __name__ == "__main__":
    sys.exit(main())
