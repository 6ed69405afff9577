"""A systemd timer and its service for a schedule; systemd knows every exchange's time zone."""

import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from pairwatch.errors import UsageError
from pairwatch.schedule.closes import Close, Plan, minutes_of, runs_of
from pairwatch.schedule.programs import Commands, Run, done, not_others, one_line
from pairwatch.text import clean

TIMER, SERVICE = "pairwatch.timer", "pairwatch.service"
OURS = "# written by `pairwatch schedule --install`; your own changes: systemctl --user edit"

_EXEC = "ExecStart="
_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def calendar(close: Close, delay: timedelta) -> str:
    """The systemd.time(7) expression for `delay` after `close`."""
    late, minutes = divmod(close.minutes + delay // timedelta(minutes=1), 24 * 60)
    weekdays = sorted((day + late) % 7 for day in close.weekdays)
    days = ",".join(_NAMES[a] if a == b else f"{_NAMES[a]}..{_NAMES[b]}" for a, b in runs_of(weekdays))
    return f"{'*-*-*' if len(weekdays) == 7 else days} {minutes // 60:02}:{minutes % 60:02} {close.timezone}"


def units(plan: Plan, delay: timedelta, commands: Commands) -> dict[str, str]:
    """The timer's and the service's text by file name.

    Raises:
        UsageError: one of `commands` cannot stand on one line.
    """
    calendars = [f"OnCalendar={calendar(close, delay)}" for close in plan.closes]
    timer = (
        f"{OURS} {TIMER}",
        "[Unit]",
        f"Description=pairwatch, {minutes_of(delay)} after the close",
        "",
        "[Timer]",
        *calendars,
        "# A machine that slept through it runs when it wakes.",
        "Persistent=true",
        "RandomizedDelaySec=60",
        "",
        "[Install]",
        "WantedBy=timers.target",
    )
    service = (
        f"{OURS} {SERVICE}",
        "[Unit]",
        "Description=pairwatch",
        "",
        "[Service]",
        "Type=oneshot",
        f"{_EXEC}{_exec(commands[0] if len(commands) == 1 else _in_turn(commands))}",
        "# A watched condition that holds is an answer, no failure.",
        "SuccessExitStatus=5",
    )
    return {TIMER: "\n".join(timer) + "\n", SERVICE: "\n".join(service) + "\n"}


def install_units(folder: Path, texts: Mapping[str, str], run: Run, *, replace: bool = False) -> None:
    """Write the units into `folder`, and start the timer; in the place of other commands only with `replace`.

    Raises:
        UsageError: there is no systemd for users, it refuses, the folder cannot be written, or holds units of that
            name that are not ours or run other commands; everything is as it was.
    """
    old = {folder / name: _content(folder / name) for name in texts}
    for file, content in old.items():
        if content is not None and not content.startswith(OURS.encode()):
            raise UsageError(f"{clean(file, 200)} was not written by pairwatch", "move it away, or use --cron")
    if not replace:
        not_others(_commands((old.get(folder / SERVICE) or b"").decode(errors="replace")), _commands(texts[SERVICE]))
    try:
        _written({folder / name: text.encode() for name, text in texts.items()})
        _systemctl(run, "daemon-reload")
        _systemctl(run, "enable", "--now", TIMER)
    except BaseException:
        if old.get(folder / TIMER) is None:
            run(("systemctl", "--user", "disable", "--now", TIMER), b"")
        with suppress(UsageError):
            _written(old)
            _systemctl(run, "daemon-reload")
        raise


def remove_units(folder: Path, run: Run) -> bool:
    """Stop the timer, and delete our units from `folder`; tells whether there were any.

    Raises:
        UsageError: systemd refuses, or a file cannot be deleted.
    """
    ours = [file for file in (folder / TIMER, folder / SERVICE) if (_content(file) or b"").startswith(OURS.encode())]
    if not ours:
        return False
    if folder / TIMER in ours:
        _systemctl(run, "disable", "--now", TIMER)
    _written(dict.fromkeys(ours))
    _systemctl(run, "daemon-reload")
    return True


def _commands(service: str) -> list[str]:
    return [line.removeprefix(_EXEC) for line in service.splitlines() if line.startswith(_EXEC)]


def _in_turn(commands: Commands) -> Sequence[str]:
    """One command that runs them all, and ends as the last of them that failed.

    Of several ExecStart= systemd stops at the first that fails, or hears of no failure at all.
    """
    # 5: as in SuccessExitStatus, so that an answer does not hide a failure.
    each = 'r=0; f() { "$@" || { c=$?; [ $c -eq 5 ] || r=$c; }; }'
    return "/bin/sh", "-c", "; ".join([each, *(f"f {shlex.join(one_line(words))}" for words in commands), "exit $r"])


def _exec(command: Sequence[str]) -> str:
    """An ExecStart= value: each word quoted; `%` and `$` as themselves."""
    program, *words = (
        '"' + word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%") + '"' for word in one_line(command)
    )
    # No variable is looked for in the program's own path, so that no dollar is to be doubled there.
    return " ".join([program, *(word.replace("$", "$$") for word in words)])


def _systemctl(run: Run, *words: str) -> None:
    done(run(("systemctl", "--user", *words), b""), f"systemctl --user {words[0]}")


def _content(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unwritable(file, error) from None


def _written(files: Mapping[Path, bytes | None]) -> None:
    """Give each file its content, whole or not at all; None is no file."""
    for file, content in files.items():
        try:
            if content is None:
                file.unlink(missing_ok=True)
            else:
                file.parent.mkdir(parents=True, exist_ok=True)
                fresh = file.with_name(f".{file.name}.new")
                try:
                    fresh.write_bytes(content)
                    fresh.replace(file)
                finally:
                    fresh.unlink(missing_ok=True)
        except OSError as error:
            raise _unwritable(file, error) from None


def _unwritable(file: Path, error: OSError) -> UsageError:
    why = clean(error.strerror or error)
    return UsageError(f"{clean(file, 200)} cannot be read or written ({why})", "check the folder, or use --cron")
