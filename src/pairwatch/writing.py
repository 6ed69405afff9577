"""Where a result goes: to standard output, or into a file, all of it or nothing."""

import errno
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pairwatch.errors import PairwatchError, UsageError
from pairwatch.text import clean

NARROWEST = 40
# What a file's name says of its format, where none is asked for.
FORMATS = {".csv": "csv", ".json": "json", ".md": "markdown", ".txt": "table"}


class OutputFailed(PairwatchError):
    """Standard output does not take the result."""

    default_hint = "check where standard output leads"


def columns() -> int:
    """The terminal's width, `COLUMNS` first."""
    import shutil  # noqa: PLC0415 - only a terminal needs it

    return max(NARROWEST, shutil.get_terminal_size((80, 24)).columns)


def to_stdout(text: str) -> None:
    """Write `text` in bytes, so that no line end is translated; what the encoding lacks is spelled out.

    Raises:
        OutputFailed: a full disk, for instance.
        BrokenPipeError: whoever read it has gone.
    """
    rest = memoryview(_encoded(text))
    with _told():
        sys.stdout.flush()
        while rest:  # unbuffered (PYTHONUNBUFFERED), it may take a part only
            rest = rest[sys.stdout.buffer.write(rest) :]
        sys.stdout.buffer.flush()


def flush() -> None:
    """Send what others have written to standard output; raises what `to_stdout` does."""
    with _told():
        sys.stdout.flush()


def failed(error: OSError) -> OutputFailed:
    """What to say of an error that standard output has raised."""
    hint = "is the disk full?" if error.errno == errno.ENOSPC else ""
    return OutputFailed(f"the result could not be written ({clean(error.strerror or error)})", hint)


def to_file(file: Path, text: str) -> None:
    """Write beside the file, flush to the disk, then rename over it; into a pipe or a device, write directly.

    Raises:
        UsageError: it cannot be written; what was there is untouched.
    """
    try:
        mode = _mode(file)
        if mode is None or stat.S_ISREG(mode):
            _replace(_target(file), text.encode(), mode)
        else:
            file.write_bytes(text.encode())
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop, before Python 3.13
        why = clean(getattr(error, "strerror", None) or error)
        hint = "choose another --output; what was there is untouched"
        raise UsageError(f"{clean(file, 200)} cannot be written ({why})", hint) from None


@contextmanager
def _told() -> Iterator[None]:
    """Tell a failing standard output from every other operating-system error."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise failed(error) from None


def _encoded(text: str) -> bytes:
    """In standard output's encoding; the bytes of a path that is no text come out as they are."""
    encoding = sys.stdout.encoding or "utf-8"
    try:
        return text.encode(encoding, "surrogateescape")
    except UnicodeEncodeError:
        return text.encode(encoding, "backslashreplace")


def _mode(file: Path) -> int | None:
    """Kind and permissions of what is there, links followed; None if there is nothing yet."""
    try:
        return file.stat().st_mode
    except FileNotFoundError:
        return None


def _target(file: Path) -> Path:
    """Where the links lead; raises for those that lead nowhere, which would be replaced otherwise."""
    target = file.resolve()
    if target.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    return target


def _replace(target: Path, data: bytes, mode: int | None) -> None:
    """Write `data` beside `target`, and rename it over; an old file's permissions (`mode`) stay."""
    # Short enough for a name of 255 bytes, whatever its script; random enough never to be anybody else's.
    temporary = target.with_name(f".{target.name[:40]}.{os.urandom(8).hex()}")
    try:
        with open(temporary, "xb", opener=_private if mode else None) as stream:
            if mode:
                temporary.chmod(stat.S_IMODE(mode) & 0o777)
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(target)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    _sync_folder(target.parent)


def _private(path: str, flags: int) -> int:
    """Opened for nobody else, until the old file's permissions are known to hold."""
    return os.open(path, flags, 0o600)


def _sync_folder(folder: Path) -> None:
    """Make the renaming itself durable, where folders can be opened and synced."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
