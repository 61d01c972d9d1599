"""The examination of a model outside of a study: asked once, nothing is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from equipoise.measures.side_effects.examination import Ask, Examination
from equipoise.measures.side_effects.instruments import Instrument
from equipoise.measures.side_effects.table import BASE, labelled
from equipoise.model.draws import Sampling
from equipoise.model.registry import model_label
from equipoise.task.task import Task

if TYPE_CHECKING:
    from equipoise.model.language_model import LanguageModel


@dataclass
class Loaded:
    """A model by its name; see `examination.Examined`."""

    name: str
    _lm: LanguageModel | None = field(default=None, repr=False)
    _parts: dict[str, pd.DataFrame] = field(default_factory=dict, repr=False)

    def load(self) -> LanguageModel:
        """See `Examined.load`."""
        if self._lm is None:
            from equipoise.model.loading import load_model

            self._lm = load_model(self.name, progress=False)
            self._lm.use_compute_type()
        return self._lm

    def part(
        self, name: str, question: Mapping[str, Any], types: Mapping[str, type], ask: Ask
    ) -> pd.DataFrame:
        """See `Examined.part`."""
        if name not in self._parts:
            self._parts[name] = ask(self.load())
        return self._parts[name]


def examine(
    model: str,
    against: str | None,
    task: Task,
    instruments: Sequence[Instrument] = (),
    sampling: Sampling | None = None,
) -> pd.DataFrame:
    """Items of all quantities of a model and of its base, with ``method`` and ``seed``.

    Args:
        model: An embedded model, a folder or a Hub id.
        against: The model that it was made of, if there is one to compare with.
        task: Gives terms, subjects of stories, and an axis.
        instruments: What else is asked.
        sampling: How answers are drawn; by default as the protocol does it.

    Raises:
        EquipoiseError: A model cannot be loaded, or the two have different vocabularies.
    """
    examination = Examination(task, sampling or Sampling(), instruments)
    parts = []
    base = None if against is None else Loaded(against)
    if base is not None:
        parts.append(labelled(examination.items(base), BASE))
    parts.append(labelled(examination.items(Loaded(model), base), model_label(model)))
    return pd.concat(parts, ignore_index=True)
