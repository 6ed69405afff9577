"""The file of the snapshots, its folder, and what lies beside: whose they are, where, and how much room there is."""

import os
import shutil
import stat
from pathlib import Path
from typing import Final

from pairwatch.snapshots.findings import Finding, Found, why
from pairwatch.text import clean

# File systems on which the locks of SQLite are known to fail.
_REMOTE: Final = ("nfs", "cifs", "smb", "afs", "9p", "fuse.sshfs", "ncpfs", "lustre", "glusterfs", "drvfs")


def of_the_file(path: Path) -> Found:
    """What there is to say of the file itself, its folder and its neighbours."""
    try:
        status = path.stat()
    except FileNotFoundError:
        yield Finding("note", "there is no file yet", "pairwatch snapshot A B")
        return
    except OSError as error:
        yield Finding("error", f"the file cannot be looked at: {why(error)}", "make its folder yours to read")
        return
    if not stat.S_ISREG(status.st_mode):
        yield Finding("error", "it is no file", "set data_dir to another folder")
        return
    yield from _rights(path, status)
    yield from _place(path, status.st_size)
    yield from _beside(path)


def _rights(path: Path, status: os.stat_result) -> Found:
    if os.name != "posix":
        return
    if status.st_mode & 0o077:
        mode = stat.S_IMODE(status.st_mode)
        yield Finding("warning", f"others may read or write the file (mode {mode:o})", "chmod 600 it")
    if path.parent.stat().st_mode & 0o022:
        mode = stat.S_IMODE(path.parent.stat().st_mode)
        yield Finding("warning", f"others may replace what is in its folder (mode {mode:o})", "chmod 700 the folder")
    if status.st_uid != os.geteuid():
        yield Finding("warning", f"the file belongs to another user (number {status.st_uid})", "chown it to yourself")
    if not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        yield Finding("error", "the file or its folder may not be written to", "make both yours")


def _place(path: Path, size: int) -> Found:
    kind = _file_system(path)
    if kind.startswith(_REMOTE):
        what = f"the file is on a {clean(kind)} file system, whose locks cannot be relied on"
        yield Finding("warning", what, "set data_dir to a folder on a disk of this machine")
    free = shutil.disk_usage(path.parent).free
    yield Finding("note", f"{_megabytes(size)} in the file, {_megabytes(free)} free beside it")
    if free < max(2 * size, 100_000_000):
        yield Finding("warning", f"little room: {_megabytes(free)} are free", "make room before a snapshot fails")


def _file_system(path: Path) -> str:
    """The type of the file system, where the kernel says it in /proc."""
    try:
        mounts = Path("/proc/self/mounts").read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return ""
    where = path.resolve()
    kinds = {Path(words[1]): words[2] for words in (line.split() for line in mounts) if len(words) > 2}
    return next((kinds[folder] for folder in where.parents if folder in kinds), "")


def _megabytes(size: int) -> str:
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.1f} MB"


def _beside(path: Path) -> Found:
    """What copies, upgrades and other programs have left."""
    for file in sorted(path.parent.glob(f"{path.name}?*")):
        rest = file.name.removeprefix(path.name)
        name, size = clean(file.name), _megabytes(file.stat().st_size)
        if rest == "-journal":
            yield Finding("note", f"{name}: a transaction is under way or was cut short", "the next run completes it")
        elif rest in ("-wal", "-shm"):
            what = f"{name}: another program has opened the file in its own way"
            yield Finding("warning", what, "close that program; leave the file where it is")
        elif rest.startswith(".schema-"):
            leftover = rest.count(".") > 1
            what = f"{name} ({size}) is {'an upgrade cut short' if leftover else 'a copy from before an upgrade'}"
            yield Finding("note", what, "delete it" if leftover else "delete it once you trust the upgrade")
