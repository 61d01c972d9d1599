"""One cell of a study: fit a method with a seed, draw completions, score them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from equipoise.artifacts import clear_write_errors, read_or_none, write_json
from equipoise.evaluation import by_seed, score, write_table
from equipoise.evaluation.association import association_table
from equipoise.evaluation.by_model import score_all
from equipoise.evaluation.cost import acceptance_table
from equipoise.evaluation.occupation_shares import read_shares, task_shares
from equipoise.methods.method import Delivery, Policy, Workspace
from equipoise.model.language_model import LanguageModel
from equipoise.study.environment import environment
from equipoise.study.peak_memory import PeakMemory
from equipoise.study.progress import StudyProgress
from equipoise.study.specification import Cell, Specification
from equipoise.task.task import Task

COMPLETIONS = "completions.csv"
ASSOCIATION = "association.csv"
OWN_SCORES = "own_scores.csv"


def run_cell(
    cell: Cell,
    specification: Specification,
    lm: LanguageModel,
    folder: Path,
    progress: StudyProgress,
    learnt_before: Sequence[str] = (),
    untuned: dict[str, pd.DataFrame] | None = None,
) -> float:
    """Compute a cell into ``folder``; its balance rate (0-1) over all subjects.

    Writes what the method writes, ``completions.csv``, ``association.csv`` (what its model
    associates with occupations) and ``summary.json``; where a model was tuned also
    ``own_scores.csv`` (how likely it finds its own sentences), where completions are rejected also
    all ``draws.csv`` and ``acceptance.csv``.

    Args:
        cell: What is computed.
        specification: The study it belongs to.
        lm: What the method starts from; changed in place where the method changes it.
        folder: The cell's working folder.
        progress: Shows how it goes.
        learnt_before: Sentences that ``lm`` was trained on already.
        untuned: Remembers what the untuned model associates, from one cell to the next.
    """
    method, task = specification.methods[cell.label], specification.task
    workspace = Workspace(
        folder, folder / "model", progress.report, progress.say, specification.sampling
    )
    precision, memory, started = lm.precision, PeakMemory(), time.perf_counter()
    with clear_write_errors(folder):
        policy = method.fit(lm, task, cell.seed, workspace)
    fitted, fit_peak = time.perf_counter(), memory.read()
    wanted = specification.study.samples_per_subject
    delivery = policy.deliver(
        cell.label,
        [subject.name for subject in task.subjects],
        wanted,
        specification.sampling,
        cell.seed,
        progress.report,
    )
    drawn, sampling_peak = time.perf_counter(), memory.read()
    write_table(folder / COMPLETIONS, delivery.completions)
    if delivery.draws is not None:
        write_table(folder / "draws.csv", delivery.draws)
        write_table(folder / "acceptance.csv", acceptance_table(delivery.draws, wanted))
    if (associations := _associations(specification, cell, policy, lm, untuned)) is not None:
        write_table(folder / ASSOCIATION, associations)
    if method.changes_weights and specification.measures.fluency:
        own = score_all(policy.lm, delivery.completions, task, "prompt", progress.report)
        write_table(folder / OWN_SCORES, own)
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
            "fit_peak_gb": fit_peak,
            "sampling_peak_gb": sampling_peak,
            "trainable_parameters": _trainable_parameters(folder),
        },
        "rates": _records(rates),
        "environment": environment(),
    }
    write_json(folder / "summary.json", summary)
    return float(scored["balanced"].mean())


def _associations(
    specification: Specification,
    cell: Cell,
    policy: Policy,
    lm: LanguageModel,
    untuned: dict[str, pd.DataFrame] | None,
) -> pd.DataFrame | None:
    """What the policy's model associates with the task's and Winogender's occupations.

    None where no occupation's share of women is known.
    """
    winogender = specification.measures.winogender
    shares = {} if winogender is None else read_shares(winogender)
    shares |= task_shares(specification.task)
    if not shares:
        return None
    method = specification.methods[cell.label]
    tuned = method.changes_weights or method.init_from is not None
    remembered = {} if untuned is None or tuned else untuned
    if lm.name not in remembered or policy.lm is not lm:
        found = association_table(policy.lm, shares)
        if policy.lm is not lm:
            return found
        remembered[lm.name] = found
    return remembered[lm.name]


def _trainable_parameters(folder: Path) -> int:
    """How many weights the method learnt, as it wrote down itself; 0 if it learnt none."""
    info = read_or_none(folder / "training_info.json")
    return int(info.get("trainable_parameters", 0)) if isinstance(info, dict) else 0


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
