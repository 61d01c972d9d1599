"""What those who only wait see of a run: which cells are done or have failed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from equipoise.errors import EquipoiseError
from equipoise.files.artifacts import read_or_none
from equipoise.runs.cell import Cell
from equipoise.runs.layout import SUMMARY
from equipoise.runs.store import Store
from equipoise.study.cell_summary import outcome
from equipoise.study.progress import StudyProgress


class Watch:
    """Follows cells that other processes compute.

    Args:
        store: Where the cells are.
        cells: Those that are followed.
        progress: Shows how it goes.
        after_cell: Called when one has ended.

    Attributes:
        left: Cells that are neither done nor failed.
        failed: Cells that have failed, each with the reason.
        progress: Shows how it goes.
    """

    def __init__(
        self,
        store: Store,
        cells: Mapping[Cell, str],
        progress: StudyProgress,
        after_cell: Callable[[], None] = lambda: None,
    ) -> None:
        self._store, self.progress, self._after_cell = store, progress, after_cell
        self._before = {cell: self._mark(cell) for cell in cells}
        self.left = dict(self._before)
        self.failed: dict[Cell, EquipoiseError] = {}

    def look(self, *, say: bool = False) -> None:
        """Take note of what has come to an end; ``say`` it, where the workers do not."""
        for cell in list(self.left):
            if self._mark(cell) not in (None, self._before[cell]):
                said = self._outcome(cell) if say else ""
            elif error := self._store.claims.failure(cell):
                self.failed[cell] = error
                said = "failed; the cells finished so far are kept"
            else:
                continue
            del self.left[cell]
            self.progress.one_done()
            if say:
                self.progress.say(f"{cell}: {said}")
            self._after_cell()

    def _mark(self, cell: Cell) -> int | None:
        """What tells a finished folder from another one that takes its place."""
        try:
            return self._store.cell_folder(cell).stat().st_ino
        except FileNotFoundError:
            return None

    def _outcome(self, cell: Cell) -> str:
        summary = read_or_none(self._store.cell_folder(cell) / SUMMARY)
        cost: dict[str, Any] = summary["cost"] if isinstance(summary, dict) else {}
        seconds = cost.get("fit_seconds", 0) + cost.get("sampling_seconds", 0)
        return f"{outcome(cost)} ({seconds:.0f} s)"
