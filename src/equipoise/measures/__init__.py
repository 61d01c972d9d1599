"""Evaluation: what is in the texts, whoever made them.

``read_anything`` (or ``read_completions``) -> ``score`` -> ``assemble``, which makes all tables;
``evaluate`` does it all. What only a model can say is in ``by_model``.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from equipoise.completions.frame import (
    Reading,
    as_completions,
    read_anything,
    read_completions,
    remarks,
)
from equipoise.completions.judged_rows import Prefix
from equipoise.files.csv_file import write_table
from equipoise.measures.by_model import ask_models
from equipoise.measures.compliance import by_seed, compliance_table
from equipoise.measures.evaluation import Evaluation, assemble
from equipoise.measures.judgement import score
from equipoise.measures.model_answers import ByModel
from equipoise.statistics import StatisticsSettings
from equipoise.task.task import Task
from equipoise.task.task_file import load_task

__all__ = [
    "ByModel",
    "Evaluation",
    "Reading",
    "as_completions",
    "assemble",
    "by_seed",
    "compliance_table",
    "evaluate",
    "read_anything",
    "read_completions",
    "remarks",
    "score",
    "write_table",
]


def evaluate(
    completions: pd.DataFrame | str | Path,
    task: Task | str | Path = "occupations",
    *,
    text_column: str | None = None,
    subject_column: str | None = None,
    method_column: str | None = None,
    prefix: Prefix = "as-is",
    training_texts: Iterable[str] | None = None,
    reference_model: str | None = None,
    independent_model: str | None = None,
    lac: str | Path | None = None,
    settings: StatisticsSettings | None = None,
) -> Evaluation:
    """Score anybody's completions, and say how sure one can be of their rates and differences.

    >>> frame = pd.DataFrame({"subject": ["doctor"], "text": ["The doctor was bold and caring."]})
    >>> float(evaluate(frame).compliance["balanced_mean"].iloc[0])
    1.0

    Args:
        completions: A frame or a file (CSV, JSON, Parquet, another harness's log);
            docs/other-files.md says what is recognised. Rows that are copies of others are left
            out, and the remarks say so.
        task: A task, its built-in name, or a task file.
        text_column: The text's column, where its name is not recognised.
        subject_column: The subject's column, likewise.
        method_column: The method's column, likewise.
        prefix: ``add`` for files that hold only what follows "The doctor was".
        training_texts: Sentences the method was trained on, for the verbatim rate.
        reference_model: Judges how fluent the texts are, after the task's neutral prompt.
        independent_model: Judges it as well, reading the texts by themselves.
        lac: Folder of the LAC data, for a classifier of agentic and communal language.
        settings: How methods are compared, where there are several; see ``StatisticsSettings``.

    Raises:
        EquipoiseError: The task, the completions, a model or the LAC data cannot be read; it says
            where and why.
    """
    if not isinstance(task, Task):
        task = load_task(task)
    reading = read_anything(
        completions,
        task,
        text_column=text_column,
        subject_column=subject_column,
        method_column=method_column,
        prefix=prefix,
    )
    by_model = ask_models(
        reading.completions,
        task,
        reference_model=reference_model,
        independent_model=independent_model,
        lac=lac,
    )
    scored = score(reading.completions, task, training_texts)
    return assemble(scored, task, by_model, notes=reading.remarks, settings=settings)
