"""One cell of a study: fit a method with a seed, draw completions, score them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pandas as pd

from equipoise.artifacts import write_json
from equipoise.evaluation import by_seed, score, write_table
from equipoise.evaluation.completions import COLUMNS, as_completions
from equipoise.methods.method import Policy, Workspace
from equipoise.model.language_model import LanguageModel
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
    started = time.perf_counter()
    policy = method.fit(lm, task, cell.seed, workspace)
    fitted = time.perf_counter()
    completions = draw_completions(policy, cell, specification, progress)
    drawn = time.perf_counter()
    write_table(folder / "completions.csv", completions)
    rates = by_seed(score(completions, task, policy.training_texts or None), task)
    write_json(
        folder / "summary.json",
        {
            "label": cell.label,
            "method": method.name,
            "model": specification.study.model,
            "seed": cell.seed,
            "precision": lm.precision,
            "fit_seconds": round(fitted - started, 3),
            "sampling_seconds": round(drawn - fitted, 3),
            "tokens_drawn": int(completions["tokens"].sum()),
            "rates": _records(rates),
        },
    )
    return float(rates.loc[rates["split"] == "all", "balanced"].iloc[0])


def draw_completions(
    policy: Policy, cell: Cell, specification: Specification, progress: StudyProgress
) -> pd.DataFrame:
    """The cell's completions frame: ``samples_per_subject`` of each subject of the task."""
    task, n = specification.task, specification.study.samples_per_subject
    subjects = [subject.name for subject in task.subjects]
    total, done = n * len(subjects), 0

    def on_drawn(count: int) -> None:
        nonlocal done
        done += count
        progress.report("sampling", done, total)

    on_drawn(0)
    draws = policy.draw(subjects, n, specification.sampling, cell.seed, on_drawn)
    rows = [
        {
            "subject": subject,
            "run": run,
            "text": task.response_prefix(subject) + draw.text,
            "tokens": draw.tokens,
        }
        for subject, of_subject in zip(subjects, draws, strict=True)
        for run, draw in enumerate(of_subject)
    ]
    frame = as_completions(pd.DataFrame(rows), task, method=cell.label, seed=cell.seed)
    return frame[list(COLUMNS)]


def _records(rates: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as plain data; what was not measured is null."""
    rows = rates.drop(columns=["method", "seed"]).astype(object)
    return [
        {str(name): None if pd.isna(value) else value for name, value in row.items()}
        for row in rows.to_dict("records")
    ]
