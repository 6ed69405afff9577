"""A crontab's lines for a schedule, and the block of the user's crontab that holds them.

Most crons know no time zone but the machine's, and a close wanders against that when either side changes to or from
summer time. So a crontab gets every local time at which the close falls over two years, and leans on a snapshot being
taken once however often it is asked for.
"""

import shlex
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from pairwatch.errors import UsageError
from pairwatch.schedule.closes import Close, Plan, due, minutes_of, runs_of
from pairwatch.schedule.programs import Commands, Run, done, not_others, one_line

BEGIN, END = "# pairwatch: begin", "# pairwatch: end"


def cron_lines(
    closes: Iterable[Close], local_zone: ZoneInfo, delay: timedelta, today: date, commands: Commands
) -> list[str]:
    """The crontab lines that run `commands` at every time of `local_zone` at which a close lies `delay` back.

    Raises:
        UsageError: one of them cannot stand on one line.
    """
    shell = "; ".join(shlex.join(one_line(command)) for command in commands).replace(
        "%", r"\%"
    )  # cron makes line ends of bare ones
    days: defaultdict[tuple[int, int], set[int]] = defaultdict(set)
    for close in closes:
        for instant in due(close, delay, today):
            local = instant.astimezone(local_zone)
            days[local.minute, local.hour].add(local.isoweekday() % 7)
    hours: defaultdict[tuple[int, str], set[int]] = defaultdict(set)
    for (minute, hour), weekdays in days.items():
        hours[minute, _ranged(weekdays, 7)].add(hour)
    return sorted(f"{minute} {_ranged(found, 24)} * * {week} {shell}" for (minute, week), found in hours.items())


def cron_block(plan: Plan, local_zone: ZoneInfo, delay: timedelta, today: date, commands: Commands) -> str:
    """The lines between their markers, with what a reader of the crontab should know."""
    return "\n".join(
        [
            BEGIN,
            f"# {minutes_of(delay)} after the close ({', '.join(map(str, plan.closes))})",
            f"# in the local time of {local_zone.key}, summer times of both sides included;",
            "# where that makes a run too many, a session's snapshot is still taken once.",
            *cron_lines(plan.closes, local_zone, delay, today, commands),
            f"{END}\n",
        ]
    )


def with_block(crontab: bytes, block: str) -> bytes:
    """`crontab` with `block` in the place of the old one, or at its end; nothing else changes.

    Only a missing last line end is added, without which cron takes no crontab.

    Raises:
        UsageError: the markers are damaged, or a CRON_TZ would move the lines.
    """
    before, _, after = _parted(crontab)
    if any(line.split(b"=")[0].strip() == b"CRON_TZ" for line in before.splitlines()):
        raise UsageError(
            "the crontab sets CRON_TZ, which would move these lines to another time zone",
            "crontab -e, and paste what `pairwatch schedule --cron` prints above CRON_TZ",
        )
    gap = b"\n" if before and not before.endswith(b"\n") else b""
    return before + gap + block.encode() + after


def without_block(crontab: bytes) -> bytes:
    """`crontab` without our block; nothing else changes.

    Raises:
        UsageError: the markers are damaged.
    """
    before, _, after = _parted(crontab)
    return before + after


def install_cron(block: str, run: Run, *, replace: bool = False) -> None:
    """Put `block` into the user's crontab; in the place of one that runs other commands only with `replace`.

    Raises:
        UsageError: there is no cron, it refuses, the crontab is damaged, or runs other commands; it is as it was.
    """
    old = _crontab(run)
    new = with_block(old, block)
    if not replace:
        not_others(_commands(_parted(old)[1]), _commands(block.encode()))
    if new != old:
        done(run(("crontab", "-"), new), "crontab -")


def remove_cron(run: Run) -> bool:
    """Take our block out of the user's crontab; tells whether there was one.

    Raises:
        UsageError: as `install_cron`.
    """
    old = _crontab(run)
    new = without_block(old)
    if new == old:
        return False
    if new:
        done(run(("crontab", "-"), new), "crontab -")
    else:  # ours was all there was
        done(run(("crontab", "-r"), b""), "crontab -r")
    return True


def _crontab(run: Run) -> bytes:
    """The user's crontab; empty where there is none."""
    ran = run(("crontab", "-l"), b"")
    said = ran.err.lower()
    # Busybox speaks of the file that it cannot open.
    if ran.code == 1 and not ran.out and (b"no crontab" in said or b"no such file" in said):
        return b""
    crontab = done(ran, "crontab -l")
    # Debian's `crontab -l` spells carriage returns out: written back, they would be two other characters.
    if any(line.endswith(b"\\r") for line in crontab.splitlines()):
        raise UsageError(
            r"the crontab has lines that end in \r, which cannot be read back as they are; nothing was changed",
            "crontab -e, and take these line ends away, or paste what `pairwatch schedule --cron` prints",
        )
    return crontab


def _parted(crontab: bytes) -> tuple[bytes, bytes, bytes]:
    """What stands before our block, the block, and what stands after it."""
    lines = crontab.splitlines(keepends=True)
    begins, ends = ([i for i, line in enumerate(lines) if line.strip() == mark.encode()] for mark in (BEGIN, END))
    if not begins and not ends:
        return crontab, b"", b""
    if len(begins) != 1 or len(ends) != 1 or begins > ends:
        raise UsageError(
            f"the crontab's lines {BEGIN!r} and {END!r} do not pair up; nothing was changed",
            f"crontab -e, and delete what stands between {BEGIN!r} and {END!r}, and both of them",
        )
    first, last = begins[0], ends[0] + 1
    return b"".join(lines[:first]), b"".join(lines[first:last]), b"".join(lines[last:])


def _commands(block: bytes) -> list[str]:
    """What the lines of a block run, each thing once."""
    lines = [line.strip() for line in block.decode(errors="replace").splitlines()]
    timed = [line.split(maxsplit=5) for line in lines if line and not line.startswith("#")]
    return list(dict.fromkeys(words[-1] for words in timed))


def _ranged(numbers: Iterable[int], everything: int) -> str:
    """`1-5`, `0,2-4`, or `*` for all."""
    ordered = sorted(numbers)
    if len(ordered) == everything:
        return "*"
    return ",".join(str(a) if a == b else f"{a},{b}" if b == a + 1 else f"{a}-{b}" for a, b in runs_of(ordered))
