"""What models are asked before the tables are written, by processes that have no cell to compute.

The tables ask for what is missing, one model after the other. Where several processes share a run,
those that wait for the last cells ask meanwhile, each another model. What they take down is what
the tables would have: the same parts, in the same files.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from equipoise.files.locks import try_lock
from equipoise.measures.model_answers import BASE, INDEPENDENT
from equipoise.model.endpoint import is_endpoint
from equipoise.runs.cell import Cell
from equipoise.runs.store import Store
from equipoise.study.examinations import Examinations
from equipoise.study.measures import judge_fluency
from equipoise.study.progress import StudyProgress
from equipoise.study.results import judged_completions
from equipoise.study.specification import Specification

Errand = Cell | str | None
"""A model that a cell has made, a judge of all completions, or the base model."""


class AskingAhead:
    """Errands of a run, of which a process takes one at a time.

    Args:
        specification: The study.
        store: Where its cells are, and where answers are kept.
        progress: Shows how it goes.
    """

    def __init__(self, specification: Specification, store: Store, progress: StudyProgress) -> None:
        self._specification, self._store, self._progress = specification, store, progress
        self._done: set[Errand] = set()

    def one(self) -> bool:
        """Run an errand that is due and that nobody else is on; False if there is none.

        What goes wrong is left to the tables, which ask again and can say so.
        """
        if is_endpoint(self._specification.study.model):
            return False
        for errand in self._due():
            if errand in self._done:
                continue
            lock = try_lock(self._store.claims.folder / "asked" / f"{_name(errand)}.lock")
            if lock is None:
                if errand is None:
                    return False  # others are measured against what the base model says
                continue
            try:
                with contextlib.suppress(Exception):
                    self._run(errand)
            finally:
                lock.release()
            self._done.add(errand)
            return True
        return False

    def _due(self) -> Iterator[Errand]:
        """What can be asked by now, the base model first, and judges when all cells are done."""
        specification, store = self._specification, self._store
        done = [c for c in specification.cells() if store.cell_folder(c).is_dir()]
        if not done:
            return
        yield None
        yield from (c for c in done if specification.methods[c.label].changes_weights)
        if len(done) == len(specification.cells()):
            yield from (BASE, INDEPENDENT)

    def _run(self, errand: Errand) -> None:
        specification, store, progress = self._specification, self._store, self._progress
        cells = [c for c in specification.cells() if store.cell_folder(c).is_dir()]
        if isinstance(errand, str):
            frame = judged_completions(specification, store, cells)
            judge_fluency(specification, errand, frame, store.measures, progress)
        else:
            examinations = Examinations(specification, store, cells, progress)
            examinations.ask(errand)
            examinations.ended()


def _name(errand: Errand) -> str:
    if errand is None:
        return "base"
    return f"fluency_{errand}" if isinstance(errand, str) else f"{errand.label}_seed{errand.seed}"
