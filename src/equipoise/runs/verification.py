"""Every file of a run that has a recorded sum, compared with it; and what to do about damage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from equipoise.files.manifest import MANIFEST, fault
from equipoise.runs.cell import Cell
from equipoise.runs.cell_seal import card_faults, cell_fault
from equipoise.runs.layout import CELLS, MEASURES, RECORD, RESULTS, finished_folders
from equipoise.runs.model_answers import answer_faults
from equipoise.runs.record import cells_of, read_record
from equipoise.runs.store import Store

AGAIN = "run the study again with this folder"
WHEN = f"when you {AGAIN}"


@dataclass(frozen=True)
class Finding:
    """What was compared.

    Attributes:
        path: A sealed folder, or a file, seen from the run's folder.
        problem: What is wrong with it, as half a sentence; None if nothing is.
        hint: What to do about it.
    """

    path: str
    problem: str | None
    hint: str | None = None


def verify_run(folder: str | Path) -> list[Finding]:
    """Compare every sealed folder and file of a run; nothing is changed.

    Sealed are finished cells, checkpoints of cells in progress, what models said of sentences, the
    tables, and the report if there is one.

    Raises:
        EquipoiseError: The folder holds no run.
    """
    root = Path(folder)
    record, store = read_record(root), Store(root)
    return [
        *_cells(root, store, cells_of(record)),
        *_checkpoints(root),
        *_measures(root, store),
        *_results(root, store),
        *_others(root),
    ]


def _cells(root: Path, store: Store, cells: list[Cell]) -> Iterator[Finding]:
    """Finished cells, those that the study no longer names included, and the cards in them."""
    named = [store.cell_folder(cell) for cell in cells]
    found = {*finished_folders(root), *(folder for folder in named if folder.is_dir())}
    hint = f"Its cell is computed again {WHEN}; the damaged one is kept beside it."
    anew = f"It is written anew {WHEN}."
    for folder in sorted(found):
        path = folder.relative_to(root).as_posix()
        problem = cell_fault(folder)
        other = None if folder in named else "The study no longer names it: delete it."
        yield Finding(path, problem, problem and (other or hint))
        for card, problem in card_faults(folder).items():
            yield Finding(f"{path}/{card}", problem, problem and (other or anew))


def _checkpoints(root: Path) -> Iterator[Finding]:
    """Checkpoints of cells in progress; one without a manifest is being written, or was."""
    hint = "Training goes on from the one before it, or anew."
    for folder in sorted(root.glob(f"{CELLS}/*/.seed*.partial/**/checkpoint-*")):
        if (folder / MANIFEST).is_file():
            problem = fault(folder)
            yield Finding(folder.relative_to(root).as_posix(), problem, problem and hint)


def _measures(root: Path, store: Store) -> Iterator[Finding]:
    """What models said of sentences: each record names the sums of the files beside it."""
    hint = f"The models are asked again {WHEN}."
    for file, problem in answer_faults(store.measures):
        yield Finding(file.relative_to(root).as_posix(), problem, problem and hint)


def _results(root: Path, store: Store) -> Iterator[Finding]:
    """The tables over all cells, and what is written anew by every run."""
    hint = f"It is written anew {WHEN}."
    if store.results.is_dir():
        problem = fault(store.results)
        yield Finding(store.results.relative_to(root).as_posix(), problem, problem and hint)
        for name in store.beside():
            problem = store.beside_fault(name)
            if problem and name == RECORD:
                problem += ", unless methods or seeds were added and the run has not ended since"
            yield Finding(name, problem, problem and hint)


def _others(root: Path) -> Iterator[Finding]:
    """Other sealed folders, such as the report's."""
    known = {CELLS, MEASURES, RESULTS}
    for manifest in sorted(root.glob(f"*/{MANIFEST}")):
        if manifest.parent.name not in known and not manifest.parent.name.startswith("."):
            problem = fault(manifest.parent)
            yield Finding(manifest.parent.name, problem, problem and f"Make it again, or {AGAIN}.")
