"""What a user sees while a study runs: bars with the time left, or plain lines."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text


class _TimeLeft(TimeRemainingColumn):
    """Time left of a stage; nothing for the study, whose cells take very different times."""

    def render(self, task: Task) -> Text:
        if task.fields.get("uneven"):
            return Text("")
        return Text("left ", style="dim").append_text(super().render(task))


class StudyProgress:
    """Two bars on a terminal, the study's cells and the work within one; else a line a cell.

    Everything goes to standard error, so that standard output holds results only.
    """

    def __init__(self, n_cells: int, *, quiet: bool = False) -> None:
        self.console = Console(stderr=True, quiet=quiet, soft_wrap=True, highlight=False)
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            _TimeLeft(),
            console=self.console,
            disable=quiet or not self.console.is_terminal,
            transient=True,
        )
        self.quiet = quiet
        self._n_cells = n_cells
        self._cells: TaskID | None = None
        self._stage: TaskID | None = None
        self._stage_name = ""
        self._cell = ""
        self._started = 0.0

    def __enter__(self) -> StudyProgress:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def say(self, line: str) -> None:
        """Print a line above the bars."""
        self.console.print(line, markup=False)

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
        self._cell, self._stage_name, self._started = name, "", time.monotonic()

    def report(self, stage: str, done: int, total: int) -> None:
        """How far the current cell is; a new ``stage`` starts a new bar."""
        if self._bars.disable:
            return
        if self._stage is None or stage != self._stage_name:
            self._drop_stage()
            self._stage_name = stage
            self._stage = self._bars.add_task(f"{self._cell}: {stage}", total=total)
        self._bars.update(self._stage, completed=done, total=total)

    def end_cell(self, outcome: str) -> None:
        """A cell is over; ``outcome`` says how, in a few words."""
        self._drop_stage()
        if self._cells is not None:
            self._bars.advance(self._cells)
        seconds = time.monotonic() - self._started
        self.say(f"{self._cell}: {outcome} ({seconds:.0f} s)")

    def _drop_stage(self) -> None:
        if self._stage is not None:
            self._bars.remove_task(self._stage)
            self._stage = None
