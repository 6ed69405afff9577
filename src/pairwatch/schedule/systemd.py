"""A systemd timer and its service for a schedule; systemd knows every exchange's time zone."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from pairwatch.errors import UsageError
from pairwatch.schedule.closes import Close, Plan, minutes_of, runs_of
from pairwatch.schedule.programs import Run, done, one_line
from pairwatch.text import clean

TIMER, SERVICE = "pairwatch.timer", "pairwatch.service"
OURS = "# written by `pairwatch schedule --install`; your own changes: systemctl --user edit"

_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def calendar(close: Close, delay: timedelta) -> str:
    """The systemd.time(7) expression for `delay` after `close`."""
    late, minutes = divmod(close.minutes + delay // timedelta(minutes=1), 24 * 60)
    weekdays = sorted((day + late) % 7 for day in close.weekdays)
    days = ",".join(_NAMES[a] if a == b else f"{_NAMES[a]}..{_NAMES[b]}" for a, b in runs_of(weekdays))
    return f"{'*-*-*' if len(weekdays) == 7 else days} {minutes // 60:02}:{minutes % 60:02} {close.timezone}"


def units(plan: Plan, delay: timedelta, command: Sequence[str]) -> dict[str, str]:
    """The timer's and the service's text by file name.

    Raises:
        UsageError: `command` cannot stand on one line.
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
        f"ExecStart={_exec(command)}",
        "# A watched condition that holds is an answer, no failure.",
        "SuccessExitStatus=5",
    )
    return {TIMER: "\n".join(timer) + "\n", SERVICE: "\n".join(service) + "\n"}


def install_units(folder: Path, texts: Mapping[str, str], run: Run) -> None:
    """Write the units into `folder`, and start the timer.

    Raises:
        UsageError: there is no systemd for users, it refuses, the folder cannot be written, or holds units of that
            name that are not ours; everything is as it was.
    """
    old = {folder / name: _content(folder / name) for name in texts}
    for file, content in old.items():
        if content is not None and not content.startswith(OURS.encode()):
            raise UsageError(f"{clean(file, 200)} was not written by pairwatch", "move it away, or use --cron")
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
