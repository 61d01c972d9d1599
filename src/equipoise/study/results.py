"""The tables over all finished cells of a study."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from equipoise.evaluation import (
    Evaluation,
    by_seed,
    compliance_table,
    read_completions,
    remarks,
    score,
    write_table,
)
from equipoise.evaluation.csv_file import read_rows
from equipoise.study.cell import TRAINING_DATA
from equipoise.study.specification import Specification
from equipoise.study.store import Store


def collect(specification: Specification, store: Store) -> Evaluation:
    """Score the stored completions of all cells, which are finished, in the study file's order."""
    task = specification.task
    scored = []
    for cell in specification.cells():
        folder = store.cell_folder(cell)
        completions = read_completions(folder / "completions.csv", task)
        scored.append(score(completions, task, _training_texts(folder)))
    frame = pd.concat(scored, ignore_index=True)
    seeds = by_seed(frame, task)
    return Evaluation(frame, seeds, compliance_table(seeds), tuple(remarks(frame, task)))


def write_results(evaluation: Evaluation, folder: Path) -> list[Path]:
    """Write ``by_seed.csv`` and ``compliance.csv``; their paths."""
    tables = {"by_seed.csv": evaluation.by_seed, "compliance.csv": evaluation.compliance}
    for name, table in tables.items():
        write_table(folder / name, table)
    return [folder / name for name in tables]


def _training_texts(folder: Path) -> list[str] | None:
    path = folder / TRAINING_DATA
    return read_rows(path).columns["text"] if path.is_file() else None
