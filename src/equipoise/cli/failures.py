"""From an exception to what the user reads and the exit code.

======  ============================================================
0       done
1       an error, told in one line on standard error
2       a command line that cannot be understood
3       of ``status`` only: not all is done yet
130     stopped by Ctrl-C or SIGTERM; the line says how to go on
======  ============================================================
"""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from collections.abc import Callable, Iterator

from equipoise.cli.terminal import complain, say
from equipoise.errors import AGAIN, describe
from equipoise.files.interrupts import sigterm_as_interrupt

STOPPED = 130


class Stopped(Exception):  # noqa: N818 - not an error
    """The user stopped the work; the message says what is kept and how to go on."""


@contextlib.contextmanager
def on_interrupt(advice: str) -> Iterator[None]:
    """Within it, Ctrl-C ends the command with ``advice``."""
    try:
        yield
    except KeyboardInterrupt:
        raise Stopped(advice) from None


def guarded(work: Callable[[], object], *, debug: bool = False, advice: str = AGAIN) -> int:
    """Do ``work`` and return the exit code of the process; nothing leaves it but that.

    Args:
        work: What to do.
        debug: Show the traceback of errors.
        advice: What to say when the work is stopped and does not say it itself.
    """
    _never_fail_on_odd_characters()
    try:
        with sigterm_as_interrupt():
            work()
            sys.stdout.flush()
        return 0
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except Stopped as stop:
        say(f"\nStopped. {stop}")
        return STOPPED
    except KeyboardInterrupt:
        say(f"\nStopped. {advice}")
        return STOPPED
    except BrokenPipeError:  # whoever read our output has gone, and wants no word either
        _give_up_output()
        return 1
    except Exception as error:
        if debug:
            traceback.print_exc()
        complain(describe(error))
        _give_up_output()
        return 1


def _give_up_output() -> None:
    """Drop what standard output does not take, or Python would complain of it at exit."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _never_fail_on_odd_characters() -> None:
    """Print what the terminal's encoding lacks as '?' rather than stop at it."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
