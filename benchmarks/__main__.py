"""All benchmarks, or those named: `python benchmarks [compare] [cache] [snapshots] [fetch] [lead_test] ...`.

Markdown tables on stdout, progress on stderr. Each script runs in a process of its own, and alone as well. The exit
code is that of the first that failed.
"""

import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version

from timing import HERE, PYTHON, say

SCRIPTS = (
    "compare",
    "cache",
    "over_time",
    "snapshots",
    "fetch",
    "lead_test",
    "calibration",
)  # the one that loads the machine comes last
PACKAGES = ("numpy", "typer", "rich", "pandas", "scipy", "yfinance", "quantstats")


def main() -> int:
    chosen = sys.argv[1:] or SCRIPTS
    if unknown := set(chosen) - set(SCRIPTS):
        say(f"error: no benchmark is called {', '.join(sorted(unknown))}\nhint: there are {', '.join(SCRIPTS)}")
        return 2
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    print(
        f"Python {platform.python_version()}, {packages}; {platform.machine()}, {datetime.now(UTC).date()}\n",
        flush=True,
    )
    code = 0
    for name in chosen:
        say(f"--- {name}")
        code = subprocess.run([PYTHON, str(HERE / f"{name}.py")], check=False).returncode or code
    return code


if __name__ == "__main__":
    sys.exit(main())
