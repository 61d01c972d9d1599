"""What is measured of a cell's own model, and stored with the cell: it is gone afterwards.

Cells of the very same model do not measure it twice: the file of the one is copied to the other.
Nothing here depends on a seed but through what is asked, so whichever comes first finds the same.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pandas as pd

from equipoise.files.artifacts import clear_write_errors
from equipoise.measures import write_table
from equipoise.measures.association import association_table
from equipoise.measures.held_out_preference import preference_table
from equipoise.measures.occupation_shares import read_shares
from equipoise.measures.without_listed import without_listed_table
from equipoise.model.draws import Question
from equipoise.model.language_model import LanguageModel
from equipoise.model.protocol import Model
from equipoise.runs.cell import Cell
from equipoise.runs.layout import ASSOCIATION, HELD_OUT_PREFERENCE, WITHOUT_LISTED
from equipoise.runs.store import Store
from equipoise.study.specification import Specification

OF_WEIGHTS = (ASSOCIATION, HELD_OUT_PREFERENCE)
"""Files that say the same of the same weights, whatever they are asked."""

OF_QUESTIONS = (WITHOUT_LISTED,)
"""Files that say the same of the same weights where they are asked the same."""


def measure_model(
    cell: Cell, specification: Specification, lm: Model, folder: Path, known: Mapping[str, Path]
) -> None:
    """Write what is measured of ``lm``; nothing without weights.

    Args:
        cell: Whose model it is.
        specification: The study.
        lm: The model as the cell's method left it.
        folder: The cell's working folder.
        known: Files by name that a cell of the very same model has.
    """
    if lm.weights is None:  # an endpoint gives no probabilities of words
        return
    weights = lm.weights
    found: dict[str, Callable[[], pd.DataFrame | None]] = {
        ASSOCIATION: lambda: _association(specification, weights),
        HELD_OUT_PREFERENCE: lambda: preference_table(weights, specification.task),
        WITHOUT_LISTED: lambda: _without_listed(cell, specification, weights),
    }
    for name, table in found.items():
        if name in known:
            with clear_write_errors(folder):
                shutil.copyfile(known[name], folder / name)
        elif (measured := table()) is not None:
            write_table(folder / name, measured)


def _association(specification: Specification, lm: LanguageModel) -> pd.DataFrame | None:
    """What ``lm`` associates with the task's and Winogender's occupations.

    None where the task's axis has no shares or no words for it.
    """
    winogender, axis = specification.measures.winogender, specification.task.axis
    shares = {} if winogender is None else read_shares(winogender)
    shares |= specification.task.shares
    if not (axis and axis.unfitted.probes and shares):
        return None
    return association_table(lm, axis, shares)


def _without_listed(
    cell: Cell, specification: Specification, lm: LanguageModel
) -> pd.DataFrame | None:
    """What ``lm`` says when it may not write the listed terms.

    None where it is not asked for, where nothing is listed, and of methods that guide the drawing.
    """
    n, task = specification.measures.without_listed, specification.task
    if not n or not task.constraint.scored or specification.methods[cell.label].guides_drawing:
        return None
    return without_listed_table(lm, task, questions(cell, specification), n, specification.sampling)


def questions(cell: Cell, specification: Specification) -> list[Question]:
    """What the cell's method asks about all subjects; of one that asks again, the first time."""
    task, method = specification.task, specification.methods[cell.label]
    return method.questions(task, [subject.name for subject in task.subjects], cell.seed)


class SameModels:
    """Finds finished cells of the very same model, whoever computed them, and files they have."""

    def __init__(self, specification: Specification, store: Store) -> None:
        self._specification, self._store = specification, store
        self._undamaged: set[Cell] = set()

    def files(self, cell: Cell, start: Cell | None) -> dict[str, Path]:
        """By name, files of cells that have the weights of ``cell``, or are asked the same too."""
        if self._changes(cell):
            return {}
        found: dict[str, Path] = {}
        for other in self._untuned() if start is None else [start]:
            names = (*OF_WEIGHTS, *OF_QUESTIONS) if self._asks_as(cell, other) else OF_WEIGHTS
            for name in names:
                path = self._store.cell_folder(other) / name
                if path.is_file():
                    found.setdefault(name, path)
        return found

    def _untuned(self) -> Iterator[Cell]:
        """Finished cells of the untuned model; each is compared with its seal once."""
        for cell in self._specification.cells():
            if self._changes(cell) or self._specification.start(cell) is not None:
                continue
            if cell not in self._undamaged:
                if self._store.state(cell, self._specification) is not None:
                    continue
                self._undamaged.add(cell)
            yield cell

    def _asks_as(self, cell: Cell, other: Cell) -> bool:
        """Whether both ask the same, and whatever the model answers is what they draw from."""
        asked = questions(cell, self._specification)
        guided = self._specification.methods[cell.label].guides_drawing
        return not guided and asked == questions(other, self._specification)

    def _changes(self, cell: Cell) -> bool:
        return self._specification.methods[cell.label].changes_weights
