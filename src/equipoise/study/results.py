"""The tables over all finished cells of a study."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pandas as pd

from equipoise.artifacts import read_json
from equipoise.errors import EquipoiseError
from equipoise.evaluation import Evaluation, assemble, read_completions, score, write_table
from equipoise.evaluation.cost import cost_table, shortfalls
from equipoise.evaluation.csv_file import read_rows
from equipoise.study.cell import ASSOCIATION, COMPLETIONS, TRAINING_DATA
from equipoise.study.measures import ask_models
from equipoise.study.progress import StudyProgress
from equipoise.study.specification import Cell, Specification
from equipoise.study.store import Store


def collect(specification: Specification, store: Store, progress: StudyProgress) -> Evaluation:
    """Measure the stored completions of all cells, which are finished, in the study file's order.

    What only models can say is asked for now, unless it is known from an earlier run.
    """
    task = specification.task
    scored, costs = [], []
    for cell in specification.cells():
        folder = store.cell_folder(cell)
        cost = read_json(folder / "summary.json")["cost"]
        costs.append({"method": cell.label, **cost})
        if cost["delivered"]:
            completions = read_completions(folder / COMPLETIONS, task)
            scored.append(score(completions, task, _training_texts(folder)))
    if not scored:
        raise EquipoiseError(
            "no method has delivered a single completion",
            file=store.folder,
            mend="Raise max_draws or ask with another prompt, in another folder (--out).",
        )
    frame = pd.concat(scored, ignore_index=True)
    cost = cost_table(costs)
    by_model = replace(
        ask_models(specification, frame, store.measures, progress),
        associations=_associations(specification.cells(), store),
    )
    controls = {label: method.control for label, method in specification.methods.items()}
    notes = tuple(shortfalls(cost))
    return assemble(frame, task, by_model, cost=cost, controls=controls, notes=notes)


def write_results(evaluation: Evaluation, folder: Path) -> list[Path]:
    """Write every table to a file of its own; their paths."""
    tables = evaluation.tables()
    for name, table in tables.items():
        write_table(folder / name, table)
    return [folder / name for name in tables]


def _associations(cells: Iterable[Cell], store: Store) -> pd.DataFrame | None:
    """What the cells' models associate; None if no cell took it down."""
    found = []
    for cell in cells:
        path = store.cell_folder(cell) / ASSOCIATION
        if path.is_file():  # cells of an older version have none
            table = pd.DataFrame(read_rows(path).columns).astype(
                {"women": "float64", "log_odds": "float64"}
            )
            found.append(table.assign(method=cell.label, seed=cell.seed))
    return pd.concat(found, ignore_index=True) if found else None


def _training_texts(folder: Path) -> list[str] | None:
    path = folder / TRAINING_DATA
    return read_rows(path).columns["text"] if path.is_file() else None
