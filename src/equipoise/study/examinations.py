"""What a study's models are asked beside their completions: the base model, and each that was made.

Of every model from which a cell draws: what it associates, which of two sentences it likes more,
and what it says when the listed terms are taken away. Of models that a method has made: what else
changed: ``answers_MODEL.csv`` are the answers to the requests of an examination,
``retention_MODEL.csv`` says how far it has gone from its base on the base model's own answers, and
there is a file for each instrument that the study names.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from equipoise.errors import EquipoiseError
from equipoise.measures.side_effects.examination import Examination
from equipoise.measures.side_effects.table import BASE, labelled
from equipoise.model.draws import Question
from equipoise.model.endpoint import is_endpoint
from equipoise.runs.cell import Cell
from equipoise.runs.store import Store
from equipoise.study.asked_model import AskedModel
from equipoise.study.measures_table import instruments_of
from equipoise.study.model_measures import association, preferences, questions, without_listed
from equipoise.study.progress import StudyProgress
from equipoise.study.specification import Specification

Asked = tuple[Question, ...]
"""All questions of a cell."""


@dataclass
class OfModels:
    """What models have said.

    Attributes:
        associations: For each cell, see ``association.association_table``.
        preferences: Likewise, see ``held_out_preference.preference_table``.
        without_listed: Likewise, see ``without_listed.without_listed_table``.
        side_effects: Items of all models of which it was asked what else changed.
    """

    associations: dict[Cell, pd.DataFrame] = field(default_factory=dict)
    preferences: dict[Cell, pd.DataFrame] = field(default_factory=dict)
    without_listed: dict[Cell, pd.DataFrame] = field(default_factory=dict)
    side_effects: list[pd.DataFrame] = field(default_factory=list)


def examine_models(
    specification: Specification, store: Store, cells: Iterable[Cell], progress: StudyProgress
) -> OfModels:
    """Ask all models from which ``cells`` draw. A model behind an endpoint is asked nothing.

    Args:
        specification: The study.
        store: Where its cells are, and where answers are kept.
        cells: Those that are finished.
        progress: Shows how it goes.
    """
    if is_endpoint(specification.study.model):
        return OfModels()
    examinations = Examinations(specification, store, cells, progress)
    for maker in (None, *examinations.makers):
        examinations.ask(maker)
    return examinations.ended()


class Examinations:
    """All models from which finished cells draw, asked one by one.

    Args:
        specification: The study.
        store: Where its cells are, and where answers are kept.
        cells: Those that are finished.
        progress: Shows how it goes.

    Attributes:
        makers: Cells that have made the models, in the study file's order.
    """

    def __init__(
        self,
        specification: Specification,
        store: Store,
        cells: Iterable[Cell],
        progress: StudyProgress,
    ) -> None:
        self._specification, self._store, self._progress = specification, store, progress
        self._users: dict[Cell | None, list[Cell]] = defaultdict(list)
        for cell in cells:
            changes = specification.methods[cell.label].changes_weights
            self._users[cell if changes else specification.start(cell)].append(cell)
        self.makers = [maker for maker in self._users if maker is not None]
        self._askers = _askers(specification)
        self._base = AskedModel(specification, store, progress)
        self._examination = _examination(specification) if self.makers else None
        self._found = OfModels()

    def ask(self, maker: Cell | None) -> None:
        """Ask the model that ``maker`` has made, or the base model, which must be the first."""
        base, model = self._base, self._base
        if maker is not None:
            model = AskedModel(self._specification, self._store, self._progress, maker)
        _ask(model, self._users.get(maker, ()), self._askers, self._found)
        if self._examination is not None:
            against = None if maker is None else base
            self._examination = _examine(self._examination, model, self._found, against)
        if maker is not None:
            model.leave()

    def ended(self) -> OfModels:
        """What all have said; no more is asked."""
        self._base.leave()
        if self._examination is None:
            self._found.side_effects.clear()
        return self._found


def _askers(specification: Specification) -> dict[Asked, Cell]:
    """For each thing that is asked of models, the first cell of the study that asks it."""
    found: dict[Asked, Cell] = {}
    for cell in specification.cells():
        found.setdefault(questions(cell, specification), cell)
    return found


def _ask(
    model: AskedModel, users: Sequence[Cell], askers: Mapping[Asked, Cell], found: OfModels
) -> None:
    """What ``model`` says of itself, for each of the cells that draw from it."""
    if not users:
        return
    associated, preferred = association(model), preferences(model)
    for cell in users:
        asked = questions(cell, model.specification)
        said = without_listed(model, asked, askers[asked]) if asked else None
        for of_cell, table in (
            (found.associations, associated),
            (found.preferences, preferred),
            (found.without_listed, said),
        ):
            if table is not None:
                of_cell[cell] = table


def _examination(specification: Specification) -> Examination | None:
    """What else models are asked that a method has made; None where the study leaves it out."""
    measures, task = specification.measures, specification.task
    if not measures.side_effects:
        return None
    return Examination(task, specification.sampling, instruments_of(measures, task))


def _examine(
    examination: Examination, model: AskedModel, found: OfModels, base: AskedModel | None = None
) -> Examination | None:
    """Ask what else changed. None where a model cannot be: no table of the study is taken down.

    Its context may be too short for the requests, and the user is told.
    """
    label, seed = (BASE, None) if model.maker is None else (model.maker.label, model.maker.seed)
    try:
        items = examination.items(model, base)
    except EquipoiseError as error:
        model.progress.say(f"What else changed is left out: {error}")
        return None
    found.side_effects.append(labelled(items, label, seed))
    return examination
