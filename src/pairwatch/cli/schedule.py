"""`pairwatch schedule`."""

import os
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pairwatch import writing
from pairwatch.cli import options, results, words, world
from pairwatch.cli.groups import plain
from pairwatch.errors import UsageError
from pairwatch.text import clean, listing

if TYPE_CHECKING:
    from datetime import date, timedelta
    from zoneinfo import ZoneInfo

    from pairwatch.schedule import Commands, Kind, Plan

LOCALTIME = Path("/etc/localtime")
TIMEZONE = Path("/etc/timezone")
# What makes a command do its work once for a session, however often it runs.
ONCE = {"snapshot", "--send"}
# What a run that nobody typed has from nobody's shell.
SHELL_ONLY = ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")

# A text in quotes, or a character by a backslash.
_QUOTED = re.compile(r"""'[^']*'|"(?:\\.|[^"\\])*"|\\.""", re.DOTALL)
_OPERATOR = re.compile(r"&&|\|\||[;&|<>]")

app = plain()


@app.command()
def schedule(
    cron: Annotated[bool, typer.Option("--cron", help="Crontab lines, in this machine's time.")] = False,
    systemd: Annotated[bool, typer.Option("--systemd", help="A systemd timer and its service.")] = False,
    delay: Annotated[str, typer.Option(metavar="40m", help="How long after the close, from 30m on.")] = "40m",
    command: Annotated[
        list[str] | None,
        options.option("--command", metavar="snapshot", help="What to run; repeated, one after another."),
    ] = None,
    install: Annotated[bool, typer.Option("--install", help="Show it, and set it up.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Install it also where other commands are.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Take out what --install has set up.")] = False,
    quiet: options.Quiet = None,
) -> None:
    """Run snapshots after each close: print what cron or systemd needs, or set it up.

    Examples:  pairwatch schedule  |  pairwatch schedule --systemd --install  |  pairwatch schedule --remove
    """
    if cron and systemd:
        raise UsageError("both --cron and --systemd were asked for", "give one of them, or none to have it chosen")
    if install and remove:
        raise UsageError("--install sets up what --remove takes out", "give one of them")
    if replace and not install:
        raise UsageError("--replace says how to install", "pairwatch schedule --install --replace")
    from pairwatch.schedule import run, usual_kind

    typed: Kind | None = "cron" if cron else "systemd" if systemd else None
    if remove:
        _remove(typed)
        return
    settings = world.settings({"quiet": quiet})
    later, lines = _delay(delay), [_command(text) for text in command or ["snapshot"]]
    kind = typed or usual_kind(run)
    today = _today()
    plan = _plan(settings, today)
    words.note(*plan.notes, *_unseen(), quiet=settings["quiet"])
    if kind == "cron":
        _cron(plan, later, lines, today, install=install, replace=replace, quiet=settings["quiet"])
    else:
        _systemd(plan, later, lines, install=install, replace=replace, quiet=settings["quiet"])


def _cron(
    plan: "Plan",
    delay: "timedelta",
    commands: "Commands",
    today: "date",
    *,
    install: bool,
    replace: bool,
    quiet: bool,
) -> None:
    from pairwatch.schedule import cron_block, install_cron, run

    zone, notes = local_zone()
    if not all(ONCE & set(command) for command in commands) and any(
        close.timezone != zone.key for close in plan.closes
    ):
        notes.append(
            "these lines may run twice a day, which only `snapshot` and `--send` take for once; --systemd does not"
        )
    words.note(*notes, quiet=quiet)
    block = cron_block(plan, zone, delay, today, commands)
    writing.to_stdout(block)
    if install:
        install_cron(block, run, replace=replace)
        words.say("installed in your crontab; `pairwatch schedule --remove` takes it out")


def _systemd(
    plan: "Plan", delay: "timedelta", commands: "Commands", *, install: bool, replace: bool, quiet: bool
) -> None:
    from pairwatch.schedule import install_units, run, units

    folder, texts = _units_folder(), units(plan, delay, commands)
    writing.to_stdout("\n".join(f"# {results.shown(folder / name)}\n{text}" for name, text in texts.items()))
    if install:
        install_units(folder, texts, run, replace=replace)
        words.say(f"installed in {clean(folder, 200)}; `pairwatch schedule --remove` takes it out")
        words.note("it runs while you are logged in; `loginctl enable-linger` makes that always", quiet=quiet)


def _remove(kind: "Kind | None") -> None:
    """Take out what is there: of both kinds, where none is asked for and the machine has both."""
    from pairwatch.schedule import remove_cron, remove_units, run

    gone = []
    if kind == "systemd" or (kind is None and shutil.which("systemctl")):
        gone += ["the systemd timer"] * remove_units(_units_folder(), run)
    if kind == "cron" or (kind is None and shutil.which("crontab")):
        gone += ["the crontab's lines"] * remove_cron(run)
    words.say(f"removed {' and '.join(gone)}" if gone else "nothing was installed")


def _plan(settings: dict[str, Any], today: "date") -> "Plan":
    """After which closes: those of the watch list's legs, as the price cache knows them."""
    from pairwatch.schedule import plan

    pairs, cache = world.watch_list(settings), world.cache(settings)
    found = plan([leg for pair in pairs for leg in pair], cache.get, today)
    empty = [] if pairs else ["the watch list is empty: pairwatch watchlist add A B"]
    return found._replace(notes=(*empty, *world.trouble(cache), *found.notes))


def _today() -> "date":
    from datetime import UTC, datetime

    return datetime.now(UTC).date()


def _delay(text: str) -> "timedelta":
    from pairwatch import config
    from pairwatch.schedule import checked_delay

    try:
        seconds = config.duration(text)
    except ValueError as error:
        raise UsageError(f"not a delay: {clean(text)!r}", f"{clean(error)}, such as --delay 40m") from None
    return checked_delay(seconds)


def _command(text: str) -> list[str]:
    """The program's absolute path, and what it is told.

    Raises:
        UsageError: it is none of pairwatch's commands, or more than one.
    """
    import shlex

    from pairwatch.cli import Commands

    try:
        told = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"--command {clean(text)!r} cannot be read ({clean(error)})", "close its quotes") from None
    operator = _OPERATOR.search(_QUOTED.sub("", text))
    if operator:
        raise UsageError(
            f"--command {clean(text)!r} has {operator[0]!r} in it, and no shell reads it",
            "for several commands repeat --command: they run one after another; quote what is text",
        )
    if not told or told[0] not in Commands.table:
        raise UsageError(
            f"--command {clean(text)!r} names no command of pairwatch", f"one of {', '.join(Commands.table)}"
        )
    return [*_program(), *told]


def _program() -> list[str]:
    """How this program is called from anywhere: links are left alone, for an upgrade moves what they lead to."""
    typed = sys.argv[0]
    found = shutil.which(typed) if os.path.basename(typed) != "__main__.py" else None  # noqa: PTH119 - as typed
    # -P: not with the modules of whatever folder it is started in.
    return [os.path.abspath(found)] if found else [sys.executable, "-P", "-m", "pairwatch"]  # noqa: PTH100 - no links


def _units_folder() -> Path:
    given = os.environ.get("XDG_CONFIG_HOME", "")
    base = Path(given) if os.path.isabs(given) else Path.home() / ".config"  # noqa: PTH117 - may be empty
    return base / "systemd" / "user"


def _unseen() -> list[str]:
    """What this shell sets, and no scheduled run will find."""
    names = sorted(name for name in os.environ if name.startswith("PAIRWATCH_") or name in SHELL_ONLY)
    if not names:
        return []
    return [f"a scheduled run does not see {clean(listing(names, 9))}; the configuration file holds settings for both"]


# ---------------------------------------------------------------- the machine's time zone


def local_zone() -> "tuple[ZoneInfo, list[str]]":
    """The time zone in which cron reads its lines, as well as that can be known, and what is to be said of it."""
    from zoneinfo import ZoneInfo

    own, machine = _own_zone(), _machine_zone()
    zone = own or machine
    if zone is None:
        return ZoneInfo("UTC"), ["this machine's time zone is not known: UTC is taken; TZ=Europe/Berlin tells it"]
    if own and machine and own.key != machine.key:
        return own, [f"TZ says {own.key}, and this machine is in {machine.key}: cron may go by that"]
    if own is None and os.environ.get("TZ"):
        return zone, [f"TZ={clean(os.environ['TZ'])} names no place: {zone.key} is taken"]
    return zone, []


def _own_zone() -> "ZoneInfo | None":
    """That of the variable TZ, `:Europe/Berlin` and a path among the zones included."""
    text = os.environ.get("TZ", "").removeprefix(":")
    return _zone(text.partition("zoneinfo/")[2] or text)


def _machine_zone() -> "ZoneInfo | None":
    """Where /etc/localtime leads, else what /etc/timezone says, else what /etc/localtime holds."""
    from zoneinfo import ZoneInfo

    try:
        written = TIMEZONE.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        written = ""
    led = _zone(os.path.realpath(LOCALTIME).partition("zoneinfo/")[2]) or _zone(written)
    if led:
        return led
    try:
        with LOCALTIME.open("rb") as stream:
            return ZoneInfo.from_file(stream, key=str(LOCALTIME))
    except (OSError, ValueError):
        return None


def _zone(name: str) -> "ZoneInfo | None":
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder of zones
        return None
