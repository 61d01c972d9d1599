"""What a run of a study ends with: all cells, or the ones that could be computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from equipoise.errors import EquipoiseError
from equipoise.measures import Evaluation
from equipoise.runs.cell import Cell


@dataclass(frozen=True)
class StudyResult:
    """What a run of a study ends with.

    Attributes:
        evaluation: Scores of all cells; ``measures.compliance`` is the main table.
        folder: The run's folder.
        written: Files and folders in it that a reader wants, results first.
        computed: Cells computed now.
        skipped: Cells that were done before.
        failed: Cells that could not be computed, each with what was wrong.
    """

    evaluation: Evaluation
    folder: Path
    written: tuple[Path, ...]
    computed: tuple[Cell, ...]
    skipped: tuple[Cell, ...]
    failed: tuple[tuple[Cell, EquipoiseError], ...] = ()


class CellsFailedError(EquipoiseError):
    """Some cells of a study could not be computed; the others were.

    Attributes:
        result: What the others ended with; None if no cell is finished.
    """

    def __init__(
        self,
        failed: Sequence[tuple[Cell, EquipoiseError]],
        folder: Path,
        result: StudyResult | None,
    ) -> None:
        lines = [f"{cell}: {error}" for cell, error in failed]
        listed = lines[0] if len(lines) == 1 else "\n  ".join(["", *lines])
        cells = "1 cell" if len(lines) == 1 else f"{len(lines)} cells"
        super().__init__(
            f"{cells} failed: {listed.rstrip('.')}",
            file=folder,
            hint="Run the same command again to try only them.",
        )
        self.result = result
