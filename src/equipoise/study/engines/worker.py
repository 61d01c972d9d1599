"""A worker: a process that computes cells of a study until none is left, and then asks its models.

    python -m equipoise.study.engines.worker < assignment.json

The assignment is the first line of standard input. When standard input ends, whoever started the
worker is dead, and it stops as on SIGTERM: a checkpoint is written first.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
from typing import Any, TextIO, cast

from equipoise.errors import describe
from equipoise.files.interrupts import sigterm_as_interrupt

ERROR = "Error: "
"""How the line begins by which a worker says why it cannot work at all."""


def work(plain: dict[str, Any], *, quiet: bool = False) -> None:
    """Compute the cells of an assignment, as plain data, that no other worker computes.

    While none is free, and at the end, models are asked what the tables will want to know.

    Raises:
        EquipoiseError: The folder is of another study by now, the model cannot be loaded, or the
            folder cannot be written. Cells that fail are written down there.
    """
    import torch

    from equipoise.model.freed_memory import keep_freed_memory
    from equipoise.runs.store import Store
    from equipoise.study.asking_ahead import AskingAhead
    from equipoise.study.computation import Computation
    from equipoise.study.engines.assignment import Assignment
    from equipoise.study.progress import StudyProgress

    assignment = Assignment.from_plain(plain)
    torch.set_num_threads(assignment.threads)
    keep_freed_memory()
    specification, store = assignment.specification(), Store(assignment.out)
    with store.joined(specification), StudyProgress(len(assignment.cells), quiet=quiet) as progress:
        ahead = AskingAhead(specification, store, progress)
        Computation(specification, store, progress, meanwhile=ahead.one).run(assignment.cells)
        ahead.all()


def _stop_with_parent() -> None:
    """Wait for the end of standard input, then stop this process."""
    while sys.stdin.buffer.read(1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


class _StreamWithoutReader:
    """A stream whose reader may be gone by now, which is no reason to fail."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with contextlib.suppress(BrokenPipeError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def main() -> int:
    """Work on the assignment on standard input; 0 when it is done, 1 if it cannot be, else 130."""
    plain = json.loads(sys.stdin.buffer.readline())
    sys.stderr = cast("TextIO", _StreamWithoutReader(sys.stderr))
    threading.Thread(target=_stop_with_parent, daemon=True).start()
    try:
        with sigterm_as_interrupt():
            work(plain)
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        sys.stderr.write(f"{ERROR}{describe(error)}\n")
        return 1
    return 0


if __name__ == "__main__":
    # Not through the interpreter's shutdown: a thread waits in a read that nothing ends.
    code = main()
    sys.stderr.flush()
    os._exit(code)
