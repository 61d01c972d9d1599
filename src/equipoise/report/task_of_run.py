"""Which task a run was of: its record names it by content, so no other can be taken for it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from equipoise.errors import EquipoiseError
from equipoise.study.identity import task_digest
from equipoise.task.task import Task, builtin_tasks, load_task

KEPT = "task.toml"
"""Copy of the task file that stands beside a report, for those who have nothing else."""


def task_of(
    record: dict[str, Any], report: Path, given: Task | str | Path | None = None
) -> Task:
    """The task of the run that ``record`` is of.

    Args:
        record: The run's ``study.json``.
        report: Folder of an earlier report, whose copy of the task is tried.
        given: A task, its name or its file.

    Raises:
        EquipoiseError: ``given`` is not the task that was run, or none that can be found is.
    """
    name, digest = record["study"].get("task"), record["study"].get("task_sha256")
    if given is not None:
        task = given if isinstance(given, Task) else load_task(given)
        if task_digest(task) != digest:
            raise EquipoiseError(
                f"'{task.path or task.name}' is not the task this run was made with",
                field="--task",
                mend=f"Give the file of the task '{name}' as it was then.",
            )
        return task
    kept = report / KEPT
    candidates: list[str | Path] = [kept] if kept.is_file() else []
    if name in builtin_tasks():  # no path that a stranger's file gives is opened
        candidates.append(str(name))
    for candidate in candidates:
        with contextlib.suppress(EquipoiseError):
            task = load_task(candidate)
            if task_digest(task) == digest:
                return task
    raise EquipoiseError(
        f"its task '{name}' is not a built-in one of this version",
        file=report.parent,
        mend="Name the task's file with --task.",
    )
