"""Checkpoints that can be trusted: sealed by a manifest, and checked before training resumes.

The Trainer resumes from the highest-numbered checkpoint even if it is incomplete, and a missing
optimizer state or a flipped bit goes unnoticed. Here a checkpoint counts only if every file in it
has the size and SHA-256 written down when it was complete.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from transformers import TrainerCallback

from equipoise.files.manifest import fault
from equipoise.progress import say
from equipoise.training.processes import any_process


def last_valid_checkpoint(folder: Path) -> Path | None:
    """The newest undamaged checkpoint in ``folder``; damaged ones are named."""
    numbered = [
        (int(number), path)
        for path in folder.glob("checkpoint-*")
        if (number := path.name.removeprefix("checkpoint-")).isdigit()
    ]
    for _, path in sorted(numbered, reverse=True):
        problem = fault(path)
        if problem is None:
            return path
        say(f"Checkpoint {path} is passed over: {problem}.")
    return None


class CheckpointClock(TrainerCallback):  # type: ignore[misc]
    """Asks for a checkpoint every few minutes, and at once when training is to stop.

    At the end of an epoch it asks after the evaluation: who resumes from that checkpoint does not
    evaluate again, and the record would lack it.

    Args:
        minutes: Between checkpoints.
        every: Only after a multiple of so many updates can a checkpoint be resumed from.
    """

    def __init__(self, minutes: float, every: int = 1) -> None:
        self._interval = minutes * 60
        self._every = every
        self._last = time.monotonic()
        self.stop_requested = False
        self.wanted = False
        """Set to have a checkpoint at the next occasion."""

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Set the Trainer's flags after an update."""
        if not float(state.epoch).is_integer():
            self._ask(state, control)

    def on_epoch_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Set the Trainer's flags after the last update of an epoch."""
        if float(state.epoch).is_integer():
            self._ask(state, control)

    def _ask(self, state: Any, control: Any) -> None:
        self.stop_requested = any_process(self.stop_requested)
        if state.global_step % self._every:
            return
        if self.stop_requested:
            control.should_save = control.should_training_stop = True
        elif any_process(self.wanted or time.monotonic() - self._last >= self._interval):
            control.should_save = True
        if control.should_save:
            self._last, self.wanted = time.monotonic(), False


@contextmanager
def stop_on_signal(clock: CheckpointClock) -> Iterator[None]:
    """Within it, Ctrl-C and SIGTERM end training after the current update, checkpoint written.

    On leaving, a request to stop becomes a ``KeyboardInterrupt``. A second signal interrupts at
    once.
    """

    def request(number: int, frame: FrameType | None) -> None:
        if clock.stop_requested:
            raise KeyboardInterrupt
        clock.stop_requested = True

    try:
        before = {s: signal.signal(s, request) for s in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not in the main thread: the caller handles signals
        before = {}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if clock.stop_requested:
        raise KeyboardInterrupt
