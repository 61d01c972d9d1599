"""``tuned_by = "tuning/sft"`` in a method's table: the study whose sweep chose a setting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from equipoise.errors import EquipoiseError
from equipoise.files.toml_file import read_toml
from equipoise.methods.method import Method
from equipoise.runs.identity import task_digest
from equipoise.runs.sweep import Sweep
from equipoise.study.builtin import study_path
from equipoise.study.dependencies import line_of
from equipoise.study.method_tables import build_methods
from equipoise.study.study_table import StudyTable, read_study, read_task
from equipoise.study.sweeps import expand_sweeps
from equipoise.task.task import Task

TUNED_BY = "tuned_by"
"""Key of a method's table, beside its settings."""


def take_out(tables: Any) -> tuple[Any, dict[str, Any]]:
    """A study file's ``methods`` without ``tuned_by``, and what it says there by label.

    Tables that are none are left for ``build_methods`` to find.
    """
    if not isinstance(tables, dict):
        return tables, {}
    rest, named = {}, {}
    for label, table in tables.items():
        rest[label] = table
        if isinstance(table, dict) and TUNED_BY in table:
            rest[label] = {key: value for key, value in table.items() if key != TUNED_BY}
            named[label] = table[TUNED_BY]
    return rest, named


@dataclass(frozen=True)
class Tuning:
    """A study that chooses settings, as far as what it chose depends on it.

    Attributes:
        name: As ``tuned_by`` gives it.
        study: Its ``[study]`` table.
        task: The SHA-256 of its task.
        methods: Its methods by label.
        sweeps: What it tried.
    """

    name: str
    study: StudyTable
    task: str
    methods: Mapping[str, Method[Any]]
    sweeps: tuple[Sweep, ...]

    @classmethod
    def read(cls, name: str, path: Path) -> Tuning:
        """The study ``name``; a path is tried from the folder of ``path`` first, then from here.

        Raises:
            EquipoiseError: There is none, or something in its file is wrong.
        """
        beside = path.parent / name
        file = beside if name.endswith(".toml") and beside.is_file() else study_path(name)
        tables = read_toml(file)
        expanded, sweeps = expand_sweeps(take_out(tables.get("methods"))[0], file)
        study = read_study(tables.get("study", {}), file)
        task = task_digest(read_task(study.task, file))
        return cls(name, study, task, build_methods(expanded, file), sweeps)

    def of(self, method: Method[Any]) -> list[Sweep]:
        """Its sweeps over settings of ``method``."""
        return [s for s in self.sweeps if self.methods[next(iter(s.values))].name == method.name]


def check_tuned(
    named: Mapping[str, Any],
    methods: Mapping[str, Method[Any]],
    study: StudyTable,
    task: Task,
    path: Path,
) -> dict[str, str]:
    """What chose the methods' settings, by label, and what was otherwise there.

    A value may be taken over for another model, task or number of sentences: then these are named
    behind the study, such as ``tuning/sft (otherwise there: n_per_subject)``.

    Args:
        named: From `take_out`.
        methods: The study's methods by label.
        study: The study's ``[study]`` table.
        task: Its task.
        path: The study file.

    Raises:
        EquipoiseError: There is no such study, it is not about train subjects alone, it has a seed
            that is reported here, it sweeps no setting of that method, or it did not try the
            method's value.
    """
    found = {}
    for label, name in named.items():
        field = f"methods.{label}.{TUNED_BY}"
        if label not in methods:
            raise EquipoiseError(
                "a swept setting was not chosen", file=path, field=field, hint="Leave it out."
            )
        if not isinstance(name, str) or not name:
            raise EquipoiseError(
                f"{name!r} is not a study's name",
                file=path,
                field=field,
                hint='Write for example tuned_by = "tuning/sft".',
            )
        try:
            tuning = Tuning.read(name, path)
        except EquipoiseError as error:
            raise EquipoiseError(
                f"{error.problem} ('{name}')", file=path, field=field, hint=error.hint
            ) from None
        _check(tuning, study, path, field)
        other = _otherwise(tuning, label, methods, path)
        other += ["task"] * (tuning.task != task_digest(task))
        other += ["model"] * (tuning.study.model != study.model)
        found[label] = name + (f" (otherwise there: {', '.join(other)})" if other else "")
    return found


def _check(tuning: Tuning, study: StudyTable, path: Path, field: str) -> None:
    """Refuse a study that chose on what is reported."""
    if tuning.study.subjects != "train":
        raise EquipoiseError(
            f"study '{tuning.name}' is about validation subjects too, which may choose nothing",
            file=path,
            field=field,
            hint='Set subjects = "train" in its [study] table.',
        )
    if both := set(tuning.study.seeds) & set(study.seeds):
        raise EquipoiseError(
            f"seed {min(both)} chose it in study '{tuning.name}', and is reported here",
            file=path,
            field=field,
            hint="Choose with a seed that no comparison reports, such as 7.",
        )


def _otherwise(
    tuning: Tuning, label: str, methods: Mapping[str, Method[Any]], path: Path
) -> list[str]:
    """What was otherwise where the method's value was tried; of several sweeps the nearest."""
    method = methods[label]
    sweeps = tuning.of(method)
    if not sweeps:
        raise EquipoiseError(
            f"study '{tuning.name}' sweeps no setting of method '{method.name}'",
            file=path,
            field=f"methods.{label}.{TUNED_BY}",
            hint="Name the study that did, or leave it out.",
        )
    tried: dict[str, list[float]] = {}
    near = []
    for sweep in sweeps:
        tried.setdefault(sweep.setting, []).extend(sweep.values.values())
        taken = getattr(method.settings, sweep.setting)
        for one, value in sweep.values.items():
            if value == taken:
                near.append(_differences((one, tuning.methods), (label, methods)))
    if not near:
        setting, values = next(iter(tried.items()))
        raise EquipoiseError(
            f"it is {getattr(method.settings, setting)!r}, and study '{tuning.name}' tried "
            f"{', '.join(map(str, values))}",
            file=path,
            field=f"methods.{label}.{setting}",
            hint="Take one of these, or leave tuned_by out.",
        )
    return min(near, key=len)


def _differences(*both: tuple[str, Mapping[str, Method[Any]]]) -> list[str]:
    """Names of settings that two methods have differently, those of what they build on too."""
    settings = []
    for label, methods in both:
        own, *earlier = line_of(label, methods)
        settings.append(
            methods[own].describe()
            | {f"{one}.{k}": v for one in earlier for k, v in methods[one].describe().items()}
        )
    here, there = settings
    return [name for name in {**there, **here} if here.get(name) != there.get(name)]
