"""How a run stands: which cells are done, running, failed or missing. No model, no study file."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from equipoise.files.artifacts import read_or_none
from equipoise.runs.cell import Cell
from equipoise.runs.cell_locks import Note
from equipoise.runs.cell_seal import cell_fault
from equipoise.runs.layout import OVERVIEW, SUMMARY, partial_folder
from equipoise.runs.record import cells_of, read_record
from equipoise.runs.store import Store

State = Literal["done", "running", "failed", "damaged", "stopped", "missing"]


@dataclass(frozen=True)
class CellStatus:
    """How one cell stands.

    Attributes:
        cell: Which.
        state: ``done``; ``running`` in a living process; ``failed`` in the last run; ``damaged``
            since it was done; ``stopped`` half-way; ``missing``: not begun.
        seconds: Fitting and drawing took so long, of a cell that is done.
        note: Who is, or was, at work on it, since when, and how far.
        problem: What failed or is damaged.
    """

    cell: Cell
    state: State
    seconds: float | None = None
    note: Note | None = None
    problem: str | None = None


@dataclass(frozen=True)
class RunStatus:
    """How a run stands.

    Attributes:
        name: The study's.
        cells: Method by method.
        tables: Whether the tables over all cells are there.
    """

    name: str
    cells: tuple[CellStatus, ...]
    tables: bool

    def counts(self) -> dict[str, int]:
        """Cells in each state that occurs."""
        return dict(Counter(cell.state for cell in self.cells))

    @property
    def exit_code(self) -> int:
        """0: all is done; 1: cells failed or are damaged; 3: not all is done yet."""
        counts = self.counts()
        if counts.get("failed") or counts.get("damaged"):
            return 1
        return 0 if counts.get("done") == len(self.cells) and self.tables else 3


def run_status(folder: str | Path) -> RunStatus:
    """How the run in ``folder`` stands. Sizes of files are compared, contents are not read.

    Raises:
        EquipoiseError: The folder holds no run.
    """
    store, record = Store(folder), read_record(folder)
    cells = tuple(_status(store, cell) for cell in cells_of(record))
    return RunStatus(str(record.get("name", "study")), cells, (store.results / OVERVIEW).is_file())


def _status(store: Store, cell: Cell) -> CellStatus:
    folder, claims = store.cell_folder(cell), store.claims
    note = claims.note(cell)
    if claims.is_claimed(cell):
        return CellStatus(cell, "running", note=note)
    if folder.is_dir():
        problem = cell_fault(folder, sizes_only=True)
        if problem:
            return CellStatus(cell, "damaged", problem=problem)
        return CellStatus(cell, "done", seconds=_seconds(folder))
    if error := claims.failure(cell):
        return CellStatus(cell, "failed", problem=str(error))
    begun = partial_folder(folder).is_dir()
    return CellStatus(cell, "stopped" if begun else "missing", note=note)


def _seconds(folder: Path) -> float | None:
    summary = read_or_none(folder / SUMMARY)
    cost = summary.get("cost") if isinstance(summary, dict) else None
    if not isinstance(cost, dict):
        return None
    return round(float(cost.get("fit_seconds", 0)) + float(cost.get("sampling_seconds", 0)), 3)
