"""Which task a run was of."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, Literal

from equipoise.errors import EquipoiseError
from equipoise.runs.identity import task_digest
from equipoise.task.task import Task
from equipoise.task.task_file import builtin_tasks, load_task

KEPT = "task.toml"
"""Copy of the task file that stands beside a report, for those who have nothing else."""


Subjects = Literal["all", "train"]
"""Which of a task's subjects a study is about."""


def task_of(record: dict[str, Any], report: Path, given: Task | str | Path | None = None) -> Task:
    """The task of the run that ``record`` is of, or the nearest to it that can be found.

    A study about the train subjects alone has a task of these.

    The copy beside an earlier report and the built-in task of the name are tried, and the one whose
    content the record names comes first. A file may have changed since without changing any score;
    ``finished_run.read_run`` refuses a task by which the completions score otherwise.

    Args:
        record: The run's ``study.json``.
        report: Folder of an earlier report.
        given: A task, its name or its file, which is then taken.

    Raises:
        EquipoiseError: ``given`` cannot be read, or nothing is found.
    """
    task = _whole_task(record, report, given)
    return task.only_train() if record["study"].get("subjects") == "train" else task


def _whole_task(record: dict[str, Any], report: Path, given: Task | str | Path | None) -> Task:
    if given is not None:
        return given if isinstance(given, Task) else load_task(given)
    name = record["study"].get("task")
    kept = report / KEPT
    places: list[str | Path] = [kept] if kept.is_file() else []
    if name in builtin_tasks():  # no path that a stranger's file gives is opened
        places.append(str(name))
    found = []
    for place in places:
        with contextlib.suppress(EquipoiseError):
            found.append(load_task(place))
    if not found:
        raise EquipoiseError(
            f"its task '{name}' is not built in",
            file=report.parent,
            hint="Name the task's file with --task.",
        )
    return next((task for task in found if same_task(record, task)), found[0])


def same_task(record: dict[str, Any], task: Task) -> bool:
    """Whether ``task`` is, byte for byte, the one the run was made with."""
    return bool(task_digest(task) == record["study"].get("task_sha256"))
