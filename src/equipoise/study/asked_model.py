"""A study's model that is asked something beside completions: the base model, or one that was made.

What it says lies in ``measures/`` of the run, a part in a file, beside the question that it
answers. A model is asked once, and only for what is not known yet.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import pandas as pd

from equipoise.files.manifest import recorded_sums
from equipoise.measures.side_effects.examination import Ask
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


@dataclass
class AskedModel:
    """One model of a study; see `Examined`.

    Attributes:
        specification: The study.
        store: Where its cells are, and where answers are kept.
        progress: Shows how it goes.
        maker: The cell that made the model; None for the base model.
    """

    specification: Specification
    store: Store
    progress: StudyProgress
    maker: Cell | None = None
    _lm: LanguageModel | None = field(default=None, repr=False)
    _seconds: float = 0.0

    def part(
        self, name: str, question: Mapping[str, Any], types: Mapping[str, type], ask: Ask
    ) -> pd.DataFrame:
        """See `Examined.part`: what is stored of it, or what the model says now."""
        of = "base" if self.maker is None else f"{self.maker.label}_seed{self.maker.seed}"
        stored, folder = f"{name}_{of}", self.store.measures
        about = {**self._identity(), **question}
        known = known_table(folder, stored, about, types)
        if known is None:
            started = time.monotonic()
            with self.progress.asking():
                known = ask(self.load()).round(6).astype(dict(types))  # as it is stored
            keep_table(folder, stored, about, known)
            self._seconds += time.monotonic() - started
        return known

    def load(self) -> LanguageModel:
        """See `Examined.load`."""
        if self._lm is None:
            from equipoise.model.loading import load_model

            study, progress = self.specification.study, self.progress
            folder = self.store.cell_folder(self.maker) / MODEL if self.maker else study.model
            with progress.paused():
                self._lm = load_model(
                    folder, device=study.device, dtype=study.dtype, progress=not progress.quiet
                )
            self._lm.use_compute_type()
            pin_context(self._lm, self.specification.task, self.store)
        return self._lm

    def leave(self) -> None:
        """Nothing more is asked: say how long it took, and free its memory."""
        self._lm = None
        if self._seconds:
            self.progress.say(f"{self.maker or 'base model'} examined ({self._seconds:.0f} s)")

    def _identity(self) -> dict[str, Any]:
        """What makes it the model that it is."""
        study = self.specification.conditions()["study"]
        identity = {"format": FORMAT, **{name: study[name] for name in ("model", "model_sha256")}}
        if self.maker is not None:
            sums = recorded_sums(self.store.cell_folder(self.maker))
            weights = PurePath(MODEL).joinpath("*.safetensors")  # a card may be added later
            names = sorted(name for name in sums if PurePath(name).match(str(weights)))
            identity["weights"] = {name: sums[name] for name in names}
        return identity
