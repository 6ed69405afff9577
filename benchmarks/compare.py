"""How long `pairwatch compare QQQ IWM` takes from a full cache, as whole processes, beside a floor and two rivals.

The floor is a process that imports what a run needs and does nothing: typer, rich.table, numpy, sqlite3. It is timed
twice: as `python -c` ends, and with `os._exit`, as pairwatch ends, which spares the interpreter its clearing up (the
stricter floor; the goals are set against the other). The rivals are `rivals/naive.py`, the same comparison with
pandas, scipy.stats and yfinance imported at the top, and `rivals/quantstats_metrics.py`, both from CSV files. All have
one BLAS thread and compiled bytecode. Before anything is timed, volatility, correlation and beta of all three must
agree. The prices are simulated (`simulated.py`). A peak near that of `python` is the measuring process's own.

`python benchmarks/compare.py [--rounds 15]`
"""

import argparse
import json
import statistics
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from timing import HERE, PAIRWATCH, PYTHON, Command, Rounds, goal, in_turns, isolated, say, table

FLOOR, TYPER, NOTHING = "import typer, rich.table, numpy, sqlite3", "import typer", "pass"
AT_ONCE = "; import os; os._exit(0)"
QUANTSTATS_DIGITS = 0.006  # it rounds to two digits

Env = Mapping[str, str]


def commands(folder: Path) -> dict[str, Command]:
    """Every process that is timed, by the name it has in the tables."""
    files = [str(folder / f"{symbol}.csv") for symbol in ("QQQ", "IWM")]
    compare = [PAIRWATCH, "compare", "QQQ", "IWM"]
    return {
        "table": [*compare, "--format", "table"],
        "table on a terminal": compare,
        "CSV": [*compare, "--csv"],
        "floor": [PYTHON, "-c", FLOOR],
        "floor, os._exit": [PYTHON, "-c", FLOOR + AT_ONCE],
        "naive": [PYTHON, str(HERE / "rivals" / "naive.py"), *files],
        "quantstats": [PYTHON, str(HERE / "rivals" / "quantstats_metrics.py"), *files],
        "--help": [PAIRWATCH, "--help"],
        "--version": [PAIRWATCH, "--version"],
        "typer": [PYTHON, "-c", TYPER],
        "typer, os._exit": [PYTHON, "-c", TYPER + AT_ONCE],
        "python": [PYTHON, "-c", NOTHING],
    }


def parsed(command: Command, env: Env) -> Any:
    """What a command says as JSON."""
    return json.loads(subprocess.run([*command, "--json"], env=env, check=True, capture_output=True).stdout)


def check_agreement(known: Mapping[str, Command], env: Env) -> None:
    """All three sides have done the same work."""
    ours = parsed([PAIRWATCH, "compare", "QQQ", "IWM"], env)
    naive, quantstats = parsed(known["naive"], env), parsed(known["quantstats"], env)
    agreed = {"a": ("volatility", "sharpe", "max_drawdown"), "pair": ("correlation", "beta", "tracking_error")}
    for part, keys in agreed.items():
        for key in keys:
            assert abs(ours[part][key] - naive[part][key]) < 1e-9, (key, ours[part][key], naive[part][key])
    theirs = {
        "volatility": (ours["a"]["volatility"], quantstats["Volatility (ann.)"][1]),
        "correlation": (ours["pair"]["correlation"], quantstats["Correlation"][1].rstrip("%")),
        "beta": (ours["pair"]["beta"], quantstats["Beta"][1]),
    }
    for key, (mine, text) in theirs.items():
        assert abs(mine - float(text)) < QUANTSTATS_DIGITS, (key, mine, text)
    say("volatility, correlation and beta agree on all sides")


def costs(found: Rounds, names: list[str]) -> str:
    """What each process costs."""
    rows = [[name, *(f"{found.median(name, what):.0f}" for what in ("wall", "cpu", "peak"))] for name in names]
    return table(("process", "ms", "CPU, ms", "peak, MiB"), rows)


HEADER = ("process", "over", "ratio", "ratio of CPU", "goal")


def against_floor(found: Rounds) -> str:
    """A warm run over the imports it cannot do without."""
    names = ("table", "CSV")
    rows = [compared(found, name, "floor", 1.25) for name in names]
    rows += [compared(found, name, "floor, os._exit") for name in names]
    return table(HEADER, [*rows, compared(found, "table on a terminal", "table")])


def against_rivals(found: Rounds) -> str:
    """How many times as long the rivals take."""
    return table(HEADER, [compared(found, rival, "table", 5, at_least=True) for rival in ("naive", "quantstats")])


def small_commands(found: Rounds) -> str:
    """Help and version over the import of typer."""
    floors = ("typer", "typer, os._exit")
    return table(HEADER, [compared(found, name, floor, 1.2) for floor in floors for name in ("--help", "--version")])


def compared(found: Rounds, name: str, rival: str, limit: float = 0, *, at_least: bool = False) -> list[str]:
    """A line of a table: both ratios, and the goal of the first if there is one."""
    ratio, cpu = found.ratio(name, rival), found.ratio(name, rival, "cpu")
    return [name, rival, str(ratio), str(cpu), goal(ratio.median, limit, at_least=at_least) if limit else ""]


def breakdown(folder: Path, env: Env, processes: int) -> str:
    """Where a warm run spends its time, by stage."""
    say("stages of a warm run")
    command = [PYTHON, str(HERE / "stages.py"), str(folder)]
    took = [
        json.loads(subprocess.run(command, env=env, check=True, capture_output=True).stdout) for _ in range(processes)
    ]
    rows = [[name, f"{statistics.median(one[name] for one in took):.1f}"] for name in took[0]]
    return table(("stage of a warm run", "ms"), rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    with isolated() as (home, env):
        folder = home / "cache" / "pairwatch"
        subprocess.run([PYTHON, str(HERE / "simulated.py"), str(folder)], check=True)
        known = commands(folder)
        check_agreement(known, env)
        ours = ["table", "CSV", "floor", "floor, os._exit", "table on a terminal"]
        warm = in_turns({name: known[name] for name in ours}, env, rounds, terminals=ours[-1:])
        slow = in_turns({name: known[name] for name in ("table", "naive", "quantstats")}, env, max(3, rounds // 3))
        small = in_turns(
            {name: known[name] for name in ("--help", "--version", "typer", "typer, os._exit", "python")}, env, rounds
        )
        print("### `pairwatch compare QQQ IWM`, from the cache\n")
        print(against_floor(warm))
        print(against_rivals(slow))
        print(small_commands(small))
        peak = max(warm.median(name, "peak") for name in ("table", "CSV"))
        print(table(("", "MiB", "goal"), [["peak memory of a warm run", f"{peak:.0f}", goal(peak, 60)]]))
        print(costs(Rounds({**slow.runs, **small.runs, **warm.runs}), [*ours, "naive", "quantstats", *small.runs]))
        print(breakdown(folder, env, rounds))


if __name__ == "__main__":
    main()
