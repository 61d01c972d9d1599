"""The examination of a study's models: the base model, and each that a method has made.

What they say lies in ``measures/`` of the run: ``answers_MODEL.csv`` the answers to the requests of
an examination, ``retention_MODEL.csv`` how far a tuned model has gone from its base on the base
model's own answers. A model is asked once, and only for what is not known yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from equipoise.files.manifest import recorded_sums, sha256
from equipoise.measures.side_effects.answers import SEED, draw_answers
from equipoise.measures.side_effects.examination import answer_items
from equipoise.measures.side_effects.requests import TOKENS, Request, requests_for
from equipoise.measures.side_effects.retention import retention_items
from equipoise.measures.side_effects.table import BASE
from equipoise.model.endpoint import is_endpoint
from equipoise.runs.cell import Cell
from equipoise.runs.layout import MODEL
from equipoise.runs.model_answers import keep_table, known_table
from equipoise.runs.store import Store
from equipoise.study.pinned_context import pin_context
from equipoise.study.progress import StudyProgress
from equipoise.study.specification import Specification

if TYPE_CHECKING:
    from equipoise.model.language_model import LanguageModel

FORMAT = 1
"""Raised when the meaning of what is stored changes; models are then asked anew."""

ANSWER_TYPES = {"ended": "bool"}
ITEM_TYPES = {"value": "float64"}


def examine_models(
    specification: Specification, store: Store, cells: Iterable[Cell], progress: StudyProgress
) -> pd.DataFrame | None:
    """Items of all models, with ``method`` and ``seed``; None where nothing is to be examined.

    Methods that change no weights leave the model as it was, and are not examined.

    Args:
        specification: The study.
        store: Where its cells are, and where answers are kept.
        cells: Those that are finished.
        progress: Shows how it goes.
    """
    tuned = [cell for cell in cells if specification.methods[cell.label].changes_weights]
    if not (specification.measures.side_effects and tuned):
        return None
    if is_endpoint(specification.study.model):
        return None
    base = _Examined(specification, store, progress)
    parts = [base.answered().assign(method=BASE, seed=pd.NA)]
    for cell in tuned:
        model = _Examined(specification, store, progress, cell)
        found = pd.concat([model.answered(), model.compared(base)], ignore_index=True)
        parts.append(found.assign(method=cell.label, seed=cell.seed))
    items = pd.concat(parts, ignore_index=True)
    return items.astype({"seed": "Int64"})


@dataclass
class _Examined:
    """One model, which is loaded when it is first asked; the base model where no cell is named."""

    specification: Specification
    store: Store
    progress: StudyProgress
    cell: Cell | None = None
    _lm: LanguageModel | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """How its files and its lines call it."""
        return "base" if self.cell is None else f"{self.cell.label}_seed{self.cell.seed}"

    @property
    def _requests(self) -> list[Request]:
        return requests_for(self.specification.task)

    def answered(self) -> pd.DataFrame:
        """Items of what it answers."""
        return answer_items(self._answers(), self.specification.task)

    def compared(self, base: _Examined) -> pd.DataFrame:
        """Items of how far it has gone from the base model."""
        answers = base._answers()
        question = {**self._identity(), "answers_sha256": sha256(base._file("answers"))}
        return self._table(
            "retention",
            question,
            ITEM_TYPES,
            lambda lm: retention_items(base._load(), lm, answers),
        )

    def _answers(self) -> pd.DataFrame:
        """What it answers."""
        sampling, requests = self.specification.sampling, self._requests
        question = {
            **self._identity(),
            "sampling": sampling.model_dump(mode="json"),
            "tokens": dict(TOKENS),
            "seed": SEED,
            "requests": [one.text for one in requests],
        }
        return self._table(
            "answers", question, ANSWER_TYPES, lambda lm: draw_answers(lm, requests, sampling)
        )

    def _identity(self) -> dict[str, Any]:
        """What makes it the model that it is."""
        study = self.specification.conditions()["study"]
        identity = {"format": FORMAT, **{name: study[name] for name in ("model", "model_sha256")}}
        if self.cell is not None:
            sums = recorded_sums(self.store.cell_folder(self.cell))
            weights = {file: sums[file] for file in sorted(sums) if file.startswith(f"{MODEL}/")}
            identity["weights"] = weights
        return identity

    def _table(
        self,
        part: str,
        question: Mapping[str, Any],
        types: Mapping[str, str],
        ask: Callable[[LanguageModel], pd.DataFrame],
    ) -> pd.DataFrame:
        """A part of the examination: what is stored of it, or what the model says now."""
        name, folder = f"{part}_{self.name}", self.store.measures
        known = known_table(folder, name, question, types)
        if known is None:
            known = self._ask(part, ask)
            keep_table(folder, name, question, known)
        return known.round(6)  # as it is stored

    def _ask(self, part: str, ask: Callable[[LanguageModel], pd.DataFrame]) -> pd.DataFrame:
        """What the model says now; loads it if that has not been done."""
        of = "the base model" if self.cell is None else str(self.cell)
        with self.progress.measuring(f"{part} of {of}", len(self._requests), "requests"):
            return ask(self._load())

    def _file(self, part: str) -> Path:
        return self.store.measures / f"{part}_{self.name}.csv"

    def _load(self) -> LanguageModel:
        """The model, weights in its compute type."""
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
