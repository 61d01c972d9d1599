"""How far long work is, told to whoever shows it: pure functions need no argument for that.

A command enters a ``StageProgress``, which makes itself the listener; work that may take seconds
goes through ``tracked``. Where nobody listens, nothing happens.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from typing import TypeVar

Item = TypeVar("Item")
Listener = Callable[[str, int, int], None]

LISTENER: ContextVar[Listener | None] = ContextVar("listener", default=None)
"""Receives what is being done, how much of it is done, and how much it is in all."""

PATIENCE = 0.5
"""Seconds for which nothing is told: what is quick needs no bar."""

INTERVAL = 0.1
"""Seconds between two reports."""


def tell(stage: str, done: int, total: int) -> None:
    """Tell the listener, if there is one, how much of ``stage`` is over."""
    if (listener := LISTENER.get()) is not None:
        listener(stage, done, total)


def tracked(items: Iterable[Item], stage: str, total: int) -> Iterator[Item]:
    """``items`` as they are; the listener is told how many are done.

    Args:
        items: What is worked on, one after the other.
        stage: What the work is, in a few words.
        total: How many items there are.
    """
    listener = LISTENER.get()
    if listener is None:
        yield from items
        return
    told = time.monotonic() + PATIENCE - INTERVAL
    shown = False
    for done, item in enumerate(items):
        if (now := time.monotonic()) - told >= INTERVAL:
            listener(stage, done, total)
            told, shown = now, True
        yield item
    if shown:
        listener(stage, total, total)
