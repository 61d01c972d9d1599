"""Tables of a finished run's ``results/``, read as what a report expects of them.

Whoever has written them: texts are made visible, numbers are read as numbers, and a table that
lacks a column is left out, with the reason.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from equipoise.errors import EquipoiseError
from equipoise.files.csv_file import read_rows
from equipoise.measures import registry
from equipoise.measures.column import Table
from equipoise.wording.visible import visible

SETTINGS = Table("settings", "a setting", (), ("setting", "differs"), "settings side by side")
"""The table of settings, which has a column for each method."""


_FLAGS = {"True": True, "False": False, "": None}
"""What files say for true, false and unknown."""


def optional_tables() -> dict[str, Table]:
    """The tables of ``results/`` that a report reads where they are there, by name."""
    return {table.name: table for table in (*registry.tables(), SETTINGS) if table.absent}


def text_columns() -> frozenset[str]:
    """Columns that are text whatever their values look like; a label may read ``007``."""
    return frozenset().union(*(table.texts for table in (*registry.tables(), SETTINGS)))


def read_table(path: Path, *, numbers: bool = True) -> pd.DataFrame:
    """A table of ``results/``: texts as they stand, all other columns as float64, empty as NaN.

    Args:
        path: The file.
        numbers: Whether columns other than `text_columns` are numbers where they can be.

    Raises:
        EquipoiseError: See ``read_rows``.
    """
    texts = text_columns()
    flags = {column.name for table in registry.tables() for column in table.columns if column.flag}
    columns: dict[str, Any] = {}
    for name, values in read_rows(path).columns.items():
        text = name in texts or not numbers
        if name in flags and set(values) <= _FLAGS.keys():
            columns[visible(name)] = pd.array([_FLAGS[value] for value in values], dtype="boolean")
        else:
            columns[visible(name)] = list(map(visible, values)) if text else _numbers(values)
    return pd.DataFrame(columns)


def _numbers(values: list[str]) -> list[float] | list[str]:
    """``values`` as numbers if all of them are, else as visible text."""
    try:
        return [float(value) if value else float("nan") for value in values]
    except ValueError:
        return list(map(visible, values))


def read_tables(folder: Path) -> tuple[dict[str, pd.DataFrame], dict[str, str]]:
    """The optional tables of a ``results`` folder, and why the others are not there."""
    tables, missing = {}, {}
    for name, declared in optional_tables().items():
        path = folder / f"{name}.csv"
        try:
            if not path.exists():
                missing[name] = "is not there"
                continue
            table = read_table(path, numbers=declared is not SETTINGS)
        except EquipoiseError as error:
            missing[name] = f"cannot be used: {visible(error.problem)}"
            continue
        lacking = [column for column in declared.needed if not _is_there(table, column)]
        if lacking:
            missing[name] = f"cannot be used: its column {lacking[0]} is missing or no number"
        else:
            tables[name] = table
    return tables, missing


def _is_there(table: pd.DataFrame, column: str) -> bool:
    numbers = column not in text_columns()
    return column in table.columns and (not numbers or table[column].dtype == float)
