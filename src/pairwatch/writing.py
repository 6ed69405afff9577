"""Where a result goes: to standard output, or into a file, all of it or nothing."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

from pairwatch.errors import UsageError

NARROWEST = 40


def columns() -> int:
    """The terminal's width, `COLUMNS` first."""
    return max(NARROWEST, shutil.get_terminal_size((80, 24)).columns)


def to_stdout(text: str) -> None:
    """Write `text` in bytes, so that no line end is translated; what the encoding lacks is spelled out."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode(sys.stdout.encoding or "utf-8", "backslashreplace"))
    sys.stdout.buffer.flush()


def to_file(file: Path, text: str) -> None:
    """Write beside the file, flush to the disk, then rename over it; into a pipe or a device, write directly.

    Raises:
        UsageError: it cannot be written; what was there is untouched.
    """
    try:
        target = file.resolve()
        if target.exists() and not target.is_file():
            target.write_bytes(text.encode())
        else:
            _replace(target, text.encode())
    except OSError as error:
        raise UsageError(
            f"{file} cannot be written ({error.strerror})", "choose another --output; what was there is untouched"
        ) from None


def _replace(target: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{target.name[:100]}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink()
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Make the renaming itself durable, where folders can be opened."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
