"""Tables of a finished run's ``results/``, read as what a report expects of them.

Whoever has written them: texts are made visible, numbers are read as numbers, and a table that
lacks a column is left out, with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from equipoise.errors import EquipoiseError
from equipoise.files.csv_file import read_rows
from equipoise.wording.visible import visible

NEEDED: Mapping[str, tuple[str, ...]] = {
    "intervals": ("outcome", "method", "split", "low", "high"),
    "comparisons": (
        "outcome", "split", "method_a", "method_b", "seeds_a", "seeds_b", "mean_a", "mean_b",
        "difference", "low", "high", "p_holm", "p_equivalent_holm",
    ),
    "fluency": ("judge", "method", "split", "log_probability_median"),
    "stereotype": ("measure", "method", "seed", "slope", "low", "high", "r"),
    "slopes": (
        "measure", "method_a", "method_b", "slope_a", "slope_b", "difference", "low", "high",
        "p_holm",
    ),
    "terms": ("method", "set", "term", "count", "n"),
    "diversity": ("method", "split"),
    "cost": (
        "method", "wanted", "delivered", "draws", "tokens_per_delivered", "seconds_per_delivered",
        "fit_seconds",
    ),
    "settings": ("setting", "differs"),
}  # fmt: skip
"""Optional tables of ``results/``, each a CSV file, and the columns a report reads of them."""

TEXT_COLUMNS = frozenset(
    {
        *("method", "method_a", "method_b", "split", "subject", "setting", "differs", "outcome"),
        *("verdict", "terms", "term", "set", "judge", "model", "measure", "control", "paired"),
        "listed",
    }
)
"""Columns that are text whatever their values look like; a label may read ``007``."""


def read_table(path: Path, *, numbers: bool = True) -> pd.DataFrame:
    """A table of ``results/``: texts as they stand, all other columns as float64, empty as NaN.

    Args:
        path: The file.
        numbers: Whether columns other than ``TEXT_COLUMNS`` are numbers where they can be.

    Raises:
        EquipoiseError: See ``read_rows``.
    """
    columns: dict[str, Any] = {}
    for name, values in read_rows(path).columns.items():
        text = name in TEXT_COLUMNS or not numbers
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
    for name, columns in NEEDED.items():
        path = folder / f"{name}.csv"
        try:
            if not path.exists():
                missing[name] = "is not there"
                continue
            table = read_table(path, numbers=name != "settings")
        except EquipoiseError as error:
            missing[name] = f"cannot be used: {visible(error.problem)}"
            continue
        lacking = [column for column in columns if not _is_there(table, column)]
        if lacking:
            missing[name] = f"cannot be used: its column {lacking[0]} is missing or no number"
        else:
            tables[name] = table
    return tables, missing


def _is_there(table: pd.DataFrame, column: str) -> bool:
    return column in table.columns and (column in TEXT_COLUMNS or table[column].dtype == float)
