"""The examination of a study's models: the base model, and each that a method has made.

What they say lies in ``measures/`` of the run, a part in a file: ``answers_MODEL.csv`` the answers
to the requests of an examination, ``retention_MODEL.csv`` how far a tuned model has gone from its
base on the base model's own answers, and one for each file that the study names. A model is asked
once, and only for what is not known yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from equipoise.errors import EquipoiseError
from equipoise.files.manifest import recorded_sums
from equipoise.measures.side_effects.examination import Ask, Examination
from equipoise.measures.side_effects.table import BASE, labelled
from equipoise.model.endpoint import is_endpoint
from equipoise.runs.cell import Cell
from equipoise.runs.layout import MODEL
from equipoise.runs.model_answers import keep_table, known_table
from equipoise.runs.store import Store
from equipoise.study.measures_table import instruments_of
from equipoise.study.pinned_context import pin_context
from equipoise.study.progress import StudyProgress
from equipoise.study.specification import Specification

if TYPE_CHECKING:
    from equipoise.model.language_model import LanguageModel

FORMAT = 1
"""Raised when the meaning of what is stored changes; models are then asked anew."""


def examine_models(
    specification: Specification, store: Store, cells: Iterable[Cell], progress: StudyProgress
) -> pd.DataFrame | None:
    """Items of all models, with ``method`` and ``seed``; None where nothing is to be examined.

    Methods that change no weights leave the model as it was, and are not examined. A model that
    cannot be (its context may be too short for the requests) takes no table of the study down: the
    user is told.

    Args:
        specification: The study.
        store: Where its cells are, and where answers are kept.
        cells: Those that are finished.
        progress: Shows how it goes.
    """
    tuned = [cell for cell in cells if specification.methods[cell.label].changes_weights]
    measures, model = specification.measures, specification.study.model
    if not (measures.side_effects and tuned) or is_endpoint(model):
        return None
    instruments = instruments_of(measures, specification.task)
    examination = Examination(specification.task, specification.sampling, instruments)
    base = _Examined(specification, store, progress)
    try:
        parts = [labelled(examination.items(base), BASE)]
        for cell in tuned:
            found = examination.items(_Examined(specification, store, progress, cell), base)
            parts.append(labelled(found, cell.label, cell.seed))
    except EquipoiseError as error:
        progress.say(f"What else changed is left out: {error}")
        return None
    return pd.concat(parts, ignore_index=True)


@dataclass
class _Examined:
    """One model; the base model where no cell is named."""

    specification: Specification
    store: Store
    progress: StudyProgress
    cell: Cell | None = None
    _lm: LanguageModel | None = field(default=None, repr=False)

    def part(
        self, name: str, question: Mapping[str, Any], types: Mapping[str, type], ask: Ask
    ) -> pd.DataFrame:
        """See `Examined.part`: what is stored of it, or what the model says now."""
        of = "base" if self.cell is None else f"{self.cell.label}_seed{self.cell.seed}"
        stored, folder = f"{name}_{of}", self.store.measures
        about = {**self._identity(), **question}
        known = known_table(folder, stored, about, types)
        if known is None:
            lm = self.load()
            with self.progress.examining(f"{name}, {self.cell or 'base model'}"):
                known = ask(lm).round(6)  # as it is stored
            keep_table(folder, stored, about, known)
        return known

    def load(self) -> LanguageModel:
        """See `Examined.load`."""
        if self._lm is None:
            from equipoise.model.language_model import load_model

            study, progress = self.specification.study, self.progress
            folder = self.store.cell_folder(self.cell) / MODEL if self.cell else study.model
            with progress.paused():
                self._lm = load_model(
                    folder, device=study.device, dtype=study.dtype, progress=not progress.quiet
                )
            self._lm.use_compute_type()
            pin_context(self._lm, self.specification.task, self.store)
        return self._lm

    def _identity(self) -> dict[str, Any]:
        """What makes it the model that it is."""
        study = self.specification.conditions()["study"]
        identity = {"format": FORMAT, **{name: study[name] for name in ("model", "model_sha256")}}
        if self.cell is not None:
            sums = recorded_sums(self.store.cell_folder(self.cell))
            names = sorted(name for name in sums if name.startswith(f"{MODEL}/"))
            identity["weights"] = {name: sums[name] for name in names}
        return identity
