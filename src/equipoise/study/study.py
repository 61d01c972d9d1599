"""A study: every method with every seed, on one task and one model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from equipoise.artifacts import read_or_none, write_json
from equipoise.errors import EquipoiseError
from equipoise.study.computation import Computation
from equipoise.study.environment import environment
from equipoise.study.outcome import CellsFailedError, StudyResult
from equipoise.study.progress import StudyProgress
from equipoise.study.results import collect, write_results
from equipoise.study.specification import Cell, Specification, read_specification
from equipoise.study.store import NOT_DONE, Store


class Study:
    """A controlled trial: the same task, model, sampling and seeds for every method.

    >>> study = Study.from_toml("studies/quickstart.toml")  # doctest: +SKIP
    >>> print(study.run().evaluation)  # doctest: +SKIP
    """

    def __init__(self, specification: Specification) -> None:
        self.specification = specification

    @classmethod
    def from_toml(cls, path: str | Path, overrides: Iterable[str] = ()) -> Study:
        """The study of a file; see ``read_specification`` for the arguments and errors."""
        return cls(read_specification(path, overrides))

    def run(self, out: str | Path | None = None, *, quiet: bool = False) -> StudyResult:
        """Compute all cells that are not done yet, and the tables over all.

        A stopped run is continued by calling it again: finished cells are kept, and a cell that
        was being trained goes on from its last checkpoint.

        Args:
            out: Folder of the run, by default ``runs/NAME`` below the current one.
            quiet: Show no bars and lines.

        Raises:
            CellsFailedError: Cells failed; all others are computed, and the tables are over those.
            EquipoiseError: The folder holds other results or cannot be written, or the model cannot
                be loaded.
            KeyboardInterrupt: The run was stopped; what is done is kept.
        """
        specification = self.specification
        store = Store(out or Path("runs") / specification.study.name)
        with store.locked():
            store.open_for(specification)
            order = specification.computing_order()
            states = {cell: store.state(cell, specification) for cell in order}
            to_do = {cell: state for cell, state in states.items() if state is not None}
            with StudyProgress(len(to_do), quiet=quiet) as progress:
                for cell, state in to_do.items():
                    if state != NOT_DONE:
                        progress.say(f"{cell} is computed again: {state}.")
                computation = Computation(specification, store, progress)
                computation.run(to_do)
                return self._finish(store, list(to_do), computation.failed, progress)

    def _finish(
        self,
        store: Store,
        tried: list[Cell],
        failed: Mapping[Cell, EquipoiseError],
        progress: StudyProgress,
    ) -> StudyResult:
        """Write the tables over all finished cells."""
        problems = tuple(failed.items())
        if len(failed) == len(self.specification.cells()):
            raise CellsFailedError(problems, store.folder, None)
        computed = [cell for cell in tried if cell not in failed]
        evaluation = collect(self.specification, store, progress, list(failed))
        written = write_results(evaluation, self.specification, store.results)
        if computed or read_or_none(store.folder / "environment.json") is None:
            write_json(store.folder / "environment.json", environment())
        skipped = [cell for cell in self.specification.cells() if cell not in tried]
        result = StudyResult(
            evaluation=evaluation,
            folder=store.folder,
            written=(*written, store.folder / "environment.json", store.folder / "cells"),
            computed=tuple(computed),
            skipped=tuple(skipped),
            failed=problems,
        )
        if failed:
            raise CellsFailedError(problems, store.folder, result)
        return result


def stopped(out: Path) -> EquipoiseError:
    """What to tell a user whose run was stopped."""
    return EquipoiseError(
        "stopped; finished cells and checkpoints are kept",
        file=out,
        mend="Run the same command again to go on.",
    )
