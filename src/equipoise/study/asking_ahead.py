"""What models are asked before the tables are written, by processes that have no cell to compute.

The tables ask for what is missing, one model after the other. Where several processes share a run,
those that wait for the last cells ask meanwhile, each another model. What they take down is what
the tables would have: the same parts, in the same files.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from equipoise.files.locks import is_held, try_lock
from equipoise.measures.model_answers import BASE, INDEPENDENT
from equipoise.model.endpoint import is_endpoint
from equipoise.runs.cell import Cell
from equipoise.runs.store import Store
from equipoise.study.examinations import Examinations
from equipoise.study.measures import judge_fluency
from equipoise.study.progress import StudyProgress
from equipoise.study.results import judged_completions
from equipoise.study.specification import Specification

POLL_SECONDS = 0.2

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
        self._done: set[tuple[Errand, bool]] = set()

    def all(self) -> None:
        """Run errands until none is left; wait while another process asks the base model."""
        while self.one() or self._must_wait():
            pass

    def one(self) -> bool:
        """Run an errand that is due and that nobody else is on; False if there is none.

        Each is due once before the last cell is done and once after: what cells that were finished
        in between ask of the same model is then asked as well, and the rest is known. What goes
        wrong is left to the tables, which ask again and can say so.
        """
        if is_endpoint(self._specification.study.model):
            return False
        done = self._finished()
        complete = len(done) == len(self._specification.cells())
        for errand in self._due(done, complete=complete):
            if (errand, complete) in self._done:
                continue
            lock = try_lock(self._lock(errand))
            if lock is None:
                if errand is None:
                    return False  # others are measured against what the base model says
                continue
            try:
                with contextlib.suppress(Exception):
                    self._run(errand)
            finally:
                lock.release()
            self._done.add((errand, complete))
            return True
        return False

    def _must_wait(self) -> bool:
        waits = is_held(self._lock(None))
        if waits:
            time.sleep(POLL_SECONDS)
        return waits

    def _lock(self, errand: Errand) -> Path:
        return self._store.claims.folder / "asked" / f"{_name(errand)}.lock"

    def _finished(self) -> list[Cell]:
        cells = self._specification.cells()
        return [cell for cell in cells if self._store.cell_folder(cell).is_dir()]

    def _due(self, done: Sequence[Cell], *, complete: bool) -> Iterator[Errand]:
        """What can be asked by now, the base model first, and judges when all cells are done."""
        if not done:
            return
        yield None
        yield from (c for c in done if self._specification.methods[c.label].changes_weights)
        if complete:
            yield from (BASE, INDEPENDENT)

    def _run(self, errand: Errand) -> None:
        specification, store, progress = self._specification, self._store, self._progress
        cells = self._finished()
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
