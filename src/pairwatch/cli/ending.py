"""How a run ends: its exit code, and what is said of an error. The only broad except is here."""

import gc
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

from pairwatch import writing
from pairwatch.cli import words
from pairwatch.errors import PairwatchError

INTERRUPTED, TERMINATED = 130, 143
# So many more objects are made than freed before Python looks for cycles among them; it is 700 otherwise.
GARBAGE = 50_000

Program = Callable[..., Any]


def run_and_exit(program: Program) -> NoReturn:
    """Run a Typer app and exit with its code; see `pairwatch.errors` for the codes."""
    for stream in ("stdout", "stderr"):
        if getattr(sys, stream) is None:  # closed before we began: `>&-`
            setattr(sys, stream, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123
    if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:  # whoever started us may want it ignored
        signal.signal(signal.SIGTERM, _terminate)
    code = _flushed(run(program))
    # A source that was left hanging has a thread that cannot be stopped; nothing else is left to be done.
    os._exit(code)


def _terminate(*_: object) -> NoReturn:
    """End as an error would, so that what is half written is taken away."""
    raise SystemExit(TERMINATED)


def run(program: Program) -> int:
    """Run a Typer app with this process's arguments; returns the exit code, after the words for the person."""
    # One BLAS thread, before numpy is imported: a second one only spins in so short a run.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # A run makes many small objects that live to its end, and hardly a cycle: look for those seldom.
    gc.set_threshold(GARBAGE)
    try:
        code = program(standalone_mode=False) or 0
    except PairwatchError as error:
        return words.complain(error)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except SystemExit as error:  # ours, or what typer makes of a closed pipe
        return 0 if isinstance(error.__context__, BrokenPipeError) else int(error.code or 0)
    except Exception as error:  # noqa: BLE001 - the one place for everything else
        return _by_typer(error)
    if code == INTERRUPTED:  # typer makes this of Ctrl-C, and says nothing
        words.say("interrupted")
    return int(code)


def _flushed(code: int) -> int:
    """The exit code, when the buffers are empty: a result that is lost is no success, words that are lost are."""
    with suppress(OSError):
        sys.stderr.flush()
    try:
        writing.flush()
    except BrokenPipeError:
        pass
    except writing.OutputFailed as error:
        return code or words.complain(error)
    return code


def _by_typer(error: Exception) -> int:
    """Usage errors that typer raises, and what it could not write; anything else is a bug, with its traceback."""
    if isinstance(error, OSError) and _module(error).startswith("typer."):
        return words.complain(writing.failed(error))  # typer opens nothing but standard output, for the help
    format_message = getattr(error, "format_message", None)
    if format_message is None:
        return _admit()
    if type(error).__name__ == "NoArgsIsHelpError":
        words.write(f"{format_message()}\n")
        return 2
    context = getattr(error, "ctx", None)
    where = context.command_path if context else "pairwatch"
    message = " ".join(format_message().split())
    words.say(f"error: {message[:1].lower()}{message[1:].rstrip('.')}", f"hint: {where} --help")
    return int(getattr(error, "exit_code", 2))


def _module(error: Exception) -> str:
    """The module that met the error."""
    at = error.__traceback__
    while at and at.tb_next:
        at = at.tb_next
    return str(at.tb_frame.f_globals.get("__name__")) if at else ""


def _admit() -> int:
    """A bug: the traceback of the exception that is being handled, and what to do with it."""
    import traceback

    words.write(traceback.format_exc())
    words.say("error: this is a bug in pairwatch", "hint: please report the lines above")
    return 1
