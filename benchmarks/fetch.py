"""Fetching 200 legs: requests on their way, wall time, and whether the pace is kept.

The provider is `tests/wire.py`, Yahoo's wire shape through real TLS on loopback; it takes 150 ms for each answer, as
a real one does, and notes when each question came. Every run begins with an empty cache. The rivals ask the same
provider for the same symbols: the same program one leg after the other, and `yfinance.download` with its threads.
"""

import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

from timing import HERE, PAIRWATCH, PYTHON, ROOT, environment, goal, isolated, run, say, spread, table

sys.path.insert(0, str(ROOT))
from tests.wire import CHART, Asked, Listing, Wire, weekdays

LEGS, BARS, ROUNDS = 200, 500, 3
LATENCY = 0.15
YAHOO = "yahoo"
RIVALS = HERE / "rivals"


class Provider(Wire):
    """A slow Yahoo that notes when questions for prices came, and how many it had before it at once."""

    def __init__(self, folder: Path) -> None:
        self._lock = threading.Lock()
        self.begin()
        super().__init__(folder)

    def begin(self) -> None:
        """Forget the questions of the run before."""
        self.came: list[float] = []
        self.most = self._now = 0

    def respond(self, asked: Asked) -> tuple[int, str, bytes, dict[str, str]]:
        """The true answer, after a while."""
        if not asked.path.startswith(CHART):
            return super().respond(asked)
        with self._lock:
            self.came.append(time.monotonic())
            self._now += 1
            self.most = max(self.most, self._now)
        time.sleep(LATENCY)
        try:
            return super().respond(asked)
        finally:
            with self._lock:
                self._now -= 1


def excess(came: list[float], gap: float, burst: int) -> int:
    """How many more questions came, in the worst stretch of time, than the pace allows."""
    came = sorted(came)
    allowed = lambda seconds: burst + 1 + int(seconds / gap)  # noqa: E731 - one formula, used once
    return max(
        (j - i + 1 - allowed(came[j] - came[i]) for i in range(len(came)) for j in range(i, len(came))), default=0
    )


@contextmanager
def provider() -> Iterator[tuple[Provider, list[str]]]:
    """The provider with its symbols."""
    # Last Friday's bar is the newest.
    today = date.today()  # noqa: DTZ011 - as the program under test sees it
    days = weekdays(today - timedelta(days=today.weekday() + 3), BARS)
    symbols = [f"T{number:03}" for number in range(LEGS)]
    with tempfile.TemporaryDirectory(prefix="pairwatch-wire-") as folder, Provider(Path(folder)) as wire:
        for number, symbol in enumerate(symbols):
            wire.lists(Listing(symbol, days, [100 + number + 0.01 * bar for bar in range(BARS)]))
        yield wire, symbols


def timed(wire: Provider, command: list[str], env: Mapping[str, str]) -> tuple[float, int, int, list[float]]:
    """Seconds, requests on their way at most, requests, and when they came."""
    wire.begin()
    with tempfile.TemporaryDirectory(prefix="pairwatch-home-") as home:
        took = run(command, {**env, **environment(Path(home)), **wire.environ})
    return took.wall / 1e3, wire.most, len(wire.came), wire.came


def main() -> int:
    from pairwatch import sources

    pace = sources.about(YAHOO).pace
    with isolated() as (home, env), provider() as (wire, symbols):
        file = home / "legs.txt"
        file.write_text("\n".join(symbols))
        rival = str(RIVALS / "fetching.py")
        commands = {
            "pairwatch fetch": [PAIRWATCH, "fetch", "--file", str(file), "--csv"],
            "the same without its pace": [PYTHON, rival, "abreast", str(file)],
            "one leg after the other": [PYTHON, rival, "alone", str(file)],
            "yfinance.download": [PYTHON, rival, "yfinance", str(file)],
        }
        found: dict[str, list[tuple[float, int, int, list[float]]]] = {name: [] for name in commands}
        for number in range(ROUNDS):
            say(f"round {number + 1} of {ROUNDS}")
            for name, command in commands.items():
                found[name].append(timed(wire, command, env))
    least = max(0.0, (LEGS - pace.burst - 1) * pace.gap)
    rows = []
    for name, runs in found.items():
        seconds = spread([one[0] for one in runs])
        over = max(excess(one[3], pace.gap, pace.burst) for one in runs)
        most, requests = (max(one[which] for one in runs) for which in (1, 2))
        rows.append(
            (name, f"{seconds.median:.1f} s", str(most), str(requests), "kept" if over <= 0 else f"{over} over")
        )
    print(
        f"{LEGS} legs of {BARS} bars, {1e3 * LATENCY:.0f} ms an answer, medians of {ROUNDS} runs; the pace: one every"
    )
    print(f"{pace.gap:g} s after {pace.burst} at once, {pace.abreast} on their way at most: not under {least:.0f} s\n")
    print(table(("", "wall", "on their way", "requests", "pace"), rows))
    paced = spread([ours[0] / least for ours in found["pairwatch fetch"]])
    abreast = spread(
        [b[0] / a[0] for a, b in zip(found["the same without its pace"], found["one leg after the other"], strict=True)]
    )
    polite = all(excess(one[3], pace.gap, pace.burst) <= 0 for one in found["pairwatch fetch"])
    print(f"- of what the pace allows: {paced} ({goal(paced.median, 1.15)})")
    twice = goal(abreast.median, 2, at_least=True)
    print(f"- without the pace, times as fast as one leg after the other: {abreast} ({twice})")
    return 0 if polite and paced.median <= 1.15 and abreast.median >= 2 else 1


if __name__ == "__main__":
    sys.exit(main())
