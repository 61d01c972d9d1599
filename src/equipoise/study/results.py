"""The tables over all finished cells of a study."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from equipoise.artifacts import read_json
from equipoise.errors import EquipoiseError
from equipoise.evaluation import (
    Evaluation,
    by_seed,
    compliance_table,
    read_completions,
    remarks,
    score,
    write_table,
)
from equipoise.evaluation.cost import cost_table, shortfalls
from equipoise.evaluation.csv_file import read_rows
from equipoise.methods.method import TRAINING_DATA
from equipoise.study.cell import COMPLETIONS
from equipoise.study.settings_table import settings_table
from equipoise.study.specification import Cell, Specification
from equipoise.study.store import Store


def collect(specification: Specification, store: Store, missing: Sequence[Cell] = ()) -> Evaluation:
    """Score the stored completions of all cells but the ``missing``, in the study file's order."""
    task = specification.task
    scored, costs = [], []
    for cell in specification.cells():
        if cell in missing:
            continue
        folder = store.cell_folder(cell)
        cost = read_json(folder / "summary.json")["cost"]
        costs.append({"method": cell.label, **cost})
        if cost["delivered"]:
            completions = read_completions(folder / COMPLETIONS, task)
            scored.append(
                score(completions, task, learnt_texts(specification, store, cell) or None)
            )
    if not scored:
        raise EquipoiseError(
            "no method has delivered a single completion",
            file=store.folder,
            mend="Raise max_draws or ask with another prompt, in another folder (--out).",
        )
    frame = pd.concat(scored, ignore_index=True)
    seeds = by_seed(frame, task)
    cost = cost_table(costs)
    notes = (*remarks(frame, task), *shortfalls(cost))
    return Evaluation(frame, seeds, compliance_table(seeds), notes, cost)


def write_results(evaluation: Evaluation, specification: Specification, folder: Path) -> list[Path]:
    """Write ``by_seed.csv``, ``compliance.csv``, ``cost.csv`` and ``settings.csv``; their paths."""
    tables = {"by_seed.csv": evaluation.by_seed, "compliance.csv": evaluation.compliance}
    if evaluation.cost is not None:
        tables["cost.csv"] = evaluation.cost
    tables["settings.csv"] = settings_table(specification.methods, specification.task)
    for name, table in tables.items():
        write_table(folder / name, table)
    return [folder / name for name in tables]


def learnt_texts(specification: Specification, store: Store, cell: Cell) -> list[str]:
    """The sentences that a finished cell and all that it builds on were trained on."""
    paths = [
        store.cell_folder(one) / TRAINING_DATA
        for one in (*reversed(specification.line(cell)), cell)
    ]
    return [text for path in paths if path.is_file() for text in read_rows(path).columns["text"]]
