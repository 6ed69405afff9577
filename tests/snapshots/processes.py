"""Python in processes of their own, and disks that do not take everything."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATHS = {"PYTHONPATH": f"{ROOT}:{ROOT / 'src'}", "PYTHONDONTWRITEBYTECODE": "1"}


def process(code, *args, user=None, **more):
    """Run `code`, as another user if one is given."""
    command = [sys.executable, "-c", code, *map(str, args)]
    if user is not None:
        command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *command]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
    return subprocess.Popen(command, env={**os.environ, **PATHS}, text=True, cwd="/", **pipes)


def read_only(disk):
    """Let nobody write to a mounted disk, not even root."""
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
