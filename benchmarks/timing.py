"""Whole processes, run in turns: wall clock, processor time, peak memory, and ratios of neighbours in time.

A single figure moves by 15 % on a shared machine; the ratio of two runs that follow each other moves far less. So
every round runs all commands once, in an order that turns around, and a ratio is the median of the rounds' ratios,
with its quartiles.

Each process gets a small environment of its own: an empty home, one BLAS thread for all sides, and no
PYTHONDONTWRITEBYTECODE (without compiled bytecode every import takes two to four times as long, which no user sees).
Keep the process that measures small: Linux counts its memory as the child's until the child has started.
"""

import fcntl
import os
import pty
import statistics
import struct
import subprocess
import sys
import sysconfig
import tempfile
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HERE = ROOT / "benchmarks"
PYTHON = sys.executable
PAIRWATCH = str(Path(sys.executable).with_name("pairwatch"))
# ru_maxrss counts kibibytes on Linux and bytes on macOS.
MIB = 2**20 if sys.platform == "darwin" else 2**10
BUSY = 0.25
TERMINAL = (40, 120)

Command = Sequence[str]


@dataclass(frozen=True, slots=True)
class Run:
    """What one process cost: milliseconds, milliseconds and MiB."""

    wall: float
    cpu: float
    peak: float


@dataclass(frozen=True, slots=True)
class Ratio:
    """The median of the rounds' ratios, and its quartiles."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f} [{self.low:.2f}, {self.high:.2f}]"

    @property
    def inverse(self) -> "Ratio":
        """The same, the other way round."""
        return Ratio(1 / self.median, 1 / self.high, 1 / self.low)


@dataclass(frozen=True, slots=True)
class Rounds:
    """All runs by command, a round a position."""

    runs: Mapping[str, list[Run]]

    def median(self, name: str, what: str = "wall") -> float:
        """The median of a command's `wall`, `cpu` or `peak`."""
        return statistics.median(getattr(run, what) for run in self.runs[name])

    def ratio(self, name: str, rival: str, what: str = "wall") -> Ratio:
        """`name` over `rival`, round by round."""
        pairs = zip(self.runs[name], self.runs[rival], strict=True)
        return spread([getattr(ours, what) / getattr(theirs, what) for ours, theirs in pairs])


def spread(values: Sequence[float]) -> Ratio:
    """Median and quartiles."""
    if len(values) < 2:
        return Ratio(values[0], values[0], values[0])
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return Ratio(middle, low, high)


def environment(home: Path) -> dict[str, str]:
    """All that a measured process sees of this one: the path, and a home of its own."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_DATA_HOME": str(home / "data"),
        "OPENBLAS_NUM_THREADS": "1",
        "MPLBACKEND": "agg",
    }


@contextmanager
def isolated() -> Iterator[tuple[Path, dict[str, str]]]:
    """A temporary home with its environment; bytecode is compiled, and a busy machine is named."""
    compile_bytecode()
    warn_if_busy()
    with tempfile.TemporaryDirectory(prefix="pairwatch-bench-") as folder:
        yield Path(folder), environment(Path(folder))


def compile_bytecode() -> None:
    """Compile our sources, the rivals' and every installed package, where that has not been done."""
    say("compiling bytecode")
    folders = [str(ROOT / "src"), str(HERE), sysconfig.get_path("purelib")]
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    # In a process of its own, which may grow; a few installed files are templates and do not compile.
    subprocess.run([PYTHON, "-m", "compileall", "-qq", *folders], env=env, check=False)


def warn_if_busy() -> None:
    """Say so on stderr when other processes keep the cores busy; the run goes on."""
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    if load > BUSY * cores:
        say(f"WARNING: load {load:.2f} on {cores} cores: times are too high now, and ratios less sure; run again later")


def run(command: Command, env: Mapping[str, str], *, terminal: bool = False) -> Run:
    """Run a command to its end, its output read and thrown away; raise if it fails."""
    start = time.perf_counter()
    usage = _on_terminal(command, env) if terminal else _on_pipe(command, env)
    wall = time.perf_counter() - start
    return Run(1e3 * wall, 1e3 * (usage.ru_utime + usage.ru_stime), usage.ru_maxrss / MIB)


def _on_pipe(command: Command, env: Mapping[str, str]) -> "os.struct_rusage":  # type: ignore[name-defined]
    process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    assert process.stdout
    with process.stdout as stdout:
        stdout.read()
    return _ended(process)


def _on_terminal(command: Command, env: Mapping[str, str]) -> "os.struct_rusage":  # type: ignore[name-defined]
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *TERMINAL, 0, 0))
    process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=slave, stderr=slave)
    os.close(slave)
    try:
        while os.read(master, 65_536):
            pass
    except OSError:  # how Linux says that the other end was closed
        pass
    finally:
        os.close(master)
    return _ended(process)


def _ended(process: "subprocess.Popen[bytes]") -> "os.struct_rusage":  # type: ignore[name-defined]
    """Wait for a process, and return what it used."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return usage


def in_turns(
    commands: Mapping[str, Command], env: Mapping[str, str], rounds: int, terminals: Sequence[str] = ()
) -> Rounds:
    """Each command once a round, the order turned around every other round; one round before that goes uncounted."""
    names = list(commands)
    runs: dict[str, list[Run]] = {name: [] for name in names}
    for number in range(rounds + 1):
        say(f"round {number} of {rounds}: {', '.join(names)}")
        for name in names if number % 2 else reversed(names):
            found = run(commands[name], env, terminal=name in terminals)
            if number:
                runs[name].append(found)
    return Rounds(runs)


def functions_in_turns(functions: Mapping[str, Callable[[], object]], rounds: int) -> Rounds:
    """The same within this process, for functions; no memory."""
    runs: dict[str, list[Run]] = {name: [] for name in functions}
    for number in range(rounds + 1):
        for name in functions if number % 2 else reversed(list(functions)):
            wall, cpu = time.perf_counter(), time.process_time()
            functions[name]()
            took = Run(1e3 * (time.perf_counter() - wall), 1e3 * (time.process_time() - cpu), 0.0)
            if number:
                runs[name].append(took)
    return Rounds(runs)


def say(text: str) -> None:
    """Progress, on stderr."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, all columns but the first to the right, ending in an empty line."""
    rule = ["---", *["---:"] * (len(header) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in (header, rule, *rows)) + "\n"


def goal(ratio: float, limit: float, *, at_least: bool = False) -> str:
    """How a figure stands to its goal."""
    met = ratio >= limit if at_least else ratio <= limit
    return f"{'at least' if at_least else 'at most'} {limit:g}: {'met' if met else 'MISSED'}"
