"""The cells of a study computed one after the other: which model each starts from, which fail."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from equipoise.errors import EquipoiseError
from equipoise.model.language_model import LanguageModel, load_model
from equipoise.model.registry import model_label
from equipoise.study.cell import run_cell
from equipoise.study.progress import StudyProgress
from equipoise.study.results import learnt_texts
from equipoise.study.specification import Cell, Specification
from equipoise.study.store import Store


class Computation:
    """Computes cells into a store; a model in memory serves as many of them as it can.

    Attributes:
        failed: Cells that could not be computed, each with the reason.
    """

    def __init__(self, specification: Specification, store: Store, progress: StudyProgress) -> None:
        self._specification, self._store, self._progress = specification, store, progress
        self._lm: LanguageModel | None = None
        self._announced = False
        self._untuned: dict[str, pd.DataFrame] = {}
        self.failed: dict[Cell, EquipoiseError] = {}

    def run(self, cells: Iterable[Cell]) -> None:
        """Compute ``cells``, of which each comes after the one that it starts from.

        A failing cell takes no other down but those that start from it.

        Raises:
            EquipoiseError: The model cannot be loaded, or the store cannot be written.
        """
        for cell in cells:
            self._progress.begin_cell(str(cell))
            start = next(iter(self._specification.line(cell)), None)
            if start in self.failed:
                self.failed[cell] = EquipoiseError(f"it starts from {start}, which failed")
                self._progress.end_cell("not begun, as what it starts from failed")
                continue
            partial = self._store.begin(cell, self._specification)
            lm = self._model_for(cell, start)
            try:
                self._compute(cell, start, lm, partial)
            except EquipoiseError as error:
                self.failed[cell] = error
                self._lm = None  # it may be half trained
                self._progress.end_cell("failed; the cells finished so far are kept")

    def _compute(self, cell: Cell, start: Cell | None, lm: LanguageModel, partial: Path) -> None:
        before = learnt_texts(self._specification, self._store, start) if start else ()
        balanced = run_cell(
            cell, self._specification, lm, partial, self._progress, before, self._untuned
        )
        aside = self._store.finish(cell, partial)
        nothing = math.isnan(balanced)
        self._progress.end_cell(
            "nothing delivered" if nothing else f"{100 * balanced:.1f} % balanced"
        )
        if aside:
            self._progress.say(f"The damaged folder it replaces is kept: {aside}")

    def _model_for(self, cell: Cell, start: Cell | None) -> LanguageModel:
        """The base model, loaded anew only after a method has changed it; or what ``start`` made.

        Tuned models are loaded under the base model's name.
        """
        changed = self._specification.methods[cell.label].changes_weights
        if changed or start is not None:
            self._lm = None  # not two models in memory
            lm = self._load(self._store.cell_folder(start) / "model" if start else None)
            if not changed:
                lm.use_compute_type()
            return lm
        if self._lm is None:
            self._lm = self._load(None)
            self._lm.use_compute_type()
        return self._lm

    def _load(self, folder: Path | None) -> LanguageModel:
        study, progress = self._specification.study, self._progress
        with progress.paused():  # fetching a model draws bars of its own
            lm = load_model(
                folder or study.model,
                device=study.device,
                dtype=study.dtype,
                progress=not progress.quiet,
            )
        lm.name = model_label(study.model)
        lm.model.config._name_or_path = lm.name
        if not self._announced:
            progress.say(f"{lm.name} on {lm.precision}")
            self._announced = True
        return lm
