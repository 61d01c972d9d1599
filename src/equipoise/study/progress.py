"""What a user sees while a study runs: bars with the time left, or plain lines."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

from rich.progress import TaskID

from equipoise.progress_bars import StageProgress


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
        self._listener: Callable[[str, int, int], None] | None = None

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Take the bars away while somebody else draws on the terminal."""
        self._bars.stop()
        try:
            yield
        finally:
            self._bars.start()

    def begin_cell(
        self, name: str, listener: Callable[[str, int, int], None] | None = None
    ) -> None:
        """A cell starts; ``listener`` hears how far it is as well."""
        self._show_cells()
        self._cell, self._started, self._listener = name, time.monotonic(), listener

    def begin_tables(self) -> None:
        """The cells are over; what is still to come are the tables over them."""
        self._drop_stages()
        self._cell = "tables"

    @contextlib.contextmanager
    def measuring(self, what: str, count: int) -> Iterator[None]:
        """While ``count`` sentences are judged; a line at the end says how long it took."""
        started = time.monotonic()
        with self.asking():
            yield
        self.say(f"{what}: {count:,} sentences ({time.monotonic() - started:.0f} s)")

    @contextlib.contextmanager
    def asking(self) -> Iterator[None]:
        """While a model is asked something."""
        self._cell = "measures"
        yield
        self.begin_tables()

    def report(self, stage: str, done: int, total: int) -> None:
        """How far the current cell is; a new ``stage`` takes the place of the one before."""
        if self._listener is not None:
            self._listener(stage, done, total)
        name = f"{self._cell}: {stage}"
        if name not in self._stages:
            self._drop_stages()
        super().report(name, done, total)

    def end_cell(self, outcome: str) -> None:
        """A cell is over; ``outcome`` says how, in a few words."""
        self._listener = None
        self._drop_stages()
        self.one_done()
        seconds = time.monotonic() - self._started
        self.say(f"{self._cell}: {outcome} ({seconds:.0f} s)")

    def one_done(self) -> None:
        """A cell is over, here or in another process."""
        self._show_cells()
        if self._cells is not None:
            self._bars.advance(self._cells)

    def wait(self) -> None:
        """Show the bar of cells while other processes work."""
        self._show_cells()
        if not self._bars.disable:
            self._bars.start()

    def _show_cells(self) -> None:
        if self._cells is None and not self._bars.disable:
            self._cells = self._bars.add_task("cells done", total=self._n_cells, uneven=True)

    def _drop_stages(self) -> None:
        for stage in self._stages.values():
            self._bars.remove_task(stage)
        self._stages.clear()
