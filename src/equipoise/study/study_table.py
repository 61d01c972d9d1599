"""The ``[study]`` table of a study file: what is studied, on which task and model."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import Field

from equipoise.errors import EquipoiseError
from equipoise.files.artifacts import check_name, existing
from equipoise.model.endpoint import is_endpoint
from equipoise.model.precision import pick_compute_dtype, pick_device
from equipoise.model.registry import check_model_name
from equipoise.runs.task_of_run import Subjects
from equipoise.settings import Settings, parse
from equipoise.task.task import Task
from equipoise.task.task_file import load_task

Seed = Annotated[int, Field(ge=0, lt=2**32)]


class StudyTable(Settings):
    """The ``[study]`` table.

    Attributes:
        name: Also the folder below ``runs/``.
        description: For people: what is compared, and how long it takes. No result follows from it.
        task: A built-in task, or the path of a task file, seen from the study file.
        subjects: ``train`` leaves the validation subjects out: for choosing settings, which
            they must not decide.
        model: An embedded model, a local folder (its path seen from the current folder), a Hub
            id, or ``openai:NAME`` for an endpoint.
        seeds: Each method is fitted and sampled once with each.
        samples_per_subject: Completions drawn of each subject, for each method and seed.
        device: Such as ``cuda:0``; by default the best there is.
        dtype: Type of matrix products; by default the fastest safe one.
    """

    name: str
    description: Annotated[str, Field(max_length=10_000)] = ""
    task: str = "occupations"
    subjects: Subjects = "all"
    model: str = "smollm2-135m-instruct"
    seeds: Annotated[tuple[Seed, ...], Field(strict=False, max_length=10_000)] = (42, 123, 456)
    samples_per_subject: Annotated[int, Field(ge=1)] = 250
    device: str | None = None
    dtype: str | None = None


def read_study(table: object, path: Path) -> StudyTable:
    """The table of the study file at ``path``, checked.

    Raises:
        EquipoiseError: A setting is unknown or wrong, the model is none, or a seed stands twice.
    """
    study = parse(StudyTable, table, file=path, field="study")
    _check(study, path)
    return study


def read_task(name: str, study_file: Path) -> Task:
    """The task; a path is tried from the study file's folder first, then from here.

    Raises:
        EquipoiseError: There is no such task, or its file is wrong.
    """
    beside = study_file.parent / name
    if name.endswith(".toml") and existing(beside) is not None:
        return load_task(beside)
    if name.endswith(".toml") and existing(name) is None:
        raise EquipoiseError(
            f"there is no file '{name}' beside the study file or in the current folder",
            file=study_file,
            field="study.task",
            hint="Check the path.",
        )
    with _place(study_file, "study.task"):
        return load_task(name)


def _check(study: StudyTable, path: Path) -> None:
    """What no type can say about the ``[study]`` table."""
    check_name(study.name, "study.name", file=path)
    if not study.seeds:
        raise EquipoiseError(
            "no seed is named", file=path, field="study.seeds", hint="Name at least one."
        )
    counts = Counter(study.seeds)
    twice = next((seed for seed in study.seeds if counts[seed] > 1), None)
    if twice is not None:
        raise EquipoiseError(
            f"seed {twice} stands twice", file=path, field="study.seeds", hint="Name it once."
        )
    if not is_endpoint(study.model):
        check_model_name(study.model, file=path, field="study.model")
    with _place(path, "study.device"):
        device = pick_device(study.device)
    if study.dtype is not None:
        with _place(path, "study.dtype"):
            pick_compute_dtype(device, study.dtype)


@contextlib.contextmanager
def _place(path: Path, field: str) -> Iterator[None]:
    """Say where in the study file an error comes from, unless it says so itself."""
    try:
        yield
    except EquipoiseError as error:
        raise EquipoiseError(
            error.problem,
            file=error.file or path,
            field=error.field if error.file else field,
            hint=error.hint,
        ) from error
