import os
import subprocess
import sys

import pytest

from pairwatch import locks

HOLD = """
import os, sys
from pairwatch import locks
file = os.open(sys.argv[1], os.O_RDONLY)
locks.wait_for(file)
sys.stdout.write("held\\n")
sys.stdout.flush()
sys.stdin.read()
os._exit(0)
"""


@pytest.fixture(params=["file", "folder"])
def path(request, tmp_path):
    """What is locked."""
    path = tmp_path / request.param
    path.touch() if request.param == "file" else path.mkdir()
    return path


@pytest.fixture
def holder(path):
    """Another process that holds it until its standard input ends."""
    with subprocess.Popen([sys.executable, "-c", HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def test_what_another_process_holds_is_waited_for_and_given_up(path, holder, monkeypatch):
    monkeypatch.setattr(locks, "TRIES", 3)
    file = os.open(path, os.O_RDONLY)
    with pytest.raises(TimeoutError, match="another process holds it"):
        locks.wait_for(file)
    os.close(file)


@pytest.mark.parametrize("kill", [True, False], ids=["killed", "ended"])
def test_a_lock_ends_with_its_process(path, holder, kill):
    if kill:
        holder.kill()
    else:
        holder.stdin.close()
        holder.stdin = None
    file = os.open(path, os.O_RDONLY)
    locks.wait_for(file)
    os.close(file)


def test_a_lock_ends_with_the_file(path):
    for _ in range(2):
        file = os.open(path, os.O_RDONLY)
        locks.wait_for(file)
        os.close(file)
