"""The programs that are told of a schedule: run, and held to their word."""

import subprocess
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from pairwatch.errors import UsageError
from pairwatch.text import clean, is_clean

Kind = Literal["cron", "systemd"]

# What the shell says of a program that is not there, one that may not be run, and one that does not come back.
MISSING, FORBIDDEN, HANGING = 127, 126, 124
PATIENCE = 60.0


class Ran(NamedTuple):
    """How a program ended; `MISSING`, `FORBIDDEN` and `HANGING` are exit codes too."""

    code: int
    out: bytes = b""
    err: bytes = b""


Commands = Sequence[Sequence[str]]
"""What runs one after another, each by its words, the program's path first."""

Run = Callable[[Sequence[str], bytes], Ran]
"""Runs a program (its words, its standard input) and never raises."""


def run(command: Sequence[str], given: bytes) -> Ran:
    """A `Run` by subprocess, without a shell."""
    try:
        ran = subprocess.run(command, input=given, capture_output=True, check=False, timeout=PATIENCE)  # noqa: S603 - ours
    except FileNotFoundError:
        return Ran(MISSING)
    except subprocess.TimeoutExpired:
        return Ran(HANGING, err=b"no answer within a minute")
    except OSError as error:
        return Ran(FORBIDDEN, err=str(error.strerror).encode())
    return Ran(ran.returncode, ran.stdout, ran.stderr)


def usual_kind(run: Run) -> Kind:
    """`systemd` where it runs for this user, else `cron`."""
    state = run(("systemctl", "--user", "is-system-running"), b"").out.strip()
    # The exit code is no help: one failed unit of whoever makes the whole "degraded".
    return "systemd" if state in {b"running", b"degraded", b"starting", b"initializing"} else "cron"


def done(ran: Ran, what: str) -> bytes:
    """What a program answered.

    Raises:
        UsageError: it is missing, or failed.
    """
    if ran.code == 0:
        return ran.out
    program = what.partition(" ")[0]
    other = "--systemd" if program == "crontab" else "--cron"
    if ran.code == MISSING:
        raise UsageError(f"there is no {program} on this machine", f"install it, or use {other}")
    why = clean(ran.err.decode(errors="replace"), 200) or f"exit code {ran.code}"
    raise UsageError(f"`{what}` failed ({why})", f"try it by hand, or use {other}")


def not_others(installed: Sequence[str], new: Sequence[str]) -> None:
    """Let pass what runs what is installed already, or where nothing is.

    Raises:
        UsageError: `installed` (command lines as they stand there) are not the `new` ones.
    """
    if installed and list(installed) != list(new):
        raise UsageError(
            f"other commands are installed: {' | '.join(clean(line, 300) for line in installed)}",
            "--replace puts the new ones in their place; for both, repeat --command: they run one after another",
        )


def one_line(command: Sequence[str]) -> Sequence[str]:
    """`command` as it is.

    Raises:
        UsageError: a word of it has a line end, or something else that a crontab or a unit cannot hold.
    """
    for word in command:
        if not is_clean(word):
            raise UsageError(f"{clean(word)!r} cannot be scheduled: it has characters that no line can hold")
    return command
