"""Evaluation: what is in the texts, whoever made them.

``read_completions`` (or ``as_completions``) -> ``score`` -> ``by_seed`` -> ``compliance_table``;
``evaluate`` does all four.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from rich.console import Console

from equipoise.evaluation.completions import Prefix, as_completions, read_completions, remarks
from equipoise.evaluation.compliance import score
from equipoise.evaluation.csv_file import write_table
from equipoise.evaluation.summary import by_seed, compliance_table
from equipoise.evaluation.table import balance_table
from equipoise.task.task import Task, load_task

__all__ = [
    "Evaluation",
    "as_completions",
    "balance_table",
    "by_seed",
    "compliance_table",
    "evaluate",
    "read_completions",
    "remarks",
    "score",
    "write_table",
]


@dataclass(frozen=True)
class Evaluation:
    """The scores of a set of completions; ``print`` shows them as a table.

    Args:
        completions: One row per completion, judged; columns as in ``score``.
        by_seed: One row per method, seed and split; rates 0-1, as in ``by_seed``.
        compliance: One row per method and split; means and sample SDs over seeds, as in
            ``compliance_table``.
        remarks: What a reader should know about the texts, such as how many are empty.
        cost: One row per method, as in ``cost_table``; nothing is known of other people's texts.
    """

    completions: pd.DataFrame
    by_seed: pd.DataFrame
    compliance: pd.DataFrame
    remarks: tuple[str, ...] = ()
    cost: pd.DataFrame | None = None

    def __str__(self) -> str:
        """The table as plain text, at most 80 columns wide, with the remarks under it."""
        console = Console(file=io.StringIO(), width=80, color_system=None)
        with console.capture() as capture:
            console.print(balance_table(self.compliance, self.by_seed, self.cost))
        lines = [line.rstrip() for line in capture.get().splitlines()]
        return "\n".join([*lines, *self.remarks]).strip("\n")


def evaluate(
    completions: pd.DataFrame | str | Path,
    task: Task | str | Path = "occupations",
    *,
    text_column: str | None = None,
    subject_column: str | None = None,
    prefix: Prefix = "as-is",
    training_texts: Iterable[str] | None = None,
) -> Evaluation:
    """Score anybody's completions.

    >>> frame = pd.DataFrame({"subject": ["doctor"], "text": ["The doctor was bold and caring."]})
    >>> float(evaluate(frame).compliance["balanced_mean"].iloc[0])
    1.0

    Args:
        completions: A frame or a CSV file; ``completions.read_completions`` says which columns are
            recognised and what ``prefix`` does.
        task: A task, its built-in name, or a task file.
        text_column: The text's column, where its name is not recognised.
        subject_column: The subject's column, likewise.
        prefix: ``add`` for files that hold only what follows "The doctor was".
        training_texts: Sentences the method was trained on, for the verbatim rate.

    Raises:
        EquipoiseError: The task or the completions cannot be read; it says where and why.
    """
    if not isinstance(task, Task):
        task = load_task(task)
    if isinstance(completions, pd.DataFrame):
        frame = as_completions(
            completions,
            task,
            text_column=text_column,
            subject_column=subject_column,
            prefix=prefix,
        )
    else:
        frame = read_completions(
            completions,
            task,
            text_column=text_column,
            subject_column=subject_column,
            prefix=prefix,
        )
    scored = score(frame, task, training_texts)
    seeds = by_seed(scored, task)
    return Evaluation(scored, seeds, compliance_table(seeds), tuple(remarks(frame, task)))
