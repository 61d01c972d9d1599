"""The desk between clients and the model: one thread computes, a queue of bounded length waits.

A model in memory serves one request at a time, in the order of arrival: so a seed gives one answer
whoever else asks. Work that is too late, or that nobody waits for any more, stops at the next word
of its progress.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

from equipoise.progress import listening
from equipoise.serving.limits import Limits
from equipoise.serving.refusal import RefusalError

T = TypeVar("T")

LOOK = 0.25
"""Seconds between two looks at the clock and at whether the client is still there."""

LONGEST_WAIT = 30
"""Most seconds that a client is told to wait: clients disregard longer waits."""


class StoppedError(Exception):
    """Work ends here, as nobody waits for it."""


@dataclass(eq=False)
class _Work(Generic[T]):
    """What is to be computed; it hears its own progress, and stops there once it is told to."""

    compute: Callable[[], T]
    stopped: bool = False

    def __call__(self) -> T:
        self.report("", 0, 0)
        with listening(self):
            return self.compute()

    def report(self, stage: str, done: int, total: int) -> None:
        """See ``Listener``."""
        if self.stopped:
            raise StoppedError

    def say(self, line: str) -> None:
        """See ``Listener``: a request has no terminal."""


class Desk:
    """Takes work in, one after the other.

    Args:
        limits: How many wait, and for how long.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._thread = ThreadPoolExecutor(1, "model")
        self._inside: set[_Work[object]] = set()
        self._seconds = 1.0

    async def compute(self, work: Callable[[], T], gone: Callable[[], Awaitable[bool]]) -> T:
        """What ``work`` gives, once it is its turn.

        Args:
            work: Computes in the desk's thread.
            gone: Whether nobody waits for it any more.

        Raises:
            RefusalError: Too many are waiting, or it takes too long.
        """
        if len(self._inside) > self._limits.waiting:
            raise RefusalError(
                f"{self._limits.waiting} requests are waiting already. Try again later.",
                status=429,
                code="queue_full",
                retry_after=self._wait(),
            )
        job = _Work(work)
        self._inside.add(job)  # type: ignore[arg-type]
        try:
            return await self._watched(job, gone)
        finally:
            job.stopped = True

    async def _watched(self, job: _Work[T], gone: Callable[[], Awaitable[bool]]) -> T:
        loop, began = asyncio.get_running_loop(), time.monotonic()
        future = self._thread.submit(self._timed, job)

        def leave(_: Future[T]) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._inside.discard, job)

        future.add_done_callback(leave)
        waiting = asyncio.wrap_future(future)
        while not (await asyncio.wait({waiting}, timeout=LOOK))[0]:
            if time.monotonic() - began > self._limits.seconds:
                why = f"It took longer than {self._limits.seconds:g} seconds."
            elif await gone():
                why = "The client has gone."
            else:
                continue
            job.stopped = True
            waiting.cancel()
            raise RefusalError(why, status=504, code="timeout")
        return waiting.result()

    def _timed(self, job: _Work[T]) -> T:
        began = time.monotonic()
        try:
            return job()
        finally:
            self._seconds = 0.8 * self._seconds + 0.2 * (time.monotonic() - began)

    def _wait(self) -> int:
        """Seconds after which half of those that wait have had their turn, about."""
        seconds = math.ceil(self._seconds * len(self._inside) / 2)
        return max(1, min(LONGEST_WAIT, seconds))

    def close(self) -> None:
        """Let all work stop."""
        for job in self._inside:
            job.stopped = True
        self._thread.shutdown(wait=False, cancel_futures=True)
