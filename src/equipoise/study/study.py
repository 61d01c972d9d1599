"""A study: every method with every seed, on one task and one model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from equipoise.errors import EquipoiseError
from equipoise.files.artifacts import write_json
from equipoise.runs.cell import Cell
from equipoise.runs.environment import environment
from equipoise.runs.layout import CELLS, ENVIRONMENT
from equipoise.runs.store import NOT_DONE, Store
from equipoise.study.computation import Computation
from equipoise.study.engines.assignment import Assignment, Engine
from equipoise.study.engines.watch import Watch
from equipoise.study.forecast import Forecast
from equipoise.study.measures import fetch_judges
from equipoise.study.outcome import CellsFailedError, StudyResult
from equipoise.study.progress import StudyProgress
from equipoise.study.provisional import Provisional
from equipoise.study.results import collect, write_results
from equipoise.study.specification import Specification, read_specification


class Study:
    """A controlled trial: the same task, model, sampling and seeds for every method.

    >>> study = Study.from_toml("quickstart")  # doctest: +SKIP
    >>> print(study.run().evaluation)  # doctest: +SKIP
    """

    def __init__(self, specification: Specification) -> None:
        self.specification = specification

    @classmethod
    def from_toml(cls, path: str | Path, overrides: Iterable[str] = ()) -> Study:
        """The study of a file or a built-in name; see ``read_specification`` for the rest."""
        return cls(read_specification(path, overrides))

    def run(
        self,
        out: str | Path | None = None,
        *,
        quiet: bool = False,
        engine: Engine | None = None,
        forecast: Forecast | None = None,
    ) -> StudyResult:
        """Compute all cells that are not done yet, and the tables over all.

        A stopped run is continued by calling it again: finished cells are kept, and a cell that
        was being trained goes on from its last checkpoint. Several runs of one study in one folder
        share the work.

        Args:
            out: Folder of the run, by default ``runs/NAME`` below the current one.
            quiet: Show no bars and lines.
            engine: Starts other processes that compute the cells; by default this one does.
            forecast: Says how long it will take, before anything is computed.

        Raises:
            CellsFailedError: Cells failed; all others are computed, and the tables are over those.
            EquipoiseError: The folder holds other results or cannot be written, or the model or one
                that judges cannot be loaded.
            KeyboardInterrupt: The run was stopped; what is done is kept.
        """
        specification = self.specification
        store = Store(out or Path("runs") / specification.study.name)
        with store.opened(specification):
            order = specification.computing_order()
            states = {cell: store.state(cell, specification) for cell in order}
            to_do = {cell: state for cell, state in states.items() if state is not None}
            store.claims.forget_failures(to_do)
            with StudyProgress(len(to_do), quiet=quiet) as progress:
                for cell, state in to_do.items():
                    if state != NOT_DONE:
                        progress.say(f"{cell} is computed again: {state}.")
                if to_do:
                    specification.check_model()
                    fetch_judges(specification, progress)
                    if forecast is not None:
                        progress.say(forecast.line(to_do))
                failed = self._compute(store, to_do, progress, engine)
                threads = engine.threads() if engine else None
                return self._finish(store, list(to_do), failed, progress, threads)

    def _compute(
        self,
        store: Store,
        to_do: Mapping[Cell, str],
        progress: StudyProgress,
        engine: Engine | None,
    ) -> Mapping[Cell, EquipoiseError]:
        """Have the cells computed, here or by an engine; those that failed, and why."""
        after_cell = Provisional(self.specification, store, progress).look
        if engine is None or not to_do:
            computation = Computation(self.specification, store, progress, after_cell)
            computation.run(to_do)
            return computation.failed
        watch = Watch(store, to_do, progress, after_cell)
        assignment = Assignment.of(self.specification, store.folder, to_do, engine.threads())
        engine.work(assignment, watch)
        watch.look()
        nobody = EquipoiseError("no worker has finished it")
        return {**watch.failed, **dict.fromkeys(watch.left, nobody)}

    def _finish(
        self,
        store: Store,
        tried: list[Cell],
        failed: Mapping[Cell, EquipoiseError],
        progress: StudyProgress,
        threads: int | None,
    ) -> StudyResult:
        """Write the tables over all finished cells.

        Args:
            store: Where they are.
            tried: Cells that were not done before.
            failed: Those of them that are still missing.
            progress: Shows how it goes.
            threads: Of the processes that computed them, if this was not one.
        """
        problems = tuple(failed.items())
        if len(failed) == len(self.specification.cells()):
            raise CellsFailedError(problems, store.folder, None)
        computed = [cell for cell in tried if cell not in failed]
        with store.writing_tables():
            evaluation = collect(self.specification, store, progress, list(failed))
            written = write_results(evaluation, self.specification, store.results)
            if computed or store.beside_fault(ENVIRONMENT):
                write_json(store.folder / ENVIRONMENT, environment(threads))
            store.seal_results()
        skipped = [cell for cell in self.specification.cells() if cell not in tried]
        result = StudyResult(
            evaluation=evaluation,
            folder=store.folder,
            written=(*written, store.folder / ENVIRONMENT, store.folder / CELLS),
            computed=tuple(computed),
            skipped=tuple(skipped),
            failed=problems,
        )
        if failed:
            # With --debug, what the first failure came from is shown too.
            raise CellsFailedError(problems, store.folder, result) from problems[0][1]
        return result


def stopped(out: Path) -> EquipoiseError:
    """What to tell a user whose run was stopped."""
    return EquipoiseError(
        "stopped; finished cells and checkpoints are kept",
        file=out,
        hint="Run the same command again to go on.",
    )
