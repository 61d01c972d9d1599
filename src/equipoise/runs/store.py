"""How a study's results get into its run's folder: whole cells or nothing."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from equipoise.errors import EquipoiseError
from equipoise.files.artifacts import (
    clear_write_errors,
    make_folder,
    read_or_none,
    sync_folder,
    write_json,
)
from equipoise.files.interrupts import finishing
from equipoise.files.locks import LOCK, waiting
from equipoise.files.manifest import MANIFEST, seal, sha256
from equipoise.runs import layout
from equipoise.runs.cell import Cell
from equipoise.runs.cell_locks import Claims
from equipoise.runs.cell_seal import cell_fault
from equipoise.runs.layout import CONFIG, CONTEXT, ENVIRONMENT, RECORD
from equipoise.runs.study_description import (
    StudyDescription,
    check_comparable,
    first_difference,
)

NOT_DONE = "not done yet"
"""State of a cell that no run has finished."""


class Store:
    """The folder of one study's run.

    ``cells/LABEL/seedS/`` holds a finished cell, sealed by a manifest; a cell in progress is in
    ``cells/LABEL/.seedS.partial/`` and is renamed when it is complete. What a finished cell came
    from stands in its ``config.json``; ``study.json`` tells people what the folder is. Processes
    that share the folder agree through its `claims`.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    @property
    def results(self) -> Path:
        """Folder of the tables over all cells."""
        return self.folder / layout.RESULTS

    @property
    def measures(self) -> Path:
        """Folder of what models have said of the completions."""
        return self.folder / layout.MEASURES

    def cell_folder(self, cell: Cell) -> Path:
        """Folder of a finished cell."""
        return layout.cell_folder(self.folder, cell)

    @property
    def claims(self) -> Claims:
        """Who is at work on which cell."""
        return Claims(self.folder)

    @contextlib.contextmanager
    def opened(self, study: StudyDescription) -> Iterator[None]:
        """Create the folder and work in it; others may at the same time, on the same study.

        What is stored must come from the same conditions; then they are recorded. Methods and seeds
        may be added to a study: cells that exist stay valid. Whatever would make existing cells
        incomparable is refused. As long as no cell of a method is finished, its settings may
        change.

        Raises:
            EquipoiseError: A finished cell, or a run that is at work there, is of other settings;
                the first that differs is named. Or the folder cannot be written, or it holds
                something else; then nothing in it was touched.
        """
        with clear_write_errors(self.folder):
            self._refuse_foreign()
        make_folder(self.folder)
        with contextlib.ExitStack() as stack:
            with self.exclusive():
                self._record(study, alone=not self.claims.anyone_present())
                stack.enter_context(self.claims.present())
            yield
        with self.exclusive():
            if not self.claims.anyone_present():
                self.claims.clear()

    @contextlib.contextmanager
    def joined(self, study: StudyDescription) -> Iterator[None]:
        """Work in the folder for a run that has opened it.

        Raises:
            EquipoiseError: The study, its task or its model have changed since.
        """
        if read_or_none(self.folder / RECORD) != study.record():
            raise EquipoiseError(
                "the study's task or model has changed since the run began, or another run has "
                "opened the folder",
                file=self.folder,
                hint="Run the same command again.",
            )
        with contextlib.ExitStack() as stack:
            with self.exclusive():
                stack.enter_context(self.claims.present())
            yield

    def exclusive(self) -> contextlib.AbstractContextManager[None]:
        """Wait until no other process opens or closes the folder, and keep them from it."""
        return waiting(self.folder / LOCK)

    def writing_tables(self) -> contextlib.AbstractContextManager[None]:
        """Wait until no other process writes the tables over all cells, and keep them from it."""
        return waiting(self.claims.folder / "tables.lock")

    def _record(self, study: StudyDescription, *, alone: bool) -> None:
        """Compare the specification with what is stored, and write it down."""
        check_comparable(self.folder, study)
        record, stored = study.record(), read_or_none(self.folder / RECORD)
        if stored == record:
            pass
        elif alone or stored is None:
            write_json(self.folder / RECORD, record)
        else:
            name, theirs, ours = first_difference(stored, record) or ("", None, None)
            raise EquipoiseError(
                f"another run is at work in this folder, with {theirs!r} where this one has "
                f"{ours!r}",
                file=self.folder,
                field=name,
                hint="Wait for it, or choose another folder with --out.",
            )
        if alone:
            with clear_write_errors(self.folder):
                for leftover in self.folder.rglob(".*.tmp"):  # of a run killed while writing
                    leftover.unlink()

    def state(self, cell: Cell, study: StudyDescription) -> str | None:
        """None if a cell is finished and undamaged, else why it must be computed."""
        folder = self.cell_folder(cell)
        if not folder.is_dir():
            return NOT_DONE
        problem = cell_fault(folder)
        if problem is None:
            config = read_or_none(folder / CONFIG)
            if first_difference(config, study.cell_config(cell)):
                problem = f"its {CONFIG} is missing or of other settings"
        return problem

    def begin(self, cell: Cell, study: StudyDescription) -> Path:
        """The working folder of a cell: what an interrupted run left there is kept if it fits.

        What does not fit, because settings have changed since, is set aside.
        """
        folder = self.cell_folder(cell)
        partial = layout.partial_folder(folder)
        config = study.cell_config(cell)
        if partial.is_dir() and read_or_none(partial / CONFIG) != config:
            _set_aside(partial, f".{folder.name}.other")
        make_folder(partial)
        with clear_write_errors(partial):
            for leftover in partial.rglob(".*.tmp"):  # of a run killed while writing
                leftover.unlink()
        write_json(partial / CONFIG, config)
        return partial

    def finish(self, cell: Cell, partial: Path) -> Path | None:
        """Seal a working folder and make it the cell's.

        Returns:
            Where a damaged earlier folder of the cell now is, if there was one.
        """
        folder = self.cell_folder(cell)
        with finishing():
            shutil.rmtree(partial / layout.CHECKPOINTS, ignore_errors=True)
            seal(partial)
            aside = _set_aside(folder, f".{folder.name}.damaged") if folder.exists() else None
            with clear_write_errors(folder):
                partial.rename(folder)
                sync_folder(folder.parent)
        return aside

    def seal_results(self) -> None:
        """Seal the tables, and with them the files beside them that no manifest names."""
        there = [name for name in self.beside() if (self.folder / name).is_file()]
        sums = {f"{name}_sha256": sha256(self.folder / name) for name in there}
        seal(self.results, **sums)

    def beside(self) -> list[str]:
        """Files whose sums are in the manifest of the tables, seen from the run's folder."""
        questions = sorted(path.name for path in self.measures.glob("*.json"))
        manifest = read_or_none(self.results / MANIFEST)
        # A study of endpoints has no contexts.
        sealed = isinstance(manifest, dict) and f"{CONTEXT}_sha256" in manifest
        contexts = [CONTEXT] if sealed or (self.folder / CONTEXT).is_file() else []
        asked = (f"{self.measures.name}/{name}" for name in questions)
        return [RECORD, ENVIRONMENT, *contexts, *asked]

    def beside_fault(self, name: str) -> str | None:
        """What is wrong with one of these files; None if nothing is."""
        manifest = read_or_none(self.results / MANIFEST)
        if not (self.folder / name).is_file():
            return "it is missing"
        if not isinstance(manifest, dict) or f"{name}_sha256" not in manifest:
            return f"its sum is missing: {self.results.name}/{MANIFEST} is missing or damaged"
        if sha256(self.folder / name) != manifest[f"{name}_sha256"]:
            return "its SHA-256 is not the recorded one"
        return None

    def _refuse_foreign(self) -> None:
        """Raise if the folder exists and is no study's."""
        is_run = (self.folder / RECORD).exists() or layout.finished_folders(self.folder)
        if is_run or not self.folder.is_dir():
            return
        begun = (LOCK, layout.WORK, f".{RECORD}.")  # a run that has just begun, or was killed then
        if any(not path.name.startswith(begun) for path in self.folder.iterdir()):
            raise EquipoiseError(
                f"the folder is not empty and holds no {RECORD}, so it is no study's",
                file=self.folder,
                hint="Choose another folder with --out.",
            )


def _set_aside(folder: Path, name: str) -> Path:
    """Rename ``folder`` to ``name`` and the first free number."""
    number = 1
    while (aside := folder.with_name(f"{name}{number}")).exists():
        number += 1
    with clear_write_errors(aside):
        return folder.rename(aside)
