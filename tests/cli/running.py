"""The command line in processes of its own, and requests that fail in known ways."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

TWINS = ("compare", "demo:TWIN1", "demo:TWIN2")
DAY = ("--as-of", "2026-06-30")
PROGRAM = (sys.executable, "-m", "pairwatch")


def program(*args, **more):
    """The command line in a process of its own."""
    more = {"stdin": subprocess.DEVNULL, "capture_output": True, "timeout": 60, **more}
    return subprocess.run([*PROGRAM, *map(str, args)], check=False, **more)


def two_lines(err):
    """An error as it should be: what was found, and what to type."""
    lines = err.splitlines()
    assert len(lines) == 2, err
    assert re.match(r"error: \S", lines[0])
    assert not lines[0].endswith(".")
    assert re.match(r"hint: \S", lines[1])
    return lines


def on_terminal(*args, columns=80, **environ):
    """What a terminal of so many columns gets on standard output."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    with subprocess.Popen(
        [*PROGRAM, *args], stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL, env={**os.environ, **environ}
    ) as process:
        os.close(theirs)
        shown = b""
        try:
            while more := os.read(ours, 65536):
                shown += more
        except OSError:
            pass  # the other end is closed
        os.close(ours)
    assert process.returncode == 0
    return shown.decode().replace("\r\n", "\n")


USAGE = {
    "an unknown command": ("compre", "A", "B"),
    "no leg": ("compare",),
    "one leg": ("compare", "QQQ"),
    "three legs": ("compare", "QQQ", "IWM", "SPY"),
    "an unknown option": (*TWINS, "--colour"),
    "an option without its value": (*TWINS, "--window"),
    "the same leg twice": ("compare", "demo:TWIN1", "demo:TWIN1"),
    "the same leg in two spellings": ("compare", "yahoo:qqq", "QQQ"),
    "no such source": ("compare", "nowhere:QQQ", "demo:TWIN1"),
    "an empty leg": ("compare", "", "demo:TWIN1"),
    "a leg with a path": ("compare", "../../x", "demo:TWIN1"),
    "a window of nonsense": (*TWINS, "--window", "soon"),
    "a window of nothing": (*TWINS, "--window", "0d"),
    "a day of nonsense": (*TWINS, "--as-of", "yesterday"),
    "a lag of nothing": (*TWINS, "--max-lag", "0"),
    "a lag beyond all windows": (*TWINS, "--max-lag", "1001"),
    "a negative seed": (*TWINS, "--seed", "-1"),
    "an unknown adjustment": (*TWINS, "--adjust", "none"),
    "an unknown format": (*TWINS, "--format", "xml"),
    "csv and json": (*TWINS, "--csv", "--json"),
    "csv and a format": (*TWINS, "--csv", "--format", "table"),
    "json and a format": (*TWINS, "--json", "-f", "csv"),
    "a deadline of nonsense": (*TWINS, "--deadline", "soon"),
    "no time at all": (*TWINS, "--deadline", "0"),
    "more time than there is": (*TWINS, "--deadline", "9999999d"),
    "an output in no folder": (*TWINS, "-o", "nowhere/all.csv"),
    "an output that is a folder": (*TWINS, "-o", "."),
    "a statistic that is none": ("explain", "nonsense"),
    "a leg to clear that is none": ("cache", "clear", "a/b"),
}


SOURCES = {
    "an unknown demo leg": ("compare", "demo:NOPE", "demo:TWIN1"),
    "a file that is not there": ("compare", "csv:/nowhere.csv", "demo:TWIN1"),
    "a leg not cached, offline": ("compare", "QQQ", "IWM", "--offline"),
}


SHORT = {
    "a day before the data": (*TWINS, "--as-of", "2010-01-01"),
    "a day soon after their start": (*TWINS, "--as-of", "2016-01-15"),
    "a window of a few bars": (*TWINS, "-w", "5b"),
    "a window of a few days": (*TWINS, "-w", "3d"),
}
