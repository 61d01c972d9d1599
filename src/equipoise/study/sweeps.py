"""``sweep = {setting = [...]}`` in a method's table: one table, and a method for each value."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from equipoise.errors import EquipoiseError, nearest
from equipoise.methods.method import Method
from equipoise.methods.registry import METHODS
from equipoise.runs.sweep import Sweep

MOST_VALUES = 20
"""Values of a sweep, at most: each is a method, computed with every seed."""

_EXAMPLE = "Write for example sweep = {learning_rate = [1e-5, 1e-4]}."


def expand_sweeps(tables: Any, path: Path) -> tuple[Any, tuple[Sweep, ...]]:
    """A study file's ``methods`` with a table for each value in the place of one with a sweep.

    Args:
        tables: The file's ``methods``; what is wrong with them otherwise is left for
            ``build_methods`` to find.
        path: The file.

    Returns:
        The tables by label, none with a sweep, and the sweeps.

    Raises:
        EquipoiseError: A sweep is not of one setting of its method, the setting stands outside of
            it too, its values are not one to 20 different numbers, or a label is taken.
    """
    if not isinstance(tables, dict):
        return tables, ()
    expanded: dict[str, Any] = {}
    sweeps = []
    for label, table in tables.items():
        made, field = {label: table}, f"methods.{label}"
        if isinstance(table, dict) and "sweep" in table:
            shared = {name: value for name, value in table.items() if name != "sweep"}
            use = shared.setdefault("use", label)
            method = METHODS.get(use) if isinstance(use, str) else None
            if method is None:  # build_methods says so, where it was written
                made = {label: {name: table[name] for name in shared if name in table}}
            else:
                sweep = _sweep(label, table, method, path)
                sweeps.append(sweep)
                made = {one: {**shared, sweep.setting: v} for one, v in sweep.values.items()}
                field += ".sweep"
        for taken in made.keys() & expanded.keys():
            raise EquipoiseError(
                f"'{taken}' would be the label of two methods",
                file=path,
                field=field,
                hint="Rename one of the tables.",
            )
        expanded |= made
    return expanded, tuple(sweeps)


@contextlib.contextmanager
def as_written(sweeps: Iterable[Sweep]) -> Iterator[None]:
    """Within it, what is wrong with a method of a sweep is named as in the study file."""
    try:
        yield
    except EquipoiseError as error:
        written = _written(error.field or "", sweeps)
        if written is None:
            raise
        raise EquipoiseError(
            error.problem, file=error.file, field=written, hint=error.hint
        ) from None


def _written(field: str, sweeps: Iterable[Sweep]) -> str | None:
    """Where the study file has the setting ``field`` of a method of a sweep; None of others."""
    for sweep in sweeps:
        for label in sweep.values:
            start = f"methods.{label}"
            if field == start or field.startswith(f"{start}."):
                rest = field.removeprefix(start)
                swept = rest.split(".")[1:2] == [sweep.setting]
                return f"methods.{sweep.table}{'.sweep' if swept else ''}{rest}"
    return None


def _sweep(label: str, table: dict[str, Any], method: type[Method[Any]], path: Path) -> Sweep:
    """The sweep of one table.

    Raises:
        EquipoiseError: As ``expand_sweeps`` does.
    """
    field, swept = f"methods.{label}.sweep", table["sweep"]
    if not isinstance(swept, dict) or len(swept) != 1:
        count = f"{len(swept)} settings are swept" if isinstance(swept, dict) else "not a table"
        raise EquipoiseError(
            count, file=path, field=field, hint=f"A sweep is of one setting. {_EXAMPLE}"
        )
    [(setting, values)] = swept.items()
    known = method.settings_model.model_fields
    if setting not in known:
        raise EquipoiseError(
            "unknown setting", file=path, field=f"{field}.{setting}", hint=nearest(setting, known)
        )
    if setting in table:
        raise EquipoiseError(
            f"it is swept, and set to {table[setting]!r} too",
            file=path,
            field=f"methods.{label}.{setting}",
            hint="Leave one of the two out.",
        )
    if (fault := _fault(values)) is not None:
        problem, hint = fault
        raise EquipoiseError(problem, file=path, field=f"{field}.{setting}", hint=hint)
    return Sweep(label, setting, {f"{label}-{_named(value)}": value for value in values})


def _fault(values: Any) -> tuple[str, str] | None:
    """What is wrong with the values of a sweep whatever its setting, and what to do about it."""
    if not isinstance(values, list):
        return f"{values!r} is not a list", _EXAMPLE
    if not values:
        return "no value is named", f"Name one to {MOST_VALUES}."
    if len(values) > MOST_VALUES:
        problem = f"{len(values):,} values, and each is a method with every seed"
        return problem, f"Name {MOST_VALUES} at most."
    for place, value in enumerate(values):
        if isinstance(value, bool) or not isinstance(value, int | float):
            return f"{value!r} is not a number", "Sweeps are over numbers alone."
        if value in values[:place]:
            return f"{value!r} stands twice", "Name it once."
    return None


def _named(value: float) -> str:
    """A value as a part of a label: ``0.5``, ``minus-1``, ``1e-5``; different ones differently."""
    if value < 0:
        return f"minus-{_named(-value)}"
    if isinstance(value, int):
        return str(value)
    short = f"{value:g}"
    digits, _, exponent = (short if float(short) == value else repr(value)).partition("e")
    return f"{digits}e{int(exponent)}" if exponent else digits.removesuffix(".0").removeprefix("-")
