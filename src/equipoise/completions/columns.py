"""Which column is which in a stranger's table, and what its strings mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from equipoise.errors import EquipoiseError
from equipoise.files.csv_file import Rows
from equipoise.task.task import Task
from equipoise.wording.visible import quoted

ValueT = TypeVar("ValueT")

TEXT_NAMES = ("text", "completion", "output", "sample")
"""Names, in any case, under which the text is recognised; exactly one may be there."""

SUBJECT_NAMES = ("occupation", "subject")
"""Names, in any case, under which the subject is recognised; exactly one may be there."""

OPTIONAL_NAMES = {
    "method": ("method", "model"),
    "seed": ("seed",),
    "split": ("split",),
    "run": ("run", "runid", "run_id"),
    "finished": ("finished",),
    "tokens": ("tokens",),
}
"""Names, in any case, of columns that may be missing; the first one that is there counts."""

_SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "held-out", "held_out"), "validation"),
}
_INTEGER = re.compile(r"[+-]?\d{1,18}(?:\.0*)?")
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def required_column(rows: Rows, names: Sequence[str], chosen: str | None, flag: str) -> str:
    """The one column that is ``chosen``, or whose name is among ``names`` in any case.

    Raises:
        EquipoiseError: No column, or more than one; it lists the columns and names ``flag``.
    """
    if chosen is not None and chosen in rows.columns:
        return chosen
    there = quoted(list(rows.columns))
    hint = f"Name the right one with {flag}."
    if chosen is not None:
        problem = f"there is no column {chosen!r}"
        raise EquipoiseError(f"{problem}; the columns are {there}", file=rows.file, hint=hint)
    matches = [name for name in rows.columns if name.casefold() in names]
    if len(matches) == 1:
        return matches[0]
    if len(rows.columns) == 1 and set(";\t|").intersection(*rows.columns):
        hint = "Separate the columns with commas."
    what = "text" if names is TEXT_NAMES else "subject"
    problem = f"no column is the {what}"
    if matches:
        problem = f"columns {quoted(matches)} could all be the {what}"
    raise EquipoiseError(f"{problem}; the columns are {there}", file=rows.file, hint=hint)


def optional_column(rows: Rows, what: str) -> list[str] | None:
    """The values of the column recognised as ``what``; ``None`` if there is none.

    Raises:
        EquipoiseError: Two columns differ in case only, so that nobody can say which is meant.
    """
    for candidate in OPTIONAL_NAMES[what]:
        matches = [name for name in rows.columns if name.casefold() == candidate]
        if len(matches) > 1:
            raise EquipoiseError(
                f"columns {quoted(matches)} could all be the {what}",
                file=rows.file,
                hint="Rename all but one.",
            )
        if matches:
            return rows.columns[matches[0]]
    return None


def whole_number(value: str) -> int | None:
    """``value`` as a whole number; ``42.0``, which spreadsheets make of 42, is one."""
    return int(value.split(".")[0]) if _INTEGER.fullmatch(value) else None


def truth(value: str) -> bool | None:
    """``true``, ``false``, ``1`` or ``0``, in any case, as a bool."""
    return _BOOLEANS.get(value.casefold())


def convert_all(
    rows: Rows, what: str, convert: Callable[[str], ValueT | None]
) -> list[ValueT] | None:
    """The optional column ``what`` converted, if every value of it can be; otherwise ``None``.

    A stranger's column may mean something else under the same name (a time under ``finished``).
    """
    values = optional_column(rows, what)
    if values is None:
        return None
    converted = [c for value in values if (c := convert(value.strip())) is not None]
    return converted if len(converted) == len(values) else None


def seeds_of(rows: Rows, default: int) -> list[int]:
    """The seed of each row; ``default`` throughout if there is no such column.

    Raises:
        EquipoiseError: A seed is not a whole number.
    """
    values = optional_column(rows, "seed")
    if values is None:
        return [default] * len(rows)
    seeds = []
    for row, value in enumerate(values):
        seed = whole_number(value.strip())
        if seed is None:
            raise EquipoiseError(
                f"{rows.place(row)}: seed {value[:40]!r} is not a whole number",
                file=rows.file,
                hint="Write each run's seed as a number, or leave the column out.",
            )
        seeds.append(seed)
    return seeds


def splits_of(rows: Rows, subjects: list[str], task: Task) -> list[str]:
    """The file's own split where it gives one (its method was fitted on it), else the task's.

    Raises:
        EquipoiseError: A split is neither train nor validation, under any of their usual names.
    """
    of_task = {subject.name: str(subject.split) for subject in task.subjects}
    values = optional_column(rows, "split") or [""] * len(rows)
    splits = []
    for row, (value, subject) in enumerate(zip(values, subjects, strict=True)):
        value = value.strip()
        split = of_task.get(subject, "") if not value else _SPLITS.get(value.casefold())
        if split is None:
            raise EquipoiseError(
                f"{rows.place(row)}: split {value[:40]!r} is neither train nor validation",
                file=rows.file,
                hint="Use 'train' and 'validation', or leave it empty.",
            )
        splits.append(split)
    return splits
