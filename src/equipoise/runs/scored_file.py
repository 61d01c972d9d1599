"""A cell's completions with their judgements: written once, when the cell is computed.

Whoever needs judged completions later reads them here. The types of columns are not stored: they
are those that ``score`` gives, whatever the task.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from equipoise.completions.frame import CUT, as_completions, read_completions
from equipoise.errors import EquipoiseError
from equipoise.files.csv_file import read_rows, write_table
from equipoise.measures import score
from equipoise.runs.layout import COMPLETIONS, SCORED
from equipoise.task.task import Task

_FLAGS = {"True": True, "False": False}

_READERS: dict[str, Callable[[str], Any]] = {
    "str": str,
    "int64": int,
    "Int64": lambda value: int(value) if value else pd.NA,
    "bool": _FLAGS.__getitem__,
    "boolean": lambda value: _FLAGS[value] if value else pd.NA,
}
"""Of each type of column, what a field of the file says."""


def write_scored(cell: Path, scored: pd.DataFrame) -> None:
    """Write what ``score`` returned for the completions of a cell into the cell's folder.

    Raises:
        EquipoiseError: It cannot be written.
    """
    write_table(cell / SCORED, scored)


def read_scored(
    cell: Path, task: Task, training_texts: Callable[[], Iterable[str] | None]
) -> pd.DataFrame | None:
    """The judged completions of a finished cell; ``None`` where its method delivered none.

    A cell of an earlier version has no such file, or one with other columns: its completions are
    judged now.

    Args:
        cell: The cell's folder.
        task: The task of its study.
        training_texts: Gives the sentences its model was trained on, where they are needed.

    Raises:
        EquipoiseError: A file is missing, unreadable or holds what no cell writes.
    """
    stored = stored_scores(cell, task)
    if stored is not None:
        return stored if len(stored) else None
    completions = cell_completions(cell, task)
    return None if completions is None else score(completions, task, training_texts())


def cell_completions(cell: Path, task: Task) -> pd.DataFrame | None:
    """The completions of a finished cell, not judged; ``None`` where its method delivered none.

    Raises:
        EquipoiseError: They are missing or unreadable.
    """
    path = cell / COMPLETIONS
    return None if _is_only_header(path) else read_completions(path, task)


def stored_scores(cell: Path, task: Task) -> pd.DataFrame | None:
    """What the cell's file of judgements says; ``None`` where there is none of this version.

    Raises:
        EquipoiseError: It is unreadable, or a field is not of its column's type.
    """
    path, empty = cell / SCORED, _nothing_scored(task)
    if not path.is_file():
        return None
    if _is_only_header(path):
        return empty
    columns = read_rows(path).columns
    if [name for name in columns if name != CUT] != list(empty.columns):
        return None
    types = {name: str(dtype) for name, dtype in empty.dtypes.items()} | {CUT: "str"}
    return pd.DataFrame(
        {name: _typed(name, values, types[name], path) for name, values in columns.items()}
    )


def _typed(name: str, values: list[str], dtype: str, path: Path) -> pd.Series[Any]:
    """A column as the type that it was written from."""
    read = _READERS[dtype]
    try:
        return pd.Series([read(value) for value in values], dtype=dtype)
    except (KeyError, ValueError, OverflowError):
        raise EquipoiseError(
            "holds what no cell writes", file=path, field=name, hint="Is it damaged? Run 'verify'."
        ) from None


def _nothing_scored(task: Task) -> pd.DataFrame:
    """A frame of judged completions without rows: its columns and their types."""
    one = as_completions(pd.DataFrame({"subject": ["x"], "text": ["x"]}), task)
    return score(one.head(0), task)


def _is_only_header(path: Path) -> bool:
    """Whether a table has no rows; a method may deliver nothing."""
    try:
        with path.open("rb") as stream:
            stream.readline()
            return not stream.read(1)
    except OSError:
        return False  # whoever reads it says what is wrong
