"""One cell of a study: fit a method with a seed, draw completions, score them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pandas as pd

from equipoise.artifacts import clear_write_errors, write_json
from equipoise.evaluation import by_seed, score, write_table
from equipoise.methods.method import Workspace
from equipoise.model.language_model import LanguageModel
from equipoise.study.environment import environment
from equipoise.study.progress import StudyProgress
from equipoise.study.specification import Cell, Specification

TRAINING_DATA = "train_examples.csv"


def run_cell(
    cell: Cell,
    specification: Specification,
    lm: LanguageModel,
    folder: Path,
    progress: StudyProgress,
) -> float:
    """Compute a cell into ``folder``; its balance rate (0-1) over all subjects.

    Writes what the method writes, ``completions.csv`` and ``summary.json``.
    """
    method, task = specification.methods[cell.label], specification.task
    workspace = Workspace(folder, folder / "model", progress.report, progress.say)
    precision, started = lm.precision, time.perf_counter()
    with clear_write_errors(folder):
        policy = method.fit(lm, task, cell.seed, workspace)
    fitted = time.perf_counter()
    completions = policy.completions(
        cell.label,
        [subject.name for subject in task.subjects],
        specification.study.samples_per_subject,
        specification.sampling,
        cell.seed,
        progress.report,
    )
    drawn = time.perf_counter()
    write_table(folder / "completions.csv", completions)
    rates = by_seed(score(completions, task, policy.training_texts or None), task)
    summary = {
        "label": cell.label,
        "method": method.name,
        "model": lm.name,
        "seed": cell.seed,
        "precision": precision,
        "fit_seconds": round(fitted - started, 3),
        "sampling_seconds": round(drawn - fitted, 3),
        "tokens_drawn": int(completions["tokens"].sum()),
        "rates": _records(rates),
        "environment": environment(),
    }
    write_json(folder / "summary.json", summary)
    return float(rates.loc[rates["split"] == "all", "balanced"].iloc[0])


def _records(rates: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as plain data; what was not measured is null."""
    rows = rates.drop(columns=["method", "seed"]).astype(object)
    return [
        {str(name): None if pd.isna(value) else value for name, value in row.items()}
        for row in rows.to_dict("records")
    ]
