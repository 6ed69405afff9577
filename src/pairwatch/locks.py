"""One process at a time, where the system has locks; they end with the process that holds them."""

import errno
import sys
import time

if sys.platform != "win32":
    import fcntl

# How often, and how long each time (seconds), another process is waited for.
TRIES, PAUSE = 500, 0.01


def wait_for(file: int) -> None:
    """Lock an open file or folder until it is closed. On Windows nothing is locked.

    Raises:
        TimeoutError: another process has not let go of it for some seconds.
        OSError: a file system without locks.
    """
    if sys.platform == "win32":
        return
    for _ in range(TRIES):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(PAUSE)
        else:
            return
    raise TimeoutError(errno.ETIMEDOUT, "another process holds it")
