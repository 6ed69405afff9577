"""What a pair does over its whole history: how long each of its commands takes, and the kernels below them.

First each command on a cached pair of 26 years as whole processes, from a full cache and without network, beside its
floor: a process that imports what the command has imported of other people's, in the same order, and does nothing. It
is timed twice, as `python` ends, against which the goal is set, and with `os._exit`, as pairwatch ends. What a command
loads of heavy libraries, which raises its floor, is named. The prices are simulated, those of the shipped catalogue's
instruments too, so that `related` finds what it looks for. Then the lead on a million one-minute bars: the study alone,
in a process of its own, how long beyond its imports; and the whole command on two CSV files of them, beside a process
in which pandas reads both files and does nothing with them; peak memory of either. Last, in a process of their own, the
kernels against pandas and statsmodels (`over_time_kernels.py`). The exit code is 1 where a goal is missed.

`python benchmarks/over_time.py [--rounds 7] [--only commands|minutes|kernels]`
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from timing import HERE, PAIRWATCH, PYTHON, Command, goal, in_turns, isolated, run, say, spread, table

# Imports neither pairwatch nor numpy: what this process takes would be counted as its children's.
COMMANDS = ("lead", "correlation", "spread", "hedge", "analogs", "related", "why")
PAIR, LAST = ("QQQ", "IWM"), "2026-10-30"
DATA = (PYTHON, str(HERE / "over_time_data.py"))
BARS = 1_000_000
# Goals: times the floor; seconds beyond imports, seconds of the whole command, and MiB for a million bars.
HEAVY = ("scipy", "pandas", "requests", "yfinance", "tomlkit", "exchange_calendars", "numpy.random", "numpy.ma")
FLOORS, SECONDS, WHOLE, MEMORY = 2.0, 2.0, 3.0, 1024.0

LISTED = """
import json, sys
sys.argv = ["pairwatch", *json.loads(sys.argv[1])]
from pairwatch import cli
code = cli._run()
sys.stdout.flush()
names = [name for name in sys.modules if name.split(".")[0] not in ("pairwatch", "__main__")]
sys.stderr.write("\\n" + json.dumps([code, names]))
"""
FLOOR = """
import json, sys
from importlib import import_module
for name in json.load(open(sys.argv[1])):
    try:
        import_module(name)
    except ImportError:
        pass
"""
AT_ONCE = "import os; os._exit(0)\n"


def asked(name: str) -> list[str]:
    """The arguments of a command."""
    return [name, *PAIR, "--offline", "--quiet", "--as-of", LAST, "--format", "table"]


def imported(name: str, env: Mapping[str, str]) -> list[str] | None:
    """The modules that a command imports, pairwatch's own left out; None if it fails."""
    done = subprocess.run(
        [PYTHON, "-c", LISTED, json.dumps(asked(name))], env=env, check=False, capture_output=True, text=True
    )
    *words, last = done.stderr.splitlines()
    code, names = json.loads(last) if last.startswith("[") else (done.returncode, [])
    if code:
        say(f"{name} ended with {code}: {' '.join(words[-2:])}")
        return None
    return list(names)


def in_commands(home: Path, env: Mapping[str, str], rounds: int) -> bool:
    """Print what each command takes, over its floor; whether all goals are met."""
    rows, met = [], True
    for name in COMMANDS:
        names = imported(name, env)
        if names is None:
            rows.append([name, *7 * [""], "FAILED"])
            met = False
            continue
        listed = home / f"{name}.json"
        listed.write_text(json.dumps(names))
        commands: dict[str, Command] = {
            "ours": [PAIRWATCH, *asked(name)],
            "floor": [PYTHON, "-c", FLOOR, str(listed)],
            "at once": [PYTHON, "-c", FLOOR + AT_ONCE, str(listed)],
        }
        took = in_turns(commands, env, rounds)
        ratio = took.ratio("ours", "floor")
        met &= ratio.median <= FLOORS
        times = [f"{took.median(which):.0f}" for which in ("ours", "floor")]
        peak = f"{took.median('ours', 'peak'):.0f}"
        ratios = [str(ratio), str(took.ratio("ours", "floor", "cpu")), str(took.ratio("ours", "at once"))]
        loads = ", ".join(heavy for heavy in HEAVY if heavy in names)
        rows.append([name, *times, *ratios, peak, loads, goal(ratio.median, FLOORS)])
    head = ("", "ms", "floor, ms", "over the floor", "of CPU", "over it, os._exit", "peak, MiB", "loads", "goal")
    print("#### Commands on 26 years, from the cache\n")
    print(table(head, rows), flush=True)
    return met


def on_minutes(env: Mapping[str, str], rounds: int) -> bool:
    """Print what a million one-minute bars take; whether the goals are met."""
    script = [*DATA, "minutes"]
    above, worked, peaks = [], [], []
    for number in range(rounds + 1):
        say(f"round {number} of {rounds}: {BARS:,} bars")
        floor, whole = (run([*script, what, str(BARS)], env) for what in ("imports", "study"))
        nothing = run([*script, "draw", str(BARS)], env)
        if number:
            above.append((whole.wall - nothing.wall) / 1e3)
            worked.append((whole.cpu - nothing.cpu) / 1e3)
            peaks.append(whole.peak)
            say(f"{whole.wall:.0f} ms, {nothing.wall:.0f} to draw, {floor.wall:.0f} to import")
    took, peak = spread(above), max(peaks)
    print(f"#### The lead on {BARS:,} one-minute bars, lags +-20\n")
    rows = [
        ["seconds beyond imports and drawing", str(took), goal(took.median, SECONDS)],
        ["seconds of processor", str(spread(worked)), ""],
        ["peak memory, MiB", f"{peak:.0f}", goal(peak, MEMORY)],
    ]
    print(table(("the study alone", "", "goal"), rows), flush=True)
    return took.median <= SECONDS and peak <= MEMORY


def on_files(home: Path, env: Mapping[str, str], rounds: int) -> bool:
    """Print what the whole command takes on two files of a million bars; whether the goals are met."""
    subprocess.run([*DATA, "files", str(home), str(BARS)], check=True)
    legs = [f"csv:{home}/{name}.csv" for name in ("AAA", "BBB")]
    commands: dict[str, Command] = {
        "ours": [PAIRWATCH, "lead", *legs, "--interval", "1m", "--max-lag", "20", "--quiet", "--format", "table"],
        "pandas": [*DATA, "pandas", str(home)],
    }
    took = in_turns(commands, env, rounds)
    whole, peak = took.median("ours") / 1e3, max(one.peak for one in took.runs["ours"])
    wall, cpu = ([f"{took.median(name, what) / 1e3:.1f}" for name in commands] for what in ("wall", "cpu"))
    rows = [
        ["seconds", *wall, str(took.ratio("ours", "pandas")), goal(whole, WHOLE)],
        ["seconds of processor", *cpu, str(took.ratio("ours", "pandas", "cpu")), ""],
        ["peak memory, MiB", f"{peak:.0f}", f"{took.median('pandas', 'peak'):.0f}", "", goal(peak, MEMORY)],
    ]
    print("\n" + table(("two files", "lead", "pandas reads both", "ratio", "goal"), rows), flush=True)
    return whole <= WHOLE and peak <= MEMORY


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", choices=("commands", "minutes", "kernels"))
    typed = parser.parse_args()
    parts = (typed.only,) if typed.only else ("commands", "minutes", "kernels")
    met = []
    print("### Over time\n", flush=True)
    with isolated() as (home, env):
        if "commands" in parts:
            subprocess.run([*DATA, "universe", str(home / "cache" / "pairwatch")], check=True)
            met.append(in_commands(home, env, typed.rounds))
        if "minutes" in parts:
            met.append(on_minutes(env, max(1, typed.rounds // 2)))
            met.append(on_files(home, env, max(1, typed.rounds // 2)))
        if "kernels" in parts:
            kernels = [PYTHON, str(HERE / "over_time_kernels.py"), "--rounds", str(typed.rounds)]
            met.append(subprocess.run(kernels, env=env, check=False).returncode == 0)
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
