"""Ten years of snapshots of 200 pairs: how large they are, how soon a pair's are read, and what a night costs.

The store is the one that `decade.py` makes up. Reading is `pairwatch history A B correlation --csv`, as a whole
process over one that imports the same and does nothing, beside pandas reading the long rows of that pair alone from a
parquet file and from SQLite. A night is `pairwatch snapshot` over a watch list, from a full cache and without network,
beside scripts that compute the same numbers and append them (`rivals/naive_snapshots.py`). The exit code is 1 where a
goal is missed.

`python benchmarks/snapshots.py [--rounds 7] [--sessions 2520] [--store FOLDER]`; the store takes minutes to build and
more than a gigabyte, and one in FOLDER is used again.
"""

import argparse
import json
import sqlite3
import statistics
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from timing import HERE, PAIRWATCH, PYTHON, Command, Rounds, goal, in_turns, isolated, say, table

# Imports nothing of pairwatch, nor numpy: what this process takes would be counted as its children's. What
# they read is written by `decade.py`, in a process of its own.
DECADE = (PYTHON, str(HERE / "decade.py"))
FILE_NAME = "snapshots.db"
FLOOR = (
    "import typer, tomllib, numpy, sqlite3, platformdirs, pairwatch.cli.history, pairwatch.api, pairwatch.records, "
    "pairwatch.snapshots, pairwatch.render.records; import os; os._exit(0)"
)
RIVAL = (PYTHON, str(HERE / "rivals" / "naive_snapshots.py"))
ALL, SOME = "200 pairs", "50 pairs"
PAIRS, FEW = 200, 50
SESSIONS, BARS = 2_520, 6_700
# Goals: milliseconds of a history above its imports, and MiB of a night that its legs do not explain.
SOON, SPARE = 300, 4
# Bytes of a bar in memory (a day and a close of eight bytes each), and of a dividend as Python keeps it.
BAR, EVENT, QUARTER = 16, 600, 63


# ---------------------------------------------------------------- size


def sizes(file: Path) -> tuple[int, dict[str, int]]:
    """How many pair-days, and the bytes of each table with its indices."""
    with closing(sqlite3.connect(file)) as db:
        days = db.execute("SELECT count(*) FROM batches").fetchone()[0]
        try:
            query = "SELECT t.tbl_name, sum(s.pgsize) FROM dbstat s JOIN sqlite_schema t USING (name) GROUP BY 1"
            return days, dict(db.execute(query).fetchall())
        except sqlite3.OperationalError:  # most builds have no dbstat
            say("this SQLite has no dbstat: the size is not split by table")
            return days, {}


def size_table(file: Path) -> str:
    """The file's size, and where it comes from."""
    days, by_table = sizes(file)
    whole = file.stat().st_size
    rest = [(name, size) for name, size in sorted(by_table.items(), key=lambda one: -one[1]) if size > whole / 1000]
    lines = [
        [name, f"{size / 1e6:,.1f}", f"{size / days:,.0f}"] for name, size in [(f"{days:,} pair-days", whole), *rest]
    ]
    return table(("snapshots.db", "MB", "bytes a pair-day"), lines)


# ---------------------------------------------------------------- time


def reads(store: Path, home: Path) -> dict[str, Command]:
    """One statistic of one pair over all sessions."""
    return {
        "history": ["env", f"PAIRWATCH_DATA_DIR={store}", PAIRWATCH, "history", "L00", "L01", "correlation", "--csv"],
        "floor": [PYTHON, "-c", FLOOR],
        "read_parquet": [*RIVAL, "read_parquet", str(home / "rows.parquet")],
        "read_sql": [*RIVAL, "read_sql", str(home / "rows.db")],
    }


def check_agreement(commands: Mapping[str, Command], env: Mapping[str, str]) -> None:
    """All sides print the same numbers."""
    said = {
        name: subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout.splitlines()[1:]
        for name, command in commands.items()
        if name != "floor"
    }
    numbers = {name: [float(line.rpartition(",")[2]) for line in lines] for name, lines in said.items()}
    for name, found in numbers.items():
        assert found == numbers["history"], name


def nights(home: Path, store: Path) -> dict[str, Command]:
    """A night of each side."""

    def night(folder: Path, listed: str, before: str = "", more: str = "") -> Command:
        line = f'{before} exec "$0" snapshot {more}'
        settings = [f"PAIRWATCH_DATA_DIR={folder}", f"PAIRWATCH_CONFIG={home / listed}"]
        return ["env", *settings, "sh", "-c", line, PAIRWATCH]

    def rival(how: str) -> Command:
        files = [home / "cache" / "pairwatch", home / "all.json", home / f"naive.{how}"]
        return ["sh", "-c", f'rm -f {files[-1]}; exec "$0" "$@"', *RIVAL, how, *map(str, files)]

    afresh = "rm -rf $PAIRWATCH_DATA_DIR;"
    # Another seed each time is another question, of which the store has no snapshot yet.
    new = "--seed $(date +%s | cut -c2-)"
    return {
        ALL: night(home / "night", "all.toml", afresh),
        SOME: night(home / "few", "few.toml", afresh),
        "the same night again": night(home / "night", "all.toml"),
        "onto ten years": night(store, "all.toml", more=new),
        "a line of JSON a pair": rival("jsonl"),
        "DataFrame.to_sql": rival("to_sql"),
    }


def costs(found: Rounds) -> str:
    """What each process costs."""
    rows = [[name, *(f"{found.median(name, what):,.0f}" for what in ("wall", "cpu", "peak"))] for name in found.runs]
    return table(("process", "ms", "CPU, ms", "peak, MiB"), rows)


def ratios(found: Rounds, ours: str) -> str:
    """How many times as long the others take."""
    others = [name for name in found.runs if name != ours]
    rows = [[name, ours, str(found.ratio(name, ours)), str(found.ratio(name, ours, "cpu"))] for name in others]
    return table(("process", "over", "ratio", "ratio of CPU"), rows)


def explained(legs: int) -> float:
    """MiB that so many legs may take."""
    return legs * (BAR * BARS + EVENT * BARS // QUARTER) / 2**20


# ---------------------------------------------------------------- all of it


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--sessions", type=int, default=SESSIONS)
    parser.add_argument("--store", type=Path, help="built there, or used again")
    options = parser.parse_args()
    with isolated() as (home, env):
        folder = options.store or home / "decade"
        if not (folder / FILE_NAME).exists():
            subprocess.run([*DECADE, "build", str(folder), str(options.sessions)], check=True)
        subprocess.run([*DECADE, "prepare", str(folder), str(home)], check=True)
        print(f"### Snapshots: {PAIRS} pairs, {options.sessions:,} sessions\n")
        print(size_table(folder / FILE_NAME), flush=True)
        met = [reading(folder, home, env, options.rounds), a_night(folder, home, env, max(3, options.rounds // 2))]
    return 0 if all(met) else 1


def reading(folder: Path, home: Path, env: Mapping[str, str], rounds: int) -> bool:
    """Print how long one statistic of one pair takes; whether the goal is met."""
    commands = reads(folder, home)
    check_agreement(commands, env)
    found = in_turns(commands, env, rounds)
    above = [a.wall - b.wall for a, b in zip(found.runs["history"], found.runs["floor"], strict=True)]
    took = statistics.median(above)
    print("#### `pairwatch history L00 L01 correlation --csv`\n")
    print(table(("", "ms", "goal"), [["above its imports", f"{took:.0f}", goal(took, SOON)]]))
    print(ratios(found, "history"))
    print(costs(found), flush=True)
    return took <= SOON


def a_night(folder: Path, home: Path, env: Mapping[str, str], rounds: int) -> bool:
    """Print what a night costs; whether the goal is met."""
    found = in_turns(nights(home, folder), env, rounds)
    grown = found.median(ALL, "peak") - found.median(SOME, "peak")
    legs = [
        len({leg for pair in json.loads((home / "all.json").read_text())[:n] for leg in pair}) for n in (PAIRS, FEW)
    ]
    limit = explained(legs[0] - legs[1]) + SPARE
    print("#### `pairwatch snapshot`, from the cache\n")
    what = f"more for {PAIRS} pairs than for {FEW}, of {legs[0] - legs[1]} more legs"
    print(table(("peak memory", "MiB", "goal"), [[what, f"{grown:.1f}", goal(grown, round(limit, 1))]]))
    print(ratios(found, ALL))
    print(costs(found))
    return grown <= limit


if __name__ == "__main__":
    sys.exit(main())
