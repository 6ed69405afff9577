"""What every run did, in a file: one JSON object a line, put aside by size, shared by any number of processes."""

import errno
import json
import math
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from numbers import Integral, Real
from pathlib import Path

from pairwatch import locks
from pairwatch.text import clean

LIMIT = 5_000_000
KEEP = 5


class Log:
    """A log in the file `path`, or none if that is None.

    Nothing raises: a log that cannot be written fails no run. `trouble` then says why, of the first time. What is
    written is readable for the owner alone; still, callers hand in no secrets.

    Args:
        limit: bytes; before a line makes the file longer, it is put aside.
        keep: how many files put aside are kept: `path.1` is the newest of them.
    """

    def __init__(self, path: Path | None, limit: int = LIMIT, keep: int = KEEP) -> None:
        self.path = path
        self.trouble = ""
        self._limit = limit
        self._keep = keep

    def write(self, at: float, event: str, **fields: object) -> None:
        """Append a line: when (`at`, in Unix seconds), what, and details; numbers that are not finite become null."""
        if self.path is None:
            return
        try:
            # The folder's own name for it: a link stays where it is when the file is put aside.
            self._append(Path(os.path.realpath(self.path)), _line(at, event, fields))
        except (OSError, OverflowError, RecursionError, ValueError) as error:  # ValueError: a NUL in the name
            why = clean(getattr(error, "strerror", None) or error)
            self.trouble = self.trouble or f"the log {clean(self.path, 200)} cannot be written ({why})"

    def _append(self, path: Path, line: bytes) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        while True:
            with _held(path) as file:
                if not _is(file, path):
                    continue  # it was put aside while we waited
                size = os.fstat(file).st_size
                if 0 < size > self._limit - len(line):
                    self._put_aside(path)
                    continue
                torn = size > 0 and _last_byte(file) != b"\n"
                _write(file, b"\n" + line if torn else line)
                return

    def _put_aside(self, path: Path) -> None:
        """Rename the file, which is held, and those before it."""
        for number in range(self._keep - 1, 0, -1):
            with suppress(FileNotFoundError):
                _older(path, number).replace(_older(path, number + 1))
        if self._keep:
            path.replace(_older(path, 1))
        else:
            path.unlink()


@contextmanager
def _held(path: Path) -> Iterator[int]:
    """The open file, made if there is none, for this process alone."""
    # Without a wait: it may be a pipe.
    flags = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)  # each on the systems that have it
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | flags, 0o600)
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        locks.wait_for(file)
        yield file
    finally:
        os.close(file)


def _is(file: int, path: Path) -> bool:
    """Whether `path` still names the open file."""
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


def _last_byte(file: int) -> bytes:
    """Of a file that is not empty; where is no matter to one that is only appended to."""
    os.lseek(file, -1, os.SEEK_END)
    return os.read(file, 1)


def _write(file: int, line: bytes) -> None:
    """Append in one write."""
    if os.write(file, line) < len(line):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _older(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")


def _line(at: float, event: str, fields: dict[str, object]) -> bytes:
    stamp = datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    entry = _plain({"at": stamp, "event": event, **fields})
    # In ASCII: what a terminal would obey is spelled out.
    return (json.dumps(entry, allow_nan=False, separators=(",", ":")) + "\n").encode("ascii")


def _plain(value: object) -> object:
    """As JSON can hold it: what is neither a number nor a collection of such becomes its text."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return str(value)
