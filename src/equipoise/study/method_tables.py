"""The ``[methods.LABEL]`` tables of a study file."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from equipoise.errors import EquipoiseError, nearest
from equipoise.files.artifacts import check_name
from equipoise.methods.method import Method
from equipoise.methods.registry import METHODS, build_method


def build_methods(tables: Any, path: Path) -> dict[str, Method[Any]]:
    """The methods by label, in the file's order.

    Args:
        tables: The file's ``methods``.
        path: The file.

    Raises:
        EquipoiseError: There is no method, a label cannot name a folder, a method or a setting is
            unknown or wrong.
    """
    if not isinstance(tables, dict) or not tables:
        raise EquipoiseError(
            "no method is named", file=path, field="methods", hint="Add a table [methods.prompt]."
        )
    methods: dict[str, Method[Any]] = {}
    folded: set[str] = set()
    for label, table in tables.items():
        check_name(label, "methods", file=path)
        if label.lower() in folded:
            raise EquipoiseError(
                f"'{label}' differs from another label in case only",
                file=path,
                field="methods",
                hint="Some file systems cannot tell them apart: rename one.",
            )
        folded.add(label.lower())
        methods[label] = _method(label, table, path)
    return {label: method.among(methods) for label, method in methods.items()}


@contextlib.contextmanager
def in_table(label: str, path: Path | None) -> Iterator[None]:
    """Within it, what a method finds wrong with its settings is named as in the study file."""
    try:
        yield
    except EquipoiseError as error:
        field = f"methods.{label}" + (f".{error.field}" if error.field else "")
        raise EquipoiseError(error.problem, file=path, field=field, hint=error.hint) from None


def _method(label: str, table: Any, path: Path) -> Method[Any]:
    """The method of one table; ``use`` names it where the label does not."""
    field = f"methods.{label}"
    if not isinstance(table, dict):
        raise EquipoiseError(
            "not a table", file=path, field=field, hint=f"Write [{field}] above its settings."
        )
    where = f"{field}.use" if "use" in table else field
    name = table.get("use", label)
    if not isinstance(name, str):
        raise EquipoiseError(
            f"{name!r} is not a method's name", file=path, field=where, hint=nearest("", METHODS)
        )
    settings = {key: value for key, value in table.items() if key != "use"}
    try:
        return build_method(name, settings, file=path, field=field)
    except EquipoiseError as error:
        if error.field == field:  # the name itself: say where it was written
            raise EquipoiseError(error.problem, file=path, field=where, hint=error.hint) from error
        raise
