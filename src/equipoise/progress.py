"""The one channel on which work says how far it is, and what a user should read.

Work tells; a command listens (``progress_bars.StageProgress`` does), for as long as it is open. So
no function takes an argument for that. Where nobody listens, progress is told to nobody, and
sentences go to standard error.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from typing import Protocol, TypeVar

Item = TypeVar("Item")


class Listener(Protocol):
    """Whoever shows the progress of work."""

    def report(self, stage: str, done: int, total: int) -> None:
        """``done`` of ``total`` units of ``stage`` are over."""

    def say(self, line: str) -> None:
        """A sentence the user should read."""


_LISTENER: ContextVar[Listener | None] = ContextVar("listener", default=None)

PATIENCE = 0.5
"""Seconds for which nothing is told: what is quick needs no bar."""

INTERVAL = 0.1
"""Seconds between two reports."""


def listener() -> Listener | None:
    """Whoever listens now."""
    return _LISTENER.get()


@contextlib.contextmanager
def listening(ear: Listener) -> Iterator[None]:
    """Within it, ``ear`` hears what is told, and whoever listened before does not."""
    before = _LISTENER.set(ear)
    try:
        yield
    finally:
        _LISTENER.reset(before)


def tell(stage: str, done: int, total: int) -> None:
    """Tell the listener, if there is one, how much of ``stage`` is over."""
    if (ear := _LISTENER.get()) is not None:
        ear.report(stage, done, total)


def say(line: str) -> None:
    """Tell the user a sentence."""
    if (ear := _LISTENER.get()) is not None:
        ear.say(line)
    else:
        print(line, file=sys.stderr)  # noqa: T201 - nobody else would say it


def counting(stage: str, total: int) -> Callable[[int], None]:
    """A function that takes how many more of ``total`` units are over, and tells how many are."""
    done = 0

    def more(count: int) -> None:
        nonlocal done
        done += count
        tell(stage, done, total)

    return more


def tracked(items: Iterable[Item], stage: str, total: int) -> Iterator[Item]:
    """``items`` as they are; the listener is told how many are done.

    Args:
        items: What is worked on, one after the other.
        stage: What the work is, in a few words.
        total: How many items there are.
    """
    if _LISTENER.get() is None:
        yield from items
        return
    told = time.monotonic() + PATIENCE - INTERVAL
    shown = False
    for done, item in enumerate(items):
        if (now := time.monotonic()) - told >= INTERVAL:
            tell(stage, done, total)
            told, shown = now, True
        yield item
    if shown:
        tell(stage, total, total)
