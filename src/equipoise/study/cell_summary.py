"""What is said of a cell in a few numbers: its rates, what it cost, and on what it ran."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from equipoise.files.artifacts import read_or_none
from equipoise.measures import by_seed
from equipoise.methods.method import TRAINING_INFO, Delivery, Method
from equipoise.model.protocol import Model
from equipoise.runs.cell import Cell
from equipoise.runs.environment import environment
from equipoise.study.peak_memory import PeakMemory
from equipoise.study.specification import Specification
from equipoise.task.task import Task


def cell_summary(
    cell: Cell,
    method: Method[Any],
    task: Task,
    lm: Model,
    precision: str,
    cost: dict[str, Any],
    judged: pd.DataFrame,
    folder: Path,
) -> dict[str, Any]:
    """The cell's ``summary.json``.

    Args:
        cell: Which.
        method: Its method.
        task: The study's task.
        lm: What the method was fitted on.
        precision: In which it computed before it was changed.
        cost: ``counts``, and what the ``Meter`` has read.
        judged: The completions with their judgements.
        folder: The cell's folder, where a method writes down how many weights it learnt.
    """
    cost = {**cost, "trainable_parameters": _trainable_parameters(folder), **lm.spending()}
    return {
        "label": cell.label,
        "method": method.name,
        "model": lm.name,
        "model_revision": lm.revision,
        "seed": cell.seed,
        "by_construction": method.by_construction(task),
        "precision": precision,
        "cost": cost,
        "rates": _records(by_seed(judged, task)),
        "environment": environment(),
    }


class Meter:
    """Reads what each stage of a cell took."""

    def __init__(self) -> None:
        self._memory, self._last = PeakMemory(), time.perf_counter()

    def read(self, stage: str) -> dict[str, Any]:
        """Seconds and peak memory (GB) since the last reading, named after the ``stage``."""
        now = time.perf_counter()
        spent = {f"{stage}_seconds": round(now - self._last, 3)}
        self._last = now
        return {**spent, f"{stage}_peak_gb": self._memory.read()}


def counts(
    delivery: Delivery, judged: pd.DataFrame, drawn: pd.DataFrame, specification: Specification
) -> dict[str, Any]:
    """Completions wanted, delivered and drawn, and what they cost in tokens.

    A draw without a text is an endpoint's answer that says nothing: it was paid for, and is neither
    accepted nor rejected.

    Args:
        delivery: What the policy delivered.
        judged: The completions with their judgements.
        drawn: All draws with theirs; the same frame where none are rejected.
        specification: The study.
    """
    draws, study = delivery.draws, specification.study
    answered = int((drawn["text"] != "").sum())
    accepted = len(judged) if draws is None else int(draws["accepted"].sum())
    return {
        "wanted": study.samples_per_subject * len(specification.task.subjects),
        "delivered": len(judged),
        "draws": len(drawn),
        "answered": answered,
        "accepted": accepted,
        "rejects": draws is not None and (answered == len(drawn) or accepted < answered),
        "tokens": None if drawn["tokens"].isna().any() else int(drawn["tokens"].sum()),
        "balanced_delivered": int(judged["balanced"].sum()),
        "balanced_draws": int(drawn["balanced"].sum()),
    }


def outcome(cost: Mapping[str, Any]) -> str:
    """What came of a cell, in a few words: balance among what was asked for, and what is missing.

    Args:
        cost: Of its summary.
    """
    wanted, delivered = cost.get("wanted", 0), cost.get("delivered", 0)
    if not delivered:
        return "nothing delivered"
    balanced = f"{100 * cost['balanced_delivered'] / wanted:.1f} % balanced"
    return balanced if delivered == wanted else f"{balanced}, {delivered} of {wanted} delivered"


def _trainable_parameters(folder: Path) -> int:
    """How many weights the method learnt, as it wrote down itself; 0 if it learnt none."""
    info = read_or_none(folder / TRAINING_INFO)
    return int(info.get("trainable_parameters", 0)) if isinstance(info, dict) else 0


def _records(rates: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as plain data; what was not measured is null."""
    rows = rates.drop(columns=["method", "seed"]).astype(object)
    return [
        {str(name): None if pd.isna(value) else value for name, value in row.items()}
        for row in rows.to_dict("records")
    ]
