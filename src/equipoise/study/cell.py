"""One cell of a study: fit a method with a seed, draw completions, score them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from equipoise.artifacts import clear_write_errors, write_json
from equipoise.evaluation import by_seed, score, write_table
from equipoise.evaluation.cost import acceptance_table
from equipoise.methods.method import Delivery, Workspace
from equipoise.model.language_model import LanguageModel
from equipoise.study.environment import environment
from equipoise.study.progress import StudyProgress
from equipoise.study.specification import Cell, Specification
from equipoise.task.task import Task

COMPLETIONS = "completions.csv"


def run_cell(
    cell: Cell,
    specification: Specification,
    lm: LanguageModel,
    folder: Path,
    progress: StudyProgress,
    learnt_before: Sequence[str] = (),
) -> float:
    """Compute a cell into ``folder``; its balance rate (0-1) over all subjects.

    Writes what the method writes, ``completions.csv`` and ``summary.json``, and where completions
    are rejected also all ``draws.csv`` and ``acceptance.csv``.

    Args:
        cell: The cell.
        specification: Its study.
        lm: What the method starts from; changed in place by methods that train.
        folder: Receives everything.
        progress: Is told how it goes.
        learnt_before: Sentences that ``lm`` was trained on already.
    """
    method, task = specification.methods[cell.label], specification.task
    workspace = Workspace(
        folder, folder / "model", progress.report, progress.say, specification.sampling
    )
    precision, started = lm.precision, time.perf_counter()
    with clear_write_errors(folder):
        policy = method.fit(lm, task, cell.seed, workspace)
    fitted = time.perf_counter()
    wanted = specification.study.samples_per_subject
    delivery = policy.deliver(
        cell.label,
        [subject.name for subject in task.subjects],
        wanted,
        specification.sampling,
        cell.seed,
        progress.report,
    )
    drawn = time.perf_counter()
    write_table(folder / COMPLETIONS, delivery.completions)
    if delivery.draws is not None:
        write_table(folder / "draws.csv", delivery.draws)
        write_table(folder / "acceptance.csv", acceptance_table(delivery.draws, wanted))
    scored = score(delivery.completions, task, [*learnt_before, *policy.training_texts] or None)
    rates = by_seed(scored, task)
    summary = {
        "label": cell.label,
        "method": method.name,
        "model": lm.name,
        "model_revision": getattr(lm.model.config, "_commit_hash", None),
        "seed": cell.seed,
        "precision": precision,
        "cost": {
            **_counts(delivery, scored, task, wanted),
            "fit_seconds": round(fitted - started, 3),
            "sampling_seconds": round(drawn - fitted, 3),
        },
        "rates": _records(rates),
        "environment": environment(),
    }
    write_json(folder / "summary.json", summary)
    return float(scored["balanced"].mean())


def _counts(delivery: Delivery, scored: pd.DataFrame, task: Task, wanted: int) -> dict[str, Any]:
    """Completions wanted, delivered and drawn, and what they cost in tokens."""
    draws = delivery.draws
    every = scored if draws is None else score(draws, task)
    return {
        "wanted": wanted * len(task.subjects),
        "delivered": len(scored),
        "draws": len(every),
        "accepted": len(scored) if draws is None else int(draws["accepted"].sum()),
        "rejects": draws is not None,
        "tokens": int(every["tokens"].sum()),
        "balanced_delivered": int(scored["balanced"].sum()),
        "balanced_draws": int(every["balanced"].sum()),
    }


def _records(rates: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as plain data; what was not measured is null."""
    rows = rates.drop(columns=["method", "seed"]).astype(object)
    return [
        {str(name): None if pd.isna(value) else value for name, value in row.items()}
        for row in rows.to_dict("records")
    ]
