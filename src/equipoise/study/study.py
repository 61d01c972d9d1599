"""A study: every method with every seed, on one task and one model."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from equipoise.artifacts import read_or_none, write_json
from equipoise.errors import EquipoiseError
from equipoise.evaluation import Evaluation
from equipoise.model.language_model import LanguageModel, load_model
from equipoise.study.cell import run_cell
from equipoise.study.environment import environment
from equipoise.study.progress import StudyProgress
from equipoise.study.results import collect, write_results
from equipoise.study.specification import Cell, Specification, read_specification
from equipoise.study.store import NOT_DONE, Store


@dataclass(frozen=True)
class StudyResult:
    """What a run of a study ends with.

    Attributes:
        evaluation: Scores of all cells; ``evaluation.compliance`` is the main table.
        folder: The run's folder.
        written: Files and folders in it that a reader wants, results first.
        computed: Cells computed now.
        skipped: Cells that were done before.
    """

    evaluation: Evaluation
    folder: Path
    written: tuple[Path, ...]
    computed: tuple[Cell, ...]
    skipped: tuple[Cell, ...]


class Study:
    """A controlled trial: the same task, model, sampling and seeds for every method.

    >>> study = Study.from_toml("studies/quickstart.toml")  # doctest: +SKIP
    >>> print(study.run().evaluation)  # doctest: +SKIP
    """

    def __init__(self, specification: Specification) -> None:
        self.specification = specification

    @classmethod
    def from_toml(cls, path: str | Path, overrides: Iterable[str] = ()) -> Study:
        """The study of a file; see ``read_specification`` for the arguments and errors."""
        return cls(read_specification(path, overrides))

    def run(self, out: str | Path | None = None, *, quiet: bool = False) -> StudyResult:
        """Compute all cells that are not done yet, and the tables over all.

        A stopped run is continued by calling it again: finished cells are kept, and a cell that
        was being trained goes on from its last checkpoint.

        Args:
            out: Folder of the run, by default ``runs/NAME`` below the current one.
            quiet: Show no bars and lines.

        Raises:
            EquipoiseError: The folder holds other results or cannot be written, the model cannot
                be loaded, or a cell fails.
            KeyboardInterrupt: The run was stopped; what is done is kept.
        """
        specification = self.specification
        store = Store(out or Path("runs") / specification.study.name)
        with store.locked():
            store.open_for(specification)
            states = {cell: store.state(cell, specification) for cell in specification.cells()}
            to_do = {cell: state for cell, state in states.items() if state is not None}
            with StudyProgress(len(to_do), quiet=quiet) as progress:
                for cell, state in to_do.items():
                    if state != NOT_DONE:
                        progress.say(f"{cell} is computed again: {state}.")
                self._compute(list(to_do), store, progress)
                return self._finish(store, list(to_do), progress)

    def _compute(self, cells: list[Cell], store: Store, progress: StudyProgress) -> None:
        """Compute ``cells``; the base model is loaded anew only after a method has changed it."""
        lm: LanguageModel | None = None
        untuned: dict[str, pd.DataFrame] = {}
        for cell in cells:
            changes = self.specification.methods[cell.label].changes_weights
            progress.begin_cell(str(cell))
            partial = store.begin(cell, self.specification)
            if lm is None or changes:
                lm = None  # not two models in memory
                lm = self._load(progress, announce=cell == cells[0])
                if not changes:
                    lm.use_compute_type()
            try:
                balanced = run_cell(cell, self.specification, lm, partial, progress, untuned)
                aside = store.finish(cell, partial)
            except EquipoiseError:
                progress.say(f"{cell} failed; the cells finished so far are kept.")
                raise
            if changes:
                lm = None
            nothing = math.isnan(balanced)
            progress.end_cell(
                "nothing delivered" if nothing else f"{100 * balanced:.1f} % balanced"
            )
            if aside:
                progress.say(f"The damaged folder it replaces is kept: {aside}")

    def _load(self, progress: StudyProgress, *, announce: bool) -> LanguageModel:
        study = self.specification.study
        with progress.paused():  # fetching a model draws bars of its own
            lm = load_model(
                study.model, device=study.device, dtype=study.dtype, progress=not progress.quiet
            )
        if announce:
            progress.say(f"{lm.name} on {lm.precision}")
        return lm

    def _finish(self, store: Store, computed: list[Cell], progress: StudyProgress) -> StudyResult:
        evaluation = collect(self.specification, store, progress)
        written = write_results(evaluation, store.results)
        if computed or read_or_none(store.folder / "environment.json") is None:
            write_json(store.folder / "environment.json", environment())
        skipped = [cell for cell in self.specification.cells() if cell not in computed]
        return StudyResult(
            evaluation=evaluation,
            folder=store.folder,
            written=(*written, store.folder / "environment.json", store.folder / "cells"),
            computed=tuple(computed),
            skipped=tuple(skipped),
        )


def stopped(out: Path) -> EquipoiseError:
    """What to tell a user whose run was stopped."""
    return EquipoiseError(
        "stopped; finished cells and checkpoints are kept",
        file=out,
        mend="Run the same command again to go on.",
    )
