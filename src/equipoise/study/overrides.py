"""``--set table.setting=value``: one value of a study file, changed for one run."""

from __future__ import annotations

import tomllib
from typing import Any

from equipoise.errors import EquipoiseError
from equipoise.study.tuned import TUNED_BY

EXAMPLE = "Write for example: --set study.samples_per_subject=10"


def apply_override(tables: dict[str, Any], override: str) -> None:
    """Set one value in ``tables`` in place; tables on the way to it are created.

    The path is written as in TOML, so a label that holds a dot is quoted:
    ``methods."sft-1.5".epochs=2``. A value that is no TOML stands for itself as text, so that
    quotes are not needed in a shell.

    Raises:
        EquipoiseError: It is not of that form, or its path leads through a value that is no table.
    """
    path, equals, text = override.partition("=")
    keys = _keys(path) if equals else []
    if len(keys) < 2:
        raise EquipoiseError(
            f"--set {override!r} is not of the form table.setting=value", hint=EXAMPLE
        )
    table = tables
    for key in keys[:-1]:
        table = table.setdefault(key, {})
        if not isinstance(table, dict):
            raise EquipoiseError(f"--set {override!r}: '{key}' is not a table")
    table[keys[-1]] = _value(text.strip())
    if keys[0] == "methods" and keys[-1] != TUNED_BY:
        table.pop(TUNED_BY, None)  # what is set by hand was not chosen


def _keys(path: str) -> list[str]:
    """The parts of a dotted TOML key; none if it is no such key."""
    try:
        table: Any = tomllib.loads(f"{path} = 0")
    except (tomllib.TOMLDecodeError, RecursionError):
        return []
    keys = []
    while isinstance(table, dict) and len(table) == 1:
        [(key, table)] = table.items()
        keys.append(key)
    return keys if table == 0 else []


def _value(text: str) -> Any:
    try:
        table = tomllib.loads(f"value = {text}")
    except (tomllib.TOMLDecodeError, RecursionError):
        return text
    return table["value"] if len(table) == 1 else text
