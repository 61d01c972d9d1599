"""One cell of a study: fit a method with a seed, draw completions, score them."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from equipoise.files.artifacts import clear_write_errors, read_or_none, write_json
from equipoise.measures import by_seed, score, write_table
from equipoise.measures.association import association_table
from equipoise.measures.by_model import score_all
from equipoise.measures.cost import acceptance_table
from equipoise.measures.occupation_shares import read_shares
from equipoise.methods.method import Delivery, Policy, Workspace
from equipoise.model.language_model import LanguageModel
from equipoise.model.remote import Endpoint
from equipoise.runs.environment import environment
from equipoise.study.peak_memory import PeakMemory
from equipoise.study.progress import StudyProgress
from equipoise.study.specification import Cell, Specification
from equipoise.task.task import Task

COMPLETIONS = "completions.csv"
ASSOCIATION = "association.csv"
OWN_SCORES = "own_scores.csv"
ANSWERS = "answers.jsonl"


def run_cell(
    cell: Cell,
    specification: Specification,
    lm: LanguageModel | Endpoint,
    folder: Path,
    progress: StudyProgress,
    learnt_before: Sequence[str] = (),
    known_association: Path | None = None,
) -> float:
    """Compute a cell into ``folder``; its balance rate (0-1) over all subjects.

    Writes what the method writes, ``completions.csv``, ``association.csv`` (what its model
    associates with occupations) and ``summary.json``; where a model was tuned also
    ``own_scores.csv`` (how likely it finds its own sentences), where completions are rejected also
    all ``draws.csv`` and ``acceptance.csv``; of an endpoint ``answers.jsonl``, one line an answer,
    from which a stopped cell goes on.

    Args:
        cell: What is computed.
        specification: The study it belongs to.
        lm: What the method starts from; changed in place where the method changes it. An endpoint
            only for methods that need no weights, which the specification makes sure of.
        folder: The cell's working folder.
        progress: Shows how it goes.
        learnt_before: Sentences that ``lm`` was trained on already.
        known_association: What ``lm``, which the method leaves as it is, associates with
            occupations, where another cell has measured it: a file to be copied.
    """
    method, task = specification.methods[cell.label], specification.task
    workspace = Workspace(
        folder, folder / "model", progress.report, progress.say, specification.sampling
    )
    if isinstance(lm, Endpoint):
        lm = lm.keeping(folder / ANSWERS)
    precision, meter = lm.precision, _Meter()
    with clear_write_errors(folder):
        policy = method.fit(lm, task, cell.seed, workspace)  # type: ignore[arg-type]
    cost: dict[str, Any] = meter.read("fit")
    wanted = specification.study.samples_per_subject
    delivery = policy.deliver(
        cell.label,
        [subject.name for subject in task.subjects],
        wanted,
        specification.sampling,
        cell.seed,
        progress.report,
    )
    cost |= meter.read("sampling")
    write_table(folder / COMPLETIONS, delivery.completions)
    if delivery.draws is not None:
        write_table(folder / "draws.csv", delivery.draws)
        write_table(folder / "acceptance.csv", acceptance_table(delivery.draws, wanted))
    _write_association(specification, policy, folder, known_association)
    if method.changes_weights and specification.measures.fluency:
        assert isinstance(policy.lm, LanguageModel)  # noqa: S101 - only such are tuned
        own = score_all(policy.lm, delivery.completions, task, "prompt", progress.report)
        write_table(folder / OWN_SCORES, own)
    scored = score(delivery.completions, task, [*learnt_before, *policy.training_texts] or None)
    rates = by_seed(scored, task)
    cost = {**_counts(delivery, scored, task, wanted), **cost}
    cost["trainable_parameters"] = _trainable_parameters(folder)
    if isinstance(lm, Endpoint):
        cost |= spending(lm)
    summary = {
        "label": cell.label,
        "method": method.name,
        "model": lm.name,
        "model_revision": _revision(lm),
        "seed": cell.seed,
        "precision": precision,
        "cost": cost,
        "rates": _records(rates),
        "environment": environment(),
    }
    write_json(folder / "summary.json", summary)
    if isinstance(lm, LanguageModel) and method.changes_weights:
        _write_cards(cell, specification, lm, workspace, rates)
    return float(scored["balanced"].mean())


def _write_cards(
    cell: Cell,
    specification: Specification,
    lm: LanguageModel,
    workspace: Workspace,
    rates: pd.DataFrame,
) -> None:
    """Write the cards of the models that a cell made, with what was measured of them."""
    from equipoise.publishing.write import write_cards

    write_cards(
        specification.methods[cell.label],
        lm,
        specification.task,
        cell.seed,
        workspace,
        starts=[earlier.label for earlier in specification.line(cell)],
        sampling=specification.sampling,
        rates=rates,
    )


def _write_association(
    specification: Specification, policy: Policy, folder: Path, known: Path | None
) -> None:
    """Write what the policy's model associates with the task's and Winogender's occupations.

    Not where the task's axis has no shares or no words for it, nor for endpoints, which give no
    probabilities of words.
    """
    if known is not None:
        with clear_write_errors(folder):
            shutil.copyfile(known, folder / ASSOCIATION)
        return
    winogender, axis = specification.measures.winogender, specification.task.axis
    shares = {} if winogender is None else read_shares(winogender)
    shares |= specification.task.shares
    if axis and axis.unfitted.probes and shares and not isinstance(policy.lm, Endpoint):
        write_table(folder / ASSOCIATION, association_table(policy.lm, axis, shares))


class _Meter:
    """Reads what each stage of a cell took."""

    def __init__(self) -> None:
        self._memory, self._last = PeakMemory(), time.perf_counter()

    def read(self, stage: str) -> dict[str, Any]:
        """Seconds and peak memory (GB) since the last reading, named after the ``stage``."""
        now = time.perf_counter()
        spent = {f"{stage}_seconds": round(now - self._last, 3)}
        self._last = now
        return {**spent, f"{stage}_peak_gb": self._memory.read()}


def spending(endpoint: Endpoint) -> dict[str, Any]:
    """Requests, tokens of prompts and price (null without prices) of an endpoint's answers."""
    usage = endpoint.usage
    return {
        "requests": usage.requests,
        "prompt_tokens": usage.prompt_tokens,
        "price": endpoint.price,
    }


def _revision(lm: LanguageModel | Endpoint) -> str | None:
    """The commit that a Hub model was loaded from."""
    return None if isinstance(lm, Endpoint) else getattr(lm.model.config, "_commit_hash", None)


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
