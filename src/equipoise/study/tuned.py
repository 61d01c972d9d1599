"""``tuned_by = "tuning/sft"`` in a method's table: the study whose sweep chose a setting."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from equipoise.errors import EquipoiseError
from equipoise.files.toml_file import read_toml
from equipoise.methods.method import Method
from equipoise.runs.sweep import Sweep
from equipoise.study.builtin import study_path
from equipoise.study.method_tables import build_methods
from equipoise.study.sweeps import expand_sweeps

TUNED_BY = "tuned_by"
"""Key of a method's table, beside its settings."""


def take_out(tables: Any) -> tuple[Any, dict[str, Any]]:
    """A study file's ``methods`` without ``tuned_by``, and what it says there by label.

    Tables that are none are left for ``build_methods`` to find.
    """
    if not isinstance(tables, dict):
        return tables, {}
    named = {
        label: table[TUNED_BY]
        for label, table in tables.items()
        if isinstance(table, dict) and TUNED_BY in table
    }
    rest = {
        label: {key: value for key, value in table.items() if key != TUNED_BY}
        if label in named
        else table
        for label, table in tables.items()
    }
    return rest, named


def check_tuned(
    named: Mapping[str, Any], methods: Mapping[str, Method[Any]], path: Path
) -> dict[str, str]:
    """What chose the methods' settings, by label; each is found to have tried what was taken.

    Args:
        named: From `take_out`.
        methods: The study's methods by label.
        path: The study file, from whose folder a path is seen.

    Raises:
        EquipoiseError: There is no such study, it is not about train subjects alone, it sweeps no
            setting of that method, or it did not try the method's value.
    """
    for label, name in named.items():
        field = f"methods.{label}.{TUNED_BY}"
        if label not in methods:
            raise EquipoiseError(
                "a swept setting was not chosen", file=path, field=field, hint="Leave it out."
            )
        _check(label, methods[label], name, path, field)
    return {label: str(name) for label, name in named.items()}


def _check(label: str, method: Method[Any], name: Any, path: Path, field: str) -> None:
    if not isinstance(name, str):
        raise EquipoiseError(
            f"{name!r} is not a study's name",
            file=path,
            field=field,
            hint='Write for example tuned_by = "tuning/sft".',
        )
    try:
        sweeps, about = _sweeps_of(name, method, path)
    except EquipoiseError as error:
        raise EquipoiseError(
            f"{error.problem} ('{name}')", file=path, field=field, hint=error.hint
        ) from None
    if about != "train":
        raise EquipoiseError(
            f"study '{name}' is about validation subjects too, which may choose nothing",
            file=path,
            field=field,
            hint='Set subjects = "train" in its [study] table.',
        )
    if not sweeps:
        raise EquipoiseError(
            f"study '{name}' sweeps no setting of method '{method.name}'",
            file=path,
            field=field,
            hint="Name the study that did, or leave it out.",
        )
    for sweep in sweeps:
        taken, tried = getattr(method.settings, sweep.setting), list(sweep.values.values())
        if taken not in tried:
            raise EquipoiseError(
                f"it is {taken!r}, and study '{name}' tried {', '.join(map(str, tried))}",
                file=path,
                field=f"methods.{label}.{sweep.setting}",
                hint="Take one of these, or name another study in tuned_by.",
            )


def _sweeps_of(name: str, method: Method[Any], path: Path) -> tuple[list[Sweep], str]:
    """The sweeps over settings of ``method`` in the study ``name``, and its subjects."""
    beside = path.parent / name
    file = beside if name.endswith(".toml") and beside.is_file() else study_path(name)
    tables = read_toml(file)
    expanded, sweeps = expand_sweeps(take_out(tables.get("methods"))[0], file)
    methods = build_methods(expanded, file)
    of_method = [s for s in sweeps if methods[next(iter(s.values))].name == method.name]
    study = tables.get("study")
    return of_method, str(study.get("subjects", "all")) if isinstance(study, dict) else "all"
