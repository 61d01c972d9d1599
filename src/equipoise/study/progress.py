"""What a user sees while a study runs: bars with the time left, or plain lines."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from rich.progress import TaskID

from equipoise.progress import StageProgress


class StudyProgress(StageProgress):
    """Two bars on a terminal, the study's cells and the work within one; else a line a cell.

    Everything goes to standard error, so that standard output holds results only.

    Args:
        n_cells: Cells to be computed.
        quiet: Show neither bars nor lines.
    """

    def __init__(self, n_cells: int, *, quiet: bool = False) -> None:
        super().__init__(quiet=quiet)
        self._n_cells = n_cells
        self._cells: TaskID | None = None
        self._cell = ""
        self._started = 0.0

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Take the bars away while somebody else draws on the terminal."""
        self._bars.stop()
        try:
            yield
        finally:
            self._bars.start()

    def begin_cell(self, name: str) -> None:
        """A cell starts."""
        if self._cells is None and not self._bars.disable:
            self._cells = self._bars.add_task("cells done", total=self._n_cells, uneven=True)
        self._cell, self._started = name, time.monotonic()

    @contextlib.contextmanager
    def measuring(self, what: str, count: int) -> Iterator[None]:
        """While ``count`` sentences are judged; a line at the end says how long it took."""
        self._cell, started = "measures", time.monotonic()
        yield
        self._drop_stages()
        self.say(f"{what}: {count:,} sentences ({time.monotonic() - started:.0f} s)")

    def report(self, stage: str, done: int, total: int) -> None:
        """How far the current cell is; a new ``stage`` takes the place of the one before."""
        name = f"{self._cell}: {stage}"
        if name not in self._stages:
            self._drop_stages()
        super().report(name, done, total)

    def end_cell(self, outcome: str) -> None:
        """A cell is over; ``outcome`` says how, in a few words."""
        self._drop_stages()
        if self._cells is not None:
            self._bars.advance(self._cells)
        seconds = time.monotonic() - self._started
        self.say(f"{self._cell}: {outcome} ({seconds:.0f} s)")

    def _drop_stages(self) -> None:
        for stage in self._stages.values():
            self._bars.remove_task(stage)
        self._stages.clear()
