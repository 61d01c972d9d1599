"""Progress of one piece of work: a bar with the time left on a terminal, else lines only."""

from __future__ import annotations

import contextlib
from types import TracebackType
from typing import Self

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

from equipoise.progress import listener, listening


class _TimeLeft(TimeRemainingColumn):
    """Time left; nothing where the units of a bar take very different times."""

    def render(self, task: Task) -> Text:
        if task.fields.get("uneven"):
            return Text("")
        return Text("left ", style="dim").append_text(super().render(task))


class StageProgress:
    """One bar for each stage of the work, such as "training" and "sampling", on standard error.

    Args:
        quiet: Show neither bars nor lines.
    """

    def __init__(self, *, quiet: bool = False) -> None:
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
        self._stages: dict[str, TaskID] = {}
        self._heard = contextlib.ExitStack()

    def __enter__(self) -> Self:
        if isinstance(outer := listener(), StageProgress):
            outer._bars.stop()  # a terminal has room for the bars of one
        self._heard.enter_context(listening(self))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()
        self._heard.close()

    def say(self, line: str) -> None:
        """Print a line above the bars."""
        self.console.print(line, markup=False)

    def report(self, stage: str, done: int, total: int) -> None:
        """Show that ``done`` of ``total`` units of ``stage`` are over."""
        if self._bars.disable:
            return
        self._bars.start()  # not before: fetching a model draws bars of its own
        if stage not in self._stages:
            self._stages[stage] = self._bars.add_task(stage, total=total)
        self._bars.update(self._stages[stage], completed=done, total=total)
