"""A study file: which methods, on which task and model, with which seeds and sampling."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from equipoise.artifacts import check_name
from equipoise.decoding.sampler import Sampling
from equipoise.errors import EquipoiseError, nearest
from equipoise.methods.method import Method
from equipoise.methods.registry import build_method
from equipoise.model.registry import check_model_name
from equipoise.settings import Settings, parse, read_toml
from equipoise.task.task import Task, load_task

Seed = Annotated[int, Field(ge=0, lt=2**32)]
TABLES = ("study", "sampling", "methods")


class StudyTable(Settings):
    """The ``[study]`` table.

    Attributes:
        name: Also the folder below ``runs/``.
        task: A built-in task, or the path of a task file, seen from the study file.
        model: An embedded model, a local folder, or a Hub id.
        seeds: Each method is fitted and sampled once with each.
        samples_per_subject: Completions drawn of each subject, for each method and seed.
        device: Such as ``cuda:0``; by default the best there is.
        dtype: Type of matrix products; by default the fastest safe one.
    """

    name: str
    task: str = "occupations"
    model: str = "smollm2-135m-instruct"
    seeds: Annotated[tuple[Seed, ...], Field(strict=False, min_length=1)] = (42, 123, 456)
    samples_per_subject: Annotated[int, Field(ge=1)] = 250
    device: str | None = None
    dtype: str | None = None


@dataclass(frozen=True)
class Cell:
    """One method with one seed: the unit of work of a study."""

    label: str
    seed: int

    def __str__(self) -> str:
        return f"{self.label}, seed {self.seed}"


@dataclass(frozen=True)
class Specification:
    """A study file, read and checked.

    Attributes:
        study: Its ``[study]`` table.
        sampling: Its ``[sampling]`` table.
        methods: Its methods by label, in the file's order.
        task: The task it names.
        path: The file.
    """

    study: StudyTable
    sampling: Sampling
    methods: Mapping[str, Method[Any]]
    task: Task
    path: Path | None = None

    def cells(self) -> list[Cell]:
        """All cells, method by method."""
        return [Cell(label, seed) for label in self.methods for seed in self.study.seeds]

    def conditions(self) -> dict[str, Any]:
        """What all cells share: results are comparable only where this is equal."""
        return {
            "task": self.task.name,
            "task_sha256": task_digest(self.task),
            "model": self.study.model,
            "samples_per_subject": self.study.samples_per_subject,
            "device": self.study.device,
            "dtype": self.study.dtype,
            "sampling": self.sampling.model_dump(mode="json"),
        }

    def cell_config(self, cell: Cell) -> dict[str, Any]:
        """Everything that decides what a cell holds."""
        method = self.methods[cell.label]
        return {
            "label": cell.label,
            "use": method.name,
            "seed": cell.seed,
            "settings": method.describe(),
            **self.conditions(),
        }


def task_digest(task: Task) -> str:
    """SHA-256 of the task's file: two tasks of one name may differ."""
    content = task.path.read_bytes() if task.path else repr(task).encode()
    return hashlib.sha256(content).hexdigest()


def read_specification(path: str | Path, overrides: Iterable[str] = ()) -> Specification:
    """Read and check a study file; no model is loaded.

    Args:
        path: The file.
        overrides: ``table.setting=value``, the value as in TOML, such as
            ``study.samples_per_subject=10`` or ``methods.sft.learning_rate=2e-5``.

    Raises:
        EquipoiseError: The file cannot be read, a table, setting, method, task or model is
            unknown or wrong, or the task cannot serve a method.
    """
    path = Path(path)
    tables = read_toml(path)
    for override in overrides:
        apply_override(tables, override)
    for name in tables:
        if name not in TABLES:
            raise EquipoiseError(
                f"unknown table [{name}]", file=path, field=name, mend=nearest(name, TABLES)
            )
    study = parse(StudyTable, tables.get("study", {}), file=path, field="study")
    sampling = parse(Sampling, tables.get("sampling", {}), file=path, field="sampling")
    check_name(study.name, "study.name", file=path)
    if len(set(study.seeds)) < len(study.seeds):
        raise EquipoiseError(
            f"a seed stands twice in {list(study.seeds)}",
            file=path,
            field="study.seeds",
            mend="Name each seed once.",
        )
    check_model_name(study.model, file=path, field="study.model")
    task = _load_task(study.task, path)
    methods = _build_methods(tables.get("methods"), path)
    for label, method in methods.items():
        try:
            method.check(task)
        except EquipoiseError as error:
            raise EquipoiseError(
                error.problem,
                file=error.file or path,
                field=error.field or f"methods.{label}",
                mend=error.mend,
            ) from error
    return Specification(study, sampling, methods, task, path)


def apply_override(tables: dict[str, Any], override: str) -> None:
    """Set one value in ``tables`` in place.

    A value that is no TOML stands for itself as text, so that quotes are not needed in a shell.

    Raises:
        EquipoiseError: It has no ``=``, or its path leads through a value that is no table.
    """
    path, equals, text = override.partition("=")
    keys = [key.strip() for key in path.split(".")]
    if not equals or not all(keys):
        raise EquipoiseError(
            f"--set {override!r} is not of the form table.setting=value",
            mend="Write for example: --set study.samples_per_subject=10",
        )
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()
    table = tables
    for key in keys[:-1]:
        table = table.setdefault(key, {})
        if not isinstance(table, dict):
            raise EquipoiseError(f"--set {override!r}: '{key}' is not a table")
    table[keys[-1]] = value


def _load_task(name: str, study_file: Path) -> Task:
    """The task; a path is tried from the study file's folder first, then from here."""
    beside = study_file.parent / name
    if name.endswith(".toml") and beside.is_file():
        return load_task(beside)
    try:
        return load_task(name)
    except EquipoiseError as error:
        if error.file:
            raise
        raise EquipoiseError(
            error.problem, file=study_file, field="study.task", mend=error.mend
        ) from error


def _build_methods(tables: Any, path: Path) -> dict[str, Method[Any]]:
    if not isinstance(tables, dict) or not tables:
        raise EquipoiseError(
            "no method is named", file=path, field="methods", mend="Add a table [methods.prompt]."
        )
    methods: dict[str, Method[Any]] = {}
    for label, table in tables.items():
        field = f"methods.{label}"
        check_name(label, field, file=path)
        if label.lower() in (known.lower() for known in methods):
            raise EquipoiseError(
                f"'{label}' differs from another label in case only", file=path, field=field
            )
        if not isinstance(table, dict):
            raise EquipoiseError(
                f"{table!r} is not a table", file=path, field=field, mend=f"Write [{field}]."
            )
        settings = {key: value for key, value in table.items() if key != "use"}
        name = table.get("use", label)
        if not isinstance(name, str):
            raise EquipoiseError(f"{name!r} is not a method", file=path, field=f"{field}.use")
        where = f"{field}.use" if "use" in table else field
        methods[label] = _build(name, settings, path, field, where)
    return methods


def _build(name: str, settings: dict[str, Any], path: Path, field: str, where: str) -> Method[Any]:
    try:
        return build_method(name, settings, file=path, field=field)
    except EquipoiseError as error:
        if error.field == field:  # the name itself: say where it was written
            raise EquipoiseError(error.problem, file=path, field=where, mend=error.mend) from error
        raise
