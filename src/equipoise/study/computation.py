"""Cells of a study computed by one process: which it takes, what each builds on, which fail.

Any number of processes may do this in one folder at the same time. Each takes a cell that is free
and whose models are there, until none is left.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path

from equipoise.errors import EquipoiseError
from equipoise.model.endpoint import is_endpoint
from equipoise.model.language_model import LanguageModel
from equipoise.model.loading import load_model
from equipoise.model.protocol import Model
from equipoise.model.registry import model_label
from equipoise.model.remote import Endpoint
from equipoise.runs.cell import Cell
from equipoise.runs.layout import COMPLETIONS, MODEL
from equipoise.runs.store import NOT_DONE, Store
from equipoise.study.cell import Ground, run_cell
from equipoise.study.pinned_context import pin_context
from equipoise.study.progress import StudyProgress
from equipoise.study.results import learnt_texts, told_terms
from equipoise.study.specification import Specification

POLL_SECONDS = 0.5
"""How often a process that has nothing to do looks for a cell that has become free."""


class Computation:
    """Computes cells into a store; a model in memory serves as many of them as it can.

    Args:
        specification: The study.
        store: Where its cells are.
        progress: Shows how it goes.
        after_cell: Called when a cell has ended, here or elsewhere.
        meanwhile: Does something else where no cell is free; False if there is nothing to do.

    Attributes:
        computed: Cells that were computed here.
        failed: Cells that could not be computed, here or elsewhere, each with the reason.
    """

    def __init__(
        self,
        specification: Specification,
        store: Store,
        progress: StudyProgress,
        after_cell: Callable[[], None] = lambda: None,
        meanwhile: Callable[[], bool] = lambda: False,
    ) -> None:
        self._specification, self._store, self._progress = specification, store, progress
        self._after_cell, self._meanwhile = after_cell, meanwhile
        self._claims = store.claims
        self._lm: LanguageModel | None = None
        self._announced = False
        self.computed: list[Cell] = []
        self.failed: dict[Cell, EquipoiseError] = {}

    def run(self, cells: Mapping[Cell, str]) -> None:
        """See that each of ``cells`` is computed, by this process or by another one.

        A failing cell takes no other down but those that build on it.

        Args:
            cells: Each with its state, and each after all that it builds on.

        Raises:
            EquipoiseError: The model cannot be loaded, or the store cannot be written.
        """
        left, waiting = dict(cells), False
        while left:
            settled = next((cell for cell in left if self._settle(cell, left)), None)
            if settled is not None:
                del left[settled]
                self._after_cell()
                continue
            if not waiting:
                self._progress.say("Waiting for cells that other processes compute.")
                waiting = True
            self._lm = None  # not more models in memory than must be
            if not self._meanwhile():
                time.sleep(POLL_SECONDS)
        self._lm = None

    def _settle(self, cell: Cell, left: Mapping[Cell, str]) -> bool:
        """Compute ``cell``, or find that another process did; False if it must wait."""
        needed = self._specification.needs(cell)
        if failed := next((one for one in needed if one in self.failed), None):
            self._progress.begin_cell(str(cell))
            self._fail(cell, EquipoiseError(f"it builds on {failed}, which failed"))
            self._progress.end_cell("not begun, as what it builds on failed")
            return True
        if any(one in left for one in needed):
            return False
        with self._claims.claim(cell) as claim:
            if claim is None:
                return False
            if self._is_done(cell, left[cell]):
                return True
            if elsewhere := self._claims.failure(cell):
                self.failed[cell] = elsewhere
                return True
            self._progress.begin_cell(str(cell), claim.report)
            partial = self._store.begin(cell, self._specification)
            lm = self._model_for(cell)
            try:
                self._compute(cell, lm, partial)
                self.computed.append(cell)
            except Exception as error:
                self._lm = None  # it may be half trained
                self._fail(cell, _as_failure(error))
                _forget_frames(error)
                self._progress.end_cell("failed; the cells finished so far are kept")
        return True

    def _is_done(self, cell: Cell, before: str) -> bool:
        """Whether another process has finished ``cell`` since it was found to be ``before``."""
        if before == NOT_DONE:
            return self._store.cell_folder(cell).is_dir()  # renamed into place when it was sealed
        return self._store.state(cell, self._specification) is None

    def _fail(self, cell: Cell, error: EquipoiseError) -> None:
        self.failed[cell] = error
        with contextlib.suppress(EquipoiseError):  # a full disk; this process knows all the same
            self._claims.fail(cell, error)

    def _compute(self, cell: Cell, lm: Model, partial: Path) -> None:
        outcome = run_cell(cell, self._specification, lm, partial, self._ground(cell))
        aside = self._store.finish(cell, partial)
        self._progress.end_cell(outcome)
        if aside:
            self._progress.say(f"The damaged folder it replaces is kept: {aside}")

    def _ground(self, cell: Cell) -> Ground:
        """What ``cell`` builds on; all of it is finished."""
        specification, store = self._specification, self._store
        needed = specification.needs(cell)
        folders = {one.label: store.cell_folder(one) for one in needed}
        return Ground(
            {label: folder / MODEL for label, folder in folders.items()},
            {label: folder / COMPLETIONS for label, folder in folders.items()},
            learnt_texts(store, reversed(specification.line(cell))),
            told_terms(store, needed),
        )

    def _model_for(self, cell: Cell) -> Model:
        """The base model, loaded anew only after a method has changed it; or what it starts from.

        Tuned models are loaded under the base model's name.
        """
        if is_endpoint(self._specification.study.model):
            return self._endpoint()
        changed = self._specification.methods[cell.label].changes_weights
        start = self._specification.start(cell)
        if changed or start is not None:
            self._lm = None  # not two models in memory
            lm = self._load(self._store.cell_folder(start) / MODEL if start else None)
            if not changed:
                lm.use_compute_type()
            return lm
        if self._lm is None:
            self._lm = self._load(None)
            self._lm.use_compute_type()
        return self._lm

    def _endpoint(self) -> Endpoint:
        specification = self._specification
        endpoint = Endpoint(specification.study.model, specification.endpoint)
        if not self._announced:
            self._progress.say(f"{endpoint.name} at {endpoint.precision}")
            self._announced = True
        return endpoint

    def _load(self, folder: Path | None) -> LanguageModel:
        study, progress = self._specification.study, self._progress
        _free_memory()
        with progress.paused():  # fetching a model draws bars of its own
            lm = load_model(
                folder or study.model,
                device=study.device,
                dtype=study.dtype,
                progress=not progress.quiet,
            )
        lm.name = model_label(study.model)
        lm.model.config._name_or_path = lm.name
        pin_context(lm, self._specification.task, self._store)
        if not self._announced:
            progress.say(f"{lm.name} on {lm.precision}")
            self._announced = True
        return lm


def _free_memory() -> None:
    """Give back what earlier cells left: objects that name each other, and the C library's heap."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):  # a C library without it
        ctypes.CDLL(None).malloc_trim(0)


def _forget_frames(error: BaseException) -> None:
    """Let go of what was in memory where ``error`` and its causes arose, the model above all."""
    cause: BaseException | None = error
    while cause is not None:
        traceback.clear_frames(cause.__traceback__)
        cause = cause.__cause__ or cause.__context__


def _as_failure(error: Exception) -> EquipoiseError:
    """``error`` as the reason for which a cell is missing."""
    if isinstance(error, EquipoiseError):
        return error
    if isinstance(error, MemoryError):
        return EquipoiseError("out of memory")
    reason = next((line for line in str(error).splitlines() if line.strip()), "")
    failure = EquipoiseError(
        f"{type(error).__name__}: {reason}".rstrip(": ."),
        hint="This is not expected: run again with --debug and report what it shows.",
    )
    failure.__cause__ = error
    return failure
