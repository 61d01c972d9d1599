"""Ctrl-C and SIGTERM: one is as good as the other, and both wait while something is finished."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType


@contextlib.contextmanager
def finishing() -> Iterator[None]:
    """Within it, Ctrl-C and SIGTERM wait until the block is over; a second one does not.

    For writing a file, sealing a cell, saving a model: work that is short, and lost if it is broken
    off. In a thread signals are the main thread's, and nothing is held back.
    """
    asked: list[int] = []

    def hold_back(number: int, frame: FrameType | None) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)

    try:
        before = {s: signal.signal(s, hold_back) for s in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not in the main thread
        before = {}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)
        if asked:
            signal.raise_signal(asked[0])


@contextlib.contextmanager
def sigterm_as_interrupt() -> Iterator[None]:
    """Within it, SIGTERM stops the work the way Ctrl-C does."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, interrupt)
    except ValueError:  # not in the main thread: signals are the caller's
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
