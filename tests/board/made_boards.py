"""Finished, sealed runs made by hand, whose summaries say what a test wants."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from equipoise.board.shown import BY_CONSTRUCTION, declared
from equipoise.measures import write_table
from equipoise.runs.layout import OVERVIEW, REPORT, RESULTS
from equipoise.runs.store import Store
from equipoise.runs.task_of_run import KEPT
from equipoise.task.task import Task
from report.made_runs import BALANCED, make_run

Values = Mapping[str, Mapping[str, Any]]
"""By method and headline; what is not named was not measured."""

SMALL: Values = {
    "prompt": {"balanced_requested": 0.1, "log_probability_base": -3.0, "told": 0},
    "sft": {"balanced_requested": 0.9, "log_probability_base": -3.5, "told": 20},
    "filter": {"balanced_requested": 1.0, "log_probability_base": -3.2, "by_construction": True},
}


def summary(values: Values) -> pd.DataFrame:
    """``summary.csv`` with the columns that a board reads."""
    names = [*(one.name for one in declared()), BY_CONSTRUCTION]
    rows = [{"method": method, **dict.fromkeys(names), **own} for method, own in values.items()]
    return pd.DataFrame(rows)


def sealed_run(
    folder: Path,
    task: Task,
    values: Values = SMALL,
    *,
    seeds: tuple[int, ...] = (1,),
    record: Mapping[str, Any] | None = None,
    study: Mapping[str, Any] | None = None,
) -> Path:
    """Write a finished run as ``equipoise run`` leaves it, its task beside where a report was.

    Args:
        folder: A new folder.
        task: Its task.
        values: What its summary says.
        seeds: Seeds.
        record: Replaces parts of ``study.json``.
        study: Replaces parts of the table ``study`` in it.
    """
    from equipoise.runs.identity import task_digest

    table = {"task": task.name, "task_sha256": task_digest(task), "model": "tiny",
             "samples_per_subject": 4, **(study or {})}  # fmt: skip
    make_run(folder, task, methods=tuple(values), seeds=seeds, record={"study": table,
             **(record or {})}, texts=lambda *_: [BALANCED] * 4)  # fmt: skip
    write_table(folder / RESULTS / OVERVIEW, summary(values))
    Store(folder).seal_results()
    (folder / REPORT).mkdir()
    assert task.path is not None
    shutil.copyfile(task.path, folder / REPORT / KEPT)
    return folder
